"""Rates of units, cycles, rounding and payers of items on real bills (B14, B15, B19, B20)."""

from datetime import date
from decimal import Decimal

import pytest
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from models.billing import FeeItem, Invoice, InvoiceLine, Tariff
from models.people import Occupancy, Owner
from models.property import Building, Estate
from models.rates import UnitItemPayer
from office.billing import item_rates, runs, unit_terms
from office.billing.change_of_owner import change_of_owner
from office.core.errors import Refused
from rules.reasons import Reason
from tests.factories.estate import (
    NOW,
    add_item,
    add_meter,
    add_slip,
    add_unit,
    assert_books_hold,
    at,
    bill,
    day,
    invoices,
    item,
    lines,
    occupy,
)
from tests.factories.rates import add_item_payer, add_rate

FEE = "management_fee"


def charged(session):
    """Each line as (unit, payer, item, amount, first day, last day)."""
    rows = session.execute(
        select(Invoice.unit_id, Owner.name, FeeItem.code, InvoiceLine)
        .join(InvoiceLine.invoice)
        .join(InvoiceLine.fee_item)
        .join(Owner, Owner.id == Invoice.payer_id)
        .order_by(InvoiceLine.id)
    )
    return [
        (payer, code, str(line.amount), f"{line.service_from} {line.service_to}")
        for _, payer, code, line in rows
    ]


def change(session, code, **values):
    for name, value in values.items():
        setattr(item(session, code), name, value)
    session.flush()


def row_of(session, place=0):
    line = session.scalars(select(InvoiceLine).order_by(InvoiceLine.id)).all()[place]
    return Reason.from_json(line.explanation).inputs["row"]


class TestRates:
    def test_the_most_specific_row_counts_and_the_line_names_it(self, session):
        own, tagged, low, high, plain = (
            add_unit(session, f"1-{floor}01", area="10", floor=floor, tags=tags, payer=f"P{floor}")
            for floor, tags in ((1, "lake"), (2, "lake view，sea"), (3, ""), (9, ""), (0, ""))
        )
        building_id = low.building_id
        add_rate(session, FEE, unit_id=own.id, rate="9")
        add_rate(session, FEE, tag="SEA", rate="8")
        add_rate(session, FEE, floor_from=1, floor_to=3, rate="7")
        add_rate(session, FEE, building_id=building_id, factor="0.5")
        shop = add_unit(session, "S-1", kind="shop", area="10", building_id=None, payer="S")
        shop.building = Building(name="2", area=session.get_one(Building, building_id).area)

        issued = bill(session)

        assert issued.unbilled == ()
        assert [one[2] for one in invoices(session)] == ["12.50", "90.00", "80.00", "70.00", "12.50", "80.00"]
        found = {
            line.invoice.unit.code: Reason.from_json(line.explanation).inputs["row"]
            for line in session.scalars(select(InvoiceLine))
        }
        assert found == {
            own.code: f"{own.code} 2020-01-01",
            tagged.code: "SEA 2020-01-01",
            low.code: "floors 1–3 2020-01-01",
            high.code: f"building 1 2020-01-01 × residence {_tariff_day(session)}",
            plain.code: f"building 1 2020-01-01 × residence {_tariff_day(session)}",
            "S-1": f"shop {_tariff_day(session)}",
        }
        assert_books_hold(session)

    def test_an_exempt_item_makes_no_line_and_is_not_unbilled(self, session):
        add_item(session, "lift", "fixed", rates={"residence": "30"})
        free, half = add_unit(session, "1-101"), add_unit(session, "1-102", payer="李四")
        add_rate(session, FEE, unit_id=free.id, is_exempt=True)
        add_rate(session, "lift", unit_id=free.id, is_exempt=True)
        add_rate(session, "lift", floor_from=1, floor_to=9, is_exempt=True)
        add_rate(session, "lift", unit_id=half.id, amount="10")

        issued = bill(session)

        assert (issued.invoices, issued.unbilled) == (1, ())
        assert charged(session) == [
            ("李四", FEE, "250.00", "2026-06-01 2026-06-30"),
            ("李四", "lift", "10.00", "2026-06-01 2026-06-30"),
        ]

    def test_a_row_counts_between_its_days_and_stays(self, session):
        unit = add_unit(session)
        add_rate(session, FEE, day("2026-05-01"), unit_id=unit.id, rate="3", valid_to=day("2026-05-31"))

        for period in ("2026-04", "2026-05", "2026-06"):
            bill(session, period)

        assert [one[2] for one in invoices(session)] == ["250.00", "300.00", "250.00"]

    def test_the_old_preview_and_the_new_bill_agree(self, session):
        unit = add_unit(session)
        bill(session, "2026-05")
        add_rate(session, FEE, unit_id=unit.id, rate="5")

        shown = runs.preview(session, "2026-06", now=NOW)

        assert ([(str(one.last), str(one.amount)) for one in shown.unusual]) == [("250.00", "500.00")]
        assert shown.by_item == {FEE: Decimal(500)}
        assert bill(session).amount == shown.amount

    def test_a_month_in_part_at_an_own_rate(self, session):
        unit = add_unit(session, handed_over_on=day("2026-06-16"))
        add_rate(session, FEE, unit_id=unit.id, rate="3", factor="0.5")

        bill(session)

        assert charged(session) == [("王小明", FEE, "75.00", "2026-06-16 2026-06-30")]
        assert_books_hold(session)

    def test_meters_and_slips_at_own_rates(self, session):
        add_item(session, "gas", "metered", rates={"residence": "3"})
        unit = add_unit(session, area="0")
        add_meter(session, unit, "gas", ("2026-06-01", "100"), ("2026-07-01", "110"))
        add_slip(session, unit, "2026-05-20", "2", code="overtime_ac")
        add_rate(session, "gas", unit_id=unit.id, rate="2")
        add_rate(session, "overtime_ac", unit_id=unit.id, rate="7")

        bill(session)

        assert sorted(one for one in lines(session) if one[0] != FEE) == [
            ("gas", "10", "2", "20.00"),
            ("overtime_ac", "2", "7", "14.00"),
        ]


