"""Months that a household wants to pay before their bills go out: real bills with their days (B15)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models.billing import Invoice
from models.property import Unit
from office.billing import invoices, period_rows, unit_terms
from office.billing.billable_items import billable_items
from office.billing.invoices import NewInvoice, NewInvoiceLine
from office.billing.period_rows import place_of
from office.billing.unit_terms import UnitTerms
from office.billing.working_tables import AHEAD
from office.core import audit, clock
from office.core.errors import N_, Refused
from office.estate import owners
from office.policies import large_sums, store
from office.receivables import ledger
from rules import billing as rule
from rules import charges, liability
from rules.billing import BillingDocument, Period, Timing
from rules.charges import BillableItem
from rules.cycles import Months
from rules.money import ZERO
from rules.reasons import Reason

MOST_MONTHS = 60


def issue(
    session: Session, unit_id: int, months: int, *, now: datetime, staff_id: int | None = None
) -> Sequence[Invoice]:
    """Issue the bills of a unit's next months to its payer of today; prepaid credit pays them at once.

    They begin with the first month that has no bill of its own yet, each is due as usual, and the runs of
    those months charge only what is left, such as meters. Items in arrears, rents and items that somebody
    else pays are left to the runs. Raises Refused for a number of months that can't be, a unit that nobody
    pays for through all of them, and prices that can't be told.
    """
    if not 1 <= months <= MOST_MONTHS:
        raise Refused(N_("Between 1 and %(most)s months can be paid ahead"), most=MOST_MONTHS)
    today = clock.office_day(session, now)
    unit = session.get_one(Unit, unit_id)
    payer = owners.payer_of(session, unit_id, today)
    if payer is None:
        raise Refused(N_("Nobody pays for unit %(unit)s"), unit=unit.code)
    ledger.lock_postings(session)
    first = _first_without_bill(session, unit_id, Period.of(today))
    wanted = [first.plus(number) for number in range(months)]
    policy = store.in_force(session, BillingDocument, today).billing
    terms = unit_terms.load(session, [unit_id], first.first_on)[unit_id]
    items = [item for item in charges.monthly(billable_items(session)) if item.timing == Timing.ADVANCE]
    new = []
    for period in wanted:
        charged = period_rows.items_paid_ahead(session, period).get(unit_id, set())
        lines = _lines(
            unit, [item for item in items if item.id not in charged], period, terms, payer.owner_id
        )
        if lines:
            due_on = max(today, rule.due_on(policy, period))
            new.append(
                NewInvoice("regular", AHEAD, unit_id, payer.owner_id, period, today, due_on, tuple(lines))
            )
    if not new:
        raise Refused(N_("Nothing is charged ahead for unit %(unit)s in these months"), unit=unit.code)
    large_sums.ask_again(session, "charge", sum((one.amount for one in new), ZERO), today)
    made = [session.get_one(Invoice, id_) for id_ in invoices.issue(session, new, now=now)]
    for invoice in made:
        audit.record(session, now, staff_id, "bill_ahead", invoice, {"period": invoice.period})
    return made


def _first_without_bill(session: Session, unit_id: int, earliest: Period) -> Period:
    """The month after the newest that has a bill of the unit, and not before this one."""
    newest = session.scalar(
        select(func.max(Invoice.period)).where(
            Invoice.unit_id == unit_id,
            Invoice.kind == "regular",
            Invoice.state != "credited",
            Invoice.period >= str(earliest),
        )
    )
    return Period.parse(newest).plus(1) if newest else earliest


def _lines(
    unit: Unit, items: Sequence[BillableItem], period: Period, terms: UnitTerms, payer_id: int
) -> list[NewInvoiceLine]:
    """The lines of one month: of the items due in it that the payer pays through all their days."""
    lines = []
    for item in items:
        if terms.contracts.get(item.id):
            continue
        rates = charges.monthly_rates(
            [item], period, place_of(unit), {}, anchor_on=unit.anchor_on or unit.handed_over_on, own=terms.own
        )
        if isinstance(rates, Reason):
            if "fee_item" not in rates.inputs:
                continue
            raise Refused(
                N_("%(item)s has no price for this unit in %(period)s"), item=item.code, period=period
            )
        rates = [(each, rate) for each, rate in rates if _pays(terms, each, rate.months, payer_id)]
        residents = next((stay.residents for stay in terms.payers if stay.payer == payer_id), None)
        prices = charges.month_prices(rates, unit.area_m2, residents)
        if isinstance(prices, Reason):
            raise Refused(
                N_(
                    "%(item)s is charged per person: enter the residents of unit %(unit)s under “Occupancies”"
                ),
                item=item.code,
                unit=unit.code,
            )
        lines += [NewInvoiceLine(each.id, price) for each, price in prices]
    return lines


def _pays(terms: UnitTerms, item: BillableItem, months: Months, payer_id: int) -> bool:
    """Whether the payer alone pays the item on all days of the months."""
    stays = liability.liable(terms.payers_of(item), months.first_on, months.last_on, is_split=True)
    return [(stay.payer, stay.from_on, stay.to_on) for stay in stays] == [
        (payer_id, months.first_on, months.last_on)
    ]
