"""The first import of the program: no garbage is looked for while half a million lasting objects are made."""

from __future__ import annotations

import gc

gc.disable()


def is_over() -> None:
    """The application stands: garbage is collected again from here on."""
    gc.enable()
