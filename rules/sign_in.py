"""The policy of signing in: who needs two-factor authentication, and how it is guarded (P7)."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class SignInPolicy:
    """Roles that need a second factor, codes a person gets, and how wrong codes are throttled."""

    second_step_for: frozenset[str]  # roles
    recovery_codes: int  # how many each person gets
    wrong_codes: int  # so many within `wait_minutes`, and the person must wait
    wait_minutes: int


def sign_in_policy(row: Mapping[str, object], roles: Collection[str]) -> SignInPolicy:
    """Read the policy; `roles` are the known ones. Raises KeyError, TypeError, ValueError."""
    numbers = {name: int(str(row[name])) for name in ("recovery_codes", "wrong_codes", "wait_minutes")}
    if min(numbers.values()) < 1 or numbers["recovery_codes"] > 50:
        raise ValueError("recovery_codes, wrong_codes and wait_minutes are 1 or more")
    asked = row["second_step_for"]
    if not isinstance(asked, Mapping):
        raise TypeError("second_step_for must be a table")
    if unknown := set(asked) - set(roles):
        raise ValueError(f"no such role: {', '.join(sorted(unknown))}")
    return SignInPolicy(frozenset(role for role, is_asked in asked.items() if is_asked), **numbers)
