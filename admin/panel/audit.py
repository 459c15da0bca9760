"""One audit row for each change made on a screen, in the change's own transaction (F17)."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import inspect

from admin.panel.signed_in import staff_if_signed_in
from models.base import db
from models.engine import writing
from models.office import Audit
from models.secrets import Sealed, masked
from models.text_keys import is_derived
from office.core import clock
from office.core.audit import RECORDED

BATCH = "_batch"  # an entry of the changes: which bulk edit they belong to
HIDDEN = frozenset({"password_hash", "totp_secret", "totp_step", "csrf_secret", "key_hash"})


def record(
    action: str,
    table: str,
    row_id: int | None,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
    *,
    staff_id: int | None = None,
    at: datetime | None = None,
) -> Audit:
    """Add the audit row of one change; the caller commits it together with the change."""
    staff = staff_if_signed_in()
    changes = {
        name: [plain((before or {}).get(name)), plain((after or {}).get(name))]
        for name in {**(before or {}), **(after or {})}
        if plain((before or {}).get(name)) != plain((after or {}).get(name))
    }
    row = Audit(
        at=at or clock.now(db.session()),
        staff_id=staff_id if staff_id is not None else (staff.id if staff else None),
        action=action,
        table_name=table,
        row_id=row_id,
        changes=json.dumps(changes, ensure_ascii=False),
    )
    db.session.add(row)
    db.session().info.setdefault(RECORDED, set()).add((action, table, row_id))
    return row


def record_reading(action: str, table: str, row_id: int | None, about: Mapping[str, Any]) -> None:
    """Note that something was taken out by a GET, in a transaction of its own, committed here.

    In SQLite a transaction that began by reading can't write after another connection has written.
    """
    db.session.commit()
    with writing():
        record(action, table, row_id, {}, about)
        db.session.commit()


def pending_changes(row: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """The values before and after of what was changed on a row but not yet flushed; secrets masked."""
    state = inspect(row)
    before: dict[str, Any] = {}
    after: dict[str, Any] = {}
    for attribute in state.mapper.column_attrs:
        name = attribute.key
        if name == "row_version" or is_derived(attribute.columns[0]):
            continue
        history = state.attrs[name].history
        if not history.has_changes():
            continue
        before[name] = _shown(attribute, history.deleted[0] if history.deleted else None)
        after[name] = _shown(attribute, history.added[0] if history.added else None)
    for relation in state.mapper.relationships:
        history = state.attrs[relation.key].history
        if not relation.uselist and history.has_changes() and relation.direction.name == "MANYTOONE":
            name = next(iter(relation.local_columns)).key  # the key itself changes only when it is flushed
            before[name], after[name] = _key(history.deleted), _key(history.added)
        elif relation.uselist and history.has_changes():
            left = [str(child) for child in (*history.unchanged, *history.deleted)]
            before[relation.key] = ", ".join(left)
            after[relation.key] = ", ".join(str(child) for child in (*history.unchanged, *history.added))
    return before, after


def _key(rows: Sequence[Any]) -> int | None:
    return rows[0].id if rows and rows[0] is not None else None


def snapshot(row: Any) -> dict[str, Any]:
    """All values of a row, secrets masked: what a deletion takes away."""
    return {
        attribute.key: _shown(attribute, getattr(row, attribute.key))
        for attribute in inspect(row).mapper.column_attrs
        if not attribute.deferred
    }


def plain(value: Any) -> Any:
    """A value as it is stored in JSON."""
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return format(value, "f")
    return str(value)


def _shown(attribute: Any, value: Any) -> Any:
    if value is None:
        return None
    if attribute.key in HIDDEN or attribute.key.endswith("_mac"):
        return "***"
    if isinstance(attribute.columns[0].type, Sealed):
        return masked(value)
    return plain(value)
