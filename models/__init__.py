"""All tables: importing this module registers every one of them."""

from models import (
    billing,
    collection,
    complaints,
    contracts,
    figures,
    incidents,
    office,
    payments,
    people,
    policies,
    pools,
    property,  # noqa: A004 -- the noun
    rates,
    vacancies,
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
    "incidents",
    "office",
    "payments",
    "people",
    "policies",
    "pools",
    "property",
    "rates",
    "vacancies",
    "visits",
    "vouchers",
]
