"""Failures to sign in, counted for all web processes together; a correct sign-in counts nothing (P7, F15)."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import delete, func, or_, select
from sqlalchemy.orm import Session

from models.office import Audit
from models.people import SignInAttempt, Staff
from models.secrets import fingerprint
from models.text_keys import called
from office.access import two_factor
from office.core import audit, clock
from rules.sign_in import network_of
from rules.text_keys import compared_key

KINDS = ("sign-in as ", "sign-in from ", "sign-in as and from ")
HELD_UP = "hold_sign_in"  # the action in the history of changes


def _sources(login: str, address: str) -> tuple[str, str, str]:
    """What a failure counts for: the account, the address, the account from that address."""
    account, network = compared_key(login), network_of(address)
    return (
        KINDS[0] + fingerprint(account)[:32],
        KINDS[1] + network,
        KINDS[2] + fingerprint(f"{account} {network}")[:32],
    )


def is_held_up(session: Session, login: str, address: str, *, now: datetime) -> bool:
    """Whether this account must wait; failures dated in the future, by a clock set back, don't count."""
    policy = two_factor.in_force(session, clock.office_day(session, now))
    sources = _sources(login, address)
    failures = dict(
        session.execute(
            select(SignInAttempt.source, func.count())
            .where(
                SignInAttempt.source.in_(sources),
                SignInAttempt.at > now - timedelta(minutes=policy.wait_minutes),
                SignInAttempt.at <= now,
            )
            .group_by(SignInAttempt.source)
        ).all()
    )
    return policy.is_held_up(*(failures.get(source, 0) for source in sources))


def note_failure(session: Session, login: str, address: str, *, now: datetime) -> None:
    """Count a failure; the history says when it held an account up, so that its person is told."""
    policy = two_factor.in_force(session, clock.office_day(session, now))
    since = now - timedelta(minutes=policy.wait_minutes)
    of_sign_in = or_(*(SignInAttempt.source.startswith(kind) for kind in KINDS))
    session.execute(delete(SignInAttempt).where(of_sign_in, SignInAttempt.at <= since))
    session.add_all(SignInAttempt(source=source, at=now) for source in _sources(login, address))
    session.flush()
    staff = session.scalars(called(select(Staff), Staff.login, login)).first()
    is_held = is_held_up(session, login, address, now=now)  # asked of unknown logins too: it takes as long
    if staff is not None and is_held:
        audit.record(session, now, None, HELD_UP, staff, {"address": network_of(address)})


def forget_failures(session: Session, login: str) -> None:
    """A correct sign-in ends the count of its account."""
    session.execute(delete(SignInAttempt).where(SignInAttempt.source == _sources(login, "")[0]))


def was_held_up(session: Session, staff: Staff) -> bool:
    """Whether somebody's account was held up since they last signed in."""
    last = session.scalar(
        select(Audit.action)
        .where(
            Audit.table_name == Staff.__tablename__,
            Audit.row_id == staff.id,
            Audit.action.in_(("sign_in", HELD_UP)),
        )
        .order_by(Audit.id.desc())
        .limit(1)
    )
    return last == HELD_UP
