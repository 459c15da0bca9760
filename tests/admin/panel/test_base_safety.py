"""Each weakness that decisions.md lists, tried on real requests; controls show the attack works without."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import func, select

from admin.auth import guard
from admin.panel import csrf
from admin.panel.responses import safe_target
from models.office import Audit
from models.people import Owner, Staff, StaffRole, WebSession
from models.property import Area, Building, Unit
from office.core.errors import Refused
from office.exchange import spreadsheets
from tests.admin.conftest import PASSWORD, Web, text_of

NEW_AREA = {"name": "南区", "position": "3", "opened_on": "2026-02-01"}


def count(web: Web, model: Any) -> int:
    with web.rows() as session:
        return session.scalar(select(func.count()).select_from(model)) or 0


def unit(web: Web, code: str) -> Unit:
    with web.rows() as session:
        found = session.scalars(select(Unit).where(Unit.code == code)).one()
        session.expunge(found)
        return found


# Token -------------------------------------------------------------------------------------------------


def test_a_post_without_this_sessions_token_changes_nothing(web: Web) -> None:
    for kind in [None, "", "guessed", "another"]:
        for path in [
            "/trial_areas/new/",
            "/trial_areas/edit/?id=1",
            "/trial_areas/delete/",
            "/trial_units/action/",
            "/trial_areas/ajax/update/",
            "/trial_units/bulk/",
            "/trial_units/undo/",
            "/trial_areas/views/save/",
            "/trial_owners/reveal/",
            "/preferences",
            "/logout",
            "/account",
        ]:
            token = kind
            if kind == "another":
                other = web.office.app.test_client()
                found = re.search(r'name="csrf_token" value="([^"]+)"', other.get("/login").text)
                token = found[1] if found else ""
            before = len(web.audits())

            answer = web.client.post(
                path, data={**NEW_AREA, **({} if token is None else {"csrf_token": token})}
            )

            assert answer.status_code == 400
            assert len(web.audits()) == before
            assert count(web, Area) == 2


def test_control_without_the_check_the_forged_post_goes_through(
    web: Web, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(csrf, "has_token", lambda: True)

    web.client.post("/trial_areas/new/", data=NEW_AREA)

    assert count(web, Area) == 3


def test_with_the_token_a_row_is_made_with_one_audit_row(web: Web) -> None:
    answer = web.post("/trial_areas/new/", NEW_AREA)

    assert answer.status_code == 302
    assert count(web, Area) == 3
    assert [row.action for row in web.audits("area")] == ["create"]
    assert '"name": [null, "南区"]' in web.audits("area")[0].changes


def test_every_post_form_holds_the_hidden_token(web: Web) -> None:
    for path in (
        "/trial_areas/",
        "/trial_units/",
        "/trial_areas/new/",
        "/trial_units/details/?id=1",
        "/account",
    ):
        text = web.get(path).text
        for form in re.findall(r'<form[^>]*method="post".*?</form>', text, re.DOTALL):
            assert 'type="hidden" name="csrf_token"' in form, (path, form[:200])


# The wall ----------------------------------------------------------------------------------------------


def test_without_a_session_only_the_entrance_answers(visitor: Web) -> None:
    for path, status in [
        ("/", 302),
        ("/trial_areas/", 302),
        ("/trial_areas/export/csv/", 302),
        ("/nowhere", 302),
        ("/login", 200),
        ("/static/office.css", 200),
    ]:
        answer = visitor.get(path)

        assert answer.status_code == status
        assert status != 302 or answer.headers["location"].partition("?")[0] == "/login"


def test_without_a_session_a_post_is_refused(visitor: Web) -> None:
    assert visitor.post("/trial_areas/new/", NEW_AREA).status_code == 401
    assert count(visitor, Area) == 2


def test_the_whole_url_map_is_behind_the_wall(visitor: Web) -> None:
    """F4: whatever screens there are, each of their addresses sends a stranger to /login or refuses."""
    for rule in visitor.office.app.url_map.iter_rules():
        path = re.sub(r"<[^>]+>", "1", rule.rule)
        if path in guard.PUBLIC_PATHS or path.startswith(guard.PUBLIC_FOLDERS):
            continue
        assert visitor.get(path).status_code in {302, 401, 403, 404, 405}, path
        assert visitor.client.post(path).status_code in {400, 401, 403, 404, 405}, path


# Roles and rows ----------------------------------------------------------------------------------------


def test_a_role_that_may_only_see_changes_nothing(visitor: Web) -> None:
    visitor.sign_in("steward", PASSWORD)
    assert visitor.get("/trial_areas/").status_code == 200
    assert visitor.get("/trial_areas/export/csv/").status_code == 403
    for path, fields in [
        ("/trial_areas/new/", NEW_AREA),
        ("/trial_areas/edit/?id=1", {**NEW_AREA, "row_version": "1"}),
        ("/trial_areas/delete/", {"id": "1", "confirmed": "1"}),
        ("/trial_units/action/", {"action": "touch", "rowid": "1"}),
        ("/trial_areas/ajax/update/", {"id": "1", "row_version": "1", "name": "position", "position": "9"}),
        ("/trial_units/bulk/", {"rowid": "1"}),
        ("/trial_owners/reveal/", {"id": "1", "column": "id_number", "reason": "x"}),
    ]:
        answer = visitor.post(path, fields)

        assert answer.status_code == 403
        assert not visitor.audits("area")
        assert not visitor.audits("unit")


def test_a_role_without_a_screen_is_refused(visitor: Web) -> None:
    visitor.sign_in("steward", PASSWORD)

    assert visitor.get("/staff/").status_code in {403, 404}


def test_rows_out_of_scope_are_nowhere(web: Web) -> None:
    hidden = unit(web, "X-01").id

    assert "X-01" not in web.get("/trial_units/").text
    assert "X-01" not in web.get("/trial_units/?search=X-").text
    assert "X-01" not in web.get("/trial_units/export/csv/").text
    assert web.get(f"/trial_units/details/?id={hidden}").status_code == 404
    assert web.get(f"/trial_units/edit/?id={hidden}").status_code == 404
    assert web.post("/trial_units/delete/", {"id": hidden, "confirmed": "1"}).status_code == 404
    web.post("/trial_units/action/", {"action": "touch", "rowid": hidden})
    web.post("/trial_units/ajax/update/", {"id": hidden, "row_version": 1, "name": "note", "note": "!"})
    assert unit(web, "X-01").note == ""
    assert web.get("/trial_occupancies/ajax/lookup/?name=unit&query=X").json == []
    answer = web.post("/trial_occupancies/new/", {"unit": hidden, "owner": "1", "from_on": "2026-01-01"})
    assert answer.status_code == 422


def test_only_listed_fields_can_be_assigned(web: Web) -> None:
    web.post(
        "/trial_buildings/new/",
        {"name": "9号楼", "area": "1", "position": "77", "id": "500", "row_version": "9"},
    )

    with web.rows() as session:
        made = session.scalars(select(Building).where(Building.name == "9号楼")).one()
        assert (made.position, made.row_version, made.id != 500) == (0, 1, True)


def test_inline_edit_takes_only_its_own_columns(web: Web) -> None:
    refused = web.post(
        "/trial_areas/ajax/update/", {"id": "1", "row_version": "1", "name": "name", "name_": "x"}
    )
    taken = web.post(
        "/trial_areas/ajax/update/", {"id": "1", "row_version": "1", "name": "position", "position": "9"}
    )

    assert refused.status_code == 403
    assert taken.json == {"html": "9", "row_version": 2}
    assert [row.action for row in web.audits("area")] == ["edit"]


# Saving ------------------------------------------------------------------------------------------------


def test_a_stale_save_shows_both_versions_and_overwrites_nothing(web: Web) -> None:
    with web.rows() as session:
        session.get_one(Area, 1).name = "theirs"
        session.commit()

    answer = web.post(
        "/trial_areas/edit/?id=1", {"row_version": "1", "name": "mine", "position": "5", "opened_on": ""}
    )

    assert answer.status_code == 409
    assert "theirs" in text_of(answer)
    assert 'value="mine"' in answer.text
    assert 'name="row_version" value="2"' in answer.text
    with web.rows() as session:
        assert session.get_one(Area, 1).name == "theirs"
    again = web.post(
        "/trial_areas/edit/?id=1", {"row_version": "2", "name": "mine", "position": "5", "opened_on": ""}
    )
    assert again.status_code == 302


def test_a_refused_row_is_told_without_sql_or_data(web: Web) -> None:
    answer = web.post("/trial_buildings/new/", {"name": "1号楼", "area": "1"})

    assert answer.status_code == 422
    assert "This area already has a building of that name." in text_of(
        answer
    ) or "Another record already has" in text_of(answer)
    assert not re.search(r"INSERT|sqlite3|psycopg|IntegrityError|UNIQUE", answer.text)


def test_a_parent_with_children_stays_with_them(web: Web) -> None:
    answer = web.post("/trial_areas/delete/", {"id": "1", "confirmed": "1"}, follow_redirects=True)

    assert "Other records still refer" in text_of(answer)
    assert count(web, Area) == 2
    with web.rows() as session:
        assert all(area_id for area_id in session.scalars(select(Building.area_id)))
    assert not web.audits("area")


def test_deleting_asks_first_on_the_server_too(web: Web) -> None:
    web.post("/trial_areas/new/", NEW_AREA)

    asked = web.post("/trial_areas/delete/", {"id": "3"})

    assert asked.status_code == 200
    assert count(web, Area) == 3
    web.post("/trial_areas/delete/", {"id": "3", "confirmed": "1"})
    assert count(web, Area) == 2
    assert [row.action for row in web.audits("area")] == ["create", "delete"]


def test_an_action_asks_runs_audits_and_is_refused_in_words(web: Web) -> None:
    rows = {"action": "seal", "rowid": ["1", "2"]}

    asked = web.post("/trial_units/action/", rows)
    without_reason = web.post("/trial_units/action/", {**rows, "confirmed": "1"})
    web.post("/trial_units/action/", {**rows, "confirmed": "1", "reason": "fire"})
    refused = web.post(
        "/trial_units/action/", {**rows, "confirmed": "1", "reason": "again"}, follow_redirects=True
    )

    assert asked.status_code == without_reason.status_code == 200
    assert "This field is required" in text_of(without_reason)
    assert unit(web, "A-01").note == unit(web, "A-02").note == "fire"
    assert "A-01 is sealed already." in text_of(refused)
    assert [row.action for row in web.audits("unit")] == ["seal", "seal"]


def test_bulk_edit_previews_applies_and_is_undone(web: Web) -> None:
    chosen = {"rowid": ["1", "2"], "change-state": "1", "state": "sealed"}

    preview = web.post("/trial_units/bulk/", chosen)
    versions = re.findall(r'name="version" value="([^"]+)"', preview.text)
    assert unit(web, "A-01").state == "vacant"
    stale = web.post(
        "/trial_units/bulk/", {**chosen, "step": "apply", "version": ["1:7", "2:1"]}, follow_redirects=True
    )
    assert "nothing was saved" in text_of(stale)
    done = web.post(
        "/trial_units/bulk/", {**chosen, "step": "apply", "version": versions}, follow_redirects=True
    )
    assert "were changed" in text_of(done), text_of(done)
    assert (unit(web, "A-01").state, unit(web, "A-02").state) == ("sealed", "sealed")

    entry = web.audits("unit")[0]
    web.post("/trial_units/ajax/update/", {"id": "2", "row_version": "2", "name": "note", "note": "kept"})
    web.post("/trial_units/undo/", {"audit": entry.id})

    assert (unit(web, "A-01").state, unit(web, "A-02").state) == ("vacant", "vacant")
    assert unit(web, "A-02").note == "kept"


def test_odd_values_are_told_and_never_crash(web: Web) -> None:
    for name, value, is_taken in [
        ("area_m2", "89.5", True),
        ("area_m2", "-1", False),
        ("area_m2", "NaN", False),
        ("area_m2", "Infinity", False),
        ("area_m2", "1e99", False),
        ("area_m2", "1.00001", False),
        ("area_m2", "9" * 30, False),
        ("area_m2", "x", False),
        ("floor", "9" * 30, False),
        ("floor", "99999999999", False),
        ("handed_over_on", "0001-01-01", False),
        ("handed_over_on", "2026-02-30", False),
        ("kind", "castle", False),
        ("building", "999", False),
        ("building", "1' OR 1=1", False),
        ("code", "a\x00b", False),
        ("code", "x" * 41, False),
        ("note", "<script>alert(1)</script>", True),
    ]:
        fields = {"code": f"B-{name}", "building": "1", "kind": "office", "area_m2": "10", "state": "vacant"}

        answer = web.post("/trial_units/new/", {**fields, name: value})

        assert answer.status_code == (302 if is_taken else 422), (name, value)
        assert "<script>alert" not in web.get("/trial_units/").text


# Addresses ---------------------------------------------------------------------------------------------


def test_an_impossible_id_is_not_found(web: Web) -> None:
    for key in ["abc", "1,2", "0", "-1", "9" * 40, "1%00", "", "1.0", "%ff", "１"]:
        for page in ["details", "edit"]:
            assert web.get(f"/trial_units/{page}/?id={key}").status_code == 404


UNREAD = frozenset(  # a file of a list whose filter can't be read would hold more than was asked for
    """kind=castle state=%00 building_id=abc building_id=99999999999999999999999 area_m2_from=NaN
    area_m2_to=1e400 area_m2_from=9999999999999999 handed_over_on_from=0000-00-00 view=none""".split()  # noqa: SIM905
)


def test_no_query_string_crashes_a_list(web: Web) -> None:
    for query in [
        "page=-1",
        "page=99999999999999999999",
        "page_size=-1",
        "page_size=1e9",
        "limit=-1",
        "search=%00",
        "search=" + "%25" * 900,
        "sort=99",
        "sort=-nothing",
        "sort=password_hash",
        "after=AAAA",
        "after=%00",
        "after=W10",
        "before=eyJhIjoxfQ",
        "kind=castle",
        "state=%00",
        "building_id=abc",
        "building_id=99999999999999999999999",
        "area_m2_from=NaN",
        "area_m2_to=1e400",
        "area_m2_from=9999999999999999",
        "handed_over_on_from=0000-00-00",
        "handed_over_on_to=9999-12-31",
        "view=none",
        "columns=id,password_hash,,",
        "flt0_0=%27",
        "search=%F0%9F%98%80",
        "search='",
        "search=%25_%5C",
    ]:
        for screen in ["trial_units", "trial_invoices"]:
            assert web.get(f"/{screen}/?{query}").status_code == 200
            is_unread = query in UNREAD and (screen == "trial_units" or query.startswith(("state", "view")))
            answer = web.get(f"/{screen}/export/csv/?{query}")
            assert answer.status_code == (302 if is_unread else 200), query
            assert not is_unread or answer.location.startswith(f"/{screen}/")


@pytest.mark.parametrize(
    ("target", "answer"),
    [
        ("/units/?a=1", "/units/?a=1"),
        ("//evil.example", None),
        ("https://evil.example", None),
        ("/\\evil.example", None),
        ("javascript:alert(1)", None),
        ("/\t/evil.example", None),
        ("\\\\evil.example", None),
        ("", None),
        (None, None),
        ("/a\nLocation: x", None),
        (" //evil.example", None),
    ],
)
def test_only_paths_of_this_site_are_returned_to(target: str | None, answer: str | None) -> None:
    assert safe_target(target) == answer


def test_saving_never_redirects_off_site(web: Web) -> None:
    for target in ["//evil.example", "https://evil.example/", "/\\evil.example", "%2f%2fevil.example"]:
        answer = web.post(f"/trial_areas/new/?url={target}", {**NEW_AREA, "name": target})

        assert answer.headers["location"].startswith("/trial_areas/")


# Exports -----------------------------------------------------------------------------------------------

CELLS = [
    ("=1+1", "'=1+1"),
    ("+a", "'+a"),
    ("+86", "+86"),
    ("-1-1", "'-1-1"),
    ("@x", "'@x"),
    ("\tx", "'\tx"),
    ("\rx", "'\rx"),
    ("-", "-"),
    ("a=1", "a=1"),
    ("", ""),
    (" =1", " =1"),
]


@pytest.mark.parametrize(("stored", "exported"), CELLS)
def test_text_that_could_be_a_formula_gets_an_apostrophe(stored: str, exported: str) -> None:
    assert spreadsheets.neutral(stored) == exported


def test_a_csv_has_a_bom_and_no_live_formula(web: Web) -> None:
    with web.rows() as session:
        session.get_one(Unit, 1).note = "=cmd|'/c calc'!A0"
        session.commit()

    answer = web.get("/trial_units/export/csv/")

    assert answer.data.startswith(b"\xef\xbb\xbf")
    lines = list(csv.reader(io.StringIO(answer.data.decode("utf-8-sig"))))
    assert len(lines) == 7
    assert lines[1][:4] == ["A-01", "1号楼", "Residence", "89.5000"]
    assert lines[1][-1] == "'=cmd|'/c calc'!A0"
    assert web.audits("unit")[-1].action == "export"


def test_an_xlsx_keeps_numbers_and_holds_no_formula(web: Web) -> None:
    from python_calamine import CalamineWorkbook

    with web.rows() as session:
        session.get_one(Unit, 1).note = "=1+1"
        session.commit()

    answer = web.get("/trial_units/export/xlsx/")

    rows = CalamineWorkbook.from_filelike(io.BytesIO(answer.data)).get_sheet_by_index(0).to_python()
    assert rows[1][0] == "A-01"
    assert rows[1][3] == 89.5
    assert rows[1][-1] == "'=1+1"


# Personal data -----------------------------------------------------------------------------------------


def test_sealed_values_are_masked_until_a_reason_is_given_and_logged(web: Web) -> None:
    whole = "110101199001011237"

    assert whole not in web.get("/trial_owners/").text
    assert whole not in web.get("/trial_owners/details/?id=1").text
    assert whole not in web.get("/trial_owners/edit/?id=1").text
    assert whole not in web.get("/trial_owners/export/csv/").text
    assert "110***********1237" in web.get("/trial_owners/export/csv/").text
    assert (
        whole not in web.post("/trial_owners/reveal/", {"id": "1", "column": "id_number", "reason": ""}).text
    )
    shown = web.post("/trial_owners/reveal/", {"id": "1", "column": "id_number", "reason": "court order"})
    assert whole in shown.text
    assert "court order" in web.audits("owner")[-1].changes
    assert whole not in "".join(row.changes for row in web.audits())


def test_a_sealed_value_left_empty_stays_and_a_new_one_is_found_again(web: Web) -> None:
    web.post(
        "/trial_owners/edit/?id=1",
        {"row_version": "1", "name": "王秀英", "email": "", "id_number": "", "note": ""},
    )
    with web.rows() as session:
        assert session.get_one(Owner, 1).id_number == "110101199001011237"
    web.post(
        "/trial_owners/edit/?id=1", {"row_version": "1", "name": "王秀英", "id_number": "44010119900101123X"}
    )
    with web.rows() as session:
        owner = session.get_one(Owner, 1)
        assert owner.id_number == "44010119900101123X"
    web.post("/trial_phones/new/", {"owner": "1", "number": "13900139000"})
    assert "王秀英" in web.get("/trial_owners/?search=139 0013 9000").text
    assert "13900139000" not in "".join(row.changes for row in web.audits())


# Headers -----------------------------------------------------------------------------------------------


def test_every_page_has_a_strict_policy(web: Web) -> None:
    for path in ["/login", "/trial_units/", "/trial_units/new/", "/nothing", "/trial_units/details/?id=1"]:
        headers = web.get(path).headers

        policy = dict(part.strip().split(" ", 1) for part in headers["Content-Security-Policy"].split(";"))
        assert "unsafe" not in policy["script-src"]
        assert "*" not in policy["script-src"]
        assert policy["frame-ancestors"] == "'none'"
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Referrer-Policy"] == "same-origin"
        assert headers["Cache-Control"] == "no-store"


def test_no_page_holds_inline_code(web: Web) -> None:
    for path in ("/trial_units/", "/trial_units/new/", "/trial_units/details/?id=1", "/login", "/account"):
        text = web.get(path).text
        assert not re.search(r"<[^>]+\son\w+=", text), path
        assert not re.search(r"<script(?![^>]*(src|nonce)=)", text), path
        assert "javascript:" not in text


def test_the_cookie_is_http_only_same_site_and_secure_over_https(visitor: Web) -> None:
    plain = visitor.sign_in().headers["Set-Cookie"]
    visitor.client.delete_cookie("gatehouse")
    page = visitor.get("/login", base_url="https://localhost")
    secure = page.headers["Set-Cookie"]

    assert "HttpOnly" in plain
    assert "SameSite=Lax" in plain
    assert "Secure" not in plain
    assert "Secure" in secure


# Sessions ----------------------------------------------------------------------------------------------


def test_signing_in_makes_a_new_session_and_signing_out_ends_it(visitor: Web) -> None:
    visitor.get("/login")
    before = visitor.client.get_cookie("gatehouse")
    visitor.sign_in()
    inside = visitor.client.get_cookie("gatehouse")
    assert before
    assert inside
    assert before.value != inside.value
    assert count(visitor, WebSession) == 1

    visitor.post("/logout")
    visitor.client.set_cookie("gatehouse", inside.value)

    assert visitor.get("/trial_areas/").status_code == 302  # a replayed cookie opens nothing
    assert count(visitor, WebSession) == 0


@pytest.mark.parametrize("minutes", [29, 31])
def test_an_idle_session_ends_after_half_an_hour(web: Web, minutes: int) -> None:
    from datetime import timedelta

    with web.rows() as session:
        row = session.scalars(select(WebSession)).one()
        row.seen_at -= timedelta(minutes=minutes)
        session.commit()

    assert web.is_signed_in == (minutes < 30)


@pytest.mark.parametrize("hours", [11, 13])
def test_a_session_ends_after_twelve_hours_whatever_happens(web: Web, hours: int) -> None:
    from datetime import timedelta

    with web.rows() as session:
        row = session.scalars(select(WebSession)).one()
        row.created_at -= timedelta(hours=hours)
        session.commit()

    assert web.is_signed_in == (hours < 12)


def test_a_disabled_person_is_out_at_the_next_request(web: Web) -> None:
    with web.rows() as session:
        session.scalars(select(Staff).where(Staff.login == "admin")).one().is_active = False
        session.commit()

    assert not web.is_signed_in


def test_a_new_password_ends_the_other_sessions(web: Web) -> None:
    other = Web(web.office, web.office.app.test_client())
    other.sign_in()
    fields = {
        "old_password": "correct horse battery",
        "new_password": "another good one",
        "again": "another good one",
    }

    assert web.post("/account", {**fields, "again": "differs"}).status_code == 400
    assert web.post("/account", fields).status_code == 302

    assert web.is_signed_in
    assert not other.is_signed_in


def test_an_unknown_login_and_a_wrong_password_read_the_same(visitor: Web) -> None:
    unknown, wrong = visitor.sign_in("nobody", "x"), visitor.sign_in("admin", "x")

    assert "do not match" in text_of(unknown)
    strip = re.compile(r'value="[^"]*"|data-token="[^"]*"')
    assert strip.sub("", unknown.text) == strip.sub("", wrong.text)


def test_the_entrance_has_one_text_and_one_password_field(visitor: Web) -> None:
    text = visitor.get("/login").text

    shown = re.findall(r'<input type="(?!hidden)([a-z]+)"', text)
    assert sorted(shown) == ["password", "text"]


@pytest.mark.parametrize(
    ("header", "code"),
    [
        ("zh-CN,zh;q=0.9", "zh-Hans"),
        ("zh-TW", "zh-Hant"),
        ("zh-HK,en", "zh-Hant"),
        ("fr", "en"),
        ("en-GB", "en"),
    ],
)
def test_the_language_is_the_browsers_then_the_persons(visitor: Web, header: str, code: str) -> None:
    accepted = {"Accept-Language": header}
    assert f'<html lang="{code}"' in visitor.get("/login", headers=accepted).text
    visitor.sign_in()
    assert f'<html lang="{code}"' in visitor.get("/account", headers=accepted).text

    visitor.post("/preferences", {"language": "zh_Hant", "theme": "dark"})

    page = visitor.get("/account", headers=accepted).text
    assert '<html lang="zh-Hant" data-theme="dark"' in page
    assert [row.action for row in visitor.audits("staff")][-1] == "preferences"


def test_a_crash_shows_no_inner_state(web_of: Callable[..., Web], monkeypatch: pytest.MonkeyPatch) -> None:
    web = web_of(TESTING=False, PROPAGATE_EXCEPTIONS=False)
    web.sign_in()
    from admin.panel import paging

    def crash(*_arguments: Any) -> None:
        raise RuntimeError("secret 13800138000 SELECT")

    monkeypatch.setattr(paging, "page", crash)
    answer = web.get("/trial_units/")

    assert answer.status_code == 500
    assert "secret" not in answer.text
    assert "Traceback" not in answer.text


def test_roles_are_read_anew_at_each_request(visitor: Web) -> None:
    visitor.sign_in("manager", PASSWORD)
    assert visitor.get("/trial_areas/new/").status_code == 200
    with visitor.rows() as session:
        person = session.scalars(select(Staff).where(Staff.login == "manager")).one()
        person.role_rows = [StaffRole(role="steward")]
        session.commit()

    assert visitor.get("/trial_areas/new/").status_code == 403


def test_audit_rows_and_changes_stand_or_fall_together(web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    from admin.panel import record_forms

    def refuse(*_arguments: Any, **_more: Any) -> None:
        raise Refused("no audit, no change")

    monkeypatch.setattr(record_forms, "record", refuse)
    web.post("/trial_areas/new/", NEW_AREA)

    assert count(web, Area) == 2
    assert count(web, Audit) == len(web.audits())
