"""The year's vouchers: what bills, receipts and the months of service debit and credit (M12)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from fractions import Fraction

from tests.oracles.estates.files import DAY, NIL, TO_FEN, Estate, Row, later, month_days
from tests.oracles.estates.money import Bill, BillLine, Books, Whose

Group = tuple[str, str]  # day and kind of a voucher
Entry = tuple[str, str, str, str, str]  # use, account, unit, payer, building
Postings = dict[Group, dict[Entry, Decimal]]


class Ledger:
    """What should stand in the vouchers of the months that were billed."""

    def __init__(self, books: Books) -> None:
        self.books, self.estate = books, books.estate
        self.first, self.last = self.estate.periods[0], later(self.estate.periods[-1], 1) - DAY
        self.postings: Postings = defaultdict(lambda: defaultdict(lambda: NIL))
        self.deferred: dict[tuple[date, str, Whose], Decimal] = defaultdict(lambda: NIL)
        for bill in books.bills.values():
            if self.first <= bill.issued_on <= self.last and bill.amount:
                self._bill(bill)
        for receipt in books.receipts.values():
            self._money(receipt.on, "receipts", receipt.method, receipt.whose, receipt.amount)
            if receipt.undone_on and receipt.undone_on <= self.last:
                self._money(receipt.undone_on, "given_back", receipt.method, receipt.whose, -receipt.amount)
        for part in books.parts:
            kind = {"payment": "receipts", "used": "offsets", "back": "given_back"}[part.kind]
            whose, bill = books.receipts[part.receipt].whose, books.bills[part.bill]
            self._post(part.on, kind, self._account("advances"), whose, part.amount)
            if part.part == "principal":
                self._post(part.on, kind, self._account("receivable"), bill.whose, -part.amount)
                continue
            account = self._account("late_fee")
            rate = Decimal(account["tax_rate"])
            tax = _tax(part.fee_before + part.amount, rate) - _tax(part.fee_before, rate)
            self._post(part.on, kind, account, bill.whose, tax - part.amount)
            self._post(part.on, kind, self._account("output_tax"), bill.whose, -tax)
        for (month, item, whose), amount in self.deferred.items():
            if month <= self.last:
                on = later(month, 1) - DAY
                self._post(on, "income", self._account("deferred"), whose, amount)
                self._post(on, "income", self._account("item", item), whose, -amount)

    def _account(self, use: str, item: str = "", method: str = "") -> Row:
        return next(
            one
            for one in self.estate.out("ledger_accounts")
            if (one["use"], one["fee_item"], one["method"]) == (use, item, method)
        )

    def _post(self, on: date, kind: str, account: Row, whose: Whose, amount: Decimal) -> None:
        unit = whose[0] if account["auxiliary"] in {"unit", "unit_payer"} else ""
        payer = whose[1] if account["auxiliary"] in {"payer", "unit_payer"} else ""
        building = self.estate.units[whose[0]]["building"] if account["auxiliary"] == "building" else ""
        entry = account["use"], account["account"], unit, payer, building
        self.postings[str(on), kind][entry] += amount

    def _money(self, on: date, kind: str, method: str, whose: Whose, amount: Decimal) -> None:
        self._post(on, kind, self._account("method", method=method), whose, amount)
        self._post(on, kind, self._account("advances"), whose, -amount)

    def _bill(self, bill: Bill) -> None:
        on = bill.issued_on
        taxes = self._taxes(bill)
        for line, tax in zip(bill.lines, taxes, strict=True):
            for month, amount in _months(line, line.amount - tax, on.replace(day=1)).items():
                is_later = month > on
                account = self._account("deferred") if is_later else self._account("item", line.item)
                self._post(on, "bills", account, bill.whose, -amount)
                if is_later:
                    self.deferred[month, line.item, bill.whose] += amount
            self._post(on, "bills", self._account("output_tax"), bill.whose, -tax)
            self._post(on, "bills", self._account("receivable"), bill.whose, line.amount)

    def _taxes(self, bill: Bill) -> list[Decimal]:
        """The tax of each line: of all lines of a rate together, by the largest remainder."""
        rates = [Decimal(self._account("item", one.item)["tax_rate"]) for one in bill.lines]
        found = [NIL] * len(rates)
        for rate in set(rates):
            places = [place for place, one in enumerate(rates) if one == rate]
            amounts = [bill.lines[place].amount for place in places]
            if not rate or not sum(amounts):
                continue
            parts = _by_weight(_tax(sum(amounts, NIL), rate), [Fraction(one) for one in amounts])
            for place, part in zip(places, parts, strict=True):
                found[place] = part
        return found


def _tax(amount: Decimal, rate: Decimal) -> Decimal:
    return TO_FEN.of(Fraction(amount) * Fraction(rate) / (1 + Fraction(rate)))


def _by_weight(amount: Decimal, weights: list[Fraction]) -> list[Decimal]:
    exact = [Fraction(amount) * 100 * one / sum(weights) for one in weights]
    fen = [one.numerator // one.denominator for one in exact]
    order = sorted(range(len(fen)), key=lambda place: (fen[place] - exact[place], place))
    for place in order[: int(amount * 100) - sum(fen)]:
        fen[place] += 1
    return [Decimal(one) / 100 for one in fen]


def _months(line: BillLine, amount: Decimal, at: date) -> dict[date, Decimal]:
    """An amount by the months of its service, each by its days; all in the bill's where it is for no time."""
    if line.first is None or line.last is None:
        return {at: amount}
    months, weights, month = [], [], line.first.replace(day=1)
    while month <= line.last:
        end = later(month, 1) - DAY
        days = (min(line.last, end) - max(line.first, month)).days + 1
        months.append(month)
        weights.append(Fraction(days, month_days(month)))
        month = later(month, 1)
    return dict(zip(months, _by_weight(amount, weights), strict=True))


