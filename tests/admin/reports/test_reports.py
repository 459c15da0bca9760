"""Reports, the start page, the unit grid (K1-K6): every figure counted again by another author."""

from __future__ import annotations

import csv
import html
import io
import os
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from python_calamine import CalamineWorkbook
from sqlalchemy import delete, event, func, select, update
from sqlalchemy.orm import Session

from app import create_app
from models import db, engine
from models.billing import FeeItem, Invoice, InvoiceLine
from models.collection import Contact, Reminder, ReminderBatch
from models.complaints import Category, Ticket, TicketClock
from models.office import Audit, CollectionTarget, Message, SavedView
from models.people import Department, SignInAttempt, Staff, StaffRole, steward_building
from models.property import Area, Building, Estate, Unit
from models.visits import Visit
from office.billing import invoices
from office.core import clock
from office.documents.pdf.wording import words_of
from office.operations import demo
from office.payments import payments
from office.reports import catalog, collection, mailing, nightly
from office.reports.table import Wanted
from tests.admin.conftest import Web, text_of
from tests.conftest import ADMIN_PASSWORD, DIALECTS, SECRET_KEY, Office, Templates
from tests.factories.rows import add_visit, line_of
from tests.oracles import reports as oracles_reports

NOW = datetime(2026, 11, 22, 2, 0, tzinfo=UTC)
TODAY = date(2026, 11, 22)
PERIODS = ("2026-11", "2026")
MONEY_TABLES = ("collection", "by_month", "stewards", "fee_items", "year_split", "ageing", "arrears_reasons",
                "promises", "unprompted", "channels")  # fmt: skip
TICKET_TABLES = ("complaints_category", "complaints_department", "complaints_severity", "complaints_building",
                 "complaints_channel", "complaints_month", "complaints_outcome", "clocks",
                 "complaint_list")  # fmt: skip
WEEKLY_TABLES = ("stewards", "escalated", "promises_due")
# columns of what people wrote and of when it was counted, which are no figures
WRITTEN = {"complaint_list": (5, 7), "escalated": (3,), "unprompted": (6,), "channels": (5,)}
# period, how the figures are narrowed (as the recount is told; the page is told the ids)
CASES = (
    ("2026-11", {}),
    ("2026", {}),
    ("2026-11", {"area": "西区"}),
    ("2026", {"building": "东区/3"}),
    ("2026-11", {"steward": "steward1"}),
    ("2026-11", {"fee_item": "repair"}),
    ("2026", {"area": "东区", "fee_item": "management_fee"}),
    ("2026", {"department": "engineering"}),
)
REASONS = ("forgot", "unhappy", "hardship", "away")


# An office that has lived -------------------------------------------------------------------------------


def add_old_debts(session: Session, units: list[tuple[int, int]]) -> None:
    """Bills of last year; a third of each is paid this year."""
    for number, (unit_id, payer_id) in enumerate(units):
        session.add(
            Invoice(
                number=f"OLD-{number:04}",
                kind="opening",
                part=f"old{number}",
                unit_id=unit_id,
                payer_id=payer_id,
                period="2025-07",
                issued_on=date(2025, 7, 1),
                due_on=date(2025, 7, 15) + timedelta(days=40 * (number % 4)),
                amount=Decimal(300 + number),
                balance=Decimal(300 + number),
                lines=[line_of(session, str(300 + number))],
            )
        )
    session.flush()
    for unit_id, _payer in units[::3]:
        payments.record_payment(
            session,
            payments.NewPayment(
                unit_id=unit_id, amount=Decimal("77.77"), method="cash", paid_at=NOW - timedelta(days=30)
            ),
            now=NOW,
        )


