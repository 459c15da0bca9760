"""Any table in through its screen's form, any list out as a file; long work behind a page (K6)."""

from __future__ import annotations

import io
import re
import time
from datetime import date

import pytest
from python_calamine import CalamineWorkbook
from sqlalchemy import func, select

from admin.exchange import imports
from admin.panel import list_exports
from models.office import Task
from models.property import Area, Building, Unit
from tests.admin.conftest import Web, text_of

pytestmark = pytest.mark.parametrize("dialect", ["sqlite", "postgresql"], indirect=True)
FILES = (  # screen, file, what the trial says, names that are there afterwards
    ("areas", "名称,顺序,启用日期\n南区,3,2026/1/1\n北区,,\n", "2", {"南区", "北区"}),
    ("areas", "Name,Order\n南区,3\n东区,0\n", "2", {"南区"}),  # 东区 is there already
    ("areas", "名称,启用日期\n南区,2026-13-01\n", "not a date", set()),
    ("areas", "名称,顺序\n南区,x\n", "whole number", set()),
    ("buildings", "名称,片区\n九号楼,东区\n", "1", {"九号楼"}),
    ("buildings", "名称,片区\n九号楼,没有的区\n", "没有的区", set()),
    ("buildings", "名称,片区\n十号楼,东区\n十号楼,东区\n", "row 2", set()),
    ("areas", "顺序\n3\n", "missing", set()),
)


def bring(web: Web, kind: str, text: str) -> str:
    file = (io.BytesIO(text.encode()), "表.csv")
    answer = web.post("/imports/upload/", {"kind": kind, "file": file})
    assert answer.status_code == 302, text_of(answer)
    return answer.location


def names(web: Web) -> set[str]:
    with web.rows() as session:
        return {*session.scalars(select(Area.name)), *session.scalars(select(Building.name))}


def task_of(address: str) -> str:
    return re.search(r"id=(\d+)", address)[1]


def test_a_table_comes_in_through_its_screens_form(web: Web) -> None:
    for screen, text, says, expected in FILES:
        before = names(web)

        preview = bring(web, f"screen:{screen}", text)
        shown = text_of(web.get(preview))
        web.post("/imports/take/", {"id": task_of(preview)})

        assert says in shown, (screen, text, shown[shown.index("Sign out") :][:900])
        assert names(web) - before == expected, (screen, text)
        with web.rows() as session:
            for each in session.scalars(select(Area).where(Area.name.in_(["南区", "北区"]))):
                session.delete(each)
            session.commit()
    assert {"create", "import"} <= {row.action for row in web.audits("area")}


def test_a_mapping_is_remembered_for_the_next_file_with_these_headers(web: Web) -> None:
    first = bring(web, "screen:areas", "Bezirk;Rang\n南区;3\n")
    chosen = {"header_0": "name", "header_1": "position"}
    web.post("/imports/map/", {"id": task_of(first), **chosen})
    web.post("/imports/take/", {"id": task_of(first)})

    second = bring(web, "screen:areas", "Bezirk;Rang\n北区;4\n")
    web.post("/imports/take/", {"id": task_of(second)})

    assert {"南区", "北区"} <= names(web)


def test_who_may_not_create_may_not_import(visitor: Web) -> None:
    visitor.sign_in("steward", "a password for tests")

    answer = visitor.post("/imports/upload/", {"kind": "screen:areas", "file": (io.BytesIO(b"x"), "x.csv")})

    assert answer.status_code == 403
    assert "/imports/?kind" not in visitor.get("/areas/").text


def test_a_long_file_is_worked_on_behind_a_page(web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(imports, "LONG", 3)
    lines = "".join(f"区{number}\n" for number in range(8))

    preview = bring(web, "screen:areas", "名称\n" + lines)
    waited(web, f"/imports/working/?id={task_of(preview)}")
    web.post("/imports/take/", {"id": task_of(preview)})
    waited(web, f"/imports/working/?id={task_of(preview)}")

    assert {f"区{number}" for number in range(8)} <= names(web)
    with web.rows() as session:
        assert session.get_one(Task, int(task_of(preview))).state == "done"


def test_a_long_export_is_written_behind_a_page(web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(list_exports, "LONG", 3)
    with web.rows() as session:
        count = session.scalar(select(func.count()).select_from(Unit))

    begun = web.get("/units/export/csv/")
    assert begun.status_code == 302
    waited(web, begun.location + "&ask=1")
    done = web.get(begun.location + "&file=1")

    assert len(done.text.splitlines()) == count + 1
    assert done.text.startswith(list_exports.BOM)
    visitor = Web(web.office, web.office.app.test_client())
    visitor.sign_in("manager", "a password for tests")
    assert visitor.get(begun.location + "&file=1").status_code == 404  # another's file


def test_cells_of_a_workbook_are_what_they_show(web: Web) -> None:
    found = web.get("/trial_invoices/export/xlsx/?search=F-A-01").data

    header, row = CalamineWorkbook.from_filelike(io.BytesIO(found)).get_sheet_by_index(0).to_python()

    shown = dict(zip(header, row, strict=True))
    assert (shown["Amount"], shown["Due on"]) == (100.0, date(2026, 1, 15))


def waited(web: Web, address: str) -> None:
    for _ in range(100):
        if not web.get(address).get_json()["is_working"]:
            return
        time.sleep(0.05)
    raise AssertionError(f"{address} goes on and on")
