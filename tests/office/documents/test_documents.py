"""The papers of §10: every paper in every language, hostile text, the law, templates, batches."""

from __future__ import annotations

import dataclasses
import json
import re
import subprocess
import sys
import tracemalloc
from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal
from io import BytesIO
from pathlib import Path

import pytest
from pypdf import PdfReader

from office.documents.pdf import billing, collection, payments
from office.documents.pdf.builder import pay_memo
from office.documents.pdf.complaints import ComplaintForm
from office.documents.pdf.font import GETA, face, printable, unprintable, width
from office.documents.pdf.layout import wrap
from office.documents.pdf.registry import KINDS, contents, draw, value_of
from office.documents.pdf.samples import ESTATE, PRINTED_AT, VALUES
from office.documents.pdf.templates import PAPERS, PLACEHOLDERS, check_template, seed_blocks
from office.documents.pdf.values import DocumentRefused, LateFeeTerms, Recipient
from office.documents.pdf.wording import LANGUAGES, money, number, words_of
from office.documents.pdf.writer import pdf_bytes, write_documents
from tests.conftest import IS_FULL
from tests.factories.pdf_text import bare, read_pdf, text_of

EVERY = [(kind, language) for kind in KINDS for language in LANGUAGES]


def printed(kind: str, language: str, value: object = None, **settings: object) -> bytes:
    return pdf_bytes([draw(kind, value or VALUES[kind], ESTATE, language, **settings)], printed_at=PRINTED_AT)


# --- every paper ---------------------------------------------------------------------------------

# what must stand on each paper besides its title, in 简体
MUST = {
    "payment_notice": ["3-2-1201", "TZ2026-03-000117", "¥484.35", "物业费", "转账附言", "2026年3月15日"],
    "move_in_bill": ["RH2026-0007", "¥10,936.25", "专项维修资金", "住宅"],
    "credit_note": ["CJ2026-0004", "TZ2026-02-000121", "¥60.55", "水表读数录入有误"],
    "tariff_notice": [
        "2.50元/㎡·月",
        "维修养护",
        "收支情况",
        "¥3,050,720.50",
        "政府指导价",
        "180及以下：3.45",
        "包干制",
        "12345",
        "按本期应收",
        "¥325,155.10",
    ],
    "receipt": ["SJ2026-000412", "壹仟陆佰捌拾元叁角贰分", "¥1,680.32", "微信支付", "转入预存款"],
    "statement_of_account": [
        "A2026-000031",
        "¥248.72",
        "截至2026年2月28日未结清的账单",
    ],
    "clearance_certificate": ["Q2026-000004", "3-2-1201", "均已结清", "2026年3月2日"],
    "pool_notice": ["G202603-000002", "公共照明电费", "¥1,000.00", "¥435.14", "3.61716", "276.46"],
    "deposit_slip": ["YJ2026-0011", "贰仟元整", "装修押金", "刷卡"],
    "deposit_refund": ["YJ2026-0023", "贰仟元整", "YJ2026-0011", "尚存押金", "领款人（签字）"],
    "resident_slip": ["TS2026-000087", "工程部", "2026年2月12日18:00", "电梯轿厢异响"],
    "written_reply": ["TS2026-000087", "王晓明：", "已更换导靴", "2026年2月13日"],
    "review_minutes": ["TS2026-000087", "导靴磨损", "赵工", "记录人（签字）"],
    "visit_sheet": ["HF2026-000041", "4分（满意）", "处理及时。", "住户（签字）"],
    "service_slip": ["FW-0231", "捌拾伍元整", "更换厨房水龙头", "不作为税务发票"],
    "restriction_list": ["3-2-1201", "空调加时", "2026年5月5日", "一律不受影响"],
    "payment_reminder": ["CF2026-000031", "¥696.52", "李芳"],
    "demand": ["CF2026-000031", "¥696.52", "2026年3月10日", "李芳"],
    "final_letter": ["CF2026-000031", "¥696.52", "签收人"],
    "restriction_notice": ["XZ2026-0002", "空调加时", "《空调加时服务协议》第6条", "2026年6月5日", "陈立"],
    "lawyer_letter": ["上海衡和律师事务所", "孙睿", "《前期物业服务合同》第十二条"],
    "undertaking": ["CN2026-0003", "¥350.00", "承诺人（签字）"],
    "arrears_notice": ["3-1-0302", "3栋大堂公告栏", "2026年3月16日"],
    "collection_rates": ["64.4%", "3栋", "户数收缴率"],
    "work_contact_slip": ["LX2026-0019", "TS2026-000087", "工程部", "2026年2月11日18:00"],
    "complaint_form": ["TS2026-000087", "重大投诉", "138****0001", "4分（满意）", "专题会"],
    "invalid_closure": ["TS2026-000091", "超出物业职权范围", "物业经理意见"],
    "monthly_complaints": ["2026年2月", "有效投诉3件", "按时办结2件", "TS2026-000093"],
    "report_sheet": ["75.0%", "2026年3月2日", "合计"],
    "weekly_meeting": ["64.3%", "TS2026-000093", "2026年3月6日", "会议决定事项"],
}


