"""Bills of a period taken back before they have left the house, by two people (B21).

Each bill gets a credit note over all that it asks for; its slips and its shares of pools wait for the next
run, which issues the bill again. What has left the house stays and is listed with the reason.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import ColumnElement, Text, and_, exists, func, literal, or_, select, update
from sqlalchemy import cast as as_type
from sqlalchemy.orm import Session

from models.billing import BillingRun, LateFeeWaiver, PlanInvoice
from models.collection import LegalCase, Reminder, Restriction
from models.office import Paper, paper_base_number
from models.payments import DirectDebit
from models.take_backs import TakeBack, TakenBill
from office.billing import runs
from office.billing.invoices import SERIES, NewCreditNote, write_credit_note
from office.billing.meter_months import READING
from office.billing.period_rows import SLIP, UNIT
from office.billing.pool_shares import POOL, SHARE
from office.billing.pools import scope_of
from office.billing.working_tables import AHEAD
from office.core import audit, clock
from office.core.database import chunks
from office.core.errors import N_, Refused
from office.core.integrity import Finding
from office.core.staff import refuse_same_person, roles_of
from office.payments.payments import refuse_closed
from office.receivables import ledger
from office.receivables.ledger import ALLOCATION, INVOICE, PAYMENT
from rules import taking_back as rule
from rules.billing import Period
from rules.money import ZERO, yuan
from rules.pools import PoolScope
from rules.reasons import Reason
from rules.roles import may_take_back
from rules.taking_back import IssuedBill

LEFT_THE_HOUSE = ("sending", "sent", "unknown", "printed", "done")  # states of a reminder
NOTICE = "payment_notice"


@dataclass(frozen=True)
class Choice:
    """Which bills of a period: of the units that a scope names and, where said, of one kind of unit."""

    period: str
    scope: PoolScope = PoolScope.ESTATE
    scope_value: str = ""
    unit_kind: str = ""


@dataclass(frozen=True)
class StayingBill:
    """A bill that can't be taken back, and why."""

    number: str
    unit_code: str
    reason: Reason

    def to_dict(self) -> dict[str, str]:
        return {
            "number": self.number,
            "unit_code": self.unit_code,
            "reason": self.reason.code,
            "detail": str(self.reason),
        }


@dataclass(frozen=True)
class Found:
    """The bills of a choice: what would be taken back, in yuan, and what stays."""

    period: str
    ids: tuple[int, ...]
    amount: Decimal
    staying: tuple[StayingBill, ...]

    @property
    def bills(self) -> int:
        """How many would be taken back."""
        return len(self.ids)

    def to_dict(self) -> dict[str, Any]:
        return {
            "period": self.period,
            "bills": self.bills,
            "amount": yuan(self.amount),
            "left_out": [one.to_dict() for one in self.staying],
        }


def preview(session: Session, choice: Choice) -> Found:
    """What taking back would take and what would stay; nothing is written. Raises Refused."""
    period = runs.parse_period(choice.period)
    conditions = _of_choice(session, choice, period)
    rows = session.execute(
        select(*INVOICE.c["id", "unit_id", "number", "amount"], UNIT.c.code)
        .join(UNIT, UNIT.c.id == INVOICE.c.unit_id)
        .where(*conditions)
        .order_by(INVOICE.c.id)
    ).all()
    facts = {name: set(session.scalars(found)) for name, found in _facts(conditions).items()}
    printed = _printed_notices(session, period)
    bills = [
        IssuedBill(
            row.id,
            row.unit_id,
            is_printed=row.number in printed,
            **{name: row.id in ids for name, ids in facts.items()},
        )
        for row in rows
    ]
    stays = rule.left_out(bills)
    return Found(
        str(period),
        tuple(row.id for row in rows if row.id not in stays),
        sum((row.amount for row in rows if row.id not in stays), ZERO),
        tuple(StayingBill(row.number, row.code, stays[row.id]) for row in rows if row.id in stays),
    )


