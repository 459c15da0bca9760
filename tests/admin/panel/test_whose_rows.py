"""F22: each id in each request replaced by a stranger's, alone and in pairs: nothing told, nothing written.

For who reads a part of the rows (the steward, the cashier, the department's lead) every address with an id,
every form and every list is asked for the other part; for who reads all, for the complaint about oneself.
Whoever may take both rows of a pair may still not take them together. What each address takes stands in
ids.py, by hand; what the stranger's rows say are words and sums that stand in no other row.
"""

from __future__ import annotations

import ast
import html
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from sqlalchemy import inspect
from sqlalchemy.orm import Session

import admin
from admin.panel import row_access
from admin.panel.view import OfficeView
from models.complaints import Attachment, Complainant, Ticket
from models.office import Audit, Message, Paper, SavedView, Task
from office.estate import owners
from office.reports import catalog
from tests.admin.conftest import Web
from tests.admin.crawl import KEPT, TOKEN, Form, every_form, filled
from tests.admin.panel import access, ids
from tests.admin.sample_office import (
    ACCOUNTS,
    COMPLAINANT_PHONES,
    ID_NUMBERS,
    NOW,
    PHONES,
    World,
    browsers,
    furnish,
)
from tests.conftest import IS_FULL, Office
from tests.factories import pdf_text
from tests.factories.writes import watched

pytestmark = pytest.mark.long

ONE_IS_ENOUGH = pytest.mark.parametrize("dialect", ["sqlite"])  # for controls: what is off is our own code
REFUSED = {400, 403, 404, 409, 422}
SESSIONS = {"web_session"}  # when somebody was last seen

# what the stranger's rows say, and nobody else's
OF_COMPLAINTS = (
    *(
        f"foreign {word}"
        for word in ("statement", "complainant", "task", "ground", "cause", "visit", "alert")
    ),
    *("FOREIGN-T1", COMPLAINANT_PHONES["foreign"]),
)
OF_UNITS = (
    *(
        f"foreign {word}"
        for word in ("owner", "note", "meter", "slip", "plan", "contact", "hold", "restriction", "bank")
    ),
    *(f"foreign {word}" for word in ("batch", "request", "deposit", "credit", "waiver", "result")),
    *("FOREIGN-F1", "FOREIGN-R1", "FOREIGN-C1", "FOREIGN-D1", "foreign@example.invalid"),
    *("7060", "7,060", "7100", "7,100", "7050", "7,050", "7010", "7,010"),
    *(PHONES["foreign"], ID_NUMBERS["foreign"], ACCOUNTS["foreign"], PHONES["foreign"][-4:] + "<"),
)
CANARIES: Mapping[str, tuple[str, ...]] = {
    "steward": (*OF_UNITS, *OF_COMPLAINTS),
    "cashier": OF_COMPLAINTS,
    "department_lead": OF_COMPLAINTS,
}
READ_ALL_COMPLAINTS = ("it_admin", "manager", "director", "station_head", "front_desk")
COMPLAINT_SCREENS = (*access.ROWS_OF_COMPLAINTS, "visits")
BOUND: Mapping[str, tuple[str, ...]] = {
    "steward": (*access.ROWS_OF_UNITS, *COMPLAINT_SCREENS),
    "cashier": (*COMPLAINT_SCREENS, "papers", "ticket_file", "visit_file"),
    "department_lead": (*COMPLAINT_SCREENS, "ticket_file", "visit_file"),
}
NOBODYS = frozenset({"task", "saved_view"})  # of one person alone, whatever the roles

# the usual addresses of a table's screen, and what asks for each here
USUAL = {
    "": "lists",
    "export/<export_type>/": "lists",
    "details/": "rows",
    "edit/": "rows",
    "reveal/": "rows",
    "delete/": "rows",
    "ajax/update/": "rows",
    "bulk/": "rows",
    "undo/": "rows",
    "action/": "rows",
    "ajax/lookup/": "lookups",
    "new/": "forms",
    "peek/": "rows",
    "totals/": "lists",
    "arrange/": "takes no id",
    "views/": "takes no id",
    "views/open/": "own",
    "views/start/": "own",
    "views/change/": "own",
    "views/save/": "takes no id",
    "views/forget/": "own",
    "exported/": "own",
    "acted/": "own",
}
ANY_UNIT = {("/tickets/new/", "unit")}  # a complaint may be about any unit; who lives there is not told


