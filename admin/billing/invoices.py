"""Bills: what is charged for, the invoices, their lines and corrections (B1–B5, B7)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from flask import Response, flash, redirect, request, url_for
from flask_admin import expose
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import ColumnElement, literal_column

from admin.panel import error_messages, formats, forms, labels, language, request_values, row_access
from admin.panel.filters import ChoiceFilter, FlagFilter, RangeFilter, RelationFilter, TextFilter
from admin.panel.responses import paper_size, pdf_response
from admin.panel.signed_in import current_staff
from admin.panel.view import Ask, OfficeView, OneClick, Related, office_action
from models.base import db
from models.billing import (
    CreditNote,
    FeeItem,
    Invoice,
    InvoiceLine,
    LateFeeWaiver,
    Meter,
    MeterReading,
    ServiceSlip,
    Tariff,
)
from office.arrears import limitation
from office.arrears.limitation import LimitedDebt
from office.billing import (
    documents,
    invoices,
    item_rates,
    meter_usage,
    months_ahead,
    runs,
    tariff_notice,
    unit_terms,
)
from office.core.amounts import amount_of
from office.core.errors import Refused
from office.documents import archive
from office.documents.filing import NewPaper, print_papers
from office.receivables import late_fees as late_fee

MOST_LINES = 40  # of income or expense that the notice has room for


def active_items(condition: ColumnElement[bool]) -> dict[str, str]:
    """The names of active fee items in their order, by code."""
    query = db.select(FeeItem).where(FeeItem.is_active, condition).order_by(FeeItem.position, FeeItem.id)
    return {row.code: row.name_in(language.current()) for row in db.session.scalars(query)}


def item_names(codes: Sequence[str]) -> dict[str, str]:
    """What fee items are called in the reader's language, by code."""
    rows = db.session.scalars(db.select(FeeItem).where(FeeItem.code.in_(codes)))
    return {row.code: row.name_in(language.current()) for row in rows}


def fee_items(_view: Any = None) -> dict[str, str]:
    """What can be charged for once, by code; deposits are taken under “Deposits”."""
    return active_items(FeeItem.basis.not_in(("deposit", "metered", "shared")))


class FeeItemView(OfficeView):
    table = FeeItem
    screen = "fee_items"
    title = _l("Fee items")
    empty_hint = _l("Enter what the office charges for; then give each item its rates under “Tariffs”.")
    icon = "tags"
    column_list = (
        "code",
        "name",
        "basis",
        "timing",
        "cycle_months",
        "is_active",
        "is_restrictable",
        "position",
    )
    column_hidden = (
        "anchor",
        "days_ahead",
        "season_from",
        "season_to",
        "rounding",
        "rounding_mode",
        "payer",
        "is_refundable",
        "bears_late_fee",
        "price_kind",
        "vacancy_factor",
    )
    column_default_sort = "position"
    choices = {
        "basis": labels.BASES,
        "timing": labels.TIMINGS,
        "cycle_months": labels.CYCLES,
        "anchor": labels.ANCHORS,
        "rounding": labels.ROUNDINGS,
        "rounding_mode": labels.ROUNDING_MODES,
        "payer": labels.PAYER_RULES,
        "price_kind": labels.PRICE_KINDS,
    }
    filters = (ChoiceFilter("basis"), FlagFilter("is_active"))
    form_columns = (
        "code",
        "name_en",
        "name_zh_hans",
        "name_zh_hant",
        "basis",
        "timing",
        "cycle_months",
        "anchor",
        "days_ahead",
        "season_from",
        "season_to",
        "rounding",
        "rounding_mode",
        "payer",
        "is_refundable",
        "bears_late_fee",
        "vacancy_factor",
        "is_active",
        "is_restrictable",
        "services",
        "services_zh_hant",
        "services_en",
        "price_kind",
        "position",
    )
    form_sections = (
        (_l("What it is called"), ("code", "name_en", "name_zh_hans", "name_zh_hant")),
        (_l("How it is charged"), ("basis", "timing", "payer", "vacancy_factor", "is_active", "position")),
        (_l("For which months"), ("cycle_months", "anchor", "days_ahead", "season_from", "season_to")),
        (
            _l("Rounding and late fee"),
            ("rounding", "rounding_mode", "bears_late_fee", "is_refundable"),
        ),
        (_l("The service"), ("services", "services_zh_hant", "services_en", "price_kind", "is_restrictable")),
    )
    column_descriptions = {
        "is_restrictable": _l("An optional contracted service; never water, power, heat, gas or access"),
        **dict.fromkeys(
            ("services", "services_zh_hant", "services_en"), _l("Printed on the public notice of tariffs")
        ),
        "cycle_months": _l("Another cycle counts from its next first day; what is billed already stays"),
        "anchor": _l("The unit's own day is its hand-over, or what “Cycles from” says at the unit"),
        "days_ahead": _l("The bill goes out so many days before the cycle begins"),
        "season_from": _l("Number of the month, such as 11; both empty: all the year"),
        "vacancy_factor": _l("Times the fee where a vacancy is approved, such as 0.7; empty: the whole fee"),
        "payer": _l("Who pays where nobody is named under “Payers of items”"),
        "bears_late_fee": _l(
            "Counts when a late fee is reckoned; bills that are out keep what was said then"
        ),
    }
    column_labels = {
        f"services_{code}": _l("What it pays for, %(language)s", language=labels.LANGUAGES[language_code])
        for code, language_code in (("zh_hant", "zh_Hant"), ("en", "en"))
    }
    related = (Related("tariffs", "fee_item_id"), Related("item_rates", "fee_item_id"))

    def before_save(self, form: Any, row: Any, is_new: bool) -> None:  # noqa: ARG002, FBT001 -- the base's hook
        item_rates.check_item(row)


