"""Texts that an office may reword: per document a few named blocks with {placeholders}.

The seeds lie in seed/templates/<document>.toml, what Hong Kong and Taiwan say otherwise in the folders of
their names beside them; what an office stored replaces single blocks.
A placeholder is a bare name; nothing else of Python's formatting is known, so no text can reach into a value.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType

from office.documents.pdf.font import unprintable
from office.documents.pdf.values import DocumentRefused
from office.documents.pdf.wording import LANGUAGES, MAINLAND, WORD_SETS
from rules.reasons import Reason

Blocks = Mapping[str, str]
LONGEST = 4000  # characters of a block; more is no letter
_FOLDER = Path(__file__).parents[3] / "seed" / "templates"
_BRACKETED = re.compile(r" ?[(（][^(){}（）]*\{([a-z_]+)\}[^(){}（）]*[)）]")
_TOKEN = re.compile(r"\{\{|\}\}|\{([^{}]*)\}|[{}]")

_SENDER = frozenset({"estate_name", "company_name", "estate_phone"})
_LETTER = _SENDER | {"payer_name", "unit_code", "number", "issued_on"}
_SUM = frozenset({"amount", "capitals"})
_DEBT = _LETTER | _SUM | {"deadline_on", "oldest_period", "invoice_count", "reminded", "late_fee_terms"}
_CONTACT = frozenset({"contact_name", "contact_phone"})
_TICKET = _SENDER | {"ticket_number", "unit_code"}

# what each document fills in; its blocks are those of its seed
PLACEHOLDERS: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        "payment_notice": _LETTER | {"period", "due_on", "amount", "total_due"},
        "move_in_bill": _LETTER | {"handed_over_on", "total_due", "due_on"},
        "credit_note": _LETTER | {"invoice_number", "period", "amount", "reason"},
        "tariff_notice": _SENDER | {"valid_from", "posted_on"},
        "statement_of_account": _LETTER | {"from_on", "to_on", "amount"},
        "clearance_certificate": _LETTER,
        "pool_notice": _SENDER | {"posted_on", "period", "item", "amount"},
        "receipt": _LETTER | _SUM | {"method", "paid_on"},
        "deposit_slip": _LETTER | _SUM | {"deposit_kind"},
        "deposit_refund": _LETTER | _SUM | {"deposit_kind"},
        "payment_reminder": _DEBT | _CONTACT | {"basis"},
        "demand": _DEBT | _CONTACT | {"basis"},
        "final_letter": _DEBT | _CONTACT | {"basis"},
        "restriction_notice": _LETTER | _SUM | _CONTACT | {"effective_on", "ends_on", "services", "rests_on"},
        "lawyer_letter": _DEBT | {"firm_name", "firm_phone", "lawyer_name", "contract"},
        "undertaking": _LETTER | _SUM | {"ends_on", "services"},
        "arrears_notice": _SENDER | {"posted_on", "until_on", "place", "unit_count"},
        "collection_rates": _SENDER | {"posted_on", "period"},
        "work_contact_slip": _TICKET | {"from_department", "to_department", "reply_by"},
        "complaint_form": _TICKET | {"registered_at", "deadline"},
        "invalid_closure": _TICKET | {"ground"},
        "resident_slip": _TICKET | {"registered_at"},
        "written_reply": _TICKET | {"registered_at", "payer_name", "issued_on"},
        "review_minutes": _TICKET | {"held_at"},
        "visit_sheet": _TICKET,
        "service_slip": _SENDER | {"unit_code", "number"},
        "restriction_list": _SENDER | {"posted_on", "unit_count"},
        "monthly_complaints": frozenset({"estate_name", "period", "ticket_count", "on_time_count"}),
        "weekly_meeting": frozenset({"estate_name", "week_from", "week_to"}),
        "report_sheet": frozenset({"estate_name", "report", "scope", "made_on"}),
    }
)
PAPERS = tuple(PLACEHOLDERS)


@cache
def seed_blocks(document: str, language: str, word_set: str = MAINLAND) -> Blocks:
    """The seed's blocks of a document in a word set.

    Raises DocumentRefused `unknown_paper` or `unknown_language`.
    """
    if document not in PLACEHOLDERS:
        raise DocumentRefused("unknown_paper", document)
    if language not in LANGUAGES:
        raise DocumentRefused("unknown_language", language)
    blocks = dict(_texts(_FOLDER / f"{document}.toml", language))
    if word_set != MAINLAND and word_set in WORD_SETS:
        there = _FOLDER / word_set / f"{document}.toml"
        blocks |= _texts(there, language) if there.exists() else {}
    return MappingProxyType(blocks)


def _texts(path: Path, language: str) -> Blocks:
    table = tomllib.loads(path.read_text(encoding="utf-8"))
    return {name: text.strip("\n") for name, text in table.get(language, {}).items()}


def check_template(document: str, blocks: Blocks) -> tuple[Reason, ...]:
    """What keeps these texts from being saved for the document; empty when nothing does.

    Codes: unknown_block, empty_title, unknown_placeholder, lone_brace, too_long, unprintable, each with its
    `block` and what was found. Raises DocumentRefused for a document that there isn't.
    """
    known = seed_blocks(document, LANGUAGES[0])
    found: list[Reason] = []
    for block, text in blocks.items():
        if block not in known:
            found.append(Reason("unknown_block", {"block": block}))
            continue
        found.extend(_faults(document, block, text))
    return tuple(found)


def _faults(document: str, block: str, text: str) -> list[Reason]:
    faults: list[Reason] = []
    if block == "title" and not text.strip():
        faults.append(Reason("empty_title", {"block": block}))
    if len(text) > LONGEST:
        faults.append(Reason("too_long", {"block": block, "length": len(text), "most": LONGEST}))
    for match in _TOKEN.finditer(text):
        name = match.group(1)
        if name is None and len(match.group()) == 1:
            faults.append(Reason("lone_brace", {"block": block, "at": match.start() + 1}))
        elif name is not None and name not in PLACEHOLDERS[document]:
            faults.append(Reason("unknown_placeholder", {"block": block, "name": name}))
    lacking = unprintable(text)
    if lacking:
        faults.append(Reason("unprintable", {"block": block, "characters": "".join(sorted(lacking))}))
    return faults


class Filled:
    """A document's blocks with its values; an unknown placeholder stays visible and stops no print."""

    def __init__(
        self,
        document: str,
        language: str,
        stored: Blocks | None,
        values: Mapping[str, str],
        word_set: str = MAINLAND,
    ) -> None:
        self._blocks = {**seed_blocks(document, language, word_set), **(stored or {})}
        self._values = values
        assert values.keys() == PLACEHOLDERS[document], f"{document} fills {sorted(values)}"

    def __getitem__(self, block: str) -> str:
        return _TOKEN.sub(self._value, _BRACKETED.sub(self._bracketed, self._blocks[block]))

    def _bracketed(self, match: re.Match[str]) -> str:
        """A remark in brackets as it is; nothing where what it would say is not known, such as a phone."""
        return match.group() if self._values.get(match.group(1), "?") else ""

    def _value(self, match: re.Match[str]) -> str:
        token, name = match.group(), match.group(1)
        if name is None:
            return token[0]
        return self._values.get(name, token)
