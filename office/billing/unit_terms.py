"""What billing knows of single units: payers, rates of their own, contracts, what is billed (B14–B24)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Protocol

from sqlalchemy import and_, or_, select
from sqlalchemy.orm import Session

from models.billing import FeeItem
from models.people import Occupancy
from models.property import Estate
from models.rates import UnitItemPayer
from office.billing import contracts
from office.billing.billable_items import own_rates
from office.billing.period_rows import LINE, issued_before
from office.billing.working_tables import AHEAD
from office.core.database import chunks
from office.receivables.ledger import INVOICE
from rules import liability, rates
from rules.billing import Period
from rules.charges import BillableItem
from rules.liability import PayerRule
from rules.rent import RentContract

LONGEST = timedelta(days=800)  # from a bill's due day to the end of a cycle that it charges


class Paid(Protocol):
    """A fee item, as far as it says who pays it."""

    @property
    def id(self) -> int: ...

    @property
    def payer(self) -> str: ...


@dataclass
class UnitTerms:
    """A unit: its payers, all who own or rent it, who is named for an item, its own rates, what is billed.

    `contracts` are its rent contracts by the item that their rent is a line of.
    """

    payers: list[liability.Occupancy] = field(default_factory=list)
    stays: dict[str, list[liability.Occupancy]] = field(default_factory=lambda: defaultdict(list))
    named: dict[int, list[liability.Occupancy]] = field(default_factory=lambda: defaultdict(list))
    own: dict[int, list[rates.ItemRate]] = field(default_factory=lambda: defaultdict(list))
    contracts: dict[int, list[RentContract]] = field(default_factory=lambda: defaultdict(list))
    billed: dict[int, list[tuple[date, date]]] = field(default_factory=lambda: defaultdict(list))
    developer_id: int | None = None

    def payers_of(self, item: Paid) -> Sequence[liability.Occupancy]:
        """Who pays an item of the unit, and when (B20)."""
        named = self.named.get(item.id, [])
        if not named and item.payer == PayerRule.DEFAULT:
            return self.payers
        by_rule, last = [], []
        if item.payer in {PayerRule.OWNER, PayerRule.TENANT}:
            by_rule = self.stays[str(item.payer)]
        elif item.payer == PayerRule.DEVELOPER and self.developer_id is not None:
            last = [liability.Occupancy(self.developer_id, date.min)]
        return liability.payers_of_item(self.payers, named, by_rule, self.payers, last)

    def payers_of_rent(self, item: BillableItem, contract: RentContract) -> list[liability.Occupancy]:
        """Who pays a contract's rent: who is named for the item, else the tenant (B20, B24)."""
        tenant = liability.Occupancy(contract.tenant, contract.valid_from, contract.valid_to)
        return liability.first_of(self.named.get(item.id, []), [tenant])

    def billed_until(self, item: BillableItem, first_on: date, last_on: date) -> date | None:
        """The last of these days up to which the item is billed already; None when none is."""
        ends = [end for begin, end in self.billed.get(item.id, ()) if begin <= last_on and end >= first_on]
        return max(ends, default=None)


def payer_of_item(session: Session, unit_id: int, item: Paid, on: date) -> int | None:
    """Who pays an item of a unit on a day; None where nobody does (B20)."""
    payers = load(session, [unit_id], on)[unit_id].payers_of(item)
    paying = liability.liable(payers, on, on, is_split=True)
    return paying[0].payer if paying else None


def load(
    session: Session, unit_ids: Iterable[int], first_on: date, before: Period | None = None
) -> dict[int, UnitTerms]:
    """The terms of some units; of what is billed, what charges days from one on.

    With `before`, what that period's runs and later ones billed does not count.
    """
    developer_id = session.scalar(select(Estate.developer_id))
    found: dict[int, UnitTerms] = defaultdict(lambda: UnitTerms(developer_id=developer_id))
    for some in chunks(sorted(set(unit_ids))):
        _load_stays(session, some, found)
        for unit_id, item_id, row in own_rates(session, some):
            found[unit_id].own[item_id].append(row)
        rented = contracts.load(session, some)
        for unit_id, item_id, contract in rented:
            found[unit_id].contracts[item_id].append(contract)
        is_rent = LINE.c.fee_item_id.in_({item_id for _, item_id, _ in rented})
        is_ahead = LINE.c.fee_item_id.in_(select(FeeItem.id).where(FeeItem.days_ahead > 0))
        long_or_ahead = or_(
            is_rent, is_ahead, LINE.c.months > 1, and_(INVOICE.c.kind == "regular", INVOICE.c.part == AHEAD)
        )
        for unit_id, item_id, begin, end in session.execute(
            select(INVOICE.c.unit_id, LINE.c.fee_item_id, LINE.c.service_from, LINE.c.service_to)
            .join(LINE, LINE.c.invoice_id == INVOICE.c.id)
            .where(
                INVOICE.c.unit_id.in_(some),
                INVOICE.c.due_on >= first_on - LONGEST,
                INVOICE.c.kind.in_(("regular", "move_in")),
                INVOICE.c.state != "credited",
                long_or_ahead,
                LINE.c.service_to >= first_on,
                *issued_before(before),
            )
        ):
            found[unit_id].billed[item_id].append((begin, end))
    return found


def _load_stays(session: Session, unit_ids: Sequence[int], found: dict[int, UnitTerms]) -> None:
    for row in session.execute(
        select(
            Occupancy.unit_id,
            Occupancy.kind,
            Occupancy.is_payer,
            Occupancy.owner_id,
            Occupancy.from_on,
            Occupancy.to_on,
            Occupancy.residents,
        )
        .where(Occupancy.unit_id.in_(unit_ids))
        .order_by(Occupancy.is_payer.desc(), Occupancy.from_on, Occupancy.id)
    ):
        stay = liability.Occupancy(row.owner_id, row.from_on, row.to_on, row.residents)
        found[row.unit_id].stays[row.kind].append(stay)
        if row.is_payer:
            found[row.unit_id].payers.append(stay)
    for one in session.scalars(
        select(UnitItemPayer).where(UnitItemPayer.unit_id.in_(unit_ids)).order_by(UnitItemPayer.valid_from)
    ):
        named = liability.Occupancy(one.owner_id, one.valid_from, one.valid_to)
        found[one.unit_id].named[one.fee_item_id].append(named)
