"""Policies: presets pass their own checks, changes are dated and never reach back (§9)."""

from __future__ import annotations

import copy
import json
from datetime import UTC, date, datetime
from typing import Any

import pytest
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

import seed
from models.billing import FeeItem, Tariff
from models.policies import PolicyVersion
from models.property import PRESETS
from office.core import audit
from office.core.errors import Refused
from office.operations import setup
from office.policies import documents, store

NOW = datetime(2026, 6, 10, 2, tzinfo=UTC)
TODAY = date(2026, 6, 10)


@pytest.mark.parametrize("preset", PRESETS)
def test_a_preset_passes_its_own_checks(session: Session, preset: str) -> None:
    rows_of = {
        name: json.loads(json.dumps(rows, default=str)) for name, rows in seed.preset_policies(preset).items()
    }

    found = {name: store.problems(session, name, rows, rows_of) for name, rows in rows_of.items()}

    assert all(reasons == [] for reasons in found.values())
    assert set(documents.TYPES) == set(rows_of)


def without(document: dict[str, Any], *path: str | int) -> dict[str, Any]:
    changed = copy.deepcopy(document)
    place: Any = changed
    for step in path[:-1]:
        place = place[step]
    del place[path[-1]]
    return changed


@pytest.mark.parametrize(
    ("policy", "path", "code"),
    [
        ("ladder", ("stage", 2), "order_not_complete"),
        ("ladder", ("policy", "tolerance"), "value_missing"),
        ("calendar", ("make_up_hours",), "value_missing"),
        ("late_fee", ("late_fee", "daily_rate"), "value_missing"),
    ],
)
def test_a_gap_is_found(session: Session, policy: str, path: tuple[str | int, ...], code: str) -> None:
    others = seed.preset_policies("residential")

    found = store.problems(session, policy, without(others[policy], *path), others)

    assert code in {reason.code for reason in found}


class TestChange:
    def test_it_holds_from_its_day_on(self, session: Session) -> None:
        rows = store.document(session, "late_fee", TODAY)
        rows["late_fee"]["grace_days"] = 5

        store.change(session, "late_fee", rows, valid_from=TODAY, reason="board", now=NOW, staff_id=None)
        session.flush()

        assert store.document(session, "late_fee", date(2026, 6, 9))["late_fee"]["grace_days"] == 0
        assert store.document(session, "late_fee", TODAY)["late_fee"]["grace_days"] == 5

    def test_the_later_of_two_on_one_day_holds(self, session: Session) -> None:
        for days in (5, 7):
            rows = store.document(session, "late_fee", TODAY)
            rows["late_fee"]["grace_days"] = days
            store.change(session, "late_fee", rows, valid_from=TODAY, reason="x", now=NOW, staff_id=None)
            session.flush()

        assert store.document(session, "late_fee", TODAY)["late_fee"]["grace_days"] == 7

    def test_yesterday_is_refused(self, session: Session) -> None:
        rows = store.document(session, "late_fee", TODAY)

        with pytest.raises(Refused, match="past"):
            store.change(
                session, "late_fee", rows, valid_from=date(2026, 6, 9), reason="", now=NOW, staff_id=None
            )

    def test_a_broken_one_is_refused(self, session: Session) -> None:
        rows = store.document(session, "ladder", TODAY)
        del rows["stage"][0]

        with pytest.raises(Refused, match="order_not_complete"):
            store.change(session, "ladder", rows, valid_from=TODAY, reason="", now=NOW, staff_id=None)


def test_an_office_of_an_older_program_gets_what_its_preset_has_since_got(session: Session) -> None:
    """And keeps what it changed; run again, it gets nothing."""
    stored = seed.preset_policies("residential")
    session.execute(delete(PolicyVersion).where(PolicyVersion.policy == "privacy"))
    row = session.scalars(select(PolicyVersion).where(PolicyVersion.policy == "backups")).one()
    row.rows = json.dumps({})
    ladder = session.scalars(select(PolicyVersion).where(PolicyVersion.policy == "messages")).one()
    changed = {**json.loads(ladder.rows), "retry_after_minutes": [7]}
    ladder.rows = json.dumps(changed)
    session.flush()

    first, second = setup.complete(session, now=NOW), setup.complete(session, now=NOW)

    assert (first, second) == (["backups", "privacy"], [])
    assert store.document(session, "backups", TODAY) == stored["backups"]
    assert store.document(session, "privacy", TODAY) == stored["privacy"]
    assert store.document(session, "messages", TODAY)["retry_after_minutes"] == [7]


def test_an_office_of_an_older_program_gets_the_fee_items_made_since(session: Session) -> None:
    """What it edited stays, what it deleted or renamed stays away, what bills by itself waits (B1, B6)."""
    items = {item.code: item for item in session.scalars(select(FeeItem))}
    gone = ("management_fee", "water", "maintenance_fund", "utility_deposit", "repair")
    session.execute(delete(Tariff).where(Tariff.fee_item_id.in_([items[code].id for code in gone])))
    for code in gone:
        session.delete(items[code])
    items["electricity"].name_en = "Power of the office's own naming"
    items["paid_cleaning"].code = "own_cleaning"
    audit.record(session, NOW, None, "delete", items["water"], {"code": ("water", None)})
    audit.record(
        session, NOW, None, "edit", items["paid_cleaning"], {"code": ("paid_cleaning", "own_cleaning")}
    )
    session.flush()

    first, second = setup.complete(session, now=NOW), setup.complete(session, now=NOW)

    assert (first, second) == (["management_fee", "repair", "utility_deposit", "maintenance_fund"], [])
    found = {item.code: item for item in session.scalars(select(FeeItem))}
    assert {code for code in first if found[code].is_active} == {
        "repair",
        "utility_deposit",
        "maintenance_fund",
    }
    assert found["electricity"].name_en == "Power of the office's own naming"
    assert "water" not in found
    assert "paid_cleaning" not in found
    rates = session.scalars(select(Tariff.rate).where(Tariff.fee_item_id == found["repair"].id)).all()
    assert len(rates) == 5
