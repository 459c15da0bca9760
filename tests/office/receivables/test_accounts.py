"""The statement of account adds up for every from–to and says what all other sums say (M11, D2).

GATEHOUSE_TEST_ACCOUNTS says how many busy histories are lived (default 1 a database).
"""

from __future__ import annotations

import os
import random
from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

import rules.accounts
from models.billing import Invoice
from models.payments import Payment
from models.property import Unit
from office.billing import deposits
from office.billing.change_of_owner import change_of_owner
from office.core import clock
from office.core.errors import Refused
from office.estate import owners
from office.payments import corrections, payments
from office.payments.payments import NewPayment
from office.receivables import ledger, sums
from office.receivables.accounts import Of, account
from office.rooms import EXPORTS
from rules.accounts import Movement
from rules.money import ZERO
from rules.receivables import Receivable
from tests.factories.busy_histories import BusyOffice
from tests.factories.estate import accrue, add_staff, add_unit, at, bill, day, turn_on_late_fee
from tests.oracles import accounts as oracle

HISTORIES = int(os.environ.get("GATEHOUSE_TEST_ACCOUNTS", "1"))
RATE = Decimal("0.002")
DAY = timedelta(days=1)


def owners_of_accounts(session: Session) -> Iterator[Of]:
    """Every unit, every payer, and every payer at every unit."""
    rows = session.execute(select(Invoice.unit_id, Invoice.payer_id).distinct()).all()
    rows += session.execute(select(Payment.unit_id, Payment.payer_id).distinct()).all()
    for unit_id, payer_id in sorted({(row[0], row[1]) for row in rows}):
        yield from (Of(unit_id, payer_id), Of(unit_id), Of(payer_id=payer_id))


def assert_adds_up(office: BusyOffice, of: Of, first: date | None, last: date) -> None:
    session, whose = office.session, (of.unit_id, of.payer_id)
    found = account(session, of, first, last)
    columns = [found.sum_of(name) for name in ("billed", "late_fee", "credited", "paid")]
    billed, late_fee, credited, paid = columns
    assert found.closing.owed == found.opening.owed + billed + late_fee - credited - paid
    before = found.from_on - DAY
    assert found.opening.owed == oracle.owed(session, whose, before, office.today, RATE), (of, before)
    assert found.closing.owed == oracle.owed(session, whose, last, office.today, RATE), (of, last)
    should = oracle.sums(session, whose, found.from_on, last, office.today)
    assert (billed, credited, paid) == (should.billed, should.credited, should.paid)
    assert (found.closing.prepaid, found.closing.deposit) == (should.prepaid, should.deposit)
    standing = {one.on: balances for one, balances in found.lines() if one.kind not in {"bill", "payer"}}
    for on in list(standing)[:3]:
        after = [balances for one, balances in found.lines() if one.on == on][-1]
        assert after.owed == oracle.owed(session, whose, on, office.today, RATE), (of, on)


def assert_whole_time_is_what_the_books_say(office: BusyOffice) -> None:
    session = office.session
    codes, rows = EXPORTS["units"](session)
    for row in (dict(zip(codes, one, strict=True)) for one in rows):
        unit_id = session.scalars(select(Unit.id).where(Unit.code == row["unit_code"])).one()
        unused = ledger.unused_credits(session, Payment.unit_id == unit_id)
        credit = sum((one.amount for one in unused), ZERO)
        closing = account(session, Of(unit_id), None).closing
        assert closing.owed == row["balance"] + row["former_balance"] + credit
        assert closing.prepaid == credit
        assert closing.deposit == deposits.held(session, unit_id)
        assert closing.owed == sums.together(sums.owed_at(session, [unit_id], office.today)).total


def live(session: Session, seed: int, *, months: int = 6) -> BusyOffice:
    session.rollback()
    office = BusyOffice(session, seed)
    office.live(range(months))
    office.leave_a_fee_alone()
    return office


