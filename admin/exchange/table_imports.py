"""Any table of new rows through its own screen's form: the same fields, checks and history as by hand.

`TableKind(view)` is an import kind (office/imports): its columns are the form's fields, under their names in
each language; related rows are named as people name them. Rows that are there already are skipped.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from flask_admin.contrib.sqla.fields import QuerySelectField, QuerySelectMultipleField
from flask_babel import force_locale
from flask_babel import gettext as _
from sqlalchemy import UniqueConstraint, inspect, select
from sqlalchemy.exc import DataError, IntegrityError, StatementError
from sqlalchemy.orm import Session
from werkzeug.datastructures import MultiDict
from wtforms import BooleanField, Field, FileField, HiddenField, PasswordField, SelectMultipleField

from admin.panel import error_messages, forms, language, pickers, row_names
from models.base import db
from models.secrets import Sealed, fingerprint, masked
from office.core.errors import N_, Refused
from office.exchange.imports import Problem, RowsRefused, cells
from office.exchange.imports.cells import Wrong
from office.exchange.imports.columns import MOST_PROBLEMS, Column, Known, Read
from office.exchange.imports.reader import TOLD_EVERY
from office.exchange.imports.taken import NO_UPDATE, Difference, Taken, Update, counted, shown
from rules.text_keys import compared_key

NEVER = (HiddenField, PasswordField, SelectMultipleField, FileField)
MOST_NAMED = 12  # words that a remedy lists
HIDDEN = "****"
NOT_EDITED = N_("Rows of this table are not changed afterwards")


def takes(view: Any) -> bool:
    """Whether new rows of a screen may come in as a table."""
    return bool(getattr(view, "can_import", False) and view.can_create and view.form_columns)


class TableKind:
    """The form of a screen as an import kind."""

    def __init__(self, view: Any, tell: Callable[[int], None] = lambda _done: None) -> None:
        self.view, self.tell = view, tell
        blank = view._create_form_class(None)  # noqa: SLF001 -- create_form() would read this request's fields
        self.fields = {field.name: field for field in blank if not isinstance(field, NEVER)}
        names = _names(view, list(self.fields))
        self.COLUMNS: Sequence[Column] = [
            Column(
                name,
                names[name],
                _reader(field),
                is_required=bool(field.flags.required),
                has_dates=isinstance(field, forms.DayField | forms.InstantField),
            )
            for name, field in self.fields.items()
        ]
        self.defaults = {name: _default(field) for name, field in self.fields.items()}

    def problems(self, _rows: Sequence[Mapping[str, Any]], _known: Known) -> list[Problem]:
        """The form finds them while the rows are taken in."""
        return []

    def take_in(
        self,
        session: Session,
        given: Sequence[Mapping[str, Any]],
        *,
        update: Update = NO_UPDATE,
        **_present: object,
    ) -> Taken:
        """Write the rows that are not there yet, and the differences that are to be written.

        Raises RowsRefused with what the form refused.
        """
        there = There(session, self.view, self.fields)
        problems: list[Problem] = []
        differences: list[Difference] = []
        new = 0
        for count, row in enumerate(given, start=1):
            form = self.view._create_form_class(MultiDict(self._sent(row)))  # noqa: SLF001 -- as above
            line = there.line_of(form, row["line"])
            if line is None and form.validate():
                problems += self._added(session, form, row["line"])
                new += 1
            elif line is None:
                problems += _refused(form, row)
            elif line and there.is_unique:
                problems += _twice(row["line"], line)
            elif there.is_unique:
                told = there.differences(form, row, self._never())
                differences += told
                wanted = [one.column for one in told if one in update]
                if wanted:
                    problems += self._changed(session, row, there.id_of(form), wanted)
            if len(problems) >= MOST_PROBLEMS:
                break
            if count % TOLD_EVERY == 0:
                self.tell(count)
        if problems:
            raise RowsRefused(str(self.view.title), problems)
        return counted(new, len(given), differences, update)

    def _never(self) -> str:
        return "" if self.view.can_edit else NOT_EDITED

    def _changed(
        self, session: Session, row: Mapping[str, Any], key: int, columns: Sequence[str]
    ) -> Iterator[Problem]:
        """Write some columns of a row through the form that changes it; yields why it was refused."""
        there = session.get_one(self.view.model, key)
        blank = self.view._edit_form_class(None, obj=there)  # noqa: SLF001 -- as above
        sent = {name: _default(blank[name]) for name in self.fields} | {name: row[name] for name in columns}
        form = self.view._edit_form_class(MultiDict(_each(sent)), obj=there)  # noqa: SLF001 -- as above
        if not form.validate():
            yield from _refused(form, row)
            return
        yield from self._put(session, form, there, row["line"], is_new=False)

    def _sent(self, row: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
        """What the browser would send for this row; an empty cell is the form's own first value."""
        yield from _each(
            {name: default if row.get(name) is None else row[name] for name, default in self.defaults.items()}
        )

    def _added(self, session: Session, form: Any, line: int) -> Iterator[Problem]:
        """Write a new row; yields why it was refused."""
        yield from self._put(session, form, self.view.build_new_instance(), line, is_new=True)

    def _put(self, session: Session, form: Any, row: Any, line: int, *, is_new: bool) -> Iterator[Problem]:
        try:
            with session.begin_nested():
                self.view.put(form, row, is_new=is_new)
        except (Refused, IntegrityError, DataError, StatementError) as error:
            yield Problem(line, "", "", error_messages.message_for(error), "")


