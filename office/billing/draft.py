"""A period's bills before they are issued: quoted once by the rule, laid out by the database (B1–B4).

The rule is Python, the rows are SQL (decisions: Speed). Each distinct (kind of unit, area) is quoted once
and the quotes go into a temporary table. Units that one payer holds for the whole time are billed by
joining on it; the few others (hand-over, change of payer, vacancy), meters and slips become lines of
their own. The working tables live in the caller's transaction.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from functools import lru_cache
from typing import Any, cast

from sqlalchemy import (
    Boolean,
    Column,
    ColumnElement,
    Integer,
    MetaData,
    Select,
    String,
    Table,
    Text,
    and_,
    bindparam,
    case,
    exists,
    func,
    insert,
    literal,
    literal_column,
    or_,
    select,
    text,
    update,
)
from sqlalchemy import cast as as_type
from sqlalchemy.orm import Session

from models.base import FixedPoint, Id, Money
from models.billing import FeeItem, InvoiceLine, Meter, MeterReading, ServiceSlip
from models.billing import Tariff as TariffRow
from models.people import Occupancy
from models.property import Unit
from office.core import numbering
from office.core.database import chunks, is_postgresql
from office.receivables.ledger import INVOICE
from rules import billing as rule
from rules import liability
from rules.billing import MONTHLY, Basis, BillingPolicy, Coverage, Period, Quote, Timing
from rules.money import ZERO, MoneyError, split_by_days
from rules.reasons import Reason

SERIES = "I"
BATCH = 1000

UNIT = cast("Table", Unit.__table__)
OCCUPANCY = cast("Table", Occupancy.__table__)
LINE = cast("Table", InvoiceLine.__table__)
SLIP = cast("Table", ServiceSlip.__table__)
READING = cast("Table", MeterReading.__table__)
METER = cast("Table", Meter.__table__)

WORKING = MetaData()
TEMPORARY: dict[str, Any] = {"prefixes": ["TEMPORARY"]}
# the monthly lines of units of one kind and area
QUOTE = Table(
    "bill_quote",
    WORKING,
    Column("set_id", Integer, primary_key=True),
    Column("position", Integer, primary_key=True),
    Column("fee_item_id", Id, nullable=False),
    Column("quantity", FixedPoint(4), nullable=False),
    Column("rate", FixedPoint(6), nullable=False),
    Column("amount", Money(), nullable=False),
    Column("explanation", Text, nullable=False),
    **TEMPORARY,
)
QUOTE_SET = Table(
    "bill_quote_set",
    WORKING,
    Column("kind", String(20), primary_key=True),
    Column("area_m2", FixedPoint(4), primary_key=True),
    Column("set_id", Integer, nullable=False),
    Column("amount", Money(), nullable=False),
    **TEMPORARY,
)
# lines that are one unit's own: part of a month, a meter, a slip
OWN_LINE = Table(
    "bill_line",
    WORKING,
    Column("id", Id, primary_key=True),
    Column("unit_id", Id, nullable=False, index=True),
    Column("payer_id", Id, nullable=False),
    Column("position", Integer, nullable=False),
    Column("fee_item_id", Id, nullable=False),
    Column("quantity", FixedPoint(4), nullable=False),
    Column("rate", FixedPoint(6), nullable=False),
    Column("amount", Money(), nullable=False),
    Column("explanation", Text, nullable=False),
    Column("slip_id", Id),
    **TEMPORARY,
)
# units of the period whose month is not billed yet
PENDING = Table(
    "bill_pending", WORKING, Column("unit_id", Id, primary_key=True, autoincrement=False), **TEMPORARY
)
# units left out until what they lack is there
HELD = Table("bill_held", WORKING, Column("unit_id", Id, primary_key=True, autoincrement=False), **TEMPORARY)
# the bills to be made, in the order of their numbers
BILL = Table(
    "bill_draft",
    WORKING,
    Column("n", Integer, primary_key=True),
    Column("unit_id", Id, nullable=False, index=True),
    Column("payer_id", Id, nullable=False),
    Column("part", String(10), nullable=False),
    Column("set_id", Integer),
    Column("amount", Money(), nullable=False),
    **TEMPORARY,
)
MONTH, EXTRA = "", "extra"  # an invoice that charges the month itself, or only what came before it
LINE_COLUMNS = ("fee_item_id", "quantity", "rate", "amount", "explanation")

quoted = lru_cache(65_536)(rule.quote)  # each distinct combination is asked once


@dataclass(frozen=True)
class Unbilled:
    """A unit that can't be billed (or a slip or meter of it), and why."""

    unit_code: str
    reason: Reason

    def to_dict(self) -> dict[str, str]:
        return {"unit_code": self.unit_code, "reason": self.reason.code, "detail": str(self.reason)}


