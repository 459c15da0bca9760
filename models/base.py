"""What every table shares: names of constraints, keys, row versions, and the types of columns."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    DateTime,
    Dialect,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, declared_attr, mapped_column
from sqlalchemy.types import TypeDecorator

Id = BigInteger().with_variant(Integer, "sqlite")


class FixedPoint(TypeDecorator[Decimal]):
    """A decimal kept as a whole number of its smallest unit; finer values are refused."""

    impl = BigInteger
    cache_ok = True

    def __init__(self, places: int) -> None:
        super().__init__()
        self.places = places

    def process_bind_param(self, value: Any, dialect: Dialect) -> int | None:
        if value is None:
            return None
        scaled = Decimal(value).scaleb(self.places)
        whole = scaled.to_integral_value()
        if whole != scaled:
            raise ValueError(f"{value} has more than {self.places} decimal places")
        return int(whole)

    def process_result_value(self, value: Any, dialect: Dialect) -> Decimal | None:
        return None if value is None else Decimal(int(value)).scaleb(-self.places)

    def process_literal_param(self, value: Any, dialect: Dialect) -> str:
        return str(self.process_bind_param(value, dialect))

    def coerce_compared_value(self, op: Any, value: Any) -> Any:
        """Compared with a plain number, that number is in the column's own unit too."""
        return self

    @property
    def python_type(self) -> type[Decimal]:
        return Decimal


class Money(FixedPoint):
    """Yuan in Python, whole fen in the database."""

    cache_ok = True

    def __init__(self) -> None:
        super().__init__(2)


class Instant(TypeDecorator[datetime]):
    """An aware UTC datetime; a naive one is refused."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"{value!r} has no time zone")
        utc = value if value.tzinfo is UTC else value.astimezone(UTC)
        return utc.replace(tzinfo=None) if dialect.name == "sqlite" else utc

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)

    @property
    def python_type(self) -> type[datetime]:
        return datetime


class Base(DeclarativeBase):
    metadata = MetaData(
        naming_convention={
            "ix": "%(column_0_label)s_idx",
            "uq": "%(table_name)s_%(column_0_N_name)s_key",
            "ck": "%(constraint_name)s",
            "fk": "%(table_name)s_%(column_0_name)s_fkey",
            "pk": "%(table_name)s_pkey",
        }
    )


db = SQLAlchemy(model_class=Base)

if TYPE_CHECKING:

    class Model(Base):
        __abstract__ = True

else:
    Model = db.Model


class Row:
    """An integer key."""

    id: Mapped[int] = mapped_column(Id, primary_key=True)


class EditableRow(Row):
    """A row that people edit: its version makes a stale save visible (decisions: Data)."""

    row_version: Mapped[int] = mapped_column(Integer, default=1, server_default="1")

    @declared_attr.directive
    @classmethod
    def __mapper_args__(cls) -> dict[str, Any]:
        return {"version_id_col": cls.row_version}


class Named:
    """A name in each of the program's languages; an empty one falls back to the first that is filled."""

    name_en: Mapped[str] = mapped_column(String(120), default="", server_default="")
    name_zh_hans: Mapped[str] = mapped_column(String(120), default="", server_default="")
    name_zh_hant: Mapped[str] = mapped_column(String(120), default="", server_default="")

    def name_in(self, language: str) -> str:
        """The name for `en`, `zh_Hans` or `zh_Hant` (also `zh_Hans_CN` …)."""
        chosen = {
            "en": self.name_en,
            "zh_Hans": self.name_zh_hans,
            "zh_Hant": self.name_zh_hant,
        }.get(language[:7] if language.startswith("zh") else "en", "")
        return chosen or self.name_zh_hans or self.name_en or self.name_zh_hant


def said_in(row: Any, field: str, language: str, *usual: str) -> str:
    """What a field that has a column for each language says in one: `field`, `field_zh_hant`, `field_en`.

    Empty falls back: to the other Chinese, to the `usual` languages, to whichever is filled.
    """
    said = {
        "zh_Hans": getattr(row, field),
        "zh_Hant": getattr(row, f"{field}_zh_hant"),
        "en": getattr(row, f"{field}_en"),
    }
    chinese = ("zh_Hans", "zh_Hant") if language.startswith("zh") else ()
    order = (language, *chinese, *usual, "zh_Hans", "zh_Hant", "en")
    return next((said[one] for one in order if (said.get(one) or "").strip()), "")


def refer(target: str, *, null: bool = False, **options: Any) -> Mapped[Any]:
    """A foreign key: RESTRICT always, so that no parent goes while children stand."""
    return mapped_column(Id, ForeignKey(f"{target}.id", ondelete="RESTRICT"), nullable=null, **options)


PREFIX_INDEX = "_prefix_idx"


def prefix_index(table: str, column: str) -> Index:
    """Serves `LIKE 'x%'` on PostgreSQL whatever its collation; on SQLite each index on the column does."""
    ops = {column: "varchar_pattern_ops"}
    return Index(f"{table}_{column}{PREFIX_INDEX}", column, postgresql_ops=ops).ddl_if(dialect="postgresql")


def one_of(column: str, codes: Iterable[str], name: str) -> CheckConstraint:
    """The database refuses any other code; the name states the rule."""
    listed = ", ".join(f"'{code}'" for code in codes)
    return CheckConstraint(f"{column} IN ({listed})", name=name)
