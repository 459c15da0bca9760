"""Reports that the clock mails to the manager, through a real mail server (K3, K5, §8)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from sqlalchemy import select

from models.engine import writing
from models.office import Message
from models.people import Staff, StaffRole
from tests.conftest import Office
from tests.factories.mail_server import Inbox, smtp_server

SUNDAY = datetime(2026, 5, 31, 4, tzinfo=UTC)  # noon in the office; Monday is the first of June
WEEKLY, MONTHLY = ["周例会表"], ["收缴月报", "投诉月报"]
CASES = (
    # how long after Sunday noon, and what the manager has got by then
    (timedelta(hours=1), []),
    (timedelta(days=1), WEEKLY + MONTHLY),
    (timedelta(days=2), WEEKLY + MONTHLY),
    (timedelta(days=8), WEEKLY + MONTHLY + WEEKLY),
)


def named(subject: str) -> str:
    """Which report a subject names."""
    return next(name for name in (*WEEKLY, *MONTHLY) if name in subject)


def test_the_manager_gets_each_report_on_its_day_once(office: Office) -> None:
    with writing(), office.session() as session:
        for login, role in (("boss", "manager"), ("clerk", "front_desk")):
            staff = Staff(login=login, name=login, email=f"{login}@example.invalid", language="zh_Hans")
            staff.role_rows = [StaffRole(role=role)]
            session.add(staff)
        session.commit()
    inbox, seen = Inbox(), []

    with smtp_server(inbox) as port:
        office.app.config["SMTP_URL"] = f"smtp://127.0.0.1:{port}?from=office@estate.example"
        for later, _got in CASES:
            for _twice in range(2):
                done = office.run("tick", "--at", (SUNDAY + later).isoformat())
                assert done.exit_code == 0, done.output
            seen.append([named(letter["Subject"]) for letter in inbox.letters])

    assert [sorted(found) for found in seen] == [sorted(got) for _later, got in CASES]
    assert set(inbox.recipients) == {"boss@example.invalid"}

    weekly = next(each for each in inbox.letters if "周例会表" in each["Subject"])
    for kind in ("plain", "html"):  # the same words, in a face of one width where the reader shows it
        said = weekly.get_body((kind,)).get_content()
        assert all(words in said for words in ("楼管员", "已升级投诉", "本周到期的缴费承诺"))
    with office.session() as session:
        assert set(session.scalars(select(Message.state))) == {"sent"}
