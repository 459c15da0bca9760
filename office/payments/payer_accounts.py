"""Accounts that a person confirmed for a unit: a second sign for weak codes (M5).

They are sealed and found by their fingerprint, as all personal data. A masked account names nobody.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from models.payments import PayerAccount, Payment, StatementRow
from models.secrets import fingerprint
from office.core.database import chunks
from office.payments.statement_entries import ROW
from office.receivables.ledger import PAYMENT


def remember(
    session: Session, row: StatementRow, payment: Payment, *, staff_id: int | None, now: datetime
) -> None:
    """Remember the account of a row that a person has posted to a unit; who pays there is its owner."""
    account = row.counter_account
    if not account or "*" in account:
        return
    known = select(PayerAccount.id).where(
        PayerAccount.unit_id == payment.unit_id, PayerAccount.account_mac == fingerprint(account)
    )
    if session.scalar(known) is None:
        session.add(
            PayerAccount(
                unit_id=payment.unit_id,
                owner_id=payment.payer_id,
                account=account,
                account_mac=fingerprint(account),
                account_name=row.payer_name,
                confirmed_by_id=staff_id,
                confirmed_at=now,
            )
        )
        session.flush()


def forget(session: Session, row: StatementRow, unit_id: int) -> None:
    """Forget that a row's account pays for a unit: the receipt by which a person said so is void.

    It stays while another receipt from it for the unit is in force.
    """
    others = (
        select(ROW.c.id)
        .join(PAYMENT, ROW.c.payment_id == PAYMENT.c.id)
        .where(
            ROW.c.counter_account == row.counter_account,
            ROW.c.id != row.id,
            PAYMENT.c.unit_id == unit_id,
            PAYMENT.c.state == "posted",
        )
    )
    if row.counter_account and session.scalar(others.limit(1)) is None:
        session.execute(
            delete(PayerAccount).where(
                PayerAccount.unit_id == unit_id, PayerAccount.account_mac == fingerprint(row.counter_account)
            )
        )


def confirmed(session: Session, accounts: Iterable[str]) -> dict[int, set[str]]:
    """By unit, those of some accounts that speak for it: confirmed for it, and for no other.

    An account that was confirmed, or paid, for two units speaks for neither.
    """
    by_mac = {fingerprint(account): account for account in accounts if account}
    pays_for: dict[str, set[int]] = defaultdict(set)
    said: dict[str, set[int]] = defaultdict(set)
    for some in chunks(sorted(by_mac)):
        for mac, unit_id in session.execute(
            select(PayerAccount.account_mac, PayerAccount.unit_id).where(PayerAccount.account_mac.in_(some))
        ):
            said[by_mac[mac]].add(unit_id)
            pays_for[by_mac[mac]].add(unit_id)
    for some in chunks(sorted(said)):
        paid = select(ROW.c.counter_account, PAYMENT.c.unit_id).join(
            PAYMENT, ROW.c.payment_id == PAYMENT.c.id
        )
        for account, unit_id in session.execute(
            paid.where(ROW.c.counter_account.in_(some), PAYMENT.c.state == "posted").distinct()
        ):
            pays_for[account].add(unit_id)
    speaking: dict[int, set[str]] = defaultdict(set)
    for account, unit_ids in said.items():
        if len(pays_for[account]) == 1:
            speaking[next(iter(unit_ids))].add(account)
    return speaking
