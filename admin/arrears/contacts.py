"""The contact log and its promises (C6, C7)."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l

from admin.panel import labels
from admin.panel.columns import coded
from admin.panel.filters import ChoiceFilter, RangeFilter
from admin.panel.view import OfficeView, OneClick
from models.collection import Contact
from rules.calendar_months import week_of


class ContactView(OfficeView):
    table = Contact
    screen = "contacts"
    title = _l("Contact log")
    empty_hint = _l(
        "Calls and visits are entered on the call list or in a household's file; old ones come in under "
        "“Imports”."
    )
    icon = "contact"
    is_large = True
    can_create = can_edit = can_delete = False
    column_list = (
        "at",
        "unit.code",
        "payer.name",
        "method",
        "staff.name",
        "outcome",
        "arrears_reason",
        "promised_on",
        "promised_amount",
        "promise_state",
    )
    column_hidden = ("note", "spoke_with")
    column_searchable_list = ("unit.code", "payer.name", "payer.pinyin_initials")
    column_default_sort = "-at"
    column_labels = {"spoke_with": _l("Spoke with")}
    choices = {
        "method": labels.CONTACT_METHODS,
        "outcome": labels.CONTACT_OUTCOMES,
        "arrears_reason": labels.ARREARS_REASONS,
        "promise_state": labels.PROMISE_STATES,
    }
    filters = (
        ChoiceFilter("method"),
        ChoiceFilter("arrears_reason"),
        ChoiceFilter("promise_state"),
        RangeFilter("at"),
        RangeFilter("promised_on"),
    )
    one_click = (
        OneClick(
            "week",
            _l("Promises due this week"),
            lambda view: [
                coded(Contact.promise_state, "open"),
                Contact.promised_on <= week_of(view.today())[1],
            ],
            sort="promised_on",
        ),
        OneClick("broken", _l("Broken promises"), lambda _view: [coded(Contact.promise_state, "broken")]),
        OneClick("lost", _l("Unreachable"), lambda _view: [coded(Contact.arrears_reason, "unreachable")]),
    )


SCREENS = (ContactView,)
