"""Changes one thing at a time in rules and read models, and counts the changes that a test notices (goal R6).

    uv run python -m tests.mutation [FILE …] [--sample N] [--seed S] [--examples N] [--results FILE]

Without FILE it takes all of rules/ and READ_MODELS. A mutant is a module with one comparison, operator,
number, flag, condition of a query or sort order changed; it is made in memory only, so that the files stay
as they are. The tests that name the module are collected and run once unchanged, on SQLite, while it is
noted which of them run which statement. Each mutant then gets a forked process, in which those of the tests
that run the changed statement are run, the quickest first, until one fails: the mutant is killed. One whose
tests do not end in time is killed too. A change of what runs at import (a constant, a field's default) is
made before anything is imported, in a process that collects and runs all the tests of the module.

RESULTS (JSON lines) keeps what was killed, so that a later run tries only what survived and files that have
changed since. Prints the survivors with file, line and change, and the score: the share that was killed of
those that a test can notice. docs/mutation.md lists the others, each with the reason. Needs `fork`.
"""

from __future__ import annotations

import argparse
import ast
import builtins
import copy
import functools
import gc
import hashlib
import importlib.abc
import importlib.machinery
import json
import os
import random
import re
import shutil
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import CodeType, FunctionType, ModuleType
from typing import Any

import pytest
from _pytest.runner import runtestprotocol

ROOT = Path(__file__).parents[1]
# Files, or some functions of a file that also writes: FILE:FUNCTION,FUNCTION.
READ_MODELS = (
    "office/complaints/work_board.py",
    "office/arrears/call_list.py",
    "office/estate/unit_grid.py",
    "office/estate/household_file.py",
    "office/estate/search.py",
    "office/payments/day_close.py",
    "office/payments/direct_debit.py:export_batch,batch_file,remind_direct_debit",
    "office/payments/statement_queue.py:suggestions,_candidates,_paid_by,_read_candidates,next_waiting,"
    "count_waiting,owed",
    "office/reports/dashboard.py",
)
# What the parent process imports, so that its children need not: other people's libraries only.
LIBRARIES = (
    "sqlalchemy.orm", "flask", "flask_admin", "flask_babel", "flask_login", "flask_sqlalchemy", "alembic",
    "holidays", "reportlab.platypus", "apprise", "psycopg", "xlsxwriter", "pypinyin",
    "cryptography",
)  # fmt: skip
OURS = ("rules", "models", "office", "admin", "runtime", "tests")
GOAL = 0.95
SECONDS = 120  # at most for one mutant's tests, if ten times what they take unchanged is less
MEMORY = Path("/dev/shm")
NOTE = "__note_line__"  # a builtin while it is noted which test runs which statement
EXPLAINED = ROOT / "docs" / "mutation.md"
ROW = re.compile(r"\| `(.+?)` \| `(.+?)` \| `(.+?)` \|")  # file, line of code, change

SWAPS: dict[type[ast.AST], type[ast.AST]] = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq,
    ast.In: ast.NotIn, ast.NotIn: ast.In, ast.Is: ast.IsNot, ast.IsNot: ast.Is,
    ast.And: ast.Or, ast.Or: ast.And, ast.BitAnd: ast.BitOr, ast.BitOr: ast.BitAnd,
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Add, ast.Div: ast.Mult, ast.FloorDiv: ast.Mult,
    ast.Mod: ast.Mult,
}  # fmt: skip
NAMES = {"min": "max", "max": "min", "any": "all", "all": "any", "desc": "asc", "asc": "desc"}
DROPPED = {"where", "order_by"}  # calls of which each argument is left out once
NUMBER = re.compile(r"-?\d+(\.\d+)?")


