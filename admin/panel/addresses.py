"""Addresses with a query string, safe to build from what a request sent."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from flask import url_for


def address_with(endpoint: str, query: Mapping[str, object], **path: Any) -> str:
    """The address of an endpoint with `query` after it; None and empty values are left out.

    Never pass names from a request to `url_for` as keywords: `_external`, `_scheme` and `_anchor` are options
    of it, and a name of its parameters is an error. Here each name stays a name in the query string.
    `path` are the variable parts of the endpoint's rule.
    """
    plain = url_for(endpoint, **path)
    written = urlencode({name: value for name, value in query.items() if value not in (None, "")})
    return f"{plain}?{written}" if written else plain