# letters whose delivery record is a sheet of its own: the recipient keeps the letter, the office the record
DELIVERED = {"demand", "final_letter", "restriction_notice", "lawyer_letter"}
PAGES = dict.fromkeys(DELIVERED, 2) | {
    "lawyer_letter": 3,
    "tariff_notice": 2,
}  # seal and last lines go together


@pytest.mark.parametrize(("kind", "language"), EVERY)
def test_every_paper_has_its_title_foot_and_one_page_in_every_language(kind: str, language: str) -> None:
    data = printed(kind, language)

    text = text_of(data)
    assert bare(seed_blocks(kind, language)["title"]) in text
    assert bare(words_of(language)["printed_at"]) in text
    assert "2026-03-0209:30" in text  # 01:30 UTC in the office's zone
    assert len(read_pdf(data).pages) == PAGES.get(kind, 1)
    assert GETA not in text


@pytest.mark.parametrize("kind", KINDS)
def test_every_paper_says_what_it_must(kind: str) -> None:
    text = text_of(printed(kind, "zh_Hans"))

    assert [wanted for wanted in MUST[kind] if bare(wanted) not in text] == []


@pytest.mark.parametrize(
    ("language", "expected"),
    [
        ("en", ["WeChat Pay", "壹仟陆佰捌拾元叁角贰分", "2 March 2026", "Kept as prepaid credit"]),
        ("zh_Hans", ["微信支付", "壹仟陆佰捌拾元叁角贰分", "2026年3月2日", "转入预存款"]),
        ("zh_Hant", ["微信支付", "壹仟陸佰捌拾元參角貳分", "2026年3月2日", "轉入預存款"]),
    ],
)
def test_a_receipt_reads_in_its_language(language: str, expected: list[str]) -> None:
    text = text_of(printed("receipt", language))

    assert [wanted for wanted in expected if bare(wanted) not in text] == []


def test_traditional_papers_hold_no_simplified_word_of_ours() -> None:
    simplified = "费单书诉处经济员户业门动务时请预缴电话张发实现联络协议规则编号备说数额应开"
    simplified_only = {c for c in simplified if not _is_in_big5(c)}
    ours = [words_of("zh_Hant")[key] for key in words_of("zh_Hant")._words]
    ours += [text for kind in PAPERS for text in seed_blocks(kind, "zh_Hant").values()]

    assert {c for text in ours for c in text} & simplified_only == set()
    assert simplified_only  # the control: the list does name simplified forms


CONTRACTION = re.compile(
    r"\b\w+n['’]t\b|\b\w+['’](?:re|ve|ll|d|m)\b|\b(?:it|that|there|here|what|who|let)['’]s\b", re.IGNORECASE
)


def test_english_papers_are_formal_without_contractions() -> None:
    ours = {key: words_of("en")[key] for key in words_of("en")._words}
    ours |= {f"{kind}.{name}": text for kind in PAPERS for name, text in seed_blocks(kind, "en").items()}

    assert {key: text for key, text in ours.items() if CONTRACTION.search(text)} == {}
    assert [text for text in ("can't", "we’ll", "It's") if not CONTRACTION.search(text)] == []  # the control
    assert CONTRACTION.search("the office's lawyer's letter") is None


def _is_in_big5(character: str) -> bool:
    try:
        character.encode("big5")
    except UnicodeEncodeError:
        return False
    return True


