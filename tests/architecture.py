"""Draws docs/architecture.md from the code: floors, rooms, their files and what imports what.

uv run python -m tests.architecture
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs" / "architecture.md"
DRAWN = "## On top\n"  # what stands before this heading is written by hand
FLOORS = ("runtime", "admin", "office", "seed", "models", "rules")
AROUND = ("tests", "tests/factories", "tests/oracles", "tests/kills", "tests/bench", "tests/e2e")


def summary(file: Path) -> str:
    """The first line of a file's docstring."""
    return (ast.get_docstring(ast.parse(file.read_text())) or "").partition("\n")[0].strip()


def imported(file: Path) -> Iterator[str]:
    """The dotted names that a file imports, also those imported late inside functions."""
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{name.name}" for name in node.names)


def rooms_of(floor: str) -> list[Path]:
    """The packages of a floor, those inside other packages too."""
    return sorted(file.parent for file in ROOT.glob(f"{floor}/*/**/__init__.py"))


def files_of(folder: Path) -> list[Path]:
    return sorted(file for file in folder.glob("*.py") if file.name != "__init__.py")


def room_of(dotted: str) -> str:
    """`office.payments.day_close.close` → `office/payments`; a module beside the rooms has none."""
    parts = dotted.split(".")
    room = "/".join(parts[:2])
    return room if (ROOT / room / "__init__.py").exists() else ""


def uses(floor: str) -> dict[str, set[str]]:
    """Each room of a floor with the rooms that its files import directly, of any floor."""
    found: dict[str, set[str]] = {}
    for file in ROOT.glob(f"{floor}/*/**/*.py"):
        room = "/".join(file.relative_to(ROOT).parts[:2])
        found.setdefault(room, set()).update(room_of(name) for name in imported(file))
    return {room: others - {room, ""} for room, others in sorted(found.items())}


def arrows(graph: dict[str, set[str]]) -> list[str]:
    """The arrows of a graph without those that a longer way already says."""

    def reached(room: str, seen: frozenset[str] = frozenset()) -> frozenset[str]:
        for other in graph[room] - seen:
            seen = reached(other, seen | {other})
        return seen

    return [
        f"    {room.split('/')[1]} --> {other.split('/')[1]}"
        for room, others in graph.items()
        for other in sorted(others)
        if not any(other in reached(between) for between in others - {other})
    ]


def table(files: list[Path]) -> list[str]:
    return ["| file | what it is |", "|---|---|", *(f"| `{file.name}` | {summary(file)} |" for file in files)]


def names(rooms: set[str]) -> str:
    return ", ".join(f"`{room}`" for room in sorted(rooms))


def drawn() -> str:
    """The page as it should be."""
    parts = [PAGE.read_text().split(DRAWN)[0] + DRAWN, *table(sorted(ROOT.glob("*.py"))), ""]
    for floor in FLOORS:
        parts += [f"## {floor}/\n", summary(ROOT / floor / "__init__.py"), ""]
        used = uses(floor)
        if floor == "office":
            inside = {
                room: {other for other in others if other.startswith("office/")}
                for room, others in used.items()
            }
            parts += ["What imports what:\n", "```mermaid", "graph TD", *arrows(inside), "```", ""]
        if files := files_of(ROOT / floor):
            parts += [*table(files), ""]
        for room in rooms_of(floor):
            place = str(room.relative_to(ROOT))
            parts += [f"### {place}/\n", summary(room / "__init__.py"), ""]
            if others := used.get(place):
                parts += [f"Imports {names(others)}.\n"]
            parts += [*table(files_of(room)), ""] if files_of(room) else []
    parts += ["## tests/\n", "| folder | what it is |", "|---|---|"]
    parts += [f"| `{folder}/` | {summary(ROOT / folder / '__init__.py')} |" for folder in AROUND]
    return "\n".join(parts).rstrip() + "\n"


if __name__ == "__main__":
    PAGE.write_text(drawn())
