"""Which column of a bank's or payment service's statement is what, told by its header (M5).

The headers, words and services are data: `seed/statement_layouts.toml`.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, lru_cache
from typing import Any

import seed
from office.exchange.imports.headers import header_key, loose_key
from office.exchange.imports.mapping import NOTHING_SAID, FileMapping
from rules.bank_statements import Words, compared

MANY = frozenset({"memo", "kind"})  # columns that may stand in several places
AMOUNTS = frozenset({"amount", "amount_in", "amount_out"})
MONEY = frozenset({*AMOUNTS, "balance", "refunded"})
_BRACKET = re.compile(r"\(([^()]*)\)$")
_CODED = re.compile(r"([a-z0-9])[-:=]?(收入|支出|收|付|支|借|贷|来|往|入|出|存|取)")


@cache
def _data() -> dict[str, Any]:
    return seed.statement_layouts()


@cache
def _simplified() -> dict[int, int]:
    pairs = _data()["traditional"]
    return dict(zip(map(ord, pairs["from"]), map(ord, pairs["to"]), strict=True))


@lru_cache(8192)
def header(name: str) -> str:
    """A header as it is compared: as in every import, and simplified."""
    return header_key(plain_cell(name).translate(_simplified()))


@lru_cache(8192)
def bare_header(name: str) -> str:
    """A header without anything in brackets."""
    return loose_key(header(name))


def plain_cell(given: str) -> str:
    """A cell without the backtick of WeChat Pay and the tabs of Alipay."""
    return given.strip().lstrip("`").strip()


@cache
def words() -> Words:
    """The direction and state words of all banks."""
    directions, states = _data()["directions"], _data()["states"]
    return Words(
        incoming=frozenset(map(word, directions["incoming"])),
        outgoing=frozenset(map(word, directions["outgoing"])),
        successful=frozenset(map(word, states["successful"])),
        refunded=tuple(map(word, states["refunded"])),
        unsuccessful=tuple(map(word, states["unsuccessful"])),
    )


def word(text: str) -> str:
    """A word of a cell as it is compared."""
    return compared(text).translate(_simplified())


@cache
def _words_of(table: str, name: str) -> frozenset[str]:
    return frozenset(map(word, _data()[table][name]))


def is_reversed(text: str) -> bool:
    """Whether a cell of a reversal column says that the row was taken back; an unknown word says so too."""
    return word(text) not in _words_of("states", "not_reversed")


def is_reversal_memo(memo: str) -> bool:
    """Whether a memo says that money came back by the bank's doing."""
    said = word(memo)
    return any(one in said for one in _words_of("states", "reversal_words"))


def is_refund(text: str) -> bool:
    """Whether a row's kind or memo says that money was given back."""
    said = word(text)
    return any(one in said for one in words().refunded)


def is_currency(text: str, currency: str) -> bool:
    """Whether a currency cell names the estate's currency, or none."""
    return word(text) in _words_of("currencies", currency)


def number(text: str) -> str:
    """A bank's number, empty where the cell holds a stand-in for none: 0, 000, -, 无."""
    said = text.strip()
    return "" if word(said) in _words_of("numbers", "none") or not said.strip("0") else said


@dataclass(frozen=True)
class Layout:
    """Which places of a line hold what: {column code: places}; codes are those of `[columns]`."""

    source: str
    method: str
    places: Mapping[str, tuple[int, ...]]
    mapping: FileMapping = NOTHING_SAID
    is_own: bool = False  # the header is written in our own column codes
    service: str = ""
    coded: Mapping[str, str] = field(default_factory=dict)  # direction codes that the header explains

    def direction_word(self, said: str) -> str:
        said = word(said)
        return self.coded.get(said, said)

    def has(self, code: str) -> bool:
        """Whether the file, or a person, says this of its rows."""
        return code in self.places or code in self.mapping.constants

    @property
    def taken(self) -> frozenset[int]:
        return frozenset(place for places in self.places.values() for place in places)


@dataclass(frozen=True)
class Service:
    """A payment service's own file, known by headers that stand in it together."""

    code: str
    name: str
    method: str
    known_by: tuple[str, ...]
    columns: Mapping[str, tuple[str, ...]]


