"""The gate runs in the quickest Python of the version that was found (S21)."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.quickest_python import measured, quickest

FIRST, SAME, OLDER, QUICK, NEWER = "3.11 0.050", "3.11 0.048", "3.10 0.001", "3.11 0.030", "3.12 0.001"


@pytest.mark.parametrize(
    ("told", "taken"),
    [
        ((FIRST,), 0),
        ((FIRST, SAME), 0),
        ((FIRST, QUICK), 1),
        ((FIRST, SAME, QUICK), 2),
        ((FIRST, QUICK, SAME), 1),
        ((FIRST, OLDER, NEWER), 0),
        ((FIRST, "no Python", ""), 0),
        (("no Python", QUICK), 0),
    ],
)
def test_another_is_taken_only_of_the_same_version_and_when_clearly_quicker(
    tmp_path: Path, told: tuple[str, ...], taken: int
) -> None:
    pythons = []
    for number, words in enumerate(told):
        script = tmp_path / f"python-{number}"
        script.write_text(f"#!/bin/sh\necho {words}\n", encoding="utf-8")
        script.chmod(0o755)
        pythons.append(str(script))

    assert quickest(pythons) == pythons[taken]


def test_this_one_is_measured_and_one_that_is_not_there_passed_over(tmp_path: Path) -> None:
    found = measured(sys.executable)

    assert found is not None
    assert found[0] == f"{sys.version_info.major}.{sys.version_info.minor}"
    assert found[1] > 0
    assert measured(str(tmp_path / "none")) is None
