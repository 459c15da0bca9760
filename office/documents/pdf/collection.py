"""Documents about arrears: demand to lawyer's letter, restriction, undertaking, public notices (C2–C11).

The law holds whatever an office asks for: a restriction names only optional contracted services and carries
two approvals and an end (Civil Code art. 944, C9); a public list holds unit codes and nothing else (C11).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from office.documents.pdf.blocks import Block, Codes, Facts, Issuer, Signatures, SignedAndSealed, Table, Text
from office.documents.pdf.builder import DocumentBuilder, total_of
from office.documents.pdf.delivery import delivery_record
from office.documents.pdf.document import Document, Letterhead, Mark
from office.documents.pdf.templates import Blocks
from office.documents.pdf.values import (
    DebtLine,
    DocumentRefused,
    EarlierPaper,
    EstateDetails,
    LateFeeTerms,
    PastReminder,
    Recipient,
)
from rules.gates import PROTECTED_SERVICES

# what the law protects, by whatever name an office gave its service
_PROTECTED_NAMES = re.compile(
    r"[供停断斷]水|[供停断斷][电電]|[水电電]费|[水電电]費|用[电電]|用水|燃[气氣]|煤[气氣]|天然[气氣]|[供停断斷][气氣暖热熱]"
    r"|暖[气氣]|采暖|[门門]禁|出入|[电電]梯|\b(?:water|electric\w*|power|heat\w*|gas|access|lifts?|elevators?)\b",
    re.IGNORECASE,
)
SIGNED = 26  # points of room for a signature beside a name
_PROTECTED_CODES = PROTECTED_SERVICES | {"electricity", "heating", "lift"}


@dataclass(frozen=True)
class Demand:
    """A written reminder of debts; money in yuan, `deadline_on` is the last day to pay."""

    number: str
    issued_on: date
    deadline_on: date
    recipient: Recipient
    debts: tuple[DebtLine, ...]
    contact_name: str = ""
    contact_phone: str = ""
    mark: Mark = ""
    reminded: tuple[PastReminder, ...] = ()
    late_fee: LateFeeTerms | None = None
    waiting: tuple[str, ...] = ()  # units of the payer that are on hold (C19)


def payment_reminder(
    letter: Demand, estate: EstateDetails, language: str, stored: Blocks | None = None
) -> Document:
    """The friendly reminder on paper (缴费提醒, C2, C3)."""
    return _dunning_letter("payment_reminder", letter, estate, language, stored)


def demand(letter: Demand, estate: EstateDetails, language: str, stored: Blocks | None = None) -> Document:
    """The demand notice (催费通知单, C2)."""
    return _dunning_letter("demand", letter, estate, language, stored)


def final_letter(
    letter: Demand, estate: EstateDetails, language: str, stored: Blocks | None = None
) -> Document:
    """The letter with the last deadline (C2, C3), with a slip to be signed as proof of delivery."""
    return _dunning_letter("final_letter", letter, estate, language, stored)


def _dunning_letter(
    kind: str, letter: Demand, estate: EstateDetails, language: str, stored: Blocks | None
) -> Document:
    builder = DocumentBuilder(kind, estate, language, stored)
    words, to = builder.words, letter.recipient
    contact_name, contact_phone = builder.contact(letter.contact_name, letter.contact_phone)
    builder.fill(
        **(builder.letter(to, letter.number, letter.issued_on) | builder.owed(letter.debts)),
        basis=builder.basis(),
        late_fee_terms=builder.late_fee_terms(letter.late_fee),
        reminded=words.reminded(letter.reminded),
        deadline_on=words.day(letter.deadline_on),
        contact_name=contact_name,
        contact_phone=contact_phone,
    )
    oldest = min(letter.debts, key=lambda debt: debt.due_on)
    is_demand = kind != "payment_reminder"
    parts: list[Block] = [
        *builder.opening(),
        *builder.text("body", is_letter=True),
        *builder.debts_of_units(letter.debts, letter.waiting),
        *builder.text("closing", is_letter=True),
        builder.pay_box(to.unit_code, oldest.invoice_number, letter.debts),
        Issuer(estate.creditor, words.day(letter.issued_on), words["seal"]),
    ]
    if is_demand:
        parts += delivery_record(builder, letter.number, to, by=letter.contact_name)
    return builder.document(
        parts, number=letter.number, on=letter.issued_on, mark=letter.mark, is_posted=True
    )


@dataclass(frozen=True)
class OptionalService:
    """A service of its own contract that may be restricted; the clause says where that is agreed (C9)."""

    code: str
    name: str
    contract_clause: str


@dataclass(frozen=True)
class Consent:
    """Who approved, in which role, when."""

    role: str
    name: str
    on: date


@dataclass(frozen=True)
class RestrictionNotice:
    number: str
    issued_on: date
    recipient: Recipient
    debts: tuple[DebtLine, ...]
    services: tuple[OptionalService, ...]
    effective_on: date
    ends_on: date
    approvals: tuple[Consent, ...]
    mark: Mark = ""
    rests_on: EarlierPaper | None = None  # the written demand
    contact_name: str = ""
    contact_phone: str = ""


def restriction_notice(
    notice: RestrictionNotice, estate: EstateDetails, language: str, stored: Blocks | None = None
) -> Document:
    """The letter that tells of a restriction of optional services (C9).

    Raises DocumentRefused: no_service, protected_service, no_contract_clause, approvals_missing,
    ends_too_early.
    """
    check_restriction(notice)
    builder = DocumentBuilder("restriction_notice", estate, language, stored)
    words, to = builder.words, notice.recipient
    contact_name, contact_phone = builder.contact(notice.contact_name, notice.contact_phone)
    demanded: dict[str, str] = {}
    if rests_on := notice.rests_on:
        title = builder.words.text("contract_named", name=rests_on.title)
        demanded = {"title": title, "number": rests_on.number, "day": words.day(rests_on.on)}
    builder.fill(
        **builder.letter(to, notice.number, notice.issued_on),
        **builder.summed(total_of(notice.debts)),
        contact_name=contact_name,
        contact_phone=contact_phone,
        rests_on=words.text("rests_on", **demanded) if demanded else "",
        effective_on=words.day(notice.effective_on),
        ends_on=words.day(notice.ends_on),
        services=words.comma.join(service.name for service in notice.services),
    )
    services = Table(
        [builder.column("services_restricted", 2), builder.column("contract_clause", 3)],
        [[service.name, service.contract_clause] for service in notice.services],
    )
    approvals = Table(
        [builder.column("approval", 1), builder.column("approved_by", 1), builder.column("date", 1)],
        [[words.code("role", one.role), one.name, words.day(one.on)] for one in notice.approvals],
    )
    rests = words.text("written_demand_named", **demanded) if demanded else ""
    parts: list[Block] = [
        *builder.opening(),
        *builder.text("body", is_letter=True),
        services,
        Facts(
            [
                builder.fact("effective_on", words.day(notice.effective_on)),
                builder.fact("ends_on", words.day(notice.ends_on)),
                *([builder.fact("written_demand", rests, is_wide=True)] if rests else []),
            ]
        ),
        builder.debts(notice.debts),
        *builder.text("closing", is_letter=True),
        approvals,
        SignedAndSealed(
            Signatures((words["signature_manager"],), words["date_blank"]),
            Issuer(estate.creditor, words.day(notice.issued_on), words["seal"]),
        ),
        *delivery_record(builder, notice.number, to, by=notice.contact_name),
    ]
    return builder.document(
        parts, number=notice.number, on=notice.issued_on, mark=notice.mark, is_posted=True
    )


def check_restriction(notice: RestrictionNotice) -> None:
    """Refuses what the law doesn't allow in a restriction; see `restriction_notice` for the codes (C9)."""
    if not notice.services:
        raise DocumentRefused("no_service")
    for service in notice.services:
        if service.code in _PROTECTED_CODES or _PROTECTED_NAMES.search(service.name):
            raise DocumentRefused("protected_service", service.name)
        if not service.contract_clause.strip():
            raise DocumentRefused("no_contract_clause", service.name)
    if len({one.name for one in notice.approvals}) < 2:
        raise DocumentRefused("approvals_missing")
    if notice.ends_on < notice.effective_on:
        raise DocumentRefused("ends_too_early")


