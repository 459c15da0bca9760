"""The unit grid on screen: a colour, a mark and a word for each unit, one click from its file (P8, K4)."""

from __future__ import annotations

from typing import Any

from flask import request
from flask_admin import expose
from flask_babel import lazy_gettext as _l

from admin.panel import request_values, row_access
from admin.panel.permissions import may
from admin.panel.registry import view_of
from admin.panel.signed_in import current_staff
from admin.panel.view import OfficePage
from models.base import db
from office.estate import unit_grid

SHOWN = {
    "owed": (_l("What is owed"), "invoices"),
    "complaints": (_l("Open complaints"), "tickets"),
    "visits": (_l("To be visited"), "visits"),
}  # each with the screen whose rows it counts
# state → its word, its colour, and the mark that says the same without colour
STATES = {
    "overdue": (_l("Overdue"), "bad", "!"),
    "open": (_l("Open, not due yet"), "warn", "○"),
    "escalated": (_l("Escalated complaint"), "bad", "!"),
    "complaint": (_l("Open complaint"), "warn", "○"),
    "visit_late": (_l("Visit is late"), "bad", "!"),
    "visit": (_l("To be visited"), "warn", "○"),
    "clear": (_l("Nothing"), "good", "✓"),
    "unsold": (_l("Unsold"), "plain", "–"),
}
OF = {
    "owed": ("overdue", "open", "clear", "unsold"),
    "complaints": ("escalated", "complaint", "clear", "unsold"),
    "visits": ("visit_late", "visit", "clear", "unsold"),
}
AT_ONCE = 4  # buildings on one page


class GridPage(OfficePage):
    screen = "grid"
    title = _l("Unit grid")
    icon = "layout-grid"

    @expose("/")
    def index(self) -> Any:
        session, roles = db.session(), current_staff().roles
        allowed = {code: label for code, (label, screen) in SHOWN.items() if may(roles, screen, "see")}
        asked = request.args.get("show", "")
        what = asked if asked in allowed else next(iter(allowed), "owed")
        known = unit_grid.buildings(session, row_access.own_buildings())
        building = request_values.row_id(request.args.get("building", ""))
        start = next((number for number, each in enumerate(known) if each[0] == building), 0)
        chosen = known[start : start + AT_ONCE] if allowed else []
        return self.render(
            "estate/unit_grid.html",
            blocks=unit_grid.grid(
                session,
                chosen,
                what,
                today=self.today(),
                now=self.now(),
                readable=view_of(SHOWN[what][1]).scope(),
            ),
            known=known,
            first=known[start][0] if known else None,
            previous=known[max(start - AT_ONCE, 0)][0] if start else None,
            following=known[start + AT_ONCE][0] if start + AT_ONCE < len(known) else None,
            shown=allowed,
            what=what,
            states=STATES,
            legend=OF[what],
        )


SCREENS = (GridPage,)
