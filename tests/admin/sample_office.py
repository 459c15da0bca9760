"""A small office with a row in every table that has a screen, twice: `own` and `foreign` (F4–F9, F16, F17).

Own is what hangs on building 1, where the steward answers, and on the complaint that the cashier took and
that the lead's department has; foreign hangs on building 2, another steward's, and on another's complaint.
Texts begin with "own" or "foreign", so that a page tells whose rows it shows.

`python -m tests.admin.sample_office` fills the office of GATEHOUSE_INSTANCE, also one with the demo estate
in it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.security import generate_password_hash

from app import create_app
from models import db, engine
from models.base import Base
from models.billing import (
    BillingRun,
    CreditNote,
    Deposit,
    FeeItem,
    Incentive,
    IncentiveGrant,
    Instalment,
    InstalmentPlan,
    Invoice,
    InvoiceLine,
    LateFeeWaiver,
    Meter,
    MeterReading,
    ServiceSlip,
    Tariff,
    WaiverRequest,
)
from models.collection import (
    ArrearsNotice,
    Contact,
    DunningHold,
    LegalCase,
    OpeningText,
    Reminder,
    ReminderBatch,
    Restriction,
)
from models.complaints import (
    CaseEntry,
    Category,
    Complainant,
    Escalation,
    InvalidRequest,
    ReviewMeeting,
    Ticket,
    TicketClock,
    WorkSlip,
)
from models.contracts import RentChange, RentContract
from models.hints import DeskHint
from models.incidents import Incident, IncidentTicket
from models.office import CollectionTarget, JobRun, Message
from models.payments import (
    Allocation,
    DayClose,
    DayCloseLine,
    DayReopening,
    DebitMandate,
    DirectDebit,
    DirectDebitBatch,
    PayerAccount,
    Payment,
    StatementLayout,
    StatementRow,
)
from models.people import Department, Occupancy, Owner, OwnerPhone, Staff, StaffRole
from models.policies import PaperTemplate
from models.pools import Pool, PoolShare
from models.property import Area, Building, CalendarDay, Estate, Unit
from models.rates import ItemRate, UnitItemPayer
from models.secrets import fingerprint
from models.take_backs import TakeBack, TakenBill
from models.vacancies import Vacancy
from models.vehicles import Vehicle
from models.visits import Visit
from tests.admin.conftest import PASSWORD, Web
from tests.admin.panel.access import ROLES
from tests.conftest import Office
from tests.factories.rows import lay_on_lines

NOW = datetime(2026, 3, 2, 2, 0, tzinfo=UTC)
TODAY = date(2026, 3, 2)
PHONES = {"own": "13800138001", "foreign": "13900139002"}
ID_NUMBERS = {"own": "110101199001011237", "foreign": "44010119900101123X"}
COMPLAINANT_PHONES = {"own": "13700137003", "foreign": "13600136004"}
PLATES = {"own": "粤B11111", "foreign": "粤B99999"}
ACCOUNTS = {"own": "6222020200112233445", "foreign": "6222020200998877665"}
MORE = {"own": Decimal(0), "foreign": Decimal(7000)}  # by which a stranger's sums differ
REASON = '{"code": "manual", "inputs": {}}'


@dataclass
class World:
    """The ids of the two rows of each screen, and the people by role."""

    ids: dict[str, dict[str, int]] = field(default_factory=dict)
    people: dict[str, int] = field(default_factory=dict)

    def keep(self, whose: str, **rows: Base) -> None:
        for screen, row in rows.items():
            self.ids.setdefault(screen, {})[whose] = row.id  # type: ignore[attr-defined]


def furnish(session: Session, before_login: str = "") -> World:
    """Make everything and commit. The staff sign in with PASSWORD; their login is their role."""
    world = World()
    departments = list(session.scalars(select(Department).order_by(Department.id).limit(2)))
    for role in (*ROLES, "other_steward"):
        person = Staff(
            login=before_login + role,
            name=role.title(),
            password_hash=generate_password_hash(PASSWORD, "pbkdf2:sha256:1"),
        )
        person.role_rows = [StaffRole(role=role.removeprefix("other_"))]
        person.department = departments[0] if role == "department_lead" else None
        session.add(person)
        session.flush()
        world.people[role] = person.id
    item = session.scalars(select(FeeItem).order_by(FeeItem.id)).first()
    category = session.scalars(select(Category).order_by(Category.id)).first()
    assert item is not None
    assert category is not None
    for position, whose in enumerate(("own", "foreign")):
        _property(session, world, whose, item)
        _money(session, world, whose, item, position)
        _seldom_used(session, world, whose)
        _arrears(session, world, whose, item)
        _complaints(session, world, whose, category, departments[position])
        _office(session, world, whose, position)
    for screen, model in (
        ("estate", Estate),
        ("departments", Department),
        ("categories", Category),
        ("fee_items", FeeItem),
        ("tariffs", Tariff),
        ("paper_templates", PaperTemplate),
    ):
        first = list(session.scalars(select(model.id).order_by(model.id).limit(2)))  # type: ignore[attr-defined]
        world.ids[screen] = dict(zip(("own", "foreign"), first, strict=False))
    steward, other = (session.get_one(Staff, world.people[login]) for login in ("steward", "other_steward"))
    steward.buildings = [session.get_one(Building, world.ids["buildings"]["own"])]
    other.buildings = [session.get_one(Building, world.ids["buildings"]["foreign"])]
    session.commit()
    return world


def _added(session: Session, row: Any) -> Any:
    session.add(row)
    session.flush()
    return row


def _property(session: Session, world: World, whose: str, item: FeeItem) -> None:
    area = _added(session, Area(name=f"{whose} area"))
    building = _added(session, Building(name=f"{whose} building", area_id=area.id))
    unit = _added(
        session,
        Unit(
            code=f"{whose}-01",
            building_id=building.id,
            kind="residence",
            area_m2=Decimal("89.5"),
            state="occupied",
        ),
    )
    owner = _added(
        session,
        Owner(
            name=f"{whose} owner",
            pinyin_initials="wxy",
            email=f"{whose}@example.invalid",
            id_number=ID_NUMBERS[whose],
            id_number_mac=fingerprint(ID_NUMBERS[whose]),
            note=f"{whose} note",
        ),
    )
    phone = _added(
        session,
        OwnerPhone(owner_id=owner.id, number=PHONES[whose], number_mac=fingerprint(PHONES[whose])),
    )
    occupancy = _added(session, Occupancy(unit_id=unit.id, owner_id=owner.id, from_on=date(2025, 1, 1)))
    meter = _added(session, Meter(unit_id=unit.id, fee_item_id=item.id, code=f"{whose} meter"))
    reading = _added(session, MeterReading(meter_id=meter.id, read_on=TODAY, value=Decimal(5)))
    slip = _added(
        session,
        ServiceSlip(
            slip_no=f"{whose} slip", unit_id=unit.id, fee_item_id=item.id, used_on=TODAY, quantity=Decimal(1)
        ),
    )
    rate = _added(
        session,
        ItemRate(
            fee_item_id=item.id,
            unit_id=unit.id,
            factor=Decimal(1),
            valid_from=date(2025, 1, 1),
            reason="agreed",
        ),
    )
    pool = _added(
        session,
        Pool(
            period="2026-05",
            fee_item_id=item.id,
            scope="units",
            scope_value=unit.code,
            place=f"units:{whose}",
            key="area",
            amount=Decimal(10),
            denominator=unit.area_m2,
        ),
    )
    pool_share = _added(
        session,
        PoolShare(pool_id=pool.id, unit_id=unit.id, key_value=unit.area_m2, amount=Decimal(10)),
    )
    item_payer = _added(
        session,
        UnitItemPayer(unit_id=unit.id, fee_item_id=item.id, owner_id=owner.id, valid_from=date(2025, 1, 1)),
    )
    contract = _added(
        session,
        RentContract(
            number=f"{whose} contract",
            unit_id=unit.id,
            owner_id=owner.id,
            fee_item_id=session.scalars(select(FeeItem.id).where(FeeItem.code == "rent")).one(),
            valid_from=date(2040, 1, 1),
            valid_to=date(2040, 12, 31),
            rent=Decimal(1000) + MORE[whose],
        ),
    )
    rent_change = _added(
        session,
        RentChange(contract_id=contract.id, from_on=date(2040, 7, 1), percent=Decimal(2), reason="index"),
    )
    vacancy = _added(
        session,
        Vacancy(unit_id=unit.id, valid_from=date(2040, 1, 1), proof=f"{whose} proof", asked_at=NOW),
    )
    hint = _added(
        session, DeskHint(unit_id=unit.id, words=f"{whose} hint", from_on=date(2025, 1, 1), kind="key")
    )
    vehicle = _added(
        session,
        Vehicle(
            plate=PLATES[whose],
            unit_id=unit.id,
            owner_id=owner.id,
            card_from=date(2040, 1, 1),
            card_to=date(2040, 12, 31),
        ),
    )
    world.keep(
        whose,
        vacancies=vacancy,
        vehicles=vehicle,
        desk_hints=hint,
        contracts=contract,
        rent_changes=rent_change,
        item_rates=rate,
        pools=pool,
        pool_shares=pool_share,
        item_payers=item_payer,
        areas=area,
        buildings=building,
        units=unit,
        household=unit,
        owners=owner,
        owner_phones=phone,
        occupancies=occupancy,
        meters=meter,
        meter_readings=reading,
        service_slips=slip,
    )


def _money(session: Session, world: World, whose: str, item: FeeItem, position: int) -> None:
    unit_id, payer_id = world.ids["units"][whose], world.ids["owners"][whose]
    invoice = _added(
        session,
        Invoice(
            number=f"{whose.upper()}-F1",
            unit_id=unit_id,
            payer_id=payer_id,
            period="2026-01",
            amount=Decimal(100) + MORE[whose],
            paid=Decimal(40),
            balance=Decimal(60) + MORE[whose],
            state="partly_paid",
            issued_on=date(2026, 1, 1),
            due_on=date(2026, 1, 15),
        ),
    )
    line = _added(
        session,
        InvoiceLine(
            invoice_id=invoice.id,
            fee_item_id=item.id,
            quantity=Decimal(10),
            rate=Decimal(10) + MORE[whose] / 10,
            amount=Decimal(100) + MORE[whose],
        ),
    )
    payment = _added(
        session,
        Payment(
            receipt_no=f"{whose.upper()}-R1",
            series="T",
            year=2026,
            running_no=position + 1,
            unit_id=unit_id,
            payer_id=payer_id,
            method="cash",
            amount=Decimal(50) + MORE[whose],
            allocated=Decimal(40),
            credit=Decimal(10) + MORE[whose],
            paid_at=NOW,
            posted_at=NOW,
            posted_on=TODAY,
            note=f"{whose} note",
        ),
    )
    plan = _added(
        session,
        InstalmentPlan(
            unit_id=unit_id, payer_id=payer_id, amount=Decimal(60) + MORE[whose], reason=f"{whose} plan"
        ),
    )
    part = _added(session, Instalment(plan_id=plan.id, due_on=TODAY, amount=Decimal(60) + MORE[whose]))
    rows = {
        "allocations": Allocation(
            payment_id=payment.id,
            invoice_id=invoice.id,
            amount=Decimal(40),
            allocated_on=TODAY,
            allocated_at=NOW,
            effective_at=NOW,
        ),
        "credit_notes": CreditNote(
            number=f"{whose.upper()}-C1",
            invoice_id=invoice.id,
            amount=Decimal(1),
            reason=f"{whose} credit",
            issued_on=TODAY,
        ),
        "late_fee_waivers": LateFeeWaiver(
            invoice_id=invoice.id,
            amount=Decimal(1),
            reason=f"{whose} waiver",
            waived_on=TODAY,
            staff_id=world.people["manager"],
        ),
        "deposits": Deposit(
            number=f"{whose.upper()}-D1",
            unit_id=unit_id,
            payer_id=payer_id,
            fee_item_id=item.id,
            entry="taken",
            amount=Decimal(5),
            reason=f"{whose} deposit",
            posted_on=TODAY,
        ),
        "statement_rows": StatementRow(
            source="bank",
            transaction_id=f"{whose}-X1",
            number=f"{whose}-X1",
            paid_at=NOW,
            amount=Decimal(3),
            method="bank_transfer",
            memo=f"{whose} memo",
            payer_name=f"{whose} payer",
            imported_at=NOW,
        ),
        "day_closes": DayClose(
            day=TODAY - timedelta(days=position + 1),
            cashier_id=world.people["cashier"],
            closed_by_id=world.people["cashier"],
            closed_at=NOW,
        ),
    }
    for row in rows.values():
        _added(session, row)
    lay_on_lines(session, rows["allocations"])
    rows["day_close_lines"] = _added(
        session,
        DayCloseLine(
            day_close_id=rows["day_closes"].id, method="cash", expected=Decimal(0), counted=Decimal(0)
        ),
    )
    rows["day_reopenings"] = _added(
        session,
        DayReopening(
            day_close_id=rows["day_closes"].id,
            reason=f"{whose} reopening",
            asked_by_id=world.people["cashier"],
            asked_at=NOW,
        ),
    )
    world.keep(
        whose,
        invoices=invoice,
        invoice_lines=line,
        payments=payment,
        instalment_plans=plan,
        instalments=part,
        **rows,
    )


def _seldom_used(session: Session, world: World, whose: str) -> None:
    """Runs, debits, layouts, rewards and waivers that wait."""
    unit_id, payer_id = world.ids["units"][whose], world.ids["owners"][whose]
    invoice_id = world.ids["invoices"][whose]
    batch = _added(
        session,
        DirectDebitBatch(number=f"{whose} file", period="2026-01", layout="icbc_text", exported_at=NOW),
    )
    reward = _added(
        session,
        Incentive(
            name_en=f"{whose} reward",
            percent=Decimal(2),
            gift=f"{whose} gift",
            valid_from=TODAY,
            valid_to=TODAY,
        ),
    )
    take_back = _added(
        session,
        TakeBack(
            period="2026-01",
            reason=f"{whose} mistake",
            bills=1,
            amount=Decimal(1),
            asked_by_id=world.people["cashier"],
            asked_at=NOW,
        ),
    )
    rows = {
        "take_backs": take_back,
        "taken_bills": TakenBill(
            take_back_id=take_back.id,
            invoice_id=invoice_id,
            credit_note_id=world.ids["credit_notes"][whose],
        ),
        "billing_runs": BillingRun(
            period="2026-01",
            issued_on=TODAY,
            started_at=NOW,
            finished_at=NOW,
            staff_id=world.people["cashier"],
            state="done",
            unbilled=f'[{{"unit_code": "{whose}-09", "reason": "no_tariff"}}]',
        ),
        "direct_debit_rows": DirectDebit(batch_id=batch.id, invoice_id=invoice_id, amount=Decimal(60)),
        "debit_mandates": DebitMandate(
            unit_id=unit_id,
            owner_id=payer_id,
            bank=f"{whose} bank",
            account=ACCOUNTS[whose],
            account_name=f"{whose} owner",
            signed_on=TODAY,
        ),
        "payer_accounts": PayerAccount(
            unit_id=unit_id,
            owner_id=payer_id,
            account=ACCOUNTS[whose],
            account_mac=fingerprint(ACCOUNTS[whose]),
            account_name=f"{whose} owner",
            confirmed_at=NOW,
        ),
        "statement_layouts": StatementLayout(
            name=f"{whose} layout",
            header=f'["{whose} time", "{whose} sum"]',
            columns=f'{{"paid_at": "{whose} time", "amount": "{whose} sum"}}',
        ),
        "waiver_requests": WaiverRequest(
            invoice_id=invoice_id,
            amount=Decimal(1),
            reason=f"{whose} request",
            asked_by_id=world.people["cashier"],
            asked_at=NOW,
        ),
        "incentive_grants": IncentiveGrant(
            incentive_id=reward.id,
            unit_id=unit_id,
            year=2026,
            payment_id=world.ids["payments"][whose],
            granted_on=TODAY,
            explanation=REASON,
        ),
        "job_runs": JobRun(
            job="rewards", due_for=NOW + timedelta(minutes=len(whose)), state="dead", error=f"{whose} error"
        ),
    }
    for row in rows.values():
        _added(session, row)
    world.keep(whose, direct_debits=batch, incentives=reward, **rows)


def _arrears(session: Session, world: World, whose: str, item: FeeItem) -> None:
    unit_id, payer_id = world.ids["units"][whose], world.ids["owners"][whose]
    batch = _added(
        session,
        ReminderBatch(number=f"{whose} batch", stage="call", made_for=TODAY, made_at=NOW, part=len(whose)),
    )
    reminder = _added(
        session,
        Reminder(
            batch_id=batch.id,
            subject_id=world.ids["invoices"][whose],
            stage="call",
            unit_id=unit_id,
            payer_id=payer_id,
            debt=Decimal(60) + MORE[whose],
            due_on=date(2026, 1, 15),
            planned_on=TODAY,
            channel="phone",
            state="planned",
        ),
    )
    contact = _added(
        session,
        Contact(
            at=NOW,
            recorded_at=NOW,
            unit_id=unit_id,
            payer_id=payer_id,
            method="phone",
            outcome="",
            note=f"{whose} contact",
        ),
    )
    hold = _added(
        session, DunningHold(unit_id=unit_id, payer_id=payer_id, from_at=NOW, reason=f"{whose} hold")
    )
    restriction = _added(
        session,
        Restriction(
            unit_id=unit_id,
            payer_id=payer_id,
            invoice_id=world.ids["invoices"][whose],
            fee_item_id=item.id,
            requested_on=TODAY,
            reason=f"{whose} restriction",
        ),
    )
    case = _added(
        session,
        LegalCase(
            unit_id=unit_id, payer_id=payer_id, opened_on=TODAY, amount=Decimal(60), result=f"{whose} result"
        ),
    )
    notice = _added(
        session,
        ArrearsNotice(
            building_id=world.ids["buildings"][whose],
            reason=f"{whose} notice",
            place=f"{whose} place",
            from_on=TODAY,
            to_on=TODAY,
            requested_by_id=world.people["manager"],
        ),
    )
    world.keep(
        whose,
        legal_cases=case,
        public_notices=notice,
        reminder_batches=batch,
        reminders=reminder,
        contacts=contact,
        ladder_holds=hold,
        restrictions=restriction,
    )


def _complaints(
    session: Session, world: World, whose: str, category: Category, department: Department
) -> None:
    is_own = whose == "own"
    ticket = _added(
        session,
        Ticket(
            number=f"{whose.upper()}-T1",
            registered_at=NOW,
            clerk_id=world.people["cashier" if is_own else "front_desk"],
            channel="desk",
            unit_id=world.ids["units"][whose],
            category_id=category.id,
            department_id=department.id,
            statement=f"{whose} statement",
            severity="major",
        ),
    )
    stop = NOW + timedelta(hours=12)
    ticking = _added(
        session,
        TicketClock(
            ticket_id=ticket.id, clock="solve", started_at=NOW, warn_at=stop, due_at=stop, rule=REASON
        ),
    )
    rows = {
        "tickets": ticket,
        "ticket_clocks": ticking,
        "complainants": Complainant(
            ticket_id=ticket.id, name=f"{whose} complainant", phone=COMPLAINANT_PHONES[whose]
        ),
        "escalations": Escalation(
            ticket_id=ticket.id,
            ticket_clock_id=ticking.id,
            clock="solve",
            level=1,
            at=NOW,
            to_role="manager",
            reason=REASON,
        ),
        "work_slips": WorkSlip(
            number=f"{whose} slip",
            ticket_id=ticket.id,
            department_id=department.id,
            task=f"{whose} task",
            issued_at=NOW,
        ),
        "invalid_requests": InvalidRequest(
            ticket_id=ticket.id,
            ground="unfounded",
            reason=f"{whose} ground",
            requested_by_id=world.people["front_desk"],
            requested_at=NOW,
        ),
        "review_meetings": ReviewMeeting(
            ticket_id=ticket.id,
            held_at=NOW,
            cause=f"{whose} cause",
            correction="-",
            prevention="-",
            attended="-",
        ),
        "visits": Visit(
            number=f"{whose} visit",
            ticket_id=ticket.id,
            unit_id=ticket.unit_id,
            planned_from=NOW,
            due_at=stop,
            assignee_role="front_desk",
        ),
        "case_library": CaseEntry(
            category_id=category.id, title=f"{whose} case", what_happened="-", what_was_done="-", lesson="-"
        ),
    }
    incident = _added(
        session,
        Incident(
            number=f"{whose} incident",
            title=f"{whose} cut",
            begins_at=NOW,
            staff_words="-",
            made_by_id=world.people["front_desk"],
        ),
    )
    rows["incident_tickets"] = IncidentTicket(incident_id=incident.id, ticket_id=ticket.id, joined_at=NOW)
    for row in rows.values():
        _added(session, row)
    world.keep(whose, incidents=incident, **rows)


def _office(session: Session, world: World, whose: str, position: int) -> None:
    """What nobody owns, so that each list and export has rows."""
    rows = {
        "opening_texts": OpeningText(
            arrears_reason=("", "forgot")[position], language="en", text=f"{whose} opening"
        ),
        "targets": CollectionTarget(year=2041 + position, percent=95, set_on=TODAY),
        "outbox": Message(
            key=f"{whose}-1",
            channel="email",
            address=f"{whose}@example.invalid",
            subject=f"{whose} subject",
            body=f"{whose} body",
            made_at=NOW,
            next_try_at=NOW,
        ),
        "calendar_days": CalendarDay(
            day=TODAY + timedelta(days=position), is_working=True, note=f"{whose} day"
        ),
    }
    for row in rows.values():
        _added(session, row)
    world.keep(whose, **rows)


def browsers(office: Office, world: World) -> dict[str, Web]:
    """One signed-in browser for each role."""
    found = {}
    for role in world.people:
        web = Web(office, office.app.test_client())
        web.client.environ_base["REMOTE_ADDR"] = f"10.0.0.{world.people[role]}"  # ten attempts a minute each
        assert web.sign_in(role, PASSWORD).status_code == 302
        found[role] = web
    return found


def main() -> None:
    with create_app().app_context(), engine.writing():
        furnish(db.session(), before_login="world_")


if __name__ == "__main__":
    main()
