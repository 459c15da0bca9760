"""Bills beside the run: move-in, deposits, change of payer, direct debit, the end of the day, jobs."""

from decimal import Decimal

import pytest
from sqlalchemy import select

from models.billing import Deposit, Invoice, InvoiceLine
from models.payments import DebitMandate, DirectDebit, Payment
from office.billing import deposits, final_account, move_in, runs
from office.core.errors import Refused
from office.documents import archive
from office.documents.filing import unfiled_pdf
from office.payments import corrections, day_close, direct_debit
from office.payments.day_close import Counted
from tests.factories.estate import (
    NOW,
    add_item,
    add_meter,
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
from tests.factories.pdf_text import bare, text_of
from tests.factories.rates import add_item_payer


def payer_of(unit, session):
    return session.scalars(select(Invoice.payer_id).where(Invoice.unit_id == unit.id)).first()


class TestMoveIn:
    """B6: the template of the kind of unit; months ahead are left out by their runs."""

    @pytest.fixture
    def moved_in(self, session):
        unit = add_unit(session, payer=None, handed_over_on=day("2026-06-16"))
        owner = occupy(session, unit, "新", day("2026-06-16"))
        invoice = move_in.issue_move_in_bill(
            session, unit.id, payer_id=owner.id, on=day("2026-06-16"), due_on=day("2026-06-16"), now=NOW
        )
        return unit, owner, invoice

    def test_fees_ahead_and_deposits(self, session, moved_in):
        amounts = session.scalars(select(InvoiceLine.amount).order_by(InvoiceLine.id)).all()

        assert [str(one) for one in amounts] == ["125.00", "500.00", "2000.00", "300.00", "8000.00"]
        assert moved_in[2].number == "M202606-000001"
        assert_books_hold(session)

    @pytest.mark.parametrize(("period", "count"), [("2026-06", 0), ("2026-08", 0), ("2026-09", 1)])
    def test_the_months_paid_ahead_are_not_billed_again(self, session, moved_in, period, count):
        issued = bill(session, period)

        assert (issued.invoices, issued.unbilled) == (count, ())

    def test_other_items_of_those_months_are(self, session, moved_in):
        add_item(session, "lift", "fixed", rates={"residence": "30"})

        bill(session, "2026-07")

        assert [one[2] for one in invoices(session, "2026-07")] == ["30.00"]

    def test_its_deposits_are_held_once_it_is_paid_in_parts_and_each_comes_back(self, session, moved_in):
        unit, owner, _ = moved_in
        pay(session, unit, "10000", "2026-06-17")
        assert deposits.enter_paid(session, now=NOW) == []
        pay(session, unit, "925", "2026-06-18")

        entered = deposits.enter_paid(session, now=NOW)

        assert [str(one.amount) for one in entered] == ["2000.00", "300.00"]
        assert deposits.enter_paid(session, now=NOW) == []
        for one in entered:
            given = {"amount": one.amount, "reason": "moves out", "staff_id": None, "now": NOW}
            deposits.return_deposit(session, one.id, **given)
            with pytest.raises(Refused, match=r"Only 0.00"):
                deposits.return_deposit(session, one.id, **given)
        assert deposits.held(session, unit.id, owner.id) == 0
        assert_books_hold(session)

    def test_a_deposit_of_a_voided_receipt_is_not_held(self, session, moved_in):
        unit, *_ = moved_in
        payment = pay(session, unit, "10925", "2026-06-17")
        entered = deposits.enter_paid(session, now=NOW)
        corrections.void_payment(
            session, payment.id, reason="x", staff_id=add_staff(session, "other", "cashier").id, now=NOW
        )

        assert deposits.held(session, unit.id) == 0
        with pytest.raises(Refused, match="no longer in force"):
            deposits.return_deposit(
                session, entered[0].id, amount=Decimal(1), reason="x", staff_id=None, now=NOW
            )

    def test_what_somebody_else_pays_is_on_a_bill_of_their_own(self, session):
        """The tenant pays the deposit for works, the owner the rest (B20)."""
        unit = add_unit(session, payer=None, handed_over_on=day("2026-06-16"))
        owner = occupy(session, unit, "业主", day("2026-06-16"))
        other = occupy(session, add_unit(session, "2-1", payer=None), "租户", day("2026-01-01"))
        add_item_payer(session, unit, "decoration_deposit", other.id)

        made = move_in.issue_move_in_bill(
            session, unit.id, payer_id=owner.id, on=day("2026-06-16"), due_on=day("2026-06-16"), now=NOW
        )

        bills = session.scalars(select(Invoice).order_by(Invoice.id)).all()
        assert [(one.payer_id, str(one.amount)) for one in bills] == [
            (owner.id, "8925.00"),
            (other.id, "2000.00"),
        ]
        assert made.id == bills[0].id
        assert_books_hold(session)

    def test_only_once(self, session, moved_in):
        unit, owner, _ = moved_in

        with pytest.raises(Refused, match="out already"):
            move_in.issue_move_in_bill(
                session, unit.id, payer_id=owner.id, on=day("2026-06-16"), due_on=day("2026-06-16"), now=NOW
            )


class TestDeposits:
    @pytest.fixture
    def deposit(self, session):
        unit = add_unit(session)
        bill(session)
        return deposits.take_deposit(
            session,
            unit_id=unit.id,
            payer_id=payer_of(unit, session),
            fee_item="decoration_deposit",
            amount=Decimal(2000),
            method="cash",
            paid_at=NOW,
            now=NOW,
            form_key="once",
        )

    def test_taken_once_and_held(self, session, deposit):
        again = deposits.take_deposit(
            session,
            unit_id=deposit.unit_id,
            payer_id=deposit.payer_id,
            fee_item="decoration_deposit",
            amount=Decimal(2000),
            method="cash",
            paid_at=NOW,
            now=NOW,
            form_key="once",
        )

        assert again.id == deposit.id
        assert deposits.held(session, deposit.unit_id) == 2000
        assert sorted(one[3] for one in invoices(session)) == ["0.00", "250.00"]
        assert_books_hold(session)

    @pytest.mark.parametrize(
        ("amount", "is_refused"), [("1999.99", False), ("2000", False), ("2000.01", True)]
    )
    def test_given_back(self, session, deposit, amount, is_refused):
        given = {"amount": Decimal(amount), "reason": "done", "staff_id": None, "now": NOW}
        if is_refused:
            with pytest.raises(Refused, match="is held"):
                deposits.return_deposit(session, deposit.id, **given)
        else:
            deposits.return_deposit(session, deposit.id, **given)
            assert deposits.held(session, deposit.unit_id) == 2000 - Decimal(amount)
            assert session.scalars(select(Payment.amount).order_by(Payment.id.desc())).first() == -Decimal(
                amount
            )
        assert_books_hold(session)

    def test_set_off_against_what_is_owed(self, session, deposit):
        deposits.set_off_deposit(
            session, deposit.id, amount=Decimal(2000), reason="moves out", staff_id=None, now=NOW
        )

        assert [one[3] for one in invoices(session)] == ["0.00", "0.00"]
        assert paid(session)[0][2] == "1750.00"
        assert session.scalars(select(Deposit.entry).order_by(Deposit.id)).all() == ["taken", "set_off"]
        assert_books_hold(session)


class TestChangeOfPayer:
    """P5: what the old payer still owes; a bill already out is moved by days."""

    def test_the_final_account(self, session):
        turn_on_late_fee(session)
        unit = add_unit(session, area="400")
        bill(session)
        payer = payer_of(unit, session)

        account = final_account.final_account(session, unit.id, payer, day("2026-06-25"))

        assert [(str(one.principal), str(one.late_fee)) for one in account.owed] == [("1000.00", "4.50")]
        assert (str(account.debt), account.credit, account.deposits) == ("1004.50", 0, 0)

    @pytest.mark.parametrize(
        ("on", "old", "new"),
        [
            ("2026-06-01", "250.00", "250.00"),
            ("2026-06-11", "166.67", "166.67"),
            ("2026-06-30", "8.33", "8.33"),
        ],
    )
    def test_a_bill_already_out_is_moved(self, session, on, old, new):
        unit = add_unit(session)
        bill(session)
        payer = payer_of(unit, session)
        owner = occupy(session, add_unit(session, "9", payer=None), "新", day("2020-01-01"))

        final_account.move_billing(
            session, unit.id, old_payer_id=payer, new_payer_id=owner.id, on=day(on), now=NOW, staff_id=None
        )

        assert [one[2:4] for one in invoices(session)] == [("250.00", str(250 - Decimal(old))), (new, new)]
        assert bill(session).to_dict()["invoices"] == 1  # the other unit only
        assert_books_hold(session)


class TestDirectDebit:
    @pytest.fixture(params=["unionpay_csv", "icbc_text"])
    def batch(self, session, request):
        for number in (1, 2):
            unit = add_unit(session, f"1-10{number}", payer=f"付款人{number}")
            bill(session)
            session.add(
                DebitMandate(
                    unit_id=unit.id,
                    owner_id=payer_of(unit, session),
                    bank="工商银行",
                    account=f"62220000{number}",
                    account_name=f"付款人{number}",
                    signed_on=day("2020-01-01"),
                )
            )
        session.flush()
        return direct_debit.export_batch(session, period="2026-06", layout=request.param, now=NOW)

    def answer(self, batch, results):
        row, file = batch
        lines = file.decode("gb18030").splitlines()
        if row.layout == "unionpay_csv":
            body = [f"{line},{code},{why}" for line, (code, why) in zip(lines[1:], results, strict=True)]
            lines = [lines[0] + ",处理结果,失败原因", *body]
        else:
            body = [line.rsplit("|", 1)[0] for line in lines]
            codes = {"成功": "00"}
            lines = [
                f"{line}|{codes.get(code, code)}|{why}"
                for line, (code, why) in zip(body, results, strict=True)
            ]
        return "\r\n".join(lines).encode("gb18030")

    def test_collected_is_paid_and_failed_keeps_the_reason(self, session, batch):
        file = self.answer(batch, [("成功", ""), ("51", "余额不足")])

        first = direct_debit.import_results(session, batch[0].id, file, now=NOW)
        again = direct_debit.import_results(session, batch[0].id, file, now=NOW)

        assert (first.collected, first.failed, again.collected, again.failed) == (1, 1, 0, 0)
        assert [one[3] for one in invoices(session)] == ["0.00", "250.00"]
        assert session.scalars(select(DirectDebit.bank_reason).order_by(DirectDebit.id)).all() == [
            "",
            "余额不足",
        ]
        assert_books_hold(session)

    def test_nothing_is_debited_twice(self, session, batch):
        with pytest.raises(Refused, match="Nothing is left"):
            direct_debit.export_batch(session, period="2026-06", layout="icbc_text", now=NOW)

    def test_paid_meanwhile_becomes_credit(self, session, batch):
        unit_id = session.scalars(select(Invoice.unit_id).order_by(Invoice.id)).first()
        pay(session, type("U", (), {"id": unit_id}), "250", "2026-06-20")

        direct_debit.import_results(
            session, batch[0].id, self.answer(batch, [("成功", ""), ("成功", "")]), now=NOW
        )

        assert [one[1:3] for one in paid(session)][1] == ("0.00", "250.00")
        assert_books_hold(session)

    def test_the_reminder_names_what_the_bank_has_not_answered(self, session, batch):
        before = direct_debit.remind_direct_debit(session, at("2026-07-10", 8, 30))
        direct_debit.import_results(
            session, batch[0].id, self.answer(batch, [("成功", ""), ("51", "")]), now=NOW
        )
        after = direct_debit.remind_direct_debit(session, at("2026-07-10", 8, 30))

        assert (before.result["unanswered"], after.done) == ([batch[0].number], 0)


class TestDayClose:
    @pytest.fixture
    def cashier(self, session):
        cashier = add_staff(session, "cashier", "cashier")
        unit = add_unit(session)
        pay(session, unit, "100", "2026-06-20", cashier_id=cashier.id)
        pay(session, unit, "30", "2026-06-20", cashier_id=cashier.id, method="wechat")
        return cashier

    @pytest.mark.parametrize(
        ("cash", "reason", "is_refused"),
        [("100", "", False), ("99.99", "", True), ("99.99", "short of a fen", False), ("100.01", " ", True)],
    )
    def test_a_difference_needs_a_reason(self, session, cashier, cash, reason, is_refused):
        given = {
            "cashier_id": cashier.id,
            "day": day("2026-06-20"),
            "counted": {"cash": Counted(Decimal(cash), reason), "wechat": Counted(Decimal(30))},
            "closed_by_id": cashier.id,
            "now": NOW,
        }
        if is_refused:
            with pytest.raises(Refused, match="say why"):
                day_close.close_day(session, **given)
        else:
            day_close.close_day(session, **given)
            with pytest.raises(Refused, match="closed already"):
                day_close.close_day(session, **given)
            with pytest.raises(Refused, match="closed"):
                pay(session, type("U", (), {"id": 1}), "1", "2026-06-20", cashier_id=cashier.id)
        assert_books_hold(session)


def test_the_cut_off_days_draft_says_what_next_month_lacks(session):
    add_unit(session)
    add_meter(session, add_unit(session, "1-102"), "water")

    outcome = runs.draft_run(session, at("2026-06-25", 8))

    assert outcome.done == 1
    assert outcome.result == {"period": "2026-07", "amount": "250.00", "unbilled": {"no_reading": 1}}
    assert invoices(session) == []


# --- what a notice takes off (B5, M1) --------------------------------------------------------------

# paid before the bill, after it, and whether the later payment was voided; credit used and paid on the paper
TAKEN_OFF = [
    (None, None, False, "0", "0", "250.00"),
    ("100", None, False, "100", "0", "150.00"),
    (None, "60", False, "0", "60", "190.00"),
    ("100", "60", False, "100", "60", "90.00"),
    ("100", "60", True, "100", "0", "150.00"),
]
WORDS = {
    "en": ("Prepaid credit used", "Paid so far"),
    "zh_Hans": ("预存款抵扣", "已缴金额"),
    "zh_Hant": ("預存款抵扣", "已繳金額"),
}


@pytest.mark.parametrize(("before", "after", "is_void", "credit", "received", "due"), TAKEN_OFF)
def test_a_reprinted_notice_tells_credit_from_payments(
    session, before, after, is_void, credit, received, due
):
    unit = add_unit(session)
    if before:
        pay(session, unit, before, "2026-05-10")
    bill(session)
    if after:
        payment = pay(session, unit, after, "2026-06-10")
        if is_void:
            manager = add_staff(session, "m", "manager").id
            corrections.void_payment(
                session, payment.id, reason="typing error", staff_id=manager, now=at("2026-06-11")
            )
    ids = session.scalars(select(Invoice.id)).all()

    for language, (credit_word, paid_word) in WORDS.items():
        ((_, notice),) = archive.payment_notices(session, ids, on=day("2026-06-20"))
        text = text_of(
            unfiled_pdf(session, "payment_notice", notice, language=language, now=at("2026-06-12"))
        )

        assert (notice.credit_used, notice.paid) == (Decimal(credit), Decimal(received))
        assert (bare(credit_word) in text, bare(paid_word) in text) == (credit != "0", received != "0")
        assert f"¥{due}" in text
