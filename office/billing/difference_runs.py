"""The difference run: what was entered late for a period billed already (B21).

The period is priced again from what is known now, by the same draft as its run. What is missing becomes an
additional bill, what was too much a credit note. Run again it finds nothing.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from itertools import groupby
from typing import Any

from sqlalchemy import and_, func, select
from sqlalchemy.orm import Session

from models.billing import BillingRun, CreditNote, FeeItem
from models.people import Owner
from office.billing import invoices, runs
from office.billing.draft import Draft, Unbilled
from office.billing.invoices import NOTE_LINE, NewCreditNote, NewInvoice, NewInvoiceLine
from office.billing.period_rows import LINE, UNIT, not_taken_back
from office.billing.working_tables import AHEAD, BILL, OWN_LINE, QUOTE
from office.core import audit, clock
from office.core.database import chunks
from office.core.errors import N_, Refused
from office.receivables import ledger
from office.receivables.ledger import INVOICE
from rules import differences as rule
from rules.billing import Basis, Period, Quote
from rules.differences import Charged, Difference
from rules.money import ZERO, yuan
from rules.reasons import Reason

COMPARED = frozenset({Basis.PER_M2, Basis.PER_PERSON, Basis.FIXED, Basis.METERED})


@dataclass(frozen=True)
class DifferenceRow:
    """A difference with the names that people know; yuan."""

    unit_code: str
    payer_name: str
    fee_item: str
    difference: Difference

    def to_dict(self) -> dict[str, str]:
        return {
            "unit_code": self.unit_code,
            "payer_name": self.payer_name,
            "fee_item": self.fee_item,
            "billed": yuan(self.difference.billed),
            "should": yuan(self.difference.should),
            "difference": yuan(self.difference.amount),
        }


@dataclass(frozen=True)
class Differences:
    """A period priced again: each difference, and units of which nothing can be said."""

    period: str
    rows: tuple[DifferenceRow, ...]
    unbilled: tuple[Unbilled, ...]

    @property
    def more(self) -> Decimal:
        """What is asked for besides, in yuan."""
        return sum((max(one.difference.amount, ZERO) for one in self.rows), ZERO)

    @property
    def less(self) -> Decimal:
        """What is given back, in yuan."""
        return sum((max(-one.difference.amount, ZERO) for one in self.rows), ZERO)

    def to_dict(self) -> dict[str, Any]:
        return {
            "period": self.period,
            "more": yuan(self.more),
            "less": yuan(self.less),
            "differences": [one.to_dict() for one in self.rows],
            "unbilled": [one.to_dict() for one in self.unbilled],
        }


@dataclass(frozen=True)
class IssuedDifferences:
    """What a difference run made; yuan. `left` are differences that it could not write, with why."""

    found: Differences
    invoices: int
    notes: int
    left: tuple[Unbilled, ...]

    def to_dict(self) -> dict[str, Any]:
        return {
            **self.found.to_dict(),
            "invoices": self.invoices,
            "credit_notes": self.notes,
            "left": [one.to_dict() for one in self.left],
        }


def preview(session: Session, period: str) -> Differences:
    """The differences of a period billed already; nothing is written. Raises Refused for no period."""
    wanted = runs.parse_period(period)
    draft = Draft(session, wanted, runs.policy(session, wanted), is_again=True)
    draft.make()
    item_ids = [item.id for item in draft.items if item.basis in COMPARED]
    should = _should(draft, item_ids)
    billed = {
        key: amount
        for key, amount in _billed(session, wanted, item_ids).items()
        if key.unit not in draft.held
    }
    unbilled, held = draft.unbilled, draft.held
    draft.clear()
    found = rule.differences(billed, {key: sum_ for key, sum_ in should.items() if key.unit not in held})
    return Differences(str(wanted), tuple(_named(session, found)), unbilled)


def _should(draft: Draft, item_ids: list[int]) -> dict[Charged, Decimal]:
    """What the draft asks for, in yuan."""
    whole = (
        select(BILL.c.unit_id, BILL.c.payer_id, QUOTE.c.fee_item_id, func.sum(QUOTE.c.amount))
        .join(QUOTE, QUOTE.c.set_id == BILL.c.set_id)
        .where(QUOTE.c.fee_item_id.in_(item_ids))
        .group_by(BILL.c.unit_id, BILL.c.payer_id, QUOTE.c.fee_item_id)
    )
    is_on_bill = and_(BILL.c.unit_id == OWN_LINE.c.unit_id, BILL.c.payer_id == OWN_LINE.c.payer_id)
    own = (
        select(BILL.c.unit_id, BILL.c.payer_id, OWN_LINE.c.fee_item_id, func.sum(OWN_LINE.c.amount))
        .join(OWN_LINE, is_on_bill)
        .where(OWN_LINE.c.fee_item_id.in_(item_ids))
        .group_by(BILL.c.unit_id, BILL.c.payer_id, OWN_LINE.c.fee_item_id)
    )
    sums: dict[Charged, Decimal] = defaultdict(lambda: ZERO)
    for statement in (whole, own):
        for unit_id, payer_id, item_id, amount in draft.session.execute(statement):
            sums[Charged(unit_id, payer_id, item_id)] += amount
    return sums


def _of_period(period: Period) -> tuple[Any, ...]:
    """The bills of a period's runs that hold."""
    return (
        INVOICE.c.period == str(period),
        INVOICE.c.kind == "regular",
        INVOICE.c.part != AHEAD,
        not_taken_back(),
    )


