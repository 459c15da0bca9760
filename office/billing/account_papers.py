"""The papers about a payer's account, filed at their first print: statement and certificate (M11, D3)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models.billing import FeeItem, Invoice, ServiceSlip
from models.office import Paper
from models.payments import Payment
from models.people import Owner
from models.property import Unit
from office.billing.period_rows import not_taken_back
from office.core import clock, numbering
from office.core.errors import N_, Refused
from office.documents.filing import NewPaper, print_papers
from office.documents.languages import payer_language
from office.documents.pdf import registry
from office.documents.pdf.accounts import (
    AccountLine,
    ClearanceCertificate,
    Held,
    PutAside,
    StatementOfAccount,
)
from office.documents.pdf.values import DebtLine, Recipient
from office.estate.owners import payer_of
from office.payments import earmarks
from office.receivables import account_export, accounts, sums
from office.receivables.accounts import Of
from office.receivables.ledger import INVOICE
from rules.accounts import Account, by_day

STATEMENTS, CERTIFICATES = "A", "Q"  # the series of their numbers
MOST_NAMED = 5
RECENT = 100  # statements of a payer among which the same one is looked for


def account_lines(session: Session, found: Account, language: str) -> tuple[AccountLine, ...]:
    """The account's lines as people read them, the late fees of one day in one."""
    codes, names = account_export.words(session, found)
    items = {item.code: item.name_in(language) for item in session.scalars(select(FeeItem))}
    standing, lines = found.opening, []
    for one in by_day(found.movements):
        standing = standing.after(one)
        is_deposit = one.kind.startswith("deposit_")
        lines.append(
            AccountLine(
                on=one.on,
                kind=one.kind,
                number=one.number,
                of=one.of,
                detail=items.get(one.detail, one.detail) if is_deposit else one.detail,
                unit_code=codes[one.unit_id],
                payer_name=names[one.payer_id],
                charged=one.billed + one.late_fee,
                settled=one.credited + one.paid,
                balance=standing.owed,
                prepaid=one.prepaid,
                prepaid_balance=standing.prepaid,
                deposit=one.deposit,
                deposit_balance=standing.deposit,
            )
        )
    return tuple(lines)


def open_bills(session: Session, of: Of, on: date) -> tuple[DebtLine, ...]:
    """The bills that were open at the end of a day, also those that are paid by now; together the closing."""
    owed = sums.owed_then(session, on, *of.rows(INVOICE.c))
    return tuple(DebtLine(one.number, one.period, one.due_on, one.principal, one.late_fee) for one in owed)


def statement(
    session: Session, of: Of, from_on: date | None, to_on: date | None, *, number: str = ""
) -> StatementOfAccount:
    """A payer's statement, at one unit or at all of them. Raises Refused without a payer."""
    if of.payer_id is None:
        raise Refused(N_("A statement on paper is one payer's: choose the payer"))
    found = accounts.account(session, of, from_on, to_on)
    opening, closing = found.opening, found.closing
    return StatementOfAccount(
        number=number,
        issued_on=clock.today(session),
        from_on=found.from_on,
        to_on=found.to_on,
        recipient=_recipient(session, of),
        opening=opening.owed,
        billed=found.sum_of("billed"),
        late_fee=found.sum_of("late_fee"),
        credited=found.sum_of("credited"),
        paid=found.sum_of("paid"),
        closing=closing.owed,
        lines=account_lines(session, found, payer_language(session, of.payer_id)),
        open_bills=open_bills(session, of, found.to_on),
        prepaid=Held(opening.prepaid, closing.prepaid),
        deposits=Held(opening.deposit, closing.deposit),
        aside=_aside(session, of, found.to_on),
    )


def _aside(session: Session, of: Of, on: date) -> tuple[PutAside, ...]:
    """What of the prepaid credit is put aside, on a statement until today (M10)."""
    if on != clock.today(session) or of.payer_id is None:
        return ()
    language = payer_language(session, of.payer_id)
    return tuple(
        PutAside(
            one.left,
            one.receipt_no,
            one.fee_item.name_in(language) if one.fee_item else "",
            one.from_on,
            one.to_on,
        )
        for one in earmarks.named(session, *of.rows(Payment))
    )


def _recipient(session: Session, of: Of) -> Recipient:
    payer = session.get_one(Owner, of.payer_id)
    if of.unit_id is not None:
        return Recipient(payer.name, session.get_one(Unit, of.unit_id).code, payer.post_address)
    billed = select(Invoice.unit_id).where(Invoice.payer_id == of.payer_id)
    codes = session.scalars(select(Unit.code).where(Unit.id.in_(billed)).order_by(Unit.id)).all()
    said = ", ".join(codes[:MOST_NAMED]) + (" …" if len(codes) > MOST_NAMED else "")
    return Recipient(payer.name, said, payer.post_address)


