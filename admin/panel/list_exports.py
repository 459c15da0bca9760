"""Any list as a file: CSV with a BOM for spreadsheets, or XLSX; read in chunks, formulas made harmless.

A short list is sent at once. A long one is written behind a page that says how far it is (Task "export").
"""

from __future__ import annotations

import io
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from typing import Any

from flask import Response, abort, flash, jsonify, redirect, request, send_file
from flask_admin import expose
from flask_admin.helpers import set_current_view
from flask_babel import gettext as _
from markupsafe import escape
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from admin.panel import (
    background_tasks,
    formats,
    language,
    office_time,
    paging,
    permissions,
    row_access,
    row_counts,
)
from admin.panel.audit import record_reading
from admin.panel.bulk_edit import BulkEdit
from admin.panel.columns import Column
from admin.panel.list_query import read_cursor, read_query
from admin.panel.list_request import Query
from admin.panel.registry import view_of, views
from admin.panel.signed_in import current_staff
from admin.panel.table_screen import TableScreen
from models.base import db
from models.engine import set_writing, writing
from models.office import Task
from models.secrets import Sealed, masked
from office.core import background_tasks as core_background_tasks
from office.core import clock
from office.exchange import spreadsheets

KINDS = ("csv", "xlsx")
MEDIA = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
TASK = "export"
CHUNK = 2000
LONG = 20_000  # rows that are written behind a page
MOST_ROWS = 1_048_575  # of an XLSX sheet, below its header
BOM = "\ufeff"
WIDTHS = {"num": 14, "date": 18, "code": 18, "flag": 8, "text": 22}


def is_long(view: TableScreen, query: Query, most: int | None = None) -> bool:
    """Whether a query finds more rows than are sent at once, or than `most`."""
    return not row_counts.are_at_most(
        db.session(), view, view.conditions(query), LONG if most is None else most
    )


def export_now(view: TableScreen, query: Query, kind: str) -> Response:
    """The file of all rows of a query; the caller has checked permissions and written the audit row."""
    return file_response(content_of(view, query, kind), file_name(view, kind), kind)


def content_of(view: TableScreen, query: Query, kind: str) -> bytes:
    """What such a file holds."""
    columns = [view.column(name) for name in query.columns]
    lines = list_rows(view, query, columns)
    db.session.commit()
    return _content(kind, columns, lines)


def file_response(content: bytes, name: str, kind: str) -> Response:
    return send_file(io.BytesIO(content), mimetype=MEDIA[kind], as_attachment=True, download_name=name)


def table_response(header: Sequence[str], rows: Iterable[Sequence[Any]], name: str, kind: str) -> Response:
    """A table of an export as the file that is asked for."""
    with io.BytesIO() as made:
        if kind == "csv":
            text = io.TextIOWrapper(made, encoding="utf-8", newline="")
            text.write(BOM)
            spreadsheets.write_csv(text, header, rows)
            text.flush()
        else:
            spreadsheets.write_xlsx(made, header, rows)
        return file_response(made.getvalue(), name, kind)


def file_name(view: TableScreen, kind: str) -> str:
    return f"{view.screen}-{view.today().isoformat()}.{kind}"


def begin_export(view: TableScreen, query: Query, kind: str, *, staff_id: int) -> Task:
    """Start writing a long list; the caller has checked permissions and written the audit row."""
    about = {"screen": view.screen, "format": kind}
    db.session.commit()  # a reading transaction can't become a writing one
    with writing():
        task = core_background_tasks.begin(
            db.session(), TASK, total=0, staff_id=staff_id, now=view.now(), about=about
        )
        db.session.commit()
    code = language.current()
    args = dict(query.args)

    def work(session: Session, task_id: int) -> None:
        set_writing(False)  # the office goes on writing between the chunks
        with background_tasks.as_reader(staff_id, code):
            set_current_view(view)
            _write(session, task_id, view, args, kind)

    background_tasks.start(task.id, work)
    return task


def _write(session: Session, task_id: int, view: TableScreen, args: Mapping[str, str], kind: str) -> None:
    """Write the list into the task, saying how far it is after each chunk."""
    query = read_query(view, args)
    columns = [view.column(name) for name in query.columns]
    total = session.scalar(select(func.count(view.model.id)).where(*view.conditions(query))) or 0
    lines = list_rows(view, query, columns)
    session.commit()
    with writing():
        session.get_one(Task, task_id).total = total
        session.commit()
    content = _content(kind, columns, _with_progress(session, task_id, lines))
    session.commit()
    with writing():
        now = clock.now(session)
        core_background_tasks.keep_file(
            session, task_id, file_name(view, kind), MEDIA[kind], content, now=now
        )
        core_background_tasks.finish(session, task_id, now=now, done=total)
        session.commit()


def _with_progress(session: Session, task_id: int, lines: Iterator[list[Any]]) -> Iterator[list[Any]]:
    for count, line in enumerate(lines, start=1):
        yield line
        if count % CHUNK == 0:
            session.commit()
            with writing():
                core_background_tasks.advance(session, task_id, count)
                session.commit()


