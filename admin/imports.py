"""Bringing tables in: upload, header mapping, trial, wrong rows as a file, then whole or not at all (M5)."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from typing import Any

from flask import Response, abort, flash, redirect, request, url_for
from flask_admin import expose
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import select

from admin import labels, language, lists, refusals
from admin.audit import record
from admin.base import OfficePage
from admin.permissions import may
from admin.sessions import current_staff
from models.base import db
from models.office import Task
from office import imports
from office.errors import Refused
from office.imports import uploads
from office.spreadsheets import neutral

KINDS: Mapping[str, Any] = {
    "roster": _l("Roster: units and who pays"),
    "readings": _l("Meter readings"),
    "slips": _l("Service slips"),
    "statement": _l("Statement of a bank, WeChat Pay or Alipay"),
    "payments": _l("Payments taken elsewhere"),
    "opening-balances": _l("Opening balances"),
    "contacts": _l("Contacts about debts"),
    "tickets": _l("Old complaint register"),
}
# the screen on which a person must be able to create or act to bring this kind in
NEEDS: Mapping[str, tuple[str, str]] = {
    "roster": ("units", "create"),
    "readings": ("meter_readings", "create"),
    "slips": ("service_slips", "create"),
    "statement": ("statement_rows", "act"),
    "payments": ("payments", "act"),
    "opening-balances": ("invoices", "act"),
    "contacts": ("contacts", "act"),
    "tickets": ("tickets", "create"),
}
RECENT = 12


class ImportPage(OfficePage):
    screen = "imports"
    title = _l("Imports")
    room = "office"
    icon = "upload"

    def kinds(self) -> dict[str, Any]:
        """What the reader may bring in."""
        roles = current_staff().roles
        return {code: label for code, label in KINDS.items() if may(roles, *NEEDS[code])}

    @expose("/")
    def index(self) -> Any:
        chosen = request.args.get("kind", "")
        recent = select(Task).where(Task.kind == uploads.KIND).order_by(Task.id.desc()).limit(RECENT)
        return self.render(
            "office/imports.html",
            kinds=self.kinds(),
            chosen=chosen if chosen in KINDS else "",
            columns=imports.columns_of(chosen) if chosen in KINDS else (),
            labels=labels,
            recent=db.session.scalars(recent).all(),
            names=KINDS,
            view=self,
        )

    @expose("/template/")
    def template(self) -> Any:
        """An empty table with the right headers in the reader's language."""
        kind = request.args.get("kind", "")
        if kind not in KINDS:
            abort(404)
        text = io.StringIO()
        columns = imports.columns_of(kind)
        is_chinese = language.current() != "en"
        csv.writer(text).writerow([column.names[0] if is_chinese else column.code for column in columns])
        return _file(text.getvalue(), f"{kind}.csv")

    @expose("/upload/", methods=("POST",))
    def upload(self) -> Any:
        kind, given = request.form.get("kind", ""), request.files.get("file")
        if kind not in self.kinds():
            abort(403)
        if given is None or not given.filename or not lists.is_clean(given.filename):
            flash(_("Please choose a file."), "error")
            return redirect(url_for("imports.index", kind=kind))
        content, name = given.read(), given.filename
        now, staff_id = self.now(), current_staff().id
        db.session.commit()  # nobody waits while the file is read
        try:
            table = uploads.table_of(name, content)
        except Refused as refusal:
            flash(refusals.words(refusal), "error")
            return redirect(url_for("imports.index", kind=kind))
        task = uploads.bring(db.session(), kind, name, content, now=now, staff_id=staff_id)
        task_id = task.id
        record("upload", "task", task_id, {}, {"kind": kind, "file": name})
        db.session.commit()
        self._try(task_id, table, {})
        return redirect(url_for("imports.preview", id=task_id))

    def _try(self, task_id: int, table: Any, mapping: Mapping[str, str]) -> None:
        session = db.session()
        trial = uploads.try_out(session, task_id, table, mapping, now=self.now())
        uploads.keep_trial(session, task_id, trial)
        session.commit()

    def task(self, key: str | None) -> Task:
        """The reader's own import."""
        task_id = lists.row_id(key)
        task = db.session.get(Task, task_id) if task_id else None
        staff = current_staff()
        if task is None or task.kind != uploads.KIND or task.staff_id != staff.id:
            abort(404)
        if task.result["kind"] not in self.kinds():
            abort(403)
        return task

    @expose("/preview/")
    def preview(self) -> Any:
        """The first rows, which header is what, and what taking the file in would do."""
        task = self.task(request.args.get("id"))
        found = task.result
        refusal = found.get("refusal")
        return self.render(
            "office/import_preview.html",
            task=task,
            found=found,
            name=KINDS[found["kind"]],
            columns=imports.columns_of(found["kind"]),
            refusal=refusals.words(Refused(refusal[0], **refusal[1])) if refusal else "",
            problems=[_told(problem) for problem in found.get("problems", ())[:50]],
            column_label=_column_label,
            view=self,
        )

    @expose("/map/", methods=("POST",))
    def map(self) -> Any:
        """Try again with the headers that the reader chose."""
        task = self.task(request.form.get("id"))
        task_id, name = task.id, task.file_name
        headers = set(task.result.get("headers", ()))
        codes = [column.code for column in imports.columns_of(task.result["kind"])]
        mapping = {code: request.form.get(f"column_{code}", "") for code in codes}
        chosen = {code: header for code, header in mapping.items() if header in headers}
        try:
            content = uploads.content_of(db.session(), task)
            record("map", "task", task_id, {}, chosen)
            db.session.commit()
            self._try(task_id, uploads.table_of(name, content), chosen)
        except Refused as refusal:
            db.session.rollback()
            flash(refusals.words(refusal), "error")
        return redirect(url_for("imports.preview", id=task_id))

    @expose("/take/", methods=("POST",))
    def take(self) -> Any:
        """Take the file in, whole or not at all."""
        task = self.task(request.form.get("id"))
        task_id, name, staff_id = task.id, task.file_name, current_staff().id
        layout = request.form.get("layout", "").strip()[:80]
        try:
            content = uploads.content_of(db.session(), task)
            db.session.commit()
            table = uploads.table_of(name, content)
            report = uploads.take_in(
                db.session(), task_id, table, now=self.now(), staff_id=staff_id, layout=layout
            )
            record("take_in", "task", task_id, {}, {"new": report.new, "skipped": report.skipped})
            db.session.commit()
        except Refused as refusal:
            db.session.rollback()
            flash(refusals.words(refusal), "error")
            return redirect(url_for("imports.preview", id=task_id))
        counts = {"rows": report.rows, "new": report.new, "skipped": report.skipped}
        flash(_("%(rows)s rows: %(new)s new, %(skipped)s there already.", **counts), "success")
        return redirect(url_for("imports.preview", id=task_id))

    @expose("/give-up/", methods=("POST",))
    def give_up(self) -> Any:
        task = self.task(request.form.get("id"))
        uploads.give_up(db.session(), task.id, now=self.now())
        record("give_up", "task", task.id, {}, {})
        db.session.commit()
        return redirect(url_for("imports.index"))

    @expose("/errors/")
    def errors(self) -> Any:
        """The wrong rows as a file: row, column, value, what is wrong, how to mend it."""
        task = self.task(request.args.get("id"))
        text = io.StringIO()
        writer = csv.writer(text)
        writer.writerow([_("Row"), _("Column"), _("Value"), _("Problem"), _("Remedy")])
        for problem in map(_told, task.result.get("problems", ())):
            writer.writerow([neutral(str(value)) for value in problem.values()])
        return _file(text.getvalue(), f"{task.file_name}.errors.csv")


def _told(problem: Mapping[str, Any]) -> dict[str, Any]:
    message, remedy, values = problem["message"], problem["remedy"], problem["values"]
    return {
        "row": problem["row"],
        "column": _column_label(problem["column"]),
        "value": problem["value"],
        "problem": _(message, **values) if values else _(message),
        "remedy": _(remedy, **values) if values else _(remedy),
    }


def _column_label(code: str) -> str:
    return str(labels.COLUMNS.get(code, code))


def _file(text: str, name: str) -> Response:
    answer = Response("\ufeff" + text, mimetype="text/csv; charset=utf-8")
    answer.headers.set("Content-Disposition", "attachment", filename=name)
    return answer


SCREENS = (ImportPage,)
