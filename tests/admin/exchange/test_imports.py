"""The import screen: upload, trial, headers, wrong rows as a file, whole or not at all (P2, M5)."""

from __future__ import annotations

import csv
import io
import re
import tomllib
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select

from admin.exchange import code_words
from admin.exchange.keys import KEYS
from admin.panel import labels, language
from models.complaints import Attachment
from models.office import ImportMapping, Task
from models.payments import StatementLayout, StatementRow
from models.people import Staff
from models.property import Unit
from office.core import clock
from office.payments import day_close
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


PAID = """交易时间,流水号,收入金额,摘要,对方户名
2026-07-01 09:00:00,B1,168.00,9-101 物业费,张伟
2026-07-01 10:00:00,B2,5.00,红包,
2026-07-01 11:00:00,B3,99.00,9-102 物业费,王芳
"""


def test_rows_into_the_reader_s_closed_day_are_told_one_by_one(web: Web) -> None:
    web.post("/imports/take/", {"id": task_id(upload(web, "roster", ROSTER))})
    with web.rows() as session:
        staff_id, now = (
            session.scalars(select(Staff.id).where(Staff.login == "admin")).one(),
            clock.now(session),
        )
        today = clock.office_day(session, now)
        day_close.close_day(
            session, cashier_id=staff_id, day=today, counted={}, closed_by_id=staff_id, now=now
        )
        session.commit()

    preview = upload(web, "statement", PAID.encode(), "bank.csv")

    shown = text_of(web.get(preview))
    assert "2 cells are wrong" in shown
    assert shown.count(f"your day {today} is closed") == 2
    assert shown.count(f"Bring the file on {today + timedelta(days=1)}, the next open day") == 2
    with web.rows() as session:
        assert session.scalars(select(StatementRow)).all() == []


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


# --- how a file is read ------------------------------------------------------------------------------

STRANGE = "房间编号,楼栋,户型,建面\n9-101,9,高层住宅,88.5\n9-102,9,复式洋房,90\n".encode()
SAID = {
    "header_0": "unit_code",
    "header_1": "building",
    "header_2": "unit_kind",
    "header_3": "area_m2",
}
WORDS = {
    "word_column": ["unit_kind", "unit_kind"],
    "word": ["高层住宅", "复式洋房"],
    "word_meaning": ["residence", "residence"],
}


def test_only_what_the_file_needs_is_asked_and_it_is_remembered_under_a_name(web: Web) -> None:
    """R3: headers with samples, words when they occur; the next such file needs nothing."""
    preview = upload(web, "roster", STRANGE)
    first = text_of(web.get(preview))
    web.post("/imports/map/", {"id": task_id(preview), **SAID})
    second = text_of(web.get(preview))
    web.post("/imports/map/", {"id": task_id(preview), **SAID, **WORDS})
    third = text_of(web.get(preview))
    web.post("/imports/take/", {"id": task_id(preview), "layout": "旧系统"})

    assert "房间编号" in first
    assert "9-101 · 9-102" in first
    assert "Words that need a meaning" not in first
    assert "高层住宅" in second
    assert "Words that need a meaning" in second
    assert "What taking it in would do" in third
    assert units(web) == 2
    again = upload(web, "roster", STRANGE.replace(b"9-10", b"9-20"))
    assert "What taking it in would do" in text_of(web.get(again))
    assert "旧系统" in text_of(web.get("/imports/"))
    assert {"remember"} <= {row.action for row in web.audits("import_mapping")}


def test_a_mapping_is_taken_and_given_as_the_command_s_file(web: Web) -> None:
    toml = """[columns]
"房间编号" = "unit_code"
[values.unit_kind]
"高层住宅" = "residence"
"复式洋房" = "residence"
"""
    preview = upload(web, "roster", STRANGE.replace("户型".encode(), "类型".encode()))
    sent = {"id": task_id(preview), "toml": (io.BytesIO(toml.encode()), "map.toml")}
    web.post("/imports/map/", sent)
    given = web.get(f"/imports/mapping/?id={task_id(preview)}").text
    web.post("/imports/take/", {"id": task_id(preview)})

    assert units(web) == 2
    assert tomllib.loads(given) == tomllib.loads(toml)


def test_a_code_in_parts_is_proposed_and_what_is_missing_has_its_name_on_screen(web: Web) -> None:
    content = "楼栋,单元,门牌号,类型,面积\n9,1,101,住宅,88\n".encode()
    preview = upload(web, "roster", content)
    page = web.get(preview)

    assert "required columns are missing: Unit no." in text_of(page)
    assert 'value="{楼栋}-{单元}-{门牌号}"' in page.text
    join = {"join_code": "unit_code", "join_pattern": "{楼栋}-{单元}-{门牌号}"}
    fields = {"header_0": "building", "header_3": "unit_kind", "header_4": "area_m2"}
    web.post("/imports/map/", {"id": task_id(preview), **fields, **join})
    web.post("/imports/take/", {"id": task_id(preview)})

    assert units(web) == 1


