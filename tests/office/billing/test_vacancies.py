"""Empty units are charged a part of some items, by an application that another person approved (B17)."""

from __future__ import annotations

from decimal import Decimal

import pytest
from sqlalchemy import select

from models.billing import InvoiceLine
from models.office import Audit
from models.people import Occupancy
from models.vacancies import Vacancy
from office.billing import runs, vacancies
from office.core.errors import Refused
from office.exchange import imports
from office.rooms import EXPORTS, IMPORTS
from rules.reasons import Reason
from tests.factories.estate import NOW, add_staff, add_unit, assert_books_hold, at, bill, day, item, occupy
from tests.factories.rates import add_rate
from tests.factories.spreadsheets import csv_file

FEE = "management_fee"


def add_vacancy(session, unit, valid_from="2026-06-01", *, state="approved", **row):
    made = Vacancy(
        unit_id=unit.id, valid_from=day(valid_from), state=state, proof="水表三个月未走", asked_at=NOW, **row
    )
    session.add(made)
    session.flush()
    return made


def amounts(session):
    """Each line's unit, amount and the rows that it names, by period."""
    rows = session.scalars(select(InvoiceLine).order_by(InvoiceLine.id)).all()
    return [
        (
            line.invoice.period,
            line.invoice.unit.code,
            str(line.amount),
            Reason.from_json(line.explanation).inputs.get("row", ""),
        )
        for line in rows
    ]


def asked(session):
    """A unit, an application for it, who asked and who may decide."""
    unit = add_unit(session)
    clerk, manager = add_staff(session, "clerk", "front_desk"), add_staff(session, "boss", "manager")
    row = add_vacancy(session, unit, state="requested", asked_by_id=clerk.id)
    return unit, row, clerk, manager


class TestBills:
    def test_the_factor_multiplies_what_the_unit_is_charged_and_the_line_names_it(self, session):
        """154.78 × 1.20 × 0.7 = 130.0152 → 130.02 to the fen, 130.0 to the jiao (contract)."""
        empty, full = (add_unit(session, code, area="154.78", payer=code) for code in ("1-101", "1-102"))
        for unit in (empty, full):
            add_rate(session, FEE, unit_id=unit.id, rate="1.20")
        add_vacancy(session, empty)

        shown = runs.preview(session, "2026-06", now=NOW)
        issued = bill(session)
        item(session, FEE).rounding = "jiao"
        session.flush()
        bill(session, "2026-07")

        assert shown.amount == issued.amount
        assert [(period, code, amount) for period, code, amount, _ in amounts(session)] == [
            ("2026-06", "1-101", "130.02"),
            ("2026-06", "1-102", "185.74"),
            ("2026-07", "1-101", "130.00"),
            ("2026-07", "1-102", "185.70"),
        ]
        assert amounts(session)[0][3] == "1-101 2020-01-01 × vacancy 1-101 2026-06-01"
        assert_books_hold(session)

    def test_a_vacancy_multiplies_a_factor_of_floors_and_leaves_an_exempt_unit_exempt(self, session):
        high, free = (add_unit(session, code, payer=code, floor=9) for code in ("1-901", "1-902"))
        add_rate(session, FEE, floor_from=5, floor_to=20, factor="1.1")
        add_rate(session, FEE, unit_id=free.id, is_exempt=True)
        for unit in (high, free):
            add_vacancy(session, unit)

        bill(session)

        assert [one[:3] for one in amounts(session)] == [("2026-06", "1-901", "192.50")]  # 250 × 1.1 × 0.7

    def test_it_begins_with_the_next_month_and_ends_when_a_tenant_comes(self, session):
        unit = add_unit(session)
        add_vacancy(session, unit, "2026-05-02")
        bill(session, "2026-05")
        bill(session, "2026-06")
        tenant = occupy(session, add_unit(session, "2-1", payer=""), "租户", day("2026-06-20"))
        session.add(
            Occupancy(
                unit_id=unit.id, owner_id=tenant.id, kind="tenant", is_payer=False, from_on=day("2026-06-20")
            )
        )
        session.flush()
        bill(session, "2026-07")

        assert [one[2] for one in amounts(session) if one[1] == unit.code] == ["250.00", "175.00", "250.00"]

    def test_only_what_is_approved_counts_and_only_for_items_that_know_it(self, session):
        add_vacancy(session, add_unit(session, "1-1", payer="甲"), state="requested")
        add_vacancy(session, add_unit(session, "1-2", payer="乙"), state="refused")
        add_vacancy(session, add_unit(session, "1-3", payer="丙"), factor=Decimal("0.5"))
        item(session, FEE).vacancy_factor = None
        add_vacancy(session, add_unit(session, "1-4", payer="丁"))
        named = add_unit(session, "1-5", payer="戊")
        add_vacancy(session, named, fee_item_id=item(session, FEE).id, factor=Decimal("0.4"))

        bill(session)

        assert [one[1:3] for one in amounts(session)] == [
            ("1-1", "250.00"),
            ("1-2", "250.00"),
            ("1-3", "250.00"),
            ("1-4", "250.00"),
            ("1-5", "100.00"),
        ]


