"""Signing in and out, and a person's own settings: language, theme, password (P7).

Whoever has two-factor sign-in (admin/auth/two_factor.py) types the password first; the signed cookie then
remembers for some minutes that it was right, and the code opens the session.
"""

from __future__ import annotations

import hmac
from datetime import datetime, timedelta
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, session, url_for
from flask_babel import gettext as _
from sqlalchemy import select
from werkzeug.security import check_password_hash, generate_password_hash
from werkzeug.wrappers import Response

from admin.auth.sessions import kept_keys, start_session
from admin.panel.audit import record
from admin.panel.responses import safe_target
from admin.panel.signed_in import current_staff, staff_if_signed_in, web_session_if_any
from models.base import db
from models.people import LANGUAGES, Staff
from models.secrets import fingerprint
from models.text_keys import called
from office.access import attempts, kept_forms, two_factor
from office.access.sessions import end_sessions
from office.core import clock

entrance = Blueprint("entrance", __name__)

MOST_LOGIN = 61  # characters of a login that are looked at: one more than any has
CODE_WITHIN = timedelta(minutes=5)
THEMES = ("auto", "light", "dark")
# compared with when the login is unknown, so that the answer takes as long
NO_ONE = "scrypt:32768:8:1$0000000000000000$" + "0" * 128


@entrance.route("/login", methods=["GET", "POST"])
def login() -> Any:  # noqa: PLR0911 -- one answer a case
    if request.args.get("language") in LANGUAGES:
        session["language"] = request.args["language"]
        return redirect(url_for("entrance.login", to=safe_target(request.args.get("to"))))
    staff = staff_if_signed_in()
    if staff is not None and request.method == "GET":
        return redirect(_way_on(staff))
    if request.method == "GET":
        return render_template("auth/login.html")
    if "code" in request.form:
        return _check_code()
    name = request.form.get("login", "").replace("\x00", "")[:MOST_LOGIN]
    source = request.remote_addr or ""
    present = clock.machine_now()
    if attempts.is_held_up(db.session(), name, source, now=present):
        error = _(
            "Too many wrong passwords. Please wait a while or ask the administrator for a new password."
        )
        return render_template("auth/login.html", error=error), 429
    staff = _person(name, request.form.get("password", ""))
    if staff is None:
        attempts.note_failure(db.session(), name, source, now=present)
        db.session.commit()
        return render_template("auth/login.html", error=_("This user name and password do not match.")), 401
    if staff.totp_secret:
        session["password_was_right"] = [staff.id, _password_mark(staff), clock.machine_now().isoformat()]
        return render_template("auth/login.html", needs_code=True), 401
    return _sign_in(staff)


def _sign_in(staff: Staff) -> Response:
    was_held_up = attempts.was_held_up(db.session(), staff)
    attempts.forget_failures(db.session(), staff.login)
    two_factor.forget_wrong_codes(db.session(), staff)
    start_session(staff)
    if was_held_up:
        said = _("Wrong passwords were tried for your account too often. Not you? Tell the administrator.")
        flash(said, "error")
    _note(staff.id, "sign_in")
    db.session.commit()
    return redirect(_way_on(staff))


def _way_on(staff: Staff) -> str:
    """Where a person goes after signing in: to a form that waits, where the address said, or the start."""
    keys = kept_keys()
    if keys and kept_forms.newest(db.session(), keys, staff.id, now=clock.machine_now()):
        return url_for("entrance.kept", to=safe_target(request.values.get("to")))
    return safe_target(request.values.get("to")) or "/"


def _check_code() -> Any:
    """The code after the password; after a few wrong ones sign-in is throttled, whoever types them."""
    staff = _person_before_code()
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
    return _sign_in(staff)


def _person_before_code() -> Staff | None:
    """Who typed the right password in this browser some minutes ago."""
    noted = session.get("password_was_right")
    if not isinstance(noted, list) or len(noted) != 3:
        return None
    staff = db.session.get(Staff, noted[0])
    is_late = clock.machine_now() - datetime.fromisoformat(noted[2]) > CODE_WITHIN
    if staff is None or is_late or not staff.is_active or not staff.totp_secret:
        return None
    return staff if hmac.compare_digest(noted[1], _password_mark(staff)) else None


def _password_mark(staff: Staff) -> str:
    """Changes with the password, tells nothing of it."""
    return fingerprint(staff.password_hash)[:16]


@entrance.post("/logout")
def logout() -> Response:
    row = web_session_if_any()
    if row is not None:
        db.session.delete(row)
        kept_forms.forget(db.session(), kept_keys(), row.staff_id)
        _note(row.staff_id, "sign_out")
        db.session.commit()
    session.clear()
    return redirect(url_for("entrance.login"))


@entrance.post("/preferences")
def preferences() -> Response:
    """Language and light/dark of the person who is signed in."""
    staff = current_staff()
    before = {"language": staff.language, "theme": staff.theme}
    if request.form.get("language") in LANGUAGES:
        staff.language = request.form["language"]
    if request.form.get("theme") in THEMES:
        staff.theme = request.form["theme"]
    after = {"language": staff.language, "theme": staff.theme}
    _note(staff.id, "preferences", before, after)
    db.session.commit()
    return redirect(safe_target(request.form.get("url")) or "/")


@entrance.route("/account", methods=["GET", "POST"])
def account() -> Any:
    """A person's own password."""
    staff = current_staff()
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
    _note(staff.id, "password")
    db.session.commit()
    flash(_("Your password was changed; other sessions were ended."), "success")
    return redirect(_way_on(staff))


def _person(login_name: str, password: str) -> Staff | None:
    """The active person with this login and password."""
    if len(login_name) >= MOST_LOGIN or len(password) > 1000:
        return None
    staff = db.session.scalars(called(select(Staff), Staff.login, login_name)).first()
    stored = staff.password_hash if staff and staff.password_hash else NO_ONE
    matches = check_password_hash(stored, password)
    if staff is None or not staff.password_hash or not matches or not staff.is_active:
        return None
    return staff


def _password_error(staff: Staff, old: str, new: str, again: str) -> str | None:
    if not check_password_hash(staff.password_hash, old):
        return _("The present password is not right.")
    if len(new) < 10 or len(new) > 1000:
        return _("A password has at least 10 characters.")
    if new == old:
        return _("The new password must differ from the present one.")
    if new != again:
        return _("The two new passwords differ.")
    return None


def _note(staff_id: int, action: str, before: Any = None, after: Any = None) -> None:
    record(action, Staff.__tablename__, staff_id, before, after, staff_id=staff_id)
