"""Who is signed in, for screens and the toolkit. Sign-in itself stands in admin/auth."""

from __future__ import annotations

from flask import g

from models.people import Staff


def staff_if_signed_in() -> Staff | None:
    """The person who is signed in, with roles loaded; None without a session."""
    staff: Staff | None = g.get("staff")
    return staff


def current_staff() -> Staff:
    """The person who is signed in, on a screen that is behind the sign-in."""
    staff = staff_if_signed_in()
    assert staff is not None
    return staff


def staff_id() -> int:
    """The key of the person who is signed in, on a screen that is behind the sign-in."""
    return int(current_staff().id)
