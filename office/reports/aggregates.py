"""Materialized aggregates of billed, paid and open money, always read as of now (K1, K2).

The tables of models/figures hold a row per building, kind of unit and month (or year), per building, month
and item, per building and two years, and per building, kind of unit and due day. A trigger notes each
building's month that a posted change made stale. Who reads takes the stored rows of what is not stale and
counts the rest in the same statement, so a figure is never old; the minute tick stores what was counted. The
cost follows the buildings, not the history.

Collected is what was allocated to principal; late fees and refundable deposits stand apart. Items and
deposits have what lies on their own lines (M8).
"""

# ruff: noqa: S608 -- these statements are made of our own names only
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, cast

from sqlalchemy import BindParameter, CursorResult, TextClause, bindparam, text
from sqlalchemy.orm import Session

from models.figures import MESSAGES
from office.core import clock
from office.core.jobs import JobResult
from office.policies import store as policies
from rules.billing import BillingDocument, HouseholdKinds
from rules.money import ZERO, from_fen
from rules.report_rates import Collected, YearSplit

MONTH = len("2026-06")
MONTHS = " UNION ALL ".join(f"SELECT '-{month:02}' AS month" for month in range(1, 13))
# a bill without a late fee has only principal paid: the allocations of the others are read
PRINCIPAL_PAID = (
    "CASE WHEN i.late_fee = 0 THEN i.paid ELSE COALESCE((SELECT SUM(a.amount) FROM allocation a "
    "WHERE a.invoice_id = i.id AND a.part = 'principal'), 0) END"
)
# CROSS JOIN: SQLite then begins at the few cells, whatever its statistics say
ITS_INVOICES = (
    "CROSS JOIN unit u CROSS JOIN invoice i WHERE u.building_id = k.building_id AND i.unit_id = u.id"
)
ITS_LINES = (
    "CROSS JOIN unit u CROSS JOIN invoice i CROSS JOIN invoice_line l "
    "WHERE u.building_id = k.building_id AND i.unit_id = u.id AND l.invoice_id = i.id"
)
ESTATE = 0  # in the place of a building: all of them together, so that reading what is owed stays short
STALE_MONTH = "SELECT 1 FROM figures_stale s WHERE s.building_id = f.building_id AND s.period = f.period"
STALE_YEAR = (
    "SELECT 1 FROM figures_stale s WHERE s.building_id = f.building_id AND substr(s.period, 1, 4) = f.period"
)
STALE_BILLS_YEAR = (
    "SELECT 1 FROM figures_stale s WHERE s.building_id = f.building_id "
    "AND substr(s.period, 1, 4) = f.bills_year"
)
STALE_BUILDING = "SELECT 1 FROM figures_stale s WHERE s.building_id = f.building_id"
NOTED_AND_PAID = ("n.issued_on", "a.allocated_on")  # the days of a credit note and of what was paid
OF_HOUSEHOLDS = "CASE WHEN unit_kind IN :kinds THEN {} ELSE 0 END"
MONEY = ("billed", "paid", "late_fees", "deposits_billed", "deposits_paid")
HOUSEHOLDS = ("households", "households_paid")
CELL = ", ".join((*MONEY, *HOUSEHOLDS))
SUMMED = ", ".join(
    (
        *(f"SUM({name})" for name in MONEY),
        *(f"SUM({OF_HOUSEHOLDS.format(name)})" for name in HOUSEHOLDS),
    )
)


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


def _of_deposits(amount: str) -> str:
    """What an invoice's lines say of deposits; a period's own bill never asks for one."""
    return (
        f"CASE WHEN i.kind = 'regular' THEN 0 ELSE COALESCE((SELECT SUM({amount}) FROM invoice_line l "
        "JOIN fee_item f ON f.id = l.fee_item_id WHERE l.invoice_id = i.id AND f.basis = 'deposit'), 0) END"
    )


def _bills(cells: str) -> str:
    """The invoices of the cells, each with its billed and paid principal and the part that is no deposit.

    `income` is what it charges for good: its lines less their credit notes, without deposits. `income_paid`
    is what of it is paid.
    """
    bills = (
        "SELECT k.building_id, k.cell, u.kind AS unit_kind, i.id, i.unit_id, i.amount, i.balance, "
        f"i.paid AS paid_in_all, i.amount - i.credited AS billed, {PRINCIPAL_PAID} AS principal, "
        f"{_of_deposits('l.amount')} AS deposit_lines, {_of_deposits('l.credited')} AS deposit_notes, "
        f"{_of_deposits('l.paid')} AS deposit_paid "
        f"FROM ({cells}) k {ITS_INVOICES} AND i.period = k.period"
    )
    return (
        "SELECT b.*, billed - deposit_lines + deposit_notes AS income, "
        f"principal - deposit_paid AS income_paid FROM ({bills}) b"
    )


