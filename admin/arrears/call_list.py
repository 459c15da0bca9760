"""Calls and visits of today, and the form in which a contact is entered (C6, C8)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import abort, flash, redirect, request, url_for
from flask_admin import expose
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from admin.arrears.debtors import debtor_of
from admin.arrears.wording import CHANNELS, CONTACT_MARKS
from admin.panel import audit, error_messages, labels, language, row_access
from admin.panel.idempotency import idempotent
from admin.panel.request_values import row_id
from admin.panel.signed_in import staff_id
from admin.panel.view import Ask, OfficePage, read_asked
from models.base import db
from models.collection import Contact, Reminder
from models.people import Owner
from models.property import Unit
from office.arrears import call_list, contacts
from office.arrears.contacts import NewContact
from office.core.errors import Refused
from office.estate import owners
from rules import next_steps

PROMISES = {
    "promise_due": _l("A promise is due today"),
    "promise_broken": _l("A promise was broken"),
}
STEP_NAMES = {
    "call": _l("Speak with them"),
    "remind": _l("Remind kindly"),
    "complaint": _l("Wait for the complaint"),
    "plan": _l("Offer an instalment plan"),
    "message": _l("Send a message"),
    "check_bill": _l("Check the bill together"),
    "legal": _l("The legal path, when its gate is passed"),
    "find_contact": _l("Find a working contact"),
}
KINDS = {
    "phone": _l("By phone"),
    "visit": _l("At the door"),
    "promise": _l("Promises"),
}
PAGE = 50  # households on one page of the call list


class CallListPage(OfficePage):
    """Today's calls and visits, each with a form that also fits a phone (C6, C8)."""

    screen = "call_list"
    title = _l("Calls and visits today")
    icon = "phone-call"
    verbs = {"contact": "see", "enter": "act", "phone": "act"}

    @expose("/")
    def index(self) -> Any:
        entries = call_list.call_list(
            db.session(), now=self.now(), language=language.current(), staff_id=staff_id()
        )
        kinds = {kind: [one for one in entries if kind in kinds_of(one)] for kind in KINDS}
        kind = request.args.get("kind", "")
        chosen = kinds.get(kind, entries)
        page = min(row_id(request.args.get("page", "")) or 1, max(-(-len(chosen) // PAGE), 1))
        return self.render(
            "arrears/call_list.html",
            entries=chosen[(page - 1) * PAGE : page * PAGE],
            count=len(chosen),
            page=page,
            pages=-(-len(chosen) // PAGE),
            kind=kind if kind in KINDS else "",
            kinds=[(code, KINDS[code], len(found)) for code, found in kinds.items() if found],
            marks=CONTACT_MARKS,
            outcomes=labels.CONTACT_OUTCOMES,
            view=self,
            promises=PROMISES,
            stages=labels.STAGES,
            steps=STEP_NAMES,
            reasons=labels.ARREARS_REASONS,
            channels=CHANNELS,
            today=self.today(),
        )

    @property
    def fields(self) -> tuple[Ask, ...]:
        return (
            Ask("method", _l("Method"), kind="choice", is_required=True, choices=labels.CONTACT_METHODS),
            Ask("outcome", _l("Outcome"), kind="choice", is_required=True, choices=labels.CONTACT_OUTCOMES),
            Ask("arrears_reason", _l("Reason for arrears"), kind="choice", choices=labels.ARREARS_REASONS),
            Ask("spoke_with", _l("Spoke with")),
            Ask("promised_on", _l("Promised for"), kind="date"),
            Ask("promised_amount", _l("Amount promised"), kind="money"),
            Ask("note", _l("What was said"), kind="area"),
        )

    @expose("/contact/")
    def contact(self) -> Any:
        """The form for one household: from the list, or of whoever called in about a unit."""
        if "unit_code" not in request.args:
            return self._form({}, {})
        try:
            unit_id, payer_id = debtor_of(self, request.args)
        except Refused as refusal:
            flash(error_messages.message_for(refusal), "error")
            return redirect(url_for("call_list.index"))
        return redirect(url_for("call_list.contact", unit_id=unit_id, payer_id=payer_id))

    @expose("/phone/", methods=("POST",))
    def phone(self) -> Any:
        """Show the payer's numbers to who is about to call; that they were shown is kept (F16)."""
        return self._form({}, {}, is_calling=True)

    @staticmethod
    def _household(given: Mapping[str, str]) -> tuple[Unit, Owner]:
        """The unit and payer that a request names: within reach, and of each other; so is its reminder."""
        unit = row_access.find_or_404(Unit, given.get("unit_id"))
        payer = row_access.find_or_404(Owner, given.get("payer_id"))
        if not owners.is_of_unit(db.session(), payer.id, unit.id):
            abort(404)
        if given.get("reminder_id"):
            reminder = row_access.find_or_404(Reminder, given["reminder_id"])
            if (reminder.unit_id, reminder.payer_id) != (unit.id, payer.id):
                abort(404)
        return unit, payer

    def _form(
        self, given: Mapping[str, Any], problems: Mapping[str, str], *, is_calling: bool = False
    ) -> Any:
        unit, payer = self._household(request.values)
        entry = call_list.entry_of(
            db.session(), (unit.id, payer.id), now=self.now(), language=language.current()
        )
        if is_calling:
            audit.record("reveal", "owner", payer.id, {}, {"column": "phones", "reason": f"call {unit.code}"})
            db.session.commit()
        last = db.session.scalars(
            db.select(Contact)
            .where(Contact.unit_id == unit.id, Contact.payer_id == payer.id)
            .order_by(Contact.at.desc(), Contact.id.desc())
            .limit(5)
        ).all()
        return self.render(
            "arrears/contact_form.html",
            unit=unit,
            payer=payer,
            entry=entry,
            last=last,
            fields=self.fields,
            given=given,
            problems=problems,
            view=self,
            outcomes=labels.CONTACT_OUTCOMES,
            methods=labels.CONTACT_METHODS,
            reasons=labels.ARREARS_REASONS,
            steps=STEP_NAMES,
            marks=CONTACT_MARKS,
            is_calling=is_calling,
            reminder_id=request.values.get("reminder_id", ""),
        )

    @expose("/enter/", methods=("POST",))
    @idempotent
    def enter(self) -> Any:
        given, problems = read_asked(self.fields, request.form, self)
        unit, payer = self._household(request.form)
        unit_id, payer_id = unit.id, payer.id
        if given["outcome"] == "promised" and not given["promised_on"]:  # else it would hold nothing (C8)
            problems.setdefault("promised_on", _("Ask by which day they will pay"))
        if problems:
            return self._form(request.form, problems)
        entered = NewContact(
            unit_id=unit_id,
            payer_id=payer_id,
            at=self.now(),
            staff_id=staff_id(),
            reminder_id=row_id(request.form.get("reminder_id", "")),
            method=given["method"],
            outcome=given["outcome"],
            arrears_reason=given["arrears_reason"] or "",
            spoke_with=given["spoke_with"][:120],
            promised_on=given["promised_on"],
            promised_amount=given["promised_amount"],
            note=given["note"],
        )
        try:
            entry = call_list.entry_of(
                db.session(), (unit_id, payer_id), now=self.now(), language=language.current()
            )
            about = [(one.unit_id, one.debt) for one in entry.units] if entry is not None else []
            others = [one for one in about if one[0] != unit_id]
            contacts.record_call(db.session(), entered, others, now=self.now())
            db.session.commit()
        except Refused as refusal:
            db.session.rollback()
            flash(error_messages.message_for(refusal), "error")
            return self._form(request.form, {})
        if not entered.arrears_reason:
            flash(_("The contact was entered."), "success")
            return redirect(url_for("call_list.index"))
        step = next_steps.next_step(entered.arrears_reason)
        flash(_("The contact was entered. What comes next: %(step)s.", step=STEP_NAMES[step]), "success")
        if step == "plan":  # it is offered on the household's own page
            return redirect(url_for("call_list.contact", unit_id=unit_id, payer_id=payer_id))
        return redirect(url_for("call_list.index"))


def kinds_of(entry: call_list.CallEntry) -> set[str]:
    """The parts of the day's list to which an entry belongs."""
    return ({"promise"} if entry.promise else set()) | ({entry.channel} if entry.stage else set())


SCREENS = (CallListPage,)
