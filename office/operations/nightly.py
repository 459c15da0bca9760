"""Backups that are made every night, and restored for proof every week (§8, F20)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, time, timedelta
from functools import partial

from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from models.people import Staff, StaffRole
from models.property import Estate
from office.core import clock, installation
from office.core.errors import N_, Refused
from office.core.integrity import Check
from office.core.jobs import Job, JobResult
from office.messaging import outbox
from office.operations import backup, erasure_list
from office.operations.scratch import scratch_folder
from office.policies import store
from rules.upkeep import BackupPolicy

NO_BACKUP = N_("There is no backup in %(folder)s to restore for proof")
BREAKS = N_("%(file)s was restored for proof and breaks an invariant: %(finding)s")
ALERT = N_("Gatehouse: the backup of %(day)s could not be restored for proof. %(reason)s")


def make_tonights(session: Session, due_for: datetime) -> JobResult:
    """Job: make tonight's backup and remove the oldest beyond what the policy keeps (§8).

    A night that was missed is past: only the newest is made, and none where time is chosen by hand.
    """
    now = clock.now(session)
    if clock.chosen_now(session) is not None:
        return JobResult(result={"skipped": "sandbox"})
    if now - due_for >= timedelta(days=1):
        return JobResult(result={"skipped": "a later one follows"})
    day = clock.office_day(session, due_for)
    kept = store.in_force(session, BackupPolicy, day).kept
    bind = _engine(session)
    session.rollback()
    place = installation.backup_folder(bind)
    place.mkdir(mode=0o700, parents=True, exist_ok=True)
    backup.make(bind, place / f"gatehouse-{day.isoformat()}.zip", now=now)
    erasure_list.note(bind)
    removed, damaged = _rotate(bind, kept)
    return JobResult(done=1, result={"removed": removed} | ({"damaged": damaged} if damaged else {}))


def _rotate(bind: Engine, kept: int) -> tuple[int, list[str]]:
    """Remove what is older than the last `kept` whole ones; damaged files don't count among those.

    Returns how many were removed, and the names of damaged files.
    """
    whole = 0
    removed, damaged = 0, []
    for file in reversed(installation.nightly_backups(bind)):
        if whole >= kept:
            file.unlink()
            removed += 1
        elif backup.is_whole(file):
            whole += 1
        else:
            damaged.append(file.name)
    return removed, damaged


def restore_newest(session: Session, due_for: datetime, *, checks: Sequence[Check]) -> JobResult:
    """Job: restore the newest backup into a temporary place, count its rows and check every invariant.

    When it fails, the administrators are alerted and the job fails.
    """
    if clock.chosen_now(session) is not None:
        return JobResult(result={"skipped": "sandbox"})
    bind, now = _engine(session), clock.now(session)
    if now - due_for >= timedelta(days=7):
        return JobResult(result={"skipped": "a later one follows"})
    day = clock.office_day(session, due_for)
    session.rollback()
    try:
        return prove_newest(bind, checks)
    except Refused as refusal:
        _alert(session, refusal, day.isoformat(), now)
        raise


def prove_newest(bind: Engine, checks: Sequence[Check]) -> JobResult:
    """Restore the newest nightly backup beside the others and try it. Raises Refused for a bad one."""
    folder = installation.backup_folder(bind)
    files = installation.nightly_backups(bind)
    if not files:
        raise Refused(NO_BACKUP, folder=folder)
    with scratch_folder(folder, "proof") as place, backup.unpacked(files[-1], place) as copy:
        with Session(copy) as restored:
            for check in checks:
                for finding in check(restored):
                    raise Refused(BREAKS, file=files[-1].name, finding=finding)
        rows = sum(backup.counted(place / backup.DATABASE).values())
    return JobResult(done=1, result={"file": files[-1].name, "rows": rows})


def _alert(session: Session, refusal: Refused, day: str, now: datetime) -> None:
    """Tell every administrator who can be alerted, once a day."""
    translate: Callable[..., str] = installation.of(session).translate
    estate = session.execute(select(Estate)).scalar_one()
    people = session.execute(
        select(Staff.id, Staff.language)
        .join(StaffRole, StaffRole.staff_id == Staff.id)
        .where(Staff.is_active, Staff.alert_url.is_not(None), StaffRole.role == "it_admin")
    ).all()
    for person in people:
        language = person.language or estate.language
        said = translate(
            language, ALERT, day=day, reason=translate(language, refusal.message, **refusal.values)
        )
        outbox.enqueue(
            session,
            f"backup proof {day} {person.id}",
            "alert",
            "",
            subject=f"{estate.in_language('name', language)} {said}"[:300],
            body=said,
            language=language,
            now=now,
            staff_id=person.id,
        )
    session.commit()


def _engine(session: Session) -> Engine:
    bind = session.get_bind()
    assert isinstance(bind, Engine)
    return bind


BACKUP = Job("backup", make_tonights, at=time(2, 0), is_committing=True)


def proof_job(checks: Sequence[Check]) -> Job:
    """The weekly proof, Sundays at 04:30, with the checks of the whole office."""
    run = partial(restore_newest, checks=checks)
    return Job("backup_proof", run, at=time(4, 30), weekday=6, is_committing=True)
