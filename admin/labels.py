"""What columns and codes are called on screen; one word for one thing everywhere (glossary).

`COLUMNS` names columns that many tables share; a screen's own `column_labels` come first. The code
tables map the codes that models allow to their labels, for `choices` of a screen.
"""

from __future__ import annotations

from flask_babel import lazy_gettext as _

COLUMNS = {
    "id": _("No."),
    "number": _("Number"),
    "code": _("Code"),
    "name": _("Name"),
    "name_en": _("Name (English)"),
    "name_zh_hans": _("Name (Simplified Chinese)"),
    "name_zh_hant": _("Name (Traditional Chinese)"),
    "position": _("Order"),
    "note": _("Note"),
    "kind": _("Kind"),
    "state": _("State"),
    "reason": _("Reason"),
    "amount": _("Amount"),
    "balance": _("Balance"),
    "paid": _("Paid"),
    "credited": _("Credited"),
    "late_fee": _("Late fee"),
    "allocated": _("Allocated"),
    "credit": _("Prepaid credit"),
    "period": _("Billing period"),
    "stage": _("Dunning stage"),
    "rate": _("Rate"),
    "quantity": _("Quantity"),
    "explanation": _("Explanation"),
    "method": _("Method"),
    "reference": _("Reference"),
    "channel": _("Channel"),
    "language": _("Language"),
    "unit": _("Unit"),
    "unit.code": _("Unit no."),
    "unit_id": _("Unit"),
    "building": _("Building"),
    "building.name": _("Building"),
    "building_id": _("Building"),
    "building.area.name": _("Area"),
    "area": _("Area"),
    "area.name": _("Area"),
    "area_id": _("Area"),
    "area_m2": _("Area (m²)"),
    "floor": _("Floor"),
    "owner": _("Owner"),
    "owner.name": _("Owner"),
    "owner_id": _("Owner"),
    "payer": _("Payer"),
    "payer.name": _("Payer"),
    "payer_id": _("Payer"),
    "fee_item": _("Fee item"),
    "fee_item.name": _("Fee item"),
    "fee_item_id": _("Fee item"),
    "unit_kind": _("Kind of unit"),
    "department": _("Department"),
    "department.name": _("Department"),
    "department_id": _("Department"),
    "category": _("Category"),
    "category.name": _("Category"),
    "category_id": _("Category"),
    "ticket": _("Ticket"),
    "ticket.number": _("Ticket no."),
    "ticket_id": _("Ticket"),
    "invoice": _("Invoice"),
    "invoice.number": _("Invoice no."),
    "invoice_id": _("Invoice"),
    "staff": _("Staff"),
    "staff.name": _("Staff"),
    "staff_id": _("Staff"),
    "clerk.name": _("Taken by"),
    "handler.name": _("Handled by"),
    "assignee.name": _("Assignee"),
    "assignee_role": _("Role"),
    "severity": _("Severity"),
    "level": _("Escalation level"),
    "satisfaction": _("Satisfaction"),
    "outcome": _("Outcome"),
    "statement": _("Statement"),
    "place": _("Place"),
    "resolution": _("Resolution"),
    "issued_on": _("Issued on"),
    "due_on": _("Due on"),
    "paid_at": _("Paid at"),
    "posted_on": _("Posted on"),
    "planned_on": _("Planned on"),
    "planned_from": _("Planned from"),
    "due_at": _("Due at"),
    "done_at": _("Done at"),
    "registered_at": _("Registered at"),
    "resolved_at": _("Resolved at"),
    "closed_at": _("Closed at"),
    "started_at": _("Started at"),
    "finished_at": _("Finished at"),
    "sent_at": _("Sent at"),
    "at": _("Time"),
    "from_on": _("From"),
    "to_on": _("To"),
    "valid_from": _("Valid from"),
    "valid_to": _("Valid to"),
    "handed_over_on": _("Handed over on"),
    "opened_on": _("Opened on"),
    "read_on": _("Read on"),
    "used_on": _("Used on"),
    "value": _("Value"),
    "email": _("E-mail"),
    "phone": _("Phone"),
    "login": _("User name"),
    "is_active": _("Active"),
    "is_payer": _("Pays the fees"),
    "address": _("Address"),
    "action": _("Action"),
    "table_name": _("Table"),
    "row_id": _("Record"),
    "changes": _("Changes"),
}

