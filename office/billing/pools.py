"""Costs that units share: reckoned, saved with each unit's share, corrected by the next pool (B16)."""

from __future__ import annotations

import hashlib
import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import ColumnElement, and_, insert, or_, select
from sqlalchemy.orm import Session

from models.billing import FeeItem
from models.pools import Pool, PoolShare
from models.property import Area, Building, Estate, Unit
from models.rates import ItemRate
from office.billing.billable_items import OWN_RATES, billable_items, own_rates
from office.billing.meter_months import used_by_unit
from office.billing.period_rows import OCCUPANCY, PLACE_COLUMNS, UNIT, handed_over_by, place_of
from office.core import audit
from office.core.database import chunks
from office.core.errors import N_, Refused
from office.policies import store
from rules.billing import ONE, Basis, BillingDocument, Period
from rules.money import ZERO, MoneyError
from rules.pools import (
    Bears,
    MainReading,
    PoolKey,
    PoolScope,
    Share,
    Sharer,
    denominator,
    metered_amount,
    shares,
)
from rules.rates import Exempt, coefficient
from rules.text_keys import compared_key

BETWEEN = re.compile(r"[;；,，、\n]+")


@dataclass(frozen=True)
class NewPool:
    """A pool as somebody enters it: its sum in yuan, or the readings that say it.

    `scope_value` names areas, buildings or units with `;` between; `corrects_by_itself` takes in what an
    earlier pool of the item and units should have come to otherwise.
    """

    period: str
    fee_item: str
    scope: PoolScope
    key: PoolKey
    scope_value: str = ""
    amount: Decimal | None = None
    reading: MainReading | None = None
    metered_item: str = ""
    vacant: Bears = Bears.SHARE
    unsold: Bears = Bears.SHARE
    developer: Bears = Bears.SHARE
    note: str = ""
    corrects_by_itself: bool = True


@dataclass(frozen=True)
class Scope:
    """Over which units a pool is shared: the rows that are named, and how to find the units."""

    names: tuple[str, ...]
    place: str
    units: ColumnElement[bool]

    @property
    def said(self) -> str:
        return ";".join(self.names)


@dataclass(frozen=True)
class Reckoned:
    """A pool before it is saved: what is shared, in yuan, and each unit's share."""

    item: FeeItem
    scope: Scope
    amount: Decimal
    correction: Decimal
    corrects_id: int | None
    metered_item_id: int | None
    denominator: Decimal
    shares: tuple[Share, ...]


def scope_of(session: Session, kind: PoolScope, said: str) -> Scope:
    """The units that a scope names. Raises Refused for a name that nobody knows, or that two rows have."""
    names = [name for one in BETWEEN.split(said) if (name := one.strip())]
    if kind == PoolScope.ESTATE:
        if names:
            raise Refused(N_("The whole estate needs no names: leave them empty, or choose another scope"))
        return Scope((), str(kind), UNIT.c.id.is_not(None))
    if not names:
        raise Refused(N_("Say over which areas, buildings or units the cost is shared"))
    rows, column = _named(session, kind)
    by_name: dict[str, list[Any]] = defaultdict(list)
    for row in rows:
        by_name[compared_key(row[1])].append(row)
    chosen: dict[int, str] = {}
    for name in names:
        meant = by_name.get(compared_key(name), [])
        if not meant:
            raise Refused(
                N_("Nobody knows %(name)s: write areas, buildings or units as the lists do"), name=name
            )
        if len(meant) > 1:
            raise Refused(N_("There is more than one %(name)s: write area/building"), name=name)
        chosen[meant[0][0]] = meant[0][1]
    ids = sorted(chosen)
    digest = hashlib.sha256(",".join(map(str, ids)).encode()).hexdigest()
    among: Any = ids
    if kind == PoolScope.AREA:
        among = select(Building.id).where(Building.area_id.in_(ids))
    return Scope(tuple(chosen[id_] for id_ in ids), f"{kind}:{digest}", column.in_(among))


def _named(session: Session, kind: PoolScope) -> tuple[Sequence[Any], Any]:
    """What may be named in a scope, as (id, name), and the column of a unit that holds it."""
    match kind:
        case PoolScope.AREA:
            return session.execute(select(Area.id, Area.name)).all(), UNIT.c.building_id
        case PoolScope.BUILDING:
            found = session.execute(select(Building.id, Building.name, Area.name).join(Building.area)).all()
            plain = [(id_, name) for id_, name, _ in found]
            return [*plain, *((id_, f"{area}/{name}") for id_, name, area in found)], UNIT.c.building_id
        case _:
            return session.execute(select(Unit.id, Unit.code)).all(), UNIT.c.id


