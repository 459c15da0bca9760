"""All that is reckoned again, in one list."""

from __future__ import annotations

from pathlib import Path

from tests.oracles.estates.files import Estate
from tests.oracles.estates.lines import line_differences, share_differences
from tests.oracles.estates.money import Books, account_differences, cheque_differences, money_differences
from tests.oracles.estates.vouchers import voucher_differences


def differences(folder: Path) -> list[str]:
    """What the program's exports say otherwise than this reckoning: lines, shares, accounts, vouchers."""
    estate = Estate(folder)
    books = Books(estate)
    return [
        *share_differences(estate),
        *line_differences(estate),
        *money_differences(books),
        *cheque_differences(books),
        *account_differences(books),
        *voucher_differences(books),
    ]
