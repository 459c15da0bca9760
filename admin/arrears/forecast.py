"""What comes next: the coming dunning stages, and why one debt is where it is (C12)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from flask import abort, request
from flask_admin import expose
from flask_babel import format_date
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from admin.panel import formats, labels, row_access, wording
from admin.panel.request_values import row_id
from admin.panel.view import OfficePage
from models.base import db
from models.billing import Invoice
from models.property import Unit
from office.arrears import explain
from office.core.errors import Refused
from office.policies import store
from rules.calendar_months import week_of


class ForecastPage(OfficePage):
    """What the scheduler will do in the next 30 days, and why one debt is where it is (C12)."""

    screen = "forecast"
    title = _l("Upcoming automatic actions")
    icon = "calendar-days"
    verbs = {"debt": "see"}

    @expose("/")
    def index(self) -> Any:
        own = db.session.scalars(row_access.own_units()).all() if row_access.own_buildings() else None
        coming = explain.coming_stages(db.session(), self.now(), units=own)
        days: dict[date, list[explain.ComingStage]] = {}
        for one in coming:
            days.setdefault(one.day, []).append(one)
        return self.render(
            "arrears/forecast.html",
            days=days,
            weeks=self.weeks(),
            calendar=store.calendar(db.session(), self.today()),
            today=self.today(),
            stages=labels.STAGES,
            view=self,
        )

    @staticmethod
    def weekday(day: date) -> str:
        """Its short name in the reader's language."""
        return str(format_date(day, "EEE"))

    def weeks(self) -> list[list[date]]:
        """The days from this week's Monday until the forecast's last week is full."""
        first, _sunday = week_of(self.today())
        count = -(-(self.today().weekday() + explain.FORECAST_DAYS + 1) // 7)
        return [[first + timedelta(days=7 * week + day) for day in range(7)] for week in range(count)]

    @expose("/debt/")
    def debt(self) -> Any:
        number = request.args.get("number", "")[:60]
        if row_id(request.args.get("unit_id", "")) is not None:
            number = self._oldest(row_access.find_or_404(Unit, request.args["unit_id"]).id)
        if not number:
            return self.render("arrears/debt.html", story=None, view=self, number="")
        bill = row_access.named(Invoice, Invoice.number, number)
        if bill is None:
            abort(404)
        number = bill.number
        try:
            story = explain.invoice(db.session(), number, now=self.now())
        except Refused:
            abort(404)
        return self.render(
            "arrears/debt.html",
            story=story,
            number=number,
            stages=labels.STAGES,
            states=labels.REMINDER_STATES,
            invoice_states=labels.INVOICE_STATES,
            words=lambda reason: wording.reason(json.dumps(reason)) if reason else "",
            amount=lambda text: formats.money(Decimal(text)),
            restarts=labels.LIMITATION_RESTARTS,
            limits=_limits,
            view=self,
        )

    @staticmethod
    def _oldest(unit_id: int) -> str:
        """The unit's oldest open bill, else its latest one."""
        query = db.select(Invoice.number).where(Invoice.unit_id == unit_id).limit(1)
        oldest = query.where(Invoice.balance > 0).order_by(Invoice.due_on, Invoice.id)
        latest = query.order_by(Invoice.due_on.desc(), Invoice.id.desc())
        return db.session.scalar(oldest) or db.session.scalar(latest) or ""


def _limits(told: Mapping[str, Any]) -> str:
    """The last day to sue as a sentence: the day, what it counts from, and whether it has passed."""
    said = _(
        "%(day)s, counted from %(from)s (%(what)s)",
        day=formats.day(date.fromisoformat(told["last_day"])),
        what=labels.LIMITATION_RESTARTS[told["restarted_by"]],
        **{"from": formats.day(date.fromisoformat(told["restarted_on"]))},
    )
    return _("Passed: %(what)s", what=said) if told["days_left"] < 0 else said


SCREENS = (ForecastPage,)
