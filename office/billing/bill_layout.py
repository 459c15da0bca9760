"""Prices laid out as bills: each bill gets its unit, payer, part and sum, in the order of its number (B4)."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from sqlalchemy import ColumnElement, Integer, Join, and_, case, exists, func, insert, literal, select, true
from sqlalchemy import cast as as_type
from sqlalchemy.orm import Session

from models.base import Money
from office.billing import working_tables
from office.billing.period_rows import OCCUPANCY, UNIT, handed_over_by, not_taken_back
from office.billing.working_tables import (
    AHEAD,
    APART,
    BILL,
    EXTRA,
    HELD,
    MONTH,
    NOTHING_DUE,
    OWN_LINE,
    PENDING,
    QUOTE_SET,
    SINGLE,
)
from office.receivables.ledger import INVOICE
from rules.billing import Period
from rules.charges import BillableItem
from rules.money import ZERO


def has_own_lines(session: Session) -> bool:
    """Whether any unit has lines of its own."""
    return session.scalar(select(OWN_LINE.c.id).limit(1)) is not None


def _note_held(session: Session, unit_ids: Collection[int]) -> None:
    session.execute(HELD.delete())
    working_tables.fill(session, HELD, [{"unit_id": unit_id} for unit_id in sorted(unit_ids)])


def by_quotes(is_whole: ColumnElement[bool], alike: Mapping[str, ColumnElement[Any]]) -> Join:
    """The pending units with the payer of the whole time and the set of quotes that they are alike in."""
    return (
        PENDING.join(UNIT, UNIT.c.id == PENDING.c.unit_id)
        .join(OCCUPANCY, is_whole)
        .outerjoin(APART, APART.c.unit_id == UNIT.c.id)
        .join(QUOTE_SET, and_(*(QUOTE_SET.c[name] == column for name, column in alike.items())))
    )


def bill_whole_months(
    session: Session,
    is_whole: ColumnElement[bool],
    alike: Mapping[str, ColumnElement[Any]],
    first_on: date,
    held: Collection[int],
) -> None:
    """A bill for each unit that one payer holds for the whole time, with that payer's own lines of the unit.

    `is_whole` joins the payer, `alike` the set of quotes. Units that are `held`, or not handed over on
    `first_on`, get none; those that are each a case are looked at one by one.
    """
    _note_held(session, held)
    working_tables.analyze(session, OWN_LINE)
    source = by_quotes(is_whole, alike)
    amount: ColumnElement[Any] = QUOTE_SET.c.amount
    if has_own_lines(session):
        own = (
            select(OWN_LINE.c.unit_id, OWN_LINE.c.payer_id, func.sum(OWN_LINE.c.amount).label("amount"))
            .group_by(OWN_LINE.c.unit_id, OWN_LINE.c.payer_id)
            .subquery()
        )
        source = source.outerjoin(
            own, and_(own.c.unit_id == UNIT.c.id, own.c.payer_id == OCCUPANCY.c.owner_id)
        )
        amount = amount + func.coalesce(own.c.amount, literal(0, Integer))
    conditions = [handed_over_by(first_on), ~exists().where(SINGLE.c.unit_id == UNIT.c.id)]
    if held:
        conditions.append(~exists().where(HELD.c.unit_id == UNIT.c.id))
    session.execute(
        insert(BILL).from_select(
            ["unit_id", "payer_id", "part", "set_id", "amount"],
            select(
                UNIT.c.id,
                OCCUPANCY.c.owner_id,
                literal(MONTH),
                QUOTE_SET.c.set_id,
                as_type(amount, Money()),
            )
            .select_from(source)
            .where(*conditions, amount > ZERO)
            .order_by(UNIT.c.id),
        )
    )
    session.execute(
        insert(NOTHING_DUE).from_select(
            ["unit_id"], select(UNIT.c.id).select_from(source).where(*conditions, amount == ZERO)
        )
    )
    working_tables.analyze(session, BILL)


def forget_own_lines(session: Session) -> None:
    """Drop the lines at own rates of units that got no bill with them: they are looked at one by one."""
    billed = select(BILL.c.unit_id)
    session.execute(OWN_LINE.delete().where(OWN_LINE.c.is_apart, OWN_LINE.c.unit_id.not_in(billed)))


def bill_own_lines(
    session: Session,
    period: Period,
    monthly: Iterable[BillableItem],
    held: Collection[int],
    *,
    is_again: bool = False,
) -> None:
    """A bill for each unit and payer whose own lines belong to no bill yet, drafted or issued.

    Priced again (`is_again`), what is issued does not count.
    """
    if not has_own_lines(session):
        return
    _note_held(session, held)
    drafted = exists().where(BILL.c.unit_id == OWN_LINE.c.unit_id, BILL.c.payer_id == OWN_LINE.c.payer_id)
    issued = exists().where(
        INVOICE.c.period == str(period),
        INVOICE.c.unit_id == OWN_LINE.c.unit_id,
        INVOICE.c.payer_id == OWN_LINE.c.payer_id,
        INVOICE.c.kind == "regular",
        INVOICE.c.part != AHEAD,
        not_taken_back(),
    )
    total = func.sum(OWN_LINE.c.amount)
    is_monthly = OWN_LINE.c.fee_item_id.in_([item.id for item in monthly])
    has_month = func.max(case((is_monthly, 1), else_=0)) == 1
    session.execute(
        insert(BILL).from_select(
            ["unit_id", "payer_id", "part", "amount"],
            select(
                OWN_LINE.c.unit_id,
                OWN_LINE.c.payer_id,
                case((has_month, MONTH), else_=EXTRA),
                as_type(total, Money()),
            )
            .where(
                ~drafted,
                true() if is_again else ~issued,
                ~exists().where(HELD.c.unit_id == OWN_LINE.c.unit_id),
            )
            .group_by(OWN_LINE.c.unit_id, OWN_LINE.c.payer_id)
            .having(total > ZERO)
            .order_by(OWN_LINE.c.unit_id, func.min(OWN_LINE.c.id)),
        )
    )


def totals(session: Session) -> tuple[int, Decimal]:
    """How many bills are drafted, and their sum in yuan."""
    count, amount = session.execute(select(func.count(), func.sum(BILL.c.amount)).select_from(BILL)).one()
    return count, amount or ZERO
