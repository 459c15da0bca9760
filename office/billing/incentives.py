"""Rewards for paying ahead or early: found each night, explained, credited once, taken back (B8).

A discount is a credit note on the payer's own bills: what was paid of them becomes prepaid credit and pays
the next bill, so that every fen stays in the books. A gift is listed until it is handed over.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import Row, func, select
from sqlalchemy.orm import Session

from models.billing import FeeItem, Incentive, IncentiveGrant, Invoice, InvoiceLine
from models.payments import Allocation, Payment
from models.property import Estate
from office.billing import invoices
from office.billing.invoices import Charge
from office.billing.period_rows import not_taken_back
from office.core import audit, clock
from office.core.database import chunks
from office.core.errors import N_, Refused
from office.core.jobs import JobResult
from office.receivables import ledger
from office.receivables.ledger import INVOICE, PAYMENT
from rules import incentives as rule
from rules.billing import MONTHLY
from rules.money import ZERO, rounded
from rules.reasons import Reason

LOOKED_BACK = timedelta(days=40)  # a payment that waits for a bill to credit is looked at so long


@dataclass(frozen=True)
class Granted:
    """What a look at payments brought: grants made, and receipts whose bills can't take the credit yet."""

    made: tuple[IncentiveGrant, ...] = ()
    waiting: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Paid:
    """A payment with what of it was on time or ahead, and how many months that covers; yuan."""

    row: Row[Any]  # columns, no entity: each credit note would have all that are loaded read again
    on: date
    ahead: Decimal
    months: int


def problems(row: Incentive) -> tuple[Reason, ...]:
    """What is wrong with an edited reward, for checking on saving (§9)."""
    return rule.incentive_problems(_rule(row))


def _rule(row: Incentive) -> rule.Incentive:
    return rule.Incentive(
        code=str(row.id or 0),
        months_ahead=row.months_ahead or 0,
        paid_by=row.pay_before_on,
        percent=row.percent or ZERO,
        gift=row.gift or "",
        valid_from=row.valid_from,
        valid_to=row.valid_to,
    )


def grant_rewards(session: Session, *, since: date, now: datetime, staff_id: int | None = None) -> Granted:
    """Grant what payments posted from a day on have earned; run again it grants nothing twice (B8)."""
    rows = session.scalars(
        select(Incentive).where(Incentive.valid_to.is_(None) | (Incentive.valid_to >= since))
    )
    offered = {str(row.id): row for row in rows}
    if not offered:
        return Granted()
    ledger.lock_postings(session)
    terms = [_rule(row) for row in offered.values()]
    made: list[IncentiveGrant] = []
    waiting: list[str] = []
    for paid in _payments(session, since):
        earned = rule.reward(
            terms, paid.ahead, paid.months, paid.on, _already(session, paid.row.unit_id, paid.on.year)
        )
        if earned is None:
            continue
        grant = _grant(session, offered[earned.incentive], paid, earned, staff_id, now)
        if grant is None:
            waiting.append(paid.row.receipt_no)
        else:
            made.append(grant)
    return Granted(tuple(made), tuple(waiting))


def _already(session: Session, unit_id: int, year: int) -> frozenset[str]:
    found = select(IncentiveGrant.incentive_id).where(
        IncentiveGrant.unit_id == unit_id,
        IncentiveGrant.year == year,
        IncentiveGrant.taken_back_on.is_(None),
    )
    return frozenset(map(str, session.scalars(found)))


def _payments(session: Session, since: date) -> list[_Paid]:
    """Payments in force that were posted from a day on and have earned nothing yet, the oldest first."""
    granted = select(IncentiveGrant.payment_id).where(
        IncentiveGrant.payment_id.is_not(None), IncentiveGrant.taken_back_on.is_(None)
    )
    rows = session.execute(
        select(*PAYMENT.c["id", "unit_id", "payer_id", "paid_at", "amount", "receipt_no"])
        .where(
            Payment.posted_on >= since,
            Payment.kind == "payment",
            Payment.state == "posted",
            Payment.id.not_in(granted),
        )
        .order_by(Payment.posted_on, Payment.id)
    ).all()
    found: list[_Paid] = []
    for some in chunks(rows):
        found += _reckoned(session, some)
    return found


