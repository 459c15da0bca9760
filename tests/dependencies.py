"""What the program is built on: pinned, hashed, licensed; `uv run python -m tests.dependencies` lists it.

    uv run python -m tests.dependencies [--online]

Offline it prints each package of requirements.txt with its version and licence, and fails where the list is
not whole (tests/test_dependencies.py is the same in the gate). `--online` asks the package registry for the
day of each pinned release and for the weaknesses it knows of; where the registry keeps none, run
`uvx pip-audit --require-hashes -r requirements.txt` on a machine that reaches pypi.org.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
import tomllib
import urllib.error
import urllib.request
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

ROOT = Path(__file__).parent.parent
HASH = re.compile(r"--hash=sha256:[0-9a-f]{64}")
PIN = re.compile(r"^([a-z0-9][a-z0-9.-]*)==([^ ;\\]+)")
# what a licence may be called; LGPL and MPL bind their own files only, which we use unchanged
ALLOWED = re.compile(
    r"MIT|BSD|Apache|PSF|Python Software|Zope|ISC|HPND|LGPL|MPL|Mozilla|Unlicense|CC0", re.IGNORECASE
)
ELSEWHERE = {"tzdata", "colorama"}  # only on Windows


@dataclass(frozen=True)
class Pinned:
    name: str
    version: str
    hashes: int


def pinned(text: str) -> list[Pinned]:
    """Every package of a requirements file."""
    found = []
    for entry in re.split(r"(?<!\\)\n", text):
        if match := PIN.match(entry):
            found.append(Pinned(match[1], match[2], len(HASH.findall(entry))))
        elif entry.strip() and not entry.lstrip().startswith("#"):
            found.append(Pinned(entry.split()[0], "", 0))
    return found


def asked(project: str) -> dict[str, str]:
    """What pyproject.toml asks for: name → version."""
    wanted = tomllib.loads(project)["project"]["dependencies"]
    parts = (re.match(r"([A-Za-z0-9._-]+)(?:\[[^\]]*\])?==([^ ;]+)", line) for line in wanted)
    return {part[1].lower(): part[2] for part in parts if part}


def licence(name: str) -> str:
    """As the package says, in one of the three places for it; empty when it says nothing."""
    about = metadata.metadata(name)
    named = [
        line.split(" :: ")[-1] for line in about.get_all("Classifier") or () if line.startswith("License")
    ]
    return (
        about.get("License-Expression")
        or "; ".join(named)
        or (about.get("License") or "").split("\n")[0][:60]
    )


def problems(requirements: str, project: str) -> list[str]:
    """What is wrong with the list; empty when each package is pinned, hashed, as asked for and licensed."""
    rows = pinned(requirements)
    found = [f"{row.name}: no exact version" for row in rows if not row.version]
    found += [f"{row.name}: no hash" for row in rows if not row.hashes]
    versions = {row.name: row.version for row in rows}
    for name, version in asked(project).items():
        if versions.get(name) != version and name not in ELSEWHERE:
            found.append(f"{name}: {version} in pyproject.toml, {versions.get(name)} in requirements.txt")
    for row in rows:
        try:
            is_named = ALLOWED.search(licence(row.name))
        except metadata.PackageNotFoundError:
            if row.name not in ELSEWHERE:
                found.append(f"{row.name}: not installed")
            continue
        if not is_named:
            found.append(f"{row.name}: licence {licence(row.name)!r}")
    return found


def online(row: Pinned) -> str:
    """The day of this release and what is known against it, as far as the registry tells."""
    told = []
    for address in (f"{row.name}/{row.version}", row.name):
        try:
            with urllib.request.urlopen(f"https://pypi.org/pypi/{address}/json", timeout=30) as answer:
                about = json.load(answer)
        except (urllib.error.URLError, TimeoutError):
            continue
        files = about.get("releases", {}).get(row.version) or about.get("urls", [])
        told += sorted(file["upload_time"][:10] for file in files)[:1]
        if address != row.name:
            told += [each["id"] for each in about.get("vulnerabilities", ())] or ["no known weakness"]
            return " ".join(told)
    return " ".join([*told, "weaknesses not told here"])


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--online", action="store_true")
    is_online = parser.parse_args().online
    requirements = (ROOT / "requirements.txt").read_text()
    for row in pinned(requirements):
        if row.name in ELSEWHERE:
            continue
        more = online(row) if is_online else ""
        print(f"{row.name:24} {row.version:16} {licence(row.name):44} {more}".rstrip())
    wrong = problems(requirements, (ROOT / "pyproject.toml").read_text())
    for line in wrong:
        print(line, file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
