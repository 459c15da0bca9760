"""Who is signed in: server-side sessions, sign-in, sign-out, and a person's own settings (P7, F15).

Whoever has a second step (admin/auth/two_factor.py) types the password first; the signed cookie then
remembers for some minutes that it was right, and the code opens the session.
The cookie holds a random id; the row in `web_session` is keyed by its hash and is what counts. A row goes
at sign-out, when it was idle or old for too long, and when the person's password, roles or state change
(`end_sessions`).
"""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

from flask import (
    Blueprint,
    current_app,
    flash,
    g,
    redirect,
    render_template,
    request,
    session,
    url_for,
)
from flask_babel import gettext as _
from sqlalchemy import bindparam, delete, func, select
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import joinedload
from werkzeug.security import check_password_hash, generate_password_hash
from werkzeug.wrappers import Response

from admin.panel.audit import record
from admin.panel.responses import safe_target
from models.base import db
from models.engine import is_written, writing
from models.people import LANGUAGES, SignInAttempt, Staff, WebSession
from models.secrets import fingerprint
from office.access import two_factor
from office.access.sessions import end_sessions
from office.core import clock

entrance = Blueprint("entrance", __name__)

IDLE = timedelta(minutes=30)
LONGEST = timedelta(hours=12)
ATTEMPTS_A_MINUTE = 10
CODE_WITHIN = timedelta(minutes=5)
THEMES = ("auto", "light", "dark")
# compared with when the login is unknown, so that the answer takes as long
NO_ONE = "scrypt:32768:8:1$0000000000000000$" + "0" * 128


_OPEN_SESSION = (
    select(WebSession)
    .where(WebSession.key_hash == bindparam("key_hash"))
    .options(joinedload(WebSession.staff, innerjoin=True).joinedload(Staff.role_rows))
)


def load_session() -> None:
    """Before each request: find the row of the cookie's id and the person behind it."""
    g.staff = g.web_session = None
    g.language = session.get("language")
    key = session.get("id")
    if not isinstance(key, str):
        return
    row = db.session.scalars(_OPEN_SESSION, {"key_hash": _hash(key)}).unique().first()
    if row is None:
        return
    present = clock.machine_now()
    if (
        not row.staff.is_active
        or present - row.seen_at > _setting("IDLE", IDLE)
        or present - row.created_at > _setting("LONGEST", LONGEST)
    ):
        return
    g.staff, g.web_session = row.staff, row
    g.language = row.staff.language or g.language
    if present - row.seen_at > timedelta(minutes=1):
        _touch(row.key_hash)


def start_session(staff: Staff) -> WebSession:
    """A new random id for this person; whatever the cookie held before is forgotten."""
    must_set_up = not staff.totp_secret and two_factor.is_required(
        db.session(), staff, clock.today(db.session())
    )
    key = secrets.token_urlsafe(32)
    present = clock.machine_now()
    kept = {name: session[name] for name in ("language",) if name in session}
    session.clear()
    session.update(kept, id=key)
    row = WebSession(
        key_hash=_hash(key),
        staff_id=staff.id,
        csrf_secret=secrets.token_urlsafe(32),
        data=json.dumps({"must_set_up": True} if must_set_up else {}),
        created_at=present,
        seen_at=present,
    )
    db.session.add(row)
    return row


def kept(row: WebSession) -> dict[str, Any]:
    """What a session remembers beside the person."""
    found: dict[str, Any] = json.loads(row.data)
    return found


@entrance.route("/login", methods=["GET", "POST"])
def login() -> Any:  # noqa: PLR0911 -- one answer a case
    if request.args.get("language") in LANGUAGES:
        session["language"] = request.args["language"]
        return redirect(url_for("entrance.login"))
    if request.method == "GET":
        return redirect("/") if g.staff else render_template("auth/login.html")
    if _is_too_often():
        return render_template("auth/login.html", error=_("Too many attempts. Please wait a minute.")), 429
    if "code" in request.form:
        return _second_step()
    staff = _person(request.form.get("login", ""), request.form.get("password", ""))
    if staff is None:
        return render_template("auth/login.html", error=_("This user name and password do not match.")), 401
    if staff.totp_secret:
        session["password_was_right"] = [staff.id, _password_mark(staff), clock.machine_now().isoformat()]
        return render_template("auth/login.html", needs_code=True), 401
    return _let_in(staff)


def _let_in(staff: Staff) -> Response:
    start_session(staff)
    _note(staff.id, "sign_in", staff.id)
    db.session.commit()
    return redirect("/")


def _second_step() -> Any:
    """The code after the password; a few wrong ones and the door waits, whoever types them."""
    staff = _waiting_person()
    if staff is None:
        session.pop("password_was_right", None)
        return render_template("auth/login.html", error=_("Please sign in again.")), 401
    present, on, code = clock.machine_now(), clock.today(db.session()), request.form.get("code", "")
    if two_factor.is_held_up(db.session(), staff, now=present, on=on):
        error = _("Too many wrong codes. Please wait a while or ask the administrator.")
        return render_template("auth/login.html", error=error, needs_code=True), 429
    if not two_factor.passes(db.session(), staff, code[:40], now=present):
        two_factor.note_wrong_code(db.session(), staff, now=present)
        db.session.commit()
        error = _("This code is not right or was used already.")
        return render_template("auth/login.html", error=error, needs_code=True), 401
    return _let_in(staff)