@pytest.mark.parametrize("kind", KINDS)
def test_a_filed_paper_draws_again_as_it_was(kind: str) -> None:
    stored = json.loads(json.dumps(contents(VALUES[kind])))

    again = value_of(kind, stored)

    assert again == VALUES[kind]
    assert printed(kind, "zh_Hans", again) == printed(kind, "zh_Hans")


@pytest.mark.parametrize(
    ("kind", "stored", "code"),
    [
        ("poem", {}, "unknown_paper"),
        ("receipt", {"number": "1"}, "unreadable"),
        ("receipt", {**contents(VALUES["receipt"]), "amount": "much"}, "unreadable"),
    ],
)
def test_a_filed_paper_that_cannot_be_read_says_so(kind: str, stored: dict[str, object], code: str) -> None:
    with pytest.raises(DocumentRefused) as refused:
        value_of(kind, stored)

    assert refused.value.code == code


def test_a_pdf_is_the_same_whenever_it_is_made_and_dated_by_its_printing() -> None:
    first, second = printed("receipt", "zh_Hans"), printed("receipt", "zh_Hans")

    assert first == second
    assert read_pdf(first).metadata.creation_date == PRINTED_AT
    assert read_pdf(first).metadata.title == "收据 SJ2026-000412"
    assert read_pdf(first).trailer["/Root"]["/Lang"] == "zh-Hans"


# --- marks ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("language", "mark", "word"),
    [
        ("en", "copy", "COPY"),
        ("zh_Hans", "copy", "副本"),
        ("zh_Hant", "copy", "複本"),
        ("en", "void", "VOID"),
        ("zh_Hans", "void", "作废"),
        ("zh_Hant", "void", "作廢"),
    ],
)
def test_a_reprint_and_a_void_receipt_carry_their_mark(language: str, mark: str, word: str) -> None:
    sample = VALUES["receipt"]

    data = printed("receipt", language, dataclasses.replace(sample, mark=mark, void_reason="重复收款"))

    assert text_of(data).count(word) >= 2  # across the sheet and beside the title
    assert len(read_pdf(data).pages) == 1
    assert text_of(printed("receipt", language)).count(word) == 0


# --- what the font can't print -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "lost"),
    [
        ("王晓明 Ångström 3-2-1201", set()),
        ("㛃䶮𬱖𫖯", set()),  # rare in names, in the font
        ("堃喆翯", set()),
        ("王😀明", {"😀"}),
        ("ภาษา", set("ภาษา")),
        ("a\tb\r\nc\x00\u200b\u202e\ufe0f", set()),  # invisible: nothing is lost
        ("邊\U000e0100", set()),  # a variation selector
        ("\ud800", {"\ud800"}),  # half a character
    ],
)
def test_unprintable_names_exactly_what_would_be_lost(text: str, lost: set[str]) -> None:
    assert unprintable(text) == lost
    assert printable(text).count(GETA) == sum(text.count(c) for c in lost)
    assert face().known.union("\n").issuperset(printable(text))


def test_the_font_has_every_character_of_gbk_and_big5_that_a_name_can_hold() -> None:
    ideographs = [chr(code) for code in range(0x4E00, 0x9FA6)]

    for encoding in ("gbk", "big5"):
        encodable = [c for c in ideographs if c.encode(encoding, "ignore")]
        assert len(encodable) > 13_000
        assert [c for c in encodable if c not in face().known] == []


def test_a_name_the_font_lacks_is_printed_with_a_geta_and_listed() -> None:
    notice = dataclasses.replace(VALUES["payment_notice"], recipient=Recipient("王😀明", "3-2-1201"))
    target = BytesIO()

    result = write_documents(
        [
            draw("payment_notice", notice, ESTATE, "zh_Hans"),
            draw("demand", VALUES["demand"], ESTATE, "zh_Hans"),
        ],
        target,
        printed_at=PRINTED_AT,
    )

    assert result.unprintable == (("TZ2026-03-000117 王😀明 3-2-1201", "😀"),)
    assert "〓为字库中没有的字：U+1F600" in text_of(target.getvalue())
    assert "王〓明" in text_of(target.getvalue())


HOSTILE = [
    "<b>粗体</b> & <font color=red>红</font> &amp; <img src='/etc/passwd'/>",
    "{payer_name} {0} {x.__class__} {{}} %s $(id)",
    "(\\) ) Tj ET (注入 \\r\\n endobj",
    "王" * 300,
    "W" * 300,
    "一段很长的话，" * 500,
    "多行\n" * 120,
    "\u202eabc\u202c\x00\x1b[31m\ud800😀ภ",
    "",
    " ",
    "，。！？" * 60,
]


