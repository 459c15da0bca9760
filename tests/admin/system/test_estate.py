"""The estate's own page: its identity is entered, checked, missed and previewed (D1, D8)."""

from __future__ import annotations

from io import BytesIO

from PIL import Image
from sqlalchemy import select

from models.property import CollectionCode, Estate
from tests.admin.conftest import Web, text_of
from tests.factories.pdf_text import bare
from tests.factories.pdf_text import text_of as pdf_text

FIELDS = {
    "name": "云栖花园",
    "currency": "HKD",
    "language": "zh_Hans",
    "company_name": "示例物业服务有限公司",
}


def estate_of(web: Web) -> tuple[str, str, str]:
    with web.rows() as session:
        row = session.scalars(select(Estate)).one()
        return row.company_name, row.registration_no, row.currency


def test_the_identity_is_checked_told_while_missing_and_stands_in_the_letterhead(web: Web) -> None:
    assert "Papers of this estate lack what identifies the company" in text_of(web.get("/start/"))
    assert "full legal name is missing" in text_of(web.get("/estate/details/?id=1"))
    given = {**FIELDS, "row_version": "1"}

    refused = web.post("/estate/edit/?id=1", {**given, "registration_no": "91990000MA0DEM0012"})

    assert "check digit does not fit" in text_of(refused)
    assert estate_of(web) == ("", "", "CNY")

    web.post("/estate/edit/?id=1", {**given, "registration_no": "91990000ma0dem0011"})

    assert estate_of(web) == ("示例物业服务有限公司", "91990000MA0DEM0011", "HKD")
    assert "full legal name is missing" not in text_of(web.get("/estate/details/?id=1"))
    paper = bare(pdf_text(web.get("/estate/letterhead/?language=zh_Hans").data))
    assert "示例物业服务有限公司" in paper
    assert "91990000MA0DEM0011" in paper


def test_a_code_to_pay_by_is_uploaded_and_taken_away(web: Web) -> None:
    picture = BytesIO()
    Image.new("RGB", (300, 300), "green").save(picture, "PNG")

    bad = web.post("/estate/code/", {"way": "wechat", "file": (BytesIO(b"<svg/>"), "code.png")})
    good = web.post("/estate/code/", {"way": "wechat", "file": (BytesIO(picture.getvalue()), "code.png")})

    assert (bad.status_code, good.status_code) == (302, 302)
    with web.rows() as session:
        assert session.scalars(select(CollectionCode.way)).all() == ["wechat"]
    assert "data:image/png;base64," in web.get("/estate/details/?id=1").text
    web.post("/estate/code/", {"way": "wechat", "do": "remove"})
    with web.rows() as session:
        assert session.scalars(select(CollectionCode.way)).all() == []
