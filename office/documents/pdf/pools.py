"""The notice of a shared cost: what it came to, by which key, and each unit's share (B16, D7)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from office.documents.pdf.blocks import Block, Facts, Issuer, Table, Totals
from office.documents.pdf.builder import DocumentBuilder
from office.documents.pdf.document import Document, Mark
from office.documents.pdf.templates import Blocks
from office.documents.pdf.values import EstateDetails
from office.documents.pdf.wording import number as plain_number

ZERO = Decimal(0)


@dataclass(frozen=True)
class PoolNoticeLine:
    """A unit, how much of the key it has, and its share in yuan."""

    unit_code: str
    key: Decimal
    amount: Decimal


@dataclass(frozen=True)
class PoolNotice:
    """A month's cost of an item and its shares; sums in yuan, the unit price for each unit of the key.

    Where a main meter says the cost, (end − start) × factor − sub-meters, times the price, is it.
    """

    number: str
    posted_on: date
    period: str
    item: str
    scope: str
    scope_value: str
    key: str
    amount: Decimal
    denominator: Decimal
    unit_price: Decimal
    lines: tuple[PoolNoticeLine, ...]
    correction: Decimal = ZERO
    main_start: Decimal | None = None
    main_end: Decimal | None = None
    main_factor: Decimal = Decimal(1)
    sub_meters: Decimal = ZERO
    price: Decimal | None = None
    note: str = ""
    mark: Mark = ""


def pool_notice(
    notice: PoolNotice, estate: EstateDetails, language: str, stored: Blocks | None = None
) -> Document:
    """The notice of a shared cost (公摊公示), for the wall."""
    builder = DocumentBuilder("pool_notice", estate, language, stored)
    words = builder.words
    builder.fill(
        **builder.sender(),
        posted_on=words.day(notice.posted_on),
        period=words.period(notice.period),
        item=notice.item,
        amount=builder.money(notice.amount),
    )
    over = words.code("pool_scope", notice.scope)
    if notice.scope_value:
        over = f"{over} {notice.scope_value.replace(';', ', ')}"
    facts = [
        builder.fact("pool_item", notice.item),
        builder.fact("period", words.period(notice.period)),
        builder.fact("pool_scope", over, is_wide=True),
        builder.fact("pool_key", words.code("pool_key", notice.key)),
        builder.fact("pool_denominator", plain_number(notice.denominator)),
        builder.fact("pool_total", builder.money(notice.amount)),
        builder.fact("pool_unit_price", plain_number(notice.unit_price)),
    ]
    if notice.main_start is not None and notice.main_end is not None and notice.price is not None:
        said = (
            f"({plain_number(notice.main_end)} − {plain_number(notice.main_start)}) × "
            f"{plain_number(notice.main_factor)} − {plain_number(notice.sub_meters)}, × "
            f"{plain_number(notice.price)}"
        )
        facts.append(builder.fact("pool_reading", said, is_wide=True))
    if notice.correction:
        facts.append(builder.fact("pool_correction", builder.money(notice.correction), is_wide=True))
    if notice.note:
        facts.append(builder.fact("note", notice.note, is_wide=True))
    columns = [
        builder.column("unit_code"),
        builder.column("pool_key_value", align="right"),
        builder.column("pool_share", align="right"),
    ]
    rows = [[one.unit_code, plain_number(one.key), builder.money(one.amount)] for one in notice.lines]
    parts: list[Block] = [
        *builder.text("body"),
        Facts(facts),
        Table(columns, rows),
        Totals([(words["pool_total"], builder.money(notice.amount))]),
        *builder.note(),
        Issuer(estate.creditor, words.day(notice.posted_on), words["seal"]),
    ]
    return builder.document(parts, number=notice.number, on=notice.posted_on, mark=notice.mark)
