"""Direct debit: mandates, the file for the bank, its answer, and what failed with the bank's reason (M4)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from flask import Response, flash, redirect, request, url_for
from flask_admin import expose
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from admin.panel import error_messages, formats, labels
from admin.panel.filters import ChoiceFilter, RangeFilter
from admin.panel.idempotency import idempotent
from admin.panel.signed_in import current_staff
from admin.panel.view import Ask, OfficeView, OneClick, Related, office_action
from models.base import db
from models.payments import DebitMandate, DirectDebit, DirectDebitBatch
from models.people import Occupancy
from office.billing import runs
from office.core.errors import Refused
from office.payments import direct_debit

LARGEST = 20 * 1024 * 1024
SHOWN_UNKNOWN = 10


class DebitMandateView(OfficeView):
    table = DebitMandate
    screen = "debit_mandates"
    title = _l("Direct debit mandates")
    icon = "landmark"
    can_delete = False
    column_list = ("unit.code", "owner.name", "bank", "account", "account_name", "signed_on", "ended_on")
    column_searchable_list = ("unit.code", "owner.name", "owner.pinyin_initials")
    column_default_sort = "-signed_on"
    filters = (RangeFilter("signed_on"),)
    one_click = (OneClick("current", _l("In force"), lambda _view: [DebitMandate.ended_on.is_(None)]),)
    form_columns = ("unit", "owner", "bank", "account", "account_name", "signed_on", "ended_on")
    column_descriptions = {
        "owner": _l("Who pays the unit's fees and signed"),
        "ended_on": _l("Empty: until further notice"),
    }
    empty_hint = _l("Enter who lets the office debit an account; their bills go into the bank's file.")

    def before_save(self, form: Any, row: Any, is_new: bool) -> None:  # noqa: ARG002, FBT001 -- the base's hook
        if row.ended_on is not None and row.ended_on < row.signed_on:
            raise Refused(_("The first day must not be after the last day."))
        pays = db.select(Occupancy.id).where(
            Occupancy.unit_id == row.unit.id, Occupancy.owner_id == row.owner.id, Occupancy.is_payer
        )
        with db.session.no_autoflush:
            if db.session.scalar(pays.limit(1)) is None:
                raise Refused(
                    _("%(name)s does not pay for %(unit)s", name=row.owner.name, unit=row.unit.code)
                )


class DirectDebitView(OfficeView):
    table = DirectDebitBatch
    screen = "direct_debits"
    title = _l("Direct debit")
    icon = "landmark"
    can_create = can_edit = can_delete = False
    column_list = ("number", "period", "layout", "exported_at", "state", "answered_at")
    column_default_sort = "-exported_at"
    choices = {"state": labels.DEBIT_BATCH_STATES, "layout": {}}
    one_click = (
        OneClick("open", _l("Not answered yet"), lambda _view: [DirectDebitBatch.state == "exported"]),
    )
    related = (Related("direct_debit_rows", "batch_id"),)
    list_template = "payments/direct_debits.html"
    details_template = "payments/direct_debit.html"
    verbs = {"bank_file": "act", "answer": "act", "make": "act"}
    empty_hint = _l("Choose a bank and a period above: the bank's file appears here with its answer.")

    def __init__(self, **kwargs: Any) -> None:
        self.choices = {
            "state": labels.DEBIT_BATCH_STATES,
            "layout": {code: layout.name for code, layout in direct_debit.layouts().items()},
        }
        super().__init__(**kwargs)

    def period(self) -> str:
        return self.today().strftime("%Y-%m")

    @expose("/make/", methods=("POST",))
    @idempotent
    def make(self) -> Any:
        """Collect what is owed up to a period into a file for the bank."""
        session = db.session()
        try:
            batch, _file = direct_debit.export_batch(
                session,
                period=str(runs.parse_period(request.form.get("period", ""))),
                layout=request.form.get("layout", "")[:40],
                now=self.now(),
                staff_id=current_staff().id,
            )
            session.commit()
        except Refused as refusal:
            session.rollback()
            flash(error_messages.message_for(refusal), "error")
            return redirect(url_for("direct_debits.index_view"))
        flash(
            _("File %(number)s is ready: download it and hand it to the bank.", number=batch.number),
            "success",
        )
        return redirect(url_for("direct_debits.details_view", id=batch.id))

    @expose("/file/", methods=("POST",))
    def bank_file(self) -> Any:
        """The bank's file of a batch, the same each time."""
        row = self.get_or_404(request.form.get("id"))
        _batch, content = direct_debit.batch_file(db.session(), row.id)
        return _download(content, direct_debit.file_name(row))

    @expose("/answer/", methods=("POST",))
    def answer(self) -> Any:
        """Take the bank's answer in: collected debits are posted, failed ones keep the bank's reason."""
        row, given, session = self.get_or_404(request.form.get("id")), request.files.get("file"), db.session()
        row_id = row.id
        try:
            content = _content(given)
            read = direct_debit.import_results(
                session, row_id, content, now=self.now(), staff_id=current_staff().id
            )
            session.commit()
        except Refused as refusal:
            session.rollback()
            flash(error_messages.message_for(refusal), "error")
            return redirect(url_for("direct_debits.details_view", id=row_id))
        flash(
            _(
                "%(collected)s debits were collected, %(failed)s failed.",
                collected=read.collected,
                failed=read.failed,
            ),
            "success",
        )
        if read.waiting:
            flash(
                _(
                    "%(count)s debits wait for you: a receipt has their money already, or the bank answered "
                    "another amount. See “Debits”.",
                    count=read.waiting,
                ),
                "warning",
            )
        if read.unknown:
            named = ", ".join(read.unknown[:SHOWN_UNKNOWN])
            flash(
                _(
                    "%(count)s lines belong to no debit of this file: %(named)s",
                    count=len(read.unknown),
                    named=named,
                ),
                "warning",
            )
        return redirect(url_for("direct_debits.details_view", id=row_id))


