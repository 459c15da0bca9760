"""Cheques: those to present by their day, those with the bank, cleared and bounced ones (M13)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from admin.panel import labels
from admin.panel.filters import ChoiceFilter, RangeFilter
from admin.panel.signed_in import current_staff
from admin.panel.view import Ask, OfficeView, OneClick, office_action
from models.base import db
from models.payments import Cheque
from office.billing import bounced_cheques
from office.payments import cheques


class ChequeView(OfficeView):
    table = Cheque
    screen = "cheques"
    title = _l("Cheques")
    empty_hint = _l("Cheques appear here when they are taken under “Take a payment”.")
    icon = "landmark"
    can_create = can_edit = can_delete = False
    column_list = (
        "number",
        "bank",
        "payment.receipt_no",
        "payment.unit.code",
        "payment.payer.name",
        "payment.amount",
        "due_on",
        "state",
        "presented_on",
        "cleared_on",
        "bounced_on",
    )
    column_hidden = ("fee_invoice.number",)
    column_searchable_list = ("number", "payment.receipt_no")
    column_default_sort = "due_on"
    column_labels = {
        "number": _l("Cheque no."),
        "payment.receipt_no": _l("Receipt"),
        "payment.amount": _l("Amount"),
        "due_on": _l("To present from"),
        "fee_invoice.number": _l("Bill of the fee"),
    }
    choices = {"state": labels.CHEQUE_STATES}
    filters = (ChoiceFilter("state"), RangeFilter("due_on"))
    one_click = (
        OneClick(
            "due",
            _l("To present today"),
            lambda view: [Cheque.state == "to_present", Cheque.due_on <= view.today()],
            awaits="act",
        ),
        OneClick("with_bank", _l("With the bank"), lambda _view: [Cheque.state == "presented"]),
    )

    @office_action("present", _l("Presented"), states=("to_present",), icon="send")
    def present(self, rows: Sequence[Cheque], _given: Any) -> str:
        ids = [row.id for row in rows]
        cheques.present(db.session(), ids, staff_id=current_staff().id, now=self.now())
        return _("%(count)s cheques are with the bank.", count=len(ids))

    @office_action("clear", _l("Cleared"), states=("presented",), icon="circle-check")
    def clear(self, rows: Sequence[Cheque], _given: Any) -> str:
        ids = [row.id for row in rows]
        cheques.clear(db.session(), ids, staff_id=current_staff().id, now=self.now())
        return _("The bank has paid %(count)s cheques.", count=len(ids))

    @office_action(
        "bounce",
        _l("Bounced"),
        on="row",
        states=("to_present", "presented", "cleared"),
        icon="ban",
        tone="bad",
        confirm=_l("Take the payment back? What it paid is open again, and the policy's fee is charged."),
        fields=(Ask("reason", _l("Reason"), is_required=True),),
    )
    def bounce(self, rows: Sequence[Cheque], given: Mapping[str, Any]) -> str:
        row, bill = bounced_cheques.bounce(
            db.session(),
            rows[0].id,
            reason=given["reason"],
            staff_id=current_staff().id,
            now=self.now(),
        )
        if bill is None:
            return _("Cheque %(number)s bounced: its payment was taken back.", number=row.number)
        return _(
            "Cheque %(number)s bounced: its payment was taken back, and bill %(bill)s charges the fee.",
            number=row.number,
            bill=bill.number,
        )


SCREENS = (ChequeView,)
