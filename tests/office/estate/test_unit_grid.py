"""The unit grid: the order of buildings, floors and units, and each state at its boundary (P8, K4)."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import pytest
from sqlalchemy.orm import Session

from office.estate import unit_grid
from office.estate.unit_grid import Block
from tests.factories.rows import (
    add_building,
    add_household,
    add_invoice,
    add_ticket,
    add_unit,
    add_visit,
    at,
)

TODAY = date(2026, 3, 19)
DAY = timedelta(days=1)
NOW = at("2026-03-19 10:00")
SECOND = timedelta(seconds=1)


def grid(session: Session, what: str) -> list[Block]:
    return unit_grid.grid(session, unit_grid.buildings(session, ()), what, today=TODAY, now=NOW)


def squares(session: Session, what: str) -> dict[str, tuple[str, object]]:
    """The state and figure of each unit, by its code."""
    return {
        square.code: (square.state, square.figure)
        for block in grid(session, what)
        for floor in block.floors
        for square in floor.squares
    }


BUILDINGS = [  # area, its position, building, its position: in the order wanted
    ("West", 1, "9", 0),
    ("West", 1, "1", 1),
    ("West", 1, "2", 1),
    ("East", 2, "3", 0),
    ("North", 2, "1", 0),
]


@pytest.mark.parametrize("made", [BUILDINGS, BUILDINGS[::-1]])
def test_buildings_are_in_the_order_of_area_and_position(
    session: Session, made: list[tuple[str, int, str, int]]
) -> None:
    for area, area_position, name, position in made:
        add_building(session, area, name, position=position, area_position=area_position)

    found = unit_grid.buildings(session, ())

    assert [(area, name) for _, area, name in found] == [(area, name) for area, _, name, _ in BUILDINGS]


def test_a_steward_chooses_among_the_own_buildings(session: Session) -> None:
    one, other = add_building(session, name="1"), add_building(session, name="2")

    assert [key for key, *_ in unit_grid.buildings(session, [other.id])] == [other.id]
    assert [key for key, *_ in unit_grid.buildings(session, ())] == [one.id, other.id]


def test_the_highest_floor_is_on_top_and_units_stand_by_code(session: Session) -> None:
    first, second = add_building(session, name="1"), add_building(session, name="2")
    for code, floor in [("B", 2), ("A", 2), ("D", -2), ("E", None), ("C", 11)]:
        add_unit(session, code, first, floor=floor)
    add_unit(session, "F", second, floor=1)

    blocks = unit_grid.grid(session, unit_grid.buildings(session, ())[::-1], "owed", today=TODAY, now=NOW)

    drawn = [
        (block.name, [(floor.number, [square.code for square in floor.squares]) for floor in block.floors])
        for block in blocks
    ]
    assert drawn == [
        ("2", [(1, ["F"])]),
        ("1", [(11, ["C"]), (2, ["A", "B"]), (-2, ["D"]), (None, ["E"])]),
    ]


def test_only_units_of_the_chosen_buildings_are_drawn_and_one_may_be_empty(session: Session) -> None:
    first, second = add_building(session, name="1"), add_building(session, name="2")
    add_unit(session, "A", first)
    chosen = [row for row in unit_grid.buildings(session, ()) if row[0] == second.id]

    (block,) = unit_grid.grid(session, chosen, "owed", today=TODAY, now=NOW)

    assert (block.name, block.floors, block.counts) == ("2", (), {})
    assert unit_grid.grid(session, [], "owed", today=TODAY, now=NOW) == []


def test_a_bill_is_overdue_from_the_day_after_it_is_due(session: Session) -> None:
    for code, due_days in {"late": (-1,), "today": (0,), "later": (1,), "both": (1, -1)}.items():
        debtor = add_household(session, code)
        for number in due_days:
            add_invoice(session, debtor, TODAY + number * DAY, "100.50")
    add_invoice(session, add_household(session, "paid"), TODAY - DAY, "100", "0.00")
    add_invoice(session, add_household(session, "fen"), TODAY, "100", "0.01")
    add_unit(session, "unsold", state="unsold")
    add_unit(session, "vacant", state="vacant")

    assert squares(session, "owed") == {
        "late": ("overdue", Decimal("100.50")),
        "today": ("open", Decimal("100.50")),
        "later": ("open", Decimal("100.50")),
        "both": ("overdue", Decimal(201)),
        "paid": ("clear", None),
        "fen": ("open", Decimal("0.01")),
        "unsold": ("unsold", None),
        "vacant": ("clear", None),
    }
    (block,) = grid(session, "owed")
    assert block.counts == {"overdue": 2, "open": 3, "clear": 2, "unsold": 1}


def test_an_open_complaint_shows_and_an_escalated_one_before_it(session: Session) -> None:
    for code, levels in {"plain": (0,), "first": (1,), "both": (0, 2)}.items():
        unit = add_unit(session, code)
        for level in levels:
            add_ticket(session, NOW, unit.id, level=level)
    closed = add_unit(session, "closed")
    add_ticket(session, NOW, closed.id, level=1, state="closed", closed_at=NOW)
    resolved = add_unit(session, "resolved")
    add_ticket(session, NOW, resolved.id, level=1, state="resolved", resolved_at=NOW)
    add_ticket(session, NOW)  # of no unit

    assert squares(session, "complaints") == {
        "plain": ("complaint", 1),
        "first": ("escalated", 1),
        "both": ("escalated", 2),
        "closed": ("clear", None),
        "resolved": ("complaint", 1),
    }


def test_a_visit_is_late_after_its_time(session: Session) -> None:
    for code, waits in {"late": (-SECOND,), "now": (0 * SECOND,), "both": (DAY, -SECOND)}.items():
        unit = add_unit(session, code)
        for wait in waits:
            add_visit(session, NOW - DAY, NOW + wait, unit.id)
    done = add_unit(session, "done")
    add_visit(session, NOW - DAY, NOW - DAY, done.id, done_at=NOW)

    assert squares(session, "visits") == {
        "late": ("visit_late", 1),
        "now": ("visit", 1),
        "both": ("visit_late", 2),
        "done": ("clear", None),
    }
