"""A year of an estate: its files brought in, months billed, bills paid, vouchers made, all exported."""

from __future__ import annotations

import csv
import json
import shutil
import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from models.billing import Invoice, Tariff
from models.payments import Cheque
from models.people import Owner
from models.property import Estate, Unit
from models.vouchers import LedgerAccount
from office.billing import bounced_cheques, runs
from office.billing.change_of_owner import change_of_owner
from office.estate import owners
from office.exchange import imports
from office.exchange.imports.reader import Line
from office.payments import cheques, payments
from office.payments.cheques import NewCheque
from office.payments.payments import NewPayment
from office.policies import store
from office.receivables import account_export
from office.rooms import IMPORTS
from office.vouchers import accounts as ledger_accounts
from rules.billing import Period
from tests.factories.estate import LONG_AGO, SHANGHAI, accrue, add_staff, item, turn_on_late_fee
from tests.factories.ledger import export_to, make_months, write

FOLDER = Path(__file__).parent
EXPORTED = (
    "units", "fee_items", "rates", "tariffs", "payers", "contracts", "pools", "pool_shares", "readings",
    "slips", "invoices", "invoice_lines", "payments", "cheques", "vouchers", "voucher_documents",
    "ledger_accounts",
)  # fmt: skip
BEFORE = timedelta(days=16)  # the files are brought in so long before the first month
Row = Mapping[str, str]


@dataclass(frozen=True)
class Step:
    """What is done at an instant."""

    at: datetime
    do: Callable[[datetime], None]


def months_of(text: str) -> list[int]:
    """The months that `1-5;9` says."""
    found: list[int] = []
    for part in text.split(";"):
        first, _, last = part.partition("-")
        found += range(int(first), int(last or first) + 1)
    return found


