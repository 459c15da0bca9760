"""One thin line through everything, in a real browser (P1-P8, B4, M1, M2, T1-T4, C4, V1, K4).

IT imports the roster of an area of 943 households; the manager issues the month's bills; the cashier takes a
payment and prints the receipt; the front desk registers a complaint; the clock escalates it and makes the
reminders that are due; the ticket is resolved and its follow-up visit planned; the manager sees what is
overdue and escalated one click from the start page.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.conftest import IS_FULL
from tests.e2e.conftest import Person, Served, act, exported
from tests.factories.spreadsheets import HOUSEHOLDS, ROSTER_HEADER, csv_file, roster_rows

PAYER = ROSTER_HEADER.index("业主姓名")
OPENS = "2026-12-01T09:30:00+08:00"  # a Tuesday
NEXT_DAY = "2026-12-02T18:00:00+08:00"
AFTER_DUE = "2026-12-21T10:00:00+08:00"
PERIOD = "2026-12"

pytestmark = pytest.mark.xdist_group("line")


@pytest.fixture
def office(demo_office: Callable[..., AbstractContextManager[Served]]) -> Iterator[Served]:
    with demo_office(is_sandbox=True) as office:
        yield office


LOOKS = [("zh_Hans", "phone"), *([("en", "desk"), ("zh_Hant", "desk")] if IS_FULL else [])]


@pytest.mark.parametrize(("language", "width"), LOOKS)
def test_the_line(
    office: Served, sign_in: Callable[..., Person], tmp_path: Path, language: str, width: str
) -> None:
    def come(login: str) -> Person:
        return sign_in(office, login, language=language, width=width)

    def look(person: Person, name: str) -> None:
        person.picture(f"line-{name}-{language}-{width}")

    office.run("tick", "--at", OPENS)

    # IT: the roster
    rows = roster_rows()
    file = csv_file(tmp_path / "名册.csv", ROSTER_HEADER, rows, encoding="gbk")
    before = len(exported(office, "units"))
    office.run("import", "roster", str(file))
    assert len(exported(office, "units")) == before + HOUSEHOLDS

    # the manager: preview, then issue
    manager = come("manager")
    page = manager.go(f"/billing/?period={PERIOD}")
    look(manager, "1-billing-preview")
    page.locator("form[action='/billing/issue/'] button").click()
    page.locator("#asking button[value=yes]").click()
    expect(page.locator("[data-progress] a[href*='/invoices/']")).to_be_visible(timeout=90_000)
    look(manager, "2-billing-issued")
    paying = sum(bool(row[PAYER]) for row in rows)
    assert len(exported(office, "invoices")) == before + paying

    # the cashier: keyboard only
    cashier = come("cashier")
    page = cashier.go("/cashier/")
    page.keyboard.type("1-1-0101")
    page.keyboard.press("Enter")
    page.wait_for_url("**/cashier/?unit_id=*")
    look(cashier, "3-cashier")
    page.keyboard.press("Enter")
    page.wait_for_url("**posted=*")
    look(cashier, "4-paid")
    receipt = receipt_of(page)
    assert receipt.startswith(b"%PDF")
    (payment,) = exported(office, "payments")
    assert (payment["unit_code"], payment["amount"], payment["credit"]) == ("1-1-0101", "151.25", "0.00")

    # the front desk: a complaint with its severity and deadlines
    desk = come("desk")
    page = desk.go("/tickets/new/")
    fill_complaint(page)
    look(desk, "5-intake")
    page.locator("main form button[data-key=save]").click()
    page.wait_for_url(lambda url: "/new/" not in url)
    look(desk, "6-ticket")
    (ticket,) = exported(office, "tickets")
    assert (ticket["severity"], ticket["state"]) == ("major", "registered")

    # the clock: late, escalated
    office.run("tick", "--at", NEXT_DAY)
    levels = {row["level"] for row in exported(office, "escalations")}
    assert levels >= {"2", "3"}

    # the manager: escalated, one click from the start page
    page = manager.go("/start/")
    look(manager, "7-start")
    page.locator("a.tile[href*='/tickets/'][href*=escalated]").click()
    expect(page.locator("main")).to_contain_text(ticket["number"])
    look(manager, "8-escalated")

    # the desk resolves it; the visit is planned
    explained = json.loads(office.run("explain", "ticket", ticket["number"], "--json"))
    assert explained
    engineer = come("engineer")
    act(desk, ticket["number"], "assign")
    act(engineer, ticket["number"], "start")
    act(engineer, ticket["number"], "resolve", resolution="电梯已修复,逐户致歉。")
    look(engineer, "9-resolved")
    (visit,) = exported(office, "visits")
    assert (visit["ticket"], visit["assignee_role"]) == (ticket["number"], "station_head")
    desk.go("/visits/")
    look(desk, "10-visits")

    # unpaid bills: reminders of the stages that are due
    office.run("tick", "--at", AFTER_DUE)
    made = [row for row in exported(office, "reminders") if row["state"] != "not_made"]
    assert {row["stage"] for row in made} == {"upcoming", "friendly", "call"}
    assert not any(row["unit_code"] == "1-1-0101" for row in made)
    page = manager.go("/start/")
    page.locator("a.tile[href*='/invoices/'][href*=overdue]").click()
    expect(page.locator("main")).to_contain_text("2026-12-15")
    look(manager, "11-overdue")
    assert office.run("check").strip() != ""


def receipt_of(page: Page) -> bytes:
    """What the print button answers."""
    form = page.locator("form[action='/cashier/receipt/']")
    fields = {name: form.locator(f"input[name={name}]").input_value() for name in ("csrf_token", "id")}
    answer = page.request.post(page.url.split("/cashier/")[0] + "/cashier/receipt/", form=fields)
    assert answer.status == 200
    return answer.body()


def fill_complaint(page: Page) -> None:
    page.locator("[name=statement]").fill("3 栋两台电梯同时停运,五户老人出行困难。")
    page.locator("[name=household_count]").fill("5")
    page.locator("select[name=category]").select_option("equipment")
    page.locator("select[name=channel]").select_option("phone")
