"""The billing run: preview against last month, issue in the background, print all as one file (B4)."""

from __future__ import annotations

import csv
import io
import json
from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from flask import Response, abort, flash, jsonify, redirect, request, url_for
from flask_admin import expose
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session

from admin.panel import (
    background_tasks,
    error_messages,
    formats,
    labels,
    language,
    reason_words,
    request_values,
    row_access,
    wording,
)
from admin.panel.audit import record
from admin.panel.filters import TextFilter
from admin.panel.idempotency import idempotent
from admin.panel.signed_in import current_staff
from admin.panel.view import OfficePage, OfficeView, OneClick, Related
from models.base import db
from models.billing import BillingRun, FeeItem, Invoice
from models.engine import set_writing
from models.office import Task
from office.billing import difference_runs, meter_usage
from office.billing import runs as billing_runs
from office.core import background_tasks as core_background_tasks
from office.core import clock
from office.core.errors import Refused
from office.documents import archive
from office.documents.filing import NewPaper, Printing
from office.exchange.spreadsheets import neutral
from rules import dates
from rules.billing import Period

SHOWN = 50  # of what is unusual or can't be billed; the rest is in the file
ISSUE, PRINT = "issue", "print_notices"
KINDS = {ISSUE: _l("Issue of bills"), PRINT: _l("Payment notices")}
NOTED_EVERY = 200  # papers between two notes of how far a print is


def unbilled_words(row: Mapping[str, str]) -> str:
    """Why a unit could not be billed, as its stored reason says it: `code: name=value, …`."""
    code, _colon, rest = (row.get("detail") or row["reason"]).partition(":")
    inputs = dict(part.strip().split("=", 1) for part in rest.split(",") if "=" in part)
    return wording.reason({"code": code.strip(), "inputs": inputs})


