"""Three languages, complete: every sentence, every term of the glossary, every screen (goals U3)."""

from __future__ import annotations

import csv
import os
import re
import shutil
import tomllib
from collections import Counter, deque
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from babel.messages import mofile, pofile
from babel.messages.catalog import Catalog, Message
from babel.messages.frontend import CommandLineInterface
from flask import Flask
from flask.testing import FlaskClient
from flask_admin.babel import gettext as admin_gettext
from flask_admin.helpers import set_current_view
from flask_babel import gettext
from sqlalchemy import select
from sqlalchemy.orm import Session
from wtforms.i18n import messages_path

from admin.panel import error_messages, forms, language, reason_words, record_words, wording
from admin.panel.language import LOCALES, TRANSLATIONS
from models import db, engine
from models.billing import Invoice
from models.complaints import Ticket
from models.people import Department, Staff
from office.arrears import contacts, instalment_plans, public_notices
from office.complaints import transitions, work, work_slips
from office.core.errors import Refusals, Refused
from office.operations import demo
from rules.reasons import Reason
from tests.conftest import ADMIN_PASSWORD, Office
from tests.factories.source_code import in_source

pytestmark = pytest.mark.long

ROOT = Path(__file__).parents[3]
GLOSSARY = ROOT / "seed" / "glossary.csv"
CHINESE = {code: name for code, name in LOCALES.items() if code != "en"}
PLACES = re.compile(r"%\(\w+\)[sd]|%%|<[^>]+>")

# Characters that both scripts use although only one of the two old encodings has them.
FINE_IN_TRADITIONAL = set("㎡〓·“”…—–")
FINE_IN_SIMPLIFIED = set("㎡·“”…—–")


def catalogue(locale: str, domain: str = "messages") -> Catalog:
    with (TRANSLATIONS / locale / "LC_MESSAGES" / f"{domain}.po").open("rb") as file:
        return pofile.read_po(file, locale=locale)


def text_of(message: Message) -> str:
    """The one Chinese form; Chinese has no plural."""
    return message.string if isinstance(message.string, str) else message.string[0]


def key_of(message: Message) -> str:
    return message.id if isinstance(message.id, str) else message.id[0]


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Catalog:
    """What the sources ask to have translated, by the command that CONTRIBUTING.md names."""
    target = tmp_path_factory.mktemp("source") / "messages.pot"
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(ROOT)
        CommandLineInterface().run(
            [
                "pybabel", "-q", "extract", "-F", "babel.cfg", "-k", "_l lazy_gettext N_",
                "--no-location", "-o", str(target), ".",
            ]
        )  # fmt: skip
    return pofile.read_po(BytesIO(target.read_bytes()))


@pytest.fixture(params=sorted(CHINESE))
def locale(request: pytest.FixtureRequest) -> str:
    return CHINESE[request.param]


# --- the sentences ---------------------------------------------------------------------------------------


def test_every_sentence_is_translated(source: Catalog, locale: str) -> None:
    known = {(message.id, message.context): message for message in catalogue(locale)}

    missing = [
        key_of(message)
        for message in source
        if message.id and not said(known.get((message.id, message.context)))
    ]

    assert len(source) > 800
    assert not missing, f"not in {locale}: pybabel update, then translate (CONTRIBUTING.md)"


def test_nothing_is_fuzzy_or_left_over(source: Catalog, locale: str) -> None:
    messages = catalogue(locale)
    asked = {(message.id, message.context) for message in source}

    assert not [key_of(message) for message in messages if message.id and message.fuzzy]
    assert not [
        key_of(message) for message in messages if message.id and (message.id, message.context) not in asked
    ]
    assert not messages.obsolete


def test_places_and_markup_are_kept(locale: str) -> None:
    wrong = {
        key_of(message): text_of(message)
        for message in catalogue(locale)
        if message.id
        and places(text_of(message)) != places(message.id[-1] if message.pluralizable else message.id)
    }

    assert not wrong


def test_the_glossary_is_kept() -> None:
    """A sentence that is just a term of the glossary says the glossary's word."""
    with GLOSSARY.open(encoding="utf-8") as file:
        terms = list(csv.DictReader(file))
    wrong = []
    for code, locale in CHINESE.items():
        known = {message.id: message for message in catalogue(locale) if not message.context}
        wrong += [
            (term["en"], text_of(known[term["en"]]), term[code])
            for term in terms
            if term["en"] in known and text_of(known[term["en"]]) != term[code]
        ]

    assert len(terms) > 80
    assert not wrong


