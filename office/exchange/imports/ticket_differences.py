"""In what the rows of an old register differ from the complaints that are there (contract "Imports").

A complaint is known by its number; one without a number by time, channel, unit, category and words. What a
row says otherwise is told. Only what moves no deadline, visit or figure can be written, and only while the
complaint is open. An empty cell, a fact that is not ticked and a count of 0 say nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session, selectinload

from models.complaints import FACTS, Category, Complainant, Ticket
from models.property import Unit
from models.secrets import fingerprint, masked
from models.visits import Visit
from office.core.database import chunks
from office.core.errors import N_
from office.exchange.imports.taken import Difference, Update, shown
from rules.text_keys import compared_key

CLOSED = N_("The complaint is closed: what was closed is not rewritten")
DECIDES = N_("This decides deadlines and visits: change it on the complaint's own page")
WRITABLE = frozenset({"unit_code", "channel", "complainant"})
Key = tuple[Any, ...]


@dataclass(frozen=True)
class TicketDifference:
    """One column in which a row differs from a complaint."""

    ticket: Ticket
    row: Mapping[str, Any]
    told: Difference


class Stored:
    """The complaints that rows of a file may mean."""

    def __init__(self, session: Session, rows: Sequence[Mapping[str, Any]]) -> None:
        self.session = session
        self.codes = dict(session.execute(select(Unit.id, Unit.code)).all())
        self.categories = dict(session.execute(select(Category.id, Category.code)).all())
        self.by_number: dict[str, Ticket] = {}
        self.by_content: dict[Key, list[Ticket]] = {}
        loaded = select(Ticket).options(selectinload(Ticket.complainants))
        for some in chunks(sorted({compared_key(row["number"]) for row in rows if row["number"]})):
            found = session.scalars(loaded.where(Ticket.number_folded.in_(some)))
            self.by_number |= {compared_key(one.number): one for one in found}
        for days in chunks(sorted({row["registered_at"] for row in rows if not row["number"]})):
            for one in session.scalars(loaded.where(Ticket.registered_at.in_(days)).order_by(Ticket.id)):
                self.by_content.setdefault(self._content(one), []).append(one)

    def _content(self, ticket: Ticket) -> Key:
        unit_code = self.codes.get(ticket.unit_id or 0, "")
        category = self.categories[ticket.category_id]
        return ticket.registered_at, ticket.channel, unit_code, category, ticket.statement

    def ticket_of(self, row: Mapping[str, Any]) -> Ticket | None:
        """The complaint that a row is; each one without a number is given out once."""
        if row["number"]:
            return self.by_number.get(compared_key(row["number"]))
        key = tuple(row[name] for name in ("registered_at", "channel", "unit_code", "category", "statement"))
        alike = self.by_content.get(key)
        return alike.pop(0) if alike else None

    def value(self, ticket: Ticket, column: str) -> Any:
        """What a complaint has in a column of the import."""
        match column:
            case "unit_code":
                return self.codes.get(ticket.unit_id or 0, "")
            case "category":
                return self.categories[ticket.category_id]
        return getattr(ticket, column)


def differences(session: Session, rows: Sequence[Mapping[str, Any]]) -> list[TicketDifference]:
    """Every column in which a row differs from the complaint that it is, in the file's order."""
    stored = Stored(session, rows)
    found = []
    for row in rows:
        ticket = stored.ticket_of(row)
        if ticket is not None:
            found += [TicketDifference(ticket, row, told) for told in _told(stored, ticket, row)]
    return found


def _told(stored: Stored, ticket: Ticket, row: Mapping[str, Any]) -> Iterator[Difference]:
    for column in _compared(ticket):
        here, there = row[column], stored.value(ticket, column)
        if here and here != there:
            never = CLOSED if ticket.closed_at else ("" if column in WRITABLE else DECIDES)
            yield Difference(row["line"], column, _text(there), _text(here), never)
    name = row["complainant"]
    marks = {fingerprint(one.name or "") for one in ticket.complainants}
    if name and fingerprint(name) not in marks:
        there = "、".join(masked(one.name or "") for one in ticket.complainants)
        never = CLOSED if ticket.closed_at else ""
        yield Difference(row["line"], "complainant", there, masked(name), never)


def _compared(ticket: Ticket) -> Iterator[str]:
    """The columns that are still what the register said, unless somebody corrected the register."""
    yield from ("channel", "unit_code", "category", *FACTS)
    if ticket.became_major_at is None:
        yield "severity"
    if not ticket.reopen_count:  # else these are of a later round
        yield from ("resolved_at", "satisfaction")


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return value.isoformat() if isinstance(value, datetime) else shown(value)


def write(session: Session, found: Sequence[TicketDifference], change: Update) -> None:
    """Write differences of open complaints, each with its audit row."""
    for one in found:
        ticket, value = one.ticket, one.row[one.told.column]
        match one.told.column:
            case "unit_code":
                ticket.unit_id = session.scalars(select(Unit.id).where(Unit.code == value)).one()
                planned = update(Visit).where(Visit.ticket_id == ticket.id, Visit.done_at.is_(None))
                session.execute(planned.values(unit_id=ticket.unit_id))
            case "channel":
                ticket.channel = value
            case "complainant":
                if len(ticket.complainants) == 1:
                    ticket.complainants[0].name = value
                else:
                    ticket.complainants.append(Complainant(name=value))
                ticket.is_anonymous = False
        change.record(session, ticket, {one.told.column: (one.told.there, one.told.here)})
