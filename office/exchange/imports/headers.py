"""Where a table stands in its file: the header, in one line or two, and the footer that is no data.

Headers are compared without width, case and blanks. What stands in brackets belongs to the header
(`交易金额(收入)` is not `交易金额(支出)`), unless it says nothing new: `金额(元)`, `房号(必填)`.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol

from office.core.errors import N_, Refused
from office.exchange.imports.cells import key
from office.exchange.imports.reader import Line, Table

MOST_HEADER_ROW = 30  # titles and notes may stand above the header
_BRACKETS = str.maketrans("[]【】〔〕{}<>", "()()()()()")
_QUALIFIED = re.compile(r"(.+?)\(([^()]*)\)")
_NOTHING_NEW = re.compile(
    r"(?:单位)?(?:人民币)?元|人民币|rmb|cny|yuan|¥|平方米|平米|平方|m2|m²|sqm|[必选選可]填项?|可选|可選|必选|required|optional"
    r"|[ymd/.]+|格式.*|如.*|例.*|[a-z]{4,}(?:[a-z'./]|of|the)*"  # a translation beside the Chinese header
)
# a measure in which a sum or an area is not kept, as it may stand behind the header's name
_MEASURE = (
    r"(?:单位|單位)?(?:[百千万萬亿億]+元?|分|角|厘|毫|fen|cents?|jiao|k|thousands?"
    r"|美元|美金|港币|港幣|港元|澳门元|新台币|新臺幣|欧元|歐元|日元|英镑|usd|hkd|twd|eur|jpy|gbp"
    r"|套内|套內|使用面?积?|实用|實用|公摊|公攤|分摊|分攤|亩|畝|公顷|坪|平方英尺|平方呎|呎|sqft|ft2|ft²|acres?)"
)
_FOREIGN = re.compile(_MEASURE)
_ENDS_FOREIGN = re.compile(rf"(.+?)/?({_MEASURE})")
_TITLE_MEASURE = re.compile(rf"(?:金额|金額|货币|貨幣|币种|幣種|面积|面積)?(?:单位|單位)({_MEASURE})")
_TOTAL = re.compile(
    r"(?:人民币|人民幣|美元|港币|本页|本頁|本月|本期|累计|累計|全部)?(?:合计|合計|总计|總計|小计|小計|共计|共計|汇总|匯總|总额|總額)"
    r"|总笔数|總筆數|总交易单数|總交易單數|总收入|总支出|承前页|过次页|\d+笔|\d+(?:收|支|借|贷|貸)"
    r"|以上(?:数据|數據|信息|资料|資料|内容|內容)|(?:仅|僅)供(?:参考|參考)|制表|製表|第\d+[页頁]|共\d+[页頁]|打印(?:时间|日期|人)|列印|审核|審核|复核|複核"
    r"|(?:备注|備註|说明|說明|注|註):|查询时间|导出时间|匯出|(?:sub|grand)?total(?![a-z])"
)
_BALANCE_LINE = re.compile(
    r"(?:期初|期末|上期|本期|上日|昨日|上月|上页|上頁|承前|承上|承|转下|轉下|结转|結轉)?(?:账户|帳戶)?(?:余额|餘額|结余|結餘|结存|結存)"
    r"(?:承前|承上|结转|結轉|转下|轉下)?"
    r"|(?:opening|closing)balance|balance[bc]/?f|[bc]/fbalance|[bc]/f|balance(?:brought|carried)forward"
)
_GROUP = re.compile(
    r"(?:信息|資訊|资料|資料|情况|情況|明细|明細|内容|內容|数据|數據|详情|詳情|details?|info)$"
)


class Heading(Protocol):
    """What makes a line the header of a table."""

    def knows(self, name: str) -> bool:
        """Whether one header is known."""

    def is_header(self, cells: Sequence[str]) -> bool:
        """Whether a line's cells are the header, every needed column among them."""


@lru_cache(8192)
def header_key(name: str) -> str:
    """A header as it is compared; what stands in brackets is dropped only where it says nothing new."""
    compared = key(name.translate(_BRACKETS)).translate(_BRACKETS)
    found = _QUALIFIED.fullmatch(compared)
    return (
        found[1]
        if found and _NOTHING_NEW.fullmatch(found[2]) and not _FOREIGN.fullmatch(found[2])
        else compared
    )


def loose_key(name: str) -> str:
    """A header without anything in brackets."""
    compared = header_key(name)
    found = _QUALIFIED.fullmatch(compared)
    return found[1] if found else compared


