"""Complaint categories (T2)."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l

from admin.panel.filters import RelationFilter
from admin.panel.view import OfficeView
from models.complaints import Category


class CategoryView(OfficeView):
    """Kinds of complaint and the department that answers for each."""

    table = Category
    screen = "categories"
    title = _l("Complaint categories")
    empty_hint = _l("Enter the categories; each names the department that answers for it.")
    icon = "tags"
    column_list = ("code", "name", "department.name", "parent.name", "is_active", "position")
    column_labels = {"parent.name": _l("Under")}
    column_default_sort = "position"
    filters = (RelationFilter("department"),)
    form_columns = (
        "code",
        "name_en",
        "name_zh_hans",
        "name_zh_hant",
        "parent",
        "department",
        "is_active",
        "position",
    )


SCREENS = (CategoryView,)
