"""The channels for messages, one row each (C5). Each file sends by one; base.py has what they share."""

from __future__ import annotations

from sqlalchemy.orm import Session

from office.core import installation
from office.messaging.channels.base import (
    NOT_SET_UP,
    Channel,
    ChannelKind,
    Declined,
    Letter,
    Setting,
    Undelivered,
    Unreachable,
    Unsure,
)

__all__ = ["ELECTRONIC", "KINDS", "NOT_SET_UP", "Channel", "Declined", "Letter", "Undelivered", "Unreachable",
           "Unsure", "available", "open_channel"]  # fmt: skip

# each is imported when it first sends: a page needs none of them (goals S16)


def _mail(setting: Setting) -> Channel:
    from office.messaging.channels.mail import Mail

    return Mail(setting("SMTP_URL"))


def _sms(setting: Setting) -> Channel:
    from office.messaging.channels.sms import Sms

    return Sms(setting("SMS_URL"), setting("SMS_SECRET"))


def _wecom(setting: Setting) -> Channel:
    from office.messaging.channels.wecom import WeCom

    return WeCom(setting("WECOM_URL"))


def _alerts(setting: Setting) -> Channel:
    from office.messaging.channels.alerts import Alerts

    return Alerts(setting)


def _print(_setting: Setting) -> Channel:
    from office.messaging.channels.printing import Print

    return Print()


KINDS = {
    kind.code: kind
    for kind in (
        ChannelKind("email", _mail, needs="SMTP_URL", is_electronic=True),
        ChannelKind("sms", _sms, needs="SMS_URL", is_electronic=True),
        ChannelKind("wecom", _wecom, needs="WECOM_URL", is_electronic=True),
        ChannelKind("alert", _alerts),
        ChannelKind("print", _print),
    )
}
ELECTRONIC = frozenset(kind.code for kind in KINDS.values() if kind.is_electronic)


def available(session: Session) -> frozenset[str]:
    """The channels that IT has set up for this office."""
    setting = installation.of(session).setting
    return frozenset(kind.code for kind in KINDS.values() if kind.is_available(setting))


def open_channel(code: str, setting: Setting) -> Channel:
    """A channel ready to send; it connects at the first letter. Raises Unreachable when not set up."""
    kind = KINDS.get(code)
    if kind is None or not kind.is_available(setting):
        raise Unreachable(NOT_SET_UP)
    return kind.open(setting)
