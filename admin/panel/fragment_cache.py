"""Parts of a page that are drawn once and kept: `{% kept "header", staff.name %} … {% endkept %}` (goal S5).

A part is found again by everything it was drawn from: its name, the reader's language, theme and roles, and
whatever else stands after `kept`. So nothing kept can be out of date: what changed makes another part. What
is each request's own may stand inside as `csrf_field()`, `csrf_token()` and `here()`: holes are kept in its
place. Nothing else that comes from the database or the request may stand inside but not after `kept`.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Hashable

from flask import g, request
from jinja2 import Environment, nodes
from jinja2.ext import Extension
from jinja2.parser import Parser
from markupsafe import Markup, escape

from admin.panel import csrf, language

MOST = 2000  # parts, of a few kilobytes each; the older half goes when there are more
TOKEN, HERE = (f"hole-{secrets.token_hex(16)}" for _ in range(2))  # nobody can write these


class Kept(Extension):
    """The tag; its parts are kept per application."""

    tags = {"kept"}

    def __init__(self, environment: Environment) -> None:
        super().__init__(environment)
        self.parts: dict[Hashable, str] = {}

    def parse(self, parser: Parser) -> nodes.Node:
        line = next(parser.stream).lineno
        drawn_from = parser.parse_tuple()
        body = parser.parse_statements(("name:endkept",), drop_needle=True)
        return nodes.CallBlock(self.call_method("draw", [drawn_from]), [], [], body).set_lineno(line)

    def draw(self, drawn_from: Hashable, caller: Callable[[], str]) -> Markup:
        """The part with this request's own values in its holes, drawn now if it is not kept yet."""
        key = (drawn_from, reader())
        part = self.parts.get(key)
        if part is None:
            part = self.parts[key] = self._drawn(caller)
            for old in list(self.parts)[: MOST // 2] if len(self.parts) > MOST else ():
                self.parts.pop(old, None)
        return Markup(part) if g.get("is_keeping") else filled(part)  # noqa: S704 -- a template escaped it

    def _drawn(self, caller: Callable[[], str]) -> str:
        """What stands in the tag, with holes; parts inside it keep their holes too."""
        was_keeping = g.get("is_keeping", False)
        g.is_keeping = True
        try:
            return str(caller()).replace(csrf.csrf_token(), TOKEN)
        finally:
            g.is_keeping = was_keeping


def reader() -> tuple[Hashable, ...]:
    """What the look of any part may depend on, asked once a request."""
    if "kept_for" not in g:
        staff = g.get("staff")
        g.kept_for = (language.current(), *((staff.theme, staff.roles) if staff is not None else ()))
    return g.kept_for


def filled(part: str) -> Markup:
    if TOKEN in part:
        part = part.replace(TOKEN, csrf.csrf_token())
    if HERE in part:
        part = part.replace(HERE, str(escape(request.full_path.rstrip("?"))))
    return Markup(part)  # noqa: S704 -- drawn by a template, which escaped it


def here() -> str:
    """The own address, for a hidden field inside a kept part."""
    return HERE
