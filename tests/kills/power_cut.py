"""Processes that die at a statement, as when the power is cut (F1)."""

import os
import signal

from sqlalchemy import create_engine, event
from sqlalchemy.orm import Session

from models import engine


def opened(url):
    """A process's own engine on an office's database."""
    made = create_engine(url.replace("postgresql://", "postgresql+psycopg://"))
    engine.prepare(made)
    return made


def open_session(url):
    return Session(opened(url))


def die_at(made, kill_at, events=("before_cursor_execute",)):
    """Count what happens; the process ends without a word before the one it is to be killed at."""
    count = [0]

    def next_one(*_given):
        count[0] += 1
        if count[0] == kill_at:
            os.kill(os.getpid(), signal.SIGKILL)

    for name in events:
        event.listen(made, name, next_one)
    return count
