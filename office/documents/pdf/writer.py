"""Writes documents into one PDF file.

Each page goes to the file as it is finished, so that a batch of thousands needs the memory of one page (S13).
"""

from __future__ import annotations

import os
import tempfile
from base64 import b64decode
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from io import BytesIO
from pathlib import Path
from typing import IO, Any
from zoneinfo import ZoneInfo

import segno
from reportlab.lib.utils import ImageReader, TimeStamp
from reportlab.pdfbase import pdfdoc
from reportlab.pdfgen.canvas import Canvas

from office.documents.pdf.document import SIZES, Document, Mark, Progress, lay_out
from office.documents.pdf.font import FONT_NAME, face, printable, width
from office.documents.pdf.layout import FORMATS, Page
from office.documents.pdf.wording import words_of

_GREY = 0.38
_FILL = 0.93
_RULE = 0.62
_MARK = 0.92


@dataclass(frozen=True)
class PrintResult:
    """How much was printed; `unprintable` names, per document, the characters that are shown as 〓."""

    documents: int
    pages: int
    unprintable: Sequence[tuple[str, str]] = ()


def pdf_bytes(documents: Iterable[Document], *, printed_at: datetime) -> bytes:
    """The documents as one PDF. For a batch use `write_documents` with a path (procedures §10)."""
    target = BytesIO()
    write_documents(documents, target, printed_at=printed_at)
    return target.getvalue()


def write_documents(
    documents: Iterable[Document],
    target: Path | IO[bytes],
    *,
    printed_at: datetime,
    progress: Progress | None = None,
) -> PrintResult:
    """Write the documents, in order, as one PDF; returns how many there were and what could not be printed.

    `documents` may be a generator: it is drawn from one by one. A path appears only when the file is whole.
    `printed_at` is an aware instant. Raises what the generator raises, leaving no file.
    """
    if not isinstance(target, Path):
        return _print(documents, target, printed_at, progress)
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.", suffix=".part")
    try:
        with os.fdopen(handle, "wb") as file:
            printed = _print(documents, file, printed_at, progress)
        Path(name).replace(target)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    return printed


def _print(
    documents: Iterable[Document], file: IO[bytes], printed_at: datetime, progress: Progress | None
) -> PrintResult:
    canvas: _PdfCanvas | None = None
    done, pages = 0, 0
    missing: list[tuple[str, str]] = []
    for document in documents:
        canvas = canvas or _PdfCanvas(file, document, document.printed_at or printed_at)
        layout = lay_out(document, printed_at)
        if layout.missing:
            named = " ".join(part for part in (document.number or document.title, document.payer) if part)
            missing.append((named, "".join(sorted(layout.missing))))
        sheet_size, type_size = SIZES[document.size]
        form = FORMATS[document.form].times(sheet_size)
        canvas.setPageSize((form.width, form.height))
        for page in layout.pages:
            canvas.print_page(page, document.mark, document.language, type_size)
        done, pages = done + 1, pages + len(layout.pages)
        if progress:
            progress(done, pages)
    if canvas is None:
        raise ValueError("no documents to print")
    canvas.save()
    return PrintResult(done, pages, tuple(missing))


class _PdfCanvas(Canvas):  # type: ignore[misc]  # reportlab has no types
    """A canvas whose document streams to the file; draws the pages that `lay_out` made."""

    def __init__(self, file: IO[bytes], first: Document, printed_at: datetime) -> None:
        face()  # registers the font
        super().__init__(file, pageCompression=1, initialFontName=FONT_NAME)
        language = first.language.replace("_", "-")
        self._doc = _StreamedDocument(file, compression=1, lang=language)
        self._doc.stamp(printed_at.astimezone(ZoneInfo(first.time_zone)))
        self.setTitle(printable(f"{first.title} {first.number}".strip()))
        self.setAuthor(printable(first.head.name))
        self.setSubject(first.kind)
        self.setCreator("Gatehouse")

    def print_page(self, page: Page, mark: Mark, language: str, size: float) -> None:
        if mark:
            self._print_mark(words_of(language)[f"mark_{mark}"])
        code = self._code
        if size != 1:
            code.append(f"{size:.4f} 0 0 {size:.4f} 0 0 cm")
        for grey, boxes in ((_FILL, page.fills), (_GREY, page.bars)):
            if boxes:
                code.append(f"q {grey} g")
                code.extend(f"{x:.2f} {y:.2f} {w:.2f} {h:.2f} re" for x, y, w, h in boxes)
                code.append("f Q")
        code.append(f"q {_RULE} G .5 w")
        code.extend(f"{x:.2f} {y:.2f} m {to_x:.2f} {to_y:.2f} l" for x, y, to_x, to_y in page.lines)
        code.append("S Q")
        for x, y, side, text in page.codes:
            count, cells = _qr(text)
            scale = side / count
            code.append(f"q {scale:.4f} 0 0 {scale:.4f} {x:.2f} {y:.2f} cm {cells} f Q")
        for x, y, side, picture in page.pictures:
            self.drawImage(_picture(picture), x, y, side, side)
        self._print_texts(page)
        self.showPage()

    def _print_texts(self, page: Page) -> None:
        text = self.beginText()
        self._code.append(".25 w")
        now_size, now_ink = 0.0, "plain"
        for x, y, size, ink, line in page.texts:
            if ink != now_ink:
                text.setTextRenderMode(2 if ink == "bold" else 0)
                text.setFillGray(_GREY if ink == "faint" else 0)
                now_ink = ink
            if size != now_size:
                text.setFont(FONT_NAME, size)
                now_size = size
            text.setTextOrigin(x, y)
            text.textLine(line)
        text.setTextRenderMode(0)
        self.drawText(text)

    def _print_mark(self, word: str) -> None:
        wide, high = self._pagesize
        size = min(wide, high) / (3 if len(word) < 3 else 4.5)
        self.saveState()
        self.translate(wide / 2, high / 2)
        self.rotate(35)
        self.setFillGray(_MARK)
        self.setFont(FONT_NAME, size)
        self.drawString(-width(word, size) / 2, -size * 0.35, word)
        self.restoreState()


