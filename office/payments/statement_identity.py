"""Which rows of a statement an earlier file brought already, whatever its form (M5)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, time, timedelta
from typing import cast

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from models.payments import StatementRow
from office.core import clock
from office.core.database import chunks
from office.payments.statement_entries import (
    ROW,
    Entry,
    IncomingRow,
    movement_of,
    stored_movement,
    without_number,
)
from rules import movements
from rules.movements import KnownMovement
from rules.reasons import Reason

NOT_FINAL = frozenset({"not_successful", "state_unknown"})  # reasons that a later file may settle
COMPARED = (
    "id", "source", "paid_at", "is_time_known", "amount", "method", "memo", "payer_name", "number", "account",
    "counter_account", "balance", "status", "state", "reason",
)  # fmt: skip


def incoming_rows(session: Session, entries: Sequence[Entry], source: str) -> list[IncomingRow]:
    """The entries of one file as movements, each without its number where the number identifies nothing."""
    zone = clock.zone(session)
    told = [movement_of(entry, source, zone) for entry in entries]
    real = movements.identifying_numbers((one.number, one) for one in told)
    return [
        IncomingRow(entry, one if not one.number or one.number in real else without_number(one), place)
        for place, (entry, one) in enumerate(zip(entries, told, strict=True))
    ]


def identify(session: Session, rows: Sequence[IncomingRow], last_id: int) -> None:
    """Set of each row whether it is known by a row up to `last_id`, or in doubt.

    The rows of a day must come together.
    """
    stored = _stored(session, rows, last_id)
    zone = clock.zone(session)
    known = [KnownMovement(one.id, stored_movement(one, zone)) for one in stored.values()]
    told = movements.identities([row.movement for row in rows], known)
    for row, identity in zip(rows, told, strict=True):
        row.identity = identity
        if identity.known_id is not None and not identity.doubt:
            one = stored[identity.known_id]
            row.known_state, row.known_status = one.state, one.status
            if row.entry.state == "done" and _waits_for_its_state(one):
                row.settles_id = one.id


def _waits_for_its_state(row: StatementRow) -> bool:
    return row.state == "waiting" and bool(row.reason) and Reason.from_json(row.reason).code in NOT_FINAL


def _stored(session: Session, rows: Sequence[IncomingRow], last_id: int) -> dict[int, StatementRow]:
    """The stored rows of these days and the days beside them, and those with one of these numbers."""
    if not last_id:
        return {}
    found: dict[int, StatementRow] = {}

    def load(*conditions: ColumnElement[bool]) -> None:
        asked = select(*(ROW.c[name] for name in COMPARED)).where(ROW.c.id <= last_id, *conditions)
        for one in session.execute(asked):
            found[one.id] = cast("StatementRow", one)

    days = [row.movement.day for row in rows if row.movement.day is not None]
    if days:
        zone = clock.zone(session)
        first = datetime.combine(min(days) - timedelta(days=1), time(), zone)
        last = datetime.combine(max(days) + timedelta(days=2), time(), zone)
        load(ROW.c.paid_at >= first, ROW.c.paid_at < last)
    for some in chunks(sorted({row.movement.number for row in rows if row.movement.number})):
        load(ROW.c.number.in_(some))
    return found
