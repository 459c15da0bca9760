"""What the scheduler did and will do: each job, its runs, its next run, and running it by hand (§8)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from flask import flash, redirect, request, url_for
from flask_admin import expose
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from admin.panel import error_messages, forms, labels, office_time
from admin.panel.columns import coded
from admin.panel.filters import ChoiceFilter, RangeFilter, TextFilter
from admin.panel.signed_in import current_staff
from admin.panel.view import OfficePage, OfficeView, OneClick
from models.base import db
from models.office import JobRun
from office.core import audit
from office.core.errors import Refused
from office.scheduling import job_status, scheduler


class JobsPage(OfficePage):
    screen = "jobs"
    title = _l("Scheduled jobs")
    icon = "alarm-clock"
    verbs = {"run": "act"}

    @expose("/")
    def index(self) -> Any:
        from office.rooms import TIMETABLE

        return self.render(
            "system/jobs.html",
            jobs=job_status.statuses(db.session(), TIMETABLE, self.now()),
            names=labels.JOBS,
            age=job_status.age_of_last_tick(db.session()),
            present=self.now().astimezone(office_time.zone()),
            view=self,
        )

    @expose("/run/", methods=("POST",))
    def run(self) -> Any:
        """Have a job run for a given moment; the scheduler does it within the minute."""
        from office.rooms import TIMETABLE

        session, code = db.session(), request.form.get("job", "")
        try:
            due_for = self._moment(request.form.get("due_for", ""))
            scheduler.ask_for_run(session, TIMETABLE, code, due_for, self.now())
            asked = session.scalars(
                db.select(JobRun).where(JobRun.job == code, JobRun.due_for == due_for)
            ).one()
            audit.record(session, self.now(), current_staff().id, "run_by_hand", asked, {"job": code})
            session.commit()
        except Refused as refusal:
            session.rollback()
            flash(error_messages.message_for(refusal), "error")
            return redirect(url_for("jobs.index"))
        flash(_("The clock runs it within the next minute."), "success")
        return redirect(url_for("job_runs.details_view", id=asked.id))

    @staticmethod
    def _moment(text: str) -> datetime:
        try:
            local = datetime.fromisoformat(text)
        except ValueError as wrong:
            raise Refused(_("Choose a moment")) from wrong
        try:
            return forms.instant_of(local)
        except ValueError as far:
            raise Refused(str(far)) from far


class JobRunView(OfficeView):
    table = JobRun
    screen = "job_runs"
    title = _l("Runs of jobs")
    empty_hint = _l("Runs appear here as soon as the clock has ticked.")
    icon = "history"
    is_large = True
    can_create = can_edit = can_delete = False
    column_list = ("due_for", "job", "state", "attempts", "finished_at", "done", "failed", "error")
    column_default_sort = "-due_for"
    choices = {"state": labels.JOB_STATES, "job": labels.JOBS}
    filters = (ChoiceFilter("job"), ChoiceFilter("state"), RangeFilter("due_for"), TextFilter("error"))
    one_click = (OneClick("failed", _l("Failed"), lambda _view: [coded(JobRun.state, "failed", "dead")]),)


SCREENS = (JobsPage, JobRunView)
