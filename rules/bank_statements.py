"""What a row of a statement says: its direction, its state, and what the balance column proves (M5)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from rules.matching import Direction, State, plain

Proof = Literal["proven", "gaps", "contradicted", "absent"]


@dataclass(frozen=True)
class Words:
    """The words by which banks and services tell direction and state, each as `compared` gives it."""

    incoming: frozenset[str]
    outgoing: frozenset[str]
    successful: frozenset[str]
    refunded: tuple[str, ...]  # a state that contains one of these
    unsuccessful: tuple[str, ...]

    def direction(self, word: str) -> Direction:
        """What a direction word says."""
        said = compared(word)
        if said in self.incoming:
            return "in"
        return "out" if said in self.outgoing else "unknown"

    def state(self, word: str) -> State:
        """Only a known final success is done; refunds, also in part, come before it (contract "State")."""
        said = compared(word)
        if any(one in said for one in self.refunded):
            return "refund"
        if said in self.successful:
            return "done"
        return "not_successful" if any(one in said for one in self.unsuccessful) else "state_unknown"


def compared(word: str) -> str:
    """A word as it is compared: width, case and blanks made equal."""
    return "".join(plain(word).split())


@dataclass(frozen=True)
class Amount:
    """What a row's cells say of its amount, each None or empty where the file has no such cell, in yuan."""

    came: Decimal | None = None
    went: Decimal | None = None
    plain: Decimal | None = None
    is_signed: bool = False  # the cell carries a sign or accounting brackets
    word: str | None = None  # of the direction column; None where there is none


@dataclass(frozen=True)
class Signs:
    """Where the amounts of one file carry signs."""

    is_amount_signed: bool = False  # some amount of the only column is below zero
    is_outgoing_negative: bool = False  # so is each in the column of what went out: the sign says it again


def direction_of(amount: Amount, words: Words, signs: Signs) -> tuple[Decimal, Direction]:
    """The signed amount of a row and its direction, by the first that speaks (contract "Direction").

    Two amount columns; a sign; a direction word. A word that is not known, or none where the column is
    there, leaves an unsigned amount unknown, unless other rows of the file carry signs and it has no words.
    """
    if amount.came or amount.went or amount.plain is None:
        return _of_two_columns(amount.came or Decimal(0), amount.went or Decimal(0), signs)
    value = amount.plain
    if amount.is_signed:
        return value, "out" if value < 0 else "in"
    if amount.word is None or (not amount.word.strip() and signs.is_amount_signed):
        return value, "in"
    word = words.direction(amount.word)
    return (-value if word == "out" else value), word


def _of_two_columns(came: Decimal, went: Decimal, signs: Signs) -> tuple[Decimal, Direction]:
    """A negative amount is a correction in red (`is_correction`): it goes the other way."""
    total = came - (abs(went) if signs.is_outgoing_negative else went)
    if came and went:
        return total, "unknown"
    return total, "out" if total < 0 else "in"


def is_correction(amount: Amount, signs: Signs) -> bool:
    """Whether a row takes back what went out: money that came, and yet nobody's payment."""
    return amount.went is not None and amount.went < 0 and not signs.is_outgoing_negative


def looks_like_directions(said: Sequence[str], words: Words) -> bool:
    """Whether at least half of a column's filled cells are direction words, whatever its header says.

    A lone sign fills no cell there: in a column of anything else a dash stands for nothing.
    """
    filled = [one for one in said if plain(one).strip("+-/ ")]
    known = sum(words.direction(one) != "unknown" for one in filled)
    return bool(known) and 2 * known >= len(filled)


@dataclass(frozen=True, slots=True)
class Balanced:
    """A row of a statement for the proof: signed amount and the balance after it, in yuan."""

    amount: Decimal
    balance: Decimal | None
    is_direction_known: bool = True


@dataclass(frozen=True)
class BalanceProof:
    """What the balance column proves, and the places of rows that follow only with their direction turned."""

    state: Proof
    proven: int = 0
    turned: tuple[int, ...] = ()

    @property
    def is_file_in_doubt(self) -> bool:
        """Whether every row waits: the contradicted ones are not outnumbered by the proven ones."""
        return bool(self.turned) and len(self.turned) >= self.proven


def balance_proof(rows: Sequence[Balanced], *, is_latest_first: bool | None = None) -> BalanceProof:
    """Hold the balances of one account against its amounts (M5).

    Where the file's instants do not tell its order of time, the order in which more rows follow counts.
    """
    if not any(row.balance is not None for row in rows):
        return BalanceProof("absent")
    orders = [range(len(rows)), range(len(rows) - 1, -1, -1)]
    if is_latest_first is not None:
        orders = [orders[is_latest_first]]
    proofs = [_proof(rows, places) for places in orders]
    return max(proofs, key=lambda proof: (proof.proven + len(proof.turned), proof.proven))


def _proof(rows: Sequence[Balanced], places: Sequence[int]) -> BalanceProof:
    """Each row with a balance against the row before it; a row without a known direction proves nothing."""
    proven, turned, is_complete = 0, [], True
    before: Decimal | None = None
    for place in places:
        row = rows[place]
        if row.balance is None:
            is_complete, before = False, None
            continue
        if before is not None:
            change = row.balance - before
            if not row.is_direction_known:
                is_complete = False
            elif change == row.amount:
                proven += 1
            elif change == -row.amount:
                turned.append(place)
            else:
                is_complete = False
        before = row.balance
    if turned:
        return BalanceProof("contradicted", proven, tuple(sorted(turned)))
    return BalanceProof("proven" if proven and is_complete else "gaps", proven)
