"""Legal cases: the gate, the steps of a case, what was recovered (C10)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from admin.arrears.debtors import debtor_of
from admin.panel import formats, labels, wording
from admin.panel.filters import ChoiceFilter, RangeFilter
from admin.panel.signed_in import staff_id
from admin.panel.view import Ask, OfficeView, OneClick, office_action
from models.base import db
from models.collection import LegalCase
from office.arrears import legal_cases


def missing_words(value: Any, _row: Any) -> str:
    """A gate's missing codes in words."""
    return " · ".join(wording.value("missing", code) for code in (value or "").split()) or "–"


class LegalCaseView(OfficeView):
    table = LegalCase
    screen = "legal_cases"
    title = _l("Legal cases")
    empty_hint = _l("Open the first one with “Open a case”; it says what is still missing.")
    icon = "gavel"
    can_create = can_edit = can_delete = False
    column_list = (
        "unit.code",
        "payer.name",
        "state",
        "opened_on",
        "amount",
        "recovered",
        "letter_batch",
        "filing_batch",
        "closed_on",
    )
    column_hidden = ("missing", "result")
    column_searchable_list = ("unit.code", "payer.name")
    column_formats = {"missing": missing_words}
    details_template = "arrears/restriction_details.html"
    law = ""
    column_labels = {"opened_on": _l("Case opened on")}
    choices = {"state": labels.LEGAL_STATES}
    filters = (ChoiceFilter("state"), RangeFilter("opened_on"))
    one_click = (OneClick("open", _l("Open"), lambda _view: [LegalCase.closed_on.is_(None)]),)

    def gate_of(self, row: LegalCase) -> list[tuple[str, bool]]:
        """The gate's questions in words, and whether each is answered, while the letter has not gone."""
        if row.state != "preparing":
            return []
        lacking = legal_cases.missing(db.session(), (row.unit_id, row.payer_id), at=self.now())
        return [(wording.value("missing", code), code not in lacking) for code in legal_cases.QUESTIONS]

    def ends_on(self, _row: LegalCase) -> None:
        """A case has no last day."""

    @office_action(
        "open",
        _l("Open a case"),
        on="list",
        icon="plus",
        fields=(Ask("unit_code", _l("Unit no."), is_required=True),),
    )
    def open(self, _rows: Any, given: Mapping[str, Any]) -> str:
        case = legal_cases.open_case(
            db.session(), debtor_of(self, given), now=self.now(), staff_id=staff_id()
        )
        return _("A case over %(amount)s was opened.", amount=formats.amount(case.amount))

    @office_action(
        "move",
        _l("Next step"),
        on="row",
        icon="chevron-right",
        fields=(
            Ask("state", _l("State"), kind="choice", is_required=True, choices=labels.LEGAL_STATES),
            Ask("result", _l("Result")),
            Ask("recovered", _l("Recovered"), kind="money"),
        ),
    )
    def move(self, rows: Sequence[LegalCase], given: Mapping[str, Any]) -> str:
        legal_cases.move_case(
            db.session(),
            rows[0].id,
            given["state"],
            now=self.now(),
            staff_id=staff_id(),
            result=given["result"],
            recovered=given["recovered"],
        )
        return _("The case is now: %(state)s.", state=labels.LEGAL_STATES[given["state"]])


SCREENS = (LegalCaseView,)
