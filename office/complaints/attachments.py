"""Files attached to a ticket or a visit: type known by content, limited in size, randomly named (T1, V2)."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models.complaints import Attachment
from office.core import audit
from office.core.errors import N_, Refused

MAX_BYTES = 10 * 1024 * 1024
MAX_FILES = 20  # of one ticket or visit
# how the content of each accepted type begins; the name of a file says nothing
SIGNATURES: tuple[tuple[str, int, bytes], ...] = (
    ("image/png", 0, b"\x89PNG\r\n\x1a\n"),
    ("image/jpeg", 0, b"\xff\xd8\xff"),
    ("image/gif", 0, b"GIF8"),
    ("image/webp", 8, b"WEBP"),
    ("application/pdf", 0, b"%PDF-"),
    ("audio/mpeg", 0, b"ID3"),
    ("audio/mpeg", 0, b"\xff\xfb"),
    ("audio/wav", 8, b"WAVE"),
    ("audio/ogg", 0, b"OggS"),
    ("audio/webm", 0, b"\x1a\x45\xdf\xa3"),
    ("video/mp4", 4, b"ftyp"),
)


def media_type(content: bytes) -> str | None:
    """The media type of a file by its first bytes; None for types that are not accepted."""
    for kind, at, mark in SIGNATURES:
        if content[at : at + len(mark)] == mark:
            return kind
    return None


def attach(
    session: Session,
    *,
    file_name: str,
    content: bytes,
    now: datetime,
    staff_id: int | None = None,
    ticket_id: int | None = None,
    visit_id: int | None = None,
) -> Attachment:
    """Attach a file to a ticket or a visit. Raises Refused for other types, too large or too many files."""
    if not content:
        raise Refused(N_("The file is empty"))
    if len(content) > MAX_BYTES:
        raise Refused(N_("The file is larger than %(size)s MB"), size=MAX_BYTES // 1024 // 1024)
    kind = media_type(content)
    if kind is None:
        raise Refused(N_("Only pictures, PDF, sound and video can be attached"))
    column = Attachment.ticket_id if ticket_id is not None else Attachment.visit_id
    owner = ticket_id if ticket_id is not None else visit_id
    if session.execute(select(func.count()).where(column == owner)).scalar_one() >= MAX_FILES:
        raise Refused(N_("No more than %(count)s files can be attached"), count=MAX_FILES)
    kept = Attachment(
        key=secrets.token_urlsafe(32),
        ticket_id=ticket_id,
        visit_id=visit_id,
        file_name=file_name.replace("\\", "/").rpartition("/")[2][-200:] or "file",
        media_type=kind,
        content=content,
        added_at=now,
        staff_id=staff_id,
    )
    session.add(kept)
    session.flush()
    audit.record(session, now, staff_id, "attach", kept, {"file_name": kept.file_name})
    return kept


def of_ticket(session: Session, ticket_id: int) -> Sequence[Attachment]:
    """The files of a ticket without their content, oldest first."""
    query = select(Attachment).where(Attachment.ticket_id == ticket_id).order_by(Attachment.id)
    return session.execute(query).scalars().all()


def of_visit(session: Session, visit_id: int) -> Sequence[Attachment]:
    """The files of a visit without their content, oldest first (V2)."""
    query = select(Attachment).where(Attachment.visit_id == visit_id).order_by(Attachment.id)
    return session.execute(query).scalars().all()


def by_key(session: Session, key: str) -> Attachment | None:
    """A file by its random name."""
    return session.execute(select(Attachment).where(Attachment.key == key)).scalar_one_or_none()
