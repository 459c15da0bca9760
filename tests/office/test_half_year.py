"""A half-year of each preset by `flask tick --at`, beside a table worked out by hand (B9, C1–C13).

A-1 pays nothing. A-2 pays each bill on the 20th at noon. A-3 pays half an hour after the bill, before the
hour of judging. A-4 promises in January, pays on the promised day, and later on the 3rd of each month.
A-5 of the tower is restricted on 5 February and pays on the 11th; elsewhere it has a plan over January's
bill, keeps the first instalment and misses the second. A-6 is held in January, pays on 4 February, later on
the 3rd. A-7 pays nothing, and all that the legal gate asks for was done.

The clock comes daily, or in irregular leaps of hours to weeks, as if the office had been down between; the
table is the same. GATEHOUSE_HALF_YEARS=n tries n patterns of leaps (1 by default); GATEHOUSE_FULL=1 also
lives it daily, and on PostgreSQL.
"""

import csv
import json
import os
import random
from datetime import date, datetime, timedelta

import pytest
from sqlalchemy import select

from models.billing import FeeItem
from models.collection import Reminder, ReminderBatch, Restriction
from models.engine import writing
from models.property import Unit
from office.arrears import contacts, instalment_plans, reminder_batches, restrictions
from tests.conftest import DIALECTS, IS_FULL
from tests.factories.arrears import SHANGHAI
from tests.factories.estate import add_staff