@lru_cache(maxsize=8)
def _picture(base64: str) -> ImageReader:
    """A picture to draw; the same one is written into a file once."""
    return ImageReader(BytesIO(b64decode(base64)))


@lru_cache(maxsize=64)
def _qr(text: str) -> tuple[int, str]:
    """The QR code as (cells a side, path of the dark ones in units of a cell)."""
    # a fixed mask is as readable and saves judging all eight
    whole = text.encode("utf-8", "replace").decode()  # half a character can't be encoded
    code = segno.make_qr(whole, error="m", mask=2, boost_error=False, encoding="utf-8")
    rows = [bytes(row) for row in code.matrix]
    count = len(rows)
    cells = []
    for number, row in enumerate(rows):
        at = row.find(1)
        while at >= 0:
            end = row.find(0, at)
            end = count if end < 0 else end
            cells.append(f"{at} {count - 1 - number} {end - at} 1 re")
            at = row.find(1, end)
    return count, " ".join(cells)


class _StreamedDocument(pdfdoc.PDFDocument):  # type: ignore[misc]  # reportlab has no types
    """A PDF document that writes each page at once; reportlab's own keeps all of them, uncompressed."""

    def __init__(self, file: IO[bytes], **settings: Any) -> None:
        super().__init__(invariant=1, **settings)
        self._sink = _Sink(file, self._pdfVersion)

    def stamp(self, at: datetime) -> None:
        """The date of the file is the time of printing, not a reading of the system clock."""
        stamp = TimeStamp(invariant=1)
        stamp.YMDhms = at.timetuple()[:6]
        offset = at.utcoffset()
        minutes = int(offset.total_seconds()) // 60 if offset else 0
        stamp.dhh, stamp.dmm = divmod(minutes, 60)
        self._timeStamp = stamp

    def addPage(self, page: Any) -> None:  # noqa: N802 -- reportlab's name
        name = self.thisPageName()
        self.updateSignature(page.stream[:512])
        # compressed only: reportlab adds base 85, a third of the time and a fifth of the file
        page.Contents = pdfdoc.PDFStream(content=page.stream, filters=[pdfdoc.PDFZCompress])
        page.check_format(self)
        contents = self.Reference(page.Contents)
        self.Reference(page, name)
        self._write(contents.name)
        self._write(name)
        self.Pages.addPage(pdfdoc.PDFObjectReference(name))
        self.pageCounter += 1
        self.inObject = None

    def _write(self, name: str) -> None:
        written = pdfdoc.PDFIndirectObject(name, self.idToObject[name]).format(self)
        self.idToOffset[name] = self._sink.add(written)
        self.idToObject[name] = None

    def SaveToFile(self, filename: Any, canvas: Any) -> None:  # noqa: N802, ARG002 -- reportlab's name
        self.GetPDFData(canvas)

    def format(self) -> bytes:
        """Writes what is not yet in the file, the table of places and the end."""
        self.Reference(self.Catalog)
        self.Reference(self.info)
        number = 1
        while number in self.numberToId:  # formatting one object may add others
            name = self.numberToId[number]
            if name not in self.idToOffset:
                self._write(name)
            number += 1
        table = pdfdoc.PDFCrossReferenceTable()
        table.addsection(0, [self.numberToId[n] for n in range(1, number)])
        start = self._sink.add(table.format(self))
        trailer = pdfdoc.PDFTrailer(
            startxref=start,
            Size=number,
            Root=self.Reference(self.Catalog),
            Info=self.Reference(self.info),
            ID=self.ID(),
        )
        self._sink.add(trailer.format(self))
        return b""


class _Sink(pdfdoc.PDFFile):  # type: ignore[misc]  # reportlab has no types
    """Counts offsets like reportlab's collector, but writes to the file instead of keeping."""

    def __init__(self, file: IO[bytes], version: Any) -> None:
        super().__init__(version)
        for chunk in self.strings:
            file.write(chunk)
        self.strings.clear()
        self.write = file.write
