"""Each role's start page in three languages, at the desk and on the phone, nothing cut off (K4, K6).

Each role in one language, another than the role before; all languages for each by GATEHOUSE_FULL=1.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from tests.conftest import IS_FULL
from tests.e2e.conftest import WIDTHS, Person, Served, serve

ROLES = ("desk", "steward1", "cashier", "engineer", "head", "manager", "director", "admin")
CODES = {"en": "en", "zh_Hans": "zh-Hans", "zh_Hant": "zh-Hant"}


@pytest.fixture(scope="module")
def lived_in(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    yield from serve(tmp_path_factory.mktemp("start"), "--preset", "residential", "--demo")


def test_start_pages(lived_in: Served, sign_in: Callable[..., Person]) -> None:
    problems: list[str] = []
    for place, login in enumerate(ROLES):
        person = sign_in(lived_in, login)
        person.page.on("console", lambda said: problems.append(said.text) if said.type == "error" else None)
        languages = list(CODES) if IS_FULL else [list(CODES)[place % len(CODES)]]
        for language in languages:
            code = CODES[language]
            person.page.set_viewport_size({"width": WIDTHS["desk"], "height": 900})
            person.go("/start/")
            if person.page.locator(f"html[lang={code}]").count() == 0:
                person.page.select_option("select[name=language]", language)
            person.page.wait_for_selector(f"html[lang={code}]")
            for width, wide in WIDTHS.items():
                person.page.set_viewport_size({"width": wide, "height": 900})
                person.go("/start/").wait_for_load_state("networkidle")
                person.picture(f"start-{login}-{language}-{width}")
                charts = person.page.locator("canvas[data-chart]")
                assert charts.count() == person.page.locator("canvas[data-chart][width]").count(), login
    assert problems == []
