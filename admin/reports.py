"""Reports for managers, each a page, a table and a file (K1–K5)."""

from __future__ import annotations

from datetime import date
from typing import Any

from flask import request
from flask_admin import expose
from flask_babel import lazy_gettext as _l

from admin import labels
from admin.base import OfficePage, OfficeView
from models.base import db
from models.office import CollectionTarget
from office import reports

PERIODS = 24  # in the drop-down


def wanted_period(known: list[str], fallback: str) -> str:
    """The period asked for when it is a month, else the newest."""
    asked = request.args.get("period", "")
    try:
        date.fromisoformat(f"{asked}-01")
    except ValueError:
        return known[0] if known else fallback
    return asked


class ReportsPage(OfficePage):
    screen = "reports"
    title = _l("Collection and arrears")
    room = "reports"
    icon = "chart-column"

    @expose("/")
    def index(self) -> Any:
        session, today = db.session(), self.today()
        known = reports.periods(session, PERIODS)
        period = wanted_period(known, today.strftime("%Y-%m"))
        rates = reports.collection_rates(session, period)
        return self.render(
            "office/reports.html",
            period=period,
            periods=known,
            rates=rates,
            whole=reports.whole_rate(rates),
            target=reports.target(session, int(period[:4])),
            ageing=reports.ageing(session, today),
            split=reports.year_split(session, today),
            promises=reports.promises(session, today.replace(day=1), today),
        )


class ComplaintReportPage(OfficePage):
    screen = "complaint_reports"
    title = _l("Complaints by month")
    room = "reports"
    icon = "chart-column"

    @expose("/")
    def index(self) -> Any:
        session = db.session()
        period = wanted_period([], self.today().strftime("%Y-%m"))
        tables = {
            _l("By category"): ("category", {}),
            _l("By department"): ("department", {}),
            _l("By severity"): ("severity", labels.SEVERITIES),
            _l("By channel"): ("channel", labels.CHANNELS_IN),
            _l("By building"): ("building", {}),
        }
        names = reports.names(session, self.language())
        return self.render(
            "office/complaint_report.html",
            period=period,
            figures=reports.complaint_figures(session, period),
            tables=[
                (
                    title,
                    [
                        (codes.get(code) or names.get(code, code), count)
                        for code, count in reports.complaints_by(session, period, what)
                    ],
                )
                for title, (what, codes) in tables.items()
            ],
        )

    def language(self) -> str:
        from admin import language

        return language.current()


class TargetView(OfficeView):
    table = CollectionTarget
    screen = "targets"
    title = _l("Collection targets")
    empty_hint = _l(
        "Enter the collection rate the office aims at in a year; reports show the distance to it."
    )
    room = "reports"
    icon = "target"
    column_list = ("year", "area_id", "percent", "set_on")
    column_default_sort = "-year"
    form_columns = ("year", "percent", "set_on")


SCREENS = (ReportsPage, ComplaintReportPage, TargetView)
