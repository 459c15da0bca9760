"""Reports on paper: complaints of a month, the weekly meeting (K3, K5)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from office.documents.pdf.blocks import Column, Part, Ruled, Signatures, Table, Text
from office.documents.pdf.builder import Draft
from office.documents.pdf.document import Paper
from office.documents.pdf.templates import Blocks
from office.documents.pdf.values import Estate


@dataclass(frozen=True)
class ComplaintRow:
    """One valid complaint of the month, without the complainant's identity."""

    number: str
    registered_at: datetime
    unit_code: str
    category: str
    severity: str
    statement: str
    department: str = ""
    result: str = ""
    resolved_at: datetime | None = None
    is_on_time: bool = False
    satisfaction: int | None = None


@dataclass(frozen=True)
class MonthlyComplaints:
    period: str
    made_on: date
    rows: tuple[ComplaintRow, ...]


def monthly_complaints(
    report: MonthlyComplaints, estate: Estate, language: str, stored: Blocks | None = None
) -> Paper:
    """All valid complaints of a month as a table, with counts by category (K3)."""
    draft = Draft("monthly_complaints", estate, language, stored)
    words, zone = draft.words, estate.time_zone
    period = words.period(report.period)
    draft.fill(
        estate_name=estate.name,
        period=period,
        ticket_count=str(len(report.rows)),
        on_time_count=str(sum(row.is_on_time for row in report.rows)),
    )
    columns = [
        draft.column("ticket_no"),
        draft.column("registered_at", 2.4),
        draft.column("unit_code"),
        draft.column("category", 2),
        draft.column("severity", 1.8),
        draft.column("statement", 5),
        draft.column("department", 2),
        draft.column("result", 4),
        draft.column("on_time", align="center"),
        draft.column("satisfaction", align="center"),
    ]
    rows = [
        [
            row.number,
            words.instant(row.registered_at, zone),
            row.unit_code,
            words.code("category", row.category),
            words.code("severity", row.severity),
            row.statement,
            row.department,
            row.result,
            words["yes"] if row.is_on_time else words["no"],
            str(row.satisfaction or ""),
        ]
        for row in report.rows
    ]
    parts: list[Part] = [
        *draft.text("body", is_letter=True),
        *_section(draft, "summary", _by_category(draft, report.rows)),
        *_section(draft, "all_valid", Table(columns, rows, size=8)),
        Signatures((words["made_by"], words["checked_by"], words["signature_manager"]), words["date_blank"]),
    ]
    return draft.paper(parts, form="a4_wide", under_title=(words.pair("month", period),))


def _by_category(draft: Draft, rows: Sequence[ComplaintRow]) -> Table:
    words = draft.words
    counts = Counter(row.category for row in rows)
    on_time = Counter(row.category for row in rows if row.is_on_time)
    major = Counter(row.category for row in rows if row.severity == "major")
    lines = [
        [words.code("category", category), str(count), str(major[category]), str(on_time[category])]
        for category, count in counts.most_common()
    ]
    lines.append([words["total"], str(len(rows)), str(major.total()), str(on_time.total())])
    columns = [
        draft.column("category", 3),
        draft.column("count", 1, "right"),
        draft.column("severity.major", 1, "right"),
        draft.column("on_time", 1, "right"),
    ]
    return Table(columns, lines, sums=1)


@dataclass(frozen=True)
class StewardRow:
    """What a steward collected against the target; rate in percent."""

    steward: str
    area: str
    target: Decimal
    collected: Decimal
    rate: Decimal


@dataclass(frozen=True)
class EscalatedRow:
    number: str
    unit_code: str
    category: str
    level: int
    department: str
    due_at: datetime | None
    statement: str = ""


@dataclass(frozen=True)
class PromiseRow:
    unit_code: str
    payer_name: str
    promised_on: date
    amount: Decimal
    steward: str


@dataclass(frozen=True)
class WeeklyMeeting:
    week_from: date
    week_to: date
    stewards: tuple[StewardRow, ...]
    escalated: tuple[EscalatedRow, ...] = ()
    promises: tuple[PromiseRow, ...] = ()


def weekly_meeting(
    sheet: WeeklyMeeting, estate: Estate, language: str, stored: Blocks | None = None
) -> Paper:
    """The sheet for the weekly meeting: collected against target, escalated, promises due (K5)."""
    draft = Draft("weekly_meeting", estate, language, stored)
    words = draft.words
    draft.fill(
        estate_name=estate.name, week_from=words.day(sheet.week_from), week_to=words.day(sheet.week_to)
    )
    parts: list[Part] = [
        *_section(draft, "collected_against_target", _stewards(draft, sheet.stewards)),
        *_section(draft, "escalated", _escalated(draft, sheet.escalated)),
        *_section(draft, "promises_due", _promises(draft, sheet.promises)),
        Ruled(words["decisions"], lines=5),
        Signatures((words["made_by"], words["signature_manager"]), words["date_blank"]),
    ]
    return draft.paper(parts, under_title=(draft["body"],))


