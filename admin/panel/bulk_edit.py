"""Changing several rows together: choose fields, see before and after, apply, and undo from the history.

A screen's `bulk_columns` are the form fields that may be changed this way.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from flask import abort, flash, redirect, request
from flask_admin import expose
from flask_babel import gettext as _
from flask_babel import ngettext
from sqlalchemy import inspect, select
from sqlalchemy.exc import DataError, IntegrityError, StatementError

from admin.panel import chosen_rows, columns, error_messages, row_access, wording
from admin.panel.actions import MOST_SHOWN
from admin.panel.audit import BATCH, pending_changes, plain, record
from admin.panel.chosen_rows import Chosen
from admin.panel.inline_edit import InlineEdit
from models.base import db
from models.office import Audit
from office.core.errors import N_, Refused


class BulkEdit(InlineEdit):
    @expose("/bulk/", methods=("POST",))
    def bulk_view(self) -> Any:
        """Three steps at one address: choose fields, see what would change, save."""
        if not self.can_edit or not self.bulk_columns:
            abort(403)
        try:
            rows = chosen_rows.chosen(self, request.form)
        except Refused as refusal:
            flash(error_messages.message_for(refusal), "error")
            return redirect(self.return_url())
        if not rows.ids:
            flash(_("Please choose at least one row."), "error")
            return redirect(self.return_url())
        chosen = [name for name in self.bulk_columns if request.form.get(f"change-{name}")]
        form = self._bulk_form(chosen or self.bulk_columns, request.form if chosen else None)
        is_ready = bool(chosen) and form.validate()
        if is_ready and request.form.get("step") == "apply" and rows.is_seen:
            return self._apply_long(rows, chosen) if rows.is_long else self._apply(rows, form)
        shown = rows.ids[:MOST_SHOWN] if rows.is_long else rows.ids
        preview = self._preview(self.rows_by_id(shown), form) if is_ready else None
        db.session.rollback()
        return self.render(
            "panel/bulk.html",
            rows=rows,
            matching=chosen_rows.question(self, rows) if rows.query is not None else "",
            is_other=request.form.get("step") == "apply" and not rows.is_seen,
            form=form,
            chosen=chosen,
            preview=preview,
            heading="",
        )

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

    def _apply(self, chosen: Chosen, form: Any) -> Any:
        """Change the rows together, unless somebody changed one of them since they were shown."""
        rows = self.rows_by_id(chosen.ids)
        expected = dict(pair.split(":", 1) for pair in request.form.getlist("version") if ":" in pair)
        stale = [
            row for row in rows if chosen.query is None and expected.get(str(row.id)) != str(row.row_version)
        ]  # the mark of all that match holds their versions
        if stale:
            flash(
                _(
                    "Somebody else changed %(names)s meanwhile; nothing was saved.",
                    names=", ".join(map(self.text_of, stale[:5])),
                ),
                "error",
            )
            return redirect(self.return_url())
        # one instant for the whole batch: undo finds it by that
        batch, at = secrets.token_hex(6), self.now()
        try:
            count = self._change(rows, form, batch, at)
            db.session.commit()
        except (Refused, IntegrityError, DataError, StatementError) as error:
            db.session.rollback()
            flash(error_messages.message_for(error), "error")
            return redirect(self.return_url())
        flash(ngettext("%(num)s row was changed.", "%(num)s rows were changed.", count), "success")
        return redirect(self.return_url())

    def _apply_long(self, chosen: Chosen, names: list[str]) -> Any:
        """The same for more rows than one request works on; one that was changed since then is left alone."""
        batch, at = secrets.token_hex(6), self.now()
        versions = self._versions(chosen.ids)

        def work(ids: Sequence[int]) -> int:
            form = self._bulk_form(names, request.form)
            if not form.validate():
                raise Refused(N_("One of the values can't be taken any more"))
            rows = self.rows_by_id(ids)
            if any(row.row_version != versions.get(row.id) for row in rows):
                raise Refused(N_("Somebody else changed it meanwhile"))
            return self._change(rows, form, batch, at)

        return self.begin(_("Change several"), "edit", chosen, work, self.return_url())

    def _versions(self, ids: Sequence[int]) -> dict[int, int]:
        found: dict[int, int] = {}
        for some in chosen_rows.chunks(ids):
            asked = select(self.model.id, self.model.row_version).where(self.model.id.in_(some))
            found |= {row.id: row.row_version for row in db.session.execute(asked)}
        return found

    def _change(self, rows: list[Any], form: Any, batch: str, at: datetime) -> int:
        """Write the form into the rows, each with its audit row; how many changed. The caller commits."""
        count = 0
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
        return count

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
        edited = self._batch_of(start)
        if len(edited) > chosen_rows.MOST_AT_ONCE:
            rows = Chosen(tuple(sorted(edited)))
            return self.begin(
                _("Undo"), "edit", rows, lambda ids: self._put_back_all(ids, edited), self.return_url()
            )
        undone = kept = 0
        try:
            for key in edited:
                try:
                    undone += self._put_back_all([key], edited)
                except Refused:
                    kept += 1
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

    def _batch_of(self, start: Audit) -> dict[int, dict[str, list[Any]]]:
        """Row id → its changes in the bulk edit that an audit row belongs to."""
        batch = json.loads(start.changes).get(BATCH, [None, ""])[1]
        entries = db.session.execute(
            select(Audit.row_id, Audit.changes).where(
                Audit.at == start.at, Audit.action == "bulk_edit", Audit.table_name == start.table_name
            )
        )
        found = {}
        for row_id, stored_changes in entries:
            changes = json.loads(stored_changes)
            if row_id is not None and changes.pop(BATCH, [None, ""])[1] == batch:
                found[row_id] = changes
        return found

    def _put_back_all(self, ids: Sequence[int], edited: Mapping[int, Mapping[str, list[Any]]]) -> int:
        """Put these rows back. Raises Refused for one that was changed since or is out of reach."""
        for key in ids:
            row = self.get_one(key)
            if row is None or not self._put_back(row, edited[key]):
                raise Refused(N_("Somebody changed it since: it stays as it is"))
        return len(ids)

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