@dataclass(frozen=True)
class Stranger:
    """The two values of each kind of id: one's own and the stranger's."""

    world: World
    keys: Mapping[str, Mapping[str, Any]]

    def value(self, kind: str, whose: str) -> str:
        known = self.keys.get(kind) or self.world.ids.get(kind, {})
        return str(known.get(whose, ""))


@dataclass(frozen=True)
class Request:
    """One request with a stranger's id in it; `is_row` when nothing but a refusal may come back."""

    method: str
    path: str
    sent: tuple[tuple[str, Any], ...]
    is_row: bool = False
    files: tuple[str, ...] = field(default=())

    def said(self) -> str:
        shown = {name: value for name, value in self.sent if name != TOKEN}
        return f"{self.method} {self.path} {shown}"


def plant(session: Session) -> Stranger:
    """The sample office, and what hangs on its complaints besides: files, papers, messages, changes."""
    world = furnish(session)
    keys: dict[str, dict[str, Any]] = {
        "unit_code": {"own": "own-01", "foreign": "foreign-01"},
        "invoice_number": {"own": "OWN-F1", "foreign": "FOREIGN-F1"},
        "ticket_number": {"own": "OWN-T1", "foreign": "FOREIGN-T1"},
        "payer_name": {"own": "own owner", "foreign": "foreign owner"},
        "other_staff": {"own": world.people["cashier"], "foreign": world.people["manager"]},
    }

    def add(kind: str, whose: str, row: Any, name: str = "id") -> None:
        session.add(row)
        session.flush()
        keys.setdefault(kind, {})[whose] = getattr(row, name)

    for whose in ("own", "foreign"):
        ticket, visit = world.ids["tickets"][whose], world.ids["visits"][whose]
        unit, payer = world.ids["units"][whose], world.ids["owners"][whose]
        file = {"media_type": "image/png", "content": b"x", "added_at": NOW}
        for kind, on in (("ticket_file", {"ticket_id": ticket}), ("visit_file", {"visit_id": visit})):
            kept = Attachment(key=f"{whose}{kind}", file_name=f"{whose} statement.png", **file, **on)
            add(kind, whose, kept, "key")
        number = f"{whose.upper()}-T1"
        for name, kind in ((number, "papers"), (f"{number}/2", "paper_filed_anew")):
            paper = Paper(kind="complaint_form", number=name, unit_id=unit, language="en", contents={})
            paper.issued_at = NOW
            add(kind, whose, paper)
        add(
            "complaints_of", whose, Complainant(ticket_id=ticket, owner_id=payer, name=f"{whose} complainant")
        )
        alert = Message(key=f"{whose}-2", channel="alert", address="", subject=f"{whose} alert", body="-")
        alert.made_at = alert.next_try_at = NOW
        alert.ticket_id = ticket
        add("messages", whose, alert)
        change = Audit(at=NOW, action="edit", table_name="ticket", row_id=ticket)
        change.changes = f'{{"statement": ["", "{whose} statement"]}}'
        add("audits", whose, change)
    of_other = world.people["other_steward"]
    add("task", "foreign", Task(kind="import", staff_id=of_other, made_at=NOW, result={"kind": "roster"}))
    add("saved_view", "foreign", SavedView(staff_id=of_other, screen="reports", name="other", query=""))
    session.commit()
    return Stranger(world, keys)


@pytest.fixture
def planted(office_of: Callable[..., Office]) -> tuple[Office, Stranger, dict[str, Web]]:
    office = office_of("residential", fills=(plant,))
    return office, office.made, browsers(office, office.made.world)


def screens_of(web: Web, letter: str, role: str) -> list[OfficeView]:
    """The tables' screens on which a role has a letter."""
    table = access.cells()
    return [
        view
        for view in web.office.app.extensions["admin"][0]._views
        if isinstance(view, OfficeView) and letter in table.get(view.screen, {}).get(role, "")
    ]


# What is asked ----------------------------------------------------------------------------------------------


