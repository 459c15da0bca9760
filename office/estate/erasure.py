"""A person's identity leaves the office's books: which rows are theirs, and what goes of each (P3, F23).

What happens to each column stands in `personal_columns.py`. Rows that are theirs alone lose their texts; of
rows that others share, such as a complaint of several households, only what names the person goes. Amounts,
days and numbers stay. The database lets texts of posted rows go only while an erasure is open.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import unquote_plus

from sqlalchemy import JSON, ColumnElement, Table, and_, delete, func, or_, select, update
from sqlalchemy.orm import Session

from models.base import Base
from models.billing import (
    CreditNote,
    Deposit,
    InstalmentPlan,
    Invoice,
    LateFeeWaiver,
    ServiceSlip,
    WaiverRequest,
)
from models.collection import Contact, DunningHold, LegalCase, Reminder, Restriction
from models.complaints import (
    TICKET_PAPERS,
    Attachment,
    CaseEntry,
    ClockPause,
    Complainant,
    InvalidRequest,
    ReviewMeeting,
    Ticket,
    TicketEvent,
    WorkSlip,
)
from models.contracts import RentChange, RentContract
from models.hints import DeskHint
from models.incidents import IncidentTicket
from models.office import Audit, Erasure, Message, Paper, SavedView, Task, paper_base_number
from models.payments import DebitMandate, DirectDebit, PayerAccount, Payment, StatementRow
from models.people import Occupancy, Owner, OwnerPhone
from models.pools import PoolShare
from models.property import Unit
from models.rates import ItemRate
from models.take_backs import TakenBill
from models.vacancies import Vacancy
from models.vehicles import Vehicle
from models.visits import Visit
from office.core.database import chunks
from office.estate.personal_columns import COLUMNS, Columns

ERASED = "—"  # the name of nobody, and what stands for a word that named somebody
SHORTEST = 2  # letters of a word that is looked for
REMOVED = frozenset(  # rows that go whole
    {"attachment", "debit_mandate", "owner_phone", "payer_account", "saved_view", "vehicle"}
)
NEEDED = frozenset({("owner", "name"), ("complainant", "name")})  # columns that can't be empty
OF_TICKET: tuple[Any, ...] = (ClockPause, InvalidRequest, ReviewMeeting, TicketEvent, WorkSlip)
UNSENT = ("pending", "failed", "unknown", "dead")
# tables whose rows may have been deleted before: the history of changes still says whose they were
MAY_BE_GONE = (
    "contact",
    "debit_mandate",
    "ladder_hold",
    "occupancy",
    "owner_phone",
    "payer_account",
    "vehicle",
)


@dataclass
class Belongings:
    """The ids of a person's rows by table, those shared with others, and the words that name the person."""

    theirs: dict[str, set[int]] = field(default_factory=lambda: defaultdict(set))
    shared: dict[str, set[int]] = field(default_factory=lambda: defaultdict(set))
    words: tuple[str, ...] = ()

    def without_words(self, value: Any) -> Any:
        """A text, or a JSON value with texts in it, in which nothing names the person."""
        if isinstance(value, str):
            for word in self.words:
                value = value.replace(word, ERASED)
            return value
        if isinstance(value, Mapping):
            return {self.without_words(name): self.without_words(one) for name, one in value.items()}
        if isinstance(value, list | tuple):
            return [self.without_words(one) for one in value]
        return value


