"""Saved views: the filters, order and columns of a list or report under a name (K4)."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl, urlencode

from flask import flash, redirect, request
from flask_admin import expose
from flask_babel import gettext as _
from sqlalchemy import bindparam, select

from admin.panel import request_values, row_access
from admin.panel.audit import pending_changes, record
from admin.panel.list_request import CURSORS
from admin.panel.screen import Screen
from admin.panel.signed_in import current_staff, staff_if_signed_in
from models.base import db
from models.office import SavedView
from models.text_keys import called

_SAVED_VIEWS = (
    select(SavedView.id, SavedView.name, SavedView.query, SavedView.staff_id)
    .where(
        SavedView.screen == bindparam("screen"),
        (SavedView.staff_id == bindparam("staff_id")) | SavedView.is_shared.is_(True),
    )
    .order_by(SavedView.name)
)


class SavedViews(Screen):
    """The view functions that save and remove a view, and the saved views to choose from."""

    home = ".index_view"  # the endpoint of the page whose views are saved

    def _saved_views(self) -> tuple[Any, ...]:
        staff = staff_if_signed_in()
        if staff is None:
            return ()
        asked = {"screen": self.screen, "staff_id": staff.id}
        return tuple(db.session.connection().execute(_SAVED_VIEWS, asked))

    @expose("/views/save/", methods=("POST",))
    def save_view(self) -> Any:
        """Save the present filters, order and columns under a name."""
        staff, home = current_staff(), self.get_url(self.home)
        name = request.form.get("name", "").strip()[:80]
        asked = request.form.get("query", "")[:2000]
        kept = [(key, value) for key, value in parse_qsl(asked) if key not in CURSORS]
        if not name or not request_values.is_clean(name + asked):
            flash(_("Please give it a name."), "error")
            return redirect(home)
        own = select(SavedView).where(SavedView.staff_id == staff.id, SavedView.screen == self.screen)
        row = db.session.scalars(called(own, SavedView.name, name)).first() or SavedView(
            staff_id=staff.id, screen=self.screen, name=name
        )
        row.query, row.is_shared = urlencode(kept), bool(request.form.get("is_shared"))
        db.session.add(row)
        before, after = pending_changes(row)
        db.session.flush()
        record("save_view", "saved_view", row.id, before, after)
        db.session.commit()
        flash(_("The view “%(name)s” was saved.", name=name), "success")
        return redirect(home + ("?" + row.query if row.query else ""))

    @expose("/views/forget/", methods=("POST",))
    def forget_view(self) -> Any:
        staff = current_staff()
        own = (SavedView.staff_id == staff.id, SavedView.screen == self.screen)
        row = row_access.find_or_404(SavedView, request.form.get("id"), within=own)
        record("forget_view", "saved_view", row.id, {"name": row.name}, {})
        db.session.delete(row)
        db.session.commit()
        return redirect(self.get_url(self.home))
