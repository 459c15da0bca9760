"""Every screen, joined from the rooms, and what a page is drawn with."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Any

from babel.support import NullTranslations
from flask import Flask, g, redirect, request, url_for
from flask_admin import Admin, AdminIndexView, expose
from flask_babel import get_translations
from jinja2 import FileSystemBytecodeCache
from jinja2.bccache import Bucket
from markupsafe import Markup

from admin import inbox, menu
from admin.arrears import screens as arrears
from admin.auth import alert_address, guard, sign_in, two_factor  # noqa: F401 -- pages of a person's own
from admin.billing import screens as billing
from admin.complaints import screens as complaints
from admin.estate import screens as estate
from admin.exchange import screens as exchange
from admin.exchange.imports import kind_of_screen
from admin.panel import (
    formats,
    fragment_cache,
    labels,
    language,
    list_query,
    permissions,
    row_access,
    static_files,
)
from admin.panel.idempotency import idempotency_field
from admin.panel.responses import own_address
from admin.panel.row_access import RowAccess
from admin.panel.signed_in import staff_if_signed_in
from admin.payments import screens as payments
from admin.policies import screens as policies
from admin.reports import screens as reports
from admin.system import screens as system
from admin.vouchers import screens as vouchers

SCREENS = (
    *reports.SCREENS,
    *complaints.SCREENS,
    *estate.SCREENS,
    *billing.SCREENS,
    *payments.SCREENS,
    *vouchers.SCREENS,
    *arrears.SCREENS,
    *policies.SCREENS,
    *exchange.SCREENS,
    *system.SCREENS,
    inbox.InboxPage,
    menu.SettingsView,
)
ROW_ACCESS: RowAccess = {
    **complaints.ROW_ACCESS,
    **estate.ROW_ACCESS,
    **billing.ROW_ACCESS,
    **payments.ROW_ACCESS,
    **vouchers.ROW_ACCESS,
    **arrears.ROW_ACCESS,
}


class StartView(AdminIndexView):
    """`/`: hands on to the start page."""

    @expose("/")
    def index(self) -> Any:
        return redirect(url_for("start.index"))


class CompiledTemplates(FileSystemBytecodeCache):
    """Compiled templates on disk, shared by all processes; without room on disk each compiles its own."""

    def dump_bytecode(self, bucket: Bucket) -> None:
        with suppress(OSError):
            super().dump_bytecode(bucket)


def init_app(app: Flask) -> None:
    guard.init_app(app)
    row_access.init_app(app, ROW_ACCESS)
    app.register_blueprint(sign_in.entrance)
    static_files.init_app(app)
    cache_folder = Path(app.instance_path) / "templates"
    cache_folder.mkdir(parents=True, exist_ok=True)
    app.jinja_env.bytecode_cache = CompiledTemplates(str(cache_folder))
    app.jinja_env.install_gettext_callables(  # type: ignore[attr-defined]  # set by its extension
        _words, _plural_words, newstyle=True
    )
    app.jinja_env.add_extension(fragment_cache.FragmentCache)
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.jinja_env.globals.update(
        icon=static_files.icon,
        here=fragment_cache.here,
        own_address=own_address,
        static_url=static_files.static_url,
        sidebar=sidebar,
        job_tabs=job_tabs,
        waiting_for_me=inbox.waiting,
        pages_named=menu.pages_named,
        may_see=permissions.may_see,
        idempotency_field=idempotency_field,
        import_kind=kind_of_screen,
        formats=formats,
        labels=labels,
        PAGE_SIZES=list_query.PAGE_SIZES,
    )
    app.context_processor(lambda: {"staff": staff_if_signed_in(), "theme_choice": theme()})
    panel = Admin(
        app,
        name="Gatehouse",
        url="/",
        index_view=StartView(name="Start", url="/"),
        csp_nonce_generator=guard.csp_nonce,
        translations_path=str(language.TRANSLATIONS),
    )
    menu.check(SCREENS)
    app.extensions["screens"] = {}
    for screen in SCREENS:
        view = screen()
        panel.add_view(view)
        app.extensions["screens"][view.screen] = view


def _catalogue() -> NullTranslations:
    """The reader's translations, looked up once a request: a page asks for some sixty sentences."""
    if "catalogue" not in g:
        g.catalogue = get_translations()
    found: NullTranslations = g.catalogue
    return found


def _words(sentence: str) -> str:
    return _catalogue().ugettext(sentence)


def _plural_words(one: str, many: str, count: int) -> str:
    return _catalogue().ungettext(one, many, count)


def theme() -> str:
    """`light`, `dark`, or `auto` for what the machine prefers."""
    staff = staff_if_signed_in()
    return staff.theme if staff is not None and staff.theme in sign_in.THEMES else "auto"


def sidebar() -> Markup:
    """The menu of who is signed in, the job of this page marked."""
    staff = staff_if_signed_in()
    return menu.sidebar(_screen(), staff.roles) if staff else Markup("")


def job_tabs() -> Markup:
    """The screens of this page's job that who is signed in may see."""
    staff = staff_if_signed_in()
    return menu.tabs(_screen(), staff.roles) if staff else Markup("")


def _screen() -> str:
    return (request.endpoint or "").partition(".")[0]


__all__ = ["init_app"]
