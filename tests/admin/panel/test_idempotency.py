"""A form sent twice works once: by a double click, a page sent again (M1, M3, M6, B5–B10, C6, C9).

Each form is opened as its user opens it, filled and posted twice with the key it came with. The control posts
it twice with the guard off: what would then be there twice stands in the table; the rest is refused by its
verb, whose refusal the person would read although all was well.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import func, select

from admin.panel import idempotency
from models.billing import CreditNote, Deposit, FeeItem, InstalmentPlan, Invoice, LateFeeWaiver, WaiverRequest
from models.collection import Contact, Restriction
from models.office import Audit, SentForm
from models.payments import DayClose, DirectDebitBatch, Payment
from models.people import Occupancy, Owner
from office.arrears import instalment_plans
from office.billing import deposits, runs
from office.core import clock
from office.core import idempotency as core_idempotency
from office.payments import day_close, payments
from office.policies import store
from office.receivables import late_fees
from tests.admin.conftest import Web, text_of
from tests.conftest import DIALECTS, Templates
from tests.factories.cashier_desk import SINCE, TODAY, CashierDesk, opened

SAID = "sent already"


@pytest.fixture(scope="module", params=DIALECTS)
def counter(
    request: pytest.FixtureRequest, templates: Templates, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[CashierDesk]:
    for made in opened(request.param, templates, tmp_path_factory.mktemp("once")):
        made.policy("late_fee", is_on=True, daily_rate="0.001", waiver_second_from="20.00")
        with made.rows() as session:
            gates = store.document(session, "gates", TODAY)
            nothing = dict.fromkeys(("is_letter_needed", "is_head_visit_needed"), False)
            gates["restriction"] |= {"calls": 0, "visits": 0, **nothing}
            store.store(session, "gates", gates, valid_from=SINCE, now=clock.now(session))
            session.commit()
        yield made


@dataclass
class Household:
    """A shop that owes two months with late fee, has 50.00 of credit and a deposit of 1,000.00."""

    counter: CashierDesk
    code: str
    unit_id: int = 0
    payer_id: int = 0
    invoice_id: int = 0
    payment_id: int = 0
    deposit_id: int = 0

    def __post_init__(self) -> None:
        self.unit_id = self.counter.unit(self.code, f"户主{self.code}", kind="shop")
        cashier_id = self.counter.staff_id("cashier")
        with self.counter.rows() as session:
            now = clock.now(session)
            self.payer_id = (
                session.scalar(select(Occupancy.owner_id).where(Occupancy.unit_id == self.unit_id)) or 0
            )
            of = {"unit_id": self.unit_id, "payer_id": self.payer_id, "method": "cash", "paid_at": now}
            paid = payments.record_payment(
                session,
                payments.NewPayment(amount=Decimal(50), cashier_id=cashier_id, **of),
                now=now,
            )
            held = deposits.take_deposit(
                session, fee_item="decoration_deposit", amount=Decimal(1000), now=now, **of
            )
            self.payment_id, self.deposit_id = paid.id, held.id
            session.commit()

    def owe(self) -> None:
        """Bills of January, overdue since its 15th; a ladder knows what was issued before its moment."""
        with self.counter.rows() as session:
            runs.issue_invoices(session, "2026-01", now=clock.now(session) - timedelta(minutes=1))
            session.commit()
        self.invoice_id = self.counter.invoice(self.code, "2026-01")
        with self.counter.rows() as session:
            late_fees.accrue_late_fees(session, clock.now(session))
            session.commit()


@dataclass(frozen=True)
class Form:
    """One form: who sends what where, what it makes, and how many there are without the guard."""

    name: str
    who: str
    path: str  # {home.…} of the household
    made: Callable[[Household], Any]  # a query of the count
    fields: dict[str, Any] = field(default_factory=dict)
    row: str = ""
    page: str = ""  # where the form stands; else the action's own question
    unguarded: int = 2
    before: Callable[[Household], None] | None = None


def count(model: Any, *conditions: Any) -> Any:
    return select(func.count()).select_from(model).where(*conditions)


def action(name: str, who: str, address: str, made: Any, row: str = "", **more: Any) -> Form:
    screen, _, code = address.partition("/")
    fields = {"action": code, **more.pop("fields", {})}
    return Form(name, who, f"/{screen}/action/", made, fields, row, **more)


def ask_for_a_waiver(home: Household) -> None:
    cashier_id = home.counter.staff_id("cashier")
    with home.counter.rows() as session:
        late_fees.ask_for_waiver(
            session,
            home.invoice_id,
            amount=Decimal(25),
            reason="ill",
            staff_id=cashier_id,
            now=clock.now(session),
        )
        session.commit()


def propose_a_plan(home: Household) -> None:
    cashier_id = home.counter.staff_id("cashier")
    with home.counter.rows() as session:
        now = clock.now(session)
        debtor = (home.unit_id, home.payer_id)
        instalment_plans.propose_even_plan(session, debtor, 2, TODAY, now=now, staff_id=cashier_id)
        session.commit()


def request_a_restriction(home: Household) -> None:
    with home.counter.rows() as session:
        item = session.scalars(select(FeeItem).where(FeeItem.code == "overtime_ac")).one()
        row = Restriction(
            unit_id=home.unit_id,
            payer_id=home.payer_id,
            invoice_id=home.invoice_id,
            fee_item_id=item.id,
            contract_clause="§ 6",
            requested_on=TODAY,
        )
        session.add(row)
        session.commit()


def overpay(home: Household) -> None:
    with home.counter.rows() as session:
        now = clock.now(session)
        paid = payments.record_payment(
            session,
            payments.NewPayment(
                unit_id=home.unit_id, payer_id=home.payer_id, amount=Decimal(5000), method="cash", paid_at=now
            ),
            now=now,
        )
        home.payment_id = paid.id
        session.commit()


def approvals(home: Household) -> Any:
    mine = select(Restriction.id).where(Restriction.unit_id == home.unit_id)
    return count(Audit, Audit.table_name == "restriction", Audit.action == "approve", Audit.row_id.in_(mine))


def approved_plans(home: Household) -> Any:
    mine = select(InstalmentPlan.id).where(InstalmentPlan.unit_id == home.unit_id)
    return count(
        Audit, Audit.table_name == "instalment_plan", Audit.action == "approve", Audit.row_id.in_(mine)
    )


def entries(home: Household, entry: str) -> Any:
    return count(Deposit, Deposit.unit_id == home.unit_id, Deposit.entry == entry)


def counters(home: Household, kind: str) -> Any:
    return count(Payment, Payment.unit_id == home.unit_id, Payment.kind == kind)


def waived(home: Household) -> Any:
    return count(LateFeeWaiver, LateFeeWaiver.invoice_id == home.invoice_id)


def latest(model: Any) -> Callable[[Household], Any]:
    """A query of the household's newest row of a table."""
    return lambda home: select(func.max(model.id)).where(
        model.invoice_id == home.invoice_id if model is WaiverRequest else model.unit_id == home.unit_id
    )


