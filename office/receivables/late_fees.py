"""Late fees: accrued day by day, lowered by a payment, waived with a reason (B7, C13)."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.billing import Invoice, LateFeeWaiver, WaiverRequest
from models.policies import PolicyVersion
from office.core import audit, clock
from office.core.errors import N_, Refused
from office.core.jobs import JobResult
from office.core.staff import refuse_same_person, roles_of
from office.policies import documents, large_sums, store
from office.receivables import ledger
from office.receivables.ledger import INVOICE
from rules.late_fee import LateFee, LateFeeDocument, LateFeePolicies, LateFeePolicy
from rules.money import ZERO
from rules.receivables import Receivable
from rules.roles import may_waive


def policy_on(session: Session, on: date) -> LateFeePolicy:
    """The late fee's row in force on a day."""
    return store.in_force(session, LateFeeDocument, on).policy


def policies_since(session: Session, since: date, until: date) -> LateFeePolicies:
    """The late fee's rows by which the fees of the days between two are charged."""
    rows = session.execute(
        select(PolicyVersion.valid_from, PolicyVersion.rows)
        .where(PolicyVersion.policy == documents.NAMES[LateFeeDocument], PolicyVersion.valid_from <= until)
        .order_by(PolicyVersion.valid_from.desc(), PolicyVersion.revision.desc())
    )
    found: list[tuple[date, LateFeePolicy]] = []
    for starts_on, stored in rows:
        if found and found[-1][0] == starts_on:  # replaced on the same day
            continue
        found.append((starts_on, documents.stored(LateFeeDocument, stored).policy))
        is_charging = found[-1][1].is_on or not any(policy.is_on for _, policy in found)
        if starts_on <= since and is_charging:
            break
    return LateFeePolicies(tuple(reversed(found)))


def accrue_late_fees(session: Session, due_for: datetime) -> JobResult:
    """The day's fee on every bill that is late, when the policy is on (job, B7)."""
    today = clock.office_day(session, due_for)
    policy = policy_on(session, today)
    if not policy.is_on:
        return JobResult(result={"policy": "off"})
    ledger.lock_postings(session)
    late = ledger.receivables(session, INVOICE.c.due_on < today, ledger.is_open(), policy=policy)
    before = {one.id: one.late_fee for one in late}
    for one in late:
        if one.principal > 0:
            one.accrue(policy, today)
    changed = [one for one in late if one.late_fee != before[one.id]]
    ledger.write_receivables(session, changed)
    return JobResult(done=len(changed), result={"late": len(late)})


def explained(session: Session, invoice_id: int, on: date) -> LateFee:
    """The late fee of one invoice to any day, with its segments and reason (B7)."""
    policy = policy_on(session, on)
    (bill,) = ledger.receivables(session, INVOICE.c.id == invoice_id, policy=policy)
    return bill.gross_late_fee(policy, on)


def waive_late_fee(
    session: Session,
    invoice_id: int,
    *,
    amount: Decimal,
    reason: str,
    staff_id: int,
    now: datetime,
    asked_by_id: int | None = None,
) -> LateFeeWaiver:
    """Waive a part of an invoice's unpaid late fee (B7).

    Raises Refused unless a manager says why, and another person asked for it where the policy wants two.
    """
    if not may_waive(roles_of(session, staff_id)):
        raise Refused(N_("Only a manager may waive a late fee"))
    today = clock.office_day(session, now)
    if asked_by_id in {None, staff_id} and policy_on(session, today).needs_two_people(amount):
        raise Refused(N_("Another person must ask for a waiver of this size"))
    if not reason.strip():
        raise Refused(N_("Say why"))
    unit_id = session.scalars(select(Invoice.unit_id).where(Invoice.id == invoice_id)).one()
    ledger.lock_units(session, [unit_id])
    (bill,) = ledger.receivables(session, INVOICE.c.id == invoice_id)
    _refuse_too_much(bill, amount)
    waiver = LateFeeWaiver(
        invoice_id=invoice_id,
        amount=amount,
        reason=reason.strip(),
        waived_on=today,
        staff_id=staff_id,
    )
    session.add(waiver)
    session.flush()
    bill.late_fee -= amount
    ledger.write_receivables(session, [bill])
    audit.record(session, now, staff_id, "waive", waiver, {"amount": amount, "reason": waiver.reason})
    return waiver


def _refuse_too_much(bill: Receivable, amount: Decimal) -> None:
    if not ZERO < amount <= bill.late_fee - bill.paid_late_fee:
        raise Refused(
            N_("Only %(amount)s of this late fee can be waived"), amount=bill.late_fee - bill.paid_late_fee
        )


def ask_for_waiver(
    session: Session, invoice_id: int, *, amount: Decimal, reason: str, staff_id: int, now: datetime
) -> LateFeeWaiver | WaiverRequest:
    """Waive at once where this person may alone, else ask another for it (B7).

    Raises Refused, NotConfirmed for a large sum.
    """
    today = clock.office_day(session, now)
    large_sums.ask_again(session, "waiver", amount, today)
    if may_waive(roles_of(session, staff_id)) and not policy_on(session, today).needs_two_people(amount):
        return waive_late_fee(session, invoice_id, amount=amount, reason=reason, staff_id=staff_id, now=now)
    if not reason.strip():
        raise Refused(N_("Say why"))
    (bill,) = ledger.receivables(session, INVOICE.c.id == invoice_id)
    _refuse_too_much(bill, amount)
    request = WaiverRequest(
        invoice_id=invoice_id, amount=amount, reason=reason.strip(), asked_by_id=staff_id, asked_at=now
    )
    session.add(request)
    session.flush()
    audit.record(session, now, staff_id, "request", request, {"amount": amount, "reason": request.reason})
    return request


def decide_waiver(
    session: Session, request_id: int, *, is_approved: bool, staff_id: int, now: datetime
) -> WaiverRequest:
    """Approve or refuse a waiver that another person asked for (B7). Raises Refused."""
    request = session.scalars(
        select(WaiverRequest).where(WaiverRequest.id == request_id).with_for_update()
    ).one_or_none()
    if request is None or request.state != "requested":
        raise Refused(N_("This request is decided already"))
    if not may_waive(roles_of(session, staff_id)):
        raise Refused(N_("Only a manager may waive a late fee"))
    refuse_same_person([request.asked_by_id], staff_id)
    if is_approved:
        waive_late_fee(
            session,
            request.invoice_id,
            amount=request.amount,
            reason=request.reason,
            staff_id=staff_id,
            now=now,
            asked_by_id=request.asked_by_id,
        )
    request.state = "approved" if is_approved else "refused"
    request.decided_by_id, request.decided_at = staff_id, now
    session.flush()
    audit.record(
        session, now, staff_id, "approve" if is_approved else "refuse", request, {"amount": request.amount}
    )
    return request
