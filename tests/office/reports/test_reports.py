"""The figures of reports, counted by hand (K1, K2): rates, ageing, this year against old arrears."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from sqlalchemy.orm import Session

from models.billing import BillingRun, Invoice
from models.payments import Allocation
from models.people import Owner
from models.property import Area, Building, Unit
from office.reports import collection
from office.reports import rates as reports_rates
from rules.report_rates import Collected
from tests.factories.rows import add_building, add_payment, add_unit

PERIOD = "2026-06"
TODAY = date(2026, 7, 20)
NOW = datetime(2026, 7, 20, 2, tzinfo=UTC)


def bill(
    unit: Unit,
    payer: Owner,
    *,
    period: str = PERIOD,
    due_on: date = date(2026, 6, 15),
    amount: str = "100.00",
    paid: str = "0.00",
    credited: str = "0.00",
) -> Invoice:
    balance = Decimal(amount) - Decimal(paid) - Decimal(credited)
    return Invoice(
        number=f"{unit.code}/{period}/{due_on}",
        unit=unit,
        payer=payer,
        period=period,
        issued_on=due_on.replace(day=1),
        due_on=due_on,
        amount=Decimal(amount),
        paid=Decimal(paid),
        credited=Decimal(credited),
        balance=balance,
        state="open" if balance else "paid",
    )


@pytest.fixture
def units(session: Session) -> list[Unit]:
    east, west = Area(name="East", position=1), Area(name="West", position=2)
    one, two = Building(name="1", area=east, position=1), Building(name="2", area=east, position=2)
    far = Building(name="9", area=west)
    made = [
        Unit(code=f"{building.name}-{door}", building=building, kind="residence", area_m2=Decimal(80))
        for building, doors in ((one, 2), (two, 1), (far, 1))
        for door in range(1, doors + 1)
    ]
    session.add_all(made)
    return made


def test_rates_by_building_and_area(session: Session, units: list[Unit]) -> None:
    payer = Owner(name="王芳")
    session.add_all(
        [
            bill(units[0], payer, paid="100.00"),
            bill(units[1], payer, paid="40.00"),
            bill(units[2], payer, amount="60.00", paid="50.00", credited="10.00"),
            bill(units[3], payer),
            bill(units[3], payer, period="2026-05"),
        ]
    )
    session.commit()

    rates = reports_rates.collection_rates(session, PERIOD)

    assert [
        (
            rate.area_name,
            rate.building,
            rate.collected.billed,
            rate.collected.paid,
            rate.collected.households_billed,
            rate.collected.households_paid,
        )
        for rate in rates
    ] == [
        ("East", "1", Decimal("200.00"), Decimal("140.00"), 2, 1),
        ("East", "2", Decimal("50.00"), Decimal("50.00"), 1, 1),
        ("East", "", Decimal("250.00"), Decimal("190.00"), 3, 2),
        ("West", "9", Decimal("100.00"), Decimal("0.00"), 1, 0),
        ("West", "", Decimal("100.00"), Decimal("0.00"), 1, 0),
    ]
    areas = [rate.collected for rate in rates if not rate.building]
    assert sum(areas, Collected()).rate_households == Decimal("50.0")


def test_a_late_fee_paid_does_not_raise_the_rate(session: Session, units: list[Unit]) -> None:
    invoice = bill(units[0], Owner(name="王芳"))
    invoice.late_fee, invoice.paid, invoice.balance = Decimal("5.00"), Decimal("45.00"), Decimal("60.00")
    session.add(invoice)  # written as paid
    session.flush()
    payment = add_payment(session, (invoice.unit_id, invoice.payer_id), NOW, "45")
    for part, amount in (("principal", "40.00"), ("late_fee", "5.00")):
        paid = Allocation(
            payment=payment, invoice=invoice, amount=Decimal(amount), part=part, allocated_on=TODAY,
            allocated_at=NOW, effective_at=NOW,
        )  # fmt: skip
        session.add(paid)
    session.commit()

    (rate, _) = reports_rates.collection_rates(session, PERIOD)

    assert rate.collected.rate_amount == Decimal("40.0")
    assert rate.collected.late_fees == Decimal("5.00")


@pytest.mark.parametrize(
    ("due_on", "band"),
    [
        (date(2026, 7, 20), None),
        (date(2026, 7, 19), "0-30"),
        (date(2026, 6, 20), "0-30"),
        (date(2026, 6, 19), "31-60"),
        (date(2025, 7, 20), "181-365"),
        (date(2025, 7, 19), "366+"),
    ],
)
def test_ageing_at_each_boundary(session: Session, units: list[Unit], due_on: date, band: str | None) -> None:
    session.add(bill(units[0], Owner(name="王芳"), due_on=due_on))
    session.commit()

    rows = reports_rates.ageing(session, TODAY)

    assert {row.code: row.amount for row in rows if row.invoices} == (
        {band: Decimal("100.00")} if band else {}
    )


def test_old_arrears_are_those_of_earlier_years(session: Session, units: list[Unit]) -> None:
    payer = Owner(name="王芳")
    session.add_all(
        [
            bill(units[0], payer, period="2025-12", due_on=date(2025, 12, 15)),
            bill(units[0], payer, period="2026-01", due_on=date(2026, 1, 15), amount="70.00"),
        ]
    )
    session.commit()

    split = collection.open_by_year(session, TODAY.year)

    assert split == {"current_year": Decimal("70.00"), "old_arrears": Decimal("100.00")}


def test_periods_newest_first(session: Session, units: list[Unit]) -> None:
    payer = Owner(name="王芳")
    session.add_all(
        [bill(units[0], payer, period=f"2026-0{month}", due_on=date(2026, month, 15)) for month in (1, 2, 3)]
    )
    session.commit()

    assert reports_rates.periods(session, 2) == ["2026-03", "2026-02"]


def test_a_one_off_bill_makes_no_period(session: Session, units: list[Unit]) -> None:
    """The start page shows the month that was billed, not that of somebody's repair (K1)."""
    payer = Owner(name="王芳")
    single = bill(units[0], payer, period="2026-07", due_on=date(2026, 7, 30))
    single.kind = "one_off"
    session.add_all([bill(units[0], payer), single])
    session.add(BillingRun(period=PERIOD, issued_on=date(2026, 6, 1), started_at=NOW, state="done"))
    session.add(BillingRun(period="2026-08", issued_on=date(2026, 6, 1), started_at=NOW, state="done"))
    session.commit()

    assert reports_rates.newest_period(session) == PERIOD  # nor does a run that made no bill


