"""What stored decisions and changes say in the reader's language: reasons, actions, values (C12, F17).

Rules and verbs store codes (`Reason.to_json()`, an audit row's action, table and changes); every screen that
shows one goes through here. A code without a word is shown as it is, with spaces for its underlines.
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

TABLES = {
    "allocation": _("Allocation"),
    "area": _("Area"),
    "report_count": _("Report"),
    "arrears_notice": _("Public notice of arrears"),
    "attachment": _("Attachment"),
    "audit": _("Change history"),
    "billing_run": _("Billing run"),
    "building": _("Building"),
    "calendar_day": _("Holiday or make-up day"),
    "case_entry": _("Library case"),
    "category": _("Category"),
    "clock_pause": _("Pause"),
    "collection_target": _("Collection target"),
    "complainant": _("Complainant"),
    "contact": _("Contact log"),
    "credit_note": _("Credit note"),
    "day_close": _("Day-end reconciliation"),
    "day_close_line": _("Day-end reconciliation"),
    "debit_mandate": _("Direct debit mandate"),
    "department": _("Department"),
    "deposit": _("Deposit"),
    "direct_debit": _("Direct debit"),
    "direct_debit_batch": _("Direct debit file"),
    "escalation": _("Escalation"),
    "estate": _("Estate"),
    "fee_item": _("Fee item"),
    "incentive": _("Early-payment reward"),
    "incentive_grant": _("Early-payment reward"),
    "instalment": _("Instalment plan"),
    "instalment_plan": _("Instalment plan"),
    "invalid_request": _("Closure as invalid"),
    "invoice": _("Invoice"),
    "invoice_line": _("Invoice line"),
    "job_run": _("Scheduled job"),
    "ladder_hold": _("Dunning hold"),
    "late_fee_waiver": _("Late fee waiver"),
    "legal_case": _("Legal case"),
    "message": _("Message"),
    "meter": _("Meter"),
    "meter_reading": _("Meter reading"),
    "occupancy": _("Occupancy"),
    "opening_text": _("Suggested opening"),
    "owner": _("Owner"),
    "owner_phone": _("Phone"),
    "paper": _("Paper"),
    "paper_template": _("Texts of papers"),
    "payment": _("Payment"),
    "policy_version": _("Policy"),
    "reminder": _("Reminder"),
    "reminder_batch": _("Reminder batch"),
    "recovery_code": _("Recovery code"),
    "restriction": _("Service restriction"),
    "retention_removal": _("Removal after retention"),
    "review_meeting": _("Review meeting"),
    "saved_view": _("View"),
    "service_slip": _("Service slip"),
    "staff": _("Staff"),
    "staff_role": _("Role"),
    "steward_building": _("My buildings"),
    "plan_invoice": _("Instalment plan"),
    "web_session": _("Signed in"),
    "statement_layout": _("Statement layout"),
    "statement_row": _("Statement row"),
    "tariff": _("Tariff"),
    "task": _("Task"),
    "ticket": _("Complaint ticket"),
    "ticket_clock": _("Deadline"),
    "ticket_event": _("History"),
    "unit": _("Unit"),
    "visit": _("Follow-up visit"),
    "work_slip": _("Work contact slip"),
    "waiver_request": _("Late fee waiver"),
}

ACTIONS = {
    "create": _("Created"),
    "give_back": _("Given back"),
    "recount": _("Counted again"),
    "take": _("Taken"),
    "slip": _("Printed"),
    "paper": _("Printed"),
    "edit": _("Changed"),
    "delete": _("Deleted"),
    "export": _("Exported"),
    "run_by_hand": _("Run by hand"),
    "reveal": _("Masked value shown"),
    "give_out": _("Everything known given out"),
    "erase": _("Personal data erased"),
    "bulk_edit": _("Changed together"),
    "undo": _("Change undone"),
    "import": _("Imported"),
    "sign_in": _("Signed in"),
    "sign_out": _("Signed out"),
    "password": _("Password changed"),
    "preferences": _("Own settings changed"),
    "second_step_on": _("Second step switched on"),
    "second_step_off": _("Second step switched off"),
    "recovery_codes": _("New recovery codes"),
    "recovery_code_used": _("Recovery code used up"),
    "save_view": _("View saved"),
    "forget_view": _("View forgotten"),
    "issue": _("Issued"),
    "grant": _("Reward granted"),
    "hand_over": _("Gift handed over"),
    "take_back": _("Reward taken back"),
    "judge": _("Rewards looked at"),
    "taken": _("Deposit taken"),
    "returned": _("Deposit given back"),
    "set_off": _("Deposit set off"),
    "charge": _("Charged"),
    "credit": _("Credited"),
    "waive": _("Waived"),
    "receive": _("Payment taken"),
    "void": _("Voided"),
    "reverse": _("Reversed"),
    "refund": _("Refunded"),
    "match": _("Matched"),
    "ignore": _("Ignored"),
    "close_day": _("Day closed"),
    "propose": _("Proposed"),
    "approve": _("Approved"),
    "refuse": _("Refused"),
    "cancel": _("Cancelled"),
    "broken": _("Broken"),
    "kept": _("Kept"),
    "contact": _("Contact entered"),
    "hold": _("Dunning held"),
    "end": _("Ended"),
    "drop": _("Dropped"),
    "mark": _("Marked"),
    "fall_back": _("Sent another way"),
    "decide": _("Decided"),
    "request": _("Requested"),
    "choose_service": _("Service chosen"),
    "requested": _("Requested"),
    "approved": _("Approved"),
    "in_effect": _("In effect"),
    "lifted": _("Lifted"),
    "stopped": _("Stopped"),
    "refused": _("Refused"),
    "suspended": _("Suspended"),
    "open": _("Opened"),
    "move": _("Moved on"),
    "take_down": _("Taken down"),
    "open_ticket": _("Registered"),
    "register": _("Registered"),
    "assign": _("Assigned"),
    "start": _("Work started"),
    "take_on": _("Taken on"),
    "visit": _("Visited"),
    "notice_due": _("To be told in writing"),
    "turn_major": _("Became major"),
    "raise_severity": _("Severity raised"),
    "lower_severity": _("Severity lowered"),
    "review_meeting": _("Review meeting"),
    "resolve": _("Resolved"),
    "resolve_on_spot": _("Resolved on the spot"),
    "follow_up": _("Followed up"),
    "close": _("Closed"),
    "reopen": _("Reopened"),
    "close_unreachable": _("Closed as unreachable"),
    "close_by_decision": _("Closed by decision"),
    "request_invalid": _("Closure as invalid requested"),
    "approve_invalid": _("Closure as invalid approved"),
    "refuse_invalid": _("Closure as invalid refused"),
    "pause": _("Paused"),
    "resume": _("Resumed"),
    "change_severity": _("Severity changed"),
    "acknowledge": _("Acknowledged"),
    "stop_clock": _("Deadline met"),
    "link_debt": _("Linked with a bill"),
    "link_repeat": _("Linked with an earlier complaint"),
    "issue_work_slip": _("Work contact slip issued"),
    "answer_work_slip": _("Work contact slip answered"),
    "add_case": _("Added to the case library"),
    "hold_review": _("Review meeting recorded"),
    "plan_visit": _("Visit planned"),
    "record_visit": _("Visit recorded"),
    "reassign_visit": _("Visit handed over"),
    "remove": _("Removed"),
    "again": _("Sent again"),
    "answer": _("Work contact slip answered"),
    "arrived": _("It arrived"),
    "attach": _("File attached"),
    "change_of_owner": _("Change of owner"),
    "check": _("Checked"),
    "done": _("Done"),
    "download": _("Downloaded"),
    "export_debits": _("Exported"),
    "give_up": _("Given up"),
    "import_debits": _("Imported"),
    "join": _("Complainant added"),
    "keep_clock": _("Deadline met"),
    "letter": _("Letter printed"),
    "letters": _("Letter printed"),
    "map": _("Columns assigned"),
    "move_in": _("Move-in bill"),
    "notice": _("Notice printed"),
    "plan": _("Planned"),
    "printed": _("Printed"),
    "reassign": _("Visit handed over"),
    "receipt": _("Receipt printed"),
    "record": _("Visit recorded"),
    "sign": _("Signed"),
    "take_in": _("Imported"),
    "undertaking": _("Undertaking"),
    "upload": _("File brought"),
    "work_slip": _("Work contact slip issued"),
    "print": _("Printed"),
    "print_shared": _("Printed"),
    "reprint": _("Printed again"),
}

REASONS = {
    # the ladder
    "notice_due": _("The bill was issued"),
    "trigger_reached": _("The stage's day has come"),
    "before_trigger": _("The stage's day has not come yet"),
    "gap": _("The least gap since the last stage has not passed"),
    "day_taken": _("Another stage went out on that day"),
    "no_working_day": _("Waits for the next working day"),
    "ladder_done": _("The ladder has come to its end"),
    "paid": _("Paid"),
    "promise_not_due": _("A promise to pay is not due yet"),
    "plan_kept": _("The instalment plan is kept"),
    "plan_broken": _("The instalment plan is broken"),
    "plan_done": _("The instalment plan is paid"),
    "complaint_open": _("A complaint about it is open"),
    "below_tolerance": _("Below the tolerance"),
    "no_contact": _("No working contact"),
    "hold": _("Held by staff"),
    "gate": _("The gate is not passed"),
    "staff": _("Decided by staff"),
    "undertaking": _("An undertaking was signed"),
    "undertaking_broken": _("The undertaking was broken"),
    "term_over": _("Its months are over"),
    "approved": _("Approved"),
    # bills
    "per_m2": _("Per m² per month"),
    "fixed": _("Fixed per month"),
    "metered": _("Metered"),
    "per_hour": _("Per hour"),
    "per_job": _("Per job"),
    "per_m2_once": _("Per m², once"),
    "one_off": _("One-off"),
    "deposit": _("Deposit"),
    "months_ahead": _("Months paid ahead"),
    "opening_balance": _("Opening balance"),
    "late_fee": _("Late fee"),
    "no_late_fee": _("No late fee yet"),
    "incentive": _("Early-payment reward"),
    "change_of_payer": _("The payer changed"),
    "moved": _("Shared by days"),
    "tiers_not_ascending": _("The tiers must rise"),
    "tiers_not_open_ended": _("The last tier must be open: write its price alone"),
    "no_payer": _("Nobody pays for the unit"),
    "no_tariff": _("No tariff"),
    "no_reading": _("No meter reading"),
    "reading_runs_backwards": _("The reading is below the last one"),
    "unusual": _("Unusual against last month"),
    # statements
    "one_known_code": _("The memo holds one known unit no."),
    "several_codes": _("The memo holds several unit nos."),
    "no_known_code": _("The memo holds no known unit no."),
    "refund": _("A refund"),
    "not_successful": _("Not a successful transaction"),
    "outgoing": _("An outgoing transaction"),
    "no_amount": _("No amount"),
    "no_time": _("No time"),
    "code_in_memo": _("Unit no. in the memo"),
    "name_paid_before": _("This name paid for it before"),
    "payer_name": _("The payer's name"),
    "amount_of_all": _("The amount of all open bills"),
    "amount_of_oldest": _("The amount of the oldest bills"),
    "amount_of_one": _("The amount of one bill"),
    # complaints
    "household_count": _("Households together"),
    "is_media": _("Media"),
    "is_injury": _("Injury"),
    "loss_amount": _("Loss, yuan"),
    "is_legal_letter": _("Lawyer's letter or claim"),
    "is_repeat": _("Second complaint on one matter"),
    "is_written": _("In writing"),
    "from_authority": _("From government or head office"),
    "about_staff_conduct": _("Staff attitude or honesty"),
    "happening_now": _("Happening now"),
    "no_aggravating_fact": _("No aggravating fact"),
    "too_many_from_address": _("Too many from one address"),
    "too_many_in_total": _("Too many in all"),
    "chosen_by_staff": _("Chosen by staff"),
    "changed_by_staff": _("Changed by staff"),
    "given_by_register": _("Taken from the old register"),
    "unsolved_for_months": _("Unsolved for too long"),
    "due_elapsed": _("Counted in elapsed time"),
    "due_office": _("Counted in office minutes"),
    "due_working_days": _("Counted in working days"),
    "due_least_time": _("The least time after its start"),
    "waiting_for": _("Waiting for"),
    "ticket_reopened": _("Reopened"),
    "ticket_closed_by_decision": _("Closed by decision"),
    "ticket_closed_unreachable": _("Closed as unreachable"),
    "tell_complainant": _("Tell the complainant"),
    "visit_rule": _("Planned by rule"),
    "visitor_took_it": _("Took the complaint"),
    "visitor_has_role": _("Has the role"),
    "visitor_missing": _("Nobody has the role"),
    "visitor_named": _("Named by staff"),
    "visit_satisfied": _("Satisfied"),
    "visit_partly": _("Partly satisfied"),
    "visit_dissatisfied": _("Dissatisfied"),
    "visit_unreachable": _("Not reached"),
    # gates
    "months_in_arrears": _("Months in arrears"),
    "attempt_methods": _("Different ways tried"),
    "delivered_letter": _("A delivered letter"),
    "calls": _("Calls"),
    "visits": _("Visits"),
    "letter": _("Letter"),
    "head_visit": _("Visit by the station head"),
    "debt": _("A debt past due"),
    "optional_service": _("An optional service"),
    "contracted_service": _("The contract clause"),
    "visit": _("A visit"),
    "deadline_letter": _("The letter with a deadline"),
    "second_approval": _("A second approval"),
    "manager_signature": _("The manager's signature"),
    "older_debt_first": _("An older debt comes first"),
    "approvals": _("Approvals"),
    "signed_approval": _("Signed approval"),
}

# an input of a reason that is no column of a table
INPUTS = {
    "trigger_on": _("Planned on"),
    "trigger": _("Trigger"),
    "last_on": _("Last stage on"),
    "gap_days": _("Gap, days"),
    "open": _("Open"),
    "tolerance": _("Debts below this are left alone"),
    "channels": _("Channels in order"),
    "gate": _("Gate"),
    "missing": _("Missing"),
    "from": _("From"),
    "since": _("From"),
    "length": _("Length"),
    "rule": _("Rule"),
    "paused": _("Paused"),
    "provisional_year": _("Holidays not yet published"),
    "at_least": _("At least"),
    "paid_on": _("Paid on"),
    "days": _("Days"),
    "of_days": _("Of days"),
    "month": _("Amount of the whole month"),
    "months": _("Months"),
    "principal": _("Principal"),
    "grace_days": _("Days of grace"),
    "daily_rate": _("Rate per day"),
    "cap": _("Cap"),
    "last": _("Last month"),
    "tries": _("Tries"),
    "at_most": _("At most"),
    "unit_code": _("Unit no."),
    "codes": _("Unit nos."),
    "bills": _("Invoices"),
    "stage": _("Dunning stage"),
    "unit": _("Counted in"),
    "wait": _("After a wait of"),
    "visitor": _("Assignee"),
    "whom": _("Waiting for"),
    "until": _("Until"),
    "clause": _("Contract clause"),
    "format": _("Format"),
    "column": _("Field"),
    "login": _("User name"),
}

# why a paper is not printed
PAPER_FAULTS = {
    "unknown_paper": _("There is no such paper"),
    "unknown_language": _("There is no such language"),
    "unreadable": _("The paper can't be read"),
    "no_service": _("No service was chosen"),
    "protected_service": _("This service can't be restricted"),
    "no_contract_clause": _("The contract clause is missing"),
    "approvals_missing": _("Approvals are missing"),
    "ends_too_early": _("It would end too early"),
    "not_approved": _("Approvals are missing"),
    "no_reason": _("The reason is missing"),
    "no_place": _("The place is missing"),
    "no_unit": _("No unit is in arrears"),
}
# what is wrong with a policy, a reward or a text of a paper
PROBLEMS = {
    "value_missing": _("A value is missing: %(value)s"),
    "value_impossible": _("A value is not possible: %(what)s"),
    "order_not_complete": _("The order must run 1, 2, 3 … without gaps"),
    "predecessor_wrong": _("Stage %(stage)s must come after %(wanted)s"),
    "code_twice": _("Stage %(stage)s stands twice"),
    "stage_before_predecessor": _("Stage %(stage)s would fall due before the one it follows"),
    "stage_before_due": _("Stage %(stage)s would fall before the due day"),
    "notice_after_due": _("Stage %(stage)s would fall after the due day"),
    "no_episode_stage": _("The ladder has no stage for debts"),
    "tolerance_negative": _("The tolerance is below zero"),
    "bounds_not_ascending": _("The ageing columns must rise"),
    "no_office_hours": _("At least one weekday needs office hours"),
    "no_make_up_hours": _("Make-up days need office hours, such as 09:00–12:00, 13:30–18:00"),
    "country_unknown": _(
        "The holidays of “%(country)s” are not known: write CN, HK, MO or TW, or nothing for none"
    ),
    "zone_unknown": _("There is no time zone “%(zone)s”: write one such as Asia/Shanghai"),
    "invoice_stage_after_episode_stage": _("Stages of each invoice come before those of the debt"),
    "code_empty": _("A stage needs a code"),
    "day_of_month_impossible": _("A day of the month is 1 to 31"),
    "months_impossible": _("The number of months is not possible"),
    "month_offset_negative": _("Stage %(stage)s: months later can't be below zero"),
    "gap_too_small": _("Stage %(stage)s: the gap is at least one day"),
    "batch_size_negative": _("Stage %(stage)s: the batch size can't be below zero"),
    "channel_missing": _("Stage %(stage)s: a channel is missing"),
    "gate_unknown": _("Stage %(stage)s: there is no such gate"),
    "carrier_missing": _("Stage %(stage)s: who carries it out is missing"),
    "deadline_impossible": _("Stage %(stage)s: the deadline is at least one day"),
    "validity_impossible": _("Stage %(stage)s ends before it begins"),
    "count_negative": _("A number can't be below zero"),
    "two_approvals_needed": _("A restriction needs two approvals"),
    "restriction_without_end": _("A restriction needs an end: a month or more"),
    "law_firm_incomplete": _("A law firm needs its lawyer and the licence number"),
    "service_protected": _("Water, power, heat, gas and access can't be restricted: %(services)s"),
    "due_before_issue": _("The due day comes before the day of issue"),
    "unusual_impossible": _("What counts as unusual can't be below zero"),
    "rate_impossible": _("The rate per day is from 0 to below 1"),
    "grace_negative": _("The days of grace can't be below zero"),
    "cap_negative": _("The cap can't be below zero"),
    "waiver_limit_negative": _("The size of a waiver can't be below zero"),
    "move_in_row_unclear": _("%(fee_item)s: give either months, or an amount, or yuan for each m²"),
    "condition_missing": _("A reward needs months ahead or a day"),
    "reward_missing": _("A reward needs a percentage or a gift"),
    "percent_impossible": _("A percentage is from 0 to 100"),
    "unknown_block": _("There is no text “%(block)s” on this paper"),
    "empty_title": _("The title is empty"),
    "too_long": _("The text “%(block)s” is too long (at most %(most)s characters)"),
    "lone_brace": _("The text “%(block)s” has a single brace"),
    "unknown_placeholder": _("The text “%(block)s” has an unknown place {%(name)s}"),
    "unprintable": _("The text “%(block)s” has characters that can't be printed: %(characters)s"),
}
CLOCK_RULES = {"solve_major": _("Solution"), "follow_up_major": _("Follow-up visit")}
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
    **labels.VISIT_KINDS, **labels.PAPERS,
}  # fmt: skip
VALUES: Mapping[str, Mapping[str, Any]] = {
    "state": STATES,
    "allowed": STATES,
    "promise_state": labels.PROMISE_STATES,
    "kind": KINDS,
    "unit_kind": labels.UNIT_KINDS,
    "stage": labels.STAGES,
    "wanted": labels.STAGES,
    "method": {**labels.CONTACT_METHODS, **labels.VISIT_METHODS, **labels.METHODS},
    "channel": {**labels.CHANNELS_IN, **labels.CHANNELS_OUT},
    "channels": {**labels.CHANNELS_IN, **labels.CHANNELS_OUT},
    "outcome": {**labels.CONTACT_OUTCOMES, **labels.VISIT_OUTCOMES},
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
    "column": labels.COLUMNS,
    "block": labels.COLUMNS,
    "result": STATES,
}
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
    return INPUTS.get(name) or labels.COLUMNS.get(name) or plain(name)


def value(name: str, stored: Any) -> str:
    """A stored value of a column or input: flags, codes and instants in words."""
    if stored is None or stored == "":
        return "–"
    if isinstance(stored, bool):
        return gettext("Yes") if stored else gettext("No")
    text = TRAILING.sub(r"\1", str(stored))
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
        if (name, each) != ("value", True)  # a fact that holds is told by its name
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
