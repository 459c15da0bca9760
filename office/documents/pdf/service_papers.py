"""Papers of the service desk: slip and reply for a resident, review, visit, service slip (T2, T9, V1, B3)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from office.documents.pdf.blocks import Block, Facts, Issuer, Signatures
from office.documents.pdf.builder import DocumentBuilder
from office.documents.pdf.document import Document
from office.documents.pdf.templates import Blocks
from office.documents.pdf.values import EstateDetails
from office.documents.pdf.wording import number

HAND = 64  # room for handwriting


@dataclass(frozen=True)
class ResidentSlip:
    """What a resident takes home: that it was registered, who handles it, by when; instants are aware."""

    number: str
    registered_at: datetime
    category: str
    statement: str
    department: str
    unit_code: str = ""
    first_word_by: datetime | None = None
    solved_by: datetime | None = None


def resident_slip(
    slip: ResidentSlip, estate: EstateDetails, language: str, stored: Blocks | None = None
) -> Document:
    """The slip for the resident (受理回执, T1, T24)."""
    builder = DocumentBuilder("resident_slip", estate, language, stored)
    words, zone = builder.words, estate.time_zone
    builder.fill(
        **builder.sender(),
        ticket_number=slip.number,
        unit_code=slip.unit_code,
        registered_at=words.instant(slip.registered_at, zone),
    )
    facts = [
        builder.fact("ticket_no", slip.number),
        builder.fact("registered_at", words.instant(slip.registered_at, zone)),
        *([builder.fact("unit_code", slip.unit_code)] if slip.unit_code else []),
        builder.fact("category", words.code("category", slip.category)),
        builder.fact("department", slip.department),
        builder.fact("statement", slip.statement, is_wide=True),
    ]
    for key, at in (("first_word_by", slip.first_word_by), ("solved_by", slip.solved_by)):
        if at is not None:
            facts.append(builder.fact(key, words.instant(at, zone), is_wide=True))
    parts: list[Block] = [
        *builder.text("body", is_letter=True),
        Facts(facts, after=6),
        *builder.notes("note"),
        Issuer(estate.creditor, words.instant(slip.registered_at, zone), words["seal"]),
    ]
    return builder.document(parts, number=slip.number, under_title=())


@dataclass(frozen=True)
class WrittenReply:
    """The answer to a complaint on paper; `is_unsolved` says why it can't be done (T15)."""

    number: str
    issued_on: date
    registered_at: datetime
    statement: str
    answer: str
    unit_code: str = ""
    to: str = ""  # who complained; the file does not keep it
    is_unsolved: bool = False


def written_reply(
    reply: WrittenReply, estate: EstateDetails, language: str, stored: Blocks | None = None
) -> Document:
    """The written reply to a complaint (回函), or the letter of reasons where it can't be solved (T15)."""
    builder = DocumentBuilder("written_reply", estate, language, stored)
    words = builder.words
    builder.fill(
        **builder.sender(),
        ticket_number=reply.number,
        unit_code=reply.unit_code,
        payer_name=reply.to or words["resident"],
        registered_at=words.instant(reply.registered_at, estate.time_zone),
        issued_on=words.day(reply.issued_on),
    )
    answer = "reasons" if reply.is_unsolved else "answer"
    parts: list[Block] = [
        *builder.opening(),
        *builder.text("unsolved" if reply.is_unsolved else "body", is_letter=True),
        Facts(
            [
                builder.fact("statement", reply.statement, is_wide=True),
                builder.fact(answer, reply.answer, is_wide=True, min_height=HAND),
            ]
        ),
        *builder.text("closing", is_letter=True),
        Issuer(estate.creditor, words.day(reply.issued_on), words["seal"]),
    ]
    return builder.document(parts, number=reply.number, on=reply.issued_on)


@dataclass(frozen=True)
class ReviewMinutes:
    """The minutes of the review meeting of a major complaint (T9)."""

    number: str
    ticket_number: str
    held_at: datetime
    category: str
    statement: str
    cause: str
    correction: str
    prevention: str
    attended: str


