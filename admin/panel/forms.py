"""Form fields of the office: money, office time, sealed text, codes, and relations that search."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import date, datetime
from decimal import Decimal
from functools import cache
from gettext import translation
from typing import Any

from flask_admin.contrib.sqla.fields import QuerySelectField, QuerySelectMultipleField
from flask_admin.contrib.sqla.form import AdminModelConverter
from flask_admin.form import BaseForm
from flask_admin.model.form import converts
from flask_babel import lazy_gettext as _
from markupsafe import Markup, escape
from sqlalchemy import BigInteger, select
from wtforms import (
    DateField,
    DateTimeLocalField,
    DecimalField,
    Field,
    IntegerField,
    SelectField,
    StringField,
    ValidationError,
    validators,
    widgets,
)
from wtforms.i18n import get_translations

from admin.panel import formats, language, lists, office_time, parsing, wording
from admin.panel.row_names import name_of
from models.base import db
from models.secrets import masked
from rules.billing import tier_problem

EARLIEST, LATEST = date(1900, 1, 1), date(2199, 12, 31)
BIGGEST_AMOUNT = Decimal(10**12)
SMALL_TABLE = 300


@cache
def wtforms_words(code: str) -> Any:
    """What WTForms says in a language: our wording where we have one, else its own."""
    ours = translation("wtforms", language.TRANSLATIONS, [language.LOCALES[code]], fallback=True)
    ours.add_fallback(get_translations({"zh_Hans": ["zh"], "zh_Hant": ["zh_TW"]}.get(code, ["en"])))
    return ours


class OfficeForm(BaseForm):
    """Refuses what no database takes; speaks the reader's language. The token is checked before any view."""

    class Meta:
        def get_translations(self, _form: Any) -> Any:
            return wtforms_words(language.current())

    def validate(self, extra_validators: Any = None) -> bool:
        unclean = [
            field
            for field in self
            if any(isinstance(value, str) and not lists.is_clean(value) for value in field.raw_data or ())
        ]
        for field in unclean:  # before any validator asks the database
            field.errors = [str(_("This holds characters that can't be stored."))]
        return not unclean and super().validate(extra_validators)


class FixedField(DecimalField):
    """A decimal with at most so many places; finite, and not below `least` (0 unless said otherwise)."""

    def __init__(
        self, *args: Any, decimals: int = 2, least: Decimal | None = Decimal(0), **kwargs: Any
    ) -> None:
        kwargs.setdefault("places", None)
        super().__init__(*args, **kwargs)
        self.decimals, self.least = decimals, least
        self.widget = widgets.TextInput()
        self.render_kw = {"inputmode": "decimal", "autocomplete": "off", **(self.render_kw or {})}

    def _value(self) -> str:
        if self.raw_data:
            return str(self.raw_data[0])
        if self.data is None:
            return ""
        if self.decimals == 2:
            return f"{self.data:.2f}"
        return str(formats.number(self.data)).replace(",", "")

    def process_formdata(self, valuelist: list[str]) -> None:
        text = valuelist[0].strip().replace(",", "") if valuelist else ""
        if not text:
            self.data = None
            return
        try:
            value = Decimal(text) if len(text) <= 40 else None
        except ArithmeticError:
            value = None
        if value is None or not value.is_finite() or abs(value) >= BIGGEST_AMOUNT:
            self.data = None
            raise ValueError(_("This is not a number the office can use."))
        if -value.normalize().as_tuple().exponent > self.decimals:
            self.data = None
            raise ValueError(_("At most %(places)s decimal places.", places=self.decimals))
        if self.least is not None and value < self.least:
            self.data = None
            raise ValueError(_("At least %(least)s.", least=self.least))
        self.data = value


class MoneyField(FixedField):
    """Yuan with two places."""


class TiersField(StringField):
    """Prices by tier, typed as `180: 0.50; 280: 0.55; 0.80`; in the column as JSON (B1)."""

    def _value(self) -> str:
        return str(self.raw_data[0]) if self.raw_data else parsing.tiers_text(self.data or "")

    def process_formdata(self, valuelist: list[str]) -> None:
        try:
            found = parsing.tiers(valuelist[0] if valuelist else "")
        except ValueError as wrong:
            raise ValueError(_("Write the tiers as in 180: 0.50; 280: 0.55; 0.80")) from wrong
        if problem := tier_problem(found):
            raise ValueError(wording.reason(problem.to_json()))
        self.data = parsing.tiers_stored(found)


class DayField(DateField):
    """A native date input."""

    def pre_validate(self, _form: Any) -> None:
        if self.data is not None and not EARLIEST <= self.data <= LATEST:
            raise ValidationError(_("This date is too far away."))


