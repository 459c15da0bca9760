"""The call list: its order, promises and quiet hours, and what a contact settles (C6, C8, P3, P6)."""

from dataclasses import replace
from datetime import date, time
from decimal import Decimal

import pytest

from rules.call_list import call_order, contact_marks, is_quiet, is_settled, promise_reason
from rules.ladder import Roll, Stage, Subject, Trigger

TODAY = date(2026, 3, 19)

QUIET_HOURS = [
    ("22:00", "07:00", time(21, 59), False),
    ("22:00", "07:00", time(22, 0), True),
    ("22:00", "07:00", time(23, 59), True),
    ("22:00", "07:00", time(0, 0), True),
    ("22:00", "07:00", time(6, 59), True),
    ("22:00", "07:00", time(7, 0), False),
    ("12:00", "14:00", time(11, 59), False),
    ("12:00", "14:00", time(12, 0), True),
    ("12:00", "14:00", time(13, 59), True),
    ("12:00", "14:00", time(14, 0), False),
    ("12:00", "12:00", time(12, 0), False),
    ("", "", time(3, 0), False),
    ("22:00", "", time(23, 0), False),
]


@pytest.mark.parametrize(("begins", "ends", "at", "wanted"), QUIET_HOURS)
def test_quiet_hours_may_go_over_midnight(begins, ends, at, wanted):
    assert is_quiet(begins, ends, at) == wanted


# a promise's state and day, and why it is on the list of 19 March
PROMISES = [
    ("open", date(2026, 3, 18), ""),
    ("open", TODAY, "promise_due"),
    ("open", date(2026, 3, 20), ""),
    ("broken", date(2026, 3, 18), "promise_broken"),
    ("broken", date(2026, 3, 1), "promise_broken"),
    ("broken", date(2026, 2, 28), ""),
    ("kept", TODAY, ""),
]


@pytest.mark.parametrize(("state", "promised_on", "reason"), PROMISES)
def test_a_promise_is_on_the_list_on_its_day_and_broken_until_its_month_ends(state, promised_on, reason):
    assert promise_reason(state, promised_on, TODAY) == reason


def test_the_largest_debt_comes_first_and_equal_ones_by_unit():
    households = [("1-103", "100"), ("1-101", "50"), ("1-102", "100"), ("1-104", "300")]

    ordered = sorted(households, key=lambda one: call_order(Decimal(one[1]), one[0]))

    assert [code for code, _ in ordered] == ["1-104", "1-102", "1-103", "1-101"]


def test_each_mark_says_what_is_wrong_with_the_contacts():
    nothing = contact_marks(has_phone=True, has_bad_phone=False, is_email_bad=False)
    everything = contact_marks(has_phone=False, has_bad_phone=True, is_email_bad=True)

    assert (nothing, everything) == ((), ("no_phone", "phone_bad", "email_bad"))


VISIT = Stage(
    5,
    "visit",
    Subject.EPISODE,
    Trigger.DAY_OF_MONTH,
    27,
    roll=Roll.NEXT_WORKING_DAY,
    channels=("visit",),
    carried_by="steward",
    approved_by="steward",
)
CALL = replace(VISIT, code="call", channels=("phone", "visit"))
HEAD_VISIT = replace(VISIT, code="head_visit", carried_by="station_head", approved_by="station_head")
CHECKED = replace(VISIT, approved_by="station_head")

# method, channel, stage, role, is_approved, whether the contact does what the stage asked for
SETTLED = [
    ("visit", "visit", VISIT, "front_desk", False, True),
    ("phone", "visit", VISIT, "steward", True, False),
    ("visit", "phone", CALL, "steward", True, True),
    ("phone", "visit", CALL, "steward", True, True),
    ("message", "phone", CALL, "steward", True, False),
    ("message", "phone", None, "steward", True, False),
    ("phone", "phone", None, "front_desk", False, True),
    ("phone", "visit", HEAD_VISIT, "station_head", False, False),
    ("visit", "visit", HEAD_VISIT, "steward", True, False),
    ("visit", "visit", HEAD_VISIT, "station_head", False, True),
    ("visit", "visit", HEAD_VISIT, "manager", True, True),
    ("visit", "visit", CHECKED, "steward", False, False),
    ("visit", "visit", CHECKED, "steward", True, True),
    ("visit", "visit", CHECKED, "station_head", False, True),
]


@pytest.mark.parametrize(("method", "channel", "stage", "role", "is_approved", "wanted"), SETTLED)
def test_a_contact_settles_only_what_its_channel_and_role_allow(
    method, channel, stage, role, is_approved, wanted
):
    assert is_settled(method, channel, stage, {role}, is_approved=is_approved) == wanted
