"""A list in a real browser, desk and phone: ticks, columns, totals, groups, drawer, views, the way back."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect
from sqlalchemy import func, select

from models.property import Unit
from tests.e2e.conftest import Person, Served

LIST = "/units/?page_size=25"
WIDTHS = [("en", "desk"), ("zh_Hans", "phone")]


@pytest.fixture(scope="module")
def office(demo_office: Callable[..., AbstractContextManager[Served]]) -> Iterator[Served]:
    with demo_office() as office:
        yield office


def ticks(page: Page) -> str:
    return page.locator("[data-ticked]").inner_text()


def tick(page: Page, row: int) -> None:
    page.locator("table[data-list] input[name=rowid]").nth(row).check()


def next_page(page: Page) -> None:
    page.locator("a[rel=next]").click()
    page.wait_for_url("**after=**")


@pytest.mark.parametrize(("language", "width"), WIDTHS)
def test_ticks_outlast_pages_records_and_reloads_until_cleared(
    office: Served, sign_in: Callable[..., Person], language: str, width: str
) -> None:
    clerk = sign_in(office, language=language, width=width)
    page = clerk.go(LIST)
    tick(page, 0)
    tick(page, 2)
    next_page(page)
    assert ticks(page) == "2"
    expect(page.locator("[data-elsewhere] b")).to_have_text("2")
    tick(page, 1)
    clerk.picture(f"list-ticks-{language}-{width}")
    assert not Axe().run(page).response["violations"]

    page.locator("table[data-list] td.first a").nth(3).click()
    page.wait_for_url("**/details/**")
    page.go_back()
    page.reload()
    assert ticks(page) == "3"
    page.goto("/units/?page_size=25&kind=bay")  # another filter has ticks of its own
    assert not page.locator(".acting").is_visible()
    page.goto(LIST)
    assert ticks(page) == "3"
    page.locator("[data-tick-none]").click()
    expect(page.locator(".acting")).to_be_hidden()
    page.reload()
    expect(page.locator(".acting")).to_be_hidden()


@pytest.mark.parametrize(("language", "width"), WIDTHS)
def test_all_that_match_are_changed_together_and_the_ticks_are_gone(
    office: Served, sign_in: Callable[..., Person], language: str, width: str
) -> None:
    clerk, words = sign_in(office, language=language, width=width), f"seen-{width}"
    with office.session() as session:
        kind = session.scalars(select(Unit.kind).group_by(Unit.kind).order_by(func.count().desc())).first()
        count = session.scalar(select(func.count()).where(Unit.kind == kind)) or 0
    page = clerk.go(f"/units/?page_size=25&kind={kind}")
    tick(page, 0)
    page.locator("[data-tick-matching]").click()
    page.locator(".acting button[formaction]").click()
    page.locator("[name=change-note]").check()
    page.locator("[name=note]").fill(words)
    expect(page.locator("p.lead").first).to_contain_text(f"{count:,}")
    page.locator("button.main").click()
    clerk.picture(f"list-all-{language}-{width}")
    page.locator("button.main").click()
    page.locator(".flash.good, h2", has_text=str(count)).first.wait_for(timeout=60_000)

    with office.session() as session:
        assert session.scalar(select(func.count()).where(Unit.note == words)) == count
    page.goto(f"/units/?page_size=25&kind={kind}")
    expect(page.locator(".acting")).to_be_hidden()


@pytest.mark.parametrize(("language", "width"), WIDTHS)
def test_the_own_way_back_and_the_browsers_lead_to_page_filter_and_place(
    office: Served, sign_in: Callable[..., Person], language: str, width: str
) -> None:
    page = sign_in(office, language=language, width=width).go("/units/?page_size=25&sort=-code")
    next_page(page)
    there = page.url
    page.evaluate("window.scrollTo(0, 300)")
    row = page.locator("table[data-list] td.first a").nth(8)
    row.scroll_into_view_if_needed()
    place = page.evaluate("window.scrollY")
    row.click()
    page.wait_for_url("**/details/**")
    page.locator(".tabs [aria-current]").click()
    page.wait_for_url(there)
    assert place > 0
    assert abs(page.evaluate("window.scrollY") - place) < 60

    page.locator("table[data-list] td.first a").nth(8).click()
    page.wait_for_url("**/details/**")
    page.go_back()
    assert page.url == there

    page.locator("a[data-key=n]").click()
    page.locator(".buttons a[data-back]").click()
    page.wait_for_url(there)


@pytest.mark.parametrize(("language", "width"), WIDTHS)
def test_columns_are_ordered_and_come_back(
    office: Served, sign_in: Callable[..., Person], language: str, width: str
) -> None:
    clerk = sign_in(office, language=language, width=width)
    page = clerk.go("/areas/")
    usual = page.locator("td.first").first.get_attribute("data-label")
    page.locator(".tools details.drop summary", has=page.locator("svg")).first.click()
    page.locator(".order li").nth(0).locator("[data-move='1']").click()
    clerk.picture(f"list-columns-{language}-{width}")
    page.locator("form[data-columns] button:not([name])[class='button small']").click()
    page.wait_for_load_state()
    assert page.locator("td.first").first.get_attribute("data-label") != usual
    page.goto("/areas/")
    assert page.locator("td.first").first.get_attribute("data-label") != usual

    page.locator(".tools details.drop summary", has=page.locator("svg")).first.click()
    page.locator("form[data-columns] [name=reset]").click()
    page.wait_for_load_state()
    assert page.locator("td.first").first.get_attribute("data-label") == usual


def test_a_column_is_made_wider_by_the_keyboard(office: Served, sign_in: Callable[..., Person]) -> None:
    page = sign_in(office).go("/units/")
    head = page.locator("th[data-column-name='code']")
    before = head.bounding_box()
    head.locator("a").focus()
    with page.expect_response("**/arrange/"):
        page.keyboard.press("Alt+ArrowRight")
    page.reload()
    after = page.locator("th[data-column-name='code']").bounding_box()
    assert before
    assert after
    assert abs(after["width"] - before["width"] - 16) < 3


def test_a_record_is_looked_at_beside_the_list_by_keyboard(
    office: Served, sign_in: Callable[..., Person]
) -> None:
    clerk = sign_in(office)
    page = clerk.go("/units/")
    page.keyboard.press("j")
    page.keyboard.press("p")
    expect(page.locator("#peek")).to_be_visible()
    expect(page.locator("#peek dl.facts")).to_be_visible()
    clerk.picture("list-peek")
    assert not Axe().run(page).response["violations"]
    page.keyboard.press("Escape")
    expect(page.locator("#peek")).to_be_hidden()
    assert page.url.endswith("/units/")


@pytest.mark.parametrize(("language", "width"), WIDTHS)
def test_totals_and_groups_of_what_is_filtered(
    office: Served, sign_in: Callable[..., Person], language: str, width: str
) -> None:
    clerk = sign_in(office, language=language, width=width)
    page = clerk.go("/invoices/?page_size=25")
    expect(page.locator(".pager .count")).to_contain_text("¥")
    page.goto("/invoices/?group=state")
    clerk.picture(f"list-groups-{language}-{width}")
    assert not Axe().run(page).response["violations"]
    page.locator("td.first a").first.click()
    page.wait_for_url("**state=**")
    assert "group" not in page.url


@pytest.mark.parametrize(("language", "width"), WIDTHS)
def test_a_view_is_saved_asked_about_before_it_is_replaced_and_opened_by_its_address(
    office: Served, sign_in: Callable[..., Person], language: str, width: str
) -> None:
    clerk, name = sign_in(office, language=language, width=width), f"view {width}"
    for address in ("/units/?kind=residence", "/units/?kind=bay"):
        page = clerk.go(address)
        page.locator(".tools details.drop summary", has=page.locator("svg")).first.click()
        form = page.locator("form[action$='/views/save/']")
        form.locator("[name=name]").fill(name)
        form.locator("button").click()
        page.wait_for_load_state()
    clerk.picture(f"view-replace-{language}-{width}")
    page.locator("button.main").click()
    page.wait_for_url("**kind=bay**")
    page.goto("/units/views/")
    clerk.picture(f"views-{language}-{width}")
    assert not Axe().run(page).response["violations"]
    page.locator("section h2 a", has_text=name).click()
    page.wait_for_url("**kind=bay**")
