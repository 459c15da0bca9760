"""The office's own books: the estate, its calendar, what was changed, sent and printed (P1, T5, §8, §10)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flask import Response, flash, redirect, request, url_for
from flask_admin import expose
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import select
from wtforms import TextAreaField

from admin.panel import error_messages, formats, labels, record_words
from admin.panel.columns import coded
from admin.panel.filters import ChoiceFilter, RangeFilter, RelationFilter
from admin.panel.language import current as current_language
from admin.panel.signed_in import current_staff
from admin.panel.view import OfficeView, OneClick, office_action
from models.base import db
from models.office import Audit, Message, Paper
from models.property import Estate
from office.core import audit
from office.core.errors import Refused
from office.documents import collection_codes, filing
from office.estate import identity
from office.messaging import outbox
from office.messaging.channels import NOT_SET_UP


class EstateView(OfficeView):
    table = Estate
    screen = "estate"
    title = _l("Estate")
    icon = "building-2"
    can_create = can_delete = False
    column_list = ("name", "company_name", "address", "phone", "preset", "time_zone", "is_sandbox")
    column_labels = {
        "company_name": _l("Company's full legal name"),
        "registration_no": _l("Registration number"),
        "registered_address": _l("Registered address"),
        "legal_representative": _l("Legal representative"),
        "licence": _l("Licence"),
        "contract_name": _l("Name of the contract"),
        "contract_number": _l("Number of the contract"),
        "contract_signed_on": _l("Signed on"),
        "clause_fees": _l("Clause on fees"),
        "clause_late_fees": _l("Clause on late fees"),
        "clause_restrictions": _l("Clause on restrictions"),
        "fee_scheme": _l("Basis of fees"),
        "service_level": _l("Service level"),
        "complaint_numbers": _l("Complaints about charges"),
        "public_address": _l("Public address"),
        **{
            f"{name}_{code}": said
            for code, language in (
                ("zh_hant", labels.LANGUAGES["zh_Hant"]),
                ("en", labels.LANGUAGES["en"]),
            )
            for name, said in (
                ("name", _l("Name, %(language)s", language=language)),
                ("address", _l("Address, %(language)s", language=language)),
                ("company_name", _l("Company's full legal name, %(language)s", language=language)),
                ("registered_address", _l("Registered address, %(language)s", language=language)),
                ("contract_name", _l("Name of the contract, %(language)s", language=language)),
                ("service_level", _l("Service level, %(language)s", language=language)),
                ("complaint_numbers", _l("Complaints about charges, %(language)s", language=language)),
                ("payment_accounts", _l("Payment accounts, %(language)s", language=language)),
                ("ways_to_pay", _l("Ways to pay, %(language)s", language=language)),
            )
        },
    }
    choices = {
        "preset": labels.PRESETS,
        "language": labels.LANGUAGES,
        "word_set": labels.WORD_SETS,
        "fee_scheme": labels.FEE_SCHEMES,
        "currency": labels.CURRENCIES,
    }
    form_sections = (
        (
            _l("The estate"),
            (
                *("name", "name_zh_hant", "name_en", "address", "address_zh_hant", "address_en", "phone"),
                *("currency", "language", "word_set", "public_address"),
            ),
        ),
        (
            _l("The company, as creditor"),
            (
                *("company_name", "company_name_zh_hant", "company_name_en", "registration_no"),
                *("registered_address", "registered_address_zh_hant", "registered_address_en"),
                *("legal_representative", "licence"),
            ),
        ),
        (
            _l("The contract with the owners"),
            (
                *("contract_name", "contract_name_zh_hant", "contract_name_en", "contract_number"),
                *("contract_signed_on", "clause_fees", "clause_late_fees", "clause_restrictions"),
            ),
        ),
        (
            _l("Notice of charges"),
            (
                *("fee_scheme", "service_level", "service_level_zh_hant", "service_level_en"),
                *("complaint_numbers", "complaint_numbers_zh_hant", "complaint_numbers_en"),
            ),
        ),
        (
            _l("How residents pay"),
            (
                *("payment_accounts", "payment_accounts_zh_hant", "payment_accounts_en"),
                *("ways_to_pay", "ways_to_pay_zh_hant", "ways_to_pay_en", "developer"),
            ),
        ),
    )
    form_columns = tuple(column for _title, columns in form_sections for column in columns)
    form_overrides = dict.fromkeys(identity.ONE_LINE, TextAreaField)  # a narrow screen shows them whole
    verbs = {"letterhead": "see", "code": "edit"}
    details_template = "system/estate_details.html"
    column_descriptions = {
        **dict.fromkeys(
            (f"payment_accounts{code}" for code in ("", "_zh_hant", "_en")),
            _l("One line each, as notices shall show them"),
        ),
        **dict.fromkeys(
            (f"ways_to_pay{code}" for code in ("", "_zh_hant", "_en")),
            _l("One line each, as notices shall show them"),
        ),
        "language": _l("Of papers and messages to owners who chose none"),
        "developer": _l("Pays the items that say so until somebody owns or rents the unit"),
        "word_set": _l(
            "Empty: as the currency says. Papers then use the terms and name the laws of that place."
        ),
        "name": _l("In simplified Chinese; what has no words in a language is shown in another."),
        "registration_no": _l("Unified social credit code, or the number of the local registration"),
        "clause_late_fees": _l("As in the contract, for example: Article 12, paragraph 2"),
        "service_level": _l("As agreed in the contract, for example: level 2"),
        "complaint_numbers": _l("One line each: who hears complaints about charges, and the number"),
        "public_address": _l("Under which residents reach this program, such as https://office.example.com"),
    }

    def text_of(self, row: Estate) -> str:
        return row.name

    def before_save(self, form: Any, row: Any, is_new: bool) -> None:  # noqa: ARG002, FBT001 -- the base's hook
        identity.check(row)

    def gaps(self) -> list[Any]:
        """What the papers lack, in sentences."""
        return [_(gap.what) for gap in identity.gaps(db.session())]

    def codes_to_pay(self) -> list[tuple[str, Any, str]]:
        """Each way to pay: its code, its name, and the picture's address where there is one."""
        kept = {one.way: one.picture for one in collection_codes.kept(db.session())}
        return [
            (way, said, f"data:image/png;base64,{kept[way]}" if way in kept else "")
            for way, said in labels.CODES_TO_PAY.items()
        ]

    @expose("/letterhead/")
    def letterhead(self) -> Any:
        """A demand with made-up values under the letterhead as it stands, in one language."""
        language = request.args.get("language", "")
        if language not in labels.LANGUAGES:
            language = current_language()
        made = filing.sample_pdf(db.session(), "demand", language=language, now=self.now())
        return Response(made, mimetype="application/pdf", headers={"Content-Disposition": "inline"})

    @expose("/code/", methods=("POST",))
    def code(self) -> Any:
        """Keep the picture of a code to pay by, or take it off the papers."""
        session, way, given = db.session(), request.form.get("way", ""), request.files.get("file")
        row = session.execute(select(Estate)).scalar_one()
        try:
            if request.form.get("do") == "remove":
                collection_codes.remove(session, way)
                said = _("The code is no longer on papers.")
            else:
                content = given.read(collection_codes.MAX_BYTES + 1) if given else b""
                collection_codes.keep(session, way, content)
                said = _("The code stands on papers from now on. Print one and scan it before you send any.")
            audit.record(
                session, self.now(), current_staff().id, "edit", row, {"collection_code": [None, way]}
            )
            session.commit()
            flash(said, "success")
        except Refused as refusal:
            session.rollback()
            flash(error_messages.message_for(refusal), "error")
        return redirect(url_for("estate.details_view", id=row.id))


