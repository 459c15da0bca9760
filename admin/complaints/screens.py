"""The screens of this room, and whose rows they show."""

from __future__ import annotations

from admin.complaints import (
    case_library,
    categories,
    complainants,
    deadlines,
    incidents,
    invalid_requests,
    public_form,
    review_meetings,
    row_access,
    tickets,
    visits,
    work_board,
    work_slips,
)

SCREENS = (
    *work_board.SCREENS,
    *tickets.SCREENS,
    *incidents.SCREENS,
    *deadlines.SCREENS,
    *work_slips.SCREENS,
    *invalid_requests.SCREENS,
    *review_meetings.SCREENS,
    *complainants.SCREENS,
    *case_library.SCREENS,
    *categories.SCREENS,
    *public_form.SCREENS,
    *visits.SCREENS,
)
ROW_ACCESS = row_access.ROW_ACCESS
