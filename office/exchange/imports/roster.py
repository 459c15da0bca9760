"""The roster: areas, buildings, units, owners with phones, who pays from when, who answers for a building.

A unit is known by its code. What a row says otherwise of a known unit is told as a difference, written only
when asked (`--update`): nothing an office has edited since is undone. An empty cell says nothing. Two things
are added to a known unit without being asked: a payer, where it never had an occupant, and the residents of
the payer of that name, where nobody has entered them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, cast

from sqlalchemy import Table, bindparam, insert, select, update
from sqlalchemy.orm import Session

from models.people import (
    MOST_RESIDENTS,
    Occupancy,
    Owner,
    OwnerPhone,
    Staff,
    StaffRole,
    steward_building,
)
from models.property import Area, Building, Estate, Unit
from models.secrets import fingerprint
from office.core import clock
from office.core.errors import N_
from office.estate.owners import is_company, pinyin_initials
from office.exchange.imports import cells, columns, roster_row, words
from office.exchange.imports.columns import (
    UNIT_HEADERS,
    Column,
    Known,
    Problem,
    key_text,
    plainly,
    problem,
    text,
    twice,
)
from office.exchange.imports.headers import header_key
from office.exchange.imports.mapping import PARTS_BEFORE
from office.exchange.imports.roster_row import Place, RosterRow, place_of
from office.exchange.imports.taken import NO_UPDATE, Taken, Update
from rules.text_keys import compared_key

OCCUPANCY = cast("Table", Occupancy.__table__)

_FLOOR = re.compile(r"(?:([bB地])[下]?)?([+-]?\d{1,3})(?:层|楼|[fF])?", re.ASCII)


def floor(text: str) -> int:
    """A storey: 12, -1, 12层, 12F, B1."""
    found = _FLOOR.fullmatch(text)
    if found and found.group(1):
        return -abs(int(found.group(2)))
    return cells.whole(-20, 300)(found.group(2) if found else text)


COLUMNS: tuple[Column, ...] = (
    Column(
        "unit_code",
        ("房号", "房號", "房屋编号", "房屋編號", "房间号", "房产编号", "戶別", "户号", "戶號", "unit"),
        key_text(40),
        is_required=True,
        is_code=True,
        is_key=True,
    ),
    Column(
        "building",
        (
            "楼栋",
            "樓棟",
            "楼号",
            "栋号",
            "幢",
            "楼栋名称",
            "楼宇",
            "楼宇名称",
            "樓宇名稱",
            "棟別",
            "座别",
            "座別",
            "building name",
            "block",
            "tower",
        ),
        key_text(80),
        is_required=True,
        is_code=True,
    ),
    Column(
        "area_name",
        ("片区", "片區", "区域", "分区", "片区名称", "组团", "area"),
        key_text(80),
        empty="",
        is_code=True,
    ),
    Column("floor", ("楼层", "樓層", "层", "所在楼层", "层数", "樓別"), plainly(floor), measure="own"),
    Column(
        "unit_kind",
        (
            "类型",
            "類型",
            "房屋类型",
            "房屋類型",
            "物业类型",
            "房屋性质",
            "房屋性質",
            "用途",
            "類別",
            "kind",
            "usage",
        ),
        plainly(cells.one_of(words.UNIT_KIND_WORDS)),
        is_required=True,
    ),
    Column(
        "area_m2",
        (
            "面积",
            "面積",
            "建筑面积",
            "建築面積",
            "计费面积",
            "收费面积",
            "面积m2",
            "面积平方米",
            "面积(建筑)",
            "面积(建面)",
            "建面",
        ),
        plainly(cells.number_above_zero),
        is_required=True,
        measure="m2",
    ),
    Column(
        "handed_over_on",
        ("交付日期", "交房日期", "交付时间", "交房时间", "收楼日期", "入伙日期", "交屋日期", "handed over"),
        columns.day,
    ),
    Column(
        "payer_name",
        (
            "业主姓名",
            "業主姓名",
            "业主",
            "業主",
            "姓名",
            "缴费人",
            "户主",
            "业主名称",
            "客户名称",
            "客戶名稱",
            "所有權人",
            "payer",
            "owner",
        ),
        text(120),
        empty="",
    ),
    Column(
        "payer_phone",
        (
            "电话",
            "電話",
            "联系电话",
            "聯繫電話",
            "手机",
            "手机号",
            "手机号码",
            "业主电话",
            "联系方式",
            "聯絡電話",
            "phone",
            "tel.",
        ),
        text(200),
        empty="",
        is_code=True,
    ),
    Column(
        "payer_email",
        ("邮箱", "郵箱", "电子邮箱", "电子邮件", "电邮", "email", "e-mail"),
        text(200),
        empty="",
    ),
    Column("occupancy_from", ("起始日期", "入住日期", "入住时间", "计费起始日期", "起始时间"), columns.day),
    Column(
        "steward",
        ("管家", "楼管员", "樓管員", "片区管家", "楼栋管家", "物业管家"),
        key_text(60),
        empty="",
        is_code=True,
    ),
    Column(
        "residents",
        (
            "居住人数",
            "居住人數",
            "入住人数",
            "入住人數",
            "常住人数",
            "常住人數",
            "居住人口",
            "家庭人数",
            "家庭人數",
            "people",
        ),
        plainly(cells.whole(0, MOST_RESIDENTS)),
    ),
)


def problems(rows: Sequence[Mapping[str, Any]], known: Known) -> list[Problem]:
    """Two rows for one unit, and residents of a unit that nobody is named to pay for."""
    return _same_code(rows, known) + [
        problem(
            row,
            "residents",
            row["residents"],
            N_("residents without a payer"),
            N_("Enter who pays for the unit, or leave the residents empty"),
        )
        for row in rows
        if row["residents"] and not row["payer_name"]
    ]


def _same_code(rows: Sequence[Mapping[str, Any]], known: Known) -> list[Problem]:
    """Two rows for one unit; where the file has a column for the staircase, the code needs it."""
    headers = [header.strip() for header in known.header]
    parts = [header for header in headers if header_key(header) in PARTS_BEFORE]
    codes = {header_key(name) for name in ("unit_code", *UNIT_HEADERS)}
    own = next((header for header in headers if header_key(header) in codes), "")
    if not parts or not own:
        return twice(rows, "unit_code")
    pattern = "-".join(f"{{{header}}}" for header in (*parts, own))
    return twice(
        rows,
        "unit_code",
        N_(
            "Keep one of the two rows; where codes repeat from staircase to staircase, join them with --map: "
            '[join] unit_code = "%(pattern)s"'
        ),
        pattern=pattern,
    )


def take_in(
    session: Session,
    given: Sequence[Mapping[str, Any]],
    *,
    now: datetime,
    update: Update = NO_UPDATE,
    **_present: object,
) -> Taken:
    """Add the units that are not there yet, with all that belongs to them (P2–P4, P7); tell what differs."""
    rows = [RosterRow(**row) for row in given]
    units = {compared_key(code): id_ for code, id_ in session.execute(select(Unit.code, Unit.id))}
    fresh = [row for row in rows if row.key not in units]
    there = [row for row in rows if row.key in units]
    buildings = _buildings(session, fresh)
    units |= _add_units(session, fresh, buildings)
    occupied = set(session.scalars(select(Occupancy.unit_id).distinct())) if there else set()
    with_payer = [row for row in rows if row.payer_name and units[row.key] not in occupied]
    _add_payers(session, with_payer, units)
    late = {row.key for row in with_payer} - {row.key for row in fresh}
    _occupy(session, [units[key] for key in late])
    _assign_stewards(session, fresh, buildings)
    counted = _add_residents(session, rows)
    found = roster_row.compare(
        session, {row.line: units[row.key] for row in there}, there, clock.office_day(session, now)
    )
    wanted = [one for one in found if one.told in update]
    roster_row.write(session, wanted, update)
    _assign_stewards(
        session,
        [one.row for one in wanted if one.column == "steward"],
        {place_of(one.row): one.unit.building_id for one in wanted},
    )
    told = [one.told for one in found if one not in wanted]
    updated = {one.row.line for one in wanted}
    differing = {one.row for one in told} | updated
    equal = sum(row.line not in differing and row.key not in late for row in there)
    return Taken(
        new=len(fresh) + len(late) + counted,
        skipped=max(equal - counted, 0),
        differences=told,
        updated=len(updated),
    )


def _occupy(session: Session, unit_ids: Sequence[int]) -> None:
    for start in range(0, len(unit_ids), 500):
        session.execute(
            update(Unit)
            .where(Unit.state == "vacant", Unit.id.in_(unit_ids[start : start + 500]))
            .values(state="occupied", row_version=Unit.row_version + 1)
            .execution_options(synchronize_session=False)
        )


def _buildings(session: Session, rows: Iterable[RosterRow]) -> dict[Place, int]:
    """The id of each named building, made where it is missing."""
    wanted = dict.fromkeys(place_of(row) for row in rows)
    areas = {compared_key(name): id_ for name, id_ in session.execute(select(Area.name, Area.id))}
    known: dict[Place, int] = {}
    by_name: dict[str, int] = {}
    query = select(Area.name, Building.name, Building.id).join(Building.area).order_by(Building.id)
    for area, name, id_ in session.execute(query):
        known[compared_key(area), compared_key(name)] = id_
        by_name.setdefault(compared_key(name), id_)
    made: dict[Place, int] = {}
    for area, name in wanted:
        key = compared_key(area), compared_key(name)
        found = known.get(key) if area else by_name.get(key[1])
        if found is None:
            found = _add_building(session, area or _estate_name(session), name, areas)
            known[key] = found
            by_name.setdefault(key[1], found)
        made[area, name] = found
    return made


def _estate_name(session: Session) -> str:
    return session.execute(select(Estate.name)).scalar_one()[:80]


def _add_building(session: Session, area: str, name: str, areas: dict[str, int]) -> int:
    key = compared_key(area)
    if key not in areas:
        row = Area(name=area, position=len(areas))
        session.add(row)
        session.flush()
        areas[key] = row.id
    building = Building(name=name, area_id=areas[key])
    session.add(building)
    session.flush()
    return building.id


def _add_units(session: Session, rows: Sequence[RosterRow], buildings: Mapping[Place, int]) -> dict[str, int]:
    ids = add_all(
        session,
        Unit,
        [
            {
                "code": row.unit_code,
                "building_id": buildings[place_of(row)],
                "floor": row.floor,
                "kind": row.unit_kind,
                "area_m2": row.area_m2,
                "handed_over_on": row.handed_over_on,
                "state": "occupied" if row.payer_name else "vacant",
            }
            for row in rows
        ],
    )
    return {row.key: id_ for row, id_ in zip(rows, ids, strict=True)}


def add_all(session: Session, model: Any, rows: Sequence[Mapping[str, Any]]) -> list[int]:
    """Insert rows in bulk; their ids in the same order."""
    if not rows:
        return []
    table = model.__table__
    adding = insert(table).returning(table.c.id, sort_by_parameter_order=True)
    return [row[0] for row in session.connection().execute(adding, [dict(row) for row in rows])]


Who = tuple[str, str]  # a payer's name and what tells namesakes apart


def _marks(row: RosterRow) -> list[Who]:
    """What a row's payer is known by: any phone, else the e-mail, else a company's name; else this unit."""
    apart = [fingerprint(number) for number in row.phones] or [row.payer_email.casefold()]
    if not apart[0] and not is_company(row.payer_name):
        apart = [f"unit {row.key}"]
    return [(row.payer_name, mark) for mark in apart]


def _add_payers(session: Session, rows: Sequence[RosterRow], units: Mapping[str, int]) -> None:
    """Who pays for units that nobody ever paid for; rows that share a name and a mark are one owner."""
    owners = _known_owners(session) if rows else {}
    marks = {row.key: _marks(row) for row in rows}
    fresh: list[RosterRow] = []
    phones: list[dict[str, None]] = []  # of each fresh one
    place_of_mark: dict[Who, int] = {}  # in `fresh`
    for row in rows:
        if any(mark in owners for mark in marks[row.key]):
            continue
        place = next((place_of_mark[mark] for mark in marks[row.key] if mark in place_of_mark), len(fresh))
        if place == len(fresh):
            fresh.append(row)
            phones.append({})
        place_of_mark |= dict.fromkeys(marks[row.key], place)
        phones[place] |= dict.fromkeys(row.phones)
    ids = add_all(session, Owner, [_owner(row) for row in fresh])
    owners |= {mark: ids[place] for mark, place in place_of_mark.items()}
    add_all(
        session,
        OwnerPhone,
        [
            {
                "owner_id": owner_id,
                "number": number,
                "number_mac": fingerprint(number),
                "position": position,
            }
            for owner_id, numbers in zip(ids, phones, strict=True)
            for position, number in enumerate(numbers)
        ],
    )
    occupancies = [
        {
            "unit_id": units[row.key],
            "owner_id": next(owners[mark] for mark in marks[row.key] if mark in owners),
            "kind": "owner",
            "is_payer": True,
            "from_on": row.from_on,
            "residents": row.residents,
        }
        for row in rows
    ]
    add_all(session, Occupancy, occupancies)


def _add_residents(session: Session, rows: Sequence[RosterRow]) -> int:
    """Enter how many people live with the payer of a row where nobody has; answers in how many units."""
    named = {(row.key, row.payer_name): row.residents for row in rows if row.residents is not None}
    if not named:
        return 0
    unknown = (
        select(Occupancy.id, Unit.code, Owner.name)
        .join(Occupancy.unit)
        .join(Occupancy.owner)
        .where(Occupancy.is_payer, Occupancy.to_on.is_(None), Occupancy.residents.is_(None))
    )
    found = [
        {"occupancy": id_, "count": named[compared_key(code), name]}
        for id_, code, name in session.execute(unknown)
        if (compared_key(code), name) in named
    ]
    if found:
        entered = (
            update(OCCUPANCY)
            .where(OCCUPANCY.c.id == bindparam("occupancy"))
            .values(residents=bindparam("count"), row_version=OCCUPANCY.c.row_version + 1)
        )
        session.connection().execute(entered, found)
    return len(found)


def _owner(row: RosterRow) -> dict[str, Any]:
    return {
        "name": row.payer_name,
        "pinyin_initials": pinyin_initials(row.payer_name),
        "kind": "company" if is_company(row.payer_name) else "person",
        "email": row.payer_email,
    }


def _known_owners(session: Session) -> dict[Who, int]:
    """Every owner that a row may mean, by each phone, by e-mail, and companies by name alone."""
    found: dict[Who, int] = {}
    for id_, name, email in session.execute(
        select(Owner.id, Owner.name, Owner.email).order_by(Owner.id.desc())
    ):
        if email:
            found[name, email.casefold()] = id_
        elif is_company(name):
            found[name, ""] = id_
    phones = (
        select(Owner.name, OwnerPhone.number_mac, Owner.id).join(OwnerPhone.owner).order_by(Owner.id.desc())
    )
    for name, mac, id_ in session.execute(phones):
        found[name, mac] = id_
    return found


def _assign_stewards(session: Session, rows: Sequence[RosterRow], buildings: Mapping[Place, int]) -> None:
    wanted = dict.fromkeys((row.steward, buildings[place_of(row)]) for row in rows if row.steward)
    if not wanted:
        return
    staff: dict[str, int] = {}
    for id_, name, login in session.execute(
        select(Staff.id, Staff.name, Staff.login).order_by(Staff.id.desc())
    ):
        staff |= {compared_key(name): id_, compared_key(login): id_}
    for name in dict.fromkeys(name for name, _ in wanted):
        if compared_key(name) not in staff:
            staff[compared_key(name)] = _add_steward(session, name)
    answered = set(session.execute(select(steward_building.c.staff_id, steward_building.c.building_id)).all())
    pairs = dict.fromkeys((staff[compared_key(name)], building) for name, building in wanted)
    missing = [pair for pair in pairs if pair not in answered]
    if missing:
        session.execute(
            insert(steward_building), [{"staff_id": one, "building_id": other} for one, other in missing]
        )


def _add_steward(session: Session, name: str) -> int:
    """A steward known by name only: without a password nobody signs in as them."""
    steward = Staff(login=name, name=name, role_rows=[StaffRole(role="steward")])
    session.add(steward)
    session.flush()
    return steward.id
