"""What households owed before the office came into this program: one invoice a row, of its period."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy.orm import Session

from office.billing import invoices
from office.billing.invoices import OpeningBalance
from office.core.errors import N_
from office.exchange.imports import cells, columns
from office.exchange.imports.columns import Column, Known, Problem, plainly
from office.exchange.imports.taken import (
    BILLED_DEBT,
    NO_UPDATE,
    Difference,
    Taken,
    counted,
    shown,
)

COLUMNS: tuple[Column, ...] = (
    columns.UNIT,
    Column(
        "period",
        ("收费周期", "收費週期", "账期", "賬期", "费用月份", "所属月份", "欠费月份", "月份", "期间"),
        plainly(cells.period),
        is_required=True,
    ),
    Column(
        "fee_item",
        ("收费项目", "收費項目", "费用项目", "费项", "项目", "科目", "fee"),
        columns.fee_item,
        is_required=True,
    ),
    Column(
        "amount",
        ("金额", "金額", "欠费金额", "欠款金额", "期初金额", "期初余额", "应收金额", "欠费"),
        plainly(cells.money_above_zero),
        is_required=True,
        measure="yuan",
    ),
    Column(
        "due_on",
        ("到期日", "到期日期", "应缴日期", "應繳日期", "缴费截止日", "截止日期", "应收日期", "due"),
        columns.day,
        is_required=True,
    ),
)


def problems(rows: Sequence[Mapping[str, Any]], known: Known) -> list[Problem]:
    """Units without a payer, and two rows for the same item, period and due day of a unit."""
    seen: dict[tuple[Any, ...], int] = {}
    found = columns.without_payer(rows, known)
    for row in rows:
        debt = tuple(row[code] for code in ("unit_code", "period", "fee_item", "due_on"))
        first = seen.setdefault(debt, row["line"])
        if first != row["line"]:
            found.append(
                columns.problem(
                    row,
                    "amount",
                    row["amount"],
                    N_("row %(first)s is for the same unit, period, item and due day"),
                    N_("Add the two amounts into one row"),
                    first=first,
                )
            )
    return found


def take_in(
    session: Session, given: Sequence[Mapping[str, Any]], *, now: datetime, **_present: object
) -> Taken:
    """Make the invoices that are not there yet (contract: an opening balance is an invoice of its period).

    Another amount of a debt that is there is told, and never written: bills are corrected by credit notes.
    """
    rows = [
        OpeningBalance(
            unit_id=row["unit_code"],
            period=row["period"],
            fee_item=row["fee_item"],
            amount=row["amount"],
            due_on=row["due_on"],
        )
        for row in given
    ]
    there = invoices.opened(session, [one.unit_id for one in rows])
    differences = list(_differences(given, rows, there))
    differing = {one.row for one in differences}
    fresh = [
        one
        for row, one in zip(given, rows, strict=True)
        if one.key not in there and row["line"] not in differing
    ]
    new = invoices.open_balances(session, fresh, now=now)
    return counted(new, len(rows), differences, NO_UPDATE)


def _differences(
    given: Sequence[Mapping[str, Any]],
    rows: Sequence[OpeningBalance],
    there: Mapping[tuple[int, str, str], Decimal],
) -> Iterator[Difference]:
    """Another amount of a debt that is there, or another due day where no row has the one that is there."""
    keys = {one.key for one in rows}
    due_on: dict[tuple[Any, ...], str] = {}
    for (unit_id, period, part), amount in there.items():
        item, _, day = part.rpartition(" ")
        if (unit_id, period, part) not in keys:
            due_on[unit_id, period, item, amount] = day
    for row, one in zip(given, rows, strict=True):
        before = there.get(one.key)
        if before is not None:
            if before != one.amount:
                yield Difference(row["line"], "amount", shown(before), shown(one.amount), BILLED_DEBT)
            continue
        day = due_on.pop((one.unit_id, one.period, one.fee_item, one.amount), "")
        if day:
            yield Difference(row["line"], "due_on", day, shown(one.due_on), BILLED_DEBT)