def add_mixed_bills(session: Session, units: list[tuple[int, int]]) -> None:
    """Bills of several items, paid in part; some corrected as a whole, some in one item (B5, K1)."""
    items = list(session.scalars(select(FeeItem).order_by(FeeItem.id).limit(3)))
    for number, (unit_id, payer_id) in enumerate(units):
        parts = [Decimal(f"{31 + number}.37"), Decimal(f"{7 * number + 1}.99"), Decimal("12.01")]
        bill = Invoice(
            number=f"MIX-{number:04}", kind="one_off", part=f"mix{number}", unit_id=unit_id,
            payer_id=payer_id, period="2026-11", issued_on=date(2026, 11, 1), due_on=date(2026, 11, 15),
            amount=sum(parts), balance=sum(parts),
        )  # fmt: skip
        bill.lines = [
            InvoiceLine(fee_item=item, quantity=Decimal(1), rate=part, amount=part)
            for item, part in zip(items, parts, strict=True)
        ]
        session.add(bill)
        session.flush()
        note = invoices.NewCreditNote(bill.id, Decimal("5.55"), "x", None)
        if number % 4 == 1:
            invoices.credit_note(session, note, now=NOW)
        elif number % 4 == 2:
            of_item = replace(note, amount=Decimal("9.99"), fee_item_id=items[0].id)
            invoices.credit_note(session, of_item, now=NOW)
        owed = session.scalar(select(func.sum(Invoice.balance)).where(Invoice.unit_id == unit_id))
        payments.record_payment(
            session,
            payments.NewPayment(
                unit_id=unit_id,
                amount=owed - Decimal("20.03"),
                method="cash",
                paid_at=NOW - timedelta(days=1),
            ),
            now=NOW,
        )


def add_reminders(session: Session, debtors: list[tuple[int, int]]) -> None:
    """Reminders of several ways and fates; some payers pay soon after, some late, some never."""
    bills = {
        row.unit_id: row
        for row in session.scalars(select(Invoice).where(Invoice.period == "2026-11", Invoice.balance > 0))
    }
    batch = ReminderBatch(number="B1", stage="letter", made_for=date(2026, 11, 16), made_at=NOW)
    session.add(batch)
    session.flush()
    ways = (
        ("email", "sent"),
        ("phone", "done"),
        ("print", "printed"),
        ("email", "dead"),
        ("print", "planned"),
    )
    for number, (unit_id, payer_id) in enumerate(debtors):
        channel, state = ways[number % len(ways)]
        session.add(
            Reminder(
                batch_id=batch.id,
                subject_id=bills[unit_id].id,
                stage="letter",
                unit_id=unit_id,
                payer_id=payer_id,
                debt=bills[unit_id].balance,
                due_on=bills[unit_id].due_on,
                planned_on=date(2026, 11, 16),
                channel=channel,
                state=state,
                sent_at=NOW - timedelta(days=6 - number % 3) if state == "sent" else None,
            )
        )
        if number % 2:
            payments.record_payment(
                session,
                payments.NewPayment(
                    unit_id=unit_id,
                    amount=Decimal(60 + 200 * (number % 4)),
                    method="wechat",
                    paid_at=NOW - timedelta(days=number % 9),
                ),
                now=NOW,
            )


def add_contacts(session: Session, debtors: list[tuple[int, int]]) -> None:
    stewards = list(
        session.scalars(
            select(Staff.id).join(StaffRole).where(StaffRole.role == "steward").order_by(Staff.id)
        )
    )
    states = ("kept", "broken", "open", "kept", "")
    for number, (unit_id, payer_id) in enumerate(debtors):
        state = states[number % len(states)]
        session.add(
            Contact(
                at=NOW - timedelta(days=20 - number % 9, minutes=number),
                recorded_at=NOW,
                unit_id=unit_id,
                payer_id=payer_id,
                method="phone",
                staff_id=stewards[number % 2],
                arrears_reason=(*REASONS, "")[number % 5],
                promise_state=state,
                promised_on=date(2026, 10, 28) + timedelta(days=number) if state else None,
                promised_amount=Decimal(100 + number) if state else None,
            )
        )


