"""The screens of this room, in the order of the menu."""

from __future__ import annotations

from admin.arrears import dunning, enforcement

SCREENS = (
    *dunning.SCREENS,
    *enforcement.SCREENS,
)
