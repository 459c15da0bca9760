"""What is owed on an invoice, and how payments and late fees change it (M1, M6, B7)."""

from datetime import date, timedelta
from decimal import Decimal

import pytest

from rules.allocation import Pick, UnknownPickError
from rules.late_fee import LateFeePolicies, LateFeePolicy, Reduction
from rules.money import yuan
from rules.receivables import Owed, PaidEarlier, Receivable, give_back, pay_receivables

NO_FEE = LateFeePolicy(is_on=False, daily_rate=Decimal(0), grace_days=0)
FEE = LateFeePolicy(is_on=True, daily_rate=Decimal("0.01"), grace_days=0)  # 1 yuan a day on 100
OTHER_FEE = LateFeePolicy(is_on=True, daily_rate=Decimal("0.02"), grace_days=0)
DUE = date(2026, 1, 5)
TODAY = date(2026, 1, 8)


def owed(amount="100", *, number="I-1", due_on=DUE, credited="0", late_fee="0", paid="0", paid_late_fee="0"):
    sums = [Decimal(one) for one in (amount, credited, late_fee, paid, paid_late_fee)]
    return Receivable(1, number, 1, 1, due_on, *sums, "open")


def always(policy):
    return LateFeePolicies(((date(2000, 1, 1), policy),))


OPEN = [
    # what was credited, charged as late fee, paid in all and of the late fee; principal, balance, creditable
    ({}, 100, 100, 100),
    ({"late_fee": "3"}, 100, 103, 100),
    ({"credited": "10", "late_fee": "3", "paid": "32", "paid_late_fee": "2"}, 60, 61, 90),
    ({"paid": "100"}, 0, 0, 100),
]


@pytest.mark.parametrize(("sums", "principal", "balance", "creditable"), OPEN)
def test_what_is_open(sums, principal, balance, creditable):
    one = owed(**sums)

    assert (one.principal, one.balance, one.creditable) == (principal, balance, creditable)


STATES = [
    ({}, False, "open"),
    ({"credited": "10"}, False, "open"),
    ({"paid": "0.01"}, False, "partly_paid"),
    ({"paid": "100"}, False, "paid"),
    ({"paid": "100"}, True, "credited"),  # by a credit note that cleared the rest
    ({"paid": "99", "credited": "1"}, False, "paid"),
    ({"credited": "100"}, False, "credited"),
    ({"amount": "0"}, False, "paid"),
]


@pytest.mark.parametrize(("sums", "is_credited", "state"), STATES)
def test_the_state_follows_the_sums(sums, is_credited, state):
    assert owed(**sums).settled_state(is_credited=is_credited) == state


def test_who_paid_is_not_credited_unless_said():
    assert owed(paid="100").settled_state() == "paid"


ON_A_DAY = [
    # policy, day, late fee stored and paid of it, late fee as it stands that day, open of it
    (FEE, date(2026, 1, 5), "0", "0", 0, 0),
    (FEE, date(2026, 1, 6), "0", "0", 0, 0),  # the day itself isn't charged
    (FEE, date(2026, 1, 7), "0", "0", 1, 1),
    (FEE, TODAY, "3", "0", 2, 2),
    (FEE, TODAY, "3", "1", 2, 1),
    (FEE, TODAY, "5", "4", 4, 0),  # never below what was paid of it
    (NO_FEE, TODAY, "3", "1", 3, 2),
    (FEE, date(2026, 1, 5), "3", "1", 1, 0),  # paid by the due day: nothing of what was charged since
]


@pytest.mark.parametrize(("policy", "on", "late_fee", "paid", "wanted", "still_open"), ON_A_DAY)
def test_the_late_fee_stops_on_the_day_of_payment(policy, on, late_fee, paid, wanted, still_open):
    one = owed(late_fee=late_fee, paid=paid, paid_late_fee=paid)
    assert one.late_fee_on(policy, on) == wanted
    assert one.owed_on(always(policy), on) == Owed(Decimal(100), Decimal(still_open))


@pytest.mark.parametrize("days", range(6))
def test_paying_what_is_owed_on_a_day_leaves_nothing(days):
    """Of every day: the sum that is shown, not a fen more or less (contract "Figures, exactly")."""
    on, one = DUE + timedelta(days=days), owed()
    one.accrue(FEE, on)
    shown = one.owed_on(always(FEE), on)

    parts, credit = pay_receivables(shown.total, [one], FEE, on)
    one.accrue(FEE, on)

    assert (one.balance, credit, len(parts)) == (0, 0, 1)
    assert one.owed_on(always(FEE), on) == Owed(Decimal(0), Decimal(0))


