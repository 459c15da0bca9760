"""`/inbox/`: one list per kind of work of all that waits for the person, and its counts beside the menu (K6).

What waits are the rows of the one-click views that say for whom they wait (`OneClick.awaits`): those a person
may reach and act on. A request that one made oneself waits for somebody else.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from flask import jsonify, url_for
from flask_admin import expose
from flask_babel import lazy_gettext as _l
from markupsafe import Markup
from werkzeug.wrappers import Response

from admin import menu
from admin.panel import list_query, paging, row_counts
from admin.panel.columns import Column
from admin.panel.filters import OneClick
from admin.panel.screen import OfficePage
from admin.panel.signed_in import current_staff
from admin.panel.view import OfficeView
from models.base import db

SHOWN = 5  # rows of each kind
COLUMNS = 5


@dataclass(frozen=True)
class Waiting:
    """The rows of one view of a list that wait for the person: how many, and whether that is exact."""

    view: OfficeView
    one_click: OneClick
    count: int
    is_exact: bool

    @property
    def address(self) -> str:
        return url_for(f"{self.view.screen}.index_view", view=self.one_click.code)

    def table(self) -> tuple[list[Column], Markup]:
        """The first rows in the order of their list, and the columns they show."""
        query = list_query.read_query(self.view, {"view": self.one_click.code})
        query = replace(query, size=SHOWN, columns=query.columns[:COLUMNS])
        page = paging.page(db.session(), self.view, query, self.conditions())
        columns = self.view.columns(query.columns)
        return columns, self.view.rendered_rows(page.rows[:SHOWN], columns, has_ticks=False)

    def conditions(self) -> list[Any]:
        return _conditions(self.view, self.one_click)


class InboxPage(OfficePage):
    screen, title, icon = "inbox", _l("Inbox"), "inbox"
    verbs = {"counts": "see"}

    @expose("/")
    def index(self) -> str:
        return self.render("shell/inbox.html", waiting=waiting())

    @expose("/counts")
    def counts(self) -> Response:
        """How much waits, by entry of the menu and in all: asked for by each page after it is shown."""
        found: Counter[str] = Counter()
        for one in waiting():
            found[menu.entry_of(one.view.screen).code] += one.count
            found["today"] += one.count
        return jsonify(found)


def waiting() -> list[Waiting]:
    """All that waits for who is signed in, in the order of the menu."""
    found = []
    for view, one_click in _asked():
        count, is_exact = row_counts.count(db.session(), view, _conditions(view, one_click))
        if count:
            found.append(Waiting(view, one_click, count, is_exact))
    return found


def _asked() -> Iterator[tuple[OfficeView, OneClick]]:
    for entry in menu.ENTRIES:
        for view in menu.visible(entry.tabs + entry.more):
            if isinstance(view, OfficeView):
                for one in view.one_click:
                    if one.awaits and view.may(one.awaits):
                        yield view, one


def _conditions(view: OfficeView, one_click: OneClick) -> list[Any]:
    asked_by = getattr(view.model, "asked_by_id", None)
    own = [asked_by != current_staff().id] if asked_by is not None else []
    return [*view.scope(), *one_click.conditions(view), *own]
