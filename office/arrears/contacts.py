"""The contact ledger: calls, messages and visits about debts, and the promises they bring (C6–C8)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from decimal import Decimal

from sqlalchemy import or_, select, text, update
from sqlalchemy.orm import Session

from models.billing import Invoice
from models.collection import ARREARS_REASONS, CONTACT_METHODS, Contact, DunningHold, Reminder
from models.complaints import Ticket
from models.payments import Payment
from office.arrears.debts import AsOf, Debtor, owed, payments_since, total
from office.arrears.holds import stored_ladder
from office.arrears.reminder_batches import OPEN
from office.core import clock
from office.core.audit import record
from office.core.database import chunks
from office.core.errors import N_, Refused
from office.core.jobs import JobResult
from office.core.staff import roles_of
from office.estate.owners import is_of_unit, payers_on
from office.policies import store
from rules.call_list import is_settled
from rules.joint_notices import shared_out
from rules.ladder import LadderDocument
from rules.next_steps import next_step
from rules.promises import promise_problem, promise_state

DAY = timedelta(days=1)
PROMISE_PROBLEMS = {  # the sentence for each answer of the rule
    "past": N_("A promise can't be for a day before the contact"),
    "too_far": N_("A promise is for at most %(days)s days ahead; agree an instalment plan for longer"),
}
LEAST = Decimal("0.01")  # of a promise without an amount: that something comes


@dataclass(frozen=True)
class NewContact:
    """A contact to enter; without a payer it was with whoever paid for the unit that day. Money in yuan."""

    unit_id: int
    method: str
    at: datetime
    outcome: str = ""
    promised_on: date | None = None
    promised_amount: Decimal | None = None
    note: str = ""
    payer_id: int | None = None
    staff_id: int | None = None
    spoke_with: str = ""
    arrears_reason: str = ""
    reminder_id: int | None = None


def record_contact(session: Session, contact: NewContact, *, now: datetime) -> Contact:
    """Enter one contact; a payer unhappy with the service gets a complaint (C6, C7). Raises Refused.

    The reminder that it answers is done with it, if the contact does what that stage asked for.
    """
    made = _contacts(session, [contact], now)[0]
    _check_pairs(session, made)
    session.add(made)
    session.flush()
    _settle_reminder(session, made, now)
    if next_step(contact.arrears_reason) == "complaint":
        _link_complaint(session, made, now)
    record(session, now, contact.staff_id, "contact", made, {"method": made.method, "outcome": made.outcome})
    return made


def record_call(
    session: Session, contact: NewContact, others: Sequence[tuple[int, Decimal]], *, now: datetime
) -> Contact:
    """Enter a contact about several units of a payer: one entry for each, the promise shared out (C19).

    `others` are the other units (id, yuan past due); what the contact's own unit owes is promised first.
    Raises Refused.
    """
    assert contact.payer_id is not None or not others
    if not others:
        return record_contact(session, contact, now=now)
    parts: Mapping[int, Decimal] = {}
    if contact.promised_amount is not None:
        own = _owed(session, (contact.unit_id, contact.payer_id or 0), now)
        parts = shared_out(contact.promised_amount, [(contact.unit_id, own), *others])
    made = []
    for unit_id in (contact.unit_id, *(unit_id for unit_id, _owes in others)):
        has_part = contact.promised_amount is None or unit_id in parts
        each = replace(
            contact,
            unit_id=unit_id,
            promised_on=contact.promised_on if has_part else None,
            promised_amount=parts.get(unit_id),
            reminder_id=contact.reminder_id if unit_id == contact.unit_id else None,
        )
        made.append(record_contact(session, each, now=now))
    return made[0]


def _check_pairs(session: Session, contact: Contact) -> None:
    """Refuse a payer of another unit, and a reminder of another household (F22)."""
    if not is_of_unit(session, contact.payer_id, contact.unit_id):
        raise Refused(N_("This payer has nothing to do with this unit"))
    if contact.reminder_id is None:
        return
    reminder = session.get(Reminder, contact.reminder_id)
    if reminder is None or (reminder.unit_id, reminder.payer_id) != (contact.unit_id, contact.payer_id):
        raise Refused(N_("This reminder is of another household"))


def _settle_reminder(session: Session, contact: Contact, now: datetime) -> None:
    """Set the contact's reminder to done when the contact settles it (C8)."""
    reminder = session.get(Reminder, contact.reminder_id or 0, populate_existing=True)
    if reminder is None:
        return
    stage = stored_ladder(session, AsOf.of(session, now).day).find(reminder.stage)
    roles = roles_of(session, contact.staff_id) if contact.staff_id is not None else frozenset()
    is_approved = reminder.state == "approved"
    if reminder.state in OPEN and is_settled(
        contact.method, reminder.channel, stage, roles, is_approved=is_approved
    ):
        reminder.state, reminder.sent_at = "done", contact.at
        session.flush()
        session.execute(  # those for which the call or visit was too (C19)
            update(Reminder)
            .where(Reminder.joined_id == reminder.id, Reminder.state.in_(OPEN))
            .values(state="done", sent_at=contact.at, row_version=Reminder.row_version + 1)
        )


