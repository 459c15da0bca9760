"""Money while processes are killed and crowds pay at once, each with its control (F1, F2, F18).

Real processes on a real database of both kinds. By default small; GATEHOUSE_TEST_KILLS says how often to kill
(goals.md: 200), GATEHOUSE_TEST_CASHIERS how many pay at once (50), GATEHOUSE_TEST_RECEIPTS how many receipts
they try to write (1,000), GATEHOUSE_TEST_TURNS how often each of eight writers waits for its turn (100).
"""

import multiprocessing
import os
import random
import signal
import time
from decimal import Decimal
from itertools import pairwise

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models import engine
from models.billing import Invoice
from models.engine import writing
from models.payments import Allocation, Payment, StatementRow
from office.billing import invoice_insertion, runs
from office.payments import payments, statements
from office.payments.statements import Entry
from office.rooms import findings
from tests.factories.estate import NOW, add_unit, bill
from tests.kills.power_cut import die_at, opened

KILLS = int(os.environ.get("GATEHOUSE_TEST_KILLS", "8"))
CASHIERS = int(os.environ.get("GATEHOUSE_TEST_CASHIERS", "12"))
RECEIPTS = int(os.environ.get("GATEHOUSE_TEST_RECEIPTS", "80"))
TURNS = int(os.environ.get("GATEHOUSE_TEST_TURNS", "15"))
WRITERS = 8
UNITS = 400
STATEMENT = 201
PREPAID = 20  # units whose credit pays their bills
EACH = object()  # stands for the number of a hand

pytestmark = [pytest.mark.kill, pytest.mark.timeout(1800)]


def work(url, channel, kill_at, what, *rest):
    """What a process of its own does on the database, once it is let go; killed before its n-th statement."""
    made = opened(url)
    count = die_at(made, kill_at, ("before_cursor_execute", "commit"))
    session = Session(made)

    def post(form_key, amount="1"):
        payments.record_payment(
            session,
            payments.NewPayment(
                unit_id=1, amount=Decimal(amount), method="cash", paid_at=NOW, form_key=form_key
            ),
            now=NOW,
        )

    if what == "turns":  # whatever is loaded and compiled late is no wait for others
        with writing():
            post("warm-up")
            session.rollback()
    channel.send("ready")
    channel.recv()
    if what == "bill":
        with writing():
            runs.issue_invoices(session, rest[0], now=NOW)
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
    elif what == "turns":
        waits = []
        for n in range(rest[1]):
            begun = time.monotonic()
            with writing():
                post(f"{rest[0]}-{n}")
                session.commit()
            waits.append(time.monotonic() - begun)
        channel.send(waits)
        channel.recv()
    else:
        with writing():
            post(*rest)
            session.commit()
    channel.send(count[0])


class Hand:
    """A process at work, which can be let go, killed and waited for."""

    def __init__(self, office, *arguments, kill_at=None):
        fork = multiprocessing.get_context("fork")
        self.channel, theirs = fork.Pipe()
        self.process = fork.Process(target=work, args=(office.url, theirs, kill_at, *arguments))
        self.process.start()
        theirs.close()
        assert self.told() == "ready"

    def told(self):
        return self.channel.recv()

    def let_go(self):
        self.channel.send("go")
        return self

    def kill(self):
        os.kill(self.process.pid, signal.SIGKILL)

    def end(self):
        self.process.join()
        self.channel.close()
        return self.process.exitcode


def add_units(session):
    for number in range(UNITS):
        add_unit(session, f"1-{number:04d}", area=f"{80 + number % 7}.5")


@pytest.fixture
def estate(office_of):
    return office_of("residential", fills=(add_units,))


def assert_whole(office):
    with office.session() as session:
        assert findings(session) == []


def count(office, model, *conditions):
    with office.session() as session:
        return session.scalar(select(func.count()).select_from(model).where(*conditions))


def ends_of(office, *arguments):
    """Where work is killed: KILLS statements and commits, evenly from the first to the last, again and again.

    One in three is a moment instead (seconds): any up to what the work takes when nobody disturbs it.
    """
    begun = time.monotonic()
    hand = Hand(office, *arguments).let_go()
    count = hand.told()
    assert hand.end() == 0
    longest = time.monotonic() - begun
    step = max(count / KILLS, 1)
    return [
        random.uniform(0, longest) if number % 3 == 2 else 1 + int(number * step) % count
        for number in range(KILLS)
    ]


def killed(office, *arguments, end):
    """Whether a process was killed at its work: before a statement, or so many seconds after its start."""
    is_timed = isinstance(end, float)
    hand = Hand(office, *arguments, kill_at=None if is_timed else end).let_go()
    if is_timed:
        time.sleep(end)
        hand.kill()
    return hand.end() == -signal.SIGKILL


