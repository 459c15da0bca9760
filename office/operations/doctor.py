"""What is wrong with this installation and what to do about it, for whoever looks after it (§8).

A new question is a new function in QUESTIONS: `(session, now) -> findings`; it reads, and never writes.
Whether the books add up is another question, asked by `flask check`.
"""

from __future__ import annotations

import os
import shutil
import socket
import ssl
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, urlsplit

from sqlalchemy import Engine, func, select, text
from sqlalchemy.orm import Session

from models import secrets
from models.billing import BillingRun, Tariff
from models.office import JobRun, Message
from models.payments import StatementRow
from models.people import Occupancy, Staff, StaffRole
from models.property import Estate, Unit
from office.core import clock, installation
from office.core import schema as core_schema
from office.core.errors import N_, Refused
from office.estate import identity
from office.messaging import channels
from office.messaging.channels.mail import Mail
from office.operations import damage, erasure_list, opening
from office.operations import secret_key as sealed
from office.policies import store
from office.scheduling import job_status

SILENCE = timedelta(minutes=2)  # a clock beats every few seconds
BACKUP_AGE = timedelta(days=2)
SKEW = timedelta(minutes=1)
FREE_BYTES = 1 << 30
WAITING = timedelta(days=7)
SECONDS_TO_ANSWER = 3
FIRST_PERSON = 1000  # users below it are services; a person's own checkout is theirs
PROGRAM = Path(__file__).parents[2]


@dataclass(frozen=True)
class Problem:
    """Something wrong: what it is, and what to do. `is_grave` when work or data is at stake now."""

    code: str
    is_grave: bool
    what: str
    advice: str
    values: dict[str, Any]


Answer = Iterator[Problem]
PORTS = {"https": 443, "http": 80, "smtps": 465, "smtp": 25}
NOTHING_LOST = N_("The office works on; until then a restored backup may bring erased persons back.")
NOTHING_ELSE = N_("Until then nothing else can be looked at.")


def _engine(session: Session) -> Engine:
    bind = session.get_bind()
    assert isinstance(bind, Engine)
    return bind


def problem(code: str, what: str, advice: str, *, is_grave: bool = False, **values: Any) -> Problem:
    return Problem(code, is_grave, what, advice, values)


def database(session: Session) -> Answer:
    """What keeps everybody out: damage, tables of another program or version."""
    bind = _engine(session)
    try:
        stored = opening.revision(bind)
    except Refused as refusal:
        yield problem("database", refusal.message, NOTHING_ELSE, is_grave=True, **refusal.values)
        return
    if not stored:
        raise opening.lost(bind) or Refused(opening.NOT_SET_UP)
    if found := damage.finding(session):
        yield problem("damaged", damage.DAMAGED, NOTHING_ELSE, is_grave=True, finding=found)
    elif not core_schema.is_up_to_date(session):
        yield problem(
            "schema",
            N_("The database is of an older version than the program."),
            N_("Make a backup (flask backup FILE), then start app.py: it brings the database up to date."),
            is_grave=True,
        )


def key(session: Session, _now: datetime) -> Answer:
    if not sealed.is_right(session.connection(), secrets.in_use()):
        yield problem(
            "wrong_key",
            N_("The secret key is not the one that this office is sealed with: nothing opens."),
            N_("Run any other command, such as flask check: it says which file or setting is wanted."),
            is_grave=True,
        )


def moved(session: Session, _now: datetime) -> Answer:
    try:
        opening.refuse_moved(session.connection())
    except Refused as refusal:
        yield problem("moved", refusal.message, NOTHING_ELSE, is_grave=True, **refusal.values)


def protections(session: Session, _now: datetime) -> Answer:
    missing = core_schema.missing_protections(session)
    if missing:
        yield problem(
            "protections",
            N_("The database has lost protections of posted money: %(names)s."),
            N_("Stop the office, run flask check, and restore a backup if a row was changed."),
            is_grave=True,
            names=", ".join(missing),
        )