class TariffView(OfficeView):
    table = Tariff
    screen = "tariffs"
    title = _l("Tariffs")
    empty_hint = _l("Enter a rate for each fee item and kind of unit; without one nothing can be billed.")
    icon = "scale"
    column_list = ("fee_item.name", "unit_kind", "rate", "valid_from", "valid_to")
    column_default_sort = "-valid_from"
    choices = {"unit_kind": labels.UNIT_KINDS, "tier_span": labels.TIER_SPANS}
    filters = (RelationFilter("fee_item"), ChoiceFilter("unit_kind"), RangeFilter("valid_from"))
    one_click = (OneClick("current", _l("In force"), lambda _view: [Tariff.valid_to.is_(None)]),)
    form_columns = (
        "fee_item",
        "unit_kind",
        "rate",
        "tiers",
        "tier_span",
        "tier_people",
        "valid_from",
        "valid_to",
    )
    form_overrides = {"tiers": forms.TiersField}
    form_args = {"tier_span": {"is_kept": True}}
    column_descriptions = {
        "rate": _l("Yuan for each unit of the basis; a change never alters an issued bill"),
        "tiers": _l("Metered items only, as in 180: 0.50; 280: 0.55; 0.80 (up to: rate; above)"),
        "tier_people": _l("Each person more raises the bounds that say so, as in 180 + 30: 0.50"),
        "valid_to": _l("Empty: until further notice"),
    }
    list_template = "billing/tariffs.html"
    verbs = {"notice": "export"}

    def before_save(self, form: Any, row: Any, is_new: bool) -> None:  # noqa: ARG002, FBT001 -- the base's hook
        item_rates.check_tariff(db.session(), row)

    @expose("/notice/", methods=("GET", "POST"))
    def notice(self) -> Any:
        """The public notice: tariffs, what they pay for, and the statement of income and expense (B2)."""
        if request.method == "GET":
            return self._notice_page({}, "")
        form = request.form
        try:
            made = tariff_notice.print_tariff_notice(
                db.session(),
                on=_day(form.get("on", "")),
                posted_on=self.today(),
                accounts=_accounts(form),
                size=paper_size(form.get("size", "")),
                language=language.current(),
                now=self.now(),
            )
        except Refused as refusal:
            return self._notice_page(form, error_messages.message_for(refusal)), 422
        return pdf_response(made, "tariffs.pdf")

    def _notice_page(self, given: Mapping[str, str], refusal: str) -> Any:
        return self.render(
            "billing/tariff_notice.html",
            today=self.today(),
            given=given,
            refusal=refusal,
            sizes=labels.PAPER_SIZES,
            gaps=[_(said, **named) for said, named in tariff_notice.gaps(db.session(), self.today())],
            income_bases=labels.INCOME_BASES,
        )


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as wrong:
        raise Refused(_("Choose a day")) from wrong


def _accounts(form: Mapping[str, str]) -> tariff_notice.AccountsAsked | None:
    """What the accounts shall show; none when no month is given. Raises Refused for what can't be read."""
    first, last = form.get("from", "").strip(), form.get("to", "").strip()
    if not first and not last:
        return None
    brought_forward = form.get("brought_forward", "").strip()
    return tariff_notice.AccountsAsked(
        first=str(runs.parse_period(first or last)),
        last=str(runs.parse_period(last or first)),
        basis="received" if form.get("income") == "received" else "billed",
        other_income=_sums(form.get("other_income", "")),
        expenses=_sums(form.get("expenses", "")),
        brought_forward=amount_of(brought_forward, is_negative_allowed=True, is_zero_allowed=True)
        if brought_forward
        else None,
    )