def settle_tickets(session: Session) -> None:
    """Of those without a visit some solved, one reopened, one invalid, with scores; some clocks kept."""
    visited = select(Visit.ticket_id).where(Visit.ticket_id.is_not(None))
    tickets = list(session.scalars(select(Ticket).where(Ticket.id.not_in(visited)).order_by(Ticket.id)))
    for number, ticket in enumerate(tickets):
        if number % 3:
            ticket.resolved_at = ticket.registered_at + timedelta(hours=5 * number, minutes=7)
            ticket.state = "resolved"
            done_at = ticket.resolved_at + timedelta(hours=2) if number % 4 else None
            outcome = ("", "unreachable", "satisfied", "dissatisfied")[number % 4]
            add_visit(
                session,
                ticket.resolved_at,
                ticket_id=ticket.id,
                kind="follow_up",
                attempts=int(number % 4 > 0),
                done_at=done_at,
                outcome=outcome,
            )
        ticket.satisfaction = (None, 5, 2, None, 4, 3)[number % 6]
        ticket.reopen_count = int(number % 5 == 2)
        ticket.level = number % 4
    tickets[-1].state = "invalid"
    session.execute(
        update(TicketClock)
        .where(TicketClock.id % 3 == 0)
        .values(state="met", stopped_at=TicketClock.due_at, next_at=None)
    )


def live(session: Session) -> None:
    demo.build(session, password=ADMIN_PASSWORD, now=NOW, months=3)
    session.execute(update(Estate).values(present_at=NOW))
    session.flush()
    wanted = Wanted("2026-11", NOW, TODAY)
    lines = collection.collection(session, wanted).lines
    east = next(line.cells for line in lines if line.cells[0] == "东区" and line.is_total)
    assert east[-3:] == (943, 590, Decimal("62.6"))  # the worked example of K1
    assert east[5:7] == (90, east[4] - 90)  # its target and the distance to it
    owing = session.execute(
        select(Invoice.unit_id, Invoice.payer_id)
        .where(Invoice.period == "2026-11", Invoice.balance > 0)
        .order_by(Invoice.unit_id)
    )
    debtors = [(unit_id, payer_id) for unit_id, payer_id in owing]
    add_old_debts(session, debtors[:20])
    add_reminders(session, debtors[20:90])
    add_contacts(session, debtors[5:40])
    add_mixed_bills(session, debtors[100:120])
    west = session.scalars(select(Area.id).where(Area.name == "西区")).one()
    session.add(CollectionTarget(year=2026, area_id=west, percent=85, set_on=TODAY))
    settle_tickets(session)
    session.flush()
    for period in (*PERIODS[:1], "2026-10", "2026-09"):
        for report in ("unprompted", "channels"):
            nightly.count(session, report, period, NOW)
    session.commit()


@pytest.fixture(scope="module", params=DIALECTS)
def estate(
    request: pytest.FixtureRequest, templates: Templates, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Office]:
    """One office for all that only look; what they write are audit rows and counts of the same figures."""
    folder = tmp_path_factory.mktemp("estate")
    url = templates.copy(request.param, "residential", folder)
    environment = {
        **os.environ,
        "GATEHOUSE_INSTANCE": str(folder),
        "GATEHOUSE_DATABASE_URL": url,
        "GATEHOUSE_SECRET_KEY": SECRET_KEY,
    }
    office = Office(create_app(templates.settings(url, folder)), url, folder, environment)
    with office.app.app_context(), engine.writing():
        live(db.session())
        db.session.remove()
    yield office
    with office.app.app_context():
        db.session.remove()
        db.engine.dispose()
    templates.drop(url)


def signed_in(office: Office, login: str) -> Web:
    web = Web(office, office.app.test_client())
    with web.rows() as session:  # many people, one machine
        session.execute(delete(SignInAttempt))
        session.commit()
    assert web.sign_in(login).status_code == 302
    return web


