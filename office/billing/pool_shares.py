"""Shares of pools as lines of a billing run: each distinct share is priced once, the rest is joined (B16)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

from sqlalchemy import Select, Table, and_, exists, insert, or_, select
from sqlalchemy.orm import Session

from models.pools import Pool, PoolShare
from office.billing import working_tables
from office.billing.period_rows import OCCUPANCY, UNIT, covering, handed_over_by
from office.billing.working_tables import LINE_COLUMNS, OWN_LINE, PENDING, SHARE_QUOTE, priced
from rules.billing import Period
from rules.charges import BillableItem
from rules.money import ZERO
from rules.pools import PoolKey, SharedPool, share_price

POOL = cast("Table", Pool.__table__)
SHARE = cast("Table", PoolShare.__table__)


def pools_due(session: Session, service: Period, item_ids: Sequence[int]) -> Sequence[Any]:
    """The pools of some items for a month, and those of months before that no bill holds yet."""
    return session.execute(
        select(*POOL.c["id", "fee_item_id", "period", "amount", "key", "denominator"])
        .where(
            POOL.c.fee_item_id.in_(item_ids),
            or_(
                and_(POOL.c.period == str(service), POOL.c.state != "cancelled"),
                and_(POOL.c.period < str(service), POOL.c.state == "open"),
            ),
        )
        .order_by(POOL.c.period, POOL.c.id)
    ).all()


def shared_pool(row: Any) -> SharedPool:
    """The pool of a row as its lines tell it."""
    return SharedPool(Period.parse(row.period), row.amount, PoolKey(row.key), row.denominator)


def _waiting(pool_id: int) -> Any:
    """The shares of pending units that no bill holds."""
    return and_(SHARE.c.pool_id == pool_id, SHARE.c.invoice_id.is_(None), UNIT.c.id == SHARE.c.unit_id)


def fill_quotes(session: Session, pool_id: int, item: BillableItem, pool: SharedPool) -> None:
    """Price each distinct share of a pool once."""
    alike = session.execute(
        select(*SHARE.c["key_value", "amount"])
        .where(SHARE.c.pool_id == pool_id, SHARE.c.invoice_id.is_(None), SHARE.c.amount > ZERO)
        .distinct()
    )
    rows = [
        {
            "pool_id": pool_id,
            "key_value": row.key_value,
            "share": row.amount,
            **priced(item, share_price(pool, row.key_value, row.amount)),
        }
        for row in alike
    ]
    working_tables.fill(session, SHARE_QUOTE, rows)


def lay_out_whole(session: Session, pool_id: int, period: Period) -> None:
    """A line for each share whose unit one payer holds for the whole month."""
    source = (
        SHARE.join(UNIT, _waiting(pool_id))
        .join(PENDING, PENDING.c.unit_id == UNIT.c.id)
        .join(OCCUPANCY, covering(period.first_on, period.last_on))
        .join(
            SHARE_QUOTE,
            and_(
                SHARE_QUOTE.c.pool_id == SHARE.c.pool_id,
                SHARE_QUOTE.c.key_value == SHARE.c.key_value,
                SHARE_QUOTE.c.share == SHARE.c.amount,
            ),
        )
    )
    columns = ["position", *LINE_COLUMNS]
    session.execute(
        insert(OWN_LINE).from_select(
            ["unit_id", "payer_id", "share_id", *columns],
            select(UNIT.c.id, OCCUPANCY.c.owner_id, SHARE.c.id, *(SHARE_QUOTE.c[name] for name in columns))
            .select_from(source)
            .where(handed_over_by(period.first_on))
            .order_by(SHARE.c.id),
        )
    )


def shares_left(pool_id: int) -> Select[Any]:
    """The waiting shares of a pool that have no line yet."""
    has_line = exists().where(OWN_LINE.c.share_id == SHARE.c.id)
    return (
        select(*SHARE.c["id", "unit_id", "key_value", "amount"], *UNIT.c["code", "handed_over_on"])
        .select_from(SHARE.join(UNIT, _waiting(pool_id)).join(PENDING, PENDING.c.unit_id == UNIT.c.id))
        .where(~has_line)
        .order_by(SHARE.c.id)
    )
