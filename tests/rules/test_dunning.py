"""The ladder judged day by day: worked by hand, and over random histories (C1–C4, C12, C13)."""

from collections import Counter
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rules.dunning import (
    DayFacts,
    DunningCase,
    DunningOutcome,
    batches,
    channel,
    following,
    forecast,
    holds,
    next_stage,
    past_due,
    planned_on,
)
from rules.gates import LegalFacts
from rules.ladder import DAY, Subject
from tests.factories.ladders import CALENDAR, climb, days, ladder, made, not_made, owed
from tests.oracles.ladder import History, days_to_judge, judge, judge_days

TRIED = LegalFacts(frozenset({"phone", "visit"}), is_letter_delivered=True)

# --- nobody pays: the whole climb, worked out by hand with the calendar of 2026 --------------------

CLIMBS = {
    # 5 March 2026: 28 March is a Saturday; 4–6 April is Qingming
    ("tower", date(2026, 3, 5)): [
        ("notice", "2026-03-01"),
        ("reminder", "2026-03-13"),
        ("demand", "2026-03-23"),
        ("call", "2026-03-25"),
        ("visit", "2026-03-27"),
        ("letter", "2026-03-30"),
        ("head_visit", "2026-04-02"),
        ("restriction_request", "2026-04-03"),
        ("legal", "2026-06-05"),
    ],
    # 28 February is a worked Saturday after the Spring Festival; 14 and 15–23 February
    ("tower", date(2026, 2, 5)): [
        ("notice", "2026-02-01"),
        ("reminder", "2026-02-13"),
        ("demand", "2026-02-24"),
        ("call", "2026-02-26"),
        ("visit", "2026-02-28"),
        ("letter", "2026-03-02"),
        ("head_visit", "2026-03-04"),
        ("restriction_request", "2026-03-05"),
        ("legal", "2026-05-06"),
    ],
    # the National Day holiday pushes the letter behind the 2nd
    ("tower", date(2026, 9, 5)): [
        ("notice", "2026-09-01"),
        ("reminder", "2026-09-14"),
        ("demand", "2026-09-23"),
        ("call", "2026-09-28"),
        ("visit", "2026-09-30"),
        ("letter", "2026-10-08"),
        ("head_visit", "2026-10-10"),
        ("restriction_request", "2026-10-12"),
        ("legal", "2026-12-07"),
    ],
    ("residential", date(2026, 3, 15)): [
        ("upcoming", "2026-03-08"),
        ("friendly", "2026-03-16"),
        ("call", "2026-03-19"),
        ("visit", "2026-03-23"),
        ("letter", "2026-03-30"),
        ("lawyer_letter", "2026-05-14"),
        ("court", "2026-06-15"),
    ],
    # friendly goes out on a Saturday; the call rolls over a Sunday
    ("project", date(2026, 5, 15)): [
        ("upcoming", "2026-05-08"),
        ("friendly", "2026-05-16"),
        ("call", "2026-05-19"),
        ("visit", "2026-05-22"),
        ("letter", "2026-06-01"),
        ("lawyer_letter", "2026-07-14"),
        ("court", "2026-08-17"),
    ],
}


@pytest.mark.parametrize(("preset", "due_on"), CLIMBS)
def test_a_debt_that_nobody_pays_climbs_the_whole_ladder(preset, due_on):
    history = climb(
        preset, due_on.replace(day=1), 130, owed("1", due_on), facts=lambda day: DayFacts(day, legal=TRIED)
    )

    assert made(history) == CLIMBS[preset, due_on]
    assert not not_made(history) or due_on.month == 5  # 90 days from 15 May are not yet 3 months


GATED = [
    ("tower", date(2026, 3, 5), ("legal", "2026-06-05", "gate")),
    ("residential", date(2026, 3, 15), ("court", "2026-06-15", "gate")),
]


@pytest.mark.parametrize(("preset", "due_on", "row"), GATED)
def test_the_last_stage_without_its_gate_is_stored_once_with_what_is_missing(preset, due_on, row):
    history = climb(preset, due_on.replace(day=1), 150, owed("1", due_on))

    assert not_made(history) == [row]
    assert "attempt_methods delivered_letter" in str(history.judgements[-1].reason)