def take_out(
    session: Session,
    owner: Owner,
    *,
    now: datetime,
    staff_id: int | None,
    columns: Mapping[str, Columns] = COLUMNS,
) -> Belongings:
    """Take a person out of every table; the caller commits, and asks before whether it may be done."""
    open_one = Erasure(owner_id=owner.id, staff_id=staff_id, started_at=now)
    session.add(open_one)
    session.flush()
    found = belongings(session, owner)
    session.execute(
        update(Message)
        .where(Message.id.in_(found.theirs["message"]), Message.state.in_(UNSENT))
        .values(state="dropped", cleared_at=now)
    )
    _clear_history(session, found, columns)
    for name, table in Base.metadata.tables.items():
        said = columns.get(name, Columns())
        if theirs := found.theirs.get(name):
            _empty(session, table, sorted(theirs), said.emptied.split())
            _scrub(session, table, sorted(theirs), said.scrubbed.split(), found)
        if shared := found.shared.get(name, set()) - found.theirs.get(name, set()):
            _scrub(session, table, sorted(shared), [*said.emptied.split(), *said.scrubbed.split()], found)
    open_one.finished_at = now
    session.flush()
    session.expire_all()
    return found


# --- whose rows ---------------------------------------------------------------------------------------


def belongings(session: Session, owner: Owner) -> Belongings:
    """All rows that say something of a person, by what ties them to it."""
    found = Belongings()

    def take(model: Any, *conditions: ColumnElement[bool], into: dict[str, set[int]] | None = None) -> None:
        ids = session.scalars(select(model.id).where(*conditions))
        (found.theirs if into is None else into)[model.__tablename__].update(ids)

    invoices = select(Invoice.id).where(Invoice.payer_id == owner.id)
    payments = select(Payment.id).where(Payment.payer_id == owner.id)
    found.theirs["owner"].add(owner.id)
    owned: tuple[Any, ...] = (OwnerPhone, Occupancy, DebitMandate, PayerAccount, RentContract, Vehicle)
    for model in owned:
        take(model, model.owner_id == owner.id)
    take(RentChange, RentChange.contract_id.in_(sorted(found.theirs["rent_contract"])))
    paid: tuple[Any, ...] = (
        Payment,
        Deposit,
        Contact,
        Reminder,
        Restriction,
        LegalCase,
        InstalmentPlan,
        DunningHold,
        Paper,
    )
    for model in paid:
        take(model, model.payer_id == owner.id)
    take(Invoice, Invoice.payer_id == owner.id)
    billed: tuple[Any, ...] = (CreditNote, LateFeeWaiver, WaiverRequest, DirectDebit)
    for model in billed:
        take(model, model.invoice_id.in_(invoices))
    take(Message, Message.reminder_id.in_(sorted(found.theirs["reminder"])))
    found.words = _words(session, owner, found)
    accounts = [word for word in found.words if word.isdecimal()]
    take(
        StatementRow,
        or_(
            StatementRow.payment_id.in_(payments),
            StatementRow.counter_account.in_(accounts),
            and_(StatementRow.state == "ignored", StatementRow.payer_name.in_(found.words)),
        ),
    )
    _take_estate(session, owner, found)
    _take_complaints(session, owner, found)
    _take_mentions(session, found)
    return found


def _words(session: Session, owner: Owner, found: Belongings) -> tuple[str, ...]:
    """What names a person: names, also earlier ones, phones, addresses and accounts; the longest first."""
    said: set[str | None] = {owner.name, owner.email, owner.chat_id, owner.post_address, owner.id_number}
    for model, column in (
        (OwnerPhone, OwnerPhone.number),
        (DebitMandate, DebitMandate.account),
        (PayerAccount, PayerAccount.account),
        (DirectDebit, DirectDebit.account),
        (Vehicle, Vehicle.plate),
    ):
        ids = sorted(found.theirs[model.__tablename__])
        said.update(session.scalars(select(column).where(model.id.in_(ids))))
    for changes in session.scalars(
        select(Audit.changes).where(Audit.table_name == "owner", Audit.row_id == owner.id)
    ):
        for name in ("name", "email", "chat_id", "post_address"):
            pair = json.loads(changes).get(name)
            said.update(one for one in pair or () if isinstance(one, str))
    words = {word.strip() for word in said if word and len(word.strip()) >= SHORTEST}
    return tuple(sorted(words - {ERASED}, key=lambda word: (-len(word), word)))


