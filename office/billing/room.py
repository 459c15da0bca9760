"""What billing gives the whole office: jobs and exports."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import time

from office.billing import billed_usage, deposits, exports, incentives, runs, taking_back, vacancies
from office.core.exports import Export
from office.core.jobs import Job

JOBS = (
    Job("rewards", incentives.judge_rewards, at=time(0, 25)),
    Job("deposits", deposits.enter_all_paid, at=time(0, 28)),
    Job("vacancies", vacancies.end_of_occupied, at=time(0, 22)),
    Job("billing_draft", runs.draft_run, at=time(8, 0), day=25),
)
CHECKS = (taking_back.loose_ends, billed_usage.gaps)
EXPORTS: Mapping[str, Export] = {
    "invoices": exports.invoices,
    "invoice_lines": exports.invoice_lines,
    "tariffs": exports.tariffs,
    "meters": exports.meters,
    "readings": exports.readings,
    "slips": exports.slips,
    "fee_items": exports.fee_items,
    "rates": exports.rates,
    "payers": exports.payers,
    "contracts": exports.contracts,
    "vacancies": exports.vacancies,
    "pools": exports.pools,
    "pool_shares": exports.pool_shares,
}
