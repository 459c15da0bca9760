"""The company's own codes to pay by (收款码): pictures that are checked, made small and kept (D8)."""

from __future__ import annotations

from base64 import b64encode
from io import BytesIO

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from models.property import CODES_TO_PAY, CollectionCode
from office.core.errors import N_, Refused
from office.documents.pdf.values import CodeToPay

MAX_BYTES = 2 * 1024 * 1024
SMALLEST, LARGEST = 120, 6000  # pixels a side
SIDE = 480  # pixels of the square that is kept
COLOURS = 64


def kept(session: Session) -> list[CodeToPay]:
    """The codes there are, in the order in which papers show them."""
    rows = session.execute(select(CollectionCode.way, CollectionCode.picture).order_by(CollectionCode.id))
    return [CodeToPay(way, b64encode(picture).decode()) for way, picture in rows]


def keep(session: Session, way: str, content: bytes) -> CollectionCode:
    """Keep a picture for a way to pay, in place of the one there. Raises Refused."""
    _check_way(way)
    picture = normalised(content)
    row = session.execute(select(CollectionCode).where(CollectionCode.way == way)).scalar_one_or_none()
    if row is None:
        row = CollectionCode(way=way)
        session.add(row)
    row.picture = picture
    session.flush()
    return row


def remove(session: Session, way: str) -> None:
    """Take a way's code off the papers to come; those in the file keep theirs. Raises Refused."""
    _check_way(way)
    session.execute(delete(CollectionCode).where(CollectionCode.way == way))


def _check_way(way: str) -> None:
    if way not in CODES_TO_PAY:
        raise Refused(N_("Please choose what the code is for"))


def _check_size(wide: int, high: int) -> None:
    if min(wide, high) < SMALLEST or max(wide, high) > LARGEST:
        raise Refused(
            N_("A side of the picture must have between %(least)s and %(most)s pixels"),
            least=SMALLEST,
            most=LARGEST,
        )
    if max(wide, high) > 2 * min(wide, high):
        raise Refused(N_("The picture is too long: cut it to the code and its name"))


def normalised(content: bytes) -> bytes:
    """The picture as a square PNG of a known size, without what a camera or program hid in it.

    Raises Refused for what is no PNG or JPEG, too large, too small or too long.
    """
    from PIL import Image, ImageOps, UnidentifiedImageError

    if len(content) > MAX_BYTES:
        raise Refused(N_("The picture is larger than %(size)s MB"), size=MAX_BYTES // 1024 // 1024)
    try:
        with Image.open(BytesIO(content), formats=("PNG", "JPEG")) as opened:
            _check_size(*opened.size)  # before any pixel is read
            plain = ImageOps.exif_transpose(opened).convert("RGBA")
    except (UnidentifiedImageError, Image.DecompressionBombError, OSError, SyntaxError, ValueError) as error:
        raise Refused(N_("This is no PNG or JPEG picture, or it is damaged")) from error
    plain.thumbnail((SIDE, SIDE))
    square = Image.new("RGB", (SIDE, SIDE), "white")
    square.paste(plain, ((SIDE - plain.width) // 2, (SIDE - plain.height) // 2), plain)
    target = BytesIO()
    square.quantize(COLOURS).save(target, "PNG", optimize=True)
    return target.getvalue()
