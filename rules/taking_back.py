"""Which bills of a period can be taken back: those that have not left the house (B21)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from rules.reasons import Reason

MARK = "back "  # begins `part` of a bill that was taken back; its number in the table follows


@dataclass(frozen=True)
class IssuedBill:
    """A bill of a period and what has happened to it since it was issued.

    `is_paid` asks for money that came after it was issued; credit of before goes back to its payer.
    """

    id: int
    unit_id: int
    is_paid: bool = False
    is_credited: bool = False
    is_waived: bool = False
    is_in_plan: bool = False
    is_debited: bool = False
    is_reminded: bool = False
    is_printed: bool = False


def why_not(bill: IssuedBill) -> Reason | None:
    """Why a bill stays as it is; None where it can be taken back."""
    facts = (
        (bill.is_paid, "bill_paid"),
        (bill.is_credited, "bill_credited"),
        (bill.is_waived, "bill_waived"),
        (bill.is_in_plan, "bill_in_plan"),
        (bill.is_debited, "bill_debited"),
        (bill.is_reminded, "bill_reminded"),
        (bill.is_printed, "bill_printed"),
    )
    return next((Reason(code) for is_so, code in facts if is_so), None)


def left_out(bills: Iterable[IssuedBill]) -> dict[int, Reason]:
    """The bills that stay, by id, and why. The bills of a unit go back together or not at all.

    A unit whose month is billed in part could not be issued again.
    """
    every = list(bills)
    reasons = {bill.id: why_not(bill) for bill in every}
    kept_units = {bill.unit_id for bill in every if reasons[bill.id]}
    return {
        bill.id: reasons[bill.id] or Reason("other_bill_stays")
        for bill in every
        if bill.unit_id in kept_units
    }


def marked(invoice_id: int) -> str:
    """`part` of a bill once it is taken back: its place is free for the bill that is issued again."""
    return f"{MARK}{invoice_id}"
