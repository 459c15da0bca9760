"""Stored figures against a recount from the rows themselves (`flask check`).

Billed is recounted from lines and credit notes, paid from allocations by their part: no expression here is
shared with office/reports/aggregates.py, which counts from the running totals of invoices.
"""

# ruff: noqa: S608 -- these statements are made of our own names only
from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.orm import Session

from office.core.integrity import Finding
from office.reports.aggregates import ESTATE, MONTH

NOT_NOTED = "NOT EXISTS (SELECT 1 FROM figures_stale s WHERE s.building_id = f.building_id"
OF_MONTH = f"{NOT_NOTED} AND s.period = f.period)"
OF_ITEM_MONTH = f"{NOT_NOTED} AND s.period = substr(f.item_month, 1, 7))"
OF_YEAR = f"{NOT_NOTED} AND substr(s.period, 1, 4) = f.period)"
OF_BILLS_YEAR = f"{NOT_NOTED} AND substr(s.period, 1, 4) = f.bills_year)"
OF_BUILDING = f"{NOT_NOTED})"
ALWAYS = "1 = 1"  # both sides are stored together


@dataclass(frozen=True)
class AggregateCheck:
    """A query of stored cells, and one that recounts the same cells; only cells that nothing marked stale."""

    code: str
    stored: str
    counted: str
    key: str
    fields: tuple[str, ...]
    is_fresh: str


NOTE_LINES = (
    "(SELECT l.invoice_id, l.fee_item_id, x.amount FROM credit_note_line x "
    "JOIN invoice_line l ON l.id = x.invoice_line_id)"
)


def _by_item(rows: str) -> str:
    """Of each invoice, what amounts by fee item say of deposits and of everything else."""
    return (
        "SELECT r.invoice_id, SUM(CASE WHEN f.basis = 'deposit' THEN r.amount ELSE 0 END) AS deposits, "
        "SUM(CASE WHEN f.basis = 'deposit' THEN 0 ELSE r.amount END) AS others "
        f"FROM {rows} r LEFT JOIN fee_item f ON f.id = r.fee_item_id GROUP BY r.invoice_id"
    )


def _of_items() -> str:
    """Billed and paid by item and month from the rows of lines, notes and payments themselves (M8)."""
    cell = "u.building_id, i.period || ' ' || l.fee_item_id AS item_month"
    place = "JOIN invoice i ON i.id = l.invoice_id JOIN unit u ON u.id = i.unit_id"
    parts = "x JOIN invoice_line l ON l.id = x.invoice_line_id"
    return (
        f"SELECT {cell}, l.amount AS billed, 0 AS paid FROM invoice_line l {place} UNION ALL "
        f"SELECT {cell}, -x.amount, 0 FROM credit_note_line {parts} {place} UNION ALL "
        f"SELECT {cell}, 0, x.amount FROM allocation_line {parts} {place}"
    )


INVOICES = (
    "SELECT u.building_id, i.unit_id, i.period, i.late_fee, COALESCE(l.others, 0) AS lines, "
    "COALESCE(l.deposits, 0) AS deposits, COALESCE(n.others, 0) AS notes, "
    "COALESCE(n.deposits, 0) AS deposit_notes, COALESCE(a.principal, 0) AS principal, "
    "COALESCE(a.late_fees, 0) AS late_fees FROM invoice i JOIN unit u ON u.id = i.unit_id "
    f"LEFT JOIN ({_by_item('invoice_line')}) l ON l.invoice_id = i.id "
    f"LEFT JOIN ({_by_item(NOTE_LINES)}) n ON n.invoice_id = i.id "
    "LEFT JOIN (SELECT invoice_id, SUM(CASE WHEN part = 'principal' THEN amount ELSE 0 END) AS principal, "
    "SUM(CASE WHEN part = 'late_fee' THEN amount ELSE 0 END) AS late_fees FROM allocation "
    "GROUP BY invoice_id) a ON a.invoice_id = i.id"
)


def _recounted(period: str) -> str:
    """The cells of figures_collected from raw rows, deposits and other items together."""
    per_unit = (
        f"SELECT building_id, unit_id, {period} AS period, SUM(lines + deposits - notes - deposit_notes) "
        "AS billed_in_all, SUM(principal) AS paid_in_all, SUM(late_fees) AS late_fees, "
        "MAX(CASE WHEN lines > notes THEN 1 ELSE 0 END) AS is_billed, MAX(CASE WHEN lines > notes AND "
        "lines + deposits + late_fee <> notes + deposit_notes + principal + late_fees THEN 1 ELSE 0 END) "
        f"AS owes FROM ({INVOICES}) i GROUP BY building_id, unit_id, {period}"
    )
    return (
        "SELECT building_id, period, SUM(billed_in_all) AS billed_in_all, SUM(paid_in_all) AS paid_in_all, "
        "SUM(late_fees) AS late_fees, SUM(is_billed) AS households, SUM(is_billed) - SUM(owes) "
        f"AS households_paid FROM ({per_unit}) per_unit GROUP BY building_id, period"
    )


