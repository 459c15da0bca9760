"""The menu as people read it: at most nine jobs, each with its screens as tabs; settings behind the gear.

Every screen of the office stands here exactly once, or the program does not start. A screen shows for whoever
may see it (admin/panel/permissions.py); an entry without such a screen does not show. An entry leads to the
first of its tabs that the person may see.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from typing import Any

from flask import current_app, url_for
from flask_admin import expose
from flask_babel import lazy_gettext as _l
from flask_babel import lazy_pgettext as pgettext
from markupsafe import Markup

from admin.panel import language, permissions
from admin.panel.screen import OfficePage, Screen
from admin.panel.static_files import icon
from rules.text_keys import folded


@dataclass(frozen=True)
class Entry:
    """One job of the menu, or one heading of the settings.

    `tabs` are what the job is done with, `more` what is looked up now and then; `inside` are screens without
    a place of their own: one comes to them from a record, and stays in this job.
    """

    code: str
    label: Any
    icon: str
    tabs: tuple[str, ...]
    more: tuple[str, ...] = ()
    inside: tuple[str, ...] = ()

    @property
    def screens(self) -> tuple[str, ...]:
        return self.tabs + self.more + self.inside


JOBS = (
    Entry("today", _l("Today"), "sun", ("start", "inbox"), inside=("search",)),
    Entry(
        "residents",
        _l("Residents"),
        "users",
        ("units", "owners", "grid", "occupancies", "change_payer", "contact_quality"),
        more=("vehicles", "vacancies", "desk_hints"),
        inside=("household", "unit_charges", "owner_phones", "personal_data"),
    ),
    Entry(
        "billing",
        pgettext("menu", "Billing"),
        "receipt-text",
        ("billing", "invoices", "service_slips", "meter_round", "pools", "move_in", "deposits"),
        more=(
            "credit_notes",
            "waiver_requests",
            "late_fee_waivers",
            "statement_of_account",
            "contracts",
            "rent_changes",
            "item_rates",
            "item_payers",
            "meters",
            "meter_readings",
            "incentive_grants",
            "take_backs",
        ),
        inside=("billing_runs", "invoice_lines", "pool_shares", "taken_bills"),
    ),
    Entry(
        "payments",
        pgettext("menu", "Payments"),
        "wallet",
        ("cashier", "payments", "statement_rows", "direct_debits", "day_close"),
        more=(
            "cheques",
            "earmarks",
            "debit_mandates",
            "day_closes",
            "day_reopenings",
            "ledger",
            "vouchers",
        ),
        inside=(
            "allocations",
            "payer_accounts",
            "direct_debit_rows",
            "day_close_lines",
            "voucher_lines",
            "voucher_sources",
        ),
    ),
    Entry(
        "arrears",
        pgettext("menu", "Arrears"),
        "bell-ring",
        ("call_list", "reminder_batches", "instalment_plans", "restrictions", "legal_cases", "forecast"),
        more=("reminders", "contacts", "ladder_holds", "limitation", "public_notices"),
        inside=("instalments",),
    ),
    Entry(
        "service_desk",
        _l("Service desk"),
        "message-square-warning",
        ("tickets", "board", "work_slips", "review_meetings", "invalid_requests", "incidents"),
        more=("case_library", "complainants", "ticket_clocks", "escalations"),
        inside=("incident_tickets",),
    ),
    Entry("visits", _l("Visits"), "footprints", ("route", "visits")),
    Entry("reports", _l("Reports"), "chart-column", ("reports", "complaint_reports", "targets")),
)
SETTINGS = (
    Entry("rules", _l("Policies"), "scale", ("policies", "simulate", "calendar_days")),
    Entry("prices", _l("Fees"), "tags", ("fee_items", "tariffs", "incentives", "ledger_accounts")),
    Entry("desk", _l("Service desk"), "message-square-warning", ("categories", "public_form")),
    Entry("texts", _l("Texts"), "file-text", ("paper_templates", "opening_texts", "statement_layouts")),
    Entry("estate", pgettext("menu", "Estate"), "building-2", ("estate", "buildings", "areas")),
    Entry("people", _l("Staff"), "user-round", ("staff", "departments")),
    Entry("records", _l("Records"), "history", ("papers", "outbox", "audit")),
    Entry("system", _l("System"), "settings", ("imports", "jobs", "job_runs")),
)
GEAR = Entry("settings", _l("Settings"), "settings", ("settings",))
ENTRIES = (*JOBS, *SETTINGS, GEAR)


class SettingsView(OfficePage):
    """`/settings/`: all that is set once and seldom changed, by subject."""

    screen, title, icon = "settings", _l("Settings"), "settings"

    @expose("/")
    def index(self) -> str:
        groups = [(entry, visible(entry.tabs)) for entry in SETTINGS]
        return self.render(
            "shell/settings.html",
            groups=[group for group in groups if group[1]],
            screen_address=address,
        )


def check(screens: Iterable[type[Screen]]) -> None:
    """Refuse a menu that forgets a screen, names one twice or names one that is not there.

    Raises:
        ValueError: naming the screens.
    """
    placed = Counter(name for entry in ENTRIES for name in entry.screens)
    given = {screen.screen for screen in screens}
    for problem, names in (
        ("named twice in the menu", {name for name, count in placed.items() if count > 1}),
        ("without a place in the menu", given - placed.keys()),
        ("in the menu, but no screen", placed.keys() - given),
    ):
        if names:
            raise ValueError(f"{problem}: {', '.join(sorted(names))}")


@cache
def entry_of(screen: str) -> Entry:
    """The entry in which a screen stands."""
    return next(entry for entry in ENTRIES if screen in entry.screens)


def visible(names: Iterable[str]) -> list[Screen]:
    """Those of the screens that the person may see, as they are served."""
    return [_served()[name] for name in names if permissions.may_see(name)]


@dataclass(frozen=True)
class Page:
    """A page of the menu that was searched for, or the form for a new record of its list."""

    label: Any
    address: str
    entry: Any
    is_form: bool = False


def pages_named(words: str) -> list[Page]:
    """The pages that the person may open whose title, or that of their job, has all these words."""
    asked = folded(words).casefold().split()
    found = []
    for entry in ENTRIES if asked else ():
        for screen in visible(entry.tabs + entry.more):
            said = folded(f"{screen.title} {entry.label}").casefold()
            if all(word in said for word in asked):
                found.append(Page(screen.title, address(screen), entry.label))
                if getattr(screen, "can_create", False) and screen.may("create"):
                    new = url_for(f"{screen.screen}.create_view")
                    found.append(Page(screen.title, new, entry.label, is_form=True))
    return found


def address(screen: Screen) -> str:
    return url_for(f"{screen.screen}.{screen._default_view}")  # noqa: SLF001 -- the "/" function's name


def sidebar(here: str, roles: frozenset[str]) -> Markup:
    """The entries of this person, the one of the screen `here` marked."""
    current = entry_of(here).code if here in _served() else ""
    if current in {entry.code for entry in SETTINGS}:
        current = GEAR.code
    drawn = _drawn_sidebar(language.current(), roles)
    return Markup(drawn.replace(f'data-entry="{current}"', f'data-entry="{current}" aria-current="true"', 1))  # noqa: S704 -- our own markup


def tabs(here: str, roles: frozenset[str]) -> Markup:
    """The screens of the job that the screen `here` belongs to; nothing where it stands alone."""
    if here not in _served():
        return Markup("")
    drawn = _drawn_tabs(language.current(), roles, entry_of(here))
    return Markup(drawn.replace(f'data-screen="{here}"', f'data-screen="{here}" aria-current="true"', 1))  # noqa: S704 -- our own markup


@cache
def _drawn_sidebar(_language: str, _roles: frozenset[str]) -> str:
    lines = [
        Markup(
            '<li{}><a href="{}" data-entry="{}">{}<span>{}</span><b class="waits" hidden></b></a></li>'
        ).format(
            Markup(' class="gear"') if entry is GEAR else "",
            address(shown[0]),
            entry.code,
            icon(entry.icon),
            entry.label,
        )
        for entry in (*JOBS, GEAR)
        if (shown := visible(entry.tabs + entry.more))
    ]
    return str(Markup('<ul class="entries">{}</ul>').format(Markup("").join(lines)))


@cache
def _drawn_tabs(_language: str, _roles: frozenset[str], entry: Entry) -> str:
    tabs, more = visible(entry.tabs), visible(entry.more)
    if len(tabs) + len(more) < 2:
        return ""
    line = Markup("").join(_link(screen) for screen in tabs)
    if more:
        line += Markup(
            '<li class="more"><details class="drop"><summary>{}{}</summary>'
            '<ul class="menu">{}</ul></details></li>'
        ).format(_l("More"), icon("chevron-right"), Markup("").join(_link(screen) for screen in more))
    up = (
        Markup('<a class="up" href="{}">{}</a>').format(address(_served()[GEAR.code]), GEAR.label)
        if entry in SETTINGS
        else Markup("")
    )
    return str(Markup('<nav class="tabs" aria-label="{}">{}<ul>{}</ul></nav>').format(entry.label, up, line))


def _link(screen: Screen) -> Markup:
    return Markup('<li><a href="{}" data-screen="{}">{}</a></li>').format(
        address(screen), screen.screen, screen.title
    )


def _served() -> dict[str, Screen]:
    """The screens of this application by their names."""
    found: dict[str, Screen] = current_app.extensions["screens"]
    return found
