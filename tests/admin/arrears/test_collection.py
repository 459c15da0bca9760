"""A steward's and a manager's work on arrears through the screens (C4–C12, B9)."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from models.billing import FeeItem, InstalmentPlan, Invoice
from models.collection import Contact, DunningHold, LegalCase, Reminder, ReminderBatch, Restriction
from models.office import Audit, Message
from models.people import Owner, OwnerPhone
from models.policies import PolicyVersion
from models.property import Estate, Unit
from models.secrets import fingerprint
from office.arrears import dunning
from tests.admin.conftest import PASSWORD, Web, add_staff, text_of
from tests.factories.arrears import add_bill, add_unit, at

SCREENS = (
    "call_list",
    "reminder_batches",
    "reminders",
    "contacts",
    "instalment_plans",
    "restrictions",
    "legal_cases",
    "ladder_holds",
    "public_notices",
    "opening_texts",
    "forecast",
    "limitation",
)


def add_debtor(session: Session) -> None:
    """Unit 8-801 owes 100 since 5 March; it is the afternoon of 3 April 2026."""
    debtor = add_unit(session, "8-801", "陈静")
    add_bill(session, debtor, date(2026, 3, 5), number="T-1")
    day = date(2026, 3, 1)
    while day <= date(2026, 4, 3):
        dunning.judge_day(session, at(day))
        day += timedelta(days=1)
    session.execute(update(Estate).values(present_at=at(date(2026, 4, 3), 15)))
    session.commit()
    add_staff(session, "head", "station_head")
    add_staff(session, "director", "director")


@pytest.fixture
def arrears(web_of: Callable[..., Web]) -> Web:
    """A tower with `add_debtor`'s rows."""
    web = web_of("tower", fills=(add_debtor,))
    assert web.sign_in("manager", PASSWORD).status_code == 302
    return web


def act(web: Web, screen: str, action: str, row: Any = None, **fields: str) -> Any:
    chosen = {"rowid": str(row.id)} if row is not None else {}
    return web.post(
        f"/{screen}/action/",
        {"action": action, "confirmed": "1", **chosen, **fields},
        follow_redirects=True,
    )


def first(web: Web, model: Any, **where: Any) -> Any:
    with web.rows() as session:
        found = session.scalars(select(model).filter_by(**where).order_by(model.id)).first()
        session.expunge_all()
        return found


def hers(web: Web, model: Any, **where: Any) -> Any:
    """The same of unit 8-801."""
    with web.rows() as session:
        unit_id = session.scalar(select(Unit.id).where(Unit.code == "8-801"))
    return first(web, model, unit_id=unit_id, **where)


@pytest.mark.parametrize("screen", SCREENS)
def test_every_screen_opens(arrears: Web, screen: str) -> None:
    answer = arrears.get(f"/{screen}/")

    assert answer.status_code == 200, text_of(answer)[:500]


def test_a_batch_is_looked_through_approved_and_printed(arrears: Web) -> None:
    batch = first(arrears, ReminderBatch, number="demand-20260323")

    assert "8-801" in text_of(arrears.get(f"/reminder_batches/details/?id={batch.id}"))
    act(arrears, "reminder_batches", "approve", batch)
    pdf = act(arrears, "reminder_batches", "letters", batch)

    assert pdf.mimetype == "application/pdf"
    assert pdf.data.startswith(b"%PDF")
    assert hers(arrears, Reminder, stage="demand").state == "printed"
    assert first(arrears, ReminderBatch, number="demand-20260323").state == "done"


def test_a_dropped_row_needs_a_reason_and_keeps_it(arrears: Web) -> None:
    row = hers(arrears, Reminder, stage="letter")
    asked = text_of(arrears.post("/reminders/action/", {"action": "drop", "rowid": row.id}))
    assert "8-801 · 陈静 · " in asked, "who it is about, not a number"
    act(arrears, "reminders", "drop", row, reason="")
    assert hers(arrears, Reminder, stage="letter").state == "planned"

    act(arrears, "reminders", "drop", row, reason="spoke to her today")

    kept = hers(arrears, Reminder, stage="letter")
    assert (kept.state, kept.reason_code) == ("dropped", "staff")
    assert "spoke to her today" in kept.reason


