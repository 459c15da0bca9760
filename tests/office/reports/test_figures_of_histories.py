"""Every figure over busy random histories is that of an oracle that reads raw rows (K1–K3).

GATEHOUSE_TEST_HISTORIES says how many histories are lived (default 2; goals: 1000). Each old fault, put back,
is found: the controls below.
"""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from models.complaints import Ticket
from models.property import Building, Unit
from office.billing import invoices
from office.billing.invoices import Charge, NewCreditNote
from office.reports import aggregates, catalog, collection, complaints, dashboard, integrity, nightly, rates
from office.reports.table import Wanted
from office.rooms import EXPORTS
from rules.money import from_fen, to_fen
from rules.report_rates import YearSplit, times
from tests.factories.busy_histories import MONTHS, BusyOffice
from tests.oracles.figures import Figures, rate

pytestmark = pytest.mark.long

HISTORIES = int(os.environ.get("GATEHOUSE_TEST_HISTORIES", "2"))
KINDS = {"residential": ("residence",), "tower": ("office", "shop")}
BOUNDS = (30, 60, 90, 180, 365)
DAYS = 7


def reader(session: Session) -> Callable[[str], list[dict[str, Any]]]:
    def read(table: str) -> list[dict[str, Any]]:
        rows = session.execute(text(f'SELECT * FROM "{table}" ORDER BY id'))
        return [dict(row) for row in rows.mappings()]

    return read


def fen(*amounts: Decimal) -> tuple[int, ...]:
    return tuple(to_fen(amount) for amount in amounts)


