"""Complaints: the desk's intake, tickets with their verbs, deadlines and escalations (T1–T12)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from typing import Any

from flask import Response, abort, flash, jsonify, redirect, request
from flask_admin import expose
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import exists, false, func, select

from admin.auth.sessions import current_staff, staff_id
from admin.billing.invoices import pdf_answer
from admin.complaints import intake
from admin.panel import error_messages, formats, forms, labels, language, row_access, wording
from admin.panel.audit import record_reading
from admin.panel.idempotency import once
from admin.panel.lists import ChoiceFilter, RangeFilter, RelationFilter, coded, row_id
from admin.panel.permissions import may
from admin.panel.view import Ask, OfficeView, OneClick, Related, office_action
from models.base import db
from models.billing import Invoice
from models.complaints import (
    ClockPause,
    Escalation,
    Ticket,
    TicketClock,
)
from models.people import Department
from models.property import Unit
from office.complaints import (
    attachments,
    closures,
    complainants,
    documents,
    links,
    pauses,
    severities,
    timeline,
    work,
    work_slips,
)
from office.complaints.closures import ReviewMinutes
from office.core.errors import Refused
from rules.lifecycle import State, verbs_from

SOON = timedelta(hours=2)
UNSOLVED = ("registered", "assigned", "in_progress", "reopened")
GROUNDS = {
    "not_about_us": _l("Not about us"),
    "not_in_our_power": _l("Not in our power"),
    "unfounded": _l("Unfounded"),
}
WAITING_FOR = {"resident": _l("The resident"), "outside": _l("An outside body")}
KEPT_BY_HAND = tuple(code for code in labels.CLOCKS if code not in {"solve", "follow_up"})


def _open() -> Any:
    return Ticket.closed_at.is_(None)


def _clock(*conditions: Any) -> Any:
    return exists().where(TicketClock.ticket_id == Ticket.id, *conditions)


def _late(_view: Any) -> list[Any]:
    """Open tickets with a deadline that has passed and still runs."""
    return [_open(), _clock(TicketClock.state == "breached", TicketClock.stopped_at.is_(None))]


def _soon(view: Any) -> list[Any]:
    now = view.now()
    return [
        _open(),
        _clock(TicketClock.state == "running", TicketClock.due_at >= now, TicketClock.due_at <= now + SOON),
    ]


def _mine(_view: Any) -> list[Any]:
    return [_open(), Ticket.handler_id == staff_id()]


def _my_department(_view: Any) -> list[Any]:
    staff = current_staff()
    return [_open(), Ticket.department_id == (staff.department_id if staff else None)]


def _waiting(_view: Any) -> list[Any]:
    return [_open(), exists().where(ClockPause.ticket_id == Ticket.id, ClockPause.to_at.is_(None))]


def _next_due(model: Any) -> Any:
    """When the first deadline that still runs is due."""
    return (
        select(func.min(TicketClock.due_at))
        .where(TicketClock.ticket_id == model.id, TicketClock.stopped_at.is_(None))
        .correlate(model)
        .scalar_subquery()
    )


def _departments(view: Any) -> Mapping[str, str]:
    found = db.session.scalars(select(Department).order_by(Department.position, Department.id))
    return {str(department.id): department.name_in(view.language) for department in found}


def _asked_about() -> Ticket | None:
    """The one complaint that an action is about."""
    chosen = request.form.getlist("rowid")
    key = row_id(chosen[0]) if len(chosen) == 1 else None
    return db.session.get(Ticket, key) if key else None


def _handlers(_view: Any) -> Mapping[str, str]:
    """Who may handle the complaint: those of its department first, never the person complained about."""
    ticket = _asked_about()
    people = [] if ticket is None else work.possible_handlers(db.session(), ticket)
    own = {str(person.id): person.name for person in people}
    accused = str(ticket.accused_id) if ticket is not None else ""
    return own | {key: name for key, name in intake.staff_names().items() if key not in {accused, *own}}


def _running_clocks(_view: Any) -> Mapping[str, Any]:
    """The deadlines of the complaint that run and are met by hand."""
    ticket = _asked_about()
    return {code: labels.CLOCKS[code] for code in (running_by_hand(ticket) if ticket else KEPT_BY_HAND)}


def running_by_hand(ticket: Ticket) -> list[str]:
    """Which deadlines of a complaint run and are met by hand."""
    running = select(TicketClock.clock).where(
        TicketClock.ticket_id == ticket.id,
        TicketClock.stopped_at.is_(None),
        TicketClock.clock.in_(KEPT_BY_HAND),
    )
    return list(db.session.scalars(running.order_by(TicketClock.due_at, TicketClock.id)))


def _severities(view: Any) -> Mapping[str, Any]:
    return intake.severities(view.now())


def _end_of(day: date) -> datetime:
    return datetime.combine(day, time(23, 59), formats.zone())


def _number(text: str | None) -> int | None:
    return int(text) if text else None


class TicketView(OfficeView):
    """The register of complaints; a ticket changes by its verbs only."""

    table = Ticket
    screen = "tickets"
    title = _l("Complaint tickets")
    empty_hint = _l(
        "Register every complaint, also one that is solved on the spot; an old register comes in under "
        "“Imports”."
    )
    room = "complaints"
    icon = "message-square-warning"
    is_large = True
    details_template = "complaints/ticket.html"
    column_list = (
        "number",
        "registered_at",
        "unit.code",
        "category.name",
        "department.name",
        "severity",
        "state",
        "level",
        "next_due_at",
        "handler.name",
    )
    column_hidden = ("channel", "resolved_at", "closed_at", "satisfaction", "reopen_count")
    column_computed: Mapping[str, Callable[[Any], Any]] = {"next_due_at": _next_due}
    column_labels = {
        "next_due_at": _l("Next deadline"),
        "reopen_count": _l("Times reopened"),
        "is_on_hold": _l("Kept beyond its time"),
        "wish": _l("What is asked for"),
        "present": _l("Who was there"),
        "occurred_at": _l("When it happened"),
        "turns_major_at": _l("Becomes major"),
        "severity_reason": _l("Why this severity"),
    }
    column_searchable_list = ("number", "unit.code")
    column_default_sort = "-registered_at"
    choices = {
        "severity": labels.SEVERITIES,
        "state": labels.TICKET_STATES,
        "channel": labels.CHANNELS_IN,
    }
    filters = (
        ChoiceFilter("state"),
        ChoiceFilter("severity"),
        RelationFilter("department"),
        RelationFilter("category"),
        ChoiceFilter("channel"),
        RangeFilter("level"),
        RangeFilter("registered_at"),
        RelationFilter("unit.building"),
    )
    one_click = (
        OneClick("open", _l("Open"), lambda _view: [_open()]),
        OneClick("overdue", _l("Overdue"), _late),
        OneClick("soon", _l("Due within 2 hours"), _soon),
        OneClick("escalated", _l("Escalated"), lambda _view: [_open(), Ticket.level >= 1]),
        OneClick("mine", _l("Mine"), _mine),
        OneClick("department", _l("My department"), _my_department),
        OneClick("waiting", _l("Waiting"), _waiting),
        OneClick(
            "review",
            _l("Awaiting a review meeting"),
            lambda _view: [_open(), Ticket.state == "followed_up", Ticket.severity == "major"],
        ),
    )
    form_columns = ("place", "occurred_at", "wish", "present", "is_on_hold")
    column_descriptions = {"is_on_hold": _l("Stays when the years of keeping are over")}
    detail_columns = (
        "number",
        "registered_at",
        "channel",
        "unit.code",
        "category.name",
        "department.name",
        "handler.name",
        "clerk.name",
        "severity",
        "severity_reason",
        "state",
        "level",
        "statement",
        "place",
        "occurred_at",
        "wish",
        "present",
        "resolution",
        "resolved_at",
        "satisfaction",
        "closed_at",
        "turns_major_at",
        "reopen_count",
    )
    related = (
        Related("complainants", "ticket_id"),
        Related("visits", "ticket_id"),
        Related("work_slips", "ticket_id"),
        Related("invalid_requests", "ticket_id"),
        Related("review_meetings", "ticket_id"),
    )
    coming_words = {
        "warning": _l("Warning"),
        "breach": _l("Breached"),
        "escalation": _l("Escalation"),
        "look_again": _l("Look again"),
        "turn_major": _l("Becomes major"),
    }
    timeline_words = {
        "started": _l("Deadline set"),
        "warned": _l("Warned"),
        "breached": _l("Breached"),
        "stopped": _l("Deadline stopped"),
    }
    verbs: Mapping[str, str] = {
        "propose_view": "create",
        "household_view": "create",
        "attach_view": "act",
        "attachment_view": "see",
    }

    column_formats = {
        "severity_reason": formats.reason,
        "statement": formats.long_text,
        "resolution": formats.long_text,
    }

    def _process_ajax_references(self) -> dict[str, Any]:
        found = super()._process_ajax_references()
        found["unit"] = intake.UnitLoader(self, "unit", Unit, ("code",))
        found["repeat_of"] = forms.Loader(self, "repeat_of", Ticket, ("number",))
        found["invoice"] = forms.Loader(self, "invoice", Invoice, ("number",))
        return found

    def lookup_scope(self, name: str, model: Any) -> list[Any]:
        """A complaint may be about any unit; bills only for those who may see them."""
        if name == "invoice" and not may(current_staff().roles, "invoices", "see"):
            return [false()]
        return [] if name == "unit" else super().lookup_scope(name, model)

    def loader_of(self, name: str) -> forms.Loader:
        return self._form_ajax_refs[name]

    # Intake ------------------------------------------------------------------------------------------

    @expose("/new/", methods=("GET", "POST"))
    @once
    def create_view(self) -> Any:
        """The desk's page; what is refused stays typed."""
        form = intake.intake_form(self, self._typed(), **self._known())
        if request.method == "POST" and form.validate():
            try:
                ticket = intake.register(form, now=self.now(), clerk_id=staff_id())
                db.session.commit()
            except (Refused, ValueError) as error:
                db.session.rollback()
                flash(error_messages.words(error), "error")
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

    @expose("/household/")
    def household_view(self) -> Any:
        """A unit's resident, open complaints and bills."""
        unit = self.loader_of("unit").get_one(request.args.get("unit_id"))
        if unit is None:
            abort(404)
        found = intake.household(unit.id, self.today())
        if not row_access.has_unit(unit.id) or not may(current_staff().roles, "invoices", "see"):
            found["invoices"] = []
        readable = set(db.session.scalars(select(Ticket.id).where(Ticket.unit_id == unit.id, *self.scope())))
        found["tickets"] = [each for each in found["tickets"] if each["id"] in readable]
        return jsonify(found)

    # One ticket --------------------------------------------------------------------------------------

    @expose("/details/")
    def details_view(self) -> Any:
        row = self.get_or_404(request.args.get("id"))
        session = db.session()
        return self.render(
            self.details_template,
            row=row,
            heading=row.number,
            facts=self.facts(row),
            links=self.fact_links(row),
            ticked=[name for name in intake.TICKS if getattr(row, name)],
            related=self.related_lists(row),
            history=self.history(row.id),
            actions=self._possible(row),
            revealed={},
            clocks=timeline.clocks(session, row),
            coming=timeline.upcoming_events(session, row),
            timeline=timeline.timeline(session, row),
            pauses=timeline.pauses(session, row),
            files=attachments.of_ticket(session, row.id),
            words=wording,
            earlier=session.get(Ticket, row.repeat_of_id) if row.repeat_of_id else None,
            invoice=session.get(Invoice, row.invoice_id) if row.invoice_id else None,
        )

    def _possible(self, row: Ticket) -> list[Any]:
        """The actions that the ticket's state knows, the next step first."""
        state = State(row.state)
        codes = {verb.value for verb in verbs_from(state)}
        if state not in {State.CLOSED, State.INVALID}:
            codes |= {"change_severity", "work_slip", "join", "link_repeat", "link_debt", "hold_review"}
        if state.value in UNSOLVED:
            is_waiting = pauses.open_pause(db.session(), row.id) is not None
            codes |= {"resume"} if is_waiting else {"pause"}
            codes |= {"take_on"} if state is not State.IN_PROGRESS else set()
            codes |= {"keep_clock"} if running_by_hand(row) else set()
        else:
            codes.add("add_case")
        codes |= {"print", "print_shared"}
        order = list(self.office_actions)
        allowed = [action for action in self.allowed_actions("row") if action.code in codes]
        return sorted(allowed, key=lambda action: (action.code not in NEXT_STEPS, order.index(action.code)))

    # Verbs -------------------------------------------------------------------------------------------

    @office_action(
        "assign",
        _l("Assign"),
        on="row",
        icon="user-check",
        fields=(
            Ask("department_id", _l("Department"), kind="choice", choices=_departments),
            Ask("handler_id", _l("Handled by"), kind="choice", choices=_handlers),
            Ask("note", _l("Note")),
        ),
    )
    def assign(self, rows: Sequence[Ticket], given: Mapping[str, Any]) -> str:
        for row in rows:
            work.assign(
                db.session(),
                row.id,
                now=self.now(),
                staff_id=staff_id(),
                department_id=_number(given["department_id"]),
                handler_id=_number(given["handler_id"]),
                note=given["note"],
            )
        return _("Assigned.")

    @office_action("take_on", _l("Take it on"), on="row", icon="play", tone="main")
    def take_on(self, rows: Sequence[Ticket], _given: Mapping[str, Any]) -> str:
        for row in rows:
            work.take_on(db.session(), row.id, now=self.now(), staff_id=staff_id())
        return _("Work has begun.")

    @office_action("start", _l("Start work"), on="row", icon="play")
    def start(self, rows: Sequence[Ticket], _given: Mapping[str, Any]) -> str:
        for row in rows:
            work.start_work(db.session(), row.id, now=self.now(), staff_id=staff_id())
        return _("Work has begun.")

    @office_action(
        "keep_clock",
        _l("Deadline met"),
        on="row",
        icon="alarm-clock",
        fields=(
            Ask(
                "clock",
                _l("What was done"),
                kind="choice",
                is_required=True,
                choices=_running_clocks,
            ),
            Ask("note", _l("Note")),
        ),
    )
    def meet_clock(self, rows: Sequence[Ticket], given: Mapping[str, Any]) -> str:
        for row in rows:
            work.meet_clock(
                db.session(),
                row.id,
                given["clock"],
                now=self.now(),
                staff_id=staff_id(),
                note=given["note"],
            )
        return _("The deadline is met.")

    @office_action(
        "resolve",
        _l("Resolve"),
        on="row",
        icon="check",
        tone="main",
        fields=(Ask("resolution", _l("What was done"), kind="area", is_required=True),),
    )
    def resolve(self, rows: Sequence[Ticket], given: Mapping[str, Any]) -> str:
        for row in rows:
            work.resolve_ticket(
                db.session(), row.id, resolution=given["resolution"], now=self.now(), staff_id=staff_id()
            )
        return _("Resolved; the follow-up visit is planned.")

    @office_action(
        "resolve_on_spot",
        _l("Solved on the spot"),
        on="row",
        icon="check",
        fields=(Ask("resolution", _l("What was done"), kind="area", is_required=True),),
    )
    def resolve_on_spot(self, rows: Sequence[Ticket], given: Mapping[str, Any]) -> str:
        for row in rows:
            work.resolve_on_spot(
                db.session(), row.id, resolution=given["resolution"], now=self.now(), staff_id=staff_id()
            )
        return _("Resolved; the follow-up visit is planned.")

    @office_action(
        "pause",
        _l("Wait"),
        on="row",
        icon="pause",
        fields=(
            Ask("waiting_for", _l("Waiting for"), kind="choice", is_required=True, choices=WAITING_FOR),
            Ask("reason", _l("Reason"), is_required=True),
            Ask("look_again_on", _l("Look again on"), kind="date", is_required=True),
        ),
    )
    def pause(self, rows: Sequence[Ticket], given: Mapping[str, Any]) -> str:
        for row in rows:
            pauses.pause(db.session(), row.id, now=self.now(), staff_id=staff_id(), **given)
        return _("The deadlines that may wait are paused.")

    @office_action("resume", _l("Go on"), on="row", icon="play", fields=(Ask("note", _l("Note")),))
    def resume(self, rows: Sequence[Ticket], given: Mapping[str, Any]) -> str:
        for row in rows:
            pauses.resume(db.session(), row.id, now=self.now(), staff_id=staff_id(), note=given["note"])
        return _("The deadlines run again.")

    @office_action(
        "change_severity",
        _l("Change severity"),
        on="row",
        icon="gauge",
        fields=(
            Ask("severity", _l("Severity"), kind="choice", is_required=True, choices=_severities),
            Ask("note", _l("Reason"), help=_l("Lowering needs the station head and a reason")),
        ),
    )
    def change_severity(self, rows: Sequence[Ticket], given: Mapping[str, Any]) -> str:
        for row in rows:
            severities.change_severity(
                db.session(),
                row.id,
                given["severity"],
                now=self.now(),
                staff_id=staff_id(),
                note=given["note"],
            )
        return _("The severity was changed.")

    @office_action(
        "work_slip",
        _l("Work contact slip"),
        on="row",
        icon="send",
        fields=(
            Ask("department_id", _l("Department"), kind="choice", is_required=True, choices=_departments),
            Ask("task", _l("What is asked"), kind="area", is_required=True),
            Ask("due_on", _l("To be done by"), kind="date"),
        ),
    )
    def work_slip(self, rows: Sequence[Ticket], given: Mapping[str, Any]) -> str:
        numbers = [
            work_slips.issue_work_slip(
                db.session(),
                row.id,
                department_id=int(given["department_id"]),
                task=given["task"],
                due_on=given["due_on"],
                now=self.now(),
                staff_id=staff_id(),
            ).number
            for row in rows
        ]
        return _("Work contact slip %(number)s was issued.", number=", ".join(numbers))

    @office_action(
        "join",
        _l("Another complainant"),
        on="row",
        icon="user-plus",
        fields=(
            Ask("name", _l("Name"), is_required=True),
            Ask("phone", _l("Phone")),
            Ask(
                "household",
                _l("Which household"),
                kind="choice",
                is_required=True,
                choices={"further": _l("A further household"), "counted": _l("One that is counted already")},
                help=_l("From a number of households on, the policy makes a complaint more severe."),
            ),
        ),
    )
    def join(self, rows: Sequence[Ticket], given: dict[str, Any]) -> str:
        for row in rows:
            complainants.add_complainant(
                db.session(),
                row.id,
                complainants.NewComplainant(given["name"], given["phone"]),
                now=self.now(),
                staff_id=staff_id(),
                is_further_household=given["household"] == "further",
            )
        given.clear()  # names stay out of the audit
        return _("Added.")

    @office_action(
        "link_repeat",
        _l("Same matter as"),
        on="row",
        icon="link",
        fields=(Ask("number", _l("Ticket no."), is_required=True),),
    )
    def link_repeat(self, rows: Sequence[Ticket], given: Mapping[str, Any]) -> str:
        first = db.session.scalars(select(Ticket).where(Ticket.number == given["number"])).first()
        for row in rows:
            links.link_repeat(
                db.session(),
                row.id,
                repeat_of_id=first.id if first else 0,
                now=self.now(),
                staff_id=staff_id(),
            )
        return _("Linked.")

    @office_action(
        "link_debt",
        _l("About a bill"),
        on="row",
        icon="receipt-text",
        fields=(Ask("number", _l("Invoice no."), is_required=True),),
    )
    def link_debt(self, rows: Sequence[Ticket], given: Mapping[str, Any]) -> str:
        bill = db.session.scalars(select(Invoice).where(Invoice.number == given["number"])).first()
        for row in rows:
            links.link_debt(
                db.session(),
                row.id,
                invoice_id=bill.id if bill else 0,
                now=self.now(),
                staff_id=staff_id(),
            )
        return _("Linked; reminders of this debt wait until the complaint is closed.")

    @office_action(
        "hold_review",
        _l("Review meeting"),
        on="row",
        icon="users",
        fields=(
            Ask("held_on", _l("Held on"), kind="date", is_required=True),
            Ask("cause", _l("Cause"), kind="area", is_required=True),
            Ask("correction", _l("Correction"), kind="area", is_required=True),
            Ask("prevention", _l("Prevention"), kind="area", is_required=True),
            Ask("attended", _l("Who attended"), is_required=True),
        ),
    )
    def hold_review(self, rows: Sequence[Ticket], given: Mapping[str, Any]) -> str:
        minutes = ReviewMinutes(given["cause"], given["correction"], given["prevention"], given["attended"])
        for row in rows:
            closures.hold_review(
                db.session(),
                row.id,
                minutes,
                held_at=min(self.now(), _end_of(given["held_on"])),
                now=self.now(),
                staff_id=staff_id(),
            )
        return _("The review meeting is on record.")

    @office_action(
        "reopen",
        _l("Reopen"),
        on="row",
        icon="rotate-ccw",
        fields=(Ask("note", _l("Reason"), is_required=True),),
    )
    def reopen(self, rows: Sequence[Ticket], given: Mapping[str, Any]) -> str:
        for row in rows:
            work.reopen(db.session(), row.id, now=self.now(), staff_id=staff_id(), note=given["note"])
        return _("Reopened one level up.")

    @office_action("close", _l("Close"), on="row", icon="lock", confirm=_l("Close this complaint?"))
    def close(self, rows: Sequence[Ticket], _given: Mapping[str, Any]) -> str:
        for row in rows:
            closures.close(db.session(), row.id, now=self.now(), staff_id=staff_id())
        return _("Closed.")

    @office_action(
        "close_unreachable",
        _l("Close as unreachable"),
        on="row",
        icon="lock",
        fields=(Ask("note", _l("The manager's word"), is_required=True),),
    )
    def close_unreachable(self, rows: Sequence[Ticket], given: Mapping[str, Any]) -> str:
        for row in rows:
            closures.close_unreachable(
                db.session(), row.id, now=self.now(), staff_id=staff_id(), note=given["note"]
            )
        return _("Closed.")

    @office_action(
        "close_by_decision",
        _l("Close by decision"),
        on="row",
        icon="gavel",
        fields=(Ask("note", _l("Reason"), is_required=True),),
    )
    def close_by_decision(self, rows: Sequence[Ticket], given: Mapping[str, Any]) -> str:
        for row in rows:
            closures.close_by_decision(
                db.session(), row.id, now=self.now(), staff_id=staff_id(), note=given["note"]
            )
        return _("Closed.")

    @office_action(
        "request_invalid",
        _l("Ask to close as invalid"),
        on="row",
        icon="ban",
        fields=(
            Ask("ground", _l("Why"), kind="choice", is_required=True, choices=GROUNDS),
            Ask("reason", _l("Reason"), kind="area", is_required=True),
        ),
    )
    def request_invalid(self, rows: Sequence[Ticket], given: Mapping[str, Any]) -> str:
        for row in rows:
            closures.request_invalid(db.session(), row.id, now=self.now(), staff_id=staff_id(), **given)
        return _("Another person decides about it.")

    @office_action(
        "add_case",
        _l("Into the case library"),
        on="row",
        icon="library",
        fields=(
            Ask("title", _l("Title"), is_required=True),
            Ask("what_happened", _l("What happened"), kind="area", is_required=True),
            Ask("what_was_done", _l("What was done"), kind="area", is_required=True),
            Ask("lesson", _l("Lesson"), kind="area"),
        ),
    )
    def add_case(self, rows: Sequence[Ticket], given: Mapping[str, Any]) -> str:
        for row in rows:
            closures.add_case(
                db.session(),
                category_id=row.category_id,
                ticket_id=row.id,
                now=self.now(),
                staff_id=staff_id(),
                **given,
            )
        return _("Added to the case library.")

    @office_action("print", _l("Complaint form"), on="row", icon="printer")
    def print_form(self, rows: Sequence[Ticket], _given: Mapping[str, Any]) -> Any:
        """With who complained for those who may know it, else the version to share."""
        staff = current_staff()
        return self._form_of(
            rows[0], has_identity=staff is not None and may(staff.roles, "complainants", "act")
        )

    @office_action("print_shared", _l("Complaint form to share, without names"), on="row", icon="printer")
    def print_shared(self, rows: Sequence[Ticket], _given: Mapping[str, Any]) -> Any:
        return self._form_of(rows[0], has_identity=False)

    def _form_of(self, row: Ticket, *, has_identity: bool) -> Response:
        made = documents.print_form(
            db.session(),
            row.id,
            language=language.current(),
            now=self.now(),
            staff_id=staff_id(),
            reason=str(wording.reason(row.severity_reason)) if row.severity_reason else "",
            has_identity=has_identity,
        )
        return pdf_answer(made, f"{row.number}.pdf")

    # Files -------------------------------------------------------------------------------------------

    @expose("/attach/", methods=("POST",))
    def attach_view(self) -> Any:
        """Keep a file with a ticket."""
        row = self.get_or_404(request.form.get("id"))
        try:
            for file in request.files.getlist("files"):
                attachments.attach(
                    db.session(),
                    file_name=file.filename or "",
                    content=file.read(attachments.MAX_BYTES + 1),
                    now=self.now(),
                    staff_id=staff_id(),
                    ticket_id=row.id,
                )
            db.session.commit()
            flash(_("Saved."), "success")
        except Refused as error:
            db.session.rollback()
            flash(error_messages.words(error), "error")
        return redirect(self.get_url(".details_view", id=row.id))

    @expose("/attachment/")
    def attachment_view(self) -> Any:
        """Hand out a file by its random name, for download only; who took it is logged."""
        kept = attachments.by_key(db.session(), request.args.get("key", "")[:64])
        ticket_id = kept.ticket_id if kept is not None else None
        if kept is None or ticket_id is None or self.get_one(str(ticket_id)) is None:
            abort(404)
        record_reading("download", "attachment", kept.id, {"file_name": kept.file_name})
        answer = Response(kept.content, mimetype=kept.media_type)
        answer.headers.set("Content-Disposition", "attachment", filename=kept.file_name)
        return answer


