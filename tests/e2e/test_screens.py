"""Every screen in a real browser, and a clerk who works a list by keyboard alone (U4, K4).

One office with a row in every table, one browser, one sign-in for each theme. In light all rules of axe-core
are asked, at the desk; in dark those that a theme can break, on the phone, where also nothing may be cut off.
axe-core looks at every second screen in light, at the others in dark; by GATEHOUSE_FULL=1 at all of them in
both, and at all rules in both.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from tests.conftest import IS_FULL
from tests.e2e.conftest import LOCALES, ROOT, WIDTHS, Person, Served, signed_in

pytestmark = pytest.mark.xdist_group("screens")
LEAST_PAGES = 150
SERIOUS = {"serious", "critical"}
COLOURS = ["color-contrast", "link-in-text-block"]
LOOKS = (("light", "desk", "en"), ("dark", "phone", "zh_Hans"))
MENU = "nav.side .entries a, nav.tabs a, .settings a"
HREFS = "all => all.map((a) => a.getAttribute('href'))"
SIDEBAR = "nav.side"  # the same on all screens: axe-core looks at it once
# Marks the rows that look as one before them does in every part: asked for the first, contrast, which takes
# most of axe-core's time, is answered for all of them.
MARK_ALIKE = """() => {
  const seen = new Set(), look = (each) => {
    const style = getComputedStyle(each);
    const { color, backgroundColor, backgroundImage, fontSize, fontWeight, opacity, display } = style;
    return [each.localName, color, backgroundColor, backgroundImage, fontSize, fontWeight, opacity, display];
  };
  for (const row of document.querySelectorAll("tbody tr, li, article")) {
    const key = JSON.stringify([row, ...row.querySelectorAll("*")].map(look));
    if (seen.has(key)) row.dataset.alike = "";
    seen.add(key);
  }
}"""
RUN = """async ([excluded, options]) =>
  (await axe.run({ exclude: excluded.map((each) => [each]) }, { resultTypes: ["violations"], ...options }))
    .violations.map(({ id, impact }) => ({ id, impact }))"""
# what reaches out of the window, or is hidden by a box that is too small
CUT_OFF = """() => [...document.querySelectorAll("main *, .top *")].filter((each) => {
  const style = getComputedStyle(each), box = each.getBoundingClientRect();
  const isSeen = box.width && each.checkVisibility({ contentVisibilityAuto: true, visibilityProperty: true });
  if (!isSeen || each.closest(".switch, .long, .unseen, .table-frame, .views, .tabs")) return false;
  const isCut = ["hidden", "clip"].includes(style.overflowX) && each.scrollWidth > each.clientWidth + 1;
  return isCut || (each.matches("a, button, input:not([type=hidden]), select") && box.right > innerWidth + 1);
}).map((each) => each.outerHTML.slice(0, 120))"""


@pytest.fixture(scope="module")
def office(demo_office: Callable[..., AbstractContextManager[Served]]) -> Iterator[Served]:
    with demo_office() as office:
        subprocess.run(
            [sys.executable, "-m", "tests.admin.sample_office"], cwd=ROOT, env=office.environment, check=True
        )
        yield office


@pytest.fixture
def look(browser: Browser, office: Served) -> Iterator[Callable[[str, str, str], Page]]:
    contexts = []

    def sign_in(scheme: Any, width: str, language: str) -> Page:
        context = browser.new_context(
            base_url=office.address,
            color_scheme=scheme,
            locale=LOCALES[language],
            viewport={"width": WIDTHS[width], "height": 900},
        )
        contexts.append(context)
        return signed_in(context)

    yield sign_in
    for context in contexts:
        context.close()


def walk(page: Page) -> Iterator[str]:
    """Each screen of the menu; of a list also its first record, the form for it and for a new one."""
    menu = page.eval_on_selector_all(MENU, HREFS)
    waiting, seen = list(menu), set(menu)
    while waiting:
        path = waiting.pop(0)
        answer = page.goto(path)
        assert answer is not None
        assert answer.status < 400, path
        yield path
        for link in page.eval_on_selector_all(MENU, HREFS):
            if link not in seen:
                seen.add(link)
                waiting.append(link)
        for selector in (
            "table[data-list] td.first a",
            "main .tools [data-key=n]",
            "main .tools [data-key=e]",
        ):
            found = page.query_selector(selector)
            link = found.get_attribute("href") if found else None
            if link and link.startswith(path.split("/details/")[0].rstrip("/") + "/") and link not in seen:
                seen.add(link)
                waiting.append(link)


def serious(page: Page, *excluded: str, is_colour_only: bool = False) -> list[str]:
    """The rules of axe-core that the page breaks badly."""
    page.evaluate(Axe().axe_script)
    page.evaluate(MARK_ALIKE)
    shown = [*excluded, "[data-alike]"]
    found = page.evaluate(RUN, [shown, {"runOnly": COLOURS}])
    if not is_colour_only:
        rest = {"rules": {name: {"enabled": False} for name in COLOURS}}
        found += page.evaluate(RUN, [list(excluded), rest])
    return [each["id"] for each in found if each["impact"] in SERIOUS]


@pytest.mark.parametrize(("scheme", "width", "language"), LOOKS)
def test_every_screen_can_be_used_by_everybody(
    look: Callable[[str, str, str], Page], scheme: str, width: str, language: str
) -> None:
    page = look(scheme, width, language)
    told: list[str] = []
    page.on("console", lambda message: told.append(message.text) if message.type == "error" else None)
    found, count = {}, 0

    for path in walk(page):
        count += 1
        is_asked = IS_FULL or count % 2 == (scheme == "light")
        excluded = [SIDEBAR] if count > 2 else []
        is_colour_only = scheme == "dark" and not IS_FULL
        wrong = serious(page, *excluded, is_colour_only=is_colour_only) if is_asked else []
        if page.evaluate("document.documentElement.scrollWidth") > WIDTHS[width]:
            wrong.append("wider than the screen")
        wrong += page.evaluate(CUT_OFF)
        if wrong:
            found[path] = wrong

    assert count > LEAST_PAGES
    assert not found, "\n".join(f"{path}: {wrong}" for path, wrong in found.items())
    assert not told


def test_what_is_wrong_is_found(look: Callable[[str, str, str], Page]) -> None:
    """The control: an unnamed button, a pale word, and a box that hides its text."""
    page = look("light", "phone", "en")
    page.goto("/account")
    page.evaluate("""() => {
        const made = ["button", "p", "div", "a"].map((tag) => document.createElement(tag));
        const [button, pale, box, link] = made;
        Object.assign(pale, { textContent: "hardly to be read" }).style.color = "#bbb";
        Object.assign(link, { textContent: "much too long a text", href: "/" });
        Object.assign(box.style, { width: "4rem", overflow: "hidden", whiteSpace: "nowrap" });
        box.append(link);
        document.querySelector("main").append(button, pale, box);
    }""")

    assert {"button-name", "color-contrast"} <= set(serious(page))
    assert any("too long" in each for each in page.evaluate(CUT_OFF))


def test_a_pale_word_in_one_row_of_many_is_found(look: Callable[[str, str, str], Page]) -> None:
    """The control of the marks: most rows are alike, a row that is not is asked about."""
    page = look("light", "desk", "en")
    page.goto("/units/")
    assert serious(page, is_colour_only=True) == []
    assert page.locator("tr[data-alike]").count() > 20

    page.reload()
    page.locator("tbody tr").nth(9).locator("td").nth(2).evaluate("cell => { cell.style.color = '#bbb'; }")

    assert serious(page, is_colour_only=True) == ["color-contrast"]


def test_a_clerk_works_a_list_by_keyboard_alone(
    office: Served, sign_in: Callable[..., Person], tmp_path: Any
) -> None:
    """Search, filter, open, edit, save, next, back, export: no mouse anywhere."""
    page = sign_in(office, "head").go("/owners/")
    page.set_default_timeout(60_000)  # the first name saved in a process reads the dictionary of readings
    press, write = page.keyboard.press, page.keyboard.type

    press("f")
    write("W")
    press("Enter")
    page.wait_for_url(re.compile("search=W"))
    press("f")
    press("Tab")
    write("P")  # person
    page.wait_for_url(re.compile("kind=person"))
    expect(page.locator(".chip")).to_have_count(3)
    names = page.locator("td.first").all_inner_texts()
    assert len(names) > 3

    press("j")
    press("Enter")
    page.wait_for_url(re.compile("/details/"))
    expect(page.locator("h1")).to_have_text(names[0])

    press("e")
    page.wait_for_url(re.compile("/edit/"))
    for _ in range(40):
        if page.evaluate("document.activeElement.name") == "tags":
            break
        press("Tab")
    press("Control+A")
    write("by keyboard")
    press("Control+S")
    page.wait_for_url(re.compile("/details/"))
    expect(page.locator(".facts")).to_contain_text("by keyboard")

    press("]")
    expect(page.locator("h1")).to_have_text(names[1])
    press("b")
    page.wait_for_url(re.compile(r"/owners/\?.*search=W"))
    assert "kind=person" in page.url

    press("d")
    with page.expect_download() as coming:
        press("Enter")
    file = tmp_path / coming.value.suggested_filename
    coming.value.save_as(file)
    assert file.suffix == ".xlsx"
    assert file.stat().st_size > 4000


def test_the_final_account_follows_the_unit_and_the_day(
    office: Served, sign_in: Callable[..., Person]
) -> None:
    """P5: what the old payer owes is seen before anything is changed."""
    page = sign_in(office, "head").go("/change_payer/")
    account = page.locator("#account")
    expect(account).to_contain_text("Choose the unit")

    page.locator("#unit").fill("2-101")
    page.locator("[role=option]", has_text="2-101").first.click()
    expect(account).to_contain_text("To pay before leaving")
    page.locator("[name=on]").fill("1990-01-01")
    expect(account).to_contain_text("Nobody pays for this unit on that day")
