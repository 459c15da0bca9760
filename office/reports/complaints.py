"""Reports about complaints: how many of what, on time, solved when, and how people found it (K3)."""

from __future__ import annotations

import calendar
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Result, func, select
from sqlalchemy.orm import Session

from models.complaints import (
    CLOCKS,
    Category,
    ClockPause,
    Ticket,
    TicketClock,
    TicketEvent,
    is_unresolved,
)
from models.office import Paper
from models.people import Department
from models.property import Area, Building, Estate, Unit
from models.visits import Visit
from office.core import clock
from office.core.jobs import JobResult
from office.reports import rates
from office.reports.table import Chart, Column, Line, Link, Table, Wanted, places
from rules.lifecycle import Verb
from rules.old_registers import Outcome
from rules.report_rates import Span, mean, on_time_rate, percent, times, working_seconds
from rules.visits import FOLLOW_UP, VisitOutcome


@dataclass
class _Tickets:
    """A running count of complaints of one kind."""

    registered: int = 0
    resolved: int = 0
    ever_resolved: int = 0  # also those that were reopened
    seconds: list[int] = field(default_factory=list)  # from registering to solving, without waiting
    done: int = 0  # resolved, no deadline runs any more
    on_time: int = 0  # of these: every deadline was met
    reopened: int = 0
    rounds: int = 0  # resolvings that are due a visit
    visited: int = 0
    scored: int = 0  # visits
    satisfied: int = 0
    score: int = 0

    def cells(self) -> tuple[Any, ...]:
        taken = times(self.seconds)
        return (
            self.registered,
            self.resolved,
            percent(self.on_time, self.done),
            taken.median,
            taken.ninetieth,
            taken.mean,
            percent(self.reopened, self.ever_resolved),
            percent(self.visited, self.rounds),
            percent(self.satisfied, self.scored),
            mean(self.score, self.scored),
        )


COMPLAINTS = (
    Column("registered", "count"),
    Column("resolved", "count"),
    Column("rate_on_time", "rate"),
    Column("hours_median", "hours"),
    Column("hours_ninetieth", "hours"),
    Column("hours_to_solve", "hours"),
    Column("rate_reopened", "rate"),
    Column("rate_followed_up", "rate"),
    Column("rate_satisfied", "rate"),
    Column("score", "score"),
)
SATISFIED_FROM = 4  # of a visit's score from 1 to 5 (contract: Figures)
DIMENSIONS = ("category", "department", "severity", "building", "channel", "month", "outcome")


def span(session: Session, wanted: Wanted) -> tuple[datetime, datetime]:
    """The first instant of the period in office time, and that after it."""
    months = wanted.months()
    return rates.month_span(session, months[0])[0], rates.month_span(session, months[-1])[1]


def _tickets(session: Session, wanted: Wanted, *, is_valid: bool = True) -> list[ColumnElement[bool]]:
    """Conditions of the complaints of the period within reach."""
    since, until = span(session, wanted)
    found = [
        Ticket.registered_at >= since,
        Ticket.registered_at < until,
        *wanted.own_tickets,
    ]
    if is_valid:
        found.append(Ticket.state != "invalid")
    if wanted.department_id:
        found.append(Ticket.department_id == wanted.department_id)
    if not wanted.is_whole:
        own = [place.building_id for place in places(session, wanted)]
        found.append(Ticket.unit_id.in_(select(Unit.id).where(Unit.building_id.in_(own))))
    return found


def complaints_by(session: Session, wanted: Wanted, what: str) -> Table:
    """A period's valid complaints by one of DIMENSIONS (K3)."""
    return _complaints_table(session, wanted, what, _counts(session, wanted, what))


def complaint_totals(session: Session, wanted: Wanted) -> dict[str, Any]:
    """The figures of COMPLAINTS for all valid complaints of the period (K3)."""
    counts = _counts(session, wanted, "severity")
    return {column.key: value for column, value in zip(COMPLAINTS, counts[_ALL].cells(), strict=True)}


def invalid_count(session: Session, wanted: Wanted) -> int:
    """How many complaints of the period were closed as invalid."""
    conditions = (Ticket.state == "invalid", *_tickets(session, wanted, is_valid=False))
    return session.execute(select(func.count()).select_from(Ticket).where(*conditions)).scalar_one()


