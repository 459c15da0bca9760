"""Figures beside the ledger: always as a full recount would say, whatever was stored when (K1, K2).

The recount here is Python over the rows, written without looking at the statements under test.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from models.billing import FeeItem, Invoice, InvoiceLine
from models.payments import Allocation
from models.people import Owner
from models.property import Area, Building, Unit
from office.reports import aggregates, integrity
from rules.report_rates import Collected
from tests.factories.rows import add_payment, lay_on_lines

NOW = datetime(2026, 7, 1, tzinfo=UTC)
ZERO = Decimal(0)


@pytest.fixture
def estate(session: Session) -> Session:
    """Two buildings of two units each, one payer, two fee items."""
    area = Area(name="East")
    buildings = [Building(name=name, area=area) for name in "12"]
    session.add_all(
        [
            Unit(code=f"{building.name}-{door}", building=building, kind="residence", area_m2=Decimal(80))
            for building in buildings
            for door in (1, 2)
        ]
    )
    session.add(Owner(name="王芳"))
    session.flush()
    return session


def issue(session: Session, unit_no: int, period: str, amounts: tuple[int, int]) -> Invoice:
    """A bill of two lines, in fen."""
    unit = session.scalars(select(Unit).order_by(Unit.id)).all()[unit_no]
    payer = session.scalars(select(Owner)).one()
    year, month = map(int, period.split("-"))
    total = Decimal(sum(amounts)) / 100
    count = len(session.scalars(select(Invoice.id)).all())
    invoice = Invoice(
        number=f"F{count}", part=str(count), unit=unit, payer=payer, period=period,
        issued_on=date(year, month, 1), due_on=date(year, month, 15), amount=total, balance=total,
        paid=ZERO, credited=ZERO, late_fee=ZERO,
        state="open" if total else "paid",
    )  # fmt: skip
    items = session.scalars(select(FeeItem).order_by(FeeItem.id).limit(2)).all()
    invoice.lines = [
        InvoiceLine(fee_item=item, quantity=Decimal(1), rate=ZERO, amount=Decimal(amount) / 100)
        for item, amount in zip(items, amounts, strict=True)
    ]
    session.add(invoice)
    session.flush()
    return invoice


def pay(session: Session, invoice: Invoice, fen: int) -> None:
    part = min(Decimal(fen) / 100, invoice.balance)
    if part:
        payment = add_payment(session, (invoice.unit_id, invoice.payer_id), NOW, str(part))
        paid_on = {"allocated_on": NOW.date(), "allocated_at": NOW, "effective_at": NOW}
        allocation = Allocation(payment=payment, invoice=invoice, amount=part, **paid_on)
        session.add(allocation)
        session.flush()
        lay_on_lines(session, allocation)
    invoice.paid, invoice.balance = invoice.paid + part, invoice.balance - part
    session.flush()


def recounted(session: Session, span: str) -> dict[int, Collected]:
    per_unit: dict[tuple[int, int], list[Invoice]] = defaultdict(list)
    for invoice in session.scalars(select(Invoice)):
        if invoice.period.startswith(span):
            per_unit[invoice.unit.building_id, invoice.unit_id].append(invoice)
    found: dict[int, Collected] = defaultdict(Collected)
    for (building, _), invoices in per_unit.items():
        net = [invoice.amount - invoice.credited for invoice in invoices]
        paid = [min(invoice.paid, each) for invoice, each in zip(invoices, net, strict=True)]
        is_clear = not any(invoice.balance for invoice in invoices)
        is_billed = sum(net, ZERO) > 0  # a bill of nothing makes no household
        found[building] += Collected(
            sum(net, ZERO), sum(paid, ZERO), int(is_billed), int(is_billed and is_clear)
        )
    return dict(found)


def owed_by_hand(session: Session) -> dict[date, tuple[Decimal, int, int]]:
    oldest: dict[int, date] = {}
    found: dict[date, list[Decimal | int]] = {}
    open_ones = session.scalars(select(Invoice).where(Invoice.balance > 0)).all()
    for invoice in sorted(open_ones, key=lambda each: each.due_on):
        cell = found.setdefault(invoice.due_on, [ZERO, 0, 0])
        cell[0] += invoice.balance
        cell[1] += 1
        if oldest.setdefault(invoice.unit_id, invoice.due_on) == invoice.due_on and not any(
            other.unit_id == invoice.unit_id and other.due_on == invoice.due_on and other.id < invoice.id
            for other in open_ones
        ):
            cell[2] += 1
    return {day: (Decimal(cell[0]), int(cell[1]), int(cell[2])) for day, cell in found.items()}


def owed_now(session: Session) -> dict[date, tuple[Decimal, int, int]]:
    found: dict[date, tuple[Decimal, int, int]] = {}
    for row in aggregates.owed(session):
        amount, invoices, households = found.get(row.due_on, (ZERO, 0, 0))
        found[row.due_on] = amount + row.amount, invoices + row.invoices, households + row.households
    return found


STEPS = st.lists(
    st.one_of(
        st.tuples(
            st.just("issue"),
            st.integers(0, 3),
            st.sampled_from(["2025-12", "2026-01", "2026-02"]),
            st.tuples(st.integers(0, 9_999), st.integers(0, 9_999)),
        ),
        st.tuples(st.just("pay"), st.integers(0, 9), st.integers(1, 12_000)),
        st.tuples(st.just("move"), st.integers(0, 3)),
        st.tuples(st.just("store")),
    ),
    min_size=1,
    max_size=12,
)


def walk(session: Session, steps: list[tuple[object, ...]]) -> Iterator[None]:
    for step in steps:
        match step:
            case "issue", int(unit_no), str(period), tuple(amounts):
                issue(session, unit_no, period, amounts)
            case "pay", int(place), int(fen):
                invoices = session.scalars(select(Invoice).order_by(Invoice.id)).all()
                if invoices:
                    pay(session, invoices[place % len(invoices)], fen)
            case "move", int(unit_no):
                units = session.scalars(select(Unit).order_by(Unit.id)).all()
                first, last = session.scalars(select(Building.id).order_by(Building.id)).all()
                unit = units[unit_no]
                unit.building_id = last if unit.building_id == first else first
                session.flush()
            case _:
                aggregates.store(session, NOW)
        session.expire_all()
        yield


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS)
def test_figures_are_those_of_a_full_recount_after_every_step(
    estate: Session, steps: list[tuple[object, ...]]
) -> None:
    savepoint = estate.begin_nested()
    try:
        for _ in walk(estate, steps):
            for span in ("2025-12", "2026-01", "2026-02", "2025", "2026"):
                assert aggregates.collected(estate, span) == recounted(estate, span)
                whole = sum(aggregates.collected(estate, span).values(), Collected())
                items = sum(aggregates.by_item(estate, span).values(), Collected())
                assert (items.billed, items.paid) == (whole.billed, whole.paid)
            assert owed_now(estate) == owed_by_hand(estate)
            assert list(integrity.all_hold(estate)) == []
    finally:
        savepoint.rollback()


def test_an_item_has_what_lies_on_its_own_lines(estate: Session) -> None:
    invoice = issue(estate, 0, "2026-01", (10_000, 20_000))
    first, second = estate.scalars(select(FeeItem.id).order_by(FeeItem.id).limit(2)).all()

    pay(estate, invoice, 12_345)

    home = invoice.unit.building_id
    assert aggregates.by_item(estate, "2026-01") == {
        (home, first): Collected(Decimal("100.00"), Decimal("100.00")),
        (home, second): Collected(Decimal("200.00"), Decimal("23.45")),
    }


def test_storing_twice_is_storing_once(estate: Session) -> None:
    issue(estate, 0, "2026-01", (100, 0))

    first, second = aggregates.store(estate, NOW), aggregates.store(estate, NOW)

    assert first.done > 0
    assert second.done == 0


@pytest.mark.parametrize(
    ("damage", "code"),
    [
        ("UPDATE figures_collected SET paid = paid + 1 WHERE period = '2026-01'", "figures_of_month"),
        ("UPDATE figures_collected SET households = 9 WHERE period = '2026'", "figures_of_year"),
        ("DELETE FROM figures_owed WHERE building_id > 0", "figures_owed"),
        ("UPDATE figures_owed SET amount = amount + 1 WHERE building_id = 0", "figures_owed_in_all"),
        ("UPDATE figures_item SET billed = billed - 1", "figures_by_item"),
        ("UPDATE figures_collected SET late_fees = 1 WHERE period = '2026-01'", "figures_of_month"),
        ("UPDATE figures_collected SET deposits_paid = 1 WHERE period = '2026-01'", "figures_by_item"),
        ("UPDATE figures_year SET paid = 1 WHERE building_id > 0", "figures_of_two_years"),
        ("UPDATE figures_year SET billed = 0 WHERE building_id = 0", "figures_of_two_years_in_all"),
    ],
)
def test_check_names_a_stored_figure_that_is_wrong(estate: Session, damage: str, code: str) -> None:
    issue(estate, 0, "2026-01", (100, 0))
    aggregates.store(estate, NOW)

    estate.execute(text(damage))

    assert code in {finding.check for finding in integrity.all_hold(estate)}


def test_without_the_trigger_a_payment_would_be_overlooked(estate: Session, dialect: str) -> None:
    """The negative control of the property above."""
    invoice = issue(estate, 0, "2026-01", (100, 0))
    aggregates.store(estate, NOW)
    table = " ON invoice" if dialect == "postgresql" else ""
    estate.execute(text(f"DROP TRIGGER figures_note_a_change{table}"))

    pay(estate, invoice, 100)

    assert aggregates.collected(estate, "2026-01") != recounted(estate, "2026-01")
    assert "figures_of_month" in {finding.check for finding in integrity.all_hold(estate)}