def _collected(cells: str) -> str:
    per_unit = (
        "SELECT building_id, cell, unit_kind, unit_id, SUM(income) AS billed, SUM(income_paid) AS paid, "
        "SUM(paid_in_all - principal) AS late_fees, SUM(billed - income) AS deposits_billed, "
        "SUM(principal - income_paid) AS deposits_paid, "
        "SUM(CASE WHEN income > 0 THEN balance ELSE 0 END) AS owed "
        f"FROM ({_bills(cells)}) bill GROUP BY building_id, cell, unit_kind, unit_id"
    )
    return (
        "SELECT building_id, unit_kind, cell AS period, SUM(billed) AS billed, SUM(paid) AS paid, "
        "SUM(late_fees) AS late_fees, SUM(deposits_billed) AS deposits_billed, "
        "SUM(deposits_paid) AS deposits_paid, SUM(CASE WHEN billed > 0 THEN 1 ELSE 0 END) AS households, "
        "SUM(CASE WHEN billed > 0 AND owed = 0 THEN 1 ELSE 0 END) AS households_paid "
        f"FROM ({per_unit}) per_unit GROUP BY building_id, unit_kind, cell"
    )


def _items(cells: str) -> str:
    """What is billed and paid of each item: its lines less what credit notes take off them (M8)."""
    return (
        "SELECT k.building_id, k.cell AS period, l.fee_item_id, SUM(l.amount - l.credited) AS billed, "
        f"SUM(l.paid) AS paid FROM ({cells}) k {ITS_LINES} AND i.period = k.period "
        "GROUP BY k.building_id, k.cell, l.fee_item_id"
    )


def _owed(stale: str) -> str:
    return (
        "SELECT building_id, unit_kind, due_on, period, SUM(balance) AS amount, COUNT(*) AS invoices, "
        "SUM(is_oldest) AS households FROM ("
        "SELECT u.building_id, u.kind AS unit_kind, i.due_on, i.period, i.balance, CASE WHEN ROW_NUMBER() "
        "OVER (PARTITION BY i.unit_id ORDER BY i.due_on, i.id) = 1 THEN 1 ELSE 0 END AS is_oldest "
        f"FROM (SELECT DISTINCT building_id FROM figures_stale WHERE {stale}) k {ITS_INVOICES} "
        "AND i.balance > 0) open_invoice "
        "GROUP BY building_id, unit_kind, due_on, period"
    )


def _split(cells: str) -> str:
    """What the bills of years ask for, and what was credited and paid of them in each year (K1).

    Refundable deposits are left out.
    """
    noted_in, paid_in = (f"substr(CAST({day} AS VARCHAR(10)), 1, 4)" for day in NOTED_AND_PAID)
    no_deposit = "JOIN fee_item f ON f.id = l.fee_item_id AND f.basis <> 'deposit'"

    def of_lines(table: str, of: str) -> str:
        """The part of a credit note or an allocation that lies on no deposit."""
        return (
            f"CASE WHEN b.deposit_lines = 0 THEN {of}.amount ELSE COALESCE((SELECT SUM(x.amount) "
            f"FROM {table}_line x JOIN invoice_line l ON l.id = x.invoice_line_id {no_deposit} "
            f"WHERE x.{table}_id = {of}.id), 0) END"
        )

    return (
        f"WITH b AS ({_bills(cells)}), parts AS ("
        "SELECT building_id, cell AS bills_year, cell AS year, SUM(amount - deposit_lines) AS billed, "
        "0 AS credited, 0 AS paid FROM b GROUP BY building_id, cell UNION ALL "
        f"SELECT b.building_id, b.cell, {noted_in}, 0, SUM({of_lines('credit_note', 'n')}), 0 FROM b "
        "CROSS JOIN credit_note n WHERE n.invoice_id = b.id "
        f"GROUP BY b.building_id, b.cell, {noted_in} UNION ALL "
        f"SELECT b.building_id, b.cell, {paid_in}, 0, 0, SUM({of_lines('allocation', 'a')}) FROM b "
        "CROSS JOIN allocation a WHERE a.invoice_id = b.id AND a.part = 'principal' "
        f"GROUP BY b.building_id, b.cell, {paid_in}) "
        "SELECT building_id, bills_year, year, SUM(billed) AS billed, SUM(credited) AS credited, "
        "SUM(paid) AS paid FROM parts GROUP BY building_id, bills_year, year"
    )


# Read --------------------------------------------------------------------------------------------------


