"""Which roles decide what about debts and drawers, and whose affairs they read (B7, B9, C4, C9, M3, P7)."""

from __future__ import annotations

from collections.abc import Collection

ABOVE = {  # what a role may approve, these may too
    "steward": ("station_head", "manager", "director"),
    "station_head": ("manager", "director"),
    "manager": ("director",),
}

ALL_COMPLAINTS = frozenset({"it_admin", "manager", "director", "station_head", "front_desk"})
WHOLE_ESTATE = ALL_COMPLAINTS | {"cashier"}


def is_at_least(roles: Collection[str], wanted: str) -> bool:
    """Whether one of the roles is the wanted one or stands above it."""
    return not {wanted, *ABOVE.get(wanted, ())}.isdisjoint(roles)


def is_head(roles: Collection[str]) -> bool:
    """Whether somebody is the station head or above: approves plans, makes the head's visit (B9, C9)."""
    return is_at_least(roles, "station_head")


def may_waive(roles: Collection[str]) -> bool:
    """Whether somebody may waive late fees (B7)."""
    return is_at_least(roles, "manager")


def may_take_back(roles: Collection[str]) -> bool:
    """Whether somebody may take bills back that another person asked to (B21)."""
    return is_at_least(roles, "manager")


def may_decide(entered_by: int | None, decided_by: int | None) -> bool:
    """Whether somebody may undo or approve what was entered: never who entered it (F21, M2, M6, B9, C9).

    What came by a command or a job was entered by nobody, so that whoever has the right decides.
    """
    return entered_by is None or entered_by != decided_by


def may_close_for_others(roles: Collection[str]) -> bool:
    """Whether somebody may close another cashier's day (M3)."""
    return "manager" in roles


def may_open_days(roles: Collection[str]) -> bool:
    """Whether somebody may open a closed day again that another person asked for (M3)."""
    return is_at_least(roles, "manager")


def is_bound_to_buildings(roles: Collection[str]) -> bool:
    """Whether somebody works as a steward only, and so for the buildings they answer for (P7)."""
    return "steward" in roles and WHOLE_ESTATE.isdisjoint(roles)


def reads_all_complaints(roles: Collection[str]) -> bool:
    """Whether somebody reads every complaint but those about themselves (P7)."""
    return not ALL_COMPLAINTS.isdisjoint(roles)
