"""Every line of every bill, from the terms that were given and the rows that rates, pools, contracts say."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from itertools import pairwise

from tests.oracles.estates.files import (
    DAY,
    END,
    NIL,
    ONE,
    TO_FEN,
    WIDE,
    Estate,
    Row,
    day,
    later,
    month_days,
    month_of,
    number,
    paying,
    raw,
    shared,
    split,
)

MONTHLY = {"per_m2", "per_person", "fixed"}
Days = tuple[date, date]


@dataclass(frozen=True, order=True)
class Line:
    """A line as it must stand on a bill; sums in yuan."""

    period: str
    unit: str
    payer: str
    item: str
    first: str
    last: str
    quantity: Decimal
    rate: Decimal
    months: int
    factor: Decimal
    amount: Decimal
    raw: Decimal

    @property
    def named(self) -> str:
        return f"{self.unit} {self.payer} {self.period} {self.item} {self.first}–{self.last}"


def stated(estate: Estate) -> list[Line]:
    """The lines that the program exported of its regular bills."""
    bills = {one["number"]: one for one in estate.out("invoices")}
    return sorted(
        Line(
            bill["period"],
            bill["unit_code"],
            bill["payer_name"],
            one["fee_item"],
            one["service_from"],
            one["service_to"],
            Decimal(one["quantity"]),
            Decimal(one["rate"]),
            int(one["months"]),
            Decimal(one["factor"]),
            Decimal(one["amount"]),
            number(one["raw_amount"]),
        )
        for one in estate.out("invoice_lines")
        if (bill := bills[one["invoice_number"]])["kind"] == "regular"
    )


def expected(estate: Estate) -> Iterator[Line]:
    """The lines that a year of bills must have."""
    by_basis: dict[str, list[str]] = defaultdict(list)
    for code, row in estate.items.items():
        if row["is_active"] == "true":
            by_basis["monthly" if row["basis"] in MONTHLY else row["basis"]].append(code)
    for period in estate.periods:
        for unit in estate.units:
            for item in by_basis["monthly"]:
                yield from _monthly(estate, period, unit, item)
            for item in by_basis["metered"]:
                yield from _metered(estate, period, unit, item)
        for item in by_basis["shared"]:
            yield from _shares(estate, period, item)
        yield from _slips(estate, period)
    yield from _rents(estate)


# --- rates ----------------------------------------------------------------------------------------------


def _rank(row: Row) -> int:
    said = (row["unit_code"], row["tag"], row["floor_from"], row["building"], row["unit_kind"])
    return sum(16 >> place for place, one in enumerate(said) if one)


def _rows(estate: Estate, unit: str, item: str, on: date) -> list[Row]:
    """The rate rows for a unit on a day, the most specific first, of equal ones the youngest."""
    place = estate.units[unit]
    fits = [
        row
        for row in estate.out("rates")
        if row["fee_item"] == item
        and day(row["valid_from"]) <= on <= day(row["valid_to"])
        and row["unit_code"] in {"", unit}
        and row["building"] in {"", place["building"]}
        and row["unit_kind"] in {"", place["unit_kind"]}
        and not row["tag"]
        and (
            not row["floor_from"]
            or int(row["floor_from"]) <= int(place["floor"] or -99) <= int(row["floor_to"])
        )
    ]
    return sorted(fits, key=lambda row: (_rank(row), row["valid_from"]), reverse=True)


@dataclass(frozen=True)
class Price:
    rate: Decimal
    factor: Decimal = ONE
    is_amount: bool = False
    tiers: tuple[tuple[Decimal | None, Decimal], ...] = ()


def price(estate: Estate, unit: str, item: str, on: date) -> Price | None:
    """What an item costs a unit on a day; None where it is exempt or nothing says it."""
    rows = _rows(estate, unit, item, on)
    if rows and rows[0]["is_exempt"] == "true":
        return None
    factor = number(rows[0]["factor"], ONE) if rows else ONE
    for row in rows:
        if row["rate"] or row["amount"]:
            return Price(Decimal(row["rate"] or row["amount"]), factor, is_amount=not row["rate"])
    kind = estate.units[unit]["unit_kind"]
    found = [
        one
        for one in estate.out("tariffs")
        if one["fee_item"] == item
        and one["unit_kind"] == kind
        and day(one["valid_from"]) <= on <= day(one["valid_to"])
    ]
    if not found:
        return None
    best = max(found, key=lambda one: one["valid_from"])
    tiers = tuple(
        (None if up_to in {None, ""} else Decimal(str(up_to)), Decimal(str(rate)))
        for up_to, rate in (json.loads(best["tiers"]) if best["tiers"] else ())
    )
    return Price(Decimal(best["rate"]), factor, tiers=tiers)


def _cost(quantity: Decimal, found: Price) -> Fraction:
    if not found.tiers:
        return Fraction(quantity) * Fraction(found.rate)
    total, begun = Fraction(0), NIL
    for up_to, rate in found.tiers:
        part = (quantity if up_to is None else min(quantity, up_to)) - begun
        if part <= 0:
            break
        total += Fraction(part) * Fraction(rate)
        begun += part
    return total


# --- what is owed for time ------------------------------------------------------------------------------


def _due(estate: Estate, period: date, unit: str, item: str) -> list[list[Days]]:
    """The months that a period's bill charges: runs of months, each month with its first and last day."""
    row = estate.items[item]
    length, ahead = int(row["cycle_months"]), int(row["days_ahead"] or 0)
    anchor = date(2000, 1, 1) if row["anchor"] == "calendar" else day(estate.units[unit]["handed_over_on"])
    season = (int(row["season_from"]), int(row["season_to"])) if row["season_from"] else None
    runs: list[list[Days]] = []
    count = (period.year - anchor.year) * 12 + period.month - anchor.month
    for index in range(count // length - 3, count // length + 4):
        begin, after = later(anchor, index * length), later(anchor, (index + 1) * length)
        goes_out = (begin if row["timing"] == "advance" else after) - ahead * DAY
        if not period <= goes_out < later(period, 1) or (row["anchor"] == "unit" and index < 0):
            continue
        bounds = [later(anchor, index * length + step) for step in range(length + 1)]
        run: list[Days] = []
        for first, following in pairwise(bounds):
            if season is None or _in_season(first.month, season):
                run.append((first, following - DAY))
            elif run:
                runs.append(run)
                run = []
        if run:
            runs.append(run)
    return runs


def _begun_late(estate: Estate, period: date, unit: str, item: str, handed_over: date) -> list[list[Days]]:
    """The cycles whose bill went out before this month, in which the unit is handed over."""
    length, ahead = int(estate.items[item]["cycle_months"]), int(estate.items[item]["days_ahead"] or 0)
    if not period <= handed_over < later(period, 1):
        return []
    found = []
    for back in range(1, length + ahead // 28 + 2):
        for run in _due(estate, later(period, -back), unit, item):
            parts = paying(estate.payers(unit, item), max(run[0][0], handed_over), run[-1][1])
            if parts and period <= parts[0][1] < later(period, 1):
                found.append(run)
    return found


def _in_season(month: int, season: tuple[int, int]) -> bool:
    first, last = season
    return first <= month <= last if first <= last else month >= first or month <= last


def _monthly(estate: Estate, period: date, unit: str, item: str) -> Iterator[Line]:
    if item == estate.terms.get("rent_item"):
        return
    row, rounding = estate.items[item], estate.rounding(item)
    begun = day(estate.units[unit]["handed_over_on"], date.min)
    if begun >= later(period, 1):
        return
    runs = _due(estate, period, unit, item)
    if row["timing"] == "advance":
        runs += _begun_late(estate, period, unit, item, begun)
    for run in runs:
        parts = paying(estate.payers(unit, item), max(run[0][0], begun), run[-1][1])
        if not parts:
            continue
        run = [one for one in run if one[1] >= parts[0][1]]  # noqa: PLW2901 -- from the month in which it begins
        found = price(estate, unit, item, max(run[0][0], parts[0][1]))
        if found is None:
            continue
        of = (run[-1][1] - run[0][0]).days + 1
        days = [(last - first).days + 1 for _, first, last in parts]
        for place, (payer, first, last) in enumerate(parts):
            quantity = ONE if found.is_amount else _quantity(estate, unit, row["basis"], first)
            if row["basis"] == "per_person" and not quantity:
                continue
            exact = Fraction(quantity) * Fraction(found.rate) * len(run) * Fraction(found.factor)
            whole = rounding.of(exact)
            yield Line(
                f"{period:%Y-%m}",
                unit,
                payer,
                item,
                str(first),
                str(last),
                quantity,
                found.rate,
                len(run),
                found.factor,
                whole if days == [of] else split(whole, days, of, rounding)[place],
                raw(exact if days[place] == of else exact * days[place] / of),
            )


def _quantity(estate: Estate, unit: str, basis: str, on: date) -> Decimal:
    """How much of an item a month is: m², people, or one month."""
    if basis == "per_m2":
        return Decimal(estate.units[unit]["area_m2"])
    return estate.residents(unit, on) if basis == "per_person" else ONE


# --- meters, slips --------------------------------------------------------------------------------------


def _service(estate: Estate, period: date, item: str) -> date:
    return period if estate.items[item]["timing"] == "advance" else later(period, -1)


def used(estate: Estate, unit: str, item: str, month: date) -> list[Decimal]:
    """What each meter of an item at a unit counted in a month."""
    meters: dict[str, list[Row]] = defaultdict(list)
    for one in estate.out("readings"):
        if one["unit_code"] == unit and one["fee_item"] == item:
            meters[one["meter"]].append(one)
    found = []
    for rows in meters.values():
        before = [one for one in rows if day(one["read_on"]) <= month]
        within = [one for one in rows if month < day(one["read_on"]) <= later(month, 1)]
        if within:
            base = (
                max(before, key=lambda one: one["read_on"])
                if before
                else min(within, key=lambda one: one["read_on"])
            )
            end = max(within, key=lambda one: one["read_on"])
            if base["read_on"] < end["read_on"]:
                found.append(Decimal(end["value"]) - Decimal(base["value"]))
    return found


def _metered(estate: Estate, period: date, unit: str, item: str) -> Iterator[Line]:
    month, rounding = _service(estate, period, item), estate.rounding(item)
    last = later(month, 1) - DAY
    found = price(estate, unit, item, month)
    parts = paying(
        estate.payers(unit, item), max(month, day(estate.units[unit]["handed_over_on"], date.min)), last
    )
    if found is None or not parts:
        return
    days = [(end - begin).days + 1 for _, begin, end in parts]
    for quantity in used(estate, unit, item, month):
        exact = _cost(quantity, found) * Fraction(found.factor)
        amounts = split(rounding.of(exact), days, sum(days), rounding)
        for (payer, _, _), amount in zip(parts, amounts, strict=True):
            yield Line(
                f"{period:%Y-%m}",
                unit,
                payer,
                item,
                str(month),
                str(last),
                quantity,
                found.rate,
                1,
                found.factor,
                amount,
                raw(exact),
            )


def _slips(estate: Estate, period: date) -> Iterator[Line]:
    before = later(period, -1)
    cut_off = int(estate.terms["cut_off_day"])
    until = before.replace(day=min(cut_off, month_days(before)))
    after = until.replace(day=1) - DAY
    after = after.replace(day=min(cut_off, after.day)) if period > estate.periods[0] else date.min
    for slip in estate.given("slips"):
        on, unit, item = day(slip["used_on"]), slip["unit_code"], slip["fee_item"]
        if not after < on <= until:
            continue
        found = price(estate, unit, item, on)
        who = paying(estate.payers(unit, item), on, on)
        if found is None or not who:
            continue
        quantity = ONE if found.is_amount else Decimal(slip["quantity"])
        exact = Fraction(quantity) * Fraction(found.rate) * Fraction(found.factor)
        yield Line(
            f"{period:%Y-%m}",
            unit,
            who[0][0],
            item,
            str(on),
            str(on),
            quantity,
            found.rate,
            1,
            found.factor,
            estate.rounding(item).of(exact),
            raw(exact),
        )


# --- shared costs ---------------------------------------------------------------------------------------


def pool_shares(estate: Estate, pool: Row) -> dict[str, tuple[Decimal, Decimal]]:
    """Each unit's key and share of a pool, by unit code."""
    month, item = month_of(pool["period"]), pool["fee_item"]
    last = later(month, 1) - DAY
    names = [one.strip() for one in pool["scope_value"].split(";") if one.strip()]
    column = {"area": "area_name", "building": "building", "units": "unit_code"}.get(pool["scope"])
    keys: dict[str, Decimal] = {}
    for code in sorted(estate.units):
        place = estate.units[code]
        if column is not None and place[column] not in names:
            continue
        if day(place["handed_over_on"], date.min) > last:
            continue
        is_vacant = not estate.stays[code]
        if is_vacant and pool["vacant"] == "none":
            continue
        rows = _rows(estate, code, item, month)
        if rows and rows[0]["is_exempt"] == "true":
            continue
        match pool["key"]:
            case "area":
                keys[code] = Decimal(place["area_m2"])
            case "household":
                if place["unit_kind"] in estate.terms["household_kinds"]:
                    keys[code] = ONE
            case "consumption":
                keys[code] = sum(used(estate, code, pool["metered_item"], month), NIL)
            case _:
                if factor := number(rows[0]["factor"], ONE) if rows else ONE:
                    keys[code] = factor
    parts = shared(Decimal(pool["amount"]), list(keys.values()))
    return {code: (key, part) for (code, key), part in zip(keys.items(), parts, strict=True)}


def share_differences(estate: Estate) -> Iterator[str]:
    given = {
        (one["period"], one["fee_item"], one["scope_value"]): Decimal(one["amount"])
        for one in estate.given("pools")
    }
    told = {
        (one["period"], one["fee_item"], one["scope_value"]): Decimal(one["amount"])
        for one in estate.out("pools")
    }
    for key in sorted(given.keys() | told.keys()):
        if given.get(key) != told.get(key):
            yield f"pool {' '.join(key)}: {told.get(key)}, should be {given.get(key)}"
    should: dict[tuple[str, str, str], list[tuple[Decimal, Decimal]]] = defaultdict(list)
    said: dict[tuple[str, str, str], list[tuple[Decimal, Decimal]]] = defaultdict(list)
    for pool in estate.out("pools"):
        for code, found in pool_shares(estate, pool).items():
            should[pool["period"], pool["fee_item"], code].append(found)
    for one in estate.out("pool_shares"):
        said[one["period"], one["fee_item"], one["unit_code"]].append(
            (Decimal(one["key_value"]), Decimal(one["amount"]))
        )
    for key in sorted(should.keys() | said.keys()):
        if sorted(should[key]) != sorted(said[key]):
            yield f"share {' '.join(key)}: {_plain(said[key])}, should be {_plain(should[key])}"


def _plain(parts: Sequence[tuple[Decimal, Decimal]]) -> str:
    return ", ".join(f"{amount} for {key}" for key, amount in sorted(parts)) or "nothing"


def _shares(estate: Estate, period: date, item: str) -> Iterator[Line]:
    month = _service(estate, period, item)
    last = later(month, 1) - DAY
    for pool in estate.out("pools"):
        if pool["fee_item"] != item or pool["period"] != f"{month:%Y-%m}":
            continue
        found = pool_shares(estate, pool)
        whole = sum((key for key, _ in found.values()), NIL)
        rate = WIDE.divide(Decimal(pool["amount"]), whole).quantize(Decimal("0.000001"), ROUND_HALF_UP)
        for code, (key, amount) in found.items():
            parts = paying(estate.payers(code, item), month, last)
            if not amount or not parts:
                continue
            days = [(end - begin).days + 1 for _, begin, end in parts]
            exact = Fraction(Decimal(pool["amount"])) * Fraction(key) / Fraction(whole)
            for (payer, begin, end), part in zip(parts, split(amount, days, sum(days), TO_FEN), strict=True):
                first, until = (begin, end) if len(parts) > 1 else (month, last)
                yield Line(
                    f"{period:%Y-%m}",
                    code,
                    payer,
                    item,
                    str(first),
                    str(until),
                    key,
                    rate,
                    1,
                    ONE,
                    part,
                    raw(exact),
                )


# --- rent -----------------------------------------------------------------------------------------------


def rents(contract: Row) -> list[tuple[date, date, Decimal]]:
    """The rents of a contract, each with its days."""
    first, last, rent = day(contract["valid_from"]), day(contract["valid_to"]), Decimal(contract["rent"])
    step = int(contract["step_every_months"] or 0)
    found, begun, count = [], first, 1
    while step and later(first, count * step) <= last:
        on = later(first, count * step)
        found.append((begun, on - DAY, rent))
        if contract["step_percent"]:
            rent += (rent * Decimal(contract["step_percent"]) / 100).quantize(Decimal("0.01"), ROUND_HALF_UP)
        else:
            rent += Decimal(contract["step_amount"])
        begun, count = on, count + 1
    return [*found, (begun, last, rent)]


def _rents(estate: Estate) -> Iterator[Line]:
    item = estate.terms.get("rent_item")
    if not item:
        return
    rounding = estate.rounding(item)
    for contract in estate.out("contracts"):
        free = (day(contract["rent_free_from"]), day(contract["rent_free_to"], date.min))
        for period in estate.periods:
            begin, end = period, later(period, 1) - DAY
            of = month_days(period)
            for first, last, rent in rents(contract):
                days = _without(max(first, begin), min(last, end), free)
                counts = [(until - since).days + 1 for since, until in days]
                if not counts:
                    continue
                parts = [rounding.of(Fraction(rent))] if counts == [of] else split(rent, counts, of, rounding)
                for (since, until), count, amount in zip(days, counts, parts, strict=True):
                    exact = Fraction(rent) if count == of else Fraction(rent) * count / of
                    yield Line(
                        f"{period:%Y-%m}",
                        contract["unit_code"],
                        contract["tenant_name"],
                        item,
                        str(since),
                        str(until),
                        ONE,
                        rent,
                        1,
                        ONE,
                        amount,
                        raw(exact),
                    )


def _without(first: date, last: date, free: Days) -> list[Days]:
    if free[0] == END:
        return [(first, last)] if first <= last else []
    parts = [(first, min(last, free[0] - DAY)), (max(first, free[1] + DAY), last)]
    return [one for one in parts if one[0] <= one[1]]


def line_differences(estate: Estate) -> Iterator[str]:
    """Each line that is missing, too much, or says another sum."""
    said: dict[str, list[Line]] = defaultdict(list)
    should: dict[str, list[Line]] = defaultdict(list)
    for one in stated(estate):
        said[one.named].append(one)
    for one in expected(estate):
        should[one.named].append(one)
    for name in sorted(said.keys() | should.keys()):
        if sorted(said[name]) != sorted(should[name]):
            yield f"line {name}: {_sums(said[name])}, should be {_sums(should[name])}"


def _sums(found: Sequence[Line]) -> str:
    return "; ".join(_said(one) for one in sorted(found)) or "nothing"


def _said(one: Line) -> str:
    numbers = " × ".join(f"{part.normalize():f}" for part in (one.quantity, one.rate, one.factor))
    return f"{numbers} × {one.months} = {one.amount} ({one.raw})"
