"""Every kind of message, in three languages, as a real mail server received it: subject, text, HTML (D9)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime
from html.parser import HTMLParser
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from models.billing import FeeItem
from models.collection import Reminder, Restriction
from models.engine import writing
from models.office import Message
from models.people import Department, Staff, StaffRole
from models.property import Estate
from office.arrears import holds, reminder_messages, restrictions
from office.arrears.room import send_due
from office.complaints import alerts
from office.complaints.alerts import ClockEvent
from office.core.errors import Refused
from office.messaging.mail_page import page
from office.operations import nightly
from office.reports import mailing
from rules.reasons import Reason
from tests.conftest import Office
from tests.factories import arrears
from tests.factories.complaints import complain
from tests.factories.mail_server import Inbox, smtp_server
from tests.factories.sandbox import set_present

MONDAY = datetime(2026, 6, 1, 1, 0, tzinfo=UTC)  # nine o'clock in the office
DUE = date(2026, 5, 15)
NAMES = {"zh_Hans": "翠湖花园", "zh_Hant": "翠湖花園", "en": "Emerald Lake"}
UNITS = {"zh_Hans": "1-101", "zh_Hant": "1-102", "en": "1-103"}
MONTHS = {"zh_Hans": "2026年5月", "zh_Hant": "2026年5月", "en": "May 2026"}
DAYS = {"zh_Hans": "2026年6月1日", "zh_Hant": "2026年6月1日", "en": "1 June 2026"}
MEMOS = {"zh_Hans": "转账附言：", "zh_Hant": "附言：", "en": "Transfer memo: "}
ALERTS = {  # what an alert's sentence holds, by kind and language
    "escalation": {"zh_Hans": "超时", "zh_Hant": "超時", "en": "is late"},
    "restriction": {"zh_Hans": "解除", "zh_Hant": "解除", "en": "lifted"},
    "backup proof": {"zh_Hans": "备份", "zh_Hant": "備份", "en": "backup"},
}


@dataclass(frozen=True)
class Received:
    """One message as it arrived; `kind` as its key begins."""

    kind: str
    language: str
    letter: Any

    @property
    def subject(self) -> str:
        return str(self.letter["Subject"])

    @property
    def text(self) -> str:
        return str(self.letter.get_body(("plain",)).get_content())

    @property
    def html(self) -> str:
        return str(self.letter.get_body(("html",)).get_content())


class Words(HTMLParser):
    """The words of a page, and whatever it would load."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.words: list[str] = []
        self.loaded: list[str] = []
        self.feed(text)

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in {"img", "link", "script", "iframe", "object", "form"} or dict(attrs).get("src"):
            self.loaded.append(tag)


def fill(session: Session) -> None:
    """Every kind of message to a payer and a member of staff of each language."""
    estate = session.scalars(select(Estate)).one()
    estate.name, estate.name_zh_hant, estate.name_en = NAMES["zh_Hans"], NAMES["zh_Hant"], NAMES["en"]
    security = session.scalars(select(Department).where(Department.code == "security")).one()
    service = session.scalars(select(FeeItem)).first()
    assert service is not None
    for language, code in UNITS.items():
        person = Staff(login=language, name=language, language=language, email=f"{language}@staff.example")
        person.alert_url = f"email:{language}@staff.example"
        person.department, person.role_rows = (
            security,
            [StaffRole(role=one) for one in ("manager", "it_admin")],
        )
        session.add(person)
        debtor = arrears.add_unit(session, code, email=f"{language}@payer.example", language=language)
        arrears.add_bill(session, debtor, DUE, number=f"B2026-00000{code[-1]}")
        paid = arrears.add_unit(session, f"2-{code}", name="李明")
        bill = arrears.add_bill(session, paid, DUE, number=f"P-{code}")
        restricted = Restriction(
            unit_id=paid[0],
            payer_id=paid[1],
            invoice_id=bill.id,
            fee_item_id=service.id,
            contract_clause="§ 6",
            requested_on=DUE,
            reason=Reason("paid").to_json(),
            state="in_effect",
        )
        session.add(restricted)
        session.flush()
        arrears.pay(session, paid, "100", arrears.at(DUE))
        ticket = complain(session, unit_id=debtor[0])
        told = ClockEvent("escalation", ticket.id, 0, "solve", MONDAY, level=1, to_role="manager")
        alerts.enqueue_alerts(session, [told], MONDAY)
    arrears.judge(session, date(2026, 5, 1), MONDAY.date())
    restrictions.lift_paid(session, MONDAY)
    mailing.send_reports(session, MONDAY)
    nightly._alert(session, Refused(nightly.NO_BACKUP, folder="backups"), "2026-06-01", MONDAY)


