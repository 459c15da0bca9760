"""Every fen accounted for: the statements that find a row which breaks it (M7).

Σ invoice lines + Σ late fees − Σ credits = Σ allocations + Σ open balances, row by row and in sum. Each
statement answers (row id, what people call the row, what it says, what it should say) of broken rows only.
"""

# ruff: noqa: S608 -- these statements are made of our own names only
from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.orm import Session

from office.core.integrity import Finding
from rules.money import from_fen, yuan


@dataclass(frozen=True)
class Invariant:
    """One thing that must hold in every row of a table."""

    code: str
    table: str
    statement: str
    is_money: bool = True  # what is found is fen, to be shown as yuan


def _sums(of: str, by: str, amount: str = "amount") -> str:
    return f"(SELECT {by} AS of_id, SUM({amount}) AS total FROM {of} GROUP BY {by})"


INVARIANTS = (
    Invariant(
        "pool_is_shared_to_the_fen",
        "pool",
        "SELECT p.id, p.period, p.amount, COALESCE(s.total, 0) FROM pool p "
        f"LEFT JOIN {_sums('pool_share', 'pool_id')} s ON s.of_id = p.id "
        "WHERE p.amount <> COALESCE(s.total, 0)",
    ),
    Invariant(
        "invoice_lines_add_up",
        "invoice",
        "SELECT i.id, i.number, i.amount, COALESCE(s.total, 0) FROM invoice i "
        f"LEFT JOIN {_sums('invoice_line', 'invoice_id')} s ON s.of_id = i.id "
        "WHERE i.amount <> COALESCE(s.total, 0)",
    ),
    Invariant(
        "invoice_paid_is_what_was_allocated",
        "invoice",
        "SELECT i.id, i.number, i.paid, COALESCE(s.total, 0) FROM invoice i "
        f"LEFT JOIN {_sums('allocation', 'invoice_id')} s ON s.of_id = i.id "
        "WHERE i.paid <> COALESCE(s.total, 0)",
    ),
    Invariant(
        "invoice_credited_is_what_was_credited",
        "invoice",
        "SELECT i.id, i.number, i.credited, COALESCE(s.total, 0) FROM invoice i "
        f"LEFT JOIN {_sums('credit_note', 'invoice_id')} s ON s.of_id = i.id "
        "WHERE i.credited <> COALESCE(s.total, 0)",
    ),
    Invariant(
        "invoice_balance_adds_up",
        "invoice",
        "SELECT id, number, balance, amount + late_fee - credited - paid FROM invoice "
        "WHERE balance <> amount + late_fee - credited - paid OR balance < 0",
    ),
    Invariant(
        "invoice_parts_within_bounds",
        "invoice",
        "SELECT i.id, i.number, s.late_fee, i.late_fee FROM invoice i JOIN (SELECT invoice_id, "
        "SUM(CASE WHEN part = 'late_fee' THEN amount ELSE 0 END) AS late_fee, "
        "SUM(CASE WHEN part = 'principal' THEN amount ELSE 0 END) AS principal "
        "FROM allocation GROUP BY invoice_id) s ON s.invoice_id = i.id "
        "WHERE s.late_fee < 0 OR s.late_fee > i.late_fee OR s.principal < 0 "
        "OR s.principal > i.amount - i.credited",
    ),
    Invariant(
        "line_paid_is_what_was_allocated",
        "invoice_line",
        "SELECT l.id, i.number, l.paid, COALESCE(s.total, 0) FROM invoice_line l "
        "JOIN invoice i ON i.id = l.invoice_id "
        f"LEFT JOIN {_sums('allocation_line', 'invoice_line_id')} s ON s.of_id = l.id "
        "WHERE l.paid <> COALESCE(s.total, 0)",
    ),
    Invariant(
        "line_credited_is_what_was_credited",
        "invoice_line",
        "SELECT l.id, i.number, l.credited, COALESCE(s.total, 0) FROM invoice_line l "
        "JOIN invoice i ON i.id = l.invoice_id "
        f"LEFT JOIN {_sums('credit_note_line', 'invoice_line_id')} s ON s.of_id = l.id "
        "WHERE l.credited <> COALESCE(s.total, 0)",
    ),
    Invariant(
        "line_within_bounds",
        "invoice_line",
        "SELECT l.id, i.number, MAX(m.paid) + MAX(m.credited), l.amount FROM (SELECT invoice_line_id, "
        "SUM(amount) AS paid, 0 AS credited FROM allocation_line GROUP BY invoice_line_id UNION ALL "
        "SELECT invoice_line_id, 0, SUM(amount) FROM credit_note_line GROUP BY invoice_line_id) m "
        "JOIN invoice_line l ON l.id = m.invoice_line_id JOIN invoice i ON i.id = l.invoice_id "
        "GROUP BY l.id, i.number, l.amount HAVING SUM(m.paid + m.credited) > l.amount OR MIN(m.paid) < 0",
    ),
    Invariant(
        "allocation_lies_on_lines",
        "allocation",
        "SELECT a.id, i.number, COALESCE(SUM(CASE WHEN l.invoice_id = a.invoice_id THEN x.amount END), 0), "
        "a.amount FROM allocation a JOIN invoice i ON i.id = a.invoice_id "
        "LEFT JOIN allocation_line x ON x.allocation_id = a.id "
        "LEFT JOIN invoice_line l ON l.id = x.invoice_line_id GROUP BY a.id, i.number, a.amount, a.part "
        "HAVING CASE WHEN a.part = 'principal' THEN a.amount ELSE 0 END "
        "<> COALESCE(SUM(CASE WHEN l.invoice_id = a.invoice_id THEN x.amount END), 0)",
    ),
    Invariant(
        "credit_note_lies_on_lines",
        "credit_note",
        "SELECT n.id, n.number, COALESCE(SUM(CASE WHEN l.invoice_id = n.invoice_id THEN x.amount END), 0), "
        "n.amount FROM credit_note n LEFT JOIN credit_note_line x ON x.credit_note_id = n.id "
        "LEFT JOIN invoice_line l ON l.id = x.invoice_line_id GROUP BY n.id, n.number, n.amount "
        "HAVING n.amount <> COALESCE(SUM(CASE WHEN l.invoice_id = n.invoice_id THEN x.amount END), 0)",
    ),
    Invariant(
        "payment_lies_on_lines_in_parts_of_at_least_nothing",
        "payment",
        "SELECT p.id, p.receipt_no, s.total, 0 FROM (SELECT a.payment_id, x.invoice_line_id, "
        "SUM(x.amount) AS total FROM allocation a JOIN allocation_line x ON x.allocation_id = a.id "
        "GROUP BY a.payment_id, x.invoice_line_id HAVING SUM(x.amount) < 0) s "
        "JOIN payment p ON p.id = s.payment_id",
    ),
    Invariant(
        "earmark_within_its_credit",
        "earmark",
        "SELECT e.id, p.receipt_no, COALESCE(s.total, 0), e.amount FROM earmark e "
        f"JOIN payment p ON p.id = e.payment_id LEFT JOIN {_sums('allocation', 'earmark_id')} s "
        "ON s.of_id = e.id WHERE COALESCE(s.total, 0) NOT BETWEEN 0 AND e.amount",
    ),
    Invariant(
        "credit_put_aside_is_there",
        "payment",
        "SELECT p.id, p.receipt_no, SUM(e.amount - COALESCE(s.total, 0)), "
        "MAX(p.credit + COALESCE(r.total, 0)) FROM earmark e JOIN payment p ON p.id = e.payment_id "
        f"LEFT JOIN {_sums('allocation', 'earmark_id')} s ON s.of_id = e.id "
        "LEFT JOIN (SELECT counters_id AS of_id, SUM(credit) AS total FROM payment WHERE kind = 'refund' "
        "GROUP BY counters_id) r ON r.of_id = p.id WHERE e.ended_at IS NULL GROUP BY p.id, p.receipt_no "
        "HAVING SUM(e.amount - COALESCE(s.total, 0)) > MAX(p.credit + COALESCE(r.total, 0))",
    ),
    Invariant(
        "earmark_pays_what_it_is_for",
        "earmark",
        "SELECT e.id, i.number, x.amount, 0 FROM earmark e JOIN allocation a ON a.earmark_id = e.id "
        "JOIN allocation_line x ON x.allocation_id = a.id JOIN invoice_line l ON l.id = x.invoice_line_id "
        "JOIN invoice i ON i.id = l.invoice_id WHERE a.payment_id <> e.payment_id "
        "OR l.fee_item_id <> COALESCE(e.fee_item_id, l.fee_item_id)",
    ),
    Invariant(
        "invoice_state_tells_its_balance",
        "invoice",
        "SELECT id, number, state, CASE WHEN balance = 0 THEN 'paid' WHEN paid > 0 THEN 'partly_paid' "
        "ELSE 'open' END FROM invoice WHERE (balance = 0) <> (state IN ('paid', 'credited')) "
        "OR (balance > 0 AND (paid > 0) <> (state = 'partly_paid')) "
        "OR (state = 'credited' AND credited = 0)",
        is_money=False,
    ),
    Invariant(
        "payment_allocated_is_what_was_allocated",
        "payment",
        "SELECT p.id, p.receipt_no, p.allocated, COALESCE(s.total, 0) FROM payment p "
        f"LEFT JOIN {_sums('allocation', 'payment_id')} s ON s.of_id = p.id "
        "WHERE p.allocated <> COALESCE(s.total, 0)",
    ),
    Invariant(
        "payment_adds_up",
        "payment",
        "SELECT id, receipt_no, allocated + credit, amount FROM payment WHERE allocated + credit <> amount "
        "AND state = 'posted' AND kind <> 'reversal'",
    ),
    Invariant(
        "undone_payment_has_its_counter_entry",
        "payment",
        "SELECT p.id, p.receipt_no, COALESCE(c.total, 0), -p.amount FROM payment p LEFT JOIN "
        "(SELECT counters_id AS of_id, SUM(amount) AS total FROM payment WHERE kind = 'reversal' "
        "GROUP BY counters_id) c ON c.of_id = p.id WHERE p.kind = 'payment' AND "
        "COALESCE(c.total, 0) <> CASE WHEN p.state = 'posted' THEN 0 ELSE -p.amount END",
    ),
    Invariant(
        "undone_payment_pays_nothing",
        "payment",
        "SELECT id, receipt_no, allocated + credit, 0 FROM payment "
        "WHERE (state <> 'posted' OR kind = 'reversal') AND (allocated <> 0 OR credit <> 0)",
    ),
    Invariant(
        "credit_is_never_overdrawn",
        "payment",
        "SELECT p.id, p.receipt_no, p.credit + c.total, 0 FROM payment p JOIN "
        "(SELECT counters_id AS of_id, SUM(credit) AS total FROM payment WHERE counters_id IS NOT NULL "
        "GROUP BY counters_id) c ON c.of_id = p.id WHERE p.credit + c.total < 0",
    ),
    Invariant(
        "numbers_have_no_gap",
        "payment",
        "SELECT MAX(id), MAX(receipt_no), COUNT(*), MAX(running_no) FROM payment GROUP BY series, year "
        "HAVING COUNT(*) <> MAX(running_no) OR MIN(running_no) <> 1",
        is_money=False,
    ),
    Invariant(
        "receipt_ends_in_its_number",
        "payment",
        "SELECT id, receipt_no, receipt_no, running_no FROM payment "
        "WHERE LTRIM(REPLACE(receipt_no, series || year || '-', ''), '0') <> CAST(running_no AS TEXT)",
        is_money=False,
    ),
    Invariant(
        "one_payer_at_a_time",
        "occupancy",
        "SELECT b.id, u.code, b.from_on, a.to_on FROM occupancy a JOIN occupancy b ON b.unit_id = a.unit_id "
        "AND b.is_payer AND (b.from_on > a.from_on OR b.from_on = a.from_on AND b.id > a.id) "
        "JOIN unit u ON u.id = b.unit_id WHERE a.is_payer AND (a.to_on IS NULL OR b.from_on <= a.to_on)",
        is_money=False,
    ),
    Invariant(
        "counter_stands_at_the_last_number",
        "counter",
        "SELECT c.year, c.series, c.value, COALESCE(p.last, 0) FROM counter c LEFT JOIN "
        "(SELECT series, year, MAX(running_no) AS last FROM payment GROUP BY series, year) p "
        "ON p.series = c.series AND p.year = c.year "
        "WHERE c.series IN ('R', 'V', 'F') AND c.value <> COALESCE(p.last, 0)",
        is_money=False,
    ),
    Invariant(
        "posted_statement_row_has_its_payment",
        "statement_row",
        "SELECT s.id, s.transaction_id, s.amount, COALESCE(p.amount, 0) FROM statement_row s "
        "LEFT JOIN payment p ON p.id = s.payment_id AND p.state = 'posted' "
        "WHERE (s.state = 'posted') <> (p.id IS NOT NULL) OR (p.id IS NOT NULL AND p.amount <> s.amount)",
    ),
    Invariant(
        "collected_debit_has_its_payment",
        "direct_debit",
        "SELECT d.id, d.id, d.amount, COALESCE(p.amount, 0) FROM direct_debit d "
        "LEFT JOIN payment p ON p.id = d.payment_id AND p.state = 'posted' "
        "WHERE (d.state IN ('collected', 'waiting')) <> (p.id IS NOT NULL)",
    ),
    Invariant(
        "billed_slip_has_its_invoice",
        "service_slip",
        "SELECT id, slip_no, state, 'billed' FROM service_slip "
        "WHERE (state = 'billed') <> (invoice_id IS NOT NULL)",
        is_money=False,
    ),
    Invariant(
        "closed_day_is_what_was_taken",
        "day_close",
        "SELECT id, day, expected, taken FROM (SELECT d.id, d.day, l.expected, COALESCE(("
        "SELECT SUM(p.amount) FROM payment p LEFT JOIN payment o ON o.id = p.counters_id "
        "WHERE p.posted_on = d.day AND p.method = l.method AND d.cashier_id = "
        "CASE p.kind WHEN 'reversal' THEN o.cashier_id ELSE p.cashier_id END), 0) AS taken "
        "FROM day_close d JOIN day_close_line l ON l.day_close_id = d.id WHERE NOT EXISTS "
        "(SELECT 1 FROM day_reopening r WHERE r.day_close_id = d.id AND r.state = 'approved')) of_line "
        "WHERE expected <> taken",
    ),
    Invariant(
        "ledger_adds_up",
        "ledger",
        "SELECT 0, 'sum', l.total, r.total FROM "
        "(SELECT COALESCE((SELECT SUM(amount) FROM invoice_line), 0) "
        "+ COALESCE((SELECT SUM(late_fee) FROM invoice), 0) "
        "- COALESCE((SELECT SUM(amount) FROM credit_note), 0) AS total) l, "
        "(SELECT COALESCE((SELECT SUM(amount) FROM allocation), 0) "
        "+ COALESCE((SELECT SUM(balance) FROM invoice), 0) AS total) r WHERE l.total <> r.total",
    ),
)


def money_adds_up(session: Session) -> Iterator[Finding]:
    """Every row of the books that breaks an invariant of money (M7)."""
    for invariant in INVARIANTS:
        for row_id, name, says, should in session.execute(text(invariant.statement)):
            yield Finding(
                check=invariant.code,
                table=invariant.table,
                row=int(row_id or 0),
                name=str(name),
                says=_shown(says, is_money=invariant.is_money),
                should=_shown(should, is_money=invariant.is_money),
            )


def _shown(value: object, *, is_money: bool) -> str:
    return yuan(from_fen(int(str(value)))) if is_money else str(value)
