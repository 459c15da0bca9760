"""Another owner or tenant pays for a unit from a day on (P5)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import func, or_, select, update
from sqlalchemy.orm import Session

from models.payments import DebitMandate
from models.people import OCCUPANCY_KINDS, Occupancy, Owner
from models.property import Unit
from office.billing.final_account import FinalAccount, final_account, move_billing
from office.core import audit
from office.core.errors import N_, Refused
from office.estate.owners import payer_of

DAY = timedelta(days=1)


@dataclass(frozen=True)
class Change:
    """A change of owner or tenant that was made: the old payer's final account, the new one's bills."""

    old: Occupancy | None
    new: Occupancy
    account: FinalAccount | None
    moved: tuple[int, ...]  # invoices issued to the new payer for days that the old one was billed for


def change_of_owner(
    session: Session,
    unit_id: int,
    owner_id: int,
    *,
    on: date,
    now: datetime,
    kind: str = "owner",
    residents: int | None = None,
    staff_id: int | None = None,
) -> Change:
    """Hand a unit's payments to another owner or tenant from a day on (P5).

    The old payer's occupancy ends the day before, and theirs stay the arrears. An owner who lets to a paying
    tenant stays the owner without paying; a new owner ends the old one's ownership. Bills already out move by
    days where the policy splits months. `residents` is how many people live there from then on, None when
    nobody has said it. Raises Refused.
    """
    unit = session.get(Unit, unit_id)
    if unit is None or session.get(Owner, owner_id) is None or kind not in OCCUPANCY_KINDS:
        raise Refused(N_("Choose the unit, the new payer and what they are"))
    old = payer_of(session, unit_id, on)
    _check_change(session, unit_id, owner_id, old, on)
    account = final_account(session, unit_id, old.owner_id, on) if old else None
    _end_occupancies(session, unit_id, old, kind, on)
    new = Occupancy(
        unit_id=unit_id, owner_id=owner_id, kind=kind, is_payer=True, from_on=on, residents=residents
    )
    session.add(new)
    if unit.state in {"vacant", "unsold"}:
        unit.state = "occupied"
    session.flush()
    moved: list[int] = []
    if old is not None:
        _end_mandate(session, unit_id, old.owner_id, on)
        moved = move_billing(
            session,
            unit_id,
            old_payer_id=old.owner_id,
            new_payer_id=owner_id,
            residents=residents,
            on=on,
            now=now,
            staff_id=staff_id,
        )
    changes = {"payer_id": (old.owner_id if old else None, owner_id), "from_on": on, "kind": kind}
    if residents is not None:
        changes["residents"] = residents
    audit.record(session, now, staff_id, "change_of_owner", unit, changes)
    return Change(old, new, account, tuple(moved))


def _check_change(session: Session, unit_id: int, owner_id: int, old: Occupancy | None, on: date) -> None:
    if old is not None and old.owner_id == owner_id:
        raise Refused(N_("They pay for this unit already"))
    if old is not None and old.from_on >= on:
        raise Refused(N_("The present payer starts on %(day)s: choose a later day"), day=old.from_on)
    later = session.scalar(
        select(func.min(Occupancy.from_on)).where(
            Occupancy.unit_id == unit_id, Occupancy.is_payer, Occupancy.from_on > on
        )
    )
    if later is not None:
        raise Refused(N_("Another payer is entered from %(day)s on: change that first"), day=later)


def _end_occupancies(session: Session, unit_id: int, old: Occupancy | None, kind: str, on: date) -> None:
    """End what the change ends; the row is flushed before another payer may start."""
    if old is not None and old.kind == "owner" and kind == "tenant":
        stays = Occupancy(
            unit_id=unit_id, owner_id=old.owner_id, kind="owner", is_payer=False, from_on=on, to_on=old.to_on
        )
        session.add(stays)
    if old is not None:
        old.to_on = on - DAY
    if kind == "owner":
        for owned in session.scalars(
            select(Occupancy).where(
                Occupancy.unit_id == unit_id,
                Occupancy.kind == "owner",
                ~Occupancy.is_payer,
                Occupancy.from_on < on,
                or_(Occupancy.to_on.is_(None), Occupancy.to_on >= on),
            )
        ):
            owned.to_on = on - DAY
    session.flush()


def _end_mandate(session: Session, unit_id: int, owner_id: int, on: date) -> None:
    """The old payer's account is debited no more (M4)."""
    session.execute(
        update(DebitMandate)
        .where(
            DebitMandate.unit_id == unit_id,
            DebitMandate.owner_id == owner_id,
            DebitMandate.ended_on.is_(None),
        )
        .values(ended_on=on - DAY, row_version=DebitMandate.row_version + 1)
        .execution_options(synchronize_session=False)
    )
