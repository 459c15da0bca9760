"""What each payment pays, what is open, what late fees come to: the year's money, day by day."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from fractions import Fraction

from tests.oracles.estates.files import (
    DAY,
    END,
    NIL,
    TO_FEN,
    Estate,
    Row,
    day,
    later,
    month_days,
)

Whose = tuple[str, str]  # unit and payer


@dataclass
class BillLine:
    item: str
    amount: Decimal
    bears_late_fee: bool
    first: date | None
    last: date | None
    paid: Decimal = NIL


@dataclass
class Bill:
    """A bill with what was paid of it: of what bears a late fee, and of that fee, each with its day."""

    number: str
    whose: Whose
    issued_on: date
    due_on: date
    kind: str
    lines: list[BillLine]
    reductions: list[tuple[date, Decimal]] = field(default_factory=list)
    fees_paid: Decimal = NIL

    @property
    def amount(self) -> Decimal:
        return sum((one.amount for one in self.lines), NIL)

    @property
    def principal(self) -> Decimal:
        return sum((one.amount - one.paid for one in self.lines), NIL)

    @property
    def age(self) -> tuple[date, str]:
        return self.due_on, self.number


@dataclass(frozen=True)
class Part:
    """What a payment pays of a bill at once, from credit (`used`), or gives back when it is undone."""

    on: date
    receipt: str
    bill: str
    kind: str  # payment, used, back
    part: str  # principal, late_fee
    amount: Decimal
    fee_before: Decimal = NIL


@dataclass
class Receipt:
    number: str
    whose: Whose
    on: date
    amount: Decimal
    method: str
    credit: Decimal = NIL
    undone_on: date | None = None
    undone_by: str = ""


class Books:
    """The year's bills and receipts, in the order in which they came."""

    def __init__(self, estate: Estate) -> None:
        self.estate = estate
        self.terms = estate.terms.get("late_fee")
        self.bills = {one.number: one for one in _bills(estate)}
        self.receipts: dict[str, Receipt] = {}
        self.parts: list[Part] = []
        self.unlike: list[str] = []
        told = iter(one for one in estate.out("payments") if Decimal(one["amount"]) > 0)
        undone = {one["number"]: one for one in estate.out("cheques") if one["bounced_on"]}
        events = [
            (one.issued_on, 0 if one.kind == "regular" else 3, 0, {"number": one.number})
            for one in self.bills.values()
        ]
        events += [(on, 1, place, row) for on, place, row in _payments(estate)]
        events += [(day(row["bounced_on"]), 2, 0, row) for row in undone.values()]
        self._open: dict[Whose, list[Bill]] = defaultdict(list)
        for on, what, _, row in sorted(events, key=lambda event: event[:3]):
            if what in {0, 3}:
                self._issue(self.bills[row["number"]])
            elif what == 1:
                self._pay(on, row, told)
            else:
                self._bounce(on, row)
        self.unlike += [f"payment {one['receipt_no']}: nobody paid it" for one in told]

    # late fees

    def late_fee(self, bill: Bill, on: date) -> Decimal:
        """The late fee that a day's end shows: each day before it, after the due day and the grace."""
        if self.terms is None:
            return NIL
        first = bill.due_on + DAY * (int(self.terms.get("grace_days", 0)) + 1)
        owed = sum((one.amount for one in bill.lines if one.bears_late_fee), NIL)
        exact, current = Fraction(0), first
        while current < on:
            lowered = sum((amount for paid_on, amount in bill.reductions if paid_on <= current), NIL)
            following = min([paid_on for paid_on, _ in bill.reductions if paid_on > current] + [on])
            exact += Fraction(max(owed - lowered, NIL)) * (min(following, on) - current).days
            current = min(following, on)
        amount = TO_FEN.of(exact * Fraction(Decimal(self.terms.get("daily_rate", "0.0005"))))
        cap = TO_FEN.of(Fraction(owed) * Fraction(Decimal(self.terms.get("cap_rate", "1"))))
        return min(amount, cap)

    # events

    def _issue(self, bill: Bill) -> None:
        self._open[bill.whose].append(bill)
        for receipt in self.receipts.values():
            if receipt.whose == bill.whose and receipt.credit:
                left = self._lay(bill.issued_on, receipt, receipt.credit, "used")
                receipt.credit = left

    def _pay(self, on: date, row: Row, told: Iterator[Row]) -> None:
        whose = row["unit_code"], row["payer_name"]
        wanted = row["amount"]
        amount = self.owed(whose, on) if wanted == "open" else Decimal(wanted)
        if not amount:
            return
        one = next(told, None)
        said = (one["unit_code"], one["payer_name"], one["amount"], one["posted_on"]) if one else ()
        if one is None or said != (*whose, f"{amount:.2f}", str(on)):
            self.unlike.append(f"payment of {' '.join(whose)} on {on}: {said}, should be {amount}")
        number = one["receipt_no"] if one else f"? {on} {whose}"
        receipt = self.receipts[number] = Receipt(number, whose, on, amount, row["method"])
        receipt.credit = self._lay(on, receipt, amount, "payment")

    def owed(self, whose: Whose, on: date) -> Decimal:
        """What a payer has to pay for a unit on a day, late fees included."""
        bills = self._open[whose]
        return sum((one.principal + self.late_fee(one, on) - one.fees_paid for one in bills), NIL)

    def _lay(self, on: date, receipt: Receipt, amount: Decimal, kind: str) -> Decimal:
        """Oldest bill first, its lines in order, then its late fee; what is left."""
        for bill in sorted(self._open[receipt.whose], key=lambda one: one.age):
            got = bearing = NIL
            for line in bill.lines:
                part = min(line.amount - line.paid, amount)
                line.paid += part
                amount -= part
                got += part
                bearing += part if line.bears_late_fee else NIL
            if got:
                self.parts.append(Part(on, receipt.number, bill.number, kind, "principal", got))
            if bearing:
                bill.reductions.append((on, bearing))
            if not bill.principal and amount:
                fee = min(self.late_fee(bill, on) - bill.fees_paid, amount)
                if fee:
                    self.parts.append(
                        Part(on, receipt.number, bill.number, kind, "late_fee", fee, bill.fees_paid)
                    )
                    bill.fees_paid += fee
                    amount -= fee
        return amount

    def _bounce(self, on: date, cheque: Row) -> None:
        """The whole of a cheque comes off the lines that it had paid."""
        receipt = self.receipts[cheque["receipt_no"]]
        receipt.undone_on, receipt.credit = on, NIL
        receipt.undone_by = next(
            one["receipt_no"]
            for one in self.estate.out("payments")
            if Decimal(one["amount"]) == -receipt.amount
            and one["posted_on"] == str(on)
            and (one["unit_code"], one["payer_name"]) == receipt.whose
        )
        for one in [part for part in self.parts if part.receipt == receipt.number]:
            self.parts.append(Part(on, one.receipt, one.bill, "back", one.part, -one.amount))
            bill, left = self.bills[one.bill], one.amount
            for line in bill.lines if one.part == "principal" else ():
                part = min(line.paid, left)
                line.paid -= part
                left -= part
                if part and line.bears_late_fee:
                    bill.reductions.append((on, -part))


