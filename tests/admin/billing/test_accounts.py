"""The statement of account and the certificate that nothing is owed, on screen and on paper (M11, D3, D7)."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from sqlalchemy import func, select, update

from models.billing import FeeItem, ServiceSlip
from models.office import Paper
from models.people import Owner
from office.billing.change_of_owner import change_of_owner
from office.core import clock
from office.estate import owners
from office.payments import payments
from tests.admin.conftest import text_of
from tests.conftest import DIALECTS, Templates
from tests.factories.cashier_desk import TODAY, CashierDesk, opened
from tests.factories.pdf_text import text_of as paper_text

PAGE = "/statement_of_account/"


@pytest.fixture(scope="module", params=DIALECTS)
def counter(
    request: pytest.FixtureRequest, templates: Templates, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[CashierDesk]:
    yield from opened(request.param, templates, tmp_path_factory.mktemp("accounts"))


def pay(counter: CashierDesk, unit_id: int, amount: str) -> None:
    with counter.rows() as session:
        new = payments.NewPayment(
            unit_id=unit_id, amount=Decimal(amount), method="cash", paid_at=clock.now(session)
        )
        payments.record_payment(session, new, now=clock.now(session))
        session.commit()


def owner_id(counter: CashierDesk, name: str) -> int:
    return int(counter.one(select(Owner.id).where(Owner.name == name)))


def test_a_statement_is_shown_given_as_file_and_filed_on_paper(counter: CashierDesk) -> None:
    unit_id = counter.unit("S-1", "王秀英")
    counter.bill("2026-01", "2026-02")
    pay(counter, unit_id, "300.00")
    payer = owner_id(counter, "王秀英")
    with counter.rows() as session:
        session.execute(update(Owner).where(Owner.id == payer).values(language="en"))
        session.commit()

    found = counter.cashier.get(f"{PAGE}?unit_code=s－1")
    page = text_of(counter.cashier.get(f"{PAGE}?unit_id={unit_id}"))
    asked = {"unit_id": unit_id, "payer_id": payer, "from": "2026-02-01", "to": "2026-03-20"}
    file = counter.cashier.get(f"{PAGE}file/", query_string={**asked, "kind": "csv"})
    printed = counter.cashier.post(f"{PAGE}paper/", asked)
    again = counter.cashier.post(f"{PAGE}paper/", asked)
    pay(counter, unit_id, "10.00")
    changed = counter.cashier.post(f"{PAGE}paper/", asked)

    assert found.location == f"{PAGE}?unit_id={unit_id}"
    assert "200.00" in page  # 500 - 300
    rows = list(csv.DictReader(io.StringIO(file.get_data(as_text=True).lstrip("\ufeff"))))
    assert [row["kind"] for row in rows] == ["opening", "bill", "payment", "closing"]
    assert [row["balance"] for row in rows] == ["250.00", "500.00", "200.00", "200.00"]
    paper = paper_text(printed.data)
    assert "Statementofaccount" in paper
    assert "A2026-000001" in paper
    assert "¥200.00" in paper
    assert "¥300.00" in paper
    assert "COPY" not in paper
    assert "COPY" in paper_text(again.data)
    assert "A2026-000002" in paper_text(changed.data)
    filed = select(Paper.number, Paper.total, Paper.copies, Paper.payer_id).where(
        Paper.kind == "statement_of_account"
    )
    assert sorted(counter.all(filed)) == [
        ("A2026-000001", Decimal(200), 1, payer),
        ("A2026-000002", Decimal(190), 0, payer),
    ]


def test_a_certificate_is_refused_while_something_is_owed(counter: CashierDesk) -> None:
    unit_id = counter.unit("S-2", "李强")
    counter.bill("2026-01")
    payer = owner_id(counter, "李强")
    asked = {"unit_id": unit_id, "payer_id": payer}

    refused = counter.cashier.post(f"{PAGE}certificate/", asked, follow_redirects=True)
    pay(counter, unit_id, "260.00")
    with counter.rows() as session:
        item = session.scalars(select(FeeItem).where(FeeItem.code == "repair")).one()
        slip = ServiceSlip(
            slip_no="W-77", unit_id=unit_id, fee_item_id=item.id, used_on=TODAY, quantity=1, amount=5
        )
        session.add(slip)
        session.commit()
    unbilled = counter.cashier.post(f"{PAGE}certificate/", asked, follow_redirects=True)
    with counter.rows() as session:
        session.execute(update(ServiceSlip).values(state="cancelled"))
        session.commit()
    made = counter.cashier.post(f"{PAGE}certificate/", asked)
    again = counter.cashier.post(f"{PAGE}certificate/", asked)

    assert "李强 still owes ¥250.00 for unit S-2" in text_of(refused)
    assert "W-77" in text_of(unbilled)
    paper = paper_text(made.data)
    assert "结清证明" in paper
    assert "Q2026-000001" in paper
    assert "¥10.00" in paper  # prepaid
    assert "副本" in paper_text(again.data)
    assert counter.one(select(func.count()).where(Paper.kind == "clearance_certificate")) == 1
    assert counter.one(select(Paper.dated).where(Paper.kind == "clearance_certificate")) == TODAY


def test_each_payer_of_a_unit_has_an_account_of_their_own(counter: CashierDesk) -> None:
    """The old owner's debt is not on the new one's paper; both stand in the account of the unit."""
    unit_id = counter.unit("S-3", "旧主")
    other_id = counter.unit("S-4", "旧主")
    counter.bill("2026-01")
    with counter.rows() as session:
        now = datetime(2026, 3, 20, 2, tzinfo=UTC)
        new = owners.add_owner(session, "新主", now=now)
        change_of_owner(session, unit_id, new.id, on=TODAY, now=now)
        session.commit()
        new_id = new.id
    old_id = owner_id(counter, "旧主")

    asked = f"{PAGE}?unit_id={unit_id}"
    of_new = text_of(counter.cashier.get(asked))
    of_old = text_of(counter.cashier.get(f"{asked}&payer_id={old_id}"))
    everywhere = text_of(counter.cashier.get(f"{asked}&payer_id={old_id}&units=all"))
    of_unit = text_of(counter.cashier.get(f"{asked}&payer_id=all"))
    certificate = counter.cashier.post(f"{PAGE}certificate/", {"unit_id": unit_id, "payer_id": new_id})

    assert "250.00" not in of_new
    assert "250.00" in of_old
    assert "500.00" in everywhere
    assert "S-4" in everywhere
    assert "新主" in of_unit
    assert "旧主" in of_unit
    assert certificate.mimetype == "application/pdf"
    assert counter.cashier.get(f"{asked}&payer_id={owner_id(counter, '旧主') + 99}").status_code == 404
    typed = counter.cashier.get(f"{PAGE}?unit_id={other_id}&from=yesterday&to=2199-01-01")
    assert "This is no date" in text_of(typed)
    assert counter.cashier.get(f"{PAGE}file/?unit_id={unit_id}&from=x&kind=csv").status_code == 400
    assert "There is no unit" in text_of(counter.cashier.get(f"{PAGE}?unit_code=nowhere"))
