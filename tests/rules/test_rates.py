"""Which rate counts, for which months, rounded how: the contract's numbers (B14, B15, B19, B20)."""

from datetime import date
from decimal import Decimal

import pytest

from rules.billing import Basis, Period, Tariff, Timing, quote
from rules.cycles import Anchor, Cycle, due, running, since
from rules.liability import Occupancy, payers_of_item
from rules.money import Rounding, RoundingMode, RoundingUnit, split_by_days
from rules.rates import Exempt, ItemRate, Place, Rated, rated, scope_of, tags_of
from rules.reasons import Reason

ADVANCE, ARREARS = Timing.ADVANCE, Timing.ARREARS
FEN, JIAO, YUAN = RoundingUnit.FEN, RoundingUnit.JIAO, RoundingUnit.YUAN
HALF_UP, UP, DOWN = RoundingMode.HALF_UP, RoundingMode.UP, RoundingMode.DOWN


def day(text):
    return date.fromisoformat(text)


AMOUNTS = [
    # m², rate, months, factor, unit, mode, amount, raw
    ("100.24", "1.40", 12, "1", FEN, HALF_UP, "1684.03", "1684.032"),
    ("100.24", "1.40", 12, "1", YUAN, HALF_UP, "1684.00", "1684.032"),
    ("154.78", "1.20", 1, "0.7", FEN, HALF_UP, "130.02", "130.0152"),
    ("154.78", "1.20", 1, "0.7", JIAO, HALF_UP, "130.00", "130.0152"),
    ("154.78", "1.20", 1, "0.7", JIAO, UP, "130.10", "130.0152"),
    ("154.78", "1.20", 1, "0.7", YUAN, UP, "131.00", "130.0152"),
    ("154.78", "1.20", 1, "0.7", FEN, DOWN, "130.01", "130.0152"),
    ("10", "0.05", 1, "1", YUAN, HALF_UP, "1.00", "0.5"),
    ("10", "0.05", 1, "1", YUAN, DOWN, "0.00", "0.5"),
    ("10", "0.5", 1, "1", YUAN, UP, "5.00", "5"),
    ("88.35", "2.50", 1, "0", JIAO, UP, "0.00", "0"),
]


@pytest.mark.parametrize(("area", "rate", "months", "factor", "unit", "mode", "amount", "raw"), AMOUNTS)
def test_an_amount_is_rounded_once(area, rate, months, factor, unit, mode, amount, raw):
    found = quote(
        Basis.PER_M2,
        Decimal(area),
        Decimal(rate),
        months=months,
        factor=Decimal(factor),
        rounding=Rounding(unit, mode),
    )

    assert (str(found.amount), found.raw) == (amount, Decimal(raw))


def test_a_split_is_rounded_as_its_item():
    assert split_by_days(Decimal("1684.00"), [59, 306], 365, Rounding(YUAN)) == (272, 1412)
    assert split_by_days(Decimal("100.10"), [1, 1, 1], 3, Rounding(JIAO, UP)) == tuple(
        map(Decimal, ("33.40", "33.40", "33.30"))
    )


