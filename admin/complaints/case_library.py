"""The library of typical cases (T10)."""

from __future__ import annotations

from typing import Any

from flask_babel import lazy_gettext as _l
from sqlalchemy import or_

from admin.panel.filters import RelationFilter
from admin.panel.view import OfficeView
from models.base import db
from models.complaints import CaseEntry
from office.complaints import closures


class CaseView(OfficeView):
    """Typical cases without names, to learn from."""

    table = CaseEntry
    screen = "case_library"
    title = _l("Case library")
    icon = "library"
    column_list = ("title", "category.name", "what_happened", "what_was_done", "lesson")
    column_labels = {
        "title": _l("Title"),
        "what_happened": _l("What happened"),
        "what_was_done": _l("What was done"),
        "lesson": _l("Lesson"),
    }
    column_searchable_list = ("title",)
    filters = (RelationFilter("category"),)
    form_columns = ("title", "category", "what_happened", "what_was_done", "lesson")
    column_descriptions = {"what_happened": _l("Without names")}
    empty_hint = _l("Put a typical case in from its closed ticket.")

    def search_condition(self, words: str) -> Any:
        """The words anywhere in a case: the library is small."""
        return or_(
            *(
                column.icontains(words, autoescape=True)
                for column in (
                    CaseEntry.title,
                    CaseEntry.what_happened,
                    CaseEntry.what_was_done,
                    CaseEntry.lesson,
                )
            )
        )

    def before_save(self, form: Any, row: CaseEntry, is_new: bool) -> None:  # noqa: ARG002, FBT001 -- the hook's signature
        closures.refuse_names(
            db.session(), row.ticket_id, (row.title, row.what_happened, row.what_was_done, row.lesson)
        )


SCREENS = (CaseView,)
