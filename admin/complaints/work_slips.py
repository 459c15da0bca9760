"""Work contact slips and their answers (T2)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from admin.panel import language
from admin.panel.filters import RangeFilter, RelationFilter
from admin.panel.responses import pdf_response
from admin.panel.signed_in import staff_id
from admin.panel.view import Ask, OfficeView, OneClick, office_action
from models.base import db
from models.complaints import WorkSlip
from office.complaints import documents, work_slips


class WorkSlipView(OfficeView):
    """What other departments were asked to do, and their plans."""

    table = WorkSlip
    screen = "work_slips"
    title = _l("Work contact slips")
    empty_hint = _l("To ask another department for help, open the complaint and choose “Work contact slip”.")
    icon = "send"
    can_create = can_edit = can_delete = False
    column_list = (
        "number",
        "ticket.number",
        "department.name",
        "task",
        "plan",
        "issued_at",
        "due_on",
        "done_at",
    )
    column_labels = {
        "task": _l("What is asked"),
        "plan": _l("Plan"),
        "issued_at": _l("Issued at"),
        "due_on": _l("To be done by"),
    }
    column_searchable_list = ("number", "ticket.number")
    filters = (RelationFilter("department"), RangeFilter("issued_at"))
    one_click = (OneClick("open", _l("Open"), lambda _view: [WorkSlip.done_at.is_(None)], awaits="act"),)

    def text_of(self, row: WorkSlip) -> str:
        return row.number

    @office_action(
        "answer",
        _l("Plan or done"),
        on="row",
        icon="check",
        fields=(
            Ask("plan", _l("Plan"), kind="area", is_required=True),
            Ask(
                "is_done",
                _l("State"),
                kind="choice",
                is_required=True,
                choices={"no": _l("Planned"), "yes": _l("Done")},
            ),
        ),
    )
    def answer(self, rows: Sequence[WorkSlip], given: Mapping[str, Any]) -> str:
        for row in rows:
            work_slips.answer_work_slip(
                db.session(),
                row.id,
                plan=given["plan"],
                is_done=given["is_done"] == "yes",
                now=self.now(),
                staff_id=staff_id(),
            )
        return _("Saved.")

    @office_action("print", _l("Print"), on="row", icon="printer")
    def print_slip(self, rows: Sequence[WorkSlip], _given: Mapping[str, Any]) -> Any:
        made = documents.print_slip(
            db.session(),
            rows[0].id,
            language=language.current(),
            now=self.now(),
            staff_id=staff_id(),
        )
        return pdf_response(made, f"{rows[0].number}.pdf")


SCREENS = (WorkSlipView,)
