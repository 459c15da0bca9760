"""The old complaint register (contract "Imports": tickets); severity is judged where the file says none.

As it stands, what is not resolved goes on, and what is resolved is visited. As HISTORY, what has ended is
closed and nothing follows from it (R5).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.complaints import Ticket
from office.complaints import legacy_import, ticket_history
from office.complaints.legacy_import import LegacyTicket
from office.complaints.policies_in_force import PolicyTimeline
from office.core import clock
from office.core.database import chunks
from office.core.errors import N_
from office.exchange.imports import cells, columns, ticket_differences, words
from office.exchange.imports.columns import Column, Known, Problem, heads, key_text, plainly, text
from office.exchange.imports.taken import NO_UPDATE, Taken, Update, counted
from office.exchange.imports.ticket_differences import TicketDifference
from rules.old_registers import Outcome, following
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
    Column(
        "resolution",
        ("处理结果", "處理結果", "处理情况", "處理情況", "处理措施", "解决方案"),
        text(20_000),
        empty="",
    ),
    Column(
        "handler", ("处理人", "處理人", "经办人", "經辦人", "责任人", "跟进人", "管家"), text(120), empty=""
    ),
    Column(
        "resolved_at",
        ("解决时间", "解決時間", "处理完成时间", "办结时间", "完成时间", "解决日期", "完成日期", "办结日期"),
        columns.instant,
    ),
    Column(
        "outcome",
        ("结案情况", "結案情況", "办结情况", "处理状态", "處理狀態", "状态", "狀態", "处理进度"),
        plainly(cells.one_of(words.TICKET_OUTCOME_WORDS)),
        empty="",
    ),
    Column(
        "closed_at",
        ("结案时间", "結案時間", "结案日期", "关闭时间", "關閉時間", "闭单时间", "归档日期"),
        columns.instant,
    ),
    Column(
        "kind",
        ("诉求类型", "訴求類型", "受理类型", "事项类型"),
        plainly(cells.one_of(words.TICKET_KIND_WORDS)),
        empty="complaint",
        is_in_template=False,
    ),
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
    return [*_ended(rows, known.zone), *_all_wrong(rows, known)]


def _all_wrong(rows: Sequence[Mapping[str, Any]], known: Known) -> list[Problem]:
    """What is wrong with rows of a register, whatever becomes of what has ended."""
    return [
        *_other_kinds(rows),
        *_too_early(rows, known.zone),
        *_unknown_severities(rows, known.session),
        *_numbers_of_others(rows, known.session),
    ]


def _written(at: datetime, zone: ZoneInfo) -> str:
    """An instant as a person reads it in the register."""
    return f"{at.astimezone(zone):%Y-%m-%d %H:%M}"


def _ended(rows: Sequence[Mapping[str, Any]], zone: ZoneInfo) -> list[Problem]:
    """The rows of complaints that ended otherwise than by being solved: these are history."""
    return [
        columns.problem(
            row,
            "closed_at" if row["closed_at"] else "outcome",
            _written(row["closed_at"], zone) if row["closed_at"] else row["outcome"],
            N_("this complaint has ended already"),
            N_("Bring the register in as history (--history), or leave this row out"),
        )
        for row in rows
        if row["closed_at"] or row["outcome"] in {Outcome.CANCELLED, Outcome.INVALID, Outcome.MOVED}
    ]


def _other_kinds(rows: Sequence[Mapping[str, Any]]) -> list[Problem]:
    return [
        columns.problem(
            row,
            "kind",
            row["kind"],
            N_("this is no complaint"),
            N_("Leave this row out: the register keeps complaints only"),
        )
        for row in rows
        if row["kind"] != "complaint"
    ]


def _unknown_severities(rows: Sequence[Mapping[str, Any]], session: Session) -> list[Problem]:
    """The rows with a severity that the office did not have when they were registered."""
    policies = PolicyTimeline(session)
    wrong = []
    for row in rows:
        if not row["severity"]:
            continue
        known = [level.code for level in policies.at(row["registered_at"]).severities.level]
        if row["severity"] not in known:
            remedy = N_("Write one of: %(known)s")
            said = N_("There is no severity %(severity)s here")
            values = {"severity": row["severity"], "known": "、".join(known)}
            wrong.append(columns.problem(row, "severity", row["severity"], said, remedy, **values))
    return wrong


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


def _too_early(rows: Sequence[Mapping[str, Any]], zone: ZoneInfo) -> list[Problem]:
    """The rows whose dates do not follow each other, or whose outcome contradicts them."""
    found = (_out_of_order(row, zone) for row in rows)
    return [problem for problem in found if problem is not None]


def _out_of_order(row: Mapping[str, Any], zone: ZoneInfo) -> Problem | None:
    resolved_at = row["resolved_at"]
    if resolved_at is not None and following(row["registered_at"], resolved_at, zone) is None:
        said = N_("before the registration")
        remedy = N_("Write the time at which it was solved, after it was registered")
        return columns.problem(row, "resolved_at", _written(resolved_at, zone), said, remedy)
    since, said = row["registered_at"], N_("before the registration")
    if resolved_at is not None:
        since, said = max(resolved_at, since), N_("before the solution")
    for column in ("followed_up_at", "closed_at"):
        at = row[column]
        if at is not None and following(since, at, zone) is None:
            remedy = N_("Write a later time here, or correct the earlier one")
            return columns.problem(row, column, _written(at, zone), said, remedy)
    dated = next((name for name in ("resolved_at", "followed_up_at", "closed_at") if row[name]), "")
    if row["outcome"] == words.OPEN and dated:
        remedy = N_("Clear the time, or write how it ended")
        return columns.problem(
            row, "outcome", row["outcome"], N_("not ended, and yet there is a time at which it did"), remedy
        )
    return None


def take_in(
    session: Session,
    given: Sequence[Mapping[str, Any]],
    *,
    now: datetime,
    staff_id: int | None = None,
    update: Update = NO_UPDATE,
    **_present: object,
) -> Taken:
    """Add the tickets that are not known yet, with the clocks they would have had (T1, T4)."""
    found = _differences(session, given)
    done = legacy_import.import_tickets(session, _tickets(session, given), now=now, staff_id=staff_id)
    return _counted(session, given, found, done.added, update)


def _differences(session: Session, given: Sequence[Mapping[str, Any]]) -> list[TicketDifference]:
    """In what the rows differ from the complaints that are there, with the times that would be stored."""
    zone = clock.zone(session)
    return ticket_differences.differences(
        session,
        [
            {
                **row,
                "resolved_at": row["resolved_at"]
                and following(row["registered_at"], row["resolved_at"], zone),
            }
            for row in given
        ],
    )


def _counted(
    session: Session,
    given: Sequence[Mapping[str, Any]],
    found: Sequence[TicketDifference],
    new: int,
    update: Update,
) -> Taken:
    """What became of the rows; writes the differences that are to be written."""
    ticket_differences.write(session, [one for one in found if one.told in update], update)
    return counted(new, len(given), [one.told for one in found], update)


def _tickets(session: Session, given: Sequence[Mapping[str, Any]]) -> list[LegacyTicket]:
    zone = clock.zone(session)
    facts = {*FLAGS, "household_count", "loss_amount"}
    aside = {*facts, "line", "kind", "outcome", "resolved_at"}
    return [
        LegacyTicket(
            facts=Facts(**{code: row[code] for code in facts}),
            outcome="" if row["outcome"] == words.OPEN else row["outcome"],
            resolved_at=row["resolved_at"] and following(row["registered_at"], row["resolved_at"], zone),
            **{code: value for code, value in row.items() if code not in aside},
        )
        for row in given
    ]


class _History:
    """The same file as history: what has ended is closed, without visits, alerts or escalations (R5)."""

    COLUMNS = COLUMNS

    def problems(self, rows: Sequence[Mapping[str, Any]], known: Known, /) -> list[Problem]:
        return [*_all_wrong(rows, known), *_in_the_future(rows, clock.now(known.session), known.zone)]

    def take_in(
        self,
        session: Session,
        given: Sequence[Mapping[str, Any]],
        /,
        *,
        now: datetime,
        staff_id: int | None = None,
        update: Update = NO_UPDATE,
        **_present: object,
    ) -> Taken:
        """Add the tickets that are not known yet; what the file says to have ended is closed."""
        found = _differences(session, given)
        done = ticket_history.import_history(session, _tickets(session, given), now=now, staff_id=staff_id)
        return replace(_counted(session, given, found, done.added, update), details=dict(done.by))


def _in_the_future(rows: Sequence[Mapping[str, Any]], now: datetime, zone: ZoneInfo) -> list[Problem]:
    dates = ("registered_at", "resolved_at", "followed_up_at", "closed_at")
    return [
        columns.problem(
            row,
            name,
            _written(row[name], zone),
            N_("lies in the future"),
            N_("Write the time at which it happened"),
        )
        for row in rows
        for name in dates
        if row[name] is not None and row[name] > now
    ]


HISTORY = _History()
