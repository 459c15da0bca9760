"""Numbers are read by one strict reader in every form, action and filter (contract "Reading files").

Over every screen's form and every action of the office; a field of another kind is a failing test.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from flask_admin.helpers import set_current_view
from werkzeug.datastructures import MultiDict
from wtforms import DecimalField, FloatField, IntegerField, IntegerRangeField

from admin.panel import actions, forms, registry, typed_text
from admin.payments.cashier_desk import typed_money
from office.core.errors import Refused
from rules.numbers import NumberError
from tests.conftest import Office

WRONG = ("89,5", "1,2,3", "1_000", "1e3", "12,34", "1.2.3", "abc", "NaN", "0x10", "1 000", "--5", "１，２")
RIGHT = [
    ("１２０．５０", "120.50"),
    ("￥120", "120"),
    ("¥1,200.50", "1200.50"),
    ("1，000", "1000"),
    ("120元", "120"),
    ("RMB 120", "120"),
    ("+7", "7"),
]
WHOLE = [("１２", 12), ("1,000", 1000), ("3.0", 3)]


@pytest.fixture
def inside(office_of: Any) -> Iterator[None]:
    office: Office = office_of("residential")
    with office.app.test_request_context("/"):
        yield


def number_fields() -> list[tuple[str, Any, str]]:
    """(screen, form, field) of each field of each screen's form that takes a number."""
    kinds = (DecimalField, FloatField, IntegerField, IntegerRangeField)
    found = []
    for view in registry.views():
        if getattr(view, "form_columns", ()):
            set_current_view(view)
            form = view._edit_form_class
            found += [
                (view.screen, form, field.name) for field in form(MultiDict()) if isinstance(field, kinds)
            ]
    return found


def asks() -> list[tuple[str, actions.Ask]]:
    return [
        (f"{view.screen}.{action.code}", each)
        for view in registry.views()
        for action in getattr(view, "office_actions", {}).values()
        for each in action.fields
        if each.kind in {"money", "number"}
    ]


def read_by(form: Any, name: str, text: str) -> tuple[Any, list[str]]:
    field = form(MultiDict({name: text}))[name]
    return field.data, [*map(str, field.process_errors)]


def taken() -> list[tuple[str, str, str]]:
    """Where a text that is no number is taken for one, or is refused without saying what to write."""
    found = [
        (screen, name, text)
        for screen, form, name in number_fields()
        for text in WRONG
        if (read := read_by(form, name, text))[0] is not None or not any("write" in told for told in read[1])
    ]
    for place, each in asks():
        for text in WRONG:
            values, problems = actions.read_asked([each], {each.name: text})
            if values[each.name] is not None or "write" not in problems.get(each.name, ""):
                found.append((place, each.name, text))
    return found


@pytest.mark.usefixtures("inside")
def test_what_is_no_number_is_refused_with_what_to_write() -> None:
    assert len(number_fields()) > 15
    assert len(asks()) >= 10

    assert taken() == []


@pytest.mark.usefixtures("inside")
def test_control_a_looser_reader_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    def loose(text: str) -> Decimal:
        try:
            value = Decimal(text.replace(",", ""))
        except ArithmeticError:
            raise NumberError("not_a_number", text) from None
        if not value.is_finite():
            raise NumberError("not_finite", text)
        return value

    monkeypatch.setattr(typed_text, "decimal_of", loose)

    assert {text for _place, _name, text in taken()} >= {"89,5", "1,2,3", "1e3"}


@pytest.mark.usefixtures("inside")
def test_every_number_field_is_one_of_the_offices() -> None:
    """A field of WTForms' own would read `1_000` and `1e3`."""
    odd = [
        (screen, name)
        for screen, form, name in number_fields()
        if not isinstance(form(MultiDict())[name], forms.FixedField | forms.WholeField)
    ]

    assert odd == []


@pytest.mark.usefixtures("inside")
def test_numbers_are_read_as_people_write_them() -> None:
    for screen, form, name in number_fields():
        field = form(MultiDict())[name]
        if isinstance(field, forms.FixedField):
            for text, value in RIGHT:
                if Decimal(value) == int(Decimal(value)) or field.decimals >= 2:
                    assert (screen, name, text, read_by(form, name, text)[0]) == (
                        screen,
                        name,
                        text,
                        Decimal(value),
                    )
        else:
            for text, whole in WHOLE:
                assert (screen, name, text, read_by(form, name, text)[0]) == (screen, name, text, whole)
    for place, each in asks():
        text, value = ("１２", 12) if each.kind == "number" else ("￥1,200.50", Decimal("1200.50"))
        assert (place, actions.read_asked([each], {each.name: text})[0]) == (place, {each.name: value})


@pytest.mark.parametrize("text", WRONG)
def test_the_cashier_takes_no_such_amount(text: str) -> None:
    with pytest.raises(Refused):
        typed_money(text)


@pytest.mark.parametrize(("text", "value"), RIGHT)
def test_the_cashier_takes_an_amount_as_it_is_written(text: str, value: str) -> None:
    assert typed_money(text) == Decimal(value)


def test_an_amount_in_brackets_is_negative() -> None:
    assert typed_money("(120.00)", is_negative_allowed=True) == Decimal("-120.00")
    with pytest.raises(Refused):
        typed_money("(120.00)")
