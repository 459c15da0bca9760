"""A file brought through the import screen, kept in the database until it is taken in or given up.

Each step is short: upload and try, map its headers and try again, take it in. What a trial found stands in
the task, so that a page can show it without reading the file again. Several machines may serve the steps.
"""

from __future__ import annotations

import json
import secrets
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from models.complaints import Attachment
from models.office import Task
from models.payments import METHODS, StatementLayout
from models.text_keys import called
from office.core.clock import machine_now
from office.core.errors import N_, Refused
from office.core.leases import is_expired, lease_holder
from office.exchange import imports
from office.exchange.imports.columns import Column, RowsRefused, guess, header_line
from office.exchange.imports.headers import header_key
from office.exchange.imports.mapping import FileMapping, of_headers
from office.exchange.imports.reader import HasHeader, Table, read

KIND = "import"
SHOWN_ROWS = 8
KEPT_PROBLEMS = 500
LOOKED_AT = 200  # earlier imports, for their headers


@dataclass(frozen=True)
class Brought:
    """What a file holds: the code under which the history names it, and its columns and verbs."""

    code: str
    kind: imports.Kind

    @property
    def columns(self) -> Sequence[Column]:
        return self.kind.COLUMNS


def bring(
    session: Session, kind: str, file_name: str, content: bytes, *, now: datetime, staff_id: int | None
) -> Task:
    """Keep an uploaded file for its next steps."""
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


def table_of(file_name: str, content: bytes, has_header: HasHeader) -> Table:
    """The table in a kept file, under its own name. Raises Refused as reader.read does."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "file"
        path.write_bytes(content)
        try:
            table = read(path, has_header=has_header)
        except Refused as refusal:
            raise Refused(refusal.message, **{**refusal.values, "file": file_name}) from None
    return Table(file_name, table.lines)


def mapping_of(brought: Brought, chosen: Mapping[str, str] | None) -> FileMapping:
    """What a person chose on the screen, {column code: header}."""
    return of_headers(chosen or {}, (column.code for column in brought.columns))


def try_out(
    session: Session, table: Table, mapping: Mapping[str, str], brought: Brought, *, now: datetime
) -> dict[str, Any]:
    """What taking the table in would do; everything it did is undone. To be stored by `keep_trial`."""
    columns = brought.columns
    said = mapping_of(brought, mapping)
    count, header = header_line(table, columns, FileMapping())
    found: dict[str, Any] = {
        "headers": [cell.strip() for cell in header if cell.strip()],
        "mapping": dict(mapping) or guess(header, columns, FileMapping()),
        "chosen": dict(mapping),
        "sample": [line.cells for line in table.lines[count:]][:SHOWN_ROWS],
        "rows": max(len(table.lines) - 1, 0),
        "problems": [],
        "count": 0,
        "refusal": None,
    }
    try:
        report = imports.take_in(session, brought.code, brought.kind, table, now=now, mapping=said)
        found |= {
            "rows": report.rows,
            "new": report.new,
            "skipped": report.skipped,
            "details": dict(report.details),
            "skipped_lines": report.skipped_lines,
            "unused": list(report.unused),
            "differs": report.differs,
            "differences": [vars(one) for one in report.differences[:KEPT_PROBLEMS]],
            "preview": _first_rows(report.preview),
        }
    except RowsRefused as refusal:
        found |= {
            "count": refusal.count,
            "problems": [_plain(vars(one)) for one in refusal.problems[:KEPT_PROBLEMS]],
        }
    except Refused as refusal:
        found["refusal"] = [refusal.message, _plain(refusal.values)]
    finally:
        session.rollback()
    return found


def _first_rows(preview: Mapping[str, Any]) -> dict[str, Any]:
    """A statement's preview with so many rows as a page shows, those that wait first."""
    if not preview:
        return {}
    rows = sorted(preview["rows"], key=lambda row: row["state"] not in {"waiting", "differs"})
    return {**preview, "rows": rows[:KEPT_PROBLEMS], "count": len(rows)}


def _plain(values: Mapping[str, Any]) -> dict[str, Any]:
    return json.loads(json.dumps(dict(values), default=str, ensure_ascii=False))  # type: ignore[no-any-return]


