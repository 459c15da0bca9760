"""The office's tables as they leave it: codes in a fixed order, read in a stream (contract "Exports").

`rows` answers a kind's codes and its rows as plain values; `write` puts them into CSV, XLSX or JSON. Money is
decimal yuan with 2 places, instants are office time with offset, booleans `true`/`false`.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import IO, Any
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Select, and_, case, func, literal, or_, select, type_coerce
from sqlalchemy.orm import InstrumentedAttribute, Session, aliased

from models.base import Money
from models.billing import (
    FeeItem,
    Instalment,
    InstalmentPlan,
    Invoice,
    InvoiceLine,
    Meter,
    MeterReading,
    ServiceSlip,
    Tariff,
)
from models.collection import Contact, LegalCase, Reminder, ReminderBatch, Restriction
from models.complaints import Category, Escalation, Ticket, TicketClock
from models.office import Audit, JobRun
from models.payments import Payment, StatementRow
from models.people import Department, Occupancy, Owner, Staff, StaffRole, steward_building
from models.property import Area, Building, Unit
from models.visits import Visit
from office.core import clock
from office.exchange.spreadsheets import FORMATS, Value, write_csv, write_json, write_xlsx
from office.reports import rates
from rules.kpi import percent
from rules.money import yuan
from rules.reasons import Reason

AT_ONCE = 2_000  # rows fetched at a time
NO_AMOUNT = Decimal(0)

Query = Select[*tuple[Any, ...]]
Say = Callable[[Any, ZoneInfo], Value]


# how a stored value is said; each takes (value, office zone)


def plain(value: Any, _zone: ZoneInfo) -> Value:
    said: Value = value
    return said


def amount(value: Any, _zone: ZoneInfo) -> Value:
    """Yuan with exactly two places."""
    return None if value is None else Decimal(yuan(value))


def decimal(value: Any, _zone: ZoneInfo) -> Value:
    """A number as people write it: 89.5, at least 0."""
    if value is None:
        return None
    digits = f"{value:f}"
    return Decimal(digits.rstrip("0").rstrip(".") if "." in digits else digits)


def rate(value: Any, zone: ZoneInfo) -> Value:
    """A rate in yuan: two places, more where it has more."""
    said = decimal(value, zone)
    assert isinstance(said, Decimal)
    return said if said.as_tuple().exponent < -2 else Decimal(f"{said:.2f}")  # type: ignore[operator]


def day(value: date | None, _zone: ZoneInfo) -> Value:
    return None if value is None else value.isoformat()


def instant(value: datetime | None, zone: ZoneInfo) -> Value:
    return None if value is None else value.astimezone(zone).isoformat()


def flag(value: Any, _zone: ZoneInfo) -> Value:
    return bool(value)


def reason(value: str | None, _zone: ZoneInfo) -> Value:
    """`code: name=value, …` of stored reasons (one or a list); other text as it is."""
    if not value or value[0] not in "{[":
        return value or ""
    try:
        stored = json.loads(value)
        reasons = stored if isinstance(stored, list) else [stored]
        return "; ".join(
            one if isinstance(one, str) else str(Reason(one["code"], one.get("inputs") or {}))
            for one in reasons
        )
    except (ValueError, KeyError, TypeError, AttributeError):
        return value


@dataclass(frozen=True)
class Kind:
    """One table: its codes with how each is said, and the query whose columns they are, in order."""

    columns: tuple[tuple[str, Say], ...]
    query: Callable[[Session], Query]
    more: Callable[[Session], Iterator[Sequence[Any]]] | None = None  # instead of the query


def rows(session: Session, kind: str) -> tuple[list[str], Iterator[list[Value]]]:
    """The codes of a kind and its rows, read as they are asked for. Raises KeyError for another kind."""
    table = KINDS[kind]
    zone = clock.zone(session)
    says = [say for _, say in table.columns]
    return [code for code, _ in table.columns], (
        [say(value, zone) for say, value in zip(says, row, strict=True)] for row in _stored(session, table)
    )


def _stored(session: Session, table: Kind) -> Iterator[Sequence[Any]]:
    if table.more is not None:
        yield from table.more(session)
        return
    options = {"stream_results": True, "yield_per": AT_ONCE}
    with session.connection().execute(table.query(session), execution_options=options) as stream:
        yield from stream


def of_payer_now(column: InstrumentedAttribute[Any], today: date) -> ColumnElement[Any]:
    """A column of a unit's payer or of their occupancy: today's, else the one to come."""
    return (
        select(column)
        .select_from(Occupancy)
        .join(Owner, Owner.id == Occupancy.owner_id)
        .where(
            Occupancy.unit_id == Unit.id,
            Occupancy.is_payer,
            or_(Occupancy.to_on.is_(None), Occupancy.to_on >= today),
        )
        .order_by(Occupancy.from_on)
        .limit(1)
        .correlate(Unit)
        .scalar_subquery()
    )


def balance_now() -> ColumnElement[Decimal]:
    """Σ balances − unused credit of a unit, each through the partial index made for it."""
    owed = (
        select(func.sum(Invoice.balance))
        .where(Invoice.unit_id == Unit.id, Invoice.balance > literal(0, literal_execute=True))
        .correlate(Unit)
        .scalar_subquery()
    )
    unused = (
        select(func.sum(Payment.credit))
        .where(Payment.unit_id == Unit.id, Payment.credit != literal(0, literal_execute=True))
        .correlate(Unit)
        .scalar_subquery()
    )
    zero = literal(NO_AMOUNT, Money())
    balance = func.coalesce(owed, zero, type_=Money()) - func.coalesce(unused, zero, type_=Money())
    return type_coerce(balance, Money())  # a difference of two whole numbers would be a whole number


def _units(session: Session) -> Query:
    today = clock.today(session)
    return (
        select(
            Unit.code,
            Building.name,
            Area.name,
            Unit.kind,
            Unit.area_m2,
            Unit.state,
            of_payer_now(Owner.name, today),
            balance_now(),
            Unit.handed_over_on,
            of_payer_now(Occupancy.residents, today),
        )
        .join(Unit.building)
        .join(Building.area)
        .order_by(Unit.id)
    )


def _invoices(session: Session) -> Query:
    is_overdue = and_(Invoice.balance > NO_AMOUNT, Invoice.due_on < clock.today(session))
    return (
        select(
            Invoice.number,
            Unit.code,
            Owner.name,
            Invoice.period,
            Invoice.issued_on,
            Invoice.due_on,
            Invoice.amount,
            Invoice.paid,
            Invoice.credited,
            Invoice.late_fee,
            Invoice.balance,
            Invoice.state,
            Invoice.stage,
            is_overdue,
            Invoice.kind,
        )
        .join(Invoice.unit)
        .join(Invoice.payer)
        .order_by(Invoice.id)
    )


def _invoice_lines(_session: Session) -> Query:
    return (
        select(
            Invoice.number,
            FeeItem.code,
            InvoiceLine.quantity,
            InvoiceLine.rate,
            InvoiceLine.amount,
            InvoiceLine.explanation,
        )
        .join(InvoiceLine.invoice)
        .join(InvoiceLine.fee_item)
        .order_by(InvoiceLine.invoice_id, InvoiceLine.id)
    )


def _payments(_session: Session) -> Query:
    return (
        select(
            Payment.receipt_no,
            Payment.paid_at,
            Payment.posted_on,
            Unit.code,
            Owner.name,
            Payment.method,
            Payment.amount,
            Payment.allocated,
            Payment.credit,
            Payment.state,
            Payment.reference,
            Payment.kind,
        )
        .join(Payment.unit)
        .join(Payment.payer)
        .order_by(Payment.id)
    )


def _reminders(_session: Session) -> Query:
    return (
        select(
            func.coalesce(ReminderBatch.number, ""),
            Reminder.stage,
            Unit.code,
            Owner.name,
            Reminder.debt,
            Reminder.due_on,
            Reminder.planned_on,
            Reminder.channel,
            Reminder.state,
            Reminder.sent_at,
            case((Reminder.reason != "", Reminder.reason), else_=Reminder.reason_code),
        )
        .outerjoin(Reminder.batch)
        .join(Reminder.unit)
        .join(Reminder.payer)
        .order_by(Reminder.planned_on, Reminder.id)
    )


def _contacts(_session: Session) -> Query:
    return (
        select(
            Contact.at,
            Unit.code,
            Owner.name,
            Contact.method,
            func.coalesce(Staff.login, ""),
            Contact.outcome,
            Contact.promised_on,
            Contact.promised_amount,
            Contact.promise_state,
            Contact.note,
            Contact.arrears_reason,
        )
        .join(Contact.unit)
        .join(Contact.payer)
        .outerjoin(Contact.staff)
        .order_by(Contact.at, Contact.id)
    )


def _plans(_session: Session) -> Query:
    instalments = (
        select(func.count()).where(Instalment.plan_id == InstalmentPlan.id).correlate(InstalmentPlan)
    )
    return (
        select(
            Unit.code, Owner.name, InstalmentPlan.amount, instalments.scalar_subquery(), InstalmentPlan.state
        )
        .join(InstalmentPlan.unit)
        .join(InstalmentPlan.payer)
        .order_by(InstalmentPlan.id)
    )


def _restrictions(_session: Session) -> Query:
    first, second = aliased(Staff), aliased(Staff)
    approved_by = case(
        (second.login.is_not(None), first.login + "; " + second.login), else_=func.coalesce(first.login, "")
    )
    return (
        select(
            Unit.code,
            Owner.name,
            func.coalesce(FeeItem.code, ""),
            Restriction.state,
            Restriction.requested_on,
            approved_by,
            Restriction.effective_on,
            Restriction.lifted_on,
            Restriction.reason,
        )
        .join(Restriction.unit)
        .join(Restriction.payer)
        .outerjoin(Restriction.fee_item)
        .outerjoin(first, first.id == Restriction.approved_by_id)
        .outerjoin(second, second.id == Restriction.second_approved_by_id)
        .order_by(Restriction.id)
    )


def _legal_cases(_session: Session) -> Query:
    return (
        select(
            Unit.code, Owner.name, LegalCase.state, LegalCase.opened_on, LegalCase.amount, LegalCase.missing
        )
        .join(LegalCase.unit)
        .join(LegalCase.payer)
        .order_by(LegalCase.id)
    )


def _tickets(_session: Session) -> Query:
    return (
        select(
            Ticket.number,
            Ticket.registered_at,
            Ticket.channel,
            func.coalesce(Unit.code, ""),
            Category.code,
            Department.code,
            Ticket.severity,
            Ticket.severity_reason,
            Ticket.state,
            Ticket.level,
            Ticket.resolved_at,
            Ticket.closed_at,
            Ticket.satisfaction,
            Ticket.reopen_count,
        )
        .outerjoin(Ticket.unit)
        .join(Ticket.category)
        .join(Ticket.department)
        .order_by(Ticket.id)
    )


def _ticket_clocks(_session: Session) -> Query:
    return (
        select(
            Ticket.number,
            TicketClock.clock,
            TicketClock.started_at,
            TicketClock.warn_at,
            TicketClock.due_at,
            TicketClock.stopped_at,
            TicketClock.state,
            TicketClock.rule,
        )
        .join(TicketClock.ticket)
        .order_by(TicketClock.ticket_id, TicketClock.id)
    )


def _escalations(_session: Session) -> Query:
    return (
        select(
            Ticket.number,
            Escalation.clock,
            Escalation.level,
            Escalation.at,
            Escalation.to_role,
            Escalation.reason,
        )
        .join(Escalation.ticket)
        .order_by(Escalation.at, Escalation.id)
    )


def _visits(_session: Session) -> Query:
    return (
        select(
            Visit.number,
            func.coalesce(Ticket.number, ""),
            func.coalesce(Unit.code, ""),
            Visit.planned_from,
            Visit.due_at,
            Visit.assignee_role,
            Visit.done_at,
            func.coalesce(Visit.method, ""),
            Visit.satisfaction,
            Visit.outcome,
        )
        .outerjoin(Visit.ticket)
        .outerjoin(Visit.unit)
        .order_by(Visit.id)
    )


def _tariffs(_session: Session) -> Query:
    return (
        select(FeeItem.code, Tariff.unit_kind, Tariff.rate, Tariff.valid_from, Tariff.valid_to, Tariff.tiers)
        .join(Tariff.fee_item)
        .order_by(FeeItem.position, FeeItem.id, Tariff.valid_from, Tariff.id)
    )


def _stewards(_session: Session) -> Query:
    """The buildings that each steward answers for; without any they answer for none (P7)."""
    return (
        select(Staff.login, Staff.name, Area.name, Building.name)
        .join(StaffRole, (StaffRole.staff_id == Staff.id) & (StaffRole.role == "steward"))
        .join(steward_building, steward_building.c.staff_id == Staff.id)
        .join(Building, Building.id == steward_building.c.building_id)
        .join(Building.area)
        .where(Staff.is_active)
        .order_by(Staff.id, Area.position, Area.name, Building.position, Building.name)
    )


def _readings(_session: Session) -> Query:
    return (
        select(Unit.code, Meter.code, FeeItem.code, MeterReading.read_on, MeterReading.value)
        .join(MeterReading.meter)
        .join(Meter.unit)
        .join(Meter.fee_item)
        .order_by(Meter.unit_id, Meter.id, MeterReading.read_on)
    )


def _slips(_session: Session) -> Query:
    return (
        select(
            ServiceSlip.slip_no,
            Unit.code,
            FeeItem.code,
            ServiceSlip.used_on,
            ServiceSlip.quantity,
            ServiceSlip.amount,
            ServiceSlip.state,
            func.coalesce(Invoice.number, ""),
        )
        .join(ServiceSlip.unit)
        .join(ServiceSlip.fee_item)
        .outerjoin(Invoice, Invoice.id == ServiceSlip.invoice_id)
        .order_by(ServiceSlip.id)
    )


def _statement_rows(_session: Session) -> Query:
    return (
        select(
            StatementRow.transaction_id,
            StatementRow.source,
            StatementRow.paid_at,
            StatementRow.amount,
            StatementRow.memo,
            StatementRow.state,
            func.coalesce(Payment.receipt_no, ""),
            StatementRow.reason,
        )
        .outerjoin(StatementRow.payment)
        .order_by(StatementRow.id)
    )


def _job_runs(_session: Session) -> Query:
    return select(
        JobRun.job,
        JobRun.due_for,
        JobRun.started_at,
        JobRun.finished_at,
        JobRun.attempts,
        JobRun.state,
        JobRun.done,
        JobRun.failed,
    ).order_by(JobRun.due_for, JobRun.id)


def _audit(_session: Session) -> Query:
    return (
        select(
            Audit.at,
            func.coalesce(Staff.login, ""),
            Audit.action,
            Audit.table_name,
            Audit.row_id,
            Audit.changes,
        )
        .outerjoin(Audit.staff)
        .order_by(Audit.id)
    )


def _collection_rates(session: Session) -> Iterator[Sequence[Any]]:
    """Each period's buildings and, behind them, their area; periods in order (K1)."""
    for period in reversed(rates.periods(session, 100_000)):
        for found in rates.collection_rates(session, period):
            figures = found.collected
            yield (
                period,
                found.area_name,
                found.building,
                figures.billed,
                figures.paid,
                percent(figures.paid, figures.billed),
                figures.households_billed,
                figures.households_paid,
                percent(figures.households_paid, figures.households_billed),
            )


