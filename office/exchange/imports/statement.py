"""Statements as WeChat Pay, Alipay and banks export them, or with our own codes → movements of money (M5).

Which layout a file has is told by its header. A row is refused only where it can't be read at all: an unknown
unit or money out is no mistake of the file, it waits for a person (contract "Settled besides").
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from functools import cache
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.payments import StatementLayout
from office.core.errors import N_, Refused
from office.exchange.imports import cells, columns, words
from office.exchange.imports.cells import Wrong
from office.exchange.imports.columns import Column, Known, Problem, ReadRows, heads, plainly, text
from office.exchange.imports.headers import MOST_HEADER_ROW, find, header_key, refuse_measures
from office.exchange.imports.mapping import FileMapping, of_headers
from office.exchange.imports.reader import Line, Table
from office.exchange.imports.taken import Taken
from office.payments import statements
from office.payments.statements import Entry
from rules.money import ZERO

method_of = cells.one_of(words.METHOD_WORDS)
COLUMNS: tuple[Column, ...] = (
    Column(
        "transaction_id",
        heads(
            "交易流水号 流水号 流水编号 银行流水号 交易号 交易单号 账务流水号 记账流水号 核心流水号 "
            "业务流水号 交易序号 凭证号 业务参考号"
        ),
        text(120),
        is_code=True,
    ),
    Column(
        "paid_at",
        heads(
            "交易时间 交易日期 记账时间 记账日期 入账时间 入账日期 发生时间 到账时间 "
            "支付时间 付款时间 日期 交易日"
        ),
        columns.instant,
        is_required=True,
    ),
    Column("amount", heads("交易金额 金额 发生额 发生金额"), plainly(cells.signed_money), measure="yuan"),
    Column(
        "amount_in",
        heads("收入金额 贷方发生额 贷方金额 收入 存入金额 存入 转入金额 贷方 贷方发生金额 收款金额"),
        plainly(cells.signed_money),
        measure="yuan",
    ),
    Column(
        "amount_out",
        heads("支出金额 借方发生额 借方金额 支出 转出金额 支取金额 借方 借方发生金额 付款金额"),
        plainly(cells.signed_money),
        measure="yuan",
    ),
    Column("direction", heads("借贷标志 借贷方向 借贷 收支类型 收/支 收支 收支标志"), text(20), empty=""),
    Column("memo", heads("摘要 附言 用途 备注 交易摘要 交易附言 客户附言 商品名称"), text(), empty=""),
    Column(
        "payer_name",
        heads("对方户名 对方名称 付款人名称 付款方户名 对方账户名称 付款人户名 付款方名称 付款人 对方账户"),
        text(200),
        empty="",
    ),
    Column(
        "method",
        heads("支付方式 付款方式 交易方式"),
        plainly(method_of),
        empty="bank_transfer",
    ),
)
IN_WORDS = frozenset({"贷", "貸", "c", "cr", "credit", "收入", "收", "进", "转入", "入账", "+", "in"})
NUMBERS = frozenset({"微信订单号", "微信退款单号", "支付宝交易号", "退款批次号/请求号"})  # no amounts
TOTALS = ("合计", "总计", "小计", "共计", "总笔数", "总交易单数")


@dataclass(frozen=True)
class Said:
    """A line's cells by their header, each made plain when it is asked for."""

    line: Line
    place_of: Callable[[str], int | None]  # by the header as a layout writes it

    def get(self, name: str) -> str:
        place = self.place_of(name)
        if place is None:
            return ""
        _check(self.line, place, name, is_code=name in NUMBERS)
        return _plain(self.line.cell(place))

    def first(self, names: Iterable[str]) -> str:
        """What the first of the named columns says that says anything."""
        return next(filter(None, map(self.get, names)), "")


@dataclass(frozen=True)
class Layout:
    """A service's own file: the headers it is known by, and how one of its lines is read."""

    source: str
    known_by: tuple[str, ...]
    read: Callable[[Said, Known], Entry | None]
    ends_at: str = ""  # the first cell of the summary under the table

    def is_header(self, headers: Sequence[str]) -> bool:
        return {header_key(name) for name in self.known_by} <= set(headers)


