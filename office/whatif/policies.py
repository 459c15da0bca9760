"""What other deadlines, late fees or targets would have made of a month; nothing is written (§9).

A ladder is tried in office/whatif/dunning.py, which hands these documents on. What people would have done
otherwise nobody knows: complaints are taken as solved and bills as paid when they were.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from models.complaints import Ticket
from models.payments import Allocation
from models.property import Area, Unit
from office.complaints import deadlines
from office.complaints.deadlines import CLOCK, TicketProfile
from office.complaints.policies_in_force import PoliciesInForce, PolicyTimeline
from office.core import clock
from office.core.database import chunks
from office.core.errors import N_, Refused
from office.policies import store
from office.policies.documents import PolicyRefused, typed
from office.receivables import late_fees, ledger
from office.receivables.ledger import INVOICE
from office.reports import collection
from office.reports.table import Wanted, places
from rules.deadlines import ClockRule, ClockState, Moment, Pause, clock_state, clocks_starting, deadline
from rules.late_fee import LateFeeDocument, LateFeePolicy
from rules.money import ZERO, yuan
from rules.receivables import Receivable
from rules.report_rates import Collected, distance, missing_to_target, on_time_rate

DIFFERENCES = 200  # as many as a reader looks through; the counts are complete
FULL = 100  # percent
STATES = {"met": "met", "breached": "breached", "running": "running", "paused": "running"}
Trial = dict[str, Any]


@dataclass(frozen=True)
class Span:
    """The month that is looked at, up to today."""

    period: str
    first: date
    last: date
    now: datetime

    def days(self) -> dict[str, Any]:
        return {"period": self.period, "from": self.first.isoformat(), "to": self.last.isoformat()}


def tried(session: Session, rows: Mapping[str, Any], span: Span) -> Trial:
    """The trial that a document asks for. Raises Refused for another or one that could not be saved."""
    if "target" in rows:
        return _targets(session, rows, span)
    policy = "clocks" if "rule" in rows else "calendar" if "hours" in rows else "late_fee"
    if policy == "late_fee" and policy not in rows:
        raise Refused(
            N_("Only ladder, gates, deadlines, office hours, late fee and targets can be simulated")
        )
    if found := store.problems(session, policy, rows, store.current_documents(session, span.last)):
        raise PolicyRefused(found)
    return (_late_fee if policy == "late_fee" else _deadlines)(session, policy, rows, span)


def _answer(
    span: Span, policy: str, was: Mapping[str, Any], would: Mapping[str, Any], changes: Sequence[Trial]
) -> Trial:
    return {
        **span.days(),
        "policy": policy,
        "actual": was,
        "simulated": would,
        "changed": len(changes),
        "changes": list(changes[:DIFFERENCES]),
    }


# --- deadlines (T4, T5) ---------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Ticket:
    number: str
    profile: TicketProfile
    resolved_at: datetime | None


@dataclass(frozen=True)
class _Judged:
    """A clock of a ticket: until when, and kept or not."""

    due_at: datetime
    state: str


def _deadlines(session: Session, policy: str, rows: Mapping[str, Any], span: Span) -> Trial:
    """Each clock of the month's valid complaints as it was, and by the changed rules or hours (T4)."""
    tickets = _tickets(session, span)
    pauses = deadlines.pauses_of(session, tickets)
    # what was in force at the end of the month stands for all of it
    old, new = (
        PolicyTimeline(session, as_if=as_if).on(span.last) for as_if in ({}, {policy: (span.last, rows)})
    )
    was: dict[tuple[str, str], _Judged] = {}
    would: dict[tuple[str, str], _Judged] = {}
    known: dict[int, set[str]] = {key: set() for key in tickets}
    for ids in chunks(tickets):
        for row in session.execute(select(CLOCK).where(CLOCK.c.ticket_id.in_(ids))).mappings():
            ticket = tickets[row["ticket_id"]]
            known[row["ticket_id"]].add(row["clock"])
            if row["state"] == ClockState.VOID:
                continue
            key = (ticket.number, f"{row['clock']} {row['id']}")
            was[key] = _Judged(row["due_at"], STATES[row["state"]])
            if again := _again(row, ticket, pauses[row["ticket_id"]], old, new, span.now):
                would[key] = again
    for ticket_id, ticket in tickets.items():
        for rule in _added(ticket.profile, known[ticket_id], old, new):
            due = deadline(new.calendar, rule, ticket.profile.registered_at, pauses[ticket_id])
            state = clock_state(span.now, due.due_at, stopped_at=ticket.resolved_at)
            would[ticket.number, rule.clock] = _Judged(due.due_at, STATES[state.value])
    differ = sorted(key for key in was.keys() | would.keys() if was.get(key) != would.get(key))
    zone = clock.zone(session)

    def shown(found: _Judged | None) -> Trial:
        return {"due_at": found.due_at.astimezone(zone).isoformat(), "state": found.state} if found else {}

    changes = [
        {
            "number": key[0],
            "clock": key[1].split()[0],
            "actual": shown(was.get(key)),
            "simulated": shown(would.get(key)),
        }
        for key in differ
    ]
    return _answer(span, policy, _kept(was), _kept(would), changes)


