"""What `flask export statement_of_account` gives: one account between two days, line by line (contract)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from decimal import Decimal

from sqlalchemy import exists, or_, select
from sqlalchemy.orm import Session

from models.billing import Invoice
from models.payments import Payment
from models.people import Occupancy, Owner
from models.property import Unit
from models.text_keys import called
from office.core.database import chunks
from office.core.errors import N_, Refused
from office.core.exports import Table, Value
from office.receivables import accounts
from office.receivables.accounts import Of
from rules.accounts import Account, Balances, Movement
from rules.money import yuan

CODES = (
    "date",
    "kind",
    "number",
    "unit_code",
    "payer_name",
    "of",
    "detail",
    "note",
    "billed",
    "late_fee",
    "credited",
    "paid",
    "balance",
    "prepaid",
    "prepaid_balance",
    "deposit",
    "deposit_balance",
)
MOST_NAMED = 5


def statement_of_account(
    session: Session, *, unit: str, payer: str, from_on: date | None, to_on: date | None
) -> Table:
    """The account of a unit's code, a payer's name, or both: a payer's at that unit. Raises Refused."""
    return table(session, accounts.account(session, named(session, unit, payer), from_on, to_on))


def named(session: Session, unit: str, payer: str) -> Of:
    """Whose account it is. Raises Refused for an unknown unit or payer, and where several have the name."""
    unit_id = None
    if unit.strip():
        unit_id = session.scalars(called(select(Unit.id), Unit.code, unit)).first()
        if unit_id is None:
            raise Refused(N_("There is no unit %(code)s"), code=unit.strip()[:40])
    if not payer.strip():
        return Of(unit_id)
    wanted = select(Owner.id).where(Owner.name == payer.strip()).order_by(Owner.id)
    if unit_id is not None:
        tables = ((Occupancy.owner_id, Occupancy), (Invoice.payer_id, Invoice), (Payment.payer_id, Payment))
        ways = [exists().where(column == Owner.id, table.unit_id == unit_id) for column, table in tables]
        wanted = wanted.where(or_(*ways))
    found = session.scalars(wanted).all()
    if not found:
        raise Refused(N_("No payer is called %(name)s here"), name=payer.strip()[:120])
    if len(found) > 1:
        homes = session.scalars(
            select(Unit.code)
            .join(Occupancy, Occupancy.unit_id == Unit.id)
            .where(Occupancy.owner_id.in_(found[:MOST_NAMED]))
            .order_by(Unit.code)
            .distinct()
        ).all()
        raise Refused(
            N_("%(count)s payers are called %(name)s: name the unit too, such as %(units)s"),
            count=len(found),
            name=payer.strip()[:120],
            units=", ".join(homes[:MOST_NAMED]) or "–",
        )
    return Of(unit_id, found[0])


def table(session: Session, found: Account) -> Table:
    """An account as rows: the opening, each movement with what stands after it, the closing."""
    return CODES, _rows(session, found)


def _rows(session: Session, found: Account) -> Iterator[Sequence[Value]]:
    codes, names = words(session, found)
    yield _row(found.from_on, "opening", None, found.opening)
    for one, standing in found.lines():
        yield _row(one.on, one.kind, one, standing, codes[one.unit_id], names[one.payer_id])
    yield _row(found.to_on, "closing", None, found.closing)


def words(session: Session, found: Account) -> tuple[dict[int, str], dict[int, str]]:
    """The codes of an account's units and the names of its payers, by id."""
    codes: dict[int, str] = {}
    names: dict[int, str] = {}
    for ids in chunks(sorted({one.unit_id for one in found.movements})):
        codes |= dict(session.execute(select(Unit.id, Unit.code).where(Unit.id.in_(ids))).all())
    for ids in chunks(sorted({one.payer_id for one in found.movements})):
        names |= dict(session.execute(select(Owner.id, Owner.name).where(Owner.id.in_(ids))).all())
    return codes, names


def _row(
    on: date, kind: str, one: Movement | None, standing: Balances, code: str = "", name: str = ""
) -> list[Value]:
    amounts = ("billed", "late_fee", "credited", "paid")
    moved: list[Value] = ["", "", ""] if one is None else [" ".join(one.of), one.detail, one.note]
    sums: list[Value] = [None if one is None else _yuan(getattr(one, column)) for column in amounts]
    return [
        on.isoformat(),
        kind,
        one.number if one else "",
        code,
        name,
        *moved,
        *sums,
        _yuan(standing.owed),
        None if one is None else _yuan(one.prepaid),
        _yuan(standing.prepaid),
        None if one is None else _yuan(one.deposit),
        _yuan(standing.deposit),
    ]


def _yuan(amount: Decimal) -> Decimal:
    return Decimal(yuan(amount))
