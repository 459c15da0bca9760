"""The labels of stored codes, for `choices` of a screen; one word for one thing everywhere (glossary)."""

from __future__ import annotations

from flask_babel import lazy_gettext as _

UNIT_KINDS = {
    "residence": _("Residence"),
    "office": _("Office space"),
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
CURRENCIES = {
    "CNY": _("Renminbi"),
    "HKD": _("Hong Kong dollar"),
    "TWD": _("New Taiwan dollar"),
    "MOP": _("Macau pataca"),
}
CODES_TO_PAY = {
    "wechat": _("WeChat Pay"),
    "alipay": _("Alipay"),
    "combined": _("One code for WeChat Pay, Alipay and UnionPay"),
    "unionpay": _("UnionPay"),
    "fps": _("FPS"),
    "line_pay": _("LINE Pay"),
    "twqr": _("TWQR"),
}
WORD_SETS = {"mainland": _("Mainland China"), "hong_kong": _("Hong Kong"), "taiwan": _("Taiwan")}
INCOME_BASES = {"billed": _("As billed, less credit notes"), "received": _("As received")}
FEE_SCHEMES = {
    "lump_sum": _("Lump sum: surplus and deficit are the company's"),
    "commission": _("Commission: actual costs and the company's remuneration"),
}
PRICE_KINDS = {
    "market": _("Market price"),
    "guided": _("Government-guided price"),
    "regulated": _("Government-set price"),
}
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
    "per_person": _("Per person per month"),
    "fixed": _("Fixed per month"),
    "metered": _("Metered"),
    "per_hour": _("Per hour"),
    "per_job": _("Per job"),
    "one_off": _("One-off"),
    "deposit": _("Deposit"),
    "shared": _("Shared cost"),
}
POOL_SCOPES = {
    "estate": _("The whole estate"),
    "area": _("Areas"),
    "building": _("Buildings"),
    "units": _("Single units"),
}
HINT_KINDS = {"key": _("Key"), "contractor": _("Contractor"), "other": _("Other")}
INCIDENT_PHASES = {
    "coming": _("Begins soon"),
    "on": _("Going on"),
    "late": _("Past its expected end"),
    "closed": _("Over"),
}
POOL_KEYS = {
    "area": _("By area"),
    "household": _("By household"),
    "consumption": _("By own consumption"),
    "coefficient": _("By coefficient"),
}
BEARS = {"share": _("Share"), "none": _("Do not share")}
POOL_STATES = {"open": _("Not billed"), "billed": _("Billed"), "cancelled": _("Taken back")}
CYCLES = {
    "1": _("Month"),
    "3": _("Quarter"),
    "6": _("Half year"),
    "12": _("Year"),
}
ANCHORS = {"calendar": _("The calendar"), "unit": _("The unit's own day")}
ROUNDINGS = {"fen": _("Fen"), "jiao": _("Jiao"), "yuan": _("Yuan")}
ROUNDING_MODES = {"half_up": _("Half up"), "up": _("Up"), "down": _("Down")}
PAYER_RULES = {
    "default": _("The unit's payer"),
    "owner": _("The owner"),
    "tenant": _("The tenant"),
    "developer": _("The developer until somebody is there"),
}
TIMINGS = {"advance": _("In advance"), "arrears": _("In arrears")}
INVOICE_KINDS = {
    "regular": _("Regular"),
    "opening": _("Opening balance"),
    "move_in": _("Move-in"),
    "one_off": _("One-off"),
}
CREDIT_KINDS = {
    "error": _("Error: was never owed, its late fee goes too"),
    "goodwill": _("Goodwill: the late fee stays"),
}
INVOICE_STATES = {
    "open": _("Open"),
    "partly_paid": _("Partly paid"),
    "paid": _("Paid"),
    "credited": _("Credited"),
}
READING_KINDS = {
    "read": _("Meter read"),
    "estimated": _("Estimated"),
    "exchange_end": _("Old meter's last value"),
    "exchange_start": _("New meter's first value"),
}
TIER_SPANS = {"month": _("Each month"), "year": _("The calendar year")}
SLIP_STATES = {"open": _("Open"), "billed": _("Billed"), "cancelled": _("Cancelled")}
PLAN_STATES = {
    "proposed": _("Proposed"),
    "running": _("Running"),
    "kept": _("Kept"),
    "broken": _("Broken"),
    "cancelled": _("Cancelled"),
}
PAPER_SIZES = {"usual": _("A4"), "large": _("A4, large type"), "a3": _("A3")}  # of notices for the wall
METHODS = {
    "cash": _("Cash"),
    "card": _("Card"),
    "bank_transfer": _("Bank transfer"),
    "direct_debit": _("Direct debit"),
    "wechat": _("WeChat Pay"),
    "alipay": _("Alipay"),
    "cheque": _("Cheque"),
}
CHEQUE_STATES = {
    "to_present": _("To be presented"),
    "presented": _("With the bank"),
    "cleared": _("Cleared"),
    "bounced": _("Bounced"),
    "void": _("Void"),
}
LEDGER_USES = {
    "item": _("Fee item"),
    "method": _("Way to pay"),
    "receivable": _("Receivables"),
    "advances": _("Payments in advance"),
    "deferred": _("Income billed ahead"),
    "late_fee": _("Late fee"),
    "output_tax": _("Output tax"),
}
LEDGER_AUXILIARIES = {
    "none": _("Nothing"),
    "unit": _("Unit"),
    "payer": _("Payer"),
    "unit_payer": _("Unit and payer"),
    "building": _("Building"),
}
VOUCHER_KINDS = {
    "bills": _("Bills issued"),
    "credits": _("Credit notes"),
    "receipts": _("Payments received"),
    "offsets": _("Prepaid credit used"),
    "given_back": _("Voided, taken back or refunded"),
    "income": _("Income billed ahead"),
    "reversal": _("Reversal"),
}
VOUCHER_SOURCES = {
    "invoice": _("Bill"),
    "credit_note": _("Credit note"),
    "payment": _("Payment"),
    "allocation": _("Allocation"),
}
PAYMENT_KINDS = {"payment": _("Payment"), "reversal": _("Reversal"), "refund": _("Refund")}
PAYMENT_STATES = {"posted": _("Posted"), "void": _("Void"), "reversed": _("Reversed")}
TEMPLATE_BLOCKS = {
    "title": _("Title"),
    "greeting": _("Greeting"),
    "body": _("Text"),
    "closing": _("Closing"),
    "note": _("Note"),
}
WAIVER_STATES = {"requested": _("Asked for"), "approved": _("Approved"), "refused": _("Refused")}
DEBIT_BATCH_STATES = {"exported": _("With the bank"), "answered": _("Answered")}
DEBIT_STATES = {
    "sent": _("With the bank"),
    "collected": _("Collected"),
    "failed": _("Failed"),
    "waiting": _("Waiting"),
}
STATEMENT_STATES = {"posted": _("Posted"), "waiting": _("Waiting"), "ignored": _("Ignored")}
BATCH_STATES = {"draft": _("Draft"), "approved": _("Approved"), "done": _("Done")}
REMINDER_STATES = {
    "planned": _("Planned"),
    "approved": _("Approved"),
    "sending": _("Sending"),
    "sent": _("Sent"),
    "failed": _("Failed"),
    "unknown": _("Unknown"),
    "dead": _("Abandoned"),
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
    "refused": _("Refuses to pay"),
    "other": _("Other"),
}
LIMITATION_RESTARTS = {
    "due_day": _("Due day"),
    "demand": _("Delivered demand"),
    "part_payment": _("Part payment"),
    "promise": _("Written promise"),
    "plan": _("Instalment plan"),
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
OUTCOMES = {
    "solved": _("Solved"),
    "cancelled": _("Withdrawn"),
    "invalid": _("Invalid"),
    "moved": _("Handed to somebody else"),
}
HISTORY_COUNTS = {
    **OUTCOMES,
    "no_outcome": _("Ended, the register does not say how"),
    "still_open": _("Not ended: open complaints with their deadlines"),
    "past_keeping": _(
        "Closed longer ago than complaints are kept: removed the next night unless put on hold"
    ),
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
    "dead": _("Abandoned"),
}
MESSAGE_STATES = {
    "pending": _("Pending"),
    "sending": _("Sending"),
    "sent": _("Sent"),
    "failed": _("Failed"),
    "unknown": _("Unknown"),
    "dead": _("Abandoned"),
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
    "statement_of_account": _("Statement of account"),
    "clearance_certificate": _("Certificate that nothing is owed"),
    "pool_notice": _("Notice of a shared cost"),
    "deposit_slip": _("Deposit slip"),
    "deposit_refund": _("Receipt for a deposit returned"),
    "service_slip": _("Service slip"),
    "resident_slip": _("Slip for the resident"),
    "written_reply": _("Written reply"),
    "review_minutes": _("Review minutes"),
    "visit_sheet": _("Visit sheet"),
    "restriction_list": _("Services restricted now"),
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
    "report_sheet": _("Report"),
}
JOBS = {
    "deadlines": _("Deadlines follow policies and holidays"),
    "promise_checks": _("Promises kept or broken"),
    "plan_checks": _("Instalment plans"),
    "late_fees": _("Late fees"),
    "restrictions": _("Restrictions take effect or end"),
    "rewards": _("Early-payment rewards"),
    "deposits": _("Deposits that were paid"),
    "vacancies": _("Vacancies that end"),
    "billing_draft": _("Draft of the next bills"),
    "direct_debit_reminder": _("Direct-debit results"),
    "monthly_report": _("Monthly complaint report"),
    "ladder": _("Dunning ladder"),
    "backup": _("Backup"),
    "backup_proof": _("Backup restored for proof"),
    "retention": _("Removal of old complaints"),
    "old_runs": _("Removal of old runs"),
    "expiry": _("Old messages and uploads cleared"),
    "figures": _("Figures for managers"),
    "report_counts": _("Reports counted at night"),
    "report_mails": _("Reports by mail"),
    "view_mails": _("Saved views by mail"),
    "restriction_lifts": _("Restrictions lifted on payment"),
    "ticket_clocks": _("Deadlines of complaints"),
    "outbox": _("Sent messages"),
}
