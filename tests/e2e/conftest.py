"""A real browser on a real office: `python app.py` in its own folder, Chromium in front of it.

Screenshots go to tests/screenshots/, which git ignores; looked at after each change of a screen.
"""

from __future__ import annotations

import csv
import io
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.request import urlopen

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from app import create_app
from models import db
from models.engine import writing
from office.core import clock, schema
from office.operations import demo, setup
from runtime.settings import Settings
from tests.conftest import SECRET_KEY, Office

ROOT = Path(__file__).parent.parent.parent
SCREENSHOTS = ROOT / "tests" / "screenshots"
PASSWORD = "correct horse battery"
LOCALES = {"en": "en-US", "zh_Hans": "zh-CN", "zh_Hant": "zh-TW"}
WIDTHS = {"desk": 1440, "phone": 390}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "tests/e2e" in item.nodeid:
            item.add_marker(pytest.mark.e2e)
            item.add_marker(pytest.mark.timeout(900))


class Served(Office):
    """A running office: where it is, and its commands."""

    address = ""

    def run(self, *arguments: object) -> str:
        """What a command answers; it must succeed."""
        done = super().run(*arguments)
        assert done.exit_code == 0, done.output
        return done.stdout


@contextmanager
def served(instance: Path) -> Iterator[Served]:
    """The office of this folder, served by `python app.py`; its commands are called in this process."""
    settings = Settings(instance=instance, secret_key=SECRET_KEY)
    environment = {
        **os.environ,
        "GATEHOUSE_INSTANCE": str(instance),
        "GATEHOUSE_SECRET_KEY": SECRET_KEY,
        "GATEHOUSE_WORKERS": "1",
        "PYTHONUNBUFFERED": "1",
    }
    environment.pop("GATEHOUSE_DATABASE_URL", None)
    office = Served(create_app(settings), settings.database(), instance, environment)
    process = subprocess.Popen(
        [sys.executable, "app.py", "--port", "0"],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        office.address = address_of(process)
        wait_until_open(office.address)
        yield office
    finally:
        process.terminate()
        process.wait(30)
        assert process.stdout is not None
        process.stdout.close()
        with office.app.app_context():
            db.engine.dispose()


@pytest.fixture(scope="session")
def demo_office(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., AbstractContextManager[Served]]:
    """Serves a fresh office with the demo estate: three months old, or a sandbox that has seen nothing yet.

    An office of each kind is set up once for each worker and copied for whoever asks.
    """
    made: dict[bool, Path] = {}

    def folder(name: str) -> Path:
        return tmp_path_factory.mktemp(name) / "instance"

    def serve(*, is_sandbox: bool = False) -> AbstractContextManager[Served]:
        if is_sandbox not in made:
            instance = made[is_sandbox] = folder("demo")
            app, now = create_app(Settings(instance=instance, secret_key=SECRET_KEY)), clock.machine_now()
            with app.app_context(), writing():
                schema.migrate(db.engine)
                session = db.session()
                setup.set_up(session, "residential", now=now, is_sandbox=is_sandbox, admin_password=PASSWORD)
                demo.build(session, password=PASSWORD, now=now, months=0 if is_sandbox else 3)
                session.commit()
                db.engine.dispose()
        return served(shutil.copytree(made[is_sandbox], folder("served")))

    return serve


@pytest.fixture(scope="session")
def lived_in(demo_office: Callable[..., AbstractContextManager[Served]]) -> Iterator[Served]:
    """An office with some months of bills, for all tests that change nothing in it."""
    with demo_office() as office:
        yield office


def address_of(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    for line in process.stdout:
        found = re.search(r"http://[\w.:\[\]]+", line)
        if found:
            return found[0]
    raise AssertionError("app.py ended before it said where it is open")


def wait_until_open(address: str) -> None:
    for _ in range(300):
        try:
            with urlopen(f"{address}/login") as answer:
                if answer.status == 200:
                    return
        except OSError:
            time.sleep(0.1)
    raise AssertionError(f"{address} did not open")


@dataclass
class Person:
    """Somebody in front of a browser, and the pictures of what they see."""

    page: Page
    office: Served

    def go(self, path: str) -> Page:
        answer = self.page.goto(self.office.address + path)
        assert answer is not None
        assert answer.status < 400, f"{path}: {answer.status}"
        return self.page

    def picture(self, name: str) -> None:
        """A screenshot; the page must not be wider than the screen."""
        SCREENSHOTS.mkdir(exist_ok=True)
        self.page.screenshot(path=SCREENSHOTS / f"{name}.png", full_page=True)
        width, screen = self.page.evaluate("[document.documentElement.scrollWidth, window.innerWidth]")
        assert width <= screen, f"{name} is {width} wide on a screen of {screen}"


def signed_in(context: BrowserContext, login: str = "admin", password: str = PASSWORD) -> Page:
    """A page of a browser that knows its office's address, after signing in."""
    page = context.new_page()
    page.goto("/login")
    page.fill("[name=login]", login)
    page.fill("[name=password]", password)
    page.keyboard.press("Enter")
    page.wait_for_url(lambda url: "/login" not in url)
    return page


def exported(office: Served, kind: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(office.run("export", kind, "--format", "csv").lstrip("\ufeff"))))


def act(person: Person, number: str, action: str, **fields: str) -> None:
    """Open a ticket, press one of its actions, and give what it asks for."""
    page = person.go(f"/tickets/?search={number}")
    page.locator("td.first a", has_text=number).click()
    page.wait_for_url("**/tickets/details/**")
    page.locator(f"button[name=action][value={action}]").click()
    page.wait_for_load_state()
    asking = page.locator("form.card.narrow")
    if asking.count():
        for name, text in fields.items():
            asking.locator(f"[name={name}]").fill(text)
        asking.locator("button.main").click()
    expect(page.locator(".flash.good").first).to_be_visible()


@pytest.fixture
def sign_in(browser: Browser) -> Iterator[object]:
    """Open a browser of a language and width, signed in as a person."""
    contexts = []

    def open_browser(
        office: Served,
        login: str = "admin",
        language: str = "en",
        width: str = "desk",
        password: str = PASSWORD,
    ) -> Person:
        context = browser.new_context(
            base_url=office.address,
            viewport={"width": WIDTHS[width], "height": 900},
            locale=LOCALES[language],
            accept_downloads=True,
        )
        contexts.append(context)
        return Person(signed_in(context, login, password), office)

    yield open_browser
    for context in contexts:
        context.close()
