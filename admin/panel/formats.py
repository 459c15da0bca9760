"""How values look: money, numbers, dates, badges. A format takes (value, row) and gives text or Markup.

None of these queries; all escape. `automatic` chooses one by the column's type, so a screen names a format
only where it wants another.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from flask import g
from flask_babel import gettext as _
from flask_babel import ngettext
from markupsafe import Markup
from sqlalchemy import Boolean, Date, Integer
from sqlalchemy.types import TypeEngine

from admin.panel import office_time, wording
from models.base import FixedPoint, Instant, Money, db
from models.secrets import Sealed, masked
from office.core import amounts

Format = Callable[[Any, Any], Any]
EMPTY = Markup('<span class="none">–</span>')

# the tint of a state code's badge; codes that are not listed are plain
TONES: Mapping[str, str] = {
    **dict.fromkeys((
        "paid", "done", "sent", "posted", "closed", "kept", "met", "satisfied", "occupied", "approved",
        "credited", "resolved", "followed_up", "printed", "active", "yes", "lifted",
    ), "good"),
    **dict.fromkeys((
        "overdue", "breached", "failed", "dead", "major", "dissatisfied", "reversed", "void", "broken",
        "missed", "escalated", "reopened", "unknown", "legal", "court", "refused",
    ), "bad"),
    **dict.fromkeys((
        "partly_paid", "waiting", "paused", "planned", "proposed", "complex", "partly", "requested",
        "pending", "in_effect", "not_made", "unmatched", "provisional",
    ), "warn"),
    **dict.fromkeys((
        "open", "running", "registered", "assigned", "in_progress", "simple", "sending", "effective",
        "billed", "due",
    ), "info"),
}  # fmt: skip


def text(value: Any, _row: Any = None) -> Any:
    return EMPTY if value is None or value == "" else value


def due_within(minutes: int) -> str:
    """“Due within 2 hours”; in minutes where they make no whole hours."""
    if minutes % 60:
        return ngettext("Due within %(num)s minute", "Due within %(num)s minutes", minutes)
    return ngettext("Due within %(num)s hour", "Due within %(num)s hours", minutes // 60)


def money(value: Decimal | None, _row: Any = None) -> Any:
    """`1,234.50`."""
    return EMPTY if value is None else f"{value:,.2f}"


def amount(value: Decimal) -> str:
    """`¥1,234.50`: money in a sentence, with the sign of the estate's currency; `-¥5.00` below zero."""
    if "currency_sign" not in g:
        g.currency_sign = amounts.currency_sign(db.session())
    return f"{'-' if value < 0 else ''}{g.currency_sign}{abs(value):,.2f}"


def number(value: Any, _row: Any = None) -> Any:
    """Digits as they are, without trailing zeros: `89.5`."""
    if value is None:
        return EMPTY
    if isinstance(value, Decimal):
        shown = f"{value:,f}"
        return shown.rstrip("0").rstrip(".") if "." in shown else shown
    return str(value)


def percent(value: Any, _row: Any = None) -> Any:
    return EMPTY if value is None else f"{value}%"


def day(value: date | None, _row: Any = None) -> Any:
    return EMPTY if value is None else value.isoformat()


def instant(value: datetime | None, _row: Any = None) -> Any:
    """`2026-11-22 09:00` in office time."""
    return EMPTY if value is None else office_time.written(value)


def yes_no(value: bool | None, _row: Any = None) -> Any:  # noqa: FBT001 -- a format takes its value
    if value is None:
        return EMPTY
    return badge_of("yes", _("Yes")) if value else Markup('<span class="none">{}</span>').format(_("No"))


def sealed(value: str | None, _row: Any = None) -> Any:
    """`138****0001`: masked; the whole is shown by `reveal` only, which is logged."""
    return EMPTY if not value else masked(value)


def badge_of(code: str, label: Any) -> Markup:
    return Markup('<span class="badge {}">{}</span>').format(TONES.get(code, ""), label)


def badge(labels: Mapping[str, Any]) -> Format:
    """A coloured label for a code: `{"open": _("Open"), …}`; its tint comes from TONES."""
    made: dict[tuple[str, str], Markup] = {}

    def show(value: Any, _row: Any = None) -> Any:
        if value is None or value == "":
            return EMPTY
        key = (str(value), str(labels.get(value, value)))
        if key not in made:
            made[key] = badge_of(*key)
        return made[key]

    return show


def label(labels: Mapping[str, Any]) -> Format:
    """The label of a code without colour."""

    def show(value: Any, _row: Any = None) -> Any:
        return EMPTY if value is None or value == "" else str(labels.get(value, value))

    return show


def long_text(value: str | None, _row: Any = None) -> Any:
    """Text with its line breaks, cut in lists by the style sheet."""
    return EMPTY if not value else Markup('<span class="long">{}</span>').format(value)


def reason(value: str | None, _row: Any = None) -> Any:
    """A stored Reason in the reader's words."""
    return Markup('<span class="reason">{}</span>').format(wording.reason(value)) if value else EMPTY


def changes(stored: str | None, _row: Any = None) -> Any:
    """An audit row's changes, one line a column: its name, the value before and the value after."""
    try:
        read = json.loads(stored or "{}")
    except ValueError:
        return stored
    if not isinstance(read, dict) or not read:
        return EMPTY
    lines = []
    for name, each in read.items():
        before, after = each if isinstance(each, list) and len(each) == 2 else (None, each)
        shown = (
            wording.value(name, after)
            if before is None
            else f"{wording.value(name, before)} → {wording.value(name, after)}"
        )
        lines.append(_("%(name)s: %(value)s", name=wording.field(name), value=shown))
    return Markup('<span class="long">{}</span>').format("\n".join(lines))


PLAIN = frozenset({money, number, day, instant})  # digits and signs only: nothing to escape


def automatic(kind: TypeEngine[Any]) -> tuple[Format, str]:
    """The format for a column's type and how its cells are laid out: `num`, `date`, `text` or `flag`."""
    for types, pair in (
        (Money, (money, "num")),
        (FixedPoint, (number, "num")),
        (Instant, (instant, "date")),
        (Date, (day, "date")),
        (Boolean, (yes_no, "flag")),
        (Sealed, (sealed, "text")),
        (Integer, (number, "num")),
    ):
        if isinstance(kind, types):
            return pair
    return text, "text"
