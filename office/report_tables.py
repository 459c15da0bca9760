"""Each report as one table of plain values: the page, the file, the paper and the mail show the same (K1–K6).

A table says its columns by key; office/papers/words.toml names them in the reader's language. A line may
lead to the list behind its figures. Rates are in percent with one decimal, money in yuan; None of nothing.
"""

from __future__ import annotations

import calendar
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import ColumnElement, case, func, select
from sqlalchemy.orm import Session

from models.base import Money
from models.billing import FeeItem, Invoice
from models.collection import Contact
from models.complaints import Category, Ticket, TicketClock
from models.office import CollectionTarget
from models.people import Department, Owner, Staff, StaffRole, steward_building
from models.property import Area, Building, Unit
from office import clock, figures, policies, report_counts, reports
from rules.kpi import (
    Collected,
    age_band,
    age_bands,
    distance,
    is_old_arrears,
    kept_rate,
    mean,
    missing_to_target,
    on_time_rate,
    percent,
)
from rules.money import ZERO, from_fen

HOUR = timedelta(hours=1)


@dataclass(frozen=True)
class Column:
    """One column: its key in the papers' words, what its values are, and which table names its codes."""

    key: str
    kind: str = "text"  # text, code, money, count, rate, points, hours, score, day, instant, flag
    codes: str = ""


@dataclass(frozen=True)
class Link:
    """The list behind a line: a screen and its query."""

    screen: str
    query: Mapping[str, str]


@dataclass(frozen=True)
class Line:
    cells: tuple[Any, ...]
    link: Link | None = None
    is_total: bool = False


@dataclass(frozen=True)
class Chart:
    """How a table is drawn: which column names the values, which hold them, and a line to reach."""

    label: int
    values: tuple[int, ...]
    kind: str = "bar"
    target: Decimal | None = None


@dataclass(frozen=True)
class Table:
    code: str
    columns: tuple[Column, ...]
    lines: tuple[Line, ...]
    chart: Chart | None = None
    counted_at: datetime | None = None  # of figures that are counted at night
    is_counted: bool = False


@dataclass(frozen=True)
class Wanted:
    """What a report is asked for: a month (`2026-06`) or a year (`2026`), and of which part of the estate."""

    period: str
    now: datetime
    today: date
    language: str = "zh_Hans"
    area_id: int | None = None
    building_id: int | None = None
    steward_id: int | None = None
    fee_item_id: int | None = None
    department_id: int | None = None
    own_tickets: tuple[ColumnElement[bool], ...] = field(default=())  # what the reader may see of complaints

    @property
    def year(self) -> int:
        return int(self.period[:4])

    @property
    def is_year(self) -> bool:
        return len(self.period) == 4

    @property
    def is_whole(self) -> bool:
        return not (self.area_id or self.building_id or self.steward_id)

    def months(self) -> list[str]:
        """The months of the year, or the one month."""
        return [f"{self.year:04}-{month:02}" for month in range(1, 13)] if self.is_year else [self.period]

    def days(self) -> tuple[date, date]:
        """The first and the last day."""
        first, last = self.months()[0], self.months()[-1]
        _, length = calendar.monthrange(int(last[:4]), int(last[5:]))
        return date.fromisoformat(f"{first}-01"), date.fromisoformat(f"{last}-{length}")


@dataclass(frozen=True)
class Place:
    """A building and where it stands."""

    area_id: int
    area: str
    building_id: int
    building: str


def places(session: Session, wanted: Wanted) -> list[Place]:
    """The buildings of the wanted part of the estate, in their order."""
    query = (
        select(Area.id, Area.name, Building.id, Building.name)
        .join(Area, Area.id == Building.area_id)
        .order_by(Area.position, Area.name, Building.position, Building.name)
    )
    if wanted.area_id:
        query = query.where(Area.id == wanted.area_id)
    if wanted.building_id:
        query = query.where(Building.id == wanted.building_id)
    if wanted.steward_id:
        own = select(steward_building.c.building_id).where(steward_building.c.staff_id == wanted.steward_id)
        query = query.where(Building.id.in_(own))
    return [Place(*row) for row in session.execute(query)]


