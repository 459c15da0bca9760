"""What a changed policy would have done in a month, without doing it (C12, §9): here, the ladder."""

from __future__ import annotations

import json
import tomllib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models.collection import Reminder
from models.people import Owner
from models.property import Unit
from office.arrears import holds
from office.arrears.debts import Debt, Debtor
from office.arrears.dunning import NOT_MADE, Day, LadderRow, gap_days, judge, not_among, notices
from office.core import clock
from office.core.database import chunks
from office.core.errors import N_, Refused
from office.policies import documents, store
from office.whatif import policies as whatif_policies
from rules.calendar_months import months_later
from rules.gates import Gates
from rules.ladder import Ladder, LadderDocument

DIFFERENCES = 200  # as many as a reader looks through; the counts are complete


def read_policy(file: Path) -> dict[str, Any]:
    """A policy document from TOML or JSON. Raises Refused when it is neither."""
    try:
        text = file.read_text(encoding="utf-8")
        found = json.loads(text) if file.suffix == ".json" else tomllib.loads(text)
    except (OSError, ValueError) as wrong:
        raise Refused(N_("%(file)s can't be read: %(why)s"), file=file.name, why=str(wrong)) from wrong
    if not isinstance(found, dict):
        raise Refused(N_("%(file)s is no policy"), file=file.name)
    return found


@dataclass
class SimulatedHistory:
    """The stored history before the month, continued in memory by what the changed ladder does."""

    stage_of: dict[int, str]
    last: dict[Debtor, tuple[date | None, date | None]]
    recorded: set[tuple[int, str, str]]
    rows: list[tuple[date, LadderRow]] = field(default_factory=list)

    def stages(self, day: Day, debts: Mapping[Debtor, Sequence[Debt]]) -> Mapping[int, str]:
        """Stages that the changed ladder no longer has count as not reached."""
        known = {stage.code for stage in day.ladder.stages}
        return {
            debt.id: self.stage_of[debt.id]
            for invoices in debts.values()
            for debt in invoices
            if self.stage_of.get(debt.id) in known
        }

    def recent(self, day: Day) -> Mapping[Debtor, tuple[date | None, date | None]]:
        """As the month has brought it so far."""
        del day
        return self.last

    def unrecorded(self, rows: Sequence[LadderRow]) -> list[LadderRow]:
        """Those whose reason neither the tables nor the month know."""
        return not_among(self.recorded, rows)

    def add(self, day: Day, rows: Sequence[LadderRow]) -> None:
        """What a day brought."""
        alone = notices(day.ladder)
        for row in rows:
            self.rows.append((day.on, row))
            if not row.is_made:
                self.recorded.add((row.subject.id, row.stage.code, row.reason.code))
                continue
            self.stage_of[row.subject.id] = row.stage.code
            last_on, _ = self.last.get(row.debtor, (None, None))
            self.last[row.debtor] = (last_on if row.stage.code in alone else day.on, day.on)


def simulate(session: Session, period: str, rows: Mapping[str, Any], *, now: datetime) -> dict[str, Any]:
    """A month (`YYYY-MM`) under a changed policy beside what happened.

    `ladder` and `gates` say which reminders would differ, `clocks` and `calendar` which deadlines, `late_fee`
    which fees, `[[target]]` which distances. Raises Refused for a month that has not begun, another policy,
    or one that could not be saved.
    """
    first = _first_day(period)
    zone = clock.zone(session)
    last = min(months_later(first, 1) - timedelta(days=1), now.astimezone(zone).date())
    if first > last:
        raise Refused(N_("%(period)s has not begun"), period=period)
    if not {"stage", "legal"} & rows.keys():
        return whatif_policies.tried(session, rows, whatif_policies.Span(period, first, last, now))
    policy, changed = _changed(session, rows, last)
    past = _before(session, first, changed)
    day = first
    while day <= last:
        at = datetime.combine(day, changed.judged_at, zone)
        if at <= now:
            judged = Day.of(session, at, changed)
            past.add(judged, judge(session, judged, past))
        day += timedelta(days=1)
    return _compared(session, period, policy, first, last, past)


def _first_day(period: str) -> date:
    try:
        return datetime.strptime(period, "%Y-%m").date()  # noqa: DTZ007 -- a month has no zone
    except ValueError as wrong:
        raise Refused(N_("%(period)s is no period: write YYYY-MM"), period=period) from wrong


