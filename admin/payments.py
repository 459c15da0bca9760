"""Money in: the cashier's page, receipts, the statement queue, closing the day (M1–M6)."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from flask import Response, abort, flash, redirect, request, url_for
from flask_admin import expose
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from admin import formats, labels, language, refusals
from admin.base import Ask, OfficePage, OfficeView, OneClick, Related, office_action
from admin.billing import pdf_answer
from admin.lists import ChoiceFilter, RangeFilter, RelationFilter
from admin.sessions import current_staff
from models.base import db
from models.payments import METHODS, Allocation, DayClose, DayCloseLine, Payment, StatementRow
from models.property import Unit
from office import day_close, households, paperwork, payments, search, statements
from office.errors import Refused
from rules.money import MoneyError, money


def told(refusal: Refused) -> str:
    """A refusal in the reader's language."""
    return refusals.words(refusal)


class CashierPage(OfficePage):
    """Find the household, see its debts, take the money, print the receipt: keyboard only (M1, U2)."""

    screen = "cashier"
    title = _l("Take a payment")
    room = "money"
    icon = "wallet"
    verbs = {"take": "act", "receipt": "act"}

    @expose("/")
    def index(self) -> Any:
        text, key = request.args.get("q", ""), request.args.get("unit_id", "")
        file, hits = None, []
        if key.isascii() and key.isdigit() and len(key) < 19:
            file = households.household(db.session(), int(key), self.today())
        elif text:
            found = search.search(db.session(), text, frozenset({"unit", "owner", "invoice"}))
            hits = [hit for hit in found if hit.unit_id]
            if len({hit.unit_id for hit in hits}) == 1:
                return redirect(url_for("cashier.index", unit_id=hits[0].unit_id))
        posted = request.args.get("posted", "")
        return self.render(
            "office/cashier.html",
            text=text,
            hits=hits,
            file=file,
            today=self.today(),
            methods=labels.METHODS,
            form_key=secrets.token_urlsafe(16),
            posted=db.session.get(Payment, int(posted))
            if posted.isascii() and posted.isdigit() and len(posted) < 19
            else None,
            given=request.args,
            view=self,
        )

    @expose("/take/", methods=("POST",))
    def take(self) -> Any:
        form, session, staff = request.form, db.session(), current_staff()
        key = form.get("unit_id", "")
        unit = session.get(Unit, int(key)) if key.isascii() and key.isdigit() and len(key) < 19 else None
        if unit is None:
            abort(404)
        back = {"unit_id": unit.id, "amount": form.get("amount", ""), "method": form.get("method", "")}
        try:
            payment = payments.record_payment(
                session,
                unit_id=unit.id,
                amount=self._amount(form.get("amount", "")),
                method=form.get("method", ""),
                paid_at=self.now(),
                now=self.now(),
                reference=form.get("reference", "").strip()[:120],
                note=form.get("note", "").strip()[:500],
                cashier_id=staff.id,
                form_key=f"cashier:{form.get('form_key', '')[:60]}" if form.get("form_key") else None,
            )
            session.commit()
        except Refused as refusal:
            session.rollback()
            flash(told(refusal), "error")
            return redirect(url_for("cashier.index", **back))
        amount = formats.money(payment.amount)
        flash(
            _("Receipt %(number)s: %(amount)s yuan were posted.", number=payment.receipt_no, amount=amount),
            "success",
        )
        return redirect(url_for("cashier.index", unit_id=unit.id, posted=payment.id))

    @staticmethod
    def _amount(text: str) -> Decimal:
        try:
            return money(text.strip().replace(",", "").replace(",", ""), is_zero_allowed=False)
        except MoneyError as problem:
            raise Refused(payments.MONEY_REFUSALS[problem.code]) from problem

    @expose("/receipt/", methods=("POST",))
    def receipt(self) -> Any:
        """The receipt as PDF; the first print is the original, later ones are copies (M2)."""
        key = request.form.get("id", "")
        if not key.isascii() or not key.isdigit() or len(key) > 18:
            abort(404)
        return receipt_pdf(self, int(key))


def receipt_pdf(view: Any, payment_id: int) -> Response:
    session = db.session()
    payment = session.get(Payment, payment_id)
    if payment is None:
        abort(404)
    made = paperwork.print_receipt(
        session, payment_id, language=language.current(), now=view.now(), staff_id=current_staff().id
    )
    session.commit()
    return pdf_answer(made, f"{payment.receipt_no}.pdf")


