"""Vouchers balance to the fen: tax by the largest remainder, income by month of service (M12)."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.money import ZERO
from rules.vouchers import (
    Account,
    Auxiliary,
    BillAccounts,
    BilledLine,
    Deferral,
    Key,
    Party,
    Postings,
    Use,
    balanced,
    book_bill,
    book_credit,
    book_income,
    included_tax,
    late_fee_tax,
    line_values,
    service_parts,
)

SIX = Decimal("0.06")
INCOME = Account(Use.ITEM, "6001", "income", SIX)
PARKING = Account(Use.ITEM, "6051", "parking", Decimal("0.09"))
DEPOSIT = Account(Use.ITEM, "2241", "deposits")
REST = BillAccounts(
    Account(Use.RECEIVABLE, "1122", "receivable", auxiliary=Auxiliary.UNIT),
    Account(Use.DEFERRED, "2205", "deferred"),
    Account(Use.OUTPUT_TAX, "2221", "tax"),
)
HERE = Party(1, 2, 3)


@pytest.mark.parametrize(
    ("amount", "rate", "tax"),
    [("106", "0.06", "6.00"), ("100", "0.06", "5.66"), ("0.08", "0.06", "0.00"), ("0.09", "0.06", "0.01"),
     ("109", "0.09", "9.00"), ("100", "0", "0.00")],
)  # fmt: skip
def test_tax_inside_a_price(amount: str, rate: str, tax: str) -> None:
    assert included_tax(Decimal(amount), Decimal(rate)) == Decimal(tax)


def line(number: int, amount: str, account: Account = INCOME, *days: date) -> BilledLine:
    return BilledLine(number, account, Decimal(amount), *days)


def test_the_tax_of_a_bill_is_that_of_its_sum_shared_by_the_largest_remainder() -> None:
    values = line_values([line(1, "10.00"), line(2, "10.00"), line(3, "10.00"), line(4, "5", DEPOSIT)])

    assert [one.tax for one in values] == [Decimal("0.57"), Decimal("0.57"), Decimal("0.56"), ZERO]
    assert sum(one.tax for one in values) == included_tax(Decimal(30), SIX) == Decimal("1.70")


def test_income_belongs_to_months_of_service() -> None:
    parts = service_parts(Decimal(100), date(2026, 1, 1), date(2026, 3, 31), "2026-01")

    assert parts == {"2026-01": Decimal("33.34"), "2026-02": Decimal("33.33"), "2026-03": Decimal("33.33")}
    halves = service_parts(Decimal(30), date(2026, 4, 16), date(2026, 5, 31), "2026-04")
    assert halves == {"2026-04": Decimal(10), "2026-05": Decimal(20)}
    assert service_parts(Decimal(30), None, None, "2026-04") == {"2026-04": Decimal(30)}


def sums(postings: Postings) -> dict[str, Decimal]:
    return {key.account: amount for key, amount in postings.items() if amount}


QUARTER = (date(2026, 1, 1), date(2026, 3, 31))


def test_a_quarter_billed_ahead_a_credit_in_february_and_its_income() -> None:
    postings: Postings = {}
    moved = book_bill(postings, [line(7, "318.00", INCOME, *QUARTER)], REST, HERE, "2026-01")

    assert sums(postings) == {
        "1122": Decimal(318), "2221": Decimal(-18), "6001": Decimal(-100), "2205": Decimal(-200)
    }  # fmt: skip
    assert moved == [Deferral(7, "2026-02", Decimal(100)), Deferral(7, "2026-03", Decimal(100))]

    credit: Postings = {}
    waits = frozenset({(7, "2026-02"), (7, "2026-03")})
    before, after = line(7, "318.00", INCOME, *QUARTER), line(7, "159.00", INCOME, *QUARTER)
    taken = book_credit(credit, [before], [after], REST, HERE, "2026-02", waits)

    assert sums(credit) == {
        "1122": Decimal(-159), "2221": Decimal(9), "6001": Decimal(50), "2205": Decimal(100)
    }  # fmt: skip
    assert taken == [Deferral(7, "2026-02", Decimal(-50)), Deferral(7, "2026-03", Decimal(-50))]

    income: Postings = {}
    book_income(income, INCOME, REST.deferred, HERE, Decimal(50))
    assert sums(income) == {"2205": Decimal(50), "6001": Decimal(-50)}


def test_a_credit_is_booked_in_red_as_the_first_entry() -> None:
    entries = balanced({Key(Use.RECEIVABLE, "1122", ""): Decimal(-5), Key(Use.ITEM, "6001", ""): Decimal(5)},
                       is_red=True)  # fmt: skip

    assert [(one.key.account, one.debit, one.credit) for one in entries] == [
        ("1122", Decimal(-5), ZERO), ("6001", ZERO, Decimal(-5))
    ]  # fmt: skip


def test_what_does_not_balance_is_no_voucher() -> None:
    with pytest.raises(ValueError, match=r"differ by 0\.01"):
        balanced({Key(Use.RECEIVABLE, "1122", ""): Decimal("0.01")})


def test_a_late_fee_paid_in_parts_has_the_tax_of_its_whole() -> None:
    parts = [Decimal("0.05")] * 4
    taxes = [late_fee_tax(sum(parts[:place], ZERO), part, SIX) for place, part in enumerate(parts)]

    assert sum(taxes) == included_tax(Decimal("0.20"), SIX) == Decimal("0.01")


AMOUNTS = st.lists(st.integers(0, 10**6).map(lambda fen: Decimal(fen) / 100), min_size=1, max_size=5)


@given(AMOUNTS, st.data())
def test_a_bill_and_the_credits_that_take_it_off_leave_nothing_anywhere(
    amounts: list[Decimal], data: st.DataObject
) -> None:
    accounts = [data.draw(st.sampled_from([INCOME, PARKING, DEPOSIT])) for _ in amounts]
    last = date(2026, data.draw(st.integers(1, 12)), 28)
    lines = [
        BilledLine(number, account, amount, date(2026, 1, 1), last)
        for number, (account, amount) in enumerate(zip(accounts, amounts, strict=True))
    ]
    whole: Postings = {}
    waits: dict[tuple[int, str], Decimal] = {}
    for each in book_bill(whole, lines, REST, HERE, "2026-02"):
        waits[each.line_id, each.month] = each.amount
    assert not sum(whole.values())
    before = lines
    for is_last in (False, True):
        after = [
            BilledLine(one.id, one.account, ZERO if is_last else one.amount / 2 // Decimal("0.01") / 100,
                       one.service_from, one.service_to)
            for one in before
        ]  # fmt: skip
        keys = frozenset(key for key, amount in waits.items() if amount)
        for each in book_credit(whole, before, after, REST, HERE, "2026-03", keys):
            waits[each.line_id, each.month] += each.amount
        assert not sum(whole.values())
        before = after

    assert not any(whole.values())
    assert not any(waits.values())
