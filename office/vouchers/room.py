"""What vouchers give the whole office: integrity checks and exports."""

from __future__ import annotations

from collections.abc import Mapping

from office.core.exports import Export
from office.vouchers import exports, integrity

CHECKS = (integrity.all_hold,)
EXPORTS: Mapping[str, Export] = {
    "vouchers": exports.vouchers,
    "voucher_documents": exports.voucher_documents,
    "ledger_accounts": exports.ledger_accounts,
}
