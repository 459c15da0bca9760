"""Number plates in one form, and from when to when a parking card is renewed (B25)."""

from __future__ import annotations

from datetime import date, timedelta

from rules.calendar_months import months_later
from rules.text_keys import text_key

MOST_MONTHS = 120  # of one renewal
_DAY = timedelta(days=1)
_LEFT_OUT = str.maketrans("", "", " ·•・‧∙⋅.")


def plate(text: str) -> str:
    """The form in which a plate is stored and searched: `粤b·１２３ 45` is `粤B12345`; a dash stays."""
    return text_key(text).translate(_LEFT_OUT).upper()


def renewed(card_from: date, card_to: date, months: int, today: date) -> tuple[date, date]:
    """The first and the last day of a card that is paid for so many months more.

    A card that still runs, or ended yesterday, goes on: its months count from its first day, so that one of
    31 January ends on 27 February and then on 30 March. One that ended before begins anew today.
    """
    after = card_to + _DAY
    if after < today:
        return today, months_later(today, months) - _DAY
    begun = (after.year - card_from.year) * 12 + after.month - card_from.month
    if months_later(card_from, begun) == after:
        return card_from, months_later(card_from, begun + months) - _DAY
    return card_from, months_later(after, months) - _DAY
