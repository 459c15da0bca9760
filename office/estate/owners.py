"""Owners and who pays for which unit from when (P3–P6)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache

from sqlalchemy import and_, exists, func, or_, select, update
from sqlalchemy.orm import Session

from models.payments import DebitMandate
from models.people import OCCUPANCY_KINDS, Occupancy, Owner, OwnerPhone
from models.property import Building, Unit
from models.secrets import fingerprint
from office.billing.final_account import FinalAccount, final_account, move_billing
from office.core import audit
from office.core.errors import N_, Refused

DAY = timedelta(days=1)

# surnames that are read otherwise than the same character in other words (decisions: Libraries)
SURNAMES = {
    "曾": "z",
    "解": "x",
    "仇": "q",
    "区": "o",
    "區": "o",
    "查": "z",
    "翟": "z",
    "盖": "g",
    "蓋": "g",
    "单": "s",
    "單": "s",
    "朴": "p",
    "尉": "w",
    "覃": "q",
    "召": "s",
    "种": "c",
    "重": "c",
    "佘": "s",
    "缪": "m",
    "繆": "m",
    "乐": "y",
    "樂": "y",
    "员": "y",
    "折": "s",
    "黑": "h",
    "秘": "b",
    "冼": "x",
    "洗": "x",
    "繁": "p",
    "逄": "p",
    "隗": "w",
    "晁": "c",
    "炅": "g",
    "郇": "x",
    "瞿": "q",
    "万俟": "mq",
    "尉迟": "yc",
    "尉遲": "yc",
    "长孙": "zs",
    "長孫": "zs",
    "澹台": "tt",
    "单于": "cy",
    "令狐": "lh",
}
_COMPANY = re.compile(
    r"公司|集团|集團|中心|银行|銀行|学校|學校|医院|醫院|事务所|事務所|工作室|商行|合作社|委员会|"
    r"\b(ltd|limited|inc|llc|gmbh|co)\b",
    re.IGNORECASE,
)


def is_company(name: str) -> bool:
    """Whether a name is an organisation's, as far as a name tells."""
    return _COMPANY.search(name) is not None


@lru_cache(maxsize=8192)
def _letter(character: str) -> str:
    from pypinyin import Style, lazy_pinyin

    if character.isascii():
        return character.casefold() if character.isalnum() else ""
    return "".join(lazy_pinyin(character, style=Style.FIRST_LETTER, errors="ignore"))[:1]


def pinyin_initials(name: str) -> str:
    """The letters by which a name is searched: 曾小明 is zxm; letters and digits stay (at most 60)."""
    plain = "".join(name.split())
    for length in (2, 1):
        if plain[:length] in SURNAMES:
            start = SURNAMES[plain[:length]]
            return (start + "".join(map(_letter, plain[length:])))[:60]
    return "".join(map(_letter, plain))[:60]


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
    staff_id: int | None = None,
) -> Change:
    """Hand a unit's payments to another owner or tenant from a day on (P5).

    The old payer's occupancy ends the day before, and theirs stay the arrears. An owner who lets to a paying
    tenant stays the owner without paying; a new owner ends the old one's ownership. Bills already out move by
    days where the policy splits months. Raises Refused.
    """
    unit = session.get(Unit, unit_id)
    if unit is None or session.get(Owner, owner_id) is None or kind not in OCCUPANCY_KINDS:
        raise Refused(N_("Choose the unit, the new payer and what they are"))
    old = payer_of(session, unit_id, on)
    _check_change(session, unit_id, owner_id, old, on)
    account = final_account(session, unit_id, old.owner_id, on) if old else None
    _end_occupancies(session, unit_id, old, kind, on)
    new = Occupancy(unit_id=unit_id, owner_id=owner_id, kind=kind, is_payer=True, from_on=on)
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
            on=on,
            now=now,
            staff_id=staff_id,
        )
    changes = {"payer_id": (old.owner_id if old else None, owner_id), "from_on": on, "kind": kind}
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


@dataclass(frozen=True)
class Unreachable:
    """A unit whose payer has no working contact (P6)."""

    unit_id: int
    unit_code: str
    building: str
    owner_id: int
    payer_name: str
    has_bad_contact: bool  # there was one, and it failed


def unreachable_payers(
    session: Session, today: date, *, most: int = 500, buildings: Sequence[int] = ()
) -> list[Unreachable]:
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
    return [Unreachable(*row) for row in session.execute(query)]
