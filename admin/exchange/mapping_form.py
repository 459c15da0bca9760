"""The form that asks what an import can't tell by itself: only what the file at hand needs.

Each header of the file with a sample and what it probably is; words that no column knows, when they occur;
what the file lacks. All else is folded (contract "Reading files").
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from werkzeug.datastructures import MultiDict

from admin.panel import request_values
from admin.panel.column_names import column_name
from office.core.errors import N_, Refused
from office.exchange.imports.columns import Column
from office.exchange.imports.headers import header_key
from office.exchange.imports.mapping import FileMapping, from_stored, parts_of, proposed_join
from office.exchange.imports.statement_layouts import MANY


def refuse_unclean(texts: Iterable[str]) -> None:
    """Raise Refused where a text can't be stored."""
    if not all(map(request_values.is_clean, texts)):
        raise Refused(N_("This holds characters that can't be stored."))


def _is_code_of_row(column: Column) -> bool:
    """Whether no value can hold for every row: each has a code of its own."""
    return column.is_required and column.is_key and column.is_code


@dataclass(frozen=True)
class HeaderField:
    """One column of the file: its header, some of its values, and the code of what it is."""

    field: str
    header: str
    samples: Sequence[str]
    code: str


@dataclass(frozen=True)
class WordField:
    """A word of the file, the codes that it may stand for, and the one that was chosen."""

    column: str
    word: str
    known: Sequence[str]
    meaning: str


class MappingForm:
    """What the trial of a file found, as fields; and what a person sent, as a mapping."""

    def __init__(self, found: Mapping[str, Any], columns: Sequence[Column]) -> None:
        self.found, self.columns = found, columns
        self.codes = [column.code for column in columns]
        self.before = from_stored(found.get("said") or {})

    @cached_property
    def headers(self) -> list[HeaderField]:
        names: Sequence[str] = self.found.get("headers", ())
        samples: Sequence[Sequence[str]] = self.found.get("samples", ())
        guessed = {header: code for code, header in self.found.get("guessed", {}).items()}
        said = {header_key(header): code for header, code in self.before.columns.items()}
        return [
            HeaderField(
                f"header_{place}",
                name,
                samples[place] if place < len(samples) else (),
                said.get(header_key(name), "" if said else guessed.get(name, "")),
            )
            for place, name in enumerate(names)
        ]

    @cached_property
    def words(self) -> list[WordField]:
        """Words that are not known yet, then those that were explained before."""
        asked = [
            WordField(one["column"], one["word"], one["known"], "") for one in self.found.get("words", ())
        ]
        told = [
            WordField(code, word, (), meaning)
            for code, words in self.before.values.items()
            for word, meaning in words.items()
        ]
        return asked + told

    @cached_property
    def lacking(self) -> list[Column]:
        """The columns of the import that the file has no header for, those that it needs first."""
        there = {one.code for one in self.headers} | set(self.before.joins)
        return sorted(
            (column for column in self.columns if column.code not in there),
            key=lambda column: not column.is_required,
        )

    @property
    def needed(self) -> list[Column]:
        said = self.before.constants
        return [
            one for one in self.lacking if (one.is_required and not _is_code_of_row(one)) or one.code in said
        ]

    @property
    def others(self) -> list[Column]:
        return [one for one in self.lacking if one not in self.needed and not _is_code_of_row(one)]

    @property
    def lacks_code(self) -> bool:
        """Whether the code that each row has for itself stands in no column: it may have to be joined."""
        return any(map(_is_code_of_row, self.lacking))

    @cached_property
    def join(self) -> tuple[str, str]:
        """The code that is joined of several headers and how: as it was said, or as is proposed."""
        for code, template in self.before.joins.items():
            return code, template
        for one in self.found.get("problems", ()):
            if pattern := one["values"].get("pattern"):
                return str(one["column"]), str(pattern)
        lacking = next((one.code for one in self.lacking if _is_code_of_row(one)), "")
        return lacking, proposed_join(one.header for one in self.headers) if lacking else ""

    @property
    def joinable(self) -> list[Column]:
        return [column for column in self.columns if column.is_code]

    @property
    def unused(self) -> int:
        return sum(not one.code for one in self.headers)

    @property
    def is_open(self) -> bool:
        """Whether the file asks for something, so that the form is shown unfolded."""
        has_join = bool(self.join[1]) and not self.before.joins
        return bool(self.found.get("refusal") or self.found.get("words") or has_join)

    def said(self, sent: MultiDict[str, str]) -> FileMapping:
        """What a person sent. Raises Refused for what can't be meant."""
        columns = {one.header: self._code(sent.get(one.field, "")) for one in self.headers}
        self._refuse_twice([code for code in columns.values() if code])
        if {code: header for header, code in columns.items() if code} == self.found.get("guessed", {}):
            columns = {}
        said = FileMapping(columns, self._values(sent), self._joins(sent), self._constants(sent, columns))
        refuse_unclean([*said.constants.values(), *said.joins.values()])
        return said

    def _code(self, given: str) -> str:
        return given if given in self.codes else ""

    def _refuse_twice(self, codes: Sequence[str]) -> None:
        for code in codes:
            if code not in MANY and codes.count(code) > 1:
                raise Refused(
                    N_("Two columns of the file are chosen for %(column)s: leave one out, or join them"),
                    column=str(column_name(code) or code),
                )

    def _values(self, sent: MultiDict[str, str]) -> dict[str, dict[str, str]]:
        found: dict[str, dict[str, str]] = {}
        told = (sent.getlist(name) for name in ("word_column", "word", "word_meaning"))
        for column, word, meaning in zip(*told, strict=False):
            if self._code(column) and meaning:
                found.setdefault(column, {})[word] = meaning
        return found

    def _joins(self, sent: MultiDict[str, str]) -> dict[str, str]:
        kept = {code: template for code, template in self.before.joins.items() if code != self.join[0]}
        code, template = self._code(sent.get("join_code", "")), sent.get("join_pattern", "").strip()
        if not code or not template:
            return kept
        there = {header_key(one.header) for one in self.headers}
        for name in parts_of(template) or [template]:
            if header_key(name) not in there:
                raise Refused(N_("%(header)s is no header of this file"), header=name)
        return {**kept, code: template}

    def _constants(self, sent: MultiDict[str, str], columns: Mapping[str, str]) -> dict[str, str]:
        found = {code: sent.get(f"set_{code}", "").strip() for code in self.codes}
        return {code: value for code, value in found.items() if value and code not in columns.values()}