def household_kinds(session: Session) -> tuple[str, ...]:
    """The kinds of units that count as households, as today's billing policy says (K1)."""
    policy = policies.last_readable(session, BillingDocument, clock.today(session))
    return (policy.households if policy else HouseholdKinds()).unit_kinds


def _of_households(session: Session, statement: str) -> TextClause:
    """A statement that counts households, told which kinds of units they are."""
    kinds: BindParameter[Any] = bindparam("kinds", household_kinds(session), expanding=True)
    return text(statement).bindparams(kinds)


def _brought(figures: Sequence[Any]) -> Collected:
    """The figures of SUMMED."""
    money = [from_fen(int(each)) for each in figures[: len(MONEY)]]
    households, households_paid = figures[len(MONEY) :]
    return Collected(
        billed=money[0],
        paid=money[1],
        households_billed=int(households),
        households_paid=int(households_paid),
        late_fees=money[2],
        deposits_billed=money[3],
        deposits_paid=money[4],
    )


def collected(session: Session, period: str) -> dict[int, Collected]:
    """What each building's invoices of a month (`2026-06`) or a year (`2026`) brought, in yuan (K1)."""
    if len(period) == MONTH:
        stale, live = STALE_MONTH, _collected(_months("period = :period"))
    else:
        stale, live = STALE_YEAR, _collected(_years("substr(period, 1, 4) = :period"))
    statement = (
        f"SELECT building_id, {SUMMED} FROM (SELECT building_id, unit_kind, {CELL} "
        f"FROM figures_collected f WHERE period = :period AND NOT EXISTS ({stale}) "
        f"UNION ALL SELECT building_id, unit_kind, {CELL} FROM ({live}) live) both_parts GROUP BY building_id"
    )
    rows = session.execute(_of_households(session, statement), {"period": period})
    return {building: _brought(figures) for building, *figures in rows}


def by_month(session: Session, year: int) -> dict[str, Collected]:
    """The same of the whole estate, by month of a year (K1)."""
    live = _collected(_months("substr(period, 1, 4) = :year"))
    statement = (
        f"SELECT period, {SUMMED} FROM (SELECT period, unit_kind, {CELL} FROM figures_collected f "
        f"WHERE period IN (SELECT :year || month FROM ({MONTHS}) m) AND NOT EXISTS ({STALE_MONTH}) "
        f"UNION ALL SELECT period, unit_kind, {CELL} FROM ({live}) live) both_parts GROUP BY period"
    )
    rows = session.execute(_of_households(session, statement), {"year": f"{year:04}"})
    return {month: _brought(figures) for month, *figures in rows}


@dataclass(frozen=True)
class MonthlyBill:
    """A bill of a month that asks for more than deposits, with what is open of it in yuan."""

    invoice_id: int
    unit_id: int
    unit_kind: str
    balance: Decimal


def bills_of_month(session: Session, period: str) -> list[MonthlyBill]:
    """The bills of a month that count for households; read from the bills themselves (K1, K2)."""
    everywhere = "SELECT id AS building_id, :period AS cell, :period AS period FROM building"
    rows = session.execute(
        text(f"SELECT id, unit_id, unit_kind, balance FROM ({_bills(everywhere)}) bill WHERE income > 0"),
        {"period": period},
    )
    return [MonthlyBill(one, unit, kind, from_fen(int(balance))) for one, unit, kind, balance in rows]


def by_item(session: Session, period: str) -> dict[tuple[int, int], Collected]:
    """The same by building and fee item, without households and late fees; deposits are items too (K1)."""
    wanted = "period = :period" if len(period) == MONTH else "substr(period, 1, 4) = :period"
    live = _items(_months(wanted))
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
    columns = "due_on, period, unit_kind, amount, invoices, households"
    # the estate as stored, without its stale buildings, with these counted now
    statement = (
        f"SELECT due_on, period, SUM(amount), SUM(invoices), SUM({OF_HOUSEHOLDS.format('households')}) FROM ("
        f"SELECT {columns} FROM figures_owed WHERE building_id = {ESTATE} "
        "UNION ALL SELECT due_on, period, unit_kind, -amount, -invoices, -households FROM figures_owed f "
        "WHERE building_id IN (SELECT building_id FROM figures_stale) "
        f"UNION ALL SELECT {columns} FROM ({_owed('1 = 1')}) live) parts "
        "GROUP BY due_on, period HAVING SUM(invoices) > 0 ORDER BY due_on, period"
    )
    return [
        OpenAmount(
            due_on if isinstance(due_on, date) else date.fromisoformat(due_on),
            period,
            from_fen(int(amount)),
            int(invoices),
            int(households),
        )
        for due_on, period, amount, invoices, households in session.execute(
            _of_households(session, statement)
        )
    ]


