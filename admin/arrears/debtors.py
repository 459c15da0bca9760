"""The debtor that an action names by a unit's number."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from admin.panel import row_access
from models.base import db
from office.core.errors import N_, Refused
from office.estate.owners import payers_on


def debtor_of(view: Any, given: Mapping[str, Any]) -> tuple[int, int]:
    """The unit named in an action and who pays for it today. Raises Refused."""
    unit_id = row_access.unit_named(str(given["unit_code"]))
    payer_id = payers_on(db.session(), [(unit_id, view.today())])[0]
    if payer_id is None:
        raise Refused(N_("Nobody pays for this unit on that day"))
    return unit_id, payer_id
