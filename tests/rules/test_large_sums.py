"""Sums above the policy's amount are asked about again (F21)."""

from __future__ import annotations

from decimal import Decimal
from typing import get_args

import pytest

from rules.large_sums import LargeSums, SumKind
from rules.policy_values import PolicyValueError

LIMITS = [
    # the policy's amount, the entry's, whether it is asked about
    (None, "999999999", False),
    ("100.00", "99.99", False),
    ("100.00", "100.00", False),
    ("100.00", "100.01", True),
    ("0", "0.01", True),
]


@pytest.mark.parametrize("kind", get_args(SumKind))
@pytest.mark.parametrize(("limit", "amount", "is_asked"), LIMITS)
def test_above_the_amount_of_its_kind(
    kind: SumKind, limit: str | None, amount: str, *, is_asked: bool
) -> None:
    policy = LargeSums(**{kind: None if limit is None else Decimal(limit)})

    assert policy.asks(kind, Decimal(amount)) is is_asked
    assert not any(policy.asks(other, Decimal(amount)) for other in get_args(SumKind) if other != kind)


def test_an_amount_below_zero_is_no_limit() -> None:
    with pytest.raises(PolicyValueError):
        LargeSums(payment=Decimal(-1))
