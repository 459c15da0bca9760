"""Rent contracts: billed, checked, brought in and given out, listed before they end (B24, B15, B20)."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from models.billing import FeeItem, Invoice, InvoiceLine
from models.contracts import RentChange, RentContract
from models.office import Audit
from models.people import Owner
from office.billing import contracts, final_account, runs
from office.core.errors import Refused
from office.exchange import imports
from office.rooms import EXPORTS, IMPORTS
from rules.reasons import Reason
from tests.factories.contracts import add_contract
from tests.factories.estate import NOW, add_unit, assert_books_hold, bill, day, item, occupy
from tests.factories.rates import add_item_payer
from tests.factories.spreadsheets import csv_file

TODAY = day("2026-06-20")


def charged(session, period=None):
    """Each line as (unit, payer, item, amount, first and last day)."""
    rows = session.execute(
        select(Invoice, Owner.name, FeeItem.code, InvoiceLine)
        .join(InvoiceLine.invoice)
        .join(InvoiceLine.fee_item)
        .join(Owner, Owner.id == Invoice.payer_id)
        .order_by(InvoiceLine.id)
    )
    return [
        (bill_.unit.code, payer, code, str(line.amount), f"{line.service_from} {line.service_to}")
        for bill_, payer, code, line in rows
        if period in {None, bill_.period}
    ]


def tenant(session, name="云山科技有限公司"):
    owner = Owner(name=name, kind="company")
    session.add(owner)
    session.flush()
    return owner.id


class TestBills:
    def test_the_rent_of_a_contract_stays_at_a_change_of_owner(self, session):
        """P5, B24: the monthly fee moves to the new payer, the rent is owed by the contract."""
        unit = add_unit(session, "S-1", kind="shop", area="10", payer="业主")
        payer = session.scalars(select(Owner.id).where(Owner.name == "业主")).one()
        add_contract(session, unit, payer)
        bill(session)
        new = occupy(session, add_unit(session, "9", payer=None), "新业主", day("2020-01-01"))
        rent = next(one for one in charged(session) if one[2] == "rent")
        others = {code for _unit, who, code, *_ in charged(session) if who == "业主"} - {"rent"}
        assert others

        final_account.move_billing(
            session,
            unit.id,
            old_payer_id=payer,
            new_payer_id=new.id,
            on=day("2026-06-11"),
            now=NOW,
            staff_id=None,
        )

        assert [one for one in charged(session) if one[2] == "rent"] == [rent]
        assert {code for _unit, who, code, *_ in charged(session) if who == "新业主"} == others
        credited = session.scalars(select(Invoice.credited).where(Invoice.payer_id == payer)).one()
        assert 0 < credited < Decimal(rent[3])
        assert_books_hold(session)

    def test_the_rent_is_a_line_of_the_tenants_bill(self, session):
        shop = add_unit(session, "S-1", kind="shop", area="10", payer="业主")
        plain = add_unit(session, "S-2", kind="shop", area="10", payer="旁人")
        add_contract(
            session, shop, tenant(session), day("2026-06-15"), step_every_months=12, step_percent="5"
        )

        shown = runs.preview(session, "2026-06", now=NOW)
        issued = bill(session)
        bill(session, "2027-06")

        assert (issued.unbilled, shown.amount) == ((), issued.amount)
        assert sorted(charged(session, "2026-06")) == [
            ("S-1", "业主", "management_fee", "80.00", "2026-06-01 2026-06-30"),
            ("S-1", "云山科技有限公司", "rent", "5333.33", "2026-06-15 2026-06-30"),
            (plain.code, "旁人", "management_fee", "80.00", "2026-06-01 2026-06-30"),
        ]
        assert [one[3:] for one in charged(session, "2027-06") if one[2] == "rent"] == [
            ("4666.67", "2027-06-01 2027-06-14"),
            ("5600.00", "2027-06-15 2027-06-30"),
        ]
        said = [Reason.from_json(line.explanation) for line in session.scalars(select(InvoiceLine))]
        assert [
            (one.code, one.inputs["row"], one.inputs.get("days")) for one in said if "contract" in str(one)
        ] == [
            ("fixed", "contract HT-1 2026-06-15", 16),
            ("fixed", "contract HT-1 2026-06-15", 14),
            ("fixed", "contract HT-1 2027-06-15", 16),
        ]
        assert_books_hold(session)

    def test_the_units_own_payer_who_is_the_tenant_gets_one_bill(self, session):
        unit = add_unit(session, "O-1", kind="office", area="10", payer="")
        payer = occupy(session, unit, "租户", date(2020, 1, 1))
        add_contract(session, unit, payer.id)

        bill(session)

        assert len(session.scalars(select(Invoice)).all()) == 1
        assert [one[2:4] for one in charged(session)] == [("management_fee", "120.00"), ("rent", "10000.00")]

    def test_who_is_named_for_the_item_pays_and_a_vacant_unit_is_told(self, session):
        unit = add_unit(session, "O-1", kind="office", area="10", payer="")
        add_contract(session, unit, tenant(session))
        head_office = tenant(session, "总部")
        add_item_payer(session, unit, "rent", head_office, day("2026-06-16"))

        issued = bill(session)

        assert [(one[1], one[3]) for one in charged(session)] == [
            ("云山科技有限公司", "5000.00"),
            ("总部", "5000.00"),
        ]
        assert [(one.unit_code, one.reason.code) for one in issued.unbilled] == [("O-1", "no_payer")]

    def test_quarters_and_days_whose_bill_was_out(self, session):
        unit, other = (add_unit(session, code, kind="office", area="10") for code in ("O-1", "O-2"))
        add_contract(session, unit, tenant(session), number="first")
        item(session, "rent").cycle_months = 3
        session.flush()

        for period in ("2026-06", "2026-07", "2026-08"):
            bill(session, period)
        item(session, "rent").cycle_months = 1
        add_contract(session, other, tenant(session), day("2026-08-22"), number="late")
        for period in ("2026-09", "2026-10"):
            bill(session, period)

        assert [(*one[:1], *one[3:]) for one in charged(session) if one[2] == "rent"] == [
            ("O-1", "30000.00", "2026-07-01 2026-09-30"),  # September is not charged again
            ("O-2", "3225.81", "2026-08-22 2026-08-31"),  # the bill of August was out
            ("O-2", "10000.00", "2026-09-01 2026-09-30"),
            ("O-1", "10000.00", "2026-10-01 2026-10-31"),
            ("O-2", "10000.00", "2026-10-01 2026-10-31"),
        ]
        assert_books_hold(session)

    def test_an_index_changes_the_rent(self, session):
        unit = add_unit(session, "O-1", kind="office", area="10")
        row = add_contract(session, unit, tenant(session))
        session.add(RentChange(contract_id=row.id, from_on=day("2026-06-01"), percent=Decimal("2.3")))
        session.flush()

        bill(session)

        assert [one[3] for one in charged(session) if one[2] == "rent"] == ["10230.00"]

    def test_an_office_without_contracts_bills_as_before(self, session):
        add_unit(session, "O-1", kind="office", area="10")
        bill(session)
        assert [one[2:4] for one in charged(session)] == [("management_fee", "120.00")]


MEETING = [("2025-01-01", "2025-12-31", False), ("2025-06-01", "2026-02-01", True),
           ("2026-07-01", "2026-07-31", True),
           ("2026-12-31", "2027-01-01", True), ("2027-01-01", "2027-12-31", False)]  # fmt: skip


@pytest.mark.parametrize(("first", "last", "is_refused"), MEETING)
def test_the_database_refuses_two_contracts_of_a_unit_at_one_time(session, first, last, is_refused):
    unit, other = add_unit(session), add_unit(session, "1-102")
    add_contract(session, unit, tenant(session), day("2026-01-01"), day("2026-12-31"))
    add_contract(session, other, tenant(session), day("2026-01-01"), day("2026-12-31"), number="other")
    new = {"session": session, "unit": unit, "owner_id": tenant(session)}
    if is_refused:
        with pytest.raises(IntegrityError, match="rent_contract_one_at_a_time"), session.begin_nested():
            add_contract(**new, valid_from=day(first), valid_to=day(last), number="second")
    else:
        add_contract(**new, valid_from=day(first), valid_to=day(last), number="second")


WRONG = [
    ({"valid_to": day("2025-01-01")}, "first day must not be after"),
    ({"valid_to": day("2150-01-01")}, "100 years at most"),
    ({"rent": Decimal(0)}, "above zero"),
    ({"step_every_months": 12}, "either a percentage or an amount"),
    ({"step_percent": Decimal(5)}, "either a percentage or an amount"),
    ({"step_every_months": 12, "step_percent": Decimal(5), "step_amount": Decimal(5)}, "either a percentage"),
    ({"step_every_months": 0, "step_percent": Decimal(5)}, "1 to 600 months"),
    ({"step_every_months": 12, "step_amount": Decimal(-5)}, "A step is above zero"),
    ({"rent_free_from": day("2026-06-01")}, "or neither"),
    ({"rent_free_from": day("2025-12-31"), "rent_free_to": day("2026-02-01")}, "within the contract"),
    ({"rent_free_from": day("2026-03-01"), "rent_free_to": day("2026-02-01")}, "within the contract"),
]


def test_what_a_contract_may_not_say(session):
    unit = add_unit(session)
    row = add_contract(session, unit, tenant(session), day("2026-01-01"), day("2026-12-31"))
    for change, said in WRONG:
        before = {name: getattr(row, name) for name in change}
        with session.no_autoflush:
            for name, value in change.items():
                setattr(row, name, value)
            with pytest.raises(Refused, match=said):
                contracts.check(session, row)
            for name, value in before.items():
                setattr(row, name, value)
    row.fee_item_id = item(session, "management_fee").id
    with pytest.raises(Refused, match="charged by the month"):
        contracts.check(session, row)


def test_what_is_billed_stays(session):
    unit = add_unit(session, "O-1", kind="office")
    row = add_contract(session, unit, tenant(session), day("2026-01-01"), day("2026-12-31"))
    bill(session)
    for name, value, is_refused in (
        ("rent", Decimal(9), True),
        ("valid_to", day("2026-06-15"), True),
        ("valid_to", day("2026-06-30"), False),
        ("deposit", Decimal(9), False),
    ):
        before = getattr(row, name)
        with session.no_autoflush:
            setattr(row, name, value)
            if is_refused:
                with pytest.raises(Refused, match="Bills until 2026-06-30"):
                    contracts.check(session, row)
                setattr(row, name, before)
            else:
                contracts.check(session, row)
    late = RentChange(contract_id=row.id, from_on=day("2026-06-30"), rent=Decimal(1))
    with pytest.raises(Refused, match="from the next day on"):
        contracts.check_change(session, late, row)


COLUMNS = [
    *("number", "unit_code", "tenant_name", "valid_from", "valid_to", "rent", "deposit"),
    *("step_every_months", "step_percent", "step_amount", "rent_free_from", "rent_free_to"),
]
ROWS = [
    ["HT-2026-01", "o-1", "云山科技有限公司", "2026-03-15", "2029-03-14", "10000", "20000", "12", "5", "",
     "2026-03-15", "2026-04-30"],
    ["HT-2026-02", "O-2", "新来的商行", "2026-01-01", "2026-12-31", "800.5", "", "6", "", "100", "", ""],
]  # fmt: skip


@pytest.fixture
def bring(session, tmp_path):
    def take_in(rows, header=COLUMNS, **more):
        path = csv_file(tmp_path / "contracts.csv", header, rows)
        return imports.take_in(
            session, "contracts", IMPORTS["contracts"], imports.read(path), now=NOW, **more
        )

    return take_in


def exported(session):
    header, rows = EXPORTS["contracts"](session)
    return list(header), [["" if one is None else str(one) for one in row] for row in rows]


def test_contracts_come_in_once_and_go_out_as_they_came(session, bring):
    for code in ("O-1", "O-2"):
        add_unit(session, code, kind="office")
    item(session, "rent").is_active = False

    first, again = bring(ROWS), bring(ROWS)
    header, rows = exported(session)
    round_trip = bring(rows, header)

    assert (first.new, again.new, again.skipped, round_trip.skipped) == (2, 0, 2, 2)
    entered = session.scalars(select(Audit.changes).where(Audit.table_name == "rent_contract")).all()
    assert ["HT-2026-01" in said for said in entered].count(True) == 1
    assert len(entered) == 2
    assert item(session, "rent").is_active
    assert header == COLUMNS
    assert rows[1][:7] == [
        "HT-2026-01",
        "O-1",
        "云山科技有限公司",
        "2026-03-15",
        "2029-03-14",
        "10000.00",
        "20000.00",
    ]
    assert rows[1][7:] == ["12", "5.00", "", "2026-03-15", "2026-04-30"]
    assert rows[0][5:] == ["800.50", "0.00", "6", "", "100.00", "", ""]
    assert session.scalars(select(Owner.kind).where(Owner.name == "新来的商行")).all() == ["company"]


def test_another_value_is_told_and_written_with_update(session, bring):
    for code in ("O-1", "O-2"):
        add_unit(session, code, kind="office")
    bring(ROWS)
    changed = [
        [*ROWS[0][:5], "9000", *ROWS[0][6:8], "", "300", "", ""],
        [*ROWS[1][:4], "2026-11-30", *ROWS[1][5:]],
    ]

    told = bring(changed)
    written = bring(changed, wanted=imports.EVERY_DIFFERENCE)

    assert [(one.row, one.column, one.there, one.here) for one in told.differences] == [
        (2, "rent", "10000", "9000"),
        (2, "step_percent", "5", ""),
        (2, "step_amount", "", "300"),
        (3, "valid_to", "2026-12-31", "2026-11-30"),
    ]
    assert (written.updated, bring(changed).skipped) == (2, 2)
    edits = session.scalars(
        select(Audit.changes).where(Audit.action == "edit", Audit.table_name == "rent_contract")
    )
    assert len(edits.all()) == 2


@pytest.mark.parametrize(
    ("row", "said"),
    [
        (["N", "O-1", "甲", "2026-05-01", "2027-01-01", "1", "", "", "", "", "", ""], "HT-2026-01 holds"),
        (["N", "O-1", "甲", "2020-05-01", "2020-01-01", "1", "", "", "", "", "", ""], "not be after"),
        (["N", "O-1", "甲", "2020-05-01", "2021-01-01", "1", "", "", "5", "", "", ""], "either a percentage"),
        (["N", "O-1", "王小明", "2020-05-01", "2021-01-01", "1", "", "", "", "", "", ""], ""),
        (["N", "O-1", "张伟", "2020-05-01", "2021-01-01", "1", "", "", "", "", "", ""], "Several people"),
        (["HT-2026-01", "O-2", "甲", "2020-05-01", "2021-01-01", "0", "", "", "", "", "", ""], "zero"),
        (["HT-2026-01", "X", "甲", "2020-05-01", "2021-01-01", "1", "", "", "", "", "", ""], "unknown unit"),
    ],
)  # fmt: skip
def test_wrong_contracts_are_refused_whole(session, bring, row, said):
    for code in ("O-1", "O-2"):
        add_unit(session, code, kind="office")
    tenant(session, "张伟"), tenant(session, "张伟")
    bring(ROWS)
    if not said:
        assert bring([row]).new == 1
        return
    with pytest.raises(imports.RowsRefused) as refusal:
        bring([["FINE", "O-1", "甲", "2030-01-01", "2030-12-31", "1", "", "", "", "", "", ""], row])
    assert said in " ".join(one.message % one.values for one in refusal.value.problems)


def test_what_ends_soon_and_is_not_followed(session):
    ends = {"2026-06-19": "", "2026-06-20": "123", "2026-07-20": "123", "2026-07-21": "12",
            "2026-08-19": "12", "2026-08-20": "1", "2026-09-18": "1", "2026-09-19": ""}  # fmt: skip
    for place, last in enumerate(ends):
        add_contract(
            session, add_unit(session, f"O-{place}"), tenant(session), valid_to=day(last), number=f"{last}"
        )
    renewed = add_unit(session, "renewed")
    add_contract(session, renewed, tenant(session), valid_to=day("2026-07-01"), number="old")
    add_contract(session, renewed, tenant(session), day("2026-07-02"), number="new")
    days = contracts.end_days(session, TODAY)
    found = {
        place: set(session.scalars(select(RentContract.number).where(*contracts.ends_soon(TODAY, count))))
        for place, count in enumerate(days, 1)
    }
    assert days == (90, 60, 30)
    assert found == {
        place: {last for last, lists in ends.items() if str(place) in lists} for place in (1, 2, 3)
    }