WHY = {"reason": "as agreed"}
BACK = {"amount": "100", "method": "cash", **WHY}
CONTACT = {"method": "phone", "outcome": "reached", "note": "will look at the bill"}
NEXT_MONTH = (TODAY + timedelta(days=20)).isoformat()
ROWS: dict[str, Callable[[Household], Any]] = {
    "invoice": lambda home: select(Invoice.id).where(Invoice.id == home.invoice_id),
    "payment": lambda home: select(Payment.id).where(Payment.id == home.payment_id),
    "deposit": lambda home: select(Deposit.id).where(Deposit.id == home.deposit_id),
    "waiver": latest(WaiverRequest),
    "plan": latest(InstalmentPlan),
    "restriction": latest(Restriction),
}
FORMS = (
    action(
        "credit note",
        "manager",
        "invoices/credit",
        lambda home: count(CreditNote, CreditNote.invoice_id == home.invoice_id),
        "invoice",
        fields={"amount": "10", **WHY},
    ),
    action("waiver by one", "manager", "invoices/waive", waived, "invoice", fields={"amount": "5", **WHY}),
    action(
        "waiver asked for",
        "cashier",
        "invoices/waive",
        lambda home: count(WaiverRequest, WaiverRequest.invoice_id == home.invoice_id),
        "invoice",
        fields={"amount": "25", **WHY},
    ),
    action(
        "waiver decided",
        "manager",
        "waiver_requests/approve",
        waived,
        "waiver",
        before=ask_for_a_waiver,
        unguarded=1,
    ),
    action(
        "one-off charge",
        "cashier",
        "invoices/charge",
        lambda home: count(Invoice, Invoice.unit_id == home.unit_id, Invoice.kind == "one_off"),
        fields={"unit_code": "{home.code}", "fee_item": "repair", "quantity": "1", "rate": "30"}
        | {"due_on": NEXT_MONTH},
        unguarded=1,  # its verb knows the key as well
    ),
    action(
        "deposit given back",
        "manager",
        "deposits/give_back",
        lambda home: entries(home, "returned"),
        "deposit",
        fields=BACK,
    ),
    action(
        "deposit set off",
        "manager",
        "deposits/set_off",
        lambda home: entries(home, "set_off"),
        "deposit",
        fields={"amount": "100", **WHY},
    ),
    action(
        "refund",
        "manager",
        "payments/refund",
        lambda home: counters(home, "refund"),
        "payment",
        fields={**BACK, "amount": "10"},
        before=overpay,
        unguarded=1,  # its verb knows the key as well
    ),
    action(
        "void",
        "manager",
        "payments/void",
        lambda home: counters(home, "reversal"),
        "payment",
        fields=WHY,
        unguarded=1,
    ),
    action(
        "plan proposed",
        "cashier",
        "instalment_plans/propose",
        lambda home: count(InstalmentPlan, InstalmentPlan.unit_id == home.unit_id),
        fields={"unit_code": "{home.code}", "count": "3", "first_on": NEXT_MONTH},
        unguarded=1,
    ),
    action(
        "plan approved",
        "station_head",
        "instalment_plans/approve",
        approved_plans,
        "plan",
        before=propose_a_plan,
        unguarded=1,
    ),
    action(
        "restriction asked for",
        "station_head",
        "restrictions/request",
        lambda home: count(Restriction, Restriction.unit_id == home.unit_id),
        fields={"unit_code": "{home.code}", "clause": "§ 6", "service": "{service}"},
    ),
    action(
        "restriction approved",
        "station_head",
        "restrictions/approve",
        approvals,
        "restriction",
        before=request_a_restriction,
        unguarded=1,
    ),
    action(
        "restriction signed",
        "manager",
        "restrictions/sign",
        approvals,
        "restriction",
        before=request_a_restriction,
        unguarded=1,
    ),
    Form(
        "contact",
        "station_head",
        "/call_list/enter/",
        lambda home: count(Contact, Contact.unit_id == home.unit_id),
        {"unit_id": "{home.unit_id}", "payer_id": "{home.payer_id}", **CONTACT},
        page="/call_list/contact/?unit_id={home.unit_id}&payer_id={home.payer_id}",
    ),
    Form(
        "move-in bill",
        "cashier",
        "/move_in/issue/",
        lambda home: count(Invoice, Invoice.unit_id == home.unit_id, Invoice.kind == "move_in"),
        {"unit_id": "{home.unit_id}", "on": "2026-03-16", "due_on": "2026-03-25"},
        page="/move_in/?unit_id={home.unit_id}",
        unguarded=1,
    ),
    Form(
        "change of owner",
        "station_head",
        "/change_payer/",
        lambda home: count(Owner, Owner.name == f"新{home.code}"),
        {"unit": "{home.unit_id}", "on": "2026-03-10", "kind": "owner", "name": "新{home.code}"},
        page="/change_payer/?unit_id={home.unit_id}",
        unguarded=1,
    ),
    Form(
        "new record",
        "station_head",
        "/owners/new/",
        lambda home: count(Owner, Owner.name == f"二{home.code}"),
        {"name": "二{home.code}", "kind": "person", "language": "zh_Hans"},
        page="/owners/new/",
    ),
)


