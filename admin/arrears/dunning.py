"""Arrears: today's calls, batches, contacts, plans, holds, and what comes next (C4–C8, C12, B9)."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from flask import Response, abort, flash, redirect, request, url_for
from flask_admin import expose
from flask_babel import format_date, ngettext
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import joinedload

from admin.panel import audit, error_messages, formats, labels, language, row_access, wording
from admin.panel.idempotency import idempotent
from admin.panel.lists import ChoiceFilter, RangeFilter, coded, row_id
from admin.panel.responses import pdf_response
from admin.panel.signed_in import staff_id
from admin.panel.view import Ask, OfficePage, OfficeView, OneClick, Related, office_action, read_asked
from models.base import db
from models.billing import Instalment, InstalmentPlan, Invoice
from models.collection import (
    Contact,
    LadderHold,
    OpeningText,
    Reminder,
    ReminderBatch,
)
from models.office import Message
from models.people import Owner
from models.property import Unit
from office.arrears import call_list, contacts, explain, instalment_plans, letters, reminder_batches
from office.arrears.contacts import NewContact
from office.core.errors import N_, Refused
from office.estate.owners import payers_on
from office.policies import store
from rules import next_steps

CHANNELS = {**labels.CHANNELS_OUT, **labels.CONTACT_METHODS}
WHY = {
    **labels.STAGES,
    "promise_due": _l("A promise is due today"),
    "promise_broken": _l("A promise was broken"),
}
NEXT_STEPS = {
    "call": _l("Speak with them"),
    "remind": _l("Remind kindly"),
    "complaint": _l("Wait for the complaint"),
    "plan": _l("Offer an instalment plan"),
    "message": _l("Send a message"),
    "check_bill": _l("Check the bill together"),
    "legal": _l("The legal path, when its gate is passed"),
    "find_contact": _l("Find a working contact"),
}
CONTACT_MARKS = {
    "no_phone": _l("No working phone"),
    "phone_bad": _l("A phone number does not work"),
    "email_bad": _l("The e-mail address does not work"),
}
KINDS = {
    "phone": _l("By phone"),
    "visit": _l("At the door"),
    "promise": _l("Promises"),
}
PAGE = 50  # households on one page of the call list


def debtor_of(view: Any, given: Mapping[str, Any]) -> tuple[int, int]:
    """The unit named in an action and who pays for it today. Raises Refused."""
    unit_id = row_access.unit_named(str(given["unit_code"]))
    payer_id = payers_on(db.session(), [(unit_id, view.today())])[0]
    if payer_id is None:
        raise Refused(N_("Nobody pays for this unit on that day"))
    return unit_id, payer_id


# --- today ----------------------------------------------------------------------------------------


class CallListPage(OfficePage):
    """Today's calls and visits with a form for the door, at phone width too (C6, C8)."""

    screen = "call_list"
    title = _l("Calls and visits today")
    room = "arrears"
    icon = "phone-call"
    verbs = {"contact": "see", "enter": "act", "phone": "act"}

    @expose("/")
    def index(self) -> Any:
        entries = call_list.call_list(
            db.session(), now=self.now(), language=language.current(), staff_id=staff_id()
        )
        kinds = {kind: [one for one in entries if kind_of(one) == kind] for kind in KINDS}
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
            why=WHY,
            steps=NEXT_STEPS,
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

    def _form(
        self, given: Mapping[str, Any], problems: Mapping[str, str], *, is_calling: bool = False
    ) -> Any:
        unit_id, payer_id = (row_id(request.values.get(name, "")) for name in ("unit_id", "payer_id"))
        unit = db.session.get(Unit, unit_id) if unit_id else None
        payer = db.session.get(Owner, payer_id) if payer_id else None
        if unit is None or payer is None:
            abort(404)
        row_access.unit_or_404(unit.id)
        entry = call_list.entry_of(
            db.session(), (unit.id, payer.id), now=self.now(), language=language.current()
        )
        if is_calling:
            audit.record("reveal", "owner", payer.id, {}, {"column": "phones", "reason": f"call {unit.code}"})
            db.session.commit()
        last = db.session.scalars(
            db.select(Contact)
            .where(Contact.unit_id == unit.id, Contact.payer_id == payer.id)
            .order_by(Contact.at.desc())
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
            steps=NEXT_STEPS,
            marks=CONTACT_MARKS,
            is_calling=is_calling,
            reminder_id=request.values.get("reminder_id", ""),
        )

    @expose("/enter/", methods=("POST",))
    @idempotent
    def enter(self) -> Any:
        given, problems = read_asked(self.fields, request.form, self)
        unit_id, payer_id = row_id(request.form.get("unit_id", "")), row_id(request.form.get("payer_id", ""))
        if unit_id is None or payer_id is None:
            abort(404)
        row_access.unit_or_404(unit_id)
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
            contacts.record_contact(db.session(), entered, now=self.now())
            db.session.commit()
        except Refused as refusal:
            db.session.rollback()
            flash(error_messages.message_for(refusal), "error")
            return self._form(request.form, {})
        if not entered.arrears_reason:
            flash(_("The contact was entered."), "success")
            return redirect(url_for("call_list.index"))
        step = next_steps.next_step(entered.arrears_reason)
        flash(_("The contact was entered. What comes next: %(step)s.", step=NEXT_STEPS[step]), "success")
        if step == "plan":  # it is offered on the household's own page
            return redirect(url_for("call_list.contact", unit_id=unit_id, payer_id=payer_id))
        return redirect(url_for("call_list.index"))


