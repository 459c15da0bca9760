"""A batch killed at any statement: nothing twice, nothing lost, as if nothing had happened (F1, C4).

Made, sent, and worked through from approving to printing, each with a control. GATEHOUSE_KILLS says how many
die in each on each database (10 by default; the goal's 200 take some minutes: `GATEHOUSE_KILLS=200 uv run
pytest -n 0 -s tests/office/arrears/test_collection_kills.py`; `-s` shows what became of how many).
"""

import multiprocessing
import os
import random
import signal
from collections import Counter
from datetime import date, timedelta

import pytest
from sqlalchemy import select, update

from models import engine
from models.billing import Invoice
from models.collection import Reminder, ReminderBatch
from models.office import Audit, Message
from models.people import Owner, Staff
from models.property import Estate
from office.arrears import dunning, integrity, reminder_batches
from office.arrears.room import send_due
from office.messaging import outbox
from office.policies import store
from tests.factories.arrears import add_bill, add_unit, at
from tests.factories.estate import add_staff
from tests.kills.power_cut import die_at, open_session

KILLS = int(os.environ.get("GATEHOUSE_KILLS", "10"))  # goals F1 asks for 200
DAYS = [date(2026, 3, 8) + timedelta(days=number) for number in range(25)]
STATEMENTS = 400  # about as many as the days take
SENDING_AT = at(date(2026, 3, 16), 9, 5)
pytestmark = pytest.mark.kill


def fill(session):
    for number in range(40):
        mail = {"email": f"{number}@example.org"} if number % 2 else {}
        add_bill(session, add_unit(session, f"1-{number:03}", f"业主{number}", **mail), date(2026, 3, 15))
    session.commit()


def judge_all(url, kill_at):
    """Judge the days, a transaction a day, and die at a statement."""
    with engine.writing(), open_session(url) as session:
        die_at(session.get_bind(), kill_at)
        for day in DAYS:
            dunning.judge_day(session, at(day))
            session.commit()


def commit_and_die(session, *_given, **_more):
    session.commit()
    os.kill(os.getpid(), signal.SIGKILL)


def forget_the_transaction(url, _kill_at):
    """The control: reminders are committed before their messages are written."""
    reminder_batches.send_out = commit_and_die
    judge_all(url, None)


def send_all(url, kill_at):
    """Send what is due, and die at a statement."""
    with engine.writing(), open_session(url) as session:
        die_at(session.get_bind(), kill_at)
        send_due(session, SENDING_AT)


def send_and_die(url, _kill_at):
    """The worst instant: the letter has left, and nobody has written it down."""
    outbox.Dispatcher._settle = lambda *_given, **_more: os.kill(os.getpid(), signal.SIGKILL)
    send_all(url, None)


def guess_and_send(url, _kill_at):
    """The control: who takes over takes `sending` for not sent."""

    def guess(session):
        session.execute(update(Message).where(Message.state == "sending").values(state="pending"))
        return 0

    outbox._settle_lost = guess
    send_and_die(url, None)


def killed(work, url, kill_at):
    process = multiprocessing.get_context("fork").Process(target=work, args=(url, kill_at))
    process.start()
    process.join()
    return process.exitcode == -signal.SIGKILL


def result(session):
    session.expire_all()
    made = session.execute(
        select(
            Reminder.stage, Reminder.unit_id, Reminder.planned_on, Reminder.state, ReminderBatch.number
        ).join(Reminder.batch, isouter=True)
    )
    mails = session.execute(select(Message.address, Message.subject, Message.body))
    stages = session.execute(select(Invoice.number, Invoice.stage))
    return [sorted(map(tuple, rows)) for rows in (made, mails, stages)]


@pytest.fixture(autouse=True)
def mailing(monkeypatch):
    monkeypatch.setenv("GATEHOUSE_SMTP_URL", "smtp://127.0.0.1:1")


def test_a_killed_batch_is_finished_by_the_next_run(session_of):
    calm, stormy = session_of("residential"), session_of("residential")
    fill(calm)
    fill(stormy)
    for day in DAYS:
        dunning.judge_day(calm, at(day))
    url = stormy.get_bind().url.render_as_string(hide_password=False)
    stormy.close()
    dice = random.Random(7)

    kills = sum(killed(judge_all, url, dice.randrange(1, STATEMENTS)) for _ in range(KILLS))
    for day in DAYS:
        dunning.judge_day(stormy, at(day))

    assert kills > KILLS / 2
    assert len(result(calm)[0]) == 40 * 5  # upcoming, friendly, call, visit, letter
    assert result(stormy) == result(calm)
    assert list(integrity.all_hold(stormy)) == []


