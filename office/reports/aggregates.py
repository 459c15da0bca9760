"""Materialized aggregates of billed, paid and open money, always read as of now (K1, K2).

The tables of models/figures hold a row per building and month (or year), per building, month and item,
and per building and due day. A trigger notes each building's month that a posted change made stale. Who
reads takes the stored rows of what is not stale and counts the rest in the same statement, so a figure
is never old; the minute tick stores what was counted. The cost follows the buildings, not the history.
"""

# ruff: noqa: S608 -- these statements are made of our own names only
from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, cast

from sqlalchemy import CursorResult, text
from sqlalchemy.orm import Session

from office.core.integrity import Finding
from office.core.jobs import JobResult
from rules.money import from_fen
from rules.report_rates import Collected

MONTH = len("2026-06")
MONTHS = " UNION ALL ".join(f"SELECT '-{month:02}' AS month" for month in range(1, 13))
# late fee comes after the principal (contract: Money)
PRINCIPAL_PAID = "CASE WHEN i.paid > i.amount - i.credited THEN i.amount - i.credited ELSE i.paid END"
# CROSS JOIN: SQLite then begins at the few cells, whatever its statistics say
ITS_INVOICES = (
    "CROSS JOIN unit u CROSS JOIN invoice i WHERE u.building_id = k.building_id AND i.unit_id = u.id"
)
ESTATE = 0  # in the place of a building: all of them together, so that reading what is owed stays short
STALE_MONTH = "SELECT 1 FROM figures_stale s WHERE s.building_id = f.building_id AND s.period = f.period"
STALE_YEAR = (
    "SELECT 1 FROM figures_stale s WHERE s.building_id = f.building_id AND substr(s.period, 1, 4) = f.period"
)
STALE_BUILDING = "SELECT 1 FROM figures_stale s WHERE s.building_id = f.building_id"


# What is counted, of which cells -----------------------------------------------------------------------


def _months(stale: str) -> str:
    """The stale months: building, the cell, and the month of invoices that it is counted from."""
    return f"SELECT DISTINCT building_id, period AS cell, period FROM figures_stale WHERE {stale}"


def _years(stale: str) -> str:
    """The years of stale months, each with its twelve months."""
    return (
        "SELECT DISTINCT building_id, substr(period, 1, 4) AS cell, substr(period, 1, 4) || month AS period "
        f"FROM figures_stale CROSS JOIN ({MONTHS}) m WHERE {stale}"
    )


def _collected(cells: str) -> str:
    return (
        "SELECT building_id, cell AS period, SUM(billed) AS billed, SUM(paid) AS paid, "
        "COUNT(*) AS households, SUM(CASE WHEN owed = 0 THEN 1 ELSE 0 END) AS households_paid FROM ("
        "SELECT k.building_id, k.cell, i.unit_id, SUM(i.amount - i.credited) AS billed, "
        f"SUM({PRINCIPAL_PAID}) AS paid, SUM(i.balance) AS owed FROM ({cells}) k {ITS_INVOICES} "
        "AND i.period = k.period GROUP BY k.building_id, k.cell, i.unit_id) per_unit "
        "GROUP BY building_id, cell"
    )


def _share(amount: str, part: str, *, is_sqlite: bool) -> str:
    """`part` of the whole of an amount in whole fen, rounded down."""
    if is_sqlite:
        return f"CAST({amount} * {part} / whole AS INTEGER)"
    return f"DIV(CAST({amount} AS numeric) * {part}, whole)"


