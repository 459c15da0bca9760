"""Money in from the screen: cashier, receipts, the day's end, direct debit, statements (M1–M6)."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import func, select

from models.billing import FeeItem, Invoice, InvoiceLine
from models.payments import (
    Allocation,
    Cheque,
    DayClose,
    DebitMandate,
    DirectDebit,
    DirectDebitBatch,
    Earmark,
    Payment,
    StatementLayout,
    StatementRow,
)
from models.people import Occupancy
from models.property import Estate, Unit
from office.billing import invoices
from office.billing.invoices import Charge
from office.core import clock
from office.payments import day_close, statements
from office.payments.statements import Entry
from office.rooms import EXPORTS
from tests.admin.conftest import Web, text_of
from tests.conftest import DIALECTS, Templates
from tests.factories.cashier_desk import TODAY, CashierDesk, act, opened, pdf
from tests.factories.pdf_text import text_of as paper_text

POSTED = select(func.count()).where(Payment.kind == "payment")


@pytest.fixture(scope="module", params=DIALECTS)
def counter(
    request: pytest.FixtureRequest, templates: Templates, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[CashierDesk]:
    yield from opened(request.param, templates, tmp_path_factory.mktemp("payments"))


def take(web: Web, unit_id: int, amount: str, **fields: Any) -> Any:
    return web.post("/cashier/take/", {"unit_id": unit_id, "amount": amount, "method": "cash", **fields})


def receipt(counter: CashierDesk, answer: Any) -> int:
    assert answer.status_code == 302, text_of(answer)
    return int(answer.location.rpartition("posted=")[2])


def paid(counter: CashierDesk, payment_id: int) -> list[tuple[str, str]]:
    """What a payment pays: (unit no., yuan)."""
    rows = counter.all(
        select(Unit.code, Allocation.amount)
        .join(Invoice, Invoice.id == Allocation.invoice_id)
        .join(Unit, Unit.id == Invoice.unit_id)
        .where(Allocation.payment_id == payment_id)
        .order_by(Unit.code, Invoice.period)
    )
    return [(code, str(amount)) for code, amount in rows]


def test_one_payment_for_many_is_found_picked_posted_once_and_printed(counter: CashierDesk) -> None:
    cashier = counter.cashier
    first = counter.unit("1-101", "单小慧", phone="13900001111")
    second = counter.unit("2-202", "单小慧")
    counter.bill("2026-02", "2026-03")
    for words in ("1-101", "I202602-000001"):
        assert cashier.get(f"/cashier/?q={words}").location == f"/cashier/?unit_id={first}", words
    for words in ("单小慧", "sxh", "13900001111"):
        assert "1-101" in text_of(cashier.get(f"/cashier/?q={words}", follow_redirects=True)), words
    page = cashier.get(f"/cashier/?unit_id={first}").text
    assert "2-202" in page, "the same payer's other unit"
    assert 'value="500.00"' in page
    here, there = counter.invoice("1-101", "2026-03"), counter.invoice("2-202", "2026-02")

    picks = {"pick": [here, there], f"part_{there}": "100", "tendered": "400", "form_key": "k1"}
    answer = take(cashier, first, "350", **picks)
    again = take(cashier, first, "350", **picks)

    payment_id = receipt(counter, answer)
    assert receipt(counter, again) == payment_id
    assert paid(counter, payment_id) == [("1-101", "250.00"), ("2-202", "100.00")]
    assert "Give back ¥50.00 in cash" in text_of(cashier.get(answer.location))
    pdf(cashier.post("/cashier/receipt/", {"id": payment_id}))
    assert "Print a copy" in text_of(cashier.get(answer.location))
    pdf(cashier.post("/payments/action/", {"action": "receipt", "rowid": payment_id}))
    assert counter.one(select(Payment.copies_printed).where(Payment.id == payment_id)) == 2
    rest = receipt(counter, take(cashier, second, "500"))
    assert paid(counter, rest) == [("2-202", "150.00"), ("2-202", "250.00")]
    assert counter.one(select(Payment.credit).where(Payment.id == rest)) == Decimal(100)


def test_a_large_payment_asks_once_more_in_words_and_by_name(counter: CashierDesk) -> None:
    cashier = counter.cashier
    unit_id = counter.unit("L-100", "赵大")
    before = counter.one(POSTED)

    usual = take(cashier, unit_id, "100000")
    asked = take(cashier, unit_id, "100000.01", form_key="large")
    other = take(cashier, unit_id, "200000", form_key="large", confirmed_sum="100000.01")
    posted = take(cashier, unit_id, "100000.01", form_key="large", confirmed_sum="100000.01")
    again = take(cashier, unit_id, "100000.01", form_key="large", confirmed_sum="100000.01")

    assert usual.status_code == 302
    assert (asked.status_code, other.status_code) == (422, 422)
    page = text_of(asked)
    for words in ("unusually large sum", "壹拾万元零壹分", "L-100 · 赵大", "Yes, ¥100,000.01"):
        assert words in page, words
    assert receipt(counter, posted) == receipt(counter, again)
    assert counter.one(POSTED) == before + 2


def test_what_cannot_be_taken_says_why_and_keeps_what_was_typed(counter: CashierDesk) -> None:
    cashier = counter.cashier
    unit_id = counter.unit("W-1", "吴辉")
    empty_id = counter.unit("W-2")
    counter.bill("2026-03")
    invoice_id, count = counter.invoice("W-1", "2026-03"), counter.one(POSTED)
    for amount, fields, said in (
        ("", {}, "no amount"),
        ("much", {}, "no amount"),
        ("0", {}, "above zero"),
        ("-5", {}, "above zero"),
        ("1.005", {}, "two decimal places"),
        ("1" * 18, {}, "too large"),
        ("10", {"method": "shells"}, "no way to pay"),
        ("10", {"tendered": "5"}, "less than the amount"),
        ("10", {"pick": invoice_id, f"part_{invoice_id}": "250.01"}, "no more than ¥250.00"),
        ("10", {"note": "a\x00b"}, "can't be stored"),
    ):
        answer = take(cashier, unit_id, amount, reference="typed before", **fields)
        assert answer.status_code == 422, (amount, fields)
        assert said in text_of(answer), (amount, fields)
        assert 'value="typed before"' in answer.text
    assert take(cashier, empty_id, "10").status_code == 422
    assert take(cashier, 999_999, "10").status_code == 404
    assert counter.director.post("/cashier/take/", {"unit_id": unit_id, "amount": "1"}).status_code == 403
    assert counter.one(POSTED) == count


def test_items_are_ticked_and_paid_whatever_is_older(counter: CashierDesk) -> None:
    """M8: ticked items of a bill are paid, and what can't go together is refused with a reason."""
    cashier, unit_id, strangers = counter.cashier, counter.unit("W-3", "钱进"), counter.unit("W-4", "钱出")
    bills = {}
    with counter.rows() as session:
        for owner in (unit_id, strangers):
            payer_id = session.scalars(select(Occupancy.owner_id).where(Occupancy.unit_id == owner)).one()
            charges = [
                Charge("repair", Decimal(1), Decimal(30)),
                Charge("management_fee", Decimal(1), Decimal(50)),
            ]
            bills[owner] = invoices.charge(
                session,
                unit_id=owner,
                payer_id=payer_id,
                charges=charges,
                due_on=TODAY,
                now=clock.now(session),
            ).id
        session.commit()
    counter.bill("2026-02")
    bill_id, count = bills[unit_id], counter.one(POSTED)
    lines = select(InvoiceLine.id).order_by(InvoiceLine.id)
    repair, fee = counter.all(lines.where(InvoiceLine.invoice_id == bill_id))
    (foreign, _) = counter.all(lines.where(InvoiceLine.invoice_id == bills[strangers]))

    page = cashier.get(f"/cashier/?unit_id={unit_id}").text
    for amount, fields, said in (
        ("80", {"pick": bill_id, "line": fee}, "not both"),
        ("80", {f"part_{bill_id}": "10", "line": fee}, "not both"),
        ("49.99", {"line": fee}, "come to ¥50.00"),
        ("80", {"line": foreign}, "of another unit"),
    ):
        answer = take(cashier, unit_id, amount, **fields)
        assert answer.status_code == 422, (amount, fields)
        assert said in text_of(answer), (amount, fields)
    assert f'name="line" value="{fee}" data-line="50.00"' in page
    assert f'value="{fee}" data-line="50.00" checked' in take(cashier, unit_id, "1", line=fee).text
    assert counter.one(POSTED) == count

    receipt(counter, take(cashier, unit_id, "50", line=fee))

    paid_of = select(InvoiceLine.paid).where(InvoiceLine.id.in_([repair, fee])).order_by(InvoiceLine.id)
    assert [str(amount) for amount in counter.all(paid_of)] == ["0.00", "50.00"]
    assert "paid by now" in text_of(take(cashier, unit_id, "50", line=fee))


