"""One question over everything: unit, name, pinyin initials, phone, invoice, receipt, ticket, plate (S17).

Each kind is one short query on its own index: a prefix for codes and names, the exact value for phones.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Select, and_, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from models.billing import Invoice
from models.complaints import Ticket
from models.payments import Payment
from models.people import Occupancy, Owner, OwnerPhone
from models.property import Unit
from models.secrets import fingerprint
from models.vehicles import Vehicle
from rules.parking_cards import plate
from rules.text_keys import compared_key, text_key

EACH = 8
LAST_LETTER = "\U0010ffff"


@dataclass(frozen=True)
class Hit:
    """One thing found: its kind (a key of `KINDS`), its row and what to show."""

    kind: str
    id: int
    title: str
    detail: str = ""
    unit_id: int | None = None


def begins(session: Session, column: InstrumentedAttribute[str], prefix: str) -> Any:
    """A prefix as what an index serves: a range, on PostgreSQL byte by byte."""
    if session.get_bind().dialect.name == "postgresql":
        return and_(column.op("~>=~")(prefix), column.op("~<~")(prefix + LAST_LETTER))
    return and_(column >= prefix, column < prefix + LAST_LETTER)


def any_of(column: InstrumentedAttribute[int], *conditions: Any) -> Any:
    """The ids that meet one of the conditions, each found by its own index: an OR would read the table."""
    each = [select(select(column).where(condition).limit(EACH).subquery().c.id) for condition in conditions]
    return column.in_(each[0].union(*each[1:]))


def _units(session: Session, text: str) -> list[Hit]:
    rows = session.execute(
        select(Unit.id, Unit.code)
        .where(begins(session, Unit.code_folded, compared_key(text)))
        .order_by(Unit.code_folded)
        .limit(EACH)
    )
    return [Hit("unit", unit_id, code, unit_id=unit_id) for unit_id, code in rows]


def with_payers(session: Session, hits: list[Hit]) -> list[Hit]:
    """The units among the hits with the name of who pays for them now."""
    ids = [hit.id for hit in hits if hit.kind == "unit"]
    payers: dict[int, str] = {}
    if ids:
        rows = session.execute(
            select(Occupancy.unit_id, Owner.name)
            .join(Owner, Owner.id == Occupancy.owner_id)
            .where(Occupancy.unit_id.in_(ids), Occupancy.is_payer.is_(True), Occupancy.to_on.is_(None))
        )
        payers = dict(iter(rows))
    return [replace(hit, detail=payers.get(hit.id, "")) if hit.kind == "unit" else hit for hit in hits]


def _owners(session: Session, text: str) -> list[Hit]:
    wanted: Select[Any] = (
        select(Owner.id)
        .where(
            any_of(
                Owner.id,
                begins(session, Owner.name_folded, compared_key(text)),
                begins(session, Owner.pinyin_initials, text.lower()),
            )
        )
        .limit(EACH)
    )
    if sum(letter.isdigit() for letter in text) >= 7:
        wanted = select(OwnerPhone.owner_id).where(OwnerPhone.number_mac == fingerprint(text)).limit(EACH)
    ids = list(session.execute(wanted).scalars())
    if not ids:
        return []
    rows = session.execute(
        select(Owner.id, Owner.name, Unit.id, Unit.code)
        .outerjoin(Occupancy, and_(Occupancy.owner_id == Owner.id, Occupancy.to_on.is_(None)))
        .outerjoin(Unit, Unit.id == Occupancy.unit_id)
        .where(Owner.id.in_(ids))
        .order_by(Owner.name, Owner.id, Unit.code)
        .limit(EACH * 2)
    )
    return [Hit("owner", owner_id, name, code or "", unit_id) for owner_id, name, unit_id, code in rows]


def _invoices(session: Session, text: str) -> list[Hit]:
    rows = session.execute(
        select(Invoice.id, Invoice.number, Unit.code, Invoice.unit_id)
        .join(Unit, Unit.id == Invoice.unit_id)
        .where(begins(session, Invoice.number, text.upper()))
        .order_by(Invoice.number)
        .limit(EACH)
    )
    return [Hit("invoice", invoice_id, number, code, unit_id) for invoice_id, number, code, unit_id in rows]


def _payments(session: Session, text: str) -> list[Hit]:
    rows = session.execute(
        select(Payment.id, Payment.receipt_no, Unit.code, Payment.unit_id)
        .join(Unit, Unit.id == Payment.unit_id)
        .where(
            any_of(Payment.id, begins(session, Payment.receipt_no, text.upper()), Payment.reference == text)
        )
        .limit(EACH)
    )
    return [Hit("payment", payment_id, number, code, unit_id) for payment_id, number, code, unit_id in rows]


def _tickets(session: Session, text: str) -> list[Hit]:
    rows = session.execute(
        select(Ticket.id, Ticket.number, Ticket.unit_id)
        .where(begins(session, Ticket.number_folded, compared_key(text)))
        .order_by(Ticket.number)
        .limit(EACH)
    )
    return [Hit("ticket", ticket_id, number, unit_id=unit_id) for ticket_id, number, unit_id in rows]


def _vehicles(session: Session, text: str) -> list[Hit]:
    wanted = plate(text).casefold()
    if not wanted:
        return []
    rows = session.execute(
        select(Vehicle.id, Vehicle.plate, Unit.code, Vehicle.unit_id)
        .outerjoin(Unit, Unit.id == Vehicle.unit_id)
        .where(begins(session, Vehicle.plate_folded, wanted))
        .order_by(Vehicle.plate_folded)
        .limit(EACH)
    )
    return [Hit("vehicle", id_, found, code or "", unit_id) for id_, found, code, unit_id in rows]


KINDS: dict[str, Callable[[Session, str], list[Hit]]] = {
    "unit": _units,
    "owner": _owners,
    "invoice": _invoices,
    "payment": _payments,
    "ticket": _tickets,
    "vehicle": _vehicles,
}


def search(session: Session, text: str, kinds: frozenset[str] | None = None) -> list[Hit]:
    """What a text finds among the kinds a reader may see, units first; nothing for an empty one."""
    wanted = text_key(text.replace("\x00", ""))[:100]
    if not wanted:
        return []
    hits = [
        hit for kind, find in KINDS.items() if kinds is None or kind in kinds for hit in find(session, wanted)
    ]
    return with_payers(session, hits) if kinds is None or "owner" in kinds else hits
