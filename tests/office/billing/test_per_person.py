"""The fee basis "per person per month": whose residents, which days, what waits (B1, B4–B6, P5).

The amounts of the office of many units are reckoned again by hand, with `decimal` alone.
"""

import json
from datetime import date
from decimal import ROUND_HALF_UP, Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select, update

from models.billing import Invoice, InvoiceLine
from models.office import Audit
from models.people import Occupancy, Owner
from models.property import Unit
from office.billing import documents, final_account, move_in, runs
from office.billing.change_of_owner import change_of_owner
from office.core.errors import Refused
from office.documents import archive
from office.exchange.imports.roster import RosterRow, take_in
from office.policies import store
from office.rooms import EXPLAINS
from tests.factories.estate import (
    NOW,
    add_item,
    add_unit,
    assert_books_hold,
    bill,
    day,
    invoices,
    lines,
    occupy,
)
from tests.factories.pdf_text import bare, text_of

RATE = "5"


def add_waste(session, **more):
    return add_item(session, "waste", "per_person", rates={"residence": RATE}, **more)


def people(session, unit, residents, from_on=None):
    """Enter how many people live in a unit with its payer (of a first day)."""
    rows = select(Occupancy).where(Occupancy.unit_id == unit.id)
    if from_on:
        rows = rows.where(Occupancy.from_on == from_on)
    session.scalars(rows).one().residents = residents
    session.flush()


def unbilled(issued):
    return [(one.unit_code, str(one.reason)) for one in issued.unbilled]


def waste_lines(session):
    return [one[1:] for one in lines(session) if one[0] == "waste"]


class TestResidents:
    """Each case once as a whole month and once as a month in part."""

    @pytest.mark.parametrize(
        ("residents", "expected"),
        [
            (1, [("1", "5", "5.00")]),
            (3, [("3", "5", "15.00")]),
            (0, []),  # nobody lives there: no line, and nothing that waits
        ],
    )
    def test_each_person_is_charged(self, session, residents, expected):
        add_waste(session)
        people(session, add_unit(session), residents)

        issued = bill(session)

        assert waste_lines(session) == expected
        assert (issued.invoices, issued.unbilled) == (1, ())
        assert_books_hold(session)

    def test_where_nobody_has_said_how_many_the_unit_waits(self, session):
        add_waste(session)
        unit = add_unit(session, "1-101")
        people(session, add_unit(session, "1-102", payer="李四"), 2)

        issued = bill(session)

        assert unbilled(issued) == [("1-101", "no_residents: fee_item=waste")]
        assert [one[0] for one in invoices(session)] == ["1-102"]
        assert issued.to_dict()["unbilled"] == [
            {"unit_code": "1-101", "reason": "no_residents", "detail": "no_residents: fee_item=waste"}
        ]

        people(session, unit, 4)
        again = bill(session)

        assert (again.invoices, again.unbilled) == (1, ())
        assert [one[2] for one in invoices(session)] == ["270.00", "260.00"]

    def test_a_kind_of_unit_without_a_tariff_needs_no_number(self, session):
        add_waste(session)
        add_unit(session, kind="shop", area="10")

        assert bill(session).unbilled == ()

    def test_nothing_else_to_pay_and_nobody_there_is_no_bill(self, session):
        add_item(session, "waste", "per_person", rates={"storage": RATE})
        people(session, add_unit(session, kind="storage", area="0"), 0)

        issued = bill(session)

        assert (issued.invoices, issued.unbilled) == (0, ())

    def test_a_preview_says_the_same(self, session):
        add_waste(session)
        people(session, add_unit(session, "1-101"), 3)
        add_unit(session, "1-102")

        shown = runs.preview(session, "2026-06", now=NOW)

        assert (str(shown.by_item["waste"]), unbilled(shown)) == (
            "15.00",
            [("1-102", "no_residents: fee_item=waste")],
        )

    def test_in_arrears_it_counts_the_payer_of_the_month_before(self, session):
        add_waste(session, timing="arrears")
        unit = add_unit(session, payer=None)
        occupy(session, unit, "旧", date(2020, 1, 1), day("2026-05-31"))
        occupy(session, unit, "新", day("2026-06-01"))
        people(session, unit, 4, date(2020, 1, 1))
        people(session, unit, 1, day("2026-06-01"))

        bill(session)

        assert [one[1:3] for one in invoices(session)] == [("旧", "20.00"), ("新", "250.00")]
        assert_books_hold(session)