def test_a_call_is_entered_from_todays_list(arrears: Web) -> None:
    page = arrears.get("/call_list/")
    call = hers(arrears, Reminder, stage="call")

    assert "8-801" in text_of(page)
    form = arrears.get(
        f"/call_list/contact/?unit_id={call.unit_id}&payer_id={call.payer_id}&reminder_id={call.id}"
    )
    assert "陈静" in text_of(form)
    arrears.post(
        "/call_list/enter/",
        {
            "unit_id": call.unit_id,
            "payer_id": call.payer_id,
            "reminder_id": call.id,
            "method": "phone",
            "outcome": "promised",
            "promised_on": "2026-04-10",
            "promised_amount": "60",
            "note": "salary on the 9th",
        },
    )

    contact = first(arrears, Contact)
    assert (contact.promised_on, str(contact.promised_amount), contact.promise_state) == (
        date(2026, 4, 10),
        "60.00",
        "open",
    )
    assert hers(arrears, Reminder, stage="call").state == "done"


def test_a_reason_says_what_comes_next_and_hardship_offers_a_plan_at_once(arrears: Web) -> None:
    """C7."""
    call = hers(arrears, Reminder, stage="call")
    fields = {
        "unit_id": call.unit_id,
        "payer_id": call.payer_id,
        "method": "phone",
        "outcome": "reached",
        "arrears_reason": "hardship",
    }

    before = text_of(arrears.get("/call_list/contact/?unit_code=8-801", follow_redirects=True))
    page = text_of(arrears.post("/call_list/enter/", fields, follow_redirects=True))
    asked = arrears.post("/instalment_plans/action/", {"action": "propose", "unit_code": "8-801"})

    assert "Propose a plan" not in before
    assert "What comes next: Offer an instalment plan." in page
    assert "陈静" in page, "the household's own page"
    assert "Propose a plan" in page
    assert 'name="unit_code" value="8-801"' in asked.text


def test_a_promise_without_its_day_is_asked_for(arrears: Web) -> None:
    """C8: it would hold no reminder and never be judged."""
    call = hers(arrears, Reminder, stage="call")
    fields = {"unit_id": call.unit_id, "payer_id": call.payer_id, "method": "phone", "outcome": "promised"}

    page = text_of(arrears.post("/call_list/enter/", fields, follow_redirects=True))
    told = text_of(
        arrears.post("/call_list/enter/", {**fields, "promised_on": "2026-04-10"}, follow_redirects=True)
    )

    assert "Ask by which day they will pay" in page
    assert "The contact was entered" in told


def test_a_number_is_shown_to_who_calls_and_that_is_kept(arrears: Web) -> None:
    """F16: masked on the page until asked for; a contact of a unit that is on no list can be entered too."""
    call = hers(arrears, Reminder, stage="call")
    with arrears.rows() as session:
        phone = OwnerPhone(
            owner_id=call.payer_id, number="13812345678", number_mac=fingerprint("13812345678")
        )
        bad = OwnerPhone(owner_id=call.payer_id, number="1", number_mac=fingerprint("1"), is_bad=True)
        session.add_all([phone, bad])
        session.commit()
    keys = {"unit_id": call.unit_id, "payer_id": call.payer_id, "reminder_id": call.id}

    masked = arrears.get("/call_list/contact/?unit_code=8-801", follow_redirects=True)
    shown = arrears.post("/call_list/phone/", keys)

    assert ("138****5678" in masked.text, "13812345678" in masked.text) == (True, False)
    assert "tel:13812345678" in shown.text
    assert "A phone number does not work" in text_of(masked)
    assert first(arrears, Audit, action="reveal").row_id == call.payer_id
    assert "There is no unit" in text_of(
        arrears.get("/call_list/contact/?unit_code=9-999", follow_redirects=True)
    )


