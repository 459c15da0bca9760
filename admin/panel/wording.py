"""What stored decisions and changes say in the reader's language: reasons, actions, values (C12, F17).

Rules and verbs store codes (`Reason.to_json()`, an audit row's action, table and changes); every screen that
shows one asks here. A code without a word is shown as it is, with spaces for its underlines.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from flask_babel import gettext
from flask_babel import lazy_gettext as _

from admin.panel import labels, office_time
from admin.panel.column_names import COLUMNS, column_name
from admin.panel.reason_words import INPUTS, PAPER_FAULTS, PROBLEMS, REASONS
from admin.panel.record_words import ACTIONS, TABLES

NAMES = {**TABLES, **COLUMNS}
FIELDS: Mapping[str, Any] = {**{f"{name}_id": word for name, word in NAMES.items()}, **NAMES}
CLOCK_RULES = {
    "solve_major": _("Solution"),
    "follow_up_major": _("Follow-up visit"),
    "reopened_solve": _("Reopened: the time of a solution"),
    "reopened_solve_major": _("Reopened: the time of a solution"),
    "reopened_department_plan": _("Reopened: the time of the department's plan"),
    "reopened_two_days": _("Reopened: the office has set no time"),
}
TRIGGERS = {
    "day_of_month": _("Day of month"),
    "days_from_due": _("Days from due day"),
    "months_from_due": _("Months from due day"),
}
STATES: Mapping[str, Any] = {
    **labels.JOB_STATES, **labels.MESSAGE_STATES, **labels.PAYMENT_STATES, **labels.PLAN_STATES,
    **labels.REMINDER_STATES, **labels.BATCH_STATES, **labels.STATEMENT_STATES, **labels.SLIP_STATES,
    **labels.RESTRICTION_STATES, **labels.LEGAL_STATES, **labels.UNIT_STATES, **labels.CLOCK_STATES,
    **labels.INVOICE_STATES, **labels.TICKET_STATES,
}  # fmt: skip
KINDS: Mapping[str, Any] = {
    **labels.UNIT_KINDS, **labels.OWNER_KINDS, **labels.INVOICE_KINDS, **labels.PAYMENT_KINDS,
    **labels.VISIT_KINDS, **labels.PAPERS, **labels.READING_KINDS,
}  # fmt: skip
VALUES: Mapping[str, Mapping[str, Any]] = {
    "state": STATES,
    "allowed": STATES,
    "promise_state": labels.PROMISE_STATES,
    "kind": KINDS,
    "unit_kind": labels.UNIT_KINDS,
    "tier_span": labels.TIER_SPANS,
    "estimated": {"from": _("The earlier one"), "to": _("The later one"), "from to": _("Both")},
    "stage": labels.STAGES,
    "wanted": labels.STAGES,
    "method": {**labels.CONTACT_METHODS, **labels.VISIT_METHODS, **labels.METHODS},
    "channel": {**labels.CHANNELS_IN, **labels.CHANNELS_OUT},
    "channels": {**labels.CHANNELS_IN, **labels.CHANNELS_OUT},
    "outcome": {**labels.CONTACT_OUTCOMES, **labels.VISIT_OUTCOMES, **labels.OUTCOMES},
    "severity": labels.SEVERITIES,
    "clock": labels.CLOCKS,
    "rule": {**labels.CLOCKS, **labels.VISIT_KINDS, **CLOCK_RULES},
    "role": labels.ROLES,
    "roles": labels.ROLES,
    "to_role": labels.ROLES,
    "assignee_role": labels.ROLES,
    "language": labels.LANGUAGES,
    "theme": {"auto": _("Automatic"), "light": _("Light"), "dark": _("Dark")},
    "arrears_reason": labels.ARREARS_REASONS,
    "trigger": TRIGGERS,
    "unit": {"elapsed": _("Minutes"), "office": _("Office minutes"), "working_days": _("Working days")},
    "gate": {"legal": _("Legal case"), "restriction": _("Service restriction")},
    "missing": REASONS,
    "visitor": REASONS,
    "why": PAPER_FAULTS,
    "whom": {"resident": _("The resident"), "outside": _("An outside body")},
    "column": FIELDS,
    "block": FIELDS,
    "result": STATES,
}
# in the name of a row that says a rate: what kind of units it is for
ROW_NAMES: Mapping[str, Any] = {
    **labels.UNIT_KINDS,
    "building": column_name("building"),
    "floors": column_name("floor"),
    "contract": _("Contract"),
    "vacancy": _("vacant"),
}
ROW_WORDS = re.compile(rf"(?<![\w-])(?:{'|'.join(ROW_NAMES)})(?= )")
TRAILING = re.compile(r"^(-?\d+\.\d\d\d*?)0+$")  # a number's zeros beyond its second place
INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d")


def plain(code: str) -> str:
    return code.replace("_", " ")


def action(code: str) -> Any:
    """What was done, as an audit row's action or a line of a complaint's history."""
    clock = labels.CLOCKS.get(code.removeprefix("keep_")) if code.startswith("keep_") else None
    if clock:
        return gettext("Done: %(clock)s", clock=clock)
    return ACTIONS.get(code) or plain(code)


def table(name: str) -> Any:
    """What a table's rows are called."""
    return TABLES.get(name) or plain(name)


