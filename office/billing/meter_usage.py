"""What meters counted in a month, held against the months before: the meter round, and what is odd (B18)."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models.billing import FeeItem, Meter, MeterReading
from models.property import Unit
from office.billing.meter_months import (
    METER,
    histories,
    in_use,
    special_meters,
    traits_of,
)
from office.core import audit, clock
from office.core.database import chunks
from office.core.errors import N_, Refused
from office.policies import store
from rules.billing import BillingDocument, OddUsage, Period, Timing, service_period
from rules.meters import (
    MeterError,
    MeterTraits,
    Reading,
    ReadingKind,
    Step,
    counted_in,
    in_month,
    plain,
    steps,
)
from rules.odd_usage import odd_usage
from rules.reasons import Reason


@dataclass(frozen=True)
class MeterUsage:
    """A meter in a month: its reading before, its last one of the month, and what it counted between.

    `reason` says why it is odd, or why nothing was counted.
    """

    meter_id: int
    unit_code: str
    meter: str
    fee_item_id: int
    before: Reading | None
    now: Reading | None
    used: Decimal | None
    reason: Reason | None

    def to_dict(self) -> dict[str, str]:
        """As `flask bill --check --json` tells it."""
        return {
            "unit_code": self.unit_code,
            "meter": self.meter,
            "reason": "" if self.reason is None else self.reason.code,
            "used": "" if self.used is None else plain(self.used),
        }


def usages(
    session: Session, month: Period, conditions: Sequence[Any], *, most: int | None = None
) -> list[MeterUsage]:
    """The meters in use in a month under SQL conditions, in the order of their units (at most so many)."""
    policy = store.in_force(session, BillingDocument, month.first_on).odd_usage
    rows = session.execute(
        select(
            Meter.id,
            Meter.code,
            Meter.fee_item_id,
            Unit.code.label("unit_code"),
            *METER.c["factor", "counts_down", "wraps_at"],
        )
        .join(Unit, Unit.id == Meter.unit_id)
        .where(in_use(month.first_on), *conditions)
        .order_by(Unit.code_sort, Meter.unit_id, Meter.id)
        .limit(most)
    ).all()
    ids, end = [row.id for row in rows], month.plus(1).first_on
    special = special_meters(session) & set(ids)
    read = histories(session, special, end)
    read |= histories(session, set(ids) - special, end, month.plus(-policy.usage_months).first_on)
    return [_usage(row, month, read.get(row.id, []), policy) for row in rows]


def _usage(row: Any, month: Period, readings: Sequence[Reading], policy: OddUsage) -> MeterUsage:
    traits: MeterTraits = traits_of(row)
    counted = steps(traits, readings)
    found = in_month(counted, month)
    within = [one for one in readings if counted_in(one.read_on) == month]
    earlier = [one for one in readings if counted_in(one.read_on) < month]
    used, reason = _counted(counted, month)
    if reason is None:
        last = (_counted(counted, month.plus(-back))[0] for back in range(1, policy.usage_months + 1))
        reason = odd_usage(policy, used, [one for one in last if one is not None])
    return MeterUsage(
        row.id,
        row.unit_code,
        row.code,
        row.fee_item_id,
        earlier[-1] if earlier else (found.base if found else None),
        within[-1] if within else None,
        used,
        reason,
    )


def _counted(counted: Sequence[Step], month: Period) -> tuple[Decimal | None, Reason | None]:
    """What was counted in a month, None where it was not read; the reason where it can't be counted."""
    found = in_month(counted, month)
    try:
        return (None if found is None else found.used), None
    except MeterError as error:
        return None, Reason(error.code, {"read_on": error.reading.read_on})


def odd(session: Session, period: Period, conditions: Sequence[Any] = ()) -> list[MeterUsage]:
    """The meters whose usage is looked at before a period's bills go out: missing, zero, high, low (B18)."""
    items = session.execute(
        select(FeeItem.id, FeeItem.timing).where(FeeItem.is_active, FeeItem.basis == "metered")
    )
    months: dict[Period, list[int]] = {}
    for item_id, timing in items:
        months.setdefault(service_period(Timing(timing), period), []).append(item_id)
    return [
        one
        for month, item_ids in sorted(months.items())
        for one in usages(session, month, [Meter.fee_item_id.in_(item_ids), *conditions])
        if one.reason is not None
    ]