def rows(web: Web, stranger: Stranger, role: str, screens: tuple[str, ...]) -> Iterator[Request]:
    """Each address of one record, and each action, of the stranger's."""
    for view in screens_of(web, "s", role):
        if view.screen not in screens or view.screen not in stranger.world.ids:
            continue
        key, letters = stranger.value(view.screen, "foreign"), access.cells()[view.screen][role]
        page = f"/{view.screen}/"
        yield Request("GET", f"{page}details/", (("id", key),), is_row=True)
        if "e" in letters:
            yield Request("GET", f"{page}edit/", (("id", key),), is_row=True)
            yield Request("POST", f"{page}edit/?id={key}", (("row_version", "1"),), is_row=True)
            for name in view.column_editable_list or ():
                sent = (("id", key), ("row_version", "1"), ("name", name), (name, "1"))
                yield Request("POST", f"{page}ajax/update/", sent, is_row=True)
            for name in view.bulk_columns:
                sent = (("rowid", key), (f"change-{name}", "1"), (name, "x"))
                yield Request("POST", f"{page}bulk/", sent)
                yield Request("POST", f"{page}bulk/", (*sent, ("step", "apply"), ("version", f"{key}:1")))
            yield Request(
                "POST", f"{page}undo/", (("audit", stranger.value("audits", "foreign")),), is_row=True
            )
        if "d" in letters:
            yield Request("POST", f"{page}delete/", (("id", key), ("confirmed", "1")), is_row=True)
        for name in inspect(view.model).columns.keys():  # noqa: SIM118 -- no dict
            sent = (("id", key), ("column", name), ("reason", "x"))
            if "a" in letters:
                yield Request("POST", f"{page}reveal/", sent, is_row=True)
        own = stranger.value(view.screen, "own")
        for code, action in view.office_actions.items():
            if action.on != "list" and view.may:
                sent = (("action", code), ("rowid", key))
                yield Request("POST", f"{page}action/", (*sent, ("confirmed", "1")))
                if action.fields or action.confirm:  # else it would be carried out on one's own
                    yield Request("POST", f"{page}action/", (*sent, ("rowid", own)))


def lists(web: Web, stranger: Stranger, role: str) -> Iterator[Request]:
    """Each list and file of a list, narrowed by each foreign key, searched for, and as it is."""
    for view in screens_of(web, "s", role):
        page, has_files = f"/{view.screen}/", "x" in access.cells()[view.screen][role]
        narrowed = {name: target_of(view, name) for name in inspect(view.model).columns.keys()}  # noqa: SIM118 -- no dict
        asked = [
            *((name, stranger.value(kind, "foreign")) for name, kind in narrowed.items() if kind),
            ("search", "foreign owner"),
            ("search", "FOREIGN-T1"),
        ]
        for each in [(), *((one,) for one in asked)]:
            yield Request("GET", page, each)
            if has_files:
                yield Request("GET", f"{page}export/csv/", each)
            if "c" in access.cells()[view.screen][role] and each and view.form_columns:
                yield Request("GET", f"{page}new/", each)


def lookups(web: Web, role: str) -> Iterator[Request]:
    """What each picker offers for a stranger's name or number."""
    for view in screens_of(web, "s", role):
        for name in view._form_ajax_refs:
            for words in ("foreign", "foreign owner", "FOREIGN-F1", "FOREIGN-T1"):
                for more in ((), (("named", "1"),)):
                    sent = (("name", name), ("query", words), *more)
                    yield Request("GET", f"/{view.screen}/ajax/lookup/", sent)


def target_of(view: OfficeView, column: str) -> str:
    """The kind of id that a foreign key of a screen's table takes."""
    for relation in inspect(view.model).relationships:
        if column in {each.key for each in relation.local_columns} and not relation.uselist:
            return KIND_OF.get(relation.mapper.class_.__tablename__, "")
    return ""


KIND_OF = {
    "owner": "owners",
    "unit": "units",
    "invoice": "invoices",
    "payment": "payments",
    "ticket": "tickets",
    "visit": "visits",
    "meter": "meters",
    "instalment_plan": "instalment_plans",
    "reminder": "reminders",
}


def own_pages(stranger: Stranger, role: str, *, is_mixed: bool) -> Iterator[Request]:
    """Each address of ids.py with a stranger's id in every place; `is_mixed`: never in all of them."""
    table = access.cells()
    letters = {
        (address, method): letter in table[screen][role]
        for (address, method), (screen, letter) in access.addresses().items()
    }
    for each in ids.addresses():
        if not letters[each.path, each.method] or (is_mixed and each.path in ids.NEW_PAIRS):
            continue
        for whose in product(("own", "foreign"), repeat=len(each.ids)):
            if "foreign" not in whose or (is_mixed and len(set(whose)) == 1):
                continue
            sent = tuple(
                (name, stranger.value(kind, one)) for (name, kind), one in zip(each.ids, whose, strict=True)
            )
            yield Request(each.method, each.path, (*sent, *each.besides))