@dataclass(frozen=True)
class Mutant:
    """One change of one file."""

    file: str
    place: int  # of the changed node, in the order of `_nodes`
    part: int  # of a chained comparison, or of a call's arguments
    line: int
    lines: range  # of the statement that holds the change
    code: str  # the line as it is written
    change: str
    source_hash: str

    @property
    def key(self) -> str:
        return f"{self.file}:{self.source_hash}:{self.place}:{self.part}"

    @property
    def row(self) -> tuple[str, str, str]:
        """What a row of docs/mutation.md says of it."""
        return self.file, self.code, self.change


# --- mutants --------------------------------------------------------------------------------------------


def _nodes(tree: ast.Module) -> Iterator[ast.AST]:
    """Every node that decides something: no docstrings, types or decorators (`frozen=True`)."""
    waiting: list[ast.AST] = [tree]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.keyword) and node.arg == "strict":  # of zip: an assertion
            continue
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


def _parts(node: ast.AST) -> int:
    """How many changes a node offers at most."""
    if isinstance(node, ast.Compare):
        return len(node.ops)
    if isinstance(node, ast.Call) and _name_of(node.func) in DROPPED:
        return len(node.args)
    return 1


def _name_of(function: ast.AST) -> str:
    return (
        function.id
        if isinstance(function, ast.Name)
        else function.attr
        if isinstance(function, ast.Attribute)
        else ""
    )


def _swapped(node: ast.AST, part: int) -> str | None:  # noqa: PLR0911 -- one answer a kind of node
    """Change this node in place; what was changed, or None where there is nothing to change."""
    if isinstance(node, ast.Compare) and part < len(node.ops):
        return _swap(node.ops, part)
    if isinstance(node, ast.Call) and _name_of(node.func) in DROPPED and part < len(node.args):
        return f"{_name_of(node.func)} without {ast.unparse(node.args.pop(part))}"
    if part:
        return None
    if isinstance(node, ast.BoolOp | ast.BinOp):
        held = [node.op]
        change = _swap(held, 0)
        node.op = held[0]
        return change
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not | ast.USub | ast.Invert):
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
        return _changed_call(node, node.func)
    return None


class _Kept(ast.UAdd):
    """Stands for a removed `not` or `~` until `_without_not` takes it away."""


class _WithoutNot(ast.NodeTransformer):
    def visit_UnaryOp(self, node: ast.UnaryOp) -> ast.AST:
        self.generic_visit(node)
        return node.operand if isinstance(node.op, _Kept) else node


def _swap(held: list[Any], place: int) -> str | None:
    other = SWAPS.get(type(held[place]))
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


def _changed_call(call: ast.Call, function: ast.Name | ast.Attribute) -> str | None:
    was = _name_of(function)
    if was in {"sorted", "sort"} and not any(word.arg == "reverse" for word in call.keywords):
        call.keywords.append(ast.keyword("reverse", ast.Constant(value=True)))
        return f"{was} turned round"
    if was not in NAMES or (was in {"any", "all"} and isinstance(function, ast.Attribute)):
        return None  # the `all` of a query's result is no decision
    if isinstance(function, ast.Name):
        function.id = NAMES[was]
    else:
        function.attr = NAMES[was]
    return f"{was} → {NAMES[was]}"


def mutants(wanted: str) -> list[Mutant]:
    """Every mutant of a file, or of some of its functions, in its order."""
    file, _, names = wanted.partition(":")
    source = (ROOT / file).read_text("utf-8")
    tree, written = ast.parse(source), source.splitlines()
    spans = _spans(tree, set(filter(None, names.split(","))))
    digest = hashlib.sha256(source.encode()).hexdigest()[:12]
    found = []
    for place, node in enumerate(_nodes(tree)):
        if not hasattr(node, "lineno"):
            continue
        lines = min((span for span in spans if node.lineno in span), key=len, default=None)
        for part in range(_parts(node) if lines else 0):
            change = _swapped(copy.deepcopy(node), part)
            if change and lines:
                code = written[node.lineno - 1].strip()
                found.append(Mutant(file, place, part, node.lineno, lines, code, change, digest))
    return found


