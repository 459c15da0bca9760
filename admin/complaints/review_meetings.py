"""Review meetings of complaints (T9)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flask_babel import lazy_gettext as _l

from admin.panel import language
from admin.panel.filters import RangeFilter
from admin.panel.responses import pdf_response
from admin.panel.signed_in import staff_id
from admin.panel.view import OfficeView, office_action
from models.base import db
from models.complaints import ReviewMeeting
from office.complaints import documents


class ReviewMeetingView(OfficeView):
    """The meetings without which a major complaint does not close."""

    table = ReviewMeeting
    screen = "review_meetings"
    title = _l("Review meetings")
    empty_hint = _l("A major complaint needs one before it closes: open it and choose “Review meeting”.")
    icon = "users"
    can_create = can_edit = can_delete = False
    column_list = ("ticket.number", "held_at", "cause", "correction", "prevention", "attended")
    column_labels = {
        "held_at": _l("Held at"),
        "cause": _l("Cause"),
        "correction": _l("Correction"),
        "prevention": _l("Prevention"),
        "attended": _l("Who attended"),
    }
    column_searchable_list = ("ticket.number",)
    filters = (RangeFilter("held_at"),)

    @office_action("print", _l("Print the minutes"), on="row", icon="printer", verb="see")
    def print_minutes(self, rows: Sequence[ReviewMeeting], _given: Any) -> Any:
        made = documents.print_review(
            db.session(), rows[0].id, language=language.current(), now=self.now(), staff_id=staff_id()
        )
        return pdf_response(made, f"{rows[0].ticket.number}.pdf")

    def text_of(self, row: ReviewMeeting) -> str:
        return row.ticket.number


SCREENS = (ReviewMeetingView,)