def test_a_reminder_says_what_became_of_its_message(arrears: Web) -> None:
    """C5, P6: the steward sees that the mail was refused and that it goes on paper."""
    row = hers(arrears, Reminder, stage="reminder")
    with arrears.rows() as session:
        session.execute(update(Owner).where(Owner.id == row.payer_id).values(is_email_bad=True))
        session.add(
            Message(
                key="k",
                channel="email",
                address="a@example.org",
                subject="",
                body="",
                reminder_id=row.id,
                state="dead",
                error="550 no such user",
                attempts=1,
                made_at=at(date(2026, 3, 13)),
                next_try_at=at(date(2026, 3, 13)),
            )
        )
        session.commit()

    page = text_of(arrears.get(f"/reminders/details/?id={row.id}"))

    assert "550 no such user" in page
    assert "It goes on as: Print." in page
    assert "The e-mail address does not work" in page


def test_a_changed_ladder_is_tried_on_last_month_and_changes_nothing(arrears: Web) -> None:
    """§9, C12: a visit three days later would have come three days later."""
    page = arrears.get("/simulate/?policy=ladder")
    form = {
        **dict(re.findall(r'<input name="([\w.]+)"[^>]*? value="([^"]*)"', page.text)),
        **{
            name: chosen
            for name, options in re.findall(r'<select name="([\w.]+)"[^>]*>(.*?)</select>', page.text)
            for chosen in re.findall(r'<option value="([^"]*)" selected', options)
        },
        **dict.fromkeys(re.findall(r'type="checkbox" name="([\w.]+)"[^>]*? checked', page.text), "1"),
    }
    days = {int(value): name for name, value in form.items() if name.endswith("trigger_number") and value}
    same = arrears.post("/simulate/?policy=ladder", {**form, "period": "2026-03"})
    changed = arrears.post("/simulate/?policy=ladder", {**form, "period": "2026-03", days[13]: "16"})
    refused = arrears.post("/simulate/?policy=ladder", {**form, "period": "2026-03", days[13]: "24"})

    assert "All would have been the same." in text_of(same)
    words = " ".join(text_of(changed).split())
    assert "8-801 陈静 Reminder 2026-03-13 2026-03-16" in words, words
    assert "would differ" not in text_of(refused)
    assert hers(arrears, Reminder, stage="reminder").planned_on == date(2026, 3, 13)
    with arrears.rows() as session:
        assert session.scalars(select(PolicyVersion).where(PolicyVersion.policy == "ladder")).one()


def test_the_next_days_stand_in_a_calendar(arrears: Web) -> None:
    with arrears.rows() as session:
        add_bill(session, add_unit(session, "8-802", "李明"), date(2026, 4, 5))
        session.commit()

    page = arrears.get("/forecast/")

    assert '<time datetime="2026-05-03">' in page.text
    assert 'class=" off' in page.text  # Sunday and Qingming


def test_what_can_soon_no_longer_be_sued_for_is_a_list_and_a_file(arrears: Web) -> None:
    with arrears.rows() as session:
        debtor = add_unit(session, "8-803", "李明")
        add_bill(session, debtor, date(2023, 5, 5), number="OLD")
        add_bill(session, debtor, date(2024, 5, 5), number="NEW")
        invoice_id = session.scalar(select(Invoice.id).where(Invoice.number == "OLD"))
        session.commit()

    page = " ".join(text_of(arrears.get("/limitation/")).split())
    made = arrears.get("/limitation/file/?kind=csv").data.decode("utf-8-sig").splitlines()
    bill = text_of(arrears.get(f"/invoices/details/?id={invoice_id}"))

    assert "32 days left OLD 8-803 李明 100.00" in page
    assert "NEW" not in page
    assert made[1:] == ["OLD,8-803,李明,100.00,2023-05-05,2023-05-05,due_day,2026-05-05,"]
    assert "Last day to sue" in bill
    assert "Last day to sue" in text_of(arrears.get("/forecast/debt/?number=OLD"))
    assert arrears.get("/limitation/file/?kind=pdf").status_code == 404


