"""The search box of every page (S17)."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Any

from flask import redirect, request, url_for
from flask_admin import expose
from flask_babel import lazy_gettext as _l
from sqlalchemy import select

from admin.panel import row_access
from admin.panel.permissions import may
from admin.panel.registry import view_of
from admin.panel.signed_in import current_staff
from admin.panel.view import OfficePage
from models.base import db
from models.property import Unit
from office.estate import search

SCREEN_OF = {
    "unit": "units",
    "owner": "owners",
    "invoice": "invoices",
    "payment": "payments",
    "ticket": "tickets",
    "vehicle": "vehicles",
}
KIND_LABELS = {
    "unit": _l("Unit"),
    "owner": _l("Owner"),
    "invoice": _l("Invoice"),
    "payment": _l("Receipt"),
    "ticket": _l("Complaint ticket"),
    "vehicle": _l("Vehicle"),
}


def address(hit: search.Hit) -> str:
    """Where a hit leads: a unit or owner to the household file, the others to their record."""
    if hit.unit_id is not None and hit.kind in {"unit", "owner"}:
        return url_for("household.index", unit_id=hit.unit_id)
    return url_for(f"{SCREEN_OF[hit.kind]}.details_view", id=hit.id)


def within_reach(hits: list[search.Hit]) -> list[search.Hit]:
    """The hits whose rows the reader may touch; units are no secret, who lives there and their files are."""
    for kind, screen in SCREEN_OF.items():
        bounds = view_of(screen).scope()
        ids = {hit.id for hit in hits if hit.kind == kind}
        if bounds and ids:
            model = view_of(screen).model
            ids = set(db.session.scalars(select(model.id).where(model.id.in_(ids), *bounds)))
            hits = [hit for hit in hits if hit.kind != kind or hit.id in ids]
    if not row_access.visible_rows(Unit):
        return hits
    wanted = {hit.unit_id for hit in hits}
    own = set(db.session.scalars(select(Unit.id).where(Unit.id.in_(wanted), *row_access.visible_rows(Unit))))
    return [
        hit if hit.unit_id in own else replace(hit, detail="", unit_id=None)
        for hit in hits
        if hit.unit_id in own or hit.kind in {"unit", "owner"}
    ]


def more(text: str, hits: list[search.Hit]) -> list[tuple[str, str]]:
    """Of each kind with more hits than are shown, its own list."""
    found = Counter(hit.kind for hit in hits)
    return [
        (kind, url_for(f"{screen}.index_view", search=text))
        for kind, screen in SCREEN_OF.items()
        if found[kind] >= search.EACH
    ]


class SearchPage(OfficePage):
    screen = "search"
    title = _l("Search")
    icon = "search"

    @expose("/")
    def index(self) -> Any:
        text = request.args.get("q", "")
        roles = current_staff().roles
        kinds = frozenset(kind for kind, screen in SCREEN_OF.items() if may(roles, screen, "see"))
        hits = within_reach(search.search(db.session(), text, kinds))
        if len(hits) == 1:
            return redirect(address(hits[0]))
        return self.render(
            "estate/search.html",
            text=text,
            hits=hits,
            more=more(text, hits),
            address=address,
            kinds=KIND_LABELS,
        )


SCREENS = (SearchPage,)
