"""The cashier's page: find, see every debt, take one payment for many, give change, print (M1, M2, U2)."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any, get_args

from flask import Response, abort, flash, redirect, request, url_for
from flask_admin import expose
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import select

from admin.panel import (
    confirmations,
    error_messages,
    formats,
    labels,
    language,
    request_values,
    row_access,
    typed_text,
)
from admin.panel.audit import record
from admin.panel.responses import pdf_response
from admin.panel.signed_in import current_staff
from admin.panel.view import OfficePage
from models.base import db
from models.billing import FeeItem
from models.payments import Payment
from office.billing import deposits
from office.core import amounts
from office.core.errors import Refused
from office.documents import archive
from office.estate import search
from office.payments import cashier_desk, cheques, earmarks, payments
from office.payments.cashier_desk import Desk
from office.payments.cheques import NewCheque
from office.payments.earmarks import PutAside
from office.payments.statement_matching import refuse_posted
from office.policies import large_sums
from rules.allocation import Pick
from rules.receipts import ReceiptLayout

MOST_PICKS = 200
LAYOUTS: tuple[ReceiptLayout, ...] = get_args(ReceiptLayout)
FOUND_ALIKE = frozenset({"unit", "owner", "invoice"})


def typed_money(text: str, *, is_negative_allowed: bool = False, is_zero_allowed: bool = False) -> Decimal:
    """An amount as a person types it. Raises Refused."""
    return amounts.amount_of(text, is_negative_allowed=is_negative_allowed, is_zero_allowed=is_zero_allowed)


class CashierPage(OfficePage):
    screen = "cashier"
    title = _l("Take a payment")
    icon = "wallet"
    verbs = {"take": "act", "receipt": "act"}

    @expose("/")
    def index(self) -> Any:
        text, unit_id = (
            request.args.get("q", "")[: request_values.LONGEST_INPUT],
            request_values.row_id(request.args.get("unit_id")),
        )
        hits = []
        if unit_id is None and text.strip() and request_values.is_clean(text):
            hits = [hit for hit in search.search(db.session(), text, FOUND_ALIKE) if hit.unit_id]
            if len({hit.unit_id for hit in hits}) == 1:
                return redirect(url_for("cashier.index", unit_id=hits[0].unit_id))
        posted = row_access.find(Payment, request.args.get("posted"))
        if posted is not None and posted.unit_id != unit_id:
            posted = None
        return self._page(unit_id, request.args, text=text, hits=hits, posted=posted)

    def _page(self, unit_id: int | None, given: Mapping[str, str], **more: Any) -> str:
        desk = (
            cashier_desk.desk(db.session(), unit_id, self.today(), language.current())
            if unit_id is not None
            else None
        )
        payer_id = self._payer(desk, given)
        return str(
            self.render(
                "payments/cashier_desk.html",
                desk=desk,
                payer_id=payer_id,
                asked=_asked(desk, payer_id),
                today=self.today(),
                methods=labels.METHODS,
                items=items_by_id(),
                language=language.current(),
                aside=earmarks.named(db.session(), Payment.unit_id == unit_id) if desk else [],
                kinds=labels.INVOICE_KINDS,
                form_key=given.get("form_key") or secrets.token_urlsafe(16),
                given=given,
                picked=set(request.form.getlist("pick")),
                picked_lines=set(request.form.getlist("line")),
                view=self,
                **{"text": "", "hits": [], "posted": None, "refusal": "", "question": None, **more},
            )
        )

    @staticmethod
    def _payer(desk: Desk | None, given: Mapping[str, str]) -> int | None:
        """Who pays: as chosen, else who pays the unit today, else who owes."""
        if desk is None or not desk.payers:
            return None
        chosen = request_values.row_id(given.get("payer_id"))
        return chosen if _is_payer(desk, chosen) else desk.payers[0].id

    @expose("/take/", methods=("POST",))
    def take(self) -> Any:
        form, session, staff = request.form, db.session(), current_staff()
        unit_id = request_values.row_id(form.get("unit_id"))
        desk = cashier_desk.desk(session, unit_id, self.today(), language.current()) if unit_id else None
        if unit_id is None or desk is None:
            abort(404)
        try:
            amount = typed_money(form.get("amount", ""))
            change = _change(form, amount)
            picks = _picks(desk, form)
            _check_enough(amount, picks)
            refuse_posted(session, _words(form, "reference", 120), unit_id, amount)
            new = payments.NewPayment(
                unit_id=unit_id,
                amount=amount,
                method=form.get("method", ""),
                paid_at=self.now(),
                payer_id=self._payer(desk, form),
                reference=_words(form, "reference", 120),
                note=_words(form, "note", 500),
                cashier_id=staff.id,
                picks=tuple(picks),
                cheque=_cheque(form, self.today()),
                aside=_aside(form),
                form_key=f"cashier:{form.get('form_key', '')[:60]}" if form.get("form_key") else None,
            )
            if not payments.known_keys(session, [new]):  # sent twice, its bills are paid
                _check_pairs(desk, form)
            with large_sums.confirmed(session, confirmations.confirmed_sum()):
                payment = payments.record_payment(session, new, now=self.now())
            deposits.enter_paid(session, now=self.now(), staff_id=staff.id, unit_ids=[unit_id])
            session.commit()
        except large_sums.NotConfirmed as asked:
            session.rollback()
            who = next((payer.name for payer in desk.payers if payer.id == self._payer(desk, form)), "")
            question = confirmations.question(asked, f"{desk.unit.code} · {who}")
            return self._page(unit_id, form, question=question), 422
        except Refused as refusal:
            session.rollback()
            return self._page(unit_id, form, refusal=error_messages.message_for(refusal)), 422
        posted = formats.amount(payment.amount)
        flash(
            _("Receipt %(number)s: %(amount)s was posted.", number=payment.receipt_no, amount=posted),
            "success",
        )
        if change:
            flash(_("Give back %(change)s in cash.", change=formats.amount(change)), "success")
        return redirect(url_for("cashier.index", unit_id=unit_id, posted=payment.id))

    @expose("/receipt/", methods=("POST",))
    def receipt(self) -> Any:
        """The receipt as PDF; the first print is the original, later ones are copies (M2)."""
        payment = row_access.find_or_404(Payment, request.form.get("id"))
        layout = request.form.get("layout", "")
        return receipt_pdf(self, payment, next((one for one in LAYOUTS if one == layout), None))


def _is_payer(desk: Desk, payer_id: int | None) -> bool:
    return payer_id in {payer.id for payer in desk.payers}


def _check_pairs(desk: Desk, form: Mapping[str, str]) -> None:
    """Refuse a payer and bills that the desk of this unit does not show (F22)."""
    given = form.get("payer_id", "").strip()
    if given and not _is_payer(desk, request_values.row_id(given)):
        raise Refused(_("This payer has nothing to do with this unit"))
    open_bills = {str(bill.id) for bill in desk.bills}
    if not open_bills.issuperset(request.form.getlist("pick")[:MOST_PICKS]):
        raise Refused(_("A ticked bill is paid by now, or is of another unit: look at the list again"))
    open_lines = {str(line.id) for bill in desk.bills for line in bill.lines if line.open}
    if not open_lines.issuperset(request.form.getlist("line")[:MOST_PICKS]):
        raise Refused(_("A ticked item is paid by now, or is of another unit: look at the list again"))


def _asked(desk: Desk | None, payer_id: int | None) -> Decimal | None:
    """The sum that stands in the form at first: what the payer owes here, their credit taken off."""
    if desk is None or payer_id is None:
        return None
    credit = next(payer.credit for payer in desk.payers if payer.id == payer_id)
    owed = desk.to_pay(payer_id) - credit
    return owed if owed > 0 else None


def _words(form: Mapping[str, str], name: str, most: int) -> str:
    said = form.get(name, "").strip()[:most]
    if not request_values.is_clean(said):
        raise Refused(_("This holds characters that can't be stored."))
    return said


def items_by_id(_view: Any = None) -> dict[str, str]:
    """The names of the active fee items by their ids, for choosing what credit is for (M10)."""
    rows = db.session.scalars(select(FeeItem).where(FeeItem.is_active).order_by(FeeItem.position, FeeItem.id))
    return {str(item.id): item.name_in(language.current()) for item in rows}


def _aside(form: Mapping[str, str]) -> tuple[PutAside, ...]:
    """What of the payment is put aside for an item or days (M10). Raises Refused."""
    said = form.get("aside_amount", "").strip()
    chosen = form.get("aside_item", "").strip()
    days = [form.get(name, "").strip() for name in ("aside_from", "aside_to")]
    if not said:
        if chosen or any(days):
            raise Refused(_("Say how much is put aside"))
        return ()
    if chosen and chosen not in items_by_id():
        raise Refused(_("There is no such fee item"))
    try:
        from_on, to_on = (typed_text.day(day) if day else None for day in days)
    except ValueError as problem:
        raise Refused(str(problem)) from problem
    return (PutAside(typed_money(said), int(chosen) if chosen else None, from_on, to_on),)


def _cheque(form: Mapping[str, str], today: date) -> NewCheque | None:
    """The cheque that was typed, payable from today where no day is said (M13). Raises Refused."""
    if form.get("method") != cheques.METHOD:
        return None
    said = form.get("cheque_due_on", "").strip()
    try:
        due_on = typed_text.day(said) if said else today
    except ValueError as problem:
        raise Refused(str(problem)) from problem
    return NewCheque(_words(form, "cheque_number", 40), _words(form, "cheque_bank", 120), due_on)


def _change(form: Mapping[str, str], amount: Decimal) -> Decimal | None:
    """What to give back of the cash that was handed over. Raises Refused when it is too little."""
    handed = form.get("tendered", "").strip()
    if not handed or form.get("method") != "cash":
        return None
    tendered = typed_money(handed)
    if tendered < amount:
        raise Refused(_("The cash handed over is less than the amount"))
    return tendered - amount


def _picks(desk: Desk, form: Mapping[str, str]) -> list[Pick]:
    """The ticked bills, each with the part that was typed, and items, as they stand (M8). Raises Refused."""
    ticked = set(request.form.getlist("pick")[:MOST_PICKS])
    ticked_lines = set(request.form.getlist("line")[:MOST_PICKS])
    picks = []
    for bill in desk.bills:
        of_bill = [line for line in bill.lines if str(line.id) in ticked_lines]
        if of_bill and (str(bill.id) in ticked or form.get(f"part_{bill.id}", "").strip()):
            raise Refused(
                _("Of invoice %(number)s, tick the whole bill or single items, not both", number=bill.number)
            )
        picks += [Pick(bill.number, line.open, line.id) for line in of_bill]
        if str(bill.id) in ticked:
            part = form.get(f"part_{bill.id}", "").strip()
            amount = typed_money(part) if part else None
            if amount is not None and amount > bill.to_pay:
                raise Refused(
                    _(
                        "Invoice %(number)s owes no more than %(amount)s",
                        number=bill.number,
                        amount=formats.amount(bill.to_pay),
                    )
                )
            picks.append(Pick(bill.number, amount))
    return picks


def _check_enough(amount: Decimal, picks: list[Pick]) -> None:
    """Refuse an amount that does not pay every ticked item (M8)."""
    items = sum((pick.amount for pick in picks if pick.line_id is not None and pick.amount), Decimal(0))
    if amount < items:
        raise Refused(
            _(
                "The ticked items come to %(sum)s, more than the amount: tick fewer, or take that sum",
                sum=formats.amount(items),
            )
        )


def receipt_pdf(view: Any, payment: Payment, layout: ReceiptLayout | None = None) -> Response:
    session, payment_id = db.session(), payment.id
    made = archive.print_receipt(
        session, payment_id, now=view.now(), staff_id=current_staff().id, layout=layout
    )
    record("receipt", "payment", payment_id, {}, {"copies_printed": payment.copies_printed})
    session.commit()
    return pdf_response(made, f"{payment.receipt_no}.pdf")


SCREENS = (CashierPage,)
