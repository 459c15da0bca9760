"""Jobs on ticket clocks: the sweep of every minute, and the nightly recalculation (T4–T6, T8)."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from office.complaints.due_clocks import process_and_alert
from office.complaints.policies_in_force import PolicyTimeline
from office.complaints.recalculation import MovedDeadlines, recalculate_running
from office.core.jobs import JobResult


def sweep(session: Session, due_for: datetime) -> JobResult:
    """Job, every minute: write what came due on all tickets and alert staff to it (T4, T6, T8).

    One run catches up whatever was missed; a second run at the same instant does nothing.
    """
    swept = process_and_alert(session, due_for)
    result = {
        "clocks": swept.clocks,
        "escalations": swept.escalations,
        "majors": swept.majors,
        "told": swept.alerts,
    }
    return JobResult(done=swept.clocks + swept.majors, result=result)


def recalculate(session: Session, now: datetime, *, is_provisional_only: bool = False) -> MovedDeadlines:
    """Move running deadlines to what the policies in force now give; returns what moved (T5, T6).

    What came due before is first written and alerted by the deadlines as they stood.
    """
    process_and_alert(session, now)
    return recalculate_running(session, now, is_provisional_only=is_provisional_only)


def follow_policies(session: Session, due_for: datetime) -> JobResult:
    """Job, each night: policies that hold from today and newly published holidays move deadlines (T5)."""
    policies = PolicyTimeline(session)
    today = policies.at(due_for).calendar.local_day(due_for)
    is_new = policies.on(today) is not policies.on(today - timedelta(days=1))
    moved = recalculate(session, due_for, is_provisional_only=not is_new)
    return JobResult(done=moved.clocks, result={"clocks": moved.clocks, "tickets": len(moved.tickets)})
