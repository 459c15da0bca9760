"""Money in: what a payment pays, receipts without gaps, and undoing that leaves both entries (M1, M2, M6)."""

from decimal import Decimal

import pytest
from sqlalchemy import func, select

from models.billing import Invoice, LateFeeWaiver, WaiverRequest
from models.office import Audit
from models.payments import Allocation, DayClose, Payment
from office.billing import invoices as billed
from office.billing.invoices import OpeningBalance
from office.core.errors import Refused
from office.payments import corrections, payments
from office.payments.payments import NewPayment
from office.receivables import late_fees
from rules.allocation import Pick
from rules.late_fee import LateFeePolicy
from tests.factories.estate import (
    NOW,
    accrue,
    add_staff,
    add_unit,
    assert_books_hold,
    at,
    bill,
    day,
    invoices,
    occupy,
    paid,
    pay,
    turn_on_late_fee,
)

HUGE = Decimal(10) ** 12


def numbers_of(session):
    return list(session.scalars(select(Payment.receipt_no).order_by(Payment.id)))


def owe(session, unit, *rows):
    """Opening balances of (period, amount, due day)."""
    billed.open_balances(
        session,
        [
            OpeningBalance(unit.id, period, "management_fee", Decimal(amount), day(due))
            for period, amount, due in rows
        ],
        now=NOW,
    )


class TestAllocation:
    @pytest.mark.parametrize(
        ("amount", "balances", "payment"),
        [
            ("0.01", ["99.99", "250.00"], ("0.01", "0.01", "0.00")),
            ("100", ["0.00", "250.00"], ("100.00", "100.00", "0.00")),
            ("100.01", ["0.00", "249.99"], ("100.01", "100.01", "0.00")),
            ("350", ["0.00", "0.00"], ("350.00", "350.00", "0.00")),
            ("350.01", ["0.00", "0.00"], ("350.01", "350.00", "0.01")),
        ],
    )
    def test_the_oldest_debt_first_and_the_rest_as_credit(self, session, amount, balances, payment):
        unit = add_unit(session)
        owe(session, unit, ("2026-05", "100", "2026-05-15"))
        bill(session)

        pay(session, unit, amount)

        assert [one[3] for one in invoices(session)] == balances
        assert [one[:3] for one in paid(session)] == [payment]
        assert_books_hold(session)

    def test_picks_go_first(self, session):
        unit = add_unit(session)
        owe(session, unit, ("2026-05", "100", "2026-05-15"))
        bill(session)

        pay(session, unit, "300", picks=[Pick("I202606-000001")])

        assert [one[3] for one in invoices(session)] == ["50.00", "0.00"]

    def test_one_payment_pays_another_unit_that_was_picked(self, session):
        unit = add_unit(session)
        add_unit(session, "P-1", kind="parking", area="10", payer="别人")
        bill(session)

        pay(session, unit, "290", picks=[Pick("I202606-000002")])

        assert [one[3:] for one in invoices(session)] == [("0.00", "paid"), ("0.00", "paid")]
        assert_books_hold(session)

    def test_another_payers_debt_is_left_alone(self, session):
        unit = add_unit(session, payer=None)
        occupy(session, unit, "旧", day("2020-01-01"), day("2026-05-31"))
        bill(session, "2026-05")
        occupy(session, unit, "新", day("2026-06-01"))

        pay(session, unit, "100", "2026-06-10")

        assert [one[3] for one in invoices(session)] == ["250.00"]

    @pytest.mark.parametrize("amount", ["0", "-1", "0.001", "NaN", "Infinity", str(HUGE)])
    def test_what_is_no_payment(self, session, amount):
        unit = add_unit(session)

        with pytest.raises(Refused):
            pay(session, unit, amount)

        assert paid(session) == []

    def test_nobody_to_pay(self, session):
        with pytest.raises(Refused, match="Nobody pays for unit 1-101"):
            pay(session, add_unit(session, payer=None), "1")

    def test_a_paid_invoice_cannot_be_picked(self, session):
        unit = add_unit(session)
        bill(session)
        pay(session, unit, "250")

        with pytest.raises(Refused, match="owes nothing"):
            pay(session, unit, "1", picks=[Pick("I202606-000001")])


