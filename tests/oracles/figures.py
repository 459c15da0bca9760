"""Every figure of reports, start page and lists recounted from raw rows (K1–K3; contract: Figures, exactly).

Plain Python over `SELECT * FROM table`: written from the contract, sharing nothing with the program. Money is
whole fen. A household is a unit of one of the kinds given. Items have what lies on their own lines.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any
from zoneinfo import ZoneInfo

Row = dict[str, Any]
Read = Callable[[str], Iterable[Row]]  # a table's name → its rows as the database holds them
TABLES = (
    "unit", "invoice", "invoice_line", "fee_item", "credit_note", "credit_note_line", "allocation",
    "allocation_line", "payment", "reminder",
    "occupancy", "ticket", "ticket_clock", "clock_pause", "visit", "ticket_event", "billing_run", "estate",
    "building", "collection_target",
)  # fmt: skip
WENT_OUT = frozenset({"sent", "printed", "done"})


def as_day(value: Any) -> date:
    return value if isinstance(value, date) else date.fromisoformat(str(value)[:10])


def as_instant(value: Any) -> datetime | None:
    if value is None:
        return None
    found = value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)


def rate(part: int, whole: int) -> Decimal | None:
    """Percent with one decimal, half up."""
    if not whole:
        return None
    return (Decimal(part) * 100 / Decimal(whole)).quantize(Decimal("0.1"), ROUND_HALF_UP)


@dataclass
class Brought:
    """What bills brought, in fen."""

    billed: int = 0
    paid: int = 0
    late_fees: int = 0
    deposits_billed: int = 0
    deposits_paid: int = 0
    households: int = 0
    households_paid: int = 0

    @property
    def cells(self) -> tuple[int, ...]:
        return (
            self.billed, self.paid, self.late_fees, self.deposits_billed, self.deposits_paid,
            self.households, self.households_paid,
        )  # fmt: skip


@dataclass
class Bill:
    """An invoice put together from its rows."""

    id: int
    unit: int
    payer: int
    period: str
    due_on: date
    building: int
    kind: str
    late_fee: int
    lines: dict[int, int] = field(default_factory=dict)  # by item, those of one item together
    deposits: set[int] = field(default_factory=set)
    notes: list[tuple[int, int, date]] = field(default_factory=list)  # item, fen, day: a row a line
    laid: list[tuple[int, int, date]] = field(default_factory=list)  # the same of payments to principal
    allocations: list[Row] = field(default_factory=list)

    @property
    def credited(self) -> int:
        return sum(amount for _item, amount, _on in self.notes)

    @property
    def billed(self) -> int:
        return sum(self.lines.values()) - self.credited

    def paid_by(self, part: str, until: date = date.max) -> int:
        return sum(
            one["amount"]
            for one in self.allocations
            if one["part"] == part and as_day(one["allocated_on"]) <= until
        )

    @property
    def principal(self) -> int:
        return self.paid_by("principal")

    @property
    def late_fees_paid(self) -> int:
        return self.paid_by("late_fee")

    @property
    def balance(self) -> int:
        return self.billed + self.late_fee - self.principal - self.late_fees_paid

    @property
    def income(self) -> int:
        """What is billed for good: lines less their credit notes, without deposits."""
        return sum(billed for item, (billed, _paid) in self.shares().items() if item not in self.deposits)

    def income_paid(self, until: date = date.max) -> int:
        return sum(
            amount for item, amount, on in self.laid if item not in self.deposits and as_day(on) <= until
        )

    def shares(self) -> dict[int, tuple[int, int]]:
        """Billed and paid by item: its lines, what credit notes take off them, what is laid on them."""
        return {
            item: (
                asked - sum(amount for of, amount, _on in self.notes if of == item),
                sum(amount for of, amount, _on in self.laid if of == item),
            )
            for item, asked in self.lines.items()
        }

    def payments_in_force(self, part: str | None = "principal") -> list[date]:
        """The days from which payments pay for the bill whose money still lies on it."""
        net: dict[int, int] = defaultdict(int)
        days: dict[int, list[date]] = defaultdict(list)
        for one in self.allocations:
            if part is None or one["part"] == part:
                net[one["payment_id"]] += one["amount"]
                if one["amount"] > 0:
                    days[one["payment_id"]].append(as_day(one["allocated_on"]))
        return [max(days[payment]) for payment, amount in net.items() if amount > 0]


class Figures:
    """The rows of an office, and what every figure should be."""

    def __init__(self, read: Read, households: Collection[str]) -> None:
        self.rows = {table: [dict(row) for row in read(table)] for table in TABLES}
        self.zone = ZoneInfo(self.rows["estate"][0]["time_zone"])
        self.households = frozenset(households)
        self.units = {row["id"]: row for row in self.rows["unit"]}
        bases = {row["id"]: row["basis"] for row in self.rows["fee_item"]}
        self.bills: dict[int, Bill] = {}
        for row in self.rows["invoice"]:
            self.bills[row["id"]] = Bill(
                row["id"], row["unit_id"], row["payer_id"], row["period"], as_day(row["due_on"]),
                self.units[row["unit_id"]]["building_id"], row["kind"], row["late_fee"],
            )  # fmt: skip
        for row in self.rows["invoice_line"]:
            bill, item = self.bills[row["invoice_id"]], row["fee_item_id"]
            bill.lines[item] = bill.lines.get(item, 0) + row["amount"]
            if bases[item] == "deposit" and bill.kind != "regular":
                bill.deposits.add(item)
        lines = {row["id"]: row for row in self.rows["invoice_line"]}
        notes = {row["id"]: row["issued_on"] for row in self.rows["credit_note"]}
        days = {row["id"]: row["allocated_on"] for row in self.rows["allocation"]}
        for row in self.rows["credit_note_line"]:
            line = lines[row["invoice_line_id"]]
            note = line["fee_item_id"], row["amount"], as_day(notes[row["credit_note_id"]])
            self.bills[line["invoice_id"]].notes.append(note)
        for row in self.rows["allocation_line"]:
            line = lines[row["invoice_line_id"]]
            part = line["fee_item_id"], row["amount"], as_day(days[row["allocation_id"]])
            self.bills[line["invoice_id"]].laid.append(part)
        for row in self.rows["allocation"]:
            self.bills[row["invoice_id"]].allocations.append(row)

    def is_household(self, unit: int) -> bool:
        return self.units[unit]["kind"] in self.households

    # K1

    def collected(self, span: str, buildings: Collection[int] | None = None) -> dict[int, Brought]:
        """By building, of the bills of a month or a year."""
        found: dict[int, Brought] = defaultdict(Brought)
        per_unit: dict[int, list[Bill]] = defaultdict(list)
        for bill in self.bills.values():
            if not bill.period.startswith(span) or (buildings is not None and bill.building not in buildings):
                continue
            cell = found[bill.building]
            cell.billed += bill.income
            cell.paid += bill.income_paid()
            cell.late_fees += bill.late_fees_paid
            cell.deposits_billed += bill.billed - bill.income
            cell.deposits_paid += bill.principal - bill.income_paid()
            if bill.income > 0:
                per_unit[bill.unit].append(bill)
        for unit, bills in per_unit.items():
            if self.is_household(unit):
                cell = found[self.units[unit]["building_id"]]
                cell.households += 1
                cell.households_paid += all(bill.balance == 0 for bill in bills)
        return dict(found)

    def credited_above_their_item(self) -> list[tuple[int, int]]:
        """Bills and items whose credit notes exceed what the item asked for; never any."""
        return [
            (bill.id, item)
            for bill in self.bills.values()
            for item, asked in bill.lines.items()
            if asked < sum(amount for of_item, amount, _day in bill.notes if of_item == item)
        ]

    def by_item(self, span: str) -> dict[tuple[int, int], tuple[int, int]]:
        found: dict[tuple[int, int], tuple[int, int]] = defaultdict(lambda: (0, 0))
        for bill in self.bills.values():
            if bill.period.startswith(span):
                for item, (billed, paid) in bill.shares().items():
                    before = found[bill.building, item]
                    found[bill.building, item] = before[0] + billed, before[1] + paid
        return dict(found)

    def targets(self, span: str) -> dict[str, tuple[int | None, int | None]]:
        """By building's name: its area's target in percent, else the estate's, and the fen missing to it.

        Under "" the estate's target and the sum of what the buildings miss.
        """
        aims = {row["area_id"]: row["percent"] for row in self.rows["collection_target"]
                if row["year"] == int(span[:4])}  # fmt: skip
        brought = self.collected(span)
        found: dict[str, tuple[int | None, int | None]] = {}
        missing: list[int] = []
        for row in self.rows["building"]:
            if row["id"] not in brought:
                continue
            aim, cell = aims.get(row["area_id"], aims.get(None)), brought[row["id"]]
            gap = None if aim is None else max(-((cell.paid * 100 - cell.billed * aim) // 100), 0)
            missing += [] if gap is None else [gap]
            found[row["name"]] = aim, gap
        return {**found, "": (aims.get(None), sum(missing) if missing else None)} if found and aims else {}

    def year_split(self, year: int) -> dict[str, tuple[int, int, int]]:
        """This year's bills and older ones: asked (older: open at its start), paid in the year, open now."""
        end, before = date(year, 12, 31), date(year - 1, 12, 31)
        found = {"current_year": [0, 0, 0], "old_arrears": [0, 0, 0]}
        for bill in self.bills.values():
            bills_year = int(bill.period[:4])
            if bills_year > year:
                continue
            cell = found["current_year" if bills_year == year else "old_arrears"]
            cell[1] += bill.income_paid(end) - bill.income_paid(before)
            cell[2] += bill.balance
            others = sum(amount for item, amount in bill.lines.items() if item not in bill.deposits)
            notes = [(amount, on) for item, amount, on in bill.notes if item not in bill.deposits]
            if bills_year == year:
                cell[0] += others - sum(amount for amount, _on in notes)
            else:
                noted = sum(amount for amount, on in notes if on <= before)
                cell[0] += others - noted - bill.income_paid(before)
        return {which: (cell[0], cell[1], cell[2]) for which, cell in found.items()}

    def newest_period(self) -> str | None:
        """The newest with a billing run that made bills; without a run the newest billed."""
        regular = {bill.period for bill in self.bills.values() if bill.kind == "regular"}
        runs = {row["period"] for row in self.rows["billing_run"]} & regular
        return max(runs or {bill.period for bill in self.bills.values()}, default=None)

    # K2

    def overdue(self, today: date, buildings: Collection[int] | None = None) -> list[Bill]:
        late = [
            bill
            for bill in self.bills.values()
            if bill.balance > 0 and bill.due_on < today and (buildings is None or bill.building in buildings)
        ]
        return sorted(late, key=lambda bill: (bill.due_on, bill.id))

    def ageing(
        self, today: date, bounds: Sequence[int], buildings: Collection[int] | None = None
    ) -> list[tuple[int, int, int]]:
        """Of each column: fen, bills, households at their oldest debt."""
        found = [[0, 0, 0] for _ in range(len(bounds) + 1)]
        seen: set[int] = set()
        for bill in self.overdue(today, buildings):
            days = (today - bill.due_on).days
            column = next((place for place, bound in enumerate(bounds) if days <= bound), len(bounds))
            found[column][0] += bill.balance
            found[column][1] += 1
            found[column][2] += bill.unit not in seen and self.is_household(bill.unit)
            seen.add(bill.unit)
        return [(cell[0], cell[1], cell[2]) for cell in found]

    def left_on(self, reminder: Row) -> date:
        sent_at = as_instant(reminder["sent_at"])
        return sent_at.astimezone(self.zone).date() if sent_at else as_day(reminder["planned_on"])

    def unprompted(self, month: str) -> tuple[int, int, int]:
        """Households billed, those that owe nothing, those whose last payment came before any reminder."""
        bills: dict[int, list[Bill]] = defaultdict(list)
        for bill in self.bills.values():
            if bill.period == month and bill.income > 0 and self.is_household(bill.unit):
                bills[bill.unit].append(bill)
        paid = [unit for unit, of_unit in bills.items() if all(bill.balance == 0 for bill in of_unit)]
        alone = 0
        for unit in paid:
            days = [day for bill in bills[unit] for day in bill.payments_in_force()]
            reminders = [
                self.left_on(one)
                for bill in bills[unit]
                for one in self.rows["reminder"]
                if one["unit_id"] == unit
                and one["payer_id"] == bill.payer
                and one["state"] in WENT_OUT
                and as_day(one["due_on"]) <= bill.due_on < as_day(one["planned_on"])
            ]
            alone += bool(days) and (not reminders or max(days) < min(reminders))
        return len(bills), len(paid), alone

    def channels(self, month: str, today: date, days: int) -> dict[str, tuple[int, int, int]]:
        """By channel: reminders old enough, those after which a bill was paid, those that are too young."""
        found: dict[str, list[int]] = defaultdict(lambda: [0, 0, 0])
        for one in self.rows["reminder"]:
            since, planned_on, left = as_day(one["due_on"]), as_day(one["planned_on"]), self.left_on(one)
            if one["state"] not in WENT_OUT or planned_on <= since or f"{left:%Y-%m}" != month:
                continue
            cell = found[one["channel"]]
            if (today - left).days < days:
                cell[2] += 1
                continue
            cell[0] += 1
            cell[1] += any(
                left <= day <= left + timedelta(days=days)
                for bill in self.bills.values()
                if (bill.unit, bill.payer) == (one["unit_id"], one["payer_id"])
                and since <= bill.due_on < planned_on
                for day in bill.payments_in_force(None)
            )
        return {channel: (cell[0], cell[1], cell[2]) for channel, cell in found.items()}

    # Credit belongs to its payer

    def standing(self, unit: int, today: date) -> tuple[int, int, int]:
        """Of a unit: what its payer owes less their credit, the same of all others, the payer's credit."""
        payers = [
            row["owner_id"]
            for row in sorted(self.rows["occupancy"], key=lambda row: as_day(row["from_on"]))
            if row["unit_id"] == unit
            and row["is_payer"]
            and (row["to_on"] is None or as_day(row["to_on"]) >= today)
        ]
        owed: dict[int, int] = defaultdict(int)
        for bill in self.bills.values():
            if bill.unit == unit:
                owed[bill.payer] += bill.balance
        credit: dict[int, int] = defaultdict(int)
        for row in self.rows["payment"]:
            if row["unit_id"] == unit and row["state"] == "posted":
                credit[row["payer_id"]] += row["credit"]
        mine = payers[0] if payers else 0
        others = {*owed, *credit} - {mine}
        former = sum(owed[payer] - credit[payer] for payer in others)
        return owed[mine] - credit[mine], former, credit[mine]

    # K3

    def complaints(self, month: str) -> dict[str, Any]:
        """The figures of all valid complaints registered in a month."""
        valid = [
            row
            for row in self.rows["ticket"]
            if row["state"] != "invalid" and f"{self._local(row['registered_at']):%Y-%m}" == month
        ]
        clocks: dict[int, list[Row]] = defaultdict(list)
        for row in self.rows["ticket_clock"]:
            if row["state"] != "void":
                clocks[row["ticket_id"]].append(row)
        solved = [row for row in valid if row["resolved_at"] is not None or row["outcome"] == "solved"]
        ever = [row for row in valid if row in solved or row["reopen_count"]]
        done = [
            row
            for row in valid
            if (row["closed_at"] is not None or row["state"] in {"resolved", "followed_up", "closed"})
            and clocks[row["id"]]
            and all(clock["stopped_at"] is not None for clock in clocks[row["id"]])
        ]
        on_time = [row for row in done if all(clock["state"] == "met" for clock in clocks[row["id"]])]
        rounds = [one for row in valid for one in self._rounds(row["id"])]
        visited = [one for one in rounds if any(visit["outcome"] not in {"", "unreachable"} for visit in one)]
        scores = [
            visit["satisfaction"] for one in rounds for visit in one if visit["satisfaction"] is not None
        ]
        unresolved = [
            row
            for row in self.rows["ticket"]
            if row["closed_at"] is None
            and row["state"] not in {"resolved", "followed_up", "closed", "invalid"}
        ]
        return {
            "registered": len(valid),
            "resolved": len(solved),
            "rate_on_time": rate(len(on_time), len(done)),
            "rate_reopened": rate(sum(1 for row in valid if row["reopen_count"]), len(ever)),
            "rate_followed_up": rate(len(visited), len(rounds)),
            "rate_satisfied": rate(sum(1 for score in scores if score >= 4), len(scores)),
            "seconds": sorted(self._seconds(row) for row in valid if row["resolved_at"] is not None),
            "escalated": sum(1 for row in unresolved if row["level"] >= 1),
            "overdue": sum(
                1
                for row in unresolved
                if any(
                    clock["state"] == "breached" and clock["stopped_at"] is None
                    for clock in clocks[row["id"]]
                )
            ),
        }

    def _local(self, value: Any) -> datetime:
        found = as_instant(value)
        assert found is not None
        return found.astimezone(self.zone)

    def _rounds(self, ticket: int) -> list[list[Row]]:
        """The visits of each resolving that was due one: what is tried again belongs to the same."""
        reopened = [
            as_instant(row["at"])
            for row in self.rows["ticket_event"]
            if row["ticket_id"] == ticket and row["verb"] == "reopen"
        ]
        rounds: dict[int, list[Row]] = defaultdict(list)
        for visit in self.rows["visit"]:
            if visit["ticket_id"] != ticket or visit["kind"] != "follow_up":
                continue
            if visit["outcome"] == "done":
                continue  # given up: the complaint came back before anybody was met
            made = as_instant(visit["done_at"])
            before = [at for at in reopened if made is None or (at is not None and at < made)]
            rounds[len(before)].append(visit)
        return list(rounds.values())

    def _seconds(self, ticket: Row) -> int:
        """From registering to resolving, each second of waiting left out once."""
        begin, end = as_instant(ticket["registered_at"]), as_instant(ticket["resolved_at"])
        assert begin is not None
        assert end is not None
        waits = sorted(
            (max(as_instant(row["from_at"]) or begin, begin), min(as_instant(row["to_at"]) or end, end))
            for row in self.rows["clock_pause"]
            if row["ticket_id"] == ticket["id"]
        )
        waited, at = timedelta(), begin
        for since, until in waits:
            waited += max(until - max(since, at), timedelta())
            at = max(at, until)
        return int((end - begin - waited).total_seconds())