def _sums(text: str) -> list[tuple[str, Decimal]]:
    """Lines of `item amount` as pairs. Raises Refused for a line without an amount, and for too many."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    if len(lines) > MOST_LINES:
        raise Refused(_("At most %(count)s lines fit on the notice", count=MOST_LINES))
    found = []
    for line in lines:
        read = re.fullmatch(r"(.+?)[\s,，:：;；]+(\S+)", line[:200])
        if read is None or not request_values.is_clean(line):
            raise Refused(_("Write each line as item, then amount: %(line)s", line=line[:60]))
        found.append((read[1], amount_of(read[2])))
    return found


class MeterView(OfficeView):
    table = Meter
    screen = "meters"
    title = _l("Meters")
    empty_hint = _l(
        "Enter one meter for each unit and metered fee item; then its readings can be entered or imported."
    )
    icon = "gauge"
    column_list = ("unit.code", "fee_item.name", "code", "factor", "is_active", "out_of_use_from")
    column_searchable_list = ("unit.code", "code")
    filters = (RelationFilter("fee_item"), FlagFilter("is_active"), RangeFilter("out_of_use_from"))
    form_columns = (
        "unit",
        "fee_item",
        "code",
        "factor",
        "counts_down",
        "wraps_at",
        "out_of_use_from",
        "is_active",
    )
    column_labels = {"code": _l("Meter no.")}
    column_descriptions = {
        "factor": _l("How many units of the price one of the meter's units is"),
        "wraps_at": _l("The value at which the meter shows 0 again, such as 10000; empty: it never does"),
        "out_of_use_from": _l("The first day without it; what it counted before is billed once more"),
    }
    related = (Related("meter_readings", "meter_id"),)

    def before_save(self, form: Any, row: Any, is_new: bool) -> None:  # noqa: ARG002, FBT001 -- the base's hook
        if row.factor is None:
            row.factor = Decimal(1)


class MeterReadingView(OfficeView):
    table = MeterReading
    screen = "meter_readings"
    title = _l("Meter readings")
    empty_hint = _l("Enter the readings here, or bring them in as a table under “Imports”.")
    icon = "gauge"
    column_list = ("meter.unit.code", "meter.code", "read_on", "value", "kind", "factor")
    column_searchable_list = ("meter.unit.code", "meter.code")
    column_default_sort = "-read_on"
    choices = {"kind": labels.READING_KINDS}
    filters = (RangeFilter("read_on"), ChoiceFilter("kind"))
    form_columns = ("meter", "read_on", "value", "kind", "factor")
    form_args = {"kind": {"is_kept": True}}
    column_descriptions = {
        "kind": _l(
            "A meter that is exchanged has two readings on that day: the old one's last value, the new one's "
            "first"
        ),
        "factor": _l("Only where it isn't the meter's own; it holds from this reading on"),
    }
    column_labels = {"meter.code": _l("Meter no.")}
    large_relations = {"meter": ("code",)}

    def before_save(self, form: Any, row: Any, is_new: bool) -> None:  # noqa: ARG002, FBT001 -- the base's hook
        if is_new:
            row.meter_id = row.meter.id
            meter_usage.check_new(db.session(), row)


class ServiceSlipView(OfficeView):
    table = ServiceSlip
    screen = "service_slips"
    title = _l("Service slips")
    empty_hint = _l(
        "Enter each signed slip here; open ones go into the next bill. A register in a spreadsheet "
        "comes in under “Imports”."
    )
    icon = "clipboard-list"
    column_list = ("slip_no", "unit.code", "fee_item.name", "used_on", "quantity", "amount", "state")
    column_searchable_list = ("slip_no", "unit.code")
    column_default_sort = "-used_on"
    choices = {"state": labels.SLIP_STATES}
    filters = (ChoiceFilter("state"), RelationFilter("fee_item"), RangeFilter("used_on"))
    one_click = (OneClick("open", _l("Not billed yet"), lambda _view: [ServiceSlip.state == "open"]),)
    form_columns = ("slip_no", "unit", "fee_item", "used_on", "quantity", "amount", "signed_by", "note")
    column_descriptions = {"amount": _l("Agreed price of the job; empty: quantity × tariff")}

    @office_action("paper", _l("Print the slip"), on="row", icon="printer", verb="see")
    def paper(self, rows: Sequence[ServiceSlip], _given: Any) -> Response:
        made = documents.print_service_slip(
            db.session(), rows[0].id, now=self.now(), staff_id=current_staff().id
        )
        return pdf_response(made, f"{rows[0].slip_no}.pdf")

    def before_save(self, form: Any, row: Any, is_new: bool) -> None:  # noqa: ARG002, FBT001 -- the base's hook
        if not is_new and row.state == "billed":
            raise Refused(_("This slip is on a bill already: correct it by a credit note"))


class InvoiceView(OfficeView):
    table = Invoice
    screen = "invoices"
    title = _l("Invoices")
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
            "old",
            _l("Old arrears"),
            lambda view: [Invoice.balance > literal_column("0"), Invoice.period < f"{view.today():%Y}-01"],
            sort="due_on",
        ),
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
        Related(
            "invoice_lines",
            "invoice_id",
            columns=(
                "fee_item.name",
                "service_from",
                "service_to",
                "quantity",
                "rate",
                "raw_amount",
                "amount",
                "explanation",
            ),
        ),
        Related("credit_notes", "invoice_id"),
        Related("allocations", "invoice_id"),
        Related("late_fee_waivers", "invoice_id"),
    )
    details_template = "billing/invoice.html"
    empty_hint = _l("Bills appear here when a period was issued under “Billing run”.")

    @office_action("notice", _l("Print payment notices"), icon="printer", is_together=True)
    def notice(self, rows: Sequence[Invoice], _given: Any) -> Response:
        return notices_pdf(self, [row.id for row in rows])

    @office_action(
        "credit",
        _l("Credit note"),
        on="row",
        icon="undo-2",
        fields=(
            Ask("amount", _l("Amount"), kind="money", is_required=True),
            Ask(
                "kind",
                _l("Kind"),
                kind="choice",
                is_required=True,
                choices=labels.CREDIT_KINDS,
                preset="error",
            ),
            Ask("fee_item", _l("Fee item"), kind="choice", choices=fee_items),
            Ask("reason", _l("Reason"), is_required=True),
        ),
    )
    def credit(self, rows: Sequence[Invoice], given: Any) -> str:
        session = db.session()
        item_id = session.scalar(db.select(FeeItem.id).where(FeeItem.code == given["fee_item"]))
        new = invoices.NewCreditNote(
            rows[0].id, given["amount"], given["reason"], current_staff().id, given["kind"], item_id
        )
        note = invoices.credit_note(session, new, now=self.now())
        return _("Credit note %(number)s was issued.", number=note.number)

    @office_action(
        "waive",
        _l("Waive late fee"),
        on="row",
        icon="percent",
        fields=(
            Ask("amount", _l("Amount"), kind="money", is_required=True),
            Ask("reason", _l("Reason"), is_required=True),
        ),
    )
    def waive(self, rows: Sequence[Invoice], given: Any) -> str:
        made = late_fee.ask_for_waiver(
            db.session(),
            rows[0].id,
            amount=given["amount"],
            reason=given["reason"],
            staff_id=current_staff().id,
            now=self.now(),
        )
        if isinstance(made, LateFeeWaiver):
            return _("%(amount)s of the late fee was waived.", amount=formats.amount(made.amount))
        return _("The waiver was asked for; a manager decides it under “Waiver requests”.")

    @office_action(
        "charge",
        _l("One-off charge"),
        on="list",
        icon="plus",
        fields=(
            Ask("unit_code", _l("Unit no."), is_required=True),
            Ask("fee_item", _l("Fee item"), kind="choice", is_required=True, choices=fee_items),
            Ask("quantity", _l("Quantity"), kind="money", is_required=True),
            Ask("rate", _l("Rate"), kind="money", is_required=True),
            Ask("due_on", _l("Due on"), kind="date", is_required=True),
        ),
    )
    def charge(self, _rows: Sequence[Invoice], given: Any) -> Any:
        session, code = db.session(), given["unit_code"].strip()
        unit_id = row_access.unit_named(code)
        item = session.scalars(db.select(FeeItem).where(FeeItem.code == given["fee_item"])).one()
        payer_id = unit_terms.payer_of_item(session, unit_id, item, self.today())
        if payer_id is None:
            raise Refused(_("Nobody pays for unit %(unit)s", unit=code))
        invoice = invoices.charge(
            session,
            unit_id=unit_id,
            payer_id=payer_id,
            charges=[invoices.Charge(given["fee_item"], given["quantity"], given["rate"])],
            due_on=given["due_on"],
            now=self.now(),
            staff_id=current_staff().id,
            form_key=request.form.get("form_key", "")[:60] or None,
        )
        session.commit()
        flash(_("Invoice %(number)s was issued.", number=invoice.number), "success")
        return redirect(url_for("invoices.details_view", id=invoice.id))

    @office_action(
        "bill_ahead",
        _l("Bill months ahead"),
        on="list",
        icon="calendar-days",
        fields=(
            Ask("unit_code", _l("Unit no."), is_required=True),
            Ask(
                "months",
                _l("Months"),
                kind="number",
                is_required=True,
                help=_l("From the first month that has no bill yet; each month gets a bill of its own"),
            ),
        ),
    )
    def bill_ahead(self, _rows: Sequence[Invoice], given: Any) -> Any:
        made = months_ahead.issue(
            db.session(),
            row_access.unit_named(given["unit_code"].strip()),
            int(given["months"]),
            now=self.now(),
            staff_id=current_staff().id,
        )
        return _(
            "Bills were issued for %(first)s to %(last)s, %(amount)s in all.",
            first=made[0].period,
            last=made[-1].period,
            amount=formats.amount(sum((one.amount for one in made), Decimal(0))),
        )

    def limitation(self, row: Invoice) -> LimitedDebt | None:
        """Until when the bill can be sued for; None once nothing is open (C21)."""
        return limitation.of_invoice(db.session(), row.id, self.today()) if row.balance > 0 else None

    def late_fee(self, row: Invoice) -> dict[str, Any] | None:
        """The late fee to a day, part by part; nothing while the policy is off and none accrued (B7)."""
        session = db.session()
        try:
            on = _day(request.args["late_on"]) if request.args.get("late_on") else self.today()
        except Refused:
            on = self.today()
        policy = late_fee.policy_on(session, on)
        if not policy.is_on and not row.late_fee:
            return None
        fee = late_fee.explained(session, row.id, on)
        waived = session.scalars(
            db.select(LateFeeWaiver.amount).where(LateFeeWaiver.invoice_id == row.id)
        ).all()
        return {"on": on, "policy": policy, "fee": fee, "waived": sum(waived, Decimal(0))}

    def item_name(self, code: str) -> str:
        """What the fee item of a code is called in the reader's language."""
        return item_names([code]).get(code, code)


