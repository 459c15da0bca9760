"""Known incidents: the list, one with the complaints joined to it, a note or the end for all (T25)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from flask import flash
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import func, select

from admin.panel import error_messages, formats, labels
from admin.panel.filters import FlagFilter, RangeFilter, RelationFilter
from admin.panel.signed_in import staff_id
from admin.panel.view import Ask, OfficeView, OneClick, Related, office_action
from models.base import db
from models.incidents import Incident, IncidentTicket
from office.complaints import incidents
from office.complaints.incidents import Told
from rules.incidents import phase


def _joined(model: Any) -> Any:
    return (
        select(func.count())
        .select_from(IncidentTicket)
        .where(IncidentTicket.incident_id == model.id)
        .scalar_subquery()
    )


class IncidentView(OfficeView):
    """What is going on in the estate, and what the desk tells those who call."""

    table = Incident
    screen = "incidents"
    title = _l("Known incidents")
    icon = "megaphone"
    can_delete = False
    can_import = False
    details_template = "complaints/incident.html"
    empty_hint = _l(
        "Enter what many will call about, such as a burst pipe or a planned power cut: the desk sees at once "
        "what to say and joins each caller to it with one key."
    )
    column_list = (
        "number",
        "title",
        "scope",
        "scope_value",
        "category.name",
        "is_planned",
        "begins_at",
        "ends_at",
        "joined",
        "closed_at",
    )
    column_hidden = ("raised_to", "resolution", "made_by.name")
    column_computed = {"joined": _joined}
    column_default_sort = "-begins_at"
    column_searchable_list = ("number",)
    column_labels = {
        "joined": _l("Complaints joined"),
        "is_planned": _l("Planned"),
        "begins_at": _l("Begins at"),
        "ends_at": _l("Expected to end at"),
        "scope": _l("Where"),
        "scope_value": _l("Which of them"),
        "staff_words": _l("For staff"),
        "residents_words": _l("What to tell callers"),
        "residents_words_zh_hant": _l("What to tell callers (Traditional Chinese)"),
        "residents_words_en": _l("What to tell callers (English)"),
        "raised_to": _l("Raised its first complaint to"),
        "resolution": _l("What was done"),
        "closed_at": _l("Over since"),
    }
    choices = {"scope": labels.POOL_SCOPES, "raised_to": {"": "–", **labels.SEVERITIES}}
    filters = (RelationFilter("category"), FlagFilter("is_planned"), RangeFilter("begins_at"))
    one_click = (OneClick("now", _l("Going on"), lambda _view: [Incident.closed_at.is_(None)]),)
    form_sections = (
        (_l("What and where"), ("title", "category", "scope", "scope_value")),
        (_l("From and to"), ("is_planned", "begins_at", "ends_at")),
        (
            _l("What to say"),
            ("staff_words", "residents_words", "residents_words_zh_hant", "residents_words_en"),
        ),
    )
    form_columns = tuple(column for _title, columns in form_sections for column in columns)
    column_descriptions = {
        "category": _l("Empty: whatever the complaint is about"),
        "scope_value": _l("Names or unit nos. as the lists write them, with ; between"),
        "is_planned": _l("Else it is an emergency"),
        "staff_words": _l("Only staff read this: cause, who is at work, when to look again"),
        "residents_words": _l("The desk says this to whoever calls; without names"),
    }
    detail_columns = (
        "number",
        "title",
        "scope",
        "scope_value",
        "category.name",
        "is_planned",
        "begins_at",
        "ends_at",
        "staff_words",
        "residents_words",
        "residents_words_zh_hant",
        "residents_words_en",
        "raised_to",
        "closed_at",
        "resolution",
        "made_by.name",
    )
    column_formats = dict.fromkeys(
        ("staff_words", "residents_words", "residents_words_zh_hant", "residents_words_en", "resolution"),
        formats.long_text,
    )
    related = (Related("incident_tickets", "incident_id", title=_l("Complaints joined")),)

    def before_save(self, form: Any, row: Any, is_new: bool) -> None:  # noqa: ARG002, FBT001 -- the base's hook
        if is_new:
            row.number = incidents.next_number(db.session(), self.now())
            row.made_by_id = staff_id()
        incidents.check(db.session(), row)

    def phase_of(self, row: Incident) -> str:
        """How far an incident is, as a code."""
        return phase(row.begins_at, row.ends_at, row.closed_at, self.now()).value

    def households(self, row: Incident) -> int:
        return incidents.households_of(db.session(), row.id)

    @office_action(
        "note_progress",
        _l("Progress note"),
        on="row",
        icon="message-circle",
        states=("open",),
        fields=(
            Ask(
                "note",
                _l("What is new"),
                kind="area",
                is_required=True,
                help=_l("Goes into the history of each complaint joined that is not resolved yet"),
            ),
        ),
    )
    def note_progress(self, rows: Sequence[Incident], given: Mapping[str, Any]) -> str:
        told = incidents.note(db.session(), rows[0].id, given["note"], now=self.now(), staff_id=staff_id())
        _say_what_is_left(told)
        return _("Noted with %(count)s complaints.", count=told.done)

    @office_action(
        "close_incident",
        _l("Over: resolve all"),
        on="row",
        icon="check",
        fields=(
            Ask(
                "resolution",
                _l("What was done"),
                kind="area",
                is_required=True,
                help=_l("Resolves each complaint joined; those that can't be resolved are named"),
            ),
        ),
    )
    def close_incident(self, rows: Sequence[Incident], given: Mapping[str, Any]) -> str:
        told = incidents.close(
            db.session(), rows[0].id, given["resolution"], now=self.now(), staff_id=staff_id()
        )
        _say_what_is_left(told)
        return _("The incident is over; %(count)s complaints are resolved.", count=told.done)


class IncidentTicketView(OfficeView):
    """Which complaints are joined to which incident; they join at the desk or on their own page."""

    table = IncidentTicket
    screen = "incident_tickets"
    title = _l("Complaints joined to incidents")
    icon = "link"
    can_create = can_edit = can_delete = False
    column_list = (
        "incident.number",
        "ticket.number",
        "ticket.unit.code",
        "ticket.state",
        "ticket.severity",
        "ticket.statement",
        "is_lead",
        "joined_at",
        "staff.name",
    )
    column_default_sort = "-joined_at"
    column_searchable_list = ("incident.number", "ticket.number")
    column_labels = {
        "incident.number": _l("Incident"),
        "ticket.number": _l("Ticket no."),
        "ticket.unit.code": _l("Unit no."),
        "ticket.state": _l("State"),
        "ticket.severity": _l("Severity"),
        "ticket.statement": _l("What happened"),
        "is_lead": _l("Counts the households"),
        "joined_at": _l("Joined at"),
        "staff.name": _l("Joined by"),
    }
    choices = {"ticket.state": labels.TICKET_STATES, "ticket.severity": labels.SEVERITIES}
    filters = (RangeFilter("joined_at"),)
    empty_hint = _l("Complaints are joined at the desk while they are registered, or on their own page.")


def _say_what_is_left(told: Told) -> None:
    """Name each complaint that an act could not reach, with the reason."""
    for number, why in told.refused:
        flash(f"{number}{_(': ')}{error_messages.message_for(why)}", "error")
    if told.others:
        flash(_("%(count)s of them somebody else has to do.", count=told.others), "error")


SCREENS = (IncidentView, IncidentTicketView)