class BillingPage(OfficePage):
    screen = "billing"
    title = _l("Billing run")
    icon = "play"
    verbs = {
        "issue": "act",
        "notices": "act",
        "progress": "see",
        "state": "see",
        "file": "act",
        "bill_differences": "act",
    }

    @expose("/")
    def index(self) -> Any:
        period = request.args.get("period") or self.today().strftime("%Y-%m")
        preview, refusal, odd = None, None, 0
        if "period" in request.args:
            try:
                preview = billing_runs.preview(db.session(), period, now=self.now())
                odd = len(meter_usage.odd(db.session(), Period.parse(preview.period)))
            except Refused as wrong:
                refusal = error_messages.message_for(wrong)
        runs = db.session.query(BillingRun).order_by(BillingRun.id.desc()).limit(12).all()
        names = {row.code: row.name_in(language.current()) for row in db.session.scalars(db.select(FeeItem))}
        return self.render(
            "billing/billing_run.html",
            period=period if refusal is None else self.today().strftime("%Y-%m"),
            preview=preview,
            odd=odd,
            refusal=refusal,
            runs=runs,
            counts=Counter(one.reason.code for one in preview.unbilled) if preview else {},
            reasons=reason_words.REASONS,
            lacking={run.id: len(json.loads(run.unbilled)) for run in runs},
            names=names,
            most=SHOWN,
            under_way=core_background_tasks.under_way(db.session(), ISSUE),
            words=unbilled_words,
            view=self,
        )

    @expose("/unbilled/")
    def unbilled(self) -> Any:
        """Everything that could not be billed, as a table to work through."""
        run_id = request_values.row_id(request.args.get("run"))
        try:
            if run_id is not None:
                run = row_access.find_or_404(BillingRun, run_id)
                period, rows = run.period, json.loads(run.unbilled)
            else:
                shown = billing_runs.preview(db.session(), request.args.get("period", ""), now=self.now())
                period, rows = shown.period, [one.to_dict() for one in shown.unbilled]
        except Refused as refusal:
            flash(error_messages.message_for(refusal), "error")
            return redirect(url_for("billing.index"))
        text = io.StringIO()
        writer = csv.writer(text)
        writer.writerow([_("Unit no."), _("Reason")])
        writer.writerows([neutral(row["unit_code"]), neutral(unbilled_words(row))] for row in rows)
        answer = Response("\ufeff" + text.getvalue(), mimetype="text/csv; charset=utf-8")
        answer.headers.set("Content-Disposition", "attachment", filename=f"unbilled-{period}.csv")
        return answer

    @expose("/differences/")
    def differences(self) -> Any:
        """What was entered late for a period billed already: billed, should be, difference (B21)."""
        period = request.args.get("period") or self.today().strftime("%Y-%m")
        found, refusal = None, None
        if "period" in request.args:
            try:
                found = difference_runs.preview(db.session(), period)
            except Refused as wrong:
                refusal = error_messages.message_for(wrong)
        names = {row.code: row.name_in(language.current()) for row in db.session.scalars(db.select(FeeItem))}
        return self.render(
            "billing/differences.html",
            period=period if refusal is None else self.today().strftime("%Y-%m"),
            found=found,
            refusal=refusal,
            names=names,
            most=SHOWN,
            words=unbilled_words,
            view=self,
        )

    @expose("/differences/issue/", methods=("POST",))
    @idempotent
    def bill_differences(self) -> Any:
        session, period = db.session(), request.form.get("period", "").strip()[:20]
        try:
            made = difference_runs.issue(session, period, now=self.now(), staff_id=current_staff().id)
        except Refused as wrong:
            session.rollback()
            flash(error_messages.message_for(wrong), "error")
            return redirect(url_for("billing.differences", period=period))
        session.commit()
        flash(
            _(
                "%(bills)s additional bills over %(more)s and %(notes)s credit notes were made.",
                bills=made.invoices,
                more=formats.amount(made.found.more),
                notes=made.notes,
            ),
            "success",
        )
        for one in made.left[:SHOWN]:
            flash(_("%(name)s: %(value)s", name=one.unit_code, value=unbilled_words(one.to_dict())), "error")
        return redirect(url_for("billing.differences", period=made.found.period))

    @expose("/issue/", methods=("POST",))
    def issue(self) -> Any:
        """Issue in the background; the page asks the task's row how far it is."""
        period = request.form.get("period", "").strip()[:20]
        on, now, session, staff_id = request.form.get("on", ""), self.now(), db.session(), current_staff().id
        try:
            issued_on = dates.day_of(on) if on else None
            expected = billing_runs.preview(session, period, now=now, on=issued_on)
            task = core_background_tasks.begin(
                session,
                ISSUE,
                total=expected.invoices,
                staff_id=staff_id,
                now=now,
                about={"period": expected.period},
                is_alone=True,
            )
            task_id = task.id
            record("issue", "task", task_id, {}, {"period": period})
            session.commit()
        except (Refused, ValueError) as wrong:
            session.rollback()
            flash(
                error_messages.message_for(wrong)
                if isinstance(wrong, Refused)
                else _("This value is not possible here."),
                "error",
            )
            return redirect(url_for("billing.index"))

        def work(session: Session, task_id: int) -> None:
            made = billing_runs.issue_invoices(session, period, now=now, on=issued_on, staff_id=staff_id)
            outcome = {
                "invoices": made.invoices,
                "amount": f"{made.amount:.2f}",
                "credit_used": f"{made.credit_used:.2f}",
                "unbilled": len(made.unbilled),
                "run": made.run_id,
            }
            core_background_tasks.finish(session, task_id, now=now, done=made.invoices, outcome=outcome)
            session.commit()

        background_tasks.start(task_id, work)
        return redirect(url_for("billing.progress", id=task_id))

    @expose("/notices/", methods=("POST",))
    def notices(self) -> Any:
        """All payment notices of a run as one file, in the background."""
        session, run = db.session(), row_access.find_or_404(BillingRun, request.form.get("run"))
        ids = list(
            session.scalars(db.select(Invoice.id).where(Invoice.run_id == run.id).order_by(Invoice.unit_id))
        )
        if not ids:
            flash(_("There is nothing to print"), "error")
            return redirect(url_for("billing.index"))
        now, period = self.now(), run.period
        task = core_background_tasks.begin(
            session,
            PRINT,
            total=len(ids),
            staff_id=current_staff().id,
            now=now,
            about={"period": period, "run": run.id},
        )
        task_id = task.id
        record("print", "task", task_id, {}, {"period": period})
        session.commit()

        def work(session: Session, task_id: int) -> None:
            print_notices(session, task_id, ids, f"{period}.pdf", now)

        background_tasks.start(task_id, work)
        return redirect(url_for("billing.progress", id=task_id))

    def task(self) -> Task:
        return row_access.find_or_404(Task, request.values.get("id"), within=(Task.kind.in_(KINDS),))

    @expose("/progress/")
    def progress(self) -> Any:
        task = self.task()
        return self.render(
            "billing/progress.html",
            task=task,
            report=_task_state(task),
            name=KINDS[task.kind],
            is_own=task.staff_id == current_staff().id,
            view=self,
        )

    @expose("/state/")
    def state(self) -> Any:
        """How far a task is, for the page that shows it."""
        return jsonify(_task_state(self.task()))

    @expose("/file/", methods=("POST",))
    def file(self) -> Any:
        task = self.task()
        if task.staff_id != current_staff().id:
            abort(403)
        try:
            content = core_background_tasks.file_of(db.session(), task)
        except Refused as refusal:
            flash(error_messages.message_for(refusal), "error")
            return redirect(url_for("billing.index"))
        answer = Response(content, mimetype="application/pdf")
        answer.headers.set("Content-Disposition", "inline", filename=task.file_name)
        return answer


