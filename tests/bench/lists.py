"""Lists and forms against Django's admin, stock Flask-Admin and raw SQL on the same tables (goals S1–S7).

    uv run --with django==5.2.8 python -m tests.bench.lists [--rows 1000000] [--url postgresql://…]

Each figure is a median of whole requests in process, in milliseconds, all from one run.
"""

from __future__ import annotations

import argparse
import os
import re
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from html import escape
from pathlib import Path
from typing import Any

from flask import Flask
from sqlalchemy import text

from admin import lists
from models import db, engine
from models.billing import Invoice
from models.complaints import Ticket
from models.payments import Payment
from tests.bench import ground
from tests.bench.ground import PASSWORD

UNITS, BUILDINGS = 120_000, 120
TODAY = date(2026, 1, 20)
MONTHS = 120


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--url", default="", help="an empty PostgreSQL database; else a SQLite file is made")
    parser.add_argument("--folder", type=Path, help="kept between runs; else a temporary one")
    parser.add_argument("--times", type=int, default=30)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.folder or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        app = office(folder, options.url, options.rows)
        report(compare(app, options.times))


# The data ----------------------------------------------------------------------------------------------


def office(folder: Path, url: str, rows: int) -> Flask:
    """An office with UNITS units, as many owners and `rows` invoices over the last ten years."""
    app = ground.application(folder, url, TESTING=True)
    done = folder / f"filled-{rows}"
    if done.exists():
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
                  pinyin_initials=f"'YZ' || {pad('n', 6)}")  # fmt: skip
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


def ours(app: Flask) -> Callable[[str], int]:
    client = app.test_client()
    token = re.search(r'name="csrf_token" value="([^"]+)"', client.get("/login").text)
    assert token
    client.post("/login", data={"csrf_token": token[1], "login": "admin", "password": PASSWORD})

    def get(path: str) -> int:
        answer = client.get(path)
        assert answer.status_code == 200, (path, answer.status_code)
        return answer.text.count("<tr data-id")

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
    url = app.config["SQLALCHEMY_DATABASE_URI"]
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"
    import django
    from django.conf import settings

    if url.startswith("sqlite"):
        base = {"ENGINE": "django.db.backends.sqlite3", "NAME": url.removeprefix("sqlite:///")}
    else:
        from sqlalchemy import make_url

        parts = make_url(url)
        base = {
            "ENGINE": "django.db.backends.postgresql",
            "NAME": parts.database,
            "USER": parts.username or "",
            "PASSWORD": parts.password or "",
            "HOST": parts.query.get("host") or parts.host or "",
            "PORT": parts.port or "",
        }
    settings.configure(
        SECRET_KEY="bench",
        DEBUG=False,
        ROOT_URLCONF="tests.bench.django_urls",
        ALLOWED_HOSTS=["*"],
        USE_TZ=True,
        DATABASES={"default": base},
        STATIC_URL="/s/",
        DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
        INSTALLED_APPS=[
            "django.contrib.admin",
            "django.contrib.auth",
            "django.contrib.contenttypes",
            "django.contrib.sessions",
            "django.contrib.messages",
            "tests.bench.django_app.Peer",
        ],
        MIDDLEWARE=[
            "django.contrib.sessions.middleware.SessionMiddleware",
            "django.middleware.common.CommonMiddleware",
            "django.middleware.csrf.CsrfViewMiddleware",
            "django.contrib.auth.middleware.AuthenticationMiddleware",
            "django.contrib.messages.middleware.MessageMiddleware",
        ],
        TEMPLATES=[
            {
                "BACKEND": "django.template.backends.django.DjangoTemplates",
                "APP_DIRS": True,
                "OPTIONS": {
                    "context_processors": [
                        "django.template.context_processors.request",
                        "django.contrib.auth.context_processors.auth",
                        "django.contrib.messages.context_processors.messages",
                    ]
                },
            }
        ],
    )
    django.setup()
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


def timed(work: Callable[[], Any], times: int) -> float:
    """Median milliseconds; slow work is repeated less."""
    work()
    taken: list[float] = []
    while (len(taken) < times and sum(taken) < 20_000) or len(taken) < 3:
        start = time.perf_counter()
        work()
        taken.append((time.perf_counter() - start) * 1000)
    return statistics.median(taken)


