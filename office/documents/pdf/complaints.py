"""Papers of a complaint: work contact slip, complaint form, closure as invalid (T2, T7, T9)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from office.documents.pdf.blocks import Fact, Facts, Part, Signatures
from office.documents.pdf.builder import Draft
from office.documents.pdf.document import Paper
from office.documents.pdf.templates import Blocks
from office.documents.pdf.values import Estate

HAND = 52  # room for handwriting where nothing is known yet


@dataclass(frozen=True)
class WorkContactSlip:
    """What one department asks of another for a ticket; instants are aware (T2)."""

    number: str
    ticket_number: str
    issued_at: datetime
    from_department: str
    to_department: str
    subject: str
    requested: str
    reply_by: datetime | None = None
    unit_code: str = ""
    reply: str = ""


def work_contact_slip(
    slip: WorkContactSlip, estate: Estate, language: str, stored: Blocks | None = None
) -> Paper:
    """The work contact slip (工作联系单, T2)."""
    draft = Draft("work_contact_slip", estate, language, stored)
    words, zone = draft.words, estate.time_zone
    reply_by = words.instant(slip.reply_by, zone)
    draft.fill(
        **draft.sender(),
        ticket_number=slip.ticket_number,
        unit_code=slip.unit_code,
        from_department=slip.from_department,
        to_department=slip.to_department,
        reply_by=reply_by,
    )
    parts: list[Part] = [
        *draft.text("body"),
        Facts(
            [
                draft.fact("from_department", slip.from_department),
                draft.fact("to_department", slip.to_department),
                draft.fact("ticket_no", slip.ticket_number),
                draft.fact("unit_code", slip.unit_code),
                draft.fact("issued_on", words.instant(slip.issued_at, zone)),
                draft.fact("reply_by", reply_by),
                draft.fact("subject", slip.subject, is_wide=True),
                draft.fact("requested", slip.requested, is_wide=True, min_height=110),
                draft.fact("reply", slip.reply, is_wide=True, min_height=150),
            ]
        ),
        *draft.note(),
        Signatures((words["signature_from"], words["signature_to"]), words["date_blank"]),
    ]
    return draft.paper(parts, number=slip.number)


@dataclass(frozen=True)
class FollowUp:
    """One follow-up visit; `satisfaction` 1–5, `method` a code."""

    at: datetime
    method: str
    satisfaction: int | None
    words: str = ""


@dataclass(frozen=True)
class Review:
    """The review meeting of a major complaint (T9)."""

    held_at: datetime
    cause: str
    correction: str
    prevention: str
    attended: str


@dataclass(frozen=True)
class ComplaintForm:
    """A ticket on paper; `has_identity` off prints the version that may be shared."""

    number: str
    registered_at: datetime
    channel: str
    category: str
    severity: str
    statement: str
    complainant: str = ""
    contact: str = ""
    unit_code: str = ""
    severity_reason: str = ""
    asked_for: str = ""
    lead_department: str = ""
    support_departments: tuple[str, ...] = ()
    deadline: datetime | None = None
    plan: str = ""
    result: str = ""
    resolved_at: datetime | None = None
    follow_ups: tuple[FollowUp, ...] = ()
    review: Review | None = None
    has_identity: bool = True


def complaint_form(
    ticket: ComplaintForm, estate: Estate, language: str, stored: Blocks | None = None
) -> Paper:
    """The complaint form (投诉处置表) with what is known; the rest is left open for handwriting (T1–T9)."""
    draft = Draft("complaint_form", estate, language, stored)
    words, zone = draft.words, estate.time_zone
    deadline = words.instant(ticket.deadline, zone)
    unit_code = ticket.unit_code if ticket.has_identity else words["hidden"]
    draft.fill(
        **draft.sender(),
        ticket_number=ticket.number,
        unit_code=unit_code,
        registered_at=words.instant(ticket.registered_at, zone),
        deadline=deadline,
    )
    if ticket.has_identity:
        who, contact = ticket.complainant or words["anonymous"], ticket.contact
    else:
        who = contact = words["hidden"]
    facts = [
        draft.fact("ticket_no", ticket.number),
        draft.fact("registered_at", words.instant(ticket.registered_at, zone)),
        draft.fact("complainant", who),
        draft.fact("complainant_contact", contact),
        draft.fact("unit_code", unit_code),
        draft.fact("channel", words.code("channel", ticket.channel)),
        draft.fact("category", words.code("category", ticket.category)),
        draft.fact("severity", words.code("severity", ticket.severity)),
        draft.fact("severity_reason", ticket.severity_reason, is_wide=True),
        draft.fact("statement", ticket.statement, is_wide=True, min_height=90),
        draft.fact("asked_for", ticket.asked_for, is_wide=True, min_height=36),
        draft.fact("lead_department", ticket.lead_department),
        draft.fact("deadline", deadline),
        draft.fact("support_departments", words.comma.join(ticket.support_departments), is_wide=True),
        draft.fact("plan", ticket.plan, is_wide=True, min_height=HAND),
        draft.fact("result", ticket.result, is_wide=True, min_height=HAND),
        draft.fact("resolved_at", words.instant(ticket.resolved_at, zone), is_wide=True),
        draft.fact(
            "follow_up",
            "\n".join(_follow_up(draft, one) for one in ticket.follow_ups),
            is_wide=True,
            min_height=HAND,
        ),
    ]
    if ticket.review or ticket.severity == "major":
        facts.append(
            draft.fact("review_meeting", _review(draft, ticket.review), is_wide=True, min_height=HAND)
        )
    parts: list[Part] = [
        Facts(facts, after=4),
        *draft.note(),
        Signatures((words["signature_handler"], words["signature_visitor"]), words["date_blank"]),
    ]
    return draft.paper(parts, number=ticket.number, under_title=())


def _follow_up(draft: Draft, visit: FollowUp) -> str:
    words = draft.words
    parts = [words.instant(visit.at, draft.estate.time_zone), words.code("visit", visit.method)]
    if visit.satisfaction is not None:
        parts.append(words.code("satisfaction", str(visit.satisfaction)))
    parts += [visit.words] if visit.words else []
    return ("，" if words.is_chinese else "; ").join(parts)


def _review(draft: Draft, review: Review | None) -> str:
    if review is None:
        return ""
    words = draft.words
    return "\n".join(
        [
            words.instant(review.held_at, draft.estate.time_zone),
            words.pair("cause", review.cause),
            words.pair("correction", review.correction),
            words.pair("prevention", review.prevention),
            words.pair("attended", review.attended),
        ]
    )


@dataclass(frozen=True)
class InvalidClosure:
    """A request to close as invalid; `ground` is not_about_us, not_in_our_power or unfounded."""

    ticket_number: str
    registered_at: datetime
    category: str
    statement: str
    ground: str
    findings: str
    requested_by: str
    requested_at: datetime
    unit_code: str = ""
    decision: str = ""
    decided_by: str = ""
    decided_at: datetime | None = None
    told: str = ""


def invalid_closure(
    request: InvalidClosure, estate: Estate, language: str, stored: Blocks | None = None
) -> Paper:
    """The request and approval of a closure as invalid (非正常关闭审批表, T7)."""
    draft = Draft("invalid_closure", estate, language, stored)
    words, zone = draft.words, estate.time_zone
    ground = words.code("ground", request.ground)
    draft.fill(
        **draft.sender(), ticket_number=request.ticket_number, unit_code=request.unit_code, ground=ground
    )
    decision = request.decision
    if request.decided_by:
        decision += f"\n{request.decided_by}  {words.instant(request.decided_at, zone)}"
    facts: list[Fact] = [
        draft.fact("ticket_no", request.ticket_number),
        draft.fact("registered_at", words.instant(request.registered_at, zone)),
        draft.fact("unit_code", request.unit_code),
        draft.fact("category", words.code("category", request.category)),
        draft.fact("requested_by", request.requested_by),
        draft.fact("requested_at", words.instant(request.requested_at, zone)),
        draft.fact("statement", request.statement, is_wide=True, min_height=80),
        draft.fact("ground", ground, is_wide=True),
        draft.fact("findings", request.findings, is_wide=True, min_height=100),
        draft.fact("opinion_lead", "", is_wide=True, min_height=60),
        draft.fact("opinion_manager", decision.strip(), is_wide=True, min_height=60),
        draft.fact("told_complainant", request.told, is_wide=True, min_height=44),
    ]
    parts: list[Part] = [
        *draft.text("body"),
        Facts(facts, after=4),
        *draft.note(),
        Signatures(
            (words["signature_handler"], words["opinion_lead_signature"], words["signature_manager"]),
            words["date_blank"],
        ),
    ]
    return draft.paper(parts, number=request.ticket_number, under_title=())
