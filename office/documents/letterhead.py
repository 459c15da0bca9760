"""The estate as its papers show it, and the office's own texts on them (P1, D1)."""

from __future__ import annotations

import json
from collections.abc import Mapping

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.policies import PaperTemplate
from models.property import Estate
from office.documents.pdf.values import EstateDetails
from rules.word_sets import word_set


def estate_details(session: Session) -> EstateDetails:
    """The estate as documents show it (P1)."""
    estate = session.execute(select(Estate)).scalar_one()
    ways = [*estate.payment_accounts.splitlines(), *estate.ways_to_pay.splitlines()]
    return EstateDetails(
        name=estate.name,
        time_zone=estate.time_zone,
        address=estate.address,
        phone=estate.phone,
        ways_to_pay=tuple(line for line in ways if line.strip()),
        word_set=word_set(estate.word_set, estate.currency),
    )


def office_texts(session: Session, language: str) -> dict[str, Mapping[str, str]]:
    """The office's own texts by document, in one language."""
    rows = session.execute(
        select(PaperTemplate.paper, PaperTemplate.blocks).where(PaperTemplate.language == language)
    )
    return {document: json.loads(blocks) for document, blocks in rows}
