"""The call list: who is on it and why, in which order, when not to call, what a contact settles (C6, C8)."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, time
from decimal import Decimal

from rules.ladder import Stage
from rules.roles import is_at_least

ANYBODYS = frozenset({"", "steward"})  # a steward's calls and visits: whoever makes them settles them


def promise_reason(state: str, promised_on: date, today: date) -> str:
    """`promise_due` on its day, `promise_broken` until the end of its month, else nothing (C6)."""
    if state == "open" and promised_on == today:
        return "promise_due"
    return "promise_broken" if state == "broken" and promised_on >= today.replace(day=1) else ""


def is_quiet(quiet_from: str, quiet_to: str, at: time) -> bool:
    """Whether a payer asked not to be called at this time of day; hours may go over midnight (P3).

    Both are `HH:MM`, the end excluded; empty ones mean that the payer asked for nothing.
    """
    if not quiet_from or not quiet_to:
        return False
    begins, ends = time.fromisoformat(quiet_from), time.fromisoformat(quiet_to)
    return begins <= at < ends if begins <= ends else at >= begins or at < ends


def contact_marks(*, has_phone: bool, has_bad_phone: bool, is_email_bad: bool) -> tuple[str, ...]:
    """What is wrong with a payer's contacts: `no_phone`, `phone_bad`, `email_bad` (P6)."""
    marks = (("no_phone", not has_phone), ("phone_bad", has_bad_phone), ("email_bad", is_email_bad))
    return tuple(code for code, is_so in marks if is_so)


def call_order(debt: Decimal, unit_code: str) -> tuple[Decimal, str]:
    """The sort key of a household: the largest debt first, equal ones by unit code (C8)."""
    return -debt, unit_code


def is_settled(
    method: str, channel: str, stage: Stage | None, roles: Collection[str], *, is_approved: bool
) -> bool:
    """Whether a contact by a person with these roles does what a reminder of this stage asked for (C6, C8).

    It must go by a channel of the stage. The person needs the role that carries the stage out and, while the
    reminder is not approved, the one that approves it, or one above. What is a steward's, anybody may do. A
    stage that the ladder no longer has (None) asks for the reminder's own `channel` and no role.
    """
    if stage is None:
        return method == channel
    needed = {stage.carried_by} if is_approved else {stage.carried_by, stage.approved_by}
    return method in stage.channels and all(is_at_least(roles, role) for role in needed - ANYBODYS)
