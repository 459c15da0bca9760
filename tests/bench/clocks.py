"""S11: one tick among many open tickets; and the import of an old register.

    python -m tests.bench.clocks [--tickets 1000000] [--postgres URL]

Prints medians: a sweep with nothing due and with 100 due, beside raw SQL by the driver that finds what is
due, writes as many escalations and moves as many clocks, at 10,000 tickets and at the number asked for; then
old tickets imported and classified, per second. CPU time beside wall time: machines are seldom idle.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

from sqlalchemy import insert, select, text
from sqlalchemy.orm import Session

from models.complaints import Category, Ticket, TicketClock
from models.engine import writing
from office.complaints import clock_jobs
from office.complaints.legacy_import import LegacyTicket, import_tickets
from rules.reasons import Reason
from rules.severity import Facts
from tests.bench import ground

START = datetime(2026, 3, 2, 2, tzinfo=UTC)
FAR = START + timedelta(days=300)
HOUR = timedelta(hours=1)
DUE = 100
RUNS = 7
BATCH = 20_000
RULE = Reason("due_elapsed", {"rule": "first_word", "length": 1440, "from": START}).to_json()


def fill(session: Session, first: int, count: int) -> None:
    """Open tickets, each with a running clock that needs no look for long."""
    category = session.execute(select(Category).limit(1)).scalar_one()
    for begin in range(first, first + count, BATCH):
        numbers = range(begin, min(begin + BATCH, first + count))
        session.execute(insert(Ticket), [_ticket(number, category) for number in numbers])
        session.execute(insert(TicketClock), [_clock(number, FAR) for number in numbers])
        session.commit()
    session.execute(text("ANALYZE"))
    session.commit()


def _ticket(number: int, category: Category) -> dict[str, object]:
    return {
        "id": number,
        "number": f"B{number}",
        "registered_at": START,
        "channel": "phone",
        "category_id": category.id,
        "department_id": category.department_id,
        "statement": "the hall was not cleaned",
        "severity": "minor",
    }


def _clock(number: int, next_at: datetime) -> dict[str, object]:
    return {
        "ticket_id": number,
        "clock": "first_word",
        "started_at": START,
        "warn_at": next_at - HOUR,
        "due_at": next_at,
        "rule": RULE,
        "next_at": next_at - HOUR,
    }


def make_due(session: Session, at: datetime, count: int) -> None:
    ids = list(
        session.execute(select(TicketClock.id).where(TicketClock.due_at == FAR).limit(count)).scalars()
    )
    session.execute(
        text(
            "UPDATE ticket_clock SET warn_at = :at, due_at = :at, next_at = :at "
            f"WHERE id IN ({str(ids)[1:-1]})"
        ),
        {"at": at.replace(tzinfo=None) if session.get_bind().dialect.name == "sqlite" else at},
    )
    session.commit()


class Took(NamedTuple):
    """Seconds on the wall, and of this process on the processor."""

    wall: float
    cpu: float

    def __str__(self) -> str:
        return f"{self.wall * 1000:.1f} ms ({self.cpu * 1000:.1f} CPU)"


def median(runs: Iterable[Took]) -> Took:
    took = list(runs)
    return Took(statistics.median(run.wall for run in took), statistics.median(run.cpu for run in took))


def timed(work: Callable[[], object]) -> Took:
    begun, cpu = time.perf_counter(), time.process_time()
    work()
    return Took(time.perf_counter() - begun, time.process_time() - cpu)


def sweep(session: Session, at: datetime, due: int) -> Took:
    def run() -> None:
        assert clock_jobs.sweep(session, at).done == due
        session.commit()

    return timed(run)


def raw(session: Session, at: datetime) -> Took:
    query = text("SELECT * FROM ticket_clock WHERE next_at <= :at")
    value = at.replace(tzinfo=None) if session.get_bind().dialect.name == "sqlite" else at
    took = timed(lambda: session.execute(query, {"at": value}).all())
    session.rollback()
    return took


def raw_due(session: Session, at: datetime) -> Took:
    """The floor of a sweep with clocks due: the driver finds, writes and moves as many rows; undone after."""
    is_sqlite = session.get_bind().dialect.name == "sqlite"
    value = at.replace(tzinfo=None).isoformat(" ") if is_sqlite else at
    mark = "?" if is_sqlite else "%s"
    cursor = session.connection().connection.cursor()

    def work() -> None:
        cursor.execute(f"SELECT id, ticket_id, rule FROM ticket_clock WHERE next_at <= {mark}", (value,))
        rows = cursor.fetchall()
        cursor.executemany(
            "INSERT INTO escalation (ticket_id, ticket_clock_id, clock, level, at, to_role, reason) "
            f"VALUES ({mark}, {mark}, 'first_word', 1, {mark}, 'station_head', {mark})",
            [(ticket_id, clock_id, value, rule) for clock_id, ticket_id, rule in rows],
        )
        cursor.executemany(
            f"UPDATE ticket_clock SET state = 'breached', warned_at = {mark}, next_at = {mark} "
            f"WHERE id = {mark}",
            [(value, value, row[0]) for row in rows],
        )
        cursor.executemany(f"UPDATE ticket SET level = 1 WHERE id = {mark}", [(row[1],) for row in rows])

    took = timed(work)
    session.rollback()
    return took


def measure_sweep(session: Session, count: int) -> None:
    sweep(session, START, 0)  # imports, caches
    nothing = median(sweep(session, START, 0) for _ in range(RUNS))
    floor = median(raw(session, START) for _ in range(RUNS))
    due, floor_due = [], []
    each = min(DUE, count // (2 * RUNS))  # a small office has too few for the usual number
    for run in range(RUNS):
        at = START + timedelta(days=run + 1)
        make_due(session, at, each)
        floor_due.append(raw_due(session, at + timedelta(minutes=1)))
        due.append(sweep(session, at + timedelta(minutes=1), each))
        session.execute(
            text("UPDATE ticket_clock SET next_at = NULL WHERE next_at < :far"),
            {"far": str(FAR - 2 * HOUR)[:19]},
        )
        session.commit()
    print(
        f"{count:>9,} tickets: nothing due {nothing}, raw select {floor}; "
        f"{each} due {median(due)}, raw SQL {median(floor_due)}",
        flush=True,
    )


def legacy_tickets(count: int) -> Iterator[LegacyTicket]:
    for number in range(count):
        at = START - timedelta(minutes=7 * number)
        yield LegacyTicket(
            registered_at=at,
            channel="phone",
            category="cleaning",
            statement=f"complaint {number}",
            facts=Facts(household_count=1 + number % 4, is_written=number % 5 == 0),
            number=f"OLD-{number}",
            complainant="王五",
            resolved_at=at + HOUR * (number % 90) if number % 50 else None,
            followed_up_at=at + HOUR * 91 if number % 50 else None,
            satisfaction=1 + number % 5,
        )


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--tickets", type=int, default=1_000_000)
    parser.add_argument("--old", type=int, default=100_000)
    parser.add_argument("--postgres", default="")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, writing():
        session = ground.new_session(Path(folder), given.postgres, START)
        few = min(10_000, given.tickets)
        fill(session, 1, few)
        measure_sweep(session, few)
        fill(session, few + 1, given.tickets - few)
        measure_sweep(session, given.tickets)
        if given.old:
            took = timed(lambda: import_tickets(session, legacy_tickets(given.old), now=START))
            session.commit()
            print(
                f"{given.old:>9,} old tickets imported in {took.wall:.1f} s ({took.cpu:.1f} CPU), "
                f"{given.old / took.cpu:,.0f} a second of CPU"
            )
        session.close()


if __name__ == "__main__":
    sys.exit(main())
