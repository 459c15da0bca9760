"""The old complaint register (contract "Imports": tickets); severity is judged where the file says none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.complaints import Ticket
from office.complaints import legacy_import
from office.complaints.legacy_import import LegacyTicket
from office.core.database import chunks
from office.core.errors import N_
from office.exchange.imports import cells, columns, words
from office.exchange.imports.columns import Column, Known, Problem, heads, key_text, plainly, text
from office.exchange.imports.taken import Taken
from rules.severity import Facts
from rules.text_keys import compared_key

FLAGS: Mapping[str, tuple[str, ...]] = {
    "is_media": ("媒体", "媒體", "媒体曝光", "媒体关注", "是否媒体", "涉及媒体"),
    "is_injury": ("人身伤害", "人身傷害", "受伤", "是否伤人", "涉及人身伤害"),
    "is_legal_letter": ("律师函", "律師函", "律师函或索赔", "是否律师函"),
    "is_repeat": ("重复投诉", "重複投訴", "是否重复", "二次投诉"),
    "is_written": ("书面投诉", "書面投訴", "书面", "是否书面"),
    "from_authority": (
        "上级或政府转办",
        "上級或政府轉辦",
        "政府转办",
        "上级转办",
        "是否转办",
        "主管部门转办",
    ),
    "about_staff_conduct": ("员工行为", "員工行為", "服务态度", "涉及员工", "员工态度"),
    "happening_now": ("正在发生", "正在發生", "是否正在发生", "进行中"),
}
COLUMNS: tuple[Column, ...] = (
    Column(
        "number",
        ("投诉编号", "投訴編號", "编号", "編號", "单号", "投诉单号", "no."),
        key_text(40),
        empty="",
        is_code=True,
    ),
    Column(
        "registered_at",
        ("登记时间", "登記時間", "投诉时间", "投訴時間", "受理时间", "登记日期", "投诉日期", "受理日期"),
        columns.instant,
        is_required=True,
        is_key=True,
    ),
    Column(
        "channel",
        ("投诉渠道", "投訴渠道", "渠道", "来源", "投诉方式", "受理渠道"),
        plainly(cells.one_of(words.CHANNEL_WORDS)),
        is_required=True,
    ),
    Column("unit_code", columns.UNIT_HEADERS, columns.unit_code, empty="", is_code=True),
    Column("complainant", ("投诉人", "投訴人", "姓名", "业主姓名", "投诉人姓名"), text(120), empty=""),
    Column(
        "category",
        ("投诉类别", "投訴類別", "类别", "類別", "投诉类型", "分类"),
        columns.category,
        is_required=True,
    ),
    Column(
        "statement",
        ("投诉内容", "投訴內容", "内容", "內容", "投诉事项", "事由", "描述"),
        text(20_000),
        is_required=True,
    ),
    Column(
        "severity",
        ("投诉级别", "投訴級別", "级别", "級別", "严重程度", "投诉等级"),
        plainly(cells.one_of(words.SEVERITY_WORDS)),
        empty="",
    ),
    Column("resolved_at", ("解决时间", "解決時間", "处理完成时间", "办结时间", "完成时间"), columns.instant),
    Column("followed_up_at", ("回访时间", "回訪時間", "回访日期"), columns.instant),
    Column(
        "satisfaction", ("满意度", "滿意度", "回访满意度", "评分"), plainly(cells.whole(1, 5)), measure="own"
    ),
    Column(
        "household_count",
        ("户数", "戶數", "涉及户数", "投诉户数", "联名户数"),
        plainly(cells.whole(0, 1_000_000)),
        empty=0,
        measure="own",
    ),
    Column(
        "loss_amount",
        heads("损失金额 損失金額 损失 经济损失"),
        plainly(cells.money),
        empty=Decimal(0),
        measure="yuan",
    ),
    *(Column(code, names, plainly(cells.flag), empty=False) for code, names in FLAGS.items()),
)


def problems(rows: Sequence[Mapping[str, Any]], known: Known) -> list[Problem]:
    return [*_solved_too_early(rows), *_numbers_of_others(rows, known.session)]


def _numbers_of_others(rows: Sequence[Mapping[str, Any]], session: Session) -> list[Problem]:
    """The rows whose number another complaint has, in the office or above in the file."""
    stored: dict[str, tuple[Any, ...]] = {}
    for some in chunks(sorted({compared_key(row["number"]) for row in rows if row["number"]})):
        asked = select(Ticket.number_folded, Ticket.registered_at, Ticket.statement)
        asked = asked.where(Ticket.number_folded.in_(some))
        stored |= {number: tuple(content) for number, *content in session.execute(asked)}
    first: dict[str, Mapping[str, Any]] = {}
    wrong = []
    for row in rows:
        if not row["number"]:
            continue
        number = compared_key(row["number"])
        is_stored = stored.get(number, _content(row)) == _content(row)
        above = first.setdefault(number, row)
        others = (column.code for column in COLUMNS if column.code != "number")
        if is_stored and all(row[code] == above[code] for code in others):
            continue
        wrong.append(
            columns.problem(
                row,
                "number",
                row["number"],
                N_("another complaint has this number"),
                N_("Give one of the two complaints another number"),
            )
        )
    return wrong


def _content(row: Mapping[str, Any]) -> tuple[Any, ...]:
    return row["registered_at"], row["statement"]


def _solved_too_early(rows: Sequence[Mapping[str, Any]]) -> list[Problem]:
    return [
        columns.problem(
            row,
            "resolved_at",
            row["resolved_at"].isoformat(),
            N_("before the registration"),
            N_("Write the time at which it was solved, after it was registered"),
        )
        for row in rows
        if row["resolved_at"] is not None and row["resolved_at"] < row["registered_at"]
    ]


def take_in(
    session: Session, given: Sequence[Mapping[str, Any]], *, now: datetime, **_present: object
) -> Taken:
    """Add the tickets that are not known yet, with the clocks they would have had (T1, T4)."""
    facts = {*FLAGS, "household_count", "loss_amount"}
    rows = [
        LegacyTicket(
            facts=Facts(**{code: row[code] for code in facts}),
            **{code: value for code, value in row.items() if code not in facts and code != "line"},
        )
        for row in given
    ]
    done = legacy_import.import_tickets(session, rows, now=now)
    return Taken(new=done.added, skipped=done.skipped)
