"""Clocks of tickets: started, stopped, paused, and what became due on them (T4, T6, T8).

Every verb on a ticket first brings its clocks up to the instant at which it acts, as the minute tick would;
so the same rows result from any pattern of ticks.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from typing import Any

from sqlalchemy import Select, Table, bindparam, insert, select, update
from sqlalchemy.orm import Session

from models.complaints import (
    FACTS,
    ClockPause,
    Escalation,
    Ticket,
    TicketClock,
    TicketEvent,
)
from office.complaints.policies_in_force import PoliciesInForce, PolicyTimeline
from rules.deadlines import (
    ClockRule,
    ClockState,
    Deadline,
    Moment,
    Pause,
    clock_state,
    clocks_starting,
    deadline,
    escalations,
    escalations_due,
    next_instant,
    recalculated,
    replaced_state,
)
from rules.reasons import Reason
from rules.severity import Facts

IN_ONE_QUERY = 5000  # ids per statement, below every database's limit of parameters
FOLLOW_UP = "follow_up"
Values = dict[str, Any]
Columns = Mapping[Any, Any]  # a row as read, or one to be written

CLOCK: Table = TicketClock.__table__  # type: ignore[assignment] # a mapped class has a table
TICKET: Table = Ticket.__table__  # type: ignore[assignment]
ESCALATION: Table = Escalation.__table__  # type: ignore[assignment]
EVENT: Table = TicketEvent.__table__  # type: ignore[assignment]


@dataclass(frozen=True)
class TicketProfile:
    """What the clock rules need to know of a ticket."""

    ticket_id: int
    registered_at: datetime
    severity: str
    facts: Facts

    @classmethod
    def of(cls, ticket: Ticket) -> TicketProfile:
        facts = Facts.from_row({name: getattr(ticket, name) for name in FACTS})
        return cls(ticket.id, ticket.registered_at, ticket.severity, facts)


@dataclass(frozen=True)
class ClockEvent:
    """Something that a person should hear of: a warning, an escalation, a date to look again."""

    kind: str  # warning, escalation, look_again, major
    ticket_id: int
    clock_id: int
    clock: str
    at: datetime
    level: int = 0
    to_role: str = ""


@dataclass
class SweepResult:
    """What a look at the clocks found."""

    majors: int = 0
    clocks: int = 0
    escalations: int = 0
    events: list[ClockEvent] = field(default_factory=list)


def chunks(items: Iterable[Any], size: int = IN_ONE_QUERY) -> Iterator[list[Any]]:
    """The items in lists that fit into one statement."""
    rest = iter(items)
    while chunk := list(islice(rest, size)):
        yield chunk


def new_clocks(
    policies: PolicyTimeline,
    profile: TicketProfile,
    moment: Moment,
    at: datetime,
    pauses: Sequence[Pause] = (),
) -> list[Values]:
    """The rows of the clocks that a ticket gets at a moment (T4)."""
    in_force = policies.at(at)
    rules = clocks_starting(in_force.clocks, moment, profile.severity, profile.facts)
    return [clock_row(in_force, profile, rule, at, pauses) for rule in rules]


def clock_row(
    in_force: PoliciesInForce,
    profile: TicketProfile,
    rule: ClockRule,
    at: datetime,
    pauses: Sequence[Pause] = (),
) -> Values:
    """The row of one clock that starts at an instant, paused where its ticket waits (T4, T6)."""
    due = deadline(in_force.calendar, rule, at, pauses, registered_at=profile.registered_at)
    is_paused = rule.is_pausable and any(pause.until_at is None for pause in pauses)
    return {
        "ticket_id": profile.ticket_id,
        "clock": rule.clock,
        "started_at": at,
        "warn_at": due.warn_at,
        "due_at": due.due_at,
        "stopped_at": None,
        "warned_at": None,
        "state": ClockState.PAUSED.value if is_paused else ClockState.RUNNING.value,
        "rule": due.reason.to_json(),
        "first_level": in_force.escalation.level_at_start(profile.severity),
        "last_level": 0,
        "next_at": None if is_paused else due.warn_at,
    }


def stopped_clock(clock: Columns, at: datetime, *, is_void: bool = False) -> Values:
    """What changes on a clock that ends at an instant: met or breached, or void while it still ran (T4)."""
    is_paused = clock["state"] == ClockState.PAUSED
    judged = ClockState.MET if is_paused else clock_state(at, clock["due_at"], stopped_at=at)
    if is_void and judged is ClockState.MET:
        judged = ClockState.VOID
    return {"id": clock["id"], "stopped_at": at, "state": judged.value, "next_at": None}


# --- the clocks of one ticket, for the verbs -------------------------------------------------------


def open_clocks(session: Session, ticket_id: int) -> list[Columns]:
    """The clocks of a ticket that were not stopped, as rows."""
    rows = session.execute(
        select(CLOCK).where(CLOCK.c.ticket_id == ticket_id, CLOCK.c.stopped_at.is_(None)).order_by(CLOCK.c.id)
    )
    return list(rows.mappings())


def pauses_of(session: Session, ticket_ids: Collection[int]) -> dict[int, list[Pause]]:
    """The pauses of tickets, in order (T6)."""
    found: dict[int, list[Pause]] = defaultdict(list)
    for some in chunks(ticket_ids):
        rows = session.execute(
            select(ClockPause.ticket_id, ClockPause.from_at, ClockPause.to_at)
            .where(ClockPause.ticket_id.in_(some))
            .order_by(ClockPause.from_at, ClockPause.id)
        )
        for ticket_id, from_at, to_at in rows:
            found[ticket_id].append(Pause(from_at, to_at))
    return found


def start_clocks(
    session: Session, policies: PolicyTimeline, ticket: Ticket, moment: Moment, at: datetime
) -> int:
    """Start a ticket's clocks of a moment; answers how many."""
    pauses = pauses_of(session, [ticket.id])[ticket.id]
    rows = new_clocks(policies, TicketProfile.of(ticket), moment, at, pauses)
    insert_clocks(session, rows)
    return len(rows)


