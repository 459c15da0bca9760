"""Fee items, rates and payers by file: what goes out comes in equal, and no row passes that the form refuses.

B14, B15, B19, B20; contract "Charging, exactly".
"""

from datetime import date

import pytest
from sqlalchemy import select

from models.billing import FeeItem
from models.office import Audit
from models.people import Owner
from models.property import Area, Building
from models.rates import ItemRate, UnitItemPayer
from office.exchange import exports, imports
from office.rooms import EXPORTS, IMPORTS
from tests.factories.estate import NOW, add_item, add_unit, bill, day, item, occupy
from tests.factories.rates import add_item_payer, add_rate
from tests.factories.spreadsheets import csv_file

FEE = "management_fee"
EMPTY = {
    "fee-items": (FeeItem, "code,name,basis,cycle_months,season_from,season_to,bears_late_fee"),
    "rates": (
        ItemRate,
        "unit_code,building,floor_from,floor_to,tag,unit_kind,fee_item,rate,amount,factor,is_exempt,valid_from,valid_to",
    ),
    "payers": (UnitItemPayer, "unit_code,fee_item,payer_name,valid_from,valid_to"),
}


@pytest.fixture
def estate(session):
    """Two buildings of one name, a unit with rates and payers of every sort, and June billed."""
    unit = add_unit(session, "1-101", floor=1)
    add_unit(session, "1-102", payer="李四")
    building = session.get_one(Building, unit.building_id)
    session.add(Building(name=building.name, area=Area(name="北区")))
    add_item(session, "lift", "fixed", rates={"residence": "30"})
    for row in (
        {"unit_id": unit.id, "rate": "1.234567", "valid_to": day("2026-04-30")},
        {"building_id": building.id, "floor_from": -1, "floor_to": 12, "factor": "0.7"},
        {"tag": "lake view", "unit_kind": "residence", "amount": "12.30", "reason": "业主大会"},
        {"unit_kind": "shop", "is_exempt": True},
    ):
        add_rate(session, "lift", **row)
    add_rate(session, FEE, date(2026, 5, 1), unit_id=unit.id, rate="2.5")
    firm = occupy(session, add_unit(session, "2-1", payer=None), "公司", date(2020, 1, 1))
    add_item_payer(session, unit, FEE, firm.id, to=day("2026-05-31"))
    bill(session)
    return unit


@pytest.fixture
def bring(session, tmp_path):
    def take_in(kind, *rows, **more):
        path = csv_file(tmp_path / f"{kind}.csv", EMPTY[kind][1].split(","), [one.split(",") for one in rows])
        return imports.take_in(session, kind, IMPORTS[kind], imports.read(path), now=NOW, **more)

    return take_in


@pytest.mark.parametrize(
    ("kind", "row", "table"),
    [
        ("fee-items", "garden,Garden,fixed,1,,,", "fee_item"),
        ("rates", "1-102,,,,,,lift,5,,,,2026-09-01,", "item_rate"),
        ("payers", f"1-102,{FEE},公司,2026-09-01,", "unit_item_payer"),
    ],
)
def test_a_new_rows_history_begins_with_the_file(session, estate, bring, kind, row, table):
    bring(kind, row)

    made = session.scalars(select(Audit).where(Audit.action == "create", Audit.table_name == table)).one()
    assert session.get(EMPTY[kind][0], made.row_id)


@pytest.mark.parametrize("kind", EMPTY)
@pytest.mark.parametrize("ending", ["csv", "xlsx"])
def test_what_goes_out_comes_in_equal_and_into_an_empty_table_the_same(
    session, estate, tmp_path, kind, ending
):
    model, code = EMPTY[kind][0], kind.replace("-", "_")
    first, second = (tmp_path / f"{number}.{ending}" for number in (1, 2))
    exports.write(*EXPORTS[code](session), file=first, out=None)
    count = len(session.scalars(select(model.id)).all())

    def take_in():
        return imports.take_in(session, kind, IMPORTS[kind], imports.read(first), now=NOW)

    same = take_in()
    if model is not FeeItem:
        for row in session.scalars(select(model)):
            session.delete(row)
        session.flush()
        assert take_in().new == count
    exports.write(*EXPORTS[code](session), file=second, out=None)

    assert (same.new, same.skipped, same.differs, same.unused) == (0, count, 0, ())
    rows = [sorted(map(tuple, _rows(file))) for file in (first, second)]
    assert rows[0] == rows[1]


def _rows(file):
    return [line.cells for line in imports.read(file).lines]


