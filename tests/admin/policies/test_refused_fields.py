"""A policy's form refuses every field that can't be, by its name, in the reader's language (§9)."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from dataclasses import is_dataclass
from datetime import UTC, date, datetime
from itertools import cycle
from typing import Any, get_args

import pytest
from flask_babel import force_locale
from sqlalchemy import func, select
from werkzeug.test import TestResponse

from admin.policies import wording
from admin.policies.editor import ADDED, Editor
from models.policies import PolicyVersion
from office.policies import documents, store
from rules.ladder import LadderDocument
from tests.admin.conftest import Web
from tests.factories.pages import fields_of

LOCALES = {"en": "en", "zh_Hans": "zh_Hans_CN", "zh_Hant": "zh_Hant_TW"}
NOW, FAR = datetime(2026, 6, 10, 2, tzinfo=UTC), date(9999, 1, 1)
GARBAGE = "Emial"
FREE = {
    "code",
    "after",
    "name",
    "lawyer",
    "licence_no",
    "phone",
    "letter_mark",
    "contract",
    "lines",
}  # any text


def flash_of(answer: TestResponse) -> str:
    """The messages on a page, without tags."""
    return " ".join(
        html.unescape(re.sub(r"<[^>]+>", " ", part))
        for part in re.findall(r'class="flash[^"]*"[^>]*>(.*?)</(?:p|div|li)>', answer.text, re.DOTALL)
    )


def code_fields(kind: Any) -> Iterator[tuple[str, Any]]:
    """(name, type) of every field of a policy that holds codes."""
    for name, each in documents.field_types(kind).items():
        row = next((part for part in (each, *get_args(each)) if is_dataclass(part)), None)
        if row is not None:
            yield from code_fields(row)
        elif codes := next((part for part in (each, *get_args(each)) if documents.codes_of(part)), None):
            yield name, each if documents.codes_of(each) else codes


def fields_to_spoil(policy: str, editor: Editor) -> list[tuple[str, str]]:
    """(name in the form, key) of the first field of each key; ticks and free texts can't be wrong."""
    found: dict[str, str] = {}
    for _, fields in editor.plain():
        for field in fields:
            if field.kind != "flag" and field.key not in FREE:
                found.setdefault(field.key, field.name)
    for _, _, lines in editor.grids():
        for index, cells in lines:
            for cell in cells:
                if index != ADDED and cell.kind != "flag" and cell.key not in FREE and cell.text:
                    found.setdefault(cell.key, cell.name)
    return [(name, key) for key, name in found.items()]


@pytest.mark.parametrize(("policy", "language"), list(zip(sorted(wording.POLICIES), cycle(LOCALES))))
def test_every_field_is_refused_by_its_name(web: Web, policy: str, language: str) -> None:
    web.post("/preferences", {"language": language})
    page = f"/policies/edit/?policy={policy}"
    sent = fields_of(web.get(page).text)
    with web.rows() as session:
        spoilt = fields_to_spoil(policy, Editor(store.document(session, policy, FAR), policy))
    with web.office.app.test_request_context(), force_locale(LOCALES[language]):
        words = {key: str(wording.word(key)) for _, key in spoilt}

    for name, key in spoilt:
        answer = web.post(page, {**sent, name: GARBAGE, "reason": "try"})

        assert answer.status_code == 200, name
        wanted = GARBAGE if key in {"country", "zone"} else words[key]
        assert wanted in flash_of(answer), (name, flash_of(answer))

    with web.rows() as session:
        assert session.scalar(select(func.count()).where(PolicyVersion.policy == policy)) == 1


SENTENCES = [
    ("en", "Stages, row 1, Channels in order: “Emial” is not known; possible are: E-mail, "),
    ("zh_Hans", "“Emial”"),
    ("zh_Hant", "「Emial」"),
]


@pytest.mark.parametrize(("language", "sentence"), SENTENCES)
def test_the_typo_in_a_channel_is_refused_with_what_is_allowed(
    web: Web, language: str, sentence: str
) -> None:
    """The control is the ladder as it stands, which is saved."""
    web.post("/preferences", {"language": language})
    page = "/policies/edit/?policy=ladder"
    sent = {**fields_of(web.get(page).text), "reason": "try"}

    refused = web.post(page, {**sent, "stage.0.channels": "Emial"})
    saved = web.post(page, sent)

    assert sentence in flash_of(refused)
    assert saved.status_code == 302


def test_what_a_form_offers_may_be_saved() -> None:
    """A choice that the rules refuse would be no choice."""
    wrong = []
    for policy in documents.TYPES:
        for key, kind in code_fields(documents.TYPES[policy]):
            offered = {**wording.CHOICES.get(key, {}), **wording._LISTS.get(key, {})}
            wrong += [(policy, key, code) for code in offered if code not in documents.codes_of(kind)]

    assert wrong == []


@pytest.mark.parametrize(
    "text", ['{"policy": {}, "stage": [{"channels": ["Emial"]}]}', "no JSON", "[]", '{"stage": "none"}']
)
def test_a_ladder_stored_bad_opens_says_so_and_can_be_corrected(web: Web, text: str) -> None:
    with web.rows() as session:
        store.store(session, "ladder", {}, valid_from=store.FIRST_DAY, now=NOW).rows = text
        session.commit()
    page = "/policies/edit/?policy=ladder"

    opened = web.get(page)
    others = [web.get(address).status_code for address in ("/start/", "/policies/", "/tickets/")]
    saved = web.post(page, {**fields_of(opened.text), "stage.0.channels": "print", "reason": "corrected"})

    assert (opened.status_code, others, saved.status_code) == (200, [200] * 3, 302)
    assert flash_of(opened)
    with web.rows() as session:
        assert store.in_force(session, LadderDocument, FAR).stage
