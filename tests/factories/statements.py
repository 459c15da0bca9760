"""Lines of statements as WeChat Pay and Alipay write them."""

from __future__ import annotations

from collections.abc import Sequence

from tests.factories.spreadsheets import names

WECHAT = names(
    "交易时间 公众账号ID 商户号 特约商户号 设备号 微信订单号 商户订单号 用户标识 交易类型 交易状态 付款银行 "
    "货币种类 应结订单金额 代金券金额 微信退款单号 商户退款单号 退款金额 充值券退款金额 退款类型 退款状态 "
    "商品名称 商户数据包 手续费 费率 订单金额 申请退款金额 费率备注"
)
ALIPAY = names(
    "支付宝交易号 商户订单号 业务类型 商品名称 创建时间 完成时间 门店编号 门店名称 操作员 终端号 对方账户 "
    "订单金额（元） 商家实收（元） 支付宝红包（元） 集分宝（元） 支付宝优惠（元） 商家优惠（元） "
    "券核销金额（元） "
    "券名称 商家红包消费金额（元） 卡消费金额（元） 退款批次号/请求号 服务费（元） 分润（元） 备注"
)


def statement_line(header: Sequence[str], **values: str) -> list[str]:
    return [values.get(name, "") for name in header]


def wechat_line(number: str, amount: str, memo: str, state: str = "SUCCESS", **more: str) -> list[str]:
    values = {
        "交易时间": "2026-07-05 10:00:00",
        "微信订单号": number,
        "交易状态": state,
        "应结订单金额": "1.00",
        "订单金额": amount,
        "商品名称": memo,
        "手续费": "0.60000",
        "退款金额": "0.00",
        "申请退款金额": "0.00",
        **more,
    }
    return [f"`{value}" for value in statement_line(WECHAT, **values)]