def _counts(session: Session, wanted: Wanted, what: str) -> dict[Any, _Tickets]:
    conditions, zone = _tickets(session, wanted), clock.zone(session)
    key: Any = {
        "category": Ticket.category_id,
        "department": Ticket.department_id,
        "severity": Ticket.severity,
        "channel": Ticket.channel,
        "building": Unit.building_id,
        "month": Ticket.registered_at,
        "outcome": Ticket.outcome,
    }[what]
    counts: dict[Any, _Tickets] = defaultdict(_Tickets)
    of_ticket: dict[int, Any] = {}
    rows = session.execute(
        select(
            Ticket.id,
            key,
            Ticket.registered_at,
            Ticket.resolved_at,
            Ticket.reopen_count,
            Ticket.outcome,
        )
        .outerjoin(Unit, Unit.id == Ticket.unit_id)
        .where(*conditions)
    )
    waited, punctual = _waits(session, conditions), _punctual(session, conditions)
    for ticket_id, value, registered_at, resolved_at, reopened, outcome in rows:
        place = f"{value.astimezone(zone):%Y-%m}" if what == "month" else value
        of_ticket[ticket_id] = place
        is_resolved = resolved_at is not None or outcome == Outcome.SOLVED
        for one in (counts[place], counts[_ALL]):
            one.registered += 1
            one.reopened += reopened > 0
            one.resolved += is_resolved
            one.ever_resolved += is_resolved or reopened > 0
            if resolved_at is not None:
                one.seconds.append(working_seconds(registered_at, resolved_at, waited[ticket_id]))
            if (is_punctual := punctual.get(ticket_id)) is not None:
                one.done += 1
                one.on_time += is_punctual
    for round_ in _rounds(session, conditions):
        for one in (counts[of_ticket[round_.ticket_id]], counts[_ALL]):
            one.rounds += 1
            one.visited += round_.is_visited
            one.scored += len(round_.scores)
            one.satisfied += sum(score >= SATISFIED_FROM for score in round_.scores)
            one.score += sum(round_.scores)
    return counts


def _punctual(session: Session, conditions: Sequence[ColumnElement[bool]]) -> dict[int, bool]:
    """Of each resolved complaint whose deadlines all have an end, whether every one was met (K3).

    One that still runs is neither; void ones don't count.
    """
    rows = session.execute(
        select(
            TicketClock.ticket_id,
            func.count().filter(TicketClock.stopped_at.is_(None)),
            func.count().filter(TicketClock.state == "breached"),
        )
        .join(Ticket, Ticket.id == TicketClock.ticket_id)
        .outerjoin(Unit, Unit.id == Ticket.unit_id)
        .where(*conditions, TicketClock.state != "void", ~is_unresolved())
        .group_by(TicketClock.ticket_id)
    )
    return {ticket_id: breached == 0 for ticket_id, running, breached in rows if not running}


def _waits(session: Session, conditions: Sequence[ColumnElement[bool]]) -> Mapping[int, list[Span]]:
    """The times in which complaints waited for the resident or somebody outside (T6)."""
    found: dict[int, list[Span]] = defaultdict(list)
    for ticket_id, from_at, to_at in session.execute(
        select(ClockPause.ticket_id, ClockPause.from_at, ClockPause.to_at)
        .join(Ticket, Ticket.id == ClockPause.ticket_id)
        .outerjoin(Unit, Unit.id == Ticket.unit_id)
        .where(*conditions)
    ):
        found[ticket_id].append((from_at, to_at))
    return found


@dataclass
class _Round:
    """A resolving that was due a visit: whether somebody was met, and the scores that were given."""

    ticket_id: int
    is_visited: bool = False
    scores: list[int] = field(default_factory=list)


