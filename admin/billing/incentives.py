"""Rewards for paying ahead or early: what is offered, what was granted and why (B8)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from admin.panel import formats, wording
from admin.panel.filters import RangeFilter, RelationFilter
from admin.panel.signed_in import current_staff
from admin.panel.view import OfficeView, OneClick, Related, office_action
from models.base import db
from models.billing import Incentive, IncentiveGrant
from office.billing import incentives
from office.core.errors import Refused


class IncentiveView(OfficeView):
    table = Incentive
    screen = "incentives"
    title = _l("Early-payment rewards")
    icon = "gift"
    column_list = ("name", "months_ahead", "pay_before_on", "percent", "gift", "valid_from", "valid_to")
    column_default_sort = "-valid_from"
    form_columns = (
        "name_en",
        "name_zh_hans",
        "name_zh_hant",
        "months_ahead",
        "pay_before_on",
        "percent",
        "gift",
        "valid_from",
        "valid_to",
    )
    form_sections = (
        (_l("What it is called"), ("name_en", "name_zh_hans", "name_zh_hant")),
        (_l("What must be done for it"), ("months_ahead", "pay_before_on", "valid_from", "valid_to")),
        (_l("What it earns"), ("percent", "gift")),
    )
    column_descriptions = {
        "months_ahead": _l("Whole months that a payment covers beyond what is past due"),
        "pay_before_on": _l("The last day of payment"),
        "percent": _l("Of what was paid on time or ahead; credited to the bills, pays the next one"),
    }
    related = (Related("incentive_grants", "incentive_id"),)
    empty_hint = _l(
        "Enter a reward for paying early: a discount or a gift; what was granted is listed with it."
    )

    def before_save(self, form: Any, row: Any, is_new: bool) -> None:  # noqa: ARG002, FBT001 -- the base's hook
        if row.valid_to is not None and row.valid_from is not None and row.valid_to < row.valid_from:
            raise Refused(_("The first day must not be after the last day."))
        problems = incentives.problems(row)
        if problems:
            listed = (wording.problem(each.code, dict(each.inputs)) for each in problems)
            raise Refused("%(problems)s", problems=_("; ").join(listed))

    @office_action(
        "judge",
        _l("Grant what was earned"),
        on="list",
        icon="play",
        confirm=_l("The clock does this each night. Look now at the payments of the last 40 days?"),
    )
    def judge(self, _rows: Sequence[Incentive], _given: Any) -> str:
        session, now, staff_id = db.session(), self.now(), current_staff().id
        incentives.take_back_rewards(session, now=now, staff_id=staff_id)
        granted = incentives.grant_rewards(
            session, since=self.today() - incentives.LOOKED_BACK, now=now, staff_id=staff_id
        )
        if granted.waiting:
            return _(
                "%(count)s rewards were granted; these receipts wait for their next bill: %(receipts)s",
                count=len(granted.made),
                receipts=", ".join(granted.waiting[:20]),
            )
        return _("%(count)s rewards were granted.", count=len(granted.made))


class IncentiveGrantView(OfficeView):
    table = IncentiveGrant
    screen = "incentive_grants"
    title = _l("Rewards granted")
    icon = "gift"
    can_create = can_edit = can_delete = False
    column_list = (
        "incentive.name",
        "unit.code",
        "year",
        "amount",
        "incentive.gift",
        "granted_on",
        "handed_over_on",
        "taken_back_on",
        "explanation",
    )
    column_default_sort = "-granted_on"
    column_searchable_list = ("unit.code",)
    column_formats = {"explanation": formats.reason}
    filters = (RelationFilter("incentive"), RangeFilter("granted_on"))
    one_click = (
        OneClick(
            "gifts",
            _l("Gifts to hand over"),
            lambda _view: [
                IncentiveGrant.incentive.has(Incentive.gift != ""),
                IncentiveGrant.handed_over_on.is_(None),
                IncentiveGrant.taken_back_on.is_(None),
            ],
        ),
    )
    empty_hint = _l("Rewards appear here in the night after the payment that earned them.")

    @office_action("hand_over", _l("Gift handed over"), icon="gift")
    def hand_over(self, rows: Sequence[IncentiveGrant], _given: Any) -> str:
        for row in rows:
            incentives.hand_over(db.session(), row.id, staff_id=current_staff().id, now=self.now())
        return _("%(count)s gifts were handed over.", count=len(rows))


SCREENS = (IncentiveView, IncentiveGrantView)
