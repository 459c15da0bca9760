"""Actions that end a complaint ticket, bring it back, or put it on paper (T7, T9, T10, V3)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, time
from typing import Any

from flask import Response
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from admin.complaints.invalid_requests import GROUNDS
from admin.panel import language, office_time, wording
from admin.panel.permissions import may
from admin.panel.responses import pdf_response
from admin.panel.signed_in import current_staff, staff_id
from admin.panel.view import Ask, office_action
from models.base import db
from models.complaints import Ticket
from office.complaints import closures, documents, work
from office.complaints.closures import ReviewMinutes


def _end_of(day: date) -> datetime:
    return datetime.combine(day, time(23, 59), office_time.zone())


class ClosingActions:
    """The actions of TicketView that close, reopen, review, file and print a ticket."""

    now: Callable[[], datetime]

    @office_action(
        "hold_review",
        _l("Review meeting"),
        on="row",
        icon="users",
        fields=(
            Ask("held_on", _l("Held on"), kind="date", is_required=True),
            Ask("cause", _l("Cause"), kind="area", is_required=True),
            Ask("correction", _l("Correction"), kind="area", is_required=True),
            Ask("prevention", _l("Prevention"), kind="area", is_required=True),
            Ask("attended", _l("Who attended"), is_required=True),
        ),
    )
    def hold_review(self, rows: Sequence[Ticket], given: Mapping[str, Any]) -> str:
        minutes = ReviewMinutes(given["cause"], given["correction"], given["prevention"], given["attended"])
        for row in rows:
            closures.hold_review(
                db.session(),
                row.id,
                minutes,
                held_at=min(self.now(), _end_of(given["held_on"])),
                now=self.now(),
                staff_id=staff_id(),
            )
        return _("The review meeting is on record.")

    @office_action(
        "reopen",
        _l("Reopen"),
        on="row",
        icon="rotate-ccw",
        fields=(Ask("note", _l("Reason"), is_required=True),),
    )
    def reopen(self, rows: Sequence[Ticket], given: Mapping[str, Any]) -> str:
        for row in rows:
            work.reopen(db.session(), row.id, now=self.now(), staff_id=staff_id(), note=given["note"])
        return _("Reopened one level up.")

    @office_action("close", _l("Close"), on="row", icon="lock", confirm=_l("Close this complaint?"))
    def close(self, rows: Sequence[Ticket], _given: Mapping[str, Any]) -> str:
        for row in rows:
            closures.close(db.session(), row.id, now=self.now(), staff_id=staff_id())
        return _("Closed.")

    @office_action(
        "close_unreachable",
        _l("Close as unreachable"),
        on="row",
        icon="lock",
        fields=(Ask("note", _l("The manager's word"), is_required=True),),
    )
    def close_unreachable(self, rows: Sequence[Ticket], given: Mapping[str, Any]) -> str:
        for row in rows:
            closures.close_unreachable(
                db.session(), row.id, now=self.now(), staff_id=staff_id(), note=given["note"]
            )
        return _("Closed.")

    @office_action(
        "close_by_decision",
        _l("Close by decision"),
        on="row",
        icon="gavel",
        fields=(Ask("note", _l("Reason"), is_required=True),),
    )
    def close_by_decision(self, rows: Sequence[Ticket], given: Mapping[str, Any]) -> str:
        for row in rows:
            closures.close_by_decision(
                db.session(), row.id, now=self.now(), staff_id=staff_id(), note=given["note"]
            )
        return _("Closed.")

    @office_action(
        "request_invalid",
        _l("Ask to close as invalid"),
        on="row",
        icon="ban",
        fields=(
            Ask("ground", _l("Why"), kind="choice", is_required=True, choices=GROUNDS),
            Ask("reason", _l("Reason"), kind="area", is_required=True),
        ),
    )
    def request_invalid(self, rows: Sequence[Ticket], given: Mapping[str, Any]) -> str:
        for row in rows:
            closures.request_invalid(db.session(), row.id, now=self.now(), staff_id=staff_id(), **given)
        return _("Another person decides about it.")

    @office_action(
        "add_case",
        _l("Into the case library"),
        on="row",
        icon="library",
        fields=(
            Ask("title", _l("Title"), is_required=True),
            Ask("what_happened", _l("What happened"), kind="area", is_required=True),
            Ask("what_was_done", _l("What was done"), kind="area", is_required=True),
            Ask("lesson", _l("Lesson"), kind="area"),
        ),
    )
    def add_case(self, rows: Sequence[Ticket], given: Mapping[str, Any]) -> str:
        for row in rows:
            closures.add_case(
                db.session(),
                category_id=row.category_id,
                ticket_id=row.id,
                now=self.now(),
                staff_id=staff_id(),
                **given,
            )
        return _("Added to the case library.")

    @office_action("print", _l("Complaint form"), on="row", icon="printer")
    def print_form(self, rows: Sequence[Ticket], _given: Mapping[str, Any]) -> Any:
        """With who complained for those who may know it, else the version to share."""
        return self._form_of(rows[0], has_identity=may(current_staff().roles, "complainants", "act"))

    @office_action("resident_slip", _l("Slip for the resident"), on="row", icon="printer")
    def resident_slip(self, rows: Sequence[Ticket], _given: Mapping[str, Any]) -> Any:
        made = documents.print_resident_slip(db.session(), rows[0].id, now=self.now(), staff_id=staff_id())
        return pdf_response(made, f"{rows[0].number}.pdf")

    @office_action("reply", _l("Written reply"), on="row", icon="mail")
    def reply(self, rows: Sequence[Ticket], _given: Mapping[str, Any]) -> Any:
        """With who complained for those who may know it."""
        made = documents.print_reply(
            db.session(),
            rows[0].id,
            has_identity=may(current_staff().roles, "complainants", "act"),
            now=self.now(),
            staff_id=staff_id(),
        )
        return pdf_response(made, f"{rows[0].number}.pdf")

    @office_action("print_shared", _l("Complaint form to share, without names"), on="row", icon="printer")
    def print_shared(self, rows: Sequence[Ticket], _given: Mapping[str, Any]) -> Any:
        return self._form_of(rows[0], has_identity=False)

    def _form_of(self, row: Ticket, *, has_identity: bool) -> Response:
        made = documents.print_form(
            db.session(),
            row.id,
            language=language.current(),
            now=self.now(),
            staff_id=staff_id(),
            reason=str(wording.reason(row.severity_reason)) if row.severity_reason else "",
            has_identity=has_identity,
        )
        return pdf_response(made, f"{row.number}.pdf")
