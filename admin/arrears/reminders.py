"""Reminders: what each dunning stage made, how it went out, why one was left out (C4, C5)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from flask_babel import lazy_gettext as _l
from flask_babel import ngettext
from sqlalchemy.orm import joinedload

from admin.arrears.wording import CHANNELS, CONTACT_MARKS
from admin.panel import formats, labels
from admin.panel.columns import coded
from admin.panel.filters import ChoiceFilter, RangeFilter
from admin.panel.signed_in import staff_id
from admin.panel.view import Ask, OfficeView, OneClick, office_action
from models.base import db
from models.collection import Reminder
from models.office import Message
from office.arrears import call_list, reminder_batches


class ReminderView(OfficeView):
    table = Reminder
    screen = "reminders"
    title = _l("Reminders")
    empty_hint = _l("Reminders appear here when a stage of the dunning ladder is due.")
    icon = "bell-ring"
    is_large = True
    can_create = can_edit = can_delete = False
    column_list = (
        "planned_on",
        "stage",
        "unit.code",
        "payer.name",
        "debt",
        "due_on",
        "channel",
        "state",
        "reason",
    )
    column_hidden = ("batch.number", "sent_at", "subject.number", "why")
    column_searchable_list = ("unit.code", "payer.name", "payer.pinyin_initials", "batch.number")
    column_default_sort = "-planned_on"
    column_labels = {
        "stage": _l("Dunning stage"),
        "why": _l("Why it was made"),
        "reason": _l("Why not"),
        "subject.number": _l("Invoice no."),
        "channel": _l("Goes by"),
        "batch.number": _l("Reminder batch"),
    }
    choices = {"stage": labels.STAGES, "state": labels.REMINDER_STATES, "channel": CHANNELS}
    column_formats = {"reason": formats.reason, "why": formats.reason}
    filters = (
        ChoiceFilter("stage"),
        ChoiceFilter("state"),
        ChoiceFilter("channel"),
        RangeFilter("planned_on"),
        RangeFilter("debt"),
    )
    one_click = (
        OneClick("left_out", _l("Left out"), lambda _view: [Reminder.state.in_(("not_made", "dropped"))]),
        OneClick(
            "unknown", _l("Unknown or given up"), lambda _view: [coded(Reminder.state, "unknown", "dead")]
        ),
        OneClick(
            "todo",
            _l("To do"),
            lambda view: [
                coded(Reminder.state, "planned", "approved"),
                Reminder.planned_on <= view.today(),
            ],
            awaits="act",
        ),
    )
    detail_columns = (
        "stage",
        "unit.code",
        "payer.name",
        "subject.number",
        "debt",
        "due_on",
        "planned_on",
        "batch.number",
        "channel",
        "state",
        "sent_at",
        "why",
        "reason",
    )
    details_template = "arrears/reminder_details.html"
    rows_with = (joinedload(Reminder.unit), joinedload(Reminder.payer))
    channels = CHANNELS
    contact_marks = CONTACT_MARKS

    def text_of(self, row: Reminder) -> str:
        return f"{row.unit.code} · {row.payer.name} · {labels.STAGES.get(row.stage, row.stage)}"

    def deliveries(self, row: Reminder) -> Sequence[Message]:
        """What became of its messages (C5)."""
        return reminder_batches.deliveries(db.session(), row.id)

    def marks_of(self, row: Reminder) -> tuple[str, ...]:
        """What is wrong with the payer's contacts (P6)."""
        return call_list.marks_of(db.session(), (row.unit_id, row.payer_id))

    @office_action(
        "drop",
        _l("Drop"),
        states=("planned", "approved"),
        icon="x",
        tone="bad",
        fields=(Ask("reason", _l("Reason"), is_required=True),),
    )
    def drop(self, rows: Sequence[Reminder], given: Mapping[str, Any]) -> str:
        for row in rows:
            reminder_batches.drop_reminder(
                db.session(), row.id, reason=given["reason"], now=self.now(), staff_id=staff_id()
            )
        return ngettext("%(num)s reminder was dropped.", "%(num)s reminders were dropped.", len(rows))

    @office_action("printed", _l("Mark as printed"), states=("planned", "approved"), icon="printer")
    def printed(self, rows: Sequence[Reminder], _given: Any) -> str:
        return self._mark(rows, "printed")

    @office_action("done", _l("Mark as done"), states=("planned", "approved", "printed"), icon="check")
    def done(self, rows: Sequence[Reminder], _given: Any) -> str:
        return self._mark(rows, "done")

    def _mark(self, rows: Sequence[Reminder], state: str) -> str:
        ids = [row.id for row in rows]
        count = reminder_batches.mark(db.session(), ids, state, now=self.now(), staff_id=staff_id())
        return ngettext("%(num)s reminder was marked.", "%(num)s reminders were marked.", count)


SCREENS = (ReminderView,)
