"""Settings of IT's: reverse proxies that are trusted, and those that aren't (F15)."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

import pytest

from app import create_app
from rules.sign_in import USUAL
from runtime.settings import SettingError, Settings
from tests.conftest import Templates


def last_answer(templates: Templates, folder: Path, proxies: int) -> int:
    """The answer to a login that failed before, after as many failures as an address may have.

    Each attempt is of a login of its own and said to come from an address of its own.
    """
    url = templates.copy("sqlite", "residential", folder)
    app = create_app(dataclasses.replace(templates.settings(url, folder), proxies=proxies))
    client = app.test_client()
    found = re.search(r'name="csrf_token" value="([^"]+)"', client.get("/login").text)
    assert found
    answer = 0
    for number in (*range(USUAL.wrong_from_address), *[0] * USUAL.wrong_at_held_address):
        fields = {"csrf_token": found[1], "login": f"nobody{number}", "password": "wrong"}
        headers = {"X-Forwarded-For": f"10.0.0.{number}"}
        answer = client.post("/login", data=fields, headers=headers).status_code
    return answer


@pytest.mark.parametrize(("proxies", "answer"), [(1, 401), (0, 429)])
def test_failures_are_counted_for_the_visitor_behind_a_trusted_proxy_only(
    templates: Templates, tmp_path: Path, proxies: int, answer: int
) -> None:
    assert last_answer(templates, tmp_path, proxies) == answer


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
