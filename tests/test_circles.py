"""No file imports one that imports it back, late imports counted (house: rooms)."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from graphlib import CycleError, TopologicalSorter

import pytest

from tests.architecture import ROOT

FLOORS = ("runtime", "admin", "office", "models", "rules", "seed")


def sources() -> dict[str, str]:
    """Each module of the program with its source."""
    found = {}
    for floor in FLOORS:
        for file in (ROOT / floor).rglob("*.py"):
            name = ".".join(file.relative_to(ROOT).with_suffix("").parts)
            found[name.removesuffix(".__init__")] = file.read_text()
    return found


def imports(modules: Mapping[str, str]) -> dict[str, set[str]]:
    """Which modules each imports, anywhere in its file."""
    graph: dict[str, set[str]] = {}
    for module, source in modules.items():
        named = set()
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.ImportFrom) and node.module:
                within = {f"{node.module}.{one.name}" for one in node.names} & modules.keys()
                named |= within or ({node.module} & modules.keys())
        graph[module] = named - {module}
    return graph


def test_no_files_import_each_other() -> None:
    TopologicalSorter(imports(sources())).prepare()


def test_a_circle_would_be_noticed() -> None:
    """The control: the lowest file of the office asks for the highest, in a function."""
    modules = sources()
    modules["office.core.clock"] += "\n\ndef late():\n    from office import rooms\n"

    with pytest.raises(CycleError):
        TopologicalSorter(imports(modules)).prepare()