def print_notices(session: Session, task_id: int, ids: list[int], name: str, now: datetime) -> None:
    """Draw the notices without holding the database, then file them and keep the one PDF."""
    session.commit()
    set_writing(False)
    papers = [
        NewPaper(invoice.number, value, invoice.unit_id, invoice.payer_id)
        for invoice, value in archive.payment_notices(session, ids, on=clock.office_day(session, now))
    ]
    printing = Printing(session, "payment_notice", papers, now=now)

    session.commit()
    set_writing(True)

    def note_progress(done: int, _pages: int) -> None:
        if done == 1 or done % NOTED_EVERY == 0:
            core_background_tasks.advance(session, task_id, done)
            session.commit()

    drawn = printing.pdf(note_progress)
    printing.file(session, session.get_one(Task, task_id).staff_id)
    core_background_tasks.keep_file(session, task_id, name, "application/pdf", drawn, now=now)
    lacking = [f"{paper}: {characters}" for paper, characters in printing.unprintable[:SHOWN]]
    core_background_tasks.finish(session, task_id, now=now, done=len(papers), outcome={"lacking": lacking})
    session.commit()


def _task_state(task: Task) -> dict[str, Any]:
    """What a task's page says: its state, how far, and the sentence at its end."""
    state, sentence = "lost" if core_background_tasks.is_lost(task) else task.state, ""
    result = task.result
    if state == "lost":
        sentence = _("The work was stopped half way and left nothing behind: begin it again.")
    elif state == "failed":
        refusal = result.get("refusal")
        sentence = (
            error_messages.message_for(Refused(refusal[0], **refusal[1]))
            if refusal
            else _("Something went wrong: begin it again.")
        )
    elif state == "done" and task.kind == ISSUE:
        sentence = _(
            "%(count)s bills were issued, %(amount)s in all.",
            count=result["invoices"],
            amount=formats.amount(Decimal(result["amount"])),
        )
        if result.get("unbilled"):
            sentence += " " + _("%(count)s could not be billed.", count=result["unbilled"])
    elif state == "done":
        sentence = _("%(count)s papers are ready.", count=task.done)
        if result.get("lacking"):
            which = "; ".join(result["lacking"])
            sentence += " " + _("Some characters can't be printed and show as 〓: %(which)s", which=which)
    return {"state": state, "done": task.done, "total": task.total, "sentence": sentence}


class BillingRunView(OfficeView):
    table = BillingRun
    screen = "billing_runs"
    title = _l("Billing runs")
    icon = "history"
    can_create = can_edit = can_delete = False
    column_list = ("period", "issued_on", "started_at", "invoices", "amount", "state", "unbilled")
    column_default_sort = "-started_at"
    filters = (TextFilter("period"),)
    choices = {"state": labels.TASK_STATES}
    related = (Related("invoices", "run_id"),)

    def _unbilled(value: str, _row: Any = None) -> Any:  # type: ignore[misc]  # noqa: N805 -- a format
        """The units that could not be billed with their reasons, the first of them."""
        rows = json.loads(value or "[]")
        shown = [
            _("%(name)s: %(value)s", name=row["unit_code"], value=unbilled_words(row)) for row in rows[:SHOWN]
        ]
        return formats.long_text("\n".join(shown))

    column_formats = {"unbilled": _unbilled}
    one_click = (
        OneClick("lacking", _l("Could not bill everything"), lambda _view: [BillingRun.unbilled != "[]"]),
    )


SCREENS = (BillingPage, BillingRunView)
