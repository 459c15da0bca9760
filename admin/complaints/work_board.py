"""The work board on screen: my complaints, my department's, the escalated or all, by next step (T4, K4)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from flask import request
from flask_admin import expose
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import or_

from admin.panel import formats
from admin.panel.permissions import may
from admin.panel.registry import view_of
from admin.panel.signed_in import current_staff
from admin.panel.view import OfficePage
from models.base import db
from models.complaints import Ticket, is_escalated
from office.complaints import work_board, work_slips
from rules.work_board import first_scope

SCOPES = {
    "mine": _l("Mine"),
    "department": _l("My department"),
    "escalated": _l("Escalated"),
    "all": _l("All"),
}
HOUR, DAY = 60, 24 * 60


def groups(due_soon_minutes: int) -> dict[str, tuple[str, str]]:
    """The heading and the tint of each group of the board."""
    return {
        "confirm": (_("To confirm"), "warn"),
        "late": (_("Overdue"), "bad"),
        "soon": (formats.due_within(due_soon_minutes), "warn"),
        "take_up": (_("To take up"), ""),
        "at_work": (_("At work"), ""),
        "waiting": (_("Waiting"), ""),
        "visit": (_("Resolved, to be visited"), ""),
        "close": (_("Visited, to be closed"), ""),
    }


def time_left(due_at: datetime, now: datetime) -> str:
    """The time until a deadline, or since it passed, in its two largest units."""
    minutes = int((due_at - now).total_seconds() // 60)
    amount = abs(minutes)
    if amount >= DAY:
        shown = _("%(days)s d %(hours)s h", days=amount // DAY, hours=amount % DAY // HOUR)
    elif amount >= HOUR:
        shown = _("%(hours)s h %(minutes)s min", hours=amount // HOUR, minutes=amount % HOUR)
    else:
        shown = _("%(minutes)s min", minutes=amount)
    return _("%(time)s over", time=shown) if minutes < 0 else _("%(time)s left", time=shown)


class BoardPage(OfficePage):
    """The board, and the work contact slips that the reader's department has to answer."""

    screen = "board"
    title = _l("Work board")
    icon = "list-checks"

    @expose("/")
    def index(self) -> Any:
        staff, now = current_staff(), self.now()
        of = request.args.get("of", "")
        of = of if of in SCOPES else first_scope(staff.roles)
        wanted = {
            "mine": [or_(Ticket.handler_id == staff.id, Ticket.clerk_id == staff.id)],
            "department": [Ticket.department_id == staff.department_id],
            "escalated": [is_escalated()],
            "all": [],
        }[of]
        found = work_board.board(db.session(), now, [*view_of("tickets").scope(), *wanted])
        return self.render(
            "complaints/work_board.html",
            board=found,
            of=of,
            scopes=SCOPES,
            groups=groups(found.due_soon_minutes),
            now=now,
            left=time_left,
            slips=work_slips.slips_to_answer(db.session(), staff.department_id, view_of("work_slips").scope())
            if may(staff.roles, "work_slips", "see")
            else (),
            may_work=may(staff.roles, "tickets", "act"),
            may_register=may(staff.roles, "tickets", "create"),
            name_of=lambda row: row.name_in(view_of("tickets").language),
        )


SCREENS = (BoardPage,)