pytestmark = [pytest.mark.long, pytest.mark.timeout(1200)]  # half a minute each on an idle machine
PATTERNS = int(os.environ.get("GATEHOUSE_HALF_YEARS", "1"))
LIVED = (
    [(pattern, dialect) for pattern in ("daily", *range(PATTERNS)) for dialect in DIALECTS]
    if IS_FULL
    else [(pattern, "sqlite") for pattern in range(PATTERNS)]
)
LEAPS = (3, 19, 26, 31, 77, 190, 400, 620)  # hours
MONTHS = range(1, 7)
ROSTER = """unit_code,building,area_name,unit_kind,area_m2,payer_name,payer_phone
A-1,A,East,office,100,Wang,13800000001
A-2,A,East,office,50,Li,13800000002
A-3,A,East,office,50,Zhao,13800000003
A-4,A,East,office,50,Qian,13800000004
A-5,A,East,office,50,Sun,13800000005
A-6,A,East,office,50,Zhou,13800000006
A-7,A,East,office,50,Wu,13800000007
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
    "A-5": [
        ("notice", "2026-01-01", 1), ("reminder", "2026-01-13", 1), ("demand", "2026-01-23", 1),
        ("call", "2026-01-26", 1), ("visit", "2026-01-28", 1), ("letter", "2026-01-29", 1),
        ("notice", "2026-02-01", 1), ("head_visit", "2026-02-02", 1),
        ("restriction_request", "2026-02-03", 1),  # both bills paid on the 11th
        *[("notice", f"2026-0{month}-01", 1) for month in range(3, 7)],
    ],
    "A-6": [
        ("notice", "2026-01-01", 1), ("not_made reminder hold", "2026-01-13", 1),  # held through the 25th
        ("reminder", "2026-01-26", 1), ("demand", "2026-01-28", 1), ("call", "2026-01-30", 1),
        ("notice", "2026-02-01", 1), ("visit", "2026-02-02", 1),  # 1 February is a Sunday
        ("letter", "2026-02-03", 1),  # both bills paid on the 4th, before the visit of the 5th
        *[("notice", f"2026-0{month}-01", 1) for month in range(3, 7)],
    ],
    "A-7": [
        ("notice", "2026-01-01", 1), ("reminder", "2026-01-13", 1), ("demand", "2026-01-23", 1),
        ("call", "2026-01-26", 1), ("visit", "2026-01-28", 1), ("letter", "2026-01-29", 1),
        ("notice", "2026-02-01", 1), ("head_visit", "2026-02-02", 1),
        ("restriction_request", "2026-02-03", 1),
        ("notice", "2026-03-01", 1), ("notice", "2026-04-01", 1),
        ("legal", "2026-04-07", 4),
        ("notice", "2026-05-01", 1), ("notice", "2026-06-01", 1),
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
    "A-5": [
        ("upcoming", "2026-01-08", 1), ("friendly", "2026-01-16", 1), ("call", "2026-01-19", 1),
        ("not_made visit plan_kept", "2026-01-22", 1),  # the plan is from the 20th
        # February's bill is outside the plan and climbs by itself
        ("upcoming", "2026-02-08", 1), ("friendly", "2026-02-16", 1),
        ("call", "2026-02-24", 1),  # after the holiday
        ("visit", "2026-02-26", 1), ("letter", "2026-03-02", 1), ("upcoming", "2026-03-08", 1),
        # the instalment of 20 March is missed: January's bill goes on after its call, 300 + 600 + 600
        ("visit", "2026-03-23", 2.5), ("letter", "2026-03-25", 2.5), ("lawyer_letter", "2026-03-27", 2.5),
        ("upcoming", "2026-04-08", 1), ("not_made court gate", "2026-04-15", 2.5),
        ("upcoming", "2026-05-08", 1), ("upcoming", "2026-06-08", 1),
    ],
    "A-6": [
        ("upcoming", "2026-01-08", 1), ("friendly", "2026-01-16", 1),
        ("not_made call hold", "2026-01-19", 1),  # held through the 25th
        ("call", "2026-01-26", 1), ("visit", "2026-01-28", 1), ("letter", "2026-01-30", 1),
    ],
    "A-7": [
        ("upcoming", "2026-01-08", 1), ("friendly", "2026-01-16", 1), ("call", "2026-01-19", 1),
        ("visit", "2026-01-22", 1), ("letter", "2026-01-30", 1),
        ("upcoming", "2026-02-08", 1), ("upcoming", "2026-03-08", 1),
        ("lawyer_letter", "2026-03-16", 3), ("upcoming", "2026-04-08", 1), ("court", "2026-04-15", 3),
        ("upcoming", "2026-05-08", 1), ("upcoming", "2026-06-08", 1),
    ],
}  # fmt: skip
# what became of requests, plans and cases: state, and the days and sums that they have
RESTRICTED = {
    "tower": [
        ("A-1", "requested", "2026-02-03", "", ""),
        ("A-5", "lifted", "2026-02-03", "2026-02-05", "2026-02-11"),
        ("A-7", "requested", "2026-02-03", "", ""),
    ],
    "residential": [],
    "project": [],
}
PLANNED = {
    "tower": [],
    "residential": [("A-5", "600.00", "broken")],
    "project": [("A-5", "600.00", "broken")],
}
SUED = {
    "tower": [("A-7", "preparing", "2026-04-07", "2400.00")],
    "residential": [("A-7", "preparing", "2026-04-15", "1800.00")],
    "project": [("A-7", "preparing", "2026-04-15", "1800.00")],
}
TABLES = {"tower": TOWER, "residential": RESIDENTIAL, "project": RESIDENTIAL}


def payments_of(month, preset):
    paid = [("A-2", f"2026-{month:02}-20T12:00", 600), ("A-3", f"2026-{month:02}-01T08:30", 600)]
    promised = PROMISES[preset][1]
    later = f"2026-{month:02}-03T10:00"
    paid.append(("A-4", f"{promised}T10:00" if month == 1 else later, 600))
    if month == 2:
        paid.append(("A-6", "2026-02-04T12:00", 1200))
        paid.append(
            ("A-5", "2026-02-11T10:00", 1200) if preset == "tower" else ("A-5", "2026-02-20T10:00", 300)
        )
    if month > 2:
        paid.append(("A-6", later, 600))
        paid += [("A-5", later, 600)] if preset == "tower" else []
    return paid


def contacts_of(preset):
    """What was said at A-4, and what the gates ask for at A-5 and A-7."""
    at, until = PROMISES[preset]
    tried = [(27, "phone"), (28, "visit")] if preset == "tower" else [(20, "phone"), (23, "visit")]
    return [
        f"{at},A-4,phone,promised,{until},600,",
        *(f"2026-01-{day}T15:00,A-7,{method},reached,,," for day, method in tried),
        *(f"2026-01-{day}T16:00,A-5,{method},reached,,," for day, method in tried if preset == "tower"),
    ]


def told(office, *arguments):
    result = office.run(*arguments)
    assert result.exit_code == 0, (arguments, result.output)
    return result.output


# --- what people do, each at its instant ------------------------------------------------------------


def debtor(session, code):
    row = session.execute(
        select(Reminder.unit_id, Reminder.payer_id).join(Unit).where(Unit.code == code).limit(1)
    ).one()
    return row.unit_id, row.payer_id


def hold(session, now):
    until_on = date(2026, 1, 25)
    contacts.hold_ladder(
        session, debtor(session, "A-6"), reason="x", until_on=until_on, now=now, staff_id=None
    )


def deliver(session, now):
    """The letters of A-5 and A-7 are approved, printed and brought."""
    head = add_staff(session, f"h{now:%d%H}", "station_head").id
    batch = session.scalars(select(ReminderBatch).where(ReminderBatch.stage == "letter")).one()
    reminder_batches.approve_batch(session, batch.id, now=now, staff_id=head)
    rows = select(Reminder.id).join(Unit).where(Reminder.batch_id == batch.id, Unit.code.in_(("A-5", "A-7")))
    reminder_batches.mark(session, session.scalars(rows).all(), "printed", now=now, staff_id=head)


def visit(session, now):
    """The station head was at A-5."""
    unit_id, _ = debtor(session, "A-5")
    rows = select(Reminder.id).where(Reminder.unit_id == unit_id, Reminder.stage == "head_visit")
    head = add_staff(session, f"v{now:%d%H}", "station_head").id
    reminder_batches.mark(session, session.scalars(rows).all(), "done", now=now, staff_id=head)


def restrict(session, now):
    """The request for A-5 gets its service and both approvals."""
    unit_id, _ = debtor(session, "A-5")
    request = session.scalars(select(Restriction).where(Restriction.unit_id == unit_id)).one()
    item = session.scalars(select(FeeItem).where(FeeItem.code == "overtime_ac")).one()
    item.is_restrictable = True
    restrictions.choose_service(
        session, request.id, fee_item_id=item.id, contract_clause="§ 6", now=now, staff_id=None
    )
    for login, role in (("h", "station_head"), ("m", "manager")):
        staff_id = add_staff(session, f"{login}-{now:%d}", role).id
        restrictions.approve_restriction(
            session, request.id, is_signed=login == "m", now=now, staff_id=staff_id
        )


def plan(session, now):
    """January's bill of A-5 in two parts, approved."""
    whose = debtor(session, "A-5")
    made = instalment_plans.propose_even_plan(session, whose, 2, date(2026, 2, 20), now=now, staff_id=None)
    instalment_plans.approve_plan(
        session, made.id, now=now, staff_id=add_staff(session, f"p{now:%d}", "station_head").id
    )


