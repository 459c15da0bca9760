"""What a field of a policy may hold, and the refusal of a value that can't be (§9).

A policy is a frozen dataclass whose fields are named as in the policy's document. Types say which codes and
kinds of values are allowed (`Literal`, enums, dates), a `Range` in the type says how large a number may be.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from decimal import Decimal
from enum import StrEnum
from functools import cache
from typing import Annotated, Any, get_args, get_type_hints

from rules.reasons import Reason

MOST = 100_000  # of days, minutes, people; more than a date or a wait can bear is a slip of the finger


class PolicyValueError(ValueError):
    """A value of a policy that can't be; `reason` has the code of the sentence and its values."""

    def __init__(self, code: str, /, **inputs: object) -> None:
        self.reason = Reason(code, inputs)
        super().__init__(str(self.reason))


@dataclass(frozen=True)
class Range:
    """The smallest and the largest number that a field may hold, both included."""

    least: int = 0
    most: int = MOST

    def holds(self, value: int | Decimal) -> bool:
        return (not isinstance(value, Decimal) or value.is_finite()) and self.least <= value <= self.most


class OfficeRows(StrEnum):
    """Rows of the office whose codes a field names; they are known only with the database."""

    FEE_ITEM = "fee_item"
    CATEGORY = "category"


NotNegative = Annotated[int, Range()]
Positive = Annotated[int, Range(1)]
DayOfMonth = Annotated[int, Range(1, 31)]
Percent = Annotated[int, Range(0, 100)]
Amount = Annotated[Decimal, Range(most=10**9)]
FeeItemCode = Annotated[str, OfficeRows.FEE_ITEM]
CategoryCode = Annotated[str, OfficeRows.CATEGORY]


@cache
def field_types(policy: type) -> Mapping[str, Any]:
    """The type of each field that a policy's document may have, with its `Range` or `OfficeRows`."""
    hints = get_type_hints(policy, include_extras=True)
    return {each.name: hints[each.name] for each in fields(policy) if each.init}


class Checked:
    """A policy, or a row of one; on creation PolicyValueError for the first number outside its `Range`."""

    def __post_init__(self) -> None:
        kind: type = type(self)
        for name, allowed in _ranges(kind).items():
            value = getattr(self, name)
            numbers = (
                {f"{name}.{number}": each for number, each in enumerate(value, 1)}
                if isinstance(value, tuple)
                else {name: value}
            )
            for place, each in numbers.items():
                if each is not None and not allowed.holds(each):
                    raise PolicyValueError(
                        "out_of_range", field=place, value=each, least=allowed.least, most=allowed.most
                    )


@cache
def _ranges(policy: type) -> Mapping[str, Range]:
    found = {name: _range_in(kind) for name, kind in field_types(policy).items()}
    return {name: allowed for name, allowed in found.items() if allowed is not None}


def _range_in(kind: Any) -> Range | None:
    """The range of a number's type, also where the number may be missing or stands in a list."""
    for each in (*getattr(kind, "__metadata__", ()), *get_args(kind)):
        found = each if isinstance(each, Range) else _range_in(each)
        if found is not None:
            return found
    return None