@pytest.mark.parametrize(
    ("locale", "has", "has_not", "fine"),
    [
        ("zh_Hant_TW", "gb2312", "big5", FINE_IN_TRADITIONAL),
        ("zh_Hans_CN", "big5", "gb2312", FINE_IN_SIMPLIFIED),
    ],
)
@pytest.mark.parametrize("domain", ["messages", "admin", "wtforms"])
def test_each_script_is_pure(domain: str, locale: str, has: str, has_not: str, fine: set[str]) -> None:
    wrong = {
        letter: text_of(message)
        for message in catalogue(locale, domain)
        if message.id
        for letter in strangers(text_of(message), has, has_not, fine)
    }

    assert not wrong


def test_strangers_are_found() -> None:
    """The control: a Simplified word among Traditional ones, and the other way round."""
    assert strangers("儲存设置", "gb2312", "big5", set()) == {"设"}
    assert strangers("保存設置", "big5", "gb2312", set()) == {"設"}


def said(message: Message | None) -> bool:
    return message is not None and bool(message.string) and bool(text_of(message).strip())


def places(text: str) -> list[str]:
    return sorted(PLACES.findall(text))


def strangers(text: str, has: str, has_not: str, fine: set[str]) -> set[str]:
    """Letters that the encoding `has` knows and the encoding `has_not` doesn't."""
    return {letter for letter in text if letter not in fine and can(letter, has) and not can(letter, has_not)}


def can(letter: str, encoding: str) -> bool:
    try:
        letter.encode(encoding)
    except UnicodeEncodeError:
        return False
    return True


# --- what libraries say ----------------------------------------------------------------------------------


def test_what_forms_say_is_in_the_readers_script(locale: str) -> None:
    """WTForms' own Traditional words, not its Simplified ones, and none left in English (decisions)."""
    language.compile_translations(language.TRANSLATIONS)  # as every start does
    forms.wtforms_words.cache_clear()
    asked = catalogue_of_wtforms()
    code = next(code for code, name in CHINESE.items() if name == locale)
    words = forms.wtforms_words(code, str(language.TRANSLATIONS))
    has, has_not = ("gb2312", "big5") if code == "zh_Hant" else ("big5", "gb2312")

    said_by_forms = {message: words.gettext(message) for message in asked}

    assert (
        said_by_forms["This field is required."] == {"zh_Hans": "此项必填。", "zh_Hant": "此項必填。"}[code]
    )
    assert not [english for english, chinese in said_by_forms.items() if english == chinese]
    assert not {text for text in said_by_forms.values() if strangers(text, has, has_not, set())}


def catalogue_of_wtforms() -> set[str]:
    with (Path(messages_path()) / "zh_TW/LC_MESSAGES/wtforms.mo").open("rb") as file:
        return {
            key_of(message) for message in mofile.read_mo(file) if message.id and not message.pluralizable
        }


@pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    ("accepted", "said"),
    [("zh-CN", ("未能新建记录。", "未能保存记录。")), ("zh-TW", ("未能新增記錄。", "未能儲存記錄。"))],
)
def test_what_flask_admin_lacks_is_supplied(
    office_of: Callable[..., Office], dialect: str, accepted: str, said: tuple[str, str]
) -> None:
    app = office_of("residential").app
    with app.test_request_context(headers={"Accept-Language": accepted}):
        set_current_view(app.extensions["admin"][0]._views[1])

        assert admin_gettext("Failed to create record.") == said[0]
        assert admin_gettext("Failed to save record.") == said[1]


# --- stored codes ----------------------------------------------------------------------------------------

# Reasons that are worded elsewhere: guards of a ticket's life, faults of edited policies and texts.
WORDED = {*transitions.MISSING, *reason_words.PROBLEMS, "approval_by_requester"}
NEVER_SHOWN = {
    "counter",
    "sent_form",
    "sign_in_attempt",
    "figures_collected",
    "figures_item",
    "figures_owed",
    "figures_year",
    "figures_stale",
    "paper_setting",
}
RECORDED = (
    r'\brecord\(\s*(?:self\.|db\.)?session(?:\(\))?,\s*[\w.()]+,\s*[\w.]+,\s*"(\w+)"',
    r'\brecord\(\s*"(\w+)"',
    r'\blocked\.audit\(\s*"(\w+)"',
    r'@office_action\(\s*"(\w+)"',
)


