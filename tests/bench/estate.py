"""A large estate to measure in, made by the database itself: units, payers, ten years of bills, tickets.

    python -m tests.bench.estate FOLDER [--url postgresql://…] [--units 120000] [--invoices 14000000]
                                 [--tickets 0] [--contacts 0] [--lines 1]

FOLDER becomes an instance: `GATEHOUSE_INSTANCE=FOLDER flask run` opens the office (admin, PASSWORD below).
Each month bills every unit; the newest is LATEST, the share that stays open falls with age. With fewer
invoices than units the bills lie spread over all buildings. `--lines` newest months have their lines, of
older ones the bills that are still open.
Run again it adds nothing. Payments are not made: the past is written as paid.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import click
from flask import Flask
from sqlalchemy import text

from app import create_app
from models import db, engine
from office.core import schema
from office.operations import setup
from runtime.application import engine_of
from runtime.settings import Settings
from tests.bench import ground

PASSWORD = "correct horse battery"
LATEST = 2026 * 12 + 5  # June 2026
NOW = datetime(2026, 6, 20, 1, tzinfo=UTC)
BUILDINGS = 500
AREAS = 10
OPEN_SHARE = (37, 12, 6, 4, 3, 2)  # percent of a month's bills open, newest month first; older ones 1
AMOUNT = "(18000 + u.id % 9000)"


@dataclass(frozen=True)
class Size:
    units: int = 120_000
    invoices: int = 14_000_000
    tickets: int = 0
    contacts: int = 0
    lines: int = 1  # months


class Dialect:
    """The few words in which the two databases differ."""

    def __init__(self, name: str) -> None:
        self.is_sqlite = name == "sqlite"

    def numbers(self, most: int) -> str:
        """1 … most as a table `s` with a column `n`."""
        if self.is_sqlite:
            counting = f"SELECT 1 UNION ALL SELECT n + 1 FROM s WHERE n < {most}"
            return f"(WITH RECURSIVE s (n) AS ({counting}) SELECT n FROM s) s"
        return f"(SELECT generate_series(1, {most}) AS n) s"

    def padded(self, value: str, width: int) -> str:
        if self.is_sqlite:
            return f"printf('%0{width}d', {value})"
        return f"lpad(CAST({value} AS text), {width}, '0')"

    def day(self, day: str) -> str:
        return f"'{day}'" if self.is_sqlite else f"DATE '{day}'"

    def instant(self, minutes: str) -> str:
        """So many minutes before NOW."""
        if self.is_sqlite:
            written = "'%Y-%m-%d %H:%M:%S.000000'"
            return f"strftime({written}, '{NOW:%Y-%m-%d %H:%M:%S}', '-' || ({minutes}) || ' minutes')"
        return f"TIMESTAMPTZ '{NOW.isoformat()}' - ({minutes}) * INTERVAL '1 minute'"


def estate(folder: Path, url: str = "", size: Size | None = None) -> Flask:
    """The application of an office with an estate of a size, filled now or before."""
    size = size or Size()
    folder.mkdir(parents=True, exist_ok=True)
    app = create_app(
        Settings(instance=folder, database_url=url, secret_key="a key for benches", flask={"TESTING": True})
    )
    done = folder / f"filled-{size.units}-{size.invoices}-{size.tickets}-{size.contacts}-{size.lines}"
    if done.exists():
        return app
    schema.migrate(engine_of(app))
    with app.app_context(), engine.writing():
        session = db.session()
        setup.set_up(session, "residential", now=NOW, is_sandbox=True, admin_password=PASSWORD)
        session.commit()
        fill(size)
        session.execute(text("ANALYZE"))
        session.commit()
    done.touch()
    return app


@contextmanager
def steps(label: str, count: int) -> Iterator[Iterator[int]]:
    with click.progressbar(range(count), label=label) as bar:
        yield iter(bar)


def insert(table: str, source: str, **columns: str) -> None:
    columns |= ground.folded(table, columns)
    names, values = ", ".join(columns), ", ".join(columns.values())
    db.session.execute(text(f"INSERT INTO {table} ({names}) SELECT {values} FROM {source}"))


def fill(size: Size) -> None:
    """Units, then the months, then what people said; committed step by step."""
    dialect = Dialect(db.engine.dialect.name)
    fill_property(dialect, size.units)
    months = -(-size.invoices // size.units)
    with steps("bills", months) as each:
        for back in each:
            fill_month(dialect, size, back)
            db.session.commit()
    for label, count, fill_one in (
        ("tickets", size.tickets, fill_tickets),
        ("contacts", size.contacts, fill_contacts),
    ):
        with steps(label, -(-count // 100_000)) as each:
            for part in each:
                fill_one(dialect, size, part * 100_000, min(100_000, count - part * 100_000))
                db.session.commit()


def fill_property(dialect: Dialect, units: int) -> None:
    floors = units // BUILDINGS + 1
    insert("area", dialect.numbers(AREAS), id="n", name="'Area ' || n", position="n")
    insert(
        "building",
        dialect.numbers(BUILDINGS),
        id="n",
        name=f"'B' || {dialect.padded('n', 3)}",
        area_id=f"1 + n % {AREAS}",
        position="n",
    )
    building = f"1 + n % {BUILDINGS}"
    insert(
        "unit",
        dialect.numbers(units),
        id="n",
        code=f"{dialect.padded(building, 3)} || '-' || {dialect.padded(f'n / {BUILDINGS}', 4)}",
        building_id=building,
        floor=f"1 + (n / {BUILDINGS}) % {floors} / 8",
        kind="'residence'",
        area_m2="895000",
        state="'occupied'",
    )
    insert(
        "owner",
        dialect.numbers(units),
        id="n",
        name=f"'业主' || {dialect.padded('n', 6)}",
        pinyin_initials=f"'YZ' || {dialect.padded('n', 6)}",
    )
    insert("occupancy", dialect.numbers(units), unit_id="n", owner_id="n", from_on=dialect.day("2010-01-01"))
    if not dialect.is_sqlite:
        for table in ("area", "building", "unit", "owner"):
            db.session.execute(
                text(f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), (SELECT MAX(id) FROM {table}))")
            )


def fill_month(dialect: Dialect, size: Size, back: int) -> None:
    month = LATEST - back
    period = f"{month // 12}-{month % 12 + 1:02}"
    share = OPEN_SHARE[back] if back < len(OPEN_SHARE) else 1
    is_open = f"(u.id * 7919 + {back} * 104729) % 100 < {share}"
    spread = max(size.units // size.invoices, 1)
    insert(
        "invoice",
        f"unit u WHERE (u.id / {BUILDINGS}) % {spread} = 0",  # some of each building
        number=f"'{period}-' || {dialect.padded('u.id', 7)}",
        unit_id="u.id",
        payer_id="u.id",
        period=f"'{period}'",
        issued_on=dialect.day(f"{period}-01"),
        due_on=dialect.day(f"{period}-15"),
        amount=AMOUNT,
        paid=f"CASE WHEN {is_open} THEN 0 ELSE {AMOUNT} END",
        balance=f"CASE WHEN {is_open} THEN {AMOUNT} ELSE 0 END",
        state=f"CASE WHEN {is_open} THEN 'open' ELSE 'paid' END",
    )
    has_lines = "" if back < size.lines else " AND i.balance > 0"
    insert(
        "invoice_line",
        f"invoice i JOIN fee_item f ON f.code = 'management_fee' WHERE i.period = '{period}'{has_lines}",
        invoice_id="i.id",
        fee_item_id="f.id",
        quantity="895000",
        rate="2500000",
        amount="i.amount",
        paid="i.paid",
    )


def fill_tickets(dialect: Dialect, size: Size, after: int, count: int) -> None:
    """Closed complaints of ten years, the newest first."""
    number = f"{after} + n"
    insert(
        "ticket",
        f"{dialect.numbers(count)} CROSS JOIN (SELECT MIN(id) AS id FROM category) c "
        "CROSS JOIN (SELECT MIN(id) AS id FROM department) d",
        number=f"'T' || {dialect.padded(number, 8)}",
        channel="'desk'",
        category_id="c.id",
        department_id="d.id",
        unit_id=f"1 + ({number}) % {size.units}",
        statement="'灯不亮'",
        severity="'minor'",
        state="'closed'",
        registered_at=dialect.instant(f"({number}) * 5"),
        resolved_at=dialect.instant(f"({number}) * 5 - 4"),
        closed_at=dialect.instant(f"({number}) * 5 - 2"),
        satisfaction=f"1 + ({number}) % 5",
    )


def fill_contacts(dialect: Dialect, size: Size, after: int, count: int) -> None:
    """Calls to payers, spread over ten years."""
    number = f"{after} + n"
    insert(
        "contact",
        dialect.numbers(count),
        unit_id=f"1 + ({number}) % {size.units}",
        payer_id=f"1 + ({number}) % {size.units}",
        at=dialect.instant(number),
        recorded_at=dialect.instant(number),
        method="'phone'",
        outcome="'reached'",
    )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("--url", default="")
    for name, most in Size().__dict__.items():
        parser.add_argument(f"--{name}", type=int, default=most)
    options = vars(parser.parse_args())
    estate(options.pop("folder"), options.pop("url"), Size(**options))


if __name__ == "__main__":
    main()
