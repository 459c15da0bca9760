"""Counts an office's books again from its exports: `python recompute.py FOLDER PRESET [--late-fee FILE]`.

Another author's arithmetic, written from the contract alone: the standard library's decimal, nothing of the
program. FOLDER holds `KIND.csv` for each kind in NEEDED, as `flask export KIND` writes it; PRESET is the
folder with billing.toml and late_fee.toml. Prints one JSON document: what was counted, and every difference.
"""

from __future__ import annotations

import argparse
import calendar
import csv
import json
import sys
import tomllib
from collections import defaultdict
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any

NEEDED = (
    "units", "occupancies", "fee_items", "tariffs", "readings", "slips", "invoices", "invoice_lines",
    "credit_notes", "payments", "allocations", "collection_rate", "job_runs",
)  # fmt: skip
FEN, NIL = Decimal("0.01"), Decimal(0)


def half_up(exact: Decimal) -> Decimal:
    return exact.quantize(FEN, ROUND_HALF_UP)


def as_day(text: str) -> Any:
    return date.fromisoformat(text[:10]) if text else None


def shares(whole: Decimal, days: list[int], of: int) -> list[Decimal]:
    """Amount × days ÷ days of the month, half-up; the last gets what is left of all their days."""
    parts = [half_up(whole * count / of) for count in days[:-1]]
    return [*parts, half_up(whole * sum(days) / of) - sum(parts)]


Row = dict[str, str]  # of an export
Made = defaultdict[
    tuple[str, str], list[tuple[str, Decimal, Decimal]]
]  # (unit, payer) → item, quantity, amount


class Month:
    def __init__(self, text: str) -> None:
        self.text = text
        self.first = date.fromisoformat(f"{text}-01")
        self.days = calendar.monthrange(self.first.year, self.first.month)[1]
        self.last = self.first.replace(day=self.days)

    def day(self, number: int) -> date:
        return self.first.replace(day=min(number, self.days))

    @property
    def before(self) -> Month:
        return Month(f"{self.first - timedelta(days=1):%Y-%m}")


