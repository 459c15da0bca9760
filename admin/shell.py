"""Every screen, joined from the rooms in the order of the menu, and what a page is drawn with."""

from __future__ import annotations

import hashlib
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

from babel.support import NullTranslations
from flask import Flask, g, redirect, request, url_for
from flask_admin import Admin, AdminIndexView, expose
from flask_babel import get_translations
from jinja2 import FileSystemBytecodeCache
from jinja2.bccache import Bucket
from markupsafe import Markup
from werkzeug.wrappers import Response

from admin.arrears import screens as arrears
from admin.auth import alert_address, guard, sign_in, two_factor  # noqa: F401 -- pages of a person's own
from admin.billing import screens as billing
from admin.complaints import screens as complaints
from admin.estate import screens as estate
from admin.exchange import screens as exchange
from admin.exchange.imports import kind_of_screen
from admin.panel import formats, fragment_cache, labels, language, list_query, permissions, row_access
from admin.panel.idempotency import idempotency_field
from admin.panel.responses import own_address
from admin.panel.row_access import RowAccess
from admin.panel.screen import ROOMS
from admin.panel.signed_in import staff_if_signed_in
from admin.payments import screens as payments
from admin.policies import screens as policies
from admin.reports import screens as reports
from admin.system import screens as system
from admin.vouchers import screens as vouchers

STATIC = Path(__file__).parent / "static"
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
    """`/`: hands on to the start page of the person's role when there is one."""

    @expose("/")
    def index(self) -> Any:
        from flask import current_app

        if "start.index" in current_app.view_functions:
            return redirect(url_for("start.index"))
        return self.render("shell/start.html")


class CompiledTemplates(FileSystemBytecodeCache):
    """Compiled templates on disk, shared by all processes; without room on disk each compiles its own."""

    def dump_bytecode(self, bucket: Bucket) -> None:
        with suppress(OSError):
            super().dump_bytecode(bucket)


def init_app(app: Flask) -> None:
    guard.init_app(app)
    row_access.init_app(app, ROW_ACCESS)
    app.register_blueprint(sign_in.entrance)
    _serve_static(app)
    cache_folder = Path(app.instance_path) / "templates"
    cache_folder.mkdir(parents=True, exist_ok=True)
    app.jinja_env.bytecode_cache = CompiledTemplates(str(cache_folder))
    app.jinja_env.install_gettext_callables(  # type: ignore[attr-defined]  # set by its extension
        _words, _plural_words, newstyle=True
    )
    app.jinja_env.add_extension(fragment_cache.FragmentCache)
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.jinja_env.globals.update(
        icon=icon,
        here=fragment_cache.here,
        own_address=own_address,
        static_url=static_url,
        sidebar=sidebar,
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
    for screen in SCREENS:
        panel.add_view(screen())


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


def icon(name: str) -> Markup:
    """A vendored icon; decorative, so hidden from screen readers."""
    return Markup('<svg class="icon" aria-hidden="true"><use href="{}#{}"></use></svg>').format(
        static_url("icons.svg"), name
    )


def sidebar() -> Markup:
    """The menu of this person; rendered once for each language and set of roles."""
    staff = staff_if_signed_in()
    if staff is None:
        return Markup("")
    drawn = _drawn_sidebar(language.current(), staff.roles)
    here = (request.endpoint or "").partition(".")[0]
    return Markup(drawn.replace(f'data-screen="{here}"', f'data-screen="{here}" aria-current="page"', 1))  # noqa: S704 -- our own markup


@cache
def _drawn_sidebar(_language: str, roles: frozenset[str]) -> str:
    from flask import current_app

    views = current_app.extensions["admin"][0]._views  # noqa: SLF001 -- Flask-Admin offers no list
    parts: list[Markup] = []
    for room, (label, symbol) in ROOMS.items():
        lines = [
            Markup('<li><a href="{}" data-screen="{}">{}<span>{}</span></a></li>').format(
                url_for(f"{view.screen}.{view._default_view}"),  # noqa: SLF001 -- the "/" function's name
                view.screen,
                icon(view.icon),
                view.title,
            )
            for view in views
            if getattr(view, "room", "") == room
            and view.is_visible()
            and permissions.may(roles, view.screen, "see")
        ]
        if lines:
            parts.append(
                Markup(
                    '<details class="room" data-room="{}" open><summary>{}<span>{}</span></summary>'
                    "<ul>{}</ul></details>"
                ).format(room, icon(symbol), label, Markup("").join(lines))
            )
    return str(Markup("").join(parts))


def static_url(path: str) -> str:
    """The address of a static file, with a mark that changes when the file does."""
    return f"/static/{path}?v={_mark(path)}"


@cache
def _mark(path: str) -> str:
    return hashlib.sha256((STATIC / path).read_bytes()).hexdigest()[:10]


def _serve_static(app: Flask) -> None:
    def static(filename: str) -> Response:
        from flask import send_from_directory

        return send_from_directory(STATIC, filename)

    app.add_url_rule("/static/<path:filename>", "static", static)


__all__ = ["init_app"]
