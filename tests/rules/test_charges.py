"""What a period charges a unit for, or the reason why not (B1–B5, P5)."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from rules.billing import Basis, Coverage, PayerShare, Period, Share, Tariff, Tier, TierSpan, Timing
from rules.charges import (
    BillableItem,
    MeterRead,
    Slip,
    by_service,
    meter_lines,
    month_prices,
    monthly,
    monthly_rates,
    shared_month,
    slip_line,
    whole_month,
)
from rules.liability import Segment
from rules.meters import PLAIN, Reading, in_month, steps
from rules.rates import Place
from rules.reasons import Reason

MARCH, FEBRUARY = Period(2026, 3), Period(2026, 2)
AREA = Decimal(100)
HOME = Place("residence")


def item(code, basis, rate="2", *, timing=Timing.ADVANCE, is_required=True, tiers=()):
    tariffs = {"residence": (Tariff(Decimal(rate), date(2026, 3, 1), tiers=tiers),)} if rate else {}
    return BillableItem(len(code), code, basis, timing, is_required, 1, tariffs)


FEE = item("fee", Basis.PER_M2)
LIFT = item("lift", Basis.PER_PERSON, "5")
OVERTIME = item("overtime", Basis.PER_HOUR, "5")
WATER = item("water", Basis.METERED, "3", timing=Timing.ARREARS)
TWO_PAYERS = Coverage(
    tuple(
        PayerShare(Segment(payer, date(2026, 3, first), date(2026, 3, last), 2), Share((10, 21), index, 31))
        for index, (payer, first, last) in enumerate([(1, 1, 10), (2, 11, 31)])
    ),
    is_part=True,
)


def test_items_stand_under_the_month_whose_service_they_charge():
    assert by_service([FEE, WATER, LIFT], MARCH) == {MARCH: [FEE, LIFT], FEBRUARY: [WATER]}
    assert monthly([FEE, WATER, LIFT]) == [FEE, LIFT]


RATES = [
    # items, kind of unit, items that have a rate, or the item without one
    ([FEE, WATER, LIFT], "residence", ["fee", "lift"]),
    ([FEE], "shop", "fee"),
    ([replace(FEE, is_required=False), LIFT], "shop", "lift"),
    ([replace(FEE, is_required=False), LIFT], "residence", ["fee", "lift"]),
    ([replace(FEE, is_required=False)], "shop", None),  # no item at all is for such units
    ([item("ended", Basis.FIXED, is_required=False, timing=Timing.ARREARS)], "residence", "ended"),
]


@pytest.mark.parametrize(("items", "kind", "wanted"), RATES)
def test_a_required_item_without_tariff_is_said(items, kind, wanted):
    found = monthly_rates(items, MARCH, Place(kind), {})

    if isinstance(found, Reason):
        assert (found.code, found.inputs.get("fee_item")) == ("no_tariff", wanted)
    else:
        assert [one.code for one, _ in found] == wanted


def test_the_tariff_is_that_of_the_first_day_billed():
    later = replace(FEE, tariffs={"residence": (Tariff(Decimal(2), date(2026, 3, 10)),)})

    assert isinstance(monthly_rates([later], MARCH, HOME, {MARCH: date(2026, 3, 9)}), Reason)
    assert monthly_rates([later], MARCH, HOME, {MARCH: date(2026, 3, 10)})


@pytest.mark.parametrize(
    ("residents", "amounts"), [(2, {"fee": 200, "lift": 10}), (0, {"fee": 200}), (None, "no_residents")]
)
def test_a_month_of_one_payer(residents, amounts):
    rates = monthly_rates([FEE, LIFT], MARCH, HOME, {})

    found = month_prices(rates, AREA, residents)

    if isinstance(found, Reason):
        assert (found.code, found.inputs) == (amounts, {"fee_item": "lift"})
    else:
        assert {one.code: price.amount for one, price in found} == amounts


def shared(*, paid_ahead=(), coverages=None):
    rates = monthly_rates([FEE, LIFT], MARCH, HOME, {})
    return shared_month(rates, AREA, coverages or {MARCH: TWO_PAYERS}, paid_ahead)


def test_payers_share_a_month_by_their_days():
    lines = [(line.payer, line.item.code, line.price.amount) for line in shared()]

    assert lines == [
        (1, "fee", Decimal("64.52")),
        (2, "fee", Decimal("135.48")),
        (1, "lift", Decimal("3.23")),
        (2, "lift", Decimal("6.77")),
    ]


def test_a_month_paid_ahead_or_of_nobody_has_no_line():
    nobody = Coverage(
        (PayerShare(Segment(None, MARCH.first_on, MARCH.last_on, 1), Share((31,), 0, 31)),), True
    )

    assert {line.item.code for line in shared(paid_ahead=[FEE.id])} == {"lift"}
    assert shared(coverages={FEBRUARY: TWO_PAYERS}) == []
    assert shared(coverages={MARCH: nobody}) == []


def test_a_shared_month_whose_residents_nobody_has_said_is_a_reason():
    unsaid = replace(TWO_PAYERS, payers=tuple(
        replace(one, segment=replace(one.segment, residents=None)) for one in TWO_PAYERS.payers
    ))  # fmt: skip

    assert shared(coverages={MARCH: unsaid}) == Reason("no_residents", {"fee_item": "lift"})


BASE, LAST = Reading(date(2026, 3, 1), Decimal(100)), Reading(date(2026, 3, 31), Decimal(130))
READINGS = [
    # readings, kind of unit, amount or the reason why there is none
    ([BASE, LAST], "residence", 90),
    ([BASE, replace(LAST, value=Decimal(100))], "residence", 0),
    ([replace(BASE, value=Decimal(0)), replace(LAST, value=Decimal(0))], "residence", 0),
    ([BASE, replace(LAST, value=Decimal(99))], "residence", "reading_runs_backwards"),
    ([LAST], "residence", "no_reading"),
    ([BASE], "residence", "no_reading"),
    ([], "residence", "no_reading"),
    ([BASE, replace(LAST, read_on=date(2026, 3, 2))], "residence", 90),
    ([BASE, replace(LAST, read_on=date(2026, 2, 28))], "residence", "no_reading"),
    ([BASE, LAST], "shop", "no_tariff"),
]
TIERED = item("water", Basis.METERED, "0", tiers=(Tier(Decimal(1), Decimal(20)), Tier(Decimal(2))))


def read(*readings, counted_before=Decimal(0)):
    return MeterRead("W1", in_month(steps(PLAIN, readings), MARCH), counted_before)


@pytest.mark.parametrize(("readings", "kind", "wanted"), READINGS)
def test_a_meter_charges_what_it_counted_or_says_why_not(readings, kind, wanted):
    found = meter_lines(WATER, MARCH, Place(kind), read(*readings), whole_month(1, MARCH))

    if isinstance(found, Reason):
        assert (found.code, found.inputs["meter"]) == (wanted, "W1")
    else:
        assert [(line.payer, line.price.amount) for line in found] == [(1, wanted)]
        assert "days" not in found[0].price.reason.inputs


def test_payers_share_what_a_meter_counted_by_their_days():
    lines = meter_lines(TIERED, MARCH, HOME, read(BASE, LAST), TWO_PAYERS.payers)

    assert [(line.payer, line.price.amount) for line in lines] == [
        (1, Decimal("12.90")),
        (2, Decimal("27.10")),
    ]
    inputs = lines[0].price.reason.inputs
    assert (inputs["days"], inputs["of_days"], inputs["tiers"]) == (10, 31, "20×1+10×2")
    assert (inputs["from"], inputs["to"]) == ("100 (2026-03-01)", "130 (2026-03-31)")


@pytest.mark.parametrize("day", [10, 11])  # the first payer's last day, the second's first
def test_who_moves_is_charged_by_the_reading_of_the_day(day):
    on_the_day = Reading(date(2026, 3, day), Decimal(125))

    lines = meter_lines(TIERED, MARCH, HOME, read(BASE, on_the_day, LAST), TWO_PAYERS.payers)

    assert [(line.payer, line.price.quantity, line.price.amount) for line in lines] == [
        (1, 25, Decimal("30.00")),  # 20 × 1 + 5 × 2
        (2, 5, Decimal("10.00")),  # the tiers go on
    ]
    assert lines[0].price.reason.inputs["to"] == f"125 (2026-03-{day})"
    assert "days" not in lines[0].price.reason.inputs


def test_what_was_counted_while_nobody_paid_is_nobodys():
    comes = TWO_PAYERS.payers[1]
    on_the_day = Reading(date(2026, 3, 11), Decimal(125))

    found = meter_lines(WATER, MARCH, HOME, read(BASE, on_the_day, LAST), [comes])
    unread = meter_lines(WATER, MARCH, HOME, read(BASE, LAST), [comes])

    assert [(line.payer, line.price.amount) for line in found] == [(2, 15)]
    assert [(line.payer, line.price.amount) for line in unread] == [(2, 90)]


def test_tiers_of_a_year_go_on_and_those_of_a_month_begin_again():
    tariff = replace(TIERED.tariffs["residence"][0], tier_span=TierSpan.YEAR)
    yearly = replace(TIERED, tariffs={"residence": (tariff,)})
    so_far = read(BASE, LAST, counted_before=Decimal(15))

    (line,) = meter_lines(yearly, MARCH, HOME, so_far, whole_month(1, MARCH))
    (of_month,) = meter_lines(TIERED, MARCH, HOME, so_far, whole_month(1, MARCH))

    assert (line.price.amount, line.price.reason.inputs["tiers"]) == (55, "5×1+25×2")
    assert of_month.price.reason.inputs["tiers"] == "20×1+10×2"


def test_tiers_of_a_large_household_are_higher():
    tiers = (Tier(Decimal(1), Decimal(20), Decimal(5)), Tier(Decimal(2)))
    tariff = replace(TIERED.tariffs["residence"][0], tiers=tiers, tier_people=4)
    water = replace(TIERED, tariffs={"residence": (tariff,)})

    (line,) = meter_lines(water, MARCH, HOME, read(BASE, LAST), whole_month(1, MARCH, 5))

    assert line.price.reason.inputs["tiers"] == "25×1+5×2"


SLIPS = [
    # item, day of use, price agreed, amount or the reason why it waits
    (OVERTIME, date(2026, 3, 1), None, Decimal(15)),
    (OVERTIME, date(2026, 2, 28), None, "no_tariff"),
    (OVERTIME, date(2026, 2, 28), Decimal(7), Decimal(7)),
    (OVERTIME, date(2026, 3, 1), Decimal(0), Decimal(0)),
    (None, date(2026, 3, 1), Decimal(7), "no_tariff"),
    (None, date(2026, 3, 1), None, "no_tariff"),
]


@pytest.mark.parametrize(("service", "used_on", "agreed", "wanted"), SLIPS)
def test_a_slip_costs_what_was_agreed_else_the_tariff_of_its_day(service, used_on, agreed, wanted):
    found = slip_line(service, HOME, Slip("S-1", used_on, Decimal(3), agreed), 1)

    if isinstance(found, Reason):
        assert (found.code, found.inputs["slip_no"]) == (wanted, "S-1")
    else:
        assert (found.payer, found.price.amount) == (1, wanted)
        assert found.price.reason.inputs["slip_no"] == "S-1"
