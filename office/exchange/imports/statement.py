"""Statements as banks and payment services export them, or with our own codes → movements of money (M5).

Which layout a file has is told by its header (statement_layouts). A row is refused only where it can't be
read: an unknown unit or money out is no mistake of the file, it waits for a person (contract "Direction").
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from functools import cache
from itertools import takewhile
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.payments import StatementLayout
from office.core import clock
from office.core.errors import N_, Refused
from office.exchange.imports import cells, columns, statement_layouts, words
from office.exchange.imports.cells import Wrong
from office.exchange.imports.columns import Column, Known, Problem, ReadRows, text
from office.exchange.imports.headers import (
    MOST_HEADER_ROW,
    find,
    is_balance_line,
    is_total,
    refuse_measures,
)
from office.exchange.imports.mapping import FileMapping, of_headers
from office.exchange.imports.reader import NUMBER, Line, Table
from office.exchange.imports.statement_layouts import Layout, plain_cell
from office.exchange.imports.taken import Difference, Taken
from office.payments import statements
from office.payments.statements import Entry, Posted
from rules import dates
from rules.bank_statements import Amount, Signs, direction_of, is_correction, looks_like_directions
from rules.dates import Order, order_of
from rules.matching import Direction, State
from rules.money import ZERO

OWN_COLUMNS = ("transaction_id", "paid_at", "amount", "memo", "payer_name", "method")
CODES = frozenset({"transaction_id", "account", "counter_account", "payee_account"})  # digits, no amounts
NUMBERS = frozenset({"微信订单号", "微信退款单号", "支付宝交易号", "退款批次号/请求号"})
COLUMNS: tuple[Column, ...] = tuple(
    Column(
        code,
        tuple(name for name in names if name != code),
        text(),
        is_required=code == "paid_at",
        is_code=code in CODES,
        measure="yuan" if code in statement_layouts.MONEY else "",
        is_in_template=code in OWN_COLUMNS,
    )
    for code, names in statement_layouts.column_names().items()
)
method_of = cells.one_of(words.METHOD_WORDS)
_MIDNIGHT = re.compile(r"[ T]0?0:00(:00)?$")
_ACCOUNT_ABOVE = re.compile(
    r"(?:账号|帐号|賬號|帳號|卡号|卡號|Account(?: number| no\.?)?)\s*[:：,\s\[\]]*([\d*][\d* -]{4,40}[\d*])",
    re.IGNORECASE,
)
_ACCOUNT = re.compile(r"[\d*xX-]{4,}[\d*]{2}")  # 6222 0000, 6222****1234


class _WrongCell(Exception):  # noqa: N818 -- carries Wrong with its place
    """What is wrong with a cell, told under the file's own header."""

    def __init__(self, column: str, given: str, wrong: Wrong) -> None:
        super().__init__(str(wrong))
        self.column, self.given, self.wrong = column, given, wrong


def _read_cell(column: str, read: Callable[[str], Any], given: str) -> Any:
    try:
        return read(given)
    except Wrong as wrong:
        raise _WrongCell(column, given, wrong) from wrong


def _check_cell(line: Line, place: int, column: str, *, is_code: bool) -> None:
    """Raise _WrongCell for a cell that a spreadsheet has damaged."""
    try:
        columns.check_cell(line, place, is_code=is_code)
    except Wrong as wrong:
        raise _WrongCell(column, line.cell(place), wrong) from wrong


def _empty(column: str) -> _WrongCell:
    return _WrongCell(column, "", Wrong(N_("empty"), N_("Fill this cell")))


# --- merchant bills, whose refunds are rows with columns of their own --------------------------------


