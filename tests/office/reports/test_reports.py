"""The figures of reports, counted by hand (K1, K2): rates, ageing, this year against old arrears."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from sqlalchemy.orm import Session

from models.billing import Invoice
from models.people import Owner
from models.property import Area, Building, Unit
from office.reports import rates as reports_rates
from rules.report_rates import Collected

PERIOD = "2026-06"
TODAY = date(2026, 7, 20)


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
    invoice.late_fee, invoice.paid, invoice.balance = Decimal("5.00"), Decimal("105.00"), Decimal(0)
    session.add(invoice)
    session.commit()

    (rate, _) = reports_rates.collection_rates(session, PERIOD)

    assert rate.collected.rate_amount == Decimal("100.0")


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

    split = reports_rates.year_split(session, TODAY)

    assert split == {"current_year": Decimal("70.00"), "old_arrears": Decimal("100.00")}


def test_periods_newest_first(session: Session, units: list[Unit]) -> None:
    payer = Owner(name="王芳")
    session.add_all(
        [bill(units[0], payer, period=f"2026-0{month}", due_on=date(2026, month, 15)) for month in (1, 2, 3)]
    )
    session.commit()

    assert reports_rates.periods(session, 2) == ["2026-03", "2026-02"]
