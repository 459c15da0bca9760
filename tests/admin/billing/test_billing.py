"""Bills from the screen: run, corrections, late fees, move-in, deposits, rewards, papers (B1–B10, §10)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date
from decimal import Decimal

import pytest
from sqlalchemy import func, select

from models.billing import (
    CreditNote,
    Deposit,
    FeeItem,
    Incentive,
    IncentiveGrant,
    Invoice,
    InvoiceLine,
    LateFeeWaiver,
    Tariff,
    WaiverRequest,
)
from models.office import Paper, Task
from models.payments import Allocation, AllocationLine, Payment
from models.people import Owner
from models.policies import PaperTemplate
from models.property import Estate, Unit
from models.rates import UnitItemPayer
from office.billing import incentives, tariff_notice
from office.core import clock
from office.documents.pdf.templates import seed_blocks
from office.documents.pdf.wording import words_of
from office.payments import payments
from office.receivables import late_fees
from tests.admin.conftest import text_of
from tests.conftest import DIALECTS, Templates
from tests.factories import pdf_text
from tests.factories.cashier_desk import CashierDesk, act, finished, opened, pdf


@pytest.fixture(scope="module", params=DIALECTS)
def counter(
    request: pytest.FixtureRequest, templates: Templates, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[CashierDesk]:
    yield from opened(request.param, templates, tmp_path_factory.mktemp("billing"))


def pay(counter: CashierDesk, code: str, amount: str) -> int:
    cashier_id = counter.staff_id("cashier")
    with counter.rows() as session:
        now = clock.now(session)
        unit_id = session.scalars(select(Unit.id).where(Unit.code == code)).one()
        made = payments.record_payment(
            session,
            payments.NewPayment(
                unit_id=unit_id, amount=Decimal(amount), method="cash", paid_at=now, cashier_id=cashier_id
            ),
            now=now,
        )
        session.commit()
        return int(made.id)


def test_a_period_is_previewed_issued_behind_a_page_and_printed_as_one_file(counter: CashierDesk) -> None:
    cashier = counter.cashier
    counter.unit("A-1", "王秀英")
    counter.unit("A-2", "李强")
    counter.unit("A-3")
    counter.bill("2026-02")
    with counter.rows() as session:
        session.scalars(select(Unit).where(Unit.code == "A-1")).one().area_m2 = Decimal(200)
        session.scalars(select(Unit).where(Unit.code == "A-2")).one().handed_over_on = date(2026, 5, 1)
        session.commit()

    page = text_of(cashier.get("/billing/?period=2026-03"))
    listed = cashier.get("/billing/unbilled/?period=2026-03").get_data(as_text=True)
    answer = cashier.post("/billing/issue/", {"period": "2026-03"})
    told = finished(cashier, answer)
    again = finished(cashier, cashier.post("/billing/issue/", {"period": "2026-03"}))

    assert "500.00" in page
    assert "+100 %" in page  # A-1 doubled: unusual
    assert page.index("Billed last month, not this one") < page.index("A-2")
    assert "A-3" in listed
    assert (told["state"], told["done"], told["total"]) == ("done", 1, 1)
    assert "1 bills were issued, ¥500.00 in all. 1 could not be billed." in told["sentence"]
    assert (again["state"], again["done"]) == ("done", 0)
    run_id = counter.one(select(Task.result).where(Task.id == int(told["id"])))["run"]
    printed = finished(cashier, cashier.post("/billing/notices/", {"run": run_id}))
    assert printed["sentence"] == "1 papers are ready."
    pdf(cashier.post("/billing/file/", {"id": printed["id"]}))
    assert counter.manager.post("/billing/file/", {"id": printed["id"]}).status_code == 403
    assert counter.one(select(func.count()).where(Paper.kind == "payment_notice")) == 1
    assert "2026-03" in text_of(cashier.get(f"/billing/progress/?id={printed['id']}"))


def test_a_lost_issue_is_told_and_can_be_begun_again(counter: CashierDesk) -> None:
    with counter.rows() as session:
        lost = Task(
            kind="issue",
            state="running",
            made_at=clock.now(session),
            result={"period": "2026-04", "claimed_by": "x:1:1", "claimed_at": "2020-01-01T00:00:00+00:00"},
        )
        session.add(lost)
        session.commit()
        lost_id = lost.id

    assert "begin it again" in text_of(counter.cashier.get(f"/billing/progress/?id={lost_id}"))
    assert (
        finished(counter.cashier, counter.cashier.post("/billing/issue/", {"period": "2026-03"}))["state"]
        == "done"
    )


def test_wrong_input_of_the_run_is_told(counter: CashierDesk) -> None:
    cashier, count = counter.cashier, counter.one(select(func.count()).select_from(Invoice))
    for fields in (
        {"period": "March"},
        {"period": ""},
        {"period": "2026-03", "on": "x"},
        {"period": "2026-03", "on": "2027-01-01"},
    ):
        answer = cashier.post("/billing/issue/", fields, follow_redirects=True)
        assert answer.status_code == 200
        assert 'class="flash bad"' in answer.text or "flash error" in answer.text, fields
    assert "is no period" in text_of(cashier.get("/billing/?period=x"))
    for path in ("progress/?id=x", "progress/?id=999999", "state/?id=", "unbilled/?run=999999"):
        assert cashier.get(f"/billing/{path}").status_code == 404
    assert cashier.post("/billing/notices/", {"run": "999999"}).status_code == 404
    assert counter.one(select(func.count()).select_from(Invoice)) == count


def test_a_bill_is_corrected_charged_beside_and_its_papers_printed(counter: CashierDesk) -> None:
    cashier = counter.cashier
    counter.unit("C-1", "何静")
    counter.bill("2026-01")
    invoice_id = counter.invoice("C-1", "2026-01")
    wrong = [
        ({"amount": "-1", "reason": "x"}, "above zero"),
        ({"amount": "1.005", "reason": "x"}, "At most 2 decimal places"),
        ({"amount": "250.01", "reason": "x"}, "Only ¥250.00"),
        ({"amount": "1", "reason": ""}, "required"),
        ({"amount": "1", "reason": "x", "fee_item": "nonsense"}, "not possible"),
    ]
    for fields, said in wrong:
        assert said in act(cashier, "invoices", "credit", invoice_id, **fields), fields
    assert counter.balance(invoice_id) == "250.00"

    said = act(
        cashier, "invoices", "credit", invoice_id, amount="50", reason="wrong area", fee_item="management_fee"
    )

    assert "was issued" in said
    assert counter.balance(invoice_id) == "200.00"
    note_id = counter.one(select(CreditNote.id).where(CreditNote.invoice_id == invoice_id))
    assert counter.one(select(CreditNote.issued_at).where(CreditNote.id == note_id)) is not None
    pdf(cashier.post("/credit_notes/action/", {"action": "paper", "rowid": note_id}))
    pdf(cashier.post("/invoices/action/", {"action": "notice", "rowid": invoice_id}))
    charge = {"unit_code": "C-1", "fee_item": "repair", "quantity": "2", "rate": "30", "form_key": "one form"}
    assert "has passed" in act(cashier, "invoices", "charge", **charge, due_on="2026-03-01")
    assert "no unit Z" in act(
        cashier, "invoices", "charge", **{**charge, "unit_code": "Z"}, due_on="2026-03-31"
    )
    for said in ("was issued", "sent already"):
        assert said in act(cashier, "invoices", "charge", **charge, due_on="2026-03-31")
    assert counter.all(select(Invoice.amount).where(Invoice.kind == "one_off")) == [Decimal("60.00")]


def test_what_is_charged_once_goes_to_who_pays_the_item(counter: CashierDesk) -> None:
    """B20: the payer named for the item, not the unit's."""
    counter.unit("C-9", "何小静")
    with counter.rows() as session:
        firm = Owner(name="修理公司付款人")
        session.add(firm)
        session.flush()
        unit_id = session.scalars(select(Unit.id).where(Unit.code == "C-9")).one()
        item_id = session.scalars(select(FeeItem.id).where(FeeItem.code == "repair")).one()
        session.add(
            UnitItemPayer(unit_id=unit_id, fee_item_id=item_id, owner_id=firm.id, valid_from=date(2020, 1, 1))
        )
        session.commit()
        firm_id = firm.id

    charge = {"unit_code": "C-9", "fee_item": "repair", "quantity": "1", "rate": "7.01", "form_key": "a firm"}
    assert "was issued" in act(counter.cashier, "invoices", "charge", **charge, due_on="2026-03-31")

    assert counter.all(select(Invoice.payer_id).where(Invoice.amount == Decimal("7.01"))) == [firm_id]


