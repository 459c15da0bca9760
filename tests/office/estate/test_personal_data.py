"""What a person may ask: everything known about them, and its erasure once nothing ties them (P3)."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from models.billing import Deposit, FeeItem, Invoice
from models.collection import Contact, LegalCase
from models.complaints import Complainant
from models.office import Audit
from models.payments import DirectDebit, DirectDebitBatch, Payment, StatementRow
from models.people import Occupancy, Owner, OwnerPhone, Staff
from models.property import Area, Building, Unit
from models.secrets import fingerprint
from office.core.errors import Refused
from office.estate import personal_data
from tests.factories.rows import add_ticket

NOW = datetime(2026, 6, 1, tzinfo=UTC)
TODAY = date(2026, 6, 1)
LEFT_ON = date(2023, 6, 1)
SECRETS = ("王秀英", "13800138000", "110101199001011237", "wang@example.org", "她很生气")


@pytest.fixture
def owner(session: Session) -> Owner:
    """Somebody who left three years ago to the day and owes nothing."""
    building = Building(name="1", area=Area(name="East"))
    unit = Unit(code="1-1", building=building, kind="residence", area_m2=Decimal(80))
    owner = Owner(
        name=SECRETS[0],
        email=SECRETS[3],
        id_number=SECRETS[2],
        id_number_mac=fingerprint(SECRETS[2]),
        occupancies=[Occupancy(unit=unit, from_on=date(2020, 1, 1), to_on=LEFT_ON)],
        phones=[OwnerPhone(number=SECRETS[1], number_mac=fingerprint(SECRETS[1]))],
    )
    session.add(owner)
    session.flush()
    session.add(
        Contact(at=NOW, recorded_at=NOW, unit_id=unit.id, payer_id=owner.id, method="phone", note=SECRETS[4])
    )
    session.add(bill(unit, owner, paid=Decimal(100)))
    session.commit()
    return owner


def bill(unit: Unit, owner: Owner, *, paid: Decimal = Decimal(0), part: str = "") -> Invoice:
    return Invoice(
        number=f"F1{part}", part=part, unit=unit, payer=owner, period="2023-05", issued_on=LEFT_ON,
        due_on=LEFT_ON, amount=Decimal(100), paid=paid, balance=100 - paid, late_fee=Decimal(0),
        credited=Decimal(0), state="paid" if paid else "open",
    )  # fmt: skip


def erase(session: Session, owner: Owner, *, reason: str = "asked in writing", today: date = TODAY) -> None:
    staff = session.scalars(select(Staff)).one()
    personal_data.erase(session, owner.id, reason=reason, now=NOW, today=today, staff_id=staff.id)


def test_everything_known_is_told_unmasked(session: Session, owner: Owner) -> None:
    told = json.dumps(personal_data.known(session, owner.id), ensure_ascii=False, default=str)

    assert all(secret in told for secret in SECRETS)


def test_what_is_erased_is_told_no_more_and_money_stays(session: Session, owner: Owner) -> None:
    erase(session, owner)
    session.commit()
    session.expire_all()

    told = personal_data.known(session, owner.id)
    text = json.dumps(told, ensure_ascii=False, default=str)
    assert not any(secret in text for secret in SECRETS)
    assert owner.id_number_mac is None
    assert [row["number"] for row in told["invoices"]] == ["F1"]
    audits = session.scalars(select(Audit).where(Audit.action == "erase")).all()
    assert [json.loads(audit.changes)["reason"][1] for audit in audits] == ["asked in writing"]


def still_lives_there(session: Session, owner: Owner) -> None:
    owner.occupancies[0].to_on = None


def owes(session: Session, owner: Owner) -> None:
    session.add(bill(owner.occupancies[0].unit, owner, part="2"))


def has_credit(session: Session, owner: Owner) -> None:
    session.add(
        Payment(
            receipt_no="R1", series="R", year=2026, running_no=1, unit_id=owner.occupancies[0].unit_id,
            payer_id=owner.id, method="cash", amount=Decimal(5), credit=Decimal(5), allocated=Decimal(0),
            paid_at=NOW, posted_at=NOW, posted_on=TODAY,
        )
    )  # fmt: skip


def has_deposit(session: Session, owner: Owner) -> None:
    session.add(
        Deposit(
            number="D1", unit_id=owner.occupancies[0].unit_id, payer_id=owner.id, entry="taken",
            fee_item_id=session.scalars(select(FeeItem.id)).first() or 0, amount=Decimal(5), posted_on=TODAY,
        )
    )  # fmt: skip


def is_in_court(session: Session, owner: Owner) -> None:
    session.add(
        LegalCase(
            unit_id=owner.occupancies[0].unit_id, payer_id=owner.id, opened_on=TODAY, amount=Decimal(5),
            invoice_id=session.scalars(select(Invoice.id)).first() or 0,
        )
    )  # fmt: skip


def is_kept_as_evidence(session: Session, owner: Owner) -> None:
    ticket = add_ticket(session, NOW, state="closed", closed_at=NOW, is_on_hold=True)
    session.add(Complainant(ticket_id=ticket.id, owner_id=owner.id, name=owner.name))


def is_being_debited(session: Session, owner: Owner) -> None:
    batch = DirectDebitBatch(number="D1", period="2023-05", layout="icbc_text", exported_at=NOW)
    invoice_id = session.scalars(select(Invoice.id)).one()
    batch.rows = [DirectDebit(invoice_id=invoice_id, amount=Decimal(5))]
    session.add(batch)


def is_waited_for(session: Session, owner: Owner) -> None:
    session.add(
        StatementRow(
            source="bank", transaction_id="X1", paid_at=NOW, amount=Decimal(3), method="bank_transfer",
            payer_name=owner.name, imported_at=NOW,
        )
    )  # fmt: skip


TIES: tuple[tuple[Callable[[Session, Owner], None], str], ...] = (
    (still_lives_there, "still own or rent"),
    (owes, "still owe"),
    (has_credit, "credit"),
    (has_deposit, "deposit"),
    (is_in_court, "legal case"),
    (is_kept_as_evidence, "beyond its time"),
    (is_being_debited, "with the bank"),
    (is_waited_for, "still waits"),
)


def test_each_tie_stands_in_the_way(session: Session, owner: Owner) -> None:
    for tie, words in TIES:
        tie(session, owner)
        session.flush()

        with pytest.raises(Refused, match=words):
            erase(session, owner)

        session.rollback()
    assert personal_data.obstacles(session, owner.id, TODAY) == []


def test_the_years_of_the_policy_are_kept_to_the_day(session: Session, owner: Owner) -> None:
    with pytest.raises(Refused, match="2026-06-01"):
        erase(session, owner, today=date(2026, 5, 31))

    erase(session, owner, today=date(2026, 6, 1))


def test_no_erasure_without_a_reason_and_none_twice(session: Session, owner: Owner) -> None:
    with pytest.raises(Refused, match="reason"):
        erase(session, owner, reason=" ")
    erase(session, owner)

    with pytest.raises(Refused, match="already"):
        erase(session, owner)
