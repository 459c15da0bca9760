"""Requests to close a complaint as invalid, and their decisions (T7)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from flask_babel import lazy_gettext as _l

from admin.panel import language
from admin.panel.decisions import Decision, decisions
from admin.panel.filters import ChoiceFilter, RangeFilter
from admin.panel.responses import pdf_response
from admin.panel.signed_in import staff_id
from admin.panel.view import Ask, OfficeView, OneClick, office_action
from models.base import db
from models.complaints import InvalidRequest
from office.complaints import closures, documents
from office.core.errors import N_

GROUNDS = {
    "not_about_us": _l("Not about us"),
    "not_in_our_power": _l("Not in our power"),
    "unfounded": _l("Unfounded"),
}


class InvalidRequestView(OfficeView):
    """Requests to close a complaint as invalid, decided by another person."""

    table = InvalidRequest
    screen = "invalid_requests"
    title = _l("Closures as invalid")
    empty_hint = _l("A closure as invalid is asked for on the complaint and decided here.")
    icon = "ban"
    can_create = can_edit = can_delete = False
    column_list = ("ticket.number", "ground", "reason", "requested_at", "decided_at", "is_approved")
    column_labels = {
        "ground": _l("Ground"),
        "requested_at": _l("Requested at"),
        "decided_at": _l("Decided at"),
        "is_approved": _l("Approved"),
    }
    choices = {"ground": GROUNDS}
    filters = (ChoiceFilter("ground"), RangeFilter("requested_at"))
    one_click = (
        OneClick("open", _l("To decide"), lambda _view: [InvalidRequest.decided_at.is_(None)], awaits="act"),
    )

    def text_of(self, row: InvalidRequest) -> str:
        return row.ticket.number

    approve, refuse = decisions(
        closures.decide_request,
        state="waiting",
        on="row",
        approve=Decision(
            N_("Approved."),
            _l("Close this complaint as invalid? The complainant is told in writing."),
            (Ask("note", _l("Note")),),
        ),
        refuse=Decision(
            N_("Refused; the complaint goes on."), fields=(Ask("note", _l("Reason"), is_required=True),)
        ),
    )

    @office_action("print", _l("Print"), on="row", icon="printer")
    def print_invalid(self, rows: Sequence[InvalidRequest], _given: Mapping[str, Any]) -> Any:
        made = documents.print_invalid(
            db.session(),
            rows[0].id,
            language=language.current(),
            now=self.now(),
            staff_id=staff_id(),
        )
        return pdf_response(made, f"{rows[0].ticket.number}.pdf")


SCREENS = (InvalidRequestView,)