def test_every_stored_code_has_a_word() -> None:
    """Reasons, audited actions and tables: nobody reads `plan_broken` on a screen (C12, F17)."""
    reasons = in_source("rules office", r'\b(?:Reason|PolicyValueError)\(\s*"(\w+)"')
    actions = in_source("office admin", *RECORDED)

    assert len(reasons) > 60
    assert len(actions) > 40
    assert not reasons - set(reason_words.REASONS) - WORDED
    assert not actions - set(record_words.ACTIONS)
    assert not set(db.metadata.tables) - set(record_words.TABLES) - NEVER_SHOWN


# --- the screens -----------------------------------------------------------------------------------------

# Words that stay in Latin letters in Chinese offices: file kinds, techniques, keys, names of things.
ALLOWED = {
    "Gatehouse", "admin", "English", "Cloud", "Garden",
    "MB", "CSV", "XLSX", "PDF", "JSON", "TOML", "UTF", "GBK", "SMS", "SMTP", "URL", "QR", "PIN", "TOTP",
    "LINE", "Pay", "TWQR", "PNG", "JPEG",
    "ID", "IP", "OK", "HH", "MM", "YYYY", "DD",
    "Ctrl", "Enter", "Esc", "Shift", "Tab", "Alt",
}  # fmt: skip
# A run of letters that is a word: not part of a code (B-12, RES2026), an address or a login.
ADDRESSES = re.compile(r"\S+@\S+|https?://\S+|\S*\d\S*|\{\w+\}|[A-Z][a-z]+/[A-Z][a-z]+")
# Columns whose values are the same in every language: codes for exports, and English names.
CODES = {"代码", "代碼", "用户名", "使用者名稱", "名称（英文）", "名稱（英文）"}
WORDS = re.compile(r"[A-Za-z][A-Za-z']+")
MOST_PAGES = 14  # of one screen
SET_BACK_TO, TODAY = datetime(2026, 5, 20, 2, tzinfo=UTC), datetime(2026, 6, 6, 2, tzinfo=UTC)


class Page(HTMLParser):
    """What a reader sees or hears of a page, and where its links lead."""

    SILENT = ("script", "style", "svg", "code", "textarea")
    HEARD = ("placeholder", "title", "aria-label", "alt", "data-confirm")

    def __init__(self, text: str) -> None:
        super().__init__()
        self.seen: list[str] = []
        self.links: list[str] = []
        self.is_in_menu = 0
        self.menu: list[str] = []
        self.silence: list[str] = []
        self.heading = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        is_english = self.heading.endswith("（English）")  # what the office itself wrote in English
        is_code = given.get("data-label") in CODES or (tag == "dd" and (self.heading in CODES or is_english))
        if tag in self.SILENT or is_code:
            self.silence.append(tag)
        self.seen += [given[name] for name in self.HEARD if name in given]
        if tag == "input" and given.get("type") in {"submit", "button"}:
            self.seen.append(given.get("value", ""))
        if tag == "a":
            (self.menu if "data-screen" in given else self.links).append(given.get("href", ""))

    def handle_endtag(self, tag: str) -> None:
        if self.silence and self.silence[-1] == tag:
            self.silence.pop()

    def handle_data(self, data: str) -> None:
        if not self.silence:
            self.seen.append(data)
            self.heading = data.strip() or self.heading

    def english(self) -> set[str]:
        text = ADDRESSES.sub(" ", " \n ".join(self.seen))
        return {word for word in WORDS.findall(text) if word not in ALLOWED}


@pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)
@pytest.mark.parametrize(("preset", "accepted"), [("tower", "zh-CN"), ("project", "zh-TW")])
def test_no_english_word_on_a_chinese_screen(
    office_of: Callable[..., Office], dialect: str, preset: str, accepted: str
) -> None:
    office = lived_in(office_of(preset))
    client = signed_in(office, accepted)
    everywhere = Page(client.get("/nothing-here").text).english()
    found = {"on every page": everywhere} if everywhere else {}
    stranger = office.app.test_client()
    assert not Page(stranger.get("/login", headers={"Accept-Language": accepted}).text).english()
    count = 0

    for path, page in walk(client):
        count += 1
        words = page.english() - everywhere
        if words:
            found[path] = words

    assert count > 60
    assert not found, "\n".join(f"{path}: {' '.join(sorted(words))}" for path, words in found.items())


