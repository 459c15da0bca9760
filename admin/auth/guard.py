"""What guards every request: the sign-in check, the token of each POST, headers, error pages.

Nothing here knows a screen. Order of a request: its body to the end, the database mode (reading or writing),
the session's person, the sign-in check, the token; after it, the headers.
"""

from __future__ import annotations

import secrets
from contextlib import suppress
from functools import partial
from typing import Any

from flask import Flask, abort, g, redirect, render_template, request, session, url_for
from flask.sessions import SecureCookieSessionInterface
from flask_babel import gettext as _
from itsdangerous import URLSafeTimedSerializer
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response

from admin.auth import kept_forms, sessions
from admin.auth.sessions import SAFE_METHODS
from admin.panel import csrf, error_messages, signed_in
from models.base import db
from models.engine import set_writing
from office.core import outage_log, outages
from office.policies.documents import PolicyUnreadable

PUBLIC_PATHS = ("/login", "/healthz")
PUBLIC_FOLDERS = ("/static/", "/public/")


class OwnCookie(SecureCookieSessionInterface):
    """Flask's cookie, marked Secure whenever the request came over https."""

    def get_cookie_secure(self, _app: Flask) -> bool:
        # a proxy in front says how the request came; who says so without one only loses their own cookie
        return request.is_secure or request.headers.get("X-Forwarded-Proto", "").startswith("https")

    signer: URLSafeTimedSerializer | None = None

    def get_signing_serializer(self, app: Flask) -> URLSafeTimedSerializer | None:
        """Made once for the application: it derives the key."""
        if self.signer is None:
            self.signer = super().get_signing_serializer(app)
        return self.signer


def init_app(app: Flask) -> None:
    app.session_interface = OwnCookie()
    app.config.update(
        SESSION_COOKIE_NAME="gatehouse", SESSION_COOKIE_HTTPONLY=True, SESSION_COOKIE_SAMESITE="Lax"
    )
    sessions.init_app(app)
    app.before_request(guard)
    app.after_request(add_headers)
    app.after_request(note_recovery)
    app.teardown_request(lambda _error: set_writing(False))
    app.teardown_appcontext(end_session)  # before Flask-SQLAlchemy's, which was registered first
    app.register_error_handler(HTTPException, error_page)
    app.register_error_handler(Exception, crash_page)
    app.jinja_env.globals.update(csrf_token=csrf.csrf_token, csrf_field=csrf.csrf_field, csp_nonce=csp_nonce)


def guard() -> Any:
    """Runs before each request; an answer from here is the request's answer."""
    unreadable = read_body()
    set_writing(request.method not in SAFE_METHODS)
    if request.path.startswith("/static/"):
        signed_in.set_user(None)
        return None
    g.language = session.get("language")
    signed_in.load()
    staff = signed_in.staff_if_signed_in()
    if staff is not None and staff.language:
        g.language = staff.language
    is_public = request.path in PUBLIC_PATHS or request.path.startswith(PUBLIC_FOLDERS)
    if staff is None and not is_public:
        return (kept_forms.keep() if unreadable is None else None) or signed_in.login_manager.unauthorized()
    if unreadable is not None:
        raise unreadable
    if request.method not in SAFE_METHODS and not csrf.has_token():
        return abort(
            400, _("This page was open for too long or in another session. Please go back and try again.")
        )
    if staff is not None and staff.must_change_password and request.endpoint not in _OPEN_WITH_OLD_PASSWORD:
        return redirect(url_for("entrance.account"))
    if _must_set_up() and request.endpoint not in _OPEN_WITHOUT_TWO_FACTOR:
        return redirect(url_for("entrance.second_step_page"))
    return None


def read_body() -> HTTPException | None:
    """Read form and files to the end before any transaction: nobody is awaited with a lock in hand (F19).

    Answers what was wrong with the body, to be told once it is known whom to tell.
    """
    try:
        request.get_data(parse_form_data=True)
    except HTTPException as error:
        return error
    return None


def _must_set_up() -> bool:
    """Whether this person must still set up two-factor sign-in, as their role needs (noted at sign-in)."""
    row = signed_in.web_session_if_any()
    return row is not None and sessions.data_of(row).get("must_set_up", False)


_OPEN_WITH_OLD_PASSWORD = frozenset(
    {"entrance.account", "entrance.logout", "entrance.preferences", "static", "healthz"}
)
_OPEN_WITHOUT_TWO_FACTOR = _OPEN_WITH_OLD_PASSWORD | {"entrance.second_step_page"}


def csp_nonce() -> str:
    """This answer's nonce for its own `<script>` elements."""
    if "csp_nonce" not in g:
        g.csp_nonce = secrets.token_urlsafe(16)
    return str(g.csp_nonce)