def _each(sent: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Fields and their values as a browser sends them, one pair for each of several values."""
    for name, value in sent.items():
        for each in value if isinstance(value, list) else [value]:
            yield name, str(each)


def _refused(form: Any, row: Mapping[str, Any]) -> list[Problem]:
    """What a form says against a row."""
    return [
        Problem(row["line"], name, str(row.get(name) or ""), str(told[0]), "")
        for name, told in form.errors.items()
        if told
    ]


def key_of(view: Any) -> tuple[str, ...]:
    """The fields by which a row of a screen is known; none where its table has nothing that is once there."""
    kind = TableKind(view)
    there = Columns(view, kind.fields)
    return tuple(there.columns[name] for name in there.key) if there.is_unique else ()


class Columns:
    """Which columns of a screen's table stand in its form, and which of them nobody may have twice."""

    def __init__(self, view: Any, fields: Mapping[str, Field]) -> None:
        mapper = inspect(view.model)
        self.columns: dict[str, str] = {}  # column → field
        self.sealed: dict[str, str] = {}  # column of a fingerprint → field of the sealed value
        for name in fields:
            if name in mapper.relationships and not mapper.relationships[name].uselist:
                self.columns[mapper.relationships[name].local_remote_pairs[0][0].key] = name
            elif name in mapper.column_attrs and not isinstance(mapper.columns[name].type, Sealed):
                self.columns[name] = name
            elif f"{name}_mac" in mapper.column_attrs:
                self.sealed[f"{name}_mac"] = name
        unique = next((key for key in _unique(view.model) if set(key) <= set(self.columns)), ())
        self.is_unique, self.key = bool(unique), unique or (*self.columns, *self.sealed)


class There(Columns):
    """The rows that are there already, by what nobody may have twice, else by all that a row says."""

    def __init__(self, session: Session, view: Any, fields: Mapping[str, Field]) -> None:
        super().__init__(view, fields)
        wanted = ("id", *self.columns, *self.sealed)
        self.fields = fields
        self.rows: dict[tuple[Any, ...], dict[str, Any]] = {}
        asked = select(*(getattr(view.model, name) for name in wanted)).where(*view.scope())
        for found in session.execute(asked):
            row = dict(zip(wanted, found, strict=True))
            self.rows[tuple(_comparable(row[name]) for name in self.key)] = row
        self.lines = dict.fromkeys(self.rows, 0)

    def _key_of(self, form: Any) -> tuple[Any, ...]:
        return tuple(_comparable(self._said(form, name)) for name in self.key)

    def _said(self, form: Any, column: str) -> Any:
        """What a form says in a column; of a sealed one its fingerprint."""
        if column in self.sealed:
            said = form[self.sealed[column]].data
            return fingerprint(said) if said else None
        return _value(form[self.columns[column]])

    def line_of(self, form: Any, line: int) -> int | None:
        """The line of a row like the form's, 0 in the database; None when it is the first."""
        said = self._key_of(form)
        before = self.lines.get(said)
        self.lines.setdefault(said, line)
        return before

    def id_of(self, form: Any) -> int:
        return int(self.rows[self._key_of(form)]["id"])

    def differences(self, form: Any, row: Mapping[str, Any], never: str) -> list[Difference]:
        """In what a row differs from the one that has its key; an empty cell says nothing."""
        there = self.rows[self._key_of(form)]
        found = []
        for column, name in {**self.columns, **self.sealed}.items():
            said = self._said(form, column)
            if row.get(name) is None or _comparable(said) == _comparable(there[column]):
                continue
            if column in self.sealed:
                before, here = HIDDEN, masked(str(form[name].data))
            else:
                before, here = _word(self.fields[name], there[column]), _word(self.fields[name], said)
            found.append(Difference(row["line"], name, before, here, never))
        return found


def _comparable(value: Any) -> Any:
    """A value as it is compared: texts in their normal form, nothing and empty as one."""
    return compared_key(value) if isinstance(value, str) else "" if value is None else value


def _word(field: Field, value: Any) -> str:
    """A value as a person reads it: the label of a code, the name of a row that it points at."""
    if isinstance(field, forms.ChoiceField):
        return str(field.labels.get(value, value or ""))
    if isinstance(field, QuerySelectField) and value is not None:
        return next((row_names.name_of(row) for row in field.query_factory() if row.id == value), str(value))
    if isinstance(field, pickers.PickerField) and value is not None:
        row = db.session.get(field.loader.model, value)
        return str(getattr(row, field.loader.fields[0], value))
    if isinstance(value, bool):
        return str(_("Yes") if value else _("No"))
    return shown(value)


def _twice(line: int, first: int) -> list[Problem]:
    again = N_("stands in row %(first)s already"), N_("Keep one of the two rows")
    return [Problem(line, "", "", *again, {"first": first})]


def _value(field: Field) -> Any:
    return getattr(field.data, "id", field.data)


def _unique(model: Any) -> Iterator[tuple[str, ...]]:
    """The columns that no two rows share: by a constraint, a column or an index that holds for all rows."""
    table = model.__table__
    for constraint in table.constraints:
        if isinstance(constraint, UniqueConstraint):
            yield tuple(map(_named, constraint.columns))
    for index in table.indexes:
        if index.unique and not any(each.get("where") is not None for each in index.dialect_options.values()):
            yield tuple(map(_named, index.columns))


def _named(column: Any) -> str:
    """The key of a column; of one that holds a folded form that of the name itself."""
    return str(column.info.get("folds") or column.key)


def _names(view: Any, fields: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """What each field's column may be headed, the reader's language first."""
    own = [str(view.get_column_name(name)) for name in fields]
    said = [own]
    for locale in language.LOCALES.values():
        with force_locale(locale):
            said.append([str(view.get_column_name(name)) for name in fields])
    return {name: tuple(dict.fromkeys(labels)) for name, *labels in zip(fields, *said, strict=True)}


def _default(field: Field) -> Any:
    if isinstance(field, BooleanField):
        return "1" if field.data else []
    if isinstance(field, QuerySelectField | QuerySelectMultipleField | pickers.PickerField):
        rows = field.data if isinstance(field.data, list) else [field.data]
        return [row.id for row in rows if row is not None]
    if isinstance(field, forms.ChoiceField):
        return field.data or next(iter(field.labels)) if not field.allow_blank else field.data or ""
    return field._value() if hasattr(field, "_value") else field.data or ""  # noqa: SLF001 -- what its input shows


def _reader(field: Field) -> Read:  # noqa: PLR0911 -- one answer a kind of field
    """How a cell of this field is read: to what the browser would send."""
    if isinstance(field, forms.ChoiceField):
        return _one_of(lambda: _choice_words(field))
    if isinstance(field, BooleanField):
        return lambda text, _known: "1" if cells.flag(text) else []
    if isinstance(field, QuerySelectMultipleField):
        read = _one_of(lambda: _row_words(field.query_factory()))
        return lambda text, known: [read(part, known) for part in re.split(r"[、,，;；]\s*", text) if part]
    if isinstance(field, QuerySelectField):
        return _one_of(lambda: _row_words(field.query_factory()))
    if isinstance(field, pickers.PickerField):
        return _one_of(lambda: _picker_words(field.loader))
    if isinstance(field, forms.InstantField):
        return lambda text, known: f"{cells.instant(text, known.zone).astimezone(known.zone):%Y-%m-%dT%H:%M}"
    if isinstance(field, forms.DayField):
        return lambda text, _known: cells.day(text).isoformat()
    return lambda text, _known: text


Words = tuple[dict[str, str | None], list[str]]  # word → what it stands for, and the words to offer


def _one_of(words: Callable[[], Words]) -> Read:
    """A reader of words that stand for something; looked up once, when the first cell is read."""
    kept: dict[str, str | None] = {}
    named: list[str] = []

    def read(text: str, _known: Known) -> str:
        if not kept:
            known_words, shown = words()
            kept.update(known_words)
            named.extend(shown)
        meant = kept.get(cells.key(text))
        if meant is not None:
            return meant
        if cells.key(text) in kept:
            raise Wrong(N_("several have this name"), N_("Enter this row by hand and choose the right one"))
        if not named:
            raise Wrong(N_("unknown: %(value)s"), N_("Write it as it stands in its own list"), value=text)
        known = "、".join(named[:MOST_NAMED])
        raise Wrong(N_("unknown: %(value)s"), N_("Write one of: %(known)s"), value=text, known=known)

    return read


def _choice_words(field: forms.ChoiceField) -> Words:
    """Codes and their labels in each language."""
    found: dict[str, str | None] = {cells.key(str(label)): code for code, label in field.labels.items()}
    for locale in language.LOCALES.values():
        with force_locale(locale):
            found |= {cells.key(str(label)): code for code, label in field.labels.items()}
    return found | {cells.key(code): code for code in field.labels}, list(map(str, field.labels.values()))


def _row_words(rows: Iterable[Any]) -> Words:
    """What rows of a short table are called, and their codes; None where several share a word."""
    found: dict[str, str | None] = {}
    shown = []
    for row in rows:
        shown.append(row_names.name_of(row))
        names = {shown[-1]}
        for name in ("code", "name", "name_en", "name_zh_hans", "name_zh_hant"):
            names.add(str(getattr(row, name, "") or ""))
        for word in {cells.key(name) for name in names if name}:
            found[word] = None if word in found else str(row.id)
    return found, shown


def _picker_words(loader: pickers.Loader) -> Words:
    """What the rows of a long table are found by; None where several share a word."""
    column = getattr(loader.model, loader.fields[0])
    scope = loader.view.lookup_scope(loader.name, loader.model)
    found: dict[str, str | None] = {}
    for key, name in db.session.execute(select(loader.model.id, column).where(*scope)):
        word = cells.key(str(name))
        found[word] = None if word in found else str(key)
    return found, []
