"""Lines, days, cut-offs and what is unusual (B1–B6, P5)."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from rules.billing import (
    MONTHLY,
    Basis,
    BillingDocument,
    MoveInItem,
    MoveInRow,
    Period,
    Share,
    Tariff,
    Tier,
    Timing,
    billing_problems,
    coverage,
    due_on,
    is_charged,
    issued_on,
    monthly_quantity,
    move_in_line,
    move_in_problems,
    quote,
    service_period,
    slip_cut_off_on,
    stored_tiers,
    tariff,
    tier_problem,
    unusual,
)
from rules.liability import Occupancy
from rules.money import MoneyError, yuan
from rules.policy_values import PolicyValueError
from rules.reasons import Reason
from tests.factories.policies import policy


def preset(name):
    return policy(name, BillingDocument).billing


TIERS = (Tier(Decimal("0.50"), Decimal(200)), Tier(Decimal("0.60"), Decimal(400)), Tier(Decimal("0.90")))

LINES = [
    # basis, quantity, rate, amount
    (Basis.PER_M2, "88.50", "2.85", "252.23"),  # 252.225
    (Basis.PER_M2, "100", "2.80", "280.00"),
    (Basis.PER_M2, "0.01", "0.49", "0.00"),
    (Basis.FIXED, "1", "300", "300.00"),
    (Basis.PER_HOUR, "2.5", "33.33", "83.33"),  # 83.325
    (Basis.PER_JOB, "1", "120", "120.00"),
    (Basis.ONE_OFF, "1", "0", "0.00"),
    (Basis.DEPOSIT, "2", "500", "1000.00"),
]


@pytest.mark.parametrize(
    ("basis", "residents", "expected"),
    [
        (Basis.PER_M2, None, Decimal("88.5")),
        (Basis.FIXED, None, Decimal(1)),
        (Basis.PER_PERSON, 3, Decimal(3)),
        (Basis.PER_PERSON, 0, Decimal(0)),
        (Basis.PER_PERSON, None, Reason("no_residents")),
    ],
)
def test_what_a_month_counts(basis, residents, expected):
    assert monthly_quantity(basis, Decimal("88.5"), residents) == expected


def test_each_basis_is_charged_by_the_month_or_is_not():
    for basis in set(Basis) - MONTHLY:
        with pytest.raises(ValueError, match=basis):
            monthly_quantity(basis, Decimal(1), 1)
    assert {type(monthly_quantity(basis, Decimal(1), 1)) for basis in MONTHLY} == {Decimal}


@pytest.mark.parametrize(
    ("basis", "quantity", "expected"),
    [(Basis.PER_PERSON, 0, False), (Basis.PER_PERSON, 1, True), (Basis.PER_M2, 0, True)],
)
def test_where_nobody_lives_there_is_no_line(basis, quantity, expected):
    assert is_charged(basis, Decimal(quantity)) == expected


@pytest.mark.parametrize(("basis", "quantity", "rate", "amount"), LINES)
def test_a_line_is_quantity_times_rate_half_up(basis, quantity, rate, amount):
    line = quote(basis, Decimal(quantity), Decimal(rate))

    assert yuan(line.amount) == amount
    assert line.reason.code == basis
    assert line.reason.inputs["amount"] == line.amount


METERED = [
    ("0", "0.00"),
    ("199.9", "99.95"),
    ("200", "100.00"),
    ("200.1", "100.06"),
    ("400", "220.00"),
    ("401", "220.90"),
]


@pytest.mark.parametrize(("used", "amount"), METERED)
def test_each_tier_prices_its_own_part(used, amount):
    line = quote(Basis.METERED, Decimal(used), Decimal(0), tiers=TIERS)

    assert yuan(line.amount) == amount


BAD_TIERS = [
    ((Tier(Decimal(1), Decimal(10)),), "tiers_not_open_ended"),
    ((Tier(Decimal(1)), Tier(Decimal(2))), "tiers_not_open_ended"),
    ((Tier(Decimal(1), Decimal(20)), Tier(Decimal(2), Decimal(20)), Tier(Decimal(3))), "tiers_not_ascending"),
    ((Tier(Decimal(1), Decimal(20)), Tier(Decimal(2)), Tier(Decimal(3))), "tiers_not_open_ended"),
    ((Tier(Decimal(1), Decimal(0)), Tier(Decimal(2))), "tiers_not_ascending"),
]


@pytest.mark.parametrize(("tiers", "code"), BAD_TIERS)
def test_tiers_that_leave_a_gap_are_refused(tiers, code):
    assert tier_problem(tiers).code == code
    with pytest.raises(ValueError, match=code):
        quote(Basis.METERED, Decimal(1), Decimal(0), tiers=tiers)


def test_sound_tiers_have_no_problem():
    assert tier_problem(TIERS) is None
    assert tier_problem(()) is None
    assert tier_problem((Tier(Decimal(1), Decimal("0.5")), Tier(Decimal(2)))) is None


STEPS = [("0", "0"), ("200", "200×0.50"), ("200.1", "200×0.50+0.1×0.60")]


@pytest.mark.parametrize(("used", "steps"), STEPS)
def test_a_metered_line_names_the_tiers_that_were_used(used, steps):
    line = quote(Basis.METERED, Decimal(used), Decimal(0), tiers=TIERS)

    assert line.reason.inputs["tiers"] == steps


def test_a_tariff_stores_its_tiers_as_json():
    assert stored_tiers('[["200", "0.50"], ["400", "0.60"], [null, "0.90"]]') == TIERS
    assert stored_tiers("") == ()


@pytest.mark.parametrize("number", ["-1", "NaN", "Infinity"])
def test_numbers_that_mean_nothing_are_refused(number):
    with pytest.raises(MoneyError):
        quote(Basis.PER_M2, Decimal(number), Decimal(1))
    with pytest.raises(MoneyError):
        quote(Basis.PER_M2, Decimal(1), Decimal(number))


def test_a_share_takes_its_days_of_the_rounded_month_and_no_fen_is_lost():
    shares = [Share((10, 21), index, 31) for index in range(2)]

    lines = [quote(Basis.PER_M2, Decimal("88.50"), Decimal("2.85"), share=share) for share in shares]

    assert [yuan(line.amount) for line in lines] == ["81.36", "170.87"]  # together 252.23
    assert lines[0].reason.inputs["days"] == 10


def test_usage_is_not_split_by_days():
    line = quote(Basis.METERED, Decimal(100), Decimal(1), share=Share((10, 21), 0, 31))

    assert line.amount == Decimal("100.00")


PERIODS = [("2026-02", 28), ("2028-02", 29), ("2026-12", 31)]


@pytest.mark.parametrize(("text", "days"), PERIODS)
def test_a_period_is_a_month(text, days):
    assert str(Period.parse(text)) == text
    assert Period.parse(text).days == days


@pytest.mark.parametrize("text", ["2026-13", "2026-00", "2026-1", "26-01", "2026/01", "", "0000-01"])
def test_what_is_no_period_is_refused(text):
    with pytest.raises(ValueError, match="is no period"):
        Period.parse(text)


def test_periods_count_over_the_year():
    assert Period(2026, 1).plus(-1) == Period(2025, 12)
    assert Period(2025, 12).plus(14) == Period(2027, 2)


DUE = [("tower", 5), ("residential", 15), ("project", 15)]


@pytest.mark.parametrize(("name", "day"), DUE)
def test_bills_go_out_on_the_1st_and_are_due_by_the_preset(name, day):
    policy, period = preset(name), Period(2026, 3)

    assert issued_on(policy, period) == date(2026, 3, 1)
    assert due_on(policy, period) == date(2026, 3, day)


def test_advance_bills_its_own_month_and_arrears_the_one_before():
    assert service_period(Timing.ADVANCE, Period(2026, 1)) == Period(2026, 1)
    assert service_period(Timing.ARREARS, Period(2026, 1)) == Period(2025, 12)


SLIPS = [(date(2026, 2, 24), True), (date(2026, 2, 25), True), (date(2026, 2, 26), False)]


@pytest.mark.parametrize(("used_on", "is_in"), SLIPS)
def test_slips_up_to_the_25th_go_into_the_next_bill(used_on, is_in):
    assert (used_on <= slip_cut_off_on(preset("tower"), Period(2026, 3))) is is_in


RATES = (
    Tariff(Decimal(1), date(2025, 1, 1), date(2026, 2, 28)),
    Tariff(Decimal(2), date(2026, 3, 1)),
)


@pytest.mark.parametrize(
    ("day", "rate"), [(date(2024, 12, 31), None), (date(2026, 2, 28), 1), (date(2026, 3, 1), 2)]
)
def test_the_tariff_of_the_day(day, rate):
    found = tariff(RATES, day)

    assert (found and found.rate) == rate


OCCUPIED = [Occupancy(1, date(2020, 1, 1))]
COVERED = [
    # handed over on, is part of it, days
    (None, True, [31]),
    (date(2026, 2, 28), True, [31]),
    (date(2026, 3, 1), True, [31]),
    (date(2026, 3, 2), True, [30]),
    (date(2026, 3, 31), True, [1]),
    (date(2026, 4, 1), False, []),
]


@pytest.mark.parametrize(("handed_over_on", "is_part", "days"), COVERED)
def test_billing_starts_at_the_hand_over(handed_over_on, is_part, days):
    found = coverage(preset("residential"), Period(2026, 3), handed_over_on, OCCUPIED)

    assert found.is_part is is_part
    assert [one.share.own_days for one in found.payers] == days
    assert found.reason is None


def test_without_a_split_at_hand_over_the_month_is_whole():
    whole = replace(preset("residential"), is_split_by_payer=False, is_split_by_hand_over=False)
    occupied = [Occupancy(1, date(2026, 3, 10), date(2026, 3, 19)), Occupancy(2, date(2026, 3, 20))]

    found = coverage(whole, Period(2026, 3), date(2026, 3, 10), occupied)

    assert [(one.segment.payer, one.share.own_days) for one in found.payers] == [(1, 31)]


def test_a_unit_without_payer_is_listed_with_the_reason():
    found = coverage(preset("tower"), Period(2026, 3), None, [])

    assert found.is_part
    assert found.reason.code == "no_payer"


UNUSUAL = [
    ("100", None, False),
    ("129.99", "100", False),
    ("130", "100", True),
    ("70", "100", True),
    ("9", "1", False),  # less than 10 yuan
    ("11", "0", True),
    ("10", "0", True),
    ("9.99", "0", False),
]


@pytest.mark.parametrize(("now", "last", "is_unusual"), UNUSUAL)
def test_the_preview_points_out_what_changed_much(now, last, is_unusual):
    found = unusual(preset("tower"), Decimal(now), last and Decimal(last))

    assert (found is not None) is is_unusual


def test_of_two_valid_tariffs_the_youngest_holds():
    rates = (Tariff(Decimal(1), date(2026, 1, 1)), Tariff(Decimal(2), date(2026, 3, 1)))

    assert tariff(rates, date(2026, 3, 1)) == tariff(rates[::-1], date(2026, 3, 1)) == rates[1]


def test_a_move_in_bill_may_charge_each_square_metre_once():
    line = move_in_line(MoveInItem("fitting_out", per_m2=Decimal("2.50")), Decimal(0), Decimal("80.5"))

    assert (line.quantity, line.rate, yuan(line.amount)) == (Decimal("80.5"), Decimal("2.50"), "201.25")
    assert line.reason.code == "per_m2_once"


# months, amount and yuan for each m² of a row, and whether it says one thing
MOVE_IN_ROWS = [
    (1, "0", "0", True),
    (0, "0.01", "0", True),
    (0, "0", "0.5", True),
    (0, "0", "0", False),
    (1, "1", "0", False),
    (1, "0", "1", False),
    (1, "1", "1", False),
]


@pytest.mark.parametrize(("months", "amount", "per_m2", "is_clear"), MOVE_IN_ROWS)
def test_a_move_in_row_says_months_or_an_amount_or_a_rate(months, amount, per_m2, is_clear):
    row = MoveInRow("x", months, Decimal(amount), Decimal(per_m2), unit_kind="shop")

    problems = move_in_problems([row])

    assert [one.code for one in problems] == ([] if is_clear else ["move_in_row_unclear"])


@pytest.mark.parametrize(
    ("months", "amount", "per_m2", "field"), [(-1, "1", "0", "months"), (0, "-0.01", "1", "amount")]
)
def test_a_move_in_row_below_zero_is_refused(months, amount, per_m2, field):
    with pytest.raises(PolicyValueError, match=f"out_of_range: field={field}"):
        MoveInRow("x", months, Decimal(amount), Decimal(per_m2), unit_kind="shop")


def test_a_move_in_bill_takes_months_ahead_and_fixed_amounts():
    ahead = move_in_line(MoveInItem("management_fee", months=3), Decimal("252.23"))
    fund = move_in_line(MoveInItem("maintenance_fund", amount=Decimal(9000)), Decimal(0))

    assert (yuan(ahead.amount), yuan(fund.amount)) == ("756.69", "9000.00")


PROBLEMS = [
    ({}, []),
    ({"issue_day": 10, "due_day": 9}, ["due_before_issue"]),
    ({"issue_day": 10, "due_day": 10}, []),
    ({"unusual_least": Decimal(0), "unusual_percent": Decimal(0)}, []),
    ({"unusual_least": Decimal("0.5"), "unusual_percent": Decimal("0.5")}, []),
    ({"due_day": 31, "cut_off_day": 1}, []),
]


@pytest.mark.parametrize(("change", "codes"), PROBLEMS)
def test_an_edited_billing_row_is_checked_on_saving(change, codes):
    assert [one.code for one in billing_problems(replace(preset("residential"), **change))] == codes


@pytest.mark.parametrize(
    "change",
    [
        {"due_day": 32},
        {"cut_off_day": 0},
        {"unusual_least": Decimal(-1)},
        {"unusual_percent": Decimal("-0.01")},
    ],
)
def test_a_number_outside_its_range_is_refused(change):
    with pytest.raises(PolicyValueError, match=f"out_of_range: field={next(iter(change))}"):
        replace(preset("residential"), **change)