def test_a_former_payer_pays_their_own_arrears(counter: CashierDesk) -> None:
    unit_id = counter.unit("F-1", "旧业主")
    counter.bill("2026-01")
    with counter.rows() as session:
        old = session.scalars(select(Occupancy).where(Occupancy.unit_id == unit_id)).one()
        old.to_on, old_id = date(2026, 2, 28), old.owner_id
        session.commit()

    page = text_of(counter.cashier.get(f"/cashier/?unit_id={unit_id}"))
    payment_id = receipt(counter, take(counter.cashier, unit_id, "250", payer_id=old_id))

    assert "旧业主" in page
    assert counter.one(select(Payment.payer_id).where(Payment.id == payment_id)) == old_id
    assert paid(counter, payment_id) == [("F-1", "250.00")]


def test_receipts_are_voided_by_another_reversed_and_refunded_once_a_form(counter: CashierDesk) -> None:
    cashier, manager = counter.cashier, counter.manager
    unit_id = counter.unit("V-1", "郑重")
    first, second = (receipt(counter, take(cashier, unit_id, "100", form_key=key)) for key in "ab")
    assert "entered this yourself" in act(cashier, "payments", "void", first, reason="typing error")
    assert "required" in act(manager, "payments", "void", first, reason="")
    assert "was voided" in act(manager, "payments", "void", first, reason="typing error")
    assert "no longer in force" in act(manager, "payments", "void", first, reason="again")
    refund = {"amount": "30", "method": "cash", "reason": "paid twice", "form_key": "r"}
    too_much = {**refund, "amount": "100.01"}
    assert "Only ¥100.00" in act(manager, "payments", "refund", second, **too_much)
    for currency, said in (("HKD", "Only HK$100.00"), ("CNY", "Only ¥100.00")):
        with counter.rows() as session:
            session.scalars(select(Estate)).one().currency = currency
            session.commit()
        assert said in act(manager, "payments", "refund", second, **too_much), (
            "a sum in the estate's currency"
        )
    for said in ("was posted", "sent already"):
        assert said in act(manager, "payments", "refund", second, **refund)
    assert "refunded in part" in act(manager, "payments", "void", second, reason="bounced")
    third = receipt(counter, take(cashier, unit_id, "50", form_key="c", method="card"))
    assert "was reversed" in act(manager, "payments", "reverse", third, reason="bounced")
    states = select(Payment.kind, Payment.amount, Payment.state).where(Payment.unit_id == unit_id)
    assert [
        (kind, str(amount), state) for kind, amount, state in counter.all(states.order_by(Payment.id))
    ] == [
        ("payment", "100.00", "void"),
        ("payment", "100.00", "posted"),
        ("reversal", "-100.00", "posted"),
        ("refund", "-30.00", "posted"),
        ("payment", "50.00", "reversed"),
        ("reversal", "-50.00", "posted"),
    ]
    pdf(cashier.post("/cashier/receipt/", {"id": first}))


