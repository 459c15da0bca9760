"""Policy documents ↔ the dataclasses of the rules: what each field may hold, and what is wrong with one (§9).

A document is shaped as its preset's TOML file and may come from there, from a stored version, a form or a
file. Its fields are those of the policy's dataclass; a place in it is written with dots, rows counted from 1:
`stage.3.channels.1`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import MISSING, fields, is_dataclass
from datetime import date, time
from decimal import Decimal
from enum import Enum
from functools import cache, lru_cache
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, TypeVar, Union, get_args, get_origin

import msgspec

from office.core.errors import N_, Refused
from rules.allocation import AllocationPolicy
from rules.billing import BillingDocument
from rules.cheques import ChequePolicy
from rules.deadlines import ClockPolicy, EscalationPolicy
from rules.gates import Gates
from rules.ladder import LadderDocument
from rules.large_sums import LargeSums
from rules.late_fee import LateFeeDocument
from rules.lifecycle import ComplaintPolicy
from rules.policy_values import OfficeRows, PolicyValueError, field_types
from rules.public_form import PublicForm
from rules.reasons import Reason
from rules.receipts import ReceiptPolicy
from rules.report_mails import ReportPolicy
from rules.severity import SeverityPolicy
from rules.sign_in import SignInPolicy
from rules.upkeep import BackupPolicy, MessagePolicy, PrivacyPolicy
from rules.visits import VisitPolicy
from rules.working_time import OfficeCalendar

P = TypeVar("P")
Place = tuple[str | int, ...]

TYPES: Mapping[str, type[Any]] = {
    "allocation": AllocationPolicy,
    "backups": BackupPolicy,
    "billing": BillingDocument,
    "calendar": OfficeCalendar,
    "cheques": ChequePolicy,
    "clocks": ClockPolicy,
    "complaints": ComplaintPolicy,
    "escalation": EscalationPolicy,
    "gates": Gates,
    "ladder": LadderDocument,
    "large_sums": LargeSums,
    "late_fee": LateFeeDocument,
    "messages": MessagePolicy,
    "privacy": PrivacyPolicy,
    "public_form": PublicForm,
    "receipts": ReceiptPolicy,
    "reports": ReportPolicy,
    "severities": SeverityPolicy,
    "sign_in": SignInPolicy,
    "visits": VisitPolicy,
}
NAMES: Mapping[type[Any], str] = {kind: name for name, kind in TYPES.items()}

KINDS: Mapping[Any, str] = {
    bool: "yes_or_no",
    int: "whole_number",
    Decimal: "number",
    str: "text",
    date: "day",
    time: "time",
    tuple: "list",
    frozenset: "list",
}
"""What the value of a type is called in a refusal; anything else is a table."""
LONGEST = 60  # characters of a wrong value that a refusal repeats

_PLACE = re.compile(r" - at `\$(.*?)`$")
_STEP = re.compile(r"\.(\w+)|\[(\d+)\]")
_MISSING = re.compile(r"missing required field `(\w+)`")


class PolicyRefused(Refused):
    """A policy document with problems; `reasons` lists them all."""

    def __init__(self, reasons: Sequence[Reason], message: str = "", **values: object) -> None:
        listed = "; ".join(map(str, reasons))
        super().__init__(message or N_("The policy can't be saved: %(problems)s"), **values, problems=listed)
        self.reasons = list(reasons)


class PolicyUnreadable(PolicyRefused):
    """A stored version that no rule can be made of; what needs it doesn't happen until it is corrected."""

    def __init__(self, policy: str, reasons: Sequence[Reason]) -> None:
        message = N_("The policy %(policy)s can't be read: %(problems)s. Correct it under Policies.")
        super().__init__(reasons, message, policy=policy)


def typed(kind: type[P], rows: Mapping[str, Any]) -> P:
    """The policy of a document. Raises PolicyRefused naming the field that can't be, and what may stand."""
    try:
        return msgspec.convert(_prepared(rows, kind, ()), kind)
    except msgspec.ValidationError as error:
        raise PolicyRefused([_reason(error, kind, rows)]) from error


def stored(kind: type[P], text: str) -> P:
    """The policy of a stored version's JSON. Raises PolicyUnreadable."""
    value: P = _stored(NAMES[kind], text)
    return value


