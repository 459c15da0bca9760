"""F13: the database stopped hard, the disk full: said in a sentence, nothing lost or doubled, all well again.

PostgreSQL is stopped (immediate, as if the power had gone) GATEHOUSE_STOPS times under cashiers and clocks:
once in the gate, ten times and with the control at GATEHOUSE_FULL=1. A full disk is a small tmpfs where this
user may mount one. A mail server that is away for an hour stands in tests/office/messaging/test_outbox.py.
"""

from __future__ import annotations

import gc
import os
import shutil
import subprocess
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import func, select

from app import create_app
from models import db
from models.engine import writing
from models.office import Audit, Message
from models.payments import Payment
from models.property import Area, Unit
from office.core import clock, outages, schema
from office.messaging import outbox
from office.operations import setup
from office.rooms import TIMETABLE, findings
from office.scheduling import scheduler
from runtime.application import engine_of
from runtime.settings import Settings
from tests.admin.conftest import Web, text_of
from tests.bench import estate
from tests.conftest import ADMIN_PASSWORD, IS_FULL, SECRET_KEY, Office
from tests.factories.mail_server import SlowInbox
from tests.kills import machines
from tests.kills.tills import CASHIERS, UNITS, Till, add_cashier, lost_and_doubled

STOPS = int(os.environ.get("GATEHOUSE_STOPS", "10" if IS_FULL else "1"))
WEBS = 2 if IS_FULL else 1
LETTERS_A_ROUND = 5


@pytest.fixture(autouse=True)
def nothing_left_open() -> Iterator[None]:
    yield
    gc.collect()


# --- PostgreSQL stopped hard --------------------------------------------------------------------------


def settle(settings: Settings) -> Flask:
    """An office in real time with units, bills and a cashier."""
    app = create_app(settings)
    schema.migrate(engine_of(app))
    now = clock.machine_now()
    with app.app_context(), writing():
        session = db.session()
        setup.set_up(session, "residential", now=now - timedelta(days=1), admin_password=ADMIN_PASSWORD)
        estate.fill_property(estate.Dialect(db.engine.dialect.name), UNITS)
        add_cashier(session)
        session.commit()
        db.session.remove()
    return app


@contextmanager
def working(server: machines.Postgres, tmp_path: Path, webs: int) -> Iterator[tuple[Flask, list[Till]]]:
    """An office on this server, open on so many web hosts with a clock each, and cashiers at its tills."""
    settings = Settings(
        instance=tmp_path,
        database_url=server.make("office"),
        secret_key=SECRET_KEY,
        smtp_url=os.environ.get("GATEHOUSE_SMTP_URL", ""),
    )
    app = settle(settings)
    environment = os.environ | {
        "GATEHOUSE_INSTANCE": str(tmp_path),
        "GATEHOUSE_DATABASE_URL": settings.database_url,
        "GATEHOUSE_SECRET_KEY": SECRET_KEY,
        "GATEHOUSE_WORKERS": "1",
    }
    stop = threading.Event()
    with ExitStack() as opened:
        opened.callback(stop.set)
        ports = [machines.free_port() for _ in range(webs)]
        for port in ports:
            opened.enter_context(machines.running([*machines.APP, str(port)], environment, tmp_path / "log"))
        tills = []
        for number in range(CASHIERS):
            browser = machines.Browser(f"http://127.0.0.1:{ports[number % webs]}")
            machines.wait_until(
                lambda browser=browser: browser.get("/login").status == 200, "the office opens"
            )
            assert browser.sign_in("till", ADMIN_PASSWORD).status == 302
            tills.append(Till(browser, f"till{number}"))
        threads = [threading.Thread(target=till.work, args=(stop,), daemon=True) for till in tills]
        for thread in threads:
            thread.start()
        yield app, tills
        stop.set()
        for thread in threads:
            thread.join(60)
    with app.app_context():
        db.engine.dispose()


def await_receipts(tills: list[Till], more: int) -> None:
    """Until each cashier has given out so many more."""
    wanted = [len(till.receipts) + more for till in tills]
    machines.wait_until(
        lambda: all(len(till.receipts) >= least for till, least in zip(tills, wanted, strict=True)),
        "the cashiers work",
    )