@pytest.mark.parametrize("hostile", HOSTILE, ids=range(len(HOSTILE)))
@pytest.mark.parametrize("kind", KINDS)
def test_hostile_text_in_every_field_prints_as_text(kind: str, hostile: str) -> None:
    value = _with_text(VALUES[kind], hostile)
    estate = _with_text(dataclasses.replace(ESTATE, time_zone="Asia/Shanghai"), hostile)
    try:
        paper = draw(kind, value, estate, "zh_Hans")
    except DocumentRefused:
        assert hostile.strip() == "" or kind == "restriction_notice"
        return

    data = pdf_bytes([paper], printed_at=PRINTED_AT)

    pages = read_pdf(data).pages
    assert len(pages) >= 1
    if hostile.startswith("<b>"):
        assert "<b>粗体</b>&<font" in text_of(data)
    for page in pages:  # nothing leaves the sheet
        for x, y in _places(page):
            assert -1 <= x <= float(page.mediabox.width)
            assert 0 <= y <= float(page.mediabox.height)


def _with_text(value: object, text: str) -> object:
    """The value with every free text in it replaced."""
    kept = {"period", "time_zone", "mark", "code", "channel", "method", "unit_kind", "currency", "word_set"}
    changes: dict[str, object] = {}
    for field in dataclasses.fields(value):
        old = getattr(value, field.name)
        if field.name in kept:
            continue
        if isinstance(old, str):
            changes[field.name] = text
        elif dataclasses.is_dataclass(old):
            changes[field.name] = _with_text(old, text)
        elif isinstance(old, tuple):
            changes[field.name] = tuple(
                text if isinstance(one, str) else _with_text(one, text) for one in old
            )
    return dataclasses.replace(value, **changes)


def _places(page: object) -> Iterator[tuple[float, float]]:
    for match in re.finditer(rb"1 0 0 1 (\S+) (\S+) Tm", page.get_contents().get_data()):
        yield float(match[1]), float(match[2])


def test_a_bill_with_many_lines_goes_over_pages_and_repeats_its_heading() -> None:
    sample = VALUES["payment_notice"]
    many = dataclasses.replace(sample, lines=sample.lines * 50)

    pages = [page.extract_text() for page in read_pdf(printed("payment_notice", "zh_Hans", many)).pages]

    assert len(pages) > 3
    assert sum("收费项目" in page for page in pages) >= len(pages) - 1
    for number_, page in enumerate(pages, start=1):
        assert f"第{number_}页/共{len(pages)}页" in bare(page)


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("一二三四五六", ("一二三四", "五六")),
        ("一二三四，五", ("一二三", "四，五")),  # no line begins with a comma
        ("一二三（四五）", ("一二三", "（四五）")),  # no line ends with an opening bracket
        ("ab cdefgh ij", ("ab", "cdefgh ij")),
        ("abcdefghijklmnop", ("abcdefghi", "jklmnop")),  # longer than a line: cut
        ("一\n二", ("一", "二")),
        ("", ("",)),
    ],
)
def test_lines_break_where_a_reader_expects(text: str, lines: tuple[str, ...]) -> None:
    found = wrap(text, 10, 41.5)

    assert bare("".join(found)) == bare(text)
    assert all(width(line, 10) <= 41.5 for line in found)
    if not text.startswith("abc"):
        assert found == lines


# --- the law -------------------------------------------------------------------------------------