def clock_ticks(session: Session, _now: datetime) -> Answer:
    age = job_status.age_of_last_tick(session)
    if age is None or age > SILENCE:
        yield problem(
            "clock",
            N_("No clock is running: bills, reminders and escalations wait."),
            N_("Start the office with app.py, or flask clock beside your web server."),
            is_grave=True,
        )


def jobs_done(session: Session, _now: datetime) -> Answer:
    rows = session.execute(
        select(JobRun.job, func.count())
        .where(JobRun.state.in_(("failed", "dead")))
        .group_by(JobRun.job)
        .order_by(JobRun.job)
    )
    for job, count in rows:
        yield problem(
            "jobs",
            N_("%(count)s runs of the job %(job)s failed."),
            N_("Read the error under Scheduled jobs, mend the cause, and run the job again from there."),
            is_grave=True,
            count=count,
            job=job,
        )


def backups(session: Session, now: datetime) -> Answer:
    if clock.chosen_now(session) is not None:
        return
    bind = _engine(session)
    place, made = installation.backup_folder(bind), installation.nightly_backups(bind)
    newest = datetime.fromtimestamp(made[-1].stat().st_mtime, now.tzinfo) if made else None
    if newest is None or now - newest > BACKUP_AGE:
        yield problem(
            "backup",
            N_("There is no backup of the last two nights in %(folder)s."),
            N_("Let the clock run at night, or run flask backup FILE; keep copies on another machine."),
            is_grave=newest is not None,
            folder=place,
        )


def room(session: Session, _now: datetime) -> Answer:
    bind = _engine(session)
    size, beside = _size_and_folder(session)
    folders = (installation.of(session).folder, installation.backup_folder(bind), beside)
    for place in dict.fromkeys(folder for folder in folders if folder is not None and folder.is_dir()):
        free = shutil.disk_usage(place).free
        if free < max(FREE_BYTES, 2 * size):
            yield problem(
                "disk",
                N_("Only %(free)s MB are free in %(folder)s."),
                N_("Make room: a backup needs a copy of the whole database beside it."),
                is_grave=free < size,
                free=free >> 20,
                folder=place,
            )


def _size_and_folder(session: Session) -> tuple[int, Path | None]:
    """How large the database is, and its folder where it lies on this machine and may be asked for."""
    bind = _engine(session)
    if bind.dialect.name == "sqlite":
        file = Path(str(bind.url.database))
        return file.stat().st_size, file.parent
    size = session.scalar(select(func.pg_database_size(func.current_database()))) or 0
    is_here = session.scalar(
        text("SELECT inet_server_addr() IS NULL OR inet_server_addr() <<= '127.0.0.0/8'")
    )
    may_ask = session.scalar(text("SELECT pg_has_role(current_user, 'pg_read_all_settings', 'usage')"))
    folder = session.scalar(text("SHOW data_directory")) if is_here and may_ask else None
    return size, Path(str(folder)) if folder else None


def folders(session: Session, _now: datetime) -> Answer:
    """The folders of the office take what is written into them, and show it to nobody else."""
    here, bind = installation.of(session).folder, _engine(session)
    if here is None:
        return
    for place in dict.fromkeys((here, installation.backup_folder(bind), here / "logs")):
        if not place.exists():
            continue
        try:
            with tempfile.TemporaryFile(dir=place):
                pass
        except OSError as error:
            yield problem(
                "folder",
                N_("Nothing can be written in %(folder)s (%(reason)s)."),
                N_("Give it to the user that the office runs as, and look whether its disk is full."),
                is_grave=True,
                folder=place,
                reason=error.strerror or error,
            )
        if os.name == "posix" and place.stat().st_mode & 0o077:
            yield problem(
                "mode",
                N_("Others on this machine can look into %(folder)s."),
                N_("Run: chmod 700 %(folder)s"),
                folder=place,
            )


