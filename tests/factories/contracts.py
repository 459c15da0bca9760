"""Rent contracts, as an office enters them."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from sqlalchemy.orm import Session

from models.contracts import RentContract
from models.property import Unit
from office.billing import contracts
from tests.factories.estate import LONG_AGO, NOW

NUMBERS = frozenset({"rent", "deposit", "step_percent", "step_amount"})


def add_contract(
    session: Session,
    unit: Unit,
    owner_id: int,
    valid_from: date = LONG_AGO,
    valid_to: date = date(2030, 12, 31),
    *,
    number: str = "HT-1",
    **row: Any,
) -> RentContract:
    """A contract of a unit; sums and percentages may be given as text."""
    values = {name: Decimal(value) if name in NUMBERS else value for name, value in row.items()}
    made = RentContract(
        number=number,
        unit_id=unit.id,
        owner_id=owner_id,
        fee_item_id=contracts.rent_item(session, now=NOW, staff_id=None).id,
        valid_from=valid_from,
        valid_to=valid_to,
        **{"rent": Decimal(10000), **values},
    )
    session.add(made)
    session.flush()
    return made
