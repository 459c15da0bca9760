"""The notice of a shared cost, filed at its first print (B16, D3)."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.office import Paper
from models.pools import Pool, PoolShare
from models.property import Unit
from office.core import clock, numbering
from office.documents.filing import NewPaper, print_papers
from office.documents.languages import estate_language
from office.documents.pdf import registry
from office.documents.pdf.pools import PoolNotice, PoolNoticeLine
from rules.pools import unit_price

SERIES = "G"  # of their numbers
UNSAID = frozenset({"number", "posted_on"})


def notice(session: Session, pool: Pool) -> PoolNotice:
    """What a pool's notice says; it has no number yet."""
    rows = session.execute(
        select(Unit.code, PoolShare.key_value, PoolShare.amount)
        .join(PoolShare, PoolShare.unit_id == Unit.id)
        .where(PoolShare.pool_id == pool.id)
        .order_by(PoolShare.id)
    )
    return PoolNotice(
        number="",
        posted_on=clock.today(session),
        period=pool.period,
        item=pool.fee_item.name_in(estate_language(session)) or pool.fee_item.code,
        scope=pool.scope,
        scope_value=pool.scope_value,
        key=pool.key,
        amount=pool.amount,
        denominator=pool.denominator,
        unit_price=unit_price(pool.amount, pool.denominator),
        lines=tuple(PoolNoticeLine(*row) for row in rows),
        correction=pool.correction,
        main_start=pool.main_start,
        main_end=pool.main_end,
        main_factor=pool.main_factor,
        sub_meters=pool.sub_meters,
        price=pool.price,
        note=pool.note,
    )


def print_notice(session: Session, pool: Pool, *, now: datetime, staff_id: int | None) -> tuple[bytes, str]:
    """The notice as PDF with its number; one that says the same as a filed one is its copy (D3)."""
    value = notice(session, pool)
    series = f"{SERIES}{pool.period.replace('-', '')}"
    wanted = _said(value)
    filed = session.execute(
        select(Paper.number, Paper.contents).where(
            Paper.kind == "pool_notice", Paper.number.startswith(f"{series}-")
        )
    )
    number = next((known for known, stored in filed if _kept(stored or {}) == wanted), None)
    if number is None:
        number = numbering.written(series, numbering.take(session, SERIES, int(series[1:])))
    paper = NewPaper(number, replace(value, number=number))
    return print_papers(session, "pool_notice", [paper], now=now, staff_id=staff_id), number


def _kept(contents: dict[str, object]) -> dict[str, object]:
    return {name: one for name, one in contents.items() if name not in UNSAID}


def _said(value: PoolNotice) -> dict[str, object]:
    return _kept(registry.contents(value))
