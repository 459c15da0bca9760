"""Service restrictions: request, two approvals, refusal, undertaking, letters (C9)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from flask import Response
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from admin.arrears.debtors import debtor_of
from admin.panel import formats, labels, language, wording
from admin.panel.filters import ChoiceFilter, RangeFilter
from admin.panel.responses import pdf_response
from admin.panel.signed_in import staff_id
from admin.panel.view import Action, Ask, OfficeView, OneClick, office_action
from models.base import db
from models.collection import Restriction
from office.arrears import letters, restrictions

LAW = _l("Water, power, heat, gas and access can't be restricted (Civil Code art. 944).")


def services(view: Any) -> dict[str, Any]:
    """The services that may be chosen: optional, contracted, protected by no law."""
    found = restrictions.choosable_services(db.session(), view.today())
    return {str(item.id): item.name_in(language.current()) for item in found}


class RestrictionView(OfficeView):
    table = Restriction
    screen = "restrictions"
    title = _l("Service restrictions")
    empty_hint = _l("The dunning ladder makes the request when its stage is due; it is approved here.")
    icon = "shield-alert"
    can_create = can_edit = can_delete = False
    details_template = "arrears/restriction_details.html"
    column_list = (
        "unit.code",
        "payer.name",
        "fee_item.name",
        "state",
        "requested_on",
        "effective_on",
        "lifted_on",
        "reason",
    )
    column_searchable_list = ("unit.code", "payer.name")
    column_labels = {
        "fee_item.name": _l("Service"),
        "approved_by.name": _l("First approval by"),
        "approved_at": _l("First approval at"),
        "second_approved_by.name": _l("Second approval by"),
        "undertaking_until": _l("Undertaking until"),
    }
    column_formats = {"reason": formats.reason}
    choices = {"state": labels.RESTRICTION_STATES}
    filters = (ChoiceFilter("state"), RangeFilter("requested_on"))
    one_click = (
        OneClick(
            "requested",
            _l("Waiting for approval"),
            lambda _view: [Restriction.state == "requested"],
            awaits="act",
        ),
        OneClick("in_effect", _l("In effect"), lambda _view: [Restriction.state == "in_effect"]),
    )
    detail_columns = (
        "unit.code",
        "payer.name",
        "fee_item.name",
        "contract_clause",
        "state",
        "requested_on",
        "approved_by.name",
        "approved_at",
        "second_approved_by.name",
        "second_approved_at",
        "effective_on",
        "lifted_on",
        "undertaking_until",
        "reason",
    )

    def allowed_actions(self, on: str) -> list[Action]:
        """The two yeses and the no first: what lies beyond the fourth button is one click further."""
        first = ("sign", "approve", "refuse", "letter")
        return sorted(super().allowed_actions(on), key=lambda each: (*first, each.code).index(each.code))

    def gate_of(self, row: Restriction) -> list[tuple[str, bool]]:
        """The gate's questions in words, and whether each is answered; nothing for what is over."""
        if row.state not in {"requested", "approved"}:
            return []
        asked = restrictions.questions(db.session(), row, at=self.now())
        return [(wording.value("missing", code), is_there) for code, is_there in asked]

    def ends_on(self, row: Restriction) -> Any:
        """The last day of one that has its first (C9)."""
        return restrictions.ends_on(db.session(), row.effective_on) if row.effective_on else None

    law = LAW
    service_fields = (
        Ask(
            "service",
            _l("Optional contracted service"),
            kind="choice",
            is_required=True,
            choices=services,
            help=LAW,
        ),
        Ask("clause", _l("Contract clause"), is_required=True),
    )

    @office_action(
        "request",
        _l("Ask for a restriction"),
        on="list",
        icon="plus",
        fields=(Ask("unit_code", _l("Unit no."), is_required=True), *service_fields),
    )
    def request(self, _rows: Any, given: Mapping[str, Any]) -> str:
        restrictions.request_restriction(
            db.session(),
            debtor_of(self, given),
            fee_item_id=int(given["service"]),
            contract_clause=given["clause"],
            now=self.now(),
            staff_id=staff_id(),
        )
        return _("The request was made; its gate says what is still missing.")

    @office_action(
        "choose_service",
        _l("Choose the service"),
        on="row",
        states=("requested",),
        icon="list-checks",
        fields=service_fields,
    )
    def choose_service(self, rows: Sequence[Restriction], given: Mapping[str, Any]) -> str:
        restrictions.choose_service(
            db.session(),
            rows[0].id,
            fee_item_id=int(given["service"]),
            contract_clause=given["clause"],
            now=self.now(),
            staff_id=staff_id(),
        )
        return _("The service was chosen.")

    @office_action(
        "approve",
        _l("Approve"),
        on="row",
        states=("requested",),
        icon="check",
        confirm=_l("Approve this restriction?"),
    )
    def approve(self, rows: Sequence[Restriction], _given: Any) -> str:
        return self._approve(rows[0], is_signed=False)

    @office_action(
        "sign",
        _l("Approve with signature (manager)"),
        on="row",
        states=("requested",),
        icon="pencil",
        confirm=_l("Sign this restriction as manager?"),
    )
    def sign(self, rows: Sequence[Restriction], _given: Any) -> str:
        return self._approve(rows[0], is_signed=True)

    def _approve(self, row: Restriction, *, is_signed: bool) -> str:
        made = restrictions.approve_restriction(
            db.session(), row.id, is_signed=is_signed, now=self.now(), staff_id=staff_id()
        )
        if made.effective_on is None:
            return _("Approved; the other approval is still missing.")
        return _("Approved: it takes effect on %(day)s.", day=formats.day(made.effective_on))

    @office_action(
        "refuse",
        _l("Refuse"),
        on="row",
        states=("requested", "approved"),
        icon="ban",
        tone="bad",
        fields=(Ask("reason", _l("Reason"), is_required=True),),
    )
    def refuse(self, rows: Sequence[Restriction], given: Mapping[str, Any]) -> str:
        restrictions.refuse_restriction(
            db.session(), rows[0].id, reason=given["reason"], now=self.now(), staff_id=staff_id()
        )
        return _("The restriction was refused.")

    @office_action(
        "undertaking",
        _l("Restore against an undertaking"),
        on="row",
        states=("in_effect",),
        icon="handshake",
        fields=(Ask("until_on", _l("Undertaking until"), kind="date", is_required=True),),
    )
    def undertaking(self, rows: Sequence[Restriction], given: Mapping[str, Any]) -> str:
        restrictions.sign_undertaking(
            db.session(), rows[0].id, until_on=given["until_on"], now=self.now(), staff_id=staff_id()
        )
        return _("The service is restored while the undertaking is kept.")

    @office_action(
        "letter",
        _l("Print the letter"),
        on="row",
        states=("approved", "in_effect", "suspended"),
        icon="printer",
    )
    def letter(self, rows: Sequence[Restriction], _given: Any) -> Response:
        return self._printed(letters.restriction_pdf, rows[0], "restriction")

    @office_action("paper", _l("Print the undertaking"), on="row", states=("suspended",), icon="printer")
    def paper(self, rows: Sequence[Restriction], _given: Any) -> Response:
        return self._printed(letters.undertaking_pdf, rows[0], "undertaking")

    @office_action("gate_sheet", _l("Print what is restricted now"), on="list", icon="printer", verb="see")
    def gate_sheet(self, _rows: Sequence[Restriction], _given: Any) -> Response:
        """For gate, desk and engineering: units and services, no names, no sums (C14)."""
        made = letters.restriction_list_pdf(db.session(), language=language.current(), now=self.now())
        return pdf_response(made, f"restricted-{self.today()}.pdf")

    def _printed(self, draw: Callable[..., bytes], row: Restriction, name: str) -> Response:
        made = draw(db.session(), row.id, now=self.now(), staff_id=staff_id())
        return pdf_response(made, f"{name}-{row.id}.pdf")


SCREENS = (RestrictionView,)