def insert_clocks(session: Session, rows: Sequence[Values]) -> None:
    """Store the rows of new clocks."""
    if rows:
        session.execute(insert(CLOCK), rows)


def apply_raised_severity(session: Session, policies: PolicyTimeline, ticket: Ticket, at: datetime) -> None:
    """A person raised the severity: its clocks start now and replace those of their kind that run (T3)."""
    pauses = pauses_of(session, [ticket.id])[ticket.id]
    rows = new_clocks(policies, TicketProfile.of(ticket), Moment.MAJOR, at, pauses)
    update_clocks(session, replaced_clocks(open_clocks(session, ticket.id), rows, at))
    insert_clocks(session, rows)


def replaced_clocks(clocks: Iterable[Columns], rows: Sequence[Values], at: datetime) -> list[Values]:
    """The clocks that new ones of their kind replace: void while they run, breached ones stay (T8)."""
    names = {row["clock"] for row in rows}
    over = []
    for clock in clocks:
        is_paused = clock["state"] == ClockState.PAUSED
        state = ClockState.PAUSED if is_paused else clock_state(at, clock["due_at"])
        if clock["clock"] in names and replaced_state(state) is ClockState.VOID:
            over.append(stopped_clock(clock, at, is_void=True))
    return over


def stop_clocks(
    session: Session, ticket_id: int, at: datetime, *, names: Collection[str] = (), is_void: bool = False
) -> list[str]:
    """Stop a ticket's running clocks (all, or those named); answers which.

    `is_void`: what still ran counts neither as met nor as breached.
    """
    stopped = [clock for clock in open_clocks(session, ticket_id) if not names or clock["clock"] in names]
    update_clocks(session, [stopped_clock(clock, at, is_void=is_void) for clock in stopped])
    return [clock["clock"] for clock in stopped]


def update_clocks(session: Session, changes: Sequence[Values]) -> None:
    """Write changed columns of clocks, all with the same columns, by id."""
    _update_rows(session, CLOCK, changes)


