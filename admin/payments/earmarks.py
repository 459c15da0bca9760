"""Credit that is put aside for an item or for service on certain days, and let free again (M10)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import case, func, literal, select, type_coerce

from admin.panel import formats
from admin.panel.filters import RangeFilter, RelationFilter
from admin.panel.signed_in import current_staff
from admin.panel.view import OfficeView, OneClick, office_action
from models.base import Money, db
from models.payments import Allocation, Earmark
from office.payments import earmarks


def _left(row: Any) -> Any:
    """The yuan that are left of it; nothing once it has ended."""
    used = select(func.coalesce(func.sum(Allocation.amount), 0)).where(Allocation.earmark_id == row.id)
    left = case((row.ended_at.is_(None), row.amount - used.scalar_subquery()), else_=literal(0, Money()))
    return type_coerce(left, Money())


class EarmarkView(OfficeView):
    table = Earmark
    screen = "earmarks"
    title = _l("Credit for an item")
    empty_hint = _l(
        "Put credit aside on its receipt (“Put credit aside”), or at the desk as it is paid. It pays only "
        "bills of that item or of those days; never disputed ones or late fees, unless the policy says so."
    )
    icon = "bookmark"
    can_create = can_edit = can_delete = False
    column_list = (
        "payment.receipt_no",
        "payment.unit.code",
        "payment.payer.name",
        "fee_item.name",
        "from_on",
        "to_on",
        "amount",
        "left",
        "made_at",
        "ended_at",
    )
    column_hidden = ("made_by.name", "ended_by.name")
    column_computed = {"left": _left}
    column_searchable_list = ("payment.receipt_no", "payment.unit.code", "payment.payer.name")
    column_default_sort = "-made_at"
    column_labels = {
        "payment.receipt_no": _l("Receipt"),
        "fee_item.name": _l("Only for"),
        "left": _l("Left"),
        "from_on": _l("Service from"),
        "to_on": _l("Service to"),
        "made_at": _l("Put aside at"),
        "made_by.name": _l("Put aside by"),
        "ended_at": _l("Free since"),
        "ended_by.name": _l("Let free by"),
    }
    filters = (RelationFilter("fee_item"), RangeFilter("made_at"))
    one_click = (OneClick("current", _l("In force"), lambda _view: [Earmark.ended_at.is_(None)]),)

    @office_action(
        "set_free",
        _l("Let it be free credit"),
        on="row",
        icon="undo-2",
        confirm=_l(
            "What is left of it then pays whatever is owed. It takes another person than who put it aside."
        ),
    )
    def set_free(self, rows: Sequence[Earmark], _given: Mapping[str, Any]) -> str:
        session = db.session()
        left = earmarks.left_of(session, rows[0].id)
        earmarks.set_free(session, rows[0].id, staff_id=current_staff().id, now=self.now())
        return _("%(amount)s is free credit again.", amount=formats.amount(left))


SCREENS = (EarmarkView,)