def keep_trial(session: Session, task_id: int, trial: Mapping[str, Any]) -> Task:
    """Store what a trial found in the task."""
    task = session.get_one(Task, task_id)
    task.result = {"kind": task.result["kind"], "key": task.result["key"], **trial}
    task.state, task.total = "waiting", int(trial["rows"])
    return task


def claim(session: Session, task_id: int) -> None:
    """This process works on the file from now on."""
    task = session.get_one(Task, task_id)
    task.state = "running"
    held = {"claimed_by": lease_holder(), "claimed_at": machine_now().isoformat()}
    task.result = {**task.result, **held}


def refuse(session: Session, task_id: int, refusal: Refused) -> None:
    """Say in the task why the file was not taken in; it waits for its person."""
    task = session.get_one(Task, task_id)
    task.state = "waiting"
    task.result = {**task.result, "refusal": [refusal.message, _plain(refusal.values)]}


def let_go(task: Task) -> None:
    """Put a file whose process is gone back to where it waits for a person."""
    if task.state == "running" and is_expired(
        task.result["claimed_by"], datetime.fromisoformat(task.result["claimed_at"]), machine_now()
    ):
        task.state = "waiting"


def remembered(session: Session, kind: str, headers: list[str]) -> dict[str, str]:
    """The mapping that a person chose when a file of this kind with these headers was last taken in."""
    wanted = [header_key(header) for header in headers]
    last = session.scalars(
        select(Task).where(Task.kind == KIND, Task.state == "done").order_by(Task.id.desc()).limit(LOOKED_AT)
    )
    for task in last:
        found = [header_key(header) for header in task.result.get("headers", ())]
        if task.result.get("kind") == kind and found == wanted:
            return dict(task.result.get("chosen") or {})
    return {}


def take_in(
    session: Session,
    task_id: int,
    table: Table,
    brought: Brought,
    *,
    now: datetime,
    staff_id: int | None,
    layout: str = "",
    method: str = "bank_transfer",
    is_update: bool = False,
) -> imports.Report:
    """Take the file in with the mapping of its last trial, and forget the file.

    The mapping is remembered for the next file with the same headers; with a `layout` a statement's also
    under that name (M5). Raises Refused.
    """
    task = session.get_one(Task, task_id)
    kind, mapping = task.result["kind"], task.result.get("chosen") or {}
    report = imports.take_in(
        session,
        brought.code,
        brought.kind,
        table,
        now=now,
        staff_id=staff_id,
        mapping=mapping_of(brought, mapping),
        is_update=is_update,
    )
    if layout and mapping and kind == "statement":
        remember(session, layout, task.result["headers"], mapping, method)
    task.state, task.finished_at, task.done = "done", now, report.rows
    counts = {"rows": report.rows, "new": report.new, "skipped": report.skipped}
    headers = {"headers": task.result.get("headers", []), "chosen": mapping}
    _forget(session, task)
    task.result = {"kind": kind, "key": "", **counts, "details": dict(report.details), **headers}
    return report


def remember(
    session: Session,
    name: str,
    headers: list[str],
    mapping: Mapping[str, str],
    method: str = "bank_transfer",
) -> None:
    """A bank's header, what its columns mean and how its rows were paid, for its next statement."""
    if method not in METHODS:
        raise Refused(N_("%(method)s is no way to pay"), method=method)
    known = session.scalars(called(select(StatementLayout), StatementLayout.name, name)).first()
    row = known or StatementLayout(name=name[:80])
    row.header = json.dumps([header_key(header) for header in headers], ensure_ascii=False)
    row.columns, row.method = json.dumps(dict(mapping), ensure_ascii=False), method
    session.add(row)


def give_up(session: Session, task_id: int, *, now: datetime) -> None:
    """Forget a file that is not to be taken in."""
    task = session.get_one(Task, task_id)
    _forget(session, task)
    task.state, task.finished_at, task.result = "failed", now, {"kind": task.result["kind"], "key": ""}


def _forget(session: Session, task: Task) -> None:
    session.execute(delete(Attachment).where(Attachment.key == task.result["key"]))