NEXT_STEPS = frozenset(
    {"take_on", "assign", "start", "resolve", "keep_clock", "close", "resume", "hold_review"}
)


class ClockView(OfficeView):
    """Every deadline of every ticket, for filters and figures."""

    table = TicketClock
    screen = "ticket_clocks"
    title = _l("Deadlines")
    empty_hint = _l("Deadlines start by themselves when a complaint is registered.")
    room = "complaints"
    icon = "alarm-clock"
    is_large = True
    can_create = can_edit = can_delete = False
    column_list = (
        "ticket.number",
        "clock",
        "state",
        "started_at",
        "due_at",
        "stopped_at",
        "rule",
    )
    column_hidden = ("warn_at",)
    column_labels = {
        "clock": _l("Deadline"),
        "warn_at": _l("Warns at"),
        "stopped_at": _l("Stopped at"),
        "rule": _l("Rule"),
    }
    column_searchable_list = ("ticket.number",)
    choices = {"clock": labels.CLOCKS, "state": labels.CLOCK_STATES}
    filters = (ChoiceFilter("clock"), ChoiceFilter("state"), RangeFilter("due_at"))
    one_click = (
        OneClick(
            "late",
            _l("Overdue"),
            lambda _view: [coded(TicketClock.state, "breached"), TicketClock.stopped_at.is_(None)],
        ),
    )

    column_formats = {"rule": formats.reason}


class EscalationView(OfficeView):
    """Who was told of which deadline, and when."""

    table = Escalation
    screen = "escalations"
    title = _l("Escalations")
    empty_hint = _l("Nothing was escalated: every deadline was kept so far.")
    room = "complaints"
    icon = "bell-ring"
    is_large = True
    can_create = can_edit = can_delete = False
    column_list = ("ticket.number", "clock", "level", "at", "to_role", "ticket.state", "reason")
    column_labels = {"clock": _l("Deadline"), "to_role": _l("Told"), "ticket.state": _l("State")}
    column_searchable_list = ("ticket.number",)
    column_default_sort = "-at"
    choices = {"clock": labels.CLOCKS, "to_role": labels.ROLES, "ticket.state": labels.TICKET_STATES}
    filters = (ChoiceFilter("clock"), ChoiceFilter("to_role"), RangeFilter("level"), RangeFilter("at"))
    one_click = (
        OneClick(
            "open",
            _l("Of open complaints"),
            lambda _view: [Escalation.ticket_id.in_(select(Ticket.id).where(_open()))],
        ),
    )

    column_formats = {"reason": formats.reason}


SCREENS = (TicketView, EscalationView, ClockView)
