"""One audit row for each change made by a verb, in the change's own transaction (F17)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy.orm import Session

from models.office import Audit

RECORDED = "audited"  # in Session.info: (action, table, row id) of the rows added since it was last emptied


def record(
    session: Session,
    now: datetime,
    staff_id: int | None,
    action: str,
    row: Any,
    changes: Mapping[str, Any] | None = None,
) -> Audit:
    """Add the audit row of what was done to a row that has its id; the caller commits both together.

    `changes` gives for each column its value afterwards, or a pair (before, after).
    """
    audit = Audit(
        at=now,
        staff_id=staff_id,
        action=action,
        table_name=row.__tablename__,
        row_id=row.id,
        changes=json.dumps(
            {name: _before_after(value) for name, value in (changes or {}).items()}, ensure_ascii=False
        ),
    )
    session.add(audit)
    session.info.setdefault(RECORDED, set()).add((action, row.__tablename__, row.id))
    return audit


def _before_after(value: Any) -> list[Any]:
    if isinstance(value, tuple) and len(value) == 2:
        return [_plain(value[0]), _plain(value[1])]
    return [None, _plain(value)]


def _plain(value: Any) -> Any:
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return format(value, "f")
    return str(value)
