"""What a unit is charged, by which row, until when: its next bills, drafted as the run will (B14–B20).

Nothing is reckoned here: the lines are those of the billing run's own draft of this one unit, and each line
names the rows that decide it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from sqlalchemy import and_, func, select
from sqlalchemy.orm import Session

from models.billing import BillingRun, ServiceSlip
from models.contracts import RentContract
from models.people import Owner
from models.pools import PoolShare
from models.property import Unit
from models.rates import UnitItemPayer
from office.billing import period_rows, runs, unit_terms
from office.billing.draft import Draft
from office.billing.meter_months import READING
from office.billing.unit_terms import UnitTerms
from office.billing.working_tables import BILL, LINE_COLUMNS, OWN_LINE, QUOTE
from rules import liability
from rules.billing import Basis, Period
from rules.charges import BillableItem
from rules.cycles import due
from rules.money import ZERO
from rules.rates import Exempt, ItemRate, kind_row
from rules.reasons import Reason

MONTHS_AHEAD = 13  # in which every cycle begins once
BETWEEN_ROWS = " × "  # in the name of the rows by which a line is charged
CHARGED = frozenset(Basis) - {Basis.ONE_OFF, Basis.DEPOSIT}


@dataclass(frozen=True)
class DecidingRow:
    """A stored row that a charge goes by: its table and id, what it is called, its days."""

    table: str
    id: int
    name: str
    from_on: date | None = None
    to_on: date | None = None


@dataclass(frozen=True)
class Charge:
    """A line of a bill to come, or why an item has none: `amount` is None then; yuan.

    `period` is the one whose bill asks for it, `reason` how it came about, or what it waits for.
    """

    item: BillableItem
    period: Period
    reason: Reason
    rows: tuple[DecidingRow, ...] = ()
    payer: str = ""
    amount: Decimal | None = None
    quantity: Decimal | None = None
    rate: Decimal | None = None
    months: int = 1
    factor: Decimal = Decimal(1)
    from_on: date | None = None
    to_on: date | None = None

    @property
    def until(self) -> date | None:
        """The last day on which all the rows hold that it goes by."""
        return min((row.to_on for row in self.rows if row.to_on is not None), default=None)


@dataclass(frozen=True)
class UnitCharges:
    """The bills to come of a unit: of the next one and, for each item that it lacks, of a later one.

    `told` are reasons why the unit, not only one item of it, gets no bill.
    """

    unit: Unit
    period: Period
    charges: tuple[Charge, ...]
    told: tuple[Reason, ...]

    @property
    def total(self) -> Decimal:
        """What the next bill comes to, in yuan, for all payers."""
        return self.of(self.period)

    def of(self, period: Period) -> Decimal:
        """What the bills of a period come to, in yuan."""
        return sum((one.amount or ZERO for one in self.charges if one.period == period), ZERO)


def charges(session: Session, unit_id: int, today: date) -> UnitCharges:
    """What a unit is charged next, for each item that is for it (B14–B20)."""
    unit = session.get_one(Unit, unit_id)
    first = _first_period(session, today)
    reader = _Reader(session, unit, unit_terms.load(session, [unit_id], first.first_on)[unit_id])
    found = [*reader.of(first), *reader.of(first.plus(1))]
    for period, items in _later(reader, found, first.plus(2)):
        found += [one for one in reader.of(period) if one.item.id in items]
    found += reader.exempt(found, first.plus(1))
    period = min((one.period for one in found if one.amount is not None), default=first.plus(1))
    return UnitCharges(unit, period, tuple(sorted(found, key=_place)), tuple(reader.told))


def _first_period(session: Session, today: date) -> Period:
    """The newest period with bills, to which something may come yet; before the first run this month."""
    newest = session.scalar(select(func.max(BillingRun.period)).where(BillingRun.invoices > 0))
    return Period.parse(newest) if newest else Period.of(today)


def _place(one: Charge) -> tuple[Any, ...]:
    return one.item.position, one.period, one.from_on or date.max


def _later(
    reader: _Reader, found: Sequence[Charge], first: Period
) -> Iterator[tuple[Period, Collection[int]]]:
    """The periods after the next one in which items without a charge are due, and those items."""
    missing = [
        item for item in reader.items if item.id not in {one.item.id for one in found} and reader.is_for(item)
    ]
    by_period: dict[Period, set[int]] = {}
    for item in missing:
        for ahead in range(MONTHS_AHEAD):
            months = due(item.cycle, item.timing, first.plus(ahead), reader.anchor_on)
            if months and not isinstance(months, Reason):
                by_period.setdefault(first.plus(ahead), set()).add(item.id)
                break
    yield from sorted(by_period.items())


class _Reader:
    """Drafts the bills of one unit and says by which rows."""

    def __init__(self, session: Session, unit: Unit, terms: UnitTerms) -> None:
        self.session, self.unit, self.terms = session, unit, terms
        self.place = period_rows.place_of(unit)
        self.anchor_on = unit.anchor_on or unit.handed_over_on
        self.items: list[BillableItem] = []  # the monthly ones
        self.told: list[Reason] = []
        self._known: set[tuple[str, str]] = set()  # what was told, by item and reason

    def is_for(self, item: BillableItem) -> bool:
        """Whether anything says what the item costs this unit."""
        return bool(
            item.applies(self.unit.kind)
            or item.rates
            or self.terms.own.get(item.id)
            or self.terms.contracts.get(item.id)
        )

    def of(self, period: Period) -> list[Charge]:
        """The lines of a period's bills, and the items whose lines wait."""
        draft = Draft(
            self.session,
            period,
            runs.policy(self.session, period),
            unit_ids=frozenset({self.unit.id}),
            holds_units=False,
        )
        draft.make()
        items = {item.id: item for item in draft.items}
        found = [self._charge(items[row.fee_item_id], period, row) for row in self._lines()]
        told = draft.unbilled
        draft.clear()
        self.items = [item for item in draft.items if item.basis in CHARGED] or self.items
        by_code = {item.code: item for item in draft.items}
        return found + [one for each in told if (one := self._waiting(by_code, period, each.reason))]

    def _lines(self) -> Iterable[Any]:
        """The drafted lines with the slip, share or reading that each is of."""
        quoted = (
            select(BILL.c.payer_id, *(QUOTE.c[name] for name in ("position", "id", *LINE_COLUMNS)))
            .join(QUOTE, QUOTE.c.set_id == BILL.c.set_id)
            .order_by(QUOTE.c.position, QUOTE.c.id)
        )
        own = (
            select(OWN_LINE)
            .join(BILL, and_(BILL.c.unit_id == OWN_LINE.c.unit_id, BILL.c.payer_id == OWN_LINE.c.payer_id))
            .order_by(OWN_LINE.c.position, OWN_LINE.c.id)
        )
        return [*self.session.execute(quoted).all(), *self.session.execute(own).all()]

    def _charge(self, item: BillableItem, period: Period, row: Any) -> Charge:
        reason = Reason.from_json(row.explanation)
        day = row.service_from or period.first_on
        rows = (
            *self._named_rows(item, str(reason.inputs.get("row", ""))),
            *self._rows_of_line(row),
            *self._payer_rows(item, row.payer_id, day),
        )
        return Charge(
            item,
            period,
            reason,
            rows,
            self.session.get_one(Owner, row.payer_id).name,
            row.amount,
            row.quantity,
            row.rate,
            row.months,
            row.factor,
            row.service_from,
            row.service_to,
        )

    def _waiting(self, items: dict[str, BillableItem], period: Period, reason: Reason) -> Charge | None:
        """An item whose line waits; what is told of the whole unit, or of a slip, is kept apart."""
        code = str(reason.inputs.get("fee_item", ""))
        if (code, reason.code) in self._known:
            return None
        self._known.add((code, reason.code))
        if code in items:
            return Charge(items[code], period, reason, tuple(self._own_rows(items[code])))
        self.told.append(reason)
        return None

    def exempt(self, found: Sequence[Charge], period: Period) -> list[Charge]:
        """The items of which a row says that the unit is charged nothing."""
        charged = {one.item.id for one in found}
        free = []
        for item in self.items:
            rated = item.rated(self.place, period.first_on, self.terms.own.get(item.id, ()))
            if item.id not in charged and isinstance(rated, Exempt):
                rows = tuple(self._named_rows(item, rated.row))
                free.append(Charge(item, period, Reason("exempt", {"row": rated.row}), rows))
        return free

    def _own_rows(self, item: BillableItem) -> list[DecidingRow]:
        return [_of_rate(one) for one in self.terms.own.get(item.id, ())]

    def _named_rows(self, item: BillableItem, name: str) -> Iterator[DecidingRow]:
        """The rows that a line names: of the unit, of several units, of its kind, or its contract."""
        names = name.split(BETWEEN_ROWS)
        for rate in (*self.terms.own.get(item.id, ()), *item.rates):
            if rate.name in names:
                yield _of_rate(rate)
        for tariff in item.tariffs.get(self.unit.kind, ()):
            if (called := kind_row(self.unit.kind, tariff)) in names and tariff.id is not None:
                yield DecidingRow("tariff", tariff.id, called, tariff.valid_from, tariff.valid_to)
        if name.startswith("contract "):
            for one in self.session.scalars(
                select(RentContract).where(RentContract.unit_id == self.unit.id).order_by(RentContract.id)
            ):
                if name.startswith(f"contract {one.number} "):
                    yield DecidingRow("rent_contract", one.id, one.number, one.valid_from, one.valid_to)

    def _rows_of_line(self, row: Any) -> Iterator[DecidingRow]:
        """The meter, pool or slip that a line is of."""
        if getattr(row, "reading_id", None) is not None:
            reading = self.session.execute(select(READING.c.meter_id).where(READING.c.id == row.reading_id))
            meter = Reason.from_json(row.explanation).inputs["meter"]
            yield DecidingRow("meter", reading.scalar_one(), str(meter))
        if getattr(row, "share_id", None) is not None:
            pool = self.session.get_one(PoolShare, row.share_id).pool
            yield DecidingRow("pool", pool.id, pool.period)
        if getattr(row, "slip_id", None) is not None:
            slip = self.session.get_one(ServiceSlip, row.slip_id)
            yield DecidingRow("service_slip", slip.id, slip.slip_no)

    def _payer_rows(self, item: BillableItem, payer_id: int, day: date) -> Iterator[DecidingRow]:
        """The row that says who pays the item, where it is not who pays for the unit (B20)."""
        usual = liability.liable(self.terms.payers, day, day, is_split=True)
        if usual and usual[0].payer == payer_id:
            return
        named = self.session.scalars(
            select(UnitItemPayer).where(
                UnitItemPayer.unit_id == self.unit.id,
                UnitItemPayer.fee_item_id == item.id,
                UnitItemPayer.owner_id == payer_id,
                UnitItemPayer.valid_from <= day,
            )
        )
        for one in named:
            if one.valid_to is None or one.valid_to >= day:
                yield DecidingRow("unit_item_payer", one.id, one.owner.name, one.valid_from, one.valid_to)


def _of_rate(one: ItemRate) -> DecidingRow:
    table = "vacancy" if one.is_vacancy else "item_rate"
    return DecidingRow(table, one.id or 0, one.name, one.valid_from, one.valid_to)
