"""The work board: in which group a complaint stands, in which order, and where a person begins (T4, K4)."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from rules.deadlines import ClockState
from rules.lifecycle import SOLVED, State

GROUPS = ("confirm", "late", "soon", "take_up", "at_work", "waiting", "visit", "close")
SCOPES = ("mine", "department", "escalated", "all")
NOT_TAKEN_UP = frozenset({State.REGISTERED, State.ASSIGNED, State.REOPENED})
OVERSEEING_ROLES = frozenset({"it_admin", "manager", "director", "station_head", "front_desk"})
DEPARTMENT_HEAD = "department_lead"


@dataclass(frozen=True)
class OpenClock:
    """A clock that was not stopped."""

    clock: str
    state: str
    due_at: datetime


def board_group(
    state: str,
    clocks: Sequence[OpenClock],
    now: datetime,
    soon: timedelta,
    *,
    is_unconfirmed: bool = False,
) -> str:
    """Answer the group of an open complaint by its next step; `clocks` are those that were not stopped.

    What a sender of the public form says is confirmed first of all. A deadline that is due right now is not
    late yet; one due in exactly the time `soon` is due soon. Only what is not resolved is late; a resolved
    one whose visit is late stands first among the visits.
    """
    if is_unconfirmed and state not in SOLVED:
        return "confirm"
    running = [clock for clock in clocks if clock.state != ClockState.PAUSED]
    if state == State.FOLLOWED_UP:
        return "close"
    if state != State.RESOLVED and any(clock.due_at < now for clock in running):
        return "late"
    if any(now <= clock.due_at <= now + soon for clock in running if clock.state == ClockState.RUNNING):
        return "soon"
    if state == State.RESOLVED:
        return "visit"
    is_waiting = len(running) < len(clocks)
    return "waiting" if is_waiting else "take_up" if state in NOT_TAKEN_UP else "at_work"


def first_deadline(clocks: Sequence[OpenClock]) -> OpenClock | None:
    """Answer the clock that is due first, None without clocks."""
    return min(clocks, key=lambda clock: clock.due_at, default=None)


def board_order(due_at: datetime | None, ticket_id: int) -> tuple[bool, datetime | int, int]:
    """Answer the sort key of a complaint in its group: the first deadline first, those without one last."""
    return (due_at is None, due_at or 0, ticket_id)


def first_scope(roles: Collection[str]) -> str:
    """Answer whose complaints a person sees first: all, those of the own department, or the own ones."""
    if OVERSEEING_ROLES & set(roles):
        return "all"
    return "department" if DEPARTMENT_HEAD in roles else "mine"