def _spans(tree: ast.Module, names: set[str]) -> list[range]:
    """The lines of each statement, those of the functions named if any are."""
    chosen: list[ast.AST] = [tree]
    if names:
        chosen = [node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name in names]
        assert len(chosen) == len(names), f"not all there: {sorted(names)}"
    return [
        range(node.lineno, (node.end_lineno or node.lineno) + 1)
        for one in chosen
        for node in ast.walk(one)
        if isinstance(node, ast.stmt)
    ]


def compiled(mutant: Mutant) -> CodeType:
    tree = ast.parse((ROOT / mutant.file).read_text("utf-8"))
    node = next(node for place, node in enumerate(_nodes(tree)) if place == mutant.place)
    assert _swapped(node, mutant.part) == mutant.change
    tree = ast.fix_missing_locations(_WithoutNot().visit(tree))
    return _compiled(tree, mutant.file)


def _compiled(source: ast.Module | str, file: str) -> CodeType:
    made: CodeType = compile(source, str(ROOT / file), "exec", dont_inherit=True)
    return made


# --- putting a change into code that is imported already ---------------------------------------------------


def _inner(code: CodeType) -> list[CodeType]:
    return [one for one in code.co_consts if isinstance(one, CodeType)]


def _is_function(code: CodeType) -> bool:
    return code.co_flags & 3 == 3 and not code.co_name.endswith("comp>")  # CO_OPTIMIZED and CO_NEWLOCALS


def _own(code: CodeType) -> CodeType:
    """The code without the functions written in it."""
    return code.replace(
        co_consts=tuple("code" if isinstance(one, CodeType) else one for one in code.co_consts)
    )


def changed_functions(was: CodeType, now: CodeType) -> list[tuple[CodeType, CodeType]] | None:
    """The functions of a module that a change altered, each with its new code, the outermost first.

    None where something else altered: what the module or a class does when it is imported.
    """
    if was == now:
        return []
    if _is_function(was):
        return [(was, now), *(pair for pair in _pairs(was, now) if pair[0] != pair[1])]
    if len(_inner(was)) != len(_inner(now)) or _own(was) != _own(now):
        return None
    found: list[tuple[CodeType, CodeType]] = []
    for one, other in zip(_inner(was), _inner(now), strict=True):
        inside = changed_functions(one, other)
        if inside is None or (inside == [] and one != other):
            return None
        found += inside
    return found


def _pairs(was: CodeType, now: CodeType) -> Iterator[tuple[CodeType, CodeType]]:
    for one, other in zip(_inner(was), _inner(now), strict=False):
        if _is_function(one):
            yield one, other
        yield from _pairs(one, other)


def _place(code: CodeType) -> tuple[Any, ...]:
    return (code.co_qualname, code.co_firstlineno, *list(code.co_positions())[:6])


def live_functions(file: str) -> dict[tuple[Any, ...], list[FunctionType]]:
    """The functions of a file that this process holds, by where their code stands."""
    found: dict[tuple[Any, ...], list[FunctionType]] = {}
    for one in gc.get_objects():
        if isinstance(one, FunctionType) and one.__code__.co_filename == str(ROOT / file):
            found.setdefault(_place(one.__code__), []).append(one)
    return found


def live_caches() -> list[Any]:
    """What our functions of this process remember of earlier calls."""
    return [
        one
        for one in gc.get_objects()
        if isinstance(one, functools._lru_cache_wrapper) and str(one.__module__).startswith(OURS)
    ]


def put_in(
    pairs: Sequence[tuple[CodeType, CodeType]], live: Mapping[tuple[Any, ...], list[FunctionType]]
) -> None:
    """Give the functions of this process their new code."""
    for was, now in pairs:
        for function in live.get(_place(was), ()):
            function.__code__ = now