def reckon(session: Session, new: NewPool, *, pool: Pool | None = None) -> Reckoned:
    """What a pool comes to and each unit's share; nothing is written. `pool` is the one that is changed.

    Raises Refused, such as where nobody can share.
    """
    period = Period.parse(new.period)
    item = _item(session, new.fee_item, Basis.SHARED)
    scope = scope_of(session, new.scope, new.scope_value)
    cost = _cost(new)
    corrected = _corrected(session, item.id, scope.place, period, pool) if new.corrects_by_itself else None
    correction = ZERO if corrected is None else _difference(corrected)
    amount = cost + correction
    if amount <= 0:
        raise Refused(
            N_("With the correction of %(correction)s nothing is left to share: give credit notes instead"),
            correction=correction,
        )
    metered = _metered_item(session, new) if new.key == PoolKey.CONSUMPTION else None
    sharers = _sharers(session, new, period, item, scope, None if metered is None else metered.id)
    try:
        found = shares(amount, sharers)
    except ValueError as problem:
        raise Refused(N_("No unit there can share: none has anything of the key")) from problem
    return Reckoned(
        item,
        scope,
        amount,
        correction,
        None if corrected is None else corrected.id,
        None if metered is None else metered.id,
        denominator(found),
        found,
    )


def _item(session: Session, code: str, basis: Basis) -> FeeItem:
    found = session.scalars(select(FeeItem).where(FeeItem.code == code)).one_or_none()
    if found is None or found.basis != basis:
        raise Refused(N_("Choose a fee item whose basis is “shared cost”; enter one under “Fee items”"))
    return found


def _cost(new: NewPool) -> Decimal:
    if (new.amount is None) == (new.reading is None):
        raise Refused(N_("Give the sum, or both readings of the main meter with the price"))
    if new.reading is None:
        assert new.amount is not None
        cost = new.amount
    else:
        try:
            cost = metered_amount(new.reading)
        except MoneyError as problem:
            raise Refused(
                N_("The main meter ran backwards, or its sub-meters counted more than it did")
            ) from problem
    if cost <= 0:
        raise Refused(N_("Enter a sum above zero"))
    return cost


def _metered_item(session: Session, new: NewPool) -> FeeItem:
    query = select(FeeItem).where(FeeItem.basis == str(Basis.METERED), FeeItem.is_active)
    known = session.scalars(query.order_by(FeeItem.position, FeeItem.id)).all()
    chosen = [one for one in known if one.code == new.metered_item] if new.metered_item else known
    if len(chosen) != 1:
        raise Refused(N_("Say the consumption of which metered item it is shared by"))
    return chosen[0]


def _corrected(session: Session, item_id: int, place: str, period: Period, pool: Pool | None) -> Pool | None:
    """The oldest earlier pool whose right sum is known and that no pool has corrected yet."""
    taken = select(Pool.corrects_id).where(
        Pool.corrects_id.is_not(None), Pool.state != "cancelled", *([Pool.id != pool.id] if pool else [])
    )
    return session.scalars(
        select(Pool)
        .where(
            Pool.fee_item_id == item_id,
            Pool.place == place,
            Pool.period < str(period),
            Pool.state == "billed",
            Pool.right_amount.is_not(None),
            Pool.id.not_in(taken),
        )
        .order_by(Pool.period)
        .limit(1)
    ).one_or_none()


def _difference(pool: Pool) -> Decimal:
    assert pool.right_amount is not None
    return pool.right_amount - (pool.amount - pool.correction)


def _sharers(
    session: Session, new: NewPool, period: Period, item: FeeItem, scope: Scope, metered_item_id: int | None
) -> list[Sharer]:
    """The units that must share, with what each has of the key."""
    developer_id = session.scalar(select(Estate.developer_id))
    payer = and_(
        OCCUPANCY.c.unit_id == UNIT.c.id,
        OCCUPANCY.c.is_payer,
        OCCUPANCY.c.from_on <= period.last_on,
        or_(OCCUPANCY.c.to_on.is_(None), OCCUPANCY.c.to_on >= period.last_on),
    )
    rows = session.execute(
        select(UNIT.c.id, UNIT.c.code, UNIT.c.area_m2, UNIT.c.state, *PLACE_COLUMNS, OCCUPANCY.c.owner_id)
        .select_from(UNIT.outerjoin(OCCUPANCY, payer))
        .where(scope.units, handed_over_by(period.last_on))
    ).all()
    left_out = {
        "vacant": new.vacant == Bears.NONE,
        "unsold": new.unsold == Bears.NONE,
    }
    rates = {one.id: one.rates for one in billable_items(session)}.get(item.id, ())
    own = _own_rates(session, item.id, [row.id for row in rows])
    households = store.in_force(session, BillingDocument, period.first_on).households.unit_kinds
    used = used_by_unit(session, period, metered_item_id, [row.id for row in rows]) if metered_item_id else {}
    found = []
    for row in rows:
        if left_out.get(row.state) or (
            new.developer == Bears.NONE and developer_id is not None and row.owner_id == developer_id
        ):
            continue
        counts = coefficient((*own.get(row.id, ()), *rates), place_of(row), period.first_on)
        if isinstance(counts, Exempt):
            continue
        key: Decimal | None
        match new.key:
            case PoolKey.AREA:
                key = row.area_m2
            case PoolKey.HOUSEHOLD:
                if row.kind not in households:
                    continue
                key = ONE
            case PoolKey.CONSUMPTION:
                key = used.get(row.id)
            case PoolKey.COEFFICIENT:
                if not counts:
                    continue
                key = counts
        found.append(Sharer(row.id, row.code, key))
    return found