def pause_clocks(session: Session, ticket_id: int, at: datetime, look_at: datetime) -> int:
    """Pause the clocks that the policy lets pause; the tick looks again at `look_at` (T6)."""
    policies = PolicyTimeline(session)
    paused = []
    for clock in open_clocks(session, ticket_id):
        rule = policies.at(at).clock_rule(_rule_code(clock))
        if rule is not None and rule.is_pausable and clock_state(at, clock["due_at"]) is ClockState.RUNNING:
            paused.append({"id": clock["id"], "state": ClockState.PAUSED.value, "next_at": look_at})
    update_clocks(session, paused)
    return len(paused)


def resume_clocks(session: Session, ticket: Ticket, at: datetime) -> int:
    """Let the paused clocks run again, due later by the paused time in their own unit (T6)."""
    paused = [clock for clock in open_clocks(session, ticket.id) if clock["state"] == ClockState.PAUSED]
    policies, pauses = PolicyTimeline(session), pauses_of(session, [ticket.id])[ticket.id]
    changes = []
    for clock in paused:
        due = _deadline(policies, ticket.registered_at, clock, pauses, at) or _stored(clock)
        changes.append(_rescheduled(clock, due, at))
    update_clocks(session, changes)
    return len(changes)


def apply_lowered_severity(session: Session, policies: PolicyTimeline, ticket: Ticket, at: datetime) -> None:
    """Exchange the clocks that the former severity gave for those of the ticket's new one (T3).

    A clock that the new severity has too, by another rule, is counted from where the old one was, yet never
    due before now; one it has not is void. What was breached stays.
    """
    in_force, profile = policies.at(at), TicketProfile.of(ticket)
    wanted = {
        rule.clock: rule
        for moment in (Moment.REOPENED, Moment.REGISTERED)
        for rule in clocks_starting(in_force.clocks, moment, profile.severity, profile.facts)
    }
    pauses = pauses_of(session, [ticket.id])[ticket.id]
    new = []
    for clock in open_clocks(session, ticket.id):
        rule = wanted.get(clock["clock"])
        is_same = rule is not None and rule.code == _rule_code(clock)
        is_over = replaced_state(ClockState(clock["state"])).value == clock["state"]
        if is_same or is_over or clock["clock"] == FOLLOW_UP:
            continue
        update_clocks(session, [stopped_clock(clock, at, is_void=True)])
        if rule is not None:
            new.append(_not_before(clock_row(in_force, profile, rule, clock["started_at"], pauses), at))
    insert_clocks(session, new)


@dataclass(frozen=True)
class MovedDeadline:
    """A running clock whose deadline a changed policy or calendar moves; `row` are its columns before."""

    row: Columns
    kept: Deadline

    @property
    def is_earlier(self) -> bool:
        return bool(self.kept.due_at < self.row["due_at"])


@dataclass
class MovedDeadlines:
    """How many deadlines of how many open complaints a change moves (T5, T6)."""

    clocks: int = 0
    earlier: int = 0
    tickets: set[int] = field(default_factory=set)

    def count(self, moved: Sequence[MovedDeadline]) -> None:
        self.clocks += len(moved)
        self.earlier += sum(move.is_earlier for move in moved)
        self.tickets.update(move.row["ticket_id"] for move in moved)


def recalculate_running(
    session: Session, now: datetime, *, is_provisional_only: bool = False
) -> MovedDeadlines:
    """Judge all running clocks anew after a policy or a holiday changed; answers what moved (T5, T6).

    What was due up to now is judged before (`complaints.recalculate`). Pauses are kept, what was breached is
    not rewritten, and nothing becomes due before now; a paused clock is judged when it goes on.
    `is_provisional_only` looks at clocks set before a year's holidays were known.
    """
    moved = MovedDeadlines()
    for found in _moves(session, PolicyTimeline(session), now, is_provisional_only=is_provisional_only):
        moved.count(found)
        update_clocks(session, [_rescheduled(move.row, move.kept, now) for move in found])
    return moved


def preview_recalculation(session: Session, policies: PolicyTimeline, now: datetime) -> MovedDeadlines:
    """What `recalculate` would move by a rulebook that holds what is not yet saved; writes nothing."""
    moved = MovedDeadlines()
    for found in _moves(session, policies, now):
        moved.count(found)
    return moved


