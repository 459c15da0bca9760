"""Reports about money: who paid what, against which target, and what is owed since when and why (K1, K2)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import ColumnElement, case, func, select
from sqlalchemy.orm import Session

from models.billing import FeeItem, Invoice
from models.collection import Contact
from models.office import CollectionTarget
from models.people import Staff, StaffRole, steward_building
from models.property import Unit
from office.policies import store
from office.reports import aggregates, nightly
from office.reports import rates as reports_rates
from office.reports.table import Chart, Column, Line, Link, Place, Table, Wanted, places
from rules.billing import Basis, BillingDocument
from rules.money import ZERO
from rules.report_rates import (
    Collected,
    age_band,
    age_bands,
    distance,
    is_old_arrears,
    kept_rate,
    missing_to_target,
    percent,
)


def targets(session: Session, year: int) -> dict[int | None, Decimal]:
    """The targets of a year in percent, by area; under None that of the estate (K1)."""
    rows = session.execute(
        select(CollectionTarget.area_id, CollectionTarget.percent)
        .where(CollectionTarget.year == year)
        .order_by(CollectionTarget.id)
    )
    return {area_id: Decimal(percent_) for area_id, percent_ in rows}


def own_target(session: Session, wanted: Wanted, aims: Mapping[int | None, Decimal]) -> Decimal | None:
    """The target of the wanted part of the estate: its area's, else the estate's; None without one (K1)."""
    area_id = wanted.area_id
    if wanted.building_id:
        area_id = next((place.area_id for place in places(session, wanted)), area_id)
    return aims.get(area_id, aims.get(None))


def summed(many: Iterable[Collected]) -> Collected:
    return sum(many, Collected())


def collected(session: Session, wanted: Wanted, period: str = "") -> dict[int, Collected]:
    """What each building's bills of the period brought; of one fee item without households (K1)."""
    span = period or wanted.period
    if wanted.fee_item_id is None:
        return aggregates.collected(session, span)
    by_item = aggregates.by_item(session, span)
    return {building: found for (building, item), found in by_item.items() if item == wanted.fee_item_id}


@dataclass(frozen=True)
class AgainstTarget:
    """What a part of the estate brought, its own target, and the yuan that its buildings miss to theirs."""

    collected: Collected
    target: Decimal | None
    missing: Decimal | None

    @property
    def points(self) -> Decimal | None:
        return None if self.target is None else distance(self.collected.rate_amount, self.target)


def against_target(session: Session, wanted: Wanted) -> AgainstTarget:
    """The wanted part of the estate against its target: the last line of `collection` (K1)."""
    found, aims = collected(session, wanted), targets(session, wanted.year)
    here = [place for place in places(session, wanted) if place.building_id in found]
    gaps = [
        gap
        for place in here
        if (gap := _missing(found[place.building_id], aims.get(place.area_id, aims.get(None)))) is not None
    ]
    return AgainstTarget(
        summed(found[place.building_id] for place in here),
        own_target(session, wanted, aims),
        sum(gaps, ZERO) if gaps else None,
    )


# --- collection (K1) ------------------------------------------------------------------------------------


def collected_columns(wanted: Wanted, *, has_target: bool) -> tuple[Column, ...]:
    """What a line says of bills and payments; what a target adds only where there is one.

    A household owes a bill, not an item of it, and a late fee is for a bill: of one fee item nothing is said
    of either.
    """
    aim = (
        Column("target", "rate"),
        Column("points_to_target", "points"),
        Column("missing_to_target", "money"),
    )
    of_bills = (
        Column("late_fees_paid", "money"),
        Column("households_billed", "count"),
        Column("households_paid", "count"),
        Column("rate_households", "rate"),
    )
    return (
        Column("billed", "money"),
        Column("collected", "money"),
        Column("rate_amount", "rate"),
        *(aim if has_target else ()),
        *(of_bills if wanted.fee_item_id is None else ()),
    )


