"""Which account of the ledger a fee item, a way to pay and the rest have on a day (M12)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

import seed
from models.billing import FeeItem
from models.payments import METHODS
from models.vouchers import LedgerAccount, target_of
from office.core import audit
from office.core.errors import N_, Refused
from rules.vouchers import Account, Auxiliary, Use

BEGINNING = date(2000, 1, 1)
ALONE = tuple(use for use in Use if use not in {Use.ITEM, Use.METHOD})
TAXED = frozenset({Use.ITEM, Use.LATE_FEE})


@dataclass
class Accounts:
    """The accounts of a day; those that were asked for in vain are noted as missing, by target."""

    by_target: Mapping[str, list[LedgerAccount]]
    day: date
    missing: set[str] = field(default_factory=set)

    def of(self, use: Use, fee_item_id: int | None = None, method: str = "") -> Account:
        target = target_of(use.value, fee_item_id, method)
        rows = [row for row in self.by_target.get(target, ()) if row.valid_from <= self.day]
        if not rows:
            self.missing.add(target)
            return Account(use, "", "")
        row = rows[-1]
        return Account(use, row.account, row.account_name, row.tax_rate, Auxiliary(row.auxiliary))


@dataclass
class AccountBook:
    """All rows of the mapping, read once."""

    by_target: Mapping[str, list[LedgerAccount]]
    missing: set[str] = field(default_factory=set)

    def on(self, day: date) -> Accounts:
        return Accounts(self.by_target, day, self.missing)


def book(session: Session) -> AccountBook:
    found: dict[str, list[LedgerAccount]] = defaultdict(list)
    for row in session.scalars(select(LedgerAccount).order_by(LedgerAccount.valid_from, LedgerAccount.id)):
        found[row.target].append(row)
    return AccountBook(found)


def check(session: Session, row: LedgerAccount) -> None:
    """Refuse an account that can't be. Raises Refused."""
    row.account, row.account_name = row.account.strip(), (row.account_name or "").strip()
    if not row.account:
        raise Refused(N_("Write the number of the account"))
    if (row.use == Use.ITEM) != (row.fee_item_id is not None):
        raise Refused(N_("Choose a fee item where the account is for an item, and only there"))
    if (row.use == Use.METHOD) != bool(row.method):
        raise Refused(N_("Choose a way to pay where the account is for one, and only there"))
    if row.tax_rate and row.use not in {use.value for use in TAXED}:
        raise Refused(N_("Only fee items and late fees include tax"))
    if not 0 <= row.tax_rate < 1:
        raise Refused(N_("Write the tax rate as a part of one: 0.06 is six in a hundred"))
    same = select(LedgerAccount.id).where(
        LedgerAccount.target == target_of(row.use, row.fee_item_id, row.method),
        LedgerAccount.valid_from == row.valid_from,
        LedgerAccount.id != (row.id or 0),
    )
    with session.no_autoflush:
        if session.scalar(same.limit(1)) is not None:
            raise Refused(N_("There is an account for this from that day already: change that one"))


def fill_usual(session: Session, *, staff_id: int | None, now: datetime) -> list[LedgerAccount]:
    """Give the usual account to every item, way to pay and other use that has none (M12)."""
    known = set(session.scalars(select(LedgerAccount.target)))
    made: list[LedgerAccount] = []

    def add(usual: Mapping[str, Any], fee_item_id: int | None = None, method: str = "") -> None:
        if target_of(usual["use"], fee_item_id, method) in known:
            return
        row = LedgerAccount(
            use=usual["use"],
            fee_item_id=fee_item_id,
            method=method,
            account=usual["account"],
            account_name=usual["name"],
            tax_rate=Decimal(usual.get("tax_rate", "0")),
            auxiliary=usual.get("auxiliary", Auxiliary.NONE.value),
            valid_from=BEGINNING,
        )
        session.add(row)
        made.append(row)

    usual = seed.ledger_accounts()
    of_items = [one for one in usual if one["use"] == Use.ITEM]
    for item in session.scalars(select(FeeItem).order_by(FeeItem.position, FeeItem.id)):
        basis = "deposit" if item.is_refundable else item.basis
        add(next((one for one in of_items if basis in one.get("basis", ())), of_items[0]), item.id)
    for one in usual:
        for method in one.get("method", ()):
            add(one, method=method)
        if one["use"] in {use.value for use in ALONE}:
            add(one)
    session.flush()
    for row in made:
        audit.record(session, now, staff_id, "create", row, {"account": row.account, "use": row.use})
    return made


@dataclass(frozen=True)
class Missing:
    """Something that has no account: its use, and the item's id or the method where it is one."""

    use: str
    fee_item: FeeItem | None = None
    method: str = ""


def named(session: Session, targets: Iterable[str]) -> list[Missing]:
    """What some targets without an account are for."""
    found = []
    for target in sorted(targets):
        use, _, rest = target.partition(":")
        item = session.get(FeeItem, int(rest)) if use == Use.ITEM else None
        found.append(Missing(use, item, rest if rest in METHODS else ""))
    return found