QUARTER, YEAR = Cycle(3), Cycle(12, Anchor.UNIT)
DUE = [
    # cycle, timing, period, the unit's own day, what is charged: first and last days with their months
    (Cycle(), ADVANCE, "2026-03", None, ["2026-03-01 2026-03-31 1"]),
    (Cycle(), ARREARS, "2026-01", None, ["2025-12-01 2025-12-31 1"]),
    (QUARTER, ADVANCE, "2026-04", None, ["2026-04-01 2026-06-30 3"]),
    (QUARTER, ADVANCE, "2026-05", None, []),
    (QUARTER, ARREARS, "2026-04", None, ["2026-01-01 2026-03-31 3"]),
    (Cycle(12), ADVANCE, "2026-01", None, ["2026-01-01 2026-12-31 12"]),
    (Cycle(6), ADVANCE, "2026-07", None, ["2026-07-01 2026-12-31 6"]),
    (YEAR, ADVANCE, "2026-03", "2026-03-15", ["2026-03-15 2027-03-14 12"]),
    (YEAR, ADVANCE, "2028-03", "2026-03-15", ["2028-03-15 2029-03-14 12"]),
    (YEAR, ADVANCE, "2026-02", "2026-03-15", []),
    (YEAR, ADVANCE, "2025-03", "2026-03-15", []),
    (YEAR, ARREARS, "2026-03", "2026-03-15", []),
    (YEAR, ARREARS, "2027-03", "2026-03-15", ["2026-03-15 2027-03-14 12"]),
    (YEAR, ADVANCE, "2025-02", "2024-02-29", ["2025-02-28 2026-02-27 12"]),
    (YEAR, ADVANCE, "2028-02", "2024-02-29", ["2028-02-29 2029-02-27 12"]),
    (Cycle(1, Anchor.UNIT), ADVANCE, "2026-01", "2026-01-31", ["2026-01-31 2026-02-27 1"]),
    (Cycle(1, Anchor.UNIT), ADVANCE, "2026-02", "2026-01-31", ["2026-02-28 2026-03-30 1"]),
    (Cycle(1, Anchor.UNIT), ADVANCE, "2026-03", "2026-01-31", ["2026-03-31 2026-04-29 1"]),
    (Cycle(1, Anchor.UNIT), ADVANCE, "2028-02", "2026-01-31", ["2028-02-29 2028-03-30 1"]),
    (Cycle(1, Anchor.UNIT), ADVANCE, "2026-03", "2025-06-01", ["2026-03-01 2026-03-31 1"]),
    (Cycle(3, days_ahead=15), ADVANCE, "2026-03", None, ["2026-04-01 2026-06-30 3"]),
    (Cycle(1, days_ahead=5), ADVANCE, "2026-03", None, ["2026-04-01 2026-04-30 1"]),
    (Cycle(1, days_ahead=29), ADVANCE, "2026-01", None,
     ["2026-02-01 2026-02-28 1", "2026-03-01 2026-03-31 1"]),
    (Cycle(1, season=(11, 3)), ADVANCE, "2026-03", None, ["2026-03-01 2026-03-31 1"]),
    (Cycle(1, season=(11, 3)), ADVANCE, "2026-04", None, []),
    (Cycle(12, season=(11, 3)), ADVANCE, "2026-01", None,
     ["2026-01-01 2026-03-31 3", "2026-11-01 2026-12-31 2"]),
    (Cycle(3, season=(5, 9)), ADVANCE, "2026-04", None, ["2026-05-01 2026-06-30 2"]),
]  # fmt: skip


@pytest.mark.parametrize(("cycle", "timing", "period", "anchor_on", "wanted"), DUE)
def test_what_a_period_charges(cycle, timing, period, anchor_on, wanted):
    found = due(cycle, timing, Period.parse(period), day(anchor_on) if anchor_on else None)

    assert [f"{one.first_on} {one.last_on} {one.months}" for one in found] == wanted


def test_without_an_anchor_there_is_a_reason():
    assert due(YEAR, ADVANCE, Period(2026, 3), None) == Reason("no_anchor")


RUNNING = [
    # cycle, timing, period, the unit's own day, first day and months of the cycle that runs
    (QUARTER, ADVANCE, "2026-05", None, "2026-04-01 2026-06-30"),
    (QUARTER, ADVANCE, "2026-04", None, None),  # goes out now
    (QUARTER, ARREARS, "2026-05", None, None),
    (Cycle(), ADVANCE, "2026-05", None, None),
    (Cycle(1, days_ahead=5), ADVANCE, "2026-05", None, "2026-05-01 2026-05-31"),
    (YEAR, ADVANCE, "2026-05", "2026-03-15", "2026-03-15 2027-03-14"),
    (YEAR, ADVANCE, "2026-02", "2026-03-15", None),
    (YEAR, ADVANCE, "2026-05", None, None),
]


@pytest.mark.parametrize(("cycle", "timing", "period", "anchor_on", "wanted"), RUNNING)
def test_which_cycle_runs(cycle, timing, period, anchor_on, wanted):
    found = running(cycle, timing, Period.parse(period), day(anchor_on) if anchor_on else None)

    assert (found and f"{found[0]} {found[1][-1].last_on}") == wanted


def test_the_rest_of_a_cycle_is_counted_in_its_months():
    (year,) = due(YEAR, ADVANCE, Period(2026, 3), day("2026-03-15"))

    rest = since(year, day("2026-12-20"))

    assert (rest.first_on, rest.last_on, rest.months) == (day("2026-12-15"), day("2027-03-14"), 3)
    assert since(year, day("2026-01-01")) == year


