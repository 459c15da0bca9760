"""What policies, their values and their problems are called on screen."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, get_args

from babel import Locale
from flask import g, has_app_context, has_request_context
from flask_babel import get_locale
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from admin.panel import error_messages, labels, language, wording
from models.base import db
from models.billing import FeeItem
from models.complaints import Category
from office.core.errors import Refused
from office.policies.documents import PolicyRefused
from rules.deadlines import Moment
from rules.ladder import StageDocument
from rules.reasons import Reason
from rules.severity import FACT_KINDS

POLICIES = {
    "ladder": (_l("Dunning ladder"), _l("Which reminder goes out when, by whom, over which channel")),
    "gates": (_l("Last resorts"), _l("What must have happened before a restriction or a legal case")),
    "billing": (_l("Billing"), _l("Days of issue and payment, splitting of months, ageing columns")),
    "late_fee": (_l("Late fee"), _l("Rate, grace days and cap; off unless the office turns it on")),
    "allocation": (
        _l("Allocation of payments"),
        _l("What is paid first inside a bill, which items are paid whole"),
    ),
    "cheques": (_l("Cheques"), _l("What a bounced cheque costs, when one is too old")),
    "receipts": (_l("Receipts"), _l("On which sheet receipts are printed")),
    "large_sums": (_l("Large sums"), _l("Above which amount an entry is asked about once more")),
    "severities": (_l("Severities"), _l("Which facts make a complaint major, complex or simple")),
    "clocks": (_l("Deadlines of complaints"), _l("Clocks for each severity, in minutes or working days")),
    "escalation": (_l("Escalation"), _l("Who hears of a late clock, and after what wait")),
    "complaints": (_l("Life of a complaint"), _l("Months until major, retention, who approves")),
    "public_form": (_l("Public complaint form"), _l("By link or QR code: on or off, how many, which files")),
    "visits": (_l("Follow-up visits"), _l("Who visits when, and what counts as satisfied")),
    "calendar": (_l("Office hours"), _l("Hours of each weekday and of make-up days")),
    "reports": (_l("Reports by mail"), _l("Which report goes to whom every week or month")),
    "messages": (_l("Messages"), _l("Tries and waits of what is sent")),
    "backups": (_l("Backups"), _l("How many are kept")),
    "privacy": (_l("Personal data"), _l("When it may be erased; days until messages and files go")),
    "sign_in": (_l("Signing in"), _l("Which roles need a second step, wrong codes before the door waits")),
}

_WORDS = {
    **labels.ROLES,
    "second_step_for": _l("Second step for"),
    "wrong_codes": _l("Wrong codes before sign-in waits"),
    "wrong_passwords": _l("Wrong passwords of one account before it waits"),
    "wrong_from_address": _l("Wrong passwords from one address before it waits"),
    "wrong_at_held_address": _l("Wrong passwords of one account from an address that waits"),
    "wait_minutes": _l("Sign-in waits, minutes"),
    "recovery_codes": _l("Recovery codes for each person"),
    "policy": _l("In general"),
    "target": _l("Targets"),
    "area": _l("Area (empty: the whole estate)"),
    "percent": _l("Percent"),
    "judged_at": _l("Judged at"),
    "tolerance": _l("Debts below this are left alone"),
    "counted_items": _l("Fee items that count after the due day (none: all)"),
    "least_debt": _l("Left alone while less is past due in all"),
    "is_one_notice_per_payer": _l("One message, letter or call for all units of a payer"),
    "longest_promise_days": _l("Longest promise, days ahead"),
    "shortest_deadline_days": _l("A letter leaves at least, days"),
    "least_gap_days": _l("Least gap between two stages, days"),
    "stage": _l("Stages"),
    "order": _l("Order"),
    "code": _l("Code"),
    "after": _l("After stage"),
    "subject": _l("Belongs to"),
    "trigger": _l("Trigger"),
    "trigger_number": _l("Day or number"),
    "month_offset": _l("Months later"),
    "roll": _l("Non-working days"),
    "gap_days": _l("Gap, days"),
    "channels": _l("Channels in order"),
    "document": _l("Paper"),
    "carried_by": _l("Carried out by"),
    "approved_by": _l("Approved by"),
    "is_automatic": _l("Automatic"),
    "deadline": _l("Deadline in the letter"),
    "deadline_days": _l("Deadline, days"),
    "batch_size": _l("Batch size"),
    "gate": _l("Gate"),
    "effective_day": _l("Takes effect on day"),
    "valid_from": _l("Valid from"),
    "valid_to": _l("Valid to"),
    "legal": _l("Legal case"),
    "months_in_arrears": _l("Months in arrears"),
    "attempt_methods": _l("Different ways tried"),
    "is_letter_needed": _l("A delivered letter is needed"),
    "restriction": _l("Service restriction"),
    "calls": _l("Calls"),
    "visits": _l("Visits at home"),
    "is_head_visit_needed": _l("A visit by the station head is needed"),
    "approvals": _l("Approvals"),
    "signing_role": _l("Signed by"),
    "services": _l("Services that may be restricted"),
    "law_firm": _l("Law firm"),
    "limitation": _l("Limitation period"),
    "years": _l("Years"),
    "name": _l("Name"),
    "lines": _l("Lines below the name"),
    "lawyer": _l("Lawyer"),
    "licence_no": _l("Licence no."),
    "phone": _l("Phone"),
    "letter_mark": _l("Its letter numbers begin with"),
    "contract": _l("Contract it quotes"),
    "billing": _l("Billing"),
    "issue_day": _l("Day of issue"),
    "due_day": _l("Due day"),
    "cut_off_day": _l("Cut-off day for slips"),
    "is_split_by_payer": _l("Split a month when the payer changes"),
    "is_split_by_hand_over": _l("Split the month of the hand-over"),
    "unusual_percent": _l("Unusual from, percent"),
    "unusual_least": _l("Unusual from"),
    "ageing": _l("Ageing columns"),
    "bounds": _l("Upper ends, days"),
    "late_fee": _l("Late fee"),
    "is_on": _l("In use"),
    "daily_rate": _l("Rate per day"),
    "grace_days": _l("Days of grace"),
    "cap_rate": _l("Cap, part of the principal"),
    "item": _l("Items with terms of their own"),
    "flat_amount": _l("Flat late fee in place of the rate"),
    "least_balance": _l("Least open principal that is charged"),
    "charged_from": _l("Charged from"),
    "layout": _l("Sheet"),
    "a5": _l("A5"),
    "slip": _l("Slip of 80 mm"),
    "bounce_fee": _l("Fee of a bounced cheque (empty: none)"),
    "bounce_fee_item": _l("One-off item of that fee"),
    "stale_after_days": _l("A cheque is too old after, days"),
    "inside_bill": _l("Inside a bill"),
    "in_order": _l("In the order of its lines"),
    "in_proportion": _l("In proportion to what is open of each item"),
    "first_items": _l("Items paid first, in this order"),
    "whole_items": _l("Items paid in full or not at all"),
    "is_disputed_paid_by_earmarked": _l("Credit for an item also pays disputed bills"),
    "is_late_fee_paid_by_earmarked": _l("Credit for an item also pays late fees"),
    "payment": _l("Payments above (empty: any)"),
    "refund": _l("Refunds and deposits given back above"),
    "credit": _l("Credit notes above"),
    "waiver": _l("Waived late fees above"),
    "charge": _l("One-off charges above"),
    "waiver_second_from": _l("Waivers asked for by a second person, from"),
    "per_m2": _l("Yuan for each m²"),
    "default": _l("Otherwise"),
    "lowered_by": _l("May lower"),
    "level": _l("Levels"),
    "rank": _l("Rank"),
    "rule": _l("Rules"),
    "severity": _l("Severity"),
    "fact": _l("Fact"),
    "at_least": _l("At least"),
    "clock": _l("Clock"),
    "starts_at": _l("Starts at"),
    "unit": _l("Counted in"),
    "length": _l("Length"),
    "severities": _l("Severities"),
    "needs_fact": _l("Only when"),
    "is_pausable": _l("May be paused"),
    "is_active": _l("Active"),
    "first_level": _l("First level"),
    "role": _l("Role"),
    "first": _l("Begins higher"),
    "step": _l("Steps"),
    "months_until_major": _l("Months until major, 0 = never"),
    "kept_years": _l("Kept, years"),
    "due_soon_minutes": _l("Due soon: minutes before the deadline"),
    "reviewed_severities": _l("Close only with a review meeting"),
    "invalid_approved_by": _l("May approve as invalid"),
    "decided_by": _l("May end by decision"),
    "stand_ins": _l("Stand-ins in order"),
    "dissatisfied_up_to": _l("Dissatisfied up to"),
    "satisfied_from": _l("Satisfied from"),
    "partly_asks": _l("Partly satisfied: decided by"),
    "tries": _l("Tries"),
    "again_after": _l("Again after working days"),
    "is_try_enough": _l("A try keeps the deadline"),
    "unreachable_asks": _l("Unreachable: decided by"),
    "kind": _l("Kind"),
    "assignee_role": _l("Made by"),
    "planned_after": _l("Planned after, minutes"),
    "due_after": _l("Due after, minutes"),
    "is_by_clerk": _l("By the clerk who took it"),
    "zone": _l("Time zone"),
    "country": _l("Country"),
    "hours": _l("Hours, Monday to Sunday"),
    "make_up_hours": _l("Hours of make-up days"),
    "overrides": _l("Own days"),
    "mail": _l("Reports by mail"),
    "report": _l("Report"),
    "every": _l("How often"),
    "kept": _l("How many are kept"),
    "erase_after_years": _l("A person's data may be erased after, years"),
    "message_days": _l("Texts of messages are removed after, days"),
    "upload_days": _l("Files brought or made are removed after, days"),
    "contract_ends": _l("Contracts and parking cards that end soon"),
    "first_days": _l("First list, days before the last day"),
    "second_days": _l("Second list, days before the last day"),
    "third_days": _l("Third list, days before the last day"),
    "odd_usage": _l("Odd usage of meters"),
    "above_percent": _l("High: over so many percent of the mean"),
    "below_percent": _l("Low: under so many percent of the mean"),
    "usage_months": _l("Months of the mean"),
    "vacancies": _l("Vacant units"),
    "check_months": _l("Checked every so many months"),
    "households": _l("Households in reports"),
    "unit_kinds": _l("Kinds of units that are households"),
    "effect": _l("Effect of a channel"),
    "days": _l("Days"),
    "move_in": _l("Move-in bill"),
    "unit_kind": _l("Kind of unit"),
    "fee_item": _l("Fee item"),
    "months": _l("Months"),
    "amount": _l("Amount"),
    "is_from_registration": _l("Counted from the registration"),
    "least_minutes": _l("At least, minutes"),
    "retry_after_minutes": _l("Again after, minutes"),
    "per_address": _l("Complaints from one address within an hour"),
    "in_total": _l("Complaints from all within an hour"),
    "asked_per_address": _l("Questions from one address within an hour"),
    "most_files": _l("Files, at most 5"),
    "largest_mb": _l("Size of a file, at most 10 MB"),
    "unsure_category": _l("Category of who doesn't know"),
}

_FACTS = {
    "household_count": _l("Households together"),
    "is_media": _l("Media"),
    "is_injury": _l("Injury"),
    "loss_amount": _l("Loss"),
    "is_legal_letter": _l("Lawyer's letter or claim"),
    "is_repeat": _l("Second complaint on one matter"),
    "is_written": _l("In writing"),
    "from_authority": _l("From government or head office"),
    "about_staff_conduct": _l("Staff attitude or honesty"),
    "happening_now": _l("Happening now"),
}
# a value that is one of a set of codes is chosen by its name
CHOICES: dict[str, dict[str, Any]] = {
    "subject": {"invoice": _l("Each invoice"), "episode": _l("The debt")},
    "trigger": {
        "day_of_month": _l("Day of month"),
        "days_from_due": _l("Days from due day"),
        "months_from_due": _l("Months from due day"),
    },
    "roll": {"none": _l("On the day itself"), "next_working_day": _l("Next working day")},
    "deadline": {"end_of_month": _l("End of month"), "days": _l("Days after")},
    "unit": {"elapsed": _l("Minutes"), "office": _l("Office minutes"), "working_days": _l("Working days")},
    "carried_by": labels.ROLES,
    "approved_by": labels.ROLES,
    "signing_role": labels.ROLES,
    "role": labels.ROLES,
    "assignee_role": labels.ROLES,
    "partly_asks": labels.ROLES,
    "unreachable_asks": labels.ROLES,
    "severity": labels.SEVERITIES,
    "default": labels.SEVERITIES,
    "clock": labels.CLOCKS,
    "fact": _FACTS,
    "needs_fact": {code: name for code, name in _FACTS.items() if FACT_KINDS[code] is bool},
    "kind": labels.VISIT_KINDS,
    "gate": {"legal": _l("Legal case")},
    "unit_kind": labels.UNIT_KINDS,
    "document": {code: labels.PAPERS[code] for code in get_args(StageDocument)},
    "report": {
        "weekly_meeting": _l("Weekly meeting sheet"),
        "monthly_collection": _l("Monthly collection report"),
        "monthly_complaints": _l("Monthly complaint report"),
    },
    "every": {"week": _l("Every Monday"), "month": _l("On the 1st of the month")},
    "after": labels.STAGES,
}
# a list of codes is typed in words, separated by commas
_LISTS: dict[str, dict[str, Any]] = {
    "channels": {**labels.CONTACT_METHODS, **labels.CHANNELS_OUT},
    "starts_at": {code: {**labels.TICKET_STATES, **labels.SEVERITIES}[code] for code in map(str, Moment)},
    "severities": labels.SEVERITIES,
    "reviewed_severities": labels.SEVERITIES,
    "invalid_approved_by": labels.ROLES,
    "decided_by": labels.ROLES,
    "lowered_by": labels.ROLES,
    "stand_ins": labels.ROLES,
    "unit_kinds": labels.UNIT_KINDS,
}

WEEKDAYS = tuple(f"weekday_{number}" for number in range(7))  # Monday first
_SEVERAL = {"services"}  # a list of them, typed


def word(key: str) -> Any:
    """What a value is called; its code where it has no name."""
    if key in WEEKDAYS:
        locale = get_locale() or Locale("en")
        return locale.days["stand-alone"]["wide"][WEEKDAYS.index(key)]
    return _WORDS.get(key, key.replace("_", " "))


def _named(key: str) -> dict[str, str]:
    """The codes of a table's rows with the reader's names, for values that name such a row."""
    named: dict[str, type[FeeItem | Category]]
    named = {"fee_item": FeeItem, "services": FeeItem, "unsure_category": Category}
    table = named.get(key)
    if table is None or not has_app_context():
        return {}
    known: dict[Any, dict[str, str]] = g.setdefault("policy_names", {})
    if table not in known:
        rows = db.session.scalars(db.select(table).order_by(table.position, table.id))
        known[table] = {row.code: row.name_in(language.current()) for row in rows}
    return known[table]


def listed(key: str, found: Sequence[str]) -> list[str]:
    """The codes of a list in words."""
    known = _named(key) or _LISTS.get(key) or CHOICES.get(key, {})
    return [str(known.get(code, code)) for code in found]


def codes(key: str, typed: Sequence[str]) -> list[str]:
    """The codes that the words of a list stand for; what is no word stays as it is."""
    words = _named(key) or _LISTS.get(key, {})
    known = {str(name).casefold(): code for code, name in words.items()}
    return [known.get(word.casefold(), word) for word in typed]


def choices(key: str, value: str) -> dict[str, Any]:
    """The codes a value may be chosen from, with their names; empty when it is typed."""
    known = CHOICES.get(key) or ({} if key in _SEVERAL else _named(key))
    return {"": "—", **known} if known and (not value or value in known) else {}


def policy(name: str) -> Any:
    return POLICIES[name][0] if name in POLICIES else name


KINDS = {
    "yes_or_no": _l("yes or no"),
    "whole_number": _l("a whole number"),
    "number": _l("a number"),
    "text": _l("a text"),
    "day": _l("a day such as 2026-01-31"),
    "time": _l("a time such as 09:00"),
    "list": _l("a list"),
    "table": _l("a table"),
}


def place(dotted: str) -> str:
    """A place of a document in words: `stage.3.channels.1` as “Stages, row 3, Channels in order”."""
    steps, parts = dotted.split("."), []
    for number, step in enumerate(steps):
        if not step.isdecimal():
            parts.append(str(word(step)))
        elif steps[number - 1] == "hours":
            parts.append(str(word(WEEKDAYS[int(step) - 1])))
        elif any(not later.isdecimal() for later in steps[number:]):
            parts.append(_("row %(number)s", number=step))
    return _(", ").join(parts)


def problems(reasons: Iterable[Reason]) -> str:
    """What is wrong with a policy, each problem on its own: the field, what stands there, what may."""
    return _("; ").join(wording.problem(reason.code, _in_words(reason)) for reason in reasons)


def _in_words(reason: Reason) -> dict[str, Any]:
    """The values of a problem; codes are words on a screen, and codes where a file is spoken of."""
    values = dict(reason.inputs)
    key = str(values.get("field", "")).rstrip(".0123456789").rpartition(".")[2]
    if "field" in values and reason.code != "field_unknown":
        values["field"] = place(str(values["field"]))
    if reason.code == "value_missing":
        values["value"] = place(str(values["value"]))
    if "allowed" in values:
        codes = str(values["allowed"]).split()
        is_file = reason.code == "field_unknown" or not has_request_context()
        values["allowed"] = _(", ").join(codes if is_file else listed(key, codes))
    if reason.code == "value_of_wrong_kind":
        values["kind"] = str(KINDS[str(values["kind"])])
    return values


def worded(refusal: Refused) -> str:
    """A refusal in the reader's language, each problem of a policy on its own."""
    if isinstance(refusal, PolicyRefused):
        return problems(refusal.reasons)
    return error_messages.message_for(refusal)