def targets(session: Session, year: int) -> dict[int | None, Decimal]:
    """The targets of a year in percent, by area; under None that of the estate (K1)."""
    rows = session.execute(
        select(CollectionTarget.area_id, CollectionTarget.percent)
        .where(CollectionTarget.year == year)
        .order_by(CollectionTarget.id)
    )
    return {area_id: Decimal(percent_) for area_id, percent_ in rows}


def summed(many: Iterable[Collected]) -> Collected:
    return sum(many, Collected())


def of_estate(session: Session, wanted: Wanted) -> Collected:
    """What the wanted part of the estate's bills of the period brought (K1)."""
    found = figures.collected(session, wanted.period)
    if wanted.is_whole:
        return summed(found.values())
    return summed(found.get(place.building_id, Collected()) for place in places(session, wanted))


# --- collection (K1) ------------------------------------------------------------------------------------

COLLECTED = (
    Column("billed", "money"),
    Column("collected", "money"),
    Column("rate_amount", "rate"),
    Column("target", "rate"),
    Column("points_to_target", "points"),
    Column("missing_to_target", "money"),
    Column("households_billed", "count"),
    Column("households_paid", "count"),
    Column("rate_households", "rate"),
)


def _collected(found: Collected, target: Decimal | None) -> tuple[Any, ...]:
    missing = None if target is None else missing_to_target(found, target)
    points = None if target is None else distance(found.rate_amount, target)
    return (
        found.billed,
        found.paid,
        found.rate_amount,
        target,
        points,
        missing,
        found.households_billed,
        found.households_paid,
        found.rate_households,
    )


def _bills(wanted: Wanted, **query: Any) -> Link:
    return Link("invoices", {"period": wanted.period, **{name: str(value) for name, value in query.items()}})


def collection(session: Session, wanted: Wanted) -> Table:
    """The collection rate of each building, behind them their area, at the end all together (K1)."""
    found, aims = figures.collected(session, wanted.period), targets(session, wanted.year)
    by_area: dict[int, list[Place]] = defaultdict(list)
    for place in places(session, wanted):
        if place.building_id in found:
            by_area[place.area_id].append(place)
    lines: list[Line] = []
    for area_id, within in by_area.items():
        aim = aims.get(area_id, aims.get(None))
        lines += [
            Line(
                (place.area, place.building, *_collected(found[place.building_id], aim)),
                _bills(wanted, unit_building_id=place.building_id),
            )
            for place in within
        ]
        area = summed(found[place.building_id] for place in within)
        if len(within) > 1:
            lines.append(Line((within[0].area, "", *_collected(area, aim)), is_total=True))
    if by_area:
        everything = summed(found[place.building_id] for within in by_area.values() for place in within)
        lines.append(Line(("", "", *_collected(everything, aims.get(None))), _bills(wanted), is_total=True))
    columns = (Column("area"), Column("building"), *COLLECTED)
    return Table("collection", columns, tuple(lines))


def by_month(session: Session, wanted: Wanted) -> Table:
    """The collection rate of each month of the year (K1)."""
    aim = targets(session, wanted.year).get(None)
    own = None if wanted.is_whole else {place.building_id for place in places(session, wanted)}
    lines = []
    for month in (f"{wanted.year:04}-{number:02}" for number in range(1, 13)):
        found = figures.collected(session, month)
        collected = summed(each for key, each in found.items() if own is None or key in own)
        if collected.households_billed:
            lines.append(Line((month, *_collected(collected, aim)), Link("invoices", {"period": month})))
    chart = Chart(0, (3, 9), "line", aim)
    return Table("by_month", (Column("month", "month"), *COLLECTED), tuple(lines), chart)


