"""Reports about money: who paid what, against which target, and what is owed since when and why (K1, K2)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import func, select
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
from rules.billing import BillingDocument
from rules.money import ZERO, from_fen
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


def summed(many: Iterable[Collected]) -> Collected:
    return sum(many, Collected())


def collected(session: Session, wanted: Wanted, period: str = "") -> dict[int, Collected]:
    """What each building's bills of the period brought; of one fee item without households (K1)."""
    span = period or wanted.period
    if wanted.fee_item_id is None:
        return aggregates.collected(session, span)
    by_item = aggregates.by_item(session, span)
    return {building: found for (building, item), found in by_item.items() if item == wanted.fee_item_id}


def of_estate(session: Session, wanted: Wanted) -> Collected:
    """What the wanted part of the estate's bills of the period brought (K1)."""
    found = collected(session, wanted)
    if wanted.is_whole:
        return summed(found.values())
    return summed(found.get(place.building_id, Collected()) for place in places(session, wanted))


# --- collection (K1) ------------------------------------------------------------------------------------


def collected_columns(wanted: Wanted, *, has_target: bool) -> tuple[Column, ...]:
    """What a line says of bills and payments; what a target adds only where there is one.

    A household owes a bill, not an item of it: of one fee item nothing is said of households.
    """
    aim = (
        Column("target", "rate"),
        Column("points_to_target", "points"),
        Column("missing_to_target", "money"),
    )
    households = (
        Column("households_billed", "count"),
        Column("households_paid", "count"),
        Column("rate_households", "rate"),
    )
    return (
        Column("billed", "money"),
        Column("collected", "money"),
        Column("rate_amount", "rate"),
        *(aim if has_target else ()),
        *(households if wanted.fee_item_id is None else ()),
    )


def _collected(found: Collected, target: Decimal | None, columns: Iterable[Column]) -> tuple[Any, ...]:
    values = {
        "billed": found.billed,
        "collected": found.paid,
        "rate_amount": found.rate_amount,
        "target": target,
        "points_to_target": None if target is None else distance(found.rate_amount, target),
        "missing_to_target": None if target is None else missing_to_target(found, target),
        "households_billed": found.households_billed,
        "households_paid": found.households_paid,
        "rate_households": found.rate_households,
    }
    return tuple(values[column.key] for column in columns)


def _bills(wanted: Wanted, **query: Any) -> Link:
    return Link("invoices", {"period": wanted.period, **{name: str(value) for name, value in query.items()}})


def collection(session: Session, wanted: Wanted) -> Table:
    """The collection rate of each building, behind them their area, at the end all together (K1)."""
    found, aims = collected(session, wanted), targets(session, wanted.year)
    columns = collected_columns(wanted, has_target=bool(aims))
    by_area: dict[int, list[Place]] = defaultdict(list)
    for place in places(session, wanted):
        if place.building_id in found:
            by_area[place.area_id].append(place)
    lines: list[Line] = []
    for area_id, within in by_area.items():
        aim = aims.get(area_id, aims.get(None))
        lines += [
            Line(
                (place.area, place.building, *_collected(found[place.building_id], aim, columns)),
                _bills(wanted, unit_building_id=place.building_id),
            )
            for place in within
        ]
        area = summed(found[place.building_id] for place in within)
        if len(within) > 1:
            lines.append(Line((within[0].area, "", *_collected(area, aim, columns)), is_total=True))
    if by_area:
        everything = summed(found[place.building_id] for within in by_area.values() for place in within)
        lines.append(
            Line(
                ("", "", *_collected(everything, aims.get(None), columns)),
                _bills(wanted),
                is_total=True,
            )
        )
    return Table("collection", (Column("area"), Column("building"), *columns), tuple(lines), head=1)


