"""The complaint policies in force on each day; all versions are read at the first question (§9)."""

from __future__ import annotations

import json
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, fields, replace
from datetime import date, datetime
from functools import cached_property
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.policies import PolicyVersion
from models.property import CalendarDay, Estate
from office.core.errors import N_, Refused
from office.policies import documents
from rules.deadlines import ClockPolicy, ClockRule, EscalationPolicy, reopened_rules, turns_major_at
from rules.lifecycle import ComplaintPolicy
from rules.severity import SeverityPolicy
from rules.visits import VisitPolicy
from rules.working_time import OfficeCalendar


@dataclass(frozen=True)
class PoliciesInForce:
    """The complaint policies of one day (T3–T9, V1–V3)."""

    calendar: OfficeCalendar
    clocks: tuple[ClockRule, ...]
    escalation: EscalationPolicy
    severities: SeverityPolicy
    lifecycle: ComplaintPolicy
    visits: VisitPolicy

    @cached_property
    def most_severe(self) -> str:
        """The severity of the highest rank."""
        return max(self.severities.level, key=lambda level: level.rank).code

    def level_of(self, severity: str) -> int:
        """The level of a ticket none of whose clocks is late: one below the first level of its clocks."""
        return self.escalation.level_at_start(severity) - 1

    def turns_major_at(
        self, registered_at: datetime, severity: str, solved: Sequence[tuple[datetime, datetime | None]] = ()
    ) -> datetime | None:
        """When a ticket that nobody solves turns major; None when it is major or never does (T8)."""
        if severity == self.most_severe:
            return None
        return turns_major_at(self.calendar, self.lifecycle.months_until_major, registered_at, solved)

    def clock_rule(self, code: str) -> ClockRule | None:
        """The rule of this code, also one that reopened tickets have without a row of their own (T20)."""
        known = (*self.clocks, *reopened_rules(self.clocks))
        return next((rule for rule in known if rule.code == code), None)


_POLICIES = ("calendar", "clocks", "escalation", "severities", "complaints", "visits")
"""In the order of the fields of PoliciesInForce."""


class PolicyTimeline:
    """All versions of the complaint policies; `at` gives those in force on an instant's office day."""

    def __init__(
        self,
        session: Session,
        *,
        as_if: Mapping[str, tuple[date, Mapping[str, Any]]] | None = None,
        own_days: Mapping[date, bool | None] | None = None,
    ) -> None:
        """Build from the stored policies and, for previews, from unsaved ones.

        `as_if` maps a policy to its unsaved document and the day from which it holds; `own_days` says of
        days whether they are worked, None = as published.
        """
        self._session = session
        self._as_if = as_if or {}
        self._tried_days = own_days or {}
        self._days: dict[date, PoliciesInForce] = {}
        self._built: dict[tuple[str, int], Any] = {}

    @cached_property
    def zone(self) -> ZoneInfo:
        """The estate's time zone (P1)."""
        return ZoneInfo(self._session.execute(select(Estate.time_zone)).scalar_one())

    @cached_property
    def _versions(self) -> dict[str, list[tuple[date, str]]]:
        rows = self._session.execute(
            select(PolicyVersion.policy, PolicyVersion.valid_from, PolicyVersion.rows)
            .where(PolicyVersion.policy.in_(_POLICIES))
            .order_by(PolicyVersion.policy, PolicyVersion.valid_from, PolicyVersion.revision)
        )
        versions: dict[str, list[tuple[date, str]]] = {}
        for policy, valid_from, document in rows:
            versions.setdefault(policy, []).append((valid_from, document))
        for policy, (valid_from, tried) in self._as_if.items():
            held = versions.setdefault(policy, [])
            place = bisect_right(held, valid_from, key=lambda version: version[0])
            held.insert(place, (valid_from, json.dumps(tried, default=str)))
        return versions

    @cached_property
    def _own_days(self) -> dict[date, bool]:
        rows = self._session.execute(select(CalendarDay.day, CalendarDay.is_working))
        days: dict[date, bool | None] = dict(iter(rows))
        days.update(self._tried_days)
        return {day: is_working for day, is_working in days.items() if is_working is not None}

    def at(self, instant: datetime) -> PoliciesInForce:
        """The policies in force at an instant. Raises Refused when the office has none."""
        return self.on(instant.astimezone(self.zone).date())

    def on(self, day: date) -> PoliciesInForce:
        """The policies in force on an office day. Raises Refused when the office has none."""
        if day not in self._days:
            found = PoliciesInForce(*(self._in_force(policy, day) for policy in _POLICIES))
            self._days[day] = self._shared(found)
        return self._days[day]

    def _shared(self, found: PoliciesInForce) -> PoliciesInForce:
        """One object for all days on which the same versions hold, so that days compare by identity."""
        for known in self._days.values():
            if all(getattr(known, each.name) is getattr(found, each.name) for each in fields(found)):
                return known
        return found

    def _in_force(self, policy: str, day: date) -> Any:
        versions = self._versions.get(policy, [])
        number = bisect_right(versions, day, key=lambda version: version[0]) - 1
        if number < 0:
            raise Refused(N_("There is no policy %(policy)s: run the set-up again"), policy=policy)
        if (policy, number) not in self._built:
            value = self._readable(policy, [text for _, text in versions[number:]])
            if isinstance(value, OfficeCalendar):
                overrides = {**value.overrides, **self._own_days}
                value = replace(value, zone=self.zone.key, overrides=overrides)
            self._built[policy, number] = value.rule if isinstance(value, ClockPolicy) else value
        return self._built[policy, number]

    @staticmethod
    def _readable(policy: str, versions: Sequence[str]) -> Any:
        """The first version, or the next readable one that corrected it. Raises PolicyUnreadable."""
        kind = documents.TYPES[policy]
        for text in versions[:-1]:
            with suppress(documents.PolicyUnreadable):
                return documents.stored(kind, text)
        return documents.stored(kind, versions[-1])
