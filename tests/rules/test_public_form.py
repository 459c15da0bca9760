"""How many complaints the public form takes in an hour (T1)."""

from dataclasses import replace

import pytest

from rules.policy_values import PolicyValueError
from rules.public_form import OFF, PublicForm

FORM = PublicForm(is_on=True, per_address=2, in_total=5, asked_per_address=9, most_files=3, largest_mb=5)

TAKEN = [
    # so many of the last hour from this address, from all; why one more is not taken
    (0, 0, None),
    (1, 4, None),
    (2, 4, ("too_many_from_address", 2)),
    (1, 5, ("too_many_in_total", 5)),
    (2, 5, ("too_many_from_address", 2)),
]


@pytest.mark.parametrize(("from_address", "from_all", "wanted"), TAKEN)
def test_a_complaint_more_is_taken_below_both_counts(from_address, from_all, wanted):
    found = FORM.refusal(from_address, from_all)

    assert (found and (found.code, found.inputs["count"])) == wanted


@pytest.mark.parametrize(("field", "least", "most"), [("most_files", 0, 5), ("largest_mb", 1, 10)])
def test_files_have_their_bounds(field, least, most):
    for value in (least, most):
        assert getattr(replace(FORM, **{field: value}), field) == value
    for value in (least - 1, most + 1):
        with pytest.raises(PolicyValueError):
            replace(FORM, **{field: value})


def test_an_office_without_that_policy_takes_nothing():
    assert not OFF.is_on
    assert OFF.most_files == 0
