"""Long work in a thread of this process; its Task row says how far it is (B4, §10)."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import Thread
from typing import Any

from flask import current_app, g
from sqlalchemy.orm import Session
from werkzeug.datastructures import MultiDict

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
def as_reader(
    staff_id: int | None, code: str, form: Sequence[tuple[str, str]] | None = None
) -> Iterator[None]:
    """Run the block as a request of this person: with their language, roles, scope; `form`: as its POST."""
    sent = {} if form is None else {"method": "POST", "data": MultiDict(form)}
    with current_app.test_request_context(**sent):
        staff = db.session.get(Staff, staff_id) if staff_id else None
        signed_in.set_user(SignedIn(staff) if staff is not None else None)
        g.language = code
        yield


def write_progress(task_id: int, done: int) -> None:
    """Write how far a task is into a file: other processes can't see its transaction yet."""
    file = _progress_file(task_id)
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    fresh = file.with_suffix(".new")
    fresh.write_text(str(done), encoding="ascii")
    fresh.replace(file)


def read_progress(task_id: int) -> int:
    """What `write_progress` wrote last on this machine, else 0."""
    try:
        return int(_progress_file(task_id).read_text(encoding="ascii"))
    except (OSError, ValueError):
        return 0


def _progress_file(task_id: int) -> Path:
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
            _progress_file(task_id).unlink(missing_ok=True)


def _fail(session: Session, task_id: int, refusal: Refused | None) -> None:
    background_tasks.fail(session, task_id, now=clock.now(session), refusal=refusal)
    session.commit()
