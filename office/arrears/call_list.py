"""The call list: whom to call or visit today, in which order, outside quiet hours, how to begin (C8)."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from functools import cache
from typing import Any

from sqlalchemy import select, text
from sqlalchemy.orm import Session

import seed
from models.collection import Contact, OpeningText, Reminder
from models.people import Owner, OwnerPhone, steward_building
from models.property import Estate, Unit
from office.arrears import holds, joint_reminders
from office.arrears.debts import AsOf, Debt, Debtor, owed, total
from office.arrears.reminder_batches import PERSONAL
from office.core.database import chunks
from office.policies import store
from rules.call_list import call_order, contact_marks, is_quiet, promise_reason
from rules.dunning import past_due
from rules.next_steps import next_step

OPEN_CALLS = text("reminder.state IN ('planned', 'approved')")  # literal, as the partial index says it


@dataclass(frozen=True)
class CallEntry:
    """One household to speak with; `debt` in yuan, `not_before` when calling now would disturb."""

    unit_id: int
    unit_code: str
    payer_id: int
    payer_name: str
    promise: str  # promise_due, promise_broken, or nothing
    stage: str  # the code of the stage to carry out, if any
    channel: str
    debt: Decimal
    oldest_due_on: date
    reminder_id: int | None
    phones: tuple[str, ...]
    arrears_reason: str
    next_step: str
    last_at: datetime | None
    last_note: str
    promised_on: date | None
    opening: str
    is_quiet: bool
    marks: tuple[str, ...] = ()  # what is wrong with the contacts: no_phone, phone_bad, email_bad (P6)
    units: tuple[CallUnit, ...] = ()  # all units of the payer that it is about, where these are several (C19)
    waiting: tuple[str, ...] = ()  # units of the payer that are on hold


@dataclass(frozen=True)
class CallUnit:
    """A unit that a call is about; `debt` in yuan."""

    unit_id: int
    unit_code: str
    debt: Decimal


def call_list(
    session: Session, *, now: datetime, language: str, staff_id: int | None = None
) -> list[CallEntry]:
    """Today's calls and visits, the largest debt first; of a steward only the own buildings' (C8)."""
    as_of = AsOf.of(session, now)
    buildings = _buildings(session, staff_id)
    units = select(Unit.id).where(Unit.building_id.in_(buildings)) if buildings else None
    wanted = _wanted(session, as_of, units)
    return _entries(session, as_of, _chased(session, as_of, wanted), language)


def _chased(session: Session, as_of: AsOf, wanted: Mapping[Debtor, _Wanted]) -> dict[Debtor, _Wanted]:
    """Those that no complaint or hold keeps from being called."""
    standing = holds.holds_at(session, as_of, {unit_id for unit_id, _ in wanted})
    held = standing.complaints | standing.holds
    return {debtor: one for debtor, one in wanted.items() if debtor not in held}


def entry_of(session: Session, debtor: Debtor, *, now: datetime, language: str) -> CallEntry | None:
    """The same of one payer and unit, on today's list or not; nothing for who owes nothing past due."""
    as_of = AsOf.of(session, now)
    wanted = {debtor: _wanted(session, as_of, [debtor[0]]).get(debtor) or _Wanted()}
    if holds.stored_ladder(session, as_of.day).is_one_notice_per_payer:  # and what else it is about (C19)
        units = session.scalars(select(Reminder.unit_id).where(OPEN_CALLS, Reminder.payer_id == debtor[1]))
        wanted |= {
            one: found
            for one, found in _wanted(session, as_of, set(units)).items()
            if one[1] == debtor[1] and one != debtor
        }
        wanted = {debtor: wanted[debtor]} | _chased(session, as_of, wanted)
    return next(iter(_entries(session, as_of, wanted, language, first=debtor)), None)


