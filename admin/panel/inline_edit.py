"""Edits and look-ups that a page's script asks for: one cell of a list, the rows that a picker offers."""

from __future__ import annotations

from typing import Any

from flask import abort, jsonify, request
from flask_admin import expose
from flask_babel import gettext as _
from markupsafe import Markup
from sqlalchemy.orm.exc import StaleDataError

from admin.panel.paging import shown_rows
from admin.panel.record_forms import RecordForms
from admin.panel.request_values import LONGEST_INPUT, is_clean
from models.base import db


class InlineEdit(RecordForms):
    @expose("/ajax/lookup/")
    def ajax_lookup(self) -> Any:
        """At most 20 rows of a relation that begin with what was typed: `[[id, name], …]`.

        With `named` those that bear the typed name in full.
        """
        loader = self._form_ajax_refs.get(request.args.get("name", ""))
        query = request.args.get("query", "")[:LONGEST_INPUT].strip()
        if loader is None or not is_clean(query):
            abort(404)
        if "named" in request.args:
            return jsonify(loader.shown(loader.named(query)))
        return jsonify(loader.found(query))

    @expose("/ajax/update/", methods=("POST",))
    def ajax_update(self) -> Any:
        """Save one column of `column_editable_list` of one row; answers with the new cell and row version."""
        name = request.form.get("name", "")
        if not self.can_edit or name not in (self.column_editable_list or ()):
            abort(403)
        row = self.get_or_404(request.form.get("id"))
        if request.form.get("row_version") != str(row.row_version):
            return jsonify(error=_("Somebody else changed this in the meantime.")), 409
        form = self.edit_form(obj=row)
        for field in list(form):
            if field.name != name:
                del form[field.name]
        try:
            is_saved = form.validate() and self.update_model(form, row)
        except StaleDataError:
            db.session.rollback()
            return jsonify(error=_("Somebody else changed this in the meantime.")), 409
        if not is_saved:
            problem = next((str(error) for field in form for error in field.errors), _("This was not saved."))
            return jsonify(error=problem), 422
        column = self.column(name)
        (found,) = shown_rows(db.session(), self, (name,), [row.id])
        shown = column.show(getattr(found, column.key), found)
        return jsonify(html=Markup.escape(shown), row_version=row.row_version)
