"""S12: a dunning stage over many debtors, beside the raw SQL that finds them and inserts as many rows.

    python -m tests.bench.collection [--debtors 30000] [--invoices 300000] [--postgres URL]

Prints medians of judging the day on which every debtor's call is due, at that history and at ten times less
of it, and the ratio to the raw statements. Everything is rolled back, so each run finds the same rows.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from sqlalchemy import insert, text
from sqlalchemy.orm import Session

from models.billing import Invoice
from models.collection import Reminder, ReminderBatch
from models.engine import writing
from models.people import Occupancy, Owner
from models.property import Area, Building, Unit
from office.arrears import dunning
from tests.bench import ground

START = datetime(2026, 1, 1, tzinfo=UTC)
DUE = date(2026, 3, 15)
JUDGED_AT = datetime(2026, 3, 19, 1, tzinfo=UTC)  # 09:00 in Shanghai: the call
RUNS = 5
BATCH = 20_000


def put(session: Session, model: Any, rows: Any) -> None:
    part = []
    for row in rows:
        part.append(row)
        if len(part) == BATCH:
            session.execute(insert(model), part)
            part = []
    if part:
        session.execute(insert(model), part)


def add_debtors(session: Session, count: int) -> None:
    """Units whose payer owes the bill due on 15 March and had the friendly reminder on the 16th."""
    building = Building(name="1", area=Area(name="东区"))
    session.add(building)
    session.flush()
    numbers = range(1, count + 1)
    put(session, Unit, (_unit(number, building.id) for number in numbers))
    put(session, Owner, ({"id": number, "name": f"业主{number}"} for number in numbers))
    put(session, Occupancy, (_occupancy(number) for number in numbers))
    put(session, Invoice, (_invoice(number, number, DUE, is_open=True) for number in numbers))
    batch = ReminderBatch(
        number="friendly", stage="friendly", made_for=date(2026, 3, 16), made_at=JUDGED_AT, state="approved"
    )
    session.add(batch)
    session.flush()
    put(session, Reminder, (_friendly(number, batch.id) for number in numbers))
    session.commit()


def _unit(number: int, building_id: int) -> dict[str, Any]:
    return {
        "id": number,
        "code": f"1-{number}",
        "building_id": building_id,
        "kind": "residence",
        "area_m2": Decimal(100),
        "state": "occupied",
    }


def _occupancy(number: int) -> dict[str, Any]:
    return {"unit_id": number, "owner_id": number, "from_on": date(2010, 1, 1)}


def _invoice(key: int, unit_id: int, due_on: date, *, is_open: bool) -> dict[str, Any]:
    return {
        "id": key,
        "number": f"N{key:09}",
        "part": str(key),
        "unit_id": unit_id,
        "payer_id": unit_id,
        "period": f"{due_on:%Y-%m}",
        "issued_on": due_on.replace(day=1),
        "due_on": due_on,
        "amount": Decimal(100),
        "paid": Decimal(0 if is_open else 100),
        "balance": Decimal(100 if is_open else 0),
        "state": "open" if is_open else "paid",
        "stage": "friendly" if is_open else "",
    }


def _friendly(number: int, batch_id: int) -> dict[str, Any]:
    return {
        "batch_id": batch_id,
        "subject_id": number,
        "stage": "friendly",
        "unit_id": number,
        "payer_id": number,
        "debt": Decimal(100),
        "due_on": DUE,
        "planned_on": date(2026, 3, 16),
        "channel": "print",
        "state": "printed",
        "sent_at": JUDGED_AT,
    }


def add_history(session: Session, debtors: int, first: int, last: int) -> None:
    """Paid bills of the years before."""
    rows = (
        _invoice(
            key,
            key % debtors + 1,
            date(2016 + key // debtors % 10, key // debtors % 12 + 1, 15),
            is_open=False,
        )
        for key in range(first, last + 1)
    )
    put(session, Invoice, rows)
    session.commit()
    session.execute(text("ANALYZE"))
    session.commit()


def timed(session: Session, work: Callable[[], object]) -> float:
    taken = []
    for _ in range(RUNS):
        begin = time.perf_counter()
        work()
        session.flush()
        taken.append(time.perf_counter() - begin)
        session.rollback()
    return statistics.median(taken)


def raw(session: Session, debtors: int) -> None:
    """What the driver alone needs: find the debtors, insert as many rows."""
    driver = session.connection().connection.dbapi_connection
    mark = "%s" if session.get_bind().dialect.name == "postgresql" else "?"
    cursor = driver.cursor()
    cursor.execute(
        "SELECT unit_id, payer_id, min(id), sum(balance) FROM invoice "
        "WHERE balance > 0 AND due_on < '2026-03-19' GROUP BY unit_id, payer_id"
    )
    found = cursor.fetchall()
    assert len(found) == debtors
    columns = "batch_id, stage, planned_on, due_on, channel, state, subject_id, unit_id, payer_id, debt"
    fixed = "1, 'call', '2026-03-19', '2026-03-15', 'phone', 'planned'"
    cursor.executemany(
        f"INSERT INTO reminder ({columns}) VALUES ({fixed}, {mark}, {mark}, {mark}, {mark})",
        [(subject, unit, payer, debt) for unit, payer, subject, debt in found],
    )


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--debtors", type=int, default=30_000)
    parser.add_argument("--invoices", type=int, default=300_000)
    parser.add_argument("--postgres", default="")
    asked = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder, writing():
        session = ground.new_session(Path(folder), asked.postgres, START)
        add_debtors(session, asked.debtors)
        least = asked.debtors + max(asked.invoices // 10, 1)
        add_history(session, asked.debtors, asked.debtors + 1, least)
        for invoices in (least, asked.invoices):
            if invoices > least:
                add_history(session, asked.debtors, least + 1, invoices)
            bare = timed(session, lambda: raw(session, asked.debtors))
            ours = timed(session, lambda: dunning.judge_day(session, JUDGED_AT))
            idle = timed(session, lambda: dunning.judge_day(session, JUDGED_AT.replace(day=18)))
            print(
                f"{invoices:>10,} invoices, {asked.debtors:,} debtors: stage {ours:.3f} s, "
                f"raw {bare:.3f} s, ratio {ours / bare:.2f}; a day without a stage {idle:.3f} s"
            )
        session.close()


if __name__ == "__main__":
    main(sys.argv[1:])
