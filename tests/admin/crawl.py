"""Pages read as a browser reads them: their forms, what may be typed into each field, and where they go.

`forms_of` parses a page; `filled` gives a form's fields with values that fit, or odd ones by dice;
`every_form` walks all screens of a furnished office and yields each form that changes something.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urljoin

from tests.admin.conftest import Web
from tests.admin.panel import access
from tests.admin.sample_office import TODAY, World

TOKEN = "csrf_token"
KEPT = {
    TOKEN,
    "confirmed",
    "row_version",
    "url",
    "id",
    "rowid",
    "action",
    "do",
    "unit_id",
    "payer_id",
    "version",
}
ODD = (
    "",
    " ",
    "0",
    "-1",
    "1e400",
    "NaN",
    "Infinity",
    "9" * 40,
    "99999999999",
    "²",
    "１",
    "a\x00b",
    "\ud800".encode("utf-8", "surrogatepass").decode("latin-1"),
    "x" * 5000,
    "😀" * 40,
    "<script>alert(1)</script>",
    "'; DROP TABLE staff; --",
    "=cmd|'/c calc'!A0",
    "{{ 7*7 }} {x} %(x)s %s",
    "../../etc/passwd",
    "//evil.example",
    "https://evil.example/",
    "0000-00-00",
    "9999-12-31",
    "2026-02-30",
    "2026-13",
    "0001-01-01T00:00",
    "[[1",
    '{"a":',
    "[]",
    "null",
    "true",
    "\r\nSet-Cookie: a=b",
    "data:image/png;base64,AAAA",
)


@dataclass
class Input:
    name: str
    kind: str
    value: str = ""
    options: list[str] = field(default_factory=list)
    is_checked: bool = False
    picker: str = ""


@dataclass
class Form:
    page: str
    action: str
    method: str
    inputs: list[Input] = field(default_factory=list)

    @property
    def path(self) -> str:
        return self.action.partition("?")[0]


class _Reader(HTMLParser):
    def __init__(self, page: str) -> None:
        super().__init__()
        self.page, self.forms, self.open = page, [], None  # type: ignore[var-annotated]
        self.select: Input | None = None
        self.area: Input | None = None
        self.picker = ""
        self.by_id: dict[str, Form] = {}

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        found = {name: value or "" for name, value in attrs}
        if tag == "form":
            action = urljoin(self.page, found.get("action") or self.page)
            self.open = Form(self.page, action, found.get("method", "get").lower())
            self.forms.append(self.open)
            self.by_id[found.get("id", "")] = self.open
        if tag == "span" and "data-picker" in found:
            self.picker = found["data-picker"]
        if tag == "option" and self.select is not None:
            self.select.options.append(found.get("value", ""))
            if "selected" in found:
                self.select.value, self.select.is_checked = found.get("value", ""), True
        form = self.by_id.get(found["form"]) if found.get("form") else self.open
        if tag not in {"input", "select", "textarea", "button"} or form is None or not found.get("name"):
            return
        kind = {"select": "select", "textarea": "area", "button": "button"}.get(
            tag, found.get("type", "text")
        )
        made = Input(found["name"], kind, found.get("value", ""), is_checked="checked" in found)
        if kind == "hidden" and self.picker:
            made.kind, made.picker, self.picker = "picker", self.picker, ""
        self.select = made if tag == "select" else self.select
        form.inputs.append(made)

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self.open = None
        if tag == "select":
            self.select = None


def forms_of(page: str, text: str) -> list[Form]:
    reader = _Reader(page)
    reader.feed(text)
    return reader.forms


def filled(web: Web, form: Form, dice: random.Random | None = None) -> dict[str, Any]:
    """A form's fields with values that fit; with dice mostly odd ones, but the machinery's own stay."""
    given: dict[str, Any] = {}
    for each in form.inputs:
        if each.kind in {"button", "file", "submit"}:
            continue
        if dice is not None and dice.random() < _oddity(each.name):
            given[each.name] = dice.choice(ODD)
        elif each.kind in {"checkbox", "radio"}:
            if each.is_checked or (dice is not None and dice.random() < 0.5):
                known = given.get(each.name, [])
                given[each.name] = [*(known if isinstance(known, list) else [known]), each.value or "on"]
        elif each.name in EITHER_OR.get(form.path.split("/")[1], ()):
            given[each.name] = each.value
        else:
            given[each.name] = fitting(web, each)
    return given


# fields that a careful person leaves as they are, because another one is filled
EITHER_OR = {
    "item_rates": ("tag", "building", "floor_from", "floor_to", "unit_kind", "amount"),
    "contracts": ("step_every_months", "step_percent", "step_amount", "rent_free_from", "rent_free_to"),
    "rent_changes": ("rent",),
}


def _oddity(name: str) -> float:
    """How often a field gets an odd value: often, the machinery's own seldom, its token never."""
    if name in {TOKEN, "confirmed"}:
        return 0
    return 0.15 if name in KEPT else 0.7


