"""What is charged at a unit, by which row, until when: the next bills as the run will make them (B14–B20)."""

from __future__ import annotations

from typing import Any

from flask import request, url_for
from flask_admin import expose
from flask_babel import lazy_gettext as _l

from admin.billing.invoices import item_names
from admin.panel import labels, row_access, wording
from admin.panel.permissions import may_see
from admin.panel.screen import OfficePage
from models.base import db
from models.property import Unit
from office.billing import unit_charges
from office.billing.unit_charges import DecidingRow
from office.estate import vehicles

SCREEN_OF = {
    "item_rate": "item_rates",
    "tariff": "tariffs",
    "vacancy": "vacancies",
    "rent_contract": "contracts",
    "unit_item_payer": "item_payers",
    "meter": "meters",
    "pool": "pools",
    "service_slip": "service_slips",
}


class UnitChargesPage(OfficePage):
    screen = "unit_charges"
    title = _l("What is charged here")
    icon = "scale"

    @expose("/")
    def index(self) -> Any:
        unit = row_access.find_or_404(Unit, request.args.get("unit_id"), within=_own_units())
        found = unit_charges.charges(db.session(), unit.id, self.today())
        return self.render(
            "billing/unit_charges.html",
            found=found,
            names=item_names([one.item.code for one in found.charges]),
            address=address,
            words=lambda reason: wording.reason(reason.to_json()),
            row_name=lambda row: wording.value("row", row.name),
            table=wording.table,
            bases=labels.BASES,
            cards=vehicles.of_unit(db.session(), unit.id) if may_see("vehicles") else (),
            today=self.today(),
            view=self,
        )


def address(row: DecidingRow) -> str:
    """Where a row is shown, empty for who may not see it."""
    screen = SCREEN_OF[row.table]
    return url_for(f"{screen}.details_view", id=row.id) if may_see(screen) else ""


def _own_units() -> list[Any]:
    own = row_access.own_buildings()
    return [Unit.building_id.in_(own)] if own else []


SCREENS = (UnitChargesPage,)
