"""Rates of units: what an item costs a unit, a building, floors, a tag or a kind (B14)."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from datetime import date, datetime
from functools import partial
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.rates import SCOPE, ItemRate
from office.billing import item_rates
from office.core import audit
from office.core.errors import N_
from office.exchange.imports import cells, columns, known_rows, roster, words
from office.exchange.imports.columns import Column, Known, Problem, key_text, plainly, text
from office.exchange.imports.known_rows import KnownRows
from office.exchange.imports.taken import NO_UPDATE, Taken, Update
from rules.rates import scope_of

NUMBERS_SAID = ("rate", "amount", "factor", "is_exempt")  # one statement: empty among them is none
KEPT = ("id", "fee_item_id", "scope", "valid_from", "valid_to", "reason", *NUMBERS_SAID)
BILLED_ROW = N_("Bills go by this row already: end it, and enter a new one from the next day on")
FEE_ITEM = Column(
    "fee_item",
    ("收费项目", "收費項目", "费用项目", "費用項目", "项目", "項目", "fee"),
    columns.fee_item,
    is_required=True,
)
VALID_FROM = Column(
    "valid_from",
    ("生效日期", "开始日期", "開始日期", "起始日期", "自", "from"),
    columns.day,
    is_required=True,
    is_key=True,
)
VALID_TO = Column("valid_to", ("失效日期", "结束日期", "結束日期", "截止日期", "至", "to"), columns.day)
COLUMNS: tuple[Column, ...] = (
    Column("unit_code", columns.UNIT_HEADERS, columns.unit, is_code=True),
    Column(
        "building", ("楼栋", "樓棟", "楼号", "栋号", "幢", "棟別", "座别"), columns.building, is_code=True
    ),
    Column("floor_from", ("起始楼层", "起始樓層", "从楼层", "自樓層"), plainly(roster.floor), measure="own"),
    Column("floor_to", ("终止楼层", "終止樓層", "到楼层", "至樓層"), plainly(roster.floor), measure="own"),
    Column("tag", ("标签", "標籤"), key_text(60), empty="", is_code=True),
    Column(
        "unit_kind",
        ("房屋类型", "房屋類型", "类型", "類型", "物业类型", "kind"),
        plainly(cells.one_of(words.UNIT_KIND_WORDS)),
        empty="",
    ),
    FEE_ITEM,
    Column(
        "rate", ("单价", "單價", "费率", "費率"), plainly(partial(cells.number, places=6)), measure="yuan"
    ),
    Column("amount", ("月金额", "月金額", "每月金额", "金额", "金額"), plainly(cells.money), measure="yuan"),
    Column("factor", ("系数", "係數"), plainly(cells.number), measure="own"),
    Column("is_exempt", ("免收", "免收费", "免收費", "不收"), plainly(cells.flag), empty=False),
    VALID_FROM,
    VALID_TO,
    Column("reason", ("原因", "说明", "說明", "依据", "依據"), text(), empty=""),
)


def _scope(row: Mapping[str, Any]) -> str:
    return scope_of(
        row["unit_code"],
        row["tag"],
        row["building"],
        row["floor_from"],
        row["floor_to"],
        row["unit_kind"],
    )


def problems(_rows: Sequence[Mapping[str, Any]], _known: Known) -> list[Problem]:
    """The checks of the form find them while the rows are taken in."""
    return []


def never(until: date | None, there: Any, changed: Mapping[str, Any]) -> str:
    """Why a stored row of some days can't change so: bills go by it."""
    before = {name: getattr(there, name) for name in changed}
    valid_to = changed.get("valid_to", there.valid_to)
    return BILLED_ROW if item_rates.why_not(until, there.valid_from, before, valid_to) else ""


TOLD = (
    "unit_id",
    "building_id",
    "tag",
    "fee_item_id",
    "owner_id",
    "rate",
    "amount",
    "factor",
    "is_exempt",
    "valid_from",
    "valid_to",
)


def saved(session: Session, now: datetime, staff_id: int | None, row: Any, is_new: bool) -> None:  # noqa: FBT001 -- KnownRows calls it so
    """Check a row as its form does, end the one before it, and store it. Raises Refused."""
    check = item_rates.check_rate if isinstance(row, ItemRate) else item_rates.check_payer
    check(session, row)
    item_rates.end_earlier(session, row, now=now, staff_id=staff_id)
    if is_new:
        session.add(row)
    session.flush()
    if is_new:
        said = {
            name: getattr(row, name) for name in TOLD if getattr(row, name, None) not in {None, "", False}
        }
        audit.record(session, now, staff_id, "create", row, said)


def take_in(
    session: Session,
    given: Sequence[Mapping[str, Any]],
    *,
    now: datetime,
    staff_id: int | None = None,
    update: Update = NO_UPDATE,
) -> Taken:
    """Store the rates that are not there yet: a new one ends the one before it, as on the screen (B14)."""
    items = Known(session).fee_item_ids

    def key(row: Mapping[str, Any]) -> Hashable:
        return items[row["fee_item"]], _scope(row), row["valid_from"]

    def values(row: Mapping[str, Any], there: Any) -> dict[str, Any]:
        said = {name: row[name] for name in NUMBERS_SAID}
        said |= {name: row[name] for name in ("valid_to", "reason") if row[name]}
        if there is not None:
            return said
        places = {"unit_id": row["unit_code"], "building_id": row["building"]}
        places |= {name: row[name] for name in SCOPE if name not in places}
        return {**said, **places, "fee_item_id": items[row["fee_item"]], "valid_from": row["valid_from"]}

    stored = session.execute(select(*(getattr(ItemRate, name) for name in KEPT)))
    there: dict[Hashable, Any] = {(row.fee_item_id, row.scope, row.valid_from): row for row in stored}
    known = KnownRows(
        ItemRate,
        there,
        key,
        values,
        partial(saved, session, now, staff_id),
        partial(never, item_rates.billed_until(session)),
    )
    return known_rows.take_in(session, sorted(given, key=lambda row: row["valid_from"]), known, update)
