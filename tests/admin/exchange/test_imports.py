"""The import screen: upload, trial, headers, wrong rows as a file, whole or not at all (P2, M5)."""

from __future__ import annotations

import csv
import io
import re

import pytest
from sqlalchemy import func, select

from models.complaints import Attachment
from models.office import Task
from models.payments import StatementLayout, StatementRow
from models.property import Unit
from tests.admin.conftest import PASSWORD, Web, text_of

ROSTER = "房号,楼栋,类型,面积\n9-101,9,住宅,88.5\n9-102,9,住宅,90\n".encode("gbk")
WRONG = "房号,楼栋,类型,面积\n9-101,9,城堡,88.5\n9-102,9,住宅,0\n".encode()
BANK = b"Tag;Betrag;Text;Nr\n2026-07-05;10.00;A-01;7\n"


def upload(web: Web, kind: str, content: bytes, name: str = "名册.csv") -> str:
    answer = web.post("/imports/upload/", {"kind": kind, "file": (io.BytesIO(content), name)})
    assert answer.status_code == 302, text_of(answer)
    return answer.location


def units(web: Web) -> int:
    with web.rows() as session:
        return session.scalar(select(func.count()).select_from(Unit).where(Unit.code.like("9-%")))


def task_id(address: str) -> str:
    return re.search(r"id=(\d+)", address)[1]


def test_a_file_is_tried_first_and_taken_in_when_the_reader_says_so(web: Web) -> None:
    preview = upload(web, "roster", ROSTER)

    shown = text_of(web.get(preview))
    assert "9-101" in shown
    assert units(web) == 0
    taken = web.post("/imports/take/", {"id": task_id(preview)})

    assert taken.status_code == 302
    assert units(web) == 2
    with web.rows() as session:
        task = session.scalars(select(Task)).one()
        assert (task.state, task.result["new"], task.result["skipped"]) == ("done", 2, 0)
        assert session.scalars(select(Attachment)).all() == []
    assert "import" in {row.action for row in web.audits("roster")}


def test_wrong_rows_are_shown_and_come_as_a_file(web: Web) -> None:
    preview = upload(web, "roster", WRONG)

    shown = text_of(web.get(preview))
    errors = web.get(f"/imports/errors/?id={task_id(preview)}")
    refused = web.post("/imports/take/", {"id": task_id(preview)}, follow_redirects=True)

    assert "城堡" in shown
    rows = list(csv.DictReader(io.StringIO(errors.text.lstrip("\ufeff"))))
    assert [(row["Row"], row["Value"]) for row in rows] == [("2", "城堡"), ("3", "0")]
    assert "errors" in text_of(refused)
    assert units(web) == 0


@pytest.mark.parametrize(
    ("content", "words"),
    [(b"", "empty"), (b"a,b\x00\n", "NUL"), (b"PK\x03\x04broken", "damaged"), (b"\xff\xfe\xff", "UTF-8")],
)
def test_a_file_that_cannot_be_read_says_so(web: Web, content: bytes, words: str) -> None:
    answer = web.post(
        "/imports/upload/",
        {"kind": "roster", "file": (io.BytesIO(content), "x.csv")},
        follow_redirects=True,
    )

    assert words in text_of(answer)
    with web.rows() as session:
        assert session.scalars(select(Task)).all() == []


def test_foreign_headers_are_mapped_and_remembered(web: Web) -> None:
    preview = upload(web, "statement", BANK, "bank.csv")
    assert "required columns are missing" in text_of(web.get(preview))

    codes = ("paid_at", "amount", "memo", "transaction_id")  # of Tag, Betrag, Text, Nr
    fields = {f"header_{place}": code for place, code in enumerate(codes)}
    web.post("/imports/map/", {"id": task_id(preview), **fields})
    assert "required columns are missing" not in text_of(web.get(preview))
    web.post("/imports/take/", {"id": task_id(preview), "layout": "Sparkasse"})

    with web.rows() as session:
        assert session.scalars(select(StatementRow.transaction_id)).all() == ["7"]
        assert session.scalars(select(StatementLayout.name)).one() == "Sparkasse"
    again = upload(web, "statement", BANK.replace(b";7", b";8"), "bank.csv")
    assert "required columns are missing" not in text_of(web.get(again))


def test_a_file_given_up_is_forgotten(web: Web) -> None:
    preview = upload(web, "roster", ROSTER)

    web.post("/imports/give-up/", {"id": task_id(preview)})

    with web.rows() as session:
        assert session.scalars(select(Attachment)).all() == []
    assert web.get(preview).status_code == 200
    assert units(web) == 0


def test_each_kind_has_its_columns_and_an_empty_table(web: Web) -> None:
    for kind in ("roster", "statement", "tickets", "opening-balances"):
        assert web.get(f"/imports/?kind={kind}").status_code == 200
        assert web.get(f"/imports/template/?kind={kind}").text.startswith("\ufeff")
    assert web.get("/imports/template/?kind=weather").status_code == 404


def test_only_who_may_do_it_by_hand_may_bring_it_in(visitor: Web) -> None:
    visitor.sign_in("steward", PASSWORD)

    assert visitor.get("/imports/").status_code == 403
    answer = visitor.post("/imports/upload/", {"kind": "roster", "file": (io.BytesIO(ROSTER), "x.csv")})
    assert answer.status_code == 403


def test_another_s_import_is_not_there(web: Web) -> None:
    preview = upload(web, "roster", ROSTER)
    other = Web(web.office, web.office.app.test_client())
    other.sign_in("manager", PASSWORD)

    assert other.get(preview).status_code == 404
    assert other.post("/imports/take/", {"id": task_id(preview)}).status_code == 404


@pytest.mark.parametrize("key", ["", "x", "0", "-1", "1,2", "99999999999999999999"])
def test_odd_ids_are_not_found(web: Web, key: str) -> None:
    assert web.get(f"/imports/preview/?id={key}").status_code == 404
    assert web.post("/imports/take/", {"id": key}).status_code == 404