def _tickets(session: Session, span: Span) -> dict[int, _Ticket]:
    zone = clock.zone(session)
    since = datetime.combine(span.first, time(), zone)
    until = datetime.combine(span.last + timedelta(days=1), time(), zone)
    found = session.scalars(
        select(Ticket)
        .where(Ticket.registered_at >= since, Ticket.registered_at < until, Ticket.state != "invalid")
        .order_by(Ticket.id)
    )
    return {
        ticket.id: _Ticket(ticket.number, TicketProfile.of(ticket), ticket.resolved_at) for ticket in found
    }


def _again(
    row: Mapping[Any, Any],
    ticket: _Ticket,
    pauses: Sequence[Pause],
    old: PoliciesInForce,
    new: PoliciesInForce,
    now: datetime,
) -> _Judged | None:
    """A stored clock by the new rules; as it is where nothing changes for it, None without a rule."""
    before = old.clock_rule(str(json.loads(row["rule"])["inputs"].get("rule", "")))
    rule = _rule(row["clock"], ticket.profile, before, new)
    if rule is None:
        return None
    if rule == before and old.calendar == new.calendar:
        return _Judged(row["due_at"], STATES[row["state"]])
    registered_at = ticket.profile.registered_at
    due = deadline(new.calendar, rule, row["started_at"], pauses, registered_at=registered_at)
    paused_at = next((pause.from_at for pause in pauses if pause.until_at is None), None)
    state = clock_state(
        now, due.due_at, stopped_at=row["stopped_at"], paused_at=paused_at if rule.is_pausable else None
    )
    return _Judged(due.due_at, STATES[state.value])


def _rule(
    code: str, profile: TicketProfile, before: ClockRule | None, new: PoliciesInForce
) -> ClockRule | None:
    """The new rule of a stored clock: the same row if it is still for such tickets, else the first."""
    same = new.clock_rule(before.code) if before else None
    if same and before and same.is_active and same.clock == code and _for_whom(same) == _for_whom(before):
        return same
    moments = before.starts_at if before else tuple(Moment)
    return next(
        (
            rule
            for rule in new.clocks
            if rule.clock == code
            and any(rule.is_for(one, profile.severity, profile.facts) for one in moments)
        ),
        None,
    )


def _for_whom(rule: ClockRule) -> tuple[Any, ...]:
    return rule.severities, rule.needs_fact, rule.starts_at


def _added(
    profile: TicketProfile, known: set[str], old: PoliciesInForce, new: PoliciesInForce
) -> list[ClockRule]:
    """Clocks that only the new rules start at the registration."""

    def started(in_force: PoliciesInForce) -> dict[str, ClockRule]:
        rules = clocks_starting(in_force.clocks, Moment.REGISTERED, profile.severity, profile.facts)
        return {rule.clock: rule for rule in rules}

    before = started(old)
    return [rule for name, rule in started(new).items() if name not in before and name not in known]


def _kept(found: Mapping[tuple[str, str], _Judged]) -> dict[str, dict[str, Any]]:
    counts: dict[str, Counter[str]] = {}
    for (_number, name), judged in found.items():
        counts.setdefault(name.split()[0], Counter())[judged.state] += 1
    return {
        name: {
            "met": count["met"],
            "breached": count["breached"],
            "running": count["running"],
            "rate": None if (rate := on_time_rate(count["met"], count["breached"])) is None else str(rate),
        }
        for name, count in sorted(counts.items())
    }


# --- late fee (B7) --------------------------------------------------------------------------------------


