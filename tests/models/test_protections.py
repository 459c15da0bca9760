"""What the database itself refuses (P4, M6, decisions: Data); each with the control that it would pass."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from sqlalchemy import delete, update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from models import triggers
from models.office import Audit
from models.people import Occupancy, Owner
from models.property import Area, Building, Unit

AT = datetime(2026, 6, 1, tzinfo=UTC)


@pytest.fixture
def unit(session: Session) -> Unit:
    building = Building(name="1", area=Area(name="East"))
    unit = Unit(code="1-101", building=building, kind="residence", area_m2=Decimal("88.5"))
    session.add(unit)
    session.commit()
    return unit


def occupy(session: Session, unit: Unit, from_on: date, to_on: date | None, *, is_payer: bool = True) -> None:
    session.add(
        Occupancy(unit=unit, owner=Owner(name="王芳"), from_on=from_on, to_on=to_on, is_payer=is_payer)
    )
    session.commit()


class TestOnePayerAtATime:
    """P4: no two fee payers at once for a unit."""

    @pytest.mark.parametrize(
        ("from_on", "to_on"),
        [
            (date(2026, 6, 30), None),
            (date(2026, 1, 1), date(2026, 1, 1)),
            (date(2025, 1, 1), date(2026, 1, 1)),
            (date(2026, 3, 1), date(2026, 4, 1)),
        ],
    )
    def test_overlap_is_refused(
        self, session: Session, unit: Unit, from_on: date, to_on: date | None
    ) -> None:
        occupy(session, unit, date(2026, 1, 1), date(2026, 6, 30))

        with pytest.raises(DBAPIError, match="occupancy_one_payer_at_a_time"):
            occupy(session, unit, from_on, to_on)

    def test_the_day_after_is_free(self, session: Session, unit: Unit) -> None:
        occupy(session, unit, date(2026, 1, 1), date(2026, 6, 30))

        occupy(session, unit, date(2026, 7, 1), None)

        assert session.query(Occupancy).count() == 2

    def test_one_who_does_not_pay_may_overlap(self, session: Session, unit: Unit) -> None:
        occupy(session, unit, date(2026, 1, 1), None)

        occupy(session, unit, date(2026, 1, 1), None, is_payer=False)

        assert session.query(Occupancy).count() == 2

    def test_without_the_protection_two_payers_pass(self, session: Session, unit: Unit) -> None:
        triggers.drop(session.connection())
        occupy(session, unit, date(2026, 1, 1), None)

        occupy(session, unit, date(2026, 1, 1), None)

        assert "occupancy_one_payer_at_a_time" in triggers.missing(session.connection())


class TestPostedRows:
    @pytest.mark.parametrize(
        ("statement", "refusal"),
        [
            (update(Audit).values(action="other"), "audit_is_never_rewritten"),
            (delete(Audit), "audit_is_never_deleted"),
        ],
    )
    def test_rewriting_is_refused(self, session: Session, statement: object, refusal: str) -> None:
        session.add(Audit(at=AT, action="create", table_name="unit", row_id=1))
        session.commit()

        with pytest.raises(DBAPIError, match=refusal):
            session.execute(statement)

    def test_without_the_protection_it_passes(self, session: Session) -> None:
        session.add(Audit(at=AT, action="create", table_name="unit", row_id=1))
        session.commit()
        triggers.drop(session.connection())

        session.execute(delete(Audit))

        assert session.query(Audit).count() == 0

    def test_all_are_there_after_the_set_up(self, session: Session) -> None:
        assert triggers.missing(session.connection()) == []
