"""The temporary tables of a billing run, in the caller's transaction (decisions: Speed)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from sqlalchemy import Boolean, Column, Date, Integer, MetaData, String, Table, Text, insert, text
from sqlalchemy.orm import Session

from models.base import FixedPoint, Id, Money
from office.core.database import chunks, is_postgresql
from rules.billing import Quote
from rules.charges import BillableItem

WORKING = MetaData()
TEMPORARY: dict[str, Any] = {"prefixes": ["TEMPORARY"]}
UNKNOWN = -1  # residents of a unit where nobody has said how many live there, or where nothing asks for it
NOWHERE = -32_768  # floor or building of a unit that has none, or where no rate asks for it
NO_DAY = date(1, 1, 1)  # own day of a unit that has none, or where no cycle asks for it


def _priced() -> list[Column[Any]]:
    """What a line on a bill says, wherever it waits for its invoice."""
    return [
        Column("fee_item_id", Id, nullable=False),
        Column("quantity", FixedPoint(4), nullable=False),
        Column("rate", FixedPoint(6), nullable=False),
        Column("amount", Money(), nullable=False),
        Column("explanation", Text, nullable=False),
        Column("months", Integer, nullable=False),
        Column("factor", FixedPoint(4), nullable=False),
        Column("raw_amount", FixedPoint(8)),
        Column("service_from", Date),
        Column("service_to", Date),
        Column("bears_late_fee", Boolean, nullable=False),
    ]


LINE_COLUMNS = tuple(column.name for column in _priced())

# units of the period whose month is not billed yet
PENDING = Table(
    "bill_pending", WORKING, Column("unit_id", Id, primary_key=True, autoincrement=False), **TEMPORARY
)
# units that are looked at one by one: who pays, or what is billed already, is their own
SINGLE = Table(
    "bill_single", WORKING, Column("unit_id", Id, primary_key=True, autoincrement=False), **TEMPORARY
)
# units with items at rates of their own, and which items those are: a number for each combination
APART = Table(
    "bill_apart",
    WORKING,
    Column("unit_id", Id, primary_key=True, autoincrement=False),
    Column("apart", Integer, nullable=False),
    **TEMPORARY,
)
# units that nothing is due for
NOTHING_DUE = Table(
    "bill_nothing_due", WORKING, Column("unit_id", Id, primary_key=True, autoincrement=False), **TEMPORARY
)
# what the whole months due cost a unit that is alike in all that rates and cycles ask for
QUOTE_SET = Table(
    "bill_quote_set",
    WORKING,
    Column("kind", String(20), primary_key=True),
    Column("area_m2", FixedPoint(4), primary_key=True),
    Column("residents", Integer, primary_key=True),
    Column("building_id", Id, primary_key=True, autoincrement=False),
    Column("floor", Integer, primary_key=True),
    Column("tags", String(300), primary_key=True),
    Column("anchor_on", Date, primary_key=True),
    Column("apart", Integer, primary_key=True),
    Column("set_id", Integer, nullable=False),
    Column("amount", Money(), nullable=False),
    **TEMPORARY,
)
# the lines of those months
QUOTE = Table(
    "bill_quote",
    WORKING,
    Column("id", Integer, primary_key=True),
    Column("set_id", Integer, nullable=False, index=True),
    Column("position", Integer, nullable=False),
    *_priced(),
    **TEMPORARY,
)
# lines that are one unit's own: part of a month, a meter, a slip
OWN_LINE = Table(
    "bill_line",
    WORKING,
    Column("id", Id, primary_key=True),
    Column("unit_id", Id, nullable=False, index=True),
    Column("payer_id", Id, nullable=False),
    Column("position", Integer, nullable=False),
    *_priced(),
    Column("slip_id", Id),
    Column("share_id", Id),  # of a pool
    Column("reading_id", Id),  # the last one that a metered line counts with
    Column("is_apart", Boolean, nullable=False, default=False),  # beside a set of quotes
    **TEMPORARY,
)
# the shares of pools that are alike: what a line says of each
SHARE_QUOTE = Table(
    "bill_share_quote",
    WORKING,
    Column("pool_id", Id, primary_key=True, autoincrement=False),
    Column("key_value", FixedPoint(4), primary_key=True),
    Column("share", Money(), primary_key=True),
    Column("position", Integer, nullable=False),
    *_priced(),
    **TEMPORARY,
)
# units left out until what they lack is there
HELD = Table("bill_held", WORKING, Column("unit_id", Id, primary_key=True, autoincrement=False), **TEMPORARY)
# the bills to be made, in the order of their numbers
BILL = Table(
    "bill_draft",
    WORKING,
    Column("n", Integer, primary_key=True),
    Column("unit_id", Id, nullable=False, index=True),
    Column("payer_id", Id, nullable=False),
    Column("part", String(10), nullable=False),
    Column("set_id", Integer),
    Column("amount", Money(), nullable=False),
    **TEMPORARY,
)
# `part` of an invoice: it charges the month itself, only what came before it, or the month ahead of its run
MONTH, EXTRA, AHEAD = "", "extra", "ahead"


def create(session: Session) -> None:
    """Make all of them, empty."""
    drop(session)
    WORKING.create_all(session.connection(), checkfirst=False)


def drop(session: Session) -> None:
    """Remove what a run or a preview has left."""
    for table in WORKING.tables.values():
        session.execute(text(f"DROP TABLE IF EXISTS {table.name}"))


def fill(session: Session, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert rows in portions."""
    for some in chunks(rows, 10_000):
        session.connection().execute(insert(table), list(some))


def analyze(session: Session, *tables: Table) -> None:
    """Let PostgreSQL count what is in them: it plans joins on a temporary table only after that."""
    if is_postgresql(session):
        for table in tables:
            session.execute(text(f"ANALYZE {table.name}"))


def priced(item: BillableItem, price: Quote) -> dict[str, Any]:
    """The columns of a line with the place of its item."""
    return {
        "position": item.position,
        "fee_item_id": item.id,
        "quantity": price.quantity,
        "rate": price.rate,
        "amount": price.amount,
        "explanation": price.reason.to_json(),
        "months": price.months,
        "factor": price.factor,
        "raw_amount": price.raw,
        "service_from": price.from_on,
        "service_to": price.to_on,
        "bears_late_fee": item.bears_late_fee,
    }
