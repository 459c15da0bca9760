"""Changes one thing at a time in rules and read models, and counts the changes that a test notices (goal R6).

    uv run python -m tests.mutation [FILE …] [--sample N] [--seed S] [--results FILE]

Without FILE it takes all of rules/ and READ_MODELS. A mutant is a module with one comparison, operator,
number, flag or order changed; it is made in memory only, so that the files stay as they are. Each runs in a
process of its own against the tests that name its module, on SQLite, until the first one fails: it is
killed. A mutant whose tests do not end in time is killed too. RESULTS (JSON lines) lets a later run
go on where this one stopped; a file that has changed since is tried again.

Prints the survivors with file, line and change, and the score: the share that was killed. Needs `fork`.
"""

from __future__ import annotations

import argparse
import ast
import copy
import hashlib
import importlib.abc
import importlib.machinery
import json
import os
import random
import re
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import CodeType, ModuleType

import pytest

ROOT = Path(__file__).parents[1]
READ_MODELS = (
    "office/complaints/work_board.py",
    "office/arrears/call_list.py",
    "office/estate/unit_grid.py",
    "office/estate/household_file.py",
    "office/payments/day_close.py",
    "office/reports/dashboard.py",
)
# What the parent process imports, so that its children need not: other people's libraries only.
LIBRARIES = (
    "sqlalchemy.orm", "flask", "flask_admin", "flask_babel", "flask_migrate", "flask_sqlalchemy", "alembic",
    "holidays", "reportlab.platypus", "apprise", "psycopg", "xlsxwriter", "pypinyin",
    "cryptography",
)  # fmt: skip
GOAL = 0.95
SECONDS = 120  # at most for one mutant's tests, if ten times what they take unchanged is less

SWAPS: dict[type[ast.AST], type[ast.AST]] = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq,
    ast.In: ast.NotIn, ast.NotIn: ast.In, ast.Is: ast.IsNot, ast.IsNot: ast.Is,
    ast.And: ast.Or, ast.Or: ast.And, ast.BitAnd: ast.BitOr, ast.BitOr: ast.BitAnd,
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Add, ast.Div: ast.Mult, ast.FloorDiv: ast.Mult,
    ast.Mod: ast.Mult,
}  # fmt: skip
NAMES = {"min": "max", "max": "min", "any": "all", "all": "any", "desc": "asc", "asc": "desc"}
NUMBER = re.compile(r"-?\d+(\.\d+)?")


@dataclass(frozen=True)
class Mutant:
    """One change of one file."""

    file: str
    place: int  # of the changed node, in the order of `_nodes`
    part: int  # of a chained comparison
    line: int
    change: str
    source_hash: str

    @property
    def key(self) -> str:
        return f"{self.file}:{self.source_hash}:{self.place}:{self.part}"


# --- mutants --------------------------------------------------------------------------------------------


def _nodes(tree: ast.Module) -> Iterator[ast.AST]:
    """Every node that decides something: no docstrings, types or decorators (`frozen=True`)."""
    waiting: list[ast.AST] = [tree]
    while waiting:
        node = waiting.pop()
        yield node
        skipped = {"annotation", "returns", "type_params", "type_ignores", "decorator_list"}
        children: list[ast.AST] = []
        for name, value in ast.iter_fields(node):
            if name in skipped:
                continue
            values = value if isinstance(value, list) else [value]
            children += [child for child in values if isinstance(child, ast.AST)]
        waiting += [child for child in reversed(children) if not _is_text(child)]


def _is_text(node: ast.AST) -> bool:
    return (
        isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
    )


def _swapped(node: ast.AST, part: int) -> str | None:  # noqa: PLR0911 -- one answer a kind of node
    """Change this node in place; what was changed, or None where there is nothing to change."""
    if isinstance(node, ast.Compare) and part < len(node.ops):
        return _swap(node.ops, part)
    if part:
        return None
    if isinstance(node, ast.BoolOp | ast.BinOp):
        held = [node.op]
        change = _swap(held, 0)
        node.op = held[0]
        return change
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not | ast.USub):
        was = type(node.op).__name__
        node.op = ast.UAdd() if isinstance(node.op, ast.USub) else _Kept()
        return f"{was} removed"
    if isinstance(node, ast.Constant):
        return _changed_constant(node)
    if isinstance(node, ast.If | ast.IfExp | ast.While) and not isinstance(
        node.test, ast.Compare | ast.UnaryOp
    ):
        node.test = ast.copy_location(ast.UnaryOp(ast.Not(), node.test), node.test)
        return "condition turned round"
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name | ast.Attribute):
        return _renamed_call(node.func)
    return None


class _Kept(ast.UAdd):
    """Stands for a removed `not` until `_without_not` takes it away."""


class _WithoutNot(ast.NodeTransformer):
    def visit_UnaryOp(self, node: ast.UnaryOp) -> ast.AST:
        self.generic_visit(node)
        return node.operand if isinstance(node.op, _Kept) else node


def _swap(held: list[object], place: int) -> str | None:
    other = SWAPS.get(type(held[place]))  # type: ignore[arg-type] -- nodes of ast
    if other is None:
        return None
    was, held[place] = type(held[place]).__name__, other()
    return f"{was} → {other.__name__}"