@dataclass(frozen=True)
class Said:
    """A line's cells by their header, each made plain when it is asked for."""

    line: Line
    place_of: Callable[[str], int | None]  # by the header as the service writes it

    def get(self, name: str) -> str:
        place = self.place_of(name)
        if place is None:
            return ""
        _check_cell(self.line, place, name, is_code=name in NUMBERS)
        return plain_cell(self.line.cell(place))

    def first(self, *names: str) -> str:
        """What the first of the named columns says that says anything."""
        return next(filter(None, map(self.get, names)), "")

    def needed(self, *names: str) -> str:
        said = self.first(*names)
        if not said:
            raise _empty(names[0])
        return said

    def money(self, *names: str) -> Decimal:
        """The first of the named columns that says something, 0 when none does."""
        said = self.first(*names)
        return _read_cell(names[0], cells.signed_money, said) if said else ZERO

    def instant(self, known: Known, *names: str) -> datetime:
        at: datetime = _read_cell(
            names[0], lambda given: cells.instant(given, known.zone), self.needed(*names)
        )
        return at

    def joined(self, *names: str) -> str:
        """What the named columns say, each thing once."""
        return " ".join(dict.fromkeys(filter(None, map(self.get, names))))


def wechat(line: Said, known: Known) -> Entry:
    """A line of WeChat Pay's merchant bill: the household paid 订单金额, the fee is not taken off."""
    said = line.needed("交易状态")
    state = (
        "refund"
        if said.upper() == "REFUND"
        else statement_layouts.words().state(statement_layouts.word(said))
    )
    number = line.needed("微信订单号")
    paid = line.money("订单金额", "应结订单金额", "总金额")
    if state == "refund":
        number = line.get("微信退款单号") or f"{number}-refund"
        paid = -abs(line.money("申请退款金额", "退款金额"))
    return Entry(
        transaction_id=number[:120],
        paid_at=line.instant(known, "交易时间"),
        amount=paid,
        method="wechat",
        memo=line.joined("商品名称", "商户数据包"),
        state=state,
        status=said[:80],
        is_currency_known=statement_layouts.is_currency(line.get("货币种类"), known.currency),
        line=line.line.number,
    )


def alipay(line: Said, known: Known) -> Entry:
    """A line of Alipay's 业务明细; refunds are lines with a negative 订单金额."""
    amount = line.money("订单金额", "商家实收")
    kind = line.get("业务类型")
    is_refund = "退款" in kind or amount < 0
    number = line.needed("支付宝交易号")
    if is_refund:
        number = f"{number}-{line.get('退款批次号/请求号') or 'refund'}"
    return Entry(
        transaction_id=number[:120],
        paid_at=line.instant(known, "完成时间", "创建时间"),
        amount=-abs(amount) if is_refund else amount,
        method="alipay",
        memo=line.joined("商品名称", "备注"),
        payer_name=line.get("对方账户")[:200],
        state="refund" if is_refund else "done",
        status=kind[:80],
        line=line.line.number,
    )


DAYS = ("paid_at", "day")
NO_AMOUNT = frozenset({"-", "--", "—", "——", "－"})
MERCHANT_BILLS: Mapping[str, Callable[[Said, Known], Entry]] = {"wechat": wechat, "alipay": alipay}


# --- every other file: which column is what is told by its header ------------------------------------


