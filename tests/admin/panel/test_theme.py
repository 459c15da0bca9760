"""The theme in a real browser: questions under the strict policy, keyboard, pickers, themes, phone (U4)."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page
from werkzeug.serving import make_server

from models.property import Area
from tests.admin.conftest import Web
from tests.e2e.conftest import signed_in

pytestmark = [pytest.mark.e2e, pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)]
PAGES = (
    "/trial_units/",
    "/trial_units/new/",
    "/trial_units/details/?id=1",
    "/trial_owners/details/?id=1",
    "/account",
)


@pytest.fixture
def served(visitor: Web) -> Iterator[tuple[Web, str]]:
    server = make_server("127.0.0.1", 0, visitor.office.app, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield visitor, f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def open_page(browser: Browser, served: tuple[Web, str]) -> Iterator[Callable[..., Page]]:
    contexts = []

    def sign_in(scheme: str = "light", width: int = 1440) -> Page:
        context = browser.new_context(
            base_url=served[1], color_scheme=scheme, locale="en-US", viewport={"width": width, "height": 900}
        )
        contexts.append(context)
        return signed_in(context)

    yield sign_in
    for context in contexts:
        context.close()


def areas(web: Web) -> int:
    with web.rows() as session:
        return session.query(Area).count()


def test_deleting_asks_and_no_means_no(open_page: Callable[..., Page], served: tuple[Web, str]) -> None:
    web, _address = served
    with web.rows() as session:
        session.add(Area(name="空区"))
        session.commit()
    page = open_page()
    page.goto("/trial_areas/details/?id=3")

    page.click(".tools .bad")
    page.click("#asking [value=no]")
    assert areas(web) == 3

    page.click(".tools .bad")
    page.click("#asking [value=yes]")
    page.wait_for_url("**/trial_areas/")
    assert areas(web) == 2


def test_nothing_breaks_the_policy_and_nothing_is_cut_off(open_page: Callable[..., Page]) -> None:
    for scheme, width in (("light", 1440), ("dark", 390)):
        page = open_page(scheme, width)
        told: list[str] = []
        page.on(
            "console",
            lambda message, told=told: told.append(message.text) if message.type == "error" else None,
        )
        for path in PAGES:
            page.goto(path)
            found = Axe().run(page).response["violations"]
            worst = [each["id"] for each in found if each["impact"] in {"serious", "critical"}]
            assert not worst, (path, scheme, worst)
            assert page.evaluate("document.documentElement.scrollWidth") <= width, path
        assert not told


def test_an_inline_script_is_not_run(open_page: Callable[..., Page]) -> None:
    """Control: the policy itself stops what would slip through the templates."""
    page = open_page()
    page.goto("/trial_areas/")

    page.evaluate("""() => {
        const script = document.createElement("script");
        script.textContent = "window.slipped = true";
        document.body.append(script);
    }""")

    assert page.evaluate("window.slipped") is None


def test_a_list_is_worked_by_keyboard_alone(open_page: Callable[..., Page]) -> None:
    page = open_page()
    page.goto("/trial_units/")

    page.keyboard.press("?")
    assert page.is_visible("#help")
    page.keyboard.press("Escape")
    page.wait_for_selector("#help", state="hidden")
    page.keyboard.press("Control+k")
    assert page.evaluate("document.activeElement.name") == "q"
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("x")
    assert page.is_checked("tbody tr:nth-child(2) input")
    assert page.is_visible(".acting")
    page.keyboard.press("Enter")
    page.wait_for_url("**/details/**")
    assert page.inner_text("h1") == "A-02"
    page.keyboard.press("e")
    page.wait_for_url("**/edit/**")
    page.fill("[name=note]", "by keyboard")
    page.keyboard.press("Control+s")
    page.wait_for_url("**/details/**")
    assert "by keyboard" in page.inner_text(".facts")
    page.keyboard.press("/")
    assert page.evaluate("document.activeElement.name") == "q"


def test_a_relation_is_found_by_typing(open_page: Callable[..., Page]) -> None:
    page = open_page()
    page.goto("/trial_occupancies/new/")

    for name, word in (("unit", "a-03"), ("owner", "wxy")):
        page.locator(f"#{name}").press_sequentially(word)
        page.wait_for_selector(f"#{name} ~ ul [aria-selected=true]")
        page.keyboard.press("Enter")
    page.fill("[name=from_on]", "2026-01-01")
    page.click("[data-key=save]")
    page.wait_for_url("**/details/**")

    assert "A-03" in page.inner_text(".facts")
    assert "王秀英" in page.inner_text(".facts")


def test_a_cell_is_changed_in_place(open_page: Callable[..., Page]) -> None:
    page = open_page()
    page.goto("/trial_units/")
    cell = page.locator("tbody tr:first-child td[data-edit=note]")

    cell.dblclick()
    page.keyboard.type("in place")
    page.keyboard.press("Enter")
    page.wait_for_selector("td[data-edit]:has-text('in place')")
    page.reload()

    assert cell.inner_text() == "in place"
