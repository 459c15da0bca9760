"""Rates of units and payers of items, checked and ended before they are stored (B14, B20).

Rows end, they never vanish: a new row ends the one before it on the day before, and once a month has been
billed by a row only its end and its reason can change.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Any

from sqlalchemy import func, inspect, or_, select, update
from sqlalchemy.orm import Session

from models.billing import BillingRun, FeeItem, Tariff
from models.rates import SCOPE, ItemRate, UnitItemPayer
from office.billing.billable_items import cycle_of
from office.core import audit
from office.core.errors import N_, Refused
from rules.billing import MONTHLY, Period
from rules.liability import DAY
from rules.rates import scope_of
from rules.text_keys import text_key

NUMBERS = ("rate", "amount", "factor")
STAYS = frozenset({"valid_to", "reason", "row_version", "scope"})  # what of a billed row may change


def billed_until(session: Session) -> date | None:
    """The last day of the newest month that was billed."""
    newest = session.scalar(select(func.max(BillingRun.period)).where(BillingRun.invoices > 0))
    return Period.parse(newest).last_on if newest else None


def check_rate(session: Session, row: ItemRate) -> None:
    """Raise Refused for a row that is for no units, says no one price, or has its days in no order."""
    row.tag, row.unit_kind = text_key(row.tag or ""), row.unit_kind or ""
    said = [getattr(row, name) for name in NUMBERS if getattr(row, name) is not None]
    if row.is_exempt and said:
        raise Refused(N_("An exempt unit is charged nothing: leave rate, amount and factor empty"))
    if not row.is_exempt and not said:
        raise Refused(N_("Give a rate, an amount or a factor, or mark the units as exempt"))
    if row.rate is not None and row.amount is not None:
        raise Refused(N_("Give a rate or an amount, not both"))
    if any(number < 0 for number in said):
        raise Refused(N_("Rates, amounts and factors are not below zero"))
    some = (row.tag, row.building_id, row.floor_from, row.floor_to, row.unit_kind)
    if row.unit_id is None and not any(one not in {None, ""} for one in some):
        raise Refused(N_("Say for which units it is: a unit, a tag, a building, floors or a kind"))
    if row.unit_id is not None and any(one not in {None, ""} for one in some):
        raise Refused(N_("A row of one unit needs no tag, building, floors or kind"))
    if (row.floor_from is None) != (row.floor_to is None):
        raise Refused(N_("Give both floors, the first and the last"))
    if row.floor_from is not None and row.floor_to is not None and row.floor_from > row.floor_to:
        raise Refused(N_("The first floor is above the last one"))
    _check_days(session, row)


def check_tariff(session: Session, row: Tariff) -> None:
    """Raise Refused for a tariff that ends before months that were billed by it (B2, B14)."""
    _check_order(row)
    before, changed = _changes(row)
    if set(changed) == {"valid_to"}:
        until = billed_until(session)
        if refusal := why_not(until, before, changed, row.valid_to):
            raise Refused(refusal, day=until)


def _check_order(row: ItemRate | UnitItemPayer | Tariff) -> None:
    if row.valid_to is not None and row.valid_to < row.valid_from:
        raise Refused(N_("The first day must not be after the last day"))


def _changes(row: ItemRate | UnitItemPayer | Tariff) -> tuple[date, dict[str, Any]]:
    """The first day of a row as it is stored, and what its columns that change said before."""
    state: Any = inspect(row)
    if not state.persistent:
        return row.valid_from, {}
    (before,) = state.attrs.valid_from.history.deleted or (row.valid_from,)
    changed = {
        one.key: (one.history.deleted or (None,))[0]
        for one in state.attrs
        if one.history.has_changes() and one.key in state.mapper.column_attrs
    }
    return before, changed


def _check_days(session: Session, row: ItemRate | UnitItemPayer) -> None:
    _check_order(row)
    before, changed = _changes(row)
    if not changed:
        return
    until = billed_until(session)
    if refusal := why_not(until, before, changed, row.valid_to):
        raise Refused(refusal, day=until)


BILLED = N_("Bills until %(day)s go by this row: end it, and enter a new one from the next day on")
ENDS_BEFORE = N_(
    "Bills until %(day)s go by the days of this row: it can end on that day or later; what was right before "
    "is a new row from its own day on"
)


def why_not(until: date | None, valid_from: date, changed: Mapping[str, Any], valid_to: date | None) -> str:
    """Why a stored row can't be changed so, in English; empty when it can.

    `until` is the last day that is billed, `valid_from` the row's first day as stored, `changed` what the
    columns that change said before, `valid_to` the end that it gets. A row by which a month was billed keeps
    all but its reason and its end, and neither the end it had nor the one it gets lies before that day.
    """
    if until is None or valid_from > until:
        return ""
    if set(changed) - STAYS:
        return BILLED
    if "valid_to" in changed and min(changed["valid_to"] or date.max, valid_to or date.max) < until:
        return ENDS_BEFORE
    return ""


def end_earlier(
    session: Session, row: ItemRate | UnitItemPayer, *, now: datetime, staff_id: int | None
) -> list[date]:
    """End the row that a new one follows, on the day before; answers that day.

    Raises Refused where another row of the same units and item meets its days otherwise.
    """
    ended: list[date] = []
    for other in _meeting(session, row):
        if other.valid_to is not None or other.valid_from >= row.valid_from:
            raise Refused(
                N_("Another row holds from %(first)s to %(last)s: choose other days, or end that one first"),
                first=other.valid_from,
                last=other.valid_to or "…",
            )
        last_on = row.valid_from - DAY
        session.execute(
            update(type(row))
            .where(type(row).id == other.id)
            .values(valid_to=last_on, row_version=type(row).row_version + 1)
            .execution_options(autoflush=False, synchronize_session=False)
        )
        audit.record(session, now, staff_id, "edit", other, {"valid_to": (None, last_on)})
        ended.append(last_on)
    return ended


def _meeting(session: Session, row: ItemRate | UnitItemPayer) -> Iterable[Any]:
    """Other rows of the same units and item whose days meet those of a row."""
    model: Any = type(row)
    same = [
        model.fee_item_id == row.fee_item_id,
        or_(model.valid_to.is_(None), model.valid_to >= row.valid_from),
    ]
    if row.id is not None:
        same.append(model.id != row.id)
    if row.valid_to is not None:
        same.append(model.valid_from <= row.valid_to)
    if isinstance(row, ItemRate):
        same.append(model.scope == scope_of(*(getattr(row, name) for name in SCOPE)))
    else:
        same.append(model.unit_id == row.unit_id)
    with session.no_autoflush:
        return session.scalars(select(model).where(*same).order_by(model.valid_from)).all()


def check_payer(session: Session, row: UnitItemPayer) -> None:
    """Raise Refused for a payer of an item whose days can't be stored so."""
    _check_days(session, row)


def check_item(row: FeeItem) -> None:
    """Raise Refused for half a season, a cycle of an item that isn't owed for time, a factor above 1."""
    if row.vacancy_factor is not None and not 0 <= row.vacancy_factor <= 1:
        raise Refused(N_("The factor of an empty unit lies between 0 and 1, such as 0.7"))
    if (row.season_from is None) != (row.season_to is None):
        raise Refused(N_("Give the first and the last month of the season, or neither"))
    if row.basis not in MONTHLY and not cycle_of(row).is_plain:
        raise Refused(N_("Cycles, seasons and days ahead are for items that are charged by the month"))