def test_the_last_stage_is_made_when_its_gate_holds_later():
    def facts(day):
        return DayFacts(day, legal=TRIED if day >= date(2026, 6, 20) else LegalFacts())

    history = climb("residential", date(2026, 3, 1), 150, owed("1", date(2026, 3, 15)), facts=facts)

    assert made(history)[-1] == ("court", "2026-06-22")  # the 20th is a Saturday


# --- late starts ----------------------------------------------------------------------------------

LATE = {
    "tower": [
        ("reminder", "2026-03-20"),
        ("demand", "2026-03-23"),
        ("call", "2026-03-25"),
        ("visit", "2026-03-27"),
        ("letter", "2026-03-30"),
        ("head_visit", "2026-04-01"),
        ("restriction_request", "2026-04-02"),
        ("legal", "2026-04-07"),
    ],
    "residential": [
        ("friendly", "2026-03-20"),
        ("call", "2026-03-23"),
        ("visit", "2026-03-25"),
        ("letter", "2026-03-27"),
        ("lawyer_letter", "2026-03-30"),
        ("court", "2026-04-01"),
    ],
}


@pytest.mark.parametrize("preset", LATE)
def test_an_old_debt_skips_nothing_and_never_gets_two_on_a_day(preset):
    history = climb(
        preset,
        date(2026, 3, 20),
        60,
        owed("1", date(2025, 1, 5)),
        facts=lambda day: DayFacts(day, legal=TRIED),
    )

    assert made(history) == LATE[preset]


# --- notices --------------------------------------------------------------------------------------

NOTICES = [
    # days on which the invoice is known, the notice's day
    (date(2026, 3, 1), "2026-03-08"),
    (date(2026, 3, 8), "2026-03-08"),
    (date(2026, 3, 9), "2026-03-09"),
    (date(2026, 3, 15), "2026-03-15"),
    (date(2026, 3, 16), None),
]


@pytest.mark.parametrize(("known_from", "wanted"), NOTICES)
def test_a_notice_is_made_once_from_its_trigger_to_the_due_day(known_from, wanted):
    history = climb("residential", date(2026, 3, 1), 31, owed("1", date(2026, 3, 15)), known_from=known_from)

    assert [on for stage, on in made(history) if stage == "upcoming"] == ([wanted] if wanted else [])


@pytest.mark.parametrize(("open_now", "count"), [("0.99", 0), ("1.00", 1), ("1.01", 1)])
def test_a_prepaid_invoice_gets_no_notice(open_now, count):
    history = climb("tower", date(2026, 3, 1), 5, owed("1", date(2026, 3, 5), open_now))

    assert len(made(history)) == count


def test_a_notice_neither_waits_for_nor_causes_a_gap():
    january, march = owed("1", date(2026, 1, 5)), owed("2", date(2026, 3, 5))

    history = climb("tower", date(2026, 2, 24), 10, january, march)

    assert made(history) == [
        ("reminder", "2026-02-24"),
        ("demand", "2026-02-26"),
        ("call", "2026-02-28"),
        ("notice", "2026-03-01"),
        ("visit", "2026-03-02"),
        ("letter", "2026-03-03"),
        ("head_visit", "2026-03-05"),
    ]


def test_a_notice_and_a_stage_never_fall_on_one_day():
    old, new = owed("1", date(2026, 1, 15)), owed("2", date(2026, 3, 23))

    history = climb("residential", date(2026, 3, 16), 4, old, new)

    assert made(history) == [("upcoming", "2026-03-16"), ("friendly", "2026-03-17"), ("call", "2026-03-19")]


# --- debt, tolerance, part payment, episodes ------------------------------------------------------

TOLERANCE = [("0.99", [], [("friendly", "2026-03-16", "below_tolerance")]), ("1.00", ["friendly"], [])]


@pytest.mark.parametrize(("open_now", "stages", "rows"), TOLERANCE)
def test_less_than_a_yuan_is_left_alone_with_the_reason(open_now, stages, rows):
    def situation(day):
        return DayFacts(day), [owed("1", date(2026, 3, 15), open_now)]

    history = judge_days(ladder("residential"), CALENDAR, days(date(2026, 3, 15), 3), situation)

    assert [stage for stage, on in made(history) if on > "2026-03-15"] == stages
    assert not_made(history) == rows


def test_the_reason_of_a_small_debt_is_stored_on_a_weekend_too():
    history = climb("tower", date(2026, 9, 1), 20, owed("1", date(2026, 9, 5), "0.50"))

    assert not_made(history) == [("reminder", "2026-09-06", "below_tolerance")]  # a Sunday


