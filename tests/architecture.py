"""Draws docs/architecture.md from the code: each file with the first line of its docstring.

uv run python -m tests.architecture
"""

from __future__ import annotations

import ast
from pathlib import Path

ROOT = Path(__file__).parent.parent
FLOORS = {
    "admin": "faces a person: generated screens, a few pages made by hand, sign-in.",
    "office": "does the work: loads rows, asks the rules, writes rows. Never commits, never reads the "
    "machine's clock (`clock.py` alone does).",
    "seed": "data to begin with: presets of policies, fee items, texts, the demo estate.",
    "models": "describes rows: tables, constraints, triggers; `migrations/` beside them.",
    "rules": "decides: values in, one value out, the reason with it. The standard library and the holiday "
    "calendar only.",
}
PAGE = ROOT / "docs" / "architecture.md"
DRAWN = "## The roof\n"  # what stands before is written by hand


def first_line(file: Path) -> str:
    text = ast.get_docstring(ast.parse(file.read_text())) or ""
    return text.split("\n\n")[0].replace("\n", " ").split(": `")[0].strip()


def rows(files: list[Path]) -> list[str]:
    return [
        "| file | what it is |",
        "|---|---|",
        *(f"| `{file.name}` | {first_line(file)} |" for file in files),
    ]


def drawn() -> str:
    """The page as it should be."""
    parts = [PAGE.read_text().split(DRAWN)[0] + DRAWN, *rows(sorted(ROOT.glob("*.py"))), ""]
    for floor, what in FLOORS.items():
        files = sorted(file for file in ROOT.glob(f"{floor}/*.py") if file.stem != "__init__")
        parts += [f"## {floor}/\n", f"*{floor}* {what}\n", *rows(files), ""]
        for room in sorted({file.parent for file in ROOT.glob(f"{floor}/*/*.py")}):
            inside = sorted(file for file in room.glob("*.py") if file.stem != "__init__")
            parts += [f"### {room.relative_to(ROOT)}/\n", *rows(inside), ""]
    return "\n".join(parts).rstrip() + "\n"


if __name__ == "__main__":
    PAGE.write_text(drawn())