def _moves(
    session: Session, policies: PolicyTimeline, now: datetime, *, is_provisional_only: bool = False
) -> Iterator[list[MovedDeadline]]:
    """The running clocks, some thousands at a time, whose deadline differs by the policies in force now."""
    wanted = [CLOCK.c.next_at.is_not(None), CLOCK.c.state == ClockState.RUNNING.value]
    if is_provisional_only:
        wanted.append(CLOCK.c.rule.contains("provisional_year"))
    ids = list(session.execute(select(CLOCK.c.id).where(*wanted).order_by(CLOCK.c.id)).scalars())
    in_force = policies.at(now) if ids else None
    for some in chunks(ids):
        assert in_force is not None
        clocks = session.execute(
            select(CLOCK, TICKET.c.registered_at)
            .join(TICKET, TICKET.c.id == CLOCK.c.ticket_id)
            .where(CLOCK.c.id.in_(some))
        ).mappings()
        held = list(clocks)
        pauses = pauses_of(session, {clock["ticket_id"] for clock in held})
        moved = (_move(in_force, clock, pauses[clock["ticket_id"]], now) for clock in held)
        yield [move for move in moved if move is not None]


def _move(
    in_force: PoliciesInForce, clock: Columns, pauses: Sequence[Pause], now: datetime
) -> MovedDeadline | None:
    rule = in_force.clock_rule(_rule_code(clock))
    if rule is None or now > clock["due_at"]:
        return None
    fresh = deadline(
        in_force.calendar, rule, clock["started_at"], pauses, registered_at=clock["registered_at"]
    )
    kept = recalculated(_stored(clock), fresh, now)
    is_same = (kept.due_at, kept.warn_at) == (clock["due_at"], clock["warn_at"])
    return None if is_same else MovedDeadline(clock, kept)


def _rule_code(clock: Columns) -> str:
    return str(Reason.from_json(clock["rule"]).inputs.get("rule", ""))


def _stored(clock: Columns) -> Deadline:
    return Deadline(clock["warn_at"], clock["due_at"], Reason.from_json(clock["rule"]))


def _deadline(
    policies: PolicyTimeline,
    registered_at: datetime,
    clock: Columns,
    pauses: Sequence[Pause],
    as_of: datetime,
) -> Deadline | None:
    """A clock's deadline by its rule as it holds at `as_of`, or when it started; None when it is gone."""
    in_force, code = policies.at(as_of), _rule_code(clock)
    rule = in_force.clock_rule(code) or policies.at(clock["started_at"]).clock_rule(code)
    if rule is None:
        return None
    return deadline(
        in_force.calendar, rule, clock["started_at"], pauses, registered_at=registered_at, as_of=as_of
    )


def _rescheduled(clock: Columns, due: Deadline, at: datetime) -> Values:
    """The columns of a clock that runs with a new deadline; it warns again when the warning moved ahead."""
    warned_at = clock["warned_at"] if due.warn_at <= at else None
    return {
        "id": clock["id"],
        "state": ClockState.RUNNING.value,
        "warn_at": due.warn_at,
        "due_at": due.due_at,
        "warned_at": warned_at,
        "rule": due.reason.to_json(),
        "next_at": due.due_at if warned_at else due.warn_at,
    }


def _not_before(row: Values, at: datetime) -> Values:
    due_at = max(row["due_at"], at)
    return {**row, "due_at": due_at, "warn_at": min(row["warn_at"], due_at)}


# --- what became due -------------------------------------------------------------------------------


def process_due_clocks(
    session: Session,
    up_to: datetime,
    *,
    ticket_ids: Sequence[int] | None = None,
    policies: PolicyTimeline | None = None,
) -> SweepResult:
    """Warn, breach, escalate and turn major all that is due up to an instant (T4, T8).

    Reads only tickets and clocks whose next instant has come; `ticket_ids` narrows to these. Rows are dated
    by the rule, whenever this runs; running it twice adds nothing.
    """
    result = SweepResult()
    session.flush()
    for some in chunks(ticket_ids) if ticket_ids is not None else [None]:
        policies = _process_major_dates(session, up_to, some, policies, result)
        policies = _process_waiting_clocks(session, up_to, some, policies, result)
    return result


