"""A file brought through the import screen, kept in the database until it is taken in or given up.

Each step is short: upload and try, map its headers and try again, take it in. What a trial found stands in
the task, so that a page can show it without reading the file again. Several machines may serve the steps.
"""

from __future__ import annotations

import json
import secrets
import tempfile
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from models.complaints import Attachment
from models.office import Task
from models.payments import StatementLayout
from office import imports
from office.errors import N_, Refused
from office.imports.columns import RowsRefused, guess, header_key, header_line
from office.imports.reader import Table, read

KIND = "import"
SHOWN_ROWS = 8
KEPT_PROBLEMS = 500


def bring(
    session: Session, kind: str, file_name: str, content: bytes, *, now: datetime, staff_id: int | None
) -> Task:
    """Keep an uploaded file for its next steps. Raises Refused for another kind."""
    if kind not in imports.KINDS:
        raise Refused(N_("Choose what the file holds"))
    name = file_name.replace("\\", "/").rpartition("/")[2][-200:] or "file"
    key = secrets.token_urlsafe(32)
    media = "application/octet-stream"
    session.add(
        Attachment(
            key=key, file_name=name, media_type=media, content=content, added_at=now, staff_id=staff_id
        )
    )
    task = Task(kind=KIND, staff_id=staff_id, made_at=now, file_name=name, result={"kind": kind, "key": key})
    session.add(task)
    session.flush()
    return task


def content_of(session: Session, task: Task) -> bytes:
    """The kept file. Raises Refused when it was taken in or given up."""
    found = session.execute(select(Attachment.content).where(Attachment.key == task.result["key"])).scalar()
    if found is None:
        raise Refused(N_("This file is no longer here: bring it again"))
    return bytes(found)


def table_of(file_name: str, content: bytes) -> Table:
    """The table in a kept file, under its own name. Raises Refused as reader.read does."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "file"
        path.write_bytes(content)
        try:
            table = read(path)
        except Refused as refusal:
            raise Refused(refusal.message, **{**refusal.values, "file": file_name}) from None
    return Table(file_name, table.lines)


def try_out(
    session: Session, task_id: int, table: Table, mapping: Mapping[str, str], *, now: datetime
) -> dict[str, Any]:
    """What taking the table in would do; everything it did is undone. To be stored by `keep_trial`."""
    kind = session.get_one(Task, task_id).result["kind"]
    columns = imports.columns_of(kind)
    header = header_line(table, columns)
    found: dict[str, Any] = {
        "headers": [cell.strip() for cell in header.cells if cell.strip()],
        "mapping": dict(mapping) or guess(header, columns),
        "chosen": dict(mapping),
        "sample": [line.cells for line in table.lines if line.number > header.number][:SHOWN_ROWS],
        "rows": max(len(table.lines) - 1, 0),
        "problems": [],
        "count": 0,
        "refusal": None,
    }
    try:
        report = imports.take_in(session, kind, table, now=now, mapping=mapping)
        found |= {
            "rows": report.rows,
            "new": report.new,
            "skipped": report.skipped,
            "details": dict(report.details),
        }
    except RowsRefused as refusal:
        found |= {
            "count": len(refusal.problems),
            "problems": [_plain(vars(one)) for one in refusal.problems[:KEPT_PROBLEMS]],
        }
    except Refused as refusal:
        found["refusal"] = [refusal.message, _plain(refusal.values)]
    finally:
        session.rollback()
    return found


def _plain(values: Mapping[str, Any]) -> dict[str, Any]:
    return json.loads(json.dumps(dict(values), default=str, ensure_ascii=False))  # type: ignore[no-any-return]


def keep_trial(session: Session, task_id: int, trial: Mapping[str, Any]) -> Task:
    """Store what a trial found in the task."""
    task = session.get_one(Task, task_id)
    task.result = {"kind": task.result["kind"], "key": task.result["key"], **trial}
    task.total = int(trial["rows"])
    return task


def take_in(
    session: Session, task_id: int, table: Table, *, now: datetime, staff_id: int | None, layout: str = ""
) -> imports.Report:
    """Take the file in with the mapping of its last trial, and forget the file.

    With a `layout` a statement's mapping is remembered under that name (M5). Raises Refused.
    """
    task = session.get_one(Task, task_id)
    kind, mapping = task.result["kind"], task.result.get("chosen") or {}
    report = imports.take_in(session, kind, table, now=now, staff_id=staff_id, mapping=mapping)
    if layout and mapping and kind == "statement":
        remember(session, layout, task.result["headers"], mapping)
    task.state, task.finished_at, task.done = "done", now, report.rows
    counts = {"rows": report.rows, "new": report.new, "skipped": report.skipped}
    _forget(session, task)
    task.result = {"kind": kind, "key": "", **counts, "details": dict(report.details)}
    return report


def remember(session: Session, name: str, headers: list[str], mapping: Mapping[str, str]) -> None:
    """A bank's header and what its columns mean, for its next statement."""
    known = session.scalars(select(StatementLayout).where(StatementLayout.name == name)).one_or_none()
    row = known or StatementLayout(name=name[:80])
    row.header = json.dumps([header_key(header) for header in headers], ensure_ascii=False)
    row.columns = json.dumps(dict(mapping), ensure_ascii=False)
    session.add(row)


def give_up(session: Session, task_id: int, *, now: datetime) -> None:
    """Forget a file that is not to be taken in."""
    task = session.get_one(Task, task_id)
    _forget(session, task)
    task.state, task.finished_at, task.result = "failed", now, {"kind": task.result["kind"], "key": ""}


def _forget(session: Session, task: Task) -> None:
    session.execute(delete(Attachment).where(Attachment.key == task.result["key"]))