class TestSharedMonth:
    def test_each_payer_is_charged_for_their_own_people_and_days(self, session):
        add_waste(session)
        unit = add_unit(session, payer=None)
        occupy(session, unit, "旧", date(2020, 1, 1), day("2026-06-10"))
        occupy(session, unit, "新", day("2026-06-11"))
        people(session, unit, 4, date(2020, 1, 1))
        people(session, unit, 1, day("2026-06-11"))

        bill(session)

        assert waste_lines(session) == [("4", "5", "6.67"), ("1", "5", "3.33")]
        assert_books_hold(session)

    def test_the_number_of_the_first_day_holds_for_the_whole_month(self, session):
        """A payer whose household grows within the month: the new number counts from the next month on."""
        add_waste(session)
        unit = add_unit(session, payer=None)
        owner = occupy(session, unit, "王", date(2020, 1, 1), day("2026-06-10"))
        session.add(Occupancy(unit_id=unit.id, owner_id=owner.id, from_on=day("2026-06-11"), residents=3))
        session.flush()
        people(session, unit, 2, date(2020, 1, 1))

        bill(session, "2026-06")
        bill(session, "2026-07")

        assert waste_lines(session) == [("2", "5", "10.00"), ("3", "5", "15.00")]

    def test_from_the_hand_over_on(self, session):
        add_waste(session)
        people(session, add_unit(session, handed_over_on=day("2026-06-16")), 3)

        bill(session)

        assert waste_lines(session) == [("3", "5", "7.50")]

    def test_one_payer_without_a_number_keeps_the_unit_waiting(self, session):
        add_waste(session)
        unit = add_unit(session, payer=None)
        occupy(session, unit, "旧", date(2020, 1, 1), day("2026-06-10"))
        occupy(session, unit, "新", day("2026-06-11"))
        people(session, unit, 4, date(2020, 1, 1))

        assert unbilled(bill(session)) == [("1-101", "no_residents: fee_item=waste")]


def template(session):
    """A move-in bill of two months of the item ahead."""
    rows = store.document(session, "billing", day("2026-06-01"))
    rows = {**rows, "move_in": [{"unit_kind": "residence", "fee_item": "waste", "months": 3}]}
    store.store(session, "billing", rows, valid_from=day("2020-01-01"), now=NOW)
    session.flush()


class TestMoveIn:
    @pytest.fixture
    def unit(self, session):
        add_waste(session)
        template(session)
        unit = add_unit(session, payer=None, handed_over_on=day("2026-06-16"))
        occupy(session, unit, "新", day("2026-06-16"))
        return unit

    def issue(self, session, unit):
        on = day("2026-06-16")
        payer_id = session.scalars(select(Occupancy.owner_id)).one()
        return move_in.issue_move_in_bill(session, unit.id, payer_id=payer_id, on=on, due_on=on, now=NOW)

    def test_the_first_month_by_days_and_two_ahead(self, session, unit):
        people(session, unit, 3)

        invoice = self.issue(session, unit)

        assert waste_lines(session) == [("3", "5", "7.50"), ("2", "15", "30.00")]
        session.execute(update(Owner).values(language="en"))
        made = documents.print_move_in_bill(session, invoice.id, now=NOW, staff_id=None)
        assert bare("3 persons × 5.00 × 1 month × 15 of 30 days") in text_of(made)

    def test_the_months_paid_ahead_ask_for_no_number(self, session, unit):
        people(session, unit, 3)
        self.issue(session, unit)
        people(session, unit, None)

        issued = bill(session, "2026-07")

        assert (waste_lines(session)[2:], issued.unbilled) == ([], ())

    @pytest.mark.parametrize(
        ("residents", "why"), [(None, "residents of unit 1-101"), (0, "can't be charged")]
    )
    def test_refused_where_there_is_nothing_to_count(self, session, unit, residents, why):
        people(session, unit, residents)

        with pytest.raises(Refused, match=why):
            self.issue(session, unit)


class TestChangeOfOwner:
    """P5: a bill already out moves by days; the new payer's part counts the new payer's people."""

    @pytest.fixture
    def unit(self, session):
        add_waste(session)
        unit = add_unit(session)
        people(session, unit, 4)
        bill(session)
        return unit

    @pytest.mark.parametrize(("residents", "expected"), [(4, "180.00"), (1, "170.00"), (0, "166.67")])
    def test_the_new_payers_people(self, session, unit, residents, expected):
        new = Owner(name="新")
        session.add(new)
        session.flush()

        made = change_of_owner(session, unit.id, new.id, on=day("2026-06-11"), now=NOW, residents=residents)

        assert made.new.residents == residents
        assert [one[2:4] for one in invoices(session)] == [("270.00", "90.00"), (expected, expected)]
        audit = session.scalars(select(Audit.changes).where(Audit.action == "change_of_owner")).one()
        assert json.loads(audit)["residents"] == [None, residents]
        assert_books_hold(session)

    def test_refused_where_nobody_says_how_many(self, session, unit):
        new = Owner(name="新")
        session.add(new)
        session.flush()

        with pytest.raises(Refused, match="enter the residents of the new payer"):
            change_of_owner(session, unit.id, new.id, on=day("2026-06-11"), now=NOW)

    def test_a_payer_of_part_of_the_month_gives_back_days_of_the_month(self, session):
        """Billed for 20 of 30 days, gone after 15 of them: 5 days of 30, not 5/30 of what was billed."""
        unit = add_unit(session, "1-102", since=day("2026-06-11"))
        bill(session)
        payer = session.scalars(select(Invoice.payer_id).where(Invoice.unit_id == unit.id)).one()
        new = occupy(session, add_unit(session, "9", payer=None), "新", day("2020-01-01"))

        final_account.move_billing(
            session,
            unit.id,
            old_payer_id=payer,
            new_payer_id=new.id,
            on=day("2026-06-26"),
            now=NOW,
            staff_id=None,
        )

        assert [one[2:4] for one in invoices(session)] == [("166.67", "125.00"), ("41.67", "41.67")]


