"""Counts the managers' reports again from exports: `python recompute_reports.py FOLDER PERIOD TODAY`.

Another author's arithmetic, written from the contract and procedures K1-K5 alone: the standard library's
decimal, nothing of the program. FOLDER holds `KIND.csv` for each kind in NEEDED, as `flask export KIND`
writes it. PERIOD is a month or a year. `area=`, `building=` (area and name: `东区/1`), `steward=` (login),
`department=` and `fee_item=` (codes) may follow. Prints one JSON document: report -> its rows as texts.
"""

from __future__ import annotations

import csv
import json
import statistics
import sys
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from datetime import date, datetime, timedelta
from decimal import ROUND_CEILING, ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any

NEEDED = (
    "units", "invoices", "invoice_lines", "credit_notes", "fee_items", "stewards", "targets", "payments",
    "allocations", "reminders", "contacts", "tickets", "ticket_clocks", "visits",
)  # fmt: skip
BOUNDS, WITHIN_DAYS = (30, 60, 90, 180, 365), 7
TENTH, FEN, NIL = Decimal("0.1"), Decimal("0.01"), Decimal(0)


def rate(part: Any, whole: Any) -> Any:
    return (Decimal(part) * 100 / Decimal(whole)).quantize(TENTH, ROUND_HALF_UP) if whole else None


def average(total: Any, count: Any) -> Any:
    return (Decimal(total) / count).quantize(TENTH, ROUND_HALF_UP) if count else None


def solving_times(seconds: list[int]) -> list[Any]:
    """Median, 90th percentile (of ten, nine took no longer) and mean, in hours."""
    if not seconds:
        return [None, None, None]
    nine_of_ten = next(
        one for one in sorted(seconds) if sum(1 for other in seconds if other <= one) * 10 >= 9 * len(seconds)
    )
    middle = Decimal(statistics.median([Decimal(one) for one in seconds]))
    return [average(middle, 3600), average(nine_of_ten, 3600), average(sum(seconds), 3600 * len(seconds))]


Row = dict[str, Any]  # of an export


def is_done(ticket: Row, clocks: list[Row]) -> bool:
    """Whether a complaint is resolved and every deadline of it has an end."""
    is_resolved = ticket["state"] in {"resolved", "followed_up", "closed"} or bool(ticket["closed_at"])
    return is_resolved and bool(clocks) and all(clock["stopped_at"] for clock in clocks)


def in_time(ticket: Row, clocks: list[Row]) -> str | None:
    if not is_done(ticket, clocks):
        return None
    return "yes" if all(clock["state"] == "met" for clock in clocks) else "no"


def day(text: str) -> date:
    return datetime.fromisoformat(text).date() if "T" in text else date.fromisoformat(text)


