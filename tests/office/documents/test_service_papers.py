"""Papers of desk, visits, deposits and restrictions from the rows (B10, B3, T1, T9, T15, V2, C14)."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from sqlalchemy import select

from models.billing import FeeItem, ServiceSlip
from models.collection import Restriction
from models.complaints import ReviewMeeting
from models.office import Paper
from models.people import Owner
from models.visits import Visit
from office.arrears import letters
from office.billing import deposits
from office.billing import documents as billing_papers
from office.complaints import documents, retention
from office.complaints.registration import NewComplainant, NewTicket, register_ticket
from office.core.errors import Refused
from tests.factories.estate import NOW, add_staff, add_unit
from tests.factories.pdf_text import bare, text_of


def ticket(session, **about):
    unit = add_unit(session, "1-101", area="88.88")
    made = register_ticket(
        session,
        NewTicket(
            channel="desk",
            category="engineering",
            statement="厨房水龙头漏水",
            registered_at=NOW,
            unit_id=unit.id,
            complainants=(NewComplainant("王小明"),),
        ),
        now=NOW,
    )
    for name, value in about.items():
        setattr(made, name, value)
    session.flush()
    return made


def lacking(text, *wanted):
    return [one for one in wanted if bare(one) not in text]


def filed(session, kind):
    return session.scalars(select(Paper).where(Paper.kind == kind).order_by(Paper.id)).all()


def test_a_resident_takes_home_number_words_department_and_time(session):
    made = ticket(session)

    text = text_of(documents.print_resident_slip(session, made.id, now=NOW, staff_id=None))

    for wanted in ("受理回执", made.number, "厨房水龙头漏水", "1-101", "首次反馈时限"):
        assert bare(wanted) in text
    assert [paper.number for paper in filed(session, "resident_slip")] == [made.number]


def test_a_reply_needs_an_answer_and_names_nobody_in_the_file(session):
    made = ticket(session)
    with pytest.raises(Refused):
        documents.print_reply(session, made.id, has_identity=True, now=NOW, staff_id=None)
    made.resolution = "已更换阀芯"

    text = text_of(documents.print_reply(session, made.id, has_identity=True, now=NOW, staff_id=None))
    again = text_of(
        documents.print_reply(
            session, made.id, has_identity=False, now=NOW + timedelta(days=3), staff_id=None
        )
    )

    assert bare("王小明：") in text
    assert bare("已更换阀芯") in text
    assert "王小明" not in again
    (paper,) = filed(session, "written_reply")
    assert "王小明" not in str(paper.contents)
    assert paper.copies == 1


def test_a_changed_answer_is_a_further_letter_and_retention_takes_both(session):
    made = ticket(session, resolution="已更换阀芯")
    documents.print_reply(session, made.id, has_identity=False, now=NOW, staff_id=None)
    made.resolution = "又更换了软管"
    documents.print_reply(session, made.id, has_identity=False, now=NOW, staff_id=None)
    assert [one.number for one in filed(session, "written_reply")] == [made.number, f"{made.number}/2"]

    retention._remove(session, [made.id])

    assert filed(session, "written_reply") == []


def test_minutes_and_visit_sheet_say_what_their_rows_say(session):
    made = ticket(session, severity="major")
    meeting = ReviewMeeting(
        ticket_id=made.id, held_at=NOW, cause="老化", correction="更换", prevention="巡检", attended="陈立"
    )
    visit = Visit(
        number="V-1",
        ticket_id=made.id,
        unit_id=made.unit_id,
        planned_from=NOW,
        due_at=NOW + timedelta(days=1),
        assignee_role="station_head",
        met="王小明",
        words="很好",
        satisfaction=5,
        outcome="satisfied",
        method="door",
        done_at=NOW,
    )
    session.add_all([meeting, visit])
    session.flush()
    asked = {"language": "zh_Hans", "now": NOW, "staff_id": None}

    minutes = text_of(documents.print_review(session, meeting.id, **asked))
    sheet = text_of(documents.print_visit(session, visit.id, **asked))

    assert [
        one for one in ("专题会纪要", made.number, "老化", "更换", "巡检", "陈立") if one not in minutes
    ] == []
    assert lacking(sheet, "回访单", "V-1", "王小明", "很好", "1-101") == []
    assert "王小明" not in str(filed(session, "visit_sheet")[0].contents)


def test_a_deposit_given_back_has_its_receipt(session):
    unit = add_unit(session, "1-101", area="88.88")
    payer_id = session.scalars(select(Owner.id)).first()
    desk, manager = add_staff(session, "desk9", "cashier").id, add_staff(session, "boss9", "manager").id
    item = session.scalars(select(FeeItem.code).where(FeeItem.basis == "deposit")).first()
    taken = deposits.take_deposit(
        session,
        unit_id=unit.id,
        payer_id=payer_id,
        fee_item=item,
        amount=Decimal(2000),
        method="cash",
        paid_at=NOW,
        now=NOW,
        cashier_id=desk,
        form_key=None,
    )
    back = deposits.return_deposit(
        session, taken.id, amount=Decimal(1500), reason="验收合格", staff_id=manager, now=NOW, method="cash"
    )

    text = text_of(billing_papers.print_deposit_refund(session, back.id, now=NOW, staff_id=manager))

    assert [
        one for one in (taken.number, back.number, "1,500.00", "500.00", "验收合格") if bare(one) not in text
    ] == []
    (paper,) = filed(session, "deposit_refund")
    assert (paper.total, paper.unit_id) == (Decimal(1500), unit.id)
    with pytest.raises(Refused):
        billing_papers.print_deposit_refund(session, taken.id, now=NOW, staff_id=manager)


def test_a_service_slip_prints_what_was_entered(session):
    unit = add_unit(session, "1-101", area="88.88")
    item = session.scalars(select(FeeItem).where(FeeItem.basis == "per_job")).first()
    slip = ServiceSlip(
        slip_no="FW-1", unit_id=unit.id, fee_item_id=item.id, used_on=NOW.date(), quantity=Decimal(1),
        amount=Decimal(85), note="换水龙头", signed_by="王小明",
    )  # fmt: skip
    session.add(slip)
    session.flush()

    text = text_of(billing_papers.print_service_slip(session, slip.id, now=NOW, staff_id=None))

    assert [
        one for one in ("FW-1", "85.00", "捌拾伍元整", "换水龙头", "1-101") if bare(one) not in text
    ] == []


def test_the_gate_sheet_names_units_and_services_in_effect_and_nobody(session):
    unit = add_unit(session, "1-101", area="88.88")
    payer = session.scalars(select(Owner)).first()
    item = session.scalars(select(FeeItem).where(FeeItem.is_restrictable)).first()
    for state in ("in_effect", "lifted", "approved"):
        session.add(
            Restriction(
                unit_id=unit.id,
                payer_id=payer.id,
                fee_item_id=item.id,
                state=state,
                requested_on=date(2026, 6, 1),
                effective_on=date(2026, 6, 5),
            )
        )
    session.flush()

    text = text_of(letters.restriction_list_pdf(session, language="zh_Hans", now=NOW))

    assert text.count("1-101") == 1
    assert bare("2026年6月5日") in text
    assert payer.name not in text
