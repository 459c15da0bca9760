"""Prepaid credit: what is left of payments pays bills as they are issued (M1)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

from sqlalchemy.orm import Session

from office.core import clock
from office.core.database import chunks
from office.receivables import late_fees, ledger
from office.receivables.ledger import PAYMENT, AllocationEntry, UnusedCredit
from rules.money import ZERO
from rules.receivables import Receivable, pay_receivables


def use_credit(
    session: Session, issued: Sequence[Receivable], *, issued_at: datetime, now: datetime
) -> Decimal:
    """Let prepaid credit pay just-issued bills, oldest debt first; answers the yuan used (M1).

    It counts from the moment the bill went out, or the payment was known if that was later.
    """
    wanted = {(one.unit_id, one.payer_id) for one in issued}
    credits_of: dict[tuple[int, int], list[UnusedCredit]] = defaultdict(list)
    for unit_ids in chunks(sorted({one.unit_id for one in issued})):
        for credit in ledger.unused_credits(session, PAYMENT.c.unit_id.in_(unit_ids)):
            if (credit.unit_id, credit.payer_id) in wanted:
                credits_of[credit.unit_id, credit.payer_id].append(credit)
    if not credits_of:
        return ZERO
    zone = clock.zone(session)
    today = now.astimezone(zone).date()
    policy = late_fees.policy_on(session, today)
    owed: dict[tuple[int, int], list[Receivable]] = defaultdict(list)
    for one in ledger.open_receivables(session, {unit_id for unit_id, _ in credits_of}, policy=policy):
        owed[one.unit_id, one.payer_id].append(one)
    entries, used = [], {}
    for payer, unused in credits_of.items():
        for credit in unused:
            at = max(credit.known_at, min(now, issued_at))
            on = at.astimezone(zone).date()
            parts, left = pay_receivables(credit.amount, owed[payer], policy, on)
            entries += [AllocationEntry(credit.payment_id, part, on, at) for part in parts]
            used[credit.payment_id] = credit.amount - left
    for entry in entries:
        entry.part.receivable.accrue(policy, today)
    ledger.write_allocations(session, entries, now)
    ledger.write_credit(session, used)
    return sum(used.values(), ZERO)