# Every figure -------------------------------------------------------------------------------------------


def exported(office: Office, folder: Path) -> Path:
    for kind in oracles_reports.NEEDED:
        assert office.run("export", kind, folder / f"{kind}.csv").exit_code == 0
    return folder


def shown(web: Web, screen: str, report: str, period: str, narrowed: str = "") -> list[list[str]]:
    answer = web.get(f"/{screen}/export/csv/?report={report}&period={period}{narrowed}")
    assert answer.status_code == 200, report
    return without_words(report, list(csv.reader(io.StringIO(answer.text.lstrip("\ufeff"))))[1:])


def without_words(report: str, rows: list[list[str]]) -> list[list[str]]:
    return [[cell for place, cell in enumerate(row) if place not in WRITTEN.get(report, ())] for row in rows]


def weekly(web: Web, period: str) -> dict[str, list[list[str]]]:
    """The tables of the weekly sheet, from its workbook."""
    answer = web.get(f"/reports/weekly/xlsx/?period={period}")
    book = CalamineWorkbook.from_filelike(io.BytesIO(answer.data))
    found = {}
    for code, name in zip(WEEKLY_TABLES, book.sheet_names, strict=True):
        rows = book.get_sheet_by_name(name).to_python()[1:]
        found[code] = without_words(code, [[said(cell) for cell in row] for row in rows])
    return found


def said(cell: object) -> str:
    """A cell of a workbook as the exports say it."""
    if isinstance(cell, datetime):
        return cell.replace(tzinfo=ZoneInfo("Asia/Shanghai")).isoformat()
    return f"{cell:.2f}" if isinstance(cell, float) else str(cell)


def narrowing(session: Session, only: dict[str, str]) -> str:
    """The part of an address that asks for what the recount is told."""
    area, _slash, building = only.get("building", "/").partition("/")
    ids = {
        "area": select(Area.id).where(Area.name == only.get("area")),
        "building": select(Building.id).join(Area).where(Area.name == area, Building.name == building),
        "steward": select(Staff.id).where(Staff.login == only.get("steward")),
        "fee_item": select(FeeItem.id).where(FeeItem.code == only.get("fee_item")),
        "department": select(Department.id).where(Department.code == only.get("department")),
    }
    return "".join(f"&{name}={session.scalars(ids[name]).one()}" for name in only)


def named(session: Session, report: str, rows: list[list[str]]) -> list[list[str]]:
    """The recount's codes as the page calls them."""
    words = words_of("en")
    category = {row.code: row.name_in("en") for row in session.scalars(select(Category))}
    department = {row.code: row.name_in("en") for row in session.scalars(select(Department))}
    staff = {row.login: row.name for row in session.execute(select(Staff.login, Staff.name))}
    item = {row.name_zh_hans: row.name_in("en") for row in session.scalars(select(FeeItem))}
    say: dict[str, Callable[[str], str]] = {
        "fee_items": lambda name: item[name],
        "arrears_reasons": lambda code: words.code("arrears", code or "none"),
        "promises": lambda code: staff.get(code, code),
        "channels": lambda code: words.code("out", code),
        "clocks": lambda code: words.code("clock", code),
        "complaints_category": lambda code: category.get(code, code),
        "complaints_department": lambda code: department.get(code, code),
        "complaints_severity": lambda code: words.code("severity", code),
        "complaints_channel": lambda code: words.code("channel", code),
        "complaints_outcome": lambda code: words.code("outcome", code or "none"),
    }
    columns: dict[str, dict[int, Callable[[str], str]]] = {
        "complaint_list": {
            3: lambda code: category[code],
            4: lambda code: words.code("severity", code),
            5: lambda code: department[code],
            7: lambda code: words[code] if code else "",
        },
        "escalated": {2: lambda code: category[code], 3: lambda code: department[code]},
        "promises_due": {4: lambda code: staff.get(code, code)},
    }
    told = columns.get(report) or {0: say.get(report, str)}
    return [[told.get(place, str)(cell) for place, cell in enumerate(row)] for row in rows]


