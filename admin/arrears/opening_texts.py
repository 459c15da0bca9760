"""Suggested openings of a call, one for each reason for arrears and language (C8)."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l

from admin.panel import labels
from admin.panel.view import OfficeView
from models.collection import OpeningText


class OpeningTextView(OfficeView):
    table = OpeningText
    screen = "opening_texts"
    title = _l("Suggested openings")
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


SCREENS = (OpeningTextView,)
