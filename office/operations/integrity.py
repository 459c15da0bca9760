"""The database still has what protects its rows (M7)."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models.base import Model
from models.office import Erasure
from models.text_keys import SECOND, folded_columns
from office.core import schema
from office.core.integrity import Finding
from rules.text_keys import compared_key

APART = "be unlike every other: give it another name, or delete it once nothing hangs on it"


def triggers_present(session: Session) -> Iterable[Finding]:
    """Every trigger and constraint that protects posted rows is there."""
    for name in schema.missing_protections(session):
        yield Finding("trigger_missing", "trigger", 0, name, says="missing", should="present")


def erasures_are_finished(session: Session) -> Iterable[Finding]:
    """No erasure stands open: while one does, texts of posted rows could be changed (F23)."""
    for row in session.scalars(select(Erasure).where(Erasure.finished_at.is_(None))):
        yield Finding("erasure_open", "erasure", row.id, str(row.owner_id), says="open", should="finished")


def names_are_apart(session: Session) -> Iterable[Finding]:
    """No two names are written alike (`1-101` and `１－１０１`), and each is compared by its own folded form.

    Such rows are from before names were compared: both are kept, and only a person knows which one is right.
    """
    for table in Model.metadata.sorted_tables:
        for name, folded in folded_columns(table):
            key = table.c.id
            odd = folded.contains(SECOND) | (folded != func.lower(name))  # most names are plain
            for row_id, written, compared in session.execute(select(key, name, folded).where(odd)):
                alike, _second, _id = compared.partition(SECOND)
                if alike != compared:
                    yield Finding("name_written_alike", table.name, row_id, written, f"like {alike}", APART)
                elif compared != (should := compared_key(written)):
                    yield Finding("name_compared_otherwise", table.name, row_id, written, compared, should)
