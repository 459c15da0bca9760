"""The screens of this room, in the order of the menu."""

from __future__ import annotations

from admin.exchange import imports

SCREENS = (*imports.SCREENS,)
