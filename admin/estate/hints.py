"""Hints for the desk per building or unit: entered by form, shown where somebody calls about it (T26)."""

from __future__ import annotations

from typing import Any

from flask_babel import lazy_gettext as _l
from sqlalchemy import or_

from admin.panel import formats, labels
from admin.panel.filters import ChoiceFilter, RelationFilter
from admin.panel.row_access import own_buildings, own_units
from admin.panel.view import OfficeView, OneClick
from models.hints import DeskHint
from office.estate import hints


def readable() -> list[Any]:
    """A steward who is bound to buildings reads the hints on these; the others all."""
    bound = own_buildings()
    return [or_(DeskHint.building_id.in_(bound), DeskHint.unit_id.in_(own_units()))] if bound else []


class HintView(OfficeView):
    """Who has the key, which contractor comes, what else the desk should know."""

    table = DeskHint
    screen = "desk_hints"
    title = _l("Hints for the desk")
    icon = "info"
    can_import = False
    empty_hint = _l(
        "Enter who has the key of a unit or which contractor comes to a building: the desk sees it while "
        "somebody calls, on the complaint and in the household file."
    )
    column_list = ("unit.code", "building.name", "kind", "words", "from_on", "to_on")
    column_default_sort = "-from_on"
    column_searchable_list = ("unit.code",)
    column_labels = {"words": _l("What the desk should know"), "kind": _l("Kind")}
    column_formats = {"words": formats.long_text}
    choices = {"kind": labels.HINT_KINDS}
    filters = (RelationFilter("building"), ChoiceFilter("kind"))
    one_click = (
        OneClick(
            "current",
            _l("In force"),
            lambda view: [
                DeskHint.from_on <= view.today(),
                or_(DeskHint.to_on.is_(None), DeskHint.to_on >= view.today()),
            ],
        ),
    )
    form_columns = ("unit", "building", "kind", "words", "from_on", "to_on")
    column_descriptions = {
        "unit": _l("Or a building, for all its units"),
        "to_on": _l("Included; empty: until further notice"),
    }

    def before_save(self, form: Any, row: Any, is_new: bool) -> None:  # noqa: ARG002, FBT001 -- the base's hook
        hints.check(row)


SCREENS = (HintView,)