class _Noting(ast.NodeTransformer):
    """Lets each statement and lambda of a function call NOTE with its line before it runs."""

    def __init__(self) -> None:
        self.depth = 0

    def visit(self, node: ast.AST) -> ast.AST:
        is_function = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
        self.depth += is_function
        self.generic_visit(node)
        if isinstance(node, ast.Lambda):
            node.body = ast.BoolOp(ast.Or(), [self._call(node.lineno), node.body])
        elif self.depth:
            for name in ("body", "orelse", "finalbody"):
                block = getattr(node, name, None)
                if isinstance(block, list) and block and isinstance(block[0], ast.stmt):
                    setattr(node, name, list(self._noted(block)))
        self.depth -= is_function
        return node

    def _noted(self, block: list[ast.stmt]) -> Iterator[ast.stmt]:
        for place, statement in enumerate(block):
            if place or not _is_text(statement):  # a docstring stays the first
                yield ast.Expr(self._call(statement.lineno))
            yield statement

    def _call(self, line: int) -> ast.Call:
        return ast.Call(ast.Name(NOTE, ast.Load()), [ast.Constant(line)], [])


def noting(source: str, file: str) -> CodeType:
    """The file's code, in which each statement of a function notes its line."""
    return _compiled(ast.fix_missing_locations(_Noting().visit(ast.parse(source))), file)


def take_out(pairs: Sequence[tuple[CodeType, CodeType]]) -> None:
    """Give the functions of this process their old code back."""
    before = {now: was for was, now in pairs}
    for one in gc.get_objects():
        if isinstance(one, FunctionType) and (was := before.get(one.__code__)) is not None:
            one.__code__ = was


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


# --- tests ----------------------------------------------------------------------------------------------


def module_of(file: str) -> str:
    return file.removesuffix(".py").replace("/", ".")


def _naming(file: str) -> re.Pattern[str]:
    """Finds the imports of a module in a source."""
    package, _, name = module_of(file).rpartition(".")
    return re.compile(
        rf"\bfrom {re.escape(package)}\.{name} import|\bimport {re.escape(package)}\.{name}\b"
        rf"|\bfrom {re.escape(package)} import [^\n]*\b{name}\b"
        rf"|\bfrom {re.escape(package)} import \([^)]*\b{name}\b"
    )


@functools.cache
def _sources(folders: tuple[str, ...], pattern: str) -> dict[str, str]:
    """The text of each source in these folders by its path from the root."""
    return {
        str(path.relative_to(ROOT)): path.read_text("utf-8")
        for folder in folders
        for path in sorted((ROOT / folder).rglob(pattern))
        if not {"e2e", "kills"} & set(path.parts)
    }


def tests_of(file: str) -> list[str]:
    """The test modules that name this module, those of its own floor and room first.

    Where none does, those that name a module which imports it; and at last its room's.
    """
    package, _, name = module_of(file).rpartition(".")
    own = f"tests/{package.replace('.', '/')}/"
    same_name = f"{own}test_{name}.py"
    tests = _sources(("tests",), "test_*.py")
    naming = [_naming(file)]
    found = {path for path, text in tests.items() if path == same_name or naming[0].search(text)}
    if not found:
        users = _sources(tuple(folder for folder in OURS if folder != "tests"), "*.py")
        naming = [_naming(path) for path, text in users.items() if naming[0].search(text)]
        found = {path for path, text in tests.items() if any(one.search(text) for one in naming)}
    if not found:  # its screens show what it reads
        room = package.rpartition(".")[2]
        rooms = tuple(f"tests/{floor}/{room}/" for floor in ("office", "admin"))
        found = {path for path in tests if path.startswith(rooms)}
    return sorted(found, key=lambda path: (path != same_name, not path.startswith(own), path))


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


