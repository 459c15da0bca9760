"""Dunning runs: which reminders are due, which are held back and why, written in bulk (C1–C4, C12, C13).

A day is judged as itself, at its own hour, with what was paid and known before: any pattern of ticks gives
the same rows. Each question that can have few answers is asked of the rules once.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import Any, NamedTuple, Protocol

from sqlalchemy import Date, Table, bindparam, case, exists, func, insert, literal, select, update
from sqlalchemy.orm import Session

from models.billing import Invoice
from models.collection import LegalCase, Reminder, ReminderBatch, Restriction
from office.arrears import holds as arrears_holds
from office.arrears import reminder_batches
from office.arrears.debts import AsOf, Debt, Debtor, counted, owed
from office.core.bulk_insert import insert_rows, uncollected
from office.core.database import chunks
from office.core.jobs import JobResult
from office.policies import store
from rules import dunning, joint_notices, ladder
from rules.allocation import by_age
from rules.dunning import DayFacts, DunningCase
from rules.gates import NOTHING_TRIED
from rules.ladder import Ladder, Stage, Subject
from rules.reasons import Reason
from rules.working_time import OfficeCalendar

NOT_MADE = "not_made"
NEVER = (None, None)
RUNNING_RESTRICTIONS = ("requested", "approved", "in_effect", "suspended")
REQUEST = "restriction_request"  # the stage that asks for a restriction (contract: Ladder)


@dataclass(frozen=True)
class Day:
    """A day to judge: its moment, and the policies in force on it."""

    as_of: AsOf
    ladder: Ladder
    calendar: OfficeCalendar
    channels: frozenset[str]  # the electronic channels that the office has set up

    @property
    def on(self) -> date:
        return self.as_of.day

    @classmethod
    def of(cls, session: Session, at: datetime, changed: Ladder | None = None) -> Day:
        """The day of an instant; with `changed` as if that ladder held."""
        as_of = AsOf.of(session, at)
        return cls(
            as_of,
            changed or arrears_holds.stored_ladder(session, as_of.day),
            store.calendar(session, as_of.day),
            arrears_holds.available_channels(session),
        )


class LadderRow(NamedTuple):
    """A reminder to write: made, or not made and why; `debt` in yuan (C4)."""

    subject: Debt
    stage: Stage
    is_made: bool
    debt: Decimal
    channel: str
    reason: Reason

    @property
    def debtor(self) -> Debtor:
        return self.subject.unit_id, self.subject.payer_id

    @property
    def unit_id(self) -> int:
        return self.subject.unit_id

    @property
    def payer_id(self) -> int:
        return self.subject.payer_id


class DueStage(NamedTuple):
    """A debt whose next stage is due, before the rules say whether something holds it."""

    oldest: Debt
    state: DunningCase
    stage: Stage


def judge_day(session: Session, due_for: datetime) -> JobResult:
    """Judge the ladder at an instant and write what it brings; again adds nothing (C1–C4, C13)."""
    day = Day.of(session, due_for)
    with uncollected():
        rows = judge(session, day, StoredHistory(session))
        write(session, day, rows)
    made = sum(row.is_made for row in rows)
    return JobResult(done=made, result={"made": made, "not_made": len(rows) - made})


# --- deciding -------------------------------------------------------------------------------------


class LadderHistory(Protocol):
    """What was made before the day, and what is stored as not made."""

    def stages(self, day: Day, debts: Mapping[Debtor, Sequence[Debt]]) -> Mapping[int, str]:
        """The last stage made of each invoice, by its id; one that has none is missing."""
        ...

    def recent(self, day: Day) -> Mapping[Debtor, tuple[date | None, date | None]]:
        """Per debtor the last day of a stage after the due day, and of any stage, within the longest gap."""
        ...

    def unrecorded(self, rows: Sequence[LadderRow]) -> list[LadderRow]:
        """Those of the rows not made whose reason isn't stored yet: once per debt, stage and reason."""
        ...


