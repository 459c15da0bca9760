"""The list of complaint tickets and the page of one ticket (T1–T12)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from flask import abort, flash, redirect, request
from flask_admin import expose
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import exists, false

from admin.complaints import intake
from admin.complaints.files import attach_uploads, file_answer
from admin.complaints.ticket_closing import ClosingActions
from admin.complaints.ticket_intake import IntakeViews
from admin.complaints.ticket_work import WorkActions, claimed_words, proposal_words, running_by_hand
from admin.panel import error_messages, formats, labels, pickers, row_access, wording
from admin.panel.filters import ChoiceFilter, RangeFilter, RelationFilter
from admin.panel.permissions import may
from admin.panel.signed_in import current_staff, staff_id
from admin.panel.view import OfficeView, OneClick, Related
from models.base import db
from models.billing import Invoice
from models.complaints import (
    ClockPause,
    Ticket,
    is_escalated,
)
from models.property import Unit
from office.complaints import (
    attachments,
    incidents,
    pauses,
    queries,
    timeline,
)
from office.core.errors import Refused
from rules.lifecycle import State
from rules.ticket_actions import USUAL_ACTIONS, possible_actions

PATH = (
    "registered",
    "assigned",
    "in_progress",
    "resolved",
    "followed_up",
    "closed",
)  # a complaint's usual way


def _mine(_view: Any) -> list[Any]:
    return [queries.is_open(), Ticket.handler_id == staff_id()]


def _due_soon(view: Any) -> list[Any]:
    now = view.now()
    minutes = queries.due_soon_minutes(db.session(), now)
    return [queries.is_open(), queries.is_due_soon(now, minutes)]


def _my_department(_view: Any) -> list[Any]:
    own = current_staff().department_id or 0  # who is of none has none
    return [
        queries.is_open(),
        Ticket.department_id + 0 == own,
    ]  # + 0: the open ones are walked in their order


def _waiting(_view: Any) -> list[Any]:
    return [queries.is_open(), exists().where(ClockPause.ticket_id == Ticket.id, ClockPause.to_at.is_(None))]


class TicketView(IntakeViews, WorkActions, ClosingActions, OfficeView):
    """The register of complaints; a ticket changes by its verbs only."""

    table = Ticket
    screen = "tickets"
    title = _l("Complaint tickets")
    empty_hint = _l(
        "Register every complaint, also one that is solved on the spot; an old register comes in under "
        "“Imports”."
    )
    icon = "message-square-warning"
    is_large = True
    details_template = "complaints/ticket.html"
    column_list = (
        "number",
        "registered_at",
        "unit.code",
        "statement",
        "category.name",
        "severity",
        "state",
        "level",
        "next_due_at",
        "handler.name",
    )
    column_hidden = (
        "department.name",
        "channel",
        "resolved_at",
        "closed_at",
        "outcome",
        "taken_over_at",
        "satisfaction",
        "reopen_count",
    )
    column_computed: Mapping[str, Callable[[Any], Any]] = {"next_due_at": queries.first_due_at}
    column_labels = {
        "next_due_at": _l("Next deadline"),
        "taken_over_at": _l("Taken over from the old register"),
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
        "outcome": labels.OUTCOMES,
    }
    filters = (
        ChoiceFilter("state"),
        ChoiceFilter("severity"),
        RelationFilter("department"),
        RelationFilter("category"),
        ChoiceFilter("channel"),
        ChoiceFilter("outcome"),
        RangeFilter("level"),
        RangeFilter("registered_at"),
        RelationFilter("unit.building"),
    )
    one_click = (
        OneClick("open", _l("Open"), lambda _view: [queries.is_open()]),
        OneClick("overdue", _l("Overdue"), lambda _view: [queries.is_overdue()]),
        OneClick("soon", _l("Due soon"), _due_soon),
        OneClick("escalated", _l("Escalated"), lambda _view: [is_escalated()]),
        OneClick("valid", _l("Without invalid ones"), lambda _view: [Ticket.state != "invalid"]),
        OneClick("mine", _l("Mine"), _mine, awaits="act"),
        OneClick("department", _l("My department"), _my_department, awaits="act"),
        OneClick("waiting", _l("Waiting"), _waiting),
        OneClick(
            "review",
            _l("Awaiting a review meeting"),
            lambda view: [queries.is_open(), queries.awaits_review(db.session(), view.now())],
            awaits="act",
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
        "outcome",
        "taken_over_at",
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
        "incidents_view": "create",
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
        found["repeat_of"] = pickers.Loader(self, "repeat_of", Ticket, ("number",))
        found["invoice"] = pickers.Loader(self, "invoice", Invoice, ("number",))
        return found

    def lookup_scope(self, name: str, model: Any) -> list[Any]:
        """A complaint may be about any unit; bills only for those who may see them."""
        if name == "invoice" and not may(current_staff().roles, "invoices", "see"):
            return [false()]
        return [] if name == "unit" else super().lookup_scope(name, model)

    @expose("/details/")
    def details_view(self) -> Any:
        row = self.get_or_404(request.args.get("id"))
        session = db.session()
        return self.render(
            self.details_template,
            row=row,
            heading=row.number,
            path=PATH,
            facts=self.facts(row),
            links=self.fact_links(row),
            ticked=[name for name in intake.TICKS if getattr(row, name)],
            claimed=claimed_words(row, self.now()),
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
            earlier=row_access.find(Ticket, row.repeat_of_id),
            invoice=row_access.find(Invoice, row.invoice_id),
            incident=incidents.of_ticket(session, row.id),
            hints=intake.hints_of(row.unit_id, self.today()),
            proposal=proposal_words(row, self.language) if self.may("act") else "",
        )

    def _possible(self, row: Ticket) -> list[Any]:
        """The actions that the ticket's state allows, the next steps first."""
        codes = possible_actions(
            State(row.state),
            is_waiting=pauses.open_pause(db.session(), row.id) is not None,
            has_clock_to_meet=bool(running_by_hand(row)),
            is_unconfirmed=row.claimed_facts is not None,
            is_joined=incidents.of_ticket(db.session(), row.id) is not None,
        )
        order = list(self.office_actions)
        allowed = [action for action in self.allowed_actions("row") if action.code in codes]
        return sorted(
            allowed, key=lambda action: (action.code not in USUAL_ACTIONS, order.index(action.code))
        )

    @expose("/attach/", methods=("POST",))
    def attach_view(self) -> Any:
        """Keep a file with a ticket."""
        row = self.get_or_404(request.form.get("id"))
        try:
            attach_uploads(request.files.getlist("files"), now=self.now(), ticket_id=row.id)
            db.session.commit()
            flash(_("Saved."), "success")
        except Refused as error:
            db.session.rollback()
            flash(error_messages.message_for(error), "error")
        return redirect(self.get_url(".details_view", id=row.id))

    @expose("/attachment/")
    def attachment_view(self) -> Any:
        """Hand out a file by its random name, for download only; who took it is logged."""
        kept = attachments.by_key(db.session(), request.args.get("key", "")[:64])
        ticket_id = kept.ticket_id if kept is not None else None
        if kept is None or ticket_id is None or self.get_one(str(ticket_id)) is None:
            abort(404)
        return file_answer(kept)


SCREENS = (TicketView,)
