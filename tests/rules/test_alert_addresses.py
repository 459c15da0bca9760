"""What a person may type as the own address for alerts, and how it is stored and read again (C5, P7)."""

from __future__ import annotations

import pytest

from rules.alert_addresses import AlertAddress, AlertAddressError, read, typed

KEY = "693a91f6-7xxx-4bc4-97a0-0ec2sifa5aaa"
TOKEN = "0123456789abcdef" * 4
TAKEN = (
    ("wecom", f"https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key={KEY}", "", f"wecom:{KEY}"),
    ("wecom", f" {KEY} ", "", f"wecom:{KEY}"),
    ("dingtalk", f"https://oapi.dingtalk.com/robot/send?access_token={TOKEN}", "", f"dingtalk:{TOKEN}"),
    ("dingtalk", TOKEN, "SEC12345678", f"dingtalk:{TOKEN}:SEC12345678"),
    ("feishu", f"https://open.feishu.cn/open-apis/bot/v2/hook/{KEY}", "secret-1", f"feishu:{KEY}:secret-1"),
    ("feishu", f"https://open.larksuite.com/open-apis/bot/v2/hook/{KEY}", "", f"feishu:{KEY}"),
    ("email", "wang.fang@estate.example", "", "email:wang.fang@estate.example"),
)
REFUSED = (
    ("", KEY, "", "kind"),
    ("json", "http://localhost/", "", "kind"),
    ("wecom", "", "", "address"),
    ("wecom", "short", "", "address"),
    ("wecom", f"https://example.org/cgi-bin/webhook/send?key={KEY}", "", "address"),
    ("wecom", f"http://qyapi.weixin.qq.com/cgi-bin/webhook/send?key={KEY}", "", "address"),
    ("wecom", f"https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key={KEY}&x=1", "", "address"),
    ("wecom", f"https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key={KEY}\n", "no secret here", "secret"),
    ("dingtalk", TOKEN[:31], "", "address"),
    ("dingtalk", TOKEN, "a:b:c:d:e", "secret"),
    ("feishu", f"https://open.feishu.cn@example.org/open-apis/bot/v2/hook/{KEY}", "", "address"),
    ("email", "wang", "", "address"),
    ("email", "wang@estate", "", "address"),
    ("email", "a@b.cn, c@d.cn", "", "address"),
    ("email", "a@b.cn\nBcc: c@d.cn", "", "address"),
    ("email", "a" * 200 + "@b.cn", "", "address"),
)


@pytest.mark.parametrize(("kind", "address", "secret", "stored"), TAKEN)
def test_what_a_chat_shows_is_taken_and_read_again(kind: str, address: str, secret: str, stored: str) -> None:
    taken = typed(kind, address, secret)

    assert taken.stored() == stored
    assert read(stored) == taken


@pytest.mark.parametrize(("kind", "address", "secret", "code"), REFUSED)
def test_what_is_no_address_of_its_kind_is_refused(kind: str, address: str, secret: str, code: str) -> None:
    with pytest.raises(AlertAddressError) as refusal:
        typed(kind, address, secret)

    assert refusal.value.code == code


@pytest.mark.parametrize(
    "stored", ["", "email:", "wecombot://KEY", "dingtalk://TOKEN", "feishu://T", "json://h"]
)
def test_an_address_of_another_form_is_none_of_ours(stored: str) -> None:
    assert read(stored) is None


def test_an_email_address_has_no_secret() -> None:
    assert read("email:a@b.cn") == AlertAddress("email", "a@b.cn")
