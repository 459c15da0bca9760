"""The oldest debt first, then the lowest number; late fee after principal; the rest is credit (M1)."""

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.allocation import (
    AllocationPolicy,
    BilledLine,
    OpenInvoice,
    OpenLine,
    PaidWholeError,
    Pick,
    UnknownPickError,
    allocate,
    by_age,
    credited_on,
    laid_on,
    number_key,
)
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


# Lines of bills (M8) ----------------------------------------------------------------------------------

IN_ORDER, IN_PROPORTION = AllocationPolicy(), AllocationPolicy("in_proportion")
FEE_FIRST = AllocationPolicy(first_items=("parking", "water"))
WHOLE_WATER = AllocationPolicy(whole_items=("water",))
SHARED_WHOLE = AllocationPolicy("in_proportion", whole_items=("water",))
BILL = (("deposit", "50"), ("fee", "100"), ("water", "30"), ("parking", "20"))

LAID = [
    # policy, amount, what deposit, fee, water and parking get
    (IN_ORDER, "0", "0 0 0 0"),
    (IN_ORDER, "99.99", "0 99.99 0 0"),
    (IN_ORDER, "100", "0 100 0 0"),
    (IN_ORDER, "100.01", "0 100 0.01 0"),
    (IN_ORDER, "150", "0 100 30 20"),
    (IN_ORDER, "150.01", "0.01 100 30 20"),
    (IN_ORDER, "200", "50 100 30 20"),
    (IN_ORDER, "200.01", "50 100 30 20"),
    (FEE_FIRST, "20", "0 0 0 20"),
    (FEE_FIRST, "50", "0 0 30 20"),
    (FEE_FIRST, "50.01", "0 0.01 30 20"),
    (IN_PROPORTION, "75", "0 50 15 10"),
    (IN_PROPORTION, "0.01", "0 0.01 0 0"),
    (IN_PROPORTION, "100", "0 66.67 20 13.33"),
    (IN_PROPORTION, "151", "1 100 30 20"),
    (WHOLE_WATER, "129.99", "9.99 100 0 20"),
    (WHOLE_WATER, "130", "0 100 30 0"),
    (SHARED_WHOLE, "149.99", "29.99 100 0 20"),
    (SHARED_WHOLE, "12", "0 10 0 2"),
]


def lines_of(policy, bill=BILL):
    return [
        OpenLine(
            place,
            Decimal(amount),
            policy.rank(item, place, is_deposit=item == "deposit"),
            item in policy.whole_items,
        )
        for place, (item, amount) in enumerate(bill)
    ]


@pytest.mark.parametrize(("policy", "amount", "wanted"), LAID)
def test_money_lies_on_lines_by_rank(policy, amount, wanted):
    got = dict(laid_on(Decimal(amount), lines_of(policy)))

    assert [got.get(place, 0) for place in range(len(BILL))] == [Decimal(one) for one in wanted.split()]


def billed(number="I-1", late_fee="0", policy=IN_ORDER, due_on=JAN):
    return OpenInvoice(number, due_on, Decimal(200), Decimal(late_fee), lines_of(policy))


BY_ITEM = [
    # amount, picks, what each bill's lines get, late fee
    ("30", [Pick("I-2", line_id=2)], {"I-2": {2: 30}}),
    ("30", [Pick("I-2", Decimal(10), 2)], {"I-2": {2: 10}, "I-1": {1: 20}}),
    ("60", [Pick("I-2", line_id=3), Pick("I-2", line_id=2)], {"I-2": {3: 20, 2: 30}, "I-1": {1: 10}}),
    ("205", [Pick("I-1", line_id=0)], {"I-1": {0: 50, 1: 100, 2: 30, 3: 20}, "I-2": {}}),
]


@pytest.mark.parametrize(("amount", "picks", "wanted"), BY_ITEM)
def test_ticked_lines_come_first_and_the_rest_goes_by_age(amount, picks, wanted):
    found = allocate(Decimal(amount), [billed(late_fee="5"), billed("I-2", due_on=FEB)], picks)

    laid = {one.number: dict(one.lines) for one in found.allocations}
    assert laid == {number: lines for number, lines in wanted.items() if lines}
    assert all(sum(dict(one.lines).values()) == one.principal for one in found.allocations)


def test_a_late_fee_waits_until_every_line_is_paid():
    (some,) = allocate(Decimal(199), [billed(late_fee="5", policy=WHOLE_WATER)]).allocations
    assert (some.principal, some.late_fee) == (199, 0)

    (short,) = allocate(
        Decimal(195), [billed(late_fee="5", policy=WHOLE_WATER)], [Pick("I-1", line_id=0)]
    ).allocations
    assert (short.principal, short.late_fee, dict(short.lines)) == (195, 0, {0: 50, 1: 100, 2: 30, 3: 15})


def test_what_is_paid_whole_takes_no_part():
    owed = [billed(policy=WHOLE_WATER)]

    with pytest.raises(PaidWholeError) as found:
        allocate(Decimal(29), owed, [Pick("I-1", line_id=2)])
    with pytest.raises(PaidWholeError):
        allocate(Decimal(30), owed, [Pick("I-1", Decimal(10), 2)])
    with pytest.raises(UnknownPickError, match="I-1"):
        allocate(Decimal(30), owed, [Pick("I-1", line_id=9)])

    assert (found.value.number, found.value.whole) == ("I-1", 30)
    assert allocate(Decimal(29), [billed(policy=WHOLE_WATER)]).credit == 0


@given(FEN, st.lists(st.tuples(FEN, st.sampled_from(["fee", "water", "deposit"])), max_size=5), st.booleans())
def test_every_fen_lies_on_a_line_and_no_line_gets_too_much(fen, rows, is_shared):
    policy = IN_PROPORTION if is_shared else IN_ORDER
    lines = lines_of(policy, [(item, from_fen(amount)) for amount, item in rows])

    laid = laid_on(from_fen(fen), lines)

    assert sum(amount for _, amount in laid) == min(from_fen(fen), sum(line.open for line in lines))
    assert all(0 < amount <= lines[line_id].open for line_id, amount in laid)


CREDITED = [
    # amount, what each line has asked, of it credited and paid; what a credit note takes off each
    ("30", [("fee", 100, 0, 0), ("water", 50, 0, 0)], "20 10"),
    ("30", [("fee", 100, 0, 100), ("water", 50, 0, 20)], "0 30"),
    ("40", [("fee", 100, 0, 100), ("water", 50, 0, 20)], "8.33 31.67"),
    ("120", [("deposit", 50, 0, 0), ("fee", 100, 0, 100)], "20 100"),
    ("10", [("fee", 100, 95, 0), ("water", 50, 45, 0)], "5 5"),
]


@pytest.mark.parametrize(("amount", "rows", "wanted"), CREDITED)
def test_a_credit_note_takes_what_is_open_first_and_deposits_last(amount, rows, wanted):
    lines = [
        BilledLine(place, 1, item == "deposit", *(Decimal(one) for one in sums))
        for place, (item, *sums) in enumerate(rows)
    ]

    found = credited_on(Decimal(amount), lines)

    assert [found.get(place, 0) for place in range(len(rows))] == [Decimal(one) for one in wanted.split()]
