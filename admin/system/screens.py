"""The screens of this room."""

from __future__ import annotations

from admin.system import jobs, records

SCREENS = (
    *records.SCREENS,
    *jobs.SCREENS,
)