def _own_rates(session: Session, item_id: int, unit_ids: Sequence[int]) -> Mapping[int, list[Any]]:
    found: dict[int, list[Any]] = defaultdict(list)
    if session.scalar(select(ItemRate.id).where(ItemRate.fee_item_id == item_id).limit(1)) is None:
        return found
    for some in chunks(list(unit_ids)):
        for unit_id, _item_id, row in own_rates(session, some, OWN_RATES.c.fee_item_id == item_id):
            found[unit_id].append(row)
    return found


def save(
    session: Session, new: NewPool, *, now: datetime, staff_id: int | None, pool: Pool | None = None
) -> Pool:
    """Store a pool with each unit's share, or what is changed of one that no bill holds. Raises Refused."""
    if pool is not None and pool.state != "open":
        raise Refused(
            N_("A bill holds this pool: say what it should have come to, the next pool corrects it")
        )
    reckoned = reckon(session, new, pool=pool)
    same = [
        Pool.period == new.period,
        Pool.fee_item_id == reckoned.item.id,
        Pool.place == reckoned.scope.place,
    ]
    other = session.scalar(select(Pool.id).where(*same, Pool.state != "cancelled"))
    if other is not None and (pool is None or other != pool.id):
        raise Refused(N_("The item has a pool for these units and this month already: change that one"))
    action = "create" if pool is None else "edit"
    if pool is None:
        pool = Pool()
        session.add(pool)
    values = _values(new, reckoned)
    changes = {
        name: value if action == "create" else (getattr(pool, name), value)
        for name, value in values.items()
        if action == "create" or getattr(pool, name) != value
    }
    for name, value in values.items():
        setattr(pool, name, value)
    session.flush()
    session.execute(PoolShare.__table__.delete().where(PoolShare.pool_id == pool.id))  # type: ignore[attr-defined]
    session.execute(
        insert(PoolShare),
        [
            {"pool_id": pool.id, "unit_id": one.unit_id, "key_value": one.key, "amount": one.amount}
            for one in reckoned.shares
        ],
    )
    audit.record(session, now, staff_id, action, pool, changes)
    return pool


def _values(new: NewPool, reckoned: Reckoned) -> dict[str, Any]:
    read = new.reading
    return {
        "period": new.period,
        "fee_item_id": reckoned.item.id,
        "scope": str(new.scope),
        "scope_value": reckoned.scope.said,
        "place": reckoned.scope.place,
        "key": str(new.key),
        "metered_item_id": reckoned.metered_item_id,
        "amount": reckoned.amount,
        "main_start": None if read is None else read.start,
        "main_end": None if read is None else read.end,
        "main_factor": ONE if read is None else read.factor,
        "sub_meters": ZERO if read is None else read.sub_meters,
        "price": None if read is None else read.price,
        "correction": reckoned.correction,
        "corrects_id": reckoned.corrects_id,
        "denominator": reckoned.denominator,
        "vacant": str(new.vacant),
        "unsold": str(new.unsold),
        "developer": str(new.developer),
        "note": new.note,
    }


def cancel(session: Session, pool: Pool, *, now: datetime, staff_id: int | None) -> None:
    """Take a pool back that no bill holds. Raises Refused for another."""
    if pool.state != "open":
        raise Refused(N_("Only a pool that no bill holds can be taken back"))
    pool.state = "cancelled"
    audit.record(session, now, staff_id, "cancel", pool, {"state": ("open", "cancelled")})


def correct(
    session: Session, pool: Pool, right: Decimal, reason: str, *, now: datetime, staff_id: int | None
) -> None:
    """Note what a billed pool should have come to: the next one of its item and units takes the difference.

    Raises Refused for a pool that no bill holds, or that is corrected already.
    """
    if pool.state != "billed":
        raise Refused(N_("No bill holds this pool yet: change it instead"))
    if session.scalar(select(Pool.id).where(Pool.corrects_id == pool.id, Pool.state != "cancelled")):
        raise Refused(N_("A later pool has taken the correction already: correct that one"))
    before, pool.right_amount = pool.right_amount, right
    changes = {"right_amount": (before, right), "reason": reason}
    audit.record(session, now, staff_id, "correct", pool, changes)
