"""What goes by itself: texts of messages, files brought or made (P3, F23), ended sessions, kept forms."""

from __future__ import annotations

from datetime import datetime, time, timedelta

from sqlalchemy.orm import Session

from office.access import kept_forms, sessions
from office.core import clock
from office.core.jobs import Job, JobResult
from office.exchange.imports import uploads
from office.messaging import outbox
from office.policies import store
from rules.upkeep import PrivacyPolicy


def clear_expired(session: Session, due_for: datetime) -> JobResult:
    """Job, each night: clear old messages, forget old uploads and files made for download (P3, F23)."""
    policy = store.in_force(session, PrivacyPolicy, clock.office_day(session, due_for))
    messages = outbox.clear_old(session, due_for - timedelta(days=policy.message_days), due_for)
    files = uploads.forget_old(session, due_for - timedelta(days=policy.upload_days), due_for)
    present = clock.machine_now()  # as people sign in, also where a sandbox's clock is days ahead
    ended = sessions.remove_old(session, present) + kept_forms.remove_old(session, present)
    return JobResult(done=messages + files + ended, result={"messages": messages, "files": files})


EXPIRY = Job("expiry", clear_expired, at=time(3, 15))
