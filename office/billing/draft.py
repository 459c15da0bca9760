"""A period's bills before they are issued: priced by the rules, laid out by the database (B1–B5).

The rules are Python, the rows are SQL (decisions: Speed). What a whole month costs is asked once for each
distinct kind of unit, area and number of residents; the units that one payer holds for the whole time are
billed by joining on the answers. The few others (hand-over, change of payer, vacancy), meters and slips get
lines of their own.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from functools import cached_property
from typing import Any

from sqlalchemy import ColumnElement, func, insert, literal, select
from sqlalchemy.orm import Session

from office.billing import bill_layout, period_rows, working_tables
from office.billing.billable_items import billable_items
from office.billing.period_rows import OCCUPANCY, UNIT, UnitRow
from office.billing.working_tables import (
    OWN_LINE,
    PENDING,
    QUOTE,
    QUOTE_SET,
    UNKNOWN,
    priced,
)
from office.core.database import chunks
from rules import billing as rule
from rules import charges, liability
from rules.billing import Basis, BillingPolicy, Coverage, Period
from rules.charges import BillableItem, BillLine, MeterMonth, Slip
from rules.money import ZERO
from rules.reasons import Reason

BATCH = 1000  # units, meters or slips in memory at once


@dataclass(frozen=True)
class Unbilled:
    """A unit that can't be billed (or a slip or meter of it), and why."""

    unit_code: str
    reason: Reason

    def to_dict(self) -> dict[str, str]:
        return {"unit_code": self.unit_code, "reason": self.reason.code, "detail": str(self.reason)}