def stewards(session: Session, wanted: Wanted) -> Table:
    """What each steward's buildings brought; a building of two stewards counts for both (K1, K5)."""
    found, aim = figures.collected(session, wanted.period), targets(session, wanted.year).get(None)
    rows = session.execute(
        select(Staff.id, Staff.name, steward_building.c.building_id)
        .join(StaffRole, (StaffRole.staff_id == Staff.id) & (StaffRole.role == "steward"))
        .join(steward_building, steward_building.c.staff_id == Staff.id)
        .where(Staff.is_active)
        .order_by(Staff.name, Staff.id)
    )
    within = {place.building_id for place in places(session, wanted)}
    people: dict[tuple[int, str], list[Collected]] = defaultdict(list)
    for staff_id, name, building_id in rows:
        if building_id in within and (wanted.steward_id in {None, staff_id}):
            people[staff_id, name].append(found.get(building_id, Collected()))
    lines = [
        Line(
            (name, len(parts), *_collected(summed(parts), aim)),
            Link("reports", {"report": "collection", "period": wanted.period, "steward": str(staff_id)}),
        )
        for (staff_id, name), parts in people.items()
    ]
    columns = (Column("steward"), Column("buildings", "count"), *COLLECTED)
    return Table("stewards", columns, tuple(lines), Chart(0, (4,), "bar", aim))


def fee_items(session: Session, wanted: Wanted) -> Table:
    """What each fee item of the estate brought; a bill's money lies on its items in proportion (K1)."""
    found = figures.by_item(session, wanted.period)
    items = session.scalars(select(FeeItem).order_by(FeeItem.position, FeeItem.id))
    lines = [
        Line(
            (
                item.name_in(wanted.language),
                found[item.id].billed,
                found[item.id].paid,
                found[item.id].billed - found[item.id].paid,
                found[item.id].rate_amount,
            ),
            Link("invoices", {"period": wanted.period}),
        )
        for item in items
        if item.id in found and wanted.fee_item_id in {None, item.id}
    ]
    columns = (
        Column("fee_item"),
        Column("billed", "money"),
        Column("collected", "money"),
        Column("open", "money"),
        Column("rate_amount", "rate"),
    )
    return Table("fee_items", columns, tuple(lines), Chart(0, (4,), "bar"))


def year_split(session: Session, wanted: Wanted) -> Table:
    """This year's bills against old arrears: collected in the year, open now (K1, 当年款/往年款)."""
    current, old = ZERO, ZERO
    for owed in figures.owed(session):
        if is_old_arrears(int(owed.period[:4]), wanted.year):
            old += owed.amount
        elif int(owed.period[:4]) == wanted.year:
            current += owed.amount
    this_year = summed(figures.collected(session, str(wanted.year)).values())
    count = report_counts.counted(session, "old_arrears", [str(wanted.year)]).get(str(wanted.year))
    brought = from_fen(count.figures["all"]["paid"]) if count else None
    first = f"{wanted.year:04}-01-01"
    lines = (
        Line(
            ("current_year", this_year.paid, current, this_year.rate_amount),
            Link("invoices", {"period": str(wanted.year), "view": "open"}),
        ),
        Line(
            ("old_arrears", brought, old, None if brought is None else percent(brought, brought + old)),
            Link(
                "invoices", {"view": "open", "due_on_to": str(date.fromisoformat(first) - timedelta(days=1))}
            ),
        ),
    )
    columns = (
        Column("which_bills", "code", "split"),
        Column("collected_in_year", "money"),
        Column("open", "money"),
        Column("collection_rate", "rate"),
    )
    return Table("year_split", columns, lines, counted_at=count.at if count else None, is_counted=True)


# --- arrears (K2) ---------------------------------------------------------------------------------------


def _bands(session: Session, wanted: Wanted) -> Any:
    return age_bands(policies.document(session, "billing", wanted.today)["ageing"]["bounds"])


def _band_link(band: Any, today: date, **query: str) -> Link:
    """The overdue bills of one column: those due so many days ago."""
    found = {"view": "overdue", "due_on_to": str(today - timedelta(days=max(band.from_days, 1))), **query}
    if band.to_days is not None:
        found["due_on_from"] = str(today - timedelta(days=band.to_days))
    return Link("invoices", found)


