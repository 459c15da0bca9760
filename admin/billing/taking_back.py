"""Bills taken back: a page that shows what would go and what stays, and what another person decides (B21)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from flask import flash, redirect, request, url_for
from flask_admin import expose
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from admin.panel import error_messages, formats, labels, wording
from admin.panel.decisions import Decision, decisions
from admin.panel.filters import ChoiceFilter, OneClick, TextFilter
from admin.panel.idempotency import idempotent
from admin.panel.signed_in import current_staff
from admin.panel.view import OfficeView, Related
from models.base import db
from models.take_backs import TakeBack, TakenBill
from office.billing import taking_back
from office.billing.taking_back import Choice, Found
from office.core.errors import N_, Refused
from rules.pools import PoolScope

SHOWN = 200  # bills that stay, on the page; all are counted
LONGEST = 20_000


def why(row: Mapping[str, str]) -> str:
    """Why a bill stays, from what is stored of it."""
    return wording.reason({"code": row["reason"], "inputs": {}})


class TakeBackView(OfficeView):
    table = TakeBack
    screen = "take_backs"
    title = _l("Bills taken back")
    icon = "undo-2"
    can_create = can_edit = can_delete = False
    list_template = "billing/take_backs.html"
    verbs = {"enter": "act", "ask": "act"}
    column_list = (
        "period",
        "scope",
        "scope_value",
        "unit_kind",
        "bills",
        "amount",
        "reason",
        "asked_by.name",
        "asked_at",
        "state",
        "decided_by.name",
    )
    column_hidden = ("left_out",)
    column_default_sort = "-asked_at"
    column_labels = {"bills": _l("Bills"), "left_out": _l("Stay as they are")}
    choices = {
        "scope": labels.POOL_SCOPES,
        "unit_kind": {"": "–", **labels.UNIT_KINDS},
        "state": labels.WAIVER_STATES,
    }
    filters = (ChoiceFilter("state"), TextFilter("period"))
    one_click = (
        OneClick(
            "requested", _l("To be decided"), lambda _view: [TakeBack.state == "requested"], awaits="act"
        ),
    )
    related = (Related("taken_bills", "take_back_id"),)
    empty_hint = _l("Bills that have not left the house can be taken back and issued again.")

    def _left_out(value: str, _row: Any = None) -> Any:  # type: ignore[misc]  # noqa: N805 -- a format
        """The bills that stay with their reasons, the first of them."""
        return formats.long_text(
            "\n".join(
                _("%(name)s: %(value)s", name=f"{row['unit_code']} {row['number']}", value=why(row))
                for row in json.loads(value or "[]")[:SHOWN]
            )
        )

    column_formats = {"left_out": _left_out}
    approve, refuse = decisions(
        taking_back.decide,
        state="requested",
        approve=Decision(
            N_("The bills of %(count)s requests were taken back: issue the period again."),
            _l("Take these bills back? Each gets a credit note over all that it asks for."),
        ),
        refuse=Decision(N_("The bills of %(count)s requests stay."), _l("Leave these bills as they are?")),
    )

    @expose("/enter/")
    def enter(self) -> Any:
        """Which bills; with a choice made, how many would go back and which stay."""
        if "scope" not in request.args:
            return self._page(request.args)
        try:
            return self._page(request.args, taking_back.preview(db.session(), _choice(request.args)))
        except Refused as refusal:
            return self._page(request.args, refusal=error_messages.message_for(refusal))

    def _page(self, given: Mapping[str, str], found: Found | None = None, refusal: str = "") -> str:
        page: str = self.render(
            "billing/take_back.html",
            given=given,
            found=found,
            staying=[(one, why(one.to_dict())) for one in found.staying[:SHOWN]] if found else [],
            refusal=refusal,
            scopes=labels.POOL_SCOPES,
            kinds=labels.UNIT_KINDS,
            this_month=f"{self.today():%Y-%m}",
            view=self,
        )
        return page

    @expose("/ask/", methods=("POST",))
    @idempotent
    def ask(self) -> Any:
        form, session = request.form, db.session()
        try:
            asked = taking_back.ask(
                session,
                _choice(form),
                reason=form.get("reason", "")[:500],
                staff_id=current_staff().id,
                now=self.now(),
            )
        except Refused as refusal:
            session.rollback()
            return self._page(form, refusal=error_messages.message_for(refusal)), 422
        session.commit()
        flash(_("Another person decides whether these bills are taken back."), "success")
        return redirect(url_for("take_backs.details_view", id=asked.id))


def _choice(given: Mapping[str, str]) -> Choice:
    """The choice that a form says. Raises Refused."""
    kind = given.get("unit_kind", "")
    try:
        scope = PoolScope(given.get("scope", ""))
        if kind:
            labels.UNIT_KINDS[kind]
    except (ValueError, KeyError) as wrong:
        raise Refused(_("Choose one of the list")) from wrong
    names = "" if scope == PoolScope.ESTATE else given.get("scope_value", "").strip()[:LONGEST]
    return Choice(given.get("period", "").strip()[:20], scope, names, kind)


class TakenBillView(OfficeView):
    table = TakenBill
    screen = "taken_bills"
    title = _l("Bills that were taken back")
    icon = "undo-2"
    can_create = can_edit = can_delete = False
    column_list = (
        "take_back.period",
        "invoice.number",
        "invoice.unit.code",
        "invoice.amount",
        "credit_note.number",
    )
    column_searchable_list = ("invoice.number", "invoice.unit.code")
    column_default_sort = "invoice.number"


SCREENS = (TakeBackView, TakenBillView)
