"""Actions on a complaint ticket while it is worked on: assign, begin, wait, resolve, link (T2–T8, T12)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from flask import request
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import select

from admin.complaints import intake
from admin.panel import labels, row_access
from admin.panel.reason_words import REASONS
from admin.panel.signed_in import staff_id
from admin.panel.view import Ask, office_action
from models.base import db
from models.billing import Invoice
from models.complaints import Ticket, TicketClock
from models.people import Department
from office.complaints import complainants, incidents, links, pauses, severities, work, work_slips
from office.complaints.policies_in_force import PolicyTimeline

WAITING_FOR = {"resident": _l("The resident"), "outside": _l("An outside body")}
MET_BY_HAND = tuple(code for code in labels.CLOCKS if code not in {"solve", "follow_up"})


def _departments(view: Any) -> Mapping[str, str]:
    found = db.session.scalars(select(Department).order_by(Department.position, Department.id))
    return {str(department.id): department.name_in(view.language) for department in found}


def _asked_about() -> Ticket | None:
    """The one complaint that an action is about."""
    chosen = request.form.getlist("rowid")
    return row_access.find(Ticket, chosen[0]) if len(chosen) == 1 else None


def _handlers(_view: Any) -> Mapping[str, str]:
    """Who may handle the complaint: those of its department first, never the person complained about."""
    ticket = _asked_about()
    people = [] if ticket is None else work.possible_handlers(db.session(), ticket)
    own = {str(person.id): person.name for person in people}
    first = None if ticket is None else work.proposed(db.session(), ticket)
    if first is not None:
        own = {str(first.staff_id): _("%(name)s (proposed)", name=first.name)} | {
            key: name for key, name in own.items() if key != str(first.staff_id)
        }
    accused = str(ticket.accused_id) if ticket is not None else ""
    return own | {key: name for key, name in intake.staff_names().items() if key not in {accused, *own}}


def proposal_words(ticket: Ticket, language: str) -> str:
    """Who is proposed to handle a complaint and why, in one sentence; empty where nobody is (T26)."""
    found = work.proposed(db.session(), ticket)
    if found is None:
        return ""
    return _(
        "Proposed: %(name)s. %(department)s answers for this category, and nobody there has fewer unresolved "
        "complaints (%(count)s).",
        name=found.name,
        department=ticket.department.name_in(language),
        count=found.unresolved,
    )


def _running_clocks(_view: Any) -> Mapping[str, Any]:
    """The deadlines of the complaint that run and are met by hand."""
    ticket = _asked_about()
    return {code: labels.CLOCKS[code] for code in (running_by_hand(ticket) if ticket else MET_BY_HAND)}


def running_by_hand(ticket: Ticket) -> list[str]:
    """Which deadlines of a complaint run and are met by hand."""
    running = select(TicketClock.clock).where(
        TicketClock.ticket_id == ticket.id,
        TicketClock.stopped_at.is_(None),
        TicketClock.clock.in_(MET_BY_HAND),
    )
    return list(db.session.scalars(running.order_by(TicketClock.due_at, TicketClock.id)))


def claimed_words(ticket: Ticket, now: datetime) -> str:
    """What its sender says of a complaint and which severity that would give; empty when nothing waits."""
    claimed = severities.claims_of(ticket)
    if claimed is None:
        return ""
    policy = PolicyTimeline(db.session()).at(now).severities
    proposed = severities.proposed_severity(policy, ticket)
    said = [str(REASONS[name]) for name in intake.TICKS if claimed.value(name)]
    if claimed.household_count > 1:
        said.append(_("%(count)s households", count=claimed.household_count))
    listed = _(", ").join(said) if said else _("nothing that weighs more")
    severity = labels.SEVERITIES.get(proposed, proposed)
    return _("%(facts)s; proposed: %(severity)s", facts=listed, severity=severity)


def _confirmations(view: Any) -> Mapping[str, Any]:
    ticket = _asked_about()
    said = claimed_words(ticket, view.now()) if ticket is not None else ""
    return {
        "yes": _("It is so (%(said)s)", said=said) if said else _("It is so"),
        "no": _("It is not so: a usual complaint"),
    }


def _incidents(_view: Any) -> Mapping[str, str]:
    return intake.going_on()


def _severities(view: Any) -> Mapping[str, Any]:
    return intake.severities(view.now())


def _number(text: str | None) -> int | None:
    return int(text) if text else None


class WorkActions:
    """The actions of TicketView on tickets that are not resolved yet."""

    now: Callable[[], datetime]

    @office_action(
        "assign",
        _l("Assign"),
        on="row",
        icon="user-check",
        fields=(
            Ask("department_id", _l("Department"), kind="choice", choices=_departments),
            Ask("handler_id", _l("Handled by"), kind="choice", choices=_handlers),
            Ask("note", _l("Note")),
        ),
    )
    def assign(self, rows: Sequence[Ticket], given: Mapping[str, Any]) -> str:
        for row in rows:
            work.assign(
                db.session(),
                row.id,
                now=self.now(),
                staff_id=staff_id(),
                department_id=_number(given["department_id"]),
                handler_id=_number(given["handler_id"]),
                note=given["note"],
            )
        return _("Assigned.")

    @office_action(
        "confirm_facts",
        _l("Confirm"),
        on="row",
        icon="check",
        tone="main",
        fields=(
            Ask(
                "answer", _l("What the sender says"), kind="choice", is_required=True, choices=_confirmations
            ),
            Ask("note", _l("Note")),
        ),
    )
    def confirm_facts(self, rows: Sequence[Ticket], given: Mapping[str, Any]) -> str:
        for row in rows:
            severities.confirm_claims(
                db.session(),
                row.id,
                is_so=given["answer"] == "yes",
                now=self.now(),
                staff_id=staff_id(),
                note=given["note"],
            )
        return _("Confirmed.")

    @office_action("take_on", _l("Take it on"), on="row", icon="play", tone="main")
    def take_on(self, rows: Sequence[Ticket], _given: Mapping[str, Any]) -> str:
        for row in rows:
            work.take_on(db.session(), row.id, now=self.now(), staff_id=staff_id())
        return _("Work has begun.")

    @office_action("start", _l("Start work"), on="row", icon="play")
    def start(self, rows: Sequence[Ticket], _given: Mapping[str, Any]) -> str:
        for row in rows:
            work.start_work(db.session(), row.id, now=self.now(), staff_id=staff_id())
        return _("Work has begun.")

    @office_action(
        "keep_clock",
        _l("Deadline met"),
        on="row",
        icon="alarm-clock",
        fields=(
            Ask(
                "clock",
                _l("What was done"),
                kind="choice",
                is_required=True,
                choices=_running_clocks,
            ),
            Ask("note", _l("Note")),
        ),
    )
    def meet_clock(self, rows: Sequence[Ticket], given: Mapping[str, Any]) -> str:
        for row in rows:
            work.meet_clock(
                db.session(),
                row.id,
                given["clock"],
                now=self.now(),
                staff_id=staff_id(),
                note=given["note"],
            )
        return _("The deadline is met.")

    @office_action(
        "resolve",
        _l("Resolve"),
        on="row",
        icon="check",
        tone="main",
        fields=(Ask("resolution", _l("What was done"), kind="area", is_required=True),),
    )
    def resolve(self, rows: Sequence[Ticket], given: Mapping[str, Any]) -> str:
        for row in rows:
            work.resolve_ticket(
                db.session(), row.id, resolution=given["resolution"], now=self.now(), staff_id=staff_id()
            )
        return _("Resolved; the follow-up visit is planned.")

    @office_action(
        "resolve_on_spot",
        _l("Solved on the spot"),
        on="row",
        icon="check",
        fields=(Ask("resolution", _l("What was done"), kind="area", is_required=True),),
    )
    def resolve_on_spot(self, rows: Sequence[Ticket], given: Mapping[str, Any]) -> str:
        for row in rows:
            work.resolve_on_spot(
                db.session(), row.id, resolution=given["resolution"], now=self.now(), staff_id=staff_id()
            )
        return _("Resolved; the follow-up visit is planned.")

    @office_action(
        "pause",
        _l("Wait"),
        on="row",
        icon="pause",
        fields=(
            Ask("waiting_for", _l("Waiting for"), kind="choice", is_required=True, choices=WAITING_FOR),
            Ask("reason", _l("Reason"), is_required=True),
            Ask("look_again_on", _l("Look again on"), kind="date", is_required=True),
        ),
    )
    def pause(self, rows: Sequence[Ticket], given: Mapping[str, Any]) -> str:
        for row in rows:
            pauses.pause(db.session(), row.id, now=self.now(), staff_id=staff_id(), **given)
        return _("The deadlines that may wait are paused.")

    @office_action("resume", _l("Go on"), on="row", icon="play", fields=(Ask("note", _l("Note")),))
    def resume(self, rows: Sequence[Ticket], given: Mapping[str, Any]) -> str:
        for row in rows:
            pauses.resume(db.session(), row.id, now=self.now(), staff_id=staff_id(), note=given["note"])
        return _("The deadlines run again.")

    @office_action(
        "change_severity",
        _l("Change severity"),
        on="row",
        icon="gauge",
        fields=(
            Ask("severity", _l("Severity"), kind="choice", is_required=True, choices=_severities),
            Ask("note", _l("Reason"), help=_l("Lowering needs the station head and a reason")),
        ),
    )
    def change_severity(self, rows: Sequence[Ticket], given: Mapping[str, Any]) -> str:
        for row in rows:
            severities.change_severity(
                db.session(),
                row.id,
                given["severity"],
                now=self.now(),
                staff_id=staff_id(),
                note=given["note"],
            )
        return _("The severity was changed.")

    @office_action(
        "work_slip",
        _l("Work contact slip"),
        on="row",
        icon="send",
        fields=(
            Ask("department_id", _l("Department"), kind="choice", is_required=True, choices=_departments),
            Ask("task", _l("What is asked"), kind="area", is_required=True),
            Ask("due_on", _l("To be done by"), kind="date"),
        ),
    )
    def work_slip(self, rows: Sequence[Ticket], given: Mapping[str, Any]) -> str:
        numbers = [
            work_slips.issue_work_slip(
                db.session(),
                row.id,
                department_id=int(given["department_id"]),
                task=given["task"],
                due_on=given["due_on"],
                now=self.now(),
                staff_id=staff_id(),
            ).number
            for row in rows
        ]
        return _("Work contact slip %(number)s was issued.", number=", ".join(numbers))

    @office_action(
        "join",
        _l("Another complainant"),
        on="row",
        icon="user-plus",
        fields=(
            Ask("name", _l("Name"), is_required=True),
            Ask("phone", _l("Phone")),
            Ask(
                "household",
                _l("Which household"),
                kind="choice",
                is_required=True,
                choices={"further": _l("A further household"), "counted": _l("One that is counted already")},
                help=_l("From a number of households on, the policy makes a complaint more severe."),
            ),
        ),
    )
    def join(self, rows: Sequence[Ticket], given: dict[str, Any]) -> str:
        for row in rows:
            complainants.add_complainant(
                db.session(),
                row.id,
                complainants.NewComplainant(given["name"], given["phone"]),
                now=self.now(),
                staff_id=staff_id(),
                is_further_household=given["household"] == "further",
            )
        given.clear()  # names stay out of the audit
        return _("Added.")

    @office_action(
        "link_repeat",
        _l("Same matter as"),
        on="row",
        icon="link",
        fields=(Ask("number", _l("Ticket no."), is_required=True),),
    )
    def link_repeat(self, rows: Sequence[Ticket], given: Mapping[str, Any]) -> str:
        first = row_access.named(Ticket, Ticket.number, given["number"])
        for row in rows:
            links.link_repeat(
                db.session(),
                row.id,
                repeat_of_id=first.id if first else 0,
                now=self.now(),
                staff_id=staff_id(),
            )
        return _("Linked.")

    @office_action(
        "join_incident",
        _l("Join to an incident"),
        on="row",
        icon="megaphone",
        fields=(
            Ask(
                "incident_id",
                _l("Incident"),
                kind="choice",
                is_required=True,
                choices=_incidents,
                help=_l("It is told and resolved together with the others"),
            ),
        ),
    )
    def join_incident(self, rows: Sequence[Ticket], given: Mapping[str, Any]) -> str:
        for row in rows:
            incidents.join(
                db.session(), int(given["incident_id"]), row.id, now=self.now(), staff_id=staff_id()
            )
        return _("Joined.")

    @office_action(
        "leave_incident",
        _l("Take out of its incident"),
        on="row",
        icon="x",
        confirm=_l("Take this complaint out of its incident? It is handled by itself then."),
    )
    def leave_incident(self, rows: Sequence[Ticket], _given: Mapping[str, Any]) -> str:
        for row in rows:
            incidents.leave(db.session(), row.id, now=self.now(), staff_id=staff_id())
        return _("Taken out.")

    @office_action(
        "link_debt",
        _l("About a bill"),
        on="row",
        icon="receipt-text",
        fields=(Ask("number", _l("Invoice no."), is_required=True),),
    )
    def link_debt(self, rows: Sequence[Ticket], given: Mapping[str, Any]) -> str:
        bill = row_access.named(Invoice, Invoice.number, given["number"])
        for row in rows:
            links.link_debt(
                db.session(),
                row.id,
                invoice_id=bill.id if bill else 0,
                now=self.now(),
                staff_id=staff_id(),
            )
        return _("Linked; reminders of this debt wait until the complaint is closed.")
