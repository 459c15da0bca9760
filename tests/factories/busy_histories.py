"""An office that has lived through two year ends at random: bills, money in every way, reminders, complaints.

Made by the office's own verbs from a seed; what they refuse is left out. The counted figures are stored at
random moments, so that some cells are stored and some are stale at the end.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from contextlib import suppress
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import ColumnElement, select, update
from sqlalchemy.orm import InstrumentedAttribute, Session

from models.billing import Deposit, Invoice
from models.collection import Reminder
from models.complaints import Ticket
from models.office import CollectionTarget
from models.payments import Payment
from models.people import Occupancy
from models.property import Area, Estate, Unit
from models.visits import Visit
from office.arrears import instalment_plans
from office.billing import deposits, invoices, runs
from office.billing.change_of_owner import change_of_owner
from office.billing.invoices import Charge, NewCreditNote, OpeningBalance
from office.complaints import clock_jobs, pauses, severities, visits, work
from office.complaints.registration import NewTicket, register_ticket
from office.core.errors import Refused
from office.estate import owners
from office.payments import corrections, payments
from office.receivables import late_fees
from office.reports import aggregates
from rules.allocation import Pick
from rules.codes import CreditKind
from rules.severity import Facts
from tests.factories.complaints import people
from tests.factories.estate import add_item, at, turn_on_late_fee
from tests.factories.rows import add_building, add_household, add_reminder

FIRST_DAY, MONTHS = date(2024, 11, 1), 15
PLACES = (
    ("East", "1", ("residence", "residence", "residence", "parking")),
    ("East", "2", ("residence", "shop")),
    ("West", "9", ("residence", "storage")),
)  # area, building, the kinds of its units
TARGETS = ((2024, None, 70), (2024, "West", 95), (2025, None, 62), (2026, "East", 88))  # year, area, percent
KINDS: tuple[CreditKind, ...] = ("error", "goodwill")
BANKED = ("card", "wechat", "bank_transfer")


class BusyOffice:
    """A small estate, a present that moves on, and things that people do in any order."""

    def __init__(self, session: Session, seed: int) -> None:
        self.session, self.random = session, random.Random(seed)
        self.today, self.count = FIRST_DAY, 0
        turn_on_late_fee(session, daily_rate="0.002")
        rates = dict.fromkeys(("residence", "shop", "parking"), "17.35")
        add_item(session, "garbage", "fixed", rates=rates)
        self.staff = people(session)
        for area, name, kinds in PLACES:
            building = add_building(session, area, name)
            for door, kind in enumerate(kinds, 1):
                unit_id, _payer = add_household(session, f"{name}-{door}", f"payer {name}-{door}", building)
                session.execute(update(Unit).where(Unit.id == unit_id).values(kind=kind))
        areas = {area.name: area.id for area in session.scalars(select(Area))}
        session.add_all(
            CollectionTarget(year=year, area_id=area and areas[area], percent=percent)
            for year, area, percent in TARGETS
        )
        session.flush()

    @property
    def now(self) -> datetime:
        return at(self.today.isoformat(), 10) + timedelta(seconds=self.count)

    def live(self, months: range = range(MONTHS)) -> None:
        """Month after month: its bills, its days, what people do on them."""
        for month in months:
            year, number = divmod(FIRST_DAY.month - 1 + month, 12)
            first = date(FIRST_DAY.year + year, number + 1, 1)
            self.go_to(max(self.today, first + timedelta(days=self.random.randint(0, 2))))
            runs.issue_invoices(self.session, f"{first:%Y-%m}", now=self.now)
            while self.today < first.replace(day=22):
                self.go_to(self.today + timedelta(days=self.random.randint(3, 9)))
                for _ in range(self.random.randint(1, 4)):
                    self.do_something()

    def go_to(self, day: date) -> None:
        self.today = day
        self.session.execute(update(Estate).values(present_at=self.now))
        late_fees.accrue_late_fees(self.session, self.now)
        clock_jobs.sweep(self.session, self.now)

    def do_something(self) -> None:
        """One of the things that happen; what is refused changes nothing."""
        happens: list[tuple[int, Callable[[], Any]]] = [
            (8, self.pay), (3, self.pay_for_another_unit), (3, self.undo_a_payment), (1, self.refund),
            (3, self.credit), (2, self.charge), (2, self.take_a_deposit), (1, self.end_a_deposit),
            (1, self.change_the_payer), (1, self.open_an_old_debt), (3, self.remind), (2, self.plan),
            (1, self.waive), (4, self.complain), (7, self.work_on_a_complaint), (2, self.store),
        ]  # fmt: skip
        (act,) = self.random.choices([act for _often, act in happens], [often for often, _act in happens])
        self.do(act)

    def do(self, act: Callable[[], Any]) -> None:
        self.count += 1
        with suppress(Refused), self.session.begin_nested():
            act()
        self.session.expire_all()

    def any_of(self, column: InstrumentedAttribute[int], *conditions: ColumnElement[bool]) -> int:
        """The id of some row. Raises Refused when there is none."""
        found = self.session.scalars(select(column).where(*conditions).order_by(column)).all()
        if not found:
            raise Refused("nothing of the kind")
        return self.random.choice(found)

    def amount(self, most: Decimal) -> Decimal:
        whole = int(most * 100)
        return Decimal(self.random.choice([whole, max(whole // 3, 1), self.random.randint(1, 90_000)])) / 100

    # Money ----------------------------------------------------------------------------------------------

    def payment(self, unit_id: int, amount: Decimal, **more: Any) -> None:
        payments.record_payment(
            self.session,
            payments.NewPayment(
                unit_id=unit_id,
                amount=amount,
                method=self.random.choice(("cash", *BANKED)),
                paid_at=self.now - timedelta(days=self.random.choice((0, 0, 0, 3, 30))),
                cashier_id=self.staff["steward"],
                **more,
            ),
            now=self.now,
        )

    def pay(self) -> None:
        unit_id = self.any_of(Unit.id)
        owed = self.session.scalars(select(Invoice.balance).where(Invoice.unit_id == unit_id)).all()
        self.payment(unit_id, self.amount(sum(owed, Decimal(0)) or Decimal(50)))

    def pay_for_another_unit(self) -> None:
        """Entered for one unit, it pays the bill of another: figures go by what was paid."""
        invoice = self.session.get_one(Invoice, self.any_of(Invoice.id, Invoice.balance > 0))
        unit_id = self.any_of(Unit.id, Unit.id != invoice.unit_id)
        self.payment(unit_id, self.amount(invoice.balance), picks=(Pick(invoice.number),))

    def undo_a_payment(self) -> None:
        payment_id = self.any_of(Payment.id, Payment.kind == "payment", Payment.state == "posted")
        given: dict[str, Any] = {"reason": "x", "staff_id": self.staff["manager"], "now": self.now}
        undo = self.random.choice((corrections.void_payment, corrections.reverse_payment))
        undo(self.session, payment_id, **given)

    def refund(self) -> None:
        payment_id = self.any_of(Payment.id, Payment.kind == "payment", Payment.credit > 0)
        credit = self.session.get_one(Payment, payment_id).credit
        given: dict[str, Any] = {"reason": "x", "staff_id": self.staff["manager"], "now": self.now}
        corrections.refund_payment(self.session, payment_id, amount=self.amount(credit), **given)

    def credit(self) -> None:
        """A credit note over all of a bill, a part of it, or one of its items, also in full."""
        invoice = self.session.get_one(Invoice, self.any_of(Invoice.id, Invoice.amount > Invoice.credited))
        item = self.random.choice([None, *(line.fee_item_id for line in invoice.lines)])
        left = invoice.amount - invoice.credited
        of_item = sum((line.amount for line in invoice.lines if line.fee_item_id == item), Decimal(0))
        amount = self.amount(min(of_item, left) if item else left)
        kind = self.random.choice(KINDS)
        note = NewCreditNote(invoice.id, amount, "x", self.staff["director"], kind, item)
        invoices.credit_note(self.session, note, now=self.now)

    def charge(self) -> None:
        """A one-off bill; some ask for a deposit beside other items."""
        unit_id = self.any_of(Unit.id)
        asked = [Charge("repair", Decimal(1), self.amount(Decimal(80)))]
        if self.random.random() < 0.6:
            asked.append(Charge("decoration_deposit", Decimal(1), self.amount(Decimal(300))))
        invoices.charge(
            self.session,
            unit_id=unit_id,
            payer_id=self.payer_of(unit_id),
            charges=asked,
            due_on=self.today + timedelta(days=self.random.randint(0, 40)),
            now=self.now,
        )

    def payer_of(self, unit_id: int) -> int:
        return self.session.scalars(
            select(Occupancy.owner_id)
            .where(Occupancy.unit_id == unit_id, Occupancy.is_payer, Occupancy.from_on <= self.today)
            .order_by(Occupancy.from_on.desc())
        ).first() or self.any_of(Occupancy.owner_id)

    def take_a_deposit(self) -> None:
        unit_id = self.any_of(Unit.id)
        deposits.take_deposit(
            self.session,
            unit_id=unit_id,
            payer_id=self.payer_of(unit_id),
            fee_item="decoration_deposit",
            amount=self.amount(Decimal(500)),
            method="card",
            paid_at=self.now,
            now=self.now,
            cashier_id=self.staff["steward"],
        )

    def end_a_deposit(self) -> None:
        deposit = self.session.get_one(Deposit, self.any_of(Deposit.id, Deposit.entry == "taken"))
        end = self.random.choice((deposits.return_deposit, deposits.set_off_deposit))
        given: dict[str, Any] = {"reason": "x", "staff_id": self.staff["manager"], "now": self.now}
        end(self.session, deposit.id, amount=min(self.amount(deposit.amount), deposit.amount), **given)

    def change_the_payer(self) -> None:
        owner = owners.add_owner(self.session, f"new {self.count}", now=self.now)
        on = self.today + timedelta(days=self.random.choice((-20, 0, 9)))
        change_of_owner(self.session, self.any_of(Unit.id), owner.id, on=on, now=self.now)

    def open_an_old_debt(self) -> None:
        due_on = self.today - timedelta(days=self.random.randint(40, 800))
        old = OpeningBalance(
            self.any_of(Unit.id), f"{due_on:%Y-%m}", "management_fee", self.amount(Decimal(400)), due_on
        )
        invoices.open_balances(self.session, [old], now=self.now)

    def plan(self) -> None:
        unit_id = self.any_of(Invoice.unit_id, Invoice.balance > 0)
        instalment_plans.propose_even_plan(
            self.session,
            (unit_id, self.payer_of(unit_id)),
            3,
            self.today + timedelta(days=20),
            now=self.now,
            staff_id=self.staff["steward"],
            reason="x",
        )

    def waive(self) -> None:
        given: dict[str, Any] = {"reason": "x", "staff_id": self.staff["manager"], "now": self.now}
        late_fees.waive_late_fee(
            self.session, self.any_of(Invoice.id, Invoice.late_fee > 0), amount=Decimal("0.05"), **given
        )

    def leave_a_fee_alone(self) -> None:
        """The payment of a late bill's principal is undone; that of its late fee stays."""
        unit_id = self.any_of(Unit.id)
        asked = [Charge("repair", Decimal(1), Decimal(400))]
        payer_id = self.payer_of(unit_id)
        invoice = invoices.charge(
            self.session, unit_id=unit_id, payer_id=payer_id, charges=asked, due_on=self.today, now=self.now
        )
        self.go_to(self.today + timedelta(days=30))
        self.session.expire_all()
        paid = []
        for amount in (invoice.amount - invoice.paid, invoice.late_fee):
            self.count += 1
            new = payments.NewPayment(
                unit_id=unit_id, payer_id=payer_id, amount=amount, method="card", paid_at=self.now,
                picks=(Pick(invoice.number, amount),),
            )  # fmt: skip
            paid.append(payments.record_payment(self.session, new, now=self.now).id)
        given: dict[str, Any] = {"reason": "x", "staff_id": self.staff["manager"], "now": self.now}
        corrections.void_payment(self.session, paid[0], **given)

    def let_a_complaint_wait(self) -> None:
        """A complaint whose handler waits nine days for the resident and then resolves it."""
        facts = Facts(is_media=True)
        new = NewTicket("desk", "cleaning", "x", self.now, facts, unit_id=self.any_of(Unit.id))
        ticket = register_ticket(self.session, new, now=self.now)
        worker = self.staff["worker"]
        work.take_on(self.session, ticket.id, staff_id=worker, now=self.now)
        pauses.pause(
            self.session, ticket.id, waiting_for="resident", reason="away",
            look_again_on=self.today + timedelta(days=9), now=self.now,
        )  # fmt: skip
        self.go_to(self.today + timedelta(days=9))
        work.resolve_ticket(self.session, ticket.id, resolution="done", staff_id=worker, now=self.now)

    def let_a_complaint_come_back(self) -> None:
        """A solved complaint whose visit fails, is planned anew, and meets a dissatisfied resident."""
        new = NewTicket("desk", "cleaning", "x", self.now, Facts(), unit_id=self.any_of(Unit.id))
        ticket = register_ticket(self.session, new, now=self.now)
        self.resolve_again(ticket.id)
        while self.visit_it(ticket.id, None).outcome != "unreachable":
            self.go_to(self.today + timedelta(days=1))
        manager = self.staff["manager"]
        severities.change_severity(self.session, ticket.id, "major", now=self.now, staff_id=manager)
        self.visit_it(ticket.id, 1)

    def let_a_visit_be_given_up(self) -> None:
        """A solved complaint that comes back after one try to reach the resident, and is solved again."""
        new = NewTicket("desk", "cleaning", "x", self.now, Facts(), unit_id=self.any_of(Unit.id))
        ticket = register_ticket(self.session, new, now=self.now)
        self.resolve_again(ticket.id)
        self.visit_it(ticket.id, None)
        work.reopen(self.session, ticket.id, note="x", staff_id=self.staff["manager"], now=self.now)

    def resolve_again(self, ticket_id: int) -> None:
        given: dict[str, Any] = {"staff_id": self.staff["worker"], "now": self.now}
        work.take_on(self.session, ticket_id, **given)
        work.resolve_ticket(self.session, ticket_id, resolution="done", **given)

    def visit_it(self, ticket_id: int, score: int | None) -> Visit:
        visit_id = self.any_of(Visit.id, Visit.ticket_id == ticket_id, Visit.done_at.is_(None))
        return visits.record_visit(
            self.session, visit_id, satisfaction=score, method="phone", is_reached=score is not None,
            staff_id=self.staff["front_desk"], now=self.now,
        ).visit  # fmt: skip

    # Reminders, complaints ------------------------------------------------------------------------------

    def remind(self) -> None:
        """A reminder of the oldest debt of a payer; most go out, some days after they were planned."""
        invoice = self.session.get_one(Invoice, self.any_of(Invoice.id, Invoice.balance > 0))
        planned_on = max(invoice.due_on, self.today - timedelta(days=self.random.randint(0, 6)))
        reminder = add_reminder(
            self.session, invoice, planned_on, self.random.choice(("email", "phone", "print"))
        )
        state = self.random.choice(("sent", "sent", "done", "printed", "dead", "planned"))
        sent_at = self.now if state == "sent" else None
        self.session.execute(
            update(Reminder).where(Reminder.id == reminder.id).values(state=state, sent_at=sent_at)
        )

    def complain(self) -> None:
        """A complaint; the first word follows at once for some, a few are solved on the spot."""
        facts = Facts(is_media=self.random.random() < 0.4, is_written=self.random.random() < 0.2)
        new = NewTicket("desk", "cleaning", "x", self.now, facts, unit_id=self.any_of(Unit.id))
        ticket = register_ticket(self.session, new, now=self.now)
        self.count += 60
        for _ in range(self.random.randint(0, 4)):
            self.work_on(ticket.id)

    def work_on_a_complaint(self) -> None:
        self.work_on(self.any_of(Ticket.id, Ticket.closed_at.is_(None)))

    def work_on(self, ticket_id: int) -> None:
        """The next step of a complaint, with the deadlines that it meets."""
        ticket = self.session.get_one(Ticket, ticket_id)
        given: dict[str, Any] = {"now": self.now}
        worker, is_waiting = self.staff["worker"], self.random.random() < 0.4
        match ticket.state:
            case "registered" | "assigned" | "reopened":
                work.take_on(self.session, ticket.id, staff_id=worker, **given)
                for clock in ("first_word", "department_plan", "report_manager"):
                    with suppress(Refused):
                        work.meet_clock(self.session, ticket.id, clock, **given)
            case "in_progress" if is_waiting:
                look = self.today + timedelta(days=9)
                said: dict[str, Any] = {"waiting_for": "resident", "reason": "away", "look_again_on": look}
                pauses.pause(self.session, ticket.id, **said, **given)
            case "in_progress":
                work.resolve_ticket(self.session, ticket.id, resolution="done", staff_id=worker, **given)
            case _:
                score = self.random.choice((None, 1, 2, 3, 4, 5))
                visit_id = self.any_of(Visit.id, Visit.ticket_id == ticket.id, Visit.done_at.is_(None))
                visits.record_visit(
                    self.session,
                    visit_id,
                    satisfaction=score,
                    method="phone",
                    staff_id=self.staff["front_desk"],
                    is_reached=score is not None,
                    **given,
                )

    def store(self) -> None:
        aggregates.store(self.session, self.now)
