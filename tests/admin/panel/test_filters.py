"""A filter that can't be read is told at its field and left out; the others hold.

Contract "Lists and forms", over every list and every filter of the office.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from flask_admin.helpers import set_current_view
from sqlalchemy import select

from admin.panel import registry
from admin.panel.filters import EMPTY, FILLED, ChoiceFilter, Filter, FlagFilter, RangeFilter, RelationFilter
from admin.panel.list_query import read_query
from admin.panel.table_screen import TableScreen
from models.base import db
from models.office import SavedView
from tests.admin.conftest import Web, text_of
from tests.admin.sample_office import furnish

NUMBERS = ("89,5", "1,2,3", "1_000", "1e3", "abc", "1.2.3", "NaN", "12 %", "9" * 30)
DAYS = ("05/03/2026", "31.3.26", "2026-02-30", "202603310", "2026-3", "yesterday", "2026-03-31T10:00")
CODES = ("nonsense", "2", "*")
ROWS = ("abc", "999999999", "-1", "1.0")
READABLE = ("1,000", "￥1000", "１２０．５０", "(120.00)", "-5", "1000 元", "RMB 12")


def lists() -> list[TableScreen]:
    return [view for view in registry.views() if isinstance(view, TableScreen)]


def rubbish(view: TableScreen, each: Filter) -> tuple[str, ...]:
    """What a filter can't read; a text filter reads everything that can be stored."""
    if isinstance(each, RangeFilter):
        return DAYS if each.input_type(view) == "date" else NUMBERS
    if isinstance(each, RelationFilter):
        return ROWS
    return CODES if isinstance(each, ChoiceFilter | FlagFilter) else ("a\x00b",)


@pytest.fixture
def furnished(office_of: Any) -> Web:
    office = office_of("residential", fills=(furnish,))
    web = Web(office, office.app.test_client())
    web.sign_in()
    return web


@pytest.fixture
def inside(furnished: Web) -> Iterator[None]:
    """A request of a command, which reaches every row."""
    with furnished.office.app.test_request_context("/"):
        yield
        db.session.remove()


def asked(view: TableScreen, args: dict[str, str]) -> tuple[set[str], str]:
    """The parameters that a list doesn't read, and the conditions that it makes of the others."""
    set_current_view(view)
    query = read_query(view, args)
    made = [str(each.compile(dialect=db.engine.dialect)) for each in view.conditions(query)]
    return set(query.unread), "; ".join(made)


def wrongly_read() -> list[tuple[str, str, str]]:
    """(screen, parameter, value) of each rubbish that is taken for a value or that takes others with it."""
    found = []
    for view in lists():
        for each in view.filters:
            for name in each.parameters():
                for value in rubbish(view, each):
                    unread, made = asked(view, {name: value, "search": "1"})
                    if (unread, made) != ({name}, asked(view, {"search": "1"})[1]):
                        found.append((view.screen, name, value))
    return found


@pytest.mark.usefixtures("inside")
def test_what_cant_be_read_is_left_out_and_named() -> None:
    assert sum(len(view.filters) for view in lists()) > 80

    assert wrongly_read() == []


@pytest.mark.usefixtures("inside")
def test_every_choice_offered_can_be_asked_alone_and_with_another() -> None:
    """Also whether there is a value, and days that move; each makes SQL that the database runs."""
    asked_for = 0
    for view in lists():
        for each in view.filters:
            if each.kind == "picker":
                continue
            codes = [code for code in each.options(view) if code]
            values = [*codes, ",".join(codes[:2]), ",".join(codes[-2:])] if each.takes_several else codes
            for value in values:
                query = read_query(view, {each.parameters()[-1]: value})
                assert (view.screen, query.unread) == (view.screen, {})
                db.session.execute(select(view.model.id).where(*view.conditions(query)).limit(1))
                asked_for += 1
    assert asked_for > 500


@pytest.mark.usefixtures("inside")
def test_no_stored_code_is_taken_for_a_question() -> None:
    for view in lists():
        for codes in view.choices.values():
            assert not {EMPTY, FILLED} & set(codes)


@pytest.mark.parametrize("value", ["residence,", ",", "residence,nonsense", "residence," * 400])
@pytest.mark.usefixtures("inside")
def test_several_values_of_which_one_cant_be_read_narrow_nothing(value: str) -> None:
    view = next(each for each in lists() if each.screen == "units")

    assert asked(view, {"kind": value}) == ({"kind"}, asked(view, {})[1])