def _bills(estate: Estate) -> Iterator[Bill]:
    lines: dict[str, list[Row]] = defaultdict(list)
    for one in estate.out("invoice_lines"):
        lines[one["invoice_number"]].append(one)
    for one in estate.out("invoices"):
        yield Bill(
            one["number"],
            (one["unit_code"], one["payer_name"]),
            day(one["issued_on"]),
            day(one["due_on"]),
            one["kind"],
            [
                BillLine(
                    line["fee_item"],
                    Decimal(line["amount"]),
                    line["bears_late_fee"] == "true",
                    day(line["service_from"]) if line["service_from"] else None,
                    day(line["service_to"]) if line["service_to"] else None,
                )
                for line in lines[one["number"]]
            ],
        )


def _months(text: str) -> set[int]:
    found: set[int] = set()
    for part in text.split(";"):
        first, _, last = part.partition("-")
        found |= set(range(int(first), int(last or first) + 1))
    return found


def _payments(estate: Estate) -> Iterator[tuple[date, int, Row]]:
    """What the file of payments says, each on its days."""
    for place, row in enumerate(estate.given("payments")):
        for month in estate.periods:
            if month.month in _months(row["months"]):
                yield month.replace(day=min(int(row["day"]), month_days(month))), place, row


# --- what the exports say of it -----------------------------------------------------------------------------