def test_rows_of_a_statement_wait_with_suggestions_and_are_taken_by_one_key(counter: CashierDesk) -> None:
    cashier = counter.cashier
    counter.unit("S-1", "曾美丽")
    counter.unit("S-2", "解一")
    counter.bill("2026-03")
    with counter.rows() as session:
        now, at = clock.now(session), datetime(2026, 3, 18, 2, tzinfo=UTC)
        rows = [
            Entry("T1", at, Decimal(250), "wechat", "物业费 曾美丽", "曾美丽"),
            Entry("T2", at, Decimal("77.77"), "wechat", "红包", ""),
            Entry("T3", at, Decimal(-9), "wechat", "退款", "", state="refund"),
        ]
        statements.post_statement(session, rows, "wechat", now)
        session.commit()
    ids = dict(counter.all(select(StatementRow.transaction_id, StatementRow.id)))

    page = cashier.get(f"/statement_rows/queue/?id={ids['T1']}").text
    assert page.index('name="unit_code" value="S-1"') < page.index('data-key="1"')
    assert "曾美丽" in page
    answer = cashier.post(
        "/statement_rows/decide/", {"id": ids["T1"], "unit_code": "S-1"}, follow_redirects=True
    )
    assert "¥250.00 for S-1" in text_of(answer)
    assert "77.77" in text_of(answer), "the next row"
    for fields, said in (
        ({"id": ids["T2"], "unit_code": "nowhere"}, "no unit nowhere"),
        ({"id": ids["T2"], "what": "ignore", "reason": " "}, "Say why"),
        ({"id": ids["T3"], "unit_code": "S-2"}, "brings no money"),
        ({"id": ids["T1"], "unit_code": "S-1"}, "no longer waiting"),
    ):
        wrong = cashier.post("/statement_rows/decide/", fields)
        assert (wrong.status_code, said in text_of(wrong)) == (422, True), fields
    undo = 'name="what" value="undo"'
    for name in ("T2", "T3"):
        fields = {"id": ids[name], "what": "ignore", "reason": "not ours"}
        told = cashier.post("/statement_rows/decide/", fields, follow_redirects=True)
        assert undo in told.text
    again = cashier.post("/statement_rows/decide/", {"id": ids["T3"], "what": "undo"}, follow_redirects=True)
    assert "the row waits again" in text_of(again)
    cashier.post("/statement_rows/decide/", {"id": ids["T3"], "what": "ignore", "reason": "not ours"})
    assert "Nothing is waiting" in text_of(cashier.get("/statement_rows/queue/"))
    assert counter.one(select(Payment.reference).join(Unit).where(Unit.code == "S-1")) == "T1"
    kind = Payment.kind == "payment"
    assert counter.director.post("/statement_rows/decide/", {"id": 1}).status_code == 403
    # what was posted is undone by another person, at every door
    assert undo not in cashier.get(f"/statement_rows/queue/?decided={ids['T1']}").text
    for fields in ({"reason": "wrong unit"}, {}):
        wrong = cashier.post("/statement_rows/decide/", {"id": ids["T1"], "what": "undo", **fields})
        assert wrong.status_code == 422
    assert "entered this yourself" in act(cashier, "statement_rows", "undo", ids["T1"], reason="wrong unit")
    assert "Say why" in act(counter.manager, "statement_rows", "undo", ids["T1"])
    assert counter.one(select(Payment.state).where(Payment.reference == "T1", kind)) == "posted"
    assert "The row waits again" in act(
        counter.manager, "statement_rows", "undo", ids["T1"], reason="wrong unit"
    )
    assert counter.one(select(Payment.state).where(Payment.reference == "T1", kind)) == "void"
    assert counter.one(select(StatementRow.state).where(StatementRow.id == ids["T1"])) == "waiting"


