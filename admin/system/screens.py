"""The screens of this room, in the order of the menu."""

from __future__ import annotations

from admin.system import jobs, records

SCREENS = (
    *records.SCREENS,
    *jobs.SCREENS,
)
