"""Registration numbers and public addresses: what is taken, in which form, and what is refused (D1, D9)."""

from __future__ import annotations

import pytest

from rules.identity import base_address, registration_number

TENCENT = "9144030071526726XG"  # a published code, as proof of the check digit


@pytest.mark.parametrize(
    ("given", "number"),
    [
        (TENCENT, TENCENT),
        (" 9144 0300 7152 6726 xg ", TENCENT),
        ("９１４４０３００７１５２６７２６ＸＧ", TENCENT),
        ("", ""),
        ("12345678", "12345678"),  # Taiwan
        ("7654321-000-01-26-1", "7654321-000-01-26-1"),  # Hong Kong
        ("310000400123456", "310000400123456"),  # the mainland's before 2015
    ],
)
def test_a_number_is_taken_in_its_plain_form(given: str, number: str) -> None:
    assert registration_number(given) == number


@pytest.mark.parametrize("place", range(18))
def test_one_wrong_character_of_a_credit_code_is_found(place: int) -> None:
    for other in "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ":
        if other != TENCENT[place]:
            with pytest.raises(ValueError, match=r".+"):
                registration_number(TENCENT[:place] + other + TENCENT[place + 1 :])


@pytest.mark.parametrize(
    ("given", "address"),
    [
        ("https://office.example.com/", "https://office.example.com"),
        (" http://10.0.0.5:8000 ", "http://10.0.0.5:8000"),
        ("https://example.com/gatehouse/", "https://example.com/gatehouse"),
        ("", ""),
    ],
)
def test_an_address_is_taken_without_its_last_slash(given: str, address: str) -> None:
    assert base_address(given) == address


@pytest.mark.parametrize(
    "given",
    [
        "office.example.com",
        "javascript:alert(1)",
        "https://",
        "https://a b",
        "https://u:p@x.com",
        "https://x?y=1",
    ],
)
def test_what_is_no_address_is_refused(given: str) -> None:
    with pytest.raises(ValueError, match=r".*"):
        base_address(given)