@dataclass(frozen=True)
class LineReader:
    """Reads the lines of one file by its layout."""

    layout: Layout
    known: Known
    account: str  # told above the table
    signs: Signs
    order: Order | None = None  # of day and month, where the file's days tell it

    def entry(self, line: Line) -> Entry:
        """What a line says. Raises _WrongCell."""

        def cell(code: str) -> str:
            if code in self.layout.mapping.constants:
                return self.layout.mapping.constants[code]
            for place in self.layout.places.get(code, ()):
                _check_cell(line, place, code, is_code=code in CODES)
            said = dict.fromkeys(plain_cell(line.cell(place)) for place in self.layout.places.get(code, ()))
            said.pop("/", None)  # WeChat Pay's way to write nothing
            meant = self.layout.mapping.meaning(code, " ".join(one for one in said if one))
            if code not in DAYS:
                return meant
            is_number = any(line.type(place) == NUMBER for place in self.layout.places.get(code, ()))
            return dates.told(meant, self.order, is_number=is_number)

        told = self._amount(cell)
        amount, direction = direction_of(told, statement_layouts.words(), self.signs)
        paid_at, is_time_known = self._paid_at(cell)
        payer, counter_account = self._counterparty(cell, is_outgoing=direction == "out")
        memo = cell("memo")
        state = "refund" if is_correction(told, self.signs) else self._state(cell, memo, direction)
        return Entry(
            transaction_id=self._number(cell),
            paid_at=paid_at,
            amount=amount,
            method=self._method(cell("method")),
            memo=memo,
            payer_name=payer[:200],
            is_time_known=is_time_known,
            direction=direction,
            state=state,
            status=cell("status")[:80],
            account=(cell("account") or self.account)[:64],
            counter_account=counter_account[:64],
            balance=self._balance(cell("balance")),
            is_currency_known=statement_layouts.is_currency(cell("currency"), self.known.currency),
            line=line.number,
        )

    def _number(self, cell: Callable[[str], str]) -> str:
        said = statement_layouts.number(cell("transaction_id"))
        if not said and self.layout.is_own:
            raise _empty("transaction_id")
        return str(_read_cell("transaction_id", cells.short_text(120), said)) if said else ""

    def _amount(self, cell: Callable[[str], str]) -> Amount:
        given = {code: _amount_said(cell(code)) for code in ("amount", "amount_in", "amount_out")}
        if not any(given.values()):
            raise _empty("amount" if "amount" in self.layout.places else "amount_in")
        read = {
            code: _read_cell(code, cells.signed_money, said) if said else None for code, said in given.items()
        }
        has_words = self.layout.has("direction")
        return Amount(
            read["amount_in"],
            read["amount_out"],
            read["amount"],
            is_signed=is_signed(given["amount"]),
            word=self.layout.direction_word(cell("direction")) if has_words else None,
        )

    def _paid_at(self, cell: Callable[[str], str]) -> tuple[datetime, bool]:
        """The instant, from one cell or from a day and a time beside it; and whether the time is told."""
        said, beside = cell("paid_at"), cell("time")
        if ":" not in said and ":" in beside:
            said = f"{said} {beside}" if said and beside.index(":") <= 2 else beside
        elif ":" in said and said.index(":") <= 2 and cell("day"):
            said = f"{cell('day')} {said}"
        if not said:
            raise _empty("paid_at")
        at: datetime = _read_cell("paid_at", lambda given: cells.instant(given, self.known.zone), said)
        return at, ":" in said and _MIDNIGHT.search(said) is None

    def _counterparty(self, cell: Callable[[str], str], *, is_outgoing: bool) -> tuple[str, str]:
        """Name and account of the other side: whom money came from, or went to where both stand there."""
        name, account = cell("payer_name"), cell("counter_account")
        if is_outgoing and "payee_name" in self.layout.places:
            name, account = cell("payee_name"), cell("payee_account")
        if name == account or not account:
            name, account = _parted(name)
        return name, account.replace(" ", "")

    def _method(self, said: str) -> str:
        """How it was paid: cash is refused, and a bank's own words are its transfers.

        A column or value that a person named holds for any file.
        """
        mapping = self.layout.mapping
        if said and (self.layout.is_own or mapping.headers("method") or "method" in mapping.constants):
            method: str = _read_cell("method", method_of, said)
            if method == "cheque":
                raise _WrongCell(
                    "method",
                    said,
                    Wrong(N_("a cheque is no row of a file"), N_("Take cheques at the cashier desk")),
                )
            if method == "cash":
                raise _WrongCell(
                    "method",
                    said,
                    Wrong(N_("cash stands in no statement"), N_("Take cash at the cashier desk")),
                )
            return method
        return self.layout.method

    def _state(self, cell: Callable[[str], str], memo: str, direction: Direction) -> State:
        """The state that the file tells; without such a column a row is done (contract "State").

        What comes in and is called a refund, by its kind or its memo, was paid by the office before.
        """
        refunded = plain_cell(cell("refunded"))
        if refunded and _read_cell("refunded", cells.signed_money, refunded):
            return "refund"
        if self.layout.has("reversal") and statement_layouts.is_reversed(cell("reversal")):
            return "not_successful"
        if statement_layouts.is_reversal_memo(memo):
            return "refund"
        if direction != "out" and statement_layouts.is_refund(f"{cell('kind')} {memo}"):
            return "refund"
        return (
            statement_layouts.words().state(statement_layouts.word(cell("status")))
            if self.layout.has("status")
            else "done"
        )

    def _balance(self, said: str) -> Decimal | None:
        said = _amount_said(said)
        return _read_cell("balance", cells.signed_money, said) if said else None