def ageing(session: Session, wanted: Wanted) -> Table:
    """What is past due today by age; a household counts once, at its oldest debt (K2)."""
    rows = reports.ageing(session, wanted.today) if wanted.is_whole else _ageing_of(session, wanted)
    bands = {band.code: band for band in _bands(session, wanted)}
    building = {"unit_building_id": str(wanted.building_id)} if wanted.building_id else {}
    whole = sum((row.amount for row in rows), ZERO)
    lines = [
        Line(
            (row.code, row.amount, percent(row.amount, whole), row.invoices, row.households),
            _band_link(bands[row.code], wanted.today, **building),
        )
        for row in rows
    ]
    lines.append(
        Line(
            (
                "",
                whole,
                None,
                sum(row.invoices for row in rows),
                sum(row.households for row in rows),
            ),
            Link("invoices", {"view": "overdue", **building}),
            is_total=True,
        )
    )
    columns = (
        Column("days_past_due"),
        Column("overdue_amount", "money"),
        Column("share", "rate"),
        Column("invoices", "count"),
        Column("households", "count"),
    )
    return Table("ageing", columns, tuple(lines), Chart(0, (1,)))


def _ageing_of(session: Session, wanted: Wanted) -> list[reports.AgeRow]:
    """The same of a part of the estate, read from its open bills."""
    bands = _bands(session, wanted)
    units = select(Unit.id).where(Unit.building_id.in_([one.building_id for one in places(session, wanted)]))
    rows = session.execute(
        select(Invoice.unit_id, Invoice.due_on, Invoice.balance)
        .where(Invoice.balance > 0, Invoice.due_on < wanted.today, Invoice.unit_id.in_(units))
        .order_by(Invoice.due_on, Invoice.id)
    )
    found = {band.code: reports.AgeRow(band.code, ZERO, 0, 0) for band in bands}
    seen: set[int] = set()
    for unit_id, due_on, balance in rows:
        band = age_band(bands, due_on, wanted.today)
        assert band is not None
        row, is_new = found[band.code], unit_id not in seen
        seen.add(unit_id)
        found[band.code] = reports.AgeRow(
            band.code, row.amount + balance, row.invoices + 1, row.households + is_new
        )
    return list(found.values())


def arrears_reasons(session: Session, wanted: Wanted) -> Table:
    """What is past due by the reason that was last heard from the payer, and by age (K2, C7)."""
    bands = _bands(session, wanted)
    due = case(
        *[
            (Invoice.due_on >= wanted.today - timedelta(days=band.to_days), band.code)
            for band in bands
            if band.to_days is not None
        ],
        else_=bands[-1].code,
    )
    heard = (
        select(Contact.arrears_reason)
        .where(
            Contact.unit_id == Invoice.unit_id,
            Contact.payer_id == Invoice.payer_id,
            Contact.arrears_reason != "",
        )
        .order_by(Contact.at.desc(), Contact.id.desc())
        .limit(1)
        .correlate(Invoice)
        .scalar_subquery()
    )
    late = select(
        func.coalesce(heard, "").label("reason"),
        due.label("band"),
        Invoice.unit_id.label("unit_id"),
        Invoice.balance.label("balance"),
    ).where(Invoice.balance > 0, Invoice.due_on < wanted.today)
    if not wanted.is_whole:
        own = [place.building_id for place in places(session, wanted)]
        late = late.where(Invoice.unit_id.in_(select(Unit.id).where(Unit.building_id.in_(own))))
    rows = late.subquery()
    amounts: dict[str, dict[str, Decimal]] = defaultdict(lambda: defaultdict(lambda: ZERO))
    for reason, band, amount in session.execute(
        select(rows.c.reason, rows.c.band, func.sum(rows.c.balance, type_=Money())).group_by(
            rows.c.reason, rows.c.band
        )
    ):
        amounts[reason][band] += amount
    households: dict[str, int] = dict(
        session.execute(select(rows.c.reason, func.count(rows.c.unit_id.distinct())).group_by(rows.c.reason))
        .tuples()
        .all()
    )
    order = sorted(amounts, key=lambda reason: (reason == "", -sum(amounts[reason].values())))
    lines = [
        Line(
            (
                reason,
                households[reason],
                *(amounts[reason].get(band.code, ZERO) for band in bands),
                sum(amounts[reason].values(), ZERO),
            ),
            Link("contacts", {"arrears_reason": reason}) if reason else Link("invoices", {"view": "overdue"}),
        )
        for reason in order
    ]
    columns = (
        Column("arrears_reason", "code", "arrears"),
        Column("households", "count"),
        *(Column(f"={band.code}", "money") for band in bands),
        Column("sum", "money"),
    )
    return Table("arrears_reasons", columns, tuple(lines), Chart(0, (len(columns) - 1,)))