def kind_of(entry: call_list.Entry) -> str:
    """Which part of the day's list an entry belongs to."""
    return "promise" if entry.why.startswith("promise") else entry.channel


# --- reminders ------------------------------------------------------------------------------------


class ReminderBatchView(OfficeView):
    table = ReminderBatch
    screen = "reminder_batches"
    title = _l("Reminder batches")
    room = "arrears"
    icon = "layers"
    can_create = can_edit = can_delete = False
    column_list = ("number", "stage", "made_for", "state", "part", "approved_at")
    column_searchable_list = ("number",)
    column_default_sort = "-made_for"
    column_labels = {"stage": _l("Dunning stage"), "part": _l("Part of the stage")}
    choices = {"stage": labels.STAGES, "state": labels.BATCH_STATES}
    filters = (ChoiceFilter("stage"), ChoiceFilter("state"), RangeFilter("made_for"))
    one_click = (
        OneClick("draft", _l("Waiting for approval"), lambda _view: [ReminderBatch.state == "draft"]),
        OneClick("print", _l("To print"), lambda _view: [ReminderBatch.id.in_(to_print())]),
    )
    related = (
        Related(
            "reminders",
            "batch_id",
            columns=("unit.code", "payer.name", "debt", "due_on", "channel", "state", "reason"),
            size=50,
        ),
    )
    details_template = "arrears/batch_details.html"
    channels = CHANNELS
    empty_hint = _l(
        "The clock makes a batch for each stage that is due; here it is looked through and approved."
    )

    @office_action(
        "approve",
        _l("Approve"),
        states=("draft",),
        icon="check",
        confirm=_l("Let these reminders go out?"),
        tone="main",
    )
    def approve(self, rows: Sequence[ReminderBatch], _given: Any) -> str:
        for row in rows:
            reminder_batches.approve_batch(
                db.session(), row.id, now=self.now(), staff_id=staff_id(), units=self.own_units()
            )
        waiting = [row.number for row in rows if row.state == "draft"]
        if waiting:
            flash(
                _(
                    "Of %(batches)s only the rows of your buildings: the others wait.",
                    batches=", ".join(waiting),
                ),
                "info",
            )
        return ngettext("%(num)s batch was approved.", "%(num)s batches were approved.", len(rows))

    @staticmethod
    def own_units() -> Any:
        """What a steward approves and prints: the rows of the own buildings."""
        return row_access.own_units() if row_access.own_buildings() else None

    def parts(self, row: ReminderBatch) -> list[reminder_batches.Part]:
        """The batch at a glance."""
        return reminder_batches.parts_of(db.session(), row.id, self.own_units())

    @office_action("letters", _l("Print letters"), on="row", icon="printer")
    def letters(self, rows: Sequence[ReminderBatch], _given: Any) -> Response:
        made = letters.batch_pdf(
            db.session(),
            rows[0].id,
            language=language.current(),
            now=self.now(),
            staff_id=staff_id(),
            units=self.own_units(),
        )
        return pdf_response(made, f"{rows[0].number}.pdf")


