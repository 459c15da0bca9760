"""Late fees waived: what was asked for, who decided, what was waived (B7)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from admin.panel import labels
from admin.panel.filters import ChoiceFilter, RangeFilter
from admin.panel.signed_in import current_staff
from admin.panel.view import OfficeView, OneClick, office_action
from models.base import db
from models.billing import LateFeeWaiver, WaiverRequest
from office.receivables import late_fees


class WaiverRequestView(OfficeView):
    table = WaiverRequest
    screen = "waiver_requests"
    title = _l("Late fee waivers asked for")
    room = "bills"
    icon = "percent"
    can_create = can_edit = can_delete = False
    column_list = (
        "invoice.number",
        "invoice.unit.code",
        "amount",
        "reason",
        "asked_by.name",
        "asked_at",
        "state",
        "decided_by.name",
    )
    column_default_sort = "-asked_at"
    column_searchable_list = ("invoice.number", "invoice.unit.code")
    choices = {"state": labels.WAIVER_STATES}
    filters = (ChoiceFilter("state"),)
    one_click = (
        OneClick("requested", _l("To be decided"), lambda _view: [WaiverRequest.state == "requested"]),
    )
    empty_hint = _l("Ask for a waiver on the invoice: “Waive late fee”.")

    @office_action(
        "approve", _l("Approve"), states=("requested",), icon="check", confirm=_l("Waive these late fees?")
    )
    def approve(self, rows: Sequence[WaiverRequest], _given: Any) -> str:
        return self._decide(rows, is_approved=True)

    @office_action(
        "refuse",
        _l("Refuse"),
        states=("requested",),
        icon="x",
        tone="bad",
        confirm=_l("Refuse these waivers?"),
    )
    def refuse(self, rows: Sequence[WaiverRequest], _given: Any) -> str:
        return self._decide(rows, is_approved=False)

    def _decide(self, rows: Sequence[WaiverRequest], *, is_approved: bool) -> str:
        for row in rows:
            late_fees.decide_waiver(
                db.session(), row.id, is_approved=is_approved, staff_id=current_staff().id, now=self.now()
            )
        if is_approved:
            return _("%(count)s waivers were approved.", count=len(rows))
        return _("%(count)s waivers were refused.", count=len(rows))


class LateFeeWaiverView(OfficeView):
    table = LateFeeWaiver
    screen = "late_fee_waivers"
    title = _l("Late fee waivers")
    room = "bills"
    icon = "percent"
    can_create = can_edit = can_delete = False
    column_list = ("invoice.number", "invoice.unit.code", "amount", "reason", "waived_on", "staff.name")
    column_searchable_list = ("invoice.number", "invoice.unit.code")
    column_default_sort = "-waived_on"
    filters = (RangeFilter("waived_on"),)
    empty_hint = _l("Waivers appear here when they were approved.")


SCREENS = (WaiverRequestView, LateFeeWaiverView)