def _kind(query: Callable[[Session], Query], codes: str, **says: Say) -> Kind:
    """A kind whose codes stand in one text; those not named in `says` are said as they are."""
    return Kind(tuple((code, says.get(code, plain)) for code in codes.split()), query)


KINDS: Mapping[str, Kind] = {
    "units": _kind(
        _units,
        "unit_code building area_name unit_kind area_m2 state payer_name balance handed_over_on residents",
        area_m2=decimal,
        balance=amount,
        handed_over_on=day,
    ),
    "invoices": _kind(
        _invoices,
        "number unit_code payer_name period issued_on due_on amount paid credited late_fee balance state "
        "stage is_overdue kind",
        issued_on=day,
        due_on=day,
        amount=amount,
        paid=amount,
        credited=amount,
        late_fee=amount,
        balance=amount,
        is_overdue=flag,
    ),
    "invoice_lines": _kind(
        _invoice_lines,
        "invoice_number fee_item quantity rate amount explanation",
        quantity=decimal,
        rate=rate,
        amount=amount,
        explanation=reason,
    ),
    "payments": _kind(
        _payments,
        "receipt_no paid_at posted_on unit_code payer_name method amount allocated credit state reference "
        "kind",
        paid_at=instant,
        posted_on=day,
        amount=amount,
        allocated=amount,
        credit=amount,
    ),
    "reminders": _kind(
        _reminders,
        "batch stage unit_code payer_name debt due_on planned_on channel state sent_at reason",
        debt=amount,
        due_on=day,
        planned_on=day,
        sent_at=instant,
        reason=reason,
    ),
    "contacts": _kind(
        _contacts,
        "at unit_code payer_name method staff outcome promised_on promised_amount promise_state note "
        "arrears_reason",
        at=instant,
        promised_on=day,
        promised_amount=amount,
    ),
    "plans": _kind(_plans, "unit_code payer_name amount instalments state", amount=amount),
    "restrictions": _kind(
        _restrictions,
        "unit_code payer_name service state requested_on approved_by effective_on lifted_on reason",
        requested_on=day,
        effective_on=day,
        lifted_on=day,
        reason=reason,
    ),
    "legal_cases": _kind(
        _legal_cases,
        "unit_code payer_name state opened_on amount missing",
        opened_on=day,
        amount=amount,
        missing=reason,
    ),
    "tickets": _kind(
        _tickets,
        "number registered_at channel unit_code category department severity severity_reason state level "
        "resolved_at closed_at satisfaction reopen_count",
        registered_at=instant,
        severity_reason=reason,
        resolved_at=instant,
        closed_at=instant,
    ),
    "ticket_clocks": _kind(
        _ticket_clocks,
        "number clock started_at warn_at due_at stopped_at state rule",
        started_at=instant,
        warn_at=instant,
        due_at=instant,
        stopped_at=instant,
        rule=reason,
    ),
    "escalations": _kind(_escalations, "number clock level at to_role reason", at=instant, reason=reason),
    "visits": _kind(
        _visits,
        "number ticket unit_code planned_from due_at assignee_role done_at method satisfaction outcome",
        planned_from=instant,
        due_at=instant,
        done_at=instant,
    ),
    "tariffs": _kind(
        _tariffs,
        "fee_item unit_kind rate valid_from valid_to tiers",
        rate=rate,
        valid_from=day,
        valid_to=day,
    ),
    "stewards": _kind(_stewards, "login name area_name building"),
    "readings": _kind(_readings, "unit_code meter fee_item read_on value", read_on=day, value=decimal),
    "slips": _kind(
        _slips,
        "slip_no unit_code fee_item used_on quantity amount state invoice_number",
        used_on=day,
        quantity=decimal,
        amount=amount,
    ),
    "statement_rows": _kind(
        _statement_rows,
        "transaction_id source paid_at amount memo state receipt_no reason",
        paid_at=instant,
        amount=amount,
        reason=reason,
    ),
    "collection_rate": Kind(
        (
            ("period", plain),
            ("area_name", plain),
            ("building", plain),
            ("billed", amount),
            ("paid", amount),
            ("rate_amount", plain),
            ("households_billed", plain),
            ("households_paid", plain),
            ("rate_households", plain),
        ),
        _units,
        _collection_rates,
    ),
    "job_runs": _kind(
        _job_runs,
        "job due_for started_at finished_at attempts state done failed",
        due_for=instant,
        started_at=instant,
        finished_at=instant,
    ),
    "audit": _kind(_audit, "at staff action table row changes", at=instant),
}


