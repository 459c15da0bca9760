"""The public complaint form: off by default, bounded, and telling nobody anything of the office (T1)."""

import io
import re
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from itertools import count

import pytest
from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError

from models.complaints import Attachment, Complainant, Ticket, TicketClock
from models.people import SignInAttempt
from models.property import Estate, Unit
from models.secrets import fingerprint
from office.complaints import public_form, severities, work
from office.complaints.public_form import Submission, tracking_code
from office.complaints.registration import NewTicket, register_ticket
from office.core import clock
from office.core.errors import Refused
from office.policies import documents, store
from rules.public_form import PublicForm
from rules.severity import Facts
from rules.sign_in import network_of
from tests.admin.conftest import text_of
from tests.factories.complaint_desk import act
from tests.factories.policies import refusal

FORM, TRACK, DONE = "/public/complaint/", "/public/complaint/track/", "/public/complaint/done/"
PNG = b"\x89PNG\r\n\x1a\n" + b"0" * 20
COUNT = count()
# an address, and what counts as one
ADDRESSES = [
    ("203.0.113.7", "203.0.113.7"),
    ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
    ("2001:db8:1:2::ffff", "2001:db8:1:2::"),
    ("unix", "unix"),
]


def switch(web, **changes):
    """Turn the form on, with other numbers where given."""
    with web.rows() as session:
        now, today = clock.now(session), clock.today(session)
        rows = {**store.document(session, "public_form", today), "is_on": True, **changes}
        store.change(session, "public_form", rows, valid_from=today, reason="on", now=now, staff_id=None)
        session.commit()


@pytest.fixture
def resident(visitor):
    switch(visitor)
    return visitor


def send(web, address="203.0.113.7", **fields):
    """Fill the form in as a browser would; the answer to it."""
    page = web.get(FORM).text
    hidden = {name: re.search(rf'name="{name}" value="([^"]*)"', page)[1] for name in ("csrf_token", "key")}
    given = {"statement": "电梯停运", "household_count": "1", **hidden, **fields}
    return web.client.post(FORM, data=given, environ_base={"REMOTE_ADDR": address}, buffered=True)


def sent(web):
    with web.rows() as session:
        return session.scalar(select(func.count(Ticket.id)))


def ask(web, number, code, address="203.0.113.7"):
    token = re.search(r'name="csrf_token" value="([^"]*)"', web.get(TRACK).text)[1]
    given = {"csrf_token": token, "number": number, "code": code}
    return web.client.post(TRACK, data=given, environ_base={"REMOTE_ADDR": address}, buffered=True)


def test_while_it_is_off_there_is_no_such_page(visitor):
    statuses = [visitor.get(path).status_code for path in (FORM, TRACK, DONE)]

    assert statuses == [404, 404, 404]
    with visitor.rows() as session:
        assert not public_form.form_policy(session, clock.now(session)).is_on


def test_a_complaint_is_sent_and_followed(resident):
    """The whole way of a resident: form, number and code, where it stands; names stay out of it."""
    answer = send(resident, unit_code="A-01", name="王秀英小姐", phone="13800138000", happening_now="y",
                  files=(io.BytesIO(PNG), "lift.png"))  # fmt: skip
    done = text_of(resident.get(answer.location))
    with resident.rows() as session:
        ticket = session.scalars(select(Ticket)).one()
        number, code = ticket.number, tracking_code(ticket.number)
        assert (ticket.channel, ticket.unit.code, ticket.happening_now) == ("web_form", "A-01", False)
        assert severities.claims_of(ticket).happening_now
        assert session.scalars(select(Complainant.name)).one() == "王秀英小姐"
        assert session.scalars(select(Attachment.media_type)).one() == "image/png"
        severities.confirm_claims(session, ticket.id, is_so=True, now=ticket.registered_at)
        work.resolve_on_spot(session, ticket.id, resolution="王秀英小姐 met", now=ticket.registered_at)
        session.commit()

    assert answer.status_code == 302
    assert number in done
    assert code in done
    page = text_of(ask(resident, number, code.lower().replace("-", " ")))
    assert "Resolved" in page
    assert not any(text in page for text in ("王秀英", "1380", "A-01", "电梯"))


def test_anonymous_is_taken_alike_and_a_wrong_unit_says_nothing(resident):
    known = send(resident, unit_code="A-01", is_anonymous="y", name="王秀英")
    unknown = send(resident, unit_code="Z-99", place="大堂")

    with resident.rows() as session:
        tickets = session.scalars(select(Ticket).order_by(Ticket.id)).all()
        assert [row.is_anonymous for row in tickets] == [True, True]
        assert [row.place for row in tickets] == ["", "Z-99 大堂"]
        assert not session.scalars(select(Complainant)).all()
    assert (known.status_code, known.location) == (unknown.status_code, unknown.location)
    with resident.rows() as session:
        codes = session.scalars(select(Unit.code)).all()
    page = resident.get(FORM).text
    assert not any(f">{code}<" in page or f'"{code}"' in page for code in codes)