def program(_session: Session, _now: datetime) -> Answer:
    """A service can't change its own program, so that whoever breaks into it can't either."""
    if os.name == "posix" and 0 < os.geteuid() < FIRST_PERSON and os.access(PROGRAM, os.W_OK):
        yield problem(
            "program",
            N_("The user that the office runs as can change the program in %(folder)s."),
            N_("Let it belong to root, and only the instance folder to that user, as docs/it.md says."),
            folder=PROGRAM,
        )


def messages(session: Session, _now: datetime) -> Answer:
    stuck = ("unknown", "dead")
    count = session.execute(select(func.count()).where(Message.state.in_(stuck))).scalar_one()
    if count:
        yield problem(
            "messages",
            N_("%(count)s messages could not be sent, or nobody knows whether they were."),
            N_("Decide each under Outbox: send again, or drop."),
            count=count,
        )


def channel_servers(session: Session, _now: datetime) -> Answer:
    for name in filter(None, (kind.needs for kind in channels.KINDS.values())):
        setting = installation.of(session).setting(name)
        if not setting:
            continue
        address = urlsplit(setting)
        port = _port(address)
        if port is None:
            yield problem(
                "setting",
                N_("GATEHOUSE_%(name)s is no address that messages can be sent to."),
                N_("Set it as docs/it.md says, or unset it."),
                is_grave=True,
                name=name,
            )
            continue
        try:
            _greet(setting, address.hostname or "", port)
        except (OSError, channels.Unreachable) as error:
            yield problem(
                "channel",
                N_("%(host)s:%(port)s does not answer (%(reason)s): messages wait in the outbox."),
                N_("Check GATEHOUSE_%(name)s and the network; waiting messages go out by themselves."),
                host=address.hostname,
                port=port,
                reason=getattr(error, "strerror", None) or error,
                name=name,
            )


def _port(address: SplitResult) -> int | None:
    """The port of a server that is set; None for what is no address of one."""
    try:
        return (address.port or PORTS.get(address.scheme)) if address.hostname else None
    except ValueError:
        return None


def _greet(setting: str, host: str, port: int) -> None:
    """Speak to a server as the office does, without sending anything: TLS, and the sign-in of mail."""
    if setting.startswith("smtp"):
        Mail(setting, seconds=SECONDS_TO_ANSWER).try_out()
        return
    with socket.create_connection((host, port), SECONDS_TO_ANSWER) as plain:
        if setting.startswith("https"):
            ssl.create_default_context().wrap_socket(plain, server_hostname=host).close()


def machine_clock(session: Session, _now: datetime) -> Answer:
    if session.get_bind().dialect.name == "sqlite":
        return
    skew = session.execute(select(func.clock_timestamp())).scalar_one() - clock.machine_now()
    if abs(skew) > SKEW:
        yield problem(
            "skew",
            N_("The clocks of this machine and of the database differ by %(seconds)s seconds."),
            N_("Let both keep time by NTP."),
            seconds=round(skew.total_seconds()),
        )


def secret_key(session: Session, _now: datetime) -> Answer:
    folder = installation.of(session).folder
    if folder is None:
        return
    for key in sorted(folder.glob("secret_key*")) if os.name == "posix" else ():
        if key.stat().st_mode & 0o077:
            yield problem(
                "key",
                N_("Others on this machine can read %(file)s, which seals phones and ID numbers."),
                N_("Run: chmod 600 %(file)s"),
                is_grave=True,
                file=key,
            )


def holidays(session: Session, now: datetime) -> Answer:
    day = clock.office_day(session, now)
    calendar = store.calendar(session, day)
    years = [year for year in (day.year, day.year + (day.month == 12)) if calendar.is_provisional(year)]
    for year in dict.fromkeys(years):
        yield problem(
            "holidays",
            N_("The public holidays of %(year)s are not known to the program."),
            N_("Update the program once they are published, or enter the days under Holidays."),
            year=year,
        )