def _money(line: Said, *names: str) -> Decimal:
    """The first of the named columns that says something, 0 when none does."""
    said = line.first(names)
    return _at(names[0], cells.signed_money, said) if said else ZERO


def _at(column: str, read: Callable[[str], Any], given: str) -> Any:
    """Read a cell; what is wrong with it is told under the file's own header."""
    try:
        return read(given)
    except Wrong as wrong:
        raise _WrongCell(column, given, wrong) from wrong


def _check(line: Line, place: int, column: str, *, is_code: bool) -> None:
    try:
        columns.check_cell(line, place, is_code=is_code)
    except Wrong as wrong:
        raise _WrongCell(column, line.cell(place), wrong) from wrong


class _WrongCell(Exception):  # noqa: N818 -- carries Wrong with its place
    def __init__(self, column: str, given: str, wrong: Wrong) -> None:
        super().__init__(str(wrong))
        self.column, self.given, self.wrong = column, given, wrong


def _needed(line: Said, *names: str) -> str:
    said = line.first(names)
    if not said:
        raise _WrongCell(names[0], "", Wrong(N_("empty"), N_("Fill this cell")))
    return said


def _instant(line: Said, known: Known, *names: str) -> datetime:
    at: datetime = _at(names[0], lambda given: cells.instant(given, known.zone), _needed(line, *names))
    return at


def _joined(line: Said, *names: str) -> str:
    """What the named columns say, each thing once."""
    return " ".join(dict.fromkeys(filter(None, map(line.get, names))))


def wechat(line: Said, known: Known) -> Entry:
    """A line of WeChat Pay's merchant bill: the household paid 订单金额, the fee is not taken off."""
    state = _needed(line, "交易状态").upper()
    is_refund = state == "REFUND" or "退款" in state
    number = _needed(line, "微信订单号")
    if is_refund:
        number = line.get("微信退款单号") or f"{number}-refund"
    amount = (
        -abs(_money(line, "申请退款金额", "退款金额"))
        if is_refund
        else _money(line, "订单金额", "应结订单金额", "总金额")
    )
    return Entry(
        transaction_id=number,
        paid_at=_instant(line, known, "交易时间"),
        amount=amount,
        method="wechat",
        memo=_joined(line, "商品名称", "商户数据包"),
        is_incoming=not is_refund,
        is_successful=state in {"SUCCESS", "支付成功"} or is_refund,
        is_refund=is_refund,
    )


def alipay(line: Said, known: Known) -> Entry:
    """A line of Alipay's 业务明细; refunds are lines with a negative 订单金额."""
    amount = _money(line, "订单金额", "商家实收")
    kind = line.get("业务类型")
    is_refund = "退款" in kind or amount < 0
    number = _needed(line, "支付宝交易号")
    if is_refund:
        number = f"{number}-{line.get('退款批次号/请求号') or 'refund'}"
    return Entry(
        transaction_id=number[:120],
        paid_at=_instant(line, known, "完成时间", "创建时间"),
        amount=-abs(amount) if is_refund else amount,
        method="alipay",
        memo=_joined(line, "商品名称", "备注"),
        payer_name=line.get("对方账户")[:200],
        is_incoming=not is_refund,
        is_refund=is_refund,
    )


LAYOUTS = (
    Layout("wechat", ("交易时间", "微信订单号", "交易状态"), wechat, ends_at="总交易单数"),
    Layout("alipay", ("支付宝交易号", "业务类型", "订单金额"), alipay),
)


# --- files with columns of any name: our own codes, banks, and layouts that a person mapped ----------