def instant_of(told: datetime) -> datetime:
    """The instant (UTC) of what a person told in office time. Raises ValueError, in words, when too far."""
    if not EARLIEST <= told.date() <= LATEST:
        raise ValueError(_("This date is too far away."))
    return office_time.instant_of(told)


class InstantField(DateTimeLocalField):
    """A native date-and-time input in office time; UTC in the data."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("format", ["%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M:%S"])
        super().__init__(*args, **kwargs)

    def _value(self) -> str:
        if self.raw_data:
            return str(self.raw_data[0])
        return f"{self.data.astimezone(office_time.zone()):%Y-%m-%dT%H:%M}" if self.data else ""

    def process_formdata(self, valuelist: list[str]) -> None:
        super().process_formdata(valuelist)
        if self.data is not None:
            told, self.data = self.data, None
            self.data = instant_of(told)


class ChoiceField(SelectField):
    """A native select over code → label; `allow_blank` adds an empty first line."""

    def __init__(
        self,
        label: Any = None,
        validators: Any = None,
        *,
        labels: Mapping[str, Any],
        allow_blank: bool = False,
        coerce: Callable[[Any], Any] = str,
        **kwargs: Any,
    ) -> None:
        self.allow_blank = allow_blank
        self.labels = labels
        super().__init__(label, validators, coerce=coerce, choices=self._choices, **kwargs)

    def _choices(self) -> list[tuple[str, str]]:
        lines = [(code, str(label)) for code, label in self.labels.items()]
        return [("", ""), *lines] if self.allow_blank and "" not in self.labels else lines

    def process_data(self, value: Any) -> None:
        self.data = None if value is None else str(value)

    def process_formdata(self, valuelist: list[str]) -> None:
        self.data = valuelist[0] if valuelist else None

    def iter_choices(self) -> Iterator[Any]:
        for value, text in self._choices():
            yield value, text, value == (self.data or ""), {}

    def pre_validate(self, _form: Any) -> None:
        if self.data and self.data not in self.labels:
            raise ValidationError(_("Please choose one of the list."))
        if not self.data and not self.allow_blank and "" not in self.labels:
            raise ValidationError(_("Please choose one of the list."))

    def populate_obj(self, obj: Any, name: str) -> None:
        column = getattr(type(obj), name)
        is_number = isinstance(self.data, str) and column.type.python_type is int
        empty = None if column.property.columns[0].nullable else ""
        setattr(obj, name, (int(self.data) if is_number else self.data) if self.data else empty)


class SealedField(StringField):
    """Text that is encrypted at rest: the form shows it masked and an empty box keeps what is stored."""

    def process_data(self, value: Any) -> None:
        self.stored, self.data = value, ""
        self.render_kw = {
            **(self.render_kw or {}),
            "placeholder": masked(value) if value else "",
            "autocomplete": "off",
        }

    def _value(self) -> str:
        return str(self.raw_data[0]) if self.raw_data else ""

    def populate_obj(self, obj: Any, name: str) -> None:
        if self.data:
            setattr(obj, name, self.data.strip())


class SealedRequired:
    """Required unless something is stored already."""

    def __call__(self, _form: Any, field: Any) -> None:
        if not field.data and not getattr(field, "stored", None):
            raise ValidationError(field.gettext("This field is required."))


class PickerWidget:
    """A hidden id and a box that searches through the screen's look-up (own script; no inline code)."""

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
        loader: Any,
        allow_blank: bool = False,
        **kwargs: Any,
    ) -> None:
        kwargs.pop("get_label", None)
        super().__init__(label, validators, **kwargs)
        self.loader, self.allow_blank = loader, allow_blank

    def lookup_url(self) -> str:
        return self.loader.url()

    def text_of(self, row: Any) -> str:
        return self.loader.text_of(row)

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
        return self.view.get_url(".ajax_lookup", name=self.name)

    def text_of(self, row: Any) -> str:
        return name_of(row)

    def format(self, row: Any) -> tuple[int, str]:
        return row.id, name_of(row)

    def get_one(self, key: Any) -> Any:
        identity = lists.row_id(key)
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
            spellings = {query, query.upper(), query.lower()}
            conditions = [
                lists.starts_with(getattr(self.model, field), spelling, self.view.dialect)
                for field in self.fields
                for spelling in spellings
            ]
            from sqlalchemy import or_

            statement = statement.where(or_(*conditions))
        statement = statement.order_by(getattr(self.model, self.fields[0])).offset(offset).limit(limit)
        return list(db.session.scalars(statement))


