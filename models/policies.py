"""What the office may change: policy rows with their dates, and texts of papers and messages (§9, §10)."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import Date, Index, Integer, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from models.base import EditableRow, Instant, Model, refer


class PolicyVersion(EditableRow, Model):
    """A dated version of one policy table: `rows` is a JSON list, shaped as the preset's TOML.

    The version in force on a day is the latest whose `valid_from` is not after it. Versions are added,
    never rewritten, so that nothing which already happened changes its reason.
    """

    __tablename__ = "policy_version"
    __table_args__ = (
        UniqueConstraint("policy", "valid_from", "revision", name="policy_version_once"),
        Index("policy_version_in_force_idx", "policy", "valid_from", "revision"),
    )

    policy: Mapped[str] = mapped_column(String(40))
    valid_from: Mapped[date] = mapped_column(Date)
    revision: Mapped[int] = mapped_column(Integer, default=1, server_default="1")
    rows: Mapped[str] = mapped_column()
    reason: Mapped[str] = mapped_column(default="", server_default="")
    staff_id: Mapped[int | None] = refer("staff", null=True)
    changed_at: Mapped[datetime] = mapped_column(Instant())

    def __str__(self) -> str:
        return f"{self.policy} {self.valid_from}"


class PaperTemplate(EditableRow, Model):
    """What an office reworded of the texts of a paper or message, in one language (§10)."""

    __tablename__ = "paper_template"
    __table_args__ = (UniqueConstraint("paper", "language", name="paper_template_once_per_language"),)

    paper: Mapped[str] = mapped_column(String(40))
    language: Mapped[str] = mapped_column(String(10))
    blocks: Mapped[str] = mapped_column()  # JSON {block: text with {placeholders}}

    def __str__(self) -> str:
        return f"{self.paper} ({self.language})"
