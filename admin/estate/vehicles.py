"""Vehicles and parking cards: who has which, what ends soon, renewing many at once (B25)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel import ngettext
from flask_babel.speaklater import LazyString

from admin.panel import language, office_time
from admin.panel.filters import RangeFilter, RelationFilter
from admin.panel.signed_in import current_staff
from admin.panel.view import Ask, OfficeView, OneClick, office_action
from models.base import db
from models.vehicles import Vehicle
from office.estate import vehicles


def _today() -> Any:
    return office_time.present()[0].astimezone(office_time.zone()).date()


def _days() -> int:
    return vehicles.end_days(db.session(), _today())


def _items(_view: Any) -> Mapping[str, Any]:
    """The fee items that a renewal can be charged by, by their id."""
    return {str(one.id): one.name_in(language.current()) for one in vehicles.charged_by(db.session())}


class VehicleView(OfficeView):
    table = Vehicle
    screen = "vehicles"
    title = _l("Vehicles and parking cards")
    empty_hint = _l(
        "Enter each vehicle by its plate, with its unit or owner, its bay and the days of its card. A table "
        "of them comes in under “Imports”."
    )
    icon = "ticket"
    column_list = ("plate", "unit.code", "owner.name", "bay.code", "card_from", "card_to")
    column_searchable_list = ("plate", "unit.code", "owner.name", "owner.pinyin_initials")
    column_default_sort = "card_to"
    column_labels = {
        "plate": _l("Number plate"),
        "owner": _l("Owner"),
        "owner.name": _l("Owner"),
        "bay": _l("Parking bay"),
        "bay.code": _l("Parking bay"),
        "card_from": _l("Card from"),
        "card_to": _l("Card until"),
    }
    filters = (RelationFilter("unit"), RangeFilter("card_from"), RangeFilter("card_to"))
    one_click = (
        OneClick(
            "ends",
            LazyString(lambda: _("Ends within %(days)s days", days=_days())),
            lambda view: vehicles.ends_within(view.today(), _days()),
            sort="card_to",
        ),
        OneClick(
            "without_card", _l("Has no card any more"), lambda view: vehicles.without_card(view.today())
        ),
        OneClick("left", _l("Moved out, card still holds"), lambda view: vehicles.left(view.today())),
        OneClick("free", _l("Without a bay"), lambda _view: [Vehicle.bay_id.is_(None)]),
    )
    form_columns = ("plate", "unit", "owner", "bay", "card_from", "card_to", "note")
    column_descriptions = {
        "plate": _l("Blanks and dots are left out; each plate once"),
        "unit": _l("A unit, a person, or both"),
        "bay": _l("Empty: wherever there is room"),
        "card_to": _l("Included"),
    }

    def before_save(self, form: Any, row: Any, is_new: bool) -> None:  # noqa: ARG002, FBT001 -- the base's hook
        for name in ("unit", "owner", "bay"):
            chosen = getattr(row, name)
            setattr(row, f"{name}_id", chosen.id if chosen else None)
        vehicles.check(db.session(), row)

    @office_action(
        "renew",
        _l("Renew the card"),
        icon="calendar-clock",
        fields=(
            Ask("months", _l("Months"), kind="number", is_required=True, preset="1"),
            Ask(
                "fee_item",
                _l("Charged by"),
                kind="choice",
                choices=_items,
                help=_l("Empty: no charge. Else a service slip of the unit, which its next bill takes up"),
            ),
            Ask(
                "amount",
                _l("Amount"),
                kind="money",
                help=_l("For each card; empty: the tariff of the item, once a month"),
            ),
        ),
    )
    def renew(self, rows: Sequence[Vehicle], given: Mapping[str, Any]) -> str:
        """Renew the chosen cards, all or none."""
        wanted = vehicles.Renewal(
            given["months"], int(given["fee_item"]) if given["fee_item"] else None, given["amount"]
        )
        vehicles.renew(
            db.session(), rows, wanted, now=self.now(), today=self.today(), staff_id=current_staff().id
        )
        return ngettext("%(num)s card was renewed.", "%(num)s cards were renewed.", len(rows))


SCREENS = (VehicleView,)