def _narrowed(query: Select[Any], column: Any, ticket_ids: Sequence[int] | None) -> Select[Any]:
    return query if ticket_ids is None else query.where(column.in_(ticket_ids))


def _process_major_dates(
    session: Session,
    up_to: datetime,
    ticket_ids: Sequence[int] | None,
    policies: PolicyTimeline | None,
    result: SweepResult,
) -> PolicyTimeline | None:
    """Tickets unsolved for too long become major at their instant; new clocks replace the old (T8)."""
    due = select(TICKET.c.id).where(TICKET.c.turns_major_at <= up_to)
    ids = list(session.execute(_narrowed(due, TICKET.c.id, ticket_ids)).scalars())
    if not ids:
        return policies
    policies = policies or PolicyTimeline(session)
    for some in chunks(sorted(ids)):
        _turn_tickets_major(session, policies, _locked(session, some, up_to), result)
    return policies


def _locked(session: Session, ids: Sequence[int], up_to: datetime) -> list[Columns]:
    """The tickets that are still to turn major now that nobody else can change them."""
    facts = [TICKET.c[name] for name in FACTS]
    query = (
        select(TICKET.c.id, TICKET.c.registered_at, TICKET.c.level, TICKET.c.turns_major_at, *facts)
        .where(TICKET.c.id.in_(ids), TICKET.c.turns_major_at <= up_to)
        .order_by(TICKET.c.id)
        .with_for_update()
    )
    return list(session.execute(query).mappings())


def _turn_tickets_major(
    session: Session, policies: PolicyTimeline, turned: Sequence[Columns], result: SweepResult
) -> None:
    ids = [ticket["id"] for ticket in turned]
    if not ids:
        return
    clocks: dict[int, list[Columns]] = defaultdict(list)
    for clock in session.execute(
        select(CLOCK).where(CLOCK.c.ticket_id.in_(ids), CLOCK.c.stopped_at.is_(None))
    ).mappings():
        clocks[clock["ticket_id"]].append(clock)
    pauses = pauses_of(session, ids)
    new: list[Values] = []
    over: list[Values] = []
    tickets: list[Values] = []
    events: list[Values] = []
    for ticket in turned:
        at = ticket["turns_major_at"]
        columns = major_columns(policies.at(at), at, ticket["registered_at"], ticket["level"])
        profile = TicketProfile(
            ticket["id"], ticket["registered_at"], columns["severity"], Facts.from_row(ticket)
        )
        rows = new_clocks(policies, profile, Moment.MAJOR, at, pauses[ticket["id"]])
        over += replaced_clocks(clocks[ticket["id"]], rows, at)
        new += rows
        tickets.append({"id": ticket["id"], **columns})
        events.append(_event(ticket["id"], at, "turn_major", columns["severity_reason"]))
        result.events.append(ClockEvent("major", ticket["id"], 0, "", at))
    insert_clocks(session, new)
    update_clocks(session, over)
    _update_rows(session, TICKET, tickets)
    session.execute(insert(EVENT), events)
    result.majors += len(tickets)


def major_columns(in_force: PoliciesInForce, at: datetime, registered_at: datetime, level: int) -> Values:
    """A ticket's columns from the instant at which it turned major (T8)."""
    severity, months = in_force.most_severe, in_force.life.months_until_major
    return {
        "severity": severity,
        "severity_reason": Reason(
            "unsolved_for_months", {"months": months, "since": registered_at}
        ).to_json(),
        "level": max(level, in_force.level_of(severity)),
        "became_major_at": at,
        "turns_major_at": None,
    }


def _event(ticket_id: int, at: datetime, verb: str, reason: str) -> Values:
    return {"ticket_id": ticket_id, "at": at, "staff_id": None, "verb": verb, "reason": reason, "note": ""}


