"""Requests that another person decides: the two actions of their screens."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flask_babel import gettext
from flask_babel import lazy_gettext as _l

from admin.panel.actions import Ask, office_action
from admin.panel.signed_in import current_staff
from models.base import db

Handler = Callable[[Any, Sequence[Any], Mapping[str, Any]], str]


@dataclass(frozen=True)
class Decision:
    """How a screen asks for one of the two decisions, and what it says afterwards (English, by N_)."""

    done: str
    confirm: Any = None
    fields: tuple[Ask, ...] = ()


def decisions(
    decide: Callable[..., object], *, approve: Decision, refuse: Decision, on: str = "rows", state: str
) -> tuple[Handler, Handler]:
    """The actions `approve` and `refuse` of a screen whose rows are requests in `state`.

    `decide(session, id, is_approved=…, staff_id=…, now=…)` gets what was typed into the fields besides; it
    refuses who asked.
    """

    def handler(decision: Decision, *, is_approved: bool) -> Any:
        def run(view: Any, rows: Sequence[Any], given: Mapping[str, Any]) -> str:
            for row in rows:
                decide(
                    db.session(),
                    row.id,
                    is_approved=is_approved,
                    staff_id=current_staff().id,
                    now=view.now(),
                    **given,
                )
            return gettext(decision.done, count=len(rows))

        run.__name__ = "approve" if is_approved else "refuse"
        return run

    def action(decision: Decision, label: Any, icon: str, tone: str, *, is_approved: bool) -> Handler:
        made = handler(decision, is_approved=is_approved)
        options = {"confirm": decision.confirm, "fields": decision.fields, "states": (state,), "on": on}
        marked: Handler = office_action(made.__name__, label, icon=icon, tone=tone, **options)(made)
        return marked

    return (
        action(approve, _l("Approve"), "check", "", is_approved=True),
        action(refuse, _l("Refuse"), "x", "bad", is_approved=False),
    )