@dataclass(frozen=True)
class LawyerLetter:
    """A letter under a law firm's name; `contract` is the contract's title as the letter quotes it."""

    number: str
    issued_on: date
    deadline_on: date
    recipient: Recipient
    debts: tuple[DebtLine, ...]
    firm_name: str
    firm_lines: tuple[str, ...]
    lawyer_name: str
    licence_no: str
    contract: str
    mark: Mark = ""
    reminded: tuple[PastReminder, ...] = ()
    late_fee: LateFeeTerms | None = None
    firm_number: str = ""  # as the firm numbers its letters; empty: `number`
    firm_phone: str = ""
    waiting: tuple[str, ...] = ()


def lawyer_letter(
    letter: LawyerLetter, estate: EstateDetails, language: str, stored: Blocks | None = None
) -> Document:
    """The lawyer's letter (律师函, C3, C10)."""
    builder = DocumentBuilder("lawyer_letter", estate, language, stored)
    words, to, number = builder.words, letter.recipient, letter.firm_number or letter.number
    builder.fill(
        **(builder.letter(to, number, letter.issued_on) | builder.owed(letter.debts)),
        late_fee_terms=builder.late_fee_terms(letter.late_fee),
        reminded=words.reminded(letter.reminded),
        deadline_on=words.day(letter.deadline_on),
        firm_name=letter.firm_name,
        firm_phone=words.text("firm_phone", phone=letter.firm_phone) if letter.firm_phone else "",
        lawyer_name=letter.lawyer_name,
        contract=letter.contract or builder.contract() or words["service_contract"],
    )
    oldest = min(letter.debts, key=lambda debt: debt.due_on)
    client = [builder.fact("client", estate.creditor, is_wide=not estate.registration_no)]
    if estate.registration_no:
        client.append(builder.fact("registration_no", estate.registration_no))
    parts: list[Block] = [
        Facts(
            [
                *client,
            ],
            after=6,
        ),
        *builder.opening(),
        *builder.text("body", is_letter=True),
        *builder.debts_of_units(letter.debts, letter.waiting),
        Facts(
            [
                builder.fact("signature_lawyer", letter.lawyer_name, min_height=SIGNED),
                builder.fact("licence_no", letter.licence_no),
            ]
        ),
        builder.pay_box(to.unit_code, oldest.invoice_number, letter.debts),
        *builder.text("closing", is_letter=True),
        Issuer(letter.firm_name, words.day(letter.issued_on), words["seal"]),
        *delivery_record(builder, number, to),
    ]
    return builder.document(
        parts,
        number=number,
        on=letter.issued_on,
        mark=letter.mark,
        head=Letterhead(letter.firm_name, letter.firm_lines),
        is_posted=True,
    )


