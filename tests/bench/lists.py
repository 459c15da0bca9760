"""Lists and forms against Django's admin, stock Flask-Admin and raw SQL on the same tables (S1–S7, S16, S17).

    uv run --with django==5.2.8 python -m tests.bench.lists [--rows 1000000,14000000] [--only postgresql]
                                                            [--folder F] [--times 30] [--goals S1,S5]

Two sizes give S2, the larger against the smaller. SQLite files and PostgreSQL's are made in a folder, which
is temporary unless named; 14 M rows take 5 GB and some minutes. All figures are medians of one run, taken
in turns and of changing pages: milliseconds of whole requests in process, S6 requests a second over 16
connections, S16 seconds of processor from process start to the first page. `cpu` is ours against raw in this
process's processor time, which other work on the machine hardly touches.
"""

from __future__ import annotations

import argparse
import re
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from html import escape
from itertools import cycle
from pathlib import Path
from typing import Any, NamedTuple

from flask import Flask
from sqlalchemy import text

from admin.panel import list_query, list_request
from models import db, engine
from models.billing import Invoice
from models.complaints import Ticket
from models.payments import Payment
from office.core import schema
from runtime.application import engine_of
from tests.bench import ground
from tests.bench.ground import PASSWORD

UNITS, BUILDINGS = 120_000, 120
TODAY = date(2026, 1, 20)
MONTHS = 120
MOST_ASKED = 8000  # units that pages and searches are about
GOALS = {
    "S1": "<= 0.25 of Django",
    "S2": "<= 1.3 of the smaller",
    "S3": "<= 0.005 of Django",
    "S4": "<= 0.005 of Django; <= 3 pages",
    "S5": "<= 6 of raw",
    "S6": ">= 6 of Django",
    "S7": "<= 0.005 of stock",
    "S16": "<= 1.5 of bare",
    "S17": "<= 20 ms",
}
CONNECTIONS, SECONDS = 16, 8


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", default="1000000", help="one size, or two for S2")
    parser.add_argument("--only", choices=("sqlite", "postgresql"))
    parser.add_argument("--folder", type=Path, help="kept between runs; else a temporary one")
    parser.add_argument("--times", type=int, default=30)
    parser.add_argument("--goals", default="S1,S2,S3,S4,S5,S6,S7,S16,S17")
    options = parser.parse_args()
    sizes = [int(size) for size in options.rows.split(",")]
    goals = frozenset(options.goals.split(","))
    print(f"{'':4} {'work':34} {'database':10} {'rows':>10} {'ours':>9} {'peer':>10} {'ratio':>7}  goal")
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.folder or Path(temporary)
        for kind in ("sqlite", "postgresql"):
            if options.only in {None, kind}:
                measure(folder, kind, sizes, goals, options.times)


def measure(folder: Path, kind: str, sizes: list[int], goals: frozenset[str], times: int) -> None:
    names = [f"bench{size}" for size in sizes]
    urls = ground.wheel(folder, *names) if kind == "postgresql" else [""] * len(sizes)
    smaller: dict[str, float] = {}
    for size, _name, url in zip(sizes, names, urls, strict=True):
        app = office(folder / f"{kind}-{size}", url, size)
        for line in compare(app, goals, times):
            say(kind, size, line)
            before = smaller.get(line.work)
            if line.goal == "S1" and before and "S2" in goals:
                say(kind, size, Line("S2", line.work, line.ours, before))
            elif line.goal == "S1":
                smaller[line.work] = line.ours
        with app.app_context():
            db.engine.dispose()


@dataclass(frozen=True)
class Line:
    """What one goal measured: ours, the other, and a note."""

    goal: str
    work: str
    ours: float
    peer: float | None = None
    note: str = ""


def say(kind: str, rows: int, line: Line) -> None:
    peer = f"{line.peer:10.2f}" if line.peer else " " * 10
    ratio = f"{line.ours / line.peer:7.3f}" if line.peer else " " * 7
    print(
        f"{line.goal:4} {line.work:34} {kind:10} {rows:10,} {line.ours:9.2f} {peer} {ratio}  "
        f"{GOALS[line.goal]} {line.note}",
        flush=True,
    )


# The data ----------------------------------------------------------------------------------------------


def office(folder: Path, url: str, rows: int) -> Flask:
    """An office with UNITS units, as many owners and `rows` invoices over the last ten years."""
    app = ground.application(folder, url, TESTING=True)
    done = folder / f"filled-{rows}"
    if done.exists():
        schema.migrate(engine_of(app))  # the program may have grown since
        return app
    ground.set_up(app, datetime(2026, 1, 20, tzinfo=UTC))
    with (
        app.app_context(),
        engine.writing(),
        db.engine.connect() as connection,
        ground.quick_inserts(connection, Invoice, Payment, Ticket),
    ):
        fill(ground.Filler(connection), rows)
    done.touch()
    return app