def test_every_month_since_the_first_bill_can_be_chosen(session: Session, units: list[Unit]) -> None:
    payer = Owner(name="王芳")
    session.add_all([bill(units[0], payer, period=month) for month in ("2026-02", "2026-05")])
    session.commit()

    months = reports_rates.choosable_months(session, TODAY)

    assert months == ["2026-07", "2026-06", "2026-05", "2026-04", "2026-03", "2026-02"]


def test_bays_and_storage_count_by_amount_only(session: Session, units: list[Unit]) -> None:
    units[0].kind, units[1].kind = "parking", "storage"
    payer = Owner(name="王芳")
    session.add_all([bill(unit, payer, paid="100.00") for unit in units[:3]])
    session.commit()

    found = [rate.collected for rate in reports_rates.collection_rates(session, PERIOD) if not rate.building]

    assert [(one.billed, one.households_billed) for one in found] == [(Decimal("300.00"), 1)]


def test_in_a_tower_offices_and_shops_are_households(session_of: Callable[[str], Session]) -> None:
    session = session_of("tower")
    building = add_building(session)
    kinds = ("office", "shop", "residence", "parking")
    payer = Owner(name="王芳")
    session.add_all(
        [bill(add_unit(session, kind, building, kind=kind), payer, paid="100.00") for kind in kinds]
    )
    session.commit()

    (rate, _) = reports_rates.collection_rates(session, PERIOD)

    assert (rate.collected.billed, rate.collected.households_billed) == (Decimal("400.00"), 2)


def test_a_bill_credited_in_full_is_neither_billed_nor_paid(session: Session, units: list[Unit]) -> None:
    session.add(bill(units[0], Owner(name="王芳"), credited="100.00"))
    session.commit()

    (rate, _) = reports_rates.collection_rates(session, PERIOD)

    assert (rate.collected.households_billed, rate.collected.households_paid) == (0, 0)
    assert rate.collected.rate_amount is None
