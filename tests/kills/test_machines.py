"""Several machines: hosts killed, cut off and left without a database; each effect as with one clock alone.

Only at full size (GATEHOUSE_FULL=1), as root on Linux: network namespaces stand for hosts. One has
PostgreSQL, two serve pages, three have clocks, one is the desk with the mail server. GATEHOUSE_DAYS says how
many days the clocks catch up (40). What they did is compared with a copy of the office that one undisturbed
clock has caught up.
"""

from __future__ import annotations

import gc
import os
import signal
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from app import create_app
from models import db
from models.billing import Invoice
from models.collection import Reminder
from models.complaints import Category, Escalation
from models.engine import writing
from models.office import JobRun, Message
from models.property import Estate
from office.complaints.registration import NewTicket, register_ticket
from office.core import clock
from office.rooms import TIMETABLE, findings
from office.scheduling import scheduler
from rules.severity import Facts
from runtime.application import engine_of
from runtime.settings import Settings
from tests.conftest import ADMIN_PASSWORD, IS_FULL, SECRET_KEY
from tests.factories.arrears import SHANGHAI, add_bill, add_unit
from tests.factories.mail_server import SlowInbox
from tests.kills import machines
from tests.kills.tills import CASHIERS, Till, add_cashier, lost_and_doubled

DAYS = int(os.environ.get("GATEHOUSE_DAYS", "40"))
DEBTORS, TICKETS = 40, 6
LEASE = 20  # seconds, here
CUT = 45  # longer than the lease, and than the server takes to miss a host and let its locks go
SMTP_PORT = 2525
WHY_NOT = machines.why_no_hosts() if IS_FULL else "some minutes of many processes: GATEHOUSE_FULL=1"

pytestmark = [
    pytest.mark.kill,
    pytest.mark.timeout(900),
    pytest.mark.skipif(bool(WHY_NOT), reason=WHY_NOT),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),  # cut connections
]


@pytest.fixture(autouse=True)
def nothing_left_open() -> Iterator[None]:
    yield
    gc.collect()


@dataclass
class Scene:
    """The hosts, the office, and what runs where."""

    network: machines.Network
    server: machines.Postgres
    desk: machines.Host
    webs: list[machines.Host]
    clocks: list[machines.Host]
    environment: dict[str, str]
    folder: Path
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    opened: ExitStack = field(default_factory=ExitStack)

    def run(self, host: machines.Host, command: list[str]) -> None:
        instance = self.folder / host.name
        instance.mkdir(exist_ok=True)
        environment = self.environment | {"GATEHOUSE_INSTANCE": str(instance)}
        process = self.opened.enter_context(
            machines.running(command, environment, self.folder / f"{host.name}.log", host)
        )
        self.processes[host.name] = process

    def start_clock(self, host: machines.Host) -> None:
        self.run(host, [*machines.CLOCK, str(LEASE)])


@contextmanager
def scene(tmp_path: Path) -> Iterator[Scene]:
    with ExitStack() as opened:
        network = opened.enter_context(machines.Network())
        database, desk = network.host("db"), network.host("desk")
        webs = [network.host("web1"), network.host("web2")]
        clocks = [network.host(f"clock{number}") for number in (1, 2, 3)]
        server = opened.enter_context(machines.postgres(database))
        opened.enter_context(machines.at(desk))
        environment = os.environ | {
            "GATEHOUSE_DATABASE_URL": server.url("office"),
            "GATEHOUSE_SECRET_KEY": SECRET_KEY,
            "GATEHOUSE_SMTP_URL": f"smtp://{desk.address}:{SMTP_PORT}",
        }
        running = opened.enter_context(ExitStack())
        yield Scene(network, server, desk, webs, clocks, environment, tmp_path, opened=running)


