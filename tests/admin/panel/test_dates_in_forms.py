"""Days and times in forms and filters are read as in files; what can't be told is said at the field."""

from datetime import UTC, date, datetime

import pytest
from werkzeug.datastructures import MultiDict
from wtforms import Form

from admin.panel import typed_text
from admin.panel.forms import DayField, InstantField
from tests.conftest import Office


class Both(Form):
    day = DayField()
    at = InstantField()


# typed → the day; None: refused with what to write
DAYS = [
    ("2026-03-05", date(2026, 3, 5)),
    ("2026/3/5", date(2026, 3, 5)),
    ("2026年3月5日", date(2026, 3, 5)),
    ("民國115年3月5日", date(2026, 3, 5)),
    ("05/03/2026", None),
    ("soon", None),
]


@pytest.mark.parametrize(("typed", "day"), DAYS)
def test_a_day_in_a_form_and_in_a_filter(office: Office, typed: str, day: date | None) -> None:
    with office.app.test_request_context():
        form = Both(MultiDict({"day": typed}))
        form.validate()

        assert form.day.data == day
        assert ("This is no date" in str(form.day.errors)) is (day is None)
        if day is None:
            with pytest.raises(ValueError, match="This is no date"):
                typed_text.day(typed)
        else:
            assert typed_text.day(typed) == day


# typed → the instant; None: refused, also a day alone
INSTANTS = [
    ("2026-03-05T09:30", datetime(2026, 3, 5, 1, 30, tzinfo=UTC)),
    ("2026/3/5 9:30", datetime(2026, 3, 5, 1, 30, tzinfo=UTC)),
    ("2026-03-05T09:30Z", datetime(2026, 3, 5, 9, 30, tzinfo=UTC)),
    ("2026-03-05", None),
    ("05/03/2026 09:30", None),
]


@pytest.mark.parametrize(("typed", "at"), INSTANTS)
def test_a_time_in_a_form(office: Office, typed: str, at: datetime | None) -> None:
    with office.app.test_request_context():
        form = Both(MultiDict({"at": typed}))
        form.validate()

        assert form.at.data == at
        assert ("YYYY-MM-DD HH:MM" in str(form.at.errors)) is (at is None)
