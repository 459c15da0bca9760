"""The screens of this room, and whose rows they show."""

from __future__ import annotations

from typing import Any

from sqlalchemy import or_

from admin.panel.row_access import RowAccess, along_unit
from admin.vouchers import ledger
from models.vouchers import VoucherLine


def _lines_of_own_units() -> list[Any]:
    """The lines of a steward's own units, and those that are of no unit."""
    conditions = along_unit(VoucherLine.unit_id)()
    return [or_(VoucherLine.unit_id.is_(None), *conditions)] if conditions else []


SCREENS = ledger.SCREENS
ROW_ACCESS: RowAccess = {VoucherLine: _lines_of_own_units}
