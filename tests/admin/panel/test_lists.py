"""Pages by cursor, bounded counts, filters and search of a list, on both databases (S2–S4)."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal

import pytest
from sqlalchemy import delete, insert
from sqlalchemy.orm import Session

from admin.panel import columns, list_exports, paging, permissions, row_counts
from models.billing import Invoice
from models.people import Owner
from models.property import Unit
from office.core import clock
from tests.admin.conftest import Web, text_of

COUNT = 130


def add_many_units(session: Session) -> None:
    session.execute(
        insert(Unit),
        [
            {
                "code": f"M-{number:03d}",
                "building_id": 1,
                "kind": "office",
                "area_m2": Decimal(number % 7),
                "handed_over_on": None if number % 3 == 0 else date(2020, 1, 1) + timedelta(days=number % 5),
            }
            for number in range(COUNT)
        ],
    )


@pytest.fixture
def many(web_of: Callable[..., Web]) -> Web:
    """130 units more; a third without a hand-over date, and dates that many share."""
    web = web_of(fills=(add_many_units,))
    assert web.sign_in().status_code == 302
    return web


def codes(page: str) -> list[str]:
    return re.findall(r'class="\w+ first"[^>]*><a [^>]*>([^<]+)</a>', page)


def link(page: str, relation: str) -> str | None:
    found = re.search(rf'<a class="button" href="([^"]+)"[^>]*rel="{relation}"', page)
    return found[1].replace("&amp;", "&") if found else None


def walk(web: Web, address: str, relation: str) -> tuple[list[list[str]], str]:
    """The codes of each page along `next` or `prev`, and the last address."""
    pages: list[list[str]] = []
    while len(pages) < 20:
        page = web.get(address).text
        pages.append(codes(page))
        following = link(page, relation)
        if following is None:
            return pages, address
        address = following
    raise AssertionError("the pages never end")


def test_walking_forth_and_back_meets_every_row_once_in_one_order(many: Web) -> None:
    for sort in [
        "code",
        "-code",
        "handed_over_on",
        "-handed_over_on",
        "area_m2",
        "-area_m2",
        "building.name",
        "id",
    ]:
        forth, last = walk(many, f"/trial_units/?sort={sort}&page_size=25", "next")
        back, _first = walk(many, last, "prev")

        seen = [code for page in forth for code in page]
        assert len(seen) == len(set(seen)) == COUNT + 6
        assert [len(page) for page in forth] == [25] * 5 + [11]
        assert list(reversed(back)) == forth


def handed_over(web: Web) -> dict[str, date | None]:
    with web.rows() as session:
        return {unit.code: unit.handed_over_on for unit in session.query(Unit).order_by(Unit.id)}


@pytest.mark.parametrize(("sort", "is_descending"), [("handed_over_on", False), ("-handed_over_on", True)])
def test_rows_without_a_value_come_last_both_ways(many: Web, sort: str, is_descending: bool) -> None:
    days = {code: day for code, day in handed_over(many).items() if not code.startswith("X")}
    dated = sorted(
        (code for code in days if days[code]), key=lambda code: str(days[code]), reverse=is_descending
    )

    pages, last = walk(many, f"/trial_units/?sort={sort}&page_size=25", "next")
    back, _first = walk(many, last, "prev")

    found = [code for page in pages for code in page]
    assert [days[code] for code in found[: len(dated)]] == [days[code] for code in dated]
    assert {days[code] for code in found[len(dated) :]} == {None}
    assert len(found) == len(days)
    assert list(reversed(back)) == pages


def test_control_the_databases_own_place_of_nulls_is_found_out(
    many: Web, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(paging, "_may_lack", lambda _key: False)

    days = handed_over(many)
    ends = [
        days[codes(many.get(f"/trial_units/?sort={sort}&page_size=25").text)[0]]
        for sort in ("handed_over_on", "-handed_over_on")
    ]

    assert None in ends


@pytest.mark.parametrize("sort", ["handed_over_on", "-handed_over_on", "building.name", "-note", "kind"])
def test_paging_stays_exact_while_rows_come_and_go(many: Web, sort: str) -> None:
    address = f"/trial_units/?sort={sort}&page_size=25"
    before = {code for code in handed_over(many) if not code.startswith("X")}
    seen: list[str] = []
    for number in range(20):
        page = many.get(address).text
        seen += codes(page)
        with many.rows() as session:  # one that was seen goes, one comes that sorts first or last
            session.execute(
                delete(Unit).where(
                    Unit.code == next(code for code in reversed(codes(page)) if code[0] in "MN")
                )
            )
            day = date(1990, 1, 1) if number % 2 else None
            session.add(Unit(code=f"N-{number}", building_id=1, kind="office", area_m2=1, handed_over_on=day))
            session.commit()
        following = link(page, "next")
        if following is None:
            break
        address = following

    old = [code for code in seen if not code.startswith("N-")]
    assert len(old) == len(set(old))
    assert set(old) == before


def test_a_large_list_is_ordered_by_any_column_once_it_is_narrow(
    web: Web, monkeypatch: pytest.MonkeyPatch
) -> None:
    by_amount = codes(web.get("/trial_invoices/?sort=-amount").text)
    by_payer = web.get("/trial_invoices/?sort=payer.name").text
    assert by_amount
    assert "narrow the list first" not in by_payer

    monkeypatch.setattr(paging, "MOST_SORTED", len(by_amount) - 1)
    refused = web.get("/trial_invoices/?sort=-amount").text

    assert "order them by “Amount”: narrow the list first" in text_of(
        web.get("/trial_invoices/?sort=-amount")
    )
    assert codes(refused) == codes(web.get("/trial_invoices/").text)
    assert "narrow the list first" not in web.get("/trial_invoices/?sort=due_on").text


def exported_codes(web: Web, address: str) -> list[str]:
    lines = web.get(address).get_data(as_text=True).lstrip("\ufeff").splitlines()
    return [line.split(",")[0] for line in lines[1:]]


@pytest.mark.parametrize("sort", ["-code", "handed_over_on", "-handed_over_on", "building.name", "-area_m2"])
def test_an_export_has_the_order_of_its_list(many: Web, monkeypatch: pytest.MonkeyPatch, sort: str) -> None:
    monkeypatch.setattr(list_exports, "CHUNK", 7)
    pages, _last = walk(many, f"/trial_units/?sort={sort}&page_size=25&kind=office", "next")

    exported = exported_codes(many, f"/trial_units/export/csv/?sort={sort}&kind=office")

    assert exported == [code for page in pages for code in page]


def test_a_list_too_long_for_a_sheet_is_not_cut(many: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(list_exports, "MOST_ROWS", COUNT)

    answer = many.get("/trial_units/export/xlsx/")

    assert answer.status_code == 302
    assert "An XLSX sheet ends at 130 rows" in text_of(many.get(answer.location))
    assert len(exported_codes(many, "/trial_units/export/csv/")) == COUNT + 6
    assert many.get("/trial_units/export/xlsx/?kind=office").status_code == 200


CODES_IN_ORDER = ["Q1-9", "Q1-101", "Q1-1001", "Q2-1", "Q10-1"]
NAMES_IN_ORDER = ["陈一", "李娜", "李伟", "梁安", "仇英", "曾小明", "张三"]


def add_in_disorder(web: Web) -> None:
    with web.rows() as session:
        for code in reversed(CODES_IN_ORDER):
            session.add(Unit(code=code, building_id=1, kind="office", area_m2=1))
        session.execute(insert(Owner), [{"name": name} for name in reversed(NAMES_IN_ORDER)])
        session.commit()


def test_codes_and_names_are_in_the_order_of_people(web: Web) -> None:
    """In a list both ways, in its export, and in what a picker offers."""
    add_in_disorder(web)

    units = [code for code in codes(web.get("/trial_units/?sort=code").text) if code[0] == "Q"]
    back = [code for code in codes(web.get("/trial_units/?sort=-code").text) if code[0] == "Q"]
    exported = [code for code in exported_codes(web, "/trial_units/export/csv/?sort=-code") if code[0] == "Q"]
    people = [name for name in codes(web.get("/trial_owners/?sort=name").text) if name in NAMES_IN_ORDER]
    offered = web.get("/trial_occupancies/ajax/lookup/?name=unit&query=Q").json

    assert units == CODES_IN_ORDER
    assert back == exported == CODES_IN_ORDER[::-1]
    assert people == NAMES_IN_ORDER
    assert [name for _key, name in offered] == CODES_IN_ORDER


def test_a_name_that_changes_changes_its_place(web: Web) -> None:
    add_in_disorder(web)
    with web.rows() as session:
        session.query(Owner).where(Owner.name == "陈一").one().name = "赵一"
        session.commit()

    people = [name for name in codes(web.get("/trial_owners/?sort=name").text) if name[0] != "王"]

    assert people[-1] == "赵一"


def test_control_without_their_keys_the_order_is_that_of_the_bytes(
    web: Web, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_in_disorder(web)
    monkeypatch.setattr(columns, "ORDERED", "_nowhere")

    found = [code for code in codes(web.get("/trial_units/?sort=code").text) if code[0] == "Q"]

    assert found != CODES_IN_ORDER


def test_a_cursor_of_another_order_is_not_followed(many: Web) -> None:
    other = link(many.get("/trial_units/?sort=code&page_size=25").text, "next")
    assert other

    first = codes(many.get("/trial_units/?sort=-code&page_size=25").text)

    assert codes(many.get(other.replace("sort=code", "sort=-code")).text) == first


def test_a_range_filter_and_the_cursor_agree(many: Web) -> None:
    days = "handed_over_on_from=2020-01-02&handed_over_on_to=2020-01-03"
    narrowed = f"/trial_units/?sort=handed_over_on&page_size=25&{days}"
    for address in (narrowed, narrowed.replace("sort=h", "sort=-h")):
        pages, _last = walk(many, address, "next")
        seen = [code for page in pages for code in page]
        expected = {f"M-{n:03d}" for n in range(COUNT) if n % 3 and n % 5 in {1, 2}}
        assert set(seen) == expected
        assert len(seen) == len(expected)


@pytest.mark.parametrize("day", ["0001-01-01", "9999-12-31"])
def test_a_day_at_the_calendars_end_is_no_error(web: Web, day: str) -> None:
    for end in ("from", "to"):
        assert web.get(f"/outbox/export/csv/?made_at_{end}={day}").status_code == 200


def test_filters_views_and_search_narrow_together(many: Web) -> None:
    for query, found in [
        ("kind=office", COUNT),
        ("kind=residence", 6),
        ("building_id=2", 1),
        ("building_area_id=2", 1),
        ("area_m2_from=89&area_m2_to=90", 6),
        ("area_m2_from=3&area_m2_to=3", 19),
        ("view=vacant&kind=residence", 6),
        ("search=A-0", 6),
        ("search=m-00", 10),
        ("search=-0", 0),
        ("search=%", 0),
        ("search=_", 0),
        ("building_id=1&search=A-06", 0),
        ("kind=office,residence", COUNT + 6),
        ("kind=office&kind=residence", COUNT + 6),
        ("kind=office&kind=&kind=shop", COUNT),
        ("handed_over_on_in=empty", 50),
        ("handed_over_on_in=filled", COUNT + 6 - 50),
        ("handed_over_on_in=this_month", 0),
    ]:
        shown = text_of(many.get(f"/trial_units/?{query}"))

        if found:
            assert re.search(rf"\b{found} rows?\b", shown)
        else:
            assert "Nothing matches" in shown


@pytest.mark.parametrize(("code", "days"), [("today", 1), ("last_7_days", 7), ("last_30_days", 30)])
def test_days_that_move_are_those_of_the_office(web: Web, code: str, days: int) -> None:
    """Before, at and after each end."""
    with web.rows() as session:
        today = clock.office_day(session, clock.now(session))
        session.execute(
            insert(Unit),
            [
                {
                    "code": f"D-{back}",
                    "building_id": 1,
                    "kind": "office",
                    "area_m2": 1,
                    "handed_over_on": today - timedelta(days=back),
                }
                for back in {-1, 0, days - 1, days}
            ],
        )
        session.commit()

    found = codes(web.get(f"/trial_units/?handed_over_on_in={code}").text)

    assert {each for each in found if each.startswith("D-")} == {"D-0", f"D-{days - 1}"}


def test_an_owner_is_found_by_name_initials_or_exact_phone(web: Web) -> None:
    with web.rows() as session:
        session.add(Owner(name="李伟", pinyin_initials="LW"))
        session.commit()
    for words in ["王秀", "wxy", "WX", "13800138000", "138 0013 8000"]:
        shown = text_of(web.get(f"/trial_owners/?search={words}"))

        assert "王秀英" in shown
        assert "李伟" not in shown


def test_part_of_a_phone_finds_nobody(web: Web) -> None:
    assert "Nothing matches" in text_of(web.get("/trial_owners/?search=1380013"))


def test_an_invoice_is_found_through_its_unit_and_payer(web: Web) -> None:
    for words in ["F-A-01", "A-01", "王秀英", "wxy"]:
        assert "F-A-01" in web.get(f"/trial_invoices/?search={words}").text


def test_counting_stops_at_the_cap(web: Web) -> None:
    with web.rows() as session:
        session.execute(
            insert(Invoice),
            [
                {
                    "number": f"N{number:05d}",
                    "unit_id": 1,
                    "payer_id": 1,
                    "period": "2025-01",
                    "part": str(number),
                    "issued_on": date(2025, 1, 1),
                    "due_on": date(2025, 1, 15),
                    "amount": Decimal(1),
                    "balance": Decimal(1),
                }
                for number in range(row_counts.COUNT_CAP + 5)
            ],
        )
        session.commit()

    assert "more than 1,000 rows" in text_of(web.get("/trial_invoices/?state=open"))


def test_a_chip_shows_each_filter_and_removes_it(many: Web) -> None:
    page = many.get("/trial_units/?kind=office&building_id=1&search=M-").text

    chips = re.findall(r'<a class="chip" href="([^"]+)"', page)
    assert len(chips) == 3
    assert any("kind" not in chip and "building_id" in chip for chip in chips)


def test_columns_can_be_chosen_but_only_the_screens_own(many: Web) -> None:
    page = many.get("/trial_units/?columns=code,state,password_hash,building_id").text

    assert re.findall(r'<th class="\w+" scope="col"', page) == [
        f'<th class="{layout}" scope="col"' for layout in ("code", "text")
    ]


def test_a_view_is_saved_shared_and_forgotten(many: Web) -> None:
    many.post(
        "/trial_units/views/save/", {"name": "Offices", "query": "kind=office&after=zzz", "is_shared": "1"}
    )
    assert "/trial_units/?kind=office" in many.get("/trial_units/").text
    found = re.search(
        r'name="id" value="(\d+)"><button class="button small quiet">', many.get("/trial_units/").text
    )
    assert found
    many.post("/trial_units/views/forget/", {"id": found[1]})
    assert "/trial_units/?kind=office" not in many.get("/trial_units/").text


def test_related_rows_are_shown_under_a_record(web: Web) -> None:
    page = text_of(web.get("/trial_areas/details/?id=1"))

    assert "1号楼" in page
    assert "2号楼" not in page


def test_every_screen_has_a_row_in_the_table_of_permissions(web: Web) -> None:
    """F4: a new screen without an entry fails."""
    views = web.office.app.extensions["admin"][0]._views

    missing = {
        view.screen
        for view in views
        if getattr(view, "screen", "") and view.screen not in permissions.SCREENS
    }
    assert not missing


@pytest.mark.parametrize(
    ("roles", "screen", "verb", "answer"),
    [
        ({"it_admin"}, "nowhere", "see", True),
        ({"it_admin"}, "nowhere", "edit", False),
        ({"steward"}, "nowhere", "see", False),
        ({"cashier"}, "invoices", "edit", False),
        ({"manager"}, "payments", "delete", False),
        ({"cashier"}, "payments", "act", True),
        ({"steward", "cashier"}, "cashier", "act", True),
        (set(), "areas", "see", True),
        (set(), "areas", "edit", False),
    ],
)
def test_the_table_of_permissions_answers_by_role(
    roles: set[str], screen: str, verb: str, answer: bool
) -> None:
    assert permissions.may(roles, screen, verb) is answer


def test_money_screens_offer_no_create_edit_or_delete() -> None:
    money = (
        "invoices",
        "payments",
        "allocations",
        "credit_notes",
        "statement_rows",
        "deposits",
    )
    for screen in money:
        for role, letters in permissions.SCREENS[screen].items():
            assert not set("ced") & set(letters), (screen, role)
