"""For `flask check`: what late fees were charged against what the policy makes of the payments (M7, B7, C13).

A fee stands as of the day on which it was last reckoned: that of the daily job while principal is open, or of
the last payment or credit note. Where the policy was off on that day, the fee is left as it was.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from sqlalchemy import ColumnElement, and_, exists, func, or_, select
from sqlalchemy.orm import Session

from models.billing import BillingRun, CreditNote
from models.office import JobRun
from models.policies import PolicyVersion
from office.core import clock
from office.core.database import chunks
from office.core.integrity import Finding
from office.policies import documents
from office.receivables import ledger
from office.receivables.ledger import ALLOCATION, INVOICE
from rules.late_fee import LateFeeDocument, LateFeePolicy
from rules.money import ZERO, yuan
from rules.receivables import Receivable


@dataclass(frozen=True)
class Reckoned:
    """Days that tell when a bill's fee was last reckoned; None where nothing is known of it."""

    touched: date | None  # a payment or a credit note
    entered: date | None  # by a billing run

    def on(self, bill: Receivable, run: date | None) -> date | None:
        """The day as of which its fee stands, with the daily job's last run."""
        if run is None or bill.principal <= 0 or (self.touched is not None and self.touched > run):
            return self.touched
        return run

    def is_perhaps_new(self, bill: Receivable, on: date) -> bool:
        """Whether it may have been entered after that day's job, so that nothing was reckoned yet."""
        is_late_entry = self.entered is None or self.entered >= on
        return self.touched is None and not bill.late_fee and is_late_entry


def all_hold(session: Session) -> Iterator[Finding]:
    """Every late fee that is not what the policy makes of its invoice's payments."""
    versions = _versions(session)
    charged = next((policy for _, policy in versions if policy.is_on), None)
    bills = ledger.receivables(
        session, _late(session) if charged else INVOICE.c.late_fee != ZERO, policy=charged
    )
    if charged is None:
        yield from (_finding(bill, ZERO) for bill in bills)
        return
    run = _last_run(session)
    for some in chunks(bills):
        yield from _charged_otherwise(session, some, versions, run)


def _late(session: Session) -> ColumnElement[bool]:
    """Invoices with a fee, and those past due, or paid after that, which ought to have one."""
    paid_late = exists().where(
        ALLOCATION.c.invoice_id == INVOICE.c.id, ALLOCATION.c.allocated_on > INVOICE.c.due_on
    )
    is_past_due = and_(ledger.is_open(), INVOICE.c.due_on < clock.today(session))
    return or_(INVOICE.c.late_fee != ZERO, is_past_due, paid_late)


def _charged_otherwise(
    session: Session,
    bills: Sequence[Receivable],
    versions: Sequence[tuple[date, LateFeePolicy]],
    run: date | None,
) -> Iterator[Finding]:
    known = _reckoned(session, bills)
    for bill in bills:
        on = known[bill.id].on(bill, run)
        if on is None:
            if bill.late_fee:
                yield _finding(bill, ZERO)
            continue
        policy = next((policy for from_on, policy in reversed(versions) if from_on <= on), versions[0][1])
        if not policy.is_on or known[bill.id].is_perhaps_new(bill, on):
            continue
        should = bill.late_fee_on(policy, on)
        if bill.late_fee != should:
            yield _finding(bill, should)


def _finding(bill: Receivable, should: Decimal) -> Finding:
    return Finding(
        "late_fee_is_what_accrued", "invoice", bill.id, bill.number, yuan(bill.late_fee), yuan(should)
    )


def _versions(session: Session) -> list[tuple[date, LateFeePolicy]]:
    """Every version of the policy with the day it holds from, the youngest last."""
    rows = session.execute(
        select(PolicyVersion.valid_from, PolicyVersion.rows)
        .where(PolicyVersion.policy == "late_fee")
        .order_by(PolicyVersion.valid_from, PolicyVersion.revision)
    )
    return [(from_on, documents.stored(LateFeeDocument, stored).policy) for from_on, stored in rows]


def _last_run(session: Session) -> date | None:
    """The last day whose fees the daily job has reckoned."""
    ran = session.scalar(
        select(func.max(JobRun.due_for)).where(
            JobRun.job == "late_fees", JobRun.state == "done", JobRun.due_for <= clock.now(session)
        )
    )
    return clock.office_day(session, ran) if ran else None


def _reckoned(session: Session, bills: Sequence[Receivable]) -> dict[int, Reckoned]:
    zone, ids = clock.zone(session), [bill.id for bill in bills]
    touched: dict[int, date] = {}
    for invoice_id, at in session.execute(
        select(ALLOCATION.c.invoice_id, func.max(ALLOCATION.c.allocated_at))
        .where(ALLOCATION.c.invoice_id.in_(ids))
        .group_by(ALLOCATION.c.invoice_id)
    ):
        touched[invoice_id] = at.astimezone(zone).date()
    for invoice_id, on in session.execute(
        select(CreditNote.invoice_id, func.max(CreditNote.issued_on))
        .where(CreditNote.invoice_id.in_(ids))
        .group_by(CreditNote.invoice_id)
    ):
        touched[invoice_id] = max(on, touched.get(invoice_id, on))
    entered = {
        invoice_id: at.astimezone(zone).date()
        for invoice_id, at in session.execute(
            select(INVOICE.c.id, BillingRun.started_at)
            .join(BillingRun, BillingRun.id == INVOICE.c.run_id)
            .where(INVOICE.c.id.in_(ids))
        )
    }
    return {one: Reckoned(touched.get(one), entered.get(one)) for one in ids}