class Books:
    units: list[Row]
    invoices: list[Row]
    invoice_lines: list[Row]
    credit_notes: list[Row]
    fee_items: list[Row]
    stewards: list[Row]
    targets: list[Row]
    payments: list[Row]
    allocations: list[Row]
    reminders: list[Row]
    contacts: list[Row]
    tickets: list[Row]
    ticket_clocks: list[Row]
    visits: list[Row]

    def __init__(self, folder: Path, period: str, today: date, **only: str) -> None:
        for kind in NEEDED:
            with (folder / f"{kind}.csv").open(encoding="utf-8-sig", newline="") as file:
                setattr(self, kind, list(csv.DictReader(file)))
        self.period, self.today = period, today
        self.place = {one["unit_code"]: (one["area_name"], one["building"]) for one in self.units}
        self.only = only
        self.lead = defaultdict(set)  # steward: their buildings
        for one in self.stewards:
            self.lead[one["login"], one["name"]].add((one["area_name"], one["building"]))
        self.aims = {
            one["area.name"]: Decimal(one["percent"]) for one in self.targets if one["year"] == period[:4]
        }
        for one in self.invoices:
            for name in ("amount", "paid", "credited", "balance", "late_fee"):
                one[name] = Decimal(one[name])
            one["billed"] = one["amount"]
            one["principal"] = one["late_fee_paid"] = NIL
        self.by_number = {one["number"]: one for one in self.invoices}
        for one in self.credit_notes:
            self.by_number[one["invoice.number"]]["billed"] -= Decimal(one["amount"])
        for one in self.allocations:
            part = {"principal": "principal"}.get(one["part"], "late_fee_paid")
            self.by_number[one["invoice.number"]][part] += Decimal(one["amount"])
        self.is_household = {one["unit_code"]: one["unit_kind"] == "residence" for one in self.units}
        self.deposits = {one["code"] for one in self.fee_items if one["basis"] == "deposit"}
        self.share_out()
        self.take_deposits_off()

    def share_out(self) -> None:
        """What of a bill's billed and paid money lies on each item: what its lines say (M8)."""
        self.shares: defaultdict[str, dict[str, list[Decimal]]] = defaultdict(dict)
        for one in self.invoice_lines:
            found = self.shares[one["invoice_number"]].setdefault(one["fee_item"], [NIL, NIL])
            found[0] += Decimal(one["amount"]) - Decimal(one["credited"])
            found[1] += Decimal(one["paid"])

    def take_deposits_off(self) -> None:
        """What of a bill's billed and paid money is no deposit: its own whole less its deposit lines."""
        for bill in self.invoices:
            shares = self.shares[bill["number"]]
            bill["has_deposit"] = bool(self.deposits & set(shares))
            deposits = [parts for item, parts in shares.items() if item in self.deposits]
            bill["income"] = bill["billed"] - sum(billed for billed, _paid in deposits)
            bill["income_paid"] = bill["principal"] - sum(paid for _billed, paid in deposits)

    def is_here(self, unit: str) -> bool:
        area, building = self.place[unit]
        asked = self.only
        return (
            asked.get("area", area) == area
            and asked.get("building", f"{area}/{building}") == f"{area}/{building}"
            and ("steward" not in asked or (area, building) in self.of_steward(asked["steward"]))
        )

    def of_steward(self, login: str) -> set[tuple[str, str]]:
        return next((places for (who, _), places in self.lead.items() if who == login), set())

    def within(self, bill: Row) -> bool:
        return bill["period"].startswith(self.period) and self.is_here(bill["unit_code"])

    def has_item(self, bill: Row) -> bool:
        return self.only.get("fee_item") in {None, *self.shares[bill["number"]]}

    # K1

    def money(self, bill: Row) -> Any:
        item = self.only.get("fee_item")
        return self.shares[bill["number"]][item] if item else (bill["income"], bill["income_paid"])

    def missing(self, bills: list[Row]) -> Decimal:
        """What the buildings of some bills miss to their own targets, together."""
        by_building = defaultdict(list)
        for bill in bills:
            by_building[self.place[bill["unit_code"]]].append(bill)
        found = NIL
        for (area, _building), of_building in by_building.items():
            if (aim := self.own_aim(area)) is not None:
                billed, paid = (
                    sum((self.money(bill)[place] for bill in of_building), NIL) for place in (0, 1)
                )
                found += self.against(aim, billed, paid)[2]
        return found

    def own_aim(self, area: str = "") -> Decimal | None:
        area = area or self.only.get("area", "") or self.only.get("building", "").partition("/")[0]
        return self.aims.get(area, self.aims.get(""))

    def collected(self, bills: list[Row], aim: Decimal | None, *, is_sum: bool = False) -> Any:
        owes: defaultdict[str, Decimal] = defaultdict(Decimal)
        for bill in bills:
            if bill["income"] and self.is_household[bill["unit_code"]]:
                owes[bill["unit_code"]] += bill["balance"]
        billed, paid = (sum((self.money(bill)[place] for bill in bills), NIL) for place in (0, 1))
        done, is_rate = sum(1 for owed in owes.values() if not owed), rate(paid, billed)
        late_fees = sum((bill["late_fee_paid"] for bill in bills), NIL)
        households = [late_fees, len(owes), done, rate(done, len(owes))]
        against = self.against(aim, billed, paid)
        if is_sum and against and against[2] is not None:
            against[2] = self.missing(bills)
        return [billed, paid, is_rate, *against, *self.unless_item(households)]

    def unless_item(self, cells: list[Any]) -> Any:
        return [] if "fee_item" in self.only else cells

    def against(self, aim: Decimal | None, billed: Any, paid: Any) -> Any:
        """The target, the points to it, the yuan to it upwards; nothing where the year has none."""
        if not self.aims:
            return []
        if aim is None:
            return [None, None, None]
        missing = (billed * aim / 100).quantize(FEN, ROUND_CEILING) - paid
        return [aim, None if rate(paid, billed) is None else rate(paid, billed) - aim, max(missing, NIL)]

    def collection(self) -> Any:
        groups = defaultdict(list)
        for bill in filter(self.within, filter(self.has_item, self.invoices)):
            area, building = self.place[bill["unit_code"]]
            for key in ((area, building), (area, "Total"), ("Total", "")):
                groups[key].append(bill)
        buildings = [area for area, building in groups if building not in {"Total", ""}]
        return [
            [
                *key,
                *self.collected(
                    bills,
                    self.own_aim("" if key[0] == "Total" else key[0]),
                    is_sum="Total" in key,
                ),
            ]
            for key, bills in groups.items()
            if key[1] != "Total" or buildings.count(key[0]) > 1
        ]

    def by_month(self) -> Any:
        months = defaultdict(list)
        for bill in filter(self.has_item, self.invoices):
            if bill["period"][:4] == self.period[:4] and self.is_here(bill["unit_code"]):
                months[bill["period"]].append(bill)
        return [[month, *self.collected(bills, self.own_aim())] for month, bills in months.items()]

    def by_steward(self) -> Any:
        bills = list(filter(self.within, filter(self.has_item, self.invoices)))
        here = {self.place[one["unit_code"]] for one in self.units if self.is_here(one["unit_code"])}
        return [
            [
                name,
                len(places & here),
                *self.collected(
                    [one for one in bills if self.place[one["unit_code"]] in places], self.aims.get("")
                ),
            ]
            for (login, name), places in self.lead.items()
            if self.only.get("steward", login) == login and places & here
        ]

    def by_item(self) -> Any:
        sums: defaultdict[str, list[Decimal]] = defaultdict(lambda: [NIL, NIL])
        for bill in filter(self.within, self.invoices):
            for item, parts in self.shares[bill["number"]].items():
                if self.only.get("fee_item", item) == item:
                    sums[item] = [old + new for old, new in zip(sums[item], parts, strict=True)]
        called = {one["code"]: one["name"] for one in self.fee_items}
        return [
            [called[item], billed, paid, billed - paid, rate(paid, billed)]
            for item, (billed, paid) in sums.items()
        ]

    def year_split(self) -> Any:
        year = self.period[:4]
        now = [bill for bill in self.invoices if bill["period"][:4] == year]
        old = [bill for bill in self.invoices if bill["period"][:4] < year]
        numbers = {bill["number"]: bill["period"][:4] for bill in (*now, *old)}
        brought: defaultdict[tuple[str, str], Decimal] = defaultdict(Decimal)
        for one in self.allocations:
            if one["part"] == "principal" and one["invoice.number"] in numbers:
                if self.by_number[one["invoice.number"]]["has_deposit"]:
                    raise NotImplementedError("a deposit beside other items")
                which = "now" if numbers[one["invoice.number"]] == year else "old"
                brought[which, one["allocated_on"][:4]] += Decimal(one["amount"])
        noted = sum(
            Decimal(one["amount"])
            for one in self.credit_notes
            if one["invoice.number"] in {bill["number"] for bill in old} and one["issued_on"][:4] < year
        )
        at_start = sum(bill["amount"] for bill in old) - noted
        at_start -= sum(amount for (which, when), amount in brought.items() if which == "old" and when < year)
        asked = sum(bill["billed"] for bill in now)
        paid, paid_old = brought["now", year], brought["old", year]
        open_now, open_old = (sum(bill["balance"] for bill in bills) for bills in (now, old))
        return [
            ["This year's bills", asked, paid, rate(paid, asked), open_now],
            ["Old arrears", at_start, paid_old, rate(paid_old, at_start), open_old],
        ]

    # K2

    def band(self, due_on: date) -> str:
        days, low = (self.today - due_on).days, 0
        for high in BOUNDS:
            if days <= high:
                return f"{low}-{high}"
            low = high + 1
        return f"{low}+"

    def late(self) -> list[Row]:
        return [
            bill
            for bill in self.invoices
            if bill["balance"] and day(bill["due_on"]) < self.today and self.is_here(bill["unit_code"])
        ]

    def ageing(self) -> Any:
        rows: defaultdict[str, list[Any]] = defaultdict(lambda: [NIL, 0, 0])
        oldest: dict[str, Row] = {}
        for bill in sorted(self.late(), key=lambda one: (one["due_on"], one["number"])):
            row = rows[self.band(day(bill["due_on"]))]
            row[0] += bill["balance"]
            row[1] += 1
            row[2] += bill["unit_code"] not in oldest and self.is_household[bill["unit_code"]]
            oldest.setdefault(bill["unit_code"], bill)
        whole = sum(row[0] for row in rows.values())
        found = [[band, row[0], rate(row[0], whole), *row[1:]] for band, row in rows.items()]
        total = [sum(row[place] for row in rows.values()) for place in range(3)]
        return [*found, ["Total", total[0], None, *total[1:]]]

    def arrears_reasons(self) -> Any:
        heard = {}
        for one in self.contacts:  # in order of time
            if one["arrears_reason"]:
                heard[one["unit_code"], one["payer_name"]] = one["arrears_reason"]
        rows: defaultdict[str, defaultdict[str, Decimal]] = defaultdict(lambda: defaultdict(Decimal))
        units: defaultdict[str, set[str]] = defaultdict(set)
        for bill in self.late():
            reason = heard.get((bill["unit_code"], bill["payer_name"]), "")
            rows[reason][self.band(day(bill["due_on"]))] += bill["balance"]
            units[reason] |= {bill["unit_code"]} if self.is_household[bill["unit_code"]] else set()
        bands = [f"{low}-{high}" for low, high in zip((0, 31, 61, 91, 181), BOUNDS, strict=True)] + ["366+"]
        return [
            [reason, len(units[reason]), *(row.get(band, NIL) for band in bands), sum(row.values())]
            for reason, row in rows.items()
        ]

    def promises(self) -> Any:
        rows: defaultdict[str, list[Any]] = defaultdict(lambda: [NIL, 0, 0, 0])
        for one in self.contacts:
            is_here = self.is_here(one["unit_code"])
            if is_here and one["promised_on"] and one["promised_on"].startswith(self.period):
                for key in (one["staff"], "Total"):
                    rows[key][0] += Decimal(one["promised_amount"])
                    rows[key][1 + ("open", "kept", "broken").index(one["promise_state"])] += 1
        return [[key, *row, rate(row[2], row[2] + row[3])] for key, row in rows.items()]

    def reached(self) -> Iterator[tuple[Row, date]]:
        """Reminders after the due day that went out, each with its day."""
        for one in self.reminders:
            if one["state"] in {"sent", "printed", "done"} and one["planned_on"] > one["due_on"]:
                yield one, day(one["sent_at"] or one["planned_on"])

    def paid_days(self, parts: tuple[str, ...]) -> dict[str, list[date]]:
        """The days from which payments in force pay, by bill."""
        net: defaultdict[tuple[str, str], Decimal] = defaultdict(Decimal)
        when: dict[tuple[str, str], date] = {}
        for one in self.allocations:
            if one["part"] in parts:
                key = one["invoice.number"], one["payment.receipt_no"]
                net[key] += Decimal(one["amount"])
                if Decimal(one["amount"]) > 0:
                    when[key] = max(day(one["allocated_on"]), when.get(key, date.min))
        found = defaultdict(list)
        for (number, receipt), amount in net.items():
            if amount > 0:
                found[number].append(when[number, receipt])
        return found

    def unprompted(self) -> Any:
        paid_on = self.paid_days(("principal",))
        sent = defaultdict(list)
        for one, left in self.reached():
            sent[one["unit_code"], one["payer_name"]].append((one["due_on"], one["planned_on"], left))
        rows: dict[str, dict[str, Row]] = {}
        for bill in self.invoices:
            is_counted = bill["income"] and self.is_household[bill["unit_code"]]
            if not bill["period"].startswith(self.period) or not is_counted:
                continue
            homes = rows.setdefault(bill["period"], {})
            home = homes.setdefault(bill["unit_code"], {"owes": NIL, "paid": [], "told": []})
            home["owes"] += bill["balance"]
            home["paid"] += paid_on[bill["number"]]
            told = sent[bill["unit_code"], bill["payer_name"]]
            home["told"] += [left for since, planned, left in told if since <= bill["due_on"] < planned]
        found = []
        for month, homes in sorted(rows.items()):
            paid = [home for home in homes.values() if not home["owes"]]
            alone = sum(
                1
                for home in paid
                if home["paid"] and (not home["told"] or max(home["paid"]) < min(home["told"]))
            )
            found.append(
                [month, len(homes), len(paid), alone, rate(alone, len(homes)), rate(alone, len(paid))]
            )
        return found

    def channels(self) -> Any:
        paid_on = self.paid_days(("principal", "late_fee"))
        bills = defaultdict(list)
        for bill in self.invoices:
            bills[bill["unit_code"], bill["payer_name"]].append(bill)
        rows: defaultdict[str, list[int]] = defaultdict(lambda: [0, 0, 0])
        for one, left in self.reached():
            if not str(left).startswith(self.period):
                continue
            until = left + timedelta(days=WITHIN_DAYS)
            if until > self.today:
                rows[one["channel"]][2] += 1
                continue
            rows[one["channel"]][0] += 1
            rows[one["channel"]][1] += any(
                left <= each <= until
                for bill in bills[one["unit_code"], one["payer_name"]]
                if one["due_on"] <= bill["due_on"] < one["planned_on"]
                for each in paid_on[bill["number"]]
            )
        return [[channel, *row[:2], rate(row[1], row[0]), row[2]] for channel, row in rows.items()]

    # K3

    def valid(self) -> list[Row]:
        return [
            one
            for one in self.tickets
            if one["state"] != "invalid"
            and one["registered_at"].startswith(self.period)
            and one["department"] == self.only.get("department", one["department"])
            and (
                self.is_here(one["unit_code"])
                if one["unit_code"]
                else not {"area", "building"} & {*self.only}
            )
        ]

    def complaints(self, key: Callable[[Row], str]) -> Any:
        clocks = defaultdict(list)
        for one in self.ticket_clocks:
            if one["state"] != "void":
                clocks[one["number"]].append(one)
        groups = defaultdict(list)
        for one in self.valid():
            for name in (key(one), "Total"):
                groups[name].append(one)
        return [[name, *self.figures(tickets, clocks, self.visits)] for name, tickets in groups.items()]

    @staticmethod
    def figures(tickets: list[Row], clocks: Mapping[str, list[Row]], visits: list[Row]) -> Any:
        done = [one for one in tickets if is_done(one, clocks[one["number"]])]
        on_time = [one for one in done if all(clock["state"] == "met" for clock in clocks[one["number"]])]
        solved = [one for one in tickets if one["resolved_at"]]
        ever = [one for one in tickets if one["resolved_at"] or int(one["reopen_count"])]
        taken = [
            datetime.fromisoformat(one["resolved_at"]) - datetime.fromisoformat(one["registered_at"])
            for one in solved
        ]
        numbers = {one["number"] for one in tickets}
        rounds = [one for one in visits if one["ticket"] in numbers]
        met_again = [one for one in rounds if one["done_at"] and one["outcome"] != "unreachable"]
        scores = [int(one["satisfaction"]) for one in rounds if one["satisfaction"]]
        return [
            len(tickets),
            len(solved),
            rate(len(on_time), len(done)),
            *solving_times([int(time.total_seconds()) for time in taken]),
            rate(sum(1 for one in tickets if int(one["reopen_count"])), len(ever)),
            rate(len(met_again), len(rounds)),
            rate(sum(1 for score in scores if score >= 4), len(scores)),
            average(sum(scores), len(scores)),
        ]

    def clocks(self) -> Any:
        numbers = {one["number"] for one in self.valid()}
        rows: defaultdict[str, list[int]] = defaultdict(lambda: [0, 0, 0])
        for one in self.ticket_clocks:
            if one["number"] in numbers and one["state"] != "void":
                place = {"met": 0, "breached": 1}.get(one["state"], 2)
                rows[one["clock"]][place] += 1
        return [[clock, *row, rate(row[0], row[0] + row[1])] for clock, row in rows.items()]

    def complaint_list(self) -> Any:
        """Each valid complaint; what people wrote is no figure."""
        clocks = defaultdict(list)
        for clock in self.ticket_clocks:
            if clock["state"] != "void":
                clocks[clock["number"]].append(clock)
        return [
            [
                *(
                    one[name]
                    for name in (
                        "number",
                        "registered_at",
                        "unit_code",
                        "category",
                        "severity",
                        "department",
                        "resolved_at",
                    )
                ),
                in_time(one, clocks[one["number"]]),
                one["satisfaction"],
            ]
            for one in self.valid()
        ]

    # K4, K5: the weekly sheet

    def escalated(self) -> Any:
        waits = defaultdict(list)
        for one in self.ticket_clocks:
            if not one["stopped_at"]:
                waits[one["number"]].append(datetime.fromisoformat(one["due_at"]))
        return [
            [
                *(one[name] for name in ("number", "unit_code", "category", "department", "level")),
                min(waits[one["number"]]).isoformat() if waits[one["number"]] else None,
            ]
            for one in self.tickets
            if one["state"] not in {"resolved", "followed_up", "closed", "invalid"} and int(one["level"]) >= 1
        ]

    def promises_due(self) -> Any:
        sunday = self.today + timedelta(days=6 - self.today.weekday())
        return [
            [
                *(one[name] for name in ("unit_code", "payer_name", "promised_on")),
                Decimal(one["promised_amount"]),
                one["staff"],
            ]
            for one in self.contacts
            if one["promise_state"] == "open" and day(one["promised_on"]) <= sunday
        ]

    def all(self) -> Any:
        keys = {
            "category": lambda one: one["category"],
            "department": lambda one: one["department"],
            "severity": lambda one: one["severity"],
            "channel": lambda one: one["channel"],
            "month": lambda one: one["registered_at"][:7],
            "outcome": lambda one: {"closed": "solved"}.get(one["state"], ""),
            "building": lambda one: " · ".join(self.place[one["unit_code"]]) if one["unit_code"] else "",
        }
        plain = ("collection", "by_month", "year_split", "ageing", "arrears_reasons", "promises",
                 "unprompted", "channels", "clocks", "complaint_list", "escalated",
                 "promises_due")  # fmt: skip
        found = {name: getattr(self, name)() for name in plain}
        found |= {"stewards": self.by_steward(), "fee_items": self.by_item()}
        found |= {f"complaints_{name}": self.complaints(key) for name, key in keys.items()}
        return {
            name: [["" if cell is None else str(cell) for cell in row] for row in rows]
            for name, rows in found.items()
        }


def main(folder: str, period: str, today: str, **only: str) -> Any:
    return Books(Path(folder), period, date.fromisoformat(today), **only).all()


if __name__ == "__main__":
    asked = dict(one.split("=", 1) for one in sys.argv[4:])
    print(json.dumps(main(*sys.argv[1:4], **asked), ensure_ascii=False))