def test_who_prints_is_told_of_characters_that_the_font_lacks_before_anything_is_filed(
    counter: CashierDesk,
) -> None:
    """D10: whose paper, which character; after a yes it prints with 〓 and names the character."""
    cashier, name = counter.cashier, "王\U0002a6a5明"
    counter.unit("Q-1", name)
    counter.bill("2026-01")
    invoice_id = counter.invoice("Q-1", "2026-01")
    number = counter.one(select(Invoice.number).where(Invoice.id == invoice_id))
    filed = select(func.count(Paper.id)).where(Paper.number == number)
    asked = {"action": "notice", "rowid": invoice_id}

    told = cashier.post("/invoices/action/", asked)

    assert told.status_code == 422
    assert f"{number}{name}Q-1:\U0002a6a5" in "".join(text_of(told).split())
    assert counter.one(filed) == 0
    made = pdf_text.text_of(pdf(cashier.post("/invoices/action/", {**asked, "confirmed_characters": "1"})))
    assert "王〓明" in made
    assert "U+2A6A5" in made
    assert counter.one(filed) == 1


def test_a_late_fee_is_explained_to_the_day_and_waived_by_two(counter: CashierDesk) -> None:
    cashier, manager, director = counter.cashier, counter.manager, counter.director
    counter.unit("L-1", "高远", kind="shop")
    counter.bill("2026-01")
    invoice_id = counter.invoice("L-1", "2026-01")
    counter.policy("late_fee", is_on=True, daily_rate="0.001", waiver_second_from="20.00")
    with counter.rows() as session:
        late_fees.accrue_late_fees(session, clock.now(session))
        session.commit()

    page = text_of(cashier.get(f"/invoices/details/?id={invoice_id}&late_on=2026-01-25"))
    assert "7.20" in page  # 800.00 × the 9 days from the 16th to the 24th × 0.1 %
    assert "2026-01-16" in page

    assert "asked for" in act(cashier, "invoices", "waive", invoice_id, amount="30", reason="long ill")
    assert "asked for" in act(
        manager, "invoices", "waive", invoice_id, amount="20", reason="too large for one"
    )
    assert "was waived" in act(manager, "invoices", "waive", invoice_id, amount="1", reason="goodwill")
    assert "Only" in act(manager, "invoices", "waive", invoice_id, amount="999", reason="x")
    first, second = counter.all(select(WaiverRequest.id).order_by(WaiverRequest.id))
    assert "yourself" in act(manager, "waiver_requests", "approve", second)
    assert "1 waivers were approved" in act(manager, "waiver_requests", "approve", first)
    assert "1 waivers were refused" in act(director, "waiver_requests", "refuse", second)
    assert "decided already" in act(director, "waiver_requests", "approve", second)
    assert cashier.post("/waiver_requests/action/", {"action": "approve", "rowid": first}).status_code == 403
    assert counter.all(select(LateFeeWaiver.amount).order_by(LateFeeWaiver.id)) == [Decimal(1), Decimal(30)]
    assert "31.00" in text_of(cashier.get(f"/invoices/details/?id={invoice_id}"))
    counter.policy("late_fee", is_on=False)


