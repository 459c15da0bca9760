"""Bills of a period: who, what, how much; what can't be billed; twice adds nothing (B1–B5, P5)."""

from datetime import date

import pytest
from sqlalchemy import func, select

from models.billing import BillingRun, Invoice, ServiceSlip, Tariff
from models.office import Audit
from office.billing import runs
from office.core.errors import Refused
from tests.factories.estate import (
    NOW,
    add_item,
    add_meter,
    add_slip,
    add_unit,
    assert_books_hold,
    at,
    bill,
    day,
    invoices,
    item,
    lines,
    occupy,
    paid,
    pay,
)


def unbilled(issued):
    return [(one.unit_code, one.reason.code) for one in issued.unbilled]


def test_a_month_of_management_fee(session):
    add_unit(session, "1-101", area="88.35")
    add_unit(session, "1-102", kind="shop", area="10", payer="李四")

    issued = bill(session)

    assert issued.to_dict() == {
        "period": "2026-06",
        "invoices": 2,
        "amount": "300.88",
        "unbilled": [],
        "issued_on": "2026-06-01",
        "credit_used": "0.00",
    }
    assert invoices(session) == [
        ("1-101", "王小明", "220.88", "220.88", "open"),
        ("1-102", "李四", "80.00", "80.00", "open"),
    ]
    assert lines(session) == [
        ("management_fee", "88.35", "2.5", "220.88"),
        ("management_fee", "10", "8", "80.00"),
    ]
    first = session.scalars(select(Invoice).order_by(Invoice.id)).first()
    assert (first.number, first.issued_on, first.due_on) == (
        "I202606-000001",
        day("2026-06-01"),
        day("2026-06-15"),
    )
    assert_books_hold(session)


def test_the_due_day_is_the_presets(session_of):
    session = session_of("tower")
    add_unit(session)

    bill(session)

    assert session.scalars(select(Invoice.due_on)).one() == day("2026-06-05")


def test_twice_adds_nothing(session):
    add_unit(session)
    bill(session)

    again = bill(session)

    assert (again.invoices, again.amount) == (0, 0)
    assert len(invoices(session)) == 1
    assert session.scalar(select(func.count()).select_from(BillingRun)) == 2
    assert_books_hold(session)


def test_run_again_bills_what_can_be_billed_by_now(session):
    unit = add_unit(session, payer=None)
    assert unbilled(bill(session)) == [("1-101", "no_payer")]
    occupy(session, unit, "王小明", date(2020, 1, 1))

    again = bill(session)

    assert (again.invoices, unbilled(again)) == (1, [])


def test_a_preview_says_what_issuing_does_and_writes_nothing(session):
    add_unit(session)
    add_unit(session, "1-102", payer=None)

    shown = runs.preview(session, "2026-06", now=NOW)

    assert invoices(session) == []
    issued = bill(session)
    same = ("period", "invoices", "amount", "unbilled", "issued_on")
    assert {name: shown.to_dict()[name] for name in same} == {name: issued.to_dict()[name] for name in same}
    assert shown.by_item == {"management_fee": issued.amount}


def test_a_preview_points_out_what_is_unusual(session):
    add_unit(session, "1-101")
    unit = add_unit(session, "1-102")
    bill(session, "2026-05")
    add_slip(session, unit, "2026-05-20", "2")

    shown = runs.preview(session, "2026-06", now=NOW)

    assert [(one.unit_code, str(one.amount), str(one.last)) for one in shown.unusual] == [
        ("1-102", "350.00", "250.00")
    ]
    assert (shown.last_invoices, str(shown.last_amount)) == (2, "500.00")


@pytest.mark.parametrize("period", ["2026-13", "2026-6", "June", "", "0000-01"])
def test_no_period(session, period):
    with pytest.raises(Refused, match="is no period"):
        bill(session, period)


@pytest.mark.parametrize(
    ("on", "is_refused"), [("2026-06-19", False), ("2026-06-20", False), ("2026-06-21", True)]
)
def test_issued_on_any_day_not_after_the_present(session, on, is_refused):
    add_unit(session)
    if is_refused:
        with pytest.raises(Refused, match="has not come yet"):
            bill(session, on=day(on))
    else:
        assert bill(session, on=day(on)).issued_on == day(on)


