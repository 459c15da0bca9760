"""S15: the start page and each report at a short and at a long history, beside a raw recount of its figures.

    python -m tests.bench.reports [--sizes 10000,1000000] [--url postgresql://…/{size}]
                                  [--folder F] [--times 20]

The estate has 120,000 units in 500 buildings whatever its history (tests/bench/estate.py). Milliseconds are
medians of whole requests in process, in one run; `{size}` in the URL names a database for each size.
"""

from __future__ import annotations

import argparse
import re
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from flask import Flask
from sqlalchemy import text

from models import db, engine
from office.reports import aggregates, catalog
from tests.bench.estate import NOW, PASSWORD, Size, estate

GOAL = 1.3
PAGES = {
    "start page": "/",
    **{code: f"/reports/?report={code}" for code in catalog.COLLECTION},
    "collection, year": "/reports/?period=2026",
    "collection, fee item": "/reports/?fee_item=1",
    **{code: f"/complaint_reports/?report={code}" for code in catalog.COMPLAINT},
    "weekly sheet": "/reports/weekly/",
    "unit grid": "/grid/",
    "household file": "/household/?unit_id=1",
}
RECOUNT = {
    "rates": "SELECT building_id, SUM(billed), SUM(paid), COUNT(*), "
    "SUM(CASE WHEN owed = 0 THEN 1 ELSE 0 END) "
    "FROM (SELECT unit_id, SUM(amount - credited) AS billed, SUM(paid) AS paid, SUM(balance) AS owed "
    "FROM invoice WHERE period = '2026-06' GROUP BY unit_id) p JOIN unit u ON u.id = p.unit_id "
    "GROUP BY building_id",
    "ageing": "SELECT due_on, SUM(balance), COUNT(*), COUNT(DISTINCT unit_id) FROM invoice "
    "WHERE balance > 0 GROUP BY due_on",
}


class Office:
    """An estate of one size, and a signed-in browser on it."""

    def __init__(self, app: Flask) -> None:
        self.app = app
        self.client = app.test_client()
        with app.app_context(), engine.writing():
            began = time.perf_counter()
            aggregates.store(db.session(), NOW)
            db.session.commit()
            self.stored = (time.perf_counter() - began) * 1000
        token = re.search(r'name="csrf_token" value="([^"]+)"', self.client.get("/login").text)
        assert token
        fields = {"csrf_token": token[1], "login": "admin", "password": PASSWORD}
        self.client.post("/login", data=fields)

    def page(self, name: str) -> None:
        answer = self.client.get(PAGES[name], follow_redirects=True)
        assert answer.status_code == 200, (name, answer.status_code)

    def recount(self, name: str) -> None:
        with self.app.app_context():
            db.session.execute(text(RECOUNT[name])).all()


def medians(offices: list[Office], work: Callable[[Office, str], None], name: str, times: int) -> list[float]:
    """Milliseconds by office; they take turns, so that a busy moment of the machine meets all of them."""
    taken: list[list[float]] = [[] for _ in offices]
    for _ in range(times + 1):
        for place, office in enumerate(offices):
            began = time.perf_counter()
            work(office, name)
            taken[place].append((time.perf_counter() - began) * 1000)
    return [statistics.median(each[1:]) for each in taken]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--sizes", default="10000,1000000")
    parser.add_argument("--url", default="")
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--times", type=int, default=20)
    options = parser.parse_args()
    sizes = [int(size) for size in options.sizes.split(",")]
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.folder or Path(temporary)
        offices = [
            Office(estate(folder / str(size), options.url.format(size=size), Size(invoices=size)))
            for size in sizes
        ]
        print(f"{'ms':28}" + "".join(f"{size:>14,}" for size in sizes) + f"{'last / first':>16}  goal {GOAL}")
        show("stale figures stored, once", [office.stored for office in offices])
        for name in PAGES:
            show(name, medians(offices, Office.page, name, options.times))
        for name in RECOUNT:
            show(f"raw recount: {name}", medians(offices, Office.recount, name, max(options.times // 5, 3)))


def show(name: str, taken: list[float]) -> None:
    print(f"{name:28}" + "".join(f"{each:14.1f}" for each in taken) + f"{taken[-1] / taken[0]:16.2f}")


if __name__ == "__main__":
    main()
