"""Which roles may decide what about debts and drawers (C4, B7, B9, C9, C11, M3)."""

from __future__ import annotations

from collections.abc import Collection

ABOVE = {  # what a role may approve, these may too
    "steward": ("station_head", "manager", "director"),
    "station_head": ("manager", "director"),
    "manager": ("director",),
}


def is_at_least(roles: Collection[str], wanted: str) -> bool:
    """Whether one of the roles is the wanted one or stands above it."""
    return not {wanted, *ABOVE.get(wanted, ())}.isdisjoint(roles)


def is_head(roles: Collection[str]) -> bool:
    """Whether somebody is the station head or above: approves plans, makes the head's visit (B9, C9)."""
    return is_at_least(roles, "station_head")


def may_waive(roles: Collection[str]) -> bool:
    """Whether somebody may waive late fees (B7)."""
    return is_at_least(roles, "manager")


def may_close_for_others(roles: Collection[str]) -> bool:
    """Whether somebody may close another cashier's day (M3)."""
    return "manager" in roles
