"""Actions on records: what a screen offers, what an action asks for, and how it is run.

admin/panel/view.py says how to write one.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flask import abort, flash, redirect, request
from flask_admin import expose
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import select
from sqlalchemy.exc import DataError, IntegrityError, StatementError
from werkzeug.wrappers import Response

from admin.panel import (
    chosen_rows,
    confirmations,
    error_messages,
    idempotency,
    labels,
    request_values,
    typed_text,
)
from admin.panel.audit import record
from admin.panel.chosen_rows import Chosen
from admin.panel.many_rows import ManyRows
from models.base import db
from office.core.audit import RECORDED
from office.core.errors import N_, Refused
from office.documents.filing import ASKS, CharactersMissing
from office.policies import large_sums

MOST_SHOWN = 100  # rows that a question names


@dataclass(frozen=True)
class Ask:
    """A field of an action's form; `kind` is text, area, date, money, number or choice (with choices).

    `preset` stands in it at first, and holds where the form brings nothing.
    """

    name: str
    label: Any
    kind: str = "text"
    is_required: bool = False
    choices: Mapping[str, Any] | Callable[[Any], Mapping[str, Any]] | None = None
    help: Any = ""
    preset: str = ""


PAY_OUT_FIELDS = (
    Ask("amount", _l("Amount"), kind="money", is_required=True),
    Ask("method", _l("Method"), kind="choice", is_required=True, choices=labels.METHODS),
    Ask("reason", _l("Reason"), is_required=True),
)  # what an action asks for that pays money out


@dataclass(frozen=True)
class Action:
    """An action of a screen; its handler is the method of that name: `(rows, given) -> flash or Response`."""

    code: str
    label: Any
    handler: str
    confirm: Any = None  # a question that is asked first
    fields: tuple[Ask, ...] = ()
    on: str = "rows"  # rows: chosen in the list, and each record; row: each record; list: without rows
    icon: str = "play"
    tone: str = ""
    verb: str = "act"  # the permission that it needs
    states: Collection[str] = ()  # states of a record that offers it; none: any
    is_together: bool = False  # makes one thing of all rows, such as a paper: never done part by part


def office_action(code: str, label: Any, **options: Any) -> Callable[[Any], Any]:
    """Mark a method as an action of its screen; options as in Action."""

    def mark(method: Any) -> Any:
        method.office_action = Action(code, label, method.__name__, **options)
        return method

    return mark


class Actions(ManyRows):
    rows_with: tuple[Any, ...] = ()  # loader options for what the names of rows need

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.office_actions = self._found_actions()

    def _found_actions(self) -> dict[str, Action]:
        found = {}
        for name in dir(type(self)):
            action = getattr(getattr(type(self), name, None), "office_action", None)
            if isinstance(action, Action):
                found[action.code] = action
        return found

    def action_label(self, code: str) -> Any:
        action = self.office_actions.get(code)
        return action.label if action else super().action_label(code)

    def verb_of(self, function: str) -> str:
        """An action needs the verb that it names."""
        if function == "action_view":
            action = self.office_actions.get(request.form.get("action", ""))
            return action.verb if action is not None else "act"
        return super().verb_of(function)

    def allowed_actions(self, on: str) -> list[Action]:
        return [each for each in self.office_actions.values() if each.on == on and self.may(each.verb)]

    def record_actions(self, row: Any) -> list[Action]:
        """The actions on a record's page: those that the reader may run and that its state allows."""
        found = [*self.allowed_actions("rows"), *self.allowed_actions("row")]
        return [each for each in found if not each.states or row.state in each.states]

    @expose("/action/", methods=("POST",))
    def action_view(self) -> Any:
        action = self.office_actions.get(request.form.get("action", ""))
        if action is None:
            abort(404)
        if not self.may(action.verb):
            abort(403)
        try:
            rows = self._chosen(action)
        except Refused as refusal:
            flash(error_messages.message_for(refusal), "error")
            return redirect(self.return_url())
        if action.on != "list" and not rows.ids:
            flash(_("Please choose at least one row."), "error")
            return redirect(self.return_url())
        given, problems = read_asked(action.fields, request.form, self)
        is_asked = bool(action.fields or action.confirm or rows.query is not None)
        if problems or (is_asked and not (request.form.get("confirmed") and rows.is_seen)):
            return self._form(action, rows, problems if request.form.get("confirmed") else {})
        return self._run_long(action, rows, given) if rows.is_long else self._run(action, rows, given)

    def _chosen(self, action: Action) -> Chosen:
        """The rows that a request means. Raises Refused for more than the action takes."""
        rows = chosen_rows.chosen(self, request.form) if action.on != "list" else Chosen(())
        if rows.is_long and action.is_together:
            raise Refused(
                N_("At most %(most)s rows at once: narrow the list first"), most=chosen_rows.MOST_AT_ONCE
            )
        return rows

    def _form(
        self,
        action: Action,
        rows: Chosen,
        problems: Mapping[str, str],
        asked: large_sums.NotConfirmed | CharactersMissing | None = None,
    ) -> Any:
        """The form of an action: the chosen rows, its fields, and what was typed so far.

        With the question about a large sum, or about papers that the font can't print whole.
        """
        return self.render(
            "panel/confirm.html",
            heading=action.label,
            action=action,
            rows=self.rows_by_id(rows.ids[:MOST_SHOWN]),
            chosen=rows,
            matching=chosen_rows.question(self, rows) if rows.query is not None else "",
            is_other=rows.query is not None and chosen_rows.MARK in request.form and not rows.is_seen,
            problems=problems,
            question=confirmations.question(asked) if isinstance(asked, large_sums.NotConfirmed) else None,
            missing=asked.papers if isinstance(asked, CharactersMissing) else (),
        )

    def rows_by_id(self, ids: Sequence[int]) -> list[Any]:
        if not ids:
            return []
        return list(
            db.session.scalars(
                select(self.model)
                .where(self.model.id.in_(ids), *self.scope())
                .options(*self.rows_with)
                .order_by(self.model.id)
            )
        )

    def _act(self, action: Action, rows: list[Any], given: dict[str, Any]) -> Any:
        """Call the verb and see to it that each row has its audit row; what it answers. Commits nothing."""
        ids = [row.id for row in rows]
        recorded: set[tuple[str, str, int | None]] = set()
        db.session().info[RECORDED] = recorded
        answer = getattr(self, action.handler)(rows, given)
        for key in ids or [None]:
            if (action.code, self.model.__tablename__, key) not in recorded:  # else the verb wrote it
                record(action.code, self.model.__tablename__, key, {}, given)
        return answer

    def _run(self, action: Action, chosen: Chosen, given: dict[str, Any]) -> Any:
        try:
            if not idempotency.is_first():
                return idempotency.already_processed(self.return_url())
            db.session().info[ASKS] = not request.form.get("confirmed_characters")
            with large_sums.confirmed(db.session(), confirmations.confirmed_sum()):
                answer = self._act(action, self.rows_by_id(chosen.ids), given)
            db.session.commit()
        except (large_sums.NotConfirmed, CharactersMissing) as asked:
            db.session.rollback()
            return self._form(action, chosen, {}, asked), 422
        except (Refused, IntegrityError, DataError, StatementError) as error:
            db.session.rollback()
            flash(error_messages.message_for(error), "error")
            if action.fields and len(self.rows_by_id(chosen.ids)) == len(chosen.ids):
                return self._form(action, chosen, {}), 422  # nothing that was typed is lost
            return redirect(self.return_url())
        finally:
            db.session().info.pop(ASKS, None)
        if isinstance(answer, Response):
            return answer
        flash(str(answer) if answer else _("Done."), "success")
        return redirect(self.return_url())

    def _run_long(self, action: Action, chosen: Chosen, given: dict[str, Any]) -> Any:
        """The same for more rows than one request works on, part by part behind a page."""
        if not idempotency.is_first():
            return idempotency.already_processed(self.return_url())

        def work(ids: Sequence[int]) -> int:
            rows = self.rows_by_id(ids)
            self._act(action, rows, given)
            return len(rows)

        return self.begin(str(action.label), action.verb, chosen, work, self.return_url())


def read_asked(
    fields: Sequence[Ask], given: Mapping[str, str], view: Any = None
) -> tuple[dict[str, Any], dict[str, str]]:
    """The answers to a sequence of Ask as values, and what is wrong with them: name → sentence."""
    kinds: Mapping[str, Callable[[str], Any]] = {
        "date": typed_text.day,
        "money": typed_text.number,
        "number": typed_text.whole,
    }
    values: dict[str, Any] = {}
    problems: dict[str, str] = {}
    for each in fields:
        text = given.get(each.name, "").strip() or each.preset
        values[each.name] = None if each.kind in kinds else text
        choices = each.choices(view) if callable(each.choices) else each.choices
        is_odd = not request_values.is_clean(text) or len(text) > 20_000
        is_odd = is_odd or (each.kind == "choice" and bool(text) and text not in (choices or {}))
        if is_odd:
            problems[each.name] = _("This value is not possible here.")
        elif not text and each.is_required:
            problems[each.name] = _("This field is required.")
        elif text and each.kind in kinds:
            try:
                values[each.name] = kinds[each.kind](text)
            except ValueError as wrong:
                problems[each.name] = str(wrong)
    return values, problems