class TestKilled:
    """F1: nothing lost, nothing double, and run again it is finished."""

    def test_billing(self, estate):
        with writing(), estate.session() as session:
            for unit_id in range(1, PREPAID + 1):
                payments.record_payment(
                    session,
                    payments.NewPayment(unit_id=unit_id, amount=Decimal(90_000), method="cash", paid_at=NOW),
                    now=NOW,
                )
            session.commit()
        kills = month = 0
        for number, end in enumerate(ends_of(estate, "bill", "2026-06")):
            period = f"{2027 + month // 12}-{month % 12 + 1:02d}"
            kills += killed(estate, "bill", period, end=end)
            made = count(estate, Invoice, Invoice.period == period)
            assert made in {0, UNITS}
            if made or number % 20 == 19 or number == KILLS - 1:  # finished, or often enough begun
                month += 1
                for expected in (UNITS - made, 0):
                    with writing(), estate.session() as session:
                        assert bill(session, period).invoices == expected
                        session.commit()
                assert count(estate, Invoice, Invoice.period == period) == UNITS

        assert kills >= KILLS // 2  # a moment may come when all is done: one in three at most
        with estate.session() as session:
            used = session.scalar(select(func.sum(Payment.allocated)))
            due = session.scalar(select(func.sum(Invoice.amount)).where(Invoice.unit_id <= PREPAID))
        assert used == due
        assert_whole(estate)

    def test_statements(self, estate):
        kills = 0
        for number, end in enumerate(ends_of(estate, "statement", "calm")):
            kills += killed(estate, "statement", number, end=end)
            assert Hand(estate, "statement", number).let_go().end() == 0
            wanted = (STATEMENT - 1) * (number + 2)
            assert count(estate, StatementRow, StatementRow.state == "posted") == wanted
            assert count(estate, Payment) == wanted

        assert kills >= KILLS // 2  # a moment may come when all is done: one in three at most
        assert_whole(estate)

    def test_control_bills_committed_before_their_lines(self, estate, monkeypatch):
        """What one transaction protects from: `flask check` names every bill of the half run."""

        def commit_and_die(session, *_given):
            session.commit()
            os.kill(os.getpid(), signal.SIGKILL)

        monkeypatch.setattr(invoice_insertion, "_insert_lines", commit_and_die)
        assert Hand(estate, "bill", "2026-07").let_go().end() == -signal.SIGKILL

        with estate.session() as session:
            found = [one.name for one in findings(session) if one.check == "invoice_lines_add_up"]
        assert len(found) == UNITS

    def test_control_payments_committed_before_their_rows_are_written(self, estate, monkeypatch):
        """The money is posted and nothing knows its rows: the same file finds the receipts and waits."""

        def commit_and_die(session, *_given):
            session.commit()
            os.kill(os.getpid(), signal.SIGKILL)

        with monkeypatch.context() as broken:
            broken.setattr(statements, "_store", commit_and_die)
            assert Hand(estate, "statement", 1).let_go().end() == -signal.SIGKILL
        assert Hand(estate, "statement", 1).let_go().end() == 0

        posted = count(estate, StatementRow, StatementRow.state == "posted")
        assert (count(estate, Payment), posted) == (STATEMENT - 1, STATEMENT - 1 - 40)


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
        each = -(-RECEIPTS // CASHIERS // 10) * 10 or 10

        ends = self.crowd(estate, CASHIERS, "receipts", EACH, each)

        assert set(ends) == {0}
        with estate.session() as session:
            numbers = session.scalars(select(Payment.running_no).order_by(Payment.running_no)).all()
        assert numbers == list(range(1, CASHIERS * each * 7 // 10 + 1))
        assert_whole(estate)

    @pytest.mark.parametrize(
        ("dialect", "has_seats", "most"),
        [("sqlite", True, 2), ("sqlite", False, None), ("postgresql", True, None)],
        indirect=["dialect"],
        ids=["sqlite", "control", "postgresql"],
    )
    def test_eight_writers_take_turns(self, estate, monkeypatch, has_seats, most):
        """F18: none fails, none is lost; on SQLite nobody waits longer than twice a fair round of turns.

        Receipts are numbered in the order in which they were written: a writer's gaps are its waits, whatever
        else the machine does. The control lets the quickest be served.
        """
        monkeypatch.setattr(engine, "HAS_SEATS", has_seats)

        waits, elapsed = self.turns(estate)

        with estate.session() as session:
            keys = session.scalars(select(Payment.form_key).order_by(Payment.running_no)).all()
        turns = [place for _, place in sorted((int(key.split("-")[0]), n) for n, key in enumerate(keys))]
        longest = max(later - earlier for earlier, later in pairwise(turns))
        share = elapsed / TURNS
        print(f"longest wait: {longest} turns of {WRITERS} writers, {max(waits) / share:.2f} x {share:.3f} s")
        assert len(keys) == WRITERS * TURNS
        assert_whole(estate)
        if not has_seats and TURNS >= 100:
            assert longest > 2 * WRITERS
        assert most is None or longest <= most * WRITERS

    def turns(self, estate):
        hands = [Hand(estate, "turns", number, TURNS) for number in range(WRITERS)]
        begun = time.monotonic()
        for hand in hands:
            hand.let_go()
        waits = [wait for hand in hands for wait in hand.told()]
        elapsed = time.monotonic() - begun
        for hand in hands:
            hand.let_go()
        assert [hand.end() for hand in hands] == [0] * WRITERS
        return waits, elapsed

    @pytest.mark.parametrize("dialect", ["sqlite"])
    def test_the_next_number_by_looking_gives_some_twice(self, estate):
        """The control: max + 1 read by everyone before anyone writes."""
        with estate.session() as session:
            read = [
                session.scalar(select(func.coalesce(func.max(Payment.running_no), 0))) + 1 for _ in range(9)
            ]

        assert len(set(read)) < len(read)
