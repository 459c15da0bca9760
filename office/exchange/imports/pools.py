"""Costs that units share: one pool a row, known by its month, item and units (B16)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.billing import FeeItem
from models.pools import BEARS, KEYS, SCOPES, Pool
from office.billing import pools
from office.billing.pools import NewPool
from office.core.errors import N_, Refused
from office.exchange.imports import cells, columns, words
from office.exchange.imports.columns import Column, Known, Problem, heads, plainly, text
from office.exchange.imports.taken import NO_UPDATE, Difference, Taken, Update, counted, shown
from rules.pools import Bears, PoolKey, PoolScope

SCOPE_WORDS = words.known(
    SCOPES,
    {
        "estate": "全小区 全小區 小区 小區 全项目 项目 整个小区",
        "area": "片区 片區 分区",
        "building": "楼栋 樓棟 楼 幢 栋",
        "units": "房屋 房号 房號 指定房屋 清单",
    },
)
KEY_WORDS = words.known(
    KEYS,
    {
        "area": "面积 面積 按面积 建筑面积 按建筑面积",
        "household": "户 戶 户数 戶數 按户 按户数",
        "consumption": "用量 按用量 按用水量 按用电量",
        "coefficient": "系数 係數 按系数",
    },
)
BEARS_WORDS = words.known(BEARS, {"share": "分摊 分攤 是", "none": "不分摊 不分攤 不摊 否"})


def _bears(code: str, names: str) -> Column:
    read = plainly(cells.one_of(BEARS_WORDS))
    return Column(code, heads(names), read, empty=Bears.SHARE.value)


COLUMNS: tuple[Column, ...] = (
    Column(
        "period",
        heads("月份 账期 賬期 收费周期 收費週期 分摊月份 所属月份"),
        plainly(cells.period),
        is_required=True,
        is_key=True,
    ),
    Column(
        "fee_item",
        heads("收费项目 收費項目 公摊项目 分摊项目 费项 项目"),
        columns.fee_item,
        is_required=True,
        is_key=True,
    ),
    Column(
        "scope",
        heads("分摊范围 分攤範圍 范围 範圍"),
        plainly(cells.one_of(SCOPE_WORDS)),
        is_required=True,
    ),
    Column("scope_value", heads("范围名称 範圍名稱 分摊对象 楼栋或房号"), text(), empty="", is_code=True),
    Column(
        "key",
        heads("分摊方式 分攤方式 分摊依据 分摊标准"),
        plainly(cells.one_of(KEY_WORDS)),
        is_required=True,
    ),
    Column(
        "amount",
        heads("金额 金額 分摊金额 总金额 合计金额"),
        plainly(cells.money_above_zero),
        is_required=True,
        measure="yuan",
    ),
    _bears("vacant", "空置房 空置房分摊 空置"),
    Column("note", heads("备注 備註 说明"), text(), empty=""),
    _bears("unsold", "未售房 未售房分摊 未售"),
    _bears("developer", "开发商房屋 开发商房 建設單位"),
    Column("metered_item", heads("用量项目 用量項目"), columns.fee_item, empty=""),
)
COMPARED = ("key", "amount", "vacant", "unsold", "developer", "metered_item", "note")
BILLED = N_("A bill holds this pool: enter what it should have come to, the next pool corrects it")


def _new(row: Mapping[str, Any]) -> NewPool:
    return NewPool(
        period=row["period"],
        fee_item=row["fee_item"],
        scope=PoolScope(row["scope"]),
        key=PoolKey(row["key"]),
        scope_value=row["scope_value"],
        amount=row["amount"],
        metered_item=row["metered_item"],
        vacant=Bears(row["vacant"]),
        unsold=Bears(row["unsold"]),
        developer=Bears(row["developer"]),
        note=row["note"],
        corrects_by_itself=False,
    )


def _place(session: Session, row: Mapping[str, Any]) -> str:
    return pools.scope_of(session, PoolScope(row["scope"]), row["scope_value"]).place


def problems(rows: Sequence[Mapping[str, Any]], known: Known) -> list[Problem]:
    """Rows that nobody can share, that name what nobody knows, or that are for the same pool otherwise."""
    found: list[Problem] = []
    seen: dict[tuple[str, str, str], Mapping[str, Any]] = {}
    for row in rows:
        try:
            pools.reckon(known.session, _new(row))
            place = row["period"], row["fee_item"], _place(known.session, row)
        except Refused as wrong:
            remedy = N_("Mend the row, then bring the file again")
            found.append(columns.problem(row, "", "", wrong.message, remedy, **wrong.values))
            continue
        first = seen.setdefault(place, row)
        if any(first[name] != row[name] for name in COMPARED):
            found.append(
                columns.problem(
                    row,
                    "amount",
                    row["amount"],
                    N_("row %(first)s is for the same month, item and units"),
                    N_("Add the two amounts into one row"),
                    first=first["line"],
                )
            )
    return found


def take_in(
    session: Session,
    given: Sequence[Mapping[str, Any]],
    *,
    now: datetime,
    staff_id: int | None = None,
    update: Update = NO_UPDATE,
) -> Taken:
    """Save the pools that are not there yet, each with its units' shares.

    Other values of one that is there are told; they can be written as long as no bill holds the pool.
    """
    items = {id_: code for code, id_ in session.execute(select(FeeItem.code, FeeItem.id))}
    stored = {
        (one.period, items[one.fee_item_id], one.place): one
        for one in session.scalars(select(Pool).where(Pool.state != "cancelled"))
    }
    new = 0
    differences: list[Difference] = []
    for row in given:
        place = row["period"], row["fee_item"], _place(session, row)
        pool = stored.get(place)
        if pool is None:
            stored[place] = pools.save(session, _new(row), now=now, staff_id=staff_id)
            new += 1
            continue
        there = {name: getattr(pool, name) for name in COMPARED if name != "metered_item"}
        there["metered_item"] = items.get(pool.metered_item_id or 0, "")
        here = {**row, "metered_item": row["metered_item"] or there["metered_item"]}
        never = "" if pool.state == "open" else BILLED
        told = [
            Difference(row["line"], name, shown(there[name]), shown(here[name]), never)
            for name in COMPARED
            if there[name] != here[name]
        ]
        written = {one.column for one in told if one in update}
        if written:
            kept = {name: value for name, value in there.items() if name not in written}
            pools.save(session, _new({**here, **kept}), now=now, staff_id=staff_id, pool=pool)
        differences += told
    return counted(new, len(given), differences, update)