def compare(app: Flask, times: int) -> Iterator[tuple[str, str, float | None, float | None, float | None]]:
    """(goal, work, ours, the other, raw) of each line."""
    us, django, floor = ours(app), django_admin(app), raw(app)
    screen, other = "/invoices/", "/admin/django_urls/invoice/"
    with app.app_context():
        total = db.session.execute(text("SELECT count(*) FROM invoice")).scalar() or 0
        middle = db.session.execute(
            text(
                "SELECT id, issued_on FROM invoice WHERE issued_on = '2021-01-01' "
                "ORDER BY id LIMIT 1 OFFSET 10"
            )
        ).one()
    start, end = TODAY - timedelta(days=60), TODAY
    due = f"due_on_from={start}&due_on_to={end}"
    overdue = f"i.balance > 0 AND i.due_on < '{TODAY}'"
    cases = [
        ("S1", "first page", screen, other, "", "i.issued_on DESC, i.id DESC"),
        (
            "S1",
            "overdue + due range",
            f"{screen}?view=overdue&{due}",
            f"{other}?balance__gt=0&due_on__gte={start}&due_on__lt={end}",
            f"WHERE {overdue} AND i.due_on >= '{start}'",
            "i.due_on, i.id",
        ),
        (
            "S1",
            "overdue only",
            f"{screen}?view=overdue",
            f"{other}?balance__gt=0&due_on__lt={end}",
            f"WHERE {overdue}",
            "i.due_on, i.id",
        ),
        (
            "S1",
            "by unit",
            f"{screen}?unit_id=500",
            f"{other}?unit__id__exact=500",
            "WHERE i.unit_id = 500",
            "i.issued_on DESC, i.id DESC",
        ),
    ]
    for goal, work, mine, theirs, where, order in cases:
        assert us(mine) > 0, mine
        yield (
            goal,
            work,
            timed(lambda m=mine: us(m), times),
            timed(lambda t=theirs: django(t), times),
            timed(lambda w=where, o=order: floor(w, o), times),
        )
    query = lists.Query({}, "", "issued_on", True, 50, None, False, "", ())
    row = type("Row", (), {"sort__key": date.fromisoformat(str(middle.issued_on)), "id": middle.id})
    cursor = lists.written_cursor(query, row)
    mine = f"{screen}?after={cursor}"
    assert us(mine) == 50
    yield (
        "S3",
        "page in the middle",
        timed(lambda: us(mine), times),
        timed(lambda: django(f"{other}?p={total // 100}"), times),
        None,
    )
    plain = timed(lambda: us(screen), times)
    for work, word in (
        ("number", "2021-01-0000500"),
        ("unit", "003-0777"),
        ("name", "业主000500"),
        ("pinyin", "yz000500"),
    ):
        mine = f"{screen}?search={word}"
        assert us(mine) > 0, mine
        yield (
            "S4",
            f"search by {work}",
            timed(lambda m=mine: us(m), times),
            timed(lambda w=word: django(f"{other}?q={w}"), times),
            None,
        )
    yield "S4", "the page without search", plain, None, None
    with app.app_context():
        key = db.session.execute(text("SELECT min(id) FROM occupancy")).scalar()
    us_edit, stock_edit = f"/occupancies/edit/?id={key}", f"/admin/stock/edit/?id={key}"
    stock_get = stock(app)
    yield (
        "S7",
        "edit form, 100,000 units",
        timed(lambda: us(us_edit), times),
        timed(lambda: stock_get(stock_edit), 3),
        None,
    )


def report(lines: Iterator[tuple[str, str, float | None, float | None, float | None]]) -> None:
    print(f"{'':4} {'work':26} {'ours':>9} {'other':>10} {'ratio':>8} {'raw':>8} {'ours/raw':>9}")
    for goal, work, mine, other, floor in lines:
        ratio = f"{mine / other:8.3f}" if mine and other else " " * 8
        above = f"{mine / floor:9.1f}" if mine and floor else ""
        shown = [f"{value:.2f}" if value else "" for value in (mine, other, floor)]
        print(f"{goal:4} {work:26} {shown[0]:>9} {shown[1]:>10} {ratio} {shown[2]:>8} {above}", flush=True)


if __name__ == "__main__":
    main()
