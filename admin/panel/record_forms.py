"""Creating, changing and deleting one record: each in one transaction with its audit row."""

from __future__ import annotations

from typing import Any

from flask import abort, flash, redirect, request
from flask_admin import expose
from flask_babel import gettext as _
from sqlalchemy import inspect
from sqlalchemy.exc import DataError, IntegrityError, StatementError
from sqlalchemy.orm.exc import StaleDataError

from admin.panel import error_messages, forms, idempotency, pickers, row_names
from admin.panel.audit import pending_changes, record, snapshot
from admin.panel.record_page import RecordPage
from admin.panel.request_values import is_clean
from admin.panel.responses import safe_target
from models.base import db
from models.secrets import fingerprint
from office.core.errors import Refused


class RecordForms(RecordPage):
    @expose("/new/", methods=("GET", "POST"))
    def create_view(self) -> Any:
        if not self.can_create or not self.form_columns:
            abort(403)
        form = self.create_form()
        if request.method == "GET":
            self._prefill(form)
        elif form.validate():
            if not idempotency.is_first():
                return idempotency.already_processed(self.return_url())
            row = self.create_model(form)
            if row:
                flash(_("Saved."), "success")
                return redirect(self._after_saving(row))
        return self.render(
            self.create_template, form=form, row=None, sections=self.sections(form)
        ), self._form_status(form)

    @expose("/edit/", methods=("GET", "POST"))
    def edit_view(self) -> Any:
        if not self.can_edit or not self.form_columns:
            abort(403)
        row = self.get_or_404(request.args.get("id"))
        version = getattr(row, "row_version", 0)
        if request.method == "POST" and request.form.get("row_version") != str(version):
            return self._stale_page(row)
        form = self.edit_form(obj=row)
        if request.method == "POST" and form.validate():
            try:
                if self.update_model(form, row):
                    flash(_("Saved."), "success")
                    return redirect(self._after_saving(row))
            except StaleDataError:
                db.session.rollback()
                return self._stale_page(self.get_or_404(request.args.get("id")))
            row = self.get_or_404(request.args.get("id"))
        return (
            self.render(
                self.edit_template,
                form=form,
                row=row,
                version=version,
                heading=self.heading_of(row),
                sections=self.sections(form),
            ),
            self._form_status(form),
        )

    def _form_status(self, _form: Any) -> int:
        return 200 if request.method == "GET" else 422

    def _after_saving(self, row: Any) -> str:
        if "_add_another" in request.form:
            return self.get_url(".create_view", url=safe_target(request.values.get("url")))
        if "_continue_editing" in request.form:
            return self.get_url(".edit_view", id=row.id, url=safe_target(request.values.get("url")))
        return self.return_url(self.get_url(".details_view", id=row.id))

    def _prefill(self, form: Any) -> None:
        """`/new/?unit_id=5&kind=office` fills fields of the form."""
        for name, value in request.args.items():
            field_name = name.removesuffix("_id") if name.endswith("_id") else name
            if field_name in form and is_clean(value):
                field = form[field_name]
                if isinstance(field, pickers.PickerField):
                    field.data = field.loader.get_one(value)
                elif hasattr(field, "query_factory"):
                    field.data = next((row for row in field.query_factory() if str(row.id) == value), None)
                elif isinstance(field, forms.ChoiceField) and value in field.labels:
                    field.data = value

    def sections(self, form: Any) -> list[tuple[Any, list[Any]]]:
        """(heading, fields) in the order of `form_sections`; the other fields come last."""
        named = [name for _heading, names in self.form_sections for name in names]
        found = [
            (heading, [form[name] for name in names if name in form]) for heading, names in self.form_sections
        ]
        rest = [field for field in form if field.name not in named]
        return [*found, *([("" if not found else _("More"), rest)] if rest else [])]

    def create_model(self, form: Any) -> Any:
        """The new row, saved with its audit row in one transaction; False when it was refused."""
        row = self.build_new_instance()
        return row if self._save(form, row, is_new=True) else False

    def update_model(self, form: Any, model: Any) -> bool:
        return self._save(form, model, is_new=False)

    def put(self, form: Any, row: Any, *, is_new: bool) -> None:
        """Write the form into the row, with its audit row; the caller commits. Raises Refused."""
        with db.session.no_autoflush:
            form.populate_obj(row)
            self._set_fingerprints(row)
            self.before_save(form, row, is_new)
        if is_new:
            db.session.add(row)
        before, after = pending_changes(row)
        db.session.flush()
        if is_new or before or after:
            record("create" if is_new else "edit", self.model.__tablename__, row.id, before, after)
        self.after_save(row, is_new)

    def _save(self, form: Any, row: Any, *, is_new: bool) -> bool:
        try:
            self.put(form, row, is_new=is_new)
            db.session.commit()
        except (Refused, IntegrityError, DataError, StatementError) as error:
            if isinstance(error, StaleDataError):
                raise
            db.session.rollback()
            flash(error_messages.message_for(error), "error")
            return False
        return True

    def _set_fingerprints(self, row: Any) -> None:
        """Set the fingerprint beside each sealed column that has a new value."""
        attributes = inspect(self.model).column_attrs
        for attribute in attributes:
            mac = f"{attribute.key}_mac"
            if mac in attributes and inspect(row).attrs[attribute.key].history.has_changes():
                value = getattr(row, attribute.key)
                setattr(row, mac, fingerprint(value) if value else None)

    def before_save(self, form: Any, row: Any, is_new: bool) -> None:  # noqa: FBT001 -- as Flask-Admin's hook
        """Checks and derived values of the screen, inside the transaction; raise Refused to refuse."""

    def after_save(self, row: Any, is_new: bool) -> None:  # noqa: FBT001 -- as Flask-Admin's hook
        """What else is written in the same transaction."""

    def _stale_page(self, row: Any) -> Any:
        """Both versions side by side with what was typed, for a row that somebody else changed meanwhile."""
        mine = self.edit_form(obj=row)
        with db.session.no_autoflush:
            theirs = self._edit_form_class(None, obj=row)
            pairs = [(field, _shown_field(field), _shown_field(theirs[field.name])) for field in mine]
        return (
            self.render(
                "panel/stale.html",
                row=row,
                heading=self.text_of(row),
                pairs=pairs,
                form=mine,
                version=row.row_version,
                history=self.history(row.id)[:3],
            ),
            409,
        )

    @expose("/delete/", methods=("POST",))
    def delete_view(self) -> Any:
        if not self.can_delete:
            abort(403)
        row = self.get_or_404(request.form.get("id"))
        if not request.form.get("confirmed"):
            return self.render(
                "panel/confirm.html",
                heading=self.text_of(row),
                rows=[row],
                ids=[row.id],
                action=None,
                fields=[],
            )
        if self.delete_model(row):
            flash(_("Deleted."), "success")
        return redirect(self.return_url())

    def delete_model(self, model: Any) -> bool:
        """Delete one row with its audit row; the database refuses what others refer to."""
        key, before = model.id, snapshot(model)
        try:
            db.session.delete(model)
            db.session.flush()
            record("delete", self.model.__tablename__, key, before, {})
            db.session.commit()
        except (Refused, IntegrityError, StatementError) as error:
            db.session.rollback()
            flash(error_messages.message_for(error), "error")
            return False
        return True


def _shown_field(field: Any) -> str:
    if isinstance(field, pickers.PickerField) or hasattr(field, "query_factory"):
        data = field.data
        if isinstance(data, list):
            return ", ".join(row_names.name_of(each) for each in data)
        return row_names.told_apart([data])[data.id] if data is not None else ""
    if isinstance(field, forms.ChoiceField):
        return str(field.labels.get(field.data, field.data or ""))
    if isinstance(field.data, bool):
        return _("Yes") if field.data else _("No")
    own_text = getattr(field, "_value", None)
    return str(own_text()) if own_text else str(field.data or "")
