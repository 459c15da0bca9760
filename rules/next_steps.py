"""What the reason for a debt asks the office to do next (C7)."""

from __future__ import annotations

STEP_OF_REASON = {
    "forgot": "remind",
    "unhappy": "complaint",  # a linked ticket holds the ladder until it is closed
    "hardship": "plan",
    "away": "message",
    "disputes": "check_bill",
    "refuses": "legal",  # when its gate holds
    "unreachable": "find_contact",
}


def next_step(arrears_reason: str) -> str:
    """The step that a reason for arrears leads to; `call` while none is known (C7)."""
    return STEP_OF_REASON.get(arrears_reason, "call")
