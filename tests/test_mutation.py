"""The mutants of `python -m tests.mutation`: each is another program than the file it came from (R6)."""

from __future__ import annotations

import ast
from pathlib import Path

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


def test_each_decision_is_changed_and_nothing_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mutation, "ROOT", tmp_path)
    (tmp_path / "late.py").write_text(MODULE)

    found = mutation.mutants("late.py")

    changes = ["3 → 4", "And → Or", "Not removed", "LtE → Lt", "NotEq → Eq", "0 → 1"]
    assert [mutant.change for mutant in found] == changes
    assert len({mutation.compiled(mutant).co_code for mutant in found} | {mutant.key for mutant in found}) > 6


@pytest.mark.parametrize("file", ["rules/dunning.py", *mutation.READ_MODELS])
def test_every_mutant_can_be_made_and_has_tests(file: str) -> None:
    assert mutation.tests_of(file)
    for mutant in mutation.mutants(file)[:40]:
        mutation.compiled(mutant)
    assert ast.parse((mutation.ROOT / file).read_text("utf-8"))
