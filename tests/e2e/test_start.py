"""Each role's start page in three languages, at the desk and on the phone, nothing cut off (K4, K6).

Each role in one language, another than the role before; all languages for each by GATEHOUSE_FULL=1. Then
the pages in use every day in the third language.

Here also the READMEs' pictures are taken: `GATEHOUSE_PICTURES=1 uv run pytest -n 0 tests/e2e/test_start.py
-k pictures` writes them to docs/, in each README's language; otherwise a trial in one language.
"""

from __future__ import annotations

import io
import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from tests.conftest import IS_FULL
from tests.e2e.conftest import ROOT, WIDTHS, Person, Served

pytestmark = pytest.mark.xdist_group("start")
ROLES = ("desk", "steward1", "cashier", "engineer", "head", "manager", "director", "admin")
IS_FOR_DOCS = os.environ.get("GATEHOUSE_PICTURES") == "1"
PICTURES = {"start": (1440, 900), "list": (1440, 900), "household": (1440, 900), "phone": (390, 844)}
LARGEST = 150_000  # bytes of a picture
ENDINGS = {"en": "", "zh_Hans": ".zh-Hans", "zh_Hant": ".zh-Hant"}  # of docs/start.png and README.md
CODES = {"en": "en", "zh_Hans": "zh-Hans", "zh_Hant": "zh-Hant"}


def choose(person: Person, language: str) -> None:
    """Choose a language at the desk, where the choice stands on every page."""
    page, code = person.page, CODES[language]
    page.set_viewport_size({"width": WIDTHS["desk"], "height": 900})
    person.go("/start/")
    if page.locator(f"html[lang={code}]").count() == 0:
        page.select_option("select[name=language]", language)
    page.wait_for_selector(f"html[lang={code}]")


def test_start_pages(lived_in: Served, sign_in: Callable[..., Person]) -> None:
    problems: list[str] = []
    for place, login in enumerate(ROLES):
        person = sign_in(lived_in, login)
        person.page.on("console", lambda said: problems.append(said.text) if said.type == "error" else None)
        languages = list(CODES) if IS_FULL else [list(CODES)[place % len(CODES)]]
        for language in languages:
            choose(person, language)
            for width, wide in WIDTHS.items():
                person.page.set_viewport_size({"width": wide, "height": 900})
                person.go("/start/").wait_for_load_state("networkidle")
                person.picture(f"start-{login}-{language}-{width}")
                charts = person.page.locator("canvas[data-chart]")
                assert charts.count() == person.page.locator("canvas[data-chart][width]").count(), login
    assert problems == []


PAGES = (
    "start", "units", "owners", "areas", "invoices", "tariffs", "billing", "cashier", "payments", "day_close",
    "statement_rows", "reminders", "reminder_batches", "contacts", "call_list", "forecast", "tickets",
    "tickets/new", "escalations", "visits", "reports", "complaint_reports", "policies", "policies/edit",
    "jobs", "audit", "staff", "imports",
)  # fmt: skip


# test_screens.py walks every screen in the other two
@pytest.mark.parametrize(
    ("language", "width"), [("zh_Hant", "phone"), *([("zh_Hant", "desk")] if IS_FULL else [])]
)
def test_every_page_in_the_third_language(
    lived_in: Served, sign_in: Callable[..., Person], language: str, width: str
) -> None:
    person = sign_in(lived_in, "admin")
    choose(person, language)
    person.page.set_viewport_size({"width": WIDTHS[width], "height": 900})
    for name in PAGES:
        path = "/policies/edit/?policy=ladder" if name == "policies/edit" else f"/{name}/"
        person.go(path)
        person.picture(f"{name.replace('/', '-')}-{language}-{width}")
    assert person.page.locator("html").get_attribute("lang") == "zh-Hant"


def show(person: Person, picture: str) -> None:
    """Go to what a picture shows: the manager's start page, a list, a debtor's household, a board."""
    page = person.page
    person.go({"start": "/start/", "phone": "/board/"}.get(picture, "/invoices/?view=overdue"))
    if picture == "household":
        page.locator("table[data-list] td.first a").first.click()
        page.locator("main a[href*='/household/']").first.click()
        page.wait_for_url(re.compile("/household/"))
    page.wait_for_load_state("networkidle")


def small(taken: bytes) -> bytes:
    """The picture with 128 colours: a third of the size, and nobody sees it."""
    made = io.BytesIO()
    Image.open(io.BytesIO(taken)).convert("RGB").quantize(128).save(made, "PNG", optimize=True)
    return made.getvalue()


def test_pictures_of_the_documents(lived_in: Served, sign_in: Callable[..., Person], tmp_path: Path) -> None:
    folder = ROOT / "docs" if IS_FOR_DOCS else tmp_path
    for language, ending in ENDINGS.items() if IS_FOR_DOCS else [("zh_Hant", ".zh-Hant")]:
        told = (ROOT / f"README{ending}.md").read_text()
        person = sign_in(lived_in, "manager", language)
        for picture, size in PICTURES.items():
            person.page.set_viewport_size({"width": size[0], "height": size[1]})
            show(person, picture)

            (folder / f"{picture}{ending}.png").write_bytes(small(person.page.screenshot()))

            assert (folder / f"{picture}{ending}.png").stat().st_size < LARGEST
            assert f"docs/{picture}{ending}.png" in told
            assert (ROOT / f"docs/{picture}{ending}.png").exists()
