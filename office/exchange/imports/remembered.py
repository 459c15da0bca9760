"""How an office's files are read, remembered under a name for the next file (contract "Reading files")."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.office import ImportMapping
from models.text_keys import called
from office.core import audit
from office.core.errors import N_, Refused
from office.exchange.imports.headers import header_key
from office.exchange.imports.mapping import FileMapping, from_stored

MOST_NAME = 80


def fitting(session: Session, kind: str, headers: Sequence[str]) -> list[ImportMapping]:
    """The remembered mappings of a kind whose headers a file has, the one that needs most of them first."""
    there = set(map(header_key, headers))
    rows = session.scalars(select(ImportMapping).where(ImportMapping.kind == kind).order_by(ImportMapping.id))
    found = [(set(map(header_key, said_in(row).needed_headers)), row) for row in rows]
    found = [(needed, row) for needed, row in found if needed <= there]
    found.sort(key=lambda pair: (len(pair[0]), pair[1].id), reverse=True)
    return [row for _needed, row in found]


def is_made_for(row: ImportMapping, headers: Sequence[str]) -> bool:
    """Whether a mapping was made for a file with just these headers."""
    return list(map(header_key, headers_in(row))) == list(map(header_key, headers))


def headers_in(row: ImportMapping) -> list[str]:
    """The headers, as written, of the file that a mapping was made for."""
    return list(json.loads(row.headers))


def said_in(row: ImportMapping) -> FileMapping:
    """What a remembered mapping says of a file."""
    return from_stored(json.loads(row.said))


def remember(
    session: Session,
    kind: str,
    name: str,
    headers: Sequence[str],
    said: FileMapping,
    *,
    sheet: str = "",
    now: datetime,
    staff_id: int | None,
) -> ImportMapping:
    """Keep a mapping under a name; one of that name and kind is replaced. Raises Refused without a name."""
    name = name.strip()[:MOST_NAME]
    if not name:
        raise Refused(N_("Please give it a name."))
    of_kind = select(ImportMapping).where(ImportMapping.kind == kind)
    known = session.scalars(called(of_kind, ImportMapping.name, name)).first()
    row = known or ImportMapping(kind=kind, name=name)
    row.headers = json.dumps(list(headers), ensure_ascii=False)
    row.said, row.sheet = json.dumps(said.stored(), ensure_ascii=False), sheet[:MOST_NAME]
    row.made_at, row.staff_id = now, staff_id
    session.add(row)
    session.flush()
    changes = {"kind": kind, "name": name, "columns": "、".join(said.needed_headers)}
    audit.record(session, now, staff_id, "remember", row, changes)
    return row


def forget(session: Session, row: ImportMapping, *, now: datetime, staff_id: int | None) -> None:
    """Remove a remembered mapping; files that it read stay as they are."""
    audit.record(session, now, staff_id, "forget", row, {"kind": (row.kind, None), "name": (row.name, None)})
    session.delete(row)