def test_an_impossible_contact_keeps_what_was_typed(arrears: Web) -> None:
    call = hers(arrears, Reminder, stage="call")
    fields = {
        "unit_id": call.unit_id,
        "payer_id": call.payer_id,
        "method": "phone",
        "outcome": "promised",
        "promised_on": "2020-01-01",
        "note": "kept words",
    }

    answer = arrears.post("/call_list/enter/", fields)

    assert "kept words" in answer.text
    assert first(arrears, Contact) is None


def test_a_plan_is_proposed_and_approved(arrears: Web) -> None:
    act(
        arrears, "instalment_plans", "propose", unit_code="8-801", count="3", first_on="2026-04-20", reason=""
    )
    plan = first(arrears, InstalmentPlan)
    head = Web(arrears.office, arrears.office.app.test_client())
    head.sign_in("head", PASSWORD)

    own = text_of(act(arrears, "instalment_plans", "approve", plan))
    act(head, "instalment_plans", "approve", plan)

    assert "entered this yourself" in own
    assert (first(arrears, InstalmentPlan).state, str(plan.amount)) == ("running", "100.00")
    details = text_of(arrears.get(f"/instalment_plans/details/?id={plan.id}"))
    assert "33.33" in details
    assert "33.34" in details


def test_a_restriction_shows_its_gate_and_what_the_law_protects_is_not_offered(arrears: Web) -> None:
    with arrears.rows() as session:
        for code in ("overtime_ac", "water"):
            item = session.scalars(select(FeeItem).where(FeeItem.code == code)).first() or FeeItem(
                code=code, basis="metered"
            )
            item.is_restrictable, item.name_en = True, f"Item {code}"
            session.add(item)
        session.commit()
    row = hers(arrears, Restriction)

    page = " ".join(text_of(arrears.get(f"/restrictions/details/?id={row.id}")).split())
    assert page.index("Missing An optional service") < page.index("Missing The manager's signature")
    asked = arrears.post("/restrictions/action/", {"action": "choose_service", "rowid": str(row.id)})
    refused = text_of(act(arrears, "restrictions", "sign", row))

    assert "There A debt past due" in page
    assert ("Item overtime_ac" in asked.text, "Item water" in asked.text) == (True, False)
    assert "gate is not passed" in refused
    assert hers(arrears, Restriction).second_approved_by_id is None


def test_a_hold_and_its_end(arrears: Web) -> None:
    act(arrears, "ladder_holds", "hold", unit_code="8-801", until_on="", reason="in hospital")
    hold = first(arrears, DunningHold)
    act(arrears, "ladder_holds", "end", hold)

    assert hold.reason == "in hospital"
    assert first(arrears, DunningHold).ended_at == datetime(2026, 4, 3, 7, tzinfo=UTC)


def test_a_case_without_its_gate_is_refused_with_what_is_missing(arrears: Web) -> None:
    answer = act(arrears, "legal_cases", "open", unit_code="8-801")

    assert "Months in arrears" in text_of(answer)
    assert first(arrears, LegalCase) is None


def test_a_debt_explains_itself(arrears: Web) -> None:
    with arrears.rows() as session:
        unit_id = session.scalar(select(Unit.id).where(Unit.code == "8-801"))

    by_number = text_of(arrears.get("/forecast/debt/?number=T-1"))
    by_unit = text_of(arrears.get(f"/forecast/debt/?unit_id={unit_id}"))

    for page in (by_number, by_unit):
        assert "Restriction request" in page
        assert "Legal action" in page
    assert arrears.get("/forecast/debt/?number=nonsense").status_code == 404
