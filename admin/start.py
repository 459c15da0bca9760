"""The start page of each role: what waits today, one click from where it is done (K4, K6)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask import url_for
from flask_admin import expose
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from admin import formats
from admin.base import OfficePage
from admin.screens import may_see
from admin.sessions import current_staff
from models.base import db
from office import reports

MANAGING = frozenset({"manager", "director", "station_head", "it_admin"})


@dataclass(frozen=True)
class Tile:
    """A figure, what it counts, and the list behind it."""

    figure: Any
    label: str
    address: str
    tone: str = ""


class StartPage(OfficePage):
    screen = "start"
    title = _l("Start page")
    room = "today"
    icon = "sun"

    @expose("/")
    def index(self) -> Any:
        session, staff = db.session(), current_staff()
        today = self.today()
        counts = reports.today_counts(session, self.now())
        overdue = reports.overdue(session, today)
        period = next(iter(reports.periods(session, 1)), None)
        rates = reports.collection_rates(session, period) if period else []
        whole = reports.whole_rate(rates)
        is_managing = bool(staff.roles & MANAGING)
        return self.render(
            "office/start_page.html",
            tiles=self._tiles(counts, overdue),
            period=period,
            whole=whole,
            target=reports.target(session, today.year) if period else None,
            rates=[rate for rate in rates if not rate.building],
            ageing=reports.ageing(session, today) if is_managing else [],
            complaints=reports.complaint_figures(session, today.strftime("%Y-%m")) if is_managing else None,
            is_managing=is_managing,
        )

    def _tiles(self, counts: reports.Today, overdue: reports.Overdue) -> list[Tile]:
        wanted = (
            ("invoices", formats.money(overdue.amount), _("Overdue, %(n)s households", n=overdue.households),
             {"view": "overdue"}, "bad" if overdue.invoices else ""),
            ("tickets", counts.escalated, _("Escalated complaints"), {"view": "escalated"},
             "bad" if counts.escalated else ""),
            ("tickets", counts.breached, _("Clocks past their deadline"), {"view": "overdue"},
             "bad" if counts.breached else ""),
            ("tickets", counts.breaching_soon, _("Due within 2 hours"), {"view": "soon"},
             "warn" if counts.breaching_soon else ""),
            ("tickets", counts.open_tickets, _("Open complaints"), {"view": "open"}, ""),
            ("visits", counts.visits_due, _("Visits to make today"), {"view": "today"}, ""),
            ("contacts", counts.promises_due, _("Promises due"), {"view": "promises"}, ""),
            ("payments", formats.money(counts.payments_today), _("Received today"), {}, ""),
        )  # fmt: skip
        return [
            Tile(figure, label, url_for(f"{screen}.index_view", **query), tone)
            for screen, figure, label, query, tone in wanted
            if may_see(screen)
        ]


SCREENS = (StartPage,)
