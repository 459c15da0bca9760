"""What the meters of a month are: their readings, and what they counted (B1, B18).

A meter that was only ever read is told by its readings at both ends, which the database finds. One that was
exchanged, estimated or has a factor of its own at a reading is told by all of its readings; those of yearly
tiers or of a unit whose payers changed by the ones that these ask for.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from datetime import date
from decimal import Decimal
from typing import Any, cast

from sqlalchemy import Select, Table, and_, func, or_, select, text
from sqlalchemy.orm import Session

from models.billing import Meter, MeterReading
from office.billing.period_rows import OCCUPANCY, PLACE_COLUMNS, UNIT, covering, handed_over_by
from office.billing.working_tables import PENDING
from office.core.database import chunks
from rules.billing import Period
from rules.charges import MeterRead
from rules.meters import (
    MeterError,
    MeterTraits,
    Reading,
    ReadingKind,
    in_month,
    steps,
    used_in_year,
)

METER = cast("Table", Meter.__table__)
READING = cast("Table", MeterReading.__table__)
TRAITS = METER.c["factor", "counts_down", "wraps_at"]
WHAT_IT_SAYS = READING.c["read_on", "value", "kind", "factor"]
# as the index of such readings says it
IS_SPECIAL = text("(meter_reading.kind <> 'read' OR meter_reading.factor IS NOT NULL)")


def traits_of(row: Any) -> MeterTraits:
    return MeterTraits(row.factor, row.counts_down, row.wraps_at)


def reading_of(row: Any) -> Reading:
    return Reading(row.read_on, row.value, ReadingKind(row.kind), row.factor)


def in_use(day: date) -> Any:
    """A meter is in use on a day; one that goes out of use later that month is, too."""
    return and_(METER.c.is_active, or_(METER.c.out_of_use_from.is_(None), METER.c.out_of_use_from > day))


def meter_rows(service: Period, item_ids: Sequence[int]) -> Select[Any]:
    """Every meter with its readings at both ends of the service month (its first day counts as both).

    `payer_id` is who pays for the whole month, empty where nobody does.
    """
    start, end = service.first_on, service.plus(1).first_on
    read = READING.alias("read")

    def day(pick: Any, *conditions: Any) -> Any:
        found = select(pick(read.c.read_on)).where(read.c.meter_id == METER.c.id, *conditions)
        return found.correlate(METER).scalar_subquery()

    within = (read.c.read_on > start, read.c.read_on <= end)
    ends = (
        select(
            METER.c.id.label("meter_id"),
            METER.c.code.label("meter"),
            METER.c.fee_item_id,
            METER.c.unit_id,
            *TRAITS,
            day(func.max, *within, read.c.kind != "exchange_start").label("read_on"),
            func.coalesce(day(func.max, read.c.read_on <= start), day(func.min, *within)).label("base_on"),
        )
        .where(in_use(start), METER.c.fee_item_id.in_(item_ids))
        .subquery()
    )
    last, base = READING.alias("last"), READING.alias("base")

    def of_day(which: Any, read_on: Any) -> Any:
        return and_(
            which.c.meter_id == ends.c.meter_id,
            which.c.read_on == read_on,
            which.c.kind != "exchange_start",
        )

    return (
        select(
            ends,
            *UNIT.c["code", "handed_over_on"],
            *PLACE_COLUMNS,
            OCCUPANCY.c.owner_id.label("payer_id"),
            OCCUPANCY.c.residents,
            last.c.id.label("reading_id"),
            last.c.value.label("value"),
            base.c.value.label("base"),
        )
        .join(UNIT, UNIT.c.id == ends.c.unit_id)
        .outerjoin(last, of_day(last, ends.c.read_on))
        .outerjoin(base, of_day(base, ends.c.base_on))
        .outerjoin(
            OCCUPANCY,
            and_(covering(service.first_on, service.last_on), handed_over_by(service.first_on)),
        )
        .join(PENDING, PENDING.c.unit_id == ends.c.unit_id)
        .where(handed_over_by(service.last_on))
        .order_by(ends.c.unit_id, ends.c.meter_id)
    )


def special_meters(session: Session) -> set[int]:
    """The ids of meters that were ever exchanged, estimated, or had a factor at a reading."""
    return set(session.scalars(select(READING.c.meter_id).where(IS_SPECIAL).distinct()))


def histories(
    session: Session, meter_ids: Collection[int], until: date, since: date | None = None
) -> dict[int, list[Reading]]:
    """The readings of some meters up to a day, by meter; with `since` from the last one up to that day on."""
    found: dict[int, list[Reading]] = defaultdict(list)
    before = READING.alias("before")
    for some in chunks(sorted(meter_ids)):
        query = select(READING.c.meter_id, *WHAT_IT_SAYS).where(
            READING.c.meter_id.in_(some), READING.c.read_on <= until
        )
        if since is not None:
            oldest = (
                select(func.max(before.c.read_on))
                .where(before.c.meter_id == READING.c.meter_id, before.c.read_on <= since)
                .correlate(READING)
                .scalar_subquery()
            )
            query = query.where(READING.c.read_on >= func.coalesce(oldest, since))
        for row in session.execute(query.order_by(READING.c.meter_id, READING.c.read_on)):
            found[row.meter_id].append(reading_of(row))
    return found


def reads(
    session: Session,
    service: Period,
    rows: Sequence[Any],
    *,
    special: Collection[int],
    moved: Collection[int],
    yearly_items: Collection[int],
) -> dict[int, MeterRead]:
    """What each meter of `meter_rows` counted, by meter.

    `special` are the meters whose readings are all needed, `moved` those of units whose payers changed,
    `yearly_items` the fee items whose tiers go on over the year.
    """
    end = service.plus(1).first_on
    ids = {row.meter_id for row in rows}
    yearly = {row.meter_id for row in rows if row.fee_item_id in yearly_items} - set(special)
    known = histories(session, ids & set(special), end)
    known |= histories(session, yearly, end, date(service.year, 1, 1))
    known |= histories(session, (ids & set(moved)) - set(special) - yearly, end, service.first_on)
    found = {}
    for row in rows:
        readings = known.get(row.meter_id)
        if readings is None:
            ends = ((row.base_on, row.base), (row.read_on, row.value))
            readings = [Reading(day, value) for day, value in dict(ends).items() if day is not None]
        counted = steps(traits_of(row), readings)
        is_yearly = row.fee_item_id in yearly_items
        before = used_in_year(counted, service) if is_yearly else Decimal(0)
        found[row.meter_id] = MeterRead(row.meter, in_month(counted, service), before)
    return found


def used_by_unit(
    session: Session, service: Period, item_id: int, unit_ids: Sequence[int]
) -> dict[int, Decimal]:
    """What the meters of an item counted in a month, by unit; without those that were not read."""
    found: dict[int, Decimal] = defaultdict(Decimal)
    for some in chunks(list(unit_ids)):
        meters = session.execute(
            select(METER.c.id, METER.c.unit_id, *TRAITS).where(
                METER.c.fee_item_id == item_id, METER.c.unit_id.in_(some)
            )
        ).all()
        known = histories(session, [row.id for row in meters], service.plus(1).first_on)
        for row in meters:
            month = in_month(steps(traits_of(row), known[row.id]), service)
            try:
                used = None if month is None else month.used
            except MeterError:
                continue
            if used is not None:
                found[row.unit_id] += used
    return found