class TestWhoIsBilled:
    """P4, P5, contract "Month split": half-up by days, the last one the remainder."""

    @pytest.mark.parametrize(
        ("handed_over_on", "expected"),
        [
            (None, ["250.00"]),
            ("2026-05-31", ["250.00"]),
            ("2026-06-01", ["250.00"]),
            ("2026-06-02", ["241.67"]),
            ("2026-06-30", ["8.33"]),
            ("2026-07-01", []),
        ],
    )
    def test_from_the_hand_over_on(self, session, handed_over_on, expected):
        add_unit(session, handed_over_on=day(handed_over_on) if handed_over_on else None)

        issued = bill(session)

        assert [amount for _, _, amount, _, _ in invoices(session)] == expected
        assert issued.unbilled == ()
        assert_books_hold(session)

    def test_a_change_of_payer_splits_the_month(self, session):
        unit = add_unit(session, payer=None)
        occupy(session, unit, "旧", date(2020, 1, 1), day("2026-06-10"))
        occupy(session, unit, "新", day("2026-06-11"))

        bill(session)

        assert [one[1:3] for one in invoices(session)] == [("旧", "83.33"), ("新", "166.67")]
        assert_books_hold(session)

    def test_vacant_days_are_nobodys(self, session):
        unit = add_unit(session, payer=None)
        occupy(session, unit, "旧", date(2020, 1, 1), day("2026-06-10"))

        bill(session)

        assert [one[1:3] for one in invoices(session)] == [("旧", "83.33")]

    def test_a_payer_entered_after_the_bill_is_not_billed_again(self, session):
        unit = add_unit(session, payer=None)
        owner = occupy(session, unit, "旧", date(2020, 1, 1))
        bill(session)
        owner.occupancies[0].to_on = day("2026-06-10")
        session.flush()
        occupy(session, unit, "新", day("2026-06-11"))

        assert bill(session).invoices == 0

    def test_any_period_can_be_billed_later(self, session):
        add_unit(session, handed_over_on=day("2026-03-16"))

        counts = [bill(session, period).invoices for period in ("2026-04", "2026-02", "2026-03")]

        assert counts == [1, 0, 1]
        assert [one[2] for one in invoices(session)] == ["129.03", "250.00"]


class TestTariffs:
    def test_a_change_alters_the_next_bill_only(self, session):
        add_unit(session)
        fee = item(session, "management_fee")
        bill(session, "2026-05")
        session.add(Tariff(fee_item_id=fee.id, unit_kind="residence", rate=3, valid_from=day("2026-06-01")))
        session.flush()

        bill(session, "2026-06")

        assert [one[2] for one in invoices(session)] == ["250.00", "300.00"]

    def test_without_a_tariff_the_unit_is_listed(self, session):
        add_unit(session, "1-101")
        add_unit(session, "1-102", kind="shop")
        ended = session.scalars(select(Tariff).where(Tariff.unit_kind == "shop")).all()
        for tariff in ended:
            tariff.valid_to = day("2026-05-31")
        session.flush()

        issued = bill(session)

        assert unbilled(issued) == [("1-102", "no_tariff")]
        assert issued.invoices == 1

    def test_an_item_that_a_kind_never_had_is_not_owed(self, session):
        add_item(session, "garbage", "fixed", rates={"shop": "30"})
        add_unit(session, "1-101")
        add_unit(session, "1-102", kind="shop", area="10")

        bill(session)

        assert [one[2] for one in invoices(session)] == ["250.00", "110.00"]

    def test_items_at_the_same_place_are_all_billed(self, session):
        add_item(session, "garbage", "fixed", rates={"residence": "12"})
        add_item(session, "lift", "per_m2", rates={"residence": "0.45"})
        add_unit(session)

        bill(session)

        assert [one[0] for one in lines(session)] == ["management_fee", "garbage", "lift"]

    def test_arrears_items_charge_the_month_before(self, session):
        add_item(session, "lift", "fixed", timing="arrears", rates={"residence": "31"})
        add_unit(session, "1-101", handed_over_on=day("2026-05-17"))
        add_unit(session, "1-102", handed_over_on=day("2026-06-01"))
        add_unit(session, "1-103")

        bill(session)

        assert [one[2] for one in invoices(session)] == ["265.00", "250.00", "281.00"]
        assert_books_hold(session)