def by_month(session: Session, wanted: Wanted) -> Table:
    """The collection rate of each month of the year (K1)."""
    aim = targets(session, wanted.year).get(None)
    columns = (Column("month", "month"), *collected_columns(wanted, has_target=aim is not None))
    lines = []
    for month, whole in _months(session, wanted):
        if whole.billed or whole.households_billed:
            link = Link("invoices", {"period": month})
            lines.append(Line((month, *_collected(whole, aim, columns[1:])), link))
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
            Link("reports", {"report": "collection", "period": wanted.period, "steward": str(staff_id)}),
        )
        for (staff_id, name), parts in people.items()
    ]
    named = (Column("steward"), Column("buildings", "count"))
    return Table("stewards", (*named, *columns), tuple(lines), Chart(0, (4,), "bar", aim))


def fee_items(session: Session, wanted: Wanted) -> Table:
    """What each fee item brought; a bill's money lies on its items in proportion (K1)."""
    own = None if wanted.is_whole else {place.building_id for place in places(session, wanted)}
    found: dict[int, Collected] = defaultdict(Collected)
    for (building, item_id), each in aggregates.by_item(session, wanted.period).items():
        if own is None or building in own:
            found[item_id] += each
    items = session.scalars(select(FeeItem).order_by(FeeItem.position, FeeItem.id))
    lines = [
        Line(
            (
                item.name_in(wanted.language),
                found[item.id].billed,
                found[item.id].paid,
                found[item.id].billed - found[item.id].paid,
                found[item.id].rate_amount,
            ),
            Link("invoices", {"period": wanted.period}),
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
    """This year's bills against old arrears: collected in the year, open now (K1, 当年款/往年款)."""
    current, old = ZERO, ZERO
    for owed in aggregates.owed(session):
        if is_old_arrears(int(owed.period[:4]), wanted.year):
            old += owed.amount
        elif int(owed.period[:4]) == wanted.year:
            current += owed.amount
    this_year = summed(aggregates.collected(session, str(wanted.year)).values())
    count = nightly.counted(session, "old_arrears", [str(wanted.year)]).get(str(wanted.year))
    brought = from_fen(count.figures["all"]["paid"]) if count else None
    first = f"{wanted.year:04}-01-01"
    lines = (
        Line(
            ("current_year", this_year.paid, current, this_year.rate_amount),
            Link("invoices", {"period": str(wanted.year), "view": "open"}),
        ),
        Line(
            ("old_arrears", brought, old, None if brought is None else percent(brought, brought + old)),
            Link(
                "invoices", {"view": "open", "due_on_to": str(date.fromisoformat(first) - timedelta(days=1))}
            ),
        ),
    )
    columns = (
        Column("which_bills", "code", "split"),
        Column("collected_in_year", "money"),
        Column("open", "money"),
        Column("collection_rate", "rate"),
    )
    return Table("year_split", columns, lines, counted_at=count.at if count else None, is_counted=True)


# --- arrears (K2) ---------------------------------------------------------------------------------------


def _bands(session: Session, wanted: Wanted) -> Any:
    return age_bands(store.in_force(session, BillingDocument, wanted.today).ageing.bounds)


def _band_link(band: Any, today: date, **query: str) -> Link:
    """The overdue bills of one column: those due so many days ago."""
    found = {"view": "overdue", "due_on_to": str(today - timedelta(days=max(band.from_days, 1))), **query}
    if band.to_days is not None:
        found["due_on_from"] = str(today - timedelta(days=band.to_days))
    return Link("invoices", found)


def ageing(session: Session, wanted: Wanted) -> Table:
    """What is past due today by age; a household counts once, at its oldest debt (K2)."""
    rows = reports_rates.ageing(session, wanted.today) if wanted.is_whole else _ageing_of(session, wanted)
    bands = {band.code: band for band in _bands(session, wanted)}
    building = {"unit_building_id": str(wanted.building_id)} if wanted.building_id else {}
    whole = sum((row.amount for row in rows), ZERO)
    lines = [
        Line(
            (row.code, row.amount, percent(row.amount, whole), row.invoices, row.households),
            _band_link(bands[row.code], wanted.today, **building),
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
            Link("invoices", {"view": "overdue", **building}),
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
        select(Invoice.unit_id, Invoice.due_on, Invoice.balance)
        .where(Invoice.balance > 0, Invoice.due_on < wanted.today, Invoice.unit_id.in_(units))
        .order_by(Invoice.due_on, Invoice.id)
    )
    found = {band.code: reports_rates.AgeRow(band.code, ZERO, 0, 0) for band in bands}
    seen: set[int] = set()
    for unit_id, due_on, balance in rows:
        band = age_band(bands, due_on, wanted.today)
        assert band is not None
        row, is_new = found[band.code], unit_id not in seen
        seen.add(unit_id)
        found[band.code] = reports_rates.AgeRow(
            band.code, row.amount + balance, row.invoices + 1, row.households + is_new
        )
    return list(found.values())


def arrears_reasons(session: Session, wanted: Wanted) -> Table:
    """What is past due by the reason that was last heard from the payer, and by age (K2, C7)."""
    bands = _bands(session, wanted)
    amounts: dict[str, dict[str, Decimal]] = defaultdict(lambda: defaultdict(lambda: ZERO))
    homes: dict[str, set[int]] = defaultdict(set)
    for unit_id, due_on, balance, reason in _late_of_heard(session, wanted):
        band = age_band(bands, due_on, wanted.today)
        assert band is not None
        amounts[reason or ""][band.code] += balance
        homes[reason or ""].add(unit_id)
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
                households[reason],
                *(amounts[reason].get(band.code, ZERO) for band in bands),
                sum(amounts[reason].values(), ZERO),
            ),
            Link("contacts", {"arrears_reason": reason}) if reason else Link("invoices", {"view": "overdue"}),
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
    """What is past due at units where a reason was heard: unit, due day, yuan, its payer's last reason."""
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
        select(Invoice.unit_id, Invoice.due_on, Invoice.balance, heard.c.reason)
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
    lines = [
        Line(_kept(name, promised[name], states), Link("contacts", days))
        for name, states in sorted(counts.items())
    ]
    if lines:
        whole: dict[str, int] = defaultdict(int)
        for states in counts.values():
            for state, count in states.items():
                whole[state] += count
        total = _kept(None, sum(promised.values(), ZERO), whole)
        lines.append(Line(total, Link("contacts", days), is_total=True))
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
                    ),
                    Link("invoices", {"period": month, "state": "paid"}),
                )
            )
    columns = (
        Column("month", "month"),
        Column("households_billed", "count"),
        Column("households_paid", "count"),
        Column("unprompted", "count"),
        Column("rate_unprompted", "rate"),
        Column("share_of_paid", "rate"),
    )
    chart = Chart(0, (4,), "line") if len(lines) > 1 else None
    return Table("unprompted", columns, tuple(lines), chart, _oldest(counts), is_counted=True)