def _lived_there(owner: Owner, unit_id: Any, day: Any) -> ColumnElement[bool]:
    """The SQL condition that a row's unit was the person's on the row's day."""
    return (
        select(Occupancy.id)
        .where(
            Occupancy.owner_id == owner.id,
            Occupancy.unit_id == unit_id,
            Occupancy.from_on <= day,
            or_(Occupancy.to_on.is_(None), Occupancy.to_on >= day),
        )
        .exists()
    )


def _take_estate(session: Session, owner: Owner, found: Belongings) -> None:
    """Their units, the slips that they signed, and papers of a unit that name no payer."""
    units = set(session.scalars(select(Occupancy.unit_id).where(Occupancy.owner_id == owner.id)))
    found.shared["unit"] |= units
    own_rates = select(ItemRate.id).where(ItemRate.unit_id.in_(sorted(units)))
    found.shared["item_rate"].update(session.scalars(own_rates))
    empty = select(Vacancy.id).where(Vacancy.unit_id.in_(sorted(units)))
    found.shared["vacancy"].update(session.scalars(empty))
    cars = select(Vehicle.id).where(Vehicle.owner_id.is_(None), Vehicle.unit_id.in_(sorted(units)))
    found.shared["vehicle"].update(session.scalars(cars))
    pools = select(PoolShare.pool_id).where(PoolShare.unit_id.in_(sorted(units)))
    found.shared["pool"].update(session.scalars(pools))
    theirs = select(TakenBill.take_back_id).where(TakenBill.invoice_id.in_(sorted(found.theirs["invoice"])))
    found.shared["take_back"].update(session.scalars(theirs))
    buildings = select(Unit.building_id).where(Unit.id.in_(sorted(units)))
    about_home = or_(DeskHint.unit_id.in_(sorted(units)), DeskHint.building_id.in_(buildings))
    found.shared["desk_hint"].update(session.scalars(select(DeskHint.id).where(about_home)))
    found.theirs["service_slip"].update(
        session.scalars(
            select(ServiceSlip.id).where(
                or_(
                    ServiceSlip.invoice_id.in_(sorted(found.theirs["invoice"])),
                    _lived_there(owner, ServiceSlip.unit_id, ServiceSlip.used_on),
                )
            )
        )
    )
    found.shared["paper"].update(session.scalars(select(Paper.id).where(Paper.unit_id.in_(sorted(units)))))


def _take_complaints(session: Session, owner: Owner, found: Belongings) -> None:
    """Their complaints: alone, or with others, or about their unit by somebody whose name is not known."""
    units = sorted(found.shared["unit"])
    of_unit = select(Ticket.id).where(Ticket.unit_id.in_(units))
    unlinked = session.execute(
        select(Complainant.id, Complainant.name, Complainant.phone).where(
            Complainant.owner_id.is_(None),
            or_(Complainant.unit_id.in_(units), Complainant.ticket_id.in_(of_unit)),
        )
    )
    words = set(found.words)
    theirs = {row.id for row in unlinked if row.phone in words or (row.name in words and not row.phone)}
    theirs |= set(session.scalars(select(Complainant.id).where(Complainant.owner_id == owner.id)))
    found.theirs["complainant"] |= theirs
    phones = session.scalars(select(Complainant.phone).where(Complainant.id.in_(sorted(theirs))))
    found.words = tuple(
        sorted({*words, *(one for one in phones if one)}, key=lambda word: (-len(word), word))
    )
    with_them = set(session.scalars(select(Complainant.ticket_id).where(Complainant.id.in_(sorted(theirs)))))
    with_others = set(
        session.scalars(
            select(Complainant.ticket_id).where(
                Complainant.ticket_id.in_(sorted(with_them)), Complainant.id.not_in(sorted(theirs))
            )
        )
    )
    alone = with_them - with_others
    others = (with_others | set(session.scalars(of_unit))) - alone
    for into, tickets in ((found.theirs, alone), (found.shared, others)):
        _take_ticket_rows(session, into, sorted(tickets))
    found.shared["case_entry"].update(
        session.scalars(select(CaseEntry.id).where(CaseEntry.ticket_id.in_(sorted(alone | others))))
    )
    known = select(IncidentTicket.incident_id).where(IncidentTicket.ticket_id.in_(sorted(alone | others)))
    found.shared["incident"].update(session.scalars(known))
    visits = select(Visit.id).where(
        Visit.ticket_id.is_(None), _lived_there(owner, Visit.unit_id, func.date(Visit.planned_from))
    )
    found.theirs["visit"].update(session.scalars(visits))
    found.theirs["attachment"].update(
        session.scalars(
            select(Attachment.id).where(
                or_(
                    Attachment.ticket_id.in_(sorted(alone)),
                    Attachment.visit_id.in_(sorted(found.theirs["visit"])),
                )
            )
        )
    )