@pytest.fixture
def received(office: Office) -> list[Received]:
    inbox = Inbox()
    with smtp_server(inbox) as port, writing(), office.app.app_context(), office.session() as session:
        office.app.config["SMTP_URL"] = f"smtp://127.0.0.1:{port}?from=office@estate.example"
        set_present(session, MONDAY)
        fill(session)
        session.commit()
        send_due(session, MONDAY)
        session.expire_all()
        sent = session.scalars(select(Message).where(Message.state == "sent").order_by(Message.id)).all()
        assert len(inbox.letters) == len(sent)
        keys = {(_one_line(one.subject), _one_line(one.body)): one.key for one in sent}
        languages = {one.key: one.language for one in sent}
        found = []
        for letter in inbox.letters:
            said = letter.get_body(("plain",)).get_content()
            key = keys[_one_line(str(letter["Subject"])), _one_line(said)]
            found.append(Received(re.split(r"[:\-]", key)[0].partition(" 2026")[0], languages[key], letter))
        return found


def _one_line(text: str) -> str:
    """A text without its folds."""
    return " ".join(text.split())


def test_every_message_says_for_whom_it_is_and_shows_no_code(received: list[Received]) -> None:
    kinds = {(one.kind, one.language) for one in received}
    assert kinds == {
        (kind, language)
        for kind in ("reminder", "report", "escalation", "restriction", "backup proof")
        for language in NAMES
    }
    for one in received:
        shown = Words(one.html)
        whole = re.sub(r"\s", "", "".join(shown.words))
        assert one.letter["From"].addresses[0].display_name == NAMES[one.language], one.subject
        assert one.letter["From"].addresses[0].addr_spec == "office@estate.example"
        assert NAMES[one.language] in one.subject
        assert re.sub(r"\s", "", one.text) in whole  # the page says what the text says
        assert shown.loaded == []
        for said in (one.subject, one.text, "".join(shown.words)):
            assert not re.search(r"None|[{}]|%\(|\bzh_Han|in_effect|escalation|\bsolve\b|paid\(", said), said
        if one.kind == "reminder":
            number = f"B2026-00000{UNITS[one.language][-1]}"
            assert UNITS[one.language] in one.subject
            assert MONTHS[one.language] in one.subject
            assert f"{MEMOS[one.language]}{UNITS[one.language]} {number}" in one.text
        elif one.kind == "report":
            assert DAYS[one.language] in one.subject
            assert re.search(r"2026", one.text.splitlines()[0])
            assert DAYS[one.language] in one.text
        else:
            assert ALERTS[one.kind][one.language] in one.text, one.text
        if one.kind in {"escalation", "restriction"}:
            assert re.search(r"1-10\d", one.subject)


@pytest.mark.parametrize("channel", ["sms", "wecom"])
@pytest.mark.usefixtures("inbox")
def test_a_text_message_names_estate_unit_bill_and_memo(session: Session, channel: str) -> None:
    set_present(session, MONDAY)
    debtor = arrears.add_unit(session, "1-101", email="a@payer.example", language="en")
    arrears.add_bill(session, debtor, DUE, number="B2026-000001")
    arrears.judge(session, date(2026, 5, 1), MONDAY.date())
    ids = []
    for row in session.scalars(select(Reminder).where(Reminder.channel == "email")):
        row.channel = channel
        ids.append(row.id)
    session.flush()
    ladder = holds.stored_ladder(session, MONDAY.date())
    estate = session.scalars(select(Estate.name)).one()

    texts = [row["body"] for row in reminder_messages.messages(session, ladder, ids, now=MONDAY)]

    assert texts
    for text in texts:
        assert text.startswith(f"[{estate}]")
        assert "Transfer memo: 1-101 B2026-000001" in text


def test_a_page_escapes_what_people_wrote_and_links_addresses() -> None:
    made = page(
        "<b>", "<script>x</script> {0} https://estate.example/a?b=1&c=2。\n\nN1  May  1 May  ¥1.00",
        sender="A & B", language="en",
    )  # fmt: skip

    assert "<script>" not in made
    assert "&lt;script&gt;x&lt;/script&gt; {0}" in made
    assert 'href="https://estate.example/a?b=1&amp;c=2"' in made
    assert "A &amp; B" in made
    assert made.count("<td align=") >= 4