@dataclass
class Draft:
    """The bills of one period in the working tables: `make` fills them, `clear` drops them.

    `count` and `amount` (yuan) say what they come to, `unbilled` what could not be billed.
    """

    session: Session
    period: Period
    policy: BillingPolicy
    items: list[BillableItem] = field(default_factory=list)
    count: int = 0
    amount: Decimal = ZERO
    _units_left_out: dict[int, Unbilled] = field(default_factory=dict)
    _slips_left_out: list[Unbilled] = field(default_factory=list)  # they wait though the unit is billed
    _held: set[int] = field(default_factory=set)  # units without any bill until what they lack is there
    _paid_ahead: dict[int, set[int]] = field(default_factory=dict)  # items by unit, by move-in bills (B6)

    def make(self) -> None:
        """Load what the period needs, ask the rules for every price, and lay the prices out as bills."""
        working_tables.create(self.session)
        if not self._take_units():
            return
        self.items = billable_items(self.session)
        self._paid_ahead = period_rows.items_paid_ahead(self.session, self.period)
        self._price_whole_months()
        self._price_meters()
        self._price_slips()
        bill_layout.bill_whole_months(
            self.session, self._is_whole(), self._residents(), self._first_on, self._held, self._paid_ahead
        )
        self._price_months_in_part()
        bill_layout.bill_own_lines(self.session, self.period, charges.monthly(self.items), self._held)
        self.count, self.amount = bill_layout.totals(self.session)

    def clear(self) -> None:
        """Drop the working tables."""
        working_tables.drop(self.session)

    @property
    def unbilled(self) -> tuple[Unbilled, ...]:
        """What could not be billed, by unit code."""
        found = (*self._units_left_out.values(), *self._slips_left_out)
        return tuple(sorted(found, key=lambda one: one.unit_code))

    def _take_units(self) -> int:
        """Note the units of the period whose month is not billed; answers how many."""
        units = period_rows.unbilled_units(self.period)
        self.session.execute(insert(PENDING).from_select(["unit_id"], units))
        working_tables.analyze(self.session, PENDING)
        return self.session.scalar(select(func.count()).select_from(PENDING)) or 0

    def _leave_out(self, unit_id: int, code: str, reason: Reason, *, is_held: bool = True) -> None:
        self._units_left_out.setdefault(unit_id, Unbilled(code, reason))
        if is_held:
            self._held.add(unit_id)

    # whole months

    @cached_property
    def _services(self) -> list[Period]:
        """The months whose service the monthly items charge."""
        return list(charges.by_service(charges.monthly(self.items), self.period))

    @property
    def _first_on(self) -> date:
        """The first day that the monthly items charge for."""
        return min(service.first_on for service in (*self._services, self.period))

    def _is_whole(self) -> ColumnElement[bool]:
        return period_rows.covering(self._first_on, self.period.last_on)

    @cached_property
    def _is_per_person(self) -> bool:
        return any(item.basis == Basis.PER_PERSON for item in self.items)

    def _residents(self) -> ColumnElement[int]:
        """Who lives in a unit, as the sets of quotes know it: looked at only where an item asks for it."""
        return func.coalesce(OCCUPANCY.c.residents, UNKNOWN) if self._is_per_person else literal(UNKNOWN)

    def _price_whole_months(self) -> None:
        """Ask once for each distinct kind, area and number of residents; what has no price gets no set."""
        distinct = select(UNIT.c.kind, UNIT.c.area_m2, self._residents()).distinct()
        if self._is_per_person:
            distinct = distinct.join(OCCUPANCY, self._is_whole())
        found = self.session.execute(distinct).all()
        rates = {
            kind: charges.monthly_rates(self.items, self.period, kind, {})
            for kind in {one[0] for one in found}
        }
        sets, quotes = [], []
        for set_id, (kind, area_m2, residents) in enumerate(found, 1):
            known = rates[kind]
            if isinstance(known, Reason):
                continue
            prices = charges.month_prices(known, area_m2, None if residents == UNKNOWN else residents)
            if isinstance(prices, Reason):
                continue
            total = sum((price.amount for _, price in prices), ZERO)
            named = {"kind": kind, "area_m2": area_m2, "residents": residents}
            sets.append({**named, "set_id": set_id, "amount": total})
            quotes += [{"set_id": set_id, **priced(item, price)} for item, price in prices]
        working_tables.fill(self.session, QUOTE_SET, sets)
        working_tables.fill(self.session, QUOTE, quotes)
        working_tables.analyze(self.session, QUOTE_SET, QUOTE)

    # months in part

    def _price_months_in_part(self) -> None:
        """The units left: no one payer for the whole time, no price, paid ahead, or left out."""
        rows = self.session.execute(period_rows.units_without_bill())
        for batch in rows.partitions(BATCH):
            units = [UnitRow(*row) for row in batch]
            payers = period_rows.payers_of(self.session, [unit.id for unit in units])
            lines = [
                line
                for unit in units
                for line in _line_rows(unit.id, self._month_in_part(unit, payers[unit.id]))
            ]
            working_tables.fill(self.session, OWN_LINE, lines)

    def _coverage(self, service: Period, unit: UnitRow, payers: Sequence[liability.Occupancy]) -> Coverage:
        return rule.coverage(self.policy, service, unit.handed_over_on, payers)

    def _month_in_part(self, unit: UnitRow, payers: Sequence[liability.Occupancy]) -> list[BillLine]:
        now = self._coverage(self.period, unit, payers)
        if now.reason:
            self._leave_out(unit.id, unit.code, now.reason, is_held=False)
        covers = {service: self._coverage(service, unit, payers) for service in self._services}
        covers = {service: covered for service, covered in covers.items() if covered.payers}
        if not covers:
            return []
        first_days = {service: covered.payers[0].segment.from_on for service, covered in covers.items()}
        rates = charges.monthly_rates(self.items, self.period, unit.kind, first_days)
        lines: list[BillLine] | Reason = (
            rates
            if isinstance(rates, Reason)
            else charges.shared_month(
                rates, self.period, unit.area_m2, covers, self._paid_ahead.get(unit.id, ())
            )
        )
        if isinstance(lines, Reason):
            self._leave_out(unit.id, unit.code, lines)
            return []
        return lines

    # meters

    def _price_meters(self) -> None:
        metered = [item for item in self.items if item.basis == Basis.METERED]
        for service, items in charges.by_service(metered, self.period).items():
            by_id = {item.id: item for item in items}
            shared = []  # more than one payer in the month, or part of it vacant
            rows = self.session.execute(period_rows.meter_rows(service, list(by_id)))
            for batch in rows.partitions(BATCH):
                lines = []
                for row in batch:
                    if row.payer_id is None:
                        shared.append(row)
                    else:
                        lines += self._meter(row, by_id[row.fee_item_id], service, [(row.payer_id, 1)])
                working_tables.fill(self.session, OWN_LINE, lines)
            for some in chunks(shared, BATCH):
                payers = period_rows.payers_of(self.session, [row.unit_id for row in some])
                lines = []
                for row in some:
                    parts = self._coverage(service, _unit_of(row), payers[row.unit_id]).payers
                    days = [(part.segment.payer, part.share.own_days) for part in parts if part.segment.payer]
                    if days:
                        lines += self._meter(row, by_id[row.fee_item_id], service, days)
                working_tables.fill(self.session, OWN_LINE, lines)

    def _meter(
        self, row: Any, item: BillableItem, service: Period, payers: Sequence[tuple[int, int]]
    ) -> list[Any]:
        month = MeterMonth(row.meter, row.base, row.base_on, row.value, row.read_on)
        lines = charges.meter_lines(item, service, row.kind, month, payers)
        if isinstance(lines, Reason):
            self._leave_out(row.unit_id, row.code, lines)
            return []
        return _line_rows(row.unit_id, lines)

    # slips

    def _price_slips(self) -> None:
        by_id = {item.id: item for item in self.items}
        cut_off_on = rule.slip_cut_off_on(self.policy, self.period)
        for batch in self.session.execute(period_rows.slip_rows(cut_off_on)).partitions(BATCH):
            payers = self._payers_now([row for row in batch if row.payer_id is None])
            lines = []
            for row in batch:
                payer_id = row.payer_id or payers.get(row.unit_id)
                if payer_id is None:
                    continue
                slip = Slip(row.slip_no, row.used_on, row.quantity, row.amount)
                line = charges.slip_line(by_id.get(row.fee_item_id), row.kind, slip, payer_id)
                if isinstance(line, Reason):
                    self._slips_left_out.append(Unbilled(row.code, line))
                else:
                    lines += _line_rows(row.unit_id, [line], row.id)
            working_tables.fill(self.session, OWN_LINE, lines)

    def _payers_now(self, rows: Sequence[Any]) -> dict[int, int]:
        """Who pays this period for units that were vacant when the slip was written."""
        occupancies = period_rows.payers_of(self.session, [row.unit_id for row in rows])
        found = {}
        for row in rows:
            parts = self._coverage(self.period, _unit_of(row), occupancies[row.unit_id]).payers
            if parts and parts[0].segment.payer is not None:
                found[row.unit_id] = parts[0].segment.payer
        return found


def _line_rows(unit_id: int, lines: Iterable[BillLine], slip_id: int | None = None) -> list[dict[str, Any]]:
    return [
        {"unit_id": unit_id, "payer_id": line.payer, "slip_id": slip_id, **priced(line.item, line.price)}
        for line in lines
    ]


def _unit_of(row: Any) -> UnitRow:
    """The unit of a meter's or slip's row; its area is not asked for."""
    return UnitRow(row.unit_id, row.code, row.kind, ZERO, row.handed_over_on)
