"""What an integrity check reports (M7, contract `flask check`)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy.orm import Session


@dataclass(frozen=True)
class Finding:
    """A row that breaks an invariant: what it says and what it should say."""

    check: str
    table: str
    row: int
    name: str
    says: str = ""
    should: str = ""

    def __str__(self) -> str:
        return (
            f"{self.check}: {self.table} {self.name} (id {self.row}) says {self.says}, should {self.should}"
        )

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)


Check = Callable[[Session], Iterable[Finding]]
"""An integrity check: one SQL statement over the whole set; gives the rows that break the invariant."""
