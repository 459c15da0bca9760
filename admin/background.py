"""Long work in a thread of this process, with its row to ask after; the page goes on meanwhile (B4, §10)."""

from __future__ import annotations

import logging
from collections.abc import Callable
from threading import Thread
from typing import Any

from flask import current_app
from sqlalchemy.orm import Session

from models.base import db
from models.engine import writing
from office import clock, tasks
from office.errors import Refused

log = logging.getLogger(__name__)
Work = Callable[[Session, int], None]


def start(task_id: int, work: Work) -> None:
    """Begin `work(session, task id)`; it commits itself and finishes the task. The row must be committed."""
    app: Any = current_app._get_current_object()  # type: ignore[attr-defined]  # noqa: SLF001 -- a thread needs the application itself
    Thread(target=_run, args=(app, task_id, work), name=f"task-{task_id}", daemon=True).start()


def _run(app: Any, task_id: int, work: Work) -> None:
    with app.app_context(), writing():
        session = db.session()
        try:
            work(session, task_id)
        except Refused as refusal:
            session.rollback()
            _fail(session, task_id, refusal)
        except Exception:
            log.exception("task %s", task_id)
            session.rollback()
            _fail(session, task_id, None)
        finally:
            db.session.remove()


def _fail(session: Session, task_id: int, refusal: Refused | None) -> None:
    tasks.fail(session, task_id, now=clock.now(session), refusal=refusal)
    session.commit()
