"""Every form that posts, over all real screens: forged, audited, stale, odd (F5, F6, F8, F17).

Small by default; the full size of goals.md by GATEHOUSE_FULL=1 (10,000 posts, 5,000 query strings, 100 pairs
of clerks for each form).
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import urlsplit

import pytest
from sqlalchemy import func, select

from admin.panel import audit, csrf, record_forms
from admin.panel import view as panel_view
from models.base import db
from office.core import audit as office_audit
from office.reports import catalog
from tests.admin.conftest import Web
from tests.admin.crawl import ODD, TOKEN, Form, every_form, filled, forms_of
from tests.admin.panel import access
from tests.admin.sample_office import World, furnish
from tests.conftest import IS_FULL, Office
from tests.factories.writes import watched

POSTS = 10_000 if IS_FULL else 250
QUERIES = 5_000 if IS_FULL else 250
PAIRS = 100 if IS_FULL else 1
pytestmark = [pytest.mark.long, pytest.mark.timeout(7200 if IS_FULL else 300)]

ONE_IS_ENOUGH = pytest.mark.parametrize("dialect", ["sqlite"])  # for controls: what is off is our own code

Furnished = tuple[Web, World]


@pytest.fixture
def furnished(office_of: Any) -> Furnished:
    """The administrator in a furnished office; what crashes is answered with 500, as in real life."""
    office: Office = office_of("residential", fills=(furnish,), TESTING=False, PROPAGATE_EXCEPTIONS=False)
    web = Web(office, office.app.test_client())
    assert web.sign_in().status_code == 302
    return web, office.made


def post(web: Web, form: Form, fields: dict[str, Any]) -> Any:
    return web.client.post(form.action, data=fields, buffered=True)


def counts(web: Web) -> dict[str, int]:
    with web.rows() as session:
        return {
            table.name: session.scalar(select(func.count()).select_from(table)) or 0
            for table in db.metadata.sorted_tables
            if table.name not in {"web_session", "sign_in_attempt"}
        }


# Forged (F5) -------------------------------------------------------------------------------------------


def forged(web: Web) -> list[str]:
    """Each address that took a POST without this session's token."""
    other = Web(web.office, web.office.app.test_client())
    other.client.environ_base["REMOTE_ADDR"] = "10.8.8.8"
    other.sign_in()
    tokens = {"none": None, "another session's": other.token()}
    return [
        f"{path} with {kind}"
        for (path, method) in (*access.addresses(), *access.open_addresses())
        if method == "POST" and not path.startswith("/public/")
        for kind, token in tokens.items()
        if web.client.post(path, data={} if token is None else {TOKEN: token}, buffered=True).status_code
        != 400
    ]


def test_no_post_is_taken_without_this_sessions_token(furnished: Furnished) -> None:
    web, _world = furnished
    before = counts(web)

    assert forged(web) == []

    assert {**counts(web), "audit": 0} == {**before, "audit": 0}


@ONE_IS_ENOUGH
def test_control_without_the_check_forged_posts_are_taken(
    furnished: Furnished, monkeypatch: pytest.MonkeyPatch
) -> None:
    web, _world = furnished
    monkeypatch.setattr(csrf, "has_token", lambda: True)
    monkeypatch.setattr(access, "OPEN_ADDRESSES", "")

    assert len(forged(web)) > 100


# Audited (F17) -----------------------------------------------------------------------------------------

UNTOLD = {"audit", "web_session", "sign_in_attempt", "counter", "figures_stale"}


def unaudited(web: Web, world: World) -> tuple[list[str], Counter[str]]:
    """Forms whose change was committed without an audit row, and how many changed something by address."""
    wrong, changing = [], Counter[str]()
    for form in every_form(web, world):
        with watched(web.office.app) as transactions:
            answer = post(web, form, filled(web, form))
        assert answer.status_code < 500, (form.action, answer.status_code)
        for tables in transactions:
            if tables - UNTOLD:
                changing[form.path] += 1
                if "audit" not in tables:
                    wrong.append(f"{form.action}: {sorted(tables)}")
    return wrong, changing


