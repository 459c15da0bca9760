"""On which days reports are mailed to staff (K3, K5)."""

from datetime import date

import pytest

from rules.report_mails import ReportMail

DAYS = [
    ("week", date(2026, 3, 1), False),  # a Sunday
    ("week", date(2026, 3, 2), True),
    ("week", date(2026, 3, 3), False),
    ("month", date(2026, 2, 28), False),
    ("month", date(2026, 3, 1), True),
    ("month", date(2026, 3, 2), False),
]


@pytest.mark.parametrize(("every", "day", "is_due"), DAYS)
def test_weekly_mails_go_out_on_monday_monthly_ones_on_the_first(every, day, is_due):
    mail = ReportMail("weekly_meeting", every, "manager", is_active=True)

    assert mail.is_due(day) == is_due


def test_a_mail_goes_out_only_where_it_was_switched_on():
    assert not ReportMail("weekly_meeting", "month", "manager").is_due(date(2026, 3, 1))