def filled(form: Form, home: Household) -> dict[str, Any]:
    with home.counter.rows() as session:
        service = session.scalar(select(FeeItem.id).where(FeeItem.code == "overtime_ac"))
        values = {name: str(text).format(home=home, service=service) for name, text in form.fields.items()}
        if form.row:
            values["rowid"] = str(session.scalar(ROWS[form.row](home)))
    return values


def opened_form(form: Form, home: Household, fields: dict[str, Any]) -> dict[str, Any]:
    """The form with the key that its page gave it."""
    web: Web = home.counter.people[form.who]
    page = web.get(form.page.format(home=home)) if form.page else web.post(form.path, fields)
    found = re.search(r'name="form_key" value="([^"]+)"', page.text)
    assert found, f"{form.name}: no key on its page: {text_of(page)[:600]}"
    return {**fields, "form_key": found[1], "confirmed": "1"}


def told(answer: Any) -> str:
    """What the page says happened."""
    return " ".join(
        re.findall(r'class="flash[^>]*>.*?<span>(.*?)</span>', answer.text, re.DOTALL)
    ) or text_of(answer)


def sent_twice(form: Form, home: Household) -> tuple[int, str]:
    """How many there are after the form was sent twice, and what the second answer says."""
    home.owe()
    if form.before is not None:
        form.before(home)
    fields = opened_form(form, home, filled(form, home))
    before = home.counter.one(form.made(home))
    web: Web = home.counter.people[form.who]
    first = web.post(form.path, fields, follow_redirects=True)
    assert home.counter.one(form.made(home)) == before + 1, f"{form.name}: {told(first)}"
    second = web.post(form.path, fields, follow_redirects=True)
    return home.counter.one(form.made(home)) - before, told(second)


