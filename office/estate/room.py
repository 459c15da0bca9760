"""What the estate gives the whole office: exports."""

from __future__ import annotations

from collections.abc import Mapping

from office.core.exports import Export
from office.estate import exports, hints

EXPORTS: Mapping[str, Export] = {
    "units": exports.units,
    "stewards": exports.stewards,
    "desk_hints": hints.export,
    "vehicles": exports.vehicles,
}