def _items(cells: str, *, is_sqlite: bool) -> str:
    """Shares of the items in an invoice's billed and paid money, in proportion to what is left of each.

    Left after its own credit notes; shares are differences of running sums, so that no fen is lost.
    """

    def share(amount: str) -> str:
        until = _share(amount, "running", is_sqlite=is_sqlite)
        before = _share(amount, "(running - net)", is_sqlite=is_sqlite)
        return f"CAST(SUM(COALESCE({until} - {before}, 0)) AS BIGINT) AS {amount}"

    per_item = (
        "SELECT k.building_id, k.cell, i.id, l.fee_item_id, i.amount - i.credited AS billed, "
        f"{PRINCIPAL_PAID} AS paid, SUM(l.amount) - COALESCE((SELECT SUM(n.amount) FROM credit_note n "
        "WHERE n.invoice_id = i.id AND n.fee_item_id = l.fee_item_id), 0) AS net "
        f"FROM ({cells}) k {ITS_INVOICES.replace(' WHERE', ' CROSS JOIN invoice_line l WHERE')} "
        "AND i.period = k.period AND l.invoice_id = i.id "
        "GROUP BY k.building_id, k.cell, i.id, i.amount, i.credited, i.paid, l.fee_item_id"
    )
    running = (
        "SELECT per_item.*, SUM(net) OVER (PARTITION BY id ORDER BY fee_item_id) AS running, "
        f"NULLIF(SUM(net) OVER (PARTITION BY id), 0) AS whole FROM ({per_item}) per_item"
    )
    return (
        f"SELECT building_id, cell AS period, fee_item_id, {share('billed')}, {share('paid')} "
        f"FROM ({running}) shared GROUP BY building_id, cell, fee_item_id"
    )


def _owed(stale: str) -> str:
    return (
        "SELECT building_id, due_on, period, SUM(balance) AS amount, COUNT(*) AS invoices, "
        "SUM(is_oldest) AS households FROM ("
        "SELECT u.building_id, i.due_on, i.period, i.balance, CASE WHEN ROW_NUMBER() OVER "
        "(PARTITION BY i.unit_id ORDER BY i.due_on, i.id) = 1 THEN 1 ELSE 0 END AS is_oldest "
        f"FROM (SELECT DISTINCT building_id FROM figures_stale WHERE {stale}) k {ITS_INVOICES} "
        "AND i.balance > 0) open_invoice "
        "GROUP BY building_id, due_on, period"
    )


def _is_sqlite(session: Session) -> bool:
    return session.get_bind().dialect.name == "sqlite"


# Read --------------------------------------------------------------------------------------------------


def collected(session: Session, period: str) -> dict[int, Collected]:
    """What each building's invoices of a month (`2026-06`) or a year (`2026`) brought, in yuan (K1)."""
    if len(period) == MONTH:
        stale, live = STALE_MONTH, _collected(_months("period = :period"))
    else:
        stale, live = STALE_YEAR, _collected(_years("substr(period, 1, 4) = :period"))
    columns = "building_id, billed, paid, households, households_paid"
    rows = session.execute(
        text(
            f"SELECT {columns} FROM figures_collected f WHERE period = :period AND NOT EXISTS ({stale}) "
            f"UNION ALL SELECT {columns} FROM ({live}) live"
        ),
        {"period": period},
    )
    return {
        building: Collected(from_fen(int(billed)), from_fen(int(paid)), households, int(households_paid))
        for building, billed, paid, households, households_paid in rows
    }


def by_month(session: Session, year: int) -> dict[str, Collected]:
    """The same of the whole estate, by month of a year (K1)."""
    live = _collected(_months("substr(period, 1, 4) = :year"))
    columns = "period, billed, paid, households, households_paid"
    rows = session.execute(
        text(
            "SELECT period, SUM(billed), SUM(paid), SUM(households), SUM(households_paid) FROM ("
            f"SELECT {columns} FROM figures_collected f WHERE period IN "
            f"(SELECT :year || month FROM ({MONTHS}) m) AND NOT EXISTS ({STALE_MONTH}) "
            f"UNION ALL SELECT {columns} FROM ({live}) live) both_parts GROUP BY period"
        ),
        {"year": f"{year:04}"},
    )
    return {
        month: Collected(from_fen(int(billed)), from_fen(int(paid)), int(households), int(done))
        for month, billed, paid, households, done in rows
    }


