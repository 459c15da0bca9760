"""Reminder batches: previewed, rows dropped with a reason, approved, sent or printed, done (C4, C5)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from models.collection import Reminder, ReminderBatch
from models.office import Message
from office.arrears import holds as arrears_holds
from office.arrears import joint_reminders, reminder_messages
from office.arrears.debts import AsOf, Debt, Debtor, counted, owed
from office.core.audit import record
from office.core.database import chunks
from office.core.errors import N_, Refused
from office.core.staff import roles_of
from office.messaging import outbox
from office.messaging.channels import ELECTRONIC
from rules.call_list import is_settled
from rules.dunning import DunningCase, holds
from rules.ladder import Ladder, Stage
from rules.reasons import Reason
from rules.roles import is_at_least

OPEN = ("planned", "approved")
PERSONAL = ("phone", "visit")  # channels of what a person does at an hour


def send_out(session: Session, batch_id: int, *, now: datetime) -> None:
    """Put the messages of a batch's approved reminders into the outbox; letters wait to be printed."""
    ids = session.scalars(
        select(Reminder.id).where(
            Reminder.batch_id == batch_id,
            Reminder.channel.in_(ELECTRONIC),
            Reminder.state == "approved",
            Reminder.joined_id.is_(None),
        )
    ).all()
    if ids:
        chain = arrears_holds.stored_ladder(session, AsOf.of(session, now).day)
        outbox.enqueue_all(session, reminder_messages.messages(session, chain, ids, now=now), now)


# --- people work on a batch -----------------------------------------------------------------------


def drop_reminder(
    session: Session, reminder_id: int, *, reason: str, now: datetime, staff_id: int | None
) -> Reminder:
    """Take one row out of its batch, with a reason (C4). Raises Refused when it has gone out."""
    if not reason.strip():
        raise Refused(N_("A dropped reminder needs a reason"))
    reminder = session.get(Reminder, reminder_id, populate_existing=True)
    if reminder is None or reminder.state not in OPEN:
        raise Refused(N_("Only a reminder that has not gone out can be dropped"))
    before = reminder.state
    chain = arrears_holds.stored_ladder(session, AsOf.of(session, now).day)
    _drop(session, [reminder_id], Reason("staff", {"note": reason.strip()}), staff_id)
    _lead_anew(session, chain, [reminder_id], now)
    record(session, now, staff_id, "drop", reminder, {"state": (before, "dropped"), "reason": reason.strip()})
    session.refresh(reminder)
    return reminder


def _drop(session: Session, ids: Sequence[int], reason: Reason, staff_id: int | None = None) -> None:
    for chunk in chunks(ids):
        session.execute(
            update(Reminder)
            .where(Reminder.id.in_(chunk), Reminder.state.in_(OPEN))
            .values(
                state="dropped",
                reason_code=reason.code,
                reason=reason.to_json(),
                dropped_by_id=staff_id,
                row_version=Reminder.row_version + 1,
            )
        )
        outbox.drop_waiting(session, chunk)


def approve_batch(
    session: Session, batch_id: int, *, now: datetime, staff_id: int, units: Any = None
) -> ReminderBatch:
    """Approve a batch so that it goes out; reminders paid or held meanwhile are dropped with the reason (C4).

    With `units` (ids, or a query of them) only theirs; the batch stays a draft while rows of others wait.
    Raises Refused unless the approver has the role that the stage asks for, or one above it.
    """
    batch = session.get(ReminderBatch, batch_id, populate_existing=True)
    if batch is None or batch.state != "draft":
        raise Refused(N_("Only a draft batch can be approved"))
    chain = arrears_holds.stored_ladder(session, AsOf.of(session, now).day)
    stage = chain.find(batch.stage)
    wanted = stage.approved_by if stage is not None else ""
    if wanted and not is_at_least(roles_of(session, staff_id), wanted):
        raise Refused(N_("This batch is approved by another role: %(role)s"), role=wanted)
    own = [Reminder.batch_id == batch_id]
    if units is not None:
        theirs = select(joint_reminders.lead_id()).where(*own, Reminder.unit_id.in_(units))
        own.append(joint_reminders.lead_id().in_(theirs))
    _drop_unwanted(session, chain, own, now)
    approved = session.execute(
        update(Reminder)
        .where(*own, Reminder.state == "planned")
        .values(state="approved", row_version=Reminder.row_version + 1)
        .execution_options(synchronize_session=False)
        .returning(Reminder.id)
    ).all()
    waits = select(Reminder.id).where(Reminder.batch_id == batch_id, Reminder.state == "planned").limit(1)
    if session.scalar(waits) is None:
        batch.state, batch.approved_by_id, batch.approved_at = "approved", staff_id, now
    session.flush()
    send_out(session, batch_id, now=now)
    record(
        session, now, staff_id, "approve", batch, {"state": ("draft", batch.state), "count": len(approved)}
    )
    session.expire_all()
    return batch


