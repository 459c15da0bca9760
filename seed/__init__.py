"""What a new office starts with: preset policies, fee items, departments, texts, the demo estate.

Everything here is data. A preset's folder holds one TOML file per policy table; files beside the folders
are the same for every preset.
"""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent


def document(path: Path) -> dict[str, Any]:
    return tomllib.loads(path.read_text(encoding="utf-8"))


def preset_policies(preset: str) -> dict[str, dict[str, Any]]:
    """The policy documents of `tower`, `residential` or `project`, by policy name (§9)."""
    return {path.stem: document(path) for path in sorted((HERE / "presets" / preset).glob("*.toml"))}


def demo() -> dict[str, Any]:
    """The demo estate: areas, staff, names and complaints, all invented."""
    return document(HERE / "demo.toml")


def office() -> dict[str, Any]:
    """Departments, complaint categories, fee items and first tariffs, the same for every preset."""
    return document(HERE / "office.toml")


def direct_debit_layouts() -> list[dict[str, Any]]:
    """How banks want direct debits and answer them (M4)."""
    rows: list[dict[str, Any]] = document(HERE / "direct_debit.toml")["layout"]
    return rows


def statement_layouts() -> dict[str, Any]:
    """Headers and words by which banks and payment services write their statements (M5)."""
    return document(HERE / "statement_layouts.toml")


def ledger_accounts() -> list[dict[str, Any]]:
    """The usual accounts of the ledger, by use (M12)."""
    rows: list[dict[str, Any]] = document(HERE / "ledger_accounts.toml")["account"]
    return rows


def voucher_layouts() -> dict[str, Any]:
    """How accounting programs take vouchers, and the words in them by language (M12)."""
    return document(HERE / "voucher_layouts.toml")


def paper_templates() -> dict[str, dict[str, Any]]:
    """The texts of every paper, by paper and language (§10)."""
    return {path.stem: document(path) for path in sorted((HERE / "templates").glob("*.toml"))}


def openings() -> dict[str, dict[str, str]]:
    """What a caller may say first, by language and reason for arrears (C8)."""
    return document(HERE / "openings.toml")