DONE = {
    "tower": {
        "2026-01-12T15:00": hold,
        "2026-01-29T16:00": deliver,
        "2026-02-02T16:00": visit,
        "2026-02-04T11:00": restrict,
    },
    "residential": {"2026-01-17T12:00": hold, "2026-01-20T12:00": plan, "2026-01-30T16:00": deliver},
}
DONE["project"] = DONE["residential"]


# --- the half-year ----------------------------------------------------------------------------------


def leaps(seed):
    """Instants of a clock that comes when it comes."""
    dice, instant, found = random.Random(seed), START, []
    while instant < END:
        instant += timedelta(hours=dice.choice(LEAPS), minutes=dice.randrange(60))
        found.append(instant)
    return found


def days():
    """Each day once, at another hour."""
    count = (END - START).days
    return [
        START + timedelta(days=number, hours=1 + (START.day + number) % 9, minutes=30)
        for number in range(count)
    ]


START, END = datetime(2026, 1, 1, 8, tzinfo=SHANGHAI), datetime(2026, 6, 30, 20, tzinfo=SHANGHAI)


def bring(office, folder, preset, month):
    """A month is billed; what will be paid and said is entered ahead of its time."""
    told(office, "bill", f"2026-{month:02}")
    rows = [
        f"{unit},{amount},{at},cash,m{month}{unit}{at[8:10]}"
        for unit, at, amount in payments_of(month, preset)
    ]
    file = folder / f"payments-{month}.csv"
    file.write_text("unit_code,amount,paid_at,method,reference\n" + "\n".join(rows) + "\n")
    told(office, "import", "payments", file)
    if month == 1:
        file = folder / "contacts.csv"
        head = "at,unit_code,method,outcome,promised_on,promised_amount,note\n"
        file.write_text(head + "\n".join(contacts_of(preset)) + "\n")
        told(office, "import", "contacts", file)


