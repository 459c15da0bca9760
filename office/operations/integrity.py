"""`flask check`: every invariant of the office, each answering the rows that break it (M7, contract).

A new invariant is a new function in CHECKS: `(session) -> findings`, one SQL statement over the whole set.
"""

from __future__ import annotations

from collections.abc import Iterable
from importlib import import_module

from sqlalchemy.orm import Session

from office.core import schema
from office.core.integrity import Finding


def triggers_present(session: Session) -> Iterable[Finding]:
    """Every trigger and constraint that protects posted rows is there."""
    for name in schema.missing_protections(session):
        yield Finding("trigger_missing", "trigger", 0, name, says="missing", should="present")


CHECKS = (
    "office.operations.integrity:triggers_present",
    "office.receivables.integrity:money_adds_up",
    "office.receivables.late_fee_integrity:all_hold",
    "office.complaints.integrity:all_hold",
    "office.arrears.integrity:all_hold",
    "office.reports.aggregates:all_hold",
)


def findings(session: Session) -> list[Finding]:
    """Everything that is wrong in this office's books; empty when all is well."""
    found: list[Finding] = []
    for check in CHECKS:
        module, function = check.split(":")
        found.extend(getattr(import_module(module), function)(session))
    return found
