"""A person's own two-factor sign-in: set up with an app, recovery codes, switched off again (P7).

Importing this adds the page to the blueprint of signing in. A secret that is not confirmed yet waits, sealed,
in the row of the session; only a code that it gives makes it count.
"""

from __future__ import annotations

import base64
import io
import json
from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from markupsafe import Markup
from sqlalchemy import select
from werkzeug.security import check_password_hash

from admin.auth.sessions import data_of, start_session
from admin.auth.sign_in import entrance
from admin.panel import error_messages
from admin.panel.signed_in import current_staff, current_web_session
from models.base import db
from models.people import Staff
from models.property import Estate
from models.secrets import seal, unseal
from office.access import two_factor
from office.access.sessions import end_sessions
from office.core import clock
from office.core.errors import N_, Refused

WAITING = "totp_waiting"


@entrance.route("/account/second-step", methods=["GET", "POST"])
def second_step_page() -> Any:
    """What there is, or what was asked for: start, confirm, renew the recovery codes, switch off."""
    if request.method == "GET":
        return _page()
    verb = {"start": _start, "confirm": _confirm, "renew": _renew, "off": _off}.get(
        request.form.get("do", "")
    )
    try:
        return verb() if verb is not None else redirect(url_for("entrance.second_step_page"))
    except Refused as refusal:
        db.session.rollback()
        return _page(error=error_messages.message_for(refusal)), 400


def _page(error: str = "", codes: list[str] | None = None) -> str:
    session, staff = db.session(), current_staff()
    waiting = unseal(_waiting_secret()) if not staff.totp_secret else ""
    estate = session.scalar(select(Estate.name)) or ""
    return render_template(
        "auth/two_factor.html",
        error=error,
        codes=codes,
        left=two_factor.codes_left(session, staff.id),
        is_required=two_factor.is_required(session, staff, clock.today(session)),
        secret=" ".join(waiting[place : place + 4] for place in range(0, len(waiting), 4)),
        picture=qr_code(two_factor.address(waiting, staff.login, estate)) if waiting else "",
    )


def qr_code(text: str) -> Markup:
    """An image's address that holds the whole picture."""
    import segno

    drawn = io.BytesIO()
    segno.make(text, error="m").save(drawn, kind="svg", scale=5, border=4, light="white")
    return Markup("data:image/svg+xml;base64,") + base64.b64encode(drawn.getvalue()).decode()


def _start() -> Any:
    if current_staff().totp_secret:
        raise Refused(N_("The second step is on already"))
    _keep(seal(two_factor.new_secret()))
    db.session.commit()
    return redirect(url_for("entrance.second_step_page"))


def _confirm() -> Any:
    session, staff, sealed = db.session(), current_staff(), _waiting_secret()
    if not sealed or staff.totp_secret:
        return redirect(url_for("entrance.second_step_page"))
    code = "".join(request.form.get("code", "").split())[:10]
    on = clock.today(session)
    codes = two_factor.switch_on(session, staff, unseal(sealed), code, now=clock.machine_now(), on=on)
    return _in_a_new_session(staff, codes)


def _renew() -> Any:
    session, staff = db.session(), current_staff()
    _check_password(staff)
    if not staff.totp_secret:
        return redirect(url_for("entrance.second_step_page"))
    codes = two_factor.renew_codes(session, staff, now=clock.now(session), on=clock.today(session))
    session.commit()
    return _page(codes=codes)


def _off() -> Any:
    session, staff = db.session(), current_staff()
    _check_password(staff)
    if two_factor.is_required(session, staff, clock.today(session)):
        raise Refused(N_("The estate asks your role for a second step"))
    two_factor.switch_off(session, staff, now=clock.now(session), by_id=staff.id)
    end_sessions(session, staff.id)
    start_session(staff)
    session.commit()
    flash(_("The second step is off; other sessions were ended."), "success")
    return redirect(url_for("entrance.second_step_page"))


def _in_a_new_session(staff: Staff, codes: list[str]) -> Any:
    """Other browsers of this person sign in again; the codes are shown now and never again."""
    end_sessions(db.session(), staff.id)
    start_session(staff)
    db.session.commit()
    return _page(codes=codes)


def _check_password(staff: Staff) -> None:
    if not check_password_hash(staff.password_hash, request.form.get("password", "")[:1000]):
        raise Refused(N_("The present password is not right."))


def _keep(sealed: str) -> None:
    row = current_web_session()
    row.data = json.dumps({**data_of(row), WAITING: sealed})


def _waiting_secret() -> str:
    """The sealed secret that no code has confirmed yet, or empty."""
    return data_of(current_web_session()).get(WAITING) or ""
