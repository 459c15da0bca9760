"""Complaints by link or QR code, and a complaint's status for who has its number and code (T1).

Nothing here says whether a unit, a name or a number exists. How often somebody may is counted in rows, so it
holds for all web processes together.
"""

from __future__ import annotations

import hmac
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from models.complaints import Category, Ticket, TicketClock, TicketEvent
from models.people import SignInAttempt
from models.property import Unit
from models.secrets import fingerprint
from models.text_keys import called
from office.complaints import attachments
from office.complaints.complainants import NewComplainant
from office.complaints.registration import NewTicket, register_ticket
from office.core import clock
from office.core.errors import N_, Refused
from office.policies import store
from rules.lifecycle import Verb
from rules.public_form import OFF, PublicForm
from rules.severity import Facts
from rules.sign_in import network_of

HOUR = timedelta(hours=1)
SUBMISSION_SOURCE, STATUS_SOURCE = "complaint:", "track:"
LETTERS = "23456789ABCDEFGHJKMNPQRSTVWXYZ"  # none that look alike
CODE_LENGTH = 10
MEGABYTE = 1024 * 1024
# what a complainant hears of: never who, never the words in it
PUBLIC_VERBS = (
    "register",
    Verb.ASSIGN.value,
    Verb.START.value,
    Verb.RESOLVE.value,
    Verb.RESOLVE_ON_SPOT.value,
    Verb.FOLLOW_UP.value,
    Verb.REOPEN.value,
    Verb.CLOSE.value,
    Verb.CLOSE_UNREACHABLE.value,
    Verb.CLOSE_BY_DECISION.value,
    Verb.APPROVE_INVALID.value,
)


class TooManyRequests(Refused):
    """More requests came within an hour than the policy allows."""


@dataclass(frozen=True)
class Submission:
    """A complaint typed into the public form; all but the statement may be empty."""

    statement: str
    category: str = ""
    unit_code: str = ""
    place: str = ""
    wish: str = ""
    name: str = ""
    phone: str = ""
    is_anonymous: bool = False
    facts: Facts = field(default_factory=Facts)
    files: Sequence[tuple[str, bytes]] = ()


@dataclass(frozen=True)
class TicketStatus:
    """The status of a complaint: its steps in order, and when the first answer is due."""

    number: str
    state: str
    steps: Sequence[tuple[datetime, str]]
    first_word_due_at: datetime | None


def form_policy(session: Session, now: datetime) -> PublicForm:
    """The form's policy; off in an office that has none or none that can be read."""
    try:
        return store.in_force(session, PublicForm, clock.office_day(session, now))
    except Refused:
        return OFF


def _count_recent(session: Session, kind: str, address: str, machine_now: datetime) -> tuple[int, int]:
    """Count a request of a kind; returns how many came in the hour before: from this address, from all.

    The caller commits before going on, so that it counts whatever comes of it.
    """
    source, all_of_kind = kind + network_of(address), SignInAttempt.source.startswith(kind)
    session.execute(delete(SignInAttempt).where(all_of_kind, SignInAttempt.at < machine_now - HOUR))
    recent = select(func.count(SignInAttempt.id)).where(
        SignInAttempt.at.between(machine_now - HOUR, machine_now)
    )
    own = session.execute(recent.where(SignInAttempt.source == source)).scalar_one()
    total = session.execute(recent.where(all_of_kind)).scalar_one()
    session.add(SignInAttempt(source=source, at=machine_now))
    return own, total


def count_submission(session: Session, policy: PublicForm, address: str, machine_now: datetime) -> None:
    """Count a complaint that somebody sends. Raises TooManyRequests; the caller always commits."""
    if policy.refusal(*_count_recent(session, SUBMISSION_SOURCE, address, machine_now)) is not None:
        raise TooManyRequests(
            N_("Too many complaints came in a short time. Please call us, or try again in an hour.")
        )


def count_status_request(session: Session, policy: PublicForm, address: str, machine_now: datetime) -> None:
    """Count a request for a status. Raises TooManyRequests; the caller always commits."""
    own, _total = _count_recent(session, STATUS_SOURCE, address, machine_now)
    if own >= policy.asked_per_address:
        raise TooManyRequests(N_("Too many questions came in a short time. Please try again in an hour."))