def _stored(length: str) -> str:
    return (
        "SELECT building_id, period, billed, paid, billed + deposits_billed AS billed_in_all, "
        "paid + deposits_paid AS paid_in_all, late_fees, deposits_billed, deposits_paid, households, "
        f"households_paid FROM figures_collected WHERE length(period) {length} {MONTH}"
    )


IN_ALL = ("billed_in_all", "paid_in_all", "late_fees", "households", "households_paid")
OWED = ("amount", "invoices", "households")
ITEMS = (
    "SELECT i.building_id, i.period, CASE WHEN f.basis = 'deposit' THEN 0 ELSE i.billed END AS billed, "
    "CASE WHEN f.basis = 'deposit' THEN 0 ELSE i.paid END AS paid, "
    "CASE WHEN f.basis = 'deposit' THEN i.billed ELSE 0 END AS deposits_billed, "
    "CASE WHEN f.basis = 'deposit' THEN i.paid ELSE 0 END AS deposits_paid "
    "FROM figures_item i JOIN fee_item f ON f.id = i.fee_item_id"
)
BY_DAY = (
    "SELECT u.building_id, i.due_on, SUM(i.balance) AS amount, COUNT(*) AS invoices, 0 AS households "
    "FROM invoice i JOIN unit u ON u.id = i.unit_id WHERE i.balance > 0 GROUP BY u.building_id, i.due_on"
)
OLDEST = (
    "SELECT building_id, due_on, 0 AS amount, 0 AS invoices, COUNT(*) AS households FROM ("
    "SELECT u.building_id, MIN(i.due_on) AS due_on FROM invoice i JOIN unit u ON u.id = i.unit_id "
    "WHERE i.balance > 0 GROUP BY u.building_id, u.id) oldest GROUP BY building_id, due_on"
)
TWO_YEARS = "SELECT building_id, bills_year, billed, credited, paid FROM figures_year"
ALL_OWED = "SELECT building_id, due_on, amount, invoices, households FROM figures_owed"
BY_YEAR = (
    "SELECT building_id, substr(period, 1, 4) AS bills_year, SUM(lines) AS billed, SUM(notes) AS credited, "
    "0 AS paid "
    f"FROM ({INVOICES}) i GROUP BY building_id, substr(period, 1, 4)"
)
CHECKS = (
    AggregateCheck("figures_of_month", _stored("="), _recounted("period"), "period", IN_ALL, OF_MONTH),
    AggregateCheck(
        "figures_of_year", _stored("<"), _recounted("substr(period, 1, 4)"), "period", IN_ALL, OF_YEAR
    ),
    AggregateCheck(
        "figures_by_item",
        ITEMS,
        _stored("="),
        "period",
        ("billed", "paid", "deposits_billed", "deposits_paid"),
        OF_MONTH,
    ),
    AggregateCheck(
        "figures_of_item",
        "SELECT building_id, period || ' ' || fee_item_id AS item_month, billed, paid FROM figures_item",
        _of_items(),
        "item_month",
        ("billed", "paid"),
        OF_ITEM_MONTH,
    ),
    AggregateCheck(
        "figures_of_two_years",
        f"{TWO_YEARS} WHERE building_id <> {ESTATE}",
        f"{BY_YEAR} UNION ALL SELECT building_id, period, 0, 0, paid FROM ({_stored('<')}) f",
        "bills_year",
        ("billed", "credited", "paid"),
        OF_BILLS_YEAR,
    ),
    AggregateCheck(
        "figures_of_two_years_in_all",
        f"{TWO_YEARS} WHERE building_id = {ESTATE}",
        f"SELECT {ESTATE} AS building_id, bills_year, billed, credited, paid FROM figures_year "
        f"WHERE building_id <> {ESTATE}",
        "bills_year",
        ("billed", "credited", "paid"),
        ALWAYS,
    ),
    AggregateCheck(
        "figures_owed",
        f"{ALL_OWED} WHERE building_id <> {ESTATE}",
        f"{BY_DAY} UNION ALL {OLDEST}",
        "due_on",
        OWED,
        OF_BUILDING,
    ),
    AggregateCheck(
        "figures_owed_in_all",
        f"{ALL_OWED} WHERE building_id = {ESTATE}",
        f"SELECT {ESTATE} AS building_id, due_on, amount, invoices, households FROM figures_owed "
        f"WHERE building_id <> {ESTATE}",
        "due_on",
        OWED,
        ALWAYS,
    ),
)


def all_hold(session: Session) -> Iterator[Finding]:
    """Stored figures that nothing marked stale and that differ from the recount."""
    for check in CHECKS:
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
                f"WHERE {check.is_fresh} GROUP BY building_id, {check.key} HAVING {differ}"
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
