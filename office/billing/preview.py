"""What issuing a period's bills now would make, set against the month before; nothing is written (B4)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from sqlalchemy import and_, exists, func, select
from sqlalchemy.orm import Session

from models.billing import FeeItem, Invoice, InvoiceLine
from office.billing.draft import Draft, Unbilled
from office.billing.period_rows import UNIT, not_taken_back
from office.billing.working_tables import BILL, OWN_LINE, QUOTE
from office.receivables.ledger import INVOICE
from rules import billing as rule
from rules.billing import Period
from rules.money import ZERO, yuan
from rules.reasons import Reason


@dataclass(frozen=True)
class Unusual:
    """A bill that stands out against the month before; yuan."""

    unit_code: str
    amount: Decimal
    last: Decimal
    reason: Reason


@dataclass(frozen=True)
class Preview:
    """What issuing a period's bills now would make, in yuan (B4)."""

    period: str
    issued_on: date
    due_on: date
    invoices: int
    amount: Decimal
    last_invoices: int
    last_amount: Decimal
    by_item: Mapping[str, Decimal]
    unbilled: tuple[Unbilled, ...]
    unusual: tuple[Unusual, ...]
    last_by_item: Mapping[str, Decimal]
    absent: tuple[tuple[str, Decimal], ...]  # unit codes billed last month and not this one, with the sum

    def to_dict(self) -> dict[str, Any]:
        return {
            "period": self.period,
            "invoices": self.invoices,
            "amount": yuan(self.amount),
            "unbilled": [one.to_dict() for one in self.unbilled],
            "issued_on": self.issued_on.isoformat(),
            "due_on": self.due_on.isoformat(),
            "by_item": {code: yuan(amount) for code, amount in self.by_item.items()},
            "last_period": {"invoices": self.last_invoices, "amount": yuan(self.last_amount)},
            "unusual": [
                {"unit_code": one.unit_code, "amount": yuan(one.amount), "last": yuan(one.last)}
                for one in self.unusual
            ],
            "absent": [{"unit_code": code, "last": yuan(amount)} for code, amount in self.absent],
        }


def compared(draft: Draft, issued_on: date) -> Preview:
    """A draft that is made, beside what the period before asked for."""
    session, last = draft.session, draft.period.plus(-1)
    last_invoices, last_amount = session.execute(
        select(func.count(), func.coalesce(func.sum(INVOICE.c.amount), 0)).where(
            INVOICE.c.period == str(last), INVOICE.c.kind == "regular", not_taken_back()
        )
    ).one()
    return Preview(
        period=str(draft.period),
        issued_on=issued_on,
        due_on=rule.due_on(draft.policy, draft.period),
        invoices=draft.count,
        amount=draft.amount,
        last_invoices=last_invoices,
        last_amount=last_amount,
        by_item=_drafted_by_item(draft),
        unbilled=draft.unbilled,
        unusual=_unusual(draft, last),
        last_by_item=_billed_by_item(session, last),
        absent=_absent(draft, last),
    )


def _drafted_by_item(draft: Draft) -> dict[str, Decimal]:
    """Yuan by fee item code."""
    codes = {item.id: item.code for item in draft.items}
    whole = (
        select(QUOTE.c.fee_item_id, func.sum(QUOTE.c.amount))
        .join(BILL, BILL.c.set_id == QUOTE.c.set_id)
        .group_by(QUOTE.c.fee_item_id)
    )
    own = (
        select(OWN_LINE.c.fee_item_id, func.sum(OWN_LINE.c.amount))
        .join(BILL, and_(BILL.c.unit_id == OWN_LINE.c.unit_id, BILL.c.payer_id == OWN_LINE.c.payer_id))
        .group_by(OWN_LINE.c.fee_item_id)
    )
    sums: dict[str, Decimal] = {}
    for statement in (whole, own):
        for item_id, amount in draft.session.execute(statement):
            sums[codes[item_id]] = sums.get(codes[item_id], ZERO) + amount
    return sums


def _billed_by_item(session: Session, period: Period) -> dict[str, Decimal]:
    """Yuan that a period's regular bills asked for, by fee item code."""
    return dict(
        session.execute(
            select(FeeItem.code, func.sum(InvoiceLine.amount))
            .join(InvoiceLine, InvoiceLine.fee_item_id == FeeItem.id)
            .join(Invoice, Invoice.id == InvoiceLine.invoice_id)
            .where(Invoice.period == str(period), Invoice.kind == "regular", not_taken_back())
            .group_by(FeeItem.code)
        ).all()
    )


def _unusual(draft: Draft, last: Period) -> tuple[Unusual, ...]:
    """Bills that stand out against the month before."""
    rows = draft.session.execute(
        select(UNIT.c.code, BILL.c.amount, INVOICE.c.amount.label("last"))
        .select_from(
            BILL.join(
                INVOICE,
                and_(
                    INVOICE.c.period == str(last),
                    INVOICE.c.unit_id == BILL.c.unit_id,
                    INVOICE.c.payer_id == BILL.c.payer_id,
                    INVOICE.c.kind == "regular",
                    not_taken_back(),
                ),
            ).join(UNIT, UNIT.c.id == BILL.c.unit_id)
        )
        .where(BILL.c.amount != INVOICE.c.amount)
        .order_by(UNIT.c.code)
    )
    return tuple(
        Unusual(code, amount, before, reason)
        for code, amount, before in rows
        if (reason := rule.unusual(draft.policy, amount, before))
    )


def _absent(draft: Draft, last: Period) -> tuple[tuple[str, Decimal], ...]:
    """Units with a bill of the month before and none of this one, drafted or issued: code, last yuan."""
    before, this = INVOICE.alias("last"), INVOICE.alias("this")
    rows = draft.session.execute(
        select(UNIT.c.code, func.sum(before.c.amount))
        .join(UNIT, UNIT.c.id == before.c.unit_id)
        .where(
            before.c.period == str(last),
            before.c.kind == "regular",
            not_taken_back(before),
            ~exists().where(BILL.c.unit_id == before.c.unit_id),
            ~exists().where(
                this.c.period == str(draft.period),
                this.c.unit_id == before.c.unit_id,
                this.c.kind == "regular",
                not_taken_back(this),
            ),
        )
        .group_by(UNIT.c.code)
        .order_by(UNIT.c.code)
    )
    return tuple((code, amount) for code, amount in rows)
