"""How a file is read: its encoding, separator and sheet are told by the header; no cell is passed over.

contract "Reading files"; goals R3.
"""

import datetime as dt
import io

import pytest
import xlsxwriter

from office.core.errors import Refused
from office.exchange.imports import reader

HEADER = ("房号", "面积", "备注")


def has_header(rows):
    return any({"房号", "面积"} <= {cell.strip() for cell in cells} for cells in rows)


def read(folder, name, content, **more):
    path = folder / name
    path.write_bytes(content)
    return reader.read(path, **more)


def cells_of(table):
    return [line.cells for line in table.lines]


def text_of(separator=",", rows=(("1-101", "89.5", "李䶮"),)):
    return "\n".join(separator.join(row) for row in (HEADER, *rows)) + "\n"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "gb18030"])
@pytest.mark.parametrize("separator", [",", "\t", ";"])
def test_encoding_and_separator_are_those_that_yield_the_header(tmp_path, encoding, separator):
    content = text_of(separator).encode(encoding)

    table = read(tmp_path, "rows.csv", content, has_header=has_header)

    assert cells_of(table) == [HEADER, ("1-101", "89.5", "李䶮")]


def test_big5_is_read_where_only_it_yields_the_header(tmp_path):
    content = "房號,面積\n1-101,89.5\n".encode("big5")

    table = read(
        tmp_path, "rows.csv", content, has_header=lambda rows: any("房號" in cells for cells in rows)
    )

    assert cells_of(table)[0] == ("房號", "面積")


def test_content_of_rows_decides_no_separator(tmp_path):
    """More commas than tabs stand in a memo; the header is cut by tabs."""
    content = text_of("\t", [("1-101", "89.5", "a, b, c, d, e, f, g")]).encode()

    table = read(tmp_path, "rows.tsv", content, has_header=has_header)

    assert cells_of(table)[1] == ("1-101", "89.5", "a, b, c, d, e, f, g")


def test_without_the_header_the_separator_would_be_guessed_wrongly(tmp_path):
    """The control of the test above."""
    content = text_of("\t", [("1-101", "89.5", "a, b, c, d, e, f, g")]).encode()

    assert cells_of(read(tmp_path, "rows.tsv", content))[0] != HEADER


def test_blanks_after_a_closing_quotation_mark_are_no_error(tmp_path):
    content = '"房号" ,"面积"\t,"备注"\n"1-101"  ,"89.5" ,"said ""no"" , twice" \n'.encode()

    table = read(tmp_path, "rows.csv", content, has_header=has_header)

    assert cells_of(table)[1] == ("1-101", "89.5", 'said "no" , twice')


@pytest.mark.parametrize(
    "content",
    [
        b"<html><body><table><tr><td>1</td></tr></table></body></html>",
        b'\xef\xbb\xbf\r\n<!DOCTYPE html>\n<html xmlns:x="urn:schemas-microsoft-com:office:excel">',
        b"<table border=1><tr><td>1</td></tr></table>",
        b'<?xml version="1.0"?><html xmlns="http://www.w3.org/1999/xhtml">',
    ],
)
def test_a_web_page_named_as_a_workbook_is_told_as_such(tmp_path, content):
    with pytest.raises(Refused) as refusal:
        read(tmp_path, "bank.xls", content)

    assert "web page" in refusal.value.message


def workbook(fill, sheets=("rows",)):
    content = io.BytesIO()
    book = xlsxwriter.Workbook(content, {"in_memory": True})
    for name in sheets:
        fill(book, book.add_worksheet(name), name)
    book.close()
    return content.getvalue()


def test_an_error_cell_is_no_empty_one(tmp_path):
    def fill(_book, sheet, _name):
        sheet.write_row(0, 0, HEADER)
        sheet.write(1, 0, "1-101")
        sheet.write_formula(1, 1, "=NA()", None, "#N/A")
        sheet.write_formula(1, 2, "=A1+#REF!", None, "#REF!")
        sheet.write_row(2, 0, ("1-102", 89.5, ""))

    table = read(tmp_path, "rows.xlsx", workbook(fill))

    assert cells_of(table)[1] == ("1-101", "#N/A", "#REF!")
    assert [table.lines[1].type(place) for place in range(4)] == ["t", "e", "e", "t"]
    assert [table.lines[2].type(place) for place in range(2)] == ["t", "n"]


def test_a_merged_cell_counts_for_every_row_that_it_covers(tmp_path):
    def fill(book, sheet, _name):
        sheet.write_row(0, 0, HEADER)
        sheet.merge_range(1, 0, 3, 0, "1-101")
        for row in range(1, 5):
            sheet.write(row, 1, row)
        sheet.write_datetime(4, 2, dt.date(2026, 8, 1), book.add_format({"num_format": "yyyy-mm-dd"}))

    table = read(tmp_path, "rows.xlsx", workbook(fill))

    assert [cells[:2] for cells in cells_of(table)[1:]] == [
        ("1-101", "1"),
        ("1-101", "2"),
        ("1-101", "3"),
        ("", "4"),
    ]
    assert table.lines[4].cell(2) == "2026-08-01"
    assert table.lines[4].type(2) == "d"


def test_the_sheet_with_a_known_header_is_read(tmp_path):
    def fill(_book, sheet, name):
        sheet.write_row(0, 0, HEADER if name == "名册" else ("说明", "请勿修改"))
        sheet.write_row(1, 0, (name, 1))

    content = workbook(fill, ("说明", "名册", "旧"))

    assert cells_of(read(tmp_path, "a.xlsx", content, has_header=has_header))[1][0] == "名册"
    assert cells_of(read(tmp_path, "b.xlsx", content, sheet="旧"))[1][0] == "旧"
    assert cells_of(read(tmp_path, "c.xlsx", content))[1][0] == "说明"
