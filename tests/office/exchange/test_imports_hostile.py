"""Malformed and hostile files: a clear line, no row kept, memory bounded (goals F7).

By default 100 files; `GATEHOUSE_HOSTILE_FILES=1000` makes more.
"""

from __future__ import annotations

import io
import os
import random
import struct
import subprocess
import sys
import zipfile
import zlib
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

import pytest
import xlsxwriter
from sqlalchemy import func, select

from models.people import Owner
from models.property import Unit
from office.core.errors import Refused
from office.exchange import imports
from office.exchange.imports import parser, reader
from office.rooms import IMPORTS
from tests.factories import spreadsheets

NOW = datetime(2026, 6, 1, tzinfo=UTC)
FILES = int(os.environ.get("GATEHOUSE_HOSTILE_FILES", "100"))
HEADER = "unit_code,building,unit_kind,area_m2\n"
GOOD = HEADER + "1,A,residence,80\n"


def workbook(rows):
    out = io.BytesIO()
    book = xlsxwriter.Workbook(out, {"in_memory": True})
    sheet = book.add_worksheet()
    for line, row in enumerate(rows):
        sheet.write_row(line, 0, row)
    book.close()
    return out.getvalue()


def package(parts, compression=zipfile.ZIP_DEFLATED):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", compression) as made:
        for name, content in parts.items():
            made.writestr(name, content)
    return out.getvalue()


def parts_of(content):
    with zipfile.ZipFile(io.BytesIO(content)) as made:
        return {name: made.read(name) for name in made.namelist()}


@cache
def bomb_of_cells():
    """A small workbook whose sheet unpacks to 200 MB."""
    parts = parts_of(workbook([["unit_code"]]))
    row = b"<row>" + b"<c><v>1</v></c>" * 1000 + b"</row>"
    sheet = parts["xl/worksheets/sheet1.xml"]
    parts["xl/worksheets/sheet1.xml"] = sheet.replace(b"</sheetData>", row * 13_000 + b"</sheetData>")
    return package(parts)


def lying_bomb():
    """The directory says 100 bytes; the stream holds 200 MB."""
    content = bytearray(bomb_of_cells())
    start = content.rindex(b"PK\x01\x02")
    while start >= 0:
        struct.pack_into("<I", content, start + 24, 100)
        start = content.rfind(b"PK\x01\x02", 0, start)
    return bytes(content)


def corner_to_corner():
    """Two cells whose rectangle would need half a terabyte."""
    out = io.BytesIO()
    book = xlsxwriter.Workbook(out, {"in_memory": True})
    sheet = book.add_worksheet()
    sheet.write(0, 0, "unit_code")
    sheet.write(1_048_575, 16_383, "x")
    book.close()
    return out.getvalue()


def entity_in_the_book():
    """A workbook whose list of sheets is made of entities."""
    book = (
        b'<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;">]>'
        b"<workbook><sheets><sheet>&b;</sheet></sheets></workbook>"
    )
    return package(parts_of(workbook([["x"]])) | {"xl/workbook.xml": book})


FIXED = {
    "empty.csv": b"",
    "blank.csv": b"\n\n , , \n",
    "nul.csv": GOOD.encode() + b"2,\x00,residence,80\n",
    "latin.csv": HEADER.encode() + b"1,B\xe9ton \xff,residence,80\n",
    "half.csv": HEADER.encode() + "1,楼,residence,80".encode()[:-16] + b"\xff\n",
    "quotes.csv": (HEADER + '1,"A,residence,80\n2,B,residence,80\n').encode(),
    "long.csv": (HEADER + f"1,{'A' * 40_000},residence,80\n").encode(),
    "wide.csv": (HEADER + "," * 5000 + "x\n").encode(),
    "no_header.csv": b"1,A,residence,80\n",
    "twice.csv": b"unit_code,unit_code,building,unit_kind,area_m2\n1,2,A,residence,80\n",
    "picture.xlsx": b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 20,
    "zip.xlsx": lambda: package({"readme.txt": "no workbook"}),
    "cut.xlsx": lambda: workbook([HEADER.strip().split(",")])[:-200],
    "ole.xls": b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(5000),
    "bomb.xlsx": bomb_of_cells,
    "lying.xlsx": lying_bomb,
    "zeros.xlsx": lambda: package({"xl/workbook.xml": bytes(300_000_000)}),
    "corner.xlsx": corner_to_corner,
    "entity.xlsx": entity_in_the_book,
    "big.csv": lambda: HEADER.encode() + b"1,A,residence,80\n" * 3_200_000,
    "rows.csv": lambda: HEADER.encode() + b"1,A,residence,0\n" * 501_000,
}


@cache
def content_of(name):
    """A file's bytes; the big ones are made by the tests that need them, not while tests are collected."""
    made = FIXED[name]
    return made() if callable(made) else made


