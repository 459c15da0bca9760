"""Who needs a second factor to sign in, and whose sign-in waits after failures (P7)."""

from dataclasses import replace

import pytest

from rules.policy_values import PolicyValueError
from rules.sign_in import USUAL

NEEDED = [
    ([], False),
    (["cashier"], True),
    (["steward"], False),
    (["front_desk"], False),  # the policy says nothing of it
    (["steward", "cashier"], True),
]


@pytest.mark.parametrize(("roles", "is_needed"), NEEDED)
def test_one_role_that_needs_a_second_factor_is_enough(roles, is_needed):
    policy = replace(USUAL, second_step_for={"cashier": True, "steward": False})

    assert policy.is_two_factor_needed(roles) == is_needed


def test_an_office_whose_policy_cannot_be_read_has_the_usual_bounds():
    assert (USUAL.recovery_codes, USUAL.wrong_codes, USUAL.wait_minutes) == (10, 5, 15)
    assert not USUAL.is_two_factor_needed(["it_admin"])


@pytest.mark.parametrize("count", [0, 51])
def test_a_person_gets_one_to_fifty_recovery_codes(count):
    assert replace(USUAL, recovery_codes=1)
    assert replace(USUAL, recovery_codes=50)
    with pytest.raises(PolicyValueError):
        replace(USUAL, recovery_codes=count)


@pytest.mark.parametrize(
    ("of_account", "from_address", "of_account_from_address", "is_held_up"),
    [
        (9, 0, 0, False),
        (10, 0, 0, True),
        (0, 60, 0, False),  # somebody else of the same office
        (3, 59, 3, False),
        (1, 60, 1, False),  # a mistyped password
        (2, 60, 2, False),
        (5, 60, 2, False),  # most of them from elsewhere
        (3, 60, 3, True),
    ],
)
def test_an_address_holds_up_only_accounts_that_failed_from_it(
    of_account, from_address, of_account_from_address, is_held_up
):
    assert USUAL.is_held_up(of_account, from_address, of_account_from_address) == is_held_up
