"""Vouchers as files for accounting programs, in the layouts of seed/voucher_layouts.toml (M12)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session, aliased

import seed
from models.people import Owner, Staff
from models.property import Building, Estate, Unit
from models.vouchers import Voucher, VoucherLine
from office.core import audit
from office.core.errors import N_, Refused
from office.core.exports import Table, Value

VALUES = frozenset(
    {
        "date", "year", "month", "word", "number", "line", "summary", "account", "account_name", "debit",
        "credit", "amount", "direction", "unit_code", "payer_name", "building", "auxiliary", "maker",
        "currency", "period", "voucher", "kind",
    }
)  # fmt: skip


@dataclass(frozen=True)
class Column:
    """A column of a file: its header, and the value in it or a text that is always the same."""

    header: str
    value: str = ""
    text: str = ""


@dataclass(frozen=True)
class Layout:
    """How one accounting program takes vouchers."""

    code: str
    name: str
    columns: Sequence[Column]


@cache
def layouts() -> Mapping[str, Layout]:
    """Every layout by its code. Raises ValueError for a value that no voucher has."""
    found = {}
    for row in seed.voucher_layouts()["layout"]:
        columns = [Column(**column) for column in row["columns"]]
        if unknown := {one.value for one in columns if one.value} - VALUES:
            raise ValueError(f"{row['code']}: a voucher has no {', '.join(sorted(unknown))}")
        found[row["code"]] = Layout(row["code"], row["name"], columns)
    return found


def export(session: Session, period: str, *, staff_id: int, now: datetime) -> int:
    """Mark a month's vouchers that were not exported yet as exported now; answers how many.

    The update is the claim: of two that export at once one gets them. Raises Refused where there is none.
    """
    claimed = session.scalars(
        update(Voucher)
        .where(Voucher.period == period, Voucher.exported_at.is_(None))
        .values(exported_at=now, exported_by_id=staff_id)
        .returning(Voucher.id),
        execution_options={"synchronize_session": False},
    ).all()
    if not claimed:
        raise Refused(N_("Every voucher of %(month)s has been exported"), month=period)
    session.expire_all()
    first = session.get_one(Voucher, min(claimed))
    audit.record(session, now, staff_id, "export", first, {"period": period, "vouchers": len(claimed)})
    return len(claimed)


def table(session: Session, layout: Layout, period: str, exported_at: datetime) -> Table:
    """The file of what was exported at an instant; later the same again."""
    return [column.header for column in layout.columns], _rows(session, layout, period, exported_at)


def _rows(session: Session, layout: Layout, period: str, exported_at: datetime) -> Iterator[Sequence[Value]]:
    estate = session.scalars(select(Estate)).one()
    words = seed.voucher_layouts()["words"][estate.language]
    reversed_one = aliased(Voucher)
    rows = session.execute(
        select(
            VoucherLine,
            Voucher,
            Unit.code,
            Owner.name,
            Building.name,
            Staff.name,
            reversed_one.number,
        )
        .join(Voucher, Voucher.id == VoucherLine.voucher_id)
        .outerjoin(Unit, Unit.id == VoucherLine.unit_id)
        .outerjoin(Owner, Owner.id == VoucherLine.payer_id)
        .outerjoin(Building, Building.id == VoucherLine.building_id)
        .outerjoin(Staff, Staff.id == Voucher.made_by_id)
        .outerjoin(reversed_one, reversed_one.id == Voucher.reverses_id)
        .where(Voucher.period == period, Voucher.exported_at == exported_at)
        .order_by(Voucher.running_no, VoucherLine.position)
    )
    for line, voucher, unit_code, payer_name, building, maker, reversed_number in rows:
        values = _values(line, voucher, words, reversed_number or "")
        values |= {
            "unit_code": unit_code or "",
            "payer_name": payer_name or "",
            "building": building or "",
            "auxiliary": " ".join(filter(None, (unit_code, payer_name, building))),
            "maker": maker or "",
            "currency": estate.currency,
        }
        yield [values[one.value] if one.value else one.text for one in layout.columns]


def _values(
    line: VoucherLine, voucher: Voucher, words: Mapping[str, str], reversed_number: str
) -> dict[str, Any]:
    is_debit = bool(line.debit)
    return {
        "date": voucher.dated_on.isoformat(),
        "year": voucher.dated_on.year,
        "month": int(voucher.period[-2:]),
        "period": voucher.period,
        "word": words["word"],
        "number": voucher.running_no,
        "voucher": voucher.number,
        "kind": voucher.kind,
        "line": line.position,
        "summary": words[voucher.kind].format(of=reversed_number),
        "account": line.account,
        "account_name": line.account_name,
        "debit": line.debit if is_debit else None,
        "credit": None if is_debit else line.credit,
        "amount": line.debit if is_debit else line.credit,
        "direction": words["debit" if is_debit else "credit"],
    }
