"""Instalment plans: proposed, approved, cancelled (B9)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from admin.arrears.debtors import debtor_of
from admin.panel import formats, labels
from admin.panel.filters import ChoiceFilter
from admin.panel.signed_in import staff_id
from admin.panel.view import Ask, OfficeView, OneClick, Related, office_action
from models.base import db
from models.billing import Instalment, InstalmentPlan
from office.arrears import instalment_plans


class InstalmentPlanView(OfficeView):
    table = InstalmentPlan
    screen = "instalment_plans"
    title = _l("Instalment plans")
    empty_hint = _l("Agree instalments with a payer under “Propose a plan”; the station head approves them.")
    icon = "calendar-clock"
    can_create = can_edit = can_delete = False
    column_list = ("unit.code", "payer.name", "amount", "state", "approved_at", "ended_on", "reason")
    column_searchable_list = ("unit.code", "payer.name")
    choices = {"state": labels.PLAN_STATES}
    filters = (ChoiceFilter("state"),)
    one_click = (
        OneClick(
            "proposed",
            _l("Waiting for approval"),
            lambda _view: [InstalmentPlan.state == "proposed"],
            awaits="act",
        ),
        OneClick("running", _l("Running"), lambda _view: [InstalmentPlan.state == "running"]),
    )
    related = (Related("instalments", "plan_id"),)

    @office_action(
        "propose",
        _l("Propose a plan"),
        on="list",
        icon="plus",
        verb="create",
        fields=(
            Ask("unit_code", _l("Unit no."), is_required=True),
            Ask("count", _l("Instalments, one a month"), kind="number", is_required=True),
            Ask("first_on", _l("First instalment on"), kind="date", is_required=True),
            Ask("reason", _l("Reason")),
        ),
    )
    def propose(self, _rows: Any, given: Mapping[str, Any]) -> str:
        plan = instalment_plans.propose_even_plan(
            db.session(),
            debtor_of(self, given),
            int(given["count"]),
            given["first_on"],
            now=self.now(),
            staff_id=staff_id(),
            reason=given["reason"],
        )
        return _("A plan over %(amount)s waits for approval.", amount=formats.amount(plan.amount))

    @office_action(
        "approve",
        _l("Approve"),
        on="row",
        states=("proposed",),
        icon="check",
        confirm=_l("Approve this plan? Its bills get no reminders while it is kept."),
    )
    def approve(self, rows: Sequence[InstalmentPlan], _given: Any) -> str:
        instalment_plans.approve_plan(db.session(), rows[0].id, now=self.now(), staff_id=staff_id())
        return _("The plan runs.")

    @office_action(
        "cancel",
        _l("Cancel"),
        on="row",
        states=("proposed", "running"),
        icon="ban",
        tone="bad",
        fields=(Ask("reason", _l("Reason"), is_required=True),),
    )
    def cancel(self, rows: Sequence[InstalmentPlan], given: Mapping[str, Any]) -> str:
        instalment_plans.cancel_plan(
            db.session(), rows[0].id, reason=given["reason"], now=self.now(), staff_id=staff_id()
        )
        return _("The plan was cancelled.")


class InstalmentView(OfficeView):
    table = Instalment
    screen = "instalments"
    title = _l("Instalments")
    can_create = can_edit = can_delete = False
    column_list = ("due_on", "amount", "state")
    choices = {"state": {"open": _l("Open"), "kept": _l("Kept"), "missed": _l("Missed")}}


SCREENS = (InstalmentPlanView, InstalmentView)
