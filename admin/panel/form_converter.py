"""From a model's columns and relations to form fields, for each name of a screen's `form_columns`."""

from __future__ import annotations

from typing import Any

from flask_admin.contrib.sqla.fields import QuerySelectField, QuerySelectMultipleField
from flask_admin.contrib.sqla.form import AdminModelConverter
from flask_admin.model.form import converts
from sqlalchemy import BigInteger
from wtforms import validators, widgets

from admin.panel.forms import (
    CheckList,
    ChoiceField,
    DayField,
    FixedField,
    InstantField,
    MoneyField,
    SealedField,
    SealedRequired,
    WholeField,
)
from admin.panel.pickers import PickerField
from admin.panel.request_values import BIGGEST_ID
from admin.panel.row_names import name_of
from models.base import db

SMALL_TABLE = 300  # rows that a select offers


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
        most = BIGGEST_ID if isinstance(column.type, BigInteger) else 2**31 - 1
        field_args["validators"].append(validators.NumberRange(min=-most, max=most))
        return WholeField(**field_args)

    @converts("String")
    def conv_String(self, column: Any, field_args: Any, **extra: Any) -> Any:  # noqa: N802 -- Flask-Admin's name
        if column.type.length is None:  # free text without a limit is written in an area
            return self.conv_Text(column=column, field_args=field_args, **extra)
        return super().conv_String(column=column, field_args=field_args, **extra)

    @converts("Text")
    def conv_Text(self, field_args: Any, **extra: Any) -> Any:  # noqa: N802 -- Flask-Admin's name
        field_args["validators"].append(validators.Length(max=20_000))
        return super().conv_Text(field_args=field_args, **extra)
