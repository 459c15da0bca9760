"""Money while processes are killed and crowds pay at once, each with its control (F1, F2, F18).

Real processes on a real database of both kinds. GATEHOUSE_TEST_KILLS says how often to kill (default 8;
goals.md: 200), GATEHOUSE_TEST_CASHIERS how many pay at once (default 12; goals.md: 50).
"""

import multiprocessing
import os
import random
import signal
import time
from decimal import Decimal

import pytest
from sqlalchemy import create_engine, func, select
from sqlalchemy.orm import Session

from models import engine
from models.billing import Invoice
from models.engine import writing
from models.payments import Allocation, Payment, StatementRow
from office import billing, payments, statements
from office.check import findings
from office.statements import Entry
from tests.office.estate import NOW, add_unit, bill

KILLS = int(os.environ.get("GATEHOUSE_TEST_KILLS", "8"))
CASHIERS = int(os.environ.get("GATEHOUSE_TEST_CASHIERS", "12"))
UNITS = 400
STATEMENT = 201
EACH = object()  # stands for the number of a hand

pytestmark = [pytest.mark.kill, pytest.mark.timeout(1800)]


def work(url, channel, what, *rest):
    """What a process of its own does on the database, once it is let go."""
    session = Session(opened(url))

    def post(form_key, amount="1"):
        payments.record_payment(
            session, unit_id=1, amount=Decimal(amount), method="cash", paid_at=NOW, now=NOW, form_key=form_key
        )

    channel.send("ready")
    channel.recv()
    if what == "bill":
        with writing():
            billing.issue_invoices(session, rest[0], now=NOW)
            session.commit()
    elif what == "statement":
        for start in range(1, STATEMENT, 40):  # a long file is taken in by parts
            rows = [
                Entry(f"{rest[0]}-{n}", NOW, Decimal(100), "wechat", f"fee 1-{n:04d}")
                for n in range(start, start + 40)
            ]
            with writing():
                statements.post_statement(session, rows, "wechat", NOW)
                session.commit()
    elif what == "receipts":
        for n in range(rest[1]):
            with writing():
                post(f"{rest[0]}-{n}")
                if n % 10 in {2, 5, 8}:
                    session.rollback()
                else:
                    session.commit()
    else:
        with writing():
            post(*rest)
            session.commit()


def opened(url):
    made = create_engine(url.replace("postgresql://", "postgresql+psycopg://"))
    engine.prepare(made)
    return made


class Hand:
    """A process at work, which can be let go, killed and waited for."""

    def __init__(self, office, *arguments):
        fork = multiprocessing.get_context("fork")
        self.channel, theirs = fork.Pipe()
        self.process = fork.Process(target=work, args=(office.url, theirs, *arguments))
        self.process.start()
        theirs.close()
        assert self.channel.recv() == "ready"

    def let_go(self):
        self.channel.send("go")

    def kill(self):
        os.kill(self.process.pid, signal.SIGKILL)

    def end(self):
        self.process.join()
        self.channel.close()
        return self.process.exitcode


@pytest.fixture
def estate(office):
    with writing(), office.session() as session:
        for number in range(UNITS):
            add_unit(session, f"1-{number:04d}", area=f"{80 + number % 7}.5")
        session.commit()
    return office


def assert_whole(office):
    with office.session() as session:
        assert findings(session) == []


def count(office, model, *conditions):
    with office.session() as session:
        return session.scalar(select(func.count()).select_from(model).where(*conditions))


class TestKilled:
    """F1: nothing lost, nothing double, and run again it is finished."""

    def test_billing(self, estate):
        killed = 0
        for number in range(KILLS):
            period = f"{2027 + number // 12}-{number % 12 + 1:02d}"
            hand = Hand(estate, "bill", period)
            hand.let_go()
            time.sleep(random.uniform(0, 0.25))
            hand.kill()
            killed += hand.end() == -signal.SIGKILL
            made = count(estate, Invoice, Invoice.period == period)
            assert made in {0, UNITS}
            for expected in (UNITS - made, 0):
                with writing(), estate.session() as session:
                    assert bill(session, period).invoices == expected
                    session.commit()
            assert count(estate, Invoice, Invoice.period == period) == UNITS
        assert killed
        assert_whole(estate)

    def test_statements(self, estate):
        for number in range(KILLS):
            hand = Hand(estate, "statement", number)
            hand.let_go()
            time.sleep(random.uniform(0, 0.6))
            hand.kill()
            hand.end()
            again = Hand(estate, "statement", number)
            again.let_go()
            assert again.end() == 0
            wanted = (STATEMENT - 1) * (number + 1)
            assert count(estate, StatementRow, StatementRow.state == "posted") == wanted
            assert count(estate, Payment) == wanted
        assert_whole(estate)

    def test_committed_in_two_halves_a_kill_leaves_bills_without_lines(self, estate):
        """The control: what one transaction protects from."""
        with writing(), estate.session() as session:
            bill(session, "2026-06")
            session.commit()
            invoice = session.scalars(select(Invoice)).first()
            session.add(
                Invoice(
                    number="half",
                    unit_id=invoice.unit_id,
                    payer_id=invoice.payer_id,
                    period="2026-07",
                    issued_on=invoice.issued_on,
                    due_on=invoice.due_on,
                    amount=Decimal(1),
                    balance=Decimal(1),
                )
            )
            session.commit()  # killed here

        with estate.session() as session:
            assert [one.name for one in findings(session) if one.check == "invoice_lines_add_up"] == ["half"]


class TestCrowds:
    """F2: one form once, never over, gapless; F18: eight writers, none fails, none is lost."""

    def crowd(self, office, many, *arguments):
        hands = [Hand(office, *(n if one is EACH else one for one in arguments)) for n in range(many)]
        for hand in hands:
            hand.let_go()
        return [hand.end() for hand in hands]

    def test_one_form_pays_once(self, estate):
        ends = self.crowd(estate, CASHIERS, "pay", "the one form", "250")

        assert set(ends) == {0}
        assert count(estate, Payment) == 1
        assert_whole(estate)

    def test_one_invoice_is_never_overpaid(self, estate):
        with writing(), estate.session() as session:
            bill(session, "2026-06")
            session.commit()

        ends = self.crowd(estate, CASHIERS, "pay", None, "250")

        assert set(ends) == {0}
        with estate.session() as session:
            paid, balance, amount = session.execute(
                select(Invoice.paid, Invoice.balance, Invoice.amount).where(Invoice.unit_id == 1)
            ).one()
            assert (paid, balance) == (amount, 0)
            assert session.scalar(select(func.sum(Allocation.amount))) == amount
            assert session.scalar(select(func.sum(Payment.amount))) == 250 * CASHIERS
        assert_whole(estate)

    def test_receipts_have_no_gap(self, estate):
        writers, each = 8, 10

        started = time.monotonic()
        ends = self.crowd(estate, writers, "receipts", EACH, each)

        assert (set(ends), time.monotonic() - started < 300) == ({0}, True)
        with estate.session() as session:
            numbers = session.scalars(select(Payment.running_no).order_by(Payment.running_no)).all()
        assert numbers == list(range(1, writers * each * 7 // 10 + 1))
        assert_whole(estate)

    @pytest.mark.parametrize("dialect", ["sqlite"])
    def test_the_next_number_by_looking_gives_some_twice(self, estate):
        """The control: max + 1 read by everyone before anyone writes."""
        with estate.session() as session:
            read = [
                session.scalar(select(func.coalesce(func.max(Payment.running_no), 0))) + 1 for _ in range(9)
            ]

        assert len(set(read)) < len(read)