@pytest.mark.parametrize(("given", "kind"), [({}, "error"), ({"kind": "goodwill"}, "goodwill")])
def test_a_credit_note_says_its_kind(counter: CashierDesk, given: dict[str, str], kind: str) -> None:
    manager, code = counter.manager, f"K-{kind}"
    counter.unit(code, "周明")
    counter.bill("2026-02")
    invoice_id = counter.invoice(code, "2026-02")
    form = text_of(manager.post("/invoices/action/", {"action": "credit", "rowid": invoice_id}))
    assert form.index("Error: was never owed") < form.index("Goodwill: the late fee stays")

    unknown = act(manager, "invoices", "credit", invoice_id, amount="5", reason="x", kind="gift")
    said = act(manager, "invoices", "credit", invoice_id, amount="5", reason="area", **given)

    assert "not possible here" in unknown
    assert "was issued" in said
    note = counter.one(select(CreditNote).where(CreditNote.invoice_id == invoice_id))
    assert note.kind == kind


def test_a_large_credit_note_asks_once_more(counter: CashierDesk) -> None:
    manager = counter.manager
    unit_id = counter.unit("K-9", "周大明")
    with counter.rows() as session:
        session.get_one(Unit, unit_id).area_m2 = Decimal(4000)
        session.commit()
    counter.bill("2026-02")
    invoice_id = counter.invoice("K-9", "2026-02")
    given = {"action": "credit", "rowid": invoice_id, "confirmed": "1", "amount": "5000.01", "reason": "area"}

    asked = manager.post("/invoices/action/", given)
    other = manager.post("/invoices/action/", {**given, "confirmed_sum": "5000.02"})
    counted = counter.one(select(func.count()).where(CreditNote.invoice_id == invoice_id))
    said = text_of(
        manager.post("/invoices/action/", {**given, "confirmed_sum": "5000.01"}, follow_redirects=True)
    )

    assert (asked.status_code, other.status_code, counted) == (422, 422, 0)
    assert "unusually large sum" in text_of(asked)
    assert "伍仟元零壹分" in text_of(asked)
    assert 'name="confirmed_sum" value="5000.01"' in asked.text
    assert "was issued" in said


