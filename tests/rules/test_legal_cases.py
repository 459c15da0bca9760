"""A legal case goes forward only, and ends with a result (C3, C10)."""

import pytest

from rules.legal_cases import NEXT_STATES, batch_part, may_follow, needs_result

STATES = ("preparing", "letter_sent", "filed", "mediation", "judged", "settled", "withdrawn")
# each state and those that may follow it
WAYS = {
    "preparing": {"letter_sent", "withdrawn"},
    "letter_sent": {"filed", "settled", "withdrawn"},
    "filed": {"mediation", "judged", "settled", "withdrawn"},
    "mediation": {"judged", "settled", "withdrawn"},
    "judged": {"settled"},
    "settled": set(),
    "withdrawn": set(),
}


@pytest.mark.parametrize("state", STATES)
def test_each_state_has_its_own_next_ones(state):
    assert {wanted for wanted in STATES if may_follow(state, wanted)} == WAYS[state]


def test_a_state_that_is_not_known_leads_nowhere():
    assert not may_follow("lost", "settled")
    assert set(NEXT_STATES) <= set(STATES)


def test_a_judgement_and_an_end_need_a_result():
    assert [state for state in STATES if needs_result(state)] == ["judged", "settled", "withdrawn"]


# cases of the day before this one, the size of a batch, the part that the next one joins
PARTS = [(0, 5, 1), (4, 5, 1), (5, 5, 2), (9, 5, 2), (10, 5, 3), (100, 0, 1), (0, 1, 1), (1, 1, 2)]


@pytest.mark.parametrize(("count", "size", "part"), PARTS)
def test_a_batch_that_is_full_is_followed_by_the_next(count, size, part):
    assert batch_part(count, size) == part
