"""The presets' policies as the rules take them, and what is wrong with a changed one."""

from typing import Any, TypeVar

import pytest

import seed
from office.policies import documents
from rules.reasons import Reason

P = TypeVar("P")


def document(preset: str, kind: type[Any]) -> dict[str, Any]:
    return seed.preset_policies(preset)[documents.NAMES[kind]]


def policy(preset: str, kind: type[P]) -> P:
    return documents.typed(kind, document(preset, kind))


def refusal(kind: type[Any], rows: dict[str, Any]) -> Reason:
    """Why a document is refused; it must be."""
    with pytest.raises(documents.PolicyRefused) as refused:
        documents.typed(kind, rows)
    (reason,) = refused.value.reasons
    return reason
