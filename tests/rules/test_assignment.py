"""Who is proposed to handle a complaint (T26)."""

from rules.assignment import Candidate, proposed_handler

ANN, BOB, CY = Candidate(1, "Ann", 2), Candidate(2, "Bob", 1), Candidate(3, "Cy", 1)


def test_the_one_with_the_fewest_is_proposed_and_never_who_is_complained_about():
    assert proposed_handler([]) is None
    assert proposed_handler([ANN, CY, BOB]) == BOB
    assert proposed_handler([ANN, CY, BOB], accused_id=2) == CY
    assert proposed_handler([ANN], accused_id=1) is None
