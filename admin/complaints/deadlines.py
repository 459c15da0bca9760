"""Deadlines and escalations of all complaints as lists (T4)."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l
from sqlalchemy import exists, select

from admin.panel import formats, labels
from admin.panel.columns import coded
from admin.panel.filters import ChoiceFilter, RangeFilter
from admin.panel.view import OfficeView, OneClick
from models.complaints import Escalation, Ticket, TicketClock, is_unresolved


class ClockView(OfficeView):
    """Every deadline of every ticket, for filters and figures."""

    table = TicketClock
    screen = "ticket_clocks"
    title = _l("Deadlines")
    empty_hint = _l("Deadlines start by themselves when a complaint is registered.")
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
            lambda _view: [
                coded(TicketClock.state, "breached"),
                TicketClock.stopped_at.is_(None),
                exists().where(Ticket.id == TicketClock.ticket_id, is_unresolved()),
            ],
        ),
    )

    column_formats = {"rule": formats.reason}


class EscalationView(OfficeView):
    """Who was informed of which late deadline, and when."""

    table = Escalation
    screen = "escalations"
    title = _l("Escalations")
    empty_hint = _l("Nothing was escalated: every deadline was kept so far.")
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
            lambda _view: [Escalation.ticket_id.in_(select(Ticket.id).where(Ticket.closed_at.is_(None)))],
        ),
    )

    column_formats = {"reason": formats.reason}


SCREENS = (EscalationView, ClockView)
