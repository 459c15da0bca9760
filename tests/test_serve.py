"""`app.py` from nothing: set-up without questions, web and clock together, both gone afterwards (§8)."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import psutil
import pytest
from sqlalchemy import Engine, NullPool, create_engine, make_url, select, text, update
from sqlalchemy.orm import Session

from models import db
from models.engine import writing
from models.property import Estate
from office.core import clock, schema
from office.rooms import TIMETABLE
from office.scheduling import scheduler
from tests.conftest import SECRET_KEY, Office, Templates
from tests.factories.mail_server import free_port
from tests.kills.machines import wait_until

ROOT = Path(__file__).parent.parent


class Served:
    """One `python app.py`."""

    def __init__(self, instance: Path, server: str = "", url: str = "", key: str = "") -> None:
        self.port = free_port()
        self.log = instance.with_suffix(".log")
        environment = {name: value for name, value in os.environ.items() if not name.startswith("GATEHOUSE_")}
        environment |= {"GATEHOUSE_INSTANCE": str(instance), "GATEHOUSE_SERVER": server, "LANG": "en"}
        environment |= {"GATEHOUSE_DATABASE_URL": url, "GATEHOUSE_SECRET_KEY": key}
        with self.log.open("a") as log:
            self.process = subprocess.Popen(
                [sys.executable, "app.py", "--port", str(self.port)],
                cwd=ROOT,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    def get(self, path: str) -> tuple[int, str]:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=10) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode()

    def wait(self) -> None:
        """Until pages are served, a minute at most."""
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            try:
                self.get("/login")
            except OSError:
                assert self.process.poll() is None, self.log.read_text()
                time.sleep(0.1)
            else:
                return
        raise AssertionError(self.log.read_text())

    def family(self) -> list[psutil.Process]:
        return psutil.Process(self.process.pid).children(recursive=True)


def is_clock(process: psutil.Process) -> bool:
    try:
        return "clock" in process.cmdline()
    except psutil.Error:  # it ended meanwhile
        return False


def all_gone(family: list[psutil.Process]) -> bool:
    _gone, alive = psutil.wait_procs(family, timeout=20)
    return not alive


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Callable[..., Served]]:
    opened: list[Served] = []

    def open_office(server: str = "") -> Served:
        opened.append(Served(tmp_path / "instance", server))
        opened[-1].wait()
        return opened[-1]

    yield open_office
    for served in opened:
        if served.process.poll() is None:
            served.process.terminate()
            served.process.wait(20)


@pytest.mark.kill
def test_the_first_run_sets_up_and_serves_and_a_second_finds_it_again(serve: Callable[..., Served]) -> None:
    served = serve()
    family = served.family()

    status, body = served.get("/healthz")
    said = served.log.read_text()

    assert status == 200, body
    assert json.loads(body)["last_tick_age_seconds"] < 60
    assert said.count("One-time password:") == 1
    assert f"http://127.0.0.1:{served.port}" in said
    assert served.get("/")[0] == 200  # the sign-in page
    assert any(is_clock(process) for process in family)

    served.process.send_signal(signal.SIGTERM)
    assert served.process.wait(20) == 0
    assert all_gone(family)

    again = serve()
    assert again.get("/healthz")[0] == 200
    assert again.log.read_text().count("One-time password:") == 1


@pytest.mark.kill
@pytest.mark.parametrize("dialect", ["postgresql"])
def test_hosts_that_start_at_once_set_up_one_office(
    dialect: str, templates: Templates, tmp_path: Path
) -> None:
    url = templates._empty(dialect, f"at_once_{templates.worker}", tmp_path)
    engine = create_engine(make_url(url).set(drivername="postgresql+psycopg"), poolclass=NullPool)

    with schema.alone(engine):  # as the third host does
        hosts = [Served(tmp_path / name, url=url, key=SECRET_KEY) for name in ("a", "b")]
        wait_until(lambda: waiting(engine) == len(hosts), "both wait for their turn")
    for host in hosts:
        host.wait()
    said = "".join(host.log.read_text() for host in hosts)
    for host in hosts:
        host.process.terminate()
        host.process.wait(20)
    templates.drop(url)

    assert said.count("One-time password:") == 1
    assert said.count("Gatehouse is open") == len(hosts)


def waiting(engine: Engine) -> int:
    with engine.connect() as connection:
        return int(connection.scalar(text("SELECT count(*) FROM pg_locks WHERE NOT granted")) or 0)


@pytest.mark.kill
def test_nothing_stays_behind_when_it_is_killed(serve: Callable[..., Served]) -> None:
    served = serve()
    family = served.family()
    assert len(family) >= 2

    served.process.kill()
    served.process.wait()

    assert all_gone(family)


@pytest.mark.kill
def test_a_clock_that_is_killed_comes_back(serve: Callable[..., Served]) -> None:
    served = serve()
    first = next(filter(is_clock, served.family()))

    first.kill()

    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        clocks = list(filter(is_clock, served.family()))
        if clocks and clocks[0].pid != first.pid:
            return
        time.sleep(0.1)
    raise AssertionError("no clock came back")


@pytest.mark.kill
def test_waitress_serves_where_granian_can_not(serve: Callable[..., Served]) -> None:
    served = serve("waitress")

    assert served.get("/healthz")[0] == 200
    served.process.send_signal(signal.SIGTERM)
    assert served.process.wait(20) == 0


@pytest.mark.kill
@pytest.mark.parametrize("dialect", ["sqlite"])
class TestRefusals:
    def start(self, office: Office, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "app.py", "--port", "0", *arguments],
            check=False,
            cwd=ROOT,
            env=office.environment | {"LANG": "en"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
        )

    def test_a_database_that_lost_a_trigger_is_not_opened(self, office: Office) -> None:
        with office.session() as session, writing():
            session.execute(text("DROP TRIGGER payment_is_never_deleted"))
            session.commit()

        refused = self.start(office)

        assert refused.returncode == 1
        assert "payment_is_never_deleted" in refused.stderr

    def test_a_database_that_is_away_is_told_with_the_reason(self, office: Office) -> None:
        office.environment["GATEHOUSE_DATABASE_URL"] = "postgresql://office@127.0.0.1:1/office"

        refused = self.start(office)

        assert refused.returncode == 1
        assert "The database does not answer" in refused.stderr
        assert "refused" in refused.stderr
        assert "Traceback" not in refused.stderr

    def test_a_port_in_use_is_told(self, office: Office) -> None:
        import socket

        with socket.socket() as other:
            other.bind(("127.0.0.1", 0))
            other.listen()

            refused = self.start(office, "--port", str(other.getsockname()[1]))

        assert refused.returncode == 1
        assert "--port" in refused.stderr


class TestHealth:
    """200 while the clock beats, 503 when it has been silent."""

    def answer(self, office: Office, age: timedelta | None) -> tuple[int, float | None]:
        with office.app.app_context(), writing():
            session: Session = db.session()
            heartbeat = None if age is None else clock.machine_now() - age
            session.execute(update(Estate).values(heartbeat_at=heartbeat))
            session.commit()
        got = office.app.test_client().get("/healthz")
        return got.status_code, got.get_json()["last_tick_age_seconds"]

    @pytest.mark.parametrize(
        ("age", "status"),
        [
            (timedelta(0), 200),
            (timedelta(seconds=85), 200),
            (timedelta(seconds=91), 503),
            (timedelta(days=1), 503),
            (None, 503),
        ],
    )
    def test_by_the_age_of_the_last_tick(self, office: Office, age: timedelta | None, status: int) -> None:
        answered, seconds = self.answer(office, age)

        assert answered == status
        assert (seconds is None) == (age is None)

    def test_a_sandbox_whose_time_stands_still_is_healthy(self, office: Office) -> None:
        office.run("tick", "--at", "2026-03-01T09:00")
        self.answer(office, timedelta(days=1))

        with office.app.app_context():
            scheduler.tick(db.session(), TIMETABLE, is_whole_minute=True)
            assert db.session.scalar(select(Estate.present_at)) == clock.now(db.session())

        assert office.app.test_client().get("/healthz").status_code == 200

    def test_a_database_never_set_up_is_no_error(self, office_of: Callable[..., Office]) -> None:
        assert office_of("none").app.test_client().get("/healthz").status_code == 503
