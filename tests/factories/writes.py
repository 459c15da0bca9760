"""Which tables a piece of a test wrote: read from the statements that a thread committed."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from flask import Flask
from sqlalchemy import event

from models.base import db

WRITES = re.compile(r'\s*(?:INSERT INTO|UPDATE|DELETE FROM)\s+"?(\w+)')


@contextmanager
def watched(app: Flask) -> Iterator[list[set[str]]]:
    """The tables that each transaction of this thread wrote and committed; background work has its own."""
    written: dict[int, set[str]] = {}
    own = threading.get_ident()
    committed: list[set[str]] = []
    with app.app_context():
        engine = db.engine

    def execute(connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        found = WRITES.match(statement)
        if found and threading.get_ident() == own:
            written.setdefault(id(connection), set()).add(found[1])

    def commit(connection: Any) -> None:
        if tables := written.pop(id(connection), None):
            committed.append(tables)

    def rollback(connection: Any) -> None:
        written.pop(id(connection), None)

    listeners = (("before_cursor_execute", execute), ("commit", commit), ("rollback", rollback))
    for name, listener in listeners:
        event.listen(engine, name, listener)
    yield committed
    for name, listener in listeners:
        event.remove(engine, name, listener)
