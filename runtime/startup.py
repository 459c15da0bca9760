"""The first import of the program: garbage collection is off until the application stands (S16)."""

from __future__ import annotations

import gc

gc.disable()


def is_over() -> None:
    """The application stands: garbage is collected again from here on."""
    gc.enable()