def _changed_constant(node: ast.Constant) -> str | None:
    was = node.value
    if isinstance(was, bool):
        node.value = not was
    elif isinstance(was, int):
        node.value = was + 1
    elif isinstance(was, str) and NUMBER.fullmatch(was):  # Decimal("0.05")
        node.value = f"{was}1" if "." in was else str(int(was) + 1)
    else:
        return None
    return f"{was!r} → {node.value!r}"


def _renamed_call(function: ast.Name | ast.Attribute) -> str | None:
    was = function.id if isinstance(function, ast.Name) else function.attr
    if was not in NAMES:
        return None
    if isinstance(function, ast.Name):
        function.id = NAMES[was]
    else:
        function.attr = NAMES[was]
    return f"{was} → {NAMES[was]}"


def mutants(file: str) -> list[Mutant]:
    """Every mutant of a file, in its order."""
    source = (ROOT / file).read_text("utf-8")
    tree = ast.parse(source)
    digest = hashlib.sha256(source.encode()).hexdigest()[:12]
    found = []
    for place, node in enumerate(_nodes(tree)):
        for part in range(len(node.ops) if isinstance(node, ast.Compare) else 1):
            change = _swapped(copy.deepcopy(node), part)
            if change and hasattr(node, "lineno"):
                found.append(Mutant(file, place, part, node.lineno, change, digest))
    return found


def compiled(mutant: Mutant) -> CodeType:
    tree = ast.parse((ROOT / mutant.file).read_text("utf-8"))
    node = next(node for place, node in enumerate(_nodes(tree)) if place == mutant.place)
    assert _swapped(node, mutant.part) == mutant.change
    tree = ast.fix_missing_locations(_WithoutNot().visit(tree))
    return compile(tree, str(ROOT / mutant.file), "exec")


# --- tests ----------------------------------------------------------------------------------------------


def module_of(file: str) -> str:
    return file.removesuffix(".py").replace("/", ".")


def tests_of(file: str) -> list[str]:
    """The test modules that name this module, those of its own floor and room first; else its room's."""
    package, _, name = module_of(file).rpartition(".")
    named = re.compile(
        rf"\bfrom {re.escape(package)}\.{name} import|\bimport {re.escape(package)}\.{name}\b"
        rf"|\bfrom {re.escape(package)} import [^\n]*\b{name}\b"
        rf"|\bfrom {re.escape(package)} import \([^)]*\b{name}\b"
    )
    own = f"tests/{package.replace('.', '/')}/"
    found = [
        str(path.relative_to(ROOT))
        for path in (ROOT / "tests").rglob("test_*.py")
        if not {"e2e", "kills"} & set(path.parts) and named.search(path.read_text("utf-8"))
    ]
    same_name = f"{own}test_{name}.py"
    if (ROOT / same_name).exists() and same_name not in found:
        found.append(same_name)
    if not found:  # its screens show what it reads
        room = package.rpartition(".")[2]
        found = [
            str(path.relative_to(ROOT))
            for floor in ("office", "admin")
            for path in (ROOT / "tests" / floor / room).glob("test_*.py")
        ]
    return sorted(found, key=lambda path: (path != same_name, not path.startswith(own), path))


class _Loader(importlib.abc.InspectLoader):
    """Gives one module its changed code."""

    def __init__(self, code: CodeType, file: Path) -> None:
        self.code, self.file = code, file

    def get_code(self, _fullname: str) -> CodeType:
        return self.code

    def get_source(self, _fullname: str) -> str:
        return self.file.read_text("utf-8")

    def exec_module(self, module: ModuleType) -> None:
        module.__file__ = str(self.file)
        exec(self.code, module.__dict__)  # what an import does


