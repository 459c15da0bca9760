"""The numbers that a policy's field may hold (§9)."""

from dataclasses import dataclass, fields
from decimal import Decimal

import pytest

from rules.policy_values import Amount, Checked, DayOfMonth, NotNegative, Percent, PolicyValueError, Positive


@dataclass(frozen=True)
class Row(Checked):
    """A policy row with a field of each kind."""

    count: NotNegative = 0
    least_one: Positive = 1
    day: DayOfMonth = 1
    percent: Percent = 0
    yuan: Amount = Decimal(0)
    waits: tuple[Positive, ...] = ()
    bound: Positive | None = None


# field, the smallest and the largest number that it holds
BOUNDS = [
    ("count", 0, 100_000),
    ("least_one", 1, 100_000),
    ("day", 1, 31),
    ("percent", 0, 100),
    ("yuan", Decimal(0), Decimal(1_000_000_000)),
    ("bound", 1, 100_000),
]


@pytest.mark.parametrize(("name", "least", "most"), BOUNDS)
def test_each_kind_of_number_has_its_bounds(name, least, most):
    for value in (least, most):
        assert getattr(Row(**{name: value}), name) == value
    for value in (least - 1, most + 1):
        with pytest.raises(PolicyValueError) as refused:
            Row(**{name: value})
        inputs = {"field": name, "value": value, "least": least, "most": most}
        assert (refused.value.reason.code, refused.value.reason.inputs) == ("out_of_range", inputs)


def test_every_kind_is_tried():
    assert {each.name for each in fields(Row)} == {*(name for name, *_ in BOUNDS), "waits"}


@pytest.mark.parametrize("number", ["NaN", "Infinity"])
def test_an_amount_is_a_number(number):
    with pytest.raises(PolicyValueError, match="out_of_range: field=yuan"):
        Row(yuan=Decimal(number))


def test_of_a_list_the_place_is_named_and_nothing_said_is_fine():
    assert Row(waits=(5, 1), bound=None)
    with pytest.raises(PolicyValueError, match=r"field=waits\.2, value=0"):
        Row(waits=(5, 0))
