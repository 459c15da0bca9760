"""What papers give the whole office: their export."""

from __future__ import annotations

from collections.abc import Mapping

from office.core.exports import Export
from office.documents import exports

EXPORTS: Mapping[str, Export] = {"papers": exports.papers}