def _rounds(session: Session, conditions: Sequence[ColumnElement[bool]]) -> list[_Round]:
    """The resolvings that were due a visit (V1, V2).

    A visit that was given up, tried or not, is due no more; what came in as history was due none. A visit
    planned anew because nobody was met belongs to the same resolving.
    """
    of_period = select(Ticket.id).outerjoin(Unit, Unit.id == Ticket.unit_id).where(*conditions)
    reopened: dict[int, list[datetime]] = defaultdict(list)
    for ticket_id, at in session.execute(
        select(TicketEvent.ticket_id, TicketEvent.at).where(
            TicketEvent.ticket_id.in_(of_period), TicketEvent.verb == Verb.REOPEN.value
        )
    ):
        reopened[ticket_id].append(at)
    rows = session.execute(
        select(Visit)
        .where(Visit.ticket_id.in_(of_period), Visit.kind == FOLLOW_UP)
        .order_by(Visit.ticket_id, Visit.id)
    )
    found: list[_Round] = []
    missed: Visit | None = None  # the visit before, at which nobody was met
    for visit in rows.scalars():
        if visit.done_at is not None and visit.outcome not in {*VisitOutcome}:
            continue
        assert visit.ticket_id is not None
        if missed is None or not _is_again(missed, visit, reopened[visit.ticket_id]):
            found.append(_Round(visit.ticket_id))
        is_unreachable = visit.outcome == VisitOutcome.UNREACHABLE
        found[-1].is_visited |= visit.done_at is not None and not is_unreachable
        found[-1].scores += [] if visit.satisfaction is None else [visit.satisfaction]
        missed = visit if is_unreachable else None
    return found


def _is_again(missed: Visit, visit: Visit, reopened: Sequence[datetime]) -> bool:
    """Whether a visit tries again what another did not reach, in the same round of a complaint."""
    since = missed.done_at or missed.planned_from
    return missed.ticket_id == visit.ticket_id and not any(
        since <= at <= visit.planned_from for at in reopened
    )


_ALL = object()


def _complaints_table(session: Session, wanted: Wanted, what: str, counts: Mapping[Any, _Tickets]) -> Table:
    names = _dimension_names(session, wanted, what)
    first, last = wanted.days()
    base = {"view": "valid", "registered_at_from": str(first), "registered_at_to": str(last)}
    if wanted.department_id:
        base["department_id"] = str(wanted.department_id)
    if wanted.building_id:
        base["unit_building_id"] = str(wanted.building_id)
    kinds = [key for key in counts if key is not _ALL]
    if what == "month":
        kinds.sort()
    else:
        kinds.sort(key=lambda key: (-counts[key].registered, str(names.get(key, key))))
    lines = [
        Line(
            (names.get(key, key or ""), *counts[key].cells()),
            _list_of(wanted, {**base, **_dimension_query(what, key)}) if key else None,
        )
        for key in kinds
    ]
    if len(lines) > 1:
        lines.append(Line(("", *counts[_ALL].cells()), _list_of(wanted, base), is_total=True))
    codes = {"severity": "severity", "channel": "channel", "outcome": "outcome"}.get(what, "")
    column = Column(what, "code" if codes else "month" if what == "month" else "text", codes)
    kind = "line" if what == "month" else "bar"
    return Table(f"complaints_{what}", (column, *COMPLAINTS), tuple(lines), Chart(0, (1,), kind))


def _list_of(wanted: Wanted, query: Mapping[str, str]) -> Link | None:
    """The list of the complaints that a line counts; none where no list is narrowed alike."""
    return None if wanted.area_id or wanted.steward_id else Link("tickets", query)


def _dimension_names(session: Session, wanted: Wanted, what: str) -> dict[Any, str]:
    if what in {"category", "department"}:
        model: Any = {"category": Category, "department": Department}[what]
        return {row.id: row.name_in(wanted.language) for row in session.scalars(select(model))}
    if what == "building":
        rows = session.execute(
            select(Building.id, Area.name, Building.name).join(Area, Area.id == Building.area_id)
        )
        return {key: f"{area} · {building}" for key, area, building in rows}
    return {}


def _dimension_query(what: str, key: Any) -> dict[str, str]:
    if not key:
        return {}
    if what == "month":
        first = date.fromisoformat(f"{key}-01")
        last = first.replace(day=calendar.monthrange(first.year, first.month)[1])
        return {"registered_at_from": str(first), "registered_at_to": str(last)}
    name = {"category": "category_id", "department": "department_id", "building": "unit_building_id"}
    return {name.get(what, what): str(key)}


