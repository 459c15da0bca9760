"""How a person has a list, remembered for each device: columns in order, widths, density, where it opens.

A list without a choice of the person's shows its usual columns, but none in which no row has a value.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import isnan
from time import monotonic
from typing import Any
from weakref import WeakKeyDictionary

from flask import flash, g, has_request_context, jsonify, redirect, request
from flask_admin import expose
from flask_babel import gettext as _
from sqlalchemy import Engine, bindparam, select
from sqlalchemy.orm import Session

from admin.panel import formats
from admin.panel.actions import Actions
from admin.panel.audit import pending_changes, record
from admin.panel.paging import shown_rows
from admin.panel.saved_views import SavedViews
from admin.panel.signed_in import current_staff, staff_if_signed_in
from models.base import db
from models.office import DENSITIES, ListSetting

COOKIE = "device"  # what the page's script knows better than the browser's name
NARROWEST, WIDEST = 40, 1200  # pixels of a column
LOOKED_AT = 500  # rows at each end of a table that say whether a column has values
FEWEST = 20  # rows below which no column is taken for always empty
SECONDS_EMPTY = 600  # for which that is remembered

_SETTING = select(ListSetting.columns, ListSetting.widths, ListSetting.density, ListSetting.start).where(
    ListSetting.staff_id == bindparam("staff_id"),
    ListSetting.screen == bindparam("screen"),
    ListSetting.device == bindparam("device"),
)


@dataclass(frozen=True)
class Setting:
    """A person's choices for a list; empty: as it comes."""

    columns: tuple[str, ...] = ()
    widths: Mapping[str, int] = field(default_factory=dict)
    density: str = ""
    start: str = ""


def device() -> str:
    """`phone` or `desk`: what this request comes from."""
    known = request.cookies.get(COOKIE, "")
    if known in {"phone", "desk"}:
        return known
    return "phone" if "Mobi" in request.headers.get("User-Agent", "") else "desk"


class ListSettings(Actions, SavedViews):
    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._filled: WeakKeyDictionary[Engine, tuple[float, tuple[str, ...]]] = WeakKeyDictionary()

    def setting(self) -> Setting:
        """The person's choices for this list on this device; read once a request."""
        staff = staff_if_signed_in()
        if staff is None or not has_request_context():
            return Setting()
        known: dict[str, Setting] = g.setdefault("list_settings", {})
        if self.screen not in known:
            asked = {"staff_id": staff.id, "screen": self.screen, "device": device()}
            row = db.session.connection().execute(_SETTING, asked).first()
            known[self.screen] = Setting() if row is None else self._read(row)
        return known[self.screen]

    def _read(self, row: Any) -> Setting:
        columns = tuple(name for name in row.columns.split(",") if name in self.column_names)
        widths = {name: width for name, width in (row.widths or {}).items() if name in self.column_names}
        return Setting(columns, widths, row.density, row.start)

    @property
    def default_columns(self) -> tuple[str, ...]:
        if not has_request_context() or staff_if_signed_in() is None:
            return tuple(self.column_list)
        return self.setting().columns or self.filled_columns()

    def filled_columns(self) -> tuple[str, ...]:
        """The usual columns without those that are empty in every row looked at."""
        until, names = self._filled.get(db.engine, (0.0, ()))
        if until < monotonic():
            names = self._without_empty(db.session())
            self._filled[db.engine] = (monotonic() + SECONDS_EMPTY, names)
        return names

    def _without_empty(self, session: Session) -> tuple[str, ...]:
        names = tuple(self.column_list)
        own = self.model.id
        ids = {
            key
            for order in (own.asc(), own.desc())
            for key in session.connection().scalars(select(own).order_by(order).limit(LOOKED_AT))
        }
        if len(ids) < FEWEST:
            return names
        rows = shown_rows(session, self, names, sorted(ids))
        return tuple(
            name
            for place, name in enumerate(names)
            if place == 0 or name in self.column_editable_list or any(self._shows(name, row) for row in rows)
        )

    def _shows(self, name: str, row: Any) -> bool:
        column = self.column(name)
        return bool(column.show(getattr(row, column.key), row) != formats.EMPTY)

    @expose("/arrange/", methods=("POST",))
    def arrange_view(self) -> Any:
        """Remember columns, widths and density for this person and device; `reset` forgets them."""
        form, home = request.form, self.return_url()
        row = self._own_setting()
        if form.get("reset"):
            row.columns, row.widths, row.density = "", {}, ""
        else:
            if "columns" in form:
                wanted = [name for name in form.get("columns", "").split(",") if name in self.column_names]
                row.columns = ",".join(dict.fromkeys(wanted))
            if "widths" in form:
                row.widths = self._widths(form["widths"])
            if form.get("density", row.density) in DENSITIES:
                row.density = form.get("density", row.density)
        self._keep(row)
        if request.headers.get("Accept") == "application/json":
            return jsonify(ok=True)
        flash(_("This list stays as you have arranged it."), "success")
        return redirect(home)

    def start_address(self, saved_views: Sequence[Any]) -> str:
        """Where the list opens for this person: the address of a view that is still there; else nothing."""
        start = self.setting().start
        for each in saved_views:
            if start == f"view:{each.id}" and each.query:
                return f"{self.get_url(self.home)}?{each.query}"
        return self.get_url(self.home, view=start) if start in self.one_click_codes else ""

    @expose("/views/start/", methods=("POST",))
    def start_view(self) -> Any:
        """Where the list opens for this person on this device from now on; empty: as it comes."""
        start = request.form.get("start", "")
        known = {f"view:{each.id}" for each in self._saved_views()} | self.one_click_codes
        row = self._own_setting()
        row.start = start if start in known else ""
        self._keep(row)
        flash(_("Saved."), "success")
        return redirect(self.return_url())

    def _own_setting(self) -> ListSetting:
        about = {"staff_id": current_staff().id, "screen": self.screen, "device": device()}
        found = db.session.scalars(select(ListSetting).filter_by(**about)).first()
        return found or ListSetting(**about, columns="", widths={}, density="", start="")

    def _keep(self, row: ListSetting) -> None:
        db.session.add(row)
        before, after = pending_changes(row)
        db.session.flush()
        record("arrange_list", "list_setting", row.id, before, after)
        db.session.commit()

    def _widths(self, sent: str) -> dict[str, int]:
        try:
            given = json.loads(sent)
        except ValueError:
            return {}
        if not isinstance(given, dict):
            return {}
        return {
            name: int(min(max(width, NARROWEST), WIDEST))
            for name, width in given.items()
            if name in self.column_names and isinstance(width, int | float) and not isnan(width)
        }