def by_item(session: Session, period: str) -> dict[tuple[int, int], Collected]:
    """The same by building and fee item, without households (K1)."""
    wanted = "period = :period" if len(period) == MONTH else "substr(period, 1, 4) = :period"
    live = _items(_months(wanted), is_sqlite=_is_sqlite(session))
    columns = "building_id, fee_item_id, billed, paid"
    rows = session.execute(
        text(
            "SELECT building_id, fee_item_id, SUM(billed), SUM(paid) FROM ("
            f"SELECT {columns} FROM figures_item f WHERE {wanted} AND NOT EXISTS ({STALE_MONTH}) "
            f"UNION ALL SELECT {columns} FROM ({live}) live) both_parts GROUP BY building_id, fee_item_id"
        ),
        {"period": period},
    )
    return {
        (building, item): Collected(from_fen(int(billed)), from_fen(int(paid)))
        for building, item, billed, paid in rows
    }


@dataclass(frozen=True)
class OpenAmount:
    """What is open of a due day and period, in yuan; its households are those whose oldest debt it is."""

    due_on: date
    period: str
    amount: Decimal
    invoices: int
    households: int


def owed(session: Session) -> list[OpenAmount]:
    """Everything open in the estate, by due day and period, oldest first (K1, K2)."""
    columns = "due_on, period, amount, invoices, households"
    # the estate as stored, without its stale buildings, with these counted now
    rows = session.execute(
        text(
            "SELECT due_on, period, SUM(amount), SUM(invoices), SUM(households) FROM ("
            f"SELECT {columns} FROM figures_owed WHERE building_id = {ESTATE} "
            "UNION ALL SELECT due_on, period, -amount, -invoices, -households FROM figures_owed f "
            f"WHERE building_id IN (SELECT building_id FROM figures_stale) "
            f"UNION ALL SELECT {columns} FROM ({_owed('1 = 1')}) live) parts "
            "GROUP BY due_on, period HAVING SUM(invoices) > 0 ORDER BY due_on, period"
        )
    )
    return [
        OpenAmount(
            due_on if isinstance(due_on, date) else date.fromisoformat(due_on),
            period,
            from_fen(int(amount)),
            int(invoices),
            int(households),
        )
        for due_on, period, amount, invoices, households in rows
    ]


# Store -------------------------------------------------------------------------------------------------

COLUMNS = {
    "figures_collected": "building_id, period, billed, paid, households, households_paid",
    "figures_item": "building_id, period, fee_item_id, billed, paid",
    "figures_owed": "building_id, due_on, period, amount, invoices, households",
}


def store(session: Session, due_for: datetime) -> JobResult:  # noqa: ARG001 -- a job's arguments
    """Job: refresh every stale cell; safe to run twice and beside running changes (§8).

    Only the notes seen at the start are counted and taken away: a change committed meanwhile keeps its own.
    """
    noted = session.execute(text("SELECT EXISTS (SELECT 1 FROM figures_stale)")).scalar_one()
    if not noted:
        return JobResult()
    session.execute(text("UPDATE figures_stale SET is_counting = true"))
    counting = "is_counting"
    items = _items(_months(counting), is_sqlite=_is_sqlite(session))
    stored = 0
    for table, old, counted in (
        ("figures_collected", STALE_MONTH, _collected(_months(counting))),
        ("figures_collected", STALE_YEAR, _collected(_years(counting))),
        ("figures_item", STALE_MONTH, items),
        ("figures_owed", STALE_BUILDING, _owed(counting)),
    ):
        session.execute(text(f"DELETE FROM {table} AS f WHERE EXISTS ({old} AND s.is_counting)"))
        columns = COLUMNS[table]
        insert = text(f"INSERT INTO {table} ({columns}) SELECT {columns} FROM ({counted}) counted")
        stored += cast("CursorResult[Any]", session.execute(insert)).rowcount
    session.execute(text(f"DELETE FROM figures_owed WHERE building_id = {ESTATE}"))
    session.execute(
        text(
            f"INSERT INTO figures_owed ({COLUMNS['figures_owed']}) SELECT {ESTATE}, due_on, period, "
            "SUM(amount), SUM(invoices), SUM(households) FROM figures_owed GROUP BY due_on, period"
        )
    )
    session.execute(text("DELETE FROM figures_stale WHERE is_counting"))
    return JobResult(done=stored)


# Check -------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class AggregateCheck:
    """A query of stored cells, and the query that counts the same cells from all invoices."""

    code: str
    stored: str
    counted: str
    key: str
    fields: tuple[str, ...]
    stale: str


