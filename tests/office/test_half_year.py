"""A half-year of each preset by `flask tick --at`, daily and monthly, beside a table worked by hand (C1–C13).

A-1 pays nothing. A-2 pays each bill on the 20th at noon. A-3 pays half an hour after the bill, before the
hour of judging. A-4 promises in January, pays on the promised day, and later on the 3rd of each month.
"""

import csv
import json
from datetime import date, timedelta

import pytest

MONTHS = range(1, 7)
ROSTER = """unit_code,building,area_name,unit_kind,area_m2,payer_name,payer_phone
A-1,A,East,office,100,Wang,13800000001
A-2,A,East,office,50,Li,13800000002
A-3,A,East,office,50,Zhao,13800000003
A-4,A,East,office,50,Qian,13800000004
"""
PROMISES = {"tower": ("2026-01-24T10:00", "2026-01-30"), "residential": ("2026-01-17T10:00", "2026-01-23")}
PROMISES["project"] = PROMISES["residential"]

# 2026: off 1–3 January, 15–23 February, 4–6 April, 1–5 May, 19–21 June; worked 4 January, 14 and 28
# February, 9 May. A stage, the day it is planned for, the debt in bills of that household
TOWER = {
    "A-1": [
        ("notice", "2026-01-01", 1), ("reminder", "2026-01-13", 1), ("demand", "2026-01-23", 1),
        ("call", "2026-01-26", 1),  # the 25th is a Sunday
        ("visit", "2026-01-28", 1), ("letter", "2026-01-29", 1),  # each its gap behind
        ("notice", "2026-02-01", 1), ("head_visit", "2026-02-02", 1),
        ("restriction_request", "2026-02-03", 1),
        ("notice", "2026-03-01", 1), ("notice", "2026-04-01", 1),
        ("not_made legal gate", "2026-04-07", 4),  # after Qingming
        ("notice", "2026-05-01", 1), ("notice", "2026-06-01", 1),
    ],
    "A-2": [
        ("notice", "2026-01-01", 1), ("reminder", "2026-01-13", 1),
        ("notice", "2026-02-01", 1), ("reminder", "2026-02-13", 1),
        ("notice", "2026-03-01", 1), ("reminder", "2026-03-13", 1),
        ("notice", "2026-04-01", 1), ("reminder", "2026-04-13", 1),
        ("notice", "2026-05-01", 1), ("reminder", "2026-05-13", 1),
        ("notice", "2026-06-01", 1), ("reminder", "2026-06-15", 1),  # the 13th is a Saturday
    ],
    "A-3": [],
    "A-4": [
        ("notice", "2026-01-01", 1), ("reminder", "2026-01-13", 1), ("demand", "2026-01-23", 1),
        ("not_made call promise_not_due", "2026-01-26", 1),
        *[("notice", f"2026-0{month}-01", 1) for month in range(2, 7)],
    ],
}  # fmt: skip
RESIDENTIAL = {
    "A-1": [
        ("upcoming", "2026-01-08", 1), ("friendly", "2026-01-16", 1), ("call", "2026-01-19", 1),
        ("visit", "2026-01-22", 1), ("letter", "2026-01-30", 1),
        ("upcoming", "2026-02-08", 1), ("upcoming", "2026-03-08", 1),
        ("lawyer_letter", "2026-03-16", 3), ("upcoming", "2026-04-08", 1),
        ("not_made court gate", "2026-04-15", 3),  # April's own bill is due that day, not past due
        ("upcoming", "2026-05-08", 1), ("upcoming", "2026-06-08", 1),
    ],
    "A-2": [
        ("upcoming", "2026-01-08", 1), ("friendly", "2026-01-16", 1), ("call", "2026-01-19", 1),
        ("upcoming", "2026-02-08", 1), ("friendly", "2026-02-16", 1),  # the call would be on the 24th
        ("upcoming", "2026-03-08", 1), ("friendly", "2026-03-16", 1), ("call", "2026-03-19", 1),
        ("upcoming", "2026-04-08", 1), ("friendly", "2026-04-16", 1),
        ("call", "2026-04-20", 1),  # the 19th is a Sunday; paid that noon
        ("upcoming", "2026-05-08", 1), ("friendly", "2026-05-16", 1), ("call", "2026-05-19", 1),
        ("upcoming", "2026-06-08", 1), ("friendly", "2026-06-16", 1),  # the call would be on the 22nd
    ],
    "A-3": [],
    "A-4": [
        ("upcoming", "2026-01-08", 1), ("friendly", "2026-01-16", 1),
        ("not_made call promise_not_due", "2026-01-19", 1),
    ],
}  # fmt: skip
TABLES = {"tower": TOWER, "residential": RESIDENTIAL, "project": RESIDENTIAL}


