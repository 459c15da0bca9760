"""Deposits held per unit and payer: taken, given back, set off against arrears, with their slip (B10)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from flask import Response
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from admin.billing.invoices import active_items
from admin.panel import formats, labels, row_access
from admin.panel.actions import PAY_OUT_FIELDS
from admin.panel.filters import ChoiceFilter, RangeFilter
from admin.panel.idempotency import form_key
from admin.panel.responses import pdf_response
from admin.panel.signed_in import current_staff
from admin.panel.view import Ask, OfficeView, OneClick, office_action
from models.base import db
from models.billing import Deposit, FeeItem
from office.billing import deposits, documents
from office.estate import owners
from office.payments.deposit_entries import deposit_left

ENTRIES = {
    "taken": _l("Taken"),
    "returned": _l("Returned"),
    "set_off": _l("Set off"),
    "void": _l("Void"),
}


def deposit_items(_view: Any = None) -> dict[str, str]:
    """The fee items that are deposits, by code."""
    return active_items(FeeItem.basis == "deposit")


class DepositView(OfficeView):
    table = Deposit
    screen = "deposits"
    title = _l("Deposits")
    icon = "vault"
    can_create = can_edit = can_delete = False
    column_list = (
        "number",
        "unit.code",
        "payer.name",
        "fee_item.name",
        "entry",
        "amount",
        "posted_on",
        "reason",
    )
    column_searchable_list = ("number", "unit.code", "payer.name", "payer.pinyin_initials")
    column_default_sort = "-posted_on"
    choices = {"entry": ENTRIES}
    filters = (ChoiceFilter("entry"), RangeFilter("posted_on"))
    one_click = (OneClick("taken", _l("Taken"), lambda _view: [Deposit.entry == "taken"]),)
    details_template = "billing/deposit.html"
    empty_hint = _l("Deposits appear here when they are taken, or with a paid move-in bill.")

    def held(self, row: Deposit) -> Any:
        """What of a taken deposit is still held."""
        return deposit_left(db.session(), row) if row.entry == "taken" else None

    @office_action(
        "take",
        _l("Take a deposit"),
        on="list",
        icon="vault",
        fields=(
            Ask("unit_code", _l("Unit no."), is_required=True),
            Ask("fee_item", _l("Deposit"), kind="choice", is_required=True, choices=deposit_items),
            Ask("amount", _l("Amount"), kind="money", is_required=True),
            Ask("method", _l("Method"), kind="choice", is_required=True, choices=labels.METHODS),
        ),
    )
    def take(self, _rows: Sequence[Deposit], given: Mapping[str, Any]) -> str:
        session, unit_id = db.session(), row_access.unit_named(given["unit_code"])
        payer_id = owners.payer_id_on(session, unit_id, given["unit_code"], self.today())
        made = deposits.take_deposit(
            session,
            unit_id=unit_id,
            payer_id=payer_id,
            fee_item=given["fee_item"],
            amount=given["amount"],
            method=given["method"],
            paid_at=self.now(),
            now=self.now(),
            cashier_id=current_staff().id,
            form_key=form_key("deposit"),
        )
        return _("Deposit %(number)s was taken.", number=made.number)

    @office_action("slip", _l("Print the slip"), on="row", icon="printer")
    def slip(self, rows: Sequence[Deposit], _given: Any) -> Response:
        made = documents.print_deposit_slip(
            db.session(),
            rows[0].id,
            now=self.now(),
            staff_id=current_staff().id,
        )
        db.session.commit()
        return pdf_response(made, f"{rows[0].number}.pdf")

    @office_action(
        "refund_receipt", _l("Print the receipt for what was given back"), on="row", icon="printer"
    )
    def refund_receipt(self, rows: Sequence[Deposit], _given: Any) -> Response:
        made = documents.print_deposit_refund(
            db.session(), rows[0].id, now=self.now(), staff_id=current_staff().id
        )
        db.session.commit()
        return pdf_response(made, f"{rows[0].number}.pdf")

    @office_action(
        "give_back",
        _l("Give back"),
        on="row",
        icon="hand-coins",
        fields=PAY_OUT_FIELDS,
    )
    def give_back(self, rows: Sequence[Deposit], given: Mapping[str, Any]) -> str:
        made = deposits.return_deposit(
            db.session(),
            rows[0].id,
            amount=given["amount"],
            reason=given["reason"],
            method=given["method"],
            staff_id=current_staff().id,
            now=self.now(),
        )
        return _("%(amount)s of the deposit was given back.", amount=formats.amount(made.amount))

    @office_action(
        "set_off",
        _l("Set off against debts"),
        on="row",
        icon="link",
        confirm=_l("It pays what its payer owes for the unit; the rest becomes prepaid credit."),
        fields=(
            Ask("amount", _l("Amount"), kind="money", is_required=True),
            Ask("reason", _l("Reason"), is_required=True),
        ),
    )
    def set_off(self, rows: Sequence[Deposit], given: Mapping[str, Any]) -> str:
        made = deposits.set_off_deposit(
            db.session(),
            rows[0].id,
            amount=given["amount"],
            reason=given["reason"],
            staff_id=current_staff().id,
            now=self.now(),
        )
        return _("%(amount)s of the deposit was set off.", amount=formats.amount(made.amount))


SCREENS = (DepositView,)