def settle(url: str, folder: Path) -> Any:
    """An office that was left alone for DAYS: debtors with addresses, complaints, empty units at the till."""
    from office.core import schema as database
    from office.operations import setup

    app = create_app(Settings(instance=folder, database_url=url, secret_key=SECRET_KEY))
    database.migrate(engine_of(app))
    since = clock.machine_now() - timedelta(days=DAYS)
    with app.app_context(), writing():
        session = db.session()
        setup.set_up(session, "residential", now=since, admin_password=ADMIN_PASSWORD)
        due_on = since.astimezone(SHANGHAI).date() + timedelta(days=1)
        for number in range(DEBTORS):
            debtor = add_unit(session, f"1-{number:03}", f"业主{number}", email=f"{number}@example.org")
            add_bill(session, debtor, due_on, amount=str(100 + number), issued_on=due_on - timedelta(days=10))
        for number in range(20):
            add_unit(session, f"9-{number:03}")
        category = session.execute(select(Category.code)).scalars().first()
        for _ in range(TICKETS):
            register_ticket(
                session,
                NewTicket(
                    channel="desk",
                    category=str(category),
                    statement="灯不亮",
                    facts=Facts(is_media=True),
                    registered_at=since,
                    unit_id=1,
                ),
                now=since,
            )
        add_cashier(session)
        session.execute(update(Estate).values(last_tick_at=since))
        session.commit()
        db.session.remove()
        db.engine.dispose()
    return app


def effects(session: Session) -> dict[str, Counter[Any]]:
    """What clocks have done, as one may count it."""
    rows = {
        "reminders": select(Reminder.unit_id, Reminder.stage, Reminder.planned_on, Reminder.reason_code),
        "escalations": select(Escalation.ticket_clock_id, Escalation.level, Escalation.at),
        "invoices": select(Invoice.unit_id, Invoice.period, Invoice.late_fee, Invoice.balance, Invoice.stage),
        "messages": select(Message.address, Message.subject, Message.channel),
        "runs": select(JobRun.job, JobRun.due_for, JobRun.state).where(JobRun.job.in_(DATED)),
    }
    found = {name: Counter(map(tuple, session.execute(rows[name]))) for name in rows}
    return found | {"findings": Counter((each.check, each.name) for each in findings(session))}


DATED = [job.code for job in TIMETABLE if job.at is not None]


def done(app: Any) -> int:
    with app.app_context():
        finished = select(func.count()).where(JobRun.state == "done", JobRun.job.in_(DATED))
        count = db.session.execute(finished).scalar_one()
        db.session.remove()
    return int(count)


