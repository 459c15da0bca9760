"""What an import did, and what it may change of rows that are there with other values."""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy.orm import Session

from office.core import audit
from office.core.errors import N_
from office.exchange.imports.columns import Problem

POSTED_MONEY = N_("Posted money is never changed by an import: void the receipt and take the right sum")
BILLED_DEBT = N_("A bill is never changed by an import: correct it by a credit note or another charge")


def shown(value: object) -> str:
    """A value as a difference tells it."""
    if isinstance(value, Decimal):
        digits = f"{value:f}"
        return digits.rstrip("0").rstrip(".") if "." in digits else digits
    if isinstance(value, datetime):
        return value.isoformat(" ", "minutes")
    return "" if value is None else str(value)


@dataclass(frozen=True)
class Difference:
    """A row whose key is there with another value in one column; both as text, sealed ones masked.

    `never` says, in English, why no import writes it; empty where `--update` may.
    """

    row: int
    column: str
    there: str
    here: str
    never: str = field(default="", compare=False)


class _All:
    def __contains__(self, _one: object) -> bool:
        return True


@dataclass(frozen=True)
class Update:
    """Which differences are to be written, and who brought them in which file."""

    wanted: Container[Difference] = ()
    now: datetime | None = None
    staff_id: int | None = None
    file: str = ""

    def __contains__(self, difference: object) -> bool:
        return isinstance(difference, Difference) and not difference.never and difference in self.wanted

    def record(self, session: Session, row: Any, changes: Mapping[str, Any]) -> None:
        """The audit row of a change, {column: (before, after)}: by whom, and from which file."""
        assert self.now is not None
        said = {**changes, "file": self.file}
        audit.record(session, self.now, self.staff_id, "edit", row, said)


EVERY_DIFFERENCE: Container[Difference] = _All()
NO_UPDATE = Update()


@dataclass(frozen=True)
class Taken:
    """Rows that were added, that were there already and equal, and that are there with other values."""

    new: int = 0
    skipped: int = 0
    details: Mapping[str, int] = field(default_factory=dict)
    differences: Sequence[Difference] = ()
    updated: int = 0  # rows of which differences were written
    preview: Mapping[str, Any] = field(default_factory=dict)  # each row as read, as JSON (statements)
    large: Sequence[Problem] = ()  # rows with unusually large sums, which were confirmed
    refused: Sequence[Problem] = ()  # rows that can't be taken in now: then nothing of the file is


def counted(new: int, rows: int, differences: Sequence[Difference], written: Container[Difference]) -> Taken:
    """What became of so many rows: those that are neither new nor differ are equal.

    Differences that were written are told no more, their rows are counted as updated.
    """
    left = [one for one in differences if one not in written]
    updated = {one.row for one in differences if one in written}
    differing = {one.row for one in differences}
    return Taken(new=new, skipped=rows - new - len(differing), differences=left, updated=len(updated))
