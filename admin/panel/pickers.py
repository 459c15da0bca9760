"""Form fields that find one row of a large table while a person types."""

from __future__ import annotations

from typing import Any

from flask_babel import gettext as _
from markupsafe import Markup
from sqlalchemy import or_, select
from wtforms import Field, validators

from admin.panel import row_access
from admin.panel.request_values import LONGEST_INPUT, is_clean
from admin.panel.row_names import BETWEEN, name_of, told_apart
from admin.panel.search import starts_with
from models.base import db
from models.text_keys import order_column
from rules.text_keys import compared_key, text_key

TYPED = "_text"  # behind a picker's name: its text box
MOST_ALIKE = 50  # rows looked at for the one that a text names


class PickerWidget:
    """A hidden id and a text box; static/office.js asks the screen's look-up for what is typed."""

    def __call__(self, field: Any, **_kwargs: Any) -> Markup:
        current = field.data
        return Markup(
            '<span class="picker" data-picker="{url}" data-none="{none}" data-several="{several}">'
            '<input type="hidden" name="{name}" value="{value}">'
            '<input type="text" id="{id}" name="{name}{typed}" role="combobox" aria-expanded="false" '
            'aria-autocomplete="list" autocomplete="off" maxlength="200" value="{text}" placeholder="{hint}"'
            "{more}></span>"
        ).format(
            url=field.lookup_url(),
            none=none_of_that_name(),
            several=several_of_that_name(),
            name=field.name,
            typed=TYPED,
            value=current.id if current is not None else "",
            id=field.id,
            text=field.text_of(current) if current is not None else field.typed or "",
            hint=_("Type to search"),
            more=Markup(" required") if field.flags.required else "",
        )


def none_of_that_name() -> str:
    return _("There is no such record: choose one of the list.")


def several_of_that_name() -> str:
    return _("Several records have this name: choose one of the list.")


class PickerField(Field):
    """One row of a large table, found by typing; `loader` scopes and searches.

    Text that was typed and not chosen from the list is taken when it names exactly one row, and refused
    otherwise; it stays in the box.
    """

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
        self.typed: str | None = None  # what stands in the box; None where a form has no box

    def lookup_url(self) -> str:
        return self.loader.url()

    def text_of(self, row: Any) -> str:
        return told_apart([row])[row.id]

    def process(self, formdata: Any, *rest: Any, **more: Any) -> None:
        box = f"{self.name}{TYPED}"
        self.typed = formdata.get(box, "")[:LONGEST_INPUT].strip() if formdata and box in formdata else None
        super().process(formdata, *rest, **more)

    def process_formdata(self, valuelist: list[str]) -> None:
        given = valuelist[0] if valuelist else ""
        self.data = None
        if self.typed:
            self.raw_data = [self.typed]  # what is typed is never taken for an empty field
        if self.typed == "" or not (self.typed or given):
            return
        chosen = self.loader.get_one(given) if given else None
        if chosen is not None and (self.typed is None or self.loader.is_called(chosen, self.typed)):
            self.data = chosen
        elif self.typed is None:
            raise ValueError(_("Please choose one of the list."))
        else:
            named = self.loader.named(self.typed)
            if len(named) != 1:
                raise ValueError(several_of_that_name() if named else none_of_that_name())
            self.data = self.loader.get_one(named[0])

    def pre_validate(self, _form: Any) -> None:
        if self.data is None and (self.process_errors or not self.allow_blank):
            told = () if self.process_errors else (_("Please choose one of the list."),)
            raise validators.StopValidation(*told)


class Loader:
    """Finds rows of a relation's table for a picker: prefix search, within the reader's scope."""

    def __init__(self, view: Any, name: str, model: Any, fields: tuple[str, ...]) -> None:
        self.view, self.name, self.model, self.fields = view, name, model, fields

    def url(self) -> str:
        address: str = self.view.get_url(".ajax_lookup", name=self.name)
        return address

    def found(self, query: str, limit: int = 20) -> list[tuple[int, str]]:
        """The ids and names of rows that begin with what was typed."""
        rows = self.get_list(query, 0, limit)
        called = told_apart(rows)
        return [(row.id, called[row.id]) for row in rows]

    def shown(self, ids: list[int]) -> list[tuple[int, str]]:
        """The ids with what the picker shows of each."""
        rows = [row for row in map(self.get_one, ids) if row is not None]
        called = told_apart(rows)
        return [(row.id, called[row.id]) for row in rows]

    def named(self, text: str) -> list[int]:
        """The ids of the rows that a text names in full, as they are called or as the picker shows them."""
        if not is_clean(text):
            return []
        wanted = compared_key(text)
        rows = self.get_list(text.partition(BETWEEN)[0], 0, MOST_ALIKE)
        shown = told_apart(rows) if BETWEEN in text else {}
        return [row.id for row in rows if wanted in self._names(row, shown.get(row.id, ""))]

    def _names(self, row: Any, shown: str) -> set[str]:
        own = (str(getattr(row, field)) for field in self.fields if field != "pinyin_initials")
        return {compared_key(each) for each in (*own, name_of(row), shown) if each}

    def is_called(self, row: Any, text: str) -> bool:
        """Whether a text is what a picker shows of a row: its name, and what may stand behind it."""
        name, typed = compared_key(name_of(row)), compared_key(text)
        return typed == name or typed.startswith(f"{name} ")

    def get_one(self, key: Any) -> Any:
        return row_access.find(self.model, key, within=self.view.lookup_scope(self.name, self.model))

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
        statement = (
            statement.order_by(order_column(getattr(self.model, self.fields[0]))).offset(offset).limit(limit)
        )
        return list(db.session.scalars(statement))
