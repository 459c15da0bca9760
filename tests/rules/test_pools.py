"""Shares of a cost, to the fen (B16, contract "Charging, exactly")."""

import os
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rules.billing import Coverage, PayerShare, Period
from rules.billing import Share as Days
from rules.liability import Segment
from rules.money import MoneyError
from rules.pools import (
    MainReading,
    PoolKey,
    SharedPool,
    Sharer,
    denominator,
    metered_amount,
    payers_parts,
    share_price,
    shares,
    unit_price,
)

EXAMPLES = int(os.environ.get("GATEHOUSE_POOL_EXAMPLES", "60"))


def shared(amount, *keys):
    sharers = [Sharer(place, f"u{place}", key) for place, key in enumerate(keys)]
    return [str(one.amount) for one in shares(Decimal(amount), sharers)]


@pytest.mark.parametrize(
    ("amount", "keys", "expected"),
    [
        ("1000.00", ("89.50", "120.30", "66.66"), ["323.74", "435.14", "241.12"]),
        ("100.00", ("1", "1", "1"), ["33.34", "33.33", "33.33"]),  # ties: the first by unit code
        ("0.01", ("1", "2"), ["0.00", "0.01"]),
        ("10.00", ("0", "3"), ["0.00", "10.00"]),
        ("10.00", ("5",), ["10.00"]),
    ],
)
def test_shares_by_largest_remainder(amount, keys, expected):
    assert shared(amount, *map(Decimal, keys)) == expected


def test_ties_go_by_unit_code_whatever_the_order_and_no_key_is_a_share_of_nothing():
    sharers = [Sharer(1, "b", Decimal(1)), Sharer(2, "a", Decimal(1)), Sharer(3, "c", None)]

    found = shares(Decimal("0.03"), sharers)

    assert [(one.unit_code, str(one.amount)) for one in found] == [
        ("a", "0.02"),
        ("b", "0.01"),
        ("c", "0.00"),
    ]
    assert denominator(sharers) == denominator(found) == 2
    for none in ([], [Sharer(1, "a", Decimal(0))]):
        with pytest.raises(ValueError, match="can't be shared"):
            shares(Decimal(1), none)


@given(
    amount=st.integers(1, 10**11),
    keys=st.lists(st.integers(0, 10**8), min_size=1, max_size=60).filter(any),
)
@settings(max_examples=EXAMPLES, deadline=None)
def test_shares_are_the_pool_to_the_fen_and_each_within_a_fen_of_its_part(amount, keys):
    whole = Decimal(amount).scaleb(-2)
    found = shares(whole, [Sharer(n, f"{n:03}", Decimal(key).scaleb(-4)) for n, key in enumerate(keys)])

    assert sum(one.amount for one in found) == whole
    for one in found:
        assert abs(one.amount * sum(keys) - whole * one.key * 10**4) < sum(keys) * Decimal("0.01")


def test_a_main_meter_less_its_sub_meters():
    reading = MainReading(Decimal(100), Decimal("112.5"), Decimal("0.8333"), Decimal(40), Decimal(180))

    assert (reading.quantity, metered_amount(reading)) == (Decimal(320), Decimal("266.66"))
    for wrong in (
        MainReading(Decimal(2), Decimal(1), Decimal(1)),
        MainReading(Decimal(1), Decimal(2), Decimal(1), sub_meters=Decimal(2)),
    ):
        with pytest.raises(MoneyError):
            metered_amount(wrong)


POOL = SharedPool(Period(2026, 6), Decimal("1000.00"), PoolKey.AREA, Decimal("276.46"))


def test_a_line_tells_its_pool_key_and_unit_price_and_is_split_by_days():
    price = share_price(POOL, Decimal("89.50"), Decimal("323.74"))
    assert (price.quantity, price.rate, price.raw) == (
        Decimal("89.50"),
        Decimal("3.617160"),
        Decimal("323.73580265"),
    )
    assert unit_price(Decimal(1), Decimal(0)) == 0

    june = Period(2026, 6)
    parts = tuple(
        PayerShare(
            Segment(payer, june.day(first), june.day(last)),
            Days((10, 20), place, 30),
        )
        for place, (payer, first, last) in enumerate(((1, 1, 10), (2, 11, 30)))
    )
    found = payers_parts(price, Coverage(parts, is_part=True))

    assert [(payer, str(one.amount), one.from_on) for payer, one in found] == [
        (1, "107.91", june.day(1)),
        (2, "215.83", june.day(11)),
    ]
    assert found[1][1].reason.inputs["days"] == 20
    assert payers_parts(price, Coverage(parts[:1], is_part=True)) == [(1, price)]
    assert payers_parts(price, Coverage((), is_part=True)) == []