def test_a_small_debt_beside_a_real_one_has_no_row_of_its_own():
    history = climb(
        "residential",
        date(2026, 3, 16),
        2,
        owed("1", date(2026, 3, 15), "0.50"),
        owed("2", date(2026, 3, 15)),
    )

    assert not not_made(history)
    assert [(one.number, one.debt) for one in history.judgements] == [("2", Decimal("100.50"))]


def test_the_debt_is_all_past_due_and_the_due_day_that_of_the_oldest():
    old, new, coming = (owed(str(month), date(2026, month, 15)) for month in (1, 2, 3))

    history = climb("residential", date(2026, 3, 2), 7, old, new, coming)

    rows = [(one.stage, one.number, one.due_on, one.debt) for one in history.judgements]
    assert rows == [
        ("friendly", "1", old.due_on, Decimal(200)),
        ("call", "1", old.due_on, Decimal(200)),
        ("visit", "1", old.due_on, Decimal(200)),
        ("upcoming", "3", coming.due_on, Decimal(100)),
    ]


def test_a_part_payment_does_not_stop_the_ladder():
    def situation(day):
        return DayFacts(day), [owed("1", date(2026, 3, 15), "100" if day.day < 18 else "1.00")]

    history = judge_days(ladder("residential"), CALENDAR, days(date(2026, 3, 16), 8), situation)

    assert [(one.stage, one.debt) for one in history.judgements] == [
        ("friendly", 100),
        ("call", 1),
        ("visit", 1),
    ]


def test_paid_in_full_ends_the_episode_and_the_next_debt_starts_at_the_first_stage():
    january, february = owed("1", date(2026, 1, 15)), owed("2", date(2026, 2, 15))

    def situation(day):
        return DayFacts(day), [february] if day >= date(2026, 3, 3) else [january, february]

    history = judge_days(ladder("residential"), CALENDAR, days(date(2026, 2, 25), 14), situation)

    assert [(one.stage, one.number, one.planned_on.isoformat()) for one in history.judgements] == [
        ("friendly", "1", "2026-02-25"),
        ("call", "1", "2026-02-27"),
        ("visit", "1", "2026-03-02"),
        ("friendly", "2", "2026-03-04"),  # the gap holds between episodes too
        ("call", "2", "2026-03-06"),
        ("visit", "2", "2026-03-09"),
    ]
    assert history.made("1")[-1] == "visit"


def test_a_reversed_payment_goes_on_where_the_episode_stood():
    def situation(day):
        return DayFacts(day), [] if 17 <= day.day <= 20 else [owed("1", date(2026, 3, 15))]

    history = judge_days(ladder("residential"), CALENDAR, days(date(2026, 3, 16), 10), situation)

    assert made(history) == [("friendly", "2026-03-16"), ("call", "2026-03-23"), ("visit", "2026-03-25")]


# --- holds ----------------------------------------------------------------------------------------

DUE = date(2026, 3, 15)
CALL_DAY = date(2026, 3, 19)
AFTER_FRIENDLY = DunningCase(DUE, made=("upcoming", "friendly"), last_on=date(2026, 3, 16))

HOLDS = [
    ({"promised_on": date(2026, 3, 18)}, None),
    ({"promised_on": CALL_DAY}, "promise_not_due"),
    ({"is_complaint_open": True}, "complaint_open"),
    ({"is_on_hold": True}, "hold"),
    ({"reachable": frozenset({"email"})}, "no_contact"),
    ({"reachable": frozenset({"visit"})}, None),
    ({"is_on_hold": True, "is_complaint_open": True}, "complaint_open"),
]


@pytest.mark.parametrize(("facts", "code"), HOLDS)
def test_what_holds_a_stage_is_stored_the_first_reason_first(facts, code):
    found = next_stage(ladder("residential"), CALENDAR, AFTER_FRIENDLY, DayFacts(CALL_DAY, **facts))

    assert found.outcome == (DunningOutcome.NOT_MADE if code else DunningOutcome.MADE)
    assert not code or found.reason.code == code


def test_a_hold_is_stored_once_per_stage():
    history = climb(
        "residential",
        date(2026, 3, 16),
        10,
        owed("1", DUE),
        facts=lambda day: DayFacts(day, is_on_hold=day >= CALL_DAY),
    )

    assert made(history) == [("friendly", "2026-03-16")]
    assert not_made(history) == [("call", "2026-03-19", "hold")]


