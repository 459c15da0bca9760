"""All jobs of the office in the order in which they run (§8)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, time
from zoneinfo import ZoneInfo

from office.core.jobs import Job


class Timetable:
    """The jobs that the scheduler works with.

    Of jobs due at one instant the dated ones run first, by their time of day, then the jobs of every minute
    by their `order`. Raises ValueError when two jobs have one code.
    """

    def __init__(self, jobs: Iterable[Job]) -> None:
        self.jobs = tuple(sorted(jobs, key=_running_order))
        self._places = {job.code: place for place, job in enumerate(self.jobs)}
        if len(self._places) < len(self.jobs):
            codes = [job.code for job in self.jobs]
            twice = sorted({code for code in codes if codes.count(code) > 1})
            raise ValueError(f"two jobs have one code: {', '.join(twice)}")

    def __iter__(self) -> Iterator[Job]:
        return iter(self.jobs)

    def find(self, code: str) -> Job | None:
        """The job of a code; none for a job that has left the program."""
        return self.jobs[self._places[code]] if code in self._places else None

    def position(self, code: str) -> int:
        """The place of a job among those due at one instant; unknown jobs come last."""
        return self._places.get(code, len(self.jobs))

    def due_runs(self, after: datetime, until: datetime, zone: ZoneInfo) -> list[tuple[Job, datetime]]:
        """The runs that fall due in (after, until], each with its instant (UTC)."""
        return [
            (job, instant)
            for job in self.jobs
            for instant in ([until] if job.at is None else job.due_between(after, until, zone))
        ]


def _running_order(job: Job) -> tuple[bool, int, time]:
    return (job.at is None, job.order, job.at or time.min)
