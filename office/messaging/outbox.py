"""The outbox: messages to owners and staff, each sent exactly once (C4, C5).

A message is written in the transaction of the decision behind it. Sending is two transactions around the
one thing that no transaction covers: pending → sending, then the letter goes out, then sent. A process that
dies in between leaves `sending`; since nobody can know whether that letter arrived, it becomes `unknown` and
waits on a list for a person. Nothing is ever sent a second time by guess.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Protocol

from sqlalchemy import delete, select, text, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from models.collection import Reminder
from models.engine import writing
from models.office import Message
from models.people import Owner, OwnerPhone, Staff
from models.property import Estate
from models.secrets import fingerprint
from office.core import clock, installation, outage_log
from office.core.audit import record
from office.core.errors import N_, Refused
from office.core.jobs import JobResult
from office.core.leases import is_expired, lease_holder
from office.messaging import channels
from office.policies import store
from rules.upkeep import MessagePolicy

log = logging.getLogger(__name__)

VIEW = "view:"  # begins the key of a saved view's message: view:ID:DAY; its list is attached when it leaves
CHUNK = 200  # messages looked at together; each is claimed and sent alone
WAITING = text("message.state IN ('pending', 'failed', 'sending')")  # literal, as the partial index says it


# --- putting in ---------------------------------------------------------------------------------------


def enqueue(
    session: Session,
    key: str,
    channel: str,
    address: str,
    *,
    body: str,
    now: datetime,
    subject: str = "",
    language: str = "zh_Hans",
    send_at: datetime | None = None,
    reminder_id: int | None = None,
    ticket_id: int | None = None,
    staff_id: int | None = None,
) -> None:
    """Add one message, once per key, to be sent from `send_at` (else at once).

    An alert to staff needs no address: the person's own is looked up when it leaves.
    """
    enqueue_all(
        session,
        [
            {
                "key": key,
                "channel": channel,
                "address": address,
                "subject": subject,
                "body": body,
                "language": language,
                "next_try_at": send_at or now,
                "reminder_id": reminder_id,
                "ticket_id": ticket_id,
                "staff_id": staff_id,
            }
        ],
        now,
    )


def enqueue_all(session: Session, rows: Iterable[Mapping[str, Any]], now: datetime) -> None:
    """The same for many: rows of Message's columns; `next_try_at` may be left out."""
    full = [{"next_try_at": now, **row, "made_at": now} for row in rows]
    if not full:
        return
    is_sqlite = session.get_bind().dialect.name == "sqlite"
    insert = sqlite.insert(Message) if is_sqlite else postgresql.insert(Message)
    session.execute(insert.on_conflict_do_nothing(index_elements=["key"]), full)


# --- sending ------------------------------------------------------------------------------------------


def has_due(session: Session, now: datetime) -> bool:
    """Whether a message could leave now."""
    due = select(Message.id).where(WAITING, Message.state != "sending", Message.next_try_at <= now)
    return session.execute(due.limit(1)).first() is not None


class ReminderFollowUp(Protocol):
    """What the outbox asks the arrears room about a message that carries a reminder."""

    def still_wanted(self, session: Session, message: Message, now: datetime, /) -> bool:
        """Whether the reminder should still go out; asked just before it is sent (C4)."""

    def undeliverable(self, session: Session, message: Message, now: datetime, /) -> None:
        """Called for a message that can't be delivered; tries the next channel, if there is one (C5)."""


def send_due(session: Session, due_for: datetime, *, reminders: ReminderFollowUp) -> JobResult:
    """Job: send what is due, each message once; commits around every single one.

    `done` counts the sent, `failed` those that did not arrive this time.
    """
    with writing():
        lost = _settle_lost(session)
        session.commit()
        dispatcher = Dispatcher(session, max(due_for, clock.now(session)), reminders)
        session.rollback()
        try:
            dispatcher.deliver()
        finally:
            dispatcher.close()
    counts = dispatcher.counts | ({"unknown": dispatcher.counts.get("unknown", 0) + lost} if lost else {})
    return JobResult(
        done=counts.get("sent", 0),
        failed=sum(counts.get(state, 0) for state in ("failed", "unknown", "dead")),
        result=counts,
    )


def _server(channel: str) -> str:
    """What the log calls the server of a channel."""
    return f"the server of channel {channel}"