def _collected(found: Collected, target: Decimal | None, columns: Iterable[Column]) -> tuple[Any, ...]:
    """The cells of a line that is no total."""
    return _measured(AgainstTarget(found, target, _missing(found, target)), columns)


def _measured(line: AgainstTarget, columns: Iterable[Column]) -> tuple[Any, ...]:
    found = line.collected
    values = {
        "billed": found.billed,
        "collected": found.paid,
        "rate_amount": found.rate_amount,
        "target": line.target,
        "points_to_target": line.points,
        "missing_to_target": line.missing,
        "late_fees_paid": found.late_fees,
        "households_billed": found.households_billed,
        "households_paid": found.households_paid,
        "rate_households": found.rate_households,
    }
    return tuple(values[column.key] for column in columns)


def _missing(found: Collected, aim: Decimal | None) -> Decimal | None:
    """What a line misses to its target; None without one."""
    return None if aim is None else missing_to_target(found, aim)


def _bills(wanted: Wanted, period: str = "", building_id: int | None = None) -> Link | None:
    """The list of the bills that a line counts; none where no list is narrowed alike."""
    if wanted.fee_item_id:
        return None
    query = {"period": period or wanted.period}
    if building_id or wanted.building_id:
        return Link("invoices", {**query, "unit_building_id": str(building_id or wanted.building_id)})
    return Link("invoices", query) if wanted.is_whole else None


def collection(session: Session, wanted: Wanted) -> Table:
    """The collection rate of each building, behind them their area, at the end all together (K1).

    Each line is measured at its own target; what a total misses is what its buildings miss together.
    """
    found, aims = collected(session, wanted), targets(session, wanted.year)
    columns = collected_columns(wanted, has_target=bool(aims))
    by_area: dict[int, list[Place]] = defaultdict(list)
    for place in places(session, wanted):
        if place.building_id in found:
            by_area[place.area_id].append(place)
    lines: list[Line] = []
    for area_id, within in by_area.items():
        aim = aims.get(area_id, aims.get(None))
        parts = [found[place.building_id] for place in within]
        lines += [
            Line(
                (place.area, place.building, *_collected(part, aim, columns)),
                _bills(wanted, building_id=place.building_id),
            )
            for place, part in zip(within, parts, strict=True)
        ]
        if len(within) > 1:
            gaps = [gap for part in parts if (gap := _missing(part, aim)) is not None]
            area = AgainstTarget(summed(parts), aim, sum(gaps, ZERO) if gaps else None)
            lines.append(Line((within[0].area, "", *_measured(area, columns)), is_total=True))
    if by_area:
        cells = _measured(against_target(session, wanted), columns)
        lines.append(Line(("", "", *cells), _bills(wanted), is_total=True))
    return Table("collection", (Column("area"), Column("building"), *columns), tuple(lines), head=1)


def by_month(session: Session, wanted: Wanted) -> Table:
    """The collection rate of each month of the year (K1)."""
    aim = own_target(session, wanted, targets(session, wanted.year))
    columns = (Column("month", "month"), *collected_columns(wanted, has_target=aim is not None))
    lines = []
    for month, whole in _months(session, wanted):
        if whole.billed or whole.households_billed:
            lines.append(Line((month, *_collected(whole, aim, columns[1:])), _bills(wanted, month)))
    rates = tuple(place for place, column in enumerate(columns) if column.key.startswith("rate_"))
    return Table("by_month", columns, tuple(lines), Chart(0, rates, "line", aim))


def _months(session: Session, wanted: Wanted) -> Iterator[tuple[str, Collected]]:
    """What each month's bills brought, of the wanted part; the whole estate in one query."""
    if wanted.is_whole and wanted.fee_item_id is None:
        yield from sorted(aggregates.by_month(session, wanted.year).items())
        return
    own = {place.building_id for place in places(session, wanted)}
    for month in (f"{wanted.year:04}-{number:02}" for number in range(1, 13)):
        found = collected(session, wanted, month)
        yield month, summed(each for key, each in found.items() if key in own)


