"""Statements of banks and payment services: the queue with its suggestions, and layouts remembered (M5)."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from flask import flash, redirect, request, url_for
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
from models.payments import STATEMENT_METHODS, PayerAccount, Payment, StatementLayout, StatementRow
from models.property import Unit
from models.text_keys import called
from office.core.errors import Refused
from office.exchange.imports import statement, statement_layouts
from office.exchange.imports.headers import header_key
from office.payments import statement_queue
from rules.reasons import Reason

SUGGESTED = 5
SHOWN_ROWS = 10
FACTS: Mapping[str, Any] = {
    "amount": _l("Amount"),
    "paid_at": _l("Paid at"),
    "payer": _l("Payer"),
    "memo": _l("Memo"),
    "account": _l("Account"),
    "number": _l("Transaction"),
    "method": _l("Method"),
    "balance": _l("Balance after it"),
    "status": _l("State in the file"),
    "unit": _l("Unit no."),
    "receipt": _l("Receipt no."),
    "state": _l("State"),
}
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
    icon = "list-checks"
    is_large = True
    can_create = can_edit = can_delete = False
    column_list = ("number", "paid_at", "amount", "payer_name", "memo", "method", "state", "reason")
    column_hidden = ("source", "payment.receipt_no", "imported_at")
    column_labels = {"number": _l("Transaction no.")}
    column_searchable_list = ("number",)
    column_default_sort = "-id"
    choices = {"state": labels.STATEMENT_STATES, "method": labels.METHODS}
    column_formats = {"reason": formats.reason}
    filters = (ChoiceFilter("state"), ChoiceFilter("method"), RangeFilter("paid_at"))
    one_click = (
        OneClick("waiting", _l("Waiting"), lambda _view: [StatementRow.state == "waiting"], awaits="act"),
    )
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

    @office_action(
        "undo",
        _l("Let it wait again"),
        on="row",
        states=("posted", "ignored"),
        icon="undo-2",
        fields=(Ask("reason", _l("Reason"), help=_l("Needed for a posted row, whose receipt becomes void")),),
    )
    def undo(self, rows: Sequence[StatementRow], given: Mapping[str, Any]) -> str:
        statement_queue.undo(
            db.session(), rows[0].id, reason=given["reason"], staff_id=current_staff().id, now=self.now()
        )
        return _("The row waits again.")

    # The queue: one row at a time, one key for each suggestion ----------------------------------------

    @expose("/queue/")
    def queue(self) -> Any:
        return self._queue(
            request_values.row_id(request.args.get("id")),
            undoable=self._undoable(request.args.get("decided")),
        )

    def _undoable(self, key: str | None) -> StatementRow | None:
        """The row that was ignored just now: its reader may undo that; a posting is for another person."""
        row = self.get_one(key)
        is_ignored = row is not None and row.state == "ignored"
        return row if is_ignored and self.may("act") else None

    def _queue(self, row_id: int | None, **more: Any) -> Any:
        session = db.session()
        row = self.get_one(row_id)
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
            turn=statement_queue.rows_from(session, row, most=SHOWN_ROWS) if row is not None else (),
            before=statement_queue.previous_waiting(session, before=row.id) if row is not None else None,
            found=[
                (one, units[one.unit_code], statement_queue.owed(session, units[one.unit_code]))
                for one in found
            ],
            facts=_compared(row, _other(session, row)) if row is not None else (),
            words=wording.reason,
            why=_why,
            view=self,
            **{"refusal": "", "undoable": None, **more},
        )

    @expose("/decide/", methods=("POST",))
    def decide(self) -> Any:
        """Post the row to a unit, or set it aside; then the next one."""
        session, row_id = db.session(), self.get_or_404(request.form.get("id")).id
        given, reason = request.form.get("unit_code", ""), request.form.get("reason", "").strip()[:300]
        staff_id = current_staff().id
        try:
            if request.form.get("what") == "undo":
                statement_queue.undo(
                    session, row_id, reason=_clean(reason), staff_id=staff_id, now=self.now()
                )
                said = _("Undone: the row waits again.")
            elif request.form.get("what") == "ignore":
                statement_queue.ignore_row(
                    session, row_id, reason=_clean(reason), staff_id=staff_id, now=self.now()
                )
                said = _("The row was ignored.")
            else:
                payment = statement_queue.match_row(
                    session, row_id, unit_id=row_access.unit_named(given), staff_id=staff_id, now=self.now()
                )
                said = _(
                    "Receipt %(number)s: %(amount)s for %(unit)s.",
                    number=payment.receipt_no,
                    amount=formats.amount(payment.amount),
                    unit=payment.unit.code,
                )
            session.commit()
        except Refused as refusal:
            session.rollback()
            return self._queue(
                row_id, refusal=error_messages.message_for(refusal), given=given, reason=reason
            ), 422
        flash(said, "success")
        return redirect(url_for("statement_rows.queue", id=row_id, decided=row_id))


def _other(session: Session, row: StatementRow) -> StatementRow | Payment | None:
    """The row, or the receipt, that a waiting one may be the same movement of money as."""
    inputs = Reason.from_json(row.reason).inputs if row.reason else {}
    if isinstance(known := inputs.get("row"), int):
        return session.get(StatementRow, known)
    asked = db.select(Payment).where(Payment.receipt_no == inputs.get("receipt_no"))
    return session.scalars(asked).one_or_none() if "receipt_no" in inputs else None


def _why(row: StatementRow) -> str:
    """Why a row waits, in one sentence; which other row it is about stands beside it."""
    if not row.reason:
        return ""
    reason = Reason.from_json(row.reason)
    inputs = {name: each for name, each in reason.inputs.items() if name not in {"row", "memo"}}
    return wording.reason(Reason(reason.code, inputs).to_json())


def _compared(
    row: StatementRow, other: StatementRow | Payment | None
) -> list[tuple[Any, str, str | None, bool]]:
    """Each thing that a row says: its label, here, at the other candidate, and whether the two differ."""
    here, there = _facts(row), _facts(other) if other is not None else {}
    told = []
    for label in FACTS:
        mine, theirs = here.get(label, ""), there.get(label, "")
        if mine or theirs:
            is_different = other is not None and bool(mine and theirs) and mine != theirs
            told.append((FACTS[label], mine or "–", None if other is None else theirs or "–", is_different))
    return told


def _facts(one: StatementRow | Payment) -> dict[str, str]:
    """What a row or a receipt says, in the reader's words."""
    shared = {
        "amount": formats.money(one.amount),
        "paid_at": formats.instant(one.paid_at) if one.paid_at else "",
        "method": str(labels.METHODS.get(one.method, one.method)),
    }
    if isinstance(one, Payment):
        return {
            **shared,
            "payer": one.payer.name,
            "memo": one.note,
            "number": one.reference,
            "unit": one.unit.code,
            "receipt": one.receipt_no,
            "state": str(labels.PAYMENT_STATES.get(one.state, one.state)),
        }
    receipt = one.payment
    return {
        **shared,
        "payer": one.payer_name,
        "memo": one.memo,
        "number": one.number,
        "account": one.counter_account,
        "balance": formats.money(one.balance) if one.balance is not None else "",
        "status": one.status,
        "unit": receipt.unit.code if receipt else "",
        "receipt": receipt.receipt_no if receipt else "",
        "state": str(labels.STATEMENT_STATES.get(one.state, one.state)),
    }


