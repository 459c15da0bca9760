"""An office full of people at once, beside Django's admin and stock Flask-Admin on the same tables (F14).

    uv run --with django==5.2.8 python -m tests.bench.load [--only sqlite] [--seconds 60] [--people 64]
        [--invoices 240000] [--folder F] [--goals people,throughput] [--peers django,stock] [--think 5]

`people`: 64 people signed in by role work through a proxy: nine pages in ten are read (start pages, lists
with filters, household files, searches, forms), one is a form sent (a payment, a complaint, a call, a
visit). Each waits for the answer, then thinks `--think` seconds on average (uniform, 0.4 to 1.6 of it), as
people do: what is measured is the wait, not how fast 64 robots can push. The office runs as IT starts it:
`python app.py`, web workers and clock. The peers get the same people with their nearest pages, and as a form
the smallest of all (an area's name). Any answer but the expected one is an error, a wait of 30 s as well;
"locked" in the log, too.
`throughput`: 16 connections without a pause over four kinds of lists, the same for each, answers a second.

Everything runs on this machine, the people as well. The goal's ten minutes: `--seconds 600`.
"""

from __future__ import annotations

import argparse
import asyncio
import html
import os
import random
import re
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from urllib.parse import urlencode

import psutil
from flask import Flask
from sqlalchemy import text
from werkzeug.security import generate_password_hash

from models import db, engine
from models.people import Staff, StaffRole
from tests.bench import estate, ground, lists, servers
from tests.bench.estate import BUILDINGS, LATEST, PASSWORD, Size

ROOT = Path(__file__).parents[2]
UNITS = 20_000
VISITS = 60  # planned for each steward
LONGEST = 30  # seconds until somebody gives up
READING = 0.9
ROLES = {
    "front_desk": 24,
    "cashier": 12,
    "steward": 16,
    "department_lead": 4,
    "station_head": 4,
    "manager": 4,
}
CONNECTIONS, ROUND = 16, 8
MONTHS = [f"{month // 12}-{month % 12 + 1:02}" for month in range(LATEST - 11, LATEST + 1)]


# --- one person over the network ----------------------------------------------------------------------


@dataclass
class Answer:
    status: int
    text: str
    location: str
    cookies: dict[str, str]


