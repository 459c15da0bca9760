"""Owners and who pays for which unit from when (P3–P6)."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import ColumnElement, and_, exists, or_, select
from sqlalchemy.orm import Session

from models import pinyin
from models.billing import Invoice
from models.people import Occupancy, Owner, OwnerPhone
from models.property import Building, Unit
from models.rates import UnitItemPayer
from models.secrets import fingerprint
from office.core import audit
from office.core.database import chunks
from office.core.errors import N_, Refused
from rules import liability
from rules.text_order import SURNAMES, surname_of

_COMPANY = re.compile(
    r"公司|集团|集團|中心|银行|銀行|学校|學校|医院|醫院|事务所|事務所|工作室|商行|合作社|委员会|"
    r"\b(ltd|limited|inc|llc|gmbh|co)\b",
    re.IGNORECASE,
)


def is_company(name: str) -> bool:
    """Whether a name is an organisation's, as far as a name tells."""
    return _COMPANY.search(name) is not None


def _letter(character: str) -> str:
    if character.isascii():
        return character.casefold() if character.isalnum() else ""
    return pinyin.syllable(character)[:1]


def pinyin_initials(name: str) -> str:
    """The letters by which a name is searched: 曾小明 is zxm; letters and digits stay (at most 60)."""
    plain = "".join(name.split())
    surname = surname_of(plain)
    start = "".join(word[0] for word in SURNAMES.get(surname, "").split())
    return (start + "".join(map(_letter, plain[len(surname) :])))[:60]


def add_owner(
    session: Session,
    name: str,
    *,
    now: datetime,
    phones: Sequence[str] = (),
    email: str = "",
    staff_id: int | None = None,
) -> Owner:
    """Enter a person or company with phones (P3). Raises Refused without a name."""
    if not name.strip():
        raise Refused(N_("Say what the new owner is called"))
    owner = Owner(
        name=name.strip(),
        pinyin_initials=pinyin_initials(name),
        kind="company" if is_company(name) else "person",
        email=email.strip(),
    )
    owner.phones = [
        OwnerPhone(number=number, number_mac=fingerprint(number), position=position)
        for position, number in enumerate(one.strip() for one in phones if one.strip())
    ]
    session.add(owner)
    session.flush()
    audit.record(session, now, staff_id, "create", owner, {"name": owner.name})
    return owner


def payer_of(session: Session, unit_id: int, on: date) -> Occupancy | None:
    """Who pays for a unit on a day (P4)."""
    return session.scalars(
        select(Occupancy).where(
            Occupancy.unit_id == unit_id,
            Occupancy.is_payer,
            Occupancy.from_on <= on,
            or_(Occupancy.to_on.is_(None), Occupancy.to_on >= on),
        )
    ).one_or_none()


@dataclass(frozen=True)
class UnreachableUnit:
    """A unit whose payer has no working contact (P6)."""

    unit_id: int
    unit_code: str
    building: str
    owner_id: int
    payer_name: str
    has_bad_contact: bool  # there was one, and it failed


def payer_id_on(session: Session, unit_id: int, code: str, on: date) -> int:
    """The id of the owner who pays for a unit on a day. Raises Refused, which names the unit's code."""
    payer = payer_of(session, unit_id, on)
    if payer is None:
        raise Refused(N_("Nobody pays for unit %(unit)s"), unit=code)
    return payer.owner_id


def unreachable_payers(
    session: Session, today: date, *, most: int = 500, buildings: Sequence[int] = ()
) -> list[UnreachableUnit]:
    """Units whose present payer has no phone, e-mail or chat account that works, in order of code (P6)."""
    phone = exists().where(OwnerPhone.owner_id == Owner.id)
    query = (
        select(
            Unit.id,
            Unit.code,
            Building.name,
            Owner.id,
            Owner.name,
            or_(and_(Owner.email != "", Owner.is_email_bad), phone.where(OwnerPhone.is_bad)),
        )
        .join(Unit.building)
        .join(Occupancy, Occupancy.unit_id == Unit.id)
        .join(Occupancy.owner)
        .where(
            Occupancy.is_payer,
            Occupancy.from_on <= today,
            or_(Occupancy.to_on.is_(None), Occupancy.to_on >= today),
            Owner.chat_id == "",
            or_(Owner.email == "", Owner.is_email_bad),
            ~phone.where(~OwnerPhone.is_bad),
        )
        .order_by(Unit.code)
        .limit(most)
    )
    if buildings:
        query = query.where(Unit.building_id.in_(buildings))
    return [UnreachableUnit(*row) for row in session.execute(query)]


def is_of_unit(session: Session, owner_id: int, unit_id: int) -> bool:
    """Whether a person lives or lived in a unit, pays an item of it, or was ever billed for it."""
    asked = select(Owner.id).where(Owner.id == owner_id, _has_to_do_with(unit_id))
    return session.scalar(asked) is not None


def one_at_unit(session: Session, owner_ids: Sequence[int], unit_id: int) -> int | None:
    """Of namesakes the only one there is, else the one of the unit; None where that is not one person."""
    return owner_ids[0] if len(owner_ids) == 1 else _one_of_unit(session, Owner.id.in_(owner_ids), unit_id)


def named_at(session: Session, name: str, unit_id: int) -> int | None:
    """The one person of that name who has to do with a unit; None where none or several have."""
    return _one_of_unit(session, Owner.name == name, unit_id)


def _one_of_unit(session: Session, who: ColumnElement[bool], unit_id: int) -> int | None:
    found = session.scalars(select(Owner.id).where(who, _has_to_do_with(unit_id)).limit(2)).all()
    return found[0] if len(found) == 1 else None


def only_one_named(session: Session, name: str, unit_id: int) -> int | None:
    """The person of that name, of several the one who has to do with a unit; None where nobody has the name.

    Raises Refused where several are called so, and not one alone of them has to do with the unit.
    """
    namesakes = session.scalars(select(Owner.id).where(Owner.name == name)).all()
    found = one_at_unit(session, namesakes, unit_id) if namesakes else None
    if namesakes and found is None:
        raise Refused(N_("Several people are called %(name)s: enter who occupies the unit first"), name=name)
    return found


def _has_to_do_with(unit_id: int) -> ColumnElement[bool]:
    """Who lives or lived in a unit, was ever billed for it, or is named as the payer of an item of it."""
    return or_(
        exists().where(Occupancy.owner_id == Owner.id, Occupancy.unit_id == unit_id),
        exists().where(Invoice.payer_id == Owner.id, Invoice.unit_id == unit_id),
        exists().where(UnitItemPayer.owner_id == Owner.id, UnitItemPayer.unit_id == unit_id),
    )


def payers_on(session: Session, wanted: Sequence[tuple[int, date]]) -> list[int | None]:
    """Who pays for each unit on each day; where nobody does, who was the last or will be the first."""
    occupancies: dict[int, list[liability.Occupancy]] = defaultdict(list)
    for chunk in chunks(sorted({unit_id for unit_id, _ in wanted})):
        for unit_id, owner_id, from_on, to_on in session.execute(
            select(Occupancy.unit_id, Occupancy.owner_id, Occupancy.from_on, Occupancy.to_on)
            .where(Occupancy.unit_id.in_(chunk), Occupancy.is_payer)
            .order_by(Occupancy.from_on)
        ):
            occupancies[unit_id].append(liability.Occupancy(owner_id, from_on, to_on))
    return [liability.payer_or_nearest(occupancies[unit_id], on) for unit_id, on in wanted]
