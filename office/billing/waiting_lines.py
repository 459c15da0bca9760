"""Lines that waited when their unit's bill went out: the next run of the period bills them (B4, B18)."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Collection

from sqlalchemy import exists, or_, select
from sqlalchemy.orm import Session

from models.billing import BillingRun, FeeItem
from office.billing import working_tables
from office.billing.period_rows import LINE, UNIT, not_taken_back
from office.billing.working_tables import LATE, OWN_LINE, PENDING
from office.core.database import chunks
from office.receivables.ledger import INVOICE
from rules.billing import MONTHLY, Basis, Period

BY_TIME_OR_METER = frozenset({*MONTHLY, Basis.METERED})  # a slip or a share waits as it is


def note(session: Session, period: Period, unit_ids: Collection[int] | None) -> dict[int, set[int]]:
    """Note the units whose month is billed and the items whose lines waited; answers them by unit.

    A line of time that was billed since, or one that a difference run asked for, is none of them (B21).
    """
    told = _told(session, period)
    found: dict[int, set[int]] = defaultdict(set)
    for some in chunks(sorted({code for code, _ in told})):
        units = dict(
            session.execute(
                select(UNIT.c.code, UNIT.c.id).where(
                    UNIT.c.code.in_(some), UNIT.c.id.not_in(select(PENDING.c.unit_id))
                )
            ).all()
        )
        for code, item_id in told:
            unit_id = units.get(code)
            if unit_id is not None and (unit_ids is None or unit_id in unit_ids):
                found[unit_id].add(item_id)
    for unit_id, item_id in _billed_since(session, period, list(found)):
        found[unit_id].discard(item_id)
    late = {unit_id: items for unit_id, items in found.items() if items}
    rows = [{"unit_id": unit_id, "fee_item_id": one} for unit_id, items in late.items() for one in items]
    working_tables.fill(session, LATE, rows)
    working_tables.fill(session, PENDING, [{"unit_id": unit_id} for unit_id in late])
    return late


def _told(session: Session, period: Period) -> set[tuple[str, int]]:
    """Unit codes and items whose lines waited in a run of the period."""
    waited = {
        (one["unit_code"], one["fee_item"])
        for text in session.scalars(select(BillingRun.unbilled).where(BillingRun.period == str(period)))
        for one in json.loads(text)
        if "fee_item" in one
    }
    if not waited:
        return set()
    items = dict(
        session.execute(
            select(FeeItem.code, FeeItem.id).where(FeeItem.is_active, FeeItem.basis.in_(BY_TIME_OR_METER))
        ).all()
    )
    return {(code, items[item]) for code, item in waited if item in items}


def _billed_since(session: Session, period: Period, unit_ids: list[int]) -> list[tuple[int, int]]:
    """Units and items that a bill of the period asks for; of meters only what a difference run asked for."""
    found: list[tuple[int, int]] = []
    for some in chunks(unit_ids):
        rows = session.execute(
            select(INVOICE.c.unit_id, LINE.c.fee_item_id)
            .join(LINE, LINE.c.invoice_id == INVOICE.c.id)
            .join(FeeItem, FeeItem.id == LINE.c.fee_item_id)
            .where(
                INVOICE.c.unit_id.in_(some),
                INVOICE.c.period == str(period),
                INVOICE.c.kind == "regular",
                not_taken_back(),
                or_(FeeItem.basis != Basis.METERED, INVOICE.c.part.like("more %")),
            )
            .distinct()
        )
        found += [(unit_id, item_id) for unit_id, item_id in rows]
    return found


def drop_others(session: Session) -> None:
    """Of units that are billed already keep only the lines that waited: the rest is billed, or waits on."""
    if session.scalar(select(LATE.c.unit_id).limit(1)) is None:
        return
    waited = exists().where(
        LATE.c.unit_id == OWN_LINE.c.unit_id, LATE.c.fee_item_id == OWN_LINE.c.fee_item_id
    )
    is_late = OWN_LINE.c.unit_id.in_(select(LATE.c.unit_id))
    session.execute(OWN_LINE.delete().where(is_late, ~waited))