def stewards(session: Session, wanted: Wanted) -> Table:
    """What each steward's buildings brought; a building of two stewards counts for both (K1, K5)."""
    found, aim = collected(session, wanted), targets(session, wanted.year).get(None)
    columns = collected_columns(wanted, has_target=aim is not None)
    rows = session.execute(
        select(Staff.id, Staff.name, steward_building.c.building_id)
        .join(StaffRole, (StaffRole.staff_id == Staff.id) & (StaffRole.role == "steward"))
        .join(steward_building, steward_building.c.staff_id == Staff.id)
        .where(Staff.is_active)
        .order_by(Staff.name, Staff.id)
    )
    within = {place.building_id for place in places(session, wanted)}
    people: dict[tuple[int, str], list[Collected]] = defaultdict(list)
    for staff_id, name, building_id in rows:
        if building_id in within and (wanted.steward_id in {None, staff_id}):
            people[staff_id, name].append(found.get(building_id, Collected()))
    lines = [
        Line(
            (name, len(parts), *_collected(summed(parts), aim, columns)),
            _narrowed(wanted, steward=staff_id),
        )
        for (staff_id, name), parts in people.items()
    ]
    named = (Column("steward"), Column("buildings", "count"))
    return Table("stewards", (*named, *columns), tuple(lines), Chart(0, (4,), "bar", aim))


def _narrowed(wanted: Wanted, **more: int) -> Link:
    """The collection rates of the period and place, narrowed further."""
    chosen = {
        "area": wanted.area_id,
        "building": wanted.building_id,
        "steward": wanted.steward_id,
        "fee_item": wanted.fee_item_id,
        **more,
    }
    asked = {name: str(value) for name, value in chosen.items() if value}
    return Link("reports", {"report": "collection", "period": wanted.period, **asked})


def fee_items(session: Session, wanted: Wanted) -> Table:
    """What each fee item brought; a bill's money lies on its items in proportion (K1).

    Refundable deposits, which are no income, stand behind the others.
    """
    own = None if wanted.is_whole else {place.building_id for place in places(session, wanted)}
    found: dict[int, Collected] = defaultdict(Collected)
    for (building, item_id), each in aggregates.by_item(session, wanted.period).items():
        if own is None or building in own:
            found[item_id] += each
    is_deposit = case((FeeItem.basis == Basis.DEPOSIT.value, 1), else_=0)
    items = session.scalars(select(FeeItem).order_by(is_deposit, FeeItem.position, FeeItem.id))
    lines = [
        Line(
            (
                item.name_in(wanted.language),
                found[item.id].billed,
                found[item.id].paid,
                found[item.id].billed - found[item.id].paid,
                found[item.id].rate_amount,
            ),
            _narrowed(wanted, fee_item=item.id),
        )
        for item in items
        if item.id in found and wanted.fee_item_id in {None, item.id}
    ]
    columns = (
        Column("fee_item"),
        Column("billed", "money"),
        Column("collected", "money"),
        Column("open", "money"),
        Column("rate_amount", "rate"),
    )
    return Table("fee_items", columns, tuple(lines), Chart(0, (4,), "bar"))


def year_split(session: Session, wanted: Wanted) -> Table:
    """The year's bills against old arrears: what was paid in the year, what is open now (K1, 当年款/往年款).

    Rates are principal of principal, without deposits; what is open holds all, as the list behind it.
    """
    still_open = open_by_year(session, wanted.year)
    current, old = aggregates.year_split(session, wanted.year)
    is_present = wanted.year == wanted.today.year  # the list of old arrears goes by today
    links = {
        "current_year": Link("invoices", {"period": str(wanted.year), "view": "open"}),
        "old_arrears": Link("invoices", {"view": "old"}) if is_present else None,
    }
    lines = tuple(
        Line((which, found.asked, found.paid, found.rate, still_open[which]), links[which])
        for which, found in (("current_year", current), ("old_arrears", old))
    )
    columns = (
        Column("which_bills", "code", "split"),
        Column("asked_in_year", "money"),
        Column("collected_in_year", "money"),
        Column("collection_rate", "rate"),
        Column("open_now", "money"),
    )
    return Table("year_split", columns, lines)


