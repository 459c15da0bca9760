"""Vehicles and parking cards: checked, renewed and charged, listed, brought in and given out (B25)."""

from __future__ import annotations

from decimal import Decimal

import pytest
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from models import triggers
from models.billing import Invoice, InvoiceLine
from models.office import Audit
from models.people import Occupancy, Owner
from models.vehicles import Vehicle
from office.core.errors import Refused
from office.estate import vehicles
from office.estate.household_file import household
from office.estate.search import search
from office.exchange import imports
from office.rooms import EXPORTS, IMPORTS
from tests.factories.estate import NOW, add_item, add_staff, add_unit, assert_books_hold, bill, day, occupy
from tests.factories.spreadsheets import csv_file

TODAY = day("2026-06-20")


def add_vehicle(session, plate, unit=None, bay=None, first="2026-06-01", last="2026-06-30", owner=None):
    row = Vehicle(
        plate=plate,
        unit_id=unit and unit.id,
        owner_id=owner and owner.id,
        bay_id=bay and bay.id,
        card_from=day(first),
        card_to=day(last),
    )
    session.add(row)
    session.flush()
    return row


@pytest.fixture
def bay(session):
    return add_unit(session, "P-1", kind="parking", payer="")


@pytest.mark.parametrize(
    ("first", "last", "is_refused"),
    [
        ("2026-05-01", "2026-05-31", False),
        ("2026-05-01", "2026-06-01", True),
        ("2026-06-10", "2026-06-11", True),
        ("2026-06-30", "2026-07-31", True),
        ("2026-07-01", "2026-07-31", False),
    ],
)
def test_the_database_refuses_two_cards_for_one_bay_at_one_time(session, bay, first, last, is_refused):
    unit = add_unit(session)
    add_vehicle(session, "A1", unit, bay)
    add_vehicle(session, "A2", unit), add_vehicle(session, "A3", unit)  # free ones never meet
    if not is_refused:
        add_vehicle(session, "B1", unit, bay, first, last)
        return
    other = Vehicle(plate="B1", unit_id=unit.id, bay_id=bay.id, card_from=day(first), card_to=day(last))
    with pytest.raises(Refused, match="A1 has a card for bay P-1"):
        vehicles.check(session, other)
    session.add(other)
    with pytest.raises(IntegrityError, match=triggers.ONE_CARD_OF_A_BAY):
        session.flush()
    session.rollback()


def test_what_a_vehicle_may_not_say(session, bay):
    unit = add_unit(session)
    row = add_vehicle(session, "A1", unit)
    add_vehicle(session, "A2", unit)
    for change, said in (
        ({"plate": "·"}, "number plate"),
        ({"plate": "a 2"}, "there already"),
        ({"unit_id": None}, "which unit or which person"),
        ({"card_to": day("2026-05-31")}, "not be after"),
        ({"bay_id": unit.id}, "1-101 is no parking bay"),
    ):
        with session.no_autoflush:
            before = {name: getattr(row, name) for name in change}
            for name, value in change.items():
                setattr(row, name, value)
            with pytest.raises(Refused, match=said):
                vehicles.check(session, row)
            for name, value in before.items():
                setattr(row, name, value)


class TestRenewing:
    def test_cards_go_on_or_begin_today_and_the_bill_takes_the_charge_up(self, session):
        unit, other = add_unit(session), add_unit(session, "1-102", payer="李四")
        staff = add_staff(session, "desk", "front_desk")
        item = add_item(session, "parking_card", "per_job", rates={"residence": "40"})
        rows = [add_vehicle(session, "A1", unit), add_vehicle(session, "A2", other, last="2026-06-10")]

        vehicles.renew(session, rows, vehicles.Renewal(3, item.id), now=NOW, today=TODAY, staff_id=staff.id)
        bill(session, "2026-07")

        assert [(str(one.card_from), str(one.card_to)) for one in rows] == [
            ("2026-06-01", "2026-09-30"),
            ("2026-06-20", "2026-09-19"),
        ]
        lines = select(InvoiceLine.amount).join(Invoice).where(InvoiceLine.fee_item_id == item.id)
        assert session.scalars(lines).all() == [Decimal(120), Decimal(120)]
        edits = select(Audit.row_id).where(Audit.table_name == "vehicle", Audit.action == "edit")
        assert set(session.scalars(edits)) == {row.id for row in rows}
        assert_books_hold(session)

    @pytest.mark.parametrize(
        ("months", "amount", "said"),
        [
            (0, None, "1 to 120 months"),
            (121, None, "1 to 120 months"),
            (1, "-1", "above zero"),
        ],
    )
    def test_what_no_renewal_is(self, session, months, amount, said):
        row = add_vehicle(session, "A1", add_unit(session))
        wanted = vehicles.Renewal(months, None, amount and Decimal(amount))
        with pytest.raises(Refused, match=said):
            vehicles.renew(session, [row], wanted, now=NOW, today=TODAY, staff_id=1)
        assert row.card_to == day("2026-06-30")

    def test_nothing_is_charged_to_nobodys_unit_nor_by_another_basis(self, session):
        person = Owner(name="访客")
        session.add(person)
        session.flush()
        item = add_item(session, "card", "per_job", rates={"residence": "40"})
        monthly = add_item(session, "m", "fixed")
        free = add_vehicle(session, "A1", owner=person)
        own = add_vehicle(session, "A2", add_unit(session))
        for row, by, said in ((free, item, "belongs to no unit"), (own, monthly, "single jobs")):
            with pytest.raises(Refused, match=said):
                vehicles.renew(session, [row], vehicles.Renewal(1, by.id), now=NOW, today=TODAY, staff_id=1)


