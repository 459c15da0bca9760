"""What stands in a PDF, read by another author's library."""

from __future__ import annotations

from io import BytesIO

from pypdf import PdfReader


def read_pdf(data: bytes) -> PdfReader:
    return PdfReader(BytesIO(data), strict=True)


def text_of(data: bytes) -> str:
    """All text of the PDF without white space, as wrapping may stand anywhere."""
    return "".join("".join(page.extract_text().split()) for page in read_pdf(data).pages)


def bare(text: str) -> str:
    return "".join(text.split())
