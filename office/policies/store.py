"""Stored policy versions → the values the rules take (§9).

A policy is a document shaped as its preset's TOML file. The version in force on a day is the latest one
that starts on or before it; a later change never alters what was decided under an earlier one.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import date, datetime
from typing import Any, TypeVar
from zoneinfo import ZoneInfo, available_timezones

from sqlalchemy import select
from sqlalchemy.orm import Session

import seed
from models.billing import FeeItem
from models.complaints import Category
from models.policies import PolicyVersion
from models.property import CalendarDay, Estate
from office.core.errors import N_, Refused
from office.policies import documents
from office.policies.documents import PolicyRefused
from rules.billing import BillingDocument, billing_problems, move_in_problems
from rules.gates import Gates, gate_problems
from rules.ladder import LadderDocument, ladder_problems
from rules.late_fee import LateFeeDocument, late_fee_problems
from rules.policy_values import OfficeRows
from rules.reasons import Reason
from rules.report_rates import bound_problems
from rules.working_time import OfficeCalendar, has_public_days

P = TypeVar("P")

FIRST_DAY = date(2000, 1, 1)  # from which a preset's own policies hold


def in_force(session: Session, kind: type[P], on: date) -> P:
    """The policy in force on a day, as the rules take it.

    Raises Refused when the office has none, PolicyUnreadable when what is stored can't be.
    """
    return documents.stored(kind, _stored(session, documents.NAMES[kind], on))


def last_readable(session: Session, kind: type[P], on: date) -> P | None:
    """The newest version until a day that can be read, for what must go on; None when there is none."""
    versions = session.scalars(
        select(PolicyVersion.rows)
        .where(PolicyVersion.policy == documents.NAMES[kind], PolicyVersion.valid_from <= on)
        .order_by(PolicyVersion.valid_from.desc(), PolicyVersion.revision.desc())
    )
    for text in versions:
        with suppress(documents.PolicyUnreadable):
            return documents.stored(kind, text)
    return None


def document(session: Session, policy: str, on: date) -> dict[str, Any]:
    """The policy's document in force on a day. Raises Refused when the office has no such policy."""
    return documents.loaded(_stored(session, policy, on))


def _stored(session: Session, policy: str, on: date) -> str:
    stored = session.execute(
        select(PolicyVersion.rows)
        .where(PolicyVersion.policy == policy, PolicyVersion.valid_from <= on)
        .order_by(PolicyVersion.valid_from.desc(), PolicyVersion.revision.desc())
        .limit(1)
    ).scalar_one_or_none()
    if stored is None:
        raise Refused(N_("There is no policy %(policy)s: run the set-up again"), policy=policy)
    return stored


def calendar(session: Session, on: date) -> OfficeCalendar:
    """The office's working time in force on a day, with the days the office set itself (T5)."""
    policy = in_force(session, OfficeCalendar, on)
    zone = session.execute(select(Estate.time_zone)).scalar_one()
    own_days = dict(iter(session.execute(select(CalendarDay.day, CalendarDay.is_working))))
    return replace(policy, zone=zone, overrides={**policy.overrides, **own_days})


def store(  # one row of history
    session: Session,
    policy: str,
    rows: Mapping[str, Any],
    *,
    valid_from: date,
    now: datetime,
    staff_id: int | None = None,
    reason: str = "",
) -> PolicyVersion:
    """Add a version that holds from a day on; the versions before it stay as they are."""
    revision = (
        session.execute(
            select(PolicyVersion.revision)
            .where(PolicyVersion.policy == policy, PolicyVersion.valid_from == valid_from)
            .order_by(PolicyVersion.revision.desc())
            .limit(1)
        ).scalar_one_or_none()
        or 0
    ) + 1
    version = PolicyVersion(
        policy=policy,
        valid_from=valid_from,
        revision=revision,
        rows=json.dumps(rows, ensure_ascii=False, default=str),
        reason=reason,
        staff_id=staff_id,
        changed_at=now,
    )
    session.add(version)
    return version


def current(session: Session, on: date) -> dict[str, PolicyVersion]:
    """The version of each policy that is in force on a day, by name."""
    versions = session.execute(
        select(PolicyVersion)
        .where(PolicyVersion.valid_from <= on)
        .order_by(PolicyVersion.policy, PolicyVersion.valid_from, PolicyVersion.revision)
    ).scalars()
    return {version.policy: version for version in versions}


def editable_document(session: Session, version: PolicyVersion) -> dict[str, Any]:
    """The document of a version for a form, the preset's one where a form could not mend it."""
    rows = documents.loaded(version.rows)
    if documents.is_mendable(version.policy, rows):
        return rows
    preset = session.execute(select(Estate.preset)).scalar_one()
    return documents.loaded(json.dumps(seed.preset_policies(preset)[version.policy], default=str))


