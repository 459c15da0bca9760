"""When two rows of statements tell one movement of money (M5, contract "Imports: what a row is")."""

import time as clock
from dataclasses import replace
from datetime import date, time
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rules.movements import KnownMovement, Movement, identifying_numbers, identities, likeness
from tests.oracles.movements import compared_with_all

ROW = Movement(
    Decimal("350.00"),
    date(2026, 8, 2),
    time(9, 10, 12),
    number="B2026080200001",
    account="6222",
    counter_account="6225000011112222",
    payer="李某",
    memo="1-101物业费",
    balance=Decimal("1350.00"),
    layout="bank-1",
)
BARE = Movement(Decimal("350.00"), date(2026, 8, 2), layout="bank-2")
OTHER = replace(ROW, layout="bank-2")
UNNUMBERED = replace(ROW, number="", balance=None)

LIKENESS = [
    # the same, however it is written
    ({}, {}, "same"),
    ({}, {"time": None}, "same"),
    ({}, {"time": time(9, 10)}, "same"),  # no seconds
    ({}, {"number": ""}, "same"),
    ({}, {"number": "", "balance": None}, "same"),
    ({}, {"number": "", "memo": "", "counter_account": ""}, "same"),
    ({}, {"memo": "转账 1-101物业费"}, "same"),
    ({"number": ""}, {"payer": "李*"}, "same"),
    ({"number": ""}, {"counter_account": "6225****2222"}, "same"),
    # another movement
    ({}, {"amount": Decimal("-350.00")}, "other"),
    ({}, {"amount": Decimal("350.01")}, "other"),
    ({}, {"day": date(2026, 8, 3)}, "other"),
    ({"number": ""}, {"time": time(9, 11)}, "other"),
    ({"number": ""}, {"payer": "王某"}, "other"),
    ({"number": ""}, {"balance": Decimal("1700.00")}, "other"),
    ({"number": ""}, {"counter_account": "6225****2223"}, "other"),
    ({"account": "6221", "number": ""}, {}, "other"),
    ({"number": "", "balance": None, "payer": "李某"}, {"memo": "1-102物业费", "payer": "王某"}, "other"),
    # what can't be told
    ({}, {"payer": "王某"}, "maybe"),  # one number, two payers
    ({"number": ""}, {"memo": "1-102物业费"}, "maybe"),  # one balance, two memos
    ({"number": "", "balance": None, "time": None}, {"memo": "汇入"}, "maybe"),  # another column's words
    ({}, {"number": "B2026080200002"}, "maybe"),  # another layout may give another number
    ({}, {"service": "wechat"}, "maybe"),
]


@pytest.mark.parametrize(("one", "other", "expected"), LIKENESS)
def test_rows_of_two_layouts(one, other, expected):
    first, second = replace(ROW, **one), replace(OTHER, **other)

    assert likeness(first, second) == likeness(second, first) == expected


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({}, "maybe"),
        ({"time": time(9, 10, 12)}, "maybe"),
        ({"memo": "1-101物业费 转账"}, "maybe"),  # says more than the other, and nothing of who
        ({"memo": "1-101"}, "maybe"),
        ({"memo": "转账"}, "maybe"),
        ({"memo": "1-101物业费"}, "same"),
        ({"payer": "李某"}, "same"),
        ({"balance": Decimal("1350.00")}, "same"),
    ],
)
def test_day_and_amount_alone_are_no_identity(more, expected):
    assert likeness(replace(BARE, **more), ROW) == expected


@pytest.mark.parametrize(
    ("other", "expected"),
    [
        ({"number": "B2026080200002"}, "maybe"),  # the balance says one movement
        ({"number": "B2026080200002", "balance": Decimal("1700.00")}, "other"),
        ({"number": "B2026080200002", "balance": None}, "other"),
        ({"number": "", "time": time(9, 10)}, "same"),  # a spreadsheet has saved it without seconds
        ({"number": "", "time": time(9, 10, 13)}, "other"),
        ({"number": "", "time": time(9, 11)}, "other"),
        ({"number": "", "time": time(9, 10), "balance": Decimal("1700.00")}, "other"),  # paid twice
        ({"number": "", "balance": None, "time": None, "memo": "1-102物业费"}, "other"),
    ],
)
def test_rows_of_one_layout(other, expected):
    assert likeness(ROW, replace(ROW, **other)) == expected