@dataclass
class Quick:
    """A plugin of pytest: generated tests try the same few examples for each mutant, and don't shrink one."""

    examples: int

    @pytest.hookimpl(trylast=True)
    def pytest_configure(self) -> None:
        from hypothesis import Phase, settings  # where pytest has imported it

        phases = [Phase.explicit, Phase.generate]
        settings.register_profile("mutants", phases=phases, database=None, derandomize=True)
        settings.load_profile("mutants")

    def pytest_collection_modifyitems(self, items: Sequence[pytest.Item]) -> None:
        from hypothesis import settings

        for item in items:
            test = getattr(item, "obj", None)
            own = getattr(test, "_hypothesis_internal_use_settings", None)  # also where a test says its own
            if own is not None and own.max_examples > self.examples:
                fewer = settings(own, max_examples=self.examples)
                vars(getattr(test, "__func__", test))["_hypothesis_internal_use_settings"] = fewer


def run_pytest(stage: Stage, folder: Path, plugin: Quick) -> int:
    given = ["-o", "addopts=", "-p", "no:cacheprovider", "-x", "-q", "--no-header"]
    given += ["--tb=native", f"--basetemp={folder}"]
    given += ["-o", "tmp_path_retention_policy=none", *(["--noconftest"] if stage.is_pure else [])]
    chosen = ["-m", "not kill and not e2e", "-k", "not postgresql"]
    return int(pytest.main([*given, *chosen, *stage.paths], plugins=[plugin]))


class _Between:
    """Stands for the test that follows, so that what a whole run shares is not torn down."""

    def __init__(self, session: pytest.Session) -> None:
        self.session = session

    def listchain(self) -> list[pytest.Session]:
        return [self.session]


@dataclass
class Judge(Quick):
    """A plugin of pytest: runs each test once unchanged, then those that a mutant concerns, for each mutant.

    `tell` gets each mutant with its fate; a mutant that no function of this process holds is `unplaced`.
    """

    file: str
    chosen: Sequence[Mutant]
    tell: Callable[[Mutant, str], None]
    seconds: dict[pytest.Item, float] = field(default_factory=dict)
    lines: dict[pytest.Item, set[int]] = field(default_factory=dict)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        source = (ROOT / self.file).read_text("utf-8")
        was = _compiled(source, self.file)
        between = _Between(session)
        pairs = list(_pairs(was, noting(source, self.file)))
        put_in(pairs, live_functions(self.file))
        own = [cache for cache in live_caches() if cache.__module__ == module_of(self.file)]
        for item in session.items:
            for cache in own:  # or a test would not run what an earlier one asked
                cache.cache_clear()
            if not self._passes_unchanged(item, between):
                raise session.Failed(item.nodeid)
        take_out(pairs)
        live = live_functions(self.file)
        for cache in live_caches():
            cache.cache_clear()
        gc.freeze()  # so that forked processes share what they don't change
        for mutant in self.chosen:
            pairs = changed_functions(was, compiled(mutant))
            if pairs is None or not all(
                len(one.co_freevars) == len(other.co_freevars) for one, other in pairs
            ):
                self.tell(mutant, "unplaced")
                continue
            if not any(_place(one) in live for one, _ in pairs):
                self.tell(mutant, "unplaced")
                continue
            items = sorted(
                (item for item in session.items if self.lines[item] & set(mutant.lines)),
                key=lambda item: self.seconds[item],
            )
            limit = min(SECONDS, 10 + 10 * sum(self.seconds[item] for item in items))
            survived = ended_well(lambda: self._all_pass(items, pairs, live, between), limit)  # noqa: B023 -- run now
            self.tell(mutant, "survived" if survived else "killed")
        return True

    def _passes_unchanged(self, item: pytest.Item, between: _Between) -> bool:
        seen: set[int] = set()
        builtins.__dict__[NOTE] = seen.add
        begun = time.monotonic()
        reports = runtestprotocol(item, nextitem=between, log=False)  # type: ignore[arg-type] -- see _Between
        self.seconds[item], self.lines[item] = time.monotonic() - begun, seen
        if failed := [report for report in reports if report.failed]:
            print(item.nodeid, failed[0].longreprtext, sep="\n")
        return not failed

    def _all_pass(
        self,
        items: Sequence[pytest.Item],
        pairs: Sequence[tuple[CodeType, CodeType]],
        live: Mapping[tuple[Any, ...], list[FunctionType]],
        between: _Between,
    ) -> bool:
        put_in(pairs, live)
        return all(
            not report.failed
            for item in items
            for report in runtestprotocol(item, nextitem=between, log=False)  # type: ignore[arg-type]
        )


