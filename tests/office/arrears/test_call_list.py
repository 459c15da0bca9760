"""The call list: the largest debt first, and the hours at which a payer is not to be called (C8, P3)."""

from datetime import date, time, timedelta
from decimal import Decimal

import pytest

from office.arrears import contacts
from office.arrears.call_list import call_list, is_quiet
from office.arrears.contacts import NewContact
from tests.factories.arrears import add_bill, add_unit, at

TODAY = date(2026, 3, 19)

QUIET_HOURS = [
    (("22:00", "07:00"), time(21, 59), False),
    (("22:00", "07:00"), time(22, 0), True),
    (("22:00", "07:00"), time(23, 59), True),
    (("22:00", "07:00"), time(0, 0), True),
    (("22:00", "07:00"), time(6, 59), True),
    (("22:00", "07:00"), time(7, 0), False),
    (("12:00", "14:00"), time(11, 59), False),
    (("12:00", "14:00"), time(12, 0), True),
    (("12:00", "14:00"), time(13, 59), True),
    (("12:00", "14:00"), time(14, 0), False),
    (("", ""), time(3, 0), False),
]


@pytest.mark.parametrize(("hours", "moment", "wanted"), QUIET_HOURS)
def test_quiet_hours_may_go_over_midnight(hours, moment, wanted):
    assert is_quiet(hours, moment) == wanted


def test_the_largest_debt_is_called_first_and_equal_ones_by_unit(session):
    debts = {"1-101": "50", "1-102": "300", "1-104": "100", "1-103": "100"}
    for code, amount in debts.items():
        debtor = add_unit(session, code)
        add_bill(session, debtor, date(2026, 3, 15), amount)
        promise = NewContact(
            debtor[0],
            "phone",
            at(TODAY - timedelta(days=1)),
            promised_on=TODAY,
            promised_amount=Decimal(amount),
        )
        contacts.record_contact(session, promise, now=at(TODAY - timedelta(days=1)))

    entries = call_list(session, now=at(TODAY), language="en")

    assert [entry.unit_code for entry in entries] == ["1-102", "1-103", "1-104", "1-101"]