def _content(given: Any) -> bytes:
    """An uploaded file. Raises Refused when none was chosen or it is too large."""
    if given is None or not given.filename:
        raise Refused(_("Please choose a file."))
    content: bytes = given.read(LARGEST + 1)
    if len(content) > LARGEST:
        raise Refused(_("The file is larger than %(size)s MB", size=LARGEST // 1024 // 1024))
    return content


def _download(content: bytes, name: str) -> Response:
    made = Response(content, mimetype="application/octet-stream")
    made.headers.set("Content-Disposition", "attachment", filename=name)
    return made


class DirectDebitRowView(OfficeView):
    table = DirectDebit
    screen = "direct_debit_rows"
    title = _l("Debits")
    can_create = can_edit = can_delete = False
    column_list = (
        "batch.number",
        "invoice.number",
        "invoice.unit.code",
        "amount",
        "state",
        "bank_reason",
        "answered",
    )
    column_searchable_list = ("invoice.number", "invoice.unit.code")
    choices = {"state": labels.DEBIT_STATES}
    column_formats = {"bank_reason": formats.reason}
    filters = (ChoiceFilter("state"),)
    one_click = (
        OneClick("failed", _l("Failed"), lambda _view: [DirectDebit.state == "failed"]),
        OneClick("waiting", _l("Waiting"), lambda _view: [DirectDebit.state == "waiting"]),
    )

    @office_action("accept_receipt", _l("It is the receipt's money"), on="row", icon="check")
    def accept_receipt(self, rows: Sequence[DirectDebit], given: Mapping[str, Any]) -> str:  # noqa: ARG002
        direct_debit.accept_receipt(db.session(), rows[0].id, staff_id=current_staff().id, now=self.now())
        return _("The debit counts as collected with that receipt.")

    @office_action(
        "settle_amount",
        _l("Say what was collected"),
        on="row",
        icon="pencil",
        states=("waiting",),
        fields=(
            Ask(
                "collected",
                _l("Amount that the bank collected"),
                kind="money",
                is_required=True,
                help=_l("As it stands on the bank's account; 0 if nothing came"),
            ),
        ),
    )
    def settle_amount(self, rows: Sequence[DirectDebit], given: Mapping[str, Any]) -> str:
        row = direct_debit.settle_amount(
            db.session(),
            rows[0].id,
            collected=given["collected"],
            staff_id=current_staff().id,
            now=self.now(),
        )
        if row.state == "failed":
            return _("The debit counts as failed: its bill stays open.")
        return _("%(amount)s was posted.", amount=formats.amount(given["collected"]))


SCREENS: Sequence[Any] = (DirectDebitView, DirectDebitRowView, DebitMandateView)