# --- processes ------------------------------------------------------------------------------------------


def ended_well(work: Callable[[], bool], seconds: float, log: Path | None = None) -> bool:
    """Do the work in a forked process; whether it answered True within the time."""
    process = os.fork()
    if not process:
        _do(work, log)
    begun = time.monotonic()
    while time.monotonic() - begun < seconds:
        found, status = os.waitpid(process, os.WNOHANG)
        if found:
            return os.waitstatus_to_exitcode(status) == 0
        time.sleep(0.005)
    os.killpg(process, signal.SIGKILL)
    os.waitpid(process, 0)
    return False


def _do(work: Callable[[], bool], log: Path | None) -> None:
    status = 1
    try:
        os.setpgid(0, 0)  # what it starts ends with it
        if log:
            file = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
            os.dup2(file, 1)
            os.dup2(file, 2)
        status = 0 if work() else 1
    except BaseException:  # noqa: BLE001 -- whatever it was, this process ends here
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


def judged(file: str, chosen: Sequence[Mutant], folder: Path, examples: int) -> dict[Mutant, str]:
    """`killed` or `survived` of each mutant; none of those that some tests can't judge."""
    fates = dict.fromkeys(chosen, "survived")
    for stage in stages_of(file):
        waiting = [mutant for mutant in chosen if fates[mutant] == "survived"]
        if not waiting:
            break
        told = _told(file, waiting, stage, folder, examples)
        if told is None:
            fates |= dict.fromkeys(waiting, "unjudged")
            break
        fates |= told
    return {mutant: fate for mutant, fate in fates.items() if fate != "unjudged"}


def _told(
    file: str, chosen: Sequence[Mutant], stage: Stage, folder: Path, examples: int
) -> dict[Mutant, str] | None:
    """The fates of mutants under these tests; None, said in a line, where they fail without a change."""
    fates: dict[Mutant, str] = {}
    answers, log = folder / "answers", folder / "log"
    answers.unlink(missing_ok=True)

    def tell(mutant: Mutant, fate: str) -> None:
        with answers.open("a", encoding="utf-8") as opened:
            opened.write(f"{chosen.index(mutant)} {fate}\n")

    begun = time.monotonic()
    judge = Judge(examples, file, chosen, tell)
    is_well = ended_well(lambda: run_pytest(stage, folder / "tests", judge) == 0, 3600 * 6, log)
    shutil.rmtree(folder / "tests", ignore_errors=True)
    if not is_well:
        last = log.read_text("utf-8").strip().splitlines()[-30:]
        print(f"{file} can't be judged, its tests fail without a change:", *last, sep="\n  ", flush=True)
        return None
    for line in answers.read_text("utf-8").splitlines():
        place, fate = line.split()
        fates[chosen[int(place)]] = fate
    limit = min(SECONDS, 10 + 10 * (time.monotonic() - begun))
    for mutant in [mutant for mutant, fate in fates.items() if fate == "unplaced"]:

        def all_pass(mutant: Mutant = mutant) -> bool:
            sys.meta_path.insert(0, _Finder(module_of(file), _Loader(compiled(mutant), ROOT / file)))
            return run_pytest(stage, folder / "tests", Quick(examples)) == 0

        fates[mutant] = "survived" if ended_well(all_pass, limit, log) else "killed"
        shutil.rmtree(folder / "tests", ignore_errors=True)
    return fates


