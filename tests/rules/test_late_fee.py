"""The late fee to the day and the fen (B7, C13)."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from office.policies import documents
from rules.late_fee import LateFeeDocument, Reduction, late_fee, late_fee_problems
from rules.money import from_fen, rounded, yuan
from rules.receivables import Apart, Receivable
from tests.factories import policies

DUE = date(2026, 3, 15)


def policy(*items, **changes):
    row = {"is_on": True, "daily_rate": "0.0005", "grace_days": 0, "cap_rate": ""} | changes
    return documents.typed(LateFeeDocument, {"late_fee": row, "item": list(items)}).policy


def day(number):
    return date(2026, 3, number)


CASES = [
    # grace, reductions, to, fee on 1000.00 at 0.05 % a day: 0.50 a day
    (0, [], 14, "0.00"),
    (0, [], 15, "0.00"),
    (0, [], 16, "0.50"),
    (0, [], 25, "5.00"),
    (3, [], 18, "0.00"),
    (3, [], 19, "0.50"),
    (0, [(20, "1000")], 20, "2.00"),  # 16th–19th: a payment on a day stops it from that day on
    (0, [(20, "1000")], 31, "2.00"),  # survives the principal
    (0, [(16, "1000")], 31, "0.00"),
    (0, [(10, "1000")], 31, "0.00"),
    (0, [(20, "400")], 25, "3.80"),  # 4 × 0.50 + 6 × 0.30
    (0, [(20, "400"), (20, "100"), (22, "500")], 31, "2.50"),
    (0, [(20, "1000"), (22, "-1000")], 23, "3.00"),  # reversed on the 22nd
]


@pytest.mark.parametrize(("grace", "reductions", "to", "fee"), CASES)
def test_principal_by_days_outstanding(grace, reductions, to, fee):
    paid = [Reduction(day(on), Decimal(amount)) for on, amount in reductions]

    found = late_fee(policy(grace_days=grace), Decimal(1000), DUE, paid, day(to))

    assert yuan(found.amount) == fee


def test_half_a_fen_goes_up_once_per_invoice():
    one_day = late_fee(policy(), Decimal("10.00"), DUE, [], day(16))
    three_days = late_fee(policy(), Decimal("11.00"), DUE, [], day(18))

    assert yuan(one_day.amount) == "0.01"  # 0.005
    assert yuan(late_fee(policy(daily_rate="0.5"), Decimal("0.50"), DUE, [], day(16)).amount) == "0.25"
    assert yuan(three_days.amount) == "0.02"  # 0.0165, not 3 × 0.01


def test_a_late_fee_that_is_not_charged_is_not_capped():
    for found in (
        late_fee(policy(is_on=False, cap_rate="0"), Decimal(1000), DUE, [], day(26)),
        late_fee(policy(cap_rate="0"), Decimal(1000), DUE, [], DUE),
    ):
        assert (found.amount, found.segments, found.is_capped) == (0, (), False)


CAPPED = [("0.005", "5.00", True), ("0.0055", "5.50", False), ("", "5.50", False)]


@pytest.mark.parametrize(("cap", "fee", "is_capped"), CAPPED)
def test_the_cap_is_a_part_of_the_principal(cap, fee, is_capped):
    found = late_fee(policy(cap_rate=cap), Decimal(1000), DUE, [], day(26))

    assert (yuan(found.amount), found.is_capped) == (fee, is_capped)


def test_the_days_before_it_was_introduced_are_free():
    found = late_fee(policy(charged_from="2026-03-20"), Decimal(1000), DUE, [], day(21))

    assert yuan(found.amount) == "1.00"


def test_it_explains_itself_day_by_day():
    found = late_fee(policy(), Decimal(1000), DUE, [Reduction(day(20), Decimal(400))], day(25))

    assert [(one.from_on.day, one.to_on.day, one.days, one.principal) for one in found.segments] == [
        (16, 19, 4, 1000),
        (20, 25, 6, 600),
    ]
    paid = late_fee(policy(), Decimal(1000), DUE, [Reduction(day(20), Decimal(1000))], day(25))
    assert [one.days for one in paid.segments] == [4]
    assert "1000.00 × 4" in found.reason.inputs["days"]


@pytest.mark.parametrize("name", ["tower", "residential", "project"])
def test_it_is_off_in_every_preset(name):
    preset = policies.policy(name, LateFeeDocument).late_fee

    found = late_fee(preset, Decimal(1000), DUE, [], date(2027, 1, 1))

    assert found.amount == 0
    assert not late_fee_problems(preset)


def test_an_impossible_row_is_refused_on_saving():
    assert [one.code for one in late_fee_problems(policy(daily_rate="1"))] == ["rate_impossible"]
    for name, value in (("grace_days", -1), ("cap_rate", "-1"), ("daily_rate", "-1"), ("daily_rate", "NaN")):
        with pytest.raises(documents.PolicyRefused, match=f"out_of_range: field=late_fee.{name}"):
            policy(**{name: value})


@pytest.mark.parametrize(
    "changes",
    [
        {"daily_rate": "0", "cap_rate": "0", "waiver_second_from": "0"},
        {"daily_rate": "0.9999", "cap_rate": "0.5", "waiver_second_from": "0.5"},
    ],
)
def test_a_row_at_the_edge_is_saved(changes):
    assert late_fee_problems(policy(**changes)) == ()


BEYOND = [("daily_rate", "-0.0001"), ("cap_rate", "-0.01"), ("waiver_second_from", "-0.01")]


@pytest.mark.parametrize(("name", "value"), BEYOND)
def test_a_row_beyond_the_edge_is_refused(name, value):
    with pytest.raises(documents.PolicyRefused, match=f"out_of_range: field=late_fee.{name}"):
        policy(**{name: value})


PAID = st.lists(st.tuples(st.integers(-5, 40), st.integers(0, 40_000)), max_size=5)


@given(st.integers(0, 10**6), PAID, st.integers(-3, 45))
def test_it_equals_the_sum_over_single_days(fen, rows, to):
    principal, on = from_fen(fen), DUE + timedelta(days=to)
    paid = [Reduction(DUE + timedelta(days=offset), from_fen(amount)) for offset, amount in rows]

    found = late_fee(policy(), principal, DUE, paid, on)

    total = Decimal(0)
    for number in range(1, to + 1):
        today = DUE + timedelta(days=number)
        total += max(principal - sum(one.amount for one in paid if one.on <= today), Decimal(0))
    assert found.amount == rounded(total * Decimal("0.0005"))


# a waiver's amount, from how much on two people are needed, whether they are
TWO_PEOPLE = [
    ("99.99", "100", False),
    ("100.00", "100", True),
    ("100.01", "100", True),
    ("0.01", "0", True),
    ("5000", "", False),
]


@pytest.mark.parametrize(("amount", "limit", "needed"), TWO_PEOPLE)
def test_a_large_waiver_needs_two_people(amount, limit, needed):
    assert policy(waiver_second_from=limit).needs_two_people(Decimal(amount)) == needed


class TestItems:
    """B22: which items bear it, rate, grace, cap, flat or daily, least balance."""

    @pytest.mark.parametrize(
        ("changes", "reductions", "to", "fee"),
        [
            ({"flat_amount": "20"}, [], 15, "0.00"),
            ({"flat_amount": "20"}, [], 16, "20.00"),
            ({"flat_amount": "20"}, [], 31, "20.00"),
            ({"flat_amount": "20"}, [(16, "1000")], 31, "0.00"),
            ({"flat_amount": "20"}, [(17, "1000")], 31, "20.00"),
            ({"flat_amount": "20", "cap_rate": "0.01"}, [], 31, "10.00"),
            ({"flat_amount": "20", "grace_days": 5}, [(20, "1000")], 31, "0.00"),
            ({"least_balance": "1000.00"}, [], 17, "1.00"),
            ({"least_balance": "1000.01"}, [], 17, "0.00"),
            ({"least_balance": "600"}, [(20, "400")], 25, "3.80"),
            ({"least_balance": "600"}, [(20, "400.01")], 25, "2.00"),
            ({"least_balance": "600", "flat_amount": "20"}, [(16, "400.01")], 25, "0.00"),
        ],
    )
    def test_flat_and_least_balance(self, changes, reductions, to, fee):
        paid = [Reduction(day(on), Decimal(amount)) for on, amount in reductions]

        assert yuan(late_fee(policy(**changes), Decimal(1000), DUE, paid, day(to)).amount) == fee

    def test_an_item_s_own_terms_are_those_of_all_where_it_says_nothing(self):
        said = policy({"fee_item": "rent", "daily_rate": "0.001"}, {"fee_item": "gas", "flat_amount": "5"})

        rent, gas = said.of_item("rent"), said.of_item("gas")

        assert (rent.daily_rate, rent.grace_days, rent.flat_amount) == (Decimal("0.001"), 0, None)
        assert (gas.daily_rate, gas.flat_amount) == (Decimal("0.0005"), Decimal(5))
        assert said.of_item("water") is None
        daily = policy({"fee_item": "rent", "daily_rate": "0.001"}, flat_amount="20")
        assert daily.of_item("rent").flat_amount is None

    def test_a_bill_s_items_are_reckoned_apart_and_rounded_once(self):
        """100.00 at 0.05 %, 30.10 at 0.1 % from the 18th, 500.00 that bear none: 0.5 + 0.2408 = 0.7408."""
        bill = Receivable(
            1, "I-1", 1, 1, DUE, Decimal("630.10"), Decimal(0), Decimal(0), Decimal(0), Decimal(0), "open"
        )
        bill.apart = [Apart("", Decimal(500), {1}), Apart("rent", Decimal("30.10"), {2}), Apart("lift")]
        terms = policy({"fee_item": "rent", "daily_rate": "0.001", "grace_days": 2})

        fee = bill.gross_late_fee(terms, day(26))

        assert (yuan(fee.amount), len(fee.parts)) == ("0.74", 2)
        assert yuan(bill.gross_late_fee(policy(), day(26)).amount) == "0.65"  # 130.10 × 10 × 0.0005

    def test_what_is_paid_or_credited_of_lines_lowers_their_own_principal(self):
        def owed(*steps):
            bill = Receivable(
                1, "I-1", 1, 1, DUE, Decimal(1500), Decimal(0), Decimal(0), Decimal(0), Decimal(0), "open"
            )
            bill.apart = [Apart("", Decimal(500), {1})]
            for step in steps:
                step(bill)
            return yuan(bill.gross_late_fee(policy(), day(26)).amount)

        def pay(line, amount):
            return lambda bill: bill.pay(Decimal(amount), Decimal(0), day(16), [(line, Decimal(amount))])

        def credit(line, amount, *, is_error):
            taken = {line: Decimal(amount)}
            return lambda bill: bill.credit(Decimal(amount), day(16), is_error=is_error, lines=taken)

        assert owed() == "5.00"
        assert owed(pay(1, "500")) == "5.00"
        assert owed(pay(2, "500")) == "2.50"
        assert owed(pay(1, "500"), pay(1, "-500"), pay(2, "1000")) == "0.00"
        assert owed(credit(1, "500", is_error=True)) == owed(credit(1, "500", is_error=False)) == "5.00"
        assert owed(credit(2, "400", is_error=True)) == "3.00"

    def test_terms_that_can_t_be_are_refused(self):
        def problems(*items, **changes):
            row = {"is_on": True, "daily_rate": "0.0005", "grace_days": 0} | changes
            found = documents.typed(LateFeeDocument, {"late_fee": row, "item": list(items)})
            return [one.code for one in late_fee_problems(found.late_fee, found.item)]

        rent = {"fee_item": "rent", "daily_rate": "0.9"}
        assert problems(rent) == []
        assert problems({**rent, "daily_rate": "1"}) == ["rate_impossible"]
        assert problems(rent, rent) == ["fee_item_twice"]
