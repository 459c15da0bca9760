"""A year of the demo estate that ends at the present: bills, payments, reminders, calls, complaints (S23).

Everything is done by the office's own verbs, at the instants at which people would have done it, from a
fixed seed: the same year for the same day. What the rules refuse on a day is left out.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models.billing import Invoice
from models.collection import Reminder, ReminderBatch, Restriction
from models.payments import Payment
from models.people import Staff
from models.property import Unit
from office.arrears import contacts, dunning, instalment_plans, reminder_batches, restrictions
from office.arrears.contacts import NewContact
from office.billing import runs
from office.core import clock
from office.core.errors import Refused
from office.operations.demo_complaints import DemoComplaints
from office.payments import corrections, payments
from office.policies import store
from office.receivables import late_fees
from office.reports import nightly
from rules.billing import Period

MONTHS = 12  # of a demo that `flask init` makes
WEEKDAYS = (1, 3)  # Tuesday and Thursday: the days of the demo on which people work
METHODS = ("wechat", "wechat", "wechat", "alipay", "alipay", "bank_transfer", "direct_debit", "card", "cash")
HOMES_PAID = 590 / 943  # of this month's bills (K1)
OTHERS_PAID = 0.8
SOON = (1, 6)  # days from a month's first day
# How people pay: of a hundred, and within which days from a month's first day; the rest never pays.
HABITS = ((87, SOON), (5, (12, 33)), (4, (40, 70)), (2, (85, 150)))
# What a call or visit brings: of a hundred.
ANSWERS = ((30, "promised"), (35, "reached"), (25, "not_reached"), (10, "refused"))
PROMISES_KEPT = 60  # of a hundred
PLANS = (150, 100, 40)  # days ago on which an instalment plan was agreed
RESTRICTED = 30  # days ago on which a restriction was asked for
BROKEN = 1  # which of them is not kept
APPROVERS = ("steward1", "head", "manager", "director")
DAY = timedelta(days=1)


class DemoYear:
    """The demo estate, whose present moves on from some months ago to `now`."""

    def __init__(self, session: Session, demo: Mapping[str, Any], now: datetime, months: int) -> None:
        self.session, self.demo, self.end, self.months = session, demo, now, months
        self.dice = random.Random(943)  # noqa: S311 -- the same year every time, nothing secret
        self.zone = clock.zone(session)
        self.today = now.astimezone(self.zone).date()
        self.staff = dict(iter(session.execute(select(Staff.login, Staff.id))))
        self.units = [
            (id_, kind) for id_, kind in session.execute(select(Unit.id, Unit.kind).order_by(Unit.id))
        ]
        self.habits = {unit_id: self._habit() for unit_id, _kind in self.units}
        self.to_pay: dict[date, set[int]] = defaultdict(set)  # the units that pay what they owe, by day
        self.complaints = DemoComplaints(
            session,
            demo,
            self.zone,
            self.today,
            self.staff,
            first_on=Period.of(self.today).plus(1 - months).first_on,
        )

    def live(self) -> None:
        """Month after month: its bills, and on each day of work what people do."""
        this_month = Period.of(self.today)
        for back in range(self.months - 1, -1, -1):
            period = this_month.plus(-back)
            calendar = store.calendar(self.session, period.first_on)
            runs.issue_invoices(self.session, str(period), now=self.at(period.first_on, 8))
            self._plan_payments(period, is_last=back == 0)
            day = period.first_on
            while Period.of(day) == period and day <= self.today:
                if day == self.today or (day.weekday() in WEEKDAYS and calendar.is_working_day(day)):
                    self._day(day)
                day += DAY
        self._undo_a_payment()
        nightly.count_all(self.session, self.end)

    def at(self, day: date, hour: int, minute: int = 0) -> datetime:
        return min(datetime.combine(day, time(hour, minute), self.zone), self.end)

    def by(self, logins: tuple[str, ...], act: Callable[[int], object]) -> None:
        """Done by the first of these people whom the rules let do it."""
        for login in logins:
            with suppress(Refused), self.session.begin_nested():
                act(self.staff[login])
                return

    def _day(self, day: date) -> None:
        midnight = self.at(day, 0)
        contacts.check_promises(self.session, midnight)
        instalment_plans.check_plans(self.session, midnight)
        late_fees.accrue_late_fees(self.session, midnight)
        restrictions.apply_restrictions(self.session, midnight)
        dunning.judge_day(self.session, self.at(day, 9))
        self._approve(self.at(day, 9, 40))
        self._call(day)
        self._agree_plan(day)
        self._restrict(day)
        self._pay(day)
        restrictions.lift_paid(self.session, self.at(day, 17))
        self.complaints.go_on(self.at(day, 18))

    # Money ----------------------------------------------------------------------------------------------

    def _of_hundred(self, shares: tuple[tuple[int, Any], ...]) -> Any:
        thrown = self.dice.randrange(100)
        for share, what in shares:
            if thrown < share:
                return what
            thrown -= share
        return None

    def _habit(self) -> tuple[int, int] | None:
        found: tuple[int, int] | None = self._of_hundred(HABITS)
        return found

    def _plan_payments(self, period: Period, *, is_last: bool) -> None:
        """Who pays a month's bills on which day; of this month's as many as in the worked example."""
        habits = {unit_id: days for unit_id, days in self.habits.items() if days}
        if is_last:
            habits = dict.fromkeys(self._paying_this_month(), SOON)
        for unit_id, days in habits.items():
            day = period.first_on + timedelta(days=self.dice.randint(*days))
            self.to_pay[min(day, self.today) if is_last else day].add(unit_id)

    def _paying_this_month(self) -> list[int]:
        """Who is to have paid all by today; whoever else would have paid this month still owes."""
        self.to_pay.clear()
        found: list[int] = []
        for share, is_home in ((HOMES_PAID, True), (OTHERS_PAID, False)):
            of_kind = [unit_id for unit_id, kind in self.units if (kind == "residence") == is_home]
            good = [unit_id for unit_id in of_kind if self.habits[unit_id]]
            found += self.dice.sample(good, min(round(len(of_kind) * share), len(good)))
        return found

    def _pay(self, day: date) -> None:
        """What was to come in until this day comes in, each unit all that it owes."""
        units = {unit_id for due in [*self.to_pay] if due <= day for unit_id in self.to_pay.pop(due)}
        owed = self._owed(units)
        paid = [
            payments.NewPayment(
                unit_id=unit_id,
                amount=amount,
                method=self.dice.choice(METHODS),
                paid_at=self.at(day, 13, self.dice.randrange(60)),
                cashier_id=self.staff[self.dice.choice(("cashier", "cashier2"))],
            )
            for unit_id, amount in owed.items()
        ]
        payments.record_payments(
            self.session, sorted(paid, key=lambda each: each.paid_at), now=self.at(day, 16)
        )

    def _owed(self, units: Iterable[int]) -> dict[int, Decimal]:
        """What each of the units that owes something owes, in yuan."""
        rows = self.session.execute(
            select(Invoice.unit_id, func.sum(Invoice.balance))
            .where(Invoice.balance > 0, Invoice.unit_id.in_(set(units)))
            .group_by(Invoice.unit_id)
            .order_by(Invoice.unit_id)
        )
        return dict(iter(rows))

    def _undo_a_payment(self) -> None:
        """The last receipt in cash is voided by another person and entered again by the right method."""
        last = select(func.max(Payment.id)).where(Payment.method == "cash", Payment.state == "posted")
        payment = self.session.get(Payment, self.session.scalar(last) or 0)
        if payment is None:
            return
        corrections.void_payment(
            self.session,
            payment.id,
            reason=self.demo["year"]["void"],
            staff_id=self.staff["manager"],
            now=self.end,
        )
        right = payments.NewPayment(
            unit_id=payment.unit_id,
            amount=payment.amount,
            method="card",
            paid_at=payment.paid_at,
            cashier_id=self.staff["cashier"],
        )
        payments.record_payment(self.session, right, now=self.end)

    # Arrears --------------------------------------------------------------------------------------------

    def _approve(self, now: datetime) -> None:
        """Draft batches are approved by whoever may, and printed; the last days' batches still wait."""
        if now > self.end - 4 * DAY:
            return
        drafts = select(ReminderBatch.id).where(ReminderBatch.state == "draft")
        for batch_id in self.session.scalars(drafts).all():
            self.by(APPROVERS, lambda person, one=batch_id: reminder_batches.approve_batch(  # type: ignore[misc]
                self.session, one, now=now, staff_id=person))  # fmt: skip
        printed = self.session.scalars(
            select(Reminder.id).where(Reminder.state == "approved", Reminder.channel == "print")
        ).all()
        self.by(APPROVERS, lambda person: reminder_batches.mark(
            self.session, printed, "printed", now=now, staff_id=person))  # fmt: skip

    def _call(self, day: date) -> None:
        """Calls and visits that are to be made are made, but for the last days' ones."""
        if day > self.today - 4 * DAY:
            return
        wanted = self.session.execute(
            select(Reminder.id, Reminder.unit_id, Reminder.payer_id, Reminder.channel).where(
                Reminder.state == "approved", Reminder.channel.in_(("phone", "visit"))
            )
        ).all()
        owed = self._owed(row.unit_id for row in wanted)
        made = [self._contact(day, owed, *row) for row in wanted if row.unit_id in owed]
        contacts.record_contacts(self.session, made, now=self.at(day, 12))
        self.by(APPROVERS[1:], lambda person: reminder_batches.mark(
            self.session, [row.id for row in wanted], "done", now=self.at(day, 12), staff_id=person
        ))  # fmt: skip

    def _contact(
        self,
        day: date,
        owed: Mapping[int, Decimal],
        reminder_id: int,
        unit_id: int,
        payer_id: int,
        channel: str,
    ) -> NewContact:
        answer = self._of_hundred(ANSWERS)
        promised_on = day + timedelta(days=self.dice.randint(3, 12)) if answer == "promised" else None
        if promised_on is not None and self.dice.randrange(100) < PROMISES_KEPT:
            self.to_pay[promised_on].add(unit_id)
        said = self.demo["year"]["reasons"]
        reason = self.dice.choice([*said]) if answer in {"reached", "refused"} else ""
        return NewContact(
            unit_id=unit_id,
            payer_id=payer_id,
            method=channel,
            at=self.at(day, 10, self.dice.randrange(60)),
            outcome=answer,
            promised_on=promised_on,
            promised_amount=owed[unit_id] if promised_on else None,
            arrears_reason=reason,
            note=said.get(reason, ""),
            staff_id=self.staff[self.dice.choice(("steward1", "steward2"))],
            reminder_id=reminder_id,
        )

    def _debtors(self, least: int) -> list[tuple[int, int]]:
        """Who owes that many bills or more and has no habit of paying, the largest debt first."""
        rows = self.session.execute(
            select(Invoice.unit_id, Invoice.payer_id)
            .where(Invoice.balance > 0)
            .group_by(Invoice.unit_id, Invoice.payer_id)
            .having(func.count() >= least)
            .order_by(func.sum(Invoice.balance).desc(), Invoice.unit_id)
        )
        return [(unit_id, payer_id) for unit_id, payer_id in rows if self.habits[unit_id] is None]

    def _is_about(self, day: date, ago: int) -> bool:
        """Whether a day is so many days ago, or up to three days after it."""
        return timedelta(0) <= day - (self.today - ago * DAY) < 4 * DAY

    def _agree_plan(self, day: date) -> None:
        """Now and then somebody with old debts agrees to pay in parts; some keep to it."""
        for number, ago in enumerate(PLANS):
            if not self._is_about(day, ago):
                continue
            debtor = self.dice.choice(self._debtors(2) or [(0, 0)])
            with suppress(Refused), self.session.begin_nested():
                plan = instalment_plans.propose_even_plan(
                    self.session, debtor, 3, day + 10 * DAY, now=self.at(day, 14),
                    staff_id=self.staff["steward1"], reason=self.demo["year"]["plan"],
                )  # fmt: skip
                instalment_plans.approve_plan(
                    self.session, plan.id, now=self.at(day, 15), staff_id=self.staff["head"]
                )
                if number != BROKEN:
                    for months in range(3):
                        self.to_pay[day + (5 + 30 * months) * DAY].add(debtor[0])

    def _restrict(self, day: date) -> None:
        """Debts of many months: a service is restricted with two approvals, where the gate is passed (C9)."""
        if not self._is_about(day, RESTRICTED):
            return
        services = restrictions.choosable_services(self.session, day)
        for debtor in self._debtors(5)[:1] if services else ():
            self._visit_of_the_head(day, debtor)
            with suppress(Refused), self.session.begin_nested():
                restrictions.request_restriction(
                    self.session,
                    debtor,
                    fee_item_id=services[0].id,
                    contract_clause=self.demo["year"]["clause"],
                    now=self.at(day, 11),
                    staff_id=self.staff["steward1"],
                )
        asked = select(Restriction.id).where(Restriction.state == "requested")
        for restriction_id in self.session.scalars(asked).all():
            for login, is_signed in (("head", False), ("manager", True)):
                self.by((login,), lambda person, one=restriction_id, signed=is_signed: (  # type: ignore[misc]
                    restrictions.approve_restriction(
                        self.session, one, is_signed=signed, now=self.at(day, 15), staff_id=person
                    )))  # fmt: skip

    def _visit_of_the_head(self, day: date, debtor: tuple[int, int]) -> None:
        visit = NewContact(
            unit_id=debtor[0],
            payer_id=debtor[1],
            method="visit",
            at=self.at(day, 9, 50),
            outcome="refused",
            arrears_reason="refuses",
            note=self.demo["year"]["reasons"]["refuses"],
            staff_id=self.staff["head"],
        )
        contacts.record_contact(self.session, visit, now=self.at(day, 10))
