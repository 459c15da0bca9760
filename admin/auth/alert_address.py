"""A person's own address for alerts: chosen, tried, taken away (C5, P7).

Importing this adds the page to the blueprint of signing in.
"""

from __future__ import annotations

import secrets
from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from admin.auth.sign_in import entrance
from admin.panel import error_messages
from admin.panel.audit import record
from admin.panel.signed_in import current_staff
from models.base import db
from models.engine import set_writing
from models.people import Staff
from models.secrets import masked
from office.core import clock
from office.core.errors import Refused
from office.messaging import channels, own_address
from rules import alert_addresses

KINDS = {
    "wecom": _l("WeCom group robot"),
    "dingtalk": _l("DingTalk group robot"),
    "feishu": _l("Feishu group robot"),
    "email": _l("E-mail"),
}
MOST = 300  # characters of what is typed


@entrance.route("/account/alerts", methods=["GET", "POST"])
def alert_address() -> Any:
    """What there is; or what was asked for: save, send a test, take the address away."""
    if request.method == "GET":
        return _page()
    verb = {"save": _save, "test": _test, "remove": _remove}.get(request.form.get("do", ""))
    try:
        if verb is not None:
            verb()
    except Refused as refusal:
        db.session.rollback()
        return _page(error=error_messages.message_for(refusal)), 400
    return redirect(url_for("entrance.alert_address"))


def _page(error: str = "") -> str:
    stored = current_staff().alert_url or ""
    own = alert_addresses.read(stored)
    return render_template(
        "auth/alert_address.html",
        error=error,
        kinds=KINDS,
        signed=alert_addresses.SIGNED,
        shown=masked(own.target if own else stored),
        own_kind=own.kind if own else "",
        typed=request.form,
    )


def _save() -> None:
    staff, typed = current_staff(), request.form
    kind = typed.get("kind", "")[:20]
    address, secret = (typed.get(name, "")[:MOST] for name in ("address", "secret"))
    now = clock.now(db.session())
    own_address.choose(db.session(), staff, kind or "none", address, secret, now=now)
    db.session.commit()
    flash(_("The address is saved. Send a test to see whether it works."), "success")


def _remove() -> None:
    own_address.choose(db.session(), current_staff(), "", "", "", now=clock.now(db.session()))
    db.session.commit()
    flash(_("Alerts reach you no more."), "warning")


def _test() -> None:
    """Send one alert now and tell what the service said; no transaction stands open meanwhile."""
    session, staff = db.session(), current_staff()
    staff_id, address = staff.id, staff.alert_url
    text = _("Gatehouse: this is a test. Alerts reach you here.")
    if not address:
        return
    set_writing(False)
    session.rollback()
    session.close()
    failure = ""
    try:
        own_address.try_out(session, address, f"test-{secrets.token_hex(8)}", text, at=clock.machine_now())
    except (channels.Undelivered, channels.Unsure) as problem:
        failure = _(channels.NOT_SET_UP) if str(problem) == channels.NOT_SET_UP else str(problem)
    set_writing(True)
    session.rollback()
    record("alert_test", Staff.__tablename__, staff_id, {}, {"failure": failure[:300]}, staff_id=staff_id)
    session.commit()
    if failure:
        flash(_("The test did not arrive: %(why)s", why=failure), "error")
    else:
        flash(_("The test was handed over: look whether it has arrived."), "success")