def current_documents(session: Session, on: date) -> dict[str, dict[str, Any]]:
    """The document of each policy that is in force on a day, by name."""
    return {name: documents.loaded(version.rows) for name, version in current(session, on).items()}


def problems(
    session: Session, policy: str, rows: Mapping[str, Any], others: Mapping[str, Mapping[str, Any]]
) -> list[Reason]:
    """What is wrong with an edited policy, nothing when it may be saved (§9).

    `others` are the documents in force, since a ladder is also judged by its gates and its due day.
    """
    try:
        value = documents.typed(documents.TYPES[policy], rows)
        found = list(_CHECKS[policy](value, _Others(others))) if policy in _CHECKS else []
    except PolicyRefused as refusal:
        return refusal.reasons
    except (TypeError, ValueError, ArithmeticError) as wrong:
        return [Reason("value_impossible", {"what": str(wrong)})]
    return found + _unknown_office_codes(session, value)


def _unknown_office_codes(session: Session, value: object) -> list[Reason]:
    """Codes of fee items or categories that the office does not have."""
    found = []
    for place, rows, code in documents.office_codes(value):
        known = session.scalars(select(_OFFICE_CODES[rows])).all()
        if code not in known:
            found.append(documents.code_unknown(place, code, known))
    return found


_OFFICE_CODES: Mapping[OfficeRows, Any] = {
    OfficeRows.FEE_ITEM: FeeItem.code,
    OfficeRows.CATEGORY: Category.code,
}


def change(
    session: Session,
    policy: str,
    rows: Mapping[str, Any],
    *,
    valid_from: date,
    reason: str,
    now: datetime,
    staff_id: int | None,
) -> PolicyVersion:
    """Save an edited policy that holds from today or later (§9). Raises Refused with all that is wrong."""
    if policy not in documents.TYPES:
        raise Refused(N_("There is no policy %(policy)s"), policy=policy)
    zone = ZoneInfo(session.execute(select(Estate.time_zone)).scalar_one())
    if valid_from < now.astimezone(zone).date():
        raise Refused(N_("A policy can't change the past: choose today or a later day"))
    found = problems(session, policy, rows, current_documents(session, valid_from))
    if found:
        raise PolicyRefused(found)
    return store(session, policy, rows, valid_from=valid_from, now=now, staff_id=staff_id, reason=reason)


class _Others:
    """The other policies in force, by which one is judged too; one that can't be read judges nothing."""

    def __init__(self, rows: Mapping[str, Mapping[str, Any]]) -> None:
        self.rows = rows

    def get(self, kind: type[P]) -> P | None:
        try:
            return documents.typed(kind, self.rows[documents.NAMES[kind]])
        except (KeyError, PolicyRefused):
            return None


def _check_ladder(ladder: LadderDocument, others: _Others) -> Iterable[Reason]:
    return _ladder_problems(ladder, others.get(Gates), others.get(BillingDocument))


def _check_gates(gates: Gates, others: _Others) -> Iterable[Reason]:
    ladder = _ladder_problems(others.get(LadderDocument), gates, others.get(BillingDocument))
    return (*gate_problems(gates), *ladder)


def _check_billing(billing: BillingDocument, others: _Others) -> Iterable[Reason]:
    return (
        *billing_problems(billing.billing),
        *_ladder_problems(others.get(LadderDocument), others.get(Gates), billing),
        *bound_problems(billing.ageing.bounds),
        *move_in_problems(billing.move_in),
    )


def _ladder_problems(
    ladder: LadderDocument | None, gates: Gates | None, billing: BillingDocument | None
) -> Iterable[Reason]:
    """What is wrong with the ladder, once all that it is judged by can be read."""
    if ladder is None or gates is None or billing is None:
        return ()
    return ladder_problems(ladder.ladder(gates), billing.billing.due_day)


def _check_calendar(calendar: OfficeCalendar, _others: _Others) -> Iterable[Reason]:
    if calendar.country and not has_public_days(calendar.country):
        return (Reason("country_unknown", {"country": calendar.country}),)
    if calendar.zone not in available_timezones():
        return (Reason("zone_unknown", {"zone": calendar.zone}),)
    return ()


def _check_late_fee(late_fee: LateFeeDocument, _others: _Others) -> Iterable[Reason]:
    return late_fee_problems(late_fee.late_fee, late_fee.item)


# what its type can't say of a policy
_CHECKS: Mapping[str, Callable[[Any, _Others], Iterable[Reason]]] = {
    "billing": _check_billing,
    "calendar": _check_calendar,
    "gates": _check_gates,
    "ladder": _check_ladder,
    "late_fee": _check_late_fee,
}
