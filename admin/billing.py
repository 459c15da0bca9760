"""Bills: what is charged for, the billing run, and the invoices it made (B1–B8, B10)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from flask import Response, flash, redirect, request, url_for
from flask_admin import expose
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import literal_column

from admin import formats, labels, language, lists, refusals
from admin.base import Ask, OfficePage, OfficeView, OneClick, Related, office_action
from admin.lists import ChoiceFilter, FlagFilter, RangeFilter, RelationFilter, TextFilter
from admin.sessions import current_staff
from models.base import db
from models.billing import (
    BillingRun,
    CreditNote,
    Deposit,
    FeeItem,
    Incentive,
    Invoice,
    InvoiceLine,
    LateFeeWaiver,
    Meter,
    MeterReading,
    ServiceSlip,
    Tariff,
)
from office import billing, invoices, paperwork
from office.errors import Refused

SHOWN_UNUSUAL = 50  # of a preview; the rest is counted


class FeeItemView(OfficeView):
    table = FeeItem
    screen = "fee_items"
    title = _l("Fee items")
    empty_hint = _l("Enter what the office charges for; then give each item its rates under “Tariffs”.")
    room = "bills"
    icon = "tags"
    column_list = ("code", "name", "basis", "timing", "is_active", "is_restrictable", "position")
    column_default_sort = "position"
    choices = {"basis": labels.BASES, "timing": labels.TIMINGS}
    filters = (ChoiceFilter("basis"), FlagFilter("is_active"))
    form_columns = (
        "code",
        "name_en",
        "name_zh_hans",
        "name_zh_hant",
        "basis",
        "timing",
        "is_active",
        "is_restrictable",
        "services",
        "position",
    )
    form_sections = (
        (_l("What it is called"), ("code", "name_en", "name_zh_hans", "name_zh_hant")),
        (_l("How it is charged"), ("basis", "timing", "is_active", "position")),
        (_l("What it pays for"), ("services", "is_restrictable")),
    )
    column_descriptions = {
        "is_restrictable": _l("An optional contracted service; never water, power, heat, gas or access"),
        "services": _l("Printed on the public notice of tariffs"),
    }
    related = (Related("tariffs", "fee_item_id"),)


class TariffView(OfficeView):
    table = Tariff
    screen = "tariffs"
    title = _l("Tariffs")
    empty_hint = _l("Enter a rate for each fee item and kind of unit; without one nothing can be billed.")
    room = "bills"
    icon = "scale"
    column_list = ("fee_item.name", "unit_kind", "rate", "valid_from", "valid_to")
    column_default_sort = "-valid_from"
    choices = {"unit_kind": labels.UNIT_KINDS}
    filters = (RelationFilter("fee_item"), ChoiceFilter("unit_kind"), RangeFilter("valid_from"))
    one_click = (OneClick("current", _l("In force"), lambda _view: [Tariff.valid_to.is_(None)]),)
    form_columns = ("fee_item", "unit_kind", "rate", "tiers", "valid_from", "valid_to")
    column_descriptions = {
        "rate": _l("Yuan for each unit of the basis; a change never alters an issued bill"),
        "tiers": _l("Metered items only: [[up to, rate], …], the last one open"),
        "valid_to": _l("Empty: until further notice"),
    }


class MeterView(OfficeView):
    table = Meter
    screen = "meters"
    title = _l("Meters")
    empty_hint = _l(
        "Enter one meter for each unit and metered fee item; then its readings can be entered or imported."
    )
    room = "bills"
    icon = "gauge"
    column_list = ("unit.code", "fee_item.name", "code", "is_active")
    column_searchable_list = ("unit.code", "code")
    filters = (RelationFilter("fee_item"), FlagFilter("is_active"))
    form_columns = ("unit", "fee_item", "code", "is_active")
    related = (Related("meter_readings", "meter_id"),)


class MeterReadingView(OfficeView):
    table = MeterReading
    screen = "meter_readings"
    title = _l("Meter readings")
    empty_hint = _l("Enter the readings here, or bring them in as a table under “Imports”.")
    room = "bills"
    icon = "gauge"
    column_list = ("meter.unit.code", "meter.code", "read_on", "value")
    column_searchable_list = ("meter.unit.code", "meter.code")
    column_default_sort = "-read_on"
    filters = (RangeFilter("read_on"),)
    form_columns = ("meter", "read_on", "value")
    large_relations = {"meter": ("code",)}


class ServiceSlipView(OfficeView):
    table = ServiceSlip
    screen = "service_slips"
    title = _l("Service slips")
    empty_hint = _l(
        "Enter each signed slip here; open ones go into the next bill. A register in a spreadsheet "
        "comes in under “Imports”."
    )
    room = "bills"
    icon = "clipboard-list"
    column_list = ("slip_no", "unit.code", "fee_item.name", "used_on", "quantity", "amount", "state")
    column_searchable_list = ("slip_no", "unit.code")
    column_default_sort = "-used_on"
    choices = {"state": labels.SLIP_STATES}
    filters = (ChoiceFilter("state"), RelationFilter("fee_item"), RangeFilter("used_on"))
    one_click = (OneClick("open", _l("Not billed yet"), lambda _view: [ServiceSlip.state == "open"]),)
    form_columns = ("slip_no", "unit", "fee_item", "used_on", "quantity", "amount", "signed_by", "note")
    column_descriptions = {"amount": _l("Agreed price of the job; empty: quantity × tariff")}

    def before_save(self, form: Any, row: Any, is_new: bool) -> None:  # noqa: ARG002, FBT001 -- the base's hook
        if not is_new and row.state == "billed":
            raise Refused(_("This slip is on a bill already: correct it by a credit note"))


class InvoiceView(OfficeView):
    table = Invoice
    screen = "invoices"
    title = _l("Invoices")
    room = "bills"
    icon = "receipt-text"
    is_large = True
    can_create = can_edit = can_delete = False
    column_list = (
        "number",
        "unit.code",
        "payer.name",
        "period",
        "due_on",
        "amount",
        "paid",
        "balance",
        "state",
        "stage",
    )
    column_hidden = ("issued_on", "credited", "late_fee", "kind")
    column_searchable_list = ("number", "unit.code", "payer.name", "payer.pinyin_initials")
    column_default_sort = "-issued_on"
    choices = {"state": labels.INVOICE_STATES, "kind": labels.INVOICE_KINDS, "stage": labels.STAGES}
    filters = (
        ChoiceFilter("state"),
        RangeFilter("due_on"),
        TextFilter("period"),
        ChoiceFilter("stage"),
        RelationFilter("unit.building"),
        RangeFilter("balance"),
    )
    one_click = (
        # the literal 0 is what lets SQLite use invoice_open_idx (decisions: Speed)
        OneClick(
            "overdue",
            _l("Overdue"),
            lambda view: [Invoice.balance > literal_column("0"), Invoice.due_on < view.today()],
            sort="due_on",
        ),
        OneClick("open", _l("Open"), lambda _view: [Invoice.balance > literal_column("0")], sort="due_on"),
        OneClick(
            "reminded",
            _l("Reminded"),
            lambda _view: [
                Invoice.balance > literal_column("0"),
                Invoice.stage.notin_(("", "notice", "upcoming")),
            ],
            sort="due_on",
        ),
    )
    detail_columns = (
        "number",
        "kind",
        "unit.code",
        "payer.name",
        "period",
        "issued_on",
        "due_on",
        "amount",
        "late_fee",
        "credited",
        "paid",
        "balance",
        "state",
        "stage",
    )
    related = (
        Related("invoice_lines", "invoice_id"),
        Related("credit_notes", "invoice_id"),
        Related("allocations", "invoice_id"),
    )
    empty_hint = _l("Bills appear here when a period was issued under “Billing run”.")

    @office_action("notice", _l("Print payment notices"), icon="printer")
    def notice(self, rows: Sequence[Invoice], _given: Any) -> Response:
        return notices_pdf(self, [row.id for row in rows])

    @office_action(
        "credit",
        _l("Credit note"),
        on="row",
        icon="undo-2",
        fields=(
            Ask("amount", _l("Amount"), kind="money", is_required=True),
            Ask("reason", _l("Reason"), is_required=True),
        ),
    )
    def credit(self, rows: Sequence[Invoice], given: Any) -> str:
        for row in rows:
            note = invoices.credit_note(
                db.session(),
                row.id,
                amount=given["amount"],
                reason=given["reason"],
                staff_id=current_staff().id,
                now=self.now(),
            )
        return _("Credit note %(number)s was issued.", number=note.number)


def notices_pdf(view: Any, ids: Sequence[int]) -> Response:
    """The payment notices of invoices as one PDF, each filed in its household file (B5)."""
    session, now, reader = db.session(), view.now(), language.current()
    values = []
    for invoice, value in paperwork.payment_notices(session, ids, reader):
        paperwork.file(
            session,
            "payment_notice",
            value,
            number=invoice.number,
            language=reader,
            now=now,
            unit_id=invoice.unit_id,
            payer_id=invoice.payer_id,
            staff_id=current_staff().id,
        )
        values.append(value)
    return pdf_answer(paperwork.pdf(session, "payment_notice", values, reader, now), "notices.pdf")


def pdf_answer(made: bytes, name: str) -> Response:
    return Response(
        made, mimetype="application/pdf", headers={"Content-Disposition": f'inline; filename="{name}"'}
    )


class InvoiceLineView(OfficeView):
    table = InvoiceLine
    screen = "invoice_lines"
    title = _l("Lines")
    room = "bills"
    is_in_menu = False
    is_large = True
    can_create = can_edit = can_delete = False
    column_list = ("invoice.number", "fee_item.name", "quantity", "rate", "amount", "explanation")
    column_formats = {"explanation": formats.reason}


class CreditNoteView(OfficeView):
    table = CreditNote
    screen = "credit_notes"
    title = _l("Credit notes")
    empty_hint = _l("To correct a bill, open it under “Invoices” and choose “Credit note”.")
    room = "bills"
    icon = "undo-2"
    can_create = can_edit = can_delete = False
    column_list = ("number", "invoice.number", "amount", "reason", "issued_on")
    column_searchable_list = ("number", "invoice.number")
    column_default_sort = "-issued_on"


class LateFeeWaiverView(OfficeView):
    table = LateFeeWaiver
    screen = "late_fee_waivers"
    title = _l("Late fee waivers")
    room = "bills"
    is_in_menu = False
    can_create = can_edit = can_delete = False
    column_list = ("invoice_id", "amount", "reason", "waived_on")
    column_default_sort = "-waived_on"


class IncentiveView(OfficeView):
    table = Incentive
    screen = "incentives"
    title = _l("Early-payment rewards")
    empty_hint = _l(
        "Enter a reward for paying early: a discount or a gift; what was granted is listed with it."
    )
    room = "bills"
    icon = "gift"
    column_list = ("name", "months_ahead", "pay_before_on", "percent", "gift", "valid_from", "valid_to")
    column_default_sort = "-valid_from"
    form_columns = (
        "name_en",
        "name_zh_hans",
        "name_zh_hant",
        "months_ahead",
        "pay_before_on",
        "percent",
        "gift",
        "valid_from",
        "valid_to",
    )


class DepositView(OfficeView):
    table = Deposit
    screen = "deposits"
    title = _l("Deposits")
    empty_hint = _l("Deposits appear here when they are taken in with a move-in bill.")
    room = "bills"
    icon = "vault"
    can_create = can_edit = can_delete = False
    column_list = ("number", "unit.code", "payer.name", "entry", "amount", "posted_on", "reason")
    column_searchable_list = ("number", "unit.code")
    column_default_sort = "-posted_on"
    choices = {"entry": {"taken": _l("Taken"), "returned": _l("Returned"), "set_off": _l("Set off")}}


class BillingPage(OfficePage):
    """Preview a month, then issue it (B4)."""

    screen = "billing"
    title = _l("Billing run")
    room = "bills"
    icon = "play"
    verbs = {"issue": "act", "notices": "act"}

    @expose("/")
    def index(self) -> Any:
        period = request.args.get("period") or self.today().strftime("%Y-%m")
        preview, refusal = None, None
        if "period" in request.args:
            try:
                preview = billing.preview(db.session(), period, now=self.now())
            except Refused as wrong:
                refusal = refusals.words(wrong)
        runs = db.session.query(BillingRun).order_by(BillingRun.id.desc()).limit(12).all()
        return self.render(
            "office/billing_run.html",
            period=period,
            preview=preview,
            refusal=refusal,
            runs=runs,
            most=SHOWN_UNUSUAL,
            view=self,
            words=unbilled_words(),
        )

    @expose("/issue/", methods=("POST",))
    def issue(self) -> Any:
        period = request.form.get("period", "")
        made = self._refusing(
            lambda: billing.issue_invoices(db.session(), period, now=self.now(), staff_id=current_staff().id)
        )
        if made is not None:
            flash(
                _(
                    "%(count)s bills were issued, %(amount)s yuan in all.",
                    count=made.invoices,
                    amount=formats.money(made.amount),
                ),
                "success",
            )
        return redirect(url_for("billing.index", period=period))

    @expose("/notices/", methods=("POST",))
    def notices(self) -> Any:
        """All payment notices of a run as one file."""
        run_id = lists.row_id(request.form.get("run"))
        ids = (
            list(
                db.session.scalars(
                    db.select(Invoice.id).where(Invoice.run_id == run_id).order_by(Invoice.unit_id)
                )
            )
            if run_id is not None
            else []
        )
        answer = self._refusing(lambda: notices_pdf(self, ids))
        return answer or redirect(url_for("billing.index"))

    @staticmethod
    def _refusing(verb: Callable[[], Any]) -> Any:
        """Call an office verb and commit; tell a refusal instead of raising it."""
        try:
            answer = verb()
            db.session.commit()
        except Refused as refusal:
            db.session.rollback()
            flash(refusals.words(refusal), "error")
            return None
        return answer


def unbilled_words() -> dict[str, Any]:
    """Why a unit could not be billed."""
    return {
        "no_payer": _("Nobody pays for it"),
        "no_tariff": _("No tariff for this kind of unit"),
        "no_reading": _("The meter was not read"),
    }


SCREENS = (
    BillingPage,
    InvoiceView,
    InvoiceLineView,
    ServiceSlipView,
    MeterView,
    MeterReadingView,
    FeeItemView,
    TariffView,
    CreditNoteView,
    LateFeeWaiverView,
    DepositView,
    IncentiveView,
)
