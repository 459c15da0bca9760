"""Reminders of one payer that go out together: which with which, and what if one drops out (C19).

The reminder without `joined_id` is the one whose paper, message or call speaks for the others.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence

from sqlalchemy import ColumnElement, func, select, update
from sqlalchemy.orm import Session

from models.billing import Invoice
from models.collection import Reminder
from models.property import Unit
from office.arrears import holds as arrears_holds
from office.arrears.debts import NOTHING, AsOf, owed
from office.core.database import chunks
from rules.ladder import Ladder

GONE = ("dropped", "printed", "done", "sent")


def lead_id() -> ColumnElement[int]:
    """The reminder with which one goes out: itself where it stands alone."""
    return func.coalesce(Reminder.joined_id, Reminder.id)


def with_joined(session: Session, ids: Iterable[int]) -> list[int]:
    """These reminders and all that go out with them."""
    found: set[int] = set()
    for chunk in chunks(ids):
        leads = session.scalars(select(lead_id()).where(Reminder.id.in_(chunk))).all()
        found.update(leads)
        found.update(session.scalars(select(Reminder.id).where(Reminder.joined_id.in_(leads))))
    return sorted(found)


def of_leads(session: Session, ids: Collection[int]) -> Mapping[int, Sequence[Reminder]]:
    """The reminders that go out with each of these, but those that were dropped; in the order of units."""
    found: dict[int, list[Reminder]] = defaultdict(list)
    for chunk in chunks(ids):
        rows = session.scalars(
            select(Reminder)
            .join(Unit, Unit.id == Reminder.unit_id)
            .where(Reminder.joined_id.in_(chunk), Reminder.state != "dropped")
            .order_by(Unit.code, Reminder.id)
        )
        for row in rows:
            assert row.joined_id is not None  # asked for
            found[row.joined_id].append(row)
    return found


def led_anew(session: Session, chain: Ladder, dropped: Iterable[int]) -> set[int]:
    """Let those that go on be led by one of them; answers whose message no longer says what it should."""
    changed: set[int] = set()
    for chunk in chunks(dropped):
        leads = session.scalars(
            select(Reminder.joined_id).where(Reminder.id.in_(chunk), Reminder.joined_id.is_not(None))
        )
        changed.update(one for one in leads if one is not None)
        for lead, rows in of_leads(session, chunk).items():
            changed.discard(lead)
            rest = [row for row in rows if row.state not in GONE]
            if not rest:
                continue
            orders = {stage.code: stage.order for stage in chain.stages}
            first = min(rest, key=lambda row: (-orders.get(row.stage, 0), -row.debt, row.unit_id))
            first.joined_id = None
            session.flush()
            session.execute(
                update(Reminder)
                .where(Reminder.joined_id == lead, Reminder.id.in_([row.id for row in rest]))
                .values(joined_id=first.id)
            )
            changed.add(first.id)
    return changed


def on_hold(session: Session, as_of: AsOf, payers: Collection[int]) -> Mapping[int, Mapping[int, str]]:
    """Per payer the units (id, code) that owe something past due and are not chased for now."""
    codes: dict[int, str] = {}
    for chunk in chunks(sorted(set(payers))):
        late = select(Invoice.unit_id).where(
            Invoice.payer_id.in_(chunk), Invoice.balance > NOTHING, Invoice.due_on < as_of.day
        )
        rows = session.execute(select(Unit.id, Unit.code).where(Unit.id.in_(late)).order_by(Unit.code))
        codes |= dict(rows.all())
    if not codes:
        return {}
    standing = arrears_holds.holds_at(session, as_of, list(codes))
    found: dict[int, dict[int, str]] = defaultdict(dict)
    debts = owed(session, as_of, until=as_of.day, units=list(codes))
    for unit_id, payer_id in sorted(debts, key=lambda debtor: list(codes).index(debtor[0])):
        promised_on, *is_held = standing.of((unit_id, payer_id))
        bills = [one for one in debts[unit_id, payer_id] if one.due_on < as_of.day]
        is_planned = bool(bills) and all(one.is_in_kept_plan for one in bills)
        if payer_id in payers and (promised_on is not None or any(is_held) or is_planned):
            found[payer_id][unit_id] = codes[unit_id]
    return found
