"""Examples of the papers of the service desk and of restrictions, for the preview of their templates."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal

from office.documents.pdf import collection, payments, service_papers
from office.documents.pdf.values import Recipient

_AT = datetime(2026, 2, 10, 2, 20, tzinfo=UTC)
_STATEMENT = "电梯轿厢异响，已持续三天。"

VALUES: Mapping[
    str,
    payments.DepositRefund
    | collection.RestrictionList
    | service_papers.ResidentSlip
    | service_papers.WrittenReply
    | service_papers.ReviewMinutes
    | service_papers.VisitSheet
    | service_papers.ServiceSlip,
] = {
    "deposit_refund": payments.DepositRefund(
        number="YJ2026-0023",
        paid_on=date(2026, 3, 2),
        recipient=Recipient("王晓明", "3-2-1201"),
        deposit_kind="装修押金",
        amount=Decimal("2000.00"),
        taken_number="YJ2026-0011",
        taken_on=date(2026, 1, 8),
        reason="装修完工，验收合格",
        cashier="周敏",
    ),
    "restriction_list": collection.RestrictionList(
        date(2026, 3, 2),
        (
            collection.RestrictedService("3-2-1201", "空调加时", date(2026, 2, 5), date(2026, 5, 5)),
            collection.RestrictedService("5-1-0302", "代办保洁", date(2026, 2, 20), date(2026, 5, 20)),
        ),
    ),
    "resident_slip": service_papers.ResidentSlip(
        number="TS2026-000087",
        registered_at=_AT,
        category="equipment",
        statement=_STATEMENT,
        department="工程部",
        unit_code="3-2-1201",
        first_word_by=datetime(2026, 2, 11, 2, 20, tzinfo=UTC),
        solved_by=datetime(2026, 2, 12, 10, 0, tzinfo=UTC),
    ),
    "written_reply": service_papers.WrittenReply(
        number="TS2026-000087",
        issued_on=date(2026, 2, 13),
        registered_at=_AT,
        statement=_STATEMENT,
        answer="已更换导靴并调整轿厢平衡，运行三天无异响。",
        unit_code="3-2-1201",
        to="王晓明",
    ),
    "review_minutes": service_papers.ReviewMinutes(
        number="TS2026-000087-3",
        ticket_number="TS2026-000087",
        held_at=datetime(2026, 2, 13, 6, 0, tzinfo=UTC),
        category="equipment",
        statement=_STATEMENT,
        cause="导靴磨损，月度保养未发现",
        correction="更换导靴，复核全部电梯",
        prevention="保养清单增加导靴检查项",
        attended="陈立、李芳、赵工",
    ),
    "visit_sheet": service_papers.VisitSheet(
        number="HF2026-000041",
        kind="follow_up",
        planned_from=datetime(2026, 2, 13, 1, 0, tzinfo=UTC),
        due_at=datetime(2026, 2, 14, 10, 0, tzinfo=UTC),
        role="station_head",
        visitor="李芳",
        ticket_number="TS2026-000087",
        unit_code="3-2-1201",
        category="equipment",
        done_at=datetime(2026, 2, 13, 8, 30, tzinfo=UTC),
        method="door",
        met="王晓明",
        satisfaction=4,
        words="处理及时。",
    ),
    "service_slip": service_papers.ServiceSlip(
        number="FW-0231",
        used_on=date(2026, 2, 9),
        unit_code="3-2-1201",
        service="维修",
        quantity=Decimal(1),
        amount=Decimal("85.00"),
        work="更换厨房水龙头一个",
        signed_by="王晓明",
    ),
}