class Dispatcher:
    """One run of the outbox; channels stay open during it, and one that is down is not tried again in it."""

    def __init__(self, session: Session, now: datetime, reminders: ReminderFollowUp) -> None:
        self.session = session
        self.reminders = reminders
        self.now = now
        self.counts: dict[str, int] = {}
        self.open: dict[str, channels.Channel] = {}
        self.down: set[str] = set()
        today = clock.office_day(session, now)
        self.estate = session.execute(select(Estate)).scalar_one()
        session.expunge(self.estate)
        self.waits = store.in_force(session, MessagePolicy, today).waits

    def close(self) -> None:
        for channel in self.open.values():
            channel.close()

    def deliver(self) -> None:
        while True:
            ids = self._next()
            if not ids:
                return
            for message_id in ids:
                self._send(message_id)

    def _next(self) -> list[int]:
        """The next messages that are due; a try changes a message's state or time, so none comes twice."""
        rows = self.session.execute(
            select(Message.id)
            .where(
                WAITING,
                Message.state != "sending",
                Message.next_try_at <= self.now,
                Message.channel.not_in(sorted(self.down)),
            )
            .order_by(Message.next_try_at, Message.id)
            .limit(CHUNK)
        ).scalars()
        ids = list(rows)
        self.session.rollback()
        return ids

    def _send(self, message_id: int) -> None:
        try:
            message = self._claim(message_id)
        except Exception as unforeseen:  # one bad message can't stop the others
            log.exception("taking message %s for sending failed", message_id)
            self._reschedule(message_id, unforeseen)
            return
        if message is None:
            return
        state, error, is_address_bad = "sent", "", False
        try:
            letter = self._letter(message)
            if letter is None:
                self._settle(message, "dropped", "", is_address_bad=False)
                return
            self._channel(message.channel).send(letter)
            outage_log.ends(_server(message.channel))
        except channels.Unsure as unsure:
            state, error = "unknown", str(unsure)
        except channels.Declined as declined:
            state, error, is_address_bad = "dead", str(declined), declined.is_address_bad
        except channels.Undelivered as undelivered:
            state, error = "failed", str(undelivered)
            if isinstance(undelivered, channels.Unreachable):
                self.down.add(message.channel)
                outage_log.begins(_server(message.channel), undelivered)
        except Exception as unforeseen:
            log.exception("sending message %s failed", message_id)
            state, error = "unknown", f"{type(unforeseen).__name__}: {unforeseen}"
        self._settle(message, state, error, is_address_bad=is_address_bad)

    def _claim(self, message_id: int) -> Any:
        """Lease a pending message for sending, unless it is not wanted any more or another process has it."""
        claimed = self.session.execute(
            update(Message)
            .where(
                Message.id == message_id,
                Message.state.in_(("pending", "failed")),
                Message.next_try_at <= self.now,
                Message.channel.not_in(sorted(self.down)),
            )
            .values(
                state="sending",
                claimed_by=lease_holder(),
                claimed_at=clock.machine_now(),
                attempts=Message.attempts + 1,
                row_version=Message.row_version + 1,
            )
            .returning(Message.id)
        ).first()
        message = self.session.get(Message, message_id, populate_existing=True) if claimed else None
        if message is not None:
            self.session.expunge(message)
            is_reminder = message.reminder_id is not None
            if not is_reminder or self.reminders.still_wanted(self.session, message, self.now):
                _sync_reminder(self.session, message, "sending", None)
            else:
                _change(self.session, message, state="dropped", claimed_by="")
                self._count("dropped")
                message = None
        self.session.commit()
        return message

    def _reschedule(self, message_id: int, error: Exception) -> None:
        self.session.rollback()
        self.session.execute(
            update(Message)
            .where(Message.id == message_id)
            .values(next_try_at=self.now + self.waits[0], error=f"{type(error).__name__}: {error}"[:2000])
        )
        self.session.commit()
        self._count("failed")

    def _channel(self, name: str) -> channels.Channel:
        if name not in self.open:
            self.open[name] = channels.open_channel(name, installation.of(self.session).setting)
        return self.open[name]

    def _letter(self, message: Message) -> channels.Letter | None:
        """What goes out; None for a saved view whose person may not have it any more."""
        address, body = message.address, message.body
        files: tuple[tuple[str, bytes], ...] = ()
        if message.channel == "alert" and message.staff_id is not None:
            staff = self.session.execute(select(Staff.alert_url).where(Staff.id == message.staff_id))
            address = staff.scalar_one_or_none() or ""
            self.session.rollback()
        if message.key.startswith(VIEW):
            view_id = int(message.key.removeprefix(VIEW).partition(":")[0])
            made = self._list_file(view_id, message.staff_id or 0)
            if made is None:
                return None
            address, body = made.address, made.problem or body
            files = ((made.name, made.content),) if made.name else ()
        return channels.Letter(
            message.key,
            address,
            message.subject,
            body,
            self.now,
            self.estate.in_language("name", message.language),
            message.language,
            files,
        )

    def _list_file(self, view_id: int, staff_id: int) -> installation.ListFile | None:
        try:
            return installation.of(self.session).list_file(view_id, staff_id)
        except Exception as unforeseen:  # nothing has been sent yet: it is tried again
            log.exception("making the file of view %s failed", view_id)
            raise channels.Undelivered(f"{type(unforeseen).__name__}: {unforeseen}") from unforeseen

    def _settle(self, message: Message, state: str, error: str, *, is_address_bad: bool) -> None:
        """Store the result of sending, together with the state of the message's reminder."""
        values: dict[str, Any] = {"state": state, "error": error[:2000], "claimed_by": ""}
        if state == "sent":
            values["sent_at"] = self.now
        elif state == "failed" and message.attempts > len(self.waits):
            state = values["state"] = "dead"
        elif state == "failed":
            values["next_try_at"] = self.now + self.waits[message.attempts - 1]
        _change(self.session, message, **values)
        _sync_reminder(self.session, message, state, self.now if state == "sent" else None)
        if is_address_bad:
            _mark_contact_bad(self.session, message)
        if state == "dead" and message.reminder_id is not None:
            self.reminders.undeliverable(self.session, message, self.now)
        self.session.commit()
        self._count(state)

    def _count(self, state: str) -> None:
        self.counts[state] = self.counts.get(state, 0) + 1