def test_a_promise_holds_through_its_day():
    history = climb(
        "residential",
        date(2026, 3, 16),
        15,
        owed("1", DUE),
        facts=lambda day: DayFacts(day, promised_on=date(2026, 3, 23)),
    )

    assert made(history) == [("friendly", "2026-03-24"), ("call", "2026-03-26"), ("visit", "2026-03-30")]
    assert not_made(history) == [("friendly", "2026-03-16", "promise_not_due")]


def test_a_kept_plan_keeps_its_invoices_out_and_puts_them_back_at_their_stage():
    def situation(day):
        return DayFacts(day), [owed("1", DUE, is_in_kept_plan=17 <= day.day <= 24)]

    history = judge_days(ladder("residential"), CALENDAR, days(date(2026, 3, 16), 12), situation)

    assert made(history) == [("friendly", "2026-03-16"), ("call", "2026-03-25"), ("visit", "2026-03-27")]
    assert not_made(history) == [("call", "2026-03-19", "plan_kept")]


def test_a_debt_beside_a_kept_plan_is_still_chased():
    history = climb(
        "residential",
        date(2026, 3, 16),
        1,
        owed("1", date(2026, 1, 15), is_in_kept_plan=True),
        owed("2", DUE, "70"),
    )

    assert [(one.stage, one.number, one.debt) for one in history.judgements] == [("friendly", "2", 70)]


def test_the_check_before_sending_sees_that_it_was_paid():
    stage, facts = ladder("residential").stage("call"), DayFacts(CALL_DAY, is_on_hold=True)

    def codes(balance):
        found = holds(ladder("residential"), stage, AFTER_FRIENDLY, facts, Decimal(balance))
        return [one.code for one in found]

    assert codes("0") == ["paid", "hold"]
    assert codes("0.99") == ["below_tolerance", "hold"]
    assert codes("1.00") == ["hold"]


def test_channels_are_tried_in_their_order():
    call = ladder("residential").stage("call")

    assert channel(call, None) == "phone"
    assert channel(call, frozenset({"visit", "print"})) == "visit"
    assert channel(call, frozenset({"email"})) is None


# --- explaining -----------------------------------------------------------------------------------

WAITING = [
    (DayFacts(date(2026, 3, 17)), AFTER_FRIENDLY, "before_trigger", date(2026, 3, 19)),
    (
        DayFacts(date(2026, 3, 20)),
        replace(AFTER_FRIENDLY, last_on=date(2026, 3, 19)),
        "gap",
        date(2026, 3, 23),
    ),
    (DayFacts(date(2026, 3, 21)), AFTER_FRIENDLY, "no_working_day", date(2026, 3, 23)),
    (
        DayFacts(date(2026, 3, 21)),  # the gap of two days ends on this Saturday
        replace(AFTER_FRIENDLY, last_on=date(2026, 3, 19)),
        "no_working_day",
        date(2026, 3, 23),
    ),
    (DayFacts(CALL_DAY), replace(AFTER_FRIENDLY, is_day_taken=True), "day_taken", date(2026, 3, 20)),
]


@pytest.mark.parametrize(("facts", "state", "code", "planned_on"), WAITING)
def test_a_debt_says_why_it_waits_and_until_when(facts, state, code, planned_on):
    found = next_stage(ladder("residential"), CALENDAR, state, facts)

    assert (found.outcome, found.stage.code) == (DunningOutcome.WAITING, "call")
    assert (found.reason.code, found.planned_on) == (code, planned_on)


def test_a_stage_says_what_brought_it():
    first = next_stage(
        ladder("residential"), CALENDAR, DunningCase(date(2026, 3, 15)), DayFacts(date(2026, 3, 16))
    )
    second = next_stage(ladder("residential"), CALENDAR, AFTER_FRIENDLY, DayFacts(CALL_DAY))

    assert first.reason.inputs.keys() == {"stage", "due_on", "trigger", "number"}
    assert second.reason.inputs["last_on"] == AFTER_FRIENDLY.last_on
    assert second.reason.inputs["gap_days"] == 2


