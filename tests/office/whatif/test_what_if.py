"""Other deadlines, hours, fees and targets tried on a month, beside it; nothing is written (§9, B7, T4)."""

from datetime import date
from decimal import Decimal

import pytest
from sqlalchemy import func, select

from models.complaints import TicketClock
from models.office import Audit, CollectionTarget
from models.policies import PolicyVersion
from models.property import Area
from office.complaints.clock_jobs import sweep
from office.core.errors import Refused
from office.policies import store
from office.whatif import dunning
from office.whatif import policies as whatif_policies
from tests.factories import estate
from tests.factories.complaints import complain, people, solved

PERIOD, NOW = "2026-03", estate.at("2026-04-01", 12)
ENDS = date(2026, 3, 31)


def tried(session, rows):
    """A trial, with the proof that it wrote nothing."""
    counts = [select(func.count()).select_from(table) for table in (Audit, PolicyVersion, TicketClock)]
    before = [session.scalar(count) for count in counts]
    found = dunning.simulate(session, PERIOD, rows, now=NOW)
    assert not session.dirty
    assert not session.new
    assert [session.scalar(count) for count in counts] == before
    return found


@pytest.fixture
def complaints(session):
    """One solved within the hour of its day, one still open since."""
    staff = people(session)
    solved(session, staff, registered="10:00", done="11:00")
    complain(session, "2026-03-03 10:00")
    sweep(session, NOW)
    session.flush()
    return session


@pytest.mark.parametrize("policy", ["clocks", "calendar", "late_fee"])
def test_the_same_policy_changes_nothing(complaints, policy):
    found = tried(complaints, store.document(complaints, policy, ENDS))

    assert found["policy"] == policy
    assert (found["changed"], found["simulated"]) == (0, found["actual"])


def test_a_shorter_deadline_would_have_been_missed(complaints):
    rows = store.document(complaints, "clocks", ENDS)
    for rule in rows["rule"]:
        if rule["clock"] == "first_word":
            rule["length"] = 30

    found = tried(complaints, rows)

    assert found["actual"]["first_word"]["met"] == 1
    assert found["simulated"]["first_word"]["met"] == 0
    assert found["simulated"]["first_word"]["rate"] == "0.0"
    first = found["changes"][0]
    assert (first["actual"]["due_at"][:16], first["simulated"]["due_at"][:16]) == (
        "2026-03-03T10:00", "2026-03-02T10:30",
    )  # fmt: skip


def test_a_deadline_taken_away_and_one_added(complaints):
    rows = store.document(complaints, "clocks", ENDS)
    rows["rule"] = [rule for rule in rows["rule"] if rule["clock"] != "first_word"] + [
        {"code": "ack", "clock": "acknowledge", "starts_at": ["registered"], "unit": "elapsed", "length": 120}
    ]

    found = tried(complaints, rows)

    assert "first_word" in found["actual"]
    assert "first_word" not in found["simulated"]
    assert found["simulated"]["acknowledge"]["met"] == 1  # solved after one hour
    assert found["simulated"]["acknowledge"]["breached"] == 1


def test_a_late_fee_turned_on_by_hand(session):
    """100 m² in March: what is open from the 16th on, 16 days at 0.1 % (B7)."""
    unit = estate.add_unit(session)
    session.commit()
    estate.bill(session, PERIOD, now=estate.at("2026-03-01"))
    rows = store.document(session, "late_fee", ENDS)
    rows["late_fee"] |= {"is_on": True, "daily_rate": "0.001", "grace_days": 0}
    bill = session.scalars(select(estate.Invoice).where(estate.Invoice.unit_id == unit.id)).one()

    found = tried(session, rows)

    expected = (bill.amount * (ENDS - bill.due_on).days / 1000).quantize(Decimal("0.01"))
    assert found["actual"]["late_fee"] == {"invoices": 0, "amount": "0.00"}
    assert found["simulated"]["late_fee"] == {"invoices": 1, "amount": str(expected)}
    assert found["changes"][0]["unit_code"] == "1-101"


def test_a_target_by_hand(session):
    """Nothing paid of a bill: the whole of the target is missing (K1)."""
    estate.add_unit(session)
    session.add(CollectionTarget(year=2026, percent=80, set_on=ENDS))
    session.commit()
    estate.bill(session, PERIOD, now=estate.at("2026-03-01"))
    amount = session.scalars(select(estate.Invoice.amount)).one()
    area = session.scalars(select(Area.name)).one()
    rows = whatif_policies.targets_document(session, 2026)
    assert rows == {"target": [{"area": "", "percent": 80}, {"area": area, "percent": 80}]}
    rows["target"][1]["percent"] = 95

    found = tried(session, rows)

    assert found["actual"][area] == {
        "rate": "0.0", "target": "80", "points": "-80.0", "missing": f"{amount * 80 / 100:.2f}",
    }  # fmt: skip
    assert found["simulated"][area]["missing"] == f"{amount * 95 / 100:.2f}"
    assert found["simulated"][""] == found["actual"][""]


WRONG = [
    {"late_fee": {"is_on": True, "daily_rate": "2", "grace_days": 0}},
    {"late_fee": {}},
    {"rule": [{"code": "x"}]},
    {"hours": "never"},
    {"target": [{"area": "", "percent": 101}]},
    {"target": [{"area": "nowhere", "percent": 10}]},
    {"target": [{}]},
    {"backups": {}},
]


@pytest.mark.parametrize("rows", WRONG)
def test_an_impossible_trial_is_refused(session, rows):
    with pytest.raises(Refused):
        dunning.simulate(session, PERIOD, rows, now=NOW)