@lru_cache(maxsize=256)
def _stored(policy: str, text: str) -> Any:
    try:
        return typed(TYPES[policy], loaded(text))
    except PolicyRefused as refusal:
        raise PolicyUnreadable(policy, refusal.reasons) from refusal


def loaded(text: str) -> dict[str, Any]:
    """The document of a stored version, an empty one when the text holds none."""
    try:
        found = json.loads(text)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def is_mendable(policy: str, rows: Mapping[str, Any]) -> bool:
    """Whether a form can put the document right: it has all its tables, and no field that is unknown."""
    try:
        typed(TYPES[policy], rows)
    except PolicyRefused as refusal:
        return not any(
            reason.code in {"field_unknown", "value_missing"}
            or reason.inputs.get("kind") == "table"
            or (reason.inputs.get("kind") == "list" and "." not in str(reason.inputs["field"]))
            for reason in refusal.reasons
        )
    return True


def office_codes(policy: object, place: Place = ()) -> Iterator[tuple[Place, OfficeRows, str]]:
    """Every code in a policy that names a row of the office: its place, the rows it is among, the code."""
    kind: type = type(policy)
    for name, field_kind in field_types(kind).items() if is_dataclass(kind) else ():
        value = getattr(policy, name)
        rows = _office_rows(field_kind)
        if isinstance(value, str) and value and rows:
            yield (*place, name), rows, value
        elif isinstance(value, frozenset | tuple) and rows:
            codes = sorted(value) if isinstance(value, frozenset) else value
            yield from (((*place, name), rows, code) for code in codes)
        elif isinstance(value, tuple):
            for number, row in enumerate(value):
                yield from office_codes(row, (*place, name, number))
        else:
            yield from office_codes(value, (*place, name))


def code_unknown(place: Place, value: object, allowed: Sequence[str]) -> Reason:
    return Reason(
        "code_unknown",
        {"field": dotted(place), "value": _shown(value), "allowed": " ".join(filter(None, allowed))},
    )


def kind_at(policy: str, place: Place) -> Any:
    """The type of a place in a policy's document, None where nothing is known of it."""
    return _type_at(TYPES.get(policy), place)


def is_on_when_absent(policy: str, place: Place) -> bool:
    """Whether a tick box that a document leaves out counts as ticked."""
    holder = kind_at(policy, place[:-1])
    return (
        any(each.name == place[-1] and each.default is True for each in fields(holder))
        if _is_table(holder)
        else False
    )


def kind_named(kind: Any) -> str:
    """What a value of the type is called in a refusal."""
    bare, _ = _bare(kind)
    return "text" if codes_of(bare) else KINDS.get(get_origin(bare) or bare, "table")


def dotted(place: Place) -> str:
    """`("stage", 2, "channels", 0)` as `stage.3.channels.1`."""
    return ".".join(str(step + 1) if isinstance(step, int) else step for step in place)


# --- types --------------------------------------------------------------------------------------------------


@cache
def _bare(kind: Any) -> tuple[Any, bool]:
    """A type without its range and without None, and whether it allows None."""
    if get_origin(kind) is Annotated:
        return _bare(get_args(kind)[0])
    if get_origin(kind) in {Union, UnionType}:
        options = [each for each in get_args(kind) if each is not NoneType]
        is_optional = len(options) < len(get_args(kind))
        return (_bare(options[0])[0] if len(options) == 1 else kind), is_optional
    return kind, False


@cache
def codes_of(kind: Any) -> tuple[str, ...]:
    """The codes that a type allows, none for a type that is no set of codes."""
    if get_origin(kind) is Literal:
        return tuple(map(str, get_args(kind)))
    if isinstance(kind, type) and issubclass(kind, Enum):
        return tuple(str(each.value) for each in kind)
    if get_origin(kind) in {Union, UnionType, Annotated}:
        return tuple(code for each in get_args(kind) for code in codes_of(each))
    return ()


@cache
def _item(kind: Any, number: int) -> Any:
    """The type of an item of a list."""
    items = get_args(kind)
    if not items:
        return None
    return items[min(number, len(items) - 1)] if Ellipsis not in items else items[0]


def _is_table(kind: Any) -> bool:
    return is_dataclass(kind)


