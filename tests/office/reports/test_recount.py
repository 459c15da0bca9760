"""A month of 943 households from roster to rate, counted again by recompute.py to the fen (B1-B5, K1, M7).

Roster, readings and slips imported, billed, 590 households paid by a WeChat Pay bill: 62.6 %. Then late fees,
part payments, a credit note, a reversal and a change of payer after the bill, counted again.
"""

import csv
import json
import shutil
from datetime import date
from decimal import Decimal

import pytest
from sqlalchemy import select, update

from models.billing import FeeItem, Invoice, Tariff
from models.engine import writing
from models.payments import Payment
from models.property import Estate, Unit
from office.billing import invoices
from office.billing.change_of_owner import change_of_owner
from office.core import clock
from office.estate import owners
from office.operations import demo, setup
from office.payments import corrections
from office.policies import store
from tests.factories.month_of_943 import HOUSEHOLDS, OPENS, PAYING, PERIOD, Month, code, counted, roster
from tests.factories.spreadsheets import ROSTER_HEADER
from tests.factories.statements import WECHAT, wechat_line

pytestmark = pytest.mark.long

LATE_FEE = """[late_fee]
is_on = true
daily_rate = "0.0005"
grace_days = 1
cap_rate = "1.00"
"""
TIERS = [[170, "0.5283"], [260, "0.5783"], [None, "0.8283"]]
AFTER_DUE, LATER = (f"2026-12-{day}T08:00:00+08:00" for day in ("19", "23"))


def readings():
    rows = []
    for n in range(HOUSEHOLDS):
        for meter, start, used in (("水表", 100 + n, f"{n % 31}.{n % 10}"), ("电表", 5000, f"{n % 401}.5")):
            rows += [
                [code(n), meter, "2026-10-28", start],
                [code(n), meter, "2026-11-15", start + Decimal(used) / 2],
                [code(n), meter, "2026-11-30", start + Decimal(used)],
            ]
    rows += [["S-01", "水表", "2026-11-01", "7"], ["S-01", "水表", "2026-12-01", "19.25"]]
    return [*rows, ["S-07", "水表", "2026-11-01", "3"]]


def slips():
    hours = [
        [f"K{n:03d}", code(n), "空调加时", f"2026-11-{n % 30 + 1:02d}", f"{n % 7}.5", ""] for n in range(60)
    ]
    jobs = [
        [f"W{n:03d}", code(n * 3), "户内维修", f"2026-11-{n % 30 + 1:02d}", 1 + n % 2, "换阀"]
        for n in range(40)
    ]
    return [
        *hours,
        *jobs,
        ["W900", "S-05", "repair", "2026-11-25", 1, ""],
        ["W901", "S-05", "repair", "2026-11-26", 1, ""],
    ]


@pytest.fixture
def month(office, tmp_path):
    return Month(office, tmp_path)


def prices(session, now):
    """A fixed item, one per person, tiers, a rate that changes on the 1st, late fees turned on."""
    garbage = FeeItem(code="garbage", basis="fixed", timing="arrears", position=9)
    cleaning = FeeItem(code="stairs", basis="per_person", position=10)
    session.add_all((garbage, cleaning))
    items = {one.code: one for one in session.scalars(select(FeeItem))}
    for item in items.values():
        item.bears_late_fee = True  # the recount reckons it of whole bills; by item: test_sums
    session.execute(
        update(Tariff)
        .where(Tariff.fee_item_id == items["management_fee"].id, Tariff.unit_kind == "shop")
        .values(valid_to=date(2026, 11, 30))
    )
    for item, kind, rate, tiers, since in (
        (garbage, "residence", "12.00", "", date(2020, 1, 1)),
        (garbage, "shop", "35.55", "", date(2020, 1, 1)),
        (cleaning, "residence", "4.355", "", date(2020, 1, 1)),
        (items["management_fee"], "shop", "8.355", "", date(2026, 12, 1)),
        (items["electricity"], "residence", "0.5283", json.dumps(TIERS), date(2026, 6, 1)),
    ):
        session.add(Tariff(fee_item=item, unit_kind=kind, rate=Decimal(rate), tiers=tiers, valid_from=since))
    row = {"is_on": True, "daily_rate": "0.0005", "grace_days": 1, "cap_rate": "1.00"}
    store.store(session, "late_fee", {"late_fee": row}, valid_from=date(2026, 12, 1), now=now)


def change_payer(session, unit_code, name, on, now, residents=None):
    owner = owners.add_owner(session, name, now=now)
    unit_id = session.scalars(select(Unit.id).where(Unit.code == unit_code)).one()
    return change_of_owner(session, unit_id, owner.id, on=on, now=now, residents=residents)


def wechat_bill(owed):
    """590 households to the fen, some in two parts; and rows that bring no money."""
    rows, number = [], 0
    for n in range(PAYING):
        whole = Decimal(owed[code(n)])
        parts = [whole] if n % 50 else [whole - Decimal("30.01"), Decimal("30.01")]
        for part in parts:
            number += 1
            at = f"2026-12-{2 + n % 10:02d} 09:{n % 60:02d}:30"
            rows.append(wechat_line(f"42000{number:08d}", str(part), f"物业费 {code(n)}室", 交易时间=at))
    rows += [
        rows[7],  # told twice
        wechat_line("4200900001", "88.00", f"物业费 {code(700)}", "REVOKED"),
        wechat_line(
            "4200900002",
            "0.00",
            f"物业费 {code(3)}",
            "REFUND",
            微信退款单号="5030000009",
            申请退款金额="5.00",
        ),
        wechat_line("4200900003", "120.00", "物业费"),
        wechat_line("4200900004", "120.00", f"{code(701)} {code(702)}"),
    ]
    return rows