def in_foreign_measure(name: str) -> str:
    """The header without the measure that it says, where sums or areas are not kept so; else empty."""
    compared = header_key(name)
    found = _QUALIFIED.fullmatch(compared)
    if found and _FOREIGN.fullmatch(found[2].strip(":")):
        return found[1]
    behind = _ENDS_FOREIGN.fullmatch(compared)
    return behind[1] if behind else ""


def refuse_measures(
    table: Table, until: int, header: Iterable[str], is_measured: Callable[[str], bool]
) -> None:
    """Refuse a file whose sums or areas are in another measure, by a header or a line above the header."""
    for cell in header:
        bare = in_foreign_measure(cell)
        if bare and is_measured(bare):
            raise Refused(
                N_(
                    "%(file)s: the column %(column)s is in another measure than yuan or m²: "
                    "convert it, or name the column that is meant"
                ),
                file=table.file,
                column=cell.strip(),
            )
    for line in table.lines[:until]:
        for cell in line.cells:
            if _TITLE_MEASURE.fullmatch(key(cell)):
                raise Refused(
                    N_("%(file)s: %(said)s stands above the table: convert its sums or areas to yuan and m²"),
                    file=table.file,
                    said=cell.strip(),
                )


def find(rows: Sequence[Sequence[str]], heading: Heading) -> tuple[int, tuple[str, ...]] | None:
    """How many rows the header ends, and its cells; those of a header in two lines joined."""
    for place, row in enumerate(rows[:MOST_HEADER_ROW]):
        below: Sequence[str] = rows[place + 1] if place + 1 < len(rows) else ()
        if heading.is_header(row):
            if _goes_on(row, below, heading):
                return place + 2, _joined(row, below, heading)
            return place + 1, tuple(row)
        if below and not heading.is_header(below):
            both = _joined(row, below, heading)
            if heading.is_header(both):
                return place + 2, both
    return None


def _goes_on(row: Sequence[str], below: Sequence[str], heading: Heading) -> bool:
    """Whether the line below a header names more columns, and has no data under those that are known."""
    new = [cell for place, cell in enumerate(below) if cell.strip() and cell.strip() != _at(row, place)]
    is_under_known = any(
        under not in {"", cell.strip()} and not heading.knows(under)
        for place, cell in enumerate(row)
        if heading.knows(cell)
        for under in (_at(below, place),)
    )
    return any(map(heading.knows, new)) and not is_under_known


def _at(row: Sequence[str], place: int) -> str:
    return row[place].strip() if place < len(row) else ""


def _joined(upper: Sequence[str], lower: Sequence[str], heading: Heading) -> tuple[str, ...]:
    """Two lines of a header as one: `发生额` above `借方 | 贷方` makes 借方发生额 and 贷方发生额."""
    found: list[str] = []
    over = ""
    for place in range(max(len(upper), len(lower))):
        own, under = _at(upper, place), _at(lower, place)
        over = own or over
        if not under or under == own:
            found.append(own)
            continue
        names = [over + under, under + over]
        if not over or _GROUP.search(over):
            names.insert(0, under)
        found.append(next((name for name in names if heading.knows(name)), names[0]))
    return tuple(found)


def is_total(text: str) -> bool:
    """Whether a cell's text is a word for a total, or a remark that banks put under a table."""
    return bool(text) and _TOTAL.match(_bare(text)) is not None


def is_balance_line(text: str) -> bool:
    """Whether a cell's text calls its line the balance before or after all others: 期初余额, Balance B/F."""
    return bool(text) and _BALANCE_LINE.fullmatch(_bare(text).rstrip(":.")) is not None


def _bare(text: str) -> str:
    return "".join(unicodedata.normalize("NFKC", text).split()).casefold()


@dataclass(frozen=True)
class Needed:
    """The places of a table's columns that no row is without, and of those that name a row or its day."""

    required: tuple[int, ...]
    keys: tuple[int, ...]

    def is_footer(self, line: Line) -> bool:
        """Whether a line has a word for a total, or no value, where each row has its key or its day."""
        if any(is_total(line.cell(place)) for place in self.keys):
            return True
        if any(line.cell(place).strip() for place in self.keys):
            return False
        filled = sum(bool(line.cell(place).strip()) for place in self.required)
        return 2 * filled <= len(self.required) or any(map(is_total, line.cells))


def footer_length(lines: Sequence[Line], needed: Needed) -> int:
    """How many of the last lines are a footer."""
    count = 0
    while count < len(lines) and needed.is_footer(lines[-1 - count]):
        count += 1
    return count
