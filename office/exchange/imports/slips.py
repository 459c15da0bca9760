"""Service slips: overtime air-conditioning, repairs (B3)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from models.billing import FeeItem, ServiceSlip
from models.property import Unit
from office.core.errors import N_
from office.exchange.imports import cells, columns
from office.exchange.imports.columns import Column, Known, Problem, key_text, plainly, text, twice
from office.exchange.imports.taken import NO_UPDATE, Difference, Taken, Update, counted, shown
from rules.text_keys import compared_key

COLUMNS: tuple[Column, ...] = (
    Column(
        "slip_no",
        ("单号", "單號", "服务单号", "服務單號", "派工单号", "维修单号", "工单号", "slip"),
        key_text(40),
        is_required=True,
        is_code=True,
        is_key=True,
    ),
    columns.UNIT,
    Column(
        "fee_item",
        ("收费项目", "收費項目", "费用项目", "服务项目", "项目", "fee"),
        columns.fee_item,
        is_required=True,
    ),
    Column(
        "used_on",
        ("使用日期", "服务日期", "服務日期", "发生日期", "日期"),
        columns.day,
        is_required=True,
        is_key=True,
    ),
    Column(
        "quantity",
        ("数量", "數量", "时长", "小时", "小时数", "次数", "用量"),
        plainly(cells.number_above_zero),
        is_required=True,
        measure="own",
    ),
    Column("note", ("备注", "備註", "说明", "內容", "内容"), text(), empty=""),
)


NOT_OPEN = N_("The slip is on a bill already or cancelled: correct the bill by a credit note")
COMPARED = ("unit_code", "fee_item", "used_on", "quantity", "note")


def problems(rows: Sequence[Mapping[str, Any]], _known: Known) -> list[Problem]:
    """Two different slips under one number; the same row again is only the same slip."""
    told = {tuple(row[column.code] for column in COLUMNS): row for row in reversed(rows)}
    return twice(reversed(told.values()), "slip_no")


def take_in(
    session: Session, given: Sequence[Mapping[str, Any]], *, update: Update = NO_UPDATE, **_present: object
) -> Taken:
    """Enter the slips whose numbers are not there yet; a known number with other values is told.

    An open slip can be corrected; one that is on a bill only by a credit note (B3).
    """
    known = Known(session)
    stored = _stored(session)
    fresh: dict[str, Mapping[str, Any]] = {}
    differences: list[Difference] = []
    for row in given:
        before = stored.get(compared_key(row["slip_no"]))
        if before is None:
            fresh.setdefault(row["slip_no"], row)
            continue
        id_, state, *values = before
        there = dict(zip(COMPARED, values, strict=True))
        here = {**row, "unit_code": known.code_of[row["unit_code"]], "note": row["note"] or there["note"]}
        never = "" if state == "open" else NOT_OPEN
        told = [
            Difference(row["line"], name, shown(there[name]), shown(here[name]), never)
            for name in COMPARED
            if there[name] != here[name]
        ]
        if any(one in update for one in told):
            _write(
                session,
                known,
                row,
                session.get_one(ServiceSlip, id_),
                [one for one in told if one in update],
                update,
            )
        differences += told
    if fresh:
        session.execute(
            insert(ServiceSlip),
            [
                {
                    "slip_no": row["slip_no"],
                    "unit_id": row["unit_code"],
                    "fee_item_id": known.fee_item_ids[row["fee_item"]],
                    "used_on": row["used_on"],
                    "quantity": row["quantity"],
                    "note": row["note"],
                }
                for row in fresh.values()
            ],
        )
    return counted(len(fresh), len(given), differences, update)


def _write(
    session: Session,
    known: Known,
    row: Mapping[str, Any],
    slip: ServiceSlip,
    differences: Sequence[Difference],
    update: Update,
) -> None:
    """Write what a row says otherwise of an open slip."""
    for one in differences:
        match one.column:
            case "unit_code":
                slip.unit_id = row["unit_code"]
            case "fee_item":
                slip.fee_item_id = known.fee_item_ids[row["fee_item"]]
            case _:
                setattr(slip, one.column, row[one.column])
    update.record(session, slip, {one.column: (one.there, one.here) for one in differences})


def _stored(session: Session) -> dict[str, tuple[Any, ...]]:
    """What is there under each slip number: id, state, and the values of COMPARED."""
    query = (
        select(
            ServiceSlip.slip_no,
            ServiceSlip.id,
            ServiceSlip.state,
            Unit.code,
            FeeItem.code,
            ServiceSlip.used_on,
            ServiceSlip.quantity,
            ServiceSlip.note,
        )
        .join(ServiceSlip.unit)
        .join(ServiceSlip.fee_item)
    )
    return {compared_key(row[0]): tuple(row[1:]) for row in session.execute(query)}
