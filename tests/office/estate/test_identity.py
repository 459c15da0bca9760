"""The estate's identity: what papers show of it and lack, and the codes to pay by (D1, D8)."""

from __future__ import annotations

from base64 import b64decode
from io import BytesIO

import pytest
from PIL import Image
from sqlalchemy import select
from sqlalchemy.orm import Session

import seed
from models.property import CURRENCIES, Estate
from office.core.errors import Refused
from office.documents import collection_codes
from office.documents.letterhead import estate_details
from office.estate import identity
from office.exchange.imports import statement_layouts


def picture(wide: int = 300, high: int = 300, kind: str = "PNG") -> bytes:
    made = BytesIO()
    Image.new("RGB", (wide, high), "green").save(made, kind)
    return made.getvalue()


def test_papers_show_the_company_in_their_language_and_fall_back(session: Session) -> None:
    assert estate_details(session, "en").creditor == estate_details(session, "en").name  # nothing known yet
    assert identity.gaps(session)[0].field == "company_name"

    identity.fill(session, seed.demo()["estate"])

    assert identity.gaps(session) == []
    assert estate_details(session, "en").creditor == "Sample Property Services Co., Ltd."
    assert estate_details(session, "zh_Hant").creditor == "示例物業服務有限公司"
    assert estate_details(session, "zh_Hant").name == "雲棲花園 Cloud Garden"
    identity.fill(session, {"company_name_en": "", "company_name_zh_hant": "", "currency": "HKD"})
    english = estate_details(session, "en")
    assert (english.creditor, estate_details(session, "zh_Hant").creditor) == ("示例物业服务有限公司",) * 2
    assert (english.currency, english.currency_code) == ("HK$", "HKD")
    assert english.contract.late_fees_clause == "第十五条"


def test_a_name_or_address_typed_in_several_lines_is_kept_in_one(session: Session) -> None:
    identity.fill(session, {"company_name": "Sample\r\n  Property", "ways_to_pay": "cash\ncard"})

    estate = session.execute(select(Estate)).scalar_one()
    assert (estate.company_name, estate.ways_to_pay) == ("Sample Property", "cash\ncard")


@pytest.mark.parametrize(
    "given",
    [
        {"registration_no": "91990000MA0DEM0012"},
        {"public_address": "office"},
        {"currency": "EUR"},
        {"language": "fr"},
        {"licence": "x" * 121},
        {"preset": "tower"},
        {"developer_id": "1"},
        {"present_at": "2026-03-02"},
    ],
)
def test_what_can_not_be_right_is_refused(session: Session, given: dict[str, str]) -> None:
    with pytest.raises(Refused):
        identity.fill(session, given)


def test_every_currency_has_its_words_in_statements() -> None:
    for currency in CURRENCIES:
        assert statement_layouts.is_currency(currency, currency)
        assert statement_layouts.is_currency("", currency)
        assert not any(
            statement_layouts.is_currency(other, currency) for other in CURRENCIES if other != currency
        )
    assert not statement_layouts.is_currency("人民币", "HKD")


def test_a_code_to_pay_by_is_kept_small_and_square(session: Session) -> None:
    collection_codes.keep(session, "wechat", picture(900, 1200, "JPEG"))
    collection_codes.keep(session, "wechat", picture())

    (code,) = estate_details(session, "en").codes_to_pay

    with Image.open(BytesIO(b64decode(code.picture))) as kept:
        assert (code.way, kept.format, kept.size) == ("wechat", "PNG", (collection_codes.SIDE,) * 2)
    collection_codes.remove(session, "wechat")
    assert estate_details(session, "en").codes_to_pay == ()


@pytest.mark.parametrize(
    ("way", "content"),
    [
        ("wechat", b""),
        ("wechat", b"<svg/>"),
        ("wechat", picture()[:60]),
        ("wechat", picture(kind="GIF")),
        ("wechat", picture(50, 50)),
        ("wechat", picture(200, 900)),
        ("wechat", picture(6001, 3001)),
        ("wechat", b"\x89PNG\r\n\x1a\n" + bytes(collection_codes.MAX_BYTES)),
        ("gold", picture()),
    ],
)
def test_what_is_no_picture_of_a_code_is_refused(session: Session, way: str, content: bytes) -> None:
    with pytest.raises(Refused):
        collection_codes.keep(session, way, content)

    assert collection_codes.kept(session) == []
    assert session.scalars(select(Estate.id)).all() == [1]
