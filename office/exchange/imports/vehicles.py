"""Vehicles and their parking cards, known by the plate (B25)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.people import Owner
from models.vehicles import Vehicle
from office.core.errors import N_
from office.estate import vehicles
from office.estate.owners import add_owner, only_one_named
from office.exchange.imports import cells, columns, known_rows
from office.exchange.imports.cells import Wrong
from office.exchange.imports.columns import Column, Known, Problem, plainly, text, twice
from office.exchange.imports.known_rows import KnownRows
from office.exchange.imports.taken import NO_UPDATE, Taken, Update
from rules.parking_cards import plate


def _plate(given: str) -> str:
    found = plate(str(cells.short_text(20)(given)))
    if not found:
        raise Wrong(N_("no number plate"), N_("Write letters and digits of the plate"))
    return found


COLUMNS: tuple[Column, ...] = (
    Column(
        "plate",
        ("车牌号", "車牌號", "车牌号码", "車牌號碼", "车牌", "車牌", "plate no."),
        plainly(_plate),
        is_required=True,
        is_code=True,
        is_key=True,
    ),
    Column("unit_code", columns.UNIT_HEADERS, columns.unit, is_code=True),
    Column("owner_name", ("车主", "車主", "车主姓名", "車主姓名", "业主姓名", "業主姓名", "姓名"), text(120)),
    Column(
        "bay_code",
        ("车位", "車位", "车位号", "車位號", "车位编号", "車位編號", "bay"),
        columns.unit,
        is_code=True,
    ),
    Column(
        "card_from",
        ("开始日期", "開始日期", "起始日期", "月卡开始", "月卡開始", "生效日期"),
        columns.day,
        is_required=True,
    ),
    Column(
        "card_to",
        ("到期日", "到期日期", "结束日期", "結束日期", "月卡到期", "有效期至"),
        columns.day,
        is_required=True,
    ),
    Column("note", ("备注", "備註", "说明", "說明"), text(), empty=""),
)


def problems(rows: Sequence[Mapping[str, Any]], _known: Known) -> list[Problem]:
    """Two rows of one plate."""
    return twice(rows, "plate")


def take_in(
    session: Session,
    given: Sequence[Mapping[str, Any]],
    *,
    now: datetime,
    staff_id: int | None = None,
    update: Update = NO_UPDATE,
) -> Taken:
    """Enter the vehicles whose plates are not there yet; what a row says otherwise of one is told (B25).

    Whoever has it is who is called so at the unit, else in the estate, else somebody new. An empty cell says
    nothing.
    """
    known = Known(session)

    def values(row: Mapping[str, Any], there: Vehicle | None) -> dict[str, Any]:
        said = {
            "unit_id": row["unit_code"],
            "owner_id": person(row, there) if row["owner_name"] else None,
            "bay_id": row["bay_code"],
            "card_from": row["card_from"],
            "card_to": row["card_to"],
            "note": row["note"] or None,
        }
        said = {name: value for name, value in said.items() if value is not None}
        return said if there else {"plate": row["plate"], **said}

    def person(row: Mapping[str, Any], there: Vehicle | None) -> int:
        name = row["owner_name"]
        if there is not None and there.owner is not None and there.owner.name == name:
            return there.owner_id or 0
        found = only_one_named(session, name, row["unit_code"] or 0)
        return found or add_owner(session, name, now=now, staff_id=staff_id).id

    def word(attribute: str, value: Any) -> str:
        if value is None or not attribute.endswith("_id"):
            return known_rows.told(value)
        return session.get_one(Owner, value).name if attribute == "owner_id" else known.code_of[value]

    rows = KnownRows(
        Vehicle,
        {row.plate: row for row in session.scalars(select(Vehicle))},
        lambda row: row["plate"],
        values,
        known_rows.saver(
            session, vehicles.check, ("plate", "card_from", "card_to"), now=now, staff_id=staff_id
        ),
        codes={"unit_id": "unit_code", "owner_id": "owner_name", "bay_id": "bay_code"},
        word=word,
    )
    return known_rows.take_in(session, given, rows, update)
