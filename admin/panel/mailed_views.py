"""A saved view as the file that is mailed: what its person would export now, with the rights of now (K4)."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import parse_qsl

from flask import Flask
from flask_admin.helpers import set_current_view
from flask_babel import gettext as _
from sqlalchemy import select
from werkzeug.datastructures import MultiDict

from admin.panel import background_tasks, list_exports
from admin.panel.audit import record_reading
from admin.panel.list_query import read_query
from admin.panel.registry import view_of
from models.base import db
from models.engine import set_writing, writing
from models.office import SavedView
from models.people import Staff
from models.property import Estate
from office.core.installation import ListFile

MOST_MAILED = 20_000  # rows of one mail


def maker(app: Flask) -> Callable[[int, int], ListFile | None]:
    """The function that the outbox asks for the file of a saved view."""

    def list_file(view_id: int, staff_id: int) -> ListFile | None:
        with app.app_context(), writing():
            set_writing(False)  # the office goes on writing while the list is read
            try:
                return _made(view_id, staff_id)
            finally:
                db.session.remove()

    return list_file


def _made(view_id: int, staff_id: int) -> ListFile | None:
    row = db.session.get(SavedView, view_id)
    staff = db.session.get(Staff, staff_id)
    if row is None or staff is None or row.staff_id != staff.id or not row.mail_every:
        return None
    if not staff.is_active or not staff.email:
        return None
    code = staff.language or db.session.execute(select(Estate.language)).scalar_one()
    with background_tasks.as_reader(staff.id, code):
        screen = view_of(row.screen)
        if screen is None or not hasattr(screen, "column_names") or not screen.may("export"):
            return None
        set_current_view(screen)
        query = read_query(screen, MultiDict(parse_qsl(row.query)))
        if query.unread:
            told = _("One filter of this saved view can't be read any more: open it and mend the filter.")
            return ListFile(staff.email, problem=told)
        if list_exports.is_long(screen, query, MOST_MAILED):
            most = f"{MOST_MAILED:,}"
            told = _("This saved view holds more than %(most)s rows, too many for a mail.", most=most)
            return ListFile(staff.email, problem=told)
        about = {"format": "xlsx", "mailed_view": row.name, **query.args}
        name, address = row.name, staff.email
        record_reading("export", screen.model.__tablename__, None, about)
        return ListFile(address, f"{name}.xlsx", list_exports.content_of(screen, query, "xlsx"))