def test_who_moves_in_gets_one_bill_whose_deposits_are_held_when_it_is_paid(counter: CashierDesk) -> None:
    cashier = counter.cashier
    unit_id = counter.unit("M-1", "新住户", handed_over_on=date(2026, 3, 16))
    counter.unit("M-2")
    counter.unit("M-3", "车主", kind="parking")
    page = text_of(cashier.get("/move_in/?unit_code=M-1"))
    assert "10,929.03" in page  # 129.03 + 500.00 + 2,000.00 + 300.00 + 8,000.00
    assert "Nobody pays" in text_of(cashier.get("/move_in/?unit_code=M-2"))
    assert "no move-in bill for this kind" in text_of(cashier.get("/move_in/?unit_code=M-3"))
    assert "no unit nowhere" in text_of(cashier.get("/move_in/?unit_code=nowhere"))

    fields = {"unit_id": unit_id, "on": "2026-03-16", "due_on": "2026-03-25"}
    early = cashier.post("/move_in/issue/", {**fields, "due_on": "2026-03-01"})
    issued = cashier.post("/move_in/issue/", fields, follow_redirects=True)
    again = cashier.post("/move_in/issue/", fields)

    assert (early.status_code, again.status_code) == (422, 422)
    assert "out already" in text_of(again)
    assert "was issued" in text_of(issued)
    invoice_id = counter.one(select(Invoice.id).where(Invoice.kind == "move_in"))
    pdf(cashier.post("/move_in/paper/", {"id": invoice_id}))
    assert cashier.post("/move_in/issue/", {"unit_id": "x"}).status_code == 404
    taken = {"unit_id": unit_id, "amount": "10929.03", "method": "card", "form_key": "m"}
    assert cashier.post("/cashier/take/", taken).status_code == 302
    held = select(Deposit.amount).where(Deposit.unit_id == unit_id).order_by(Deposit.id)
    assert counter.all(held) == [Decimal(2000), Decimal(300)]


def test_deposits_are_taken_once_a_form_given_back_and_set_off(counter: CashierDesk) -> None:
    cashier = counter.cashier
    unit_id = counter.unit("D-1", "押金户")
    given = {"unit_code": "D-1", "fee_item": "decoration_deposit", "amount": "1000", "method": "cash"}
    for name, value, said in (
        ("unit_code", "nowhere", "no unit nowhere"),
        ("fee_item", "water", "not possible"),
        ("amount", "0", "above zero"),
        ("method", "shells", "not possible"),
    ):
        assert said in act(cashier, "deposits", "take", **{**given, name: value}), name
    for said in ("was taken", "sent already"):
        assert said in act(cashier, "deposits", "take", **given, form_key="the same form")
    (deposit_id,) = counter.all(select(Deposit.id).where(Deposit.unit_id == unit_id))
    pdf(cashier.post("/deposits/action/", {"action": "slip", "rowid": deposit_id}))
    back = {"method": "cash", "reason": "moves out"}
    manager = counter.manager
    assert "entered this yourself" in act(cashier, "deposits", "give_back", deposit_id, amount="1", **back)
    assert "Only ¥1,000.00" in act(manager, "deposits", "give_back", deposit_id, amount="1000.01", **back)
    assert "¥400.00 of the deposit" in act(manager, "deposits", "give_back", deposit_id, amount="400", **back)
    counter.bill("2026-03")
    assert "set off" in act(manager, "deposits", "set_off", deposit_id, amount="600", reason="arrears")
    assert counter.balance(counter.invoice("D-1", "2026-03")) == "0.00"
    page = text_of(cashier.get(f"/deposits/details/?id={deposit_id}"))
    assert "0.00 Still held" in " ".join(page.split())


