"""Counts the managers' reports again from exports: `python recompute_reports.py FOLDER PERIOD TODAY`.

Another author's arithmetic, written from the contract and procedures K1-K3 alone: the standard library's
decimal, nothing of the program. FOLDER holds `KIND.csv` for each kind in NEEDED, as `flask export KIND`
writes it. PERIOD is a month or a year. Prints one JSON document: report -> its rows as texts, rates half-up.
"""

import csv
import json
import sys
from collections import defaultdict
from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path

NEEDED = (
    "units", "invoices", "payments", "allocations", "reminders", "contacts", "tickets", "ticket_clocks",
)  # fmt: skip
BOUNDS, WITHIN_DAYS = (30, 60, 90, 180, 365), 7
TENTH = Decimal("0.1")


def rate(part, whole):
    return (Decimal(part) * 100 / Decimal(whole)).quantize(TENTH, ROUND_HALF_UP) if whole else None


def average(total, count):
    return (Decimal(total) / count).quantize(TENTH, ROUND_HALF_UP) if count else None


def day(text):
    return datetime.fromisoformat(text).date() if "T" in text else date.fromisoformat(text)


class Books:
    def __init__(self, folder, period, today):
        for kind in NEEDED:
            with (folder / f"{kind}.csv").open(encoding="utf-8-sig", newline="") as file:
                setattr(self, kind, list(csv.DictReader(file)))
        self.period, self.today = period, today
        self.place = {one["unit_code"]: (one["area_name"], one["building"]) for one in self.units}
        for one in self.invoices:
            for name in ("amount", "paid", "credited", "balance", "late_fee"):
                one[name] = Decimal(one[name])
            one["billed"] = one["amount"] - one["credited"]
            one["principal"] = min(one["paid"], one["billed"])

    def within(self, bill):
        return bill["period"].startswith(self.period)

    # K1

    def collected(self, bills):
        owes = defaultdict(Decimal)
        for bill in bills:
            owes[bill["unit_code"]] += bill["balance"]
        billed, paid = (sum((bill[name] for bill in bills), Decimal(0)) for name in ("billed", "principal"))
        done = sum(1 for owed in owes.values() if not owed)
        return [billed, paid, rate(paid, billed), len(owes), done, rate(done, len(owes))]

    def collection(self):
        groups = defaultdict(list)
        for bill in filter(self.within, self.invoices):
            area, building = self.place[bill["unit_code"]]
            for key in ((area, building), (area, "Total"), ("Total", "")):
                groups[key].append(bill)
        return [[*key, *self.collected(bills)] for key, bills in groups.items()]

    def by_month(self):
        months = defaultdict(list)
        for bill in self.invoices:
            if bill["period"][:4] == self.period[:4]:
                months[bill["period"]].append(bill)
        return [[month, *self.collected(bills)] for month, bills in months.items()]

    def year_split(self):
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

    def band(self, due_on):
        days, low = (self.today - due_on).days, 0
        for high in BOUNDS:
            if days <= high:
                return f"{low}-{high}"
            low = high + 1
        return f"{low}+"

    def late(self):
        return [bill for bill in self.invoices if bill["balance"] and day(bill["due_on"]) < self.today]

    def ageing(self):
        rows = defaultdict(lambda: [Decimal(0), 0, 0])
        oldest = {}
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

    def arrears_reasons(self):
        heard = {}
        for one in self.contacts:  # in order of time
            if one["arrears_reason"]:
                heard[one["unit_code"], one["payer_name"]] = one["arrears_reason"]
        rows, units = defaultdict(lambda: defaultdict(Decimal)), defaultdict(set)
        for bill in self.late():
            reason = heard.get((bill["unit_code"], bill["payer_name"]), "")
            rows[reason][self.band(day(bill["due_on"]))] += bill["balance"]
            units[reason].add(bill["unit_code"])
        bands = [f"{low}-{high}" for low, high in zip((0, 31, 61, 91, 181), BOUNDS, strict=True)] + ["366+"]
        return [
            [reason, len(units[reason]), *(row.get(band, Decimal(0)) for band in bands), sum(row.values())]
            for reason, row in rows.items()
        ]

    def promises(self):
        rows = defaultdict(lambda: [Decimal(0), 0, 0, 0])
        for one in self.contacts:
            if one["promised_on"] and one["promised_on"].startswith(self.period):
                for key in (one["staff"], "Total"):
                    rows[key][0] += Decimal(one["promised_amount"])
                    rows[key][1 + ("open", "kept", "broken").index(one["promise_state"])] += 1
        return [[key, *row, rate(row[2], row[2] + row[3])] for key, row in rows.items()]

    def reached(self):
        """Reminders after the due day that left the house, each with its day."""
        for one in self.reminders:
            if one["state"] in {"sent", "printed", "done"} and one["planned_on"] > one["due_on"]:
                yield one, day(one["sent_at"] or one["planned_on"])

    def unprompted(self):
        when = {
            one["receipt_no"]: day(one["paid_at"])
            for one in self.payments
            if one["state"] == "posted" and one["kind"] == "payment"
        }
        last = {}
        for one in self.allocations:
            paid_on, number = when.get(one["payment.receipt_no"]), one["invoice.number"]
            if paid_on:
                last[number] = max(paid_on, last.get(number, paid_on))
        first = defaultdict(list)
        for one, left in self.reached():
            first[one["unit_code"], one["payer_name"]].append((one["planned_on"], left))
        rows = {}
        for bill in filter(self.within, self.invoices):
            homes = rows.setdefault(bill["period"], {})
            home = homes.setdefault(bill["unit_code"], {"owes": Decimal(0), "paid": [], "told": []})
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

    def channels(self):
        paid = defaultdict(list)
        for one in self.payments:
            if one["state"] == "posted" and one["kind"] == "payment":
                paid[one["unit_code"], one["payer_name"]].append(day(one["paid_at"]))
        rows = defaultdict(lambda: [0, 0])
        for one, left in self.reached():
            if str(left).startswith(self.period):
                rows[one["channel"]][0] += 1
                until = left + timedelta(days=WITHIN_DAYS)
                payer = one["unit_code"], one["payer_name"]
                rows[one["channel"]][1] += any(left <= each <= until for each in paid[payer])
        return [[channel, *row, rate(row[1], row[0])] for channel, row in rows.items()]

    # K3

    def valid(self):
        return [
            one
            for one in self.tickets
            if one["state"] != "invalid" and one["registered_at"].startswith(self.period)
        ]

    def complaints(self, key):
        clocks = defaultdict(list)
        for one in self.ticket_clocks:
            clocks[one["number"]].append(one["state"])
        groups = defaultdict(list)
        for one in self.valid():
            for name in (key(one), "Total"):
                groups[name].append(one)
        return [[name, *self.figures(tickets, clocks)] for name, tickets in groups.items()]

    @staticmethod
    def figures(tickets, clocks):
        states = [state for one in tickets for state in clocks[one["number"]]]
        met, broken = states.count("met"), states.count("breached")
        solved = [one for one in tickets if one["resolved_at"]]
        seconds = sum(
            int(
                (
                    datetime.fromisoformat(one["resolved_at"]) - datetime.fromisoformat(one["registered_at"])
                ).total_seconds()
            )
            for one in solved
        )
        scores = [int(one["satisfaction"]) for one in tickets if one["satisfaction"]]
        return [
            len(tickets),
            len(solved),
            rate(met, met + broken),
            average(Decimal(seconds) / 3600, len(solved)),
            rate(sum(1 for one in tickets if int(one["reopen_count"])), len(tickets)),
            rate(len(scores), len(solved)),
            rate(sum(1 for score in scores if score >= 4), len(scores)),
            average(sum(scores), len(scores)),
        ]

    def clocks(self):
        numbers = {one["number"] for one in self.valid()}
        rows = defaultdict(lambda: [0, 0, 0])
        for one in self.ticket_clocks:
            if one["number"] in numbers and one["state"] != "void":
                place = {"met": 0, "breached": 1}.get(one["state"], 2)
                rows[one["clock"]][place] += 1
        return [[clock, *row, rate(row[0], row[0] + row[1])] for clock, row in rows.items()]

    def all(self):
        keys = {
            "category": lambda one: one["category"],
            "department": lambda one: one["department"],
            "severity": lambda one: one["severity"],
            "channel": lambda one: one["channel"],
            "month": lambda one: one["registered_at"][:7],
            "building": lambda one: " · ".join(self.place[one["unit_code"]]) if one["unit_code"] else "",
        }
        money = ("collection", "by_month", "year_split", "ageing", "arrears_reasons", "promises",
                 "unprompted", "channels", "clocks")  # fmt: skip
        found = {name: getattr(self, name)() for name in money}
        found |= {f"complaints_{name}": self.complaints(key) for name, key in keys.items()}
        return {
            name: [["" if cell is None else str(cell) for cell in row] for row in rows]
            for name, rows in found.items()
        }


def main(folder, period, today):
    return Books(Path(folder), period, date.fromisoformat(today)).all()


if __name__ == "__main__":
    print(json.dumps(main(*sys.argv[1:]), ensure_ascii=False))
