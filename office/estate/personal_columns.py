"""What an erasure does with each text column of the database: the register of personal data (P3, F23).

Every column that can hold text stands here once; a test fails for one that does not. What is none of a
person's is `plain`: codes that the program chooses, numbers of papers and receipts, what is said of the
estate or its staff.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from sqlalchemy import JSON, LargeBinary, String, Table
from sqlalchemy.types import TypeEngine

from models.secrets import Sealed
from models.text_keys import is_derived


@dataclass(frozen=True)
class Columns:
    """The text columns of one table, by what happens to them on rows that belong to an erased person.

    `emptied`: the text goes. `scrubbed`: the row is not theirs alone, so that only what names them goes.
    `expiring`: goes by itself after the policy's days. `plain`: names nobody and stays.
    """

    emptied: str = ""
    scrubbed: str = ""
    expiring: str = ""
    plain: str = ""

    def named(self) -> list[str]:
        """All the columns, in no order."""
        return f"{self.emptied} {self.scrubbed} {self.expiring} {self.plain}".split()


NAMES = "name_en name_zh_hans name_zh_hant"
COLUMNS: Mapping[str, Columns] = {
    "allocation": Columns(plain="part"),
    "area": Columns(plain="name"),
    "arrears_notice": Columns(plain="reason place"),
    "attachment": Columns(emptied="file_name content", plain="key media_type"),
    "audit": Columns(emptied="changes", plain="action table_name"),
    "billing_run": Columns(plain="period state unbilled"),
    "building": Columns(plain="name"),
    "calendar_day": Columns(plain="note"),
    "case_entry": Columns(scrubbed="title what_happened what_was_done lesson"),
    "category": Columns(plain=f"code {NAMES}"),
    "cheque": Columns(plain="number bank state"),
    "clock_pause": Columns(emptied="reason", plain="waiting_for"),
    "collection_code": Columns(plain="way picture"),
    "complainant": Columns(emptied="name phone"),
    "contact": Columns(emptied="spoke_with outcome note", plain="method arrears_reason promise_state"),
    "counter": Columns(plain="series"),
    "credit_note": Columns(emptied="reason", plain="number kind"),
    "day_close_line": Columns(plain="method reason"),
    "day_reopening": Columns(plain="reason state"),
    "debit_mandate": Columns(emptied="bank account account_name"),
    "department": Columns(plain=f"code email {NAMES}"),
    "deferred_income": Columns(plain="month"),
    "deposit": Columns(emptied="reason", plain="number entry"),
    "desk_hint": Columns(scrubbed="words", plain="kind"),
    "direct_debit": Columns(emptied="account account_name bank_reason", plain="unit_code bank state"),
    "direct_debit_batch": Columns(plain="number period layout state"),
    "escalation": Columns(plain="clock to_role reason"),
    "estate": Columns(
        plain="name name_zh_hant name_en address address_zh_hant address_en phone time_zone currency "
        "language word_set preset company_name company_name_zh_hant company_name_en registration_no "
        "registered_address registered_address_zh_hant registered_address_en legal_representative licence "
        "contract_name contract_name_zh_hant contract_name_en contract_number clause_fees clause_late_fees "
        "clause_restrictions fee_scheme service_level service_level_zh_hant service_level_en "
        "complaint_numbers complaint_numbers_zh_hant complaint_numbers_en payment_accounts "
        "payment_accounts_zh_hant payment_accounts_en ways_to_pay "
        "ways_to_pay_zh_hant ways_to_pay_en public_address key_proof moved_to"
    ),
    "fee_item": Columns(
        plain=f"code basis timing services services_zh_hant services_en anchor rounding "
        f"rounding_mode payer price_kind {NAMES}"
    ),
    "figures_collected": Columns(plain="period unit_kind"),
    "figures_item": Columns(plain="period"),
    "figures_owed": Columns(plain="period unit_kind"),
    "figures_stale": Columns(plain="period"),
    "figures_year": Columns(plain="bills_year year"),
    "import_mapping": Columns(plain="kind name headers said sheet"),
    "incentive": Columns(plain=f"gift {NAMES}"),
    "incentive_grant": Columns(plain="explanation"),
    "incident": Columns(
        scrubbed="title staff_words residents_words residents_words_zh_hant residents_words_en resolution",
        plain="number scope scope_value raised_to",
    ),
    "instalment": Columns(plain="state"),
    "instalment_plan": Columns(emptied="reason", plain="state"),
    "invalid_request": Columns(emptied="reason", plain="ground"),
    "invoice": Columns(plain="number kind part period state stage"),
    "invoice_line": Columns(plain="explanation"),
    "item_rate": Columns(scrubbed="reason", plain="scope tag unit_kind"),
    "job_run": Columns(plain="job state claimed_by result error"),
    "ladder_hold": Columns(emptied="reason"),
    "late_fee_waiver": Columns(emptied="reason"),
    "ledger_account": Columns(plain="use method target account account_name auxiliary"),
    "legal_case": Columns(emptied="result", plain="state missing letter_batch filing_batch"),
    "list_setting": Columns(plain="screen device columns widths density start"),
    "message": Columns(emptied="address subject body error", plain="key channel language state claimed_by"),
    "meter": Columns(plain="code"),
    "meter_reading": Columns(plain="kind"),
    "occupancy": Columns(plain="kind"),
    "pool": Columns(
        scrubbed="note", plain="period scope scope_value place key vacant unsold developer state"
    ),
    "take_back": Columns(scrubbed="reason", plain="period scope scope_value unit_kind left_out state"),
    "opening_text": Columns(plain="arrears_reason language text"),
    "owner": Columns(
        emptied="name pinyin_initials email chat_id post_address id_number id_number_mac quiet_from quiet_to "
        "tags note",
        plain="kind preferred_channel language",
    ),
    "owner_phone": Columns(emptied="number number_mac label"),
    "paper": Columns(emptied="contents sha256", plain="kind number language"),
    "paper_setting": Columns(plain="sha256 estate texts"),
    "paper_template": Columns(plain="paper language blocks"),
    "payer_account": Columns(emptied="account account_mac account_name"),
    "payment": Columns(
        emptied="note reason", scrubbed="reference", plain="receipt_no series kind method state form_key"
    ),
    "policy_version": Columns(plain="policy rows reason"),
    "recovery_code": Columns(plain="code_mac"),
    "reminder": Columns(emptied="reason", plain="stage channel state reason_code why"),
    "reminder_batch": Columns(plain="number stage state"),
    "rent_change": Columns(scrubbed="reason"),
    "rent_contract": Columns(scrubbed="note", plain="number"),
    "report_count": Columns(plain="report period figures"),
    "restriction": Columns(emptied="reason", plain="contract_clause state undertaking_state"),
    "retention_removal": Columns(plain="kind number"),
    "review_meeting": Columns(emptied="cause correction prevention attended"),
    "saved_view": Columns(emptied="name query", plain="screen mail_every"),
    "sent_form": Columns(plain="key"),
    "service_slip": Columns(emptied="signed_by note", plain="slip_no state"),
    "sign_in_attempt": Columns(expiring="source"),
    "staff": Columns(plain="login name password_hash email phone alert_url language theme totp_secret"),
    "staff_role": Columns(plain="role"),
    "statement_layout": Columns(plain="name header columns method"),
    "statement_row": Columns(
        emptied="memo payer_name counter_account reason reason_before",
        plain="source transaction_id method number account status state",
    ),
    "tariff": Columns(plain="unit_kind tiers tier_span"),
    "task": Columns(scrubbed="result file_name", plain="kind state"),
    "ticket": Columns(
        emptied="place statement wish present resolution",
        plain="number channel severity severity_reason claimed_facts form_key state outcome",
    ),
    "ticket_clock": Columns(plain="clock state rule"),
    "ticket_event": Columns(emptied="reason note", plain="verb"),
    "vehicle": Columns(emptied="plate note"),
    "unit": Columns(scrubbed="note", plain="code kind state tags"),
    "vacancy": Columns(scrubbed="proof", plain="state"),
    "visit": Columns(emptied="met words", plain="number kind assignee_role method outcome reason"),
    "voucher": Columns(plain="number period kind reason"),
    "voucher_line": Columns(plain="use account account_name"),
    "voucher_source": Columns(plain="source"),
    "waiver_request": Columns(emptied="reason", plain="state"),
    "kept_form": Columns(expiring="sent", plain="key_hash"),
    "web_session": Columns(expiring="data", plain="key_hash csrf_secret"),
    "work_slip": Columns(emptied="task plan", plain="number"),
}


def holds_text(kind: TypeEngine[object]) -> bool:
    """Whether a column of this type can hold words."""
    return isinstance(kind, String | Sealed | JSON | LargeBinary)


def text_columns(table: Table) -> Iterator[str]:
    """The columns of a table that can hold words; another form of a column follows that column."""
    for column in table.columns:
        if holds_text(column.type) and not is_derived(column):
            yield column.name
