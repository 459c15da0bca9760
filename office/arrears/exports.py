"""What `flask export` gives of arrears: reminders, contacts, plans, cases (contract "Exports")."""

from __future__ import annotations

from sqlalchemy import case, func, select
from sqlalchemy.orm import Session, aliased

from models.billing import FeeItem, Instalment, InstalmentPlan
from models.collection import Contact, LegalCase, Reminder, ReminderBatch, Restriction
from models.people import Owner, Staff
from models.property import Unit
from office.core.exports import Table, reason, stream


def reminders(session: Session) -> Table:
    query = (
        select(
            func.coalesce(ReminderBatch.number, "").label("batch"),
            Reminder.stage,
            Unit.code.label("unit_code"),
            Owner.name.label("payer_name"),
            Reminder.debt,
            Reminder.due_on,
            Reminder.planned_on,
            Reminder.channel,
            Reminder.state,
            Reminder.sent_at,
            case((Reminder.reason != "", Reminder.reason), else_=Reminder.reason_code).label("reason"),
        )
        .outerjoin(Reminder.batch)
        .join(Reminder.unit)
        .join(Reminder.payer)
        .order_by(Reminder.planned_on, Reminder.id)
    )
    return stream(session, query, reason=reason)


def contacts(session: Session) -> Table:
    query = (
        select(
            Contact.at,
            Unit.code.label("unit_code"),
            Owner.name.label("payer_name"),
            Contact.method,
            func.coalesce(Staff.login, "").label("staff"),
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
    return stream(session, query)


def plans(session: Session) -> Table:
    instalments = (
        select(func.count()).where(Instalment.plan_id == InstalmentPlan.id).correlate(InstalmentPlan)
    )
    query = (
        select(
            Unit.code.label("unit_code"),
            Owner.name.label("payer_name"),
            InstalmentPlan.amount,
            instalments.scalar_subquery().label("instalments"),
            InstalmentPlan.state,
        )
        .join(InstalmentPlan.unit)
        .join(InstalmentPlan.payer)
        .order_by(InstalmentPlan.id)
    )
    return stream(session, query)


def restrictions(session: Session) -> Table:
    first, second = aliased(Staff), aliased(Staff)
    approved_by = case(
        (second.login.is_not(None), first.login + "; " + second.login), else_=func.coalesce(first.login, "")
    )
    query = (
        select(
            Unit.code.label("unit_code"),
            Owner.name.label("payer_name"),
            func.coalesce(FeeItem.code, "").label("service"),
            Restriction.state,
            Restriction.requested_on,
            approved_by.label("approved_by"),
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
    return stream(session, query, reason=reason)


def legal_cases(session: Session) -> Table:
    query = (
        select(
            Unit.code.label("unit_code"),
            Owner.name.label("payer_name"),
            LegalCase.state,
            LegalCase.opened_on,
            LegalCase.amount,
            LegalCase.missing,
        )
        .join(LegalCase.unit)
        .join(LegalCase.payer)
        .order_by(LegalCase.id)
    )
    return stream(session, query, missing=reason)
