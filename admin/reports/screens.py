"""The screens of this room."""

from __future__ import annotations

from admin.reports import dashboard, pages

SCREENS = (
    *dashboard.SCREENS,
    *pages.SCREENS,
)