def test_a_number_that_repeats_on_differing_rows_identifies_nothing():
    rows = [
        ("0001", ROW),
        ("0001", replace(ROW, payer="王某")),
        ("0002", ROW),
        ("0002", ROW),
        ("0003", ROW),
        ("", ROW),
    ]

    assert identifying_numbers(rows) == {"0002", "0003"}


def told(rows, known=()):
    stored = [KnownMovement(place, one) for place, one in enumerate(known, start=1)]
    return [(one.known_id, one.doubt, one.is_repeated) for one in identities(rows, stored)]


NEW = (None, "", False)


def test_identical_rows_of_a_file_are_as_many_movements():
    assert told([UNNUMBERED, UNNUMBERED]) == [NEW, NEW]
    assert told([UNNUMBERED, UNNUMBERED], [UNNUMBERED]) == [(1, "", False), NEW]
    assert told([UNNUMBERED], [UNNUMBERED, UNNUMBERED]) == [(1, "", False)]


def test_two_payments_of_one_minute_stay_two_when_their_seconds_are_lost():
    told_once = replace(UNNUMBERED, balance=None)
    known = [replace(told_once, time=time(9, 10, second)) for second in (12, 40)]
    saved = replace(told_once, time=time(9, 10))

    assert told([saved, saved], known) == [(1, "", False), (2, "", False)]
    assert told(known, [saved, saved]) == [(1, "", False), (2, "", False)]
    assert told(known, [saved]) == [(1, "", False), NEW]
    assert told([known[1]], known) == [(2, "", False)]  # what agrees to the second goes first


def test_a_row_pasted_twice_with_its_number_is_one_movement():
    assert told([ROW, ROW]) == [NEW, (None, "", True)]
    assert told([ROW, ROW], [ROW]) == [(1, "", False), (None, "", True)]


def test_a_row_pasted_twice_with_a_short_number_waits():
    short = replace(ROW, number="7")

    assert told([short, short]) == [NEW, (None, "maybe_same", True)]
    assert told([short, short], [short, short]) == [(1, "", False), (2, "", False)]


@pytest.mark.parametrize(
    ("row", "doubt"),
    [
        (replace(ROW, amount=Decimal("351.00")), "same_number"),
        (replace(ROW, day=date(2026, 8, 5)), "same_number"),
        (replace(OTHER, amount=Decimal("351.00"), account=""), "same_number"),
        (replace(OTHER, amount=Decimal("351.00"), account="6221"), ""),
        (replace(OTHER, amount=Decimal("351.00"), service="wechat"), ""),
        (replace(OTHER, day=date(2026, 8, 3), number=""), "maybe_same"),  # booked on the next day
        (replace(OTHER, day=date(2026, 8, 3), number="", balance=None), ""),
    ],
)
def test_what_is_in_doubt_names_the_known_row(row, doubt):
    assert told([row], [ROW]) == [(1 if doubt else None, doubt, False)]


TOLD = st.builds(  # few values of each, so that many of the rows are alike
    Movement,
    st.just(Decimal("350.00")),
    st.sampled_from([date(2026, 8, 2), date(2026, 8, 2), date(2026, 8, 3), None]),
    st.sampled_from([None, time(9, 10), time(9, 10, 12), time(9, 11)]),
    st.sampled_from(["", "B2026080200001", "7"]),
    st.sampled_from(["", "6222"]),
    st.just("6225000011112222"),
    st.sampled_from(["", "李某", "王某"]),
    st.sampled_from(["", "1-101物业费"]),
    st.sampled_from([None, Decimal("1350.00")]),
    st.sampled_from(["", "wechat"]),
    st.sampled_from(["bank-1", "bank-2"]),
)


@settings(max_examples=400)
@given(st.lists(TOLD, max_size=8), st.lists(TOLD, max_size=8))
def test_rows_are_what_they_are_compared_with_every_known_movement(rows, movements):
    known = [KnownMovement(place * 10, one) for place, one in enumerate(movements, 1)]

    assert identities(rows, known) == compared_with_all(rows, known)


def test_a_day_of_equal_payments_does_not_take_the_square_of_their_number():
    count = 20_000
    known = [KnownMovement(n, replace(ROW, number=f"A{n:012}", balance=None)) for n in range(1, count + 1)]
    rows = [replace(ROW, number=f"B{n:012}", balance=None) for n in range(count)]
    began = clock.process_time()

    told = identities(rows, known)

    assert clock.process_time() - began < 10  # minutes where each row meets each
    assert not any(one.known_id for one in told)
