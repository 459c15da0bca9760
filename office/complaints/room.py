"""What complaints give the whole office: jobs, integrity checks, explanations and exports."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import time

from office.complaints import clock_jobs, exports, incidents, integrity, retention, timeline
from office.core.exports import Export
from office.core.jobs import Job

JOBS = (
    Job("deadlines", clock_jobs.follow_policies, at=time(0, 1)),
    Job("retention", retention.remove_expired, at=time(3, 0)),
    Job("ticket_clocks", clock_jobs.sweep, order=3, retention_days=400),
)
CHECKS = (integrity.all_hold,)
EXPLAINS = {"ticket": timeline.explain_ticket, "incident": incidents.explain_incident}
EXPORTS: Mapping[str, Export] = {
    "tickets": exports.tickets,
    "ticket_clocks": exports.ticket_clocks,
    "escalations": exports.escalations,
    "visits": exports.visits,
    "incidents": exports.incidents,
}