def test_every_change_writes_its_audit_row_in_the_same_transaction(furnished: Furnished) -> None:
    web, world = furnished

    wrong, changing = unaudited(web, world)

    assert wrong == [], "\n".join(wrong)
    assert len(changing) >= 45, sorted(changing)


@ONE_IS_ENOUGH
def test_control_without_audit_rows_the_changes_are_named(
    furnished: Furnished, monkeypatch: pytest.MonkeyPatch
) -> None:
    web, world = furnished
    for module in (audit, record_forms):
        monkeypatch.setattr(module, "record", lambda *_arguments, **_more: None)
    monkeypatch.setattr(office_audit, "record", lambda *_arguments, **_more: None)

    wrong, _changing = unaudited(web, world)

    assert len(wrong) > 20


# Stale (F8) --------------------------------------------------------------------------------------------


def edit_forms(web: Web, world: World) -> Iterator[Form]:
    for (path, method), (screen, _letter) in access.addresses().items():
        if path == f"/{screen}/edit/" and method == "POST" and screen in world.ids:
            page = f"{path}?id={world.ids[screen]['own']}"
            yield from edits_of(page, web)


def edits_of(page: str, web: Web) -> list[Form]:
    found = forms_of(page, web.get(page).text)
    return [form for form in found if any(each.name == "row_version" for each in form.inputs)][:1]


TEXTS = (
    "name", "note", "text", "title", "name_en", "gift", "bank", "label", "email",
)  # fmt: skip
NUMBERS = ("value", "percent", "rate", "position")


def told_apart(form: Form, fields: dict[str, Any], words: str, number: int) -> dict[str, Any] | None:
    """The fields with one text or number changed; None where a form has neither."""
    names = {each.name for each in form.inputs}
    for name in TEXTS:
        if name in names:
            return {**fields, name: words}
    for name in NUMBERS:
        if name in names:
            return {**fields, name: str(number)}
    return None


def overwritten(web: Web, other: Web, world: World, pairs: int) -> tuple[list[str], int]:
    """Forms on which the second of two clerks overwrote the first unasked, or was not shown both versions."""
    wrong, tried = [], 0
    for form in edit_forms(web, world):
        for number in range(pairs):
            mine, theirs = (edits_of(form.page, each) for each in (web, other))
            pair = []
            for browser, found, words in (
                (web, mine, f"first {number}"),
                (other, theirs, f"second {number}"),
            ):
                own = found[0]
                fields = told_apart(own, filled(browser, own), words, 10 + (2 * number + len(pair)) % 80)
                if fields is not None:
                    pair.append((browser, own, fields, words))
            if len(pair) < 2:
                continue
            tried += 1
            with ThreadPoolExecutor(2) as pool:  # at once, as two clerks may
                answers = list(pool.map(post, *zip(*(one[:3] for one in pair), strict=True)))
            by_status = sorted(
                zip((each.status_code for each in answers), pair, answers, strict=True),
                key=lambda one: one[0],
            )
            statuses = [one[0] for one in by_status]
            if statuses != [302, 409]:
                wrong.append(f"{form.action}: {statuses}")
                continue
            winner, shown = by_status[0][1][3], by_status[1][2].text
            if "before-after" not in shown:
                wrong.append(f"{form.action}: the stale page does not show both")
            if any(name in TEXTS for name in by_status[0][1][2]) and (
                winner not in shown or by_status[1][1][3] not in shown
            ):
                wrong.append(f"{form.action}: one of the two versions is not shown")
            if any(name in TEXTS for name in by_status[0][1][2]) and winner not in web.get(form.page).text:
                wrong.append(f"{form.action}: the first save is gone")
    return wrong, tried


def test_of_two_clerks_the_second_is_shown_both_versions(furnished: Furnished) -> None:
    web, world = furnished
    other = Web(web.office, web.office.app.test_client())
    other.client.environ_base["REMOTE_ADDR"] = "10.8.8.8"
    other.sign_in()

    wrong, tried = overwritten(web, other, world, PAIRS)

    assert wrong == [], "\n".join(wrong)
    assert tried >= 12 * PAIRS