class PaymentView(OfficeView):
    table = Payment
    screen = "payments"
    title = _l("Payments and receipts")
    empty_hint = _l("Take the first payment under “Take a payment”, or import a statement.")
    room = "money"
    icon = "receipt"
    is_large = True
    can_create = can_edit = can_delete = False
    column_list = (
        "receipt_no",
        "paid_at",
        "unit.code",
        "payer.name",
        "method",
        "amount",
        "allocated",
        "credit",
        "state",
    )
    column_hidden = ("posted_on", "reference", "cashier.name", "kind")
    column_searchable_list = ("receipt_no", "unit.code", "payer.name", "payer.pinyin_initials", "reference")
    column_default_sort = "-paid_at"
    choices = {"method": labels.METHODS, "state": labels.PAYMENT_STATES, "kind": labels.PAYMENT_KINDS}
    filters = (
        ChoiceFilter("method"),
        ChoiceFilter("state"),
        RangeFilter("posted_on"),
        RelationFilter("cashier"),
        RangeFilter("amount"),
    )
    one_click = (
        OneClick("today", _l("Today"), lambda view: [Payment.posted_on == view.today()]),
        OneClick(
            "credit", _l("With unused credit"), lambda _view: [Payment.credit > 0, Payment.state == "posted"]
        ),
    )
    detail_columns = (
        "receipt_no",
        "kind",
        "paid_at",
        "posted_on",
        "unit.code",
        "payer.name",
        "method",
        "amount",
        "allocated",
        "credit",
        "state",
        "reference",
        "note",
        "reason",
        "cashier.name",
        "copies_printed",
    )
    related = (Related("allocations", "payment_id"),)

    @office_action("receipt", _l("Print receipt"), on="row", icon="printer")
    def receipt(self, rows: Sequence[Payment], _given: Any) -> Response:
        return receipt_pdf(self, rows[0].id)

    @office_action(
        "void",
        _l("Void"),
        on="row",
        icon="ban",
        tone="bad",
        confirm=_l("Void this receipt? What it paid is open again."),
        fields=(Ask("reason", _l("Reason"), is_required=True),),
    )
    def void(self, rows: Sequence[Payment], given: Mapping[str, Any]) -> str:
        row = rows[0]
        payments.void_payment(
            db.session(), row.id, reason=given["reason"], staff_id=current_staff().id, now=self.now()
        )
        return _("Receipt %(number)s was voided.", number=row.receipt_no)

    @office_action(
        "reverse",
        _l("Taken back by the bank"),
        on="row",
        icon="undo-2",
        tone="bad",
        confirm=_l("Reverse this payment? What it paid is open again."),
        fields=(Ask("reason", _l("Reason"), is_required=True),),
    )
    def reverse(self, rows: Sequence[Payment], given: Mapping[str, Any]) -> str:
        row = rows[0]
        payments.reverse_payment(
            db.session(), row.id, reason=given["reason"], staff_id=current_staff().id, now=self.now()
        )
        return _("Payment %(number)s was reversed.", number=row.receipt_no)

    @office_action(
        "refund",
        _l("Refund credit"),
        on="row",
        icon="hand-coins",
        fields=(
            Ask("amount", _l("Amount"), kind="money", is_required=True),
            Ask("method", _l("Method"), kind="choice", is_required=True, choices=labels.METHODS),
            Ask("reason", _l("Reason"), is_required=True),
        ),
    )
    def refund(self, rows: Sequence[Payment], given: Mapping[str, Any]) -> str:
        made = payments.refund_payment(
            db.session(),
            rows[0].id,
            amount=given["amount"],
            method=given["method"],
            reason=given["reason"],
            staff_id=current_staff().id,
            now=self.now(),
        )
        return _("Refund %(number)s was posted.", number=made.receipt_no)


class AllocationView(OfficeView):
    table = Allocation
    screen = "allocations"
    title = _l("Allocation")
    room = "money"
    is_in_menu = False
    is_large = True
    can_create = can_edit = can_delete = False
    column_list = ("payment.receipt_no", "invoice.number", "part", "amount", "allocated_on")
    choices = {"part": {"principal": _l("Principal"), "late_fee": _l("Late fee")}}


