"""Payments that were taken elsewhere: each becomes a receipt once, whatever is imported again."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.property import Unit
from office.exchange.imports import cells, columns, words
from office.exchange.imports.columns import Column, Known, Problem, heads, plainly, text
from office.exchange.imports.taken import Difference, Taken, shown
from office.payments import payments
from office.payments.payments import NewPayment
from office.payments.statement_matching import statement_payments

COLUMNS: tuple[Column, ...] = (
    columns.UNIT,
    Column(
        "amount",
        ("金额", "金額", "缴费金额", "繳費金額", "收款金额", "实收金额", "付款金额"),
        plainly(cells.money_above_zero),
        is_required=True,
        measure="yuan",
    ),
    Column(
        "paid_at",
        heads("缴费时间 繳費時間 缴费日期 支付时间 付款时间 收款时间 收款日期 付款日期 日期"),
        columns.instant,
        is_required=True,
        is_key=True,
    ),
    Column(
        "method",
        ("缴费方式", "繳費方式", "支付方式", "付款方式", "收款方式", "方式"),
        plainly(cells.one_of(words.METHOD_WORDS)),
        is_required=True,
    ),
    Column(
        "reference",
        ("流水号", "流水號", "参考号", "交易号", "交易单号", "凭证号", "单号", "备注", "reference no."),
        text(120),
        empty="",
        is_code=True,
    ),
)


def problems(rows: Sequence[Mapping[str, Any]], known: Known) -> list[Problem]:
    return columns.without_payer(rows, known)


def take_in(
    session: Session, given: Sequence[Mapping[str, Any]], *, now: datetime, **_present: object
) -> Taken:
    """Post the payments that are not there yet, in the file's order (M1).

    Money that a statement posted under the same number is there: never a second receipt (M5).
    """
    by_statement = statement_payments(session, {row["reference"] for row in given if row["reference"]})
    differences: list[Difference] = []
    seen: Counter[tuple[Any, ...]] = Counter()
    rows = []
    for row in given:
        one = tuple(row[column.code] for column in COLUMNS)
        seen[one] += 1
        if row["reference"] in by_statement:
            differences += _difference(session, row, by_statement[row["reference"]])
            continue
        rows.append(
            NewPayment(
                unit_id=row["unit_code"],
                amount=row["amount"],
                method=row["method"],
                paid_at=row["paid_at"],
                reference=row["reference"],
                form_key=_form_key(one, 1 if row["reference"] else seen[one]),
            )
        )
    posted = payments.record_payments(session, rows, now=now)
    new = sum(one.is_new for one in posted)
    return Taken(new=new, skipped=len(given) - new - len(differences), differences=differences)


def _difference(
    session: Session, row: Mapping[str, Any], posted: Collection[tuple[int, Decimal]]
) -> list[Difference]:
    """How a row differs from what a statement posted under its number, for another unit or sum."""
    if (row["unit_code"], row["amount"]) in posted:
        return []
    unit_id, amount = min(posted)
    if row["amount"] != amount:
        return [Difference(row["line"], "amount", shown(amount), shown(row["amount"]))]
    codes = dict(
        session.execute(select(Unit.id, Unit.code).where(Unit.id.in_([unit_id, row["unit_code"]]))).all()
    )
    return [Difference(row["line"], "unit_code", codes[unit_id], codes[row["unit_code"]])]


def _form_key(row: tuple[Any, ...], occurrence: int) -> str:
    """What makes a row this payment and no other: all it says; alike ones without reference are counted."""
    said = "\x1f".join([*(str(value) for value in row), str(occurrence)])
    return f"import-{hashlib.sha256(said.encode()).hexdigest()}"
