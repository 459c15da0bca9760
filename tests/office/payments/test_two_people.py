"""Nobody decides alone about money they entered; whose drawer an undone receipt changes (F21, M2, M3, M6)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal

import pytest
from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from models.billing import Deposit, Invoice
from models.payments import DayClose, DayReopening, Payment, StatementRow
from models.property import Unit
from office.arrears import instalment_plans
from office.billing import deposits, invoices
from office.billing.invoices import Charge, NewCreditNote
from office.core.errors import Refused
from office.estate.owners import payers_on
from office.payments import corrections, day_close, statement_queue
from office.payments.day_close import Counted
from rules import roles
from tests.factories.estate import NOW, add_staff, add_unit, assert_books_hold, at, bill, day, pay

TODAY = day("2026-06-10")
WHY = "typing error"
Verb = Callable[[Session, int], object]


@pytest.fixture
def people(session: Session) -> tuple[int, int]:
    """Two who may do everything: whoever entered the money, and another."""
    return add_staff(session, "one", "director").id, add_staff(session, "two", "director").id


def paid_by(session: Session, cashier: int | None, *, method: str = "wechat", amount: str = "300") -> Payment:
    unit = add_unit(session)
    bill(session)
    return pay(session, unit, amount, "2026-06-10", now=at("2026-06-10"), method=method, cashier_id=cashier)


def payer_of(session: Session, unit: Unit) -> int:
    (payer,) = payers_on(session, [(unit.id, TODAY)])
    assert payer is not None
    return payer


def void(session: Session, who: int) -> Verb:
    payment = paid_by(session, who)
    return lambda session, staff: corrections.void_payment(
        session, payment.id, reason=WHY, staff_id=staff, now=at("2026-06-10")
    )


def reverse(session: Session, who: int) -> Verb:
    payment = paid_by(session, who)
    return lambda session, staff: corrections.reverse_payment(
        session, payment.id, reason=WHY, staff_id=staff, now=at("2026-06-10")
    )


def refund(session: Session, who: int) -> Verb:
    payment = paid_by(session, who)
    return lambda session, staff: corrections.refund_payment(
        session, payment.id, amount=Decimal(50), reason=WHY, staff_id=staff, now=at("2026-06-10")
    )


def credit_what_was_taken(session: Session, who: int) -> Verb:
    paid_by(session, who)
    invoice = session.scalars(select(Invoice.id)).one()
    return lambda session, staff: invoices.credit_note(
        session, NewCreditNote(invoice, Decimal(50), WHY, staff), now=at("2026-06-10")
    )


def credit_what_was_charged(session: Session, who: int) -> Verb:
    unit = add_unit(session)
    made = invoices.charge(
        session,
        unit_id=unit.id,
        payer_id=payer_of(session, unit),
        charges=[Charge("overtime_ac", Decimal(1), Decimal(80))],
        due_on=TODAY,
        now=at("2026-06-10"),
        staff_id=who,
    )
    return lambda session, staff: invoices.credit_note(
        session, NewCreditNote(made.id, Decimal(80), WHY, staff), now=at("2026-06-10")
    )


def _deposit(session: Session, who: int) -> Deposit:
    unit = add_unit(session)
    return deposits.take_deposit(
        session,
        unit_id=unit.id,
        payer_id=payer_of(session, unit),
        fee_item="decoration_deposit",
        amount=Decimal(2000),
        method="cash",
        paid_at=at("2026-06-10"),
        now=at("2026-06-10"),
        cashier_id=who,
    )


def return_deposit(session: Session, who: int) -> Verb:
    taken = _deposit(session, who)
    return lambda session, staff: deposits.return_deposit(
        session, taken.id, amount=Decimal(2000), reason=WHY, staff_id=staff, now=at("2026-06-10")
    )


def set_off_deposit(session: Session, who: int) -> Verb:
    taken = _deposit(session, who)
    return lambda session, staff: deposits.set_off_deposit(
        session, taken.id, amount=Decimal(2000), reason=WHY, staff_id=staff, now=at("2026-06-10")
    )


def undo_what_was_matched(session: Session, who: int) -> Verb:
    unit = add_unit(session)
    bill(session)
    given = {"paid_at": at("2026-06-10"), "amount": Decimal(300), "method": "bank_transfer"}
    row = StatementRow(source="bank", transaction_id="1", imported_at=at("2026-06-10"), **given)
    session.add(row)
    session.flush()
    statement_queue.match_row(session, row.id, unit_id=unit.id, staff_id=who, now=at("2026-06-10"))
    return lambda session, staff: statement_queue.undo(
        session, row.id, reason=WHY, staff_id=staff, now=at("2026-06-10")
    )


def plan(session: Session, who: int) -> Verb:
    unit = add_unit(session)
    bill(session)
    made = instalment_plans.propose_even_plan(
        session,
        (unit.id, payer_of(session, unit)),
        2,
        day("2026-08-01"),
        now=at("2026-07-01"),
        staff_id=who,
    )
    return lambda session, staff: instalment_plans.approve_plan(
        session, made.id, now=at("2026-07-01"), staff_id=staff
    )


def reopen(session: Session, who: int) -> Verb:
    cashier = add_staff(session, "cashier", "cashier").id
    closed = close(session, cashier, TODAY)
    asked = day_close.ask_to_reopen(session, closed.id, reason=WHY, staff_id=who, now=at("2026-06-11"))
    return lambda session, staff: day_close.decide_reopening(
        session, asked.id, is_approved=True, staff_id=staff, now=at("2026-06-11")
    )


VERBS = (
    void,
    reverse,
    refund,
    credit_what_was_taken,
    credit_what_was_charged,
    return_deposit,
    set_off_deposit,
    undo_what_was_matched,
    plan,
    reopen,
)  # fmt: skip; waivers, restrictions and public lists: test_payments, test_restrictions


def close(session: Session, cashier: int, on: date, **counted: str) -> DayClose:
    return day_close.close_day(
        session,
        cashier_id=cashier,
        day=on,
        counted={method: Counted(Decimal(amount)) for method, amount in counted.items()},
        closed_by_id=cashier,
        now=at(f"{on + timedelta(days=1)}"),
    )


class TestTwoPeople:
    @pytest.mark.parametrize("verb", VERBS, ids=lambda verb: verb.__name__)
    def test_never_who_entered_it_but_another(
        self, session: Session, people: tuple[int, int], verb: Callable[[Session, int], Verb]
    ) -> None:
        one, two = people
        decide = verb(session, one)

        with pytest.raises(Refused, match="yourself"):
            decide(session, one)
        decide(session, two)

        assert_books_hold(session)

    @pytest.mark.parametrize("verb", VERBS, ids=lambda verb: verb.__name__)
    def test_the_control_without_the_rule_one_person_is_enough(
        self,
        session: Session,
        people: tuple[int, int],
        verb: Callable[[Session, int], Verb],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setattr("office.core.staff.may_decide", lambda *_given: True)
        decide = verb(session, people[0])

        if verb is reopen:  # the database asks for two people besides
            with pytest.raises(IntegrityError, match="day_reopening_takes_two_people"):
                decide(session, people[0])
        else:
            decide(session, people[0])

    def test_what_came_without_a_person_is_for_whoever_has_the_right(
        self, session: Session, people: tuple[int, int]
    ) -> None:
        payment = paid_by(session, None)

        corrections.void_payment(session, payment.id, reason=WHY, staff_id=people[0], now=at("2026-06-10"))

        assert payment.state == "void"

    @pytest.mark.parametrize(
        ("entered", "decides", "may"), [(1, 1, False), (1, 2, True), (None, 1, True), (None, None, True)]
    )
    def test_the_rule(self, entered: int | None, decides: int | None, may: bool) -> None:
        assert roles.may_decide(entered, decides) is may


class TestWaysBack:
    @pytest.mark.parametrize(
        ("method", "is_refused"),
        [
            ("cash", True),
            ("card", False),
            ("bank_transfer", False),
            ("direct_debit", False),
            ("wechat", False),
            ("alipay", False),
        ],
    )
    def test_only_a_bank_takes_money_back(
        self, session: Session, people: tuple[int, int], method: str, is_refused: bool
    ) -> None:
        payment = paid_by(session, people[0], method=method)
        given = {"reason": WHY, "staff_id": people[1], "now": at("2026-06-10")}

        if is_refused:
            with pytest.raises(Refused, match="No bank"):
                corrections.reverse_payment(session, payment.id, **given)
        else:
            corrections.reverse_payment(session, payment.id, **given)
            assert payment.state == "reversed"

    @pytest.mark.parametrize(
        ("took", "came", "goes", "is_refused"),
        [
            (0, "wechat", "wechat", False),
            (0, "wechat", None, False),
            (0, "wechat", "cash", False),  # the second person gives it out
            (0, "wechat", "alipay", True),
            (0, "cash", "bank_transfer", True),
            (None, "wechat", "wechat", False),
            (None, "wechat", "cash", True),  # nobody else is known to have seen it
        ],
    )
    def test_a_refund_goes_back_by_the_way_it_came(
        self,
        session: Session,
        people: tuple[int, int],
        took: int | None,
        came: str,
        goes: str | None,
        is_refused: bool,
    ) -> None:
        payment = paid_by(session, None if took is None else people[took], method=came)
        given = {"amount": Decimal(50), "reason": WHY, "staff_id": people[1], "now": at("2026-06-10")}

        if is_refused:
            with pytest.raises(Refused, match="by the way it came"):
                corrections.refund_payment(session, payment.id, method=goes, **given)
        else:
            made = corrections.refund_payment(session, payment.id, method=goes, **given)
            assert made.method == (goes or came)


class TestDrawers:
    def voided(self, session: Session, people: tuple[int, int], on: str) -> Payment:
        payment = paid_by(session, people[0], method="cash", amount="250")
        return corrections.void_payment(session, payment.id, reason=WHY, staff_id=people[1], now=at(on))

    def test_a_receipt_voided_on_its_day_is_expected_no_more(
        self, session: Session, people: tuple[int, int]
    ) -> None:
        self.voided(session, people, "2026-06-10")

        (drawer,) = day_close.drawers(session, people[0], TODAY).values()
        close(session, people[0], TODAY)
        close(session, people[1], TODAY)

        assert_books_hold(session)
        assert (drawer.expected, drawer.entries, drawer.voided, drawer.voided_amount) == (0, 0, 1, 250)
        assert day_close.drawers(session, people[1], TODAY) == {}, "nobody else's drawer changes"
        assert session.scalar(select(func.sum(Payment.credit))) == 0

    def test_one_voided_later_is_missing_in_its_cashiers_drawer_of_that_day(
        self, session: Session, people: tuple[int, int]
    ) -> None:
        self.voided(session, people, "2026-06-12")

        (before,) = day_close.drawers(session, people[0], TODAY).values()
        (after,) = day_close.drawers(session, people[0], day("2026-06-12")).values()

        assert (before.expected, before.voided, after.expected, after.voided) == (250, 0, -250, 0)

    def test_after_the_close_it_is_entered_on_the_next_open_day(
        self, session: Session, people: tuple[int, int]
    ) -> None:
        payment = paid_by(session, people[0], method="cash", amount="250")
        close(session, people[0], TODAY, cash="250")

        counter = corrections.void_payment(
            session, payment.id, reason=WHY, staff_id=people[1], now=at("2026-06-10")
        )

        assert counter.posted_on == day("2026-06-11")
        assert [row.day for row in day_close.still_open(session, people[0], day("2026-06-12"))] == [
            day("2026-06-11")
        ]


class TestReopening:
    def test_a_day_opened_again_takes_entries_and_is_closed_once_more(
        self, session: Session, people: tuple[int, int]
    ) -> None:
        cashier = add_staff(session, "cashier", "cashier").id
        unit = add_unit(session)
        closed = close(session, cashier, TODAY)
        given = {"now": at("2026-06-10"), "cashier_id": cashier}
        with pytest.raises(Refused, match="2026-06-11"):
            pay(session, unit, "10", "2026-06-10", **given)
        asked = day_close.ask_to_reopen(session, closed.id, reason=WHY, staff_id=people[0], now=NOW)
        with pytest.raises(Refused, match="asked for it"):
            day_close.ask_to_reopen(session, closed.id, reason=WHY, staff_id=people[1], now=NOW)

        day_close.decide_reopening(session, asked.id, is_approved=True, staff_id=people[1], now=NOW)
        pay(session, unit, "10", "2026-06-10", **given)
        again = close(session, cashier, TODAY, cash="10")

        assert (closed.round, again.round) == (1, 2)
        assert_books_hold(session)
        with pytest.raises(Refused, match="decided already"):
            day_close.decide_reopening(session, asked.id, is_approved=True, staff_id=people[1], now=NOW)
        with pytest.raises(Refused, match="is closed"):
            pay(session, unit, "10", "2026-06-10", **given)

    def test_a_refused_day_stays_closed_and_can_be_asked_for_again(
        self, session: Session, people: tuple[int, int]
    ) -> None:
        cashier = add_staff(session, "cashier", "cashier").id
        closed = close(session, cashier, TODAY)
        for _ in range(2):
            asked = day_close.ask_to_reopen(session, closed.id, reason=WHY, staff_id=cashier, now=NOW)
            day_close.decide_reopening(session, asked.id, is_approved=False, staff_id=people[0], now=NOW)

        with pytest.raises(Refused, match="closed already"):
            close(session, cashier, TODAY)
        assert session.scalars(select(DayReopening.state)).all() == ["refused", "refused"]

    def test_neither_the_cashier_nor_who_is_no_manager_opens_a_day(
        self, session: Session, people: tuple[int, int]
    ) -> None:
        closed = close(session, people[0], TODAY)
        asked = day_close.ask_to_reopen(session, closed.id, reason=WHY, staff_id=people[1], now=NOW)
        head = add_staff(session, "head", "station_head").id

        for who, said in ((people[0], "yourself"), (people[1], "yourself"), (head, "manager")):
            with pytest.raises(Refused, match=said):
                day_close.decide_reopening(session, asked.id, is_approved=True, staff_id=who, now=NOW)