def forms(web: Web, stranger: Stranger) -> Iterator[Request]:
    """Each form that the person is shown, filled as it should be, with a stranger's id in every place."""
    views = {getattr(view, "screen", ""): view for view in web.office.app.extensions["admin"][0]._views}
    for form in every_form(web, stranger.world):
        places = {
            each.name: kind
            for each in form.inputs
            if (kind := kind_of_input(form, each.name, each.picker, views))
        }
        usual = filled(web, form)
        for names in [*((one,) for one in places), *pairs(list(places))]:
            if {(form.path, name) for name in names} <= ANY_UNIT:
                continue
            strange = {name: stranger.value(places[name], "foreign") for name in names}
            texts = {f"{name}_text": None for name in names}
            sent = {name: each for name, each in {**usual, **strange}.items() if name not in texts}
            yield Request("POST", form.action, tuple(sent.items()))


def pairs(names: list[str]) -> list[tuple[str, ...]]:
    return [(one, other) for place, one in enumerate(names) for other in names[place + 1 :]]


def kind_of_input(form: Form, name: str, picker: str, views: Mapping[str, Any]) -> str:
    """Whose id a field of a form takes, if any."""
    screen = form.path.split("/")[1]
    if picker:
        asked = urlsplit(picker)
        of = views[asked.path.split("/")[1]]
        field_name = parse_qs(asked.query)["name"][0]
        refs = getattr(of, "_form_ajax_refs", None)
        loader = refs[field_name] if refs else of.loader_of(field_name)
        return KIND_OF.get(loader.model.__tablename__, "")
    if name in {"rowid", "id"}:
        return screen
    said = {each.name: each.value for each in form.inputs}
    by_action = {"link_repeat": "ticket_number", "link_debt": "invoice_number"}
    if name == "number":
        return by_action.get(said.get("action", ""), "")
    return {"unit_id": "units", "payer_id": "owners", "unit_code": "unit_code"}.get(name, "")


# What comes back -------------------------------------------------------------------------------------------


SAMPLES = ("/estate/letterhead/",)  # papers with made-up values


def answer_of(web: Web, token: str, asked: Request) -> Any:
    if asked.method == "GET":
        return web.client.get(asked.path, query_string=list(asked.sent), buffered=True)
    fields: dict[str, Any] = {}
    for name, value in (*(one for one in asked.sent if one[0] != TOKEN), (TOKEN, token)):
        fields.setdefault(name, []).extend(value if isinstance(value, list) else [value])
    return web.client.post(asked.path, data=fields, buffered=True)


def told(web: Web, answer: Any, asked: Request, canaries: tuple[str, ...]) -> list[str]:
    """The stranger's words in an answer, also in what it flashed; not what the request itself said."""
    if asked.path in SAMPLES:
        return [word for word in canaries if pdf_text.bare(word) in pdf_text.text_of(answer.data)]
    if answer.mimetype == "application/pdf":
        return ["a paper"]
    text = html.unescape(answer.get_data(as_text=True))
    if answer.status_code == 302:
        text += html.unescape(web.get("/account").text)
    for _name, value in asked.sent:
        if isinstance(value, str) and len(value) > 4:
            text = text.replace(value, "")
    return [word for word in canaries if word in text]


def wrong_answers(web: Web, requests: Iterator[Request], canaries: tuple[str, ...]) -> tuple[list[str], int]:
    """What an answer told or a request wrote that it should not have; and how many were asked."""
    wrong, count, token = [], 0, web.token()
    seen = set()
    for asked in requests:
        if (mark := asked.said()) in seen:
            continue
        seen.add(mark)
        with watched(web.office.app) as transactions:
            answer = answer_of(web, token, asked)
        count += 1
        written = set().union(*transactions) - SESSIONS
        is_read = asked.method == "GET" and written <= {"audit"}  # an export is noted
        if written and not is_read:
            wrong.append(f"{mark}: wrote {sorted(written)}")
        if asked.is_row and answer.status_code not in REFUSED:
            wrong.append(f"{mark}: {answer.status_code}")
        if answer.status_code >= 500:
            wrong.append(f"{mark}: {answer.status_code}")
        wrong += [f"{mark}: told {word}" for word in told(web, answer, asked, canaries)]
    return wrong, count


def everything(web: Web, stranger: Stranger, role: str) -> Iterator[Request]:
    yield from rows(web, stranger, role, BOUND[role])
    yield from lists(web, stranger, role)
    yield from lookups(web, role)
    yield from bounded(own_pages(stranger, role, is_mixed=False), role)
    yield from bounded(forms(web, stranger), role)