def test_no_english_word_in_chinese_papers_and_messages() -> None:
    """Fixed words of papers, texts that an office may reword, suggested openings, what messages say."""
    files = [ROOT / "office/documents/pdf/wording.toml", *(ROOT / "seed").rglob("*.toml")]
    said = [(file.name, *each) for file in files for each in texts(tomllib.loads(file.read_text("utf-8")))]

    chinese = [(name, path, text) for name, path, text in said if "zh_han" in path.casefold()]
    found = {
        f"{name} {path}": words
        for name, path, text in chinese
        if (words := set(WORDS.findall(ADDRESSES.sub(" ", text))) - ALLOWED)
    }

    assert len(chinese) > 150
    assert not found


def texts(value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """Every text of a TOML document with its place."""
    if isinstance(value, dict):
        for name, each in value.items():
            yield from texts(each, f"{path}.{name}")
    elif isinstance(value, list):
        for number, each in enumerate(value):
            yield from texts(each, f"{path}[{number}]")
    elif isinstance(value, str):
        yield path, value


def test_english_words_are_found() -> None:
    """The control."""
    page = Page("<p title='Close'>房号 <b>B-12</b> a@b.cn PDF <span>Unit no.</span></p><script>no</script>")

    assert page.english() == {"Close", "Unit", "no"}


def lived_in(office: Office) -> Office:
    """The demo estate, seventeen days of the clock, and one of nearly everything that people enter."""
    with office.app.app_context(), engine.writing():
        demo.build(db.session(), password=ADMIN_PASSWORD, now=SET_BACK_TO, months=3)
        db.session.commit()
        db.session.remove()
    for moment in (SET_BACK_TO, TODAY):
        assert office.run("tick", "--at", moment.isoformat()).exit_code == 0
    with office.app.app_context(), engine.writing():
        enter(db.session())
        db.session.commit()
        db.session.remove()
    return office


def enter(session: Session) -> None:
    """A call with a promise, a held ladder, a plan, a public list; a complaint that waits, one solved."""
    admin = session.scalars(select(Staff.id).where(Staff.login == "admin")).one()
    debts = select(Invoice.unit_id, Invoice.payer_id).where(Invoice.balance > 0).distinct()
    called, held, planned, *_others = [(row.unit_id, row.payer_id) for row in session.execute(debts.limit(3))]
    by, later = {"now": TODAY, "staff_id": admin}, TODAY.date() + timedelta(days=9)
    contact = contacts.NewContact(
        unit_id=called[0], method="phone", at=TODAY, outcome="promised", promised_on=later, staff_id=admin
    )
    contacts.record_contact(session, contact, now=TODAY)
    contacts.hold_ladder(session, held, reason="核对中", until_on=later, **by)
    instalment_plans.propose_even_plan(session, planned, 2, later, **by)
    dates = {"from_on": later, "to_on": later + timedelta(days=9)}
    public_notices.request_notice(session, building_id=None, reason="久欠", place="大堂", **dates, **by)
    solved, waiting = session.scalars(select(Ticket.id).order_by(Ticket.id.desc()).limit(2))
    work.resolve_on_spot(session, solved, resolution="已处理", **by)
    other = session.scalars(
        select(Department.id)
        .join(Ticket, (Ticket.id == waiting) & (Ticket.department_id != Department.id))
        .limit(1)
    ).one()
    work_slips.issue_work_slip(session, waiting, department_id=other, task="请配合", **by)


def signed_in(office: Office, accepted: str) -> FlaskClient:
    client = office.app.test_client()
    client.environ_base["HTTP_ACCEPT_LANGUAGE"] = accepted
    token = re.search(r'name="csrf_token" value="([^"]+)"', client.get("/login").text)
    assert token
    fields = {"csrf_token": token[1], "login": "admin", "password": ADMIN_PASSWORD}
    assert client.post("/login", data=fields).status_code == 302
    return client


def walk(client: FlaskClient) -> Iterator[tuple[str, Page]]:
    """Every screen of the sidebar and what it links to: one page of each shape, some of each screen."""
    start = Page(client.get("/", follow_redirects=True).text)
    waiting = deque(["/account", *start.menu])
    shapes, sizes = set(map(shape, waiting)), Counter[str]()
    while waiting:
        path = waiting.popleft()
        answer = client.get(path, follow_redirects=True, buffered=True)
        assert answer.status_code < 400, path
        if answer.mimetype != "text/html":
            continue
        page = Page(answer.text)
        yield path, page
        for link in page.links:
            room = link.split("/")[1] if link.startswith("/") else ""
            if room and shape(link) not in shapes and not is_download(link) and sizes[room] < MOST_PAGES:
                sizes[room] += 1
                shapes.add(shape(link))
                waiting.append(link)


def shape(link: str) -> str:
    """An address without what differs between rows: ids, and where a list is turned over."""
    path, _, query = link.partition("?")
    parts = {part for part in query.split("&") if part.startswith(("policy=", "view="))}
    parts |= {part.partition("=")[0] for part in query.split("&") if part}
    return re.sub(r"\d+", "1", path) + "?" + "&".join(sorted(parts - {"sort", "after", "before", "desc"}))


def is_download(link: str) -> bool:
    return any(part in link for part in ("/export", ".pdf", ".csv", ".xlsx"))


@pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    ("refusal", "said"),
    [
        (Refused("Only these roles may do this: %(roles)s", roles="manager, director"),
         "只有以下角色可以进行此操作：物业经理、分管领导"),
        (Refused("Not possible yet: %(missing)s", missing=Refusals(
            [Refused("Write down what was done"),
             Refused("Only these roles may do this: %(roles)s", roles="manager")]
        )), "暂时不能进行：请填写处理结果；只有以下角色可以进行此操作：物业经理"),
        (Refused("Not possible while the complaint is in state %(state)s (possible: %(allowed)s)",
                 state="closed", allowed="assigned, in_progress"),
         "投诉处于“已关闭”状态时不能进行此操作（允许：已派单、处理中）"),
    ],
)  # fmt: skip
def test_what_is_refused_is_said_without_codes(
    office_of: Callable[..., Office], dialect: str, refusal: Refused, said: str
) -> None:
    with office_of("residential").app.test_request_context(headers={"Accept-Language": "zh-CN"}):
        assert error_messages.message_for(refusal) == said


@pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    ("reason", "said"),
    [
        (Reason("household_count", {"value": 3, "at_least": 3}), "联名户数（数值 3、不少于 3）"),
        (Reason("promise_not_due", {"promised_on": "2026-07-20"}), "缴费承诺尚未到期（承诺日期 2026-07-20）"),
        (Reason("late_solve", {"level": 1}), "解决已超时（升级层级 1）"),
        (Reason("gate", {"gate": "legal", "missing": "months_in_arrears delivered_letter"}),
         "前置条件未满足（前置条件 法律途径、缺少条件 欠费月数、已送达的函件）"),
        (Reason("paid"), "已缴"),
    ],
)  # fmt: skip
def test_stored_reasons_are_said_without_codes(
    office_of: Callable[..., Office], dialect: str, reason: Reason, said: str
) -> None:
    with office_of("residential").app.test_request_context(headers={"Accept-Language": "zh-CN"}):
        assert wording.reason(reason.to_json()) == said


def test_a_checkout_that_nobody_may_write_has_its_translations_in_the_instance(tmp_path, monkeypatch):
    """As a package of the system's: the compiled files can't be put beside their sources."""
    checkout, instance = tmp_path / "checkout", tmp_path / "instance"
    shutil.copytree(TRANSLATIONS, checkout, ignore=shutil.ignore_patterns("*.mo"))
    for locale in CHINESE.values():
        (checkout / locale / "LC_MESSAGES" / "messages.mo").mkdir()  # even root can't put a file there
        os.utime(checkout / locale / "LC_MESSAGES" / "messages.mo", (0, 0))
        (checkout / locale / "LC_MESSAGES" / "messages.mo" / "in the way").touch()
        os.utime(checkout / locale / "LC_MESSAGES" / "messages.mo", (0, 0))
    monkeypatch.setattr(language, "TRANSLATIONS", checkout)
    made = Flask("other", instance_path=str(instance))

    language.init_app(made)

    assert made.config["BABEL_TRANSLATION_DIRECTORIES"] == str(instance / "translations")
    with made.test_request_context(headers={"Accept-Language": "zh-CN"}):
        assert gettext("Invoices") == "收费通知单"
        said = forms.OfficeForm.Meta().get_translations(None)
        assert said.gettext("This field is required.") == "此项必填。"
