"""The end of the day: count, explain a difference, lock; days that were left open (M3)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from flask import abort, flash, redirect, request, url_for
from flask_admin import expose
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from admin.panel import error_messages, labels, request_values, row_access
from admin.panel.addresses import address_with
from admin.panel.decisions import Decision, decisions
from admin.panel.filters import ChoiceFilter, RangeFilter, RelationFilter
from admin.panel.idempotency import idempotent
from admin.panel.signed_in import current_staff
from admin.panel.view import Ask, OfficePage, OfficeView, OneClick, Related, office_action
from admin.payments.cashier_desk import typed_money
from models.base import db
from models.payments import METHODS, DayClose, DayCloseLine, DayReopening
from models.people import Staff
from office.core.errors import N_, Refused
from office.payments import day_close
from office.payments.payments import in_force
from rules import dates
from rules.roles import may_close_for_others


class DayClosePage(OfficePage):
    screen = "day_close"
    title = _l("Day-end reconciliation")
    icon = "calculator"
    verbs = {"close": "act"}

    @expose("/")
    def index(self) -> Any:
        day, cashier = self._which(request.args)
        session = db.session()
        closed = session.scalar(
            db.select(DayClose).where(DayClose.day == day, DayClose.cashier_id == cashier.id, in_force())
        )
        return self.render(
            "payments/day_close.html",
            day=day,
            today=self.today(),
            cashier=cashier,
            is_own=cashier.id == current_staff().id,
            drawers=day_close.drawers(session, cashier.id, day),
            closed=closed,
            still_open=day_close.still_open(
                session, None if self._may_for_others() else current_staff().id, self.today()
            ),
            methods=labels.METHODS,
            given=request.args,
            view=self,
        )

    @staticmethod
    def _may_for_others() -> bool:
        return may_close_for_others(current_staff().roles)

    def _which(self, given: Any) -> tuple[date, Staff]:
        """The day and cashier asked for: one's own today unless said otherwise."""
        text, cashier_id = given.get("day", ""), request_values.row_id(given.get("cashier_id"))
        try:
            day = dates.day_of(text) if text else self.today()
        except ValueError:
            abort(404)
        me = current_staff()
        if cashier_id is None or cashier_id == me.id:
            return day, me
        if not self._may_for_others():
            abort(403)
        return day, row_access.find_or_404(Staff, cashier_id)

    @expose("/close/", methods=("POST",))
    @idempotent
    def close(self) -> Any:
        day, cashier = self._which(request.form)
        cashier_id = cashier.id
        session = db.session()
        try:
            counted = {
                method: day_close.Counted(
                    typed_money(
                        request.form[f"counted_{method}"], is_negative_allowed=True, is_zero_allowed=True
                    ),
                    request.form.get(f"reason_{method}", "").strip()[:300],
                )
                for method in METHODS
                if request.form.get(f"counted_{method}", "").strip()
            }
            day_close.close_day(
                session,
                cashier_id=cashier_id,
                day=day,
                counted=counted,
                closed_by_id=current_staff().id,
                now=self.now(),
            )
            session.commit()
        except Refused as refusal:
            session.rollback()
            flash(error_messages.message_for(refusal), "error")
            kept = {
                name: each for name, each in request.form.items() if name.startswith(("counted_", "reason_"))
            }
            return redirect(address_with("day_close.index", {"day": day, "cashier_id": cashier_id, **kept}))
        flash(_("The day is closed: nothing more is posted into it."), "success")
        return redirect(url_for("day_close.index", day=day, cashier_id=cashier_id))


class DayCloseView(OfficeView):
    table = DayClose
    screen = "day_closes"
    title = _l("Closed days")
    icon = "lock"
    can_create = can_edit = can_delete = False
    column_list = ("day", "cashier.name", "round", "closed_at")
    column_default_sort = "-day"
    filters = (RangeFilter("day"), RelationFilter("cashier"))
    related = (Related("day_close_lines", "day_close_id"), Related("day_reopenings", "day_close_id"))
    empty_hint = _l("Days appear here when a cashier has closed them under “Day-end reconciliation”.")

    @office_action(
        "reopen",
        _l("Ask to open it again"),
        on="row",
        icon="rotate-ccw",
        fields=(Ask("reason", _l("Reason"), is_required=True),),
    )
    def reopen(self, rows: Sequence[DayClose], given: Mapping[str, Any]) -> str:
        day_close.ask_to_reopen(
            db.session(), rows[0].id, reason=given["reason"], staff_id=current_staff().id, now=self.now()
        )
        return _("Another person decides whether the day is opened again.")


class DayReopeningView(OfficeView):
    table = DayReopening
    screen = "day_reopenings"
    title = _l("Closed days to be opened again")
    icon = "rotate-ccw"
    can_create = can_edit = can_delete = False
    column_list = (
        "day_close.day",
        "day_close.cashier.name",
        "reason",
        "asked_by.name",
        "asked_at",
        "state",
        "decided_by.name",
    )
    column_default_sort = "-asked_at"
    choices = {"state": labels.WAIVER_STATES}
    filters = (ChoiceFilter("state"),)
    one_click = (
        OneClick(
            "requested", _l("To be decided"), lambda _view: [DayReopening.state == "requested"], awaits="act"
        ),
    )
    empty_hint = _l("Ask for it on the closed day: “Ask to open it again”.")

    approve, refuse = decisions(
        day_close.decide_reopening,
        state="requested",
        approve=Decision(
            N_("%(count)s days are open again."),
            _l("Open these days again? They must be counted and closed once more."),
        ),
        refuse=Decision(N_("%(count)s days stay closed."), _l("Leave them closed?")),
    )


class DayCloseLineView(OfficeView):
    table = DayCloseLine
    screen = "day_close_lines"
    title = _l("Counted")
    can_create = can_edit = can_delete = False
    column_list = ("method", "expected", "counted", "reason")
    choices = {"method": labels.METHODS}


SCREENS = (DayClosePage, DayCloseView, DayCloseLineView, DayReopeningView)
