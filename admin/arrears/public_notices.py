"""Public notices of arrears: lists of unit numbers that a director approves (C11)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from flask import Response
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from admin.panel import labels
from admin.panel.responses import paper_size, pdf_response
from admin.panel.signed_in import current_staff, staff_id
from admin.panel.view import Ask, OfficeView, OneClick, office_action
from models.base import db
from models.collection import ArrearsNotice
from models.property import Building
from office.arrears import letters, public_notices


def buildings(_view: Any) -> dict[str, Any]:
    rows = db.session.execute(db.select(Building.id, Building.name).order_by(Building.name))
    return {str(row.id): row.name for row in rows}


class PublicNoticeView(OfficeView):
    table = ArrearsNotice
    screen = "public_notices"
    title = _l("Public notices of arrears")
    icon = "megaphone"
    can_create = can_edit = can_delete = False
    column_list = ("place", "from_on", "to_on", "reason", "approved_at", "is_taken_down", "taken_down_on")
    column_labels = {"taken_down_on": _l("Taken down on")}
    one_click = (
        OneClick(
            "take_down", _l("To take down"), lambda view: [public_notices.is_to_take_down(view.today())]
        ),
    )
    empty_hint = _l(
        "The normal notice is the collection rate per building. A list of unit numbers needs the director's "
        "approval, a reason, a place and an end date; it never holds names, phones or amounts."
    )

    @office_action(
        "request",
        _l("Ask for a list"),
        on="list",
        icon="plus",
        fields=(
            Ask("building", _l("Building"), kind="choice", choices=buildings),
            Ask("place", _l("Place"), is_required=True),
            Ask("reason", _l("Reason"), is_required=True),
            Ask("from_on", _l("Begins on"), kind="date", is_required=True),
            Ask("to_on", _l("Ends on"), kind="date", is_required=True),
        ),
    )
    def request(self, _rows: Any, given: Mapping[str, Any]) -> str:
        public_notices.request_notice(
            db.session(),
            building_id=int(given["building"]) if given["building"] else None,
            reason=given["reason"],
            place=given["place"],
            from_on=given["from_on"],
            to_on=given["to_on"],
            now=self.now(),
            staff_id=staff_id(),
        )
        return _("The list waits for the director's approval.")

    @office_action("approve", _l("Approve"), on="row", icon="check", confirm=_l("Approve this public list?"))
    def approve(self, rows: Sequence[ArrearsNotice], _given: Any) -> str:
        public_notices.approve_notice(db.session(), rows[0].id, now=self.now(), staff_id=staff_id())
        return _("The list is approved.")

    @office_action(
        "print",
        _l("Print"),
        on="row",
        icon="printer",
        fields=(Ask("size", _l("Size"), kind="choice", choices=labels.PAPER_SIZES, preset="large"),),
    )
    def print(self, rows: Sequence[ArrearsNotice], given: Mapping[str, Any]) -> Response:
        made = letters.public_list_pdf(
            db.session(),
            rows[0].id,
            now=self.now(),
            staff_id=current_staff().id,
            size=paper_size(given["size"]),
        )
        return pdf_response(made, f"notice-{rows[0].id}.pdf")

    @office_action("take_down", _l("Taken down"), icon="check")
    def take_down(self, rows: Sequence[ArrearsNotice], _given: Any) -> str:
        for row in rows:
            public_notices.take_down(db.session(), row.id, now=self.now(), staff_id=staff_id())
        return _("%(count)s lists were taken down.", count=len(rows))


SCREENS = (PublicNoticeView,)
