"""Responses that several screens give: a PDF, and a redirect that stays on this site."""

from __future__ import annotations

from urllib.parse import urlsplit

from flask import Response, request

from office.documents.pdf.document import Size


def pdf_response(content: bytes, name: str) -> Response:
    """A PDF that the browser shows; `name` is what it is saved as."""
    return Response(
        content, mimetype="application/pdf", headers={"Content-Disposition": f'inline; filename="{name}"'}
    )


def paper_size(chosen: str) -> Size:
    """The size of a notice that was chosen among PAPER_SIZES; the usual one for anything else."""
    sizes: dict[str, Size] = {"large": "large", "a3": "a3"}
    return sizes.get(chosen, "")


def own_address() -> str:
    """The path of this request with its query."""
    return request.full_path if request.query_string else request.path


def came_from() -> str | None:
    """The page on this site that this request came from, as its browser says."""
    page = urlsplit(request.referrer or "")
    path = f"{page.path}?{page.query}" if page.query else page.path
    return safe_target(path) if page.netloc == request.host else None


def safe_target(target: str | None) -> str | None:
    """A path on this site, or None for anything that could lead elsewhere."""
    if not target or not target.startswith("/") or target.startswith(("//", "/\\")):
        return None
    if any(ord(letter) < 33 or letter == "\\" for letter in target):
        return None
    return target
