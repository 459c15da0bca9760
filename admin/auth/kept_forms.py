"""A form that is sent after its session has ended is kept, and done once its person has signed in (U7).

The guard keeps what was sent; after signing in, `/kept` sends it again in the person's name. What can't be
done comes back as its form, filled in, as any refused form does.
"""

from __future__ import annotations

import base64
import hmac
import json
from io import BytesIO
from typing import Any

from flask import Flask, current_app, flash, redirect, request, session, url_for
from flask_babel import gettext as _
from sqlalchemy.orm import make_transient
from werkzeug.datastructures import FileStorage, MultiDict
from werkzeug.test import EnvironBuilder
from werkzeug.wrappers import Response

from admin.auth import sessions
from admin.auth.sessions import KEPT_FORMS
from admin.auth.sign_in import entrance
from admin.panel import csrf
from admin.panel.responses import came_from, own_address, safe_target
from admin.panel.signed_in import current_staff
from models.base import db
from models.engine import writing
from office.access import kept_forms
from office.core import clock

MOST_BYTES = 16 * 2**20  # of files; larger ones are chosen again
MOST_KEPT = 5  # in one browser
NEVER_KEPT = f"{entrance.name}."  # passwords and codes


def keep() -> Response | None:
    """Keep this request, if it is a form of a person whose session has ended; else None."""
    past = sessions.named_session()
    is_form = request.method == "POST" and request.accept_mimetypes.best != "application/json"
    if not is_form or past is None or not past.staff.is_active:
        return None
    if request.endpoint is None or request.endpoint.startswith(NEVER_KEPT):
        return None
    token = request.form.get(csrf.FIELD, "")
    if not hmac.compare_digest(token.encode(), past.csrf_secret.encode()):
        return None
    key = kept_forms.keep(db.session(), past.staff_id, _written(), now=clock.machine_now())
    db.session.commit()
    session[KEPT_FORMS] = [*sessions.kept_keys(), key][-MOST_KEPT:]
    flash(_("You were signed out meanwhile. Sign in: what you typed is kept and goes on."), "info")
    return redirect(url_for("entrance.login"), 303)


def _written() -> str:
    """Address, fields and files of this request as JSON."""
    files = [(name, each) for name, each in request.files.items(multi=True) if each.filename]
    contents = [(name, each.filename, each.content_type, each.read()) for name, each in files]
    is_whole = sum(len(content) for *_names, content in contents) <= MOST_BYTES
    return json.dumps(
        {
            "address": own_address(),
            "fields": list(request.form.items(multi=True)),
            "files": [
                (name, file_name, kind, base64.b64encode(content).decode())
                for name, file_name, kind, content in (contents if is_whole else ())
            ],
            "page": "" if is_whole else came_from() or "/",
        }
    )


@entrance.get("/kept")
def kept() -> Any:
    """Send the form that waits, once; its answer is this page's."""
    staff_id, token = current_staff().id, csrf.csrf_token()
    with writing():
        db.session.rollback()  # what this request has read until now was read only
        row = kept_forms.newest(db.session(), sessions.kept_keys(), staff_id, now=clock.machine_now())
        if row is None:
            return redirect(safe_target(request.args.get("to")) or "/")
        sent = json.loads(row.sent)
        db.session.delete(row)
        db.session.commit()
    if sent["page"]:
        flash(_("Your file was too large to be kept: please choose it again."), "error")
        return redirect(sent["page"])
    answer = _sent_again(current_app._get_current_object(), sent, token)  # type: ignore[attr-defined]  # noqa: SLF001 -- Flask's way
    if answer.status_code >= 500:  # an outage: it waits on
        with writing():
            make_transient(row)
            db.session.add(row)
            db.session.commit()
    return answer


def _sent_again(app: Flask, sent: dict[str, Any], token: str) -> Response:
    """The answer of the form's own address, as if it were sent now, with the token of the present session."""
    fields: MultiDict[str, Any] = MultiDict((name, value) for name, value in sent["fields"])
    fields[csrf.FIELD] = token
    for name, file_name, kind, content in sent["files"]:
        fields.add(name, FileStorage(BytesIO(base64.b64decode(content)), file_name, name, kind))
    present = {
        name: value for name, value in request.environ.items() if name.startswith(("HTTP_", "REMOTE_"))
    }
    built = EnvironBuilder(sent["address"], request.host_url, method="POST", data=fields)
    environ = {**present, **built.get_environ(), "HTTP_HOST": request.host}
    with app.app_context(), app.request_context(environ):
        return app.full_dispatch_request()
