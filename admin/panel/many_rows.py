"""Work on more rows than one request takes: in the background, behind a page that says how far it is.

Each part is a transaction of its own with the same verb, permission and row access as a single row. A part
that is refused is done again row by row, so that one bad row holds up no other; what was refused is told.
When the process ends meanwhile, what was done is done and counted, and the rest is as it was.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from flask import abort, jsonify, redirect, request
from flask_admin import expose
from flask_admin.helpers import set_current_view
from flask_babel import gettext as _
from sqlalchemy.exc import DataError, IntegrityError, StatementError
from sqlalchemy.orm import Session

from admin.panel import background_tasks, error_messages, language, row_access
from admin.panel.chosen_rows import Chosen, chunks
from admin.panel.signed_in import current_staff
from admin.panel.table_screen import TableScreen
from models.base import db
from models.engine import set_writing, writing
from models.office import Task
from office.core import background_tasks as core_background_tasks
from office.core import clock
from office.core.errors import N_, Refused

TASK = "rows"
PART = 100  # rows of one transaction
MOST_TOLD = 200  # refused rows that are named
Work = Callable[[Sequence[int]], int]  # ids → how many of them were changed; raises what is refused


class ManyRows(TableScreen):
    def begin(self, title: str, verb: str, rows: Chosen, work: Work, back: str) -> Any:
        """Start `work` on the rows, part by part, and go to the page that says how far it is.

        `verb` is the permission, asked again before each part; the caller has asked it, and commits nothing.
        """
        staff_id, code, form = current_staff().id, language.current(), list(request.form.items(multi=True))
        about = {"screen": self.screen, "title": title, "back": back}
        task = core_background_tasks.begin(
            db.session(), TASK, total=len(rows.ids), staff_id=staff_id, now=self.now(), about=about
        )
        db.session.commit()

        def run(session: Session, task_id: int) -> None:
            set_writing(False)  # the office goes on writing between the parts
            with background_tasks.as_reader(staff_id, code, form):
                set_current_view(self)
                self._parts(session, task_id, verb, rows.ids, work)

        background_tasks.start(task.id, run)
        return redirect(self.get_url(".acted_view", id=task.id))

    def _parts(self, session: Session, task_id: int, verb: str, ids: Sequence[int], work: Work) -> None:
        seen = changed = 0
        refused: list[tuple[int, str]] = []
        for part in chunks(ids, PART):
            session.commit()  # a reading transaction can't become a writing one
            with writing():
                session.expire_all()  # rights and rows as they are now
                row_access.forget()
                if not (current_staff().is_active and self.may(verb)):
                    raise Refused(N_("You may no longer do this: the other rows stay as they were"))
                seen += len(part)
                done, told = self._part(session, task_id, seen, part, work)
            changed, refused = changed + done, refused + told
        with writing():
            outcome = {"changed": changed, "refused": refused[:MOST_TOLD], "refused_count": len(refused)}
            now = clock.now(session)
            core_background_tasks.finish(session, task_id, now=now, done=len(ids), outcome=outcome)
            session.commit()

    def _part(
        self, session: Session, task_id: int, seen: int, ids: Sequence[int], work: Work
    ) -> tuple[int, list[tuple[int, str]]]:
        """How many rows were changed, and (id, why) of each that was refused."""
        try:
            done = work(ids)
            core_background_tasks.advance(session, task_id, seen)
            session.commit()
        except (Refused, IntegrityError, DataError, StatementError) as error:
            session.rollback()
            if len(ids) == 1:
                return 0, [(ids[0], error_messages.message_for(error))]
            alone = [self._part(session, task_id, seen, [key], work) for key in ids]
            return sum(count for count, _told in alone), [each for _count, told in alone for each in told]
        return done, []

    @expose("/acted/")
    def acted_view(self) -> Any:
        """Work on many rows: how far it is (`?ask=1` for the page that waits), then what was refused, why."""
        own = (Task.kind == TASK, Task.staff_id == current_staff().id)
        task = row_access.find_or_404(Task, request.args.get("id"), within=own)
        if task.result.get("screen") != self.screen:
            abort(404)
        is_working = task.state == "running" and not core_background_tasks.is_lost(task)
        if "ask" in request.args:
            return jsonify(done=task.done, total=task.total, is_working=is_working)
        told = {int(key): why for key, why in task.result.get("refused", ())}
        names = {row.id: self.text_of(row) for row in self.rows_by_id(list(told))}
        return self.render(
            "panel/acted.html",
            task=task,
            is_working=is_working,
            refused=[(key, names.get(key, _("a row that is gone")), why) for key, why in told.items()],
            heading=task.result.get("title", ""),
            back=task.result.get("back", ""),
        )

    def rows_by_id(self, ids: Sequence[int]) -> list[Any]:
        """The rows of these ids that are in scope, by id."""
        raise NotImplementedError