def fill(filler: ground.Filler, rows: int) -> None:
    """Ten years of months; 3 % of each stays unpaid, so overdue grows with the history."""
    pad, connection = filler.pad, filler.connection
    filler.insert("area", 1, id="1", name="'bench area'")
    filler.insert("building", BUILDINGS, id="n + 1", name=f"'B' || {pad('n', 4)}", area_id="1")
    each = UNITS // BUILDINGS
    code = f"{pad(f'n / {each}', 3)} || '-' || {pad(f'n % {each}', 4)}"
    filler.insert("unit", UNITS, id="n + 1", code=code, building_id=f"1 + n / {each}", floor="n % 30",
                  kind="'residence'", area_m2="895000")  # fmt: skip
    filler.insert("owner", UNITS, id="n + 1", name=f"'业主' || {pad('n', 6)}",
                  pinyin_initials=f"'yz' || {pad('n', 6)}")  # fmt: skip
    filler.insert("occupancy", UNITS, unit_id="n + 1", owner_id="n + 1", kind="'owner'", is_payer=filler.yes,
                  from_on=filler.constant(date(2016, 1, 1)))  # fmt: skip
    number, is_open = "10000 + n % 9000", "n % 33 = 0"
    for month in range(MONTHS):
        first = date(2016 + month // 12, month % 12 + 1, 1)
        filler.insert(
            "invoice",
            -(-rows // MONTHS),
            number=f"'{first:%Y-%m}-' || {pad('n', 7)}",
            unit_id=f"1 + n % {UNITS}",
            payer_id=f"1 + n % {UNITS}",
            period=f"'{first:%Y-%m}'",
            part=f"'p' || (n / {UNITS})",
            issued_on=filler.constant(first),
            due_on=filler.constant(first.replace(day=15)),
            amount=number,
            paid=f"CASE WHEN {is_open} THEN 0 ELSE {number} END",
            balance=f"CASE WHEN {is_open} THEN {number} ELSE 0 END",
            state=f"CASE WHEN {is_open} THEN 'open' ELSE 'paid' END",
        )
        connection.commit()
    noon = filler.constant(datetime(2025, 12, 1, 4, tzinfo=UTC))
    filler.insert("payment", UNITS, receipt_no=f"'R2025-' || {pad('n', 7)}", series="'R'", year="2025",
                  running_no="n + 1", unit_id="n + 1", payer_id="n + 1", method="'cash'", amount="10000",
                  allocated="10000", credit="0", paid_at=noon, posted_at=noon,
                  posted_on=filler.constant(date(2025, 12, 1)))  # fmt: skip
    kind = "(SELECT min(id) FROM category)"
    filler.insert("ticket", UNITS, number=f"'T2025-' || {pad('n', 7)}", registered_at=noon,
                  channel="'phone'", category_id=kind, department_id="(SELECT min(id) FROM department)",
                  statement="'the hall was not cleaned'", severity="'minor'", unit_id="n + 1",
                  closed_at=noon, state="'closed'")  # fmt: skip
    connection.commit()


# The competitors ---------------------------------------------------------------------------------------


def sign_in(app: Flask) -> str:
    """A session's cookie."""
    client = app.test_client()
    token = re.search(r'name="csrf_token" value="([^"]+)"', client.get("/login").text)
    assert token
    client.post("/login", data={"csrf_token": token[1], "login": "admin", "password": PASSWORD})
    cookie = client.get_cookie("gatehouse")
    assert cookie
    return str(cookie.value)


def ours(app: Flask, counted: str = "<tr data-id", *, any_status: bool = False) -> Callable[[str], int]:
    client = app.test_client()
    client.set_cookie("gatehouse", sign_in(app))

    def get(path: str) -> int:
        answer = client.get(path)
        assert any_status or answer.status_code == 200, (path, answer.status_code)
        return answer.text.count(counted)

    return get


def stock(app: Flask) -> Callable[[str], int]:
    """Flask-Admin as it comes, on the same tables."""
    from flask_admin import Admin, AdminIndexView
    from flask_admin.contrib.sqla import ModelView
    from flask_babel import Babel

    from models.people import Occupancy

    plain = Flask("stock")
    plain.config.update(app.config, SECRET_KEY="stock")
    db.init_app(plain)
    Babel(plain)
    panel = Admin(plain, index_view=AdminIndexView())
    panel.add_view(ModelView(Occupancy, db, endpoint="stock"))
    client = plain.test_client()

    def get(path: str) -> int:
        answer = client.get(path)
        assert answer.status_code == 200, (path, answer.status_code)
        return answer.text.count("<option")

    return get


def django_admin(app: Flask) -> Callable[[str], int]:
    """Django's admin with what its documentation advises for large tables."""
    from tests.bench import servers

    servers.django(app.config["SQLALCHEMY_DATABASE_URI"])
    from django.contrib.auth.models import User
    from django.core.management import call_command
    from django.test import Client

    from tests.bench import django_urls

    call_command("migrate", verbosity=0)
    user, _made = User.objects.get_or_create(username="bench", is_staff=True, is_superuser=True)
    client = Client()
    client.force_login(user)
    assert django_urls.urlpatterns

    def get(path: str) -> int:
        answer = client.get(path)
        assert answer.status_code == 200, (path, answer.status_code)
        return answer.content.count(b'class="field-number"')

    return get


OTHER = "/admin/django_urls/invoice/"
RAW = (
    "SELECT i.id, i.number, u.code, o.name, i.period, i.issued_on, i.due_on, i.amount, i.paid, i.balance, "
    "i.state, i.stage "
    "FROM invoice i LEFT JOIN unit u ON u.id = i.unit_id LEFT JOIN owner o ON o.id = i.payer_id {where} "
    "ORDER BY {order} LIMIT 50"
)


def raw(app: Flask) -> Callable[[str, str], int]:
    """The floor: a bare Flask page that joins strings around the driver's rows."""
    with app.app_context():
        connection = db.engine.raw_connection()
    plain = Flask("raw")

    @plain.get("/")
    def page() -> str:
        from flask import request

        cursor = connection.cursor()
        cursor.execute(RAW.format(where=request.args["where"], order=request.args["order"]))
        rows = cursor.fetchall()
        connection.rollback()
        lines = ("<tr>" + "".join(f"<td>{escape(str(cell))}</td>" for cell in row) + "</tr>" for row in rows)
        return f"<!doctype html><title>raw</title><table>{''.join(lines)}</table>"

    client = plain.test_client()

    def get(where: str, order: str) -> int:
        return client.get("/", query_string={"where": where, "order": order}).text.count("<tr>")

    return get


# The comparison ----------------------------------------------------------------------------------------


def in_turn(pages: Sequence[Any], work: Callable[..., object]) -> Callable[[], object]:
    """The work on the next of the pages at each call: what is kept of a page must not stand for all."""
    following = cycle(pages)
    return lambda: work(next(following))


def compare(app: Flask, goals: frozenset[str], times: int) -> Iterator[Line]:
    """One line for each thing measured."""
    us, theirs, floor = ours(app), django_admin(app), raw(app)
    billed = min(MOST_ASKED, total(app) // MONTHS)  # the first units alone have bills
    words_of = words_to_search(billed)
    if goals & {"S1", "S2", "S5"}:
        for work, pages in cases(billed):
            mine = in_turn([page[0] for page in pages], us)
            bare = in_turn([page[2:] for page in pages], lambda page: floor(*page))
            assert all(us(page[0]) > 0 for page in pages), work
            took, django, least = ground.medians(
                mine, in_turn([page[1] for page in pages], theirs), bare, times=times
            )
            cpu = processor(mine, times) / processor(bare, times)
            yield Line("S1", work, took, django)
            yield Line("S5", work, took, least, f"cpu {cpu:.2f}")
    if goals & {"S3"}:
        pages = in_turn([f"/invoices/?after={cursor}" for cursor in cursors(app)], us)
        middle = f"{OTHER}?p={total(app) // 100}"
        yield Line("S3", "page in the middle", *ground.medians(pages, lambda: theirs(middle), times=times))
    if goals & {"S4"}:
        yield from searches(us, theirs, words_of, times)
    if goals & {"S6"}:
        yield throughput(app)
    if goals & {"S7"}:
        with app.app_context():
            key = db.session.execute(text("SELECT min(id) FROM occupancy")).scalar()
        edit = f"/occupancies/edit/?id={key}"
        took = ground.medians(lambda: us(edit), times=times)[0]
        get, form = stock(app), f"/admin/stock/edit/?id={key}"
        yield Line("S7", f"edit form, {UNITS:,} units", took, ground.medians(lambda: get(form), times=3)[0])
    if goals & {"S16"}:
        yield from starts(app)
    if goals & {"S17"}:
        for work, words in words_of.items():
            found = in_turn([f"/search/?q={word}" for word in words], ours(app, "class=", any_status=True))
            yield Line("S17", f"global search by {work}", ground.medians(found, times=times)[0])


def processor(work: Callable[[], object], times: int) -> float:
    """Median milliseconds of this process's processor."""
    taken = []
    for _ in range(times):
        begun = time.process_time()
        work()
        taken.append((time.process_time() - begun) * 1000)
    return statistics.median(taken)


def cases(billed: int) -> Iterator[tuple[str, list[tuple[str, str, str, str]]]]:
    """(work, [(our address, theirs, raw WHERE, raw ORDER BY)]) of each kind of page; units up to `billed`."""
    newest = "i.issued_on DESC, i.id DESC"
    yield "first page", [("/invoices/", OTHER, "", newest)]
    overdue = f"i.balance > 0 AND i.due_on < '{TODAY}'"
    ranges = [(TODAY - timedelta(days=60 + back), TODAY - timedelta(days=back)) for back in range(0, 700, 35)]
    yield (
        "overdue + due range",
        [
            (
                f"/invoices/?view=overdue&due_on_from={start}&due_on_to={end}",
                f"{OTHER}?balance__gt=0&due_on__gte={start}&due_on__lt={end}",
                f"WHERE {overdue} AND i.due_on >= '{start}' AND i.due_on <= '{end}'",
                "i.due_on, i.id",
            )
            for start, end in ranges
        ],
    )
    yield (
        "overdue only",
        [
            (
                "/invoices/?view=overdue",
                f"{OTHER}?balance__gt=0&due_on__lt={TODAY}",
                f"WHERE {overdue}",
                "i.due_on, i.id",
            )
        ],
    )
    yield (
        "by unit",
        [
            (
                f"/invoices/?unit_id={unit}",
                f"{OTHER}?unit__id__exact={unit}",
                f"WHERE i.unit_id = {unit}",
                newest,
            )
            for unit in range(1, billed + 1, 331)
        ],
    )


def words_to_search(billed: int) -> dict[str, list[str]]:
    """What is typed into the search field, of units that have bills in each month."""
    first = 3000 if billed > 4000 else 0
    return {
        "number": [f"2021-01-00{number:05}" for number in range(0, billed, 401)],
        "unit": [
            f"{unit // 1000:03}-{unit % 1000:04}" for unit in range(first, min(first + 1000, billed), 37)
        ],
        "name": [f"业主{number:06}" for number in range(0, billed, 401)],
        "pinyin": [f"yz{number:06}" for number in range(0, billed, 401)],
    }


def searches(
    us: Callable[[str], int], theirs: Callable[[str], int], words_of: dict[str, list[str]], times: int
) -> Iterator[Line]:
    plain = ground.medians(lambda: us("/invoices/"), times=times)[0]
    for work, words in words_of.items():
        pages = [f"/invoices/?search={word}" for word in words]
        assert all(us(page) > 0 for page in pages), work
        slow = f"{OTHER}?q={words[0]}"
        took = ground.medians(in_turn(pages, us), times=times)[0]
        django = ground.medians(lambda slow=slow: theirs(slow), times=3)[0]  # type: ignore[misc]
        yield Line("S4", f"search by {work}", took, django, f"{took / plain:.2f} pages")


def total(app: Flask) -> int:
    with app.app_context():
        return int(db.session.execute(text("SELECT count(*) FROM invoice")).scalar() or 0)


class Place(NamedTuple):
    sort__key: date
    id: int


def cursors(app: Flask) -> list[str]:
    """Places in the middle of the list, some months apart."""
    query = list_request.Query({}, "", "issued_on", True, 50, None, False, "", ())
    with app.app_context():
        found = db.session.execute(
            text("SELECT issued_on, min(id) + 10 FROM invoice GROUP BY issued_on ORDER BY issued_on")
        ).all()
    places = found[len(found) // 3 : 2 * len(found) // 3]
    return [list_query.written_cursor(query, Place(date.fromisoformat(str(day)), key)) for day, key in places]


def throughput(app: Flask) -> Line:
    """Requests a second of both behind the same server with two workers, in turns."""
    from tests.bench import servers

    mine, others = [], []
    with servers.serving(app, "ours", sign_in(app)) as us, servers.serving(app, "django") as them:
        for _ in range(3):
            mine.append(servers.requests_a_second(us, "/invoices/", CONNECTIONS, SECONDS))
            others.append(servers.requests_a_second(them, OTHER, CONNECTIONS, SECONDS))
    return Line(
        "S6", f"requests a second, {CONNECTIONS} connections", *map(statistics.median, (mine, others))
    )


def starts(app: Flask) -> Iterator[Line]:
    """Seconds of processor from process start to the first page, after a start that fills the caches."""
    from tests.bench import servers

    cookie = sign_in(app)
    taken: dict[str, list[float]] = {"ours": [], "bare": []}
    for run in range(6):
        for kind, seconds in taken.items():
            used = servers.start(app, kind, cookie)
            if run:
                seconds.append(used)
    yield Line("S16", "start to the signed-in list", *(statistics.median(each) for each in taken.values()))


if __name__ == "__main__":
    main()
