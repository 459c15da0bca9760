"""What a person may ask of the office about themselves: everything known as a file, and erasure (P3)."""

from __future__ import annotations

import json
from typing import Any

from flask import Response, flash, redirect, request, url_for
from flask_admin import expose
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from admin.panel import error_messages, row_access
from admin.panel.signed_in import current_staff
from admin.panel.view import OfficePage
from models import engine
from models.base import db
from models.complaints import Ticket
from models.people import Owner
from office.core import audit
from office.core.errors import Refused
from office.estate import personal_data
from office.operations import erasure_list

TABLES = {
    "person": _l("Person"),
    "phones": _l("Phones"),
    "occupancies": _l("Occupancies"),
    "invoices": _l("Invoices"),
    "payments": _l("Payments and receipts"),
    "direct_debit": _l("Direct debit"),
    "payer_accounts": _l("Confirmed accounts"),
    "statement_rows": _l("Statement rows"),
    "messages": _l("Sent messages"),
    "reminders": _l("Reminders"),
    "contacts": _l("Contact log"),
    "complaints": _l("Complaint tickets"),
    "papers": _l("Document archive"),
}


class PersonalDataPage(OfficePage):
    screen = "personal_data"
    title = _l("Personal data")
    icon = "shield"
    verbs = {"known": "export", "erase": "act"}

    @expose("/")
    def index(self) -> Any:
        owner = self._owner(request.args.get("id", ""))
        counts = {code: len(rows) for code, rows in self._known(owner).items()}
        obstacles = personal_data.obstacles(db.session(), owner.id, self.today())
        return self.render(
            "estate/personal_data.html",
            owner=owner,
            counts=[(label, counts[code]) for code, label in TABLES.items()],
            obstacles=[error_messages.message_for(each) for each in obstacles],
            is_erased=personal_data.is_erased(db.session(), owner.id),
            kept=personal_data.kept_for(db.session(), self.today()),
            view=self,
        )

    @expose("/known/", methods=("POST",))
    def known(self) -> Any:
        """Everything as one JSON file; that it was given out is noted."""
        session, owner = db.session(), self._owner(request.form.get("id", ""))
        found = self._known(owner)
        audit.record(session, self.now(), current_staff().id, "give_out", owner)
        session.commit()
        return Response(
            json.dumps(found, ensure_ascii=False, indent=1, default=str),
            mimetype="application/json",
            headers={"Content-Disposition": f"attachment; filename=person-{owner.id}.json"},
        )

    @expose("/erase/", methods=("POST",))
    def erase(self) -> Any:
        session, owner = db.session(), self._owner(request.form.get("id", ""))
        try:
            personal_data.erase(
                session,
                owner.id,
                reason=request.form.get("reason", ""),
                now=self.now(),
                today=self.today(),
                staff_id=current_staff().id,
            )
            session.commit()
            engine.forget_log(db.engine)
            erasure_list.note(db.engine)
        except Refused as refusal:
            session.rollback()
            flash(error_messages.message_for(refusal), "error")
        else:
            flash(_("The personal data was erased; money and dates stay."), "success")
        return redirect(url_for("personal_data.index", id=request.form.get("id", "")))

    @staticmethod
    def _owner(key: str) -> Owner:
        return row_access.find_or_404(Owner, key)

    @staticmethod
    def _known(owner: Owner) -> dict[str, list[dict[str, Any]]]:
        """What may be given out by this reader: not a complaint about themselves, which another gives out."""
        return personal_data.known(db.session(), owner.id, row_access.visible_rows(Ticket))


SCREENS = (PersonalDataPage,)
