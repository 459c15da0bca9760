"""What stands on the estate: areas, buildings, units (P2)."""

from __future__ import annotations

from typing import Any

from flask_babel import lazy_gettext as _l

from admin.panel import labels, row_access
from admin.panel.columns import coded
from admin.panel.filters import ChoiceFilter, RangeFilter, RelationFilter
from admin.panel.signed_in import current_staff
from admin.panel.view import OfficeView, OneClick, Related
from models.property import Area, Building, Unit


class AreaView(OfficeView):
    table = Area
    screen = "areas"
    title = _l("Areas")
    empty_hint = _l("Enter the areas of the estate first; buildings belong to one.")
    icon = "layers"
    column_list = ("name", "position", "opened_on")
    column_default_sort = "position"
    column_editable_list = ("position",)
    form_columns = ("name", "position", "opened_on")
    related = (Related("buildings", "area_id"),)


class BuildingView(OfficeView):
    table = Building
    screen = "buildings"
    title = _l("Buildings")
    empty_hint = _l("Import the roster under “Imports”, or enter the first building here.")
    icon = "building-2"
    column_list = ("name", "area.name", "position")
    column_searchable_list = ("name",)
    column_default_sort = "position"
    column_editable_list = ("position",)
    filters = (RelationFilter("area"),)
    form_columns = ("name", "area", "position")
    related = (Related("units", "building_id"),)


class UnitView(OfficeView):
    table = Unit
    screen = "units"
    title = _l("Units")
    icon = "house"
    is_large = True
    column_list = (
        "code",
        "building.area.name",
        "building.name",
        "floor",
        "kind",
        "area_m2",
        "state",
        "handed_over_on",
    )
    column_searchable_list = ("code",)
    column_default_sort = "code"
    choices = {"kind": labels.UNIT_KINDS, "state": labels.UNIT_STATES}
    filters = (
        RelationFilter("building"),
        ChoiceFilter("kind"),
        ChoiceFilter("state"),
        RangeFilter("floor"),
        RangeFilter("area_m2"),
        RangeFilter("handed_over_on"),
    )
    one_click = (
        OneClick("vacant", _l("Vacant"), lambda _view: [coded(Unit.state, "vacant")]),
        OneClick(
            "mine",
            _l("My buildings"),
            lambda _view: [Unit.building_id.in_([each.id for each in current_staff().buildings])],
        ),
    )
    bulk_columns = ("state", "kind", "note")
    column_labels = {"code": _l("Unit no.")}
    form_columns = (
        "code",
        "building",
        "floor",
        "tags",
        "kind",
        "area_m2",
        "handed_over_on",
        "anchor_on",
        "state",
        "note",
    )
    form_sections = (
        (_l("Where"), ("code", "building", "floor", "tags")),
        (_l("Kind and area"), ("kind", "area_m2", "handed_over_on", "anchor_on", "state")),
        ("", ("note",)),
    )
    column_descriptions = {
        "code": _l("Unique, such as 3-2-1201"),
        "area_m2": _l("The area fees are charged on"),
        "handed_over_on": _l("Billing starts here; empty: handed over already"),
        "anchor_on": _l("First day of the cycles that count from the unit's own day; empty: the hand-over"),
        "tags": _l("Separated by commas; rates can be for all units with a tag"),
    }
    details_template = "estate/unit_details.html"
    related = (
        Related("occupancies", "unit_id"),
        Related("desk_hints", "unit_id"),
        Related("item_rates", "unit_id"),
        Related("item_payers", "unit_id"),
        Related("contracts", "unit_id"),
        Related("vehicles", "unit_id"),
        Related("invoices", "unit_id"),
        Related("payments", "unit_id"),
        Related("tickets", "unit_id"),
        Related("visits", "unit_id"),
        Related("meters", "unit_id"),
        Related("payer_accounts", "unit_id"),
    )

    def scope(self) -> list[Any]:
        """Where a unit is, is no secret; what hangs on it is bound by its own screens."""
        return []

    def facts(self, row: Any) -> list[tuple[str, Any, Any, bool]]:
        """What is noted about a unit is for those who answer for it."""
        found = super().facts(row)
        return found if row_access.has_unit(row.id) else [each for each in found if each[0] != "note"]

    empty_hint = _l("Import the roster under “Imports”, or enter the first area, building and unit by hand.")


SCREENS = (UnitView, BuildingView, AreaView)
