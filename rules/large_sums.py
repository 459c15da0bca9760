"""Sums that are asked about once more before they are entered: a digit too many is soon typed (M1, M6)."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from rules.policy_values import Amount, Checked

SumKind = Literal["payment", "refund", "credit", "waiver", "charge"]


@dataclass(frozen=True)
class LargeSums(Checked):
    """Up to how many yuan each kind of entry is taken without a second question; empty: any sum."""

    payment: Amount | None = None  # at the desk, in a file, on a statement
    refund: Amount | None = None  # also a deposit given back
    credit: Amount | None = None
    waiver: Amount | None = None
    charge: Amount | None = None

    def asks(self, kind: SumKind, amount: Decimal) -> bool:
        """Whether so many yuan are asked about again."""
        limit: Decimal | None = getattr(self, kind)
        return limit is not None and amount > limit