def _drop_unwanted(session: Session, chain: Ladder, which: Sequence[Any], now: datetime) -> None:
    rows = session.scalars(select(Reminder).where(*which, Reminder.state.in_(OPEN))).all()
    for reason, ids in _unwanted(session, chain, rows, now):
        _drop(session, ids, reason)
        _lead_anew(session, chain, ids, now)


def _lead_anew(session: Session, chain: Ladder, dropped: Sequence[int], now: datetime) -> None:
    """Those that went out with dropped reminders go on without them, by a message that says so (C19)."""
    changed = joint_reminders.led_anew(session, chain, dropped)
    if not changed:
        return
    session.expire_all()
    outbox.drop_waiting(session, changed)
    waiting = session.scalars(
        select(Reminder.id).where(
            Reminder.id.in_(changed), Reminder.state == "approved", Reminder.channel.in_(ELECTRONIC)
        )
    ).all()
    if waiting:
        made = reminder_messages.messages(session, chain, waiting, now=now, is_again=True)
        outbox.enqueue_all(session, made, now)


def _unwanted(
    session: Session, chain: Ladder, rows: Sequence[Reminder], now: datetime
) -> list[tuple[Reason, list[int]]]:
    """The ids of reminders that should no longer go out, by reason."""
    as_of = AsOf.of(session, now)
    units = {row.unit_id for row in rows}
    if not units:
        return []
    latest = max(row.due_on for row in rows)
    debts = owed(session, as_of, until=max(latest, as_of.day), units=units)
    counts = counted(session, as_of, debts, chain.counted_items)
    standing = arrears_holds.holds_at(session, as_of, units)
    found: dict[str, tuple[Reason, list[int]]] = {}
    for row in rows:
        stage = chain.find(row.stage)
        # the notice of a bill is about all of it
        asked = debts if row.due_on >= row.planned_on else counts
        reason = _why_not(chain, stage, row, asked, standing, as_of)
        if reason is not None:
            found.setdefault(str(reason), (reason, []))[1].append(row.id)
    return list(found.values())


def _why_not(
    chain: Ladder,
    stage: Stage | None,
    row: Reminder,
    debts: Mapping[Debtor, Sequence[Debt]],
    standing: arrears_holds.Holds,
    as_of: AsOf,
) -> Reason | None:
    own = next((one for one in debts.get((row.unit_id, row.payer_id), ()) if one.id == row.subject_id), None)
    if stage is None or own is None:
        return Reason("paid") if own is None else None
    is_notice = row.due_on >= row.planned_on
    state = DunningCase(due_on=row.due_on, is_plan_kept=own.is_in_kept_plan)
    debtor = (row.unit_id, row.payer_id)
    empty = arrears_holds.Holds()
    facts = arrears_holds.day_facts(debtor, as_of, empty if is_notice else standing, None)
    found = [one for one in holds(chain, stage, state, facts, own.balance) if one.code != "gate"]
    return found[0] if found else None


def mark(session: Session, reminder_ids: Sequence[int], state: str, *, now: datetime, staff_id: int) -> int:
    """Mark reminders as `printed` or `done`; returns how many were changed (C4). Raises Refused."""
    if state not in {"printed", "done"}:
        raise Refused(N_("A reminder is marked printed or done"))
    chain = arrears_holds.stored_ladder(session, AsOf.of(session, now).day)
    roles = roles_of(session, staff_id)
    marked = 0
    for chunk in chunks(joint_reminders.with_joined(session, reminder_ids)):
        rows = session.scalars(
            select(Reminder).where(Reminder.id.in_(chunk), Reminder.state.in_((*OPEN, "printed")))
        ).all()
        for row in rows:
            if row.state == "planned" and row.channel == "print":
                raise Refused(N_("This batch has not been approved yet"))
            if row.state == state:
                continue
            is_led = row.joined_id is not None  # who may, is asked of the one with which it goes out
            if (
                not is_led
                and row.channel in PERSONAL
                and not is_settled(
                    row.channel, row.channel, chain.find(row.stage), roles, is_approved=row.state != "planned"
                )
            ):
                raise Refused(N_("Stage %(stage)s is carried out by another role"), stage=row.stage)
            before, row.state, row.sent_at = row.state, state, row.sent_at or now
            record(session, now, staff_id, "mark", row, {"state": (before, state)})
            marked += 1
    session.flush()
    _finish_batches(session)
    return marked


