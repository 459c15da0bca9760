"""One page per unit with everything that ever happened there (P8)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from flask import abort, request, url_for
from flask_admin import expose
from flask_babel import lazy_gettext as _l
from sqlalchemy import select

from admin.panel import labels, row_access
from admin.panel.permissions import may, may_see
from admin.panel.registry import view_of
from admin.panel.signed_in import current_staff
from admin.panel.view import OfficePage
from models.base import db
from models.complaints import Ticket
from models.hints import DeskHint
from models.office import Paper
from models.property import Unit
from models.visits import Visit
from office.estate import hints, household_file

KINDS = {
    "invoice": (_l("Invoice"), "invoices", labels.INVOICE_STATES),
    "payment": (_l("Receipt"), "payments", labels.METHODS),
    "reminder": (_l("Reminder"), "reminders", labels.REMINDER_STATES),
    "contact": (_l("Contact"), "contacts", labels.PROMISE_STATES),
    "ticket": (_l("Complaint ticket"), "tickets", labels.TICKET_STATES),
    "visit": (_l("Follow-up visit"), "visits", labels.VISIT_OUTCOMES),
    "paper": (_l("Paper"), "papers", labels.PAPERS),
}


BILLS = 8  # open ones shown; all of them are in their list


def lists_of(unit_id: int) -> list[tuple[Any, str]]:
    """The whole list of each kind that the reader may see, of this unit alone: its name and address."""
    roles = current_staff().roles
    return [
        (view_of(screen).title, url_for(f"{screen}.index_view", unit_id=unit_id))
        for _label, screen, _codes in KINDS.values()
        if may(roles, screen, "see")
    ]


def readable(found: household_file.Household) -> list[household_file.HouseholdEvent]:
    """What the reader's role may see of all that happened; never a complaint about the reader."""
    roles = current_staff().roles
    kinds = {kind for kind, (_label, screen, _codes) in KINDS.items() if may(roles, screen, "see")}
    events = [event for event in found.events if event.kind in kinds]
    for kind, model in (("ticket", Ticket), ("visit", Visit), ("paper", Paper)):
        own = set(
            db.session.scalars(
                select(model.id).where(model.unit_id == found.unit.id, *row_access.visible_rows(model))
            )
        )
        events = [event for event in events if event.kind != kind or event.row_id in own]
    return events


class HouseholdPage(OfficePage):
    screen = "household"
    title = _l("Household file")
    icon = "folder-open"

    @expose("/")
    def index(self) -> Any:
        unit = row_access.find_or_404(Unit, request.args.get("unit_id"))
        found = household_file.household(db.session(), unit.id, self.today())
        if found is None:
            abort(404)
        found = replace(found, events=readable(found))
        return self.render(
            "estate/household_file.html",
            file=found,
            kinds=KINDS,
            lists=lists_of(found.unit.id),
            bills=BILLS,
            today=self.today(),
            hints=hints.of_unit(db.session(), unit.id, self.today(), row_access.visible_rows(DeskHint))
            if may_see("desk_hints")
            else (),
            view=self,
        )


SCREENS = (HouseholdPage,)
