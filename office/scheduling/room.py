"""What scheduling gives the whole office: exports."""

from __future__ import annotations

from collections.abc import Mapping

from office.core.exports import Export
from office.scheduling import exports

EXPORTS: Mapping[str, Export] = {
    "job_runs": exports.job_runs,
}
