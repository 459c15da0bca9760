"""Who works on a row right now: a name that tells this process from any other, dead or alive."""

from __future__ import annotations

import os
import platform
from datetime import datetime, timedelta
from functools import cache

LEASE = timedelta(minutes=10)  # after which a claim made on another machine may be taken over


def claimant() -> str:
    """This process: `host:pid:start`."""
    return _of_this_process(os.getpid())


@cache
def _of_this_process(pid: int) -> str:
    return _name(pid)


def _name(pid: int) -> str:
    """Raises psutil.NoSuchProcess for one that has ended, also while its parent has not noticed yet."""
    import psutil

    process = psutil.Process(pid)
    if process.status() == psutil.STATUS_ZOMBIE:
        raise psutil.NoSuchProcess(pid)
    started = process._ident[1]  # noqa: SLF001 -- the public create_time() moves when the clock is set
    return f"{_host()}:{pid}:{started}"


def _host() -> str:
    return platform.node()[:80]


def is_orphaned(parent: int) -> bool:
    """Whether the process that started this one has ended."""
    import psutil

    return os.getppid() != parent if os.name == "posix" else not psutil.pid_exists(parent)


def is_abandoned(claimed_by: str, claimed_at: datetime | None, machine_now: datetime) -> bool:
    """Whether a claim may be taken over: its process is gone from this machine, or its lease has passed."""
    import psutil

    if claimed_at is None or machine_now - claimed_at > LEASE:
        return True
    host, _, pid = claimed_by.rpartition(":")[0].rpartition(":")
    if host != _host():
        return False
    try:
        return _name(int(pid)) != claimed_by
    except psutil.NoSuchProcess:
        return True
    except psutil.Error:
        return False
