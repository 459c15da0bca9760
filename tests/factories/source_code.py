"""Codes that stand in the program's own source."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]


def in_source(floors: str, *patterns: str) -> set[str]:
    """Every text that a pattern's group finds in the modules of these floors (names with spaces between)."""
    sources = [path.read_text("utf-8") for floor in floors.split() for path in (ROOT / floor).rglob("*.py")]
    return {code for text in sources for pattern in patterns for code in re.findall(pattern, text)}