def _waiting_person() -> Staff | None:
    """Who typed the right password in this browser some minutes ago."""
    kept = session.get("password_was_right")
    if not isinstance(kept, list) or len(kept) != 3:
        return None
    staff = db.session.get(Staff, kept[0])
    is_late = clock.machine_now() - datetime.fromisoformat(kept[2]) > CODE_WITHIN
    if staff is None or is_late or not staff.is_active or not staff.totp_secret:
        return None
    return staff if hmac.compare_digest(kept[1], _password_mark(staff)) else None


def _password_mark(staff: Staff) -> str:
    """Changes with the password, tells nothing of it."""
    return fingerprint(staff.password_hash)[:16]


@entrance.post("/logout")
def logout() -> Response:
    if g.web_session is not None:
        db.session.delete(g.web_session)
        _note(g.staff.id, "sign_out", g.staff.id)
        db.session.commit()
    session.clear()
    return redirect(url_for("entrance.login"))


@entrance.post("/preferences")
def preferences() -> Response:
    """Language and light/dark of the person who is signed in."""
    staff: Staff = g.staff
    before = {"language": staff.language, "theme": staff.theme}
    if request.form.get("language") in LANGUAGES:
        staff.language = request.form["language"]
    if request.form.get("theme") in THEMES:
        staff.theme = request.form["theme"]
    after = {"language": staff.language, "theme": staff.theme}
    _note(staff.id, "preferences", staff.id, before, after)
    db.session.commit()
    return redirect(safe_target(request.form.get("url")) or "/")


@entrance.route("/account", methods=["GET", "POST"])
def account() -> Any:
    """A person's own password."""
    staff: Staff = g.staff
    if request.method == "GET":
        return render_template("auth/account.html")
    new = request.form.get("new_password", "")
    error = _password_error(staff, request.form.get("old_password", ""), new, request.form.get("again", ""))
    if error:
        return render_template("auth/account.html", error=error), 400
    staff.password_hash = generate_password_hash(new)
    staff.must_change_password = False
    end_sessions(db.session(), staff.id)
    start_session(staff)
    _note(staff.id, "password", staff.id)
    db.session.commit()
    flash(_("Your password was changed; other sessions were ended."), "success")
    return redirect("/")


def _person(login_name: str, password: str) -> Staff | None:
    """The active person with this login and password."""
    if "\x00" in login_name or len(login_name) > 60 or len(password) > 1000:
        return None
    staff = db.session.scalars(select(Staff).where(Staff.login == login_name)).first()
    stored = staff.password_hash if staff and staff.password_hash else NO_ONE
    matches = check_password_hash(stored, password)
    if staff is None or not staff.password_hash or not matches or not staff.is_active:
        return None
    return staff


def _is_too_often() -> bool:
    """Counts this attempt in the database, so that it holds for all web processes together."""
    present = clock.machine_now()
    source = request.remote_addr or ""
    db.session.execute(delete(SignInAttempt).where(SignInAttempt.at < present - timedelta(hours=1)))
    recent = select(func.count(SignInAttempt.id)).where(
        SignInAttempt.source == source, SignInAttempt.at > present - timedelta(minutes=1)
    )
    count = db.session.scalar(recent) or 0
    if count >= ATTEMPTS_A_MINUTE:
        db.session.rollback()
        return True
    db.session.add(SignInAttempt(source=source, at=present))
    db.session.commit()  # kept whatever comes of the attempt
    return False


def _password_error(staff: Staff, old: str, new: str, again: str) -> str | None:
    if not check_password_hash(staff.password_hash, old):
        return _("The present password is not right.")
    if len(new) < 10 or len(new) > 1000:
        return _("A password has at least 10 characters.")
    if new != again:
        return _("The two new passwords differ.")
    return None


def _touch(key_hash: str) -> None:
    """Note that the session is alive: in a short transaction of its own, or in that of a request that writes.

    There a second transaction would wait for the first, which waits for this request to end. A reader waits
    for nobody: while others write, its next request tells it.
    """
    from sqlalchemy import update

    alive = update(WebSession).where(WebSession.key_hash == key_hash).values(seen_at=clock.machine_now())
    if request.method not in {"GET", "HEAD", "OPTIONS"}:
        db.session.execute(alive)
        return
    if is_written(db.engine):
        return
    with suppress(OperationalError), writing(), db.engine.begin() as connection:  # a full disk can be read
        if connection.dialect.name == "postgresql":
            connection.exec_driver_sql("SET LOCAL lock_timeout = '100ms'")
        connection.execute(alive)


def _note(staff_id: int, action: str, row_id: int, before: Any = None, after: Any = None) -> None:
    record(action, Staff.__tablename__, row_id, before, after, staff_id=staff_id)


def _setting(name: str, default: timedelta) -> timedelta:
    minutes = current_app.config.get(f"SESSION_{name}_MINUTES")
    return timedelta(minutes=int(minutes)) if minutes else default


def _hash(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()
