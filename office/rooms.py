"""What the rooms of the office give the whole, joined: jobs, checks, explanations, imports, exports.

Each room names its own in its `room.py`; a new job or check is a row there.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime
from typing import Any, Protocol, TypeVar

from sqlalchemy.orm import Session

from office.arrears import room as arrears
from office.billing import room as billing
from office.complaints import room as complaints
from office.core.exports import Export
from office.core.integrity import Check, Finding
from office.core.jobs import Job
from office.documents import room as documents
from office.estate import room as estate
from office.exchange import room as exchange
from office.exchange.imports import Kind
from office.operations import room as operations
from office.operations.nightly import proof_job
from office.payments import room as payments
from office.policies import room as policies
from office.policies.documents import PolicyUnreadable
from office.receivables import room as receivables
from office.reports import room as reports
from office.scheduling import room as scheduling
from office.scheduling.old_runs import removal_job
from office.scheduling.timetable import Timetable
from office.vouchers import room as vouchers

T = TypeVar("T")


class Explain(Protocol):
    """Tells why a row is where it is and what comes next (C12). Raises Refused for an unknown number."""

    def __call__(self, session: Session, number: str, /, *, now: datetime) -> dict[str, Any]: ...


def joined(*rooms: Mapping[str, T]) -> Mapping[str, T]:
    """The rooms' entries in one mapping. Raises ValueError when two rooms give one name."""
    whole: dict[str, T] = {}
    for room in rooms:
        if twice := whole.keys() & room.keys():
            raise ValueError(f"two rooms give {', '.join(sorted(twice))}")
        whole |= room
    return whole


_JOBS: tuple[Job, ...] = (
    *receivables.JOBS,
    *payments.JOBS,
    *billing.JOBS,
    *complaints.JOBS,
    *arrears.JOBS,
    *reports.JOBS,
    *operations.JOBS,
)
CHECKS: tuple[Check, ...] = (
    *operations.CHECKS,
    *policies.CHECKS,
    *receivables.CHECKS,
    *billing.CHECKS,
    *payments.CHECKS,
    *vouchers.CHECKS,
    *complaints.CHECKS,
    *arrears.CHECKS,
    *reports.CHECKS,
)
_JOBS = (*_JOBS, proof_job(CHECKS))
TIMETABLE = Timetable((*_JOBS, removal_job(_JOBS)))
EXPLAINS: Mapping[str, Explain] = joined(arrears.EXPLAINS, complaints.EXPLAINS)
IMPORTS: Mapping[str, Kind] = exchange.IMPORTS
HISTORIES: Mapping[str, Kind] = exchange.HISTORIES
EXPORTS: Mapping[str, Export] = joined(
    estate.EXPORTS,
    billing.EXPORTS,
    payments.EXPORTS,
    vouchers.EXPORTS,
    arrears.EXPORTS,
    complaints.EXPORTS,
    reports.EXPORTS,
    scheduling.EXPORTS,
    operations.EXPORTS,
    documents.EXPORTS,
)


def findings(session: Session) -> list[Finding]:
    """Every row that breaks an invariant (M7); empty when all is well.

    A check that needs a policy which can't be read finds nothing; that of the policies names the policy.
    """
    found: list[Finding] = []
    for check in CHECKS:
        with suppress(PolicyUnreadable):
            found += check(session)
    return found
