"""The bill of a household that moves in: fees ahead, deposits, funds, by kind of unit (B6)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models.billing import Invoice
from models.property import Unit
from office.billing import invoices, unit_terms
from office.billing.billable_items import billable_items
from office.billing.invoices import NewInvoice, NewInvoiceLine
from office.billing.period_rows import place_of
from office.core import audit
from office.core.errors import N_, Refused
from office.estate import owners
from office.policies import store
from office.receivables import ledger
from rules import billing as rule
from rules import charges, liability
from rules.billing import MONTHLY, BillingDocument, MoveInItem, MoveInRow, Period, Share
from rules.charges import BillableItem, MonthlyRate
from rules.rates import Exempt, ItemRate
from rules.reasons import Reason


def template(session: Session, kind: str, on: date) -> list[MoveInRow]:
    """The rows of the move-in bill for a kind of unit, in force on a day."""
    return [row for row in store.in_force(session, BillingDocument, on).move_in if row.unit_kind == kind]


def lines_of(session: Session, unit: Unit, on: date) -> tuple[NewInvoiceLine, ...]:
    """The lines of a unit's move-in bill from the day of hand-over, none issued yet (B6).

    Raises Refused without a template or a tariff, or where nobody has said how many people live there.
    """
    wanted = template(session, unit.kind, on)
    if not wanted:
        raise Refused(N_("There is no move-in bill for this kind of unit: add it to the billing policy"))
    payer = owners.payer_of(session, unit.id, on)
    by_code = {item.code: item for item in billable_items(session)}
    terms = unit_terms.load(session, [unit.id], on)[unit.id]
    lines: list[NewInvoiceLine] = []
    for one in wanted:
        item = by_code.get(one.fee_item)
        if item is None:
            raise Refused(N_("There is no fee item %(item)s"), item=one.fee_item)
        lines += _lines(unit, payer.residents if payer else None, item, one, on, terms.own.get(item.id, ()))
    return tuple(lines)


def by_payer(
    session: Session, unit: Unit, lines: Sequence[NewInvoiceLine], payer_id: int, on: date
) -> dict[int, tuple[NewInvoiceLine, ...]]:
    """The lines by who pays their item on a day, those of the unit's payer first (B20)."""
    terms = unit_terms.load(session, [unit.id], on)[unit.id]
    items = {item.id: item for item in billable_items(session)}
    found: dict[int, list[NewInvoiceLine]] = {payer_id: []}
    for line in lines:
        paying = liability.liable(terms.payers_of(items[line.fee_item_id]), on, on, is_split=True)
        payer = paying[0].payer if paying else None
        found.setdefault(payer or payer_id, []).append(line)
    return {payer: tuple(of_payer) for payer, of_payer in found.items() if of_payer}


def issue_move_in_bill(
    session: Session,
    unit_id: int,
    *,
    payer_id: int,
    on: date,
    due_on: date,
    now: datetime,
    staff_id: int | None = None,
) -> Invoice:
    """Issue the move-in bill of a unit from the day of hand-over; once a unit and payer (B6).

    What others pay (B20) is on bills of their own; the answer is that of the payer, else the first. Months
    paid ahead count from the month of the hand-over, charged by days, and the runs of those months leave them
    out. Raises Refused without a template or a tariff, or when there is one already.
    """
    unit = session.get_one(Unit, unit_id)
    if due_on < on:
        raise Refused(N_("The due day comes before the hand-over"))
    lines = lines_of(session, unit, on)
    ledger.lock_postings(session)
    if session.scalar(
        select(func.count())
        .select_from(Invoice)
        .where(Invoice.unit_id == unit_id, Invoice.payer_id == payer_id, Invoice.kind == "move_in")
    ):
        raise Refused(N_("The move-in bill of unit %(unit)s is out already"), unit=unit.code)
    period = Period.of(on)
    months = max((one.months for one in template(session, unit.kind, on)), default=0)
    until = str(period.plus(months - 1)) if months else ""
    new = [
        NewInvoice("move_in", until, unit_id, payer, period, on, due_on, of_payer)
        for payer, of_payer in by_payer(session, unit, lines, payer_id, on).items()
    ]
    made = [session.get_one(Invoice, id_) for id_ in invoices.issue(session, new, now=now)]
    if not made:
        raise Refused(N_("This can't be charged"))
    for invoice in made:
        audit.record(
            session, now, staff_id, "move_in", invoice, {"amount": invoice.amount, "unit": unit.code}
        )
    return made[0]


def _lines(
    unit: Unit,
    residents: int | None,
    item: BillableItem,
    wanted: MoveInItem,
    on: date,
    own: Sequence[ItemRate],
) -> list[NewInvoiceLine]:
    """The part of the first month from the day of hand-over, then the whole months; or what is paid once."""
    if item.basis not in MONTHLY or not wanted.months:
        once = MoveInItem(item.code, 0, wanted.amount, wanted.per_m2)
        return [NewInvoiceLine(item.id, rule.move_in_line(once, Decimal(0), unit.area_m2))]
    rated = item.rated(place_of(unit), on, own)
    if isinstance(rated, Exempt):
        return []
    if rated is None:
        raise Refused(N_("%(item)s has no tariff for this kind of unit"), item=item.code)
    period = Period.of(on)
    rate = MonthlyRate(period, rated)
    part = Share(((period.last_on - on).days + 1,), 0, period.days)
    first = charges.month_price(item, rate, unit.area_m2, residents, part, (on, period.last_on))
    month = charges.month_price(item, rate, unit.area_m2, residents)
    if isinstance(first, Reason) or isinstance(month, Reason):
        raise Refused(
            N_("%(item)s is charged per person: enter the residents of unit %(unit)s under “Occupancies”"),
            item=item.code,
            unit=unit.code,
        )
    if first is None or month is None:
        return []
    lines = [NewInvoiceLine(item.id, first)]
    if wanted.months > 1:
        later = MoveInItem(item.code, wanted.months - 1)
        ahead = replace(
            rule.move_in_line(later, month.amount),
            from_on=period.plus(1).first_on,
            to_on=period.plus(wanted.months - 1).last_on,
        )
        lines.append(NewInvoiceLine(item.id, ahead))
    return lines
