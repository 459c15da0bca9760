"""S8–S10: a period billed beside the rawest way to insert the same rows, ORM add_all, and itself run again.

    python -m tests.bench.billing [--units 120000] [--invoices 1000000] [--rounds 3]
                                  [--postgres URL] [--only sqlite]

The estate: units of ten areas with an owner each, three monthly items, and so many invoices there already.
Ours and the floor take turns, each with a period of its own, on the same database; medians. The floor is
raw SQL by the driver: constants instead of rules, no reasons, no audit, no numbers without gaps.
ORM add_all bills a tenth of the units and is scaled up. Memory is that of a client which only bills.
"""

from __future__ import annotations

import argparse
import multiprocessing
import multiprocessing.connection
import statistics
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

from sqlalchemy import Engine, create_engine, select, text
from sqlalchemy.orm import Session

from models.billing import FeeItem, Invoice, InvoiceLine, Tariff
from models.engine import prepare, writing
from models.property import Area, Building
from office.billing import runs
from tests.bench import ground

NOW = datetime(2039, 1, 1, tzinfo=UTC)
FIRST_YEAR = 2026  # the years of billed periods; history lies before
ITEMS = (("lift", "per_m2", "0.45"), ("garbage", "fixed", "12.00"))
GOALS = {"S8": 1.5, "S9": {"sqlite": 50, "postgresql": 10}, "S10": 0.1, "memory": 100}

FLOOR_INVOICES = """
INSERT INTO invoice (number, kind, part, unit_id, payer_id, period, issued_on, due_on, amount, paid, credited,
  late_fee, balance, state, stage)
SELECT 'F{period}-' || u.id, 'regular', '', u.id, o.owner_id, '{period}', '{first}', '{due}', 30700, {paid},
  0, 0, 30700 - {paid}, '{state}', ''
FROM unit u JOIN occupancy o ON o.unit_id = u.id AND o.is_payer
"""
FLOOR_LINES = """
INSERT INTO invoice_line (invoice_id, fee_item_id, quantity, rate, amount, explanation)
SELECT i.id, f.id, 1000000, 2500000, 25000, '{reason}' FROM invoice i JOIN fee_item f ON f.code IN
  ('management_fee', 'lift', 'garbage') WHERE i.period = '{period}'
"""
REASON = (
    '{"code": "per_m2", "inputs": {"quantity": "100.0000", "rate": "2.500000", "amount": "250.00"}}'.replace(
        ":", "\\:"
    )
)


def new_office(folder: Path, url: str) -> Engine:
    return ground.new_session(folder, url, NOW).get_bind()  # type: ignore[return-value]