def _reckoned(session: Session, rows: Sequence[Row[Any]]) -> list[_Paid]:
    zone = clock.zone(session)
    days = {row.id: row.paid_at.astimezone(zone).date() for row in rows}
    at_once: dict[int, Decimal] = defaultdict(lambda: ZERO)
    on_time: dict[int, Decimal] = defaultdict(lambda: ZERO)
    for payment_id, due_on, kind, amount in session.execute(
        select(Allocation.payment_id, Invoice.due_on, Invoice.kind, Allocation.amount)
        .join(Invoice, Invoice.id == Allocation.invoice_id)
        .join(Payment, Payment.id == Allocation.payment_id)
        .where(
            Allocation.payment_id.in_(days),
            Allocation.allocated_at <= Payment.posted_at,
            Allocation.amount > 0,  # what was taken back in the same instant was paid all the same
        )
    ):
        at_once[payment_id] += amount
        if kind == "regular" and due_on >= days[payment_id]:  # a deposit is no fee
            on_time[payment_id] += amount
    months = _months(session, {(row.unit_id, row.payer_id) for row in rows})
    reckoned = []
    for row in rows:
        ahead = on_time[row.id] + row.amount - at_once[row.id]
        month = months.get((row.unit_id, row.payer_id), ZERO)
        if ahead > 0:
            reckoned.append(_Paid(row, days[row.id], ahead, int(ahead // month) if month else 0))
    return reckoned


def _months(session: Session, wanted: set[tuple[int, int]]) -> Mapping[tuple[int, int], Decimal]:
    """What a whole month costs each (unit, payer) by the monthly lines of their newest bill; yuan."""
    newest = (
        select(func.max(INVOICE.c.id).label("id"))
        .where(
            INVOICE.c.unit_id.in_({unit_id for unit_id, _ in wanted}),
            INVOICE.c.kind == "regular",
            not_taken_back(),
        )
        .group_by(INVOICE.c.unit_id, INVOICE.c.payer_id)
        .subquery()
    )
    sums: dict[tuple[int, int], Decimal] = defaultdict(lambda: ZERO)
    for unit_id, payer_id, quantity, rate in session.execute(
        select(Invoice.unit_id, Invoice.payer_id, InvoiceLine.quantity, InvoiceLine.rate)
        .join(newest, newest.c.id == Invoice.id)
        .join(InvoiceLine, InvoiceLine.invoice_id == Invoice.id)
        .join(FeeItem, FeeItem.id == InvoiceLine.fee_item_id)
        .where(FeeItem.basis.in_(MONTHLY))
    ):
        sums[unit_id, payer_id] += rounded(quantity * rate)
    return sums


def _grant(
    session: Session,
    incentive: Incentive,
    paid: _Paid,
    earned: rule.Reward,
    staff_id: int | None,
    now: datetime,
) -> IncentiveGrant | None:
    """The grant with its credit notes; None while the payer's bills can't take so much credit."""
    row = paid.row
    bills = sorted(
        ledger.receivables(
            session,
            INVOICE.c.unit_id == row.unit_id,
            INVOICE.c.payer_id == row.payer_id,
            INVOICE.c.kind.in_(("regular", "move_in")),
        ),
        key=lambda bill: (bill.due_on, bill.id),
        reverse=True,
    )
    if sum((bill.amount - bill.credited for bill in bills), ZERO) < earned.discount:
        return None
    language = session.scalars(select(Estate.language)).one()
    name = incentive.name_in(language)
    left = earned.discount
    for bill in bills:
        part = min(left, bill.amount - bill.credited)
        if part > 0:
            reason = f"{name} ({row.receipt_no})"
            note = invoices.NewCreditNote(bill.id, part, reason, staff_id, "goodwill")
            invoices.write_credit_note(session, note, now=now)
            left -= part
    inputs = {**earned.reason.inputs, "incentive": name, "receipt_no": row.receipt_no}
    known = session.scalars(
        select(IncentiveGrant).where(
            IncentiveGrant.incentive_id == incentive.id,
            IncentiveGrant.unit_id == row.unit_id,
            IncentiveGrant.year == paid.on.year,
        )
    ).one_or_none()
    grant = known or IncentiveGrant(incentive_id=incentive.id, unit_id=row.unit_id, year=paid.on.year)
    grant.payment_id, grant.amount = row.id, earned.discount
    grant.granted_on = clock.office_day(session, now)
    grant.explanation = Reason(earned.reason.code, inputs).to_json()
    grant.handed_over_on = grant.taken_back_on = None
    session.add(grant)
    session.flush()
    audit.record(
        session, now, staff_id, "grant", grant, {"amount": grant.amount, "receipt_no": row.receipt_no}
    )
    return grant


def hand_over(session: Session, grant_id: int, *, staff_id: int | None, now: datetime) -> IncentiveGrant:
    """Note that a gift was handed over (B8). Raises Refused when there is none to hand over."""
    grant = session.get(IncentiveGrant, grant_id)
    if grant is None or not grant.incentive.gift or grant.taken_back_on is not None:
        raise Refused(N_("There is no gift to hand over"))
    if grant.handed_over_on is not None:
        raise Refused(N_("This gift was handed over on %(day)s"), day=grant.handed_over_on)
    grant.handed_over_on = clock.office_day(session, now)
    session.flush()
    audit.record(session, now, staff_id, "hand_over", grant, {"handed_over_on": grant.handed_over_on})
    return grant


def take_back_rewards(
    session: Session, *, now: datetime, staff_id: int | None = None
) -> list[IncentiveGrant]:
    """Charge the discount again where the payment that earned it was voided or reversed (B8, M6)."""
    undone = session.scalars(
        select(IncentiveGrant)
        .join(Payment, Payment.id == IncentiveGrant.payment_id)
        .where(Payment.state != "posted", IncentiveGrant.taken_back_on.is_(None))
        .order_by(IncentiveGrant.id)
    ).all()
    today = clock.office_day(session, now)
    for grant in undone:
        if grant.amount:
            payer_id = session.scalars(
                select(PAYMENT.c.payer_id).where(PAYMENT.c.id == grant.payment_id)
            ).one()
            invoices.charge(
                session,
                unit_id=grant.unit_id,
                payer_id=payer_id,
                charges=[Charge(_item_of(session, grant.unit_id), Decimal(1), grant.amount)],
                due_on=today,
                now=now,
                staff_id=staff_id,
            )
        grant.taken_back_on = today
        session.flush()
        audit.record(session, now, staff_id, "take_back", grant, {"amount": grant.amount})
    return list(undone)


def _item_of(session: Session, unit_id: int) -> str:
    """The fee item of the newest monthly line billed to the unit."""
    return session.scalars(
        select(FeeItem.code)
        .join(InvoiceLine, InvoiceLine.fee_item_id == FeeItem.id)
        .join(Invoice, Invoice.id == InvoiceLine.invoice_id)
        .where(Invoice.unit_id == unit_id, FeeItem.basis.in_(MONTHLY))
        .order_by(InvoiceLine.id.desc())
        .limit(1)
    ).one()


def judge_rewards(session: Session, due_for: datetime) -> JobResult:
    """Each night: rewards of undone payments are taken back, earned ones granted (job, B8)."""
    taken = take_back_rewards(session, now=due_for)
    granted = grant_rewards(session, since=clock.office_day(session, due_for) - LOOKED_BACK, now=due_for)
    return JobResult(
        done=len(granted.made),
        result={"granted": len(granted.made), "taken_back": len(taken), "waiting": list(granted.waiting)},
    )
