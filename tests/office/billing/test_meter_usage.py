"""A meter's usage of a month beside the months before: what is odd, and readings entered on a round (B18)."""

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from models.billing import Meter, MeterReading
from models.office import Audit
from office.billing import meter_usage
from office.core.errors import Refused
from rules.billing import Period
from tests.factories.estate import NOW, add_meter, add_unit, bill, day

JUNE = Period(2026, 6)
MONTHS = (
    ("2026-03-31", "100"),
    ("2026-04-30", "110"),
    ("2026-05-31", "122"),
)  # 10 and 12 in the months before


def found(session: Session) -> dict[str, tuple[Any, str]]:
    rows = meter_usage.usages(session, JUNE, [])
    return {row.unit_code: (row.used, row.reason.code if row.reason else "") for row in rows}


def test_usage_beside_the_mean_of_the_months_before(session: Session) -> None:
    last = {"1-1001": "140", "1-101": "138.5", "1-102": "122", "1-103": "127", "1-104": None, "1-105": "120"}
    for code, value in last.items():
        readings = (*MONTHS, *([("2026-06-30", value)] if value else []))
        add_meter(session, add_unit(session, code), "water", *readings)

    assert list(found(session).items()) == [
        ("1-101", (Decimal("16.5"), "")),
        ("1-102", (Decimal(0), "usage_zero")),
        ("1-103", (Decimal(5), "usage_low")),
        ("1-104", (None, "no_reading")),
        ("1-105", (None, "reading_runs_backwards")),
        ("1-1001", (Decimal(18), "usage_high")),
    ]


def test_what_is_odd_is_listed_for_the_bills_that_it_goes_into(session: Session) -> None:
    add_meter(session, add_unit(session, "1-101"), "water", *MONTHS, ("2026-06-30", "160"))
    out = add_meter(session, add_unit(session, "1-102"), "water", *MONTHS)
    out.out_of_use_from = date(2026, 6, 1)
    session.flush()

    assert [one.unit_code for one in meter_usage.odd(session, Period(2026, 7))] == ["1-101"]
    assert meter_usage.odd(session, JUNE) == []


@pytest.fixture
def meter(session: Session) -> Meter:
    return add_meter(session, add_unit(session, "1-101"), "water", *MONTHS)


@pytest.fixture
def enter(session: Session, meter: Meter) -> Callable[..., meter_usage.MeterUsage]:
    def entered(on: str, value: str, **more: Any) -> meter_usage.MeterUsage:
        given = {"is_estimated": False, "may_change": False, **more}
        return meter_usage.enter(session, meter, day(on), Decimal(value), now=NOW, staff_id=None, **given)

    return entered


def test_a_value_of_the_round_is_stored_once_and_its_usage_told(
    session: Session, enter: Callable[..., meter_usage.MeterUsage]
) -> None:
    first, again = enter("2026-06-08", "140"), enter("2026-06-08", "140")

    assert first == again
    assert first.used == Decimal(18)
    assert first.reason is not None
    assert first.reason.code == "usage_high"
    stored = session.scalars(select(MeterReading).where(MeterReading.read_on == date(2026, 6, 8))).all()
    assert [(row.value, row.kind) for row in stored] == [(Decimal(140), "read")]
    written = session.scalars(select(Audit).where(Audit.table_name == "meter_reading")).all()
    assert [row.action for row in written] == ["create"]


def test_what_is_there_is_changed_only_by_who_may(
    session: Session, enter: Callable[..., meter_usage.MeterUsage]
) -> None:
    enter("2026-06-08", "130", is_estimated=True)

    with pytest.raises(Refused, match="entered for that day already"):
        enter("2026-06-08", "131")
    assert enter("2026-06-08", "131", may_change=True).used == Decimal(9)
    written = session.scalars(select(Audit).where(Audit.table_name == "meter_reading")).all()
    assert [row.action for row in written] == ["create", "edit"]


def test_impossible_values_and_those_that_a_bill_counts_with_are_refused(
    session: Session, enter: Callable[..., meter_usage.MeterUsage]
) -> None:
    with pytest.raises(Refused, match="has not come yet"):
        enter("2027-01-01", "140")
    enter("2026-05-31", "121", may_change=True)
    assert bill(session, "2026-06").invoices == 1

    with pytest.raises(Refused, match="A bill counts with this reading"):
        enter("2026-05-31", "120", may_change=True)
    with pytest.raises(Refused, match="below the last reading"):
        enter("2026-06-08", "120")
