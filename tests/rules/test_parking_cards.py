"""Plates and renewals of parking cards (B25)."""

from __future__ import annotations

from datetime import date

import pytest

from rules.parking_cards import plate, renewed


@pytest.mark.parametrize(
    ("written", "stored"),
    [
        ("粤B12345", "粤B12345"),
        (" 粤b·１２３ 45 ", "粤B12345"),
        ("粤B・12345", "粤B12345"),
        ("AB 1234", "AB1234"),
        ("abc－1234", "ABC-1234"),
        ("粤BD12345\u200b", "粤BD12345"),
        ("· .", ""),
    ],
)
def test_a_plate_has_one_form(written: str, stored: str) -> None:
    assert plate(written) == stored
    assert plate(stored) == stored


TODAY = date(2026, 6, 20)


@pytest.mark.parametrize(
    ("card_from", "card_to", "months", "first", "last"),
    [
        ("2026-06-01", "2026-06-30", 1, "2026-06-01", "2026-07-31"),
        ("2026-06-01", "2026-06-30", 12, "2026-06-01", "2027-06-30"),
        ("2026-05-15", "2026-07-14", 3, "2026-05-15", "2026-10-14"),
        ("2026-01-31", "2026-07-30", 1, "2026-01-31", "2026-08-30"),
        ("2027-01-31", "2027-02-27", 1, "2027-01-31", "2027-03-30"),
        ("2026-01-10", "2026-06-30", 1, "2026-01-10", "2026-07-31"),  # an end of its own
        ("2026-05-20", "2026-06-19", 1, "2026-05-20", "2026-07-19"),  # ended yesterday
        ("2026-05-19", "2026-06-18", 1, "2026-06-20", "2026-07-19"),  # ended the day before
        ("2025-01-01", "2025-12-31", 2, "2026-06-20", "2026-08-19"),
    ],
)
def test_a_card_goes_on_or_begins_anew(
    card_from: str, card_to: str, months: int, first: str, last: str
) -> None:
    given = date.fromisoformat(card_from), date.fromisoformat(card_to)

    assert renewed(*given, months, TODAY) == (date.fromisoformat(first), date.fromisoformat(last))
