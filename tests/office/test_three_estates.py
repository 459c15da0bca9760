"""A year of three made-up real estates is what an independent reckoning makes of their files (issue 17)."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator
from decimal import Decimal
from itertools import pairwise
from pathlib import Path

import pytest
from sqlalchemy.orm import Session

from office.rooms import findings
from tests.factories.estates.living import live
from tests.oracles.estates.checking import differences
from tests.oracles.estates.files import Estate

pytestmark = pytest.mark.long
# merged units, the vacancy rate and yearly tiers of water come here as the program gets them
ESTATES = {"housing": "residential", "tower": "tower", "hong_kong": "residential"}
Row = dict[str, str]
Alter = Callable[[list[Row]], Row]
Name = Callable[[Row], list[str]]


@pytest.mark.parametrize("name", ESTATES)
def test_a_year_of_bills_shares_accounts_and_vouchers_is_reckoned_again_to_the_fen(
    session_of: Callable[[str], Session], tmp_path: Path, name: str
) -> None:
    session = session_of(ESTATES[name])

    folder = live(session, name, tmp_path / name)

    assert differences(folder) == []
    assert findings(session) == []
    names = [name(alter(rows)) for rows, alter, name in _altered(folder)]
    found = differences(folder)
    assert [said for said in names if not any(all(part in one for part in said) for one in found)] == []


def _altered(folder: Path) -> Iterator[tuple[list[Row], Alter, Name]]:
    """Each control with the rows of its export, which are written back as they were altered."""
    unit = Estate(folder).out("units")[0]["unit_code"]
    account = (f"statement_{unit}_part", _a_fen_more("billed"), _of_account)
    for kind, alter, name in (*CONTROLS, account):
        file = folder / "out" / f"{kind}.csv"
        with file.open(encoding="utf-8", newline="") as given:
            rows = list(csv.DictReader(given))
        if not rows:
            continue
        yield rows, alter, name
        with file.open("w", encoding="utf-8", newline="") as out:
            writer = csv.DictWriter(out, rows[0])
            writer.writeheader()
            writer.writerows(rows)


def _of_account(row: Row) -> list[str]:
    return ["account ", row["number"], row["billed"]]


def _a_fen_more(column: str, place: int = 2) -> Callable[[list[Row]], Row]:
    def alter(rows: list[Row]) -> Row:
        later = rows[len(rows) // place :]
        row = next((one for one in later if Decimal(one[column] or 0)), later[0])
        row[column] = str(Decimal(row[column]) + Decimal("0.01"))
        return row

    return alter


def _moved_share(rows: list[Row]) -> Row:
    """Two units' shares of one pool change places: together they are as before."""
    row, other = next(
        (one, two)
        for one, two in pairwise(rows)
        if (one["period"], one["fee_item"]) == (two["period"], two["fee_item"])
        and one["amount"] != two["amount"]
    )
    row["amount"], other["amount"] = other["amount"], row["amount"]
    return row


def _dropped_voucher(rows: list[Row]) -> Row:
    """The first of a month."""
    row = next(one for one in rows[len(rows) // 2 :] if one["number"].endswith("-000001"))
    rows[:] = [one for one in rows if one["number"] != row["number"]]
    return row


def _dropped_row(rows: list[Row]) -> Row:
    return rows.pop(len(rows) // 2)


# what is exported otherwise, and what the reckoning must then name
CONTROLS: list[tuple[str, Alter, Name]] = [
    ("invoice_lines", _a_fen_more("amount"), lambda row: ["line ", row["fee_item"], row["amount"]]),
    (
        "invoice_lines",
        _a_fen_more("raw_amount", 3),
        lambda row: ["line ", row["fee_item"], row["service_from"]],
    ),
    (
        "invoice_lines",
        _a_fen_more("paid", 4),
        lambda row: [row["invoice_number"], row["fee_item"], row["paid"]],
    ),
    ("pool_shares", _moved_share, lambda row: ["share ", row["fee_item"], row["unit_code"]]),
    ("invoices", _a_fen_more("late_fee"), lambda row: ["bill ", row["number"], row["late_fee"]]),
    ("payments", _a_fen_more("amount"), lambda row: ["payment ", row["unit_code"], row["amount"]]),
    ("vouchers", _a_fen_more("debit", 5), lambda row: ["voucher ", row["number"], row["account"]]),
    ("vouchers", _dropped_voucher, lambda row: ["voucher ", row["number"], "is missing"]),
    ("cheques", _dropped_row, lambda row: ["cheque ", row["number"]]),
    ("voucher_documents", _dropped_row, lambda row: ["document ", row["document"], "in 0 vouchers"]),
]
