"""Folders for work in progress that hold the whole office: for their owner only, and gone afterwards."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from office.core import clock

LEFT_BEHIND_AFTER = 24 * 3600  # seconds; nothing works as long as that


@contextmanager
def scratch_folder(parent: Path, purpose: str) -> Iterator[Path]:
    """A folder `.PURPOSE-…` in a folder; those that a killed process left there a day ago are removed."""
    for old in parent.glob(f".{purpose}-*"):
        if clock.machine_now().timestamp() - old.stat().st_mtime > LEFT_BEHIND_AFTER:
            shutil.rmtree(old, ignore_errors=True)
    with tempfile.TemporaryDirectory(prefix=f".{purpose}-", dir=parent) as folder:
        yield Path(folder)
