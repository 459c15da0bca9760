"""Warnings and errors in rotating files, `logs/gatehouse.log` of the instance folder, and on stderr."""

from __future__ import annotations

import logging
import sys
from pathlib import Path

BYTES, FILES = 5 << 20, 10


def log_to_files(instance: Path) -> None:
    """Write this process's log to the file as well; web workers and the scheduler share it."""
    from concurrent_log_handler import ConcurrentRotatingFileHandler

    folder = instance / "logs"
    folder.mkdir(mode=0o700, exist_ok=True)
    file = ConcurrentRotatingFileHandler(
        str(folder / "gatehouse.log"), maxBytes=BYTES, backupCount=FILES, encoding="utf-8"
    )
    shape = logging.Formatter(
        "%(asctime)s %(process)d %(levelname)s %(name)s: %(message)s", datefmt="%Y-%m-%d %H:%M:%S%z"
    )
    for handler in (file, logging.StreamHandler(sys.stderr)):
        handler.setFormatter(shape)
        logging.getLogger().addHandler(handler)