RESTRICTION = VALUES["restriction_notice"]
SERVICE = RESTRICTION.services[0]


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"services": ()}, "no_service"),
        ({"services": (dataclasses.replace(SERVICE, code="water", name="水费"),)}, "protected_service"),
        ({"services": (dataclasses.replace(SERVICE, code="power", name="x"),)}, "protected_service"),
        ({"services": (dataclasses.replace(SERVICE, code="electricity", name="x"),)}, "protected_service"),
        ({"services": (SERVICE, dataclasses.replace(SERVICE, code="x", name="供电"))}, "protected_service"),
        ({"services": (dataclasses.replace(SERVICE, code="x", name="門禁卡"),)}, "protected_service"),
        ({"services": (dataclasses.replace(SERVICE, code="x", name="Water supply"),)}, "protected_service"),
        ({"services": (dataclasses.replace(SERVICE, contract_clause=" "),)}, "no_contract_clause"),
        ({"approvals": RESTRICTION.approvals[:1]}, "approvals_missing"),
        ({"approvals": RESTRICTION.approvals[:1] * 2}, "approvals_missing"),  # one person twice
        ({"ends_on": date(2026, 3, 4)}, "ends_too_early"),
    ],
)
def test_a_restriction_that_the_law_forbids_is_not_printed(change: dict[str, object], code: str) -> None:
    """C9, Civil Code art. 944."""
    with pytest.raises(DocumentRefused) as refused:
        draw("restriction_notice", dataclasses.replace(RESTRICTION, **change), ESTATE, "zh_Hans")

    assert refused.value.code == code


@pytest.mark.parametrize(
    "name", ["空调加时", "有偿保洁", "增办停车卡", "Overtime air-conditioning", "電話秘書"]
)
def test_an_optional_service_may_be_restricted(name: str) -> None:
    service = dataclasses.replace(SERVICE, code="x", name=name)

    paper = draw("restriction_notice", dataclasses.replace(RESTRICTION, services=(service,)), ESTATE, "en")

    assert paper.number == "XZ2026-0002"


def test_a_restriction_that_ends_on_the_day_it_begins_is_printed() -> None:
    notice = dataclasses.replace(RESTRICTION, ends_on=RESTRICTION.effective_on)

    assert printed("restriction_notice", "zh_Hans", notice)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"approved_by": ""}, "not_approved"),
        ({"reason": " "}, "no_reason"),
        ({"place": ""}, "no_place"),
        ({"until_on": date(2026, 3, 1)}, "ends_too_early"),
        ({"unit_codes": ()}, "no_unit"),
    ],
)
def test_a_public_list_needs_approval_reason_place_and_end(change: dict[str, object], code: str) -> None:
    """C11."""
    with pytest.raises(DocumentRefused) as refused:
        draw("arrears_notice", dataclasses.replace(VALUES["arrears_notice"], **change), ESTATE, "zh_Hans")

    assert refused.value.code == code


def test_a_public_list_has_no_room_for_names_phones_or_amounts() -> None:
    """C11: unit codes, place and days; no more can be given, and no placeholder could show it."""
    fields = {field.name for field in dataclasses.fields(collection.ArrearsNotice)}

    assert fields == {
        "number", "posted_on", "until_on", "place", "reason", "approved_by", "unit_codes",
    }  # fmt: skip
    assert PLACEHOLDERS["arrears_notice"] & {"payer_name", "amount", "unit_code"} == set()
    text = text_of(printed("arrears_notice", "zh_Hans"))
    assert "¥" not in text
    assert "吴敏" not in text  # the director who approved


def test_a_complaint_form_to_share_shows_nobody() -> None:
    ticket = dataclasses.replace(VALUES["complaint_form"], has_identity=False)
    assert isinstance(ticket, ComplaintForm)

    text = text_of(printed("complaint_form", "zh_Hans", ticket))

    assert [kept for kept in ("王晓明", "138****0001", "3-2-1201") if kept in text] == []
    assert "（已隐去）" in text


def test_an_anonymous_complaint_says_so() -> None:
    ticket = dataclasses.replace(VALUES["complaint_form"], complainant="")

    assert "匿名" in text_of(printed("complaint_form", "zh_Hans", ticket))


# --- templates -----------------------------------------------------------------------------------


@pytest.mark.parametrize(("kind", "language"), EVERY)
def test_every_seed_is_a_good_template_with_the_same_blocks(kind: str, language: str) -> None:
    blocks = seed_blocks(kind, language)

    assert check_template(kind, blocks) == ()
    assert blocks.keys() == seed_blocks(kind, "zh_Hans").keys()