def _tariff_day(session):
    from models.billing import Tariff

    return session.scalars(select(Tariff.valid_from).where(Tariff.unit_kind == "residence")).first()


class TestCycles:
    @pytest.mark.parametrize(
        ("rounding", "amount"), [("fen", "1684.03"), ("yuan", "1684.00"), ("jiao", "1684.00")]
    )
    def test_a_year_is_rounded_once(self, session, rounding, amount):
        change(session, FEE, cycle_months=12, rounding=rounding)
        unit = add_unit(session, area="100.24")
        add_rate(session, FEE, unit_id=unit.id, rate="1.40")

        counts = [bill(session, f"2026-0{month}").invoices for month in (1, 2)]

        assert counts == [1, 0]
        assert charged(session) == [("王小明", FEE, amount, "2026-01-01 2026-12-31")]
        line = session.scalars(select(InvoiceLine)).one()
        assert (line.months, line.raw_amount) == (12, Decimal("1684.032"))
        assert_books_hold(session)

    def test_a_quarter_in_arrears_beside_a_month(self, session):
        add_item(session, "lift", "fixed", "arrears", {"residence": "10"}, cycle_months=3)
        add_unit(session)

        for period in ("2026-03", "2026-04", "2026-05"):
            bill(session, period)

        assert [one[1:] for one in charged(session)] == [
            (FEE, "250.00", "2026-03-01 2026-03-31"),
            (FEE, "250.00", "2026-04-01 2026-04-30"),
            ("lift", "30.00", "2026-01-01 2026-03-31"),
            (FEE, "250.00", "2026-05-01 2026-05-31"),
        ]

    def test_from_the_units_own_day(self, session):
        change(session, FEE, cycle_months=12, anchor="unit")
        add_unit(session, "1-101", handed_over_on=day("2025-03-15"))
        add_unit(
            session, "1-102", handed_over_on=day("2020-01-01"), anchor_on=day("2024-03-31"), payer="李四"
        )
        add_unit(session, "1-103", payer="赵六")

        issued = {period: bill(session, period) for period in ("2026-02", "2026-03", "2026-04")}

        assert charged(session) == [
            ("王小明", FEE, "3000.00", "2026-03-15 2027-03-14"),
            ("李四", FEE, "3000.00", "2026-03-31 2027-03-30"),
        ]
        told = [(one.unit_code, str(one.reason)) for one in issued["2026-02"].unbilled]
        assert told == [("1-103", "no_anchor: fee_item=management_fee")]

    def test_a_change_of_payer_in_a_cycle_splits_by_days(self, session):
        change(session, FEE, cycle_months=3)
        unit = add_unit(session, payer=None)
        occupy(session, unit, "旧", date(2020, 1, 1), day("2026-02-28"))
        occupy(session, unit, "新", day("2026-03-01"))

        bill(session, "2026-01")

        assert charged(session) == [
            ("旧", FEE, "491.67", "2026-01-01 2026-02-28"),
            ("新", FEE, "258.33", "2026-03-01 2026-03-31"),
        ]
        assert_books_hold(session)

    def test_a_change_of_owner_moves_the_rest_of_a_cycle(self, session):
        change(session, FEE, cycle_months=12)
        unit = add_unit(session)
        bill(session, "2026-01", now=at("2026-01-05"))
        heir = Owner(name="新")
        session.add(heir)
        session.flush()

        change_of_owner(session, unit.id, heir.id, on=day("2026-07-01"), now=at("2026-07-01"))

        assert [(one[1], one[2]) for one in invoices(session)] == [("王小明", "3000.00"), ("新", "1512.33")]
        assert charged(session)[1] == ("新", FEE, "1512.33", "2026-07-01 2026-12-31")  # 184 of 365 days
        assert_books_hold(session)

    def test_who_comes_in_the_middle_pays_the_rest(self, session):
        change(session, FEE, cycle_months=3)
        add_unit(session, "1-101", handed_over_on=day("2026-05-01"))
        vacant = add_unit(session, "1-102", payer=None)

        counts = [bill(session, "2026-04").invoices]
        occupy(session, vacant, "新", day("2026-05-17"))
        counts += [bill(session, f"2026-0{month}").invoices for month in (5, 6, 7)]

        assert counts == [0, 2, 0, 2]
        assert charged(session)[:2] == [
            ("王小明", FEE, "500.00", "2026-05-01 2026-06-30"),
            ("新", FEE, "368.85", "2026-05-17 2026-06-30"),  # 45 of 61 days of two months
        ]

    def test_who_is_known_to_come_in_the_middle_pays_the_same(self, session):
        change(session, FEE, cycle_months=3)
        occupy(session, add_unit(session, payer=None), "新", day("2026-05-17"))

        counts = [bill(session, f"2026-0{month}").invoices for month in (4, 5)]

        assert counts == [1, 0]
        assert charged(session) == [("新", FEE, "368.85", "2026-05-17 2026-06-30")]

    @pytest.mark.parametrize(
        ("cycle", "handed_over", "since", "periods", "days"),
        [
            (
                {"days_ahead": 5},
                "2026-04-01",
                "2026-04-01",
                "03 04 05",
                ["04-01 04-30", "05-01 05-31", "06-01 06-30"],
            ),
            ({"days_ahead": 5}, "2020-01-01", "2026-04-01", "03 04", ["04-01 04-30", "05-01 05-31"]),
            (
                {"days_ahead": 5},
                "2020-01-01",
                "2026-03-01",
                "03 04",
                ["03-01 03-31", "04-01 04-30", "05-01 05-31"],
            ),
            ({"days_ahead": 5}, "2026-04-02", "2026-04-02", "03 04", ["04-02 04-30", "05-01 05-31"]),
            ({"cycle_months": 3, "days_ahead": 15}, "2026-04-01", "2026-04-01", "03 04 05", ["04-01 06-30"]),
            (
                {"cycle_months": 3, "days_ahead": 45},
                "2026-03-10",
                "2026-03-10",
                "02 03 04 05",
                ["03-10 03-31", "04-01 06-30", "07-01 09-30"],
            ),
            (
                {"cycle_months": 6, "days_ahead": 15, "anchor": "unit"},
                "2026-02-10",
                "2026-02-10",
                "01 02 03",
                ["02-10 08-09"],
            ),
        ],
    )
    def test_a_cycle_whose_bill_went_out_before_the_unit_began_is_charged_when_it_begins(
        self, session, cycle, handed_over, since, periods, days
    ):
        change(session, FEE, is_active=False)
        add_item(session, "heat", "fixed", rates={"residence": "10"}, **cycle)
        unit = add_unit(session, payer=None, handed_over_on=day(handed_over))
        months = [f"2026-{month}" for month in periods.split()]
        waits = [period for period in months if period < since[:7]]
        for period in waits:
            bill(session, period)
        occupy(session, unit, "新", day(since))
        for period in months[len(waits) :]:
            bill(session, period)

        assert sorted(one[3].replace("2026-", "") for one in charged(session)) == days

    def test_days_ahead_and_a_season(self, session):
        change(session, FEE, is_active=False)
        add_item(
            session, "heat", "fixed", rates={"residence": "10"}, season_from=11, season_to=3, days_ahead=5
        )
        add_unit(session)

        for period in ("2026-02", "2026-03", "2026-09", "2026-10"):
            bill(session, period)

        assert [one[3] for one in charged(session)] == ["2026-03-01 2026-03-31", "2026-11-01 2026-11-30"]

    def test_a_shorter_cycle_charges_nothing_twice(self, session):
        change(session, FEE, cycle_months=3)
        unit = add_unit(session, "1-101")
        add_unit(session, "1-102", payer="李四")
        add_rate(session, FEE, unit_id=unit.id, rate="3")
        bill(session, "2026-01")
        change(session, FEE, cycle_months=1)

        counts = [bill(session, period).invoices for period in ("2026-02", "2026-03", "2026-04")]

        assert counts == [0, 0, 2]

    def test_the_units_own_day_moved_charges_only_what_is_left(self, session):
        change(session, FEE, cycle_months=12, anchor="unit")
        unit = add_unit(session, handed_over_on=day("2026-03-15"))
        bill(session, "2026-03")
        unit.anchor_on = day("2027-01-01")
        session.flush()

        bill(session, "2027-01")

        assert charged(session)[1] == ("王小明", FEE, "2385.62", "2027-03-15 2027-12-31")


