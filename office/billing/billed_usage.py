"""Readings against bills: what a meter counted is on bills without a gap and without an overlap (B18, M7)."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from typing import Any

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from models.billing import FeeItem
from office.billing.meter_months import METER, READING
from office.billing.period_rows import LINE, UNIT, not_taken_back
from office.core.integrity import Finding
from office.receivables.ledger import INVOICE
from rules.billing import Basis
from rules.meters import how_chained
from rules.reasons import Reason


def gaps(session: Session) -> Iterator[Finding]:
    """Lines of a meter that begin elsewhere than the one before ended; a difference run closes it (check)."""
    rows = session.execute(
        select(
            INVOICE.c.unit_id,
            INVOICE.c.period,
            LINE.c.id,
            LINE.c.fee_item_id,
            LINE.c.explanation,
            UNIT.c.code,
        )
        .join(LINE, LINE.c.invoice_id == INVOICE.c.id)
        .join(FeeItem, FeeItem.id == LINE.c.fee_item_id)
        .join(UNIT, UNIT.c.id == INVOICE.c.unit_id)
        .where(
            FeeItem.basis == Basis.METERED,
            INVOICE.c.kind == "regular",
            INVOICE.c.state != "credited",
            not_taken_back(),
            exists().where(METER.c.unit_id == INVOICE.c.unit_id, READING.c.meter_id == METER.c.id),
        )
        .order_by(INVOICE.c.unit_id, LINE.c.fee_item_id, INVOICE.c.period, LINE.c.id)
    )
    for _, found in groupby(rows, key=lambda row: (row.unit_id, row.fee_item_id)):
        yield from _of_item(list(found))


def _of_item(rows: list[Any]) -> Iterator[Finding]:
    """The gaps of a unit's meters of one item; none where a difference run asked for what was missing."""
    told = [(row, Reason.from_json(row.explanation)) for row in rows]
    mended = {row.period for row, reason in told if reason.code == "difference"}
    chains: dict[str, list[Any]] = {}
    for row, reason in told:
        if "meter" in reason.inputs:
            chains.setdefault(str(reason.inputs["meter"]), []).append((row, reason))
    for meter, lines in chains.items():
        spans = [(str(reason.inputs["from"]), str(reason.inputs["to"])) for _, reason in lines]
        for place in how_chained(spans):
            row = lines[place][0]
            if not mended & {row.period, lines[place - 1][0].period}:
                name = f"{row.code} {meter} {row.period}"
                yield Finding(
                    "usage_is_billed_once", LINE.name, row.id, name, spans[place][0], spans[place - 1][1]
                )