def test_number_and_code_belong_together(resident):
    send(resident)
    send(resident)
    with resident.rows() as session:
        first, second = session.scalars(select(Ticket.number).order_by(Ticket.id)).all()

    answers = [ask(resident, *pair) for pair in (
        (first, tracking_code(second)), (first, ""), ("T2026-999999", tracking_code(first)), ("%", "%"),
    )]  # fmt: skip

    assert {answer.status_code for answer in answers} == {422}
    assert all("No complaint has this number and code" in text_of(answer) for answer in answers)
    assert ask(resident, "T\x00", "x").status_code == 400


def test_sending_twice_registers_once(resident):
    page = resident.get(FORM).text
    hidden = {name: re.search(rf'name="{name}" value="([^"]*)"', page)[1] for name in ("csrf_token", "key")}
    for _ in range(2):
        answer = resident.client.post(FORM, data={**hidden, "statement": "x", "household_count": "1"})
        assert answer.location.endswith(DONE)

    assert sent(resident) == 1


def form_of(web, **fields):
    page = web.get(FORM).text
    hidden = {name: re.search(rf'name="{name}" value="([^"]*)"', page)[1] for name in ("csrf_token", "key")}
    return {**hidden, "statement": "x", "household_count": "1", **fields}


@pytest.mark.parametrize("is_guarded", [True, False], ids=["once", "control"])
def test_a_double_click_registers_once(resident, is_guarded, monkeypatch):
    """Both clicks are on their way before either is answered: neither finds the other's complaint."""
    given = form_of(resident)
    if not is_guarded:
        monkeypatch.setattr(public_form, "_stored_key", lambda key: fingerprint(f"{key} {next(COUNT)}"))
    twice = [resident.office.app.test_client() for _click in range(2)]
    for client in twice:
        client.set_cookie("gatehouse", resident.client.get_cookie("gatehouse").value)
    with ThreadPoolExecutor() as clicks:
        answers = list(clicks.map(lambda client: client.post(FORM, data=given), twice))

    assert {answer.location for answer in answers} == {DONE}
    assert sent(resident) == (1 if is_guarded else 2)


def test_the_database_takes_one_form_once(resident):
    """What the look before does not see, when both are written at the same moment."""
    with resident.rows() as session:
        now = clock.now(session)
        policy = public_form.form_policy(session, now)
        public_form.submit(session, policy, Submission(statement="x"), now, form_key="one")
        session.flush()
        with pytest.raises(IntegrityError):
            public_form.submit(session, policy, Submission(statement="x"), now, form_key="one")


def test_back_with_another_text_asks_and_keeps_it(resident):
    """Nothing is dropped in silence: what was sent leads to its number, another matter is asked about."""
    given = form_of(resident)
    assert resident.client.post(FORM, data=given).location == DONE

    again = resident.client.post(FORM, data={**given, "statement": "又一件"})
    key = re.search(r'name="key" value="([^"]*)"', again.text)[1]

    assert again.status_code == 409
    assert "sent this form already" in text_of(again)
    assert "又一件" in again.text
    assert key != given["key"]
    assert resident.client.post(FORM, data={**given, "statement": "又一件", "key": key}).location == DONE
    assert sent(resident) == 2


def test_a_stranger_decides_no_severity(resident, web):
    """Until a clerk confirms: a usual complaint whose acknowledgement runs, first on the board (T3, T4)."""
    send(resident, is_injury="y", happening_now="y", household_count="40")
    with resident.rows() as session:
        ticket = session.scalars(select(Ticket)).one()
        key, usual, proposed = ticket.id, ticket.severity, severities.claims_of(ticket)
        assert (ticket.household_count, ticket.is_injury, ticket.level) == (1, False, 0)
        assert running(session) >= {"acknowledge", "first_word"}
        assert not running(session) & {"on_site", "report_manager"}
        with pytest.raises(Refused, match="First confirm"):
            work.resolve_on_spot(session, key, resolution="done", now=ticket.registered_at)

    board = text_of(web.get("/board/?of=all"))
    page = text_of(web.get(f"/tickets/details/?id={key}"))
    assert "To confirm" in board
    assert "40 households" in page
    assert "proposed: Major" in page
    assert proposed.is_injury

    act(web, key, "confirm_facts", answer="yes")
    with resident.rows() as session:
        ticket = session.get(Ticket, key)
        assert (usual, ticket.severity, ticket.household_count) == ("minor", "major", 40)
        assert running(session) >= {"on_site", "report_manager", "first_word"}
        assert "acknowledge" not in running(session)
        assert ticket.claimed_facts is None
    assert "To confirm" not in text_of(web.get("/board/?of=all"))


