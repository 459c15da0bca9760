"""What a rent contract charges: steps, days free of rent, months in part, cycles (B24)."""

from datetime import date
from decimal import Decimal
from itertools import pairwise

import pytest

from rules.billing import Period, Timing
from rules.cycles import PLAIN, Anchor, Cycle
from rules.liability import Occupancy
from rules.rent import RentChange, RentContract, Step, months_to_charge, rent_lines, rents

TENANT, OTHER = 7, 8
LOWER = RentChange(date(2026, 7, 1), rent=Decimal(9000))
JUNE = Period(2026, 6)


def day(text: str) -> date:
    return date.fromisoformat(text)


def contract(
    first: str = "2026-03-15", last: str = "2029-03-14", rent: str = "10000", **more
) -> RentContract:
    return RentContract("HT-1", TENANT, day(first), day(last), Decimal(rent), **more)


def yearly(percent: str | None = None, amount: str | None = None, every: int = 12) -> Step:
    return Step(every, percent and Decimal(percent), amount and Decimal(amount))


def charged(
    one: RentContract, period: Period, cycle=PLAIN, billed=(), payers=None, *, timing="advance", out=False
):
    """Each line as (payer, first and last day, months, amount, rent's row)."""
    wanted = months_to_charge(one, cycle, Timing(timing), period, billed, is_month_before_out=out)
    whole = payers or [Occupancy(TENANT, one.valid_from, one.valid_to)]
    return [
        (payer, f"{price.from_on} {price.to_on}", price.months, str(price.amount), price.reason.inputs["row"])
        for months, first_on in wanted
        for payer, price in rent_lines(one, months, first_on, whole)
    ]


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({}, "10000@2026-03-15"),
        ({"step": yearly("5")}, "10000@2026-03-15 10500.00@2027-03-15 11025.00@2028-03-15"),
        ({"step": yearly(amount="800.50")}, "10000@2026-03-15 10800.50@2027-03-15 11601.00@2028-03-15"),
        ({"step": yearly("3.33", every=24)}, "10000@2026-03-15 10333.00@2028-03-15"),
        ({"step": yearly("5", every=36)}, "10000@2026-03-15"),
        (
            {"step": yearly("5"), "changes": (RentChange(day("2027-03-15"), percent=Decimal("2.3")),)},
            "10000@2026-03-15 10741.50@2027-03-15 11278.58@2028-03-15",
        ),
        (
            {"changes": (LOWER, RentChange(day("2030-01-01"), Decimal(5)))},
            "10000@2026-03-15 9000@2026-07-01",
        ),
        ({"changes": (RentChange(day("2020-01-01"), rent=Decimal(9000)),)}, "9000@2026-03-15"),
        (
            {"first": "2024-02-29", "last": "2028-12-31", "step": yearly("10", every=24)},
            "10000@2024-02-29 11000.00@2026-02-28 12100.00@2028-02-29",
        ),
    ],
)  # fmt: skip
def test_the_rent_rises_by_its_steps_to_the_fen(more, expected):
    assert " ".join(f"{one.rent}@{one.from_on}" for one in rents(contract(**more))) == expected


def test_rents_follow_each_other_without_a_gap():
    found = rents(contract(step=yearly("5", every=1), last="2027-01-01"))
    assert found[0].from_on == day("2026-03-15")
    assert found[-1].to_on == day("2027-01-01")
    assert all((after.from_on - before.to_on).days == 1 for before, after in pairwise(found))


ROW = "contract HT-1 2026-03-15"
CASES = [
    # a whole month, before and after the contract
    (contract(), "2026-04", [(TENANT, "2026-04-01 2026-04-30", 1, "10000.00", ROW)]),
    (contract(), "2026-02", []),
    (contract(), "2029-04", []),
    # its first and its last month in part: 10,000 × 17/31 and × 14/31
    (contract(), "2026-03", [(TENANT, "2026-03-15 2026-03-31", 1, "5483.87", ROW)]),
    (contract(), "2029-03", [(TENANT, "2029-03-01 2029-03-14", 1, "4516.13", ROW)]),
    # a step within the month: 10,000 × 14/31 and 10,500 × 17/31
    (
        contract(step=yearly("5")),
        "2027-03",
        [
            (TENANT, "2027-03-01 2027-03-14", 1, "4516.13", ROW),
            (TENANT, "2027-03-15 2027-03-31", 1, "5758.06", "contract HT-1 2027-03-15"),
        ],
    ),
    # free at the beginning, the whole month, in the middle: 9 and 11 days of 30, together 20/30
    (contract(rent_free=(day("2026-03-15"), day("2026-05-14"))), "2026-04", []),
    (
        contract(rent_free=(day("2026-03-15"), day("2026-05-14"))),
        "2026-05",
        [(TENANT, "2026-05-15 2026-05-31", 1, "5483.87", ROW)],
    ),
    (
        contract(rent_free=(day("2026-06-10"), day("2026-06-19"))),
        "2026-06",
        [
            (TENANT, "2026-06-01 2026-06-09", 1, "3000.00", ROW),
            (TENANT, "2026-06-20 2026-06-30", 1, "3666.67", ROW),
        ],
    ),
]  # fmt: skip


