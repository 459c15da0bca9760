"""Papers of collecting arrears: demand to lawyer's letter, restriction, undertaking, public notices (C2–C11).

The law is built in: a restriction names only optional contracted services and carries two approvals and an
end (Civil Code art. 944, C9); a public list holds unit codes and nothing else (C11).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from office.documents.pdf.blocks import Codes, Facts, Issuer, Part, Signatures, Table, Text
from office.documents.pdf.builder import Draft
from office.documents.pdf.document import Letterhead, Mark, Paper
from office.documents.pdf.templates import Blocks
from office.documents.pdf.values import Debt, Estate, PaperRefused, Recipient
from rules.gates import PROTECTED_SERVICES

# what the law protects, by whatever name an office gave its service
_PROTECTED_NAMES = re.compile(
    r"[供停断斷]水|[供停断斷][电電]|[水电電]费|[水電电]費|用[电電]|用水|燃[气氣]|煤[气氣]|天然[气氣]|[供停断斷][气氣暖热熱]"
    r"|暖[气氣]|采暖|[门門]禁|出入|[电電]梯|\b(?:water|electric\w*|power|heat\w*|gas|access|lifts?|elevators?)\b",
    re.IGNORECASE,
)
_PROTECTED_CODES = PROTECTED_SERVICES | {"electricity", "heating", "lift"}


@dataclass(frozen=True)
class Demand:
    """A written reminder of debts; money in yuan, `deadline_on` is the last day to pay."""

    number: str
    issued_on: date
    deadline_on: date
    recipient: Recipient
    debts: tuple[Debt, ...]
    contact_name: str = ""
    contact_phone: str = ""
    mark: Mark = ""


def payment_reminder(letter: Demand, estate: Estate, language: str, stored: Blocks | None = None) -> Paper:
    """The friendly reminder on paper (缴费提醒, C2, C3)."""
    return _dunning_letter("payment_reminder", letter, estate, language, stored)


def demand(letter: Demand, estate: Estate, language: str, stored: Blocks | None = None) -> Paper:
    """The demand notice (催费通知单, C2)."""
    return _dunning_letter("demand", letter, estate, language, stored)


def final_letter(letter: Demand, estate: Estate, language: str, stored: Blocks | None = None) -> Paper:
    """The letter with the last deadline (C2, C3), with a tear of signatures that proves delivery."""
    return _dunning_letter("final_letter", letter, estate, language, stored)


def _dunning_letter(kind: str, letter: Demand, estate: Estate, language: str, stored: Blocks | None) -> Paper:
    draft = Draft(kind, estate, language, stored)
    words, to = draft.words, letter.recipient
    draft.fill(
        **draft.letter(to, letter.number, letter.issued_on),
        **draft.owed(letter.debts),
        deadline_on=words.day(letter.deadline_on),
        contact_name=letter.contact_name or estate.name,
        contact_phone=letter.contact_phone or estate.phone,
    )
    oldest = min(letter.debts, key=lambda debt: debt.due_on)
    parts: list[Part] = [
        *draft.opening(),
        *draft.text("body", is_letter=True),
        draft.debts(letter.debts),
        *draft.text("closing", is_letter=True),
        draft.pay_box(to.unit_code, oldest.invoice_number),
        Issuer(estate.name, words.day(letter.issued_on), words["seal"]),
    ]
    if kind == "final_letter":
        parts.append(Signatures((words["delivered_by"], words["signature_received"]), words["date_blank"]))
    return draft.paper(parts, number=letter.number, on=letter.issued_on, mark=letter.mark)


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
    debts: tuple[Debt, ...]
    services: tuple[OptionalService, ...]
    effective_on: date
    ends_on: date
    approvals: tuple[Consent, ...]
    mark: Mark = ""


def restriction_notice(
    notice: RestrictionNotice, estate: Estate, language: str, stored: Blocks | None = None
) -> Paper:
    """The letter that tells of a restriction of optional services (C9).

    Raises PaperRefused: no_service, protected_service, no_contract_clause, approvals_missing, ends_too_early.
    """
    check_restriction(notice)
    draft = Draft("restriction_notice", estate, language, stored)
    words, to = draft.words, notice.recipient
    draft.fill(
        **draft.letter(to, notice.number, notice.issued_on),
        amount=draft.owed(notice.debts)["amount"],
        effective_on=words.day(notice.effective_on),
        ends_on=words.day(notice.ends_on),
        services=words.comma.join(service.name for service in notice.services),
    )
    services = Table(
        [draft.column("services_restricted", 2), draft.column("contract_clause", 3)],
        [[service.name, service.contract_clause] for service in notice.services],
    )
    approvals = Table(
        [draft.column("approval", 1), draft.column("approved_by", 1), draft.column("date", 1)],
        [[words.code("role", one.role), one.name, words.day(one.on)] for one in notice.approvals],
    )
    parts: list[Part] = [
        *draft.opening(),
        *draft.text("body", is_letter=True),
        services,
        Facts(
            [
                draft.fact("effective_on", words.day(notice.effective_on)),
                draft.fact("ends_on", words.day(notice.ends_on)),
            ]
        ),
        draft.debts(notice.debts),
        *draft.text("closing", is_letter=True),
        approvals,
        Issuer(estate.name, words.day(notice.issued_on), words["seal"]),
        Signatures((words["signature_manager"], words["signature_received"]), words["date_blank"]),
    ]
    return draft.paper(parts, number=notice.number, on=notice.issued_on, mark=notice.mark)


def check_restriction(notice: RestrictionNotice) -> None:
    """Refuses what the law doesn't allow in a restriction; see `restriction_notice` for the codes (C9)."""
    if not notice.services:
        raise PaperRefused("no_service")
    for service in notice.services:
        if service.code in _PROTECTED_CODES or _PROTECTED_NAMES.search(service.name):
            raise PaperRefused("protected_service", service.name)
        if not service.contract_clause.strip():
            raise PaperRefused("no_contract_clause", service.name)
    if len({one.name for one in notice.approvals}) < 2:
        raise PaperRefused("approvals_missing")
    if notice.ends_on < notice.effective_on:
        raise PaperRefused("ends_too_early")


