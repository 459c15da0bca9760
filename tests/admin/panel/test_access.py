"""F4: every address × every role × own and foreign rows × GET and POST, against the table in access.py."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import func, select

from admin.panel import permissions, row_access
from models.office import Audit
from tests.admin.conftest import Web
from tests.admin.panel import access
from tests.admin.sample_office import World, browsers, furnish
from tests.conftest import IS_FULL, Office

pytestmark = pytest.mark.long

IGNORED = {"HEAD", "OPTIONS"}
CLOSED = {403, 404}
AS_A_SCRIPT = {"Accept": "application/json"}


@pytest.fixture
def furnished(office_of: Callable[..., Office]) -> tuple[Office, World, dict[str, Web]]:
    office = office_of("residential", fills=(furnish,))
    return office, office.made, browsers(office, office.made)


def url_map(office: Office) -> set[tuple[str, str]]:
    return {
        (rule.rule, method)
        for rule in office.app.url_map.iter_rules()
        for method in (rule.methods or set()) - IGNORED
    }


def concrete(path: str) -> str:
    return path.replace("<export_type>", "csv")


def ask(web: Web, token: str, path: str, method: str, letter: str, **more: Any) -> int:
    if method == "GET":
        return web.get(path, **more).status_code
    fields = {"csrf_token": token, **access.FIELDS.get(letter, {}), **access.FIELDS.get(path, {})}
    return web.client.post(path, data=fields, buffered=True, **more).status_code


def audits(office: Office) -> int:
    with Web(office, office.app.test_client()).rows() as session:
        return session.scalar(select(func.count(Audit.id))) or 0


def wrong_answers(
    webs: dict[str, Web], office: Office, roles: tuple[str, ...] = access.ROLES, under: str = "/"
) -> list[str]:
    """What each role got otherwise than the table says; first all that is closed, then all that is open.

    What is closed is asked for as a script would, which is answered without a page: most of it is refused.
    """
    table, wrong = access.cells(), []
    tokens = {role: webs[role].token() for role in roles}
    before = audits(office)
    asked = [
        (role, path, method, letter, letter in table[screen][role])
        for role in roles
        for (path, method), (screen, letter) in access.addresses().items()
        if path.startswith(under)
    ]
    for role, path, method, letter, is_open in asked:
        if not is_open:
            status = ask(webs[role], tokens[role], concrete(path), method, letter, headers=AS_A_SCRIPT)
            if status not in CLOSED:
                wrong.append(f"{role} {method} {path}: {status}, should be closed")
    if audits(office) != before:
        wrong.append("a refused request left an audit row")
    for role, path, method, letter, is_open in asked:
        if is_open:
            status = ask(webs[role], tokens[role], concrete(path), method, letter)
            is_list = method == "GET" and path.count("/") == 2
            if status in {401, 403, 405} or status >= 500 or (is_list and status not in {200, 302, 404}):
                wrong.append(f"{role} {method} {path}: {status}, should be open")
    return wrong


def test_every_address_is_in_the_table(office: Office) -> None:
    expected = set(access.addresses()) | set(access.open_addresses())

    assert url_map(office) - expected == set(), "new addresses need an entry in tests/admin/panel/access.py"
    assert expected - url_map(office) == set(), "entries without an address"


def test_every_role_gets_what_the_table_says(
    furnished: tuple[Office, World, dict[str, Web]], dialect: str
) -> None:
    """On PostgreSQL two roles, by GATEHOUSE_FULL=1 all: the table knows no database."""
    office, _world, webs = furnished
    roles = access.ROLES if IS_FULL or dialect == "sqlite" else ("it_admin", "steward")

    wrong = wrong_answers(webs, office, roles)

    assert wrong == [], "\n".join(wrong)


@pytest.mark.parametrize("dialect", ["sqlite"])
def test_control_one_letter_too_many_is_found(
    furnished: tuple[Office, World, dict[str, Web]], monkeypatch: pytest.MonkeyPatch
) -> None:
    office, _world, webs = furnished
    monkeypatch.setitem(permissions.SCREENS["areas"], "steward", "scs")

    assert wrong_answers(webs, office, ("steward",), under="/areas/") == [
        "steward GET /areas/new/: 200, should be closed",
        "steward POST /areas/new/: 422, should be closed",
    ]


# Rows --------------------------------------------------------------------------------------------------


def expected_rows() -> list[tuple[str, str, str, bool]]:
    """(screen, role, whose, whether it is within reach) for each screen that the role sees."""
    table, found = access.cells(), []
    for screens, bound in (
        (access.ROWS_OF_UNITS, access.READ_ONLY_OWN_UNITS),
        (access.ROWS_OF_COMPLAINTS, access.READ_ONLY_OWN_COMPLAINTS),
    ):
        for screen in screens:
            for role in access.ROLES:
                if "s" in table[screen][role]:
                    found += [(screen, role, "own", True), (screen, role, "foreign", role not in bound)]
    return found


def wrong_rows(webs: dict[str, Web], world: World) -> list[str]:
    """Rows shown that should not be, or not shown that should be: record, list, edit, export; or changed."""
    table, wrong = access.cells(), []
    tokens = {role: webs[role].token() for role in access.ROLES}
    pages: dict[tuple[str, str], str] = {}

    def page_of(role: str, path: str) -> str:
        """The same list and file serve one's own row and the stranger's."""
        if (role, path) not in pages:
            pages[role, path] = webs[role].get(path).text
        return pages[role, path]

    for screen, role, whose, is_within in expected_rows():
        web, key, letters = webs[role], world.ids[screen][whose], table[screen][role]

        if screen == "household":
            shown = {"opens": web.get(f"/household/?unit_id={key}").status_code == 200}
        else:
            shown = {
                "opens": web.get(f"/{screen}/details/?id={key}").status_code == 200,
                "lists": f'data-id="{key}"' in page_of(role, f"/{screen}/"),
            }
        if "e" in letters:
            shown["edits"] = web.get(f"/{screen}/edit/?id={key}").status_code == 200
        if "x" in letters:
            rows = len(page_of(role, f"/{screen}/export/csv/").splitlines()) - 1
            shown["exports"] = rows == 2 or (rows == 1 and is_within)
        wrong += [
            f"{role} {what} {screen} {whose}: {'shown' if is_shown else 'not shown'}"
            for what, is_shown in shown.items()
            if is_shown != is_within
        ]
        for letter, path, fields in (
            ("e", "ajax/update/", {"id": key, "row_version": 1, "name": "note"}),
            ("d", "delete/", {"id": key}),
            ("a", "reveal/", {"id": key, "column": "no such"}),
        ):
            if letter in letters and not is_within:
                answer = web.client.post(f"/{screen}/{path}", data={"csrf_token": tokens[role], **fields})
                if answer.status_code not in CLOSED:
                    wrong.append(f"{role} {path} {screen} {whose}: {answer.status_code}")
    return wrong


def test_rows_are_within_reach_as_the_table_says(furnished: tuple[Office, World, dict[str, Web]]) -> None:
    _office, world, webs = furnished

    wrong = wrong_rows(webs, world)

    assert wrong == [], "\n".join(wrong)


@pytest.mark.parametrize("dialect", ["sqlite"])
def test_control_without_the_bounds_foreign_rows_are_seen(
    furnished: tuple[Office, World, dict[str, Web]], monkeypatch: pytest.MonkeyPatch
) -> None:
    _office, world, webs = furnished
    monkeypatch.setattr(row_access, "visible_rows", lambda _model: [])
    monkeypatch.setattr(row_access, "has_unit", lambda _unit: True)

    wrong = wrong_rows(webs, world)

    assert "steward opens invoices foreign: shown" in wrong
    assert "department_lead lists tickets foreign: shown" in wrong
    assert len(wrong) > 40


def test_foreign_units_and_people_are_neither_picked_nor_acted_on(
    furnished: tuple[Office, World, dict[str, Web]],
) -> None:
    _office, world, webs = furnished
    web, foreign = webs["steward"], world.ids["units"]["foreign"]

    def fields(path: str, more: dict[str, Any]) -> int:
        return web.post(path, more).status_code

    assert web.get("/service_slips/ajax/lookup/?name=unit&query=foreign").json == []
    assert web.get("/meter_readings/ajax/lookup/?name=meter&query=foreign").json == []
    assert web.get("/owner_phones/ajax/lookup/?name=owner&query=foreign").json == []
    assert len(web.get("/owner_phones/ajax/lookup/?name=owner&query=own").json or []) == 1
    assert "foreign" not in web.get("/search/?q=foreign owner").text.replace("foreign owner", "", 2)
    assert web.get("/search/?q=FOREIGN-F1").status_code == 200
    assert web.get("/forecast/debt/?number=FOREIGN-F1").status_code == 404
    assert web.get("/forecast/debt/?number=OWN-F1").status_code == 200
    owner = world.ids["owners"]["foreign"]
    assert web.get(f"/call_list/contact/?unit_id={foreign}&payer_id={owner}").status_code == 404
    assert fields("/call_list/enter/", {"unit_id": foreign, "payer_id": owner, "method": "phone"}) == 404
    plan = {"action": "propose", "confirmed": "1", "unit_code": "foreign-01", "count": "2"}
    answer = web.post("/instalment_plans/action/", {**plan, "first_on": "2026-04-01"}, follow_redirects=True)
    assert "There is no unit foreign-01" in answer.text
    household = webs["cashier"].get(f"/tickets/household/?unit_id={foreign}").json or {}
    assert household["tickets"] == []
    assert webs["steward"].get(f"/tickets/household/?unit_id={foreign}").json["invoices"] == []


def test_who_a_complaint_is_about_never_reads_it(
    furnished: tuple[Office, World, dict[str, Web]],
) -> None:
    from models.complaints import Ticket

    _office, world, webs = furnished
    key = world.ids["tickets"]["own"]
    for role in ("manager", "front_desk", "department_lead", "cashier"):
        web = webs[role]
        assert web.get(f"/tickets/details/?id={key}").status_code == 200, role
        with web.rows() as session:
            session.get_one(Ticket, key).accused_id = world.people[role]
            session.commit()

        assert web.get(f"/tickets/details/?id={key}").status_code == 404, role
        for screen in access.ROWS_OF_COMPLAINTS:
            if "s" in access.cells()[screen][role]:
                row = world.ids[screen]["own"]
                assert f'data-id="{row}"' not in web.get(f"/{screen}/").text, (role, screen)
        assert f"/tickets/details/?id={key}" not in web.get("/search/?q=OWN-T1").text
        assert "own statement" not in web.get(f"/household/?unit_id={world.ids['units']['own']}").text


def test_a_visit_is_recorded_by_who_makes_it_or_leads(
    furnished: tuple[Office, World, dict[str, Web]],
) -> None:
    _office, world, webs = furnished
    key = world.ids["visits"]["foreign"]

    for role, status in (
        ("front_desk", 200),
        ("station_head", 200),
        ("cashier", 404),
        ("department_lead", 404),
        ("steward", 404),
        ("director", 404),
    ):
        assert webs[role].get(f"/route/visit/?id={key}").status_code == status, role
        if status == 404:
            assert webs[role].post("/route/record/", {"id": key, "satisfaction": "5"}).status_code == 404


def test_a_department_and_a_household_show_money_only_to_who_may_see_bills(
    furnished: tuple[Office, World, dict[str, Web]],
) -> None:
    _office, world, webs = furnished
    page = f"/household/?unit_id={world.ids['units']['own']}"

    assert "OWN-F1" in webs["front_desk"].get(page).text
    for word in ("OWN-F1", "own owner", "OWN-R1", "60.00"):
        assert word not in webs["department_lead"].get(page).text
    assert "OWN-T1" in webs["department_lead"].get(page).text