def print_statement(
    session: Session,
    of: Of,
    from_on: date | None,
    to_on: date | None,
    *,
    now: datetime,
    staff_id: int | None,
) -> tuple[bytes, str]:
    """The statement as PDF with its number; one that says the same as a filed one is its copy (D3)."""
    value = statement(session, of, from_on, to_on)
    unsaid = frozenset({"number", "issued_on"})
    number = _number(session, "statement_of_account", STATEMENTS, of, value, unsaid)
    paper = NewPaper(number, replace(value, number=number), of.unit_id, of.payer_id)
    made = print_papers(session, "statement_of_account", [paper], now=now, staff_id=staff_id)
    return made, number


def _number(
    session: Session,
    kind: str,
    series: str,
    of: Of,
    value: StatementOfAccount | ClearanceCertificate,
    unsaid: frozenset[str],
) -> str:
    """The number of a filed paper that says the same but for the fields `unsaid`, else the next one (D3)."""
    filed = session.execute(
        select(Paper.number, Paper.contents)
        .where(
            Paper.kind == kind,
            Paper.payer_id == of.payer_id,
            Paper.unit_id == of.unit_id if of.unit_id is not None else Paper.unit_id.is_(None),
        )
        .order_by(Paper.id.desc())
        .limit(RECENT)
    )

    def said(contents: Mapping[str, Any]) -> dict[str, Any]:
        """Lists that are empty say nothing: what an older program filed lacks those of later ones."""
        return {name: one for name, one in contents.items() if name not in unsaid and one != []}

    wanted = said(registry.contents(value))
    for number, contents in filed:
        if said(contents or {}) == wanted:
            return str(number)
    year = value.issued_on.year
    return numbering.written(f"{series}{year}", numbering.take(session, series, year))


# --- certificate --------------------------------------------------------------------------------------------


def what_is_owed(session: Session, unit_id: int, payer_id: int) -> Refused | None:
    """Why there can be no certificate that a payer owes nothing for a unit today; None where there can."""
    named = {
        "payer": session.get_one(Owner, payer_id).name,
        "unit": session.get_one(Unit, unit_id).code,
    }
    owed = sums.owed_by(session, (unit_id, payer_id), clock.today(session))
    if owed:
        return Refused(
            N_("%(payer)s still owes %(amount)s for unit %(unit)s: bills %(bills)s"),
            **named,
            amount=sums.together(owed).total,
            bills=_some([one.number for one in owed]),
        )
    slips = session.scalars(
        select(ServiceSlip.slip_no)
        .where(ServiceSlip.unit_id == unit_id, ServiceSlip.state == "open")
        .order_by(ServiceSlip.id)
    ).all()
    if slips and payer_now(session, unit_id) in {None, payer_id}:
        return Refused(
            N_("Service slips of unit %(unit)s are not billed yet: %(slips)s"), **named, slips=_some(slips)
        )
    return None


def payer_now(session: Session, unit_id: int) -> int | None:
    """Who pays for a unit today."""
    found = payer_of(session, unit_id, clock.today(session))
    return None if found is None else found.owner_id


def _some(numbers: Sequence[str]) -> str:
    return ", ".join(numbers[:MOST_NAMED]) + (" …" if len(numbers) > MOST_NAMED else "")


def print_certificate(session: Session, of: Of, *, now: datetime, staff_id: int | None) -> tuple[bytes, str]:
    """The certificate that a payer owes nothing for a unit today, with its number (M11).

    Raises Refused with what is owed.

    Printed again on the same day it is a copy; on another day it is a new one.
    """
    unit_id, payer_id = of.unit_id, of.payer_id
    if unit_id is None or payer_id is None:
        raise Refused(N_("Choose one payer at this unit: the certificate is theirs"))
    if (owed := what_is_owed(session, unit_id, payer_id)) is not None:
        raise owed
    held = accounts.account(session, of, None).closing
    value = ClearanceCertificate(
        number="",
        issued_on=clock.today(session),
        recipient=_recipient(session, of),
        billed_until=session.scalar(
            select(func.max(Invoice.period)).where(
                Invoice.unit_id == unit_id,
                Invoice.payer_id == payer_id,
                Invoice.kind == "regular",
                not_taken_back(),
            )
        )
        or "",
        prepaid=held.prepaid,
        deposits=held.deposit,
    )
    number = _number(session, "clearance_certificate", CERTIFICATES, of, value, frozenset({"number"}))
    paper = NewPaper(number, replace(value, number=number), unit_id, payer_id)
    made = print_papers(session, "clearance_certificate", [paper], now=now, staff_id=staff_id)
    return made, number