REFUSED = [
    ("rates", "1-101,,,,,,lift,5,6,,,2027-01-01,", "Give a rate or an amount, not both"),
    ("rates", ",,,,,,lift,5,,,,2027-01-01,", "Say for which units it is"),
    ("rates", "1-101,,,,lake,,lift,5,,,,2027-01-01,", "A row of one unit needs no tag"),
    ("rates", ",,2,,,,lift,5,,,,2027-01-01,", "Give both floors"),
    ("rates", ",,9,2,,,lift,5,,,,2027-01-01,", "The first floor is above the last one"),
    ("rates", "1-101,,,,,,lift,5,,,是,2027-01-01,", "An exempt unit is charged nothing"),
    ("rates", "1-101,,,,,,lift,,,,,2027-01-01,", "Give a rate, an amount or a factor"),
    ("rates", "1-101,,,,,,lift,5,,,,2027-01-01,2026-12-31", "The first day must not be after the last day"),
    ("rates", "1-101,,,,,,lift,5,,,,2026-04-01,", "Another row holds from 2020-01-01 to 2026-04-30"),
    ("rates", ",1,,,,,lift,5,,,,2027-01-01,", "several have this name"),
    ("rates", ",9,,,,,lift,5,,,,2027-01-01,", "unknown building"),
    ("payers", "1-101,management_fee,李四,2026-05-01,", "Another row holds from 2020-01-01 to 2026-05-31"),
    ("payers", "1-101,management_fee,赵六,2027-01-01,", "nobody is called so"),
    ("payers", "1-101,management_fee,双胞,2027-01-01,", "several have this name"),
    ("payers", "1-101,lift,李四,2027-01-01,2026-01-01", "The first day must not be after the last day"),
    ("fee-items", "heat,供暖费,per_m2,1,11,,", "Give the first and the last month of the season"),
    ("fee-items", "water2,水费,metered,3,,,", "Cycles, seasons and days ahead are for items"),
    ("fee-items", "heat,供暖费,per_m2,2,11,3,", "no cycle that an item can have"),
    ("fee-items", "heat,供暖费,per_m2,1,11,13,", "not between 1 and 12"),
]


def test_no_row_comes_in_that_the_form_would_refuse(session, estate, bring):
    session.add_all([Owner(name="双胞"), Owner(name="双胞")])
    session.flush()
    before = [len(session.scalars(select(model.id)).all()) for model, _ in EMPTY.values()]

    for kind, row, message in REFUSED:
        nested = session.begin_nested()
        with pytest.raises(imports.RowsRefused) as refused:
            bring(kind, row)
        nested.rollback()
        assert message in str(refused.value), row

    assert before == [len(session.scalars(select(model.id)).all()) for model, _ in EMPTY.values()]


def test_a_rate_by_which_was_billed_keeps_all_but_its_end_after_those_bills(session, estate, bring):
    row = "1-101,,,,,,management_fee,{},,,,2026-05-01,{}"

    dearer = bring("rates", row.format("3", ""), wanted=imports.EVERY_DIFFERENCE)
    too_early = bring("rates", row.format("2.5", "2026-06-29"), wanted=imports.EVERY_DIFFERENCE)
    ended = bring("rates", row.format("2.5", "2026-06-30"), wanted=imports.EVERY_DIFFERENCE)
    successor = bring("rates", row.format("3", "").replace("2026-05-01", "2026-07-01"))

    assert [bool(one.never) for one in (*dearer.differences, *too_early.differences)] == [True, True]
    assert (dearer.updated, too_early.updated, ended.updated, successor.new) == (0, 0, 1, 1)


def test_a_new_row_ends_the_one_before_it_also_within_a_file(session, estate, bring):
    row = "1-102,,,,,,lift,{},,,,{},"

    report = bring("rates", row.format("5", "2027-07-01"), row.format("4", "2027-01-01"))
    again = bring("rates", row.format("5", "2027-07-01"), row.format("4", "2027-01-01"))

    found = session.execute(
        select(ItemRate.valid_from, ItemRate.valid_to)
        .where(ItemRate.fee_item_id == item(session, "lift").id, ItemRate.valid_from > date(2026, 12, 1))
        .order_by(ItemRate.valid_from)
    ).all()
    assert (report.new, again.skipped) == (2, 2)
    assert found == [(date(2027, 1, 1), date(2027, 6, 30)), (date(2027, 7, 1), None)]


def test_two_rows_of_one_key_that_differ_are_refused(session, estate, bring):
    row = "1-102,,,,,,lift,{},,,,2027-01-01,"

    assert bring("rates", row.format("4"), row.format("4")).new == 1
    with pytest.raises(imports.RowsRefused, match="stands in row 2 already"):
        bring("rates", row.format("5").replace("2027", "2028"), row.format("6").replace("2027", "2028"))


def test_of_two_people_of_one_name_the_one_of_the_unit_is_meant(session, estate, bring):
    session.add(Owner(name="李四"))
    session.flush()

    bring("payers", "1-102,lift,李四,2027-01-01,")

    named = session.scalars(select(UnitItemPayer).where(UnitItemPayer.valid_from == date(2027, 1, 1))).one()
    assert named.owner.occupancies[0].unit.code == "1-102"


@pytest.mark.parametrize(("basis", "bears"), [("per_m2", True), ("metered", False), ("deposit", False)])
def test_a_new_item_bears_a_late_fee_unless_it_is_a_deposit_or_passed_on(session, bring, basis, bears):
    """B22: where the file says nothing."""
    bring("fee-items", f"new,新项,{basis},,,,", f"said,说了,{basis},,,,{str(not bears).lower()}")

    assert (item(session, "new").bears_late_fee, item(session, "said").bears_late_fee) == (bears, not bears)
