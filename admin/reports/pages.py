"""Reports for managers, each a page, a table, a chart and a file (K1–K6)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from functools import partial
from itertools import chain
from typing import Any
from urllib.parse import urlencode

from flask import abort, flash, redirect, request, url_for
from flask_admin import expose
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import select, true
from werkzeug.wrappers import Response

from admin.panel import error_messages, formats, language, request_values, row_access
from admin.panel.addresses import address_with
from admin.panel.audit import record, record_reading
from admin.panel.permissions import may_see
from admin.panel.saved_views import SavedViews
from admin.panel.signed_in import current_staff
from admin.panel.view import OfficePage, OfficeView
from admin.reports import cards
from admin.reports.dashboard import Tile
from models.base import db
from models.billing import FeeItem
from models.complaints import Ticket
from models.office import CollectionTarget
from models.people import Department, Staff, StaffRole
from models.property import Area, Building
from office.core.errors import Refused
from office.reports import catalog, collection, complaints, nightly, rates
from office.reports.table import Table, Wanted
from rules.calendar_months import week_of
from rules.roles import reads_all_complaints

# of any report; links from tab to tab keep their values
FILTERS = tuple(dict.fromkeys(chain.from_iterable(catalog.FILTERS.values())))


def wanted_period(newest: str) -> str:
    """The month or year asked for, else the newest."""
    asked = request.args.get("period", "")
    try:
        date.fromisoformat({4: f"{asked}-01-01", 7: f"{asked}-01"}[len(asked)])
    except (KeyError, ValueError):
        return newest
    return asked


def wanted_id(name: str) -> int | None:
    return request_values.row_id(request.args.get(name, ""))


def _areas() -> dict[str, str]:
    areas = select(Area.id, Area.name).order_by(Area.position, Area.name)
    return {str(key): name for key, name in db.session.execute(areas)}


def _buildings() -> dict[str, str]:
    buildings = (
        select(Building.id, Area.name, Building.name)
        .join(Area, Area.id == Building.area_id)
        .order_by(Area.position, Area.name, Building.position, Building.name)
    )
    return {str(key): f"{area} · {name}" for key, area, name in db.session.execute(buildings)}


def _stewards() -> dict[str, str]:
    people = (
        select(Staff.id, Staff.name)
        .join(StaffRole, StaffRole.staff_id == Staff.id)
        .where(StaffRole.role == "steward", Staff.is_active)
        .order_by(Staff.name)
    )
    return {str(key): name for key, name in db.session.execute(people)}


def _fee_items() -> dict[str, str]:
    items = db.session.scalars(select(FeeItem).order_by(FeeItem.position, FeeItem.id))
    return {str(item.id): item.name_in(language.current()) for item in items}


def _departments() -> dict[str, str]:
    rows = db.session.scalars(select(Department).order_by(Department.position, Department.id))
    return {str(row.id): row.name_in(language.current()) for row in rows}


OPTIONS: Mapping[str, Callable[[], dict[str, str]]] = {
    "area": _areas,
    "building": _buildings,
    "steward": _stewards,
    "fee_item": _fee_items,
    "department": _departments,
}  # what a report can be narrowed by → id → name


class _Reports(SavedViews, OfficePage):
    """What the two pages of reports share: filters, tabs, files, saved views."""

    home = ".index"
    codes: Sequence[str] = ()
    _verbs = dict.fromkeys(("save_view", "forget_view", "change_view"), "see")

    def wanted(self, *, is_list: bool = False) -> Wanted:
        """What the address asks for; lists hold what the reader may read, figures count all they lead."""
        today = self.today()
        sees_all = reads_all_complaints(current_staff().roles)
        return Wanted(
            period=wanted_period(self.newest()),
            now=self.now(),
            today=today,
            language=language.current(),
            **{f"{name}_id": wanted_id(name) for name in self.filters()},
            own_tickets=tuple(row_access.visible_rows(Ticket)) if is_list or not sees_all else (),
        )

    def newest(self) -> str:
        """The period that is shown when none is asked for: the newest that was billed."""
        return rates.newest_period(db.session()) or f"{self.today():%Y-%m}"

    def asked(self) -> str:
        code = request.args.get("report", "") or self.codes[0]
        if code not in self.codes:
            abort(404)
        return code

    def filters(self) -> Sequence[str]:
        """By what the report that is asked for can be narrowed; it is counted by nothing else."""
        code = request.args.get("report", "") or self.codes[0]
        return catalog.FILTERS.get(code, ())

    def unread(self) -> dict[str, str]:
        """The filters of the address that can't be read, with what was given: they narrow nothing."""
        period = request.args.get("period", "")
        found = {"period": period} if period and period != self.wanted().period else {}
        for name in self.filters():
            if (given := request.args.get(name, "")) and wanted_id(name) is None:
                found[name] = given
        return found

    def table(self, code: str) -> Table:
        is_list = code in {"complaint_list", "escalated"}
        return catalog.table(db.session(), code, self.wanted(is_list=is_list))

    def query(self, **more: Any) -> dict[str, str]:
        """The address's own parameters, for links that keep them."""
        kept = {
            name: value
            for name in ("report", "period", *FILTERS)
            if (value := request.args.get(name, "")) and request_values.is_clean(value)
        }
        return {name: str(value) for name, value in {**kept, **more}.items() if value}

    def card(self, code: str) -> cards.Card:
        return cards.card(
            self.table(code),
            (lambda kind: address_with(f"{self.screen}.export", self.query(report=code), export_type=kind))
            if self.may("export")
            else None,
        )

    def tabs(self, chosen: str) -> list[tuple[str, str, bool]]:
        """Words, address and whether it is the present one, of each report of the page."""
        said = cards.words()
        return [
            (
                said[f"table.{code}"],
                address_with(f"{self.screen}.index", self.query(report=code)),
                code == chosen,
            )
            for code in self.codes
        ]

    def choices(self) -> dict[str, Mapping[str, Any]]:
        """The options of the filters, by name."""
        months = rates.choosable_months(db.session(), self.today())
        known = sorted({*months, self.wanted().period}, reverse=True)
        years = sorted({month[:4] for month in known}, reverse=True)
        found: dict[str, Mapping[str, Any]] = {
            "period": {each: each for each in dict.fromkeys([*known, *years])},
        }
        for name in self.filters():
            found[name] = OPTIONS[name]()
        return found

    def scope_words(self) -> str:
        """What the figures are of, for a paper's head."""
        said, options = cards.words(), self.choices()
        period = self.wanted().period
        parts = [said.period(period) if len(period) == 7 else period]
        parts += [
            str(options[name][value])
            for name in self.filters()
            if (value := request.args.get(name, "")) in options[name]
        ]
        return said.comma.join(parts)

    def exported(self, export_type: str) -> Any:
        if export_type not in cards.FILES:
            abort(404)
        code, wanted = self.asked(), self.wanted()
        if self.unread():  # the file would count more than the person thinks
            flash(_("One of the filters can't be read: mend or remove it, then export."), "error")
            return redirect(address_with(f"{self.screen}.index", self.query(report=code)))
        record_reading("export", "report_count", None, {"format": export_type, **self.query(report=code)})
        name = f"{code}-{wanted.period}"
        try:
            answer = cards.file(
                [self.table(code)], wanted, name=name, scope=self.scope_words(), kind=export_type
            )
        except Refused as refusal:
            db.session.rollback()
            flash(error_messages.message_for(refusal), "error")
            return redirect(address_with(f"{self.screen}.index", self.query(report=code)))
        return answer

    def shown(self, template: str, **more: Any) -> Any:
        code = self.asked()
        return self.render(
            template,
            view=self,
            period=self.wanted().period,
            card=self.card(code),
            tabs=self.tabs(code),
            choices=self.choices(),
            chosen={name: request.args.get(name, "") for name in self.filters()},
            unread=self.unread(),
            report=code,
            saved_views=self._saved_views(),
            kept_query=urlencode(self.query(report=code)),
            **more,
        )


