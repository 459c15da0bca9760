"""A steward's day on a phone: the demo estate four days after its bills fell due (C4, C6, C8)."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.conftest import Person, Served, serve

CALLS = "2026-11-19T10:00:00+08:00"  # a Thursday, four days after the due day

pytestmark = pytest.mark.xdist_group("arrears")


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    for served in serve(tmp_path_factory.mktemp("arrears"), "--preset", "residential", "--demo", "--sandbox"):
        served.run("tick", "--at", "2026-11-15T12:00:00+08:00")
        served.run("bill", "2026-11", "--on", "2026-11-01")
        served.run("tick", "--at", CALLS)
        yield served


def exported(office: Served, kind: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(office.run("export", kind).lstrip("\ufeff"))))


def act(page: Page, action: str, **fields: str) -> None:
    """Press an action of a record or a list, give what it asks for, and confirm."""
    page.locator(f"button[name=action][value={action}]").first.click()
    page.wait_for_load_state()
    asking = page.locator("form.card.narrow")
    if asking.count():
        for name, text in fields.items():
            field = asking.locator(f"[name={name}]")
            if field.evaluate("field => field.tagName") == "SELECT":
                field.select_option(index=0) if text == "first" else field.select_option(text)
            else:
                field.fill(text)
        asking.locator("button.main, button.bad").first.click()
    expect(page.locator(".flash.good").first).to_be_visible()


def enter(page: Page, **fields: str) -> None:
    """Fill the form for the door and save it."""
    for name, text in fields.items():
        field = page.locator(f"form.form [name={name}]")
        if field.evaluate("field => field.tagName") == "SELECT":
            field.select_option(text)
        else:
            field.fill(text)
    page.locator("button[data-key=save]").click()
    expect(page.locator(".flash.good").first).to_be_visible()


def count(page: Page) -> int:
    return int(page.locator("h1 .soft").inner_text())


@pytest.mark.parametrize("language", ["zh_Hans"])
def test_a_stewards_day_on_the_phone(office: Served, sign_in: Callable[..., Person], language: str) -> None:
    steward = sign_in(office, "steward1", language=language, width="phone")
    page = steward.go("/call_list/")
    before = count(page)
    steward.picture(f"steward-1-calls-{language}")
    units = page.locator("section.card h2 a").all_inner_texts()

    # a call: the number is asked for, the promise entered
    page.locator("section.card a.button.main").first.click()
    page.wait_for_url("**/call_list/contact/**")
    expect(page.locator("a[href^='tel:']")).to_have_count(0)
    page.locator("form[action='/call_list/phone/'] button").click()
    expect(page.locator("a[href^='tel:']").first).to_be_visible()
    steward.picture(f"steward-2-call-{language}")
    enter(
        page,
        method="phone",
        outcome="promised",
        arrears_reason="forgot",
        promised_on="2026-11-25",
        note="周三发薪",
    )
    assert count(page) == before - 1

    # a visit at the next door
    page.locator("section.card a.button.main").first.click()
    enter(page, method="visit", outcome="reached", arrears_reason="hardship", spoke_with="配偶")
    assert count(page) == before - 2

    # another steward's house is not the own one's affair
    page.locator("#unit_code").fill("2-101")
    page.locator("form.inline button").click()
    expect(page.locator(".flash.bad, .flash.error").first).to_contain_text("2-101")

    # the batch is looked through and the own part of it let go
    page = steward.go("/reminder_batches/?search=call-20261119")
    page.locator("td.first a").first.click()
    page.wait_for_url("**/details/**")
    steward.picture(f"steward-3-batch-{language}")
    act(page, "approve")
    steward.picture(f"steward-4-approved-{language}")

    rows = {row["unit_code"]: row for row in exported(office, "reminders") if row["stage"] == "call"}
    assert {rows[unit]["state"] for unit in units[:2]} == {"done"}
    assert (rows[units[2]]["state"], rows["2-101"]["state"]) == ("approved", "planned")
    (promise,) = [row for row in exported(office, "contacts") if row["promised_on"]]
    assert (promise["unit_code"], promise["promised_on"], promise["promise_state"]) == (
        units[0],
        "2026-11-25",
        "open",
    )
