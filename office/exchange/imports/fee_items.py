"""Fee items: what is charged for, in which cycle, rounded how, paid by whom (B1, B15, B19, B20, B22)."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models.billing import FeeItem
from office.billing import item_rates
from office.core.errors import N_
from office.exchange.imports import cells, known_rows, words
from office.exchange.imports.cells import Wrong
from office.exchange.imports.columns import Column, Known, Problem, key_text, plainly, text
from office.exchange.imports.known_rows import KnownRows
from office.exchange.imports.taken import NO_UPDATE, Taken, Update
from rules.billing import Basis, bears_late_fee
from rules.cycles import CYCLES
from rules.text_keys import compared_key

NAMES = ("name_zh_hans", "name_zh_hant", "name_en")


def cycle(given: str) -> int:
    """How many months an item is billed for at once."""
    months = cells.whole(1, 12)(given)
    if months not in CYCLES:
        raise Wrong(
            N_("no cycle that an item can have"), N_("Write one of: %(known)s"), known=tuple(map(str, CYCLES))
        )
    return months


def _code(
    name: str, heads: tuple[str, ...], known: Mapping[str, str], *, is_required: bool = False
) -> Column:
    return Column(name, heads, plainly(cells.one_of(known)), is_required=is_required)


def _flag(name: str, *heads: str) -> Column:
    return Column(name, heads, plainly(cells.flag))


COLUMNS: tuple[Column, ...] = (
    Column(
        "code",
        ("编码", "編碼", "代码", "代碼", "项目编码", "項目編碼"),
        key_text(40),
        is_required=True,
        is_code=True,
        is_key=True,
    ),
    Column("name", ("名称", "名稱", "项目名称", "項目名稱", "收费项目"), text(120), is_required=True),
    _code("basis", ("计费方式", "計費方式", "计费依据", "收费方式"), words.BASIS_WORDS, is_required=True),
    Column("cycle_months", ("周期月数", "週期月數", "计费周期", "計費週期"), plainly(cycle), measure="own"),
    _code("anchor", ("起算", "周期起算", "週期起算"), words.ANCHOR_WORDS),
    _code("rounding", ("取整", "取整到", "進位單位", "取整单位"), words.ROUNDING_WORDS),
    _code("rounding_mode", ("取整方式", "進位方式"), words.ROUNDING_MODE_WORDS),
    _flag("is_refundable", "可退", "是否可退", "可退還"),
    _flag("bears_late_fee", "计滞纳金", "计违约金", "計滯納金", "是否计滞纳金"),
    _code("payer", ("付款人", "缴费人", "繳費人", "承担方"), words.PAYER_RULE_WORDS),
    Column("season_from", ("季节起月", "季節起月", "起始月"), plainly(cells.whole(1, 12)), measure="own"),
    Column("season_to", ("季节止月", "季節止月", "终止月"), plainly(cells.whole(1, 12)), measure="own"),
    _code("timing", ("计费时点", "計費時點", "预收后收"), words.TIMING_WORDS),
    Column("days_ahead", ("提前天数", "提前天數"), plainly(cells.whole(0, 366)), measure="own"),
    _flag("is_active", "启用", "啟用", "是否启用"),
    _flag("is_restrictable", "可限制", "是否可限制"),
    Column("position", ("顺序", "順序", "排序"), plainly(cells.whole(0, 100_000)), measure="own"),
    Column("vacancy_factor", ("空置系数", "空置係數"), plainly(cells.number), measure="own"),
)
PLAIN = tuple(column.code for column in COLUMNS if column.code not in {"code", "name"})


def problems(_rows: Sequence[Mapping[str, Any]], _known: Known) -> list[Problem]:
    """The checks of the form find them while the rows are taken in."""
    return []


def take_in(
    session: Session,
    given: Sequence[Mapping[str, Any]],
    *,
    now: datetime,
    staff_id: int | None = None,
    update: Update = NO_UPDATE,
) -> Taken:
    """Enter the fee items that are not there yet; an empty cell says nothing of one that is (B1)."""
    last = session.scalar(select(func.max(FeeItem.position))) or 0
    places = {row["line"]: last + count for count, row in enumerate(given, start=1)}

    def key(row: Mapping[str, Any]) -> Hashable:
        return compared_key(row["code"])

    def values(row: Mapping[str, Any], there: Any) -> dict[str, Any]:
        said = {name: row[name] for name in PLAIN if row[name] is not None}
        if there is None:
            bears = bears_late_fee(Basis(row["basis"]))
            new = {"code": row["code"], _name_of(row["name"]): row["name"]}
            return {"bears_late_fee": bears, "position": places[row["line"]], **new, **said}
        if row["name"] not in {there.code, *(getattr(there, name) for name in NAMES)}:
            said[next((name for name in NAMES if getattr(there, name)), NAMES[0])] = row["name"]
        return said

    save = known_rows.saver(
        session,
        lambda _session, row: item_rates.check_item(row),
        ("code", "basis", "cycle_months"),
        now=now,
        staff_id=staff_id,
    )
    stored = session.scalars(select(FeeItem)).all()
    there: dict[Hashable, Any] = {compared_key(item.code): item for item in stored}
    codes = dict.fromkeys(NAMES, "name")
    known = KnownRows(FeeItem, there, key, values, save, codes=codes)
    return known_rows.take_in(session, given, known, update)


def _name_of(name: str) -> str:
    """The language's column for a name: English where it has letters of no other script."""
    return "name_en" if name.isascii() else "name_zh_hans"
