"""Collecting on a phone and at the desk: a steward's day, then a restriction (C4, C6, C8, C9).

One office for both: the demo estate four days after its bills fell due, and eleven days later.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.conftest import Person, Served

CALLS = "2026-11-19T10:00:00+08:00"  # a Thursday, four days after the due day
LETTERS = "2026-11-30T10:00:00+08:00"  # a Monday, fifteen days after it

pytestmark = pytest.mark.xdist_group("arrears")


@pytest.fixture(scope="module")
def office(demo_office: Callable[..., AbstractContextManager[Served]]) -> Iterator[Served]:
    with demo_office(is_sandbox=True) as served:
        served.run("tick", "--at", "2026-11-15T12:00:00+08:00")
        served.run("bill", "2026-11", "--on", "2026-11-01")
        served.run("tick", "--at", CALLS)
        yield served


def exported(office: Served, kind: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(office.run("export", kind).lstrip("\ufeff"))))


def act(page: Page, action: str, flash: str = "good", **fields: str) -> None:
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
    expect(page.locator(f".flash.{flash}").first).to_be_visible()


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
    page.wait_for_url("**/call_list/contact/**")  # hardship: a plan can be offered at once
    page = steward.go("/call_list/")
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


def test_a_restriction_is_let_pass_by_two_people_and_ends_when_paid(
    office: Served, sign_in: Callable[..., Person], tmp_path: Path
) -> None:
    """Asked again on its day, told in a letter, lifted by payment (C9).

    Each step is tried first where it must fail: before the gate, by one person twice, by the wrong role.
    Of two households the one that pays before the day is never restricted.
    """
    paying, owing = "3-101", "3-102"
    contacts = [
        f"2026-11-{day}T15:00,{unit},{method},reached,,,"
        for unit in (paying, owing)
        for day, method in ((20, "phone"), (24, "visit"))
    ]
    take_in(office, tmp_path, "contacts", *contacts)
    office.run("tick", "--at", LETTERS)
    steward, head = sign_in(office, "steward1"), sign_in(office, "head", language="zh_Hant")
    manager = sign_in(office, "manager", language="zh_Hans")

    # asked for; without the letter and the head's visit nobody lets it pass
    for unit in (paying, owing):
        page = steward.go("/restrictions/")
        act(page, "request", unit_code=unit, service="first", clause="《空调加时服务协议》第六条")
    act(opened(manager, owing), "sign", flash="bad")
    manager.picture("restriction-1-asked")

    # the head lets the letters go, prints them, and goes there
    page = head.go("/reminder_batches/?search=letter-20261130")
    page.locator("td.first a").first.click()
    page.wait_for_url("**/details/**")
    act(page, "approve")
    assert printed(page, "letters").startswith(b"%PDF")
    for unit in (paying, owing):
        page = head.go(f"/call_list/contact/?unit_code={unit}")
        enter(page, method="visit", outcome="refused", arrears_reason="refuses")
    office.run("tick", "--at", "2026-11-30T10:30:00+08:00")  # a gate counts what was before its instant

    # two people, the signed yes the manager's
    for unit in (paying, owing):
        act(opened(head, unit), "approve")
    for action in ("approve", "sign"):
        act(opened(head, owing), action, flash="bad")
    assert restricted(office) == {paying: "requested", owing: "requested"}
    page = opened(manager, owing)
    expect(page.locator(".gate .badge.bad")).to_have_count(2)  # the second yes, and it signed
    manager.picture("restriction-2-gate")
    for unit in (paying, owing):
        page = opened(manager, unit)
        act(page, "sign")
        assert printed(page, "letter").startswith(b"%PDF")
    assert restricted(office) == {paying: "approved", owing: "approved"}

    # its day: who has paid meanwhile is left alone
    take_in(office, tmp_path, "payments", f"{paying},{owes(office, paying)},2026-11-30T10:20,cash,in time")
    office.run("tick", "--at", "2026-12-01T09:30:00+08:00")
    assert restricted(office) == {paying: "stopped", owing: "in_effect"}
    page = opened(manager, owing)
    manager.picture("restriction-3-in-effect")
    unit_id = page.locator("dl.facts a[href*='/units/']").get_attribute("href").rpartition("=")[2]
    page = manager.go(f"/household/?unit_id={unit_id}")
    letter = page.locator(".timeline li", has_text=re.compile(r"RES-\d{4}-2\b|限字〔\d{4}〕第2号"))
    expect(letter.first).to_be_visible()  # its letter is filed
    manager.picture("restriction-4-household")

    # paid: it ends by itself within a minute
    take_in(office, tmp_path, "payments", f"{owing},{owes(office, owing)},2026-12-01T09:25,cash,at last")
    office.run("tick", "--at", "2026-12-01T09:31:00+08:00")
    (row,) = [row for row in exported(office, "restrictions") if row["unit_code"] == owing]
    assert (row["state"], row["effective_on"], row["lifted_on"]) == ("lifted", "2026-12-01", "2026-12-01")
    manager.go("/restrictions/")
    manager.picture("restriction-5-over")


def take_in(office: Served, folder: Path, kind: str, *rows: str) -> None:
    """Import some rows as IT would."""
    heads = {
        "contacts": "at,unit_code,method,outcome,promised_on,promised_amount,note",
        "payments": "unit_code,amount,paid_at,method,reference",
    }
    file = folder / f"{kind}.csv"
    file.write_text("\n".join([heads[kind], *rows]))
    office.run("import", kind, str(file))


def owes(office: Served, unit: str) -> str:
    """What a unit owes, in yuan."""
    return next(row["balance"] for row in exported(office, "units") if row["unit_code"] == unit)


def restricted(office: Served) -> dict[str, str]:
    """Unit → state of its restriction."""
    return {row["unit_code"]: row["state"] for row in exported(office, "restrictions")}


def opened(person: Person, unit: str) -> Page:
    """The page of a unit's restriction."""
    page = person.go("/restrictions/")
    page.locator("tr", has_text=unit).locator("td.first a").click()
    page.wait_for_url("**/details/**")
    return page


def printed(page: Page, action: str) -> bytes:
    """What a printing action of the record answers."""
    form = page.locator(f"form:has(button[value={action}])").first
    fields = {name: form.locator(f"input[name={name}]").input_value() for name in ("csrf_token", "rowid")}
    address = page.url.split("/details/")[0] + "/action/"
    answer = page.request.post(address, form={**fields, "action": action}, timeout=120_000)  # many letters
    assert answer.status == 200
    return answer.body()