def as_set(rows: list[list[str]]) -> set[tuple[str, ...]]:
    """Rows whatever their order, numbers whatever their zeros; a row of nothing left out."""
    found = set()
    for row in rows:
        cells = [
            f"{Decimal(cell).normalize():f}" if re.fullmatch(r"-?\d+(\.\d+)?", cell) else cell for cell in row
        ]
        if any(cell not in {"0", ""} for cell in cells[1:]):
            found.add(tuple(cells))
    return found


def differences(report: str, page: list[list[str]], recount: list[list[str]]) -> list[object]:
    said_, should = as_set(page), as_set(recount)
    if report.startswith("complaints_") and len(should) == 2:
        should = {row for row in should if row[0] != "Total"}
    return [
        *((report, "page", row) for row in sorted(said_ - should)),
        *((report, "recount", row) for row in sorted(should - said_)),
    ]


def test_every_figure_counted_again(estate: Office, tmp_path: Path) -> None:
    """Each table by period, area, building, steward, fee item and department (K1-K3)."""
    web, folder = signed_in(estate, "manager"), exported(estate, tmp_path)
    wrong, empty = [], []

    for period, only in CASES:
        counted = oracles_reports.main(folder, period, str(TODAY), **only)
        with estate.session() as session:
            narrowed = narrowing(session, only)
            for screen, reports in (("reports", MONEY_TABLES), ("complaint_reports", TICKET_TABLES)):
                for report in reports:
                    if not set(only) <= set(catalog.FILTERS.get(report, ())):
                        continue
                    should = named(session, report, counted[report])
                    page = shown(web, screen, report, period, narrowed)
                    wrong += [(period, only, *each) for each in differences(report, page, should)]
                    empty += [] if should else [(period, tuple(only), report)]

    assert wrong == []
    assert [each for each in empty if not each[1]] == []  # the whole estate has something of each


def test_the_weekly_sheet_counted_again(estate: Office, tmp_path: Path) -> None:
    """Stewards against the target, what is escalated, promises of the week (K4, K5)."""
    web, folder = signed_in(estate, "manager"), exported(estate, tmp_path)
    counted = oracles_reports.main(folder, "2026-11", str(TODAY))
    wrong = []

    sheet = weekly(web, "2026-11")
    with estate.session() as session:
        for report in WEEKLY_TABLES:
            assert sheet[report], report
            wrong += differences(report, sheet[report], named(session, report, counted[report]))

    assert wrong == []


# export, column, the report that shows it
FALSIFIED = (
    ("allocations", "amount", "collection"),
    ("invoices", "amount", "collection"),
    ("credit_notes", "amount", "collection"),
    ("invoice_lines", "amount", "fee_items"),
    ("invoice_lines", "credited", "fee_items"),
    ("invoice_lines", "paid", "fee_items"),
    ("targets", "percent", "stewards"),
    ("tickets", "level", "escalated"),
    ("tickets", "satisfaction", "complaint_list"),
    ("contacts", "promised_amount", "promises_due"),
)


def test_the_recount_finds_a_figure_that_is_off(estate: Office, tmp_path: Path) -> None:
    """The control: each cell of a column a little higher is found in the report that shows it."""
    folder = exported(estate, tmp_path)
    true = oracles_reports.main(folder, "2026", str(TODAY))
    unseen = []

    for kind, column, report in FALSIFIED:
        path = folder / f"{kind}.csv"
        kept = path.read_bytes()
        books = list(csv.DictReader(io.StringIO(kept.decode("utf-8-sig"))))
        for row in books:
            if row[column]:
                step = "0.01" if "." in row[column] else "1"
                row[column] = str(Decimal(row[column]) + Decimal(step))
        with path.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, books[0])
            writer.writeheader()
            writer.writerows(books)
        if oracles_reports.main(folder, "2026", str(TODAY))[report] == true[report]:
            unseen.append((kind, column, report))
        path.write_bytes(kept)

    assert unseen == []