def test_a_banks_layout_is_remembered_and_changed(counter: CashierDesk) -> None:
    cashier = counter.cashier
    with counter.rows() as session:
        row = StatementLayout(
            name="Our bank", header=json.dumps(["day", "sum", "who"]), columns=json.dumps({"paid_at": "day"})
        )
        session.add(row)
        session.commit()
        row_id = row.id
    good = {
        "id": row_id,
        "name": "Our bank",
        "method": "card",
        "column_paid_at": "day",
        "column_amount": "sum",
    }
    for changed, said in (
        ({"name": ""}, "give it a name"),
        ({"method": "shells"}, "not possible"),
        ({"method": "cash"}, "not possible"),
        ({"column_amount": ""}, "columns of the time and of the amount"),
    ):
        answer = cashier.post("/statement_layouts/save/", {**good, **changed}, follow_redirects=True)
        assert said in text_of(answer), changed

    assert cashier.post("/statement_layouts/save/", good).status_code == 302

    stored = counter.all(select(StatementLayout.method, StatementLayout.columns))
    assert stored == [("card", '{"paid_at": "day", "amount": "sum"}')] or json.loads(stored[0][1]) == {
        "paid_at": "day",
        "amount": "sum",
    }
    shown = text_of(cashier.get(f"/statement_layouts/details/?id={row_id}"))
    assert "Our bank" in shown
    assert "微信订单号" in text_of(cashier.get("/statement_layouts/"))


