"""A file brought through the import screen, kept in the database until it is taken in or given up.

Each step is short: upload and try, map its headers and try again, take it in. What a trial found stands in
the task, so that a page can show it without reading the file again. Several machines may serve the steps.
"""

from __future__ import annotations

import itertools
import json
import secrets
import tempfile
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from models.complaints import Attachment
from models.office import Task
from models.payments import STATEMENT_METHODS, StatementLayout
from models.text_keys import called
from office.core.clock import machine_now
from office.core.errors import N_, Refused
from office.core.leases import is_expired, lease_holder
from office.exchange import imports
from office.exchange.imports import remembered
from office.exchange.imports.columns import Column, Problem, RowsRefused, guess, header_line, places_of
from office.exchange.imports.headers import header_key
from office.exchange.imports.mapping import NOTHING_SAID, FileMapping, from_stored, joined, parts_of
from office.exchange.imports.reader import HasHeader, Line, Table, read
from office.exchange.imports.taken import Difference
from office.payments import statements
from office.policies import large_sums

KIND = "import"
SHOWN_ROWS = 8
KEPT_PROBLEMS = 500
LOOKED_AT = 200  # earlier imports, for their headers
SAMPLES, SAMPLE_LENGTH = 3, 40  # values shown of a column
LOOKED_THROUGH = 2_000  # rows, for values that differ
# what a finished task keeps: numbers, and how the file was read, for the next with the same headers
LASTING = (
    "kind", "rows", "new", "skipped", "differs", "updated", "details", "headers", "said", "claimed_by",
    "claimed_at", "period", "run", "screen", "format",
)  # fmt: skip
MOST_WORDS = 60  # that are asked for at once


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


