"""What begins a debt's limitation anew and what doesn't, from the rows that the office keeps (C21)."""

from datetime import date
from decimal import Decimal

import pytest
from sqlalchemy import select

from models.billing import InstalmentPlan, PlanInvoice
from models.collection import Contact, Reminder, Restriction
from office.arrears import explain, instalment_plans, limitation
from office.arrears import limitation as module
from office.payments import corrections
from office.policies import store
from rules.promises import DatedAmount
from tests.factories.arrears import add_bill, add_unit, at, judge, pay
from tests.factories.estate import add_staff

DUE = date(2026, 3, 15)
LATER = date(2026, 5, 20)


def letter(session, debtor, **about):
    """The final letter about the debt, as it stands after some handling."""
    judge(session, date(2026, 3, 16), date(2026, 4, 2))
    own = select(Reminder).where(Reminder.unit_id == debtor[0])
    row = session.scalars(own.where(Reminder.stage == "letter")).one()
    for name, value in {"state": "done", "sent_at": at(LATER)}.items():
        setattr(row, name, about.get(name, value))
    for other in session.scalars(select(Reminder).where(Reminder.stage != "letter")):
        other.state, other.sent_at = "dropped", None
    session.flush()


def promise(session, debtor, method="message", state="broken"):
    session.add(
        Contact(
            at=at(LATER),
            recorded_at=at(LATER),
            unit_id=debtor[0],
            payer_id=debtor[1],
            method=method,
            promised_on=date(2026, 5, 30),
            promise_state=state,
            spoke_with="陈先生",
        )
    )
    session.flush()


def part_payment(session, debtor):
    return pay(session, debtor, "40", at(LATER, 10))


def void_payment(session, debtor):
    payment = part_payment(session, debtor)
    other = add_staff(session, "second", "manager").id
    corrections.void_payment(session, payment.id, reason="wrong", staff_id=other, now=at(LATER, 11))


def plan(session, debtor):
    parts = [DatedAmount(date(2026, 6, 10), Decimal(40)), DatedAmount(date(2026, 7, 10), Decimal(60))]
    made = instalment_plans.propose_plan(session, debtor, parts, now=at(LATER, 10), staff_id=None)
    head = add_staff(session, "head", "station_head").id
    instalment_plans.approve_plan(session, made.id, now=at(LATER, 11), staff_id=head)


def undertaking(session, debtor):
    session.add(
        Restriction(
            unit_id=debtor[0],
            payer_id=debtor[1],
            state="suspended",
            requested_on=LATER,
            undertaken_on=LATER,
            undertaking_until=date(2026, 6, 30),
            undertaking_state="signed",
        )
    )
    session.flush()


NOTHING = ("due_day", DUE, date(2029, 3, 15))
RESTARTS = [
    # what happened, by what the period runs then
    (lambda *_given: None, NOTHING),
    (letter, ("demand", LATER, date(2029, 5, 20))),
    (lambda *given: letter(*given, state="printed"), NOTHING),  # nobody has it yet
    (lambda *given: letter(*given, state="dropped", sent_at=None), NOTHING),
    (part_payment, ("part_payment", LATER, date(2029, 5, 20))),
    (void_payment, NOTHING),
    (promise, ("promise", LATER, date(2029, 5, 20))),
    (lambda *given: promise(*given, state="kept"), ("promise", LATER, date(2029, 5, 20))),
    (lambda *given: promise(*given, state="open"), NOTHING),
    (lambda *given: promise(*given, method="phone"), NOTHING),  # said, not written
    (plan, ("plan", LATER, date(2029, 5, 20))),
    (undertaking, ("promise", LATER, date(2029, 5, 20))),
]


@pytest.mark.parametrize(("happens", "wanted"), RESTARTS)
def test_only_what_the_law_counts_begins_the_period_anew(session, happens, wanted):
    debtor = add_unit(session)
    add_bill(session, debtor, DUE, number="N")
    other = add_unit(session, "1-102", "陈静")
    add_bill(session, other, DUE, number="O")

    happens(session, debtor)
    found = {one.number: one.limitation for one in limitation.limited(session, date(2026, 7, 1))}

    assert (found["N"].restart.by, found["N"].restart.on, found["N"].last_day) == wanted
    assert found["O"].last_day == date(2029, 3, 15)


