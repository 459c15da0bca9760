"""People who sign in: what IT does for them outside the screens (P7)."""

from __future__ import annotations

import secrets
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.security import generate_password_hash

from models.people import Staff
from models.text_keys import called
from office.access import attempts, two_factor
from office.access.sessions import end_sessions
from office.core import audit
from office.core.errors import N_, Refused


def give_password(session: Session, login: str, *, now: datetime) -> str:
    """A one-time password for somebody who lost theirs, or their second factor; ends their sessions (F15).

    Returns it: it is stored nowhere. Raises Refused when nobody has this login.
    """
    staff = session.scalars(called(select(Staff), Staff.login, login)).first()
    if staff is None:
        raise Refused(N_("Nobody signs in as %(login)s"), login=login)
    password = secrets.token_urlsafe(12)
    staff.password_hash = generate_password_hash(password)
    staff.must_change_password = True
    if staff.totp_secret:
        two_factor.switch_off(session, staff, now=now, by_id=None)
    attempts.forget_failures(session, staff.login)
    end_sessions(session, staff.id)
    audit.record(session, now, None, "password", staff)
    return password
