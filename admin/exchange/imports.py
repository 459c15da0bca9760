"""Bringing tables in: upload, header mapping, trial, wrong rows as a file, then whole or not at all (M5)."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Container, Mapping
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Any

from flask import Response, abort, current_app, flash, jsonify, redirect, request, url_for
from flask_admin import expose
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import select
from sqlalchemy.orm import Session

from admin.exchange import mapping_form, table_imports
from admin.exchange.code_words import words_of
from admin.exchange.keys import ALL_IT_SAYS, KEYS, Key
from admin.exchange.keys import OF_SCREEN as FORM_CHANGES
from admin.panel import (
    background_tasks,
    error_messages,
    labels,
    language,
    request_values,
    row_access,
    wording,
)
from admin.panel.audit import record
from admin.panel.column_names import column_name
from admin.panel.permissions import may
from admin.panel.registry import view_of
from admin.panel.signed_in import current_staff
from admin.panel.view import OfficePage
from models.base import db
from models.office import ImportMapping, Task
from office.core.errors import N_, Refused
from office.exchange import imports
from office.exchange.imports import remembered, uploads
from office.exchange.imports.cells import plain_values
from office.exchange.imports.columns import Column
from office.exchange.imports.mapping import NOTHING_SAID, FileMapping, from_toml, to_toml
from office.exchange.imports.reader import HasHeader, Table
from office.exchange.room import HISTORIES, IMPORTS
from office.exchange.spreadsheets import neutral
from office.policies import large_sums
from rules.reasons import Reason

KINDS: Mapping[str, Any] = {
    "roster": _l("Roster: units and who pays"),
    "readings": _l("Meter readings"),
    "slips": _l("Service slips"),
    "statement": _l("Statement of a bank, WeChat Pay or Alipay"),
    "payments": _l("Payments taken elsewhere"),
    "opening-balances": _l("Opening balances"),
    "contacts": _l("Contacts about debts"),
    "pools": _l("Shared costs"),
    "tickets": _l("Old complaint register"),
    "fee-items": _l("Fee items, with cycle, rounding and payer"),
    "rates": _l("Rates of units, buildings, floors, tags and kinds"),
    "payers": _l("Payers of items"),
    "contracts": _l("Rent contracts"),
    "vacancies": _l("Vacant units"),
    "vehicles": _l("Vehicles and parking cards"),
}
HISTORY = "-history"
HISTORY_KINDS: Mapping[str, Any] = {f"tickets{HISTORY}": _l("Old complaint register, as history")}
# the screen on which a person must be able to create or act to bring this kind in
OUTCOMES = {
    "posted": _l("Is posted"),
    "waiting": _l("Waits"),
    "equal": _l("There already"),
    "differs": _l("Changed since it was posted"),
}
DETAILS: Mapping[str, Any] = {
    "posted": _l("Posted"),
    "waiting": _l("Waiting in the queue"),
    **labels.HISTORY_COUNTS,
}
BALANCE_PROOFS = {
    "proven": _l("The balances prove every direction."),
    "gaps": _l("The balances contradict nothing, but rows are missing between some of them."),
    "contradicted": _l("The balances contradict the direction of some rows: these wait."),
    "absent": _l("The file has no column of balances."),
}
NEEDS: Mapping[str, tuple[str, str]] = {
    "roster": ("units", "create"),
    "readings": ("meter_readings", "create"),
    "slips": ("service_slips", "create"),
    "statement": ("statement_rows", "act"),
    "payments": ("payments", "act"),
    "opening-balances": ("invoices", "act"),
    "contacts": ("contacts", "act"),
    "tickets": ("tickets", "create"),
    "fee-items": ("fee_items", "create"),
    "rates": ("item_rates", "create"),
    "payers": ("item_payers", "create"),
    "contracts": ("contracts", "create"),
    "pools": ("pools", "act"),
    "vacancies": ("vacancies", "create"),
    "vehicles": ("vehicles", "create"),
}
# the screen and verb by which a person may change what an import finds there with other values
UPDATES: Mapping[str, tuple[str, str]] = {
    "roster": ("units", "edit"),
    "readings": ("meter_readings", "edit"),
    "slips": ("service_slips", "edit"),
    "contacts": ("contacts", "act"),
    "tickets": ("tickets", "act"),
    "fee-items": ("fee_items", "edit"),
    "rates": ("item_rates", "edit"),
    "payers": ("item_payers", "edit"),
    "contracts": ("contracts", "edit"),
    "vehicles": ("vehicles", "edit"),
    "pools": ("pools", "act"),
}
BESIDE = frozenset({"fee-items"})  # kinds that say less than the screen's own form, which stays beside them
RECENT = 12
MOST_TOML = 200_000  # bytes of a mapping that is brought
LONG = 2000  # lines of a file that are worked on behind a page that says how far it is
OF_SCREEN = "screen:"  # kinds that are a screen's own form


def brought(kind: str, tell: Callable[[int], None] = lambda _done: None) -> uploads.Brought:
    """The columns and verbs of a kind, known here or the form of a screen."""
    if kind in HISTORY_KINDS:
        code = kind.removesuffix(HISTORY)
        return uploads.Brought(code, HISTORIES[code])
    if not kind.startswith(OF_SCREEN):
        return uploads.Brought(kind, IMPORTS[kind])
    view = view_of(kind.removeprefix(OF_SCREEN))
    return uploads.Brought(view.table.__tablename__, table_imports.TableKind(view, tell))


def all_kinds() -> dict[str, Any]:
    """Every kind by its code: the known ones, then each screen whose form takes new rows."""
    views = current_app.extensions["admin"][0]._views  # noqa: SLF001 -- Flask-Admin offers no list
    known = {screen for kind, (screen, _verb) in NEEDS.items() if kind not in BESIDE}
    own = {
        f"{OF_SCREEN}{view.screen}": view.title
        for view in views
        if table_imports.takes(view) and view.screen not in known
    }
    return {**KINDS, **HISTORY_KINDS, **own}


def need(kind: str) -> tuple[str, str]:
    """The screen and verb that a person must have to bring a kind in."""
    return NEEDS.get(kind.removesuffix(HISTORY)) or (kind.removeprefix(OF_SCREEN), "create")


def key_of(kind: str) -> Key:
    """By what a kind knows a row that is there already."""
    known = KEYS.get(kind.removesuffix(HISTORY))
    if known is not None:
        return known
    columns = table_imports.key_of(view_of(kind.removeprefix(OF_SCREEN)))
    return Key(columns, FORM_CHANGES if columns else ALL_IT_SAYS)


def kind_of_screen(screen: str) -> str:
    """The kind that brings rows of a screen in, where the reader may; else nothing."""
    roles = current_staff().roles
    kind = next((kind for kind, (of, _verb) in NEEDS.items() if of == screen), f"{OF_SCREEN}{screen}")
    is_known = kind in KINDS or table_imports.takes(view_of(screen))
    return kind if is_known and may(roles, "imports", "act") and may(roles, *need(kind)) else ""


def _try(
    task_id: int, kind: str, table: Table, said: FileMapping | None, now: datetime, staff_id: int | None
) -> None:
    """Try a file out and keep what that found; with nothing said as the last such file was read."""
    session, what = db.session(), brought(kind, table.tell)
    if said is None:
        headers = uploads.headers_of(table, what, NOTHING_SAID)
        said = uploads.suggested(session, kind, headers)
    trial = uploads.try_out(session, table, said, what, now=now, staff_id=staff_id)
    uploads.keep_trial(session, task_id, trial)
    session.commit()


class ImportPage(OfficePage):
    screen = "imports"
    title = _l("Imports")
    icon = "upload"

    def kinds(self) -> dict[str, Any]:
        """What the reader may bring in."""
        roles = current_staff().roles
        return {code: label for code, label in all_kinds().items() if may(roles, *need(code))}

    @expose("/")
    def index(self) -> Any:
        chosen, kinds = request.args.get("kind", ""), self.kinds()
        known = select(ImportMapping).order_by(ImportMapping.kind, ImportMapping.name)
        recent = select(Task).where(Task.kind == uploads.KIND).order_by(Task.id.desc()).limit(RECENT)
        return self.render(
            "exchange/imports.html",
            kinds=kinds,
            chosen=chosen if chosen in kinds else "",
            columns=brought(chosen).columns if chosen in kinds else (),
            labels=labels,
            recent=db.session.scalars(recent).all(),
            mappings=[row for row in db.session.scalars(known) if row.kind in kinds],
            headers_in=remembered.headers_in,
            key=key_of(chosen) if chosen in kinds else None,
            column_label=column_labels(chosen) if chosen in kinds else str,
            names=all_kinds(),
            header_of=header_of,
            view=self,
        )

    @expose("/template/")
    def template(self) -> Any:
        """An empty table with the right headers in the reader's language."""
        kind = request.args.get("kind", "")
        if kind not in self.kinds():
            abort(404)
        text = io.StringIO()
        columns = [column for column in brought(kind).columns if column.is_in_template]
        is_chinese = language.current() != "en"
        csv.writer(text).writerow([header_of(column) if is_chinese else column.code for column in columns])
        return _file(text.getvalue(), f"{kind}.csv")

    @expose("/upload/", methods=("POST",))
    def upload(self) -> Any:
        kind, given = request.form.get("kind", ""), request.files.get("file")
        if kind not in self.kinds():
            abort(403)
        if given is None or not given.filename or not request_values.is_clean(given.filename):
            flash(_("Please choose a file."), "error")
            return redirect(url_for("imports.index", kind=kind))
        content, name = given.read(), given.filename
        now, staff_id = self.now(), current_staff().id
        has_header = self.header_test(kind, NOTHING_SAID)
        db.session.commit()  # nobody waits while the file is read
        try:
            table = uploads.table_of(name, content, has_header)
        except Refused as refusal:
            flash(error_messages.message_for(refusal), "error")
            return redirect(url_for("imports.index", kind=kind))
        task = uploads.bring(db.session(), kind, name, content, now=now, staff_id=staff_id)
        task_id = task.id
        record("upload", "task", task_id, {}, {"kind": kind, "file": name})
        db.session.commit()
        self._work(task_id, table, lambda told: _try(task_id, kind, told, None, now, staff_id))
        return redirect(url_for("imports.preview", id=task_id))

    @staticmethod
    def header_test(kind: str, said: FileMapping) -> HasHeader:
        """How the reader knows the header, with what a person said about the file."""
        return imports.header_test(db.session(), brought(kind).kind, said)

    def _work(self, task_id: int, table: Table, work: Callable[[Table], None]) -> None:
        """Short work at once; long work behind a page that says how far it is."""
        if len(table.lines) <= LONG:
            work(table)
            return
        uploads.claim(db.session(), task_id)
        staff_id, code = current_staff().id, language.current()
        db.session.commit()

        def behind(session: Session, _task_id: int) -> None:
            with background_tasks.as_reader(staff_id, code):
                try:
                    work(replace(table, tell=lambda done: background_tasks.write_progress(task_id, done)))
                except Refused as refusal:
                    session.rollback()
                    uploads.refuse(session, task_id, refusal)
                    session.commit()

        background_tasks.start(task_id, behind)

    @expose("/working/")
    def working(self) -> Any:
        """How far the work on a file is, for the page that waits."""
        task = self.task(request.args.get("id"))
        done = min(background_tasks.read_progress(task.id), task.total) if task.total else 0
        return jsonify(done=done, total=task.total, is_working=task.state == "running")

    def task(self, key: str | None) -> Task:
        """The reader's own import."""
        own = (Task.kind == uploads.KIND, Task.staff_id == current_staff().id)
        task = row_access.find_or_404(Task, key, within=own)
        if task.result["kind"] not in self.kinds():
            abort(403)
        uploads.let_go(task)
        return task

    @expose("/preview/")
    def preview(self) -> Any:
        """The first rows, which header is what, and what taking the file in would do."""
        task = self.task(request.args.get("id"))
        found, kind = task.result, task.result["kind"]
        refusal = found.get("refusal")
        label, word = column_labels(kind), words_of(db.session())
        columns = () if task.state == "running" else brought(kind).columns
        return self.render(
            "exchange/import_preview.html",
            task=task,
            found=found,
            name=all_kinds()[kind],
            form=None if task.state != "waiting" else mapping_form.MappingForm(found, columns),
            remembered=remembered.fitting(db.session(), kind, found.get("headers", ())),
            refusal=_refusal(refusal[0], refusal[1], label) if refusal else "",
            named=found.get("named", {}),
            problems=[_told(problem, label, word) for problem in found.get("problems", ())[:50]],
            differences=found.get("differences", ()),
            may_update=may_update(kind),
            column_label=label,
            details=[(DETAILS[code], count) for code, count in (found.get("details") or {}).items()],
            word=word,
            outcomes=OUTCOMES,
            balance_proofs=BALANCE_PROOFS,
            reason_word=lambda code: wording.reason(Reason(code).to_json()),
            view=self,
        )

    @expose("/map/", methods=("POST",))
    def map(self) -> Any:
        """Try again with what the reader says about the file: on the form, in a file, or as remembered."""
        task = self.task(request.form.get("id"))
        task_id, name, kind, now = task.id, task.file_name, task.result["kind"], self.now()
        staff_id = current_staff().id
        try:
            content = uploads.content_of(db.session(), task)
            said, sheet = self.said(task)
            record("map", "task", task_id, {}, {**said.chosen, "sheet": sheet})
            has_header = self.header_test(kind, said)
            db.session.commit()
            table = uploads.table_of(name, content, has_header, sheet)
            self._work(task_id, table, lambda told: _try(task_id, kind, told, said, now, staff_id))
        except Refused as refusal:
            db.session.rollback()
            flash(error_messages.message_for(refusal), "error")
        return redirect(url_for("imports.preview", id=task_id))

    def said(self, task: Task) -> tuple[FileMapping, str]:
        """What the reader says about the file, and the sheet. Raises Refused for what can't be understood."""
        columns, sheet = brought(task.result["kind"]).columns, request.form.get("sheet", "")
        if sheet and sheet not in task.result.get("sheets", ()):
            sheet = ""
        file = request.files.get("toml")
        if file is not None and file.filename:
            codes = [column.code for column in columns]
            try:
                text = file.read(MOST_TOML).decode("utf-8-sig")
            except UnicodeDecodeError:
                raise Refused(N_("%(file)s is not UTF-8 text"), file=file.filename) from None
            return from_toml(text, file.filename, codes), sheet
        chosen = request_values.row_id(request.form.get("remembered"))
        if chosen:
            row = self.mapping_row(chosen)
            is_there = row.sheet in task.result.get("sheets", ())
            return remembered.said_in(row), sheet or (row.sheet if is_there else "")
        return mapping_form.MappingForm(task.result, columns).said(request.form), sheet

    def mapping_row(self, key: Any) -> ImportMapping:
        """A remembered mapping of a kind that the reader may bring in."""
        return row_access.find_or_404(ImportMapping, key, within=(ImportMapping.kind.in_(self.kinds()),))

    @expose("/mapping/")
    def mapping(self) -> Any:
        """How a file is read as a file for `flask import --map`: of an import, or a remembered one."""
        if request.args.get("remembered"):
            row = self.mapping_row(request.args["remembered"])
            return _download(to_toml(remembered.said_in(row)), f"{row.name}.toml", "application/toml")
        task = self.task(request.args.get("id"))
        return _download(to_toml(uploads.said_of(task)), f"{task.file_name}.toml", "application/toml")

    @expose("/forget/", methods=("POST",))
    def forget(self) -> Any:
        """Remove a remembered mapping."""
        row = self.mapping_row(request.form.get("id"))
        remembered.forget(db.session(), row, now=self.now(), staff_id=current_staff().id)
        db.session.commit()
        flash(_("The mapping is forgotten; what it brought in stays."), "success")
        return redirect(url_for("imports.index"))

    def wanted(self, task: Task) -> Container[imports.Difference]:
        """The differences that the reader wants written, where the reader may change such rows."""
        if not may_update(task.result["kind"]):
            return ()
        if request.form.get("write_all"):
            return imports.EVERY_DIFFERENCE
        told = uploads.differences_of(task)
        places = {request_values.row_id(place) for place in request.form.getlist("write")}
        return frozenset(one for place, one in enumerate(told, start=1) if place in places)

    @expose("/take/", methods=("POST",))
    def take(self) -> Any:
        """Take the file in, whole or not at all."""
        task = self.task(request.form.get("id"))
        task_id, name, staff_id = task.id, task.file_name, current_staff().id
        remember_as = request.form.get("layout", "").strip()[: remembered.MOST_NAME]
        method = request.form.get("method") or "bank_transfer"
        wanted, said = self.wanted(task), uploads.said_of(task)
        is_confirmed = bool(request.form.get("large_sums"))
        kind, sheet, now = task.result["kind"], task.result.get("sheet", ""), self.now()

        def take_in(table: Table) -> None:
            session = db.session()
            with large_sums.confirmed(session, large_sums.ANY if is_confirmed else None):
                report = uploads.take_in(
                    session,
                    task_id,
                    table,
                    brought(kind, table.tell),
                    now=now,
                    staff_id=staff_id,
                    name=remember_as,
                    method=method,
                    wanted=wanted,
                )
            counts = {"new": report.new, "skipped": report.skipped, "updated": report.updated}
            record("take_in", "task", task_id, {}, counts)
            session.commit()

        try:
            mapping_form.refuse_unclean([remember_as])
            content = uploads.content_of(db.session(), task)
            has_header = self.header_test(kind, said)
            db.session.commit()
            self._work(task_id, uploads.table_of(name, content, has_header, sheet), take_in)
        except Refused as refusal:
            db.session.rollback()
            flash(error_messages.message_for(refusal), "error")
            return redirect(url_for("imports.preview", id=task_id))
        found = db.session.get_one(Task, task_id)
        if found.state == "done":
            counts = {name: found.result[name] for name in ("rows", "new", "skipped")}
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
        label, word = column_labels(task.result["kind"]), words_of(db.session())
        for problem in task.result.get("problems", ()):
            writer.writerow([neutral(str(value)) for value in _told(problem, label, word).values()])
        return _file(text.getvalue(), f"{task.file_name}.errors.csv")

    @expose("/differs/")
    def differs(self) -> Any:
        """The differences as a file: row, column, there, here."""
        task = self.task(request.args.get("id"))
        text = io.StringIO()
        imports.differences_as_csv(text, uploads.differences_of(task))
        return _file(text.getvalue(), f"{task.file_name}.differs.csv")


