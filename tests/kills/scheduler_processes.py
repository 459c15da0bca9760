"""Clocks made to be killed: four processes tick one sandbox while time runs fast, and lose their lives.

`python -m tests.kills.scheduler_processes URL KILLS SECONDS [WITHOUT]` spreads the kills over the seconds
and prints `{"kills": N}`. It forks its clocks, so that a
new one lives within milliseconds. WITHOUT takes one protection off: `claims` (the control).
"""

from __future__ import annotations

import json
import os
import random
import signal
import sys
import time
from datetime import UTC, datetime, timedelta
from datetime import time as day_time

from sqlalchemy import Engine, create_engine, update
from sqlalchemy.engine import make_url
from sqlalchemy.orm import Session, configure_mappers

from models import engine, secrets
from models.office import Audit, JobRun, Message
from office.arrears.room import send_due
from office.core.installation import Installation
from office.core.jobs import Job, JobResult
from office.messaging import channels, outbox
from office.messaging.channels import Letter
from office.messaging.channels.mail import written
from office.scheduling import scheduler
from office.scheduling.election import elected
from office.scheduling.timetable import Timetable

CLOCKS = 4
START = datetime(2026, 3, 1, tzinfo=UTC)
DAYS_A_SECOND = 2
LETTERS_A_DAY = 6


def count(session: Session, due_for: datetime) -> JobResult:
    """An effect in two halves, with time between them to be killed in."""
    for half in ("first", "second"):
        session.add(Audit(at=due_for, action=half, table_name="kills", row_id=None))
        session.flush()
        time.sleep(0.003)
    return JobResult(done=1)


def write_letters(session: Session, due_for: datetime) -> JobResult:
    """Letters decided on one day; their keys let nothing be decided twice."""
    day = due_for.date().isoformat()
    for number in range(LETTERS_A_DAY):
        outbox.enqueue(
            session, f"{day} {number}", "email", "a@example.org", body=f"{day} {number}", now=due_for
        )
    return JobResult(done=LETTERS_A_DAY)


TIMETABLE = Timetable(
    (
        Job("count", count, at=day_time(9, 0)),
        Job("letters", write_letters, at=day_time(10, 0)),
        Job("minute", count),
        Job("outbox", send_due, order=1, is_committing=True),
    )
)


def guess(session: Session) -> int:
    """In the place of outbox._settle_lost: take what was being sent for unsent."""
    session.execute(update(Message).where(Message.state == "sending").values(state="pending"))
    return 0


def take_off(protection: str) -> None:
    if protection == "claims":
        scheduler._claim = lambda *_: True
        scheduler._is_mine = lambda run: (JobRun.id == run.id,)
        scheduler._may_be_taken = lambda *_: True


def open_engine(url: str) -> Engine:
    made = create_engine(
        make_url(url).set(drivername="postgresql+psycopg") if url.startswith("postgresql") else url,
        connect_args={"options": "-c timezone=utc"} if url.startswith("postgresql") else {},
    )
    engine.prepare(made)
    return made


def live(bind: Engine, born_at: float, seed: int) -> None:
    """Tick until killed; now and then this clock is a day fast, a day slow, or deaf to the election."""
    mood = random.Random(seed)
    while True:
        elapsed = timedelta(days=(time.monotonic() - born_at) * DAYS_A_SECOND)
        at = START + elapsed + timedelta(days=mood.choice((0, 0, 0, 1, -1)))
        with elected(bind) as is_elected, Session(bind) as session:
            if is_elected or mood.random() < 0.5:
                scheduler.tick(session, TIMETABLE, at=at.replace(microsecond=0))
        time.sleep(mood.uniform(0, 0.02))


def fork(bind: Engine, born_at: float, seed: int) -> int:
    process = os.fork()
    if process == 0:
        try:
            live(bind, born_at, seed)
        finally:
            os._exit(1)
    return process


def warm_up() -> None:
    """Load now, before the clocks are born, what would be loaded late: they live but a second."""
    configure_mappers()
    channels.open_channel("email", Installation().setting).close()
    written(Letter("key", "a@example.org", "subject", "信", START), "b@example.org")


def main(url: str, kills: int, seconds: float, without: str = "") -> None:
    secrets.configure("a key for tests")
    take_off(without)
    bind = open_engine(url)
    warm_up()
    with Session(bind) as session:
        scheduler.tick(session, TIMETABLE, at=START + timedelta(seconds=1))
    bind.dispose()
    born_at = time.monotonic()
    mood = random.Random(kills)
    clocks = [fork(bind, born_at, seed) for seed in range(CLOCKS)]
    done = 0
    while done < kills or time.monotonic() - born_at < seconds:
        time.sleep(mood.uniform(0, 2 * seconds / max(kills, 10)))
        if done < kills:
            place = mood.randrange(CLOCKS)
            os.kill(clocks[place], signal.SIGKILL)
            os.waitpid(clocks[place], 0)
            done += 1
            clocks[place] = fork(bind, born_at, CLOCKS + done)
    for clock in clocks:
        os.kill(clock, signal.SIGKILL)
        os.waitpid(clock, 0)
    print(json.dumps({"kills": done + CLOCKS}))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), float(sys.argv[3]), *sys.argv[4:])
