"""Reminder batches: looked through, approved, printed (C3, C5)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flask import Response, flash
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel import ngettext

from admin.arrears.wording import CHANNELS
from admin.panel import labels, row_access
from admin.panel.filters import ChoiceFilter, RangeFilter
from admin.panel.responses import pdf_response
from admin.panel.signed_in import staff_id
from admin.panel.view import OfficeView, OneClick, Related, office_action
from models.base import db
from models.collection import Reminder, ReminderBatch
from office.arrears import letters, reminder_batches


class ReminderBatchView(OfficeView):
    table = ReminderBatch
    screen = "reminder_batches"
    title = _l("Reminder batches")
    icon = "layers"
    can_create = can_edit = can_delete = False
    column_list = ("number", "stage", "made_for", "state", "part", "approved_at")
    column_searchable_list = ("number",)
    column_default_sort = "-made_for"
    column_labels = {"stage": _l("Dunning stage"), "part": _l("Part of the stage")}
    choices = {"stage": labels.STAGES, "state": labels.BATCH_STATES}
    filters = (ChoiceFilter("stage"), ChoiceFilter("state"), RangeFilter("made_for"))
    one_click = (
        OneClick(
            "draft", _l("Waiting for approval"), lambda _view: [ReminderBatch.state == "draft"], awaits="act"
        ),
        OneClick("print", _l("To print"), lambda _view: [ReminderBatch.id.in_(to_print())]),
    )
    related = (
        Related(
            "reminders",
            "batch_id",
            columns=("unit.code", "payer.name", "debt", "due_on", "channel", "state", "reason"),
            size=50,
        ),
    )
    details_template = "arrears/batch_details.html"
    channels = CHANNELS
    empty_hint = _l(
        "The clock makes a batch for each stage that is due; here it is looked through and approved."
    )

    @office_action(
        "approve",
        _l("Approve"),
        states=("draft",),
        icon="check",
        confirm=_l("Let these reminders go out?"),
        tone="main",
    )
    def approve(self, rows: Sequence[ReminderBatch], _given: Any) -> str:
        for row in rows:
            reminder_batches.approve_batch(
                db.session(), row.id, now=self.now(), staff_id=staff_id(), units=self.own_units()
            )
        waiting = [row.number for row in rows if row.state == "draft"]
        if waiting:
            flash(
                _(
                    "Of %(batches)s only the rows of your buildings: the others wait.",
                    batches=", ".join(waiting),
                ),
                "info",
            )
        return ngettext("%(num)s batch was approved.", "%(num)s batches were approved.", len(rows))

    @staticmethod
    def own_units() -> Any:
        """What a steward approves and prints: the rows of the own buildings."""
        return row_access.own_units() if row_access.own_buildings() else None

    def parts(self, row: ReminderBatch) -> list[reminder_batches.Part]:
        """The batch at a glance."""
        return reminder_batches.parts_of(db.session(), row.id, self.own_units())

    @office_action("letters", _l("Print letters"), on="row", icon="printer")
    def letters(self, rows: Sequence[ReminderBatch], _given: Any) -> Response:
        made = letters.batch_pdf(
            db.session(),
            rows[0].id,
            now=self.now(),
            staff_id=staff_id(),
            units=self.own_units(),
        )
        return pdf_response(made, f"{rows[0].number}.pdf")


def to_print() -> Any:
    """The batches with letters that are approved and not printed."""
    return db.select(Reminder.batch_id).where(Reminder.state == "approved", Reminder.channel == "print")


SCREENS = (ReminderBatchView,)
