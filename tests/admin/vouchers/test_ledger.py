"""Vouchers on screen: what has no account, made, exported once, fetched again, reversed (M12)."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator

import pytest
from sqlalchemy import func, select

from models.vouchers import LedgerAccount, Voucher
from tests.admin.conftest import text_of
from tests.conftest import DIALECTS, Templates
from tests.factories.cashier_desk import CashierDesk, opened

PAGE = "/ledger/?month=2026-03"
MONTH = {"month": "2026-03"}


@pytest.fixture(scope="module", params=DIALECTS)
def counter(
    request: pytest.FixtureRequest, templates: Templates, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[CashierDesk]:
    yield from opened(request.param, templates, tmp_path_factory.mktemp("ledger"))


def test_a_month_of_vouchers_from_accounts_to_reversal(counter: CashierDesk) -> None:
    web = counter.cashier
    counter.unit("1-101", "王秀英")
    counter.bill("2026-03")

    assert "Management fee" in text_of(web.get(PAGE))
    assert "have no account yet" in text_of(web.post("/ledger/make/", MONTH, follow_redirects=True))
    web.post("/ledger_accounts/action/", {"action": "fill", "confirmed": "1"})
    assert counter.one(select(func.count(LedgerAccount.id))) > 8
    web.post("/ledger/make/", MONTH)
    voucher = counter.one(select(Voucher.id))
    assert "Nothing waits" in text_of(web.get(PAGE))
    assert "VCH202603-000001" in text_of(web.get(f"/vouchers/details/?id={voucher}"))

    web.post("/ledger/export/", MONTH)
    again = web.post("/ledger/export/", MONTH, follow_redirects=True)
    assert "has been exported" in text_of(again)
    links = re.findall(r'href="(/ledger/file/[^"]+)"', web.get(PAGE).get_data(as_text=True))
    assert len(links) == 6
    for link in links:
        fetched = web.get(link.replace("&amp;", "&"))
        assert fetched.status_code == 200
        assert fetched.data
    first = web.get(links[0].replace("&amp;", "&")).get_data(as_text=True).lstrip("\ufeff")
    rows = list(csv.DictReader(io.StringIO(first)))
    assert sum(float(row["借方"] or 0) for row in rows) == sum(float(row["贷方"] or 0) for row in rows) > 0

    web.post(
        "/vouchers/action/", {"action": "reverse", "rowid": voucher, "confirmed": "1", "reason": "wrong"}
    )
    kinds = counter.all(select(Voucher.kind).order_by(Voucher.id))
    assert kinds == ["bills", "reversal"]
    assert "Make the vouchers" in text_of(web.get(PAGE))


@pytest.mark.parametrize(
    "address",
    ["/ledger/?month=x", "/ledger/file/?month=2026-03&at=x&kind=csv&layout=generic",
     "/ledger/file/?month=2026-03&at=2026-03-20T10:00:00%2B08:00&kind=exe&layout=generic"],
)  # fmt: skip
def test_an_address_that_says_nothing_is_not_found(counter: CashierDesk, address: str) -> None:
    assert counter.cashier.get(address).status_code == 404
