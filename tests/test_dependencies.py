"""What the program is built on is pinned, hashed and licensed; and ruff's security rules are on."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable

import pytest

from tests.dependencies import ROOT, pinned, problems

REQUIREMENTS = (ROOT / "requirements.txt").read_text()
PROJECT = (ROOT / "pyproject.toml").read_text()
PROGRAM = ("admin", "models", "office", "rules", "runtime", "seed", "app.py")
SPOILED: dict[str, Callable[[str], str]] = {
    "no hash": lambda text: re.sub(r"(?m)^(flask==\S+) \\\n(?:    --hash=\S+(?: \\)?\n)+", r"\1\n", text),
    "no exact version": lambda text: text.replace("jinja2==", "jinja2>="),
    "in pyproject.toml": lambda text: re.sub(r"(?m)^werkzeug==[\d.]+", "werkzeug==1.0", text),
}


def test_every_package_is_pinned_hashed_and_licensed() -> None:
    assert len(pinned(REQUIREMENTS)) > 40
    assert problems(REQUIREMENTS, PROJECT) == []


@pytest.mark.parametrize("said", SPOILED)
def test_a_spoiled_list_is_told(said: str) -> None:
    """The controls."""
    spoiled = SPOILED[said](REQUIREMENTS)

    assert spoiled != REQUIREMENTS
    assert any(said in line for line in problems(spoiled, PROJECT))


def test_security_rules_are_on_and_each_exception_has_its_reason() -> None:
    """Ruff's S rules are bandit's; the gate runs ruff."""
    lint = tomllib.loads(PROJECT)["tool"]["ruff"]["lint"]
    lines = [
        f"{file.relative_to(ROOT)}:{number}: {line.strip()}"
        for name in PROGRAM
        for file in ([ROOT / name] if name.endswith(".py") else (ROOT / name).rglob("*.py"))
        for number, line in enumerate(file.read_text().splitlines(), 1)
        if re.search(r"# noqa:[^#]*\bS\d{3}", line)
    ]

    assert lint["select"] == ["ALL"]
    assert [rule for rule in lint["ignore"] if re.fullmatch(r"S\d*", rule)] == ["S101"]
    assert [files for files, rules in lint["per-file-ignores"].items() if "S" in rules] == ["tests/**"]
    assert lines
    assert [line for line in lines if " -" not in line.partition("# noqa:")[2]] == []
