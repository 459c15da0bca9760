"""Form fields that find one row of a large table while a person types."""

from __future__ import annotations

from typing import Any

from flask_babel import gettext as _
from markupsafe import Markup
from sqlalchemy import or_, select
from wtforms import Field, validators

from admin.panel.request_values import row_id
from admin.panel.row_names import name_of
from admin.panel.search import starts_with
from models.base import db
from rules.text_keys import text_key


class PickerWidget:
    """A hidden id and a text box; static/office.js asks the screen's look-up for what is typed."""

    def __call__(self, field: Any, **_kwargs: Any) -> Markup:
        current = field.data
        return Markup(
            '<span class="picker" data-picker="{url}"><input type="hidden" name="{name}" value="{value}">'
            '<input type="text" id="{id}" role="combobox" aria-expanded="false" aria-autocomplete="list" '
            'autocomplete="off" value="{text}" placeholder="{hint}"{more}></span>'
        ).format(
            url=field.lookup_url(),
            name=field.name,
            value=current.id if current is not None else "",
            id=field.id,
            text=field.text_of(current) if current is not None else "",
            hint=_("Type to search"),
            more=Markup(" required") if field.flags.required else "",
        )


class PickerField(Field):
    """One row of a large table, found by typing; `loader` scopes and searches."""

    widget = PickerWidget()

    def __init__(
        self,
        label: Any = None,
        validators: Any = None,
        *,
        loader: Loader,
        allow_blank: bool = False,
        **kwargs: Any,
    ) -> None:
        kwargs.pop("get_label", None)
        super().__init__(label, validators, **kwargs)
        self.loader, self.allow_blank = loader, allow_blank

    def lookup_url(self) -> str:
        return self.loader.url()

    def text_of(self, row: Any) -> str:
        return name_of(row)

    def process_formdata(self, valuelist: list[str]) -> None:
        given = valuelist[0] if valuelist else ""
        if not given:
            self.data = None
            return
        self.data = self.loader.get_one(given)
        if self.data is None:
            raise ValueError(_("Please choose one of the list."))

    def pre_validate(self, _form: Any) -> None:
        if self.data is None and not self.allow_blank:
            raise validators.StopValidation(_("Please choose one of the list."))


class Loader:
    """Finds rows of a relation's table for a picker: prefix search, within the reader's scope."""

    def __init__(self, view: Any, name: str, model: Any, fields: tuple[str, ...]) -> None:
        self.view, self.name, self.model, self.fields = view, name, model, fields

    def url(self) -> str:
        address: str = self.view.get_url(".ajax_lookup", name=self.name)
        return address

    def format(self, row: Any) -> tuple[int, str]:
        return row.id, name_of(row)

    def get_one(self, key: Any) -> Any:
        identity = row_id(key)
        if identity is None:
            return None
        with db.session.no_autoflush:
            return db.session.scalars(
                select(self.model).where(
                    self.model.id == identity, *self.view.lookup_scope(self.name, self.model)
                )
            ).first()

    def get_list(self, query: str | None, offset: int = 0, limit: int = 10) -> list[Any]:
        statement = select(self.model).where(*self.view.lookup_scope(self.name, self.model))
        if query:
            plain = text_key(query)
            conditions = [
                starts_with(getattr(self.model, field), spelling, self.view.dialect)
                for field in self.fields
                for spelling in dict.fromkeys((plain, plain.upper(), plain.lower()))
            ]
            statement = statement.where(or_(*conditions))
        statement = statement.order_by(getattr(self.model, self.fields[0])).offset(offset).limit(limit)
        return list(db.session.scalars(statement))