def judge(session: Session, day: Day, past: LadderHistory) -> list[LadderRow]:
    """The rows of one day for all payers and units, not yet written."""
    debts = owed(session, day.as_of, until=lookahead(day.ladder, day.on))
    counts = counted(session, day.as_of, debts, day.ladder.counted_items)
    recent = past.recent(day)
    stages = past.stages(day, debts)
    reached = stages_up_to(day.ladder)
    rows: list[LadderRow] = []
    candidates: list[DueStage] = []
    small: list[LadderRow] = []
    due_stages, on = _DueStages(day), day.on
    least = max(day.ladder.tolerance, day.ladder.least_debt)
    for debtor, invoices in debts.items():
        last_on, taken_on = recent.get(debtor, NEVER)
        is_taken, notice = taken_on == on, None
        oldest: Debt | None = invoices[0]
        counting = counts.get(debtor, ())
        if (
            counts is not debts
            or len(invoices) > 1
            or invoices[0].due_on >= on
            or invoices[0].balance < least
        ):
            ahead = [one for one in invoices if one.due_on >= on] if not is_taken else ()
            notice = _notice(day, ahead, stages, reached) if ahead else None
            oldest = dunning.episode(day.ladder, counting, on)
        if notice is not None:
            rows.append(notice)
        if oldest is None:
            small += _below_tolerance(day, counting)
            continue
        due = due_stages.due(oldest, stages.get(oldest.id, ""), last_on, is_taken or notice is not None)
        if due is not None:
            candidates.append(DueStage(oldest, *due))
    held = _decide(session, day, debts, candidates)
    rows += [row for row in held if row.is_made]
    return rows + past.unrecorded([*small, *(row for row in held if not row.is_made)])


class _DueStages:
    """Finds the stage that is due for a debt; the rules are asked once for each distinct state."""

    def __init__(self, day: Day) -> None:
        self.day = day
        self.reached = stages_up_to(day.ladder)
        self.known: dict[tuple[object, ...], tuple[DunningCase, Stage] | None] = {}

    def due(
        self,
        oldest: Debt,
        last_stage: str,
        last_on: date | None,
        is_day_taken: bool,  # noqa: FBT001 -- asked for every debtor, and names cost
    ) -> tuple[DunningCase, Stage] | None:
        """The debt's state and the stage that is due; None when none is due yet or none is left."""
        key = (oldest.due_on, last_stage, last_on, oldest.is_in_kept_plan, is_day_taken)
        if key not in self.known:
            state = DunningCase(
                due_on=oldest.due_on,
                made=self.reached[last_stage],
                last_on=last_on,
                is_plan_kept=oldest.is_in_kept_plan,
                is_day_taken=is_day_taken,
            )
            self.known[key] = self._asked(state)
        return self.known[key]

    def _asked(self, state: DunningCase) -> tuple[DunningCase, Stage] | None:
        stage = dunning.following(self.day.ladder, state.made, self.day.on)
        if stage is None:
            return None
        own_day = dunning.planned_on(stage, self.day.calendar, state, self.day.on)
        return (state, stage) if own_day <= self.day.on else None


def lookahead(chain: Ladder, day: date) -> date:
    """The latest due day of an invoice that may get a notice on this day."""
    lead = 0
    for stage in chain.stages_on(day, Subject.INVOICE):
        by_month = stage.trigger == ladder.Trigger.DAY_OF_MONTH
        lead = max(lead, 31 if by_month else -stage.trigger_number)
    return day + timedelta(days=lead)


@lru_cache(maxsize=16)
def stages_up_to(chain: Ladder) -> Mapping[str, tuple[str, ...]]:
    """For each stage code, the stages up to and including it; for "" none."""
    found: dict[str, tuple[str, ...]] = {"": ()}
    for stage in chain.stages:
        found[stage.code] = tuple(one.code for one in chain.stages if one.order <= stage.order)
    return found


def gap_days(chain: Ladder) -> int:
    """How many days back a stage may still hold up the next one."""
    return max((stage.least_gap_days for stage in chain.stages), default=1)


def notices(chain: Ladder) -> frozenset[str]:
    """The stages that belong to an invoice by itself."""
    return frozenset(stage.code for stage in chain.stages if stage.subject == Subject.INVOICE)