def bounded(requests: Iterator[Request], role: str) -> Iterator[Request]:
    """Those that carry an id out of the role's reach."""
    for each in requests:
        if role == "steward" or each.path.split("/")[1] in BOUND[role]:
            yield each


@pytest.mark.parametrize("role", list(BOUND))
def test_a_stranger_s_id_tells_nothing_and_writes_nothing(
    planted: tuple[Office, Stranger, dict[str, Web]], role: str, dialect: str
) -> None:
    """On PostgreSQL the steward alone, by GATEHOUSE_FULL=1 all: the conditions are the same."""
    if dialect != "sqlite" and role != "steward" and not IS_FULL:
        return
    _office, stranger, webs = planted

    wrong, count = wrong_answers(webs[role], everything(webs[role], stranger, role), CANARIES[role])

    assert wrong == [], f"{len(wrong)} of {count}\n" + "\n".join(wrong)
    assert count > 100


@ONE_IS_ENOUGH
@pytest.mark.parametrize("role", ["cashier", "station_head"])
def test_rows_that_do_not_belong_together_are_not_taken_together(
    planted: tuple[Office, Stranger, dict[str, Web]], role: str
) -> None:
    _office, stranger, webs = planted

    wrong, count = wrong_answers(webs[role], own_pages(stranger, role, is_mixed=True), ())

    assert wrong == [], "\n".join(wrong)
    assert count > 10


@ONE_IS_ENOUGH
def test_control_without_the_reach_the_stranger_s_rows_are_told_and_written(
    planted: tuple[Office, Stranger, dict[str, Web]], monkeypatch: pytest.MonkeyPatch
) -> None:
    _office, stranger, webs = planted
    monkeypatch.setattr(row_access, "visible_rows", lambda _model: [])
    monkeypatch.setattr(row_access, "has_unit", lambda _unit: True)
    web = webs["steward"]
    asked = [*rows(web, stranger, "steward", ("owners", "invoices", "tickets")), *lookups(web, "steward")]

    wrong, _count = wrong_answers(web, iter(asked), CANARIES["steward"])

    assert len([line for line in wrong if "told" in line]) > 10
    assert any("wrote" in line for line in wrong)


@ONE_IS_ENOUGH
def test_control_without_the_check_of_pairs_they_are_taken(
    planted: tuple[Office, Stranger, dict[str, Web]], monkeypatch: pytest.MonkeyPatch
) -> None:
    from office.arrears import contacts

    _office, stranger, webs = planted
    for module in (owners, contacts):
        monkeypatch.setattr(module, "is_of_unit", lambda *_given: True)

    wrong, _count = wrong_answers(webs["cashier"], own_pages(stranger, "cashier", is_mixed=True), ())

    assert any("/call_list/enter/" in line for line in wrong)


# Who a complaint is about ----------------------------------------------------------------------------------


def all_pages(stranger: Stranger, role: str) -> Iterator[Request]:
    """Every page and file that a role may open, reports one by one."""
    table = access.cells()
    for (path, method), (screen, letter) in access.addresses().items():
        if method == "GET" and letter in table[screen][role]:
            yield Request("GET", path.replace("<export_type>", "csv"), ())
    for page, codes in (("reports", catalog.COLLECTION), ("complaint_reports", catalog.COMPLAINT)):
        for code in codes if "s" in table[page][role] else ():
            yield Request("GET", f"/{page}/", (("report", code), ("period", "2026")))
            if "x" in table[page][role]:
                yield Request("GET", f"/{page}/export/csv/", (("report", code), ("period", "2026")))
    unit, payer = stranger.value("units", "foreign"), stranger.value("owners", "foreign")
    yield Request("GET", "/search/", (("q", "FOREIGN-T1"),))
    yield Request("GET", "/household/", (("unit_id", unit),))
    yield Request("GET", "/tickets/household/", (("unit_id", unit),))
    yield Request("GET", "/units/details/", (("id", unit),))
    yield Request("GET", "/grid/", (("show", "complaints"),))
    for of in ("mine", "department", "escalated", "all"):
        yield Request("GET", "/board/", (("of", of),))
    for screen in ("audit", "outbox", "papers"):
        if "s" in table[screen][role]:
            kind = {"audit": "audits", "outbox": "messages", "papers": "papers"}[screen]
            yield Request(
                "GET", f"/{screen}/details/", (("id", stranger.value(kind, "foreign")),), is_row=True
            )
    if "x" in table["personal_data"][role]:
        yield Request("GET", "/personal_data/", (("id", payer),))