@pytest.fixture
def batch(session_of, inbox):
    """The URL of an office whose friendly reminders wait to be mailed, three for each kill."""
    session = session_of("residential")
    for number in range(max(3 * KILLS, 20)):
        debtor = add_unit(session, f"1-{number:04}", f"业主{number}", email=f"{number}@example.org")
        add_bill(session, debtor, date(2026, 3, 15))
    dunning.judge_day(session, at(date(2026, 3, 16)))
    session.execute(update(Estate).values(present_at=SENDING_AT))
    session.commit()
    return session


def by_state(session):
    session.expire_all()
    rows = session.execute(
        select(Owner.email, Reminder.state).join(Reminder.payer).where(Reminder.channel == "email")
    )
    return dict(map(tuple, rows))


def test_a_batch_killed_while_it_is_sent_reaches_each_once_or_waits_for_a_person(batch, inbox):
    """0 duplicates, 0 silently lost, unknown at most as many as died."""
    url = batch.get_bind().url.render_as_string(hide_password=False)
    batch.close()
    dice = random.Random(7)

    ways = (send_all, send_and_die)
    kills = sum(killed(dice.choice(ways), url, dice.randrange(1, 40)) for _ in range(KILLS))
    for _ in range(2):
        send_due(batch, SENDING_AT)

    states, arrived = by_state(batch), Counter(inbox.recipients)
    told = Counter(states.values())
    print(f"{kills} kills, {len(states)} reminders: {dict(told)}, {arrived.total()} arrived")
    assert kills > KILLS / 2
    assert set(arrived.values()) == {1}
    assert set(told) <= {"sent", "unknown"}
    assert all(arrived[address] == 1 for address, state in states.items() if state == "sent")
    assert told["unknown"] <= kills
    assert list(integrity.all_hold(batch)) == []


@pytest.mark.parametrize(("work", "most"), [(send_and_die, 1), (guess_and_send, 2)])
def test_the_control_who_guesses_sends_twice(batch, inbox, work, most):
    url = batch.get_bind().url.render_as_string(hide_password=False)
    batch.close()

    for _ in range(3):
        assert killed(work, url, None)

    assert (max(Counter(inbox.recipients).values()) > 1) == (most > 1)


def test_the_control_without_one_transaction_loses_messages_and_check_says_so(session_of):
    session = session_of("residential")
    fill(session)
    url = session.get_bind().url.render_as_string(hide_password=False)
    session.close()

    assert killed(forget_the_transaction, url, None)
    for day in DAYS:
        dunning.judge_day(session, at(day))

    assert {finding.check for finding in integrity.all_hold(session)} == {"mailed_has_message"}


# --- from approving to printing, killed at any instant ---------------------------------------------

LONGEST_LIFE = 0.5  # seconds of the processor's time: some batches, whatever else the machine does
MOST_STATEMENTS = 150  # of some batches
EACH = 4  # reminders of a batch: three are mailed, one is printed


@pytest.fixture
def batches(session_of, inbox):
    """An office with many small draft batches, half of them enough for all who die."""
    session = session_of("residential")
    rows = store.document(session, "ladder", date(2026, 3, 16))
    friendly = next(stage for stage in rows["stage"] if stage["code"] == "friendly")
    friendly |= {"is_automatic": False, "carried_by": "steward", "approved_by": "steward"}
    store.store(session, "ladder", rows, valid_from=store.FIRST_DAY, now=SENDING_AT)
    add_staff(session, "steward", "steward")
    for number in range(EACH * max(3 * KILLS, 20)):
        mail = {"email": f"{number}@example.org"} if number % EACH else {}
        add_bill(session, add_unit(session, f"1-{number:05}", f"业主{number}", **mail), date(2026, 3, 15))
    dunning.judge_day(session, at(date(2026, 3, 16)))
    ids = session.scalars(select(Reminder.id).order_by(Reminder.id)).all()
    for number, start in enumerate(range(0, len(ids), EACH)):
        part = ReminderBatch(
            number=f"part-{number}",
            stage="friendly",
            made_for=date(2026, 3, 16),
            part=number + 2,
            made_at=SENDING_AT,
        )
        session.add(part)
        session.flush()
        mine = Reminder.id.in_(ids[start : start + EACH])
        session.execute(update(Reminder).where(mine).values(batch_id=part.id))
    session.execute(update(Estate).values(present_at=SENDING_AT))
    session.commit()
    return session


