"""The screens of this room."""

from __future__ import annotations

from admin.exchange import imports

SCREENS = (*imports.SCREENS,)
