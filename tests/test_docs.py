"""The documents are true: their commands run, their settings and links exist, their examples parse."""

from __future__ import annotations

import configparser
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import click
import pytest
import yaml

from tests import architecture
from tests.conftest import Office

pytestmark = pytest.mark.long

ROOT = Path(__file__).parent.parent
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
DOCS = ROOT / "docs"
EXAMPLES = DOCS / "examples"
FLOORS = ("runtime", "admin", "office", "seed", "models", "migrations", "rules", "tests", "docs")
LISTS_OF_IDS = {"docs/procedures.md", "docs/contract.md", "docs/decisions.md", "docs/goals.md"}
SOURCES = [
    file
    for folder in FLOORS
    for file in sorted((ROOT / folder).rglob("*.*"))
    if file.suffix in {".py", ".html", ".toml", ".md"} and file != Path(__file__)
]
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


def promised(page: Path) -> str:
    """What a page says of the program as it is: without its planned second part."""
    return page.read_text().split("\n# Second part: planned")[0]


def test_every_command_that_is_named_exists(office: Office) -> None:
    known = set(office.app.cli.list_commands(click.Context(office.app.cli))) | {"run"}
    for page in PAGES:
        text = promised(page)
        asked = set(re.findall(r"`(?:uv run )?flask ([a-z-]+)", text)) | set(
            re.findall(r"^(?:uv run )?flask ([a-z-]+)", text, re.MULTILINE)
        )

        assert asked <= known, page


def test_the_version_stands_in_one_place(office: Office) -> None:
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]

    printed = office.app.test_cli_runner().invoke(args=["version"]).output
    logged = re.findall(r"^## (\d+\.\d+\.\d+)", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)

    assert printed.splitlines()[0] == f"Gatehouse {declared}"
    assert logged[0] == declared


def test_every_setting_that_is_named_is_read_and_the_other_way_round() -> None:
    code = "\n".join(
        path.read_text()
        for path in [*ROOT.glob("office/**/*.py"), *ROOT.glob("admin/**/*.py"), *ROOT.glob("runtime/*.py")]
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


def test_every_file_that_a_page_names_is_there() -> None:
    """Paths of the checkout in READMEs, guides and the like, and in the settings of the tools."""
    pages = [page for page in PAGES if names(page) not in LISTS_OF_IDS]
    for page in [*pages, ROOT / ".pre-commit-config.yaml", ROOT / ".ci" / "run", *EXAMPLES.iterdir()]:
        for path in re.findall(rf"(?<![\w./-])(?:{'|'.join(FLOORS)})/[\w./-]+", page.read_text()):
            found = ROOT / path.rstrip(".")

            assert found.name == ".env" or found.exists() or found.with_suffix(".py").exists(), (
                f"{names(page)}: {path}"
            )


def test_the_three_readmes_name_the_same_commands_and_headings() -> None:
    texts = [page.read_text() for page in sorted(ROOT.glob("README*.md"))]

    commands = [re.findall(r"`((?:uv run app\.py|flask) ?[^`]*)`", text) for text in texts]
    tables = [[line.count("|") for line in text.splitlines() if line.startswith("|")] for text in texts]

    assert len(texts) == 3
    assert len({tuple(found) for found in commands}) == 1
    assert len({len(re.findall("^## ", text, re.MULTILINE)) for text in texts}) == 1
    assert len({tuple(table) for table in tables}) == 1


def test_the_hosted_workflow_runs_the_gate() -> None:
    jobs = yaml.safe_load((ROOT / ".github" / "workflows" / "ci.yml").read_text())["jobs"]

    assert jobs["gate"]["steps"][-1] == {"run": ".ci/run"}


def defined(text: str) -> set[str]:
    """The ids of procedures and goals that a page's tables define, and its numbered sections."""
    ids = re.findall(r"^\| ([A-Z][1-9]\d?)\b", text, re.MULTILINE)
    return {*ids, *(f"§{number}" for number in re.findall(r"^## (\d+) ", text, re.MULTILINE))}


def cited(text: str) -> set[str]:
    """The ids and sections that a text cites: P5, T13, S9, §8; prefixes that no page has are other things."""
    return set(re.findall(r"\b[BCDFKMPRSTUV][1-9]\d?\b|§\d+", text))


def test_every_id_that_is_cited_can_be_looked_up() -> None:
    known = defined((DOCS / "procedures.md").read_text()) | defined((DOCS / "goals.md").read_text())

    unknown = {(names(file), id_) for file in SOURCES for id_ in cited(file.read_text()) - known}

    assert {"P1", "B25", "T26", "D10", "S23", "F23", "R6", "U10", "§14"} <= known
    assert not unknown
    assert cited("as P99 and §15 say") - known == {"P99", "§15"}, "the control"


@pytest.mark.parametrize("page", ["contract", "decisions"])
def test_every_part_of_a_page_that_is_cited_is_there(page: str) -> None:
    text = (DOCS / f"{page}.md").read_text()
    parts = re.compile(rf'\b{page}(?::|,|\.md,)? "?([A-Z][a-z][a-z ]*)(?![A-Za-z\[])')  # no type of a field

    def missing(source: str) -> list[str]:
        return [part for part in parts.findall(source) if part not in text]

    assert {names(file): missing(file.read_text()) for file in SOURCES if missing(file.read_text())} == {}
    assert missing(f'as {page} "No such part" says') == ["No such part"], "the control"


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


def test_each_promise_of_the_security_page_names_tests_that_are_there() -> None:
    rows = re.findall(
        r"^\| (?!promise|---)(.+) \| (.+) \|$", (ROOT / "SECURITY.md").read_text(), re.MULTILINE
    )
    assert len(rows) >= 12
    for promise, told in rows:
        assert re.fullmatch(r"`tests/[^`]+`(, `tests/[^`]+`)*", told), promise
