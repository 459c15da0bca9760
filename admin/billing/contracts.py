"""Rent contracts of units: what they say, their rents to come, which of them end soon (B24)."""

from __future__ import annotations

from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel.speaklater import LazyString

from admin.billing.rates import in_force
from admin.panel import office_time
from admin.panel.filters import RangeFilter, RelationFilter
from admin.panel.signed_in import current_staff
from admin.panel.view import OfficeView, OneClick, Related
from models.base import db
from models.contracts import RentChange, RentContract
from office.billing import contracts
from rules.rent import Rent, rents


def _ends_within(place: int) -> OneClick:
    """The tab of what ends within the first, second or third number of days of the policy."""

    def days() -> int:
        today = office_time.present()[0].astimezone(office_time.zone()).date()
        return contracts.end_days(db.session(), today)[place]

    return OneClick(
        f"ends_{place + 1}",
        LazyString(lambda: _("Ends within %(days)s days", days=days())),
        lambda view: contracts.ends_soon(view.today(), days()),
        sort="valid_to",
    )


class ContractView(OfficeView):
    table = RentContract
    screen = "contracts"
    title = _l("Rent contracts")
    empty_hint = _l(
        "Enter what an office, shop or bay is let for: the rent becomes a line of the tenant's bill each "
        "month. A table of contracts comes in under “Imports”."
    )
    icon = "key-round"
    can_delete = False
    column_list = (
        "number",
        "unit.code",
        "owner.name",
        "valid_from",
        "valid_to",
        "rent",
        "deposit",
        "step_every_months",
        "step_percent",
        "step_amount",
    )
    column_searchable_list = ("number", "unit.code", "owner.name", "owner.pinyin_initials")
    column_default_sort = "valid_to"
    column_labels = {"owner": _l("Tenant"), "owner.name": _l("Tenant"), "number": _l("Contract no.")}
    filters = (
        RelationFilter("unit"),
        RangeFilter("valid_from"),
        RangeFilter("valid_to"),
        RangeFilter("rent"),
    )
    one_click = (
        OneClick("current", _l("In force"), lambda view: in_force(view, RentContract)),
        *map(_ends_within, range(3)),
    )
    form_sections = (
        (_l("Who rents what"), ("number", "unit", "owner", "valid_from", "valid_to")),
        (_l("Rent"), ("rent", "deposit", "rent_free_from", "rent_free_to")),
        (_l("Steps of the rent"), ("step_every_months", "step_percent", "step_amount")),
        ("", ("note",)),
    )
    form_columns = tuple(column for _title, columns in form_sections for column in columns)
    column_descriptions = {
        "owner": _l("They get the bill; who else pays the item is entered under “Payers of items”"),
        "rent": _l("Yuan a month"),
        "step_every_months": _l("Counted from the first day, such as 12"),
        "step_percent": _l("Percent of the rent before it; or an amount"),
        "step_amount": _l("Yuan a month; or a percentage"),
        "valid_to": _l("Included; a contract that ends early gets its real last day"),
    }
    details_template = "billing/contract.html"
    related = (Related("rent_changes", "contract_id"),)

    def before_save(self, form: Any, row: Any, is_new: bool) -> None:  # noqa: ARG002, FBT001 -- the base's hook
        session = db.session()
        if row.fee_item is None:
            row.fee_item = contracts.rent_item(session, now=self.now(), staff_id=current_staff().id)
        for name in ("unit", "owner", "fee_item"):
            setattr(row, f"{name}_id", getattr(row, name).id)
        contracts.check(session, row)

    def rents(self, row: RentContract) -> tuple[Rent, ...]:
        """The contract's rents one after the other."""
        return rents(contracts.as_rule(row, contracts.changes_of(row)))


class RentChangeView(OfficeView):
    table = RentChange
    screen = "rent_changes"
    title = _l("Changes of rent")
    empty_hint = _l(
        "A rent that follows an index, or that was agreed anew, is entered here when it is known."
    )
    icon = "percent"
    can_delete = False
    column_list = ("contract.number", "from_on", "percent", "rent", "reason")
    column_searchable_list = ("contract.number",)
    column_default_sort = "-from_on"
    column_labels = {"contract": _l("Contract no."), "contract.number": _l("Contract no.")}
    filters = (RangeFilter("from_on"),)
    form_columns = ("contract", "from_on", "percent", "rent", "reason")
    column_descriptions = {
        "percent": _l("What the index says, such as 2.3; steps of the contract go on from the new rent"),
        "rent": _l("The new rent of a month, in place of a percentage"),
        "reason": _l("Which index of which month, or what was agreed"),
    }

    def before_save(self, form: Any, row: Any, is_new: bool) -> None:  # noqa: ARG002, FBT001 -- the base's hook
        contracts.check_change(db.session(), row, row.contract)


SCREENS = (ContractView, RentChangeView)