@dataclass(frozen=True)
class Mapped:
    """Which places of a line hold which of our columns; several may hold parts of the memo."""

    source: str
    method: str
    places: Mapping[str, tuple[int, ...]]
    time_place: int | None = None  # the time of day beside a date
    is_id_required: bool = False
    occurrences: Counter[str] = field(default_factory=Counter)

    def read(self, line: Line, known: Known) -> Entry:
        def cell(code: str) -> str:
            for place in self.places.get(code, ()):
                _check(line, place, code, is_code=code == "transaction_id")
            said = dict.fromkeys(_plain(line.cell(place)) for place in self.places.get(code, ()))
            return " ".join(one for one in said if one)

        amount, is_incoming = _amount(cell)
        method = _at("method", method_of, cell("method")) if cell("method") else self.method
        return Entry(
            transaction_id=self._number(cell("transaction_id"), line),
            paid_at=self._paid_at(cell("paid_at"), line, known),
            amount=amount,
            method=method,
            memo=cell("memo"),
            payer_name=cell("payer_name")[:200],
            is_incoming=is_incoming,
        )

    def _number(self, said: str, line: Line) -> str:
        """The bank's number; without one, what the line says and how often it was said before."""
        if said:
            return str(_at("transaction_id", cells.short_text(120), said))
        if self.is_id_required:
            raise _WrongCell("transaction_id", "", Wrong(N_("empty"), N_("Fill this cell")))
        digest = hashlib.sha256("\x1f".join(line.cells).encode()).hexdigest()[:32]
        self.occurrences[digest] += 1
        return f"{digest}-{self.occurrences[digest]}"

    def _paid_at(self, said: str, line: Line, known: Known) -> datetime:
        beside = "" if self.time_place is None else _plain(line.cell(self.time_place))
        if ":" in beside and ":" not in said:
            said = f"{said} {beside}" if beside.index(":") <= 2 else beside
        if not said:
            raise _WrongCell("paid_at", "", Wrong(N_("empty"), N_("Fill this cell")))
        at: datetime = _at("paid_at", lambda given: cells.instant(given, known.zone), said)
        return at


def _amount(cell: Callable[[str], str]) -> tuple[Decimal, bool]:
    """What came in; what went out is below zero."""
    came = _at("amount_in", cells.signed_money, cell("amount_in")) if cell("amount_in") else ZERO
    went = _at("amount_out", cells.signed_money, cell("amount_out")) if cell("amount_out") else ZERO
    if came or went:
        return (came, came > 0) if came else (-abs(went), False)
    said = cell("amount")
    if not said:
        if cell("amount_in") or cell("amount_out"):
            return ZERO, True
        raise _WrongCell("amount", "", Wrong(N_("empty"), N_("Fill this cell")))
    amount: Decimal = _at("amount", cells.signed_money, said)
    direction = cells.key(cell("direction"))
    is_incoming = amount >= 0 and (not direction or direction in IN_WORDS)
    return amount if is_incoming else -abs(amount), is_incoming


def _mapped(headers: Sequence[str], mapping: FileMapping, layouts: Layouts) -> Mapped | None:
    """The columns of a header, by a person's mapping, a remembered layout, or the names that banks use."""
    remembered = layouts.get(tuple(headers)) if not mapping.columns else None
    chosen, method = (mapping, "bank_transfer") if remembered is None else remembered
    found = columns.places_of(headers, COLUMNS, chosen)
    places = {code: of_column if code == "memo" else of_column[:1] for code, of_column in found.items()}
    is_ours = header_key("transaction_id") in headers or header_key("paid_at") in headers
    needed = {"paid_at", "transaction_id"} if is_ours else {"paid_at"}
    if not needed <= places.keys() or not places.keys() & {"amount", "amount_in"}:
        return None
    if is_ours:
        source = "statement"
    else:
        source = f"bank-{hashlib.sha256(json.dumps(list(headers)).encode()).hexdigest()[:8]}"
    if "账务流水号" in headers:
        source, method = "alipay-ledger", "alipay"
    at = places["paid_at"][0]
    times = [place for place, header in enumerate(headers) if header in TIMES and place != at]
    return Mapped(source, method, places, times[0] if times else None, is_ours)


TIMES = frozenset({"交易时间", "记账时间", "入账时间", "时间"})


Layouts = Mapping[tuple[str, ...], tuple[FileMapping, str]]  # header → what its columns mean, and the method


def _remembered(session: Session) -> Layouts:
    """What people have said about the headers of their banks."""
    codes = [column.code for column in COLUMNS]
    query = select(StatementLayout.header, StatementLayout.columns, StatementLayout.method)
    return {
        tuple(map(header_key, json.loads(header))): (of_headers(json.loads(chosen), codes), method)
        for header, chosen, method in session.execute(query.order_by(StatementLayout.id))
    }


def _plain(given: str) -> str:
    """A cell without the backtick of WeChat Pay and the tabs of Alipay."""
    return given.strip().lstrip("`").strip()