@ONE_IS_ENOUGH
@pytest.mark.parametrize("role", READ_ALL_COMPLAINTS)
def test_who_a_complaint_is_about_reads_nothing_of_it_anywhere(
    planted: tuple[Office, Stranger, dict[str, Web]], role: str
) -> None:
    _office, stranger, webs = planted
    web = webs[role]
    assert any(told(web, web.get("/tickets/"), Request("GET", "", ()), OF_COMPLAINTS))
    with web.rows() as session:
        ticket = session.get_one(Ticket, int(stranger.value("tickets", "foreign")))
        ticket.accused_id, ticket.level = stranger.world.people[role], 2
        session.commit()

    wrong, count = wrong_answers(web, all_pages(stranger, role), OF_COMPLAINTS)
    more, _count = wrong_answers(web, rows(web, stranger, role, COMPLAINT_SCREENS), OF_COMPLAINTS)

    assert [*wrong, *more] == [], "\n".join([*wrong, *more])
    assert count > 60
    if "x" in access.cells()["personal_data"][role]:  # what another person gives out
        given = web.post("/personal_data/known/", {"id": stranger.value("owners", "foreign")})
        assert not any(word in given.text for word in OF_COMPLAINTS)


# Nothing is forgotten ---------------------------------------------------------------------------------------

ADMIN = Path(admin.__file__).parent
FETCHES = {"get", "get_one"}
# fetched by a key that no request said: what the session, a task or a stored reason holds
KNOWN_KEYS = {
    ("auth/sign_in.py", "Staff"),
    ("billing/runs.py", "Task"),
    ("exchange/imports.py", "Task"),
    ("exchange/table_imports.py", "self.view.model"),
    ("exchange/table_imports.py", "field.loader.model"),
    ("panel/background_tasks.py", "Staff"),
    ("panel/list_exports.py", "Task"),
    ("payments/statements.py", "StatementRow"),
    ("panel/mailed_views.py", "SavedView"),  # what the outbox sends, of its own row
    ("panel/mailed_views.py", "Staff"),
}
SAID = re.compile(
    r"""(?:args|form|values|given)(?:\.get\(|\[)"(\w+_id|id|rowid|key|run|audit|posted|decided)\""""
)
NOT_OF_ROWS = {
    "category_id",
    "department_id",
    "handler_id",
    "assignee_id",
    "incident_id",
}  # from a form's list


def fetched(source: str) -> set[str]:
    """The tables of which a file fetches a row by its key from the session itself."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute) or len(node.args) < 2:
            continue
        if isinstance(node.args[0], ast.Constant):  # of the signed session
            continue
        if node.func.attr in FETCHES and ast.unparse(node.func.value).endswith(("session", "session()")):
            found.add(ast.unparse(node.args[0]))
    return found


def test_every_address_says_which_ids_it_takes() -> None:
    own = {
        key
        for key in access.addresses()
        if key[0].split("/")[1] in access.PAGES or key not in usual_addresses()
    }

    assert {(each.path, each.method) for each in ids.addresses()} == own
    assert {path for path, _method, _letter in access.USUAL_ADDRESSES} == set(USUAL)


def usual_addresses() -> set[tuple[str, str]]:
    return {
        (f"/{screen}/{path}", method)
        for screen in access.cells()
        if screen not in access.PAGES
        for path, method, _letter in access.USUAL_ADDRESSES
    }


def test_every_id_of_a_request_is_fetched_by_the_one_helper() -> None:
    found = {
        (str(file.relative_to(ADMIN)), table)
        for file in ADMIN.rglob("*.py")
        for table in fetched(file.read_text(encoding="utf-8"))
    }

    assert found == KNOWN_KEYS


def test_control_a_row_fetched_past_the_helper_is_found() -> None:
    assert fetched('row = db.session.get(Owner, request.args["id"])') == {"Owner"}
    assert fetched("row = db.session().get_one(Owner, key)") == {"Owner"}
    assert fetched('name = session.get("id", "")') == set()
    assert fetched('row = row_access.find(Owner, request.args["id"])') == set()


def test_every_parameter_that_names_a_row_is_tried() -> None:
    tried = {name for each in ids.addresses() for name, _kind in each.ids} | KEPT | {"audit"}
    read = {name for file in ADMIN.rglob("*.py") for name in SAID.findall(file.read_text(encoding="utf-8"))}

    assert read - tried - NOT_OF_ROWS == set()