def _billed(session: Session, period: Period, item_ids: list[int]) -> dict[Charged, Decimal]:
    """What the period's bills asked for, less what was never owed, in yuan; goodwill does not count."""
    never_owed = (
        select(NOTE_LINE.c.invoice_line_id, func.sum(NOTE_LINE.c.amount).label("amount"))
        .join(CreditNote, CreditNote.id == NOTE_LINE.c.credit_note_id)
        .join(INVOICE, INVOICE.c.id == CreditNote.invoice_id)
        .where(CreditNote.kind == "error", *_of_period(period))
        .group_by(NOTE_LINE.c.invoice_line_id)
        .subquery()
    )
    rows = session.execute(
        select(
            *INVOICE.c["unit_id", "payer_id"],
            LINE.c.fee_item_id,
            func.sum(LINE.c.amount),
            func.sum(never_owed.c.amount),
        )
        .join(LINE, LINE.c.invoice_id == INVOICE.c.id)
        .outerjoin(never_owed, never_owed.c.invoice_line_id == LINE.c.id)
        .where(*_of_period(period), LINE.c.fee_item_id.in_(item_ids))
        .group_by(INVOICE.c.unit_id, INVOICE.c.payer_id, LINE.c.fee_item_id)
    )
    return {Charged(row[0], row[1], row[2]): row[3] - (row[4] or ZERO) for row in rows}


def _named(session: Session, found: tuple[Difference, ...]) -> list[DifferenceRow]:
    items = dict(session.execute(select(FeeItem.id, FeeItem.code)).all())
    units: dict[int, str] = {}
    payers: dict[int, str] = {}
    for some in chunks(found):
        unit_ids, payer_ids = ({getattr(one.charged, name) for one in some} for name in ("unit", "payer"))
        units |= dict(session.execute(select(UNIT.c.id, UNIT.c.code).where(UNIT.c.id.in_(unit_ids))).all())
        payers |= dict(session.execute(select(Owner.id, Owner.name).where(Owner.id.in_(payer_ids))).all())
    return [
        DifferenceRow(units[one.charged.unit], payers[one.charged.payer], items[one.charged.item], one)
        for one in found
    ]


def issue(session: Session, period: str, *, now: datetime, staff_id: int | None = None) -> IssuedDifferences:
    """Bill what is missing and credit what was too much, each payer's on its own (B21).

    Raises Refused for no period, and where there is no difference.
    """
    ledger.lock_postings(session)
    found = preview(session, period)
    if not found.rows:
        raise Refused(N_("The bills of %(period)s are as they should be"), period=found.period)
    wanted, today = Period.parse(found.period), clock.office_day(session, now)
    run = BillingRun(
        period=found.period,
        issued_on=today,
        started_at=now,
        finished_at=now,
        staff_id=staff_id,
        state="done",
        invoices=0,
        amount=ZERO,
    )
    session.add(run)
    session.flush()
    made = invoices.issue(session, _bills(session, found, wanted, run), now=now)
    run.invoices, run.amount = len(made), found.more
    notes, left = _credit(session, found, wanted, staff_id, now)
    session.flush()
    said = {"period": found.period, "more": found.more, "less": found.less}
    audit.record(session, now, staff_id, "issue", run, said)
    return IssuedDifferences(found, len(made), notes, tuple(left))


def _bills(session: Session, found: Differences, period: Period, run: BillingRun) -> list[NewInvoice]:
    """An additional bill for each unit and payer of whom more is asked."""
    due_on = rule.due_on(runs.policy(session, Period.of(run.issued_on)), run.issued_on)
    more = [one.difference for one in found.rows if one.difference.amount > 0]
    bills = []
    for (unit_id, payer_id), rows in groupby(more, key=lambda one: one.charged[:2]):
        lines = tuple(
            NewInvoiceLine(
                one.charged.item,
                Quote(
                    Decimal(1),
                    one.amount,
                    one.amount,
                    one.reason(period),
                    from_on=period.first_on,
                    to_on=period.last_on,
                ),
            )
            for one in rows
        )
        part = f"more {run.id}"
        bills.append(
            NewInvoice(
                "regular", part, unit_id, payer_id, period, run.issued_on, due_on, lines, run_id=run.id
            )
        )
    return bills


def _credit(
    session: Session, found: Differences, period: Period, staff_id: int | None, now: datetime
) -> tuple[int, list[Unbilled]]:
    """Credit notes for what was too much, on the newest bill first; answers how many, and what stays."""
    notes, left = 0, []
    for row in found.rows:
        one, rest = row.difference, -row.difference.amount
        if rest <= 0:
            continue
        is_own = False
        for invoice_id, creditable in _creditable(session, one.charged, period):
            if staff_id is not None and staff_id in invoices.entered_by(session, invoice_id):
                is_own = True  # who took money for it does not credit it alone (F21)
            elif rest and (amount := min(rest, creditable)):
                new = NewCreditNote(
                    invoice_id, amount, str(one.reason(period)), staff_id, "error", one.charged.item
                )
                invoices.write_credit_note(session, new, now=now)
                notes, rest = notes + 1, rest - amount
        if rest:
            code = "own_money" if is_own else "credited_already"
            left.append(Unbilled(row.unit_code, Reason(code, {"fee_item": row.fee_item, "amount": rest})))
    return notes, left


def _creditable(session: Session, charged: Charged, period: Period) -> list[tuple[int, Decimal]]:
    """The bills of a payer with an item, the newest first, and the yuan of it that can be credited."""
    rows = session.execute(
        select(INVOICE.c.id, func.sum(LINE.c.amount), func.sum(LINE.c.credited))
        .join(LINE, LINE.c.invoice_id == INVOICE.c.id)
        .where(
            *_of_period(period),
            INVOICE.c.unit_id == charged.unit,
            INVOICE.c.payer_id == charged.payer,
            LINE.c.fee_item_id == charged.item,
        )
        .group_by(INVOICE.c.id)
        .order_by(INVOICE.c.id.desc())
    )
    return [(row[0], row[1] - row[2]) for row in rows]