class ReportsPage(_Reports):
    """Collection and arrears by period and part of the estate (K1, K2, K5)."""

    screen = "reports"
    title = _l("Collection and arrears")
    icon = "chart-column"
    codes = tuple(catalog.COLLECTION)
    verbs = {"export": "export", "recount": "act", "weekly_file": "export"}

    @expose("/")
    def index(self) -> Any:
        wanted = self.wanted()
        return self.shown(
            "reports/reports.html",
            whole=collection.against_target(db.session(), wanted),
            tiles=self.tiles(wanted) if wanted.is_whole and wanted.fee_item_id is None else [],
            hints=cards.hints(),
        )

    def tiles(self, wanted: Wanted) -> list[Tile]:
        """Figures of other reports of the page, each with the list or report that holds its rows."""
        session, hints = db.session(), cards.hints()
        split = catalog.table(session, "year_split", wanted)
        found = {line.cells[0]: (line.cells[-1], line.link) for line in split.lines}
        kept = catalog.table(session, "promises", wanted).lines
        report = partial(self.query, period=wanted.period)
        return [
            Tile(
                formats.money(found["current_year"][0]),
                _("Bills of the year, open"),
                cards.address(found["current_year"][1]),
                hint=hints["open_now"],
            ),
            Tile(
                formats.money(found["old_arrears"][0]),
                _("Old arrears, open"),
                cards.address(found["old_arrears"][1])
                or address_with("reports.index", report(report="year_split")),
                hint=hints["open_now"],
            ),
            Tile(
                formats.percent(kept[-1].cells[-1] if kept else None),
                _("Promises kept"),
                address_with("reports.index", report(report="promises")),
                hint=hints["rate_kept"],
            ),
        ]

    @expose("/export/<export_type>/")
    def export(self, export_type: str) -> Any:
        return self.exported(export_type)

    @expose("/recount/", methods=("POST",))
    def recount(self) -> Response:
        """Count a nightly report again, now."""
        session, code = db.session(), request.form.get("report", "")
        wanted = self.wanted()
        try:
            for period in wanted.months():
                if period <= f"{wanted.today:%Y-%m}":
                    nightly.count(session, code, period, self.now())
            record("recount", "report_count", None, {}, {"report": code, "period": wanted.period})
            session.commit()
        except Refused as refusal:
            session.rollback()
            flash(error_messages.message_for(refusal), "error")
        else:
            flash(_("Counted again."), "success")
        return redirect(address_with("reports.index", self.query(report=code)))

    @expose("/weekly/")
    def weekly(self) -> Any:
        """The sheet of the weekly meeting (K5)."""
        wanted = self.wanted(is_list=True)
        monday, sunday = week_of(wanted.today)
        return self.render(
            "reports/weekly.html",
            view=self,
            period=wanted.period,
            cards=[cards.card(each) for each in self.weekly_tables(wanted)],
            week=(monday, sunday),
        )

    @staticmethod
    def weekly_tables(wanted: Wanted) -> list[Table]:
        """The sheet's tables; promises only for who may read contacts."""
        codes = [code for code in catalog.WEEKLY if code != "promises_due" or may_see("contacts")]
        return catalog.several(db.session(), codes, wanted)

    @expose("/weekly/<export_type>/")
    def weekly_file(self, export_type: str) -> Any:
        """The sheet as a paper or as a workbook with a sheet for each table."""
        if export_type not in {"pdf", "xlsx"}:
            abort(404)
        wanted = self.wanted(is_list=True)
        asked = {"format": export_type, "report": "weekly_meeting", "period": wanted.period}
        record_reading("export", "report_count", None, asked)
        name = f"weekly-{wanted.today}"
        try:
            if export_type == "xlsx":
                return cards.book(self.weekly_tables(wanted), name=name)
            return cards.weekly_paper(wanted, name=name)
        except Refused as refusal:
            db.session.rollback()
            flash(error_messages.message_for(refusal), "error")
            return redirect(url_for("reports.weekly"))


