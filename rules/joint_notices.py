"""One notice for several units of a payer: whose stage picks the paper, how a promise is shared out (C19)."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Protocol, TypeVar

from rules.ladder import Stage, Subject
from rules.money import ZERO

Key = TypeVar("Key", bound=Hashable)


class Joinable(Protocol):
    """What is asked of a reminder that may be joined with others of its payer; debt in yuan."""

    @property
    def payer_id(self) -> int: ...
    @property
    def unit_id(self) -> int: ...
    @property
    def stage(self) -> Stage: ...
    @property
    def debt(self) -> Decimal: ...


Row = TypeVar("Row", bound=Joinable)


def joined(rows: Iterable[Row]) -> list[tuple[Row, ...]]:
    """A day's reminders, those of one payer together; the first of each picks the paper and the channel.

    It is that of the strongest stage, of several the one with the largest debt, then the unit entered first.
    Notices of bills that are not due yet and reminders of debts are never joined with each other; a request
    for a restriction and a legal case stand alone.
    """
    groups: dict[Hashable, list[Row]] = {}
    for place, row in enumerate(rows):
        alone = None if row.stage.is_joinable else place
        groups.setdefault((row.payer_id, row.stage.subject == Subject.INVOICE, alone), []).append(row)
    return [
        tuple(sorted(group, key=lambda row: (-row.stage.order, -row.debt, row.unit_id)))
        for group in groups.values()
    ]


def shared_out(amount: Decimal, debts: Sequence[tuple[Key, Decimal]]) -> Mapping[Key, Decimal]:
    """A promised amount over the debts, the first in full before the next; the last takes what is over."""
    found: dict[Key, Decimal] = {}
    for place, (key, owed) in enumerate(debts):
        part = amount if place == len(debts) - 1 else min(amount, owed)
        amount -= part
        if part > ZERO:
            found[key] = part
    return found