def _of_choice(session: Session, choice: Choice, period: Period) -> list[ColumnElement[bool]]:
    """The bills of a period's runs of the units chosen, without those that were taken back."""
    units = [scope_of(session, choice.scope, choice.scope_value).units]
    if choice.unit_kind:
        units.append(UNIT.c.kind == choice.unit_kind)
    return [
        INVOICE.c.period == str(period),
        INVOICE.c.kind == "regular",
        INVOICE.c.part != AHEAD,
        ~exists().where(TakenBill.invoice_id == INVOICE.c.id),
        INVOICE.c.unit_id.in_(select(UNIT.c.id).where(*units)),
    ]


def _facts(conditions: Sequence[ColumnElement[bool]]) -> dict[str, Any]:
    """For each fact of `IssuedBill`, the ids of the chosen bills of which it is true."""
    these = select(INVOICE.c.id).where(*conditions)
    later = (
        select(ALLOCATION.c.invoice_id)
        .join(PAYMENT, PAYMENT.c.id == ALLOCATION.c.payment_id)
        .join(INVOICE, INVOICE.c.id == ALLOCATION.c.invoice_id)
        .outerjoin(BillingRun, BillingRun.id == INVOICE.c.run_id)
        .where(*conditions, or_(BillingRun.id.is_(None), PAYMENT.c.posted_at > BillingRun.started_at))
        .group_by(ALLOCATION.c.invoice_id, ALLOCATION.c.payment_id)
        .having(func.sum(ALLOCATION.c.amount) != 0)
    )
    told = or_(
        Reminder.subject_id == INVOICE.c.id,
        and_(
            Reminder.unit_id == INVOICE.c.unit_id,
            Reminder.payer_id == INVOICE.c.payer_id,
            Reminder.due_on <= INVOICE.c.due_on,
            Reminder.planned_on > INVOICE.c.due_on,
        ),
    )
    reminded = or_(
        exists().where(told, Reminder.state.in_(LEFT_THE_HOUSE)),
        *(exists().where(table.invoice_id == INVOICE.c.id) for table in (Restriction, LegalCase)),
    )
    return {
        "is_paid": later,
        "is_credited": these.where(INVOICE.c.credited > 0),
        "is_waived": these.where(exists().where(LateFeeWaiver.invoice_id == INVOICE.c.id)),
        "is_in_plan": these.where(exists().where(PlanInvoice.invoice_id == INVOICE.c.id)),
        "is_debited": these.where(exists().where(DirectDebit.invoice_id == INVOICE.c.id)),
        "is_reminded": these.where(reminded),
    }


def _printed_notices(session: Session, period: Period) -> set[str]:
    """The numbers of a period's bills whose payment notice was printed."""
    begins = f"{SERIES['regular']}{period.year * 100 + period.month}-"
    return set(
        session.scalars(
            select(paper_base_number()).where(Paper.kind == NOTICE, Paper.number.startswith(begins))
        )
    )


def ask(session: Session, choice: Choice, *, reason: str, staff_id: int, now: datetime) -> TakeBack:
    """Ask another person to have bills taken back. Raises Refused where none can be, or without a reason."""
    if not reason.strip():
        raise Refused(N_("Say why"))
    found = preview(session, choice)
    _refuse_nothing(found)
    request = TakeBack(
        period=found.period,
        scope=str(choice.scope),
        scope_value=";".join(scope_of(session, choice.scope, choice.scope_value).names),
        unit_kind=choice.unit_kind,
        reason=reason.strip(),
        bills=found.bills,
        amount=found.amount,
        left_out=_stored(found),
        asked_by_id=staff_id,
        asked_at=now,
    )
    session.add(request)
    session.flush()
    audit.record(session, now, staff_id, "request", request, _noted(request))
    return request


def _refuse_nothing(found: Found) -> None:
    if not found.ids:
        raise Refused(N_("No bill of %(period)s can be taken back"), period=found.period)


def _stored(found: Found) -> str:
    return json.dumps([one.to_dict() for one in found.staying], ensure_ascii=False)


def _noted(request: TakeBack) -> dict[str, object]:
    return {"period": request.period, "bills": request.bills, "amount": request.amount}


