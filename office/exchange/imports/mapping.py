"""What a person says about a file: which header is which column, what words mean (`--map`, `--set`)."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from office.core.errors import N_, Refused
from office.exchange.imports.cells import key

_PART = re.compile(r"\{([^{}]+)\}")
PARTS = ("columns", "values", "join", "set")  # of the TOML file
# headers of the parts of a unit's code: before the room's, and the room's own
PARTS_BEFORE = frozenset((
    "楼栋", "樓棟", "栋", "棟", "楼号", "樓號", "幢", "座", "单元", "單元", "单元号", "單元號", "门洞", "梯",
    "staircase", "entrance",
))  # fmt: skip
ROOMS = frozenset((
    "门牌号", "門牌號", "门牌", "門牌", "室号", "室號", "室", "户号", "戶號", "房", "号", "號",
    "门号", "門號", "room", "flat",
))  # fmt: skip


@dataclass(frozen=True)
class FileMapping:
    """How a file differs from what an import expects; empty for a file that is as expected.

    A column named in `absent` is not in the file, although a header there looks like it. A header that means
    an empty code is not used, whatever it looks like.
    """

    columns: Mapping[str, str] = field(default_factory=dict)  # header as written → column code, or empty
    values: Mapping[str, Mapping[str, str]] = field(default_factory=dict)  # column code → word → its meaning
    joins: Mapping[str, str] = field(default_factory=dict)  # column code → "{楼栋}-{房号}", headers in braces
    constants: Mapping[str, str] = field(default_factory=dict)  # column code → the value of every row
    absent: frozenset[str] = frozenset()

    @property
    def chosen(self) -> dict[str, str]:
        """{column code: header as written}, the first header where several say parts of one column."""
        return {code: header for header, code in reversed(list(self.columns.items())) if code}

    @property
    def needed_headers(self) -> tuple[str, ...]:
        """The headers that a file must have for this to be about it."""
        named = [header for header, code in self.columns.items() if code]
        return (*named, *(name for template in self.joins.values() for name in parts_of(template)))

    def headers(self, code: str) -> tuple[str, ...]:
        """The headers, as written, that a person gave for a column."""
        return tuple(header for header, of in self.columns.items() if of == code)

    @cached_property
    def _meanings(self) -> Mapping[str, Mapping[str, str]]:
        return {
            code: {key(word): meaning for word, meaning in words.items()}
            for code, words in self.values.items()
        }

    def meaning(self, code: str, given: str) -> str:
        """What a cell's text stands for; itself where nothing was said about it."""
        words = self._meanings.get(code)
        return words.get(key(given), given) if words else given

    def stored(self) -> dict[str, Any]:
        """As JSON for the next file with the same headers; read by `from_stored`."""
        return {
            "columns": dict(self.columns),
            "values": {code: dict(words) for code, words in self.values.items()},
            "join": dict(self.joins),
            "set": dict(self.constants),
            "absent": sorted(self.absent),
        }


NOTHING_SAID = FileMapping()


def parts_of(template: str) -> tuple[str, ...]:
    """The headers that a joined code is made of."""
    return tuple(name.strip() for name in _PART.findall(template))


def proposed_join(headers: Iterable[str]) -> str:
    """The unit's code of a file that has it in parts, `{楼栋}-{单元}-{门牌号}`; empty without a room."""
    names = [header.strip() for header in headers]
    parts = [name for name in names if key(name) in PARTS_BEFORE]
    rooms = [name for name in names if key(name) in ROOMS]
    return "-".join(f"{{{name}}}" for name in (*parts, rooms[0])) if parts and rooms else ""


def joined(template: str, said: Mapping[str, str]) -> str:
    """A joined code of one row; empty when all its parts are."""
    if not any(said[name] for name in parts_of(template)):
        return ""
    return _PART.sub(lambda found: said[found[1].strip()], template)


def of_headers(chosen: Mapping[str, str], codes: Iterable[str]) -> FileMapping:
    """Headers that a person chose in a form with a field for each column: what is not chosen is not there."""
    if not chosen:
        return FileMapping()
    return FileMapping(
        columns={header: code for code, header in chosen.items()}, absent=frozenset(codes) - chosen.keys()
    )


def from_stored(stored: Mapping[str, Any]) -> FileMapping:
    """A mapping as `FileMapping.stored` wrote it."""
    return FileMapping(
        columns=stored.get("columns", {}),
        values=stored.get("values", {}),
        joins=stored.get("join", {}),
        constants=stored.get("set", {}),
        absent=frozenset(stored.get("absent", ())),
    )


def from_toml(text: str, file: str, codes: Iterable[str]) -> FileMapping:
    """The mapping in a file of `--map`. Raises Refused naming what can't be understood in it."""
    try:
        said = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise Refused(N_("%(file)s is not TOML: %(why)s"), file=file, why=str(error)) from error
    known = set(codes)
    columns, values, joins, constants = (said.pop(part, {}) for part in PARTS)
    if said:
        raise _unknown(file, next(iter(said)), (f"[{part}]" for part in PARTS))
    for part in (columns, values, joins, constants):
        if not isinstance(part, dict):
            raise _unknown(file, str(part), (f"[{name}]" for name in PARTS))
    for code in (*filter(None, columns.values()), *values, *joins, *constants):
        if code not in known:
            raise _unknown(file, str(code), known)
    for code, words in values.items():
        if not isinstance(words, dict):
            raise _unknown(file, str(words), (f'[values.{code}] "…" = "…"',))
    return FileMapping(
        columns=columns,
        values={
            code: {word: str(meaning) for word, meaning in words.items()} for code, words in values.items()
        },
        joins={code: str(template) for code, template in joins.items()},
        constants={code: str(value) for code, value in constants.items()},
    )


def to_toml(said: FileMapping) -> str:
    """The mapping as a file for `--map`; read by `from_toml`."""
    parts: dict[str, Mapping[str, str]] = {"columns": said.columns}
    parts |= {f"values.{code}": words for code, words in said.values.items()}
    parts |= {"join": said.joins, "set": said.constants}
    lines = []
    for name, pairs in parts.items():
        if pairs:
            lines += [
                f"[{name}]",
                *(f"{_quoted(key_)} = {_quoted(value)}" for key_, value in pairs.items()),
                "",
            ]
    return "\n".join(lines)


def _quoted(text: str) -> str:
    """A TOML string; JSON's are, but for one character that TOML wants escaped."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def with_constants(mapping: FileMapping, given: Iterable[str], codes: Iterable[str]) -> FileMapping:
    """The mapping with values said as `COLUMN=VALUE`. Raises Refused for what is none."""
    known = set(codes)
    constants = dict(mapping.constants)
    for one in given:
        code, mark, value = one.partition("=")
        if not mark or code.strip() not in known:
            raise _unknown("--set", one, (f"{name}=…" for name in known))
        constants[code.strip()] = value.strip()
    return replace(mapping, constants=constants)


def _unknown(where: str, given: str, known: Iterable[str]) -> Refused:
    return Refused(
        N_("%(where)s: %(given)s is unknown there; known are: %(known)s"),
        where=where,
        given=given,
        known=", ".join(sorted(known)),
    )
