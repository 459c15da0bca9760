"""What units are charged otherwise than the tariff says, and who pays an item (B14, B20)."""

from __future__ import annotations

from typing import Any

from flask import flash
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import or_

from admin.panel import formats, labels
from admin.panel.filters import ChoiceFilter, FlagFilter, RangeFilter, RelationFilter
from admin.panel.signed_in import current_staff
from admin.panel.view import OfficeView, OneClick
from models.base import db
from models.rates import ItemRate, UnitItemPayer
from office.billing import item_rates


def in_force(view: Any, model: Any) -> list[Any]:
    """The rows that hold today."""
    today = view.today()
    return [model.valid_from <= today, or_(model.valid_to.is_(None), model.valid_to >= today)]


def end_earlier(view: Any, row: Any) -> None:
    """End what the row follows, and say so."""
    for day in item_rates.end_earlier(db.session(), row, now=view.now(), staff_id=current_staff().id):
        flash(_("The row before it now ends on %(day)s.", day=formats.day(day)), "info")


class ItemRateView(OfficeView):
    table = ItemRate
    screen = "item_rates"
    title = _l("Rates of units")
    empty_hint = _l(
        "Enter what single units, buildings, floors or tags are charged otherwise than the tariff of their "
        "kind says; the most specific row counts. A table of them comes in under “Imports”."
    )
    icon = "scale"
    can_delete = False
    column_list = (
        "fee_item.name",
        "unit.code",
        "tag",
        "building.name",
        "floor_from",
        "floor_to",
        "unit_kind",
        "rate",
        "amount",
        "factor",
        "is_exempt",
        "valid_from",
        "valid_to",
        "reason",
    )
    column_searchable_list = ("unit.code", "tag")
    column_default_sort = "-valid_from"
    choices = {"unit_kind": labels.UNIT_KINDS}
    filters = (
        RelationFilter("fee_item"),
        RelationFilter("building"),
        ChoiceFilter("unit_kind"),
        FlagFilter("is_exempt"),
        RangeFilter("valid_from"),
    )
    one_click = (OneClick("current", _l("In force"), lambda view: in_force(view, ItemRate)),)
    form_sections = (
        (
            _l("For which units"),
            ("fee_item", "unit", "tag", "building", "floor_from", "floor_to", "unit_kind"),
        ),
        (_l("What they are charged"), ("rate", "amount", "factor", "is_exempt")),
        (_l("When and why"), ("valid_from", "valid_to", "reason")),
    )
    form_columns = tuple(column for _title, columns in form_sections for column in columns)
    column_descriptions = {
        "unit": _l("One unit alone; else leave it empty and say which units below"),
        "tag": _l("All units with this tag"),
        "rate": _l("Yuan for each unit of the basis, in place of the tariff"),
        "amount": _l("Yuan a month, whatever the quantity"),
        "factor": _l("Times the rate, such as 0.7; alone it multiplies the tariff"),
        "is_exempt": _l("These units are not charged for the item at all"),
        "valid_to": _l("Empty: until further notice"),
    }

    def before_save(self, form: Any, row: Any, is_new: bool) -> None:  # noqa: ARG002, FBT001 -- the base's hook
        _fill_keys(row)
        item_rates.check_rate(db.session(), row)
        end_earlier(self, row)


class ItemPayerView(OfficeView):
    table = UnitItemPayer
    screen = "item_payers"
    title = _l("Payers of items")
    empty_hint = _l(
        "Enter who pays a fee item of a unit where it is not the unit's own payer. They get a bill of their "
        "own."
    )
    icon = "handshake"
    can_delete = False
    column_list = ("unit.code", "fee_item.name", "owner.name", "valid_from", "valid_to")
    column_searchable_list = ("unit.code", "owner.name")
    column_default_sort = "-valid_from"
    column_labels = {"owner": _l("Payer"), "owner.name": _l("Payer")}
    filters = (RelationFilter("fee_item"), RangeFilter("valid_from"))
    one_click = (OneClick("current", _l("In force"), lambda view: in_force(view, UnitItemPayer)),)
    form_columns = ("unit", "fee_item", "owner", "valid_from", "valid_to")
    column_descriptions = {"valid_to": _l("Empty: until further notice")}

    def before_save(self, form: Any, row: Any, is_new: bool) -> None:  # noqa: ARG002, FBT001 -- the base's hook
        _fill_keys(row)
        item_rates.check_payer(db.session(), row)
        end_earlier(self, row)


def _fill_keys(row: Any) -> None:
    """The keys of what the form chose: the row is not flushed yet."""
    for name in ("fee_item", "unit", "building", "owner"):
        if hasattr(row, name):
            chosen = getattr(row, name)
            setattr(row, f"{name}_id", None if chosen is None else chosen.id)


SCREENS = (ItemRateView, ItemPayerView)
