"""The round of the meters: one sheet for a building, and the usage that is odd before bills go out (B18)."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from flask import flash, jsonify, redirect, request, url_for
from flask_admin import expose
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from admin.billing.invoices import active_items
from admin.panel import error_messages, formats, permissions, row_access, typed_text, wording
from admin.panel.screen import OfficePage
from admin.panel.signed_in import current_staff
from models.base import db
from models.billing import FeeItem, Meter
from models.property import Building, Unit
from office.billing import meter_usage, runs
from office.billing.meter_usage import MeterUsage
from office.core.errors import Refused
from rules.meters import ReadingKind, counted_in

MOST_ON_A_SHEET = 400
MOST_ODD = 500
NOTHING = Decimal(0)


class MeterRoundPage(OfficePage):
    screen = "meter_round"
    title = _l("Meter round")
    icon = "gauge"
    verbs = {"save": "create", "odd": "see"}

    @expose("/")
    def index(self) -> Any:
        return self._sheet(request.args)

    def _sheet(
        self, given: Mapping[str, str], refusal: str = "", typed: Mapping[str, str] | None = None
    ) -> str:
        session, today = db.session(), self.today()
        items, wrong = active_items(FeeItem.basis == "metered"), refusal
        on = today
        try:
            on = typed_text.day(given["on"], latest=today) if given.get("on") else today
        except ValueError as problem:
            wrong = wrong or str(problem)
        item = given.get("item") if given.get("item") in items else next(iter(items), "")
        chosen = given.get("building")
        building = row_access.find(Building, chosen) if chosen else None
        conditions = [
            *row_access.visible_rows(Meter),
            Meter.fee_item.has(FeeItem.code == item),
            *([] if building is None else [Meter.unit.has(Unit.building_id == building.id)]),
        ]
        rows = meter_usage.usages(session, counted_in(on), conditions) if item else []
        page: str = self.render(
            "billing/meter_round.html",
            items=items,
            item=item,
            buildings=session.scalars(
                db.select(Building).where(*_own_buildings()).order_by(Building.position, Building.id)
            ).all(),
            building=building,
            on=on,
            today=today,
            rows=rows[:MOST_ON_A_SHEET],
            is_more=len(rows) > MOST_ON_A_SHEET,
            count=len(rows),
            done=sum(one.now is not None for one in rows),
            refusal=wrong,
            typed=typed or {},
            told=told,
            is_estimated=lambda one: one.now is not None and one.now.kind == ReadingKind.ESTIMATED,
            view=self,
        )
        return page

    @expose("/save/", methods=("POST",))
    def save(self) -> Any:
        """One value of the sheet; the page's script asks for JSON, without it the sheet comes back."""
        form, session = request.form, db.session()
        meter = row_access.find_or_404(Meter, form.get("id"))
        is_asked = request.accept_mimetypes.best == "application/json"
        try:
            on = typed_text.day(form.get("on", ""))
            value = typed_text.number(form.get("value", ""), 4, NOTHING)
            found = meter_usage.enter(
                session,
                meter,
                on,
                value,
                is_estimated="is_estimated" in form,
                may_change=self.may_change(),
                now=self.now(),
                staff_id=current_staff().id,
            )
        except (Refused, ValueError) as wrong:
            session.rollback()
            words = error_messages.message_for(wrong) if isinstance(wrong, Refused) else str(wrong)
            if is_asked:
                return jsonify(error=words), 422
            return self._sheet(form, words, {str(meter.id): form.get("value", "")}), 422
        session.commit()
        if is_asked:
            return jsonify(used=used(found), words=told(found), tone=tone(found))
        flash(_("%(name)s: %(value)s", name=found.unit_code, value=told(found) or used(found)), "success")
        item, building, on_text = (form.get(name, "") for name in ("item", "building", "on"))
        return redirect(url_for("meter_round.index", item=item, building=building, on=on_text))

    def may_change(self) -> bool:
        """Whether the person may change a reading that is there."""
        return permissions.may(current_staff().roles, "meter_readings", "edit")

    @expose("/odd/")
    def odd(self) -> Any:
        """The meters of a period's bills whose usage is missing, zero, high or low."""
        period = request.args.get("period") or self.today().strftime("%Y-%m")
        rows: list[MeterUsage] = []
        refusal = ""
        try:
            rows = meter_usage.odd(db.session(), runs.parse_period(period), row_access.visible_rows(Meter))
        except Refused as wrong:
            refusal = error_messages.message_for(wrong)
        counts: dict[str, int] = {}
        for one in rows:
            if one.reason is not None:
                counts[one.reason.code] = counts.get(one.reason.code, 0) + 1
        reason = request.args.get("reason", "")
        shown = [one for one in rows if one.reason is not None and reason in {"", one.reason.code}]
        return self.render(
            "billing/odd_usage.html",
            period=period if not refusal else self.today().strftime("%Y-%m"),
            rows=shown[:MOST_ODD],
            count=len(shown),
            most=MOST_ODD,
            counts=counts,
            reason=reason,
            refusal=refusal,
            told=told,
            words=lambda code: wording.reason({"code": code}),
            view=self,
        )


def used(found: MeterUsage) -> str:
    return "–" if found.used is None else formats.number(found.used)


def tone(found: MeterUsage) -> str:
    return "" if found.reason is None else "warn"


def told(found: MeterUsage) -> str:
    """What is odd about a usage, in the reader's language; nothing where it is as usual."""
    return "" if found.reason is None else wording.reason(found.reason.to_json())


def _own_buildings() -> list[Any]:
    own = row_access.own_buildings()
    return [Building.id.in_(own)] if own else []


SCREENS = (MeterRoundPage,)