def write(session: Session, kind: str, *, file: Path | None, out: IO[str], file_format: str = "") -> int:
    """Export a kind to a file, or as text to `out`; the number of rows. XLSX needs a file.

    Without a format the file's ending decides, else CSV.
    """
    return write_rows(*rows(session, kind), file=file, out=out, file_format=file_format)


def write_rows(
    header: Sequence[str],
    found: Iterable[Sequence[Value]],
    *,
    file: Path | None,
    out: IO[str],
    file_format: str = "",
) -> int:
    """Put rows into a file or to `out`; answers their number."""
    ending = file.suffix.lower().lstrip(".") if file else ""
    file_format = file_format or (ending if ending in FORMATS else "csv")
    writer = write_json if file_format == "json" else write_csv
    if file is None:
        return writer(out, header, found)
    with _whole(file) as place:
        if file_format == "xlsx":
            return write_xlsx(place, header, found)
        with place.open("w", encoding="utf-8", newline="") as opened:
            return writer(opened, header, found)


@contextmanager
def _whole(file: Path) -> Iterator[Path]:
    """A place beside the file, which takes the file's when all is written: no half of it stays."""
    if file.exists() and not file.is_file():  # a pipe
        yield file
        return
    with tempfile.TemporaryDirectory(prefix=".export-", dir=file.absolute().parent) as folder:
        place = Path(folder) / file.name
        yield place
        place.replace(file)
