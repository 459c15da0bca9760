"""Restrictions: gate, two people, the 5th, asked again, lifted on payment; cases, public lists (C9–C11)."""

from datetime import date
from decimal import Decimal

import pytest
from sqlalchemy import select

from models.billing import FeeItem
from models.collection import ArrearsNotice, LegalCase, Restriction
from models.office import Message
from models.payments import Cheque, Payment
from models.people import Owner, StaffRole
from office.arrears import contacts, legal_cases, letters, public_notices, reminder_batches, restrictions
from office.arrears.contacts import NewContact
from office.core.errors import Refused
from office.payments import cheques, corrections, payments
from office.payments.cheques import NewCheque
from rules.reasons import Reason
from tests.factories.arrears import add_bill, add_unit, at, judge, not_made, pay
from tests.factories.arrears import reminders as rows
from tests.factories.estate import add_staff

DUE = date(2026, 3, 5)  # tower: the request on 3 April, effect on the 5th; 4–6 April is Qingming


def overtime(session):
    item = session.scalars(select(FeeItem).where(FeeItem.code == "overtime_ac")).first()
    if item is None:
        item = FeeItem(code="overtime_ac", basis="per_hour")
        session.add(item)
    item.is_restrictable = True
    session.flush()
    return item.id


def requested(session, *, is_gate_passed=True):
    """A tower's debtor whose request was made on 3 April, with all that the gate asks for."""
    debtor = add_unit(session)
    add_bill(session, debtor, DUE)
    judge(session, date(2026, 3, 1), date(2026, 4, 3))
    request = session.scalars(select(Restriction)).one()
    if is_gate_passed:
        steward, head = (
            add_staff(session, "steward", "steward").id,
            add_staff(session, "head", "station_head").id,
        )
        for method, staff_id, day in (("phone", steward, 25), ("visit", steward, 27), ("visit", head, 31)):
            when = at(date(2026, 3, day), 15)
            contacts.record_contact(session, NewContact(debtor[0], method, when, staff_id=staff_id), now=when)
        letter = next(row for row in rows(session) if row.stage == "letter")
        letter.state = "approved"
        session.flush()
        reminder_batches.mark(
            session, [letter.id], "printed", now=at(date(2026, 3, 30), 16), staff_id=steward
        )
        restrictions.choose_service(
            session,
            request.id,
            fee_item_id=overtime(session),
            contract_clause="§ 6",
            now=at(date(2026, 4, 3), 10),
            staff_id=steward,
        )
    return debtor, request


def approve(session, request, when, *, is_signed):
    role = "manager" if is_signed else "station_head"
    staff_id = add_staff(session, f"{role}-{when:%d%H%M}", role).id
    return restrictions.approve_restriction(
        session, request.id, is_signed=is_signed, now=when, staff_id=staff_id
    )


def test_the_ladder_makes_the_request_once(session_of):
    session = session_of("tower")
    debtor, request = requested(session, is_gate_passed=False)

    assert (request.state, request.requested_on, request.unit_id) == (
        "requested",
        date(2026, 4, 3),
        debtor[0],
    )
    assert restrictions.missing(session, request, at=at(date(2026, 4, 3), 10)) == (
        "optional_service",
        "contracted_service",
        "calls",
        "visit",
        "deadline_letter",
        "head_visit",
    )


def test_an_incomplete_gate_lets_nobody_approve(session_of):
    session = session_of("tower")
    _, request = requested(session, is_gate_passed=False)

    with pytest.raises(Refused, match="deadline_letter"):
        approve(session, request, at(date(2026, 4, 3), 11), is_signed=True)


# days of the two approvals; the day of effect
EFFECTS = [
    ((3, 3), date(2026, 4, 5)),
    ((3, 5), date(2026, 4, 5)),
    ((3, 6), date(2026, 4, 7)),  # the first working day after, past Qingming
    ((8, 10), date(2026, 4, 13)),  # past a weekend
]


@pytest.mark.parametrize(("days", "effective_on"), EFFECTS)
def test_it_takes_effect_on_the_5th_or_on_the_next_working_day_after_the_last_approval(
    session_of, days, effective_on
):
    session = session_of("tower")
    _, request = requested(session)
    approve(session, request, at(date(2026, 4, days[0]), 11), is_signed=False)
    assert request.state == "requested"

    approve(session, request, at(date(2026, 4, days[1]), 12), is_signed=True)
    for day in range(4, 15):
        restrictions.apply_restrictions(session, at(date(2026, 4, day), 0, 20))
        if at(date(2026, 4, day), 0, 20) > at(date(2026, 4, days[1]), 12):
            assert (request.state == "in_effect") == (date(2026, 4, day) >= effective_on)

    assert request.effective_on == effective_on


