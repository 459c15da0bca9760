"""When a cheque may be taken and presented, and what a bounced one costs (M13)."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from rules.cheques import STATES, ChequePolicy, is_stale, may_clear, may_present

DUE = date(2026, 6, 10)


@pytest.mark.parametrize(
    ("state", "day", "may"),
    [("to_present", 9, False), ("to_present", 10, True), ("to_present", 11, True), ("presented", 11, False),
     ("bounced", 11, False), ("void", 11, False), ("cleared", 11, False)],
)  # fmt: skip
def test_a_cheque_is_presented_once_and_not_before_its_day(state: str, day: int, may: bool) -> None:
    assert may_present(state, DUE, date(2026, 6, day)) is may


def test_only_what_is_with_the_bank_clears() -> None:
    assert [state for state in STATES if may_clear(state)] == ["presented"]


@pytest.mark.parametrize(("day", "stale"), [(date(2026, 12, 7), False), (date(2026, 12, 8), True)])
def test_an_old_cheque_is_paid_by_no_bank(day: date, stale: bool) -> None:
    assert is_stale(DUE, day, ChequePolicy(stale_after_days=180)) is stale


@pytest.mark.parametrize(
    ("fee", "item", "charged"), [("100", "one_off", "100"), (None, "one_off", None), ("100", "", None)]
)
def test_the_fee_needs_its_sum_and_its_item(fee: str | None, item: str, charged: str | None) -> None:
    policy = ChequePolicy(bounce_fee=Decimal(fee) if fee else None, bounce_fee_item=item)

    assert policy.fee == (Decimal(charged) if charged else None)
