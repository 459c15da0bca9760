"""The second question about an unusually large sum: in figures, in words, and whose it is (F21)."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from flask import request
from flask_babel import gettext as _

from admin.panel import formats, language
from office.documents.pdf.wording import words_of
from office.policies.large_sums import NotConfirmed

FIELD = "confirmed_sum"


@dataclass(frozen=True)
class Question:
    """What a form asks before it takes a large sum; `value` comes back in FIELD with a yes."""

    sentence: str
    in_words: str  # in Chinese capitals, whatever the language
    lang: str
    who: str
    yes: str
    value: str


def question(asked: NotConfirmed, who: str = "") -> Question:
    """The question for a refusal that asks; `who` names the unit and payer it is about."""
    sums = {"amount": formats.amount(asked.amount)}
    reader = language.current()
    return Question(
        sentence=_("%(amount)s is an unusually large sum. Is it right?", **sums),
        in_words=words_of(reader).capitals(asked.amount),
        lang="zh-Hant" if reader == "zh_Hant" else "zh-Hans",
        who=who,
        yes=_("Yes, %(amount)s", **sums),
        value=f"{asked.amount}",
    )


def confirmed_sum() -> Decimal | None:
    """The sum to which this form says yes, in yuan; another sum is asked about anew."""
    with suppress(InvalidOperation):
        said = Decimal(request.form.get(FIELD, "")[:20])
        return said if said.is_finite() else None
    return None