def test_the_second_yes_is_another_persons_and_the_signed_one_the_managers(session_of):
    session = session_of("tower")
    _, request = requested(session)
    both = add_staff(session, "both", "station_head", "manager").id
    when = at(date(2026, 4, 3), 11)
    restrictions.approve_restriction(session, request.id, is_signed=False, now=when, staff_id=both)

    with pytest.raises(Refused, match="another person"):
        restrictions.approve_restriction(session, request.id, is_signed=True, now=when, staff_id=both)
    with pytest.raises(Refused, match="manager's"):
        restrictions.approve_restriction(
            session,
            request.id,
            is_signed=True,
            now=when,
            staff_id=add_staff(session, "h2", "station_head").id,
        )


def test_paid_meanwhile_stops_it(session_of):
    session = session_of("tower")
    debtor, request = requested(session)
    approve(session, request, at(date(2026, 4, 3), 11), is_signed=False)
    approve(session, request, at(date(2026, 4, 3), 12), is_signed=True)
    pay(session, debtor, "100", at(date(2026, 4, 4), 23))

    restrictions.apply_restrictions(session, at(date(2026, 4, 5), 0, 20))

    assert (request.state, request.effective_on) == ("stopped", date(2026, 4, 5))
    assert '"paid"' in request.reason


def in_effect(session):
    debtor, request = requested(session)
    approve(session, request, at(date(2026, 4, 3), 11), is_signed=False)
    approve(session, request, at(date(2026, 4, 3), 12), is_signed=True)
    restrictions.apply_restrictions(session, at(date(2026, 4, 5), 0, 20))
    assert request.state == "in_effect"
    return debtor, request


def test_payment_lifts_it_by_itself(session_of):
    session = session_of("tower")
    debtor, request = in_effect(session)
    pay(session, debtor, "99.99", at(date(2026, 4, 8), 10))
    restrictions.lift_paid(session, at(date(2026, 4, 8), 10, 1))
    assert request.state == "in_effect"

    pay(session, debtor, "0.01", at(date(2026, 4, 8), 11))
    restrictions.lift_paid(session, at(date(2026, 4, 8), 11, 1))

    assert (request.state, request.lifted_on) == ("lifted", date(2026, 4, 8))


def test_a_cheque_lifts_it_only_when_the_bank_has_paid(session_of):
    """M13: the money counts from the day it was taken, the restriction goes when the cheque has cleared."""
    session = session_of("tower")
    (unit_id, payer_id), request = in_effect(session)
    taken_at = at(date(2026, 4, 8), 10)
    new = payments.NewPayment(
        unit_id=unit_id,
        payer_id=payer_id,
        amount=Decimal(100),
        method="cheque",
        paid_at=taken_at,
        cheque=NewCheque("1", "HSBC", date(2026, 4, 8)),
    )
    payment = payments.record_payment(session, new, now=taken_at)
    ids = session.scalars(select(Cheque.id)).all()
    head = add_staff(session, "teller", "cashier").id

    restrictions.lift_paid(session, at(date(2026, 4, 8), 10, 1))
    cheques.present(session, ids, staff_id=head, now=at(date(2026, 4, 8), 12))
    restrictions.apply_restrictions(session, at(date(2026, 4, 9), 0, 20))
    assert (payment.allocated, request.state) == (Decimal(100), "in_effect")

    cheques.clear(session, ids, staff_id=head, now=at(date(2026, 4, 10), 11))
    restrictions.lift_paid(session, at(date(2026, 4, 10), 11, 1))
    assert (request.state, request.lifted_on) == ("lifted", date(2026, 4, 10))


def lifted_then_bounced(session):
    """A restriction lifted on 8 April as paid, whose payment the bank takes back on the 20th."""
    debtor, request = in_effect(session)
    paid_at = at(date(2026, 4, 8), 10)
    pay(session, debtor, "100", paid_at)
    restrictions.lift_paid(session, at(date(2026, 4, 8), 10, 1))
    assert request.state == "lifted"
    payment = session.scalars(select(Payment).where(Payment.kind == "payment")).one()
    undone = {"reason": "bounced", "staff_id": add_staff(session, "other", "cashier").id}
    corrections.void_payment(session, payment.id, **undone, now=at(date(2026, 4, 20), 10))
    return request, payment


