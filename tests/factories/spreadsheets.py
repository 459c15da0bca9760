"""Files as offices bring them: made in tests, in every shape that imports must read."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any

import xlsxwriter

ROSTER_HEADER = (
    "房号", "楼栋", "片区", "楼层", "类型", "面积", "交付日期", "业主姓名", "电话", "邮箱", "起始日期",
    "管家",
)  # fmt: skip
SURNAMES = "王李张刘陈杨赵黄周吴徐孙曾解仇区查翟盖单"
HOUSEHOLDS = 943


def roster_rows(count: int = HOUSEHOLDS) -> list[list[Any]]:
    """So many households in 12 buildings of 2 areas, invented, with every 20th one vacant."""
    made = []
    for number in range(count):
        building, within = number % 12 + 1, number // 12
        entrance, storey, door = within % 2 + 1, within // 4 + 1, within // 2 % 2 + 1
        is_vacant = number % 20 == 19
        made.append(
            [
                f"{building}-{entrance}-{storey:02}{door:02}",
                f"{building}栋",
                "东区" if building <= 6 else "西区",
                storey,
                "住宅",
                60 + number % 80 + 0.5,
                date(2019, 6, 1),
                "" if is_vacant else f"{SURNAMES[number % len(SURNAMES)]}测{number}",
                "" if is_vacant else f"1390000{number:04}",
                "" if is_vacant else f"owner{number}@example.com",
                "",
                f"管家{building % 4 + 1}",
            ]
        )
    return made


def names(listed: str) -> list[str]:
    """Headers that stand in one text."""
    return listed.split()


def as_text(value: Any) -> str:
    return "" if value is None else str(value)


def csv_file(
    path: Path, header: Sequence[str], rows: Sequence[Sequence[Any]], encoding: str = "utf-8"
) -> Path:
    text = io.StringIO(newline="")
    csv.writer(text).writerows([header, *([as_text(value) for value in row] for row in rows)])
    path.write_bytes(text.getvalue().encode(encoding))
    return path


def xlsx_file(path: Path, header: Sequence[str], rows: Sequence[Sequence[Any]]) -> Path:
    """A workbook with dates as date cells and numbers as number cells."""
    book = xlsxwriter.Workbook(str(path), {"strings_to_formulas": False, "strings_to_urls": False})
    sheet = book.add_worksheet("Sheet1")
    day = book.add_format({"num_format": "yyyy-mm-dd"})
    instant = book.add_format({"num_format": "yyyy/m/d hh:mm:ss"})
    for line, row in enumerate([header, *rows]):
        for place, value in enumerate(row):
            if isinstance(value, datetime):
                sheet.write_datetime(line, place, value, instant)
            elif isinstance(value, date):
                sheet.write_datetime(line, place, value, day)
            else:
                sheet.write(line, place, value)
    book.close()
    return path
