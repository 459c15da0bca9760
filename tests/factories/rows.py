"""Single rows for tests of what is read: each function adds one, with plain values where none is given."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from decimal import Decimal
from itertools import count
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.base import Model
from models.billing import FeeItem, Invoice, InvoiceLine
from models.collection import Contact, Reminder, ReminderBatch
from models.complaints import Category, Ticket, TicketClock
from models.office import Paper
from models.payments import Allocation, AllocationLine, Payment, StatementRow
from models.people import Occupancy, Owner
from models.property import Area, Building, Unit
from models.visits import Visit

Row = TypeVar("Row", bound=Model)
Debtor = tuple[int, int]  # unit id, payer id

SHANGHAI = ZoneInfo("Asia/Shanghai")
LONG_AGO = date(2020, 1, 1)
_numbers = count(1)


def at(text: str) -> datetime:
    """`2026-03-02 10:00` on the office's clock; midnight for a day alone."""
    return datetime.fromisoformat(text).replace(tzinfo=SHANGHAI).astimezone(UTC)


def added(session: Session, row: Row) -> Row:
    session.add(row)
    session.flush()
    return row


def add_building(
    session: Session, area: str = "East", name: str = "1", *, position: int = 0, area_position: int = 0
) -> Building:
    """A building; its area is made when there is none of that name."""
    place = session.scalars(select(Area).where(Area.name == area)).one_or_none()
    place = place or added(session, Area(name=area, position=area_position))
    return added(session, Building(name=name, area_id=place.id, position=position))


def add_unit(session: Session, code: str, building: Building | None = None, **more: Any) -> Unit:
    """A unit that is lived in, in the first building unless one is given."""
    place = building or session.scalars(select(Building).order_by(Building.id)).first()
    values = {"kind": "residence", "area_m2": Decimal(100), "state": "occupied"} | more
    return added(session, Unit(code=code, building=place or add_building(session), **values))


def add_household(
    session: Session,
    code: str = "1-101",
    name: str = "王小明",
    building: Building | None = None,
    **owner: Any,
) -> Debtor:
    """A unit with its payer."""
    unit = add_unit(session, code, building)
    payer = added(session, Owner(name=name, **owner))
    added(session, Occupancy(unit_id=unit.id, owner_id=payer.id, from_on=LONG_AGO))
    return unit.id, payer.id


def add_invoice(
    session: Session,
    debtor: Debtor,
    due_on: date,
    amount: str = "100",
    balance: str | None = None,
    **more: Any,
) -> Invoice:
    """An issued invoice with one line, open in full unless `balance` says otherwise."""
    number = more.pop("number", f"F-{next(_numbers)}")
    values = {
        "kind": "opening",
        "part": number,
        "period": f"{due_on:%Y-%m}",
        "issued_on": due_on.replace(day=1),
    } | more
    paid = Decimal(amount) - Decimal(balance or amount)
    return added(
        session,
        Invoice(
            number=number,
            unit_id=debtor[0],
            payer_id=debtor[1],
            due_on=due_on,
            amount=Decimal(amount),
            paid=paid,
            balance=Decimal(balance or amount),
            lines=[line_of(session, amount, paid)],
            **values,
        ),
    )


def line_of(session: Session, amount: str | Decimal, paid: Decimal = Decimal(0)) -> InvoiceLine:
    """The one line of a bill, of the office's first fee item."""
    item_id = session.scalars(select(FeeItem.id).order_by(FeeItem.id)).first()
    if item_id is None:
        item_id = added(session, FeeItem(code="management_fee", basis="per_m2")).id
    amount = Decimal(amount)
    return InvoiceLine(
        fee_item_id=item_id, quantity=Decimal(1), rate=amount, amount=amount, paid=min(paid, amount)
    )


def add_payment(
    session: Session, debtor: Debtor, paid_at: datetime, amount: str = "10", **more: Any
) -> Payment:
    """A payment that is all credit."""
    running = next(_numbers)
    values = {
        "receipt_no": f"R{running:06}",
        "method": "cash",
        "posted_at": paid_at,
        "posted_on": paid_at.astimezone(SHANGHAI).date(),
    } | more
    return added(
        session,
        Payment(
            series="T",
            year=2026,
            running_no=running,
            kind="payment" if Decimal(amount) > 0 else "refund",
            unit_id=debtor[0],
            payer_id=debtor[1],
            amount=Decimal(amount),
            credit=Decimal(amount),
            paid_at=paid_at,
            **values,
        ),
    )


