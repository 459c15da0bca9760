"""Counts a year's vouchers again from exports: `python vouchers.py FOLDER [FROM TO]`; standard library only.

FOLDER holds `KIND.csv` for each kind in NEEDED, as `flask export KIND` writes it; FROM and TO are months
(YYYY-MM, both included; without them all). Written from M12 alone, with nothing of the program: the vouchers
of these months say the bills, credits, receipts and late fees of these months, to the fen. Prints every
difference as JSON.
"""

from __future__ import annotations

import csv
import json
import sys
from collections import defaultdict
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path

NEEDED = ("vouchers", "voucher_documents", "ledger_accounts", "invoices", "invoice_lines", "payments")
NIL, FEN = Decimal(0), Decimal("0.01")
Row = dict[str, str]


def rows_of(folder: Path, kind: str) -> list[Row]:
    with (folder / f"{kind}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def net(lines: list[Row], use: str) -> Decimal:
    """Debits less credits of a use."""
    return sum((Decimal(one["debit"]) - Decimal(one["credit"]) for one in lines if one["use"] == use), NIL)


def compared(said: dict[str, Decimal], should: dict[str, Decimal]) -> list[str]:
    return [
        f"{name}: vouchers say {said[name]}, the documents {should[name]}"
        for name in said
        if said[name] != should[name]
    ]


def differences(folder: Path, first: str = "0000-00", last: str = "9999-99") -> list[str]:
    """Every sum of these months that the vouchers say otherwise than the documents."""
    tables = {kind: rows_of(folder, kind) for kind in NEEDED}
    within = [one for one in tables["vouchers"] if first <= one["period"] <= last]
    numbers = {one["number"] for one in within}
    found = []
    by_voucher: dict[str, list[Row]] = defaultdict(list)
    for one in within:
        by_voucher[one["number"]].append(one)
    for number, lines in by_voucher.items():
        debit, credit = (sum((Decimal(one[side]) for one in lines), NIL) for side in ("debit", "credit"))
        if debit != credit:
            found.append(f"{number}: debit {debit}, credit {credit}")
    months: dict[str, set[int]] = defaultdict(set)
    for number in numbers:
        months[number.split("-")[0]].add(int(number.split("-")[1]))
    for month, running in months.items():
        if running != set(range(1, len(running) + 1)):
            found.append(f"{month}: the numbers have a gap")
    documents = [one for one in tables["voucher_documents"] if one["is_live"] == "true"]
    entered = [(one["source"], one["document"]) for one in documents if one["source"] != "allocation"]
    if len(entered) != len(set(entered)):
        found.append("a document stands in two vouchers")

    bills = {one["number"]: one for one in tables["invoices"] if one["kind"] != "opening"}
    issued = [one for one in bills.values() if first <= one["issued_on"][:7] <= last]
    billed = sum((Decimal(one["amount"]) for one in issued), NIL)
    received = sum(
        (Decimal(one["amount"]) for one in tables["payments"] if first <= one["posted_on"][:7] <= last), NIL
    )
    credited = sum((Decimal(one["credited"]) for one in tables["invoices"]), NIL)
    of = {source: [one for one in documents if one["source"] == source] for source in
          ("invoice", "credit_note", "payment", "allocation")}  # fmt: skip
    here = {
        source: sum((Decimal(one["amount"]) for one in rows if one["voucher"] in numbers), NIL)
        for source, rows in of.items()
    }
    principal, fees = (
        sum((Decimal(one["amount"]) for one in of["allocation"] if one["part"] == part), NIL)
        for part in ("principal", "late_fee")
    )
    laid_here = [one for one in of["allocation"] if one["voucher"] in numbers]
    principal_here = sum((Decimal(one["amount"]) for one in laid_here if one["part"] == "principal"), NIL)
    fees_here = sum((Decimal(one["amount"]) for one in laid_here if one["part"] == "late_fee"), NIL)
    said = {"bills": here["invoice"], "money": net(within, "method"), "payments": here["payment"]}
    should = {"bills": billed, "money": received, "payments": received}
    said["receivable"] = net(within, "receivable")
    should["receivable"] = billed - here["credit_note"] - principal_here
    said["advances"] = -net(within, "advances")
    should["advances"] = received - principal_here - fees_here
    said["late fees"] = sum((Decimal(one["paid"]) for one in tables["invoices"]), NIL)
    should["late fees"] = principal + fees
    said["credits of all time"] = sum((Decimal(one["amount"]) for one in of["credit_note"]), NIL)
    should["credits of all time"] = credited
    income = -(net(within, "item") + net(within, "deferred") + net(within, "output_tax")
               + net(within, "late_fee"))  # fmt: skip
    said["income, tax and what is billed ahead"] = income
    should["income, tax and what is billed ahead"] = billed - here["credit_note"] + fees_here
    found += compared(said, should)
    return found + tax_differences(tables, bills, {one["document"] for one in of["invoice"]})


def tax_differences(tables: dict[str, list[Row]], bills: dict[str, Row], booked: set[str]) -> list[str]:
    """The tax of bills' vouchers: of each bill the tax in the sum of each rate, rounded once."""
    rates = {one["fee_item"]: Decimal(one["tax_rate"]) for one in tables["ledger_accounts"]}
    sums: dict[tuple[str, Decimal], Decimal] = defaultdict(lambda: NIL)
    for line in tables["invoice_lines"]:
        if line["invoice_number"] in booked & bills.keys():
            sums[line["invoice_number"], rates[line["fee_item"]]] += Decimal(line["amount"])
    should = sum(
        ((amount * rate / (1 + rate)).quantize(FEN, ROUND_HALF_UP) for (_, rate), amount in sums.items()), NIL
    )
    reversed_ones = {one["reverses"] for one in tables["vouchers"] if one["reverses"]}
    lines = [one for one in tables["vouchers"]
             if one["kind"] == "bills" and one["number"] not in reversed_ones]  # fmt: skip
    return compared({"tax of bills": -net(lines, "output_tax")}, {"tax of bills": should})


if __name__ == "__main__":
    found = differences(Path(sys.argv[1]), *sys.argv[2:4])
    print(json.dumps({"differences": found}, ensure_ascii=False, indent=2))
    sys.exit(1 if found else 0)
