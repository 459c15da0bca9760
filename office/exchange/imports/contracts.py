"""Rent contracts of units, known by their number (B24)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from models.contracts import MOST_MONTHS, RentContract
from models.people import Owner
from office.billing import contracts
from office.estate.owners import add_owner, only_one_named
from office.exchange.imports import cells, columns, known_rows
from office.exchange.imports.columns import Column, Known, Problem, key_text, plainly, text, twice
from office.exchange.imports.known_rows import KnownRows
from office.exchange.imports.taken import NO_UPDATE, Taken, Update
from rules.text_keys import compared_key

COLUMNS: tuple[Column, ...] = (
    Column(
        "number",
        ("合同编号", "合同編號", "合同号", "合同號", "租约编号", "租約編號", "contract no."),
        key_text(60),
        is_required=True,
        is_code=True,
        is_key=True,
    ),
    columns.UNIT,
    Column(
        "tenant_name",
        ("承租人", "承租方", "租户", "租戶", "租户名称", "租戶名稱", "租客", "tenant"),
        text(120),
        is_required=True,
    ),
    Column(
        "valid_from",
        ("起租日", "起租日期", "合同开始日期", "合同開始日期", "起始日期", "开始日期", "開始日期"),
        columns.day,
        is_required=True,
    ),
    Column(
        "valid_to",
        (
            "到期日",
            "到期日期",
            "合同到期日",
            "合同结束日期",
            "合同結束日期",
            "终止日期",
            "結束日期",
            "结束日期",
        ),
        columns.day,
        is_required=True,
    ),
    Column(
        "rent",
        ("月租金", "租金", "每月租金", "月租"),
        plainly(cells.money_above_zero),
        is_required=True,
        measure="yuan",
    ),
    Column(
        "deposit", ("押金", "租赁押金", "租賃押金", "保证金", "保證金"), plainly(cells.money), measure="yuan"
    ),
    Column(
        "step_every_months",
        ("递增周期（月）", "遞增週期（月）", "每几个月递增", "每幾個月遞增", "递增间隔月数", "遞增間隔月數"),
        plainly(cells.whole(1, MOST_MONTHS)),
    ),
    Column(
        "step_percent",
        ("递增比例（%）", "遞增比例（%）", "递增百分比", "遞增百分比", "递增比例", "遞增比例"),
        plainly(cells.number_above_zero),
    ),
    Column(
        "step_amount",
        ("递增金额", "遞增金額"),
        plainly(cells.money_above_zero),
        measure="yuan",
    ),
    Column("rent_free_from", ("免租开始", "免租開始", "免租期起", "免租起始日"), columns.day),
    Column("rent_free_to", ("免租结束", "免租結束", "免租期止", "免租截止日"), columns.day),
)

STEP = ("step_every_months", "step_percent", "step_amount")
FREE = ("rent_free_from", "rent_free_to")


def problems(rows: Sequence[Mapping[str, Any]], _known: Known) -> list[Problem]:
    """Two contracts under one number."""
    return twice(rows, "number")


def take_in(
    session: Session,
    given: Sequence[Mapping[str, Any]],
    *,
    now: datetime,
    staff_id: int | None = None,
    update: Update = NO_UPDATE,
) -> Taken:
    """Enter the contracts whose numbers are not there yet; what a row says otherwise of one is told (B24).

    The tenant is who is called so at the unit, else in the estate, else somebody new. An empty cell says
    nothing; who gives a part of a step, or one end of the rent-free days, gives the whole of it.
    """
    known = Known(session)
    item_id = contracts.rent_item(session, now=now, staff_id=staff_id).id if given else 0
    stored = session.scalars(select(RentContract).options(joinedload(RentContract.owner)))

    def values(row: Mapping[str, Any], there: RentContract | None) -> dict[str, Any]:
        said = {"unit_id": row["unit_code"], "owner_id": tenant(row, there)}
        said |= {name: row[name] for name in ("valid_from", "valid_to", "rent")}
        if row["deposit"] is not None:
            said["deposit"] = row["deposit"]
        for together in (STEP, FREE):
            if any(row[name] is not None for name in together):
                said |= {name: row[name] for name in together}
        return said if there else {"number": row["number"], "fee_item_id": item_id, **said}

    def tenant(row: Mapping[str, Any], there: RentContract | None) -> int:
        name = row["tenant_name"]
        if there is not None and there.owner.name == name:
            return there.owner_id
        found = only_one_named(session, name, row["unit_code"])
        return found or add_owner(session, name, now=now, staff_id=staff_id).id

    def word(attribute: str, value: Any) -> str:
        if attribute == "unit_id":
            return known.code_of[value]
        return session.get_one(Owner, value).name if attribute == "owner_id" else known_rows.told(value)

    rows = KnownRows(
        RentContract,
        {compared_key(row.number): row for row in stored},
        lambda row: compared_key(row["number"]),
        values,
        known_rows.saver(
            session, contracts.check, ("number", "rent", "valid_from", "valid_to"), now=now, staff_id=staff_id
        ),
        codes={"unit_id": "unit_code", "owner_id": "tenant_name"},
        word=word,
    )
    return known_rows.take_in(session, given, rows, update)