def lay_on_lines(session: Session, allocation: Allocation) -> None:
    """Let an allocation to principal lie on the lines of its invoice, in their order."""
    left = allocation.amount
    for line in session.scalars(
        select(InvoiceLine).where(InvoiceLine.invoice_id == allocation.invoice_id).order_by(InvoiceLine.id)
    ):
        session.refresh(line)
        part = min(left, line.amount - line.credited - line.paid)
        if part:
            session.add(AllocationLine(allocation=allocation, invoice_line=line, amount=part))
            left -= part
    session.flush()


def add_ticket(session: Session, registered_at: datetime, unit_id: int | None = None, **more: Any) -> Ticket:
    """A complaint as it stands, without clocks."""
    category = session.scalars(select(Category).order_by(Category.id)).first()
    assert category, "the office has no categories"
    values = {
        "number": f"T-{next(_numbers):06}",
        "channel": "desk",
        "statement": "noise",
        "severity": "minor",
        "category_id": category.id,
        "department_id": category.department_id,
    } | more
    return added(session, Ticket(registered_at=registered_at, unit_id=unit_id, **values))


def add_clock(
    session: Session, ticket: Ticket, due_at: datetime, state: str = "running", **more: Any
) -> TicketClock:
    """A deadline of a complaint."""
    values = {"clock": "solve", "rule": "{}"} | more
    started_at = min(ticket.registered_at, due_at)
    row = TicketClock(
        ticket_id=ticket.id, started_at=started_at, warn_at=due_at, due_at=due_at, state=state, **values
    )
    return added(session, row)


def add_visit(
    session: Session,
    planned_from: datetime,
    due_at: datetime | None = None,
    unit_id: int | None = None,
    **more: Any,
) -> Visit:
    """A planned courtesy visit."""
    values = {"number": f"V-{next(_numbers):06}", "kind": "courtesy", "assignee_role": "steward"} | more
    row = Visit(planned_from=planned_from, due_at=due_at or planned_from, unit_id=unit_id, **values)
    return added(session, row)


def add_contact(
    session: Session, debtor: Debtor, happened_at: datetime, promised_on: date | None = None, **more: Any
) -> Contact:
    """A call about a debt, with an open promise when there is a day for it."""
    values = {
        "method": "phone",
        "promise_state": "open" if promised_on else "",
        "recorded_at": happened_at,
    } | more
    row = Contact(unit_id=debtor[0], payer_id=debtor[1], at=happened_at, promised_on=promised_on, **values)
    return added(session, row)


def add_reminder(
    session: Session, invoice: Invoice, planned_on: date, channel: str = "phone", **more: Any
) -> Reminder:
    """A planned reminder of the invoice's payer, in a batch of its own."""
    number = next(_numbers)
    batch = ReminderBatch(
        number=f"B-{number}",
        stage="call",
        made_for=planned_on,
        part=number,
        made_at=datetime.combine(planned_on, time(1), UTC),
    )
    values = {"stage": f"call_{number}", "state": "planned"} | more
    row = Reminder(
        batch=batch,
        subject_id=invoice.id,
        unit_id=invoice.unit_id,
        payer_id=invoice.payer_id,
        debt=invoice.balance,
        due_on=invoice.due_on,
        planned_on=planned_on,
        channel=channel,
        **values,
    )
    return added(session, row)


def add_paper(session: Session, unit_id: int, issued_at: datetime, **more: Any) -> Paper:
    """A paper that was issued for a unit."""
    values = {"number": f"P-{next(_numbers)}", "kind": "payment_notice", "language": "zh_Hans"} | more
    return added(session, Paper(unit_id=unit_id, issued_at=issued_at, contents={}, **values))


def add_statement_row(session: Session, amount: str = "100", **more: Any) -> StatementRow:
    """A row of a bank's statement that waits."""
    values = {
        "source": "bank",
        "transaction_id": f"X{next(_numbers)}",
        "paid_at": at("2026-03-02 10:00"),
        "method": "bank_transfer",
        "imported_at": at("2026-03-02 12:00"),
    } | more
    return added(session, StatementRow(amount=Decimal(amount), **values))
