"""The database still has what protects its rows (M7)."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy.orm import Session

from office.core import schema
from office.core.integrity import Finding


def triggers_present(session: Session) -> Iterable[Finding]:
    """Every trigger and constraint that protects posted rows is there."""
    for name in schema.missing_protections(session):
        yield Finding("trigger_missing", "trigger", 0, name, says="missing", should="present")
