"""The HTML part of an e-mail, made of its text: paragraphs, lists of sums, links (D9).

Tables and inline styles only, as mail programs need it; nothing is loaded from elsewhere, and all text is
escaped by `Markup.format`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from markupsafe import Markup

_FONT = "font-family:'PingFang SC','Microsoft YaHei','PingFang TC','Microsoft JhengHei',Arial,sans-serif"
_PAGE = Markup(
    '<!DOCTYPE html>\n<html lang="{language}"><head><meta charset="utf-8">'
    '<meta name="viewport" content="width=device-width,initial-scale=1"><title>{subject}</title></head>\n'
    '<body style="margin:0;padding:0;background:#f2f3f5">'
    '<table role="presentation" width="100%" cellpadding="0" cellspacing="0" border="0" bgcolor="#f2f3f5">'
    '<tr><td align="center" style="padding:20px 10px">\n'
    '<table role="presentation" width="{width}" cellpadding="0" cellspacing="0" border="0" bgcolor="#ffffff" '
    'style="width:100%;max-width:{limit};border:1px solid #d5d8dd">\n'
    '<tr><td style="padding:14px 24px;border-bottom:2px solid #333333;{font};font-size:16px;font-weight:bold;'
    'color:#222222">{sender}</td></tr>\n'
    '<tr><td style="padding:18px 24px;{font};font-size:15px;line-height:1.6;color:#222222">\n'
    "{content}\n</td></tr></table></td></tr></table></body></html>\n"
)
_PARAGRAPH = Markup('<p style="margin:0 0 14px">{}</p>')
_LIST = Markup(
    '<table cellpadding="0" cellspacing="0" border="0" width="100%" '
    'style="margin:0 0 14px;border-collapse:collapse">{}</table>'
)
_CELL = Markup(
    '<td align="{}" style="padding:6px 8px;border-bottom:1px solid #d5d8dd;{font};font-size:14px">{}</td>'
)
_FIXED = Markup(
    "<pre style=\"margin:0;font-family:'Sarasa Mono SC','Noto Sans Mono CJK SC',NSimSun,MingLiU,monospace;"
    'font-size:13px;line-height:1.45">{}</pre>'
)
_LINK = re.compile(r"https?://[^\s<>\"'，。；、）]+")


def page(subject: str, body: str, *, sender: str, language: str, is_fixed: bool = False) -> str:
    """The body as a page; `is_fixed`: its columns stand under each other only in a face of one width."""
    content = _FIXED.format(body) if is_fixed else Markup("\n").join(_parts(body))
    return str(
        _PAGE.format(
            language=language.replace("_", "-"),
            subject=subject,
            sender=sender,
            content=content,
            width="100%" if is_fixed else "600",
            limit="none" if is_fixed else "600px",
            font=Markup(_FONT),  # noqa: S704 -- ours
        )
    )


def _parts(body: str) -> Iterable[Markup]:
    for block in re.split(r"\n{2,}", body.strip()):
        lines = block.split("\n")
        rows = [line.split("  ") for line in lines]
        if len(rows[0]) >= 3 and all(len(row) == len(rows[0]) for row in rows):
            yield _LIST.format(Markup("").join(map(_row, rows)))
        else:
            yield _PARAGRAPH.format(Markup("<br>\n").join(map(_linked, lines)))


def _row(cells: list[str]) -> Markup:
    last = len(cells) - 1
    drawn = (
        _CELL.format("right" if number == last else "left", cell, font=Markup(_FONT))  # noqa: S704 -- ours
        for number, cell in enumerate(cells)
    )
    return Markup("<tr>{}</tr>").format(Markup("").join(drawn))


def _linked(line: str) -> Markup:
    """The line with its addresses as links."""
    made, end = Markup(), 0
    for found in _LINK.finditer(line):
        made += line[end : found.start()]
        made += Markup('<a href="{0}" style="color:#1a56a0">{0}</a>').format(found.group())
        end = found.end()
    return made + line[end:]