class Living:
    """One estate in a sandbox; `folder` gets its files and, in `out/`, its exports."""

    def __init__(self, session: Session, name: str, folder: Path) -> None:
        self.session, self.folder = session, folder
        shutil.copytree(FOLDER / name, folder, dirs_exist_ok=True)
        self.terms: dict[str, Any] = tomllib.loads((folder / "estate.toml").read_text(encoding="utf-8"))
        self.first, self.last = Period.parse(self.terms["first"]), Period.parse(self.terms["last"])
        self.charged_on: date | None = None
        self.cashier, self.other_cashier = (add_staff(session, one, "cashier").id for one in ("anna", "bert"))

    # the year

    def live(self) -> None:
        """Everything that happens, in the order of time."""
        self._settle()
        for step in sorted(self._steps(), key=lambda one: one.at):
            self._at(step.at)
            step.do(step.at)
            self.session.flush()
        now = _at(date.fromisoformat(self.terms["ends"]), 18)
        accrue(self.session, now)
        self._export()

    def _steps(self) -> Iterator[Step]:
        month = self.first
        while month <= self.last:
            yield Step(_at(month.first_on, 8), self._bill)
            yield Step(_at(month.plus(1).day(3), 9), self._vouchers)
            for place, row in enumerate(self._rows("payments")):
                if month.month in months_of(row["months"]):
                    yield Step(_at(month.day(int(row["day"])), 10, place), self._paying(row))
                    yield from self._cheque_steps(row)
            month = month.plus(1)
        for row in self._rows("moves"):
            yield Step(_at(date.fromisoformat(row["entered"]), 9), self._moving(row))

    def _cheque_steps(self, row: Row) -> Iterator[Step]:
        """What becomes of the cheque of a payment."""
        for name, hour in (("presented_on", 11), ("cleared_on", 12), ("bounced_on", 12)):
            if row.get(name):
                yield Step(_at(date.fromisoformat(row[name]), hour), self._at_bank(row["cheque"], name))

    def _at_bank(self, number: str, what: str) -> Callable[[datetime], None]:
        def do(now: datetime) -> None:
            cheque_id = self.session.scalars(select(Cheque.id).where(Cheque.number == number)).one()
            if what == "bounced_on":
                bounced_cheques.bounce(
                    self.session, cheque_id, reason="R/D", staff_id=self.other_cashier, now=now
                )
            else:
                verb = cheques.present if what == "presented_on" else cheques.clear
                verb(self.session, [cheque_id], staff_id=self.other_cashier, now=now)

        return do

    def _rows(self, name: str) -> list[Row]:
        path = self.folder / f"{name}.csv"
        if not path.exists():
            return []
        with path.open(encoding="utf-8", newline="") as file:
            return list(csv.DictReader(file))

    def _at(self, now: datetime) -> None:
        self.session.execute(update(Estate).values(present_at=now))

    # before the first month

    def _settle(self) -> None:
        now = _at(self.first.first_on - BEFORE, 9)
        self._at(now)
        place = {name: self.terms[name] for name in ("currency", "time_zone") if name in self.terms}
        if place:
            self.session.execute(update(Estate).values(**place))
        if fee := self.terms.get("late_fee"):
            turn_on_late_fee(self.session, **fee)
        for kind in ("roster", "fee-items", "rates"):
            self._bring(kind, imports.read(self.folder / f"{kind}.csv"), now)
        for row in self.terms.get("tariff", ()):
            self.session.add(
                Tariff(
                    fee_item_id=item(self.session, row["fee_item"]).id,
                    unit_kind=row["unit_kind"],
                    rate=Decimal(row["rate"]),
                    tiers=json.dumps(row.get("tiers", [])) if row.get("tiers") else "",
                    valid_from=date.fromisoformat(row["valid_from"]),
                )
            )
        if "bounce_fee" in self.terms:
            fee = {name: self.terms[name] for name in ("bounce_fee", "bounce_fee_item")}
            policy = {**store.document(self.session, "cheques", now.date()), **fee}
            store.store(self.session, "cheques", policy, valid_from=LONG_AGO, now=now)
        for row in self.terms.get("account", ()):
            values = dict(row)
            code, rate = values.pop("fee_item", ""), Decimal(values.pop("tax_rate", "0"))
            account = LedgerAccount(**values, tax_rate=rate, valid_from=LONG_AGO)
            account.fee_item_id = item(self.session, code).id if code else None
            ledger_accounts.check(self.session, account)
            self.session.add(account)
        for row in self._rows("moves"):
            owners.add_owner(self.session, row["name"], now=now)
        self.session.flush()
        for kind in ("contracts", "payers"):
            if (path := self.folder / f"{kind}.csv").exists():
                self._bring(kind, imports.read(path), now)

    def _bring(self, kind: str, table: imports.Table, now: datetime) -> None:
        imports.take_in(
            self.session,
            kind,
            IMPORTS[kind],
            table,
            now=now,
            staff_id=self.cashier,
            wanted=imports.EVERY_DIFFERENCE,
        )

    # a month

    def _bill(self, now: datetime) -> None:
        """What is known by the day of billing comes in, then the month's bills go out."""
        month = Period.of(now.astimezone(SHANGHAI).date())
        for kind, column in (("readings", "read_on"), ("slips", "used_on"), ("pools", "period")):
            before = str(month.plus(-1).first_on) if month > self.first else ""
            rows = [
                row
                for row in self._rows(kind)
                if before <= f"{row[column]:-<10}".replace("---", "-01") < str(month.first_on)
            ]
            if rows:
                lines = [tuple(rows[0]), *(tuple(row.values()) for row in rows)]
                numbered = tuple(Line(number, cells) for number, cells in enumerate(lines, start=1))
                self._bring(kind, imports.Table(f"{kind}-{month}.csv", numbered), now)
        self.issue(month, now)

    def issue(self, month: Period, now: datetime) -> None:
        """Let the month's bills go out."""
        runs.issue_invoices(self.session, str(month), now=now)

    def _vouchers(self, now: datetime) -> None:
        month = Period.of(now.astimezone(SHANGHAI).date()).plus(-1)
        make_months(self.session, [str(month)], now=now)

    def _moving(self, row: Row) -> Callable[[datetime], None]:
        def move(now: datetime) -> None:
            unit = self._unit(row["unit_code"])
            change_of_owner(
                self.session,
                unit.id,
                self.session.scalars(select(Owner.id).where(Owner.name == row["name"])).one(),
                on=date.fromisoformat(row["on"]),
                now=now,
                kind=row["kind"],
                residents=int(row["residents"]) if row.get("residents") else None,
            )

        return move

    def _paying(self, row: Row) -> Callable[[datetime], None]:
        def pay(now: datetime) -> None:
            unit = self._unit(row["unit_code"])
            payer_id = owners.only_one_named(self.session, row["payer_name"], unit.id)
            assert payer_id is not None, row
            if row["amount"] == "open":
                self._charge_late_fees(now)
                owed = select(func.sum(Invoice.balance)).where(
                    Invoice.unit_id == unit.id, Invoice.payer_id == payer_id
                )
                amount = Decimal(self.session.scalar(owed) or 0)
            else:
                amount = Decimal(row["amount"])
            if amount:
                payments.record_payment(
                    self.session,
                    NewPayment(
                        unit.id,
                        amount,
                        row["method"],
                        now,
                        payer_id=payer_id,
                        cashier_id=self.cashier,
                        cheque=_cheque(row),
                    ),
                    now=now,
                )

        return pay

    def _charge_late_fees(self, now: datetime) -> None:
        """What the daily job does; once a day."""
        if self.charged_on != now.date():
            accrue(self.session, now)
            self.charged_on = now.date()

    def _unit(self, code: str) -> Unit:
        return self.session.scalars(select(Unit).where(Unit.code == code)).one()

    # afterwards

    def _export(self) -> None:
        out = self.folder / "out"
        out.mkdir(exist_ok=True)
        export_to(self.session, out, EXPORTED)
        for code in self.session.scalars(select(Unit.code).order_by(Unit.id)):
            for name, from_on, to_on in self.accounts():
                table = account_export.statement_of_account(
                    self.session, unit=code, payer="", from_on=from_on, to_on=to_on
                )
                write(out / f"statement_{code}_{name}.csv", table)

    def accounts(self) -> Iterator[tuple[str, date | None, date | None]]:
        """The days between which each unit's account is exported: the whole time, and a part of the year."""
        yield "whole", None, None
        yield "part", self.first.plus(3).first_on, self.first.plus(8).last_on


def _cheque(row: Row) -> NewCheque | None:
    if not row.get("cheque"):
        return None
    return NewCheque(row["cheque"], row["bank"], date.fromisoformat(row["due_on"]))


def _at(on: date, hour: int, minute: int = 0) -> datetime:
    return datetime.combine(on, time(hour, minute), SHANGHAI)


def live(session: Session, name: str, folder: Path) -> Path:
    """Let an estate live its year; the folder with its files and exports."""
    Living(session, name, folder).live()
    return folder
