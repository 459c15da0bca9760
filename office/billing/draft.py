"""A period's bills before they are issued: priced by the rules, laid out by the database (B1–B5).

The rules are Python, the rows are SQL (decisions: Speed). What the months due cost is asked once for each
distinct kind of unit, area, number of residents and what else rates and cycles ask for; the units that one
payer holds for the whole time are billed by joining on the answers. Items at a unit's own rate, meters and
slips get lines of their own beside them; units that are each a case (hand-over, change of payer, a payer of
an item, a rent contract, months paid ahead) are looked at one by one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from functools import cached_property
from itertools import groupby, islice
from typing import Any

from sqlalchemy import ColumnElement, Date, Integer, String, func, insert, literal, select
from sqlalchemy.orm import Session

from models.rates import UnitItemPayer
from office.billing import (
    bill_layout,
    meter_months,
    period_rows,
    pool_shares,
    single_units,
    unit_terms,
    working_tables,
)
from office.billing.billable_items import OWN_COLUMNS, OWN_RATES, billable_items, own_rate
from office.billing.contracts import RENT
from office.billing.period_rows import OCCUPANCY, OWN_DAY, UNIT, UNIT_COLUMNS, UnitRow
from office.billing.unit_terms import UnitTerms
from office.billing.working_tables import (
    APART,
    NO_DAY,
    NOWHERE,
    OWN_LINE,
    PENDING,
    QUOTE,
    QUOTE_SET,
    SINGLE,
    UNKNOWN,
    priced,
)
from rules import billing as rule
from rules import charges, liability
from rules.billing import Basis, BillingPolicy, Coverage, Days, PayerShare, Period
from rules.charges import BillableItem, BillLine, MeterRead, Slip, has_yearly_tiers, whole_month
from rules.cycles import Anchor, Months, due, reach, running, since
from rules.money import ZERO
from rules.pools import SharedPool, payers_parts, share_price
from rules.rates import ItemRate as OwnRate
from rules.rates import Place, tags_of
from rules.reasons import Reason
from rules.rent import RentContract, months_to_charge, rent_lines

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

    `count` and `amount` (yuan) say what they come to, `unbilled` what could not be billed. `is_again`: of the
    units billed already, as if their bills of the period and after it were not out, without slips and shares
    of pools, which have corrections of their own (B21). `unit_ids`: of these units alone.

    A unit of which a line can't be reckoned gets no bill until what it lacks is there; without `holds_units`
    its other lines are drafted all the same, to be shown, never to be issued.
    """

    session: Session
    period: Period
    policy: BillingPolicy
    is_again: bool = False
    unit_ids: frozenset[int] | None = None
    holds_units: bool = True
    items: list[BillableItem] = field(default_factory=list)
    count: int = 0
    amount: Decimal = ZERO
    _units_left_out: dict[int, Unbilled] = field(default_factory=dict)
    _parts_left_out: list[Unbilled] = field(default_factory=list)  # a slip, a share: the unit is billed
    _held: set[int] = field(default_factory=set)  # units without any bill until what they lack is there
    _paid_ahead: dict[int, set[int]] = field(default_factory=dict)  # items by unit (B6, B15)
    _apart: dict[int, frozenset[int]] = field(default_factory=dict)  # items at own rates, by their number

    def make(self) -> None:
        """Load what the period needs, ask the rules for every price, and lay the prices out as bills."""
        working_tables.create(self.session)
        if not self._take_units():
            return
        self.items = billable_items(self.session)
        self._paid_ahead = period_rows.items_paid_ahead(self.session, self.period)
        single_units.note(self.session, self.period, self._monthly, self._reach, self._paid_ahead)
        self._price_own_rates()
        self._price_whole_months()
        by_quotes = bill_layout.by_quotes(self._is_whole(), self._alike())
        single_units.note_billed_already(
            self.session, by_quotes, self._reach[0], self._monthly, self._counted_until
        )
        self._price_meters()
        if not self.is_again:
            self._price_slips()
            self._price_shares()
        bill_layout.bill_whole_months(
            self.session, self._is_whole(), self._alike(), self._reach[0], self._held
        )
        self._price_months_in_part()
        bill_layout.bill_own_lines(
            self.session, self.period, self._monthly, self._held, is_again=self.is_again
        )
        self.count, self.amount = bill_layout.totals(self.session)

    def clear(self) -> None:
        """Drop the working tables."""
        working_tables.drop(self.session)

    @property
    def held(self) -> frozenset[int]:
        """The ids of units of which nothing can be said until what they lack is there."""
        return frozenset(self._held)

    @property
    def _counted_until(self) -> Period | None:
        """Priced again: the period whose own bills and those after it do not count as billed."""
        return self.period if self.is_again else None

    @property
    def unbilled(self) -> tuple[Unbilled, ...]:
        """What could not be billed, by unit code."""
        found = (*self._units_left_out.values(), *self._parts_left_out)
        return tuple(sorted(found, key=lambda one: one.unit_code))

    def _take_units(self) -> int:
        """Note the units of the period that are to be priced; answers how many."""
        units = period_rows.units_to_bill(self.period, is_again=self.is_again, unit_ids=self.unit_ids)
        self.session.execute(insert(PENDING).from_select(["unit_id"], units))
        working_tables.analyze(self.session, PENDING)
        return self.session.scalar(select(func.count()).select_from(PENDING)) or 0

    def _leave_out(self, unit_id: int, code: str, reason: Reason, *, is_held: bool = True) -> None:
        self._units_left_out.setdefault(unit_id, Unbilled(code, reason))
        if is_held and self.holds_units:
            self._held.add(unit_id)

    # whole months

    @cached_property
    def _monthly(self) -> list[BillableItem]:
        return charges.monthly(self.items)

    @cached_property
    def _reach(self) -> tuple[date, date]:
        """The first and the last day that the monthly items can charge for, whatever the unit."""
        ends = [reach(item.cycle, item.timing, self.period) for item in self._monthly]
        return (
            min((first_on for first_on, _ in ends), default=self.period.first_on),
            max((last_on for _, last_on in ends), default=self.period.last_on),
        )

    def _is_whole(self) -> ColumnElement[bool]:
        first_on, last_on = self._reach
        return period_rows.covering(min(first_on, self.period.first_on), max(last_on, self.period.last_on))

    @cached_property
    def _is_per_person(self) -> bool:
        return any(item.basis == Basis.PER_PERSON for item in self.items)

    @cached_property
    def _has_own_rates(self) -> bool:
        return self.session.scalar(select(APART.c.unit_id).limit(1)) is not None

    def _alike(self) -> dict[str, ColumnElement[Any]]:
        """Each key of a set of quotes: what a unit's months cost by, where an item asks for it."""
        rates = [rate for item in self._monthly for rate in item.rates]
        asks: dict[str, tuple[bool, ColumnElement[Any]]] = {
            "residents": (self._is_per_person, func.coalesce(OCCUPANCY.c.residents, UNKNOWN)),
            "building_id": (any(rate.building_id is not None for rate in rates), UNIT.c.building_id),
            "floor": (any(rate.floors for rate in rates), func.coalesce(UNIT.c.floor, NOWHERE)),
            "tags": (any(rate.tag for rate in rates), UNIT.c.tags),
            "anchor_on": (
                any(item.cycle.anchor == Anchor.UNIT for item in self._monthly),
                func.coalesce(OWN_DAY, literal(NO_DAY, Date)),
            ),
            "apart": (self._has_own_rates, func.coalesce(APART.c.apart, 0)),
        }
        empty: dict[str, ColumnElement[Any]] = {
            "residents": literal(UNKNOWN, Integer),
            "building_id": literal(NOWHERE, Integer),
            "floor": literal(NOWHERE, Integer),
            "tags": literal("", String),
            "anchor_on": literal(NO_DAY, Date),
            "apart": literal(0, Integer),
        }
        asked = {name: column if is_asked else empty[name] for name, (is_asked, column) in asks.items()}
        return {"kind": UNIT.c.kind, "area_m2": UNIT.c.area_m2, **asked}

    def _price_whole_months(self) -> None:
        """Ask once for each distinct set of what a month costs by; what has no price gets no set."""
        keys = self._alike()
        distinct = select(*(column.label(name) for name, column in keys.items())).distinct()
        source: Any = UNIT
        if self.unit_ids is not None:
            source = source.join(PENDING, PENDING.c.unit_id == UNIT.c.id)
        if self._is_per_person:
            source = source.join(OCCUPANCY, self._is_whole())
        if self._has_own_rates:
            source = source.outerjoin(APART, APART.c.unit_id == UNIT.c.id)
        sets, quotes = [], []
        for set_id, row in enumerate(self.session.execute(distinct.select_from(source)), 1):
            prices = self._prices(row)
            if prices is None:
                continue
            total = sum((price.amount for _, price in prices), ZERO)
            sets.append({**row._asdict(), "set_id": set_id, "amount": total})
            quotes += [{"set_id": set_id, **priced(item, price)} for item, price in prices]
        working_tables.fill(self.session, QUOTE_SET, sets)
        working_tables.fill(self.session, QUOTE, quotes)
        working_tables.analyze(self.session, QUOTE_SET, QUOTE)

    def _prices(self, row: Any) -> list[tuple[BillableItem, rule.Quote]] | None:
        apart = self._apart[row.apart] if row.apart else frozenset()
        floor = None if row.floor == NOWHERE else row.floor
        building_id = None if row.building_id == NOWHERE else row.building_id
        rates = charges.monthly_rates(
            [item for item in self._monthly if item.id not in apart],
            self.period,
            Place(row.kind, building_id, floor, tags_of(row.tags)),
            {},
            anchor_on=None if row.anchor_on == NO_DAY else row.anchor_on,
        )
        if isinstance(rates, Reason):
            return [] if apart and "fee_item" not in rates.inputs else None
        prices = charges.month_prices(rates, row.area_m2, None if row.residents == UNKNOWN else row.residents)
        return None if isinstance(prices, Reason) else prices

    # items at rates of a unit's own

    def _price_own_rates(self) -> None:
        """Lines for the items that a unit has rows of its own for, beside its set of quotes (B14)."""
        if not self._items_with_own_rates & {item.id for item in self._monthly}:
            return
        numbers: dict[frozenset[int], int] = {}
        for units in _batches(self._own_rates(), BATCH):
            lines, apart, single = [], [], []
            for unit, rows in units:
                own = _by_item(rows, unit.code)
                prices = self._own_prices(unit, own)
                if isinstance(prices, Reason):
                    single.append({"unit_id": unit.id})
                    continue
                number = numbers.setdefault(frozenset(own), len(numbers) + 1)
                apart.append({"unit_id": unit.id, "apart": number})
                named = {"unit_id": unit.id, "payer_id": unit.owner_id, "slip_id": None, "is_apart": True}
                lines += [{**named, **priced(item, price)} for item, price in prices]
            working_tables.fill(self.session, OWN_LINE, lines)
            working_tables.fill(self.session, APART, apart)
            working_tables.fill(self.session, SINGLE, single)
        self._apart = {number: items for items, number in numbers.items()}
        working_tables.analyze(self.session, APART)

    def _own_rates(self) -> Iterator[tuple[Any, list[Any]]]:
        """Each unit that one payer holds for the whole time, with its own rows of monthly items."""
        first_on, last_on = self._reach
        rows = self.session.execute(
            select(*UNIT_COLUMNS, OCCUPANCY.c.owner_id, OCCUPANCY.c.residents, *OWN_COLUMNS)
            .join(PENDING, PENDING.c.unit_id == UNIT.c.id)
            .join(OWN_RATES, OWN_RATES.c.unit_id == UNIT.c.id)
            .join(OCCUPANCY, self._is_whole())
            .where(
                period_rows.handed_over_by(first_on),
                OWN_RATES.c.fee_item_id.in_([item.id for item in self._monthly]),
                OWN_RATES.c.valid_from <= last_on,
                func.coalesce(OWN_RATES.c.valid_to, literal(date.max, Date)) >= first_on,
                UNIT.c.id.not_in(select(SINGLE.c.unit_id)),
            )
            .order_by(UNIT.c.id, OWN_RATES.c.is_vacancy, OWN_RATES.c.row_id)
        )
        for _, found in groupby(rows, key=lambda row: row.id):
            of_unit = list(found)
            yield of_unit[0], of_unit

    def _own_prices(self, unit: Any, own: charges.OwnRates) -> list[tuple[BillableItem, rule.Quote]] | Reason:
        rates = charges.monthly_rates(
            [item for item in self._monthly if item.id in own],
            self.period,
            period_rows.place_of(unit),
            {},
            anchor_on=unit.own_day,
            own=own,
        )
        if isinstance(rates, Reason):
            return rates if "fee_item" in rates.inputs else []
        return charges.month_prices(rates, unit.area_m2, unit.residents)

    # months in part

    def _price_months_in_part(self) -> None:
        """The units left: no one payer for the whole time, no price, paid ahead, or left out."""
        bill_layout.forget_own_lines(self.session)
        rows = self.session.execute(period_rows.units_without_bill())
        for batch in rows.partitions(BATCH):
            units = [UnitRow(*row) for row in batch]
            terms = unit_terms.load(
                self.session, [unit.id for unit in units], self._reach[0], self._counted_until
            )
            lines = [
                line
                for unit in units
                for line in _line_rows(unit.id, self._month_in_part(unit, terms[unit.id]))
            ]
            working_tables.fill(self.session, OWN_LINE, lines)

    def _coverage(
        self, service: Days, handed_over_on: date | None, payers: Sequence[liability.Occupancy]
    ) -> Coverage:
        return rule.coverage(self.policy, service, handed_over_on, payers)

    def _month_in_part(self, unit: UnitRow, terms: UnitTerms) -> list[BillLine]:
        lines: list[BillLine] = []
        nothing: Reason | None = None  # no item at all is for such units
        is_any = False
        for item in self._monthly:
            if contracts := terms.contracts.get(item.id):
                lines += self._rent(item, unit, terms, contracts)
                is_any = True
                continue
            covers = self._covers(item, unit, terms)
            found = self._lines_of(item, unit, terms, covers)
            if isinstance(found, Reason) and "fee_item" not in found.inputs:
                nothing = nothing if item.id in self._by_contract else found
                continue
            is_any = True
            if isinstance(found, Reason):
                self._leave_out(unit.id, unit.code, found)
                if self.holds_units:
                    return []
                continue
            lines += found
        self._tell_vacant(unit, terms)
        if nothing is not None and not is_any and self._coverage_of(unit, terms.payers).payers:
            self._leave_out(unit.id, unit.code, nothing)
        return lines

    @cached_property
    def _by_contract(self) -> set[int]:
        """The items that are lines of rent contracts: a unit without one owes nothing for them (B24)."""
        return period_rows.items_by_contract(self.session) | {
            item.id for item in self._monthly if item.code == RENT
        }

    def _coverage_of(self, unit: UnitRow, payers: Sequence[liability.Occupancy]) -> Coverage:
        return self._coverage(self.period, unit.handed_over_on, payers)

    def _tell_vacant(self, unit: UnitRow, terms: UnitTerms) -> None:
        """Say that nobody pays for the unit in the period, where something is due for it."""
        asked = [
            terms.payers_of(item)
            for item in self._monthly
            if due(item.cycle, item.timing, self.period, unit.anchor_on)
        ]
        for payers in asked if self._monthly else [terms.payers]:
            if reason := self._coverage_of(unit, payers).reason:
                self._leave_out(unit.id, unit.code, reason, is_held=False)

    def _covers(self, item: BillableItem, unit: UnitRow, terms: UnitTerms) -> dict[Months, Coverage]:
        """The months that an item is charged for and who pays which days of them."""
        payers = terms.payers_of(item)
        months = due(item.cycle, item.timing, self.period, unit.anchor_on)
        covers: dict[Months, Coverage] = {}
        for one in () if isinstance(months, Reason) else months:
            begun = unit.handed_over_on
            policy = self.policy
            billed_until = terms.billed_until(item, one.first_on, one.last_on)
            if billed_until is not None:
                if billed_until >= one.last_on:
                    continue
                begun = max(begun or date.min, billed_until + liability.DAY)
                one = since(one, begun)  # noqa: PLW2901 -- the rest of them
                policy = replace(policy, is_split_by_hand_over=True)
            covered = rule.coverage(policy, one, begun, payers)
            if covered.payers and (rest := since(one, covered.payers[0].segment.from_on)) != one:
                one, covered = rest, rule.coverage(policy, rest, begun, payers)  # noqa: PLW2901 -- as above
            if covered.payers:
                covers[one] = covered
        return covers | self._late_covers(item, unit, terms, payers)

    def _late_covers(
        self, item: BillableItem, unit: UnitRow, terms: UnitTerms, payers: Sequence[liability.Occupancy]
    ) -> dict[Months, Coverage]:
        """The rest of a cycle that nobody could be charged for when its bill went out (B15)."""
        cycle = running(item.cycle, item.timing, self.period, unit.anchor_on)
        if cycle is None:
            return {}
        first_on, months = cycle
        last_on = max((one.last_on for one in months), default=first_on)
        stays = liability.liable(
            payers, max(first_on, unit.handed_over_on or first_on), max(last_on, first_on), is_split=True
        )
        begun = stays[0].from_on if stays else None
        if begun is None or not self.period.first_on <= begun <= self.period.last_on:
            return {}
        if begun == first_on and not self._is_after_its_bill(item, first_on, unit, payers):
            return {}
        if terms.billed_until(item, begun, last_on) is not None:
            return {}
        covers = {}
        for one in months:
            if one.last_on >= begun:
                rest = since(one, begun)
                covers[rest] = self._coverage(rest, max(begun, unit.handed_over_on or begun), payers)
        return {rest: covered for rest, covered in covers.items() if covered.payers}

    @staticmethod
    def _is_after_its_bill(
        item: BillableItem, first_on: date, unit: UnitRow, payers: Sequence[liability.Occupancy]
    ) -> bool:
        """Whether a unit, or who pays for it, began after the month in which a cycle's bill went out."""
        out = Period.of(first_on - item.cycle.days_ahead * liability.DAY)
        paying = [one.from_on for one in payers if one.to_on is None or one.to_on >= first_on]
        return max(unit.handed_over_on or date.min, min(paying, default=date.min)) > out.last_on

    def _lines_of(
        self, item: BillableItem, unit: UnitRow, terms: UnitTerms, covers: Mapping[Months, Coverage]
    ) -> list[BillLine] | Reason:
        first_days = {one: covered.payers[0].segment.from_on for one, covered in covers.items()}
        rates = charges.monthly_rates(
            [item],
            self.period,
            unit.place,
            first_days,
            anchor_on=unit.anchor_on,
            own=terms.own,
            charged={item.id: tuple(covers)},
        )
        if isinstance(rates, Reason):
            return rates
        return charges.shared_month(rates, unit.area_m2, covers, self._paid_ahead.get(unit.id, ()))

    def _rent(
        self, item: BillableItem, unit: UnitRow, terms: UnitTerms, contracts: Iterable[RentContract]
    ) -> list[BillLine]:
        """The rent that a unit's contracts ask for, each from its payers (B24)."""
        if item.id in self._paid_ahead.get(unit.id, ()):
            return []
        return [
            BillLine(payer, item, price)
            for contract in contracts
            for months, first_on in months_to_charge(
                contract,
                item.cycle,
                item.timing,
                self.period,
                terms.billed[item.id],
                is_month_before_out=unit.id in self._let_and_billed,
            )
            for payer, price in rent_lines(
                contract, months, first_on, terms.payers_of_rent(item, contract), item.rounding
            )
        ]

    @cached_property
    def _let_and_billed(self) -> set[int]:
        """The units with a contract whose bill of the month before is out."""
        return period_rows.let_and_billed(self.session, self.period.plus(-1))

    # meters

    def _price_meters(self) -> None:
        metered = [item for item in self.items if item.basis == Basis.METERED]
        yearly = {item.id for item in metered if has_yearly_tiers(item)}
        special = meter_months.special_meters(self.session)
        for service, items in charges.by_service(metered, self.period).items():
            by_id = {item.id: item for item in items}
            rows = self.session.execute(meter_months.meter_rows(service, list(by_id)))
            for batch in rows.partitions(BATCH):
                # more than one payer in the month, part of it vacant, or a rate or payer of its own
                single = [
                    row for row in batch if row.payer_id is None or row.fee_item_id in self._single_items
                ]
                terms = unit_terms.load(self.session, [row.unit_id for row in single], service.first_on)
                reads = meter_months.reads(
                    self.session,
                    service,
                    batch,
                    special=special,
                    moved={row.meter_id for row in single},
                    yearly_items=yearly,
                )
                lines = []
                for row in batch:
                    item = by_id[row.fee_item_id]
                    own = terms[row.unit_id].own.get(item.id, ())
                    if row.payer_id is None or item.id in self._single_items:
                        covered = self._coverage(
                            service, row.handed_over_on, terms[row.unit_id].payers_of(item)
                        )
                        payers = covered.payers
                    else:
                        payers = whole_month(row.payer_id, service, row.residents)
                    if payers:
                        lines += self._meter(row, item, service, reads[row.meter_id], payers, own)
                working_tables.fill(self.session, OWN_LINE, lines)

    @cached_property
    def _items_with_own_rates(self) -> set[int]:
        found = select(OWN_RATES.c.fee_item_id).distinct()
        return set(self.session.scalars(found))

    @cached_property
    def _items_with_payers(self) -> set[int]:
        """The items that somebody else than the unit's payer may pay (B20)."""
        named = set(self.session.scalars(select(UnitItemPayer.fee_item_id).distinct()))
        return named | {item.id for item in self.items if item.payer != liability.PayerRule.DEFAULT}

    @cached_property
    def _single_items(self) -> set[int]:
        return self._items_with_own_rates | self._items_with_payers

    def _meter(
        self,
        row: Any,
        item: BillableItem,
        service: Period,
        read: MeterRead,
        payers: Sequence[PayerShare],
        own: Sequence[OwnRate],
    ) -> list[Any]:
        lines = charges.meter_lines(item, service, period_rows.place_of(row), read, payers, own)
        if isinstance(lines, Reason):
            self._leave_out(row.unit_id, row.code, lines)
            return []
        return [line | {"reading_id": row.reading_id} for line in _line_rows(row.unit_id, lines)]

    # slips

    def _price_slips(self) -> None:
        by_id = {item.id: item for item in self.items}
        cut_off_on = rule.slip_cut_off_on(self.policy, self.period)
        for batch in self.session.execute(period_rows.slip_rows(cut_off_on)).partitions(BATCH):
            single = [row for row in batch if row.payer_id is None or row.fee_item_id in self._single_items]
            terms = unit_terms.load(self.session, [row.unit_id for row in single], self.period.first_on)
            lines = []
            for row in batch:
                item = by_id.get(row.fee_item_id)
                payer_id = self._slip_payer(row, item, terms[row.unit_id])
                if payer_id is None:
                    continue
                slip = Slip(row.slip_no, row.used_on, row.quantity, row.amount)
                own = terms[row.unit_id].own.get(row.fee_item_id, ())
                line = charges.slip_line(item, period_rows.place_of(row), slip, payer_id, own)
                if isinstance(line, Reason):
                    self._parts_left_out.append(Unbilled(row.code, line))
                else:
                    lines += _line_rows(row.unit_id, [line], row.id)
            working_tables.fill(self.session, OWN_LINE, lines)

    def _slip_payer(self, row: Any, item: BillableItem | None, terms: UnitTerms) -> int | None:
        """Who paid on the day of use; where nobody did, who pays this period."""
        payers = terms.payers if item is None else terms.payers_of(item)
        if item is not None and item.id in self._items_with_payers:
            paying = liability.liable(payers, row.used_on, row.used_on, is_split=True)
            if paying:
                return paying[0].payer
        elif row.payer_id is not None:
            return int(row.payer_id)
        covered = self._coverage(self.period, row.handed_over_on, payers)
        return covered.payers[0].segment.payer if covered.payers else None

    # shares of pools

    def _price_shares(self) -> None:
        """Lines for the shares of the month's pools, and of those entered after their bills (B16)."""
        by_id = {item.id: item for item in self.items if item.basis == Basis.SHARED}
        for service, items in charges.by_service(by_id.values(), self.period).items():
            for row in pool_shares.pools_due(self.session, service, [item.id for item in items]):
                item, pool = by_id[row.fee_item_id], pool_shares.shared_pool(row)
                pool_shares.fill_quotes(self.session, row.id, item, pool)
                if item.id not in self._items_with_payers:
                    pool_shares.lay_out_whole(self.session, row.id, pool.period)
                for batch in self.session.execute(pool_shares.shares_left(row.id)).partitions(BATCH):
                    self._price_shares_in_part(item, pool, batch)

    def _price_shares_in_part(self, item: BillableItem, pool: SharedPool, rows: Sequence[Any]) -> None:
        """The shares of units that no one payer holds for the month, or that can't share."""
        terms = unit_terms.load(self.session, [row.unit_id for row in rows], pool.period.first_on)
        lines = []
        for row in rows:
            if not row.key_value:
                inputs = {"fee_item": item.code, "period": str(pool.period), "key": str(pool.key)}
                self._parts_left_out.append(Unbilled(row.code, Reason("no_share", inputs)))
                continue
            if not row.amount:
                continue
            payers = terms[row.unit_id].payers_of(item)
            covered = self._coverage(pool.period, row.handed_over_on, payers)
            if covered.reason:
                self._leave_out(row.unit_id, row.code, covered.reason, is_held=False)
            price = share_price(pool, row.key_value, row.amount)
            lines += [
                {"unit_id": row.unit_id, "payer_id": payer, "share_id": row.id, **priced(item, part)}
                for payer, part in payers_parts(price, covered)
            ]
        working_tables.fill(self.session, OWN_LINE, lines)


def _by_item(rows: Iterable[Any], unit_code: str) -> dict[int, list[OwnRate]]:
    found: dict[int, list[OwnRate]] = {}
    for row in rows:
        found.setdefault(row.fee_item_id, []).append(own_rate(row, unit_code))
    return found


def _batches(rows: Iterator[Any], size: int) -> Iterator[list[Any]]:
    while some := list(islice(rows, size)):
        yield some


def _line_rows(unit_id: int, lines: Iterable[BillLine], slip_id: int | None = None) -> list[dict[str, Any]]:
    return [
        {"unit_id": unit_id, "payer_id": line.payer, "slip_id": slip_id, **priced(line.item, line.price)}
        for line in lines
    ]