class StatementRowView(OfficeView):
    table = StatementRow
    screen = "statement_rows"
    title = _l("Statement queue")
    room = "money"
    icon = "list-checks"
    is_large = True
    can_create = can_edit = can_delete = False
    column_list = ("transaction_id", "paid_at", "amount", "payer_name", "memo", "method", "state", "reason")
    column_searchable_list = ("transaction_id",)
    column_default_sort = "-imported_at"
    choices = {"state": labels.STATEMENT_STATES, "method": labels.METHODS}
    column_formats = {"reason": formats.reason}
    filters = (ChoiceFilter("state"), ChoiceFilter("method"), RangeFilter("paid_at"))
    one_click = (OneClick("waiting", _l("Waiting"), lambda _view: [StatementRow.state == "waiting"]),)
    empty_hint = _l("Import a statement of the bank, WeChat Pay or Alipay: what is not sure waits here.")

    @office_action(
        "match",
        _l("Post to a unit"),
        on="row",
        icon="link",
        fields=(Ask("unit_code", _l("Unit no."), is_required=True),),
    )
    def match(self, rows: Sequence[StatementRow], given: Mapping[str, Any]) -> str:
        session = db.session()
        unit_id = session.scalar(db.select(Unit.id).where(Unit.code == given["unit_code"].strip()))
        if unit_id is None:
            raise Refused(_("There is no unit %(code)s", code=given["unit_code"]))
        payment = statements.match_row(
            session, rows[0].id, unit_id=unit_id, staff_id=current_staff().id, now=self.now()
        )
        return _("Receipt %(number)s was posted.", number=payment.receipt_no)

    @office_action("ignore", _l("Ignore"), icon="x", fields=(Ask("reason", _l("Reason"), is_required=True),))
    def ignore(self, rows: Sequence[StatementRow], given: Mapping[str, Any]) -> str:
        for row in rows:
            statements.ignore_row(
                db.session(), row.id, reason=given["reason"], staff_id=current_staff().id, now=self.now()
            )
        return _("%(count)s rows were set aside.", count=len(rows))


class DayClosePage(OfficePage):
    """Count the drawer, explain a difference, lock the day (M3)."""

    screen = "day_close"
    title = _l("Day-end reconciliation")
    room = "money"
    icon = "calculator"
    verbs = {"close": "act"}

    @expose("/")
    def index(self) -> Any:
        day = self.today()
        expected = day_close.expected(db.session(), current_staff().id, day)
        closed = db.session.scalar(
            db.select(DayClose).where(DayClose.day == day, DayClose.cashier_id == current_staff().id)
        )
        return self.render(
            "office/day_close.html",
            day=day,
            expected=expected,
            closed=closed,
            methods=labels.METHODS,
            view=self,
        )

    @expose("/close/", methods=("POST",))
    def close(self) -> Any:
        staff, session = current_staff(), db.session()
        try:
            counted = {
                method: day_close.Counted(
                    self._counted(method), request.form.get(f"reason_{method}", "").strip()
                )
                for method in METHODS
                if request.form.get(f"counted_{method}", "").strip()
            }
            day_close.close_day(
                session,
                cashier_id=staff.id,
                day=self.today(),
                counted=counted,
                closed_by_id=staff.id,
                now=self.now(),
            )
            session.commit()
        except Refused as refusal:
            session.rollback()
            flash(told(refusal), "error")
        else:
            flash(_("The day is closed: nothing more is posted into it."), "success")
        return redirect(url_for("day_close.index"))

    @staticmethod
    def _counted(method: str) -> Decimal:
        try:
            return money(request.form[f"counted_{method}"].strip().replace(",", ""), is_negative_allowed=True)
        except MoneyError as problem:
            raise Refused(payments.MONEY_REFUSALS[problem.code]) from problem


class DayCloseView(OfficeView):
    table = DayClose
    screen = "day_closes"
    title = _l("Closed days")
    empty_hint = _l("Days appear here when a cashier has closed them under “Day-end reconciliation”.")
    room = "money"
    icon = "lock"
    can_create = can_edit = can_delete = False
    column_list = ("day", "cashier.name", "closed_at")
    column_default_sort = "-day"
    filters = (RangeFilter("day"), RelationFilter("cashier"))
    related = (Related("day_close_lines", "day_close_id"),)


class DayCloseLineView(OfficeView):
    table = DayCloseLine
    screen = "day_close_lines"
    title = _l("Counted")
    room = "money"
    is_in_menu = False
    can_create = can_edit = can_delete = False
    column_list = ("method", "expected", "counted", "reason")
    choices = {"method": labels.METHODS}


SCREENS = (
    CashierPage,
    PaymentView,
    AllocationView,
    StatementRowView,
    DayClosePage,
    DayCloseView,
    DayCloseLineView,
)
