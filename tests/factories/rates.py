"""Rates of units and payers of items, as an office enters them."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from sqlalchemy.orm import Session

from models.property import Unit
from models.rates import ItemRate, UnitItemPayer
from tests.factories.estate import LONG_AGO, item

NUMBERS = frozenset({"rate", "amount", "factor"})


def add_rate(session: Session, code: str, valid_from: date = LONG_AGO, **row: Any) -> ItemRate:
    """A row of an item; rate, amount and factor may be given as text."""
    values = {name: Decimal(value) if name in NUMBERS else value for name, value in row.items()}
    made = ItemRate(fee_item_id=item(session, code).id, valid_from=valid_from, **values)
    session.add(made)
    session.flush()
    return made


def add_item_payer(
    session: Session,
    unit: Unit,
    code: str,
    owner_id: int,
    valid_from: date = LONG_AGO,
    to: date | None = None,
) -> UnitItemPayer:
    made = UnitItemPayer(
        unit_id=unit.id,
        fee_item_id=item(session, code).id,
        owner_id=owner_id,
        valid_from=valid_from,
        valid_to=to,
    )
    session.add(made)
    session.flush()
    return made