def test_a_reward_is_offered_earned_listed_and_its_gift_handed_over(counter: CashierDesk) -> None:
    manager, cashier = counter.manager, counter.cashier
    counter.unit("R-1", "早付")
    counter.bill("2026-03")
    offer = {
        "name_en": "Early bird",
        "name_zh_hans": "早鸟",
        "name_zh_hant": "早鳥",
        "valid_from": "2026-01-01",
    }
    bad = manager.post("/incentives/new/", {**offer, "percent": "0", "gift": ""})
    assert bad.status_code != 302
    assert "needs" in text_of(bad)
    good = {**offer, "months_ahead": "2", "percent": "10", "gift": "rice"}
    assert manager.post("/incentives/new/", good).status_code == 302, "at once"
    pay(counter, "R-1", "250")
    pay(counter, "R-1", "500")

    said = act(manager, "incentives", "judge")
    act(manager, "incentives", "judge")

    assert "1 rewards were granted" in said, said[said.find("rewards were") - 40 :][:200]
    (grant_id,) = counter.all(select(IncentiveGrant.id))
    assert counter.one(select(IncentiveGrant.amount)) == Decimal("50.00")
    assert "Early bird" in text_of(cashier.get("/incentive_grants/"))
    assert "1 gifts" in act(cashier, "incentive_grants", "hand_over", grant_id)
    assert "was handed over on 2026-03-20" in act(cashier, "incentive_grants", "hand_over", grant_id)
    with counter.rows() as session:
        credit = session.scalar(select(func.sum(Payment.credit)).join(Unit).where(Unit.code == "R-1"))
        assert credit == Decimal("550.00")
        session.scalars(select(Incentive)).one().valid_to = date(2026, 1, 2)
        session.commit()
    assert incentives.LOOKED_BACK.days == 40  # as the question of the action says


def test_months_are_billed_ahead_once_a_form(counter: CashierDesk) -> None:
    """Each month gets a bill of its own, so that the receipt says what for (B15)."""
    counter.unit("H-1", "何欢")
    counter.bill("2026-03")
    wanted = {"unit_code": "H-1", "months": "3", "form_key": "ahead-1"}

    said = act(counter.cashier, "invoices", "bill_ahead", **wanted)
    again = act(counter.cashier, "invoices", "bill_ahead", **wanted)

    assert "2026-04 to 2026-06, ¥750.00 in all" in said
    assert "sent already" in again
    assert counter.one(select(func.count(Invoice.id)).join(Unit).where(Unit.code == "H-1")) == 4
    for months, refusal in (("0", "Between 1 and"), ("2.5", "whole number"), ("", "required")):
        assert refusal in act(counter.cashier, "invoices", "bill_ahead", unit_code="H-1", months=months)


def test_the_public_notice_of_charges_says_what_the_law_asks_and_where_the_money_went(
    counter: CashierDesk,
) -> None:
    """Kind of price, each tariff's own start, tiers, and accounts as billed or as received (B2, D6)."""
    manager = counter.manager
    counter.unit("N-1", "周敏")
    counter.bill("2026-03")
    pay(counter, "N-1", "100")
    good = {
        "on": "2026-03-20",
        "from": "2026-01",
        "to": "2026-03",
        "expenses": "Cleaning 12,000.00\n保安：9000",
        "other_income": "Advertising 3,600.00",
    }
    missing = text_of(manager.get("/tariffs/notice/"))
    for said in (
        "basis of fees",
        "service level",
        "complaints about charges",
        "kind of price is missing for",
    ):
        assert said in missing
    with counter.rows() as session:
        estate = session.scalars(select(Estate)).one()
        estate.fee_scheme, estate.service_level, estate.complaint_numbers = "commission", "二级", "12345"
        for item in session.scalars(select(FeeItem)):
            item.price_kind = "guided"
        session.commit()
        billed = session.scalar(
            select(func.sum(InvoiceLine.amount - InvoiceLine.credited))
            .join(Invoice)
            .join(FeeItem, FeeItem.id == InvoiceLine.fee_item_id)
            .where(
                Invoice.period.between("2026-01", "2026-03"),
                Invoice.kind != "opening",
                FeeItem.basis != "deposit",
            )
        )
        began_on = session.scalars(select(Tariff.valid_from)).first()
        assert began_on is not None
        paid = session.scalar(select(func.sum(Allocation.amount)))  # all on days of these months
        paid_deposits = session.scalar(
            select(func.coalesce(func.sum(AllocationLine.amount), 0))
            .join(InvoiceLine)
            .join(FeeItem, FeeItem.id == InvoiceLine.fee_item_id)
            .where(FeeItem.basis == "deposit")
        )
    assert "kind of price is missing" not in text_of(manager.get("/tariffs/notice/"))

    said = pdf_text.text_of(pdf(manager.post("/tariffs/notice/", good)))
    assert "Commission" in said
    assert "12345" in said
    assert "Government-guidedprice" in said
    assert pdf_text.bare(words_of("en").day(began_on)) in said, (
        "the tariff's own start, not the day of the notice"
    )
    assert billed is not None
    assert paid is not None
    assert paid_deposits is not None
    surplus = billed + 3600 - 21000
    assert f"Total¥{billed + 3600:,.2f}¥21,000.00" in said
    assert "carriedforward" not in said, "nobody said what was brought forward"
    said = pdf_text.text_of(pdf(manager.post("/tariffs/notice/", {**good, "brought_forward": "-50.00"})))
    assert f"{abs(surplus - 50):,.2f}" in said
    said = pdf_text.text_of(pdf(manager.post("/tariffs/notice/", {**good, "income": "received"})))
    assert f"Total¥{paid - paid_deposits + 3600:,.2f}¥21,000.00" in said

    for wrong, refusal in (
        ({"on": "x"}, "Choose a day"),
        ({"on": "1999-01-01"}, "no tariff"),
        ({**good, "from": "spring"}, "no period"),
        ({**good, "from": "2026-04"}, "comes after the last"),
        ({**good, "brought_forward": "much"}, "no amount"),
        ({**good, "expenses": "Cleaning"}, "Write each line"),
        ({**good, "expenses": "Cleaning 1.005"}, "two decimal places"),
        ({**good, "expenses": "Cleaning 1.00\n" * 41}, "At most 40 lines"),
    ):
        answer = manager.post("/tariffs/notice/", wrong)
        assert answer.status_code == 422, wrong
        assert refusal in text_of(answer), wrong


