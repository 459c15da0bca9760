"""Which pending units a billing run looks at one by one: each has its own terms (B6, B15, B20)."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date, timedelta
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Date,
    Join,
    Table,
    and_,
    exists,
    func,
    insert,
    literal,
    or_,
    select,
    union,
)
from sqlalchemy.orm import Session

from models.contracts import RentContract
from models.rates import UnitItemPayer
from office.billing import period_rows, working_tables
from office.billing.period_rows import LINE, OCCUPANCY, UNIT
from office.billing.working_tables import OWN_LINE, PENDING, QUOTE, QUOTE_SET, SINGLE
from office.receivables.ledger import INVOICE
from rules.billing import Period, Timing
from rules.charges import BillableItem
from rules.liability import PayerRule

FOREVER = date.max


def _is_within(first: Any, last: Any, days: tuple[date, date]) -> ColumnElement[bool]:
    """Whether a row's days, open at the end where it says none, meet some days."""
    return and_(first <= days[1], func.coalesce(last, literal(FOREVER, Date)) >= days[0])


def note(
    session: Session,
    period: Period,
    items: Sequence[BillableItem],
    days: tuple[date, date],
    paid_ahead: Collection[int],
) -> None:
    """Note the units with months paid ahead, contracts, payers of items, or a first payer within a cycle.

    `items` are the monthly ones, `days` the first and last that they can charge for.
    """
    conditions: list[ColumnElement[bool]] = []
    stays = OCCUPANCY.alias("stays")
    if any(item.timing == Timing.ADVANCE and not item.cycle.is_plain for item in items):
        ahead = max(item.cycle.days_ahead for item in items)
        since = period.first_on - timedelta(days=ahead)  # a cycle of now went out before it began
        is_new = stays.c.from_on.between(since, period.last_on)
        conditions += [
            UNIT.c.handed_over_on.between(since, period.last_on),
            exists().where(stays.c.unit_id == UNIT.c.id, stays.c.is_payer, is_new),
        ]
    for kind in {item.payer for item in items} & {PayerRule.OWNER, PayerRule.TENANT}:
        conditions.append(
            exists().where(
                stays.c.unit_id == UNIT.c.id,
                stays.c.kind == str(kind),
                ~stays.c.is_payer,
                _is_within(stays.c.from_on, stays.c.to_on, days),
            )
        )
    named = select(UnitItemPayer.id).where(UnitItemPayer.fee_item_id.in_([item.id for item in items]))
    if session.scalar(named.limit(1)) is not None:
        conditions.append(
            exists().where(
                UnitItemPayer.unit_id == UNIT.c.id,
                UnitItemPayer.fee_item_id.in_([item.id for item in items]),
                _is_within(UnitItemPayer.valid_from, UnitItemPayer.valid_to, days),
            )
        )
    if session.scalar(select(RentContract.id).limit(1)) is not None:
        first_on = min(days[0], period.plus(-1).first_on)  # days of the month before may be charged yet
        is_let = _is_within(RentContract.valid_from, RentContract.valid_to, (first_on, days[1]))
        conditions.append(exists().where(RentContract.unit_id == UNIT.c.id, is_let))
    working_tables.fill(session, SINGLE, [{"unit_id": unit_id} for unit_id in sorted(paid_ahead)])
    if conditions:
        found = (
            select(UNIT.c.id)
            .join(PENDING, PENDING.c.unit_id == UNIT.c.id)
            .where(or_(*conditions), UNIT.c.id.not_in(sorted(paid_ahead)))
        )
        session.execute(insert(SINGLE).from_select(["unit_id"], found))


def note_billed_already(
    session: Session,
    by_quotes: Join,
    first_on: date,
    items: Sequence[BillableItem],
    before: Period | None = None,
) -> None:
    """Note the units of which a longer cycle has charged days already that are due now.

    That happens where an item's cycle, or the unit's own day, was changed. `by_quotes` joins the pending
    units and their sets of quotes; with `before`, bills of that period's runs and of later ones don't count.
    """
    is_long = and_(
        LINE.c.months > 1,
        LINE.c.fee_item_id.in_([item.id for item in items]),
        LINE.c.service_to >= first_on,
    )
    if session.scalar(select(LINE.c.id).where(is_long).limit(1)) is None:
        return
    charged = (
        select(INVOICE.c.unit_id, *LINE.c["fee_item_id", "service_from", "service_to"])
        .join(LINE, LINE.c.invoice_id == INVOICE.c.id)
        .where(is_long, INVOICE.c.state != "credited", *period_rows.issued_before(before))
        .subquery()
    )

    def again(priced: Table) -> ColumnElement[bool]:
        return and_(
            priced.c.fee_item_id == charged.c.fee_item_id,
            priced.c.service_from <= charged.c.service_to,
            priced.c.service_to >= charged.c.service_from,
        )

    quoted = by_quotes.join(QUOTE, QUOTE.c.set_id == QUOTE_SET.c.set_id)
    found = union(
        select(PENDING.c.unit_id).select_from(
            quoted.join(charged, and_(charged.c.unit_id == PENDING.c.unit_id, again(QUOTE)))
        ),
        select(OWN_LINE.c.unit_id).join(
            charged, and_(charged.c.unit_id == OWN_LINE.c.unit_id, again(OWN_LINE))
        ),
    ).subquery()
    is_noted = exists().where(SINGLE.c.unit_id == found.c.unit_id)
    session.execute(insert(SINGLE).from_select(["unit_id"], select(found.c.unit_id).where(~is_noted)))
