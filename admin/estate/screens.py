"""The screens of this room, and whose rows they show."""

from __future__ import annotations

from admin.estate import (
    change_of_owner,
    hints,
    household_file,
    people,
    personal_data,
    search,
    unit_grid,
    units,
    vehicles,
)
from admin.panel.row_access import RowAccess, along_unit, units_of_own_buildings
from models.hints import DeskHint
from models.people import Occupancy, Owner, OwnerPhone
from models.property import Unit
from models.vehicles import Vehicle

SCREENS = (
    *search.SCREENS,
    *units.SCREENS,
    *people.SCREENS,
    *vehicles.SCREENS,
    *change_of_owner.SCREENS,
    *household_file.SCREENS,
    *personal_data.SCREENS,
    *unit_grid.SCREENS,
    *hints.SCREENS,
)
ROW_ACCESS: RowAccess = {
    Unit: units_of_own_buildings,
    DeskHint: hints.readable,
    Owner: along_unit(Owner.occupancies, Occupancy.unit_id),
    OwnerPhone: along_unit(OwnerPhone.owner, Owner.occupancies, Occupancy.unit_id),
    Occupancy: along_unit(Occupancy.unit_id),
    Vehicle: along_unit(Vehicle.unit_id),
}