# Faces of the same figures ------------------------------------------------------------------------------


def test_page_file_and_paper_say_the_same(estate: Office) -> None:
    """What CSV says stands on the page and in the workbook; a bad address is no error (K6)."""
    web = signed_in(estate, "manager")

    rows = shown(web, "reports", "collection", "2026-11")
    page = text_of(web.get("/reports/?report=collection&period=2026-11"))
    book = web.get("/reports/export/xlsx/?report=collection&period=2026-11").data
    paper = web.get("/reports/export/pdf/?report=collection&period=2026-11")

    east = next(row for row in rows if row[:2] == ["东区", "Total"])
    assert all(f"{Decimal(cell):,.2f}" in page for cell in east[2:4])
    sheet = CalamineWorkbook.from_filelike(io.BytesIO(book)).get_sheet_by_index(0).to_python()
    assert [float(cell) for cell in east[2:]] in [
        list(map(float, row[2:])) for row in sheet[1:] if "" not in row[2:]
    ]
    assert (paper.status_code, paper.data[:5]) == (200, b"%PDF-")
    assert web.get("/reports/weekly/pdf/").data[:5] == b"%PDF-"
    for query in ("report=nothing", "period=2026-13", "period=%00", "building=abc&area=9999999999999999999"):
        assert web.get(f"/reports/?{query}").status_code in {200, 404}, query
    assert web.get("/reports/export/exe/").status_code == 404


def test_every_report_opens_in_three_languages(estate: Office) -> None:
    web = signed_in(estate, "manager")
    wrong = []

    for screen, reports in (("reports", MONEY_TABLES), ("complaint_reports", TICKET_TABLES)):
        for report in reports:
            for language in ("en", "zh-CN", "zh-TW"):
                answer = web.get(
                    f"/{screen}/?report={report}&period=2026", headers={"Accept-Language": language}
                )
                if answer.status_code != 200 or "<table" not in answer.text:
                    wrong.append((report, language))

    assert wrong == []


ROLES = ("manager", "director", "head", "steward1", "desk", "cashier", "engineer", "security", "admin")


def test_each_role_lands_on_its_work(estate: Office) -> None:
    """A word that only this role's start page has, and no list that the role may not open (K4)."""
    own = {
        "manager": "What the clock does next",
        "director": "Ageing of arrears",
        "head": "Batches to approve",
        "steward1": "My buildings",
        "desk": "Registered today",
        "cashier": "Statement rows waiting",
        "engineer": "Complaints of my department",
        "security": "Complaints of my department",
        "admin": "Jobs whose last run failed",
    }
    wrong = []

    for login in ROLES:
        web = signed_in(estate, login)
        page = web.get("/start/")
        if page.status_code != 200 or own[login] not in text_of(page):
            wrong.append((login, page.status_code))
        links = set(re.findall(r'href="(/[a-z_]+/[^"]*)"', page.text.partition("<main")[2]))
        wrong += [(login, link) for link in links if web.get(link.replace("&amp;", "&")).status_code != 200]

    assert wrong == []


def test_tiles_count_as_their_lists(estate: Office) -> None:
    web = signed_in(estate, "manager")
    page = web.get("/start/").text.partition("<main")[2]
    shown = dict(re.findall(r'<a class="tile[^"]*" href="(/tickets/[^"]*)"><b>(\d+)</b>', page))
    views = [f"/tickets/?view={view}" for view in ("escalated", "overdue", "soon", "open")]

    listed = {address: web.get(address).text.count("<tr data-id=") for address in views}

    assert "/tickets/?view=open" in shown
    assert listed == {
        address: int(shown.get(address, 0)) for address in views
    }  # a figure of none is left out


