"""Cheques: when one may be taken and presented, what may become of it, what a bounced one costs (M13)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Annotated

from rules.policy_values import Amount, Checked, FeeItemCode, Range

TO_PRESENT, PRESENTED, CLEARED, BOUNCED, VOID = "to_present", "presented", "cleared", "bounced", "void"
STATES = (TO_PRESENT, PRESENTED, CLEARED, BOUNCED, VOID)
UNCLEARED = frozenset({TO_PRESENT, PRESENTED})  # the money may still not come


@dataclass(frozen=True)
class ChequePolicy(Checked):
    """What a bounced cheque costs its payer, by which one-off item; none without both (M13).

    A bank pays no cheque that is older than `stale_after_days`.
    """

    bounce_fee: Amount | None = None
    bounce_fee_item: FeeItemCode = ""
    stale_after_days: Annotated[int, Range(1, 3650)] = 180

    @property
    def fee(self) -> Decimal | None:
        """The fee in yuan of a bounced cheque, None where none is charged."""
        return self.bounce_fee if self.bounce_fee and self.bounce_fee_item else None


def is_stale(due_on: date, day: date, policy: ChequePolicy) -> bool:
    """Whether a bank would refuse a cheque of its age."""
    return day > due_on + timedelta(days=policy.stale_after_days)


def may_present(state: str, due_on: date, day: date) -> bool:
    """Whether a cheque may go to the bank: once, and not before its day."""
    return state == TO_PRESENT and due_on <= day


def may_clear(state: str) -> bool:
    """Whether a cheque's money may have come: it was with the bank."""
    return state == PRESENTED
