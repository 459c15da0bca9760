"""Leases: which process works on a row, and when another may take it over."""

from __future__ import annotations

import os
import platform
from datetime import datetime, timedelta
from functools import cache

LEASE = timedelta(minutes=10)  # after which a lease of another machine may be taken over


def lease_holder() -> str:
    """The name of this process as a lease holder, unlike any other process's: `host:pid:start`."""
    return _of_this_process(os.getpid())


@cache
def _of_this_process(pid: int) -> str:
    return _name(pid)


def _name(pid: int) -> str:
    """The lease holder's name of a process. Raises psutil.NoSuchProcess for one that has ended."""
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


def is_expired(claimed_by: str, claimed_at: datetime | None, machine_now: datetime) -> bool:
    """Whether a lease may be taken over: its process is gone from this machine, or its time has passed."""
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
