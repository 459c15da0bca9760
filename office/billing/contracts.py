"""Rent contracts: checked before they are stored, read for billing, listed before they end (B24)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, exists, func, inspect, select
from sqlalchemy.orm import Session, aliased

import seed
from models.billing import FeeItem
from models.contracts import MOST_MONTHS, RentChange, RentContract
from office.billing.item_rates import billed_until
from office.core import audit
from office.core.errors import N_, Refused
from office.policies import store
from rules import rent
from rules.billing import Basis, BillingDocument
from rules.calendar_months import months_later

RENT = "rent"  # the code of the fee item that a contract's rent is a line of
LONGEST = 100  # years that a contract may run
# what of a contract whose months are billed may still change
STAYS = frozenset({"valid_to", "deposit", "note", "row_version", "number", "number_folded"})


def rent_item(session: Session, *, now: datetime, staff_id: int | None) -> FeeItem:
    """The fee item for rent; made, or switched on, where the office has none that is in use."""
    item = session.scalars(select(FeeItem).where(FeeItem.code == RENT)).one_or_none()
    if item is None:
        row = next(row for row in seed.office()["fee_item"] if row["code"] == RENT)
        last = session.scalar(select(func.max(FeeItem.position)))
        item = FeeItem(**row, position=0 if last is None else last + 1)
        session.add(item)
        session.flush()
        audit.record(session, now, staff_id, "create", item, {"code": RENT})
    elif not item.is_active:
        item.is_active = True
        session.flush()
        audit.record(session, now, staff_id, "edit", item, {"is_active": (False, True)})
    return item


def check(session: Session, row: RentContract) -> None:
    """Raise Refused for a contract that can't be: days, step, free days, another contract at that time."""
    item = session.get(FeeItem, row.fee_item_id)
    if item is None or item.basis != Basis.FIXED:
        raise Refused(N_("The rent is a line of a fee item that is charged by the month, whatever the area"))
    if row.valid_to < row.valid_from:
        raise Refused(N_("The first day must not be after the last day"))
    if row.valid_to > months_later(row.valid_from, 12 * LONGEST):
        raise Refused(N_("A contract runs for %(years)s years at most: check its days"), years=LONGEST)
    if row.rent is None or row.rent <= 0:
        raise Refused(N_("Give the rent of a month, above zero"))
    if row.deposit is not None and row.deposit < 0:
        raise Refused(N_("A deposit is not below zero"))
    _check_step(row)
    _check_free_days(row)
    _check_billed(session, row)
    _check_alone(session, row)


def _check_step(row: RentContract) -> None:
    said = [one for one in (row.step_percent, row.step_amount) if one is not None]
    if row.step_every_months is None and not said:
        return
    if row.step_every_months is None or len(said) != 1:
        raise Refused(
            N_("A step of the rent says after how many months, and either a percentage or an amount")
        )
    if not 1 <= row.step_every_months <= MOST_MONTHS:
        raise Refused(N_("Between two steps lie 1 to %(most)s months"), most=MOST_MONTHS)
    if said[0] <= 0:
        raise Refused(N_("A step is above zero: enter a lower rent as a change of rent"))


def _check_free_days(row: RentContract) -> None:
    first, last = row.rent_free_from, row.rent_free_to
    if first is None and last is None:
        return
    if first is None or last is None:
        raise Refused(N_("Give the first and the last rent-free day, or neither"))
    if not row.valid_from <= first <= last <= row.valid_to:
        raise Refused(N_("The rent-free days lie within the contract's own days, the first before the last"))


def _check_billed(session: Session, row: RentContract) -> None:
    """What the billed months went by stays: another rent is a change of rent, from the next month on."""
    state: Any = inspect(row)
    until = billed_until(session)
    if not state.persistent or until is None:
        return
    (before,) = state.attrs.valid_from.history.deleted or (row.valid_from,)
    (ended,) = state.attrs.valid_to.history.deleted or (row.valid_to,)
    if before > until:
        return
    changed = _changed(state)
    if changed - STAYS or ("valid_to" in changed and min(ended, row.valid_to) < until):
        raise Refused(
            N_("Bills until %(day)s go by this contract: enter a change of rent from the next day on"),
            day=until,
        )