def work_through(url, kill_at):
    """What a steward and the clock do: approve a batch, let it go, print the rest; then the next.

    Dies at a statement, or after so many seconds of work, wherever that is; by None at the end.
    """
    if isinstance(kill_at, float):
        signal.signal(signal.SIGPROF, signal.SIG_DFL)
        signal.setitimer(signal.ITIMER_PROF, kill_at)
    with engine.writing(), open_session(url) as session:
        die_at(session.get_bind(), kill_at)
        staff_id = session.scalar(select(Staff.id).where(Staff.login == "steward"))
        drafts = select(ReminderBatch.id).where(
            ReminderBatch.state == "draft", ReminderBatch.number.like("part-%")
        )
        to_print = select(Reminder.id).where(Reminder.state == "approved", Reminder.channel == "print")
        waiting = [*session.scalars(drafts.order_by(ReminderBatch.id)), None]
        session.commit()
        for batch_id in waiting:  # at the end once more, for what others left
            if batch_id is not None:
                reminder_batches.approve_batch(session, batch_id, now=SENDING_AT, staff_id=staff_id)
                session.commit()
            send_due(session, SENDING_AT)
            ids = session.scalars(to_print).all()
            reminder_batches.mark(session, ids, "printed", now=SENDING_AT, staff_id=staff_id)
            session.commit()


def let_work(work, url, kill_at=None):
    """Let a process of its own work; whether it was killed before it was done."""
    process = multiprocessing.get_context("fork").Process(target=work, args=(url, kill_at))
    process.start()
    process.join()
    assert process.exitcode is not None
    assert process.exitcode <= 0, "it failed by itself"
    return process.exitcode < 0


def approve_and_forget(url, _kill_at):
    """The control: the approval is committed before the messages are written."""
    reminder_batches.send_out = commit_and_die
    work_through(url, None)


def noted(session, action):
    """How often each row of batches and reminders was noted to be approved or printed."""
    rows = select(Audit.table_name, Audit.row_id).where(Audit.action == action)
    return Counter(map(tuple, session.execute(rows)))


def test_a_batch_killed_at_any_instant_of_its_day_is_done_once(batches, inbox):
    """0 duplicates, 0 lost, unknown at most as many as died; each approval and print noted once."""
    url = batches.get_bind().url.render_as_string(hide_password=False)
    batches.close()
    dice = random.Random(11)

    ends = [
        dice.choice((dice.randrange(1, MOST_STATEMENTS), dice.uniform(0.01, LONGEST_LIFE)))
        for _ in range(KILLS)
    ]
    kills = sum(let_work(work_through, url, end) for end in ends)
    before = Counter(batches.scalars(select(ReminderBatch.state)).all())
    batches.close()
    for _ in range(2):
        assert not let_work(work_through, url)

    states, arrived = by_state(batches), Counter(inbox.recipients)
    told = Counter(states.values())
    printed = batches.scalars(select(Reminder.state).where(Reminder.channel == "print")).all()
    approved, marked = noted(batches, "approve"), noted(batches, "mark")
    print(f"{kills} kills, batches then {dict(before)}; mailed {dict(told)}, {arrived.total()} arrived")
    assert kills > KILLS / 2
    assert 0 < before["draft"] < before.total() - 1, "some were worked through and some were left"
    assert set(arrived.values()) == {1}
    assert set(told) <= {"sent", "unknown"}
    assert all(arrived[address] == 1 for address, state in states.items() if state == "sent")
    assert told["unknown"] <= kills
    assert set(printed) == {"printed"}
    assert (len(approved), set(approved.values())) == (len(printed), {1})
    assert (len(marked), set(marked.values())) == (len(printed), {1})
    assert list(integrity.all_hold(batches)) == []


def test_the_control_an_approval_without_its_messages_is_found(batches, inbox):
    url = batches.get_bind().url.render_as_string(hide_password=False)
    batches.close()

    assert let_work(approve_and_forget, url)
    assert not let_work(work_through, url)

    assert len(inbox.recipients) == len(by_state(batches)) - (EACH - 1)
    assert {finding.check for finding in integrity.all_hold(batches)} == {"mailed_has_message"}