class TestReceipts:
    def test_numbers_run_from_one_without_a_gap(self, session):
        unit = add_unit(session)
        pay(session, unit, "1")
        session.commit()
        pay(session, unit, "1")
        session.rollback()
        pay(session, unit, "1")
        pay(session, unit, "1", now=at("2027-01-01"))

        assert numbers_of(session) == ["R2026-000001", "R2026-000002", "R2027-000001"]

    def test_the_same_form_posts_once(self, session):
        unit = add_unit(session)

        first, again = (pay(session, unit, "5", form_key="a form") for _ in range(2))

        assert first.id == again.id
        assert len(numbers_of(session)) == 1
        assert session.scalar(select(func.count()).select_from(Audit).where(Audit.action == "receive")) == 1

    def test_the_control_without_the_key_it_posts_twice(self, session, monkeypatch):
        """And where the program did not look for the key, the database would not let it in again."""
        unit = add_unit(session)
        for _ in range(2):
            pay(session, unit, "5")
        assert len(numbers_of(session)) == 2

        pay(session, unit, "5", form_key="a form")
        monkeypatch.setattr(payments, "known_keys", lambda *_given: {})
        with pytest.raises(KeyError):  # its row was not written
            pay(session, unit, "5", form_key="a form")

    def test_many_at_once_are_as_one_by_one(self, session):
        unit, other = add_unit(session), add_unit(session, "1-102", payer="李四")
        bill(session)
        rows = [
            NewPayment(one.id, Decimal(amount), "cash", at("2026-06-10"), form_key=key)
            for one, amount, key in [
                (unit, "100", "a"),
                (other, "300", "b"),
                (unit, "200", "c"),
                (unit, "7", "a"),
            ]
        ]

        posted = payments.record_payments(session, rows, now=NOW)
        again = payments.record_payments(session, rows, now=NOW)

        assert [one[:3] for one in paid(session)] == [
            ("100.00", "100.00", "0.00"),
            ("300.00", "250.00", "50.00"),
            ("200.00", "150.00", "50.00"),
        ]
        assert [one.is_new for one in posted] == [True, True, True, False]
        assert [one.payment_id for one in again] == [one.payment_id for one in posted]
        assert_books_hold(session)

    @pytest.mark.parametrize(
        ("paid_at", "posted", "effective"),
        [("2026-06-10", "2026-06-20", "2026-06-20"), ("2026-06-20", "2026-06-20", "2026-06-20")],
    )
    def test_when_it_counts(self, session, paid_at, posted, effective):
        unit = add_unit(session)
        bill(session)

        payment = pay(session, unit, "1", paid_at, now=at("2026-06-20"))

        row = session.scalars(select(Allocation)).one()
        assert (payment.posted_on, row.allocated_on) == (day(posted), day(paid_at))
        assert row.effective_at == at(effective)


class TestUndoing:
    @pytest.mark.parametrize(("undo", "state"), [("void", "void"), ("reverse", "reversed")])
    def test_both_entries_stay(self, session, undo, state):
        unit, other = add_unit(session), add_staff(session, "other", "manager")
        bill(session)
        payment = pay(session, unit, "300", method="wechat")

        verb = corrections.void_payment if undo == "void" else corrections.reverse_payment
        verb(session, payment.id, reason="wrong unit", staff_id=other.id, now=NOW)

        assert paid(session) == [
            ("300.00", "0.00", "0.00", state),
            ("-300.00", "0.00", "0.00", "posted"),
        ]
        assert [one[3:] for one in invoices(session)] == [("250.00", "open")]
        assert numbers_of(session) == ["R2026-000001", "V2026-000001"]
        assert_books_hold(session)

    def test_void_by_the_cashier_is_refused(self, session):
        cashier = add_staff(session, "cashier", "cashier")
        payment = pay(session, add_unit(session), "1", cashier_id=cashier.id)

        with pytest.raises(Refused, match="yourself"):
            corrections.void_payment(session, payment.id, reason="x", staff_id=cashier.id, now=NOW)

    @pytest.mark.parametrize("reason", ["", "  "])
    def test_a_reason_is_needed(self, session, reason):
        payment = pay(session, add_unit(session), "1")

        with pytest.raises(Refused, match="Say why"):
            corrections.reverse_payment(session, payment.id, reason=reason, now=NOW)

    def test_only_once(self, session):
        payment = pay(session, add_unit(session), "1", method="card")
        corrections.reverse_payment(session, payment.id, reason="bounced", now=NOW)

        with pytest.raises(Refused, match="no longer in force"):
            corrections.reverse_payment(session, payment.id, reason="bounced", now=NOW)

    def test_credit_that_paid_a_later_bill_comes_back_too(self, session):
        unit = add_unit(session)
        payment = pay(session, unit, "400", "2026-05-20", method="bank_transfer")
        bill(session)

        corrections.reverse_payment(session, payment.id, reason="bounced", now=NOW)

        assert [one[3:] for one in invoices(session)] == [("250.00", "open")]
        assert_books_hold(session)

    @pytest.mark.parametrize(("amount", "is_refused"), [("49.99", False), ("50.00", False), ("50.01", True)])
    def test_a_refund_gives_back_unused_credit_only(self, session, amount, is_refused):
        unit, staff = add_unit(session), add_staff(session, "manager", "manager")
        bill(session)
        payment = pay(session, unit, "300")

        if is_refused:
            with pytest.raises(Refused, match="unused"):
                corrections.refund_payment(
                    session, payment.id, amount=Decimal(amount), reason="moves", staff_id=staff.id, now=NOW
                )
        else:
            corrections.refund_payment(
                session, payment.id, amount=Decimal(amount), reason="moves", staff_id=staff.id, now=NOW
            )
            bill(session, "2026-07")
            left = Decimal(50) - Decimal(amount)
            assert session.scalar(select(func.sum(Payment.credit))) == 0
            assert [one[3] for one in invoices(session, "2026-07")] == [str(250 - left)]
        assert_books_hold(session)


