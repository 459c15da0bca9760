"""The move-in bill on one page: what it would ask for, issue it, print it (B6)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from flask import abort, flash, redirect, request, url_for
from flask_admin import expose
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from admin.panel import error_messages, language, request_values, row_access, wording
from admin.panel.idempotency import idempotent
from admin.panel.responses import pdf_response
from admin.panel.signed_in import current_staff
from admin.panel.view import OfficePage
from models.base import db
from models.billing import FeeItem, Invoice
from models.people import Owner
from models.property import Unit
from office.billing import documents, move_in
from office.billing.invoices import NewInvoiceLine
from office.core.errors import Refused
from office.estate import owners
from rules import dates


class MoveInPage(OfficePage):
    screen = "move_in"
    title = _l("Move-in bill")
    icon = "key-round"
    verbs = {"issue": "act", "paper": "act"}

    @expose("/")
    def index(self) -> Any:
        return self._page(request.args)

    def _page(self, given: Any, refusal: str = "") -> Any:
        session, unit, payer, issued = db.session(), None, None, None
        lines: Sequence[NewInvoiceLine] = ()
        others: dict[int, str] = {}  # who else pays an item
        on, due_on = self._day(given, "on"), self._day(given, "due_on")
        try:
            unit = self._unit(given)
            if unit is not None:
                on = self._day(given, "on") if given.get("on") else unit.handed_over_on or on
                payer = owners.payer_of(session, unit.id, on)
                issued = session.scalars(
                    db.select(Invoice)
                    .where(Invoice.unit_id == unit.id, Invoice.kind == "move_in")
                    .order_by(
                        (Invoice.payer_id == (payer.owner_id if payer else 0)).desc(), Invoice.id.desc()
                    )
                ).first()
                lines = move_in.lines_of(session, unit, on)
                if payer is not None:
                    shared = move_in.by_payer(session, unit, lines, payer.owner_id, on)
                    called = dict(
                        session.execute(db.select(Owner.id, Owner.name).where(Owner.id.in_(shared))).all()
                    )
                    others = {
                        line.fee_item_id: called[payer_id]
                        for payer_id, of_payer in shared.items()
                        for line in of_payer
                        if payer_id != payer.owner_id
                    }
        except Refused as wrong:
            refusal = refusal or error_messages.message_for(wrong)
        names = {item.id: item for item in session.scalars(db.select(FeeItem))}
        return self.render(
            "billing/move_in.html",
            unit=unit,
            text=given.get("unit_code", ""),
            on=on,
            due_on=max(due_on, on),
            payer=payer,
            issued=issued,
            is_issued=issued is not None and payer is not None and issued.payer_id == payer.owner_id,
            lines=[(names[line.fee_item_id], line.price, others.get(line.fee_item_id, "")) for line in lines],
            total=sum(line.price.amount for line in lines),
            words=wording.reason,
            language=language.current(),
            refusal=refusal,
            view=self,
        )

    def _unit(self, given: Any) -> Unit | None:
        key = request_values.row_id(given.get("unit_id"))
        if key is None and given.get("unit_code", "").strip():
            key = row_access.unit_named(given["unit_code"])
        return row_access.find(Unit, key)

    def _day(self, given: Any, name: str) -> date:
        try:
            return dates.day_of(given.get(name) or self.today().isoformat())
        except ValueError:
            return self.today()

    @expose("/issue/", methods=("POST",))
    @idempotent
    def issue(self) -> Any:
        session, form = db.session(), request.form
        unit = self._unit(form)
        if unit is None:
            abort(404)
        on, due_on = self._day(form, "on"), self._day(form, "due_on")
        try:
            payer_id = owners.payer_id_on(session, unit.id, unit.code, on)
            invoice = move_in.issue_move_in_bill(
                session,
                unit.id,
                payer_id=payer_id,
                on=on,
                due_on=due_on,
                now=self.now(),
                staff_id=current_staff().id,
            )
            session.commit()
        except Refused as refusal:
            session.rollback()
            return self._page(form, error_messages.message_for(refusal)), 422
        flash(_("Move-in bill %(number)s was issued.", number=invoice.number), "success")
        return redirect(url_for("move_in.index", unit_id=invoice.unit_id, on=on, due_on=due_on))

    @expose("/paper/", methods=("POST",))
    def paper(self) -> Any:
        invoice = row_access.find_or_404(Invoice, request.form.get("id"))
        if invoice.kind != "move_in":
            abort(404)
        made = documents.print_move_in_bill(
            db.session(),
            invoice.id,
            now=self.now(),
            staff_id=current_staff().id,
        )
        db.session.commit()
        return pdf_response(made, f"{invoice.number}.pdf")


SCREENS = (MoveInPage,)
