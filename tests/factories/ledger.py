"""Vouchers of whole years, made as an accountant does: month after month."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path

from sqlalchemy.orm import Session

from models.vouchers import Voucher
from office.core.exports import Table
from office.exchange.spreadsheets import write_csv
from office.rooms import EXPORTS
from office.vouchers import accounts, making
from rules.billing import Period

EXPORTED = (
    "vouchers", "voucher_documents", "ledger_accounts", "invoices", "invoice_lines", "payments",
)  # fmt: skip


def make_months(session: Session, months: Iterable[str], *, now: datetime) -> list[Voucher]:
    """The usual accounts, then the vouchers of some months in their order."""
    accounts.fill_usual(session, staff_id=None, now=now)
    found = []
    for month in months:
        found += making.make(session, Period.parse(month), staff_id=None, now=now)
    session.flush()
    return found


def export_to(session: Session, folder: Path, kinds: Iterable[str] = EXPORTED) -> None:
    """Each export as KIND.csv."""
    for kind in kinds:
        write(folder / f"{kind}.csv", EXPORTS[kind](session))


def write(path: Path, table: Table) -> None:
    with path.open("w", encoding="utf-8", newline="") as out:
        write_csv(out, *table)


def read(folder: Path, kind: str) -> list[dict[str, str]]:
    with (folder / f"{kind}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))