def test_the_banks_file_goes_out_and_its_answer_comes_in(counter: CashierDesk) -> None:
    cashier = counter.cashier
    unit_id = counter.unit("B-1", "陈托收")
    other_id = counter.unit("B-2", "不付")
    counter.bill("2026-02", "2026-03")
    assert "Nothing is left" in text_of(
        cashier.post(
            "/direct_debits/make/", {"layout": "unionpay_csv", "period": "2026-03"}, follow_redirects=True
        )
    )
    owner = select(Occupancy.owner_id).where(Occupancy.unit_id == unit_id)
    mandate = {
        "unit": unit_id,
        "owner": counter.one(owner),
        "bank": "工行",
        "account": "6200001234567890",
        "account_name": "陈托收",
        "signed_on": "2026-01-01",
    }
    wrong = cashier.post("/debit_mandates/new/", {**mandate, "unit": other_id})
    assert "does not pay for B-2" in text_of(wrong)
    assert cashier.post("/debit_mandates/new/", mandate).status_code == 302
    assert counter.one(select(func.count()).select_from(DebitMandate)) == 1
    for fields, said in (
        ({"layout": "unionpay_csv", "period": "x"}, "no period"),
        ({"layout": "nobank", "period": "2026-03"}, "no direct-debit layout"),
    ):
        answer = cashier.post("/direct_debits/make/", fields, follow_redirects=True)
        assert said in text_of(answer), fields

    made = cashier.post("/direct_debits/make/", {"layout": "unionpay_csv", "period": "2026-03"})

    batch_id = counter.one(select(DirectDebitBatch.id))
    assert made.location.endswith(f"id={batch_id}")
    file = cashier.post("/direct_debits/file/", {"id": batch_id})
    lines = file.data.decode("gb18030").split()
    assert [line.split(",")[4] for line in lines[1:]] == ["250.00", "250.00"]
    references = [line.split(",")[0] for line in lines[1:]]
    answers = (
        "流水号,处理结果,失败原因\n" + f"{references[0]},成功,\n{references[1]},失败,余额不足\nX/1,成功,\n"
    )
    for content, said in (
        (b"", "choose a file"),
        (b"nonsense", "with the columns 流水号、处理结果、失败原因"),
    ):
        sent = {"id": batch_id, **({"file": (io.BytesIO(content), "a.csv")} if content else {})}
        assert said in text_of(cashier.post("/direct_debits/answer/", sent, follow_redirects=True))
    told = text_of(
        cashier.post(
            "/direct_debits/answer/",
            {"id": batch_id, "file": (io.BytesIO(answers.encode("gb18030")), "a.csv")},
            follow_redirects=True,
        )
    )
    assert "1 debits were collected, 1 failed" in told
    assert "X/1" in told
    rows = counter.all(select(DirectDebit.state, DirectDebit.bank_reason).order_by(DirectDebit.id))
    assert rows == [("collected", ""), ("failed", "余额不足")]
    assert "余额不足" in text_of(cashier.get("/direct_debit_rows/?view=failed"))


def test_a_day_is_counted_explained_and_locked(counter: CashierDesk) -> None:
    """The last of this module: nothing is posted into the closed day after it."""
    cashier, manager = counter.cashier, counter.manager
    unit_id = counter.unit("Z-1", "末日")
    take(cashier, unit_id, "12.50", form_key="z")
    undone = receipt(counter, take(cashier, unit_id, "100", form_key="undone"))
    assert "was voided" in act(manager, "payments", "void", undone, reason="typing error")
    cashier_id = counter.staff_id("cashier")
    with counter.rows() as session:
        drawers = day_close.drawers(session, cashier_id, TODAY)
    expected = drawers["cash"].expected
    form = cashier.get("/day_close/").text
    assert f"{expected:,.2f}" in form

    voided = f"voided: {drawers['cash'].voided}, {drawers['cash'].voided_amount:,.2f}"
    assert voided in " ".join(text_of(cashier.get("/day_close/")).split())
    # what the cashier posted from a statement is the cashier's too
    counted = {f"counted_{method}": str(drawer.expected) for method, drawer in drawers.items()}
    counted["counted_cash"] = str(expected - 1)
    wrong = cashier.post("/day_close/close/", counted, follow_redirects=True)
    assert "say why" in text_of(wrong)
    assert f'value="{expected - 1}"' in wrong.text, "what was typed is kept"
    assert "no amount" in text_of(
        cashier.post("/day_close/close/", {"counted_cash": "x"}, follow_redirects=True)
    )
    assert cashier.get(f"/day_close/?cashier_id={counter.staff_id('manager')}").status_code == 403
    assert cashier.get("/day_close/?day=x").status_code == 404
    assert counter.one(select(func.count()).select_from(DayClose)) == 0

    closed = manager.post(
        "/day_close/close/",
        {**counted, "cashier_id": cashier_id, "reason_cash": "one yuan short"},
        follow_redirects=True,
    )

    assert "The day is closed" in text_of(closed)
    assert "one yuan short" in text_of(cashier.get("/day_close_lines/"))
    late = take(cashier, unit_id, "1", form_key="late")
    assert (late.status_code, "is closed" in text_of(late)) == (422, True)
    again = cashier.post("/day_close/close/", counted, follow_redirects=True)
    assert "closed already" in text_of(again)