def table_of(file_name: str, content: bytes, has_header: HasHeader, sheet: str = "") -> Table:
    """The table in a kept file, under its own name. Raises Refused as reader.read does."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "file"
        path.write_bytes(content)
        try:
            table = read(path, sheet, has_header=has_header)
        except Refused as refusal:
            raise Refused(refusal.message, **{**refusal.values, "file": file_name}) from None
    return replace(table, file=file_name)


def said_of(task: Task) -> FileMapping:
    """What a person said about the file of an import."""
    return from_stored(task.result.get("said") or {})


def differences_of(task: Task) -> list[Difference]:
    """The differences that the trial of a file found, as far as they are listed."""
    return [Difference(**one) for one in task.result.get("differences", ())]


def headers_of(table: Table, brought: Brought, said: FileMapping) -> list[str]:
    """The headers of a file as written, or the cells of the line that is most like a header."""
    _count, header = header_line(table, brought.columns, said)
    return [cell.strip() for cell in header if cell.strip()]


def try_out(
    session: Session,
    table: Table,
    said: FileMapping,
    brought: Brought,
    *,
    now: datetime,
    staff_id: int | None = None,
) -> dict[str, Any]:
    """What taking the table in would do; everything it did is undone. To be stored by `keep_trial`."""
    columns = brought.columns
    count, header = header_line(table, columns, said)
    places = [place for place, cell in enumerate(header) if cell.strip()]
    body = table.lines[count:]
    found: dict[str, Any] = {
        "headers": [header[place].strip() for place in places],
        "guessed": guess(header, columns, FileMapping()),
        "said": said.stored() if said != NOTHING_SAID else {},
        "sheet": table.sheet,
        "samples": [_sample(line.cell(place) for line in body) for place in places],
        "sample": [[line.cell(place) for place in places] for line in body[:SHOWN_ROWS]],
        "rows": max(len(table.lines) - 1, 0),
        "problems": [],
        "words": [],
        "count": 0,
        "refusal": None,
    }
    if table.sheets:
        found["sheets"] = list(table.sheets)
    try:
        with large_sums.confirmed(session, large_sums.ANY):  # asked about when the file is taken in
            report = imports.take_in(
                session, brought.code, brought.kind, table, now=now, staff_id=staff_id, mapping=said
            )
        found |= {
            "large": list(report.large),
            "rows": report.rows,
            "new": report.new,
            "skipped": report.skipped,
            "details": dict(report.details),
            "skipped_lines": report.skipped_lines,
            "unused": list(report.unused),
            "differs": report.differs,
            "differences": [vars(one) for one in report.differences[:KEPT_PROBLEMS]],
            "named": _named(table, header, columns, said, {one.row for one in report.differences}),
            "preview": _first_rows(report.preview),
        }
    except RowsRefused as refusal:
        found |= {
            "count": refusal.count,
            "problems": [_plain(vars(one)) for one in refusal.problems[:KEPT_PROBLEMS]],
            "words": unknown_words(refusal.problems),
        }
    except Refused as refusal:
        found["refusal"] = [refusal.message, _plain(refusal.values)]
    finally:
        session.rollback()
    return found


def _named(
    table: Table, header: Sequence[str], columns: Sequence[Column], said: FileMapping, rows: Container[int]
) -> dict[str, str]:
    """What each of these rows is about, by its number: the cells of the columns that name a row."""
    places = places_of(header, columns, said)
    headers = {header_key(cell): place for place, cell in enumerate(header)}

    def key(line: Line, column: Column) -> str:
        template = said.joins.get(column.code)
        if template is None:
            return line.cell(places[column.code][0]).strip() if column.code in places else ""
        said_there = {name: line.cell(headers[header_key(name)]).strip() for name in parts_of(template)}
        return joined(template, said_there)

    keys = [column for column in columns if column.is_key]
    return {
        str(line.number): " ".join(filter(None, (key(line, column) for column in keys)))[:SAMPLE_LENGTH]
        for line in table.lines
        if line.number in rows
    }


def _sample(cells: Iterable[str]) -> list[str]:
    """The first few different values of a column."""
    found: dict[str, None] = {}
    for cell in itertools.islice(cells, LOOKED_THROUGH):
        if cell.strip():
            found[cell.strip()[:SAMPLE_LENGTH]] = None
        if len(found) == SAMPLES:
            break
    return list(found)


def unknown_words(problems: Iterable[Problem]) -> list[dict[str, Any]]:
    """Each word that no column knows, once, with the codes that it may stand for."""
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for one in problems:
        known = one.values.get("known")
        if isinstance(known, tuple) and one.column and one.value == one.values.get("value"):
            word = {"column": one.column, "word": one.value, "known": list(known)}
            found.setdefault((one.column, one.value), word)
    return list(found.values())[:MOST_WORDS]


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
    kept = {name: task.result[name] for name in ("kind", "key", "sheets") if name in task.result}
    task.result = {**kept, **trial}
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


def suggested(session: Session, kind: str, headers: Sequence[str]) -> FileMapping:
    """How the last file with just these headers was read: as remembered, else as it was taken in."""
    for row in remembered.fitting(session, kind, headers):
        if remembered.is_made_for(row, headers):
            return remembered.said_in(row)
    wanted = [header_key(header) for header in headers]
    last = session.scalars(
        select(Task).where(Task.kind == KIND, Task.state == "done").order_by(Task.id.desc()).limit(LOOKED_AT)
    )
    for task in last:
        found = [header_key(header) for header in task.result.get("headers", ())]
        if task.result.get("kind") == kind and found == wanted:
            return said_of(task)
    return NOTHING_SAID


def take_in(
    session: Session,
    task_id: int,
    table: Table,
    brought: Brought,
    *,
    now: datetime,
    staff_id: int | None,
    name: str = "",
    method: str = "bank_transfer",
    wanted: Container[Difference] = (),
) -> imports.Report:
    """Take the file in with the mapping of its last trial, and forget the file.

    The mapping is remembered for the next file with the same headers, under a `name` where one is given; a
    statement's columns then also as a bank's layout, which the command line knows too (M5). Raises Refused.
    """
    task = session.get_one(Task, task_id)
    kind, said = task.result["kind"], said_of(task)
    report = imports.take_in(
        session,
        brought.code,
        brought.kind,
        table,
        now=now,
        staff_id=staff_id,
        mapping=said,
        wanted=wanted,
    )
    headers, sheet = task.result.get("headers", []), task.result.get("sheet", "")
    if name and said != NOTHING_SAID:
        remembered.remember(session, kind, name, headers, said, sheet=sheet, now=now, staff_id=staff_id)
        if kind == "statement" and said.chosen:
            remember(session, name, headers, said.chosen, method)
    task.state, task.finished_at, task.done = "done", now, report.rows
    _forget(session, task)
    task.result = {
        "kind": kind,
        "key": "",
        "rows": report.rows,
        "new": report.new,
        "skipped": report.skipped,
        "differs": report.differs,
        "updated": report.updated,
        "details": dict(report.details),
        "headers": headers,
        "said": said.stored() if said != NOTHING_SAID else {},
    }
    return report


def remember(
    session: Session,
    name: str,
    headers: list[str],
    mapping: Mapping[str, str],
    method: str = "bank_transfer",
) -> None:
    """A bank's header, what its columns mean and how its rows were paid, for its next statement."""
    if method not in STATEMENT_METHODS:
        raise Refused(
            statements.NO_CASH if method == "cash" else N_("%(method)s is no way to pay"), method=method
        )
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


def forget_old(session: Session, before: datetime, now: datetime) -> int:
    """Forget files brought or made before an instant, and what their trials showed (P3, F23).

    A file that still waits is given up; how many rows came in, and how the file was read, stays. Files of a
    complaint or a visit are no uploads. Answers how many files went.
    """
    old = session.scalars(select(Task).where(Task.made_at < before, Task.is_cleared.is_(False)))
    for task in old:
        if task.kind == KIND and task.state in {"waiting", "running"}:
            task.state, task.finished_at = "failed", now
        task.result = {name: task.result[name] for name in LASTING if name in task.result} | {"key": ""}
        task.file_name, task.is_cleared = "", True
    gone: Any = session.execute(
        delete(Attachment).where(
            Attachment.ticket_id.is_(None), Attachment.visit_id.is_(None), Attachment.added_at < before
        )
    )
    return int(gone.rowcount)
