"""Stored policy versions → the values the rules take (§9).

A policy is a document shaped as its preset's TOML file. The version in force on a day is the latest one
that starts on or before it; a later change never alters what was decided under an earlier one.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.people import ROLES
from models.policies import PolicyVersion
from models.property import CalendarDay, Estate
from office.core.errors import N_, Refused
from rules.billing import BillingPolicy, billing_problems, move_in_problems
from rules.deadlines import EscalationPolicy, clock_rules
from rules.gates import LawFirm, LegalGate, RestrictionGate, gate_problems
from rules.kpi import bound_problems
from rules.ladder import Ladder, ladder_problems
from rules.late_fee import LateFeePolicy
from rules.late_fee import policy_problems as late_fee_problems
from rules.lifecycle import ComplaintPolicy
from rules.policy_values import tables
from rules.public_form import PublicForm
from rules.reasons import Reason
from rules.report_mails import report_mails
from rules.severity import SeverityPolicy
from rules.sign_in import sign_in_policy
from rules.visits import VisitPolicy
from rules.working_time import OfficeCalendar, has_public_days


class PolicyRefused(Refused):
    """An edited policy with problems; `reasons` lists them all."""

    def __init__(self, reasons: list[Reason]) -> None:
        listed = "; ".join(map(str, reasons))
        super().__init__(N_("The policy can't be saved: %(problems)s"), problems=listed)
        self.reasons = reasons


FIRST_DAY = date(2000, 1, 1)  # from which a preset's own policies hold


def document(session: Session, policy: str, on: date) -> dict[str, Any]:
    """The policy's document in force on a day. Raises Refused when the office has no such policy."""
    stored = session.execute(
        select(PolicyVersion.rows)
        .where(PolicyVersion.policy == policy, PolicyVersion.valid_from <= on)
        .order_by(PolicyVersion.valid_from.desc(), PolicyVersion.revision.desc())
        .limit(1)
    ).scalar_one_or_none()
    if stored is None:
        raise Refused(N_("There is no policy %(policy)s: run the set-up again"), policy=policy)
    loaded: dict[str, Any] = json.loads(stored)
    return loaded


def calendar(session: Session, on: date) -> OfficeCalendar:
    """The office's working time in force on a day, with the days the office set itself (T5)."""
    row = document(session, "calendar", on)
    row["zone"] = session.execute(select(Estate.time_zone)).scalar_one()
    overrides = dict(row.get("overrides") or {})
    for day, is_working in session.execute(select(CalendarDay.day, CalendarDay.is_working)):
        overrides[day.isoformat()] = is_working
    row["overrides"] = overrides
    return OfficeCalendar.from_row(row)


def retry_waits(row: Mapping[str, Any]) -> list[timedelta]:
    """How long to wait before each further try of a message that did not arrive (C5)."""
    minutes = [int(value) for value in row["retry_after_minutes"]]
    if not minutes or min(minutes) < 1:
        raise ValueError("retry_after_minutes needs at least one wait of a minute or more")
    return [timedelta(minutes=value) for value in minutes]


def kept_backups(row: Mapping[str, Any]) -> int:
    """How many nightly backups the office keeps (§8)."""
    kept = int(row["kept"])
    if kept < 1:
        raise ValueError("kept must be 1 or more")
    return kept


def erase_after_years(row: Mapping[str, Any]) -> int:
    """How many years after their last tie to a unit a person's data may be erased (P3)."""
    years = int(row["erase_after_years"])
    if years < 0:
        raise ValueError("erase_after_years must be 0 or more")
    return years


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


