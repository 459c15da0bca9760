"""Which documents there are, and their values as JSON: a filed document draws again as it was (§10, P8)."""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Callable, Mapping
from datetime import date, datetime
from decimal import Decimal
from functools import cache
from typing import Any, NamedTuple, Union

from office.documents.pdf import (
    accounts,
    billing,
    collection,
    complaints,
    payments,
    pools,
    reports,
    service_papers,
)
from office.documents.pdf.document import Document
from office.documents.pdf.templates import Blocks
from office.documents.pdf.values import DocumentRefused, EstateDetails

Value = (
    billing.PaymentNotice
    | billing.MoveInBill
    | billing.CreditNote
    | billing.TariffNotice
    | accounts.StatementOfAccount
    | accounts.ClearanceCertificate
    | pools.PoolNotice
    | payments.Receipt
    | payments.DepositSlip
    | payments.DepositRefund
    | collection.Demand
    | collection.RestrictionNotice
    | collection.LawyerLetter
    | collection.Undertaking
    | collection.ArrearsNotice
    | collection.CollectionRates
    | collection.RestrictionList
    | complaints.WorkContactSlip
    | complaints.ComplaintForm
    | complaints.InvalidClosure
    | service_papers.ResidentSlip
    | service_papers.WrittenReply
    | service_papers.ReviewMinutes
    | service_papers.VisitSheet
    | service_papers.ServiceSlip
    | reports.MonthlyComplaints
    | reports.WeeklyMeeting
    | reports.ReportSheet
)


class DocumentKind(NamedTuple):
    """`is_kept_up`: the office goes on working with it, and files it anew when its values change (D3)."""

    value: type[Any]
    draw: Callable[[Any, EstateDetails, str, Blocks | None], Document]
    is_kept_up: bool = False


KEPT_UP = True

KINDS: Mapping[str, DocumentKind] = types.MappingProxyType(
    {
        "payment_notice": DocumentKind(billing.PaymentNotice, billing.payment_notice),
        "move_in_bill": DocumentKind(billing.MoveInBill, billing.move_in_bill),
        "credit_note": DocumentKind(billing.CreditNote, billing.credit_note),
        "tariff_notice": DocumentKind(billing.TariffNotice, billing.tariff_notice),
        "receipt": DocumentKind(payments.Receipt, payments.receipt),
        "statement_of_account": DocumentKind(accounts.StatementOfAccount, accounts.statement_of_account),
        "clearance_certificate": DocumentKind(accounts.ClearanceCertificate, accounts.clearance_certificate),
        "pool_notice": DocumentKind(pools.PoolNotice, pools.pool_notice),
        "deposit_slip": DocumentKind(payments.DepositSlip, payments.deposit_slip),
        "deposit_refund": DocumentKind(payments.DepositRefund, payments.deposit_refund),
        "payment_reminder": DocumentKind(collection.Demand, collection.payment_reminder),
        "demand": DocumentKind(collection.Demand, collection.demand),
        "final_letter": DocumentKind(collection.Demand, collection.final_letter),
        "restriction_notice": DocumentKind(collection.RestrictionNotice, collection.restriction_notice),
        "lawyer_letter": DocumentKind(collection.LawyerLetter, collection.lawyer_letter),
        "undertaking": DocumentKind(collection.Undertaking, collection.undertaking, KEPT_UP),
        "arrears_notice": DocumentKind(collection.ArrearsNotice, collection.arrears_notice),
        "collection_rates": DocumentKind(collection.CollectionRates, collection.collection_rates),
        "work_contact_slip": DocumentKind(complaints.WorkContactSlip, complaints.work_contact_slip, KEPT_UP),
        "complaint_form": DocumentKind(complaints.ComplaintForm, complaints.complaint_form, KEPT_UP),
        "invalid_closure": DocumentKind(complaints.InvalidClosure, complaints.invalid_closure, KEPT_UP),
        "resident_slip": DocumentKind(service_papers.ResidentSlip, service_papers.resident_slip, KEPT_UP),
        "written_reply": DocumentKind(service_papers.WrittenReply, service_papers.written_reply, KEPT_UP),
        "review_minutes": DocumentKind(service_papers.ReviewMinutes, service_papers.review_minutes, KEPT_UP),
        "visit_sheet": DocumentKind(service_papers.VisitSheet, service_papers.visit_sheet, KEPT_UP),
        "service_slip": DocumentKind(service_papers.ServiceSlip, service_papers.service_slip, KEPT_UP),
        "restriction_list": DocumentKind(collection.RestrictionList, collection.restriction_list),
        "monthly_complaints": DocumentKind(reports.MonthlyComplaints, reports.monthly_complaints),
        "weekly_meeting": DocumentKind(reports.WeeklyMeeting, reports.weekly_meeting),
        "report_sheet": DocumentKind(reports.ReportSheet, reports.report_sheet),
    }
)


