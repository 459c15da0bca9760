"""Statements of banks and payment services: the queue with its suggestions, and layouts remembered (M5)."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from flask import abort, flash, redirect, request, url_for
from flask_admin import expose
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session

from admin.panel import error_messages, formats, labels, request_values, row_access, wording
from admin.panel.audit import record
from admin.panel.column_names import column_name
from admin.panel.filters import ChoiceFilter, RangeFilter
from admin.panel.signed_in import current_staff
from admin.panel.view import Ask, OfficeView, OneClick, office_action
from models.base import db
from models.payments import METHODS, StatementLayout, StatementRow
from models.property import Unit
from models.text_keys import called
from office.core.errors import Refused
from office.exchange.imports import statement, statement_layouts
from office.exchange.imports.headers import header_key
from office.payments import statement_queue
from rules.reasons import Reason

SUGGESTED = 5
BUILT_IN = {
    "wechat": _l("WeChat Pay, merchant bill"),
    "alipay": _l("Alipay, business details"),
    "wechat-personal": _l("WeChat Pay, personal bill"),
    "alipay-personal": _l("Alipay, personal bill"),
    "alipay-web": _l("Alipay, personal bill from the website"),
    "alipay-ledger": _l("Alipay, merchant ledger"),
    "boc": _l("Bank of China, online banking for companies"),
}


class StatementRowView(OfficeView):
    table = StatementRow
    screen = "statement_rows"
    title = _l("Statement queue")
    room = "money"
    icon = "list-checks"
    is_large = True
    can_create = can_edit = can_delete = False
    column_list = ("transaction_id", "paid_at", "amount", "payer_name", "memo", "method", "state", "reason")
    column_hidden = ("source", "payment.receipt_no", "imported_at")
    column_searchable_list = ("transaction_id",)
    column_default_sort = "-id"
    choices = {"state": labels.STATEMENT_STATES, "method": labels.METHODS}
    column_formats = {"reason": formats.reason}
    filters = (ChoiceFilter("state"), ChoiceFilter("method"), RangeFilter("paid_at"))
    one_click = (OneClick("waiting", _l("Waiting"), lambda _view: [StatementRow.state == "waiting"]),)
    empty_hint = _l("Import a statement of the bank, WeChat Pay or Alipay: what is not sure waits here.")
    verbs = {"queue": "see", "decide": "act"}
    list_template = "payments/statement_rows.html"

    @office_action(
        "match",
        _l("Post to a unit"),
        on="row",
        icon="link",
        fields=(Ask("unit_code", _l("Unit no."), is_required=True),),
    )
    def match(self, rows: Sequence[StatementRow], given: Mapping[str, Any]) -> str:
        payment = statement_queue.match_row(
            db.session(),
            rows[0].id,
            unit_id=row_access.unit_named(given["unit_code"]),
            staff_id=current_staff().id,
            now=self.now(),
        )
        return _("Receipt %(number)s was posted.", number=payment.receipt_no)

    @office_action("ignore", _l("Ignore"), icon="x", fields=(Ask("reason", _l("Reason"), is_required=True),))
    def ignore(self, rows: Sequence[StatementRow], given: Mapping[str, Any]) -> str:
        for row in rows:
            statement_queue.ignore_row(
                db.session(), row.id, reason=given["reason"], staff_id=current_staff().id, now=self.now()
            )
        return _("%(count)s rows were ignored.", count=len(rows))

    # The queue: one row at a time, one key for each suggestion ----------------------------------------

    @expose("/queue/")
    def queue(self) -> Any:
        return self._queue(request_values.row_id(request.args.get("id")))

    def _queue(self, row_id: int | None, **more: Any) -> Any:
        session = db.session()
        row = session.get(StatementRow, row_id) if row_id else None
        row = (
            row
            if row is not None and row.state == "waiting"
            else statement_queue.next_waiting(session, after=row_id)
        )
        found = statement_queue.suggestions(session, row, most=SUGGESTED) if row is not None else ()
        codes = [one.unit_code for one in found]
        units = dict(session.execute(db.select(Unit.code, Unit.id).where(Unit.code.in_(codes))).all())
        return self.render(
            "payments/statement_queue.html",
            row=row,
            left=statement_queue.count_waiting(session),
            after=statement_queue.next_waiting(session, after=row.id) if row is not None else None,
            found=[
                (one, units[one.unit_code], statement_queue.owed(session, units[one.unit_code]))
                for one in found
            ],
            other=_other(session, row),
            words=wording.reason,
            methods=labels.METHODS,
            states=labels.STATEMENT_STATES,
            view=self,
            **{"refusal": "", **more},
        )

    @expose("/decide/", methods=("POST",))
    def decide(self) -> Any:
        """Post the row to a unit, or set it aside; then the next one."""
        session, row_id = db.session(), request_values.row_id(request.form.get("id"))
        if row_id is None:
            abort(404)
        given, reason = request.form.get("unit_code", ""), request.form.get("reason", "").strip()[:300]
        staff_id = current_staff().id
        try:
            if request.form.get("what") == "ignore":
                statement_queue.ignore_row(
                    session, row_id, reason=_clean(reason), staff_id=staff_id, now=self.now()
                )
                said = _("The row was ignored.")
            else:
                payment = statement_queue.match_row(
                    session, row_id, unit_id=row_access.unit_named(given), staff_id=staff_id, now=self.now()
                )
                said = _(
                    "Receipt %(number)s: %(amount)s yuan for %(unit)s.",
                    number=payment.receipt_no,
                    amount=formats.money(payment.amount),
                    unit=payment.unit.code,
                )
            session.commit()
        except Refused as refusal:
            session.rollback()
            return self._queue(
                row_id, refusal=error_messages.message_for(refusal), given=given, reason=reason
            ), 422
        flash(said, "success")
        return redirect(url_for("statement_rows.queue", id=row_id))


def _other(session: Session, row: StatementRow | None) -> StatementRow | None:
    """The known row that a waiting one may be the same movement as."""
    known = Reason.from_json(row.reason).inputs.get("row") if row is not None and row.reason else None
    return session.get(StatementRow, known) if isinstance(known, int) else None


def _clean(text: str) -> str:
    if not request_values.is_clean(text):
        raise Refused(_("This holds characters that can't be stored."))
    return text


class StatementLayoutView(OfficeView):
    table = StatementLayout
    screen = "statement_layouts"
    title = _l("Statement layouts")
    room = "money"
    icon = "columns-3"
    can_create = can_edit = False
    column_list = ("name", "method")
    choices = {"method": labels.METHODS}
    list_template = "payments/statement_layouts.html"
    details_template = "payments/statement_layout.html"
    empty_hint = _l(
        "A bank's layout is remembered here when its first statement is brought in under “Imports”."
    )
    verbs = {"save": "act"}
    detail_columns = ("name", "method")

    built_in = BUILT_IN

    def text_of(self, row: Any) -> str:
        return str(row.name)

    def known_by(self, code: str) -> tuple[str, ...]:
        """The headers by which a built-in layout is known."""
        return next(one.known_by for one in statement_layouts.services() if one.code == code)

    def headers(self, row: StatementLayout) -> list[str]:
        return [name for name in json.loads(row.header) if name]

    def mapping(self, row: StatementLayout) -> dict[str, str]:
        return {code: header_key(name) for code, name in json.loads(row.columns).items()}

    def mapped_columns(self) -> Sequence[Any]:
        return statement.COLUMNS

    def column_label(self, code: str) -> str:
        return str(column_name(code) or code)

    @expose("/save/", methods=("POST",))
    def save(self) -> Any:
        """Remember another mapping, name or method for a bank's header."""
        row = self.get_or_404(request.form.get("id"))
        headers = set(self.headers(row))
        chosen = {
            column.code: request.form.get(f"column_{column.code}", "")
            for column in self.mapped_columns()
            if request.form.get(f"column_{column.code}", "") in headers
        }
        name, method = request.form.get("name", "").strip()[:80], request.form.get("method", "")
        problem = self._problem(row, name, method, chosen)
        if problem:
            db.session.rollback()
            flash(problem, "error")
            return redirect(url_for("statement_layouts.details_view", id=row.id))
        before = {"name": row.name, "method": row.method, "columns": row.columns}
        row.name, row.method = name, method
        row.columns = json.dumps(chosen, ensure_ascii=False)
        db.session.flush()
        record(
            "edit",
            "statement_layout",
            row.id,
            before,
            {"name": row.name, "method": row.method, "columns": row.columns},
        )
        db.session.commit()
        flash(_("The layout was saved."), "success")
        return redirect(url_for("statement_layouts.details_view", id=row.id))

    @staticmethod
    def _problem(row: StatementLayout, name: str, method: str, chosen: Mapping[str, str]) -> str:
        if not name or not request_values.is_clean(name):
            return _("Please give it a name.")
        if method not in METHODS:
            return _("This value is not possible here.")
        if "paid_at" not in chosen or not chosen.keys() & {"amount", "amount_in"}:
            return _("Choose the columns of the time and of the amount.")
        others = db.select(StatementLayout.id).where(StatementLayout.id != row.id)
        twice = called(others, StatementLayout.name, name)
        return _("Another layout has this name.") if db.session.scalar(twice) else ""


SCREENS = (StatementRowView, StatementLayoutView)
