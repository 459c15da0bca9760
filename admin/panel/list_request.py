"""What a reader asks of a list, as it was read from the query string (admin/panel/list_query.py)."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

CURSORS = frozenset({"after", "before"})  # parameters that say where in the list one is
LOOKS = CURSORS | {
    "sort",
    "columns",
    "page_size",
    "group",
    "all",
}  # that say how it is shown, not what it holds


@dataclass
class Query:
    """What a reader asks of a list: filters, search, order, place, columns."""

    args: dict[str, str]
    search: str
    sort: str
    is_descending: bool
    size: int
    cursor: tuple[Any, int] | None
    is_backward: bool
    one_click: str
    columns: tuple[str, ...]
    unstorable: frozenset[str] = frozenset()  # parameters with characters that no database takes
    unsorted: str = ""  # what it was to be ordered by, had not too many rows matched
    unread: dict[str, str] = field(default_factory=dict)  # what is wrong with each filter that isn't applied

    @cached_property
    def key(self) -> tuple[tuple[str, str], ...]:
        """The address without the place in the list: the cache key of fragments of the page."""
        return tuple((name, value) for name, value in self.args.items() if name not in CURSORS)

    @cached_property
    def filtered(self) -> tuple[tuple[str, str], ...]:
        """What of the address says which rows match, in one order."""
        return tuple(sorted((name, value) for name, value in self.args.items() if name not in LOOKS))

    @cached_property
    def readable(self) -> dict[str, str]:
        """The address without the filters that can't be read."""
        return {name: value for name, value in self.args.items() if name not in self.unread}
