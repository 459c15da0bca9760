"""Names in a query string never become options of `url_for`: no link leads elsewhere (F9)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import pytest
from flask import url_for

from admin.panel import addresses, list_page, registry
from tests.admin.conftest import Web

OPTIONS = "_external=1&_scheme=javascript&_anchor=odd&_method=POST&endpoint=odd&export_type=odd&filename=odd"
LINK = re.compile(r'(?:href|action|formaction)="([^"]*)"')


def odd_links(web: Web, address: str, query: str = OPTIONS) -> list[str]:
    """The links of a page that leave the site or have an anchor that nobody wrote."""
    answer = web.get(f"{address}?{query}")
    assert answer.status_code == 200, address
    return [
        link
        for link in LINK.findall(answer.text)
        if not re.match(r"/(?!/)|#|\?", link) or link.endswith("#odd")
    ]


def lists_of(web: Web) -> list[str]:
    """The address of each list of the program."""
    with web.office.app.test_request_context():
        return [
            url_for(f"{each.screen}.index_view") for each in registry.views() if hasattr(each, "column_names")
        ]


def test_every_list_keeps_its_links(web: Web) -> None:
    pages = lists_of(web)

    assert len(pages) > 50
    assert {page: found for page in pages if (found := odd_links(web, page))} == {}


@pytest.mark.parametrize("page", ["/reports/", "/complaint_reports/"])
def test_reports_keep_their_links(web: Web, page: str) -> None:
    assert odd_links(web, page) == []


def test_an_export_keeps_the_filter(web: Web) -> None:
    page = web.get("/trial_units/?kind=residence&_scheme=javascript").text

    assert "/trial_units/export/csv/?kind=residence&amp;_scheme=javascript" in page


def test_control_names_given_to_url_for_lead_elsewhere(web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    def by_keyword(endpoint: str, query: Mapping[str, Any], **path: Any) -> str:
        return url_for(endpoint, **path, **query)

    monkeypatch.setattr(list_page, "address_with", by_keyword)

    odd = odd_links(web, "/trial_units/", "_external=1")

    assert any(link.startswith("http://localhost/trial_units/export/csv/") for link in odd)


@pytest.mark.parametrize(
    ("query", "shown"),
    [({"a": "1", "b": "", "c": None, "d": 2}, "/trial_units/?a=1&d=2"), ({}, "/trial_units/")],
)
def test_empty_values_are_left_out(web: Web, query: Mapping[str, object], shown: str) -> None:
    with web.office.app.test_request_context():
        assert addresses.address_with("trial_units.index_view", query) == shown
