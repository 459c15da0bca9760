"""Policies of the office's upkeep: backups, undelivered messages, personal data (§8, C5, P3)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from rules.policy_values import Checked, NotNegative, PolicyValueError, Positive


@dataclass(frozen=True)
class BackupPolicy(Checked):
    """How many nightly backups the office keeps (§8)."""

    kept: Positive


@dataclass(frozen=True)
class MessagePolicy(Checked):
    """How many minutes to wait before each further try of a message that did not arrive (C5)."""

    retry_after_minutes: tuple[Positive, ...]

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.retry_after_minutes:
            raise PolicyValueError("list_empty", field="retry_after_minutes")

    @property
    def waits(self) -> list[timedelta]:
        return [timedelta(minutes=minutes) for minutes in self.retry_after_minutes]


@dataclass(frozen=True)
class PrivacyPolicy(Checked):
    """How long personal data stays (P3, F23).

    A person's data may be erased so many years after their last tie to a unit. Address and text of a message
    are removed so many days after it was made, files brought or made so many days after that.
    """

    erase_after_years: NotNegative
    message_days: Positive = 180
    upload_days: Positive = 14