@pytest.mark.parametrize("gap", [0, 1])
def test_without_a_gap_the_next_stage_waits_for_the_next_day(gap):
    """Whatever the row says, two stages never fall on one day."""
    rule = ladder("residential")
    rule = replace(rule, stages=tuple(replace(one, gap_days=gap) for one in rule.stages))
    state = replace(AFTER_FRIENDLY, last_on=CALL_DAY)

    found = [next_stage(rule, CALENDAR, state, DayFacts(CALL_DAY + timedelta(days=wait))) for wait in (0, 1)]

    assert [(one.outcome, one.planned_on) for one in found] == [
        (DunningOutcome.WAITING, CALL_DAY + timedelta(days=1)),
        (DunningOutcome.MADE, CALL_DAY + timedelta(days=1)),
    ]
    assert (found[0].reason.code, found[0].reason.inputs["gap_days"]) == ("gap", 1)


def test_a_stage_of_an_episode_is_never_planned_for_the_due_day_or_before():
    friendly = replace(ladder("project").stage("friendly"), trigger_number=-9)
    due_on = date(2026, 5, 13)

    days_planned = [
        planned_on(friendly, CALENDAR, DunningCase(due_on), due_on + timedelta(days=wait))
        for wait in (-3, 0, 1, 2)
    ]

    assert days_planned == [due_on + timedelta(days=wait) for wait in (1, 1, 1, 2)]


def test_what_is_past_due_is_open_and_the_oldest_comes_first():
    day = date(2026, 3, 19)
    bills = [
        owed("10", date(2026, 3, 18)),
        owed("9", date(2026, 3, 18)),
        owed("1", date(2026, 3, 18), "0.00"),
    ]
    bills += [owed("2", day), owed("3", date(2026, 3, 17), "0.50")]

    assert [one.number for one in past_due(bills, day)] == ["3", "9", "10"]


def test_a_stage_that_has_ended_keeps_what_was_made_of_it():
    """C1: the climb goes on behind it, not from the first stage again."""
    rules, day = ladder("tower"), date(2026, 3, 24)
    ended = replace(rules.stage("demand"), valid_to=day - DAY)
    rules = replace(rules, stages=tuple(ended if one.code == "demand" else one for one in rules.stages))

    assert following(rules, ["demand"], day).code == "call"
    assert following(rules, ["reminder"], day).code == "call"
    assert following(rules, [], day).code == "reminder"


def test_the_forecast_goes_on_behind_a_stage_on_its_last_day():
    days_of = {
        until: [
            one.stage
            for one in forecast(ladder("residential"), CALENDAR, AFTER_FRIENDLY, DayFacts(CALL_DAY), until)
        ]
        for until in (CALL_DAY, CALL_DAY - timedelta(days=1))
    }

    assert days_of == {CALL_DAY: ["call", "visit"], CALL_DAY - timedelta(days=1): ["call"]}


def test_at_the_end_of_the_ladder_nothing_comes():
    state = replace(AFTER_FRIENDLY, made=("court",))

    found = next_stage(ladder("residential"), CALENDAR, state, DayFacts(CALL_DAY))

    assert (found.outcome, found.stage) == (DunningOutcome.DONE, None)
    assert forecast(ladder("residential"), CALENDAR, state, DayFacts(CALL_DAY), date(2027, 1, 1)) == ()


def test_the_forecast_names_what_is_held_without_an_end():
    found = forecast(
        ladder("residential"),
        CALENDAR,
        AFTER_FRIENDLY,
        DayFacts(CALL_DAY, is_complaint_open=True),
        date(2026, 4, 30),
    )

    assert [(one.stage, one.planned_on, one.reason.code) for one in found] == [
        ("call", None, "complaint_open")
    ]


@pytest.mark.parametrize(("preset", "due_on"), CLIMBS)
@pytest.mark.parametrize("promised_days", [None, 3, 40])
def test_the_forecast_is_what_will_happen_when_nobody_pays(preset, due_on, promised_days):
    first = due_on + timedelta(days=1)
    promised_on = promised_days and due_on + timedelta(days=promised_days)

    def facts(day):
        return DayFacts(day, promised_on=promised_on, legal=TRIED)

    coming = forecast(ladder(preset), CALENDAR, DunningCase(due_on), facts(first), date(2027, 1, 1))

    history = climb(preset, first, 250, owed("1", due_on), facts=facts)
    assert [(one.stage, one.planned_on.isoformat()) for one in coming] == made(history)


def test_the_forecast_ends_with_the_first_stage_behind_the_window():
    found = forecast(ladder("residential"), CALENDAR, AFTER_FRIENDLY, DayFacts(CALL_DAY), date(2026, 4, 1))

    assert [one.stage for one in found] == ["call", "visit", "letter", "lawyer_letter"]