def to_print() -> Any:
    """The batches with letters that are approved and not printed."""
    return db.select(Reminder.batch_id).where(Reminder.state == "approved", Reminder.channel == "print")


class ReminderView(OfficeView):
    table = Reminder
    screen = "reminders"
    title = _l("Reminders")
    empty_hint = _l("Reminders appear here when a stage of the dunning ladder is due.")
    room = "arrears"
    icon = "bell-ring"
    is_large = True
    can_create = can_edit = can_delete = False
    column_list = (
        "planned_on",
        "stage",
        "unit.code",
        "payer.name",
        "debt",
        "due_on",
        "channel",
        "state",
        "reason",
    )
    column_hidden = ("batch.number", "sent_at", "subject.number", "why")
    column_searchable_list = ("unit.code", "payer.name", "payer.pinyin_initials", "batch.number")
    column_default_sort = "-planned_on"
    column_labels = {
        "stage": _l("Dunning stage"),
        "why": _l("Why it was made"),
        "reason": _l("Why not"),
        "subject.number": _l("Invoice no."),
        "channel": _l("Goes by"),
        "batch.number": _l("Reminder batch"),
    }
    choices = {"stage": labels.STAGES, "state": labels.REMINDER_STATES, "channel": CHANNELS}
    column_formats = {"reason": formats.reason, "why": formats.reason}
    filters = (
        ChoiceFilter("stage"),
        ChoiceFilter("state"),
        ChoiceFilter("channel"),
        RangeFilter("planned_on"),
        RangeFilter("debt"),
    )
    one_click = (
        OneClick("left_out", _l("Left out"), lambda _view: [Reminder.state.in_(("not_made", "dropped"))]),
        OneClick(
            "unknown", _l("Unknown or given up"), lambda _view: [coded(Reminder.state, "unknown", "dead")]
        ),
        OneClick("todo", _l("To do"), lambda _view: [coded(Reminder.state, "planned", "approved")]),
    )
    detail_columns = (
        "stage",
        "unit.code",
        "payer.name",
        "subject.number",
        "debt",
        "due_on",
        "planned_on",
        "batch.number",
        "channel",
        "state",
        "sent_at",
        "why",
        "reason",
    )
    details_template = "arrears/reminder_details.html"
    rows_with = (joinedload(Reminder.unit), joinedload(Reminder.payer))
    channels = CHANNELS
    contact_marks = CONTACT_MARKS

    def text_of(self, row: Reminder) -> str:
        return f"{row.unit.code} · {row.payer.name} · {labels.STAGES.get(row.stage, row.stage)}"

    def deliveries(self, row: Reminder) -> Sequence[Message]:
        """What became of its messages (C5)."""
        return reminder_batches.deliveries(db.session(), row.id)

    def marks_of(self, row: Reminder) -> tuple[str, ...]:
        """What is wrong with the payer's contacts (P6)."""
        return call_list.marks_of(db.session(), (row.unit_id, row.payer_id))

    @office_action(
        "drop",
        _l("Drop"),
        states=("planned", "approved"),
        icon="x",
        tone="bad",
        fields=(Ask("reason", _l("Reason"), is_required=True),),
    )
    def drop(self, rows: Sequence[Reminder], given: Mapping[str, Any]) -> str:
        for row in rows:
            reminder_batches.drop_reminder(
                db.session(), row.id, reason=given["reason"], now=self.now(), staff_id=staff_id()
            )
        return ngettext("%(num)s reminder was dropped.", "%(num)s reminders were dropped.", len(rows))

    @office_action("printed", _l("Mark as printed"), states=("planned", "approved"), icon="printer")
    def printed(self, rows: Sequence[Reminder], _given: Any) -> str:
        return self._mark(rows, "printed")

    @office_action("done", _l("Mark as done"), states=("planned", "approved", "printed"), icon="check")
    def done(self, rows: Sequence[Reminder], _given: Any) -> str:
        return self._mark(rows, "done")

    def _mark(self, rows: Sequence[Reminder], state: str) -> str:
        ids = [row.id for row in rows]
        count = reminder_batches.mark(db.session(), ids, state, now=self.now(), staff_id=staff_id())
        return ngettext("%(num)s reminder was marked.", "%(num)s reminders were marked.", count)