def _entries(
    session: Session,
    as_of: AsOf,
    wanted: Mapping[Debtor, _Wanted],
    language: str,
    first: Debtor | None = None,
) -> list[CallEntry]:
    """An entry for each payer and unit, or for each payer where one call is for all units (C19).

    Of several units the one whose stage is strongest speaks, then the one that owes most, or `first`.
    """
    if not wanted:
        return []
    debts = owed(session, as_of, until=as_of.day, units={unit_id for unit_id, _ in wanted})
    late = {debtor: past_due(debts.get(debtor, ()), as_of.day) for debtor in wanted}
    people = _people(session, wanted)
    last = _last_contacts(session, as_of, wanted)
    openings = opening_texts(session, language)
    lunch = not store.calendar(session, as_of.day).is_open(as_of.at)
    estate = session.scalar(select(Estate.name)) or ""
    chain = holds.stored_ladder(session, as_of.day)
    groups: dict[object, list[Debtor]] = {}
    for debtor, rows in late.items():
        if rows:
            key = debtor[1] if chain.is_one_notice_per_payer else debtor
            groups.setdefault(key, []).append(debtor)
    is_joint = chain.is_one_notice_per_payer
    held = joint_reminders.on_hold(session, as_of, {debtor[1] for debtor in late} if is_joint else ())
    orders = {stage.code: stage.order for stage in chain.stages}
    entries = []
    for members in groups.values():
        members.sort(
            key=lambda one: (one != first, -orders.get(wanted[one].stage, 0), -total(late[one]), one)
        )
        speaks = members[0]
        units = tuple(CallUnit(one[0], people[one].unit_code, total(late[one])) for one in members)
        named = {one.unit_id for one in units}
        promised = next((wanted[one].promise for one in members if wanted[one].promise), "")
        entries.append(
            _entry(
                replace(wanted[speaks], promise=promised),
                people[speaks],
                last.get(speaks),
                [debt for one in members for debt in late[one]],
                openings,
                estate,
                as_of,
                is_meal=lunch,
                units=units if len(units) > 1 else (),
                waiting=tuple(code for key, code in held.get(speaks[1], {}).items() if key not in named),
            )
        )
    return sorted(entries, key=lambda entry: call_order(entry.debt, entry.unit_code))


def _buildings(session: Session, staff_id: int | None) -> Sequence[int]:
    if staff_id is None:
        return ()
    return session.scalars(
        select(steward_building.c.building_id).where(steward_building.c.staff_id == staff_id)
    ).all()


@dataclass(frozen=True)
class _Wanted:
    promise: str = ""
    stage: str = ""
    channel: str = "phone"
    reminder_id: int | None = None
    promised_on: date | None = None


def _wanted(session: Session, as_of: AsOf, units: Any = None) -> dict[Debtor, _Wanted]:
    """Debtors with a call or visit to make, or a promise that is due today or was broken yesterday."""
    todo = select(Reminder.unit_id, Reminder.payer_id, Reminder.stage, Reminder.channel, Reminder.id).where(
        OPEN_CALLS, Reminder.channel.in_(PERSONAL), Reminder.planned_on <= as_of.day
    )
    promised = select(Contact.unit_id, Contact.payer_id, Contact.promised_on, Contact.promise_state).where(
        Contact.promised_on.between(as_of.day.replace(day=1), as_of.day),
        Contact.promise_state.in_(("open", "broken")),
    )
    if units is not None:
        todo, promised = todo.where(Reminder.unit_id.in_(units)), promised.where(Contact.unit_id.in_(units))
    promises: dict[Debtor, _Wanted] = {}  # of several the latest
    for unit_id, payer_id, promised_on, state in session.execute(
        promised.order_by(Contact.promised_on, Contact.id)
    ):
        assert promised_on is not None
        if reason := promise_reason(state, promised_on, as_of.day):
            promises[unit_id, payer_id] = _Wanted(reason, promised_on=promised_on)
    found = dict(promises)
    for unit_id, payer_id, stage, channel, key in session.execute(
        todo.order_by(Reminder.planned_on, Reminder.id)
    ):
        promise = promises.get((unit_id, payer_id), _Wanted())
        found[unit_id, payer_id] = replace(promise, stage=stage, channel=channel, reminder_id=key)
    return found


@dataclass(frozen=True)
class _Person:
    unit_code: str
    name: str
    quiet_from: str
    quiet_to: str
    phones: tuple[str, ...]
    marks: tuple[str, ...]