@dataclass(frozen=True)
class StoredHistory:
    """The history as it is stored."""

    session: Session

    def stages(self, day: Day, debts: Mapping[Debtor, Sequence[Debt]]) -> Mapping[int, str]:
        """Every invoice carries its last stage; one that the ladder no longer has counts by its history."""
        found = {debt.id: debt.stage for invoices in debts.values() for debt in invoices if debt.stage}
        known = stages_up_to(day.ladder)
        for code in set(found.values()) - set(known):
            instead = self._instead_of(code, day.ladder)
            found |= {key: instead for key, stage in found.items() if stage == code}
        return found

    def _instead_of(self, code: str, chain: Ladder) -> str:
        before = self.session.scalars(
            select(Reminder.stage)
            .distinct()
            .where(
                Reminder.state != NOT_MADE,
                Reminder.subject_id.in_(select(Reminder.subject_id).where(Reminder.stage == code)),
            )
        ).all()
        orders = {stage.code: stage.order for stage in chain.stages if stage.code in before}
        return max(orders, key=lambda one: orders[one], default="")

    def recent(self, day: Day) -> Mapping[Debtor, tuple[date | None, date | None]]:
        rows = self.session.execute(
            select(
                Reminder.unit_id,
                Reminder.payer_id,
                func.max(case((Reminder.stage.not_in(notices(day.ladder)), Reminder.planned_on))),
                func.max(Reminder.planned_on),
            )
            .where(
                Reminder.planned_on > day.on - timedelta(days=gap_days(day.ladder)),
                Reminder.planned_on <= day.on,
                Reminder.state != NOT_MADE,
            )
            .group_by(Reminder.unit_id, Reminder.payer_id)
        )
        return {(unit_id, payer_id): (last_on, taken_on) for unit_id, payer_id, last_on, taken_on in rows}

    def unrecorded(self, rows: Sequence[LadderRow]) -> list[LadderRow]:
        recorded: set[tuple[int, str, str]] = set()
        for chunk in chunks({row.subject.id for row in rows}):
            stored = self.session.execute(
                select(Reminder.subject_id, Reminder.stage, Reminder.reason_code).where(
                    Reminder.subject_id.in_(chunk), Reminder.state == NOT_MADE
                )
            )
            recorded.update((subject_id, stage, code) for subject_id, stage, code in stored)
        return not_among(recorded, rows)


def not_among(recorded: Collection[tuple[int, str, str]], rows: Sequence[LadderRow]) -> list[LadderRow]:
    """The rows whose (invoice, stage, reason) isn't recorded yet; a small debt counts whatever the stage."""
    small = {subject_id for subject_id, _, code in recorded if code == "below_tolerance"}
    return [
        row
        for row in rows
        if (row.subject.id, row.stage.code, row.reason.code) not in recorded
        and not (row.reason.code == "below_tolerance" and row.subject.id in small)
    ]


def _notice(
    day: Day,
    invoices: Iterable[Debt],
    stages: Mapping[int, str],
    reached: Mapping[str, tuple[str, ...]],
) -> LadderRow | None:
    """Today's notice for the oldest invoice not past due that gets one; at most one a day for a debtor."""
    for debt in by_age(invoices):
        if debt.balance < day.ladder.tolerance or debt.is_in_kept_plan:
            continue
        made = reached[stages.get(debt.id, "")]
        stage = dunning.notice_stage(day.ladder, day.calendar, day.on, debt.due_on, made)
        if stage is not None:
            reason = Reason("notice_due", {"stage": stage.code, "trigger_on": stage.trigger_on(debt.due_on)})
            return LadderRow(debt, stage, is_made=True, debt=debt.balance, channel="", reason=reason)
    return None


def _below_tolerance(day: Day, invoices: Sequence[Debt]) -> list[LadderRow]:
    late = dunning.past_due(invoices, day.on)
    stages = day.ladder.stages_on(day.on, Subject.EPISODE)
    if not late or not stages:
        return []
    amount = dunning.debt(invoices, day.on)
    is_little = late[0].balance >= day.ladder.tolerance  # each would count, but not all of it together
    inputs = (amount, day.ladder.least_debt) if is_little else (late[0].balance, day.ladder.tolerance)
    reason = Reason("below_tolerance", dict(zip(("open", "tolerance"), inputs, strict=True)))
    return [LadderRow(late[0], stages[0], is_made=False, debt=amount, channel="", reason=reason)]


def _decide(
    session: Session,
    day: Day,
    debts: Mapping[Debtor, Sequence[Debt]],
    candidates: Sequence[DueStage],
) -> list[LadderRow]:
    """For each stage that is due: made, or not made and why."""
    holds = arrears_holds.holds_at(session, day.as_of) if candidates else arrears_holds.Holds()
    gated = {_debtor(one.oldest): one.oldest.due_on for one in candidates if one.stage.gate}
    tries = arrears_holds.attempts_since(session, day.as_of, gated) if gated else {}
    letters = arrears_holds.letter_stages(day.ladder)
    channels_of = _reachable(session, day, candidates)
    answers: dict[tuple[object, ...], tuple[bool, str, Reason]] = {}
    rows = []
    for oldest, state, stage in candidates:
        debtor = (oldest.unit_id, oldest.payer_id)
        legal = tries[debtor].legal(letters) if debtor in tries else None
        channels = channels_of.get(debtor[1], arrears_holds.ALWAYS_REACH)
        # one state is one object here, so its identity stands for it
        key = (id(state), holds.of(debtor), channels, legal)
        if key not in answers:
            facts = arrears_holds.day_facts(debtor, day.as_of, holds, channels, legal or NOTHING_TRIED)
            answers[key] = _answer(day, state, stage, facts)
        is_made, channel, reason = answers[key]
        owes = debts[debtor]
        amount = owes[0].balance if len(owes) == 1 else dunning.debt(owes, day.on)
        rows.append(LadderRow(oldest, stage, is_made, amount, channel, reason))
    return rows


