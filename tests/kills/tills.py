"""Cashiers who take payments over HTTP while the office's machines fail."""

from __future__ import annotations

import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.security import generate_password_hash

from models import db
from models.payments import Payment
from models.people import Staff, StaffRole
from tests.conftest import ADMIN_PASSWORD

CASHIERS = 4
UNITS = 50


def add_cashier(session: Session) -> None:
    quick = generate_password_hash(ADMIN_PASSWORD, "pbkdf2:sha256:1")
    cashier = Staff(login="till", name="Till", password_hash=quick)
    cashier.role_rows = [StaffRole(role="cashier")]
    session.add(cashier)


@dataclass
class Till:
    """One cashier's day: a payment is tried with its form's key until its receipt is on the screen."""

    browser: Any  # what posts
    name: str
    first_unit: int = 1
    units: int = UNITS
    receipts: dict[str, int] = field(default_factory=dict)  # key → payment
    answers: Counter[int] = field(default_factory=Counter)
    unreadable: list[str] = field(default_factory=list)

    def work(self, stop: threading.Event) -> None:
        while not stop.is_set():
            key = f"{self.name}-{len(self.receipts)}"
            unit_id = self.first_unit + len(self.receipts) % self.units
            fields = {"unit_id": unit_id, "amount": "10", "method": "cash"}
            answer = self.browser.post("/cashier/take/", fields | {"form_key": key})
            self.answers[answer.status] += 1
            if answer.status == 302:
                self.receipts[key] = int(answer.location.rpartition("posted=")[2])
            elif answer.status != 503 or "The database does not answer" not in answer.text:
                self.unreadable.append(f"{answer.status} {answer.text[:300]}")
            time.sleep(0.02 if answer.status == 302 else 0.3)


def lost_and_doubled(app: Flask, tills: list[Till]) -> tuple[list[str], list[str]]:
    """Keys whose receipt was given out and whose payment is not there; keys with more than one."""
    given = [
        receipt for till in tills for receipt in list(till.receipts.items())
    ]  # before the look: they work on
    with app.app_context():
        rows = db.session.execute(select(Payment.form_key, Payment.id)).all()
        db.session.remove()
    there = {row.id for row in rows}
    times = Counter(row.form_key for row in rows)
    lost = [key for key, payment in given if payment not in there]
    return lost, [key for key, count in times.items() if count > 1]
