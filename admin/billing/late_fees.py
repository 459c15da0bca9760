"""Late fees waived: what was asked for, who decided, what was waived (B7)."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l

from admin.panel import labels
from admin.panel.decisions import Decision, decisions
from admin.panel.filters import ChoiceFilter, RangeFilter
from admin.panel.view import OfficeView, OneClick
from models.billing import LateFeeWaiver, WaiverRequest
from office.core.errors import N_
from office.receivables import late_fees


class WaiverRequestView(OfficeView):
    table = WaiverRequest
    screen = "waiver_requests"
    title = _l("Waiver requests")
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
        OneClick(
            "requested", _l("To be decided"), lambda _view: [WaiverRequest.state == "requested"], awaits="act"
        ),
    )
    empty_hint = _l("Ask for a waiver on the invoice: “Waive late fee”.")

    approve, refuse = decisions(
        late_fees.decide_waiver,
        state="requested",
        approve=Decision(N_("%(count)s waivers were approved."), _l("Waive these late fees?")),
        refuse=Decision(N_("%(count)s waivers were refused."), _l("Refuse these waivers?")),
    )


class LateFeeWaiverView(OfficeView):
    table = LateFeeWaiver
    screen = "late_fee_waivers"
    title = _l("Late fee waivers")
    icon = "percent"
    can_create = can_edit = can_delete = False
    column_list = ("invoice.number", "invoice.unit.code", "amount", "reason", "waived_on", "staff.name")
    column_searchable_list = ("invoice.number", "invoice.unit.code")
    column_default_sort = "-waived_on"
    filters = (RangeFilter("waived_on"),)
    empty_hint = _l("Waivers appear here when they were approved.")


SCREENS = (WaiverRequestView, LateFeeWaiverView)
