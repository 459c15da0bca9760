"""The estate's own holidays and make-up days, and what they do to running deadlines (T5)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from flask import abort, jsonify, request
from flask_admin import expose
from flask_babel import lazy_gettext as _l

from admin.panel.audit import record, snapshot
from admin.panel.filters import RangeFilter
from admin.panel.view import OfficeView
from admin.policies import deadline_preview
from models.base import db
from models.property import CalendarDay
from office.complaints.policies_in_force import PolicyTimeline
from office.complaints.recalculation import preview_recalculation
from rules import dates


class CalendarDayView(OfficeView):
    table = CalendarDay
    screen = "calendar_days"
    title = _l("Holidays and make-up days")
    icon = "calendar-days"
    column_list = ("day", "is_working", "note")
    column_default_sort = "-day"
    form_columns = ("day", "is_working", "note")
    column_descriptions = {"is_working": _l("Ticked: the office works on this day, whatever is published")}
    filters = (RangeFilter("day"),)
    empty_hint = _l(
        "Published holidays and make-up days are known already; enter only where this office differs."
    )
    list_template = "policies/calendar_days.html"
    create_template = edit_template = "policies/calendar_day_form.html"
    verbs: Mapping[str, str] = {"preview_view": "see"}

    def text_of(self, row: CalendarDay) -> str:
        return row.day.isoformat()

    def warning(self) -> str:
        """Which years' holidays are not published yet (T5)."""
        return deadline_preview.provisional(db.session(), self.now())

    @expose("/preview/")
    def preview_view(self) -> Any:
        """What a day that is not yet saved would do to the deadlines of open complaints."""
        try:
            day = dates.day_of(request.args.get("day", ""))
        except ValueError:
            abort(404)
        stood = self.get_one(request.args.get("id")) if request.args.get("id") else None
        days: dict[date, bool | None] = {stood.day: None} if stood is not None else {}
        days[day] = request.args.get("is_working") == "1"
        moves = preview_recalculation(db.session(), PolicyTimeline(db.session(), own_days=days), self.now())
        return jsonify(text=deadline_preview.sentence(moves, is_done=False))

    def after_save(self, row: CalendarDay, is_new: bool) -> None:  # noqa: ARG002, FBT001 -- the base's hook
        """Running deadlines follow the day at once (T5)."""
        deadline_preview.follow(db.session(), self.now())

    def delete_model(self, model: CalendarDay) -> bool:
        """Deleted with its audit row; running deadlines follow in the same transaction."""
        session, key, before = db.session(), model.id, snapshot(model)
        session.delete(model)
        deadline_preview.follow(session, self.now())
        record("delete", CalendarDay.__tablename__, key, before, {})
        session.commit()
        return True


SCREENS = (CalendarDayView,)