def test_a_form_sent_twice_works_once(counter: CashierDesk) -> None:
    for number, form in enumerate(FORMS):
        made, said = sent_twice(form, Household(counter, f"G-{number}"))
        assert (made, SAID in said) == (1, True), (form.name, said)


def test_without_the_guard_it_works_twice_or_is_refused(
    counter: CashierDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control: what the guard alone prevents stands in the table."""
    monkeypatch.setattr(idempotency, "is_first", lambda: True)
    doubled = {}
    for number, form in enumerate(FORMS):
        made, said = sent_twice(form, Household(counter, f"H-{number}"))
        assert SAID not in said, form.name
        doubled[form.name] = made
    assert doubled == {form.name: form.unguarded for form in FORMS}


def both_at_once(counter: CashierDesk, home: Household) -> int:
    """Two posts of one credit note in the same moment, as a double click sends them; how many it made."""
    home.owe()
    fields = {"action": "credit", "rowid": str(home.invoice_id), "amount": "10", **WHY, "confirmed": "1"}
    web = counter.manager
    fields |= {"form_key": "a double click", "csrf_token": web.token()}
    cookie = web.client.get_cookie("gatehouse")
    assert cookie is not None
    gate, answers = threading.Barrier(2), []

    def send() -> None:
        client = web.office.app.test_client()
        client.set_cookie("gatehouse", cookie.value)
        gate.wait()
        answers.append(client.post("/invoices/action/", data=fields).status_code)

    threads = [threading.Thread(target=send) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [302, 302]
    return int(counter.one(count(CreditNote, CreditNote.invoice_id == home.invoice_id)))


def test_two_posts_in_the_same_moment_work_once(
    counter: CashierDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert both_at_once(counter, Household(counter, "T-1")) == 1

    monkeypatch.setattr(idempotency, "is_first", lambda: True)  # the control
    assert both_at_once(counter, Household(counter, "T-2")) == 2


def test_a_refused_form_gives_its_key_back(counter: CashierDesk) -> None:
    home = Household(counter, "R-1")
    home.owe()
    form = FORMS[0]
    fields = opened_form(form, home, filled(form, home))
    too_much = counter.manager.post(form.path, {**fields, "amount": "1999"}, follow_redirects=True)
    assert "can be credited" in text_of(too_much)

    again = counter.manager.post(form.path, fields, follow_redirects=True)

    assert "was issued" in text_of(again)
    assert counter.one(form.made(home)) == 1


def test_a_key_is_its_senders_and_goes_when_nobody_can_send_it_again(counter: CashierDesk) -> None:
    ids = [counter.staff_id(login) for login in ("cashier", "manager")]
    with counter.rows() as session:
        now = clock.now(session)
        taken = [core_idempotency.is_first(session, "k" * 70, staff_id=one, now=now) for one in (*ids, *ids)]
        core_idempotency.remove_old(session, now + timedelta(days=2))
        kept = session.scalar(count(SentForm, SentForm.key.like(f"{ids[0]}:kkk%")))
        core_idempotency.remove_old(session, now + timedelta(days=2, seconds=1))
        left = session.scalar(count(SentForm, SentForm.key.like(f"{ids[0]}:kkk%")))

    assert taken == [True, True, False, False]
    assert (kept, left) == (1, 0)


def test_the_day_and_the_banks_file_are_closed_and_made_once(counter: CashierDesk) -> None:
    """The last of this module: nothing is posted into the closed day after it."""
    cashier = counter.cashier
    with counter.rows() as session:
        drawers = day_close.drawers(session, counter.staff_id("cashier"), TODAY)
    fields = {f"counted_{method}": str(drawer.expected) for method, drawer in drawers.items()}
    for page, path, model, more in (
        ("/day_close/", "/day_close/close/", DayClose, fields),
        ("/direct_debits/", "/direct_debits/make/", DirectDebitBatch, {"period": "2026-01"}),
    ):
        shown = cashier.get(page).text
        found = re.search(r'name="form_key" value="([^"]+)"', shown)
        layout = re.search(r'<option value="([^"]+)"', shown)
        given = {**more, "form_key": found[1] if found else "", "layout": layout[1] if layout else ""}
        said = [text_of(cashier.post(path, given, follow_redirects=True)) for _ in range(2)]
        if path.startswith("/day_close"):
            assert "The day is closed" in said[0]
            assert counter.one(count(model)) == 1
            assert SAID in said[1]