# --- batches and days -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("count", "size", "sizes"), [(0, 30, []), (30, 30, [30]), (31, 30, [30, 1]), (7, 0, [7])]
)
def test_batches_are_cut_by_the_stages_size(count, size, sizes):
    assert [len(batch) for batch in batches(range(count), size)] == sizes


SHANGHAI_NINE = datetime(2026, 3, 10, 1, tzinfo=UTC)  # 09:00 in Shanghai
MINUTE = timedelta(minutes=1)
TICKS = [
    (SHANGHAI_NINE - MINUTE, SHANGHAI_NINE - MINUTE, []),
    (SHANGHAI_NINE - MINUTE, SHANGHAI_NINE, [10]),
    (SHANGHAI_NINE, SHANGHAI_NINE + MINUTE, []),
    (SHANGHAI_NINE - MINUTE, SHANGHAI_NINE + timedelta(days=3), [10, 11, 12, 13]),
    (SHANGHAI_NINE + MINUTE, SHANGHAI_NINE, []),
]


@pytest.mark.parametrize(("since", "until", "wanted"), TICKS)
def test_each_day_is_judged_at_nine_office_time(since, until, wanted):
    found = days_to_judge(since, until, time(9), "Asia/Shanghai")

    assert [day.day for day in found] == wanted


# --- random histories -----------------------------------------------------------------------------

START = date(2026, 1, 20)
LENGTH = 130
DAY_NUMBER = st.integers(0, LENGTH)


@dataclass(frozen=True)
class Bill:
    """An invoice that is known from a day, paid in part and then in full, perhaps never."""

    number: str
    due_on: date
    known_on: date
    parts: tuple[tuple[date, Decimal], ...]

    def balance(self, day):
        return Decimal(100) - sum(amount for on, amount in self.parts if on <= day)


@st.composite
def bills(draw):
    found = []
    for index in range(draw(st.integers(1, 4))):
        due_on = START + timedelta(days=draw(st.integers(-400, LENGTH)))
        paid = draw(st.lists(st.tuples(DAY_NUMBER, st.sampled_from(["40", "59.50", "100"])), max_size=2))
        parts, left = [], Decimal(100)
        for number, amount in sorted(paid):
            part = min(left, Decimal(amount))
            parts.append((START + timedelta(days=number), part))
            left -= part
        known_on = START + timedelta(days=draw(DAY_NUMBER) if draw(st.booleans()) else 0)
        found.append(Bill(str(index), due_on, known_on, tuple(parts)))
    return found


SPAN = st.tuples(DAY_NUMBER, st.integers(0, 30)).map(
    lambda two: (START + timedelta(days=two[0]), START + timedelta(days=sum(two)))
)


@dataclass(frozen=True)
class Story:
    """All that happens to one payer and unit; what is known of a day depends on the day alone."""

    preset: str
    bills: list
    promises: list
    complaints: list
    is_tried: bool

    def __call__(self, day):
        promised = [until for made_on, until in self.promises if made_on <= day <= until]
        facts = DayFacts(
            day,
            promised_on=max(promised, default=None),
            is_complaint_open=any(first <= day < last for first, last in self.complaints),
            legal=TRIED if self.is_tried else LegalFacts(),
        )
        known = [owed(one.number, one.due_on, one.balance(day)) for one in self.bills if one.known_on <= day]
        return facts, [one for one in known if one.balance > 0]


STORIES = st.builds(
    Story,
    st.sampled_from(["tower", "residential"]),
    bills(),
    st.lists(SPAN, max_size=2),
    st.lists(SPAN, max_size=1),
    st.booleans(),
)


@settings(max_examples=150, deadline=None)
@given(STORIES)
def test_never_twice_never_skipped_never_too_soon(story):
    rules = ladder(story.preset)
    order = [one.code for one in rules.stages if one.subject == Subject.EPISODE]

    history = judge_days(rules, CALENDAR, days(START, LENGTH), story)

    rows = [one for one in history.judgements if one.is_made]
    assert max(Counter(one.planned_on for one in rows).values(), default=0) <= 1
    assert max(Counter((one.number, one.stage) for one in rows).values(), default=0) <= 1
    told = Counter((one.number, one.stage, one.reason.code) for one in history.judgements if not one.is_made)
    assert max(told.values(), default=0) <= 1
    for bill in story.bills:
        climbed = [one.stage for one in rows if one.number == bill.number and one.stage in order]
        assert climbed == order[: len(climbed)]
    steps = [one for one in rows if one.subject == Subject.EPISODE]
    for earlier, later in pairwise(steps):
        assert (later.planned_on - earlier.planned_on).days >= rules.stage(later.stage).gap_days
    for one in rows:
        stage = rules.stage(one.stage)
        assert one.planned_on >= stage.trigger_on(one.due_on)
        assert stage.is_automatic or CALENDAR.is_working_day(one.planned_on)