def _process_waiting_clocks(
    session: Session,
    up_to: datetime,
    ticket_ids: Sequence[int] | None,
    policies: PolicyTimeline | None,
    result: SweepResult,
) -> PolicyTimeline | None:
    """Look at every clock whose next instant has come."""
    waiting = select(CLOCK.c.ticket_id).where(CLOCK.c.next_at <= up_to)
    ids = set(session.execute(_narrowed(waiting, CLOCK.c.ticket_id, ticket_ids)).scalars())
    if not ids:
        return policies
    policies = policies or PolicyTimeline(session)
    for some in chunks(sorted(ids)):
        levels = dict(
            session.execute(
                select(TICKET.c.id, TICKET.c.level)
                .where(TICKET.c.id.in_(some))
                .order_by(TICKET.c.id)
                .with_for_update()
            ).all()
        )
        clocks = session.execute(
            select(CLOCK).where(CLOCK.c.next_at <= up_to, CLOCK.c.ticket_id.in_(some)).order_by(CLOCK.c.id)
        ).mappings()
        _evaluate_clocks(session, policies, list(clocks), levels, up_to, result)
    return policies


def _evaluate_clocks(
    session: Session,
    policies: PolicyTimeline,
    clocks: Sequence[Columns],
    levels: Mapping[int, int],
    up_to: datetime,
    result: SweepResult,
) -> None:
    changes: list[Values] = []
    made: list[Values] = []
    levels_reached: dict[int, int] = {}
    for clock in clocks:
        steps, changed = _evaluate_clock(policies, clock, up_to, result.events)
        changes.append(changed)
        for step in steps:
            made.append(step)
            before = levels_reached.get(clock["ticket_id"], levels[clock["ticket_id"]])
            levels_reached[clock["ticket_id"]] = max(before, step["level"])
    update_clocks(session, changes)
    if made:
        session.execute(insert(ESCALATION), made)
    raised = [{"id": id_, "level": level} for id_, level in levels_reached.items() if level > levels[id_]]
    _update_rows(session, TICKET, raised)
    result.clocks += len(changes)
    result.escalations += len(made)


def _evaluate_clock(
    policies: PolicyTimeline, clock: Columns, up_to: datetime, events: list[ClockEvent]
) -> tuple[list[Values], Values]:
    """One clock at an instant: the escalations it makes, and its columns afterwards."""
    name, ticket_id = clock["clock"], clock["ticket_id"]
    kept = {
        "id": clock["id"],
        "state": clock["state"],
        "warned_at": clock["warned_at"],
        "last_level": clock["last_level"],
    }
    if clock["state"] == ClockState.PAUSED:
        events.append(ClockEvent("look_again", ticket_id, clock["id"], name, clock["next_at"]))
        return [], {**kept, "next_at": None}
    due, first = _stored(clock), clock["first_level"]
    in_force = policies.at(due.due_at)
    steps_ahead = escalations(in_force.calendar, in_force.escalation, name, first, due.due_at)
    steps = escalations_due(steps_ahead, up_to, made_levels=range(first, clock["last_level"] + 1))
    if clock["warned_at"] is None and due.warn_at <= up_to:
        kept["warned_at"] = due.warn_at
        events.append(ClockEvent("warning", ticket_id, clock["id"], name, due.warn_at))
    rows = [
        {
            "ticket_id": ticket_id,
            "ticket_clock_id": clock["id"],
            "clock": name,
            "level": step.level,
            "at": step.at,
            "to_role": step.to_role,
            "reason": step.reason.to_json(),
        }
        for step in steps
    ]
    events += [
        ClockEvent("escalation", ticket_id, clock["id"], name, step.at, step.level, step.to_role)
        for step in steps
    ]
    kept["state"] = clock_state(up_to, due.due_at).value
    kept["last_level"] = max([clock["last_level"], *(step.level for step in steps)])
    later = next_instant(up_to, due, steps_ahead, is_warned=kept["warned_at"] is not None)
    return rows, {**kept, "next_at": later}


def _update_rows(session: Session, table: Table, changes: Sequence[Values]) -> None:
    """Write changed columns by id, all rows with the same columns."""
    if not changes:
        return
    names = [name for name in changes[0] if name != "id"]
    statement = (
        update(table)
        .where(table.c.id == bindparam("row_id"))
        .values({table.c[name]: bindparam(f"to_{name}", type_=table.c[name].type) for name in names})
    )
    rows = [{"row_id": row["id"], **{f"to_{name}": row[name] for name in names}} for row in changes]
    session.connection().execute(statement, rows)
