"""The month of 943 households again, paid through three banks whose exports overlap (M5, R2, K1).

Each bank's files overlap by days, come as the bank writes them and saved again by a spreadsheet (CSV and
workbook, other forms of days, times and amounts, rows numbered anew), in mixed order and twice. Each payment
posts once, and each balance is what it is when every payment is entered directly.
"""

from __future__ import annotations

import json
import random
import re
from collections import defaultdict
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select

from models.billing import Invoice
from models.engine import writing
from models.payments import Payment
from models.property import Unit
from office.core import clock
from office.exchange import imports
from office.rooms import IMPORTS
from rules import movements
from rules.movements import Identity
from tests.factories.bank_files import FILES, Told
from tests.factories.month_of_943 import HOUSEHOLDS, OPENS, PAYING, PERIOD, Month, code, roster
from tests.factories.spreadsheets import ROSTER_HEADER, csv_file, xlsx_file

pytestmark = pytest.mark.long

ZONE = ZoneInfo("Asia/Shanghai")
BANKS = ("abc", "bocom", "cmb")  # without numbers; 序号 counts rows; with numbers, the latest row first
WINDOWS = ((2, 5), (4, 8), (7, 11))  # the days of December in each file
ASKED = ("unit_code", "amount", "paid_at", "method", "reference")


def truths(owed, paying):
    """What happened on each bank's account, in order: households pay to the fen, and fees go out."""
    on = {bank: [] for bank in BANKS}
    for n in range(paying):
        whole = Decimal(owed[code(n)])
        parts = [whole] if n % 50 else [whole - Decimal("30.01"), Decimal("30.01")]
        for part in parts:
            at = datetime(2026, 12, 2 + n % 10, 9 + n % 8, n % 60, n % 59 + 1, tzinfo=ZONE)
            told = Told(at, part, f"业主{n}", f"62220000{n:08}", f"物业费 {code(n)}室", "", Decimal(0))
            on[BANKS[n % 3]].append(told)
    for bank, rows in on.items():
        rows += [
            Told(datetime(2026, 12, day, 17, 30, 5, tzinfo=ZONE), Decimal("-3.50"), "银行", "9000",
                 f"手续费 {code(day)}", "", Decimal(0))
            for day in (3, 5, 8)
        ]  # fmt: skip
        rows.sort(key=lambda one: one.at)
        balance = Decimal("10000.00")
        for place, one in enumerate(rows):
            balance += one.amount
            number = f"{bank.upper()}202612{place:06}"
            rows[place] = replace(one, balance=balance, number=number)
    return on


@dataclass(frozen=True)
class Export:
    """A bank's file of some days: as the bank writes it, or saved again as a workbook or CSV."""

    bank: str
    first_day: int
    last_day: int
    form: str

    def write(self, folder, told):
        days = [one for one in told if self.first_day <= one.at.day <= self.last_day]
        bank = FILES[self.bank]
        if "序号" in bank.cells:
            counted = iter(range(1, len(days) + 1))
            bank = replace(bank, cells={**bank.cells, "序号": lambda _one: str(next(counted))})
        above, (header, *rows) = bank.above, replace(bank, above=(), below=()).lines(days)
        path = folder / f"{self.bank}-{self.first_day}-{self.form}"
        if self.form == "bank":
            first, *rest = [*above, header, *rows]
            return csv_file(path.with_suffix(".csv"), first, rest, "gb18030")
        saved = saved_as_workbook if self.form == "workbook" else saved_as_csv
        again = [[saved(cell) for cell in row] for row in rows]
        make = xlsx_file if self.form == "workbook" else csv_file
        return make(path.with_suffix(".xlsx" if self.form == "workbook" else ".csv"), header, again)


def saved_as_workbook(cell):
    """What a spreadsheet makes of a cell: instants, days and amounts become its own."""
    if re.fullmatch(r"2026-\d\d-\d\d \d\d:\d\d:\d\d", cell):
        return datetime.fromisoformat(cell)
    if re.fullmatch(r"2026-\d\d-\d\d", cell):
        return datetime.fromisoformat(cell).date()
    return float(cell.replace(",", "")) if re.fullmatch(r"-?[\d,]+\.\d\d", cell) else cell


