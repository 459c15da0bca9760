"""The codes that both policies and rows hold; `models` makes its check constraints of the same ones."""

from __future__ import annotations

from typing import Literal

Role = Literal[
    "front_desk",
    "steward",
    "cashier",
    "department_lead",
    "station_head",
    "manager",
    "director",
    "it_admin",
]
Severity = Literal["minor", "major", "simple", "complex", "urgent", "important", "normal"]
ClockName = Literal[
    "acknowledge",
    "on_site",
    "report_manager",
    "department_plan",
    "first_word",
    "solve",
    "written_answer",
    "follow_up",
]
UnitKind = Literal["residence", "office", "shop", "parking", "storage"]
VisitKind = Literal["follow_up", "repair", "collection", "courtesy"]
SendingChannel = Literal["email", "sms", "wecom", "print"]
ContactMethod = Literal["phone", "message", "visit"]
WordSet = Literal["mainland", "hong_kong", "taiwan"]  # whose words papers use
FeeScheme = Literal["lump_sum", "commission"]  # 包干制, 酬金制: whose surplus and deficit
PriceKind = Literal["market", "guided", "regulated"]  # agreed; within the government's limits; set by it
CreditKind = Literal["error", "goodwill"]  # never owed; owed, and given up
CodeToPay = Literal["wechat", "alipay", "combined", "unionpay", "fps", "line_pay", "twqr"]
