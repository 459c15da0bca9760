"""Who complained (T1)."""

from __future__ import annotations

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from admin.panel.view import OfficeView
from models.complaints import Complainant


class ComplainantView(OfficeView):
    """Who complained: masked, shown for a reason that is logged."""

    table = Complainant
    screen = "complainants"
    title = _l("Complainants")
    empty_hint = _l("People are entered with their complaint.")
    icon = "contact"
    can_create = can_edit = can_delete = False
    can_export = False
    column_list = ("ticket.number", "name", "phone", "ticket.registered_at")
    column_searchable_list = ("ticket.number",)
    column_labels = {"ticket.registered_at": _l("Registered at"), "name": _l("Complainant")}

    def text_of(self, row: Complainant) -> str:
        return _("Complainant of %(number)s", number=row.ticket.number)


SCREENS = (ComplainantView,)