def _checks() -> tuple[AggregateCheck, ...]:
    def per_unit(period: str) -> str:
        return (
            f"SELECT u.building_id, {period} AS period, SUM(i.amount - i.credited) AS billed, "
            f"SUM({PRINCIPAL_PAID}) AS paid, COUNT(DISTINCT i.unit_id) AS households, "
            "COUNT(DISTINCT i.unit_id) - COUNT(DISTINCT CASE WHEN i.balance > 0 THEN i.unit_id END) "
            "AS households_paid FROM invoice i JOIN unit u ON u.id = i.unit_id "
            f"GROUP BY u.building_id, {period}"
        )

    money = ("billed", "paid")
    households = ("households", "households_paid")
    by_day = (
        "SELECT u.building_id, i.due_on, SUM(i.balance) AS amount, COUNT(*) AS invoices, 0 AS households "
        "FROM invoice i JOIN unit u ON u.id = i.unit_id WHERE i.balance > 0 GROUP BY u.building_id, i.due_on"
    )
    oldest = (
        "SELECT building_id, due_on, 0 AS amount, 0 AS invoices, COUNT(*) AS households FROM ("
        "SELECT u.building_id, MIN(i.due_on) AS due_on FROM invoice i JOIN unit u ON u.id = i.unit_id "
        "WHERE i.balance > 0 GROUP BY u.building_id, u.id) oldest GROUP BY building_id, due_on"
    )
    months = f"SELECT * FROM figures_collected WHERE length(period) = {MONTH}"
    years = f"SELECT * FROM figures_collected WHERE length(period) < {MONTH}"
    return (
        AggregateCheck(
            "figures_of_month", months, per_unit("i.period"), "period", money + households, STALE_MONTH
        ),
        AggregateCheck(
            "figures_of_year",
            years,
            per_unit("substr(i.period, 1, 4)"),
            "period",
            money + households,
            STALE_YEAR,
        ),
        AggregateCheck(
            "figures_by_item",
            "SELECT building_id, period, billed, paid FROM figures_item",
            months,
            "period",
            money,
            STALE_MONTH,
        ),
        AggregateCheck(
            "figures_owed",
            f"SELECT * FROM figures_owed WHERE building_id <> {ESTATE}",
            f"{by_day} UNION ALL {oldest}",
            "due_on",
            ("amount", "invoices", "households"),
            STALE_BUILDING,
        ),
        AggregateCheck(
            "figures_owed_in_all",
            f"SELECT * FROM figures_owed WHERE building_id = {ESTATE}",
            f"SELECT {ESTATE} AS building_id, due_on, amount, invoices, households FROM figures_owed "
            f"WHERE building_id <> {ESTATE}",
            "due_on",
            ("amount", "invoices", "households"),
            STALE_BUILDING,
        ),
    )


def all_hold(session: Session) -> Iterator[Finding]:
    """Stored figures that nothing marked stale and that differ from a full recount (`flask check`)."""
    for check in _checks():
        says = ", ".join(f"SUM(CASE WHEN side = 1 THEN {name} ELSE 0 END)" for name in check.fields)
        should = says.replace("side = 1", "side = 2")
        differ = " OR ".join(
            f"SUM(CASE WHEN side = 1 THEN {name} ELSE -{name} END) <> 0" for name in check.fields
        )
        listed = ", ".join(("building_id", check.key, *check.fields))
        rows = session.execute(
            text(
                f"SELECT building_id, {check.key}, {says}, {should} FROM ("
                f"SELECT 1 AS side, {listed} FROM ({check.stored}) stored UNION ALL "
                f"SELECT 2, {listed} FROM ({check.counted}) counted) f "
                f"WHERE NOT EXISTS ({check.stale}) GROUP BY building_id, {check.key} HAVING {differ}"
            )
        )
        width = len(check.fields)
        for building_id, key, *figures in rows:
            yield Finding(
                check.code,
                "building",
                building_id,
                str(key),
                says=" / ".join(str(int(each)) for each in figures[:width]),
                should=" / ".join(str(int(each)) for each in figures[width:]),
            )
