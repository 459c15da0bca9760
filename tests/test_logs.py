"""Log files rotate, are shared by processes, and hold no personal data (F16, §8)."""

from __future__ import annotations

import logging
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from models import db
from office.core import outage_log
from runtime import log_files
from tests.conftest import Office

WRITER = """
import logging, sys, pathlib
from runtime import log_files
log_files.BYTES, log_files.FILES = 2000, 50
log_files.log_to_files(pathlib.Path(sys.argv[1]))
for number in range(100):
    logging.getLogger("office").error("%s-%03d", sys.argv[2], number)
"""


@pytest.fixture
def root_logger(monkeypatch: pytest.MonkeyPatch) -> Iterator[logging.Logger]:
    monkeypatch.setattr(outage_log, "_folder", None)
    root = logging.getLogger()
    before = list(root.handlers)
    yield root
    for handler in set(root.handlers) - set(before):
        root.removeHandler(handler)
        handler.close()


def test_processes_share_a_log_that_rotates_and_lose_no_line(tmp_path: Path) -> None:
    command = [sys.executable, "-c", WRITER, str(tmp_path)]
    writers = [subprocess.Popen([*command, name], stderr=subprocess.DEVNULL) for name in "ab"]

    assert [writer.wait() for writer in writers] == [0, 0]

    files = list((tmp_path / "logs").glob("gatehouse.log*"))
    lines = "".join(file.read_text() for file in files)
    assert len(files) > 2
    assert all(f"{name}-{number:03}" in lines for name in "ab" for number in range(100))
    assert (tmp_path / "logs").stat().st_mode & 0o077 == 0


def test_a_failed_statement_is_logged_without_its_values(office: Office, root_logger: logging.Logger) -> None:
    log_files.log_to_files(office.instance)
    with office.app.app_context():
        try:
            db.session.execute(
                text("SELECT nothing FROM owner WHERE name = :name"), {"name": "王芳 13800138000"}
            )
        except SQLAlchemyError:
            logging.getLogger("office").exception("a tick failed")
        db.session.rollback()

    written = (office.instance / "logs" / "gatehouse.log").read_text()
    assert "a tick failed" in written
    assert "13800138000" not in written