def _amount_said(cell: str) -> str:
    """What an amount's cell says, empty for the dash that stands for none."""
    return "" if cell in NO_AMOUNT else cell


def is_signed(amount: str) -> bool:
    """Whether an amount is written with a sign or in accounting brackets."""
    return amount.strip().lstrip("￥¥").startswith(("-", "+", "(", "（", "－", "＋", "−"))


def _parted(name: str) -> tuple[str, str]:
    """Name and account that a bank writes in one cell: 李某 66666666666666, 李某/6222****1234."""
    parts = [part for part in re.split(r"[\s/|,，]+", name) if part]
    accounts = [part for part in parts if _ACCOUNT.fullmatch(part)]
    if len(accounts) != 1 or len(parts) == 1:
        return ("", accounts[0]) if accounts and len(parts) == 1 else (name, "")
    return " ".join(part for part in parts if part != accounts[0]), accounts[0]


Layouts = Mapping[tuple[str, ...], tuple[FileMapping, str]]  # header → what its columns mean, and the method


@dataclass(frozen=True)
class StatementHeading:
    """The header of a statement: of a service, of a bank, or one that a person explained."""

    mapping: FileMapping
    remembered: Layouts

    def knows(self, name: str) -> bool:
        key = statement_layouts.header(name)
        own = {statement_layouts.header(one) for one in self.mapping.columns}
        return key in statement_layouts.known_headers() or key in own

    def is_header(self, cells_: Sequence[str]) -> bool:
        return self.layout(cells_) is not None

    def layout(self, cells_: Sequence[str]) -> Layout | None:
        """The layout of a header: as a person says now, as remembered for such a one, or as banks write."""
        known = self.remembered.get(tuple(map(statement_layouts.header, cells_)))
        if known is None or self.mapping.columns:
            return statement_layouts.layout_of(cells_, self.mapping)
        return statement_layouts.layout_of(cells_, *known)


def heading(known: Known, mapping: FileMapping) -> StatementHeading:
    """What makes a line the header of a statement in this office."""
    codes = list(statement_layouts.column_names())
    query = select(StatementLayout.header, StatementLayout.columns, StatementLayout.method)
    remembered = {
        tuple(map(statement_layouts.header, json.loads(header))): (
            of_headers(json.loads(chosen), codes),
            method,
        )
        for header, chosen, method in known.session.execute(query.order_by(StatementLayout.id))
    }
    return StatementHeading(mapping, remembered)


Reads = Iterator[tuple[Line, Callable[[Line], Entry]]]


