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
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_UP, Decimal
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


def day(text: str) -> date:
    return datetime.fromisoformat(text).date() if "T" in text else date.fromisoformat(text)


Row = dict[str, Any]  # of an export


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
            one["billed"] = one["amount"] - one["credited"]
            one["principal"] = min(one["paid"], one["billed"])
        self.share_out()

    def share_out(self) -> None:
        """What of a bill's billed and paid money lies on each item: in proportion, in the list's order.

        Whole fen: an item gets what all items up to it would get, rounded down, less what those before got.
        """
        order = {one["code"]: int(one["position"]) for one in self.fee_items}
        called = {one["name"]: one["code"] for one in self.fee_items}
        net: defaultdict[str, defaultdict[str, Decimal]] = defaultdict(lambda: defaultdict(Decimal))
        for one in self.invoice_lines:
            net[one["invoice_number"]][one["fee_item"]] += Decimal(one["amount"])
        for one in self.credit_notes:
            if one["fee_item.name"]:  # else it lies on all in proportion
                net[one["invoice.number"]][called[one["fee_item.name"]]] -= Decimal(one["amount"])
        self.shares: defaultdict[str, dict[str, list[Decimal]]] = defaultdict(dict)
        for bill in self.invoices:
            parts, until = net[bill["number"]], NIL
            whole = sum(parts.values(), NIL)
            for item in sorted(parts, key=order.__getitem__):
                before, until = until, until + parts[item]
                self.shares[bill["number"]][item] = [
                    self.up_to(bill[name], until, whole) - self.up_to(bill[name], before, whole)
                    for name in ("billed", "principal")
                ]

    @staticmethod
    def up_to(amount: Decimal, part: Any, whole: Decimal) -> Decimal:
        return (amount * part / whole).quantize(FEN, ROUND_FLOOR) if whole else NIL

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
        return self.shares[bill["number"]][item] if item else (bill["billed"], bill["principal"])

    def collected(self, bills: list[Row], aim: Decimal | None) -> Any:
        owes: defaultdict[str, Decimal] = defaultdict(Decimal)
        for bill in bills:
            owes[bill["unit_code"]] += bill["balance"]
        billed, paid = (sum((self.money(bill)[place] for bill in bills), NIL) for place in (0, 1))
        done, is_rate = sum(1 for owed in owes.values() if not owed), rate(paid, billed)
        households = [len(owes), done, rate(done, len(owes))]
        return [billed, paid, is_rate, *self.against(aim, billed, paid), *self.unless_item(households)]

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
            [*key, *self.collected(bills, self.aims.get(key[0], self.aims.get("")))]
            for key, bills in groups.items()
            if key[1] != "Total" or buildings.count(key[0]) > 1
        ]

    def by_month(self) -> Any:
        months = defaultdict(list)
        for bill in filter(self.has_item, self.invoices):
            if bill["period"][:4] == self.period[:4] and self.is_here(bill["unit_code"]):
                months[bill["period"]].append(bill)
        return [[month, *self.collected(bills, self.aims.get(""))] for month, bills in months.items()]

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
        is_old = {bill["number"] for bill in old}
        brought = sum(
            Decimal(one["amount"])
            for one in self.allocations
            if one["invoice.number"] in is_old
            and one["part"] == "principal"
            and one["allocated_on"][:4] == year
        )
        open_now, open_old = (sum(bill["balance"] for bill in bills) for bills in (now, old))
        paid = sum(bill["principal"] for bill in now)
        return [
            ["This year's bills", paid, open_now, rate(paid, sum(bill["billed"] for bill in now))],
            ["Old arrears", brought, open_old, rate(brought, brought + open_old)],
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
            row[2] += bill["unit_code"] not in oldest
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
            units[reason].add(bill["unit_code"])
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

    def unprompted(self) -> Any:
        when = {
            one["receipt_no"]: day(one["paid_at"])
            for one in self.payments
            if one["state"] == "posted" and one["kind"] == "payment"
        }
        last: dict[str, date] = {}
        for one in self.allocations:
            paid_on, number = when.get(one["payment.receipt_no"]), one["invoice.number"]
            if paid_on:
                last[number] = max(paid_on, last.get(number, paid_on))
        first = defaultdict(list)
        for one, left in self.reached():
            first[one["unit_code"], one["payer_name"]].append((one["planned_on"], left))
        rows: dict[str, dict[str, Row]] = {}
        for bill in self.invoices:
            if not bill["period"].startswith(self.period):
                continue
            homes = rows.setdefault(bill["period"], {})
            home = homes.setdefault(bill["unit_code"], {"owes": NIL, "paid": [], "told": []})
            home["owes"] += bill["balance"]
            home["paid"] += [last[bill["number"]]] if bill["number"] in last else []
            told = first[bill["unit_code"], bill["payer_name"]]
            home["told"] += [left for planned, left in told if planned > bill["due_on"]]
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
        paid = defaultdict(list)
        for one in self.payments:
            if one["state"] == "posted" and one["kind"] == "payment":
                paid[one["unit_code"], one["payer_name"]].append(day(one["paid_at"]))
        rows: defaultdict[str, list[int]] = defaultdict(lambda: [0, 0])
        for one, left in self.reached():
            if str(left).startswith(self.period):
                rows[one["channel"]][0] += 1
                until = left + timedelta(days=WITHIN_DAYS)
                payer = one["unit_code"], one["payer_name"]
                rows[one["channel"]][1] += any(left <= each <= until for each in paid[payer])
        return [[channel, *row, rate(row[1], row[0])] for channel, row in rows.items()]

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
            clocks[one["number"]].append(one["state"])
        groups = defaultdict(list)
        for one in self.valid():
            for name in (key(one), "Total"):
                groups[name].append(one)
        return [[name, *self.figures(tickets, clocks, self.visits)] for name, tickets in groups.items()]

    @staticmethod
    def figures(tickets: list[Row], clocks: Mapping[str, list[str]], visits: list[Row]) -> Any:
        states = [state for one in tickets for state in clocks[one["number"]]]
        met, broken = states.count("met"), states.count("breached")
        solved = [one for one in tickets if one["resolved_at"]]
        taken = [
            datetime.fromisoformat(one["resolved_at"]) - datetime.fromisoformat(one["registered_at"])
            for one in solved
        ]
        numbers = {one["number"] for one in tickets}
        rounds = [one for one in visits if one["ticket"] in numbers]
        met_again = [one for one in rounds if one["done_at"] and one["outcome"] != "unreachable"]
        scores = [int(one["satisfaction"]) for one in tickets if one["satisfaction"]]
        return [
            len(tickets),
            len(solved),
            rate(met, met + broken),
            *solving_times([int(time.total_seconds()) for time in taken]),
            rate(sum(1 for one in tickets if int(one["reopen_count"])), len(tickets)),
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
        late = {one["number"] for one in self.ticket_clocks if one["state"] == "breached"}
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
                "yes" if one["number"] not in late else "no",
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