def _people(session: Session, debtors: Collection[Debtor]) -> dict[Debtor, _Person]:
    phones: dict[int, list[str]] = {}
    bad: set[int] = set()
    owners: dict[int, Any] = {}
    codes: dict[int, str] = {}
    for chunk in chunks({payer_id for _, payer_id in debtors}):
        query = select(Owner.id, Owner.name, Owner.quiet_from, Owner.quiet_to, Owner.is_email_bad).where(
            Owner.id.in_(chunk)
        )
        owners |= {row.id: row for row in session.execute(query)}
        numbers = select(OwnerPhone.owner_id, OwnerPhone.number, OwnerPhone.is_bad).where(
            OwnerPhone.owner_id.in_(chunk)
        )
        for owner_id, number, is_bad in session.execute(numbers.order_by(OwnerPhone.position)):
            if is_bad:
                bad.add(owner_id)
            else:
                phones.setdefault(owner_id, []).append(number)
    for chunk in chunks({unit_id for unit_id, _ in debtors}):
        codes |= {
            row.id: row.code for row in session.execute(select(Unit.id, Unit.code).where(Unit.id.in_(chunk)))
        }
    return {
        (unit_id, payer_id): _Person(
            codes[unit_id],
            owners[payer_id].name,
            owners[payer_id].quiet_from,
            owners[payer_id].quiet_to,
            tuple(phones.get(payer_id, ())),
            contact_marks(
                has_phone=payer_id in phones,
                has_bad_phone=payer_id in bad,
                is_email_bad=owners[payer_id].is_email_bad,
            ),
        )
        for unit_id, payer_id in debtors
    }


def marks_of(session: Session, debtor: Debtor) -> tuple[str, ...]:
    """What is wrong with a payer's contacts, as the list marks it (P6)."""
    return _people(session, [debtor])[debtor].marks


def _last_contacts(session: Session, as_of: AsOf, debtors: Collection[Debtor]) -> dict[Debtor, Contact]:
    found: dict[Debtor, Contact] = {}
    for chunk in chunks({unit_id for unit_id, _ in debtors}):
        rows = session.scalars(
            select(Contact)
            .where(Contact.unit_id.in_(chunk), Contact.at <= as_of.at)
            .order_by(Contact.at, Contact.id)
        )
        for row in rows:
            found[row.unit_id, row.payer_id] = row
    return found


def _entry(
    wanted: _Wanted,
    person: _Person,
    last: Contact | None,
    late: Sequence[Debt],
    openings: Mapping[str, str],
    estate: str,
    as_of: AsOf,
    *,
    is_meal: bool,
    units: tuple[CallUnit, ...],
    waiting: tuple[str, ...],
) -> CallEntry:
    reason = last.arrears_reason if last is not None else ""
    amount = total(late)
    values = {
        "estate_name": estate,
        "unit_code": ", ".join(one.unit_code for one in units) or person.unit_code,
        "amount": f"{amount:,.2f}",
        "due_on": min(one.due_on for one in late).isoformat(),
    }
    opening = openings.get(reason) or openings.get("", "")
    for name, value in values.items():
        opening = opening.replace("{" + name + "}", value)
    local = as_of.at.astimezone(as_of.zone).time()
    return CallEntry(
        unit_id=late[0].unit_id,
        unit_code=person.unit_code,
        payer_id=late[0].payer_id,
        payer_name=person.name,
        promise=wanted.promise,
        stage=wanted.stage,
        channel=wanted.channel,
        debt=amount,
        oldest_due_on=min(one.due_on for one in late),
        reminder_id=wanted.reminder_id,
        phones=person.phones,
        arrears_reason=reason,
        next_step=next_step(reason),
        last_at=last.at if last is not None else None,
        last_note=(last.note or last.outcome) if last is not None else "",
        promised_on=wanted.promised_on or (last.promised_on if last is not None else None),
        opening=opening,
        is_quiet=wanted.channel == "phone"
        and (is_meal or is_quiet(person.quiet_from, person.quiet_to, local)),
        marks=person.marks,
        units=units,
        waiting=waiting,
    )


@cache
def _seeded() -> Mapping[str, Mapping[str, str]]:
    return seed.openings()


def opening_texts(session: Session, language: str) -> dict[str, str]:
    """The suggested openings by reason for arrears: the office's own, else the seed's (C8)."""
    own = session.execute(
        select(OpeningText.arrears_reason, OpeningText.text).where(OpeningText.language == language)
    )
    seeded = dict(_seeded().get(language, _seeded()["zh_Hans"]))
    return seeded | {row.arrears_reason: row.text for row in own}
