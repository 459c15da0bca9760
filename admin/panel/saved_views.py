"""Saved views: the filters, order and columns of a list or report under a name, at a lasting address (K4).

A view is its maker's alone or everyone's. Administrators manage everyone's, and hand over those of people who
left. A view may be where a list opens for a person, and may come by mail (office/reports/view_mails.py).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl, urlencode

from flask import abort, flash, redirect, request
from flask_admin import expose
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import bindparam, select

from admin.panel import request_values, row_access
from admin.panel.audit import pending_changes, record
from admin.panel.list_request import CURSORS
from admin.panel.screen import Screen
from admin.panel.signed_in import current_staff, staff_if_signed_in
from models.base import db
from models.office import SavedView
from models.people import Staff
from models.text_keys import called

LONGEST_QUERY = 8000  # characters of a view's address: what browsers and servers take for sure
ADMINISTRATORS = frozenset({"it_admin", "manager"})
MAIL_EVERY: Mapping[str, Any] = {
    "": _l("No mail"),
    "week": _l("Every Monday"),
    "month": _l("On the 1st of each month"),
}

_SAVED_VIEWS = (
    select(SavedView.id, SavedView.name, SavedView.query, SavedView.staff_id)
    .where(
        SavedView.screen == bindparam("screen"),
        (SavedView.staff_id == bindparam("staff_id")) | SavedView.is_shared.is_(True),
    )
    .order_by(SavedView.name)
)


class SavedViews(Screen):
    """The pages that save, open, change and remove views, and the saved views to choose from."""

    home = ".index_view"  # the endpoint of the page whose views are saved

    def _saved_views(self) -> tuple[Any, ...]:
        staff = staff_if_signed_in()
        if staff is None:
            return ()
        asked = {"screen": self.screen, "staff_id": staff.id}
        return tuple(db.session.connection().execute(_SAVED_VIEWS, asked))

    @property
    def is_mailable(self) -> bool:
        """Whether a view of this screen can come by mail: it shows rows that the reader may export."""
        return hasattr(self, "column_names") and self.may("export")

    @expose("/views/save/", methods=("POST",))
    def save_view(self) -> Any:
        """Save the present filters, order and columns under a name; a taken one is asked about first."""
        staff, home = current_staff(), self.get_url(self.home)
        name = request.form.get("name", "").strip()
        asked = request.form.get("query", "")
        kept = urlencode([(key, value) for key, value in parse_qsl(asked) if key not in CURSORS])
        back = home + ("?" + kept if kept else "")
        if not name or len(name) > 80 or not request_values.is_clean(name + asked):
            flash(_("Please give it a name of at most 80 characters."), "error")
            return redirect(back if len(back) <= LONGEST_QUERY else home)
        if len(kept) > LONGEST_QUERY:
            flash(_("This view asks for too much to be saved: leave some of its conditions out."), "error")
            return redirect(home)
        is_shared = bool(request.form.get("is_shared"))
        own = select(SavedView).where(SavedView.staff_id == staff.id, SavedView.screen == self.screen)
        row = db.session.scalars(called(own, SavedView.name, name)).first()
        if is_shared and self._is_taken(name, row):
            flash(_("Everyone has a view “%(name)s” already: choose another name.", name=name), "error")
            return redirect(back)
        if row is not None and not request.form.get("replace"):
            return self.render(
                "panel/replace_view.html", row=row, name=name, query=kept, is_shared=is_shared, back=back
            )
        row = row or SavedView(staff_id=staff.id, screen=self.screen, name=name, mail_every="")
        row.query, row.is_shared = kept, is_shared
        self._record(row, "save_view")
        flash(_("The view “%(name)s” was saved.", name=name), "success")
        return redirect(back)

    def _is_taken(self, name: str, row: SavedView | None) -> bool:
        """Whether another view of everyone's bears this name."""
        shared = select(SavedView).where(SavedView.screen == self.screen, SavedView.is_shared.is_(True))
        other = db.session.scalars(called(shared, SavedView.name, name)).first()
        return other is not None and (row is None or other.id != row.id)

    def _record(self, row: SavedView, action: str) -> None:
        db.session.add(row)
        before, after = pending_changes(row)
        db.session.flush()
        record(action, "saved_view", row.id, before, after)
        db.session.commit()

    @expose("/views/open/")
    def open_view(self) -> Any:
        """The lasting address of a view: it leads to what the view asks for today."""
        staff = current_staff()
        within = (
            SavedView.screen == self.screen,
            (SavedView.staff_id == staff.id) | SavedView.is_shared.is_(True),
        )
        row = row_access.find_or_404(SavedView, request.args.get("id"), within=within)
        return redirect(self.get_url(self.home) + ("?" + row.query if row.query else ""))

    @expose("/views/")
    def views_view(self) -> Any:
        """The views that the reader may change."""
        rows = db.session.scalars(
            select(SavedView).where(*self._manageable()).order_by(SavedView.is_shared.desc(), SavedView.name)
        )
        colleagues = (
            select(Staff).where(Staff.is_active).order_by(Staff.name) if self.is_administrator else None
        )
        return self.render(
            "panel/saved_views.html",
            rows=list(rows),
            colleagues=list(db.session.scalars(colleagues)) if colleagues is not None else [],
            mail_every=MAIL_EVERY,
            heading=_("Saved views"),
        )

    @property
    def is_administrator(self) -> bool:
        return bool(ADMINISTRATORS & current_staff().roles)

    def _manageable(self) -> list[Any]:
        own = SavedView.staff_id == current_staff().id
        if self.is_administrator:
            left = SavedView.staff_id.in_(select(Staff.id).where(Staff.is_active.is_(False)))
            own = own | SavedView.is_shared.is_(True) | left
        return [SavedView.screen == self.screen, own]

    @expose("/views/change/", methods=("POST",))
    def change_view(self) -> Any:
        """Rename a view, share it or not, have it mailed, or hand it over."""
        row = row_access.find_or_404(SavedView, request.form.get("id"), within=self._manageable())
        problem = self._changed(row, request.form)
        if problem:
            db.session.rollback()
            flash(problem, "error")
        else:
            self._record(row, "change_view")
            flash(_("Saved."), "success")
        return redirect(self.get_url(".views_view"))

    def _changed(self, row: SavedView, form: Mapping[str, str]) -> str:
        """Put what a form says into a view; what is wrong with it, or nothing."""
        name, is_shared = form.get("name", row.name).strip(), bool(form.get("is_shared"))
        if not name or len(name) > 80 or not request_values.is_clean(name):
            return _("Please give it a name of at most 80 characters.")
        owner_id = row.staff_id
        if self.is_administrator and form.get("staff_id"):
            active = (Staff.is_active.is_(True),)
            owner_id = row_access.find_or_404(Staff, form["staff_id"], within=active).id
        theirs = select(SavedView).where(
            SavedView.staff_id == owner_id, SavedView.screen == self.screen, SavedView.id != row.id
        )
        if db.session.scalars(called(theirs, SavedView.name, name)).first():
            return _("There is a view “%(name)s” already: choose another name.", name=name)
        if is_shared and self._is_taken(name, row):
            return _("Everyone has a view “%(name)s” already: choose another name.", name=name)
        mail_every = form.get("mail_every", row.mail_every)
        if owner_id != row.staff_id:
            mail_every = ""  # whoever takes it over says whether it comes by mail
        elif mail_every != row.mail_every:
            if mail_every not in MAIL_EVERY or row.staff_id != current_staff().id or not self.is_mailable:
                abort(403)
            if mail_every and not current_staff().email:
                return _("Your account has no e-mail address: ask IT to enter it.")
        row.name, row.is_shared, row.staff_id, row.mail_every = name, is_shared, owner_id, mail_every
        return ""

    @expose("/views/forget/", methods=("POST",))
    def forget_view(self) -> Any:
        row = row_access.find_or_404(SavedView, request.form.get("id"), within=self._manageable())
        record("forget_view", "saved_view", row.id, {"name": row.name}, {})
        db.session.delete(row)
        db.session.commit()
        return redirect(self.return_url(self.get_url(self.home)))
