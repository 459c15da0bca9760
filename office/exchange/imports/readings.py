"""Meter readings, the same one twice stored once (B1).

A meter that is not known yet is made when its name, or the office's only metered item, says what it measures.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from sqlalchemy import func, insert, select
from sqlalchemy.orm import Session

from models.billing import READING_KINDS, FeeItem, Invoice, InvoiceLine, Meter, MeterReading
from office.billing import meter_usage
from office.core.errors import N_
from office.exchange.imports import cells, columns, words
from office.exchange.imports.cells import Wrong
from office.exchange.imports.columns import Column, Known, Problem, heads, plainly
from office.exchange.imports.taken import NO_UPDATE, Difference, Taken, Update, counted, shown
from rules.billing import Period
from rules.meters import ReadingKind
from rules.text_keys import compared_key

KIND_WORDS = words.known(
    READING_KINDS,
    {
        "read": "抄表 实抄 實抄 实读 正常",
        "estimated": "估抄 估读 估讀 估算 预估",
        "exchange_end": "换表止码 換表止碼 旧表止码 舊表止碼 旧表读数",
        "exchange_start": "换表起码 換表起碼 新表起码 新表起碼 新表读数",
    },
)
COLUMNS: tuple[Column, ...] = (
    columns.UNIT,
    Column(
        "meter",
        ("表号", "表號", "表计", "仪表", "儀表", "表具", "表编号", "表类型", "表名称", "meter no."),
        columns.key_text(60),
        is_required=True,
        is_code=True,
    ),
    Column(
        "read_on",
        ("抄表日期", "抄表时间", "抄表日", "读数日期", "日期"),
        columns.day,
        is_required=True,
        is_key=True,
    ),
    Column(
        "value",
        ("读数", "讀數", "表读数", "抄表读数", "本次读数", "止码", "本期读数", "示数", "reading"),
        plainly(cells.number),
        is_required=True,
        measure="own",
    ),
    Column(
        "kind",
        heads("读数类型 讀數類型 抄表类型 抄表方式 抄表類型"),
        plainly(cells.one_of(KIND_WORDS)),
        empty=ReadingKind.READ.value,
    ),
    Column(
        "factor",
        heads("倍率 互感倍率 表倍率 變比 变比"),
        plainly(cells.number_above_zero),
        measure="own",
    ),
)
MEASURED = {
    "water": ("水", "water"),
    "electricity": ("电", "電", "elec", "power"),
    "gas": ("气", "氣", "gas"),
}
Place = tuple[int, str]  # unit id, meter
Key = tuple[int, str, date, bool]  # and whether it is the first value of a new meter
COMPARED = ("value", "kind", "factor")
BILLED = N_("A bill counts with this reading: correct the bill by a credit note, then the reading by hand")


def problems(rows: Sequence[Mapping[str, Any]], known: Known) -> list[Problem]:
    """Meters of which nobody knows what they measure; two values of one meter on one day."""
    meters = set(_meters(known.session))
    items = _metered(known.session)
    seen: dict[Key, tuple[Any, ...]] = {}
    found: list[Problem] = _into_billed(rows, known)
    for row in rows:
        place = row["unit_code"], compared_key(row["meter"])
        if place not in meters:
            try:
                fee_item_of(row["meter"], items, known)
            except Wrong as wrong:
                found.append(
                    columns.problem(row, "meter", row["meter"], wrong.message, wrong.remedy, **wrong.values)
                )
        given = tuple(row[name] for name in COMPARED)
        before = seen.setdefault(_key(row), given)
        if before != given:
            found.append(
                columns.problem(
                    row,
                    "value",
                    row["value"],
                    N_("another value of that day is there: %(before)s"),
                    N_("Keep the right one of the two"),
                    before=shown(before[0]),
                )
            )
    return found


def _into_billed(rows: Sequence[Mapping[str, Any]], known: Known) -> list[Problem]:
    """New readings of days up to which bills count already (B18)."""
    meters, stored = _meters(known.session), _stored(known.session)
    until = meter_usage.billed_until(known.session, list(meters.values()))
    found = []
    for row in rows:
        meter_id = meters.get((row["unit_code"], compared_key(row["meter"])))
        day = until.get(meter_id or 0)
        if _key(row) not in stored and meter_usage.is_into_billed(day, row["read_on"], row["kind"]):
            message, remedy = (
                N_("a bill counts up to the reading of %(day)s"),
                N_("What was read before is corrected by the next reading; else take that bill back first"),
            )
            found.append(columns.problem(row, "read_on", row["read_on"], message, remedy, day=day))
    return found


def fee_item_of(meter: str, items: Mapping[str, int], known: Known) -> int:
    """The fee item a new meter counts for: its name is the item's, or speaks of it, or there is but one."""
    try:
        code = known.fee_items(meter)
    except Wrong:
        spoken = meter.casefold()
        measured = [item for item, marks in MEASURED.items() if any(mark in spoken for mark in marks)]
        only = list(items) if len(items) == 1 else []
        code = next((item for item in (*measured, *only) if item in items), "")
    if code not in items:
        raise Wrong(
            N_("unknown meter"),
            N_("Enter the meter first, or name it after its fee item: %(known)s"),
            known=tuple(items),
        )
    return items[code]


