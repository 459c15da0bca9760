"""A year of three made-up real estates is what an independent reckoning makes of their files (issue 17)."""

from __future__ import annotations

import csv
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pytest
from sqlalchemy.orm import Session

from office.rooms import findings
from tests.factories.estates.living import live
from tests.oracles.estates.checking import differences

ESTATES = {"housing": "residential"}
Row = dict[str, str]


@pytest.mark.parametrize("name", ESTATES)
def test_a_year_of_bills_shares_accounts_and_vouchers_is_reckoned_again_to_the_fen(
    session_of: Callable[[str], Session], tmp_path: Path, name: str
) -> None:
    session = session_of(ESTATES[name])

    folder = live(session, name, tmp_path / name)

    assert differences(folder) == []
    assert findings(session) == []
    for kind, alter, names in CONTROLS:
        file = folder / "out" / f"{kind}.csv"
        before = file.read_bytes()
        with file.open(encoding="utf-8", newline="") as given:
            rows = list(csv.DictReader(given))
        if not rows:
            continue
        altered = alter(rows)
        with file.open("w", encoding="utf-8", newline="") as out:
            writer = csv.DictWriter(out, rows[0])
            writer.writeheader()
            writer.writerows(rows)
        found = [one for one in differences(folder) if all(said in one for said in names(altered))]
        assert found, (kind, altered)
        file.write_bytes(before)


def _a_fen_more(column: str) -> Callable[[list[Row]], Row]:
    def alter(rows: list[Row]) -> Row:
        row = next(one for one in rows[len(rows) // 2 :] if Decimal(one[column] or 0))
        row[column] = str(Decimal(row[column]) + Decimal("0.01"))
        return row

    return alter


def _moved_share(rows: list[Row]) -> Row:
    """Two units' shares of one pool change places: together they are as before."""
    row = rows[0]
    other = next(one for one in rows if one["period"] == row["period"] and one["amount"] != row["amount"])
    row["amount"], other["amount"] = other["amount"], row["amount"]
    return row


CONTROLS: list[tuple[str, Callable[[list[Row]], Row], Callable[[Row], list[str]]]] = [
    ("invoice_lines", _a_fen_more("amount"), lambda row: ["line ", row["fee_item"], row["amount"]]),
    ("invoice_lines", _a_fen_more("raw_amount"), lambda row: ["line ", row["fee_item"], row["service_from"]]),
    ("pool_shares", _moved_share, lambda row: ["share ", row["fee_item"], row["unit_code"]]),
]