class AuditView(OfficeView):
    table = Audit
    screen = "audit"
    title = _l("Change history")
    icon = "history"
    is_large = True
    can_create = can_edit = can_delete = False
    column_list = ("at", "staff.name", "action", "table_name", "row_id", "changes")
    column_default_sort = "-at"
    choices = {"action": record_words.ACTIONS, "table_name": record_words.TABLES}
    filters = (RangeFilter("at"), RelationFilter("staff"), ChoiceFilter("table_name"), ChoiceFilter("action"))
    column_formats = {"changes": formats.changes}


def _unsent() -> Any:
    """What message_unsent_idx holds."""
    return coded(Message.state, "pending", "failed", "sending", "unknown", "dead")


def _error(value: str | None, _row: Any = None) -> Any:
    """Our own sentence in the reader's language; a provider's as it came."""
    return _(NOT_SET_UP) if value == NOT_SET_UP else formats.text(value)


class MessageView(OfficeView):
    table = Message
    screen = "outbox"
    title = _l("Sent messages")
    empty_hint = _l("Messages appear here when reminders or notices are sent.")
    icon = "send"
    is_large = True
    can_create = can_edit = can_delete = False
    column_list = ("made_at", "channel", "address", "subject", "state", "attempts", "sent_at", "error")
    column_default_sort = "-made_at"
    column_labels = {"channel": _l("Goes by")}
    column_formats = {"error": _error}
    choices = {
        "state": labels.MESSAGE_STATES,
        "channel": {**labels.CHANNELS_OUT, "alert": _l("Alert to staff")},
    }
    filters = (ChoiceFilter("state"), ChoiceFilter("channel"), RangeFilter("made_at"))
    one_click = (
        OneClick(
            "unknown",
            _l("To be looked into"),
            lambda _view: [_unsent(), Message.state == "unknown"],
            awaits="act",
        ),
        OneClick("dead", _l("Abandoned"), lambda _view: [_unsent(), Message.state == "dead"], awaits="act"),
        OneClick(
            "waiting", _l("Waiting"), lambda _view: [_unsent(), Message.state.in_(("pending", "failed"))]
        ),
    )

    @office_action("arrived", _l("It arrived"), icon="check", confirm=_l("Mark the chosen messages as sent?"))
    def arrived(self, rows: Sequence[Message], _given: Any) -> str:
        return self._decide(rows, has_arrived=True)

    @office_action("again", _l("Send again"), icon="send", confirm=_l("Send the chosen messages again?"))
    def again(self, rows: Sequence[Message], _given: Any) -> str:
        return self._decide(rows, has_arrived=False)

    def _decide(self, rows: Sequence[Message], *, has_arrived: bool) -> str:
        for row in rows:
            outbox.decide_unknown(
                db.session(), row.id, has_arrived=has_arrived, now=self.now(), staff_id=current_staff().id
            )
        return _("%(count)s messages were decided.", count=len(rows))