def test_a_remembered_mapping_is_forgotten_and_the_history_says_so(web: Web) -> None:
    preview = upload(web, "roster", STRANGE)
    web.post("/imports/map/", {"id": task_id(preview), **SAID, **WORDS})
    web.post("/imports/take/", {"id": task_id(preview), "layout": "旧系统"})
    with web.rows() as session:
        key = session.scalars(select(ImportMapping.id)).one()

    given = web.get(f"/imports/mapping/?remembered={key}")
    web.post("/imports/forget/", {"id": str(key)})

    assert "高层住宅" in given.text
    with web.rows() as session:
        assert session.scalars(select(ImportMapping)).all() == []
    assert [row.action for row in web.audits("import_mapping")][-1] == "forget"
    assert web.post("/imports/forget/", {"id": str(key)}).status_code == 404


@pytest.mark.parametrize(
    ("sent", "says"),
    [
        ({**SAID, "header_1": "unit_code"}, "Two columns of the file"),
        ({**SAID, "join_code": "unit_code", "join_pattern": "{梯}-{房间编号}"}, "is no header of this file"),
        ({**SAID, "toml": (b"[columns", "map.toml")}, "is not TOML"),
        ({**SAID, "toml": (b"\xff\xfe\xff", "map.toml")}, "UTF-8"),
    ],
)
def test_what_cannot_be_meant_is_told(web: Web, sent: dict, says: str) -> None:
    preview = upload(web, "roster", STRANGE)
    if "toml" in sent:
        sent = {**sent, "toml": (io.BytesIO(sent["toml"][0]), sent["toml"][1])}

    answer = web.post("/imports/map/", {"id": task_id(preview), **sent}, follow_redirects=True)

    assert answer.status_code == 200
    assert says in text_of(answer)


def test_differences_are_shown_side_by_side_and_those_that_are_ticked_are_written(web: Web) -> None:
    first = upload(web, "roster", ROSTER)
    web.post("/imports/take/", {"id": task_id(first)})
    corrected = "房号,楼栋,类型,面积\n9-101,9,住宅,98.5\n9-102,8,住宅,95\n".encode()
    preview = upload(web, "roster", corrected)
    shown = text_of(web.get(preview))
    listed = web.get(f"/imports/differs/?id={task_id(preview)}").text.lstrip("\ufeff")

    web.post("/imports/take/", {"id": task_id(preview), "write": ["1", "2", "77", "x"]})

    assert "Another building changes who answers for the unit" in shown
    assert re.search(r"2\s+9-101\s+Area", shown), "each difference says which unit it is about"
    assert next(row["here"] for row in csv.DictReader(io.StringIO(listed))) == "98.5"
    with web.rows() as session:
        found = dict(session.execute(select(Unit.code, Unit.area_m2).where(Unit.code.like("9-%"))).all())
        buildings = {
            unit.building.name for unit in session.scalars(select(Unit).where(Unit.code.like("9-%")))
        }
    assert {code: float(area) for code, area in found.items()} == {"9-101": 98.5, "9-102": 90}
    assert buildings == {"9"}
    assert "edit" in {row.action for row in web.audits("unit")}


def test_the_docs_say_each_kind_s_key(web: Web) -> None:
    page = (Path(__file__).parents[3] / "docs" / "imports.md").read_text("utf-8")
    rows = {
        found[1]: re.findall(r"`(\w+)`", found[2])
        for found in re.finditer(r"^\| `([\w-]+)` \| (.*?) \|", page, re.MULTILINE)
    }

    assert rows == {kind: list(key.columns) for kind, key in KEYS.items()}
    assert "A row is known by" in text_of(web.get("/imports/?kind=slips"))


def test_words_of_remedies_are_words_that_imports_know(web: Web) -> None:
    """What a remedy lists in any language can be written into the cell."""
    from office.exchange.imports import words
    from office.exchange.imports.cells import key

    known = {
        "unit_kind": (labels.UNIT_KINDS, words.UNIT_KIND_WORDS),
        "payments": (labels.METHODS, words.METHOD_WORDS),
        "contacts": (labels.CONTACT_METHODS, words.CONTACT_METHOD_WORDS),
        "channel": (labels.CHANNELS_IN, words.CHANNEL_WORDS),
        "severity": (code_words.LABELS["severity"], words.SEVERITY_WORDS),
    }
    with web.office.app.test_request_context():
        from flask_babel import force_locale

        wrong = []
        for locale in language.LOCALES.values():
            with force_locale(locale):
                for column, (named, understood) in known.items():
                    wrong += [
                        (column, code, str(label))
                        for code, label in named.items()
                        if understood.get(key(str(label))) != code
                    ]
    assert not wrong, "\n".join(map(str, wrong))
    assert code_words.LABELS.keys() >= {"unit_kind", "method", "channel", "severity"}
