"""The process that ticks every minute: `flask clock` (§8)."""

from __future__ import annotations

import logging
import signal
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import timedelta
from functools import partial

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from office.core import clock, outage_log
from office.core.errors import Refused
from office.core.leases import LEASE, is_orphaned
from office.scheduling.election import elected
from office.scheduling.job_status import heartbeat
from office.scheduling.scheduler import tick, work
from office.scheduling.timetable import Timetable

log = logging.getLogger(__name__)


class Clock:
    """Ticks each minute and, every few seconds, beats and finishes what was asked for or left behind.

    `open_session` gives a fresh session for each turn. Any number of clocks may run on one office.
    """

    BEAT = timedelta(seconds=10)

    def __init__(
        self, open_session: Callable[[], AbstractContextManager[Session]], timetable: Timetable
    ) -> None:
        self.open_session = open_session
        self.timetable = timetable
        self.turn = threading.Lock()
        self.turn_began_at = clock.machine_now()

    def minute(self) -> None:
        """One tick; an error is logged, and the next minute comes."""
        with self.turn:
            self._take_turn(is_minute=True)

    def beat(self) -> None:
        """Show that the clock runs; finish what is left unless a tick is at it."""
        if not self.turn.acquire(blocking=False):
            if clock.machine_now() - self.turn_began_at < LEASE:  # a long catch-up, no stuck one
                self._guarded(heartbeat)
            return
        try:
            self._take_turn(is_minute=False)
        finally:
            self.turn.release()

    def _take_turn(self, *, is_minute: bool) -> None:
        self.turn_began_at = clock.machine_now()
        self._guarded(partial(self._work, is_minute=is_minute))

    def _work(self, session: Session, *, is_minute: bool) -> None:
        heartbeat(session)
        bind = session.get_bind()
        assert isinstance(bind, Engine)
        with elected(bind) as is_elected:
            if is_minute and is_elected:
                tick(session, self.timetable, is_whole_minute=True)
            elif is_elected:
                work(session, self.timetable)

    def _guarded(self, act: Callable[[Session], None]) -> None:
        """Act in a fresh session; whatever goes wrong is logged, and the next turn comes."""
        try:
            with self.open_session() as session:
                act(session)
            outage_log.ends(outage_log.DATABASE)
            outage_log.ends(outage_log.DISK)
        except Refused as refusal:
            log.warning("%s", refusal)
        except Exception as error:
            if not outage_log.begins_with(error):
                log.exception("a tick failed")


def run_clock(clockwork: Clock, *, parent: int | None = None) -> None:
    """Tick until the process is told to stop, or `parent` has ended. APScheduler keeps the time."""
    from apscheduler.schedulers.background import BackgroundScheduler

    is_stopped = threading.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda *_: is_stopped.set())
    scheduler = BackgroundScheduler(timezone="UTC")
    common = {"max_instances": 1, "coalesce": True, "misfire_grace_time": None}
    scheduler.add_job(clockwork.minute, "cron", second=0, next_run_time=clock.machine_now(), **common)
    scheduler.add_job(clockwork.beat, "interval", seconds=clockwork.BEAT.total_seconds(), **common)
    scheduler.start()
    while not is_stopped.wait(1):
        if parent is not None and is_orphaned(parent):
            break
    scheduler.shutdown(wait=True)