# --- contacts, holds, openings --------------------------------------------------------------------


class ContactView(OfficeView):
    table = Contact
    screen = "contacts"
    title = _l("Contact log")
    empty_hint = _l(
        "Calls and visits are entered on the call list or in a household's file; old ones come in under "
        "“Imports”."
    )
    room = "arrears"
    icon = "contact"
    is_large = True
    can_create = can_edit = can_delete = False
    column_list = (
        "at",
        "unit.code",
        "payer.name",
        "method",
        "staff.name",
        "outcome",
        "arrears_reason",
        "promised_on",
        "promised_amount",
        "promise_state",
    )
    column_hidden = ("note", "spoke_with")
    column_searchable_list = ("unit.code", "payer.name", "payer.pinyin_initials")
    column_default_sort = "-at"
    column_labels = {"spoke_with": _l("Spoke with")}
    choices = {
        "method": labels.CONTACT_METHODS,
        "outcome": labels.CONTACT_OUTCOMES,
        "arrears_reason": labels.ARREARS_REASONS,
        "promise_state": labels.PROMISE_STATES,
    }
    filters = (
        ChoiceFilter("method"),
        ChoiceFilter("arrears_reason"),
        ChoiceFilter("promise_state"),
        RangeFilter("at"),
        RangeFilter("promised_on"),
    )
    one_click = (
        OneClick(
            "week",
            _l("Promises due this week"),
            lambda view: [
                coded(Contact.promise_state, "open"),
                Contact.promised_on <= view.today() + timedelta(days=6 - view.today().weekday()),
            ],
            sort="promised_on",
        ),
        OneClick("broken", _l("Broken promises"), lambda _view: [coded(Contact.promise_state, "broken")]),
        OneClick("lost", _l("Unreachable"), lambda _view: [coded(Contact.arrears_reason, "unreachable")]),
    )


class LadderHoldView(OfficeView):
    table = LadderHold
    screen = "ladder_holds"
    title = _l("Dunning holds")
    empty_hint = _l("Nobody's reminders are held back at present.")
    room = "arrears"
    icon = "pause"
    can_create = can_edit = can_delete = False
    column_list = ("unit.code", "payer.name", "from_at", "until_on", "ended_at", "reason")
    column_searchable_list = ("unit.code",)
    column_labels = {"until_on": _l("Through"), "ended_at": _l("Ended at")}
    one_click = (OneClick("running", _l("Running"), lambda _view: [LadderHold.ended_at.is_(None)]),)

    @office_action(
        "hold",
        _l("Hold a unit's reminders"),
        on="list",
        icon="pause",
        fields=(
            Ask("unit_code", _l("Unit no."), is_required=True),
            Ask("until_on", _l("Through"), kind="date"),
            Ask("reason", _l("Reason"), is_required=True),
        ),
    )
    def hold(self, _rows: Any, given: Mapping[str, Any]) -> str:
        contacts.hold_ladder(
            db.session(),
            debtor_of(self, given),
            reason=given["reason"],
            until_on=given["until_on"],
            now=self.now(),
            staff_id=staff_id(),
        )
        return _("The ladder waits.")

    @office_action("end", _l("Let it go on"), icon="play", confirm=_l("Let the ladder go on?"))
    def end(self, rows: Sequence[LadderHold], _given: Any) -> str:
        for row in rows:
            contacts.end_hold(db.session(), row.id, now=self.now(), staff_id=staff_id())
        return _("%(count)s holds were ended.", count=len(rows))


