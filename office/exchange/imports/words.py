"""The words that people write for a code, in Chinese and English; the code itself is always understood."""

from __future__ import annotations

from collections.abc import Mapping

from models.billing import ANCHORS, BASES, PAYER_RULES, ROUNDING_MODES, ROUNDINGS, TIMINGS
from models.collection import CONTACT_METHODS, CONTACT_OUTCOMES
from models.complaints import CHANNELS_IN, OUTCOMES, SEVERITIES
from models.payments import METHODS
from models.property import UNIT_KINDS
from office.exchange.imports.cells import key

OPEN = "open"  # what an old register says of a complaint that has not ended
TICKET_KINDS = ("complaint", "suggestion", "inquiry", "doubt", "help", "repair", "praise")


def known(codes: tuple[str, ...], words: Mapping[str, str]) -> Mapping[str, str]:
    """{compared word: code}; `words` lists each code's words with spaces between."""
    found = {key(code): code for code in codes}
    for code, listed in words.items():
        for word in listed.split():
            found[key(word)] = code
    return found


UNIT_KIND_WORDS = known(
    UNIT_KINDS,
    {
        "residence": (
            "住宅 住房 住家 高层住宅 多层住宅 洋房 domestic 公寓 别墅 別墅 民宅 apartment flat residential"
        ),
        "office": "办公 辦公 办公室 辦公室 办公楼 写字楼 寫字樓 officespace",
        "shop": "商铺 底商 店面 商鋪 店铺 店鋪 铺位 商业 商業 retail store",
        "parking": "车位 車位 停车位 停車位 车库 車庫 parkingbay parkingspace",
        "storage": "储藏室 儲藏室 储藏间 储物间 仓库 倉庫 storageroom",
    },
)
METHOD_WORDS = known(
    METHODS,
    {
        "cash": "现金 現金",
        "card": "刷卡 银行卡 銀行卡 信用卡 pos pos机",
        "bank_transfer": "银行转账 銀行轉賬 转账 轉賬 汇款 匯款 对公转账 网银 网银转账 bank transfer",
        "direct_debit": "银行托收 銀行託收 托收 託收 代扣 银行代扣 划扣 debit",
        "wechat": "微信 微信支付 wechatpay weixin",
        "alipay": "支付宝 支付寶",
        "cheque": "支票 check",
    },
)
CHANNEL_WORDS = known(
    CHANNELS_IN,
    {
        "desk": "前台 柜台 服务台 前台投诉 前台接待 前台来访 现场 櫃檯 櫃檯親訪 臨櫃 frontdesk atthedesk",
        "phone": "电话 電話 来电 來電 电话投诉 電話投訴 来电投诉 telephone call",
        "letter": "信函 来信 來信 书信 信件 来信投诉 书面 书面投诉",
        "email": "电子邮件 電子郵件 邮件 郵件 邮箱 邮件投诉 电子邮箱 mail",
        "web_form": (
            "网页 網頁 网上 网络 網絡 网站 网页表单 网络投诉 在线 小程序 网上表单 網路 網路表單 website"
        ),
        "suggestion_box": "意见箱 意見箱 投诉箱",
        "chat": "微信 微信群 聊天 企业微信 在线聊天 业主群 即时通讯 即時通訊 qq wechat line",
        "visit": "上门 上門 走访 走訪 拜访 回访 来访 來訪 来访投诉 巡查",
        "head_office": "总部 總部 总公司 總公司 集团 集團 总部转办 总公司转办 集团转办 總部轉辦",
        "government": "政府 政府转办 政府轉辦 政府部门 12345 12345热线 街道 居委会 住建局 authority",
        "call_centre": "呼叫中心 客服热线 客服熱線 热线 熱線 客服中心 400 400电话 callcenter hotline",
    },
)
SEVERITY_WORDS = known(
    SEVERITIES,
    {
        "major": "重大 重大投诉 重大投訴",
        "complex": "复杂 複雜 复杂投诉 複雜投訴",
        "simple": "简易 簡易 简单 簡單 简易投诉 簡易投訴",
        "minor": "轻微 輕微 轻微投诉 輕微投訴 一般 一般投诉",
        "urgent": "紧急 緊急",
        "important": "重要",
        "normal": "普通",
    },
)
TICKET_OUTCOME_WORDS = known(
    (*OUTCOMES[1:], OPEN),
    {
        "solved": "已解决 已解決 解决 解決 已处理 已處理 处理完毕 已完成 完成 已办结 已辦結 办结 "
        "已结案 已結案 结案 已关闭 已闭环 已回复 done finished closed resolved",
        "cancelled": "已撤销 已撤銷 撤销 撤銷 撤诉 撤訴 已撤诉 已取消 取消 撤回 已撤回 canceled withdrawn",
        "invalid": "无效 無效 无效投诉 無效投訴 不成立 不属实 不屬實 unfounded",
        "moved": "已移交 移交 已转办 轉辦 转办 已转出 转出 轉出 已转交 转交 轉交 transferred",
        OPEN: "处理中 處理中 未处理 未處理 未解决 未解決 待处理 待處理 跟进中 跟進中 "
        "进行中 未完成 未办结 pending",
    },
)
TICKET_KIND_WORDS = known(
    TICKET_KINDS,
    {
        "complaint": "投诉 投訴 有效投诉",
        "suggestion": "建议 建議 意见 意見",
        "inquiry": "问询 問詢 咨询 諮詢 询问 查詢 查询",
        "doubt": "质疑 質疑",
        "help": "求助",
        "repair": "报修 報修 维修 維修",
        "praise": "表扬 表揚 感谢",
    },
)
CONTACT_METHOD_WORDS = known(
    CONTACT_METHODS,
    {
        "phone": "电话 電話 打电话 致电 来电 call telephone",
        "message": "短信 短訊 信息 訊息 簡訊 消息 微信 邮件 留言 sms email wechat",
        "visit": "上门 上門 走访 走訪 拜访 拜訪 面谈 door",
    },
)
OUTCOME_WORDS = known(
    CONTACT_OUTCOMES,
    {
        "reached": "已联系 已联系上 已聯繫 联系上 接通 已接通 已沟通",
        "not_reached": "未联系上 未接通 无人接听 無人接聽 联系不上 不在家 未聯繫上 noanswer",
        "promised": "承诺 承诺缴费 承諾 承諾繳費 答应缴费 同意缴费 promise",
        "refused": "拒绝 拒絕 拒缴 拒绝缴费 拒交",
        "other": "其他 其它",
    },
)
BASIS_WORDS = known(
    BASES,
    {
        "per_m2": "按面积 按面積 每平方米 每平米 面积 面積 perm2permonth",
        "per_person": "按人 按人头 按人口 每人 perpersonpermonth",
        "fixed": "固定 定额 定額 按户 按戶 每户 每戶 fixedpermonth",
        "metered": "抄表 按表 用量 表计 meter",
        "per_hour": "按小时 按小時 每小时 每小時 按时 hourly",
        "per_job": "按次 按单 按單 每次 每单",
        "one_off": "一次性 单次 單次 once",
        "deposit": "押金 保证金 保證金",
    },
)
ANCHOR_WORDS = known(
    ANCHORS,
    {
        "calendar": "日历 日曆 按日历 自然月 自然年 thecalendar",
        "unit": "按户 交付日 房屋 各户起算日 theunit'sownday",
    },
)
ROUNDING_WORDS = known(ROUNDINGS, {"fen": "分 到分", "jiao": "角 到角", "yuan": "元 到元"})
ROUNDING_MODE_WORDS = known(
    ROUNDING_MODES,
    {
        "half_up": "四舍五入 四捨五入",
        "up": "进位 進位 向上 进一 無條件進位",
        "down": "舍去 捨去 向下 去尾 無條件捨去",
    },
)
PAYER_RULE_WORDS = known(
    PAYER_RULES,
    {
        "default": "默认 預設 默认付款人 房屋付款人 theunit'spayer",
        "owner": "业主 業主 產權人 产权人 theowner",
        "tenant": "租户 租戶 租客 承租人 thetenant",
        "developer": "开发商 開發商 建设单位 建商",
    },
)
TIMING_WORDS = known(
    TIMINGS, {"advance": "预收 預收 先付 inadvance", "arrears": "后收 後收 后付 後付 inarrears"}
)