@dataclass
class Person:
    """A connection that is kept open, cookies, and what the last page's form holds."""

    port: int
    address: str = ""
    cookies: dict[str, str] = field(default_factory=dict)
    token: str = ""
    reader: asyncio.StreamReader | None = None
    writer: asyncio.StreamWriter | None = None

    async def get(self, path: str) -> Answer:
        return await asyncio.wait_for(self._ask("GET", path, b""), LONGEST)

    async def post(self, path: str, fields: dict[str, object]) -> Answer:
        return await asyncio.wait_for(self._ask("POST", path, urlencode(fields).encode()), LONGEST)

    async def _ask(self, method: str, path: str, body: bytes) -> Answer:
        if self.writer is None or self.writer.is_closing():
            self.reader, self.writer = await asyncio.open_connection("127.0.0.1", self.port, limit=1 << 22)
        assert self.reader is not None
        cookies = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        head = f"{method} {path} HTTP/1.1\r\nHost: bench\r\nCookie: {cookies}\r\n"
        if self.address:
            head += f"X-Forwarded-For: {self.address}\r\n"
        if method == "POST":
            head += f"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {len(body)}\r\n"
            head += "Referer: http://bench/\r\n"
        self.writer.write(head.encode() + b"\r\n" + body)
        return await self._read()

    async def _read(self) -> Answer:
        assert self.reader is not None
        head = (await self.reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        status, length, location = int(head[0].split()[1]), 0, ""
        for line in head[1:]:
            name, _, value = line.partition(": ")
            match name.lower():
                case "content-length":
                    length = int(value)
                case "location":
                    location = value
                case "set-cookie":
                    cookie, _, kept = value.partition(";")[0].partition("=")
                    self.cookies[cookie] = kept
        content = (await self.reader.readexactly(length)).decode("utf-8", "replace")
        return Answer(status, content, location, {})

    def close(self) -> None:
        if self.writer is not None:
            self.writer.close()


def hidden(page: str) -> dict[str, str]:
    """The hidden fields of a page's forms."""
    found = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', page)
    return {name: html.unescape(value) for name, value in found}


# --- what people do here ------------------------------------------------------------------------------


@dataclass
class Desk:
    """Where one person of the office sits, and what lies on the table."""

    person: Person
    role: str
    dice: random.Random
    size: Size
    visits: list[int]

    @property
    def sends(self) -> bool:
        """Whether this role has a form of its own here; leads only read."""
        return self.role in FORMS

    def unit(self) -> int:
        return self.dice.randint(1, self.size.units)

    def code(self, unit: int) -> str:
        return f"{1 + unit % BUILDINGS:03}-{unit // BUILDINGS:04}"

    def page(self) -> tuple[str, str]:
        """(kind, address) of something to read."""
        kind = self.dice.choices(list(READ), [weight for weight, _ in READ.values()])[0]
        return kind, READ[kind][1](self)

    async def sign_in(self) -> None:
        page = await self.person.get("/login")
        fields = {**hidden(page.text), "login": f"load-{self.role}", "password": PASSWORD}
        answer = await self.person.post("/login", fields)
        assert answer.status == 302, answer.status
        page = await self.person.get("/start/")
        found = re.search(r'data-token="([^"]+)"', page.text)
        assert found, page.text[:500]
        self.person.token = found[1]

    async def send(self, timing: Callable[[str, str, float, str], None]) -> None:
        """Open a form and send it."""
        kind = self.dice.choice(FORMS[self.role])
        if kind == "visit" and not self.visits:
            kind = "call"
        unit = self.unit()
        page, target, fields = {
            "payment": lambda: (
                f"/cashier/?unit_id={unit}", "/cashier/take/",
                {"unit_id": unit, "amount": self.dice.randint(50, 300), "method": "cash"},
            ),
            "complaint": lambda: (
                f"/tickets/new/?unit_id={unit}", "/tickets/new/",
                {"channel": "desk", "category": "cleaning", "statement": "走廊没有打扫", "household_count": 1,
                 "unit": unit},
            ),
            "call": lambda: (
                f"/call_list/contact/?unit_id={unit}&payer_id={unit}", "/call_list/enter/",
                {"unit_id": unit, "payer_id": unit, "method": "phone", "outcome": "not_reached"},
            ),
            "visit": self._visit,
        }[kind]()  # fmt: skip
        opened = await timed(self.person.get(page), "read", "form", 200, timing)
        if opened is None:
            return
        given = {**hidden(opened.text), **fields, "csrf_token": self.person.token}
        await timed(self.person.post(target, given), "write", kind, 302, timing)

    def _visit(self) -> tuple[str, str, dict[str, object]]:
        key = self.visits.pop()
        fields = {"id": key, "method": "door", "satisfaction": 5, "words": "谢谢", "met": "本人"}
        return f"/route/visit/?id={key}", "/route/record/", fields


def overdue(desk: Desk) -> str:
    end = date(2026, 6, 20) - timedelta(days=desk.dice.randint(0, 700))
    return f"/invoices/?view=overdue&due_on_from={end - timedelta(days=60)}&due_on_to={end}"


def searched(desk: Desk) -> str:
    unit = desk.unit()
    word = desk.dice.choice(
        [desk.code(unit), f"业主{unit:06}", f"yz{unit:06}", f"{desk.dice.choice(MONTHS)}-{unit:07}"]
    )
    return "/search/?" + urlencode({"q": word})


READ: dict[str, tuple[int, Callable[[Desk], str]]] = {
    "start": (15, lambda desk: "/start/"),
    "invoices": (8, lambda desk: "/invoices/" if desk.role in SEES_MONEY else "/units/"),
    "overdue": (10, lambda desk: overdue(desk) if desk.role in SEES_MONEY else "/tickets/?state=registered"),
    "by unit": (
        7,
        lambda desk: f"/invoices/?unit_id={desk.unit()}" if desk.role in SEES_MONEY else "/route/",
    ),
    "tickets": (10, lambda desk: f"/tickets/?search=T{desk.dice.randint(1, desk.size.tickets):08}"),
    "units": (10, lambda desk: f"/units/?search={desk.code(desk.unit())}"),
    "household": (20, lambda desk: f"/household/?unit_id={desk.unit()}"),
    "search": (20, searched),
}
SEES_MONEY = {"front_desk", "cashier", "steward", "station_head", "manager"}
FORMS = {
    "cashier": ("payment",),
    "front_desk": ("complaint",),
    "steward": ("visit", "call"),
    "station_head": ("complaint",),
    "manager": ("complaint",),
}


# --- what people do there -----------------------------------------------------------------------------


@dataclass
class Peer:
    """The same person before a peer's admin: its lists and searches, and the smallest form there is."""

    person: Person
    dice: random.Random
    size: Size
    pages: Callable[[Peer], Sequence[str]]
    form: str
    form_fields: dict[str, str]
    sends: bool = True

    def page(self) -> tuple[str, str]:
        return "list", self.dice.choice(self.pages(self))

    async def sign_in(self) -> None:
        pass

    async def send(self, timing: Callable[[str, str, float, str], None]) -> None:
        name = f"{self.dice.getrandbits(60):x}"
        fields = {**self.form_fields, "name": name, "position": "1"}
        await timed(self.person.post(self.form, fields), "write", "area", 302, timing)


TOKEN = "a" * 32


def django_pages(peer: Peer) -> list[str]:
    unit, end = peer.dice.randint(1, peer.size.units), date(2026, 6, 20)
    base = lists.OTHER
    return [
        base,
        f"{base}?balance__gt=0&due_on__gte={end - timedelta(days=60)}&due_on__lt={end}",
        f"{base}?unit__id__exact={unit}",
        f"{base}?q={peer.dice.choice(MONTHS)}-{unit:07}",
        f"{base}{unit}/change/",
    ]


def stock_pages(peer: Peer) -> list[str]:
    unit = peer.dice.randint(1, peer.size.units)
    return [
        "/admin/stock/",
        "/admin/stock/?flt0_state_equals=open&flt1_due_on_between=2026-04-20+to+2026-06-20",
        f"/admin/stock/?search={unit // BUILDINGS:04}",
        f"/admin/stock/?search={peer.dice.choice(MONTHS)}-{unit:07}",
        f"/admin/stock/details/?id={unit}",
    ]


# --- measuring ----------------------------------------------------------------------------------------


async def timed(
    asked: object, mode: str, kind: str, expected: int, timing: Callable[[str, str, float, str], None]
) -> Answer | None:
    """Note how long an answer took, and what was wrong with it."""
    begun = time.perf_counter()
    answer, wrong = None, ""
    try:
        answer = await asked  # type: ignore[misc]
    except TimeoutError:
        wrong = "no answer in time"
    except (OSError, asyncio.IncompleteReadError) as error:
        wrong = type(error).__name__
    else:
        is_found = kind == "search" and answer.status == 302  # one hit: its page
        if answer.status != expected and not is_found:
            wrong = f"{answer.status} instead of {expected}"
    timing(mode, kind, time.perf_counter() - begun, wrong)
    return None if wrong else answer


@dataclass
class Book:
    """Every wait, by reading or writing and by kind, and every error."""

    waits: dict[str, dict[str, list[float]]] = field(
        default_factory=lambda: {"read": defaultdict(list), "write": defaultdict(list)}
    )
    errors: Counter[str] = field(default_factory=Counter)
    is_open: bool = False

    def note(self, mode: str, kind: str, seconds: float, wrong: str) -> None:
        if wrong:
            self.errors[f"{kind}: {wrong}"] += 1
        if self.is_open:
            self.waits[mode][kind].append(seconds)

    def all(self, mode: str) -> list[float]:
        return [wait for waits in self.waits[mode].values() for wait in waits]


async def live(seat: Desk | Peer, book: Book, think: float, until: float) -> None:
    """Read, think, now and then send a form, until the day ends."""
    await asyncio.sleep(seat.dice.uniform(0, think))
    while time.monotonic() < until:
        if seat.dice.random() < READING or not seat.sends:
            kind, path = seat.page()
            await timed(seat.person.get(path), "read", kind, 200, book.note)
        else:
            await seat.send(book.note)
        await asyncio.sleep(seat.dice.uniform(0.4, 1.6) * think)
    seat.person.close()


async def a_day(seats: Sequence[Desk | Peer], seconds: float, think: float) -> Book:
    """What so many people at once waited; the first tenth, while caches fill, is not counted."""
    book = Book()
    for seat in seats:
        await seat.sign_in()
    begun = time.monotonic()
    working = asyncio.gather(*(live(seat, book, think, begun + 1.1 * seconds) for seat in seats))
    await asyncio.sleep(0.1 * seconds)
    book.is_open = True
    await working
    return book


def told(who: str, kind: str, book: Book, seconds: float) -> None:
    for mode, goal in (("read", 0.5), ("write", 1.5)):
        waits = sorted(book.all(mode))
        if not waits:
            continue
        cuts = statistics.quantiles(waits, n=100, method="inclusive") if len(waits) > 1 else waits * 99
        print(
            f"{who:12} {kind:10} {mode:6} {len(waits):7,} {len(waits) / seconds:7.1f} {cuts[49]:8.3f} "
            f"{cuts[94]:8.3f} {cuts[98]:8.3f} {waits[-1]:8.3f}  p95 < {goal}",
            flush=True,
        )
    print(f"{who:12} {kind:10} errors {sum(book.errors.values())} {dict(book.errors) or ''}", flush=True)
    if who == "ours":
        slow = {name: waits for mode in book.waits.values() for name, waits in mode.items() if len(waits) > 4}
        print("   p95 by page: " + ", ".join(
            f"{name} {sorted(waits)[int(len(waits) * 0.95)]:.3f}" for name, waits in sorted(slow.items())
        ), flush=True)  # fmt: skip


# --- the servers --------------------------------------------------------------------------------------


@contextmanager
def open_office(app: Flask) -> Iterator[tuple[int, psutil.Process]]:
    """As IT starts it behind a proxy; the port and the process that starts all others."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    log = Path(app.instance_path) / "load.log"
    url = app.config["SQLALCHEMY_DATABASE_URI"]
    environment = os.environ | {
        "GATEHOUSE_INSTANCE": app.instance_path,
        "GATEHOUSE_DATABASE_URL": "" if url.startswith("sqlite") else url,
        "GATEHOUSE_SECRET_KEY": ground.KEY,
        "GATEHOUSE_PROXIES": "1",
    }
    with log.open("wb") as file:
        server = subprocess.Popen(
            [sys.executable, "app.py", "--port", str(port)],
            cwd=ROOT,
            env=environment,
            stdout=file,
            stderr=file,
        )
    try:
        servers.wait_for(port)
        yield port, psutil.Process(server.pid)
    finally:
        server.terminate()
        server.wait()
    written = log.read_text(errors="replace")
    print(f"   log: {written.count('locked')} × locked, {written.count('ERROR')} × error", flush=True)


def processor(server: psutil.Process) -> float:
    """Seconds of processor of the web workers, with little of the clock, so far."""
    times = [each.cpu_times() for each in (server, *server.children(recursive=True))]
    return sum(each.user + each.system for each in times)


def staffed(app: Flask, people: int) -> dict[str, list[int]]:
    """Makes who signs in, and visits for the stewards; the visits' ids."""
    quick = generate_password_hash(PASSWORD, "pbkdf2:sha256:1000")
    with app.app_context(), engine.writing():
        session = db.session()
        for role in ROLES:
            if session.query(Staff).filter_by(login=f"load-{role}").first() is None:
                person = Staff(login=f"load-{role}", name=role, password_hash=quick)
                person.role_rows = [StaffRole(role=role)]
                session.add(person)
        session.flush()
        steward = session.query(Staff).filter_by(login="load-steward").one()
        filler = ground.Filler(session.connection())
        made = session.execute(text("SELECT COALESCE(max(id), 0) FROM visit")).scalar_one()
        noon = filler.constant(estate.NOW)
        filler.insert("visit", people * VISITS, number=f"'L' || ({made} + n)", kind="'courtesy'",
                      unit_id=f"1 + n % {UNITS}", planned_from=noon, due_at=noon, assignee_role="'steward'",
                      assignee_id=str(steward.id))  # fmt: skip
        ids = list(session.scalars(text(f"SELECT id FROM visit WHERE id > {made} AND done_at IS NULL")))
        session.commit()
        db.session.remove()
        db.engine.dispose()
    return {"steward": ids}


def desks(port: int, people: int, size: Size, visits: list[int]) -> list[Desk]:
    roles = [role for role, count in ROLES.items() for _ in range(count)]
    made = []
    for number in range(people):
        role = roles[number % len(roles)]
        mine = [visits.pop() for _ in range(VISITS)] if role == "steward" else []
        person = Person(port, address=f"10.0.{number // 200}.{number % 200 + 1}")
        made.append(Desk(person, role, random.Random(number), size, mine))
    return made


def peers(kind: str, port: int, cookie: str, people: int, size: Size) -> list[Peer]:
    made = []
    for number in range(people):
        name, _, value = cookie.partition("=")
        person = Person(port, cookies={name: value} if name else {})
        if kind == "django":
            person.cookies["csrftoken"] = TOKEN
            form, fields = "/admin/django_urls/area/add/", {"csrfmiddlewaretoken": TOKEN}
        else:
            form, fields = "/admin/areas/new/", {}
        pages = django_pages if kind == "django" else stock_pages
        made.append(Peer(person, random.Random(number), size, pages, form, fields))
    return made


def throughput(served: servers.Served, paths: Sequence[str]) -> float:
    """Answers a second over the kinds of pages, none of them preferred."""
    rates = [servers.requests_a_second(served, path, CONNECTIONS, ROUND) for path in paths]
    return len(rates) / sum(1 / rate for rate in rates)


OURS = [
    "/invoices/",
    "/invoices/?view=overdue&due_on_from=2026-04-20&due_on_to=2026-06-20",
    "/invoices/?unit_id=77",
    "/invoices/?search=2026-05-0000077",
]


def compare(app: Flask, kind: str, options: argparse.Namespace, size: Size) -> None:
    goals = options.goals.split(",")
    lists.django_admin(app)
    visits = staffed(app, options.people)["steward"]
    cookie = lists.sign_in(app)
    with app.app_context():
        db.engine.dispose()
    rates = {}
    with open_office(app) as (port, server):
        if "people" in goals:
            seats = desks(port, options.people, size, visits)
            before = processor(server)
            book = asyncio.run(a_day(seats, options.seconds, options.think))
            told("ours", kind, book, options.seconds)
            each = (processor(server) - before) / sum(map(len, (book.all("read"), book.all("write"))))
            print(f"   server: {each * 1000:.1f} ms of processor an answer", flush=True)
        if "throughput" in goals:
            rates["ours"] = throughput(servers.Served(port, f"gatehouse={cookie}"), OURS)
    dice = Peer(Person(0), random.Random(7), size, django_pages, "", {})
    for peer, pages in (("django", django_pages), ("stock", stock_pages)):
        if peer not in options.peers.split(","):
            continue
        with servers.serving(app, peer, threads=2) as served:
            if "people" in goals:
                seen = peers(peer, served.port, served.cookie, options.people, size)
                told(peer, kind, asyncio.run(a_day(seen, options.seconds, options.think)), options.seconds)
            if "throughput" in goals:
                other = throughput(served, pages(dice)[:4])
                ratio = f"{rates['ours'] / other:.1f} ×  >= 5"
                print(
                    f"throughput   {kind:10} ours {rates['ours']:.1f}/s, {peer} {other:.1f}/s: {ratio}",
                    flush=True,
                )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", choices=("sqlite", "postgresql"))
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--people", type=int, default=64)
    parser.add_argument("--think", type=float, default=5)
    parser.add_argument("--invoices", type=int, default=240_000)
    parser.add_argument("--folder", type=Path, help="kept between runs; else a temporary one")
    parser.add_argument("--goals", default="people,throughput")
    parser.add_argument("--peers", default="django,stock")
    options = parser.parse_args()
    size = Size(units=UNITS, invoices=options.invoices, tickets=20_000, contacts=20_000)
    heads = "".join(f" {head:>8}" for head in ("p50", "p95", "p99", "worst"))
    print(f"{'':12} {'database':10} {'':6} {'answers':>7} {'a sec.':>7}{heads}")
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.folder or Path(temporary)
        for kind in ("sqlite", "postgresql"):
            if options.only in {None, kind}:
                url = ground.wheel(folder, "load", is_safe=True)[0] if kind == "postgresql" else ""
                compare(estate.estate(folder / kind, url, size), kind, options, size)


if __name__ == "__main__":
    main()
