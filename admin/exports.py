"""Any list as a file: CSV with a BOM for spreadsheets, or XLSX; read in chunks, formulas made harmless."""

from __future__ import annotations

import csv
import io
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date, datetime
from typing import Any

from flask import Response, send_file, stream_with_context
from sqlalchemy import select

from admin import formats, language, lists, permissions
from models.base import db

KINDS = ("csv", "xlsx")
CHUNK = 2000
MOST_ROWS = 1_000_000  # an XLSX sheet ends at 1,048,576


def answer(view: Any, query: lists.Query, kind: str) -> Response:
    """The file of all rows a query finds; the caller has checked who asks and written the audit row."""
    db.session.commit()
    columns = [view.column(name) for name in query.columns]
    header = [formats.neutral(str(column.label)) for column in columns]
    lines = rows_of(view, query, columns)
    name = f"{view.screen}-{view.today().isoformat()}.{kind}"
    if kind == "csv":
        return Response(
            stream_with_context(as_csv(header, lines)),
            mimetype="text/csv; charset=utf-8",
            headers={"Content-Disposition": f'attachment; filename="{name}"'},
        )
    return send_file(
        as_xlsx(header, lines),
        mimetype="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        as_attachment=True,
        download_name=name,
    )


def screens() -> list[str]:
    """The screens that show a table and let somebody export it."""
    from flask import current_app

    views = current_app.extensions["admin"][0]._views  # noqa: SLF001 -- Flask-Admin offers no list
    tables = [view.screen for view in views if hasattr(view, "column_names")]
    rows = permissions.SCREENS
    return [screen for screen in tables if any("x" in letters for letters in rows.get(screen, {}).values())]


def coded(screen: str) -> tuple[list[str], Iterator[list[Any]]]:
    """A screen's whole list for scripts: its columns' names, codes as they are stored, sealed values masked.

    Raises KeyError when the screen has no list.
    """
    from admin.base import view_of

    view = view_of(screen)
    if view is None or not hasattr(view, "column_names"):
        raise KeyError(screen)
    query = replace(lists.read_query(view, {}), columns=view.column_names)
    columns = [view.column(name) for name in query.columns]
    return [column.name for column in columns], rows_of(view, query, columns, cell=as_stored)


def as_stored(view: Any, column: lists.Column, value: Any) -> Any:
    """One cell for scripts, made harmless where it is written."""
    if isinstance(view.sort_type(column.name), formats.Sealed):
        return formats.masked(value) if value else ""
    if isinstance(value, datetime):
        return value.astimezone(formats.zone()).isoformat()
    return value.isoformat() if isinstance(value, date) else value


def rows_of(
    view: Any,
    query: lists.Query,
    columns: list[lists.Column],
    cell: Callable[[Any, lists.Column, Any], Any] | None = None,
) -> Iterator[list[Any]]:
    """Rows in id order, chunk by chunk from where the last one ended.

    What the reader may see is settled now: the rows are read while the answer is under way.
    """
    source = lists.Source(view.model, language.current(), view.column_computed)
    shown = [source.expression(column.name).label(column.key) for column in columns]
    statement = source.joined(select(view.model.id.label("id"), *shown).select_from(view.model))
    statement = (
        statement.where(*view.conditions(replace(query, cursor=None))).order_by(view.model.id).limit(CHUNK)
    )
    return _chunks(view, statement, columns, cell or exported)


def _chunks(
    view: Any, statement: Any, columns: list[lists.Column], said: Callable[[Any, lists.Column, Any], Any]
) -> Iterator[list[Any]]:
    last, count = 0, 0
    while count < MOST_ROWS:
        found = db.session.execute(statement.where(view.model.id > last)).all()
        for row in found:
            yield [said(view, column, getattr(row, column.key)) for column in columns]
        if len(found) < CHUNK:
            return
        last, count = found[-1].id, count + len(found)


def exported(view: Any, column: lists.Column, value: Any) -> Any:
    """One cell: codes by their label, sealed values masked, the rest as the value itself."""
    if column.name in view.choices and value is not None:
        value = str(view.choices[column.name].get(str(value), value))
    elif isinstance(view.sort_type(column.name), formats.Sealed):
        value = formats.masked(value) if value else ""
    return formats.plain_cell(value)


def as_csv(header: list[str], lines: Iterator[list[Any]]) -> Iterator[str]:
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    buffer.write("\ufeff")
    writer.writerow(header)
    for position, line in enumerate(lines):
        writer.writerow(line)
        if position % CHUNK == 0:
            yield buffer.getvalue()
            buffer.seek(0)
            buffer.truncate()
    yield buffer.getvalue()


def as_xlsx(header: list[str], lines: Iterator[list[Any]]) -> Any:
    """A temporary file, closed by the server when it was sent."""
    import xlsxwriter

    file = tempfile.TemporaryFile()  # noqa: SIM115 -- send_file closes it
    options = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    book = xlsxwriter.Workbook(file, options)
    sheet = book.add_worksheet()
    sheet.freeze_panes(1, 0)
    sheet.write_row(0, 0, header, book.add_format({"bold": True}))
    for number, line in enumerate(lines, start=1):
        for position, value in enumerate(line):
            if isinstance(value, str):
                sheet.write_string(number, position, value)
            else:
                sheet.write_number(number, position, float(value))
    book.close()
    file.seek(0)
    return file
