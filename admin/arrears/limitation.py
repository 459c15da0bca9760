"""Debts that can soon no longer be sued for, each with its proof (C21)."""

from __future__ import annotations

from typing import Any

from flask import abort, request
from flask_admin import expose
from flask_babel import lazy_gettext as _l

from admin.panel import labels, list_exports, row_access
from admin.panel.audit import record_reading
from admin.panel.view import OfficePage
from models.base import db
from models.billing import Invoice
from office.arrears import limitation
from office.arrears.limitation import LimitedDebt
from rules.limitation import ENDS_SOON_DAYS

SCREEN_OF = {  # where the proof of a restart is found
    "demand": "reminders.details_view",
    "part_payment": "payments.details_view",
    "promise": "contacts.details_view",
    "plan": "instalment_plans.details_view",
}


class LimitationPage(OfficePage):
    """Open bills whose last day to sue lies within 90 days or has passed (C21)."""

    screen = "limitation"
    title = _l("Limitation period")
    icon = "scale"
    verbs = {"file": "export"}

    @expose("/")
    def index(self) -> Any:
        return self.render(
            "arrears/limitation.html",
            debts=self._debts(),
            days=ENDS_SOON_DAYS,
            years=limitation.years_on(db.session(), self.today()),
            today=self.today(),
            restarts=labels.LIMITATION_RESTARTS,
            screens=SCREEN_OF,
            view=self,
        )

    @expose("/file/")
    def file(self) -> Any:
        """The list as CSV or XLSX, with the columns of `flask export limitation`."""
        kind = request.args.get("kind", "")
        if kind not in list_exports.KINDS:
            abort(404)
        header, rows = limitation.table(self._debts())
        record_reading("export", "invoice", None, {"days": ENDS_SOON_DAYS})
        return list_exports.table_response(header, rows, f"limitation-{self.today()}.{kind}", kind)

    def _debts(self) -> list[LimitedDebt]:
        own = [Invoice.unit_id.in_(row_access.own_units())] if row_access.own_buildings() else []
        return limitation.ending_soon(db.session(), self.today(), *own)


SCREENS = (LimitationPage,)