def record_contacts(session: Session, contacts: Sequence[NewContact], *, now: datetime) -> int:
    """Enter many contacts, skipping those already entered; returns how many are new. Raises Refused."""
    known: set[tuple[object, ...]] = set()
    for chunk in chunks({one.unit_id for one in contacts}):
        rows = session.execute(
            select(
                Contact.unit_id,
                Contact.method,
                Contact.at,
                Contact.outcome,
                Contact.promised_on,
                Contact.note,
            ).where(Contact.unit_id.in_(chunk))
        )
        known.update(tuple(row) for row in rows)
    fresh = []
    for one in contacts:
        key = (one.unit_id, one.method, one.at, one.outcome, one.promised_on, one.note)
        if key not in known:
            known.add(key)
            fresh.append(one)
    made = _contacts(session, fresh, now)
    session.add_all(made)
    session.flush()
    for contact in made:
        if next_step(contact.arrears_reason) == "complaint":
            _link_complaint(session, contact, now)
    return len(made)


def _contacts(session: Session, given: Sequence[NewContact], now: datetime) -> list[Contact]:
    zone = clock.zone(session)
    payers = payers_on(session, [(one.unit_id, one.at.astimezone(zone).date()) for one in given])
    wanted: dict[int, Decimal] = {}
    made = []
    today = clock.office_day(session, now)
    longest = longest_promise_days(session, today)
    for one, payer_id in zip(given, payers, strict=True):
        _check(one, one.at.astimezone(zone).date(), today, longest)
        owner_id = one.payer_id or payer_id
        if owner_id is None:
            raise Refused(N_("Nobody pays for this unit on that day"))
        amount = one.promised_amount
        if one.promised_on is not None and amount is None:
            amount = wanted.setdefault(one.unit_id, _owed(session, (one.unit_id, owner_id), now)) or None
        made.append(
            Contact(
                at=one.at,
                recorded_at=now,
                unit_id=one.unit_id,
                payer_id=owner_id,
                method=one.method,
                staff_id=one.staff_id,
                spoke_with=one.spoke_with,
                outcome=one.outcome,
                arrears_reason=one.arrears_reason,
                promised_on=one.promised_on,
                promised_amount=amount,
                promise_state="open" if one.promised_on else "",
                note=one.note,
                reminder_id=one.reminder_id,
            )
        )
    return made


def longest_promise_days(session: Session, on: date) -> int:
    """How many days ahead a payer may promise to pay, as the ladder in force says (C6)."""
    return store.in_force(session, LadderDocument, on).policy.longest_promise_days


def _check(contact: NewContact, day: date, today: date, longest: int) -> None:
    if contact.method not in CONTACT_METHODS:
        raise Refused(N_("%(method)s is no way of contact"), method=contact.method)
    if contact.arrears_reason and contact.arrears_reason not in ARREARS_REASONS:
        raise Refused(N_("%(reason)s is no reason for arrears"), reason=contact.arrears_reason)
    if contact.promised_on is not None:
        problem = promise_problem(contact.promised_on, day, today, longest)
        if problem:
            raise Refused(PROMISE_PROBLEMS[problem], days=longest)
    if contact.promised_amount is not None and contact.promised_amount <= 0:
        raise Refused(N_("An amount must be above zero"))
    if contact.promised_amount is not None and contact.promised_on is None:
        raise Refused(N_("A promised amount needs the day by which it is paid"))


def _owed(session: Session, debtor: Debtor, now: datetime) -> Decimal:
    as_of = AsOf.of(session, now)
    return total(owed(session, as_of, until=as_of.day, units=[debtor[0]]).get(debtor, ()))