BILLED_FURTHER = N_(
    "A bill counts up to the reading of %(day)s: the next reading corrects what was read before, or take "
    "that bill back first"
)


def billed_until(session: Session, meter_ids: Collection[int]) -> dict[int, date]:
    """The day of the last reading that a bill counts with, by meter."""
    found: dict[int, date] = {}
    for some in chunks(sorted(meter_ids)):
        found |= dict(
            session.execute(
                select(MeterReading.meter_id, func.max(MeterReading.read_on))
                .where(MeterReading.meter_id.in_(some), MeterReading.invoice_id.is_not(None))
                .group_by(MeterReading.meter_id)
            ).all()
        )
    return found


def is_into_billed(until: date | None, read_on: date, kind: str) -> bool:
    """Whether a new reading lies among those that bills count with; a new meter's first value may follow."""
    if until is None:
        return False
    return read_on < until or (read_on == until and kind != ReadingKind.EXCHANGE_START)


def check_new(session: Session, row: MeterReading) -> None:
    """Raise Refused for a reading of a day up to which a bill counts already (B18)."""
    until = billed_until(session, [row.meter_id]).get(row.meter_id)
    if is_into_billed(until, row.read_on, row.kind or ReadingKind.READ):
        raise Refused(BILLED_FURTHER, day=until)


def enter(
    session: Session,
    meter: Meter,
    read_on: date,
    value: Decimal,
    *,
    is_estimated: bool,
    may_change: bool,
    now: datetime,
    staff_id: int | None,
) -> MeterUsage:
    """Store what a meter showed on a day, once; answers what it counted in that month (B18).

    Another value of that day is changed where the person may. Raises Refused for a day to come, a value that
    runs backwards, and a reading that a bill counts with.
    """
    if read_on > clock.office_day(session, now):
        raise Refused(N_("%(day)s has not come yet"), day=read_on)
    kind = "estimated" if is_estimated else "read"
    row = session.scalars(
        select(MeterReading).where(
            MeterReading.meter_id == meter.id,
            MeterReading.read_on == read_on,
            MeterReading.kind != "exchange_start",
        )
    ).first()
    if row is None:
        row = MeterReading(meter_id=meter.id, read_on=read_on, value=value, kind=kind)
        check_new(session, row)
        session.add(row)
        session.flush()
        audit.record(
            session,
            now,
            staff_id,
            "create",
            row,
            {"meter_id": meter.id, "read_on": read_on, "value": value, "kind": kind},
        )
    elif (row.value, row.kind) != (value, kind):
        _change(session, row, value, kind, may_change=may_change, now=now, staff_id=staff_id)
    (found,) = usages(session, counted_in(read_on), [Meter.id == meter.id])
    if found.reason is not None and found.reason.code == "reading_runs_backwards":
        raise Refused(
            N_(
                "%(value)s is below the last reading: read it again; of a meter that was exchanged enter the "
                "old end and the new start under “Meter readings”"
            ),
            value=value,
        )
    return found


def _change(
    session: Session,
    row: MeterReading,
    value: Decimal,
    kind: str,
    *,
    may_change: bool,
    now: datetime,
    staff_id: int | None,
) -> None:
    """Another value of a day. Raises Refused where the person may not, and where a bill counts with it."""
    if row.kind == "exchange_end":
        raise Refused(N_("The meter was exchanged that day: change it under “Meter readings”"))
    if not may_change:
        raise Refused(
            N_("%(value)s was entered for that day already; who may change readings can correct it"),
            value=row.value,
        )
    is_billed = select(MeterReading.id).where(
        MeterReading.meter_id == row.meter_id,
        MeterReading.invoice_id.is_not(None),
        MeterReading.read_on >= row.read_on,
    )
    if session.scalar(is_billed.limit(1)) is not None:
        raise Refused(N_("A bill counts with this reading: correct the bill by a credit note"))
    before = {"value": row.value, "kind": row.kind}
    row.value, row.kind = value, kind
    session.flush()
    changes = {
        name: (there, getattr(row, name)) for name, there in before.items() if there != getattr(row, name)
    }
    audit.record(session, now, staff_id, "edit", row, changes)