@cache
def services() -> tuple[Service, ...]:
    return tuple(
        Service(
            one["code"],
            one["name"],
            one["method"],
            tuple(one["known_by"]),
            {code: tuple(names) for code, names in one.get("columns", {}).items()},
        )
        for one in _data()["services"]
    )


def service_of(names: Sequence[str]) -> Service | None:
    """The payment service that writes such a header."""
    keys = set(map(header, names))
    return next((one for one in services() if set(map(header, one.known_by)) <= keys), None)


@cache
def column_names() -> dict[str, tuple[str, ...]]:
    """The headers of each column as banks write them, the preferred ones first."""
    return {code: tuple(names) for code, names in _data()["columns"].items()}


@cache
def known_headers() -> frozenset[str]:
    """All headers that some bank writes, as they are compared."""
    return frozenset(header(name) for names in column_names().values() for name in names)


def is_money_header(bare: str) -> bool:
    """Whether a header without its measure is one of a sum."""
    return any(bare in map(header, column_names()[code]) for code in MONEY)


def layout_of(names: Sequence[str], mapping: FileMapping, method: str = "bank_transfer") -> Layout | None:
    """What each place of a header is, or None where it is no header of a statement."""
    service = None if mapping.columns else service_of(names)
    exact, bare = list(map(header, names)), list(map(bare_header, names))
    places: dict[str, tuple[int, ...]] = {}
    for code in column_names():
        found = _places(_wanted(code, mapping, service), exact, [] if code in MONEY else bare)
        if found:
            places[code] = found if code in MANY else found[:1]
    is_said = mapping.constants.keys()
    if not {"paid_at"} <= places.keys() | is_said or not AMOUNTS & places.keys():
        return None
    is_own = {header("transaction_id"), header("paid_at")} <= set(exact)
    if not is_own and header("paid_at") in exact and "transaction_id" not in places.keys() | is_said:
        return None  # our own codes without the number that they need
    _settle(places, _places(_wanted("paid_at", mapping, service), exact, [])[1:])
    if service is not None:
        return Layout(service.code, service.method, places, mapping, service=service.method)
    digest = hashlib.sha256(json.dumps(bare).encode()).hexdigest()[:8]
    source = "statement" if is_own else f"bank-{digest}"
    return Layout(source, method, places, mapping, is_own, coded=_coded(names, places))


def _wanted(code: str, mapping: FileMapping, service: Service | None) -> tuple[str, ...]:
    """The headers of a column as they are compared: those a person named, those of the service, of banks."""
    if named := mapping.headers(code):
        return tuple(map(header, named))
    if code in mapping.absent or code in mapping.constants:
        return ()
    own = service.columns.get(code) if service is not None else None
    taken = set(map(header, mapping.columns))
    return tuple(one for one in map(header, own or column_names()[code]) if one not in taken)


def _places(wanted: Sequence[str], exact: Sequence[str], bare: Sequence[str]) -> tuple[int, ...]:
    """Where the wanted headers stand, the preferred first: as written, else the only one without brackets."""
    found = [place for name in wanted for place, key in enumerate(exact) if key == name]
    if not found:
        loose = [place for place, key in enumerate(bare) if key in wanted]
        found = loose if len(loose) == 1 else []
    return tuple(dict.fromkeys(found))


def _settle(places: dict[str, tuple[int, ...]], days: tuple[int, ...]) -> None:
    """Take back what two columns claim: a time beside a date, one counterparty for name and account."""
    if places.get("time") == places.get("paid_at"):
        places.pop("time", None)
    if days:
        places["day"] = days[:1]  # where the time of day alone stands in the preferred column
    if {"amount_in", "amount_out"} <= places.keys():
        places.pop("amount", None)
    if places.get("counter_account") == places.get("payer_name"):
        places.pop("counter_account", None)
    memo = tuple(place for place in places.get("memo", ()) if place not in places.get("payer_name", ()))
    if memo:
        places["memo"] = memo


def _coded(names: Sequence[str], places: Mapping[str, tuple[int, ...]]) -> dict[str, str]:
    """What a direction column's header says of its codes: 借贷标志(1收2付) → {1: 收, 2: 付}."""
    if "direction" not in places:
        return {}
    bracket = _BRACKET.search(header(names[places["direction"][0]]))
    return dict(_CODED.findall(bracket[1])) if bracket is not None else {}
