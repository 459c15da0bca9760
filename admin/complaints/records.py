"""What stands beside complaints: slips, closures as invalid, reviews, people, cases, categories (T1–T12)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import or_

from admin.auth.sessions import staff_id
from admin.billing.invoices import pdf_answer
from admin.complaints.tickets import GROUNDS
from admin.panel import language
from admin.panel.lists import ChoiceFilter, RangeFilter, RelationFilter
from admin.panel.view import Ask, OfficeView, OneClick, office_action
from models.base import db
from models.complaints import CaseEntry, Category, Complainant, InvalidRequest, ReviewMeeting, WorkSlip
from office.complaints import closures, documents, work_slips


class WorkSlipView(OfficeView):
    """What other departments were asked to do, and their plans."""

    table = WorkSlip
    screen = "work_slips"
    title = _l("Work contact slips")
    empty_hint = _l("To ask another department for help, open the complaint and choose “Work contact slip”.")
    room = "complaints"
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
    one_click = (OneClick("open", _l("Open"), lambda _view: [WorkSlip.done_at.is_(None)]),)

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
        return pdf_answer(made, f"{rows[0].number}.pdf")


class InvalidRequestView(OfficeView):
    """Requests to close a complaint as invalid, decided by another person."""

    table = InvalidRequest
    screen = "invalid_requests"
    title = _l("Closures as invalid")
    empty_hint = _l("A closure as invalid is asked for on the complaint and decided here.")
    room = "complaints"
    icon = "ban"
    can_create = can_edit = can_delete = False
    column_list = ("ticket.number", "ground", "reason", "requested_at", "decided_at", "is_approved")
    column_labels = {
        "ground": _l("Ground"),
        "requested_at": _l("Requested at"),
        "decided_at": _l("Decided at"),
        "is_approved": _l("Approved"),
    }
    choices = {"ground": GROUNDS}
    filters = (ChoiceFilter("ground"), RangeFilter("requested_at"))
    one_click = (OneClick("open", _l("To decide"), lambda _view: [InvalidRequest.decided_at.is_(None)]),)

    def text_of(self, row: InvalidRequest) -> str:
        return row.ticket.number

    @office_action(
        "approve",
        _l("Approve"),
        on="row",
        states=("waiting",),
        icon="check",
        confirm=_l("Close this complaint as invalid? The complainant is told in writing."),
        fields=(Ask("note", _l("Note")),),
    )
    def approve(self, rows: Sequence[InvalidRequest], given: Mapping[str, Any]) -> str:
        self._decide(rows, given["note"], is_approved=True)
        return _("Approved.")

    @office_action(
        "refuse",
        _l("Refuse"),
        on="row",
        states=("waiting",),
        icon="x",
        tone="bad",
        fields=(Ask("note", _l("Reason"), is_required=True),),
    )
    def refuse(self, rows: Sequence[InvalidRequest], given: Mapping[str, Any]) -> str:
        self._decide(rows, given["note"], is_approved=False)
        return _("Refused; the complaint goes on.")

    @office_action("print", _l("Print"), on="row", icon="printer")
    def print_invalid(self, rows: Sequence[InvalidRequest], _given: Mapping[str, Any]) -> Any:
        made = documents.print_invalid(
            db.session(),
            rows[0].id,
            language=language.current(),
            now=self.now(),
            staff_id=staff_id(),
        )
        return pdf_answer(made, f"{rows[0].ticket.number}.pdf")

    def _decide(self, rows: Sequence[InvalidRequest], note: str, *, is_approved: bool) -> None:
        for row in rows:
            closures.decide_invalid(
                db.session(),
                row.ticket_id,
                is_approved=is_approved,
                now=self.now(),
                staff_id=staff_id(),
                note=note,
            )


class ReviewMeetingView(OfficeView):
    """The meetings without which a major complaint does not close."""

    table = ReviewMeeting
    screen = "review_meetings"
    title = _l("Review meetings")
    empty_hint = _l("A major complaint needs one before it closes: open it and choose “Review meeting”.")
    room = "complaints"
    icon = "users"
    can_create = can_edit = can_delete = False
    column_list = ("ticket.number", "held_at", "cause", "correction", "prevention", "attended")
    column_labels = {
        "held_at": _l("Held at"),
        "cause": _l("Cause"),
        "correction": _l("Correction"),
        "prevention": _l("Prevention"),
        "attended": _l("Who attended"),
    }
    column_searchable_list = ("ticket.number",)
    filters = (RangeFilter("held_at"),)

    def text_of(self, row: ReviewMeeting) -> str:
        return row.ticket.number


class ComplainantView(OfficeView):
    """Who complained: masked, shown for a reason that is logged."""

    table = Complainant
    screen = "complainants"
    title = _l("Complainants")
    empty_hint = _l("People are entered with their complaint.")
    room = "complaints"
    icon = "contact"
    can_create = can_edit = can_delete = False
    can_export = False
    column_list = ("ticket.number", "name", "phone", "ticket.registered_at")
    column_searchable_list = ("ticket.number",)
    column_labels = {"ticket.registered_at": _l("Registered at"), "name": _l("Complainant")}

    def text_of(self, row: Complainant) -> str:
        return _("Complainant of %(number)s", number=row.ticket.number)


class CaseView(OfficeView):
    """Typical cases without names, to learn from."""

    table = CaseEntry
    screen = "case_library"
    title = _l("Case library")
    room = "complaints"
    icon = "library"
    column_list = ("title", "category.name", "what_happened", "what_was_done", "lesson")
    column_labels = {
        "title": _l("Title"),
        "what_happened": _l("What happened"),
        "what_was_done": _l("What was done"),
        "lesson": _l("Lesson"),
    }
    column_searchable_list = ("title",)
    filters = (RelationFilter("category"),)
    form_columns = ("title", "category", "what_happened", "what_was_done", "lesson")
    column_descriptions = {"what_happened": _l("Without names")}
    empty_hint = _l("Put a typical case in from its closed ticket.")

    def search_condition(self, words: str) -> Any:
        """The words anywhere in a case: the library is small."""
        return or_(
            *(
                column.icontains(words, autoescape=True)
                for column in (
                    CaseEntry.title,
                    CaseEntry.what_happened,
                    CaseEntry.what_was_done,
                    CaseEntry.lesson,
                )
            )
        )

    def before_save(self, form: Any, row: CaseEntry, is_new: bool) -> None:  # noqa: ARG002, FBT001 -- the hook's signature
        closures.refuse_names(
            db.session(), row.ticket_id, (row.title, row.what_happened, row.what_was_done, row.lesson)
        )


class CategoryView(OfficeView):
    """Kinds of complaint and the department that answers for each."""

    table = Category
    screen = "categories"
    title = _l("Complaint categories")
    empty_hint = _l("Enter the categories; each names the department that answers for it.")
    room = "complaints"
    icon = "tags"
    column_list = ("code", "name", "department.name", "parent.name", "is_active", "position")
    column_labels = {"parent.name": _l("Under")}
    column_default_sort = "position"
    filters = (RelationFilter("department"),)
    form_columns = (
        "code",
        "name_en",
        "name_zh_hans",
        "name_zh_hant",
        "parent",
        "department",
        "is_active",
        "position",
    )


SCREENS = (
    WorkSlipView,
    InvalidRequestView,
    ReviewMeetingView,
    ComplainantView,
    CaseView,
    CategoryView,
)
