"""Policies: the office's own numbers in forms, dated, checked on saving, with their history (§9).

The form is made from the policy's document: a table of plain values becomes fields, a list of tables a grid
with one empty row for adding, the hours of a week seven fields. Kinds follow the values that stand there (as
admin/panel/parsing.py reads them), so a new policy needs no new form; where none stands, or one of a wrong
kind, the kind is that of the field in the rules.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from datetime import date
from typing import Any

from flask import abort, flash, redirect, request, url_for
from flask_admin import expose
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import select
from werkzeug.wrappers import Response

from admin.panel import formats, parsing
from admin.panel.signed_in import current_staff
from admin.panel.view import OfficePage
from admin.policies import deadline_preview, wording
from models.base import db
from models.people import Staff
from models.policies import PolicyVersion
from office.complaints.policies_in_force import PolicyTimeline
from office.complaints.recalculation import preview_recalculation
from office.core import audit
from office.core.errors import N_, Refused
from office.policies import documents, store
from rules import dates

NOT_AS_TYPED = {
    "number": N_("%(field)s: “%(value)s” is no whole number, or too large"),
    "numbers": N_("%(field)s: write whole numbers with commas between them, such as 30, 60, 90"),
    "hours": N_("%(field)s: write the hours in order, such as 09:00–12:00, 13:30–18:00"),
}
NOT_POSSIBLE = N_("%(field)s: “%(value)s” is not possible here")
ADDED = "new"  # the index of a grid's empty row


@dataclass(frozen=True)
class Field:
    """One value of a document: where it stands, its kind, and what stands there as text."""

    name: str  # as in the form: `stage.2.gap_days`
    key: str
    kind: str  # text, number, flag, list, numbers, hours; structure: whatever else, as JSON
    text: str


def kind_of(value: Any) -> str:
    if isinstance(value, bool):
        return "flag"
    if isinstance(value, int):
        return "number"
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return "list"
    if isinstance(value, list) and all(kind_of(item) == "number" for item in value):
        return "numbers"
    if isinstance(value, list) and all(kind_of(item) == "list" and len(item) == 2 for item in value):
        return "hours"
    return "structure" if isinstance(value, list | dict) else "text"


FORM_KINDS = {"yes_or_no": "flag", "whole_number": "number", "table": "structure"}
"""How a form calls a kind of value (`documents.kind_named`) where it does not show it as plain text."""


def kind_in_rules(policy: str, place: documents.Place) -> str:
    """The kind of a field by its type in the rules, empty where nothing is known of it."""
    kind = documents.kind_at(policy, place)
    if kind is None:
        return ""
    name = documents.kind_named(kind)
    if name == "list":
        item = documents.kind_named(documents.kind_at(policy, (*place, 0)))
        return {"text": "list", "whole_number": "numbers", "list": "hours"}.get(item, "structure")
    return FORM_KINDS.get(name, "text")


def as_text(value: Any, key: str = "", kind: str = "") -> str:
    kind = kind if kind == kind_of(value) or (kind == "hours" and not value) else kind_of(value)
    if kind == "list":
        return ", ".join(wording.listed(key, value))
    if kind == "numbers":
        return ", ".join(map(str, value))
    if kind == "hours":
        return parsing.hours_text(value)
    return (
        json.dumps(value, ensure_ascii=False) if kind == "structure" else "" if value is None else str(value)
    )


def is_week(value: Any) -> bool:
    """The hours of seven days."""
    return isinstance(value, list) and len(value) == 7 and all(isinstance(day, list) for day in value)


def is_grid(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(row, dict) for row in value)


def parsed(text: str, kind: str, key: str = "") -> Any:
    """A field's text as its kind; a list's words as the codes they stand for. Raises ValueError."""
    text = text.strip()
    if kind == "number":
        return parsing.number(text)
    if kind == "list":
        return wording.codes(key, parsing.words(text))
    if kind == "numbers":
        return parsing.numbers(text)
    if kind == "hours":
        return parsing.hours(text)
    if kind == "structure":
        return json.loads(text or "{}")
    return text


BY_RULES = frozenset({("late_fee", "item")})  # lists that presets leave empty: the rules name their columns


class Editor:
    """A document as a form, and the form as a document again."""

    def __init__(self, document: Mapping[str, Any], policy: str = "") -> None:
        self.document = document
        self.policy = policy

    def kind(self, place: documents.Place, value: Any) -> str:
        """The kind of the field at a place of the document with the value that stands there, None = empty."""
        wanted, own = kind_in_rules(self.policy, place), kind_of(value)
        if value is None:
            return wanted or "text"
        is_fitting = own == wanted or (own == "number" and wanted == "text")
        return own if is_fitting or wanted in {"", "structure"} else wanted

    def plain(self) -> Iterator[tuple[str, list[Field]]]:
        """Sections of single values: those at the top, then one section for each table."""
        top = [
            self._field(key, (key,), value)
            for key, value in self.document.items()
            if not self._is_section(value) and value != {} and not self._is_grid(key, value)
        ]
        if top:
            yield "", top
        for key, value in self.document.items():
            if is_week(value):
                yield (
                    key,
                    [
                        Field(f"{key}.{name}", name, "hours", parsing.hours_text(day))
                        for name, day in zip(wording.WEEKDAYS, value, strict=True)
                    ],
                )
            elif isinstance(value, dict) and value:
                yield key, [self._field(f"{key}.{name}", (key, name), each) for name, each in value.items()]

    def grids(self) -> Iterator[tuple[str, list[str], list[tuple[str, list[Field]]]]]:
        """Lists of tables: their name, their columns, and their rows of fields, an empty one last."""
        for key, rows in self.document.items():
            if not self._is_grid(key, rows):
                continue
            columns = self.columns(key, rows)
            lines = [
                (
                    index,
                    [
                        self._field(f"{key}.{index}.{name}", (key, 0, name), row.get(name), kind)
                        for name, kind in columns.items()
                    ],
                )
                for index, row in [*((str(number), row) for number, row in enumerate(rows)), (ADDED, {})]
            ]
            yield key, list(columns), lines

    def _is_grid(self, key: str, value: Any) -> bool:
        return is_grid(value) or (self.policy, key) in BY_RULES

    def columns(self, key: str, rows: list[dict[str, Any]]) -> dict[str, str]:
        """Every column that any row has, with the kind of its first value; of some lists as the rules say."""
        kinds: dict[str, str] = {}
        if (self.policy, key) in BY_RULES:
            names = [field.name for field in fields(documents.kind_at(self.policy, (key, 0)))]
            kinds = {name: kind_in_rules(self.policy, (key, 0, name)) for name in names}
        for row in rows:
            for name, value in row.items():
                kinds.setdefault(name, kind_of(value))
        return kinds

    def _field(self, name: str, place: documents.Place, value: Any, column: str = "") -> Field:
        """A field; an empty cell has the kind of its column when the rules don't know the field."""
        kind, key = self._read_kind(place, value, column), str(place[-1])
        if value is None:
            is_ticked = kind == "flag" and documents.is_on_when_absent(self.policy, place)
            return Field(name, key, kind, str(is_ticked) if is_ticked else "")
        return Field(name, key, kind, as_text(value, key, kind))

    def _read_kind(self, place: documents.Place, value: Any, column: str = "") -> str:
        kind = self.kind(place, value)
        return column if value is None and column and not kind_in_rules(self.policy, place) else kind

    @staticmethod
    def _is_section(value: Any) -> bool:
        return is_grid(value) or is_week(value) or (isinstance(value, dict) and bool(value))

    def changed(self, form: Mapping[str, str]) -> dict[str, Any]:
        """The document with what the form holds. Raises Refused naming the field that can't be read."""
        made: dict[str, Any] = {}
        for key, value in self.document.items():
            if self._is_grid(key, value):
                made[key] = self._changed_rows(key, value, form)
            elif is_week(value):
                made[key] = [self._read(form, f"{key}.{name}", "hours") for name in wording.WEEKDAYS]
            elif isinstance(value, dict):
                made[key] = {
                    name: self._read(form, f"{key}.{name}", self.kind((key, name), each))
                    for name, each in value.items()
                }
            else:
                made[key] = self._read(form, key, self.kind((key,), value))
        return made

    def _changed_rows(
        self, key: str, rows: list[dict[str, Any]], form: Mapping[str, str]
    ) -> list[dict[str, Any]]:
        kinds, made = self.columns(key, rows), []
        for index in [*map(str, range(len(rows))), ADDED]:
            if form.get(f"{key}.{index}.remove"):
                continue
            stood = _stood(rows, index)
            row = {
                name: self._read(
                    form, f"{key}.{index}.{name}", self._read_kind((key, 0, name), stood.get(name), kind)
                )
                for name, kind in kinds.items()
                if kind == "flag" or form.get(f"{key}.{index}.{name}", "").strip()
            }
            kept = {
                name: value
                for name, value in row.items()
                if name in stood or value is not documents.is_on_when_absent(self.policy, (key, 0, name))
            }
            if any(kinds[name] != "flag" for name in kept):
                made.append(kept)
        return made

    @staticmethod
    def _read(form: Mapping[str, str], name: str, kind: str) -> Any:
        if kind == "flag":
            return name in form
        try:
            return parsed(form.get(name, ""), kind, name.rpartition(".")[2])
        except ValueError as wrong:
            label = wording.word(name.rpartition(".")[2])
            raise Refused(
                NOT_AS_TYPED.get(kind, NOT_POSSIBLE), field=label, value=form.get(name, "")
            ) from wrong


