"""Legal cases: opened behind their gate, moved from state to state (C10)."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models.collection import LegalCase
from office.arrears import holds
from office.arrears.debts import AsOf, Debtor, owed, total
from office.core.audit import record
from office.core.errors import N_, Refused
from rules.dunning import past_due
from rules.gates import legal_missing
from rules.legal_cases import ENDED, batch_part, may_follow, needs_result

QUESTIONS = ("debt", "months_in_arrears", "attempt_methods", "delivered_letter")


def missing(session: Session, debtor: Debtor, *, at: datetime) -> tuple[str, ...]:
    """What the legal gate still misses for a payer and unit; `debt` when nothing is past due (C10)."""
    as_of = AsOf.of(session, at)
    debts = past_due(owed(session, as_of, until=as_of.day, units=[debtor[0]]).get(debtor, []), as_of.day)
    if not debts:
        return ("debt",)
    chain = holds.stored_ladder(session, as_of.day)
    known = holds.attempts_since(session, as_of, {debtor: debts[0].due_on})[debtor]
    facts = known.legal(holds.letter_stages(chain))
    return legal_missing(chain.legal_gate, facts, debts[0].due_on, as_of.day)


def open_case(session: Session, debtor: Debtor, *, now: datetime, staff_id: int | None) -> LegalCase:
    """Open a case. Raises Refused with what the gate misses, or when one is open."""
    lacking = missing(session, debtor, at=now)
    if lacking:
        raise Refused(N_("The gate is not passed yet: %(missing)s"), missing=", ".join(lacking))
    running = select(LegalCase.id).where(
        LegalCase.unit_id == debtor[0], LegalCase.payer_id == debtor[1], LegalCase.closed_on.is_(None)
    )
    if session.scalar(running.limit(1)) is not None:
        raise Refused(N_("There is an open case for this debt"))
    as_of = AsOf.of(session, now)
    debts = past_due(owed(session, as_of, until=as_of.day, units=[debtor[0]]).get(debtor, []), as_of.day)
    case = LegalCase(
        unit_id=debtor[0],
        payer_id=debtor[1],
        invoice_id=debts[0].id,
        opened_on=as_of.day,
        amount=total(debts),
    )
    session.add(case)
    session.flush()
    record(session, now, staff_id, "open", case, {"amount": case.amount})
    return case


def move_case(
    session: Session,
    case_id: int,
    state: str,
    *,
    now: datetime,
    staff_id: int | None,
    result: str = "",
    recovered: Decimal | None = None,
) -> LegalCase:
    """The next step of a case: letter, filing, mediation, judgement, end. Raises Refused for a jump.

    Before the letter the gate is asked again; an end needs its result.
    """
    case = session.get(LegalCase, case_id, populate_existing=True)
    if case is None or not may_follow(case.state, state):
        raise Refused(N_("The case can't go there from its present state"))
    if state == "letter_sent":
        lacking = missing(session, (case.unit_id, case.payer_id), at=now)
        case.missing = " ".join(lacking)
        if lacking:
            raise Refused(N_("The gate is not passed yet: %(missing)s"), missing=", ".join(lacking))
    if needs_result(state) and not result.strip():
        raise Refused(N_("An end needs its result"))
    before, case.state = case.state, state
    case.result = result.strip() or case.result
    if recovered is not None:
        case.recovered = recovered
    day = AsOf.of(session, now).day
    if state == "letter_sent":
        case.letter_batch = _batch_name(session, LegalCase.letter_batch, "letter", day, now)
    elif state == "filed":
        case.filing_batch = _batch_name(session, LegalCase.filing_batch, "filing", day, now)
    elif state in ENDED:
        case.closed_on = day
    session.flush()
    record(session, now, staff_id, "move", case, {"state": (before, state), "result": case.result})
    return case


def _batch_name(session: Session, column: Any, kind: str, day: date, now: datetime) -> str:
    """The day's batch that has room: lawyer's letters and filings go in batches (C3)."""
    chain = holds.stored_ladder(session, AsOf.of(session, now).day)
    code = "lawyer_letter" if kind == "letter" else "court"
    stage = chain.find(code)
    size = stage.batch_size if stage is not None else 0
    name = f"{kind}-{day:%Y%m%d}"
    count = session.scalar(select(func.count()).where(column.like(f"{name}%"))) or 0
    return f"{name}-{batch_part(count, size)}"
