"""The ledger: its accounts, a month's vouchers made, looked at, exported once, reversed (M12)."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from flask import abort, flash, redirect, request, url_for
from flask_admin import expose
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import case, func, select

from admin.panel import error_messages, labels, language, list_exports
from admin.panel.audit import record_reading
from admin.panel.filters import ChoiceFilter, FlagFilter, RangeFilter, RelationFilter
from admin.panel.idempotency import idempotent
from admin.panel.signed_in import current_staff
from admin.panel.view import Ask, OfficePage, OfficeView, OneClick, Related, office_action
from models.base import db
from models.billing import CreditNote, Invoice
from models.payments import Allocation, Payment
from models.people import Staff
from models.vouchers import LedgerAccount, Voucher, VoucherLine, VoucherSource
from office.core.errors import Refused
from office.exchange import spreadsheets
from office.vouchers import accounts, files, making
from rules.billing import Period

MONTHS_OFFERED = 13


class LedgerPage(OfficePage):
    screen = "ledger"
    title = _l("Vouchers of a month")
    icon = "library"
    verbs = {"make": "act", "export": "act", "file": "export"}

    @expose("/")
    def index(self) -> Any:
        month = self._month(request.args.get("month", ""))
        session = db.session()
        planned = making.plan(session, month)
        counted = session.execute(
            select(Voucher.kind, func.count(), func.sum(Voucher.amount))
            .where(Voucher.period == str(month))
            .group_by(Voucher.kind)
        ).all()
        return self.render(
            "vouchers/ledger.html",
            month=month,
            months=self._months(month),
            planned=planned,
            made={kind: (count, amount) for kind, count, amount in counted},
            waiting=session.scalar(
                select(func.count()).where(Voucher.period == str(month), Voucher.exported_at.is_(None))
            ),
            exported=self._exported(month),
            begins=making.begins_in(session),
            layouts=files.layouts(),
            kinds=labels.VOUCHER_KINDS,
            uses=labels.LEDGER_USES,
            methods=labels.METHODS,
            language=language.current(),
            view=self,
        )

    def _month(self, text: str) -> Period:
        """The month asked for; without one the last that is over."""
        if not text:
            return Period.of(self.today()).plus(-1)
        try:
            return Period.parse(text)
        except ValueError:
            abort(404)

    def _months(self, chosen: Period) -> list[str]:
        now = Period.of(self.today())
        offered = {str(now.plus(-back)) for back in range(MONTHS_OFFERED)} | {str(chosen)}
        offered |= set(db.session.scalars(select(Voucher.period).distinct()))
        return sorted(offered, reverse=True)

    @staticmethod
    def _exported(month: Period) -> Sequence[Any]:
        """What was exported of a month, the newest first: when, by whom, how many."""
        return db.session.execute(
            select(Voucher.exported_at, Staff.name, func.count())
            .outerjoin(Staff, Staff.id == Voucher.exported_by_id)
            .where(Voucher.period == str(month), Voucher.exported_at.is_not(None))
            .group_by(Voucher.exported_at, Staff.name)
            .order_by(Voucher.exported_at.desc())
        ).all()

    @expose("/make/", methods=("POST",))
    @idempotent
    def make(self) -> Any:
        month = self._month(request.form.get("month", ""))
        self._do(lambda: self._made(month))
        return redirect(url_for("ledger.index", month=str(month)))

    def _made(self, month: Period) -> str:
        made = making.make(db.session(), month, staff_id=current_staff().id, now=self.now())
        if not made:
            return _("Nothing waits: every document of %(month)s stands in a voucher.", month=str(month))
        return _("%(count)s vouchers were made.", count=len(made))

    @expose("/export/", methods=("POST",))
    @idempotent
    def export(self) -> Any:
        """Mark what was not exported yet; the page then offers it as a file."""
        month = self._month(request.form.get("month", ""))
        self._do(lambda: self._claimed(month))
        return redirect(url_for("ledger.index", month=str(month)))

    def _claimed(self, month: Period) -> str:
        count = files.export(db.session(), str(month), staff_id=current_staff().id, now=self.now())
        return _("%(count)s vouchers are exported: fetch their file below.", count=count)

    @staticmethod
    def _do(work: Callable[[], str]) -> None:
        try:
            said = work()
            db.session.commit()
        except Refused as refusal:
            db.session.rollback()
            flash(error_messages.message_for(refusal), "error")
        else:
            flash(said, "success")

    @expose("/file/")
    def file(self) -> Any:
        """What was exported at an instant, in the layout of an accounting program; the same again later."""
        month = self._month(request.args.get("month", ""))
        layout = files.layouts().get(request.args.get("layout", ""))
        kind = request.args.get("kind", "")
        try:
            at = datetime.fromisoformat(request.args.get("at", ""))
        except ValueError:
            abort(404)
        if layout is None or kind not in list_exports.KINDS or at.tzinfo is None:
            abort(404)
        header, rows = files.table(db.session(), layout, str(month), at)
        content = _content(kind, header, list(rows))
        record_reading("export", "voucher", None, {"period": str(month), "layout": layout.code})
        return list_exports.file_response(content, f"vouchers-{month}-{layout.code}.{kind}", kind)


def _content(kind: str, header: Sequence[str], rows: Sequence[Sequence[Any]]) -> bytes:
    with io.BytesIO() as made:
        if kind == "csv":
            text = io.TextIOWrapper(made, encoding="utf-8", newline="")
            text.write(list_exports.BOM)
            spreadsheets.write_csv(text, header, rows)
            text.flush()
        else:
            spreadsheets.write_xlsx(made, header, rows)
        return made.getvalue()


class LedgerAccountView(OfficeView):
    table = LedgerAccount
    screen = "ledger_accounts"
    title = _l("Accounts of the ledger")
    empty_hint = _l(
        "Say which account each fee item and each way to pay has in the ledger. “Fill in the usual accounts” "
        "brings those of the accounting standard; check them with your accountant."
    )
    icon = "list-checks"
    can_delete = False
    column_list = (
        "use",
        "fee_item.name",
        "method",
        "account",
        "account_name",
        "tax_rate",
        "auxiliary",
        "valid_from",
    )
    column_searchable_list = ("account", "account_name")
    column_default_sort = "account"
    column_labels = {"account_name": _l("Name of the account")}
    choices = {
        "use": labels.LEDGER_USES,
        "method": {"": "", **labels.METHODS},
        "auxiliary": labels.LEDGER_AUXILIARIES,
    }
    filters = (ChoiceFilter("use"), RelationFilter("fee_item"), RangeFilter("valid_from"))
    form_columns = (
        "use",
        "fee_item",
        "method",
        "account",
        "account_name",
        "tax_rate",
        "auxiliary",
        "valid_from",
    )
    column_descriptions = {
        "fee_item": _l("Only where the account is for a fee item"),
        "method": _l("Only where the account is for a way to pay"),
        "tax_rate": _l("The tax that prices include: 0.06 is six in a hundred"),
        "auxiliary": _l("By what lines of this account are kept apart"),
        "valid_from": _l("Vouchers from this day on use it; vouchers that are made stay"),
    }

    def before_save(self, form: Any, row: Any, is_new: bool) -> None:  # noqa: ARG002, FBT001 -- the base's hook
        row.fee_item_id = None if row.fee_item is None else row.fee_item.id
        row.method = row.method or ""
        accounts.check(db.session(), row)

    @office_action(
        "fill",
        _l("Fill in the usual accounts"),
        on="list",
        icon="list-checks",
        confirm=_l("Give the usual account to everything that has none? What is there stays."),
    )
    def fill(self, _rows: Sequence[LedgerAccount], _given: Any) -> str:
        made = accounts.fill_usual(db.session(), staff_id=current_staff().id, now=self.now())
        return _("%(count)s accounts were filled in: check them with your accountant.", count=len(made))


class VoucherView(OfficeView):
    table = Voucher
    screen = "vouchers"
    title = _l("Vouchers")
    empty_hint = _l("Vouchers appear here when they are made under “Vouchers of a month”.")
    icon = "files"
    can_create = can_edit = can_delete = False
    column_list = ("number", "period", "dated_on", "kind", "amount", "made_by.name", "exported_at")
    column_hidden = ("running_no", "made_at", "exported_by.name", "reverses.number", "reason")
    column_searchable_list = ("number",)
    column_default_sort = "-number"
    column_labels = {"running_no": _l("No. in the month")}
    choices = {"kind": labels.VOUCHER_KINDS}
    filters = (ChoiceFilter("kind"), RangeFilter("dated_on"), RangeFilter("amount"))
    one_click = (
        OneClick("not_exported", _l("Not exported yet"), lambda _view: [Voucher.exported_at.is_(None)]),
    )
    detail_columns = (
        "number",
        "period",
        "dated_on",
        "kind",
        "amount",
        "reverses.number",
        "reason",
        "made_by.name",
        "made_at",
        "exported_by.name",
        "exported_at",
    )
    related = (Related("voucher_lines", "voucher_id"), Related("voucher_sources", "voucher_id"))

    @office_action(
        "reverse",
        _l("Reverse"),
        on="row",
        icon="undo-2",
        tone="bad",
        confirm=_l(
            "Reverse this voucher? A voucher in red takes it back, and its documents wait for a voucher "
            "again."
        ),
        fields=(Ask("reason", _l("Reason"), is_required=True),),
    )
    def reverse(self, rows: Sequence[Voucher], given: Mapping[str, Any]) -> str:
        made = making.reverse(
            db.session(), rows[0].id, reason=given["reason"], staff_id=current_staff().id, now=self.now()
        )
        return _("Voucher %(number)s takes it back.", number=made.number)


class VoucherLineView(OfficeView):
    table = VoucherLine
    screen = "voucher_lines"
    title = _l("Entries")
    is_large = True
    can_create = can_edit = can_delete = False
    column_list = (
        "voucher.number",
        "account",
        "account_name",
        "debit",
        "credit",
        "unit.code",
        "payer.name",
        "building.name",
    )
    column_hidden = ("use",)
    column_labels = {"account_name": _l("Name of the account")}
    choices = {"use": labels.LEDGER_USES}
    filters = (ChoiceFilter("use"),)


def _document(row: Any) -> Any:
    """What people call a document of a voucher; a payment's part of a bill is called by both."""
    said = (
        ("invoice", select(Invoice.number).where(Invoice.id == row.source_id)),
        ("credit_note", select(CreditNote.number).where(CreditNote.id == row.source_id)),
        ("payment", select(Payment.receipt_no).where(Payment.id == row.source_id)),
        (
            "allocation",
            select(Payment.receipt_no + " → " + Invoice.number)
            .select_from(Allocation)
            .join(Payment, Payment.id == Allocation.payment_id)
            .join(Invoice, Invoice.id == Allocation.invoice_id)
            .where(Allocation.id == row.source_id),
        ),
    )
    return case(*((row.source == code, asked.scalar_subquery()) for code, asked in said), else_="")


class VoucherSourceView(OfficeView):
    table = VoucherSource
    screen = "voucher_sources"
    title = _l("Documents in it")
    is_large = True
    can_create = can_edit = can_delete = False
    column_list = ("voucher.number", "source", "document", "is_live")
    column_computed = {"document": _document}
    column_labels = {"source": _l("Kind"), "document": _l("Document")}
    choices = {"source": labels.VOUCHER_SOURCES}
    filters = (ChoiceFilter("source"), FlagFilter("is_live"))


SCREENS = (LedgerPage, VoucherView, LedgerAccountView, VoucherLineView, VoucherSourceView)
