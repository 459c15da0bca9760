"""Settings of IT's: reverse proxies that are trusted, and those that aren't (F15)."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

import pytest

from app import create_app
from runtime.settings import SettingError, Settings
from tests.conftest import Templates


def refused_after(templates: Templates, folder: Path, proxies: int) -> list[int]:
    """Twelve wrong sign-ins within a minute, each said to come from an address of its own."""
    url = templates.copy("sqlite", "residential", folder)
    app = create_app(dataclasses.replace(templates.settings(url, folder), proxies=proxies))
    client = app.test_client()
    found = re.search(r'name="csrf_token" value="([^"]+)"', client.get("/login").text)
    assert found
    fields = {"csrf_token": found[1], "login": "nobody", "password": "wrong"}
    return [
        client.post("/login", data=fields, headers={"X-Forwarded-For": f"10.0.0.{number}"}).status_code
        for number in range(12)
    ]


@pytest.mark.parametrize(("proxies", "is_counted_apart"), [(1, True), (0, False)])
def test_attempts_are_counted_for_the_visitor_behind_a_trusted_proxy_only(
    templates: Templates, tmp_path: Path, proxies: int, *, is_counted_apart: bool
) -> None:
    answers = refused_after(templates, tmp_path, proxies)

    assert (429 not in answers) is is_counted_apart


def test_a_setting_that_is_no_number_says_what_to_type(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GATEHOUSE_PROXIES", "yes")

    with pytest.raises(SettingError, match="set it to a number"):
        Settings.from_environment()


@pytest.mark.parametrize("url", ["nonsense", "mysql://office@db/office"])
def test_a_database_of_another_kind_is_refused(tmp_path: Path, url: str) -> None:
    with pytest.raises(SettingError, match="postgresql://user:password@host/name"):
        create_app(Settings(instance=tmp_path, database_url=url))


def test_a_new_instance_folder_is_for_its_owner_only(tmp_path: Path) -> None:
    create_app(Settings(instance=tmp_path / "instance"))

    assert (tmp_path / "instance").stat().st_mode & 0o777 == 0o700


def test_an_instance_folder_out_of_reach_says_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "file").touch()  # root may write to any folder, to none inside a file

    with pytest.raises(SettingError, match="set GATEHOUSE_INSTANCE"):
        create_app(Settings(instance=tmp_path / "file" / "instance"))
