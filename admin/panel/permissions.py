"""Who may do what where: one table written by hand, role × screen × verb (P7, F4).

Letters: `s` see, `c` create, `e` edit, `d` delete, `a` act (run the screen's actions), `x` export.
A screen that is not listed is closed to everyone but the IT administrator, who may look at it.
`everyone` holds for each signed-in person. Money has no `c`, `e` or `d`: it changes by actions only.
"""

from __future__ import annotations

from collections.abc import Iterable

from flask import current_app

from admin.panel.signed_in import staff_if_signed_in

LETTERS = {"see": "s", "create": "c", "edit": "e", "delete": "d", "act": "a", "export": "x"}
ALL = "scedax"

SCREENS: dict[str, dict[str, str]] = {
    # every signed-in person
    "start": {"everyone": "sa"},
    "search": {"everyone": "s"},
    "settings": {"everyone": "s"},
    "inbox": {"everyone": "s"},
    # Property
    "estate": {"it_admin": "sea", "manager": "sea", "director": "s"},
    "calendar_days": {"it_admin": ALL, "manager": ALL, "station_head": "sce", "everyone": "s"},
    "areas": {"it_admin": ALL, "manager": ALL, "station_head": "sx", "everyone": "s"},
    "buildings": {"it_admin": ALL, "manager": ALL, "station_head": "sx", "everyone": "s"},
    "units": {"it_admin": ALL, "manager": ALL, "station_head": "sceax", "front_desk": "sea", "everyone": "s"},
    "desk_hints": {
        "it_admin": "scedx",
        "manager": "scedx",
        "station_head": "scedx",
        "front_desk": "sce",
        "steward": "sce",
        "department_lead": "s",
    },
    "grid": {"everyone": "s"},
    "household": {"everyone": "s"},
    "personal_data": {"it_admin": "sax", "manager": "sax"},
    # People
    "owners": {
        "it_admin": ALL,
        "manager": ALL,
        "station_head": "sceax",
        "front_desk": "scea",
        "steward": "sea",
        "cashier": "sea",
        "director": "sx",
    },
    "owner_phones": {
        "it_admin": ALL,
        "manager": ALL,
        "station_head": ALL,
        "front_desk": "scea",
        "steward": "scea",
        "cashier": "scea",
    },
    "occupancies": {
        "it_admin": ALL,
        "manager": ALL,
        "station_head": "sceax",
        "front_desk": "scea",
        "steward": "s",
        "cashier": "s",
        "director": "s",
    },
    "vehicles": {
        "it_admin": ALL,
        "manager": ALL,
        "station_head": "sceax",
        "front_desk": "scea",
        "cashier": "sceax",
        "steward": "s",
        "director": "sx",
    },
    "change_payer": {"it_admin": "sa", "manager": "sa", "station_head": "sa", "front_desk": "sa"},
    "contact_quality": {
        "it_admin": "sx",
        "manager": "sx",
        "station_head": "sx",
        "front_desk": "s",
        "steward": "s",
    },
    "departments": {"it_admin": ALL, "manager": ALL, "everyone": "s"},
    "staff": {"it_admin": ALL, "manager": "sx", "director": "sx", "station_head": "s"},
    # Bills
    "fee_items": {"it_admin": ALL, "manager": ALL, "cashier": "sx", "everyone": "s"},
    "tariffs": {"it_admin": ALL, "manager": ALL, "cashier": "sx", "everyone": "s"},
    "item_rates": {
        "it_admin": "scex",
        "manager": "scex",
        "cashier": "sx",
        "station_head": "s",
        "steward": "s",
        "front_desk": "s",
        "director": "s",
    },
    "item_payers": {
        "it_admin": "scex",
        "manager": "scex",
        "cashier": "scex",
        "station_head": "s",
        "steward": "s",
        "front_desk": "s",
        "director": "s",
    },
    "contracts": {
        "it_admin": "scex",
        "manager": "scex",
        "cashier": "sx",
        "station_head": "s",
        "director": "sx",
    },
    "vacancies": {
        "it_admin": "scax",
        "manager": "scax",
        "director": "sax",
        "cashier": "scx",
        "station_head": "sca",
        "steward": "sc",
        "front_desk": "sc",
    },
    "rent_changes": {
        "it_admin": "scex",
        "manager": "scex",
        "cashier": "sx",
        "station_head": "s",
        "director": "sx",
    },
    "pools": {
        "it_admin": "sax",
        "manager": "sax",
        "cashier": "sax",
        "station_head": "s",
        "front_desk": "s",
        "director": "sx",
    },
    "pool_shares": {
        "it_admin": "sx",
        "manager": "sx",
        "cashier": "sx",
        "station_head": "s",
        "steward": "s",
        "front_desk": "s",
        "director": "sx",
    },
    "meters": {"it_admin": ALL, "manager": ALL, "cashier": "scex", "station_head": "scex", "steward": "s"},
    "meter_readings": {
        "it_admin": ALL,
        "manager": ALL,
        "cashier": "scex",
        "station_head": "scex",
        "steward": "sc",
    },
    "meter_round": {
        "it_admin": "sc",
        "manager": "sc",
        "cashier": "sc",
        "station_head": "sc",
        "steward": "sc",
    },
    "service_slips": {
        "it_admin": ALL,
        "manager": ALL,
        "cashier": "sceax",
        "station_head": "sceax",
        "front_desk": "scea",
        "steward": "sc",
    },
    "billing_runs": {"it_admin": "sax", "manager": "sax", "cashier": "sax", "director": "sx"},
    "billing": {"it_admin": "sa", "manager": "sa", "cashier": "sa"},
    "take_backs": {"it_admin": "sx", "manager": "sax", "director": "sax", "cashier": "sax"},
    "taken_bills": {"it_admin": "sx", "manager": "sx", "director": "sx", "cashier": "sx"},
    "invoices": {
        "it_admin": "sax",
        "manager": "sax",
        "director": "sx",
        "cashier": "sax",
        "station_head": "sax",
        "steward": "sx",
        "front_desk": "s",
    },
    "invoice_lines": {
        "it_admin": "sx",
        "manager": "sx",
        "director": "sx",
        "cashier": "sx",
        "station_head": "s",
        "steward": "s",
        "front_desk": "s",
    },
    "credit_notes": {
        "it_admin": "sax",
        "manager": "sax",
        "director": "sx",
        "cashier": "sax",
        "station_head": "s",
    },
    "late_fee_waivers": {"it_admin": "sx", "manager": "sax", "director": "sax", "cashier": "s"},
    "waiver_requests": {
        "it_admin": "s",
        "manager": "sax",
        "director": "sax",
        "station_head": "s",
        "cashier": "s",
    },
    "move_in": {"it_admin": "sa", "manager": "sa", "cashier": "sa", "station_head": "sa", "front_desk": "s"},
    "incentives": {"it_admin": ALL, "manager": ALL, "cashier": "sa", "everyone": "s"},
    "incentive_grants": {"it_admin": "sx", "manager": "sax", "cashier": "sa", "director": "sx"},
    "instalment_plans": {
        "it_admin": "sax",
        "manager": "scax",
        "station_head": "scax",
        "cashier": "scax",
        "steward": "scx",
        "director": "sx",
    },
    "instalments": {
        "it_admin": "sx",
        "manager": "sx",
        "director": "sx",
        "station_head": "sx",
        "cashier": "sx",
        "steward": "s",
    },
    "unit_charges": {
        "it_admin": "s",
        "manager": "s",
        "director": "s",
        "cashier": "s",
        "station_head": "s",
        "steward": "s",
    },
    "statement_of_account": {
        "it_admin": "sax",
        "manager": "sax",
        "director": "sx",
        "cashier": "sax",
        "station_head": "sax",
        "steward": "s",
    },
    "deposits": {"it_admin": "sax", "manager": "sax", "cashier": "sax", "director": "sx"},
    # Money
    "cashier": {"it_admin": "sa", "manager": "sa", "cashier": "sa"},
    "payments": {
        "it_admin": "sax",
        "manager": "sax",
        "director": "sx",
        "cashier": "sax",
        "station_head": "sx",
        "steward": "s",
    },
    "earmarks": {"it_admin": "sax", "manager": "sax", "cashier": "sax", "director": "sx"},
    "cheques": {"it_admin": "sax", "manager": "sax", "cashier": "sax", "director": "sx"},
    "ledger": {"it_admin": "sax", "manager": "sax", "cashier": "sax", "director": "sx"},
    "ledger_accounts": {"it_admin": "sceax", "manager": "sceax", "cashier": "sceax", "director": "sx"},
    "vouchers": {"it_admin": "sax", "manager": "sax", "cashier": "sax", "director": "sx"},
    "voucher_lines": {"it_admin": "sx", "manager": "sx", "cashier": "sx", "director": "sx"},
    "voucher_sources": {"it_admin": "sx", "manager": "sx", "cashier": "sx", "director": "sx"},
    "allocations": {"it_admin": "sx", "manager": "sx", "director": "sx", "cashier": "sx"},
    "statement_rows": {"it_admin": "sax", "manager": "sax", "cashier": "sax", "director": "sx"},
    "statement_layouts": {"it_admin": "sdax", "manager": "sdax", "cashier": "sdax", "director": "s"},
    "debit_mandates": {"it_admin": "scex", "manager": "sceax", "cashier": "sceax", "front_desk": "sce"},
    "direct_debit_rows": {"it_admin": "sax", "manager": "sax", "cashier": "sax", "director": "sx"},
    "payer_accounts": {"it_admin": "sdx", "manager": "sdx", "cashier": "sdx", "director": "s"},
    "direct_debits": {"it_admin": "sax", "manager": "sax", "cashier": "sax", "director": "sx"},
    "day_close": {"it_admin": "s", "cashier": "sa", "manager": "sa"},
    "day_close_lines": {"it_admin": "s", "manager": "s", "cashier": "s", "director": "s"},
    "day_reopenings": {"it_admin": "s", "manager": "sax", "director": "sax", "cashier": "s"},
    "day_closes": {"it_admin": "sax", "manager": "sax", "cashier": "sax", "director": "sx"},
    # Arrears
    "reminders": {
        "it_admin": "sax",
        "manager": "sax",
        "director": "sx",
        "station_head": "sax",
        "steward": "sa",
        "cashier": "sx",
    },
    "reminder_batches": {
        "it_admin": "sax",
        "manager": "sax",
        "director": "sx",
        "station_head": "sax",
        "steward": "sa",
        "cashier": "sx",
    },
    "contacts": {
        "it_admin": "sax",
        "manager": "scax",
        "director": "sx",
        "station_head": "scax",
        "steward": "sca",
        "cashier": "sca",
        "front_desk": "sc",
    },
    "call_list": {"it_admin": "s", "manager": "sa", "station_head": "sa", "steward": "sa", "cashier": "sa"},
    "restrictions": {
        "it_admin": "sx",
        "manager": "sax",
        "director": "sax",
        "station_head": "sax",
        "steward": "sa",
    },
    "legal_cases": {"it_admin": "sx", "manager": "sax", "director": "sax", "station_head": "sax"},
    "public_notices": {"it_admin": "sx", "manager": "sax", "director": "sax"},
    "forecast": {
        "it_admin": "s",
        "manager": "s",
        "director": "s",
        "station_head": "s",
        "steward": "s",
        "cashier": "s",
        "front_desk": "s",
    },
    "limitation": {
        "it_admin": "sx",
        "manager": "sx",
        "director": "sx",
        "station_head": "sx",
        "steward": "s",
        "cashier": "sx",
    },
    "ladder_holds": {
        "it_admin": "sx",
        "manager": "sax",
        "director": "sx",
        "station_head": "sax",
        "steward": "s",
        "cashier": "s",
    },
    "opening_texts": {"it_admin": ALL, "manager": ALL, "station_head": ALL, "everyone": "s"},
    # Complaints
    "tickets": {
        "it_admin": "scax",
        "manager": "sceax",
        "director": "sax",
        "station_head": "sceax",
        "front_desk": "sceax",
        "department_lead": "sax",
        "steward": "sca",
        "cashier": "sc",
    },
    "incidents": {
        "it_admin": "scex",
        "manager": "sceax",
        "station_head": "sceax",
        "front_desk": "scea",
        "director": "sx",
        "everyone": "s",
    },
    "incident_tickets": {
        "it_admin": "sx",
        "manager": "sx",
        "director": "sx",
        "station_head": "sx",
        "everyone": "s",
    },
    "ticket_clocks": {"it_admin": "sx", "manager": "sx", "director": "sx", "everyone": "s"},
    "escalations": {
        "it_admin": "sx",
        "manager": "sx",
        "director": "sx",
        "station_head": "sx",
        "everyone": "s",
    },
    "complainants": {"it_admin": "s", "manager": "sa", "station_head": "sa", "front_desk": "sa"},
    "work_slips": {
        "it_admin": "sax",
        "manager": "sceax",
        "station_head": "sceax",
        "front_desk": "sceax",
        "department_lead": "sceax",
    },
    "invalid_requests": {
        "it_admin": "s",
        "manager": "sax",
        "director": "sax",
        "station_head": "sax",
        "front_desk": "s",
    },
    "review_meetings": {"it_admin": "sx", "manager": "sceax", "director": "sceax", "station_head": "sceax"},
    "board": {"everyone": "s"},
    "public_form": {
        "it_admin": "s",
        "manager": "s",
        "director": "s",
        "station_head": "s",
        "front_desk": "s",
    },
    "case_library": {"it_admin": ALL, "manager": ALL, "station_head": "scex", "everyone": "s"},
    "categories": {"it_admin": ALL, "manager": ALL, "everyone": "s"},
    # Visits
    "visits": {
        "it_admin": "sax",
        "manager": "sceax",
        "director": "sx",
        "station_head": "sceax",
        "front_desk": "scax",
        "steward": "sca",
    },
    "route": {"everyone": "sa"},
    # Reports
    "reports": {
        "it_admin": "sx",
        "manager": "sax",
        "director": "sax",
        "station_head": "sx",
        "department_lead": "s",
        "cashier": "s",
    },
    "targets": {"it_admin": ALL, "manager": ALL, "director": ALL},
    # Policies
    "policies": {"it_admin": "sceax", "manager": "sceax", "director": "sceax", "everyone": "s"},
    "paper_templates": {"it_admin": "sceax", "manager": "sceax", "everyone": "s"},
    "simulate": {"it_admin": "sa", "manager": "sa", "director": "sa"},
    "complaint_reports": {
        "it_admin": "sx",
        "manager": "sx",
        "director": "sx",
        "station_head": "sx",
        "department_lead": "s",
    },
    # Office
    "audit": {"it_admin": "sax", "manager": "sax", "director": "sx"},
    "job_runs": {"it_admin": "sx", "manager": "sx", "director": "s"},
    "jobs": {"it_admin": "sax", "manager": "sx", "director": "s"},
    "outbox": {"it_admin": "sax", "manager": "sax", "station_head": "sax"},
    "papers": {"it_admin": "sx", "manager": "sx", "cashier": "s", "station_head": "s"},
    "imports": {"it_admin": "sa", "manager": "sa", "cashier": "sa"},
}


def may(roles: Iterable[str], screen: str, verb: str) -> bool:
    """Whether these roles may `see`, `create`, `edit`, `delete`, `act` on or `export` a screen."""
    row = SCREENS.get(screen, {})
    letter = LETTERS[verb]
    if any(letter in row.get(role, "") for role in (*roles, "everyone")):
        return True
    return letter == "s" and "it_admin" in roles


def may_see(screen: str, verb: str = "see") -> bool:
    """Whether the signed-in person may open a screen that exists, or do that verb there; for links."""
    staff = staff_if_signed_in()
    return (
        staff is not None
        and may(staff.roles, screen, verb)
        and any(name.startswith(f"{screen}.") for name in current_app.view_functions)
    )
