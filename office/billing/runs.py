"""A period's bills: previewed, issued in one transaction, with the list of what could not be (B1–B5).

A run that was killed has left nothing; run again, it makes everything. Run twice, it adds nothing.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.billing import BillingRun
from office.billing.draft import Draft, Unbilled
from office.billing.invoice_insertion import insert_invoices
from office.billing.preview import Preview, compared
from office.core import audit, clock
from office.core.errors import N_, Refused
from office.core.jobs import JobResult
from office.payments import credit
from office.policies import store
from office.receivables import ledger
from office.receivables.ledger import INVOICE, PAYMENT
from rules import billing as rule
from rules.billing import BillingDocument, BillingPolicy, Period
from rules.money import ZERO, yuan


def parse_period(text: str) -> Period:
    """The period that a person typed. Raises Refused."""
    try:
        return Period.parse(text)
    except ValueError as problem:
        raise Refused(N_("%(period)s is no period: write it as YYYY-MM"), period=text) from problem


def policy(session: Session, period: Period) -> BillingPolicy:
    """The billing row in force when the period begins."""
    return store.in_force(session, BillingDocument, period.first_on).billing


def preview(session: Session, period: str, *, now: datetime, on: date | None = None) -> Preview:
    """What issuing the period's bills would make, what it could not, and what is unusual (B4).

    Writes nothing. Raises Refused for no period, or a day to come.
    """
    wanted = parse_period(period)
    terms = policy(session, wanted)
    issued_on = _issue_day(session, terms, wanted, on, now)
    draft = Draft(session, wanted, terms)
    draft.make()
    shown = compared(draft, issued_on)
    draft.clear()
    return shown


def _issue_day(
    session: Session, terms: BillingPolicy, period: Period, on: date | None, now: datetime
) -> date:
    if on is None:
        return rule.issued_on(terms, period)
    if on > clock.office_day(session, now):
        raise Refused(N_("%(day)s has not come yet: bills are issued today or earlier"), day=on)
    return on


@dataclass(frozen=True)
class Issued:
    """What a billing run made, in yuan, and what it could not bill."""

    run_id: int
    period: str
    issued_on: date
    invoices: int
    amount: Decimal
    credit_used: Decimal
    unbilled: tuple[Unbilled, ...]

    def to_dict(self) -> dict[str, Any]:
        return {
            "period": self.period,
            "invoices": self.invoices,
            "amount": yuan(self.amount),
            "unbilled": [one.to_dict() for one in self.unbilled],
            "issued_on": self.issued_on.isoformat(),
            "credit_used": yuan(self.credit_used),
        }


def issue_invoices(
    session: Session, period: str, *, now: datetime, on: date | None = None, staff_id: int | None = None
) -> Issued:
    """Issue all bills of a period that are not issued yet, and let prepaid credit pay them (B4, M1).

    Run again it adds nothing but what can be billed by now. Raises Refused for no period, or a day to come.
    """
    wanted = parse_period(period)
    terms = policy(session, wanted)
    issued_on = _issue_day(session, terms, wanted, on, now)
    ledger.lock_postings(session)
    draft = Draft(session, wanted, terms)
    draft.make()
    unbilled = draft.unbilled
    run = BillingRun(
        period=str(wanted),
        issued_on=issued_on,
        started_at=now,
        finished_at=now,
        staff_id=staff_id,
        state="done",
        invoices=draft.count,
        amount=draft.amount,
        unbilled=json.dumps([one.to_dict() for one in unbilled], ensure_ascii=False),
    )
    session.add(run)
    session.flush()
    used = ZERO
    if draft.count:
        insert_invoices(draft, run.id, issued_on, rule.due_on(terms, wanted))
        used = _use_credit(session, run.id, wanted, issued_on, now)
    draft.clear()
    made = {"period": str(wanted), "invoices": draft.count, "amount": draft.amount, "unbilled": len(unbilled)}
    audit.record(session, now, staff_id, "issue", run, made)
    return Issued(run.id, str(wanted), issued_on, draft.count, draft.amount, used, unbilled)


def _use_credit(session: Session, run_id: int, period: Period, issued_on: date, now: datetime) -> Decimal:
    with_credit = select(PAYMENT.c.unit_id).where(ledger.has_credit())
    paid_ahead = ledger.receivables(
        session,
        INVOICE.c.period == str(period),
        INVOICE.c.run_id == run_id,
        INVOICE.c.unit_id.in_(with_credit),
    )
    return credit.use_credit(session, paid_ahead, issued_at=start_of(session, issued_on), now=now)


def start_of(session: Session, day: date) -> datetime:
    """The first instant of a day in office time."""
    return datetime.combine(day, time(0), clock.zone(session))


def draft_run(session: Session, due_for: datetime) -> JobResult:
    """On the cut-off day: what next month's bills would be, and what they still lack (job, B3, B4)."""
    period = Period.of(clock.office_day(session, due_for)).plus(1)
    shown = preview(session, str(period), now=due_for)
    lacking = Counter(one.reason.code for one in shown.unbilled)
    return JobResult(
        done=shown.invoices,
        result={"period": shown.period, "amount": yuan(shown.amount), "unbilled": dict(lacking)},
    )
