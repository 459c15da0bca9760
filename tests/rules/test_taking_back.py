"""Which bills can be taken back (B21)."""

import pytest

from rules.reasons import Reason
from rules.taking_back import IssuedBill, left_out, marked, why_not


@pytest.mark.parametrize(
    ("facts", "reason"),
    [
        ((), None),
        (("is_paid",), "bill_paid"),
        (("is_credited",), "bill_credited"),
        (("is_waived",), "bill_waived"),
        (("is_in_plan",), "bill_in_plan"),
        (("is_debited",), "bill_debited"),
        (("is_reminded",), "bill_reminded"),
        (("is_printed",), "bill_printed"),
        (("is_printed", "is_paid"), "bill_paid"),
    ],
)
def test_a_bill_stays_for_one_reason(facts, reason):
    found = why_not(IssuedBill(1, 1, **dict.fromkeys(facts, True)))

    assert found == (Reason(reason) if reason else None)


def test_the_bills_of_a_unit_go_back_together_or_not_at_all():
    bills = [IssuedBill(1, 7), IssuedBill(2, 7, is_printed=True), IssuedBill(3, 8)]

    assert left_out(bills) == {1: Reason("other_bill_stays"), 2: Reason("bill_printed")}
    assert left_out(bills[::2]) == {}


def test_the_mark_differs_for_each_bill():
    assert marked(12) == "back 12" != marked(13)
