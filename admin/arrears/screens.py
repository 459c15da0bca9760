"""The screens of this room, and whose rows they show."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select

from admin.arrears import (
    call_list,
    contacts,
    forecast,
    holds,
    instalment_plans,
    legal_cases,
    limitation,
    opening_texts,
    public_notices,
    reminder_batches,
    reminders,
    restrictions,
)
from admin.panel.row_access import RowAccess, along_unit, own_buildings, own_units
from models.billing import Instalment, InstalmentPlan
from models.collection import Contact, DunningHold, LegalCase, Reminder, ReminderBatch, Restriction

SCREENS = (
    *call_list.SCREENS,
    *reminder_batches.SCREENS,
    *reminders.SCREENS,
    *contacts.SCREENS,
    *instalment_plans.SCREENS,
    *holds.SCREENS,
    *opening_texts.SCREENS,
    *forecast.SCREENS,
    *limitation.SCREENS,
    *restrictions.SCREENS,
    *legal_cases.SCREENS,
    *public_notices.SCREENS,
)


def batches_with_own_units() -> list[Any]:
    """For the batches: those with a reminder of a unit within reach."""
    own = select(Reminder.batch_id).where(Reminder.unit_id.in_(own_units()))
    return [ReminderBatch.id.in_(own)] if own_buildings() else []


ROW_ACCESS: RowAccess = {
    ReminderBatch: batches_with_own_units,
    Reminder: along_unit(Reminder.unit_id),
    Contact: along_unit(Contact.unit_id),
    DunningHold: along_unit(DunningHold.unit_id),
    InstalmentPlan: along_unit(InstalmentPlan.unit_id),
    Instalment: along_unit(Instalment.plan, InstalmentPlan.unit_id),
    Restriction: along_unit(Restriction.unit_id),
    LegalCase: along_unit(LegalCase.unit_id),
}