def voucher_differences(books: Books) -> Iterator[str]:
    """Vouchers that are missing, too much, out of balance, or say another sum."""
    estate = books.estate
    said: Postings = defaultdict(lambda: defaultdict(lambda: NIL))
    numbers: dict[Group, str] = {}
    sides: dict[str, Decimal] = defaultdict(lambda: NIL)
    for one in estate.out("vouchers"):
        group = one["dated_on"], one["kind"]
        if numbers.setdefault(group, one["number"]) != one["number"]:
            yield f"voucher {one['number']}: a second one of {' '.join(group)}"
        amount = Decimal(one["debit"]) - Decimal(one["credit"])
        entry = one["use"], one["account"], one["unit_code"], one["payer_name"], one["building"]
        said[group][entry] += amount
        sides[one["number"]] += amount
        if one["period"] != one["dated_on"][:7]:
            yield f"voucher {one['number']}: of {one['dated_on']} in {one['period']}"
    yield from (f"voucher {number} is out of balance by {net}" for number, net in sides.items() if net)
    yield from _gaps(list(sides))
    should = Ledger(books).postings
    for group in sorted(said.keys() | should.keys()):
        named = f"voucher {numbers.get(group, '(none)')} {' '.join(group)}"
        if group not in numbers:
            if any(should[group].values()):
                yield f"{named} is missing"
            continue
        for entry in sorted(said[group].keys() | should[group].keys()):
            if said[group][entry] != should[group][entry]:
                yield f"{named} {' '.join(entry)}: {said[group][entry]}, should be {should[group][entry]}"
    yield from _documents(books, estate)


def _gaps(numbers: list[str]) -> Iterator[str]:
    runs: dict[str, set[int]] = defaultdict(set)
    for number in numbers:
        series, _, running = number.rpartition("-")
        runs[series].add(int(running))
    for series, found in runs.items():
        for missing in sorted(set(range(1, max(found) + 1)) - found):
            yield f"voucher {series}-{missing:06d} is missing"


def _documents(books: Books, estate: Estate) -> Iterator[str]:
    """Every bill, receipt and part of one stands in one voucher."""
    should = [
        ("invoice", one.number, f"{one.amount:.2f}", "")
        for one in books.bills.values()
        if one.amount and one.issued_on >= estate.periods[0]
    ]
    for receipt in books.receipts.values():
        should.append(("payment", receipt.number, f"{receipt.amount:.2f}", ""))
        if receipt.undone_on:
            should.append(("payment", receipt.undone_by, f"{-receipt.amount:.2f}", ""))
    should += [("allocation", one.receipt, f"{one.amount:.2f}", one.part) for one in books.parts]
    said = [
        (one["source"], one["document"], one["amount"], one["part"])
        for one in estate.out("voucher_documents")
        if one["is_live"] == "true"
    ]
    for one in set(said) | set(should):
        if said.count(one) != should.count(one):
            yield f"document {' '.join(one)}: in {said.count(one)} vouchers, should be {should.count(one)}"
