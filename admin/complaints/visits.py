"""Visits: the list, today's route, and the form that is filled in at the door or on the phone (V1–V4)."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping, Sequence
from datetime import datetime, time, timedelta
from typing import Any

from flask import abort, flash, redirect, request
from flask_admin import expose
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import or_

from admin.complaints import intake
from admin.complaints.files import attach_uploads, chosen_files, file_answer
from admin.panel import error_messages, formats, labels, language, office_time, request_values, row_access
from admin.panel.filters import ChoiceFilter, RangeFilter, RelationFilter
from admin.panel.idempotency import idempotent
from admin.panel.permissions import may
from admin.panel.responses import pdf_response
from admin.panel.signed_in import current_staff, staff_id
from admin.panel.view import Ask, OfficePage, OfficeView, OneClick, office_action
from models.base import db
from models.visits import Visit
from office.complaints import attachments, documents, visits
from office.core.errors import Refused

PLANNED_BY_HAND = {code: labels.VISIT_KINDS[code] for code in ("courtesy", "repair", "collection")}
PNG = "data:image/png;base64,"
OF_OPEN_VISITS = frozenset({"record", "reassign"})
LONGEST = 20_000


def _to_make() -> Any:
    return Visit.done_at.is_(None)


def _end_of_today(view: Any) -> datetime:
    return datetime.combine(view.today() + timedelta(days=1), time(), office_time.zone())


def _mine(_view: Any) -> list[Any]:
    """Given to me, or to nobody of a role that I have."""
    staff = current_staff()
    roles = tuple(staff.roles)
    free = Visit.assignee_id.is_(None) & Visit.assignee_role.in_(roles)
    return [_to_make(), or_(Visit.assignee_id == staff_id(), free)]


def _staff(_view: Any) -> Mapping[str, str]:
    return intake.staff_names()


class VisitView(OfficeView):
    """All visits, planned and made."""

    table = Visit
    screen = "visits"
    details_template = "complaints/visit_details.html"
    verbs: Mapping[str, str] = {"attachment_view": "see"}
    title = _l("Visits")
    empty_hint = _l(
        "Visits are planned by themselves when a complaint is resolved; others with “Plan a visit”."
    )
    icon = "footprints"
    is_large = True
    can_create = can_edit = can_delete = False
    column_list = (
        "number",
        "kind",
        "ticket.number",
        "unit.code",
        "planned_from",
        "due_at",
        "assignee_role",
        "assignee.name",
        "done_at",
        "satisfaction",
        "outcome",
    )
    column_hidden = ("method", "attempts")
    detail_columns = (*column_list, "method", "attempts", "met", "words", "reason")
    column_labels = {
        "attempts": _l("Tries"),
        "met": _l("Who was met"),
        "words": _l("The resident's words"),
        "reason": _l("Why this person and time"),
    }
    column_searchable_list = ("number", "ticket.number", "unit.code")
    column_default_sort = "-due_at"
    column_formats = {"reason": formats.reason, "words": formats.long_text}
    choices = {
        "kind": labels.VISIT_KINDS,
        "assignee_role": labels.ROLES,
        "method": labels.VISIT_METHODS,
        "outcome": labels.VISIT_OUTCOMES,
    }
    filters = (
        ChoiceFilter("kind"),
        ChoiceFilter("outcome"),
        ChoiceFilter("assignee_role"),
        RangeFilter("due_at"),
        RelationFilter("unit.building"),
    )
    one_click = (
        OneClick(
            "today", _l("To make today"), lambda view: [_to_make(), Visit.planned_from < _end_of_today(view)]
        ),
        OneClick("overdue", _l("Overdue"), lambda view: [_to_make(), Visit.due_at < view.now()]),
        OneClick("mine", _l("Mine"), _mine, awaits="act"),
        OneClick("dissatisfied", _l("Dissatisfied"), lambda _view: [Visit.outcome == "dissatisfied"]),
        OneClick(
            "unreachable",
            _l("Unreachable"),
            lambda _view: [Visit.outcome == "unreachable"],
        ),
    )

    @expose("/details/")
    def details_view(self) -> Any:
        """With what was kept of the visit: signature, voice note, pictures."""
        row = self.get_or_404(request.args.get("id"))
        kept = attachments.of_visit(db.session(), row.id)
        return self.render(
            self.details_template,
            row=row,
            heading=self.text_of(row),
            facts=self.facts(row),
            related=self.related_lists(row),
            history=self.history(row.id),
            actions=self._possible(row),
            revealed={},
            files=kept,
        )

    def _possible(self, row: Visit) -> list[Any]:
        """A visit that was made is neither recorded again nor given to another."""
        offered = self.allowed_actions("row")
        return [each for each in offered if row.done_at is None or each.code not in OF_OPEN_VISITS]

    @expose("/attachment/")
    def attachment_view(self) -> Any:
        """Hand out a file of a visit by its random name: pictures are shown, the rest is downloaded."""
        kept = attachments.by_key(db.session(), request.args.get("key", "")[:64])
        if kept is None or kept.visit_id is None or self.get_one(str(kept.visit_id)) is None:
            abort(404)
        return file_answer(kept, is_shown=kept.media_type.startswith("image/"))

    @office_action("record", _l("Record"), on="row", icon="pencil", tone="main")
    def record(self, rows: Sequence[Visit], _given: Mapping[str, Any]) -> Any:
        return redirect(self.get_url("route.visit_view", id=rows[0].id))

    @office_action("sheet", _l("Print the visit sheet"), on="row", icon="printer", verb="see")
    def sheet(self, rows: Sequence[Visit], _given: Mapping[str, Any]) -> Any:
        made = documents.print_visit(
            db.session(), rows[0].id, language=language.current(), now=self.now(), staff_id=staff_id()
        )
        return pdf_response(made, f"{rows[0].number}.pdf")

    @office_action(
        "reassign",
        _l("Give to another"),
        on="row",
        icon="user-check",
        fields=(Ask("assignee_id", _l("Assignee"), kind="choice", is_required=True, choices=_staff),),
    )
    def reassign(self, rows: Sequence[Visit], given: Mapping[str, Any]) -> str:
        for row in rows:
            visits.reassign(
                db.session(),
                row.id,
                assignee_id=int(given["assignee_id"]),
                now=self.now(),
                staff_id=staff_id(),
            )
        return _("Handed over.")

    @office_action(
        "plan",
        _l("Plan a visit"),
        on="list",
        icon="plus",
        fields=(
            Ask("kind", _l("Kind"), kind="choice", is_required=True, choices=PLANNED_BY_HAND),
            Ask("unit_code", _l("Unit no."), is_required=True),
            Ask("assignee_id", _l("Assignee"), kind="choice", choices=_staff),
        ),
    )
    def plan(self, _rows: Sequence[Visit], given: Mapping[str, Any]) -> str:
        visit = visits.plan_visit(
            db.session(),
            given["kind"],
            unit_id=row_access.unit_named(given["unit_code"]),
            caused_at=self.now(),
            now=self.now(),
            staff_id=staff_id(),
            assignee_id=int(given["assignee_id"]) if given["assignee_id"] else None,
        )
        return _("Visit %(number)s is planned.", number=visit.number)


class RoutePage(OfficePage):
    """The visits of today in the order of a route; each opens a form that fits a phone."""

    screen = "route"
    title = _l("My visits today")
    icon = "route"
    verbs = {"record_view": "act"}

    @expose("/")
    def index(self) -> Any:
        found = visits.visits_today(db.session(), self.today(), staff_id=staff_id())
        return self.render("complaints/route.html", visits=self._seen(found), now=self.now())

    def _seen(self, found: Sequence[Visit]) -> list[Visit]:
        me = staff_id()
        return [each for each in found if each.ticket is None or each.ticket.accused_id != me]

    @expose("/visit/")
    def visit_view(self) -> Any:
        visit = self._visit(request.args.get("id"))
        if visit.done_at is not None:
            return redirect(self.get_url("visits.details_view", id=visit.id))
        return self.render(
            "complaints/visit.html", visit=visit, satisfactions=labels.SATISFACTION, heading=visit.number
        )

    @expose("/record/", methods=("POST",))
    @idempotent
    def record_view(self) -> Any:
        """Keep what came of a visit, with a signature if one was drawn."""
        visit = self._visit(request.form.get("id"))
        given = request.form
        answer = given.get("satisfaction", "")
        texts = [given.get(name, "") for name in ("met", "words", "method")]
        if not all(request_values.is_clean(text) and len(text) <= LONGEST for text in texts):
            abort(400)
        try:
            recorded = visits.record_visit(
                db.session(),
                visit.id,
                now=self.now(),
                satisfaction=int(answer) if answer in labels.SATISFACTION else None,
                method=given.get("method") or None,
                met=given.get("met", "")[:120],
                words=given.get("words", ""),
                staff_id=staff_id(),
                is_reached="not_reached" not in given,
            )
            self._keep_signature(visit, given.get("signature", ""))
            uploads = chosen_files(request.files.getlist("files"))
            attach_uploads(uploads, now=self.now(), visit_id=visit.id)
            db.session.commit()
        except Refused as error:
            db.session.rollback()
            flash(error_messages.message_for(error), "error")
            return redirect(self.get_url(".visit_view", id=visit.id))
        flash(self._sentence(recorded), "success")
        return redirect(self.get_url(".index"))

    def _visit(self, key: Any) -> Visit:
        """A visit that this person makes, or may give to another."""
        staff = current_staff()
        own = [
            or_(
                Visit.assignee_id == staff.id,
                Visit.assignee_id.is_(None) & Visit.assignee_role.in_(staff.roles),
            )
        ]
        if may(staff.roles, "visits", "act"):
            own = []
        return row_access.find_or_404(Visit, key, within=[*row_access.visible_rows(Visit), *own])

    def _keep_signature(self, visit: Visit, drawn: str) -> None:
        if not drawn.startswith(PNG):
            return
        try:
            content = base64.b64decode(drawn.removeprefix(PNG), validate=True)
        except binascii.Error:
            return
        attachments.attach(
            db.session(),
            file_name=f"{visit.number}.png",
            content=content,
            now=self.now(),
            staff_id=staff_id(),
            visit_id=visit.id,
        )

    def _sentence(self, recorded: visits.RecordedVisit) -> str:
        parts = [_("Visit %(number)s is recorded.", number=recorded.visit.number)]
        if recorded.again_from is not None:
            parts.append(_("Try again from %(at)s.", at=formats.instant(recorded.again_from)))
        if recorded.asks_role:
            parts.append(_("Now decides: %(role)s.", role=labels.ROLES[recorded.asks_role]))
        if recorded.ticket_state:
            parts.append(
                _("The complaint is now: %(state)s.", state=labels.TICKET_STATES[recorded.ticket_state])
            )
        if any(reason.code == "review_meeting_missing" for reason in recorded.missing):
            parts.append(_("It closes with its review meeting."))
        return " ".join(str(part) for part in parts)


SCREENS = (RoutePage, VisitView)