@settings(max_examples=100, deadline=None)
@given(STORIES)
def test_a_day_without_a_row_has_a_cause(story):
    """An independent look at each day: had the next stage to come, it came, or its hold was stored."""
    rules = ladder(story.preset)
    order = [one.code for one in rules.stages if one.subject == Subject.EPISODE]
    done, last_on, told, history = {}, None, set(), History()

    for day in days(START, LENGTH):
        facts, invoices = story(day)
        today = judge(rules, CALENDAR, facts, invoices, history)
        history = history.plus(today)
        stages = [one for one in today if one.subject == Subject.EPISODE and one.is_made]
        late = sorted(
            (one for one in invoices if one.due_on < day and one.balance >= 1),
            key=lambda one: (one.due_on, one.number),
        )
        if not late or done.get(late[0].number, 0) == len(order):
            assert not stages
            continue
        oldest = late[0]
        stage = rules.stage(order[done.get(oldest.number, 0)])
        is_time = (
            stage.trigger_on(oldest.due_on) <= day
            and (last_on is None or (day - last_on).days >= stage.gap_days)
            and (stage.is_automatic or CALENDAR.is_working_day(day))
            and not any(one.subject == Subject.INVOICE for one in today)
        )
        is_held = bool(facts.promised_on or facts.is_complaint_open)
        is_held |= stage.code in {"legal", "court"} and not story.is_tried
        if is_time and not is_held and stage.code not in {"legal", "court"}:
            assert [(one.stage, one.number) for one in stages] == [(stage.code, oldest.number)]
        if is_time and is_held:
            told |= {(one.number, one.stage) for one in today if not one.is_made}
            assert (oldest.number, stage.code) in told
        if not is_time or is_held:
            assert not stages
        if stages:
            done[oldest.number] = done.get(oldest.number, 0) + 1
            last_on = day


@settings(max_examples=100, deadline=None)
@given(STORIES, st.lists(st.integers(1, LENGTH * 24 * 60), max_size=30))
def test_any_pattern_of_ticks_gives_the_same_history(story, minutes):
    rules = ladder(story.preset)
    begin = datetime(START.year, START.month, START.day, tzinfo=UTC) - timedelta(hours=8)
    end = begin + timedelta(days=LENGTH)

    history, since = History(), begin
    for until in [*sorted(begin + minute * MINUTE for minute in minutes), end]:
        judged = days_to_judge(since, until, rules.judged_at, "Asia/Shanghai")
        history = judge_days(rules, CALENDAR, judged, story, history)
        since = until

    assert history == judge_days(rules, CALENDAR, days(START, LENGTH), story)


def test_the_control_a_ladder_without_gap_sends_too_soon():
    """With the gap taken away the property above would fail: it does see two stages on neighbouring days."""
    loose = ladder("residential")
    loose = replace(loose, stages=tuple(replace(one, gap_days=1) for one in loose.stages))

    history = judge_days(
        loose,
        CALENDAR,
        days(date(2026, 3, 23), 5),
        lambda day: (DayFacts(day), [owed("1", date(2025, 1, 5))]),
    )

    gaps = [later.planned_on - earlier.planned_on for earlier, later in pairwise(history.judgements)]
    assert min(gaps) == timedelta(days=1)


@pytest.mark.parametrize("more", [(), (date(2026, 3, 23),), (date(2026, 3, 20), date(2026, 3, 23))])
def test_judging_a_day_again_adds_nothing(more):
    rules, invoices = ladder("residential"), [owed(str(due_on), due_on) for due_on in (DUE, *more)]
    facts = DayFacts(date(2026, 3, 16))
    once = History().plus(judge(rules, CALENDAR, facts, invoices, History()))

    assert judge(rules, CALENDAR, facts, invoices, once) == ()