@pytest.mark.kill
@pytest.mark.timeout(900)
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # connections that were cut
def test_postgresql_stopped_hard(tmp_path: Path, letters: SlowInbox) -> None:
    with machines.postgres() as server, working(server, tmp_path, WEBS) as (app, tills):
        for number in range(STOPS):
            await_receipts(tills, 5)
            with app.app_context(), writing():
                for letter in range(LETTERS_A_ROUND):
                    text = f"{number} {letter}"
                    outbox.enqueue(
                        db.session(), text, "email", "a@example.org", body=text, now=clock.machine_now()
                    )
                db.session.commit()
                db.session.remove()
            server.stop()
            time.sleep(1)
            page, health = tills[0].browser.get("/"), tills[0].browser.get("/healthz")
            server.start()
            assert (page.status, health.status) == (503, 503)
            assert "The database does not answer" in page.text
        await_receipts(tills, 3)
        machines.wait_until(
            lambda: tills[0].browser.get("/healthz").status == 200, "a clock ticks again", seconds=90
        )

        lost, doubled = lost_and_doubled(app, tills)
        assert (lost, doubled) == ([], [])
        assert [till.unreadable for till in tills] == [[]] * CASHIERS
        assert "Traceback" not in page.text
        with app.app_context(), writing():
            scheduler.tick_to_the_end(db.session(), TIMETABLE)
            assert findings(db.session()) == []
            states = dict(db.session.execute(select(Message.key, Message.state)).all())
            db.session.remove()
    assert len(states) == STOPS * LETTERS_A_ROUND
    assert set(states.values()) <= {"sent", "unknown"}
    assert all(letters.received[key] == 1 for key, state in states.items() if state == "sent")
    assert max(letters.received.values()) == 1
    written = (tmp_path / "logs" / "gatehouse.log").read_text()
    begun, over = (written.count(f"the database is {word}") for word in ("away", "back"))
    assert 1 <= begun <= STOPS
    assert over == begun
    receipts = sum(len(till.receipts) for till in tills)
    answers = sum((till.answers for till in tills), Counter())
    print(f"{STOPS} stops, {receipts} receipts, answers {dict(answers)}, letters {Counter(states.values())}")


@pytest.mark.kill
@pytest.mark.skipif(not IS_FULL, reason="the control takes half a minute: GATEHOUSE_FULL=1")
def test_a_server_that_does_not_wait_for_its_disk_loses_receipts(tmp_path: Path) -> None:
    """The control: commits acknowledged before they are written are what the test must see as lost."""
    with (
        machines.postgres(synchronous_commit="off", wal_writer_delay="10s") as server,
        working(server, tmp_path, 1) as (app, tills),
    ):
        lost: list[str] = []
        for _ in range(5):
            await_receipts(tills, 5)
            server.stop()
            server.start()
            lost += lost_and_doubled(app, tills)[0]
            if lost:
                break
    assert lost != []


# --- the disk is full ---------------------------------------------------------------------------------


@dataclass
class Disk:
    """A small disk that can be filled to the last byte."""

    folder: Path

    def fill(self) -> None:
        with (self.folder / "ballast").open("wb", buffering=0) as file:
            for size in (1 << 20, 4096, 1):
                try:
                    while True:
                        file.write(b"0" * size)
                except OSError:
                    continue

    def make_room(self) -> None:
        (self.folder / "ballast").unlink()