class ComplaintReportPage(_Reports):
    """Complaints of a month or year by what they are about and who answers for them (K3)."""

    screen = "complaint_reports"
    title = _l("Complaints by month")
    icon = "chart-column"
    codes = tuple(catalog.COMPLAINT)
    verbs = {"export": "export"}

    def newest(self) -> str:
        """Complaints go by the calendar month."""
        return f"{self.today():%Y-%m}"

    @expose("/")
    def index(self) -> Any:
        wanted = self.wanted()
        return self.shown(
            "reports/complaint_report.html",
            hints=cards.hints(),
            figures=complaints.complaint_totals(db.session(), wanted),
            invalid=complaints.invalid_count(db.session(), wanted),
        )

    @expose("/export/<export_type>/")
    def export(self, export_type: str) -> Any:
        return self.exported(export_type)


class TargetView(OfficeView):
    table = CollectionTarget
    screen = "targets"
    title = _l("Collection targets")
    empty_hint = _l(
        "Enter the collection rate the office aims at in a year; reports show the distance to it."
    )
    icon = "target"
    column_list = ("year", "area.name", "percent", "set_on")
    column_default_sort = "-year"
    form_columns = ("year", "area", "percent", "set_on")
    column_descriptions = {"area": _l("Empty: the whole estate")}

    def before_save(self, form: Any, row: Any, is_new: bool) -> None:  # noqa: ARG002, FBT001 -- the base's hook
        """One target a year and area: the database lets an empty area stand twice."""
        area_id = row.area.id if row.area is not None else row.area_id
        with db.session.no_autoflush:
            twin = db.session.scalars(
                select(CollectionTarget.id).where(
                    CollectionTarget.year == row.year,
                    CollectionTarget.area_id == area_id if area_id else CollectionTarget.area_id.is_(None),
                    CollectionTarget.id != row.id if row.id else true(),
                )
            ).first()
        if twin is not None:
            raise Refused(_("There is a target for this year and area already: change that one"))


SCREENS = (ReportsPage, ComplaintReportPage, TargetView)
