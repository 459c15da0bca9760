"""The office's own books: the estate, its calendar, what was changed, sent and printed (P1, T5, §8, §10)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flask import Response, request
from flask_admin import expose
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from admin.panel import formats, labels, record_words
from admin.panel.columns import coded
from admin.panel.filters import ChoiceFilter, RangeFilter, RelationFilter
from admin.panel.signed_in import current_staff
from admin.panel.view import OfficeView, OneClick, office_action
from models.base import db
from models.office import Audit, Message, Paper
from models.property import Estate
from office.documents import filing
from office.messaging import outbox
from office.messaging.channels import NOT_SET_UP


class EstateView(OfficeView):
    table = Estate
    screen = "estate"
    title = _l("Estate")
    icon = "building-2"
    can_create = can_delete = False
    column_list = ("name", "address", "phone", "preset", "time_zone", "is_sandbox")
    choices = {"preset": labels.PRESETS, "language": labels.LANGUAGES, "word_set": labels.WORD_SETS}
    form_columns = (
        "name",
        "address",
        "phone",
        "language",
        "word_set",
        "payment_accounts",
        "ways_to_pay",
    )
    form_sections = (
        (_l("Letterhead"), ("name", "address", "phone", "language", "word_set")),
        (_l("How residents pay"), ("payment_accounts", "ways_to_pay")),
    )

    def text_of(self, row: Estate) -> str:
        return row.name

    column_descriptions = {
        "payment_accounts": _l("One line each, as notices shall show them"),
        "ways_to_pay": _l("One line each, as notices shall show them"),
        "language": _l("Of papers and messages to owners who chose none"),
        "word_set": _l(
            "Empty: as the currency says. Papers then use the terms and name the laws of that place."
        ),
    }


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
    title = _l("Messages out")
    empty_hint = _l("Messages appear here when reminders or notices are sent.")
    icon = "send"
    is_large = True
    can_create = can_edit = can_delete = False
    column_list = ("made_at", "channel", "address", "subject", "state", "attempts", "sent_at", "error")
    column_default_sort = "-made_at"
    column_labels = {"channel": _l("Goes by")}
    column_formats = {"error": _error}
    choices = {"state": labels.MESSAGE_STATES, "channel": labels.CHANNELS_OUT}
    filters = (ChoiceFilter("state"), ChoiceFilter("channel"), RangeFilter("made_at"))
    one_click = (
        OneClick("unknown", _l("To be looked into"), lambda _view: [_unsent(), Message.state == "unknown"]),
        OneClick("dead", _l("Given up"), lambda _view: [_unsent(), Message.state == "dead"]),
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
    title = _l("Papers filed")
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
