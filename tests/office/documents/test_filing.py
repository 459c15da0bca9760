"""A paper is what it was: filed at its first print, and printed again as a copy of that (D3)."""

from __future__ import annotations

import dataclasses
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from models.billing import Invoice
from models.office import Paper, PaperSetting
from models.people import Occupancy, Owner
from models.policies import PaperTemplate
from models.property import Estate
from office.core.errors import Refused
from office.documents import archive, exports, numbers
from office.documents.filing import NewPaper, Printing, filed_pdf, print_papers
from office.documents.pdf.samples import VALUES
from office.documents.pdf.templates import seed_blocks
from office.payments import corrections
from tests.factories.estate import NOW, add_staff, add_unit, at, bill, day, pay
from tests.factories.pdf_text import bare, read_pdf, text_of

COPY = "副本"


def notices(session: Session) -> list[NewPaper]:
    ids = session.scalars(select(Invoice.id)).all()
    return [
        NewPaper(invoice.number, notice, invoice.unit_id, invoice.payer_id)
        for invoice, notice in archive.payment_notices(session, ids, on=day("2026-06-20"))
    ]


def printed(session: Session, papers: list[NewPaper], now: Any = NOW, kind: str = "payment_notice") -> bytes:
    made = print_papers(session, kind, papers, language="zh_Hans", now=now, staff_id=None)
    session.flush()
    session.expire_all()
    return made


def change_everything(session: Session) -> None:
    """A payment, another name of the estate, another text of the office."""
    unit_id = session.scalars(select(Invoice.unit_id)).first()
    pay(session, type("U", (), {"id": unit_id}), "60", "2026-06-10")
    session.scalars(select(Estate)).one().name = "新名小区"
    own = (PaperTemplate.paper == "payment_notice", PaperTemplate.language == "zh_Hans")
    session.scalars(select(PaperTemplate).where(*own)).one().blocks = '{"title": "新标题"}'
    session.flush()


def test_a_paper_printed_again_is_the_same_but_for_its_mark(session: Session) -> None:
    add_unit(session)
    bill(session)
    first = printed(session, notices(session), at("2026-06-01"))
    change_everything(session)

    second = printed(session, notices(session), at("2026-06-12"))
    third = printed(session, notices(session), at("2026-06-20"))

    assert text_of(second).replace(COPY, "") == text_of(first)
    assert COPY in text_of(second)
    assert COPY not in text_of(first)
    assert second == third
    paper = session.scalars(select(Paper)).one()
    assert (paper.copies, paper.total, paper.issued_at) == (2, Decimal("250.00"), at("2026-06-01"))


def test_the_control_a_paper_that_is_not_in_the_file_says_what_is_so_now(session: Session) -> None:
    add_unit(session)
    bill(session)
    first = printed(session, notices(session))
    change_everything(session)
    papers = [NewPaper("another", paper.value, paper.unit_id, paper.payer_id) for paper in notices(session)]

    second = printed(session, papers)

    assert "新名小区" in text_of(second)
    assert "新标题" in text_of(second)
    assert "190.00" in text_of(second)
    assert "新名小区" not in text_of(first)
    assert session.scalar(select(func.count()).select_from(PaperSetting)) == 2


def test_a_paper_filed_before_its_texts_were_is_drawn_in_its_own_language(session: Session) -> None:
    """One of an older office, printed again when its payer reads another language."""
    add_unit(session)
    bill(session)
    first = printed(session, notices(session))
    session.execute(update(Paper).values(setting_id=None))
    session.execute(update(Owner).values(language="en"))

    again = print_papers(session, "payment_notice", notices(session), language="en", now=NOW, staff_id=None)

    assert text_of(again).replace(COPY, "") == text_of(first)


def test_a_letterhead_is_stored_once_for_many_papers(session: Session) -> None:
    for code in ("1-101", "1-102", "1-103"):
        add_unit(session, code)
    bill(session)

    printed(session, notices(session))

    assert session.scalar(select(func.count()).select_from(Paper)) == 3
    assert session.scalar(select(func.count()).select_from(PaperSetting)) == 1


def test_a_receipt_that_was_voided_says_so_when_it_is_printed_again(session: Session) -> None:
    payment = pay(session, add_unit(session), "60", "2026-06-10")
    archive.print_receipt(session, payment.id, now=NOW, staff_id=None)
    manager = add_staff(session, "m", "manager").id
    corrections.void_payment(session, payment.id, reason="错收", staff_id=manager, now=NOW)

    again = archive.print_receipt(session, payment.id, now=NOW, staff_id=None)

    assert "作废" in text_of(again)
    assert COPY not in text_of(again)
    columns, rows = exports.papers(session)
    (row,) = [dict(zip(columns, row, strict=True)) for row in rows]
    assert (row["state"], row["copies"], row["total"]) == ("void", 1, Decimal("60.00"))