def test_the_month_of_943_households_to_the_fen(month):
    month.run("tick", "--at", OPENS)
    with writing(), month.office.session() as session:
        prices(session, clock.now(session))
        session.commit()
    late = month.folder / "late_fee.toml"
    late.write_text(LATE_FEE)

    # what the office brings
    assert (
        month.bring("roster", (*ROSTER_HEADER, "居住人数"), roster(), encoding="gbk")["new"]
        == HOUSEHOLDS + 10
    )
    month.bring("readings", ("房号", "表号", "抄表日期", "读数"), readings())
    month.bring("slips", ("单号", "房号", "收费项目", "使用日期", "数量", "备注"), slips())
    ahead = [
        ["P-01", "80", "2026-11-20 10:00", "cash", "预存"],
        ["B-01", "100.01", "2026-11-20 10:00", "cash", "预存"],
    ]
    month.bring("payments", ("unit_code", "amount", "paid_at", "method", "reference"), ahead)
    with writing(), month.office.session() as session:
        change_payer(session, "S-05", "丁店新主", date(2026, 12, 12), clock.now(session))
        session.commit()

    # billed: what can't be is a list; what was missing is billed when it comes
    first = json.loads(month.run("bill", PERIOD, "--json"))
    assert {one["unit_code"]: one["reason"] for one in first["unbilled"]} == {
        "S-04": "no_payer",
        "S-07": "no_reading",
    }
    month.bring("readings", ("房号", "表号", "抄表日期", "读数"), [["S-07", "水表", "2026-12-01", "4.4"]])
    second = json.loads(month.run("bill", PERIOD, "--json"))
    assert (first["invoices"] + second["invoices"], second["invoices"]) == (HOUSEHOLDS + 9, 1)

    # 590 pay
    owed = {row["unit_code"]: row["balance"] for row in month.exported("units")}
    rows = wechat_bill(owed)
    brought = month.bring("statement", WECHAT, rows, encoding="utf-8-sig")
    assert (brought["details"], brought["skipped"]) == ({"posted": PAYING + 12, "waiting": 4}, 1)
    assert month.bring("statement", WECHAT, rows, encoding="utf-8-sig")["new"] == 0
    rates = {(row["area_name"], row["building"]): row for row in month.exported("collection_rate")}
    east = rates["东区", ""]
    assert [east[name] for name in ("households_billed", "households_paid", "rate_households")] == [
        "943",
        "590",
        "62.6",
    ]

    result = month.recount("--late-fee", late)
    assert result["differences"] == []
    assert result["counted"]["line"] > HOUSEHOLDS * 4

    # late, in part, corrected, taken back, handed over
    month.run("tick", "--at", AFTER_DUE)
    late_ones = [
        [code(n), str(100 + n % 300), f"2026-12-{14 + n % 6} 10:00", "card", f"L{n}"]
        for n in range(PAYING, PAYING + 60)
    ]
    month.bring("payments", ("unit_code", "amount", "paid_at", "method", "reference"), late_ones)
    with writing(), month.office.session() as session:
        now = clock.now(session)
        of = dict(session.execute(select(Unit.code, Invoice.id).join(Invoice)).all())
        for unit, amount in ((code(0), "50.05"), (code(PAYING + 1), "7.77")):  # the first is paid already
            note = invoices.NewCreditNote(of[unit], Decimal(amount), "x", None)
            invoices.credit_note(session, note, now=now)
        bounced = session.scalars(select(Payment.id).where(Payment.reference == f"L{PAYING + 2}")).one()
        corrections.reverse_payment(session, bounced, reason="x", now=now)
        change_payer(session, code(800), "新业主", date(2026, 12, 18), now, residents=5)
        session.commit()
    month.run("tick", "--at", LATER)

    result = month.recount("--late-fee", late)
    assert result["differences"] == []
    fees = [Decimal(row["late_fee"]) for row in month.exported("invoices")]
    assert sum(fee > 0 for fee in fees) > 300

    # a fen anywhere is found
    for kind, column in (
        ("invoice_lines", "amount"), ("tariffs", "rate"), ("readings", "value"), ("allocations", "amount"),
        ("invoices", "late_fee"), ("units", "balance"), ("collection_rate", "paid"),
        ("credit_notes", "amount"),
    ):  # fmt: skip
        assert counted(tampered(month.folder, kind, column), "--late-fee", late)["differences"], (
            kind,
            column,
        )


def tampered(folder, kind, column):
    """The exports with one cell a fen higher."""
    made = folder / "tampered"
    shutil.rmtree(made, ignore_errors=True)
    shutil.copytree(folder / "out", made)
    with (made / f"{kind}.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    rows[0][column] = str(Decimal(rows[0][column]) + Decimal("0.01"))
    with (made / f"{kind}.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    return made


@pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)
def test_three_months_of_the_demo_estate(office_of, tmp_path):
    """What `flask init --demo` fills an office with, which is no sandbox and lives in real time."""
    month = Month(office_of("none"), tmp_path)
    with month.office.app.app_context(), writing(), month.office.session() as session:
        now = clock.machine_now()
        made = setup.set_up(session, "residential", now=now, is_sandbox=False, admin_password="correct horse")
        demo.build(session, password=made.password, now=now, months=3)
        session.commit()
        assert not session.scalars(select(Estate)).one().is_sandbox

    result = month.recount()

    assert result["differences"] == []
    assert result["counted"]["line"] == 3 * 1033
    east = [
        row
        for row in month.exported("collection_rate")
        if (row["area_name"], row["building"]) == ("东区", "")
    ]
    assert [row["rate_households"] for row in east][-1] == "62.6"