@pytest.mark.parametrize(
    ("login", "first"),
    [
        ("manager", ["/invoices/?view=overdue", "/tickets/?view=overdue", "/reminder_batches/?view=draft"]),
        ("desk", ["/tickets/?view=open", "/tickets/?view=soon", "/visits/?view=today"]),
        ("steward1", ["/contacts/?view=week", "/visits/?view=today", "/invoices/?view=overdue"]),
    ],
)
def test_three_figures_lead_that_a_role_s_day_turns_on(estate: Office, login: str, first: list[str]) -> None:
    page = signed_in(estate, login).get("/start/").text.partition("<main")[2]

    assert re.findall(r'<a class="tile[^"]*" href="([^"]*)">', page)[:3] == first


# The grid -----------------------------------------------------------------------------------------------


def queries_of(office: Office, web: Web, path: str) -> int:
    count = 0

    def one(*_args: object) -> None:
        nonlocal count
        count += 1

    with office.app.app_context():
        bind = db.engine
    event.listen(bind, "before_cursor_execute", one)
    try:
        assert web.get(path).status_code == 200
    finally:
        event.remove(bind, "before_cursor_execute", one)
    return count


def test_the_grid_shows_each_unit_once_in_as_many_queries_for_more(estate: Office) -> None:
    web = signed_in(estate, "manager")
    with estate.session() as session:
        ids = {row.name: row.id for row in session.execute(select(Building.name, Building.id))}
        units = session.query(Unit).filter(Unit.building_id == ids["C"]).count()

    many, few = web.get("/grid/"), web.get(f"/grid/?building={ids['C']}")

    assert few.text.count('<a class="unit ') == units
    assert "Overdue" in text_of(many)
    assert queries_of(estate, web, "/grid/") == queries_of(estate, web, f"/grid/?building={ids['C']}")
    for show in ("owed", "complaints", "visits", "nonsense"):
        assert web.get(f"/grid/?show={show}").status_code == 200


def test_a_steward_sees_the_own_buildings_only(estate: Office) -> None:
    with estate.session() as session:
        foreign = session.scalars(
            select(Building.id).where(
                Building.id.not_in(
                    select(steward_building.c.building_id)
                    .join(Staff, Staff.id == steward_building.c.staff_id)
                    .where(Staff.login == "steward1")
                )
            )
        ).first()
        code = session.scalars(select(Unit.code).where(Unit.building_id == foreign)).first()
    web = signed_in(estate, "steward1")

    page = web.get(f"/grid/?building={foreign}").text

    assert f" {code}<" not in page


# Counted at night, mailed in the morning ---------------------------------------------------------------


def test_counting_again_gives_the_same_and_is_audited(estate: Office) -> None:
    web = signed_in(estate, "manager")
    before = shown(web, "reports", "unprompted", "2026-11")

    answer = web.post("/reports/recount/?period=2026-11", {"report": "unprompted"})

    assert answer.status_code == 302
    assert shown(web, "reports", "unprompted", "2026-11") == before
    with estate.session() as session:
        actions = list(session.scalars(select(Audit.action).where(Audit.table_name == "report_count")))
    assert actions.count("recount") == 1
    assert web.post("/reports/recount/", {"report": "stewards"}).status_code == 302  # a sentence, no error