def money_differences(books: Books) -> Iterator[str]:
    """Bills, lines, receipts and units whose running totals are others."""
    estate, ends = books.estate, day(books.estate.terms["ends"])
    yield from books.unlike
    lines = iter(estate.out("invoice_lines"))
    for one in estate.out("invoices"):
        bill = books.bills[one["number"]]
        fee = max(books.late_fee(bill, ends), bill.fees_paid)
        paid = sum((line.paid for line in bill.lines), bill.fees_paid)
        should = (bill.amount, paid, fee, bill.amount + fee - paid)
        said = tuple(Decimal(one[name]) for name in ("amount", "paid", "late_fee", "balance"))
        if said != should:
            yield f"bill {one['number']} {one['unit_code']}: {_list(said)}, should be {_list(should)}"
        if bill.kind == "regular" and bill.due_on.day != int(estate.terms["due_day"]):
            yield f"bill {one['number']}: due on {bill.due_on}"
    for number, bill in books.bills.items():
        for line in bill.lines:
            told = next(lines)
            if Decimal(told["paid"]) != line.paid:
                yield f"line of {number} {line.item}: paid {told['paid']}, should be {line.paid}"
    for one in estate.out("payments"):
        receipt = books.receipts.get(one["receipt_no"])
        if receipt is not None and Decimal(one["credit"]) != receipt.credit:
            yield f"payment {receipt.number}: credit {one['credit']}, should be {receipt.credit}"


def cheque_differences(books: Books) -> Iterator[str]:
    """Cheques that stand otherwise with the bank than the file says, or whose fee is another."""
    estate = books.estate
    told = {one["number"]: one for one in estate.out("cheques")}
    for row in estate.given("payments"):
        if not row.get("cheque"):
            continue
        one = told.pop(row["cheque"], None)
        names = ("bank", "due_on", "presented_on", "cleared_on", "bounced_on")
        if one is None or any(one[name] != row[name] for name in names):
            yield f"cheque {row['cheque']}: {one}"
            continue
        fee = Decimal(estate.terms["bounce_fee"]) if row["bounced_on"] else NIL
        bill = books.bills.get(one["fee_invoice"])
        if (bill.amount if bill else NIL) != fee or (bill and str(bill.issued_on) != row["bounced_on"]):
            yield f"cheque {row['cheque']}: its fee is {bill.amount if bill else NIL}, should be {fee}"
    yield from (f"cheque {number}: nobody gave it" for number in told)


def _list(sums: tuple[Decimal, ...]) -> str:
    return ", ".join(f"{one:.2f}" for one in sums)


# --- accounts -----------------------------------------------------------------------------------------------

Movement = tuple[date, str, str, Decimal, Decimal, Decimal, Decimal]  # billed, late fee, paid, prepaid


def account_differences(books: Books) -> Iterator[str]:
    """Each unit's account, line by line, for the whole time and for a part of the year."""
    estate, ends = books.estate, day(books.estate.terms["ends"])
    first = estate.periods[0]
    spans = {"whole": (None, ends), "part": (later(first, 3), later(first, 9) - DAY)}
    for unit in estate.units:
        for name, (from_on, to_on) in spans.items():
            rows = estate.out(f"statement_{unit}_{name}")
            yield from (
                f"account {unit} {name}: {one}" for one in _account(books, unit, rows, from_on, to_on)
            )