def _changed(state: Any) -> set[str]:
    """The columns of a row that are not stored as they are now."""
    return {
        one.key for one in state.attrs if one.history.has_changes() and one.key in state.mapper.column_attrs
    }


def _check_alone(session: Session, row: RentContract) -> None:
    with session.no_autoflush:
        other = session.scalars(
            select(RentContract)
            .where(
                RentContract.unit_id == row.unit_id,
                RentContract.id != (row.id or 0),
                RentContract.valid_from <= row.valid_to,
                RentContract.valid_to >= row.valid_from,
            )
            .limit(1)
        ).first()
    if other is not None:
        raise Refused(
            N_("Contract %(number)s holds for this unit from %(first)s to %(last)s: end it first"),
            number=other.number,
            first=other.valid_from,
            last=other.valid_to,
        )


def check_change(session: Session, row: RentChange, contract: RentContract) -> None:
    """Raise Refused for a change of rent outside its contract, in billed months, or that says no one rent."""
    if (row.percent is None) == (row.rent is None):
        raise Refused(N_("Give the percentage by which the rent changes, or the new rent"))
    if row.percent is not None and row.percent <= -100:
        raise Refused(N_("A rent falls by less than 100 percent"))
    if row.rent is not None and row.rent < 0:
        raise Refused(N_("A rent is not below zero"))
    if not contract.valid_from <= row.from_on <= contract.valid_to:
        raise Refused(
            N_("The contract runs from %(first)s to %(last)s: choose a day of it"),
            first=contract.valid_from,
            last=contract.valid_to,
        )
    until = billed_until(session)
    state: Any = inspect(row)
    if state.persistent and not _changed(state) - {"reason", "row_version"}:
        return
    days = [row.from_on, *(state.attrs.from_on.history.deleted or ())]
    if until is not None and min(days) <= until:
        raise Refused(
            N_("Months until %(day)s are billed: the rent can change from the next day on"), day=until
        )


def load(session: Session, unit_ids: Sequence[int]) -> list[tuple[int, int, rent.RentContract]]:
    """The contracts of some units as (unit, fee item, contract), in the order of their days."""
    rows = session.scalars(
        select(RentContract).where(RentContract.unit_id.in_(unit_ids)).order_by(RentContract.valid_from)
    ).all()
    changes: dict[int, list[rent.RentChange]] = defaultdict(list)
    if rows:
        for one in session.scalars(
            select(RentChange)
            .where(RentChange.contract_id.in_([row.id for row in rows]))
            .order_by(RentChange.from_on)
        ):
            changes[one.contract_id].append(rent.RentChange(one.from_on, one.percent, one.rent))
    return [(row.unit_id, row.fee_item_id, as_rule(row, changes[row.id])) for row in rows]


def as_rule(row: RentContract, changes: Sequence[rent.RentChange]) -> rent.RentContract:
    """A contract as the rules know it."""
    step = free = None
    if row.step_every_months is not None:
        step = rent.Step(row.step_every_months, row.step_percent, row.step_amount)
    if row.rent_free_from is not None and row.rent_free_to is not None:
        free = (row.rent_free_from, row.rent_free_to)
    return rent.RentContract(
        row.number, row.owner_id, row.valid_from, row.valid_to, row.rent, step, free, tuple(changes)
    )


def changes_of(row: RentContract) -> list[rent.RentChange]:
    """How a contract's rent changes, as the rules know it."""
    return [rent.RentChange(one.from_on, one.percent, one.rent) for one in row.changes]


def end_days(session: Session, today: date) -> tuple[int, int, int]:
    """How many days before its last day a contract is on each of the lists of what ends soon (policy)."""
    ends = store.in_force(session, BillingDocument, today).contract_ends
    return ends.first_days, ends.second_days, ends.third_days


def ends_soon(today: date, days: int) -> list[ColumnElement[bool]]:
    """The contracts whose last day is within so many days, and which no other of the unit follows."""
    later = aliased(RentContract)
    return [
        RentContract.valid_to.between(today, today + timedelta(days=days)),
        ~exists().where(later.unit_id == RentContract.unit_id, later.valid_from > RentContract.valid_to),
    ]
