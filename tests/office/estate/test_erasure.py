"""Nothing of an erased person is left: every column has its decision, every table is searched (F23, P3)."""

from __future__ import annotations

import pytest
from sqlalchemy import func, select, update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from models.base import Base
from models.billing import CreditNote, Invoice
from models.complaints import Complainant, Ticket
from models.office import Audit, Erasure, Message, Paper
from models.payments import DirectDebit, DirectDebitBatch, Payment
from models.people import Owner
from office.core.errors import Refused
from office.documents import filing
from office.estate import erasure, personal_data
from office.estate.personal_columns import COLUMNS, Columns, text_columns
from office.operations import integrity
from office.payments import direct_debit
from office.rooms import EXPORTS
from tests.admin.person_everywhere import ACCOUNT, NAME, furnish_person, places
from tests.admin.sample_office import NOW, PHONES

WORDS = (NAME, PHONES["own"], ACCOUNT, "own@example.invalid", "110101199001011237")
CLEARED = [name for name, said in COLUMNS.items() if said.emptied or said.scrubbed]
POSTED = (
    (CreditNote, {"reason": "other"}, "credit_note_text_is_only_erased"),
    (Payment, {"note": "other"}, "payment_text_is_only_erased"),
    (Audit, {"changes": "{}"}, "audit_text_is_only_erased"),
)


@pytest.fixture
def person(session: Session) -> tuple[Session, Owner]:
    owner_id = furnish_person(session)
    session.commit()
    return session, session.get_one(Owner, owner_id)


def test_every_column_that_holds_text_has_its_decision() -> None:
    for name, table in Base.metadata.tables.items():
        named = COLUMNS.get(name, Columns()).named()
        assert sorted(named) == sorted(text_columns(table)), name
    assert not COLUMNS.keys() - Base.metadata.tables.keys()


def test_no_word_of_an_erased_person_is_left_in_any_table(person: tuple[Session, Owner]) -> None:
    session, owner = person
    before = places(session, WORDS)
    assert len(before) > 60

    erasure.take_out(session, owner, now=NOW, staff_id=None)
    session.commit()

    assert places(session, WORDS) == set()
    for code, export in EXPORTS.items():
        assert NAME not in str(list(export(session)[1])), code


def test_each_table_that_is_left_out_is_found(person: tuple[Session, Owner]) -> None:
    session, owner = person

    erasure.take_out(session, owner, now=NOW, staff_id=None, columns={})

    assert {place.partition(".")[0] for place in places(session, WORDS)} == set(CLEARED)


@pytest.mark.parametrize("left_out", ["statement_row", "audit", "ticket"])
def test_one_table_left_out_is_the_one_that_is_found(person: tuple[Session, Owner], left_out: str) -> None:
    session, owner = person
    others = {name: said for name, said in COLUMNS.items() if name != left_out}

    erasure.take_out(session, owner, now=NOW, staff_id=None, columns=others)

    assert {place.partition(".")[0] for place in places(session, WORDS)} == {left_out}


def test_what_others_said_and_all_money_stays(person: tuple[Session, Owner]) -> None:
    session, owner = person
    sums = [select(func.sum(one)) for one in (Invoice.amount, Payment.amount, Payment.credit)]
    money = [session.scalar(one) for one in sums]
    shared = session.scalars(select(Ticket).where(Ticket.number == "SHARED-T1")).one()
    shared.statement = f"{NAME} and I hear the pump at night"
    session.flush()

    erasure.take_out(session, owner, now=NOW, staff_id=None)

    assert shared.statement == f"{erasure.ERASED} and I hear the pump at night"
    names = set(session.scalars(select(Complainant.name).where(Complainant.ticket_id == shared.id)))
    assert names == {erasure.ERASED, "Somebody else"}
    assert [session.scalar(one) for one in sums] == money
    assert places(session, ["foreign owner", "foreign@example.invalid", "13900139002"]) >= {
        "owner.name", "owner.email", "owner_phone.number",
    }  # fmt: skip


def test_texts_of_posted_rows_change_only_while_a_person_is_erased(person: tuple[Session, Owner]) -> None:
    session, owner = person
    for model, values, refusal in POSTED:
        with pytest.raises(DBAPIError, match=refusal), session.begin_nested():
            session.execute(update(model).values(**values))

    session.add(Erasure(owner_id=owner.id, started_at=NOW))  # the control: one stands open
    session.flush()
    for model, values, _refusal in POSTED:
        session.execute(update(model).values(**values))
    assert [one.check for one in integrity.erasures_are_finished(session)] == ["erasure_open"]
    with pytest.raises(DBAPIError, match="payment_is_never_rewritten"):
        session.execute(update(Payment).values(amount=1))


def test_an_erasure_can_not_be_opened_again(person: tuple[Session, Owner]) -> None:
    session, owner = person
    erasure.take_out(session, owner, now=NOW, staff_id=None)

    assert list(integrity.erasures_are_finished(session)) == []
    with pytest.raises(DBAPIError, match="erasure_is_not_opened_again"):
        session.execute(update(Erasure).values(finished_at=None))


def test_what_can_no_longer_be_made_the_same_is_refused_not_made_otherwise(
    person: tuple[Session, Owner],
) -> None:
    session, owner = person
    paper = session.scalars(select(Paper).where(Paper.payer_id == owner.id)).one()
    theirs = select(Invoice.id).where(Invoice.payer_id == owner.id)
    batch_id = session.scalars(select(DirectDebit.batch_id).where(DirectDebit.invoice_id.in_(theirs))).first()
    assert batch_id is not None
    session.get_one(DirectDebitBatch, batch_id).layout = "icbc_text"
    once = direct_debit.batch_file(session, batch_id)[1]
    assert direct_debit.batch_file(session, batch_id)[1] == once

    erasure.take_out(session, owner, now=NOW, staff_id=None)

    with pytest.raises(Refused, match="erased"):
        direct_debit.batch_file(session, batch_id)
    with pytest.raises(Refused, match="erased"):
        filing.filed_pdf(session, paper.id, NOW)


def test_a_message_that_waits_does_not_go_out_empty(person: tuple[Session, Owner]) -> None:
    session, owner = person
    message = session.scalars(select(Message).where(Message.reminder_id.is_not(None))).one()
    assert message.state == "pending"

    erasure.take_out(session, owner, now=NOW, staff_id=None)

    session.refresh(message)
    assert (message.state, message.address, message.body) == ("dropped", "", "")


def test_the_reason_of_an_erasure_names_nobody(person: tuple[Session, Owner]) -> None:
    session, owner = person
    session.execute(update(Owner).where(Owner.id == owner.id).values(name=NAME))

    found = erasure.take_out(session, owner, now=NOW, staff_id=None)

    assert found.without_words(f"letter of {NAME}") == f"letter of {erasure.ERASED}"
    assert personal_data.is_erased(session, owner.id)