def _answer(day: Day, state: DunningCase, stage: Stage, facts: DayFacts) -> tuple[bool, str, Reason]:
    decision = dunning.next_stage(day.ladder, day.calendar, state, facts)
    is_made = decision.outcome == dunning.DunningOutcome.MADE
    channel = dunning.channel(stage, facts.reachable) if is_made else ""
    return is_made, channel or "", decision.reason


def _debtor(debt: Debt) -> Debtor:
    return debt.unit_id, debt.payer_id


def _reachable(session: Session, day: Day, candidates: Iterable[DueStage]) -> dict[int, frozenset[str]]:
    """The channels by which payers can be reached, loaded only for stages that depend on the payer."""
    stages = {one.stage.code: one.stage for one in candidates}
    asked = {code for code, stage in stages.items() if arrears_holds.depends_on_payer(stage, day.channels)}
    if not asked:
        return {}
    payers = {one.oldest.payer_id for one in candidates if one.stage.code in asked}
    return arrears_holds.reachable(session, payers, day.channels)


# --- writing --------------------------------------------------------------------------------------


def write(session: Session, day: Day, rows: Sequence[LadderRow]) -> None:
    """Write the day's rows: reminders in their batches, stages of invoices, requests, cases, messages."""
    by_stage: dict[str, list[LadderRow]] = defaultdict(list)
    made = [row for row in rows if row.is_made]
    with_them: dict[int, tuple[LadderRow, ...]] = {}  # by the bill of the one that picks the paper
    if day.ladder.is_one_notice_per_payer:
        groups = joint_notices.joined(made)
        made = [first for first, *_others in groups]
        with_them = {first.subject.id: tuple(others) for first, *others in groups if others}
    for row in made:
        by_stage[row.stage.code].append(row)
    _insert(session, day, [row for row in rows if not row.is_made], None, NOT_MADE)
    for code, first in by_stage.items():
        stage = day.ladder.stage(code)
        for batch_id, part in _new_batches(session, day, stage, _with_channels(session, day, stage, first)):
            state = "planned" if needs_approval(stage) else "approved"
            others = [(row, with_them[row.subject.id]) for row in part if row.subject.id in with_them]
            joined = [one._replace(channel=row.channel) for row, their in others for one in their]
            _insert(session, day, [*part, *joined], batch_id, state)
            _join(session, batch_id, others)
            for each in {code, *(one.stage.code for one in joined)}:
                _set_stage(session, batch_id, each)
            _execute_stage(session, day, stage, batch_id)
    session.expire_all()


def _set_stage(session: Session, batch_id: int, code: str) -> None:
    """The stage of the bills that a batch's reminders of a stage are about."""
    subjects = select(Reminder.subject_id).where(Reminder.batch_id == batch_id, Reminder.stage == code)
    session.execute(
        update(Invoice)
        .where(Invoice.id.in_(subjects))
        .values(stage=code)
        .execution_options(synchronize_session=False)
    )


def _join(session: Session, batch_id: int, others: Sequence[tuple[LadderRow, Sequence[LadderRow]]]) -> None:
    """Note with which reminder of the batch others of the same payer go out (C19)."""
    if not others:
        return
    ids: dict[int, int] = dict(
        session.execute(select(Reminder.subject_id, Reminder.id).where(Reminder.batch_id == batch_id)).all()
    )
    table = Reminder.__table__
    assert isinstance(table, Table)
    session.connection().execute(
        table.update().where(table.c.id == bindparam("of")).values(joined_id=bindparam("lead")),
        [
            {"of": ids[one.subject.id], "lead": ids[first.subject.id]}
            for first, their in others
            for one in their
            if one.subject.id in ids and first.subject.id in ids
        ],
    )


def needs_approval(stage: Stage) -> bool:
    """Automatic stages go out by themselves unless the policy row asks for approval (contract: Ladder)."""
    return not stage.is_automatic or bool(stage.approved_by)


