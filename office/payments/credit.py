"""Prepaid credit: what is left of payments pays bills as they are issued (M1, M10)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal

from sqlalchemy.orm import Session

from office.core import clock
from office.core.database import chunks
from office.payments import earmarks
from office.payments.earmarks import LeftAside
from office.policies import store as policies
from office.receivables import late_fees, ledger
from office.receivables.ledger import PAYMENT, AllocationEntry, UnusedCredit
from rules.allocation import AllocationPolicy
from rules.late_fee import LateFeePolicy
from rules.money import ZERO
from rules.receivables import PaidPart, Receivable, pay_receivables

Payers = Mapping[tuple[int, int], list[UnusedCredit]]  # unit and payer → their credit, the oldest first


def use_credit(
    session: Session, issued: Sequence[Receivable], *, issued_at: datetime, now: datetime
) -> Decimal:
    """Let prepaid credit pay just-issued bills, oldest debt first; answers the yuan used (M1).

    It counts from the moment the bill went out, or the payment was known if that was later. What is put aside
    for an item or days pays its lines first; free credit pays after it (M10).
    """
    credits_of = _credits_of(session, {(one.unit_id, one.payer_id) for one in issued})
    if not credits_of:
        return ZERO
    zone = clock.zone(session)
    today = now.astimezone(zone).date()
    policy = late_fees.policy_on(session, today)
    owed: dict[tuple[int, int], list[Receivable]] = defaultdict(list)
    for one in ledger.open_receivables(session, {unit_id for unit_id, _ in credits_of}, policy=policy):
        if (one.unit_id, one.payer_id) in credits_of:
            owed[one.unit_id, one.payer_id].append(one)
    ledger.load_lines(session, [one for bills in owed.values() for one in bills], today)
    aside = _aside(session, credits_of, owed, today)
    use = _Use(policy)
    for payer, unused in credits_of.items():
        days = {}
        for each in unused:
            at = max(each.known_at, min(now, issued_at))
            days[each.payment_id] = at.astimezone(zone).date(), at
        for each in unused:
            use.aside(each.payment_id, aside, owed[payer], *days[each.payment_id])
        for each in unused:
            free = each.amount - sum((one.amount for one in aside.of.get(each.payment_id, ())), ZERO)
            use.free(each.payment_id, free, owed[payer], *days[each.payment_id])
    for entry in use.entries:
        entry.part.receivable.accrue(policy, today)
    ledger.write_allocations(session, use.entries, now)
    ledger.write_credit(session, use.used)
    return sum(use.used.values(), ZERO)


def _credits_of(session: Session, payers: set[tuple[int, int]]) -> Payers:
    found: dict[tuple[int, int], list[UnusedCredit]] = defaultdict(list)
    for unit_ids in chunks(sorted({unit_id for unit_id, _ in payers})):
        for credit in ledger.unused_credits(session, PAYMENT.c.unit_id.in_(unit_ids)):
            if (credit.unit_id, credit.payer_id) in payers:
                found[credit.unit_id, credit.payer_id].append(credit)
    return found


@dataclass(frozen=True)
class _Aside:
    """The earmarks of payments, and what they need to know of the bills: months, which are disputed."""

    of: Mapping[int, Sequence[LeftAside]]  # by payment id
    periods: Mapping[int, str]
    disputed: frozenset[int]
    is_late_fee_paid: bool


def _aside(
    session: Session, credits_of: Payers, owed: Mapping[tuple[int, int], list[Receivable]], today: date
) -> _Aside:
    payments = [credit.payment_id for unused in credits_of.values() for credit in unused]
    found = earmarks.of_payments(session, payments)
    if not found:
        return _Aside({}, {}, frozenset(), is_late_fee_paid=False)
    order = policies.in_force(session, AllocationPolicy, today)
    bills = [one for theirs in owed.values() for one in theirs]
    is_disputed_paid = order.is_disputed_paid_by_earmarked
    disputed = frozenset() if is_disputed_paid else earmarks.disputed_among(session, bills)
    return _Aside(found, earmarks.periods_of(session, bills), disputed, order.is_late_fee_paid_by_earmarked)


@dataclass
class _Use:
    """What credit pays, as it is decided: the entries, and the yuan used of each payment."""

    policy: LateFeePolicy
    entries: list[AllocationEntry] = field(default_factory=list)
    used: dict[int, Decimal] = field(default_factory=lambda: defaultdict(lambda: ZERO))

    def aside(
        self, payment_id: int, aside: _Aside, bills: Sequence[Receivable], on: date, at: datetime
    ) -> None:
        """Let each earmark of a payment pay the lines that it is for."""
        for one in aside.of.get(payment_id, ()):
            parts, _ = pay_receivables(
                one.amount,
                bills,
                self.policy,
                on,
                only_lines=earmarks.lines_for(one, bills, aside.periods, aside.disputed),
                is_late_fee_paid=aside.is_late_fee_paid,
            )
            self._note(payment_id, parts, on, at, one.earmark_id)

    def free(
        self, payment_id: int, amount: Decimal, bills: Sequence[Receivable], on: date, at: datetime
    ) -> None:
        """Let the free credit of a payment pay what is oldest."""
        parts, _ = pay_receivables(max(amount, ZERO), bills, self.policy, on)
        self._note(payment_id, parts, on, at, None)

    def _note(
        self, payment_id: int, parts: Sequence[PaidPart], on: date, at: datetime, earmark_id: int | None
    ) -> None:
        self.entries += [AllocationEntry(payment_id, part, on, at, earmark_id) for part in parts]
        self.used[payment_id] += sum((part.principal + part.late_fee for part in parts), ZERO)
