"""Payments and their receipts: reprinted, voided by a second person, reversed, refunded (M1, M2, M6)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from flask import Response
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import literal_column

from admin.panel import formats, labels
from admin.panel.actions import PAY_OUT_FIELDS
from admin.panel.filters import ChoiceFilter, RangeFilter, RelationFilter
from admin.panel.idempotency import form_key
from admin.panel.signed_in import current_staff
from admin.panel.view import Ask, OfficeView, OneClick, Related, office_action
from admin.payments.cashier_desk import items_by_id, receipt_pdf
from models.base import db
from models.payments import Allocation, Payment
from office.payments import corrections, earmarks
from office.payments.earmarks import PutAside

WHY = (Ask("reason", _l("Reason"), is_required=True),)


class PaymentView(OfficeView):
    table = Payment
    screen = "payments"
    title = _l("Payments and receipts")
    empty_hint = _l("Take the first payment under “Take a payment”, or import a statement.")
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
            "credit",
            _l("With unused credit"),
            lambda _view: [
                Payment.credit != literal_column("0"),  # as payment_credit_idx says it
                Payment.credit > 0,
                Payment.state == "posted",
            ],
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
    related = (Related("allocations", "payment_id"), Related("earmarks", "payment_id"))

    @office_action("receipt", _l("Print receipt"), on="row", icon="printer")
    def receipt(self, rows: Sequence[Payment], _given: Any) -> Response:
        return receipt_pdf(self, rows[0])

    @office_action(
        "void",
        _l("Void"),
        on="row",
        states=("posted",),
        icon="ban",
        tone="bad",
        confirm=_l("Void this receipt? What it paid is open again."),
        fields=WHY,
    )
    def void(self, rows: Sequence[Payment], given: Mapping[str, Any]) -> str:
        self._undo(corrections.void_payment, rows[0], given)
        return _("Receipt %(number)s was voided.", number=rows[0].receipt_no)

    @office_action(
        "reverse",
        _l("Taken back by the bank"),
        on="row",
        states=("posted",),
        icon="undo-2",
        tone="bad",
        confirm=_l("Reverse this payment? What it paid is open again."),
        fields=WHY,
    )
    def reverse(self, rows: Sequence[Payment], given: Mapping[str, Any]) -> str:
        self._undo(corrections.reverse_payment, rows[0], given)
        return _("Payment %(number)s was reversed.", number=rows[0].receipt_no)

    @office_action(
        "put_aside",
        _l("Put credit aside"),
        on="row",
        states=("posted",),
        icon="bookmark-plus",
        fields=(
            Ask("amount", _l("Amount"), kind="money", is_required=True),
            Ask("fee_item", _l("Only for"), kind="choice", choices=items_by_id),
            Ask("from_on", _l("Service from"), kind="date"),
            Ask("to_on", _l("Service to"), kind="date"),
        ),
    )
    def withhold(self, rows: Sequence[Payment], given: Mapping[str, Any]) -> str:
        wanted = PutAside(
            given["amount"],
            int(given["fee_item"]) if given["fee_item"] else None,
            given["from_on"],
            given["to_on"],
        )
        earmarks.put_aside(db.session(), rows[0].id, wanted, staff_id=current_staff().id, now=self.now())
        return _("%(amount)s is put aside.", amount=formats.amount(wanted.amount))

    def _undo(self, verb: Callable[..., Payment], row: Payment, given: Mapping[str, Any]) -> None:
        verb(db.session(), row.id, reason=given["reason"], staff_id=current_staff().id, now=self.now())

    @office_action(
        "refund",
        _l("Refund credit"),
        on="row",
        states=("posted",),
        icon="hand-coins",
        fields=PAY_OUT_FIELDS,
    )
    def refund(self, rows: Sequence[Payment], given: Mapping[str, Any]) -> str:
        made = corrections.refund_payment(
            db.session(),
            rows[0].id,
            amount=given["amount"],
            method=given["method"],
            reason=given["reason"],
            staff_id=current_staff().id,
            now=self.now(),
            form_key=form_key("refund"),
        )
        return _("Refund %(number)s was posted.", number=made.receipt_no)


class AllocationView(OfficeView):
    table = Allocation
    screen = "allocations"
    title = _l("Allocation")
    is_large = True
    can_create = can_edit = can_delete = False
    column_list = ("payment.receipt_no", "invoice.number", "part", "amount", "allocated_on")
    choices = {"part": {"principal": _l("Principal"), "late_fee": _l("Late fee")}}


SCREENS = (PaymentView, AllocationView)