def year_split(session: Session, year: int) -> tuple[YearSplit, YearSplit]:
    """What the year's own bills, and those of earlier years, brought in the year, in yuan (K1)."""
    columns = "bills_year, year, billed, credited, paid"
    rows = session.execute(
        text(
            "SELECT bills_year, year, SUM(billed), SUM(credited), SUM(paid) FROM ("
            f"SELECT {columns} FROM figures_year WHERE building_id = {ESTATE} "
            "UNION ALL SELECT bills_year, year, -billed, -credited, -paid FROM figures_year f "
            f"WHERE building_id <> {ESTATE} AND EXISTS ({STALE_BILLS_YEAR}) "
            f"UNION ALL SELECT {columns} FROM ({_split(_years('1 = 1'))}) live) parts "
            "WHERE bills_year <= :year GROUP BY bills_year, year"
        ),
        {"year": f"{year:04}"},
    )
    current, old = YearSplit(), YearSplit()
    for bills_year, in_year, *money in rows:
        billed, credited, paid = (from_fen(int(each)) for each in money)
        if int(bills_year) == year:
            current += YearSplit(billed - credited, paid if int(in_year) == year else ZERO)
        elif int(in_year) < year:
            old += YearSplit(billed - credited - paid, ZERO)
        elif int(in_year) == year:
            old += YearSplit(ZERO, paid)
    return current, old


# Store -------------------------------------------------------------------------------------------------

COLUMNS = {
    "figures_collected": f"building_id, unit_kind, period, {CELL}",
    "figures_item": "building_id, period, fee_item_id, billed, paid",
    "figures_owed": "building_id, unit_kind, due_on, period, amount, invoices, households",
    "figures_year": "building_id, bills_year, year, billed, credited, paid",
}
# tables with rows of all buildings together: what these are grouped by, what is summed
OF_ESTATE = {
    "figures_owed": ("due_on, period, unit_kind", ("amount", "invoices", "households")),
    "figures_year": ("bills_year, year", ("billed", "credited", "paid")),
}
# what is counted at night → the notes after which it is counted again
COUNTED_AGAIN = {
    "unprompted": f"building_id <> {MESSAGES}",
    "channels": f"building_id = {MESSAGES}",
}


def store(session: Session, due_for: datetime) -> JobResult:  # noqa: ARG001 -- a job's arguments
    """Job: refresh every stale cell; safe to run twice and beside running changes (§8).

    Only the notes seen at the start are counted and taken away: a change committed meanwhile keeps its own.
    What is counted at night is marked where a note concerns it.
    """
    noted = session.execute(text("SELECT EXISTS (SELECT 1 FROM figures_stale)")).scalar_one()
    if not noted:
        return JobResult()
    session.execute(text("UPDATE figures_stale SET is_counting = true"))
    counting = "is_counting"
    items = _items(_months(counting))
    stored = 0
    for table, old, counted in (
        ("figures_collected", STALE_MONTH, _collected(_months(counting))),
        ("figures_collected", STALE_YEAR, _collected(_years(counting))),
        ("figures_item", STALE_MONTH, items),
        ("figures_owed", STALE_BUILDING, _owed(counting)),
        ("figures_year", STALE_BILLS_YEAR, _split(_years(counting))),
    ):
        session.execute(text(f"DELETE FROM {table} AS f WHERE EXISTS ({old} AND s.is_counting)"))
        columns = COLUMNS[table]
        insert = text(f"INSERT INTO {table} ({columns}) SELECT {columns} FROM ({counted}) counted")
        stored += cast("CursorResult[Any]", session.execute(insert)).rowcount
    for table, (cell, figures) in OF_ESTATE.items():
        sums = ", ".join(f"SUM({name})" for name in figures)
        session.execute(text(f"DELETE FROM {table} WHERE building_id = {ESTATE}"))
        session.execute(
            text(
                f"INSERT INTO {table} (building_id, {cell}, {', '.join(figures)}) "
                f"SELECT {ESTATE}, {cell}, {sums} FROM {table} GROUP BY {cell}"
            )
        )
    for report, is_meant in COUNTED_AGAIN.items():
        noted_months = f"SELECT period FROM figures_stale WHERE is_counting AND {is_meant}"
        session.execute(
            text(
                "UPDATE report_count SET is_stale = true "
                f"WHERE report = :report AND NOT is_stale AND period IN ({noted_months})"
            ),
            {"report": report},
        )
    session.execute(text("DELETE FROM figures_stale WHERE is_counting"))
    return JobResult(done=stored)