def test_texts_of_papers_are_previewed_saved_refused_and_taken_back(counter: CashierDesk) -> None:
    manager = counter.manager
    template = select(PaperTemplate).where(PaperTemplate.paper == "receipt", PaperTemplate.language == "en")
    with counter.rows() as session:
        row_id = session.scalars(template).one().id
    seed = seed_blocks("receipt", "en")["title"]

    def version() -> int:
        return int(counter.one(select(PaperTemplate.row_version).where(PaperTemplate.id == row_id)))

    def title() -> str:
        stored = counter.one(select(PaperTemplate.blocks).where(PaperTemplate.id == row_id))
        return str(json.loads(stored).get("title", seed))  # only what the office reworded is stored

    fields = {"id": row_id, "row_version": version(), "block_title": "Our receipt"}
    pdf(manager.post("/paper_templates/preview/", fields))
    assert title() == seed
    wrong = manager.post("/paper_templates/texts/", {**fields, "block_title": "{nonsense}"})
    assert (wrong.status_code, "nonsense" in text_of(wrong)) == (422, True)
    assert (
        manager.post("/paper_templates/preview/", {**fields, "block_title": "{nonsense"}).status_code == 422
    )
    assert manager.post("/paper_templates/texts/", fields).status_code == 302
    assert title() == "Our receipt"
    assert manager.post("/paper_templates/texts/", fields).status_code == 409, "an older version"
    assert (
        manager.post(
            "/paper_templates/texts/", {"id": row_id, "row_version": version(), "reset": "1"}
        ).status_code
        == 302
    )
    assert title() == seed
    assert counter.cashier.post("/paper_templates/texts/", fields).status_code == 403


def test_the_notice_says_in_its_own_language_what_an_item_pays_for(counter: CashierDesk) -> None:
    """Empty in one language, another stands for it (B2, D1)."""
    with counter.rows() as session:
        item = session.scalars(select(FeeItem).where(FeeItem.code == "management_fee")).one()
        item.services, item.services_zh_hant, item.services_en = "保洁", "清潔", "Cleaning"
        session.commit()
        on = session.scalars(select(Tariff.valid_from).where(Tariff.fee_item_id == item.id)).first()
        assert on is not None

        def said(language: str) -> str:
            made = tariff_notice.print_tariff_notice(
                session, on=on, posted_on=on, language=language, now=clock.now(session)
            )
            return pdf_text.text_of(made)

        for language, own in (("zh_Hans", "保洁"), ("zh_Hant", "清潔"), ("en", "Cleaning")):
            assert own in said(language)
        item.services_zh_hant = item.services_en = ""
        session.flush()
        assert "保洁" in said("zh_Hant")
        assert "保洁" in said("en")
        session.rollback()
