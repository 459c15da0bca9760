"""The program's first import: no garbage collection while the application is created (S16)."""

from __future__ import annotations

import gc

gc.disable()


def enable_garbage_collection() -> None:
    """Call it once the application is created."""
    gc.enable()