@dataclass(frozen=True)
class PromisedPayment:
    on: date
    amount: Decimal


@dataclass(frozen=True)
class Undertaking:
    """A signed promise for which restricted services come back early (C9); `amount` is all that is owed."""

    number: str
    signed_on: date
    recipient: Recipient
    amount: Decimal
    payments: tuple[PromisedPayment, ...]
    services: tuple[str, ...]
    ends_on: date
    mark: Mark = ""
    debts: tuple[DebtLine, ...] = ()


def undertaking(
    promise: Undertaking, estate: EstateDetails, language: str, stored: Blocks | None = None
) -> Document:
    """The undertaking (承诺书, C9)."""
    builder = DocumentBuilder("undertaking", estate, language, stored)
    words, to = builder.words, promise.recipient
    builder.fill(
        **builder.letter(to, promise.number, promise.signed_on),
        **builder.summed(promise.amount),
        ends_on=words.day(promise.ends_on),
        services=words.comma.join(promise.services),
    )
    total = sum((payment.amount for payment in promise.payments), Decimal(0))
    rows = [
        [words.text("part_of", number=place), words.day(payment.on), builder.money(payment.amount)]
        for place, payment in enumerate(promise.payments, start=1)
    ]
    payments = Table(
        [
            builder.column("part", 1, "center"),
            builder.column("pay_date", 2, "center"),
            builder.column("promised_amount", 2, "right"),
        ],
        [*rows, [words["total"], "", builder.money(total)]],
        sums=1,
    )
    address = builder.address(to)
    who = [
        builder.fact("payer", to.name),
        builder.fact("unit_code", to.unit_code),
        *([builder.fact("id_number", to.id_number)] if to.id_number else []),
        *([builder.fact("phone", to.phone)] if to.phone else []),
        *([builder.fact("address", address, is_wide=True)] if address else []),
    ]
    parts: list[Block] = [
        *builder.opening(),
        *builder.text("body", is_letter=True),
        Facts(who),
        *([builder.debts(promise.debts)] if promise.debts else []),
        payments,
        Facts(
            [
                builder.fact("services_restored", words.comma.join(promise.services), is_wide=True),
                builder.fact("ends_on", words.day(promise.ends_on), is_wide=True),
            ]
        ),
        *builder.text("closing", is_letter=True),
        *builder.text("copies", is_letter=True),
        Signatures(
            (words["signature_promiser"], words["signature_witness"], words["signature_manager"]),
            words["date_blank"],
        ),
    ]
    return builder.document(parts, number=promise.number, on=promise.signed_on, mark=promise.mark)


@dataclass(frozen=True)
class ArrearsNotice:
    """A public list of unit codes; it has no room for names, phones or amounts (C11)."""

    number: str
    posted_on: date
    until_on: date
    place: str
    reason: str
    approved_by: str
    unit_codes: tuple[str, ...]