class TestCreditNotes:
    @pytest.mark.parametrize(
        ("paid_before", "amount", "expected", "credit"),
        [
            (None, "100", ("150.00", "open"), None),
            (None, "250", ("0.00", "credited"), None),
            ("100", "100", ("50.00", "partly_paid"), "0.00"),
            ("100", "150", ("0.00", "credited"), "0.00"),
            ("250", "30", ("0.00", "paid"), "30.00"),
            ("250", "250", ("0.00", "credited"), "250.00"),
            ("100", "200", ("0.00", "credited"), "50.00"),
        ],
    )
    def test_a_correction_keeps_the_books_whole(self, session, paid_before, amount, expected, credit):
        unit = add_unit(session)
        bill(session)
        if paid_before:
            pay(session, unit, paid_before)
        invoice_id = session.scalars(select(Invoice.id)).one()

        note = billed.NewCreditNote(invoice_id, Decimal(amount), "area wrong", None)
        billed.credit_note(session, note, now=NOW)

        assert [one[3:] for one in invoices(session)] == [expected]
        assert [one[2] for one in paid(session)] == ([credit] if credit else [])
        assert_books_hold(session)

    def test_no_more_than_the_invoice(self, session):
        add_unit(session)
        bill(session)
        invoice_id = session.scalars(select(Invoice.id)).one()

        with pytest.raises(Refused, match="can be credited"):
            billed.credit_note(
                session, billed.NewCreditNote(invoice_id, Decimal("250.01"), "x", None), now=NOW
            )


class TestOpeningBalances:
    def test_each_once_an_invoice_of_its_period(self, session):
        unit = add_unit(session)

        for _ in range(2):
            owe(session, unit, ("2025-11", "80.50", "2025-11-15"), ("2025-12", "20", "2025-12-15"))

        assert [one[2] for one in invoices(session)] == ["80.50", "20.00"]
        assert [one.period for one in session.scalars(select(Invoice).order_by(Invoice.id))] == [
            "2025-11",
            "2025-12",
        ]
        assert_books_hold(session)