def erased_persons(session: Session, _now: datetime) -> Answer:
    """Who came back with a restored backup, and a list of the erased that can't be read (F23)."""
    try:
        returned = [finding.name for finding in erasure_list.none_returned(session)]
    except Refused as refusal:
        yield problem("erased", refusal.message, NOTHING_LOST, is_grave=True, **refusal.values)
        return
    if returned:
        yield problem(
            "erased",
            N_("Persons who were erased came back with a restored backup: %(ids)s."),
            N_("Settle what ties them (their page, Personal data, says what), and erase them again there."),
            is_grave=True,
            ids=", ".join(returned),
        )


def people(session: Session, _now: datetime) -> Answer:
    held = set(
        session.scalars(
            select(StaffRole.role).join(Staff, Staff.id == StaffRole.staff_id).where(Staff.is_active)
        )
    )
    for role in ("station_head", "manager"):
        if role not in held:
            yield problem(
                "roles",
                N_("Nobody has the role %(role)s: what needs that approval stays where it is."),
                N_("Give the role to somebody under Staff."),
                role=role,
            )


def tariffs(session: Session, now: datetime) -> Answer:
    day = clock.office_day(session, now)
    paying = select(Occupancy.id).where(Occupancy.unit_id == Unit.id, Occupancy.is_payer).exists()
    valid = (Tariff.valid_from <= day) & (Tariff.valid_to.is_(None) | (Tariff.valid_to >= day))
    covered = select(Tariff.unit_kind).where(valid)
    rows = session.execute(
        select(Unit.kind, func.count()).where(paying, Unit.kind.not_in(covered)).group_by(Unit.kind)
    )
    for kind, count in rows:
        yield problem(
            "tariffs",
            N_("%(count)s units of the kind %(kind)s have no tariff: they are not billed."),
            N_("Enter one under Tariffs."),
            count=count,
            kind=kind,
        )


def estate_identity(session: Session, now: datetime) -> Answer:  # noqa: ARG001 -- as every question is asked
    for gap in identity.gaps(session):
        yield problem("identity", gap.what, N_("Enter it under Settings, Estate."))


def unfinished(session: Session, now: datetime) -> Answer:
    rows = session.scalars(
        select(BillingRun.period).where(
            BillingRun.state == "running", BillingRun.started_at < now - timedelta(hours=1)
        )
    )
    for period in rows:
        yield problem(
            "billing",
            N_("The bills of %(period)s were begun and not finished."),
            N_("Issue them again: it finishes what is left and bills nobody twice."),
            period=period,
        )
    waiting = session.execute(
        select(func.count()).where(StatementRow.state == "waiting", StatementRow.imported_at < now - WAITING)
    ).scalar_one()
    if waiting:
        yield problem(
            "statement",
            N_("%(count)s statement rows have waited for more than a week."),
            N_("Match or ignore them under Statement rows: the money may belong to somebody who is dunned."),
            count=waiting,
        )


QUESTIONS: tuple[Callable[[Session, datetime], Answer], ...] = (
    key,
    protections,
    clock_ticks,
    jobs_done,
    backups,
    room,
    folders,
    program,
    messages,
    channel_servers,
    machine_clock,
    secret_key,
    holidays,
    people,
    erased_persons,
    tariffs,
    estate_identity,
    unfinished,
)


def examine(session: Session, now: datetime) -> list[Problem]:
    """Every problem of this installation, grave ones first; empty when all is well.

    A database in which nobody can work is told alone: nothing else can be asked of it. Raises Refused before
    the set-up.
    """
    found = list(database(session)) or list(moved(session, now))
    if not found:
        if session.execute(select(Estate.id)).first() is None:
            job_status.office_zone(session)  # refuses
        found = [each for ask in QUESTIONS for each in ask(session, now)]
    return sorted(found, key=lambda each: not each.is_grave)