def draw(
    kind: str, value: Value, estate: EstateDetails, language: str, stored: Blocks | None = None
) -> Document:
    """The document of a kind from its value. Raises DocumentRefused, `unknown_paper` for an unknown kind."""
    if kind not in KINDS:
        raise DocumentRefused("unknown_paper", kind)
    return KINDS[kind].draw(value, estate, language, stored)


def contents(value: Value | EstateDetails) -> dict[str, Any]:
    """The value as plain JSON, for the `contents` of a filed document."""
    plain = _plain(value)
    assert isinstance(plain, dict)
    return plain


def dated(value: Value) -> date | None:
    """The paper's own date, None where it bears none."""
    names = ("issued_on", "paid_on", "received_on", "signed_on", "posted_on")
    return next((getattr(value, name) for name in names if hasattr(value, name)), None)


def total(value: Value) -> Decimal | None:
    """What the paper says is to be paid, was paid or is promised, late fees included; in yuan."""
    if isinstance(value, billing.PaymentNotice | billing.MoveInBill):
        return value.total
    if isinstance(value, collection.Demand | collection.LawyerLetter | collection.RestrictionNotice):
        return sum((debt.amount + debt.late_fee for debt in value.debts), Decimal(0))
    if isinstance(value, accounts.StatementOfAccount):
        return value.closing
    amount: Decimal | None = getattr(value, "amount", None)
    return amount


def estate_of(stored: Mapping[str, Any]) -> EstateDetails:
    """The estate as a paper was printed with it, from its JSON; fields added since get their defaults."""
    found = _read(EstateDetails, stored)
    assert isinstance(found, EstateDetails)
    return found


def value_of(kind: str, stored: Mapping[str, Any]) -> Any:
    """The value from its JSON; fields added since then get their defaults.

    Raises DocumentRefused `unknown_paper`, `unreadable`.
    """
    if kind not in KINDS:
        raise DocumentRefused("unknown_paper", kind)
    try:
        return _read(KINDS[kind].value, stored)
    except (ArithmeticError, AttributeError, KeyError, TypeError, ValueError) as error:
        raise DocumentRefused("unreadable", f"{kind}: {error}") from error


def _plain(value: object) -> object:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: _plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, tuple):
        return [_plain(one) for one in value]
    if isinstance(value, date):
        return value.isoformat()
    return str(value) if isinstance(value, Decimal) else value


@cache
def _hints(cls: type[Any]) -> dict[str, Any]:
    return typing.get_type_hints(cls)


def _read(kind: Any, stored: Any) -> Any:
    if typing.get_origin(kind) in {Union, types.UnionType}:
        if stored is None:
            return None
        kind = next(one for one in typing.get_args(kind) if one is not type(None))
    if typing.get_origin(kind) is tuple:
        return tuple(_read(typing.get_args(kind)[0], one) for one in stored)
    if dataclasses.is_dataclass(kind):
        hints = _hints(kind)  # type: ignore[arg-type]  # a class here, never an instance
        return kind(**{name: _read(hints[name], one) for name, one in stored.items() if name in hints})  # type: ignore[operator]
    if kind is Decimal:
        return Decimal(stored)
    return kind.fromisoformat(stored) if kind in {date, datetime} else stored