class TestPayers:
    def test_the_owner_pays_one_item_and_the_tenant_the_others(self, session):
        add_item(session, "lift", "fixed", rates={"residence": "10"})
        change(session, FEE, payer="owner")
        unit = add_unit(session, payer=None)
        owner = occupy(session, unit, "房东", date(2020, 1, 1))
        owner.occupancies[0].is_payer = False
        session.flush()
        occupy(session, unit, "租客", date(2020, 1, 1)).occupancies[0].kind = "tenant"

        bill(session)

        assert sorted(charged(session)) == [
            ("房东", FEE, "250.00", "2026-06-01 2026-06-30"),
            ("租客", "lift", "10.00", "2026-06-01 2026-06-30"),
        ]
        assert len(invoices(session)) == 2
        assert bill(session).invoices == 0
        assert_books_hold(session)

    def test_who_is_named_pays_on_those_days(self, session):
        add_item(session, "gas", "metered", rates={"residence": "3"})
        unit = add_unit(session)
        firm = occupy(session, add_unit(session, "2-1", payer=None, area="0"), "公司", date(2020, 1, 1))
        add_meter(session, unit, "gas", ("2026-06-01", "0"), ("2026-07-01", "10"))
        add_slip(session, unit, "2026-05-20", code="overtime_ac")
        add_item_payer(session, unit, FEE, firm.id, day("2026-06-16"))
        add_item_payer(session, unit, "gas", firm.id)
        add_item_payer(session, unit, "overtime_ac", firm.id)

        bill(session)

        found = {(payer, code): amount for payer, code, amount, _ in charged(session)}
        assert found[("王小明", FEE)] == found[("公司", FEE)] == "125.00"
        assert found[("公司", "gas")] == "30.00"
        assert ("公司", "overtime_ac") in found
        assert_books_hold(session)

    def test_the_developer_pays_until_somebody_is_there(self, session):
        unit = add_unit(session, payer=None)
        occupy(session, unit, "业主", day("2026-06-11"))
        developer = Owner(name="开发商")
        session.add(developer)
        session.flush()
        session.scalars(select(Estate)).one().developer_id = developer.id
        change(session, FEE, payer="developer")

        issued = bill(session)

        assert sorted((one[1], one[2]) for one in invoices(session)) == [
            ("业主", "166.67"),
            ("开发商", "83.33"),
        ]
        assert issued.unbilled == ()

    @pytest.mark.parametrize(
        ("valid_from", "to", "is_refused"),
        [
            ("2026-01-01", "2026-03-31", True),
            ("2025-01-01", "2026-01-01", True),
            ("2026-02-01", None, True),
            ("2025-01-01", "2025-12-31", False),
            ("2026-04-01", None, False),
        ],
    )
    def test_the_database_refuses_two_at_once(self, session, valid_from, to, is_refused):
        unit = add_unit(session)
        owner_id = session.scalars(select(Occupancy.owner_id)).one()
        add_item_payer(session, unit, FEE, owner_id, day("2026-01-01"), day("2026-03-31"))
        add_item_payer(session, unit, "overtime_ac", owner_id)

        def add():
            with session.begin_nested():
                add_item_payer(session, unit, FEE, owner_id, day(valid_from), to and day(to))

        if is_refused:
            with pytest.raises(IntegrityError, match="unit_item_payer_one_at_a_time"):
                add()
        else:
            add()
        assert len(session.scalars(select(UnitItemPayer)).all()) == 3 - is_refused