def _changed(session: Session, rows: Mapping[str, Any], on: date) -> tuple[str, Ladder]:
    """Which policy the document is, and the ladder with it."""
    others = {name: store.document(session, name, on) for name in ("ladder", "gates", "billing")}
    policy = "ladder" if "stage" in rows else "gates"
    if found := store.problems(session, policy, rows, others):
        raise documents.PolicyRefused(found)
    both = others | {policy: dict(rows)}
    gates = documents.typed(Gates, both["gates"])
    return policy, documents.typed(LadderDocument, both["ladder"]).ladder(gates)


def _before(session: Session, first: date, changed: Ladder) -> SimulatedHistory:
    """What the tables say of the time before the month."""
    stored = holds.stored_ladder(session, first)
    order = {stage.code: stage.order for stage in stored.stages}
    stage_of: dict[int, str] = {}
    made = session.execute(
        select(Reminder.subject_id, Reminder.stage).where(
            Reminder.planned_on < first, Reminder.state != NOT_MADE
        )
    )
    for subject_id, stage in made:
        if order.get(stage, 0) > order.get(stage_of.get(subject_id, ""), -1):
            stage_of[subject_id] = stage
    recent = session.execute(
        select(Reminder.unit_id, Reminder.payer_id, func.max(Reminder.planned_on))
        .where(
            Reminder.planned_on < first,
            Reminder.planned_on >= first - timedelta(days=gap_days(changed)),
            Reminder.state != NOT_MADE,
            Reminder.stage.not_in(notices(stored)),
        )
        .group_by(Reminder.unit_id, Reminder.payer_id)
    )
    recorded = session.execute(
        select(Reminder.subject_id, Reminder.stage, Reminder.reason_code).where(
            Reminder.planned_on < first, Reminder.state == NOT_MADE
        )
    )
    return SimulatedHistory(
        stage_of,
        {(unit_id, payer_id): (last_on, None) for unit_id, payer_id, last_on in recent},
        {(subject_id, stage, code) for subject_id, stage, code in recorded},
    )


Key = tuple[int, int, int, str, bool]  # unit, payer, invoice, stage, whether it was made


def _compared(
    session: Session, period: str, policy: str, first: date, last: date, past: SimulatedHistory
) -> dict[str, Any]:
    real = session.execute(
        select(
            Reminder.unit_id,
            Reminder.payer_id,
            Reminder.subject_id,
            Reminder.stage,
            Reminder.state,
            Reminder.planned_on,
        ).where(Reminder.planned_on >= first, Reminder.planned_on <= last)
    )
    was: dict[Key, date] = {}
    for unit_id, payer_id, subject_id, stage, state, planned_on in real:
        was[unit_id, payer_id, subject_id, stage, state != NOT_MADE] = planned_on
    would: dict[Key, date] = {
        (*row.debtor, row.subject.id, row.stage.code, row.is_made): on for on, row in past.rows
    }
    changes = sorted(key for key in was.keys() | would.keys() if was.get(key) != would.get(key))
    names = _names(session, changes[:DIFFERENCES])
    return {
        "period": period,
        "policy": policy,
        "from": first.isoformat(),
        "to": last.isoformat(),
        "actual": _counts(was),
        "simulated": _counts(would),
        "changed": len(changes),
        "changes": [
            {
                "unit_code": names[key[0], key[1]][0],
                "payer_name": names[key[0], key[1]][1],
                "stage": key[3],
                "is_made": key[4],
                "actual_on": was[key].isoformat() if key in was else None,
                "simulated_on": would[key].isoformat() if key in would else None,
            }
            for key in changes[:DIFFERENCES]
        ],
    }


def _counts(rows: Mapping[Key, date]) -> dict[str, dict[str, int]]:
    made = Counter(key[3] for key in rows if key[4])
    left_out = Counter(key[3] for key in rows if not key[4])
    return {stage: {"made": made[stage], "not_made": left_out[stage]} for stage in sorted(made | left_out)}


def _names(session: Session, keys: Sequence[Key]) -> dict[Debtor, tuple[str, str]]:
    units: dict[int, str] = {}
    payers: dict[int, str] = {}
    for chunk in chunks({key[0] for key in keys}):
        units |= {
            row.id: row.code for row in session.execute(select(Unit.id, Unit.code).where(Unit.id.in_(chunk)))
        }
    for chunk in chunks({key[1] for key in keys}):
        payers |= {
            row.id: row.name
            for row in session.execute(select(Owner.id, Owner.name).where(Owner.id.in_(chunk)))
        }
    return {(key[0], key[1]): (units[key[0]], payers[key[1]]) for key in keys}