def bring(session, path):
    return imports.take_in(session, "roster", IMPORTS["roster"], imports.read(path), now=NOW)


def kept(session):
    return [session.scalar(select(func.count()).select_from(model)) for model in (Unit, Owner)]


@pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)
@pytest.mark.parametrize("name", FIXED)
def test_a_hostile_file_is_refused_in_one_line(session, tmp_path, name, dialect):
    path = tmp_path / name
    path.write_bytes(content_of(name))

    with pytest.raises(Refused) as refusal:
        bring(session, path)

    assert path.name in str(refusal.value)
    assert "\n" not in str(refusal.value)
    assert kept(session) == [0, 0]


def damaged(seed):
    """A good CSV or workbook with bytes changed, cut, doubled or put in."""
    chance = random.Random(seed)
    rows = [HEADER.strip().split(","), *([str(n), "A", "residence", "80"] for n in range(30))]
    content = bytearray(workbook(rows) if seed % 2 else "\n".join(map(",".join, rows)).encode())
    for _ in range(chance.randint(1, 40)):
        at = chance.randrange(len(content))
        match chance.randrange(4):
            case 0:
                content[at] = chance.randrange(256)
            case 1:
                del content[at : at + chance.randint(1, 200)]
            case 2:
                content[at:at] = content[at : at + chance.randint(1, 200)]
            case 3:
                content[at:at] = chance.choice(
                    [b"\x00", b'"', b"\xff\xfe", b"\n", b",", b"=1", b"NaN", "楼".encode()]
                )
        if not content:
            content = bytearray(b",")
    return bytes(content)


@pytest.mark.timeout(3600)  # a thousand children on a busy machine
@pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)
def test_damaged_files_are_refused_or_whole(session, tmp_path, dialect):
    told: list[str] = []
    for seed in range(FILES):
        path = tmp_path / f"{seed}.{'xlsx' if seed % 2 else 'csv'}"
        path.write_bytes(damaged(seed))
        nested = session.begin_nested()
        try:
            report = bring(session, path)
        except Refused as refusal:
            told.append(str(refusal))
            assert kept(session) == [0, 0]
        else:
            assert kept(session)[0] == report.new
        nested.rollback()
        session.expire_all()
    assert len(told) > FILES / 2
    assert all(line.split(".")[0].isdigit() and "\n" not in line for line in told)


ROOT = Path(__file__).parents[3]
READ_ALL = """
import resource, sys
from pathlib import Path
from office.core.errors import Refused
from office.exchange.imports import reader

for path in sys.argv[1:]:
    try:
        reader.read(Path(path))
    except Refused:
        continue
    sys.exit(f"{path} was read")
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024)
"""


def test_the_child_keeps_the_memory_bound(tmp_path):
    paths = [tmp_path / name for name in ("bomb.xlsx", "lying.xlsx", "zeros.xlsx", "corner.xlsx", "big.csv")]
    for path in paths:
        path.write_bytes(content_of(path.name))

    # in a process of its own: what is measured is the largest of all its children
    most = subprocess.check_output([sys.executable, "-c", READ_ALL, *map(str, paths)], text=True, cwd=ROOT)

    assert 0 < int(most) <= parser.MOST_MEMORY


def test_without_the_check_the_bomb_would_grow(tmp_path):
    """The control: what the limit stops is really there."""
    content = zlib.decompress(zlib.compress(b""), 15) + content_of("bomb.xlsx")
    with zipfile.ZipFile(io.BytesIO(content)) as made:
        assert made.getinfo("xl/worksheets/sheet1.xml").file_size > 3 * parser.MOST_BYTES
    assert len(content) < parser.MEGABYTE


def test_a_child_that_hangs_is_stopped(tmp_path, monkeypatch):
    slow = tmp_path / "slow.py"
    slow.write_text("import time\ntime.sleep(60)\n")
    monkeypatch.setattr(reader, "PARSER", slow)
    monkeypatch.setattr(reader, "MOST_SECONDS", 0.5)

    with pytest.raises(Refused, match="takes too long"):
        reader.read(tmp_path / "any.csv")


def test_the_child_does_not_see_the_office_s_secrets(tmp_path, monkeypatch):
    monkeypatch.setenv("GATEHOUSE_SECRET_KEY", "hush")
    told = subprocess.run(
        [sys.executable, "-c", "import os; print('GATEHOUSE_SECRET_KEY' in os.environ)"],
        env=reader._without_secrets(),
        capture_output=True,
        text=True,
        check=True,
    )

    assert told.stdout.strip() == "False"


@pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)
def test_fifty_megabytes_of_a_real_table_are_read(tmp_path, dialect):
    path = tmp_path / "r.csv"
    rows = spreadsheets.roster_rows(943)
    spreadsheets.csv_file(path, spreadsheets.ROSTER_HEADER, rows * 300)

    assert len(reader.read(path).lines) == 943 * 300 + 1