def notices_pdf(view: Any, ids: Sequence[int]) -> Response:
    """The payment notices of invoices as one PDF, each filed in its household file (B5)."""
    session, now = db.session(), view.now()
    papers = [
        NewPaper(invoice.number, value, invoice.unit_id, invoice.payer_id)
        for invoice, value in archive.payment_notices(session, ids, on=view.today())
    ]
    made = print_papers(session, "payment_notice", papers, now=now, staff_id=current_staff().id)
    return pdf_response(made, "notices.pdf")


class InvoiceLineView(OfficeView):
    table = InvoiceLine
    screen = "invoice_lines"
    title = _l("Lines")
    is_large = True
    can_create = can_edit = can_delete = False
    column_list = ("invoice.number", "fee_item.name", "quantity", "rate", "amount", "explanation")
    column_hidden = ("months", "factor", "raw_amount", "service_from", "service_to")
    column_formats = {"explanation": formats.reason}


class CreditNoteView(OfficeView):
    table = CreditNote
    screen = "credit_notes"
    title = _l("Credit notes")
    empty_hint = _l("To correct a bill, open it under “Invoices” and choose “Credit note”.")
    icon = "undo-2"
    can_create = can_edit = can_delete = False
    column_list = (
        "number",
        "invoice.number",
        "invoice.unit.code",
        "fee_item.name",
        "amount",
        "reason",
        "issued_on",
        "kind",
    )
    column_searchable_list = ("number", "invoice.number", "invoice.unit.code")
    column_default_sort = "-issued_on"
    choices = {"kind": labels.CREDIT_KINDS}
    filters = (RangeFilter("issued_on"), RangeFilter("amount"), ChoiceFilter("kind"))

    @office_action("paper", _l("Print the credit note"), on="row", icon="printer", verb="see")
    def paper(self, rows: Sequence[CreditNote], _given: Any) -> Response:
        row = rows[0]
        made = documents.print_credit_note(db.session(), row.id, now=self.now(), staff_id=current_staff().id)
        return pdf_response(made, f"{row.number}.pdf")


SCREENS = (
    InvoiceView,
    InvoiceLineView,
    ServiceSlipView,
    MeterView,
    MeterReadingView,
    FeeItemView,
    TariffView,
    CreditNoteView,
)
