"""Who was erased, noted beside the database: a backup of before that is restored is rid of them again (F23).

The list lies in the instance folder and beside the nightly backups, for its owner only. It holds the ids and
instants of erasures and hashes of what stays of a person (numbers of bills, days of moving in): by those an
id is known to mean the same person in a backup. Nothing in it names anybody.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy import Connection, Engine, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from models.billing import Invoice
from models.office import Erasure
from models.people import Occupancy, Owner
from models.property import Unit
from office.core import audit, clock, installation
from office.core.errors import N_, Refused
from office.core.integrity import Finding
from office.estate import erasure, personal_data
from office.operations.scratch import scratch_folder

FILE = "erasures.json"
FORMAT = 1
MOST_TRACES = 40  # of a person, the oldest first
UNREADABLE = N_(
    "The list of erased persons %(file)s can't be read: put a whole copy of it there, from the folder of the "
    "backups or the instance folder, or take it away (nothing was changed)"
)
AGAIN = "repeated after a backup of before was restored"
RETURNED = "erased_person_returned"


@dataclass(frozen=True)
class Entry:
    """One erasure: whose row, when (ISO 8601), and hashes of what stays of the person."""

    owner_id: int
    at: str
    traces: frozenset[str]


def note(bind: Engine, *, beside: Sequence[Path] = ()) -> None:
    """Bring the list up to date with what the database says, in each of its places.

    Raises Refused for a list that can't be read or written.
    """
    with Session(bind) as session:
        entries = {**_stored(session), **_listed(bind, beside)}
    for folder in _folders(bind):
        if entries and _entries(folder / FILE) != entries:
            _write(folder, entries)


def known(bind: Engine, *, beside: Sequence[Path] = ()) -> list[Entry]:
    """Every erasure that the database or one of the lists knows of; a damaged database knows of none.

    `beside` are more folders in which a list may lie, such as that of a backup. Raises Refused for a list
    that can't be read.
    """
    found = _listed(bind, beside)
    try:
        with Session(bind) as session:
            found |= _stored(session)
    except SQLAlchemyError:
        pass  # it is about to be replaced: the lists are there for that
    return sorted(found.values(), key=lambda one: (one.at, one.owner_id))


def repeat(session: Session, entries: Iterable[Entry]) -> list[int]:
    """Erase again who stands in a restored office although they were erased; the caller commits.

    Answers the ids of those for whom something still stands in the way, such as a bill that was open then.
    """
    now, left = clock.now(session), []
    for owner in _returned(session, entries):
        if personal_data.obstacles(session, owner.id, clock.office_day(session, now)):
            left.append(owner.id)
            continue
        erasure.take_out(session, owner, now=now, staff_id=None)
        audit.record(session, now, None, "erase", owner, {"reason": AGAIN})
    return left


def none_returned(session: Session) -> Iterator[Finding]:
    """Nobody stands in the office whose erasure is noted beside the database (F23)."""
    bind = session.get_bind()
    for owner in _returned(session, _listed(bind).values()):
        yield Finding(RETURNED, "owner", owner.id, str(owner.id), says="there", should="erased again")


def _returned(session: Session, entries: Iterable[Entry]) -> Iterator[Owner]:
    """The persons of the entries who are not erased here, and are the same as were."""
    for owner_id in sorted({one.owner_id for one in entries}):
        owner = session.get(Owner, owner_id)
        if owner is None or personal_data.is_erased(session, owner_id):
            continue
        here = _traces(session, owner_id)
        if any(one.traces & here or one.traces == here for one in entries if one.owner_id == owner_id):
            yield owner


def _stored(session: Session) -> dict[tuple[int, str], Entry]:
    """The erasures that the database knows of."""
    rows = session.execute(
        select(Erasure.owner_id, Erasure.started_at).where(Erasure.finished_at.is_not(None))
    ).all()
    return {
        (owner_id, _written(at)): Entry(owner_id, _written(at), _traces(session, owner_id))
        for owner_id, at in rows
    }


def _written(at: datetime) -> str:
    return at.isoformat(timespec="seconds")


def _traces(session: Session, owner_id: int) -> frozenset[str]:
    """Hashes of what an erasure leaves of a person: days of moving in, numbers of bills."""
    lived = session.execute(
        select(Unit.code, Occupancy.from_on)
        .join(Unit, Unit.id == Occupancy.unit_id)
        .where(Occupancy.owner_id == owner_id)
        .order_by(Occupancy.id)
        .limit(MOST_TRACES)
    )
    billed = session.scalars(
        select(Invoice.number).where(Invoice.payer_id == owner_id).order_by(Invoice.id).limit(MOST_TRACES)
    )
    said = [*(f"{code} {from_on}" for code, from_on in lived), *billed]
    return frozenset(hashlib.sha256(f"{owner_id} {one}".encode()).hexdigest()[:32] for one in said)


# --- the files ----------------------------------------------------------------------------------------


def _folders(bind: Engine | Connection) -> list[Path]:
    """Where the list lies: in the instance folder, else beside the database; and beside the backups."""
    engine = bind.engine
    here = installation.of_engine(bind).folder
    if here is None and engine.dialect.name == "sqlite" and engine.url.database:
        here = Path(engine.url.database).parent
    places = [here] if here is not None else []
    if here is not None or installation.of_engine(bind).setting("BACKUP_FOLDER"):
        places.append(installation.backup_folder(engine))
    return [place for place in places if place.is_dir()]


def _listed(bind: Engine | Connection, beside: Sequence[Path] = ()) -> dict[tuple[int, str], Entry]:
    found: dict[tuple[int, str], Entry] = {}
    for folder in (*_folders(bind), *beside):
        found |= _entries(folder / FILE)
    return found


def _entries(file: Path) -> dict[tuple[int, str], Entry]:
    """What a list says; a missing one says nothing. Raises Refused."""
    try:
        said = json.loads(file.read_bytes())
        if said["format"] != FORMAT:
            raise Refused(UNREADABLE, file=file)
        entries = [
            Entry(int(one["owner"]), str(one["at"]), frozenset(one["traces"])) for one in said["erased"]
        ]
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise Refused(UNREADABLE, file=file) from error
    return {(one.owner_id, one.at): one for one in entries}


def _write(folder: Path, entries: dict[tuple[int, str], Entry]) -> None:
    said = [
        {"owner": one.owner_id, "at": one.at, "traces": sorted(one.traces)}
        for _key, one in sorted(entries.items())
    ]
    try:
        with scratch_folder(folder, "erasures") as scratch:
            made = scratch / FILE
            made.touch(mode=0o600)
            made.write_text(json.dumps({"format": FORMAT, "erased": said}, indent=1), encoding="utf-8")
            os.replace(made, folder / FILE)  # noqa: PTH105 -- shorter with two names
    except OSError as error:
        file = folder / FILE
        raise Refused(
            N_("%(file)s can't be written: %(reason)s"), file=file, reason=error.strerror
        ) from error
