"""Vacancies of units, with who approved them (B17)."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.people import Staff
from models.vacancies import Vacancy
from office.billing import vacancies
from office.core.errors import N_
from office.exchange.imports import cells, columns, known_rows
from office.exchange.imports.columns import Column, Known, Problem, plainly, text
from office.exchange.imports.known_rows import KnownRows
from office.exchange.imports.rates import VALID_FROM, VALID_TO
from office.exchange.imports.taken import NO_UPDATE, Taken, Update
from rules.text_keys import compared_key

COLUMNS: tuple[Column, ...] = (
    columns.UNIT,
    VALID_FROM,
    VALID_TO,
    Column(
        "factor", ("系数", "係數", "折扣系数", "空置系数", "空置係數"), plainly(cells.number), measure="own"
    ),
    Column(
        "fee_item", ("收费项目", "收費項目", "费用项目", "費用項目", "项目", "項目", "fee"), columns.fee_item
    ),
    Column("proof", ("证明", "證明", "空置证明", "空置證明", "依据", "依據"), text(), is_required=True),
    Column(
        "approved_by",
        ("批准人", "审批人", "審批人", "核准人", "approver"),
        text(120),
        is_required=True,
    ),
)


def _people(session: Session) -> Mapping[str, Sequence[int]]:
    """Ids of staff by login and by name, as they are compared."""
    found: dict[str, list[int]] = {}
    for id_, *called in session.execute(select(Staff.id, Staff.login, Staff.name)):
        for name in {compared_key(one) for one in called}:
            found.setdefault(name, []).append(id_)
    return found


def problems(rows: Sequence[Mapping[str, Any]], known: Known) -> list[Problem]:
    """Approvers whom the office does not know, or several of one name."""
    people = _people(known.session)
    found = []
    for row in rows:
        named = people.get(compared_key(row["approved_by"]), ())
        if len(named) != 1:
            message = N_("several have this name") if named else N_("nobody of the staff is called so")
            remedy = N_("Write the login of the person who approved it")
            found.append(columns.problem(row, "approved_by", row["approved_by"], message, remedy))
    return found


def take_in(
    session: Session,
    given: Sequence[Mapping[str, Any]],
    *,
    now: datetime,
    staff_id: int | None = None,
    update: Update = NO_UPDATE,
) -> Taken:
    """Enter the vacancies that are not there yet, known by unit, item and first day.

    Brought in by a command they are approved by who is named. Whoever brings them in on the screen has asked
    for them: they wait until another person approves them (F21).
    """
    items, people = Known(session).fee_item_ids, _people(session)
    names = dict(session.execute(select(Staff.id, Staff.login)).all())

    def key(row: Mapping[str, Any]) -> tuple[int, int | None, date]:
        return row["unit_code"], items[row["fee_item"]] if row["fee_item"] else None, row["valid_from"]

    def values(row: Mapping[str, Any], there: Vacancy | None) -> dict[str, Any]:
        said = {"proof": row["proof"]}
        said |= {name: row[name] for name in ("valid_to", "factor") if row[name] is not None}
        (approver_id,) = people[compared_key(row["approved_by"])]
        if there is not None:
            return {**said, "decided_by_id": approver_id} if there.state == "approved" else said
        unit_id, item_id, valid_from = key(row)
        decided = {"state": "approved", "decided_by_id": approver_id, "decided_at": now}
        return {
            **said,
            "unit_id": unit_id,
            "fee_item_id": item_id,
            "valid_from": valid_from,
            "asked_by_id": staff_id,
            "asked_at": now,
            **(decided if staff_id is None else {}),
        }

    save = known_rows.saver(session, vacancies.check, ("state",), now=now, staff_id=staff_id)

    def word(attribute: str, value: Any) -> str:
        return names.get(value, "") if attribute == "decided_by_id" else known_rows.told(value)

    stored = session.scalars(select(Vacancy).where(Vacancy.state != "refused"))
    there: dict[Hashable, Any] = {(row.unit_id, row.fee_item_id, row.valid_from): row for row in stored}
    rows = KnownRows(Vacancy, there, key, values, save, codes={"decided_by_id": "approved_by"}, word=word)
    return known_rows.take_in(session, sorted(given, key=lambda row: row["valid_from"]), rows, update)