class TestMeters:
    @pytest.mark.parametrize(
        ("readings", "expected"),
        [
            ([("2026-04-30", "100"), ("2026-05-31", "112")], "291.40"),
            ([("2026-05-01", "100"), ("2026-06-01", "112")], "291.40"),
            ([("2026-04-25", "100"), ("2026-05-25", "112")], "291.40"),
            ([("2026-05-03", "100"), ("2026-05-31", "112")], "291.40"),
            ([("2026-03-31", "100"), ("2026-05-31", "112")], "291.40"),
            ([("2026-04-30", "100"), ("2026-05-31", "100")], "250.00"),
        ],
    )
    def test_last_months_consumption(self, session, readings, expected):
        add_meter(session, add_unit(session), "water", *readings)

        issued = bill(session)

        assert ([one[2] for one in invoices(session)], issued.unbilled) == ([expected], ())
        assert_books_hold(session)

    @pytest.mark.parametrize(
        ("readings", "reason"),
        [
            ([], "no_reading"),
            ([("2026-04-30", "100")], "no_reading"),
            ([("2026-05-31", "100")], "no_reading"),
            ([("2026-04-30", "100"), ("2026-06-02", "112")], "no_reading"),
            ([("2026-04-30", "100"), ("2026-05-31", "99")], "reading_runs_backwards"),
        ],
    )
    def test_the_unit_waits_for_its_reading(self, session, readings, reason):
        add_meter(session, add_unit(session), "water", *readings)
        add_unit(session, "1-102")

        issued = bill(session)

        assert unbilled(issued) == [("1-101", reason)]
        assert [one[0] for one in invoices(session)] == ["1-102"]

    def test_a_unit_without_a_contract_owes_no_rent(self, session):
        """An office that charges rent and meters: who rents nothing is charged what was counted (B24)."""
        item(session, "management_fee").is_active = False
        item(session, "rent").is_active = True
        add_unit(session, "1-102")
        add_meter(session, add_unit(session), "water", ("2026-04-30", "100"), ("2026-05-31", "112"))

        counts = [bill(session).invoices, bill(session).invoices]

        assert (counts, bill(session).unbilled) == ([1, 0], ())
        assert [one[2] for one in invoices(session)] == ["41.40"]

    def test_tiers(self, session):
        add_meter(session, add_unit(session), "water", ("2026-04-30", "0"), ("2026-05-31", "30"))
        tariff = session.scalars(
            select(Tariff).where(
                Tariff.fee_item_id == item(session, "water").id, Tariff.unit_kind == "residence"
            )
        ).one()
        tariff.tiers = '[["10", "3.00"], ["20", "4.00"], [null, "5.00"]]'
        session.flush()

        bill(session)

        assert [one[2] for one in invoices(session)] == ["370.00"]

    def test_a_meter_of_a_unit_vacant_last_month_is_nobodys(self, session):
        add_meter(session, add_unit(session, since=day("2026-06-01")), "water")

        issued = bill(session)

        assert ([one[2] for one in invoices(session)], issued.unbilled) == (["250.00"], ())

    def test_a_change_of_payer_last_month_splits_the_meter(self, session):
        unit = add_unit(session, payer=None)
        occupy(session, unit, "旧", date(2020, 1, 1), day("2026-05-10"))
        occupy(session, unit, "新", day("2026-05-11"))
        add_meter(session, unit, "water", ("2026-04-30", "0"), ("2026-05-31", "31"))

        bill(session)

        # 31 × 3.45 = 106.95: 10 and 21 of 31 days
        assert [one[1:3] for one in invoices(session)] == [("旧", "34.50"), ("新", "322.45")]
        assert_books_hold(session)


class TestSlips:
    @pytest.mark.parametrize(
        ("used_on", "expected"),
        [("2026-05-24", "300.00"), ("2026-05-25", "300.00"), ("2026-05-26", "250.00")],
    )
    def test_the_cut_off_day(self, session, used_on, expected):
        slip = add_slip(session, add_unit(session), used_on)

        bill(session)

        assert [one[2] for one in invoices(session)] == [expected]
        session.refresh(slip)
        assert (slip.state == "billed") == (slip.invoice_id is not None) == (expected == "300.00")

    def test_an_agreed_price_goes_before_the_tariff(self, session):
        add_slip(session, add_unit(session), "2026-05-20", "3", amount="88.80")

        bill(session)

        assert lines(session)[1:] == [("repair", "1", "88.8", "88.80")]

    def test_a_slip_without_tariff_waits_and_is_listed(self, session):
        slip = add_slip(session, add_unit(session, kind="parking"), "2026-05-20", code="overtime_ac")

        issued = bill(session)

        assert (issued.invoices, unbilled(issued)) == (1, [("1-101", "no_tariff")])
        assert session.get(ServiceSlip, slip.id).state == "open"

    def test_hours(self, session):
        add_slip(
            session, add_unit(session, kind="office", area="10"), "2026-05-20", "2.5", code="overtime_ac"
        )

        bill(session)

        assert lines(session) == [
            ("management_fee", "10", "12", "120.00"),
            ("overtime_ac", "2.5", "60", "150.00"),
        ]


class TestCredit:
    """Credit pays at the moment the next bill is issued."""

    @pytest.mark.parametrize(
        ("amount", "bill_state", "payment"),
        [
            ("100", ("150.00", "partly_paid"), ("100.00", "100.00", "0.00")),
            ("250", ("0.00", "paid"), ("250.00", "250.00", "0.00")),
            ("300", ("0.00", "paid"), ("300.00", "250.00", "50.00")),
        ],
    )
    def test_prepaid_credit_pays_the_next_bill(self, session, amount, bill_state, payment):
        pay(session, add_unit(session), amount, "2026-05-10")

        issued = bill(session)

        assert [one[3:] for one in invoices(session)] == [bill_state]
        assert [one[:3] for one in paid(session)] == [payment]
        assert str(issued.credit_used) == payment[1]
        assert_books_hold(session)

    def test_another_payers_credit_stays(self, session):
        unit = add_unit(session, payer=None)
        occupy(session, unit, "旧", date(2020, 1, 1), day("2026-05-31"))
        pay(session, unit, "300", "2026-05-10")
        occupy(session, unit, "新", day("2026-06-01"))

        bill(session)

        assert [one[3:] for one in invoices(session)] == [("250.00", "open")]


def test_one_audit_row_a_run(session):
    add_unit(session)

    bill(session)

    assert session.scalar(select(func.count()).select_from(Audit).where(Audit.action == "issue")) == 1


def test_more_units_than_a_batch(session):
    for number in range(5):
        add_unit(session, f"1-{number}", area=f"{100 + number}.5", since=at("2026-06-03").date())

    bill(session)

    assert len(invoices(session)) == 5