def test_reports_are_mailed_once_to_the_staff_of_the_role(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On Mondays to managers with an address, twice run once sent; without a mail server nothing (K5)."""
    people = [
        ("boss", "manager", "boss@example.invalid"),
        ("shy", "manager", ""),
        ("desk", "front_desk", "d@e.f"),
    ]
    for login, role, address in people:
        staff = Staff(login=login, name=login, email=address, language="zh_Hans")
        staff.role_rows = [StaffRole(role=role)]
        session.add(staff)
    session.flush()
    zone = clock.zone(session)
    monday, tuesday = (datetime(2026, 6, day, 8, 50, tzinfo=zone) for day in (8, 9))

    mailing.send_reports(session, monday)
    assert session.query(Message).count() == 0  # the control: no mail server

    monkeypatch.setenv("GATEHOUSE_SMTP_URL", "smtp://localhost:9")
    for at in (monday, monday, tuesday):
        mailing.send_reports(session, at)

    sent = [(one.address, one.channel) for one in session.scalars(select(Message))]
    assert sent == [("boss@example.invalid", "email")]
    assert "周例会表" in session.scalars(select(Message.subject)).one()


def test_one_target_a_year_and_area(office: Office) -> None:
    web = Web(office, office.app.test_client())
    web.sign_in()

    for _ in range(2):
        web.post("/targets/new/", {"year": "2026", "percent": "95"})

    with office.session() as session:
        assert session.query(CollectionTarget).count() == 1


# What if ------------------------------------------------------------------------------------------------


def form_of(page: str) -> dict[str, str]:
    """A policy's form as a browser would send it."""
    chosen = re.findall(r'<select name="([\w.]+)"[^>]*>(.*?)</select>', page, re.DOTALL)
    return {
        **dict(re.findall(r'<input name="([\w.]+)"[^>]*? value="([^"]*)"', page)),
        **{
            name: html.unescape(text)
            for name, text in re.findall(r'<textarea name="([\w.]+)"[^>]*>(.*?)</textarea>', page, re.DOTALL)
        },
        **{
            name: code
            for name, options in chosen
            for code in re.findall(r'<option value="([^"]*)" selected', options)
        },
        **dict.fromkeys(re.findall(r'type="checkbox" name="([\w.]+)"[^>]*? checked', page), "1"),
    }


# policy, which field is changed to what, what the page then says
TRIALS = (
    ("clocks", ("rule.3.length", "1"), "would differ"),
    ("calendar", ("hours.weekday_0", "9 to 5"), "write the hours in order"),
    ("late_fee", ("late_fee.is_on", "1"), "Bills charged"),
    ("targets", ("target.1.percent", "95"), "95"),
    ("targets", ("target.1.percent", "195"), "between 0 and 100"),
)


def test_each_policy_is_tried_in_its_form(estate: Office) -> None:
    """Sent as it stands, all would have been the same; changed, the page says so (§9)."""
    web, wrong = signed_in(estate, "manager"), []

    for policy, (name, value), says in TRIALS:
        page = web.get(f"/simulate/?policy={policy}")
        form = {**form_of(page.text), "period": "2026-11"}
        same = text_of(web.post(f"/simulate/?policy={policy}", form))
        changed = text_of(web.post(f"/simulate/?policy={policy}", {**form, name: value}))
        if "All would have been the same." not in same or says not in changed:
            wrong.append((policy, same, changed))

    assert wrong == []


def test_a_report_is_kept_as_a_view_and_shared(estate: Office) -> None:
    """One's own is seen by oneself, a shared one by others; only its owner forgets it (K4)."""
    web, other = signed_in(estate, "manager"), signed_in(estate, "director")
    query = "report=collection&period=2026&area=1"

    for name, is_shared in (("mine", ""), ("ours", "1")):
        answer = web.post("/reports/views/save/", {"name": name, "query": query, "is_shared": is_shared})
        assert answer.headers["Location"].endswith(f"/reports/?{query}")

    assert {"mine", "ours"} <= set(text_of(web.get("/reports/")).split())
    seen = set(text_of(other.get("/reports/")).split())
    assert "ours" in seen
    assert "mine" not in seen
    with estate.session() as session:
        shared = session.scalars(select(SavedView.id).where(SavedView.name == "ours")).one()
    assert other.post("/reports/views/forget/", {"id": shared}).status_code == 404
    assert web.post("/reports/views/forget/", {"id": shared}).status_code == 302
    assert "ours" not in text_of(other.get("/reports/")).split()