def _finish_batches(session: Session) -> None:
    """Set approved batches with nothing left to do to done."""
    left = select(Reminder.batch_id).where(Reminder.state.in_((*OPEN, "sending", "failed", "unknown")))
    session.execute(
        update(ReminderBatch)
        .where(
            ReminderBatch.state == "approved",
            ReminderBatch.id.not_in(left.where(Reminder.batch_id.is_not(None))),
        )
        .values(state="done", row_version=ReminderBatch.row_version + 1)
    )


@dataclass(frozen=True)
class Part:
    """The reminders of a batch in one state and over one channel; debt in yuan."""

    state: str
    channel: str
    count: int
    debt: Decimal


def parts_of(session: Session, batch_id: int, units: Any = None) -> list[Part]:
    """A batch by state and channel: how many reminders, how much debt (C4). With `units` only theirs."""
    own = [] if units is None else [Reminder.unit_id.in_(units)]
    rows = session.execute(
        select(Reminder.state, Reminder.channel, func.count(), func.sum(Reminder.debt))
        .where(Reminder.batch_id == batch_id, *own)
        .group_by(Reminder.state, Reminder.channel)
        .order_by(Reminder.state, Reminder.channel)
    )
    return [Part(state, channel, count, debt) for state, channel, count, debt in rows]


def deliveries(session: Session, reminder_id: int) -> Sequence[Message]:
    """The messages of a reminder in the order of their sending (C5)."""
    return session.scalars(
        select(Message).where(Message.reminder_id == reminder_id).order_by(Message.id)
    ).all()


# --- asked by the outbox ------------------------------------------------------------------------------


def still_wanted(session: Session, message: Message, now: datetime) -> bool:
    """Whether a reminder should still be sent; one paid or held meanwhile is dropped with its reason (C4)."""
    reminder = session.get(Reminder, message.reminder_id, populate_existing=True)
    if reminder is None or reminder.state in joint_reminders.GONE:
        return False
    chain = arrears_holds.stored_ladder(session, AsOf.of(session, now).day)
    joined = joint_reminders.of_leads(session, [reminder.id]).get(reminder.id, ())
    rows = [reminder, *(row for row in joined if row.state not in joint_reminders.GONE)]
    gone: list[int] = []
    for reason, ids in _unwanted(session, chain, rows, now):
        session.execute(
            update(Reminder)
            .where(Reminder.id.in_(ids))
            .values(
                state="dropped",
                reason_code=reason.code,
                reason=reason.to_json(),
                row_version=Reminder.row_version + 1,
            )
        )
        gone += ids
    if gone and len(gone) < len(rows):
        left = [row.id for row in rows if row.id not in gone]
        session.execute(update(Reminder).where(Reminder.id.in_(left)).values(state="approved"))
        _lead_anew(session, chain, gone, now)
    return not gone


def undeliverable(session: Session, message: Message, now: datetime) -> None:
    """Send a reminder that was not delivered by the stage's next channel that reaches the payer (C5)."""
    reminder = session.get(Reminder, message.reminder_id, populate_existing=True)
    if reminder is None:
        return
    chain = arrears_holds.stored_ladder(session, AsOf.of(session, now).day)
    instead = _next_channel(session, chain.find(reminder.stage), reminder)
    if instead is None:
        return
    before = {"state": (reminder.state, "approved"), "channel": (reminder.channel, instead)}
    together = [reminder, *joint_reminders.of_leads(session, [reminder.id]).get(reminder.id, ())]
    for row in together:
        row.state, row.channel, row.sent_at = "approved", instead, None
    session.flush()
    record(session, now, None, "fall_back", reminder, before)
    if instead in ELECTRONIC:
        outbox.enqueue_all(session, reminder_messages.messages(session, chain, [reminder.id], now=now), now)


def _next_channel(session: Session, stage: Stage | None, reminder: Reminder) -> str | None:
    if stage is None or reminder.channel not in stage.channels:
        return None
    payer = reminder.payer_id
    reach = arrears_holds.reachable(session, [payer], arrears_holds.available_channels(session)).get(
        payer, arrears_holds.ALWAYS_REACH
    )
    left = stage.channels[stage.channels.index(reminder.channel) + 1 :]
    return next((code for code in left if code in reach), None)
