"""Documents of a complaint: work contact slip, complaint form, closure as invalid (T2, T7, T9)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from office.documents.pdf.blocks import Block, Fact, Facts, Signatures
from office.documents.pdf.builder import DocumentBuilder
from office.documents.pdf.document import Document
from office.documents.pdf.templates import Blocks
from office.documents.pdf.values import EstateDetails

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
    slip: WorkContactSlip, estate: EstateDetails, language: str, stored: Blocks | None = None
) -> Document:
    """The work contact slip (工作联系单, T2)."""
    builder = DocumentBuilder("work_contact_slip", estate, language, stored)
    words, zone = builder.words, estate.time_zone
    reply_by = words.instant(slip.reply_by, zone)
    builder.fill(
        **builder.sender(),
        ticket_number=slip.ticket_number,
        unit_code=slip.unit_code,
        from_department=slip.from_department,
        to_department=slip.to_department,
        reply_by=reply_by,
    )
    parts: list[Block] = [
        *builder.text("body"),
        Facts(
            [
                builder.fact("from_department", slip.from_department),
                builder.fact("to_department", slip.to_department),
                builder.fact("ticket_no", slip.ticket_number),
                builder.fact("unit_code", slip.unit_code),
                builder.fact("issued_on", words.instant(slip.issued_at, zone)),
                builder.fact("reply_by", reply_by),
                builder.fact("subject", slip.subject, is_wide=True),
                builder.fact("requested", slip.requested, is_wide=True, min_height=110),
                builder.fact("reply", slip.reply, is_wide=True, min_height=150),
            ]
        ),
        *builder.note(),
        Signatures((words["signature_from"], words["signature_to"]), words["date_blank"]),
    ]
    return builder.document(parts, number=slip.number)


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
    ticket: ComplaintForm, estate: EstateDetails, language: str, stored: Blocks | None = None
) -> Document:
    """The complaint form (投诉处置表) with what is known; the rest is left open for handwriting (T1–T9)."""
    builder = DocumentBuilder("complaint_form", estate, language, stored)
    words, zone = builder.words, estate.time_zone
    deadline = words.instant(ticket.deadline, zone)
    unit_code = ticket.unit_code if ticket.has_identity else words["hidden"]
    builder.fill(
        **builder.sender(),
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
        builder.fact("ticket_no", ticket.number),
        builder.fact("registered_at", words.instant(ticket.registered_at, zone)),
        builder.fact("complainant", who),
        builder.fact("complainant_contact", contact),
        builder.fact("unit_code", unit_code),
        builder.fact("channel", words.code("channel", ticket.channel)),
        builder.fact("category", words.code("category", ticket.category)),
        builder.fact("severity", words.code("severity", ticket.severity)),
        builder.fact("severity_reason", ticket.severity_reason, is_wide=True),
        builder.fact("statement", ticket.statement, is_wide=True, min_height=90),
        builder.fact("asked_for", ticket.asked_for, is_wide=True, min_height=36),
        builder.fact("lead_department", ticket.lead_department),
        builder.fact("deadline", deadline),
        builder.fact("support_departments", words.comma.join(ticket.support_departments), is_wide=True),
        builder.fact("plan", ticket.plan, is_wide=True, min_height=HAND),
        builder.fact("result", ticket.result, is_wide=True, min_height=HAND),
        builder.fact("resolved_at", words.instant(ticket.resolved_at, zone), is_wide=True),
        builder.fact(
            "follow_up",
            "\n".join(_follow_up(builder, one) for one in ticket.follow_ups),
            is_wide=True,
            min_height=HAND,
        ),
    ]
    if ticket.review or ticket.severity == "major":
        facts.append(
            builder.fact("review_meeting", _review(builder, ticket.review), is_wide=True, min_height=HAND)
        )
    parts: list[Block] = [
        Facts(facts, after=4),
        *builder.note(),
        Signatures((words["signature_handler"], words["signature_visitor"]), words["date_blank"]),
    ]
    return builder.document(parts, number=ticket.number, under_title=())


def _follow_up(builder: DocumentBuilder, visit: FollowUp) -> str:
    words = builder.words
    parts = [words.instant(visit.at, builder.estate.time_zone), words.code("visit", visit.method)]
    if visit.satisfaction is not None:
        parts.append(words.code("satisfaction", str(visit.satisfaction)))
    parts += [visit.words] if visit.words else []
    return ("，" if words.is_chinese else "; ").join(parts)


def _review(builder: DocumentBuilder, review: Review | None) -> str:
    if review is None:
        return ""
    words = builder.words
    return "\n".join(
        [
            words.instant(review.held_at, builder.estate.time_zone),
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
    request: InvalidClosure, estate: EstateDetails, language: str, stored: Blocks | None = None
) -> Document:
    """The request and approval of a closure as invalid (非正常关闭审批表, T7)."""
    builder = DocumentBuilder("invalid_closure", estate, language, stored)
    words, zone = builder.words, estate.time_zone
    ground = words.code("ground", request.ground)
    builder.fill(
        **builder.sender(), ticket_number=request.ticket_number, unit_code=request.unit_code, ground=ground
    )
    decision = request.decision
    if request.decided_by:
        decision += f"\n{request.decided_by}  {words.instant(request.decided_at, zone)}"
    facts: list[Fact] = [
        builder.fact("ticket_no", request.ticket_number),
        builder.fact("registered_at", words.instant(request.registered_at, zone)),
        builder.fact("unit_code", request.unit_code),
        builder.fact("category", words.code("category", request.category)),
        builder.fact("requested_by", request.requested_by),
        builder.fact("requested_at", words.instant(request.requested_at, zone)),
        builder.fact("statement", request.statement, is_wide=True, min_height=80),
        builder.fact("ground", ground, is_wide=True),
        builder.fact("findings", request.findings, is_wide=True, min_height=100),
        builder.fact("opinion_lead", "", is_wide=True, min_height=60),
        builder.fact("opinion_manager", decision.strip(), is_wide=True, min_height=60),
        builder.fact("told_complainant", request.told, is_wide=True, min_height=44),
    ]
    parts: list[Block] = [
        *builder.text("body"),
        Facts(facts, after=4),
        *builder.note(),
        Signatures(
            (words["signature_handler"], words["opinion_lead_signature"], words["signature_manager"]),
            words["date_blank"],
        ),
    ]
    return builder.document(parts, number=request.ticket_number, under_title=())
