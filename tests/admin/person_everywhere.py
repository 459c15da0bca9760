"""A person whose words stand in every column that can hold them, and a search that reads everything (F23)."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import JSON, LargeBinary, Table, select, update
from sqlalchemy.orm import Session

from models import triggers
from models.base import Base
from models.complaints import Attachment, CaseEntry, ClockPause, Complainant, Ticket, TicketEvent
from models.office import Audit, Message, Paper, SavedView, Task
from models.payments import DirectDebit, StatementRow
from models.people import Owner
from models.secrets import Sealed, fingerprint
from office.core.database import plain_tables
from office.estate import erasure
from office.estate.personal_columns import COLUMNS, text_columns
from tests.admin.sample_office import NOW, PHONES, World, furnish

NAME = "欧阳秀英"
ACCOUNT = "6222020200112233445"


def furnish_person(session: Session) -> int:
    """The sample office, in which a person named NAME left a word in every column; answers the owner's id."""
    world = furnish(session)
    owner_id, ticket_id = world.ids["owners"]["own"], world.ids["tickets"]["own"]
    session.get_one(Owner, owner_id).name = NAME
    complainant = session.get_one(Complainant, world.ids["complainants"]["own"])
    complainant.owner_id, complainant.name = owner_id, NAME
    statement = session.get_one(StatementRow, world.ids["statement_rows"]["own"])
    statement.state, statement.payment_id = "posted", world.ids["payments"]["own"]
    session.get_one(DirectDebit, world.ids["direct_debit_rows"]["own"]).account = ACCOUNT
    session.get_one(Message, world.ids["outbox"]["own"]).reminder_id = world.ids["reminders"]["own"]
    staff_id = world.people["manager"]
    session.add_all(
        [
            CaseEntry(
                ticket_id=ticket_id,
                category_id=session.get_one(Ticket, ticket_id).category_id,
                title=NAME,
                what_happened="",
                what_was_done="",
            ),
            TicketEvent(ticket_id=ticket_id, at=NOW, verb="note"),
            ClockPause(
                ticket_id=ticket_id, from_at=NOW, waiting_for="resident", reason="", look_again_on=NOW.date()
            ),
            Attachment(
                key="a", ticket_id=ticket_id, file_name="", media_type="image/png", content=b"", added_at=NOW
            ),
            Paper(kind="receipt", number="1", payer_id=owner_id, language="en", contents={}, issued_at=NOW),
            SavedView(staff_id=staff_id, screen="invoices", name=NAME, query=f"search={NAME}"),
            Task(kind="import", staff_id=staff_id, made_at=NOW, state="done", result={"sample": [[NAME]]}),
        ]
    )
    session.flush()
    _share(session, world, owner_id)
    triggers.drop(session.connection())
    plant(session, session.get_one(Owner, owner_id))
    triggers.install(session.connection())
    return owner_id


def _share(session: Session, world: World, owner_id: int) -> None:
    """A complaint of two people, about the unit, with its history."""
    first = session.get_one(Ticket, world.ids["tickets"]["own"])
    ticket = Ticket(
        number="SHARED-T1", registered_at=NOW, channel="desk", unit_id=first.unit_id, severity="minor",
        category_id=first.category_id, department_id=first.department_id, statement="",
    )  # fmt: skip
    session.add(ticket)
    session.flush()
    session.add_all(
        [
            Complainant(ticket_id=ticket.id, owner_id=owner_id, name=NAME),
            Complainant(ticket_id=ticket.id, name="Somebody else"),
            TicketEvent(ticket_id=ticket.id, at=NOW, verb="note"),
        ]
    )
    session.flush()


def plant(session: Session, owner: Owner) -> None:
    """Write the person's name into every column that an erasure clears, on every row that is theirs."""
    found = erasure.belongings(session, owner)
    for name, said in COLUMNS.items():
        table = Base.metadata.tables[name]
        words = [*said.emptied.split(), *said.scrubbed.split()]
        ids = found.theirs.get(name, set()) | found.shared.get(name, set())
        if not words or name == "audit":
            continue
        assert ids, f"the sample office has no row of {name} for this person"
        for row_id in sorted(ids):
            values = {word: _word(table, word, row_id) for word in words}
            session.execute(update(table).where(table.c.id == row_id).values(values))
            changes = {one: [None, f"{NAME} {one}"] for one in text_columns(table)}
            session.add(
                Audit(
                    at=NOW,
                    action="edit",
                    table_name=name,
                    row_id=row_id,
                    changes=json.dumps({**changes, "reason": [f"said {NAME}", None]}, ensure_ascii=False),
                )
            )
    gone = {"owner_id": [owner.id, None], "number": [f"138 {NAME}", None]}
    session.add(
        Audit(
            at=NOW,
            action="delete",
            table_name="owner_phone",
            row_id=999_999,
            changes=json.dumps(gone, ensure_ascii=False),
        )
    )
    session.flush()


def _word(table: Table, column: str, row_id: int) -> Any:
    kind = table.c[column].type
    if column.endswith("_mac"):
        return fingerprint(NAME if table.name != "owner_phone" else PHONES["own"])
    if isinstance(kind, JSON):
        return {"said": [NAME], NAME: 1}
    if isinstance(kind, LargeBinary):
        return f"picture of {NAME}".encode()
    length = getattr(kind, "length", None)
    return NAME if length == 5 or column == "name" else f"{NAME} {row_id}"[:length]


def places(session: Session, words: Sequence[str]) -> set[str]:
    """Each table.column in which one of the words, or its fingerprint, still stands; sealed ones opened."""
    wanted = [*words, *(fingerprint(word) for word in words)]
    found = set()
    for table in Base.metadata.sorted_tables:
        for row in session.execute(select(table)).mappings():
            for name, value in row.items():
                if any(word in _text(value) for word in wanted):
                    found.add(f"{table.name}.{name}")
    return found


def _text(value: Any) -> str:
    if isinstance(value, bytes):
        return value.decode(errors="ignore")
    return json.dumps(value, ensure_ascii=False, default=str)


def sealed_texts(session: Session, words: Iterable[str]) -> list[bytes]:
    """What now stands sealed in the database and holds one of the words: it must leave the files too."""
    found = []
    typed = Base.metadata.tables
    for table in plain_tables():
        for column in table.columns:
            if isinstance(typed[table.name].c[column.name].type, Sealed):
                opened = session.scalars(select(typed[table.name].c[column.name]))
                stored = session.scalars(select(column))
                for plain, token in zip(opened, stored, strict=True):
                    if plain and any(word in plain for word in words):
                        found.append(token.encode())
    return found


def spellings(word: str) -> Iterator[bytes]:
    """A word as it may stand in a file: in the encodings of the office's files, and as JSON escapes it."""
    for encoding in ("utf-8", "utf-16-le", "utf-16-be", "gb18030"):
        yield word.encode(encoding)
    yield json.dumps(word).strip('"').encode()


def files_with(folder: Path, wanted: Iterable[bytes]) -> set[str]:
    """The files of a folder, what is packed in them too, in which one of these bytes stands."""
    words = list(wanted)
    found = set()
    for file in folder.rglob("*"):
        if file.is_file():
            contents = {file.name: file.read_bytes()}
            if zipfile.is_zipfile(file):
                with zipfile.ZipFile(file) as packed:
                    contents |= {f"{file.name}/{name}": packed.read(name) for name in packed.namelist()}
            found |= {name for name, content in contents.items() if any(word in content for word in words)}
    return found