@pytest.mark.parametrize(
    ("block", "text", "code"),
    [
        ("body", "应缴 {total_due}，请按时缴纳", None),
        ("body", "{{原样}} {payer_name}", None),
        ("body", "", None),
        ("title", " ", "empty_title"),
        ("poem", "x", "unknown_block"),
        ("body", "{payer}", "unknown_placeholder"),
        ("body", "{}", "unknown_placeholder"),
        ("body", "{0}", "unknown_placeholder"),
        ("body", "{payer_name.__class__}", "unknown_placeholder"),
        ("body", "{payer_name!r}", "unknown_placeholder"),
        ("body", "{payer_name:>99999}", "unknown_placeholder"),
        ("body", "{contact_name}", "unknown_placeholder"),  # known, but not to this paper
        ("body", "{payer_name", "lone_brace"),
        ("body", "payer_name}", "lone_brace"),
        ("body", "缴费😀", "unprintable"),
        ("body", "费" * 4000, None),
        ("body", "费" * 4001, "too_long"),
    ],
)
def test_a_template_is_checked_on_saving(block: str, text: str, code: str | None) -> None:
    found = check_template("payment_notice", {block: text})

    assert [reason.code for reason in found] == ([code] if code else [])
    assert all(reason.inputs["block"] == block for reason in found)


def test_a_stored_text_replaces_the_seed_and_an_unknown_placeholder_stays_visible() -> None:
    stored = {
        "title": "缴费通知",
        "body": "{payer_name} 请缴 {total_due} {{内}} {nonsense} {payer_name.real}",
    }

    text = text_of(printed("payment_notice", "zh_Hans", stored=stored))

    assert "缴费通知" in text
    assert "王晓明请缴¥484.35{内}{nonsense}{payer_name.real}" in text
    assert "收费通知单" not in text


def test_a_value_that_looks_like_a_placeholder_is_not_filled_again() -> None:
    notice = dataclasses.replace(VALUES["payment_notice"], recipient=Recipient("{total_due}", "3-2-1201"))

    assert "尊敬的{total_due}：" in text_of(printed("payment_notice", "zh_Hans", notice))


@pytest.mark.parametrize(
    ("paper", "language", "code"),
    [
        ("poem", "en", "unknown_paper"),
        ("../../app", "en", "unknown_paper"),
        ("receipt", "fr", "unknown_language"),
    ],
)
def test_a_template_that_there_is_not_is_refused(paper: str, language: str, code: str) -> None:
    with pytest.raises(DocumentRefused) as refused:
        seed_blocks(paper, language)

    assert refused.value.code == code


# --- numbers, words, the QR code -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("amount", "shown"),
    [
        ("0", "¥0.00"),
        ("1234567.8", "¥1,234,567.80"),
        ("-20", "-¥20.00"),
        ("0.01", "¥0.01"),
    ],
)
def test_money_reads_as_money(amount: str, shown: str) -> None:
    assert money(Decimal(amount), "¥") == shown


@pytest.mark.parametrize(
    ("value", "places", "shown"),
    [
        ("98.70", 0, "98.7"),
        ("2.5", 2, "2.50"),
        ("0.617", 2, "0.617"),
        ("12", 0, "12"),
        ("1E+3", 0, "1,000"),
    ],
)
def test_a_quantity_has_no_needless_zero(value: str, places: int, shown: str) -> None:
    assert number(Decimal(value), places) == shown


def test_the_qr_code_carries_what_a_statement_row_needs(tmp_path: Path) -> None:
    """M5: unit code and invoice number, as printed beside it. Decoded cell by cell from the drawn path."""
    import segno

    notice = VALUES["payment_notice"]
    memo = pay_memo(notice.recipient.unit_code, notice.number)
    stream = (
        read_pdf(printed("payment_notice", "zh_Hans")).pages[0].get_contents().get_data().decode("latin-1")
    )
    drawn = re.search(r"cm ((?:\d+ \d+ \d+ 1 re ?)+)f", stream)

    cells = {
        (int(x) + step, int(y))
        for x, y, wide in re.findall(r"(\d+) (\d+) (\d+) 1 re", drawn[1])
        for step in range(int(wide))
    }

    assert memo == "3-2-1201 TZ2026-03-000117"
    rows = segno.make_qr(memo, error="m", mask=2, boost_error=False, encoding="utf-8").matrix
    assert cells == {
        (x, len(rows) - 1 - y) for y, row in enumerate(rows) for x, is_dark in enumerate(row) if is_dark
    }
    assert bare(memo) in text_of(printed("payment_notice", "zh_Hans"))


# --- the batch -----------------------------------------------------------------------------------