def promises(session: Session, wanted: Wanted) -> Table:
    """Promises whose day lies in the period, by who took them (K2, C6)."""
    first, last = wanted.days()
    query = (
        select(Staff.name, Contact.promise_state, func.count(), func.sum(Contact.promised_amount))
        .outerjoin(Staff, Staff.id == Contact.staff_id)
        .where(Contact.promised_on >= first, Contact.promised_on <= last, Contact.promise_state != "")
        .group_by(Staff.id, Staff.name, Contact.promise_state)
    )
    if not wanted.is_whole:
        own = [place.building_id for place in places(session, wanted)]
        query = query.where(Contact.unit_id.in_(select(Unit.id).where(Unit.building_id.in_(own))))
    counts: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    promised: dict[str, Decimal] = defaultdict(lambda: ZERO)
    for name, state, count, amount in session.execute(query):
        counts[name or ""][state] += count
        promised[name or ""] += amount or ZERO
    days = {"promised_on_from": str(first), "promised_on_to": str(last)}
    lines = [
        Line(_kept(name, promised[name], states), Link("contacts", days))
        for name, states in sorted(counts.items())
    ]
    if lines:
        whole: dict[str, int] = defaultdict(int)
        for states in counts.values():
            for state, count in states.items():
                whole[state] += count
        total = _kept(None, sum(promised.values(), ZERO), whole)
        lines.append(Line(total, Link("contacts", days), is_total=True))
    columns = (
        Column("taken_by"),
        Column("promised_amount", "money"),
        Column("promise_open", "count"),
        Column("promise_kept", "count"),
        Column("promise_broken", "count"),
        Column("rate_kept", "rate"),
    )
    return Table("promises", columns, tuple(lines))


def _kept(name: str | None, promised: Decimal, states: Mapping[str, int]) -> tuple[Any, ...]:
    waiting, kept, broken = (states.get(state, 0) for state in ("open", "kept", "broken"))
    return (name or "", promised, waiting, kept, broken, kept_rate(kept, broken))


def unprompted(session: Session, wanted: Wanted) -> Table:
    """Who paid before any reminder went out, by month; counted at night (K2, 主动缴费率)."""
    counts = report_counts.counted(session, "unprompted", wanted.months())
    lines = []
    for month in sorted(counts):
        found = counts[month].figures["all"]
        if found["billed"]:
            lines.append(
                Line(
                    (
                        month,
                        found["billed"],
                        found["paid"],
                        found["unprompted"],
                        percent(found["unprompted"], found["billed"]),
                        percent(found["unprompted"], found["paid"]),
                    ),
                    Link("invoices", {"period": month, "state": "paid"}),
                )
            )
    columns = (
        Column("month", "month"),
        Column("households_billed", "count"),
        Column("households_paid", "count"),
        Column("unprompted", "count"),
        Column("rate_unprompted", "rate"),
        Column("share_of_paid", "rate"),
    )
    chart = Chart(0, (4,), "line") if len(lines) > 1 else None
    return Table("unprompted", columns, tuple(lines), chart, _oldest(counts), is_counted=True)


