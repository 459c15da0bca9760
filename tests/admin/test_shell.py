"""What rooms give to the screens is joined: screens, their rows of permissions, row access (P7, F4)."""

from __future__ import annotations

import importlib
import pkgutil
import re
from collections.abc import Iterable
from pathlib import Path

import pytest

import admin
from admin import menu, shell
from admin.arrears import screens as arrears
from admin.billing import screens as billing
from admin.complaints import screens as complaints
from admin.estate import screens as estate
from admin.panel import permissions
from admin.panel.row_access import RowAccess
from admin.panel.screen import Screen
from admin.panel.view import OfficeView
from admin.payments import screens as payments
from admin.vouchers import screens as vouchers
from models.collection import Contact
from tests.admin.conftest import TRIALS

ROOT = Path(shell.__file__).parent
ASKED = re.compile(r"""\bmay(?:_see)?\((?:[\w.()]+, )?["'](\w+)["']""")


def defined() -> set[type[Screen]]:
    """Each class in a room's files that has an address of its own."""
    found: set[type[Screen]] = set()
    for each in pkgutil.walk_packages(admin.__path__, "admin."):
        file = importlib.import_module(each.name)
        found |= {
            value
            for value in vars(file).values()
            if isinstance(value, type)
            and issubclass(value, Screen)
            and value.__module__ == each.name
            and value.__dict__.get("screen")
        }
    return found


def without_screen(screens: Iterable[type[Screen]]) -> set[str]:
    """Rows of permissions that nothing asks for."""
    tried = {trial.screen for trial in TRIALS}  # the screens of other tests
    return set(permissions.SCREENS) - tried - {each.screen for each in screens}


def asked() -> set[str]:
    """Screens that code and templates name when they ask what somebody may."""
    files = [file for kind in ("*.py", "*.html") for file in ROOT.rglob(kind)]
    return {name for file in files for name in ASKED.findall(file.read_text(encoding="utf-8"))}


def test_every_screen_that_a_room_defines_is_served() -> None:
    assert defined() == set(shell.SCREENS)


def test_every_screen_has_its_row_of_permissions() -> None:
    assert {screen.screen for screen in shell.SCREENS} <= set(permissions.SCREENS)


def test_whoever_asks_for_a_screen_names_one_that_exists() -> None:
    assert "complainants" in asked()
    assert asked() - permissions.LETTERS.keys() <= set(permissions.SCREENS)


def test_no_row_of_permissions_is_dead() -> None:
    assert without_screen(shell.SCREENS) == set()


def test_control_a_row_that_nothing_asks_for_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(permissions.SCREENS, "undertakings", {"manager": "s"})

    assert without_screen(shell.SCREENS) == {"undertakings"}
    assert without_screen(shell.SCREENS[1:]) == {"undertakings", shell.SCREENS[0].screen}


def test_the_menu_has_at_most_nine_entries_in_which_every_screen_stands_once() -> None:
    menu.check(shell.SCREENS)

    assert len(menu.JOBS) + 1 <= 9


@pytest.mark.parametrize(
    ("screens", "problem"),
    [
        (shell.SCREENS[1:], f"in the menu, but no screen: {shell.SCREENS[0].screen}"),
        ((*shell.SCREENS, TRIALS[0]), f"without a place in the menu: {TRIALS[0].screen}"),
    ],
)
def test_a_menu_that_misses_a_screen_starts_no_program(
    screens: tuple[type[Screen], ...], problem: str
) -> None:
    with pytest.raises(ValueError, match=f"^{problem}$"):
        menu.check(screens)


def test_a_screen_named_twice_in_the_menu_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    twice = menu.Entry("again", "", "", ("units",))
    monkeypatch.setattr(menu, "ENTRIES", (*menu.ENTRIES, twice))

    with pytest.raises(ValueError, match="named twice in the menu: units"):
        menu.check(shell.SCREENS)


ROOMS = (arrears, billing, complaints, estate, payments, vouchers)
OF_SOMEBODY = {"unit_id", "ticket_id", "invoice_id", "owner_id", "payer_id"}


def unguarded(rules: RowAccess) -> set[str]:
    """Screens of somebody's rows without a rule whose they are, whoever may see them today (F22)."""
    return {
        screen.screen
        for screen in shell.SCREENS
        if issubclass(screen, OfficeView)
        and (table := screen.table)
        and OF_SOMEBODY & set(table.__table__.columns.keys())
        and table not in rules
    }


def test_each_room_s_row_access_is_joined_once() -> None:
    given = [table for room in ROOMS for table in room.ROW_ACCESS]

    assert len(given) == len(set(given))
    assert set(given) == set(shell.ROW_ACCESS)


def test_every_table_of_somebody_s_rows_says_whose_they_are() -> None:
    assert unguarded(shell.ROW_ACCESS) == set()


def test_control_a_table_without_its_rule_is_noticed() -> None:
    rules = {table: rule for table, rule in shell.ROW_ACCESS.items() if table is not Contact}

    assert unguarded(rules) == {"contacts"}
