"""Large sums wait for a second yes, at whatever door they come in (F21, M1)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from decimal import Decimal

from sqlalchemy.orm import Session

from office.core.errors import N_, Refused
from office.policies import store
from rules.large_sums import LargeSums, SumKind

CONFIRMED = "confirmed_sum"  # in session.info: the yuan that were asked about and confirmed, or ANY
ANY = Decimal("Infinity")


class NotConfirmed(Refused):
    """A sum above the policy's amount that nobody has confirmed yet; the door asks and comes again."""

    def __init__(self, kind: SumKind, amount: Decimal) -> None:
        super().__init__(N_("%(amount)s is an unusually large sum: confirm it"), amount=amount)
        self.kind: SumKind = kind
        self.amount = amount


def ask_again(session: Session, kind: SumKind, amount: Decimal, on: date) -> None:
    """Raises NotConfirmed for a sum above the policy's amount, unless this very sum was confirmed.

    What is no number is for the verb itself to refuse.
    """
    if not amount.is_finite():
        return
    if policy_on(session, on).asks(kind, amount) and not is_confirmed(session, amount):
        raise NotConfirmed(kind, amount)


def policy_on(session: Session, on: date) -> LargeSums:
    """The row of large sums in force on a day."""
    return store.in_force(session, LargeSums, on)


def is_confirmed(session: Session, amount: Decimal) -> bool:
    """Whether somebody was asked about this sum and said yes."""
    return session.info.get(CONFIRMED) in {amount, ANY}


@contextmanager
def confirmed(session: Session, amount: Decimal | None) -> Iterator[None]:
    """Entries of this sum (ANY: of all) were confirmed; None leaves it as it was."""
    before = session.info.get(CONFIRMED)
    session.info[CONFIRMED] = before if amount is None else amount
    try:
        yield
    finally:
        session.info[CONFIRMED] = before
