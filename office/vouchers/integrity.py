"""What must hold in every voucher, counted again from the rows of its documents (M12, `flask check`)."""

# ruff: noqa: S608 -- these statements are made of our own names only
from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import text
from sqlalchemy.orm import Session

from office.core.integrity import Finding
from rules.money import from_fen, yuan

NET = "SELECT SUM(l.debit - l.credit) FROM voucher_line l WHERE l.voucher_id = v.id AND l.use "


def _sum_of(source: str, table: str, amount: str, where: str = "1 = 1") -> str:
    return (
        f"COALESCE((SELECT SUM({amount}) FROM voucher_source s JOIN {table} d ON d.id = s.source_id "
        f"WHERE s.voucher_id = v.id AND s.source = '{source}' AND {where}), 0)"
    )


BILLED = _sum_of("invoice", "invoice", "d.amount")
CREDITED = _sum_of("credit_note", "credit_note", "d.amount")
RECEIVED = _sum_of("payment", "payment", "d.amount")
LAID = _sum_of("allocation", "allocation", "d.amount")
PRINCIPAL = _sum_of("allocation", "allocation", "d.amount", "d.part = 'principal'")
MOVED = "COALESCE((SELECT SUM(d.amount) FROM deferred_income d WHERE d.voucher_id = v.id), 0)"
MONEY = {
    "voucher_debits_are_its_credits": (
        "COALESCE((SELECT SUM(l.debit) FROM voucher_line l WHERE l.voucher_id = v.id), 0)",
        "COALESCE((SELECT SUM(l.credit) FROM voucher_line l WHERE l.voucher_id = v.id), 0)",
    ),
    "voucher_amount_is_that_of_its_lines": (
        "v.amount",
        "COALESCE((SELECT SUM(l.debit) FROM voucher_line l WHERE l.voucher_id = v.id), 0)",
    ),
    "voucher_receivable_is_its_documents": (
        f"COALESCE(({NET} = 'receivable'), 0)",
        f"{BILLED} - {CREDITED} - {PRINCIPAL}",
    ),
    "voucher_money_is_its_payments": (f"COALESCE(({NET} = 'method'), 0)", RECEIVED),
    "voucher_advances_are_its_payments": (f"COALESCE(({NET} = 'advances'), 0)", f"{LAID} - {RECEIVED}"),
    "voucher_income_ahead_is_kept_by_month": (f"COALESCE(({NET} = 'deferred'), 0)", f"-({MOVED})"),
}
"""What a voucher says, and what it should: of each that reverses none."""
TURNED = (
    "SELECT v.id, v.number, v.amount, -o.amount FROM voucher v JOIN voucher o ON o.id = v.reverses_id "
    "WHERE v.amount <> -o.amount OR (SELECT COUNT(*) FROM voucher_line l WHERE l.voucher_id = v.id) <> "
    "(SELECT COUNT(*) FROM voucher_line l JOIN voucher_line r ON r.voucher_id = v.id "
    "AND r.position = l.position AND r.account = l.account AND r.debit = -l.debit AND r.credit = -l.credit "
    "WHERE l.voucher_id = o.id)"
)
GAPS = (
    "SELECT MIN(id), period, COUNT(*), MAX(running_no) FROM voucher GROUP BY period "
    "HAVING COUNT(*) <> MAX(running_no) OR MIN(running_no) <> 1"
)
IN_FORCE = (
    "SELECT DISTINCT v.id, v.number, 1, 0 FROM voucher_source s JOIN voucher v ON v.id = s.voucher_id "
    "WHERE s.is_live = EXISTS (SELECT 1 FROM voucher r WHERE r.reverses_id = v.id)"
)
TWICE = (
    "SELECT MIN(v.id), MIN(v.number), COUNT(*), 1 FROM voucher_source s "
    "JOIN voucher v ON v.id = s.voucher_id WHERE s.is_live GROUP BY s.source, s.source_id HAVING COUNT(*) > 1"
)


def all_hold(session: Session) -> Iterator[Finding]:
    """Debit = credit; a voucher says what its documents say; each document stands in one; no gap."""
    for code, (says, should) in MONEY.items():
        where = "" if code.startswith(("voucher_debits", "voucher_amount")) else "v.reverses_id IS NULL AND "
        statement = f"SELECT v.id, v.number, {says}, {should} FROM voucher v WHERE {where}{says} <> {should}"
        yield from _found(session, code, statement, is_money=True)
    yield from _found(session, "voucher_reversal_is_the_voucher_turned", TURNED, is_money=True)
    yield from _found(session, "voucher_numbers_have_no_gap", GAPS)
    yield from _found(session, "voucher_documents_are_in_force", IN_FORCE)
    yield from _found(session, "voucher_document_stands_in_one", TWICE)


def _found(session: Session, code: str, statement: str, *, is_money: bool = False) -> Iterator[Finding]:
    for row, name, says, should in session.execute(text(statement)):
        values = [yuan(from_fen(int(one))) if is_money else str(int(one)) for one in (says, should)]
        yield Finding(code, "voucher", row, name, *values)