OLD, NEW = day("2020-01-01"), day("2026-01-01")
TARIFFS = (Tariff(Decimal("2.5"), OLD),)
ROWS = (
    ItemRate("kind", OLD, kind="residence", rate=Decimal(3)),
    ItemRate("building", OLD, building_id=3, rate=Decimal(4)),
    ItemRate("shops there", OLD, building_id=3, kind="shop", rate=Decimal(9)),
    ItemRate("floors", OLD, floors=(1, 5), rate=Decimal(5)),
    ItemRate("floors there", OLD, floors=(1, 1), building_id=3, factor=Decimal(0)),
    ItemRate("tag", OLD, tag="Lake view", rate=Decimal(6)),
    ItemRate("older", OLD, date(2025, 12, 31), is_of_unit=True, amount=Decimal(70)),
    ItemRate("own", NEW, is_of_unit=True, factor=Decimal("0.5")),
)
PLACES = [
    # rows, place, day, what counts
    ("", Place("residence"), NEW, ("residence 2020-01-01", "2.5", "1")),
    ("kind building floors tag", Place("shop"), NEW, ("shop 2020-01-01", "2.5", "1")),
    ("kind building floors tag", Place("residence"), NEW, ("kind", "3", "1")),
    ("kind building floors tag", Place("residence", 3), NEW, ("building", "4", "1")),
    ("kind building floors tag", Place("residence", 3, 6), NEW, ("building", "4", "1")),
    ("kind building floors tag", Place("residence", 3, 5), NEW, ("floors", "5", "1")),
    (
        "kind building floors tag",
        Place("residence", 3, 5, tags_of("new， lake VIEW")),
        NEW,
        ("tag", "6", "1"),
    ),
    ("building shops_there", Place("shop", 3), NEW, ("shops there", "9", "1")),
    ("building floors_there", Place("residence", 3, 1), NEW, ("floors there × building", "4", "0")),
    ("kind own tag older", Place("residence"), NEW, ("own × kind", "3", "0.5")),
    ("own older", Place("residence"), NEW, ("own × residence 2020-01-01", "2.5", "0.5")),
    ("own older", Place("residence"), date(2025, 12, 31), ("older", "70", "1")),
]


@pytest.mark.parametrize(("names", "place", "on", "wanted"), PLACES)
def test_the_most_specific_row_wins(names, place, on, wanted):
    chosen = [row for row in ROWS if row.name.replace(" ", "_") in names.split()]

    found = rated(chosen, TARIFFS, place, on)

    assert isinstance(found, Rated)
    assert (found.row, str(found.rate), str(found.factor)) == wanted
    assert found.is_amount == (found.row == "older")


def test_an_exempt_unit_and_one_that_nothing_is_said_of():
    exempt = ItemRate("none", NEW, is_of_unit=True, is_exempt=True)

    assert rated([*ROWS[:2], exempt], TARIFFS, Place("residence", 3), NEW) == Exempt("none")
    assert rated([ROWS[1]], (), Place("residence", 4), NEW) is None
    assert rated([ROWS[7]], (), Place("residence"), NEW) is None  # a factor of nothing


def test_the_units_of_a_row_in_one_text():
    assert scope_of(12, "", None, None, None, "") == "unit:12"
    assert scope_of(None, "Ｌake", 3, -1, 5, "shop") == "tag:lake floors:-1-5 building:3 kind:shop"


def test_who_pays_an_item():
    tenant = Occupancy(2, day("2026-01-01"), None, 3)
    owner = Occupancy(1, day("2020-01-01"), day("2025-12-31"), 2)
    payers, owns = [owner, tenant], [Occupancy(1, day("2020-01-01"))]
    named = [Occupancy(9, day("2026-02-10"), day("2026-02-20"))]

    found = payers_of_item(payers, named, owns, payers)

    assert [(one.payer, one.from_on, one.residents) for one in found] == [
        (1, day("2020-01-01"), 2),
        (1, day("2026-01-01"), 3),
        (9, day("2026-02-10"), 3),
        (1, day("2026-02-21"), 3),
    ]
    assert payers_of_item(payers, payers) == [
        Occupancy(1, day("2020-01-01"), day("2025-12-31"), 2),
        Occupancy(2, day("2026-01-01"), date.max, 3),
    ]


def test_a_developer_pays_until_somebody_is_there():
    payers = [Occupancy(1, day("2026-02-10"))]

    found = payers_of_item(payers, payers, [Occupancy(7, date.min)])

    assert [(one.payer, one.from_on, one.to_on) for one in found] == [
        (7, date.min, day("2026-02-09")),
        (1, day("2026-02-10"), date.max),
    ]
