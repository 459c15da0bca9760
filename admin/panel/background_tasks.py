"""Long work in a thread of this process, with its row to ask after; the page goes on meanwhile (B4, §10)."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread
from typing import Any

from flask import current_app, g
from sqlalchemy.orm import Session

from admin.panel import signed_in
from admin.panel.signed_in import SignedIn
from models.base import db
from models.engine import writing
from models.people import Staff
from office.core import background_tasks, clock
from office.core.errors import Refused

log = logging.getLogger(__name__)
Work = Callable[[Session, int], None]


def start(task_id: int, work: Work) -> None:
    """Begin `work(session, task id)`; it commits itself and finishes the task. The row must be committed."""
    app: Any = current_app._get_current_object()  # type: ignore[attr-defined]  # noqa: SLF001 -- a thread needs the application itself
    Thread(target=_run, args=(app, task_id, work), name=f"task-{task_id}", daemon=True).start()


@contextmanager
def as_reader(staff_id: int | None, code: str) -> Iterator[None]:
    """As if the person had asked for a page: their language, roles and scope hold in what is done here."""
    with current_app.test_request_context():
        staff = db.session.get(Staff, staff_id) if staff_id else None
        signed_in.be(SignedIn(staff) if staff is not None else None)
        g.language = code
        yield


def tell(task_id: int, done: int) -> None:
    """How far work is whose own transaction nobody else can look into yet; for the other processes here."""
    place = _place(task_id)
    place.parent.mkdir(parents=True, exist_ok=True)
    fresh = place.with_suffix(".new")
    fresh.write_text(str(done), encoding="ascii")
    fresh.replace(place)


def told(task_id: int) -> int:
    """What `tell` said last; 0 when nothing, or nothing here."""
    try:
        return int(_place(task_id).read_text(encoding="ascii"))
    except (OSError, ValueError):
        return 0


def _place(task_id: int) -> Path:
    return Path(current_app.instance_path) / "working" / str(task_id)


def _run(app: Any, task_id: int, work: Work) -> None:
    with app.app_context(), writing():
        session = db.session()
        try:
            work(session, task_id)
        except Refused as refusal:
            session.rollback()
            _fail(session, task_id, refusal)
        except Exception:
            log.exception("task %s failed", task_id)
            session.rollback()
            _fail(session, task_id, None)
        finally:
            db.session.remove()
            _place(task_id).unlink(missing_ok=True)


def _fail(session: Session, task_id: int, refusal: Refused | None) -> None:
    background_tasks.fail(session, task_id, now=clock.now(session), refusal=refusal)
    session.commit()
