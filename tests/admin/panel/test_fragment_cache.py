"""Cached fragments: everyone sees their own page, and a change at once (S5, F5)."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from admin.panel import fragment_cache
from models.office import SavedView
from models.property import Building
from tests.admin.conftest import PASSWORD, Web

PAGES = ("/trial_units/", "/trial_units/?kind=residence", "/trial_invoices/?search=F-", "/account")


@pytest.fixture
def two(web: Web) -> tuple[Web, Web]:
    """The administrator and the manager in browsers of their own."""
    other = Web(web.office, web.office.app.test_client())
    assert other.sign_in("manager", PASSWORD).status_code == 302
    return web, other


def tokens(page: str) -> set[str]:
    return {
        *re.findall(r'name="csrf_token" value="([^"]+)"', page),
        *re.findall(r'data-token="([^"]+)"', page),
    }


def foreign(two: tuple[Web, Web]) -> set[str]:
    """Tokens of the other's session that stand on someone's pages."""
    seen = [{token for path in PAGES for token in tokens(web.get(path).text)} for web in two]
    assert all(seen)
    return seen[0] & seen[1]


def addresses(web: Web) -> list[str]:
    """Where each page says that the reader is, for the way back from a change of language."""
    return [re.findall(r'name="url" value="([^"]*)"', web.get(path).text)[0] for path in PAGES]


def test_everyone_gets_their_own_token_name_and_address(two: tuple[Web, Web]) -> None:
    assert not foreign(two)
    for web, name in zip(two, ("系统管理员", "Manager"), strict=True):
        assert addresses(web) == [path.replace("&", "&amp;") for path in PAGES]
        assert re.search(rf"<summary[^>]*>.*?{name}", web.get("/trial_units/").text)
    assert fragment_cache.TOKEN not in two[0].get("/trial_units/").text
    assert fragment_cache.HERE not in two[0].get("/trial_units/").text


def test_control_without_placeholders_a_token_is_shared(
    two: tuple[Web, Web], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fragment_cache, "reader", lambda: ())  # two of the same role would share fragments

    def rendered(_self: fragment_cache.FragmentCache, caller: Callable[[], str]) -> str:
        return str(caller())

    monkeypatch.setattr(fragment_cache.FragmentCache, "_with_placeholders", rendered)

    assert foreign(two)


CHANGES = {
    "a building is renamed": (
        lambda session: setattr(session.get(Building, 1), "name", "Rose Court"),
        "Rose Court</option>",
    ),
    "a view is shared": (
        lambda session: session.add(
            SavedView(staff_id=1, screen="trial_units", name="Offices", query="kind=office", is_shared=True)
        ),
        "Offices</a>",
    ),
}


@pytest.mark.parametrize("change", CHANGES)
def test_what_changed_shows_at_once(two: tuple[Web, Web], change: str) -> None:
    make, shown = CHANGES[change]
    assert not [web for web in two if shown in web.get("/trial_units/").text]
    with two[0].rows() as session:
        make(session)
        session.commit()

    assert all(shown in web.get("/trial_units/").text for web in two)


def speak(web: Web, language: str) -> str:
    web.post("/preferences", {"language": language, "url": "/trial_units/"})
    return web.get("/trial_units/").text


def test_language_and_role_have_fragments_of_their_own(two: tuple[Web, Web]) -> None:
    manager = two[1]
    steward = Web(manager.office, manager.office.app.test_client())
    steward.sign_in("steward", PASSWORD)

    assert "Sign out" in speak(manager, "en")
    assert "登出" in speak(manager, "zh_Hant")
    assert 'href="/trial_units/new/"' in manager.get("/trial_units/").text
    assert 'href="/trial_units/new/"' not in steward.get("/trial_units/").text


def test_control_a_fragment_cached_without_its_reader_is_anybodys(
    two: tuple[Web, Web], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fragment_cache, "reader", lambda: ())

    speak(two[1], "en")

    assert "登出" not in speak(two[1], "zh_Hant")


def test_only_so_many_fragments_are_cached(web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fragment_cache, "MOST_FRAGMENTS", 30)
    extension = web.office.app.jinja_env.extensions["admin.panel.fragment_cache.FragmentCache"]

    for number in range(40):
        web.get(f"/trial_units/?search=A-{number}")

    assert len(extension.fragments) <= 31