class TestLateFee:
    """B7, contract: principal × rate × whole days after the due date; late fee after principal.

    A day is whole when it is over: what is shown on a day is what leaves 0.00 when it is paid that day.
    """

    @pytest.fixture
    def unit(self, session):
        turn_on_late_fee(session)
        unit = add_unit(session, area="400")
        bill(session)  # 1,000.00 due on the 15th: 0.50 a day
        return unit

    def fee(self, session):
        session.expire_all()
        one = session.scalars(select(Invoice)).one()
        return str(one.late_fee), str(one.balance), one.state

    @pytest.mark.parametrize(
        ("today", "expected"),
        [("2026-06-15", "0.00"), ("2026-06-16", "0.00"), ("2026-06-17", "0.50"), ("2026-06-25", "4.50")],
    )
    def test_to_the_day(self, session, unit, today, expected):
        for _ in range(2):
            accrue(session, at(today, 0, 15))

        assert self.fee(session)[0] == expected
        assert_books_hold(session)

    def test_off_by_default(self, session_of):
        session = session_of("tower")
        add_unit(session)
        bill(session)

        accrue(session, at("2026-06-30"))

        assert self.fee(session)[0] == "0.00"

    def test_a_payment_stops_it_from_its_day_on_and_the_fee_survives(self, session, unit):
        accrue(session, at("2026-06-25", 0, 15))

        pay(session, unit, "1000", "2026-06-25")
        accrue(session, at("2026-07-10", 0, 15))

        assert self.fee(session) == ("4.50", "4.50", "partly_paid")
        assert_books_hold(session)

    def test_paid_with_principal_and_fee_nothing_is_left(self, session, unit):
        accrue(session, at("2026-06-25", 0, 15))

        pay(session, unit, "1004.50", "2026-06-25")

        assert self.fee(session) == ("4.50", "0.00", "paid")
        assert paid(session)[0][2] == "0.00"
        assert_books_hold(session)

    def test_a_part_goes_on_for_the_rest(self, session, unit):
        accrue(session, at("2026-06-20", 0, 15))
        pay(session, unit, "400", "2026-06-20")

        accrue(session, at("2026-06-25", 0, 15))

        # 16th to 19th on 1,000.00, 20th to 24th on 600.00
        assert self.fee(session)[0] == "3.50"
        assert_books_hold(session)

    def test_a_payment_known_late_counts_from_its_own_day(self, session, unit):
        accrue(session, at("2026-06-25", 0, 15))

        pay(session, unit, "1000", "2026-06-18", now=at("2026-06-25"))

        assert self.fee(session)[0] == "1.00"
        assert_books_hold(session)

    def test_a_reversal_brings_the_principal_back(self, session, unit):
        payment = pay(session, unit, "1000", "2026-06-15", method="direct_debit")
        corrections.reverse_payment(session, payment.id, reason="bounced", now=at("2026-06-20"))

        accrue(session, at("2026-06-25", 0, 15))

        assert self.fee(session)[0] == "2.50"
        assert_books_hold(session)

    @pytest.mark.parametrize(("role", "is_refused"), [("manager", False), ("cashier", True)])
    def test_waived_by_a_manager_with_a_reason(self, session, unit, role, is_refused):
        staff = add_staff(session, "one", role)
        accrue(session, at("2026-06-25", 0, 15))
        invoice_id = session.scalars(select(Invoice.id)).one()
        given = {"amount": Decimal("4.50"), "reason": "our mistake", "staff_id": staff.id, "now": NOW}

        if is_refused:
            with pytest.raises(Refused, match="manager"):
                late_fees.waive_late_fee(session, invoice_id, **given)
        else:
            late_fees.waive_late_fee(session, invoice_id, **given)
            accrue(session, at("2026-06-26", 0, 15))
            assert self.fee(session)[0] == "0.50"
        assert_books_hold(session)

    def ask_and_decide(self, session, asks, decides):
        """Whether a waiver of the size that needs two people passes when these two ask and decide."""
        (invoice_id,) = session.scalars(select(Invoice.id)).all()
        request = late_fees.ask_for_waiver(
            session, invoice_id, amount=Decimal(2), reason="long ill", staff_id=asks, now=NOW
        )
        try:
            if isinstance(request, WaiverRequest):
                late_fees.decide_waiver(session, request.id, is_approved=True, staff_id=decides, now=NOW)
        except Refused:
            return False
        return True

    @pytest.fixture
    def managers(self, session, unit):
        turn_on_late_fee(session, waiver_second_from="2.00")
        accrue(session, at("2026-06-25", 0, 15))
        return [add_staff(session, login, "manager").id for login in ("one", "two")]

    def test_a_large_waiver_takes_two_people(self, session, managers):
        one, two = managers
        (invoice_id,) = session.scalars(select(Invoice.id)).all()
        given = {"amount": Decimal(2), "reason": "long ill", "staff_id": one, "now": NOW}

        assert not self.ask_and_decide(session, one, one)
        for asked_by_id in (None, one):
            with pytest.raises(Refused, match="Another person"):
                late_fees.waive_late_fee(session, invoice_id, asked_by_id=asked_by_id, **given)
        assert session.scalar(select(func.count()).select_from(LateFeeWaiver)) == 0
        assert self.ask_and_decide(session, one, two)
        assert session.scalars(select(LateFeeWaiver.staff_id)).all() == [two]
        assert_books_hold(session)

    def test_the_control_without_the_rule_one_person_is_enough(self, session, managers, monkeypatch):
        monkeypatch.setattr(LateFeePolicy, "needs_two_people", lambda *_given: False)

        assert self.ask_and_decide(session, managers[0], managers[0])

        assert session.scalars(select(LateFeeWaiver.staff_id)).all() == [managers[0]]


def test_nothing_is_posted_into_a_closed_day(session):
    unit, cashier = add_unit(session), add_staff(session, "cashier", "cashier")
    session.add(
        DayClose(day=day("2026-06-10"), cashier_id=cashier.id, closed_by_id=cashier.id, closed_at=NOW)
    )
    session.flush()

    with pytest.raises(Refused, match="closed"):
        pay(session, unit, "1", "2026-06-10", cashier_id=cashier.id)

    assert pay(session, unit, "1", "2026-06-11", cashier_id=cashier.id).receipt_no == "R2026-000001"
