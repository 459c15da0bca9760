"""A report's table as a card: words, links to the lists behind it, its chart, and its files (K4, K6)."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from flask import Response

from admin.panel import language, list_exports, office_time
from admin.panel.addresses import address_with
from admin.panel.permissions import may_see
from admin.panel.responses import pdf_response
from models.base import db
from office.documents.filing import unfiled_pdf
from office.documents.pdf.reports import ReportSheet, SheetColumn, SheetRow, SheetTable
from office.documents.pdf.wording import Words, words_of
from office.exchange import spreadsheets
from office.reports import complaints, rendering, weekly
from office.reports.table import Chart, Column, Line, Link, Table, Wanted

FIGURES = tuple(
    Column(key) for key in ("rate_amount", "rate_households", "open_now", "overdue_amount", "rate_kept")
)
FILES = (*list_exports.KINDS, "pdf")


@dataclass(frozen=True)
class Row:
    """A line in words; `address` leads to the list behind it."""

    cells: Sequence[str]
    address: str = ""
    is_total: bool = False
    head: int = 0  # the cell that names the line


@dataclass(frozen=True)
class Card:
    """All that the template report_card.html shows of one table."""

    table: Table
    title: str
    note: str
    headings: Sequence[tuple[str, str, str]]  # words, layout, what the column counts
    rows: Sequence[Row]
    chart: Mapping[str, str] | None
    files: Mapping[str, str]  # kind → address


def words() -> Words:
    return words_of(language.current())


def hints() -> dict[str, str]:
    """What the figures beside the tables count, by column, in the reader's language."""
    said = words()
    return {column.key: rendering.hint(column, said) for column in (*FIGURES, *complaints.COMPLAINTS)}


def address(link: Link | None) -> str:
    """Where a line leads; nothing when the reader may not go there."""
    if link is None:
        return ""
    screen, _slash, page = link.screen.partition("/")
    if not may_see(screen):
        return ""
    if page:
        return address_with(f"{screen}.{page}_view", link.query)
    is_page = screen in {"reports", "household"}
    return address_with(f"{screen}.index" if is_page else f"{screen}.index_view", link.query)


def card(table: Table, file_address: Callable[[str], str] | None = None) -> Card:
    """The table as a card; `file_address` says where its file of a kind is."""
    said, zone = words(), office_time.zone()
    return Card(
        table=table,
        title=rendering.title(table, said),
        note=rendering.note(table, said),
        headings=[
            (rendering.heading(column, said), _layout(column), rendering.hint(column, said))
            for column in table.columns
        ],
        rows=[_row(table, line, said, zone) for line in table.lines],
        chart=_chart(table, table.chart, said) if table.chart and table.lines else None,
        files={kind: file_address(kind) for kind in FILES} if file_address else {},
    )


def _row(table: Table, line: Line, said: Words, zone: ZoneInfo) -> Row:
    shown = rendering.cells(table, line, said, zone)
    return Row(shown, address(line.link), line.is_total, table.head if shown[table.head] else 0)


def _layout(column: Column) -> str:
    """How a column is set: numbers to the right, long texts wide, a day or a unit's number on one line."""
    if column.kind in rendering.NUMBERS:
        return "num"
    if column.key == "unit_code":
        return "once"
    return {"long": "long", "instant": "when", "day": "once", "flag": "once"}.get(column.kind, "")


def _chart(table: Table, chart: Chart, said: Words) -> dict[str, str]:
    """The data of charts.js: names, series and the target line, without totals."""
    zone = office_time.zone()
    lines = [line for line in table.lines if not line.is_total]
    series = [
        {
            "label": rendering.heading(table.columns[number], said),
            "values": [None if line.cells[number] is None else float(line.cells[number]) for line in lines],
        }
        for number in chart.values
    ]
    names = [rendering.cells(table, line, said, zone)[chart.label] for line in lines]
    return {
        "kind": chart.kind,
        "labels": json.dumps(names, ensure_ascii=False),
        "series": json.dumps(series, ensure_ascii=False),
        "links": json.dumps([address(line.link) for line in lines]),
        "target": "" if chart.target is None else str(chart.target),
        "target_label": said["target"],
        "unit": "%" if table.columns[chart.values[0]].kind == "rate" else "",
    }


# Files -------------------------------------------------------------------------------------------------


def file(tables: Sequence[Table], wanted: Wanted, *, name: str, scope: str, kind: str) -> Response:
    """Tables as a file: CSV and XLSX hold the first, a PDF all of them."""
    if kind == "pdf":
        return pdf_response(pdf(tables, wanted, scope=scope), f"{name}.pdf")
    table, said, zone = tables[0], words(), office_time.zone()
    header = rendering.headings(table, said)
    lines = [rendering.plain_cells(table, line, said, zone) for line in table.lines]
    with io.BytesIO() as made:
        if kind == "csv":
            text = io.TextIOWrapper(made, encoding="utf-8", newline="")
            text.write(list_exports.BOM)
            spreadsheets.write_csv(text, header, lines)
            text.flush()
        else:
            spreadsheets.write_xlsx(made, header, lines)
        return list_exports.file_response(made.getvalue(), f"{name}.{kind}", kind)


def book(tables: Sequence[Table], *, name: str) -> Response:
    """Tables as one workbook, a sheet for each."""
    said, zone = words(), office_time.zone()
    sheets = {
        rendering.title(table, said): (
            rendering.headings(table, said),
            [rendering.plain_cells(table, line, said, zone) for line in table.lines],
        )
        for table in tables
    }
    with io.BytesIO() as made:
        spreadsheets.write_book(made, sheets)
        return list_exports.file_response(made.getvalue(), f"{name}.xlsx", "xlsx")


def weekly_paper(wanted: Wanted, *, name: str) -> Response:
    """The sheet of the weekly meeting. Raises Refused when it can't be printed (K5)."""
    session = db.session()
    sheet = weekly.meeting(session, wanted)
    made = unfiled_pdf(session, "weekly_meeting", sheet, language=language.current(), now=wanted.now)
    return pdf_response(made, f"{name}.pdf")


def pdf(tables: Sequence[Table], wanted: Wanted, *, scope: str) -> bytes:
    """The tables as one paper. Raises Refused when it can't be printed."""
    sheet = sheet_of(tables, wanted, words(), scope=scope)
    return unfiled_pdf(db.session(), "report_sheet", sheet, language=language.current(), now=wanted.now)


def sheet_of(tables: Sequence[Table], wanted: Wanted, said: Words, *, scope: str) -> ReportSheet:
    zone = office_time.zone()
    return ReportSheet(
        name=rendering.title(tables[0], said),
        scope=scope,
        made_on=wanted.today,
        tables=tuple(
            SheetTable(
                title=rendering.title(table, said),
                columns=tuple(
                    SheetColumn(
                        rendering.heading(column, said),
                        is_number=column.kind in rendering.NUMBERS,
                        is_long=column.kind == "long",
                    )
                    for column in table.columns
                ),
                rows=tuple(SheetRow(tuple(rendering.cells(table, line, said, zone))) for line in table.lines),
                sums=_sums(table),
                notes=rendering.notes(table, said),
            )
            for table in tables
        ),
    )


def _sums(table: Table) -> int:
    """How many lines at the end are totals."""
    count = 0
    for line in reversed(table.lines):
        if not line.is_total:
            break
        count += 1
    return count