def test_the_lists_of_cards(session):
    here = add_unit(session)
    gone = add_unit(session, "1-102", payer="")
    moved = occupy(session, gone, "搬走", day("2020-01-01"), day("2026-06-19"))
    lives = session.scalars(select(Owner).where(Owner.name == "王小明")).one()
    for plate, last in (
        ("E0", "2026-06-19"),
        ("E1", "2026-06-20"),
        ("E30", "2026-07-20"),
        ("E31", "2026-07-21"),
    ):
        add_vehicle(session, plate, here, last=last)
    add_vehicle(session, "OWN", owner=lives, last="2026-06-19")
    add_vehicle(session, "GONE-OUT", owner=moved, last="2026-06-19")
    add_vehicle(session, "GONE-HOLDS", gone, owner=moved, last="2026-12-31")
    add_vehicle(session, "EMPTY-HOLDS", gone, last="2026-12-31")

    def found(conditions):
        return set(session.scalars(select(Vehicle.plate).where(*conditions)))

    assert vehicles.end_days(session, TODAY) == 30
    assert found(vehicles.ends_within(TODAY, 30)) == {"E1", "E30"}
    assert found(vehicles.without_card(TODAY)) == {"E0", "OWN"}
    assert found(vehicles.left(TODAY)) == {"GONE-HOLDS", "EMPTY-HOLDS"}
    session.scalars(select(Occupancy).where(Occupancy.owner_id == moved.id)).one().to_on = TODAY
    session.flush()
    assert found(vehicles.left(TODAY)) == set()


def test_the_household_file_shows_them_and_the_search_finds_a_plate(session, bay):
    unit = add_unit(session)
    add_vehicle(session, "粤B12345", unit, bay)

    for place in (unit, bay):
        found = household(session, place.id, TODAY)
        assert found is not None
        assert [one.plate for one in found.vehicles] == ["粤B12345"]
    assert [(hit.kind, hit.title, hit.detail) for hit in search(session, "粤b·123")] == [
        ("vehicle", "粤B12345", "1-101")
    ]


COLUMNS = ["plate", "unit_code", "owner_name", "bay_code", "card_from", "card_to", "note"]
ROWS = [
    ["粤B·123 45", "1-101", "王小明", "p-1", "2026-06-01", "2026-06-30", "白色"],
    ["粤BD67890", "", "访客", "", "2026-01-01", "2026-12-31", ""],
    ["ABC-1234", "1-101", "", "", "2026-06-01", "2026-08-31", ""],
]


@pytest.fixture
def bring(session, tmp_path, bay):
    add_unit(session)

    def take_in(rows, header=COLUMNS, **more):
        path = csv_file(tmp_path / "vehicles.csv", header, rows)
        return imports.take_in(session, "vehicles", IMPORTS["vehicles"], imports.read(path), now=NOW, **more)

    return take_in


def test_vehicles_come_in_once_and_go_out_as_they_came(session, bring):
    first, again = bring(ROWS), bring(ROWS)
    header, table = EXPORTS["vehicles"](session)
    rows = [[str(one) for one in row] for row in table]
    round_trip = bring(rows, list(header))

    assert (first.new, again.new, again.skipped, round_trip.skipped) == (3, 0, 3, 3)
    made = select(Audit.row_id).where(Audit.table_name == "vehicle", Audit.action == "create")
    assert len(session.scalars(made).all()) == 3
    assert list(header) == COLUMNS
    assert sorted(rows) == sorted(
        [
            ["粤B12345", "1-101", "王小明", "P-1", "2026-06-01", "2026-06-30", "白色"],
            *ROWS[1:],
        ]
    )


def test_another_value_is_told_and_written_with_update(session, bring):
    bring(ROWS)
    changed = [[*ROWS[0][:5], "2026-07-31", "白色"], ["粤BD67890", "1-101", *ROWS[1][2:]]]

    told = bring(changed)
    written = bring(changed, wanted=imports.EVERY_DIFFERENCE)

    assert [(one.row, one.column, one.there, one.here) for one in told.differences] == [
        (2, "card_to", "2026-06-30", "2026-07-31"),
        (3, "unit_code", "", "1-101"),
    ]
    assert (written.updated, bring(changed).skipped) == (2, 2)


@pytest.mark.parametrize(
    ("row", "said"),
    [
        (["X1", "1-101", "", "P-1", "2026-06-30", "2026-07-31", ""], "粤B12345 has a card for bay P-1"),
        (["X1", "1-101", "", "1-101", "2026-06-30", "2026-07-31", ""], "no parking bay"),
        (["X1", "", "", "", "2026-06-30", "2026-07-31", ""], "which unit or which person"),
        (["X1", "9-9", "", "", "2026-06-30", "2026-07-31", ""], "unknown unit"),
        (["· ", "1-101", "", "", "2026-06-30", "2026-07-31", ""], "no number plate"),
        (["X1", "1-101", "", "", "2026-06-30", "2026-06-29", ""], "not be after"),
        (["GOOD-1", "1-101", "", "", "2026-06-30", "2026-07-31", ""], "stands in row 2 already"),
    ],
)
def test_wrong_vehicles_are_refused_whole(session, bring, row, said):
    bring(ROWS)
    with pytest.raises(imports.RowsRefused) as refusal:
        bring([["good-1", "1-101", "", "", "2026-01-01", "2026-12-31", ""], row])
    assert said in " ".join(one.message % one.values for one in refusal.value.problems)
