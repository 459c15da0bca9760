"""For which unit a row of a statement surely is, or why it waits for a person (M5)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from models.people import Occupancy, Owner
from models.property import Unit
from office.core.database import chunks
from office.core.errors import N_, Refused
from office.payments import payer_accounts
from office.payments.statement_entries import ROW, IncomingRow
from office.receivables.ledger import PAYMENT
from rules import matching
from rules.matching import CodeIndex, Match
from rules.reasons import Reason


@dataclass(frozen=True)
class PaymentWithNumber:
    """A payment in force that carries a number as its reference; `amount` in yuan."""

    id: int
    receipt_no: str
    unit_id: int
    amount: Decimal


class Matcher:
    """Decides of new rows whether they post, and for which unit; the units are loaded once a file."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.unit_ids = dict(session.execute(select(Unit.code, Unit.id)).all())
        self.index = CodeIndex(self.unit_ids)

    def decide(self, rows: Sequence[IncomingRow], contradicted: set[int]) -> None:
        """Set each row's match; `contradicted` are the places that the balance column speaks against."""
        for row in rows:
            row.match = self._match(row, contradicted)
        self._second([row for row in rows if row.decision.reason.code == "weak_code"])
        self._hold_posted(rows)

    def _match(self, row: IncomingRow, contradicted: set[int]) -> Match:
        """State and direction speak first, then what is in doubt, then the codes of the memo."""
        reason = matching.waiting_reason(row.entry.as_matched())
        if row.place in contradicted and reason in {"", "outgoing"}:
            return waiting("balance")
        if not reason and row.identity.doubt:
            return waiting(row.identity.doubt, row=row.identity.known_id)
        if not reason and row.entry.paid_at is None:
            return waiting("no_time")
        return matching.match(row.entry.as_matched(), self.index)

    def _second(self, weak: Sequence[IncomingRow]) -> None:
        """Weak codes with a second sign: a name that paid for the unit before, or a confirmed account."""
        if not weak:
            return
        names = payers_of(self.session, [self.unit_ids[row.decision.unit_code or ""] for row in weak])
        accounts = payer_accounts.confirmed(self.session, {row.entry.counter_account for row in weak})
        for row in weak:
            unit_id = self.unit_ids[row.decision.unit_code or ""]
            row.match = matching.seconded(
                row.decision, row.entry.as_matched(), names[unit_id], accounts.get(unit_id, ())
            )

    def _hold_posted(self, rows: Sequence[IncomingRow]) -> None:
        """What the cashier, an import or a direct debit posted already under its number waits."""
        asked = [row for row in rows if row.movement.number and not row.identity.doubt]
        posted = posted_with(self.session, {row.movement.number for row in asked})
        for row in asked:
            others = posted.get(row.movement.number)
            if others and not matching.waiting_reason(row.entry.as_matched()):
                row.match = self._held(row, others) or row.match

    def _held(self, row: IncomingRow, others: Sequence[PaymentWithNumber]) -> Match | None:
        """Why a row waits whose number other payments carry; None where it waits anyway."""
        unit_id = self.unit_ids.get(row.decision.unit_code or "")
        alone = [one for one in others if one.amount == row.entry.amount and unit_id in {None, one.unit_id}]
        if alone or sum(one.amount for one in others) == row.entry.amount:
            return waiting("posted_by_other_way", receipt_no=(alone or others)[0].receipt_no)
        if row.decision.state == "posted":
            return waiting("same_number", receipt_no=others[0].receipt_no)
        return None


def waiting(reason: str, **inputs: object) -> Match:
    """A row that a person must look at."""
    return Match("waiting", None, Reason(reason, inputs))


def payers_of(session: Session, unit_ids: Iterable[int]) -> dict[int, set[str]]:
    """The names of who pays or paid for units, by unit."""
    names: dict[int, set[str]] = defaultdict(set)
    for some in chunks(sorted(set(unit_ids))):
        paying = select(Occupancy.unit_id, Owner.name).join(Owner, Owner.id == Occupancy.owner_id)
        for unit_id, name in session.execute(
            paying.where(Occupancy.unit_id.in_(some), Occupancy.is_payer).distinct()
        ):
            names[unit_id].add(name)
        paid = select(PAYMENT.c.unit_id, ROW.c.payer_name).distinct()
        for unit_id, name in session.execute(
            paid.join(ROW, ROW.c.payment_id == PAYMENT.c.id).where(
                PAYMENT.c.unit_id.in_(some), PAYMENT.c.state == "posted"
            )
        ):
            names[unit_id].add(name)
    return names


BY_STATEMENT = select(ROW.c.id).where(ROW.c.payment_id == PAYMENT.c.id).exists()


def statement_payments(session: Session, references: Iterable[str]) -> dict[str, set[tuple[int, Decimal]]]:
    """What statements posted under these references, in force: unit and amount, in yuan."""
    found: dict[str, set[tuple[int, Decimal]]] = defaultdict(set)
    for reference, payments in payments_with(session, references, BY_STATEMENT).items():
        found[reference] = {(one.unit_id, one.amount) for one in payments}
    return found


@dataclass(frozen=True)
class NumberedPayment:
    """A payment in force that has a reference; `amount` in yuan, `is_by_statement` where a bank told it."""

    unit_id: int
    amount: Decimal
    paid_at: datetime
    method: str
    is_by_statement: bool


def numbered_payments(session: Session, references: Iterable[str]) -> dict[str, list[NumberedPayment]]:
    """The payments in force with these references, however they came."""
    found: dict[str, list[NumberedPayment]] = defaultdict(list)
    wanted = PAYMENT.c["reference", "unit_id", "amount", "paid_at", "method"]
    for some in chunks(sorted(references)):
        asked = select(*wanted, BY_STATEMENT).where(
            PAYMENT.c.reference.in_(some), PAYMENT.c.state == "posted", PAYMENT.c.kind == "payment"
        )
        for reference, *said in session.execute(asked.order_by(PAYMENT.c.id)):
            found[reference].append(NumberedPayment(*said))
    return found


def refuse_posted(session: Session, reference: str, unit_id: int, amount: Decimal) -> None:
    """Refuse a payment that a statement posted already, under the same number for the same unit (M5)."""
    if reference and (unit_id, amount) in statement_payments(session, [reference])[reference]:
        raise Refused(N_("A statement has brought this payment already: number %(number)s"), number=reference)


def posted_with(session: Session, references: Iterable[str]) -> dict[str, list[PaymentWithNumber]]:
    """The payments in force with these references that came by another way than a statement."""
    return payments_with(session, references, ~BY_STATEMENT)


def payments_with(
    session: Session, references: Iterable[str], *conditions: ColumnElement[bool]
) -> dict[str, list[PaymentWithNumber]]:
    """The payments in force with these references, in the order in which they were posted."""
    found: dict[str, list[PaymentWithNumber]] = defaultdict(list)
    told = (PAYMENT.c.id, PAYMENT.c.receipt_no, PAYMENT.c.unit_id, PAYMENT.c.amount)
    for some in chunks(sorted(references)):
        asked = select(PAYMENT.c.reference, *told).where(
            PAYMENT.c.reference.in_(some),
            PAYMENT.c.state == "posted",
            PAYMENT.c.kind == "payment",
            *conditions,
        )
        for reference, *one in session.execute(asked.order_by(PAYMENT.c.id)):
            found[reference].append(PaymentWithNumber(*one))
    return found