def test_what_was_owed_on_a_day_that_has_passed():
    one = owed(late_fee="2", paid="52", paid_late_fee="2", credited="10")
    one.reductions = [Reduction(date(2026, 1, 7), Decimal(50))]
    one.fees_paid = [Reduction(date(2026, 1, 7), Decimal(2))]
    one.errors = [Reduction(TODAY, Decimal(10))]

    found = [one.owed_on(always(FEE), date(2026, 1, day)) for day in (5, 6, 7, 8)]

    assert [(each.principal, yuan(each.late_fee), each.total) for each in found] == [
        (100, "0.00", 100),
        (100, "0.00", 100),
        (50, "0.00", 50),  # one day's fee: paid with two
        (40, "0.00", 40),
    ]


def test_a_day_that_has_passed_knows_nothing_of_later_errors_and_waivers():
    one = owed(credited="40")
    one.errors = [Reduction(date(2026, 1, 8), Decimal(40))]
    one.waivers = [Reduction(date(2026, 1, 9), Decimal("0.50"))]

    charged = [one.charged_on(always(FEE), date(2026, 1, day)) for day in (7, 8, 9)]

    assert [yuan(each) for each in charged] == ["1.00", "1.20", "1.30"]  # 1; 2 × 0.60; 3 × 0.60 - 0.50


def test_a_settled_bill_keeps_the_fee_with_which_it_was_settled():
    """Though the rate was raised since."""
    one = owed(late_fee="1", paid="101", paid_late_fee="1")
    one.reductions, one.fees_paid = [Reduction(TODAY, Decimal(100))], [Reduction(TODAY, Decimal(1))]
    policies = LateFeePolicies(((date(2000, 1, 1), FEE), (date(2026, 1, 9), OTHER_FEE)))

    found = [one.charged_on(policies, date(2026, 1, day)) for day in (7, 8, 30)]

    assert [yuan(each) for each in found] == ["1.00", "1.00", "1.00"]


CHARGING = [
    # days from which the fee is off or on; day; fee stored; charged by then
    ([(1, NO_FEE)], 20, "7", "7"),
    ([(1, NO_FEE), (10, FEE)], 9, "7", "0"),  # nothing was charged before it was turned on
    ([(1, NO_FEE), (10, FEE)], 10, "7", "4"),
    ([(1, FEE), (10, NO_FEE)], 9, "3", "3"),
    ([(1, FEE), (10, NO_FEE)], 20, "3", "3"),  # what was charged before stays
    ([(1, FEE), (10, NO_FEE), (20, FEE)], 15, "20", "3"),
    ([(1, FEE), (10, OTHER_FEE)], 9, "8", "3"),
    ([(1, FEE), (10, OTHER_FEE)], 10, "8", "8"),
]


@pytest.mark.parametrize(("versions", "day", "stored", "wanted"), CHARGING)
def test_the_fee_of_a_day_is_what_the_policy_of_that_day_had_charged(versions, day, stored, wanted):
    policies = LateFeePolicies(tuple((date(2026, 1, on), policy) for on, policy in versions))

    charged = owed(late_fee=stored).charged_on(policies, date(2026, 1, day))

    assert charged == Decimal(wanted)


CREDITED = [
    # kind, late fee of four days on 100 after 40 were credited today, and the day after
    ("goodwill", "4.00", "4.60"),
    ("error", "2.40", "3.00"),
]


@pytest.mark.parametrize(("kind", "today", "tomorrow"), CREDITED)
def test_an_error_takes_the_late_fee_that_it_caused(kind, today, tomorrow):
    one, on = owed(), date(2026, 1, 10)

    one.credit(Decimal(40), on, is_error=kind == "error")

    assert yuan(one.late_fee_on(FEE, on)) == today
    assert yuan(one.late_fee_on(FEE, on + timedelta(days=1))) == tomorrow
    assert one.creditable == 60


def test_an_error_gives_back_the_late_fee_that_was_paid():
    one, on = owed(late_fee="4", paid="4", paid_late_fee="4"), date(2026, 1, 10)

    one.credit(Decimal(40), on, is_error=True)

    assert yuan(one.late_fee_overpaid(FEE, on)) == "1.60"
    assert one.late_fee_overpaid(NO_FEE, on) == 0, "nothing is reckoned where the policy is off"