def _take_ticket_rows(session: Session, into: dict[str, set[int]], tickets: Sequence[int]) -> None:
    into["ticket"].update(tickets)
    for model in (*OF_TICKET, Visit, Message):
        ids = session.scalars(select(model.id).where(model.ticket_id.in_(tickets)))
        into[model.__tablename__].update(ids)
    numbers = set(session.scalars(select(Ticket.number).where(Ticket.id.in_(tickets))))
    slips = session.scalars(select(WorkSlip.number).where(WorkSlip.ticket_id.in_(tickets)))
    requests = session.execute(
        select(Ticket.number, InvalidRequest.id)
        .join(InvalidRequest, InvalidRequest.ticket_id == Ticket.id)
        .where(Ticket.id.in_(tickets))
    )
    meetings = session.execute(
        select(Ticket.number, ReviewMeeting.id)
        .join(ReviewMeeting, ReviewMeeting.ticket_id == Ticket.id)
        .where(Ticket.id.in_(tickets))
    )
    visited = session.scalars(select(Visit.number).where(Visit.ticket_id.in_(tickets)))
    behind = {f"{number}-{row_id}" for rows in (requests, meetings) for number, row_id in rows}
    papers = sorted({*numbers, *slips, *visited, *behind})
    kinds = (*TICKET_PAPERS, "invalid_closure", "review_minutes", "visit_sheet", "work_contact_slip")
    into["paper"].update(
        session.scalars(select(Paper.id).where(Paper.kind.in_(kinds), paper_base_number().in_(papers)))
    )


def _take_mentions(session: Session, found: Belongings) -> None:
    """Saved views and files' trials in which one of the words stands, whoever made them."""
    for view_id, name, query in session.execute(select(SavedView.id, SavedView.name, SavedView.query)):
        if _names(found, f"{name} {unquote_plus(query)}"):
            found.theirs["saved_view"].add(view_id)
    for task_id, file_name, result in session.execute(select(Task.id, Task.file_name, Task.result)):
        if _names(found, f"{file_name} {json.dumps(result, ensure_ascii=False, default=str)}"):
            found.theirs["task"].add(task_id)


def _names(found: Belongings, text: str) -> bool:
    return any(word in text for word in found.words)


# --- what goes of them --------------------------------------------------------------------------------


def _empty(session: Session, table: Table, ids: Sequence[int], names: Sequence[str]) -> None:
    """Empty the named columns of these rows, or remove the rows where nothing is left of them."""
    if not names:
        return
    if table.name in REMOVED:
        for some in chunks(ids):
            session.execute(delete(table).where(table.c.id.in_(some)))
        return
    values: dict[str, Any] = {name: _nothing(table, name) for name in names}
    if table.name == "owner":
        values |= {"name_folded": ERASED, "name_sort": ERASED, "is_email_bad": False, "is_chat_bad": False}
    for some in chunks(ids):
        session.execute(update(table).where(table.c.id.in_(some)).values(**values, **_next_version(table)))


