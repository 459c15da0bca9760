"""A changed ladder tried on a past month, beside what happened; nothing is written (C12, §9)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

from flask import abort, flash, request
from flask_admin import expose
from flask_babel import lazy_gettext as _l

from admin import policy_words
from admin.base import OfficePage
from admin.policies import Editor
from models.base import db
from office import policies, simulate
from office.errors import Refused

TRIED = ("ladder", "gates")
NOTHING = {"made": 0, "not_made": 0}


class SimulatePage(OfficePage):
    """The policy's own form with a month to try it on."""

    screen = "simulate"
    title = _l("Trial of a changed ladder")
    room = "policies"
    icon = "git-branch"

    @expose("/", methods=("GET", "POST"))
    def index(self) -> Any:
        name = request.args.get("policy", TRIED[0])
        version = policies.current(db.session(), date.max).get(name)
        if name not in TRIED or version is None:
            abort(404)
        editor, found = Editor(json.loads(version.rows)), None
        period = request.form.get("period") or self.last_month()
        if request.method == "POST":
            editor, found = self._tried(editor, period)
        return self.render(
            "office/simulate.html",
            policy=name,
            editor=editor,
            words=policy_words,
            period=period,
            found=found,
            stages=_beside(found) if found else [],
            today=self.today(),
            view=self,
        )

    def last_month(self) -> str:
        return f"{self.today().replace(day=1) - timedelta(days=1):%Y-%m}"

    def _tried(self, editor: Editor, period: str) -> tuple[Editor, dict[str, Any] | None]:
        rows: Mapping[str, Any] = editor.document
        try:
            rows = editor.changed(request.form)
            return Editor(rows), simulate.simulate(db.session(), period, rows, now=self.now())
        except Refused as refusal:
            flash(policy_words.worded(refusal), "error")
            return Editor(rows), None


def _beside(found: Mapping[str, Any]) -> list[tuple[str, Mapping[str, int], Mapping[str, int]]]:
    """(stage, what happened, what would have happened) of every stage that either knows."""
    was, would = found["actual"], found["simulated"]
    return [(stage, was.get(stage, NOTHING), would.get(stage, NOTHING)) for stage in (was | would)]


SCREENS = (SimulatePage,)
