"""Import of tickets from an office's old register, with the clocks they would have had (T1, T4).

What lies before the import is worked out in memory, a row at a time, by the same rules as for a ticket of
today; rows are written in bulk. Tickets still unsolved are then brought up to the present like any other.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Table, select
from sqlalchemy.orm import Session
from sqlalchemy.sql.schema import ScalarElementColumnDefault

from models.complaints import Category, Complainant, Ticket
from models.property import Estate, Unit
from models.text_keys import with_folded
from models.visits import Visit
from office.complaints import deadlines, visits
from office.complaints.deadlines import (
    CLOCK,
    EVENT,
    TICKET,
    TicketProfile,
    Values,
    new_clocks,
    stopped_clock,
)
from office.complaints.due_clocks import major_columns, process_due_clocks
from office.complaints.policies_in_force import PoliciesInForce, PolicyTimeline
from office.complaints.registration import SERIES, fact_columns
from office.core import numbering
from office.core.bulk_insert import insert_rows
from office.core.database import chunks
from office.core.errors import N_, Refused
from rules.deadlines import Moment
from rules.lifecycle import State, Verb, reopened_level
from rules.old_registers import Outcome
from rules.reasons import Reason
from rules.severity import Facts, proposal
from rules.text_keys import compared_key
from rules.visits import FOLLOW_UP, VisitOutcome, outcome, visit_plan, visitor

TAKE_OVER = "take_over"  # in the history of a ticket
BATCH = 5000  # rows in memory at once
VISIT: Table = Visit.__table__  # type: ignore[assignment] # a mapped class has a table
COMPLAINANT: Table = Complainant.__table__  # type: ignore[assignment]


@dataclass(frozen=True)
class LegacyTicket:
    """One row of an old register; instants are aware, an empty `severity` is proposed from the facts.

    `outcome` and `closed_at` are for a register that comes in as history (ticket_history.py); `handler` is
    the name as the register has it, also of somebody who left.
    """

    registered_at: datetime
    channel: str
    category: str
    statement: str
    facts: Facts = field(default_factory=Facts)
    number: str = ""
    unit_code: str = ""
    complainant: str = ""
    severity: str = ""
    resolution: str = ""
    handler: str = ""
    outcome: str = ""
    closed_at: datetime | None = None
    resolved_at: datetime | None = None
    followed_up_at: datetime | None = None
    satisfaction: int | None = None


@dataclass(frozen=True)
class ImportCounts:
    """How many tickets were added, and how many were skipped because the office has them."""

    added: int = 0
    skipped: int = 0


@dataclass
class TicketRows:
    """The rows of one ticket before they have ids."""

    ticket: Values
    clocks: list[Values]
    events: list[Values]
    visit: Values | None = None


def import_tickets(
    session: Session, rows: Iterable[LegacyTicket], *, now: datetime, staff_id: int | None = None
) -> ImportCounts:
    """Add the tickets that are not there yet; raises Refused for unknown codes, units and severities.

    One with a known number is skipped; one without number when the same complaint stands already.
    """
    return LegacyImport(session, now, staff_id).take(rows)


class LegacyImport:
    """The import of one file: what all its rows share, and what was already seen of it."""

    def __init__(self, session: Session, now: datetime, staff_id: int | None) -> None:
        self.session, self.now, self.staff_id = session, now, staff_id
        self.policies = PolicyTimeline(session)
        self.categories = {
            code: (category_id, department_id)
            for code, category_id, department_id in session.execute(
                select(Category.code, Category.id, Category.department_id)
            )
        }
        self.people = visits.visitor_candidates(session)
        self.units: dict[str, int] = {}
        self.seen_numbers: set[str] = set()
        self.seen_unnumbered: Counter[tuple[Any, ...]] = Counter()  # complaints without a number, in the file
        self.written_unnumbered: Counter[tuple[Any, ...]] = Counter()  # those of them that this import added
        sandbox, present_at = session.execute(select(Estate.is_sandbox, Estate.present_at)).one()
        # a sandbox that was never ticked has no present yet by which tickets could be late
        self.is_present_known = not sandbox or present_at is not None

    def take(self, rows: Iterable[LegacyTicket]) -> ImportCounts:
        """Add the rows that the office does not have, a batch at a time."""
        added = skipped = 0
        for batch in chunks(rows, BATCH):
            fresh = self.new_rows(batch)
            self.write(fresh)
            added += len(fresh)
            skipped += len(batch) - len(fresh)
        return ImportCounts(added, skipped)

    def new_rows(self, batch: Sequence[LegacyTicket]) -> list[LegacyTicket]:
        """The rows of a batch that the office does not have yet. Raises Refused for an unknown unit."""
        self._find_units({row.unit_code for row in batch if row.unit_code} - self.units.keys())
        known = self._known_numbers({compared_key(row.number) for row in batch if row.number})
        known_counts = self._known_counts([row for row in batch if not row.number])
        fresh = []
        for row in batch:
            if row.number:
                number = compared_key(row.number)
                is_new = number not in known and number not in self.seen_numbers
                self.seen_numbers.add(number)
            else:
                key = self._key(row)
                self.seen_unnumbered[key] += 1
                is_new = self.seen_unnumbered[key] > known_counts[key]
            if is_new:
                fresh.append(row)
        return fresh

    def _find_units(self, codes: Iterable[str]) -> None:
        wanted = set(codes)
        for some in chunks(sorted(wanted)):
            found = self.session.execute(select(Unit.code, Unit.id).where(Unit.code.in_(some)))
            self.units |= dict(found.all())
        missing = wanted - self.units.keys()
        if missing:
            raise Refused(N_("There is no unit %(unit)s"), unit=min(missing))

    def _known_numbers(self, wanted: set[str]) -> set[str]:
        """Those of these folded numbers that a ticket has."""
        found: set[str] = set()
        for some in chunks(sorted(wanted)):
            asked = select(Ticket.number_folded).where(Ticket.number_folded.in_(some))
            found |= set(self.session.execute(asked).scalars())
        return found

    def _known_counts(self, rows: Sequence[LegacyTicket]) -> Counter[tuple[Any, ...]]:
        """How often the office has each complaint without a number, not counting those of this import."""
        if not rows:
            return Counter()
        found = self.session.execute(
            select(
                Ticket.registered_at, Ticket.channel, Ticket.unit_id, Ticket.category_id, Ticket.statement
            ).where(Ticket.registered_at.in_({row.registered_at for row in rows}))
        )
        known_counts = Counter(tuple(row) for row in found)
        known_counts.subtract(
            {key: count for key, count in self.written_unnumbered.items() if key in known_counts}
        )
        return known_counts

    def _key(self, row: LegacyTicket) -> tuple[Any, ...]:
        unit_id = self.units[row.unit_code] if row.unit_code else None
        return (row.registered_at, row.channel, unit_id, self._category(row)[0], row.statement)

    def _category(self, row: LegacyTicket) -> tuple[int, int]:
        if row.category not in self.categories:
            raise Refused(N_("There is no category %(category)s"), category=row.category)
        return self.categories[row.category]

    # --- the rows of one ticket, in memory ---------------------------------------------------------------

    def rows_of(self, row: LegacyTicket) -> TicketRows:
        """The rows of a ticket as if the office had worked with it from its registration on."""
        in_force = self.policies.at(row.registered_at)
        severity, reason = self.severity_of(in_force, row)
        profile = TicketProfile(0, row.registered_at, severity, row.facts)
        ticket = self.ticket_columns(row, in_force, severity, reason)
        made = TicketRows(
            ticket, new_clocks(self.policies, profile, Moment.REGISTERED, row.registered_at), []
        )
        record(made, row.registered_at, "register", reason)
        if row.handler:
            self.record_take_over(made, row)
        solved = [(row.resolved_at, None)] if row.resolved_at else []
        ticket["turns_major_at"] = self.policies.at(row.registered_at).turns_major_at(
            row.registered_at, severity, solved
        )
        if row.resolved_at is not None:
            if ticket["turns_major_at"] is not None:
                self._turn_major(made, row)
            self._resolve(made, row, row.resolved_at)
        return made

    def record_take_over(self, made: TicketRows, row: LegacyTicket, **more: object) -> None:
        """Say in the history of a ticket that it comes from the old register, and what only that knows."""
        known = {"handler_was": row.handler, **more}
        reason = Reason("old_register", {name: value for name, value in known.items() if value})
        record(made, self.now, TAKE_OVER, reason)
        made.events[-1]["staff_id"] = self.staff_id

    def severity_of(self, in_force: PoliciesInForce, row: LegacyTicket) -> tuple[str, Reason]:
        if not row.severity:
            proposed = proposal(in_force.severities, row.facts)
            return proposed.severity, proposed.reason
        if row.severity not in {level.code for level in in_force.severities.level}:
            raise Refused(N_("There is no severity %(severity)s here"), severity=row.severity)
        return row.severity, Reason("given_by_register")

    def ticket_columns(
        self, row: LegacyTicket, in_force: PoliciesInForce, severity: str, reason: Reason
    ) -> Values:
        category_id, department_id = self._category(row)
        return {
            "number": row.number,
            "registered_at": row.registered_at,
            "channel": row.channel,
            "unit_id": self.units[row.unit_code] if row.unit_code else None,
            "category_id": category_id,
            "department_id": department_id,
            "statement": row.statement,
            "resolution": row.resolution,
            "is_anonymous": not row.complainant,
            **fact_columns(row.facts),
            "severity": severity,
            "severity_reason": reason.to_json(),
            "state": State.REGISTERED.value,
            "level": in_force.level_of(severity),
            "reopen_count": 0,
            "resolved_at": None,
            "followed_up_at": None,
            "closed_at": None,
            "outcome": "",
            "taken_over_at": None,
            "satisfaction": row.satisfaction,
            "turns_major_at": None,
            "became_major_at": None,
        }

    def _profile(self, made: TicketRows, row: LegacyTicket) -> TicketProfile:
        return TicketProfile(0, row.registered_at, made.ticket["severity"], row.facts)

    def _turn_major(self, made: TicketRows, row: LegacyTicket) -> None:
        """Turn a ticket major that was solved only after its month (T8)."""
        ticket, at = made.ticket, made.ticket["turns_major_at"]
        in_force = self.policies.at(at)
        ticket |= major_columns(in_force, at, row.registered_at, ticket["level"])
        new = new_clocks(self.policies, self._profile(made, row), Moment.MAJOR, at)
        over = deadlines.replaced_clocks([{**clock, "id": n} for n, clock in enumerate(made.clocks)], new, at)
        for change in over:
            made.clocks[change.pop("id")] |= change
        made.clocks += new
        record(made, at, "turn_major", Reason.from_json(ticket["severity_reason"]))

    def _resolve(self, made: TicketRows, row: LegacyTicket, resolved_at: datetime) -> None:
        ticket = made.ticket
        made.clocks = [_ended(clock, resolved_at) for clock in made.clocks]
        ticket |= {"state": State.RESOLVED.value, "resolved_at": resolved_at, "turns_major_at": None}
        record(made, resolved_at, Verb.RESOLVE.value)
        follow_up = new_clocks(self.policies, self._profile(made, row), Moment.RESOLVED, resolved_at)
        nobody = self.policies.at(resolved_at).escalation.top_level + 1
        # a ticket already resolved when it came makes no escalations (contract: Settled besides)
        made.clocks += [{**clock, "first_level": nobody} for clock in follow_up]
        due_at = next((clock["due_at"] for clock in follow_up if clock["clock"] == FOLLOW_UP), None)
        made.visit = self._visit(ticket, resolved_at, due_at)
        if row.followed_up_at is not None:
            self._follow_up(made, row, max(row.followed_up_at, resolved_at))

    def _visit(self, ticket: Values, resolved_at: datetime, due_at: datetime | None) -> Values:
        policy = self.policies.at(resolved_at).visits
        rule = policy.rule_for(FOLLOW_UP, ticket["severity"])
        assert rule is not None  # the policy ends with a row for all
        plan = visit_plan(rule, resolved_at, due_at)
        return {
            "kind": FOLLOW_UP,
            "unit_id": ticket["unit_id"],
            "planned_from": min(plan.planned_from, plan.due_at),
            "due_at": plan.due_at,
            "assignee_role": plan.assignee_role,
            "assignee_id": visitor(policy, rule, self.people).staff_id,
            "attempts": 0,
            "done_at": None,
            "satisfaction": None,
            "outcome": "",
            "reason": plan.reason.to_json(),
        }

    def _follow_up(self, made: TicketRows, row: LegacyTicket, at: datetime) -> None:
        """Apply the satisfaction of the old follow-up visit: closed, followed up, or reopened (V3)."""
        ticket, in_force = made.ticket, self.policies.at(at)
        made.clocks = [clock if clock["stopped_at"] else _ended(clock, at) for clock in made.clocks]
        meaning = outcome(in_force.visits, row.satisfaction) if row.satisfaction else None
        reason = Reason(f"visit_{meaning or visits.DONE}", {"satisfaction": row.satisfaction})
        assert made.visit is not None
        made.visit |= {
            "attempts": 1,
            "done_at": at,
            "satisfaction": row.satisfaction,
            "outcome": meaning.value if meaning else visits.DONE,
        }
        if meaning is VisitOutcome.DISSATISFIED:
            self._reopen(made, row, at, reason)
            return
        ticket |= {"state": State.FOLLOWED_UP.value, "followed_up_at": at}
        record(made, at, Verb.FOLLOW_UP.value, reason)
        if (
            meaning is VisitOutcome.SATISFIED
            and ticket["severity"] not in in_force.lifecycle.reviewed_severities
        ):
            ticket |= {"state": State.CLOSED.value, "closed_at": at, "outcome": Outcome.SOLVED.value}
            record(made, at, Verb.CLOSE.value)

    def _reopen(self, made: TicketRows, row: LegacyTicket, at: datetime, reason: Reason) -> None:
        ticket, resolved_at = made.ticket, made.ticket["resolved_at"]
        level = reopened_level(ticket["level"], self.policies.at(at).escalation.top_level)
        ticket |= {
            "state": State.REOPENED.value,
            "level": level,
            "reopen_count": 1,
            "resolved_at": None,
            "turns_major_at": self.policies.at(row.registered_at).turns_major_at(
                row.registered_at, ticket["severity"], [(resolved_at, at)]
            ),
        }
        made.clocks += new_clocks(self.policies, self._profile(made, row), Moment.REOPENED, at)
        record(made, at, Verb.REOPEN.value, reason)

    # --- writing -------------------------------------------------------------------------------------

    def write(self, rows: Sequence[LegacyTicket]) -> None:
        """Write a batch, then what came due on its unsolved tickets up to the present."""
        if not rows:
            return
        all_rows = [self.rows_of(row) for row in rows]
        self._number(rows, all_rows)
        session = self.session
        _insert(session, TICKET, [made.ticket for made in all_rows])
        ids = self._ids_by_number([made.ticket["number"] for made in all_rows])
        named = []
        unsolved = []
        for row, made in zip(rows, all_rows, strict=True):
            ticket_id = ids[made.ticket["number"]]
            for values in (*made.clocks, *made.events, *([made.visit] if made.visit else [])):
                values["ticket_id"] = ticket_id
            if row.complainant:
                named.append({"ticket_id": ticket_id, "name": row.complainant})
            if any(clock["next_at"] is not None for clock in made.clocks) or made.ticket["turns_major_at"]:
                unsolved.append(ticket_id)
        _insert(session, COMPLAINANT, named)
        _insert(session, CLOCK, [clock for made in all_rows for clock in made.clocks])
        _insert(session, EVENT, [event for made in all_rows for event in made.events])
        _insert(session, VISIT, [made.visit for made in all_rows if made.visit])
        self.written_unnumbered.update(self._key(row) for row in rows if not row.number)
        if self.is_present_known:
            process_due_clocks(session, self.now, ticket_ids=unsolved, policies=self.policies)

    def _ids_by_number(self, wanted: Sequence[str]) -> dict[str, int]:
        found = self.session.execute(select(Ticket.number, Ticket.id).where(Ticket.number.in_(wanted)))
        return dict(found.all())

    def _number(self, rows: Sequence[LegacyTicket], all_rows: Sequence[TicketRows]) -> None:
        """Give numbers of the office's own series to tickets without one, and to all visits."""
        without = [
            (row.registered_at, made.ticket)
            for row, made in zip(rows, all_rows, strict=True)
            if not row.number
        ]
        self._assign_numbers("T", SERIES, without)
        planned = [(made.visit["planned_from"], made.visit) for made in all_rows if made.visit]
        self._assign_numbers("V", visits.SERIES, planned)

    def _assign_numbers(self, prefix: str, series: str, wanted: Sequence[tuple[datetime, Values]]) -> None:
        by_year: dict[int, list[Values]] = defaultdict(list)
        for at, values in wanted:
            by_year[at.astimezone(self.policies.zone).year].append(values)
        for year, all_values in sorted(by_year.items()):
            free = self._free_numbers(prefix, series, year, len(all_values))
            for values, number in zip(all_values, free, strict=True):
                values["number"] = number

    def _free_numbers(self, prefix: str, series: str, year: int, count: int) -> list[str]:
        """The next numbers of a series that no imported ticket has."""
        free: list[str] = []
        while len(free) < count:
            wanted = count - len(free)
            first = numbering.take(self.session, series, year, wanted)
            made = [numbering.written(f"{prefix}{year}", first + step) for step in range(wanted)]
            taken: set[str] = set()
            if series == SERIES:
                taken = self._known_numbers(set(map(compared_key, made))) | self.seen_numbers
            free += [number for number in made if compared_key(number) not in taken]
        return free


def _insert(session: Session, table: Table, rows: Sequence[Values]) -> None:
    """Write rows that all have the same columns; other columns get the plain defaults of their model."""
    if not rows:
        return
    rows = [with_folded(table, row) for row in rows]
    names = list(rows[0])
    left_out = {
        column.name: column.default.arg
        for column in table.c
        if column.name not in rows[0] and isinstance(column.default, ScalarElementColumnDefault)
    }
    rest = tuple(left_out.values())
    values = (tuple(row[name] for name in names) + rest for row in rows)
    insert_rows(session, table, [*names, *left_out], values)


def _ended(clock: Values, at: datetime) -> Values:
    """A clock of the past, stopped at an instant unless it was stopped before."""
    if clock["stopped_at"] is not None:
        return clock
    changed = stopped_clock({**clock, "id": 0}, at)
    return {**clock, **{name: value for name, value in changed.items() if name != "id"}}


def record(made: TicketRows, at: datetime, verb: str, reason: Reason | None = None) -> None:
    made.events.append(
        {"at": at, "staff_id": None, "verb": verb, "reason": reason.to_json() if reason else "", "note": ""}
    )