@dataclass(frozen=True)
class StatementHeading:
    """The header of a statement: of a service, of a bank, or of a layout that a person mapped."""

    mapping: FileMapping
    layouts: Layouts

    def knows(self, name: str) -> bool:
        return any(
            header_key(_plain(name)) in columns.wanted_keys(column, self.mapping) for column in COLUMNS
        )

    def is_header(self, cells_: Sequence[str]) -> bool:
        headers = [header_key(_plain(cell)) for cell in cells_]
        return any(layout.is_header(headers) for layout in LAYOUTS) or (
            _mapped(headers, self.mapping, self.layouts) is not None
        )


def heading(known: Known, mapping: FileMapping) -> StatementHeading:
    return StatementHeading(mapping, _remembered(known.session))


def read_rows(table: Table, _columns: Sequence[Column], known: Known, *, mapping: FileMapping) -> ReadRows:
    """Every line as an entry with its source, by the layout that the header tells; and what is wrong.

    Raises Refused when no header is known.
    """
    rows = [line.cells for line in table.lines[: MOST_HEADER_ROW + 1]]
    layouts = _remembered(known.session)
    found = find(rows, StatementHeading(mapping, layouts))
    for line in [] if found else rows:
        refuse_measures(table, 0, line, lambda bare: any(bare in one.keys for one in COLUMNS if one.measure))
    if found is None:
        raise Refused(
            N_(
                "%(file)s: required columns are missing: transaction_id, paid_at, amount; "
                "or a header of WeChat Pay, Alipay or a bank"
            ),
            file=table.file,
        )
    count, header = found
    headers = [header_key(_plain(cell)) for cell in header]
    layout = next((one for one in LAYOUTS if one.is_header(headers)), None)
    if layout is not None:
        return _collected(_service_lines(table.after(count), headers, layout), layout.source, known)
    mapped = _mapped(headers, mapping, layouts)
    assert mapped is not None  # the heading knew it
    refuse_measures(
        table,
        count,
        header,
        lambda bare: any(
            bare in one.keys for one in COLUMNS if one.measure and one.code not in mapped.places
        ),
    )
    lines = ((line, mapped.read) for line in table.after(count) if not _is_total(line))
    return _collected(lines, mapped.source, known)


Reads = Iterator[tuple[Line, Callable[[Line, Known], Entry | None]]]


def _service_lines(lines: Iterator[Line], headers: Sequence[str], layout: Layout) -> Reads:
    places = {header: place for place, header in enumerate(headers)}
    place_of = cache(lambda name: places.get(header_key(name)))  # asked of every line

    def read(line: Line, known: Known) -> Entry | None:
        return layout.read(Said(line, place_of), known)

    for line in lines:
        first = _plain(line.cell(0))
        if layout.ends_at and first.startswith(layout.ends_at):
            return
        if not first.startswith("#"):
            yield line, read


def _is_total(line: Line) -> bool:
    """A bank's line of totals, or a remark under the table."""
    said = [cell for cell in map(_plain, line.cells) if cell]
    return not said or said[0].startswith((*TOTALS, "#"))


def _collected(reads: Reads, source: str, known: Known) -> ReadRows:
    rows: list[dict[str, Any]] = []
    problems: list[Problem] = []
    for line, read in reads:
        try:
            rows.append({"line": line.number, "source": source, "entry": read(line, known)})
        except _WrongCell as cell:
            wrong = cell.wrong
            problems.append(
                Problem(line.number, cell.column, cell.given, wrong.message, wrong.remedy, wrong.values)
            )
    return ReadRows(rows, problems[: columns.MOST_PROBLEMS], len(problems))


def problems(_rows: Sequence[Mapping[str, Any]], _known: Known) -> list[Problem]:
    return []


def take_in(
    session: Session, given: Sequence[Mapping[str, Any]], *, now: datetime, **_present: object
) -> Taken:
    """Store each movement once; sure matches become payments, the rest waits with its reason (M5)."""
    if not given:
        return Taken()
    source = given[0]["source"]
    done = statements.post_statement(session, [row["entry"] for row in given], source=source, now=now)
    return Taken(
        new=done.posted + done.waiting,
        skipped=done.known,
        details={"posted": done.posted, "waiting": done.waiting},
    )
