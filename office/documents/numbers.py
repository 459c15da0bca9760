"""Numbers of the office's letters: a word for the kind, the year, a running number (催字〔2026〕第49号, D10).

They are in the language of the office, like its register, whatever the language of the letter.
"""

from __future__ import annotations

from collections.abc import Mapping

from office.documents.pdf.wording import LANGUAGES

WORDS: Mapping[str, tuple[str, str, str]] = {  # by kind, in the order of LANGUAGES
    "payment_reminder": ("DEM", "催", "催"),
    "demand": ("DEM", "催", "催"),
    "final_letter": ("DEM", "催", "催"),
    "lawyer_letter": ("LAW", "律催", "律催"),
    "restriction_notice": ("RES", "限", "限"),
    "undertaking": ("UND", "诺", "諾"),
    "arrears_notice": ("PUB", "示", "示"),
}
FORMS = ("{word}-{year}-{running}", "{word}字〔{year}〕第{running}号", "{word}字〔{year}〕第{running}號")


def letter_number(kind: str, language: str, year: int, running: int) -> str:
    """The number as an office of this language writes it."""
    place = LANGUAGES.index(language)
    return FORMS[place].format(word=WORDS.get(kind, WORDS["demand"])[place], year=year, running=running)


def spellings(kind: str, year: int, running: int) -> tuple[str, ...]:
    """The same number in every language: an office may have changed its own since it was filed."""
    return tuple(letter_number(kind, language, year, running) for language in LANGUAGES)
