"""In which language a household reads: its own, else the estate's, never the clerk's (P12)."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.people import Owner
from models.property import Estate
from office.core.database import chunks
from office.documents.pdf.wording import LANGUAGES


def estate_language(session: Session) -> str:
    """The language of papers for everybody."""
    return session.execute(select(Estate.language)).scalar_one()


def payer_languages(session: Session, payer_ids: Collection[int]) -> dict[int, str]:
    """The language of each payer's papers."""
    usual = estate_language(session)
    found = dict.fromkeys(payer_ids, usual)
    for portion in chunks(sorted(found)):
        rows = session.execute(select(Owner.id, Owner.language).where(Owner.id.in_(portion)))
        found |= {owner_id: own for owner_id, own in rows if own in LANGUAGES}
    return found


def payer_language(session: Session, payer_id: int) -> str:
    """The language of one payer's papers."""
    return payer_languages(session, {payer_id})[payer_id]