def read_rows(table: Table, _columns: Sequence[Column], known: Known, *, mapping: FileMapping) -> ReadRows:
    """Every line as an entry with its source, by the layout that the header tells; and what is wrong.

    Raises Refused when no header is known, or its amounts are not in yuan.
    """
    rows = [line.cells for line in table.lines[: MOST_HEADER_ROW + 1]]
    head = heading(known, mapping)
    found = find(rows, head)
    for line in [] if found else rows:
        refuse_measures(table, 0, line, statement_layouts.is_money_header)
    if found is None:
        raise Refused(
            N_(
                "%(file)s: required columns are missing: transaction_id, paid_at, amount; "
                "or a header of WeChat Pay, Alipay or a bank"
            ),
            file=table.file,
        )
    count, header = found
    layout = head.layout(header)
    assert layout is not None  # the heading knew it
    read_amounts = {statement_layouts.header(header[place]) for place in layout.taken}
    refuse_measures(
        table,
        count,
        header,
        lambda bare: statement_layouts.is_money_header(bare) and bare not in read_amounts,
    )
    lines = _body(table.lines[count:], layout)
    layout = _with_directions(layout, header, lines)
    skipped = len(table.lines) - count - len(lines)
    if layout.source in MERCHANT_BILLS:
        reads = _merchant_lines(table.counted(lines), header, MERCHANT_BILLS[layout.source], known)
        return _collected(reads, layout.source, header, skipped)
    account = _account_above(table.lines[: count - 1])
    order = order_of(
        line.cell(place) for code in DAYS for place in layout.places.get(code, ()) for line in lines
    )
    reader = LineReader(layout, known, account, _signs(lines, layout), order)
    unused = [name.strip() for place, name in enumerate(header) if name.strip() and place not in layout.taken]
    reads = ((line, reader.entry) for line in table.counted(lines))
    return _collected(reads, layout.source, header, skipped, unused)


def _account_above(lines: Sequence[Line]) -> str:
    """The estate's account as it is told above the table, empty where it isn't."""
    for line in lines:
        said = " ".join(re.sub(r"\[[\x20-\x7e]*\]", "", cell) for cell in line.cells if cell.strip())
        found = _ACCOUNT_ABOVE.search(said)
        if found is not None:
            return found[1].replace(" ", "")
    return ""


def _signs(lines: Sequence[Line], layout: Layout) -> Signs:
    """Where the amounts of a file carry signs."""

    def are_negative(code: str) -> list[bool]:
        said = (plain_cell(line.cell(place)) for place in layout.places.get(code, ()) for line in lines)
        return [is_signed(one) and not one.startswith(("+", "＋")) for one in said if one.strip("0.-— ")]

    outgoing = are_negative("amount_out")
    return Signs(any(are_negative("amount")), bool(outgoing) and all(outgoing))


def _with_directions(layout: Layout, header: Sequence[str], lines: Sequence[Line]) -> Layout:
    """The layout with the column that tells directions, where its header is not known but its words are.

    Only for a file with one column of amounts and no sign in it: it would be taken for money in.
    """
    if "amount" not in layout.places or layout.has("direction") or _signs(lines, layout).is_amount_signed:
        return layout
    used = {place for code, places in layout.places.items() if code != "kind" for place in places}
    known = statement_layouts.words()
    for place in (one for one in range(len(header)) if one not in used):
        said = [plain_cell(line.cell(place)) for line in lines]
        word_of = {one: layout.direction_word(one) for one in set(said)}
        if looks_like_directions([word_of[one] for one in said], known):
            return replace(layout, places={**layout.places, "direction": (place,)})
    return layout


def _body(lines: Sequence[Line], layout: Layout) -> list[Line]:
    """The lines that are rows. A merchant bill ends at its summary, whose values look like a row."""
    if layout.source in MERCHANT_BILLS:
        lines = list(takewhile(lambda line: not line.cell(0).startswith("总交易单数"), lines))
    return [line for line in lines if not _is_footer(line, layout)]


def _is_footer(line: Line, layout: Layout) -> bool:
    """Whether a line is a total or a remark: no day stands in it, and a word for one does, or amounts alone.

    A line with a payer, a number or a memo is a movement whose day is missing: that is refused, not skipped.
    """
    said = [one for one in map(plain_cell, line.cells) if one]
    if not said:
        return True
    if not _has_amount(line, layout) and any(map(is_balance_line, said)):
        return True
    day = next((plain_cell(line.cell(place)) for place in layout.places.get("paid_at", ())), "-")
    if is_total(day) or any(map(is_total, said[:1])) or said[0].startswith(("#", "---", "===")):
        return True
    if day:
        return False
    telling = ("transaction_id", "payer_name", "counter_account", "memo")
    return not any(plain_cell(line.cell(place)) for code in telling for place in layout.places.get(code, ()))


