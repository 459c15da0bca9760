"""What a changed holiday or policy does to deadlines of open complaints, before and after saving (T5, T6)."""

from __future__ import annotations

from datetime import datetime

from flask import flash
from flask_babel import gettext as _
from flask_babel import ngettext
from sqlalchemy.orm import Session

from office.complaints import clock_jobs
from office.complaints.policies_in_force import PolicyTimeline
from office.complaints.recalculation import MovedDeadlines
from office.policies.documents import PolicyUnreadable

POLICIES = frozenset({"calendar", "clocks", "severities"})  # those by which running deadlines are judged


def sentence(moves: MovedDeadlines, *, is_done: bool) -> str:
    """How many deadlines of how many complaints a change moved, or would move."""
    if not moves.clocks:
        return _("No deadline of an open complaint moves.")
    tickets = ngettext("%(num)s open complaint", "%(num)s open complaints", len(moves.tickets))
    counts = {"tickets": tickets, "earlier": moves.earlier, "later": moves.clocks - moves.earlier}
    if is_done:
        return _("Deadlines of %(tickets)s moved: %(earlier)s earlier, %(later)s later.", **counts)
    return _("Deadlines of %(tickets)s would move: %(earlier)s earlier, %(later)s later.", **counts)


def follow(session: Session, now: datetime) -> None:
    """Judge running deadlines anew in the transaction of a change, and say what moved."""
    session.flush()
    flash(sentence(clock_jobs.recalculate(session, now), is_done=True), "info")


def provisional(session: Session, now: datetime) -> str:
    """That the holidays of this year or the next are not yet published; else nothing."""
    try:
        calendar = PolicyTimeline(session).at(now).calendar
    except PolicyUnreadable:  # it is corrected on the very page that asks
        return ""
    year = calendar.local_day(now).year
    open_years = [str(each) for each in (year, year + 1) if calendar.is_provisional(each)]
    if not open_years:
        return ""
    return _(
        "The holidays of %(years)s are not published yet: deadlines there are provisional and follow "
        "by themselves once they are, or once you enter the days here.",
        years=_(", ").join(open_years),
    )