def test_a_notice_to_everybody_a_bill_of_later_and_a_plan_are_left_out_of_a_demand(session):
    """The payment notice of the bill itself is none; a letter speaks only of what is owed and chased then."""
    debtor = add_unit(session)
    add_bill(session, debtor, DUE, number="N")
    judge(session, date(2026, 3, 8), date(2026, 3, 15))
    notice = session.scalars(select(Reminder)).one()
    assert (notice.stage, notice.state) == ("upcoming", "approved")
    notice.state, notice.sent_at = "done", at(date(2026, 3, 20))
    letter(session, debtor)
    add_bill(session, debtor, date(2026, 5, 15), number="LATE", issued_on=date(2026, 6, 1))
    add_bill(session, debtor, date(2026, 4, 15), number="THEN")
    planned = add_bill(session, debtor, date(2026, 4, 16), number="PLANNED")
    made = InstalmentPlan(
        unit_id=debtor[0],
        payer_id=debtor[1],
        amount=Decimal(100),
        state="broken",
        approved_at=at(date(2026, 5, 1)),
        ended_on=date(2026, 6, 1),
    )
    session.add(made)
    session.flush()
    session.add(PlanInvoice(plan_id=made.id, invoice_id=planned.id))
    session.flush()

    found = {one.number: one.limitation for one in limitation.limited(session, date(2026, 7, 1))}

    assert found["N"].restart.proof.startswith("letter-")
    assert found["LATE"].restart.by == "due_day"  # came into the books after the letter had gone
    assert found["THEN"].last_day == date(2029, 5, 20)  # past due when the letter went out
    assert (found["PLANNED"].restart.by, found["PLANNED"].last_day) == ("plan", date(2029, 5, 1))


def test_the_list_holds_what_ends_within_90_days_and_what_has_passed(session):
    debtor = add_unit(session)
    for number, due_on in [
        ("PASSED", date(2023, 5, 1)),
        ("TODAY", date(2023, 7, 1)),
        ("IN-90", date(2023, 9, 29)),
        ("IN-91", date(2023, 9, 30)),
        ("PAID", date(2023, 7, 2)),
    ]:
        add_bill(session, debtor, due_on, number=number)
    paid = add_bill(session, add_unit(session, "1-103", "李明"), date(2023, 7, 2), number="NOTHING-OPEN")
    pay(session, (paid.unit_id, paid.payer_id), "100", at(date(2026, 6, 1)))

    found = limitation.ending_soon(session, date(2026, 7, 1))

    assert [one.number for one in found] == ["PASSED", "TODAY", "PAID", "IN-90"]
    assert [one.limitation.days_left(date(2026, 7, 1)) for one in found] == [-61, 0, 1, 90]


def test_the_years_are_policy(session):
    add_bill(session, add_unit(session), DUE, number="N")
    gates = store.document(session, "gates", DUE)
    gates["limitation"]["years"] = 2

    store.store(session, "gates", gates, valid_from=date(2026, 1, 1), now=at(DUE))

    assert limitation.limited(session, DUE)[0].limitation.last_day == date(2028, 3, 15)


def test_export_and_explanation_say_the_same(session):
    debtor = add_unit(session)
    add_bill(session, debtor, DUE, number="N")
    part_payment(session, debtor)

    header, rows = limitation.export(session)
    told = explain.invoice(session, "N", now=at(date(2026, 6, 1)))["limitation"]

    assert list(rows) == [
        (
            "N",
            "1-101",
            "王小明",
            Decimal("60.00"),
            "2026-03-15",
            "2026-05-20",
            "part_payment",
            "2029-05-20",
            None,
        )
    ]
    assert header[:8] == (
        "invoice_number", "unit_code", "payer_name", "balance", "due_on", "restarted_on", "restarted_by",
        "last_day",
    )  # fmt: skip
    assert (told["last_day"], told["restarted_by"]) == ("2029-05-20", "part_payment")
    assert [one["by"] for one in told["evidence"]] == ["part_payment"]


def test_control_a_letter_that_was_only_printed_would_count(session, monkeypatch):
    debtor = add_unit(session)
    add_bill(session, debtor, DUE, number="N")
    letter(session, debtor, state="printed")
    monkeypatch.setattr(module, "REACHED", ("sent", "done", "printed"))

    assert limitation.limited(session, LATER)[0].limitation.restart.by == "demand"