def open_by_year(session: Session, year: int) -> dict[str, Decimal]:
    """What is open now of a year's bills and of those of earlier years, in yuan (K1)."""
    found = {"current_year": ZERO, "old_arrears": ZERO}
    for owed in aggregates.owed(session):
        if is_old_arrears(int(owed.period[:4]), year):
            found["old_arrears"] += owed.amount
        elif int(owed.period[:4]) == year:
            found["current_year"] += owed.amount
    return found


# --- arrears (K2) ---------------------------------------------------------------------------------------


def _bands(session: Session, wanted: Wanted) -> Any:
    return age_bands(store.in_force(session, BillingDocument, wanted.today).ageing.bounds)


def _overdue(wanted: Wanted, **query: str) -> Link | None:
    """The list of overdue bills that a line counts; none where no list is narrowed alike."""
    if wanted.area_id or wanted.steward_id:
        return None
    building = {"unit_building_id": str(wanted.building_id)} if wanted.building_id else {}
    return Link("invoices", {"view": "overdue", **query, **building})


def _band_link(band: Any, wanted: Wanted) -> Link | None:
    """The overdue bills of one column: those due so many days ago."""
    today = wanted.today
    found = {"due_on_to": str(today - timedelta(days=max(band.from_days, 1)))}
    if band.to_days is not None:
        found["due_on_from"] = str(today - timedelta(days=band.to_days))
    return _overdue(wanted, **found)


def ageing(session: Session, wanted: Wanted) -> Table:
    """What is past due today by age; a household counts once, at its oldest debt (K2)."""
    rows = reports_rates.ageing(session, wanted.today) if wanted.is_whole else _ageing_of(session, wanted)
    bands = {band.code: band for band in _bands(session, wanted)}
    whole = sum((row.amount for row in rows), ZERO)
    lines = [
        Line(
            (row.code, row.amount, percent(row.amount, whole), row.invoices, row.households),
            _band_link(bands[row.code], wanted),
        )
        for row in rows
    ]
    lines.append(
        Line(
            (
                "",
                whole,
                None,
                sum(row.invoices for row in rows),
                sum(row.households for row in rows),
            ),
            _overdue(wanted),
            is_total=True,
        )
    )
    columns = (
        Column("days_past_due"),
        Column("overdue_amount", "money"),
        Column("share", "rate"),
        Column("invoices", "count"),
        Column("households", "count"),
    )
    return Table("ageing", columns, tuple(lines), Chart(0, (1,)))


def _ageing_of(session: Session, wanted: Wanted) -> list[reports_rates.AgeRow]:
    """The same of a part of the estate, read from its open bills."""
    bands = _bands(session, wanted)
    units = select(Unit.id).where(Unit.building_id.in_([one.building_id for one in places(session, wanted)]))
    rows = session.execute(
        select(Invoice.unit_id, Invoice.due_on, Invoice.balance, _is_household(session))
        .join(Unit, Unit.id == Invoice.unit_id)
        .where(Invoice.balance > 0, Invoice.due_on < wanted.today, Invoice.unit_id.in_(units))
        .order_by(Invoice.due_on, Invoice.id)
    )
    found = {band.code: reports_rates.AgeRow(band.code, ZERO, 0, 0) for band in bands}
    seen: set[int] = set()
    for unit_id, due_on, balance, is_household in rows:
        band = age_band(bands, due_on, wanted.today)
        assert band is not None
        row, is_new = found[band.code], is_household and unit_id not in seen
        seen.add(unit_id)
        found[band.code] = reports_rates.AgeRow(
            band.code, row.amount + balance, row.invoices + 1, row.households + is_new
        )
    return list(found.values())