@dataclass(frozen=True)
class Unusual:
    """A bill that stands out against the month before; yuan."""

    unit_code: str
    amount: Decimal
    last: Decimal
    reason: Reason


@dataclass(frozen=True)
class Item:
    """A fee item with its tariffs by kind of unit."""

    id: int
    code: str
    basis: Basis
    timing: Timing
    is_required: bool
    position: int
    tariffs: Mapping[str, tuple[rule.Tariff, ...]]

    def tariff(self, kind: str, day: date) -> rule.Tariff | None:
        return rule.tariff(self.tariffs.get(kind, ()), day)

    def applies(self, kind: str) -> bool:
        """Whether this kind of unit owes it: always when required, else when it ever had a tariff."""
        return self.is_required or kind in self.tariffs

    def price(self, area_m2: Decimal, tariff: rule.Tariff, share: rule.Share | None = None) -> Quote:
        """A month of it for a unit of that area in m²."""
        quantity = area_m2 if self.basis == Basis.PER_M2 else Decimal(1)
        return quoted(self.basis, quantity, tariff.rate, share=share)


def items(session: Session) -> list[Item]:
    """The active fee items in the order of their lines, with all their tariffs."""
    tariffs: dict[int, dict[str, list[rule.Tariff]]] = defaultdict(lambda: defaultdict(list))
    for row in session.execute(
        select(
            TariffRow.fee_item_id,
            TariffRow.unit_kind,
            TariffRow.rate,
            TariffRow.valid_from,
            TariffRow.valid_to,
            TariffRow.tiers,
        )
    ):
        tiers = rule.stored_tiers(row.tiers)
        tariffs[row.fee_item_id][row.unit_kind].append(
            rule.Tariff(row.rate, row.valid_from, row.valid_to, tiers)
        )
    return [
        Item(
            item.id,
            item.code,
            Basis(item.basis),
            Timing(item.timing),
            item.is_required,
            place,
            {kind: tuple(rows) for kind, rows in tariffs[item.id].items()},
        )
        for place, item in enumerate(
            session.scalars(select(FeeItem).where(FeeItem.is_active).order_by(FeeItem.position, FeeItem.id))
        )
    ]


@dataclass(frozen=True)
class UnitRow:
    id: int
    code: str
    kind: str
    area_m2: Decimal
    handed_over_on: date | None


def _handed_over_by(day: date) -> ColumnElement[bool]:
    return or_(UNIT.c.handed_over_on.is_(None), UNIT.c.handed_over_on <= day)


def _covering(first_on: date, last_on: date) -> ColumnElement[bool]:
    """One payer of the unit for all of these days."""
    return and_(
        OCCUPANCY.c.unit_id == UNIT.c.id,
        OCCUPANCY.c.is_payer,
        OCCUPANCY.c.from_on <= first_on,
        or_(OCCUPANCY.c.to_on.is_(None), OCCUPANCY.c.to_on >= last_on),
    )


