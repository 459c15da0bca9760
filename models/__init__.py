"""All tables: importing this module registers every one of them."""

from models import billing, collection, complaints, office, payments, people, policies, property, visits  # noqa: A004 -- the noun
from models.base import Base, db

__all__ = [
    "Base",
    "billing",
    "collection",
    "complaints",
    "db",
    "office",
    "payments",
    "people",
    "policies",
    "property",
    "visits",
]
