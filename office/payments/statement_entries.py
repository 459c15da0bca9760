"""A row of a statement on its way from its file into the table: what it says, and as which movement (M5)."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date, datetime, time
from decimal import Decimal
from typing import cast
from zoneinfo import ZoneInfo

from sqlalchemy import Table

from models.payments import StatementRow
from rules import matching
from rules.matching import Direction, Match, State
from rules.movements import Identity, Movement

ROW = cast("Table", StatementRow.__table__)
SERVICES = frozenset({"wechat", "alipay"})


@dataclass(frozen=True)
class Entry:
    """One row of a statement as it was read; `amount` in yuan, below zero for money that went out."""

    transaction_id: str  # the bank's number, empty where it gives none
    paid_at: datetime | None
    amount: Decimal
    method: str
    memo: str = ""
    payer_name: str = ""
    is_time_known: bool = True
    direction: Direction = "in"
    state: State = "done"
    status: str = ""  # the word of the file's state column
    account: str = ""
    counter_account: str = ""
    balance: Decimal | None = None
    is_currency_known: bool = True
    line: int = 0

    def as_matched(self) -> matching.RowToMatch:
        """What the matching rule asks of a row."""
        return matching.RowToMatch(
            self.memo,
            self.amount,
            self.payer_name,
            self.counter_account,
            self.direction,
            self.state,
            self.is_currency_known,
        )


@dataclass
class IncomingRow:
    """An entry with the movement it tells, the known row it may be, and what is decided of it."""

    entry: Entry
    movement: Movement
    place: int  # in the file's order
    identity: Identity = field(default_factory=Identity)
    known_state: str = ""  # posted, waiting or ignored, where an earlier file brought it
    known_status: str = ""  # what that file called its state
    settles_id: int | None = None  # a known row that waited for its final state
    match: Match | None = None  # None: nothing is to be done
    payment_id: int | None = None

    @property
    def decision(self) -> Match:
        assert self.match is not None
        return self.match


def movement_of(entry: Entry, source: str, zone: ZoneInfo) -> Movement:
    """The movement that an entry tells, in office time."""
    return Movement(
        entry.amount,
        *_office_time(entry.paid_at, zone, is_time_known=entry.is_time_known),
        number=entry.transaction_id,
        account=entry.account,
        counter_account=entry.counter_account,
        payer=entry.payer_name,
        memo=entry.memo,
        balance=entry.balance,
        service=entry.method if entry.method in SERVICES else "",
        layout=source,
    )


def stored_movement(row: StatementRow, zone: ZoneInfo) -> Movement:
    """The movement that a stored row told."""
    return Movement(
        row.amount,
        *_office_time(row.paid_at, zone, is_time_known=row.is_time_known),
        number=row.number,
        account=row.account,
        counter_account=row.counter_account,
        payer=row.payer_name,
        memo=row.memo,
        balance=row.balance,
        service=row.method if row.method in SERVICES else "",
        layout=row.source,
    )


def without_number(movement: Movement) -> Movement:
    return replace(movement, number="")


def _office_time(
    paid_at: datetime | None, zone: ZoneInfo, *, is_time_known: bool
) -> tuple[date | None, time | None]:
    if paid_at is None:
        return None, None
    local = paid_at.astimezone(zone)
    return local.date(), local.time() if is_time_known else None
