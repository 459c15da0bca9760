"""Sessions as rows that can be revoked, and Flask-Login's question who sends a request (P7, F15).

The cookie holds a random key; the row in `web_session` is found by its hash and is what counts. A row goes
at sign-out and when the person's password, roles or state change (`end_sessions`); it opens nothing after
half an hour without a request, or twelve hours after signing in.
"""

from __future__ import annotations

import json
import secrets
from contextlib import suppress
from datetime import timedelta
from typing import Any

from flask import Flask, Request, abort, redirect, request, session, url_for
from sqlalchemy import bindparam, select, update
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import joinedload
from werkzeug.wrappers import Response

from admin.panel import signed_in
from admin.panel.responses import own_address
from admin.panel.signed_in import SignedIn, login_manager
from models.base import db
from models.engine import is_written, writing
from models.people import Staff, WebSession
from office.access import two_factor
from office.access.sessions import LONGEST, key_hash
from office.core import clock

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
IDLE = timedelta(minutes=30)
KEPT_FORMS = "kept"  # in the cookie: the keys of forms that wait for their person to sign in again

_SESSION = (
    select(WebSession)
    .where(WebSession.key_hash == bindparam("key_hash"))
    .options(joinedload(WebSession.staff, innerjoin=True).joinedload(Staff.role_rows))
)


def init_app(app: Flask) -> None:
    login_manager.init_app(app, add_context_processor=False)  # templates have `staff`


@login_manager.request_loader
def find_session(_request: Request) -> SignedIn | None:
    """The active person whose open session the cookie names, or None."""
    signed_in.set_user(None)  # should the database be away, the error page asks no second time
    row, present = named_session(), clock.machine_now()
    if (
        row is None
        or row.ended_at is not None
        or not row.staff.is_active
        or present - row.seen_at > IDLE
        or present - row.created_at > LONGEST
    ):
        return None
    if present - row.seen_at > timedelta(minutes=1):
        _touch(row.key_hash)
    return SignedIn(row.staff, row)


@login_manager.unauthorized_handler
def ask_to_sign_in() -> Response:
    """What a page answers to someone who is not signed in: the sign-in, which leads back to it."""
    if request.method not in SAFE_METHODS or request.accept_mimetypes.best == "application/json":
        abort(401)
    return redirect(url_for("entrance.login", to=address if (address := own_address()) != "/" else None))


def named_session() -> WebSession | None:
    """The row of the session that this browser's cookie names, also when it opens nothing any more."""
    key = session.get("id")
    if not isinstance(key, str):
        return None
    return db.session.scalars(_SESSION, {"key_hash": key_hash(key)}).unique().first()


def kept_keys() -> list[str]:
    """The keys of the forms that wait in this browser, the newest last."""
    return list(session[KEPT_FORMS]) if KEPT_FORMS in session else []


def start_session(staff: Staff) -> None:
    """Sign this person in under a new random key; whatever the cookie held before is forgotten.

    Pages that the same person has open in this browser can still be sent: their token stays.
    """
    past, secret = named_session(), secrets.token_urlsafe(32)
    if past is not None and past.staff_id == staff.id:
        secret = past.csrf_secret
        db.session.delete(past)
    must_set_up = not staff.totp_secret and two_factor.is_required(
        db.session(), staff, clock.today(db.session())
    )
    key = secrets.token_urlsafe(32)
    present = clock.machine_now()
    remaining = {name: session[name] for name in ("language", KEPT_FORMS) if name in session}
    session.clear()
    session.update(remaining, id=key)
    row = WebSession(
        key_hash=key_hash(key),
        staff_id=staff.id,
        csrf_secret=secret,
        data=json.dumps({"must_set_up": True} if must_set_up else {}),
        created_at=present,
        seen_at=present,
    )
    db.session.add(row)
    signed_in.set_user(SignedIn(staff, row))


def data_of(row: WebSession) -> dict[str, Any]:
    """What a session remembers beside the person."""
    found: dict[str, Any] = json.loads(row.data)
    return found


def _touch(key_hash: str) -> None:
    """Note that the session is alive: in a short transaction of its own, or in that of a request that writes.

    There a second transaction would wait for the first, which waits for this request to end. A reader waits
    for nobody: while others write, its next request notes it.
    """
    alive = update(WebSession).where(WebSession.key_hash == key_hash).values(seen_at=clock.machine_now())
    if request.method not in SAFE_METHODS:
        db.session.execute(alive)
        return
    if is_written(db.engine):
        return
    with suppress(OperationalError), writing(), db.engine.begin() as connection:  # a full disk can be read
        if connection.dialect.name == "postgresql":
            connection.exec_driver_sql("SET LOCAL lock_timeout = '100ms'")
        connection.execute(alive)