def _stood(rows: list[dict[str, Any]], index: str) -> Mapping[str, Any]:
    return {} if index == ADDED else rows[int(index)]


class PoliciesPage(OfficePage):
    screen = "policies"
    title = _l("Policies")
    icon = "scale"

    @expose("/")
    def index(self) -> Any:
        latest = store.current(db.session(), date.max)
        return self.render(
            "policies/policies.html",
            current={name: latest[name] for name in wording.POLICIES if name in latest},
            words=wording,
            today=self.today(),
            view=self,
        )

    @expose("/edit/", methods=("GET", "POST"))
    def edit(self) -> Any:
        """One policy as a form; a save adds a version that holds from the chosen day."""
        session, name = db.session(), request.args.get("policy", "")
        version = store.current(session, date.max).get(name)
        if version is None or name not in wording.POLICIES:
            abort(404)
        editor = Editor(store.editable_document(session, version), name)
        if request.method == "POST":
            answer = self._save(name, editor)
            if isinstance(answer, Response):
                return answer
            editor = answer
        elif found := store.problems(session, name, documents.loaded(version.rows), {}):
            flash(wording.problems(found), "error")
        return self.render(
            "policies/policy_form.html", policy=name, editor=editor, words=wording, today=self.today(),
            versions=self._versions(name), view=self, has_preview=name in deadline_preview.POLICIES,
            warning=deadline_preview.provisional(session, self.now()) if name == "calendar" else "",
        )  # fmt: skip

    def _save(self, name: str, editor: Editor) -> Response | Editor:
        session, staff = db.session(), current_staff()
        rows: Mapping[str, Any] = editor.document
        try:
            rows = editor.changed(request.form)
            version = store.change(
                session, name, rows,
                valid_from=self._day(request.form.get("valid_from", "")),
                reason=request.form.get("reason", "").strip()[:500],
                now=self.now(), staff_id=staff.id,
            )  # fmt: skip
            if "preview" in request.form:
                session.rollback()
                return self._previewed(name, rows, version.valid_from)
            session.flush()
            if name in deadline_preview.POLICIES:
                deadline_preview.follow(session, self.now())
            changes = {"policy": name, "valid_from": version.valid_from}
            audit.record(session, self.now(), staff.id, "edit", version, changes)
            session.commit()
        except Refused as refusal:
            session.rollback()
            flash(wording.worded(refusal), "error")
            return Editor(rows, name)
        flash(
            _(
                "Saved: it holds from %(day)s. What already happened stays as it was.",
                day=formats.day(version.valid_from),
            ),
            "success",
        )
        return redirect(url_for("policies.index"))

    def _previewed(self, name: str, rows: Mapping[str, Any], valid_from: date) -> Editor:
        """What the typed policy would do to running deadlines from its day on; nothing is saved."""
        session, now = db.session(), self.now()
        day = max(valid_from, self.today())
        book = PolicyTimeline(session, as_if={name: (self.today(), rows)})
        moves = preview_recalculation(session, book, now)
        flash(deadline_preview.sentence(moves, is_done=False), "info")
        if day > self.today():
            flash(_("They move on %(day)s, those that then still run.", day=formats.day(day)), "info")
        return Editor(rows, name)

    @staticmethod
    def _day(text: str) -> date:
        try:
            return dates.day_of(text)
        except ValueError as wrong:
            raise Refused(_("Choose the day from which the policy holds")) from wrong

    @staticmethod
    def _versions(name: str) -> list[Any]:
        return list(
            db.session.execute(
                select(
                    PolicyVersion.valid_from,
                    PolicyVersion.revision,
                    PolicyVersion.reason,
                    PolicyVersion.changed_at,
                    Staff.name,
                )
                .outerjoin(Staff, Staff.id == PolicyVersion.staff_id)
                .where(PolicyVersion.policy == name)
                .order_by(PolicyVersion.valid_from.desc(), PolicyVersion.revision.desc())
                .limit(20)
            )
        )


SCREENS = (PoliciesPage,)