def test_a_waiver_takes_its_part_but_never_more():
    one = owed()

    found = []
    for waived in (0, 1, 2, 3):
        one.waivers = [Reduction(TODAY, Decimal(waived))]
        found.append(one.late_fee_on(FEE, TODAY))

    assert found == [2, 1, 0, 0]
    assert one.gross_late_fee(FEE, TODAY).amount == 2


@pytest.mark.parametrize(("policy", "late_fee"), [(FEE, 2), (NO_FEE, 7)])
def test_a_late_fee_accrues_where_the_policy_charges_one(policy, late_fee):
    one = owed(late_fee="7")

    one.accrue(policy, TODAY)

    assert one.late_fee == late_fee


def test_what_is_paid_of_the_principal_is_not_charged_any_more():
    one = owed(late_fee="3")

    one.pay(Decimal(50), Decimal(2), TODAY)
    one.pay(Decimal(0), Decimal(1), TODAY)

    assert (one.paid, one.paid_late_fee) == (53, 3)
    assert [(cut.on, cut.amount) for cut in one.reductions] == [(TODAY, 50)]


def test_a_payment_pays_the_oldest_first_each_with_its_fee():
    young, old = owed("20", number="I-2", due_on=TODAY), owed()

    parts, credit = pay_receivables(Decimal(125), [young, old], FEE, TODAY)

    assert [(one.receivable.number, one.principal, one.late_fee) for one in parts] == [
        ("I-1", 100, 2),
        ("I-2", 20, 0),
    ]
    assert credit == 3
    assert (old.late_fee, old.balance, young.balance) == (2, 0, 0)


def test_a_debt_that_gets_nothing_keeps_its_late_fee():
    old, young = owed(), owed(number="I-2", due_on=date(2026, 1, 6), late_fee="9")

    parts, credit = pay_receivables(Decimal(50), [old, young], FEE, TODAY, [Pick("I-1")])

    assert [one.receivable for one in parts] == [old]
    assert (credit, young.late_fee) == (0, 9)


def test_what_is_paid_already_takes_no_more():
    settled, barely = owed(paid="100"), owed(number="I-2", paid="99.99")

    parts, credit = pay_receivables(Decimal(1), [settled, barely], NO_FEE, TODAY)

    assert [(one.receivable.number, one.principal) for one in parts] == [("I-2", Decimal("0.01"))]
    assert credit == Decimal("0.99")


def test_only_the_late_fee_may_be_open():
    one = owed(paid="101", late_fee="3", paid_late_fee="1")

    parts, credit = pay_receivables(Decimal(5), [one], NO_FEE, TODAY)

    assert [(part.principal, part.late_fee) for part in parts] == [(0, 2)]
    assert credit == 3


def test_a_debt_that_is_settled_with_its_late_fee_can_not_be_picked():
    one = owed(paid="102", late_fee="2", paid_late_fee="2")

    with pytest.raises(UnknownPickError):
        pay_receivables(Decimal(5), [one], NO_FEE, TODAY, [Pick("I-1")])


GIVEN_BACK = [
    (1, [(8, 0, -1)]),
    (2, [(8, 0, -2)]),
    (3, [(8, 0, -2), (7, -1, 0)]),
    (200, [(8, 0, -2), (7, -100, 0)]),
]


@pytest.mark.parametrize(("amount", "parts"), GIVEN_BACK)
def test_money_is_taken_back_in_the_order_given(amount, parts):
    bill = owed(late_fee="2", paid="102", paid_late_fee="2")
    paid = [PaidEarlier(8, bill, "late_fee", Decimal(2)), PaidEarlier(7, bill, "principal", Decimal(100))]

    found = give_back(paid, Decimal(amount), NO_FEE, TODAY)

    assert [(one.payment_id, one.part.principal, one.part.late_fee) for one in found] == parts
    assert bill.balance == -sum(principal + fee for _, principal, fee in parts)


def test_what_is_given_back_is_charged_again():
    one = owed()
    one.pay(Decimal(100), Decimal(0), date(2026, 1, 6))

    give_back([PaidEarlier(7, one, "principal", Decimal(100))], Decimal(100), FEE, TODAY)

    assert one.late_fee == 0
    assert one.late_fee_on(FEE, TODAY + timedelta(days=1)) == 1  # for today


def test_giving_back_nothing_changes_nothing():
    one = owed(paid="100")

    assert give_back([PaidEarlier(7, one, "principal", Decimal(100))], Decimal(0), FEE, TODAY) == []
    assert (one.paid, one.late_fee) == (100, 0)