class OpeningTextView(OfficeView):
    table = OpeningText
    screen = "opening_texts"
    title = _l("Suggested openings")
    room = "arrears"
    icon = "message-circle"
    column_list = ("arrears_reason", "language", "text")
    form_columns = ("arrears_reason", "language", "text")
    column_labels = {"text": _l("Text")}
    choices = {
        "arrears_reason": {"": _l("Not known yet"), **labels.ARREARS_REASONS},
        "language": labels.LANGUAGES,
    }
    column_descriptions = {
        "text": _l("{estate_name}, {unit_code}, {amount} and {due_on} are filled in."),
    }
    empty_hint = _l("Until you write your own, the program's own suggestions are shown on the call list.")


# --- plans ----------------------------------------------------------------------------------------


class InstalmentPlanView(OfficeView):
    table = InstalmentPlan
    screen = "instalment_plans"
    title = _l("Instalment plans")
    empty_hint = _l("Agree instalments with a payer under “Propose a plan”; the station head approves them.")
    room = "arrears"
    icon = "calendar-clock"
    can_create = can_edit = can_delete = False
    column_list = ("unit.code", "payer.name", "amount", "state", "approved_at", "ended_on", "reason")
    column_searchable_list = ("unit.code", "payer.name")
    choices = {"state": labels.PLAN_STATES}
    filters = (ChoiceFilter("state"),)
    one_click = (
        OneClick("proposed", _l("Waiting for approval"), lambda _view: [InstalmentPlan.state == "proposed"]),
        OneClick("running", _l("Running"), lambda _view: [InstalmentPlan.state == "running"]),
    )
    related = (Related("instalments", "plan_id"),)

    @office_action(
        "propose",
        _l("Propose a plan"),
        on="list",
        icon="plus",
        verb="create",
        fields=(
            Ask("unit_code", _l("Unit no."), is_required=True),
            Ask("count", _l("Instalments, one a month"), kind="number", is_required=True),
            Ask("first_on", _l("First instalment on"), kind="date", is_required=True),
            Ask("reason", _l("Reason")),
        ),
    )
    def propose(self, _rows: Any, given: Mapping[str, Any]) -> str:
        session, debtor = db.session(), debtor_of(self, given)
        amount = instalment_plans.debt_of(session, debtor, self.now())
        parts = instalment_plans.even_parts(amount, int(given["count"]), given["first_on"])
        plan = instalment_plans.propose_plan(
            session, debtor, parts, now=self.now(), staff_id=staff_id(), reason=given["reason"]
        )
        return _("A plan over %(amount)s yuan waits for approval.", amount=formats.money(plan.amount))

    @office_action(
        "approve",
        _l("Approve"),
        on="row",
        states=("proposed",),
        icon="check",
        confirm=_l("Approve this plan? Its bills get no reminders while it is kept."),
    )
    def approve(self, rows: Sequence[InstalmentPlan], _given: Any) -> str:
        instalment_plans.approve_plan(db.session(), rows[0].id, now=self.now(), staff_id=staff_id())
        return _("The plan runs.")

    @office_action(
        "cancel",
        _l("Cancel"),
        on="row",
        states=("proposed", "running"),
        icon="ban",
        tone="bad",
        fields=(Ask("reason", _l("Reason"), is_required=True),),
    )
    def cancel(self, rows: Sequence[InstalmentPlan], given: Mapping[str, Any]) -> str:
        instalment_plans.cancel_plan(
            db.session(), rows[0].id, reason=given["reason"], now=self.now(), staff_id=staff_id()
        )
        return _("The plan was cancelled.")


