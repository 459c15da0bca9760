"""Complaints by link or QR code: whether they are taken, how many, and with what (T1)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from rules.policy_values import CategoryCode, Checked, Positive, Range
from rules.reasons import Reason


@dataclass(frozen=True)
class PublicForm(Checked):
    """The policy row of the public form; counts are of one hour. Raises ValueError for what can't be."""

    is_on: bool
    per_address: Positive
    in_total: Positive
    asked_per_address: Positive
    most_files: Annotated[int, Range(0, 5)]
    largest_mb: Annotated[int, Range(1, 10)]
    unsure_category: CategoryCode = ""

    def refusal(self, from_address: int, from_all: int) -> Reason | None:
        """Answer why one more complaint is not taken after so many of the last hour, None when it is."""
        if from_address >= self.per_address:
            return Reason("too_many_from_address", {"count": from_address})
        if from_all >= self.in_total:
            return Reason("too_many_in_total", {"count": from_all})
        return None


OFF = PublicForm(is_on=False, per_address=1, in_total=1, asked_per_address=1, most_files=0, largest_mb=1)
"""The form of an office without that policy."""
