"""Complaints by link or QR code: whether they are taken, how many, and with what (T1)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from rules.policy_values import whole
from rules.reasons import Reason


@dataclass(frozen=True)
class PublicForm:
    """The policy row of the public form; counts are of one hour. Raises ValueError for what can't be."""

    is_on: bool = False
    per_address: int = 1
    in_total: int = 1
    asked_per_address: int = 1
    most_files: int = 0
    largest_mb: int = 1
    unsure_category: str = ""

    def __post_init__(self) -> None:
        if min(self.per_address, self.in_total, self.asked_per_address, self.largest_mb) < 1:
            raise ValueError("the counts of an hour and the size must be 1 or more")
        if not 0 <= self.most_files <= 5 or self.largest_mb > 10:
            raise ValueError("at most 5 files of 10 MB each")

    @classmethod
    def from_row(cls, row: Mapping[str, object]) -> PublicForm:
        """Build from public_form.toml."""
        return cls(
            is_on=bool(row["is_on"]),
            per_address=whole(row["per_address"]),
            in_total=whole(row["in_total"]),
            asked_per_address=whole(row["asked_per_address"]),
            most_files=whole(row["most_files"]),
            largest_mb=whole(row["largest_mb"]),
            unsure_category=str(row["unsure_category"]),
        )

    def refusal(self, from_address: int, from_all: int) -> Reason | None:
        """Answer why one more complaint is not taken after so many of the last hour, None when it is."""
        if from_address >= self.per_address:
            return Reason("too_many_from_address", {"count": from_address})
        if from_all >= self.in_total:
            return Reason("too_many_in_total", {"count": from_all})
        return None
