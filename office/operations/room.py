"""What operations give the whole office: jobs, integrity checks and exports."""

from __future__ import annotations

from collections.abc import Mapping

from office.core.exports import Export
from office.operations import erasure_list, expiry, exports, integrity, nightly

JOBS = (nightly.BACKUP, expiry.EXPIRY)
CHECKS = (
    integrity.triggers_present,
    integrity.names_are_apart,
    integrity.erasures_are_finished,
    erasure_list.none_returned,
)
EXPORTS: Mapping[str, Export] = {
    "audit": exports.audit,
}