def test_a_cheque_is_taken_presented_and_bounced_on_screen(counter: CashierDesk) -> None:
    """M13: at the desk with number and bank, on the list, back by another person."""
    unit_id = counter.unit("CHQ-1", "陈大文")
    counter.bill("2026-03")
    form = {"unit_id": unit_id, "amount": "100.00", "method": "cheque"}

    refused = counter.manager.post("/cashier/take/", form)
    typed = {"cheque_number": "000777", "cheque_bank": "HSBC", "cheque_due_on": ""}
    counter.manager.post("/cashier/take/", form | typed)
    cheque_id = counter.one(select(Cheque.id))
    page = text_of(counter.manager.get("/cheques/?view=due"))
    asked = {"rowid": cheque_id, "confirmed": "1"}
    counter.manager.post("/cheques/action/", asked | {"action": "present"})
    bounce = asked | {"action": "bounce", "reason": "no funds"}
    own = text_of(counter.manager.post("/cheques/action/", bounce))
    assert counter.one(select(Cheque.state)) == "presented"
    counter.cashier.post("/cheques/action/", bounce)

    assert refused.status_code == 422
    assert "number and its bank" in text_of(refused)
    assert "000777" in page
    assert "another person" in own
    assert counter.one(select(Cheque.state)) == "bounced"


def test_money_for_an_item_is_put_aside_named_and_let_free_by_another(counter: CashierDesk) -> None:
    """M10: at the desk and on the receipt; the statement names it; release takes a second person."""
    unit_id = counter.unit("EAR-1", "何秀莲")
    item_id = str(counter.one(select(FeeItem.id).where(FeeItem.code == "management_fee")))
    form = {"unit_id": unit_id, "amount": "300.00", "method": "wechat", "aside_item": item_id}

    refused = counter.manager.post("/cashier/take/", form)
    counter.manager.post("/cashier/take/", form | {"aside_amount": "200.00"})
    of_unit = select(Payment.id).where(Payment.unit_id == unit_id)
    payment_id = counter.one(of_unit)
    more = {"rowid": payment_id, "confirmed": "1", "action": "put_aside"}
    dated = {"amount": "50", "fee_item": "", "from_on": "2026-04-01", "to_on": "2026-06-30"}
    counter.manager.post("/payments/action/", more | dated)
    desk = text_of(counter.cashier.get(f"/cashier/?unit_id={unit_id}"))
    account = text_of(counter.cashier.get(f"/statement_of_account/?unit_id={unit_id}"))
    listed = text_of(counter.cashier.get("/earmarks/"))
    payer_id = counter.one(select(Payment.payer_id).where(Payment.id == payment_id))
    asked = {"unit_id": unit_id, "payer_id": payer_id}
    paper = paper_text(counter.cashier.post("/statement_of_account/paper/", asked).data)
    first = counter.all(select(Earmark.id).where(Earmark.payment_id == payment_id).order_by(Earmark.id))[0]
    free = {"rowid": first, "confirmed": "1", "action": "set_free"}
    own = text_of(counter.manager.post("/earmarks/action/", free, follow_redirects=True))
    other = text_of(counter.cashier.post("/earmarks/action/", free, follow_redirects=True))

    assert "how much is put aside" in text_of(refused)
    for page in (desk, account):
        assert "200.00 · Management fee" in page
        assert "50.00 · Any item · 2026-04-01 – 2026-06-30" in page
    shown = re.findall(r"[\d.]+", listed)
    assert [shown.count(amount) for amount in ("200.00", "50.00")] == [2, 2]  # as put aside, and left
    assert "2026-04-01–2026-06-30" in paper
    assert "another person" in own
    assert "¥200.00 is free credit again" in other
    with counter.rows() as session:
        codes, rows = EXPORTS["earmarks"](session)
        exported = [dict(zip(codes, row, strict=True)) for row in rows]
    assert [str(one["left"]) for one in exported][-2:] == ["0.00", "50.00"]
