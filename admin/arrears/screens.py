"""The screens of this room, in the order of the menu."""

from __future__ import annotations

from admin.arrears import (
    call_list,
    contacts,
    forecast,
    holds,
    instalment_plans,
    legal_cases,
    opening_texts,
    public_notices,
    reminder_batches,
    reminders,
    restrictions,
)

SCREENS = (
    *call_list.SCREENS,
    *reminder_batches.SCREENS,
    *reminders.SCREENS,
    *contacts.SCREENS,
    *instalment_plans.SCREENS,
    *holds.SCREENS,
    *opening_texts.SCREENS,
    *forecast.SCREENS,
    *restrictions.SCREENS,
    *legal_cases.SCREENS,
    *public_notices.SCREENS,
)