def test_what_is_not_so_stays_a_usual_complaint(resident):
    send(resident, is_injury="y")
    with resident.rows() as session:
        ticket = session.scalars(select(Ticket)).one()
        severities.confirm_claims(session, ticket.id, is_so=False, now=ticket.registered_at, note="a prank")

        assert (ticket.severity, ticket.is_injury, ticket.claimed_facts) == ("minor", False, None)
        with pytest.raises(Refused, match="waits to be confirmed"):
            severities.confirm_claims(session, ticket.id, is_so=True, now=ticket.registered_at)


def test_the_control_at_the_desk_the_same_facts_decide(resident):
    with resident.rows() as session:
        now = clock.now(session)
        facts = Facts(is_injury=True, happening_now=True, household_count=40)
        new = NewTicket("desk", "security", "x", now, facts=facts)
        ticket = register_ticket(session, new, now=now)

        assert ticket.severity == "major"
        assert running(session) >= {"on_site", "report_manager"}


def running(session):
    return set(session.scalars(select(TicketClock.clock).where(TicketClock.stopped_at.is_(None))))


def test_who_sends_too_much_waits(resident):
    """Five from one address; the sixth stays typed. Another address, and the same an hour later, may."""
    statuses = [send(resident).status_code for _ in range(6)]
    refused = send(resident, statement="第七件")

    assert statuses == [302] * 5 + [429]
    assert "Too many complaints" in text_of(refused)
    assert "第七件" in refused.text
    assert send(resident, "203.0.113.8").status_code == 302
    with resident.rows() as session:
        for row in session.scalars(select(SignInAttempt)):
            row.at -= timedelta(hours=1, seconds=1)
        session.commit()
    assert send(resident).status_code == 302
    assert sent(resident) == 7


def test_everybody_together_is_bounded_too(visitor):
    switch(visitor, in_total=2)

    statuses = [send(visitor, f"203.0.113.{number}").status_code for number in range(4)]

    assert statuses == [302, 302, 429, 429]


def test_guessing_codes_is_bounded(visitor):
    switch(visitor, asked_per_address=3)

    assert [ask(visitor, "T", "x").status_code for _ in range(4)] == [422, 422, 422, 429]
    assert ask(visitor, "T", "x", "203.0.113.9").status_code == 422


def test_what_is_not_taken(resident):
    """Nothing written: no text, a robot, a wrong file or too many, no token."""
    cases = {
        "empty": ({"statement": ""}, 422),
        "robot": ({"website": "http://x"}, 302),
        "script": ({"files": (io.BytesIO(b"<script>"), "x.png")}, 422),
        "many": ({"files": [(io.BytesIO(PNG), f"{n}.png") for n in range(4)]}, 422),
        "category": ({"category": "nonsense"}, 422),
        "nul": ({"statement": "a\x00b"}, 422),
        "token": ({"csrf_token": "x"}, 400),
    }
    for number, (name, (fields, status)) in enumerate(cases.items()):
        assert send(resident, f"203.0.113.{number}", **fields).status_code == status, name

    assert sent(resident) == 0


def test_a_file_is_taken_up_to_its_size(resident):
    """The other limit, of the whole request, is tried where a proxy would: before it is read."""
    with resident.rows() as session:
        now = clock.now(session)
        policy = public_form.form_policy(session, now)
        largest = policy.largest_mb * public_form.MEGABYTE
        fits, not_quite = (
            Submission(statement="x", files=[("x.png", PNG.ljust(size, b"0"))])
            for size in (largest, largest + 1)
        )
        public_form.submit(session, policy, fits, now)
        with pytest.raises(Refused, match="larger than 5 MB"):
            public_form.submit(session, policy, not_quite, now)

    token = {"csrf_token": resident.token("/login")}
    answer = resident.client.post(FORM, data=token, environ_overrides={"CONTENT_LENGTH": str(2**30)})
    assert answer.status_code == 413


@pytest.mark.parametrize(("address", "counted"), ADDRESSES)
def test_what_counts_as_one_address(address, counted):
    assert network_of(address) == counted


@pytest.mark.parametrize("changed", [{"per_address": 0}, {"largest_mb": 11}, {"most_files": 6}])
def test_impossible_numbers_are_refused(changed):
    row = {"is_on": True, "per_address": 5, "in_total": 60, "asked_per_address": 30, "most_files": 3,
           "largest_mb": 5, "unsure_category": "customer_service"}  # fmt: skip
    assert documents.typed(PublicForm, row).is_on
    assert refusal(PublicForm, {**row, **changed}).inputs["field"] == next(iter(changed))


def test_the_office_has_a_poster(web):
    assert "The form is off" in text_of(web.get("/public_form/"))
    switch(web)
    unset = web.get("/public_form/").text
    with web.rows() as session:
        session.scalars(select(Estate)).one().public_address = "https://estate.example/office/"
        session.commit()

    page = web.get("/public_form/").text

    assert "The public address is missing" in unset
    assert 'class="qr"' not in unset
    assert "https://estate.example/office/public/complaint/" in page
    assert "localhost/public/complaint" not in page
    assert "<svg" in page[page.index('class="qr"') :]