@dataclass(frozen=True)
class LawyerLetter:
    """A letter under a law firm's name; `contract` is the contract's title as the letter quotes it."""

    number: str
    issued_on: date
    deadline_on: date
    recipient: Recipient
    debts: tuple[Debt, ...]
    firm_name: str
    firm_lines: tuple[str, ...]
    lawyer_name: str
    licence_no: str
    contract: str
    mark: Mark = ""


def lawyer_letter(letter: LawyerLetter, estate: Estate, language: str, stored: Blocks | None = None) -> Paper:
    """The lawyer's letter (律师函, C3, C10)."""
    draft = Draft("lawyer_letter", estate, language, stored)
    words, to = draft.words, letter.recipient
    draft.fill(
        **draft.letter(to, letter.number, letter.issued_on),
        **draft.owed(letter.debts),
        deadline_on=words.day(letter.deadline_on),
        firm_name=letter.firm_name,
        lawyer_name=letter.lawyer_name,
        contract=letter.contract,
    )
    parts: list[Part] = [
        *draft.opening(),
        *draft.text("body", is_letter=True),
        draft.debts(letter.debts),
        *draft.text("closing", is_letter=True),
        Facts([draft.fact("lawyer", letter.lawyer_name), draft.fact("licence_no", letter.licence_no)]),
        Issuer(letter.firm_name, words.day(letter.issued_on), words["seal"]),
        Signatures((words["signature_lawyer"], words["signature_received"]), words["date_blank"]),
    ]
    return draft.paper(
        parts,
        number=letter.number,
        on=letter.issued_on,
        mark=letter.mark,
        head=Letterhead(letter.firm_name, letter.firm_lines),
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


def undertaking(promise: Undertaking, estate: Estate, language: str, stored: Blocks | None = None) -> Paper:
    """The undertaking (承诺书, C9)."""
    draft = Draft("undertaking", estate, language, stored)
    words, to = draft.words, promise.recipient
    draft.fill(
        **draft.letter(to, promise.number, promise.signed_on),
        amount=draft.money(promise.amount),
        ends_on=words.day(promise.ends_on),
        services=words.comma.join(promise.services),
    )
    total = sum((payment.amount for payment in promise.payments), Decimal(0))
    rows = [[words.day(payment.on), draft.money(payment.amount)] for payment in promise.payments]
    payments = Table(
        [draft.column("pay_date", 1, "center"), draft.column("promised_amount", 1, "right")],
        [*rows, [words["total"], draft.money(total)]],
        sums=1,
    )
    parts: list[Part] = [
        *draft.text("body", is_letter=True),
        payments,
        Facts(
            [
                draft.fact("services_restored", words.comma.join(promise.services), is_wide=True),
                draft.fact("ends_on", words.day(promise.ends_on), is_wide=True),
            ]
        ),
        *draft.text("closing", is_letter=True),
        Signatures(
            (words["signature_promiser"], words["signature_witness"], words["signature_manager"]),
            words["date_blank"],
        ),
    ]
    return draft.paper(parts, number=promise.number, on=promise.signed_on, mark=promise.mark)


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
    notice: ArrearsNotice, estate: Estate, language: str, stored: Blocks | None = None
) -> Paper:
    """The public notice of arrears by unit code, each code once (C11).

    Raises PaperRefused: not_approved, no_reason, no_place, ends_too_early, no_unit.
    """
    for is_there, code in (
        (notice.approved_by.strip(), "not_approved"),
        (notice.reason.strip(), "no_reason"),
        (notice.place.strip(), "no_place"),
        (notice.until_on >= notice.posted_on, "ends_too_early"),
        (notice.unit_codes, "no_unit"),
    ):
        if not is_there:
            raise PaperRefused(code)
    draft = Draft("arrears_notice", estate, language, stored)
    words = draft.words
    codes = tuple(dict.fromkeys(notice.unit_codes))
    draft.fill(
        **draft.sender(),
        posted_on=words.day(notice.posted_on),
        until_on=words.day(notice.until_on),
        place=notice.place,
        unit_count=str(len(codes)),
    )
    parts: list[Part] = [
        *draft.text("body", is_letter=True),
        Text(words["units_in_arrears"], size=11, ink="bold", after=2),
        Codes(codes),
        Facts(
            [
                draft.fact("posted_on", words.day(notice.posted_on)),
                draft.fact("until_on", words.day(notice.until_on)),
                draft.fact("place", notice.place, is_wide=True),
            ]
        ),
        *draft.text("closing", is_letter=True),
        Issuer(estate.name, words.day(notice.posted_on), words["seal"]),
    ]
    return draft.paper(parts, number=notice.number, on=notice.posted_on)


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
    rates: CollectionRates, estate: Estate, language: str, stored: Blocks | None = None
) -> Paper:
    """The collection rate per building: the normal public output about arrears (C11)."""
    draft = Draft("collection_rates", estate, language, stored)
    words = draft.words
    period = words.period(rates.period)
    draft.fill(**draft.sender(), posted_on=words.day(rates.posted_on), period=period)
    table = Table(
        [
            draft.column("building", 2),
            draft.column("households_billed", 1, "right"),
            draft.column("households_paid", 1, "right"),
            draft.column("rate_households", 1, "right"),
            draft.column("rate_amount", 1, "right"),
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
    parts: list[Part] = [
        *draft.text("body", is_letter=True),
        table,
        *draft.text("closing", is_letter=True),
        Issuer(estate.name, words.day(rates.posted_on), words["seal"]),
    ]
    return draft.paper(parts, under_title=(period,))
