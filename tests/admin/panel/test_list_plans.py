"""Each large list, and each of its views one click away, is served by an index on both databases (S1, S2)."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import Connection, text

from models import db, engine
from tests.admin.conftest import TRIALS, Web
from tests.admin.panel import plans

# why these may sort or walk: what they read is few, or most of it is wanted
SPARED = {
    ("units", "mine"): "the units of a steward's buildings",
    ("payments", "today"): "one day's receipts",
    ("payments", "credit"): "receipts with unused credit, by payment_credit_idx",
    ("reminders", "left_out"): "most rows of a day: each account not acted on has one",
    ("tickets", "mine"): "one handler's tickets",
    ("tickets", "valid"): "all but the few invalid ones",
    ("tickets", "review"): "followed up and waiting for a meeting",
    ("escalations", "open"): "escalations of open tickets",
}


def large_views(web: Web) -> list[Any]:
    trials = {trial.screen for trial in TRIALS}
    views = web.office.app.extensions["admin"][0]._views
    return [view for view in views if getattr(view, "is_large", False) and view.screen not in trials]


def walk(web: Web, connection: Connection, only: str = "") -> dict[tuple[str, str], list[str]]:
    """(screen, view) → the troubles of every statement that its page sends."""
    views = large_views(web)
    large = frozenset(view.model.__tablename__ for view in views)
    found = {}
    for view in views:
        for code in ("", *(each.code for each in view.one_click)):
            if only and (view.screen, code) != tuple(only.split("/")):
                continue
            with plans.overheard(db.engine) as heard:
                assert web.get(f"/{view.screen}/?view={code}").status_code == 200
            found[view.screen, code] = [
                trouble
                for asked in heard
                for trouble in plans.troubles(connection, asked, large, is_narrowed=bool(code))
            ]
    return found


@pytest.fixture
def large(web: Web) -> Any:
    """A connection to an office whose tables the planner takes for large."""
    with web.office.app.app_context():
        with engine.writing(), db.engine.connect() as connection:
            plans.pretend_large(connection)
        db.session.remove()
        db.engine.dispose()  # the statistics are read when a connection opens
        with db.engine.connect() as connection:
            if connection.dialect.name != "sqlite":
                plans.pretend_large(connection)
            yield connection


def test_no_large_list_reads_or_sorts_a_whole_table(web: Web, large: Connection) -> None:
    found = walk(web, large)

    assert len(found) > 40
    wrong = {place: troubles for place, troubles in found.items() if troubles and place not in SPARED}
    assert not wrong


@pytest.mark.parametrize(
    ("index", "place"),
    [
        ("ticket_open_list_idx", "tickets/open"),
        ("invoice_issued_idx", "invoices/"),
        ("message_unsent_idx", "outbox/dead"),
    ],
)
def test_without_its_index_a_list_is_found_out(web: Web, large: Connection, index: str, place: str) -> None:
    """The control: what the walk above would say if an index were forgotten."""
    large.rollback()
    with engine.writing():
        large.execute(text(f"DROP INDEX {index}"))
        large.commit()

    found = walk(web, large, only=place)

    assert all(found.values())