def live(office, folder, preset, instants):
    """The half-year: each month billed on the 1st at 08:00, people at their instants, ticks as they come."""
    (folder / "roster.csv").write_text(ROSTER)
    told(office, "tick", "--at", START.isoformat())
    told(office, "import", "roster", folder / "roster.csv")
    firsts = {datetime(2026, month, 1, 8, tzinfo=SHANGHAI): month for month in MONTHS}
    people = {datetime.fromisoformat(at).replace(tzinfo=SHANGHAI): do for at, do in DONE[preset].items()}
    for instant in sorted({*firsts, *people, *(one for one in instants if one < END), END}):
        told(office, "tick", "--at", instant.isoformat())
        if instant in firsts:
            bring(office, folder, preset, firsts[instant])
        if instant in people:
            with office.app.app_context(), writing(), office.session() as session:
                people[instant](session, instant)
                session.commit()


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


def exported(office, kind, *columns):
    rows = csv.DictReader(told(office, "export", kind).splitlines())
    return sorted(tuple(row[column] for column in columns) for row in rows)


@pytest.mark.parametrize(("pattern", "dialect"), LIVED, indirect=["dialect"])
@pytest.mark.parametrize("preset", TABLES)
def test_the_half_year_is_the_table_by_hand(office_of, tmp_path, preset, pattern, dialect):
    office = office_of(preset)

    live(office, tmp_path, preset, days() if pattern == "daily" else leaps(f"{preset} {dialect} {pattern}"))

    bills = {"A-1": 1200} | dict.fromkeys((f"A-{number}" for number in range(2, 8)), 600)
    assert by_unit(office, bills) == TABLES[preset]
    assert [row for row in exported(office, "contacts", "unit_code", "promise_state") if row[1]] == [
        ("A-4", "kept")
    ]
    columns = ("unit_code", "state", "requested_on", "effective_on", "lifted_on")
    assert exported(office, "restrictions", *columns) == RESTRICTED[preset]
    assert exported(office, "plans", "unit_code", "amount", "state") == PLANNED[preset]
    assert exported(office, "legal_cases", "unit_code", "state", "opened_on", "amount") == SUED[preset]
    stages = {
        row["period"]: row["stage"]
        for row in json.loads(told(office, "export", "invoices", "--format", "json"))
        if row["unit_code"] == "A-1"
    }
    last_made = [stage for stage, _, _ in TABLES[preset]["A-1"] if stage not in {"notice", "upcoming"}]
    assert stages["2026-01"] == next(one for one in reversed(last_made) if not one.startswith("not_made"))
    assert stages["2026-06"] == TABLES[preset]["A-1"][0][0]
    told(office, "check")