def review_minutes(
    review: ReviewMinutes, estate: EstateDetails, language: str, stored: Blocks | None = None
) -> Document:
    """The minutes of a review meeting (专题会纪要, T9)."""
    builder = DocumentBuilder("review_minutes", estate, language, stored)
    words, held_at = builder.words, builder.words.instant(review.held_at, estate.time_zone)
    builder.fill(**builder.sender(), ticket_number=review.ticket_number, unit_code="", held_at=held_at)
    parts: list[Block] = [
        *builder.text("body"),
        Facts(
            [
                builder.fact("ticket_no", review.ticket_number),
                builder.fact("held_at", held_at),
                builder.fact("category", words.code("category", review.category), is_wide=True),
                builder.fact("statement", review.statement, is_wide=True),
                builder.fact("attended", review.attended, is_wide=True),
                builder.fact("cause", review.cause, is_wide=True, min_height=HAND),
                builder.fact("correction", review.correction, is_wide=True, min_height=HAND),
                builder.fact("prevention", review.prevention, is_wide=True, min_height=HAND),
            ]
        ),
        *builder.note(),
        Signatures((words["minutes_by"], words["signature_manager"]), words["date_blank"]),
    ]
    return builder.document(parts, number=review.number, under_title=())


@dataclass(frozen=True)
class VisitSheet:
    """A visit as it is planned, or what came of it; codes of the contract."""

    number: str
    kind: str
    planned_from: datetime
    due_at: datetime
    role: str
    visitor: str = ""
    ticket_number: str = ""
    unit_code: str = ""
    category: str = ""
    done_at: datetime | None = None
    method: str = ""
    met: str = ""
    satisfaction: int | None = None
    words: str = ""


def visit_sheet(
    visit: VisitSheet, estate: EstateDetails, language: str, stored: Blocks | None = None
) -> Document:
    """The sheet for a visit (回访单, V1, V2): taken along, filled in and signed at the door."""
    builder = DocumentBuilder("visit_sheet", estate, language, stored)
    words, zone = builder.words, estate.time_zone
    builder.fill(**builder.sender(), ticket_number=visit.ticket_number, unit_code=visit.unit_code)
    score = words.code("satisfaction", str(visit.satisfaction)) if visit.satisfaction is not None else ""
    facts = [
        builder.fact("unit_code", visit.unit_code),
        builder.fact("visit_kind", words.code("visit_kind", visit.kind)),
        *([builder.fact("ticket_no", visit.ticket_number)] if visit.ticket_number else []),
        builder.fact("visitor", visit.visitor or words.code("role", visit.role)),
        builder.fact("visit_from", words.instant(visit.planned_from, zone)),
        builder.fact("visit_until", words.instant(visit.due_at, zone)),
        *([builder.fact("category", words.code("category", visit.category))] if visit.category else []),
        builder.fact("visited_at", words.instant(visit.done_at, zone)),
        builder.fact("visit_method", words.code("visit", visit.method) if visit.method else ""),
        builder.fact("who_was_met", visit.met),
        builder.fact("satisfaction", score or words["satisfaction_blank"]),
        builder.fact("resident_words", visit.words, is_wide=True, min_height=110),
    ]
    parts: list[Block] = [
        *builder.text("body"),
        Facts(facts),
        *builder.note(),
        Signatures((words["signature_visitor"], words["signature_resident"]), words["date_blank"]),
    ]
    return builder.document(parts, number=visit.number, under_title=())


@dataclass(frozen=True)
class ServiceSlip:
    """A paid service at a unit, to be signed by the resident; yuan. The bill that it is on, if any (B3)."""

    number: str
    used_on: date
    unit_code: str
    service: str
    quantity: Decimal
    amount: Decimal | None = None
    work: str = ""
    signed_by: str = ""
    invoice_number: str = ""


def service_slip(
    slip: ServiceSlip, estate: EstateDetails, language: str, stored: Blocks | None = None
) -> Document:
    """The service slip (服务单, B3, B13): number, work, sum, signature."""
    builder = DocumentBuilder("service_slip", estate, language, stored)
    words = builder.words
    builder.fill(**builder.sender(), unit_code=slip.unit_code, number=slip.number)
    price = builder.money(slip.amount) if slip.amount is not None else words["by_tariff"]
    facts = [
        builder.fact("unit_code", slip.unit_code),
        builder.fact("used_on", words.day(slip.used_on)),
        builder.fact("service", slip.service),
        builder.fact("quantity", number(slip.quantity)),
        builder.fact("amount", price),
        *([builder.fact("capitals", builder.capitals(slip.amount))] if slip.amount is not None else []),
        *([builder.fact("invoice_number", slip.invoice_number)] if slip.invoice_number else []),
        builder.fact("work_done", slip.work, is_wide=True, min_height=HAND),
    ]
    signed = words["signature_resident"] + (words.colon + slip.signed_by if slip.signed_by else "")
    parts: list[Block] = [
        Facts(facts, after=6),
        *builder.notes("note", "copies"),
        Signatures((words["signature_handler"], signed), words["date_blank"], after=0),
    ]
    return builder.document(parts, number=slip.number, on=slip.used_on, form="a5_wide")
