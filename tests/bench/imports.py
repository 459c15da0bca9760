"""S14: a WeChat Pay bill of 100,000 rows parsed, matched and posted, beside parsing it and raw inserts.

    python -m tests.bench.imports [--rows 100000] [--rounds 1] [--postgres URL] [--only sqlite] [--profile]

Every unit has one open bill, and each row of a round's file pays a part of one. Ours reads the file in its
child process under limits, matches, lays out, numbers receipts without gaps, and commits once. The floor
parses the same file in the same child and inserts as many statement rows, payments and allocations by the
driver's executemany: no match, no check of anything, no bill changed. Both take turns on the same database.
"""

from __future__ import annotations

import argparse
import cProfile
import csv
import os
import pstats
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from models.engine import writing
from office.billing import runs
from office.exchange import imports
from office.rooms import IMPORTS
from tests.bench import ground
from tests.bench.billing import NOW, fill, new_office
from tests.factories.statements import WECHAT, wechat_line

PERIOD = "2026-01"
GOALS = {"sqlite": 5000, "ratio": 3}

STATEMENT_ROW = (
    "INSERT INTO statement_row (id, source, transaction_id, paid_at, amount, method, memo, payer_name, "
    "state, reason, payment_id, imported_at) "
    "VALUES (?, 'floor', ?, ?, ?, 'wechat', ?, '', 'posted', '', ?, ?)"
)
PAYMENT = (
    "INSERT INTO payment (id, receipt_no, series, year, running_no, kind, unit_id, payer_id, method, amount, "
    "allocated, credit, paid_at, posted_at, posted_on, state, reference) "
    "VALUES (?, ?, 'X', 2039, ?, 'payment', ?, ?, 'wechat', ?, ?, 0, ?, ?, '2039-01-01', 'posted', ?)"
)
ALLOCATION = (
    "INSERT INTO allocation (payment_id, invoice_id, amount, part, allocated_on, allocated_at, effective_at) "
    "VALUES (?, ?, ?, 'principal', '2039-01-01', ?, ?)"
)


def statement(path: Path, rows: int, number: int) -> Path:
    """A bill as WeChat Pay exports it: a backtick before each value, two lines of sums below."""
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(WECHAT)
        writer.writerows(
            wechat_line(
                f"42{number:04d}{row:012d}",
                "50.00",
                f"物业费 1-{row}",
                交易时间=f"2026-07-{row % 28 + 1:02d} {row % 12 + 8:02d}:{row % 60:02d}:{row % 59:02d}",
            )
            for row in range(1, rows + 1)
        )
        writer.writerow(["总交易单数", "总交易额"])
        writer.writerow([f"`{rows}", f"`{rows * 50}"])
    return path


def ours(session: Session, path: Path) -> None:
    table = imports.read(path)
    imports.take_in(session, "statement", IMPORTS["statement"], table, now=NOW)
    session.commit()


def floor(session: Session, path: Path, first: int) -> None:
    number, memo, amount = (WECHAT.index(name) for name in ("微信订单号", "商品名称", "订单金额"))
    rows = []
    for line in imports.read(path).lines[1:]:
        cells = line.cells
        if cells[0] == "总交易单数":
            break
        fen = round(float(cells[amount][1:]) * 100)
        rows.append(
            (cells[number][1:], cells[0][1:], fen, cells[memo][1:], int(cells[memo].rsplit("-", 1)[1]))
        )
    connection = session.connection()
    raw: Any = connection.connection.cursor()
    is_sqlite = connection.dialect.name == "sqlite"
    now = NOW.isoformat(" ")
    for sql, values in (
        (
            PAYMENT,
            (
                (first + n, f"X{first + n}", first + n, u, u, fen, fen, at, now, id_)
                for n, (id_, at, fen, _, u) in enumerate(rows)
            ),
        ),
        (ALLOCATION, ((first + n, u, fen, now, now) for n, (_, _, fen, _, u) in enumerate(rows))),
        (
            STATEMENT_ROW,
            (
                (first + n, id_, at, fen, memo, first + n, now)
                for n, (id_, at, fen, memo, _) in enumerate(rows)
            ),
        ),
    ):
        raw.executemany(sql if is_sqlite else sql.replace("?", "%s"), list(values))
    raw.close()
    session.commit()


def spent(work: Callable[[], object]) -> tuple[float, float]:
    """Seconds on the wall, and of processors, the children's too: a busy machine blurs only the first."""
    before, begun = os.times(), time.perf_counter()
    work()
    after = os.times()
    return time.perf_counter() - begun, sum(after[:4]) - sum(before[:4])


def measure(kind: str, engine: Engine, folder: Path, rows: int, rounds: int, *, is_profiled: bool) -> None:
    with writing(), Session(engine) as session:
        fill(session, rows, 0)
        runs.issue_invoices(session, PERIOD, now=NOW)
        session.commit()
        mine, theirs = [], []
        for number in range(rounds):
            path = statement(folder / f"{number}.csv", rows, number)
            first = 10_000_000 * (number + 1)
            theirs.append(spent(lambda path=path, first=first: floor(session, path, first)))  # type: ignore[misc]
            profile = cProfile.Profile()
            if is_profiled:
                profile.enable()
            mine.append(spent(lambda path=path: ours(session, path)))  # type: ignore[misc]
            if is_profiled:
                profile.disable()
                pstats.Stats(profile).sort_stats("tottime").print_stats(35)
            again, _ = spent(lambda path=path: ours(session, path))  # type: ignore[misc]
        run, busy = (statistics.median(one) for one in zip(*mine, strict=True))
        bare, bare_busy = (statistics.median(one) for one in zip(*theirs, strict=True))
    speed, goal = rows / run, GOALS.get(kind)
    print(f"{kind}: {rows:,} rows")
    print(f"  S14 rows a second         {speed:>9.0f}   goal {f'>= {goal}' if goal else '-':<8} {run:.2f} s")
    print(f"  S14 against the floor     {run / bare:>9.2f}   goal <= {GOALS['ratio']}     floor {bare:.2f} s")
    if kind == "sqlite":  # PostgreSQL works in processes of its own
        print(
            f"  the same of processors    {busy / bare_busy:>9.2f}   {busy:.2f} s against {bare_busy:.2f} s"
        )
    print(f"  the same file again       {again / run:>9.2f}   {again:.2f} s")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--postgres", default="", help="URL of an empty database; else a wheel's server")
    parser.add_argument("--only", choices=("sqlite", "postgresql"))
    parser.add_argument("--profile", action="store_true", help="also say where our time goes")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        more = {"is_profiled": given.profile}
        if given.only != "postgresql":
            measure("sqlite", new_office(folder, ""), folder, given.rows, given.rounds, **more)
        if given.only != "sqlite":
            engine = new_office(folder, given.postgres or ground.wheel(folder, "bench", is_safe=True)[0])
            measure("postgresql", engine, folder, given.rows, given.rounds, **more)


if __name__ == "__main__":
    main()
