"""Files of tickets and visits: taken from a form, handed out by their random names (T1, V2)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from flask import Response
from werkzeug.datastructures import FileStorage

from admin.panel.audit import record_reading
from admin.panel.signed_in import staff_id
from models.base import db
from models.complaints import Attachment
from office.complaints import attachments


def chosen_files(files: Iterable[FileStorage | str] | None) -> list[FileStorage]:
    """The files that were chosen in a field; a browser sends an empty one when none was."""
    return [file for file in files or () if isinstance(file, FileStorage) and file.filename]


def attach_uploads(files: Iterable[FileStorage], *, now: datetime, **owner: int) -> None:
    """Attach uploaded files to `ticket_id` or `visit_id`. Raises Refused."""
    for file in files:
        attachments.attach(
            db.session(),
            file_name=file.filename or "",
            content=file.read(attachments.MAX_BYTES + 1),
            now=now,
            staff_id=staff_id(),
            **owner,
        )


def file_answer(file: Attachment, *, is_shown: bool = False) -> Response:
    """A file for download, or shown in the browser; who took it is recorded."""
    record_reading("download", "attachment", file.id, {"file_name": file.file_name})
    answer = Response(file.content, mimetype=file.media_type)
    way = "inline" if is_shown else "attachment"
    answer.headers.set("Content-Disposition", way, filename=file.file_name)
    return answer
