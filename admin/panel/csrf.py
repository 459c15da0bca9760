"""The token that each POST must carry: the signed-in session's own, or one in the cookie before sign-in."""

from __future__ import annotations

import hmac
import secrets

from flask import request, session
from markupsafe import Markup

from admin.panel.signed_in import web_session_if_any

FIELD = "csrf_token"
HEADER = "X-CSRF-Token"


def csrf_token() -> str:
    """The token that each POST of this browser must carry."""
    row = web_session_if_any()
    if row is not None:
        return str(row.csrf_secret)
    if "csrf" not in session:
        session["csrf"] = secrets.token_urlsafe(32)
    return str(session["csrf"])


def csrf_field() -> Markup:
    """The hidden field that each POST form holds."""
    return Markup('<input type="hidden" name="{}" value="{}">').format(FIELD, csrf_token())


def has_token() -> bool:
    """Whether this POST carries the token of its own session."""
    sent = request.form.get(FIELD) or request.headers.get(HEADER) or ""
    return hmac.compare_digest(sent.encode(), csrf_token().encode())