def _metered(session: Session) -> dict[str, int]:
    query = select(FeeItem.code, FeeItem.id).where(FeeItem.basis == "metered").order_by(FeeItem.position)
    return dict(session.execute(query).all())


def _meters(session: Session) -> dict[Place, int]:
    query = select(Meter.unit_id, Meter.code, Meter.id)
    return {(unit_id, compared_key(code)): id_ for unit_id, code, id_ in session.execute(query)}


def _key(row: Mapping[str, Any]) -> Key:
    """Which reading a row is: of one day an old meter's last value and a new one's first are two."""
    is_start = row["kind"] == ReadingKind.EXCHANGE_START
    return row["unit_code"], compared_key(row["meter"]), row["read_on"], is_start


def _stored(session: Session) -> dict[Key, Any]:
    """The readings that are there, with the fee item of their meter."""
    query = select(
        Meter.unit_id,
        Meter.code,
        MeterReading.read_on,
        MeterReading.id,
        Meter.fee_item_id,
        MeterReading.value,
        MeterReading.kind,
        MeterReading.factor,
    ).join(MeterReading.meter)
    return {
        (row.unit_id, compared_key(row.code), row.read_on, row.kind == ReadingKind.EXCHANGE_START): row
        for row in session.execute(query)
    }


def _billed_until(session: Session) -> dict[tuple[int, int], date]:
    """The last day of the newest period in which a unit was billed for a metered item."""
    query = (
        select(Invoice.unit_id, InvoiceLine.fee_item_id, func.max(Invoice.period))
        .join(InvoiceLine, InvoiceLine.invoice_id == Invoice.id)
        .join(FeeItem, FeeItem.id == InvoiceLine.fee_item_id)
        .where(Invoice.kind == "regular", Invoice.state != "credited", FeeItem.basis == "metered")
        .group_by(Invoice.unit_id, InvoiceLine.fee_item_id)
    )
    return {
        (unit_id, item_id): Period.parse(period).last_on
        for unit_id, item_id, period in session.execute(query)
    }


def take_in(
    session: Session, given: Sequence[Mapping[str, Any]], *, update: Update = NO_UPDATE, **_present: object
) -> Taken:
    """Store the readings that are not there yet, with meters that are missing (B1).

    Another value of a known day is told; it can be written as long as no bill counts with the reading.
    """
    known = Known(session)
    meters, items, stored = _meters(session), _metered(session), _stored(session)
    billed = _billed_until(session) if stored else {}
    for row in given:
        place = row["unit_code"], compared_key(row["meter"])
        if place not in meters:
            fee_item = fee_item_of(row["meter"], items, known)
            meter = Meter(unit_id=row["unit_code"], code=row["meter"], fee_item_id=fee_item)
            session.add(meter)
            session.flush()
            meters[place] = meter.id
    fresh: dict[Key, Mapping[str, Any]] = {}
    differences: list[Difference] = []
    for row in given:
        key = _key(row)
        if key not in stored:
            fresh[key] = row
            continue
        there = stored[key]
        billed_until = billed.get((row["unit_code"], there.fee_item_id))
        never = BILLED if billed_until is not None and row["read_on"] <= billed_until else ""
        for name in COMPARED:
            before = getattr(there, name)
            if before == row[name] or (name == "factor" and row[name] is None):
                continue
            one = Difference(row["line"], name, shown(before), shown(row[name]), never)
            differences.append(one)
            if one in update:
                changed = session.get_one(MeterReading, there.id)
                setattr(changed, name, row[name])
                update.record(session, changed, {name: (one.there, one.here)})
    if fresh:
        session.execute(
            insert(MeterReading),
            [
                {
                    "meter_id": meters[unit_id, code],
                    "read_on": read_on,
                    **{name: row[name] for name in COMPARED},
                }
                for (unit_id, code, read_on, _), row in fresh.items()
            ],
        )
    return counted(len(fresh), len(given), differences, update)