def saved_as_csv(cell):
    """What a spreadsheet writes into a CSV: 2026/12/2 9:05 without seconds, 9:05:07, 350, 350.5."""
    if found := re.fullmatch(r"2026-(\d\d)-(\d\d)(?: (\d\d):(\d\d):\d\d)?", cell):
        month, day, hour, minute = found.groups()
        return f"2026/{int(month)}/{int(day)}" + (f" {int(hour)}:{minute}" if hour else "")
    if re.fullmatch(r"\d\d:\d\d:\d\d", cell):
        return cell.removeprefix("0")
    if re.fullmatch(r"-?[\d,]+\.\d\d", cell):
        return cell.replace(",", "").rstrip("0").rstrip(".")
    return cell


def billed(office, folder, households):
    """The office with so many households billed for the month, and what each owes."""
    month = Month(office, folder)
    month.run("tick", "--at", OPENS)
    month.bring("roster", (*ROSTER_HEADER, "居住人数"), roster()[:households], encoding="gbk")
    assert json.loads(month.run("bill", PERIOD, "--json"))["invoices"] == households
    with office.session() as session:
        return month, balances(session)


def balances(session):
    """What is open for each unit less the credit it has, in yuan."""
    found = defaultdict(Decimal)
    for unit, open_amount in session.execute(select(Unit.code, Invoice.balance).join(Invoice)):
        found[unit] += open_amount
    for unit, credit in session.execute(select(Unit.code, Payment.credit).join(Payment)):
        found[unit] -= credit
    return dict(found)


def entered_directly(month, told):
    """Each balance after every payment was brought by one table of payments; nothing of it stays."""
    rows = [
        [one.memo[4:-1], str(one.amount), one.at.isoformat(), "bank_transfer", f"D{number}"]
        for number, one in enumerate(one for rows in told.values() for one in rows if one.amount > 0)
    ]
    path = csv_file(month.folder / "direct.csv", ASKED, rows)
    with writing(), month.office.session() as session:
        kind = IMPORTS["payments"]
        table = imports.read(path, has_header=imports.header_test(session, kind))
        imports.take_in(session, "payments", kind, table, now=clock.now(session))
        found = balances(session)
        session.rollback()
    return found


def outcome(office):
    """The sums that were posted, and each balance."""
    with office.session() as session:
        return sorted(session.scalars(select(Payment.amount))), balances(session)


def came(told):
    return sorted(one.amount for rows in told.values() for one in rows if one.amount > 0)


def test_the_month_through_three_banks_ends_as_if_entered_directly(office, tmp_path):
    month, owed = billed(office, tmp_path, HOUSEHOLDS)
    told = truths(owed, PAYING)
    direct = entered_directly(month, told)
    files = [
        Export(bank, *days, form).write(tmp_path, told[bank])
        for bank in BANKS
        for place, days in enumerate(WINDOWS)
        for form in (("bank", "workbook"), ("csv", "bank"), ("workbook", "csv"))[place]
    ]
    order = random.Random(943)  # any order, the same each time
    order.shuffle(files)

    brought = [json.loads(month.run("import", "statement", path, "--json")) for path in files]
    order.shuffle(files)
    again = [json.loads(month.run("import", "statement", path, "--json"))["new"] for path in files[:9]]

    waiting = sum(one["details"]["waiting"] for one in brought)
    assert (waiting, again) == (9, [0] * 9), "only what went out waits"
    assert outcome(office) == (came(told), direct)
    rates = [
        row
        for row in month.exported("collection_rate")
        if (row["area_name"], row["building"]) == ("东区", "")
    ]
    assert [rates[-1][name] for name in ("households_billed", "households_paid", "rate_households")] == [
        "943",
        "590",
        "62.6",
    ]
    assert json.loads(month.run("check", "--json")) == {"ok": True, "findings": []}


@pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)
def test_the_control_without_identity_by_content_the_overlap_posts_twice(office, tmp_path, monkeypatch):
    month, owed = billed(office, tmp_path, 60)
    told = truths(owed, 40)
    direct = entered_directly(month, told)
    monkeypatch.setattr(movements, "identities", lambda rows, _known: [Identity() for _ in rows])

    for days, form in ((WINDOWS[0], "bank"), (WINDOWS[1], "csv"), (WINDOWS[2], "workbook")):
        for bank in BANKS:
            month.run("import", "statement", Export(bank, *days, form).write(tmp_path, told[bank]))

    posted, ended = outcome(office)
    assert len(posted) > len(came(told))
    assert ended != direct