def _batch(count: int) -> Iterator[object]:
    sample = VALUES["payment_notice"]
    for position in range(count):
        notice = dataclasses.replace(sample, number=f"TZ{position:06d}")
        yield billing.payment_notice(notice, ESTATE, "zh_Hans")


def test_a_batch_is_one_file_in_order_with_progress(tmp_path: Path) -> None:
    target = tmp_path / "batch.pdf"
    seen: list[tuple[int, int]] = []

    result = write_documents(
        _batch(30), target, printed_at=PRINTED_AT, progress=lambda done, pages: seen.append((done, pages))
    )

    assert (result.documents, result.pages, result.unprintable) == (30, 30, ())
    assert seen == [(n, n) for n in range(1, 31)]
    pages = read_pdf(target.read_bytes()).pages
    assert [f"TZ{n:06d}" in page.extract_text() for n, page in enumerate(pages)] == [True] * 30
    assert list(tmp_path.iterdir()) == [target]


def test_papers_of_several_sizes_keep_theirs_in_one_file() -> None:
    kinds = ("payment_notice", "receipt", "monthly_complaints", "demand")
    batch = [draw(kind, VALUES[kind], ESTATE, "zh_Hans") for kind in kinds]

    pages = read_pdf(pdf_bytes(batch, printed_at=PRINTED_AT)).pages

    sizes = [(round(page.mediabox.width), round(page.mediabox.height)) for page in pages]
    assert sizes == [(595, 842), (595, 420), (842, 595), (595, 842), (595, 842)]  # the demand with its record


def test_a_long_batch_needs_no_more_memory_than_a_short_one(tmp_path: Path) -> None:
    """S13: each page goes to the file as it is finished."""
    short, long = 100, 2000 if IS_FULL else 500

    def peak(count: int) -> int:
        tracemalloc.start()
        write_documents(_batch(count), tmp_path / f"{count}.pdf", printed_at=PRINTED_AT)
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return most

    peak(5)  # loads font and words
    few, many = peak(short), peak(long)

    assert many - few < (long - short) * 2_000  # bytes a page: its places in the table, not its contents
    assert len(PdfReader(tmp_path / f"{long}.pdf").pages) == long


def test_a_batch_that_fails_half_way_leaves_no_file_and_spares_the_old_one(tmp_path: Path) -> None:
    target = tmp_path / "batch.pdf"
    target.write_bytes(b"yesterday's")

    def failing() -> Iterator[object]:
        yield from _batch(3)
        raise OSError("the database went away")

    with pytest.raises(OSError, match="went away"):
        write_documents(failing(), target, printed_at=PRINTED_AT)

    assert target.read_bytes() == b"yesterday's"
    assert list(tmp_path.iterdir()) == [target]