def _clean(text: str) -> str:
    if not request_values.is_clean(text):
        raise Refused(_("This holds characters that can't be stored."))
    return text


class StatementLayoutView(OfficeView):
    table = StatementLayout
    screen = "statement_layouts"
    title = _l("Statement layouts")
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
        if method not in STATEMENT_METHODS:
            return _("This value is not possible here.")
        if "paid_at" not in chosen or not chosen.keys() & {"amount", "amount_in"}:
            return _("Choose the columns of the time and of the amount.")
        others = db.select(StatementLayout.id).where(StatementLayout.id != row.id)
        twice = called(others, StatementLayout.name, name)
        return _("Another layout has this name.") if db.session.scalar(twice) else ""


class PayerAccountView(OfficeView):
    table = PayerAccount
    screen = "payer_accounts"
    title = _l("Confirmed accounts")
    icon = "wallet"
    can_create = can_edit = False
    column_list = ("unit.code", "owner.name", "account", "account_name", "confirmed_by.name", "confirmed_at")
    column_labels = {"confirmed_by.name": _l("Confirmed by"), "confirmed_at": _l("Confirmed at")}
    column_searchable_list = ("unit.code", "owner.name", "owner.pinyin_initials")
    column_default_sort = "-confirmed_at"
    empty_hint = _l("An account is remembered when a payment from it is posted from the statement queue.")


SCREENS = (StatementRowView, StatementLayoutView, PayerAccountView)
