"""The template tag `{% cache "header", staff.name %} … {% endcache %}`: cached fragments of pages (goal S5).

The key of a fragment is what stands after `cache`, with the reader's language, theme and roles. A fragment is
never invalidated: when something in the key changes, another fragment is rendered. So everything inside that
comes from the database or the request must stand in the key. The exceptions are `csrf_field()`,
`csrf_token()` and `here()`: they are cached as placeholders, and each request fills in its own values.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Hashable

from flask import g
from jinja2 import Environment, nodes
from jinja2.ext import Extension
from jinja2.parser import Parser
from markupsafe import Markup, escape

from admin.panel import csrf, language
from admin.panel.responses import own_address
from admin.panel.signed_in import staff_if_signed_in

MOST_FRAGMENTS = 2000  # of a few kilobytes each; the older half is dropped when there are more
TOKEN, HERE = (f"placeholder-{secrets.token_hex(16)}" for _ in range(2))  # nobody can guess these


class FragmentCache(Extension):
    """The tag; each application has its own fragments."""

    tags = {"cache"}

    def __init__(self, environment: Environment) -> None:
        super().__init__(environment)
        self.fragments: dict[Hashable, str] = {}

    def parse(self, parser: Parser) -> nodes.Node:
        line = next(parser.stream).lineno
        key = parser.parse_tuple()
        body = parser.parse_statements(("name:endcache",), drop_needle=True)
        return nodes.CallBlock(self.call_method("render", [key]), [], [], body).set_lineno(line)

    def render(self, key: Hashable, caller: Callable[[], str]) -> Markup:
        """The fragment with this request's values; rendered now if it isn't cached yet."""
        full_key = (key, reader())
        fragment = self.fragments.get(full_key)
        if fragment is None:
            fragment = self.fragments[full_key] = self._with_placeholders(caller)
            for old in (
                list(self.fragments)[: MOST_FRAGMENTS // 2] if len(self.fragments) > MOST_FRAGMENTS else ()
            ):
                self.fragments.pop(old, None)
        if g.get("is_inside_fragment"):  # the outer fragment is cached with its placeholders
            return Markup(fragment)  # noqa: S704 -- a template escaped it
        return filled(fragment)

    def _with_placeholders(self, caller: Callable[[], str]) -> str:
        was_inside = g.get("is_inside_fragment", False)
        g.is_inside_fragment = True
        try:
            return str(caller()).replace(csrf.csrf_token(), TOKEN)
        finally:
            g.is_inside_fragment = was_inside


def reader() -> tuple[Hashable, ...]:
    """What every fragment may depend on: language, theme and roles; determined once a request."""
    if "fragment_reader" not in g:
        staff = staff_if_signed_in()
        g.fragment_reader = (language.current(), *((staff.theme, staff.roles) if staff is not None else ()))
    known: tuple[Hashable, ...] = g.fragment_reader
    return known


def filled(fragment: str) -> Markup:
    """The fragment with the request's own values in place of the placeholders."""
    if TOKEN in fragment:
        fragment = fragment.replace(TOKEN, csrf.csrf_token())
    if HERE in fragment:
        fragment = fragment.replace(HERE, str(escape(own_address())))
    return Markup(fragment)  # noqa: S704 -- rendered by a template, which escaped it


def here() -> str:
    """The request's own address, for a hidden field inside a cached fragment."""
    return HERE
