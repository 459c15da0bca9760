"""Review meetings of complaints (T9)."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l

from admin.panel.filters import RangeFilter
from admin.panel.view import OfficeView
from models.complaints import ReviewMeeting


class ReviewMeetingView(OfficeView):
    """The meetings without which a major complaint does not close."""

    table = ReviewMeeting
    screen = "review_meetings"
    title = _l("Review meetings")
    empty_hint = _l("A major complaint needs one before it closes: open it and choose “Review meeting”.")
    room = "complaints"
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

    def text_of(self, row: ReviewMeeting) -> str:
        return row.ticket.number


SCREENS = (ReviewMeetingView,)