def decide(session: Session, request_id: int, *, is_approved: bool, staff_id: int, now: datetime) -> TakeBack:
    """Take back what another person asked for, or refuse to; what has left the house by now stays.

    Raises Refused for who asked, for who may not, on a day that who approves has closed, and where by now no
    bill can be taken back.
    """
    request = session.scalars(
        select(TakeBack).where(TakeBack.id == request_id).with_for_update()
    ).one_or_none()
    if request is None or request.state != "requested":
        raise Refused(N_("This request is decided already"))
    if not may_take_back(roles_of(session, staff_id)):
        raise Refused(N_("Only a manager may take bills back"))
    refuse_same_person([request.asked_by_id], staff_id)
    if is_approved:
        _take_back(session, request, staff_id, now)
    request.state = "approved" if is_approved else "refused"
    request.decided_by_id, request.decided_at = staff_id, now
    session.flush()
    audit.record(session, now, staff_id, "approve" if is_approved else "refuse", request, _noted(request))
    return request


def _take_back(session: Session, request: TakeBack, staff_id: int, now: datetime) -> None:
    refuse_closed(session, [staff_id], clock.office_day(session, now))
    ledger.lock_postings(session)
    choice = Choice(request.period, PoolScope(request.scope), request.scope_value, request.unit_kind)
    found = preview(session, choice)
    _refuse_nothing(found)
    amounts: dict[int, Decimal] = {}
    for some in chunks(found.ids):
        amounts |= dict(
            session.execute(select(INVOICE.c.id, INVOICE.c.amount).where(INVOICE.c.id.in_(some))).all()
        )
    for invoice_id, amount in amounts.items():
        new = NewCreditNote(invoice_id, amount, request.reason, staff_id)
        note = write_credit_note(session, new, now=now)
        session.add(TakenBill(take_back_id=request.id, invoice_id=invoice_id, credit_note_id=note.id))
    session.flush()
    for some in chunks(found.ids):
        _free(session, some)
    request.bills, request.amount, request.left_out = found.bills, found.amount, _stored(found)


def _free(session: Session, invoice_ids: Collection[int]) -> None:
    """Free the places of bills in their period, and what hangs on them for the next run."""
    run = session.connection().execute
    mark = literal(rule.MARK) + as_type(INVOICE.c.id, Text())
    run(update(INVOICE).where(INVOICE.c.id.in_(invoice_ids)).values(part=mark))
    run(
        update(SLIP)
        .where(SLIP.c.invoice_id.in_(invoice_ids))
        .values(state="open", invoice_id=None, row_version=SLIP.c.row_version + 1)
    )
    run(update(READING).where(READING.c.invoice_id.in_(invoice_ids)).values(invoice_id=None))
    pool_ids = select(SHARE.c.pool_id).where(SHARE.c.invoice_id.in_(invoice_ids)).distinct()
    pools = list(session.scalars(pool_ids))
    if not pools:
        return
    run(update(SHARE).where(SHARE.c.invoice_id.in_(invoice_ids)).values(invoice_id=None))
    later = POOL.alias("later")
    run(
        update(POOL)
        .where(
            POOL.c.id.in_(pools),
            POOL.c.state == "billed",
            ~exists().where(SHARE.c.pool_id == POOL.c.id, SHARE.c.invoice_id.is_not(None)),
            ~exists().where(later.c.corrects_id == POOL.c.id, later.c.state != "cancelled"),
        )
        .values(state="open", row_version=POOL.c.row_version + 1)
    )


def loose_ends(session: Session) -> Iterator[Finding]:
    """Bills taken back that still ask for money, hold their place, or hold slips or shares (check, B21)."""
    taken = select(*INVOICE.c["id", "number", "part"]).join(TakenBill, TakenBill.invoice_id == INVOICE.c.id)
    hangs = or_(
        *(exists().where(table.c.invoice_id == INVOICE.c.id) for table in (SLIP, SHARE, READING)),
        INVOICE.c.credited != INVOICE.c.amount,
        INVOICE.c.part != literal(rule.MARK) + as_type(INVOICE.c.id, Text()),
    )
    for row in session.execute(taken.where(hangs).order_by(INVOICE.c.id)):
        yield Finding(
            "bill_taken_back_is_free", INVOICE.name, row.id, row.number, row.part, rule.marked(row.id)
        )