def _link_complaint(session: Session, contact: Contact, now: datetime) -> None:
    """Register a complaint linked to the oldest debt, which holds dunning until it is closed (C7, T12)."""
    from office.complaints.registration import NewTicket, register_ticket

    invoice_id = session.scalar(
        select(Invoice.id)
        .where(
            Invoice.unit_id == contact.unit_id,
            Invoice.payer_id == contact.payer_id,
            text("invoice.balance > 0"),
        )
        .order_by(Invoice.due_on, Invoice.id)
        .limit(1)
    )
    if invoice_id is None:
        return
    is_open = session.scalar(
        select(Ticket.id)
        .join(Invoice, Invoice.id == Ticket.invoice_id)
        .where(
            Invoice.unit_id == contact.unit_id,
            Invoice.payer_id == contact.payer_id,
            Ticket.closed_at.is_(None),
        )
        .limit(1)
    )
    if is_open is not None:
        return
    register_ticket(
        session,
        NewTicket(
            channel="visit" if contact.method == "visit" else "phone",
            category="customer_service",
            statement=contact.note or contact.outcome or contact.arrears_reason,
            registered_at=contact.at,
            unit_id=contact.unit_id,
            clerk_id=contact.staff_id,
            invoice_id=invoice_id,
        ),
        now=now,
    )


# --- promises -------------------------------------------------------------------------------------


def check_promises(session: Session, due_for: datetime) -> JobResult:
    """Job: set each promise to kept or broken by what was paid until the end of its day (C6).

    A broken one is looked at again when a payment made in time becomes known later, a kept one when a payment
    was voided or taken back.
    """
    as_of = AsOf.of(session, due_for)
    late = select(Payment.unit_id).where(Payment.posted_on >= as_of.day - DAY)
    undone = late.where(Payment.kind == "reversal")
    promises = session.execute(
        select(
            Contact.id,
            Contact.unit_id,
            Contact.payer_id,
            Contact.at,
            Contact.promised_on,
            Contact.promised_amount,
            Contact.promise_state,
        ).where(
            Contact.at < due_for,
            or_(
                text("contact.promise_state = 'open'"),
                (Contact.promise_state == "broken") & Contact.unit_id.in_(late),
                (Contact.promise_state == "kept") & Contact.unit_id.in_(undone),
            ),
        )
    ).all()
    since = min((promise.at for promise in promises), default=due_for)
    paid = payments_since(session, as_of, since, {promise.unit_id for promise in promises})
    changed: dict[str, list[int]] = defaultdict(list)
    for promise in promises:
        ends_at = datetime.combine(promise.promised_on + DAY, time(), as_of.zone)
        came = sum(
            (
                amount
                for paid_at, amount in paid[promise.unit_id, promise.payer_id]
                if promise.at <= paid_at < ends_at
            ),
            Decimal(0),
        )
        state = promise_state(promise.promised_on, promise.promised_amount or LEAST, came, as_of.day)
        if state != promise.promise_state:
            changed[state].append(promise.id)
    for state, ids in changed.items():
        for chunk in chunks(ids):
            session.execute(
                update(Contact)
                .where(Contact.id.in_(chunk))
                .values(promise_state=state, row_version=Contact.row_version + 1)
            )
    result = {state: len(ids) for state, ids in changed.items()}
    return JobResult(done=sum(result.values()), result=result)


# --- holds ----------------------------------------------------------------------------------------


def hold_ladder(
    session: Session,
    debtor: Debtor,
    *,
    reason: str,
    until_on: date | None,
    now: datetime,
    staff_id: int | None,
) -> DunningHold:
    """Hold the reminders of a payer and unit, with a reason (C12). Raises Refused without one."""
    if not reason.strip():
        raise Refused(N_("A hold needs a reason"))
    hold = DunningHold(
        unit_id=debtor[0],
        payer_id=debtor[1],
        from_at=now,
        until_on=until_on,
        reason=reason,
        staff_id=staff_id,
    )
    session.add(hold)
    session.flush()
    record(session, now, staff_id, "hold", hold, {"reason": reason, "until_on": until_on})
    return hold


def end_hold(session: Session, hold_id: int, *, now: datetime, staff_id: int | None) -> None:
    """End a hold, so that reminders go on. Raises Refused when it has ended already."""
    hold = session.get(DunningHold, hold_id)
    if hold is None or hold.ended_at is not None:
        raise Refused(N_("This hold has already ended"))
    hold.ended_at = now
    record(session, now, staff_id, "end", hold, {"ended_at": now})
