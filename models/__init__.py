"""All tables: importing this module registers every one of them."""

from models import (
    billing,
    collection,
    complaints,
    contracts,
    figures,
    hints,
    incidents,
    office,
    payments,
    people,
    policies,
    pools,
    property,  # noqa: A004 -- the noun
    rates,
    take_backs,
    vacancies,
    vehicles,
    visits,
    vouchers,
)
from models.base import Base, db

__all__ = [
    "Base",
    "billing",
    "collection",
    "complaints",
    "contracts",
    "db",
    "figures",
    "hints",
    "incidents",
    "office",
    "payments",
    "people",
    "policies",
    "pools",
    "property",
    "rates",
    "take_backs",
    "vacancies",
    "vehicles",
    "visits",
    "vouchers",
]