@pytest.fixture
def disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Disk]:
    """A tmpfs of 24 MB on which everything lies: the office and what is written for a moment."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = shutil.which("mount")
    if mount is None or os.geteuid() != 0:
        pytest.skip("only root may mount a small disk")
    done = subprocess.run(
        [mount, "-t", "tmpfs", "-o", "size=24m", "tmpfs", str(folder)], capture_output=True, check=False
    )
    if done.returncode:
        pytest.skip(f"no small disk can be mounted here: {done.stderr.decode().strip()}")
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    yield Disk(folder)
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


@pytest.fixture
def crowded(disk: Disk, office_of: Callable[..., Office]) -> Iterator[tuple[Office, Disk, Web]]:
    """An office on the small disk, whose errors are answered as they are to a visitor."""
    source = office_of("residential")
    instance = disk.folder / "instance"
    instance.mkdir()
    with source.app.app_context():
        db.engine.dispose()
    shutil.copy(source.instance / "gatehouse.db", instance)
    app = create_app(Settings(instance=instance, secret_key=SECRET_KEY))
    with app.app_context(), writing():
        estate.fill_property(estate.Dialect("sqlite"), UNITS)
        db.session.commit()
        db.session.remove()
    office = Office(app, f"sqlite:///{instance / 'gatehouse.db'}", instance)
    web = Web(office, app.test_client())
    assert web.sign_in().status_code == 302
    yield office, disk, web
    with app.app_context():
        db.engine.dispose()


def area(name: str) -> dict[str, str]:
    return {"name": name, "position": "1"}


EDGE = "edge"


def as_upload(token: str) -> bytes:
    """A file too large for memory, written out by hand: the browser's disk is not full."""
    parts = (
        ("csrf_token", token, ""),
        ("kind", "roster", ""),
        ("file", "x" * (2 << 20), '; filename="a.csv"'),
    )
    written = "".join(
        f'--{EDGE}\r\nContent-Disposition: form-data; name="{name}"{more}\r\n\r\n{value}\r\n'
        for name, value, more in parts
    )
    return f"{written}--{EDGE}--\r\n".encode()


def count(office: Office, model: type) -> int:
    with office.session() as session:
        return session.scalar(select(func.count()).select_from(model)) or 0


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # Werkzeug's upload, unclosed
@pytest.mark.parametrize("dialect", ["sqlite"])
def test_a_full_disk(crowded: tuple[Office, Disk, Web]) -> None:
    office, disk, web = crowded
    folder = office.instance
    areas, audits, before = count(office, Area), count(office, Audit), set(folder.iterdir())
    token = web.token()

    def post(path: str, **fields: object) -> object:
        return web.client.post(path, data={"csrf_token": token, **fields})

    disk.fill()
    long = "街" * 900
    saved = [post("/areas/new/", **area("Full"), note=long) for _ in range(40)]
    paid = post("/cashier/take/", unit_id=1, amount="10", method="cash", note=long[:400])
    upload = web.client.post(
        "/imports/", data=as_upload(token), content_type=f"multipart/form-data; boundary={EDGE}"
    )
    gc.collect()
    shown = web.get("/units/")
    backup = office.run("backup", folder / "office.zip")
    export = office.run("export", "units", folder / "units.csv")
    tick = office.run("bill", "2026-02")

    refused = [answer for answer in (*saved, paid, upload) if answer.status_code >= 400]
    assert refused[-2:] == [paid, upload]
    for answer in refused:
        assert answer.status_code in {422, 503}, text_of(answer)
        assert "The disk is full: nothing was saved." in text_of(answer)
    assert shown.status_code == 200
    for command in (backup, export, tick):
        assert command.exit_code == 1, command.output
        assert len(command.stderr.splitlines()) == 1
    done = len(saved) + 2 - len(refused)
    assert count(office, Area) == areas + done
    assert count(office, Audit) == audits + done
    assert set(folder.iterdir()) == before
    with office.session() as session:
        assert findings(session) == []

    disk.make_room()

    assert post("/areas/new/", **area("Room")).status_code == 302
    assert post("/cashier/take/", unit_id=1, amount="10", method="cash").status_code == 302
    assert office.run("backup", folder / "office.zip").exit_code == 0
    assert office.run("export", "units", folder / "units.csv").exit_code == 0
    assert count(office, Payment) == 1


@pytest.mark.parametrize("dialect", ["sqlite"])
def test_without_the_sentence_a_full_disk_is_a_crash(
    crowded: tuple[Office, Disk, Web], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control."""
    office, disk, web = crowded
    monkeypatch.setattr(outages, "sentence", lambda _error: None)
    token = web.token()
    disk.fill()

    answer = web.client.post(
        "/cashier/take/", data={"csrf_token": token, "unit_id": 1, "amount": "10", "method": "cash"}
    )

    assert answer.status_code == 500
    assert count(office, Unit) == UNITS
