"""Every symbol that a screen, an action or a page names is there; a column is called by its record."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from admin.panel.column_names import column_name

ADMIN = Path(__file__).parents[3] / "admin"
NAMED = re.compile(r"""\bicon\s?=\s?"([a-z0-9-]+)"|\bicon\('([a-z0-9-]+)'\)""")


def test_every_named_icon_is_in_the_sheet() -> None:
    sheet = set(re.findall(r'id="([a-z0-9-]+)"', (ADMIN / "static/icons.svg").read_text()))
    named = {
        (file.relative_to(ADMIN).as_posix(), one or other)
        for file in (*ADMIN.rglob("*.py"), *ADMIN.rglob("templates/**/*.html"))
        for one, other in NAMED.findall(file.read_text())
    }

    assert len(named) > 100
    assert [each for each in sorted(named) if each[1] not in sheet] == []


@pytest.mark.parametrize(
    ("field", "name"),
    [
        ("cashier.name", "Cashier"),
        ("day_close.cashier.name", "Cashier"),
        ("invoice.unit.code", "Unit no."),
        ("unit.code", "Unit no."),
        ("nothing.known", None),
    ],
)
def test_a_column_is_called_by_its_record(field: str, name: str | None) -> None:
    found = column_name(field)

    assert (None if found is None else str(found)) == name