# --- the run --------------------------------------------------------------------------------------------


def judge_all(chosen: Sequence[Mutant], results: Path, examples: int) -> dict[str, str]:
    """Try what the results don't tell to be killed; the fate of each mutant by its key."""
    lines = results.read_text("utf-8").splitlines() if results.exists() else []
    fates = {row["key"]: "killed" for row in map(json.loads, lines) if row["fate"] == "killed"}
    place = MEMORY if MEMORY.is_dir() and os.access(MEMORY, os.W_OK) else None
    with tempfile.TemporaryDirectory(dir=place) as temporary, results.open("a", encoding="utf-8") as kept:
        for file in dict.fromkeys(mutant.file for mutant in chosen):
            waiting = [mutant for mutant in chosen if mutant.file == file and mutant.key not in fates]
            begun = time.monotonic()
            for mutant, fate in judged(file, waiting, Path(temporary), examples).items():
                fates[mutant.key] = fate
                row = {"key": mutant.key, "fate": fate, "line": mutant.line, "change": mutant.change}
                kept.write(json.dumps(row) + "\n")
            kept.flush()
            print(f"{file:44} {time.monotonic() - begun:.0f} s", flush=True)
    return fates


def explained() -> set[tuple[str, str, str]]:
    """File, line of code and change of each mutant that docs/mutation.md says no test can notice."""
    rows = (line.replace("\\|", "¦") for line in EXPLAINED.read_text("utf-8").splitlines())
    found = (match.groups() for match in map(ROW.match, rows) if match)
    return {(file, code.replace("¦", "|"), change.replace("¦", "|")) for file, code, change in found}


def report(chosen: Sequence[Mutant], fates: Mapping[str, str]) -> float:
    """Print the survivors and the scores; the share that was killed of those that a test can notice."""
    known = explained()
    counted = [mutant for mutant in chosen if mutant.row not in known or fates.get(mutant.key) == "killed"]
    print("\nSurvivors")
    for mutant in counted:
        if fates.get(mutant.key) != "killed":
            print(f"  {mutant.file}:{mutant.line}  {mutant.change}  in  {mutant.code}")
    print("\nScores")
    for file in [*sorted({mutant.file for mutant in chosen}), ""]:
        own = [fates.get(mutant.key) == "killed" for mutant in counted if file in {mutant.file, ""}]
        left_out = sum(file in {mutant.file, ""} for mutant in chosen) - len(own)
        share = sum(own) / len(own) if own else 1.0
        print(f"  {file or 'all':44} {sum(own):4} of {len(own):4}  {share:6.1%}  and {left_out} explained")
    print(f"goal {GOAL:.0%}")
    return share


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("files", nargs="*", help="paths from the root; FILE:FUNCTION,… for some functions")
    parser.add_argument("--sample", type=int, help="so many mutants, drawn by lot, instead of all")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--examples", type=int, default=25, help="at most so many of each generated test")
    parser.add_argument(
        "--results", type=Path, default=Path(tempfile.gettempdir()) / "gatehouse-mutants.jsonl"
    )
    options = parser.parse_args()
    os.chdir(ROOT)
    sys.dont_write_bytecode = False  # or each process would compile every test anew
    for library in LIBRARIES:
        __import__(library)
    rules = sorted(f"rules/{path.name}" for path in (ROOT / "rules").glob("*.py") if path.stem != "__init__")
    chosen = [mutant for file in options.files or [*rules, *READ_MODELS] for mutant in mutants(file)]
    if options.sample and options.sample < len(chosen):
        drawn = set(random.Random(options.seed).sample(range(len(chosen)), options.sample))
        chosen = [mutant for place, mutant in enumerate(chosen) if place in drawn]
    print(f"{len(chosen)} mutants", flush=True)
    return 0 if report(chosen, judge_all(chosen, options.results, options.examples)) >= GOAL else 1


if __name__ == "__main__":
    sys.exit(main())