def _account(books: Books, unit: str, rows: list[Row], from_on: date | None, to_on: date) -> Iterator[str]:
    moved = [one for one in _movements(books, unit) if one[0] <= to_on]
    days = {one[0] for one in moved if one[1] not in {"bill", "payer"}}
    month = min((one[0] for one in moved), default=to_on)
    while month <= to_on:
        month = later(month.replace(day=1), 1)
        days.add(min(month - DAY, to_on))
    if from_on:
        days.add(from_on - DAY)
    moved += _fees(books, unit, sorted(days), to_on)
    begun = from_on or min((one[0] for one in moved), default=to_on)
    opening = [one for one in moved if one[0] < begun]
    should = sorted(one for one in moved if one[0] >= begun)
    said = sorted(
        (
            day(one["date"]),
            one["kind"],
            one["of"] if one["kind"] == "late_fee" else one["number"],
            Decimal(one["billed"]),
            Decimal(one["late_fee"]),
            Decimal(one["paid"]),
            Decimal(one["prepaid"]),
        )
        for one in rows
        if one["kind"] not in {"opening", "closing"}
    )
    for one in said:
        if one not in should:
            yield f"{_movement(one)} should not be there"
    for one in should:
        if one not in said:
            yield f"{_movement(one)} is missing"
    owed, prepaid = _standing(opening)
    for row in rows:
        if row["kind"] not in {"opening", "closing"}:
            owed += Decimal(row["billed"]) + Decimal(row["late_fee"]) - Decimal(row["paid"])
            owed -= Decimal(row["credited"])
            prepaid += Decimal(row["prepaid"])
        if (Decimal(row["balance"]), Decimal(row["prepaid_balance"])) != (owed, prepaid):
            yield f"{row['date']} {row['kind']} stands at {row['balance']}, should be {owed}"


def _standing(moved: list[Movement]) -> tuple[Decimal, Decimal]:
    owed = sum((billed + fee - paid for *_, billed, fee, paid, _ in moved), NIL)
    return owed, sum((one[-1] for one in moved), NIL)


def _movement(one: Movement) -> str:
    return f"{one[0]} {one[1]} {one[2]} {_list(one[3:])}"


def _movements(books: Books, unit: str) -> Iterator[Movement]:
    ends = day(books.estate.terms["ends"])
    for stay in books.estate.stays[unit]:
        if stay.is_payer and stay.first <= ends:
            yield stay.first, "payer", "", NIL, NIL, NIL, NIL
    for bill in books.bills.values():
        if bill.whose[0] == unit:
            yield bill.issued_on, "bill", bill.number, bill.amount, NIL, NIL, NIL
    for receipt in books.receipts.values():
        if receipt.whose[0] != unit:
            continue
        laid: dict[tuple[date, str], Decimal] = defaultdict(lambda: NIL)
        laid[receipt.on, "payment"] = NIL
        for part in books.parts:
            if part.receipt == receipt.number:
                kind = {"payment": "payment", "used": "prepaid_used", "back": "reversed"}[part.kind]
                laid[part.on, kind] += part.amount
        if receipt.undone_on:
            laid[receipt.undone_on, "reversed"] += NIL
        for (on, kind), paid in laid.items():
            came = {"payment": receipt.amount, "reversed": -receipt.amount}.get(kind, NIL)
            number = receipt.undone_by if kind == "reversed" else receipt.number
            yield on, kind, number, NIL, NIL, paid, came - paid


def _fees(books: Books, unit: str, days: list[date], to_on: date) -> Iterator[Movement]:
    for bill in books.bills.values():
        if bill.whose[0] != unit:
            continue
        charged = NIL
        for on in days:
            if max(bill.issued_on, bill.due_on + DAY) <= on <= min(to_on, END):
                fee = books.late_fee(bill, on) - charged
                if fee:
                    yield on, "late_fee", bill.number, NIL, fee, NIL, NIL
                charged += fee