def test_one_lifted_as_paid_comes_back_into_question_when_the_payment_bounces(session_of):
    session = session_of("tower")
    lifted, payment = lifted_then_bounced(session)

    for day in (21, 22, 23):
        restrictions.apply_restrictions(session, at(date(2026, 4, day), 0, 20))

    (again,) = session.scalars(select(Restriction).where(Restriction.id != lifted.id))
    assert (again.state, again.follows_id, again.requested_on) == ("requested", lifted.id, date(2026, 4, 21))
    assert (again.fee_item_id, again.contract_clause) == (lifted.fee_item_id, "§ 6")
    reason = Reason.from_json(again.reason)
    assert (reason.code, reason.inputs["receipt_no"]) == ("payment_bounced", payment.receipt_no)
    alerts = select(Message.staff_id).where(Message.key.like(f"restriction-{again.id}-%"))
    told = set(session.scalars(alerts))
    heads = select(StaffRole.staff_id).where(StaffRole.role.in_(("station_head", "manager")))
    assert told == set(session.scalars(heads))


def test_a_payment_that_holds_questions_nothing(session_of):
    session = session_of("tower")
    debtor, request = in_effect(session)
    pay(session, debtor, "100", at(date(2026, 4, 8), 10))
    restrictions.lift_paid(session, at(date(2026, 4, 8), 10, 1))

    restrictions.apply_restrictions(session, at(date(2026, 4, 9), 0, 20))

    assert session.scalars(select(Restriction.id)).all() == [request.id]


def test_it_ends_by_itself_after_the_months_of_the_policy(session_of):
    """A restriction has an end date (C9): three months after the 5th of April."""
    session = session_of("tower")
    _, request = in_effect(session)
    assert restrictions.ends_on(session, request.effective_on) == date(2026, 7, 5)

    restrictions.apply_restrictions(session, at(date(2026, 7, 5), 0, 20))
    assert request.state == "in_effect"
    restrictions.apply_restrictions(session, at(date(2026, 7, 6), 0, 20))

    assert (request.state, request.lifted_on) == ("lifted", date(2026, 7, 6))
    assert '"term_over"' in request.reason


UNDERTAKINGS = [("0", "in_effect", "broken"), ("100", "lifted", "kept")]


@pytest.mark.parametrize(("paid", "state", "undertaking"), UNDERTAKINGS)
def test_an_undertaking_suspends_it_and_a_broken_one_restores_it(session_of, paid, state, undertaking):
    session = session_of("tower")
    debtor, request = in_effect(session)
    head = add_staff(session, "h3", "station_head").id
    restrictions.sign_undertaking(
        session, request.id, until_on=date(2026, 4, 20), now=at(date(2026, 4, 8)), staff_id=head
    )
    restrictions.apply_restrictions(session, at(date(2026, 4, 20), 0, 20))
    assert request.state == "suspended"
    paper = letters.undertaking_pdf(session, request.id, now=at(date(2026, 4, 8)), staff_id=head)
    assert paper.startswith(b"%PDF")
    if paid != "0":
        pay(session, debtor, paid, at(date(2026, 4, 20), 10))

    restrictions.apply_restrictions(session, at(date(2026, 4, 21), 0, 20))

    assert (request.state, request.undertaking_state) == (state, undertaking)


@pytest.mark.parametrize("code", ["water", "power", "heat", "gas", "access"])
def test_what_the_law_protects_can_not_be_chosen(session_of, code):
    session = session_of("tower")
    _, request = requested(session, is_gate_passed=False)
    item = session.scalars(select(FeeItem).where(FeeItem.code == code)).first() or FeeItem(
        code=code, basis="metered"
    )
    item.is_restrictable = True
    session.add(item)
    session.flush()

    with pytest.raises(Refused, match="can't be restricted"):
        restrictions.choose_service(
            session,
            request.id,
            fee_item_id=item.id,
            contract_clause="§ 1",
            now=at(date(2026, 4, 3)),
            staff_id=None,
        )


# --- the law (C10) --------------------------------------------------------------------------------


def test_the_legal_stage_opens_a_case_when_its_gate_holds(session_of):
    session = session_of("tower")
    debtor, _ = requested(session)

    judge(session, date(2026, 4, 7), date(2026, 6, 6))

    case = session.scalars(select(LegalCase)).one()
    assert (case.unit_id, case.opened_on, case.amount, case.state) == (
        debtor[0],
        date(2026, 6, 5),
        Decimal(100),
        "preparing",
    )
    assert not_made(session) == []


def test_without_its_gate_no_case_opens_and_the_row_says_what_is_missing(session_of):
    session = session_of("tower")
    debtor, _ = requested(session, is_gate_passed=False)

    judge(session, date(2026, 4, 7), date(2026, 6, 12))

    assert session.scalars(select(LegalCase)).all() == []
    assert not_made(session) == [("legal", "2026-06-05", "gate")]
    with pytest.raises(Refused, match="attempt_methods, delivered_letter"):
        legal_cases.open_case(session, debtor, now=at(date(2026, 6, 12)), staff_id=None)


