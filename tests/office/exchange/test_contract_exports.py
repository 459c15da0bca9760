"""What a reader of exports counts again by hand (contract "Exports")."""

from decimal import Decimal

from office.billing import runs
from office.payments import payments
from office.rooms import EXPORTS
from tests.factories.estate import NOW, add_unit, at


def units(session):
    codes, rows = EXPORTS["units"](session)
    return {row[0]: dict(zip(codes, row, strict=True)) for row in rows}


def test_a_units_balance_is_what_it_owes_less_its_unused_credit(session):
    owing, paid_ahead = add_unit(session, "1-101", area="88.88"), add_unit(session, "1-102", area="10")
    session.commit()
    runs.issue_invoices(session, "2026-06", now=NOW)
    for unit, amount in ((owing, "22.20"), (paid_ahead, "40.01")):
        payments.record_payment(
            session,
            payments.NewPayment(
                unit_id=unit.id, amount=Decimal(amount), method="cash", paid_at=at("2026-06-20")
            ),
            now=NOW,
        )

    found = units(session)

    assert found["1-101"]["balance"] == Decimal("200.00")
    assert found["1-102"]["balance"] == Decimal("-15.01")
