"""Integrity checks of reminders, messages, plans and restrictions, for `flask check` (C4, C9, C13)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from sqlalchemy import and_, func, or_, select
from sqlalchemy.orm import Session

from models.billing import InstalmentPlan, Invoice
from models.collection import Reminder, ReminderBatch, Restriction
from models.office import JobRun, Message
from models.property import Unit
from office.core import clock
from office.core.integrity import Finding
from office.messaging.channels import ELECTRONIC

OPEN = ("planned", "approved", "sending")


def stage_is_the_last_one_made(session: Session) -> Iterable[Finding]:
    """An invoice's stage is that of the last reminder made for it."""
    last = (
        select(
            Reminder.subject_id,
            Reminder.stage,
            func.row_number()
            .over(partition_by=Reminder.subject_id, order_by=(Reminder.planned_on.desc(), Reminder.id.desc()))
            .label("place"),
        )
        .where(Reminder.state != "not_made")
        .subquery()
    )
    query = (
        select(Invoice.id, Invoice.number, Invoice.stage, func.coalesce(last.c.stage, ""))
        .join(last, and_(last.c.subject_id == Invoice.id, last.c.place == 1), isouter=True)
        .where(Invoice.stage != func.coalesce(last.c.stage, ""))
    )
    for id_, number, stage, should in session.execute(query):
        yield Finding("stage_is_last_made", "invoice", id_, number, stage, should)


def one_stage_a_day(session: Session) -> Iterable[Finding]:
    """No payer and unit had two stages on one day."""
    query = (
        select(func.max(Reminder.id), Unit.code, Reminder.planned_on, func.count())
        .join(Unit, Unit.id == Reminder.unit_id)
        .where(Reminder.state != "not_made")
        .group_by(Reminder.unit_id, Reminder.payer_id, Unit.code, Reminder.planned_on)
        .having(func.count() > 1)
    )
    for id_, code, day, count in session.execute(query):
        yield Finding("one_stage_a_day", "reminder", id_, f"{code} {day}", str(count), "1")


def planned_on_is_the_batchs_day(session: Session) -> Iterable[Finding]:
    """A reminder is planned for the day that its batch was made for, and never before its trigger."""
    query = (
        select(Reminder.id, Unit.code, Reminder.stage, Reminder.planned_on, ReminderBatch.made_for)
        .join(ReminderBatch, ReminderBatch.id == Reminder.batch_id)
        .join(Unit, Unit.id == Reminder.unit_id)
        .where(Reminder.planned_on != ReminderBatch.made_for)
    )
    for id_, code, stage, planned_on, made_for in session.execute(query):
        yield Finding(
            "planned_on_batchs_day", "reminder", id_, f"{code} {stage}", str(planned_on), str(made_for)
        )


def left_out_rows_keep_their_day(session: Session) -> Iterable[Finding]:
    """A `not_made` row lies on a day that was judged, on or after the trigger of its stage."""
    zone = clock.zone(session)
    judged = {
        due_for.astimezone(zone).date()
        for due_for in session.scalars(select(JobRun.due_for).where(JobRun.job == "ladder"))
    }
    known_since = min(judged, default=date.max)  # old runs are cleared away
    query = (
        select(Reminder.id, Unit.code, Reminder.stage, Reminder.planned_on, Reminder.due_on)
        .join(Unit, Unit.id == Reminder.unit_id)
        .where(Reminder.state == "not_made")
    )
    for id_, code, stage, planned_on, due_on in session.execute(query):
        if planned_on <= due_on:
            yield Finding(
                "left_out_after_due", "reminder", id_, f"{code} {stage}", str(planned_on), str(due_on)
            )
        elif planned_on >= known_since and planned_on not in judged:
            yield Finding("left_out_on_judged_day", "reminder", id_, f"{code} {stage}", str(planned_on), "")


def left_out_rows_have_a_reason(session: Session) -> Iterable[Finding]:
    """Reminders not made or dropped have a reason."""
    query = select(Reminder.id, Reminder.stage, Reminder.state).where(
        Reminder.state.in_(("not_made", "dropped")), or_(Reminder.reason_code == "", Reminder.reason == "")
    )
    for id_, stage, state in session.execute(query):
        yield Finding("left_out_has_reason", "reminder", id_, stage, state, "a reason")


def mailed_reminders_have_a_message(session: Session) -> Iterable[Finding]:
    """An approved reminder that goes by an electronic channel has its message in the outbox."""
    query = (
        select(Reminder.id, Reminder.stage, Reminder.state)
        .join(Message, Message.reminder_id == Reminder.id, isouter=True)
        .where(Reminder.channel.in_(ELECTRONIC), Reminder.state == "approved", Message.id.is_(None))
    )
    for id_, stage, state in session.execute(query):
        yield Finding("mailed_has_message", "reminder", id_, stage, state, "a message")


def sent_reminders_say_when(session: Session) -> Iterable[Finding]:
    """Reminders that went out have the instant of sending."""
    query = select(Reminder.id, Reminder.stage, Reminder.state).where(
        Reminder.state.in_(("sent", "printed", "done")), Reminder.sent_at.is_(None)
    )
    for id_, stage, state in session.execute(query):
        yield Finding("sent_says_when", "reminder", id_, stage, state, "sent_at")


def done_batches_are_done(session: Session) -> Iterable[Finding]:
    """A batch that is done has nothing left to do."""
    query = (
        select(ReminderBatch.id, ReminderBatch.number, func.count())
        .join(Reminder, Reminder.batch_id == ReminderBatch.id)
        .where(ReminderBatch.state == "done", Reminder.state.in_(OPEN))
        .group_by(ReminderBatch.id, ReminderBatch.number)
    )
    for id_, number, count in session.execute(query):
        yield Finding("done_batch_is_done", "reminder_batch", id_, number, str(count), "0")


def restrictions_have_two_approvals(session: Session) -> Iterable[Finding]:
    """A restriction in effect was approved by two people and names a service (C9)."""
    query = select(Restriction.id, Restriction.state).where(
        Restriction.state.in_(("approved", "in_effect", "suspended")),
        or_(
            Restriction.approved_by_id.is_(None),
            Restriction.second_approved_by_id.is_(None),
            Restriction.fee_item_id.is_(None),
            Restriction.contract_clause == "",
        ),
    )
    for id_, state in session.execute(query):
        yield Finding("restriction_has_two_approvals", "restriction", id_, str(id_), state, "two approvals")


def running_plans_are_approved(session: Session) -> Iterable[Finding]:
    """A plan runs only with the station head's approval (B9)."""
    query = select(InstalmentPlan.id).where(
        InstalmentPlan.state.in_(("running", "kept", "broken")), InstalmentPlan.approved_at.is_(None)
    )
    for id_ in session.scalars(query):
        yield Finding("plan_is_approved", "instalment_plan", id_, str(id_), "running", "approved")


def all_hold(session: Session) -> Iterable[Finding]:
    """The findings of all checks of this room."""
    for check in (
        stage_is_the_last_one_made,
        one_stage_a_day,
        planned_on_is_the_batchs_day,
        left_out_rows_keep_their_day,
        left_out_rows_have_a_reason,
        mailed_reminders_have_a_message,
        sent_reminders_say_when,
        done_batches_are_done,
        restrictions_have_two_approvals,
        running_plans_are_approved,
    ):
        yield from check(session)
