"""Reports on paper: complaints of a month, the weekly meeting (K3, K5)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from office.documents.pdf.blocks import Block, Column, Signatures, Table, Text, WritingLines
from office.documents.pdf.builder import DocumentBuilder
from office.documents.pdf.document import Document
from office.documents.pdf.templates import Blocks
from office.documents.pdf.values import EstateDetails
from rules.report_rates import percent


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
    is_on_time: bool | None = False  # None: a deadline still runs
    satisfaction: int | None = None


@dataclass(frozen=True)
class MonthlyComplaints:
    period: str
    made_on: date
    rows: tuple[ComplaintRow, ...]


def monthly_complaints(
    report: MonthlyComplaints, estate: EstateDetails, language: str, stored: Blocks | None = None
) -> Document:
    """All valid complaints of a month as a table, with counts by category (K3)."""
    builder = DocumentBuilder("monthly_complaints", estate, language, stored)
    words, zone = builder.words, estate.time_zone
    period = words.period(report.period)
    builder.fill(
        estate_name=estate.name,
        period=period,
        ticket_count=str(len(report.rows)),
        on_time_count=str(sum(row.is_on_time is True for row in report.rows)),
    )
    columns = [
        builder.column("ticket_no"),
        builder.column("registered_at", 2.4),
        builder.column("unit_code"),
        builder.column("category", 2),
        builder.column("severity", 1.8),
        builder.column("statement", 5),
        builder.column("department", 2),
        builder.column("result", 4),
        builder.column("on_time", align="center"),
        builder.column("satisfaction", align="center"),
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
            {None: "–", True: words["yes"], False: words["no"]}[row.is_on_time],
            str(row.satisfaction or ""),
        ]
        for row in report.rows
    ]
    parts: list[Block] = [
        *builder.text("body", is_letter=True),
        *_section(builder, "summary", _by_category(builder, report.rows)),
        *_section(builder, "all_valid", Table(columns, rows, size=8)),
        Signatures((words["made_by"], words["checked_by"], words["signature_manager"]), words["date_blank"]),
    ]
    return builder.document(parts, form="a4_wide", under_title=(words.pair("month", period),))


def _by_category(builder: DocumentBuilder, rows: Sequence[ComplaintRow]) -> Table:
    words = builder.words
    counts = Counter(row.category for row in rows)
    on_time = Counter(row.category for row in rows if row.is_on_time)
    major = Counter(row.category for row in rows if row.severity == "major")
    lines = [
        [words.code("category", category), str(count), str(major[category]), str(on_time[category])]
        for category, count in counts.most_common()
    ]
    lines.append([words["total"], str(len(rows)), str(major.total()), str(on_time.total())])
    columns = [
        builder.column("category", 3),
        builder.column("count", 1, "right"),
        builder.column("severity.major", 1, "right"),
        builder.column("on_time", 1, "right"),
    ]
    return Table(columns, lines, sums=1)


@dataclass(frozen=True)
class StewardRow:
    """What a steward collected of what was billed, against the target in yuan; None without one."""

    steward: str
    area: str
    target: Decimal | None
    collected: Decimal
    billed: Decimal

    @property
    def distance(self) -> Decimal | None:
        """How many yuan are missing to the target."""
        return None if self.target is None else max(self.target - self.collected, Decimal(0))


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
    sheet: WeeklyMeeting, estate: EstateDetails, language: str, stored: Blocks | None = None
) -> Document:
    """The sheet for the weekly meeting: collected against target, escalated, promises due (K5)."""
    builder = DocumentBuilder("weekly_meeting", estate, language, stored)
    words = builder.words
    builder.fill(
        estate_name=estate.name, week_from=words.day(sheet.week_from), week_to=words.day(sheet.week_to)
    )
    parts: list[Block] = [
        *_section(builder, "collected_against_target", _stewards(builder, sheet.stewards)),
        *_section(builder, "escalated", _escalated(builder, sheet.escalated)),
        *_section(builder, "promises_due", _promises(builder, sheet.promises)),
        WritingLines(words["decisions"], lines=5),
        Signatures((words["made_by"], words["signature_manager"]), words["date_blank"]),
    ]
    return builder.document(parts, under_title=(builder["body"],))


def _stewards(builder: DocumentBuilder, rows: Sequence[StewardRow]) -> Table | None:
    if not rows:
        return None

    def shown(amount: Decimal | None) -> str:
        return "–" if amount is None else builder.money(amount)

    def rate(collected: Decimal, billed: Decimal) -> str:
        found = percent(collected, billed)
        return "–" if found is None else f"{found:.1f} %"

    lines = [
        [
            row.steward,
            row.area,
            shown(row.target),
            builder.money(row.collected),
            shown(row.distance),
            rate(row.collected, row.billed),
        ]
        for row in rows
    ]
    collected, billed = (
        sum(sums, Decimal(0)) for sums in zip(*((row.collected, row.billed) for row in rows), strict=True)
    )
    lines.append(
        [
            builder.words["total"],
            "",
            shown(_sum(row.target for row in rows)),
            builder.money(collected),
            shown(_sum(row.distance for row in rows)),
            rate(collected, billed),
        ]
    )
    columns = [
        builder.column("steward", 2),
        builder.column("area", 2),
        builder.column("target", align="right"),
        builder.column("collected", align="right"),
        builder.column("distance", align="right"),
        builder.column("collection_rate", align="right"),
    ]
    return Table(columns, lines, sums=1)


def _sum(amounts: Iterable[Decimal | None]) -> Decimal | None:
    """The sum of what is there; None of nothing."""
    there = [amount for amount in amounts if amount is not None]
    return sum(there, Decimal(0)) if there else None


def _escalated(builder: DocumentBuilder, rows: Sequence[EscalatedRow]) -> Table | None:
    if not rows:
        return None
    words, zone = builder.words, builder.estate.time_zone
    columns = [
        builder.column("ticket_no"),
        builder.column("unit_code"),
        builder.column("category", 2),
        builder.column("statement", 4),
        builder.column("department", 2),
        builder.column("level", align="center"),
        builder.column("deadline", 3),
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


def _promises(builder: DocumentBuilder, rows: Sequence[PromiseRow]) -> Table | None:
    if not rows:
        return None
    columns = [
        builder.column("unit_code", 2),
        builder.column("payer", 3),
        builder.column("promised_on", 2),
        builder.column("amount", align="right"),
        builder.column("steward", 2),
    ]
    lines = [
        [
            row.unit_code,
            row.payer_name,
            builder.words.day(row.promised_on),
            builder.money(row.amount),
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
    notes: tuple[str, ...] = ()  # what each figure counts


@dataclass(frozen=True)
class ReportSheet:
    """A report as managers see it on screen (K6)."""

    name: str
    scope: str
    made_on: date
    tables: tuple[SheetTable, ...]


WIDE_FROM = 7  # columns


def report_sheet(
    sheet: ReportSheet, estate: EstateDetails, language: str, stored: Blocks | None = None
) -> Document:
    """The tables of a report under each other (K6)."""
    builder = DocumentBuilder("report_sheet", estate, language, stored)
    words = builder.words
    builder.fill(
        estate_name=estate.name, report=sheet.name, scope=sheet.scope, made_on=words.day(sheet.made_on)
    )
    parts: list[Block] = builder.text("body")
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
        parts.append(Text(table.title, size=11, ink="bold", after=3, is_heading=True))
        parts.append(body or Text(words["none"], size=9, ink="faint"))
        parts += [Text(note, size=8, ink="faint") for note in table.notes]
    under = (sheet.name, sheet.scope, words.day(sheet.made_on))
    is_wide = any(len(table.columns) >= WIDE_FROM for table in sheet.tables)
    return builder.document(parts, form="a4_wide" if is_wide else "a4", under_title=under)


def _section(builder: DocumentBuilder, key: str, table: Table | None) -> list[Block]:
    """A heading with its table, or with the word for none."""
    heading = Text(builder.words[key], size=11, ink="bold", after=3, is_heading=True)
    return [heading, table or Text(builder.words["none"], size=9, ink="faint")]