class InstalmentView(OfficeView):
    table = Instalment
    screen = "instalments"
    title = _l("Instalments")
    room = "arrears"
    is_in_menu = False
    can_create = can_edit = can_delete = False
    column_list = ("due_on", "amount", "state")
    choices = {"state": {"open": _l("Open"), "kept": _l("Kept"), "missed": _l("Missed")}}


# --- what comes next ------------------------------------------------------------------------------


class ForecastPage(OfficePage):
    """What the clock will do in the next 30 days, and why one debt is where it is (C12)."""

    screen = "forecast"
    title = _l("What comes next")
    room = "arrears"
    icon = "calendar-days"
    verbs = {"debt": "see"}

    @expose("/")
    def index(self) -> Any:
        own = db.session.scalars(row_access.own_units()).all() if row_access.own_buildings() else None
        coming = explain.coming_stages(db.session(), self.now(), units=own)
        days: dict[date, list[explain.ComingStage]] = {}
        for one in coming:
            days.setdefault(one.day, []).append(one)
        return self.render(
            "arrears/forecast.html",
            days=days,
            weeks=self.weeks(),
            calendar=store.calendar(db.session(), self.today()),
            today=self.today(),
            stages=labels.STAGES,
            view=self,
        )

    @staticmethod
    def weekday(day: date) -> str:
        """Its short name in the reader's language."""
        return str(format_date(day, "EEE"))

    def weeks(self) -> list[list[date]]:
        """The days from this week's Monday until the forecast's last week is full."""
        first = self.today() - timedelta(days=self.today().weekday())
        count = -(-(self.today().weekday() + explain.FORECAST_DAYS + 1) // 7)
        return [[first + timedelta(days=7 * week + day) for day in range(7)] for week in range(count)]

    @expose("/debt/")
    def debt(self) -> Any:
        number = request.args.get("number", "")[:60]
        unit_id = row_id(request.args.get("unit_id", ""))
        if unit_id is not None:
            number = self._oldest(unit_id)
        if not number:
            return self.render("arrears/debt.html", story=None, view=self, number="")
        row_access.unit_or_404(db.session.scalar(db.select(Invoice.unit_id).where(Invoice.number == number)))
        try:
            story = explain.invoice(db.session(), number, now=self.now())
        except Refused:
            abort(404)
        return self.render(
            "arrears/debt.html",
            story=story,
            number=number,
            stages=labels.STAGES,
            states=labels.REMINDER_STATES,
            invoice_states=labels.INVOICE_STATES,
            words=lambda reason: wording.reason(json.dumps(reason)) if reason else "",
            amount=lambda text: formats.money(Decimal(text)),
            view=self,
        )

    @staticmethod
    def _oldest(unit_id: int) -> str:
        """The unit's oldest open bill, else its latest one."""
        query = db.select(Invoice.number).where(Invoice.unit_id == unit_id).limit(1)
        oldest = query.where(Invoice.balance > 0).order_by(Invoice.due_on, Invoice.id)
        latest = query.order_by(Invoice.due_on.desc(), Invoice.id.desc())
        return db.session.scalar(oldest) or db.session.scalar(latest) or ""


SCREENS = (
    CallListPage,
    ReminderBatchView,
    ReminderView,
    ContactView,
    InstalmentPlanView,
    InstalmentView,
    LadderHoldView,
    OpeningTextView,
    ForecastPage,
)
