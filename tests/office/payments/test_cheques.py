"""Cheques: taken under reserve, presented on their day, cleared, or bounced with a fee (M13)."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from models.billing import Invoice
from models.payments import Cheque, Payment
from models.property import Unit
from office.billing import bounced_cheques
from office.core.errors import Refused
from office.documents import archive
from office.payments import cheques, payments
from office.payments.cheques import NewCheque
from office.payments.payments import NewPayment
from office.policies import store
from tests.factories.estate import NOW, add_item, add_staff, add_unit, at, bill, day


@pytest.fixture
def people(session: Session) -> dict[str, int]:
    return {login: add_staff(session, login, "cashier").id for login in ("anna", "bert")}


@pytest.fixture
def unit(session: Session) -> Unit:
    found = add_unit(session)
    bill(session, "2026-06", on=day("2026-06-01"))
    return found


def take(session: Session, unit: Unit, cashier: int | None = None, **more: Any) -> Payment:
    new = NewPayment(
        unit_id=unit.id,
        amount=Decimal("100.00"),
        method="cheque",
        paid_at=NOW,
        cashier_id=cashier,
        cheque=NewCheque(" 000123 ", "HSBC", more.get("due_on", date(2026, 6, 22))),
    )
    return payments.record_payment(session, new, now=NOW)


def change_policy(session: Session, changed: dict[str, str]) -> None:
    stored = store.document(session, "cheques", NOW.date())
    store.store(session, "cheques", {**stored, **changed}, valid_from=date(2026, 1, 1), now=NOW)


def cheque_of(session: Session, payment: Payment) -> Cheque:
    return session.scalars(select(Cheque).where(Cheque.payment_id == payment.id)).one()


def test_a_cheque_counts_on_its_day_and_waits_to_be_presented(
    session: Session, unit: Unit, people: dict[str, int]
) -> None:
    payment = take(session, unit, people["anna"])
    row = cheque_of(session, payment)

    assert (row.number, row.bank, row.state) == ("000123", "HSBC", "to_present")
    assert payment.allocated + payment.credit == Decimal(100)
    assert archive.receipt(session, payment.id).cheque == "000123 · HSBC · 2026-06-22"
    assert cheques.uncleared(session, unit.id, payment.payer_id)
    with pytest.raises(Refused, match="its day is"):
        cheques.present(session, [row.id], staff_id=people["anna"], now=NOW)
    with pytest.raises(Refused, match="present it first"):
        cheques.clear(session, [row.id], staff_id=people["anna"], now=NOW)

    later = at("2026-06-22")
    cheques.present(session, [row.id], staff_id=people["anna"], now=later)
    assert cheques.uncleared(session, unit.id, payment.payer_id)
    cheques.clear(session, [row.id], staff_id=people["anna"], now=at("2026-06-24"))

    assert (row.state, row.presented_on, row.cleared_on) == ("cleared", day("2026-06-22"), day("2026-06-24"))
    assert not cheques.uncleared(session, unit.id, payment.payer_id)
    assert cheques.last_cleared_on(session, unit.id, payment.payer_id) == day("2026-06-24")
    assert archive.receipt(session, payment.id).cheque == ""


@pytest.mark.parametrize("has_fee", [True, False])
def test_a_bounced_cheque_takes_its_payment_back_and_costs_the_fee(
    session: Session, unit: Unit, people: dict[str, int], has_fee: bool
) -> None:
    add_item(session, "bank_charge", "one_off")
    if has_fee:
        terms = {"bounce_fee": "120.00", "bounce_fee_item": "bank_charge"}
        change_policy(session, terms)
    payment = take(session, unit, people["anna"])
    row = cheque_of(session, payment)
    with pytest.raises(Refused, match="another person"):
        bounced_cheques.bounce(session, row.id, reason="no funds", staff_id=people["anna"], now=NOW)

    _, fee = bounced_cheques.bounce(session, row.id, reason="no funds", staff_id=people["bert"], now=NOW)

    assert (row.state, payment.state, payment.allocated) == ("bounced", "reversed", 0)
    charged = session.scalars(select(Invoice).where(Invoice.kind == "one_off")).all()
    assert [one.amount for one in charged] == ([Decimal("120.00")] if has_fee else [])
    assert (fee is not None) is has_fee
    assert not list(cheques.all_hold(session))
    with pytest.raises(Refused, match="no longer in force"):
        bounced_cheques.bounce(session, row.id, reason="again", staff_id=people["bert"], now=NOW)


@pytest.mark.parametrize(
    ("method", "cheque", "match"),
    [("cheque", None, "take it under"), ("cash", NewCheque("1", "HSBC", NOW.date()), "take it under"),
     ("cheque", NewCheque(" ", "HSBC", NOW.date()), "number and its bank"),
     ("cheque", NewCheque("1", "", NOW.date()), "number and its bank"),
     ("cheque", NewCheque("1", "HSBC", date(2025, 6, 1)), "too old")],
)  # fmt: skip
def test_what_is_no_cheque_is_refused(
    session: Session, unit: Unit, method: str, cheque: NewCheque | None, match: str
) -> None:
    new = NewPayment(unit_id=unit.id, amount=Decimal(1), method=method, paid_at=NOW, cheque=cheque)

    with pytest.raises(Refused, match=match):
        payments.record_payment(session, new, now=NOW)
    assert session.scalar(select(Payment.id)) is None


@pytest.mark.parametrize(
    ("statement", "check"),
    [("UPDATE cheque SET state = 'bounced'", "cheque_is_as_its_payment"),
     ("DELETE FROM cheque", "payment_by_cheque_has_its_cheque")],
)  # fmt: skip
def test_control_a_cheque_that_is_off_is_found(
    session: Session, unit: Unit, statement: str, check: str
) -> None:
    take(session, unit)
    assert not list(cheques.all_hold(session))

    session.execute(text(statement))

    assert [one.check for one in cheques.all_hold(session)] == [check]
