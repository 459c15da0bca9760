"""Instalment plans: arrears paid in parts; while one is kept its bills get no reminders (B9)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.billing import Instalment, InstalmentPlan, PlanInvoice
from models.payments import Payment
from office.arrears.debts import AsOf, Debt, Debtor, owed, payments_since, total
from office.core.audit import record
from office.core.errors import N_, Refused
from office.core.jobs import JobResult
from office.core.staff import refuse_same_person, roles_of
from rules import promises
from rules.promises import DatedAmount
from rules.roles import is_head

MOST_PARTS = 60  # what a form may ask for; no rule
PROBLEMS = {  # the sentence for each answer of the rule
    "no_debt": N_("There is no debt to plan for"),
    "sum": N_("The instalments must add up to the debt of %(amount)s"),
    "days": N_("Each instalment needs a day of its own, today or later"),
}
STATES = {"plan_kept": "running", "plan_done": "kept", "plan_broken": "broken"}


def propose_plan(
    session: Session,
    debtor: Debtor,
    parts: Sequence[DatedAmount],
    *,
    now: datetime,
    staff_id: int | None,
    reason: str = "",
) -> InstalmentPlan:
    """A plan over all that payer and unit owe by today, to be approved (B9). Raises Refused."""
    as_of = AsOf.of(session, now)
    debts = owed(session, as_of, until=as_of.day, units=[debtor[0]]).get(debtor, [])
    return _proposed(session, debtor, debts, parts, as_of, staff_id, reason)


def propose_even_plan(
    session: Session,
    debtor: Debtor,
    count: int,
    first_on: date,
    *,
    now: datetime,
    staff_id: int | None,
    reason: str = "",
) -> InstalmentPlan:
    """A plan over all that is owed by today in even monthly parts, to be approved (B9). Raises Refused."""
    if not 1 <= count <= MOST_PARTS:
        raise Refused(N_("A plan has between 1 and %(most)s instalments"), most=MOST_PARTS)
    as_of = AsOf.of(session, now)
    debts = owed(session, as_of, until=as_of.day, units=[debtor[0]]).get(debtor, [])
    parts = promises.even_parts(total(debts), count, first_on)
    return _proposed(session, debtor, debts, parts, as_of, staff_id, reason)


def _proposed(
    session: Session,
    debtor: Debtor,
    debts: Sequence[Debt],
    parts: Sequence[DatedAmount],
    as_of: AsOf,
    staff_id: int | None,
    reason: str,
) -> InstalmentPlan:
    problem = promises.plan_problem(parts, total(debts), as_of.day)
    if problem:
        raise Refused(PROBLEMS[problem], amount=total(debts))
    if _running(session, debtor) is not None:
        raise Refused(N_("There is a plan for this debt already"))
    plan = InstalmentPlan(
        unit_id=debtor[0], payer_id=debtor[1], amount=total(debts), reason=reason, proposed_by_id=staff_id
    )
    ordered = sorted(parts, key=lambda part: part.on)
    plan.instalments = [Instalment(due_on=part.on, amount=part.amount) for part in ordered]
    session.add(plan)
    session.flush()
    session.add_all(PlanInvoice(plan_id=plan.id, invoice_id=debt.id) for debt in debts)
    record(session, as_of.at, staff_id, "propose", plan, {"amount": plan.amount, "parts": len(parts)})
    return plan


def _running(session: Session, debtor: Debtor) -> int | None:
    return session.scalar(
        select(InstalmentPlan.id)
        .where(
            InstalmentPlan.unit_id == debtor[0],
            InstalmentPlan.payer_id == debtor[1],
            InstalmentPlan.state.in_(("proposed", "running")),
        )
        .limit(1)
    )


def approve_plan(session: Session, plan_id: int, *, now: datetime, staff_id: int) -> InstalmentPlan:
    """Approve a plan as station head: from now on its bills get no reminders.

    Raises Refused for who proposed it (F21).
    """
    plan = session.get(InstalmentPlan, plan_id)
    if plan is None or plan.state != "proposed":
        raise Refused(N_("Only a proposed plan can be approved"))
    if not is_head(roles_of(session, staff_id)):
        raise Refused(N_("A plan is approved by the station head"))
    refuse_same_person([plan.proposed_by_id], staff_id)
    plan.state, plan.approved_by_id, plan.approved_at = "running", staff_id, now
    record(session, now, staff_id, "approve", plan, {"state": ("proposed", "running")})
    return plan


def cancel_plan(session: Session, plan_id: int, *, reason: str, now: datetime, staff_id: int | None) -> None:
    """End a plan early; its bills go on at their stage. Raises Refused."""
    plan = session.get(InstalmentPlan, plan_id)
    if plan is None or plan.state not in {"proposed", "running"}:
        raise Refused(N_("Only a proposed or running plan can be cancelled"))
    if not reason.strip():
        raise Refused(N_("A cancellation needs a reason"))
    before, plan.state = plan.state, "cancelled"
    plan.ended_on = AsOf.of(session, now).day
    plan.reason = reason
    record(session, now, staff_id, "cancel", plan, {"state": (before, "cancelled"), "reason": reason})


def check_plans(session: Session, due_for: datetime) -> JobResult:
    """Which running plans are done or broken by what was paid until yesterday (B9).

    A plan that was done goes on, or is broken, once a payment of its unit was voided or taken back.
    """
    as_of = AsOf.of(session, due_for)
    undone = select(Payment.unit_id).where(
        Payment.kind == "reversal", Payment.posted_on >= InstalmentPlan.ended_on
    )
    plans = session.scalars(
        select(InstalmentPlan).where(
            (InstalmentPlan.state == "running")
            | (InstalmentPlan.state == "kept") & InstalmentPlan.unit_id.in_(undone),
            InstalmentPlan.approved_at < due_for,
        )
    ).all()
    since = min((_approved(plan) for plan in plans), default=as_of.at)
    paid = payments_since(session, as_of, since, {plan.unit_id for plan in plans})
    ended = 0
    for plan in plans:
        parts = [DatedAmount(one.due_on, one.amount) for one in plan.instalments]
        came = [
            DatedAmount(paid_at.astimezone(as_of.zone).date(), amount)
            for paid_at, amount in paid[plan.unit_id, plan.payer_id]
            if paid_at >= _approved(plan)
        ]
        answer = promises.plan_state(parts, came, as_of.day)
        for row, state in zip(
            plan.instalments, promises.instalment_states(parts, came, as_of.day), strict=True
        ):
            row.state = state
        before, state = plan.state, STATES[answer.code]
        if state != before:
            plan.state, plan.ended_on = state, None if state == "running" else as_of.day
            record(session, due_for, None, "check", plan, {"state": (before, state), "reason": answer})
            ended += state != "running"
    session.flush()
    running = sum(plan.state == "running" for plan in plans)
    return JobResult(done=ended, result={"running": running, "ended": ended})


def _approved(plan: InstalmentPlan) -> datetime:
    assert plan.approved_at is not None
    return plan.approved_at
