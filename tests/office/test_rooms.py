"""What a room gives to the whole reaches it: nothing is left out, and no name is given twice."""

from __future__ import annotations

import importlib
import importlib.util
import pkgutil
from types import ModuleType

import pytest

import office
from office import rooms

JOINED = {
    "JOBS": [job.code for job in rooms.TIMETABLE],
    "CHECKS": list(rooms.CHECKS),
    "EXPLAINS": list(rooms.EXPLAINS),
    "IMPORTS": list(rooms.IMPORTS),
    "EXPORTS": list(rooms.EXPORTS),
}


def room_files() -> list[ModuleType]:
    names = [each.name for each in pkgutil.iter_modules(office.__path__, "office.") if each.ispkg]
    return [
        importlib.import_module(f"{name}.room")
        for name in names
        if importlib.util.find_spec(f"{name}.room") is not None
    ]


def given(files: list[ModuleType], kind: str) -> list[object]:
    """What the rooms list under this name, jobs by theirs."""
    found = [each for file in files for each in getattr(file, kind, ())]
    return [each.code for each in found] if kind == "JOBS" else found


@pytest.mark.parametrize("kind", JOINED)
def test_whatever_a_room_gives_is_joined_and_has_a_name_of_its_own(kind: str) -> None:
    found = given(room_files(), kind)

    assert found
    assert len(set(found)) == len(found)
    assert set(found) <= set(JOINED[kind])


def test_two_rooms_that_give_one_name_are_an_error_at_start() -> None:
    with pytest.raises(ValueError, match="two rooms give units"):
        rooms.joined({"units": 1}, {"units": 2})


def test_control_a_room_that_is_forgotten_is_noticed() -> None:
    forgotten = ModuleType("office.garden.room")
    forgotten.EXPORTS = {"hedges": None}  # type: ignore[attr-defined]

    assert not set(given([*room_files(), forgotten], "EXPORTS")) <= set(JOINED["EXPORTS"])
