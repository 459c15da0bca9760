"""What arrears give the whole office: jobs, integrity checks, explanations and exports."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import time
from functools import partial

from office.arrears import (
    contacts,
    dunning,
    explain,
    exports,
    instalment_plans,
    integrity,
    limitation,
    reminder_batches,
    restrictions,
)
from office.core.exports import Export
from office.core.jobs import Job
from office.messaging import outbox

# the outbox asks about each reminder just before it leaves
send_due = partial(outbox.send_due, reminders=reminder_batches)

JOBS = (
    Job("promise_checks", contacts.check_promises, at=time(0, 5)),
    Job("plan_checks", instalment_plans.check_plans, at=time(0, 10)),
    Job("restrictions", restrictions.apply_restrictions, at=time(0, 20)),
    Job("ladder", dunning.judge_day, at=time(9, 0)),
    Job("restriction_lifts", restrictions.lift_paid, order=1, retention_days=400),
    # last of its minute: what the other jobs wrote is sent in the same minute
    Job("outbox", send_due, order=4, is_committing=True, retention_days=400),
)
CHECKS = (integrity.all_hold,)
EXPLAINS = {"invoice": explain.invoice}
EXPORTS: Mapping[str, Export] = {
    "reminders": exports.reminders,
    "contacts": exports.contacts,
    "plans": exports.plans,
    "restrictions": exports.restrictions,
    "legal_cases": exports.legal_cases,
    "limitation": limitation.export,
}
