"""The version of the program, which `flask version` and `app.py --version` print."""

from __future__ import annotations

import platform
import tomllib
from importlib.metadata import version as installed

from runtime.settings import ROOT


def version() -> str:
    """The program's own version; it stands in pyproject.toml alone."""
    document = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    return str(document["project"]["version"])


def versions() -> str:
    """The versions of Gatehouse, Python and Flask, one a line."""
    return f"Gatehouse {version()}\nPython {platform.python_version()}\nFlask {installed('flask')}"
