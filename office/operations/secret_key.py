"""The secret key: proved against what the office has sealed, and replaced by a new one (F20, P3).

What is sealed and what is a fingerprint follows from the models: a sealed column has the type `Sealed`, the
fingerprint of `number` is `number_mac`. A fingerprint without its text, such as that of a recovery code,
can't be made anew: such rows are removed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import cast

from sqlalchemy import (
    Connection,
    Engine,
    RowMapping,
    Table,
    delete,
    inspect,
    or_,
    select,
    text,
    tuple_,
    update,
)

from models import Base, secrets, triggers
from models.engine import writing
from models.people import KeptForm, RecoveryCode, WebSession
from models.property import KEY_PROOF, Estate
from models.secrets import Keys, Sealed
from office.core.database import plain_tables

FINGERPRINT = "_mac"
LAPSING = (
    cast("Table", RecoveryCode.__table__),
    cast("Table", WebSession.__table__),
    cast("Table", KeptForm.__table__),
)  # of no use under another key
CHUNK = 2000


@dataclass(frozen=True)
class Resealed:
    """What a change of key did: values sealed anew, and those that the old key did not open."""

    values: int
    unreadable: int


def sealed_columns(table: Table) -> list[str]:
    """The names of a table's sealed columns."""
    return [column.name for column in table.columns if isinstance(column.type, Sealed)]


def is_right(connection: Connection, keys: Keys) -> bool:
    """Whether these keys open what the office has sealed; an office that has sealed nothing takes any.

    An office of an older version has no proof of its own: one sealed value of each column stands for it.
    """
    there = inspect(connection)
    names = set(there.get_table_names())
    if any(column["name"] == "key_proof" for column in there.get_columns("estate")):
        token = _proof(connection)
        if token:
            return keys.opened(token) == KEY_PROOF
    tokens: list[str] = []
    for table in plain_tables():
        sealed = sealed_columns(Base.metadata.tables[table.name]) if table.name in names else []
        has = {column["name"] for column in there.get_columns(table.name)} if sealed else set()
        for name in has.intersection(sealed):
            column = table.c[name]
            tokens += connection.scalars(select(column).where(column != "").limit(1)).all()
    return not tokens or any(keys.opened(token) is not None for token in tokens)


def _proof(connection: Connection) -> str:
    return str(connection.execute(text("SELECT key_proof FROM estate")).scalar() or "")


def has_changed(connection: Connection, keys: Keys) -> bool:
    """Whether an office of this version is sealed with another key by now; one small query."""
    token = _proof(connection)
    return bool(token) and keys.opened(token) != KEY_PROOF


def seal_proof(connection: Connection, *, is_anew: bool = False) -> None:
    """Let the office prove the key in use from now on, unless it proves one already."""
    wanted = update(Estate).values(key_proof=KEY_PROOF)
    connection.execute(wanted if is_anew else wanted.where(Estate.key_proof.is_(None)))


def rotate(bind: Engine, new: Keys) -> Resealed:
    """Seal everything anew by other keys, in one transaction; everybody signs in again.

    A value that the keys in use don't open stays as it is, and is counted.
    """
    values = unreadable = 0
    with writing(), bind.begin() as connection:
        triggers.drop(connection)
        for table in plain_tables():
            sealed = sealed_columns(Base.metadata.tables[table.name])
            if sealed and connection.dialect.name == "postgresql":
                connection.execute(text(f"LOCK TABLE {table.name} IN EXCLUSIVE MODE"))
            for row in _holding(connection, table, sealed) if sealed else ():
                anew = _anew(row, sealed, table, new)
                values += sum(name in anew for name in sealed)
                unreadable += sum(bool(row[name]) and name not in anew for name in sealed)
                if anew:
                    same = [column == row[column.name] for column in table.primary_key.columns]
                    connection.execute(update(table).where(*same).values(anew))
        for table in LAPSING:
            connection.execute(delete(table))
        triggers.install(connection)
    return Resealed(values, unreadable)


def _holding(connection: Connection, table: Table, sealed: Sequence[str]) -> Iterator[RowMapping]:
    """The rows that hold something sealed, read in the order of their keys, so that each comes once."""
    keys = list(table.primary_key.columns)
    holding = or_(*(table.c[name] != "" for name in sealed))
    wanted = select(*keys, *(table.c[name] for name in sealed)).where(holding).order_by(*keys).limit(CHUNK)
    rows = connection.execute(wanted).mappings().all()
    while rows:
        yield from rows
        last = [rows[-1][column.name] for column in keys]
        rows = connection.execute(wanted.where(tuple_(*keys) > last)).mappings().all()


def _anew(row: RowMapping, sealed: Sequence[str], table: Table, new: Keys) -> dict[str, str]:
    """What a row's sealed columns and their fingerprints become."""
    anew = {}
    for name in sealed:
        plain = secrets.in_use().opened(row[name]) if row[name] else None
        if plain is not None:
            anew[name] = new.seal(plain)
            if name + FINGERPRINT in table.c:
                anew[name + FINGERPRINT] = new.fingerprint(plain)
    return anew
