"""A cashier who takes payments without end: `python -m tests.factories.cashiers URL LOG UNITS SEED`.

Each receipt's number is a line of LOG once its payment is committed: from then on it may never be lost.
"""

from __future__ import annotations

import os
import random
import sys
import time
from datetime import UTC, datetime
from decimal import Decimal

from sqlalchemy.orm import Session

from models import secrets
from models.engine import writing
from office.payments import payments
from tests.kills.scheduler_processes import open_engine

NOW = datetime(2026, 6, 20, 2, tzinfo=UTC)


def main(url: str, log: str, units: int, seed: int) -> None:
    secrets.configure(os.environ["GATEHOUSE_SECRET_KEY"])
    chance = random.Random(seed)
    file = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    with Session(open_engine(url)) as session, writing():
        while True:
            paid = payments.record_payment(
                session,
                payments.NewPayment(
                    unit_id=chance.randint(1, units),
                    amount=Decimal(chance.randint(1, 400)),
                    method="cash",
                    paid_at=NOW,
                ),
                now=NOW,
            )
            receipt = paid.receipt_no
            session.commit()
            os.write(file, f"{receipt}\n".encode())
            time.sleep(chance.uniform(0, 0.04))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