class Compared:
    """An office's figures beside the oracle's: what differs, by the name of the figure."""

    def __init__(self, office: BusyOffice, kinds: tuple[str, ...] = ("residence",)) -> None:
        self.session, self.now, self.today = office.session, office.now, office.today
        self.session.expire_all()
        self.oracle = Figures(reader(self.session), kinds)
        months = {bill.period for bill in self.oracle.bills.values()}
        self.months = sorted(months)
        self.years = sorted({month[:4] for month in months})

    @classmethod
    def of(cls, session: Session) -> Figures:
        return Figures(reader(session), ("residence",))

    def wanted(self, period: str, **more: Any) -> Wanted:
        return Wanted(period, self.now, self.today, "en", **more)

    def differences(self) -> dict[str, Any]:
        """The figures that differ: name → what the office says and what the oracle says, the first place."""
        found: dict[str, Any] = {}
        for name, place, says, should in self.all():
            if says != should:
                found.setdefault(name, (place, says, should))
        return found

    def all(self) -> Iterator[tuple[str, str, Any, Any]]:
        yield from self.collected()
        yield from self.rates()
        yield from self.targets()
        yield from self.years_split()
        yield from self.owed()
        yield from self.counted_at_night()
        yield from self.complaints()
        codes, rows = EXPORTS["units"](self.session)
        for row in (dict(zip(codes, each, strict=True)) for each in rows):
            unit = next(one["id"] for one in self.oracle.units.values() if one["code"] == row["unit_code"])
            says = fen(row["balance"], row["former_balance"], row["credit"])
            yield "units", row["unit_code"], says, self.oracle.standing(unit, self.today)
        yield "newest period", "", rates.newest_period(self.session), self.oracle.newest_period()
        yield "flask check", "", list(integrity.all_hold(self.session)), []

    def collected(self) -> Iterator[tuple[str, str, Any, Any]]:
        yield "items billed below zero", "", self.oracle.credited_above_their_item(), []
        for span in (*self.months, *self.years):
            says = {
                building: (
                    *fen(one.billed, one.paid, one.late_fees, one.deposits_billed, one.deposits_paid),
                    one.households_billed,
                    one.households_paid,
                )
                for building, one in aggregates.collected(self.session, span).items()
            }
            should = {building: one.cells for building, one in self.oracle.collected(span).items()}
            yield "collected", span, says, should
            items = {
                key: fen(one.billed, one.paid) for key, one in aggregates.by_item(self.session, span).items()
            }
            yield "by item", span, items, self.oracle.by_item(span)
            yield (
                "items billed below zero",
                span,
                [key for key, (billed, _) in items.items() if billed < 0],
                [],
            )

    def rates(self) -> Iterator[tuple[str, str, Any, Any]]:
        """The tables: each building's rates, and the total that is none of its rows."""
        names = {row.id: row.name for row in self.session.execute(select(Building.id, Building.name))}
        for span in (self.months[-1], *self.years):
            table = collection.collection(self.session, self.wanted(span))
            keys = [column.key for column in table.columns]
            lines = [dict(zip(keys, line.cells, strict=True)) for line in table.lines]
            should = {names[building]: one for building, one in self.oracle.collected(span).items()}
            says = {
                one["building"]: (one["rate_amount"], one["rate_households"])
                for one in lines
                if one["building"]
            }
            yield (
                "rates",
                span,
                says,
                {
                    name: (rate(one.paid, one.billed), rate(one.households_paid, one.households))
                    for name, one in should.items()
                },
            )
            whole = [sum(cells) for cells in zip(*(one.cells for one in should.values()), strict=True)]
            yield "rate of all", span, lines[-1]["rate_amount"], rate(whole[1], whole[0])
            tile = collection.against_target(self.session, self.wanted(span)).collected
            yield "tile", span, tile.rate_amount, lines[-1]["rate_amount"]

    def targets(self) -> Iterator[tuple[str, str, Any, Any]]:
        """The target of each building and what it misses; of all together the sum of these."""
        for span in self.months:
            table = collection.collection(self.session, self.wanted(span))
            keys = [column.key for column in table.columns]
            says = {}
            for line in table.lines:
                cells = dict(zip(keys, line.cells, strict=True))
                if "target" in cells and (not line.is_total or line is table.lines[-1]):
                    missing = cells["missing_to_target"]
                    says[cells["building"]] = cells["target"], None if missing is None else to_fen(missing)
            yield "targets", span, says, self.oracle.targets(span)

    def years_split(self) -> Iterator[tuple[str, str, Any, Any]]:
        for year in self.years:
            table = collection.year_split(self.session, self.wanted(year))
            should = self.oracle.year_split(int(year))
            says = {line.cells[0]: fen(line.cells[1], line.cells[2], line.cells[4]) for line in table.lines}
            yield "year split", year, says, should

    def owed(self) -> Iterator[tuple[str, str, Any, Any]]:
        buildings = [*self.session.scalars(select(Building.id))]
        for building in (None, *buildings):
            within = None if building is None else [building]
            table = collection.ageing(self.session, self.wanted("2026-01", building_id=building))
            says = [(to_fen(line.cells[1]), *line.cells[3:]) for line in table.lines if not line.is_total]
            yield "ageing", str(building), says, self.oracle.ageing(self.today, BOUNDS, within)

    def counted_at_night(self) -> Iterator[tuple[str, str, Any, Any]]:
        for month in self.months:
            lines = collection.unprompted(self.session, self.wanted(month)).lines
            says = lines[0].cells[1:4] if lines else (0, 0, 0)
            yield "unprompted", month, says, self.oracle.unprompted(month)
            table = collection.channels(self.session, self.wanted(month))
            channels = {line.cells[0]: (line.cells[1], line.cells[2], line.cells[4]) for line in table.lines}
            yield "channels", month, channels, self.oracle.channels(month, self.today, DAYS)

    def complaints(self) -> Iterator[tuple[str, str, Any, Any]]:
        for month in self.months:
            says = complaints.complaint_totals(self.session, self.wanted(month))
            should = self.oracle.complaints(month)
            for key in ("registered", "resolved", "rate_on_time", "rate_reopened", "rate_followed_up",
                        "rate_satisfied"):  # fmt: skip
                yield key, month, says[key], should[key]
            taken = times(should["seconds"])
            hours = says["hours_median"], says["hours_ninetieth"], says["hours_to_solve"]
            yield "hours", month, hours, (taken.median, taken.ninetieth, taken.mean)
        counts = dashboard.complaints(self.session, self.now, ())
        yield "escalated", "", (counts.escalated, counts.late), (should["escalated"], should["overdue"])
        listed = catalog.escalated(self.session, self.wanted(self.months[-1])).lines
        yield "escalated list", "", len(listed), should["escalated"]