def sent_before(session: Session, key: str) -> Ticket | None:
    """The complaint that a form of this key has become, if it was sent already."""
    return session.scalars(select(Ticket).where(Ticket.form_key == _stored_key(key))).one_or_none()


def _stored_key(key: str) -> str:
    return fingerprint(f"public form {key}")[:64]


def submit(
    session: Session, policy: PublicForm, submission: Submission, now: datetime, *, form_key: str = ""
) -> Ticket:
    """Register a complaint of the public form; a unit code that is unknown is stored as text (T1, T3, T4).

    What it says of facts decides no severity: a clerk confirms it. The database takes one form once. Raises
    Refused for an empty statement and for files that are not kept.
    """
    if len(submission.files) > policy.most_files:
        raise Refused(N_("No more than %(count)s files can be attached"), count=policy.most_files)
    for _name, content in submission.files:
        if len(content) > policy.largest_mb * MEGABYTE:
            raise Refused(N_("The file is larger than %(size)s MB"), size=policy.largest_mb)
    unit_id = _unit_of(session, submission.unit_code)
    places = (
        [submission.place]
        if unit_id or not submission.unit_code
        else [submission.unit_code, submission.place]
    )
    is_anonymous = submission.is_anonymous or not (submission.name or submission.phone)
    ticket = register_ticket(
        session,
        NewTicket(
            channel="web_form",
            category=_category_of(session, submission.category or policy.unsure_category),
            statement=submission.statement,
            claimed=submission.facts,
            form_key=_stored_key(form_key) if form_key else None,
            registered_at=now,
            unit_id=unit_id,
            complainants=()
            if is_anonymous
            else [NewComplainant(submission.name or submission.phone, submission.phone, unit_id=unit_id)],
            is_anonymous=is_anonymous,
            place=" ".join(place for place in places if place)[:200],
            wish=submission.wish,
        ),
        now=now,
    )
    for name, content in submission.files:
        attachments.attach(session, file_name=name, content=content, now=now, ticket_id=ticket.id)
    return ticket


def _unit_of(session: Session, code: str) -> int | None:
    return session.scalars(called(select(Unit.id), Unit.code, code)).first()


def _category_of(session: Session, code: str) -> str:
    """The category by its code, or the first in use when the office has renamed it."""
    in_use = select(Category.code).where(Category.is_active)
    codes = session.execute(in_use.order_by(Category.position, Category.id)).scalars().all()
    return code if code in codes or not codes else codes[0]


def tracking_code(number: str) -> str:
    """The code with which a complainant asks for the status: derived from the number, not stored."""
    rest, code = int(fingerprint(f"where does complaint {number} stand"), 16), ""
    for _place in range(CODE_LENGTH):
        rest, digit = divmod(rest, len(LETTERS))
        code += LETTERS[digit]
    return f"{code[:5]}-{code[5:]}"


def ticket_status(session: Session, number: str, code: str) -> TicketStatus:
    """The status of a complaint. A wrong number and a wrong code raise the same Refused."""
    typed = "".join(code.upper().replace("-", "").split())
    ticket = session.scalars(called(select(Ticket), Ticket.number, number)).first()
    known = tracking_code(ticket.number if ticket else number).replace("-", "")
    if not hmac.compare_digest(typed.encode(), known.encode()) or ticket is None:
        raise Refused(N_("No complaint has this number and code. Please look at both again."))
    events = session.execute(
        select(TicketEvent.at, TicketEvent.verb)
        .where(TicketEvent.ticket_id == ticket.id, TicketEvent.verb.in_(PUBLIC_VERBS))
        .order_by(TicketEvent.at, TicketEvent.id)
    )
    due_at = session.execute(
        select(TicketClock.due_at).where(
            TicketClock.ticket_id == ticket.id,
            TicketClock.clock == "first_word",
            TicketClock.state == "running",
        )
    ).scalars()
    return TicketStatus(ticket.number, ticket.state, [(at, verb) for at, verb in events], due_at.first())
