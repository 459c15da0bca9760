"""A sale or a tenancy on one screen, with the final account; and payers whom nobody reaches (P5, P6)."""

from __future__ import annotations

from datetime import date
from typing import Any

from flask import abort, flash, jsonify, redirect, request, url_for
from flask_admin import expose
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import StringField, validators

from admin.estate.people import RESIDENTS_HELP
from admin.panel import error_messages, forms, labels, pickers, request_values, row_access, typed_text
from admin.panel.idempotency import idempotent
from admin.panel.signed_in import current_staff
from admin.panel.view import OfficePage
from models.base import db
from models.people import MOST_RESIDENTS, Owner
from models.property import Unit
from office.billing import change_of_owner
from office.billing.final_account import FinalAccount, final_account
from office.core.errors import Refused
from office.estate import owners

PICKED = {"unit": (Unit, ("code",)), "owner": (Owner, ("name", "pinyin_initials"))}


def day_of(text: str) -> date | None:
    """The day of an address, if it is one that a form would take."""
    try:
        return typed_text.day(text)
    except ValueError:
        return None


class ChangePayerPage(OfficePage):
    screen = "change_payer"
    title = _l("Change of owner")
    icon = "handshake"

    def lookup_scope(self, _name: str, model: Any) -> list[Any]:
        return row_access.visible_rows(model)

    def loader_of(self, name: str) -> pickers.Loader:
        model, fields = PICKED[name]
        return pickers.Loader(self, name, model, fields)

    @expose("/ajax/lookup/")
    def ajax_lookup(self) -> Any:
        name, query = (
            request.args.get("name", ""),
            request.args.get("query", "")[: request_values.LONGEST_INPUT].strip(),
        )
        if name not in PICKED or not request_values.is_clean(query):
            abort(404)
        loader = self.loader_of(name)
        if "named" in request.args:
            return jsonify(loader.shown(loader.named(query)))
        return jsonify(loader.found(query))

    def form(self, formdata: Any, **values: Any) -> Any:
        """The new payer: someone known, or a new person or company."""
        page = self

        class Change(forms.OfficeForm):
            unit = pickers.PickerField(_l("Unit no."), loader=page.loader_of("unit"))
            on = forms.DayField(_l("Pays from"), [validators.InputRequired()])
            kind = forms.ChoiceField(_l("The new payer is"), labels=labels.OCCUPANCY_KINDS, default="owner")
            owner = pickers.PickerField(
                _l("Known owner or tenant"),
                loader=page.loader_of("owner"),
                allow_blank=True,
                description=_l("Or leave this empty and enter a new one"),
            )
            name = StringField(_l("Name"), [validators.Length(max=120)])
            phone = StringField(_l("Phone"), [validators.Length(max=200)])
            email = StringField(_l("E-mail"), [validators.Length(max=200)])
            residents = forms.WholeField(
                _l("Number of residents"),
                [validators.Optional(), validators.NumberRange(min=0, max=MOST_RESIDENTS)],
                description=RESIDENTS_HELP,
            )

        return Change(formdata, **values)

    @expose("/", methods=("GET", "POST"))
    @idempotent
    def index(self) -> Any:
        unit = row_access.find(Unit, request.args.get("unit_id"))
        is_post = request.method == "POST"
        on = day_of(request.args.get("on", "")) or self.today()
        form = self.form(request.form if is_post else None, unit=unit, on=on)
        if is_post and form.validate():
            try:
                change = self._change(form)
                db.session.commit()
            except Refused as refusal:
                db.session.rollback()
                flash(error_messages.message_for(refusal), "error")
            else:
                flash(
                    _("From %(day)s on the new payer is billed.", day=change.new.from_on.isoformat()),
                    "success",
                )
                return redirect(url_for("household.index", unit_id=change.new.unit_id))
        payer, account = self._account(form.unit.data, form.on.data)
        answer = self.render(
            "estate/change_payer.html",
            form=form,
            payer=payer,
            account=account,
            view=self,
            unit=form.unit.data,
        )
        return (answer, 422) if is_post else answer

    def _change(self, form: Any) -> change_of_owner.Change:
        session, staff_id = db.session(), current_staff().id
        owner = form.owner.data or owners.add_owner(
            session,
            form.name.data or "",
            phones=(form.phone.data or "").replace("、", ",").split(","),
            email=form.email.data or "",
            now=self.now(),
            staff_id=staff_id,
        )
        return change_of_owner.change_of_owner(
            session,
            form.unit.data.id,
            owner.id,
            on=form.on.data,
            kind=form.kind.data,
            residents=form.residents.data,
            now=self.now(),
            staff_id=staff_id,
        )

    def _account(self, unit: Unit | None, on: date | None) -> tuple[Any, FinalAccount | None]:
        """Who pays now, and what they would have to settle."""
        if unit is None or on is None:
            return None, None
        payer = owners.payer_of(db.session(), unit.id, on)
        return payer, final_account(db.session(), unit.id, payer.owner_id, on) if payer else None


class ContactQualityPage(OfficePage):
    screen = "contact_quality"
    title = _l("Unreachable payers")
    icon = "phone-call"

    @expose("/")
    def index(self) -> Any:
        found = owners.unreachable_payers(db.session(), self.today(), buildings=row_access.own_buildings())
        return self.render("estate/contact_quality.html", found=found, view=self)


SCREENS = (ChangePayerPage, ContactQualityPage)
