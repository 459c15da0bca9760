"""The estate as its papers show it, and the office's own texts on them (P1, D1)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import partial

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.policies import PaperTemplate
from models.property import Estate
from office.documents import collection_codes
from office.documents.pdf.values import EstateDetails, OwnersContract
from rules.money import SIGNS
from rules.word_sets import word_set


def estate_details(session: Session, language: str) -> EstateDetails:
    """The estate and its company as papers in this language show them (P1, D1, D8)."""
    estate = session.execute(select(Estate)).scalar_one()
    said = partial(estate.in_language, language=language)
    ways = [*said("payment_accounts").splitlines(), *said("ways_to_pay").splitlines()]
    return EstateDetails(
        name=said("name"),
        time_zone=estate.time_zone,
        address=said("address"),
        phone=estate.phone,
        currency=SIGNS[estate.currency],
        ways_to_pay=tuple(line for line in ways if line.strip()),
        word_set=word_set(estate.word_set, estate.currency),
        currency_code=estate.currency,
        company_name=said("company_name"),
        registration_no=estate.registration_no,
        registered_address=said("registered_address"),
        legal_representative=estate.legal_representative,
        licence=estate.licence,
        contract=OwnersContract(
            said("contract_name"),
            estate.contract_number,
            estate.contract_signed_on,
            estate.clause_fees,
            estate.clause_late_fees,
            estate.clause_restrictions,
        ),
        codes_to_pay=tuple(collection_codes.kept(session)),
    )


def office_texts(session: Session, language: str) -> dict[str, Mapping[str, str]]:
    """The office's own texts by document, in one language."""
    rows = session.execute(
        select(PaperTemplate.paper, PaperTemplate.blocks).where(PaperTemplate.language == language)
    )
    return {document: json.loads(blocks) for document, blocks in rows}