def test_what_is_kept_up_is_filed_anew_when_it_has_changed(session: Session) -> None:
    from office.documents.pdf.complaints import WorkContactSlip

    def slip(reply: str) -> NewPaper:
        value = WorkContactSlip(
            number="W1", ticket_number="T1", issued_at=NOW, from_department="客服部", to_department="工程部",
            subject="漏水", requested="查看", reply_by=None, unit_code="1-101", reply=reply,
        )  # fmt: skip
        return NewPaper("W1", value)

    made = [
        text_of(printed(session, [slip(reply)], kind="work_contact_slip"))
        for reply in ("", "", "已修好", "已修好")
    ]

    assert [COPY in text for text in made] == [False, True, False, True]
    found = session.execute(select(Paper.number, Paper.copies).order_by(Paper.id)).all()
    assert [tuple(row) for row in found] == [("W1", 1), ("W1/2", 1)]


def test_the_digest_is_that_of_what_the_paper_says(session: Session) -> None:
    add_unit(session)
    bill(session)
    printed(session, notices(session))
    before = session.scalars(select(Paper.sha256)).one()
    change_everything(session)
    printed(session, notices(session))
    assert session.scalars(select(Paper.sha256)).one() == before

    papers = [NewPaper("another", paper.value) for paper in notices(session)]
    printed(session, papers)
    assert len(set(session.scalars(select(Paper.sha256)))) == 2


def test_looking_at_the_file_counts_no_copy(session: Session) -> None:
    add_unit(session)
    bill(session)
    printed(session, notices(session))
    paper_id = session.scalars(select(Paper.id)).one()

    assert COPY in text_of(filed_pdf(session, paper_id, NOW + timedelta(days=3)))

    assert session.scalars(select(Paper.copies)).one() == 0


def test_nothing_to_print_is_said(session: Session) -> None:
    with pytest.raises(Refused, match="nothing to print"):
        Printing(session, "demand", [NewPaper("20260601-1", None)], language="zh_Hans", now=NOW)


@pytest.mark.parametrize("clerk", ["en", "zh_Hant"])
def test_each_household_reads_its_own_language_in_one_print_never_the_clerk_s(
    session: Session, clerk: str
) -> None:
    """P12: two who chose a language, one who chose none and reads the estate's."""
    for code, own in (("1-101", "en"), ("1-102", ""), ("1-103", "zh_Hant")):
        unit = add_unit(session, code)
        payer = session.scalars(select(Owner).join(Occupancy).where(Occupancy.unit_id == unit.id)).one()
        payer.language = own
    bill(session)

    made = print_papers(session, "payment_notice", notices(session), language=clerk, now=NOW, staff_id=None)

    pages = [bare(page.extract_text()) for page in read_pdf(made).pages]
    titles = [seed_blocks("payment_notice", one)["title"] for one in ("en", "zh_Hans", "zh_Hant")]
    assert [bare(title) in page for title, page in zip(titles, pages, strict=True)] == [True] * 3
    assert ["Management" in page for page in pages] == [True, False, False]
    rows = session.execute(select(Paper.language, Paper.setting_id).order_by(Paper.number)).all()
    assert [row.language for row in rows] == ["en", "zh_Hans", "zh_Hant"]
    assert len({row.setting_id for row in rows}) == 3


def test_letters_bear_a_word_for_their_kind_and_one_filed_before_keeps_its_number(session: Session) -> None:
    """D10: 催字〔2026〕第49号 can be taken for no receipt, bill or day."""
    assert numbers.letter_number("demand", "zh_Hans", 2026, 49) == "催字〔2026〕第49号"
    assert numbers.letter_number("demand", "zh_Hant", 2026, 49) == "催字〔2026〕第49號"
    assert numbers.letter_number("demand", "en", 2026, 49) == "DEM-2026-49"
    assert len({one for kind in numbers.WORDS for one in numbers.spellings(kind, 2026, 49)}) == 15
    letter = dataclasses.replace(VALUES["demand"], number="催字〔2026〕第49号")
    older = dataclasses.replace(letter, number="20260601-49")
    printed(session, [NewPaper("20260601-49", older)], kind="demand")

    again = printed(session, [NewPaper(letter.number, letter, also=("20260601-49",))], kind="demand")
    new = printed(session, [NewPaper(letter.number, letter)], kind="demand")

    assert "20260601-49" in text_of(again)
    assert COPY in text_of(again)
    assert "催字〔2026〕第49号" in text_of(new)
    assert COPY not in text_of(new)


def test_a_receipt_names_items_with_days_and_reckoning_on_the_sheet_that_was_asked_for(
    session: Session,
) -> None:
    """M9: item, unit, from–to, quantity × rate, amount; a copy is on the sheet of the first print."""
    unit = add_unit(session, area="100.24")
    bill(session, "2026-06")
    payment = pay(session, unit, "900.00")

    value = archive.receipt(session, payment.id)
    line, kept = value.lines[0], value.lines[-1]
    assert (line.service_from, line.service_to) == (day("2026-06-01"), day("2026-06-30"))
    assert line.reckoning().startswith("100.24 × ")
    assert line.item
    assert sum(one.amount for one in value.lines) == payment.amount
    assert (value.layout, kept.invoice_number) == ("a5", "")

    first = archive.print_receipt(session, payment.id, now=NOW, staff_id=None, layout="slip")
    again = archive.print_receipt(session, payment.id, now=NOW, staff_id=None, layout="a5")
    assert [read_pdf(made).pages[0].mediabox.width for made in (first, again)] == [
        pytest.approx(226.77, abs=0.01)
    ] * 2
    for said in (line.item, "2026-06-01–2026-06-30", "100.24×"):
        assert bare(said) in text_of(first)
