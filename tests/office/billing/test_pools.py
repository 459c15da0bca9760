"""Costs that units share: on bills, corrected, brought in and given out (B16)."""

import random
from datetime import date
from decimal import Decimal

import pytest
from sqlalchemy import select, update

from models.billing import FeeItem, Invoice, InvoiceLine
from models.people import Owner
from models.pools import Pool, PoolShare
from models.property import Building, Estate
from office.billing import pools, runs
from office.billing.pools import NewPool
from office.core.errors import Refused
from office.exchange import imports
from office.rooms import EXPORTS, IMPORTS
from rules.pools import Bears, MainReading, PoolKey, PoolScope
from rules.reasons import Reason
from tests.factories.estate import (
    NOW,
    add_item,
    add_meter,
    add_unit,
    assert_books_hold,
    at,
    bill,
    findings,
    invoices,
    item,
    occupy,
)
from tests.factories.rates import add_item_payer, add_rate

LIGHT = "public_light"
PERIOD = "2026-06"


@pytest.fixture
def estate(session):
    """Three units with the contract's areas, and an item that is shared."""
    add_item(session, LIGHT, "shared")
    for monthly in ("management_fee", "rent"):
        item(session, monthly).is_active = False
    units = [
        add_unit(session, code, area=area, state="occupied", payer=f"P{code}")
        for code, area in (("1-101", "89.50"), ("1-102", "120.30"), ("1-103", "66.66"))
    ]
    session.flush()
    return units


def new(**values):
    given = {"amount": Decimal("1000.00"), "key": PoolKey.AREA, "scope": PoolScope.ESTATE, **values}
    return NewPool(period=given.pop("period", PERIOD), fee_item=LIGHT, **given)


def save(session, pool=None, **values):
    made = pools.save(session, new(**values), now=NOW, staff_id=None, pool=pool)
    session.flush()
    return made


def shared(session, pool):
    rows = session.scalars(select(PoolShare).where(PoolShare.pool_id == pool.id).order_by(PoolShare.id))
    return {one.unit.code: str(one.amount) for one in rows}


def lines(session, code=LIGHT):
    return session.scalars(
        select(InvoiceLine)
        .join(FeeItem, FeeItem.id == InvoiceLine.fee_item_id)
        .where(FeeItem.code == code)
        .order_by(InvoiceLine.id)
    ).all()


def test_the_contracts_pool_is_shared_billed_once_and_explained(session, estate):
    pool = save(session)
    assert shared(session, pool) == {"1-101": "323.74", "1-102": "435.14", "1-103": "241.12"}

    preview = runs.preview(session, PERIOD, now=NOW)
    bill(session)
    bill(session)
    session.expire_all()

    assert (preview.invoices, str(preview.amount)) == (3, "1000.00")
    assert [str(line.amount) for line in lines(session)] == ["323.74", "435.14", "241.12"]
    said = Reason.from_json(lines(session)[0].explanation)
    assert (said.code, said.inputs) == (
        "shared",
        {
            "period": PERIOD,
            "pool": "1000.00",
            "key": "area",
            "quantity": "89.5000",
            "of": "276.4600",
            "rate": "3.617160",
            "amount": "323.74",
        },
    )
    assert session.get_one(Pool, pool.id).state == "billed"
    assert all(session.scalars(select(PoolShare.invoice_id)))
    assert_books_hold(session)


def test_who_shares(session, estate):
    low, middle, high = estate
    middle.state, high.state = "vacant", "unsold"
    developer = session.scalars(select(Owner).where(Owner.name == "P1-101")).one()
    session.scalars(select(Estate)).one().developer_id = developer.id
    bay = add_unit(session, "P-1", kind="parking", area="12", state="occupied", payer="B")
    not_yet = add_unit(session, "1-109", area="50", state="occupied", handed_over_on=date(2026, 7, 1))
    session.flush()
    cases = (
        ({}, {low, middle, high, bay}),
        ({"vacant": Bears.NONE}, {low, high, bay}),
        ({"unsold": Bears.NONE}, {low, middle, bay}),
        ({"developer": Bears.NONE}, {middle, high, bay}),
        ({"key": PoolKey.HOUSEHOLD}, {low, middle, high}),
        ({"scope": PoolScope.UNITS, "scope_value": "1-102;１-103"}, {middle, high}),
        ({"scope": PoolScope.BUILDING, "scope_value": "1"}, {low, middle, high, bay}),
        ({"scope": PoolScope.AREA, "scope_value": "东区"}, {low, middle, high, bay}),
    )
    for values, sharing in cases:
        found = pools.reckon(session, new(**values))
        assert {one.unit_id for one in found.shares} == {unit.id for unit in sharing}, values
        assert sum(one.amount for one in found.shares) == Decimal("1000.00")
    assert not_yet.id not in {one.unit_id for one in pools.reckon(session, new()).shares}


