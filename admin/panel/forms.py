"""Form fields of the office: money, office time, sealed text, codes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from decimal import Decimal
from functools import cache
from gettext import translation
from typing import Any

from flask import current_app
from flask_admin.form import BaseForm
from flask_babel import lazy_gettext as _
from markupsafe import Markup
from wtforms import (
    DateField,
    DateTimeLocalField,
    DecimalField,
    IntegerField,
    SelectField,
    StringField,
    ValidationError,
    widgets,
)
from wtforms.i18n import get_translations

from admin.panel import formats, language, office_time, parsing, typed_text, wording
from admin.panel.request_values import is_clean
from admin.panel.typed_text import EARLIEST, LATEST
from models.secrets import masked
from rules import dates
from rules.billing import tier_problem


@cache
def wtforms_words(code: str, folder: str) -> Any:
    """What WTForms says in a language: our wording in the folder of compiled ones, else its own."""
    ours = translation("wtforms", folder, [language.LOCALES[code]], fallback=True)
    ours.add_fallback(get_translations({"zh_Hans": ["zh"], "zh_Hant": ["zh_TW"]}.get(code, ["en"])))
    return ours


class OfficeForm(BaseForm):
    """Refuses what no database takes; speaks the reader's language. The token is checked before any view."""

    class Meta:
        def get_translations(self, _form: Any) -> Any:
            return wtforms_words(language.current(), current_app.config["BABEL_TRANSLATION_DIRECTORIES"])

    def validate(self, extra_validators: Any = None) -> bool:
        unclean = [
            field
            for field in self
            if any(isinstance(value, str) and not is_clean(value) for value in field.raw_data or ())
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
        text = valuelist[0].strip() if valuelist else ""
        self.data = None
        if text:
            self.data = typed_text.number(text, self.decimals, self.least)


class MoneyField(FixedField):
    """Yuan with two places."""


class WholeField(IntegerField):
    """A whole number."""

    def process_formdata(self, valuelist: list[str]) -> None:
        if not valuelist:
            return
        self.data = None
        self.data = typed_text.whole(valuelist[0])


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
    """A native date input; what is typed where the browser has none is read as rules/dates.py says."""

    def process_formdata(self, valuelist: list[str]) -> None:
        self.data = None
        if valuelist and valuelist[0].strip():
            self.data = typed_text.day(valuelist[0])

    def pre_validate(self, _form: Any) -> None:
        if self.data is not None and not EARLIEST <= self.data <= LATEST:
            raise ValidationError(_("This date is too far away."))


def instant_of(local: datetime) -> datetime:
    """The instant (UTC) of a date and time in office time. Raises ValueError, in words, when too far."""
    if not EARLIEST <= local.date() <= LATEST:
        raise ValueError(_("This date is too far away."))
    return office_time.instant_of(local)


class InstantField(DateTimeLocalField):
    """A native date-and-time input in office time, read as rules/dates.py says; UTC in the data."""

    def _value(self) -> str:
        if self.raw_data:
            return str(self.raw_data[0])
        return f"{self.data.astimezone(office_time.zone()):%Y-%m-%dT%H:%M}" if self.data else ""

    def process_formdata(self, valuelist: list[str]) -> None:
        self.data = None
        if not valuelist or not valuelist[0].strip():
            return
        try:
            day, at, offset = dates.parts(valuelist[0])
        except ValueError:
            at = None
        if at is None or not EARLIEST <= day <= LATEST:
            raise ValueError(_("Write the time as YYYY-MM-DD HH:MM, such as 2026-07-01 09:30"))
        local = datetime.combine(day, at)
        if offset is not None:
            local = local.replace(tzinfo=offset).astimezone(office_time.zone()).replace(tzinfo=None)
        self.data = instant_of(local)


class ChoiceField(SelectField):
    """A native select over code → label; `allow_blank` adds an empty first line.

    With `is_kept` a form that doesn't have the field leaves what is stored, or the default.
    """

    def __init__(
        self,
        label: Any = None,
        validators: Any = None,
        *,
        labels: Mapping[str, Any],
        allow_blank: bool = False,
        is_kept: bool = False,
        coerce: Callable[[Any], Any] = str,
        **kwargs: Any,
    ) -> None:
        self.allow_blank = allow_blank
        self.is_kept = is_kept
        self.labels = labels
        super().__init__(label, validators, coerce=coerce, choices=self._choices, **kwargs)

    def _choices(self) -> list[tuple[str, str]]:
        lines = [(code, str(label)) for code, label in self.labels.items()]
        return [("", ""), *lines] if self.allow_blank and "" not in self.labels else lines

    def process_data(self, value: Any) -> None:
        self.data = None if value is None else str(value)

    def process_formdata(self, valuelist: list[str]) -> None:
        if valuelist or not self.is_kept:
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
            "data-sealed": "",  # no draft of it is kept in the browser
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