@ONE_IS_ENOUGH
def test_control_without_versions_one_overwrites_the_other(
    furnished: Furnished, monkeypatch: pytest.MonkeyPatch
) -> None:
    from admin.panel.view import OfficeView

    web, world = furnished
    monkeypatch.setattr(OfficeView, "_stale_page", lambda self, row: self._save_anyway(row), raising=True)
    monkeypatch.setattr(
        OfficeView,
        "_save_anyway",
        lambda self, row: (self.update_model(self.edit_form(obj=row), row), ("saved", 302))[1],
        raising=False,
    )
    other = Web(web.office, web.office.app.test_client())
    other.client.environ_base["REMOTE_ADDR"] = "10.8.8.8"
    other.sign_in()

    wrong, _tried = overwritten(web, other, world, 1)

    assert len(wrong) >= 12


# Odd (F6) ----------------------------------------------------------------------------------------------


def is_off_site(answer: Any) -> bool:
    target = urlsplit(answer.headers.get("location", ""))
    return bool(target.netloc and target.netloc != "localhost") or target.path.startswith(("//", "/\\"))


def judged(answer: Any, asked: str) -> list[str]:
    found = [f"{asked}: {answer.status_code}"] if answer.status_code >= 500 else []
    return [*found, *([f"{asked}: leads to {answer.headers['location']}"] if is_off_site(answer) else [])]


def test_odd_posts_never_crash_nor_lead_elsewhere(furnished: Furnished) -> None:
    web, world = furnished
    dice = random.Random(6)
    forms = [form for form in every_form(web, world) if "second-step" not in form.path]
    wrong, token = [], web.token()
    for number in range(POSTS):
        form = forms[number % len(forms)]
        fields = filled(web, form, dice)
        fields[TOKEN] = token
        if dice.random() < 0.3:
            fields["url"] = dice.choice(
                ("//evil.example", "https://evil.example/", "/\\evil.example", "\t//evil.example")
            )
        answer = post(web, form, fields)
        wrong += judged(answer, f"{form.action} {fields}")
        if answer.status_code in {400, 401} and not web.is_signed_in:  # an odd post may end the session
            web.sign_in()
            token = web.token()

    assert wrong == [], "\n".join(wrong)


def test_odd_query_strings_never_crash_nor_lead_elsewhere(furnished: Furnished) -> None:
    web, _world = furnished
    dice = random.Random(5)
    pages = [path.replace("<export_type>", "csv") for path, method in access.addresses() if method == "GET"]
    pages += ["/login", "/account", "/public/complaint/", "/public/complaint/track/"]
    names = sorted(parameter_names(web))
    wrong = []
    for number in range(QUERIES):
        page = pages[number % len(pages)]
        query = {name: dice.choice(ODD) for name in dice.sample(names, dice.randint(1, 6))}
        wrong += judged(web.client.get(page, query_string=query, buffered=True), f"{page} {query}")

    assert wrong == [], "\n".join(wrong)


def parameter_names(web: Web) -> set[str]:
    """Whatever some page reads from its address."""
    found = {
        "id",
        "page",
        "page_size",
        "search",
        "sort",
        "after",
        "before",
        "view",
        "columns",
        "url",
        "period",
        "q",
    }
    found |= {
        "unit_id",
        "payer_id",
        "owner_id",
        "invoice_id",
        "number",
        "kind",
        "policy",
        "name",
        "query",
        "key",
        "posted",
    }
    found |= {name for names in catalog.FILTERS.values() for name in names}
    found |= {"language", "month", "code", "day", "on", "task", "file"}
    for view in web.office.app.extensions["admin"][0]._views:
        if isinstance(view, panel_view.OfficeView):
            found |= {name for each in view.filters for name in each.parameters()}
    return found


@ONE_IS_ENOUGH
def test_control_a_page_that_trusts_its_address_is_found(
    furnished: Furnished, monkeypatch: pytest.MonkeyPatch
) -> None:
    from admin.auth import sign_in
    from admin.panel import request_values

    web, _world = furnished
    monkeypatch.setattr(request_values, "row_id", int)
    assert judged(web.get("/areas/details/?id=abc"), "areas")
    monkeypatch.setattr(sign_in, "safe_target", lambda target: target)
    answer = web.post("/preferences", {"theme": "dark", "url": "//evil.example"})
    assert judged(answer, "preferences")
