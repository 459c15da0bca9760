"""How papers are made up: what stays together, what is never broken, what further pages carry (D10)."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from datetime import date
from decimal import Decimal

import pytest

from office.documents.pdf.blocks import place_all
from office.documents.pdf.collection import Demand
from office.documents.pdf.document import SIZES, Document, Size, lay_out
from office.documents.pdf.layout import FORMATS, Page, Sheet, wrap
from office.documents.pdf.registry import KINDS, draw
from office.documents.pdf.samples import ESTATE, PRINTED_AT, VALUES
from office.documents.pdf.values import DebtLine, Recipient
from office.documents.pdf.wording import LANGUAGES, words_of
from office.documents.pdf.writer import pdf_bytes
from tests.factories.pdf_text import read_pdf

LINES = range(1, 61)
ROW_FIELDS = ("debts", "lines", "rows", "unit_codes", "payments")


def with_rows(kind: str, count: int) -> object:
    """The sample of a kind with so many rows in its table."""
    value = VALUES[kind]
    for name in ROW_FIELDS:
        rows = getattr(value, name, ())
        if rows:
            more = tuple(rows[number % len(rows)] for number in range(count))
            if name == "unit_codes":
                more = tuple(f"{number}-101" for number in range(count))
            return dataclasses.replace(value, **{name: more})
    return value


def pages_of(document: Document) -> list[list[str]]:
    """What stands on each page between its head and its foot, in the order of drawing."""
    return [_texts(page) for page in lay_out(document, PRINTED_AT).pages]


def _texts(page: Page) -> list[str]:
    return [text for _x, y, _size, _ink, text in page.texts if y > FORMATS["a4"].bottom]


def alone(pages: list[list[str]], kind: str, language: str) -> bool:
    """Whether the last page carries nothing but a running head, a seal line and signatures."""
    words = words_of(language)
    pages = [page for page in pages if words["delivery_record"] not in page]  # a sheet of its own
    marks = {words[key] for key in words._words if key.startswith("signature") or key in ENDS}
    said = pages[-1][2:] if len(pages) > 1 else pages[-1]  # without title, number and payer
    left = [text for text in said if text not in marks | {ESTATE.creditor}]
    return len(pages) > 1 and not [text for text in left if text != words.day(date(2026, 3, 2))]


ENDS = {"seal", "date_blank", "delivered_by", "office_seal", "payer_signature"}


def drawn(kind: str, count: int, language: str = "zh_Hans") -> Document:
    return draw(kind, with_rows(kind, count), ESTATE, language)


@pytest.mark.parametrize(
    "kind", ["demand", "final_letter", "payment_notice", "move_in_bill", "arrears_notice"]
)
def test_signatures_and_seal_never_stand_alone_on_a_page(kind: str) -> None:
    for count in LINES:
        assert not alone(pages_of(drawn(kind, count)), kind, "zh_Hans"), count


def test_the_control_without_that_rule_some_letter_ends_with_a_page_of_signatures() -> None:
    def unkept(document: Document) -> list[list[str]]:
        sheet = Sheet(FORMATS[document.form], ("title", "payer"))
        for part in document.parts:
            part.place(sheet)
        return [_texts(page) for page in sheet.pages]

    def kept(document: Document) -> list[list[str]]:
        sheet = Sheet(FORMATS[document.form], ("title", "payer"))
        place_all(document.parts, sheet)
        return [_texts(page) for page in sheet.pages]

    def found(lay: Callable[[Document], list[list[str]]]) -> list[int]:
        return [n for n in LINES if alone(lay(drawn("final_letter", n)), "final_letter", "zh_Hans")]

    assert found(unkept)
    assert found(kept) == []


def test_a_sum_stands_under_two_of_the_rows_that_it_adds_up() -> None:
    total = words_of("zh_Hans")["total_owed"]
    for count in LINES:
        pages = pages_of(drawn("demand", count))
        page = next(texts for texts in pages if total in texts)
        above = [text for text in page[: page.index(total)] if text.startswith("TZ20")]
        assert len(above) >= min(count, 2), count


def test_a_row_is_never_split_unless_no_page_can_hold_it() -> None:
    text = "一段很长的说明，" * 60
    line = dataclasses.replace(VALUES["payment_notice"].lines[0], explanation=text)
    value = dataclasses.replace(VALUES["payment_notice"], lines=(line,) * 6)

    pages = pages_of(draw("payment_notice", value, ESTATE, "zh_Hans"))

    for page in pages:
        parts = "".join(one for one in page if "一段" in one or "长的" in one or "说明" in one)
        assert parts.count("一段很长的说明") % 60 == 0


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_further_page_carries_title_number_and_payer(language: str) -> None:
    value = VALUES["demand"]
    assert isinstance(value, Demand)
    pages = pages_of(drawn("demand", 90, language))

    assert len(pages) > 2
    title = draw("demand", value, ESTATE, language).title
    for page in pages[1:]:
        assert page[0] == f"{title} {value.number}"
        assert page[1] == "王晓明 3-2-1201"


# --- what is never broken ------------------------------------------------------------------------

WHOLE = [
    "2026年11月30日",
    "2026年11月30日 09:30",
    "2026年11月",
    "11月30日",
    "30 November 2026",
    "30 November 2026 09:30",
    "November 2026",
    "¥1,234.56",
    "-¥1,234.56",
    "HK$1,234.56",
    "NT$ 1,234.56",
    "1,234.56元",
    "2.50元/㎡·月",
    "98.70 ㎡",
    "64.3 %",
    "催字〔2026〕第49号",
    "催字〔2026〕第49號",
    "人民币壹仟贰佰叁拾肆元伍角陆分",
    "110101199003071234",
    "138 0000 0001",
    "021-5555 0103",
    "(0512) 6255 8800",
    "TZ2026-03-000117",
    "3-2-1201",
    "1001 2345 6789 0123 456",
]


def _broken_at(whole: str) -> Iterator[str]:
    """The same sentence with ever more characters before what must stay whole."""
    for before in range(1, 40):
        lead = "请您务必注意以下内容并请按时办理如有疑问请与我们联系谢谢配合与支持在此一并致以诚挚的谢意"[
            :before
        ]
        yield f"{lead}{whole}，前缴清"


@pytest.mark.parametrize("whole", WHOLE)
def test_dates_sums_and_numbers_are_never_broken(whole: str) -> None:
    for text in _broken_at(whole):
        lines = wrap(text, 10, 260)
        assert sum(whole in line for line in lines) == 1, (text, lines)


def test_the_control_other_text_of_that_length_is_broken_somewhere() -> None:
    assert any(sum("缴纳物业服务费用" in line for line in wrap(text, 10, 260)) != 1
               for text in _broken_at("缴纳物业服务费用"))  # fmt: skip


@pytest.mark.parametrize("sign", "，。、；：？！）》”’」』】〉〕％)],.;:!?%")
def test_no_line_begins_with_a_closing_sign(sign: str) -> None:
    for before in range(20, 32):
        for line in wrap("一" * before + sign + "二三四五六七八九十" * 3, 10, 260)[1:]:
            assert not line.startswith(sign)


@pytest.mark.parametrize("sign", "（《“‘「『【〈〔￥¥([")
def test_no_line_ends_with_an_opening_sign(sign: str) -> None:
    for before in range(20, 32):
        for line in wrap("一" * before + sign + "二三四五六七八九十" * 3, 10, 260):
            assert not line.endswith(sign)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("count", [1, 10, 60])
def test_no_table_breaks_a_date_or_a_sum(language: str, count: int) -> None:
    """Ten million yuan, the longest month, in the narrowest table."""
    debt = DebtLine(
        "TZ2026-09-000117", "2026-09", date(2026, 9, 30), Decimal("12345678.90"), Decimal("123456.78")
    )
    value = dataclasses.replace(VALUES["demand"], debts=(debt,) * count)

    said = [text for page in pages_of(draw("demand", value, ESTATE, language)) for text in page]

    day = words_of(language).day(date(2026, 9, 30))
    assert said.count(day) == count
    assert said.count("¥12,345,678.90") >= count
    assert said.count("¥123,456.78") >= count


# --- room for holes ------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_stands_where_a_paper_is_punched(kind: str) -> None:
    """Holes reach 15 mm from the edge by which a sheet is filed: left, or above for a wide sheet."""
    long = Recipient("王" * 60, "3-2-1201", "滨湖路" * 60)
    value = VALUES[kind]
    if hasattr(value, "recipient"):
        value = dataclasses.replace(value, recipient=long)
    paper = draw(kind, value, ESTATE, "zh_Hans")
    form = FORMATS[paper.form]
    holes = 15 * 72 / 25.4

    for page in lay_out(paper, PRINTED_AT).pages:
        if paper.form == "a4_wide":
            assert max(y for _x, y, *_ in page.texts) < form.height - holes
        else:
            assert min(x for x, *_ in page.texts) > holes


# --- envelopes and walls -------------------------------------------------------------------------

MM = 72 / 25.4
POSTED = ("payment_reminder", "demand", "final_letter", "lawyer_letter", "restriction_notice")


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", POSTED)
@pytest.mark.parametrize("address", ["", "新疆维吾尔自治区乌鲁木齐市天山区解放南路" * 6])
def test_the_window_of_an_envelope_shows_who_gets_a_letter_and_nothing_else(
    kind: str, language: str, address: str
) -> None:
    """DIN and ISO windows show 20 to 105 mm from the left and 45 to 90 mm from above."""
    to = Recipient("王晓明", "3-2-1201", address)
    paper = draw(kind, dataclasses.replace(VALUES[kind], recipient=to), ESTATE, language)
    first = lay_out(paper, PRINTED_AT).pages[0]
    height = FORMATS["a4"].height

    shown = [text for x, y, _size, ink, text in first.texts
             if x < 105 * MM and height - 90 * MM < y < height - 45 * MM and ink != "faint"]  # fmt: skip

    assert any("王晓明" in text for text in shown)
    assert any((address[:8] or "3-2-1201") in text for text in shown)
    assert len(shown) <= 5


@pytest.mark.parametrize(("size", "width", "factor"), [("", 595, 1), ("a3", 842, 1.414), ("large", 595, 1.4)])
def test_a_notice_for_the_wall_is_printed_larger(size: Size, width: int, factor: float) -> None:
    usual = draw("tariff_notice", VALUES["tariff_notice"], ESTATE, "zh_Hans")

    page = read_pdf(pdf_bytes([dataclasses.replace(usual, size=size)], printed_at=PRINTED_AT)).pages[0]

    assert round(page.mediabox.width) == width
    stream = page.get_contents().get_data()
    assert (b"%.4f 0 0 %.4f 0 0 cm" % (SIZES[size][1], SIZES[size][1]) in stream) == (size != "")
    assert SIZES[size][1] == pytest.approx(factor, abs=0.001)