@pytest.mark.parametrize(
    ("language", "one", "many"),
    [
        ("en", "1 person × 5.00 × 1 month", "3 persons × 5.00 × 1 month"),
        ("zh_Hans", "1人 × 5.00 × 1个月", "3人 × 5.00 × 1个月"),
        ("zh_Hant", "1人 × 5.00 × 1個月", "3人 × 5.00 × 1個月"),
    ],
)
def test_the_payment_notice_says_how_many(session, language, one, many):
    add_waste(session)
    people(session, add_unit(session, "1-101"), 1)
    people(session, add_unit(session, "1-102"), 3)
    bill(session)
    ids = session.scalars(select(Invoice.id).order_by(Invoice.id)).all()
    session.execute(update(Owner).values(language=language))

    notices = [value for _, value in archive.payment_notices(session, ids, on=day("2026-06-20"))]

    assert [notice.lines[1].explanation for notice in notices] == [one, many]


def test_explain_names_the_lines(session):
    add_waste(session)
    people(session, add_unit(session), 3)
    bill(session)
    number = session.scalars(select(Invoice.number)).one()

    told = EXPLAINS["invoice"](session, number, now=NOW)

    assert [(one["fee_item"], one["quantity"], one["rate"], one["amount"]) for one in told["lines"]] == [
        ("management_fee", "100", "2.5", "250.00"),
        ("waste", "3", "5", "15.00"),
    ]


def roster_row(**more):
    row = {
        "line": 2,
        "unit_code": "1-101",
        "building": "1",
        "area_name": "",
        "floor": None,
        "unit_kind": "residence",
        "area_m2": Decimal(100),
        "handed_over_on": None,
        "payer_name": "王小明",
        "payer_phone": "",
        "payer_email": "",
        "occupancy_from": None,
        "steward": "",
        "residents": 3,
    }
    assert set(row) == set(RosterRow.__dataclass_fields__)
    return row | more


@pytest.mark.parametrize(
    ("entered", "row", "expected", "new"),
    [
        (None, {}, 3, 1),
        (2, {}, 2, 0),  # what the office has entered stays
        (None, {"residents": None}, None, 0),
        (None, {"residents": 0}, 0, 1),
        (None, {"payer_name": "李四"}, None, 0),  # of another payer
    ],
)
def test_the_roster_adds_the_residents_that_nobody_has_entered(session, entered, row, expected, new):
    unit = add_unit(session)
    people(session, unit, entered)

    taken = take_in(session, [roster_row(**row)], now=NOW)

    session.expire_all()
    assert session.scalars(select(Occupancy.residents)).all() == [expected]
    assert taken.new == new
    assert take_in(session, [roster_row(**row)], now=NOW).new == 0


# an office of many units, reckoned again by hand

FEN = Decimal("0.01")
KINDS = {"residence": Decimal("2.50"), "shop": Decimal("8.00")}
UNITS = st.lists(
    st.tuples(
        st.sampled_from(sorted(KINDS)),
        st.integers(1, 2_000_000).map(lambda value: Decimal(value) / 10_000),  # m²
        st.none() | st.integers(0, 12),
        st.integers(1, 30),  # the first day paid for in June
    ),
    min_size=1,
    max_size=12,
)


def half_up(value):
    return value.quantize(FEN, ROUND_HALF_UP)


def expected_bill(kind, area, residents, first, rate):
    """What June 2026 costs, None where it waits for a number, zero where there is no bill."""
    days = Decimal(31 - first)
    parts = [half_up(area * KINDS[kind])]
    if kind == "residence":
        if residents is None:
            return None
        parts.append(half_up(residents * rate))
    return sum(half_up(part * days / 30) for part in parts)


@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    derandomize=True,
)
@given(units=UNITS, rate=st.integers(0, 999_999).map(lambda value: Decimal(value) / 10_000))
def test_many_units_to_the_fen(session, units, rate):
    with session.begin_nested() as trial:
        add_item(session, "waste", "per_person", rates={"residence": str(rate)})
        expected = {}
        for number, (kind, area, residents, first) in enumerate(units):
            code = f"1-{number:03d}"
            unit = add_unit(session, code, kind=kind, area=str(area), since=date(2026, 6, first))
            people(session, unit, residents)
            expected[code] = expected_bill(kind, area, residents, first, rate)

        issued = bill(session)

        found = dict(
            session.execute(select(Unit.code, Invoice.amount).join(Invoice, Invoice.unit_id == Unit.id)).all()
        )
        assert found == {code: amount for code, amount in expected.items() if amount}
        assert [one.unit_code for one in issued.unbilled] == [
            code for code, amount in expected.items() if amount is None
        ]
        on_lines = session.scalar(select(func.sum(InvoiceLine.amount))) or 0
        assert on_lines == sum(found.values())
        trial.rollback()