def test_a_case_goes_step_by_step_to_its_end(session_of):
    session = session_of("tower")
    requested(session)
    judge(session, date(2026, 4, 7), date(2026, 6, 6))
    case = session.scalars(select(LegalCase)).one()
    when = at(date(2026, 6, 8))

    with pytest.raises(Refused):
        legal_cases.move_case(session, case.id, "judged", now=when, staff_id=None, result="won")
    for state in ("letter_sent", "filed", "mediation"):
        legal_cases.move_case(session, case.id, state, now=when, staff_id=None)
    with pytest.raises(Refused, match="result"):
        legal_cases.move_case(session, case.id, "settled", now=when, staff_id=None)
    legal_cases.move_case(
        session, case.id, "settled", now=when, staff_id=None, result="paid", recovered=Decimal(100)
    )

    assert (case.letter_batch, case.filing_batch) == ("letter-20260608-1", "filing-20260608-1")
    assert (case.recovered, case.closed_on) == (Decimal(100), date(2026, 6, 8))


# --- public lists (C11) ---------------------------------------------------------------------------


def to_take_down(session, day):
    return session.scalars(select(ArrearsNotice).where(public_notices.is_to_take_down(day))).all()


def test_a_public_list_shows_unit_codes_after_the_directors_yes_and_must_come_down(session):
    debtor = add_unit(session, "9-909")
    add_bill(session, debtor, date(2026, 3, 15))
    add_bill(session, add_unit(session, "9-910", "李四"), date(2026, 4, 15))
    asks, director = add_staff(session, "m", "manager").id, add_staff(session, "d", "director").id
    notice = public_notices.request_notice(
        session,
        building_id=None,
        reason="assembly's decision",
        place="hall",
        from_on=date(2026, 4, 1),
        to_on=date(2026, 4, 8),
        now=at(date(2026, 4, 1)),
        staff_id=asks,
    )

    with pytest.raises(Refused, match="director"):
        public_notices.approve_notice(session, notice.id, now=at(date(2026, 4, 1)), staff_id=asks)
    public_notices.approve_notice(session, notice.id, now=at(date(2026, 4, 1)), staff_id=director)

    assert public_notices.notice_units(session, notice, at=at(date(2026, 4, 1))) == ["9-909"]
    assert to_take_down(session, date(2026, 4, 7)) == []
    assert to_take_down(session, date(2026, 4, 8)) == [notice]
    public_notices.take_down(session, notice.id, now=at(date(2026, 4, 8)), staff_id=asks)
    assert to_take_down(session, date(2026, 4, 9)) == []


# --- the letter (C9, §10) -------------------------------------------------------------------------

NAMES = [("en", "Overtime air-conditioning"), ("zh_Hans", "空调加时"), ("zh_Hant", "空調加時")]


@pytest.mark.parametrize(("language", "called"), NAMES)
def test_the_letter_names_the_service_in_its_language_and_the_approvals_by_office_days(
    session_of, language, called
):
    """Signed at six in the morning: in UTC that is still the day before."""
    session = session_of("tower")
    _, request = requested(session)
    approve(session, request, at(date(2026, 4, 4), 6), is_signed=False)
    approve(session, request, at(date(2026, 4, 4), 6, 30), is_signed=True)

    session.get_one(Owner, request.payer_id).language = language
    letter = letters.notice_of(session, request, date(2026, 4, 4))

    assert [service.name for service in letter.services] == [called]
    assert [one.on for one in letter.approvals] == [date(2026, 4, 4)] * 2


# --- controls: the gate taken away ------------------------------------------------------------------


def test_the_control_without_asking_again_who_has_paid_is_restricted(session_of, monkeypatch):
    session = session_of("tower")
    debtor, request = requested(session)
    approve(session, request, at(date(2026, 4, 3), 11), is_signed=False)
    approve(session, request, at(date(2026, 4, 3), 12), is_signed=True)
    pay(session, debtor, "100", at(date(2026, 4, 4), 23))
    monkeypatch.setattr(restrictions, "missing", lambda *_given, **_more: ())

    restrictions.apply_restrictions(session, at(date(2026, 4, 5), 0, 20))

    assert request.state == "in_effect"


def test_the_control_without_the_gate_one_yes_is_enough(session_of, monkeypatch):
    session = session_of("tower")
    _, request = requested(session, is_gate_passed=False)
    monkeypatch.setattr(restrictions, "missing", lambda *_given, **_more: ())

    approve(session, request, at(date(2026, 4, 3), 11), is_signed=False)

    assert request.state == "approved"