def _settle_lost(session: Session) -> int:
    """Set messages left in `sending` by a process that is gone to unknown: a person must find out."""
    now = clock.machine_now()
    lost = [
        message
        for message in session.execute(
            select(Message)
            .where(text("message.state = 'sending'"), WAITING)
            .with_for_update(skip_locked=True)
        ).scalars()
        if message.claimed_by == lease_holder() or is_expired(message.claimed_by, message.claimed_at, now)
    ]
    for message in lost:
        session.expunge(message)
        _change(session, message, state="unknown", error="its process ended while sending", claimed_by="")
        _sync_reminder(session, message, "unknown", None)
    return len(lost)


def _change(session: Session, message: Message, **values: Any) -> None:
    session.execute(
        update(Message).where(Message.id == message.id).values(**values, row_version=Message.row_version + 1)
    )


def _sync_reminder(session: Session, message: Message, state: str, sent_at: datetime | None) -> None:
    """Carry a message's state over to its reminder, in the same transaction."""
    if message.reminder_id is None:
        return
    if message.channel == "print" and state == "sent":
        state = "printed"
    session.execute(
        update(Reminder)
        .where(Reminder.id == message.reminder_id)
        .values(state=state, sent_at=sent_at, row_version=Reminder.row_version + 1)
    )
    session.execute(  # and to those for which it speaks too (C19)
        update(Reminder)
        .where(Reminder.joined_id == message.reminder_id, Reminder.state != "dropped")
        .values(state=state, sent_at=sent_at, row_version=Reminder.row_version + 1)
    )


def _mark_contact_bad(session: Session, message: Message) -> None:
    """Mark the address of an undeliverable message as bad on its owner (P6)."""
    if message.channel == "email":
        session.execute(
            update(Owner)
            .where(Owner.email == message.address)
            .values(is_email_bad=True, row_version=Owner.row_version + 1)
        )
    elif message.channel == "sms":
        session.execute(
            update(OwnerPhone)
            .where(OwnerPhone.number_mac == fingerprint(message.address))
            .values(is_bad=True, row_version=OwnerPhone.row_version + 1)
        )
    elif message.channel == "wecom":
        session.execute(
            update(Owner)
            .where(Owner.chat_id == message.address)
            .values(is_chat_bad=True, row_version=Owner.row_version + 1)
        )


# --- for people ---------------------------------------------------------------------------------------


def decide_unknown(
    session: Session, message_id: int, *, has_arrived: bool, now: datetime, staff_id: int | None
) -> None:
    """Settle an unknown or given-up message as a person found out: sent, or to be sent again (C4).

    Raises Refused when the message is not unknown or dead.
    """
    message = session.get(Message, message_id)
    if message is None or message.state not in {"unknown", "dead"}:
        raise Refused(N_("Only a message whose fate is unknown, or that was given up, can be decided"))
    if not has_arrived and message.cleared_at is not None:
        raise Refused(N_("The text of this message is removed already: it can't be sent again"))
    before = message.state
    message.state = "sent" if has_arrived else "pending"
    message.sent_at = now if has_arrived else None
    message.next_try_at = now
    message.attempts = 0
    session.flush()
    _sync_reminder(session, message, "sent" if has_arrived else "approved", message.sent_at)
    record(session, now, staff_id, "decide", message, {"state": [before, message.state]})


def clear_old(session: Session, before: datetime, now: datetime) -> int:
    """Remove address, subject and text of messages made before an instant; answers of how many (P3, F23).

    What has not gone out yet keeps them; that a message went, when and by which channel, stays.
    """
    cleared: Any = session.execute(
        update(Message)
        .where(
            Message.made_at < before,
            text("cleared_at IS NULL AND state IN ('sent', 'dropped', 'unknown', 'dead')"),
        )
        .values(
            address="", subject="", body="", error="", cleared_at=now, row_version=Message.row_version + 1
        )
    )
    return int(cleared.rowcount)


def drop_waiting(session: Session, reminder_ids: Iterable[int]) -> None:
    """Delete the messages of dropped reminders that no process has begun to send."""
    session.execute(
        delete(Message).where(
            Message.reminder_id.in_(list(reminder_ids)), Message.state.in_(("pending", "failed"))
        )
    )
