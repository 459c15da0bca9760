"""Dunning holds: a unit's reminders wait by a person's decision."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from admin.arrears.debtors import debtor_of
from admin.panel.signed_in import staff_id
from admin.panel.view import Ask, OfficeView, OneClick, office_action
from models.base import db
from models.collection import DunningHold
from office.arrears import contacts


class DunningHoldView(OfficeView):
    table = DunningHold
    screen = "ladder_holds"
    title = _l("Dunning holds")
    empty_hint = _l("Nobody's reminders are held back at present.")
    icon = "pause"
    can_create = can_edit = can_delete = False
    column_list = ("unit.code", "payer.name", "from_at", "until_on", "ended_at", "reason")
    column_searchable_list = ("unit.code",)
    column_labels = {"until_on": _l("Through"), "ended_at": _l("Ended at")}
    one_click = (OneClick("running", _l("Running"), lambda _view: [DunningHold.ended_at.is_(None)]),)

    @office_action(
        "hold",
        _l("Hold a unit's reminders"),
        on="list",
        icon="pause",
        fields=(
            Ask("unit_code", _l("Unit no."), is_required=True),
            Ask("until_on", _l("Through"), kind="date"),
            Ask("reason", _l("Reason"), is_required=True),
        ),
    )
    def hold(self, _rows: Any, given: Mapping[str, Any]) -> str:
        contacts.hold_ladder(
            db.session(),
            debtor_of(self, given),
            reason=given["reason"],
            until_on=given["until_on"],
            now=self.now(),
            staff_id=staff_id(),
        )
        return _("The ladder waits.")

    @office_action("end", _l("Let it go on"), icon="play", confirm=_l("Let the ladder go on?"))
    def end(self, rows: Sequence[DunningHold], _given: Any) -> str:
        for row in rows:
            contacts.end_hold(db.session(), row.id, now=self.now(), staff_id=staff_id())
        return _("%(count)s holds were ended.", count=len(rows))


SCREENS = (DunningHoldView,)