def _late_fee(session: Session, policy: str, rows: Mapping[str, Any], span: Span) -> Trial:
    """What accrued in the month on each bill by the policy in force and by the changed one, unwaived."""
    stored = late_fees.policy_on(session, span.last)
    changed = typed(LateFeeDocument, rows).policy
    moved = select(Allocation.invoice_id).where(Allocation.allocated_on >= span.first)
    late = ledger.receivables(
        session,
        INVOICE.c.due_on < span.last,
        or_(ledger.is_open(), INVOICE.c.id.in_(moved)),
        policy=stored if stored.is_on else changed,
        is_by_item=bool(changed.items),
    )
    found = {bill.id: tuple(_accrued(policy, bill, span) for policy in (stored, changed)) for bill in late}
    differ = sorted(
        (bill for bill in late if found[bill.id][0] != found[bill.id][1]),
        key=lambda bill: (-abs(found[bill.id][1] - found[bill.id][0]), bill.id),
    )
    shown = {bill.unit_id for bill in differ[:DIFFERENCES]}
    codes = dict(iter(session.execute(select(Unit.id, Unit.code).where(Unit.id.in_(shown)))))
    changes = [
        {
            "number": bill.number,
            "unit_code": codes.get(bill.unit_id, ""),
            "actual": {"amount": yuan(found[bill.id][0])},
            "simulated": {"amount": yuan(found[bill.id][1])},
        }
        for bill in differ[:DIFFERENCES]
    ]

    def summed(side: int) -> dict[str, Trial]:
        amounts = [pair[side] for pair in found.values() if pair[side]]
        return {"late_fee": {"invoices": len(amounts), "amount": yuan(sum(amounts, ZERO))}}

    answer = _answer(span, policy, summed(0), summed(1), changes)
    return {**answer, "changed": len(differ)}


def _accrued(policy: LateFeePolicy, bill: Receivable, span: Span) -> Decimal:
    """The fee that the days of the month add to a bill."""
    after = span.last + timedelta(days=1)
    at_end, at_start = (bill.gross_late_fee(policy, on).amount for on in (after, span.first))
    return at_end - at_start


# --- targets (K1) ---------------------------------------------------------------------------------------


def targets_document(session: Session, year: int) -> dict[str, Any]:
    """The targets of a year as a document to change: the estate and each area, theirs or the estate's."""
    aims = collection.targets(session, year)
    areas = session.execute(select(Area.id, Area.name).order_by(Area.position, Area.name))
    whole = int(aims.get(None, FULL))
    return {
        "target": [
            {"area": "", "percent": whole},
            *({"area": name, "percent": int(aims.get(key, whole))} for key, name in areas),
        ]
    }


def _targets(session: Session, rows: Mapping[str, Any], span: Span) -> Trial:
    """The distance of each area to its target as it is, and to another (K1)."""
    try:
        aims = {str(row.get("area") or ""): Decimal(str(row["percent"])) for row in rows["target"]}
    except (KeyError, TypeError, ArithmeticError) as wrong:
        raise Refused(N_("A target needs an area (empty: the whole estate) and a percentage")) from wrong
    if not all(0 <= aim <= FULL for aim in aims.values()):
        raise Refused(N_("A target lies between 0 and 100 percent"))
    wanted = Wanted(span.period, span.now, span.last)
    collected = collection.collected(session, wanted)
    stored = collection.targets(session, wanted.year)
    of_area: dict[str, Collected] = {"": collection.summed(collected.values())}
    now: dict[str, Decimal | None] = {"": stored.get(None)}
    for place in places(session, wanted):
        part = collected.get(place.building_id, Collected())
        of_area[place.area] = of_area.get(place.area, Collected()) + part
        now[place.area] = stored.get(place.area_id, stored.get(None))
    if unknown := sorted(aims.keys() - of_area.keys()):
        raise Refused(N_("There is no area %(name)s"), name=", ".join(unknown))
    was = {area: _against(found, now[area]) for area, found in of_area.items()}
    would = {
        area: _against(found, aims.get(area, aims.get("", now[area]))) for area, found in of_area.items()
    }
    changes = [
        {"area": area, "actual": was[area], "simulated": would[area]}
        for area in of_area
        if was[area] != would[area]
    ]
    return _answer(span, "targets", was, would, changes)


def _against(found: Collected, aim: Decimal | None) -> Trial:
    points = None if aim is None else distance(found.rate_amount, aim)
    return {
        "rate": None if found.rate_amount is None else str(found.rate_amount),
        "target": None if aim is None else str(aim),
        "points": None if points is None else f"{points:+}",
        "missing": None if aim is None else yuan(missing_to_target(found, aim)),
    }
