"""The documents are true: their commands run, their settings and links exist, their examples parse."""

from __future__ import annotations

import configparser
import os
import re
import subprocess
import sys
from pathlib import Path

import click
import pytest
import yaml

from tests import architecture
from tests.conftest import Office

ROOT = Path(__file__).parent.parent
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
EXAMPLES = ROOT / "docs" / "examples"
FLASK = [str(Path(sys.executable).with_name("flask"))]


def blocks(page: Path) -> list[str]:
    """The commands that a page marks as ones to be run as they stand."""
    return re.findall(r"```sh\n(.*?)```", page.read_text(), re.DOTALL)


def names(page: Path) -> str:
    return str(page.relative_to(ROOT))


@pytest.mark.parametrize("page", [page for page in PAGES if "flask" in "".join(blocks(page))], ids=names)
def test_the_commands_of_a_page_run_in_their_order(page: Path, tmp_path: Path) -> None:
    environment = {**os.environ, "GATEHOUSE_INSTANCE": str(tmp_path), "GATEHOUSE_DATABASE_URL": ""}
    script = "\n".join(
        block.replace("uv run flask", " ".join(FLASK)) for block in blocks(page) if "flask" in block
    ).replace("office.zip", str(tmp_path / "office.zip"))

    done = subprocess.run(
        ["bash", "-euc", script], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stdout + done.stderr


def test_every_command_that_is_named_exists(office: Office) -> None:
    known = set(office.app.cli.list_commands(click.Context(office.app.cli))) | {"run"}
    for page in PAGES:
        text = page.read_text()
        asked = set(re.findall(r"`(?:uv run )?flask ([a-z]+)", text)) | set(
            re.findall(r"^(?:uv run )?flask ([a-z]+)", text, re.MULTILINE)
        )

        assert asked <= known, page


def test_every_setting_that_is_named_is_read_and_the_other_way_round() -> None:
    code = "\n".join(
        path.read_text()
        for path in [*ROOT.glob("*.py"), *ROOT.glob("office/**/*.py"), *ROOT.glob("admin/**/*.py")]
    )
    read = set(re.findall(r"GATEHOUSE_[A-Z_]+", code))
    read |= {f"GATEHOUSE_{name}" for name in re.findall(r'setting\("([A-Z_]+)"\)', code)}
    read -= {"GATEHOUSE_", "GATEHOUSE_PARENT"}
    told = set(re.findall(r"GATEHOUSE_[A-Z_]+", (ROOT / "docs" / "it.md").read_text()))

    assert told == read


def test_every_link_leads_somewhere() -> None:
    for page in PAGES:
        for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", page.read_text()):
            if not target.startswith("http"):
                assert (page.parent / target).exists(), f"{names(page)}: {target}"


def test_the_architecture_page_is_drawn_from_the_code() -> None:
    assert architecture.PAGE.read_text() == architecture.drawn(), "draw it: python -m tests.architecture"


@pytest.mark.parametrize("unit", sorted(EXAMPLES.glob("*.service")), ids=names)
def test_a_service_starts_what_exists(unit: Path) -> None:
    parsed = configparser.ConfigParser(strict=False)
    parsed.optionxform = str  # type: ignore[assignment,method-assign]
    parsed.read(unit)

    command = parsed["Service"]["ExecStart"].removeprefix("/srv/gatehouse/.venv/bin/").split()

    assert {"Unit", "Service", "Install"} <= set(parsed.sections())
    assert command[:2] in (["python", "app.py"], ["flask", "clock"])


def test_the_compose_file_names_known_settings_only() -> None:
    services = yaml.safe_load((EXAMPLES / "compose.yaml").read_text())["services"]

    office = services["office"]

    assert set(office["depends_on"]) <= set(services)
    assert {name for name in office["environment"] if name.startswith("GATEHOUSE_")} == set(
        office["environment"]
    )


def test_the_proxy_example_sends_what_the_program_trusts() -> None:
    text = (EXAMPLES / "nginx.conf").read_text()

    assert text.count("{") == text.count("}")
    for header in ("X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Host"):
        assert f"proxy_set_header {header}" in text
