"""What `flask export` gives of the history of changes (contract "Exports")."""

from __future__ import annotations

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models.office import Audit
from models.people import Staff
from office.core.exports import Table, stream


def audit(session: Session) -> Table:
    query = (
        select(
            Audit.at,
            func.coalesce(Staff.login, "").label("staff"),
            Audit.action,
            Audit.table_name.label("table"),
            Audit.row_id.label("row"),
            Audit.changes,
        )
        .outerjoin(Audit.staff)
        .order_by(Audit.id)
    )
    return stream(session, query)
