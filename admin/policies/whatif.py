"""A changed policy tried on a past month, beside what happened; nothing is written (C12, §9)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any

from flask import abort, flash, request
from flask_admin import expose
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from admin.panel import formats, labels, row_access
from admin.panel.view import OfficePage
from admin.policies import wording
from admin.policies.editor import Editor
from models.base import db
from models.complaints import Ticket
from office.core.errors import Refused
from office.policies import store
from office.whatif import dunning
from office.whatif import policies as whatif_policies

TARGETS = "targets"  # no policy, yet tried like one
TRIED = ("ladder", "gates", "clocks", "calendar", "late_fee", TARGETS)
CLOCK_MEASURES = {
    "met": _l("Met"),
    "breached": _l("Breached"),
    "running": _l("Still running"),
    "rate": _l("On time, percent"),
}
MEASURES = {
    "clocks": CLOCK_MEASURES,
    "calendar": CLOCK_MEASURES,
    "late_fee": {"invoices": _l("Bills charged"), "amount": _l("Late fee of the month")},
    TARGETS: {
        "target": _l("Target, percent"),
        "points": _l("Points to the target"),
        "missing": _l("Amount missing"),
    },
}
NOTHING = {"made": 0, "not_made": 0}


class SimulatePage(OfficePage):
    """The policy's own form with a month to try it on."""

    screen = "simulate"
    title = _l("Policy simulation")
    icon = "git-branch"

    @expose("/", methods=("GET", "POST"))
    def index(self) -> Any:
        name = request.args.get("policy", TRIED[0])
        period = request.form.get("period") or self.last_month()
        document = self._document(name, period)
        if name not in TRIED or document is None:
            abort(404)
        editor, found = Editor(document, name), None
        if request.method == "POST":
            editor, found = self._tried(editor, period)
        measures = MEASURES.get(name)
        return self.render(
            "policies/whatif.html",
            policy=name,
            tried={each: _("Targets") if each == TARGETS else wording.policy(each) for each in TRIED},
            editor=editor,
            words=wording,
            period=period,
            found=found,
            stages=_beside(found) if found and not measures else [],
            measures=measures,
            beside=_measured(found, measures) if found and measures else [],
            differences=_differences(found) if found and measures else [],
            today=self.today(),
            view=self,
        )

    @staticmethod
    def _document(name: str, period: str) -> dict[str, Any] | None:
        """What the form begins with: the policy as it stands, or the targets of the period's year."""
        if name == TARGETS:
            year = period[:4]
            return whatif_policies.targets_document(db.session(), int(year) if year.isdecimal() else 0)
        session = db.session()
        version = store.current(session, date.max).get(name)
        return None if version is None else store.editable_document(session, version)

    def last_month(self) -> str:
        return f"{self.today().replace(day=1) - timedelta(days=1):%Y-%m}"

    def _tried(self, editor: Editor, period: str) -> tuple[Editor, dict[str, Any] | None]:
        rows: Mapping[str, Any] = editor.document
        try:
            rows = editor.changed(request.form)
            return Editor(rows, editor.policy), dunning.simulate(db.session(), period, rows, now=self.now())
        except Refused as refusal:
            flash(wording.worded(refusal), "error")
            return Editor(rows, editor.policy), None


def _beside(found: Mapping[str, Any]) -> list[tuple[str, Mapping[str, int], Mapping[str, int]]]:
    """(stage, what happened, what would have happened) of every stage that either knows."""
    was, would = found["actual"], found["simulated"]
    return [(stage, was.get(stage, NOTHING), would.get(stage, NOTHING)) for stage in (was | would)]


Pair = tuple[str, str, bool]  # as it was, as tried, whether they differ


def _measured(found: Mapping[str, Any], measures: Mapping[str, Any]) -> list[tuple[str, list[Pair]]]:
    """Each clock, area, or the fee, with a pair of cells for each measure."""
    was, would = found["actual"], found["simulated"]
    return [
        (_named(code), [_pair(was.get(code, {}), would.get(code, {}), name) for name in measures])
        for code in dict.fromkeys([*was, *would])
    ]


def _pair(was: Mapping[str, Any], would: Mapping[str, Any], name: str) -> Pair:
    before, after = ("–" if (value := of.get(name)) is None else str(value) for of in (was, would))
    return before, after, before != after


def _named(code: str) -> str:
    """A clock, the late fee, an area, or the whole estate where the code is empty."""
    if not code:
        return str(_("The whole estate"))
    return str(_("Late fee") if code == "late_fee" else labels.CLOCKS.get(code, code))


def _differences(found: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """Complaints or bills that would differ: which, as it was, as tried; targets are all in the table."""
    if found["policy"] == TARGETS:
        return []
    hidden = _hidden({one["number"] for one in found["changes"] if "clock" in one})
    return [
        (
            f"{one['number']} {labels.CLOCKS[one['clock']] if 'clock' in one else one['unit_code']}",
            _side_in_words(one["actual"]),
            _side_in_words(one["simulated"]),
        )
        for one in found["changes"]
        if "clock" not in one or one["number"] not in hidden
    ]


def _hidden(numbers: set[str]) -> set[str]:
    """Those of these complaints that the reader may not read, being whom they are about (F22)."""
    readable = row_access.visible_rows(Ticket)
    asked = db.select(Ticket.number).where(Ticket.number.in_(numbers), *readable)
    return numbers - set(db.session.scalars(asked)) if readable else set()


def _side_in_words(side: Mapping[str, Any]) -> str:
    if not side:
        return str(_("no such deadline"))
    if "amount" in side:
        return str(side["amount"])
    at = formats.instant(datetime.fromisoformat(side["due_at"]))
    return f"{at} {labels.CLOCK_STATES[side['state']]}"


SCREENS = (SimulatePage,)
