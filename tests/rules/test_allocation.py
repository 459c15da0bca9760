"""The oldest debt first, then the lowest number; late fee after principal; the rest is credit (M1)."""

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.allocation import OpenInvoice, Pick, UnknownPickError, allocate, by_age, number_key
from rules.money import MoneyError, from_fen

JAN, FEB = date(2026, 1, 15), date(2026, 2, 15)


def invoice(number, due_on, principal, late_fee="0"):
    return OpenInvoice(number, due_on, Decimal(principal), Decimal(late_fee))


OPEN = [
    invoice("I-10", FEB, "100"),
    invoice("I-9", FEB, "100"),
    invoice("I-11", JAN, "50", "2.50"),
]

CASES = [
    # amount, [(number, principal, late fee)], credit
    ("0", [], "0"),
    ("49.99", [("I-11", "49.99", "0")], "0"),
    ("50", [("I-11", "50", "0")], "0"),
    ("50.01", [("I-11", "50", "0.01")], "0"),
    ("52.50", [("I-11", "50", "2.50")], "0"),
    ("60", [("I-11", "50", "2.50"), ("I-9", "7.50", "0")], "0"),
    ("152.51", [("I-11", "50", "2.50"), ("I-9", "100", "0"), ("I-10", "0.01", "0")], "0"),
    ("252.50", [("I-11", "50", "2.50"), ("I-9", "100", "0"), ("I-10", "100", "0")], "0"),
    ("252.51", [("I-11", "50", "2.50"), ("I-9", "100", "0"), ("I-10", "100", "0")], "0.01"),
]


@pytest.mark.parametrize(("amount", "wanted", "credit"), CASES)
def test_a_payment_goes_by_age_then_number(amount, wanted, credit):
    found = allocate(Decimal(amount), OPEN)

    laid_out = [(one.number, one.principal, one.late_fee) for one in found.allocations]
    assert laid_out == [(number, Decimal(own), Decimal(fee)) for number, own, fee in wanted]
    assert found.credit == Decimal(credit)


def test_the_cashiers_pick_comes_first_and_the_rest_goes_by_age():
    found = allocate(Decimal(160), OPEN, [Pick("I-10"), Pick("I-9", Decimal(5))])

    paid = {one.number: one.amount for one in found.allocations}
    assert paid == {"I-10": 100, "I-9": Decimal("7.50"), "I-11": Decimal("52.50")}


def test_a_pick_of_what_is_not_open_is_refused():
    with pytest.raises(UnknownPickError):
        allocate(Decimal(1), OPEN, [Pick("I-99")])


@pytest.mark.parametrize("amount", ["-0.01", "NaN", "Infinity"])
def test_impossible_amounts_are_refused(amount):
    with pytest.raises(MoneyError):
        allocate(Decimal(amount), OPEN)


def test_numbers_count_as_numbers():
    assert sorted(["I-10", "I-9", "2026-2", "2026-10"], key=number_key) == [
        "2026-2",
        "2026-10",
        "I-9",
        "I-10",
    ]


FEN = st.integers(0, 50_000)
INVOICES = st.lists(st.tuples(st.dates(JAN, FEB), FEN, FEN), max_size=8)


@given(FEN, INVOICES, st.lists(st.integers(0, 7), max_size=3))
def test_every_fen_is_somewhere_and_no_invoice_gets_too_much(fen, rows, picked):
    invoices = [
        OpenInvoice(str(index), due_on, from_fen(own), from_fen(fee))
        for index, (due_on, own, fee) in enumerate(rows)
    ]
    picks = [Pick(str(index)) for index in picked if index < len(invoices)]

    found = allocate(from_fen(fen), invoices, picks)

    by_number = {one.number: one for one in invoices}
    assert found.amount + found.credit == from_fen(fen)
    for one in found.allocations:
        assert 0 < one.amount <= by_number[one.number].balance
        assert one.late_fee == 0 or one.principal == by_number[one.number].principal
    if found.credit:
        assert found.amount == sum(one.balance for one in invoices)


@pytest.mark.parametrize(
    ("amount", "code"), [("-0.01", "negative"), ("NaN", "not_finite"), ("Infinity", "not_finite")]
)
def test_what_is_no_payment_is_refused(amount, code):
    with pytest.raises(MoneyError) as found:
        allocate(Decimal(amount), OPEN)

    assert found.value.code == code


@pytest.mark.parametrize("wanted", ["0", "-1"])
def test_a_pick_of_nothing_is_refused(wanted):
    with pytest.raises(MoneyError, match="negative"):
        allocate(Decimal(10), OPEN, [Pick("I-9", Decimal(wanted))])


def test_a_pick_may_be_less_than_a_yuan():
    found = allocate(Decimal(1), OPEN, [Pick("I-9", Decimal("0.50"))])

    assert [(one.number, one.amount) for one in found.allocations] == [
        ("I-9", Decimal("0.50")),
        ("I-11", Decimal("0.50")),
    ]


def test_an_invoice_picked_and_reached_by_age_is_paid_its_principal_first():
    owed = [invoice("I-1", JAN, "50", "5")]

    for picks in ([Pick("I-1", Decimal(52))], [Pick("I-1", Decimal(51)), Pick("I-1", Decimal(1))]):
        (paid,) = allocate(Decimal(54), owed, picks).allocations
        assert (paid.principal, paid.late_fee) == (50, 4)


def test_digits_come_before_letters():
    numbers = ["A-2", "2-A", "A-B", "10-A", "A-10"]

    assert sorted(numbers, key=number_key) == ["2-A", "10-A", "A-2", "A-10", "A-B"]


def test_bills_of_one_day_stand_by_number():
    bills = [invoice("I-10", JAN, "1"), invoice("I-9", JAN, "1")]

    for found in (by_age(bills), by_age(iter(bills))):
        assert [one.number for one in found] == ["I-9", "I-10"]
    assert by_age(iter(bills[:1])) == bills[:1]
