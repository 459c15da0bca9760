"""A form that is sent twice works once.

The form holds `{{ once_field() }}`; the view is wrapped by `@once` under its `@expose`, or asks `is_first()`
itself in the transaction that does the work.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from secrets import token_urlsafe
from typing import Any
from urllib.parse import urlsplit

from flask import flash, redirect, request
from flask_babel import gettext as _
from markupsafe import Markup
from werkzeug.wrappers import Response

from admin.panel.responses import safe_target
from admin.panel.signed_in import staff_if_signed_in
from models.base import db
from office.core import clock, idempotency

FIELD = "form_key"


def once_field() -> Markup:
    """The hidden key of a form; a form shown again after a refusal keeps its own."""
    key = request.form.get(FIELD) or token_urlsafe(16)
    return Markup('<input type="hidden" name="{}" value="{}">').format(FIELD, key)


def form_key(kind: str) -> str | None:
    """This form's key with what the form does before it: the key of the one posting that it makes."""
    key = request.form.get(FIELD, "")[:60]
    return f"{kind}:{key}" if key else None


def is_first() -> bool:
    """Whether this form does its work now; a form without a key always does."""
    key, staff = request.form.get(FIELD, ""), staff_if_signed_in()
    if not key or "\x00" in key or staff is None:
        return True
    return idempotency.is_first(db.session(), key, staff_id=staff.id, now=clock.now(db.session()))


def sent_before(target: str | None = None) -> Response:
    """The answer to a form that has worked already: nothing happened a second time."""
    db.session.rollback()
    flash(_("This form had been sent already: it was done once, not twice."), "info")
    came_from = urlsplit(request.referrer or "")
    page = f"{came_from.path}?{came_from.query}" if came_from.query else came_from.path
    is_ours = came_from.netloc == request.host
    return redirect(target or (safe_target(page) if is_ours else None) or "/")  # type: ignore[return-value] -- Flask's own class


def once(view: Callable[..., Any]) -> Callable[..., Any]:
    """A page's POST that works once for each form."""

    @wraps(view)
    def guarded(*args: Any, **kwargs: Any) -> Any:
        if request.method == "POST" and not is_first():
            return sent_before()
        return view(*args, **kwargs)

    return guarded
