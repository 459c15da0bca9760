"""One page per unit with everything that ever happened there (P8)."""

from __future__ import annotations

from typing import Any

from flask import abort, request
from flask_admin import expose
from flask_babel import lazy_gettext as _l

from admin import labels
from admin.base import OfficePage
from models.base import db
from office import households

KINDS = {
    "invoice": (_l("Invoice"), "invoices", labels.INVOICE_STATES),
    "payment": (_l("Receipt"), "payments", labels.METHODS),
    "reminder": (_l("Reminder"), "reminders", labels.REMINDER_STATES),
    "contact": (_l("Contact"), "contacts", labels.PROMISE_STATES),
    "ticket": (_l("Complaint ticket"), "tickets", labels.TICKET_STATES),
    "visit": (_l("Follow-up visit"), "visits", labels.VISIT_OUTCOMES),
    "paper": (_l("Paper"), "papers", labels.PAPERS),
}


class HouseholdPage(OfficePage):
    screen = "household"
    title = _l("Household file")
    room = "property"
    icon = "folder-open"
    is_in_menu = False

    @expose("/")
    def index(self) -> Any:
        unit_id = request.args.get("unit_id", "")
        is_key = unit_id.isascii() and unit_id.isdigit() and len(unit_id) < 19
        found = households.household(db.session(), int(unit_id), self.today()) if is_key else None
        if found is None:
            abort(404)
        return self.render("office/household.html", file=found, kinds=KINDS, today=self.today(), view=self)


SCREENS = (HouseholdPage,)
