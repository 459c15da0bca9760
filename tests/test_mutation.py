"""The mutants of `python -m tests.mutation`: each is another program than the file it came from (R6)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests import mutation

MODULE = '''
from dataclasses import dataclass

@dataclass(frozen=True)
class Terms:
    days: int = 3

def is_late(days: int, terms: Terms) -> bool:
    """Whether 1 is less than 2."""
    return not days <= terms.days and days != 0
'''
LATE_BILLS = '''
def late(bills, day):
    """The bills past due."""
    def key(bill):
        return bill.due_on
    return sorted((bill for bill in bills.where(bills.is_open, day > 3).all()), key=key)
'''
OLDEST = '''
def oldest(days):
    """The first of the days."""
    if not days:
        return None
    return min(days,
               key=lambda day: day)
'''


def test_each_decision_is_changed_and_nothing_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mutation, "ROOT", tmp_path)
    (tmp_path / "late.py").write_text(MODULE)

    found = mutation.mutants("late.py")

    changes = ["3 → 4", "And → Or", "Not removed", "LtE → Lt", "NotEq → Eq", "0 → 1"]
    assert [mutant.change for mutant in found] == changes
    assert len({mutation.compiled(mutant).co_code for mutant in found} | {mutant.key for mutant in found}) > 6


def test_conditions_and_orders_are_changed_in_functions_that_are_in_use(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mutation, "ROOT", tmp_path)
    (tmp_path / "bills.py").write_text(LATE_BILLS)
    was = compile(LATE_BILLS, str(tmp_path / "bills.py"), "exec", dont_inherit=True)

    found = mutation.mutants("bills.py")
    of_late = mutation.mutants("bills.py:late")

    assert [mutant.change for mutant in found] == [
        "sorted turned round",
        "where without bills.is_open",
        "where without day > 3",
        "Gt → GtE",
        "3 → 4",
    ]
    assert found == of_late
    for mutant in found:
        pairs = mutation.changed_functions(was, mutation.compiled(mutant))
        assert pairs
        assert pairs[0][0].co_name == "late"


def test_each_statement_and_lambda_that_runs_is_noted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mutation, "ROOT", tmp_path)
    seen: set[int] = set()
    monkeypatch.setattr(f"builtins.{mutation.NOTE}", seen.add, raising=False)
    was = compile(OLDEST, str(tmp_path / "oldest.py"), "exec", dont_inherit=True)
    module: dict[str, Any] = {}
    exec(was, module)
    pairs = list(mutation._pairs(was, mutation.noting(OLDEST, "oldest.py")))

    mutation.put_in(pairs, mutation.live_functions("oldest.py"))
    assert module["oldest"]([2, 1]) == 1
    noted = set(seen)
    seen.clear()
    mutation.take_out(pairs)
    assert module["oldest"]([]) is None

    assert noted == {4, 6, 7}
    assert seen == set()


def test_a_change_of_what_an_import_does_is_told_apart() -> None:
    was, now = compile("LIMIT = 3", "limits.py", "exec"), compile("LIMIT = 4", "limits.py", "exec")

    assert mutation.changed_functions(was, was) == []
    assert mutation.changed_functions(was, now) is None


@pytest.mark.parametrize("file", ["rules/dunning.py", *mutation.READ_MODELS])
def test_every_mutant_can_be_made_and_has_tests(file: str) -> None:
    found = mutation.mutants(file)

    assert mutation.tests_of(found[0].file)
    for mutant in found[:40]:
        mutation.compiled(mutant)