def channels(session: Session, wanted: Wanted) -> Table:
    """Reminders by the way they went, and how many were followed by a payment; counted at night (K2)."""
    counts = report_counts.counted(session, "channels", wanted.months())
    sums: dict[str, dict[str, int]] = defaultdict(lambda: {"sent": 0, "effect": 0})
    for count in counts.values():
        for channel, found in count.figures.items():
            sums[channel]["sent"] += found["sent"]
            sums[channel]["effect"] += found["effect"]
    first, last = wanted.days()
    lines = tuple(
        Line(
            (channel, found["sent"], found["effect"], percent(found["effect"], found["sent"])),
            Link(
                "reminders",
                {"channel": channel, "planned_on_from": str(first), "planned_on_to": str(last)},
            ),
        )
        for channel, found in sorted(sums.items(), key=lambda item: (-item[1]["sent"], item[0]))
    )
    columns = (
        Column("sent_by", "code", "out"),
        Column("reminders", "count"),
        Column("paid_after", "count"),
        Column("rate_effect", "rate"),
    )
    return Table("channels", columns, lines, Chart(0, (3,)), _oldest(counts), is_counted=True)


def _oldest(counts: Mapping[str, report_counts.Counted]) -> datetime | None:
    return min((count.at for count in counts.values()), default=None)


# --- complaints (K3) ------------------------------------------------------------------------------------


@dataclass
class _Tickets:
    """A running count of complaints of one kind."""

    registered: int = 0
    resolved: int = 0
    seconds: int = 0
    met: int = 0
    breached: int = 0
    reopened: int = 0
    visited: int = 0
    satisfied: int = 0
    score: int = 0

    def cells(self) -> tuple[Any, ...]:
        hours = mean(Decimal(self.seconds) / 3600, self.resolved)
        return (
            self.registered,
            self.resolved,
            on_time_rate(self.met, self.breached),
            hours,
            percent(self.reopened, self.registered),
            percent(self.visited, self.resolved),
            percent(self.satisfied, self.visited),
            mean(self.score, self.visited),
        )


COMPLAINTS = (
    Column("registered", "count"),
    Column("resolved", "count"),
    Column("rate_on_time", "rate"),
    Column("hours_to_solve", "hours"),
    Column("rate_reopened", "rate"),
    Column("rate_followed_up", "rate"),
    Column("rate_satisfied", "rate"),
    Column("score", "score"),
)
DIMENSIONS = ("category", "department", "severity", "building", "channel", "month")


def span(session: Session, wanted: Wanted) -> tuple[datetime, datetime]:
    """The first instant of the period in office time, and that after it."""
    months = wanted.months()
    return reports.month_span(session, months[0])[0], reports.month_span(session, months[-1])[1]


def _tickets(session: Session, wanted: Wanted) -> list[ColumnElement[bool]]:
    """Conditions of the valid complaints of the period within reach."""
    since, until = span(session, wanted)
    found = [
        Ticket.registered_at >= since,
        Ticket.registered_at < until,
        Ticket.state != "invalid",
        *wanted.own_tickets,
    ]
    if wanted.department_id:
        found.append(Ticket.department_id == wanted.department_id)
    if not wanted.is_whole:
        own = [place.building_id for place in places(session, wanted)]
        found.append(Ticket.unit_id.in_(select(Unit.id).where(Unit.building_id.in_(own))))
    return found