def fitting(web: Web, each: Input) -> str:
    """A value that a careful person might type."""
    if each.value or each.name in KEPT or (each.kind == "select" and each.is_checked):
        return each.value
    if each.kind == "picker":
        found = web.get(each.picker).json or []
        return str(found[0][0]) if found else ""
    if each.kind == "select":
        return next((option for option in each.options if option), "")
    by_kind = {"date": TODAY.isoformat(), "month": TODAY.isoformat()[:7], "number": "1"}
    by_name = {
        "email": "a@example.invalid",
        "amount": "1.00",
        "quiet_from": "22:00",
        "quiet_to": "07:00",
        "first_on": TODAY.isoformat(),
        "count": "2",
        "percent": "90",
        "year": "2030",
        "services": "",
        "services_zh_hant": "",
        "services_en": "",
        "tiers": "180: 0.50; 0.80",
        "unit_code": "own-01",
        "public_address": "https://office.example.com",
    }
    if each.kind == "datetime-local":
        return f"{TODAY.isoformat()}T10:00"
    return by_name.get(each.name) or by_kind.get(each.kind) or ("1" if _is_number(each.name) else "text")


def _is_number(name: str) -> bool:
    words = (
        *("position", "rate", "quantity", "area_m2", "floor", "value"),
        *("months", "count", "least", "most", "factor"),
    )
    return any(word in name for word in words)


def starts(world: World) -> list[str]:
    """The pages on which forms are found: each screen's list, new, edit and details; hand-made pages."""
    found = ["/account", "/account/second-step", "/search/?q=own"]
    for screen in access.cells():
        found.append(f"/{screen}/")
        if screen in access.PAGES:
            continue
        found.append(f"/{screen}/new/")
        if screen in world.ids:
            key = world.ids[screen]["own"]
            found += [f"/{screen}/details/?id={key}", f"/{screen}/edit/?id={key}"]
    unit, payer = world.ids["units"]["own"], world.ids["owners"]["own"]
    return [
        *found,
        f"/cashier/?unit_id={unit}",
        "/billing/?period=2026-02",
        f"/call_list/contact/?unit_id={unit}&payer_id={payer}",
        f"/change_payer/?unit_id={unit}",
        f"/statement_of_account/?unit_id={unit}",
        f"/unit_charges/?unit_id={unit}",
        f"/move_in/?unit_id={unit}",
        f"/route/visit/?id={world.ids['visits']['own']}",
        *(
            f"/policies/edit/?policy={name}"
            for name in ("ladder", "billing", "clocks", "sign_in", "calendar")
        ),
    ]


def every_form(web: Web, world: World) -> Iterator[Form]:
    """Each form that posts, once for each address, field names and action; what an action asks for too."""
    seen = set()
    for page in starts(world):
        answer = web.get(page)
        if answer.status_code != 200 or answer.is_json:
            continue
        for form in forms_of(page, answer.text):
            if form.method != "post" or form.path == "/logout":
                continue
            for variant in _variants(form):
                mark = (variant.action, tuple(sorted({each.name for each in variant.inputs})), _said(variant))
                if mark not in seen:
                    seen.add(mark)
                    yield variant
    yield from _actions(web, world)


def _said(form: Form) -> str:
    return "|".join(each.value for each in form.inputs if each.name in {"action", "do"})


def _variants(form: Form) -> list[Form]:
    """One form for each button that says something."""
    named = [each for each in form.inputs if each.kind == "button"]
    rest = [each for each in form.inputs if each.kind != "button"]
    if not named:
        return [form]
    return [
        Form(form.page, form.action, form.method, [*rest, Input(each.name, "hidden", each.value)])
        for each in named
    ]


def _actions(web: Web, world: World) -> Iterator[Form]:
    """The form that each action asks its fields in; an action that asks nothing, as its button sends it."""
    for view in web.office.app.extensions["admin"][0]._views:
        for code, action in getattr(view, "office_actions", {}).items():
            keys = world.ids.get(view.screen)
            if not keys and action.on != "list":
                continue
            rows = [Input("rowid", "hidden", str(keys["own"]))] if keys and action.on != "list" else []
            inputs = [Input(TOKEN, "hidden", web.token()), Input("action", "hidden", code), *rows]
            path = f"/{view.screen}/action/"
            if not action.fields and not action.confirm:
                yield Form(path, path, "post", inputs)
                continue
            asked = web.client.post(path, data={each.name: each.value for each in inputs}, buffered=True)
            for form in forms_of(path, asked.text):
                if form.path == path and any(each.name == "confirmed" for each in form.inputs):
                    yield form
