"""Each paper against D6: what it must say stands on it in each language, and what is unknown leaves no trace.

The same list, for people, is in docs/papers.md.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from office.documents.pdf.registry import draw
from office.documents.pdf.samples import ESTATE, PRINTED_AT, VALUES
from office.documents.pdf.values import EarlierPaper, EstateDetails, LateFeeTerms
from office.documents.pdf.wording import LANGUAGES, WORD_SETS, Words, words_of
from office.documents.pdf.writer import pdf_bytes
from tests.factories.pdf_text import bare, text_of

TERMS = LateFeeTerms(Decimal("0.0005"), 2, Decimal(1))
REST = EarlierPaper("催费通知单", "20260210-31", date(2026, 2, 10))
STEWARD = {"contact_name": "李芳", "contact_phone": "021-5555 0103"}
OWED = tuple(dataclasses.replace(debt, days=31) for debt in VALUES["demand"].debts)
TO = dataclasses.replace(VALUES["demand"].recipient, phone="138****0001", id_number="310********1234")

# what is known of each paper besides its sample, and what is left out when it is not known
KNOWN: dict[str, dict[str, Any]] = {
    "demand": {"late_fee": TERMS, "debts": OWED, **STEWARD},
    "final_letter": {"late_fee": TERMS, "debts": OWED, **STEWARD},
    "lawyer_letter": {
        "late_fee": TERMS,
        "debts": OWED,
        "firm_phone": "021-5555 0188",
        "firm_number": "（2026）衡律函字第18号",
    },
    "restriction_notice": {"rests_on": REST, **STEWARD},
    "undertaking": {"debts": OWED, "recipient": TO},
    "receipt": {},
    "deposit_slip": {},
}
LETTER = (
    "滨湖路88号3栋2单元1201室",
    "前期物业服务合同",
    "CH-2019-07",
    "第十五条",
    "0.05%",
    "100%",
    "31",
    "696.52",
)
PAY_BOX = ("100123456789", "3-2-1201TZ2025-12-000118")
SAYS: dict[str, Sequence[str]] = {
    "demand": (*LETTER, "第十二条", *PAY_BOX, "李芳", "021-55550103"),
    "final_letter": (*LETTER, "第十二条", *PAY_BOX, "李芳", "021-55550103"),
    "lawyer_letter": (
        "翠湖物业服务有限公司", "91310000MA1FL5E91N", *LETTER[:2], "696.52", *PAY_BOX,
        "（2026）衡律函字第18号", "021-55550188", "孙睿", "13101201512345678",
    ),
    "restriction_notice": (
        "催费通知单", "20260210-31", "李芳", "滨湖路88号3栋2单元1201室", "《空调加时服务协议》第6条",
    ),
    "undertaking": (
        "翠湖物业服务有限公司", "310********1234", "138****0001", "滨湖路88号3栋2单元1201室",
        "TZ2025-12-000118", "696.52", "350.00", "346.52",
    ),
    "receipt": ("1,680.32", "TZ2025-12-000118", "翠湖物业服务有限公司"),
    "deposit_slip": ("2,000.00", "装修押金", "翠湖物业服务有限公司"),
}  # fmt: skip
RECORD = (
    "delivery_record", "delivered_at", "delivered_where", "delivery_method", "delivery_methods",
    "delivery_signed", "delivery_relation", "delivery_refused", "delivered_by", "delivery_witness",
)  # fmt: skip
# the fixed words that stand on each, by their key
WORDS: dict[str, Sequence[str]] = {
    "demand": RECORD,
    "final_letter": RECORD,
    "lawyer_letter": (*RECORD, "client", "signature_lawyer", "licence_no"),
    "restriction_notice": (*RECORD, "written_demand", "contract_clause", "ends_on"),
    "undertaking": ("id_number", "phone", "address", "pay_date", "promised_amount", "signature_promiser"),
    "receipt": ("capitals", "for_what"),
    "deposit_slip": ("capitals", "deposit_kind"),
}


def printed(kind: str, language: str, word_set: str, *, is_known: bool = True) -> str:
    estate: EstateDetails = dataclasses.replace(ESTATE, word_set=word_set)
    value: Any = dataclasses.replace(VALUES[kind], **KNOWN[kind])
    if not is_known:
        estate = EstateDetails("翠湖花园", "Asia/Shanghai", word_set=word_set)
        value = VALUES[kind]
        if hasattr(value, "contact_name"):
            value = dataclasses.replace(value, contact_name="", contact_phone="")
    return text_of(pdf_bytes([draw(kind, value, estate, language)], printed_at=PRINTED_AT))


@pytest.mark.parametrize("word_set", WORD_SETS)
@pytest.mark.parametrize("language", LANGUAGES)
def test_each_paper_says_all_that_its_purpose_asks_for(language: str, word_set: str) -> None:
    words = words_of(language, word_set)
    for kind, wanted in SAYS.items():
        text = printed(kind, language, word_set)

        assert [one for one in wanted if bare(one) not in text] == [], kind
        assert [key for key in WORDS[kind] if bare(words[key]) not in text] == [], kind


ABSENT: dict[str, Callable[[Words], Sequence[str]]] = {
    "demand": lambda words: (words["days_late"], "0.05%", "《"),
    "final_letter": lambda words: (words["days_late"], "0.05%"),
    "lawyer_letter": lambda words: (words["registration_no"], "0.05%"),
    "restriction_notice": lambda words: (words["written_demand"], "20260210-31"),
    "undertaking": lambda words: (words["id_number"], words["days_late"], "138"),
}


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_the_office_has_not_filled_in_leaves_no_empty_label(language: str) -> None:
    words = words_of(language)
    for kind, gone in ABSENT.items():
        text = printed(kind, language, "mainland", is_known=False)

        assert [one for one in gone(words) if bare(one) in text] == [], kind
        assert not [mark for mark in ("（）", "()", "：，", "{", "None") if mark in text], kind
