"""The policy of signing in: who needs two-factor authentication, and how it is guarded (P7)."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Annotated

from rules.codes import Role
from rules.policy_values import Checked, Positive, Range


@dataclass(frozen=True)
class SignInPolicy(Checked):
    """Roles that need a second factor, codes a person gets, and how wrong codes are throttled."""

    second_step_for: Mapping[Role, bool]
    recovery_codes: Annotated[int, Range(1, 50)]  # how many each person gets
    wrong_codes: Positive  # so many within `wait_minutes`, and the person must wait
    wait_minutes: Positive

    def is_two_factor_needed(self, roles: Collection[str]) -> bool:
        """Whether one of a person's roles needs a second factor."""
        return any(is_needed and role in roles for role, is_needed in self.second_step_for.items())


USUAL = SignInPolicy({}, recovery_codes=10, wrong_codes=5, wait_minutes=15)
"""What holds in an office none of whose versions can be read."""