class Books:
    units: list[Row]
    occupancies: list[Row]
    fee_items: list[Row]
    tariffs: list[Row]
    readings: list[Row]
    slips: list[Row]
    invoices: list[Row]
    invoice_lines: list[Row]
    credit_notes: list[Row]
    payments: list[Row]
    allocations: list[Row]
    collection_rate: list[Row]
    job_runs: list[Row]

    def __init__(self, folder: Path, preset: Path, late_fee: Path | None) -> None:
        for kind in NEEDED:
            with (folder / f"{kind}.csv").open(encoding="utf-8-sig", newline="") as file:
                setattr(self, kind, list(csv.DictReader(file)))
        self.terms = tomllib.loads((preset / "billing.toml").read_text(encoding="utf-8"))["billing"]
        said = (late_fee or preset / "late_fee.toml").read_text(encoding="utf-8")
        self.late = tomllib.loads(said)["late_fee"]
        self.wrong: list[str] = []
        self.counted: defaultdict[str, int] = defaultdict(int)
        self.unit = {row["unit_code"]: row for row in self.units}
        self.posted = {one["receipt_no"]: as_day(one["posted_on"]) for one in self.payments}
        self.laid_on: defaultdict[str, list[Row]] = defaultdict(list)
        self.credited_on: defaultdict[str, list[Row]] = defaultdict(list)
        for rows, of in ((self.allocations, self.laid_on), (self.credit_notes, self.credited_on)):
            for row in rows:
                of[row["invoice.number"]].append(row)
        self.regular = [row for row in self.invoices if row["kind"] == "regular"]
        self.periods = sorted({row["period"] for row in self.regular})
        self.payers = defaultdict(list)
        for row in self.occupancies:
            if row["is_payer"] == "true":
                self.payers[row["unit.code"]].append(
                    (as_day(row["from_on"]), as_day(row["to_on"]) or date.max, row["owner.name"])
                )
        for stays in self.payers.values():
            stays.sort()
        self.people = {
            (row["unit.code"], row["owner.name"], as_day(row["from_on"])): row["residents"]
            for row in self.occupancies
        }

    def same(self, what: str, found: Any, expected: Any) -> None:
        self.counted[what.split(" ", maxsplit=1)[0]] += 1
        if found != expected:
            self.wrong.append(f"{what}: {found} in the books, {expected} counted again")

    # what a period ought to charge

    def rate(self, item: str, kind: str, day: date) -> Any:
        """The youngest tariff in force on a day, as (rate, tiers)."""
        valid = [
            row
            for row in self.tariffs
            if (row["fee_item"], row["unit_kind"]) == (item, kind)
            and as_day(row["valid_from"]) <= day <= (as_day(row["valid_to"]) or date.max)
        ]
        if not valid:
            return None
        row = max(valid, key=lambda one: as_day(one["valid_from"]))
        return Decimal(row["rate"]), json.loads(row["tiers"]) if row["tiers"] else []

    def stays(self, code: str, month: Month) -> list[tuple[str, int, date]]:
        """Who pays for which days of a month, from the hand-over on: [(payer, days)] and the first day."""
        unit = self.unit[code]
        begin = max(month.first, as_day(unit["handed_over_on"]) or month.first)
        found = [
            (name, (min(to_on, month.last) - max(from_on, begin)).days + 1, max(from_on, begin))
            for from_on, to_on, name in self.payers[code]
            if from_on <= month.last and to_on >= begin
        ]
        return found if begin <= month.last else []

    def expected(self, period: str) -> Made:
        """{(unit, payer): [(item, quantity, amount)]} of a period."""
        month = Month(period)
        made: Made = defaultdict(list)
        for item in self.fee_items:
            if item["is_active"] != "true":
                continue
            served = month if item["timing"] == "advance" else month.before
            if item["basis"] in {"per_m2", "per_person", "fixed"}:
                self.monthly(item["code"], item["basis"], served, made)
            elif item["basis"] == "metered":
                self.metered(item["code"], served, made)
            elif item["basis"] in {"per_hour", "per_job"}:
                self.slipped(item["code"], period, made)
        return made

    def monthly(self, item: str, basis: str, month: Month, made: Made) -> None:
        for code, unit in self.unit.items():
            stays = self.stays(code, month)
            if not stays:
                continue
            found = self.rate(item, unit["unit_kind"], stays[0][2])
            if found is None:
                continue
            counts = [self.quantity(basis, code, payer, since) for payer, _, since in stays]
            if None in counts:
                continue  # nobody has said how many live there
            for place, (payer, _, _) in enumerate(stays):
                whole = half_up(counts[place] * found[0])
                amount = shares(whole, [days for _, days, _ in stays], month.days)[place]
                if basis != "per_person" or counts[place]:
                    made[code, payer].append((item, counts[place], amount))

    def quantity(self, basis: str, code: str, payer: Any, day: Any) -> Any:
        """What a payer's month of an item counts: the area, the people on the first day, or one."""
        if basis == "per_m2":
            return Decimal(self.unit[code]["area_m2"])
        if basis == "fixed":
            return Decimal(1)
        begun = [(one[2], one) for one in self.people if one[:2] == (code, payer) and one[2] <= day]
        said = self.people[max(begun)[1]]
        return Decimal(said) if said else None

    def metered(self, item: str, month: Month, made: Made) -> None:
        end = month.last + timedelta(days=1)
        read = defaultdict(list)
        for row in self.readings:
            if row["fee_item"] == item:
                place = row["unit_code"], row["meter"]
                read[place].append((as_day(row["read_on"]), Decimal(row["value"])))
        for (code, _), rows in read.items():
            stays = self.stays(code, month)
            before = [row for row in sorted(rows) if row[0] <= month.first]
            within = [row for row in sorted(rows) if month.first < row[0] <= end]
            base = before[-1] if before else within[0] if within else None
            if not stays or not within or base is None or base >= within[-1]:
                continue
            used = within[-1][1] - base[1]
            rate, tiers = self.rate(item, self.unit[code]["unit_kind"], month.first)
            days = [count for _, count, _ in stays]
            amounts = shares(half_up(self.tiered(used, rate, tiers)), days, sum(days))
            for (payer, _, _), amount in zip(stays, amounts, strict=True):
                made[code, payer].append((item, used, amount))

    @staticmethod
    def tiered(used: Decimal, rate: Any, tiers: Any) -> Decimal:
        total, start = NIL, NIL
        for up_to, price in tiers or [(None, rate)]:
            end = used if up_to is None else min(used, Decimal(str(up_to)))
            total += max(end - start, NIL) * Decimal(str(price))
            start = max(end, start)
        return total

    def slipped(self, item: str, period: str, made: Made) -> None:
        """Open slips up to the cut-off day of the month before, each with the first bill after it."""
        cut_off = {one: Month(one).before.day(self.terms["cut_off_day"]) for one in self.periods}
        for row in self.slips:
            used_on = as_day(row["used_on"])
            first = next((one for one in self.periods if used_on <= cut_off[one]), None)
            if row["fee_item"] != item or first != period or row["state"] == "cancelled":
                continue
            code = row["unit_code"]
            payer = next(name for from_on, to_on, name in self.payers[code] if from_on <= used_on <= to_on)
            quantity = Decimal(row["quantity"])
            rate, _ = self.rate(item, self.unit[code]["unit_kind"], used_on)
            made[code, payer].append((item, quantity, half_up(quantity * rate)))

    # the books against it

    def bills(self) -> None:
        lines = defaultdict(list)
        for row in self.invoice_lines:
            lines[row["invoice_number"]].append(
                (row["fee_item"], Decimal(row["quantity"]), Decimal(row["amount"]))
            )
        moved = {
            row["invoice.number"]: Decimal(row["amount"])
            for row in self.credit_notes
            if row["reason"].startswith("change_of_payer")
        }
        for period in self.periods:
            expected = self.expected(period)
            issued = [row for row in self.regular if row["period"] == period]
            found = {(row["unit_code"], row["payer_name"]): row for row in issued}
            changed = {row["unit_code"] for row in issued if row["number"] in moved}
            for place in sorted(expected.keys() | found.keys()):
                self.bill(place, found.get(place), expected.get(place, []), lines, moved, changed)

    def bill(self, place: Any, row: Row | None, expected: Any, lines: Any, moved: Any, changed: Any) -> None:
        if sum(amount for _, _, amount in expected) == 0:
            expected = []
        if row is None or not expected:
            self.same(f"bill {place}", row and row["number"], expected[0][0] if expected else None)
            return
        number = row["number"]
        due_on = Month(row["period"]).day(self.terms["due_day"])
        if place[0] in changed and number not in moved:  # billed anew, from the day of the change on
            due_on = max(due_on, *(since for since, _, name in self.payers[place[0]] if name == place[1]))
        self.same(f"due_on of {number}", row["due_on"], str(due_on))
        found = sorted(lines[number])
        if number in moved:  # issued to the payer before the change was known, then credited for the rest
            net = sum(amount for _, _, amount in found) - moved[number]
            self.same(f"line after the change of payer, {number}", net, sum(one[2] for one in expected))
            return
        for line, counted in zip(found, sorted(expected), strict=False):
            self.same(f"line {number} {line[0]}", line, counted)
        self.same(f"invoice {number}, lines", len(found), len(expected))

    def sums(self) -> None:
        laid: defaultdict[str, Decimal] = defaultdict(Decimal)
        paid, credited = laid.copy(), laid.copy()
        for row in self.allocations:
            laid[row["payment.receipt_no"]] += Decimal(row["amount"])
            paid[row["invoice.number"]] += Decimal(row["amount"])
        for row in self.credit_notes:
            credited[row["invoice.number"]] += Decimal(row["amount"])
        lines: defaultdict[str, Decimal] = defaultdict(Decimal)
        for row in self.invoice_lines:
            lines[row["invoice_number"]] += Decimal(row["amount"])
        for row in self.invoices:
            number = row["number"]
            amount, late = Decimal(row["amount"]), self.late_fee(row)
            self.same(f"amount of {number}", amount, lines[number])
            self.same(f"paid of {number}", Decimal(row["paid"]), paid[number])
            self.same(f"credited of {number}", Decimal(row["credited"]), credited[number])
            self.same(f"late_fee of {number}", Decimal(row["late_fee"]), late)
            balance = amount + late - credited[number] - paid[number]
            self.same(f"balance of {number}", Decimal(row["balance"]), balance)
            states = {"open"} if not paid[number] else {"partly_paid"}
            self.same(
                f"state of {number}", row["state"] in (states if balance else {"paid", "credited"}), True
            )
        for row in self.payments:
            receipt, amount = row["receipt_no"], Decimal(row["amount"])
            self.same(f"allocated of {receipt}", Decimal(row["allocated"]), laid[receipt])
            is_undone = row["state"] != "posted" or row["kind"] == "reversal"
            credit = Decimal(0) if is_undone else amount - laid[receipt]
            self.same(f"credit of {receipt}", Decimal(row["credit"]), credit)
        self.same("receipts", *self.gapless())

    def gapless(self) -> Any:
        found = defaultdict(list)
        for row in self.payments:
            series, number = row["receipt_no"].rsplit("-", 1)
            found[series].append(int(number))
        whole = {series: list(range(1, len(numbers) + 1)) for series, numbers in found.items()}
        return {series: sorted(numbers) for series, numbers in found.items()}, whole

    def late_fee(self, row: Row) -> Decimal:
        """Outstanding principal × daily rate × whole days after due date and grace, half-up once, capped."""
        if not self.late["is_on"]:
            return NIL
        number, due_on = row["number"], as_day(row["due_on"])
        falls: defaultdict[date, Decimal] = defaultdict(Decimal)
        paid_fee, last = NIL, None
        for one in self.laid_on[number]:
            on, amount = as_day(one["allocated_on"]), Decimal(one["amount"])
            last = max(on, self.posted[one["payment.receipt_no"]], last or date.min)
            if one["part"] == "principal":
                falls[on] += amount
            else:
                paid_fee += amount
        never_owed = Decimal(0)
        for one in self.credited_on[number]:
            on = as_day(one["issued_on"])
            last = max(on, last or date.min)
            if one["kind"] == "error":
                never_owed += Decimal(one["amount"])
            else:
                falls[on] += Decimal(one["amount"])
        principal = Decimal(row["amount"]) - never_owed
        runs = [as_day(one["due_for"]) for one in self.job_runs if one["job"] == "late_fees"]
        if principal > sum(falls.values()) and runs:
            last = max(*runs, last or date.min)
        if last is None:
            return NIL
        day, owed = due_on + timedelta(days=1 + int(self.late["grace_days"])), NIL
        left = principal - sum(amount for on, amount in falls.items() if on < day)
        while day < last:  # a day is charged once it is over
            left -= falls.get(day, NIL)
            owed += max(left, NIL)
            day += timedelta(days=1)
        fee = min(
            half_up(owed * Decimal(self.late["daily_rate"])),
            half_up(principal * Decimal(self.late["cap_rate"])),
        )
        return max(fee, paid_fee)

    def order(self) -> None:
        """The oldest debt is paid first, and credit does not lie beside a debt."""
        held: defaultdict[tuple[str, str], Decimal] = defaultdict(Decimal)
        owing, younger = held.copy(), set()
        for row in self.payments:
            held[row["unit_code"], row["payer_name"]] += Decimal(row["credit"])
        for row in sorted(self.invoices, key=lambda one: (one["due_on"], one["number"])):
            place = row["unit_code"], row["payer_name"]
            owing[place] += Decimal(row["balance"])
            if place in younger:
                self.same(f"order before {row['number']}", Decimal(row["paid"]), NIL)
            if Decimal(row["balance"]):
                younger.add(place)
        for place, credit in held.items():
            self.same(f"credit beside a debt {place}", bool(credit and owing[place]), False)

    def balances(self) -> None:
        """Each payer's own: nobody's credit pays another's debt."""
        owed: defaultdict[tuple[str, str], Decimal] = defaultdict(Decimal)
        for row in self.invoices:
            owed[row["unit_code"], row["payer_name"]] += Decimal(row["balance"])
        unused: defaultdict[tuple[str, str], Decimal] = defaultdict(Decimal)
        for row in self.payments:
            unused[row["unit_code"], row["payer_name"]] += Decimal(row["credit"])
        for code, row in self.unit.items():
            own = code, row["payer_name"]
            former = sum((amount for place, amount in owed.items() if place[0] == code and place != own), NIL)
            former -= sum(
                (amount for place, amount in unused.items() if place[0] == code and place != own), NIL
            )
            self.same(f"balance of unit {code}", Decimal(row["balance"]), owed[own] - unused[own])
            self.same(f"former balance of unit {code}", Decimal(row["former_balance"]), former)
            self.same(f"credit of unit {code}", Decimal(row["credit"]), unused[own])

    def rates(self) -> None:
        """By amount: principal paid ÷ billed less credits; by household: residences that owe nothing."""
        principal: defaultdict[str, Decimal] = defaultdict(Decimal)
        for row in self.allocations:
            if row["part"] == "principal":
                principal[row["invoice.number"]] += Decimal(row["amount"])
        figures: defaultdict[tuple[str, str, str], defaultdict[str, list[Decimal]]] = defaultdict(
            lambda: defaultdict(lambda: [NIL, NIL, NIL])
        )
        for row in self.invoices:
            unit = self.unit[row["unit_code"]]
            net = Decimal(row["amount"]) - Decimal(row["credited"])
            for building in (unit["building"], ""):
                one = figures[row["period"], unit["area_name"], building][row["unit_code"]]
                one[0] += net
                one[1] += principal[row["number"]]
                one[2] += Decimal(row["balance"])
        for row in self.collection_rate:
            place = row["period"], row["area_name"], row["building"]
            units = figures.pop(place)
            billed, paid = (sum(one[column] for one in units.values()) for column in (0, 1))
            homes = [
                one for code, one in units.items() if one[0] and self.unit[code]["unit_kind"] == "residence"
            ]
            clear = sum(1 for one in homes if not one[2])
            counted = (billed, paid, percent(paid, billed), len(homes), clear, percent(clear, len(homes)))
            names = (
                "billed",
                "paid",
                "rate_amount",
                "households_billed",
                "households_paid",
                "rate_households",
            )
            for name, value in zip(names, counted, strict=True):
                self.same(f"rate {place} {name}", Decimal(row[name] or 0), Decimal(value or 0))
        self.same("rate rows left out", sorted(figures), [])

    def count_again(self) -> Any:
        for part in (self.bills, self.sums, self.order, self.balances, self.rates):
            part()
        return {"counted": dict(self.counted), "differences": self.wrong}


def percent(part: Decimal | int, whole: Decimal | int) -> Decimal | None:
    return (Decimal(part) * 100 / Decimal(whole)).quantize(Decimal("0.1"), ROUND_HALF_UP) if whole else None


def main() -> Any:
    given = argparse.ArgumentParser()
    given.add_argument("folder", type=Path)
    given.add_argument("preset", type=Path)
    given.add_argument("--late-fee", type=Path)
    wanted = given.parse_args()
    result = Books(wanted.folder, wanted.preset, wanted.late_fee).count_again()
    print(json.dumps(result, ensure_ascii=False, default=str, indent=1))
    return 1 if result["differences"] else 0


if __name__ == "__main__":
    sys.exit(main())