@pytest.mark.parametrize(("one", "period", "expected"), CASES)
def test_a_month_of_rent(one, period, expected):
    assert charged(one, Period.parse(period)) == expected


def test_the_payer_of_an_item_pays_the_rent_of_their_days():
    payers = [Occupancy(OTHER, day("2026-06-01"), day("2026-06-11")), Occupancy(TENANT, day("2026-06-12"))]
    found = charged(contract(rent="1000"), JUNE, payers=payers)
    assert [(who, amount) for who, _, _, amount, _ in found] == [(OTHER, "366.67"), (TENANT, "633.33")]


QUARTER, HALF = Cycle(3), Cycle(6, Anchor.UNIT)


@pytest.mark.parametrize(
    ("cycle", "period", "more", "expected"),
    [
        (QUARTER, "2026-04", {}, [("2026-04-01 2026-06-30", 3, "30000.00")]),
        (QUARTER, "2026-05", {}, []),
        # begins in a quarter whose bill went out before: the rest of it, month by month
        (QUARTER, "2026-03", {}, [("2026-03-15 2026-03-31", 1, "5483.87")]),
        (
            QUARTER,
            "2026-01",  # known before it begins
            {"first": "2026-02-10"},
            [("2026-02-10 2026-02-28", 1, "6785.71"), ("2026-03-01 2026-03-31", 1, "10000.00")],
        ),
        # a step within the quarter
        (
            QUARTER,
            "2027-01",
            {"step": yearly("5")},
            [
                ("2027-01-01 2027-02-28", 2, "20000.00"),
                ("2027-03-01 2027-03-14", 1, "4516.13"),
                ("2027-03-15 2027-03-31", 1, "5758.06"),
            ],
        ),
        # from the contract's own day
        (HALF, "2026-03", {}, [("2026-03-15 2026-09-14", 6, "60000.00")]),
        (HALF, "2026-09", {"step": yearly("5", every=6)}, [("2026-09-15 2027-03-14", 6, "63000.00")]),
        (HALF, "2026-04", {}, []),
    ],
)
def test_a_cycle_charges_its_months_together(cycle, period, more, expected):
    found = charged(contract(**more), Period.parse(period), cycle)
    assert [(days, months, amount) for _, days, months, amount, _ in found] == expected


def test_what_is_billed_is_not_charged_again():
    one = contract()
    assert charged(one, JUNE, billed=[(day("2026-06-01"), day("2026-06-30"))]) == []
    (rest,) = charged(one, JUNE, billed=[(day("2026-05-01"), day("2026-06-15"))])
    assert rest[1:4] == ("2026-06-16 2026-06-30", 1, "5000.00")
    (rest,) = charged(one, Period(2026, 4), QUARTER, billed=[(day("2026-04-01"), day("2026-05-31"))])
    assert rest[1:4] == ("2026-06-01 2026-06-30", 1, "10000.00")


@pytest.mark.parametrize(("first", "is_out", "days"), [
    ("2026-05-20", True, ["2026-05-20 2026-05-31", "2026-06-01 2026-06-30"]),
    ("2026-05-20", False, ["2026-06-01 2026-06-30"]),  # that month's own bill will charge them
    ("2026-04-30", True, ["2026-06-01 2026-06-30"]),
])  # fmt: skip
def test_days_of_the_month_before_whose_bill_was_out_already(first, is_out, days):
    assert [one[1] for one in charged(contract(first), JUNE, out=is_out)] == days


def test_in_arrears_the_month_before_is_charged():
    (line,) = charged(contract("2026-05-20"), JUNE, timing="arrears", out=True)
    assert line[1] == "2026-05-20 2026-05-31"