def _has_amount(line: Line, layout: Layout) -> bool:
    return any(
        _amount_said(plain_cell(line.cell(place)))
        for code in statement_layouts.AMOUNTS
        for place in layout.places.get(code, ())
    )


def _merchant_lines(
    lines: Iterable[Line], header: Sequence[str], read: Callable[[Said, Known], Entry], known: Known
) -> Reads:
    places = {statement_layouts.header(name): place for place, name in enumerate(header)}
    place_of = cache(lambda name: places.get(statement_layouts.header(name)))  # asked of every line
    for line in lines:
        yield line, lambda line: read(Said(line, place_of), known)


def _collected(
    reads: Reads, source: str, header: tuple[str, ...], skipped: int, unused: Sequence[str] = ()
) -> ReadRows:
    rows: list[dict[str, Any]] = []
    problems: list[Problem] = []
    for line, read in reads:
        try:
            rows.append({"line": line.number, "source": source, "entry": read(line)})
        except _WrongCell as cell:
            wrong = cell.wrong
            problems.append(
                Problem(line.number, cell.column, cell.given, wrong.message, wrong.remedy, wrong.values)
            )
    listed = problems[: columns.MOST_PROBLEMS]
    return ReadRows(rows, listed, len(problems), skipped, tuple(unused), header)


def problems(_rows: Sequence[Mapping[str, Any]], _known: Known) -> list[Problem]:
    return []


def take_in(
    session: Session,
    given: Sequence[Mapping[str, Any]],
    *,
    now: datetime,
    staff_id: int | None = None,
    **_present: object,
) -> Taken:
    """Store each movement once; sure matches become payments, the rest waits with its reason (M5)."""
    if not given:
        return Taken()
    entries = [row["entry"] for row in given]
    done = statements.post_statement(session, entries, given[0]["source"], now, staff_id=staff_id)
    refused = [
        columns.of_closed_day(entry.line, done.day, done.open_day)
        for entry, one in zip(entries, done.outcomes, strict=True)
        if one.state == "refused"
    ]
    return Taken(
        refused=refused,
        new=done.posted + done.waiting,
        skipped=done.known,
        differences=[
            Difference(entry.line, "status", one.known_status, entry.status)
            for entry, one in zip(entries, done.outcomes, strict=True)
            if one.state == "differs"
        ],
        details={"posted": done.posted, "waiting": done.waiting},
        preview=_preview(entries, done, clock.zone(session)),
    )


def _preview(entries: Sequence[Entry], done: Posted, zone: ZoneInfo) -> dict[str, Any]:
    """Each row as it was read and what becomes of it, the sums in and out, the balance proof (contract)."""
    sums: dict[str, tuple[int, Decimal]] = {"in": (0, ZERO), "out": (0, ZERO)}
    for entry in entries:
        if entry.direction != "unknown":
            count, total = sums[entry.direction]
            sums[entry.direction] = count + 1, total + abs(entry.amount)
    rows = [
        {
            "line": entry.line,
            "paid_at": entry.paid_at.astimezone(zone).isoformat() if entry.paid_at else None,
            "direction": entry.direction,
            "amount": f"{entry.amount:.2f}",
            "payer_name": entry.payer_name,
            "memo": entry.memo,
            "unit_code": one.unit_code,
            "state": "equal" if one.state == "known" else one.state,
            "reason": "" if one.state in {"known", "posted"} else one.reason.code,
        }
        for entry, one in zip(entries, done.outcomes, strict=True)
    ]
    told = {way: {"count": count, "sum": f"{total:.2f}"} for way, (count, total) in sums.items()}
    return {**told, "balance": done.balance.state, "rows": rows}
