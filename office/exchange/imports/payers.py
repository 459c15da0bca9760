"""Payers of items: who pays an item of a unit where it isn't the unit's payer (B20)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.people import Owner
from models.rates import UnitItemPayer
from office.billing import item_rates
from office.core.errors import N_
from office.estate import owners
from office.exchange.imports import columns, known_rows, rates
from office.exchange.imports.columns import Column, Known, Problem, text
from office.exchange.imports.known_rows import KnownRows
from office.exchange.imports.rates import FEE_ITEM, VALID_FROM, VALID_TO
from office.exchange.imports.taken import NO_UPDATE, Taken, Update
from rules.text_keys import compared_key

COLUMNS: tuple[Column, ...] = (
    columns.UNIT,
    FEE_ITEM,
    Column(
        "payer_name",
        ("付款人", "缴费人", "繳費人", "交费人", "业主姓名", "業主姓名", "姓名", "payer"),
        text(120),
        is_required=True,
    ),
    VALID_FROM,
    VALID_TO,
)


def _by_name(session: Session) -> dict[str, list[int]]:
    found: dict[str, list[int]] = defaultdict(list)
    for id_, name in session.execute(select(Owner.id, Owner.name).order_by(Owner.id)):
        found[compared_key(name)].append(id_)
    return found


def problems(rows: Sequence[Mapping[str, Any]], known: Known) -> list[Problem]:
    """Names that nobody has, or several have of whom none has to do with the unit."""
    by_name = _by_name(known.session)
    found = []
    for row in rows:
        people = by_name.get(compared_key(row["payer_name"]), [])
        if people and owners.one_at_unit(known.session, people, row["unit_code"]) is not None:
            continue
        message, remedy = (
            (N_("several have this name"), N_("Enter this row by hand and choose the right one"))
            if people
            else (N_("nobody is called so"), N_("Enter the person under “Owners and tenants” first"))
        )
        found.append(columns.problem(row, "payer_name", row["payer_name"], message, remedy))
    return found


def take_in(
    session: Session,
    given: Sequence[Mapping[str, Any]],
    *,
    now: datetime,
    staff_id: int | None = None,
    update: Update = NO_UPDATE,
) -> Taken:
    """Name the payers that are not there yet: a new one ends the one before, as on the screen (B20)."""
    items, by_name = Known(session).fee_item_ids, _by_name(session)
    names = dict(session.execute(select(Owner.id, Owner.name)).all())

    def key(row: Mapping[str, Any]) -> Hashable:
        return row["unit_code"], items[row["fee_item"]], row["valid_from"]

    def values(row: Mapping[str, Any], there: Any) -> dict[str, Any]:
        people = by_name[compared_key(row["payer_name"])]
        said = {"valid_to": row["valid_to"]} if row["valid_to"] else {}
        if there is not None and there.owner_id in people:
            return said
        said["owner_id"] = owners.one_at_unit(session, people, row["unit_code"])
        if there is not None:
            return said
        unit_id, item_id, valid_from = row["unit_code"], items[row["fee_item"]], row["valid_from"]
        return {**said, "unit_id": unit_id, "fee_item_id": item_id, "valid_from": valid_from}

    def word(attribute: str, value: Any) -> str:
        return names[value] if attribute == "owner_id" else known_rows.told(value)

    kept = ("id", "unit_id", "fee_item_id", "owner_id", "valid_from", "valid_to")
    stored = session.execute(select(*(getattr(UnitItemPayer, name) for name in kept)))
    there: dict[Hashable, Any] = {(row.unit_id, row.fee_item_id, row.valid_from): row for row in stored}
    known = KnownRows(
        UnitItemPayer,
        there,
        key,
        values,
        partial(rates.saved, session, now, staff_id),
        partial(rates.never, item_rates.billed_until(session)),
        {"owner_id": "payer_name"},
        word,
    )
    return known_rows.take_in(session, sorted(given, key=lambda row: row["valid_from"]), known, update)
