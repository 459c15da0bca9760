"""By what each kind of import knows a row that is there already, and what `--update` may change of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flask_babel import lazy_gettext as _l


@dataclass(frozen=True)
class Key:
    """The columns that a row is known by, and in a sentence what an import may change."""

    columns: tuple[str, ...]
    changes: Any


KEYS: Mapping[str, Key] = {
    "roster": Key(
        ("unit_code",),
        _l("Everything but another building and another payer: these have screens of their own."),
    ),
    "readings": Key(
        ("unit_code", "meter", "read_on"),
        _l("The value, as long as no bill counts with it."),
    ),
    "slips": Key(("slip_no",), _l("Everything, as long as the slip is on no bill.")),
    "statement": Key(
        (),
        _l("Nothing. A movement of money is known by all that its row says, in whatever file it comes."),
    ),
    "payments": Key(
        ("reference",),
        _l("Nothing: posted money is never changed. A row without reference is known by all that it says."),
    ),
    "opening-balances": Key(
        ("unit_code", "period", "fee_item", "due_on"),
        _l("Nothing: bills are corrected by credit notes."),
    ),
    "contacts": Key(
        ("unit_code", "at", "method"),
        _l("The outcome and the note; the promise, as long as nobody has judged it."),
    ),
    "contracts": Key(
        ("number",),
        _l("Everything, as long as no bill goes by the contract; then its last day and its deposit."),
    ),
    "vacancies": Key(("unit_code", "fee_item", "valid_from"), _l("Its last day, factor and proof.")),
    "vehicles": Key(("plate",), _l("Everything but the plate.")),
    "tickets": Key(
        ("number",),
        _l(
            "Channel, unit and complainant of open complaints. A row without number is known by time, "
            "channel, unit, category and words."
        ),
    ),
    "fee-items": Key(("code",), _l("Everything but the code.")),
    "rates": Key(
        (
            "unit_code",
            "building",
            "floor_from",
            "floor_to",
            "tag",
            "unit_kind",
            "fee_item",
            "valid_from",
        ),
        _l("What it says, while no bill goes by it; then only the reason, and its end after those bills."),
    ),
    "payers": Key(
        ("unit_code", "fee_item", "valid_from"),
        _l("The payer, while no bill goes by the row; then only its end after those bills."),
    ),
    "pools": Key(
        ("period", "fee_item", "scope", "scope_value"),
        _l("Everything but that, as long as no bill holds the pool."),
    ),
}
OF_SCREEN = _l("Everything that the screen's own form lets change.")
ALL_IT_SAYS = _l("Nothing: here a row is known by all that it says.")