class TestSaving:
    """What the forms and imports refuse before a row is stored (B14, B20)."""

    @pytest.mark.parametrize(
        ("was", "becomes", "is_refused"),
        [
            (None, "2026-06-29", True),
            (None, "2026-06-30", False),
            (None, "2026-12-31", False),
            ("2026-06-29", None, True),
            ("2026-06-29", "2026-06-30", True),
            ("2026-06-30", None, False),
        ],
    )
    def test_no_row_ends_before_months_that_are_billed_by_it(self, session, was, becomes, is_refused):
        unit = add_unit(session)
        owner_id = session.scalars(select(Occupancy.owner_id)).one()
        end = was and day(was)
        rows = (
            (add_rate(session, FEE, unit_id=unit.id, rate="3", valid_to=end), item_rates.check_rate),
            (add_item_payer(session, unit, FEE, owner_id, to=end), item_rates.check_payer),
            (session.scalars(select(Tariff).order_by(Tariff.id)).first(), item_rates.check_tariff),
        )
        rows[2][0].valid_to = end
        session.flush()
        bill(session)

        for row, check in rows:
            row.valid_to = becomes and day(becomes)
            if is_refused:
                with pytest.raises(Refused, match="Bills until 2026-06-30"):
                    check(session, row)
            else:
                check(session, row)
            session.expire(row)

    def test_a_row_by_which_was_billed_keeps_what_it_says(self, session):
        unit = add_unit(session)
        row = add_rate(session, FEE, unit_id=unit.id, rate="3")
        later = add_rate(session, FEE, day("2026-07-01"), tag="sea", rate="3")
        bill(session)

        row.reason = later.reason = "said later"
        later.rate = Decimal(4)
        item_rates.check_rate(session, row)
        item_rates.check_rate(session, later)
        row.rate = Decimal(4)
        with pytest.raises(Refused, match="end it, and enter a new one"):
            item_rates.check_rate(session, row)

    def test_the_payer_of_an_item_on_a_day(self, session):
        unit = add_unit(session)
        own = session.scalars(select(Occupancy.owner_id)).one()
        firm = occupy(session, add_unit(session, "2-1", payer=None), "公司", date(2020, 1, 1))
        add_item_payer(session, unit, FEE, firm.id, day("2026-06-16"), day("2026-06-20"))
        days = ("2026-06-15", "2026-06-16", "2026-06-20", "2026-06-21", "2019-12-31")

        found = [unit_terms.payer_of_item(session, unit.id, item(session, FEE), day(one)) for one in days]

        assert found[:4] == [own, firm.id, firm.id, own]
