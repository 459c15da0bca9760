"""The browser of the browser tests: the system's Chromium or Playwright's own.

Debian's `chromium-headless-shell` comes first: it draws no window of its own, which takes the ordinary
Chromium as much processor time again as the pages.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Browser, Error, sync_playwright

NAMES = (
    "chromium-headless-shell",
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
    "msedge",
)
QUIET = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)
HINT = "no Chromium: `apt install chromium-headless-shell`, or `playwright install chromium`"


@contextmanager
def launched() -> Iterator[Browser]:
    """A running browser; without one the test skips and says how to get it, in CI it fails."""
    with sync_playwright() as playwright:
        found = next((path for name in NAMES if (path := shutil.which(name))), None)
        try:
            chromium = playwright.chromium.launch(executable_path=found, args=list(QUIET))
        except Error:
            if os.environ.get("CI"):
                pytest.fail(HINT)
            pytest.skip(HINT)
        yield chromium
        chromium.close()