def test_no_papers_make_no_file(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no documents"):
        write_documents([], tmp_path / "none.pdf", printed_at=PRINTED_AT)

    assert list(tmp_path.iterdir()) == []


def test_poppler_reads_the_streamed_file_without_complaint(tmp_path: Path) -> None:
    """An independent reader; the table of places is written by us."""
    from shutil import which

    if not which("pdftotext"):
        pytest.skip("pdftotext is not installed: apt-get install poppler-utils")
    target = tmp_path / "batch.pdf"
    write_documents(_batch(25), target, printed_at=PRINTED_AT)

    read_out = subprocess.run(
        ["pdftotext", "-layout", str(target), "-"], capture_output=True, text=True, check=True
    )

    assert read_out.stderr == ""
    assert read_out.stdout.count("收费通知单") >= 25


def test_importing_the_papers_does_not_load_reportlab() -> None:
    """S16: the web process starts without it."""
    modules = "office.documents.pdf.registry, office.documents.pdf.templates"
    code = f"import sys, {modules}; print('reportlab' in sys.modules)"

    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert answer.stdout.strip() == "False"


def test_a_receipt_of_a_void_payment_says_why() -> None:
    paid = VALUES["receipt"]
    assert isinstance(paid, payments.Receipt)
    void = dataclasses.replace(paid, mark="void", void_reason="重复收款")

    assert "重复收款" in text_of(printed("receipt", "zh_Hans", void))


def test_printing_needs_an_aware_instant_shown_in_office_time() -> None:
    late = datetime.fromisoformat("2026-12-31T16:30:00+00:00")
    data = pdf_bytes([draw("receipt", VALUES["receipt"], ESTATE, "en")], printed_at=late)

    assert "2027-01-0100:30" in text_of(data)


# --- word sets (D6) ------------------------------------------------------------------------------

PLACES = ("hong_kong", "taiwan")
# what only an office of the mainland says: its law and its own terms, in both scripts and in English
MAINLAND_ONLY = re.compile(
    "民法典|人民共和国|人民共和國|Civil Code|社会信用代码|社會信用代碼|物业|物業服務"
    "|滞纳金|滯納金|违约金|違約金|人民币|人民幣|公示"
)
# what stands in their place, in 繁體
SAID_THERE = {
    ("hong_kong", "lawyer_letter"): ["律師信", "管理費", "逾期附加費", "港幣"],
    ("hong_kong", "final_letter"): ["公契", "小額錢債審裁處", "派遞記錄"],
    ("taiwan", "lawyer_letter"): ["律師函", "管理費", "遲延利息", "新臺幣"],
    ("taiwan", "final_letter"): ["公寓大廈管理條例第二十一條", "區分所有權人", "存證信函", "送達證書"],
    ("taiwan", "receipt"): ["並非統一發票", "新臺幣壹仟陸佰捌拾元參角貳分"],
}
MONEY_THERE = {"hong_kong": ("HK$", "HKD"), "taiwan": ("NT$", "TWD")}
FOR_HOUSEHOLDS = [kind for kind in KINDS if (Path("seed/templates/hong_kong") / f"{kind}.toml").exists()]


def there(place: str) -> object:
    """The sample estate, moved; without the names that are invented in Chinese of the mainland."""
    sign, code = MONEY_THERE[place]
    return dataclasses.replace(
        ESTATE,
        word_set=place,
        currency=sign,
        currency_code=code,
        name="翠湖花園",
        company_name="翠湖有限公司",
        ways_to_pay=("櫃台",),
        contract=dataclasses.replace(ESTATE.contract, name="公契"),
        licence="C-0118",
    )


@pytest.mark.parametrize("place", PLACES)
def test_papers_of_hong_kong_and_taiwan_name_no_law_or_term_of_the_mainland(place: str) -> None:
    terms = {"late_fee": LateFeeTerms(Decimal("0.0005"), 0, Decimal(1))}
    assert len(FOR_HOUSEHOLDS) > 10

    for kind in FOR_HOUSEHOLDS:
        value = VALUES[kind]
        if isinstance(value, collection.Demand | collection.LawyerLetter):
            value = dataclasses.replace(value, **terms)
        for language in LANGUAGES:
            data = pdf_bytes([draw(kind, value, there(place), language)], printed_at=PRINTED_AT)
            ours = text_of(data)
            # the office's own names, and what Hong Kong calls the licence
            for also in ("物业费", "《前期物业服务合同》", "物业管理公司牌照"):
                ours = ours.replace(also, "")
            assert MAINLAND_ONLY.findall(ours) == [], (kind, language)
    mainland = text_of(printed("final_letter", "zh_Hans"))
    assert MAINLAND_ONLY.search(mainland)  # the control


@pytest.mark.parametrize(("place", "kind"), SAID_THERE)
def test_papers_of_hong_kong_and_taiwan_say_what_an_office_there_says(place: str, kind: str) -> None:
    value = VALUES[kind]
    if isinstance(value, collection.Demand | collection.LawyerLetter):
        value = dataclasses.replace(value, late_fee=LateFeeTerms(Decimal("0.0005"), 0, Decimal(1)))

    text = text_of(pdf_bytes([draw(kind, value, there(place), "zh_Hant")], printed_at=PRINTED_AT))

    assert [said for said in SAID_THERE[place, kind] if bare(said) not in text] == []


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("kind", FOR_HOUSEHOLDS)
def test_every_text_of_a_word_set_is_a_good_template_of_the_same_blocks(kind: str, place: str) -> None:
    for language in LANGUAGES:
        blocks = seed_blocks(kind, language, place)
        assert check_template(kind, blocks) == ()
        assert blocks.keys() == seed_blocks(kind, language).keys()
    assert words_of("en", place)._words.keys() == words_of("en")._words.keys()
    assert not [text for text in seed_blocks(kind, "en", place).values() if CONTRACTION.search(text)]