UNIT_KINDS = {
    "residence": _("Residence"),
    "office": _("Office"),
    "shop": _("Shop"),
    "parking": _("Parking bay"),
    "storage": _("Storage room"),
}
UNIT_STATES = {
    "unsold": _("Unsold"),
    "vacant": _("Vacant"),
    "occupied": _("Occupied"),
    "sealed": _("Sealed"),
}
OWNER_KINDS = {"person": _("Person"), "company": _("Company")}
OCCUPANCY_KINDS = {"owner": _("Owner"), "tenant": _("Tenant")}
CHANNELS_OUT = {"email": _("E-mail"), "sms": _("Text message"), "wecom": _("WeCom"), "print": _("Print")}
LANGUAGES = {"en": "English", "zh_Hans": "简体中文", "zh_Hant": "繁體中文"}
ROLES = {
    "front_desk": _("Front desk"),
    "steward": _("Steward"),
    "cashier": _("Cashier"),
    "department_lead": _("Department lead"),
    "station_head": _("Station head"),
    "manager": _("Manager"),
    "director": _("Director"),
    "it_admin": _("IT administrator"),
}
BASES = {
    "per_m2": _("Per m² per month"),
    "fixed": _("Fixed per month"),
    "metered": _("Metered"),
    "per_hour": _("Per hour"),
    "per_job": _("Per job"),
    "one_off": _("One-off"),
    "deposit": _("Deposit"),
}
TIMINGS = {"advance": _("In advance"), "arrears": _("In arrears")}
INVOICE_KINDS = {"regular": _("Regular"), "opening": _("Opening balance"), "move_in": _("Move-in")}
INVOICE_STATES = {
    "open": _("Open"),
    "partly_paid": _("Partly paid"),
    "paid": _("Paid"),
    "credited": _("Credited"),
}
SLIP_STATES = {"open": _("Open"), "billed": _("Billed"), "cancelled": _("Cancelled")}
PLAN_STATES = {
    "proposed": _("Proposed"),
    "running": _("Running"),
    "kept": _("Kept"),
    "broken": _("Broken"),
    "cancelled": _("Cancelled"),
}
METHODS = {
    "cash": _("Cash"),
    "card": _("Card"),
    "bank_transfer": _("Bank transfer"),
    "direct_debit": _("Direct debit"),
    "wechat": _("WeChat Pay"),
    "alipay": _("Alipay"),
}
PAYMENT_KINDS = {"payment": _("Payment"), "reversal": _("Reversal"), "refund": _("Refund")}
PAYMENT_STATES = {"posted": _("Posted"), "void": _("Void"), "reversed": _("Reversed")}
STATEMENT_STATES = {"posted": _("Posted"), "waiting": _("Waiting"), "ignored": _("Ignored")}
BATCH_STATES = {"draft": _("Draft"), "approved": _("Approved"), "done": _("Done")}
REMINDER_STATES = {
    "planned": _("Planned"),
    "approved": _("Approved"),
    "sending": _("Sending"),
    "sent": _("Sent"),
    "failed": _("Failed"),
    "unknown": _("Unknown"),
    "dead": _("Given up"),
    "printed": _("Printed"),
    "done": _("Done"),
    "dropped": _("Dropped"),
    "not_made": _("Not made"),
}
STAGES = {
    "notice": _("Payment notice"),
    "reminder": _("Reminder"),
    "demand": _("Demand notice"),
    "call": _("Call"),
    "visit": _("Visit"),
    "letter": _("Letter"),
    "head_visit": _("Visit by the station head"),
    "restriction_request": _("Restriction request"),
    "legal": _("Legal action"),
    "upcoming": _("Before the due day"),
    "friendly": _("Friendly message"),
    "lawyer_letter": _("Lawyer's letter"),
    "court": _("Court"),
}
ARREARS_REASONS = {
    "forgot": _("Forgot"),
    "unhappy": _("Unhappy with the service"),
    "hardship": _("Hardship"),
    "away": _("Away or vacant"),
    "disputes": _("Disputes the bill"),
    "refuses": _("Refuses"),
    "unreachable": _("Unreachable"),
}
CONTACT_METHODS = {"phone": _("Phone"), "message": _("Message"), "visit": _("Visit")}
CONTACT_OUTCOMES = {
    "reached": _("Reached"),
    "not_reached": _("Not reached"),
    "promised": _("Promised to pay"),
    "refused": _("Refused"),
    "other": _("Other"),
}
PROMISE_STATES = {"": "", "open": _("Open"), "kept": _("Kept"), "broken": _("Broken")}
RESTRICTION_STATES = {
    "requested": _("Requested"),
    "approved": _("Approved"),
    "in_effect": _("In effect"),
    "lifted": _("Lifted"),
    "stopped": _("Stopped"),
    "refused": _("Refused"),
    "suspended": _("Suspended"),
}
LEGAL_STATES = {
    "preparing": _("Preparing"),
    "letter_sent": _("Letter sent"),
    "filed": _("Filed"),
    "mediation": _("Mediation"),
    "judged": _("Judged"),
    "settled": _("Settled"),
    "withdrawn": _("Withdrawn"),
}
CHANNELS_IN = {
    "desk": _("At the desk"),
    "phone": _("Phone"),
    "letter": _("Letter"),
    "email": _("E-mail"),
    "web_form": _("Web form"),
    "suggestion_box": _("Suggestion box"),
    "chat": _("Chat"),
    "visit": _("Visit"),
    "head_office": _("Head office"),
    "government": _("Government"),
    "call_centre": _("Call centre"),
}
SEVERITIES = {
    "major": _("Major"),
    "complex": _("Complex"),
    "simple": _("Simple"),
    "minor": _("Minor"),
    "urgent": _("Urgent"),
    "important": _("Important"),
    "normal": _("Normal"),
}
TICKET_STATES = {
    "registered": _("Registered"),
    "assigned": _("Assigned"),
    "in_progress": _("In progress"),
    "resolved": _("Resolved"),
    "followed_up": _("Followed up"),
    "closed": _("Closed"),
    "reopened": _("Reopened"),
    "invalid": _("Invalid"),
}
CLOCKS = {
    "acknowledge": _("Acknowledge"),
    "on_site": _("On site"),
    "report_manager": _("Report to the manager"),
    "department_plan": _("Department's plan"),
    "first_word": _("First word"),
    "solve": _("Solution"),
    "written_answer": _("Written answer"),
    "follow_up": _("Follow-up visit"),
}
CLOCK_STATES = {
    "running": _("Running"),
    "paused": _("Paused"),
    "met": _("Met"),
    "breached": _("Breached"),
    "void": _("Void"),
}
SATISFACTION = {
    "5": _("5 – very satisfied"),
    "4": _("4 – satisfied"),
    "3": _("3 – partly"),
    "2": _("2 – dissatisfied"),
    "1": _("1 – very dissatisfied"),
}
VISIT_KINDS = {
    "follow_up": _("Follow-up"),
    "repair": _("Repair"),
    "collection": _("Collection"),
    "courtesy": _("Courtesy"),
}
VISIT_METHODS = {"phone": _("Phone"), "door": _("At the door")}
VISIT_OUTCOMES = {
    "": "",
    "satisfied": _("Satisfied"),
    "partly": _("Partly satisfied"),
    "dissatisfied": _("Dissatisfied"),
    "unreachable": _("Unreachable"),
    "done": _("Done"),
}
JOB_STATES = {
    "due": _("Due"),
    "running": _("Running"),
    "done": _("Done"),
    "failed": _("Failed"),
    "dead": _("Given up"),
}
MESSAGE_STATES = {
    "pending": _("Pending"),
    "sending": _("Sending"),
    "sent": _("Sent"),
    "failed": _("Failed"),
    "unknown": _("Unknown"),
    "dead": _("Given up"),
    "dropped": _("Dropped"),
}
TASK_STATES = {"waiting": _("Waiting"), "running": _("Running"), "done": _("Done"), "failed": _("Failed")}
PRESETS = {"tower": _("Office tower"), "residential": _("Residential estate"), "project": _("Mixed project")}
PAPERS = {
    "payment_notice": _("Payment notice"),
    "payment_reminder": _("Payment reminder"),
    "demand": _("Demand notice"),
    "final_letter": _("Final letter"),
    "restriction_notice": _("Restriction notice"),
    "lawyer_letter": _("Lawyer's letter"),
    "undertaking": _("Undertaking"),
    "receipt": _("Receipt"),
    "deposit_slip": _("Deposit slip"),
    "credit_note": _("Credit note"),
    "move_in_bill": _("Move-in bill"),
    "tariff_notice": _("Tariff notice"),
    "arrears_notice": _("Public notice of arrears"),
    "collection_rates": _("Collection rates per building"),
    "work_contact_slip": _("Work contact slip"),
    "complaint_form": _("Complaint form"),
    "invalid_closure": _("Closure as invalid"),
    "monthly_complaints": _("Monthly complaint report"),
    "weekly_meeting": _("Weekly meeting sheet"),
}
