"""Calls, messages and visits about debts that were noted elsewhere, with the promises they brought (C6)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.collection import Contact
from office.arrears import contacts
from office.arrears.contacts import NewContact
from office.core import clock
from office.core.database import chunks
from office.core.errors import N_
from office.exchange.imports import cells, columns, words
from office.exchange.imports.columns import Column, Known, Problem, heads, plainly, text
from office.exchange.imports.taken import NO_UPDATE, Difference, Taken, Update, counted, shown
from rules.promises import promise_problem


def outcome(given: str) -> str:
    """The code that common words stand for; else the words themselves."""
    return words.OUTCOME_WORDS.get(cells.key(given), given)


COLUMNS: tuple[Column, ...] = (
    Column(
        "at",
        ("时间", "時間", "联系时间", "聯繫時間", "催收时间", "催缴时间", "日期", "联系日期", "催缴日期"),
        columns.instant,
        is_required=True,
        is_key=True,
    ),
    columns.UNIT,
    Column(
        "method",
        ("方式", "联系方式", "聯繫方式", "催收方式", "催缴方式", "沟通方式"),
        plainly(cells.one_of(words.CONTACT_METHOD_WORDS)),
        is_required=True,
    ),
    Column(
        "outcome",
        heads("结果 結果 联系结果 催收结果 催缴结果 沟通结果"),
        plainly(outcome),
        empty="",
    ),
    Column(
        "promised_on",
        heads("承诺日期 承諾日期 承诺缴费日期 承诺付款日期 承诺时间"),
        columns.day,
    ),
    Column(
        "promised_amount",
        ("承诺金额", "承諾金額", "承诺缴费金额", "承诺付款金额"),
        plainly(cells.money_above_zero),
        measure="yuan",
    ),
    Column("note", ("备注", "備註", "说明", "沟通内容", "联系内容", "记录"), text(), empty=""),
)


PROMISE_PROBLEMS = {  # what is wrong and what to write, for each answer of the rule
    "past": (N_("before the contact itself"), N_("Write the day by which it was to be paid")),
    "too_far": (
        N_("further ahead than a promise may be"),
        N_("Write a nearer day, or agree an instalment plan"),
    ),
}
COMPARED = ("outcome", "promised_on", "promised_amount", "note")
JUDGED = N_("The promise was judged already: note the new one as a contact of its own")


def problems(rows: Sequence[Mapping[str, Any]], known: Known) -> list[Problem]:
    found = columns.without_payer(rows, known)
    today = clock.today(known.session)
    longest = contacts.longest_promise_days(known.session, today)
    for row in rows:
        promised_on, amount = row["promised_on"], row["promised_amount"]
        if promised_on is None and amount is not None:
            found.append(
                columns.problem(
                    row, "promised_on", "", N_("empty"), N_("A promised amount needs the day of the promise")
                )
            )
        made_on = row["at"].astimezone(known.zone).date()
        wrong = promised_on and promise_problem(promised_on, made_on, today, longest)
        if wrong:
            found.append(columns.problem(row, "promised_on", promised_on, *PROMISE_PROBLEMS[wrong]))
    return found


def take_in(
    session: Session,
    given: Sequence[Mapping[str, Any]],
    *,
    now: datetime,
    update: Update = NO_UPDATE,
    **_present: object,
) -> Taken:
    """Enter the contacts that are not there yet; the payer is who paid for the unit that day.

    A contact is known by its unit, time and method. What another row says of it is told; it can be written,
    a promise only while nobody has judged it (C6).
    """
    there = _there(session, {row["unit_code"] for row in given})
    fresh: list[Mapping[str, Any]] = []
    differences: list[Difference] = []
    for key, rows in _by_key(given).items():
        stored = there.get(key, [])
        left = []
        for row in sorted(rows, key=_said, reverse=True):  # what says most finds its like first
            same = min(
                (one for one in stored if not _differing(row, one)),
                key=lambda one: sum(row[name] != getattr(one, name) for name in COMPARED),
                default=None,
            )
            if same is None:
                left.append(row)
            else:
                stored.remove(same)
        for row in left:
            if not stored:
                fresh.append(row)
                continue
            differences += _corrected(session, row, stored.pop(0), update)
    fresh.sort(key=lambda row: row["line"])
    new = contacts.record_contacts(
        session,
        [
            NewContact(
                unit_id=row["unit_code"],
                method=row["method"],
                at=row["at"],
                outcome=row["outcome"],
                promised_on=row["promised_on"],
                promised_amount=row["promised_amount"],
                note=row["note"],
            )
            for row in fresh
        ],
        now=now,
    )
    return counted(new, len(given), differences, update)


Key = tuple[int, datetime, str]  # unit's id, instant, method


def _by_key(given: Sequence[Mapping[str, Any]]) -> dict[Key, list[Mapping[str, Any]]]:
    """The rows of each contact's key; one that stands in the file twice is one contact."""
    found: dict[Key, dict[tuple[Any, ...], Mapping[str, Any]]] = defaultdict(dict)
    for row in given:
        said = tuple(row[column] for column in COMPARED)
        found[row["unit_code"], row["at"], row["method"]].setdefault(said, row)
    return {key: list(rows.values()) for key, rows in found.items()}


def _there(session: Session, unit_ids: Collection[int]) -> dict[Key, list[Contact]]:
    found: dict[Key, list[Contact]] = defaultdict(list)
    for some in chunks(sorted(unit_ids)):
        for one in session.scalars(select(Contact).where(Contact.unit_id.in_(some)).order_by(Contact.id)):
            found[one.unit_id, one.at, one.method].append(one)
    return found


def _said(row: Mapping[str, Any]) -> int:
    """How many columns of a row say something."""
    return sum(row[name] not in {"", None} for name in COMPARED)


def _differing(row: Mapping[str, Any], there: Contact) -> list[str]:
    """The columns in which a row says otherwise; an empty cell says nothing."""
    return [name for name in COMPARED if row[name] not in {"", None} and row[name] != getattr(there, name)]


def _corrected(session: Session, row: Mapping[str, Any], there: Contact, update: Update) -> list[Difference]:
    """How a row differs from the contact that is there; written where it is to be."""
    told = [
        Difference(
            row["line"],
            name,
            shown(getattr(there, name)),
            shown(row[name]),
            JUDGED if name.startswith("promised") and there.promise_state in {"kept", "broken"} else "",
        )
        for name in _differing(row, there)
    ]
    wanted = [one for one in told if one in update]
    for one in wanted:
        setattr(there, one.column, row[one.column])
        if one.column == "promised_on" and not there.promise_state:
            there.promise_state = "open"
    if wanted:
        update.record(session, there, {one.column: (one.there, one.here) for one in wanted})
    return told