def may_update(kind: str) -> bool:
    """Whether the reader may change rows that a kind of import finds there with other values."""
    screen, verb = UPDATES.get(kind.removesuffix(HISTORY)) or (kind.removeprefix(OF_SCREEN), "edit")
    return may(current_staff().roles, screen, verb)


def _refusal(message: str, values: Mapping[str, Any], label: Callable[[str], str]) -> str:
    """Why a file is refused as a whole; missing columns under the names that they have on screens."""
    said = dict(values)
    if "missing" in said:
        said["columns"] = "、".join(map(label, said["missing"]))
    return error_messages.message_for(Refused(message, **said))


def _told(
    problem: Mapping[str, Any], label: Callable[[str], str], word: Callable[[str, str], str]
) -> dict[str, Any]:
    message, remedy = problem["message"], problem["remedy"]
    values = plain_values(problem["values"], partial(word, problem["column"]))
    return {
        "row": problem["row"],
        "column": label(problem["column"]),
        "value": problem["value"],
        "problem": _(message, **values) if values else _(message),
        "remedy": remedy and (_(remedy, **values) if values else _(remedy)),
    }


def header_of(column: Column) -> str:
    """A Chinese header that the column is known by, in the reader's script where it has one."""
    if language.current() != "zh_Hant":
        return column.names[0]
    return next((name for name in column.names if _is_traditional(name)), column.names[0])


def _is_traditional(name: str) -> bool:
    try:
        name.encode("big5")
    except UnicodeEncodeError:
        return False
    return not name.isascii() and "体" not in name


def column_labels(kind: str) -> Callable[[str], str]:
    """What a kind's columns are called in the reader's language."""
    if kind.startswith(OF_SCREEN):
        names = {column.code: column.names[0] for column in brought(kind).columns}
        return lambda code: names.get(code, code)
    own = {"balance": _("Balance after it")} if kind == "statement" else {}
    return lambda code: own.get(code) or str(column_name(code) or code)


def _file(text: str, name: str) -> Response:
    return _download("\ufeff" + text, name, "text/csv")


def _download(text: str, name: str, media: str) -> Response:
    answer = Response(text, content_type=f"{media}; charset=utf-8")
    answer.headers.set("Content-Disposition", "attachment", filename=name)
    return answer


SCREENS = (ImportPage,)
