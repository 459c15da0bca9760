"""Why a decision was made: a code and its inputs, worded for a reader on a higher floor."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal

Plain = str | int | bool | None
_ENCODE = json.JSONEncoder(ensure_ascii=False).encode  # made once: imports write many


def _plain(value: object) -> Plain:
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return str(value)
    if value is None or isinstance(value, str | int | bool):
        return value
    return str(value)


@dataclass(frozen=True)
class Reason:
    """One reason: the rule's code and the inputs it saw (T3, C12)."""

    code: str
    inputs: Mapping[str, object] = field(default_factory=dict)

    def __str__(self) -> str:
        """The stable form of exports: `code` or `code: name=value, name=value`."""
        if not self.inputs:
            return self.code
        return f"{self.code}: " + ", ".join(f"{name}={_plain(value)}" for name, value in self.inputs.items())

    def to_json(self) -> str:
        inputs = {name: _plain(value) for name, value in self.inputs.items()}
        return _ENCODE({"code": self.code, "inputs": inputs})

    @classmethod
    def from_json(cls, text: str) -> Reason:
        stored = json.loads(text)
        return cls(stored["code"], stored["inputs"])
