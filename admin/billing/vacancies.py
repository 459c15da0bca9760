"""Empty units that are charged less: asked for, approved by another person, looked at, ended (B17)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from admin.panel import labels
from admin.panel.decisions import Decision, decisions
from admin.panel.filters import ChoiceFilter, RangeFilter, RelationFilter
from admin.panel.signed_in import current_staff
from admin.panel.view import Ask, OfficeView, OneClick, office_action
from models.base import db
from models.vacancies import Vacancy
from office.billing import vacancies
from office.core.errors import N_


class VacancyView(OfficeView):
    table = Vacancy
    screen = "vacancies"
    title = _l("Vacant units")
    empty_hint = _l(
        "Enter which unit stands empty and what shows it; when another person has approved it, its bills "
        "charge only a part. A table of them comes in under “Imports”."
    )
    icon = "lock"
    can_edit = can_delete = False
    column_list = (
        "unit.code",
        "fee_item.name",
        "factor",
        "valid_from",
        "valid_to",
        "proof",
        "state",
        "asked_by.name",
        "decided_by.name",
        "checked_on",
    )
    column_searchable_list = ("unit.code",)
    column_default_sort = "-valid_from"
    column_labels = {"checked_on": _l("Last seen empty"), "proof": _l("Proof")}
    choices = {"state": labels.WAIVER_STATES}
    filters = (
        ChoiceFilter("state"),
        RelationFilter("unit"),
        RangeFilter("valid_from"),
        RangeFilter("valid_to"),
    )
    one_click = (
        OneClick(
            "requested", _l("To be decided"), lambda _view: [Vacancy.state == "requested"], awaits="act"
        ),
        OneClick("current", _l("In force"), lambda view: vacancies.in_force(view.today())),
        OneClick(
            "to_check",
            _l("To be looked at"),
            lambda view: vacancies.to_be_checked(db.session(), view.today()),
        ),
        OneClick(
            "ends_soon",
            _l("Ends within 30 days"),
            lambda view: vacancies.ends_soon(view.today()),
            sort="valid_to",
        ),
    )
    form_columns = ("unit", "fee_item", "valid_from", "valid_to", "factor", "proof")
    column_descriptions = {
        "fee_item": _l("Empty: every item that has a factor for empty units"),
        "valid_from": _l("The first month that begins on this day or later is charged less"),
        "valid_to": _l("Empty: until somebody moves in"),
        "factor": _l("Times the fee, such as 0.7; empty: the item's own"),
        "proof": _l("What shows that nobody lives there, such as meter readings or a signed statement"),
    }

    def before_save(self, form: Any, row: Any, is_new: bool) -> None:  # noqa: ARG002, FBT001 -- the base's hook
        row.unit_id, row.fee_item_id = row.unit.id, row.fee_item.id if row.fee_item else None
        row.asked_by_id, row.asked_at = current_staff().id, self.now()
        vacancies.check(db.session(), row)

    approve, refuse = decisions(
        vacancies.decide,
        state="requested",
        approve=Decision(N_("%(count)s applications were approved."), _l("Charge these units as empty?")),
        refuse=Decision(N_("%(count)s applications were refused."), _l("Refuse these applications?")),
    )

    @office_action(
        "end",
        _l("End"),
        on="row",
        icon="check",
        states=("approved",),
        fields=(Ask("last_on", _l("Last day"), kind="date", is_required=True),),
    )
    def end(self, rows: Sequence[Vacancy], given: Mapping[str, Any]) -> str:
        for row in rows:
            vacancies.end(db.session(), row, given["last_on"], now=self.now(), staff_id=current_staff().id)
        return _("The vacancy ends on %(day)s.", day=given["last_on"])

    @office_action(
        "check",
        _l("Still empty"),
        icon="eye",
        confirm=_l("Was it seen that these units are still empty?"),
        states=("approved",),
    )
    def still_empty(self, rows: Sequence[Vacancy], _given: Any) -> str:
        for row in rows:
            vacancies.note_check(db.session(), row, self.today(), now=self.now(), staff_id=current_staff().id)
        return _("%(count)s units were seen to be empty.", count=len(rows))


SCREENS = (VacancyView,)
