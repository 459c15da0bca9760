"""Changing several rows together: choose fields, see before and after, apply, and undo from the history.

A screen's `bulk_columns` are the form fields that may be changed this way.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from flask import abort, flash, redirect, request
from flask_admin import expose
from flask_babel import gettext as _
from flask_babel import ngettext
from sqlalchemy import inspect, select
from sqlalchemy.exc import DataError, IntegrityError, StatementError

from admin.panel import columns, error_messages, row_access, wording
from admin.panel.audit import BATCH, pending_changes, plain, record
from admin.panel.inline_edit import InlineEdit
from models.base import db
from models.office import Audit
from office.core.errors import Refused


class BulkEdit(InlineEdit):
    @expose("/bulk/", methods=("POST",))
    def bulk_view(self) -> Any:
        """Three steps at one address: choose fields, see what would change, save."""
        if not self.can_edit or not self.bulk_columns:
            abort(403)
        rows = self.rows_of(request.form.getlist("rowid"))
        if not rows:
            flash(_("Please choose at least one row."), "error")
            return redirect(self.return_url())
        chosen = [name for name in self.bulk_columns if request.form.get(f"change-{name}")]
        form = self._bulk_form(chosen or self.bulk_columns, request.form if chosen else None)
        is_ready = bool(chosen) and form.validate()
        if not is_ready:
            return self.render(
                "panel/bulk.html", rows=rows, form=form, chosen=chosen, preview=None, heading=""
            )
        if request.form.get("step") != "apply":
            preview = self._preview(rows, form)
            db.session.rollback()
            return self.render(
                "panel/bulk.html", rows=rows, form=form, chosen=chosen, preview=preview, heading=""
            )
        return self._apply(rows, form)

    def _bulk_form(self, names: Any, formdata: Any) -> Any:
        form = self._edit_form_class(formdata)
        for field in list(form):
            if field.name not in names:
                del form[field.name]
        return form

    def _preview(self, rows: list[Any], form: Any) -> list[tuple[int, int, str, list[tuple[Any, Any, Any]]]]:
        """(id, row version, name, [(label, before, after)]) of each row that would change."""
        found = []
        with db.session.no_autoflush:
            for row in rows:
                identity, version, name = row.id, row.row_version, self.text_of(row)
                form.populate_obj(row)
                before, after = pending_changes(row)
                lines = [
                    (
                        self.get_column_name(key),
                        *(wording.value(key, each) for each in (before[key], after.get(key))),
                    )
                    for key in before
                ]
                found.append((identity, version, name, lines))
        return found

    def _apply(self, rows: list[Any], form: Any) -> Any:
        expected = dict(pair.split(":", 1) for pair in request.form.getlist("version") if ":" in pair)
        stale = [row for row in rows if expected.get(str(row.id)) != str(row.row_version)]
        if stale:
            flash(
                _(
                    "Somebody else changed %(names)s meanwhile; nothing was saved.",
                    names=", ".join(map(self.text_of, stale[:5])),
                ),
                "error",
            )
            return redirect(self.return_url())
        batch, count = secrets.token_hex(6), 0
        at = self.now()  # one instant for the whole batch: undo finds it by that
        try:
            for row in rows:
                with db.session.no_autoflush:
                    form.populate_obj(row)
                    self.before_save(form, row, False)
                    before, after = pending_changes(row)
                if after:
                    changed = {**after, BATCH: batch}
                    record("bulk_edit", self.model.__tablename__, row.id, before, changed, at=at)
                    count += 1
                db.session.flush()
                self.after_save(row, False)
            db.session.commit()
        except (Refused, IntegrityError, DataError, StatementError) as error:
            db.session.rollback()
            flash(error_messages.message_for(error), "error")
            return redirect(self.return_url())
        flash(ngettext("%(num)s row was changed.", "%(num)s rows were changed.", count), "success")
        return redirect(self.return_url())

    @expose("/undo/", methods=("POST",))
    def undo_view(self) -> Any:
        """Undo one bulk edit, row by row; rows that were changed since stay as they are."""
        start = row_access.find(Audit, request.form.get("audit"))
        if (
            start is None
            or start.action != "bulk_edit"
            or start.table_name != self.model.__tablename__
            or not self.can_edit
        ):
            abort(404)
        batch = json.loads(start.changes).get(BATCH, [None, ""])[1]
        entries = db.session.scalars(
            select(Audit).where(
                Audit.at == start.at, Audit.action == "bulk_edit", Audit.table_name == start.table_name
            )
        )
        undone = kept = 0
        for entry in entries:
            changes = json.loads(entry.changes)
            if changes.pop(BATCH, [None, ""])[1] != batch:
                continue
            row = self.get_one(entry.row_id)
            if row is not None and self._put_back(row, changes):
                undone += 1
            else:
                kept += 1
        try:
            db.session.commit()
        except (IntegrityError, StatementError) as error:
            db.session.rollback()
            flash(error_messages.message_for(error), "error")
            return redirect(self.return_url())
        flash(ngettext("%(num)s row was put back.", "%(num)s rows were put back.", undone), "success")
        if kept:
            flash(
                ngettext(
                    "%(num)s row was changed since and stays.",
                    "%(num)s rows were changed since and stay.",
                    kept,
                ),
                "info",
            )
        return redirect(self.return_url())

    def _put_back(self, row: Any, changes: Mapping[str, list[Any]]) -> bool:
        columns = inspect(self.model).column_attrs
        if any(name not in columns or plain(getattr(row, name)) != pair[1] for name, pair in changes.items()):
            return False
        for name, (before, _after) in changes.items():
            setattr(row, name, stored(columns[name].columns[0].type, before))
        before, after = pending_changes(row)
        record("undo", self.model.__tablename__, row.id, before, after)
        db.session.flush()
        return True


def stored(kind: Any, value: Any) -> Any:
    """A value of the audit's JSON as the column takes it."""
    if value is None:
        return None
    python = columns.python_type(kind)
    if issubclass(python, datetime):
        return datetime.fromisoformat(value)
    if issubclass(python, date):
        return date.fromisoformat(value)
    if issubclass(python, Decimal):
        return Decimal(value)
    return value