class CheckList(widgets.ListWidget):
    """Several of a short list, as tick boxes."""

    def __init__(self) -> None:
        super().__init__(prefix_label=False)

    def __call__(self, field: Any, **_kwargs: Any) -> Markup:
        lines = [
            Markup('<label class="tick"><input type="checkbox" name="{}" value="{}"{}> {}</label>').format(
                field.name, value, Markup(" checked") if is_chosen else "", label
            )
            for value, label, is_chosen, *_rest in field.iter_choices()
        ]
        return Markup('<div class="ticks" id="{}" role="group">{}</div>').format(
            field.id, Markup("").join(lines)
        )


class Converter(AdminModelConverter):
    """Columns to fields: native inputs, exact decimals, office time; relations as select, picker or ticks."""

    def convert(self, model: Any, mapper: Any, name: str, prop: Any, field_args: Any, hidden_pk: bool) -> Any:  # noqa: FBT001 -- Flask-Admin's signature
        labels = self.view.choices.get(name)
        if labels and hasattr(prop, "columns") and name not in (self.view.form_overrides or {}):
            return self._choice(prop.columns[0], name, labels, dict(field_args or {}))
        return super().convert(model, mapper, name, prop, field_args, hidden_pk)

    def _get_label(self, name: str, field_args: Any) -> Any:
        return field_args.get("label") or self.view.get_column_name(name)

    def _choice(self, column: Any, name: str, labels: Any, args: dict[str, Any]) -> Any:
        args.setdefault("label", self.view.get_column_name(name))
        args.setdefault("description", (self.view.column_descriptions or {}).get(name, ""))
        default = getattr(column.default, "arg", None)
        if default is not None and not callable(default):
            args.setdefault("default", default)
        is_optional = column.nullable or default == ""
        return ChoiceField(labels=labels, allow_blank=is_optional, **args)

    def _model_select_field(self, prop: Any, multiple: Any, remote_model: Any, **kwargs: Any) -> Any:
        loader = self.view._form_ajax_refs.get(prop.key)  # noqa: SLF001 -- Flask-Admin's converter does the same
        if loader and not multiple:
            return PickerField(loader=loader, **kwargs)
        kwargs["query_factory"] = lambda: db.session.scalars(
            self.view.lookup_statement(prop.key, remote_model).limit(SMALL_TABLE)
        ).all()
        kwargs.setdefault("get_label", name_of)
        if multiple:
            kwargs["widget"] = CheckList()
            return QuerySelectMultipleField(**kwargs)
        kwargs["widget"] = widgets.Select()
        return QuerySelectField(**kwargs)

    @converts("Instant")
    def convert_instant(self, field_args: Any, **_extra: Any) -> Any:
        return InstantField(**field_args)

    @converts("Date")
    def convert_date(self, field_args: Any, **_extra: Any) -> Any:
        return DayField(**field_args)

    @converts("Money")
    def convert_money(self, field_args: Any, **_extra: Any) -> Any:
        return MoneyField(**field_args)

    @converts("FixedPoint")
    def convert_fixed(self, column: Any, field_args: Any, **_extra: Any) -> Any:
        return FixedField(decimals=column.type.places, **field_args)

    @converts("Sealed")
    def convert_sealed(self, column: Any, field_args: Any, **_extra: Any) -> Any:
        kept = [each for each in field_args["validators"] if not isinstance(each, validators.InputRequired)]
        if not column.nullable:
            kept = [SealedRequired()]
        return SealedField(**{**field_args, "validators": [*kept, validators.Length(max=300)]})

    @converts("Integer")
    def handle_integer_types(self, column: Any, field_args: Any, **_extra: Any) -> Any:
        most = lists.BIGGEST_ID if isinstance(column.type, BigInteger) else 2**31 - 1
        field_args["validators"].append(validators.NumberRange(min=-most, max=most))
        return IntegerField(**field_args)

    @converts("String")
    def conv_String(self, column: Any, field_args: Any, **extra: Any) -> Any:  # noqa: N802 -- Flask-Admin's name
        if column.type.length is None:  # free text without a limit is written in an area
            return self.conv_Text(column=column, field_args=field_args, **extra)
        return super().conv_String(column=column, field_args=field_args, **extra)

    @converts("Text")
    def conv_Text(self, field_args: Any, **extra: Any) -> Any:  # noqa: N802 -- Flask-Admin's name
        field_args["validators"].append(validators.Length(max=20_000))
        return super().conv_Text(field_args=field_args, **extra)


__all__ = [
    "ChoiceField",
    "DayField",
    "FixedField",
    "InstantField",
    "MoneyField",
    "OfficeForm",
    "PickerField",
    "escape",
]