class TestDecisions:
    def test_another_person_approves_once(self, session):
        _, row, clerk, manager = asked(session)

        with pytest.raises(Refused, match="entered this yourself"):
            vacancies.decide(session, row.id, is_approved=True, staff_id=clerk.id, now=NOW)
        vacancies.decide(session, row.id, is_approved=True, staff_id=manager.id, now=NOW)
        with pytest.raises(Refused, match="decided already"):
            vacancies.decide(session, row.id, is_approved=False, staff_id=manager.id, now=NOW)

        assert (row.state, row.decided_by_id) == ("approved", manager.id)
        assert session.scalars(select(Audit.action).where(Audit.table_name == "vacancy")).all() == ["approve"]

    def test_a_let_unit_is_not_empty(self, session):
        unit, row, _, manager = asked(session)
        session.execute(
            Occupancy.__table__.update().where(Occupancy.unit_id == unit.id).values(kind="tenant")
        )

        with pytest.raises(Refused, match="tenant is in this unit"):
            vacancies.decide(session, row.id, is_approved=True, staff_id=manager.id, now=NOW)

    def test_what_cannot_be_is_refused(self, session):
        unit = add_unit(session)
        for wrong, said in (
            ({"proof": " "}, "what shows"),
            ({"valid_to": day("2026-05-31")}, "must not be after"),
            ({"factor": Decimal("1.2")}, "between 0 and 1"),
            ({"fee_item_id": item(session, "rent").id}, "Give the factor"),
        ):
            row = Vacancy(**{"unit_id": unit.id, "valid_from": day("2026-06-01"), "proof": "x", **wrong})
            with pytest.raises(Refused, match=said):
                vacancies.check(session, row)
        add_vacancy(session, unit, valid_to=day("2026-12-31"))
        again = Vacancy(unit_id=unit.id, valid_from=day("2026-12-31"), proof="x")
        with pytest.raises(Refused, match="Another application"):
            vacancies.check(session, again)
        again.valid_from = day("2027-01-01")
        vacancies.check(session, again)

    def test_the_clock_ends_what_is_occupied_and_keeps_the_rest(self, session):
        kept, lived_in, later = (add_unit(session, code, payer=code) for code in ("1-1", "1-2", "1-3"))
        rows = [add_vacancy(session, unit, "2026-01-01") for unit in (kept, lived_in)]
        rows.append(add_vacancy(session, later, "2026-08-01"))
        lived_in.state = "occupied"
        later.state = "occupied"
        session.flush()

        for _ in range(2):
            vacancies.end_of_occupied(session, at("2026-06-20"))

        assert [row.valid_to for row in rows] == [None, day("2026-06-19"), None]

    def test_they_are_listed_to_be_looked_at_and_before_they_end(self, session):
        unit, other = (add_unit(session, code, payer=code) for code in ("1-1", "1-2"))
        seen = add_vacancy(session, unit, "2026-01-01", valid_to=day("2026-07-10"))
        add_vacancy(session, other, "2026-05-01")
        today = day("2026-06-20")

        def listed(conditions):
            return [row.unit.code for row in session.scalars(select(Vacancy).where(*conditions))]

        assert listed(vacancies.to_be_checked(session, today)) == ["1-1"]
        assert listed(vacancies.ends_soon(today)) == ["1-1"]
        vacancies.note_check(session, seen, today, now=NOW, staff_id=None)
        assert listed(vacancies.to_be_checked(session, today)) == []
        vacancies.end(session, seen, day("2026-06-30"), now=NOW, staff_id=None)
        with pytest.raises(Refused, match="Choose a day"):
            vacancies.end(session, seen, day("2026-07-01"), now=NOW, staff_id=None)


class TestFiles:
    COLUMNS = ("房号", "起始日期", "截止日期", "系数", "收费项目", "空置证明", "批准人")

    def taken(self, session, tmp_path, *rows, **more):
        path = csv_file(tmp_path / "vacancies.csv", self.COLUMNS, rows)
        kind = IMPORTS["vacancies"]
        return imports.take_in(session, "vacancies", kind, imports.read(path), now=NOW, **more)

    def test_a_table_comes_in_by_command_and_goes_out_and_in_alike(self, session, tmp_path):
        add_unit(session)
        add_staff(session, "boss", "manager")

        taken = self.taken(session, tmp_path, ["1-101", "2026-06-01", "", "", "", "水表未走", "boss"])
        bill(session)

        assert (taken.new, amounts(session)[0][2]) == (1, "175.00")
        header, rows = EXPORTS["vacancies"](session)
        path = csv_file(tmp_path / "again.csv", header, list(rows))
        again = imports.take_in(session, "vacancies", IMPORTS["vacancies"], imports.read(path), now=NOW)
        assert (again.new, again.skipped, again.differences) == (0, 1, ())

    def test_brought_in_on_the_screen_they_wait_for_another_person(self, session, tmp_path):
        add_unit(session)
        add_staff(session, "boss", "manager")
        clerk = add_staff(session, "clerk", "cashier")

        self.taken(session, tmp_path, ["1-101", "2026-06-01", "", "", "", "seen", "boss"], staff_id=clerk.id)

        assert session.scalars(select(Vacancy.state)).all() == ["requested"]

    def test_an_unknown_approver_is_refused(self, session, tmp_path):
        add_unit(session)

        with pytest.raises(imports.RowsRefused, match="nobody of the staff"):
            self.taken(session, tmp_path, ["1-101", "2026-06-01", "", "", "", "seen", "nobody"])
