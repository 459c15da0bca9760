"""Every code has its words: no place that CONTRIBUTING lists for a wish can be forgotten (U3)."""

from __future__ import annotations

from collections.abc import Collection

import pytest

import seed
from admin.exchange import imports as import_screens
from admin.panel import labels
from admin.policies import wording as policy_words
from models.billing import BASES
from models.property import PRESETS, UNIT_KINDS
from office.documents.pdf import registry, samples
from office.documents.pdf.wording import LANGUAGES, words_of
from office.reports import catalog
from office.rooms import IMPORTS, TIMETABLE
from rules.billing import Basis
from tests.admin.panel import access

# what it is, the codes, where their words or other places stand
PLACES = (
    ("job", [job.code for job in TIMETABLE], labels.JOBS),
    ("import kind", IMPORTS, import_screens.KINDS),
    ("import kind", IMPORTS, import_screens.NEEDS),
    ("document", registry.KINDS, labels.PAPERS),
    ("document", registry.KINDS, samples.VALUES),
    ("policy", seed.preset_policies("residential"), policy_words.POLICIES),
    ("policy", seed.preset_policies("residential"), seed.preset_policies("tower")),
    ("policy", seed.preset_policies("residential"), seed.preset_policies("project")),
    ("fee basis", BASES, labels.BASES),
    ("kind of unit", UNIT_KINDS, labels.UNIT_KINDS),
    ("preset", PRESETS, labels.PRESETS),
    ("role", access.ROLES, labels.ROLES),
)


@pytest.mark.parametrize(("what", "codes", "words"), PLACES)
def test_each_code_stands_in_each_place(what: str, codes: Collection[str], words: Collection[str]) -> None:
    assert set(codes) == set(words), what


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_basis_with_a_rate_says_on_papers_what_the_rate_is_for(language: str) -> None:
    words = words_of(language)

    assert [basis for basis in Basis if not words.unit(basis)] == [Basis.ONE_OFF, Basis.DEPOSIT]


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_report_has_a_title_and_says_how_it_counts(language: str) -> None:
    words = words_of(language)

    assert all(words[f"table.{code}"] for code in catalog.TABLES)
    noted = {code for code in catalog.TABLES if words_of("en").code("note", code) != code}
    assert len(noted) > 8
    assert all(words[f"note.{code}"] for code in noted)