def fill(session: Session, units: int, invoices: int) -> None:
    """The estate and its past, by set-based inserts."""
    building = Building(name="1", area=Area(name="East"))
    session.add(building)
    for code, basis, rate in ITEMS:
        item = FeeItem(code=code, basis=basis, position=9)
        session.add(
            Tariff(fee_item=item, unit_kind="residence", rate=Decimal(rate), valid_from=date(2000, 1, 1))
        )
    session.flush()
    counting = f"SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {units}"
    series = f"(WITH RECURSIVE n(i) AS ({counting}) SELECT i FROM n) n"
    for statement in (
        "INSERT INTO owner (id, name, name_folded) SELECT i, 'Owner ' || i, 'owner ' || i FROM " + series,
        "INSERT INTO unit (id, code, code_folded, building_id, kind, area_m2) "
        f"SELECT i, '1-' || i, '1-' || i, {building.id}, 'residence', 800000 + (i % 10) * 5000 FROM {series}",
        f"INSERT INTO occupancy (unit_id, owner_id, from_on) SELECT i, i, '2000-01-01' FROM {series}",
    ):
        session.execute(text(statement))
    session.commit()
    for back in range(1, -(-invoices // units) + 1):
        month = FIRST_YEAR * 12 - back
        floor_invoices(session, f"{month // 12}-{month % 12 + 1:02d}", paid=30700, state="paid")
        session.commit()
    session.execute(text("ANALYZE"))
    session.commit()


def floor_invoices(session: Session, period: str, paid: int = 0, state: str = "open") -> None:
    days = {"first": f"{period}-01", "due": f"{period}-15"}
    session.execute(text(FLOOR_INVOICES.format(period=period, paid=paid, state=state, **days)))


def floor(session: Session, period: str) -> None:
    floor_invoices(session, period)
    session.execute(text(FLOOR_LINES.format(period=period, reason=REASON)))
    session.commit()


def ours(session: Session, period: str) -> None:
    runs.issue_invoices(session, period, now=NOW)
    session.commit()


def add_all(session: Session, period: str, share: int) -> None:
    """What an ORM invites to: objects for every row."""
    from models.people import Occupancy
    from models.property import Unit

    items = {item.code: item.id for item in session.scalars(select(FeeItem))}
    pairs = session.execute(
        select(Unit, Occupancy.owner_id)
        .join(Occupancy, Occupancy.unit_id == Unit.id)
        .where(Unit.id % share == 0)
    ).all()
    made = []
    for unit, owner_id in pairs:
        lines = [
            InvoiceLine(
                fee_item_id=items[code],
                quantity=unit.area_m2,
                rate=Decimal("2.5"),
                amount=Decimal(250),
                explanation=REASON,
            )
            for code in ("management_fee", "lift", "garbage")
        ]
        made.append(
            Invoice(
                number=f"A{period}-{unit.id}",
                unit_id=unit.id,
                payer_id=owner_id,
                period=period,
                part="orm",
                issued_on=date(2030, 1, 1),
                due_on=date(2030, 1, 15),
                amount=Decimal(750),
                balance=Decimal(750),
                lines=lines,
            )
        )
    session.add_all(made)
    session.commit()


def timed(work: Callable[[], object]) -> float:
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


def memory_of(url: str, period: str) -> float:
    """Megabytes that billing adds to a client which has just opened the database."""
    fork = multiprocessing.get_context("spawn")
    mine, theirs = fork.Pipe()
    process = fork.Process(target=_bill_apart, args=(url, period, theirs))
    process.start()
    grown: float = mine.recv()
    process.join()
    return grown


def _bill_apart(url: str, period: str, told: multiprocessing.connection.Connection) -> None:
    engine = create_engine(url)
    prepare(engine)
    with writing(), Session(engine) as session:
        session.execute(select(FeeItem.id)).all()
        before = _most_memory(is_new=True)
        ours(session, period)
    told.send((_most_memory() - before) / 1024)


def _most_memory(*, is_new: bool = False) -> int:
    """The process's highest memory in KiB so far, or counted anew from here (Linux)."""
    if is_new:
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    status = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) for line in status if line.startswith("VmHWM"))


def measure(kind: str, engine: Engine, units: int, invoices: int, rounds: int) -> None:
    with writing(), Session(engine) as session:
        filling = timed(lambda: fill(session, units, invoices))
        print(f"{kind}: {units:,} units, {invoices:,} invoices there already, made in {filling:.0f} s")
        mine, theirs, again = [], [], []
        for one in range(rounds):
            theirs.append(timed(lambda one=one: floor(session, f"{FIRST_YEAR}-{one + 1:02d}")))  # type: ignore[misc]
            period = f"{FIRST_YEAR + 1}-{one + 1:02d}"
            mine.append(timed(lambda period=period: ours(session, period)))  # type: ignore[misc]
            again.append(timed(lambda period=period: ours(session, period)))  # type: ignore[misc]
        share = 10
        orm = timed(lambda: add_all(session, f"{FIRST_YEAR + 2}-01", share)) * share
        run, bare, rerun = statistics.median(mine), statistics.median(theirs), statistics.median(again)
    grown = memory_of(engine.url.render_as_string(hide_password=False), f"{FIRST_YEAR + 3}-01")
    told = (
        ("S8 against the floor", run / bare, f"<= {GOALS['S8']}", f"{run:.2f} s against {bare:.2f} s"),
        ("S9 ORM against ours", orm / run, f">= {GOALS['S9'][kind]}", f"{orm:.1f} s, scaled from a tenth"),  # type: ignore[index]
        ("S10 again against first", rerun / run, f"<= {GOALS['S10']}", f"{rerun:.3f} s"),
        ("S8 client memory, MB", grown, f"<= {GOALS['memory']}", "beyond an idle client"),
    )
    for name, value, goal, note in told:
        print(f"  {name:<26}{value:>9.2f}   goal {goal:<7} {note}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--units", type=int, default=120_000)
    parser.add_argument("--invoices", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--postgres", default="", help="URL of an empty database; else a wheel's server")
    parser.add_argument("--only", choices=("sqlite", "postgresql"))
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if given.only != "postgresql":
            measure("sqlite", new_office(folder, ""), given.units, given.invoices, given.rounds)
        if given.only != "sqlite":
            url = given.postgres or ground.wheel(folder, "bench", is_safe=True)[0]
            measure("postgresql", new_office(folder, url), given.units, given.invoices, given.rounds)


if __name__ == "__main__":
    main()