def note_recovery(response: Response) -> Response:
    """While the log says that the database is away, or the disk full: see what this request found."""
    if response.status_code >= 500:
        return response
    if outage_log.is_away(outage_log.DATABASE):
        with suppress(SQLAlchemyError):
            db.session.execute(text("SELECT 1"))
            outage_log.ends(outage_log.DATABASE)
    if outage_log.is_away(outage_log.DISK) and request.method not in SAFE_METHODS:
        outage_log.ends(outage_log.DISK)
    return response


def add_headers(response: Response) -> Response:
    headers = response.headers
    headers.setdefault("X-Content-Type-Options", "nosniff")
    headers.setdefault("Referrer-Policy", "same-origin")
    headers.setdefault("X-Frame-Options", "DENY")
    headers.setdefault("Cross-Origin-Opener-Policy", "same-origin")
    nonce = f" 'nonce-{g.csp_nonce}'" if "csp_nonce" in g else ""
    if "Content-Security-Policy" in headers:  # the answer to a form that was kept has its own
        return response
    headers["Content-Security-Policy"] = (
        f"default-src 'self'; script-src 'self'{nonce}; style-src 'self'; style-src-attr 'unsafe-inline'; "
        "img-src 'self' data: blob:; object-src 'none'; base-uri 'none'; form-action 'self'; "
        "frame-ancestors 'none'"
    )
    if request.path.startswith("/static/"):
        headers["Cache-Control"] = (
            "public, max-age=31536000, immutable" if "v" in request.args else "public, max-age=3600"
        )
    else:
        headers["Cache-Control"] = "no-store"
    return response


def error_page(error: HTTPException) -> Any:
    """A refusal in the reader's words; never the program's inner state."""
    if error.code is None or error.response is not None or error.code < 400:
        return error.get_response()
    is_json = request.accept_mimetypes.best == "application/json"
    db.session.rollback() if is_json else _undo_request()
    own_words = (
        error.description if error.code == 400 and error.description != type(error).description else None
    )
    text = own_words or _explanation(error.code)
    if is_json:
        return {"error": str(text)}, error.code
    return render_template("panel/error.html", code=error.code, text=text), error.code


def _undo_request() -> None:
    """Roll back; the person, whom the page's frame names, is not read from the database a second time."""
    staff, row = signed_in.staff_if_signed_in(), signed_in.web_session_if_any()
    known = [
        each
        for each in (staff, row)
        if each is not None and each in db.session and not db.session.is_modified(each)
    ]
    for each in known:
        db.session.expunge(each)
    db.session.rollback()
    db.session.add_all(known)


def crash_page(error: Exception) -> Any:
    """An outage in a sentence; an error nobody foresaw written to the log, shown without its text (F13)."""
    from flask import current_app

    outage = outages.sentence(error)
    if outage is not None:
        outage_log.begins_with(error)
        return outage_page(outage)
    if isinstance(error, PolicyUnreadable):
        db.session.rollback()
        return render_template("panel/error.html", code=503, text=error_messages.message_for(error)), 503
    if current_app.config.get("PROPAGATE_EXCEPTIONS"):
        raise error
    current_app.logger.error("%s %s failed", request.method, request.path, exc_info=error)
    try:
        db.session.rollback()
    except Exception:  # noqa: BLE001 -- the database itself may be what failed
        signed_in.set_user(None)
    page = partial(render_template, "panel/error.html", code=500, text=_explanation(500))
    try:
        return page(), 500
    except Exception:  # noqa: BLE001 -- what every page has around it may be what failed
        signed_in.set_user(None)
        return page(), 500


def end_session(_error: BaseException | None) -> None:
    """Give the session back, also when the database went away after the answer was made (F13)."""
    try:
        db.session.remove()
    except SQLAlchemyError:
        with suppress(SQLAlchemyError):
            db.session().invalidate()
        db.session.registry.clear()


def outage_page(sentence: str) -> Any:
    """The page while the disk is full or the database away; it asks neither for anything."""
    with suppress(Exception):  # the database itself is what failed
        db.session.rollback()
    signed_in.set_user(None)
    page = render_template("panel/error.html", code=503, text=_(sentence))
    return page, 503, {"Retry-After": "30"}


def _explanation(code: int) -> str:
    texts = {
        400: _("The request could not be read."),
        401: _("Please sign in first."),
        403: _("Your role does not allow this."),
        404: _("There is no such page or record."),
        405: _("This address does not take that kind of request."),
        409: _("Somebody else changed this in the meantime."),
        413: _("The file is too large."),
        429: _("Too many attempts. Please wait a minute."),
    }
    return texts.get(code) or (
        _("Something went wrong here; it was written to the log.") if code >= 500 else texts[400]
    )
