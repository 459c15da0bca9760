"""The statement of account on screen, as a file and on paper; the certificate that nothing is owed (M11)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from flask import Response, abort, flash, redirect, request, url_for
from flask_admin import expose
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import select

from admin.panel import error_messages, language, list_exports, request_values, row_access, typed_text
from admin.panel.audit import record, record_reading
from admin.panel.responses import pdf_response
from admin.panel.signed_in import current_staff
from admin.panel.view import OfficePage
from models.base import db
from models.billing import Invoice
from models.payments import Payment
from models.people import Occupancy, Owner
from models.property import Unit
from office.billing import account_papers
from office.core.errors import Refused
from office.documents.pdf.accounts import described
from office.documents.pdf.wording import words_of
from office.payments import earmarks
from office.receivables import account_export, accounts
from office.receivables.accounts import Of

EVERYWHERE = "all"  # at all units of the payer


class AccountPage(OfficePage):
    screen = "statement_of_account"
    title = _l("Statement of account")
    icon = "file-spreadsheet"
    verbs = {"paper": "act", "certificate": "act", "file": "export"}

    @expose("/")
    def index(self) -> Any:
        given, wrong = request.args, {}
        if (code := given.get("unit_code", "").strip()) and not given.get("unit_id"):
            found = row_access.named(Unit, Unit.code, code[: request_values.LONGEST_INPUT])
            if found is not None:
                return redirect(url_for("statement_of_account.index", unit_id=found.id))
            wrong["unit_code"] = _("There is no unit %(code)s", code=code[:40])
        if not given.get("unit_id"):
            return self.render("billing/account.html", unit=None, wrong=wrong, given=given, view=self)
        unit = row_access.find_or_404(Unit, given["unit_id"])
        payers = self._payers(unit.id)
        first, last = self._days(given, wrong)
        of = self._of(unit, payers, given)
        try:
            account = accounts.account(db.session(), of, first, last)
        except Refused as refusal:
            wrong["from"] = error_messages.message_for(refusal)
            account = accounts.account(db.session(), of, None, None)
        words = words_of(language.current())
        lines = account_papers.account_lines(db.session(), account, language.current())
        owed = of.payer_id and of.unit_id and account_papers.what_is_owed(db.session(), unit.id, of.payer_id)
        return self.render(
            "billing/account.html",
            unit=unit,
            payers=payers,
            of=of,
            account=account,
            lines=[(line, described(words, line)) for line in lines],
            wrong=wrong,
            given=given,
            aside=earmarks.named(db.session(), *of.rows(Payment)),
            language=language.current(),
            bound=bool(row_access.own_buildings()),
            owed=error_messages.message_for(owed) if owed else "",
            query=_query(unit, of, account.from_on, account.to_on),
            view=self,
        )

    def _days(self, given: Mapping[str, str], wrong: dict[str, str]) -> tuple[date | None, date | None]:
        """The days that were typed; without a first one from the year's beginning, all with `from=all`."""
        days: dict[str, date | None] = {"from": self.today().replace(month=1, day=1), "to": None}
        for name in days:
            if not (said := given.get(name, "").strip()):
                continue
            try:
                days[name] = None if said == EVERYWHERE else typed_text.day(said)
            except ValueError as problem:
                wrong[name] = str(problem)
        return days["from"], days["to"]

    def _payers(self, unit_id: int) -> dict[int, str]:
        """Who pays or ever paid or was billed for a unit, who pays today first."""
        session = db.session()
        ways = (
            select(Occupancy.owner_id).where(Occupancy.unit_id == unit_id, Occupancy.is_payer),
            select(Invoice.payer_id).where(Invoice.unit_id == unit_id),
            select(Payment.payer_id).where(Payment.unit_id == unit_id),
        )
        found = {owner_id for way in ways for owner_id in session.scalars(way.distinct())}
        now = account_papers.payer_now(session, unit_id)
        rows = session.execute(select(Owner.id, Owner.name).where(Owner.id.in_(found)).order_by(Owner.id))
        return dict(sorted(((row[0], row[1]) for row in rows), key=lambda one: one[0] != now))

    def _of(self, unit: Unit, payers: Mapping[int, str], given: Mapping[str, str]) -> Of:
        """Whose account: who pays today unless another payer of the unit, or all of them, are chosen."""
        said = given.get("payer_id", "").strip()
        if said == EVERYWHERE or not payers:
            return Of(unit.id)
        payer_id = request_values.row_id(said) if said else next(iter(payers))
        if payer_id not in payers:
            abort(404)
        is_everywhere = given.get("units") == EVERYWHERE and not row_access.own_buildings()
        return Of(None if is_everywhere else unit.id, payer_id)

    def _asked(self, given: Mapping[str, str]) -> tuple[Unit, Of, date | None, date | None]:
        unit = row_access.find_or_404(Unit, given.get("unit_id"))
        wrong: dict[str, str] = {}
        first, last = self._days(given, wrong)
        if wrong:
            abort(400)
        return unit, self._of(unit, self._payers(unit.id), given), first, last

    @expose("/file/")
    def file(self) -> Any:
        """The account as CSV or XLSX, as `flask export statement_of_account` gives it."""
        unit, of, first, last = self._asked(request.args)
        kind = request.args.get("kind", "")
        if kind not in list_exports.KINDS:
            abort(404)
        try:
            account = accounts.account(db.session(), of, first, last)
        except Refused as refusal:
            return self._back(unit, of, refusal)
        header, rows = account_export.table(db.session(), account)
        about = {"from": account.from_on, "to": account.to_on, "payer_id": of.payer_id}
        record_reading("export", "unit", unit.id, about)
        name = f"statement_of_account-{unit.code}.{kind}"
        return list_exports.table_response(header, rows, name, kind)

    @expose("/paper/", methods=("POST",))
    def paper(self) -> Any:
        unit, of, first, last = self._asked(request.form)
        try:
            made, number = account_papers.print_statement(
                db.session(), of, first, last, now=self.now(), staff_id=current_staff().id
            )
        except Refused as refusal:
            return self._back(unit, of, refusal)
        return self._printed(made, number, unit)

    @expose("/certificate/", methods=("POST",))
    def certificate(self) -> Any:
        """The certificate that nothing is owed; while something is, the page says what (M11)."""
        unit, of, _first, _last = self._asked(request.form)
        try:
            made, number = account_papers.print_certificate(
                db.session(), of, now=self.now(), staff_id=current_staff().id
            )
        except Refused as refusal:
            return self._back(unit, of, refusal)
        return self._printed(made, number, unit)

    def _printed(self, made: bytes, number: str, unit: Unit) -> Response:
        record("print", "unit", unit.id, {}, {"paper": number})
        db.session.commit()
        return pdf_response(made, f"{number}.pdf")

    def _back(self, unit: Unit, of: Of, refusal: Refused) -> Any:
        """To the page, which shows the open bills and leads to the desk, with the reason."""
        db.session.rollback()
        flash(error_messages.message_for(refusal), "error")
        return redirect(url_for("statement_of_account.index", **_query(unit, of, None, None)))


def _query(unit: Unit, of: Of, first: date | None, last: date | None) -> dict[str, Any]:
    """The address of what is shown."""
    found: dict[str, Any] = {"unit_id": unit.id, "payer_id": of.payer_id or EVERYWHERE}
    if of.unit_id is None:
        found["units"] = EVERYWHERE
    if first is not None and last is not None:
        found |= {"from": first.isoformat(), "to": last.isoformat()}
    return found


SCREENS = (AccountPage,)