def complaints_by(session: Session, wanted: Wanted, what: str) -> Table:
    """A period's valid complaints by one of DIMENSIONS (K3)."""
    conditions, zone = _tickets(session, wanted), clock.zone(session)
    key: Any = {
        "category": Ticket.category_id,
        "department": Ticket.department_id,
        "severity": Ticket.severity,
        "channel": Ticket.channel,
        "building": Unit.building_id,
        "month": Ticket.registered_at,
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
            Ticket.satisfaction,
        )
        .outerjoin(Unit, Unit.id == Ticket.unit_id)
        .where(*conditions)
    )
    for ticket_id, value, registered_at, resolved_at, reopened, satisfaction in rows:
        place = f"{value.astimezone(zone):%Y-%m}" if what == "month" else value
        of_ticket[ticket_id] = place
        for one in (counts[place], counts[_ALL]):
            one.registered += 1
            one.reopened += reopened > 0
            if resolved_at is not None:
                one.resolved += 1
                one.seconds += int((resolved_at - registered_at).total_seconds())
            if satisfaction is not None:
                one.visited += 1
                one.satisfied += satisfaction >= 4
                one.score += satisfaction
    clocks = session.execute(
        select(TicketClock.ticket_id, TicketClock.state)
        .join(Ticket, Ticket.id == TicketClock.ticket_id)
        .where(*conditions, TicketClock.state.in_(("met", "breached")))
    )
    for ticket_id, state in clocks:
        for one in (counts[of_ticket[ticket_id]], counts[_ALL]):
            one.met += state == "met"
            one.breached += state == "breached"
    return _complaints_table(session, wanted, what, counts)


_ALL = object()


def _complaints_table(session: Session, wanted: Wanted, what: str, counts: Mapping[Any, _Tickets]) -> Table:
    names = _dimension_names(session, wanted, what)
    first, last = wanted.days()
    base = {"registered_at_from": str(first), "registered_at_to": str(last)}
    kinds = [key for key in counts if key is not _ALL]
    if what == "month":
        kinds.sort()
    else:
        kinds.sort(key=lambda key: (-counts[key].registered, str(names.get(key, key))))
    lines = [
        Line(
            (names.get(key, key or ""), *counts[key].cells()),
            Link("tickets", {**base, **_dimension_query(what, key)}),
        )
        for key in kinds
    ]
    if len(lines) > 1:
        lines.append(Line(("", *counts[_ALL].cells()), Link("tickets", base), is_total=True))
    codes = {"severity": "severity", "channel": "channel"}.get(what, "")
    column = Column(what, "code" if codes else "month" if what == "month" else "text", codes)
    kind = "line" if what == "month" else "bar"
    return Table(f"complaints_{what}", (column, *COMPLAINTS), tuple(lines), Chart(0, (1,), kind))


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
    if key is None:
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
    order = sorted(counts, key=CLOCK_ORDER.index)
    lines = tuple(
        Line(
            (
                code,
                counts[code]["met"],
                counts[code]["breached"],
                counts[code]["running"] + counts[code]["paused"],
                on_time_rate(counts[code]["met"], counts[code]["breached"]),
            ),
            Link("ticket_clocks", {"clock": code, "state": "breached"}),
        )
        for code in order
    )
    columns = (
        Column("clock", "code", "clock"),
        Column("met", "count"),
        Column("breached", "count"),
        Column("running", "count"),
        Column("rate_on_time", "rate"),
    )
    return Table("clocks", columns, lines, Chart(0, (4,)))


CLOCK_ORDER = (
    "acknowledge",
    "on_site",
    "report_manager",
    "department_plan",
    "first_word",
    "solve",
    "written_answer",
    "follow_up",
)


def complaint_list(session: Session, wanted: Wanted) -> Table:
    """Every valid complaint of the period, without the complainant's identity: the monthly report (K3)."""
    late = (
        select(func.count())
        .where(TicketClock.ticket_id == Ticket.id, TicketClock.state == "breached")
        .scalar_subquery()
    )
    rows = session.execute(
        select(Ticket, Unit.code, Category, Department, late)
        .outerjoin(Unit, Unit.id == Ticket.unit_id)
        .join(Category, Category.id == Ticket.category_id)
        .join(Department, Department.id == Ticket.department_id)
        .where(*_tickets(session, wanted))
        .order_by(Ticket.registered_at, Ticket.id)
    )
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
                breaches == 0,
                ticket.satisfaction,
            ),
            Link("tickets/details", {"id": str(ticket.id)}),
        )
        for ticket, code, category, department, breaches in rows
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


# --- the weekly meeting (K5) ----------------------------------------------------------------------------


