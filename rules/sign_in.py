"""The policy of signing in: who needs two-factor authentication, and how guessing is held up (P7)."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address
from typing import Annotated

from rules.codes import Role
from rules.policy_values import Checked, Positive, Range


@dataclass(frozen=True)
class SignInPolicy(Checked):
    """Roles that need a second factor, codes a person gets, and how wrong codes and passwords are throttled.

    So many within `wait_minutes`, and what they were tried for must wait.
    """

    second_step_for: Mapping[Role, bool]
    recovery_codes: Annotated[int, Range(1, 50)]  # how many each person gets
    wrong_codes: Positive
    wait_minutes: Annotated[int, Range(1, 24 * 60)]
    wrong_passwords: Positive = 10  # of one account
    wrong_from_address: Positive = 60  # of all accounts together
    wrong_at_held_address: Positive = 3  # of one account from an address that is held up

    def is_two_factor_needed(self, roles: Collection[str]) -> bool:
        """Whether one of a person's roles needs a second factor."""
        return any(is_needed and role in roles for role, is_needed in self.second_step_for.items())

    def is_held_up(self, of_account: int, from_address: int, of_account_from_address: int) -> bool:
        """Whether an account must wait after so many failures within `wait_minutes`.

        An address that fails too often holds up only accounts that failed from it, and those only after a few
        failures of their own, so that nobody locks out the others of an office behind the same address.
        """
        is_address_held = from_address >= self.wrong_from_address
        is_guessed_from_it = of_account_from_address >= self.wrong_at_held_address
        return of_account >= self.wrong_passwords or (is_address_held and is_guessed_from_it)


def network_of(address: str) -> str:
    """The network that counts as one address: an IPv4 address, or 64 bits of an IPv6 address."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return address[:60]
    return str(IPv6Address(int(parsed) >> 64 << 64)) if isinstance(parsed, IPv6Address) else str(parsed)


USUAL = SignInPolicy({}, recovery_codes=10, wrong_codes=5, wait_minutes=15)
"""What holds in an office none of whose versions can be read."""
