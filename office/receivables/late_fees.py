"""Late fees: accrued day by day, lowered by a payment, waived with a reason (B7, C13)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from decimal import Decimal

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models.billing import CreditNote, Invoice, LateFeeWaiver, WaiverRequest
from models.people import StaffRole
from office.core import audit, clock
from office.core.database import chunks
from office.core.errors import N_, Refused
from office.core.jobs import JobResult
from office.policies import store
from office.receivables import allocation
from office.receivables.allocation import ALLOCATION, INVOICE, Bill
from rules import late_fee as rule
from rules.late_fee import LateFee, LateFeePolicy, Reduction
from rules.money import ZERO

MAY_WAIVE = frozenset({"manager", "director"})


def policy_on(session: Session, on: date) -> LateFeePolicy:
    """The late fee's row in force on a day."""
    return LateFeePolicy.from_row(store.document(session, "late_fee", on)["late_fee"])


class Ledger:
    """What lowered the principal of some bills, and when; read once, asked often."""

    def __init__(self, session: Session, policy: LateFeePolicy, bills: Iterable[Bill]) -> None:
        self.policy = policy
        self.reductions: dict[int, list[Reduction]] = defaultdict(list)
        self.waived: dict[int, Decimal] = defaultdict(lambda: ZERO)
        ids = sorted({bill.id for bill in bills}) if policy.is_on else []
        for chunk in chunks(ids):
            self._read(session, chunk)

    def _read(self, session: Session, ids: Sequence[int]) -> None:
        paid = select(*ALLOCATION.c["invoice_id", "allocated_on", "amount"]).where(
            ALLOCATION.c.invoice_id.in_(ids), ALLOCATION.c.part == "principal"
        )
        credited = select(CreditNote.invoice_id, CreditNote.issued_on, CreditNote.amount).where(
            CreditNote.invoice_id.in_(ids)
        )
        for statement in (paid, credited):
            for invoice_id, on, amount in session.execute(statement):
                self.reductions[invoice_id].append(Reduction(on, amount))
        waived = (
            select(LateFeeWaiver.invoice_id, func.sum(LateFeeWaiver.amount))
            .where(LateFeeWaiver.invoice_id.in_(ids))
            .group_by(LateFeeWaiver.invoice_id)
        )
        for invoice_id, amount in session.execute(waived):
            self.waived[invoice_id] = amount

    def fee(self, bill: Bill, on: date, *also: Reduction) -> LateFee:
        """The bill's fee to the end of a day before waivers, with further reductions."""
        return rule.late_fee(self.policy, bill.amount, bill.due_on, [*self.reductions[bill.id], *also], on)

    def owed(self, bill: Bill, on: date, *also: Reduction) -> Decimal:
        """The fee less what was waived; never below what of it was paid."""
        return max(self.fee(bill, on, *also).amount - self.waived[bill.id], bill.paid_late_fee, ZERO)

    def settle(self, bill: Bill, on: date) -> None:
        """Set the bill's fee to what it is when everything open is paid on that day."""
        if self.policy.is_on and bill.due_on < on:
            bill.late_fee = self.owed(bill, on, Reduction(on, bill.principal))

    def paid(self, bill: Bill, on: date, principal: Decimal) -> None:
        """Take note of principal paid on a day (negative: brought back)."""
        if principal:
            self.reductions[bill.id].append(Reduction(on, principal))

    def accrue(self, bill: Bill, today: date) -> None:
        """Set the bill's fee to what it is at the end of today."""
        if self.policy.is_on:
            bill.late_fee = self.owed(bill, today)


def accrue_late_fees(session: Session, due_for: datetime) -> JobResult:
    """The day's fee on every bill that is late, when the policy is on (job, B7)."""
    today = clock.office_day(session, due_for)
    policy = policy_on(session, today)
    if not policy.is_on:
        return JobResult(result={"policy": "off"})
    allocation.lock_all(session)
    late = allocation.bills(session, INVOICE.c.due_on < today, allocation.is_open())
    ledger = Ledger(session, policy, late)
    changed: dict[int, Bill] = {}
    for bill in late:
        before = bill.late_fee
        if bill.principal > 0:
            ledger.accrue(bill, today)
        if bill.late_fee != before:
            changed[bill.id] = bill
    allocation.write_bills(session, changed)
    return JobResult(done=len(changed), result={"late": len(late)})


def explained(session: Session, invoice_id: int, on: date) -> LateFee:
    """The late fee of one invoice to any day, with its segments and reason (B7)."""
    policy = policy_on(session, on)
    (bill,) = allocation.bills(session, INVOICE.c.id == invoice_id)
    return Ledger(session, policy, [bill]).fee(bill, on)


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
    if not may_waive(session, staff_id):
        raise Refused(N_("Only a manager may waive a late fee"))
    today = clock.office_day(session, now)
    if asked_by_id in {None, staff_id} and _needs_two(policy_on(session, today), amount):
        raise Refused(N_("Another person must ask for a waiver of this size"))
    if not reason.strip():
        raise Refused(N_("Say why"))
    unit_id = session.scalars(select(Invoice.unit_id).where(Invoice.id == invoice_id)).one()
    allocation.lock(session, [unit_id])
    (bill,) = allocation.bills(session, INVOICE.c.id == invoice_id)
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
    allocation.write_bills(session, {bill.id: bill})
    audit.record(session, now, staff_id, "waive", waiver, {"amount": amount, "reason": waiver.reason})
    return waiver


def may_waive(session: Session, staff_id: int) -> bool:
    """Whether a person has a role that waives late fees."""
    roles = set(session.scalars(select(StaffRole.role).where(StaffRole.staff_id == staff_id)))
    return bool(roles & MAY_WAIVE)


def _needs_two(policy: LateFeePolicy, amount: Decimal) -> bool:
    return policy.second_person_from is not None and amount >= policy.second_person_from


def _refuse_too_much(bill: Bill, amount: Decimal) -> None:
    if not ZERO < amount <= bill.late_fee - bill.paid_late_fee:
        raise Refused(
            N_("Only %(amount)s of this late fee can be waived"), amount=bill.late_fee - bill.paid_late_fee
        )


def ask_for_waiver(
    session: Session, invoice_id: int, *, amount: Decimal, reason: str, staff_id: int, now: datetime
) -> LateFeeWaiver | WaiverRequest:
    """Waive at once where this person may alone, else ask another for it (B7). Raises Refused."""
    today = clock.office_day(session, now)
    if may_waive(session, staff_id) and not _needs_two(policy_on(session, today), amount):
        return waive_late_fee(session, invoice_id, amount=amount, reason=reason, staff_id=staff_id, now=now)
    if not reason.strip():
        raise Refused(N_("Say why"))
    (bill,) = allocation.bills(session, INVOICE.c.id == invoice_id)
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
    if not may_waive(session, staff_id):
        raise Refused(N_("Only a manager may waive a late fee"))
    if request.asked_by_id == staff_id:
        raise Refused(N_("Who asked for it can't decide it"))
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
