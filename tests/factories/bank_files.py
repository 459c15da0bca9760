"""Statements as banks and payment services write them: real headers, rows of our own (R1).

What each header's cells hold is written here by hand, apart from the program's own list of headers.
"""

# ruff: noqa: E501, E731 -- a table of cells
from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal


@dataclass(frozen=True)
class Told:
    """One movement of money as it was; `amount` in yuan, below zero when it went out; office time."""

    at: datetime
    amount: Decimal
    payer: str
    counter_account: str
    memo: str
    number: str
    balance: Decimal

    @property
    def came(self) -> str:
        return f"{self.amount:.2f}" if self.amount > 0 else ""

    @property
    def went(self) -> str:
        return f"{-self.amount:.2f}" if self.amount < 0 else ""


Cell = Callable[[Told], str]
DAY: Cell = lambda one: one.at.strftime("%Y-%m-%d")
DIGITS: Cell = lambda one: one.at.strftime("%Y%m%d")
TIME: Cell = lambda one: one.at.strftime("%H:%M:%S")
INSTANT: Cell = lambda one: one.at.strftime("%Y-%m-%d %H:%M:%S")
CAME: Cell = lambda one: one.came
WENT: Cell = lambda one: one.went
CAME_0: Cell = lambda one: one.came or "0.00"
WENT_0: Cell = lambda one: one.went or "0.00"
SIGNED: Cell = lambda one: f"{one.amount:,.2f}"
UNSIGNED: Cell = lambda one: f"{abs(one.amount):.2f}"
MEMO: Cell = lambda one: one.memo
PAYER: Cell = lambda one: one.payer
COUNTER: Cell = lambda one: one.counter_account
NUMBER: Cell = lambda one: one.number
BALANCE: Cell = lambda one: f"{one.balance:.2f}"
OURS = "某物业"


def said(text: str) -> Cell:
    return lambda _one: text


def by_way(came: str, went: str) -> Cell:
    return lambda one: came if one.amount > 0 else went


@dataclass(frozen=True)
class BankFile:
    """One bank's export: lines above the table, its header with what each cell holds, lines below it."""

    cells: dict[str, Cell]
    above: Sequence[Sequence[str]] = ()
    below: Sequence[Sequence[str]] = ()
    lacks: frozenset[str] = frozenset()  # what the file does not tell of a movement
    is_latest_first: bool = False

    @property
    def header(self) -> list[str]:
        return list(self.cells)

    def rows(self, told: Sequence[Told]) -> list[list[str]]:
        ordered = list(reversed(told)) if self.is_latest_first else told
        return [[cell(one) for cell in self.cells.values()] for one in ordered]

    def lines(self, told: Sequence[Told]) -> list[list[str]]:
        return [*map(list, self.above), self.header, *self.rows(told), *map(list, self.below)]


def lacking(*names: str) -> frozenset[str]:
    return frozenset(names)