def _type_at(kind: Any, place: Place) -> Any:
    kind, _ = _bare(kind)
    if not place:
        return kind
    step, *rest = place
    if isinstance(step, int):
        return _type_at(_item(kind, step), tuple(rest))
    return _type_at(field_types(kind).get(step), tuple(rest)) if _is_table(kind) else None


@cache
def _office_rows(kind: Any) -> OfficeRows | None:
    for each in (*getattr(kind, "__metadata__", ()), *get_args(kind)):
        found = each if isinstance(each, OfficeRows) else _office_rows(each)
        if found is not None:
            return found
    return None


# --- from a document to its type ----------------------------------------------------------------------------


def _prepared(given: Any, kind: Any, place: Place) -> Any:
    """A document's value in the words of msgspec, which ignores unknown fields and wants seconds in times.

    An empty value of a field that is no text counts as none. Raises PolicyRefused for an unknown field.
    """
    if isinstance(given, int):
        return given
    kind, is_optional = _bare(kind)
    if is_optional and given in (None, ""):
        return None
    if isinstance(given, Mapping) and _is_table(kind):
        return _prepared_table(given, kind, place)
    if get_origin(kind) in {tuple, frozenset} and isinstance(given, list | tuple | set | frozenset):
        return [_prepared(each, _item(kind, number), (*place, number)) for number, each in enumerate(given)]
    if isinstance(given, Mapping) and get_args(kind):
        return {_key(key, kind, place): _flag(value, (*place, str(key))) for key, value in given.items()}
    return _time(given) if kind is time and isinstance(given, str) else given


def _time(text: str) -> time | str:
    try:
        return time.fromisoformat(text)
    except ValueError:
        return text


def _prepared_table(given: Mapping[Any, Any], kind: Any, place: Place) -> dict[str, Any]:
    types = field_types(kind)
    if unknown := [name for name in given if name not in types]:
        raise PolicyRefused(
            [
                Reason(
                    "field_unknown", {"field": dotted((*place, str(unknown[0]))), "allowed": " ".join(types)}
                )
            ]
        )
    defaulted = _defaulted(kind)
    return {
        name: _prepared(value, types[name], (*place, name))
        for name, value in given.items()
        if value != "" or name not in defaulted or _admits_empty(types[name])
    }


@cache
def _defaulted(kind: type) -> frozenset[str]:
    """The fields that a document may leave out."""
    return frozenset(
        each.name for each in fields(kind) if (each.default, each.default_factory) != (MISSING, MISSING)
    )


@cache
def _admits_empty(kind: Any) -> bool:
    bare, is_optional = _bare(kind)
    return is_optional or bare is str or "" in codes_of(kind)


def _key(key: object, kind: Any, place: Place) -> Any:
    """A key of a table of days or of codes."""
    if codes := codes_of(get_args(kind)[0]):
        if key not in codes:
            raise PolicyRefused([code_unknown(place, key, codes)])
        return key
    if isinstance(key, date):
        return key
    try:
        return date.fromisoformat(str(key))
    except ValueError as error:
        raise PolicyRefused([_wrong_kind(place, key, "day")]) from error


def _flag(value: object, place: Place) -> bool:
    if not isinstance(value, bool):
        raise PolicyRefused([_wrong_kind(place, value, "yes_or_no")])
    return value


# --- what is wrong ------------------------------------------------------------------------------------------


def _reason(error: msgspec.ValidationError, kind: Any, rows: Any) -> Reason:
    found = _PLACE.search(str(error))
    steps = _STEP.findall(found[1]) if found else ()
    place: Place = tuple(name or int(number) for name, number in steps)
    if isinstance(error.__cause__, PolicyValueError):
        reason = error.__cause__.reason
        name = reason.inputs.get("field")
        at = (*place, str(name)) if name else place
        return Reason(reason.code, {**reason.inputs, "field": dotted(at)})
    if missing := _MISSING.search(str(error)):
        return Reason("value_missing", {"value": dotted((*place, missing[1]))})
    value = rows
    for step in place:
        value = value[step]
    wanted = _type_at(kind, place)
    if isinstance(value, str) and (codes := codes_of(wanted)):
        return code_unknown(place, value, codes)
    return _wrong_kind(place, value, kind_named(wanted))


def _wrong_kind(place: Place, value: object, kind: str) -> Reason:
    return Reason("value_of_wrong_kind", {"field": dotted(place), "value": _shown(value), "kind": kind})


def _shown(value: object) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"