def _content(kind: str, columns: list[Column], lines: Iterator[list[Any]]) -> bytes:
    header = [str(column.label) for column in columns]
    with tempfile.TemporaryFile() as file:
        if kind == "csv":
            text = io.TextIOWrapper(file, encoding="utf-8", newline="")
            text.write(BOM)
            spreadsheets.write_csv(text, header, lines)
            text.flush()
        else:
            widths = [WIDTHS.get(column.layout, 22) for column in columns]
            spreadsheets.write_xlsx(file, header, lines, widths=widths)
        file.seek(0)
        return file.read()


Cell = Callable[[Any, Column, Any, Any], Any]


def screens() -> list[str]:
    """The screens that show a table and let somebody export it."""
    tables = [view.screen for view in views() if hasattr(view, "column_names")]
    rows = permissions.SCREENS
    return [screen for screen in tables if any("x" in letters for letters in rows.get(screen, {}).values())]


def whole_list(screen: str) -> tuple[list[str], Iterator[list[Any]]]:
    """A screen's whole list for scripts: its columns' names, codes as they are stored, sealed values masked.

    Raises KeyError when the screen has no list.
    """
    view = view_of(screen)
    if view is None or not hasattr(view, "column_names"):
        raise KeyError(screen)
    query = replace(read_query(view, {}), columns=view.column_names, sort="id", is_descending=False)
    columns = [view.column(name) for name in query.columns]
    return [column.name for column in columns], list_rows(view, query, columns, cell=stored_cell)


def stored_cell(view: TableScreen, column: Column, value: Any, _row: Any) -> Any:
    """One cell for scripts, made harmless where it is written."""
    if isinstance(view.sort_type(column.name), Sealed):
        return masked(value) if value else ""
    if isinstance(value, datetime):
        return value.astimezone(office_time.zone()).isoformat()
    return value.isoformat() if isinstance(value, date) else value


def list_rows(
    view: TableScreen,
    query: Query,
    columns: list[Column],
    cell: Cell | None = None,
) -> Iterator[list[Any]]:
    """Rows in the order of the list, chunk by chunk from where the last one ended.

    The reader's scope is applied now; the rows are read while the answer is sent.
    """
    conditions = view.conditions(query)
    asked = paging.narrowed(
        db.session(), view, replace(query, size=CHUNK, cursor=None, is_backward=False), conditions
    )
    return _chunks(view, asked, conditions, columns, cell or shown_cell)


def _chunks(
    view: TableScreen, query: Query, conditions: list[Any], columns: list[Column], cell: Cell
) -> Iterator[list[Any]]:
    while True:
        page = paging.page(db.session(), view, query, conditions)
        for row in page.rows:
            yield [cell(view, column, getattr(row, column.key), row) for column in columns]
        if not page.after:
            return
        query = replace(query, cursor=read_cursor(view, query, page.after))


def shown_cell(view: TableScreen, column: Column, value: Any, row: Any) -> Any:
    """One cell: codes and stored reasons in words, sealed values masked, the rest as the value itself."""
    if value is None:
        return None
    if column.name in view.choices:
        return str(view.choices[column.name].get(str(value), value))
    if isinstance(view.sort_type(column.name), Sealed):
        return masked(value) if value else ""
    if column.name in view.column_formats and isinstance(value, str):
        shown = column.show(value, row)
        return "" if shown is formats.EMPTY else escape(shown).striptags()
    return value.astimezone(office_time.zone()) if isinstance(value, datetime) else value


class ListExports(BulkEdit):
    @expose("/export/<export_type>/")
    def export(self, export_type: str) -> Any:
        """The rows and columns of the list, filtered, as CSV (with BOM) or XLSX."""
        if not self.can_export or export_type not in KINDS:
            abort(404)
        query = read_query(self, request.args)
        if query.unread:  # the file would hold more than the person thinks
            flash(_("One of the filters can't be read: mend or remove it, then export."), "error")
            return redirect(self.get_url(".index_view", **dict(query.key)))
        if export_type == "xlsx" and is_long(self, query, MOST_ROWS):
            flash(
                _(
                    "An XLSX sheet ends at %(most)s rows: narrow the list, or take CSV.",
                    most=f"{MOST_ROWS:,}",
                ),
                "error",
            )
            return redirect(self.get_url(".index_view", **dict(query.key)))
        record_reading("export", self.model.__tablename__, None, {"format": export_type, **query.args})
        if is_long(self, query):
            task = begin_export(self, query, export_type, staff_id=current_staff().id)
            return redirect(self.get_url(".exported_view", id=task.id))
        return export_now(self, query, export_type)

    @expose("/exported/")
    def exported_view(self) -> Any:
        """A long export: how far it is (`?ask=1` for the page that waits), then its file (`?file=1`)."""
        own = (Task.kind == TASK, Task.staff_id == current_staff().id)
        task = row_access.find_or_404(Task, request.args.get("id"), within=own)
        if task.result["screen"] != self.screen:
            abort(404)
        is_working = task.state == "running" and not core_background_tasks.is_lost(task)
        if "ask" in request.args:
            return jsonify(done=task.done, total=task.total, is_working=is_working)
        if "file" in request.args and task.file_name:
            return file_response(
                core_background_tasks.file_of(db.session(), task), task.file_name, task.result["format"]
            )
        return self.render("panel/exported.html", task=task, is_working=is_working, heading=_("Export"))
