"""What every screen has, with a table or without: its name, its permissions, the time."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from flask import abort, request
from flask_admin import BaseView

from admin.panel import office_time, wording
from admin.panel.permissions import may
from admin.panel.responses import safe_target
from admin.panel.signed_in import staff_if_signed_in
from models.base import db


class Screen(BaseView):
    """A screen of the office, with or without a table; its place in the menu stands in admin/menu.py."""

    screen = ""  # its address, its endpoint and its row in admin/panel/permissions.py
    title: Any = ""
    icon = "file"  # a symbol of static/icons.svg
    verbs: Mapping[str, str] = {}  # its view functions → see, create, edit, delete, act or export
    _verbs: Mapping[str, str] = {}  # the same for the functions of the toolkit

    def is_accessible(self) -> bool:
        """Whether the signed-in person may do what this request's view function does."""
        return self.may(self.verb_of((request.endpoint or "").rpartition(".")[2]))

    def verb_of(self, function: str) -> str:
        """The verb that a view function needs; without one in `verbs`, a GET sees and a POST acts."""
        default = "see" if request.method in {"GET", "HEAD"} else "act"
        return self.verbs.get(function) or self._verbs.get(function) or default

    def action_label(self, code: str) -> Any:
        """What an audit row's action is called."""
        return wording.action(code)

    def may(self, verb: str) -> bool:
        staff = staff_if_signed_in()
        return staff is not None and may(staff.roles, self.screen, verb)

    def now(self) -> datetime:
        """The office's present instant."""
        return office_time.present()[0]

    def today(self) -> date:
        """The day of office time."""
        return self.now().astimezone(office_time.zone()).date()

    @property
    def dialect(self) -> str:
        return db.engine.dialect.name

    def inaccessible_callback(self, name: str, **_kwargs: Any) -> Any:  # noqa: ARG002 -- Flask-Admin's signature
        return abort(403)

    def return_url(self, default: str | None = None) -> str:
        """Where the reader came from if that is on this site, else `default`, else the list."""
        return safe_target(request.values.get("url")) or default or self.get_url(f"{self.screen}.index_view")


class OfficePage(Screen):
    """A hand-made page: set screen, title, icon, and an `@expose("/")` method named `index`."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(name=self.title, endpoint=self.screen, **kwargs)