def _nothing(table: Table, name: str) -> Any:
    column = table.c[name]
    if (table.name, name) in NEEDED:
        return ERASED
    if isinstance(column.type, JSON):
        return {}
    return None if column.nullable else ""


def _next_version(table: Table) -> dict[str, Any]:
    """So that a form that somebody has open can't write the old texts back."""
    return {"row_version": table.c.row_version + 1} if "row_version" in table.c else {}


def _scrub(
    session: Session, table: Table, ids: Sequence[int], names: Sequence[str], found: Belongings
) -> None:
    """Replace the words that name the person in the named columns of these rows."""
    words = [name for name in names if not name.endswith("_mac") and name != "content"]
    if not words or not found.words:
        return
    for some in chunks(ids):
        asked = select(table.c.id, *(table.c[name] for name in words)).where(table.c.id.in_(some))
        for row in session.execute(asked).mappings().all():
            clean = {name: found.without_words(row[name]) for name in words}
            if changed := {name: value for name, value in clean.items() if value != row[name]}:
                session.execute(
                    update(table).where(table.c.id == row["id"]).values(**changed, **_next_version(table))
                )


def _clear_history(session: Session, found: Belongings, columns: Mapping[str, Columns]) -> None:
    """Take the person's texts out of the history: that something changed, when and by whom, stays."""
    if "audit" not in columns:
        return
    keys = ("owner_id", "payer_id")
    owner_id = next(iter(found.theirs["owner"]))
    was_theirs = or_(
        *(Audit.changes.like(f'%"{key}": [{owner_id}, %') for key in keys),
        *(Audit.changes.like(f'%"{key}": [%, {owner_id}]%') for key in keys),
    )
    gone = session.execute(
        select(Audit.id, Audit.table_name, Audit.changes).where(Audit.table_name.in_(MAY_BE_GONE), was_theirs)
    ).all()
    _rewrite(
        session, [row for row in gone if _was_theirs(row.changes, keys, owner_id)], found, is_shared=False
    )
    for whose, is_shared in ((found.theirs, False), (found.shared, True)):
        for name, ids in whose.items():
            for some in chunks(sorted(ids)):
                rows = session.execute(
                    select(Audit.id, Audit.table_name, Audit.changes).where(
                        Audit.table_name == name, Audit.row_id.in_(some)
                    )
                ).all()
                _rewrite(session, rows, found, is_shared=is_shared)


def _was_theirs(changes: str, keys: Iterable[str], owner_id: int) -> bool:
    said = json.loads(changes)
    return any(owner_id in said.get(key, ()) for key in keys)


def _rewrite(session: Session, rows: Sequence[Any], found: Belongings, *, is_shared: bool) -> None:
    for row in rows:
        said = json.loads(row.changes)
        kept = _kept(row.table_name)
        clean = {
            name: found.without_words(pair) if is_shared or name in kept else _without_texts(pair)
            for name, pair in said.items()
        }
        if clean != said:
            changes = json.dumps(clean, ensure_ascii=False)
            session.execute(update(Audit).where(Audit.id == row.id).values(changes=changes))


def _kept(name: str) -> frozenset[str]:
    """The columns of a table whose values say nothing of a person, in the history too."""
    table, said = Base.metadata.tables.get(name), COLUMNS.get(name, Columns())
    gone = {*said.emptied.split(), *said.scrubbed.split(), *said.expiring.split()}
    return frozenset(table.columns.keys() if table is not None else ()) - gone


def _without_texts(value: Any) -> Any:
    """A pair of values with its texts gone; numbers and flags stay."""
    if isinstance(value, list):
        return [_without_texts(one) for one in value]
    if isinstance(value, dict):
        return {name: _without_texts(one) for name, one in value.items()}
    return ERASED if isinstance(value, str) and value else value
