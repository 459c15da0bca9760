"""What arrears give the whole office: jobs, integrity checks and explanations."""

from __future__ import annotations

from datetime import time

from office.arrears import contacts, dunning, explain, instalment_plans, integrity, restrictions
from office.core.jobs import Job

JOBS = (
    Job("promise_checks", contacts.check_promises, at=time(0, 5)),
    Job("plan_checks", instalment_plans.check_plans, at=time(0, 10)),
    Job("restrictions", restrictions.apply_restrictions, at=time(0, 20)),
    Job("ladder", dunning.judge_day, at=time(9, 0)),
    Job("restriction_lifts", restrictions.lift_paid, order=1, retention_days=400),
)
CHECKS = (integrity.all_hold,)
EXPLAINS = {"invoice": explain.invoice}
