"""Who is signed in: Flask-Login's `current_user`, with its types, for screens and the toolkit.

`admin/auth/sessions.py` finds the person of a request by the row of their session; Flask-Login carries the
answer. What it could keep in the browser besides (a user's key, a cookie that remembers, a mark of address
and browser) is switched off: only a row can be revoked.
"""

from __future__ import annotations

from flask import Response, request
from flask_login import LoginManager, UserMixin, current_user

from models.people import Staff, WebSession


class SignedIn(UserMixin):
    """What `current_user` is while someone is signed in: the person, and the row of their session."""

    def __init__(self, staff: Staff, web_session: WebSession | None = None) -> None:
        self.staff = staff
        self.web_session = web_session

    def get_id(self) -> str:
        return str(self.staff.id)


class SessionManager(LoginManager):
    """Flask-Login without its remember cookie: none is read, and no answer is searched for one.

    A cookie of that name may come from another program on the same host, and would keep people out. An
    answer that looked into the session would vary by cookie, static files too.
    """

    def _load_user_from_remember_cookie(self, _cookie: str) -> SignedIn | None:
        found: SignedIn | None = self._load_user_from_request(request)
        return found

    def _update_remember_cookie(self, response: Response) -> Response:
        return response


login_manager = SessionManager()
# phones change address and browsers their version while somebody works; the row is what counts
login_manager.session_protection = None


def load() -> None:
    """Find anew who sends this request, also where requests share one application context."""
    login_manager._load_user()  # noqa: SLF001 -- Flask-Login itself asks only once a context


def set_user(user: SignedIn | None) -> None:
    """From here on this request is that person's, or nobody's. The browser's session stays as it is."""
    login_manager._update_request_context_with_user(user)  # noqa: SLF001 -- login_user writes to the cookie


def staff_if_signed_in() -> Staff | None:
    """The person who is signed in, with roles loaded; None without a session or outside a request."""
    return current_user.staff if isinstance(current_user, SignedIn) else None


def current_staff() -> Staff:
    """The person who is signed in, on a screen that is behind the sign-in."""
    staff = staff_if_signed_in()
    assert staff is not None
    return staff


def staff_id() -> int:
    """The key of the person who is signed in, on a screen that is behind the sign-in."""
    return int(current_staff().id)


def web_session_if_any() -> WebSession | None:
    """The row of the session that this request belongs to; None before signing in and in background work."""
    return current_user.web_session if isinstance(current_user, SignedIn) else None


def current_web_session() -> WebSession:
    """The row of the session, on a page that is behind the sign-in."""
    row = web_session_if_any()
    assert row is not None
    return row
