"""Which actions a complaint ticket offers on its page, by its state (T6, T7)."""

from __future__ import annotations

from rules.lifecycle import ENDED, SOLVED, State, verbs_from

# offered before the others: what usually comes next
USUAL_ACTIONS = frozenset(
    {"confirm_facts", "take_on", "assign", "start", "resolve", "keep_clock", "close", "resume", "hold_review"}
)
UNTIL_ENDED = frozenset({"change_severity", "work_slip", "join", "link_repeat", "link_debt", "hold_review"})
ALWAYS = frozenset({"print", "print_shared"})


def possible_actions(
    state: State,
    *,
    is_waiting: bool,
    has_clock_to_meet: bool,
    is_unconfirmed: bool = False,
    is_joined: bool = False,
) -> frozenset[str]:
    """Answer the codes of the actions that a ticket in this state offers.

    `is_waiting`: a pause lasts; `has_clock_to_meet`: a clock runs that a person stops by hand;
    `is_unconfirmed`: what its sender says waits for a clerk; `is_joined`: to a known incident.
    """
    codes = {verb.value for verb in verbs_from(state)} | ALWAYS
    if is_unconfirmed and state not in ENDED:
        codes.add("confirm_facts")
    if state not in ENDED:
        codes |= UNTIL_ENDED | {"leave_incident" if is_joined else "join_incident"}
    if state in SOLVED:
        return frozenset(codes | {"add_case"})
    codes.add("resume" if is_waiting else "pause")
    if state is not State.IN_PROGRESS:
        codes.add("take_on")
    if has_clock_to_meet:
        codes.add("keep_clock")
    return frozenset(codes)
