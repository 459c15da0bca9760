"""Columns, widths, density, start view of a list per person and device; its totals and groups; the drawer."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable
from datetime import date
from decimal import Decimal

import pytest
from sqlalchemy import insert, select, update
from sqlalchemy.orm import Session

from admin.panel import list_settings, totals
from models.office import ListSetting, SavedView
from models.property import Unit
from tests.admin.conftest import Web, add_staff, text_of

COUNT = 60
ON_A_PHONE = {"User-Agent": "Mozilla/5.0 (Linux; Android 14) Mobile Safari/537.36"}


def add_many_units(session: Session) -> None:
    session.execute(
        insert(Unit),
        [
            {"code": f"M-{number:03d}", "building_id": 1, "kind": "office", "area_m2": Decimal(9)}
            for number in range(COUNT)
        ],
    )
    add_staff(session, "second", "manager")
    session.commit()


@pytest.fixture
def many(web_of: Callable[..., Web]) -> Web:
    web = web_of(fills=(add_many_units,))
    assert web.sign_in().status_code == 302
    return web


def heads(web: Web, address: str = "/trial_units/", **options: object) -> list[str]:
    return re.findall(r'data-column-name="([^"]+)"', web.get(address, **options).text)


def arranged(web: Web, **fields: str) -> None:
    assert web.post("/trial_units/arrange/", {"url": "/trial_units/", **fields}).status_code == 302


def test_columns_are_remembered_in_their_order_for_person_and_device(many: Web) -> None:
    usual = heads(many)
    arranged(many, columns="area_m2,code,kind,nonsense,code")

    other = Web(many.office, many.office.app.test_client())
    assert other.sign_in("second", "a password for tests").status_code == 302
    assert heads(many) == ["area_m2", "code", "kind"]
    assert heads(many, headers=ON_A_PHONE) == usual
    assert heads(other) == usual
    assert heads(many, "/trial_units/?columns=kind") == ["kind"]  # an address says it otherwise

    arranged(many, reset="1")
    assert heads(many) == usual
    assert [each.action for each in many.audits("list_setting")] == ["arrange_list"] * 2


def test_an_export_has_the_columns_of_the_list_in_its_order(many: Web) -> None:
    arranged(many, columns="area_m2,code")
    page = many.get("/trial_units/?kind=office").text
    address = re.search(r'href="(/trial_units/export/csv/[^"]+)"', page)
    assert address

    answer = many.get(address[1].replace("&amp;", "&"))

    rows = list(csv.reader(io.StringIO(answer.text.lstrip("\ufeff"))))
    assert [len(row) for row in rows] == [2] * (COUNT + 1)
    assert rows[1][1] == "M-000"


def test_widths_and_density_come_back(many: Web) -> None:
    arranged(
        many,
        widths=json.dumps({"code": 222.4, "kind": 99999, "nonsense": 5, "area_m2": "x"}),
        density="tight",
    )

    page = many.get("/trial_units/").text

    assert 'class="list tight sized"' in page
    assert "width:222px" in page
    assert f"width:{list_settings.WIDEST}px" in page
    with many.rows() as session:
        assert set(session.scalars(select(ListSetting)).one().widths) == {"code", "kind"}


@pytest.mark.parametrize("widths", ["", "[]", "nonsense", '{"code": NaN}', '{"code": Infinity}'])
def test_widths_that_are_none_are_no_error(many: Web, widths: str) -> None:
    arranged(many, widths=widths)

    assert many.get("/trial_units/").status_code == 200


def test_a_column_that_is_always_empty_is_not_shown_at_first(many: Web) -> None:
    assert "handed_over_on" not in heads(many)  # nobody was handed over
    assert "handed_over_on" in heads(many, "/trial_units/?columns=code,handed_over_on")


def test_a_column_with_one_value_is_shown(many: Web) -> None:
    with many.rows() as session:
        session.execute(update(Unit).where(Unit.code == "M-030").values(handed_over_on=date(2026, 1, 1)))
        session.commit()

    assert "handed_over_on" in heads(many)


def test_a_small_table_keeps_its_columns(web: Web) -> None:
    assert "handed_over_on" in heads(web)


def test_a_list_opens_where_its_person_wants(many: Web) -> None:
    many.post("/trial_units/views/save/", {"name": "Offices", "query": "kind=office"})
    with many.rows() as session:
        view_id = session.scalars(select(SavedView.id)).one()

    many.post("/trial_units/views/start/", {"start": f"view:{view_id}"})
    assert many.get("/trial_units/").headers["Location"] == "/trial_units/?kind=office"
    assert many.get("/trial_units/?all=1").status_code == 200  # the way to all rows
    many.post("/trial_units/views/start/", {"start": "vacant"})
    assert many.get("/trial_units/").headers["Location"] == "/trial_units/?view=vacant"

    many.post("/trial_units/views/start/", {"start": f"view:{view_id}"})
    many.post("/trial_units/views/forget/", {"id": str(view_id)})
    assert many.get("/trial_units/").status_code == 200  # a view that is gone opens nothing


def totals_of(web: Web, query: str) -> str:
    return str(web.get(f"/trial_invoices/totals/?{query}").json["text"])


def test_totals_of_what_is_filtered(many: Web) -> None:
    assert "¥700.00" in text_of(many.get("/trial_invoices/"))  # all on one page: nothing more is asked
    assert totals_of(many, "") == "7 rows · Amount: ¥700.00 · Balance: ¥700.00"
    assert totals_of(many, "columns=number,amount") == "7 rows · Amount: ¥700.00"
    assert totals_of(many, "balance_from=100.01") == "0 rows · Amount: ¥0.00 · Balance: ¥0.00"


def test_more_than_are_added_up_is_said_and_no_sum(many: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(totals, "MOST_ADDED", 5)

    assert totals_of(many, "") == "more than 5 rows"


def test_a_list_is_grouped_by_what_it_is_filtered_by(many: Web) -> None:
    page = many.get("/trial_units/?group=kind").text

    assert re.search(
        r'href="/trial_units/\?kind=office">[^<]+</a></td><td class="num" data-label="Rows">60<', page
    )
    assert re.search(
        r'href="/trial_units/\?kind=residence">[^<]+</a></td><td class="num" data-label="Rows">6<', page
    )
    assert "X-01" not in page


def test_groups_have_sums_and_days_go_by_months(many: Web) -> None:
    page = many.get("/trial_invoices/?group=due_on_from").text
    assert "Grouped by" not in page

    grouped = [each for each in totals.group_filters(view(many)).items() if each[1].name == "due_on"]
    page = many.get(f"/trial_invoices/?group={grouped[0][0]}").text

    assert "due_on_from=2026-01-01&amp;due_on_to=2026-01-31" in page
    assert page.count("700.00") == 2


def view(web: Web) -> object:
    return next(
        each
        for each in web.office.app.extensions["admin"][0]._views
        if getattr(each, "screen", "") == "trial_invoices"
    )


def test_too_many_rows_are_not_grouped(many: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(totals, "MOST_ADDED", 5)

    assert "narrow the list first" in text_of(many.get("/trial_units/?group=kind"))


def test_a_row_is_looked_at_beside_the_list_within_reach_only(many: Web) -> None:
    with many.rows() as session:
        own = session.scalars(select(Unit.id).where(Unit.code == "A-01")).one()
        foreign = session.scalars(select(Unit.id).where(Unit.code == "X-01")).one()

    assert "A-01" in text_of(many.get(f"/trial_units/peek/?id={own}"))
    assert "<html" not in many.get(f"/trial_units/peek/?id={own}").text
    assert many.get(f"/trial_units/peek/?id={foreign}").status_code == 404
