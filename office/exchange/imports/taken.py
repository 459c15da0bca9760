"""What an import did."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Taken:
    """Rows that were added and rows that were there already."""

    new: int = 0
    skipped: int = 0
    differs: int = 0  # there with other values: left as they are
    details: Mapping[str, int] = field(default_factory=dict)
