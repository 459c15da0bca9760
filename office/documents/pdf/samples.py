"""One example of each document, for the preview of a template that someone is editing."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

from office.documents.pdf import (
    account_samples,
    billing,
    collection,
    complaints,
    payments,
    reports,
    service_samples,
)
from office.documents.pdf.registry import Value
from office.documents.pdf.values import (
    ChargeLine,
    DebtLine,
    EstateDetails,
    OwnersContract,
    PastReminder,
    Recipient,
)

PRINTED_AT = datetime(2026, 3, 2, 1, 30, tzinfo=UTC)
ESTATE = EstateDetails(
    name="翠湖花园物业服务中心",
    time_zone="Asia/Shanghai",
    address="滨湖路 88 号翠湖花园会所一层",
    phone="021-5555 0100",
    office_hours="09:00–12:00, 13:30–18:00",
    ways_to_pay=(
        "微信支付 / 支付宝：扫描前台收款码",
        "银行转账：翠湖物业服务有限公司　工商银行滨湖支行　1001 2345 6789 0123 456",
        "服务中心前台：现金、刷卡",
    ),
    company_name="翠湖物业服务有限公司",
    registration_no="91310000MA1FL5E91N",
    registered_address="示例市示例区注册路 99 号 1203 室",
    legal_representative="王远航",
    licence="物业服务企业备案 2020-0118",
    contract=OwnersContract(
        "前期物业服务合同", "CH-2019-07", date(2019, 7, 1), "第十二条", "第十五条", "第十八条"
    ),
)
_TO = Recipient("王晓明", "3-2-1201", "滨湖路 88 号 3 栋 2 单元 1201 室")
_DEBTS = (
    DebtLine("TZ2025-12-000118", "2025-12", date(2025, 12, 15), Decimal("246.75"), Decimal("9.62")),
    DebtLine("TZ2026-01-000117", "2026-01", date(2026, 1, 15), Decimal("246.75"), Decimal("5.80")),
    DebtLine("TZ2026-02-000121", "2026-02", date(2026, 2, 15), Decimal("186.20"), Decimal("1.40")),
)
_DEMAND = collection.Demand(
    "CF2026-000031",
    date(2026, 3, 2),
    date(2026, 3, 10),
    _TO,
    _DEBTS,
    "李芳",
    "021-5555 0103",
    reminded=(PastReminder(date(2026, 2, 5), "email"), PastReminder(date(2026, 2, 24), "phone")),
)
_AT = datetime(2026, 2, 10, 2, 20, tzinfo=UTC)

VALUES: dict[str, Value] = {
    **account_samples.VALUES,
    **service_samples.VALUES,
    "payment_notice": billing.PaymentNotice(
        number="TZ2026-03-000117",
        period="2026-03",
        issued_on=date(2026, 3, 1),
        due_on=date(2026, 3, 15),
        recipient=_TO,
        lines=(
            ChargeLine(
                "物业费",
                Decimal("246.75"),
                Decimal("98.70"),
                Decimal("2.50"),
                "㎡",
                "98.70 ㎡ × 2.50 元/㎡·月",
            ),
            ChargeLine(
                "水费",
                Decimal("41.40"),
                Decimal(12),
                Decimal("3.45"),
                "m³",
                "2 月：读数 318 − 306 = 12 m³，第一阶梯",
            ),
            ChargeLine(
                "空调加时", Decimal("60.00"), Decimal(2), Decimal("30.00"), "h", "服务单 FW-0231、FW-0240"
            ),
        ),
        amount=Decimal("348.15"),
        previous_balance=Decimal("186.20"),
        credit_used=Decimal("50.00"),
    ),
    "move_in_bill": billing.MoveInBill(
        number="RH2026-0007",
        issued_on=date(2026, 3, 1),
        due_on=date(2026, 3, 8),
        handed_over_on=date(2026, 3, 1),
        recipient=_TO,
        unit_kind="residence",
        area_m2=Decimal("98.70"),
        lines=(
            billing.MoveInLine("物业费（首期）", "98.70 ㎡ × 2.50 元 × 3 个月", Decimal("740.25")),
            billing.MoveInLine("水电周转金", "每户 300.00 元", Decimal("300.00"), is_refundable=True),
            billing.MoveInLine("专项维修资金", "98.70 ㎡ × 80.00 元", Decimal("7896.00")),
            billing.MoveInLine("装修押金", "每户 2,000.00 元", Decimal("2000.00"), is_refundable=True),
        ),
    ),
    "credit_note": billing.CreditNote(
        number="CJ2026-0004",
        issued_on=date(2026, 3, 2),
        recipient=_TO,
        invoice_number="TZ2026-02-000121",
        period="2026-02",
        amount=Decimal("60.55"),
        reason="水表读数录入有误，按复核读数冲减",
        lines=(ChargeLine("水费", Decimal("60.55"), explanation="原读数 336，复核读数 318"),),
        approved_by="陈立",
        kind="error",
    ),
    "tariff_notice": billing.TariffNotice(
        posted_on=date(2026, 3, 1),
        valid_from=date(2026, 4, 1),
        rows=(
            billing.TariffRow(
                "物业费",
                "residence",
                Decimal("2.50"),
                "元/㎡·月",
                "公共区域的维修养护、保洁、绿化、秩序维护和客户服务",
            ),
            billing.TariffRow("物业费", "shop", Decimal("8.00"), "元/㎡·月", "同上，另含垃圾清运和门前清扫"),
            billing.TariffRow("车位管理费", "parking", Decimal("80.00"), "元/个·月", "车库照明、清洁和巡查"),
            billing.TariffRow(
                "空调加时", "office", Decimal("60.00"), "元/小时", "工作时间以外的中央空调供应"
            ),
        ),
        balances=(
            billing.Balance("物业费收入", income=Decimal("2864300.00")),
            billing.Balance("公共收益", income=Decimal("186420.50")),
            billing.Balance("员工薪酬", expense=Decimal("1742600.00")),
            billing.Balance("设施设备维护", expense=Decimal("638915.40")),
            billing.Balance("保洁与绿化", expense=Decimal("412300.00")),
        ),
    ),
    "receipt": payments.Receipt(
        number="SJ2026-000412",
        paid_on=date(2026, 3, 2),
        recipient=_TO,
        method="wechat",
        amount=Decimal("1680.32"),
        lines=(
            payments.ReceiptLine(
                "3-2-1201",
                Decimal("256.37"),
                "TZ2025-12-000118",
                "2025-12",
                "物业费",
                date(2025, 12, 1),
                date(2025, 12, 31),
                Decimal("100.54"),
                Decimal("2.55"),
            ),
            payments.ReceiptLine(
                "3-2-1201",
                Decimal("252.55"),
                "TZ2026-01-000117",
                "2026-01",
                "物业费",
                date(2026, 1, 1),
                date(2026, 1, 31),
                Decimal("100.54"),
                Decimal("2.55"),
            ),
            payments.ReceiptLine("3-2-1201", Decimal("1171.40")),
        ),
        cashier="周敏",
        reference="4200002587202603021234567890",
    ),
    "deposit_slip": payments.DepositSlip(
        number="YJ2026-0011",
        received_on=date(2026, 3, 2),
        recipient=_TO,
        deposit_kind="装修押金",
        method="card",
        amount=Decimal("2000.00"),
        cashier="周敏",
    ),
    "payment_reminder": _DEMAND,
    "demand": _DEMAND,
    "final_letter": _DEMAND,
    "restriction_notice": collection.RestrictionNotice(
        number="XZ2026-0002",
        issued_on=date(2026, 3, 3),
        recipient=_TO,
        debts=_DEBTS,
        services=(
            collection.OptionalService("overtime_ac", "空调加时", "《空调加时服务协议》第 6 条"),
            collection.OptionalService("paid_cleaning", "有偿保洁", "《有偿保洁服务协议》第 4 条"),
        ),
        effective_on=date(2026, 3, 5),
        ends_on=date(2026, 6, 5),
        approvals=(
            collection.Consent("station_head", "赵强", date(2026, 3, 3)),
            collection.Consent("manager", "陈立", date(2026, 3, 3)),
        ),
    ),
    "lawyer_letter": collection.LawyerLetter(
        number="（2026）衡律函字第 018 号",
        issued_on=date(2026, 3, 16),
        deadline_on=date(2026, 3, 31),
        recipient=_TO,
        debts=_DEBTS,
        firm_name="上海衡和律师事务所",
        firm_lines=("浦东新区世纪大道 1200 号 18 层", "021-5555 0188"),
        lawyer_name="孙睿",
        licence_no="13101201512345678",
        contract="《前期物业服务合同》第十二条",
    ),
    "undertaking": collection.Undertaking(
        number="CN2026-0003",
        signed_on=date(2026, 3, 6),
        recipient=_TO,
        amount=Decimal("696.52"),
        payments=(
            collection.PromisedPayment(date(2026, 3, 20), Decimal("350.00")),
            collection.PromisedPayment(date(2026, 4, 20), Decimal("346.52")),
        ),
        services=("空调加时",),
        ends_on=date(2026, 4, 30),
    ),
    "arrears_notice": collection.ArrearsNotice(
        number="GS2026-0001",
        posted_on=date(2026, 3, 2),
        until_on=date(2026, 3, 16),
        place="3 栋大堂公告栏",
        reason="业主大会决议第 5 项",
        approved_by="吴敏",
        unit_codes=("3-1-0302", "3-1-0901", "3-2-0501", "3-2-1201", "3-2-1602", "3-3-0203", "3-3-1104"),
    ),
    "collection_rates": collection.CollectionRates(
        period="2026-02",
        posted_on=date(2026, 3, 2),
        rows=(
            collection.BuildingRate("1 栋", 312, 201, Decimal("64.4"), Decimal("66.8")),
            collection.BuildingRate("2 栋", 318, 196, Decimal("61.6"), Decimal("60.2")),
            collection.BuildingRate("3 栋", 313, 193, Decimal("61.7"), Decimal("63.0")),
        ),
    ),
    "work_contact_slip": complaints.WorkContactSlip(
        number="LX2026-0019",
        ticket_number="TS2026-000087",
        issued_at=_AT,
        from_department="客户服务部",
        to_department="工程部",
        subject="3 栋 2 单元电梯异响",
        requested="请于今日安排维保单位到场检查，查明异响原因，给出处理方案和完成时间，并在停梯检修前张贴通知。",
        reply_by=datetime(2026, 2, 11, 10, 0, tzinfo=UTC),
        unit_code="3-2-1201",
    ),
    "complaint_form": complaints.ComplaintForm(
        number="TS2026-000087",
        registered_at=_AT,
        channel="phone",
        category="equipment",
        severity="major",
        statement="近一周 3 栋 2 单元 1 号电梯有明显异响，昨晚 21 时许在 8 层停顿约一分钟，三户住户被困。",
        complainant="王晓明",
        contact="138****0001",
        unit_code="3-2-1201",
        severity_reason="三户以上共同投诉",
        asked_for="尽快检修，公布检修结果。",
        lead_department="工程部",
        support_departments=("客户服务部", "秩序维护部"),
        deadline=datetime(2026, 2, 10, 14, 20, tzinfo=UTC),
        plan="当日 14:00 维保单位到场检修，期间开放 2 号电梯。",
        result="更换导靴并调整限速器，试运行两小时正常，检修报告已张贴。",
        resolved_at=datetime(2026, 2, 10, 9, 40, tzinfo=UTC),
        follow_ups=(
            complaints.FollowUp(
                datetime(2026, 2, 11, 10, 30, tzinfo=UTC), "door", 4, "运行平稳，希望定期公布维保记录。"
            ),
        ),
        review=complaints.Review(
            datetime(2026, 2, 12, 2, 0, tzinfo=UTC),
            "导靴磨损超限，月度巡检漏记。",
            "更换导靴，补做全部电梯专项检查。",
            "巡检表增加导靴间隙一项，由站长每月抽查。",
            "陈立、赵强、工程部、维保单位",
        ),
    ),
    "invalid_closure": complaints.InvalidClosure(
        ticket_number="TS2026-000091",
        registered_at=_AT,
        category="outside",
        statement="小区北门外市政道路夜间施工噪声扰民。",
        ground="not_in_our_power",
        findings="施工路段属市政道路，已向街道及城管部门转达，施工单位持有夜间施工许可。",
        requested_by="周敏",
        requested_at=datetime(2026, 2, 11, 3, 0, tzinfo=UTC),
        unit_code="1-1-0602",
    ),
    "monthly_complaints": reports.MonthlyComplaints(
        period="2026-02",
        made_on=date(2026, 3, 1),
        rows=(
            reports.ComplaintRow(
                "TS2026-000087",
                _AT,
                "3-2-1201",
                "equipment",
                "major",
                "电梯异响并短时困人，三户共同投诉。",
                "工程部",
                "更换导靴，试运行正常。",
                datetime(2026, 2, 10, 9, 40, tzinfo=UTC),
                is_on_time=True,
                satisfaction=4,
            ),
            reports.ComplaintRow(
                "TS2026-000089",
                datetime(2026, 2, 12, 1, 5, tzinfo=UTC),
                "1-1-0903",
                "cleaning",
                "simple",
                "楼道垃圾未及时清运。",
                "环境部",
                "当日清运，增加午间巡查。",
                datetime(2026, 2, 12, 6, 0, tzinfo=UTC),
                is_on_time=True,
                satisfaction=5,
            ),
            reports.ComplaintRow(
                "TS2026-000093",
                datetime(2026, 2, 20, 7, 45, tzinfo=UTC),
                "2-3-0401",
                "customer_service",
                "complex",
                "前台人员态度生硬，对账单问题答复前后不一。",
                "客户服务部",
                "已致歉并复核账单，安排专项培训。",
            ),
        ),
    ),
    "report_sheet": reports.ReportSheet(
        name="按片区和楼栋的收缴率",
        scope="2026年3月",
        made_on=date(2026, 3, 2),
        tables=(
            reports.SheetTable(
                "按片区和楼栋的收缴率",
                (
                    reports.SheetColumn("片区"),
                    reports.SheetColumn("楼栋"),
                    reports.SheetColumn("应收", is_number=True),
                    reports.SheetColumn("已收", is_number=True),
                    reports.SheetColumn("金额收缴率", is_number=True),
                ),
                (
                    reports.SheetRow(("东区", "1", "12,000.00", "9,000.00", "75.0%")),
                    reports.SheetRow(("东区", "合计", "12,000.00", "9,000.00", "75.0%")),
                ),
                sums=1,
                notes=("按金额：已收本金÷应收（扣除冲减）。",),
            ),
        ),
    ),
    "weekly_meeting": reports.WeeklyMeeting(
        week_from=date(2026, 3, 2),
        week_to=date(2026, 3, 8),
        stewards=(
            reports.StewardRow(
                "李芳", "A 片区", Decimal("96000.00"), Decimal("61240.50"), Decimal("106700.00")
            ),
            reports.StewardRow(
                "何俊", "B 片区", Decimal("88000.00"), Decimal("70312.00"), Decimal("97800.00")
            ),
        ),
        escalated=(
            reports.EscalatedRow(
                "TS2026-000093",
                "2-3-0401",
                "customer_service",
                2,
                "客户服务部",
                datetime(2026, 2, 24, 10, 0, tzinfo=UTC),
                "前台人员态度生硬，对账单问题答复前后不一。",
            ),
        ),
        promises=(reports.PromiseRow("3-2-1201", "王晓明", date(2026, 3, 6), Decimal("350.00"), "李芳"),),
    ),
}
