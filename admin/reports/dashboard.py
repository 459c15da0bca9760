"""The start page of each role: what waits today, one click from where it is done (K4, K6)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from flask import url_for
from flask_admin import expose
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from admin.panel import formats, language, row_access
from admin.panel.addresses import address_with
from admin.panel.permissions import may, may_see
from admin.panel.signed_in import current_staff
from admin.panel.view import OfficePage
from admin.reports import cards
from models.base import db
from models.collection import Contact, Reminder, ReminderBatch
from models.complaints import Ticket
from models.incidents import Incident
from models.visits import Visit
from office.arrears import call_list
from office.complaints import incidents
from office.estate import identity, owners
from office.reports import catalog, collection, complaints, dashboard, nightly, rates
from office.reports.table import Table, Wanted
from office.scheduling import job_status
from rules.incidents import phase

MANAGING = frozenset({"manager", "director", "station_head", "it_admin"})
CALLS = 6  # of today's call list
LEADING = 3  # figures that are shown large
# What each role's day turns on comes first: the lists behind the figures, with their views.
FIRST_FIGURES = {
    "front_desk": ("tickets/open", "tickets/soon", "visits/today"),
    "department_lead": ("tickets/overdue", "tickets/soon", "tickets/open"),
    "steward": ("contacts/week", "visits/today", "invoices/overdue"),
    "cashier": ("invoices/overdue", "contacts/week"),
}
MANAGERS_FIRST = ("invoices/overdue", "tickets/overdue", "reminder_batches/draft")


@dataclass(frozen=True)
class Tile:
    """A figure, what it counts, and the list behind it."""

    figure: Any
    label: str
    address: str
    tone: str = ""
    hint: str = ""  # what it counts, in one sentence
    code: str = ""  # its list and the view of it


@dataclass(frozen=True)
class EstateRate:
    """What a part of the estate brought against its target, under a title, and where its report is."""

    title: str
    found: collection.AgainstTarget
    address: str


class StartPage(OfficePage):
    screen = "start"
    title = _l("Start page")
    icon = "sun"

    @expose("/")
    def index(self) -> Any:
        roles = current_staff().roles
        is_managing = bool(roles & MANAGING)
        is_steward, is_desk = "steward" in roles, "front_desk" in roles
        is_cashier, is_lead = "cashier" in roles, "department_lead" in roles
        session, wanted = db.session(), self.wanted()
        ageing = collection.ageing(session, wanted)
        return self.render(
            "reports/dashboard.html",
            tiles=self.tiles(wanted, ageing),
            leading=LEADING,
            incidents=self.going_on() if may_see("incidents") else (),
            may_register=may(roles, "tickets", "create"),
            period=wanted.period if rates.newest_period(session) else None,
            hints=cards.hints(),
            rate=self.rate(wanted) if is_managing or is_steward or is_cashier else None,
            by_month=self.card(collection.by_month(session, wanted)) if is_managing else None,
            ageing=self.card(ageing) if is_managing or is_steward else None,
            complaints=self.complaint_figures(wanted) if is_managing else None,
            by_category=self.card(self.by_category(wanted)) if is_managing else None,
            calls=self.calls() if is_steward else None,
            registered=dashboard.registered_today(session, self.now(), row_access.visible_rows(Ticket))
            if is_desk
            else None,
            takings=self.takings() if is_cashier else None,
            waiting=dashboard.waiting_rows(session) if is_cashier else None,
            tickets=self.urgent_tickets(is_lead=is_lead) if is_lead or is_desk or is_managing else None,
            is_lead=is_lead,
            gaps=[_(gap.what) for gap in identity.gaps(session)] if may(roles, "estate", "edit") else [],
            health=self.health() if "it_admin" in roles else None,
            next_jobs=self.next_jobs() if is_managing else None,
        )

    def wanted(self) -> Wanted:
        """This billing period; of a bound steward the own buildings."""
        session, now = db.session(), self.now()
        bound = current_staff().id if row_access.own_buildings() else None
        period = rates.newest_period(session) or self.today().strftime("%Y-%m")
        return Wanted(
            period=period, now=now, today=self.today(), language=language.current(), steward_id=bound
        )

    def this_month(self, wanted: Wanted) -> Wanted:
        """The calendar month, which complaints go by."""
        return replace(wanted, period=self.today().strftime("%Y-%m"), steward_id=None)

    def going_on(self) -> list[tuple[Incident, str]]:
        """What is going on in the estate, and how far each of it is (T25)."""
        return [
            (row, phase(row.begins_at, row.ends_at, row.closed_at, self.now()).value)
            for row in incidents.going_on(db.session())
        ]

    def card(self, table: Table) -> cards.Card:
        screen = "complaint_reports" if table.code in catalog.COMPLAINT else "reports"
        period = self.wanted().period if screen == "reports" else self.today().strftime("%Y-%m")
        has_files = may(current_staff().roles, screen, "export")
        return cards.card(
            table,
            (lambda kind: url_for(f"{screen}.export", export_type=kind, report=table.code, period=period))
            if has_files
            else None,
        )

    # Figures -------------------------------------------------------------------------------------------

    def tiles(self, wanted: Wanted, ageing: Table) -> list[Tile]:
        """Counts as the lists behind them count, each for who may open its list."""
        found: list[tuple[str, Any, str, dict[str, str], str]] = []
        session, now, day = db.session(), self.now(), self.today()
        if may_see("invoices"):
            late = ageing.lines[-1].cells
            amount, households = late[1], late[4]
            label = _("Overdue, %(n)s households", n=households)
            found.append(
                ("invoices", formats.money(amount), label, {"view": "overdue"}, "bad" if amount else "")
            )
        if may_see("tickets"):
            counts = dashboard.complaints(session, now, row_access.visible_rows(Ticket))
            soon = formats.due_within(counts.due_soon_minutes)
            found += [
                ("tickets", counts.escalated, _("Escalated complaints"), {"view": "escalated"}, "bad"),
                ("tickets", counts.late, _("Complaints past a deadline"), {"view": "overdue"}, "bad"),
                ("tickets", counts.soon, soon, {"view": "soon"}, "warn"),
                ("tickets", counts.open, _("Open complaints"), {"view": "open"}, ""),
            ]
        if may_see("visits"):
            due = dashboard.visits_to_make(session, now, row_access.visible_rows(Visit))
            found.append(("visits", due, _("Visits to make today"), {"view": "today"}, ""))
        if may_see("contacts"):
            promised = dashboard.promises_due(session, day, row_access.visible_rows(Contact))
            found.append(("contacts", promised, _("Promises due this week"), {"view": "week"}, ""))
        if may(current_staff().roles, "reminder_batches", "act"):
            drafts = dashboard.batches_to_approve(session, row_access.visible_rows(ReminderBatch))
            found.append(("reminder_batches", drafts, _("Batches to approve"), {"view": "draft"}, "warn"))
        elif may(current_staff().roles, "reminders", "act"):
            to_do = dashboard.reminders_to_do(session, day, row_access.visible_rows(Reminder))
            found.append(("reminders", to_do, _("Reminders to carry out"), {"view": "todo"}, ""))
        tiles = [
            Tile(
                figure,
                label,
                address_with(f"{screen}.index_view", query),
                tone if figure else "",
                code=f"{screen}/{query['view']}",
            )
            for screen, figure, label, query, tone in found
            if may_see(screen)
        ]
        roles = current_staff().roles
        first = [code for role in roles - MANAGING for code in FIRST_FIGURES.get(role, ())]
        first = [*MANAGERS_FIRST, *first] if roles & MANAGING else first
        tiles.sort(key=lambda tile: first.index(tile.code) if tile.code in first else len(first))
        return [
            *tiles[:LEADING],
            *(tile for tile in tiles[LEADING:] if tile.figure),
            *self._unreachable(wanted),
        ]

    def _unreachable(self, wanted: Wanted) -> list[Tile]:
        """Payers that nobody reaches (P6); counted at night, for whom their list is open."""
        if not may_see("contact_quality") or wanted.steward_id:
            return []
        month = self.today().strftime("%Y-%m")
        count = nightly.counted(db.session(), "unreachable", [month]).get(month)
        if count is not None:
            units = count.figures["all"]["units"]
        else:  # before the first night
            units = len(owners.unreachable_payers(db.session(), self.today()))
        tone = "warn" if units else ""
        return [Tile(units, _("Unreachable payers"), url_for("contact_quality.index"), tone)] if units else []

    def rate(self, wanted: Wanted) -> EstateRate:
        return EstateRate(
            title=_("My buildings") if wanted.steward_id else _("Collection rate"),
            found=collection.against_target(db.session(), wanted),
            address=url_for("reports.index", period=wanted.period) if may_see("reports") else "",
        )

    def complaint_figures(self, wanted: Wanted) -> dict[str, Any]:
        return complaints.complaint_totals(db.session(), self.this_month(wanted))

    def by_category(self, wanted: Wanted) -> Table:
        return complaints.complaints_by(db.session(), self.this_month(wanted), "category")

    # Work ----------------------------------------------------------------------------------------------

    def calls(self) -> tuple[int, list[call_list.CallEntry]]:
        """How many calls and visits are to be made today, and the most valuable."""
        current = language.current()
        entries = call_list.call_list(
            db.session(), now=self.now(), language=current, staff_id=current_staff().id
        )
        return len(entries), entries[:CALLS]

    def takings(self) -> list[tuple[str, int, Any]]:
        return dashboard.takings(db.session(), self.today(), current_staff().id)

    def urgent_tickets(self, *, is_lead: bool) -> Any:
        """Open complaints whose deadline comes first; of who leads a department, those it has."""
        own = [Ticket.department_id == current_staff().department_id] if is_lead else []
        return dashboard.tickets(db.session(), [*row_access.visible_rows(Ticket), *own])

    def next_jobs(self) -> list[tuple[str, datetime]]:
        from office.rooms import TIMETABLE

        return dashboard.next_jobs(db.session(), TIMETABLE, self.now())

    def health(self) -> dict[str, Any]:
        from office.rooms import TIMETABLE

        session, now = db.session(), self.now()
        found = dashboard.health(session, TIMETABLE, now)
        return {
            "found": found,
            "age": job_status.age_of_last_tick(session),
            "backup_age": _hours(now, found.backed_up_at),
        }


def _hours(now: datetime, then: datetime | None) -> int | None:
    return None if then is None else int((now - then).total_seconds() // 3600)


SCREENS = (StartPage,)