def field(name: str) -> Any:
    """What a column, or an input of a reason, is called."""
    return INPUTS.get(name) or column_name(name) or plain(name)


def value(name: str, stored: Any) -> str:
    """A stored value of a column or input: flags, codes and instants in words."""
    if stored is None or stored == "":
        return "–"
    if isinstance(stored, bool):
        return gettext("Yes") if stored else gettext("No")
    text = TRAILING.sub(r"\1", str(stored))
    if name == "row":
        text = ROW_WORDS.sub(lambda found: str(ROW_NAMES[found[0]]), text)
    codes = VALUES.get(name, {})
    if text in codes:
        return str(codes[text])
    code, colon, detail = text.partition(": ")
    if colon and code in codes:
        return gettext("%(name)s: %(value)s", name=codes[code], value=detail)
    words = re.split(r"[ ,]+", text)
    if codes and all(word in codes for word in words):
        return gettext(", ").join(str(codes[word]) for word in words)
    return (
        str(office_time.written(datetime.fromisoformat(text)))
        if INSTANT.match(text) and text[-6:-5] in "+-"
        else text
    )


def reason(stored: Any) -> str:
    """A stored Reason, or a list of them, as a sentence: what decided, and the inputs it saw."""
    try:
        read = json.loads(stored) if isinstance(stored, str) else stored
    except ValueError:
        return REASONS[stored] if stored in REASONS else str(stored)
    if isinstance(read, list):
        return gettext("; ").join(reason(each) for each in read)
    if not isinstance(read, Mapping) or "code" not in read:
        return str(stored)
    code, inputs = str(read["code"]), read.get("inputs") or {}
    late = labels.CLOCKS.get(code.removeprefix("late_")) if code.startswith("late_") else None
    known = REASONS.get(code)
    said = str(known) if known else gettext("%(clock)s is late", clock=late) if late else plain(code)
    inputs = _measured(code, inputs)
    seen = gettext(", ").join(
        f"{_inside(field(name))} {value(name, each)}"
        for name, each in inputs.items()
        if (name, each) != ("value", True)  # the name of a fact that holds says it
    )
    return gettext("%(reason)s (%(inputs)s)", reason=said, inputs=seen) if seen else said


def problem(code: str, inputs: dict[str, Any]) -> str:
    """What is wrong with an edited policy, in the reader's language."""
    text = PROBLEMS.get(code)
    if text is None:
        return f"{code} {' '.join(map(str, inputs.values()))}".strip()
    return str(text) % {name: value(name, each) for name, each in inputs.items()}


def _inside(word: Any) -> str:
    """A label as it stands inside a sentence."""
    text = str(word)
    return text[:1].lower() + text[1:] if text[1:2].islower() else text


def _measured(code: str, inputs: Mapping[str, Any]) -> Mapping[str, Any]:
    """A deadline's lengths and an escalation's wait with their unit in words."""
    if code.startswith("due_"):
        unit = code.removeprefix("due_")
        lengths = {name: amount(inputs[name], unit) for name in ("length", "paused") if name in inputs}
        return {**inputs, **lengths}
    if code.startswith("late_") and "wait" in inputs:
        rest = {name: each for name, each in inputs.items() if name not in {"wait", "unit"}}
        wait = inputs["wait"]
        return {**rest, "wait": amount(wait, str(inputs.get("unit")))} if wait else rest
    return inputs


def amount(length: Any, unit: str) -> str:
    """A length in minutes or working days, as people say it: `12 h`, `4 office hours`, `2 working days`."""
    try:
        number = float(length)
    except (TypeError, ValueError):
        return str(length)
    is_hours = number >= 60 and number % 60 == 0
    shown = f"{number / 60 if is_hours and unit != 'working_days' else number:g}"
    if unit == "working_days":
        return gettext("1 working day") if shown == "1" else gettext("%(days)s working days", days=shown)
    if unit == "office" and shown == "1" and is_hours:
        return gettext("1 office hour")
    if unit == "office":
        return (
            gettext("%(hours)s office hours", hours=shown)
            if is_hours
            else gettext("%(minutes)s office minutes", minutes=shown)
        )
    return gettext("%(hours)s h", hours=shown) if is_hours else gettext("%(minutes)s min", minutes=shown)
