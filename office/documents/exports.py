"""What `flask export papers` gives: every paper in the file (contract "Papers, exactly")."""

from __future__ import annotations

from sqlalchemy import case, func, select
from sqlalchemy.orm import Session

from models.office import Paper
from models.payments import Payment
from models.people import Owner
from models.property import Unit
from office.core.exports import Table, stream


def papers(session: Session) -> Table:
    """Each paper with its date, its total in yuan and the digest of its values; `void` as its receipt is."""
    query = (
        select(
            Paper.number,
            Paper.kind,
            func.coalesce(Unit.code, "").label("unit_code"),
            func.coalesce(Owner.name, "").label("payer_name"),
            Paper.language,
            Paper.dated,
            Paper.dated.label("as_of"),
            Paper.total,
            Paper.issued_at.label("first_printed_at"),
            Paper.copies,
            case((Payment.state != "posted", "void"), else_="issued").label("state"),
            Paper.sha256,
        )
        .outerjoin(Paper.unit)
        .outerjoin(Paper.payer)
        .outerjoin(Payment, (Payment.receipt_no == Paper.number) & (Paper.kind == "receipt"))
        .order_by(Paper.id)
    )
    return stream(session, query)
