"""What exchange gives the whole office: the kinds of files that can be imported (contract "Imports")."""

from __future__ import annotations

from collections.abc import Mapping

from office.exchange.imports import (
    Kind,
    contacts,
    contracts,
    fee_items,
    opening_balances,
    payers,
    payments,
    pools,
    rates,
    readings,
    roster,
    slips,
    statement,
    tickets,
    vacancies,
    vehicles,
)

HISTORIES: Mapping[str, Kind] = {"tickets": tickets.HISTORY}
"""Kinds of which a file may also come in as history: nothing follows from what ended (R5)."""
IMPORTS: Mapping[str, Kind] = {
    "roster": roster,
    "readings": readings,
    "slips": slips,
    "statement": statement,
    "tickets": tickets,
    "opening-balances": opening_balances,
    "payments": payments,
    "contacts": contacts,
    "fee-items": fee_items,
    "rates": rates,
    "payers": payers,
    "contracts": contracts,
    "pools": pools,
    "vacancies": vacancies,
    "vehicles": vehicles,
}
