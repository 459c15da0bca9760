"""F19, S20: clients that are silent, slow or don't read stop nobody, and each is ended by a deadline.

`python app.py` alone, without a proxy before it. The control is the server as it would be without reading
requests whole: Granian's own WSGI side with as many threads.
"""

from __future__ import annotations

import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

import pytest
from sqlalchemy import select

from models.property import Area
from tests.conftest import ADMIN_PASSWORD, Office
from tests.factories.slow_clients import HABITS, swarm
from tests.kills.machines import Browser, free_port, wait_until

pytestmark = [pytest.mark.kill, pytest.mark.xdist_group("slow_clients")]

ROOT = Path(__file__).parents[2]
PATIENCE = 3  # seconds; 30 in an office
LATEST = PATIENCE + 4  # seconds after which a client must have been ended, on a busy machine
CLIENTS = 200
NUMBERS = count()
OWN = ["app.py"]
WITHOUT_WHOLE_REQUESTS = ["-m", "granian", "app:create_app", "--factory", "--interface", "wsgi",
                          "--workers", "2", "--blocking-threads", "2", "--log-level", "error"]  # fmt: skip


@contextmanager
def serving(office: Office, command: list[str], **settings: object) -> Iterator[Browser]:
    """The administrator's browser on this office, served by a process of its own."""
    port = free_port()
    settings = {"GATEHOUSE_CLIENT_SECONDS": PATIENCE, "GATEHOUSE_WORKERS": 2, **settings}
    server = subprocess.Popen(
        [sys.executable, *command, "--port", str(port)],
        cwd=ROOT,
        env=office.environment | {name: str(value) for name, value in settings.items()},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    browser = Browser(f"http://127.0.0.1:{port}", seconds=10)
    try:
        wait_until(lambda: browser.get("/login").status == 200, "the sign-in page")
        browser.sign_in("admin", ADMIN_PASSWORD)
        yield browser
    finally:
        server.terminate()
        server.wait(20)


def port_of(browser: Browser) -> int:
    return int(browser.base.rpartition(":")[2])


def cookie_of(browser: Browser) -> str:
    return "; ".join(f"{name}={value}" for name, value in browser.cookies.items())


def areas(office: Office) -> set[str]:
    with office.session() as session:
        return set(session.scalars(select(Area.name)))


def add_area(browser: Browser, name: str) -> int:
    return browser.post("/areas/new/", {"name": name, "position": "1"}).status


def p95_wait(browser: Browser, seconds: float) -> float:
    """What somebody waits at most in 95 of 100 answers, who reads and writes for so long."""
    found, until = [], time.monotonic() + seconds
    while time.monotonic() < until:
        for ask, status in (
            (lambda: browser.get("/units/").status, 200),
            (lambda: add_area(browser, f"Area {next(NUMBERS)}"), 302),
        ):
            begun = time.monotonic()
            assert ask() == status
            found.append(time.monotonic() - begun)
            time.sleep(0.05)
    return statistics.quantiles(found, n=20)[-1]


@pytest.mark.parametrize("is_signed_in", [False, True], ids=["strangers", "signed in"])
def test_slow_clients_stop_nobody_and_are_ended(office: Office, is_signed_in: bool) -> None:
    with serving(office, OWN) as browser:
        counts = dict.fromkeys(HABITS, CLIENTS // len(HABITS) + 1)
        cookie = cookie_of(browser) if is_signed_in else ""
        alone = p95_wait(browser, 2)
        with swarm(port_of(browser), counts, LATEST, cookie) as slow:
            waited = p95_wait(browser, LATEST)
            ended = slow.ended()

    assert waited < max(1, 3 * alone)  # a machine that others use is slow by itself
    assert [kind for kind, each in ended.items() if None in each] == []


@pytest.mark.parametrize("dialect", ["sqlite"])
def test_without_whole_requests_a_few_halves_stop_the_office(office: Office) -> None:
    """The control of everybody's wait."""
    with serving(office, WITHOUT_WHOLE_REQUESTS) as browser:
        browser.seconds = 2
        with swarm(port_of(browser), {"half a request": 20}, LATEST) as slow:
            for _each in range(20):  # until the halves have come in
                if not browser.get("/units/").status:
                    break
            answered = [browser.get("/units/").status for _each in range(2)]
            ended = slow.ended()["half a request"]

    assert answered == [0, 0]
    assert ended == [None] * 20


@pytest.mark.parametrize("dialect", ["sqlite"])
def test_with_more_patience_none_is_ended_so_soon(office: Office) -> None:
    """The control of the deadlines: it is the setting that ends them."""
    counts = dict.fromkeys(set(HABITS) - {"chunks at 20 bytes a second"}, 2)
    with (
        serving(office, OWN, GATEHOUSE_CLIENT_SECONDS=60) as browser,
        swarm(port_of(browser), counts, LATEST) as slow,
    ):
        ended = slow.ended()

    assert ended == dict.fromkeys(counts, [None] * 2)


@pytest.mark.parametrize("dialect", ["sqlite"])
def test_waitress_ends_them_too(office: Office) -> None:
    counts = dict.fromkeys(HABITS, 10)
    with serving(office, OWN, GATEHOUSE_SERVER="waitress") as browser:
        alone = p95_wait(browser, 2)
        with swarm(port_of(browser), counts, LATEST) as slow:
            waited = p95_wait(browser, LATEST)
            ended = slow.ended()

    assert waited < max(1, 3 * alone)
    assert [kind for kind, each in ended.items() if None in each] == []


@pytest.mark.parametrize("dialect", ["sqlite"])
@pytest.mark.parametrize(
    ("command", "is_posted"), [(OWN, False), (WITHOUT_WHOLE_REQUESTS, True)], ids=["whole", "control"]
)
def test_a_form_that_breaks_off_posts_nothing(office: Office, command: list[str], is_posted: bool) -> None:
    with serving(office, command) as browser:
        form = f"csrf_token={browser.token}&position=1&name=North"
        head = f"POST /areas/new/ HTTP/1.1\r\nHost: x\r\nCookie: {cookie_of(browser)}\r\n"
        kind = "Content-Type: application/x-www-form-urlencoded\r\n"
        with socket.create_connection(("127.0.0.1", port_of(browser))) as line:
            line.sendall(f"{head}{kind}Content-Length: {len(form) + 20}\r\n\r\n{form}".encode())
        time.sleep(1)
        found = areas(office)

    assert ("North" in found) == is_posted