@dataclass
class Draft:
    """The working tables of one period; `make` fills them, `write` issues them, `clear` drops them."""

    session: Session
    period: Period
    terms: BillingPolicy
    items: list[Item] = field(default_factory=list)
    reasons: dict[int, Unbilled] = field(default_factory=dict)
    others: list[Unbilled] = field(default_factory=list)  # slips that wait though the unit is billed
    held: set[int] = field(default_factory=set)
    prepaid: dict[int, set[int]] = field(default_factory=dict)  # unit -> items its move-in bill charged (B6)
    count: int = 0
    amount: Decimal = ZERO

    def make(self) -> None:
        self.clear()
        WORKING.create_all(self.session.connection(), checkfirst=False)
        if not self._pend():
            return
        self.items = items(self.session)
        self.prepaid = self._prepaid()
        lacking = self._quote_sets()
        for service, metered in self._by_service(Basis.METERED).items():
            self._meters(service, metered)
        self._slips()
        self._bill_whole_months()
        self._months_in_part(lacking)
        self._bill_own_lines()
        count, amount = self.session.execute(
            select(func.count(), func.sum(BILL.c.amount)).select_from(BILL)
        ).one()
        self.count, self.amount = count, amount or ZERO

    def _pend(self) -> int:
        """Take down the units of the period whose month is not billed; answers how many."""
        billed = exists().where(
            INVOICE.c.period == str(self.period),
            INVOICE.c.unit_id == UNIT.c.id,
            INVOICE.c.kind == "regular",
            INVOICE.c.part == MONTH,
        )
        self.session.execute(
            insert(PENDING).from_select(
                ["unit_id"], select(UNIT.c.id).where(_handed_over_by(self.period.last_on), ~billed)
            )
        )
        self._analyze(PENDING)
        return self.session.scalar(select(func.count()).select_from(PENDING)) or 0

    def _analyze(self, *tables: Table) -> None:
        """PostgreSQL plans joins on a temporary table only after it was told what is in it."""
        if is_postgresql(self.session):
            for table in tables:
                self.session.execute(text(f"ANALYZE {table.name}"))

    def clear(self) -> None:
        for table in WORKING.tables.values():
            self.session.execute(text(f"DROP TABLE IF EXISTS {table.name}"))

    def unbilled(self) -> tuple[Unbilled, ...]:
        return tuple(sorted((*self.reasons.values(), *self.others), key=lambda one: one.unit_code))

    # what a unit owes for

    def _by_service(self, *bases: Basis) -> dict[Period, list[Item]]:
        found: dict[Period, list[Item]] = defaultdict(list)
        for item in self.items:
            if item.basis in bases:
                found[rule.service_period(item.timing, self.period)].append(item)
        return found

    @property
    def monthly(self) -> list[Item]:
        return [item for item in self.items if item.basis in MONTHLY]

    @property
    def first_on(self) -> date:
        """The first day that the period's monthly items charge for."""
        return min((service.first_on for service in self._by_service(*MONTHLY)), default=self.period.first_on)

    def _is_whole(self) -> ColumnElement[bool]:
        return _covering(self.first_on, self.period.last_on)

    def _leave_out(self, unit_id: int, code: str, reason: Reason, *, is_held: bool = True) -> None:
        self.reasons.setdefault(unit_id, Unbilled(code, reason))
        if is_held:
            self.held.add(unit_id)

    # monthly items

    def _prepaid(self) -> dict[int, set[int]]:
        """Units whose move-in bill runs from an earlier period to this one or further, and for what."""
        bills = dict(
            self.session.execute(
                select(INVOICE.c.id, INVOICE.c.unit_id).where(
                    literal_column("invoice.kind = 'move_in'", Boolean),
                    func.coalesce(INVOICE.c.period, "") <= str(self.period),  # by the index of move-in bills
                    INVOICE.c.part >= str(self.period),
                    INVOICE.c.state != "credited",
                )
            ).all()
        )
        found: dict[int, set[int]] = defaultdict(set)
        for some in chunks(sorted(bills)):
            charged = select(LINE.c.invoice_id, LINE.c.fee_item_id).where(LINE.c.invoice_id.in_(some))
            for invoice_id, item_id in self.session.execute(charged):
                found[bills[invoice_id]].add(item_id)
        return found

    def _quote_sets(self) -> dict[str, Reason]:
        """Quote every distinct kind and area; answers the kinds that lack a tariff."""
        sets: list[dict[str, Any]] = []
        quotes: list[dict[str, Any]] = []
        lacking: dict[str, Reason] = {}
        by_kind: dict[str, list[tuple[Item, rule.Tariff]]] = {}
        distinct = self.session.execute(select(UNIT.c.kind, UNIT.c.area_m2).distinct()).all()
        for kind in {kind for kind, _ in distinct}:
            found, reason = self._tariffs(kind, {})
            by_kind[kind] = found
            if reason:
                lacking[kind] = reason
        for set_id, (kind, area_m2) in enumerate(distinct, 1):
            if kind in lacking:
                continue
            lines = [(item, item.price(area_m2, tariff)) for item, tariff in by_kind[kind]]
            total = sum((line.amount for _, line in lines), ZERO)
            sets.append({"kind": kind, "area_m2": area_m2, "set_id": set_id, "amount": total})
            quotes += [{"set_id": set_id, **_line(item, line)} for item, line in lines]
        self._insert(QUOTE_SET, sets)
        self._insert(QUOTE, quotes)
        self._analyze(QUOTE_SET, QUOTE)
        return lacking

    def _tariffs(
        self, kind: str, first_days: Mapping[Period, date]
    ) -> tuple[list[tuple[Item, rule.Tariff]], Reason | None]:
        """The monthly items of a kind of unit with their tariffs, or the reason why they can't be billed."""
        found = []
        for item in self.monthly:
            service = rule.service_period(item.timing, self.period)
            tariff = item.tariff(kind, first_days.get(service, service.first_on))
            if tariff is not None:
                found.append((item, tariff))
            elif item.applies(kind):
                return [], Reason("no_tariff", {"fee_item": item.code, "unit_kind": kind})
        return found, None if found else Reason("no_tariff", {"unit_kind": kind})

    def _months_in_part(self, lacking: Mapping[str, Reason]) -> None:
        """The units left: no one payer for the whole time, no tariff, paid ahead, or left out."""
        rows = self.session.execute(
            select(*UNIT.c["id", "code", "kind", "area_m2", "handed_over_on"])
            .join(PENDING, PENDING.c.unit_id == UNIT.c.id)
            .where(~exists().where(BILL.c.unit_id == UNIT.c.id))
            .order_by(UNIT.c.id)
        )
        for batch in rows.partitions(BATCH):
            units = [UnitRow(*row) for row in batch]
            occupancies = _occupancies(self.session, [unit.id for unit in units])
            lines: list[dict[str, Any]] = []
            for unit in units:
                lines += self._month_in_part(unit, occupancies[unit.id], lacking.get(unit.kind))
            self._insert(OWN_LINE, lines)

    def _coverage(self, service: Period, unit: UnitRow, payers: Sequence[liability.Occupancy]) -> Coverage:
        return rule.coverage(self.terms, service, unit.handed_over_on, payers)

    def _month_in_part(
        self, unit: UnitRow, payers: Sequence[liability.Occupancy], lacking: Reason | None
    ) -> Iterator[dict[str, Any]]:
        now = self._coverage(self.period, unit, payers)
        if now.reason:
            self._leave_out(unit.id, unit.code, now.reason, is_held=False)
        covers = {
            service: cover
            for service in self._by_service(*MONTHLY)
            if (cover := self._coverage(service, unit, payers)).payers
        }
        if not covers:
            return
        first_days = {service: cover.payers[0].segment.from_on for service, cover in covers.items()}
        found, reason = self._tariffs(unit.kind, first_days)
        if reason:
            self._leave_out(unit.id, unit.code, lacking or reason)
            return
        paid_ahead = self.prepaid.get(unit.id, ())
        for item, tariff in found:
            if item.id in paid_ahead:
                continue
            shared = covers.get(rule.service_period(item.timing, self.period))
            for part in shared.payers if shared else ():
                line = item.price(unit.area_m2, tariff, part.share)
                yield {
                    "unit_id": unit.id,
                    "payer_id": part.segment.payer,
                    "slip_id": None,
                    **_line(item, line),
                }

    # meters

    def _meters(self, service: Period, metered: Sequence[Item]) -> None:
        by_id = {item.id: item for item in metered}
        waiting: list[Any] = []
        rows = self.session.execute(self._meter_rows(service, list(by_id)))
        for batch in rows.partitions(BATCH):
            self._insert(
                OWN_LINE,
                [
                    line
                    for row in batch
                    if row.payer_id is not None
                    for line in self._metered(row, by_id[row.fee_item_id], service, [(row.payer_id, 1)])
                ],
            )
            waiting += [row for row in batch if row.payer_id is None]
        for some in chunks(waiting, BATCH):
            occupancies = _occupancies(self.session, [row.unit_id for row in some])
            lines = []
            for row in some:
                unit = UnitRow(row.unit_id, row.unit_code, row.kind, ZERO, row.handed_over_on)
                parts = self._coverage(service, unit, occupancies[row.unit_id]).payers
                payers = [(cast("int", part.segment.payer), part.share.own_days) for part in parts]
                lines += self._metered(row, by_id[row.fee_item_id], service, payers) if payers else []
            self._insert(OWN_LINE, lines)

    def _meter_rows(self, service: Period, item_ids: Sequence[int]) -> Select[Any]:
        """Every meter with its readings at both ends of the service month (its first day counts as both)."""
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
                day(func.max, *within).label("read_on"),
                func.coalesce(day(func.max, read.c.read_on <= start), day(func.min, *within)).label(
                    "base_on"
                ),
            )
            .where(METER.c.is_active, METER.c.fee_item_id.in_(item_ids))
            .subquery()
        )
        last, base = READING.alias("last"), READING.alias("base")
        return (
            select(
                ends,
                UNIT.c.code.label("unit_code"),
                *UNIT.c["kind", "handed_over_on"],
                OCCUPANCY.c.owner_id.label("payer_id"),
                last.c.value.label("value"),
                base.c.value.label("base"),
            )
            .join(UNIT, UNIT.c.id == ends.c.unit_id)
            .outerjoin(last, and_(last.c.meter_id == ends.c.meter_id, last.c.read_on == ends.c.read_on))
            .outerjoin(base, and_(base.c.meter_id == ends.c.meter_id, base.c.read_on == ends.c.base_on))
            .outerjoin(
                OCCUPANCY,
                and_(_covering(service.first_on, service.last_on), _handed_over_by(service.first_on)),
            )
            .join(PENDING, PENDING.c.unit_id == ends.c.unit_id)
            .where(_handed_over_by(service.last_on))
            .order_by(ends.c.unit_id, ends.c.meter_id)
        )

    def _metered(
        self, row: Any, item: Item, service: Period, payers: Sequence[tuple[int, int]]
    ) -> list[dict[str, Any]]:
        named = {"meter": row.meter, "fee_item": item.code, "period": str(service)}
        tariff = item.tariff(row.kind, service.first_on)
        if row.read_on is None or row.base_on is None or row.base_on >= row.read_on:
            self._leave_out(row.unit_id, row.unit_code, Reason("no_reading", named))
            return []
        if tariff is None:
            self._leave_out(row.unit_id, row.unit_code, Reason("no_tariff", named | {"unit_kind": row.kind}))
            return []
        try:
            used = rule.consumption(row.base, row.value)
        except MoneyError:
            self._leave_out(row.unit_id, row.unit_code, Reason("reading_runs_backwards", named))
            return []
        line = quoted(Basis.METERED, used, tariff.rate, tiers=tariff.tiers)
        read = {
            "meter": row.meter,
            "from": f"{row.base} ({row.base_on})",
            "to": f"{row.value} ({row.read_on})",
        }
        days = [share for _, share in payers]
        amounts = split_by_days(line.amount, days, sum(days))
        made = []
        for (payer_id, own_days), amount in zip(payers, amounts, strict=True):
            split = {} if len(payers) == 1 else {"days": own_days, "of_days": sum(days), "amount": amount}
            reason = Reason(line.reason.code, {**read, **line.reason.inputs, **split})
            part = Quote(line.quantity, line.rate, amount, reason)
            made.append({"unit_id": row.unit_id, "payer_id": payer_id, "slip_id": None, **_line(item, part)})
        return made

    # slips

    def _slips(self) -> None:
        by_id = {item.id: item for item in self.items}
        payer = (
            select(OCCUPANCY.c.owner_id)
            .where(
                OCCUPANCY.c.unit_id == SLIP.c.unit_id,
                OCCUPANCY.c.is_payer,
                OCCUPANCY.c.from_on <= SLIP.c.used_on,
                or_(OCCUPANCY.c.to_on.is_(None), OCCUPANCY.c.to_on >= SLIP.c.used_on),
            )
            .scalar_subquery()
        )
        rows = self.session.execute(
            select(
                *SLIP.c["id", "slip_no", "fee_item_id", "unit_id", "used_on", "quantity", "amount"],
                *UNIT.c["code", "kind", "handed_over_on"],
                payer.label("payer_id"),
            )
            .join(UNIT, UNIT.c.id == SLIP.c.unit_id)
            .join(PENDING, PENDING.c.unit_id == SLIP.c.unit_id)
            .where(
                text("service_slip.state = 'open'"),
                SLIP.c.used_on <= rule.slip_cut_off_on(self.terms, self.period),
            )
            .order_by(SLIP.c.id)
        )
        for batch in rows.partitions(BATCH):
            payers = self._payers_now([row for row in batch if row.payer_id is None])
            lines = [
                line
                for row in batch
                if (payer_id := row.payer_id or payers.get(row.unit_id)) is not None
                for line in self._slip(row, by_id.get(row.fee_item_id), payer_id)
            ]
            self._insert(OWN_LINE, lines)

    def _payers_now(self, rows: Sequence[Any]) -> dict[int, int]:
        """Who pays this period for units that were vacant when the slip was written."""
        occupancies = _occupancies(self.session, [row.unit_id for row in rows])
        found = {}
        for row in rows:
            unit = UnitRow(row.unit_id, row.code, row.kind, ZERO, row.handed_over_on)
            parts = self._coverage(self.period, unit, occupancies[row.unit_id]).payers
            if parts:
                found[row.unit_id] = cast("int", parts[0].segment.payer)
        return found

    def _slip(self, row: Any, item: Item | None, payer_id: int) -> Iterator[dict[str, Any]]:
        tariff = item.tariff(row.kind, row.used_on) if item else None
        if item is None or (tariff is None and row.amount is None):
            reason = Reason("no_tariff", {"slip_no": row.slip_no, "unit_kind": row.kind})
            self.others.append(Unbilled(row.code, reason))
            return
        if row.amount is not None:  # a price agreed on the slip
            line = quoted(Basis.ONE_OFF, Decimal(1), row.amount)
        else:
            line = quoted(item.basis, row.quantity, cast("rule.Tariff", tariff).rate)
        inputs = {"slip_no": row.slip_no, "used_on": row.used_on, **line.reason.inputs}
        part = Quote(line.quantity, line.rate, line.amount, Reason(line.reason.code, inputs))
        yield {"unit_id": row.unit_id, "payer_id": payer_id, "slip_id": row.id, **_line(item, part)}

    # bills

    def _has_own_lines(self) -> bool:
        return self.session.scalar(select(OWN_LINE.c.id).limit(1)) is not None

    def _hold(self) -> None:
        self.session.execute(HELD.delete())
        self._insert(HELD, [{"unit_id": unit_id} for unit_id in sorted(self.held)])

    def _bill_whole_months(self) -> None:
        self._hold()
        self._analyze(OWN_LINE)
        source = (
            PENDING.join(UNIT, UNIT.c.id == PENDING.c.unit_id)
            .join(OCCUPANCY, self._is_whole())
            .join(QUOTE_SET, and_(QUOTE_SET.c.kind == UNIT.c.kind, QUOTE_SET.c.area_m2 == UNIT.c.area_m2))
        )
        amount: ColumnElement[Any] = QUOTE_SET.c.amount
        if self._has_own_lines():
            own = (
                select(OWN_LINE.c.unit_id, OWN_LINE.c.payer_id, func.sum(OWN_LINE.c.amount).label("amount"))
                .group_by(OWN_LINE.c.unit_id, OWN_LINE.c.payer_id)
                .subquery()
            )
            source = source.outerjoin(
                own, and_(own.c.unit_id == UNIT.c.id, own.c.payer_id == OCCUPANCY.c.owner_id)
            )
            amount = amount + func.coalesce(own.c.amount, literal(0, Integer))
        conditions = [_handed_over_by(self.first_on), amount > ZERO]
        if self.held:
            conditions.append(~exists().where(HELD.c.unit_id == UNIT.c.id))
        if self.prepaid:
            conditions.append(UNIT.c.id.not_in(sorted(self.prepaid)))
        self.session.execute(
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
                .where(*conditions)
                .order_by(UNIT.c.id),
            )
        )
        self._analyze(BILL)

    def _bill_own_lines(self) -> None:
        if not self._has_own_lines():
            return
        self._hold()
        known = exists().where(BILL.c.unit_id == OWN_LINE.c.unit_id, BILL.c.payer_id == OWN_LINE.c.payer_id)
        issued = exists().where(
            INVOICE.c.period == str(self.period),
            INVOICE.c.unit_id == OWN_LINE.c.unit_id,
            INVOICE.c.payer_id == OWN_LINE.c.payer_id,
            INVOICE.c.kind == "regular",
        )
        total = func.sum(OWN_LINE.c.amount)
        monthly = OWN_LINE.c.fee_item_id.in_([item.id for item in self.monthly])
        is_month = func.max(case((monthly, 1), else_=0)) == 1
        self.session.execute(
            insert(BILL).from_select(
                ["unit_id", "payer_id", "part", "amount"],
                select(
                    OWN_LINE.c.unit_id,
                    OWN_LINE.c.payer_id,
                    case((is_month, MONTH), else_=EXTRA),
                    as_type(total, Money()),
                )
                .where(~known, ~issued, ~exists().where(HELD.c.unit_id == OWN_LINE.c.unit_id))
                .group_by(OWN_LINE.c.unit_id, OWN_LINE.c.payer_id)
                .having(total > ZERO)
                .order_by(OWN_LINE.c.unit_id, func.min(OWN_LINE.c.id)),
            )
        )

    def write(self, run_id: int, issued_on: date, due_on: date) -> None:
        """Turn the draft into invoices with their lines; the slips are billed with them."""
        year = self.period.year * 100 + self.period.month
        first = numbering.take(self.session, SERIES, year, self.count)
        fixed = {
            "kind": "regular",
            "period": str(self.period),
            "issued_on": issued_on,
            "due_on": due_on,
            "state": "open",
            "run_id": run_id,
            "stage": "",
        }
        zero = literal(ZERO, Money())
        values = {
            "number": literal(f"{SERIES}{year}-") + _padded(self.session, BILL.c.n + (first - 1)),
            "unit_id": BILL.c.unit_id,
            "payer_id": BILL.c.payer_id,
            "part": BILL.c.part,
            **{name: literal(value, INVOICE.c[name].type) for name, value in fixed.items()},
            "amount": BILL.c.amount,
            "balance": BILL.c.amount,
            **dict.fromkeys(("paid", "credited", "late_fee"), zero),
        }
        self.session.execute(
            insert(INVOICE).from_select(list(values), select(*values.values()).order_by(BILL.c.n))
        )
        self._write_lines(QUOTE, QUOTE.c.set_id == BILL.c.set_id, QUOTE.c.position)
        if self._has_own_lines():
            own = and_(OWN_LINE.c.unit_id == BILL.c.unit_id, OWN_LINE.c.payer_id == BILL.c.payer_id)
            self._write_lines(OWN_LINE, own, OWN_LINE.c.position)
            self._close_slips()

    def _is_bill(self) -> ColumnElement[bool]:
        return and_(
            INVOICE.c.period == str(self.period),
            INVOICE.c.unit_id == BILL.c.unit_id,
            INVOICE.c.payer_id == BILL.c.payer_id,
            INVOICE.c.kind == "regular",
            INVOICE.c.part == BILL.c.part,
        )

    def _write_lines(self, source: Table, belongs: ColumnElement[bool], position: ColumnElement[int]) -> None:
        self.session.execute(
            insert(LINE).from_select(
                ["invoice_id", *LINE_COLUMNS],
                select(INVOICE.c.id, *(source.c[name] for name in LINE_COLUMNS))
                .select_from(BILL.join(INVOICE, self._is_bill()).join(source, belongs))
                .order_by(BILL.c.n, position),
            )
        )

    def _close_slips(self) -> None:
        found = self.session.execute(
            select(OWN_LINE.c.slip_id, INVOICE.c.id)
            .select_from(
                OWN_LINE.join(
                    BILL, and_(BILL.c.unit_id == OWN_LINE.c.unit_id, BILL.c.payer_id == OWN_LINE.c.payer_id)
                ).join(INVOICE, self._is_bill())
            )
            .where(OWN_LINE.c.slip_id.is_not(None))
        ).all()
        if found:
            billed = (
                update(SLIP)
                .where(SLIP.c.id == bindparam("slip"))
                .values(state="billed", invoice_id=bindparam("bill"), row_version=SLIP.c.row_version + 1)
            )
            self.session.connection().execute(
                billed, [{"slip": slip_id, "bill": invoice_id} for slip_id, invoice_id in found]
            )

    # what a preview shows

    def by_item(self) -> dict[str, Decimal]:
        """Yuan by fee item code."""
        codes = {item.id: item.code for item in self.items}
        whole = (
            select(QUOTE.c.fee_item_id, func.sum(QUOTE.c.amount))
            .join(BILL, BILL.c.set_id == QUOTE.c.set_id)
            .group_by(QUOTE.c.fee_item_id)
        )
        own = (
            select(OWN_LINE.c.fee_item_id, func.sum(OWN_LINE.c.amount))
            .join(BILL, and_(BILL.c.unit_id == OWN_LINE.c.unit_id, BILL.c.payer_id == OWN_LINE.c.payer_id))
            .group_by(OWN_LINE.c.fee_item_id)
        )
        sums: dict[str, Decimal] = {}
        for statement in (whole, own):
            for item_id, amount in self.session.execute(statement):
                sums[codes[item_id]] = sums.get(codes[item_id], ZERO) + amount
        return sums

    def unusual(self) -> tuple[Unusual, ...]:
        """Bills that stand out against the month before."""
        last = INVOICE.c.amount.label("last")
        rows = self.session.execute(
            select(UNIT.c.code, BILL.c.amount, last)
            .select_from(
                BILL.join(
                    INVOICE,
                    and_(
                        INVOICE.c.period == str(self.period.plus(-1)),
                        INVOICE.c.unit_id == BILL.c.unit_id,
                        INVOICE.c.payer_id == BILL.c.payer_id,
                        INVOICE.c.kind == "regular",
                    ),
                ).join(UNIT, UNIT.c.id == BILL.c.unit_id)
            )
            .where(BILL.c.amount != INVOICE.c.amount)
            .order_by(UNIT.c.code)
        )
        return tuple(
            Unusual(code, amount, before, reason)
            for code, amount, before in rows
            if (reason := rule.unusual(self.terms, amount, before))
        )

    def absent(self) -> tuple[tuple[str, Decimal], ...]:
        """Units with a bill of the month before and none of this one, drafted or issued: code, last yuan."""
        last, this = INVOICE.alias("last"), INVOICE.alias("this")
        rows = self.session.execute(
            select(UNIT.c.code, func.sum(last.c.amount))
            .join(UNIT, UNIT.c.id == last.c.unit_id)
            .where(
                last.c.period == str(self.period.plus(-1)),
                last.c.kind == "regular",
                ~exists().where(BILL.c.unit_id == last.c.unit_id),
                ~exists().where(
                    this.c.period == str(self.period),
                    this.c.unit_id == last.c.unit_id,
                    this.c.kind == "regular",
                ),
            )
            .group_by(UNIT.c.code)
            .order_by(UNIT.c.code)
        )
        return tuple((code, amount) for code, amount in rows)

    def _insert(self, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
        for some in chunks(rows, 10_000):
            self.session.connection().execute(insert(table), list(some))


def _line(item: Item, line: Quote) -> dict[str, Any]:
    return {
        "position": item.position,
        "fee_item_id": item.id,
        "quantity": line.quantity,
        "rate": line.rate,
        "amount": line.amount,
        "explanation": line.reason.to_json(),
    }


def _padded(session: Session, number: ColumnElement[Any]) -> ColumnElement[str]:
    """The number as text of at least six digits."""
    if not is_postgresql(session):
        return func.printf(f"%0{numbering.WIDTH}d", number)
    words = as_type(number, Text())
    return case((func.length(words) < numbering.WIDTH, func.lpad(words, numbering.WIDTH, "0")), else_=words)


def _occupancies(session: Session, unit_ids: Iterable[int]) -> dict[int, list[liability.Occupancy]]:
    """The paying occupancies of units, by unit."""
    found: dict[int, list[liability.Occupancy]] = defaultdict(list)
    for some in chunks(sorted(set(unit_ids))):
        for unit_id, owner_id, from_on, to_on in session.execute(
            select(*OCCUPANCY.c["unit_id", "owner_id", "from_on", "to_on"]).where(
                OCCUPANCY.c.unit_id.in_(some), OCCUPANCY.c.is_payer
            )
        ):
            found[unit_id].append(liability.Occupancy(owner_id, from_on, to_on))
    return found