class PaperView(OfficeView):
    table = Paper
    screen = "papers"
    title = _l("Document archive")
    empty_hint = _l("Every notice, letter and receipt that is printed is filed here.")
    icon = "file-text"
    is_large = True
    can_create = can_edit = can_delete = False
    column_list = ("number", "kind", "unit.code", "payer.name", "dated", "total", "issued_at", "copies")
    column_searchable_list = ("number", "unit.code")
    column_default_sort = "-issued_at"
    choices = {"kind": labels.PAPERS, "language": labels.LANGUAGES}
    detail_columns = (
        "number",
        "kind",
        "unit.code",
        "payer.name",
        "dated",
        "total",
        "language",
        "issued_at",
        "copies",
        "sha256",
    )
    filters = (ChoiceFilter("kind"), RangeFilter("issued_at"))
    verbs = {"pdf": "see"}
    details_template = "system/document_details.html"

    @expose("/pdf/")
    def pdf(self) -> Any:
        """The paper drawn again as it was filed."""
        row = self.get_or_404(request.args.get("id"))
        made = filing.filed_pdf(db.session(), row.id, self.now())
        return Response(made, mimetype="application/pdf", headers={"Content-Disposition": "inline"})


SCREENS = (EstateView, AuditView, MessageView, PaperView)
