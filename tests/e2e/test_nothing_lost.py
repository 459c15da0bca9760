"""What a person has typed is never lost: reload, closed tab, refusal, ended session, another page (U7)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from datetime import timedelta

import pytest
from playwright.sync_api import Dialog, Page, expect
from sqlalchemy import update

from models.engine import writing
from models.people import WebSession
from office.core import clock
from tests.e2e.conftest import PASSWORD, Person, Served

WORDS = "电梯里有异响,停在三楼半小时,\n请尽快派人。"
PLACE = "2 号楼电梯"
PHONE = "13800138123"


@pytest.fixture(scope="module")
def office(demo_office: Callable[..., AbstractContextManager[Served]]) -> Iterator[Served]:
    with demo_office(is_sandbox=True) as office:
        yield office


def typed(page: Page) -> None:
    """A complaint, typed as people do."""
    page.fill("[name=statement]", WORDS)
    page.fill("[name=place]", PLACE)
    page.fill("[name=phone]", PHONE)
    page.wait_for_timeout(400)


def drafts(page: Page) -> str:
    return str(
        page.evaluate("JSON.stringify(Object.entries(localStorage).filter(([k]) => k.startsWith('draft:')))")
    )


def leaves(page: Page, path: str) -> bool:
    """Go to another page in spite of a question; whether it was asked."""
    asked: list[str] = []

    def answer(dialog: Dialog) -> None:
        asked.append(dialog.type)
        dialog.accept()

    page.once("dialog", answer)
    page.goto(path)
    if not asked:
        page.remove_listener("dialog", answer)
    return asked == ["beforeunload"]


def end_session(office: Served) -> None:
    """All sessions have been idle for too long."""
    with office.session() as session, writing():
        session.execute(update(WebSession).values(seen_at=clock.machine_now() - timedelta(hours=1)))
        session.commit()


def expect_text(page: Page) -> None:
    expect(page.locator("[name=statement]")).to_have_value(WORDS)
    expect(page.locator("[name=place]")).to_have_value(PLACE)


def log_in(page: Page, login: str = "desk") -> None:
    page.fill("[name=login]", login)
    page.fill("[name=password]", PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url(lambda url: "/login" not in url)


@pytest.mark.parametrize(("language", "width"), [("zh_Hans", "desk"), ("en", "phone")])
def test_a_draft_outlives_reload_back_and_a_closed_tab(
    office: Served, sign_in: Callable[..., Person], language: str, width: str
) -> None:
    desk = sign_in(office, "desk", language=language, width=width)
    page = desk.go("/tickets/new/")
    assert not leaves(page, "/tickets/")  # nothing was typed

    page.goto("/tickets/new/")
    typed(page)
    assert leaves(page, "/tickets/")
    page.go_back()
    page.reload()
    desk.picture(f"draft-offered-{language}-{width}")
    page.locator("[data-restore]").click()
    expect_text(page)
    assert PHONE not in drafts(page)  # a sealed value stays out of the browser's store

    context = page.context
    page.close()
    page = context.new_page()
    page.goto("/tickets/new/")
    page.locator("[data-restore]").click()
    expect_text(page)

    # a refused save (no category is chosen for the clerk) keeps it and asks before it is left
    page.locator("form[data-form] button.main").click()
    expect(page.locator(".field.wrong").first).to_be_visible()
    expect_text(page)
    assert leaves(page, "/tickets/new/")
    page.locator("[data-discard]").click()
    assert drafts(page) == "[]"
    page.reload()
    expect(page.locator("[data-restore]")).to_have_count(0)


def test_a_form_sent_after_the_session_ended_is_done_after_signing_in(
    office: Served, sign_in: Callable[..., Person]
) -> None:
    manager = sign_in(office, "manager")
    page = manager.go("/owners/new/")
    page.fill("[name=name]", "欧阳靖宇")
    page.wait_for_timeout(400)
    end_session(office)

    page.locator("form[data-form] button.main").click()
    page.wait_for_url("**/login**")
    expect(page.locator(".flash")).to_contain_text("kept")
    assert "欧阳靖宇" not in page.content()
    log_in(page, "manager")

    expect(page.locator("h1")).to_contain_text("欧阳靖宇")
    expect(page.locator(".flash.good")).to_be_visible()
    assert drafts(page) == "[]"
    page.goto("/owners/new/")
    expect(page.locator("[data-restore]")).to_have_count(0)


def test_a_page_whose_session_ended_goes_on_after_signing_in_beside_it(
    office: Served, sign_in: Callable[..., Person]
) -> None:
    desk = sign_in(office, "desk", language="zh_Hans")
    page = desk.go("/tickets/new/")
    typed(page)
    end_session(office)

    page.locator("[name=unit_text]").press_sequentially("1-1")
    expect(page.locator("#ended")).to_be_visible()
    desk.picture("session-ended")
    with page.context.expect_page() as opened:
        page.locator("#ended a").click()
    beside = opened.value
    log_in(beside)
    beside.close()
    page.bring_to_front()
    page.evaluate("window.dispatchEvent(new Event('focus'))")

    expect(page.locator("#ended")).not_to_be_visible()
    expect(page.locator("[name=unit_text]")).to_be_focused()
    page.fill("[name=unit_text]", "1-10")
    expect(page.locator("[data-picker] li").first).to_be_visible()
    expect_text(page)


def test_nobody_else_is_offered_it_and_signing_out_keeps_nothing(
    office: Served, sign_in: Callable[..., Person]
) -> None:
    desk = sign_in(office, "desk")
    page = desk.go("/tickets/new/")
    typed(page)
    assert leaves(page, "/tickets/")
    end_session(office)
    page.goto("/tickets/new/")
    log_in(page, "manager")

    assert re.search(r"/tickets/new/$", page.url)  # where the address said
    expect(page.locator("[data-restore]")).to_have_count(0)
    end_session(office)
    page.goto("/tickets/new/")
    log_in(page, "desk")
    expect(page.locator("[data-restore]")).to_have_count(1)

    page.evaluate("document.querySelector('[data-sign-out]').requestSubmit()")
    page.wait_for_url("**/login")
    assert drafts(page) == "[]"


def test_actions_ask_too_and_no_changes_nothing(office: Served, sign_in: Callable[..., Person]) -> None:
    admin = sign_in(office, "admin")
    page = admin.go("/jobs/")
    page = admin.go("/units/")
    page.locator("td.first a").first.click()
    page.wait_for_url("**/details/**")
    delete = page.locator("form[data-confirm]").first
    if delete.count():
        delete.evaluate("form => form.requestSubmit()")
        page.locator("#asking button[value=no]").click()
        expect(page.locator("#asking")).not_to_be_visible()
        assert "/details/" in page.url

    cell = admin.go("/areas/").locator("td[data-edit]").first
    if cell.count():
        cell.dblclick()
        page.locator("td[data-open] input").fill("另一个名字")
        assert leaves(page, "/units/")
