"""Examples of papers about accounts and shared costs, for the preview of a template being edited."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal

from office.documents.pdf.accounts import AccountLine, ClearanceCertificate, StatementOfAccount
from office.documents.pdf.pools import PoolNotice, PoolNoticeLine
from office.documents.pdf.values import DebtLine, Recipient

ZERO = Decimal(0)
_TO = Recipient("王晓明", "3-2-1201", "滨湖路 88 号 3 栋 2 单元 1201 室")
_FEE = Decimal("246.75")


def _line(on: date, kind: str, number: str = "", of: tuple[str, ...] = (), **more: object) -> AccountLine:
    line = AccountLine(on, kind, number, of, "", _TO.unit_code, _TO.name, ZERO, ZERO, ZERO)
    return replace(line, **more)  # type: ignore[arg-type]  # its own fields


def _standing(opening: Decimal, lines: tuple[AccountLine, ...]) -> tuple[AccountLine, ...]:
    owed, prepaid, deposit, found = opening, ZERO, ZERO, []
    for line in lines:
        owed += line.charged - line.settled
        prepaid, deposit = prepaid + line.prepaid, deposit + line.deposit
        found.append(replace(line, balance=owed, prepaid_balance=prepaid, deposit_balance=deposit))
    return tuple(found)


_LINES = _standing(
    Decimal("256.37"),
    (
        _line(date(2026, 1, 1), "bill", "TZ2026-01-000117", detail="2026-01", charged=_FEE),
        _line(
            date(2026, 1, 20),
            "payment",
            "SJ2026-000088",
            ("TZ2025-12-000118",),
            detail="wechat",
            settled=Decimal("256.37"),
        ),
        _line(date(2026, 2, 28), "late_fee", of=("TZ2026-01-000117",), charged=Decimal("1.97")),
    ),
)
_OPEN = (DebtLine("TZ2026-01-000117", "2026-01", date(2026, 1, 15), _FEE, Decimal("1.97")),)

VALUES: dict[str, StatementOfAccount | ClearanceCertificate | PoolNotice] = {
    "pool_notice": PoolNotice(
        number="G202603-000002",
        posted_on=date(2026, 4, 1),
        period="2026-03",
        item="公共照明电费",
        scope="building",
        scope_value="3栋",
        key="area",
        amount=Decimal("1000.00"),
        denominator=Decimal("276.46"),
        unit_price=Decimal("3.617160"),
        lines=(
            PoolNoticeLine("3-2-1201", Decimal("89.50"), Decimal("323.74")),
            PoolNoticeLine("3-2-1202", Decimal("120.30"), Decimal("435.14")),
            PoolNoticeLine("3-2-1203", Decimal("66.66"), Decimal("241.12")),
        ),
        correction=Decimal("-100.00"),
        main_start=Decimal(1000),
        main_end=Decimal(1050),
        main_factor=Decimal(40),
        sub_meters=Decimal(0),
        price=Decimal("0.55"),
        note="三月份电梯及楼道照明",
    ),
    "statement_of_account": StatementOfAccount(
        number="A2026-000031",
        issued_on=date(2026, 3, 2),
        from_on=date(2026, 1, 1),
        to_on=date(2026, 2, 28),
        recipient=_TO,
        opening=Decimal("256.37"),
        billed=_FEE,
        late_fee=Decimal("1.97"),
        credited=ZERO,
        paid=Decimal("256.37"),
        closing=Decimal("248.72"),
        lines=_LINES,
        open_bills=_OPEN,
    ),
    "clearance_certificate": ClearanceCertificate(
        number="Q2026-000004",
        issued_on=date(2026, 3, 2),
        recipient=_TO,
        billed_until="2026-03",
        deposits=Decimal("2000.00"),
    ),
}