def _stewards(draft: Draft, rows: Sequence[StewardRow]) -> Table | None:
    if not rows:
        return None
    lines = [
        [
            row.steward,
            row.area,
            draft.money(row.target),
            draft.money(row.collected),
            draft.money(max(row.target - row.collected, Decimal(0))),
            f"{row.rate:.1f} %",
        ]
        for row in rows
    ]
    target = sum((row.target for row in rows), Decimal(0))
    collected = sum((row.collected for row in rows), Decimal(0))
    rate = f"{collected / target * 100:.1f} %" if target else ""
    distance = draft.money(max(target - collected, Decimal(0)))
    lines.append([draft.words["total"], "", draft.money(target), draft.money(collected), distance, rate])
    columns = [
        draft.column("steward", 2),
        draft.column("area", 2),
        draft.column("target", align="right"),
        draft.column("collected", align="right"),
        draft.column("distance", align="right"),
        draft.column("collection_rate", align="right"),
    ]
    return Table(columns, lines, sums=1)


def _escalated(draft: Draft, rows: Sequence[EscalatedRow]) -> Table | None:
    if not rows:
        return None
    words, zone = draft.words, draft.estate.time_zone
    columns = [
        draft.column("ticket_no"),
        draft.column("unit_code"),
        draft.column("category", 2),
        draft.column("statement", 4),
        draft.column("department", 2),
        draft.column("level", align="center"),
        draft.column("deadline", 3),
    ]
    lines = [
        [
            row.number,
            row.unit_code,
            words.code("category", row.category),
            row.statement,
            row.department,
            str(row.level),
            words.instant(row.due_at, zone),
        ]
        for row in rows
    ]
    return Table(columns, lines)


def _promises(draft: Draft, rows: Sequence[PromiseRow]) -> Table | None:
    if not rows:
        return None
    columns = [
        draft.column("unit_code", 2),
        draft.column("payer", 3),
        draft.column("promised_on", 2),
        draft.column("amount", align="right"),
        draft.column("steward", 2),
    ]
    lines = [
        [
            row.unit_code,
            row.payer_name,
            draft.words.day(row.promised_on),
            draft.money(row.amount),
            row.steward,
        ]
        for row in rows
    ]
    return Table(columns, lines)


@dataclass(frozen=True)
class SheetColumn:
    title: str
    is_number: bool = False
    is_long: bool = False


@dataclass(frozen=True)
class SheetRow:
    cells: tuple[str, ...]


@dataclass(frozen=True)
class SheetTable:
    """One table of a report in the reader's words; its last `sums` rows are totals."""

    title: str
    columns: tuple[SheetColumn, ...]
    rows: tuple[SheetRow, ...]
    sums: int = 0
    note: str = ""


@dataclass(frozen=True)
class ReportSheet:
    """A report as managers see it on screen (K6)."""

    name: str
    scope: str
    made_on: date
    tables: tuple[SheetTable, ...]


WIDE_FROM = 7  # columns


def report_sheet(sheet: ReportSheet, estate: Estate, language: str, stored: Blocks | None = None) -> Paper:
    """The tables of a report under each other (K6)."""
    draft = Draft("report_sheet", estate, language, stored)
    words = draft.words
    draft.fill(
        estate_name=estate.name, report=sheet.name, scope=sheet.scope, made_on=words.day(sheet.made_on)
    )
    parts: list[Part] = draft.text("body")
    for table in sheet.tables:
        columns = [
            Column(one.title, 4 if one.is_long else 0, "right" if one.is_number else "left")
            for one in table.columns
        ]
        if not any(column.share for column in columns):
            columns[0] = Column(columns[0].title, 1, columns[0].align)
        body = (
            Table(columns, [row.cells for row in table.rows], sums=table.sums, size=8) if table.rows else None
        )
        parts.append(Text(table.title, size=11, ink="bold", after=3))
        parts.append(body or Text(words["none"], size=9, ink="faint"))
        if table.note:
            parts.append(Text(table.note, size=8, ink="faint"))
    under = (sheet.name, sheet.scope, words.day(sheet.made_on))
    is_wide = any(len(table.columns) >= WIDE_FROM for table in sheet.tables)
    return draft.paper(parts, form="a4_wide" if is_wide else "a4", under_title=under)


def _section(draft: Draft, key: str, table: Table | None) -> list[Part]:
    """A heading with its table, or with the word for none."""
    heading = Text(draft.words[key], size=11, ink="bold", after=3)
    return [heading, table or Text(draft.words["none"], size=9, ink="faint")]
