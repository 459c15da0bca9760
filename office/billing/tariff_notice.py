"""The public notice of charges, and of what came in and went out (B2, D6); it belongs to no household."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal
from typing import Literal, get_args

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.orm import Session

from models.base import said_in
from models.billing import FeeItem, Invoice, InvoiceLine, Tariff
from models.payments import Allocation, AllocationLine
from models.property import UNIT_KINDS, Estate
from office.core import clock
from office.core.errors import N_, Refused
from office.documents.filing import unfiled_pdf
from office.documents.pdf import billing
from office.documents.pdf.document import Size
from office.documents.pdf.wording import words_of
from rules.billing import Period, stored_tiers
from rules.word_sets import word_set

IncomeBasis = Literal["billed", "received"]
INCOME_BASES: tuple[str, ...] = get_args(IncomeBasis)


@dataclass(frozen=True)
class AccountsAsked:
    """What the accounts shall show: the months `YYYY-MM`, the income how, and what is typed in (yuan).

    `brought_forward` is the balance before the first month; None where the office does not say one.
    """

    first: str
    last: str
    basis: IncomeBasis = "billed"
    other_income: Sequence[tuple[str, Decimal]] = ()
    expenses: Sequence[tuple[str, Decimal]] = ()
    brought_forward: Decimal | None = None


def gaps(session: Session, on: date) -> list[tuple[str, dict[str, str]]]:
    """What a notice of charges must say by mainland law and the office has not entered (D6).

    Each is a sentence to translate with what it names; none under the word sets of Hong Kong and Taiwan.
    """
    estate = session.execute(select(Estate)).scalar_one()
    if word_set(estate.word_set, estate.currency) != "mainland":
        return []
    found: list[tuple[str, dict[str, str]]] = []
    if not estate.fee_scheme:
        found.append((N_("The basis of fees (lump sum or commission) is missing at the estate."), {}))
    if not estate.in_language("service_level", estate.language):
        found.append((N_("The service level is missing at the estate."), {}))
    if not estate.in_language("complaint_numbers", estate.language):
        found.append((N_("The numbers for complaints about charges are missing at the estate."), {}))
    unsaid = {
        item.name_in(estate.language): None for _tariff, item in _in_force(session, on) if not item.price_kind
    }
    if unsaid:
        found.append((N_("The kind of price is missing for: %(items)s"), {"items": ", ".join(unsaid)}))
    return found


def print_tariff_notice(
    session: Session,
    *,
    on: date,
    posted_on: date,
    accounts: AccountsAsked | None = None,
    language: str,
    now: datetime,
    size: Size = "",
) -> bytes:
    """The tariffs in force on a day with what they pay for, and the accounts asked for, as PDF (B2, D6).

    Raises Refused without a tariff, and when the first month comes after the last.
    """
    words = words_of(language)
    estate = session.execute(select(Estate)).scalar_one()
    order = {kind: place for place, kind in enumerate(UNIT_KINDS)}
    shown = [
        billing.TariffRow(
            item=item.name_in(language),
            unit_kind=tariff.unit_kind,
            rate=tariff.rate,
            unit=words.unit(item.basis),
            services=said_in(item, "services", language, estate.language),
            tiers=tuple(billing.PriceTier(tier.rate, tier.up_to) for tier in stored_tiers(tariff.tiers)),
            price_kind=item.price_kind,
            valid_from=tariff.valid_from,
        )
        for tariff, item in sorted(
            _in_force(session, on), key=lambda pair: (pair[1].position, pair[1].id, order[pair[0].unit_kind])
        )
    ]
    if not shown:
        raise Refused(N_("There is no tariff on %(day)s"), day=on)
    value = billing.TariffNotice(
        posted_on=posted_on,
        valid_from=on,
        rows=tuple(shown),
        fee_scheme=estate.fee_scheme,
        service_level=estate.in_language("service_level", language),
        complaint_numbers=tuple(
            line.strip()
            for line in estate.in_language("complaint_numbers", language).splitlines()
            if line.strip()
        ),
        accounts=None if accounts is None else _accounts(session, accounts, language),
    )
    return unfiled_pdf(session, "tariff_notice", value, language=language, now=now, size=size)


def _in_force(session: Session, on: date) -> list[tuple[Tariff, FeeItem]]:
    """For each active item and kind of unit the tariff of the day, the latest begun where two overlap."""
    rows = session.execute(
        select(Tariff, FeeItem)
        .join(FeeItem, FeeItem.id == Tariff.fee_item_id)
        .where(
            FeeItem.is_active, Tariff.valid_from <= on, or_(Tariff.valid_to.is_(None), Tariff.valid_to >= on)
        )
        .order_by(Tariff.valid_from)
    )
    newest = {(item.id, tariff.unit_kind): (tariff, item) for tariff, item in rows}
    return list(newest.values())


def _accounts(session: Session, asked: AccountsAsked, language: str) -> billing.Accounts:
    if asked.first > asked.last:
        raise Refused(N_("The first month comes after the last"))
    by_item = _billed(session, asked) if asked.basis == "billed" else _received(session, asked)
    items = session.scalars(
        select(FeeItem).where(FeeItem.basis != "deposit").order_by(FeeItem.position, FeeItem.id)
    )
    rows = [
        billing.Balance(item.name_in(language), income=by_item[item.id])
        for item in items
        if by_item.get(item.id)
    ]
    if asked.basis == "received" and (fees := _late_fees(session, asked)):
        rows.append(billing.Balance(words_of(language)["late_fee"], income=fees))
    rows += [billing.Balance(item, income=amount) for item, amount in asked.other_income]
    rows += [billing.Balance(item, expense=amount) for item, amount in asked.expenses]
    return billing.Accounts(asked.first, asked.last, asked.basis, tuple(rows), asked.brought_forward)


def _billed(session: Session, asked: AccountsAsked) -> dict[int, Decimal]:
    """What was billed for each fee item for the months, less its credit notes; opening balances left out."""
    rows = session.execute(
        select(InvoiceLine.fee_item_id, func.sum(InvoiceLine.amount - InvoiceLine.credited))
        .join(Invoice, Invoice.id == InvoiceLine.invoice_id)
        .where(Invoice.period >= asked.first, Invoice.period <= asked.last, Invoice.kind != "opening")
        .group_by(InvoiceLine.fee_item_id)
    )
    return dict(rows.all())


def _received(session: Session, asked: AccountsAsked) -> dict[int, Decimal]:
    """What was paid in the months for each fee item, of whatever month its bill is."""
    rows = session.execute(
        select(InvoiceLine.fee_item_id, func.sum(AllocationLine.amount))
        .join(AllocationLine, AllocationLine.invoice_line_id == InvoiceLine.id)
        .join(Allocation, Allocation.id == AllocationLine.allocation_id)
        .where(*_in_months(session, asked))
        .group_by(InvoiceLine.fee_item_id)
    )
    return dict(rows.all())


def _late_fees(session: Session, asked: AccountsAsked) -> Decimal:
    paid = select(func.sum(Allocation.amount)).where(
        Allocation.part == "late_fee", *_in_months(session, asked)
    )
    return session.scalar(paid) or Decimal(0)


def _in_months(session: Session, asked: AccountsAsked) -> tuple[ColumnElement[bool], ...]:
    """Allocations whose day lies in the months; none of them counted before its day, which an index knows."""
    first, last = Period.parse(asked.first).first_on, Period.parse(asked.last).last_on
    begins_at = datetime.combine(first, time(), clock.zone(session))
    return (Allocation.effective_at >= begins_at, Allocation.allocated_on.between(first, last))