def payments_of(month, preset):
    paid = [("A-2", f"2026-{month:02}-20T12:00"), ("A-3", f"2026-{month:02}-01T08:30")]
    promised = PROMISES[preset][1]
    paid.append(("A-4", f"{promised}T10:00" if month == 1 else f"2026-{month:02}-03T10:00"))
    return paid


def told(office, *arguments):
    result = office.run(*arguments)
    assert result.exit_code == 0, (arguments, result.output)
    return result.output


def live(office, folder, preset, *, is_daily):
    """The half-year: each month billed on the 1st at 08:00, what people do entered ahead of its time."""
    (folder / "roster.csv").write_text(ROSTER)
    told(office, "tick", "--at", "2026-01-01T08:00:00+08:00")
    told(office, "import", "roster", folder / "roster.csv")
    at, until = PROMISES[preset]
    for month in MONTHS:
        first = date(2026, month, 1)
        told(office, "tick", "--at", f"{first}T08:00:00+08:00")
        told(office, "bill", f"2026-{month:02}")
        rows = [f"{unit},600,{paid_at},cash,m{month}{unit}" for unit, paid_at in payments_of(month, preset)]
        file = folder / f"payments-{month}.csv"
        file.write_text("unit_code,amount,paid_at,method,reference\n" + "\n".join(rows) + "\n")
        told(office, "import", "payments", file)
        if month == 1:
            file = folder / "contacts.csv"
            file.write_text(
                "at,unit_code,method,outcome,promised_on,promised_amount,note\n"
                f"{at},A-4,phone,promised,{until},600,\n"
            )
            told(office, "import", "contacts", file)
        day = first
        while is_daily and day.month == month:
            told(office, "tick", "--at", f"{day}T{9 + day.day % 9:02}:30:00+08:00")
            day += timedelta(days=1)
    told(office, "tick", "--at", "2026-06-30T20:00:00+08:00")


def by_unit(office, debt_of_a_bill):
    rows = json.loads(told(office, "export", "reminders", "--format", "json"))
    found = {unit: [] for unit in debt_of_a_bill}
    for row in sorted(rows, key=lambda row: row["planned_on"]):
        is_made = row["state"] != "not_made"
        code = row["reason"].split(":")[0].split(" ")[0] if row["reason"] else ""
        stage = row["stage"] if is_made else f"not_made {row['stage']} {code}"
        count = float(row["debt"]) / debt_of_a_bill[row["unit_code"]]
        found[row["unit_code"]].append((stage, row["planned_on"], count))
        assert is_made == (code == ""), row
    return found


@pytest.mark.parametrize("is_daily", [False, True], ids=["monthly", "daily"])
@pytest.mark.parametrize("preset", TABLES)
def test_the_half_year_is_the_table_by_hand(office_of, tmp_path, preset, is_daily, dialect):
    if preset == "project" or (dialect == "postgresql" and is_daily):
        is_daily = False  # its ladder is the residential one, and the second database needs one pattern
    office = office_of(preset)

    live(office, tmp_path, preset, is_daily=is_daily)

    assert by_unit(office, {"A-1": 1200, "A-2": 600, "A-3": 600, "A-4": 600}) == TABLES[preset]
    contacts = list(csv.DictReader(told(office, "export", "contacts").splitlines()))
    assert [row["promise_state"] for row in contacts] == ["kept"]
    stages = {
        row["period"]: row["stage"]
        for row in json.loads(told(office, "export", "invoices", "--format", "json"))
        if row["unit_code"] == "A-1"
    }
    last_made = [stage for stage, _, _ in TABLES[preset]["A-1"] if stage not in {"notice", "upcoming"}]
    assert stages["2026-01"] == next(one for one in reversed(last_made) if not one.startswith("not_made"))
    assert stages["2026-06"] == TABLES[preset]["A-1"][0][0]
    told(office, "check")