def channels(session: Session, wanted: Wanted) -> Table:
    """Reminders by the way they went, and how many were followed by a payment; counted at night (K2)."""
    counts = nightly.counted(session, "channels", wanted.months())
    sums: dict[str, dict[str, int]] = defaultdict(lambda: {"sent": 0, "effect": 0})
    for count in counts.values():
        for channel, found in count.figures.items():
            sums[channel]["sent"] += found["sent"]
            sums[channel]["effect"] += found["effect"]
    first, last = wanted.days()
    lines = tuple(
        Line(
            (channel, found["sent"], found["effect"], percent(found["effect"], found["sent"])),
            Link(
                "reminders",
                {"channel": channel, "planned_on_from": str(first), "planned_on_to": str(last)},
            ),
        )
        for channel, found in sorted(sums.items(), key=lambda item: (-item[1]["sent"], item[0]))
    )
    columns = (
        Column("sent_by", "code", "out"),
        Column("reminders", "count"),
        Column("paid_after", "count"),
        Column("rate_effect", "rate"),
    )
    return Table("channels", columns, lines, Chart(0, (3,)), _oldest(counts), is_counted=True)


def _oldest(counts: Mapping[str, nightly.NightlyCount]) -> datetime | None:
    return min((count.at for count in counts.values()), default=None)
