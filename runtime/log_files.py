"""Warnings and errors in rotating files, `logs/gatehouse.log` of the instance folder, and on stderr."""

from __future__ import annotations

import logging
import sys
from pathlib import Path

from office.core import outage_log

BYTES, FILES = 5 << 20, 10


def log_to_files(instance: Path) -> None:
    """Write this process's log to the file as well; web workers and the scheduler share it.

    What all of them notice, such as an outage of the database, is then said by one of them.
    """
    from concurrent_log_handler import ConcurrentRotatingFileHandler

    folder = instance / "logs"
    folder.mkdir(mode=0o700, exist_ok=True)
    outage_log.share(folder)
    file = ConcurrentRotatingFileHandler(
        str(folder / "gatehouse.log"), maxBytes=BYTES, backupCount=FILES, encoding="utf-8"
    )
    shape = logging.Formatter(
        "%(asctime)s %(process)d %(levelname)s %(name)s: %(message)s", datefmt="%Y-%m-%d %H:%M:%S%z"
    )
    for handler in (file, logging.StreamHandler(sys.stderr)):
        handler.setFormatter(shape)
        logging.getLogger().addHandler(handler)
