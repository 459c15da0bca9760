"""The pages of the desk's intake: the form, the proposed severity, the household (T1–T3)."""

from __future__ import annotations

from typing import Any

from flask import abort, flash, jsonify, redirect, request
from flask_admin import expose
from sqlalchemy import select

from admin.complaints import intake
from admin.panel import error_messages, row_access
from admin.panel.idempotency import idempotent
from admin.panel.permissions import may
from admin.panel.pickers import Loader
from admin.panel.signed_in import current_staff, staff_id
from admin.panel.view import OfficeView
from models.base import db
from models.complaints import Ticket
from office.complaints import incidents
from office.core.errors import Refused


class IntakeViews(OfficeView):
    """The addresses of TicketView under which a complaint is registered."""

    def loader_of(self, name: str) -> Loader:
        loader: Loader = self._form_ajax_refs[name]
        return loader

    @expose("/new/", methods=("GET", "POST"))
    @idempotent
    def create_view(self) -> Any:
        """The desk's page; what is refused stays typed."""
        form = intake.intake_form(self, self._typed(), **self._known())
        if request.method == "POST" and form.validate():
            try:
                ticket = intake.register(form, now=self.now(), clerk_id=staff_id())
                db.session.commit()
            except (Refused, ValueError) as error:
                db.session.rollback()
                flash(error_messages.message_for(error), "error")
            else:
                flash(intake.sentence(ticket), "success")
                return redirect(self.get_url(".details_view", id=ticket.id))
        return self.render("complaints/intake.html", form=form, ticks=intake.TICKS), self._form_status(form)

    def _typed(self) -> Any:
        from werkzeug.datastructures import CombinedMultiDict

        return CombinedMultiDict([request.files, request.form]) if request.method == "POST" else None

    def _known(self) -> dict[str, Any]:
        """What the address says already: the unit of a household file, the bill of a debt."""
        known = {}
        for name, parameter in (("unit", "unit_id"), ("invoice", "invoice_id")):
            row = self.loader_of(name).get_one(request.args.get(parameter))
            if row is not None:
                known[name] = row
        return known

    @expose("/propose/")
    def propose_view(self) -> Any:
        """The severity that the ticked facts give, with its reason and deadlines."""
        try:
            facts = intake.facts_of(request.args)
        except ValueError:
            abort(404)
        return jsonify(intake.proposed(facts, self.now()))

    @expose("/incidents/")
    def incidents_view(self) -> Any:
        """The incidents going on that fit the unit and the category typed so far."""
        unit = self.loader_of("unit").get_one(request.args.get("unit_id"))
        found = incidents.fitting(
            db.session(), unit.id if unit is not None else None, request.args.get("category", "")[:40]
        )
        return jsonify([intake.incident(each, self.now()) for each in found])

    @expose("/household/")
    def household_view(self) -> Any:
        """A unit's resident, open complaints and bills."""
        unit = self.loader_of("unit").get_one(request.args.get("unit_id"))
        if unit is None:
            abort(404)
        found = intake.household(unit.id, self.today())
        has_unit, roles = row_access.has_unit(unit.id), current_staff().roles
        if not (has_unit and may(roles, "invoices", "see")):
            found["invoices"] = []
        if not (has_unit and may(roles, "owners", "see")):
            found["resident"] = found["file"] = ""
        readable = set(db.session.scalars(select(Ticket.id).where(Ticket.unit_id == unit.id, *self.scope())))
        found["tickets"] = [each for each in found["tickets"] if each["id"] in readable]
        return jsonify(found)