def clocks(session: Session, wanted: Wanted) -> Table:
    """The deadlines of a period's valid complaints: met, broken, still running (K3)."""
    rows = session.execute(
        select(TicketClock.clock, TicketClock.state, func.count())
        .join(Ticket, Ticket.id == TicketClock.ticket_id)
        .where(*_tickets(session, wanted), TicketClock.state != "void")
        .group_by(TicketClock.clock, TicketClock.state)
    )
    counts: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for code, state, count in rows:
        counts[code][state] += count
    order = sorted(counts, key=CLOCKS.index)
    lines = tuple(
        Line(
            (
                code,
                counts[code]["met"],
                counts[code]["breached"],
                counts[code]["running"] + counts[code]["paused"],
                on_time_rate(counts[code]["met"], counts[code]["breached"]),
            )
        )
        for code in order
    )
    columns = (
        Column("clock", "code", "clock"),
        Column("met", "count"),
        Column("breached", "count"),
        Column("running", "count"),
        Column("rate_met", "rate"),
    )
    return Table("clocks", columns, lines, Chart(0, (4,)))


def complaint_list(session: Session, wanted: Wanted) -> Table:
    """Every valid complaint of the period, without the complainant's identity: the monthly report (K3)."""
    conditions = _tickets(session, wanted)
    punctual = _punctual(session, conditions)
    rows = _listed(session, *conditions)
    lines = tuple(
        Line(
            (
                ticket.number,
                ticket.registered_at,
                code or "",
                category.name_in(wanted.language),
                ticket.severity,
                ticket.statement,
                department.name_in(wanted.language),
                ticket.resolution,
                ticket.resolved_at,
                punctual.get(ticket.id),
                ticket.satisfaction,
            ),
            Link("tickets/details", {"id": str(ticket.id)}),
        )
        for ticket, code, category, department in rows
    )
    columns = (
        Column("ticket_no"),
        Column("registered_at", "instant"),
        Column("unit_code"),
        Column("category"),
        Column("severity", "code", "severity"),
        Column("statement", "long"),
        Column("department"),
        Column("result", "long"),
        Column("resolved_at", "instant"),
        Column("on_time", "flag"),
        Column("satisfaction", "count"),
    )
    return Table("complaint_list", columns, lines)


def _listed(session: Session, *conditions: ColumnElement[bool]) -> Result[Ticket, str, Category, Department]:
    """Complaints as registered, with unit code, category and department."""
    return session.execute(
        select(Ticket, Unit.code, Category, Department)
        .outerjoin(Unit, Unit.id == Ticket.unit_id)
        .join(Category, Category.id == Ticket.category_id)
        .join(Department, Department.id == Ticket.department_id)
        .where(*conditions)
        .order_by(Ticket.registered_at, Ticket.id)
    )


def monthly_number(period: str) -> str:
    """The number of the paper that lists a month's complaints."""
    return f"complaints-{period}"


def file_monthly_report(session: Session, due_for: datetime) -> JobResult:
    """File last month's report of all valid complaints; safe to run twice (K3, §8)."""
    from office.documents.filing import NewPaper, Printing
    from office.documents.pdf.reports import ComplaintRow, MonthlyComplaints

    day = clock.office_day(session, due_for)
    period = (day.replace(day=1) - timedelta(days=1)).strftime("%Y-%m")
    number = monthly_number(period)
    if session.execute(select(Paper.id).where(Paper.number == number)).first():
        return JobResult()
    language = session.execute(select(Estate.language)).scalar_one()
    since, until = rates.month_span(session, period)
    in_month = (Ticket.registered_at >= since, Ticket.registered_at < until, Ticket.state != "invalid")
    punctual = _punctual(session, in_month)
    rows = _listed(session, *in_month)
    report = MonthlyComplaints(
        period,
        day,
        tuple(
            ComplaintRow(
                number=ticket.number,
                registered_at=ticket.registered_at,
                unit_code=code or "",
                category=category.name_in(language),
                severity=ticket.severity,
                statement=ticket.statement,
                department=department.name_in(language),
                result=ticket.resolution,
                resolved_at=ticket.resolved_at,
                is_on_time=punctual.get(ticket.id),
                satisfaction=ticket.satisfaction,
            )
            for ticket, code, category, department in rows
        ),
    )
    papers = [NewPaper(number, report)]
    Printing(session, "monthly_complaints", papers, language=language, now=due_for).file(session, None)
    return JobResult(done=len(report.rows), result={"period": period})