def arrears_notice(
    notice: ArrearsNotice, estate: EstateDetails, language: str, stored: Blocks | None = None
) -> Document:
    """The public notice of arrears by unit code, each code once (C11).

    Raises DocumentRefused: not_approved, no_reason, no_place, ends_too_early, no_unit.
    """
    for is_there, code in (
        (notice.approved_by.strip(), "not_approved"),
        (notice.reason.strip(), "no_reason"),
        (notice.place.strip(), "no_place"),
        (notice.until_on >= notice.posted_on, "ends_too_early"),
        (notice.unit_codes, "no_unit"),
    ):
        if not is_there:
            raise DocumentRefused(code)
    builder = DocumentBuilder("arrears_notice", estate, language, stored)
    words = builder.words
    codes = tuple(dict.fromkeys(notice.unit_codes))
    builder.fill(
        **builder.sender(),
        posted_on=words.day(notice.posted_on),
        until_on=words.day(notice.until_on),
        place=notice.place,
        unit_count=str(len(codes)),
    )
    parts: list[Block] = [
        *builder.text("body", is_letter=True),
        Text(words["units_in_arrears"], size=11, ink="bold", after=2, is_heading=True),
        Codes(codes),
        Facts(
            [
                builder.fact("posted_on", words.day(notice.posted_on)),
                builder.fact("until_on", words.day(notice.until_on)),
                builder.fact("place", notice.place, is_wide=True),
            ]
        ),
        *builder.text("closing", is_letter=True),
        Issuer(estate.creditor, words.day(notice.posted_on), words["seal"]),
    ]
    return builder.document(parts, number=notice.number, on=notice.posted_on)


@dataclass(frozen=True)
class BuildingRate:
    """What contract.md's export of collection_rate says of one building; rates in percent."""

    building: str
    households_billed: int
    households_paid: int
    rate_households: Decimal
    rate_amount: Decimal


@dataclass(frozen=True)
class CollectionRates:
    period: str
    posted_on: date
    rows: tuple[BuildingRate, ...]


def collection_rates(
    rates: CollectionRates, estate: EstateDetails, language: str, stored: Blocks | None = None
) -> Document:
    """The collection rate per building: the normal public output about arrears (C11)."""
    builder = DocumentBuilder("collection_rates", estate, language, stored)
    words = builder.words
    period = words.period(rates.period)
    builder.fill(**builder.sender(), posted_on=words.day(rates.posted_on), period=period)
    table = Table(
        [
            builder.column("building", 2),
            builder.column("households_billed", 1, "right"),
            builder.column("households_paid", 1, "right"),
            builder.column("rate_households", 1, "right"),
            builder.column("rate_amount", 1, "right"),
        ],
        [
            [
                row.building,
                str(row.households_billed),
                str(row.households_paid),
                f"{row.rate_households:.1f} %",
                f"{row.rate_amount:.1f} %",
            ]
            for row in rates.rows
        ],
        size=10.5,
    )
    parts: list[Block] = [
        *builder.text("body", is_letter=True),
        table,
        *builder.text("closing", is_letter=True),
        Issuer(estate.creditor, words.day(rates.posted_on), words["seal"]),
    ]
    return builder.document(parts, under_title=(period,))


@dataclass(frozen=True)
class RestrictedService:
    """A service that a unit does not get for now; no name and no sum (C14)."""

    unit_code: str
    service: str
    from_on: date
    until_on: date | None = None


@dataclass(frozen=True)
class RestrictionList:
    """What is restricted on a day, for those who carry it out (C14)."""

    posted_on: date
    rows: tuple[RestrictedService, ...]


def restriction_list(
    sheet: RestrictionList, estate: EstateDetails, language: str, stored: Blocks | None = None
) -> Document:
    """The list of services restricted now, for gate, desk and engineering (门岗通知单, C9, C14)."""
    builder = DocumentBuilder("restriction_list", estate, language, stored)
    words, on = builder.words, builder.words.day(sheet.posted_on)
    builder.fill(**builder.sender(), posted_on=on, unit_count=str(len({row.unit_code for row in sheet.rows})))
    rows = [
        [row.unit_code, row.service, words.day(row.from_on), words.day(row.until_on)] for row in sheet.rows
    ]
    columns = [
        builder.column("unit_code", 2),
        builder.column("services_restricted", 3),
        builder.column("effective_on", 2),
        builder.column("ends_on", 2),
    ]
    parts: list[Block] = [
        *builder.text("body"),
        Table(columns, rows, size=10.5) if rows else Text(words["nothing_restricted"]),
        *builder.text("closing"),
        Signatures((words["delivered_by"], words["signature_received"]), words["date_blank"]),
    ]
    return builder.document(parts, under_title=(words.pair("as_of", on),))