def week_of(day: date) -> tuple[date, date]:
    """Monday and Sunday of a day's week."""
    monday = day - timedelta(days=day.weekday())
    return monday, monday + timedelta(days=6)


def escalated(session: Session, wanted: Wanted) -> Table:
    """Open complaints that reached a level, the highest first, each with its first deadline (K4)."""
    due = (
        select(func.min(TicketClock.due_at))
        .where(TicketClock.ticket_id == Ticket.id, TicketClock.stopped_at.is_(None))
        .scalar_subquery()
    )
    rows = session.execute(
        select(Ticket, Unit.code, Category, Department, due.label("due_at"))
        .outerjoin(Unit, Unit.id == Ticket.unit_id)
        .join(Category, Category.id == Ticket.category_id)
        .join(Department, Department.id == Ticket.department_id)
        .where(
            Ticket.state.in_(reports.OPEN_STATES),
            Ticket.closed_at.is_(None),
            Ticket.level >= 1,
            *wanted.own_tickets,
        )
        .order_by(Ticket.level.desc(), Ticket.registered_at, Ticket.id)
    )
    lines = tuple(
        Line(
            (
                ticket.number,
                code or "",
                category.name_in(wanted.language),
                ticket.statement,
                department.name_in(wanted.language),
                ticket.level,
                due_at,
            ),
            Link("tickets/details", {"id": str(ticket.id)}),
        )
        for ticket, code, category, department, due_at in rows
    )
    columns = (
        Column("ticket_no"),
        Column("unit_code"),
        Column("category"),
        Column("statement", "long"),
        Column("department"),
        Column("level", "count"),
        Column("deadline", "instant"),
    )
    return Table("escalated", columns, lines)


def promises_due(session: Session, wanted: Wanted) -> Table:
    """Open promises whose day lies in the week of today, and those overdue (K5)."""
    _, sunday = week_of(wanted.today)
    rows = session.execute(
        select(Contact, Unit.code, Owner.name, Staff.name)
        .join(Unit, Unit.id == Contact.unit_id)
        .join(Owner, Owner.id == Contact.payer_id)
        .outerjoin(Staff, Staff.id == Contact.staff_id)
        .where(Contact.promise_state == "open", Contact.promised_on <= sunday)
        .order_by(Contact.promised_on, Unit.code)
    )
    lines = tuple(
        Line(
            (code, payer, contact.promised_on, contact.promised_amount, staff or ""),
            Link("household", {"unit_id": str(contact.unit_id)}),
        )
        for contact, code, payer, staff in rows
    )
    columns = (
        Column("unit_code"),
        Column("payer"),
        Column("promised_on", "day"),
        Column("promised_amount", "money"),
        Column("taken_by"),
    )
    return Table("promises_due", columns, lines)


Make = Callable[[Session, Wanted], Table]


def _by(what: str) -> Make:
    return lambda session, wanted: complaints_by(session, wanted, what)


COLLECTION: Mapping[str, Make] = {
    "collection": collection,
    "by_month": by_month,
    "stewards": stewards,
    "fee_items": fee_items,
    "year_split": year_split,
    "ageing": ageing,
    "arrears_reasons": arrears_reasons,
    "promises": promises,
    "unprompted": unprompted,
    "channels": channels,
}
COMPLAINT: Mapping[str, Make] = {
    **{f"complaints_{what}": _by(what) for what in DIMENSIONS},
    "clocks": clocks,
    "complaint_list": complaint_list,
}
WEEKLY: Mapping[str, Make] = {"stewards": stewards, "escalated": escalated, "promises_due": promises_due}
TABLES: Mapping[str, Make] = {**COLLECTION, **COMPLAINT, **WEEKLY}


def table(session: Session, code: str, wanted: Wanted) -> Table:
    """One report. Raises KeyError when there is no such report."""
    return TABLES[code](session, wanted)


def several(session: Session, codes: Sequence[str], wanted: Wanted) -> list[Table]:
    return [table(session, code, wanted) for code in codes]