def _is_household(session: Session) -> ColumnElement[bool]:
    """Whether a unit counts as a household (K1)."""
    return Unit.kind.in_(aggregates.household_kinds(session))


def arrears_reasons(session: Session, wanted: Wanted) -> Table:
    """What is past due by the reason that was last heard from the payer, and by age (K2, C7)."""
    bands = _bands(session, wanted)
    amounts: dict[str, dict[str, Decimal]] = defaultdict(lambda: defaultdict(lambda: ZERO))
    homes: dict[str, set[int]] = defaultdict(set)
    for unit_id, due_on, balance, reason, is_household in _late_of_heard(session, wanted):
        band = age_band(bands, due_on, wanted.today)
        assert band is not None
        amounts[reason or ""][band.code] += balance
        homes[reason or ""] |= {unit_id} if is_household else set()
    households = {reason: len(units) for reason, units in homes.items()}
    # the others gave no reason: what is past due in all, less what is reported here
    reported = {band.code: sum((by[band.code] for by in amounts.values()), ZERO) for band in bands}
    known = set().union(*homes.values()) if homes else set()
    rows = reports_rates.ageing(session, wanted.today) if wanted.is_whole else _ageing_of(session, wanted)
    for row in rows:
        if row.amount != reported[row.code]:
            amounts[""][row.code] += row.amount - reported[row.code]
    if others := sum(row.households for row in rows) - len(known):
        households[""] = households.get("", 0) + others
    order = sorted(amounts, key=lambda reason: (reason == "", -sum(amounts[reason].values())))
    lines = [
        Line(
            (
                reason,
                households.get(reason, 0),
                *(amounts[reason].get(band.code, ZERO) for band in bands),
                sum(amounts[reason].values(), ZERO),
            ),
        )
        for reason in order
    ]
    columns = (
        Column("arrears_reason", "code", "arrears"),
        Column("households", "count"),
        *(Column(f"={band.code}", "money") for band in bands),
        Column("sum", "money"),
    )
    return Table("arrears_reasons", columns, tuple(lines), Chart(0, (len(columns) - 1,)))


def _late_of_heard(session: Session, wanted: Wanted) -> Iterator[Any]:
    """What is past due where a reason was heard: unit, due day, yuan, the last reason, if a household."""
    newest = (
        select(
            Contact.unit_id,
            Contact.payer_id,
            Contact.arrears_reason.label("reason"),
            func.row_number()
            .over(
                partition_by=(Contact.unit_id, Contact.payer_id),
                order_by=(Contact.at.desc(), Contact.id.desc()),
            )
            .label("place"),
        )
        .where(Contact.arrears_reason != "")
        .subquery()
    )
    heard = select(newest).where(newest.c.place == 1).subquery()
    units = select(Contact.unit_id).where(Contact.arrears_reason != "")
    late = (
        select(Invoice.unit_id, Invoice.due_on, Invoice.balance, heard.c.reason, _is_household(session))
        .join(Unit, Unit.id == Invoice.unit_id)
        .outerjoin(heard, (heard.c.unit_id == Invoice.unit_id) & (heard.c.payer_id == Invoice.payer_id))
        .where(Invoice.balance > 0, Invoice.due_on < wanted.today, Invoice.unit_id.in_(units))
    )
    if not wanted.is_whole:
        own = [place.building_id for place in places(session, wanted)]
        late = late.where(Invoice.unit_id.in_(select(Unit.id).where(Unit.building_id.in_(own))))
    yield from session.execute(late)