@pytest.mark.usefixtures("inside")
def test_control_a_filter_that_names_nothing_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ChoiceFilter, "read", lambda _self, _view, value: value)

    assert {value for _screen, _name, value in wrongly_read()} == set(CODES)


@pytest.mark.usefixtures("inside")
def test_a_number_is_read_as_people_write_it() -> None:
    for view in lists():
        for each in view.filters:
            if isinstance(each, RangeFilter) and each.input_type(view) == "number":
                for value in READABLE:
                    if "." not in value and "．" not in value:
                        assert asked(view, {f"{each.key}_from": value})[0] == set()


PARENTS = [("invoices", "unit_id"), ("payments", "unit_id"), ("tickets", "unit_id"), ("meters", "unit_id")]


@pytest.mark.parametrize(("screen", "name"), PARENTS)
@pytest.mark.parametrize("value", ROWS)
@pytest.mark.usefixtures("inside")
def test_a_record_that_is_none_narrows_nothing(screen: str, name: str, value: str) -> None:
    view = next(each for each in lists() if each.screen == screen)

    assert asked(view, {name: value}) == ({name}, asked(view, {})[1])


def rows_in(page: str) -> int:
    return len(re.findall(r'<tr[^>]* data-id="', page))


def test_every_list_says_so_and_shows_the_rest(furnished: Web) -> None:
    with furnished.office.app.test_request_context("/"):
        wrong = {
            view.screen: {name: rubbish(view, each)[0] for each in view.filters for name in each.parameters()}
            for view in lists()
        }
        db.session.remove()
    for screen, args in wrong.items():
        if not args:
            continue
        whole, answer = furnished.get(f"/{screen}/"), furnished.get(f"/{screen}/", query_string=args)
        page = answer.get_data(as_text=True)

        assert (screen, answer.status_code) == (screen, 200)
        assert "Not applied, because it can’t be read" in page
        assert page.count('<b class="error">') >= len(args)
        assert rows_in(page) == rows_in(whole.get_data(as_text=True))


def test_an_export_never_holds_more_than_the_person_thinks(furnished: Web) -> None:
    """It is refused; a list without the filter is exported."""
    address = "/units/export/csv/"

    answer = furnished.get(address, query_string={"area_m2_from": "89,5", "kind": "residence"})

    assert answer.status_code == 302
    assert answer.location.startswith("/units/?area_m2_from=89")
    assert "One of the filters can" in text_of(furnished.get(answer.location))
    assert furnished.get(address, query_string={"kind": "residence"}).mimetype == "text/csv"


@pytest.mark.parametrize(
    "query", ["kind=nonsense&state=occupied", "view=gone&state=occupied", "building_id=x&state=occupied"]
)
def test_a_saved_view_with_a_wrong_value_says_so(furnished: Web, query: str) -> None:
    furnished.post("/units/views/save/", {"name": "old", "query": query})
    with furnished.rows() as session:
        saved = session.query(SavedView.query).filter_by(name="old").scalar()

    page = furnished.get(f"/units/?{saved}").get_data(as_text=True)

    assert "Not applied, because it can’t be read" in page
    assert rows_in(page) == rows_in(furnished.get("/units/?state=occupied").get_data(as_text=True))


def test_a_saved_view_keeps_days_that_move_as_they_are(furnished: Web) -> None:
    furnished.post("/invoices/views/save/", {"name": "moves", "query": "due_on_in=last_30_days"})

    with furnished.rows() as session:
        assert session.query(SavedView.query).filter_by(name="moves").scalar() == "due_on_in=last_30_days"


@pytest.mark.parametrize(
    ("name", "value"), [("building", "abc"), ("area", "1.0"), ("period", "2026-13"), ("period", "x")]
)
def test_a_report_says_what_it_is_not_narrowed_by(furnished: Web, name: str, value: str) -> None:
    asked = {"report": "collection", name: value}

    page = text_of(furnished.get("/reports/", query_string=asked))
    answer = furnished.get("/reports/export/csv/", query_string=asked)

    assert "Not applied, because it can’t be read" in page
    assert f"“{value}”" in page
    assert (answer.status_code, answer.mimetype) == (302, "text/html")
    assert "Not applied" not in text_of(furnished.get("/reports/?report=collection&period=2026-06"))
