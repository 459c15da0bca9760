"""The screens of this room, and whose rows they show."""

from __future__ import annotations

from typing import Any

from sqlalchemy import or_

from admin.billing import (
    accounts,
    contracts,
    deposits,
    incentives,
    invoices,
    late_fees,
    meter_round,
    move_in,
    pools,
    rates,
    runs,
    taking_back,
    unit_charges,
    vacancies,
)
from admin.panel.row_access import RowAccess, along_unit
from models.billing import (
    CreditNote,
    Deposit,
    IncentiveGrant,
    Invoice,
    InvoiceLine,
    LateFeeWaiver,
    Meter,
    MeterReading,
    ServiceSlip,
    WaiverRequest,
)
from models.contracts import RentChange, RentContract
from models.pools import PoolShare
from models.rates import ItemRate, UnitItemPayer
from models.take_backs import TakenBill
from models.vacancies import Vacancy


def _rates_of_own_units() -> list[Any]:
    """The rows of a steward's own units, and those for more than one unit."""
    conditions = along_unit(ItemRate.unit_id)()
    return [or_(ItemRate.unit_id.is_(None), *conditions)] if conditions else []


SCREENS = (
    *runs.SCREENS,
    *taking_back.SCREENS,
    *invoices.SCREENS,
    *meter_round.SCREENS,
    *rates.SCREENS,
    *unit_charges.SCREENS,
    *contracts.SCREENS,
    *vacancies.SCREENS,
    *pools.SCREENS,
    *move_in.SCREENS,
    *accounts.SCREENS,
    *deposits.SCREENS,
    *late_fees.SCREENS,
    *incentives.SCREENS,
)
ROW_ACCESS: RowAccess = {
    Meter: along_unit(Meter.unit_id),
    MeterReading: along_unit(MeterReading.meter, Meter.unit_id),
    ServiceSlip: along_unit(ServiceSlip.unit_id),
    Invoice: along_unit(Invoice.unit_id),
    **{
        model: along_unit(model.invoice, Invoice.unit_id)
        for model in (InvoiceLine, CreditNote, LateFeeWaiver, WaiverRequest, TakenBill)
    },
    PoolShare: along_unit(PoolShare.unit_id),
    Deposit: along_unit(Deposit.unit_id),
    ItemRate: _rates_of_own_units,
    UnitItemPayer: along_unit(UnitItemPayer.unit_id),
    RentContract: along_unit(RentContract.unit_id),
    Vacancy: along_unit(Vacancy.unit_id),
    RentChange: along_unit(RentChange.contract, RentContract.unit_id),
    IncentiveGrant: along_unit(IncentiveGrant.unit_id),
}
