"""The screens of this room, in the order of the menu."""

from __future__ import annotations

from admin.estate import change_of_owner, household_file, people, personal_data, search, unit_grid, units

SCREENS = (
    *search.SCREENS,
    *units.SCREENS,
    *people.SCREENS,
    *change_of_owner.SCREENS,
    *household_file.SCREENS,
    *personal_data.SCREENS,
    *unit_grid.SCREENS,
)
