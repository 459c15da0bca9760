"""Payments that were taken elsewhere: each becomes a receipt once, whatever is imported again."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from office.core import clock
from office.exchange.imports import cells, columns, words
from office.exchange.imports.columns import Column, Known, Problem, heads, plainly, text
from office.exchange.imports.taken import NO_UPDATE, POSTED_MONEY, Difference, Taken, counted, shown
from office.payments import cheques, payments
from office.payments.payments import NewPayment
from office.payments.statement_matching import NumberedPayment, numbered_payments
from office.policies import large_sums
from rules.movements import LONG_NUMBER

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
    session: Session,
    given: Sequence[Mapping[str, Any]],
    *,
    now: datetime,
    staff_id: int | None = None,
    **_present: object,
) -> Taken:
    """Post the payments that are not there yet, in the file's order; who brings them is their cashier (M1).

    A reference that stands for one payment is its key: the same reference with another unit, sum, day or
    method is told, never posted beside it, and never written, for posted money is not rewritten (M5).
    """
    lines = lines_with_reference(given)
    posted = numbered_payments(session, lines)
    differences: list[Difference] = []
    seen: Counter[tuple[Any, ...]] = Counter()
    places: list[int] = []
    rows = []
    known = Known(session)
    for row in given:
        one = tuple(row[column.code] for column in COLUMNS)
        seen[one] += 1
        there = posted.get(row["reference"], []) if row["reference"] in lines else []
        if there and any(_is_same(row, payment) for payment in there):
            continue
        told = _differences(row, there, known)
        if told:
            differences += told
            continue
        places.append(row["line"])
        rows.append(
            NewPayment(
                unit_id=row["unit_code"],
                amount=row["amount"],
                method=row["method"],
                paid_at=row["paid_at"],
                reference=row["reference"],
                cashier_id=staff_id,
                form_key=_form_key(one, 1 if row["reference"] else seen[one]),
            )
        )
    if refused := [
        columns.of_cheque(place)
        for place, row in zip(places, rows, strict=True)
        if row.method == cheques.METHOD
    ]:
        return Taken(refused=refused)
    if refused := _of_closed_day(session, places, rows, staff_id, now):
        return Taken(refused=refused)
    large = _large(session, places, rows, now)
    if large and not large_sums.is_confirmed(session, large_sums.ANY):
        return Taken(refused=large)
    new = sum(one.is_new for one in payments.record_payments(session, rows, now=now))
    return replace(counted(new, len(given), differences, NO_UPDATE), large=large)


def _of_closed_day(
    session: Session, places: Sequence[int], rows: Sequence[NewPayment], staff_id: int | None, now: datetime
) -> list[Problem]:
    """The rows that would be posted today though who brings them has closed the day (M3)."""
    today = clock.office_day(session, now)
    open_day = payments.next_open_day(session, staff_id, today)
    if open_day == today:
        return []
    known = payments.known_keys(session, rows)
    return [
        columns.of_closed_day(place, today, open_day)
        for place, row in zip(places, rows, strict=True)
        if row.form_key not in known
    ]


def _large(
    session: Session, places: Sequence[int], rows: Sequence[NewPayment], now: datetime
) -> list[Problem]:
    """The new rows whose sum is unusually large (F21)."""
    policy = large_sums.policy_on(session, clock.office_day(session, now))
    found = [
        (place, row) for place, row in zip(places, rows, strict=True) if policy.asks("payment", row.amount)
    ]
    known = payments.known_keys(session, [row for _, row in found])
    return [columns.of_large_sum(place, row.amount) for place, row in found if row.form_key not in known]


def lines_with_reference(given: Sequence[Mapping[str, Any]]) -> frozenset[str]:
    """The references that stand for one payment in this file: not on rows that say different things."""
    first: dict[str, tuple[Any, ...]] = {}
    repeated = set()
    for row in given:
        said = tuple(row[code] for code in ("unit_code", "amount", "paid_at", "method"))
        if first.setdefault(row["reference"], said) != said:
            repeated.add(row["reference"])
    return frozenset(first.keys() - repeated - {""})


def _is_same(row: Mapping[str, Any], payment: NumberedPayment) -> bool:
    """Whether a row is the payment; a statement's may differ in time and method, which the bank told."""
    if (row["unit_code"], row["amount"]) != (payment.unit_id, payment.amount):
        return False
    return payment.is_by_statement or (row["method"] == payment.method and row["paid_at"] == payment.paid_at)


def _differences(row: Mapping[str, Any], there: Sequence[NumberedPayment], known: Known) -> list[Difference]:
    """How a row differs from the one payment that has its reference, where it is meant to be that one."""
    payment = next((one for one in there if one.is_by_statement), there[0] if len(there) == 1 else None)
    if payment is None:
        return []
    paid_at, posted_at = row["paid_at"].astimezone(known.zone), payment.paid_at.astimezone(known.zone)
    is_near = row["unit_code"] == payment.unit_id or (
        row["amount"] == payment.amount and paid_at.date() == posted_at.date()
    )
    is_number = payment.is_by_statement or len(row["reference"]) >= LONG_NUMBER
    if not is_near and not is_number:
        return []
    told = {
        "unit_code": (known.code_of[payment.unit_id], known.code_of[row["unit_code"]]),
        "amount": (shown(payment.amount), shown(row["amount"])),
    }
    if not payment.is_by_statement:
        told |= {
            "paid_at": (shown(posted_at), shown(paid_at)),
            "method": (payment.method, row["method"]),
        }
    return [
        Difference(row["line"], column, there_, here, POSTED_MONEY)
        for column, (there_, here) in told.items()
        if there_ != here
    ]


def _form_key(row: tuple[Any, ...], occurrence: int) -> str:
    """What makes a row this payment and no other: all it says; alike ones without reference are counted."""
    said = "\x1f".join([*(str(value) for value in row), str(occurrence)])
    return f"import-{hashlib.sha256(said.encode()).hexdigest()}"