def test_by_consumption_and_by_coefficient(session, estate):
    low, middle, _ = estate
    add_meter(session, low, "water", ("2026-06-01", "10"), ("2026-06-30", "40"))
    add_meter(session, middle, "water", ("2026-06-01", "0"), ("2026-06-30", "10"))
    add_rate(session, LIGHT, unit_id=low.id, factor="0")
    add_rate(session, LIGHT, unit_id=middle.id, factor="1.5")
    session.flush()

    by_use = pools.reckon(session, new(key=PoolKey.CONSUMPTION, metered_item="water"))
    by_factor = pools.reckon(session, new(key=PoolKey.COEFFICIENT))

    assert [str(one.amount) for one in by_use.shares] == ["750.00", "250.00", "0.00"]
    assert [(one.unit_code, str(one.amount)) for one in by_factor.shares] == [
        ("1-102", "600.00"),
        ("1-103", "400.00"),
    ]
    item(session, "water").is_active = True
    save(session, key=PoolKey.CONSUMPTION, metered_item="water")
    found = bill(session).unbilled
    assert ("1-103", "no_share") in [(one.unit_code, one.reason.code) for one in found]


def test_a_main_meters_reading_says_the_sum(session, estate):
    reading = MainReading(Decimal(1000), Decimal(1250), Decimal("0.55"), Decimal(40), Decimal(9000))

    pool = save(session, amount=None, reading=reading)

    assert str(pool.amount) == "550.00"  # (250 × 40 − 9000) × 0.55
    for wrong in (
        {"amount": Decimal(1), "reading": reading},
        {"amount": None},
        {"amount": None, "reading": MainReading(Decimal(5), Decimal(4), Decimal(1))},
        {"amount": None, "reading": MainReading(Decimal(0), Decimal(4), Decimal(1), sub_meters=Decimal(5))},
        {"scope": PoolScope.BUILDING, "scope_value": "nowhere"},
        {"scope": PoolScope.UNITS},
        {"scope_value": "1"},
        {"key": PoolKey.CONSUMPTION, "metered_item": "gas"},
        {"vacant": Bears.NONE, "scope": PoolScope.UNITS, "scope_value": "1-109"},
        {"amount": Decimal(7)},  # a second pool of the month
    ):
        with pytest.raises(Refused):
            save(session, **wrong)


def test_payers_of_parts_of_the_month_share_by_days_and_nobody_is_left_out_silently(session, estate):
    low, middle, high = estate
    (low_stay,) = session.scalars(select(Owner).where(Owner.name == "P1-101"))
    stay = session.execute(
        select(pools.OCCUPANCY.c.id).where(pools.OCCUPANCY.c.owner_id == low_stay.id)
    ).scalar_one()
    session.execute(
        update(pools.OCCUPANCY).where(pools.OCCUPANCY.c.id == stay).values(to_on=date(2026, 6, 10))
    )
    occupy(session, low, "new", date(2026, 6, 11))
    session.execute(pools.OCCUPANCY.delete().where(pools.OCCUPANCY.c.unit_id == high.id))
    other = occupy(session, high, "x", date(2027, 1, 1))
    add_item_payer(session, middle, LIGHT, other.id)
    save(session)

    issued = bill(session)

    found = [(one.payer.name, str(one.amount)) for one in session.scalars(select(Invoice))]
    assert sorted(found) == [("P1-101", "107.91"), ("new", "215.83"), ("x", "435.14")]
    assert [(one.unit_code, one.reason.code) for one in issued.unbilled] == [("1-103", "no_payer")]
    assert_books_hold(session)


def test_a_pool_entered_late_goes_into_the_next_bill_and_a_correction_into_the_next_pool(session, estate):
    pool = save(session, period="2026-05")
    bill(session)
    session.expire_all()
    assert len(lines(session)) == 3
    with pytest.raises(Refused):
        save(session, pool=pool, period="2026-05")
    with pytest.raises(Refused):
        pools.cancel(session, pool, now=NOW, staff_id=None)

    pools.correct(session, pool, Decimal("900.00"), "wrong bill", now=NOW, staff_id=None)
    later = save(session, period="2026-07", amount=Decimal("500.00"))

    assert (str(later.amount), str(later.correction), later.corrects_id) == ("400.00", "-100.00", pool.id)
    with pytest.raises(Refused):
        pools.correct(session, pool, Decimal("800.00"), "again", now=NOW, staff_id=None)
    assert save(session, period="2026-08").correction == 0
    with pytest.raises(Refused):  # nothing would be left to share
        save(session, later, period="2026-07", amount=Decimal("100.00"))
    pools.cancel(session, later, now=NOW, staff_id=None)
    bill(session, "2026-07", now=at("2026-07-20"))
    assert len(lines(session)) == 3


