"""The screens of this room, in the order of the menu."""

from __future__ import annotations

from admin.reports import dashboard, pages

SCREENS = (
    *dashboard.SCREENS,
    *pages.SCREENS,
)
