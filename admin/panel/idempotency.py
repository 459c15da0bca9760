"""Idempotency keys of forms: a form that is sent twice does its work only once.

The form holds `{{ idempotency_field() }}`. Its view function has `@idempotent` under `@expose`, or calls
`is_first()` itself in the transaction that does the work.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from secrets import token_urlsafe
from typing import Any

from flask import flash, redirect, request
from flask_babel import gettext as _
from markupsafe import Markup
from werkzeug.wrappers import Response

from admin.panel.responses import came_from
from admin.panel.signed_in import staff_if_signed_in
from models.base import db
from office.core import clock, idempotency

FIELD = "form_key"


def idempotency_field() -> Markup:
    """A hidden field with the form's key; a form shown again after a refusal keeps its key."""
    key = request.form.get(FIELD) or token_urlsafe(16)
    return Markup('<input type="hidden" name="{}" value="{}">').format(FIELD, key)


def form_key(kind: str) -> str | None:
    """The form's key with `kind` before it, for the idempotency key of the row that the form posts."""
    key = request.form.get(FIELD, "")[:60]
    return f"{kind}:{key}" if key else None


def is_first() -> bool:
    """Whether this form's key is new, or it has none; the key is stored in the present transaction."""
    key, staff = request.form.get(FIELD, ""), staff_if_signed_in()
    if not key or "\x00" in key or staff is None:
        return True
    return idempotency.is_first(db.session(), key, staff_id=staff.id, now=clock.now(db.session()))


def already_processed(target: str | None = None) -> Response:
    """Roll back and redirect, with a message that the form had been sent before."""
    db.session.rollback()
    flash(_("This form had been sent already: it was done once, not twice."), "info")
    return redirect(target or came_from() or "/")


def idempotent(view: Callable[..., Any]) -> Callable[..., Any]:
    """Decorate a view function: each form's POST is processed once."""

    @wraps(view)
    def guarded(*args: Any, **kwargs: Any) -> Any:
        if request.method == "POST" and not is_first():
            return already_processed()
        return view(*args, **kwargs)

    return guarded