def test_a_share_that_is_off_by_a_fen_is_found(session, estate):
    save(session)
    assert [one for one in findings(session) if one.check == "pool_is_shared_to_the_fen"] == []

    share = session.scalars(select(PoolShare)).first()
    session.execute(
        update(PoolShare).where(PoolShare.id == share.id).values(amount=share.amount + Decimal("0.01"))
    )

    (found,) = [one for one in findings(session) if one.check == "pool_is_shared_to_the_fen"]
    assert (found.says, found.should) == ("1000.00", "1000.01")


HEADER = "period,fee_item,scope,scope_value,key,amount,vacant,note"


def bring(session, tmp_path, *rows, header=HEADER, **more):
    path = tmp_path / "pools.csv"
    path.write_text("\n".join((header, *rows)) + "\n", encoding="utf-8")
    return imports.take_in(session, "pools", IMPORTS["pools"], imports.read(path), now=NOW, **more)


def test_pools_come_in_go_out_and_come_in_again_unchanged(session, estate, tmp_path):
    building = session.scalars(select(Building)).one()
    rows = (
        f"2026-06,{LIGHT},estate,,area,1000.00,share,lamps",
        f"2026-06,{LIGHT},building,{building.name},household,0.05,none,",
        f"2026-06,{LIGHT},units,1-101;1-103,面积,3.00,,",
    )
    first, again = bring(session, tmp_path, *rows), bring(session, tmp_path, *rows)
    session.flush()
    codes, given = EXPORTS["pools"](session)
    out = [",".join("" if cell is None else str(cell) for cell in row) for row in given]
    back = bring(session, tmp_path, *out, header=",".join(codes))
    codes, found = EXPORTS["pool_shares"](session)
    first_share, *_ = found

    assert list(codes) == ["period", "fee_item", "unit_code", "key_value", "amount"]
    assert [str(one) for one in first_share] == ["2026-06", LIGHT, "1-101", "89.5", "323.74"]
    assert (first.new, again.new, again.skipped, back.new, back.skipped) == (3, 0, 3, 0, 3)

    told = bring(session, tmp_path, rows[0].replace("1000.00", "900.00"))
    assert [(one.column, one.there, one.here) for one in told.differences] == [("amount", "1000", "900")]
    bring(session, tmp_path, rows[0].replace("1000.00", "900.00"), wanted=imports.EVERY_DIFFERENCE)
    assert str(session.scalars(select(Pool).order_by(Pool.id)).first().amount) == "900.00"
    bill(session)
    session.expire_all()
    told = bring(session, tmp_path, rows[0], wanted=imports.EVERY_DIFFERENCE)
    assert [(one.there, bool(one.never)) for one in told.differences] == [("900", True)]


@pytest.mark.parametrize(
    "row",
    [
        f"2026-06,{LIGHT},estate,1,area,1000.00,share,",
        f"2026-06,{LIGHT},building,,area,1000.00,share,",
        f"2026-06,{LIGHT},building,9,area,1000.00,share,",
        f"2026-06,{LIGHT},estate,,weight,1000.00,share,",
        f"2026-06,{LIGHT},estate,,area,0,share,",
        f"2026-06,{LIGHT},estate,,consumption,10,share,",
        "2026-06,management_fee,estate,,area,10.00,share,",
    ],
)
def test_wrong_rows_are_told(session, estate, tmp_path, row):
    with pytest.raises(imports.RowsRefused):
        bring(session, tmp_path, row)


def test_any_pool_is_shared_to_the_fen(session, estate):
    seed = random.Random(16)
    for _ in range(25):
        amount = Decimal(seed.randint(1, 10**7)).scaleb(-2)
        for unit in estate:
            unit.area_m2 = Decimal(seed.randint(0, 10**6)).scaleb(-4)
        estate[0].area_m2 += Decimal("0.0001")
        session.flush()
        found = pools.reckon(session, new(amount=amount))
        assert sum(one.amount for one in found.shares) == amount
    assert invoices(session) == []