def leader(app: Any) -> tuple[str, int]:
    """Host and process of whoever works at a run right now."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        with app.app_context():
            found = db.session.execute(select(JobRun.claimed_by).where(JobRun.state == "running")).scalars()
            claims = list(found)
            db.session.remove()
        if claims:
            host, pid, _started = claims[0].rsplit(":", 2)
            return host, int(pid)
    raise AssertionError("no clock works")


class Proxy:
    """Asks the web host that answered last, else the other: what a reverse proxy does."""

    def __init__(self, webs: list[machines.Host]) -> None:
        self.bases = [f"http://{web.address}:8000" for web in webs]
        self.browser = machines.Browser(self.bases[0], seconds=35)
        self.moves = 0

    def post(self, path: str, fields: dict[str, Any]) -> machines.Answer:
        answer = self.browser.post(path, fields)
        if answer.status == 0:
            self.moves += 1
            self.bases.reverse()
            self.browser.base = self.bases[0]
            answer = self.browser.post(path, fields)
        return answer


def test_hosts_die_and_are_cut_off(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    letters, alone = SlowInbox(), SlowInbox()
    with scene(tmp_path) as at_work:
        server, desk = at_work.server, at_work.desk
        mail = Controller(letters, hostname=desk.address, port=SMTP_PORT)
        mail.start()
        at_work.opened.callback(mail.stop)
        app = settle(server.make("office"), tmp_path)
        server.make("reference", template="office")
        total = len(
            [
                0
                for job in TIMETABLE
                for _ in job.due_between(
                    clock.machine_now() - timedelta(days=DAYS), clock.machine_now(), SHANGHAI
                )
            ]
        )

        for host in at_work.webs:
            at_work.run(host, machines.WEB)
        for host in at_work.clocks:
            at_work.start_clock(host)
        tills = open_tills(at_work)
        stop = threading.Event()
        threads = [threading.Thread(target=till.work, args=(stop,), daemon=True) for till in tills]
        for thread in threads:
            thread.start()
        at_work.opened.callback(stop.set)
        said: list[str] = []

        def reach(share: float) -> None:
            machines.wait_until(lambda: done(app) >= total * share, f"{share:.0%} of {total} runs", 120)

        reach(0.1)
        name, pid = leader(app)
        os.kill(pid, signal.SIGKILL)
        said.append(f"killed {name} at {done(app)}/{total}")
        at_work.start_clock(next(host for host in at_work.clocks if host.name == name))

        reach(0.25)
        said.append(f"PostgreSQL stopped hard at {done(app)}/{total}")
        server.stop()
        time.sleep(1)
        server.start()

        reach(0.4)
        name, _pid = leader(app)
        cut = next(host for host in at_work.clocks if host.name == name)
        cut.unplug()
        at_cut, begun = done(app), time.monotonic()
        machines.wait_until(lambda: done(app) > at_cut + 5, "another clock takes over", 120)
        said.append(
            f"cut {name} off at {at_cut}/{total}: another took over in {time.monotonic() - begun:.0f} s"
        )

        web = at_work.webs[0]
        web.unplug()
        moved = [len(till.receipts) for till in tills]
        machines.wait_until(
            lambda: all(len(till.receipts) > before for till, before in zip(tills, moved, strict=True)),
            "the other web host answers",
            3 * CUT,
        )
        said.append(f"cut {web.name} off: the other answers")
        web.plug_in()
        time.sleep(max(0, CUT - (time.monotonic() - begun)))
        cut.plug_in()

        reach(1)
        wait_for_mail(app)
        stop.set()
        for thread in threads:
            thread.join(60)
        assert all(process.poll() is None for process in at_work.processes.values())
        with app.app_context():
            happened = effects(db.session())
            states = dict(db.session.execute(select(Message.key, Message.state)).all())
            subjects = Counter(db.session.execute(select(Message.state)).scalars())
            db.session.remove()
            db.engine.dispose()
        lost, doubled = lost_and_doubled(app, tills)
        with app.app_context():
            db.engine.dispose()

        expected = caught_up_alone(server.url("reference"), tmp_path, alone, desk, monkeypatch)

    for name, counted in expected.items():
        extra, missing = happened[name] - counted, counted - happened[name]
        assert (name, list(extra)[:5], list(missing)[:5]) == (name, [], [])
    assert (lost, doubled) == ([], [])
    assert set(states.values()) <= {"sent", "unknown"}
    assert sum(letters.received.values()) <= len(states)
    assert [till.unreadable for till in tills] == [[]] * len(tills)
    print("; ".join(said))
    print({name: sum(counted.values()) for name, counted in happened.items()}, dict(subjects))
    print(
        f"mails received {sum(letters.received.values())}, receipts {sum(len(t.receipts) for t in tills)}, "
        f"answers {dict(sum((till.answers for till in tills), Counter()))}"
    )


def open_tills(at_work: Scene) -> list[Till]:
    tills = []
    for number in range(CASHIERS):
        proxy = Proxy(at_work.webs)
        machines.wait_until(lambda proxy=proxy: proxy.browser.get("/login").status == 200, "the office opens")
        assert proxy.browser.sign_in("till", ADMIN_PASSWORD).status == 302
        tills.append(Till(proxy, f"till{number}", first_unit=DEBTORS + 1, units=20))
    return tills


def wait_for_mail(app: Any) -> None:
    """Until nothing is left to send; the minute's job sends what the last days decided."""

    def left() -> int:
        with app.app_context():
            waiting = select(func.count()).where(Message.state.in_(("pending", "sending")))
            count = db.session.execute(waiting).scalar_one()
            db.session.remove()
        return int(count)

    machines.wait_until(lambda: left() == 0, "the mail leaves", 150)


def caught_up_alone(
    url: str, folder: Path, alone: SlowInbox, desk: machines.Host, monkeypatch: pytest.MonkeyPatch
) -> dict[str, Counter[Any]]:
    """The same days, by one tick that nobody disturbs."""
    mail = Controller(alone, hostname=desk.address, port=SMTP_PORT + 1)
    mail.start()
    monkeypatch.setenv("GATEHOUSE_SMTP_URL", f"smtp://{desk.address}:{SMTP_PORT + 1}")
    alone.seconds = 0
    smtp_url = os.environ["GATEHOUSE_SMTP_URL"]
    app = create_app(Settings(instance=folder, database_url=url, secret_key=SECRET_KEY, smtp_url=smtp_url))
    try:
        with app.app_context(), writing():
            scheduler.tick_to_the_end(db.session(), TIMETABLE)
            expected = effects(db.session())
            db.session.remove()
            db.engine.dispose()
    finally:
        mail.stop()
    return expected