def problems(policy: str, rows: Mapping[str, Any], others: Mapping[str, Mapping[str, Any]]) -> list[Reason]:
    """What is wrong with an edited policy, nothing when it may be saved (§9).

    `others` are the documents in force, since a ladder is also judged by its gates and its due day.
    """
    try:
        return list(_CHECKS[policy](rows, others))
    except KeyError as missing:
        return [Reason("value_missing", {"value": str(missing.args[0])})]
    except (TypeError, ValueError, ArithmeticError) as wrong:
        return [Reason("value_impossible", {"what": str(wrong)})]


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
    if policy not in _CHECKS:
        raise Refused(N_("There is no policy %(policy)s"), policy=policy)
    zone = ZoneInfo(session.execute(select(Estate.time_zone)).scalar_one())
    if valid_from < now.astimezone(zone).date():
        raise Refused(N_("A policy can't change the past: choose today or a later day"))
    others = {name: json.loads(version.rows) for name, version in current(session, valid_from).items()}
    found = problems(policy, rows, others)
    if found:
        raise PolicyRefused(found)
    return store(session, policy, rows, valid_from=valid_from, now=now, staff_id=staff_id, reason=reason)


_Documents = Mapping[str, Mapping[str, Any]]
_Check = Callable[[Mapping[str, Any], _Documents], Iterable[Reason]]


def _builds(build: Callable[[Mapping[str, Any]], object]) -> _Check:
    """A check that is passed when the rules can be made of the rows."""

    def check(rows: Mapping[str, Any], _others: _Documents) -> Iterable[Reason]:
        build(rows)
        return ()

    return check


def _check_ladder(rows: Mapping[str, Any], others: _Documents) -> Iterable[Reason]:
    return ladder_problems(
        Ladder.from_row(rows, others["gates"]), BillingPolicy.from_row(others["billing"]["billing"]).due_day
    )


def _check_gates(rows: Mapping[str, Any], others: _Documents) -> Iterable[Reason]:
    return (
        *gate_problems(
            LegalGate.from_row(rows["legal"]),
            RestrictionGate.from_row(rows["restriction"]),
            LawFirm.from_row(rows.get("law_firm", {})),
        ),
        *ladder_problems(
            Ladder.from_row(others["ladder"], rows),
            BillingPolicy.from_row(others["billing"]["billing"]).due_day,
        ),
    )


def _check_billing(rows: Mapping[str, Any], others: _Documents) -> Iterable[Reason]:
    billing = BillingPolicy.from_row(rows["billing"])
    return (
        *billing_problems(billing),
        *ladder_problems(Ladder.from_row(others["ladder"], others["gates"]), billing.due_day),
        *bound_problems(rows["ageing"]["bounds"]),
        *move_in_problems(tables(rows, "move_in")),
    )


def _check_calendar(rows: Mapping[str, Any], _others: _Documents) -> Iterable[Reason]:
    if not any(rows["hours"]):
        return (Reason("no_office_hours", {}),)
    if not rows["make_up_hours"]:
        return (Reason("no_make_up_hours", {}),)
    calendar = OfficeCalendar.from_row(rows)
    if calendar.country and not has_public_days(calendar.country):
        return (Reason("country_unknown", {"country": calendar.country}),)
    if calendar.zone not in available_timezones():
        return (Reason("zone_unknown", {"zone": calendar.zone}),)
    return ()


def _check_sign_in(rows: Mapping[str, Any], _others: _Documents) -> Iterable[Reason]:
    sign_in_policy(rows, ROLES)
    return ()


_CHECKS: dict[str, _Check] = {
    "billing": _check_billing,
    "calendar": _check_calendar,
    "clocks": _builds(clock_rules),
    "complaints": _builds(ComplaintPolicy.from_row),
    "escalation": _builds(EscalationPolicy.from_row),
    "gates": _check_gates,
    "ladder": _check_ladder,
    "late_fee": lambda rows, _others: late_fee_problems(LateFeePolicy.from_row(rows["late_fee"])),
    "backups": _builds(kept_backups),
    "privacy": _builds(erase_after_years),
    "messages": _builds(retry_waits),
    "public_form": _builds(PublicForm.from_row),
    "reports": _builds(report_mails),
    "severities": _builds(SeverityPolicy.from_row),
    "sign_in": _check_sign_in,
    "visits": _builds(VisitPolicy.from_row),
}