FILES: dict[str, BankFile] = {
    "icbc": BankFile(
        {
            "凭证号": said("0"), "本方账号": said("1202000000001"), "对方账号": COUNTER, "交易时间": INSTANT,
            "借/贷": by_way("贷", "借"), "借方发生额": WENT_0, "贷方发生额": CAME_0, "对方行号": said("102"),
            "摘要": said("转账"), "用途": MEMO, "对方单位名称": PAYER, "余额": BALANCE, "个性化信息": said(""),
        },
        above=[["[HISTORYDETAIL]"]], lacks=lacking("number"),
    ),
    "icbc-personal": BankFile(
        {
            "交易日期": DAY, "摘要": said("转账"), "交易详情": MEMO, "交易场所": said("网上银行"),
            "交易国家或地区简称": said("CHN"), "钞/汇": said("钞"), "交易金额(收入)": CAME, "交易金额(支出)": WENT,
            "交易币种": said("人民币"), "记账金额(收入)": CAME, "记账金额(支出)": WENT, "记账币种": said("人民币"),
            "余额": BALANCE, "对方户名": PAYER, "对方账户": COUNTER,
        },
        above=[["明细查询文件下载"], ["卡号: 6222****0001"]], lacks=lacking("number", "time"),
    ),
    "icbc-flow": BankFile(
        {
            "交易日期": INSTANT, "帐号": said("1202000000001"), "储种": said("活期"), "序号": said("00000"),
            "币种": said("人民币"), "钞汇": said("钞"), "摘要": MEMO, "地区": said("0200"), "收入/支出金额": SIGNED,
            "余额": BALANCE, "对方户名": PAYER, "对方帐号": COUNTER, "渠道": said("网上银行"),
        },
        lacks=lacking("number"),
    ),
    "abc": BankFile(
        {
            "交易时间": INSTANT, "收入金额": CAME, "支出金额": WENT, "账户余额": BALANCE, "对方账号": COUNTER,
            "对方户名": PAYER, "对方开户行": said("某行"), "摘要": said("转账"), "交易用途": MEMO,
        },
        above=[["账户交易明细"], ["账号:10-545600000001,户名:某物业"]],
        below=[["2 收", "650.00"], ["1 支", "2,100.00"]], lacks=lacking("number"),
    ),
    "abc-personal": BankFile(
        {
            "交易日期": DIGITS, "交易时间": TIME, "交易摘要": said("转账"),
            "交易金额": lambda one: f"{one.amount:+.2f}", "本次余额": BALANCE, "对手信息": PAYER,
            "日 志 号": NUMBER, "交易渠道": said("掌银"), "交易附言": MEMO,
        },
        lacks=lacking("counter_account"),
    ),
    "boc": BankFile(
        {
            "交易类型[ Transaction Type ]": by_way("来账", "往账"), "业务类型[ Business type ]": said("小额"),
            "付款人开户行名[ Payer account bank ]": said("某行"),
            "付款人账号[ Debit Account No. ]": lambda one: one.counter_account if one.amount > 0 else "2325",
            "付款人名称[ Payer's Name ]": lambda one: one.payer if one.amount > 0 else OURS,
            "收款人账号[ Payee's Account Number ]": lambda one: "2325" if one.amount > 0 else one.counter_account,
            "收款人名称[ Payee's Name ]": lambda one: OURS if one.amount > 0 else one.payer,
            "交易日期[ Transaction Date ]": DIGITS, "交易时间[ Transaction time ]": TIME,
            "交易货币[ Trade Currency ]": said("CNY"), "交易金额[ Trade Amount ]": UNSIGNED,
            "交易后余额[ After-transaction balance ]": BALANCE, "起息日期[ Value Date ]": DIGITS,
            "交易流水号[ Transaction reference number ]": NUMBER, "摘要[ Reference ]": said(""),
            "交易附言[ Remark ]": MEMO, "备注[ Remarks ]": said(""),
        },
        above=[["查询账号[ Inquirer account number ]", "232500474807"]],
    ),
    "boc-personal": BankFile(
        {
            "记账日期": DAY, "记账时间": TIME, "币别": said("人民币"), "金额": SIGNED, "余额": BALANCE,
            "交易名称": said("跨行转账"), "渠道": said("网上快捷"), "网点名称": said("-"), "附言": MEMO,
            "对方账户名": PAYER, "对方卡号/账号": COUNTER, "对方开户行": said("某行"), "借记卡号": said("6217****0001"),
        },
        lacks=lacking("number"),
    ),
    "ccb": BankFile(
        {
            "账号": said("3200000000001"), "账户名称": said(OURS), "交易时间": lambda one: one.at.strftime("%Y%m%d %H:%M:%S"),
            "借方发生额（支取）": WENT_0, "贷方发生额（收入）": CAME_0, "余额": BALANCE, "币种": said("人民币元"),
            "对方户名": PAYER, "对方账号": COUNTER, "对方开户机构": said("某行"), "记账日期": DIGITS, "摘要": said("电子汇入"),
            "备注": MEMO, "账户明细编号-交易流水号": NUMBER, "企业流水号": said(""), "凭证种类": said(""), "凭证号": said(""),
        },
    ),
    "ccb-personal": BankFile(
        {
            "序号": lambda one: str(one.at.day), "摘要": said("转账存入"), "币别": said("人民币元"), "钞汇": said("钞"),
            "交易日期": DIGITS, "交易金额": SIGNED, "账户余额": BALANCE, "交易地点/附言": MEMO,
            "对方账号与户名": lambda one: f"{one.counter_account}/{one.payer}",
        },
        lacks=lacking("number", "time"),
    ),
    "bocom": BankFile(
        {
            "序号": lambda one: str(one.at.day), "交易日期": DAY, "交易时间": TIME, "交易类型": said("转账"),
            "借贷": by_way("贷", "借"), "交易金额": UNSIGNED, "余额": BALANCE, "对方账号": COUNTER, "对方户名": PAYER,
            "交易地点": said("其他"), "摘要": MEMO,
        },
        lacks=lacking("number"),
    ),
    "psbc": BankFile(
        {
            "交易日期": DAY, "交易时间": TIME, "摘要": said("来账"), "收入金额": CAME, "支出金额": WENT, "余额": BALANCE,
            "对方户名": PAYER, "对方账号": COUNTER, "附言": MEMO, "交易流水号": NUMBER,
        },
    ),
    "cmb": BankFile(
        {
            "交易日": DIGITS, "交易时间": TIME, "起息日": DIGITS, "交易类型": said("转账"), "借方金额": WENT, "贷方金额": CAME,
            "余额": BALANCE, "摘要": MEMO, "流水号": NUMBER, "流程实例号": said(""), "业务名称": said("汇款"), "用途": said(""),
            "业务参考号": said(""), "业务摘要": said(""), "其它摘要": said(""), "收(付)方分行名": said("深圳"),
            "收(付)方名称": PAYER, "收(付)方帐号": COUNTER, "收(付)方开户行行号": said("308"), "收(付)方开户行名": said("某行"),
        },
        above=[["# 招商银行交易记录"], ["# 账号: [7559000000001] 户名: [某物业]"]], is_latest_first=True,
    ),
    "cmb-personal": BankFile(
        {
            "记账日期": DAY, "货币": said("CNY"), "交易金额": SIGNED, "联机余额": BALANCE, "交易摘要": said("转账汇款"),
            "对手信息": lambda one: f"{one.payer} {one.counter_account}", "客户摘要": MEMO,
        },
        lacks=lacking("number", "time"),
    ),
    "citic": BankFile(
        {
            "交易日期": DAY, "交易时间": TIME, "借方发生额": WENT, "贷方发生额": CAME, "账户余额": BALANCE, "对方账号": COUNTER,
            "对方账户名称": PAYER, "对方开户行名称": said("某行"), "摘要": MEMO, "柜员流水号": NUMBER,
        },
        is_latest_first=True,
    ),
    "ceb": BankFile(
        {
            "交易日期": DAY, "交易时间": TIME, "借方发生额": WENT, "贷方发生额": CAME, "账户余额": BALANCE, "对方账号": COUNTER,
            "对方名称": PAYER, "摘要": MEMO, "凭证号": said(""),
        },
        lacks=lacking("number"),
    ),
    "cmbc": BankFile(
        {
            "交易日期": DAY, "主机交易流水号": NUMBER, "借方发生额": WENT, "贷方发生额": CAME, "账户余额": BALANCE,
            "凭证号": said("00000000"), "摘要": MEMO, "对方账号": COUNTER, "对方账号名称": PAYER, "对方开户行": said("某行"),
            "交易时间": TIME,
        },
    ),
    "hxb": BankFile(
        {
            "交易日期": DAY, "交易时间": TIME, "借方发生额": WENT, "贷方发生额": CAME, "余额": BALANCE, "对方户名": PAYER,
            "对方账号": COUNTER, "摘要": MEMO,
        },
        lacks=lacking("number"), below=[["合计", "", "2100.00", "650.00"]],
    ),
    "pab": BankFile(
        {
            "交易日期": DAY, "账号": said("1100000000001"), "借": WENT, "贷": CAME, "账户余额": BALANCE, "对方账户": COUNTER,
            "对方账户名称": PAYER, "交易流水号": NUMBER, "摘要": said("转账"), "用途": MEMO,
        },
        lacks=lacking("time"),
    ),
    "cib": BankFile(
        {
            "银行流水号": NUMBER, "账号": said("3370000000001"), "账户名称": said(OURS), "凭证代号": said("000"), "借方金额": WENT,
            "贷方金额": CAME, "账户余额": BALANCE, "摘要": said("汇款汇入"), "对方账号": COUNTER, "对方账户名称": PAYER,
            "对方银行": said("某行"), "交易时间": INSTANT, "用途": MEMO,
        },
    ),
    "spdb": BankFile(
        {
            "交易日期": DIGITS, "交易时间": lambda one: one.at.strftime("%H:%M:%S"), "凭证号": said(""), "借方金额": WENT,
            "贷方金额": CAME, "余额": BALANCE, "交易流水号": NUMBER, "摘要": said("汇入"), "对方账号": COUNTER, "对方户名": PAYER,
            "备注": MEMO,
        },
    ),
    "spdb-personal": BankFile(
        {
            "交易日期": DIGITS, "交易时间": TIME, "交易摘要": MEMO, "交易金额": SIGNED, "本次余额": BALANCE, "对方户名": PAYER,
            "对方账号": COUNTER, "交易渠道": said("手机银行"), "交易流水号": NUMBER,
        },
    ),
    "cgb": BankFile(
        {
            "交易日期": DAY, "收入": CAME, "支出": WENT, "账户余额": BALANCE, "对方账号": COUNTER, "对方户名": PAYER, "摘要": MEMO,
        },
        lacks=lacking("number", "time"), below=[["以上数据仅供参考，具体内容请以柜台为准"]],
    ),
    "czb": BankFile(
        {
            "流水号": NUMBER, "付款账号": lambda one: one.counter_account if one.amount > 0 else "1",
            "付款人户名": lambda one: one.payer if one.amount > 0 else OURS,
            "收款账号": lambda one: "1" if one.amount > 0 else one.counter_account,
            "收款人户名": lambda one: OURS if one.amount > 0 else one.payer, "交易日期": DAY, "交易金额": UNSIGNED,
            "借贷标志(1收2付)": by_way("1", "2"), "备注": MEMO,
        },
        lacks=lacking("time", "balance"),
    ),
    "bohai": BankFile(
        {
            "交易日期": DAY, "交易时间": TIME, "借方发生额": WENT_0, "贷方发生额": CAME_0, "余额": BALANCE, "对方户名": PAYER,
            "对方账号": COUNTER, "摘要": MEMO, "交易流水号": NUMBER,
        },
    ),
    "hengfeng": BankFile(
        {
            "交易时间": INSTANT, "借贷标志": by_way("贷方", "借方"), "发生额": UNSIGNED, "余额": BALANCE, "对方账号": COUNTER,
            "对方户名": PAYER, "用途": MEMO, "核心流水号": NUMBER,
        },
    ),
    "bob": BankFile(
        {
            "交易日期": DAY, "交易时间": TIME, "支出金额": WENT, "收入金额": CAME, "余额": BALANCE, "对方账号": COUNTER,
            "对方户名": PAYER, "摘要": MEMO, "交易流水号": NUMBER,
        },
    ),
    "bosh": BankFile(
        {
            "交易流水号": NUMBER, "交易时间": INSTANT, "记账日期": DAY, "交易方向": by_way("贷", "借"), "交易金额": UNSIGNED,
            "余额": BALANCE, "对手账号": COUNTER, "对手户名": PAYER, "摘要": MEMO,
        },
    ),
    "jsb": BankFile(
        {
            "交易日期": DAY, "交易时间": TIME, "收支标志": by_way("收入", "支出"), "交易金额": UNSIGNED, "账户余额": BALANCE,
            "对方账号": COUNTER, "对方户名": PAYER, "附言": MEMO, "交易流水号": NUMBER,
        },
    ),
    "njcb": BankFile(
        {
            "交易日期": DAY, "收入": CAME, "支出": WENT, "账户余额": BALANCE, "对方账号": COUNTER, "对方户名": PAYER,
            "对方行名": said("某行"), "摘要": MEMO,
        },
        lacks=lacking("number", "time"),
    ),
    "nbcb": BankFile(
        {
            "交易时间": INSTANT, "转入金额": CAME, "转出金额": WENT, "余额": BALANCE, "对方账号": COUNTER, "对方户名": PAYER,
            "交易附言": MEMO, "流水号": NUMBER,
        },
    ),
    "rural": BankFile(
        {
            "记账日期": DAY, "存入金额": CAME, "支取金额": WENT, "余额": BALANCE, "对方账号": COUNTER, "对方户名": PAYER,
            "备注": MEMO, "记账流水号": NUMBER,
        },
        lacks=lacking("time"),
    ),
    "hsbc-hk": BankFile(
        {"Date": DAY, "Description": MEMO, "Billing amount": SIGNED, "Billing currency": said("CNY"), "Balance": BALANCE},
        lacks=lacking("number", "time", "payer", "counter_account"), is_latest_first=True,
    ),
    "boc-hk": BankFile(
        {
            "Transaction Date": DAY, "Transaction Details": MEMO, "Deposit": CAME, "Withdrawal": WENT, "Balance": BALANCE,
            "Currency": said("CNY"),
        },
        lacks=lacking("number", "time", "payer", "counter_account"),
    ),
    "hang-seng": BankFile(
        {"Date": DAY, "Details": MEMO, "Deposits": CAME, "Withdrawals": WENT, "Balance": BALANCE},
        lacks=lacking("number", "time", "payer", "counter_account"),
    ),
    "cathay-tw": BankFile(
        {"交易日期": lambda one: one.at.strftime("%Y/%m/%d"), "交易說明": MEMO, "提款金額": WENT, "存款金額": CAME, "餘額": BALANCE},
        lacks=lacking("number", "time", "payer", "counter_account"),
    ),
    "esun-tw": BankFile(
        {
            "交易日期": lambda one: one.at.strftime("%Y/%m/%d"), "摘要": said("轉帳"), "支出金額": WENT, "存入金額": CAME,
            "結餘": BALANCE, "備註": MEMO, "轉帳帳號": COUNTER,
        },
        lacks=lacking("number", "time", "payer"),
    ),
    "wechat-personal": BankFile(
        {
            "交易时间": INSTANT, "交易类型": said("二维码收款"), "交易对方": PAYER, "商品": MEMO,
            "收/支": by_way("收入", "支出"), "金额(元)": lambda one: f"¥{abs(one.amount):.2f}", "支付方式": said("/"),
            "当前状态": by_way("已收钱", "支付成功"), "交易单号": lambda one: f"{one.number}\t", "商户单号": said("/"), "备注": said("/"),
        },
        above=[["微信支付账单明细"], ["微信昵称：[物业]"]], lacks=lacking("counter_account", "balance"),
    ),
    "alipay-personal": BankFile(
        {
            "交易时间": INSTANT, "交易分类": said("转账红包"), "交易对方": PAYER, "对方账号": COUNTER, "商品说明": MEMO,
            "收/支": by_way("收入", "支出"), "金额": UNSIGNED, "收/付款方式": said("余额"), "交易状态": said("交易成功"),
            "交易订单号": lambda one: f"{one.number}\t", "商家订单号": said(""), "备注": said(""),
        },
        lacks=lacking("balance"),
    ),
    "alipay-web": BankFile(
        {
            "交易号": NUMBER, "商家订单号": said(""), "交易创建时间": INSTANT, "付款时间": INSTANT, "最近修改时间": INSTANT,
            "交易来源地": said("其他"), "类型": said("即时到账交易"), "交易对方": PAYER, "商品名称": MEMO, "金额（元）": UNSIGNED,
            "收/支": by_way("收入", "支出"), "交易状态": said("交易成功"), "服务费（元）": said("0.00"), "成功退款（元）": said("0.00"),
            "备注": said(""), "资金状态": by_way("已收入", "已支出"),
        },
        above=[["支付宝交易记录明细查询"], ["账号:[office@example.com]"]], lacks=lacking("counter_account", "balance"),
    ),
}  # fmt: skip