@pytest.mark.long
@pytest.mark.parametrize("seed", range(HISTORIES))
def test_closing_is_opening_and_all_that_happened_for_every_from_and_to(
    session: Session, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    office = live(session, seed)
    assert_whole_time_is_what_the_books_say(office)
    assert_some_add_up(office, seed)

    for place, name, wrong in FAULTS:  # the control: each fault is found
        with monkeypatch.context() as patched:
            patched.setattr(place, name, wrong)
            with pytest.raises(AssertionError):
                assert_some_add_up(office, seed)


def assert_some_add_up(office: BusyOffice, seed: int) -> None:
    chosen = random.Random(seed)
    whole = list(owners_of_accounts(office.session))
    for of in chosen.sample(whole, min(len(whole), 12)):
        first = date(2024, 10, 1) + chosen.randint(0, 200) * DAY
        last = min(first + chosen.randint(0, 120) * DAY, office.today)
        assert_adds_up(office, of, min(first, last), last)
        assert_adds_up(office, of, None, office.today)


def fees_of_the_day_itself(self: Receivable, policies: Any, on: date) -> Decimal:
    return RIGHT(self, policies, on + DAY)


def month_ends_alone(movements: Iterable[Movement], _from_on: date | None, to_on: date) -> list[date]:
    return DAYS(movements, None, to_on)


RIGHT, DAYS = Receivable.charged_on, rules.accounts.fee_days
FAULTS: list[tuple[Any, str, Any]] = [
    (Receivable, "charged_on", fees_of_the_day_itself),
    (rules.accounts, "fee_days", month_ends_alone),
    (Of, "has", lambda self, unit_id, _payer_id: self.unit_id in {None, unit_id}),  # another's bills are paid
]


def test_days_that_tell_nothing_are_refused(session: Session) -> None:
    unit_id = add_unit(session).id
    today = clock.today(session)

    with pytest.raises(Refused):
        account(session, Of(unit_id), today + DAY)
    assert account(session, Of(unit_id), None, today + 40 * DAY).to_on == today


def test_what_was_undone_and_moved_stands_on_its_day(session: Session) -> None:
    """A voided payment as payment and as its void; a bill moved to the next payer as credit and as bill."""
    turn_on_late_fee(session, daily_rate="0.01")
    unit = add_unit(session, "1-101", area="60")
    old = owners.payer_id_on(session, unit.id, unit.code, day("2026-01-01"))
    bill(session, "2026-01", now=at("2026-01-02"))
    cashier, manager = (add_staff(session, name, "manager", "cashier").id for name in ("one", "two"))
    new = NewPayment(
        unit_id=unit.id, amount=Decimal(200), method="cash", paid_at=at("2026-01-20"), cashier_id=cashier
    )
    paid = payments.record_payment(session, new, now=at("2026-01-20"))
    corrections.void_payment(session, paid.id, reason="typed twice", staff_id=manager, now=at("2026-01-22"))
    other = owners.add_owner(session, "next", now=at("2026-01-22"))
    change_of_owner(session, unit.id, other.id, on=day("2026-01-25"), now=at("2026-01-23"))
    accrue(session, at("2026-02-03", 0, 15))

    lines = [
        (f"{one.on:%d}", one.kind, one.billed + one.late_fee - one.credited, one.paid, one.prepaid)
        for one in account(session, Of(unit.id), day("2026-01-01"), day("2026-01-31")).movements
    ]

    amount = session.scalars(select(Invoice.amount).where(Invoice.payer_id == old)).one()
    moved = session.scalars(select(Invoice.amount).where(Invoice.payer_id == other.id)).one()
    fees = [one for one in lines if one[1] == "late_fee"]
    assert [one for one in lines if one[1] != "late_fee"] == [
        ("01", "bill", amount, 0, 0),
        ("20", "payment", 0, amount + 6, 200 - amount - 6),  # four days' late fee
        ("22", "void", 0, -amount - 6, amount + 6 - 200),
        ("23", "credit", -moved, 0, 0),
        ("25", "payer", 0, 0, 0),
        ("25", "bill", moved, 0, 0),
    ]
    assert {one[0] for one in fees} <= {"20", "22", "23", "31"}
    assert (
        account(session, Of(unit.id, old), None).closing.owed
        == sums.together(sums.owed_by(session, (unit.id, old), clock.today(session))).total
    )