def _with_channels(session: Session, day: Day, stage: Stage, rows: list[LadderRow]) -> list[LadderRow]:
    """The rows with the channels of notices, which are found only when there are notices to write."""
    if stage.subject != Subject.INVOICE:
        return rows
    channels_of: dict[int, frozenset[str]] = {}
    if arrears_holds.depends_on_payer(stage, day.channels):
        channels_of = arrears_holds.reachable(session, {row.subject.payer_id for row in rows}, day.channels)
    return [
        LadderRow(row.subject, stage, row.is_made, row.debt, channel, row.reason)
        for row in rows
        for channel in [
            dunning.channel(stage, channels_of.get(row.subject.payer_id, arrears_holds.ALWAYS_REACH)) or ""
        ]
    ]


def _new_batches(
    session: Session, day: Day, stage: Stage, rows: Sequence[LadderRow]
) -> list[tuple[int, tuple[LadderRow, ...]]]:
    """A batch for each part of the rows, as large as the policy lets one be (C3, C4)."""
    earlier = session.scalar(
        select(func.max(ReminderBatch.part)).where(
            ReminderBatch.stage == stage.code, ReminderBatch.made_for == day.on
        )
    )
    is_open = needs_approval(stage)
    made = []
    for part, members in enumerate(dunning.batches(rows, stage.batch_size), start=(earlier or 0) + 1):
        batch = ReminderBatch(
            number=f"{stage.code}-{day.on:%Y%m%d}" + (f"-{part}" if part > 1 else ""),
            stage=stage.code,
            made_for=day.on,
            part=part,
            made_at=day.as_of.at,
            state="draft" if is_open else "approved",
            approved_at=None if is_open else day.as_of.at,
        )
        session.add(batch)
        session.flush()
        made.append((batch.id, members))
    return made


ROW_COLUMNS = (
    "subject_id",
    "unit_id",
    "payer_id",
    "debt",
    "due_on",
    "stage",
    "channel",
    "reason_code",
    "reason",
    "why",
)


def _insert(session: Session, day: Day, rows: Iterable[LadderRow], batch_id: int | None, state: str) -> None:
    """Insert reminders in bulk; rows that a unique index already has are skipped."""
    texts: dict[int, str] = {}  # many rows share one reason

    def values(row: LadderRow) -> tuple[Any, ...]:
        subject, stage, is_made, debt, channel, reason = row
        text = texts.get(id(reason)) or texts.setdefault(id(reason), reason.to_json())
        whose = (subject.id, subject.unit_id, subject.payer_id, debt, subject.due_on, stage.code, channel)
        return (*whose, "", "", text) if is_made else (*whose, reason.code, text, "")

    table = Reminder.__table__
    assert isinstance(table, Table)
    constants = {"batch_id": batch_id, "planned_on": day.on, "state": state, "row_version": 1}
    insert_rows(session, table, ROW_COLUMNS, map(values, rows), constants)


def _execute_stage(session: Session, day: Day, stage: Stage, batch_id: int) -> None:
    """Do what a stage asks for besides its reminder: a restriction request, a legal case, messages."""
    if stage.code == REQUEST:
        _request_restrictions(session, day, batch_id)
    elif stage.gate == "legal":
        _open_cases(session, day, batch_id)
    if not needs_approval(stage):
        reminder_batches.send_out(session, batch_id, now=day.as_of.at)


def _request_restrictions(session: Session, day: Day, batch_id: int) -> None:
    """A request per debtor that has none running; people choose the service and approve (C9)."""
    running = exists().where(
        Restriction.unit_id == Reminder.unit_id,
        Restriction.payer_id == Reminder.payer_id,
        Restriction.state.in_(RUNNING_RESTRICTIONS),
    )
    made = select(
        Reminder.unit_id,
        Reminder.payer_id,
        Reminder.subject_id,
        literal("requested"),
        literal(day.on, type_=Date()),
        literal(1),
    ).where(Reminder.batch_id == batch_id, ~running)
    columns = ["unit_id", "payer_id", "invoice_id", "state", "requested_on", "row_version"]
    session.execute(insert(Restriction).from_select(columns, made, include_defaults=False))


def _open_cases(session: Session, day: Day, batch_id: int) -> None:
    """A legal case per debtor that has none open, in preparation until its letter goes (C10)."""
    running = exists().where(
        LegalCase.unit_id == Reminder.unit_id,
        LegalCase.payer_id == Reminder.payer_id,
        LegalCase.closed_on.is_(None),
    )
    made = select(
        Reminder.unit_id,
        Reminder.payer_id,
        Reminder.subject_id,
        literal("preparing"),
        literal(day.on, type_=Date()),
        Reminder.debt,
        literal(1),
    ).where(Reminder.batch_id == batch_id, ~running)
    columns = ["unit_id", "payer_id", "invoice_id", "state", "opened_on", "amount", "row_version"]
    session.execute(insert(LegalCase).from_select(columns, made, include_defaults=False))