def lived(session: Session, seed: int) -> BusyOffice:
    """A history whose nightly figures are counted once in the middle and once at the end."""
    office = BusyOffice(session, seed)
    office.live(range(MONTHS // 2))
    nightly.count_all(session, office.now)
    office.let_a_visit_be_given_up()
    office.let_a_complaint_come_back()
    office.live(range(MONTHS // 2, MONTHS))
    for _ in range(8):  # too young to be judged
        office.do(office.remind)
    nightly.count_all(session, office.now)
    return office


@pytest.mark.parametrize("seed", range(HISTORIES))
def test_every_figure_is_that_of_the_raw_rows(session: Session, seed: int) -> None:
    office = lived(session, seed)

    assert Compared(office).differences() == {}


# Controls: the old faults, put back ---------------------------------------------------------------------

collection_targets = collection.targets
ALL_PAID = "CASE WHEN i.paid > i.amount - i.credited THEN i.amount - i.credited ELSE i.paid END"


def every_kind(_session: Session) -> tuple[str, ...]:
    return ("residence", "shop", "office", "parking", "storage")


def never_falls() -> Any:
    return Ticket.level >= 1


def of_any_area(session: Session, year: int) -> dict[int | None, Decimal]:
    """The targets of a year, each read as the whole estate's."""
    found = collection_targets(session, year)
    return dict.fromkeys([None], next(reversed(found.values()))) if found else {}


class OfResolved(complaints._Tickets):
    """Complaints whose reopened ones are held against those that are resolved now."""

    def cells(self) -> tuple[Any, ...]:
        self.ever_resolved = self.resolved
        return super().cells()


def all_time(session: Session, year: int) -> tuple[YearSplit, YearSplit]:
    """This year's bills with all that was ever paid; of old arrears what was brought and what is open."""
    found = Compared.of(session)
    current, old = found.year_split(year)["current_year"], found.year_split(year)["old_arrears"]
    paid = sum(bill.income_paid() for bill in found.bills.values() if bill.period[:4] == str(year))
    return YearSplit(from_fen(current[0]), from_fen(paid)), YearSplit(
        from_fen(old[1] + old[2]), from_fen(old[1])
    )


MUTANTS: tuple[tuple[str, Any, str, Any, str], ...] = (
    # what is wrong, where, what is replaced, by what, in which figures it shows
    ("a fee is collected principal", aggregates, "PRINCIPAL_PAID", ALL_PAID, "collected"),
    ("deposits are billed income", aggregates, "_of_deposits", lambda _table: "0", "collected"),
    ("bays are households", aggregates, "household_kinds", every_kind, "collected"),
    ("bays are households", aggregates, "household_kinds", every_kind, "owed"),
    ("the year split counts all time", aggregates, "year_split", all_time, "years_split"),
    ("another area's target", collection, "targets", of_any_area, "targets"),
    ("each visit is a round", complaints, "_is_again", lambda *_visits: False, "complaints"),
    ("a score of three is satisfied", complaints, "SATISFIED_FROM", 3, "complaints"),
    ("reopened of those resolved now", complaints, "_Tickets", OfResolved, "complaints"),
    ("escalated never falls", dashboard, "is_escalated", never_falls, "complaints"),
    ("young messages are failures", nightly, "is_judged", lambda *_days: True, "counted_at_night"),
    ("unprompted goes by payments", nightly, "_paid_days", lambda *_given: {}, "counted_at_night"),
    ("waiting counts as solving", complaints, "_waits", lambda *_given: defaultdict(list), "complaints"),
)


def test_each_old_fault_put_back_is_found(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    office = BusyOffice(session, 1)
    office.live(range(MONTHS // 2))
    office.let_a_complaint_wait()
    office.do(office.let_a_complaint_come_back)
    office.live(range(MONTHS // 2, MONTHS // 2 + 3))
    office.leave_a_fee_alone()
    for _ in range(8):  # a month with bills, reminders too young to be judged
        office.do(office.charge)
        office.do(office.remind)
    unseen = []

    for what, module, name, mutant, figures in MUTANTS:
        with session.begin_nested() as savepoint, monkeypatch.context() as patch:
            patch.setattr(module, name, mutant)
            stale_again(session)
            for month in Compared(office).months:
                for report in ("unprompted", "channels"):
                    nightly.count(session, report, month, office.now)
            if all(says == should for _name, _place, says, should in getattr(Compared(office), figures)()):
                unseen.append(what)
            savepoint.rollback()

    assert unseen == []


def stale_again(session: Session) -> None:
    """Every cell is to be counted anew."""
    session.execute(
        text(
            "INSERT INTO figures_stale (building_id, period) "
            "SELECT DISTINCT u.building_id, i.period FROM invoice i JOIN unit u ON u.id = i.unit_id"
        )
    )
    session.expire_all()


def test_a_credit_note_above_its_item_put_back_is_found(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Control: without the guard an item would be billed below zero; the database itself refuses it (M8)."""
    monkeypatch.setattr(invoices, "_left_of", lambda *_given: Decimal(10**6))
    office = BusyOffice(session, 1)
    office.live(range(1))
    unit_id = office.any_of(Unit.id)
    asked = [Charge("repair", Decimal(1), Decimal(30)), Charge("garbage", Decimal(1), Decimal(50))]
    bill = invoices.charge(
        session, unit_id=unit_id, payer_id=office.payer_of(unit_id), charges=asked, due_on=office.today,
        now=office.now,
    )  # fmt: skip
    item = min(bill.lines, key=lambda line: line.amount).fee_item_id
    note = NewCreditNote(bill.id, Decimal(70), "x", office.staff["director"], "goodwill", item)

    with pytest.raises(DBAPIError, match="invoice_sums_are_those_of_its_lines"):
        invoices.credit_note(session, note, now=office.now)
