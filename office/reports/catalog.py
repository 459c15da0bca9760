"""Every report by its code; the page, the file, the paper and the mail show the same table (K1–K6)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.collection import Contact
from models.complaints import Category, Ticket, is_escalated
from models.people import Department, Owner, Staff
from models.property import Unit
from office.complaints import queries
from office.reports import collection, complaints
from office.reports.table import Column, Line, Link, Table, Wanted
from rules.calendar_months import week_of

# --- the weekly meeting (K5) ----------------------------------------------------------------------------


def escalated(session: Session, wanted: Wanted) -> Table:
    """Unresolved complaints that reached a level, the highest first, each with its first deadline (K4)."""
    due = queries.first_due_at()
    rows = session.execute(
        select(Ticket, Unit.code, Category, Department, due.label("due_at"))
        .outerjoin(Unit, Unit.id == Ticket.unit_id)
        .join(Category, Category.id == Ticket.category_id)
        .join(Department, Department.id == Ticket.department_id)
        .where(
            is_escalated(),
            *wanted.own_tickets,
        )
        .order_by(Ticket.level.desc(), Ticket.registered_at, Ticket.id)
    )
    lines = tuple(
        Line(
            (
                ticket.number,
                code or "",
                category.name_in(wanted.language),
                ticket.statement,
                department.name_in(wanted.language),
                ticket.level,
                due_at,
            ),
            Link("tickets/details", {"id": str(ticket.id)}),
        )
        for ticket, code, category, department, due_at in rows
    )
    columns = (
        Column("ticket_no"),
        Column("unit_code"),
        Column("category"),
        Column("statement", "long"),
        Column("department"),
        Column("level", "count"),
        Column("deadline", "instant"),
    )
    return Table("escalated", columns, lines)


def promises_due(session: Session, wanted: Wanted) -> Table:
    """Open promises whose day lies in the week of today, and those overdue (K5)."""
    _, sunday = week_of(wanted.today)
    rows = session.execute(
        select(Contact, Unit.code, Owner.name, Staff.name)
        .join(Unit, Unit.id == Contact.unit_id)
        .join(Owner, Owner.id == Contact.payer_id)
        .outerjoin(Staff, Staff.id == Contact.staff_id)
        .where(Contact.promise_state == "open", Contact.promised_on <= sunday)
        .order_by(Contact.promised_on, Unit.code, Contact.id)
    )
    lines = tuple(
        Line(
            (code, payer, contact.promised_on, contact.promised_amount, staff or ""),
            Link("household", {"unit_id": str(contact.unit_id)}),
        )
        for contact, code, payer, staff in rows
    )
    columns = (
        Column("unit_code"),
        Column("payer"),
        Column("promised_on", "day"),
        Column("promised_amount", "money"),
        Column("taken_by"),
    )
    return Table("promises_due", columns, lines)


Make = Callable[[Session, Wanted], Table]


def _by(what: str) -> Make:
    return lambda session, wanted: complaints.complaints_by(session, wanted, what)


COLLECTION: Mapping[str, Make] = {
    "collection": collection.collection,
    "by_month": collection.by_month,
    "stewards": collection.stewards,
    "fee_items": collection.fee_items,
    "year_split": collection.year_split,
    "ageing": collection.ageing,
    "arrears_reasons": collection.arrears_reasons,
    "promises": collection.promises,
    "unprompted": collection.unprompted,
    "channels": collection.channels,
}
COMPLAINT: Mapping[str, Make] = {
    **{f"complaints_{what}": _by(what) for what in complaints.DIMENSIONS},
    "clocks": complaints.clocks,
    "complaint_list": complaints.complaint_list,
}
WEEKLY: Mapping[str, Make] = {
    "stewards": collection.stewards,
    "escalated": escalated,
    "promises_due": promises_due,
}
# what each report is asked by besides the period; the others count the whole estate
PLACE = ("area", "building", "steward")
FILTERS: Mapping[str, Sequence[str]] = {
    **dict.fromkeys(("collection", "by_month", "stewards", "fee_items"), (*PLACE, "fee_item")),
    **dict.fromkeys(("ageing", "arrears_reasons", "promises"), PLACE),
    **dict.fromkeys(COMPLAINT, ("area", "building", "department")),
}
TABLES: Mapping[str, Make] = {**COLLECTION, **COMPLAINT, **WEEKLY}


def table(session: Session, code: str, wanted: Wanted) -> Table:
    """One report. Raises KeyError when there is no such report."""
    return TABLES[code](session, wanted)


def several(session: Session, codes: Sequence[str], wanted: Wanted) -> list[Table]:
    return [table(session, code, wanted) for code in codes]