def promises(session: Session, wanted: Wanted) -> Table:
    """Promises whose day lies in the period, by who took them (K2, C6)."""
    first, last = wanted.days()
    query = (
        select(Staff.name, Contact.promise_state, func.count(), func.sum(Contact.promised_amount))
        .outerjoin(Staff, Staff.id == Contact.staff_id)
        .where(Contact.promised_on >= first, Contact.promised_on <= last, Contact.promise_state != "")
        .group_by(Staff.id, Staff.name, Contact.promise_state)
    )
    if not wanted.is_whole:
        own = [place.building_id for place in places(session, wanted)]
        query = query.where(Contact.unit_id.in_(select(Unit.id).where(Unit.building_id.in_(own))))
    counts: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    promised: dict[str, Decimal] = defaultdict(lambda: ZERO)
    for name, state, count, amount in session.execute(query):
        counts[name or ""][state] += count
        promised[name or ""] += amount or ZERO
    days = {"promised_on_from": str(first), "promised_on_to": str(last)}
    lines = [Line(_kept(name, promised[name], states)) for name, states in sorted(counts.items())]
    if lines:
        whole: dict[str, int] = defaultdict(int)
        for states in counts.values():
            for state, count in states.items():
                whole[state] += count
        total = _kept(None, sum(promised.values(), ZERO), whole)
        link = Link("contacts", days) if wanted.is_whole else None
        lines.append(Line(total, link, is_total=True))
    columns = (
        Column("taken_by"),
        Column("promised_amount", "money"),
        Column("promise_open", "count"),
        Column("promise_kept", "count"),
        Column("promise_broken", "count"),
        Column("rate_kept", "rate"),
    )
    return Table("promises", columns, tuple(lines))


def _kept(name: str | None, promised: Decimal, states: Mapping[str, int]) -> tuple[Any, ...]:
    waiting, kept, broken = (states.get(state, 0) for state in ("open", "kept", "broken"))
    return (name or "", promised, waiting, kept, broken, kept_rate(kept, broken))


def unprompted(session: Session, wanted: Wanted) -> Table:
    """Who paid before any reminder went out, by month; counted at night (K2, 主动缴费率)."""
    counts = nightly.counted(session, "unprompted", wanted.months())
    lines = []
    for month in sorted(counts):
        found = counts[month].figures["all"]
        if found["billed"]:
            lines.append(
                Line(
                    (
                        month,
                        found["billed"],
                        found["paid"],
                        found["unprompted"],
                        percent(found["unprompted"], found["billed"]),
                        percent(found["unprompted"], found["paid"]),
                        counts[month].at,
                    ),
                    Link("reports", {"report": "collection", "period": month}),
                )
            )
    columns = (
        Column("month", "month"),
        Column("households_billed", "count"),
        Column("households_paid", "count"),
        Column("unprompted", "count"),
        Column("rate_unprompted", "rate"),
        Column("share_of_paid", "rate"),
        Column("counted_at", "instant"),
    )
    chart = Chart(0, (4,), "line") if len(lines) > 1 else None
    return Table("unprompted", columns, tuple(lines), chart, _oldest(counts), is_counted=True)


def channels(session: Session, wanted: Wanted) -> Table:
    """Reminders by the way they went, and how many were followed by a payment; counted at night (K2)."""
    counts = nightly.counted(session, "channels", wanted.months())
    sums: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    at: dict[str, datetime] = {}
    for count in counts.values():
        for channel, found in count.figures.items():
            at[channel] = min(count.at, at.get(channel, count.at))
            for name, value in found.items():
                sums[channel][name] += value
    lines = tuple(
        Line(
            (
                channel,
                found["sent"],
                found["effect"],
                percent(found["effect"], found["sent"]),
                found["young"],
                at[channel],
            )
        )
        for channel, found in sorted(sums.items(), key=lambda item: (-item[1]["sent"], item[0]))
    )
    columns = (
        Column("sent_by", "code", "out"),
        Column("reminders", "count"),
        Column("paid_after", "count"),
        Column("rate_effect", "rate"),
        Column("too_young", "count"),
        Column("counted_at", "instant"),
    )
    return Table("channels", columns, lines, Chart(0, (3,)), _oldest(counts), is_counted=True)


def _oldest(counts: Mapping[str, nightly.NightlyCount]) -> datetime | None:
    return min((count.at for count in counts.values()), default=None)