class _Finder(importlib.abc.MetaPathFinder):
    def __init__(self, name: str, loader: _Loader) -> None:
        self.name, self.loader = name, loader

    def find_spec(
        self, fullname: str, _path: Sequence[str] | None, _target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if fullname != self.name:
            return None
        return importlib.machinery.ModuleSpec(fullname, self.loader, origin=str(self.loader.file))


def _run_tests(stage: Stage, folder: Path) -> int:
    given = ["-o", "addopts=", "-p", "no:cacheprovider", "-x", "-q", "--no-header", f"--basetemp={folder}"]
    chosen = ["-m", "not kill and not e2e", "-k", "not postgresql"]
    return int(pytest.main([*given, *chosen, *(["--noconftest"] if stage.is_pure else []), *stage.paths]))


@dataclass(frozen=True)
class Stage:
    """Tests that run together; pure ones need no office and start in a moment."""

    is_pure: bool
    paths: tuple[str, ...]


def stages_of(file: str) -> list[Stage]:
    paths = tests_of(file)
    assert paths, f"{file}: no test names it"
    pure = tuple(path for path in paths if path.startswith("tests/rules/"))
    rest = tuple(path for path in paths if path not in pure)
    return [Stage(is_pure, found) for is_pure, found in ((True, pure), (False, rest)) if found]


def start(code: CodeType | None, file: str, stage: Stage, folder: Path) -> int:
    """Fork a process that runs the tests with this code in the place of the file's; its id."""
    process = os.fork()
    if process:
        return process
    status = 1
    try:
        os.setpgid(0, 0)  # what it starts ends with it
        log = os.open(f"{folder}.log", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(log, 1)
        os.dup2(log, 2)
        if code is not None:
            sys.meta_path.insert(0, _Finder(module_of(file), _Loader(code, ROOT / file)))
        status = _run_tests(stage, folder)
    except BaseException:  # noqa: BLE001 -- whatever it was, this process ends here
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


def passes(code: CodeType | None, file: str, stage: Stage, seconds: float, folder: Path) -> bool:
    """Whether the tests pass with this code, within the time."""
    process = start(code, file, stage, folder)
    begun = time.monotonic()
    while time.monotonic() - begun < seconds:
        found, status = os.waitpid(process, os.WNOHANG)
        if found:
            return os.waitstatus_to_exitcode(status) == 0
        time.sleep(0.02)
    os.killpg(process, signal.SIGKILL)
    os.waitpid(process, 0)
    return False


def seconds_unchanged(file: str, stage: Stage, folder: Path) -> float | None:
    """How long the tests take without a change; None, said in a line, where they fail."""
    begun = time.monotonic()
    if not passes(None, file, stage, 10 * SECONDS, folder):
        last = Path(f"{folder}.log").read_text("utf-8").strip().splitlines()[-3:]
        print(f"{file} can't be judged, its tests fail without a change:", *last, sep="\n  ", flush=True)
        return None
    return time.monotonic() - begun


# --- the run --------------------------------------------------------------------------------------------


def judge(chosen: Sequence[Mutant], results: Path) -> dict[str, str]:
    """Try what the results do not hold yet; `killed` or `survived` of each mutant by its key.

    A mutant that survives some tests of its file while others can't be run has no entry.
    """
    lines = results.read_text("utf-8").splitlines() if results.exists() else []
    fates: dict[str, str] = {row["key"]: row["fate"] for row in map(json.loads, lines)}
    unchanged: dict[tuple[str, Stage], float | None] = {}
    with tempfile.TemporaryDirectory() as temporary, results.open("a", encoding="utf-8") as file:
        folder = Path(temporary) / "tests"
        for mutant in chosen:
            if mutant.key in fates:
                continue
            fate, code = "survived", compiled(mutant)
            for stage in stages_of(mutant.file):
                if (place := (mutant.file, stage)) not in unchanged:
                    unchanged[place] = seconds_unchanged(mutant.file, stage, folder)
                seconds = unchanged[place]
                if seconds is None:
                    fate = "unjudged"
                elif not passes(code, mutant.file, stage, min(SECONDS, 10 + 10 * seconds), folder):
                    fate = "killed"
                    break
            if fate == "unjudged":
                continue
            fates[mutant.key] = fate
            row = {"key": mutant.key, "fate": fate, "line": mutant.line, "change": mutant.change}
            file.write(json.dumps(row) + "\n")
            file.flush()
            print(f"{fate:9} {mutant.file}:{mutant.line}  {mutant.change}", flush=True)
    return fates


def report(chosen: Sequence[Mutant], fates: dict[str, str]) -> float:
    """Print the survivors and the scores; the share of all chosen that was killed."""
    print("\nSurvivors")
    for mutant in chosen:
        if fates.get(mutant.key) == "survived":
            print(f"  {mutant.file}:{mutant.line}  {mutant.change}")
    print("\nScores")
    for file in sorted({mutant.file for mutant in chosen}):
        own = [fates.get(mutant.key) == "killed" for mutant in chosen if mutant.file == file]
        print(f"  {file:44} {sum(own):4} of {len(own):4}  {sum(own) / len(own):6.1%}")
    killed = sum(fates.get(mutant.key) == "killed" for mutant in chosen)
    print(f"  {'all':44} {killed:4} of {len(chosen):4}  {killed / len(chosen):6.1%}  (goal {GOAL:.0%})")
    return killed / len(chosen)


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("files", nargs="*", help="paths from the repository's root")
    parser.add_argument("--sample", type=int, help="so many mutants, drawn by lot, instead of all")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "--results", type=Path, default=Path(tempfile.gettempdir()) / "gatehouse-mutants.jsonl"
    )
    options = parser.parse_args()
    os.chdir(ROOT)
    for library in LIBRARIES:
        __import__(library)
    rules = sorted(f"rules/{path.name}" for path in (ROOT / "rules").glob("*.py") if path.stem != "__init__")
    chosen = [mutant for file in options.files or [*rules, *READ_MODELS] for mutant in mutants(file)]
    if options.sample and options.sample < len(chosen):
        drawn = set(random.Random(options.seed).sample(range(len(chosen)), options.sample))
        chosen = [mutant for place, mutant in enumerate(chosen) if place in drawn]
    print(f"{len(chosen)} mutants", flush=True)
    return 0 if report(chosen, judge(chosen, options.results)) >= GOAL else 1


if __name__ == "__main__":
    sys.exit(main())
